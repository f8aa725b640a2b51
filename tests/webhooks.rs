//! Webhooks: what is brought to whom, in which order, signed how, and what happens when nobody is at home.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::webhooks::model::SCHEDULE;

use crate::both;
use crate::support::endpoint::{Endpoint, Got, Reply};
use crate::support::process::{Dir, Server, client_with, data};
use crate::support::{ALL, Answer, Engine, World, case, unique};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const GUEST: &str = "PE-MIMP-INABIF";
const STRANGER: &str = "PE-MP-FISTRAP-PIURA";

fn manager(world: &World, agency: &str) -> String {
    world.token(agency, &format!("{ALL} events:read webhooks:manage"), Purpose::Assistance)
}

fn created(world: &World, token: &str, body: &Value) -> (String, Value) {
    let made = world.post("/v1/webhooks", token, body);
    assert_eq!(made.status, 201, "{}", made.text);
    (made.header("location"), made.json())
}

/// A webhook whose endpoint has answered its ping.
fn active(world: &World, token: &str, endpoint: &Endpoint, more: &Value) -> (String, Value) {
    let mut body = json!({"url": endpoint.url(), "signature": "v1"});
    more.as_object().unwrap().iter().for_each(|(k, v)| body[k] = v.clone());
    let (path, made) = created(world, token, &body);
    until(world, token, &path, "active");
    (path, made)
}

/// Waits until a webhook stands there.
fn until(world: &World, token: &str, path: &str, state: &str) -> Value {
    loop {
        let now = world.get(path, token).json();
        if now["state"] == state {
            return now;
        }
        std::thread::yield_now();
    }
}

/// Waits until so many attempts are recorded; the newest first.
fn attempts(world: &World, token: &str, path: &str, count: usize) -> Vec<Value> {
    loop {
        let page = world.get(&format!("{path}/deliveries?limit=200"), token);
        assert_eq!(page.status, 200, "{}", page.text);
        let items = page.json()["items"].as_array().unwrap().clone();
        if items.len() >= count {
            return items;
        }
        std::thread::yield_now();
    }
}

/// Opens a case, and waits until it has its place in the feed.
fn open(world: &World, token: &str) -> String {
    let made = world.post("/v1/cases", token, &case());
    assert_eq!(made.status, 201, "{}", made.text);
    let store = &world.running.as_ref().unwrap().store;
    while store.read_blocking(sistra::ledger::sealer::progress).unwrap().1 > 0 {
        std::thread::yield_now();
    }
    made.header("location")
}

fn retitle(world: &World, token: &str, path: &str, title: &str) -> Answer {
    let done = world.patch(path, token, &world.get(path, token).header("etag"), &json!({"title": title}));
    assert_eq!(done.status, 200, "{}", done.text);
    done
}

fn kinds(got: &[Got]) -> Vec<String> {
    got.iter().map(Got::kind).collect()
}

fn jump(world: &World, seconds: i64) {
    world.running.as_ref().unwrap().hooks.jump(seconds);
}

fn feed(world: &World, token: &str, query: &str) -> Vec<Value> {
    world.get(&format!("/v1/events?after=begin&limit=500&{query}"), token).json()["items"].as_array().unwrap().clone()
}

/// The pause before an attempt with the longest spread, and a second.
fn pause(attempt: usize) -> i64 {
    SCHEDULE[attempt] * 12 / 10 + 1
}

/// Just before an attempt can be due.
fn early(attempt: usize) -> i64 {
    SCHEDULE[attempt] * 8 / 10 - 1
}

/// What the reference library says of messages; none where it is not there.
fn peer(keys: &[&str], messages: &[Got]) -> Option<()> {
    let there = Command::new("python3").args(["-c", "import standardwebhooks, cryptography"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|s| s.success()) {
        let required = std::env::var_os("SISTRA_REQUIRE_PEERS").is_some_and(|v| v == "1");
        assert!(!required, "python3 with standardwebhooks and cryptography is required and not there");
        eprintln!("SKIPPED: python3 with standardwebhooks is not there, so no other library was asked");
        return None;
    }
    let mut child = Command::new("python3")
        .arg("tests/peers/verify_webhook.py")
        .args(keys)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines: Vec<String> = messages.iter().map(Got::line).collect();
    child.stdin.take().unwrap().write_all(lines.join("\n").as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{keys:?}");
    assert_eq!(String::from_utf8(done.stdout).unwrap().trim(), messages.len().to_string());
    Some(())
}

both! {
fn a_webhook_brings_what_happens_once_its_endpoint_has_answered_a_ping(world) {
    let (token, endpoint) = (manager(world, OWNER), Endpoint::new());
    open(world, &token);
    endpoint.says(Reply::Status(503));
    let (path, made) = created(world, &token, &json!({"url": endpoint.url(), "signature": "v1", "types": ["case.*"]}));
    assert_eq!((&made["state"], &made["public_key"], &made["version"]), (&json!("pending"), &Value::Null, &json!(1)));
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let ping = endpoint.count(1)[0].clone();
    assert_eq!((ping.kind().as_str(), &ping.json()["data"]["resource_id"]), ("webhook.ping", &made["id"]));
    let second = open(world, &token);
    endpoint.says(Reply::Status(200));
    jump(world, pause(1));
    assert_eq!(endpoint.count(2)[1].id(), ping.id(), "the same message at every attempt");
    let active = until(world, &token, &path, "active");
    assert_eq!((&active["version"], active.get("secret")), (&json!(2), None), "the secret was shown once");
    let got = endpoint.until(|got| got.iter().any(|g| g.kind() == "case.created"));
    let event = got.iter().find(|g| g.kind() == "case.created").unwrap();
    assert!(event.body.len() < 1024);
    assert_eq!(event.headers["content-type"], "application/json");
    let told = feed(world, &token, "types=case.created");
    let last = told.iter().find(|e| second.ends_with(e["resource_id"].as_str().unwrap())).unwrap();
    assert_eq!(event.json(), json!({"type": "case.created", "timestamp": last["time"],
        "data": {"event_id": last["id"], "resource_type": "case", "resource_id": last["resource_id"], "version": 1}}));
    assert_eq!(event.id(), last["id"].as_str().unwrap());
    retitle(world, &token, &second, "Otro");
    let got = endpoint.until(|got| got.iter().any(|g| g.kind() == "case.updated"));
    assert_eq!(kinds(&got), ["webhook.ping", "webhook.ping", "case.created", "case.updated"], "from its making on, and what it asked for");
    let log = attempts(world, &token, &path, 4);
    let said: Vec<_> = log.iter().rev().map(|a| (a["type"].as_str().unwrap(), a["attempt"].as_i64().unwrap(), a["outcome"].as_str().unwrap(), a["status"].as_i64().unwrap())).collect();
    assert_eq!(said, [("webhook.ping", 1, "refused", 503), ("webhook.ping", 2, "delivered", 200), ("case.created", 1, "delivered", 200), ("case.updated", 1, "delivered", 200)]);
    assert_eq!(world.get("/v1/webhooks", &token).json()["items"].as_array().unwrap().len(), 1);
}

fn a_day_of_errors_loses_nothing_and_changes_no_order(world) {
    let (token, endpoint) = (manager(world, OWNER), Endpoint::new());
    let (path, _) = active(world, &token, &endpoint, &json!({"types": ["case.*"]}));
    endpoint.says(Reply::Status(500));
    let case = open(world, &token);
    let first = endpoint.count(2)[1].clone();
    for n in 0..3 {
        retitle(world, &token, &case, &format!("Título {n}"));
    }
    for attempt in 1..=6 {
        attempts(world, &token, &path, attempt + 1);
        // Not before its time.
        jump(world, early(attempt));
        jump(world, pause(attempt) - early(attempt));
        let got = endpoint.count(attempt + 2);
        assert_eq!((got.len(), got[attempt + 1].id()), (attempt + 2, first.id()), "one after the other, and always the first");
    }
    attempts(world, &token, &path, 8);
    endpoint.says(Reply::Status(200));
    jump(world, pause(7));
    let got = endpoint.count(12);
    assert_eq!(kinds(&got[8..]), ["case.created", "case.updated", "case.updated", "case.updated"]);
    let versions: Vec<i64> = got[8..].iter().map(|g| g.json()["data"]["version"].as_i64().unwrap()).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    assert_eq!(world.get(&path, &token).json()["state"], "active");
}

fn an_endpoint_that_fails_for_three_days_or_is_gone_is_disabled_and_the_feed_says_so(world) {
    let (token, endpoint, gone) = (manager(world, OWNER), Endpoint::new(), Endpoint::new());
    let (path, _) = active(world, &token, &endpoint, &json!({"types": ["case.*"]}));
    let (other, _) = active(world, &token, &gone, &json!({"types": ["case.*"]}));
    endpoint.says(Reply::Status(500));
    gone.says(Reply::Status(410));
    open(world, &token);
    assert_eq!(until(world, &token, &other, "disabled")["disabled_reason"], "gone");
    for attempt in 1..10 {
        attempts(world, &token, &path, attempt + 1);
        jump(world, pause(attempt));
    }
    assert_eq!(until(world, &token, &path, "disabled")["disabled_reason"], "exhausted");
    let told = loop {
        let told = feed(world, &token, "types=webhook.disabled");
        if told.len() == 2 {
            break told;
        }
        std::thread::yield_now();
    };
    assert!(told.iter().any(|e| path.ends_with(e["resource_id"].as_str().unwrap())));
    // A test that is answered enables it, and it goes on where it stood.
    endpoint.says(Reply::Status(200));
    let before = endpoint.got().len();
    let tested = world.post(&format!("{path}/test"), &token, &Value::Null);
    assert_eq!((tested.status, &tested.json()["state"]), (200, &json!("pending")), "{}", tested.text);
    until(world, &token, &path, "active");
    assert_eq!(kinds(&endpoint.count(before + 2)[before..]), ["webhook.ping", "case.created"]);
}

fn what_a_client_may_not_see_is_not_brought_to_it(world) {
    let (owner, guest, stranger) = (manager(world, OWNER), manager(world, GUEST), manager(world, STRANGER));
    let clerk = world.token(GUEST, "cases:read webhooks:manage", Purpose::Assistance);
    let [shelter, narrow, far] = [(); 3].map(|()| Endpoint::new());
    active(world, &guest, &shelter, &json!({}));
    active(world, &clerk, &narrow, &json!({}));
    active(world, &stranger, &far, &json!({}));
    let case = open(world, &owner);
    let share = json!({"agency": GUEST, "role": "information", "sections": ["victims"]});
    let shared = world.post(&format!("{case}/participants"), &owner, &share);
    let victim = format!("/v1/victims/{}", world.get(&format!("{case}/victims"), &owner).json()["items"][0]["victim_id"].as_str().unwrap());
    assert_eq!(world.patch(&victim, &owner, &world.get(&victim, &owner).header("etag"), &json!({"sex": "male"})).status, 200);
    retitle(world, &owner, &case, "Uno");
    // Both have had what they may have before the access ends.
    for endpoint in [&shelter, &narrow] {
        endpoint.until(|got| got.iter().any(|g| g.kind() == "case.updated"));
    }
    let ended = world.step(&shared.header("location"), &owner, &shared.header("etag"), &json!({"trigger": "end"}));
    assert_eq!(ended.status, 200, "{}", ended.text);
    retitle(world, &owner, &case, "Dos");
    let second = open(world, &owner);
    assert_eq!(world.post(&format!("{second}/participants"), &owner, &share).status, 201);
    let about = |got: &[Got]| {
        let mut about: Vec<_> = kinds(got).into_iter().filter(|k| !k.starts_with("webhook.")).collect();
        // One sharing is two events of one instant about two records: they come in either order.
        for at in 1..about.len() {
            if about[at - 1] == "access.granted" && about[at] == "participant.created" {
                about.swap(at - 1, at);
            }
        }
        about
    };
    let granted = |got: &[Got]| ["access.granted", "participant.created"].iter().all(|k| got.iter().filter(|g| g.kind() == *k).count() == 2);
    assert_eq!(
        about(&shelter.until(granted)),
        ["participant.created", "access.granted", "victim.updated", "case.updated", "access.revoked", "participant.created", "access.granted"]
    );
    assert_eq!(
        about(&narrow.until(granted)),
        ["participant.created", "access.granted", "case.updated", "access.revoked", "participant.created", "access.granted"],
        "without the scope for victims nothing of them"
    );
    assert_eq!(about(&far.got()), Vec::<String>::new());
    // Nor does anybody see or change another agency's webhooks.
    let (path, _) = created(world, &owner, &json!({"url": far.url()}));
    for (method, at) in [("GET", path.clone()), ("GET", format!("{path}/deliveries")), ("POST", format!("{path}/test")), ("POST", format!("{path}/secret/rotate")), ("DELETE", path.clone())] {
        let answer = world.send(method, &at, Some(&stranger), &[("Idempotency-Key", &unique())], b"");
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{method} {at}");
    }
}

fn a_key_is_rotated_without_losing_a_message(world) {
    let (token, endpoint) = (manager(world, OWNER), Endpoint::new());
    let (path, made) = active(world, &token, &endpoint, &json!({"types": ["case.created"]}));
    let key = unique();
    let rotate = |key: &str| world.post_with(&format!("{path}/secret/rotate"), &token, &[("Idempotency-Key", key)], &Value::Null);
    let rotated = rotate(&key);
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    let (old, new) = (made["secret"].as_str().unwrap(), rotated.json()["secret"].as_str().unwrap().to_owned());
    assert_ne!(old, new);
    let again = rotate(&key);
    assert_eq!((again.header("idempotency-replayed").as_str(), &again.json()["secret"]), ("true", &Value::Null), "shown once");
    open(world, &token);
    let both = endpoint.count(2)[1].clone();
    assert_eq!(both.headers["webhook-signature"].split(' ').count(), 2);
    jump(world, 86_401);
    open(world, &token);
    let one = endpoint.count(3)[2].clone();
    assert_eq!(one.headers["webhook-signature"].split(' ').count(), 1);
    let signed = |got: &Got, key: &str| {
        sistra::webhooks::signing::signatures(sistra::webhooks::signing::Algorithm::Hmac, &[key.trim_start_matches("whsec_")], &got.id(), got.headers["webhook-timestamp"].parse().unwrap(), &got.body).unwrap()
    };
    assert_eq!(both.headers["webhook-signature"], format!("{} {}", signed(&both, &new), signed(&both, old)));
    assert_eq!(one.headers["webhook-signature"], signed(&one, &new));
}

fn what_was_sent_can_be_sent_again_from_any_place_of_the_log_or_of_the_feed(world) {
    let (token, endpoint) = (manager(world, OWNER), Endpoint::new());
    let (path, _) = active(world, &token, &endpoint, &json!({"types": ["case.*"]}));
    let case = open(world, &token);
    retitle(world, &token, &case, "Uno");
    retitle(world, &token, &case, "Dos");
    let first = endpoint.count(4);
    let log = attempts(world, &token, &path, 4);
    let behind = log.iter().find(|a| a["type"] == "case.created").unwrap()["cursor"].clone();
    let again = world.post(&format!("{path}/redeliveries"), &token, &json!({"after": behind}));
    assert_eq!(again.status, 200, "{}", again.text);
    let got = endpoint.count(6);
    assert_eq!(got[4..].iter().map(Got::id).collect::<Vec<_>>(), first[2..].iter().map(Got::id).collect::<Vec<_>>());
    assert_eq!(world.post(&format!("{path}/redeliveries"), &token, &json!({"after": "begin"})).status, 200);
    assert_eq!(kinds(&endpoint.count(9)[6..]), ["case.created", "case.updated", "case.updated"]);
    assert_eq!(world.post(&format!("{path}/redeliveries"), &token, &json!({"after": "x"})).code(), "invalid_cursor");
    let now = world.get("/v1/events?after=now", &token).json()["next_cursor"].clone();
    assert_eq!(world.post(&format!("{path}/redeliveries"), &token, &json!({"after": now})).status, 200, "the feed's cursor is one too");
}

fn a_webhook_is_amended_and_deleted_by_its_agency(world) {
    let (token, endpoint, moved) = (manager(world, OWNER), Endpoint::new(), Endpoint::new());
    let (path, made) = active(world, &token, &endpoint, &json!({"types": ["case.created"]}));
    let etag = world.get(&path, &token).header("etag");
    let bad = world.patch(&path, &token, &etag, &json!({"url": "gopher://x.example", "types": ["x"]}));
    assert_eq!(bad.faults(), ["#/types/0: pattern", "#/url: pattern"], "{}", bad.text);
    assert_eq!(world.patch(&path, &token, "\"9.w\"", &json!({"types": null})).status, 412);
    let colleague = manager(world, OWNER);
    let amended = world.patch(&path, &colleague, &etag, &json!({"url": moved.url(), "types": null}));
    assert_eq!((amended.status, &amended.json()["state"], &amended.json()["types"]), (200, &json!("pending"), &json!([])), "{}", amended.text);
    assert_ne!(amended.json()["client_id"], made["client_id"], "it sends with the rights of whoever changed it");
    until(world, &token, &path, "active");
    assert_eq!(moved.count(1)[0].kind(), "webhook.ping");
    open(world, &token);
    moved.until(|got| got.iter().any(|g| g.kind() == "case.created"));
    assert_eq!(kinds(&endpoint.got()), ["webhook.ping"]);
    let history: Vec<String> = feed(world, &token, "resource_type=webhook").iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(history, ["webhook.created", "webhook.active", "webhook.updated", "webhook.active"]);
    assert_eq!(world.send("DELETE", &path, Some(&token), &[], b"").status, 204);
    assert_eq!(world.get(&path, &token).status, 404);
    assert_eq!(world.send("DELETE", &path, Some(&token), &[], b"").status, 404);
    for n in 0..20 {
        created(world, &token, &json!({"url": format!("https://hooks{n}.example/")}));
    }
    let many = world.post("/v1/webhooks", &token, &json!({"url": "https://hooks.example/"}));
    assert_eq!((many.status, many.code().as_str()), (409, "state_conflict"));
}

fn a_redirect_is_not_followed_and_a_long_answer_not_read(world) {
    let (token, endpoint, elsewhere) = (manager(world, OWNER), Endpoint::new(), Endpoint::new());
    endpoint.says(Reply::Redirect(elsewhere.url()));
    let (path, _) = created(world, &token, &json!({"url": endpoint.url()}));
    let log = attempts(world, &token, &path, 1);
    assert_eq!((&log[0]["outcome"], &log[0]["status"]), (&json!("refused"), &json!(302)));
    endpoint.says(Reply::Big);
    jump(world, pause(1));
    until(world, &token, &path, "active");
    assert_eq!(elsewhere.got().len(), 0);
}
}

#[test]
fn the_reference_library_verifies_what_we_sign() {
    let world = &World::new(Engine::Sqlite).unwrap();
    let token = manager(world, OWNER);
    for signature in ["v1", "v1a"] {
        let endpoint = Endpoint::new();
        let (path, made) = active(world, &token, &endpoint, &json!({"signature": signature, "types": ["case.*"]}));
        let key = |of: &Value| of[if signature == "v1" { "secret" } else { "public_key" }].as_str().unwrap().to_owned();
        open(world, &token);
        let got = endpoint.count(2);
        if peer(&[&key(&made)], &got).is_none() {
            return;
        }
        let rotated = world.post(&format!("{path}/secret/rotate"), &token, &Value::Null).json();
        open(world, &token);
        peer(&[&key(&made), &key(&rotated)], &endpoint.count(3)[2..]).unwrap();
        assert_eq!(rotated["secret"].is_null(), signature == "v1a", "a private key is never shown");
    }
}

#[test]
fn an_endpoint_that_hangs_delays_nobody_else() {
    let world = &World::with(Engine::Sqlite, |config, _| config.serve.webhook_at_once = 4).unwrap();
    let token = manager(world, OWNER);
    let (slow, quick): (Vec<Endpoint>, Endpoint) = ((0..6).map(|_| Endpoint::new()).collect(), Endpoint::new());
    for endpoint in &slow {
        active(world, &token, endpoint, &json!({"types": ["case.*"]}));
        endpoint.says(Reply::Status(500));
    }
    active(world, &token, &quick, &json!({"types": ["case.*"]}));
    open(world, &token);
    for endpoint in &slow {
        endpoint.count(2);
        endpoint.says(Reply::Hang);
    }
    jump(world, pause(1));
    // As many as may hang do, and the others wait for them: the quick one does not.
    while !slow.iter().any(|e| e.got().len() >= 3) {
        std::thread::yield_now();
    }
    for n in 1..=5 {
        open(world, &token);
        quick.count(2 + n);
    }
    assert!(slow.iter().filter(|e| e.got().len() >= 3).count() <= 2, "half of four");
    slow.iter().for_each(|e| e.says(Reply::Status(200)));
}

#[test]
fn private_addresses_are_not_spoken_to_unless_it_is_a_lab() {
    let world = &World::with(Engine::Sqlite, |config, _| config.serve.webhook_allow_private = false).unwrap();
    let token = manager(world, OWNER);
    for url in ["http://hooks.example/", "https://hooks.example:8443/", "https://me:secret@hooks.example/", "hooks.example"]
    {
        let refused = world.post("/v1/webhooks", &token, &json!({"url": url}));
        assert_eq!((refused.status, refused.faults().len()), (422, 1), "{url}: {}", refused.text);
        assert!(!refused.text.contains("secret"), "an address is not repeated");
    }
    // Names that lead to this machine and to the metadata of a cloud: found out when they are looked up.
    for host in ["localhost", "127.0.0.1", "[::1]", "169.254.169.254", "[::ffff:10.0.0.1]"] {
        let (path, _) = created(world, &token, &json!({"url": format!("https://{host}/")}));
        let log = attempts(world, &token, &path, 1);
        assert_eq!((&log[0]["outcome"], &log[0]["status"]), (&json!("blocked"), &Value::Null), "{host}");
    }
}

#[test]
fn a_killed_server_leaves_out_no_event_and_keeps_the_order_of_each_record() {
    let (dir, endpoint) = (Dir::new(), Endpoint::new());
    let place = data(&dir.0);
    let system = client_with(&place, &format!("{ALL} events:read webhooks:manage"));
    let args = [&place[..], &["--webhook-allow-private"]].concat();
    let server = Server::start(&args, None);
    let token = server.token(&system);
    let made = server.post("/v1/webhooks", &token, &json!({"url": endpoint.url(), "types": ["case.*"]})).unwrap();
    assert_eq!(made.status, 201, "{}", made.text);
    endpoint.until(|got| got.iter().any(|g| g.kind() == "webhook.ping"));
    let mut paths = Vec::new();
    for _ in 0..12 {
        let made = server.post("/v1/cases", &token, &case()).unwrap();
        let (path, etag) = (made.header("location"), made.header("etag"));
        let headers = [
            ("Authorization", format!("Bearer {token}")),
            ("Content-Type", "application/merge-patch+json".to_owned()),
            ("If-Match", etag),
        ];
        assert_eq!(server.send("PATCH", &path, &headers, br#"{"title": "Otro"}"#).unwrap().status, 200);
        paths.push(path);
    }
    // Twice in the middle of it.
    endpoint.count(6);
    server.kill();
    drop(server);
    let server = Server::start(&args, None);
    endpoint.count(14);
    server.kill();
    drop(server);
    let _server = Server::start(&args, None);
    let cases: BTreeSet<&str> = paths.iter().map(|p| p.rsplit('/').next().unwrap()).collect();
    let got = endpoint.until(|got| {
        let last = |g: &Got| g.json()["data"]["version"] == 2 && g.kind() == "case.updated";
        got.iter()
            .filter(|g| last(g))
            .map(|g| g.json()["data"]["resource_id"].clone().to_string())
            .collect::<BTreeSet<_>>()
            .len()
            == cases.len()
    });
    let mut seen: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for message in got.iter().filter(|g| g.kind().starts_with("case.")) {
        let data = message.json()["data"].clone();
        let versions = seen.entry(data["resource_id"].as_str().unwrap().to_owned()).or_default();
        // The one that was under way when the power went may come twice, and then next to itself.
        if versions.last() != data["version"].as_i64().as_ref() {
            versions.push(data["version"].as_i64().unwrap());
        }
    }
    assert_eq!(seen.keys().map(String::as_str).collect::<BTreeSet<_>>(), cases);
    assert!(seen.values().all(|versions| versions == &[1, 2]), "{seen:?}");
}

#[test]
fn of_two_instances_one_delivers() {
    let Some(world) = &World::new(Engine::Postgres) else { return };
    let mut config = sistra::config::Config::for_tests(world.database.clone(), world.dir.clone());
    config.serve.metrics_bind = None;
    let second = sistra::app::start(&config).unwrap();
    let (token, endpoint) = (manager(world, OWNER), Endpoint::new());
    active(world, &token, &endpoint, &json!({"types": ["case.created"]}));
    for _ in 0..10 {
        open(world, &token);
    }
    let got = endpoint.count(11);
    assert_eq!(got.iter().map(Got::id).collect::<BTreeSet<_>>().len(), 11);
    open(world, &token);
    assert_eq!(endpoint.count(12).len(), 12, "each of them once");
    second.stop();
}

#[test]
fn the_metrics_count_attempts_and_name_nobody() {
    let world = &World::new(Engine::Sqlite).unwrap();
    let (token, endpoint) = (manager(world, OWNER), Endpoint::new());
    let (path, made) = active(world, &token, &endpoint, &json!({"types": ["case.*"]}));
    attempts(world, &token, &path, 1);
    let metrics = format!("http://{}/metrics", world.running.as_ref().unwrap().metrics_addr.unwrap());
    let text = ureq::get(&metrics).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(text.contains(r#"sistra_webhook_deliveries_total{outcome="delivered"} 1"#), "{text}");
    assert!(text.contains("sistra_webhook_delivery_duration_seconds_count"), "{text}");
    assert!(!text.contains(made["id"].as_str().unwrap()));
}
