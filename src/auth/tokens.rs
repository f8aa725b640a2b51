//! Access tokens (RFC 9068) and client assertions (RFC 7523): made, and checked to the letter.
//!
//! jsonwebtoken checks the signature and some claims; what it leaves out (`typ`, `crit`, types of claims, `iat`,
//! the longest life) is checked here.

use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header, encode};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use super::caller::{Caller, Purpose};
use super::clients::{ClientRecord, Directory};
use super::dpop::Nonces;
use super::issuers::Issuers;
use super::keys::SigningKeys;
use super::policy;
use crate::kernel::ids::{ClientId, TokenId};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};

/// Seconds by which two clocks may differ.
pub(super) const LEEWAY_S: i64 = 30;
/// Longest life of an assertion, seconds (RFC 7523; SMART Backend Services).
const ASSERTION_LIFE_S: i64 = 300;
/// Longest token that is looked at, bytes.
pub(super) const LONGEST: usize = 8_192;

/// Claims of our access tokens. Strict types: a wrong one is a refusal, not an absence.
#[derive(Debug, Serialize, Deserialize)]
struct AccessClaims {
    iss: String,
    sub: String,
    aud: String,
    client_id: String,
    exp: i64,
    iat: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nbf: Option<i64>,
    jti: String,
    scope: String,
    agency: AgencyCode,
    purpose: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    end_user: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cnf: Option<Confirmation>,
}

/// The key that a token is bound to (RFC 9449 §6).
#[derive(Debug, Serialize, Deserialize)]
struct Confirmation {
    jkt: String,
}

/// What a verified token says.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The token's id: by this it is revoked.
    pub id: TokenId,
    /// Who made it.
    pub issuer: String,
    /// When it was made.
    pub issued_at: Timestamp,
    /// RFC 7638 thumbprint of the key that it is bound to; none for a bearer token.
    pub key: Option<String>,
}

/// Claims of a client assertion.
#[derive(Debug, Deserialize)]
struct AssertionClaims {
    iss: String,
    sub: String,
    aud: String,
    exp: i64,
    #[serde(default)]
    iat: Option<i64>,
    jti: String,
    #[serde(default)]
    end_user: Option<String>,
}

/// What a good assertion says.
#[derive(Debug)]
pub struct Assertion {
    /// Unique per client while it lives.
    pub jti: String,
    /// When it ends.
    pub expires_at: Timestamp,
    /// The person at the partner's desk.
    pub end_user: Option<String>,
}

/// Makes and checks tokens.
pub struct Authenticator {
    /// Issuer and audience.
    pub issuer: String,
    /// The registry's keys.
    pub keys: SigningKeys,
    /// The clients.
    pub directory: Directory,
    /// Other issuers whose tokens are taken.
    pub issuers: Issuers,
    /// Life of a token, seconds.
    pub ttl_s: i64,
    /// Nonces that proofs must carry, where the settings ask for them.
    pub nonces: Option<Nonces>,
    verified: Cache<[u8; 32], Arc<Verified>>,
}

/// Most verified tokens that are remembered: whoever sends many must not fill the memory.
const REMEMBERED: usize = 10_000;

impl Authenticator {
    /// From its parts.
    pub fn new(issuer: String, keys: SigningKeys, directory: Directory, issuers: Issuers, ttl_s: i64) -> Self {
        Self { issuer, keys, directory, issuers, ttl_s, nonces: None, verified: Cache::new(REMEMBERED) }
    }

    /// The same one, whose proofs must carry a nonce of this server.
    pub fn with_nonces(mut self) -> Self {
        self.nonces = Some(Nonces::new(&self.keys.cursor_secret()));
        self
    }

    /// How many verified tokens are remembered.
    pub fn remembered(&self) -> usize {
        self.verified.len()
    }

    /// A bearer token for a client.
    pub fn token_for(
        &self,
        client: &ClientRecord,
        scopes: &[&str],
        purpose: Purpose,
        end_user: Option<String>,
        now: Timestamp,
    ) -> Result<String> {
        self.bound_token_for(client, scopes, purpose, end_user, None, now)
    }

    /// A token for a client, bound to the key of this thumbprint.
    pub fn bound_token_for(
        &self,
        client: &ClientRecord,
        scopes: &[&str],
        purpose: Purpose,
        end_user: Option<String>,
        key: Option<String>,
        now: Timestamp,
    ) -> Result<String> {
        let id = client.id.to_string();
        let claims = AccessClaims {
            iss: self.issuer.clone(),
            sub: id.clone(),
            aud: self.issuer.clone(),
            client_id: id,
            exp: now.unix_seconds() + self.ttl_s,
            iat: now.unix_seconds(),
            nbf: None,
            jti: uuid::Uuid::new_v4().to_string(),
            scope: scopes.join(" "),
            agency: client.agency.clone(),
            purpose: purpose.as_str().to_owned(),
            end_user,
            cnf: key.map(|jkt| Confirmation { jkt }),
        };
        self.keys
            .with_signer(|kid, key| {
                let mut header = Header::new(Algorithm::ES256);
                header.typ = Some("at+jwt".to_owned());
                header.kid = Some(kid.to_owned());
                encode(&header, &claims, key)
            })
            .and_then(|token| token.ok())
            .ok_or_else(|| Error::internal("token not signed"))
    }

    /// The caller behind a token, whatever it is bound to.
    pub fn verify(&self, token: &str, now: Timestamp) -> Result<Arc<Caller>> {
        Ok(Arc::clone(&self.look(token, now)?.caller))
    }

    /// What a token says, if it holds now. Whoever presents one that is bound to a key must prove the key as well.
    pub fn look(&self, token: &str, now: Timestamp) -> Result<Arc<Verified>> {
        if token.len() > LONGEST || token.matches('.').count() != 2 {
            return Err(Error::InvalidToken("shape"));
        }
        let digest = digest(token);
        let found = match self.verified.get(&digest) {
            Some(found) => found,
            None => {
                let found = Arc::new(self.check(token, now)?);
                self.verified.insert(digest, Arc::clone(&found));
                found
            }
        };
        let caller = &found.caller;
        if caller.expires_at.plus_seconds(LEEWAY_S) <= now {
            self.verified.remove(&digest);
            return Err(Error::InvalidToken("expired"));
        }
        // The cache remembers signatures, not rights: client and revocations are looked at every time.
        if self.directory.revoked().has(found.id) {
            return Err(Error::InvalidToken("revoked"));
        }
        match self.directory.find(caller.client)? {
            None => Err(Error::InvalidToken("unknown client")),
            Some(client) if !client.active => Err(Error::ClientSuspended),
            Some(client) if !client.admits(found.issued_at) => Err(Error::InvalidToken("revoked with its client's others")),
            Some(client) if client.agency != caller.agency => Err(Error::InvalidToken("agency changed")),
            // What the agency sees hangs on it: every case, or its own.
            Some(client) if client.oversight != caller.oversight => Err(Error::InvalidToken("supervision changed")),
            Some(client) if !client.purposes.contains(&caller.purpose) => Err(Error::InvalidToken("purpose")),
            Some(client) if client.dpop_required && found.key.is_none() => Err(Error::InvalidToken("not bound to a key")),
            Some(client) if caller.scopes.iter().all(|s| client.scopes.contains(s)) => Ok(found),
            // The client has lost scopes since the token was made: so has the token.
            Some(client) => {
                let mut less = Caller::clone(caller);
                less.scopes.retain(|s| client.scopes.contains(s));
                Ok(Arc::new(Verified { caller: Arc::new(less), ..Verified::clone(&found) }))
            }
        }
    }

    fn check(&self, token: &str, now: Timestamp) -> Result<Verified> {
        let header = header(token)?;
        if let Some(found) = self.issuers.verify(token, &header, now) {
            return self.foreign(token, found?);
        }
        if !header
            .typ
            .as_deref()
            .is_some_and(|t| t.eq_ignore_ascii_case("at+jwt") || t.eq_ignore_ascii_case("application/at+jwt"))
        {
            return Err(Error::InvalidToken("typ"));
        }
        if header.alg != Algorithm::ES256 {
            return Err(Error::InvalidToken("alg"));
        }
        let kid = header.kid.as_deref().ok_or(Error::InvalidToken("kid"))?;
        let validation = validation(Algorithm::ES256, &self.issuer, &self.issuer);
        let read = |key: &DecodingKey| decode::<AccessClaims>(token, key, &validation);
        let outcome = match self.keys.with_verifier(kid, now, read) {
            Some(outcome) => outcome,
            None => {
                // Another instance may have rotated a moment ago.
                self.keys.refresh().map_err(Error::Internal)?;
                self.keys.with_verifier(kid, now, read).ok_or(Error::InvalidToken("unknown key"))?
            }
        };
        let claims = outcome.map_err(|_| Error::InvalidToken("signature or claims"))?.claims;
        times(claims.iat, claims.exp, 900, now)?;
        if claims.sub != claims.client_id {
            return Err(Error::InvalidToken("sub"));
        }
        let client: ClientId = claims.client_id.parse().map_err(|()| Error::InvalidToken("client_id"))?;
        let record = self.directory.find(client)?.ok_or(Error::InvalidToken("unknown client"))?;
        let caller = Caller {
            client,
            agency: claims.agency,
            oversight: record.oversight,
            user: claims.end_user,
            scopes: claims.scope.split(' ').filter_map(policy::known).filter(|s| record.scopes.contains(s)).collect(),
            purpose: Purpose::parse(&claims.purpose).ok_or(Error::InvalidToken("purpose"))?,
            expires_at: at(claims.exp)?,
        };
        Ok(Verified {
            caller: Arc::new(caller),
            // Not the text: whoever holds a token can write its signature in a second way.
            id: claims.jti.parse().unwrap_or_else(|()| named(&claims.jti)),
            issuer: claims.iss,
            issued_at: at(claims.iat)?,
            key: claims.cnf.map(|cnf| cnf.jkt),
        })
    }

    /// A token of a trusted issuer stands for a registered client; its scopes are cut to the client's.
    fn foreign(&self, token: &str, found: super::issuers::Found) -> Result<Verified> {
        let record = self.directory.find(found.client)?.ok_or(Error::InvalidToken("unknown client"))?;
        if found.agency != record.agency {
            return Err(Error::InvalidToken("agency"));
        }
        let purpose = match found.purpose {
            Some(p) if record.purposes.contains(&p) => p,
            Some(_) => return Err(Error::InvalidToken("purpose")),
            None => *record.purposes.first().ok_or(Error::InvalidToken("purpose"))?,
        };
        let caller = Caller {
            client: record.id,
            agency: record.agency.clone(),
            oversight: record.oversight,
            user: found.user,
            scopes: found.scope.split(' ').filter_map(policy::known).filter(|s| record.scopes.contains(s)).collect(),
            purpose,
            expires_at: at(found.exp)?,
        };
        Ok(Verified {
            caller: Arc::new(caller),
            // Other issuers need not number their tokens: what they signed names the token.
            id: named(token.rsplit_once('.').map_or(token, |(signed, _)| signed)),
            issuer: found.issuer,
            issued_at: at(found.iat)?,
            key: found.key,
        })
    }

    /// Checks a `private_key_jwt` assertion against the client's registered keys.
    pub fn assertion(&self, client: &ClientRecord, token: &str, now: Timestamp) -> Result<Assertion> {
        if token.len() > LONGEST || token.matches('.').count() != 2 {
            return Err(Error::InvalidToken("shape"));
        }
        let header = header(token)?;
        // RFC 10070; plain `JWT` and an absent `typ` are what older libraries send.
        if !header
            .typ
            .as_deref()
            .is_none_or(|t| t.eq_ignore_ascii_case("client-authentication+jwt") || t.eq_ignore_ascii_case("jwt"))
        {
            return Err(Error::InvalidToken("typ"));
        }
        let keys = client.jwks.as_ref().ok_or(Error::InvalidToken("client has no keys"))?;
        let kid = header.kid.as_deref().ok_or(Error::InvalidToken("kid"))?;
        let jwk = keys.find(kid).ok_or(Error::InvalidToken("unknown key"))?;
        if !algorithms(jwk).contains(&header.alg) {
            return Err(Error::InvalidToken("alg"));
        }
        let key = DecodingKey::from_jwk(jwk).map_err(|_| Error::InvalidToken("key"))?;
        let validation = validation(header.alg, &self.issuer, &client.id.to_string());
        let claims = decode::<AssertionClaims>(token, &key, &validation)
            .map_err(|_| Error::InvalidToken("signature or claims"))?
            .claims;
        let AssertionClaims { iss, sub, aud, exp, iat, jti, end_user } = claims;
        if iss != sub || sub != client.id.to_string() || aud != self.issuer {
            return Err(Error::InvalidToken("iss, sub or aud"));
        }
        times(iat.unwrap_or_else(|| now.unix_seconds()), exp, ASSERTION_LIFE_S, now)?;
        if exp > now.unix_seconds() + ASSERTION_LIFE_S + LEEWAY_S {
            return Err(Error::InvalidToken("lives too long"));
        }
        if jti.len() < 8 || jti.len() > 128 {
            return Err(Error::InvalidToken("jti"));
        }
        let user = end_user.filter(|u| !u.is_empty());
        if user.as_ref().is_some_and(|u| u.len() > 64 || !u.is_ascii()) {
            return Err(Error::InvalidToken("end_user"));
        }
        Ok(Assertion { jti, expires_at: at(exp)?, end_user: user })
    }
}

/// An id made of a text: whoever cannot find two texts of one SHA-256 cannot find two of one id.
fn named(text: &str) -> TokenId {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(digest(text).get(..16).unwrap_or(&[0; 16]));
    TokenId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

fn at(seconds: i64) -> Result<Timestamp> {
    seconds.checked_mul(1_000).and_then(Timestamp::from_unix_millis).ok_or(Error::InvalidToken("exp"))
}

/// The header, with what RFC 7515 §4.1.11 and RFC 8725 demand of it.
pub(super) fn header(token: &str) -> Result<Header> {
    use base64::Engine;
    let header = decode_header(token).map_err(|_| Error::InvalidToken("header"))?;
    let raw = token.split('.').next().unwrap_or_default();
    let raw = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(raw).map_err(|_| Error::InvalidToken("header"))?;
    let raw: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&raw).map_err(|_| Error::InvalidToken("header"))?;
    // Extensions that must be understood, and are not.
    if raw.contains_key("crit") || raw.contains_key("b64") {
        return Err(Error::InvalidToken("crit"));
    }
    Ok(header)
}

/// One algorithm, both names required, not-before checked.
pub(super) fn validation(algorithm: Algorithm, audience: &str, issuer: &str) -> Validation {
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[audience]);
    validation.set_issuer(&[issuer]);
    validation.set_required_spec_claims(&["exp", "aud", "iss", "sub"]);
    validation.validate_nbf = true;
    validation.leeway = u64::try_from(LEEWAY_S).unwrap_or(0);
    validation
}

/// Issued in the past, and not for longer than `life_s`.
pub(super) fn times(iat: i64, exp: i64, life_s: i64, now: Timestamp) -> Result<()> {
    if iat > now.unix_seconds() + LEEWAY_S {
        return Err(Error::InvalidToken("iat"));
    }
    if exp.checked_sub(iat).is_none_or(|life| life <= 0 || life > life_s + LEEWAY_S) {
        return Err(Error::InvalidToken("lives too long"));
    }
    Ok(())
}

/// The algorithms that a registered key may sign with.
pub(super) fn algorithms(jwk: &Jwk) -> &'static [Algorithm] {
    match &jwk.algorithm {
        AlgorithmParameters::EllipticCurve(p) if p.curve == EllipticCurve::P256 => &[Algorithm::ES256],
        AlgorithmParameters::EllipticCurve(p) if p.curve == EllipticCurve::P384 => &[Algorithm::ES384],
        AlgorithmParameters::OctetKeyPair(p) if p.curve == EllipticCurve::Ed25519 => &[Algorithm::EdDSA],
        AlgorithmParameters::RSA(_) => &[Algorithm::PS256],
        _ => &[],
    }
}

/// SHA-256.
pub(super) fn digest(token: &str) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    digest.as_ref().try_into().unwrap_or([0; 32])
}

/// Keeps directory, keys and foreign key sets fresh until `stop` is set.
pub fn keep_fresh(authenticator: &Authenticator, store: &crate::db::Store, stop: &std::sync::atomic::AtomicBool) {
    let mut round: u32 = 0;
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(250));
        round = round.wrapping_add(1);
        if !round.is_multiple_of(6) {
            continue;
        }
        if let Err(e) = authenticator.directory.refresh(store) {
            log::warn!(target: "sistra::auth", "client directory not refreshed: {e:?}");
        }
        if let Err(e) = authenticator.keys.refresh() {
            log::error!(target: "sistra::auth", "{e}");
        }
        authenticator.issuers.refresh();
    }
}
