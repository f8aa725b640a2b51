//! Cases, and who sees them.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{ALL, case, unique};

both! {
fn a_case_is_opened_whole_and_nobody_else_sees_it(world) {
    let (prosecutor, shelter) = (world.prosecutor(), world.shelter());
    let made = world.post("/v1/cases", &prosecutor, &case());
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location");
    assert_eq!(made.header("etag"), "\"1.o\"");
    assert_eq!(made.json()["possible_duplicates"], json!({"victims": [], "accused": []}));
    assert_eq!(world.get(&path, &prosecutor).json(), made.record());
    let id = made.json()["id"].as_str().unwrap().to_owned();
    let charges = world.get(&format!("/v1/charges?case_id={id}"), &prosecutor).json();
    assert_eq!(charges["items"][0]["article"], "129-A");
    assert_eq!(world.get(&format!("{path}/victims"), &prosecutor).json()["items"].as_array().unwrap().len(), 1);
    assert_eq!(world.get(&format!("{path}/accused"), &prosecutor).json()["items"].as_array().unwrap().len(), 1);
    // Invisible and absent are the same answer but for the request's id.
    let absent = format!("/v1/cases/{}", "01a20da0-6e26-77b4-8000-40c670de0f0b");
    for path in ["", "/victims", "/accused", "/history", "/transitions", "/transitions/available", "/participants"] {
        let hidden = world.get(&format!("/v1/cases/{id}{path}"), &shelter);
        let nothing = world.get(&format!("{absent}{path}"), &shelter);
        assert_eq!((hidden.status, nothing.status), (404, 404), "{path}");
        let strip = |a: &crate::support::Answer| {
            let mut body = a.json();
            body["request_id"].take();
            body["instance"].take();
            body
        };
        assert_eq!(strip(&hidden), strip(&nothing));
    }
    assert_eq!(world.get(&format!("/v1/charges?case_id={id}"), &shelter).status, 404);
    assert_eq!(world.get("/v1/cases", &shelter).json()["items"], json!([]));
    let oversight = world.token("PE-DP", "cases:read victims:read", Purpose::Oversight);
    assert_eq!(world.get(&path, &oversight).status, 200);
    assert_eq!(world.patch(&path, &world.token("PE-DP", "cases:write", Purpose::Oversight), "\"1.s\"", &json!({"title": "x"})).code(), "owner_only");
}

fn a_stranger_without_token_or_scope_is_refused(world) {
    let made = world.post("/v1/cases", &world.prosecutor(), &case());
    let path = made.header("location");
    assert_eq!(world.send("GET", &path, None, &[], b"").code(), "authentication_required");
    assert_eq!(world.get(&path, "a.b.c").code(), "invalid_token");
    let narrow = world.token("PE-MP-FISTRAP-LIMA", "victims:read", Purpose::Prosecution);
    let refused = world.get(&path, &narrow);
    assert_eq!((refused.status, refused.code()), (403, "insufficient_scope".into()));
    assert_eq!(refused.json()["required_scopes"], json!(["cases:read"]));
}

fn every_fault_is_reported_at_once_with_its_pointer(world) {
    let token = world.prosecutor();
    let mut bad = case();
    bad["report_channel"] = json!("pigeon");
    bad["territory"] = json!("990101");
    bad["victims"][0]["means"] = json!([]);
    bad["charges"][0]["offence_code"] = json!("PE-CP-999");
    bad["identifiers"] = json!([{"scheme": "PE-CARPETA", "value": "1"}]);
    let answer = world.post("/v1/cases", &token, &bad);
    assert_eq!(answer.status, 422);
    assert_eq!(answer.faults(), [
        "#/charges/0/offence_code: enum", "#/identifiers/0/value: pattern", "#/report_channel: enum", "#/territory: enum", "#/victims/0/means: min_items"
    ]);
    let answer = world.post("/v1/cases", &token, &json!({"titel": "x", "reported_at": 5}));
    assert_eq!(answer.faults(), ["#/report_channel: required", "#/reported_at: type", "#/titel: unknown_field", "#/title: required"]);
    let list = world.get("/v1/cases?colour=red", &token);
    assert_eq!((list.code(), list.faults()), ("unknown_parameter".into(), vec!["colour: unknown_field".into()]));
    assert_eq!(world.get("/v1/cases?limit=500&stage=nowhere", &token).code(), "invalid_parameter");
}

fn means_are_required_for_adults_and_never_for_minors(world) {
    let token = world.prosecutor();
    for (age, status) in [(json!(17), 201), (json!(null), 201), (json!(18), 422)] {
        let mut new = case();
        new["victims"][0]["means"] = json!([]);
        new["victims"][0]["age_at_identification"] = age.clone();
        assert_eq!(world.post("/v1/cases", &token, &new).status, status, "{age}");
    }
}

fn a_key_that_made_one_thing_makes_nothing_else_whatever_its_kind(world) {
    let token = world.token("PE-MP-FISTRAP-LIMA", &format!("{ALL} webhooks:manage agencies:manage"), Purpose::Prosecution);
    let path = world.post("/v1/cases", &token, &case()).header("location");
    let note = json!({"visibility": "shared", "text": "Recibido por turno."});
    let hook = json!({"url": "https://hooks.example/"});
    let victim = json!({"sex": "female", "age_at_identification": 16, "acts": ["recruit"], "purposes": ["sexual_exploitation"]});
    let agency = json!({"code": "PE-NUEVA", "names": {"es": "N", "en": "N", "fr": "N"}, "kind": "police", "country": "PE"});
    let act = json!({"trigger": "open_inquiry", "legal_act": {"type": "disposicion", "number": "01-2026"}});
    let ways = [
        ("/v1/cases".to_owned(), case()), (format!("{path}/notes"), note), (format!("{path}/victims"), victim),
        (format!("{path}/transitions"), act), ("/v1/webhooks".to_owned(), hook), ("/v1/agencies".to_owned(), agency),
        ("/v1/batch".to_owned(), json!({"operations": [{"id": "c", "method": "POST", "path": "/v1/cases", "body": case()}]})),
    ];
    let cases = || world.get("/v1/cases?limit=200", &token).json()["items"].as_array().unwrap().len();
    for (first, body) in &ways {
        let key = unique();
        let send = |at: &str, body: &Value| {
            let tag = world.get(&path, &token).header("etag");
            world.post_with(at, &token, &[("Idempotency-Key", &key), ("If-Match", &tag)], body)
        };
        let made = send(first, body);
        assert!([200, 201].contains(&made.status), "{first}: {}", made.text);
        let before = cases();
        for (second, body) in ways.iter().filter(|(at, _)| at != first) {
            let refused = send(second, body);
            assert_eq!((refused.status, refused.code().as_str()), (422, "idempotency_key_reused"), "{first}, then {second}: {}", refused.text);
        }
        assert_eq!(cases(), before, "{first}");
    }
}

fn the_same_key_makes_one_case(world) {
    let token = world.prosecutor();
    let key = unique();
    let headers = [("Idempotency-Key", key.as_str())];
    let first = world.post_with("/v1/cases", &token, &headers, &case());
    let second = world.post_with("/v1/cases", &token, &headers, &case());
    assert_eq!((first.status, second.status), (201, 201));
    assert_eq!(first.json(), second.json());
    assert_eq!(second.header("idempotency-replayed"), "true");
    let mut other = case();
    other["title"] = json!("Otro");
    assert_eq!(world.post_with("/v1/cases", &token, &headers, &other).code(), "idempotency_key_reused");
    assert_eq!(world.post_with("/v1/cases", &token, &[], &case()).code(), "idempotency_key_required");
    assert_eq!(world.get("/v1/cases", &token).json()["items"].as_array().unwrap().len(), 1);
}

fn a_change_needs_the_version_that_it_is_based_on(world) {
    let token = world.prosecutor();
    let path = world.post("/v1/cases", &token, &case()).header("location");
    assert_eq!(world.send("PATCH", &path, Some(&token), &[("Content-Type", "application/json")], b"{}").code(), "precondition_required");
    let done = world.patch(&path, &token, "\"1.o\"", &json!({"summary": null, "territory": "150101"}));
    assert_eq!((done.status, done.header("etag")), (200, "\"2.o\"".into()), "{}", done.text);
    assert_eq!((done.json()["summary"].clone(), done.json()["territory"].clone()), (json!(null), json!("150101")));
    let stale = world.patch(&path, &token, "\"1.o\"", &json!({"territory": "160101"}));
    assert_eq!((stale.status, stale.json()["current_version"].clone()), (412, json!(2)));
    let unchanged = world.send("GET", &path, Some(&token), &[("If-None-Match", "\"2.o\"")], b"");
    assert_eq!((unchanged.status, unchanged.text.as_str()), (304, ""));
    let history = world.get(&format!("{path}/history"), &token).json();
    let kinds: Vec<&str> = history["items"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["case.created", "case.updated"]);
    assert_eq!(history["items"][1]["changed"], json!(["#/summary", "#/territory"]));
}

fn a_number_belongs_to_one_case(world) {
    let token = world.prosecutor();
    let mut new = case();
    new["identifiers"] = json!([{"scheme": "PE-CARPETA", "value": "506014501-2021-590-0"}]);
    let first = world.post("/v1/cases", &token, &new);
    assert_eq!(first.status, 201);
    new["identifiers"][0]["value"] = json!("506014501-2021-000590-0");
    let second = world.post("/v1/cases", &token, &new);
    assert_eq!((second.code(), second.faults()), ("identifier_taken".into(), vec!["#/identifiers/0/value: unique_items".into()]));
    let found = world.get("/v1/cases?identifier=PE-CARPETA:506014501-2021-590-0", &token).json();
    assert_eq!(found["items"][0]["id"], first.json()["id"]);
    assert_eq!(world.get("/v1/cases?identifier=PE-CARPETA:506014501-2021-590-0", &world.shelter()).json()["items"], json!([]));
}

fn a_case_moves_as_its_profile_allows(world) {
    let token = world.prosecutor();
    let path = world.post("/v1/cases", &token, &case()).header("location");
    assert_eq!(world.step(&path, &token, "\"1.o\"", &json!({"trigger": "deliver_judgment"})).code(), "state_conflict");
    assert_eq!(world.step(&path, &token, "\"1.o\"", &json!({"trigger": "open_inquiry"})).faults(), ["#/legal_act: required"]);
    assert_eq!(world.step(&path, &token, "\"1.o\"", &json!({"trigger": "open_inquiry", "legal_act": {"type": "sentencia"}})).faults(), ["#/legal_act/type: enum"]);
    let act = json!({"type": "disposicion", "number": "01-2026"});
    for (n, (trigger, stage)) in [("open_inquiry", "preliminary_inquiry"), ("formalise", "formal_investigation"), ("conclude", "investigation_closed")].iter().enumerate() {
        let moved = world.step(&path, &token, &format!("\"{}.o\"", n + 1), &json!({"trigger": trigger, "legal_act": act}));
        assert_eq!((moved.status, moved.json()["stage"].as_str()), (200, Some(*stage)), "{}", moved.text);
    }
    let done = world.get(&format!("{path}/transitions"), &token).json();
    assert_eq!((done["items"].as_array().unwrap().len(), done["items"][1]["actor"].as_str(), done["items"][1]["charges"].as_array().unwrap().len()), (3, Some("prosecutor"), 1));
    let next = world.get(&format!("{path}/transitions/available"), &token).json();
    let allowed: Vec<(&str, bool)> = next["items"].as_array().unwrap().iter().map(|t| (t["trigger"].as_str().unwrap(), t["allowed"].as_bool().unwrap())).collect();
    assert_eq!(allowed, [("join", true), ("accuse", true), ("request_dismissal", true), ("split", true)]);
}

fn an_accepted_referral_shows_exactly_its_sections_and_a_revoked_one_nothing(world) {
    let (prosecutor, shelter) = (world.prosecutor(), world.shelter());
    let made = world.post("/v1/cases", &prosecutor, &case());
    let (path, id) = (made.header("location"), made.json()["id"].clone());
    let draft = world.post("/v1/referrals", &prosecutor, &json!({"case_id": id, "to_agency": "PE-MIMP-INABIF", "kind": "service_request",
        "services": ["shelter"], "sections": ["victims"], "purpose": "assistance", "urgency": "immediate", "legal_basis": "danger_to_life"}));
    assert_eq!(draft.status, 201, "{}", draft.text);
    let referral = draft.header("location");
    assert_eq!(world.get(&referral, &shelter).status, 404);
    let sent = world.step(&referral, &prosecutor, &draft.header("etag"), &json!({"trigger": "send"}));
    assert_eq!(world.get(&referral, &shelter).status, 200);
    assert_eq!(world.get(&path, &shelter).status, 404);
    let accepted = world.step(&referral, &shelter, &sent.header("etag"), &json!({"trigger": "accept"}));
    assert_eq!(accepted.status, 200, "{}", accepted.text);
    let seen = world.get(&path, &shelter);
    assert_eq!(seen.json()["redacted"], json!(["#/external_ref", "#/identifiers", "#/title", "#/summary", "#/extensions"]));
    assert!(!seen.text.contains("Relato"));
    assert_eq!(world.get(&format!("{path}/victims"), &shelter).status, 200);
    assert_eq!(world.get(&format!("{path}/accused"), &shelter).status, 404);
    let revoked = world.step(&referral, &prosecutor, &accepted.header("etag"), &json!({"trigger": "revoke", "reason": "cambio de plan"}));
    assert_eq!(revoked.status, 200, "{}", revoked.text);
    assert_eq!(world.get(&path, &shelter).status, 404);
    assert_eq!(world.get(&format!("{path}/victims"), &shelter).status, 404);
}

fn a_participant_reads_why_a_case_moved_with_the_narrative_only_and_which_charges_with_the_charges_only(world) {
    let owner = world.prosecutor();
    let made = world.post("/v1/cases", &owner, &case());
    let path = made.header("location");
    let reason = "El testigo protegido se retractó";
    let body = json!({"trigger": "reject_outright", "effective_on": "2026-03-20", "legal_act": {"type": "disposicion"}, "reason": reason});
    let moved = world.step(&path, &owner, &made.header("etag"), &body);
    assert_eq!(moved.status, 200, "{}", moved.text);
    let told = |token: &str| {
        let page = world.get(&format!("{path}/transitions"), token);
        assert_eq!(page.status, 200, "{}", page.text);
        let last = page.json()["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!(last["trigger"], "reject_outright");
        (last["reason"].clone(), last["charges"].as_array().unwrap().len())
    };
    assert_eq!(told(&owner), (json!(reason), 1));
    for (agency, section, seen) in [
        ("PE-PNP-DIRCTPTIM", "victims", (Value::Null, 0)),
        ("PE-MIMP-INABIF", "narrative", (json!(reason), 0)),
        ("PE-MIMP-UPE", "charges", (Value::Null, 1)),
    ] {
        let let_in = json!({"agency": agency, "role": "investigation_support", "sections": [section]});
        let granted = world.post(&format!("{path}/participants"), &owner, &let_in);
        assert_eq!(granted.status, 201, "{}", granted.text);
        assert_eq!(told(&world.token(agency, "cases:read", Purpose::Investigation)), seen, "{section}");
    }
    assert_eq!(told(&world.token("PE-DP", "cases:read", Purpose::Oversight)), (json!(reason), 1));
}

fn a_grant_names_victims_of_the_case_only_and_tells_others_of_those_in_their_sight_only(world) {
    let owner = world.prosecutor();
    let mut two = case();
    let mut second = two["victims"][0].clone();
    second["label"] = json!("v2");
    two["victims"].as_array_mut().unwrap().push(second);
    let ids = |path: &str| -> Vec<String> {
        let page = world.get(&format!("{path}/victims"), &owner).json();
        page["items"].as_array().unwrap().iter().map(|v| v["victim_id"].as_str().unwrap().to_owned()).collect()
    };
    let path = world.post("/v1/cases", &owner, &two).header("location");
    let elsewhere = ids(&world.post("/v1/cases", &owner, &case()).header("location"));
    let both = ids(&path);
    let grant = |agency: &str, victims: &[String]| {
        let body = json!({"agency": agency, "role": "investigation_support", "sections": ["victims"], "victims": victims});
        world.post(&format!("{path}/participants"), &owner, &body)
    };
    assert_eq!(grant("PE-MIMP-INABIF", &[both[0].clone(), elsewhere[0].clone()]).faults(), ["#/victims/1: reference_not_found"]);
    assert_eq!(grant("PE-MIMP-INABIF", &both).status, 201);
    assert_eq!(grant("PE-PNP-DIRCTPTIM", &both[..1]).status, 201);
    let police = world.token("PE-PNP-DIRCTPTIM", "cases:read victims:read", Purpose::Investigation);
    let seen = world.get(&format!("{path}/participants"), &police);
    let named: Vec<Value> = seen.json()["items"].as_array().unwrap().iter().map(|p| p["victims"].clone()).collect();
    assert_eq!(named, [json!([both[0]]), json!([both[0]])], "{}", seen.text);
    assert_eq!(world.get(&format!("/v1/victims/{}", both[1]), &police).status, 404);
    let listed = world.get(&format!("{path}/victims"), &police).json();
    let listed: Vec<&Value> = listed["items"].as_array().unwrap().iter().map(|v| &v["victim_id"]).collect();
    assert_eq!(listed, [&json!(both[0])]);
    let expanded = world.get(&format!("{path}?expand=victims"), &police).json();
    assert_eq!(expanded["victims"]["items"].as_array().unwrap().len(), 1, "{expanded}");
}

fn a_case_that_moves_moves_in_the_lists_of_those_it_is_shared_with(world) {
    let owner = world.prosecutor();
    let made = world.post("/v1/cases", &owner, &case());
    let (path, id) = (made.header("location"), made.record()["id"].clone());
    let grant = json!({"agency": "PE-PNP-DIRCTPTIM", "role": "investigation_support", "sections": ["narrative"]});
    assert_eq!(world.post(&format!("{path}/participants"), &owner, &grant).status, 201);
    let police = world.token("PE-PNP-DIRCTPTIM", "cases:read", Purpose::Investigation);
    let listed = |stage: &str| {
        let page = world.get(&format!("/v1/cases?stage={stage}"), &police).json();
        page["items"].as_array().unwrap().iter().any(|one| one["id"] == id)
    };
    let before = made.record()["stage"].as_str().unwrap().to_owned();
    assert!(listed(&before));
    let act = json!({"trigger": "open_inquiry", "legal_act": {"type": "disposicion", "number": "01-2026"}});
    let moved = world.step(&path, &owner, &world.get(&path, &owner).header("etag"), &act);
    assert_eq!(moved.status, 200, "{}", moved.text);
    let after = moved.json()["stage"].as_str().unwrap().to_owned();
    assert!(before != after && listed(&after) && !listed(&before));
}

fn the_owner_ends_what_it_granted_and_not_what_a_referral_granted(world) {
    let (owner, shelter) = (world.prosecutor(), world.shelter());
    let made = world.post("/v1/cases", &owner, &case());
    let path = made.header("location");
    let draft = world.post("/v1/referrals", &owner, &json!({"case_id": made.json()["id"], "to_agency": "PE-MIMP-INABIF", "kind": "service_request",
        "services": ["shelter"], "sections": ["victims"], "purpose": "assistance", "urgency": "immediate", "legal_basis": "danger_to_life"}));
    let sent = world.step(&draft.header("location"), &owner, &draft.header("etag"), &json!({"trigger": "send"}));
    assert_eq!(world.step(&draft.header("location"), &shelter, &sent.header("etag"), &json!({"trigger": "accept"})).status, 200);
    let share = world.get(&format!("{path}/participants"), &owner).json()["items"][0]["id"].as_str().unwrap().to_owned();
    let share = format!("{path}/participants/{share}");
    let refused = world.step(&share, &owner, &world.get(&share, &owner).header("etag"), &json!({"trigger": "end", "reason": "cambio de plan"}));
    assert_eq!((refused.status, refused.json()["failed_guards"].clone()), (409, json!(["granted_by_referral"])), "{}", refused.text);
    assert_eq!(world.get(&path, &shelter).status, 200);
}

fn an_identity_has_a_door_of_its_own(world) {
    let prosecutor = world.prosecutor();
    let desk = world.token("PE-MP-FISTRAP-LIMA", "victims.identity:read victims.identity:write cases:write", Purpose::Protection);
    let path = world.post("/v1/cases", &prosecutor, &case()).header("location");
    let victim = world.get(&format!("{path}/victims"), &prosecutor).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    let door = format!("/v1/victims/{victim}/identity");
    assert_eq!(world.get(&door, &prosecutor).code(), "insufficient_scope");
    let empty = world.get(&door, &desk);
    assert_eq!((empty.status, empty.json()["given_names"].clone()), (200, json!(null)));
    let named = world.patch(&door, &desk, &empty.header("etag"), &json!({"given_names": "Rosa", "documents": [{"type": "national_id", "country": "PE", "number": "10117410-2"}]}));
    assert_eq!(named.json()["documents"][0]["normal_form"], "10117410", "{}", named.text);
    let wrong = world.patch(&door, &desk, &named.header("etag"), &json!({"documents": [{"type": "national_id", "country": "PE", "number": "10117410-3"}]}));
    assert_eq!(wrong.faults(), ["#/documents/0/number: pattern"]);
    let statistics = world.token("PE-MP-FISTRAP-LIMA", "victims.identity:read", Purpose::Statistics);
    assert_eq!(world.get(&door, &statistics).code(), "purpose_not_allowed");
    let oversight = world.token("PE-DP", "victims.identity:read", Purpose::Investigation);
    assert_eq!(world.get(&door, &oversight).status, 404);
}

fn pages_follow_each_other_without_gap_or_repeat(world) {
    let token = world.prosecutor();
    let mut made: Vec<String> = (0..7).map(|_| world.post("/v1/cases", &token, &case()).json()["id"].as_str().unwrap().to_owned()).collect();
    made.reverse();
    let (mut seen, mut path) = (Vec::new(), "/v1/cases?limit=3&stage=reported".to_owned());
    loop {
        let page = world.get(&path, &token);
        assert_eq!(page.status, 200, "{}", page.text);
        seen.extend(page.json()["items"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()));
        match page.json()["next_cursor"].as_str() {
            None => break,
            Some(_) => path = page.header("link").trim_start_matches('<').split('>').next().unwrap().to_owned(),
        }
    }
    assert_eq!(seen, made);
    let cursor = world.get("/v1/cases?limit=3", &token).json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/v1/cases?limit=3&stage=trial&cursor={cursor}"), &token).code(), "invalid_cursor");
    assert_eq!(world.get(&format!("/v1/cases?limit=3&cursor={cursor}"), &world.prosecutor()).code(), "invalid_cursor");
}

fn hostile_bodies_are_refused_with_a_problem(world) {
    let token = world.prosecutor();
    let send = |kind: &str, body: &[u8]| {
        let key = unique();
        world.send("POST", "/v1/cases", Some(&token), &[("Content-Type", kind), ("Idempotency-Key", &key)], body)
    };
    let deep = format!("{{\"title\":{}{}}}", "[".repeat(64), "]".repeat(64));
    let twice = br#"{"title":"a","title":"b","reported_at":"2026-01-01T00:00:00Z","report_channel":"police"}"#;
    for (body, code) in [
        (&b"{"[..], "invalid_json"), (b"\xff\xfe{}", "invalid_json"), (b"\xef\xbb\xbf{}", "invalid_json"), (deep.as_bytes(), "invalid_json"), (twice, "invalid_json"),
        (br#"["a"]"#, "validation_failed"), (br#"{"title":"a\u0000b","reported_at":"2026-01-01T00:00:00Z","report_channel":"police"}"#, "validation_failed"),
        (br#"{"title":"a","reported_at":"99999-01-01T00:00:00Z","report_channel":"police"}"#, "validation_failed"),
        (br#"{"title":"a","reported_at":123456789012345678901234567890,"report_channel":"police"}"#, "validation_failed"),
    ] {
        let answer = send("application/json", body);
        assert_eq!(answer.code(), code, "{}", String::from_utf8_lossy(body));
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    assert_eq!(send("text/plain", b"{}").code(), "unsupported_media_type");
    assert_eq!(send("application/json", &vec![b' '; 1_048_577]).code(), "content_too_large");
}
}
