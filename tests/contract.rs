//! The contract is what the server does.

use serde_json::Value;

use crate::both;
use crate::support::case;

fn document() -> Value {
    sistra::http::contract::document(&sistra::app::contract())
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
                // Moves of referrals ask for one of two scopes, by what the body says.
                let by_body = path.starts_with("/v1/referrals/") && method == "POST";
                assert!(answer.status == 403 || by_body, "{method} {path}: {}", answer.text);
            }
        }
    }
    assert!(seen > 30, "{seen}");
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
