//! Trusted issuers: a ministry's own identity provider, whose tokens stand for registered clients.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Header, decode};
use serde::Deserialize;
use serde_json::Value;
use ureq::tls::TlsConfig;

use super::caller::Purpose;
use super::tokens::{algorithms, times, validation};
use crate::kernel::ids::ClientId;
use crate::kernel::{AgencyCode, Error, Result, Timestamp};

/// Seconds between two looks at a key set behind a URL.
const REFRESH_S: i64 = 300;
/// Longest life of a foreign token, seconds.
const LIFE_S: i64 = 3_600;

/// One issuer, as configured.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct IssuerConfig {
    issuer: String,
    audience: String,
    jwks_file: Option<PathBuf>,
    jwks_url: Option<String>,
    /// Names of the claims that say which client, agency, scopes, purpose and person a token stands for.
    #[serde(default)]
    claims: ClaimNames,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct ClaimNames {
    client: String,
    agency: String,
    scope: String,
    purpose: String,
    user: String,
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            client: "client_id".into(),
            agency: "agency".into(),
            scope: "scope".into(),
            purpose: "purpose".into(),
            user: "sub".into(),
        }
    }
}

struct Trusted {
    config: IssuerConfig,
    keys: ArcSwap<JwkSet>,
    fetched_at: AtomicI64,
}

/// The issuers.
pub struct Issuers {
    trusted: Vec<Trusted>,
    tls: TlsConfig,
}

/// What a foreign token says.
#[derive(Debug)]
pub struct Found {
    /// Who made it.
    pub issuer: String,
    /// The client that it stands for.
    pub client: ClientId,
    /// Its agency.
    pub agency: AgencyCode,
    /// Scopes asked for.
    pub scope: String,
    /// Purpose, if it says one.
    pub purpose: Option<Purpose>,
    /// The person.
    pub user: Option<String>,
    /// When it was made.
    pub iat: i64,
    /// When it ends.
    pub exp: i64,
    /// Thumbprint of the key that it is bound to.
    pub key: Option<String>,
}

impl Issuers {
    /// No other issuers.
    pub fn none() -> Self {
        Self { trusted: Vec::new(), tls: TlsConfig::default() }
    }

    /// From a JSON file: a list of issuers. Key sets behind a URL are fetched from whom `tls` believes.
    pub fn load(path: &Path, tls: &TlsConfig) -> Result<Self, String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
        let configs: Vec<IssuerConfig> =
            serde_json::from_str(&text).map_err(|e| format!("{} is not a list of issuers: {e}", path.display()))?;
        let trusted = configs
            .into_iter()
            .map(|config| {
                let keys = match (&config.jwks_file, &config.jwks_url) {
                    (Some(file), None) => read_file(file)?,
                    (None, Some(url)) if url.starts_with("https://") || url.starts_with("http://127.0.0.1") => {
                        // A provider that is down at start must not keep the registry down.
                        fetch(url, tls).unwrap_or_else(|why| {
                            log::warn!(target: "sistra::auth", "key set of {} not fetched: {why}", config.issuer);
                            JwkSet { keys: Vec::new() }
                        })
                    }
                    (None, Some(url)) => return Err(format!("the key set of {} is not behind https: {url}", config.issuer)),
                    _ => return Err(format!("issuer {} needs jwks_file or jwks_url", config.issuer)),
                };
                Ok(Trusted {
                    config,
                    keys: ArcSwap::from_pointee(keys),
                    fetched_at: AtomicI64::new(Timestamp::now().unix_seconds()),
                })
            })
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Self { trusted, tls: tls.clone() })
    }

    /// Fetches key sets that are due. Never called on a request's path.
    pub fn refresh(&self) {
        let now = Timestamp::now().unix_seconds();
        for trusted in &self.trusted {
            let Some(url) = &trusted.config.jwks_url else { continue };
            let empty = trusted.keys.load().keys.is_empty();
            if now - trusted.fetched_at.load(Ordering::Relaxed) < if empty { 5 } else { REFRESH_S } {
                continue;
            }
            trusted.fetched_at.store(now, Ordering::Relaxed);
            match fetch(url, &self.tls) {
                Ok(keys) => trusted.keys.store(keys.into()),
                Err(why) => {
                    log::warn!(target: "sistra::auth", "key set of {} not fetched: {why}", trusted.config.issuer);
                }
            }
        }
    }

    /// Checks a token whose (unproven) issuer is one of these; none if it is not theirs.
    pub fn verify(&self, token: &str, header: &Header, now: Timestamp) -> Option<Result<Found>> {
        if self.trusted.is_empty() {
            return None;
        }
        let claimed = unproven_issuer(token)?;
        let trusted = self.trusted.iter().find(|t| t.config.issuer == claimed)?;
        Some(trusted.verify(token, header, now))
    }
}

impl Trusted {
    fn verify(&self, token: &str, header: &Header, now: Timestamp) -> Result<Found> {
        let config = &self.config;
        // Providers say `JWT` or nothing; a JWT explicitly made for something else (RFC 8725 §3.11) is not an access token.
        let access = |typ: &str| ["at+jwt", "application/at+jwt", "jwt"].contains(&typ.to_ascii_lowercase().as_str());
        if !header.typ.as_deref().is_none_or(access) {
            return Err(Error::InvalidToken("typ"));
        }
        let kid = header.kid.as_deref().ok_or(Error::InvalidToken("kid"))?;
        let keys = self.keys.load();
        let jwk = keys.find(kid).ok_or(Error::InvalidToken("unknown key"))?;
        if !algorithms(jwk).contains(&header.alg) {
            return Err(Error::InvalidToken("alg"));
        }
        let key = DecodingKey::from_jwk(jwk).map_err(|_| Error::InvalidToken("key"))?;
        let validation = validation(header.alg, &config.audience, &config.issuer);
        let claims: Value = decode(token, &key, &validation).map_err(|_| Error::InvalidToken("signature or claims"))?.claims;
        let text = |name: &str| claims.get(name).and_then(Value::as_str);
        let number = |name: &str| claims.get(name).and_then(Value::as_i64).ok_or(Error::InvalidToken("times"));
        if text("iss") != Some(&config.issuer) {
            return Err(Error::InvalidToken("iss"));
        }
        let exp = number("exp")?;
        let iat = number("iat")?;
        times(iat, exp, LIFE_S, now)?;
        // A token that is bound in a way that is not checked here (a certificate) is no bearer token either.
        let key = match claims.get("cnf") {
            None => None,
            Some(cnf) => Some(cnf.get("jkt").and_then(Value::as_str).ok_or(Error::InvalidToken("cnf"))?.to_owned()),
        };
        let names = &config.claims;
        let purpose = match text(&names.purpose) {
            None => None,
            Some(code) => Some(Purpose::parse(code).ok_or(Error::InvalidToken("purpose"))?),
        };
        Ok(Found {
            issuer: config.issuer.clone(),
            client: text(&names.client).and_then(|c| c.parse().ok()).ok_or(Error::InvalidToken("client"))?,
            agency: text(&names.agency).and_then(AgencyCode::parse).ok_or(Error::InvalidToken("agency"))?,
            scope: text(&names.scope).unwrap_or_default().to_owned(),
            purpose,
            user: text(&names.user).filter(|u| u.len() <= 64 && u.is_ascii()).map(str::to_owned),
            iat,
            exp,
            key,
        })
    }
}

fn unproven_issuer(token: &str) -> Option<String> {
    use base64::Engine;
    let payload = token.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: Value = serde_json::from_slice(&bytes).ok()?;
    claims.get("iss")?.as_str().map(str::to_owned)
}

fn read_file(path: &Path) -> Result<JwkSet, String> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
    serde_json::from_str(&text).map_err(|_| format!("{} is not a JWK set", path.display()))
}

/// 64 KiB, five seconds, no redirects.
fn fetch(url: &str, tls: &TlsConfig) -> Result<JwkSet, String> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(5)))
        .max_redirects(0)
        .tls_config(tls.clone())
        .build()
        .into();
    let mut answer = agent.get(url).call().map_err(|e| e.to_string())?;
    let text = answer.body_mut().with_config().limit(65_536).read_to_string().map_err(|e| e.to_string())?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}
