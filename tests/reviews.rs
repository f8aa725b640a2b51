//! What fell due, on the desks of those who decide: kept, restricted, forgotten, come of age.

use chrono::{Days, Months, NaiveDate};
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::policy::together;
use sistra::kernel::Timestamp;
use sistra::retention::run::Outcome;

use crate::both;
use crate::imports::ended;
use crate::retention::{archived, archived_on, kept, outcomes};
use crate::support::{Answer, World, case};

const LIMA: &str = "PE-MP-FISTRAP-LIMA";
const GUEST: &str = "PE-MIMP-INABIF";
const WHY: &str = "La sala pidió el expediente para un caso conexo.";

fn desk(world: &World) -> String {
    world.token(LIMA, &together().join(" "), Purpose::Investigation)
}

fn reviews(world: &World, token: &str, query: &str) -> Vec<Value> {
    let answer = world.get(&format!("/v1/retention-reviews{query}"), token);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

/// The path of the caller's last review by a rule.
fn review(world: &World, token: &str, rule: &str) -> String {
    let all = reviews(world, token, "");
    let last = all.iter().rev().find(|r| r["rule"] == rule).unwrap_or_else(|| panic!("{rule}: {all:?}"));
    format!("/v1/retention-reviews/{}", last["id"].as_str().unwrap())
}

fn decide(world: &World, token: &str, path: &str, body: &Value) -> Answer {
    let etag = match world.get(path, token).header("etag") {
        unseen if unseen.is_empty() => "\"1.v\"".to_owned(),
        etag => etag,
    };
    world.step(path, token, &etag, body)
}

fn guards(answer: &Answer) -> Value {
    assert_eq!(answer.status, 409, "{}", answer.text);
    answer.json()["failed_guards"].clone()
}

fn id(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn today() -> NaiveDate {
    Timestamp::now().date()
}

/// A day that is to come.
pub fn in_days(days: u64) -> String {
    (today() + Days::new(days)).to_string()
}

fn referral(case: &str) -> Value {
    json!({"case_id": case, "kind": "communication", "to_agency": "PE-MIMP-AURORA", "sections": ["narrative"],
        "purpose": "investigation", "legal_basis": "statutory_duty"})
}

both! {
fn what_fell_due_lies_on_the_desks_of_owner_and_oversight_and_falls_due_again_on_the_day_until_which_it_is_kept(world) {
    let desk = desk(world);
    let guest = world.token(GUEST, &together().join(" "), Purpose::Assistance);
    let stranger = world.token("PE-MP-FISTRAP-PIURA", &together().join(" "), Purpose::Investigation);
    let ombudsman = world.token("PE-DP", "retention:read retention:decide", Purpose::Oversight);
    // Archived seventy months ago, so that what five years bring is due, and what ten bring is not.
    let (reported, ended) = (today() - Months::new(71), today() - Months::new(70));
    let mut new = case();
    new["reported_at"] = format!("{reported}T15:30:00.000Z").into();
    new["facts_from"] = Value::Null;
    new["charges"] = json!([]);
    let (path, victim, accused) = archived_on(world, &desk, &new, &ended.to_string());
    let due_on = (ended + Months::new(60)).to_string();
    kept(world, &in_days(0), false);
    for token in [&desk, &ombudsman] {
        let mut all = reviews(world, token, "");
        all.sort_by_key(|r| r["rule"].to_string());
        let shown: Vec<Value> = all.iter().map(|r| json!([r["rule"], r["class"], r["state"], r["case_id"], r["victim_id"], r["accused_id"], r["due_on"], r["triggers"]])).collect();
        assert_eq!(shown, [
            json!(["PE-RET-01", "case", "open", id(&path), null, null, due_on, ["keep", "restrict"]]),
            json!(["PE-RET-05", "victim", "open", null, victim, null, due_on, ["keep", "erase"]]),
            json!(["PE-RET-07", "accused", "erasure_proposed", null, null, accused, due_on, []]),
        ]);
        assert_eq!((reviews(world, token, "?open=true").len(), reviews(world, token, "?open=false").len()), (2, 1));
    }
    let of_case = review(world, &desk, "PE-RET-01");
    // A participant sees the case, and not that it is due; to a stranger nothing is there.
    let keep = |until: &str| json!({"trigger": "keep", "until": until, "reason": WHY});
    for token in [&guest, &stranger] {
        assert_eq!(reviews(world, token, ""), [] as [Value; 0]);
        assert_eq!(world.get(&of_case, token).status, 404);
        assert_eq!(decide(world, token, &of_case, &keep(&in_days(30))).status, 404);
    }
    assert_eq!(decide(world, &desk, &of_case, &json!({"trigger": "keep", "reason": "corto"})).faults(), ["#/reason: min_length", "#/until: required"]);
    assert_eq!(decide(world, &desk, &of_case, &keep("2020-01-01")).faults(), ["#/until: date_order"]);
    assert_eq!(decide(world, &desk, &of_case, &keep(&(today() + Months::new(61)).to_string())).faults(), ["#/until: maximum"], "no longer than the rule itself gives");
    assert_eq!(decide(world, &desk, &of_case, &json!({"trigger": "restrict", "until": in_days(30), "reason": WHY})).faults(), ["#/until: cross_field"]);
    for wrong in ["erase", "lift", "of_age"] {
        assert_eq!(guards(&decide(world, &world.token(LIMA, "retention:read retention:decide shred:propose", Purpose::Prosecution), &of_case, &json!({"trigger": wrong, "until": in_days(30), "reason": WHY}))), json!(["no_such_transition"]), "{wrong}");
    }
    let done = decide(world, &desk, &of_case, &keep(&in_days(30)));
    assert_eq!((done.status, &done.json()["state"], &done.json()["keep_until"], &done.json()["decided_by"], &done.json()["reason"]),
        (200, &json!("kept"), &json!(in_days(30)), &json!(LIMA), &json!(WHY)), "{}", done.text);
    assert_eq!(guards(&decide(world, &desk, &of_case, &keep(&in_days(60)))), json!(["no_such_transition"]));
    assert_eq!(reviews(world, &ombudsman, "?open=true").len(), 1);
    let case_due = |day: &str, dry| outcomes(&kept(world, day, dry)).into_iter().find(|(rule, _)| rule == "PE-RET-01").unwrap().1;
    assert_eq!(case_due(&in_days(29), false), Outcome::DoneBefore);
    assert_eq!(case_due(&in_days(30), true), Outcome::Due);
    assert_eq!(case_due(&in_days(30), false), Outcome::ToReview);
    assert_eq!(case_due(&in_days(30), false), Outcome::DoneBefore);
    let again = review(world, &desk, "PE-RET-01");
    assert_ne!(again, of_case);
    assert_eq!((&world.get(&again, &desk).json()["state"], &world.get(&again, &desk).json()["due_on"]), (&json!("open"), &json!(in_days(30))));
    // Oversight decides too; the same request again does nothing more.
    let etag = world.get(&again, &ombudsman).header("etag");
    let once = |token: &str| world.send("POST", &format!("{again}/transitions"), Some(token), &[("Content-Type", "application/json"), ("If-Match", &etag), ("Idempotency-Key", "once-and-no-more-than-once")], keep(&in_days(90)).to_string().as_bytes());
    let (first, second) = (once(&ombudsman), once(&ombudsman));
    assert_eq!((first.status, second.status, second.header("idempotency-replayed").as_str()), (200, 200, "true"), "{}", first.text);
    assert_eq!(first.json()["version"], second.json()["version"]);
}

fn a_restricted_case_is_shared_referred_and_taken_out_no_more_until_a_review_lifts_it(world) {
    let desk = desk(world);
    let guest = world.token(GUEST, "cases:read victims:read", Purpose::Assistance);
    let helper = world.token("PE-MIMP-AURORA", "cases:read referrals:read referrals:decide", Purpose::Assistance);
    let ombudsman = world.token("PE-DP", "cases:read retention:read", Purpose::Oversight);
    let (path, ..) = archived(world, &desk);
    let draft = || world.post("/v1/referrals", &desk, &referral(id(&path)));
    let [written, sent, taken] = [draft(), draft(), draft()];
    for one in [&sent, &taken] {
        assert_eq!(one.status, 201, "{}", one.text);
        assert_eq!(world.step(&one.header("location"), &desk, &one.header("etag"), &json!({"trigger": "send"})).status, 200);
    }
    let accepted = world.get(&taken.header("location"), &helper);
    let accepted = world.step(&taken.header("location"), &helper, &accepted.header("etag"), &json!({"trigger": "accept"}));
    assert_eq!(accepted.status, 200, "{}", accepted.text);
    assert_eq!(world.get(&path, &helper).status, 200);
    // A date alone shuts nobody out who works with it: the schedule asks somebody.
    let ten = kept(world, "2036-03-20", false);
    assert!(outcomes(&ten).contains(&("PE-RET-02".to_owned(), Outcome::ToReview)), "{ten:?}");
    let of_case = review(world, &desk, "PE-RET-02");
    let restrict = json!({"trigger": "restrict", "reason": WHY});
    let hold = world.post("/v1/legal-holds", &desk, &json!({"case_id": id(&path), "ground": "appeal", "basis": "EXP-1-2026", "reason": "Recurso pendiente."}));
    assert_eq!(world.get(&of_case, &desk).json()["blocked_by"], json!(["legal_hold"]));
    assert_eq!(guards(&decide(world, &desk, &of_case, &restrict)), json!(["legal_hold"]));
    let lifted = world.step(&hold.header("location"), &desk, &hold.header("etag"), &json!({"trigger": "lift", "reason": "El recurso fue resuelto."}));
    assert_eq!(lifted.status, 200, "{}", lifted.text);
    let done = decide(world, &desk, &of_case, &restrict);
    assert_eq!((done.status, &done.json()["state"], &done.json()["triggers"]), (200, &json!("restricted"), &json!(["lift"])), "{}", done.text);
    for token in [&guest, &helper] {
        assert_eq!(world.get(&path, token).status, 404);
    }
    for token in [&desk, &ombudsman] {
        let shown = world.get(&path, token).json();
        assert!(shown["restricted_since"].is_string(), "{shown}");
    }
    // What was open says why it ended, to its receiver too.
    for one in [&written, &sent, &taken] {
        assert_eq!(world.get(&one.header("location"), &desk).json()["state"], "revoked");
        let moves = world.get(&format!("{}/transitions", one.header("location")), &desk).json()["items"].clone();
        assert_eq!(moves.as_array().unwrap().last().unwrap()["reason"], "case_restricted");
    }
    let share = json!({"agency": GUEST, "role": "victim_care", "sections": ["victims"]});
    assert_eq!(guards(&world.post(&format!("{path}/participants"), &desk, &share)), json!(["case_restricted"]));
    assert_eq!(guards(&draft()), json!(["case_restricted"]));
    let open = world.post("/v1/cases", &desk, &case());
    let order = json!({"types": ["case", "victim", "referral"]});
    let export = |order: &Value| ended(world, &desk, &world.post("/v1/exports", &desk, order).header("location"));
    let job = export(&order);
    assert_eq!((&job["counts"]["cases"], &job["counts"]["withheld"], &job["counts"]["victims"]), (&json!(1), &json!(4), &json!(1)), "the case and its three referrals stay here: {job}");
    assert_eq!(open.status, 201);
    // Lifted for a time: others may be let in again, and nobody is by that alone.
    let lift = json!({"trigger": "lift", "until": in_days(200), "reason": WHY});
    let done = decide(world, &desk, &of_case, &lift);
    assert_eq!((done.status, &done.json()["state"], &done.json()["lifted_by"]), (200, &json!("lifted"), &json!(LIMA)), "{}", done.text);
    assert_eq!((world.get(&path, &guest).status, &world.get(&path, &desk).json()["restricted_since"]), (404, &Value::Null));
    assert_eq!(world.post(&format!("{path}/participants"), &desk, &share).status, 201);
    assert_eq!((world.get(&path, &guest).status, draft().status), (200, 201));
    assert_eq!(export(&order)["counts"]["withheld"], Value::Null);
}

fn a_case_that_is_taken_up_again_is_not_restricted(world) {
    let desk = desk(world);
    let (path, ..) = archived(world, &desk);
    kept(world, "2031-03-20", false);
    let of_case = review(world, &desk, "PE-RET-01");
    let moves = world.get(&format!("{path}/transitions/available"), &desk).json()["items"].clone();
    let back = moves.as_array().unwrap().iter().find(|m| m["allowed"] == true).cloned();
    let back = back.unwrap_or_else(|| panic!("{moves}"));
    let act = back["legal_acts"][0].as_str().unwrap_or("disposicion").to_owned();
    let body = json!({"trigger": back["trigger"], "effective_on": "2026-03-25", "legal_act": {"type": act}, "reason": "Hay prueba nueva."});
    let etag = world.get(&path, &desk).header("etag");
    let moved = world.step(&path, &desk, &etag, &body);
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(guards(&decide(world, &desk, &of_case, &json!({"trigger": "restrict", "reason": WHY}))), json!(["open_case"]));
    let keep = json!({"trigger": "keep", "until": in_days(30), "reason": WHY});
    assert_eq!(decide(world, &desk, &of_case, &keep).status, 200);
}

fn a_review_proposes_to_forget_somebody_and_is_open_again_where_that_is_refused(world) {
    let desk = desk(world);
    let asks = world.token(LIMA, "retention:read retention:decide shred:propose", Purpose::Prosecution);
    let ombudsman = world.token("PE-DP", "shred:approve retention:read", Purpose::Oversight);
    let (_, victim, _) = archived(world, &desk);
    kept(world, "2031-03-20", false);
    let due = review(world, &desk, "PE-RET-05");
    let erase = json!({"trigger": "erase", "reason": WHY});
    assert_eq!(decide(world, &desk, &due, &erase).code(), "insufficient_scope", "it takes the scope that proposes");
    let done = decide(world, &asks, &due, &erase);
    assert_eq!((done.status, &done.json()["state"]), (200, &json!("erasure_proposed")), "{}", done.text);
    let erasure = format!("/v1/erasures/{}", done.json()["erasure_id"].as_str().unwrap());
    let proposed = world.get(&erasure, &ombudsman).json();
    assert_eq!((&proposed["victim_id"], &proposed["ground"], &proposed["basis"], &proposed["reason"]), (&json!(victim), &json!("retention_over"), &json!("PE-RET-05"), &json!(WHY)));
    assert_eq!(decide(world, &ombudsman, &erasure, &json!({"trigger": "reject", "reason": "Falta oír a la persona."})).status, 200);
    let open = world.get(&due, &asks).json();
    assert_eq!((&open["state"], &open["erasure_id"]), (&json!("open"), &Value::Null));
    assert!(reviews(world, &ombudsman, "?open=true").iter().any(|r| r["id"] == open["id"]));
    let done = decide(world, &asks, &due, &erase);
    let erasure = format!("/v1/erasures/{}", done.json()["erasure_id"].as_str().unwrap());
    let approved = decide(world, &ombudsman, &erasure, &json!({"trigger": "approve"}));
    assert_eq!((approved.status, &approved.json()["state"]), (200, &json!("executed")), "{}", approved.text);
    let gone = world.get(&due, &asks).json();
    assert_eq!((&gone["state"], &gone["reason"], &gone["redacted"], &gone["triggers"]), (&json!("erased"), &Value::Null, &json!(["#/reason"]), &json!([])));
}

fn a_minor_comes_of_age_by_a_review_and_not_by_the_calendar_alone(world) {
    let desk = desk(world);
    let mut new = case();
    let person = |label: &str, age: Value, birth: Value| json!({"label": label, "sex": "female", "age_at_identification": age, "acts": ["recruit"],
        "means": ["deception"], "purposes": ["sexual_exploitation"], "identity": {"given_names": label, "birth_date": birth}});
    new["victims"] = json!([person("v1", json!(16), json!("2010-05-10")), person("v2", Value::Null, Value::Null), person("v3", json!(30), json!("1996"))]);
    new["charges"] = json!([]);
    let made = world.post("/v1/cases", &desk, &new);
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location");
    let listed = world.get(&format!("{path}/victims"), &desk).json()["items"].clone();
    let by = |age: Value| listed.as_array().unwrap().iter().find(|v| v["victim"]["age_at_identification"] == age).unwrap()["victim_id"].as_str().unwrap().to_owned();
    let (minor, unknown) = (format!("/v1/victims/{}", by(json!(16))), format!("/v1/victims/{}", by(Value::Null)));
    // The guardian of a minor agrees to a referral.
    let offer = json!({"purposes": ["referral"], "language": "es", "form": "written", "given_by": "guardian"});
    let offered = world.post(&format!("{minor}/consents"), &desk, &offer);
    assert_eq!(offered.status, 201, "{}", offered.text);
    let consent = offered.header("location");
    assert_eq!(world.step(&consent, &desk, &offered.header("etag"), &json!({"trigger": "give"})).status, 200);
    assert_eq!(outcomes(&kept(world, "2028-05-09", false)), [], "a day before the birthday");
    let report = kept(world, "2028-05-10", false);
    assert_eq!(outcomes(&report), [("PE-RET-09".to_owned(), Outcome::ToReview)], "the case goes on, and the age does not wait for it");
    // Until somebody decides, the presumption stands.
    assert_eq!(world.get(&minor, &desk).json()["minor"], json!(true));
    let due = review(world, &desk, "PE-RET-09");
    assert_eq!(world.get(&due, &desk).json()["triggers"], json!(["keep", "of_age"]));
    let done = decide(world, &desk, &due, &json!({"trigger": "of_age", "reason": "La partida de nacimiento obra en autos."}));
    assert_eq!((done.status, &done.json()["state"]), (200, &json!("of_age")), "{}", done.text);
    let grown = world.get(&minor, &desk).json();
    assert_eq!((&grown["minor"], &grown["age_at_identification"], &grown["age_band"]), (&json!(false), &json!(16), &json!("age_13_17")), "what the crime was stays");
    assert!(grown["of_age_since"].is_string());
    // From here on she answers for herself: her guardian's word carries nothing new.
    assert_eq!(world.get(&consent, &desk).json()["state"], "expired");
    assert_eq!(world.post(&format!("{minor}/consents"), &desk, &offer).faults(), ["#/given_by: cross_field"]);
    assert_eq!(world.get(&format!("{minor}/identity"), &desk).status, 200, "whoever sees the identity by the case sees it still");
    // Of unknown age: a minor for eighteen years, and then until somebody looks.
    let today = world.get(&unknown, &desk).json()["created_at"].as_str().unwrap()[..10].to_owned();
    let year = today[..4].parse::<i32>().unwrap() + 18;
    let due_on = format!("{year}{}", &today[4..]);
    let before = due_on.parse::<chrono::NaiveDate>().unwrap().pred_opt().unwrap();
    assert_eq!(outcomes(&kept(world, &before.to_string(), true)).iter().filter(|(_, outcome)| *outcome == Outcome::Due).count(), 0);
    assert_eq!(outcomes(&kept(world, &due_on, true)).iter().filter(|(_, outcome)| *outcome == Outcome::Due).count(), 1);
}
}
