//! Looking for persons without being able to read the index, and who is answered.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{Answer, World, case};

const DESK: &str = "cases:read cases:write victims:read victims:write victims:search victims.identity:read victims.identity:write \
    accused:read accused:write accused:search accused.identity:read accused.identity:write";

fn desk(world: &World) -> String {
    world.token("PE-MP-FISTRAP-LIMA", DESK, Purpose::Investigation)
}

/// A case without persons of its own, and its path.
fn opened(world: &World, token: &str) -> String {
    let made = world.post("/v1/cases", token, &case());
    assert_eq!(made.status, 201, "{}", made.text);
    made.header("location")
}

fn victim(world: &World, token: &str, case: &str, identity: Value) -> String {
    let new = json!({"sex": "female", "age_at_identification": 16, "acts": ["recruit"], "purposes": ["sexual_exploitation"], "identity": identity});
    let made = world.post(&format!("{case}/victims"), token, &new);
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["victim_id"].as_str().unwrap().to_owned()
}

fn accused(world: &World, token: &str, case: &str, kind: &str, identity: Value) -> String {
    let made = world.post(&format!("{case}/accused"), token, &json!({"kind": kind, "identity": identity}));
    assert_eq!(made.status, 201, "{}", made.text);
    made.json()["id"].as_str().unwrap().to_owned()
}

fn ask(world: &World, kind: &str, token: &str, question: &Value) -> Answer {
    world.post_with(&format!("/v1/{kind}/search"), token, &[], question)
}

fn found(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{}", answer.text);
    let id = |c: &Value| c["victim_id"].as_str().or(c["accused_id"].as_str()).unwrap().to_owned();
    answer.json()["items"].as_array().unwrap().iter().map(id).collect()
}

fn rosa() -> Value {
    json!({"given_names": "Rosa María", "paternal_surname": "Quispe", "maternal_surname": "de la Cruz Núñez", "birth_date": "2004-05",
        "other_names": ["Rosita Huamán", "La Flaca"],
        "documents": [{"type": "national_id", "country": "PE", "number": "10117410-2"}],
        "contacts": [{"kind": "phone", "value": "+51 987 654 321", "safe": false}]})
}

both! {
fn a_victim_is_found_however_the_name_is_written(world) {
    let desk = desk(world);
    let path = opened(world, &desk);
    let id = victim(world, &desk, &path, rosa());
    victim(world, &desk, &path, json!({"given_names": "Carmen", "paternal_surname": "Flores", "birth_date": "1998"}));
    let everything = ask(world, "victims", &desk, &json!({"surnames": "Quispe Cruz", "given_names": "Rosa", "birth_year": 2004}));
    assert_eq!(found(&everything), [id.as_str()]);
    let first = &everything.json()["items"][0];
    assert_eq!((first["match_score"].as_str(), first["matched_on"].clone()), (Some("high"), json!(["names_exact", "names_phonetic", "names_prefix", "surnames", "birth_year"])));
    assert!(first["code"].as_str().unwrap().starts_with("V-"));
    assert_eq!(everything.header("audit-event-id").len(), 36);
    for value in ["Rosa", "Quispe", "2004", "10117410"] {
        assert!(!everything.text.contains(value), "{value}");
    }
    for (score, question) in [
        ("high", json!({"surnames": "QUISPE", "given_names": "rosa maria"})),
        ("high", json!({"surnames": "nunes kispe", "given_names": "Roza"})),
        ("high", json!({"surnames": "de la Cruz", "given_names": "Ma. Rosa"})),
        ("high", json!({"surnames": "Huaman", "given_names": "Rosita"})),
        ("high", json!({"surnames": "Quispe", "given_names": "flaca"})),
        ("medium", json!({"surnames": "Quis", "given_names": "Rosa"})),
        ("high", json!({"surnames": "Quispe", "birth_year": 2004})),
        ("medium", json!({"surnames": "Quispe", "birth_year": 2005})),
        ("medium", json!({"surnames": "Quispe Cruz", "given_names": "Yesenia"})),
        ("high", json!({"document": {"type": "national_id", "country": "PE", "number": "10117410"}})),
        ("medium", json!({"phone": "987-654-321"})),
        ("high", json!({"phone": "987654321", "given_names": "Rosa", "surnames": "Quispe"})),
    ] {
        let answer = ask(world, "victims", &desk, &question);
        assert_eq!(found(&answer), [id.as_str()], "{question}");
        assert_eq!(answer.json()["items"][0]["match_score"], score, "{question}: {}", answer.text);
    }
    for nobody in [
        json!({"surnames": "Mamani", "given_names": "Rosa"}),
        json!({"surnames": "Quispe", "birth_year": 2007}),
        json!({"document": {"type": "passport", "country": "VE", "number": "10117410"}}),
        json!({"phone": "987654320"}),
    ] {
        assert_eq!(found(&ask(world, "victims", &desk, &nobody)), Vec::<String>::new(), "{nobody}");
    }
    // A victim is not an accused.
    assert_eq!(found(&ask(world, "accused", &desk, &json!({"surnames": "Quispe", "given_names": "Rosa"}))), Vec::<String>::new());
}

fn an_accused_and_a_company_are_found(world) {
    let desk = desk(world);
    let path = opened(world, &desk);
    let percy = accused(world, &desk, &path, "natural_person", json!({"given_names": "Percy", "paternal_surname": "Huamán", "maternal_surname": "Vásquez"}));
    let hotel = accused(world, &desk, &path, "legal_person", json!({"legal_name": "Inversiones El Sol S.A.C."}));
    let nobody = accused(world, &desk, &path, "unidentified", json!({"other_names": ["El Chato"]}));
    assert_eq!(found(&ask(world, "accused", &desk, &json!({"surnames": "Basques Guaman", "given_names": "percy"}))), [percy]);
    assert_eq!(found(&ask(world, "accused", &desk, &json!({"legal_name": "INVERSIONES SOL SAC"}))), [hotel.as_str()]);
    assert_eq!(ask(world, "accused", &desk, &json!({"legal_name": "Inverciones Sol"})).json()["items"][0]["match_score"], "medium");
    assert!(!nobody.is_empty());
    assert_eq!(found(&ask(world, "victims", &desk, &json!({"surnames": "Vásquez", "given_names": "Percy"}))), Vec::<String>::new());
}

fn a_changed_identity_is_found_as_it_is_now(world) {
    let desk = desk(world);
    let path = opened(world, &desk);
    let id = victim(world, &desk, &path, rosa());
    let door = format!("/v1/victims/{id}/identity");
    let etag = world.get(&door, &desk).header("etag");
    let changed = world.patch(&door, &desk, &etag, &json!({"given_names": "Killa", "other_names": null, "documents": null}));
    assert_eq!(changed.status, 200, "{}", changed.text);
    assert_eq!(found(&ask(world, "victims", &desk, &json!({"surnames": "Quispe", "given_names": "Killa"}))), [id.as_str()]);
    assert_eq!(found(&ask(world, "victims", &desk, &json!({"surnames": "Quispe", "given_names": "Rosa"}))), Vec::<String>::new());
    assert_eq!(found(&ask(world, "victims", &desk, &json!({"document": {"type": "national_id", "country": "PE", "number": "10117410"}}))), Vec::<String>::new());
    assert_eq!(found(&ask(world, "victims", &desk, &json!({"surnames": "Quispe", "birth_year": 2004}))), [id.as_str()]);
    let person = accused(world, &desk, &path, "natural_person", json!({}));
    let door = format!("/v1/accused/{person}/identity");
    let named = world.patch(&door, &desk, &world.get(&door, &desk).header("etag"), &json!({"given_names": "Percy", "paternal_surname": "Ccori"}));
    assert_eq!(named.status, 200, "{}", named.text);
    assert_eq!(found(&ask(world, "accused", &desk, &json!({"surnames": "Qori", "given_names": "Percy"}))), [person.as_str()]);
    let cleared = world.patch(&door, &desk, &named.header("etag"), &json!({"given_names": null, "paternal_surname": null}));
    assert_eq!(cleared.status, 200, "{}", cleared.text);
    assert_eq!(found(&ask(world, "accused", &desk, &json!({"surnames": "Qori", "given_names": "Percy"}))), Vec::<String>::new());
}

fn only_whoever_could_look_at_the_identity_finds_the_person(world) {
    let desk = desk(world);
    let path = opened(world, &desk);
    let id = victim(world, &desk, &path, rosa());
    let hidden = victim(world, &desk, &path, json!({"given_names": "Rosa", "paternal_surname": "Quispe"}));
    let question = json!({"surnames": "Quispe", "given_names": "Rosa"});
    let police = world.token("PE-PNP-DIRCTPTIM", "victims:search accused:search", Purpose::Investigation);
    assert_eq!(found(&ask(world, "victims", &police, &question)), Vec::<String>::new());
    let mut let_in = json!({"agency": "PE-PNP-DIRCTPTIM", "role": "investigation_support", "sections": ["victims"]});
    assert_eq!(world.post(&format!("{path}/participants"), &desk, &let_in).status, 201);
    // It sees the victims and may not know who they are: a search that answered would tell.
    assert_eq!(found(&ask(world, "victims", &police, &question)), Vec::<String>::new());
    let_in["sections"] = json!(["victims", "victim_identity"]);
    let_in["victims"] = json!([id]);
    let granted = world.post(&format!("{path}/participants"), &desk, &let_in);
    assert_eq!(granted.status, 201, "{}", granted.text);
    assert_eq!(found(&ask(world, "victims", &police, &question)), [id.as_str()], "and not {hidden}");
    let oversight = world.token("PE-DP", "victims:search", Purpose::Investigation);
    assert_eq!(found(&ask(world, "victims", &oversight, &question)), Vec::<String>::new());
    let statistics = world.token("PE-MP-FISTRAP-LIMA", "victims:search", Purpose::Statistics);
    assert_eq!(ask(world, "victims", &statistics, &question).code(), "purpose_not_allowed");
    let reader = world.token("PE-MP-FISTRAP-LIMA", "victims:read victims.identity:read accused:search", Purpose::Investigation);
    assert_eq!(ask(world, "victims", &reader, &question).code(), "insufficient_scope");
    let secret = world.client("PE-MP-FISTRAP-LIMA", "victims:search", &[Purpose::Investigation], sistra::auth::clients::Credential::Secret);
    assert!(secret.is_err(), "whoever can test identities shows a key");
}

fn a_question_that_says_too_little_is_refused(world) {
    let desk = desk(world);
    for (question, faults) in [
        (json!({}), vec!["#/document: required"]),
        (json!({"surnames": "Quispe Mamani"}), vec!["#/given_names: required"]),
        (json!({"given_names": "Rosa"}), vec!["#/surnames: required"]),
        (json!({"birth_year": 2004}), vec!["#/surnames: required"]),
        (json!({"surnames": "Q.", "given_names": "Rosa"}), vec!["#/surnames: min_length"]),
        (json!({"surnames": "--", "birth_year": 2004}), vec!["#/surnames: min_length"]),
        (json!({"phone": "1-2-3-4-5"}), vec!["#/phone: min_length"]),
        (json!({"document": {"type": "card", "country": "XX", "number": "1"}}), vec!["#/document/country: enum", "#/document/type: enum"]),
        (json!({"document": {"type": "national_id", "country": "PE", "number": "12"}}), vec!["#/document/number: pattern"]),
        (json!({"surnames": "Quispe", "given_names": "Rosa", "limit": 11}), vec!["#/limit: maximum"]),
        (json!({"surnames": "Quispe", "given_names": "Rosa", "sex": "female"}), vec!["#/sex: unknown_field"]),
        (json!({"legal_name": "Hotel"}), vec!["#/legal_name: unknown_field"]),
    ] {
        let answer = ask(world, "victims", &desk, &question);
        assert_eq!(answer.faults(), faults, "{question}: {}", answer.text);
    }
    let long = json!({"surnames": "Quispe", "given_names": "Rosa", "phone": "9".repeat(20_000)});
    assert_eq!(ask(world, "victims", &desk, &long).code(), "content_too_large");
    let in_the_url = world.post_with("/v1/victims/search?surnames=Quispe", &desk, &[], &json!({"surnames": "Quispe", "given_names": "Rosa"}));
    assert_eq!(in_the_url.code(), "unknown_parameter");
}

fn searches_have_quotas_of_their_own(world, |config, _dir| { config.serve.rate_search_per_min = 3; config.serve.searches_per_day = 2; }) {
    let desk = desk(world);
    let question = json!({"surnames": "Quispe", "given_names": "Rosa"});
    let first = ask(world, "victims", &desk, &question);
    assert_eq!(first.header("ratelimit-policy"), "\"search\";q=3;w=60, \"search_day\";q=2;w=86400");
    assert_eq!(ask(world, "accused", &desk, &question).status, 200);
    let third = ask(world, "victims", &desk, &question);
    assert_eq!((third.code(), third.json()["violated_policies"].clone()), ("quota_exceeded".to_owned(), json!(["search_day"])));
    assert_eq!(world.get("/v1/cases", &desk).status, 200);
}
}
