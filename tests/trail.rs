//! What a request leaves behind: the entry of a change in its answer, the emergency in the entries of what was seen through it.

use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::policy::together;

use crate::both;
use crate::support::{ALL, World, case, unique};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const POLICE: &str = "PE-PNP-DIRCTPTIM";
const IDENTITIES: &str = "victims.identity:read accused.identity:read";

fn full(world: &World, agency: &str, purpose: Purpose) -> String {
    let scopes: Vec<&str> = together().into_iter().filter(|s| *s != "break_glass:invoke").collect();
    world.token(agency, &scopes.join(" "), purpose)
}

/// The entry of an id about a record, as oversight reads it.
fn entry(world: &World, oversight: &str, record: &str, id: &str) -> Value {
    let items = world.get(&format!("/v1/audit/entries?resource_id={record}&limit=200"), oversight).json()["items"].clone();
    items
        .as_array()
        .unwrap()
        .iter()
        .find(|e| e["id"] == id)
        .unwrap_or_else(|| panic!("no entry {id} about {record}: {items}"))
        .clone()
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

both! {
fn the_answer_of_a_change_names_its_entry_and_no_other_answer_does(world) {
    let (desk, oversight) = (full(world, OWNER, Purpose::Prosecution), full(world, "PE-DP", Purpose::Oversight));
    let key = [("Idempotency-Key", unique())];
    let key = [("Idempotency-Key", key[0].1.as_str())];
    let made = world.post_with("/v1/cases", &desk, &key, &case());
    let path = made.header("location");
    let opened = entry(world, &oversight, &last(&path), &made.header("audit-event-id"));
    assert_eq!((&opened["type"], &opened["request_id"], &opened["break_glass_id"]), (&json!("case.created"), &json!(made.header("request-id")), &Value::Null));
    let again = world.post_with("/v1/cases", &desk, &key, &case());
    assert_eq!((again.header("idempotency-replayed").as_str(), again.header("audit-event-id").as_str()), ("true", ""), "nothing was written");
    let minimal = world.send("PATCH", &path, Some(&desk), &[("Content-Type", "application/merge-patch+json"), ("If-Match", &made.header("etag")), ("Prefer", "return=minimal")], br#"{"territory": "150101"}"#);
    assert_eq!(minimal.status, 204, "{}", minimal.text);
    assert_eq!(entry(world, &oversight, &last(&path), &minimal.header("audit-event-id"))["type"], "case.updated");
    let stale = world.patch(&path, &desk, &made.header("etag"), &json!({"territory": "150102"}));
    assert_eq!((stale.status, stale.header("audit-event-id").as_str()), (412, ""));
    let now = world.get(&path, &desk);
    assert_eq!(entry(world, &oversight, &last(&path), &now.header("audit-event-id"))["type"], "case.read");
    let moved = world.step(&path, &desk, &now.header("etag"), &json!({"trigger": "open_inquiry", "effective_on": "2026-03-15", "legal_act": {"type": "disposicion"}}));
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(entry(world, &oversight, &last(&path), &moved.header("audit-event-id"))["trigger"], "open_inquiry");
    let refused = world.post("/v1/cases", &desk, &json!({}));
    assert_eq!((refused.status, refused.header("audit-event-id").as_str()), (422, ""));
}

fn an_answer_that_shows_a_record_and_changed_nothing_is_entered_like_a_read(world) {
    let (desk, oversight) = (full(world, OWNER, Purpose::Prosecution), full(world, "PE-DP", Purpose::Oversight));
    let mut new = case();
    new["victims"][0]["identity"] = json!({"given_names": "Rosa"});
    new["accused"][0]["identity"] = json!({"given_names": "Percy"});
    let key = unique();
    let key = [("Idempotency-Key", key.as_str())];
    let path = world.post_with("/v1/cases", &desk, &key, &new).header("location");
    let first = |list: &str, id: &str| world.get(&format!("{path}/{list}"), &desk).json()["items"][0][id].as_str().unwrap().to_owned();
    let (victim, accused) = (first("victims", "victim_id"), first("accused", "id"));
    let looks = |record: &str, what: &str| {
        let page = world.get(&format!("/v1/audit/entries?resource_id={record}&limit=200"), &oversight).json();
        page["items"].as_array().unwrap().iter().filter(|e| e["type"] == what).count()
    };
    let care = world.post(&format!("/v1/victims/{victim}/care-processes"), &desk, &json!({"detection": {"detected_on": "2026-03-14", "channel": "police"}}));
    assert_eq!(care.status, 201, "{}", care.text);
    for (door, record, what) in [
        (care.header("location"), victim.clone(), "victim_care.read"),
        (path.clone(), last(&path), "case.read"),
        (format!("/v1/victims/{victim}"), victim.clone(), "victim.read"),
        (format!("/v1/victims/{victim}/identity"), victim.clone(), "victim_identity.read"),
        (format!("{path}/victims/{victim}"), victim.clone(), "case_victim.read"),
        (format!("/v1/accused/{accused}"), accused.clone(), "accused.read"),
        (format!("/v1/accused/{accused}/identity"), accused.clone(), "accused_identity.read"),
    ] {
        let etag = world.get(&door, &desk).header("etag");
        let before = looks(&record, what);
        let same = world.patch(&door, &desk, &etag, &json!({}));
        assert_eq!((same.status, same.header("etag")), (200, etag), "{door}: {}", same.text);
        assert_eq!(looks(&record, what), before + 1, "{door}");
    }
    let before = looks(&last(&path), "case.read");
    assert_eq!(world.post_with("/v1/cases", &desk, &key, &new).header("idempotency-replayed"), "true");
    assert_eq!(looks(&last(&path), "case.read"), before + 1);
}

fn what_is_seen_through_broken_glass_is_entered_under_the_emergency_and_the_person_s_account_has_it(world) {
    let (desk, oversight) = (full(world, OWNER, Purpose::Prosecution), full(world, "PE-DP", Purpose::Oversight));
    let made = world.post("/v1/cases", &desk, &case());
    let path = made.header("location");
    let victim = world.get(&format!("{path}/victims"), &desk).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    let duty = world.token(POLICE, "break_glass:invoke", Purpose::Protection);
    let reader = world.token(POLICE, &format!("{ALL} {IDENTITIES} audit:read"), Purpose::Protection);
    let own = world.post("/v1/cases", &reader, &case()).header("location");
    let reason = "Fue hallada herida y se necesita saber de quién protegerla.";
    let broken = json!({"case_id": last(&path), "reason_code": "life_at_risk", "reason": reason});
    let glass = world.post("/v1/break-glass", &duty, &broken);
    assert_eq!(glass.status, 201, "{}", glass.text);
    let emergency = glass.json()["id"].clone();
    let begun = entry(world, &oversight, emergency.as_str().unwrap(), &glass.header("audit-event-id"));
    assert_eq!((&begun["type"], &begun["break_glass_id"]), (&json!("break_glass.created"), &Value::Null));
    for (door, about) in [
        (path.clone(), last(&path)), (format!("/v1/victims/{victim}"), victim.clone()), (format!("/v1/victims/{victim}/identity"), victim.clone()),
        (format!("{path}/victims/{victim}"), victim.clone()),
    ] {
        let seen = world.get(&door, &reader);
        assert_eq!(seen.status, 200, "{door}: {}", seen.text);
        assert_eq!(entry(world, &oversight, &about, &seen.header("audit-event-id"))["break_glass_id"], emergency, "{door}");
    }
    // A list is an entry about its reader, and one about each person on it.
    let list = world.get(&format!("{path}/victims"), &reader);
    assert_eq!(list.status, 200);
    let of_person = world.get(&format!("/v1/audit/entries?resource_id={victim}&resource_type=victim_list&agency={POLICE}"), &oversight).json();
    assert_eq!(of_person["items"][0]["break_glass_id"], emergency);
    let mine = world.get(&own, &reader);
    assert_eq!(entry(world, &oversight, &last(&own), &mine.header("audit-event-id"))["break_glass_id"], Value::Null, "its own case needs no emergency");
    let supervised = world.get(&path, &oversight);
    assert_eq!(entry(world, &oversight, &last(&path), &supervised.header("audit-event-id"))["break_glass_id"], Value::Null);
    // The owner accounts for it to the person.
    let account = world.get(&format!("/v1/victims/{victim}/disclosures?limit=200"), &desk).json();
    let looks: Vec<&Value> = account["items"].as_array().unwrap().iter().filter(|l| l["agency"] == POLICE).collect();
    assert_eq!(looks.len(), 4, "{account}");
    assert!(looks.iter().all(|l| l["break_glass_id"] == emergency), "{account}");

    // What happened to it is listed for those whom it concerns.
    let moves = format!("{}/transitions", glass.header("location"));
    assert_eq!(world.get(&moves, &desk).json()["items"], json!([]));
    let review = json!({"trigger": "review", "finding": "justified", "words": "Se verificó."});
    assert_eq!(world.step(&glass.header("location"), &desk, "\"1.b\"", &review).status, 200);
    let listed = world.get(&moves, &desk).json()["items"].clone();
    assert_eq!((&listed[0]["trigger"], &listed[0]["from"], &listed[0]["to"], &listed[0]["agency"]), (&json!("review"), &json!("open"), &json!("reviewed"), &json!(OWNER)));
    let invoker = world.token(POLICE, "break_glass:review", Purpose::Protection);
    for who in [&oversight, &invoker] {
        assert_eq!(world.get(&moves, who).json()["items"], listed);
    }
    assert_eq!(world.get(&moves, &full(world, "PE-MP-FISTRAP-PIURA", Purpose::Prosecution)).status, 404);
}
}

/// Microseconds in the middle.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints the medians of the two answers "not found", the median of their paired differences with the spread of these
/// (median absolute deviation), and the share of pairs in which the hidden one was slower: a half, where nothing tells.
#[test]
#[allow(clippy::print_stdout, reason = "a measurement")]
#[ignore = "a measurement: cargo test --release --test main -- --ignored --nocapture what_is_hidden"]
fn what_is_hidden_answers_as_fast_as_what_is_not_there() {
    const PAIRS: usize = 3_000;
    let engines = [crate::support::Engine::Sqlite, crate::support::Engine::Postgres];
    for (engine, world) in engines.into_iter().filter_map(|engine| World::new(engine).map(|world| (engine, world))) {
        let owner = full(&world, OWNER, Purpose::Prosecution);
        let stranger = world.token("PE-MP-FISTRAP-PIURA", &format!("{ALL} {IDENTITIES}"), Purpose::Prosecution);
        let made = world.post("/v1/cases", &owner, &case());
        let case_id = last(&made.header("location"));
        let list = world.get(&format!("{}/victims", made.header("location")), &owner).json();
        let victim = list["items"][0]["victim_id"].as_str().unwrap().to_owned();
        for (kind, hidden) in [("cases", case_id), ("victims", victim)] {
            let door = |id: &str| format!("/v1/{kind}/{id}");
            let took = |id: &str| {
                let begun = std::time::Instant::now();
                assert_eq!(world.get(&door(id), &stranger).status, 404);
                begun.elapsed().as_secs_f64() * 1e6
            };
            for _ in 0..200 {
                took(&hidden);
            }
            let (mut ours, mut theirs, mut differences, mut slower) = (Vec::new(), Vec::new(), Vec::new(), 0_u32);
            for n in 0..PAIRS {
                let absent = uuid::Uuid::new_v4().to_string();
                // Which of the two comes first changes as the Thue–Morse sequence does: no drift favours either.
                let (here, nowhere) = if n.count_ones() % 2 == 0 {
                    let here = took(&hidden);
                    (here, took(&absent))
                } else {
                    let nowhere = took(&absent);
                    (took(&hidden), nowhere)
                };
                slower += u32::from(here > nowhere);
                differences.push(here - nowhere);
                ours.push(here);
                theirs.push(nowhere);
            }
            let middle = median(&mut differences);
            let spread = median(&mut differences.iter().map(|d| (d - middle).abs()).collect::<Vec<_>>());
            let share = f64::from(slower) / PAIRS as f64;
            println!(
                "{engine:?} {kind}: hidden {:.1} µs, absent {:.1} µs, difference {middle:.1} ± {spread:.1} µs, hidden slower in {:.1} %",
                median(&mut ours),
                median(&mut theirs),
                share * 100.0
            );
        }
    }
}
