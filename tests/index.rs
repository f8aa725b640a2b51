//! The index by which persons are found: made again from the sealed identities, and told of at the opening of a case.

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::policy::together;
use sistra::db::connection::{Role, open};
use sistra::persons::reindex::{self, Report};

use crate::both;
use crate::support::{World, case, unique};

const LIMA: &str = "PE-MP-FISTRAP-LIMA";
const GIVEN: [&str; 4] = ["Rosa Luz", "Elena", "María José", "Wilmer"];
const SURNAMES: [&str; 4] = ["Quispe", "Mamani", "de la Cruz", "Huamán"];

fn named(n: usize) -> Value {
    json!({"given_names": GIVEN[n % 4], "paternal_surname": SURNAMES[n / 4 % 4], "maternal_surname": SURNAMES[(n + 1) % 4],
        "birth_date": format!("19{}-03", 70 + n), "documents": [{"type": "passport", "country": "VE", "number": format!("AA{n}00")}],
        "contacts": [{"kind": "phone", "value": format!("+51 9000000{n:02}"), "safe": true}]})
}

/// Cases whose persons have names.
fn registry(world: &World, token: &str, count: usize) {
    for n in 0..count {
        let mut new = case();
        new["victims"][0]["identity"] = named(n);
        new["accused"][0]["identity"] =
            json!({"given_names": GIVEN[n % 4], "paternal_surname": SURNAMES[n % 4], "birth_date": format!("19{}", 60 + n)});
        assert_eq!(world.post("/v1/cases", token, &new).status, 201);
    }
}

/// What the searches of a registry answer.
fn answers(world: &World, token: &str, count: usize) -> Vec<Value> {
    let mut all = Vec::new();
    for n in 0..count {
        for (kind, question) in [
            ("victims", json!({"document": {"type": "passport", "country": "VE", "number": format!("AA{n}00")}})),
            ("victims", json!({"phone": format!("9000000{n:02}")})),
            ("victims", json!({"given_names": GIVEN[n % 4], "surnames": SURNAMES[n / 4 % 4]})),
            ("victims", json!({"surnames": SURNAMES[(n + 1) % 4], "birth_year": 1970 + n})),
            ("accused", json!({"given_names": GIVEN[n % 4], "surnames": SURNAMES[n % 4], "birth_year": 1960 + n})),
        ] {
            let answer = world.post_with(&format!("/v1/{kind}/search"), token, &[], &question);
            assert_eq!(answer.status, 200, "{}", answer.text);
            all.push(answer.json()["items"].clone());
        }
    }
    assert!(all.iter().filter(|items| items[0].is_object()).count() > all.len() / 2);
    all
}

fn damage(world: &World, sql: &str) {
    open(&world.database, Role::Write, 60_000).unwrap().batch_execute(sql).unwrap();
}

fn rebuild(world: &World) -> Report {
    let running = world.running.as_ref().unwrap();
    let mut buckets = 0;
    let report = reindex::run(&running.store, &running.index, 0, |_| buckets += 1).unwrap();
    assert_eq!(buckets, if running.store.is_sqlite() { 2 } else { 2 * 4096 }, "every bucket is told of, persons and tokens");
    report
}

both! {
fn a_damaged_index_is_made_again_from_the_sealed_identities_and_a_whole_one_stays_as_it_is(world) {
    let token = world.token(LIMA, &together().join(" "), Purpose::Investigation);
    registry(world, &token, 6);
    let before = answers(world, &token, 6);
    // Some tokens and some lists are lost; some tokens point where they should not.
    damage(world, "DELETE FROM person_index WHERE bidx % 3 = 0");
    damage(world, "DELETE FROM person_index_ref WHERE bucket % 2 = 0");
    damage(world, "UPDATE person_index SET bidx = bidx + 1 WHERE bidx % 7 = 1");
    assert_ne!(answers(world, &token, 6), before, "the damage shows");
    let mended = rebuild(world);
    assert!(mended.mended > 0 && mended.strays > 0, "{mended:?}");
    assert_eq!(answers(world, &token, 6), before);
    assert_eq!(rebuild(world), Report { persons: 12, mended: 0, strays: 0 }, "a second run finds nothing to do");
    // All of it.
    damage(world, "DELETE FROM person_index");
    damage(world, "DELETE FROM person_index_ref");
    assert_eq!(rebuild(world).mended, 12);
    assert_eq!(answers(world, &token, 6), before);
}

fn opening_a_case_tells_who_of_its_persons_may_be_known_and_only_within_sight(world) {
    let token = world.token(LIMA, &together().join(" "), Purpose::Investigation);
    let other = world.token("PE-PNP-DIRCTPTIM", &together().join(" "), Purpose::Investigation);
    let mut new = case();
    new["victims"][0]["identity"] = named(1);
    new["accused"][0]["identity"] = json!({"given_names": "Percy", "paternal_surname": "Huamán", "birth_date": "1980"});
    let first = world.post("/v1/cases", &token, &new);
    assert_eq!((first.status, &first.json()["possible_duplicates"]), (201, &json!({"victims": [], "accused": []})), "{}", first.text);
    let id = |path: &str, list: &str, key: &str| world.get(&format!("{path}/{list}"), &token).json()["items"][0][key].clone();
    let known = (id(&first.header("location"), "victims", "victim_id"), id(&first.header("location"), "accused", "id"));
    let key = unique();
    let second = world.post_with("/v1/cases", &token, &[("Idempotency-Key", &key)], &new);
    let told = second.json()["possible_duplicates"].clone();
    let path = second.header("location");
    assert_eq!((&told["victims"][0]["victim_id"], &told["victims"][0]["candidates"][0]["victim_id"]), (&id(&path, "victims", "victim_id"), &known.0));
    assert_eq!((&told["victims"][0]["candidates"][0]["match_score"], &told["accused"][0]["candidates"][0]["accused_id"]), (&json!("high"), &known.1));
    assert!(!second.text.contains("AA100") && !second.text.contains("Percy"), "who it is, the identity's own door tells");
    let again = world.post_with("/v1/cases", &token, &[("Idempotency-Key", &key)], &new);
    assert_eq!((again.header("idempotency-replayed").as_str(), &again.json()["possible_duplicates"]), ("true", &told));
    // Another agency's persons are nobody's to be told of.
    let apart = world.post("/v1/cases", &other, &new);
    assert_eq!(apart.json()["possible_duplicates"], json!({"victims": [], "accused": []}));
    let plain = world.post("/v1/cases", &token, &case());
    assert_eq!(plain.json()["possible_duplicates"], json!({"victims": [], "accused": []}));
    // Who was shown hears of it.
    let looks = world.get(&format!("/v1/victims/{}/disclosures?limit=200", known.0.as_str().unwrap()), &token).json();
    assert!(looks["items"].as_array().unwrap().iter().any(|l| l["what"] == "victim_duplicates"), "{looks}");
}
}
