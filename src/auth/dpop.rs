//! Proofs of possession (RFC 9449): what one must say, the nonces, and the memory of those that were used.
//!
//! A proof is a JWT that the holder of a key signs for one request. jsonwebtoken checks the signature; everything else
//! is checked here.

use aws_lc_rs::{constant_time, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::clients::strong;
use super::tokens::{LONGEST, algorithms, digest, header};
use crate::db::schema::proof_replay as t;
use crate::db::{Conn, Store};
use crate::kernel::ids::ResourceId;
use crate::kernel::{Bucket, Error, Result, Timestamp};
use crate::per_engine;

/// Algorithms that a proof may be signed with.
pub const ALGORITHMS: [&str; 4] = ["ES256", "ES384", "PS256", "EdDSA"];
/// Seconds by which the clock of who made a proof may differ from this one.
const WINDOW_S: i64 = 60;
/// Members of a JWK that only its owner knows.
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

/// Claims of a proof.
#[derive(Debug, Deserialize)]
struct Claims {
    jti: String,
    htm: String,
    htu: String,
    iat: i64,
    #[serde(default)]
    ath: Option<String>,
    #[serde(default)]
    nonce: Option<String>,
}

/// The request that a proof must be made for.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'r> {
    /// Its method.
    pub method: &'r str,
    /// Its URL, as the outside sees it; what follows a `?` does not count.
    pub url: &'r str,
    /// The token that it presents; none where it asks for one.
    pub token: Option<&'r str>,
}

/// A good proof. It is good once: see [`spend`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// RFC 7638 thumbprint (SHA-256) of the key.
    pub key: String,
    /// The nonce that it repeats.
    pub nonce: Option<String>,
    id: ResourceId,
    made_at: i64,
}

/// Checks a proof against the request that it came with.
pub fn check(proof: &str, asked: Asked, now: Timestamp) -> Result<Proof> {
    read(proof, asked, now).map_err(Error::InvalidDpopProof)
}

fn read(proof: &str, asked: Asked, now: Timestamp) -> Result<Proof, &'static str> {
    if proof.len() > LONGEST || proof.matches('.').count() != 2 {
        return Err("shape");
    }
    let header = header(proof).map_err(|_| "header")?;
    if !header.typ.as_deref().is_some_and(|t| ["dpop+jwt", "application/dpop+jwt"].iter().any(|k| t.eq_ignore_ascii_case(k)))
    {
        return Err("typ");
    }
    let jwk = header.jwk.as_ref().ok_or("no key")?;
    if holds_private_part(proof) {
        return Err("a private key");
    }
    if !algorithms(jwk).contains(&header.alg) || !strong(jwk) {
        return Err("alg");
    }
    let Claims { jti, htm, htu, iat, ath, nonce } = claims(proof, jwk, header.alg)?;
    if !(8..=128).contains(&jti.len()) {
        return Err("jti");
    }
    if htm != asked.method {
        return Err("htm");
    }
    if normal(&htu).is_none_or(|url| Some(url) != normal(asked.url)) {
        return Err("htu");
    }
    if now.unix_seconds().checked_sub(iat).is_none_or(|age| !(-WINDOW_S..=WINDOW_S).contains(&age)) {
        return Err("iat");
    }
    if let Some(token) = asked.token
        && ath != Some(URL_SAFE_NO_PAD.encode(digest(token)))
    {
        return Err("ath");
    }
    let key = jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| "thumbprint")?;
    let mut id = [0; 16];
    id.copy_from_slice(digest(&format!("{key}.{jti}")).get(..16).unwrap_or(&[0; 16]));
    Ok(Proof { key, nonce, id: ResourceId::from_uuid(uuid::Uuid::from_bytes(id)), made_at: iat })
}

/// The claims, if the embedded key signed them.
fn claims(proof: &str, jwk: &Jwk, algorithm: Algorithm) -> Result<Claims, &'static str> {
    let key = DecodingKey::from_jwk(jwk).map_err(|_| "key")?;
    let mut validation = Validation::new(algorithm);
    // Issuer, audience and life are an access token's; what a proof has in their place is checked above.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    Ok(decode::<Claims>(proof, &key, &validation).map_err(|_| "signature or claims")?.claims)
}

/// Whether the key in the header shows what must stay with its owner: from then on it proves nothing.
fn holds_private_part(proof: &str) -> bool {
    let raw = proof.split('.').next().and_then(|head| URL_SAFE_NO_PAD.decode(head).ok()).unwrap_or_default();
    let raw: serde_json::Value = serde_json::from_slice(&raw).unwrap_or_default();
    raw.get("jwk")
        .and_then(serde_json::Value::as_object)
        .is_none_or(|key| PRIVATE.iter().any(|name| key.contains_key(*name)))
}

/// A URL without query and fragment in the one form that RFC 3986 §6.2.2 and §6.2.3 give it; none if it is no http URL.
pub fn normal(url: &str) -> Option<String> {
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = url.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    let default = match scheme.as_str() {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let authority = authority.to_ascii_lowercase();
    let authority = authority.strip_suffix(default).or_else(|| authority.strip_suffix(':')).unwrap_or(&authority);
    if authority.is_empty() || !url.is_ascii() || authority.contains(['@', '\\', ' ']) {
        return None;
    }
    let decoded = unreserved(path)?;
    let mut segments: Vec<&str> = Vec::new();
    let mut parts = decoded.split('/').skip(1).peekable();
    while let Some(part) = parts.next() {
        let last = parts.peek().is_none();
        match part {
            "." | ".." => {
                if part == ".." {
                    segments.pop();
                }
                if last {
                    segments.push("");
                }
            }
            other => segments.push(other),
        }
    }
    Some(format!("{scheme}://{authority}/{}", segments.join("/")))
}

/// A path in which only what must be escaped is, in capitals; none if an escape is broken.
fn unreserved(path: &str) -> Option<String> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(char::from(byte));
            continue;
        }
        let (high, low) = (char::from(rest.next()?).to_digit(16)?, char::from(rest.next()?).to_digit(16)?);
        let value = u8::try_from(high * 16 + low).ok()?;
        if value.is_ascii_alphanumeric() || b"-._~".contains(&value) {
            out.push(char::from(value));
        } else {
            out.push_str(&format!("%{value:02X}"));
        }
    }
    Some(out)
}

/// The bucket of the proofs that were made in one minute: they are all forgotten together.
fn bucket(minute: i64) -> Bucket {
    Bucket::of_text(&["proof", &minute.to_string()])
}

/// Uses a proof up, on every instance: the second time it is refused.
pub async fn spend(store: &Store, proof: Proof) -> Result<()> {
    let expires_at = Timestamp::from_unix_millis(proof.made_at.saturating_mul(1_000))
        .ok_or(Error::InvalidDpopProof("iat"))?
        .plus_seconds(2 * WINDOW_S);
    let made = store
        .write(move |tx| {
            Ok(per_engine!(tx, c => diesel::insert_into(t::table)
                .values((
                    t::bucket.eq(bucket(proof.made_at.div_euclid(60)).number()),
                    t::proof_id.eq(proof.id),
                    t::expires_at.eq(expires_at),
                ))
                .on_conflict_do_nothing()
                .execute(c)?))
        })
        .await?;
    if made > 0 { Ok(()) } else { Err(Error::InvalidDpopProof("used before")) }
}

/// Forgets the proofs of the minute that has just become too old for any to be good, and what is left in one bucket from
/// a time when nobody swept.
pub fn forget(tx: &mut Conn, some: Bucket, now: Timestamp) -> Result<usize> {
    let minute = (now.unix_seconds() - 3 * WINDOW_S).div_euclid(60);
    let mut gone = 0;
    for bucket in [bucket(minute), some] {
        let old = t::table.filter(t::bucket.eq(bucket.number())).filter(t::expires_at.lt(now));
        gone += diesel::delete(old).execute(tx)?;
    }
    Ok(gone)
}

/// Nonces that prove that a proof was not made long before: every server of a registry makes and takes the same ones.
pub struct Nonces(hmac::Key);

/// Seconds for which a nonce is the current one; the one before it is taken too.
const NONCE_S: i64 = 300;

impl Nonces {
    /// From a secret that all servers of the registry share.
    pub fn new(secret: &[u8]) -> Self {
        let root = hmac::Key::new(hmac::HMAC_SHA256, secret);
        Self(hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&root, b"dpop-nonce").as_ref()))
    }

    fn of(&self, slot: i64) -> String {
        let tag = hmac::sign(&self.0, &slot.to_be_bytes());
        URL_SAFE_NO_PAD.encode(tag.as_ref().get(..24).unwrap_or_default())
    }

    /// The nonce of now.
    pub fn current(&self, now: Timestamp) -> String {
        self.of(now.unix_seconds().div_euclid(NONCE_S))
    }

    /// Refuses a proof without a nonce of these minutes.
    pub fn check(&self, proof: &Proof, now: Timestamp) -> Result<()> {
        let slot = now.unix_seconds().div_euclid(NONCE_S);
        let given = proof.nonce.as_deref().unwrap_or_default();
        let is = |slot| constant_time::verify_slices_are_equal(self.of(slot).as_bytes(), given.as_bytes()).is_ok();
        if is(slot) || is(slot - 1) { Ok(()) } else { Err(Error::UseDpopNonce) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn two_spellings_of_one_url_are_one_and_two_urls_are_two() {
        let same = [
            "https://registry.example/v1/cases/a-b",
            "HTTPS://Registry.Example:443/v1/cases/a-b",
            "https://registry.example/v1/cases/%61%2Db?limit=2#top",
            "https://registry.example/v1/./x/../cases/a-b",
            "https://registry.example:/v1/cases/%61%2db",
        ];
        for url in same {
            assert_eq!(normal(url).as_deref(), Some(same[0]), "{url}");
        }
        for url in [
            "http://registry.example/v1/cases/a-b",
            "https://registry.example:8443/v1/cases/a-b",
            "https://registry.example/v1/cases/a-b/",
            "https://registry.example/v1/cases/A-B",
            "https://registry.example/v1/cases%2Fa-b",
            "https://registry.example.evil/v1/cases/a-b",
            "https://registry.example",
        ] {
            assert_ne!(normal(url).as_deref(), Some(same[0]), "{url}");
        }
        for none in [
            "",
            "/v1/cases",
            "ftp://registry.example/",
            "https://",
            "https://u@registry.example/",
            "https://a/%zz",
            "https://a/%4",
        ] {
            assert_eq!(normal(none), None, "{none}");
        }
        assert_eq!(normal("https://a"), normal("https://a/"));
    }

    proptest! {
        #[test]
        fn a_normal_url_is_its_own_normal_form_and_no_text_makes_it_panic(text in "\\PC{0,60}", path in "(/[a-z.%~0-9A-F]{0,6}){0,5}") {
            let _ = normal(&text);
            if let Some(once) = normal(&format!("https://registry.example{path}")) {
                prop_assert_eq!(normal(&once), Some(once));
            }
        }
    }

    #[test]
    fn a_proof_by_a_key_that_can_be_guessed_is_refused_before_its_signature_is_looked_at() {
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let why = |modulus: Vec<u8>| {
            let jwk = serde_json::json!({"kty": "RSA", "e": "AQAB", "n": URL_SAFE_NO_PAD.encode(modulus)});
            let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
            let header = part(serde_json::json!({"alg": "PS256", "typ": "dpop+jwt", "jwk": jwk}));
            let proof = format!("{header}.{}.{}", part(serde_json::json!({})), URL_SAFE_NO_PAD.encode([1; 256]));
            check(&proof, Asked { method: "GET", url: "https://registry.example/", token: None }, now).unwrap_err()
        };
        assert_eq!(why(vec![0xc3; 256]), Error::InvalidDpopProof("alg"));
        assert_eq!(why([vec![0; 256], vec![0xc3; 128]].concat()), Error::InvalidDpopProof("alg"), "zeros in front");
        assert_eq!(why(vec![0xc3; 384]), Error::InvalidDpopProof("signature or claims"));
    }

    #[test]
    fn a_nonce_is_good_for_its_slot_and_the_next_one() {
        let (nonces, other) = (Nonces::new(b"secret"), Nonces::new(b"another"));
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let with = |nonce: Option<String>| Proof {
            key: String::new(),
            nonce,
            id: ResourceId::from_uuid(uuid::Uuid::nil()),
            made_at: 0,
        };
        let given = with(Some(nonces.current(now)));
        for (later, good) in [(0, true), (NONCE_S, true), (2 * NONCE_S, false), (-NONCE_S, false)] {
            assert_eq!(nonces.check(&given, now.plus_seconds(later)).is_ok(), good, "{later}");
        }
        assert_eq!(nonces.check(&with(None), now), Err(Error::UseDpopNonce));
        assert_eq!(nonces.check(&with(Some(other.current(now))), now), Err(Error::UseDpopNonce));
    }
}
