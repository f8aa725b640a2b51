//! Limits on looking: the alerts, who sees and acknowledges them, and the answers to those who look too much.

use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::clients::{Constraint, Credential, constrain};
use sistra::kernel::Timestamp;
use sistra::kernel::ids::ClientId;

use crate::both;
use crate::support::{ALL, Answer, World, case, unique};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const OVERSIGHT: &str = "PE-DP";

/// A client with these scopes, and a token of it; its key is nobody's, because no assertion is needed here.
fn client(world: &World, agency: &str, scopes: &str, purpose: Purpose) -> (ClientId, String) {
    let jwks = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]});
    let (id, _) = world.client(agency, scopes, &[purpose], Credential::Jwks(jwks.to_string())).unwrap();
    (id, world.token_of(id))
}

fn supervisor(world: &World) -> String {
    client(world, OVERSIGHT, "audit:read audit:review cases:read", Purpose::Oversight).1
}

fn pending(world: &World, token: &str) -> Vec<Value> {
    let answer = world.get("/v1/audit/alerts?review=pending", token);
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().clone()
}

/// A case of an agency in a place, with one victim; the victim's identity.
fn identity(world: &World, owner: &str, territory: &str) -> String {
    let mut new = case();
    new["territory"] = territory.into();
    let made = world.post("/v1/cases", owner, &new);
    assert_eq!(made.status, 201, "{}", made.text);
    let list = world.get(&format!("{}/victims", made.header("location")), owner).json();
    format!("/v1/victims/{}/identity", list["items"][0]["victim_id"].as_str().unwrap())
}

fn refused(answer: &Answer, policy: &str) {
    assert_eq!((answer.status, answer.code().as_str()), (429, "quota_exceeded"), "{}", answer.text);
    assert_eq!(answer.json()["violated_policies"], json!([policy]));
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0);
}

const DESK: &str = "victims.identity:read audit:read audit:review";

both! {
fn agency_and_oversight_hear_of_a_client_that_uses_its_budget_up_once_a_window(world, |config, _dir| { config.serve.pii_subjects_per_day = 5; }) {
    let (me, token) = client(world, OWNER, &format!("{ALL} {DESK}"), Purpose::Prosecution);
    let (oversight, stranger) = (supervisor(world), client(world, "PE-MP-FISTRAP-PIURA", "audit:read audit:review", Purpose::Prosecution).1);
    let doors: Vec<String> = (0..6).map(|_| identity(world, &token, "150101")).collect();
    for door in &doors[..3] {
        assert_eq!(world.get(door, &token).status, 200);
        assert_eq!(world.get(door, &token).status, 200, "the same person again costs nothing");
    }
    assert_eq!(pending(world, &oversight), Vec::<Value>::new());
    assert_eq!(world.get(&doors[3], &token).status, 200, "four of five are eighty per cent");
    let alerts = pending(world, &oversight);
    assert_eq!(alerts, pending(world, &token), "the agency sees it as oversight does");
    let alert = &alerts[0];
    for (key, value) in [("budget", json!("pii_subjects")), ("level", json!("warning")), ("used", json!(4)), ("quota", json!(5)), ("window_s", json!(86_400)),
        ("client_id", json!(me)), ("agency", json!(OWNER)), ("purpose", json!("prosecution")), ("state", json!("open"))] {
        assert_eq!(alert[key], value, "{key}");
    }
    let at = format!("/v1/audit/alerts/{}", alert["id"].as_str().unwrap());
    let entries = world.get(&format!("/v1/audit/entries?resource_id={}", alert["id"].as_str().unwrap()), &token).json()["items"].clone();
    let raised = entries.as_array().unwrap().iter().find(|e| e["type"] == "audit_alert.alerted").unwrap_or_else(|| panic!("{entries}"));
    assert_eq!((&raised["client_id"], &raised["trigger"], &raised["to"]), (&json!(me), &json!("pii_subjects"), &json!("warning")));
    assert_eq!(world.get(&doors[4], &token).status, 200);
    refused(&world.get(&doors[5], &token), "pii_subjects");
    refused(&world.get(&doors[5], &token), "pii_subjects");
    assert_eq!(world.get(&doors[0], &token).status, 200, "whom it has seen it sees");
    let levels: Vec<Value> = pending(world, &oversight).iter().map(|a| a["level"].clone()).collect();
    assert_eq!(levels, [json!("warning"), json!("exhausted")], "each once");

    // Nobody else is told that there is anything.
    assert_eq!((world.get(&at, &stranger).status, pending(world, &stranger).len()), (404, 0));
    let acknowledge = json!({"trigger": "acknowledge", "finding": "expected", "reference": "EXP-14-2026"});
    assert_eq!(world.step(&at, &stranger, "\"1.a\"", &acknowledge).status, 404);
    assert_eq!(world.step(&at, &token, "\"1.a\"", &acknowledge).code(), "owner_only", "who looked does not judge");
    let bad = json!({"trigger": "acknowledge", "finding": "boredom", "reference": "Rosa Quispe"});
    assert_eq!(world.step(&at, &oversight, "\"1.a\"", &bad).faults(), ["#/finding: enum", "#/reference: pattern"]);
    assert_eq!(world.step(&at, &oversight, "\"7.a\"", &acknowledge).status, 412);
    let (key, tag) = (unique(), world.get(&at, &oversight).header("etag"));
    let headers = [("Idempotency-Key", key.as_str()), ("If-Match", tag.as_str())];
    let done = world.post_with(&format!("{at}/transitions"), &oversight, &headers, &acknowledge);
    assert_eq!((done.status, &done.json()["state"], &done.json()["acknowledged_by"], &done.json()["finding"]), (200, &json!("acknowledged"), &json!(OVERSIGHT), &json!("expected")), "{}", done.text);
    let again = world.post_with(&format!("{at}/transitions"), &oversight, &headers, &acknowledge);
    assert_eq!((again.status, again.header("idempotency-replayed").as_str()), (200, "true"));
    let late = world.step(&at, &oversight, "\"2.a\"", &acknowledge);
    assert_eq!((late.status, &late.json()["failed_guards"]), (409, &json!(["already_acknowledged"])));
    assert_eq!(pending(world, &oversight).len(), 1);
    assert_eq!(world.get("/v1/audit/alerts?review=done", &token).json()["items"][0], done.json());
}

fn whoever_walks_the_lists_of_cases_is_noticed_and_then_stopped(world, |config, _dir| { config.serve.listed_cases_per_hour = 10; }) {
    let (_, token) = client(world, OWNER, &format!("{ALL} audit:read"), Purpose::Prosecution);
    let oversight = supervisor(world);
    for _ in 0..4 {
        assert_eq!(world.post("/v1/cases", &token, &case()).status, 201);
    }
    for _ in 0..2 {
        assert_eq!(world.get("/v1/cases", &token).status, 200);
    }
    let alerts = pending(world, &oversight);
    assert_eq!((alerts.len(), &alerts[0]["budget"], &alerts[0]["used"], &alerts[0]["window_s"]), (1, &json!("listed_cases"), &json!(8), &json!(3600)));
    assert_eq!(world.get("/v1/cases", &token).status, 200, "the page that reaches the budget is the last one");
    let stopped = world.get("/v1/cases", &token);
    refused(&stopped, "listed_cases");
    assert!(!stopped.text.contains("items"));
    assert_eq!(pending(world, &token).len(), 2);
    let (_, other) = client(world, OWNER, ALL, Purpose::Prosecution);
    assert_eq!(world.get("/v1/cases", &other).status, 200, "another client's hour");
}

fn whoever_walks_the_lists_of_persons_is_noticed_and_then_stopped(world, |config, _dir| { config.serve.listed_persons_per_hour = 4; }) {
    let (_, token) = client(world, OWNER, ALL, Purpose::Prosecution);
    let oversight = supervisor(world);
    let path = world.post("/v1/cases", &token, &case()).header("location");
    for list in ["victims", "accused", "victims", "accused"] {
        assert_eq!(world.get(&format!("{path}/{list}"), &token).status, 200, "{list}");
    }
    refused(&world.get(&format!("{path}/victims"), &token), "listed_persons");
    let seen: Vec<(Value, Value)> = pending(world, &oversight).iter().map(|a| (a["level"].clone(), a["used"].clone())).collect();
    assert_eq!(seen, [(json!("warning"), json!(4)), (json!("exhausted"), json!(4))]);
    assert_eq!(world.get(&path, &token).status, 200, "one record by its id is no list");
}

fn searches_and_questions_are_alerted_too(world, |config, _dir| { config.serve.searches_per_day = 2; config.serve.deconfliction_per_day = 1; config.serve.looking_alert_percent = 100; }) {
    let (_, token) = client(world, OWNER, "accused:search deconfliction:ask", Purpose::Prosecution);
    let oversight = supervisor(world);
    let question = json!({"given_names": "Rosa", "surnames": "Quispe", "birth_year": 1990});
    for _ in 0..2 {
        assert_eq!(world.post("/v1/accused/search", &token, &question).status, 200);
    }
    refused(&world.post("/v1/accused/search", &token, &question), "search_day");
    assert_eq!(world.post("/v1/deconfliction", &token, &question).status, 200);
    refused(&world.post("/v1/deconfliction", &token, &question), "deconfliction");
    let seen: Vec<(Value, Value)> = pending(world, &oversight).iter().map(|a| (a["budget"].clone(), a["level"].clone())).collect();
    assert_eq!(seen, [(json!("search_day"), json!("warning")), (json!("search_day"), json!("exhausted")), (json!("deconfliction"), json!("warning")), (json!("deconfliction"), json!("exhausted"))]);
}

fn persons_of_own_cases_outside_the_territory_have_a_budget_of_their_own(world, |config, _dir| { config.serve.outside_territory_per_day = 1; }) {
    let (me, token) = client(world, OWNER, &format!("{ALL} {DESK}"), Purpose::Prosecution);
    let oversight = supervisor(world);
    let (inside, outside, further) = (identity(world, &token, "150101"), identity(world, &token, "170101"), identity(world, &token, "170101"));
    let (_, nation) = client(world, "PE-PNP", &format!("{ALL} {DESK}"), Purpose::Investigation);
    for door in ["150101", "170101", "170101"].map(|place| identity(world, &nation, place)) {
        assert_eq!(world.get(&door, &nation).status, 200, "an agency of the whole country is nowhere outside");
    }
    let running = world.running.as_ref().unwrap();
    let lima = Constraint { territory: Some("15".into()), dpop_required: None };
    running.store.write_blocking(move |tx| Ok(constrain(tx, me, &lima, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    assert_eq!(world.get(&inside, &token).header("ratelimit"), "", "inside nothing is counted");
    let first = world.get(&outside, &token);
    assert_eq!((first.status, first.header("ratelimit").starts_with("\"outside_territory\";r=0;")), (200, true), "{}", first.header("ratelimit"));
    let alerts = pending(world, &oversight);
    assert_eq!((alerts.len(), &alerts[0]["budget"]), (1, &json!("outside_territory")));
    refused(&world.get(&further, &token), "outside_territory");
    assert_eq!(world.get(&inside, &token).status, 200);
    // What was shared with it was somebody's decision; what it does not see is nowhere.
    let (_, other) = client(world, "PE-PNP", ALL, Purpose::Investigation);
    let mut new = case();
    new["territory"] = "170101".into();
    let path = world.post("/v1/cases", &other, &new).header("location");
    let victim = world.get(&format!("{path}/victims"), &other).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    let door = format!("/v1/victims/{victim}/identity");
    assert_eq!(world.get(&door, &token).status, 404);
    let shared = json!({"agency": OWNER, "role": "information", "sections": ["victims", "victim_identity"]});
    assert_eq!(world.post(&format!("{path}/participants"), &other, &shared).status, 201);
    assert_eq!(world.get(&door, &token).status, 200);
}
}
