//! The retention schedule: what falls due, what becomes of it, and that nobody is erased by it alone.

use std::sync::Arc;

use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::policy::together;
use sistra::catalogue::Catalogue;
use sistra::kernel::Timestamp;
use sistra::retention::run::{Outcome, Report, Run, run};

use crate::both;
use crate::support::{World, case};

const LIMA: &str = "PE-MP-FISTRAP-LIMA";

/// A case archived on 20 March 2026 and shared with a guest; answers path, victim, accused.
pub fn archived(world: &World, desk: &str) -> (String, String, String) {
    archived_on(world, desk, &case(), "2026-03-20")
}

/// The same of another case, on another day.
pub fn archived_on(world: &World, desk: &str, case: &Value, day: &str) -> (String, String, String) {
    let mut new = case.clone();
    new["victims"][0]["identity"] = json!({"given_names": "Rosa"});
    let made = world.post("/v1/cases", desk, &new);
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location");
    let share = json!({"agency": "PE-MIMP-INABIF", "role": "victim_care", "sections": ["victims"]});
    assert_eq!(world.post(&format!("{path}/participants"), desk, &share).status, 201);
    let body = json!({"trigger": "reject_outright", "effective_on": day, "legal_act": {"type": "disposicion"}});
    let etag = world.get(&path, desk).header("etag");
    assert_eq!(world.step(&path, desk, &etag, &body).status, 200);
    let id = |list: &str, key: &str| {
        world.get(&format!("{path}/{list}"), desk).json()["items"][0][key].as_str().unwrap().to_owned()
    };
    let (victim, accused) = (id("victims", "victim_id"), id("accused", "id"));
    (path, victim, accused)
}

pub fn kept(world: &World, as_of: &str, dry: bool) -> Report {
    let law = Arc::new(Catalogue::embedded().unwrap());
    let store = &world.running.as_ref().unwrap().store;
    run(store, &law, Run { as_of: as_of.parse().unwrap(), dry, now: Timestamp::now() }, |_| ()).unwrap()
}

pub fn outcomes(report: &Report) -> Vec<(String, Outcome)> {
    let mut all: Vec<_> = report.items.iter().map(|item| (item.rule.clone(), item.outcome)).collect();
    all.sort();
    all
}

both! {
fn what_falls_due_is_reviewed_restricted_or_proposed_and_never_erased_by_the_schedule_alone(world) {
    let desk = world.token(LIMA, &together().join(" "), Purpose::Investigation);
    let guest = world.token("PE-MIMP-INABIF", "cases:read victims:read", Purpose::Assistance);
    let ombudsman = world.token("PE-DP", "shred:approve cases:read", Purpose::Oversight);
    let (path, victim, accused) = archived(world, &desk);
    let open = world.post("/v1/cases", &desk, &case());
    assert_eq!(open.status, 201);
    assert_eq!(outcomes(&kept(world, "2031-03-19", true)), [], "a day too early");
    let due = |rule: &str, outcome| (rule.to_owned(), outcome);
    let five = [due("PE-RET-01", Outcome::Due), due("PE-RET-05", Outcome::Due), due("PE-RET-07", Outcome::Due)];
    let dry = kept(world, "2031-03-20", true);
    assert_eq!((outcomes(&dry), dry.run_id, dry.cases), (five.to_vec(), None, 2), "the open case keeps its persons");
    assert_eq!(outcomes(&kept(world, "2031-03-20", true)), five, "a dry run leaves nothing behind");
    let done = kept(world, "2031-03-20", false);
    assert_eq!(outcomes(&done), [due("PE-RET-01", Outcome::ToReview), due("PE-RET-05", Outcome::ToReview), due("PE-RET-07", Outcome::ErasureProposed)]);
    assert!(done.run_id.is_some());
    let again = kept(world, "2031-03-20", false);
    assert!(again.items.iter().all(|item| item.outcome == Outcome::DoneBefore), "{again:?}");
    // The guest is shut out only where access is restricted.
    assert_eq!(world.get(&path, &guest).status, 200);
    let ten = kept(world, "2036-03-20", false);
    assert!(outcomes(&ten).contains(&due("PE-RET-02", Outcome::Restricted)) && outcomes(&ten).contains(&due("PE-RET-06", Outcome::ErasureProposed)), "{ten:?}");
    assert_eq!(world.get(&path, &guest).status, 404);
    for token in [&desk, &ombudsman] {
        assert_eq!(world.get(&path, token).status, 200);
    }
    // Somebody must agree still: what the schedule proposed was nobody's idea at the agency, so one of its own may.
    assert_eq!(world.get(&format!("/v1/victims/{victim}/identity"), &desk).status, 200);
    let waiting = world.get("/v1/erasures?open=true", &ombudsman).json()["items"].clone();
    let of = |key: &str, id: &str| -> Value { waiting.as_array().unwrap().iter().find(|e| e[key] == json!(id)).unwrap().clone() };
    let (harmed, suspected) = (of("victim_id", &victim), of("accused_id", &accused));
    assert_eq!((&harmed["ground"], &harmed["basis"], &suspected["basis"]), (&json!("retention_over"), &json!("PE-RET-06"), &json!("PE-RET-07")));
    let erasure = format!("/v1/erasures/{}", harmed["id"].as_str().unwrap());
    let decides = world.token(LIMA, "shred:approve", Purpose::Prosecution);
    let etag = world.get(&erasure, &decides).header("etag");
    let approved = world.step(&erasure, &decides, &etag, &json!({"trigger": "approve"}));
    assert_eq!((approved.status, &approved.json()["state"]), (200, &json!("executed")), "{}", approved.text);
    assert_eq!(world.get(&format!("/v1/victims/{victim}/identity"), &desk).status, 410);
    assert!(kept(world, "2036-03-20", true).items.iter().all(|item| item.class != "victim"), "who is forgotten is due no more");
}

fn a_hold_keeps_what_is_due_and_a_merged_person_is_met_once(world) {
    let desk = world.token(LIMA, &together().join(" "), Purpose::Investigation);
    let (path, away, _) = archived(world, &desk);
    let (_, into, _) = archived(world, &desk);
    let etag = world.get(&format!("/v1/victims/{away}"), &desk).header("etag");
    let merge = json!({"trigger": "merge", "into": into, "evidence": ["double_entry"], "reason": "La misma ficha dos veces."});
    assert_eq!(world.step(&format!("/v1/victims/{away}"), &desk, &etag, &merge).status, 200);
    let hold = json!({"case_id": path.rsplit('/').next(), "ground": "appeal", "basis": "EXP-1-2026", "reason": "Recurso pendiente."});
    let placed = world.post("/v1/legal-holds", &desk, &hold);
    assert_eq!(placed.status, 201, "{}", placed.text);
    let victims = |report: &Report| -> Vec<Outcome> { report.items.iter().filter(|i| i.class == "victim").map(|i| i.outcome).collect() };
    let held = kept(world, "2031-03-20", false);
    assert_eq!(victims(&held), [Outcome::Held], "one person, in both cases, of which one is held");
    assert_eq!(held.items.iter().filter(|i| i.class == "case" && i.outcome == Outcome::Held).count(), 1);
    assert_eq!(held.items.iter().filter(|i| i.class == "case" && i.outcome == Outcome::ToReview).count(), 1);
    let lift = json!({"trigger": "lift", "reason": "El recurso fue resuelto."});
    assert_eq!(world.step(&placed.header("location"), &desk, &placed.header("etag"), &lift).status, 200);
    assert_eq!(victims(&kept(world, "2031-03-20", false)), [Outcome::ToReview], "what was held is done when it is not");
}

fn the_schedule_is_served_with_the_law(world) {
    let answer = world.send("GET", "/v1/catalogues/retention", None, &[("Accept-Language", "en")], b"");
    assert_eq!(answer.status, 200, "{}", answer.text);
    let first = &answer.json()["items"][0];
    assert_eq!((&first["code"], &first["class"], &first["status"], &first["after_months"], &first["action"]),
        (&json!("PE-RET-01"), &json!("case"), &json!("archived"), &json!(60), &json!("review")));
    assert_eq!((&first["label"], &first["verified"]), (&json!("Archived case: review"), &json!(false)));
}
}
