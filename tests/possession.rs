//! Tokens that are bound to a key (RFC 9449): every proof that is taken, and everything that is not.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::Algorithm;
use serde_json::{Value, json};
use sistra::auth::clients::{Constraint, Credential, constrain};
use sistra::auth::{Purpose, dpop};
use sistra::kernel::Timestamp;
use sistra::kernel::ids::ClientId;

use crate::both;
use crate::support::{Answer, Engine, World, case, unique};
use crate::tokens::{AGENCY, FORM, GRANT, ISSUER, Partner, basic, but, error, form, jwt, now, part};

const CHALLENGE: &str = "DPoP algs=\"ES256 ES384 PS256 EdDSA\"";

fn hash(token: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()))
}

/// A key that proofs are made with; its JWK has nothing but the key.
struct Holder(Partner);

impl Holder {
    fn new(algorithm: Algorithm) -> Self {
        let mut partner = Partner::new("x", algorithm);
        partner.jwk = but(&partner.jwk, json!({"kid": null}));
        Self(partner)
    }

    fn header(&self) -> Value {
        json!({"alg": self.0.algorithm, "typ": "dpop+jwt", "jwk": self.0.jwk})
    }

    fn claims(method: &str, path: &str, token: Option<&str>) -> Value {
        let claims = json!({"jti": unique(), "htm": method, "htu": format!("{ISSUER}{path}"), "iat": now()});
        token.map_or(claims.clone(), |t| but(&claims, json!({"ath": hash(t)})))
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        jwt(header, &claims.to_string(), &self.0.sign, self.0.algorithm)
    }

    fn proof(&self, method: &str, path: &str, token: Option<&str>) -> String {
        self.sign(&self.header(), &Self::claims(method, path, token))
    }
}

fn secret_client(world: &World, scopes: &str) -> (ClientId, String) {
    let (id, secret) = world.client(AGENCY, scopes, &[Purpose::Prosecution], Credential::Secret).unwrap();
    (id, secret.unwrap())
}

/// A token request with these headers beside the secret.
fn ask(world: &World, (client, secret): &(ClientId, String), headers: &[(&str, &str)]) -> Answer {
    let held = basic(*client, secret);
    let headers = [&[FORM, ("Authorization", held.as_str())], headers].concat();
    world.send("POST", "/oauth/token", None, &headers, form(&[GRANT]).as_bytes())
}

fn bound_token(world: &World, who: &(ClientId, String), holder: &Holder) -> String {
    let answer = ask(world, who, &[("DPoP", &holder.proof("POST", "/oauth/token", None))]);
    assert_eq!((answer.status, &answer.json()["token_type"]), (200, &json!("DPoP")), "{}", answer.text);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

fn get(world: &World, path: &str, token: &str, proof: &str) -> Answer {
    let held = format!("DPoP {token}");
    world.send("GET", path, None, &[("Authorization", &held), ("DPoP", proof)], b"")
}

fn require(world: &World, client: ClientId) {
    let running = world.running.as_ref().unwrap();
    let constraint = Constraint { dpop_required: Some(true), territory: None };
    running.store.write_blocking(move |tx| Ok(constrain(tx, client, &constraint, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
}

both! {
fn a_bound_token_opens_with_a_proof_for_each_request_and_with_nothing_else(world) {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let (me, holder) = (secret_client(world, "cases:read cases:write victims:write accused:write charges:write"), Holder::new(algorithm));
        let token = bound_token(world, &me, &holder);
        // RFC 7638, computed here from the key's own members.
        let jwk = &holder.0.jwk;
        let canonical = if algorithm == Algorithm::EdDSA {
            format!("{{\"crv\":{},\"kty\":{},\"x\":{}}}", jwk["crv"], jwk["kty"], jwk["x"])
        } else {
            format!("{{\"crv\":{},\"kty\":{},\"x\":{},\"y\":{}}}", jwk["crv"], jwk["kty"], jwk["x"], jwk["y"])
        };
        assert_eq!(part(&token, 1)["cnf"], json!({"jkt": hash(&canonical)}));
        let answer = get(world, "/v1/cases?limit=5", &token, &holder.proof("GET", "/v1/cases", Some(&token)));
        assert_eq!(answer.status, 200, "{algorithm:?}: {}", answer.text);
        assert!(answer.header("vary").starts_with("DPoP, "), "{}", answer.header("vary"));
        let held = format!("dpop {token}");
        let proof = holder.proof("HEAD", "/v1/cases", Some(&token));
        assert_eq!(world.send("HEAD", "/v1/cases", None, &[("Authorization", &held), ("DPoP", &proof)], b"").status, 200, "a HEAD is a HEAD");
        let key = unique();
        let proof = holder.proof("POST", "/v1/cases", Some(&token));
        let headers = [("Authorization", held.as_str()), ("DPoP", &proof), ("Content-Type", "application/json"), ("Idempotency-Key", &key)];
        let body = case().to_string();
        assert_eq!(world.send("POST", "/v1/cases", None, &headers, body.as_bytes()).status, 201);
        let again = world.send("POST", "/v1/cases", None, &headers, body.as_bytes());
        assert_eq!((again.status, again.code().as_str()), (401, "invalid_dpop_proof"), "a retry needs a proof of its own");
        let bearer = world.get("/v1/cases", &token);
        assert_eq!((bearer.status, bearer.code().as_str()), (401, "invalid_token"), "a stolen token alone is nothing");
        assert_eq!(bearer.header("www-authenticate"), format!("{CHALLENGE}, error=\"invalid_token\""));
        let none = world.send("GET", "/v1/cases", None, &[("Authorization", &held)], b"");
        assert_eq!((none.status, none.code().as_str()), (401, "invalid_dpop_proof"));
        assert_eq!(none.header("www-authenticate"), format!("{CHALLENGE}, error=\"invalid_dpop_proof\""));
        let scope = get(world, "/v1/referrals?box=in", &token, &holder.proof("GET", "/v1/referrals", Some(&token)));
        assert_eq!(scope.code(), "insufficient_scope");
        assert_eq!(scope.header("www-authenticate"), format!("{CHALLENGE}, error=\"insufficient_scope\", scope=\"referrals:read\""));
    }
}

fn a_bad_proof_is_refused_whatever_is_wrong_with_it(world) {
    let (me, holder) = (secret_client(world, "cases:read"), Holder::new(Algorithm::ES256));
    let token = bound_token(world, &me, &holder);
    let good = || Holder::claims("GET", "/v1/cases", Some(&token));
    let header = holder.header();
    let mut bad: Vec<(String, String)> = Vec::new();
    for (what, change) in [
        ("no typ", json!({"typ": null})), ("JWT", json!({"typ": "JWT"})), ("an access token's typ", json!({"typ": "at+jwt"})),
        ("no key", json!({"jwk": null})), ("a key by name", json!({"jwk": null, "kid": "x"})), ("a key behind a URL", json!({"jwk": null, "jku": "http://127.0.0.1:1/k"})),
        ("a private key", json!({"jwk": but(&holder.0.jwk, json!({"d": "AAAA"}))})), ("a symmetric key", json!({"jwk": {"kty": "oct", "k": "AAAA"}})),
        ("another's key", json!({"jwk": Holder::new(Algorithm::ES256).0.jwk})), ("another curve", json!({"jwk": Holder::new(Algorithm::ES384).0.jwk})),
        ("a short RSA key", json!({"jwk": {"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([200; 256])}, "alg": "PS256"})),
        ("crit", json!({"crit": ["x"]})), ("b64", json!({"b64": false})), ("alg none", json!({"alg": "none"})), ("HS256", json!({"alg": "HS256"})), ("RS256", json!({"alg": "RS256"})), ("ES384", json!({"alg": "ES384"})),
    ] {
        bad.push((what.into(), holder.sign(&but(&header, change), &good())));
    }
    for (what, change) in [
        ("no jti", json!({"jti": null})), ("a short jti", json!({"jti": "1234567"})), ("a long jti", json!({"jti": "x".repeat(129)})), ("jti as a number", json!({"jti": 123_456_789})),
        ("no htm", json!({"htm": null})), ("another method", json!({"htm": "POST"})), ("a method in lower case", json!({"htm": "get"})),
        ("no htu", json!({"htu": null})), ("another path", json!({"htu": format!("{ISSUER}/v1/referrals")})), ("a longer path", json!({"htu": format!("{ISSUER}/v1/cases/")})),
        ("another host", json!({"htu": "http://elsewhere.test/v1/cases"})), ("another scheme", json!({"htu": "https://sistra.test/v1/cases"})), ("another port", json!({"htu": "http://sistra.test:8080/v1/cases"})), ("a path alone", json!({"htu": "/v1/cases"})),
        ("no iat", json!({"iat": null})), ("an old iat", json!({"iat": now() - 70})), ("an iat to come", json!({"iat": now() + 70})), ("iat as text", json!({"iat": now().to_string()})), ("iat overflows", json!({"iat": i64::MIN})),
        ("no ath", json!({"ath": null})), ("ath of another token", json!({"ath": hash("x")})), ("the token itself", json!({"ath": token})),
    ] {
        bad.push((what.into(), holder.sign(&header, &but(&good(), change))));
    }
    let whole = holder.sign(&header, &good());
    let parts: Vec<&str> = whole.split('.').collect();
    bad.push(("changed claims".into(), format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(good().to_string()), parts[2])));
    bad.push(("unsigned".into(), format!("{}.{}.", parts[0], parts[1])));
    bad.push(("huge".into(), format!("{whole}{}", "A".repeat(8_192))));
    bad.push(("claims that are no object".into(), jwt(&header, "[]", &holder.0.sign, Algorithm::ES256)));
    bad.push(("empty".into(), String::new()));
    bad.push(("the token in its place".into(), token.clone()));
    for (what, proof) in &bad {
        let answer = get(world, "/v1/cases", &token, proof);
        assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_dpop_proof"), "{what}: {}", answer.text);
        assert!(answer.json()["errors"].is_null(), "{what}: the reason stays in the log");
    }
    // At the token endpoint the same proofs are refused; there is no token whose hash could be wrong.
    for (what, proof) in bad.iter().filter(|(what, _)| !what.contains("ath") && what != "the token itself") {
        let (head, claims) = (what, proof.split('.').nth(1).and_then(|p| URL_SAFE_NO_PAD.decode(p).ok()).and_then(|p| serde_json::from_slice::<Value>(&p).ok()));
        // Those that are wrong in the header are wrong for any request; the others are made for the other one by their htu.
        let answer = ask(world, &me, &[("DPoP", proof)]);
        assert_eq!(error(&answer), (400, "invalid_dpop_proof".into()), "{head}: {claims:?}");
    }
    let other = Holder::new(Algorithm::ES256);
    let answer = get(world, "/v1/cases", &token, &other.proof("GET", "/v1/cases", Some(&token)));
    assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_token"), "a good proof of another key");
    assert_eq!(answer.header("www-authenticate"), format!("{CHALLENGE}, error=\"invalid_token\""));
    let (held, one, two) = (format!("DPoP {token}"), holder.proof("GET", "/v1/cases", Some(&token)), holder.proof("GET", "/v1/cases", Some(&token)));
    let twice = world.send("GET", "/v1/cases", None, &[("Authorization", &held), ("DPoP", &one), ("DPoP", &two)], b"");
    assert_eq!(twice.code(), "invalid_dpop_proof", "two headers");
    // Spelt in another way it is the same request; the clock may be a minute wrong.
    for change in [
        json!({"htu": "HTTP://SISTRA.test:80/v1/./x/../%63ases?limit=9#top"}), json!({"iat": now() - 50}), json!({"iat": now() + 50}), json!({"exp": 1, "nbf": now() + 999, "aud": "x"}),
    ] {
        let answer = get(world, "/v1/cases", &token, &holder.sign(&header, &but(&good(), change.clone())));
        assert_eq!(answer.status, 200, "{change}: {}", answer.text);
    }
    let typ = holder.sign(&but(&header, json!({"typ": "application/DPoP+jwt"})), &good());
    assert_eq!(get(world, "/v1/cases", &token, &typ).status, 200);
}

fn a_proof_is_good_once_on_all_instances_and_its_memory_ends(world) {
    let (me, holder) = (secret_client(world, "cases:read"), Holder::new(Algorithm::ES256));
    let token = bound_token(world, &me, &holder);
    let proof = holder.proof("GET", "/v1/cases", Some(&token));
    assert_eq!(get(world, "/v1/cases", &token, &proof).status, 200);
    assert_eq!(get(world, "/v1/cases", &token, &proof).code(), "invalid_dpop_proof");
    let claims = Holder::claims("GET", "/v1/cases", Some(&token));
    assert_eq!(get(world, "/v1/cases", &token, &holder.sign(&holder.header(), &claims)).status, 200);
    let moved = but(&claims, json!({"htu": format!("{ISSUER}/v1/cases?x=1")}));
    assert_eq!(get(world, "/v1/cases", &token, &holder.sign(&holder.header(), &moved)).code(), "invalid_dpop_proof", "the jti counts, not the text");
    let another = Holder::new(Algorithm::ES256);
    let (theirs, same) = (bound_token(world, &me, &another), claims["jti"].clone());
    let proof = another.sign(&another.header(), &but(&Holder::claims("GET", "/v1/cases", Some(&theirs)), json!({"jti": same})));
    assert_eq!(get(world, "/v1/cases", &theirs, &proof).status, 200, "another key counts by itself");
    let asked = holder.proof("POST", "/oauth/token", None);
    assert_eq!(ask(world, &me, &[("DPoP", &asked)]).status, 200);
    assert_eq!(error(&ask(world, &me, &[("DPoP", &asked)])), (400, "invalid_dpop_proof".into()));
    // Another instance shares the store, and so the memory.
    let store = &world.running.as_ref().unwrap().store;
    let now = Timestamp::now();
    let url = format!("{ISSUER}/v1/cases");
    let again = holder.proof("GET", "/v1/cases", Some(&token));
    let checked = dpop::check(&again, dpop::Asked { method: "GET", url: &url, token: Some(&token) }, now).unwrap();
    actix_rt::System::new().block_on(dpop::spend(store, checked)).unwrap();
    assert_eq!(get(world, "/v1/cases", &token, &again).code(), "invalid_dpop_proof");
    let some = sistra::kernel::Bucket::random();
    let forget = |at: Timestamp| store.write_blocking(move |tx| dpop::forget(tx, some, at)).unwrap();
    assert_eq!(forget(now), 0, "no proof that could still be good");
    let swept: usize = (2..8).map(|minutes| forget(now.plus_seconds(minutes * 60))).sum();
    assert!(swept >= 6, "{swept}");
}

fn a_client_that_must_prove_its_key_gets_and_uses_no_other_token(world) {
    let (me, holder) = (secret_client(world, "cases:read"), Holder::new(Algorithm::ES256));
    let before = world.token_of(me.0);
    assert_eq!(world.get("/v1/cases", &before).status, 200);
    require(world, me.0);
    assert_eq!(error(&ask(world, &me, &[])), (400, "invalid_dpop_proof".into()));
    assert_eq!(world.get("/v1/cases", &before).code(), "invalid_token", "a bearer token of before");
    let token = bound_token(world, &me, &holder);
    assert_eq!(get(world, "/v1/cases", &token, &holder.proof("GET", "/v1/cases", Some(&token))).status, 200);
    let free = secret_client(world, "cases:read");
    let unbound = world.token_of(free.0);
    let answer = get(world, "/v1/cases", &unbound, &holder.proof("GET", "/v1/cases", Some(&unbound)));
    assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_token"), "a bearer token with a proof is not bound by it");
    assert_eq!(answer.header("www-authenticate"), format!("{CHALLENGE}, error=\"invalid_token\""));
    let nothing = world.send("GET", "/v1/cases", None, &[], b"");
    assert_eq!(nothing.header("www-authenticate"), format!("Bearer, {CHALLENGE}"));
    let held = basic(me.0, &me.1);
    let said = world.send("POST", "/oauth/introspect", None, &[FORM, ("Authorization", &held)], form(&[("token", &token)]).as_bytes()).json();
    assert_eq!((&said["token_type"], &said["cnf"]), (&json!("DPoP"), &part(&token, 1)["cnf"]));
}

fn where_the_settings_ask_for_it_a_proof_repeats_a_nonce_of_the_server(world, |config, _dir| { config.serve.dpop_nonce = true; }) {
    let (me, holder) = (secret_client(world, "cases:read"), Holder::new(Algorithm::ES256));
    let first = ask(world, &me, &[("DPoP", &holder.proof("POST", "/oauth/token", None))]);
    assert_eq!(error(&first), (400, "use_dpop_nonce".into()));
    let nonce = first.header("dpop-nonce");
    assert!(nonce.len() >= 22, "{nonce}");
    let with = |method: &str, path: &str, token: Option<&str>, nonce: &str| {
        holder.sign(&holder.header(), &but(&Holder::claims(method, path, token), json!({"nonce": nonce})))
    };
    let answer = ask(world, &me, &[("DPoP", &with("POST", "/oauth/token", None, &nonce))]);
    assert_eq!((answer.status, answer.header("dpop-nonce").is_empty()), (200, false), "{}", answer.text);
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    for wrong in ["", "x", &nonce[1..]] {
        let refused = get(world, "/v1/cases", &token, &with("GET", "/v1/cases", Some(&token), wrong));
        assert_eq!((refused.status, refused.code().as_str()), (401, "use_dpop_nonce"), "{wrong}");
        assert_eq!(refused.header("www-authenticate"), format!("{CHALLENGE}, error=\"use_dpop_nonce\""));
        assert!(!refused.header("dpop-nonce").is_empty());
    }
    let good = get(world, "/v1/cases", &token, &with("GET", "/v1/cases", Some(&token), &nonce));
    assert_eq!((good.status, good.header("dpop-nonce").is_empty()), (200, false));
    assert_eq!(world.get("/v1/cases", &world.token_of(me.0)).header("dpop-nonce"), "", "nobody else hears of it");
}
}

#[test]
fn another_library_s_proofs_are_taken_and_its_thumbprints_are_ours() {
    let world = World::new(Engine::Sqlite).unwrap();
    for alg in ["ES256", "ES384", "EdDSA", "PS256"] {
        let (id, secret) = secret_client(&world, "cases:read");
        let args = [&world.base(), ISSUER, &id.to_string(), &secret, alg];
        if crate::tokens::peer("tests/peers/dpop.py", &args, "").is_none() {
            return;
        }
    }
}
