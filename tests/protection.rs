//! What protects a victim from those who look: consent, and what its withdrawal does.

use diesel::prelude::*;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::db::schema::{consent, glass_open};
use sistra::kernel::ids::{CaseId, ConsentId, VictimId};
use sistra::kernel::trail::Trail;
use sistra::kernel::{AgencyCode, Timestamp};
use sistra::ledger::{Action, Actor, Entry, append};

use crate::both;
use crate::support::{ALL, Answer, World, case};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const SHELTER: &str = "PE-MIMP-INABIF";
const IDENTITIES: &str = "victims.identity:read victims.identity:write";

/// A case of the prosecutor's with one victim.
struct Ward {
    owner: String,
    case: String,
    victim: String,
}

impl Ward {
    fn new(world: &World, age: Option<i32>) -> Self {
        let owner = world.token(OWNER, &format!("{ALL} {IDENTITIES}"), Purpose::Prosecution);
        let mut new = case();
        new["victims"][0]["age_at_identification"] = json!(age);
        if age.is_none() {
            new["victims"][0].as_object_mut().unwrap().remove("age_at_identification");
        }
        let made = world.post("/v1/cases", &owner, &new);
        let case = made.header("location");
        let victim =
            world.get(&format!("{case}/victims"), &owner).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
        Self { owner, case, victim }
    }

    fn consents(&self) -> String {
        format!("/v1/victims/{}/consents", self.victim)
    }

    /// A consent that was given; its path.
    fn given(&self, world: &World, more: &Value) -> String {
        let mut new = offer();
        more.as_object().unwrap().iter().for_each(|(k, v)| new[k] = v.clone());
        let made = world.post(&self.consents(), &self.owner, &new);
        assert_eq!(made.status, 201, "{}", made.text);
        let path = made.header("location");
        self.go(world, &path, &made, json!({"trigger": "give", "evidence": "Acta 14, folio 3"}));
        path
    }

    fn go(&self, world: &World, path: &str, last: &Answer, body: Value) -> Answer {
        let moved = world.step(path, &self.owner, &last.header("etag"), &body);
        assert_eq!(moved.status, 200, "{body}: {}", moved.text);
        moved
    }

    fn withdraw(&self, world: &World, consent: &str) -> Answer {
        let now = world.get(consent, &self.owner);
        self.go(world, consent, &now, json!({"trigger": "withdraw", "reason": "Ya no lo desea."}))
    }

    fn referral(&self, consent: &str) -> Value {
        json!({"case_id": last(&self.case), "kind": "service_request", "to_agency": SHELTER, "victims": [self.victim], "services": ["shelter"],
            "sections": ["victims"], "purpose": "assistance", "legal_basis": "consent", "consent_id": last(consent)})
    }

    /// Drafted, and moved by these triggers; the last answer and the path.
    fn referred(&self, world: &World, consent: &str, receiver: &str, triggers: &[&str]) -> String {
        let mut last = world.post("/v1/referrals", &self.owner, &self.referral(consent));
        assert_eq!(last.status, 201, "{}", last.text);
        let path = last.header("location");
        for trigger in triggers {
            let token = if *trigger == "send" { &self.owner } else { receiver };
            last = world.step(&path, token, &last.header("etag"), &json!({"trigger": trigger}));
            assert_eq!(last.status, 200, "{trigger}: {}", last.text);
        }
        path
    }
}

fn offer() -> Value {
    json!({"purposes": ["referral"], "language": "es", "form": "written", "given_by": "self", "explained_by": "Trabajadora social Ruiz"})
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

const POLICE: &str = "PE-PNP-DIRCTPTIM";
const INVOKE: &str = "break_glass:invoke";
const REVIEW: &str = "break_glass:review";

/// Another system of the police than the duty officer's.
fn emergency_reader(world: &World) -> String {
    world.token(POLICE, &format!("{ALL} {IDENTITIES}"), Purpose::Protection)
}

fn broken(ward: &Ward) -> Value {
    json!({"case_id": last(&ward.case), "reason_code": "life_at_risk", "reason": "Fue hallada herida y se necesita saber de quién protegerla."})
}

both! {
fn a_consent_is_offered_answered_and_ended_and_every_other_move_is_refused(world) {
    let ward = Ward::new(world, Some(22));
    let made = world.post(&ward.consents(), &ward.owner, &offer());
    let body = made.json();
    assert_eq!((body["state"].as_str().unwrap(), &body["in_force"], &body["version"]), ("offered", &json!(false), &json!(1)));
    assert_eq!(made.header("location"), format!("/v1/consents/{}", body["id"].as_str().unwrap()));
    let path = made.header("location");
    for (from, offered) in [(&[][..], &["give", "refuse"][..]), (&["give"], &["withdraw", "expire"]), (&["refuse"], &[]), (&["give", "withdraw"], &[])] {
        let made = world.post(&ward.consents(), &ward.owner, &offer());
        let (path, mut last) = (made.header("location"), made);
        for trigger in from {
            last = ward.go(world, &path, &last, json!({"trigger": trigger}));
        }
        let available = world.get(&format!("{path}/transitions/available"), &ward.owner).json();
        let triggers: Vec<&str> = available["items"].as_array().unwrap().iter().map(|i| i["trigger"].as_str().unwrap()).collect();
        assert_eq!(triggers, offered, "{from:?}");
        for trigger in ["give", "refuse", "withdraw", "expire"].into_iter().filter(|t| !offered.contains(t)) {
            let refused = world.step(&path, &ward.owner, &last.header("etag"), &json!({"trigger": trigger}));
            assert_eq!((refused.status, &refused.json()["failed_guards"]), (409, &json!(["no_such_transition"])), "{from:?} {trigger}");
        }
    }
    let given = ward.go(world, &path, &made, json!({"trigger": "give", "at": "2026-01-01T10:00:00Z", "evidence": "Acta 14"}));
    assert_eq!((&given.json()["given_at"], &given.json()["in_force"], &given.json()["evidence"]), (&json!("2026-01-01T10:00:00.000Z"), &json!(true), &json!("Acta 14")));
    let early = world.step(&path, &ward.owner, &given.header("etag"), &json!({"trigger": "withdraw", "at": "2025-12-31T10:00:00Z"}));
    assert_eq!(early.faults(), ["#/at: date_order"]);
    let late = world.step(&path, &ward.owner, &given.header("etag"), &json!({"trigger": "withdraw", "at": "2199-12-31T10:00:00Z", "evidence": " "}));
    assert_eq!(late.faults(), ["#/at: date_order", "#/evidence: min_length", "#/evidence: cross_field"]);
    let running = world.step(&path, &ward.owner, &given.header("etag"), &json!({"trigger": "expire"}));
    assert_eq!((running.status, &running.json()["failed_guards"]), (409, &json!(["not_yet_expired"])));
    let moves = world.get(&format!("{path}/transitions"), &ward.owner).json();
    assert_eq!((moves["items"].as_array().unwrap().len(), &moves["items"][0]["trigger"]), (1, &json!("give")));
    assert_eq!(world.get(&ward.consents(), &ward.owner).json()["items"].as_array().unwrap().len(), 5);
}

fn every_fault_of_an_offer_is_reported(world) {
    let ward = Ward::new(world, Some(22));
    let bad = json!({"purposes": ["referral", "nonsense", "referral"], "recipients": [SHELTER, "PE-NOBODY", "PE-DP", SHELTER], "language": "X1", "form": "telepathy",
        "given_by": "neighbour", "explained_by": " ", "expires_at": "2020-01-01T00:00:00Z"});
    let refused = world.post(&ward.consents(), &ward.owner, &bad);
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faults(), [
        "#/expires_at: date_order", "#/explained_by: min_length", "#/form: enum", "#/given_by: enum", "#/language: enum", "#/purposes/1: enum",
        "#/purposes/2: unique_items", "#/recipients/1: reference_not_found", "#/recipients/2: cross_field", "#/recipients/3: unique_items",
    ]);
}

fn a_minor_answers_through_somebody_without_a_conflict_and_an_adult_for_herself(world) {
    // Age, giver, conflict of the guardian, and whether that is accepted. An unknown age is a minor's.
    for (age, giver, conflict, accepted) in [
        (Some(22), "self", false, true), (Some(22), "curator", false, true), (Some(22), "guardian", false, false),
        (Some(16), "self", false, false), (Some(16), "guardian", false, true), (Some(16), "guardian", true, false), (Some(16), "curator", true, true),
        (None, "self", false, false), (None, "guardian", false, true),
    ] {
        let ward = Ward::new(world, age);
        let mut new = offer();
        (new["given_by"], new["guardian_conflict"]) = (json!(giver), json!(conflict));
        let answer = world.post(&ward.consents(), &ward.owner, &new);
        if accepted {
            assert_eq!(answer.status, 201, "{age:?} {giver}: {}", answer.text);
        } else {
            assert_eq!(answer.faults(), ["#/given_by: cross_field"], "{age:?} {giver}");
        }
    }
    // What was asked of an adult is not answered by one who turns out to be a child.
    let ward = Ward::new(world, Some(22));
    let made = world.post(&ward.consents(), &ward.owner, &offer());
    let path = format!("/v1/victims/{}", ward.victim);
    let version = world.get(&path, &ward.owner).header("etag");
    assert_eq!(world.patch(&path, &ward.owner, &version, &json!({"age_at_identification": 15})).status, 200);
    let refused = world.step(&made.header("location"), &ward.owner, &made.header("etag"), &json!({"trigger": "give"}));
    assert_eq!((refused.status, &refused.json()["failed_guards"]), (409, &json!(["wrong_giver"])));
}

fn a_proof_is_for_those_who_asked_and_may_see_identities(world) {
    let ward = Ward::new(world, Some(22));
    let path = ward.given(world, &json!({}));
    let shared = json!({"agency": SHELTER, "role": "victim_care", "sections": ["victims", "victim_identity"]});
    assert_eq!(world.post(&format!("{}/participants", ward.case), &ward.owner, &shared).status, 201);
    let seen = |token: &str| {
        let body = world.get(&path, token).json();
        (body["evidence"].clone(), body["explained_by"].clone(), body["redacted"].clone())
    };
    assert_eq!(seen(&ward.owner), (json!("Acta 14, folio 3"), json!("Trabajadora social Ruiz"), json!([])));
    let hidden = (Value::Null, Value::Null, json!(["#/explained_by", "#/evidence"]));
    assert_eq!(seen(&world.prosecutor()), hidden, "without the scope of identities");
    assert_eq!(seen(&world.token(OWNER, &format!("{ALL} {IDENTITIES}"), Purpose::Statistics)), hidden, "for figures");
    assert_eq!(seen(&world.token(SHELTER, &format!("{ALL} {IDENTITIES}"), Purpose::Assistance)), hidden, "another agency");
    assert_eq!(seen(&world.token("PE-DP", ALL, Purpose::Oversight)), hidden, "oversight");
    assert!(!world.get(&ward.consents(), &ward.owner).text.contains("Ruiz"), "a list shows no proof to anybody");
    let plain = world.prosecutor();
    let refused = world.post(&ward.consents(), &plain, &offer());
    assert_eq!((refused.code().as_str(), &refused.json()["required_scopes"]), ("insufficient_scope", &json!(["victims.identity:write"])));
    let statistics = world.token(OWNER, &format!("{ALL} {IDENTITIES}"), Purpose::Statistics);
    assert_eq!(world.post(&ward.consents(), &statistics, &offer()).code(), "purpose_not_allowed");
    // A guest asks for itself; what the owner asked for it may not answer.
    let shelter = world.shelter();
    let mut own = offer();
    own.as_object_mut().unwrap().remove("explained_by");
    let made = world.post(&ward.consents(), &shelter, &own);
    assert_eq!(world.step(&made.header("location"), &shelter, &made.header("etag"), &json!({"trigger": "give"})).status, 200);
    let refused = world.step(&path, &shelter, &world.get(&path, &shelter).header("etag"), &json!({"trigger": "withdraw"}));
    assert_eq!((refused.status, refused.code().as_str()), (403, "owner_only"));
}

fn a_referral_on_consent_names_one_that_is_in_force_and_covers_it(world) {
    let (ward, other) = (Ward::new(world, Some(22)), Ward::new(world, Some(30)));
    let draft = |change: Value| {
        let mut new = ward.referral("none");
        change.as_object().unwrap().iter().for_each(|(k, v)| if v.is_null() { new.as_object_mut().unwrap().remove(k); } else { new[k] = v.clone(); });
        world.post("/v1/referrals", &ward.owner, &new)
    };
    let good = ward.given(world, &json!({}));
    let on = |path: &str| json!({"consent_id": last(path)});
    assert_eq!(draft(on(&good)).status, 201);
    assert_eq!(draft(json!({"consent_id": null})).faults(), ["#/consent_id: required"]);
    assert_eq!(draft(json!({"consent_id": last(&good), "victims": null})).faults(), ["#/victims: required"]);
    assert_eq!(draft(json!({"consent_id": last(&good), "legal_basis": "danger_to_life"})).faults(), ["#/consent_id: cross_field"]);
    assert_eq!(draft(json!({"consent_id": last(&good), "purpose": "investigation"})).faults(), ["#/purpose: cross_field"]);
    assert_eq!(draft(json!({"consent_id": last(&good), "purpose": "oversight"})).faults(), ["#/purpose: cross_field"]);
    let offered = world.post(&ward.consents(), &ward.owner, &offer()).header("location");
    assert_eq!(draft(on(&offered)).faults(), ["#/consent_id: cross_field"]);
    assert_eq!(draft(on(&other.given(world, &json!({})))).faults(), ["#/consent_id: reference_not_found"], "another person's");
    assert_eq!(draft(json!({"consent_id": "01a20da0-6e26-77b4-8000-40c670de0f0b"})).faults(), ["#/consent_id: reference_not_found"]);
    let narrow = ward.given(world, &json!({"recipients": ["PE-MIMP-AURORA"]}));
    assert_eq!(draft(on(&narrow)).faults(), ["#/to_agency: cross_field"]);
    let gone = ward.given(world, &json!({}));
    ward.withdraw(world, &gone);
    assert_eq!(draft(on(&gone)).faults(), ["#/consent_id: cross_field"]);
}

fn a_withdrawal_revokes_every_open_referral_at_once_and_its_receivers_see_it(world) {
    let ward = Ward::new(world, Some(22));
    let shelter = world.shelter();
    let (consent, kept) = (ward.given(world, &json!({})), ward.given(world, &json!({})));
    let draft = ward.referred(world, &consent, &shelter, &[]);
    let sent = ward.referred(world, &consent, &shelter, &["send"]);
    let running = ward.referred(world, &consent, &shelter, &["send", "accept"]);
    let done = ward.referred(world, &consent, &shelter, &["send", "accept", "complete"]);
    let other = ward.referred(world, &kept, &shelter, &["send"]);
    let moved_on = ward.referred(world, &consent, &shelter, &[]);
    let etag = world.get(&moved_on, &ward.owner).header("etag");
    assert_eq!(world.patch(&moved_on, &ward.owner, &etag, &json!({"consent_id": last(&kept)})).status, 200);
    assert_eq!(world.get(&ward.case, &shelter).status, 200);
    let withdrawn = ward.withdraw(world, &consent);
    assert_eq!((&withdrawn.json()["state"], &withdrawn.json()["in_force"]), (&json!("withdrawn"), &json!(false)));
    for path in [&draft, &sent, &running] {
        let now = world.get(path, &ward.owner).json();
        assert_eq!((&now["state"], &now["reason"]), (&json!("revoked"), &json!("consent_withdrawn")), "{path}");
        let history = world.get(&format!("{path}/history"), &ward.owner).text;
        assert!(history.contains("\"to\":\"revoked\""), "{history}");
        let moves = world.get(&format!("{path}/transitions"), &ward.owner).json();
        assert_eq!(moves["items"].as_array().unwrap().last().unwrap()["reason"], json!("consent_withdrawn"));
    }
    assert_eq!(world.get(&ward.case, &shelter).status, 404, "what the consent opened is shut");
    let told: Vec<Value> = world.get("/v1/referrals?box=in&state=revoked", &shelter).json()["items"].as_array().unwrap().clone();
    assert_eq!(told.len(), 2, "the sent one and the running one, not the draft");
    assert!(told.iter().all(|r| r["reason"] == json!("consent_withdrawn") && r["consent_id"] == json!(last(&consent))));
    for (path, state) in [(&done, "completed"), (&other, "sent"), (&moved_on, "draft")] {
        assert_eq!(world.get(path, &ward.owner).json()["state"], json!(state), "{path}");
    }
    // What was drafted before and is sent after finds the consent gone.
    let late = ward.given(world, &json!({}));
    let waiting = ward.referred(world, &late, &shelter, &["send"]);
    ward.withdraw(world, &late);
    let etag = world.get(&waiting, &shelter).header("etag");
    assert_eq!(world.step(&waiting, &shelter, &etag, &json!({"trigger": "accept"})).status, 409);
}

fn a_consent_s_time_ends_what_could_still_begin_on_it(world) {
    let ward = Ward::new(world, Some(22));
    let shelter = world.shelter();
    let consent = ward.given(world, &json!({"expires_at": "2199-01-01T00:00:00Z"}));
    let sent = ward.referred(world, &consent, &shelter, &["send"]);
    let (id, past): (ConsentId, _) = (last(&consent).parse().unwrap(), Timestamp::now().plus_seconds(-1));
    // Time passes.
    let passed = world.running.as_ref().unwrap().store.write_blocking(move |tx| {
        let (bucket, id) = id.key();
        let this = consent::table.filter(consent::bucket.eq(bucket)).filter(consent::id.eq(id));
        Ok(diesel::update(this).set(consent::expires_at.eq(past)).execute(tx)?)
    });
    assert_eq!(passed, Ok(1));
    assert_eq!(world.get(&consent, &ward.owner).json()["in_force"], json!(false));
    let etag = world.get(&sent, &shelter).header("etag");
    let refused = world.step(&sent, &shelter, &etag, &json!({"trigger": "accept"}));
    assert_eq!((refused.status, &refused.json()["failed_guards"]), (409, &json!(["consent_not_in_force"])));
    let now = world.get(&consent, &ward.owner);
    assert_eq!(ward.go(world, &consent, &now, json!({"trigger": "expire"})).json()["state"], json!("expired"));
}

fn a_victim_s_report_says_who_looked_who_received_and_why(world) {
    let ward = Ward::new(world, Some(22));
    let (shelter, oversight) = (world.shelter(), world.token("PE-DP", ALL, Purpose::Oversight));
    let consent = ward.given(world, &json!({}));
    let referral = ward.referred(world, &consent, &shelter, &["send", "accept"]);
    let at = format!("/v1/victims/{}", ward.victim);
    // By the shelter: once by id, once in a list, once beside the case.
    assert_eq!(world.get(&at, &shelter).status, 200);
    assert_eq!(world.get(&format!("{}/victims", ward.case), &shelter).json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.get(&format!("{}?expand=victims", ward.case), &shelter).status, 200);
    assert_eq!(world.get(&format!("{at}/identity"), &ward.owner).status, 200);
    let answer = world.get(&format!("{at}/disclosures"), &ward.owner);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let report = answer.json();
    let looks = |report: &Value, agency: &str| -> Vec<String> {
        let items = report["items"].as_array().unwrap().iter().filter(|l| l["agency"] == json!(agency));
        items.map(|l| format!("{} {}", l["what"].as_str().unwrap(), l["purpose"].as_str().unwrap())).collect()
    };
    assert_eq!(looks(&report, SHELTER), ["victim assistance", "victim_list assistance", "victim_list assistance"]);
    assert!(looks(&report, OWNER).contains(&"victim_identity prosecution".to_owned()));
    let received = report["received"].as_array().unwrap();
    assert_eq!(received.len(), 1);
    for (key, value) in [("agency", json!(SHELTER)), ("case_id", json!(last(&ward.case))), ("identity", json!(false)), ("until", Value::Null), ("purpose", json!("assistance")),
        ("legal_basis", json!("consent")), ("consent_id", json!(last(&consent))), ("referral_id", json!(last(&referral)))] {
        assert_eq!(received[0][key], value, "{key}");
    }
    ward.withdraw(world, &consent);
    let after = world.get(&format!("{at}/disclosures"), &oversight).json();
    assert!(after["received"][0]["until"].is_string());
    assert!(looks(&after, OWNER).contains(&"victim_disclosures prosecution".to_owned()), "the report is a look too");
    // Page by page it is the same report.
    let (mut pages, mut path) = (Vec::new(), format!("{at}/disclosures?limit=2"));
    loop {
        let page = world.get(&path, &oversight).json();
        pages.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["next_cursor"].as_str() else { break };
        path = format!("{at}/disclosures?limit=2&cursor={next}");
    }
    let first = after["items"].as_array().unwrap();
    assert_eq!(&pages[..first.len()], &first[..]);
}

fn a_report_tells_an_owner_nothing_of_another_agency_s_case(world) {
    let ward = Ward::new(world, Some(22));
    let oversight = world.token("PE-DP", ALL, Purpose::Oversight);
    let shared = json!({"agency": "PE-MP-UDAVIT", "role": "victim_care", "sections": ["victims"]});
    assert_eq!(world.post(&format!("{}/participants", ward.case), &ward.owner, &shared).status, 201);
    let guest = world.token("PE-MP-UDAVIT", ALL, Purpose::Assistance);
    let at = format!("/v1/victims/{}", ward.victim);
    let refused = world.get(&format!("{at}/disclosures"), &guest);
    assert_eq!((refused.status, refused.code().as_str()), (403, "owner_only"), "a participant accounts for nobody");
    assert_eq!(world.get(&at, &oversight).status, 200);
    let report = world.get(&format!("{at}/disclosures"), &ward.owner).json();
    assert!(report["items"].as_array().unwrap().iter().any(|l| l["agency"] == json!("PE-DP")), "supervision is not secret");
    // A look through a case that is not the owner's: the ledger has it, the owner's report does not.
    let (victim, now): (VictimId, _) = (ward.victim.parse().unwrap(), Timestamp::now());
    let running = world.running.as_ref().unwrap();
    let actor = Actor { client: None, agency: AgencyCode::parse("PE-MP-FISTRAP-PIURA"), user: None, purpose: None, request_id: uuid::Uuid::new_v4(), trail: Trail::default() };
    let entry = move || vec![Entry::new(Action::Read, victim, None)];
    running.store.write_blocking(move |tx| append(tx, &actor, now, entry())).unwrap();
    let sees = |token: &str| world.get(&format!("{at}/disclosures"), token).text.contains("PIURA");
    assert!(!sees(&ward.owner) && sees(&oversight));
}

fn glass_is_broken_before_the_eyes_of_owner_and_oversight_and_shut_by_their_review(world) {
    let ward = Ward::new(world, Some(22));
    let (reader, duty) = (emergency_reader(world), world.token(POLICE, INVOKE, Purpose::Protection));
    let (owner, oversight) = (world.token(OWNER, REVIEW, Purpose::Prosecution), world.token("PE-DP", REVIEW, Purpose::Oversight));
    let identity = format!("/v1/victims/{}/identity", ward.victim);
    assert_eq!((world.get(&ward.case, &reader).status, world.get(&identity, &reader).status), (404, 404));
    let made = world.post("/v1/break-glass", &duty, &broken(&ward));
    assert_eq!(made.status, 201, "{}", made.text);
    let (path, body) = (made.header("location"), made.json());
    for (key, value) in [("state", json!("open")), ("running", json!(true)), ("two_persons", json!(false)), ("minutes", json!(180)), ("created_by_agency", json!(POLICE))] {
        assert_eq!(body[key], value, "{key}");
    }
    assert_eq!((world.get(&ward.case, &reader).status, world.get(&identity, &reader).status), (200, 200));
    assert_eq!(world.get(&format!("/v1/victims/{}", ward.victim), &reader).status, 200);
    assert_eq!(world.patch(&ward.case, &reader, "\"1.pff\"", &json!({"territory": "150101"})).status, 403, "it opens eyes, not hands");
    assert!(!world.get("/v1/cases", &reader).text.contains(&last(&ward.case)), "one record, by its id");
    let pending = |token: &str| world.get("/v1/break-glass?review=pending", token).json()["items"].clone();
    for desk in [&owner, &oversight] {
        assert_eq!(pending(desk)[0], world.get(&path, desk).json());
        assert_eq!(pending(desk)[0]["reason"], broken(&ward)["reason"]);
    }
    let history = world.get(&format!("{}/history", ward.case), &ward.owner).text;
    assert!(history.contains("case.granted") && history.contains(POLICE), "{history}");
    let strange = world.token("PE-MP-FISTRAP-PIURA", REVIEW, Purpose::Prosecution);
    assert_eq!((world.get(&path, &strange).status, pending(&strange)), (404, json!([])));
    // The police may not judge itself.
    let own = world.token(POLICE, REVIEW, Purpose::Oversight);
    let review = json!({"trigger": "review", "finding": "unjustified", "words": "No hubo emergencia."});
    assert_eq!(world.step(&path, &own, "\"1.b\"", &review).code(), "owner_only");
    assert_eq!(world.step(&path, &owner, "\"1.b\"", &json!({"trigger": "review"})).faults(), ["#/finding: required", "#/words: required"]);
    let done = world.step(&path, &owner, "\"1.b\"", &review);
    assert_eq!((done.status, &done.json()["state"], &done.json()["running"], &done.json()["reviewed_by"]), (200, &json!("reviewed"), &json!(false), &json!(OWNER)), "{}", done.text);
    assert_eq!((world.get(&ward.case, &reader).status, world.get(&identity, &reader).status), (404, 404), "shut at once");
    assert_eq!((pending(&owner), pending(&oversight)), (json!([]), json!([])));
    assert_eq!(world.get("/v1/break-glass?review=done", &oversight).json()["items"][0]["finding"], json!("unjustified"));
    let again = world.step(&path, &oversight, "\"2.b\"", &review);
    assert_eq!((again.status, &again.json()["failed_guards"]), (409, &json!(["already_reviewed"])));
}

fn broken_glass_ends_by_itself_and_a_good_review_does_not_cut_it_short(world) {
    let ward = Ward::new(world, Some(22));
    let (reader, duty) = (emergency_reader(world), world.token(POLICE, INVOKE, Purpose::Protection));
    let made = world.post("/v1/break-glass", &duty, &broken(&ward));
    let review = json!({"trigger": "review", "finding": "justified", "words": "Se verificó."});
    let owner = world.token(OWNER, REVIEW, Purpose::Prosecution);
    assert_eq!(world.step(&made.header("location"), &owner, &made.header("etag"), &review).json()["running"], json!(true));
    assert_eq!(world.get(&ward.case, &reader).status, 200);
    let (case, past): (CaseId, _) = (last(&ward.case).parse().unwrap(), Timestamp::now());
    let agency = AgencyCode::parse(POLICE).unwrap();
    // Time passes.
    let passed = world.running.as_ref().unwrap().store.write_blocking(move |tx| {
        let lane = glass_open::table.filter(glass_open::bucket.eq(agency.bucket().number())).filter(glass_open::agency_code.eq(agency.as_str()));
        Ok(diesel::update(lane.filter(glass_open::case_id.eq(case))).set(glass_open::until_at.eq(past)).execute(tx)?)
    });
    assert_eq!(passed, Ok(1));
    assert_eq!(world.get(&ward.case, &reader).status, 404);
}

fn a_case_with_a_minor_takes_two_persons(world) {
    for age in [Some(15), None] {
        let ward = Ward::new(world, age);
        let (reader, duty) = (emergency_reader(world), world.token(POLICE, INVOKE, Purpose::Protection));
        let made = world.post("/v1/break-glass", &duty, &broken(&ward));
        let (path, body) = (made.header("location"), made.json());
        assert_eq!((&body["state"], &body["two_persons"], &body["until"], &body["running"]), (&json!("pending"), &json!(true), &Value::Null, &json!(false)));
        assert_eq!(world.get(&ward.case, &reader).status, 404, "nothing is open yet");
        let confirm = json!({"trigger": "confirm"});
        let alone = world.step(&path, &duty, "\"1.b\"", &confirm);
        assert_eq!((alone.status, &alone.json()["failed_guards"]), (409, &json!(["second_person_needed"])));
        let stranger = world.token(SHELTER, INVOKE, Purpose::Protection);
        assert_eq!(world.step(&path, &stranger, "\"1.b\"", &confirm).status, 404);
        let second = world.token(POLICE, INVOKE, Purpose::Protection);
        let bad = json!({"trigger": "confirm", "finding": "justified"});
        assert_eq!(world.step(&path, &second, "\"1.b\"", &bad).faults(), ["#/finding: cross_field"]);
        let confirmed = world.step(&path, &second, "\"1.b\"", &confirm);
        assert_eq!((confirmed.status, &confirmed.json()["state"], &confirmed.json()["running"]), (200, &json!("open"), &json!(true)), "{}", confirmed.text);
        assert_eq!(world.get(&ward.case, &reader).status, 200);
    }
}

fn glass_is_not_broken_without_need_reason_or_right(world) {
    let ward = Ward::new(world, Some(22));
    let duty = world.token(POLICE, INVOKE, Purpose::Protection);
    let bad = json!({"case_id": "01a20da0-6e26-77b4-8000-40c670de0f0b", "reason_code": "curiosity", "reason": "Quiero ver.", "sections": ["victim_identity"]});
    assert_eq!(world.post("/v1/break-glass", &duty, &bad).faults(), ["#/case_id: reference_not_found", "#/reason: min_length", "#/reason_code: enum", "#/sections/0: cross_field"]);
    let mut long = broken(&ward);
    long["minutes"] = json!(181);
    assert_eq!(world.post("/v1/break-glass", &duty, &long).faults(), ["#/minutes: maximum"]);
    let owner = world.token(OWNER, INVOKE, Purpose::Prosecution);
    assert_eq!(world.post("/v1/break-glass", &owner, &broken(&ward)).faults(), ["#/case_id: cross_field"]);
    let oversight = world.token("PE-DP", INVOKE, Purpose::Protection);
    assert_eq!(world.post("/v1/break-glass", &oversight, &broken(&ward)).code(), "owner_only");
    let figures = world.token(POLICE, INVOKE, Purpose::Statistics);
    assert_eq!(world.post("/v1/break-glass", &figures, &broken(&ward)).code(), "purpose_not_allowed");
    let both = world.client(POLICE, &format!("{INVOKE} {REVIEW}"), &[Purpose::Protection], sistra::auth::clients::Credential::Secret);
    assert!(both.unwrap_err().contains("never"));
    // A guest gains what was opened, and keeps no less than what it had.
    let shared = json!({"agency": POLICE, "role": "information", "sections": ["identifiers"]});
    assert_eq!(world.post(&format!("{}/participants", ward.case), &ward.owner, &shared).status, 201);
    let reader = emergency_reader(world);
    let narrow = json!({"case_id": last(&ward.case), "reason_code": "life_at_risk", "reason": broken(&ward)["reason"], "sections": ["victims"]});
    let victims = format!("{}/victims", ward.case);
    assert_eq!(world.get(&victims, &reader).status, 404);
    assert_eq!(world.post("/v1/break-glass", &duty, &narrow).status, 201);
    assert_eq!(world.get(&victims, &reader).status, 200);
    assert_eq!(world.get(&ward.case, &reader).header("etag"), "\"1.p05\"");
    assert_eq!(world.get(&format!("{}/accused", ward.case), &reader).status, 404);
}
}
