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

fn a_new_person_who_may_be_registered_already_is_taken_and_said_so(world) {
    let desk = desk(world);
    let path = opened(world, &desk);
    let id = victim(world, &desk, &path, rosa());
    let new = |identity: Value| json!({"sex": "female", "age_at_identification": 16, "acts": ["recruit"], "purposes": ["sexual_exploitation"], "identity": identity});
    let other = opened(world, &desk);
    let body = new(json!({"given_names": "Roza", "paternal_surname": "Kispe", "maternal_surname": "Cruz", "birth_date": "2004"}));
    let headers = [("Idempotency-Key", "the-same-key-twice-0001")];
    let made = world.post_with(&format!("{other}/victims"), &desk, &headers, &body);
    assert_eq!(made.status, 201, "{}", made.text);
    let said = made.json()["possible_duplicates"].clone();
    assert_eq!((said[0]["victim_id"].clone(), said[0]["match_score"].clone(), said.as_array().unwrap().len()), (json!(id), json!("high"), 1), "{said}");
    assert_eq!(said[0]["matched_on"], json!(["names_phonetic", "surnames", "birth_year"]));
    let again = world.post_with(&format!("{other}/victims"), &desk, &headers, &body);
    assert_eq!((again.header("idempotency-replayed").as_str(), again.json()), ("true", made.json()));
    let unlike = world.post(&format!("{other}/victims"), &desk, &new(json!({"given_names": "Carmen", "paternal_surname": "Flores"})));
    assert_eq!(unlike.json()["possible_duplicates"], json!([]));
    // Whoever may not know of the first one is not told.
    let police = world.token("PE-PNP-DIRCTPTIM", DESK, Purpose::Investigation);
    let elsewhere = opened(world, &police);
    let theirs = world.post(&format!("{elsewhere}/victims"), &police, &body);
    assert_eq!((theirs.status, theirs.json()["possible_duplicates"].clone()), (201, json!([])), "{}", theirs.text);
    let suspect = json!({"kind": "natural_person", "identity": {"given_names": "Percy", "paternal_surname": "Huamán", "documents": [{"type": "passport", "country": "VE", "number": "X1234567"}]}});
    let first = world.post(&format!("{path}/accused"), &desk, &suspect);
    let second = world.post(&format!("{other}/accused"), &desk, &suspect);
    assert_eq!(second.json()["possible_duplicates"][0]["accused_id"], first.json()["id"], "{}", second.text);
}

fn every_person_of_a_new_case_is_looked_for_however_many_they_are(world) {
    let desk = desk(world);
    let person = |n: usize| json!({"sex": "female", "age_at_identification": 16, "acts": ["recruit"], "purposes": ["sexual_exploitation"],
        "identity": {"documents": [{"type": "passport", "country": "VE", "number": format!("Z{n:04}")}]}});
    let suspect = |n: usize| json!({"kind": "natural_person", "identity": {"documents": [{"type": "passport", "country": "VE", "number": format!("Y{n:04}")}]}});
    let open = |persons: std::ops::Range<usize>| {
        let mut new = case();
        new["victims"] = persons.clone().map(person).collect();
        new["accused"] = persons.map(suspect).collect();
        new["charges"] = json!([]);
        let made = world.post("/v1/cases", &desk, &new);
        assert_eq!(made.status, 201, "{}", made.text);
        made.json()["possible_duplicates"].clone()
    };
    assert_eq!(open(0..30), json!({"victims": [], "accused": []}));
    let told = open(0..30);
    for kind in ["victims", "accused"] {
        let items = told[kind].as_array().unwrap();
        assert_eq!(items.len(), 30, "{kind}");
        for one in items {
            assert_eq!(one["candidates"].as_array().unwrap().len(), 1, "{one}");
            assert_eq!(one["candidates"][0]["matched_on"], json!(["document"]));
        }
    }
    // On the server, thirty are looked for in as many statements as one.
    if world.watched() {
        let statements = || world.verdict().ran.iter().filter(|ran| ran.text.contains("FROM person_index i")).count();
        let before = statements();
        open(40..41);
        let one = statements() - before;
        open(50..80);
        assert_eq!((one, statements() - before - one), (2, 2), "one for the victims, one for the accused");
    }
}

fn another_agency_that_knows_the_person_is_told_and_the_asker_learns_only_that(world) {
    let desk = desk(world);
    let path = opened(world, &desk);
    let id = victim(world, &desk, &path, rosa());
    let police = world.token("PE-PNP-DIRCTPTIM", "deconfliction:ask", Purpose::Investigation);
    let ask = |token: &str, question: Value| world.post_with("/v1/deconfliction", token, &[], &question);
    let yes = ask(&police, json!({"surnames": "Quispe de la Cruz", "given_names": "Rosa", "birth_year": 2004}));
    assert_eq!((yes.status, yes.text.as_str()), (200, "{\"match\":true}"));
    assert_eq!(ask(&police, json!({"document": {"type": "national_id", "country": "PE", "number": "10117410"}})).json(), json!({"match": true}));
    assert_eq!(ask(&police, json!({"surnames": "Mamani", "given_names": "Rosa"})).json(), json!({"match": false}));
    // Likely is not enough here: a sister has the same surnames.
    assert_eq!(ask(&police, json!({"surnames": "Quispe de la Cruz", "given_names": "Yesenia"})).json(), json!({"match": false}));
    let history = world.get(&format!("/v1/victims/{id}/history"), &desk).json();
    let told: Vec<(&str, &str)> = history["items"].as_array().unwrap().iter()
        .filter(|e| e["type"] == "deconfliction.matched")
        .map(|e| (e["agency"].as_str().unwrap(), e["other_agency"].as_str().unwrap())).collect();
    assert_eq!(told, [("PE-PNP-DIRCTPTIM", "PE-PNP-DIRCTPTIM"); 2], "{history}");
    // One's own persons are no match: a search shows them.
    let own = world.token("PE-MP-FISTRAP-LIMA", "deconfliction:ask victims:search", Purpose::Investigation);
    assert_eq!(ask(&own, json!({"surnames": "Quispe de la Cruz", "given_names": "Rosa", "birth_year": 2004})).json(), json!({"match": false}));
    assert_eq!(ask(&police, json!({"surnames": "Quispe"})).faults(), ["#/given_names: required"]);
    assert_eq!(ask(&desk, json!({"surnames": "Quispe", "given_names": "Rosa"})).code(), "insufficient_scope");
}

fn however_many_of_ones_own_are_called_so_the_person_of_another_agency_is_a_match(world) {
    let own = desk(world);
    let path = opened(world, &own);
    let namesake = |year: &str| json!({"given_names": "Sumaq", "paternal_surname": "Tangoa", "maternal_surname": "Murayari", "birth_date": year});
    for _ in 0..12 {
        victim(world, &own, &path, namesake("1971"));
    }
    let asker = world.token("PE-MP-FISTRAP-LIMA", "deconfliction:ask", Purpose::Investigation);
    let ask = || world.post_with("/v1/deconfliction", &asker, &[], &json!({"surnames": "Tangoa Murayari", "given_names": "Sumaq", "birth_year": 1971})).json();
    assert_eq!(ask(), json!({"match": false}));
    let police = world.token("PE-PNP-DIRCTPTIM", DESK, Purpose::Investigation);
    let theirs = opened(world, &police);
    // Likely enough, and behind all of them.
    victim(world, &police, &theirs, namesake("1972"));
    assert_eq!(ask(), json!({"match": true}));
}

fn deconfliction_is_limited_by_the_day(world, |config, _dir| { config.serve.deconfliction_per_day = 2; }) {
    let police = world.token("PE-PNP-DIRCTPTIM", "deconfliction:ask", Purpose::Investigation);
    let ask = || world.post_with("/v1/deconfliction", &police, &[], &json!({"surnames": "Mamani", "given_names": "Rosa"}));
    assert_eq!((ask().status, ask().status), (200, 200));
    let third = ask();
    assert_eq!((third.code(), third.json()["violated_policies"].clone()), ("quota_exceeded".to_owned(), json!(["deconfliction"])));
    assert!(third.header("retry-after").parse::<u32>().unwrap() > 80_000);
}
}
