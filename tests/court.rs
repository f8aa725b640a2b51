//! Measures, hearings, decisions and notes of a case: their lives, their faults, and who sees them.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{Answer, World, case, unique};

const NOBODY: &str = "01a20da0-6e26-77b4-8000-40c670de0f0b";

/// A case of the prosecutor's, with what its tests name.
struct Court {
    prosecutor: String,
    case: String,
    victim: Value,
    accused: Value,
}

impl Court {
    fn open(world: &World) -> Self {
        let prosecutor = world.prosecutor();
        let case = world.post("/v1/cases", &prosecutor, &case()).header("location");
        let one = |list: &str, id: &str| world.get(&format!("{case}/{list}"), &prosecutor).json()["items"][0][id].clone();
        let (victim, accused) = (one("victims", "victim_id"), one("accused", "id"));
        Self { prosecutor, case, victim, accused }
    }

    /// Lets an agency in; answers the way to its participation.
    fn share(&self, world: &World, agency: &str, sections: &[&str]) -> Answer {
        let body = json!({"agency": agency, "role": "information", "sections": sections});
        let shared = world.post(&format!("{}/participants", self.case), &self.prosecutor, &body);
        assert_eq!(shared.status, 201, "{}", shared.text);
        shared
    }

    fn end(&self, world: &World, shared: &Answer) {
        let path = format!("{}/participants/{}", self.case, shared.json()["id"].as_str().unwrap());
        let ended = world.step(&path, &self.prosecutor, &shared.header("etag"), &json!({"trigger": "end"}));
        assert_eq!(ended.status, 200, "{}", ended.text);
    }

    fn detention(&self, world: &World) -> Answer {
        let body = json!({"kind": "coercive", "type": "pretrial_detention", "accused_id": self.accused, "requested_by": "prosecutor",
            "requested_on": "2020-01-10", "legal_act": {"type": "requerimiento", "number": "04-2020"}});
        let made = world.post(&format!("{}/measures", self.case), &self.prosecutor, &body);
        assert_eq!(made.status, 201, "{}", made.text);
        made
    }

    fn protection(&self, world: &World) -> Answer {
        let body = json!({"kind": "protective", "type": "concealment", "victim_id": self.victim, "requested_by": "victim", "extends_to": ["child"]});
        let made = world.post(&format!("{}/measures", self.case), &self.prosecutor, &body);
        assert_eq!(made.status, 201, "{}", made.text);
        made
    }

    /// A detention in force until a day.
    fn detained(&self, world: &World, from: &str, until: &str) -> String {
        let made = self.detention(world);
        let path = made.header("location");
        let granted = self.go(
            world,
            &path,
            &made,
            json!({"trigger": "grant", "granted_by": "inv_judge", "from_on": from, "until_on": until, "legal_act": order()}),
        );
        self.go(world, &path, &granted, json!({"trigger": "enter_into_force"}));
        path
    }

    /// One move that must succeed, from the version that was answered last.
    fn go(&self, world: &World, path: &str, last: &Answer, body: Value) -> Answer {
        let moved = world.step(path, &self.prosecutor, &last.header("etag"), &body);
        assert_eq!(moved.status, 200, "{body}: {}", moved.text);
        moved
    }
}

/// A court's order.
fn order() -> Value {
    json!({"type": "auto", "number": "3", "authority": "Juzgado de investigación preparatoria"})
}

/// A problem without what differs between two requests.
fn bare(answer: &Answer) -> Value {
    let mut body = answer.json();
    body["request_id"].take();
    body["instance"].take();
    body
}

/// The same answer as for what does not exist, to the byte but for the request's id.
fn hidden(world: &World, path: &str, token: &str) {
    let nothing = path.split('/').map(|s| if s.len() == 36 { NOBODY } else { s }).collect::<Vec<_>>().join("/");
    let (here, nowhere) = (world.get(path, token), world.get(&nothing, token));
    assert_eq!((here.status, nowhere.status), (404, 404), "{path}: {}", here.text);
    assert_eq!(bare(&here), bare(&nowhere), "{path}");
}

fn ids(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()).collect()
}

fn last_segment(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

/// A body with which a move passes, where its state allows it.
fn full(trigger: &str) -> Value {
    match trigger {
        "evaluate_risk" => json!({"trigger": trigger, "risk_level": "low"}),
        "grant" => {
            json!({"trigger": trigger, "granted_by": "inv_judge", "legal_act": order(), "from_on": "2020-01-01", "until_on": "2020-06-01"})
        }
        "extend" | "modify" => {
            json!({"trigger": trigger, "granted_by": "inv_judge", "legal_act": order(), "until_on": "2020-07-01"})
        }
        "deny" | "revoke" | "lift" => json!({"trigger": trigger, "legal_act": order()}),
        "breach" => json!({"trigger": trigger, "reason": "Incumplimiento"}),
        _ => json!({"trigger": trigger}),
    }
}

both! {
fn every_move_that_a_state_offers_passes_and_every_other_is_refused(world) {
    const TRIGGERS: [&str; 11] = ["evaluate_risk", "grant", "deny", "enter_into_force", "extend", "modify", "revoke", "serve", "lift", "breach", "expire"];
    let court = Court::open(world);
    let coercive: &[(&[&str], &[&str])] = &[
        (&[], &["grant", "deny"]),
        (&["grant"], &["enter_into_force", "revoke"]),
        (&["deny"], &[]),
        (&["grant", "enter_into_force"], &["extend", "revoke", "serve", "expire"]),
        (&["grant", "enter_into_force", "extend"], &["extend", "revoke", "serve", "expire"]),
        (&["grant", "enter_into_force", "revoke"], &[]),
        (&["grant", "enter_into_force", "serve"], &[]),
        (&["grant", "enter_into_force", "expire"], &[]),
    ];
    let protective: &[(&[&str], &[&str])] = &[
        (&[], &["evaluate_risk"]),
        (&["evaluate_risk"], &["grant", "deny"]),
        (&["evaluate_risk", "grant"], &["enter_into_force", "lift"]),
        (&["evaluate_risk", "deny"], &[]),
        (&["evaluate_risk", "grant", "enter_into_force"], &["modify", "lift", "breach", "expire"]),
        (&["evaluate_risk", "grant", "enter_into_force", "modify"], &["modify", "lift", "breach", "expire"]),
        (&["evaluate_risk", "grant", "enter_into_force", "lift"], &[]),
        (&["evaluate_risk", "grant", "enter_into_force", "breach"], &[]),
        (&["evaluate_risk", "grant", "enter_into_force", "expire"], &[]),
    ];
    for (kind, table) in [("coercive", coercive), ("protective", protective)] {
        for (way, offered) in table {
            let made = if kind == "coercive" { court.detention(world) } else { court.protection(world) };
            let path = made.header("location");
            let mut last = made;
            for trigger in *way {
                last = court.go(world, &path, &last, full(trigger));
            }
            let next = world.get(&format!("{path}/transitions/available"), &court.prosecutor).json();
            let said: Vec<&str> = next["items"].as_array().unwrap().iter().map(|t| t["trigger"].as_str().unwrap()).collect();
            assert_eq!(said, *offered, "{kind} {way:?}");
            for trigger in TRIGGERS.iter().filter(|t| !offered.contains(t)) {
                let refused = world.step(&path, &court.prosecutor, &last.header("etag"), &full(trigger));
                assert_eq!((refused.status, refused.code(), refused.json()["failed_guards"].clone()), (409, "state_conflict".into(), json!(["no_such_transition"])), "{kind} {way:?} {trigger}");
            }
        }
    }
}

fn a_pretrial_detention_is_requested_granted_extended_and_expires(world) {
    let court = Court::open(world);
    let token = &court.prosecutor;
    let made = court.detention(world);
    let path = made.header("location");
    assert_eq!((made.json()["state"].clone(), made.json()["accused_id"].clone(), made.header("etag")), (json!("requested"), court.accused.clone(), "\"1.o\"".into()));
    assert_eq!(world.get(&path, token).json(), made.json());
    let next = world.get(&format!("{path}/transitions/available"), token).json();
    let triggers: Vec<(&str, bool)> = next["items"].as_array().unwrap().iter().map(|t| (t["trigger"].as_str().unwrap(), t["allowed"].as_bool().unwrap())).collect();
    assert_eq!((next["state"].as_str(), triggers), (Some("requested"), vec![("grant", true), ("deny", true)]));
    let granted = court.go(world, &path, &made, json!({"trigger": "grant", "granted_by": "inv_judge", "legal_act": order(), "effective_on": "2020-01-12"}));
    assert_eq!(granted.json()["granted_by"], "inv_judge");
    // What begins, begins on a day.
    assert_eq!(world.step(&path, token, "\"2.o\"", &json!({"trigger": "enter_into_force"})).faults(), ["#/from_on: required"]);
    let running = court.go(world, &path, &granted, json!({"trigger": "enter_into_force", "from_on": "2020-01-12", "until_on": "2020-10-11"}));
    assert_eq!((running.json()["state"].clone(), running.json()["expired"].clone()), (json!("in_force"), json!(true)));
    let extended = court.go(world, &path, &running, json!({"trigger": "extend", "granted_by": "inv_judge", "until_on": "2021-07-11", "legal_act": order()}));
    let body = extended.json();
    assert_eq!((body["state"].clone(), body["until_on"].clone()), (json!("in_force"), json!("2021-07-11")));
    assert_eq!((body["extensions"][0]["former_until_on"].clone(), body["extensions"][0]["until_on"].clone()), (json!("2020-10-11"), json!("2021-07-11")));
    assert_eq!(world.patch(&path, token, "\"4.o\"", &json!({"until_on": "2022-01-01"})).json()["failed_guards"], json!(["extended"]));
    let expired = court.go(world, &path, &extended, json!({"trigger": "expire"}));
    assert_eq!((expired.json()["state"].clone(), expired.json()["expired"].clone(), expired.json()["version"].clone()), (json!("expired"), json!(false), json!(5)));
    assert_eq!(world.patch(&path, token, "\"5.o\"", &json!({"from_on": "2020-01-11"})).json()["failed_guards"], json!(["ended"]));
    let done = world.get(&format!("{path}/transitions"), token).json();
    let moves: Vec<&str> = done["items"].as_array().unwrap().iter().map(|t| t["trigger"].as_str().unwrap()).collect();
    assert_eq!(moves, ["grant", "enter_into_force", "extend", "expire"]);
    assert_eq!(done["items"][0]["legal_act"]["number"], "3");
    let history = world.get(&format!("{path}/history"), token).json();
    let kinds: Vec<&str> = history["items"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["measure.created", "measure.transitioned", "measure.transitioned", "measure.transitioned", "measure.transitioned"]);
    assert_eq!(world.get(&format!("{path}/transitions/available"), token).json()["items"], json!([]));
}

fn a_protection_measure_is_weighed_granted_modified_and_lifted(world) {
    let court = Court::open(world);
    let made = court.protection(world);
    let path = made.header("location");
    assert_eq!((made.json()["victim_id"].clone(), made.json()["extends_to"].clone()), (court.victim.clone(), json!(["child"])));
    assert_eq!(world.step(&path, &court.prosecutor, "\"1.o\"", &json!({"trigger": "grant", "granted_by": "prosecutor", "legal_act": order()})).json()["failed_guards"], json!(["no_such_transition"]));
    let weighed = court.go(world, &path, &made, json!({"trigger": "evaluate_risk", "risk_level": "high"}));
    let granted = court.go(world, &path, &weighed, json!({"trigger": "grant", "granted_by": "prosecutor", "legal_act": order(), "from_on": "2026-03-20"}));
    let running = court.go(world, &path, &granted, json!({"trigger": "enter_into_force"}));
    // Without a last day it cannot end by itself.
    assert_eq!(world.step(&path, &court.prosecutor, &running.header("etag"), &json!({"trigger": "expire"})).json()["failed_guards"], json!(["no_last_day"]));
    let modified = court.go(world, &path, &running, json!({"trigger": "modify", "granted_by": "prosecutor", "legal_act": order(), "until_on": "2199-12-31", "extends_to": ["child", "parent"]}));
    let body = modified.json();
    assert_eq!((body["state"].clone(), body["risk_level"].clone(), body["extends_to"].clone()), (json!("modified"), json!("high"), json!(["child", "parent"])));
    assert_eq!((body["extensions"][0]["former_until_on"].clone(), body["until_on"].clone()), (json!(null), json!("2199-12-31")));
    assert_eq!(world.step(&path, &court.prosecutor, &modified.header("etag"), &json!({"trigger": "expire"})).json()["failed_guards"], json!(["not_yet_expired"]));
    let lifted = court.go(world, &path, &modified, json!({"trigger": "lift", "legal_act": order()}));
    assert_eq!(lifted.json()["state"], "lifted");
}

fn every_fault_of_a_measure_is_named_with_its_place(world) {
    let court = Court::open(world);
    let path = format!("{}/measures", court.case);
    let ask = |body: Value| world.post(&path, &court.prosecutor, &body);
    assert_eq!(
        ask(json!({"kind": "coercive", "type": "concealment", "victim_id": court.victim, "requested_by": "nobody", "extends_to": ["child"], "from_on": "2026-05-01", "until_on": "2026-04-01", "requested_on": "2199-01-01"})).faults(),
        ["#/accused_id: required", "#/extends_to: cross_field", "#/requested_by: enum", "#/requested_on: date_order", "#/type: enum", "#/until_on: date_order", "#/victim_id: cross_field"]
    );
    assert_eq!(
        ask(json!({"kind": "protective", "type": "concealment", "victim_id": NOBODY, "requested_by": "victim", "extends_to": ["child", "neighbour", "child"]})).faults(),
        ["#/extends_to/1: enum", "#/extends_to/2: unique_items", "#/victim_id: reference_not_found"]
    );
    assert_eq!(ask(json!({"kind": "coercive", "type": "exit_ban", "accused_id": NOBODY, "requested_by": "prosecutor"})).faults(), ["#/accused_id: reference_not_found"]);
    assert_eq!(
        ask(json!({"kind": "other", "type": "", "requested_by": "prosecutor", "from_on": "2026-04", "colour": 1, "legal_act": {"type": ""}})).faults(),
        ["#/colour: unknown_field", "#/from_on: min_length", "#/from_on: pattern", "#/kind: enum", "#/legal_act/type: min_length", "#/type: min_length"]
    );
    let made = court.detention(world);
    let measure = made.header("location");
    let step = |body: Value| world.step(&measure, &court.prosecutor, "\"1.o\"", &body);
    assert_eq!(step(json!({"trigger": "grant", "granted_by": "prosecutor", "risk_level": "huge", "extends_to": ["child"], "reason": " "})).faults(),
        ["#/extends_to: cross_field", "#/granted_by: cross_field", "#/legal_act: required", "#/reason: min_length", "#/risk_level: enum", "#/risk_level: cross_field"]);
    assert_eq!(step(json!({"trigger": "grant", "granted_by": "king", "legal_act": order()})).faults(), ["#/granted_by: enum"]);
    assert_eq!(step(json!({"trigger": "deny", "until_on": "2026-01-01"})).faults(), ["#/legal_act: required", "#/until_on: cross_field"]);
    assert_eq!(step(json!({"trigger": "vanish"})).faults(), ["#/trigger: enum"]);
    assert_eq!(world.patch(&measure, &court.prosecutor, "\"1.o\"", &json!({"requested_by": null, "state": "granted"})).faults(), ["#/state: unknown_field"]);
    assert_eq!(world.patch(&measure, &court.prosecutor, "\"1.o\"", &json!({"requested_by": null, "legal_act": {"type": "x".repeat(61)}})).faults(), ["#/legal_act/type: max_length", "#/requested_by: required"]);
    let running = court.detained(world, "2020-01-01", "2020-06-01");
    let step = |body: Value| world.step(&running, &court.prosecutor, "\"3.o\"", &body);
    assert_eq!(step(json!({"trigger": "extend"})).faults(), ["#/granted_by: required", "#/legal_act: required", "#/until_on: required"]);
    for early in ["2020-06-01", "2020-05-31"] {
        assert_eq!(step(json!({"trigger": "extend", "granted_by": "inv_judge", "legal_act": order(), "until_on": early})).faults(), ["#/until_on: date_order"], "{early}");
    }
    assert_eq!(world.patch(&running, &court.prosecutor, "\"3.o\"", &json!({"from_on": null})).faults(), ["#/from_on: required"]);
    for bad in ["expires_before=2026-02-30", "state=granted", "kind=other", "limit=0"] {
        let answer = world.get(&format!("/v1/measures?{bad}"), &court.prosecutor);
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid_parameter"), "{bad}");
    }
    assert_eq!(world.get("/v1/measures?case=1", &court.prosecutor).code(), "unknown_parameter");
}

fn a_measure_is_made_and_moved_once_and_from_the_version_that_was_read(world) {
    let court = Court::open(world);
    let path = format!("{}/measures", court.case);
    let body = json!({"kind": "coercive", "type": "exit_ban", "accused_id": court.accused, "requested_by": "prosecutor"});
    let key = unique();
    let first = world.post_with(&path, &court.prosecutor, &[("Idempotency-Key", &key)], &body);
    let second = world.post_with(&path, &court.prosecutor, &[("Idempotency-Key", &key)], &body);
    assert_eq!((second.status, second.header("idempotency-replayed"), second.json()), (201, "true".into(), first.json()));
    let other = json!({"kind": "coercive", "type": "house_arrest", "accused_id": court.accused, "requested_by": "prosecutor"});
    assert_eq!(world.post_with(&path, &court.prosecutor, &[("Idempotency-Key", &key)], &other).code(), "idempotency_key_reused");
    assert_eq!(world.post_with(&path, &court.prosecutor, &[], &body).code(), "idempotency_key_required");
    assert_eq!(ids(&world.get(&path, &court.prosecutor)).len(), 1);
    let measure = first.header("location");
    let (key, deny) = (unique(), json!({"trigger": "deny", "legal_act": order()}));
    let transitions = format!("{measure}/transitions");
    assert_eq!(world.post_with(&transitions, &court.prosecutor, &[("Idempotency-Key", &key)], &deny).code(), "precondition_required");
    let denied = world.post_with(&transitions, &court.prosecutor, &[("Idempotency-Key", &key), ("If-Match", "\"1.o\"")], &deny);
    let again = world.post_with(&transitions, &court.prosecutor, &[("Idempotency-Key", &key), ("If-Match", "\"1.o\"")], &deny);
    assert_eq!((denied.status, again.status, again.header("idempotency-replayed"), again.json()), (200, 200, "true".into(), denied.json()));
    assert_eq!(ids(&world.get(&transitions, &court.prosecutor)).len(), 1);
    assert_eq!(world.step(&measure, &court.prosecutor, "\"1.o\"", &deny).json()["current_version"], 2);
    assert_eq!(world.patch(&measure, &court.prosecutor, "\"1.o\"", &json!({"requested_by": "victim"})).status, 412);
    let fresh = court.detention(world);
    let patched = world.patch(&fresh.header("location"), &court.prosecutor, "\"1.o\"", &json!({"until_on": "2026-09-01", "legal_act": null}));
    assert_eq!((patched.status, patched.header("etag"), patched.json()["legal_act"].clone()), (200, "\"2.o\"".into(), json!(null)), "{}", patched.text);
    let history = world.get(&format!("{}/history", fresh.header("location")), &court.prosecutor).json();
    assert_eq!(history["items"][1]["changed"], json!(["#/legal_act", "#/until_on"]));
}

fn the_desk_lists_what_runs_soonest_first_page_by_page_and_is_its_agencys_own(world) {
    let court = Court::open(world);
    let token = &court.prosecutor;
    let mut by_end: Vec<(String, String)> = ["2150-05-01", "2150-01-01", "2150-03-01", "2150-01-01", "2150-02-01"]
        .into_iter()
        .map(|until| (until.to_owned(), last_segment(&court.detained(world, "2026-01-01", until))))
        .collect();
    // Neither what is only requested nor what has no last day stands on the desk.
    court.detention(world);
    by_end.sort();
    let wanted: Vec<String> = by_end.iter().map(|(_, id)| id.clone()).collect();
    let (mut seen, mut path) = (Vec::new(), "/v1/measures?limit=2".to_owned());
    loop {
        let page = world.get(&path, token);
        seen.extend(ids(&page));
        match page.json()["next_cursor"].as_str() {
            None => break,
            Some(_) => path = page.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned(),
        }
    }
    assert_eq!(seen, wanted);
    assert_eq!(ids(&world.get("/v1/measures?expires_before=2150-03-01", token)), wanted[..3]);
    assert_eq!(ids(&world.get("/v1/measures?state=in_force&kind=coercive", token)), wanted);
    assert_eq!(ids(&world.get("/v1/measures?state=modified", token)).len(), 0);
    assert_eq!(ids(&world.get("/v1/measures?kind=protective", token)).len(), 0);
    // An extension moves it down, its end takes it off.
    let first = format!("/v1/measures/{}", wanted[0]);
    let extended = world.step(&first, token, "\"3.o\"", &json!({"trigger": "extend", "granted_by": "inv_judge", "legal_act": order(), "until_on": "2151-01-01"}));
    assert_eq!(ids(&world.get("/v1/measures", token)).last(), Some(&wanted[0]), "{}", extended.text);
    let revoked = world.step(&first, token, &extended.header("etag"), &json!({"trigger": "revoke", "legal_act": order()}));
    assert_eq!(ids(&world.get("/v1/measures", token)), wanted[1..], "{}", revoked.text);
    // A correction of the last day moves it too.
    world.patch(&format!("/v1/measures/{}", wanted[4]), token, "\"3.o\"", &json!({"until_on": "2149-01-01"}));
    assert_eq!(ids(&world.get("/v1/measures", token)).first(), Some(&wanted[4]));
    court.share(world, "PE-MIMP-INABIF", &["accused"]);
    assert_eq!(ids(&world.get("/v1/measures", &world.shelter())).len(), 0);
    assert_eq!(ids(&world.get("/v1/measures", &world.token("PE-DP", "cases:read", Purpose::Oversight))).len(), 4);
}

fn a_measure_is_seen_by_those_who_see_the_person_that_it_is_about(world) {
    let court = Court::open(world);
    let (detention, protection) = (court.detention(world).header("location"), court.protection(world).header("location"));
    let list = format!("{}/measures", court.case);
    let shelter = world.shelter();
    let oversight = world.token("PE-DP", "cases:read cases:write", Purpose::Oversight);
    let doors = |measure: &str| ["", "/transitions", "/transitions/available", "/history"].map(|door| format!("{measure}{door}"));
    let sees = |token: &str, measure: &str| doors(measure).iter().for_each(|door| assert_eq!(world.get(door, token).status, 200, "{door}"));
    let blind = |token: &str, measure: &str| doors(measure).iter().for_each(|door| hidden(world, door, token));
    // A stranger.
    blind(&shelter, &detention);
    blind(&shelter, &protection);
    hidden(world, &list, &shelter);
    assert_eq!(world.step(&detention, &shelter, "\"1.o\"", &json!({"trigger": "deny", "legal_act": order()})).status, 404);
    assert_eq!(world.patch(&detention, &shelter, "\"1.o\"", &json!({})).status, 404);
    // A participant with other sections.
    let shared = court.share(world, "PE-MIMP-INABIF", &["charges", "narrative"]);
    blind(&shelter, &detention);
    blind(&shelter, &protection);
    assert_eq!(world.get(&list, &shelter).status, 404);
    court.end(world, &shared);
    // A participant that sees the victims sees what protects them, and nothing else.
    let shared = court.share(world, "PE-MIMP-INABIF", &["victims"]);
    sees(&shelter, &protection);
    blind(&shelter, &detention);
    assert_eq!(ids(&world.get(&list, &shelter)), [last_segment(&protection)]);
    assert_eq!(world.patch(&protection, &shelter, "\"1.o\"", &json!({})).code(), "owner_only");
    assert_eq!(world.step(&protection, &shelter, "\"1.o\"", &json!({"trigger": "evaluate_risk", "risk_level": "low"})).code(), "owner_only");
    assert_eq!(world.post(&list, &shelter, &json!({"kind": "coercive", "type": "search", "requested_by": "police"})).code(), "owner_only");
    let available = world.get(&format!("{protection}/transitions/available"), &shelter).json();
    assert_eq!(available["items"][0]["failed_guards"], json!(["owner_only"]));
    court.end(world, &shared);
    // One that sees the accused sees what restrains them.
    let shared = court.share(world, "PE-MIMP-INABIF", &["accused"]);
    sees(&shelter, &detention);
    blind(&shelter, &protection);
    assert_eq!(ids(&world.get(&list, &shelter)), [last_segment(&detention)]);
    court.end(world, &shared);
    // A former participant sees nothing.
    blind(&shelter, &detention);
    hidden(world, &list, &shelter);
    // Owner and oversight see both; oversight changes nothing.
    for token in [&court.prosecutor, &oversight] {
        sees(token, &detention);
        sees(token, &protection);
        assert_eq!(ids(&world.get(&list, token)), [last_segment(&detention), last_segment(&protection)]);
    }
    assert_eq!(world.patch(&detention, &oversight, "\"1.o\"", &json!({})).code(), "owner_only");
    assert_eq!(ids(&world.get(&format!("{list}?kind=protective&state=requested,granted"), &court.prosecutor)), [last_segment(&protection)]);
}

fn a_participant_limited_to_one_victim_sees_the_protection_of_that_one(world) {
    let prosecutor = world.prosecutor();
    let mut new = case();
    let mut second = new["victims"][0].clone();
    second["label"] = json!("v2");
    new["victims"].as_array_mut().unwrap().push(second);
    let path = world.post("/v1/cases", &prosecutor, &new).header("location");
    let victims: Vec<Value> = world.get(&format!("{path}/victims"), &prosecutor).json()["items"].as_array().unwrap().iter().map(|v| v["victim_id"].clone()).collect();
    let list = format!("{path}/measures");
    let made: Vec<String> = victims.iter().map(|victim| {
        world.post(&list, &prosecutor, &json!({"kind": "protective", "type": "video_link", "victim_id": victim, "requested_by": "prosecutor"})).header("location")
    }).collect();
    for sections in [json!(["victims"]), json!(["victims", "accused"])] {
        let shared = world.post(&format!("{path}/participants"), &prosecutor, &json!({"agency": "PE-MIMP-INABIF", "role": "victim_care", "sections": sections, "victims": [victims[0]]}));
        assert_eq!(shared.status, 201, "{}", shared.text);
        let shelter = world.shelter();
        assert_eq!(ids(&world.get(&list, &shelter)), [last_segment(&made[0])]);
        assert_eq!(world.get(&made[0], &shelter).status, 200);
        hidden(world, &made[1], &shelter);
    }
}

fn a_hearing_is_set_down_held_and_remembered(world) {
    let court = Court::open(world);
    let (token, list) = (&court.prosecutor, format!("{}/hearings", court.case));
    let body = json!({"kind": "pretrial_detention_hearing", "scheduled_at": "2026-03-18T09:00:00-05:00", "court": "2.º Juzgado de Investigación Preparatoria"});
    let key = unique();
    let made = world.post_with(&list, token, &[("Idempotency-Key", &key)], &body);
    let again = world.post_with(&list, token, &[("Idempotency-Key", &key)], &body);
    assert_eq!((made.status, again.status, again.header("idempotency-replayed"), again.json()), (201, 201, "true".into(), made.json()), "{}", made.text);
    let path = made.header("location");
    assert_eq!((world.get(&path, token).json(), made.json()["scheduled_at"].clone(), made.json()["result"].clone()), (made.json(), json!("2026-03-18T14:00:00.000Z"), json!(null)));
    let held = world.patch(&path, token, "\"1.o\"", &json!({"held_at": "2026-03-18T14:20:00Z", "result": "held", "document_ref": "acta 12"}));
    assert_eq!((held.status, held.header("etag"), held.json()["result"].clone()), (200, "\"2.o\"".into(), json!("held")), "{}", held.text);
    assert_eq!(world.patch(&path, token, "\"1.o\"", &json!({"result": "broken"})).json()["current_version"], 2);
    assert_eq!(world.send("PATCH", &path, Some(token), &[("Content-Type", "application/json")], b"{}").code(), "precondition_required");
    assert_eq!(world.patch(&path, token, "\"2.o\"", &json!({"result": "held"})).header("etag"), "\"2.o\"");
    let history = world.get(&format!("{path}/history"), token).json();
    assert_eq!((history["items"][0]["type"].clone(), history["items"][1]["changed"].clone()), (json!("hearing.created"), json!(["#/held_at", "#/result", "#/document_ref"])));
    let second = world.post(&list, token, &json!({"kind": "trial_session", "scheduled_at": "2199-01-01T14:00:00Z", "court": "Juzgado Penal Colegiado"}));
    let all = [last_segment(&path), last_segment(&second.header("location"))];
    assert_eq!(ids(&world.get(&list, token)), all);
    let page = world.get(&format!("{list}?limit=1"), token);
    assert_eq!(ids(&page), all[..1]);
    let next = page.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned();
    assert_eq!(ids(&world.get(&next, token)), all[1..]);
}

fn every_fault_of_a_hearing_is_named_with_its_place(world) {
    let court = Court::open(world);
    let (token, list) = (&court.prosecutor, format!("{}/hearings", court.case));
    let base = |more: Value| {
        let mut body = json!({"kind": "trial_session", "scheduled_at": "2026-03-18T14:00:00Z", "court": "Juzgado"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.post(&list, token, &body)
    };
    for (more, faults) in [
        (json!({"kind": "party", "court": " ", "document_ref": " "}), vec!["#/court: min_length", "#/document_ref: min_length", "#/kind: enum"]),
        (json!({"result": "held"}), vec!["#/held_at: required"]),
        (json!({"result": "broken"}), vec!["#/held_at: required"]),
        (json!({"result": "cancelled", "held_at": "2026-03-18T14:00:00Z"}), vec!["#/held_at: cross_field"]),
        (json!({"held_at": "2026-03-18T14:00:00Z"}), vec!["#/result: required"]),
        (json!({"result": "won"}), vec!["#/result: enum"]),
        (json!({"result": "held", "held_at": "2199-01-01T00:00:00Z"}), vec!["#/held_at: date_order"]),
        (json!({"court": "x".repeat(201), "judge": "x"}), vec!["#/court: max_length", "#/judge: unknown_field"]),
    ] {
        assert_eq!(base(more.clone()).faults(), { let mut f = faults.clone(); f.sort_unstable(); f }, "{more}");
    }
    let path = base(json!({})).header("location");
    assert_eq!(world.patch(&path, token, "\"1.o\"", &json!({"kind": null, "court": null, "scheduled_at": null})).faults(), ["#/court: required", "#/kind: required", "#/scheduled_at: required"]);
    assert_eq!(world.patch(&path, token, "\"1.o\"", &json!({"court": "x".repeat(201)})).faults(), ["#/court: max_length"]);
    assert_eq!(world.get(&format!("{list}?kind=x"), token).code(), "unknown_parameter");
}

fn a_decision_stays_as_it_is_and_is_superseded_once(world) {
    let court = Court::open(world);
    let (token, list) = (&court.prosecutor, format!("{}/decisions", court.case));
    let opened = world.step(&court.case, token, "\"1.o\"", &json!({"trigger": "open_inquiry", "legal_act": {"type": "disposicion", "number": "01-2026"}}));
    assert_eq!(opened.status, 200, "{}", opened.text);
    let transition = world.get(&format!("{}/transitions", court.case), token).json()["items"][0]["id"].clone();
    let hearing = world.post(&format!("{}/hearings", court.case), token, &json!({"kind": "other", "scheduled_at": "2026-03-18T14:00:00Z", "court": "Juzgado"})).json()["id"].clone();
    let body = json!({"kind": "disposicion", "number": "01-2026", "date": "2026-03", "authority": "FISTRAP Lima", "result": "Apertura de diligencias",
        "document_ref": "SGF 1", "transition_id": transition, "hearing_id": hearing});
    let key = unique();
    let made = world.post_with(&list, token, &[("Idempotency-Key", &key)], &body);
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(world.post_with(&list, token, &[("Idempotency-Key", &key)], &body).json(), made.json());
    let path = made.header("location");
    for (name, value) in body.as_object().unwrap() {
        assert_eq!(made.json()[name], *value, "{name}");
    }
    assert_eq!(world.send("PATCH", &path, Some(token), &[("Content-Type", "application/json"), ("If-Match", "\"1.o\"")], b"{}").code(), "method_not_allowed");
    let mut right = body.clone();
    right["date"] = json!("2026-03-15");
    right["supersedes"] = made.json()["id"].clone();
    let second = world.post(&list, token, &right);
    assert_eq!((second.status, second.json()["supersedes"].clone()), (201, made.json()["id"].clone()), "{}", second.text);
    let first = world.get(&path, token);
    assert_eq!((first.header("etag"), first.json()["superseded_by"].clone(), first.json()["date"].clone()), ("\"2.o\"".into(), second.json()["id"].clone(), json!("2026-03")));
    let third = world.post(&list, token, &right);
    assert_eq!((third.status, third.json()["failed_guards"].clone()), (409, json!(["already_superseded"])));
    assert_eq!(ids(&world.get(&list, token)), [last_segment(&path), last_segment(&second.header("location"))]);
    // What it names lies in the same case.
    let other = Court::open(world);
    let mut astray = right.clone();
    astray["kind"] = json!("rumour");
    astray["date"] = json!("2199");
    astray["result"] = json!(" ");
    assert_eq!(world.post(&format!("{}/decisions", other.case), token, &astray).faults(),
        ["#/date: date_order", "#/hearing_id: reference_not_found", "#/kind: enum", "#/result: min_length", "#/supersedes: reference_not_found", "#/transition_id: reference_not_found"]);
    assert_eq!(world.post(&list, token, &json!({"kind": "auto", "date": "18/03/2026", "authority": "", "mood": 1})).faults(),
        ["#/authority: min_length", "#/date: pattern", "#/mood: unknown_field", "#/result: required"]);
}

fn hearings_and_decisions_are_seen_with_the_section_of_proceedings(world) {
    let court = Court::open(world);
    let token = &court.prosecutor;
    let hearing = world.post(&format!("{}/hearings", court.case), token, &json!({"kind": "other", "scheduled_at": "2026-03-18T14:00:00Z", "court": "Juzgado"})).header("location");
    let decision = world.post(&format!("{}/decisions", court.case), token, &json!({"kind": "auto", "date": "2026", "authority": "Juzgado", "result": "Se convoca"})).header("location");
    let doors = [hearing.clone(), format!("{hearing}/history"), decision.clone()];
    let lists = ["hearings", "decisions"].map(|list| format!("{}/{list}", court.case));
    let shelter = world.shelter();
    let blind = || doors.iter().for_each(|door| hidden(world, door, &shelter));
    // A stranger.
    blind();
    lists.iter().for_each(|list| hidden(world, list, &shelter));
    for list in &lists {
        assert_eq!(world.post(list, &shelter, &json!({"kind": "auto", "date": "2026", "authority": "J", "result": "x", "scheduled_at": "2026-03-18T14:00:00Z", "court": "J"})).status, 422);
    }
    assert_eq!(world.post(&lists[1], &shelter, &json!({"kind": "auto", "date": "2026", "authority": "J", "result": "x"})).status, 404);
    assert_eq!(world.patch(&hearing, &shelter, "\"1.o\"", &json!({})).status, 404);
    // A participant with every other section.
    let shared = court.share(world, "PE-MIMP-INABIF", &["identifiers", "narrative", "victims", "accused", "charges"]);
    blind();
    lists.iter().for_each(|list| assert_eq!(world.get(list, &shelter).status, 404, "{list}"));
    court.end(world, &shared);
    // A participant with this one.
    let shared = court.share(world, "PE-MIMP-INABIF", &["proceedings"]);
    assert_eq!(shared.json()["sections"], json!(["proceedings"]));
    doors.iter().for_each(|door| assert_eq!(world.get(door, &shelter).status, 200, "{door}"));
    assert_eq!(ids(&world.get(&lists[0], &shelter)), [last_segment(&hearing)]);
    assert_eq!(ids(&world.get(&lists[1], &shelter)), [last_segment(&decision)]);
    assert_eq!(world.patch(&hearing, &shelter, "\"1.o\"", &json!({})).code(), "owner_only");
    assert_eq!(world.post(&lists[1], &shelter, &json!({"kind": "auto", "date": "2026", "authority": "J", "result": "x"})).code(), "owner_only");
    court.end(world, &shared);
    // A former participant.
    blind();
    lists.iter().for_each(|list| hidden(world, list, &shelter));
    // Oversight looks.
    let oversight = world.token("PE-DP", "cases:read cases:write", Purpose::Oversight);
    doors.iter().for_each(|door| assert_eq!(world.get(door, &oversight).status, 200, "{door}"));
    assert_eq!(world.patch(&hearing, &oversight, "\"1.o\"", &json!({})).code(), "owner_only");
}

fn an_internal_note_is_its_own_agencys_and_a_shared_one_goes_with_the_narrative(world) {
    let court = Court::open(world);
    let list = format!("{}/notes", court.case);
    let (prosecutor, shelter) = (&court.prosecutor, world.shelter());
    let police = world.token("PE-PNP-DIRCTPTIM", "cases:read cases:write", Purpose::Investigation);
    let oversight = world.token("PE-DP", "cases:read cases:write", Purpose::Oversight);
    let write = |token: &str, visibility: &str, text: &str| world.post(&list, token, &json!({"visibility": visibility, "text": text}));
    let (ours, shown) = (write(prosecutor, "internal", "Secreto de la fiscalía"), write(prosecutor, "shared", "Para todos"));
    assert_eq!((ours.status, shown.status), (201, 201), "{}{}", ours.text, shown.text);
    let (ours, shown) = (ours.header("location"), shown.header("location"));
    // Strangers: of the whole file nothing, and no note of theirs in it.
    for token in [&shelter, &police] {
        [&ours, &shown, &list].iter().for_each(|door| hidden(world, door, token));
        assert_eq!(write(token, "internal", "x").status, 404);
    }
    let with_narrative = court.share(world, "PE-PNP-DIRCTPTIM", &["narrative"]);
    court.share(world, "PE-MIMP-INABIF", &["victims"]);
    let (theirs, told) = (write(&police, "internal", "Plan del operativo").header("location"), write(&police, "shared", "Operativo el lunes").header("location"));
    let (care, said) = (write(&shelter, "internal", "Cama reservada").header("location"), write(&shelter, "shared", "Ingresó bien").header("location"));
    let sees = |token: &str| ids(&world.get(&list, token));
    let notes = |paths: &[&String]| paths.iter().map(|p| last_segment(p)).collect::<Vec<_>>();
    // Owner, participant with the narrative, participant without it, oversight.
    assert_eq!(sees(prosecutor), notes(&[&ours, &shown, &told, &said]));
    assert_eq!(sees(&police), notes(&[&shown, &theirs, &told, &said]));
    assert_eq!(sees(&shelter), notes(&[&care, &said]));
    assert_eq!(sees(&oversight), notes(&[&shown, &told, &said]));
    for (token, unseen) in [(prosecutor, vec![&theirs, &care]), (&police, vec![&ours, &care]), (&shelter, vec![&ours, &shown, &theirs, &told]), (&oversight, vec![&ours, &theirs, &care])] {
        unseen.iter().for_each(|note| hidden(world, note, token));
    }
    assert_eq!(world.get(&told, prosecutor).json()["text"], "Operativo el lunes");
    assert_eq!(world.get(&theirs, &police).json()["created_by_agency"], "PE-PNP-DIRCTPTIM");
    assert_eq!(write(&oversight, "shared", "x").code(), "owner_only");
    // Who is let in no more sees nothing, its own notes included.
    court.end(world, &with_narrative);
    [&shown, &theirs, &told, &list].iter().for_each(|door| hidden(world, door, &police));
    // No text in what tells of changes.
    for answer in [world.get(&format!("{}/history", court.case), prosecutor), world.get(&court.case, prosecutor)] {
        assert!(!answer.text.contains("Secreto") && !answer.text.contains("Para todos"));
    }
}

fn a_note_is_never_changed_only_superseded_once_and_by_its_own_agency(world) {
    let court = Court::open(world);
    let (token, list) = (&court.prosecutor, format!("{}/notes", court.case));
    let body = json!({"visibility": "shared", "text": "Primera versión"});
    let key = unique();
    let first = world.post_with(&list, token, &[("Idempotency-Key", &key)], &body);
    let again = world.post_with(&list, token, &[("Idempotency-Key", &key)], &body);
    assert_eq!((again.status, again.header("idempotency-replayed"), again.json()), (201, "true".into(), first.json()), "{}", again.text);
    let id = first.json()["id"].clone();
    let path = first.header("location");
    assert_eq!(world.send("PATCH", &path, Some(token), &[("Content-Type", "application/json"), ("If-Match", "\"1.o\"")], b"{}").code(), "method_not_allowed");
    assert_eq!(world.post(&list, token, &json!({"visibility": "internal", "text": "x", "supersedes": id})).faults(), ["#/visibility: cross_field"]);
    let second = world.post(&list, token, &json!({"visibility": "shared", "text": "Segunda versión", "supersedes": id}));
    assert_eq!((second.status, second.json()["supersedes"].clone()), (201, id.clone()), "{}", second.text);
    let old = world.get(&path, token);
    assert_eq!((old.header("etag"), old.json()["text"].clone(), old.json()["superseded_by"].clone()), ("\"2.o\"".into(), json!("Primera versión"), second.json()["id"].clone()));
    let third = world.post(&list, token, &json!({"visibility": "shared", "text": "x", "supersedes": id}));
    assert_eq!((third.status, third.json()["failed_guards"].clone()), (409, json!(["already_superseded"])));
    // Neither another agency's note nor another case's is one to replace: both are simply not there.
    court.share(world, "PE-PNP-DIRCTPTIM", &["narrative"]);
    let police = world.token("PE-PNP-DIRCTPTIM", "cases:read cases:write", Purpose::Investigation);
    let theirs = json!({"visibility": "shared", "text": "x", "supersedes": second.json()["id"]});
    assert_eq!(world.post(&list, &police, &theirs).faults(), ["#/supersedes: reference_not_found"]);
    let other = Court::open(world);
    assert_eq!(world.post(&format!("{}/notes", other.case), token, &theirs).faults(), ["#/supersedes: reference_not_found"]);
    assert_eq!(world.post(&list, token, &json!({"visibility": "shared", "text": "x", "supersedes": NOBODY})).faults(), ["#/supersedes: reference_not_found"]);
    let full = world.post(&list, token, &json!({"visibility": "internal", "text": "ñ".repeat(10_000)}));
    assert_eq!(full.status, 201, "{}", full.text);
    for (text, fault) in [(String::new(), "#/text: min_length"), (" \n".into(), "#/text: min_length"), ("ñ".repeat(10_001), "#/text: max_length")] {
        assert_eq!(world.post(&list, token, &json!({"visibility": "internal", "text": text})).faults(), [fault]);
    }
    assert_eq!(world.post(&list, token, &json!({"visibility": "secret", "author": "x"})).faults(), ["#/author: unknown_field", "#/text: required", "#/visibility: enum"]);
}

fn the_desk_is_read_from_its_index_in_order(world) {
    use diesel::connection::SimpleConnection;
    use diesel::prelude::*;
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        detail: String,
    }
    #[derive(QueryableByName)]
    struct Plan {
        #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
        line: String,
    }
    let sql = "SELECT measure_id, until_at FROM measure_desk WHERE bucket = 7 AND agency_code = 'PE-MP' AND until_at < '2026-12-01T00:00:00.000Z' \
        AND until_at >= '2026-01-01T00:00:00.000Z' ORDER BY until_at, measure_id LIMIT 51";
    let mut conn = sistra::db::connection::open(&world.database, sistra::db::connection::Role::Write, 5_000).unwrap();
    let plan: String = match &mut conn {
        sistra::db::Conn::Postgres(c) => {
            // A small table is read whole whatever its indexes are.
            c.batch_execute("SET enable_seqscan = off; SET enable_bitmapscan = off").unwrap();
            diesel::sql_query(format!("EXPLAIN {sql}")).load::<Plan>(c).unwrap().into_iter().map(|p| p.line + "\n").collect()
        }
        sistra::db::Conn::Sqlite(c) => diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load::<Line>(c).unwrap().into_iter().map(|l| l.detail + "\n").collect(),
    };
    assert!(plan.contains("measure_desk_agency_code_until_at_measure_id_idx"), "{plan}");
    assert!(!plan.contains("Sort") && !plan.contains("TEMP B-TREE"), "{plan}");
}

fn of_moves_and_replacements_made_at_once_exactly_one_passes(world) {
    let court = Court::open(world);
    let measure = court.detained(world, "2026-01-01", "2150-01-01");
    let decisions = format!("{}/decisions", court.case);
    let ruling = json!({"kind": "auto", "date": "2026-03", "authority": "Juzgado", "result": "Se resuelve"});
    let mut right = ruling.clone();
    right["supersedes"] = world.post(&decisions, &court.prosecutor, &ruling).json()["id"].clone();
    let at_once = |act: &(dyn Fn() -> u16 + Sync)| -> Vec<u16> {
        let mut seen: Vec<u16> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..6).map(|_| scope.spawn(act)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        });
        seen.sort_unstable();
        seen
    };
    let extend = json!({"trigger": "extend", "granted_by": "inv_judge", "legal_act": order(), "until_on": "2150-02-01"});
    assert_eq!(at_once(&|| world.step(&measure, &court.prosecutor, "\"3.o\"", &extend).status), [200, 412, 412, 412, 412, 412]);
    assert_eq!(world.get(&measure, &court.prosecutor).json()["extensions"].as_array().unwrap().len(), 1);
    assert_eq!(ids(&world.get("/v1/measures", &court.prosecutor)), [last_segment(&measure)]);
    assert_eq!(at_once(&|| world.post(&decisions, &court.prosecutor, &right).status), [201, 409, 409, 409, 409, 409]);
    assert_eq!(ids(&world.get(&decisions, &court.prosecutor)).len(), 2);
}
}
