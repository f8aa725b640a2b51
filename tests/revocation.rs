//! Tokens that end before their time, and what is said about a token: RFC 7009, RFC 7662, and what the operator does.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::clients::{Credential, end_tokens, set_active};
use sistra::auth::revocation;
use sistra::kernel::Timestamp;
use sistra::kernel::ids::ClientId;

use crate::both;
use crate::support::{Answer, World};
use crate::tokens::{
    AGENCY, FORM, ISSUER, Partner, TYPE, access, ask, basic, but, error, form, jwt, now, part, proof, registry_key, taken,
};

/// A request to one of the endpoints with a secret.
fn with_secret(world: &World, path: &str, (client, secret): &(ClientId, String), fields: &[(&str, &str)]) -> Answer {
    let header = basic(*client, secret);
    world.send("POST", path, None, &[FORM, ("Authorization", &header)], form(fields).as_bytes())
}

fn revoke(world: &World, who: &(ClientId, String), token: &str) -> Answer {
    with_secret(world, "/oauth/revoke", who, &[("token", token)])
}

fn introspect(world: &World, who: &(ClientId, String), token: &str) -> Value {
    let answer = with_secret(world, "/oauth/introspect", who, &[("token", token)]);
    assert_eq!((answer.status, answer.header("cache-control").as_str()), (200, "no-store"), "{}", answer.text);
    answer.json()
}

/// A client with a secret.
fn client(world: &World, agency: &str, scopes: &str) -> (ClientId, String) {
    let (id, secret) = world.client(agency, scopes, &[Purpose::Prosecution], Credential::Secret).unwrap();
    (id, secret.unwrap())
}

fn inactive() -> Value {
    json!({"active": false})
}

/// The same token with the other signature that the same key makes valid: (r, n - s) for (r, s).
fn written_otherwise(token: &str) -> String {
    const ORDER: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
        0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut borrow = 0_i16;
    for n in (0..32).rev() {
        let mut digit = i16::from(ORDER[n]) - i16::from(bytes[32 + n]) - borrow;
        borrow = i16::from(digit < 0);
        digit += 256 * borrow;
        bytes[32 + n] = u8::try_from(digit).unwrap();
    }
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes))
}

both! {
fn a_client_gives_up_its_token_and_from_that_answer_on_it_opens_nothing(world) {
    let me = client(world, AGENCY, "cases:read audit:read");
    let (token, other) = (world.token_of(me.0), world.token_of(me.0));
    assert_eq!(world.get("/v1/cases", &token).status, 200);
    let before = introspect(world, &me, &token);
    assert_eq!((&before["active"], &before["jti"]), (&json!(true), &part(&token, 1)["jti"]));
    let answer = revoke(world, &me, &token);
    assert_eq!((answer.status, answer.text.as_str(), answer.header("cache-control").as_str()), (200, "", "no-store"));
    assert_eq!(world.get("/v1/cases", &token).code(), "invalid_token", "the cache of verified tokens does not outlive it");
    assert_eq!(introspect(world, &me, &token), inactive());
    assert_eq!(revoke(world, &me, &token).status, 200, "a second time changes nothing");
    assert_eq!(world.get("/v1/cases", &other).status, 200, "its other tokens live");

    // Whoever has the token can write its signature in a second way; it is the same token.
    let (kid, _) = registry_key(world);
    let key = world.send("GET", "/.well-known/jwks.json", None, &[], b"").json()["keys"][0].clone();
    assert_eq!(key["kid"], json!(kid));
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    let twin = written_otherwise(&token);
    let (signed, signature) = twin.rsplit_once('.').unwrap();
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    assert_ne!(twin, token);
    assert_eq!(world.get("/v1/cases", &twin).code(), "invalid_token");

    // It is in the record, once, under the token's own name.
    let entries = world.get(&format!("/v1/audit/entries?resource_type=token&resource_id={}", part(&token, 1)["jti"].as_str().unwrap()), &other).json()["items"].clone();
    let shown: Vec<(Value, Value, Value)> = entries.as_array().unwrap().iter().map(|e| (e["type"].clone(), e["resource_id"].clone(), e["client_id"].clone())).collect();
    assert_eq!(shown, [(json!("token.revoked"), part(&token, 1)["jti"].clone(), json!(me.0))]);
}

fn another_instance_learns_of_a_revocation_with_its_next_look_and_keeps_it_until_the_token_has_ended(world) {
    let me = client(world, AGENCY, "cases:read");
    let token = world.token_of(me.0);
    assert_eq!(revoke(world, &me, &token).status, 200);
    let running = world.running.as_ref().unwrap();
    // What another server reads, every second and a half; older than five seconds it answers 503 instead.
    let other = sistra::auth::clients::Directory::load(&running.store).unwrap();
    let id = part(&token, 1)["jti"].as_str().unwrap().parse().unwrap();
    assert!(other.revoked().has(id));
    let end = Timestamp::from_unix_millis(part(&token, 1)["exp"].as_i64().unwrap() * 1_000).unwrap();
    let live = |at: Timestamp| running.store.read_blocking(move |conn| revocation::live(conn, at)).unwrap().len();
    assert_eq!((live(end.plus_seconds(29)), live(end.plus_seconds(31))), (1, 0), "the token's end and the leeway of clocks");
    let swept = |at: Timestamp| running.store.write_blocking(move |tx| revocation::forget(tx, at)).unwrap();
    assert_eq!((swept(end), swept(end.plus_seconds(631))), (0, 1));
}

fn what_is_unknown_ended_or_another_s_is_answered_as_rfc_7009_says(world) {
    let (me, stranger) = (client(world, AGENCY, "cases:read"), client(world, "PE-PNP", "cases:read"));
    let (kid, key) = registry_key(world);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
    let ended = jwt(&header, &but(&access(me.0), json!({"iat": now() - 300, "exp": now() - 60})).to_string(), &key, Algorithm::ES256);
    for unknown in ["x", "a.b.c", &ended, &"x".repeat(9_000)] {
        assert_eq!(revoke(world, &me, unknown).status, 200);
        assert_eq!(introspect(world, &me, unknown), inactive());
    }
    let token = world.token_of(me.0);
    assert_eq!(error(&revoke(world, &stranger, &token)), (400, "invalid_grant".into()));
    assert_eq!(world.get("/v1/cases", &token).status, 200, "nobody else ends it");
    assert_eq!(introspect(world, &stranger, &token), inactive(), "nobody else hears of it");
    let hinted = with_secret(world, "/oauth/revoke", &me, &[("token", &token), ("token_type_hint", "refresh_token")]);
    assert_eq!(hinted.status, 200, "a wrong hint does not keep it alive");
    assert_eq!(world.get("/v1/cases", &token).code(), "invalid_token");
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        assert_eq!(error(&with_secret(world, path, &me, &[])), (400, "invalid_request".into()), "{path}");
        assert_eq!(error(&with_secret(world, path, &(me.0, "wrong".into()), &[("token", "x")])), (401, "invalid_client".into()), "{path}");
        assert_eq!(error(&world.send("POST", path, None, &[FORM], b"token=x")), (401, "invalid_client".into()), "{path}");
        let bearer = format!("Bearer {token}");
        assert_eq!(error(&world.send("POST", path, None, &[FORM, ("Authorization", &bearer)], b"token=x")), (401, "invalid_client".into()), "{path}");
        let json = world.send("POST", path, None, &[("Content-Type", "application/json"), ("Authorization", &basic(me.0, &me.1))], b"{}");
        assert_eq!(error(&json), (400, "invalid_request".into()), "{path}");
        let get = world.send("GET", path, None, &[], b"");
        assert_eq!((get.status, get.header("allow").as_str()), (405, "POST, OPTIONS"), "{path}");
    }
}

fn both_endpoints_take_a_signed_assertion_once(world) {
    let partner = Partner::new("k1", Algorithm::ES256);
    let id = partner.register(world, "cases:read", &[Purpose::Prosecution]);
    let mut claims = proof(id);
    claims["end_user"] = json!("desk-7");
    let token = taken(&ask(world, &partner.assertion(&claims), &[]));
    let send = |path: &str, assertion: &str| world.send("POST", path, None, &[FORM], form(&[TYPE, ("client_assertion", assertion), ("token", &token)]).as_bytes());
    let assertion = partner.assertion(&proof(id));
    let said = send("/oauth/introspect", &assertion).json();
    assert_eq!((&said["active"], &said["end_user"], &said["token_type"]), (&json!(true), &json!("desk-7"), &json!("Bearer")));
    assert_eq!(error(&send("/oauth/revoke", &assertion)), (401, "invalid_client".into()), "an assertion is good once, wherever");
    assert_eq!(send("/oauth/revoke", &partner.assertion(&proof(id))).status, 200);
    assert_eq!(world.get("/v1/cases", &token).code(), "invalid_token");
}

fn introspection_says_what_the_token_opens_now_to_its_client_and_to_a_gateway(world) {
    let (me, gateway) = (client(world, AGENCY, "cases:read victims:read"), client(world, "PE-PNP", "cases:read tokens:introspect"));
    let token = world.token_of(me.0);
    let claims = part(&token, 1);
    for who in [&me, &gateway] {
        assert_eq!(introspect(world, who, &token), json!({"active": true, "scope": "cases:read victims:read", "client_id": me.0, "token_type": "Bearer",
            "exp": claims["exp"], "iat": claims["iat"], "sub": me.0, "aud": ISSUER, "iss": ISSUER, "jti": claims["jti"], "agency": AGENCY, "purpose": "prosecution"}));
    }
    assert_eq!(error(&revoke(world, &gateway, &token)), (400, "invalid_grant".into()), "asking is not ending");
    // Who asked about whose token is in the record; the token is not, by no name.
    let auditor = world.token("PE-DP", "audit:read", Purpose::Oversight);
    let asked = loop {
        let entries = world.get("/v1/audit/entries?limit=200", &auditor).json()["items"].clone();
        let of: Vec<Value> = entries.as_array().unwrap().iter().filter(|e| e["type"] == "token_introspection.read").cloned().collect();
        // The last one comes first.
        if of.len() == 2 {
            break of.into_iter().rev().collect::<Vec<_>>();
        }
    };
    for (entry, (client, agency)) in asked.iter().zip([(me.0, AGENCY), (gateway.0, "PE-PNP")]) {
        assert_eq!((&entry["resource_id"], &entry["client_id"], &entry["agency"]), (&json!(me.0), &json!(client), &json!(agency)), "{entry}");
        assert!(!entry.to_string().contains(claims["jti"].as_str().unwrap()), "{entry}");
    }
    let running = world.running.as_ref().unwrap();
    let id = me.0;
    running.store.write_blocking(move |tx| {
        use diesel::prelude::*;
        use sistra::db::schema::client::dsl;
        diesel::update(dsl::client.filter(dsl::id.eq(id))).set(dsl::scopes.eq(sistra::db::Json::of(&["cases:read"])?)).execute(tx)?;
        Ok(())
    }).unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    assert_eq!(introspect(world, &gateway, &token)["scope"], "cases:read", "what the client has lost, its token has lost");
}

fn the_operator_ends_all_tokens_of_a_client_at_once(world) {
    let (me, gateway) = (client(world, AGENCY, "cases:read"), client(world, "PE-PNP", "tokens:introspect"));
    let running = world.running.as_ref().unwrap();
    let (first, second) = (world.token_of(me.0), world.token_of(me.0));
    let id = me.0;
    running.store.write_blocking(move |tx| Ok(end_tokens(tx, id, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    for token in [&first, &second] {
        assert_eq!(world.get("/v1/cases", token).code(), "invalid_token");
        assert_eq!(introspect(world, &gateway, token), inactive());
    }
    let record = running.authenticator.directory.find(id).unwrap().unwrap();
    let next = running.authenticator.token_for(&record, &record.scopes, record.purposes[0], None, Timestamp::now().plus_seconds(1)).unwrap();
    assert_eq!(world.get("/v1/cases", &next).status, 200, "it takes new ones");
    running.store.write_blocking(move |tx| Ok(set_active(tx, id, false, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    assert_eq!(introspect(world, &gateway, &next), inactive(), "a disabled client has no token that holds");
    assert_eq!(error(&revoke(world, &me, &next)), (401, "invalid_client".into()));
}

fn a_token_of_a_trusted_issuer_can_be_given_up_too(world, |config, dir| {
    let partner = Partner::new("ministry-1", Algorithm::ES256);
    std::fs::write(dir.join("issuer-keys.json"), json!({"keys": [partner.jwk]}).to_string()).unwrap();
    KEYS.lock().unwrap().insert(dir.to_owned(), partner);
    let issuers = json!([{"issuer": "https://id.ministry.test", "audience": "sistra-registry", "jwks_file": dir.join("issuer-keys.json")}]);
    std::fs::write(dir.join("issuers.json"), issuers.to_string()).unwrap();
    config.serve.trusted_issuers = Some(dir.join("issuers.json"));
}) {
    let partner = KEYS.lock().unwrap().remove(&world.dir).unwrap();
    let me = client(world, AGENCY, "cases:read");
    let claims = json!({"iss": "https://id.ministry.test", "aud": "sistra-registry", "sub": "officer-9", "iat": now(), "exp": now() + 600,
        "client_id": me.0, "agency": AGENCY, "scope": "cases:read"});
    let sign = |claims: &Value| jwt(&json!({"alg": "ES256", "typ": "JWT", "kid": "ministry-1"}), &claims.to_string(), &partner.sign, Algorithm::ES256);
    let (token, other) = (sign(&claims), sign(&but(&claims, json!({"exp": now() + 500}))));
    let certificate = sign(&but(&claims, json!({"cnf": {"x5t#S256": "AAAA"}})));
    assert_eq!(world.get("/v1/cases", &certificate).code(), "invalid_token", "bound in a way that is not checked here is not a bearer's");
    assert_eq!(introspect(world, &me, &token)["iss"], "https://id.ministry.test");
    assert_eq!(revoke(world, &me, &token).status, 200);
    assert_eq!(world.get("/v1/cases", &token).code(), "invalid_token");
    assert_eq!(world.get("/v1/cases", &written_otherwise(&token)).code(), "invalid_token");
    assert_eq!(world.get("/v1/cases", &other).status, 200);
}
}

/// Private keys of the issuers that a test has set up, by the directory of its server.
static KEYS: std::sync::Mutex<std::collections::BTreeMap<std::path::PathBuf, Partner>> =
    std::sync::Mutex::new(std::collections::BTreeMap::new());
