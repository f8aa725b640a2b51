//! Figures for everybody: how a release is made and read, that it never changes, and an attacker who holds all of them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{Days, NaiveDate};
use diesel::connection::SimpleConnection;
use proptest::prelude::*;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::catalogue::Catalogue;
use sistra::db::connection::{Role, open};
use sistra::kernel::Timestamp;
use sistra::kernel::ids::{CaseId, VictimId};
use sistra::statistics::facts::{CaseFacts, VictimFacts};
use sistra::statistics::memory::AsOf;
use sistra::statistics::period::Period;
use sistra::statistics::protection::{Rules, Secret};
use sistra::statistics::publish::{Again, recompute};
use sistra::statistics::release::{Draft, draft};

use crate::both;
use crate::statistics::settled;
use crate::support::{Answer, World, case};

/// A case reported on a day, with so many women and so many girls.
fn many(on: &str, women: usize, girls: usize) -> Value {
    let mut new = case();
    new["reported_at"] = json!(format!("{on}T15:00:00Z"));
    let one = |n: usize, age: u32| {
        json!({"label": format!("v{n}"), "sex": "female", "age_at_identification": age, "nationalities": ["PE"], "acts": ["recruit"],
            "means": ["deception"], "purposes": ["sexual_exploitation"]})
    };
    new["victims"] = (0..women + girls).map(|n| one(n, if n < women { 22 } else { 15 })).collect();
    new["charges"][0]["victims"] = json!(["v0"]);
    new
}

/// Proposes a release as one overseer; the answer.
fn propose(world: &World, period: &str) -> Answer {
    let token = world.token("PE-DP", "statistics:publish", Purpose::Oversight);
    world.post("/v1/statistics/releases", &token, &json!({"period": period}))
}

/// Decides it as another one.
fn decide(world: &World, path: &str, body: &Value) -> Answer {
    let token = world.token("PE-MININTER-DGSD", "statistics:approve", Purpose::Oversight);
    let tag = world.get(path, &token).header("etag");
    world.step(path, &token, &tag, body)
}

/// Publishes a release: one proposes, another lets it go.
fn publish(world: &World, period: &str) -> Value {
    let proposed = propose(world, period);
    assert_eq!(proposed.status, 201, "{}", proposed.text);
    let decided = decide(world, &proposed.header("location"), &json!({"trigger": "approve"}));
    assert_eq!(decided.status, 200, "{}", decided.text);
    decided.json()
}

fn public(world: &World, path: &str) -> Answer {
    world.send("GET", path, None, &[], b"")
}

/// The count of a row.
fn count(cube: &Value, values: &[&str]) -> Option<u64> {
    let rows = cube["items"].as_array().unwrap();
    rows.iter().find(|r| r["values"] == json!(values)).unwrap_or_else(|| panic!("{values:?}"))["count"].as_u64()
}

/// Everything that a release shows, as a reader without a token gets it.
fn everything(world: &World, release: &str) -> Vec<(String, String)> {
    let manifest = public(world, &format!("/v1/open-data/releases/{release}"));
    let mut all = vec![("manifest".to_owned(), manifest.text.clone())];
    for cube in manifest.json()["items"].as_array().unwrap() {
        all.push((cube["name"].as_str().unwrap().to_owned(), public(world, cube["href"].as_str().unwrap()).text));
    }
    all
}

both! {
fn a_release_is_made_once_read_by_everybody_and_never_changes(world) {
    let owner = world.prosecutor();
    for (on, women, girls) in [("2025-02-10", 30, 14), ("2025-05-10", 25, 12), ("2025-05-11", 3, 0)] {
        let made = world.post("/v1/cases", &owner, &many(on, women, girls));
        assert_eq!(made.status, 201, "{}", made.text);
    }
    settled(world);
    let oversight = world.token("PE-DP", "audit:read", Purpose::Oversight);
    assert_eq!(propose(world, "2099").faults(), ["#/period: date_order"]);
    assert_eq!(propose(world, "2025-Q5").faults(), ["#/period: format"]);
    let agency = world.token("PE-MP-FISTRAP-LIMA", "statistics:publish", Purpose::Statistics);
    assert_eq!(world.post("/v1/statistics/releases", &agency, &json!({"period": "2025-H1"})).code(), "owner_only");
    assert_eq!(public(world, "/v1/open-data/releases").json(), json!({"items": [], "next_cursor": null}));
    let published = publish(world, "2025-H1");
    assert_eq!((&published["state"], &published["href"]), (&json!("approved"), &json!("/v1/open-data/releases/2025-H1")));
    for (period, why) in [("2025-H1", "already_released"), ("2025-Q1", "not_after_last_release"), ("2024", "not_after_last_release"), ("2025", "not_after_last_release")] {
        assert_eq!(propose(world, period).json()["failed_guards"], json!([why]), "{period}");
    }
    // Without a token: the list, the manifest, the tables.
    let first = public(world, "/v1/open-data/releases").json()["items"][0].clone();
    assert_eq!((&first["id"], &first["release"]), (&published["release_id"], &json!("2025-H1")));
    let manifest = public(world, "/v1/open-data/releases/2025-H1");
    assert_eq!(sistra::statistics::release::sha256(&manifest.text), first["sha256"].as_str().unwrap());
    assert_eq!((manifest.json()["licence"].as_str(), manifest.json()["rules"]["threshold"].as_u64()), (Some("CC-BY-4.0"), Some(10)));
    assert!(manifest.json()["withheld"].as_array().unwrap().contains(&json!("prosecuted-by-outcome-sex")), "nobody is accused before a court");
    let table = public(world, "/v1/open-data/2025-H1/victims-by-sex-age");
    let listed = manifest.json()["items"].as_array().unwrap().iter().find(|c| c["name"] == "victims-by-sex-age").unwrap().clone();
    assert_eq!(sistra::statistics::release::sha256(&table.text), listed["sha256"].as_str().unwrap());
    assert_eq!((table.header("cache-control").as_str(), table.header("vary").as_str(), table.header("access-control-allow-origin").as_str()), ("public, max-age=3600, stale-if-error=86400", "Accept, Accept-Encoding", "*"));
    let total = count(&table.json(), &["total", "total"]).unwrap();
    assert!((77..=91).contains(&total), "84 and at most 7 more or fewer: {total}");
    assert_eq!(count(&table.json(), &["male", "total"]), None, "nobody is not told from few");
    for row in table.json()["items"].as_array().unwrap() {
        assert!(row["count"].is_null() || row["count"].as_u64().is_some_and(|n| n >= 10 && n % 5 == 0), "{row}");
    }
    assert_eq!(world.send("GET", "/v1/open-data/2025-H1/victims-by-sex-age", None, &[("If-None-Match", &table.header("etag"))], b"").status, 304);
    for csv in [public(world, "/v1/open-data/2025-H1/victims-by-quarter?format=csv"), world.send("GET", "/v1/open-data/2025-H1/victims-by-quarter", None, &[("Accept", "text/csv")], b"")] {
        assert!(csv.header("content-type").starts_with("text/csv") && csv.text.starts_with("quarter,count\r\ntotal,"), "{}", csv.text);
        assert_ne!(csv.header("etag"), table.header("etag"));
    }
    assert_eq!(public(world, "/v1/open-data/2025-H1/victims-by-quarter?format=pdf").faults(), ["format: enum"]);
    let glotip = public(world, "/v1/open-data/2025-H1/glotip").json();
    assert_eq!(count(&glotip, &["Detected trafficking victims", "Total", "Total", "Total", "Total"]), Some(total), "the same number under every name");
    for nothing in ["/v1/open-data/releases/2024", "/v1/open-data/2024/victims-by-sex-age", "/v1/open-data/2025-H1/nothing"] {
        assert_eq!(public(world, nothing).code(), "not_found", "{nothing}");
    }
    // The record of changes has the hash, and an auditor finds it.
    settled(world);
    let id = first["id"].as_str().unwrap().to_owned();
    let entries = world.get(&format!("/v1/audit/entries?resource_id={id}"), &oversight).json();
    assert_eq!((entries["items"].as_array().unwrap().len(), entries["items"][0]["type"].as_str()), (1, Some("statistics_release.created")));
    // What happens later changes no byte, and making it again from the facts as they were gives the same ones.
    let before = everything(world, "2025-H1");
    let late = world.post("/v1/cases", &owner, &many("2025-03-01", 20, 20));
    assert_eq!(late.status, 201);
    let path = late.header("location");
    assert_eq!(world.patch(&path, &owner, "\"1.o\"", &json!({"territory": "150101"})).status, 200);
    let old = world.get("/v1/cases?sort=reported_at&limit=1", &owner).json()["items"][0].clone();
    let amended = world.patch(&format!("/v1/cases/{}", old["id"].as_str().unwrap()), &owner, &format!("\"{}.o\"", old["version"]), &json!({"reported_at": "2025-11-10T15:00:00Z"}));
    assert_eq!(amended.status, 200, "{}", amended.text);
    settled(world);
    assert_eq!(everything(world, "2025-H1"), before);
    let (running, law) = (world.running.as_ref().unwrap(), Catalogue::embedded().unwrap());
    let Again { made, differing, .. } = recompute(&running.store, &law, "2025-H1").unwrap();
    assert_eq!(differing, Vec::<String>::new());
    assert_eq!(before[1..], made.cubes.iter().map(|c| (c.name.clone(), c.body.clone())).collect::<Vec<_>>());
    // The next release holds what came late, and not what was out already, though its day has moved into the new period.
    publish(world, "2025-H2");
    let quarters = public(world, "/v1/open-data/2025-H2/victims-by-quarter").json();
    assert!(count(&quarters, &["earlier"]).is_some_and(|n| (33..=47).contains(&n)), "{quarters}");
    assert_eq!(count(&quarters, &["2025-Q4"]), None);
    assert_eq!(recompute(&running.store, &law, "2025-H2").unwrap().differing, Vec::<String>::new());
    // Whoever owns the database cannot change a release by a statement either.
    for sql in ["UPDATE statistics_release SET sha256 = 'x'", "DELETE FROM statistics_cube", "UPDATE statistics_cube SET body = '{}'", "DELETE FROM statistics_release"] {
        assert!(open(&world.database, Role::Write, 60_000).unwrap().batch_execute(sql).is_err(), "{sql}");
    }
}

fn what_is_published_for_ever_is_seen_before_and_let_go_by_somebody_else(world) {
    let owner = world.prosecutor();
    for (on, women, girls) in [("2025-02-10", 30, 14), ("2025-05-10", 25, 12)] {
        assert_eq!(world.post("/v1/cases", &owner, &many(on, women, girls)).status, 201);
    }
    settled(world);
    let list = "/v1/statistics/releases";
    let token = |agency: &str, scope: &str| world.token(agency, scope, Purpose::Oversight);
    let (proposer, approver) = (token("PE-DP", "statistics:publish"), token("PE-MININTER-DGSD", "statistics:approve"));
    let key = crate::support::unique();
    let [first, again] = [(), ()].map(|()| world.post_with(list, &proposer, &[("Idempotency-Key", &key)], &json!({"period": "2025-H1"})));
    assert_eq!((first.status, again.header("idempotency-replayed").as_str(), again.json()), (201, "true", first.json()), "{}", first.text);
    assert_eq!(propose(world, "2025-H1").json()["failed_guards"], json!(["already_proposed"]));
    let path = first.header("location");
    // Both see what everybody would see; nobody else does, and nothing is out.
    let preview = format!("{path}/preview");
    let shown = world.get(&preview, &approver);
    assert_eq!((shown.status, shown.json()), (200, world.get(&preview, &proposer).json()), "{}", shown.text);
    assert_eq!(shown.json()["sha256"], first.json()["sha256"]);
    let agency = world.token("PE-MP-FISTRAP-LIMA", "statistics:approve", Purpose::Statistics);
    assert_eq!(world.get(list, &agency).json()["items"], json!([]));
    for path in [&path, &preview] {
        assert_eq!(world.get(path, &agency).code(), "owner_only", "{path}");
        assert_eq!(world.get(path, &token("PE-DP", "audit:read")).code(), "insufficient_scope", "{path}");
    }
    assert_eq!(public(world, "/v1/open-data/releases").json()["items"], json!([]));
    assert_eq!(public(world, "/v1/open-data/releases/2025-H1").status, 404);
    // Nobody lets go what it proposed itself, and one agency is one person unless it says otherwise.
    let tag = first.header("etag");
    let go = json!({"trigger": "approve"});
    assert_eq!(world.step(&path, &proposer, &tag, &go).code(), "insufficient_scope");
    assert_eq!(world.step(&path, &token("PE-DP", "statistics:approve"), &tag, &go).json()["failed_guards"], json!(["second_person_needed"]));
    assert_eq!(world.step(&path, &approver, &tag, &json!({"trigger": "reject"})).faults(), ["#/refusal: required"]);
    assert_eq!(world.step(&path, &approver, &tag, &json!({"trigger": "reject", "refusal": "mood"})).faults(), ["#/refusal: enum"]);
    let refused = world.step(&path, &approver, &tag, &json!({"trigger": "reject", "refusal": "too_early"}));
    assert_eq!((refused.status, &refused.json()["state"], &refused.json()["refusal"]), (200, &json!("rejected"), &json!("too_early")));
    assert_eq!(decide(world, &path, &go).json()["failed_guards"], json!(["no_such_transition"]));
    // Proposed again. What happens meanwhile is not in it: what goes out is what was seen, but for the instant.
    let second = propose(world, "2025-H1");
    let path = second.header("location");
    let seen = world.get(&format!("{path}/preview"), &approver).json();
    assert_eq!(world.post("/v1/cases", &owner, &many("2025-03-01", 20, 20)).status, 201);
    settled(world);
    let tag = second.header("etag");
    let key = crate::support::unique();
    let headers = [("If-Match", tag.as_str()), ("Idempotency-Key", key.as_str())];
    let transitions = format!("{path}/transitions");
    let [out, replayed] = [(), ()].map(|()| world.post_with(&transitions, &approver, &headers, &go));
    assert_eq!((out.status, replayed.status, replayed.json()), (200, 200, out.json()), "{} {}", out.text, replayed.text);
    assert_eq!(replayed.header("idempotency-replayed"), "true");
    assert_eq!((&out.json()["proposed_by"], &out.json()["decided_by"]), (&json!("PE-DP"), &json!("PE-MININTER-DGSD")));
    for table in seen["tables"].as_array().unwrap() {
        let cube = public(world, &format!("/v1/open-data/2025-H1/{}", table["cube"].as_str().unwrap())).json();
        assert_eq!((&cube["items"], &cube["dimensions"]), (&table["items"], &table["dimensions"]));
    }
    settled(world);
    let auditor = token("PE-DP", "audit:read");
    let entries = world.get(&format!("/v1/audit/entries?resource_id={}", path.rsplit('/').next().unwrap()), &auditor).json();
    let types: Vec<&str> = entries["items"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert!(types.contains(&"statistics_proposal.created") && types.contains(&"statistics_proposal.transitioned"), "{types:?}");
    // A third one is withdrawn by whoever proposes.
    let third = propose(world, "2025-H2");
    let withdrawn = world.step(&third.header("location"), &proposer, &third.header("etag"), &json!({"trigger": "withdraw"}));
    assert_eq!((withdrawn.status, &withdrawn.json()["state"]), (200, &json!("withdrawn")), "{}", withdrawn.text);
    assert_eq!(world.get(list, &proposer).json()["items"].as_array().unwrap().len(), 3);
}

fn open_data_are_held_ready_and_an_address_has_a_quota(world, |config, _dir| { config.serve.rate_open_data_per_min = 12; }) {
    let owner = world.prosecutor();
    assert_eq!(world.post("/v1/cases", &owner, &many("2025-02-10", 40, 20)).status, 201);
    settled(world);
    publish(world, "2025-H1");
    let table = "/v1/open-data/2025-H1/victims-by-sex-age";
    let paths = ["/v1/open-data/releases", "/v1/open-data/releases/2025-H1", table, "/v1/open-data/2025-H1/victims-by-sex-age?format=csv"];
    let first: Vec<Answer> = paths.iter().map(|path| public(world, path)).collect();
    // The database says something else now, if anybody asks it.
    let mut conn = open(&world.database, Role::Write, 60_000).unwrap();
    let untied = |table: &str| match &world.database {
        sistra::db::DatabaseUrl::Sqlite(_) => format!("DROP TRIGGER {table}_append_only_update"),
        sistra::db::DatabaseUrl::Postgres(_) => format!("DROP TRIGGER {table}_append_only_update ON {table}"),
    };
    for sql in [untied("statistics_cube"), untied("statistics_release"), "UPDATE statistics_cube SET body = '{}'".to_owned(), "UPDATE statistics_release SET content = '{}'".to_owned()] {
        conn.batch_execute(&sql).unwrap();
    }
    for (path, before) in paths.iter().zip(&first) {
        assert_eq!((before.status, before.header("cache-control").as_str()), (200, "public, max-age=3600, stale-if-error=86400"), "{path}");
        let now = public(world, path);
        assert_eq!((now.status, &now.text, now.header("etag")), (200, &before.text, before.header("etag")), "{path}");
        let had = world.send("GET", path, None, &[("If-None-Match", &before.header("etag"))], b"");
        assert_eq!((had.status, had.text.as_str(), had.header("etag")), (304, "", before.header("etag")), "{path}");
    }
    // Twelve a minute were twelve. One more comes back every five seconds; whoever goes on asking waits.
    let more = (0..500).map(|_| public(world, table)).find(|answer| answer.status != 200).unwrap();
    assert_eq!((more.status, more.code().as_str(), more.json()["violated_policies"].clone()), (429, "quota_exceeded", json!(["open_data"])));
    let wait: u64 = more.header("retry-after").parse().unwrap();
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(more.header("ratelimit").starts_with("\"open_data\";r=0;t="), "{}", more.header("ratelimit"));
    assert_eq!(public(world, "/v1/catalogues/places").status, 200);
    assert_eq!(world.get("/v1/cases", &owner).status, 200);
}

fn the_tables_for_the_united_nations_and_the_quality_of_data(world) {
    let owner = world.prosecutor();
    assert_eq!(world.post("/v1/cases", &owner, &many("2025-02-10", 3, 2)).status, 201);
    let mut other = many("2024-02-10", 1, 0);
    other["exploitation"] = json!([]);
    other["victims"][0]["nationalities"] = json!([]);
    assert_eq!(world.post("/v1/cases", &owner, &other).status, 201);
    settled(world);
    let token = world.token("PE-DP", "statistics:read", Purpose::Oversight);
    let glotip = world.get("/v1/statistics/glotip?year=2025", &token).json();
    let row = |sex: &str, age: &str, dimension: &str, category: &str| {
        let found = glotip["items"].as_array().unwrap().iter().find(|r| {
            r["indicator"] == "Detected trafficking victims" && r["sex"] == sex && r["age"] == age && r["dimension"] == dimension && r["category"] == category
        });
        found.and_then(|r| r["value"].as_u64())
    };
    assert_eq!(row("Total", "Total", "Total", "Total"), Some(5));
    assert_eq!(row("Female", "0 to 17 years", "by form of exploitation", "Sexual exploitation"), Some(2));
    assert_eq!(row("Total", "18 years or over", "by citizenship", "PE"), Some(3));
    assert_eq!(row("Male", "Total", "Total", "Total"), None);
    let csv = world.send("GET", "/v1/statistics/glotip?year=2025", Some(&token), &[("Accept", "text/csv")], b"").text;
    assert!(csv.starts_with("Indicator,Dimension,Category,Sex,Age,Year,Unit of measurement,txtVALUE\r\nDetected trafficking victims,Total,Total,Female,0 to 17 years,2025,Counts,2\r\n"), "{csv}");
    let sdg = world.get("/v1/statistics/sdg-16-2-2?year=2024", &token).json();
    assert!(sdg["items"].as_array().unwrap().contains(&json!({"sex": "Female", "age": "18 years or over", "form": "Unknown", "value": 1, "population": null, "rate_milli": null})), "{sdg}");
    // One victim of 34,038,457 people: the total has a rate, a sex and an age of which the table says nothing have none.
    assert!(sdg["items"].as_array().unwrap().contains(&json!({"sex": "Total", "age": "Total", "form": "Total", "value": 1, "population": 34_038_457, "rate_milli": 3})), "{sdg}");
    assert_eq!((sdg["population_verified"].clone(), sdg["population_source"].is_string()), (json!(false), true));
    let unknown = world.get("/v1/statistics/sdg-16-2-2?year=2025", &token).json();
    assert_eq!((&unknown["population_source"], &unknown["items"][0]["rate_milli"]), (&Value::Null, &Value::Null), "no denominator, no rate");
    let partner = world.token("PE-MP-FISTRAP-LIMA", "statistics:read", Purpose::Statistics);
    let part = world.get("/v1/statistics/sdg-16-2-2?year=2024", &partner).json();
    assert!(part["items"].as_array().unwrap().iter().all(|r| r["population"].is_null() && r["value"] == 1), "a part of the cases is no rate of a country: {part}");
    let ic_tip = world.get("/v1/statistics/ic-tip?year=2025", &token).json();
    for expected in [
        json!({"block": "event", "variable": "form_of_exploitation", "category": "sexual", "standard": "ICCS", "standard_code": "02041", "value": 1}),
        json!({"block": "victim", "variable": "child_or_adult", "category": "minor", "standard": null, "standard_code": null, "value": 2}),
        json!({"block": "perpetrator", "variable": "status_in_criminal_justice", "category": "prosecuted", "standard": "ICCS", "standard_code": "0204", "value": 0}),
        json!({"block": "reporting_entity", "variable": "owner_of_record", "category": "PE-MP-FISTRAP-LIMA", "standard": null, "standard_code": null, "value": 1}),
    ] {
        assert!(ic_tip["items"].as_array().unwrap().contains(&expected), "{expected} in {ic_tip}");
    }
    assert_eq!(world.get("/v1/statistics/glotip", &token).faults(), ["year: required"]);
    assert_eq!(world.get("/v1/statistics/sdg-16-2-2?year=25", &token).faults(), ["year: enum"]);
    // Quality: of one's own cases, or of everybody's for oversight; a guest's own are none.
    let quality = world.get("/v1/statistics/quality", &token).json();
    assert_eq!(quality["items"].as_array().unwrap().len(), 1);
    let field = |name: &str| quality["items"][0]["completeness"].as_array().unwrap().iter().find(|f| f["field"] == name).unwrap().clone();
    assert_eq!(field("victim.nationalities"), json!({"field": "victim.nationalities", "recorded": 5, "of": 6, "per_thousand": 833}));
    assert_eq!(field("case.exploitation")["recorded"], 1);
    assert!(quality["items"][0]["days_median"].as_i64().unwrap() > 300, "reported long before it was registered");
    let shelter = world.token("PE-MIMP-INABIF", "statistics:read", Purpose::Statistics);
    assert_eq!(world.get("/v1/statistics/quality", &shelter).json()["items"], json!([]));
    assert_eq!(world.get("/v1/statistics/glotip?year=2025", &shelter).json()["items"], json!([]));
}
}

// The attacker: reads published tables as anybody does, and knows how they were made.

/// One condition of a cell: dimension and value.
type Conditions = BTreeSet<(String, String)>;

/// What anybody can read of a release: the cells of all tables by their conditions, and the lines in which they add up.
/// Cells with what is published of them, and which of them are sums of which.
type Published = (BTreeMap<Conditions, Option<u64>>, Vec<(Conditions, Vec<Conditions>)>);

fn read(release: &Draft) -> Published {
    let (mut cells, mut lines) = (BTreeMap::new(), Vec::new());
    for cube in release.cubes.iter().filter(|c| c.name.starts_with("victims-")) {
        let cube: Value = serde_json::from_str(&cube.body).unwrap();
        let names: Vec<&str> = cube["dimensions"].as_array().unwrap().iter().map(|d| d.as_str().unwrap()).collect();
        let mut by_parent: BTreeMap<(Conditions, String), Vec<Conditions>> = BTreeMap::new();
        for row in cube["items"].as_array().unwrap() {
            let conditions: Conditions = names
                .iter()
                .zip(row["values"].as_array().unwrap())
                .filter(|(_, v)| *v != "total")
                .map(|(n, v)| ((*n).to_owned(), v.as_str().unwrap().to_owned()))
                .collect();
            let said = row["count"].as_u64();
            assert!(
                cells.insert(conditions.clone(), said).is_none_or(|other| other == said),
                "one cell, two numbers: {conditions:?}"
            );
            for one in &conditions {
                let mut parent = conditions.clone();
                parent.remove(one);
                by_parent.entry((parent, one.0.clone())).or_default().push(conditions.clone());
            }
        }
        lines.extend(by_parent.into_iter().map(|((parent, _), children)| (parent, children)));
    }
    (cells, lines)
}

/// The least and the most that every count can be, by everything that was published; none where the attacker, who takes
/// every withheld cell for a small one, is misled by one that was withheld for another's sake.
fn attack(release: &Draft) -> Option<BTreeMap<Conditions, (u64, u64)>> {
    let (cells, lines) = read(release);
    let mut known: BTreeMap<Conditions, (u64, u64)> =
        cells.into_iter().map(|(at, said)| (at, Rules::STANDARD.interval(said))).collect();
    loop {
        let before = known.clone();
        for (parent, children) in &lines {
            let Some(&(low, high)) = known.get(parent) else { continue };
            let least: u64 = children.iter().map(|c| known[c].0).sum();
            let most: u64 = children.iter().map(|c| known[c].1).sum();
            let (low, high) = (low.max(least), high.min(most));
            known.insert(parent.clone(), (low, high));
            for child in children {
                let (own_low, own_high) = known[child];
                let tighter =
                    (own_low.max(low.saturating_sub(most - own_high)), own_high.min(high.saturating_sub(least - own_low)));
                known.insert(child.clone(), tighter);
            }
        }
        if known.values().any(|(low, high)| low > high) {
            return None;
        }
        if known == before {
            return Some(known);
        }
    }
}

/// A registry of so many persons, a person a case, drawn from few kinds so that many cells are small and some are not.
fn registry(kinds: &[(u8, u8, u8, u8)], from: NaiveDate) -> Vec<(CaseId, CaseFacts)> {
    let pick = |list: &[&str], n: u8| list[usize::from(n) % list.len()].to_owned();
    let one = |(n, (sex, age, form, place)): (usize, &(u8, u8, u8, u8))| {
        let number = u128::from(u64::try_from(n).unwrap()) + 1;
        let facts = CaseFacts {
            owner: "PE-MP-FISTRAP-LIMA".into(),
            jurisdiction: "PE".into(),
            procedure: "NCPP2004".into(),
            stage: "reported".into(),
            reported: from + Days::new(u64::from(*place) * 7 % 180),
            registered: from + Days::new(200),
            territory: Some(format!("{:02}0101", place % 5 + 1)),
            scope: None,
            channel: "police".into(),
            complexity: "simple".into(),
            exploitation: vec![pick(&["sexual_adult", "labour_mining", "begging"], *form)],
            dated: true,
            elsewhere: false,
            steps: [None; 4],
            shares: Vec::new(),
            victims: vec![VictimFacts {
                id: VictimId::from_uuid(uuid::Uuid::from_u128(number << 64 | number)),
                person: None,
                again: false,
                sex: pick(&["female", "female", "male", "unknown"], *sex),
                age_band: pick(&["age_13_17", "age_18_24", "age_18_24", "unknown"], *age),
                nationalities: vec![pick(&["PE", "PE", "VE", "BO"], *sex ^ *place)],
                birth: None,
                status: "presumed".into(),
                recruitment: None,
                means: Vec::new(),
                purposes: Vec::new(),
                care: None,
            }],
            accused: Vec::new(),
            charges: Vec::new(),
        };
        (CaseId::from_uuid(uuid::Uuid::from_u128(number)), facts)
    };
    kinds.iter().enumerate().map(one).collect()
}

/// How many victims really meet some conditions.
fn truth(cases: &[(CaseId, CaseFacts)], conditions: &Conditions) -> u64 {
    let meets = |case: &CaseFacts, victim: &VictimFacts| {
        conditions.iter().all(|(dimension, value)| match dimension.as_str() {
            "sex" => victim.sex == *value,
            "age_band" => victim.age_band == *value,
            "minority" => victim.minority() == value,
            "form" => sistra::statistics::facts::form(&case.exploitation) == value,
            "department" => case.territory.as_ref().is_some_and(|t| t.starts_with(value.as_str())),
            "nationality" => victim.nationalities[0] == *value,
            "recruitment" => value == "not_recorded",
            "quarter" => {
                format!(
                    "{}-Q{}",
                    case.reported.format("%Y"),
                    case.reported.format("%m").to_string().parse::<u32>().unwrap().div_ceil(3)
                ) == *value
            }
            other => panic!("{other}"),
        })
    };
    cases.iter().filter(|(_, c)| meets(c, &c.victims[0])).count() as u64
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn who_holds_every_table_of_every_release_determines_no_small_count(
        first in proptest::collection::vec(any::<(u8, u8, u8, u8)>(), 30..160),
        second in proptest::collection::vec(any::<(u8, u8, u8, u8)>(), 30..160),
        seed in any::<u64>(),
    ) {
        let law = Catalogue::embedded().unwrap();
        let secret = Secret::new(&seed.to_be_bytes().repeat(4));
        let made = |period: &str, cases: &[(CaseId, CaseFacts)]| {
            let period = Period::parse(period).unwrap();
            draft(&law, &period, cases.to_vec(), &secret, AsOf::default(), Timestamp::from_unix_millis(0).unwrap())
        };
        let early = registry(&first, NaiveDate::from_ymd_opt(2025, 1, 1).unwrap());
        let late = registry(&second, NaiveDate::from_ymd_opt(2025, 7, 1).unwrap());
        for (period, cases) in [("2025-H1", &early), ("2025-H2", &late)] {
            let release = made(period, cases);
            prop_assert_eq!(&release, &made(period, cases), "the same facts, the same bytes");
            for (at, (low, high)) in attack(&release).into_iter().flatten() {
                let n = truth(cases, &at);
                prop_assert!(n == 0 || n >= 10 || (low, high) != (n, n), "{at:?} is {n} and nothing else");
                prop_assert!(n > 0 || (low, high) != (0, 0), "nobody at {at:?}, and everybody knows");
            }
        }
    }
}

/// A person whose kind is alone in the registry could be absent, or there twice, behind the same release.
#[test]
fn one_more_or_one_fewer_of_a_kind_could_have_given_the_same_release() {
    let law = Catalogue::embedded().unwrap();
    let kinds: Vec<(u8, u8, u8, u8)> = (0..60).map(|n| (n % 2, n % 3, n % 3, n % 5)).chain([(2, 0, 2, 3)]).collect();
    let from = NaiveDate::from_ymd_opt(2025, 1, 1).unwrap();
    let period = Period::parse("2025-H1").unwrap();
    let made = |kinds: &[(u8, u8, u8, u8)], secret: u8| {
        let release = draft(
            &law,
            &period,
            registry(kinds, from),
            &Secret::new(&[secret; 32]),
            AsOf::default(),
            Timestamp::from_unix_millis(0).unwrap(),
        );
        read(&release).0
    };
    let with = made(&kinds, 1);
    // Not the same secret: the attacker does not know it. Among some of them is one under which the registry without the last
    // person shows the same of that person's cells.
    let of_last: Vec<&Conditions> = with.keys().filter(|at| truth(&registry(&kinds[60..], from), at) == 1).collect();
    assert!(of_last.len() > 8, "{}", of_last.len());
    let without = (0..=255).any(|secret| {
        let other = made(&kinds[..60], secret);
        of_last.iter().filter(|at| at.len() > 1).all(|at| other[*at] == with[*at])
    });
    assert!(without);
}
