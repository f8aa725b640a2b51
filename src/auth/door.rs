//! The door of the endpoints at which clients prove who they are: form, address, credentials, quota.
//!
//! Owns: client authentication (RFC 6749 §2.3, RFC 7523) and refusals (RFC 6749 §5.2). Must not know what is asked for.

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::clients::{self, ClientRecord};
use super::tokens::Authenticator;
use crate::db::Store;
use crate::db::schema::assertion_replay;
use crate::http::limits::{Limits, RateClass};
use crate::http::query::decode;
use crate::kernel::ids::ClientId;
use crate::kernel::{Bucket, Error, Timestamp};
use crate::ledger::AccessLog;
use crate::per_engine;

/// What the endpoints need; the store is for remembering assertions, proofs and revocations.
pub struct TokenDoor {
    /// Makes and checks tokens.
    pub authenticator: Arc<Authenticator>,
    /// Remembers assertions.
    pub store: Store,
    /// Records what is told of a token.
    pub access: AccessLog,
    /// Quotas.
    pub limits: Arc<Limits>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
}

/// A refusal (RFC 6749 §5.2).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenError {
    /// Code.
    #[schema(max_length = 60)]
    pub error: &'static str,
    /// In words.
    #[schema(max_length = 200)]
    pub error_description: &'static str,
}

/// Status, code and words of a refusal.
#[derive(Debug)]
pub struct Refusal(pub StatusCode, pub &'static str, pub &'static str);

/// Why a request goes no further.
#[derive(Debug)]
pub enum Declined {
    /// For a reason that OAuth has a code for.
    Refused(Refusal),
    /// For any other.
    Failed(Error),
}

impl From<Error> for Declined {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidDpopProof(why) => {
                log::info!(target: "sistra::auth", "proof refused: {why}");
                refused("invalid_dpop_proof", "the DPoP proof does not hold")
            }
            Error::UseDpopNonce => refused("use_dpop_nonce", "the DPoP proof needs the nonce of the header DPoP-Nonce"),
            other => Self::Failed(other),
        }
    }
}

/// A refusal with status 400.
pub fn refused(error: &'static str, words: &'static str) -> Declined {
    Declined::Refused(Refusal(StatusCode::BAD_REQUEST, error, words))
}

/// A client that has proved who it is, and what it asks.
pub struct Entered {
    /// The client.
    pub client: Arc<ClientRecord>,
    /// The person at its desk, as it says.
    pub end_user: Option<String>,
    /// When.
    pub now: Timestamp,
    form: Vec<(String, String)>,
}

impl Entered {
    /// A field of the form, if it is there and not empty.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.form, name)
    }
}

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Largest form, bytes.
const LARGEST: usize = 16_384;

/// Lets a client in that proves who it is; `class` is the quota that its request counts against.
pub async fn enter(req: &HttpRequest, door: &TokenDoor, body: &[u8], class: RateClass) -> Result<Entered, Declined> {
    let address = address(req, &door.proxies);
    if let Some(address) = address {
        door.limits.may_try(address, Timestamp::now())?;
    }
    let entered = known(req, door, body).await;
    if let (Err(Declined::Refused(Refusal(StatusCode::UNAUTHORIZED, ..))), Some(address)) = (&entered, address) {
        door.limits.failed(address, Timestamp::now());
    }
    let entered = entered?;
    let (state, room) = door.limits.check(entered.client.id, class);
    if let Some(state) = state {
        req.extensions_mut().insert(state);
    }
    room?;
    Ok(entered)
}

/// The answer to who is declined.
pub fn decline(declined: Declined) -> Result<HttpResponse, Error> {
    match declined {
        Declined::Failed(error) => Err(error),
        Declined::Refused(Refusal(status, error, error_description)) => {
            let mut response = HttpResponse::build(status);
            if status == StatusCode::UNAUTHORIZED {
                response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"sistra\""));
            }
            Ok(response.json(TokenError { error, error_description }))
        }
    }
}

async fn known(req: &HttpRequest, door: &TokenDoor, body: &[u8]) -> Result<Entered, Declined> {
    let essence = req.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if essence.split(';').next().unwrap_or_default().trim() != "application/x-www-form-urlencoded" {
        return Err(refused("invalid_request", "the request is not a form"));
    }
    if body.len() > LARGEST {
        return Err(Error::ContentTooLarge.into());
    }
    let form = read_form(body).ok_or_else(|| refused("invalid_request", "the form is malformed or repeats a parameter"))?;
    let now = Timestamp::now();
    let (client, end_user) = authenticate(req, door, &form, now).await?;
    Ok(Entered { client, end_user, now, form })
}

/// Who asks: the peer, or whom a trusted proxy says that it speaks for.
pub fn address(req: &HttpRequest, proxies: &[IpAddr]) -> Option<IpAddr> {
    let peer = req.peer_addr()?.ip().to_canonical();
    if !proxies.contains(&peer) {
        return Some(peer);
    }
    // The last address that is not a proxy of ours: whatever stands before it, the caller may have written itself.
    let named = req.headers().get_all("x-forwarded-for").filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','));
    let mut named: Vec<&str> = named.map(str::trim).collect();
    named.reverse();
    named.iter().map_while(|text| text.parse::<IpAddr>().ok()).find(|a| !proxies.contains(a)).or(Some(peer))
}

/// Every pair of a form; none if it is malformed or a name stands twice.
fn read_form(body: &[u8]) -> Option<Vec<(String, String)>> {
    let text = std::str::from_utf8(body).ok()?;
    let mut pairs: Vec<(String, String)> = Vec::new();
    for pair in text.split('&').filter(|p| !p.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let (name, value) = (decode(name)?, decode(value)?);
        if pairs.iter().any(|(n, _)| *n == name) {
            return None;
        }
        pairs.push((name, value));
    }
    Some(pairs)
}

fn field<'f>(form: &'f [(String, String)], name: &str) -> Option<&'f str> {
    form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
}

async fn authenticate(
    req: &HttpRequest,
    door: &TokenDoor,
    form: &[(String, String)],
    now: Timestamp,
) -> Result<(Arc<ClientRecord>, Option<String>), Declined> {
    // One refusal for every cause: which clients exist, and how they prove themselves, is nobody's business.
    let no = |why: &str| {
        log::info!(target: "sistra::auth", "client refused: {why}");
        Declined::Refused(Refusal(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed"))
    };
    let directory = &door.authenticator.directory;
    let basic = req.headers().get(header::AUTHORIZATION);
    match (field(form, "client_assertion"), basic) {
        (Some(_), Some(_)) => Err(refused("invalid_request", "two ways of authentication")),
        (None, None) => Err(no("no credentials")),
        (Some(assertion), None) => {
            if field(form, "client_assertion_type") != Some(ASSERTION_TYPE) {
                return Err(no("assertion type"));
            }
            let id = claimed_client(assertion).ok_or_else(|| no("assertion names no client"))?;
            let client = directory
                .find_new(&door.store, id)
                .await?
                .filter(|c| c.active)
                .ok_or_else(|| no("unknown or disabled client"))?;
            match door.authenticator.assertion(&client, assertion, now) {
                Err(Error::InvalidToken(why)) => Err(no(why)),
                Err(other) => Err(other.into()),
                Ok(proved) => {
                    if remember(&door.store, id, proved.jti, proved.expires_at).await? {
                        Ok((client, proved.end_user))
                    } else {
                        Err(no("assertion used before"))
                    }
                }
            }
        }
        (None, Some(value)) => {
            let (id, secret) = value.to_str().ok().and_then(read_basic).ok_or_else(|| no("malformed Basic"))?;
            let client = directory
                .find_new(&door.store, id)
                .await?
                .filter(|c| c.active)
                .ok_or_else(|| no("unknown or disabled client"))?;
            let given = clients::hash(&secret);
            let holds = client.secret_hash.as_ref().is_some_and(|own| {
                aws_lc_rs::constant_time::verify_slices_are_equal(own.as_bytes(), given.as_bytes()).is_ok()
            });
            if holds { Ok((client, None)) } else { Err(no("secret")) }
        }
    }
}

fn read_basic(value: &str) -> Option<(ClientId, String)> {
    let (scheme, rest) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || rest.len() > 1_024 {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(rest.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decode(id)?.parse().ok()?, decode(secret)?))
}

/// Whose assertion it says it is; proven later, with that client's keys.
fn claimed_client(assertion: &str) -> Option<ClientId> {
    let payload = assertion.split('.').nth(1)?;
    let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload).ok()?;
    let claims: serde_json::Value = serde_json::from_slice(&bytes).ok()?;
    claims.get("sub")?.as_str()?.parse().ok()
}

/// True the first time that an assertion is seen.
async fn remember(store: &Store, client: ClientId, jti: String, expires_at: Timestamp) -> Result<bool, Error> {
    store
        .write(move |tx| {
            let bucket = Bucket::of_text(&["assertion", &client.to_string(), &jti]).number();
            let made = per_engine!(tx, c => diesel::insert_into(assertion_replay::table)
                .values((
                    assertion_replay::bucket.eq(bucket),
                    assertion_replay::client_id.eq(client),
                    assertion_replay::jti.eq(&jti),
                    assertion_replay::expires_at.eq(expires_at),
                ))
                .on_conflict_do_nothing()
                .execute(c)?);
            Ok(made > 0)
        })
        .await
}

/// Forgets the assertions of one bucket that have ended; answers how many.
pub fn forget(tx: &mut crate::db::Conn, bucket: Bucket, now: Timestamp) -> Result<usize, Error> {
    let old = now.plus_seconds(-600);
    Ok(diesel::delete(
        assertion_replay::table
            .filter(assertion_replay::bucket.eq(bucket.number()))
            .filter(assertion_replay::expires_at.lt(old)),
    )
    .execute(tx)?)
}
