//! A victim's care from the first signs to its end: every agency its own acts, by the protocol and no other way.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{ALL, Answer, World, case, unique};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const POLICE: &str = "PE-PNP-DIRCTPTIM";
const UDAVIT: &str = "PE-MP-UDAVIT";
const SHELTER: &str = "PE-MIMP-INABIF";
const HELP: &str = "assistance:read assistance:write";

/// A case of the prosecutor's with one victim, shared with those who help.
pub struct Ward {
    owner: String,
    police: String,
    pub udavit: String,
    case: String,
    victim: String,
}

impl Ward {
    pub fn new(world: &World, age: i32) -> Self {
        let token = |agency: &str| world.token(agency, &format!("{ALL} {HELP}"), Purpose::Assistance);
        let owner = token(OWNER);
        let mut new = case();
        new["victims"][0]["age_at_identification"] = json!(age);
        let made = world.post("/v1/cases", &owner, &new);
        assert_eq!(made.status, 201, "{}", made.text);
        let case = made.header("location");
        let first = world.get(&format!("{case}/victims"), &owner).json()["items"][0]["victim_id"].clone();
        let ward =
            Self { owner, police: token(POLICE), udavit: token(UDAVIT), case, victim: first.as_str().unwrap().to_owned() };
        ward.share(world, POLICE, &["victims", "assistance"]);
        ward.share(world, UDAVIT, &["victims", "assistance"]);
        ward
    }

    fn share(&self, world: &World, agency: &str, sections: &[&str]) {
        let body = json!({"agency": agency, "role": "victim_care", "sections": sections});
        let made = world.post(&format!("{}/participants", self.case), &self.owner, &body);
        assert_eq!(made.status, 201, "{}", made.text);
    }

    fn list(&self) -> String {
        format!("/v1/victims/{}/care-processes", self.victim)
    }

    fn begin(&self, world: &World) -> String {
        let made = world.post(&self.list(), &self.owner, &detected());
        assert_eq!(made.status, 201, "{}", made.text);
        made.header("location")
    }

    /// A consent to assistance that was given; its path.
    fn consent(&self, world: &World) -> String {
        let body = json!({"purposes": ["assistance"], "language": "es", "form": "written", "given_by": "self"});
        let made = world.post(&format!("/v1/victims/{}/consents", self.victim), &self.owner, &body);
        let path = made.header("location");
        assert_eq!(world.step(&path, &self.owner, &made.header("etag"), &json!({"trigger": "give"})).status, 200);
        path
    }

    /// A service that was planned; its path.
    fn service(&self, world: &World) -> String {
        let need = json!({"need": "shelter", "provider_agency": SHELTER, "legal_basis": "danger_to_life"});
        let made = world.post(&format!("/v1/victims/{}/assistance", self.victim), &self.owner, &need);
        assert_eq!(made.status, 201, "{}", made.text);
        let path = made.header("location");
        done(world, &path, &self.owner, json!({"trigger": "plan"}));
        path
    }

    /// A process of somebody identified.
    fn identified(&self, world: &World) -> String {
        let path = self.begin(world);
        done(
            world,
            &path,
            &self.police,
            json!({"trigger": "receive", "effective_on": "2026-03-15", "reception": reception()}),
        );
        done(world, &path, &self.owner, json!({"trigger": "identify", "effective_on": "2026-03-16"}));
        path
    }

    /// The same of an adult, who agreed to it.
    pub fn assisted_after_consent(&self, world: &World) -> String {
        self.consent(world);
        self.assisted(world)
    }

    /// The move of somebody assisted into a plan of reintegration, for `udavit` to make.
    pub fn reintegrates(&self, goal: &str) -> Value {
        json!({"trigger": "reintegrate", "reintegration": plan(goal)})
    }

    /// A process of somebody assisted.
    fn assisted(&self, world: &World) -> String {
        let path = self.identified(world);
        self.service(world);
        done(world, &path, &self.udavit, json!({"trigger": "assist", "effective_on": "2026-03-20", "risk": risk()}));
        path
    }
}

fn detected() -> Value {
    json!({"detection": {"detected_on": "2026-03-14", "channel": "police", "territory": "150101", "indicators": ["debt", "threats"]}})
}

fn reception() -> Value {
    json!({"arrived_at": "2026-03-15T02:40:00.000Z", "language": "qu", "interpreter": true, "rights_explained": true})
}

fn risk() -> Value {
    json!({"level": "high", "evaluated_on": "2026-03-19"})
}

fn plan(goal: &str) -> Value {
    json!({"domains": ["housing", "employment"], "starts_on": "2026-06-01", "ends_on": "2027-06-01", "goal": goal})
}

fn go(world: &World, path: &str, token: &str, body: &Value) -> Answer {
    let tag = world.get(path, token).header("etag");
    world.step(path, token, &tag, body)
}

pub fn done(world: &World, path: &str, token: &str, body: Value) -> Value {
    let moved = go(world, path, token, &body);
    assert_eq!(moved.status, 200, "{body}: {}", moved.text);
    moved.json()
}

fn refused(world: &World, path: &str, token: &str, body: Value) -> Value {
    let answer = go(world, path, token, &body);
    assert_eq!(answer.status, 409, "{body}: {}", answer.text);
    answer.json()["failed_guards"].clone()
}

both! {
fn a_victims_care_goes_from_the_first_signs_to_its_end_each_agency_by_its_own_acts(world) {
    let ward = Ward::new(world, 22);
    let begun = world.post(&ward.list(), &ward.owner, &detected());
    assert_eq!((begun.status, &begun.json()["state"], &begun.json()["protocol_version"]), (201, &json!("detected"), &json!("DS-007-2023-IN")), "{}", begun.text);
    let path = begun.header("location");
    let operation = json!({"operation": "OP-214-2026", "prosecutor_present": true, "record_ref": "ACTA-88-2026"});
    done(world, &path, &ward.police, json!({"trigger": "rescue", "effective_on": "2026-03-14", "rescue": operation}));
    done(world, &path, &ward.police, json!({"trigger": "receive", "effective_on": "2026-03-15", "reception": reception()}));
    assert_eq!(refused(world, &path, &ward.police, json!({"trigger": "identify"})), json!(["actor_not_competent"]));
    done(world, &path, &ward.owner, json!({"trigger": "identify", "effective_on": "2026-03-16"}));
    // Nobody is lodged or assisted without having agreed, nor assisted without a service and a look at the danger.
    let lodging = json!({"trigger": "shelter", "effective_on": "2026-03-17", "placement": {"kind": "refuge", "agency": SHELTER}});
    assert_eq!(refused(world, &path, &ward.udavit, lodging.clone()), json!(["consent_in_force"]));
    let consent = ward.consent(world);
    assert_eq!(done(world, &path, &ward.udavit, lodging)["placements"], json!([{"kind": "refuge", "agency": SHELTER, "from": "2026-03-17", "until": null}]));
    assert_eq!(refused(world, &path, &ward.udavit, json!({"trigger": "assist"})), json!(["risk_evaluated", "service_planned"]));
    let need = ward.service(world);
    let assisted = done(world, &path, &ward.udavit, json!({"trigger": "assist", "effective_on": "2026-03-20", "risk": risk()}));
    assert_eq!((&assisted["needs"], &assisted["risk"]), (&json!([{"state": "planned", "needs": 1}]), &risk()));
    // Another home: the first one ended on the day on which the second began.
    let moved = done(world, &path, &ward.udavit, json!({"trigger": "move", "effective_on": "2026-04-02", "placement": {"kind": "relatives"}}));
    assert_eq!((&moved["state"], &moved["state_since"]), (&json!("assisted"), &json!("2026-03-20")));
    assert_eq!(moved["placements"][0]["until"], "2026-04-02");
    let back = json!({"kind": "home", "country": "PE", "checks": ["family_assessed", "safety_assessed"]});
    done(world, &path, &ward.udavit, json!({"trigger": "return", "effective_on": "2026-05-01", "return_plan": back}));
    done(world, &path, &ward.udavit, json!({"trigger": "reintegrate", "effective_on": "2026-06-01", "reintegration": plan("Vivir por su cuenta")}));
    assert_eq!(refused(world, &path, &ward.udavit, json!({"trigger": "complete"})), json!(["no_open_need"]));
    for trigger in ["start", "meet"] {
        done(world, &need, &ward.owner, json!({"trigger": trigger}));
    }
    let closed = done(world, &path, &ward.udavit, json!({"trigger": "complete", "effective_on": "2026-10-01"}));
    assert_eq!((&closed["state"], &closed["close_reason"], &closed["needs"]), (&json!("closed"), &json!("goals_met"), &json!([{"state": "met", "needs": 1}])));
    assert_eq!(closed["placements"][1]["until"], "2026-10-01");
    // The times are kept: when each counts from, whose act it was, who registered it.
    let log = world.get(&format!("{path}/transitions"), &ward.owner).json();
    let steps: Vec<String> = log["items"].as_array().unwrap().iter()
        .map(|t| ["effective_on", "from", "to", "actor", "agency"].map(|k| t[k].as_str().unwrap_or("-").to_owned()).join(" ")).collect();
    assert_eq!(steps, [
        "2026-03-14 detected rescued police PE-PNP-DIRCTPTIM", "2026-03-15 rescued first_response police PE-PNP-DIRCTPTIM",
        "2026-03-16 first_response identified prosecutor PE-MP-FISTRAP-LIMA", "2026-03-17 identified sheltered victim_support PE-MP-UDAVIT",
        "2026-03-20 sheltered assisted victim_support PE-MP-UDAVIT", "2026-04-02 assisted assisted victim_support PE-MP-UDAVIT",
        "2026-05-01 assisted returning victim_support PE-MP-UDAVIT", "2026-06-01 returning reintegrating victim_support PE-MP-UDAVIT",
        "2026-10-01 reintegrating closed victim_support PE-MP-UDAVIT",
    ]);
    let history = world.get(&format!("{path}/history"), &ward.owner).json();
    assert_eq!(history["items"].as_array().unwrap().len(), 10);
    // A relapse: it is taken up again, on a consent that still holds.
    assert_eq!(world.patch(&path, &ward.owner, &world.get(&path, &ward.owner).header("etag"), &json!({"risk": null})).json()["failed_guards"], json!(["ended"]));
    let tag = world.get(&consent, &ward.owner).header("etag");
    assert_eq!(world.step(&consent, &ward.owner, &tag, &json!({"trigger": "withdraw", "reason": "Ya no lo desea."})).status, 200);
    let again = json!({"trigger": "re_enter", "reason": "Volvió a pedir ayuda."});
    assert_eq!(refused(world, &path, &ward.udavit, again.clone()), json!(["consent_in_force"]));
    ward.consent(world);
    assert_eq!(done(world, &path, &ward.udavit, again)["state"], "assisted");
}

fn help_is_not_forced_and_whoever_declines_is_asked_again(world) {
    let ward = Ward::new(world, 22);
    let path = ward.identified(world);
    let bare = go(world, &path, &ward.udavit, &json!({"trigger": "decline", "effective_on": "2026-03-17"}));
    assert_eq!(bare.faults(), ["#/next_follow_up_on: required"]);
    let early = go(world, &path, &ward.udavit, &json!({"trigger": "decline", "effective_on": "2026-03-17", "next_follow_up_on": "2026-03-17"}));
    assert_eq!(early.faults(), ["#/next_follow_up_on: date_order"]);
    done(world, &path, &ward.udavit, json!({"trigger": "decline", "effective_on": "2026-03-17", "next_follow_up_on": "2026-04-17"}));
    assert_eq!(refused(world, &path, &ward.owner, json!({"trigger": "shelter", "placement": {"kind": "refuge"}})), json!(["no_such_transition"]));
    let asked = done(world, &path, &ward.udavit, json!({"trigger": "follow_up", "effective_on": "2026-04-17", "next_follow_up_on": "2026-05-17"}));
    assert_eq!((&asked["state"], &asked["state_since"], &asked["next_follow_up_on"]), (&json!("declined"), &json!("2026-03-17"), &json!("2026-05-17")));
    ward.consent(world);
    ward.service(world);
    let taken = done(world, &path, &ward.udavit, json!({"trigger": "assist", "risk": risk()}));
    assert_eq!((&taken["state"], &taken["next_follow_up_on"]), (&json!("assisted"), &Value::Null));
}

fn a_minor_is_protected_without_a_consent_and_never_sent_back_without_a_determination(world) {
    let ward = Ward::new(world, 15);
    let path = ward.assisted(world);
    let back = json!({"kind": "repatriation", "country": "BO", "escort": "consular_staff", "checks": ["family_assessed"]});
    let sent = json!({"trigger": "return", "return_plan": back});
    assert_eq!(refused(world, &path, &ward.udavit, sent.clone()), json!(["best_interest_determined"]));
    let mut unwritten = sent.clone();
    unwritten["best_interest"] = json!("así conviene");
    assert_eq!(go(world, &path, &ward.udavit, &unwritten).faults(), ["#/best_interest: pattern"]);
    let mut determined = sent;
    determined["best_interest"] = json!("DIS-31-2026");
    assert_eq!(done(world, &path, &ward.udavit, determined)["best_interest"], "DIS-31-2026");
}

fn a_person_has_one_care_that_goes_on_and_whoever_died_has_none_again(world) {
    let ward = Ward::new(world, 22);
    let path = ward.identified(world);
    let second = world.post(&ward.list(), &ward.udavit, &detected());
    assert_eq!((second.status, &second.json()["failed_guards"]), (409, &json!(["care_under_way"])));
    let faults = go(world, &path, &ward.owner, &json!({"trigger": "close"})).faults();
    assert_eq!(faults, ["#/close_reason: required", "#/reason: required"]);
    let unknown = go(world, &path, &ward.owner, &json!({"trigger": "close", "close_reason": "tired", "reason": "Sin más."}));
    assert_eq!(unknown.faults(), ["#/close_reason: enum"]);
    done(world, &path, &ward.owner, json!({"trigger": "close", "close_reason": "died", "reason": "Acta de defunción."}));
    ward.consent(world);
    ward.service(world);
    let again = json!({"trigger": "re_enter", "risk": risk(), "reason": "Por error."});
    assert_eq!(refused(world, &path, &ward.udavit, again), json!(["not_closed_as"]));
    // A second process may begin, and then the first one stays where it is.
    let next = ward.begin(world);
    assert_ne!(next, path);
    assert_eq!(world.get(&ward.list(), &ward.owner).json()["items"].as_array().unwrap().len(), 2);
    let key = unique();
    let other = Ward::new(world, 30);
    let key = [("Idempotency-Key", key.as_str())];
    let [once, twice] = [(), ()].map(|()| world.post_with(&other.list(), &other.owner, &key, &detected()));
    assert_eq!((once.header("location"), "true"), (twice.header("location"), twice.header("idempotency-replayed").as_str()));
}

fn whoever_was_never_identified_does_not_come_back_into_assistance(world) {
    let ward = Ward::new(world, 22);
    let path = ward.begin(world);
    done(world, &path, &ward.owner, json!({"trigger": "close", "close_reason": "lost_contact", "reason": "No volvió."}));
    ward.consent(world);
    ward.service(world);
    let again = json!({"trigger": "re_enter", "risk": risk(), "reason": "Apareció."});
    assert_eq!(refused(world, &path, &ward.udavit, again), json!(["reached"]));
    assert_eq!(world.get(&ward.begin(world), &ward.owner).json()["state"], "detected", "it begins anew, and is identified first");
}

fn care_is_seen_with_the_help_of_a_victim_and_by_nobody_else(world) {
    let ward = Ward::new(world, 22);
    let path = ward.begin(world);
    let token = |agency: &str, purpose| world.token(agency, &format!("{ALL} {HELP}"), purpose);
    let (stranger, narrow, oversight) = (token("NGO-CHS", Purpose::Assistance), token(SHELTER, Purpose::Assistance), token("PE-DP", Purpose::Oversight));
    let parts = ["", "/transitions", "/transitions/available", "/history"];
    for part in parts {
        assert_eq!(world.get(&format!("{path}{part}"), &stranger).status, 404, "{part}");
    }
    assert_eq!((world.get(&ward.list(), &stranger).status, world.post(&ward.list(), &stranger, &detected()).status), (404, 404));
    // Victims alone show no care, and do not tell whether there is one.
    ward.share(world, SHELTER, &["victims"]);
    assert_eq!((world.get(&path, &narrow).status, world.post(&ward.list(), &narrow, &detected()).status), (404, 404));
    assert_eq!(world.get(&ward.list(), &narrow).json()["items"], json!([]));
    for part in parts {
        assert_eq!(world.get(&format!("{path}{part}"), &oversight).status, 200, "{part}");
    }
    let tag = world.get(&path, &oversight).header("etag");
    assert_eq!(world.step(&path, &oversight, &tag, &json!({"trigger": "identify"})).code(), "owner_only");
    assert_eq!(world.patch(&path, &oversight, &tag, &json!({"risk": risk()})).code(), "owner_only");
    assert_eq!(world.post(&ward.list(), &oversight, &detected()).code(), "owner_only");
    // The victim's report of looks has them, and the feed tells those who see it.
    let looks = world.get(&format!("/v1/victims/{}/disclosures", ward.victim), &ward.owner).json();
    assert!(looks["items"].as_array().unwrap().iter().any(|l| l["what"] == "victim_care"), "{looks}");
    let can: Vec<Value> = world.get(&format!("{path}/transitions/available"), &ward.police).json()["items"].as_array().unwrap().clone();
    let said: Vec<String> = can.iter().map(|t| format!("{} {} {}", t["trigger"].as_str().unwrap(), t["to"].as_str().unwrap(), t["failed_guards"])).collect();
    assert_eq!(said, ["rescue rescued []", "receive first_response []", "close closed [\"actor_not_competent\"]"]);
}

fn what_is_part_of_a_care_is_about_the_victim_and_shown_to_those_who_see_it(world) {
    let ward = Ward::new(world, 22);
    let path = ward.begin(world);
    let last = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let need = ward.service(world);
    let sent = world.post("/v1/referrals", &ward.owner, &json!({"case_id": last(&ward.case), "kind": "communication", "to_agency": SHELTER, "victims": [ward.victim],
        "sections": ["victims"], "purpose": "assistance", "legal_basis": "statutory_duty"}));
    assert_eq!(sent.status, 201, "{}", sent.text);
    let measure = world.post(&format!("{}/measures", ward.case), &ward.owner, &json!({"kind": "protective", "type": "concealment", "victim_id": ward.victim, "requested_by": "victim"}));
    assert_eq!(measure.status, 201, "{}", measure.text);
    let elsewhere = Ward::new(world, 30).service(world);
    let link = |kind: &str, id: String| json!({"kind": kind, "resource_id": id});
    let wanted = json!({"links": [link("assistance", last(&need)), link("referral", last(&sent.header("location"))), link("measure", last(&measure.header("location")))]});
    let tag = || world.get(&path, &ward.owner).header("etag");
    let foreign = world.patch(&path, &ward.owner, &tag(), &json!({"links": [link("assistance", last(&elsewhere)), link("reunification", last(&need)), link("referral", uuid::Uuid::new_v4().to_string())]}));
    assert_eq!(foreign.faults(), ["#/links/0/resource_id: reference_not_found", "#/links/1/resource_id: reference_not_found", "#/links/2/resource_id: reference_not_found"]);
    let mut twice = wanted.clone();
    twice["links"].as_array_mut().unwrap().push(wanted["links"][0].clone());
    assert_eq!(world.patch(&path, &ward.owner, &tag(), &twice).faults(), ["#/links/3: unique_items"]);
    let linked = world.patch(&path, &ward.owner, &tag(), &wanted);
    assert_eq!((linked.status, &linked.json()["links"], &linked.json()["redacted"]), (200, &wanted["links"], &json!([])), "{}", linked.text);
    // The draft is its sender's; the measure is seen with the victim.
    let seen = world.get(&path, &ward.udavit);
    assert_eq!((&seen.json()["links"][1], &seen.json()["redacted"]), (&json!({"kind": "referral", "resource_id": null}), &json!(["#/links/1/resource_id"])));
    assert_ne!(seen.header("etag"), linked.header("etag"), "another representation has another tag");
    // Who may not name it may still leave it where it is.
    let moved = done(world, &path, &ward.police, json!({"trigger": "receive", "reception": reception(), "links": [link("assistance", last(&need))]}));
    assert_eq!(moved["links"].as_array().unwrap().len(), 3);
    // A need that moves is another answer, though the process has not changed.
    let before = world.get(&path, &ward.owner);
    done(world, &need, &ward.owner, json!({"trigger": "start"}));
    let after = world.send("GET", &path, Some(&ward.owner), &[("If-None-Match", &before.header("etag"))], b"");
    assert_eq!((after.status, &after.json()["version"], &after.json()["needs"]), (200, &before.json()["version"], &json!([{"state": "in_progress", "needs": 1}])));
}

fn the_funnel_of_care_counts_each_victim_once_and_only_for_those_who_see_the_help(world) {
    let ward = Ward::new(world, 22);
    ward.assisted_after_consent(world);
    let other = Ward::new(world, 30);
    let path = other.begin(world);
    done(world, &path, &other.police, json!({"trigger": "receive", "reception": reception()}));
    Ward::new(world, 40);
    crate::statistics::settled(world);
    let count = |agency: &str, query: &str| {
        let purpose = if agency == "PE-DP" { Purpose::Oversight } else { Purpose::Statistics };
        let token = world.token(agency, "statistics:read", purpose);
        let body = world.get(&format!("/v1/statistics/victims?{query}"), &token).json();
        let cell = |c: &Value| format!("{} {}", c["values"][0].as_str().unwrap_or("all"), c["count"]);
        (body["total"].as_u64().unwrap(), body["items"].as_array().unwrap().iter().map(cell).collect::<Vec<_>>())
    };
    let funnel = (3, ["assisted 1", "detected 2", "first_response 2", "identified 1", "not_recorded 1"].map(str::to_owned).to_vec());
    assert_eq!(count("PE-DP", "by=care_reached"), funnel);
    assert_eq!(count(OWNER, "by=care_reached"), funnel);
    assert_eq!(count(UDAVIT, "by=care_state"), (3, ["assisted 1", "first_response 1", "not_recorded 1"].map(str::to_owned).to_vec()));
    assert_eq!(count(UDAVIT, "care_reached=identified").0, 1);
    // An agency that was granted the victims alone counts them, and nothing of their care.
    for ward in [&ward, &other] {
        ward.share(world, SHELTER, &["victims"]);
    }
    crate::statistics::settled(world);
    assert_eq!(count(SHELTER, "by=sex").0, 2);
    assert_eq!(count(SHELTER, "by=care_state"), (0, Vec::new()));
    assert_eq!(count(SHELTER, "by=sex&care_reached=detected").0, 0);
}

fn a_request_about_care_is_told_every_fault_and_days_keep_their_order(world) {
    let ward = Ward::new(world, 22);
    let bad = json!({"detection": {"detected_on": "2026-03-14", "channel": "pigeon", "territory": "99", "indicators": ["debt", "debt", "mood"]}, "risk": {"level": "huge", "evaluated_on": "2099-01-01"}});
    assert_eq!(world.post(&ward.list(), &ward.owner, &bad).faults(), [
        "#/detection/channel: enum", "#/detection/indicators/1: unique_items", "#/detection/indicators/2: enum", "#/detection/territory: enum",
        "#/risk/evaluated_on: date_order", "#/risk/level: enum",
    ]);
    let early = json!({"detection": {"detected_on": "2006-12-31", "channel": "police"}});
    assert_eq!(world.post(&ward.list(), &ward.owner, &early).faults(), ["#/detection/detected_on: date_order"], "no protocol was in force");
    let abroad = json!({"jurisdiction": "QQ", "detection": {"detected_on": "2026-03-14", "channel": "police"}});
    assert_eq!(world.post(&ward.list(), &ward.owner, &abroad).faults(), ["#/jurisdiction: enum"]);
    let old = json!({"detection": {"detected_on": "2012-08-15", "channel": "police"}});
    let made = world.post(&ward.list(), &ward.owner, &old);
    assert_eq!(made.json()["protocol_version"], "LEY-28950", "the law of its day");
    let path = made.header("location");
    for day in ["2012-08-14", "2099-01-01"] {
        let moved = go(world, &path, &ward.police, &json!({"trigger": "receive", "effective_on": day, "reception": reception()}));
        assert_eq!(moved.faults(), ["#/effective_on: date_order"], "{day}");
    }
    let late = json!({"trigger": "receive", "reception": {"arrived_at": "2099-01-01T00:00:00.000Z", "language": "quechua", "interpreter": false, "rights_explained": false}, "close_reason": "died"});
    assert_eq!(go(world, &path, &ward.police, &late).faults(), ["#/close_reason: cross_field", "#/reception/arrived_at: date_order", "#/reception/language: pattern"]);
    assert_eq!(go(world, &path, &ward.police, &json!({"trigger": "teleport"})).json()["failed_guards"], json!(["no_such_transition"]));
    let tag = world.get(&path, &ward.owner).header("etag");
    let lost = world.patch(&path, &ward.owner, &tag, &json!({"reintegration": {"domains": [], "starts_on": "2026-06-01", "ends_on": "2026-05-01"}, "best_interest": "?"}));
    assert_eq!(lost.faults(), ["#/best_interest: pattern", "#/reintegration/domains: min_items", "#/reintegration/ends_on: date_order"]);
    let law = world.send("GET", "/v1/catalogues/care-protocols?on=2020-01-01", None, &[("Accept-Language", "en")], b"").json();
    assert_eq!((law["items"].as_array().unwrap().len(), &law["items"][0]["version"], &law["items"][0]["states"][4]["label"]), (1, &json!("DS-005-2016-IN"), &json!("sheltered")));
}
}
