//! What holds for every request: compression, browsers, media types, spelling, selection, limits and quotas.

use std::io::{Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::clients::{Credential, NewClient, create};
use sistra::kernel::{AgencyCode, Timestamp};

use crate::both;
use crate::support::{ALL, World, case, unique};

const AGENCY: &str = "PE-MP-FISTRAP-LIMA";

fn connect(world: &World) -> TcpStream {
    TcpStream::connect(world.running.as_ref().unwrap().addr).unwrap()
}

/// Sends bytes as they are; answers head and body as they come.
fn raw(world: &World, request: &str) -> (String, Vec<u8>) {
    let mut stream = connect(world);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap() + 4;
    (String::from_utf8_lossy(&answer[..end]).to_lowercase(), answer[end..].to_vec())
}

fn get(world: &World, method: &str, path: &str, token: &str, more: &str) -> (String, Vec<u8>) {
    raw(
        world,
        &format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n{more}\r\n"),
    )
}

fn header(head: &str, name: &str) -> String {
    head.lines().find_map(|l| l.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
}

fn gunzip(body: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(body).read_to_string(&mut text).unwrap();
    text
}

both! {
fn long_answers_are_compressed_where_that_is_asked_for_and_tokens_never(world) {
    let token = world.prosecutor();
    let mut long = case();
    long["summary"] = json!("Relato reservado. ".repeat(200));
    let made = world.post("/v1/cases", &token, &long);
    let path = made.header("location");
    let (head, body) = get(world, "GET", &path, &token, "Accept-Encoding: br, gzip\r\n");
    assert_eq!((header(&head, "content-encoding"), header(&head, "etag")), ("gzip".into(), "\"1.oz\"".into()));
    assert!(header(&head, "vary").contains("accept-encoding"), "{head}");
    assert_eq!(header(&head, "content-length"), body.len().to_string());
    let whole = world.get(&path, &token);
    assert_eq!(whole.json(), made.record());
    assert_eq!(serde_json::from_str::<Value>(&gunzip(&body)).unwrap(), whole.json());
    assert!(body.len() * 3 < whole.text.len());
    let (mirror, nothing) = get(world, "HEAD", &path, &token, "Accept-Encoding: gzip\r\n");
    assert_eq!((header(&mirror, "content-length"), header(&mirror, "etag"), nothing.len()), (header(&head, "content-length"), header(&head, "etag"), 0));
    let (plain, body) = get(world, "GET", &path, &token, "Accept-Encoding: gzip;q=0\r\n");
    assert_eq!((header(&plain, "content-encoding"), header(&plain, "etag"), body.len()), (String::new(), "\"1.o\"".into(), whole.text.len()));
    // Either tag is a proof that the caller has it, and either is a base for a change.
    for tag in ["\"1.o\"", "\"1.oZ\""] {
        let answer = world.send("GET", &path, Some(&token), &[("If-None-Match", tag)], b"");
        assert_eq!((answer.status, answer.header("etag").as_str()), (304, tag));
    }
    assert_eq!(world.patch(&path, &token, "\"1.oZ\"", &json!({"territory": "150101"})).status, 200);
    let (short, _) = get(world, "GET", "/v1/cases?stage=trial", &token, "Accept-Encoding: gzip\r\n");
    assert_eq!(header(&short, "content-encoding"), "", "{short}");
    let (client, secret) = world.client(AGENCY, ALL, &[Purpose::Prosecution], Credential::Secret).unwrap();
    let basic = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{client}:{}", secret.unwrap()));
    let form = "grant_type=client_credentials";
    let (head, body) = raw(world, &format!("POST /oauth/token HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAccept-Encoding: gzip\r\nAuthorization: Basic {basic}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}", form.len()));
    assert!(head.starts_with("http/1.1 200") && header(&head, "content-encoding").is_empty() && body.starts_with(b"{"), "{head}");
}

fn web_pages_read_answers_only_from_registered_origins(world, |config, _| config.serve.cors_origin = vec!["https://desk.example".into()]) {
    let token = world.prosecutor();
    let ask = |method: &str, path: &str, origin: &str, preflight: bool| {
        let mut headers = vec![("Origin", origin)];
        if preflight {
            headers.extend([("Access-Control-Request-Method", "PATCH"), ("Access-Control-Request-Headers", "authorization")]);
        }
        world.send(method, path, if preflight { None } else { Some(&token) }, &headers, b"")
    };
    let preflight = ask("OPTIONS", "/v1/cases/01a20da0-6e26-77b4-8000-40c670de0f0b", "https://desk.example", true);
    assert_eq!(preflight.status, 204);
    for (name, value) in [("access-control-allow-origin", "https://desk.example"), ("access-control-allow-methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS"), ("access-control-max-age", "600"), ("access-control-allow-credentials", "")] {
        assert_eq!(preflight.header(name), value, "{name}");
    }
    for name in ["Authorization", "Idempotency-Key", "If-Match", "Content-Type"] {
        assert!(preflight.header("access-control-allow-headers").contains(name), "{name}");
    }
    assert!(preflight.header("vary").contains("Origin"));
    let read = ask("GET", "/v1/cases", "https://desk.example", false);
    assert_eq!(read.header("access-control-allow-origin"), "https://desk.example");
    for name in ["ETag", "Link", "Location", "RateLimit", "Retry-After", "Request-Id"] {
        assert!(read.header("access-control-expose-headers").contains(name), "{name}");
    }
    assert_eq!(ask("GET", "/v1/nowhere", "https://desk.example", false).header("access-control-allow-origin"), "https://desk.example", "errors too");
    for origin in ["https://desk.example.evil", "https://evil.example", "http://desk.example", "https://desk.example:444", "null"] {
        for answer in [ask("OPTIONS", "/v1/cases", origin, true), ask("GET", "/v1/cases", origin, false)] {
            assert!(!answer.headers.keys().any(|k| k.as_str().starts_with("access-control")), "{origin}");
        }
    }
    for open in ["/v1/status", "/openapi/v1.json", "/problems/not_found", "/.well-known/jwks.json"] {
        assert_eq!(ask("GET", open, "https://anybody.example", false).header("access-control-allow-origin"), "*", "{open}");
    }
}

fn whoever_takes_no_json_gets_406(world) {
    let token = world.prosecutor();
    for (accept, status) in [
        ("application/json", 200), ("*/*", 200), ("application/*", 200), ("text/html, application/json;q=0.5", 200), ("text/html,*/*;q=0.1", 200), ("APPLICATION/JSON; charset=utf-8", 200),
        ("text/csv", 406), ("application/xml", 406), ("text/*", 406), ("application/json;q=0", 406), ("application/json;q=0.0, text/html", 406),
    ] {
        let answer = world.send("GET", "/v1/cases", Some(&token), &[("Accept", accept)], b"");
        assert_eq!(answer.status, status, "{accept}");
        if status == 406 {
            assert_eq!((answer.code().as_str(), answer.header("content-type").as_str()), ("not_acceptable", "application/problem+json"));
        }
    }
}

fn one_text_has_one_spelling(world) {
    let token = world.prosecutor();
    let mut new = case();
    // "Peña" typed with a combining tilde, raw and as an escape.
    new["title"] = json!("Pen\u{303}a");
    let raw = world.post("/v1/cases", &token, &new);
    assert_eq!(raw.json()["title"], json!("Pe\u{f1}a"), "{}", raw.text);
    let escaped = new.to_string().replace("Pen\u{303}a", "Pen\\u0303a");
    let answer = world.send("POST", "/v1/cases", Some(&token), &[("Content-Type", "application/json"), ("Idempotency-Key", &unique())], escaped.as_bytes());
    assert_eq!(answer.json()["title"], json!("Pe\u{f1}a"), "{}", answer.text);
    new["external_ref"] = json!("1\u{212b}");
    assert_eq!(world.post("/v1/cases", &token, &new).json()["external_ref"], json!("1\u{c5}"));
    new["external_ref"] = json!("1A\u{30a}");
    assert_eq!(world.post("/v1/cases", &token, &new).code(), "external_ref_taken", "the same reference, however it is composed");
}

fn a_read_answers_the_fields_that_were_asked_for(world) {
    let token = world.prosecutor();
    let made = world.post("/v1/cases", &token, &case());
    let (path, whole) = (made.header("location"), made.json());
    let some = world.get(&format!("{path}?fields=title,stage"), &token);
    assert_eq!(some.json(), json!({"id": whole["id"], "version": 1, "redacted": [], "title": whole["title"], "stage": "reported"}));
    assert_eq!(some.header("etag"), "\"1.o\"");
    let list = world.get("/v1/cases?limit=1&fields=code,identifiers.scheme", &token).json();
    assert_eq!(list, json!({"items": [{"id": whole["id"], "version": 1, "redacted": [], "code": whole["code"], "identifiers": []}], "next_cursor": null}));
    let history = world.get(&format!("{path}/history?fields=type"), &token).json();
    assert_eq!(history["items"][0]["type"], "case.created");
    assert!(history["items"][0].get("actor_agency").is_none() && history["items"][0].get("at").is_none(), "{history}");
    for (query, code, fault) in [
        ("fields=colour", "invalid_parameter", "fields: enum"), ("fields=", "invalid_parameter", "fields: enum"), ("fields=title.x", "invalid_parameter", "fields: enum"),
        ("fields=identifiers.colour", "invalid_parameter", "fields: enum"), ("fields=title&fields=stage", "invalid_parameter", "fields: unique_items"), ("f%69elds=colour", "invalid_parameter", "fields: enum"),
        ("field=title", "unknown_parameter", "field: unknown_field"),
    ] {
        let answer = world.get(&format!("{path}?{query}"), &token);
        assert_eq!((answer.status, answer.code().as_str(), answer.faults()), (400, code, vec![fault.to_owned()]), "{query}");
    }
    let many = |n: usize| vec!["title"; n].join(",");
    assert_eq!(world.get(&format!("{path}?fields={}", many(30)), &token).status, 200);
    assert_eq!(world.get(&format!("{path}?fields={}", many(31)), &token).faults(), ["fields: max_items"]);
    // A page's cursor does not care which fields were shown.
    world.post("/v1/cases", &token, &case());
    let first = world.get("/v1/cases?limit=1&fields=code", &token).json();
    let cursor = first["next_cursor"].as_str().unwrap();
    assert_eq!(world.get(&format!("/v1/cases?limit=1&cursor={cursor}"), &token).status, 200);
    // Writes say everything in their body.
    assert_eq!(world.post("/v1/cases?fields=title", &token, &case()).code(), "unknown_parameter");
    assert_eq!(world.patch(&format!("{path}?force=true"), &token, "\"1.o\"", &json!({})).faults(), ["force: unknown_field"]);
}

fn a_case_is_read_with_its_children_as_far_as_the_caller_sees_them(world) {
    let (prosecutor, shelter) = (world.prosecutor(), world.shelter());
    let mut new = case();
    new["accused"] = (0..60).map(|n| json!({"label": format!("a{n}"), "kind": "natural_person"})).collect();
    let made = world.post("/v1/cases", &prosecutor, &new);
    let (path, id) = (made.header("location"), made.json()["id"].clone());
    let all = world.get(&format!("{path}?expand=victims,accused,charges"), &prosecutor);
    let body = all.json();
    assert_eq!((all.status, body["title"].clone()), (200, made.json()["title"].clone()), "{}", all.text);
    assert_eq!(body["victims"], world.get(&format!("{path}/victims"), &prosecutor).json());
    assert_eq!(body["charges"], world.get(&format!("/v1/charges?case_id={}", id.as_str().unwrap()), &prosecutor).json());
    assert_eq!(body["accused"]["items"].as_array().unwrap().len(), 50);
    let cursor = body["accused"]["next_cursor"].as_str().unwrap();
    assert_eq!(world.get(&format!("{path}/accused?cursor={cursor}"), &prosecutor).json()["items"].as_array().unwrap().len(), 10);
    assert!(all.header("etag").is_empty(), "the children have versions of their own");
    assert_eq!(world.get(&format!("{path}?expand=victims&fields=victims.items.means"), &prosecutor).json()["victims"]["items"], json!([{"means": ["deception"]}]));
    assert_eq!(world.get(&format!("{path}?expand=victims,names"), &prosecutor).faults(), ["expand: enum"]);
    let narrow = world.token(AGENCY, "cases:read victims:read", Purpose::Prosecution);
    let refused = world.get(&format!("{path}?expand=victims,charges"), &narrow);
    assert_eq!((refused.status, refused.code()), (403, "field_forbidden".into()));
    assert_eq!(world.get("/v1/cases/01a20da0-6e26-77b4-8000-40c670de0f0b?expand=charges", &narrow).code(), "field_forbidden", "the same for what is not there");
    assert_eq!(world.get(&format!("{path}?expand=victims"), &shelter).status, 404);
    let draft = world.post("/v1/referrals", &prosecutor, &json!({"case_id": id, "to_agency": "PE-MIMP-INABIF", "kind": "service_request",
        "services": ["shelter"], "sections": ["victims"], "purpose": "assistance", "urgency": "immediate", "legal_basis": "danger_to_life"}));
    let referral = draft.header("location");
    let sent = world.step(&referral, &prosecutor, &draft.header("etag"), &json!({"trigger": "send"}));
    world.step(&referral, &shelter, &sent.header("etag"), &json!({"trigger": "accept"}));
    let seen = world.get(&format!("{path}?expand=victims,accused"), &shelter).json();
    assert_eq!((seen["victims"]["items"].as_array().unwrap().len(), seen.get("accused")), (1, None));
    assert!(seen["redacted"].as_array().unwrap().contains(&json!("#/accused")), "{seen}");
    let oversight = world.token("PE-DP", "cases:read victims:read accused:read", Purpose::Oversight);
    assert_eq!(world.get(&format!("{path}?expand=victims"), &oversight).json()["victims"]["items"].as_array().unwrap().len(), 1);
}

fn a_write_answers_as_much_as_is_preferred(world) {
    let token = world.prosecutor();
    let with = |prefer: &str| world.post_with("/v1/cases", &token, &[("Idempotency-Key", &unique()), ("Prefer", prefer)], &case());
    let minimal = with("return=minimal");
    assert_eq!((minimal.status, minimal.text.as_str(), minimal.header("preference-applied").as_str(), minimal.header("etag").as_str()), (201, "", "return=minimal", "\"1.o\""));
    let path = minimal.header("location");
    let whole = with("respond-async, return=representation");
    assert_eq!((whole.header("preference-applied").as_str(), whole.json()["stage"].clone()), ("return=representation", json!("reported")));
    assert_eq!(with("handling=lenient").header("preference-applied"), "");
    let patch = world.send("PATCH", &path, Some(&token), &[("Content-Type", "application/merge-patch+json"), ("If-Match", "\"1.o\""), ("Prefer", "return=minimal")], br#"{"territory":"150101"}"#);
    assert_eq!((patch.status, patch.text.as_str(), patch.header("etag").as_str()), (204, "", "\"2.o\""));
    assert_eq!(world.patch(&path, &token, "\"1.o\"", &json!({"territory": "160101"})).code(), "precondition_failed");
    let read = world.send("GET", &path, Some(&token), &[("Prefer", "return=minimal")], b"");
    assert_eq!((read.status, read.header("preference-applied").as_str(), read.json()["territory"].clone()), (200, "", json!("150101")), "a read has nothing else to answer");
}

fn urls_heads_and_queries_have_limits(world) {
    let token = world.prosecutor();
    let key = world.post_with("/v1/cases", &token, &[("Idempotency-Key", "short")], &case());
    assert_eq!((key.status, key.code(), key.faults()), (400, "invalid_header".into(), vec!["Idempotency-Key: format".into()]));
    let query = |n: usize| format!("/v1/cases?{}", "stage=reported&".repeat(n));
    assert_eq!((world.get(&query(51), &token).status, world.get(&query(51), &token).code()), (400, "invalid_request".into()));
    assert_eq!(world.get(&query(2), &token).faults(), ["stage: unique_items"]);
    let long = |bytes: usize| format!("/v1/cases?stage={}", "x".repeat(bytes - "/v1/cases?stage=".len()));
    assert_eq!(world.get(&long(8_192), &token).code(), "invalid_parameter");
    let target = world.get(&long(8_193), &token);
    assert_eq!((target.status, target.code().as_str(), target.header("content-type").as_str()), (431, "head_too_large", "application/problem+json"));
    let head = |bytes: usize| world.send("GET", "/v1/status", None, &[("X-Padding", &"x".repeat(bytes))], b"");
    assert_eq!(head(16_000).status, 200);
    assert_eq!((head(16_384).status, head(16_384).code()), (431, "head_too_large".into()));
}

fn quotas_are_told_and_kept(world, |config, _| {
    config.serve.rate_read_per_min = 3;
    config.serve.rate_write_per_min = 2;
    config.serve.rate_token_per_min = 1;
}) {
    let token = world.prosecutor();
    let first = world.get("/v1/cases", &token);
    assert_eq!((first.header("ratelimit-policy").as_str(), first.header("ratelimit").as_str()), ("\"read\";q=3;w=60", "\"read\";r=2;t=20"));
    assert_eq!(world.get("/v1/cases/01a20da0-6e26-77b4-8000-40c670de0f0b", &token).header("ratelimit"), "\"read\";r=1;t=40", "errors count and tell");
    world.get("/v1/cases", &token);
    let over = world.get("/v1/cases", &token);
    assert_eq!((over.status, over.code().as_str(), over.json()["violated_policies"].clone()), (429, "quota_exceeded", json!(["read"])));
    let wait: u64 = over.header("retry-after").parse().unwrap();
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(over.header("ratelimit"), format!("\"read\";r=0;t={wait}"));
    assert_eq!(world.post("/v1/cases", &token, &case()).status, 201, "writes have a quota of their own");
    assert_eq!(world.get("/v1/cases", &world.prosecutor()).status, 200, "and so has every client");
    let (client, secret) = world.client(AGENCY, ALL, &[Purpose::Prosecution], Credential::Secret).unwrap();
    let basic = format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{client}:{}", secret.unwrap())));
    let ask = || world.send("POST", "/oauth/token", None, &[("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", &basic)], b"grant_type=client_credentials");
    assert_eq!((ask().status, ask().status), (200, 429));
}

fn a_client_looks_at_so_many_persons_a_day_and_no_more(world, |config, _| config.serve.pii_subjects_per_day = 2) {
    let desk = world.token(AGENCY, "victims.identity:read accused.identity:read victims:read accused:read cases:read cases:write", Purpose::Protection);
    let mut new = case();
    new["victims"] = (0..2).map(|n| json!({"label": format!("v{n}"), "sex": "female", "age_at_identification": 15, "acts": ["recruit"], "purposes": ["sexual_exploitation"]})).collect();
    new["charges"] = json!([]);
    let path = world.post("/v1/cases", &desk, &new).header("location");
    let victims: Vec<String> = world.get(&format!("{path}/victims"), &desk).json()["items"].as_array().unwrap().iter().map(|v| format!("/v1/victims/{}/identity", v["victim_id"].as_str().unwrap())).collect();
    let accused = format!("/v1/accused/{}/identity", world.get(&format!("{path}/accused"), &desk).json()["items"][0]["id"].as_str().unwrap());
    let first = world.get(&victims[0], &desk);
    assert_eq!((first.status, first.header("ratelimit").as_str(), first.header("ratelimit-policy").as_str()), (200, "\"pii_subjects\";r=1;t=86400", "\"pii_subjects\";q=2;w=86400"));
    assert_eq!(world.get(&victims[0], &desk).status, 200, "the same person costs nothing");
    assert_eq!(world.get("/v1/victims/7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12/identity", &desk).status, 404);
    for over in [&victims[1], &accused] {
        let answer = world.get(over, &desk);
        assert_eq!((answer.status, answer.json()["violated_policies"].clone()), (429, json!(["pii_subjects"])), "whoever is not there counted too");
        assert!(answer.header("retry-after").parse::<u64>().unwrap() > 86_000);
    }
    assert_eq!(world.get(&victims[0], &desk).status, 200);
    assert_eq!(world.get(&format!("{path}/victims"), &desk).status, 200, "pseudonyms are not identities");
}

fn a_client_that_was_registered_a_moment_ago_gets_its_token_and_one_that_never_was_does_not(world) {
    let new = NewClient {
        agency: AgencyCode::parse(AGENCY).unwrap(),
        name: "new".into(),
        scopes: vec!["cases:read".into()],
        purposes: vec![Purpose::Prosecution],
        credential: Credential::Secret,
    };
    // As the command does it: in the database, and the server is told nothing.
    let made = world.running.as_ref().unwrap().store.write_blocking(move |tx| Ok(create(tx, &new, Timestamp::now()))).unwrap();
    let (client, secret) = made.unwrap();
    let ask = |client: String, secret: &str| {
        let basic = format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{client}:{secret}")));
        world.send("POST", "/oauth/token", None, &[("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", &basic)], b"grant_type=client_credentials")
    };
    let secret = secret.unwrap();
    let given = ask(client.to_string(), &secret);
    assert_eq!(given.status, 200, "{}", given.text);
    let token = given.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(world.get("/v1/cases", &token).status, 200);
    assert_eq!(ask("01a2119c-7ca3-76f1-8000-30d491792415".into(), &secret).status, 401);
}

fn an_address_that_guesses_is_shut_out(world, |config, _| {
    config.serve.token_failures_per_min = 3;
    config.serve.trusted_proxy = vec!["127.0.0.1".parse().unwrap()];
}) {
    let (client, secret) = world.client(AGENCY, ALL, &[Purpose::Prosecution], Credential::Secret).unwrap();
    let ask = |secret: &str, from: &str| {
        let basic = format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{client}:{secret}")));
        world.send("POST", "/oauth/token", None, &[("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", &basic), ("X-Forwarded-For", from)], b"grant_type=client_credentials")
    };
    let secret = secret.unwrap();
    assert_eq!([ask("x", "192.0.2.1").status, ask("y", "10.0.0.1, 192.0.2.1").status, ask("z", "192.0.2.1").status], [401, 401, 401]);
    let out = ask(&secret, "192.0.2.1");
    assert_eq!((out.status, out.code().as_str(), out.json()["violated_policies"].clone()), (429, "quota_exceeded", json!(["token_failures"])));
    assert!((895..=900).contains(&out.header("retry-after").parse::<u32>().unwrap()));
    assert_eq!(ask(&secret, "10.9.9.9, 192.0.2.1").status, 429, "what stands before it the caller wrote");
    assert_eq!(ask(&secret, "192.0.2.2").status, 200, "others are not concerned");
}

fn who_is_no_proxy_of_ours_speaks_for_nobody(world, |config, _| { config.serve.token_failures_per_min = 3; }) {
    let (client, secret) = world.client(AGENCY, ALL, &[Purpose::Prosecution], Credential::Secret).unwrap();
    let ask = |secret: &str, from: &str| {
        let basic = format!("Basic {}", base64::Engine::encode(&base64::engine::general_purpose::STANDARD, format!("{client}:{secret}")));
        world.send("POST", "/oauth/token", None, &[("Content-Type", "application/x-www-form-urlencoded"), ("Authorization", &basic), ("X-Forwarded-For", from)], b"grant_type=client_credentials").status
    };
    let guesses = [ask("x", "192.0.2.1"), ask("y", "192.0.2.2"), ask("z", "192.0.2.3")];
    assert_eq!((guesses, ask(&secret.unwrap(), "192.0.2.4")), ([401, 401, 401], 429), "one address, whatever it writes");
}

fn a_client_has_so_many_requests_at_a_time(world, |config, _| {
    config.serve.rate_concurrent = 2;
    config.serve.body_timeout_ms = 60_000;
}) {
    let (token, other) = (world.prosecutor(), world.prosecutor());
    // Three requests whose bodies do not come: two run until they are given up, one is refused at once.
    let stuck: Vec<TcpStream> = (0..3).map(|_| {
        let mut stream = connect(world);
        write!(stream, "POST /v1/cases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nIdempotency-Key: {}\r\nContent-Length: 10\r\n\r\n{{", unique()).unwrap();
        stream
    }).collect();
    let (sender, first) = std::sync::mpsc::channel();
    for mut stream in stuck.iter().map(|s| s.try_clone().unwrap()) {
        let sender = sender.clone();
        std::thread::spawn(move || {
            let mut status = [0; 12];
            stream.read_exact(&mut status).map(|()| sender.send(String::from_utf8_lossy(&status).into_owned()))
        });
    }
    assert_eq!(first.recv().unwrap(), "HTTP/1.1 429");
    let refused = world.get("/v1/cases", &token);
    assert_eq!((refused.status, refused.code().as_str(), refused.json()["violated_policies"].clone(), refused.header("retry-after").as_str()), (429, "quota_exceeded", json!(["concurrent"]), "1"));
    assert_eq!(world.get("/v1/cases", &other).status, 200);
    stuck.iter().for_each(|s| s.shutdown(std::net::Shutdown::Both).unwrap());
    assert!((0..10_000).any(|_| world.get("/v1/cases", &token).status == 200), "what has ended counts no more");
}

fn a_body_that_does_not_come_is_given_up(world, |config, _| config.serve.body_timeout_ms = 50) {
    let token = world.prosecutor();
    let (head, body) = raw(world, &format!("POST /v1/cases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\nIdempotency-Key: {}\r\nContent-Length: 10\r\n\r\n{{", unique()));
    assert!(head.starts_with("http/1.1 408"), "{head}");
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["code"], "request_timeout");
}

fn the_service_says_how_it_is(world) {
    for path in ["/healthz/live", "/healthz/ready", "/v1/status"] {
        let answer = world.send("GET", path, None, &[], b"");
        assert_eq!((answer.status, answer.json()["status"].clone(), answer.header("cache-control").as_str()), (200, json!("ok"), "no-store"), "{path}");
    }
    let running = world.running.as_ref().unwrap();
    running.drain();
    let ready = world.send("GET", "/healthz/ready", None, &[], b"");
    assert_eq!((ready.status, ready.code().as_str()), (503, "maintenance"));
    assert!(!ready.header("retry-after").is_empty());
    assert_eq!(world.send("GET", "/healthz/live", None, &[], b"").status, 200);
    let status = world.send("GET", "/v1/status", None, &[], b"");
    assert_eq!((status.status, status.json()["status"].clone()), (200, json!("down")));
}
}
