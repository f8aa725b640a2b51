//! The contract is what the server does.

use serde_json::Value;

use std::collections::BTreeMap;

use serde_json::json;
use sistra::auth::Purpose;
use sistra::auth::policy::together;

use crate::both;
use crate::support::case;
use crate::support::contract::validator;

fn document() -> Value {
    crate::support::contract::DOCUMENT.clone()
}

/// Every operation: method, path, itself.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let item = |(path, item): (&String, &Value)| {
        let path = path.clone();
        item.as_object().unwrap().iter().map(move |(m, o)| (m.to_uppercase(), path.clone(), o.clone())).collect::<Vec<_>>()
    };
    paths.iter().flat_map(item).collect()
}

#[test]
fn every_operation_says_all_that_a_partner_needs() {
    let document = document();
    let id = regex::Regex::new("^[a-z]+(_[a-z]+)+$").unwrap();
    for (method, path, operation) in operations(&document) {
        let at = format!("{method} {path}");
        assert!(operation["description"].as_str().is_some_and(|d| d.len() > 10), "{at} has no description");
        assert!(operation["summary"].as_str().is_some_and(|d| d.len() > 3), "{at} has no summary");
        assert!(id.is_match(operation["operationId"].as_str().unwrap()), "{at}: operationId");
        for (name, allowed) in [
            ("x-data-class", &["P0", "P1", "P2", "P3", "P4"][..]),
            ("x-rate-class", &["none", "read", "write", "token", "search"]),
            ("x-idempotency", &["none", "natural", "key"]),
            ("x-concurrency", &["none", "if-match"]),
            ("x-audit", &["none", "read", "change"]),
            ("x-stability", &["beta", "stable", "deprecated"]),
        ] {
            assert!(allowed.contains(&operation[name].as_str().unwrap_or_default()), "{at}: {name} {}", operation[name]);
        }
        assert!(operation["x-required-scopes"].is_array() && operation["x-purposes"].is_array(), "{at}");
        if operation["x-required-scopes"].as_array().unwrap().iter().any(|s| s.as_str().unwrap().contains("identity")) {
            assert!(["P2", "P3"].contains(&operation["x-data-class"].as_str().unwrap()), "{at} shows identities");
            assert!(!operation["x-purposes"].as_array().unwrap().contains(&json!("statistics")), "{at}");
        }
        for status in ["400", "404", "405", "408", "431", "500", "503"] {
            assert!(operation["responses"][status].is_object(), "{at}: {status}");
        }
    }
}

#[test]
fn every_property_has_a_data_class_and_none_that_identifies_stands_in_a_url() {
    let document = document();
    fn walk(at: &str, schema: &Value) {
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            assert!(property["x-data-class"].as_str().is_some_and(|c| c.starts_with('P')), "{at}.{name}");
        }
        for part in ["allOf", "oneOf"] {
            schema[part].as_array().into_iter().flatten().for_each(|s| walk(at, s));
        }
    }
    document["components"]["schemas"].as_object().unwrap().iter().for_each(|(name, schema)| walk(name, schema));
    let class = |schema: &str, property: &str| {
        document["components"]["schemas"][schema]["properties"][property]["x-data-class"].clone()
    };
    for (schema, property, expected) in [
        ("CaseRecord", "stage", "P0"),
        ("CaseRecord", "summary", "P1"),
        ("VictimIdentity", "given_names", "P2"),
        ("Victim", "disability", "P3"),
        ("AccusedIdentity", "documents", "P2"),
        ("CaseVictimCreate", "identity", "P2"),
        ("AgencyRecord", "name", "P0"),
    ] {
        assert_eq!(class(schema, property), json!(expected), "{schema}.{property}");
    }
    let personal = ["given_names", "surname", "birth_date", "document", "phone", "address", "name"];
    for (method, path, operation) in operations(&document) {
        for parameter in operation["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap_or_default();
            assert!(!personal.iter().any(|p| name.contains(p)), "{method} {path}: {name}");
        }
    }
}

#[test]
fn every_body_and_every_answer_has_an_example_that_its_schema_allows() {
    let document = document();
    let mut seen = 0;
    let mut faults = Vec::new();
    for (method, path, operation) in operations(&document) {
        let answers = operation["responses"].as_object().unwrap().iter().map(|(status, answer)| (status.clone(), answer));
        let bodies = answers.chain(operation.get("requestBody").map(|b| ("request".to_owned(), b)));
        for (what, holder) in bodies {
            let holder = holder["$ref"].as_str().map_or(holder, |t| document.pointer(&t[1..]).unwrap());
            for (media, content) in holder["content"].as_object().into_iter().flatten() {
                let schema = &content["schema"];
                let target = schema["$ref"].as_str().map(|t| document.pointer(&t[1..]).unwrap());
                let own =
                    target.map_or(&Value::Null, |t| if t["example"].is_null() { &t["examples"][0] } else { &t["example"] });
                let example = if content["example"].is_null() { own } else { &content["example"] };
                if example.is_null() {
                    faults.push(format!("{method} {path} {what} {media}: no example"));
                    continue;
                }
                seen += 1;
                faults.extend(
                    validator(schema)
                        .iter_errors(example)
                        .map(|e| format!("{method} {path} {what}: {} {e}", e.instance_path())),
                );
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(seen > 500, "{seen}");
}

#[test]
fn every_problem_is_documented_and_shown_by_a_test() {
    let document = document();
    let mut suite = String::new();
    for file in std::fs::read_dir("tests").unwrap().flatten().filter(|f| f.path().extension().is_some_and(|e| e == "rs")) {
        suite += &std::fs::read_to_string(file.path()).unwrap();
    }
    // What only a failing machine or a race brings about; the units that make them have tests of their own.
    let rare = [
        "internal_error",
        "overloaded",
        "storage_unavailable",
        "audit_unavailable",
        "service_timeout",
        "idempotency_in_progress",
        "rule_violated",
    ];
    for kind in sistra::http::codes::ALL {
        let about = &document["components"]["responses"][format!("Problem{}", kind.status)]["description"];
        assert!(about.as_str().unwrap().contains(kind.code), "{}", kind.code);
        assert!(rare.contains(&kind.code) || suite.contains(&format!("\"{}\"", kind.code)), "no test shows {}", kind.code);
    }
}

#[test]
fn every_reference_of_the_contract_resolves() {
    fn walk(root: &Value, value: &Value) {
        match value {
            Value::Object(map) => {
                if let Some(target) = map.get("$ref").and_then(Value::as_str) {
                    assert!(root.pointer(target.trim_start_matches('#')).is_some(), "{target}");
                }
                map.values().for_each(|v| walk(root, v));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(root, v)),
            _ => {}
        }
    }
    let document = document();
    walk(&document, &document);
}

#[test]
fn operations_open_without_a_token_are_only_those_on_the_list() {
    let committed = std::fs::read_to_string("openapi/public.txt").unwrap();
    assert_eq!(sistra::http::contract::public(&document()), committed);
}

both! {
fn every_secured_operation_refuses_a_stranger_before_anything_else(world) {
    let narrow = world.token("PE-MP-FISTRAP-LIMA", "agencies:manage", sistra::auth::Purpose::Statistics);
    let document = document();
    let mut seen = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let scopes = operation["x-required-scopes"].as_array().cloned().unwrap_or_default();
            let Some(security) = operation["security"].as_array() else { continue };
            if !security.iter().any(|s| s.get("oauth2").is_some()) {
                continue;
            }
            seen += 1;
            let path = path.split('/').map(|s| if s.starts_with('{') { "01a20da0-6e26-77b4-8000-40c670de0f0b" } else { s }).collect::<Vec<_>>().join("/");
            let method = method.to_uppercase();
            let body: &[u8] = if method == "GET" { b"" } else { b"not json" };
            assert_eq!(world.send(&method, &path, None, &[], body).code(), "authentication_required", "{method} {path}");
            if scopes.iter().any(|s| s != "agencies:manage") {
                let answer = world.send(&method, &path, Some(&narrow), &[], body);
                // Moves of referrals, of broken glass, of erasures and of releases ask for one of two scopes, by what the body says.
                let by_body = ["/v1/referrals/", "/v1/break-glass/", "/v1/erasures/", "/v1/statistics/releases/"].iter().any(|p| path.starts_with(p)) && method == "POST";
                assert!(answer.status == 403 || by_body, "{method} {path}: {}", answer.text);
            }
        }
    }
    assert!(seen > 30, "{seen}");
}

fn every_read_of_the_contract_answers_as_it_says(world) {
    let scopes = together();
    let desk = world.token("PE-MP-FISTRAP-LIMA", &scopes.join(" "), Purpose::Investigation);
    let mut new = case();
    new["identifiers"] = json!([{"scheme": "PE-CARPETA", "value": "506014501-2021-590-0"}]);
    let made = world.post("/v1/cases", &desk, &new);
    let (path, case_id) = (made.header("location"), made.json()["id"].clone());
    let act = json!({"type": "disposicion", "number": "01-2026", "date": "2026-03-15"});
    world.step(&path, &desk, &made.header("etag"), &json!({"trigger": "open_inquiry", "legal_act": act, "effective_on": "2026-03-15"}));
    let victim = world.get(&format!("{path}/victims"), &desk).json()["items"][0]["victim_id"].clone();
    let accused = world.get(&format!("{path}/accused"), &desk).json()["items"][0]["id"].clone();
    let charge = world.get(&format!("/v1/charges?case_id={}", case_id.as_str().unwrap()), &desk).json()["items"][0]["id"].clone();
    let document_of = json!({"type": "national_id", "country": "PE", "number": "10117410-2"});
    let person = json!({"given_names": "Rosa", "paternal_surname": "Quispe", "documents": [document_of], "contacts": [{"kind": "phone", "value": "+51 900 000 000", "safe": true}]});
    for (kind, id) in [("victims", &victim), ("accused", &accused)] {
        let door = format!("/v1/{kind}/{}/identity", id.as_str().unwrap());
        let etag = world.get(&door, &desk).header("etag");
        let mut person = person.clone();
        if kind == "accused" {
            person["documents"][0] = json!({"type": "passport", "country": "VE", "number": "X1234567"});
        }
        let named = world.patch(&door, &desk, &etag, &person);
        assert_eq!(named.status, 200, "{}", named.text);
    }
    let participant = world.post(&format!("{path}/participants"), &desk, &json!({"agency": "PE-PNP-DIRCTPTIM", "role": "investigation_support", "sections": ["victims"]}));
    assert_eq!(participant.status, 201, "{}", participant.text);
    let referral = world.post("/v1/referrals", &desk, &json!({"case_id": case_id, "to_agency": "PE-MIMP-INABIF", "kind": "service_request",
        "services": ["shelter"], "sections": ["victims"], "purpose": "assistance", "urgency": "immediate", "legal_basis": "danger_to_life"}));
    world.step(&referral.header("location"), &desk, &referral.header("etag"), &json!({"trigger": "send"}));
    let known: BTreeMap<&str, Value> = [
        ("case_id", case_id), ("victim_id", victim), ("accused_id", accused), ("charge_id", charge),
        ("participant_id", participant.json()["id"].clone()), ("referral_id", referral.json()["id"].clone()),
    ].into_iter().collect();
    let document = document();
    let mut walked = 0;
    for (method, template, operation) in operations(&document) {
        if method != "GET" {
            continue;
        }
        let segment = |s: &str| match s.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
            None => Some(s.to_owned()),
            Some("code") if template.starts_with("/v1/agencies") => Some("PE-MIMP-INABIF".to_owned()),
            Some("code") if template.starts_with("/problems") => Some("not_found".to_owned()),
            Some(name) => known.get(name).map(|v| v.as_str().unwrap().to_owned()),
        };
        // What belongs to a record of another slice is walked by that slice's own tests.
        let Some(path) = template.split('/').map(segment).collect::<Option<Vec<_>>>().map(|p| p.join("/")) else { continue };
        let required = operation["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "query" && p["required"] == true);
        let Some(query) = required.map(|p| Some(format!("{}={}", p["name"].as_str()?, known.get(p["name"].as_str()?)?.as_str()?))).collect::<Option<Vec<_>>>() else { continue };
        let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let answer = world.get(&target, &desk);
        assert_eq!(answer.status, 200, "{target}: {}", answer.text);
        assert_eq!(!answer.header("audit-event-id").is_empty(), operation["x-audit"] == "read", "{target}: x-audit");
        let documented = &operation["responses"]["200"]["headers"];
        assert_eq!(!answer.header("etag").is_empty(), documented["ETag"].is_object(), "{target}: ETag");
        if documented["ETag"].is_object() && template.starts_with("/v1") {
            assert_eq!(world.send("GET", &target, Some(&desk), &[("If-None-Match", &answer.header("etag"))], b"").status, 304, "{target}");
        }
        if operation["x-rate-class"] == "read" {
            let joint = if target.contains('?') { '&' } else { '?' };
            assert_eq!(world.get(&format!("{target}{joint}fields=colour"), &desk).faults(), ["fields: enum"], "{target}");
        }
        walked += 1;
    }
    assert!(walked >= 30, "{walked}");
}

fn methods_heads_and_options_are_answered_everywhere(world) {
    let token = world.prosecutor();
    let put = world.send("PUT", "/v1/cases", None, &[], b"");
    assert_eq!((put.status, put.header("allow").as_str(), put.code().as_str()), (405, "GET, HEAD, POST, OPTIONS", "method_not_allowed"));
    assert_eq!(world.send("OPTIONS", "/v1/cases", None, &[], b"").status, 204);
    assert_eq!(world.send("GET", "/nowhere", None, &[], b"").code(), "not_found");
    let path = world.post("/v1/cases", &token, &case()).header("location");
    let (get, head) = (world.get(&path, &token), world.send("HEAD", &path, Some(&token), &[], b""));
    assert_eq!((head.status, head.text.as_str(), head.header("etag")), (200, "", get.header("etag")));
    assert_eq!(head.header("content-length"), get.text.len().to_string());
    let french = world.send("GET", "/v1/cases", None, &[("Accept-Language", "fr")], b"");
    assert_eq!(french.json()["title"], "Authentification requise");
    for name in ["request-id", "api-version", "strict-transport-security", "x-content-type-options", "content-security-policy"] {
        assert!(!french.header(name).is_empty(), "{name}");
    }
}
}
