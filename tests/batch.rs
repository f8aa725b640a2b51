//! Many writes as one: all of them or none, and no way round anything.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{ALL, Answer, World, case, unique};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const SHELTER: &str = "PE-MIMP-INABIF";

fn operation(id: &str, path: &str, body: Value) -> Value {
    json!({"id": id, "method": "POST", "path": path, "body": body})
}

fn batch(world: &World, token: &str, operations: &[Value]) -> Answer {
    world.post("/v1/batch", token, &json!({"operations": operations}))
}

fn cases(world: &World, token: &str) -> Vec<Value> {
    world.get("/v1/cases?limit=200", token).json()["items"].as_array().unwrap().clone()
}

fn note(n: usize) -> Value {
    operation(&format!("n{n}"), "/v1/cases/${case}/notes", json!({"visibility": "shared", "text": format!("Nota {n}")}))
}

both! {
fn what_an_operation_makes_later_ones_name_and_everything_is_there_in_the_end(world) {
    let token = world.prosecutor();
    let mut new = case();
    new["victims"] = json!([]);
    new["accused"] = json!([]);
    new["charges"] = json!([]);
    let referral = json!({"case_id": "${case}", "kind": "service_request", "to_agency": SHELTER, "services": ["shelter"], "sections": ["victims"],
        "victims": ["${victim#/victim_id}"], "purpose": "assistance", "urgency": "immediate", "legal_basis": "danger_to_life"});
    let mut place = json!({"id": "place", "method": "PATCH", "path": "/v1/cases/${case}", "if_match": "${case#etag}", "body": {"territory": "170102"}});
    let mut send = operation("send", "/v1/referrals/${referral}/transitions", json!({"trigger": "send"}));
    send["if_match"] = json!("${referral#etag}");
    let operations = [
        operation("case", "/v1/cases", new),
        operation("victim", "/v1/cases/${case}/victims", json!({"sex": "female", "age_at_identification": 16, "acts": ["recruit"], "purposes": ["sexual_exploitation"]})),
        operation("accused", "/v1/cases/${case}/accused", json!({"kind": "natural_person"})),
        operation("charge", "/v1/charges", json!({"case_id": "${case}", "accused_id": "${accused}", "offence_code": "PE-CP-129-A", "role": "author", "victims": ["${victim#/victim_id}"]})),
        operation("referral", "/v1/referrals", referral),
        place.clone(),
        send,
    ];
    let done = batch(world, &token, &operations);
    assert_eq!(done.status, 200, "{}", done.text);
    let answers = done.json()["operations"].as_array().unwrap().clone();
    let statuses: Vec<u64> = answers.iter().map(|a| a["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 201, 201, 201, 200, 200]);
    for (answer, location) in answers.iter().zip([Some("/v1/cases/"), Some("/v1/cases/"), Some("/v1/accused/"), Some("/v1/charges/"), Some("/v1/referrals/"), None, None]) {
        match location {
            Some(start) => assert!(answer["location"].as_str().unwrap().starts_with(start), "{answer}"),
            None => assert_eq!(answer["location"], Value::Null),
        }
    }
    let at = answers[0]["location"].as_str().unwrap();
    let read = world.get(at, &token);
    assert_eq!((&read.json()["territory"], read.header("etag")), (&json!("170102"), answers[5]["etag"].as_str().unwrap().to_owned()));
    let referral = world.get(answers[4]["location"].as_str().unwrap(), &world.shelter()).json();
    assert_eq!((&referral["state"], &referral["victims"][0]), (&json!("sent"), &answers[1]["body"]["victim_id"]));
    // Each stands in the ledger as it would alone.
    let history = world.get(&format!("{at}/history"), &token).json();
    let types: Vec<&str> = history["items"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(types, ["case.created", "case_victim.linked", "case_accused.linked", "case.updated"]);
    place["if_match"] = json!("\"1.o\"");
    place["path"] = json!(at);
    let stale = batch(world, &token, &[place]);
    assert_eq!((stale.status, stale.code().as_str(), &stale.json()["current_version"]), (412, "precondition_failed", &json!(2)));
    assert_eq!(stale.faults(), ["#/operations/0: precondition_failed"]);
}

fn where_the_fifty_seventh_of_a_hundred_fails_nothing_is_there_and_the_answer_names_it(world) {
    let token = world.prosecutor();
    let before = cases(world, &token).len();
    let mut operations: Vec<Value> = vec![operation("case", "/v1/cases", case())];
    operations.extend((1..100).map(note));
    operations[56]["body"]["visibility"] = json!("nonsense");
    let refused = batch(world, &token, &operations);
    assert_eq!((refused.status, refused.code().as_str()), (422, "validation_failed"));
    assert_eq!(refused.faults(), ["#/operations/56/body/visibility: enum"]);
    assert_eq!(cases(world, &token).len(), before);
    // The same key with the fault mended: nothing was claimed.
    operations[56]["body"]["visibility"] = json!("shared");
    let key = unique();
    let done = world.post_with("/v1/batch", &token, &[("Idempotency-Key", &key)], &json!({"operations": operations}));
    assert_eq!(done.status, 200, "{}", done.text);
    assert_eq!(cases(world, &token).len(), before + 1);
    let at = done.json()["operations"][0]["location"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("{at}/notes?limit=200"), &token).json()["items"].as_array().unwrap().len(), 99);
    // Again, with the same key: the same places, and nothing new.
    let again = world.post_with("/v1/batch", &token, &[("Idempotency-Key", &key)], &json!({"operations": operations}));
    assert_eq!((again.status, again.header("idempotency-replayed").as_str()), (200, "true"), "{}", again.text);
    let bare = |a: &Value| (a["id"].clone(), a["status"].clone(), a["location"].clone(), a["etag"].clone());
    let list = |a: &Answer| a.json()["operations"].as_array().unwrap().iter().map(bare).collect::<Vec<_>>();
    assert_eq!(list(&again), list(&done));
    assert!(again.json()["operations"].as_array().unwrap().iter().all(|a| a["body"].is_null()));
    assert_eq!(cases(world, &token).len(), before + 1);
    operations.pop();
    let other = world.post_with("/v1/batch", &token, &[("Idempotency-Key", &key)], &json!({"operations": operations}));
    assert_eq!(other.code(), "idempotency_key_reused");
}

fn an_operation_needs_in_a_batch_what_it_needs_alone(world) {
    let owner = world.prosecutor();
    let made = world.post("/v1/cases", &owner, &case());
    let (at, id) = (made.header("location"), made.json()["id"].as_str().unwrap().to_owned());
    let victim = world.get(&format!("{at}/victims"), &owner).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    let narrow = world.token(OWNER, "cases:read cases:write", Purpose::Prosecution);
    let good = operation("good", "/v1/cases", case());
    let fails = |token: &str, second: Value| {
        let before = cases(world, &owner).len();
        let refused = batch(world, token, &[good.clone(), second]);
        assert_eq!(cases(world, &owner).len(), before, "{}", refused.text);
        (refused.status, refused.code(), refused.faults())
    };
    let at_one = |code: &str| vec![format!("#/operations/1: {code}")];
    let new_charge = json!({"case_id": id, "accused_id": victim, "offence_code": "PE-CP-129-A", "role": "author", "victims": []});
    assert_eq!(fails(&narrow, operation("x", "/v1/charges", new_charge)), (403, "insufficient_scope".into(), at_one("insufficient_scope")));
    let identity = json!({"id": "x", "method": "PATCH", "path": format!("/v1/victims/{victim}/identity"), "if_match": "\"1.o\"", "body": {"given_names": "Rosa"}});
    assert_eq!(fails(&owner, identity), (403, "insufficient_scope".into(), at_one("insufficient_scope")));
    let shelter = world.shelter();
    assert_eq!(fails(&shelter, operation("x", &format!("{at}/notes"), json!({"visibility": "shared", "text": "x"}))), (404, "not_found".into(), at_one("not_found")));
    assert_eq!(fails(&owner, operation("x", "/v1/nowhere", json!({}))), (404, "not_found".into(), at_one("not_found")));
    assert_eq!(fails(&owner, operation("x", &format!("{at}/transitions"), json!({"trigger": "open_inquiry"}))), (428, "precondition_required".into(), at_one("precondition_required")));
    let unknown = operation("x", &format!("{at}/notes"), json!({"visibility": "shared", "text": "x", "colour": "red"}));
    assert_eq!(fails(&owner, unknown), (422, "validation_failed".into(), vec!["#/operations/1/body/colour: unknown_field".into()]));
    // And what is no operation of a batch is said before anything is begun.
    for (second, fault) in [
        (operation("x", "/v1/victims/search", json!({})), "#/operations/1/path: enum"),
        (operation("x", "/v1/batch", json!({"operations": []})), "#/operations/1/path: enum"),
        (operation("x", "/v1/cases/${y}/notes", json!({})), "#/operations/1/path: reference_not_found"),
        (operation("x", "/v1/cases", json!({"title": "${good#/nothing}"})), "#/operations/1/body/title: reference_not_found"),
        (operation("good", "/v1/cases", json!({})), "#/operations/1/id: unique_items"),
    ] {
        assert_eq!(fails(&owner, second), (422, "validation_failed".into(), vec![fault.to_owned()]));
    }
    for (change, fault) in [
        (json!({"body": {"x": 1}}), "#/operations/0/body: cross_field"), (json!({"if_match": "\"1.o\""}), "#/operations/0/if_match: cross_field"),
        (json!({"path": "/v1/events"}), "#/operations/0/path: enum"), (json!({"path": "/v1/cases?limit=1"}), "#/operations/0/path: pattern"),
        (json!({"method": "DELETE"}), "#/operations/0/method: enum"),
    ] {
        let mut get = json!({"id": "x", "method": "GET", "path": "/v1/cases"});
        change.as_object().unwrap().iter().for_each(|(name, value)| get[name] = value.clone());
        assert_eq!(batch(world, &owner, &[get]).faults(), [fault], "{change}");
    }
    assert_eq!(batch(world, &owner, &[]).faults(), ["#/operations: min_items"]);
    let many: Vec<Value> = (0..101).map(|n| operation(&format!("c{n}"), "/v1/cases", case())).collect();
    assert_eq!(batch(world, &owner, &many).faults(), ["#/operations: max_items"]);
}

fn a_read_in_a_batch_shows_what_the_operations_before_it_did_and_is_on_record_also_where_the_batch_fails(world) {
    let owner = world.token(OWNER, ALL, Purpose::Prosecution);
    let auditor = world.token("PE-DP", "audit:read cases:read", Purpose::Oversight);
    let get = |id: &str, path: &str| json!({"id": id, "method": "GET", "path": path});
    let place = json!({"id": "place", "method": "PATCH", "path": "/v1/cases/${case}", "if_match": "${before#etag}", "body": {"territory": "170102"}});
    let read = [operation("case", "/v1/cases", case()), get("before", "/v1/cases/${case}"), place, get("after", "/v1/cases/${case}"), get("victims", "/v1/cases/${case}/victims")];
    let done = batch(world, &owner, &read);
    assert_eq!(done.status, 200, "{}", done.text);
    let answers = done.json()["operations"].clone();
    assert_eq!((&answers[1]["body"]["territory"], &answers[3]["body"]["territory"], &answers[3]["body"]["version"]), (&json!("170101"), &json!("170102"), &json!(2)));
    let at = answers[0]["location"].as_str().unwrap();
    let alone = world.get(at, &owner);
    assert_eq!((&answers[3]["body"], &answers[3]["etag"]), (&alone.json(), &json!(alone.header("etag"))), "as alone");
    assert_eq!(answers[4]["body"]["items"], world.get(&format!("{at}/victims"), &owner).json()["items"]);
    // Each of them is entered, under the request of the batch.
    let id = at.rsplit('/').next().unwrap();
    let looks = |request: &str| {
        let entries = world.get(&format!("/v1/audit/entries?resource_id={id}&limit=200"), &auditor).json()["items"].clone();
        entries.as_array().unwrap().iter().filter(|e| e["type"] == "case.read" && e["request_id"] == request).count()
    };
    assert_eq!(looks(&done.header("request-id")), 2);
    // A batch that fails after a look shows nothing, and the look was one.
    let failed = batch(world, &owner, &[get("look", at), operation("x", &format!("{at}/nowhere"), json!({}))]);
    assert_eq!((failed.status, looks(&failed.header("request-id"))), (404, 1), "{}", failed.text);
    let stranger = world.token("PE-MP-FISTRAP-PIURA", ALL, Purpose::Prosecution);
    let hidden = batch(world, &stranger, &[get("look", at)]);
    assert_eq!((hidden.status, hidden.faults()), (404, vec!["#/operations/0: not_found".to_owned()]));
}

fn looks_in_a_batch_count_against_the_budget_and_raise_its_alarms(world, |config, _dir| { config.serve.listed_cases_per_hour = 4; }) {
    let owner = world.token(OWNER, ALL, Purpose::Prosecution);
    for _ in 0..2 {
        assert_eq!(world.post("/v1/cases", &owner, &case()).status, 201);
    }
    let list = |n: usize| json!({"id": format!("l{n}"), "method": "GET", "path": "/v1/cases"});
    assert_eq!(batch(world, &owner, &[list(1), list(2)]).status, 200);
    let refused = batch(world, &owner, &[operation("case", "/v1/cases", case()), list(3)]);
    assert_eq!((refused.status, refused.code().as_str()), (429, "quota_exceeded"), "{}", refused.text);
    let auditor = world.token("PE-DP", "audit:read", Purpose::Oversight);
    let alerts = world.get("/v1/audit/alerts", &auditor).json()["items"].clone();
    let levels: Vec<&str> = alerts.as_array().unwrap().iter().map(|a| a["level"].as_str().unwrap()).collect();
    assert_eq!(levels.len(), 2, "{alerts}");
}

fn batches_at_the_same_time_do_not_mix(world) {
    let token = world.prosecutor();
    let before = cases(world, &token).len();
    let outcomes: Vec<u16> = std::thread::scope(|scope| {
        let run = |n: usize| {
            let token = token.clone();
            move || {
                let mut operations = vec![operation("case", "/v1/cases", case())];
                operations.extend((1..10).map(note));
                if n % 2 == 1 {
                    operations[9]["path"] = json!("/v1/cases/${case}/nowhere");
                }
                batch(world, &token, &operations).status
            }
        };
        let threads: Vec<_> = (0..6).map(|n| scope.spawn(run(n))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert_eq!(outcomes, [200, 404, 200, 404, 200, 404]);
    assert_eq!(cases(world, &token).len(), before + 3);
    // Other writes go on.
    assert_eq!(world.post("/v1/cases", &token, &case()).status, 201);
}

fn every_operation_counts_against_the_quota_of_writes(world, |config, _dir| config.serve.rate_write_per_min = 20) {
    let token = world.token(OWNER, ALL, Purpose::Prosecution);
    let operations: Vec<Value> = (0..30).map(|n| operation(&format!("c{n}"), "/v1/cases", case())).collect();
    let refused = batch(world, &token, &operations);
    assert_eq!((refused.status, refused.code().as_str()), (429, "quota_exceeded"), "{}", refused.text);
    assert_eq!(cases(world, &token), Vec::<Value>::new());
}
}
