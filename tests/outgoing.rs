//! Whom the registry believes when it calls out over TLS, and what it says when it does not.

use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::clients::Credential;

use crate::support::authority::{Authority, alone};
use crate::support::endpoint::{Endpoint, Reply};
use crate::support::{Engine, World};
use crate::tokens::{Partner, jwt, now};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";

/// The first attempt at an endpoint's ping, as the log has it.
fn first(world: &World, token: &str, endpoint: &Endpoint) -> (Value, String) {
    let url = format!("{}?token=Geheim", endpoint.url());
    let made = world.post("/v1/webhooks", token, &json!({"url": url, "signature": "v1"}));
    assert_eq!(made.status, 201, "{}", made.text);
    loop {
        let log = world.get(&format!("{}/deliveries", made.header("location")), token);
        if let Some(attempt) = log.json()["items"].as_array().unwrap().last() {
            return (attempt.clone(), log.text);
        }
        std::thread::yield_now();
    }
}

fn world(authorities: Option<&Authority>) -> (World, String) {
    let world = World::with(Engine::Sqlite, |config, dir| {
        if let Some(authority) = authorities {
            std::fs::write(dir.join("authorities.pem"), authority.pem()).unwrap();
            config.serve.ca_file = Some(dir.join("authorities.pem"));
        }
    })
    .unwrap();
    let token = world.token(OWNER, "cases:read events:read webhooks:manage", Purpose::Prosecution);
    (world, token)
}

#[test]
fn a_webhook_is_delivered_to_whom_the_authorities_vouch_for_and_the_log_says_why_not() {
    let (ministry, other) = (Authority::new("Ministry"), Authority::new("Somebody"));
    let (world, token) = world(Some(&ministry));
    let good = Endpoint::secure(ministry.here());
    let (attempt, _) = first(&world, &token, &good);
    assert_eq!((&attempt["outcome"], &attempt["status"]), (&json!("delivered"), &json!(204)), "{attempt}");
    assert_eq!(good.count(1)[0].kind(), "webhook.ping");
    for (acceptor, reason) in [
        (other.here(), "certificate_unknown"),
        (alone(), "certificate_unknown"),
        (ministry.elsewhere(), "certificate_name"),
        (ministry.expired(), "certificate_expired"),
    ] {
        let endpoint = Endpoint::secure(acceptor);
        let (attempt, text) = first(&world, &token, &endpoint);
        assert_eq!((&attempt["outcome"], &attempt["status"]), (&json!(reason), &Value::Null), "{attempt}");
        assert!(!text.contains("Geheim") && !text.contains("whsec_"), "{text}");
        assert_eq!(endpoint.got().len(), 0, "nothing was said to it");
    }
}

#[test]
fn an_authority_that_nobody_named_is_not_believed_and_no_tls_at_all_is_said_so() {
    let (world, token) = world(None);
    let (attempt, _) = first(&world, &token, &Endpoint::secure(Authority::new("Ministry").here()));
    assert_eq!(attempt["outcome"], "certificate_unknown", "{attempt}");
    let plain = Endpoint::new();
    let made = world.post("/v1/webhooks", &token, &json!({"url": plain.url().replace("http:", "https:")}));
    let path = format!("{}/deliveries", made.header("location"));
    let outcome = loop {
        if let Some(attempt) = world.get(&path, &token).json()["items"].as_array().unwrap().first() {
            break attempt["outcome"].as_str().unwrap().to_owned();
        }
        std::thread::yield_now();
    };
    assert!(["tls_failed", "unreachable"].contains(&outcome.as_str()), "{outcome}");
    assert_eq!(plain.got().len(), 0);
}

#[test]
fn an_issuer_s_key_set_is_fetched_from_whom_the_authorities_vouch_for_and_from_nobody_else() {
    let (ministry, other) = (Authority::new("Ministry"), Authority::new("Somebody"));
    let partner = Partner::new("ministry-1", Algorithm::ES256);
    let keys = json!({"keys": [partner.jwk]}).to_string();
    for (acceptor, status) in
        [(ministry.here(), 200), (other.here(), 401), (ministry.elsewhere(), 401), (ministry.expired(), 401)]
    {
        let endpoint = Endpoint::secure(acceptor);
        endpoint.says(Reply::Body(keys.clone()));
        let world = World::with(Engine::Sqlite, |config, dir| {
            std::fs::write(dir.join("authorities.pem"), ministry.pem()).unwrap();
            let issuers =
                json!([{"issuer": "https://id.ministry.test", "audience": "sistra-registry", "jwks_url": endpoint.url()}]);
            std::fs::write(dir.join("issuers.json"), issuers.to_string()).unwrap();
            config.serve.ca_file = Some(dir.join("authorities.pem"));
            config.serve.trusted_issuers = Some(dir.join("issuers.json"));
        })
        .unwrap();
        let scope = "cases:read";
        let (client, _) = world.client(OWNER, scope, &[Purpose::Prosecution], Credential::Secret).unwrap();
        let claims = json!({"iss": "https://id.ministry.test", "aud": "sistra-registry", "sub": "officer-9", "iat": now(),
            "exp": now() + 600, "client_id": client.to_string(), "agency": OWNER, "scope": scope, "purpose": "prosecution"});
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": "ministry-1"});
        let token = jwt(&header, &claims.to_string(), &partner.sign, Algorithm::ES256);
        let answer = world.get("/v1/cases", &token);
        assert_eq!(answer.status, status, "{}", answer.text);
    }
}
