//! Two records of one person: merged, read through each other, and taken apart again without loss.

use proptest::prelude::*;
use proptest::test_runner::{Config as Runs, TestRunner};
use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{Answer, Engine, World, case, unique};

const DESK: &str = "cases:read cases:write victims:read victims:write victims.identity:read victims.identity:write \
    victims:search accused:read accused:write accused.identity:read accused.identity:write accused:search charges:read \
    persons:merge referrals:read referrals:write deconfliction:ask audit:read";
const LIMA: &str = "PE-MP-FISTRAP-LIMA";

fn desk(world: &World, agency: &str) -> String {
    world.token(agency, DESK, Purpose::Prosecution)
}

fn named(given: &str, document: &str) -> Value {
    json!({"given_names": given, "paternal_surname": "Quispe", "maternal_surname": "Mamani", "birth_date": "2003-04-05",
        "documents": [{"type": "passport", "country": "VE", "number": document}]})
}

/// A case of the token's agency with one victim and one accused; answers its path and their records.
fn opened(world: &World, token: &str, victim: Value, accused: Value) -> (String, String, String) {
    let mut new = case();
    new["victims"][0]["identity"] = victim;
    new["accused"][0]["identity"] = accused;
    let made = world.post("/v1/cases", token, &new);
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location");
    let id = |list: &str, key: &str| {
        world.get(&format!("{path}/{list}"), token).json()["items"][0][key].as_str().unwrap().to_owned()
    };
    let (victim, accused) = (id("victims", "victim_id"), id("accused", "id"));
    (path, victim, accused)
}

fn merge(world: &World, token: &str, kind: &str, away: &str, into: &str) -> Answer {
    let path = format!("/v1/{kind}/{away}");
    let etag = match world.get(&path, token).header("etag") {
        unseen if unseen.is_empty() => "\"1.o\"".to_owned(),
        etag => etag,
    };
    let body = json!({"trigger": "merge", "into": into, "evidence": ["same_document"], "reason": "El mismo documento figura en ambas fichas."});
    world.step(&path, token, &etag, &body)
}

fn unmerge(world: &World, token: &str, kind: &str, away: &str, changes_stay: bool) -> Answer {
    let path = format!("/v1/{kind}/{away}");
    let etag = world.get(&path, token).header("etag");
    let body = json!({"trigger": "unmerge", "reason": "Eran hermanas, no la misma persona.", "changes_stay": changes_stay});
    world.step(&path, token, &etag, &body)
}

fn guards(answer: &Answer) -> Value {
    assert_eq!(answer.status, 409, "{}", answer.text);
    answer.json()["failed_guards"].clone()
}

/// A record as a reader knows it, without what every change moves.
fn still(world: &World, token: &str, path: &str) -> Value {
    let answer = world.get(path, token);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    let mut body = answer.json();
    for moving in ["version", "updated_at"] {
        body.as_object_mut().unwrap().remove(moving);
    }
    body
}

fn found(world: &World, token: &str, kind: &str, question: &Value) -> Vec<String> {
    let answer = world.post_with(&format!("/v1/{kind}/search"), token, &[], question);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let key = if kind == "victims" { "victim_id" } else { "accused_id" };
    answer.json()["items"].as_array().unwrap().iter().map(|c| c[key].as_str().unwrap().to_owned()).collect()
}

fn types(world: &World, token: &str, path: &str) -> Vec<String> {
    let items = world.get(&format!("{path}/history"), token).json()["items"].clone();
    items.as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect()
}

both! {
fn a_merged_record_says_where_the_person_is_and_shows_what_is_known_there(world) {
    let desk = desk(world, LIMA);
    let (first, away, _) = opened(world, &desk, named("Rosa", "AA100"), json!({}));
    let (_, into, _) = opened(world, &desk, named("Rosa Luz", "BB200"), json!({}));
    let merged = merge(world, &desk, "victims", &away, &into);
    assert_eq!((merged.status, &merged.json()["merged_into"], &merged.json()["version"]), (200, &json!(into), &json!(2)), "{}", merged.text);
    // What is corrected at the survivor shows at the record that was merged away, with another tag.
    let survivor = format!("/v1/victims/{into}");
    let before = world.get(&format!("/v1/victims/{away}"), &desk);
    assert_eq!(world.patch(&survivor, &desk, "\"1.o\"", &json!({"age_at_identification": 16})).status, 200);
    let read = world.get(&format!("/v1/victims/{away}"), &desk);
    assert_eq!((&read.json()["minor"], &read.json()["id"], &read.json()["merged_into"]), (&json!(true), &json!(away), &json!(into)));
    assert_ne!(before.header("etag"), read.header("etag"));
    let part = world.get(&format!("{first}/victims"), &desk).json()["items"][0].clone();
    assert_eq!((&part["victim_id"], &part["victim"]["merged_into"], &part["victim"]["age_at_identification"]), (&json!(away), &json!(into), &json!(16)));
    let identity = world.get(&format!("/v1/victims/{away}/identity"), &desk).json();
    assert_eq!((&identity["victim_id"], &identity["given_names"]), (&json!(into), &json!("Rosa Luz")));
    // Only the survivor is written to.
    assert_eq!(guards(&world.patch(&format!("/v1/victims/{away}"), &desk, &read.header("etag"), &json!({"sex": "male"}))), json!(["merged"]));
    assert_eq!(guards(&world.patch(&format!("/v1/victims/{away}/identity"), &desk, "\"1.o\"", &json!({"given_names": "X"}))), json!(["merged"]));
    // Each history has it, and the survivor lists it.
    assert_eq!(types(world, &desk, &format!("/v1/victims/{away}")), ["victim.created", "victim.transitioned"]);
    assert_eq!(types(world, &desk, &survivor), ["victim.created", "victim_merge.transitioned", "victim.updated"]);
    let list = world.get(&format!("{survivor}/merges"), &desk).json()["items"].clone();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["record_id"], &list[0]["evidence"], &list[0]["survivor_changed"]), (1, &json!(away), &json!(["same_document"]), &json!(true)));
    assert_eq!(world.get(&format!("/v1/victims/{away}/transitions"), &desk).json()["items"][0]["reason"], "El mismo documento figura en ambas fichas.");
    let store = &world.running.as_ref().unwrap().store;
    while store.read_blocking(sistra::ledger::sealer::progress).unwrap().1 > 0 {
        std::thread::yield_now();
    }
    let shown = world.get("/v1/audit/entries?limit=200", &desk).json()["items"].as_array().unwrap().iter().any(|e| e["type"] == "victim.transitioned" && e["shown"] == json!([into]));
    assert!(shown, "an auditor sees with whom");
}

fn a_search_by_either_name_finds_the_survivor_once(world) {
    let desk = desk(world, LIMA);
    for (kind, person) in [("victims", 1), ("accused", 2)] {
        let one = opened(world, &desk, named("Rosa", "AA100"), named("Percy", "PP1"));
        let other = opened(world, &desk, named("Rosalía", "BB200"), named("Pércival", "PP2"));
        let (away, into) = if person == 1 { (one.1, other.1) } else { (one.2, other.2) };
        let documents = if person == 1 { ["AA100", "BB200"] } else { ["PP1", "PP2"] };
        let by = |number: &str| json!({"document": {"type": "passport", "country": "VE", "number": number}});
        let before: Vec<_> = documents.iter().map(|d| found(world, &desk, kind, &by(d))).collect();
        assert!(before[0].contains(&away) && before[1].contains(&into));
        assert_eq!(merge(world, &desk, kind, &away, &into).status, 200);
        for document in documents {
            let after = found(world, &desk, kind, &by(document));
            assert!(after.contains(&into) && !after.contains(&away), "{kind} {document}: {after:?}");
            assert_eq!(after.iter().filter(|id| **id == into).count(), 1);
        }
        assert_eq!(unmerge(world, &desk, kind, &away, false).status, 200);
        assert_eq!(documents.map(|d| found(world, &desk, kind, &by(d))).to_vec(), before, "{kind}");
    }
    // A new record of the same person is told of one possible duplicate, not of two.
    let (path, away, _) = opened(world, &desk, named("Elena", "EE1"), json!({}));
    let (_, into, _) = opened(world, &desk, named("Elena", "EE1"), json!({}));
    assert_eq!(merge(world, &desk, "victims", &away, &into).status, 200);
    let mut again = case()["victims"][0].clone();
    again["identity"] = named("Elena", "EE1");
    let made = world.post(&format!("{path}/victims"), &desk, &again).json();
    let told: Vec<_> = made["possible_duplicates"].as_array().unwrap().iter().map(|c| c["victim_id"].clone()).collect();
    assert!(told.contains(&json!(into)) && !told.contains(&json!(away)), "{told:?}");
}

fn whoever_sees_one_record_of_a_person_sees_the_survivor_and_nothing_of_the_other_case(world) {
    let lima = desk(world, LIMA);
    let shelter = desk(world, "PE-MIMP-INABIF");
    let (first, away, _) = opened(world, &lima, named("Rosa", "AA100"), json!({}));
    let (second, into, _) = opened(world, &lima, named("Rosa Luz", "BB200"), json!({}));
    let share = json!({"agency": "PE-MIMP-INABIF", "role": "victim_care", "sections": ["victims", "victim_identity"], "victims": [away]});
    let shared = world.post(&format!("{first}/participants"), &lima, &share);
    assert_eq!(shared.status, 201, "{}", shared.text);
    assert_eq!(world.get(&format!("/v1/victims/{into}"), &shelter).status, 404);
    assert_eq!(merge(world, &lima, "victims", &away, &into).status, 200);
    assert_eq!(world.get(&format!("/v1/victims/{away}"), &shelter).json()["merged_into"], json!(into));
    assert_eq!(world.get(&format!("/v1/victims/{into}"), &shelter).status, 200);
    assert_eq!(world.get(&format!("/v1/victims/{into}/identity"), &shelter).json()["given_names"], "Rosa Luz");
    for hidden in [second.clone(), format!("{second}/victims"), format!("{second}/victims/{into}")] {
        assert_eq!(world.get(&hidden, &shelter).status, 404, "{hidden}");
    }
    // The reasons are the keepers' own; so is the decision.
    assert_eq!(world.get(&format!("/v1/victims/{away}/transitions"), &shelter).code(), "owner_only");
    assert_eq!(unmerge(world, &shelter, "victims", &away, false).code(), "owner_only");
    // Who looked at either record looked at the person.
    let looks = world.get(&format!("/v1/victims/{into}/disclosures?limit=200"), &lima).json();
    let by_shelter = looks["items"].as_array().unwrap().iter().filter(|l| l["agency"] == "PE-MIMP-INABIF").count();
    assert!(by_shelter >= 3, "{looks}");
    assert!(looks["received"].as_array().unwrap().iter().any(|r| r["agency"] == "PE-MIMP-INABIF"), "{looks}");
    let mut seen = 0;
    let mut next = format!("/v1/victims/{into}/disclosures?limit=1");
    loop {
        let page = world.get(&next, &lima).json();
        seen += page["items"].as_array().unwrap().len();
        match page["next_cursor"].as_str() {
            Some(cursor) if seen < 200 => next = format!("/v1/victims/{into}/disclosures?limit=1&cursor={cursor}"),
            _ => break,
        }
    }
    assert!(seen >= looks["items"].as_array().unwrap().len(), "every look of both records, page by page");
    assert_eq!(unmerge(world, &lima, "victims", &away, false).status, 200);
    assert_eq!(world.get(&format!("/v1/victims/{into}"), &shelter).status, 404);
    assert_eq!(world.get(&format!("/v1/victims/{away}"), &shelter).json()["merged_into"], Value::Null);
}

fn what_cannot_be_merged_is_refused_with_its_reason(world) {
    let lima = desk(world, LIMA);
    let police = desk(world, "PE-PNP-DIRCTPTIM");
    let one = opened(world, &lima, named("Rosa", "AA100"), json!({}));
    let two = opened(world, &lima, named("Luz", "BB200"), json!({}));
    let three = opened(world, &lima, named("Ana", "CC300"), json!({}));
    let foreign = opened(world, &police, named("Rosa", "AA100"), json!({}));
    assert_eq!(merge(world, &lima, "victims", &one.1, &one.1).faults(), ["#/into: cross_field"]);
    // Neither a stranger's record, nor one of another kind, nor none at all.
    for absent in [&foreign.1, &two.2, &uuid::Uuid::new_v4().to_string()] {
        assert_eq!(merge(world, &lima, "victims", &one.1, absent).faults(), ["#/into: reference_not_found"]);
    }
    assert_eq!(merge(world, &police, "victims", &one.1, &foreign.1).status, 404);
    let path = format!("/v1/victims/{}", one.1);
    let bad = world.step(&path, &lima, "\"1.o\"", &json!({"trigger": "merge", "evidence": ["gossip"], "reason": "corto", "changes_stay": true}));
    assert_eq!(bad.faults(), ["#/changes_stay: cross_field", "#/evidence/0: enum", "#/into: required", "#/reason: min_length"]);
    assert_eq!(guards(&unmerge(world, &lima, "victims", &one.1, false)), json!(["not_merged"]));
    assert_eq!(merge(world, &lima, "victims", &one.1, &two.1).status, 200);
    assert_eq!(guards(&merge(world, &lima, "victims", &one.1, &three.1)), json!(["already_merged"]));
    assert_eq!(guards(&merge(world, &lima, "victims", &two.1, &one.1)), json!(["survivor_merged"]), "no circle");
    // A survivor may go on to another: the first record follows.
    assert_eq!(merge(world, &lima, "victims", &two.1, &three.1).status, 200);
    assert_eq!(world.get(&path, &lima).json()["merged_into"], json!(three.1));
    assert_eq!(guards(&merge(world, &lima, "victims", &three.1, &one.1)), json!(["survivor_merged"]));
    // The version of the record decides between two who act at once; a repeated request is answered, not repeated.
    let stale = json!({"trigger": "unmerge", "reason": "Eran hermanas, no la misma."});
    assert_eq!(world.step(&path, &lima, "\"1.o\"", &stale).status, 412);
    let key = unique();
    let headers = [("Idempotency-Key", key.as_str()), ("If-Match", "\"2.o\"")];
    let done = world.post_with(&format!("{path}/transitions"), &lima, &headers, &stale);
    assert_eq!((done.status, &done.json()["merged_into"]), (200, &Value::Null), "{}", done.text);
    let again = world.post_with(&format!("{path}/transitions"), &lima, &headers, &stale);
    assert_eq!((again.status, again.header("idempotency-replayed").as_str()), (200, "true"));
    // A company is no natural person; whoever is not identified may be either.
    let kind = |body: Value| {
        let made = world.post(&format!("{}/accused", one.0), &lima, &body);
        assert_eq!(made.status, 201, "{}", made.text);
        made.header("location").rsplit('/').next().unwrap().to_owned()
    };
    let (person, company, nobody) = (kind(json!({"kind": "natural_person"})), kind(json!({"kind": "legal_person"})), kind(json!({"kind": "unidentified"})));
    assert_eq!(guards(&merge(world, &lima, "accused", &person, &company)), json!(["different_kinds"]));
    assert_eq!(merge(world, &lima, "accused", &nobody, &company).status, 200);
    let oversight = world.token("PE-DP", "victims:read accused:read", Purpose::Oversight);
    assert_eq!(world.get(&format!("/v1/accused/{nobody}"), &oversight).json()["merged_into"], json!(company));
    assert_eq!(world.get(&format!("/v1/accused/{company}/merges"), &oversight).json()["items"][0]["record_id"], json!(nobody));
}

fn what_names_a_merged_record_says_who_stands_for_the_person_and_takes_either_name(world) {
    let lima = world.token(LIMA, &format!("{DESK} charges:write assistance:read assistance:write"), Purpose::Prosecution);
    let guest = world.token("PE-MIMP-INABIF", "cases:read charges:read", Purpose::Assistance);
    let (path, away, suspect) = opened(world, &lima, named("Rosa", "AA100"), json!({"given_names": "Percy"}));
    let (_, into, known) = opened(world, &lima, named("Rosa Luz", "BB200"), json!({"given_names": "Percy Luis"}));
    let case_id = path.rsplit('/').next().unwrap().to_owned();
    let share = json!({"agency": "PE-MIMP-INABIF", "role": "information", "sections": ["charges"]});
    assert_eq!(world.post(&format!("{path}/participants"), &lima, &share).status, 201);
    let new = |path: &str, body: Value| {
        let made = world.post(path, &lima, &body);
        assert_eq!(made.status, 201, "{path}: {}", made.text);
        made
    };
    let charge = |accused: &str, victim: &str| json!({"case_id": case_id, "accused_id": accused, "offence_code": "PE-CP-129-A", "role": "promoter", "victims": [victim]});
    let referral = |victim: &str| json!({"case_id": case_id, "kind": "communication", "to_agency": "PE-MIMP-AURORA", "victims": [victim], "sections": ["narrative"], "purpose": "investigation", "legal_basis": "statutory_duty"});
    let measure = |victim: &str| json!({"kind": "protective", "type": "concealment", "victim_id": victim, "requested_by": "victim"});
    let measures = format!("{path}/measures");
    let before = [new("/v1/charges", charge(&suspect, &away)), new("/v1/referrals", referral(&away)), new(&measures, measure(&away))];
    for made in &before {
        assert_eq!(made.json()["merged"], json!([]), "{}", made.text);
    }
    let need = new(&format!("/v1/victims/{away}/assistance"), json!({"need": "legal_aid"})).json()["id"].clone();
    let needs = |victim: &str| world.get(&format!("/v1/victims/{victim}/assistance"), &lima).json()["items"].as_array().unwrap().iter().map(|n| n["id"].clone()).collect::<Vec<_>>();
    assert_eq!(needs(&into), [] as [Value; 0]);
    assert_eq!(merge(world, &lima, "victims", &away, &into).status, 200);
    assert_eq!(merge(world, &lima, "accused", &suspect, &known).status, 200);
    assert_eq!(needs(&into), [need], "what was asked for under either name is asked for the person");
    let victim = json!({"record_id": away, "merged_into": into});
    let accused = json!({"record_id": suspect, "merged_into": known});
    let mut both = [victim.clone(), accused.clone()];
    both.sort_by_key(|one| one["record_id"].as_str().unwrap().to_owned());
    let sorted = |body: &Value| {
        let mut merged = body["merged"].as_array().unwrap().clone();
        merged.sort_by_key(|one| one["record_id"].as_str().unwrap().to_owned());
        merged
    };
    // The record named stays visible; beside it stands who it is now, under another tag of the same version.
    for (n, made) in before.iter().enumerate() {
        let read = world.get(&made.header("location"), &lima);
        assert_eq!(sorted(&read.json()), if n == 0 { both.to_vec() } else { vec![victim.clone()] }, "{}", read.text);
        assert_eq!(read.json()["version"], made.json()["version"]);
        assert_ne!(read.header("etag"), made.header("etag"));
    }
    let listed = world.get(&format!("/v1/charges?case_id={case_id}"), &lima).json()["items"].clone();
    assert!(listed.as_array().unwrap().iter().all(|one| sorted(one) == both), "{listed}");
    assert_eq!(world.get(&measures, &lima).json()["items"][0]["merged"], json!([victim]));
    assert_eq!(world.get("/v1/referrals?box=out", &lima).json()["items"][0]["merged"], json!([victim]));
    // Whoever does not see the persons of a charge is not told of them in this way.
    assert_eq!(world.get(&before[0].header("location"), &guest).json()["merged"], json!([]));
    // Who names the survivor means the record under which the person is in this case.
    let made = new("/v1/charges", charge(&known, &into)).json();
    assert_eq!((&made["accused_id"], &made["victims"], sorted(&made)), (&json!(suspect), &json!([away]), both.to_vec()));
    let made = new("/v1/referrals", referral(&into)).json();
    assert_eq!((&made["victims"], &made["merged"]), (&json!([away]), &json!([victim])));
    let made = new(&measures, measure(&into)).json();
    assert_eq!((&made["victim_id"], &made["merged"]), (&json!(away), &json!([victim])));
    // Taken apart, everything is as it was, and the other person is a stranger to the case again.
    assert_eq!(unmerge(world, &lima, "victims", &away, true).status, 200);
    assert_eq!(unmerge(world, &lima, "accused", &suspect, true).status, 200);
    for made in &before {
        let read = world.get(&made.header("location"), &lima);
        assert_eq!((&read.json()["merged"], read.header("etag")), (&json!([]), made.header("etag")));
    }
    assert_eq!(world.post("/v1/charges", &lima, &charge(&known, &into)).faults(), ["#/accused_id: reference_not_found", "#/victims/0: reference_not_found"]);
    assert_eq!(world.post("/v1/referrals", &lima, &referral(&into)).faults(), ["#/victims/0: reference_not_found"]);
    assert_eq!(world.post(&measures, &lima, &measure(&into)).faults(), ["#/victim_id: reference_not_found"]);
}

fn a_conviction_under_one_record_of_a_person_is_one_of_the_person_and_an_age_protects_everywhere(world) {
    let lima = desk(world, LIMA);
    let (path, adult, _) = opened(world, &lima, named("Rosa", "AA100"), json!({}));
    let (_, child, _) = opened(world, &lima, named("Rosa", "AA100"), json!({}));
    assert_eq!(world.patch(&format!("/v1/victims/{child}"), &lima, "\"1.o\"", &json!({"age_at_identification": 15})).status, 200);
    // Somebody else breaks the glass: alone, as long as nobody in the case is known to be a child.
    let duty = world.token("PE-PNP", "break_glass:invoke cases:read", Purpose::Investigation);
    let emergency = json!({"case_id": path.rsplit('/').next(), "reason_code": "life_at_risk", "reason": "x".repeat(40), "sections": ["narrative"]});
    assert_eq!(world.post("/v1/break-glass", &duty, &emergency).json()["two_persons"], json!(false));
    assert_eq!(merge(world, &lima, "victims", &adult, &child).status, 200);
    assert_eq!(world.post("/v1/break-glass", &duty, &emergency).json()["two_persons"], json!(true));
}
}

/// One thing that happens to one of two records between merge and unmerge.
#[derive(Clone, Debug)]
enum Step {
    Facts(bool, i32),
    Name(bool, String),
    Part(bool, bool),
    Look(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (any::<bool>(), 18..90_i32).prop_map(|(who, age)| Step::Facts(who, age)),
        (any::<bool>(), "[A-Z][a-z]{2,8}").prop_map(|(who, name)| Step::Name(who, name)),
        (any::<bool>(), any::<bool>()).prop_map(|(who, threat)| Step::Part(who, threat)),
        any::<bool>().prop_map(Step::Look),
    ]
}

/// Whatever happens meanwhile: the record that was merged away comes back as it was, and what was done stays where it
/// was done. The model is a registry in which the same steps happen without any merge.
#[test]
fn merge_and_unmerge_leave_everything_as_it_would_be_without_them() {
    let world = World::new(Engine::Sqlite).unwrap();
    let desk = desk(&world, LIMA);
    let pair = || {
        (opened(&world, &desk, named("Rosa", "AA100"), json!({})), opened(&world, &desk, named("Luz", "BB200"), json!({})))
    };
    let apply = |pair: &((String, String, String), (String, String, String)), step: &Step| -> bool {
        let (away, into) = pair;
        let of = |who: bool| if who { (&away.0, &away.1) } else { (&into.0, &into.1) };
        let patch = |path: String, body: Value| {
            let etag = world.get(&path, &desk).header("etag");
            world.patch(&path, &desk, &etag, &body).status == 200
        };
        match step {
            Step::Facts(who, age) => patch(format!("/v1/victims/{}", of(*who).1), json!({"age_at_identification": age})),
            Step::Name(who, name) => patch(format!("/v1/victims/{}/identity", of(*who).1), json!({"given_names": name})),
            Step::Part(who, threat) => patch(
                format!("{}/victims/{}", of(*who).0, of(*who).1),
                json!({"means": [if *threat { "threat" } else { "deception" }]}),
            ),
            Step::Look(who) => world.get(&format!("/v1/victims/{}/identity", of(*who).1), &desk).status == 200,
        }
    };
    let shape = |pair: &((String, String, String), (String, String, String))| -> Vec<Value> {
        let mut all = Vec::new();
        for (path, victim, _) in [&pair.0, &pair.1] {
            for path in [
                format!("/v1/victims/{victim}"),
                format!("/v1/victims/{victim}/identity"),
                format!("{path}/victims/{victim}"),
            ] {
                let mut text = still(&world, &desk, &path).to_string();
                for (n, id) in [&pair.0.1, &pair.1.1].into_iter().enumerate() {
                    text = text.replace(id, &format!("record {n}"));
                }
                let mut value: Value = serde_json::from_str(&text).unwrap();
                // What differs between any two records.
                for field in ["code", "created_at", "updated_at", "case_id"] {
                    value.as_object_mut().unwrap().remove(field);
                }
                if let Some(inner) = value.get_mut("victim").and_then(Value::as_object_mut) {
                    inner.retain(|name, _| !["code", "created_at", "updated_at", "version"].contains(&name.as_str()));
                }
                all.push(value);
            }
        }
        all
    };
    let mut runner = TestRunner::new(Runs { cases: 24, failure_persistence: None, ..Runs::default() });
    runner
        .run(
            &(prop::collection::vec(step(), 0..3), prop::collection::vec(step(), 0..6), prop::collection::vec(step(), 0..3)),
            |(before, between, after)| {
                let (tried, model) = (pair(), pair());
                for s in &before {
                    apply(&tried, s);
                    apply(&model, s);
                }
                assert_eq!(merge(&world, &desk, "victims", &tried.0.1, &tried.1.1).status, 200);
                for s in &between {
                    // What the merged record refuses did not happen; everything else did, in both.
                    if apply(&tried, s) {
                        apply(&model, s);
                    }
                }
                assert_eq!(unmerge(&world, &desk, "victims", &tried.0.1, true).status, 200);
                prop_assert_eq!(shape(&tried), shape(&model));
                for s in &after {
                    prop_assert_eq!(apply(&tried, s), apply(&model, s));
                }
                prop_assert_eq!(shape(&tried), shape(&model));
                Ok(())
            },
        )
        .unwrap();
}

/// Merges and their ends in any order: the totals count whoever stands, each once; in the end everybody is there again.
#[test]
fn the_totals_count_every_person_once_whatever_is_merged_and_taken_apart() {
    const PERSONS: usize = 5;
    let world = World::new(Engine::Sqlite).unwrap();
    let desk = world.token(LIMA, &format!("{DESK} assistance:read assistance:write"), Purpose::Prosecution);
    let totals = || world.get("/v1/reunifications", &desk).json()["totals"]["victims"].as_u64().unwrap() as usize;
    let mut runner = TestRunner::new(Runs { cases: 16, failure_persistence: None, ..Runs::default() });
    runner
        .run(&prop::collection::vec((0..PERSONS, 0..PERSONS, any::<bool>()), 1..16), |moves| {
            let before = totals();
            let people: Vec<String> = (0..PERSONS)
                .map(|n| {
                    let (_, victim, _) = opened(&world, &desk, named("Rosa", &format!("AA10{n}")), json!({}));
                    let begun = json!({"country": "US", "beneficiaries": [{"relation": "parent", "age": 50}]});
                    let made = world.post(&format!("/v1/victims/{victim}/reunifications"), &desk, &begun);
                    assert_eq!(made.status, 201, "{}", made.text);
                    victim
                })
                .collect();
            // Which record each of them was merged into.
            let mut up = [None; PERSONS];
            let check = |up: &[Option<usize>; PERSONS]| {
                let standing = |n: usize| std::iter::successors(Some(n), |at| up[*at]).last().unwrap();
                let persons: std::collections::BTreeSet<usize> = (0..PERSONS).map(standing).collect();
                prop_assert_eq!(totals() - before, persons.len());
                for (n, person) in people.iter().enumerate() {
                    let of = world.get(&format!("/v1/reunifications?victim_id={person}"), &desk).json();
                    let same = (0..PERSONS).filter(|m| standing(*m) == standing(n)).count();
                    prop_assert_eq!(of["items"].as_array().unwrap().len(), same);
                    let known = world.get(&format!("/v1/victims/{person}"), &desk).json()["merged_into"].clone();
                    prop_assert_eq!(known, if standing(n) == n { Value::Null } else { json!(people[standing(n)]) });
                }
                Ok(())
            };
            for (one, other, joins) in moves {
                if joins {
                    let may = one != other && up[one].is_none() && up[other].is_none();
                    prop_assert_eq!(merge(&world, &desk, "victims", &people[one], &people[other]).status == 200, may);
                    if may {
                        up[one] = Some(other);
                    }
                } else {
                    let ended = unmerge(&world, &desk, "victims", &people[one], true).status == 200;
                    prop_assert_eq!(ended, up[one].is_some());
                    up[one] = None;
                }
                check(&up)?;
            }
            for (merged, person) in up.iter_mut().zip(&people) {
                if merged.take().is_some() {
                    assert_eq!(unmerge(&world, &desk, "victims", person, true).status, 200);
                }
            }
            check(&up)
        })
        .unwrap();
}
