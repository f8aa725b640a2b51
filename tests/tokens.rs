//! Access tokens, client assertions and the token endpoint: what is taken, and everything that is not.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::clients::{Credential, rotate_secret, set_active};
use sistra::kernel::ids::ClientId;
use sistra::kernel::{Bucket, Error, Timestamp};

use crate::both;
use crate::support::{Answer, World, unique};

/// Issuer and audience of the servers of this suite.
pub const ISSUER: &str = "http://sistra.test";
pub const AGENCY: &str = "PE-MP-FISTRAP-LIMA";

pub fn now() -> i64 {
    Timestamp::now().unix_seconds()
}

/// A signed JWT with any header and any claims.
pub fn jwt(header: &Value, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), key, algorithm).unwrap();
    format!("{message}.{signature}")
}

/// The registry's own signing key, as it lies in the data directory.
pub fn registry_key(world: &World) -> (String, EncodingKey) {
    let file: Value = serde_json::from_str(&std::fs::read_to_string(world.dir.join("signing-keys.json")).unwrap()).unwrap();
    let key = &file["keys"][0];
    let pkcs8 = STANDARD.decode(key["pkcs8"].as_str().unwrap()).unwrap();
    (key["kid"].as_str().unwrap().to_owned(), EncodingKey::from_ec_der(&pkcs8))
}

/// A key of a partner: its private half and its public JWK.
pub struct Partner {
    pub sign: EncodingKey,
    pub algorithm: Algorithm,
    pub jwk: Value,
}

impl Partner {
    pub fn new(kid: &str, algorithm: Algorithm) -> Self {
        let random = SystemRandom::new();
        let point = |pair: &EcdsaKeyPair, n: usize| {
            let point = pair.public_key().as_ref();
            (URL_SAFE_NO_PAD.encode(&point[1..=n]), URL_SAFE_NO_PAD.encode(&point[n + 1..]))
        };
        let (sign, jwk) = match algorithm {
            Algorithm::ES256 | Algorithm::ES384 => {
                let (kind, curve, n) = if algorithm == Algorithm::ES256 {
                    (&ECDSA_P256_SHA256_FIXED_SIGNING, "P-256", 32)
                } else {
                    (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384", 48)
                };
                let pkcs8 = EcdsaKeyPair::generate_pkcs8(kind, &random).unwrap();
                let (x, y) = point(&EcdsaKeyPair::from_pkcs8(kind, pkcs8.as_ref()).unwrap(), n);
                (EncodingKey::from_ec_der(pkcs8.as_ref()), json!({"kty": "EC", "crv": curve, "kid": kid, "x": x, "y": y}))
            }
            Algorithm::EdDSA => {
                let pkcs8 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
                let pair = Ed25519KeyPair::from_pkcs8(pkcs8.as_ref()).unwrap();
                let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
                (EncodingKey::from_ed_der(pkcs8.as_ref()), json!({"kty": "OKP", "crv": "Ed25519", "kid": kid, "x": x}))
            }
            other => panic!("{other:?} is made elsewhere"),
        };
        Self { sign, algorithm, jwk }
    }

    pub fn register(&self, world: &World, scopes: &str, purposes: &[Purpose]) -> ClientId {
        world.client(AGENCY, scopes, purposes, Credential::Jwks(json!({"keys": [self.jwk]}).to_string())).unwrap().0
    }

    pub fn header(&self) -> Value {
        json!({"alg": self.algorithm, "typ": "client-authentication+jwt", "kid": self.jwk["kid"]})
    }

    pub fn assertion(&self, claims: &Value) -> String {
        jwt(&self.header(), &claims.to_string(), &self.sign, self.algorithm)
    }
}

/// Claims of a good assertion.
pub fn proof(client: ClientId) -> Value {
    json!({"iss": client.to_string(), "sub": client.to_string(), "aud": ISSUER, "iat": now(), "exp": now() + 60, "jti": unique()})
}

/// Claims of a good access token.
pub fn access(client: ClientId) -> Value {
    json!({"iss": ISSUER, "sub": client.to_string(), "aud": ISSUER, "client_id": client.to_string(), "iat": now(), "exp": now() + 300,
        "jti": unique(), "scope": "cases:read", "agency": AGENCY, "purpose": "prosecution"})
}

/// `base` with members replaced, or removed where the value is null.
pub fn but(base: &Value, changes: Value) -> Value {
    let mut claims = base.clone();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}

pub fn encode(text: &str) -> String {
    text.bytes().map(|b| if b.is_ascii_alphanumeric() { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

pub fn form(fields: &[(&str, &str)]) -> String {
    fields.iter().map(|(n, v)| format!("{n}={}", encode(v))).collect::<Vec<_>>().join("&")
}

pub fn basic(client: ClientId, secret: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{client}:{secret}")))
}

pub const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
pub const GRANT: (&str, &str) = ("grant_type", "client_credentials");
pub const TYPE: (&str, &str) = ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");

/// A token request with an assertion.
pub fn ask(world: &World, assertion: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [&[GRANT, TYPE, ("client_assertion", assertion)], more].concat();
    world.send("POST", "/oauth/token", None, &[FORM], form(&fields).as_bytes())
}

/// A token request with a secret.
pub fn ask_with_secret(world: &World, client: ClientId, secret: &str, more: &[(&str, &str)]) -> Answer {
    let header = basic(client, secret);
    let fields = [&[GRANT], more].concat();
    world.send("POST", "/oauth/token", None, &[FORM, ("Authorization", &header)], form(&fields).as_bytes())
}

pub fn taken(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// The claims of a token, unproven.
pub fn part(token: &str, n: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(n).unwrap()).unwrap()).unwrap()
}

pub fn error(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
}

both! {
fn a_forged_access_token_is_refused_whatever_is_wrong_with_it(world) {
    let (client, _) = world.client(AGENCY, "cases:read", &[Purpose::Prosecution], Credential::Secret).unwrap();
    let (kid, key) = registry_key(world);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
    let good = access(client);
    let sign = |header: &Value, claims: &Value| jwt(header, &claims.to_string(), &key, Algorithm::ES256);
    assert_eq!(world.get("/v1/cases", &sign(&header, &good)).status, 200);
    for typ in ["AT+JWT", "application/at+jwt"] {
        assert_eq!(world.get("/v1/cases", &sign(&but(&header, json!({"typ": typ})), &good)).status, 200, "{typ}");
    }
    let mut forged: Vec<(String, String)> = Vec::new();
    let mut add = |what: &str, token: String| forged.push((what.to_owned(), token));

    // The header.
    let unsigned = |alg: &str| format!("{}.{}.", URL_SAFE_NO_PAD.encode(json!({"alg": alg, "typ": "at+jwt", "kid": kid}).to_string()), URL_SAFE_NO_PAD.encode(good.to_string()));
    for alg in ["none", "None", "NONE", ""] {
        add(&format!("alg {alg}"), unsigned(alg));
    }
    let jwks = world.send("GET", "/.well-known/jwks.json", None, &[], b"").json();
    let point = [vec![4], URL_SAFE_NO_PAD.decode(jwks["keys"][0]["x"].as_str().unwrap()).unwrap(), URL_SAFE_NO_PAD.decode(jwks["keys"][0]["y"].as_str().unwrap()).unwrap()].concat();
    for secret in [point.as_slice(), jwks["keys"][0].to_string().as_bytes(), b""] {
        add("HS256 with the public key", jwt(&but(&header, json!({"alg": "HS256"})), &good.to_string(), &EncodingKey::from_secret(secret), Algorithm::HS256));
    }
    let stranger = Partner::new(&kid, Algorithm::ES256);
    add("another's key under our kid", jwt(&header, &good.to_string(), &stranger.sign, Algorithm::ES256));
    add("a key in the header", jwt(&but(&header, json!({"jwk": stranger.jwk})), &good.to_string(), &stranger.sign, Algorithm::ES256));
    add("a key behind a URL", jwt(&but(&header, json!({"jku": "http://127.0.0.1:1/keys"})), &good.to_string(), &stranger.sign, Algorithm::ES256));
    let larger = Partner::new(&kid, Algorithm::ES384);
    add("ES384", jwt(&but(&header, json!({"alg": "ES384"})), &good.to_string(), &larger.sign, Algorithm::ES384));
    for (what, change) in [
        ("no typ", json!({"typ": null})), ("an ID token", json!({"typ": "JWT"})), ("an assertion", json!({"typ": "client-authentication+jwt"})),
        ("no kid", json!({"kid": null})), ("unknown kid", json!({"kid": "nobody"})), ("kid as a path", json!({"kid": "../../etc/passwd"})),
        ("kid as SQL", json!({"kid": "' OR 1=1 --"})), ("kid as a number", json!({"kid": 5})), ("empty kid", json!({"kid": ""})),
        ("crit", json!({"crit": ["zzz"]})), ("crit of a known name", json!({"crit": ["exp"]})), ("empty crit", json!({"crit": []})), ("b64", json!({"b64": false})),
        ("alg of another name", json!({"alg": "ES512"})), ("alg in lower case", json!({"alg": "es256"})),
    ] {
        add(what, sign(&but(&header, change), &good));
    }

    // The claims.
    for (what, change) in [
        ("expired", json!({"exp": now() - 45, "iat": now() - 300})), ("no exp", json!({"exp": null})), ("exp as text", json!({"exp": (now() + 300).to_string()})),
        ("exp before iat", json!({"iat": now() + 20, "exp": now() + 10})), ("exp far away", json!({"exp": 32_503_680_000_i64})), ("exp overflows", json!({"exp": i64::MAX})),
        ("negative exp", json!({"exp": -1})), ("exp with a fraction", json!({"exp": 1.5e10})),
        ("nbf in the future", json!({"nbf": now() + 3_600})), ("nbf as text", json!({"nbf": "soon"})),
        ("iat in the future", json!({"iat": now() + 3_600, "exp": now() + 3_700})), ("no iat", json!({"iat": null})),
        ("no aud", json!({"aud": null})), ("wrong aud", json!({"aud": "http://elsewhere.test"})), ("aud with our name in a list", json!({"aud": ["http://elsewhere.test", ISSUER]})),
        ("aud in a list", json!({"aud": [ISSUER]})), ("aud as a number", json!({"aud": 5})), ("aud with a slash", json!({"aud": format!("{ISSUER}/")})),
        ("no iss", json!({"iss": null})), ("wrong iss", json!({"iss": "http://elsewhere.test"})), ("iss in a list", json!({"iss": ["http://elsewhere.test", ISSUER]})), ("iss as an object", json!({"iss": {}})),
        ("no sub", json!({"sub": null})), ("sub of another", json!({"sub": ClientId::generate(Timestamp::now(), Bucket::random()).to_string()})), ("sub as a number", json!({"sub": 5})),
        ("no jti", json!({"jti": null})), ("jti as a number", json!({"jti": 5})),
        ("no client_id", json!({"client_id": null})), ("a client that is no id", json!({"client_id": "root", "sub": "root"})),
        ("no agency", json!({"agency": null})), ("agency of another", json!({"agency": "PE-PNP"})), ("agency that is no code", json!({"agency": "../"})),
        ("no scope", json!({"scope": null})), ("scope in a list", json!({"scope": ["cases:read"]})),
        ("no purpose", json!({"purpose": null})), ("purpose of nobody", json!({"purpose": "curiosity"})),
    ] {
        add(what, sign(&header, &but(&good, change)));
    }
    let unknown = ClientId::generate(Timestamp::now(), Bucket::random());
    add("unknown client", sign(&header, &access(unknown)));
    let twice = format!("{},\"exp\":{}}}", good.to_string().trim_end_matches('}'), now() + 200);
    add("exp twice", jwt(&header, &twice, &key, Algorithm::ES256));
    let twice = format!("{},\"scope\":\"cases:read cases:write\"}}", good.to_string().trim_end_matches('}'));
    add("scope twice", jwt(&header, &twice, &key, Algorithm::ES256));
    add("claims that are no object", jwt(&header, "[1]", &key, Algorithm::ES256));
    add("claims that are no JSON", jwt(&header, "{", &key, Algorithm::ES256));

    // The form.
    let whole = sign(&header, &good);
    let parts: Vec<&str> = whole.split('.').collect();
    add("changed claims", format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(but(&good, json!({"scope": "cases:write"})).to_string()), parts[2]));
    add("no signature", format!("{}.{}.", parts[0], parts[1]));
    add("two parts", format!("{}.{}", parts[0], parts[1]));
    add("four parts", format!("{whole}.x"));
    add("five parts", format!("{whole}.x.y"));
    add("padded", format!("{whole}="));
    add("a short signature", whole[..whole.len() - 8].to_owned());
    add("standard base64", format!("{}.{}.{}", STANDARD.encode(header.to_string()), STANDARD.encode(good.to_string()), parts[2]));
    add("huge", format!("{whole}{}", "A".repeat(8_192)));
    add("empty parts", "..".to_owned());

    for (what, token) in forged {
        let answer = world.get("/v1/cases", &token);
        assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_token"), "{what}: {}", answer.text);
        assert_eq!(answer.header("www-authenticate"), "Bearer error=\"invalid_token\"", "{what}");
        assert!(answer.json()["errors"].is_null(), "{what}: the reason stays in the log");
    }
}

fn clocks_may_differ_by_thirty_seconds_and_no_more(world) {
    let (client, _) = world.client(AGENCY, "cases:read", &[Purpose::Prosecution], Credential::Secret).unwrap();
    let (kid, key) = registry_key(world);
    let header = json!({"alg": "ES256", "typ": "at+jwt", "kid": kid});
    // Five seconds on either side: a slow machine must not decide.
    for (change, status) in [
        (json!({"iat": now() - 280, "exp": now() - 15}), 200), (json!({"iat": now() - 280, "exp": now() - 35}), 401),
        (json!({"iat": now() + 15, "exp": now() + 300}), 200), (json!({"iat": now() + 45, "exp": now() + 300}), 401),
        (json!({"nbf": now() + 15}), 200), (json!({"nbf": now() + 45}), 401), (json!({"nbf": now() - 100}), 200),
        (json!({"exp": now() + 900}), 200), (json!({"exp": now() + 960}), 401),
    ] {
        let token = jwt(&header, &but(&access(client), change.clone()).to_string(), &key, Algorithm::ES256);
        assert_eq!(world.get("/v1/cases", &token).status, status, "{change}");
    }
}

fn a_token_is_read_from_one_authorization_header_and_nowhere_else(world) {
    let token = world.prosecutor();
    let bearer = format!("Bearer {token}");
    let get = |path: &str, headers: &[(&str, &str)]| world.send("GET", path, None, headers, b"");
    assert_eq!(get("/v1/cases", &[("Authorization", &format!("bearer {token}"))]).status, 200, "the scheme's case does not matter");
    assert_eq!(get("/v1/cases", &[("Authorization", &bearer), ("Authorization", &bearer)]).code(), "invalid_token");
    for wrong in [token.as_str(), "Bearer", "Bearer ", "Basic eDp5", &format!("DPoP {token}"), &format!("Bearer {token} x")] {
        assert_eq!(get("/v1/cases", &[("Authorization", wrong)]).code(), "invalid_token", "{wrong}");
    }
    assert_eq!(get(&format!("/v1/cases?access_token={token}"), &[]).code(), "authentication_required");
    let body = form(&[("access_token", &token)]);
    assert_eq!(world.send("POST", "/v1/cases", None, &[FORM], body.as_bytes()).code(), "authentication_required");
    assert_eq!(get("/v1/cases", &[("Cookie", &format!("access_token={token}"))]).code(), "authentication_required");
}

fn a_secret_buys_a_token_that_opens_what_was_asked_for_and_no_more(world) {
    let (client, secret) = world.client(AGENCY, "cases:read victims:read", &[Purpose::Investigation, Purpose::Prosecution], Credential::Secret).unwrap();
    let secret = secret.unwrap();
    let answer = ask_with_secret(world, client, &secret, &[("scope", "cases:read referrals:read"), ("purpose", "prosecution")]);
    let token = taken(&answer);
    let body = answer.json();
    assert_eq!((body["token_type"].clone(), body["expires_in"].clone(), body["scope"].clone()), (json!("Bearer"), json!(300), json!("cases:read")));
    assert_eq!((answer.header("cache-control"), answer.header("pragma"), answer.header("content-type")), ("no-store".into(), "no-cache".into(), "application/json".into()));
    let (header, claims) = (part(&token, 0), part(&token, 1));
    assert_eq!((header["alg"].clone(), header["typ"].clone()), (json!("ES256"), json!("at+jwt")));
    assert_eq!((claims["iss"].clone(), claims["aud"].clone(), claims["purpose"].clone(), claims["agency"].clone()), (json!(ISSUER), json!(ISSUER), json!("prosecution"), json!(AGENCY)));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 300);
    assert_eq!(world.get("/v1/cases", &token).status, 200);
    assert_eq!(world.get("/v1/victims/7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", &token).code(), "insufficient_scope");
    let all = ask_with_secret(world, client, &secret, &[]);
    assert_eq!((all.json()["scope"].clone(), part(&taken(&all), 1)["purpose"].clone()), (json!("cases:read victims:read"), json!("investigation")));
}

fn the_token_endpoint_refuses_as_rfc_6749_says(world) {
    let (client, secret) = world.client(AGENCY, "cases:read", &[Purpose::Prosecution], Credential::Secret).unwrap();
    let secret = secret.unwrap();
    let (held, scope, purpose) = (basic(client, &secret), ("scope", "cases:read"), ("purpose", "prosecution"));
    for (what, fields, expected) in [
        ("unknown scope", vec![GRANT, ("scope", "cases:read cases:destroy")], "invalid_scope"),
        ("a wildcard", vec![GRANT, ("scope", "*")], "invalid_scope"),
        ("a scope of others", vec![GRANT, ("scope", "referrals:read")], "invalid_scope"),
        ("an identity scope", vec![GRANT, ("scope", "victims.identity:read")], "invalid_scope"),
        ("a purpose of others", vec![GRANT, scope, ("purpose", "oversight")], "invalid_scope"),
        ("a purpose of nobody", vec![GRANT, scope, ("purpose", "curiosity")], "invalid_scope"),
        ("another grant", vec![("grant_type", "password"), scope], "unsupported_grant_type"),
        ("no grant", vec![scope, purpose], "invalid_request"),
        ("a parameter twice", vec![GRANT, scope, scope], "invalid_request"),
        ("two ways of authentication", vec![GRANT, TYPE, ("client_assertion", "a.b.c")], "invalid_request"),
    ] {
        let answer = world.send("POST", "/oauth/token", None, &[FORM, ("Authorization", &held)], form(&fields).as_bytes());
        assert_eq!(error(&answer), (400, expected.to_owned()), "{what}: {}", answer.text);
        assert_eq!(answer.header("cache-control"), "no-store", "{what}");
        assert!(answer.json()["error_description"].is_string(), "{what}");
    }
    let json = world.send("POST", "/oauth/token", None, &[("Content-Type", "application/json"), ("Authorization", &held)], br#"{"grant_type":"client_credentials"}"#);
    assert_eq!(error(&json), (400, "invalid_request".into()));
    for body in [&b"grant_type=%zz"[..], b"grant_type=%ff", b"\xff=1", b""] {
        assert_eq!(error(&world.send("POST", "/oauth/token", None, &[FORM, ("Authorization", &held)], body)).0, 400);
    }
    let other = ClientId::generate(Timestamp::now(), Bucket::random());
    let id = client.to_string();
    let in_body = [GRANT, ("client_id", &id), ("client_secret", &secret)];
    let refused = [
        ("a wrong secret", ask_with_secret(world, client, "wrong", &[])),
        ("no secret", ask_with_secret(world, client, "", &[])),
        ("another's secret", ask_with_secret(world, other, &secret, &[])),
        ("nothing", world.send("POST", "/oauth/token", None, &[FORM], form(&[GRANT]).as_bytes())),
        ("the secret in the body", world.send("POST", "/oauth/token", None, &[FORM], form(&in_body).as_bytes())),
        ("malformed Basic", world.send("POST", "/oauth/token", None, &[FORM, ("Authorization", "Basic !!!")], form(&[GRANT]).as_bytes())),
        ("a bearer", world.send("POST", "/oauth/token", None, &[FORM, ("Authorization", "Bearer a.b.c")], form(&[GRANT]).as_bytes())),
    ];
    for (what, answer) in &refused {
        assert_eq!(error(answer), (401, "invalid_client".into()), "{what}");
        assert_eq!((answer.header("www-authenticate").as_str(), answer.text == refused[0].1.text), ("Basic realm=\"sistra\"", true), "{what}: one answer for every cause");
    }
    assert_eq!(world.send("POST", "/oauth/token", None, &[FORM, ("Authorization", &held)], &vec![b'a'; 16_385]).code(), "content_too_large");
    assert_eq!(world.send("POST", "/oauth/token", None, &[FORM, ("Authorization", &held)], &vec![b'a'; 200_000]).code(), "content_too_large");
    let get = world.send("GET", "/oauth/token", None, &[], b"");
    assert_eq!((get.status, get.header("allow").as_str()), (405, "POST, OPTIONS"));
}

fn an_old_secret_stops_at_once(world) {
    let (client, secret) = world.client(AGENCY, "cases:read", &[Purpose::Prosecution], Credential::Secret).unwrap();
    let running = world.running.as_ref().unwrap();
    let fresh = running.store.write_blocking(move |tx| Ok(rotate_secret(tx, client, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    assert_eq!(ask_with_secret(world, client, &secret.unwrap(), &[]).status, 401);
    taken(&ask_with_secret(world, client, &fresh, &[]));
}

fn a_signed_assertion_buys_a_token_with_the_person_at_the_desk(world) {
    for algorithm in [Algorithm::ES256, Algorithm::ES384, Algorithm::EdDSA] {
        let partner = Partner::new("k1", algorithm);
        let client = partner.register(world, "cases:read victims.identity:read", &[Purpose::Protection]);
        let mut claims = proof(client);
        claims["end_user"] = json!("desk-7");
        let token = taken(&ask(world, &partner.assertion(&claims), &[("scope", "victims.identity:read"), ("purpose", "protection")]));
        assert_eq!((part(&token, 1)["end_user"].clone(), part(&token, 1)["scope"].clone()), (json!("desk-7"), json!("victims.identity:read")), "{algorithm:?}");
        assert_eq!(world.get("/v1/victims/7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12/identity", &token).status, 404, "{algorithm:?}");
    }
    let partner = Partner::new("k1", Algorithm::ES256);
    let client = partner.register(world, "cases:read", &[Purpose::Protection]);
    for typ in [json!("JWT"), json!(null)] {
        let assertion = jwt(&but(&partner.header(), json!({"typ": typ})), &proof(client).to_string(), &partner.sign, partner.algorithm);
        taken(&ask(world, &assertion, &[]));
    }
    let running = world.running.as_ref().unwrap();
    running.store.write_blocking(move |tx| Ok(set_active(tx, client, false, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    let disabled = ask(world, &partner.assertion(&proof(client)), &[]);
    assert_eq!(error(&disabled), (401, "invalid_client".into()), "{}", disabled.text);
}

fn a_forged_assertion_is_refused_whatever_is_wrong_with_it(world) {
    let partner = Partner::new("k1", Algorithm::ES256);
    let client = partner.register(world, "cases:read", &[Purpose::Prosecution]);
    let other = Partner::new("k1", Algorithm::ES256).register(world, "cases:read", &[Purpose::Prosecution]).to_string();
    let good = proof(client);
    let (kid, own) = registry_key(world);
    let larger = Partner::new("k1", Algorithm::ES384);
    let mut forged: Vec<(&str, String)> = Vec::new();
    for (what, change) in [
        ("wrong aud", json!({"aud": "http://elsewhere.test"})), ("aud of the endpoint", json!({"aud": format!("{ISSUER}/oauth/token")})), ("aud in a list", json!({"aud": [ISSUER]})), ("no aud", json!({"aud": null})),
        ("wrong iss", json!({"iss": "http://elsewhere.test"})), ("iss of another", json!({"iss": other})), ("sub of another", json!({"sub": other})), ("both of another", json!({"sub": other, "iss": other})),
        ("no iss", json!({"iss": null})), ("no sub", json!({"sub": null})), ("no jti", json!({"jti": null})), ("a short jti", json!({"jti": "1"})), ("a long jti", json!({"jti": "x".repeat(129)})), ("jti as a number", json!({"jti": 12_345_678})),
        ("no exp", json!({"exp": null})), ("expired", json!({"exp": now() - 45, "iat": now() - 100})), ("lives too long", json!({"exp": now() + 400})),
        ("lives too long without iat", json!({"exp": now() + 400, "iat": null})), ("iat in the future", json!({"iat": now() + 100, "exp": now() + 200})), ("nbf in the future", json!({"nbf": now() + 100})),
        ("a long end_user", json!({"end_user": "x".repeat(65)})), ("end_user as an object", json!({"end_user": {}})),
    ] {
        forged.push((what, partner.assertion(&but(&good, change))));
    }
    let signed = |change: Value, key: &EncodingKey, algorithm| jwt(&but(&partner.header(), change), &good.to_string(), key, algorithm);
    forged.push(("alg none", format!("{}.{}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1"}"#), URL_SAFE_NO_PAD.encode(good.to_string()))));
    forged.push(("HS256", signed(json!({"alg": "HS256"}), &EncodingKey::from_secret(partner.jwk["x"].as_str().unwrap().as_bytes()), Algorithm::HS256)));
    forged.push(("another's key", signed(json!({}), &Partner::new("k1", Algorithm::ES256).sign, Algorithm::ES256)));
    forged.push(("another curve", signed(json!({"alg": "ES384"}), &larger.sign, Algorithm::ES384)));
    forged.push(("the registry's key", signed(json!({"kid": kid}), &own, Algorithm::ES256)));
    forged.push(("an access token", signed(json!({"typ": "at+jwt"}), &partner.sign, Algorithm::ES256)));
    forged.push(("unknown kid", signed(json!({"kid": "k2"}), &partner.sign, Algorithm::ES256)));
    forged.push(("no kid", signed(json!({"kid": null}), &partner.sign, Algorithm::ES256)));
    forged.push(("crit", signed(json!({"crit": ["x"]}), &partner.sign, Algorithm::ES256)));
    forged.push(("rubbish", "a.b.c".to_owned()));
    for (what, assertion) in forged {
        let answer = ask(world, &assertion, &[]);
        assert_eq!(error(&answer), (401, "invalid_client".into()), "{what}: {}", answer.text);
    }
    let missing = world.send("POST", "/oauth/token", None, &[FORM], form(&[GRANT, ("client_assertion", &partner.assertion(&good))]).as_bytes());
    assert_eq!(error(&missing).1, "invalid_client", "without its type an assertion is nothing");
    // The same assertion is good after all, once.
    let assertion = partner.assertion(&good);
    taken(&ask(world, &assertion, &[]));
    assert_eq!(error(&ask(world, &assertion, &[])).1, "invalid_client");
    let again = but(&good, json!({"exp": now() + 90}));
    assert_eq!(error(&ask(world, &partner.assertion(&again), &[])).1, "invalid_client", "the jti counts, not the token");
}

fn a_secret_never_opens_identities_and_weak_keys_are_not_registered(world) {
    let register = |scopes: &str, credential: Credential| world.client(AGENCY, scopes, &[Purpose::Protection], credential);
    assert!(register("victims.identity:read", Credential::Secret).unwrap_err().contains("victims.identity:read"));
    assert!(register("cases:destroy", Credential::Secret).unwrap_err().contains("unknown scope"));
    assert!(world.client(AGENCY, "cases:read", &[], Credential::Secret).is_err());
    assert!(world.client("PE-NOBODY", "cases:read", &[Purpose::Audit], Credential::Secret).is_err());
    let keys = |keys: Value| register("cases:read", Credential::Jwks(json!({"keys": keys}).to_string()));
    let good = Partner::new("k1", Algorithm::ES256).jwk;
    assert!(keys(json!([good])).is_ok());
    for bad in [
        json!([]), json!([but(&good, json!({"kid": null}))]), json!([but(&good, json!({"d": "AAAA"}))]), json!([good, good, good, good, good]),
        json!([{"kty": "oct", "kid": "k", "k": "AAAA"}]), json!([{"kty": "RSA", "kid": "k", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode([200; 256])}]),
    ] {
        assert!(keys(bad.clone()).is_err(), "{bad}");
    }
}

fn keys_and_metadata_say_what_is_true(world) {
    let jwks = world.send("GET", "/.well-known/jwks.json", None, &[], b"");
    assert_eq!((jwks.status, jwks.header("cache-control").as_str()), (200, "public, max-age=300"));
    let key = jwks.json()["keys"][0].clone();
    let members: Vec<&String> = key.as_object().unwrap().keys().collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"], "nothing private");
    // RFC 7638: the kid is the thumbprint.
    let canonical = format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":{},\"y\":{}}}", key["x"], key["y"]);
    let thumbprint = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes()));
    assert_eq!(key["kid"], json!(thumbprint));
    assert_eq!(part(&world.prosecutor(), 0)["kid"], json!(thumbprint));
    let metadata = world.send("GET", "/.well-known/oauth-authorization-server", None, &[], b"").json();
    for (name, value) in [
        ("issuer", json!(ISSUER)), ("token_endpoint", json!(format!("{ISSUER}/oauth/token"))), ("jwks_uri", json!(format!("{ISSUER}/.well-known/jwks.json"))),
        ("grant_types_supported", json!(["client_credentials"])), ("response_types_supported", json!([])),
        ("token_endpoint_auth_methods_supported", json!(["private_key_jwt", "client_secret_basic"])),
        ("token_endpoint_auth_signing_alg_values_supported", json!(["ES256", "ES384", "PS256", "EdDSA"])),
        ("revocation_endpoint", json!(format!("{ISSUER}/oauth/revoke"))), ("introspection_endpoint", json!(format!("{ISSUER}/oauth/introspect"))),
        ("dpop_signing_alg_values_supported", json!(["ES256", "ES384", "PS256", "EdDSA"])),
    ] {
        assert_eq!(metadata[name], value, "{name}");
    }
    assert!(metadata["scopes_supported"].as_array().unwrap().contains(&json!("victims.identity:read")));
}

fn keys_rotate_with_overlap(world) {
    let before = world.prosecutor();
    let keys = &world.running.as_ref().unwrap().authenticator.keys;
    keys.rotate(Timestamp::now()).unwrap();
    let after = world.prosecutor();
    assert_ne!(part(&before, 0)["kid"], part(&after, 0)["kid"]);
    let published: Vec<Value> = world.send("GET", "/.well-known/jwks.json", None, &[], b"").json()["keys"].as_array().unwrap().iter().map(|k| k["kid"].clone()).collect();
    assert_eq!(published, [part(&after, 0)["kid"].clone(), part(&before, 0)["kid"].clone()]);
    for token in [&before, &after] {
        assert_eq!(world.get("/v1/cases", token).status, 200);
    }
    // Past the overlap the old key is gone from the set and verifies nothing.
    let later = Timestamp::now().plus_seconds(6 * 3_600);
    assert!(keys.with_verifier(part(&before, 0)["kid"].as_str().unwrap(), later, |_| ()).is_none());
    assert_eq!(keys.jwks(later)["keys"].as_array().unwrap().len(), 1);
}

fn what_a_client_loses_its_tokens_lose_too(world) {
    let (client, secret) = world.client(AGENCY, "cases:read victims:read", &[Purpose::Prosecution], Credential::Secret).unwrap();
    let token = world.token_of(client);
    let running = world.running.as_ref().unwrap();
    let victim = "/v1/victims/7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12";
    assert_eq!(world.get(victim, &token).status, 404);
    let id = client;
    running.store.write_blocking(move |tx| {
        use diesel::prelude::*;
        use sistra::db::schema::client::dsl;
        diesel::update(dsl::client.filter(dsl::id.eq(id))).set(dsl::scopes.eq(sistra::db::Json::of(&["cases:read"])?)).execute(tx)?;
        Ok(())
    }).unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    assert_eq!(world.get(victim, &token).code(), "insufficient_scope", "a token in the cache has no more than its client");
    assert_eq!(world.get("/v1/cases", &token).status, 200);
    running.store.write_blocking(move |tx| Ok(set_active(tx, client, false, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    assert_eq!((world.get("/v1/cases", &token).status, world.get("/v1/cases", &token).code()), (403, "client_suspended".into()));
    assert_eq!(error(&ask_with_secret(world, client, &secret.unwrap(), &[])), (401, "invalid_client".into()));
    running.store.write_blocking(move |tx| Ok(set_active(tx, client, true, Timestamp::now()))).unwrap().unwrap();
    running.authenticator.directory.refresh(&running.store).unwrap();
    assert_eq!(world.get("/v1/cases", &token).code(), "invalid_token", "disabling has ended the tokens of before for good");
    let record = running.authenticator.directory.find(client).unwrap().unwrap();
    let later = Timestamp::now().plus_seconds(1);
    let new = running.authenticator.token_for(&record, &record.scopes, record.purposes[0], None, later).unwrap();
    assert_eq!(world.get("/v1/cases", &new).status, 200, "a token of after holds");
}

fn a_token_that_is_remembered_ends_like_one_that_is_not(world) {
    let token = world.token(AGENCY, "cases:read", Purpose::Prosecution);
    let authenticator = &world.running.as_ref().unwrap().authenticator;
    let now = Timestamp::now();
    let at = |seconds: i64| authenticator.verify(&token, now.plus_seconds(seconds)).map(drop);
    assert_eq!((at(0), authenticator.remembered()), (Ok(()), 1));
    assert_eq!(at(authenticator.ttl_s + 25), Ok(()), "clocks may differ by thirty seconds");
    assert_eq!(at(authenticator.ttl_s + 31), Err(Error::InvalidToken("expired")));
    assert_eq!(authenticator.remembered(), 0);
}

fn a_token_ends_when_its_client_loses_the_purpose_or_moves_to_another_agency(world) {
    use diesel::prelude::*;
    use sistra::db::schema::client::dsl;
    let running = world.running.as_ref().unwrap();
    let known = |purposes: &[Purpose]| {
        let (client, _) = world.client(AGENCY, "cases:read", purposes, Credential::Secret).unwrap();
        let token = world.token_of(client);
        assert_eq!(world.get("/v1/cases", &token).status, 200);
        (client, token)
    };
    let refused = |token: &str| {
        running.authenticator.directory.refresh(&running.store).unwrap();
        assert_eq!(world.get("/v1/cases", token).code(), "invalid_token");
    };
    let (id, token) = known(&[Purpose::Prosecution]);
    running.store.write_blocking(move |tx| {
        diesel::update(dsl::client.filter(dsl::id.eq(id))).set(dsl::purposes.eq(sistra::db::Json::of(&["statistics"])?)).execute(tx)?;
        Ok(())
    }).unwrap();
    refused(&token);
    let (id, token) = known(&[Purpose::Prosecution]);
    running.store.write_blocking(move |tx| {
        diesel::update(dsl::client.filter(dsl::id.eq(id))).set(dsl::agency_code.eq("PE-MIMP-INABIF")).execute(tx)?;
        Ok(())
    }).unwrap();
    refused(&token);
}

fn a_token_from_the_time_when_the_agency_supervised_opens_nothing_any_more(world) {
    let token = world.token("PE-DP", "cases:read", Purpose::Oversight);
    assert_eq!(world.get("/v1/cases", &token).status, 200);
    let keeper = world.token("PE-MIMP", "agencies:manage", Purpose::Audit);
    let supervises = |yes: bool| {
        let etag = world.get("/v1/agencies/PE-DP", &keeper).header("etag");
        let changed = world.patch("/v1/agencies/PE-DP", &keeper, &etag, &json!({"oversight": yes}));
        assert_eq!((changed.status, &changed.json()["oversight"]), (200, &json!(yes)), "{}", changed.text);
        let running = world.running.as_ref().unwrap();
        running.authenticator.directory.refresh(&running.store).unwrap();
    };
    supervises(false);
    assert_eq!(world.get("/v1/cases", &token).code(), "invalid_token");
    let token = world.token("PE-DP", "cases:read", Purpose::Oversight);
    assert_eq!(world.get("/v1/cases", &token).status, 200);
    supervises(true);
    assert_eq!(world.get("/v1/cases", &token).code(), "invalid_token");
}

fn a_trusted_issuer_speaks_for_registered_clients(world, |config, dir| {
    let partner = Partner::new("ministry-1", Algorithm::ES256);
    std::fs::write(dir.join("issuer-keys.json"), json!({"keys": [partner.jwk]}).to_string()).unwrap();
    ISSUER_KEYS.lock().unwrap().insert(dir.to_owned(), partner);
    let issuers = json!([{"issuer": "https://id.ministry.test", "audience": "sistra-registry", "jwks_file": dir.join("issuer-keys.json"),
        "claims": {"client": "azp", "agency": "entity", "scope": "scp", "purpose": "why", "user": "sub"}}]);
    std::fs::write(dir.join("issuers.json"), issuers.to_string()).unwrap();
    config.serve.trusted_issuers = Some(dir.join("issuers.json"));
}) {
    let partner = ISSUER_KEYS.lock().unwrap().remove(&world.dir).unwrap();
    let (client, _) = world.client(AGENCY, "cases:read victims:read", &[Purpose::Prosecution, Purpose::Investigation], Credential::Secret).unwrap();
    let header = json!({"alg": "ES256", "typ": "JWT", "kid": "ministry-1"});
    let good = json!({"iss": "https://id.ministry.test", "aud": "sistra-registry", "sub": "officer-9", "iat": now(), "exp": now() + 600,
        "azp": client.to_string(), "entity": AGENCY, "scp": "cases:read openid", "why": "investigation"});
    let sign = |header: &Value, claims: &Value| jwt(header, &claims.to_string(), &partner.sign, Algorithm::ES256);
    assert_eq!(world.get("/v1/cases", &sign(&header, &good)).status, 200);
    assert_eq!(world.get("/v1/cases", &sign(&header, &but(&good, json!({"aud": ["other", "sistra-registry"]})))).status, 200, "an audience among others is theirs to give");
    assert_eq!(world.get("/v1/victims/7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", &sign(&header, &good)).code(), "insufficient_scope");
    let wide = but(&good, json!({"scp": "cases:read referrals:read"}));
    assert_eq!(world.get("/v1/referrals", &sign(&header, &wide)).code(), "insufficient_scope", "never more than the client has");
    let mut refused = Vec::new();
    for change in [
        json!({"aud": "other"}), json!({"aud": null}), json!({"iss": "https://id.elsewhere.test"}), json!({"iss": ["https://id.ministry.test"]}), json!({"exp": now() - 45, "iat": now() - 100}), json!({"exp": null}), json!({"iat": null}),
        json!({"exp": now() + 8_000}), json!({"nbf": now() + 100}), json!({"azp": "nobody"}), json!({"azp": null}), json!({"entity": "PE-PNP"}), json!({"entity": null}), json!({"why": "oversight"}), json!({"why": "curiosity"}), json!({"sub": null}),
        // Bound in a way that nobody here can check, and to a key that nobody shows.
        json!({"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}}), json!({"cnf": {}}), json!({"cnf": {"jkt": 7}}), json!({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}),
    ] {
        refused.push((change.to_string(), sign(&header, &but(&good, change))));
    }
    for change in [json!({"kid": "other"}), json!({"kid": null}), json!({"crit": ["x"]}), json!({"typ": "client-authentication+jwt"}), json!({"typ": "logout+jwt"})] {
        refused.push((change.to_string(), sign(&but(&header, change), &good)));
    }
    refused.push(("another's key".into(), jwt(&header, &good.to_string(), &Partner::new("x", Algorithm::ES256).sign, Algorithm::ES256)));
    refused.push(("ours in its name".into(), sign(&header, &but(&access(client), json!({"iss": "https://id.ministry.test"})))));
    refused.push(("its in our name".into(), sign(&but(&header, json!({"typ": "at+jwt"})), &access(client))));
    for (what, token) in refused {
        let answer = world.get("/v1/cases", &token);
        assert_eq!((answer.status, answer.code().as_str()), (401, "invalid_token"), "{what}: {}", answer.text);
    }
}
}

/// Private keys of the issuers that a test has set up, by the directory of its server.
static ISSUER_KEYS: std::sync::Mutex<std::collections::BTreeMap<std::path::PathBuf, Partner>> =
    std::sync::Mutex::new(std::collections::BTreeMap::new());

#[test]
fn a_flood_of_tokens_does_not_fill_the_memory() {
    let world = World::new(crate::support::Engine::Sqlite).unwrap();
    let (client, _) = world.client(AGENCY, "cases:read", &[Purpose::Prosecution], Credential::Secret).unwrap();
    let authenticator = &world.running.as_ref().unwrap().authenticator;
    let (now, mut most) = (Timestamp::now(), 0);
    for n in 0..10_500 {
        if n % 1_000 == 0 {
            authenticator.directory.refresh(&world.running.as_ref().unwrap().store).unwrap();
        }
        authenticator.verify(&world.token_of(client), now).unwrap();
        most = most.max(authenticator.remembered());
    }
    assert!((5_000..=10_000).contains(&most), "{most}");
}

const PEER: &str = "tests/peers/private_key_jwt.py";

/// Runs a peer; none where it cannot run and need not.
pub fn peer(script: &str, args: &[&str], input: &str) -> Option<String> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let there = Command::new("python3").args(["-c", "import jwt, cryptography"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|s| s.success()) {
        let required = std::env::var_os("SISTRA_REQUIRE_PEERS").is_some_and(|v| v == "1");
        assert!(!required, "python3 with PyJWT and cryptography is required and not there");
        eprintln!("SKIPPED: python3 with PyJWT and cryptography is not there, so no other JWT library was asked");
        return None;
    }
    let mut child =
        Command::new("python3").arg(script).args(args).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    assert!(done.status.success(), "{args:?}");
    Some(String::from_utf8(done.stdout).unwrap())
}

#[test]
fn another_jwt_library_signs_what_we_take_and_verifies_what_we_sign() {
    let world = World::new(crate::support::Engine::Sqlite).unwrap();
    for alg in ["ES256", "ES384", "EdDSA", "PS256"] {
        let Some(made) = peer(PEER, &["make", alg], "") else { return };
        let made: Value = serde_json::from_str(&made).unwrap();
        let keys = Credential::Jwks(json!({"keys": [made["jwk"]]}).to_string());
        let (client, _) = world.client(AGENCY, "cases:read", &[Purpose::Prosecution], keys).unwrap();
        peer(PEER, &["use", &world.base(), ISSUER, &client.to_string(), alg], made["private"].as_str().unwrap());
    }
}
