//! The token endpoint (RFC 6749 §4.4, RFC 7523), its metadata (RFC 8414) and the key set (RFC 7517).

use std::net::IpAddr;

use actix_web::http::StatusCode;
use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, post, web};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Purpose;
use super::clients::{self, ClientRecord};
use super::policy;
use super::tokens::Authenticator;
use crate::db::Store;
use crate::db::schema::assertion_replay;
use crate::http::limits::{Limits, RateClass};
use crate::http::problem::Problem;
use crate::http::query::decode;
use crate::kernel::ids::ClientId;
use crate::kernel::{Bucket, Error, Timestamp};
use crate::per_engine;

/// Mounts the endpoints.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(oauth_token).service(oauth_metadata).service(oauth_jwks);
}

/// What the endpoint needs; the store is for remembering assertions only.
pub struct TokenDoor {
    /// Makes tokens.
    pub authenticator: std::sync::Arc<Authenticator>,
    /// Remembers assertions.
    pub store: Store,
    /// Quotas.
    pub limits: std::sync::Arc<Limits>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub proxies: Vec<IpAddr>,
}

/// A token (RFC 6749 §5.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenResponse {
    /// The access token (RFC 9068).
    #[schema(max_length = 4096)]
    pub access_token: String,
    /// `Bearer`.
    #[schema(max_length = 10)]
    pub token_type: &'static str,
    /// Seconds.
    #[schema(minimum = 1, maximum = 3600)]
    pub expires_in: i64,
    /// Scopes granted.
    #[schema(max_length = 1000)]
    pub scope: String,
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

/// The form of a token request.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"grant_type": "client_credentials", "scope": "cases:read victims:read", "purpose": "investigation"}))]
pub struct TokenRequest {
    /// `client_credentials`.
    #[schema(example = "client_credentials", max_length = 40)]
    pub grant_type: String,
    /// Scopes wanted, space-separated; all of the client's if absent.
    #[schema(example = "cases:read", max_length = 1000)]
    pub scope: Option<String>,
    /// Purpose of use; the client's first if absent.
    #[schema(example = "investigation", max_length = 40)]
    pub purpose: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[schema(max_length = 100)]
    pub client_assertion_type: Option<String>,
    /// Signed JWT of the client (RFC 7523).
    #[schema(max_length = 8192)]
    pub client_assertion: Option<String>,
}

struct Refusal(StatusCode, &'static str, &'static str);

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// Largest form, bytes.
const LARGEST: usize = 16_384;

/// Takes an access token for a partner system.
///
/// The client proves who it is with a signed assertion (`private_key_jwt`) or, where registered for it, with a
/// secret (`client_secret_basic`). The token carries the scopes asked for, cut to those of the client, and one purpose.
#[utoipa::path(tag = "oauth", summary = "Take an access token",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A token", body = TokenResponse),
        (status = 400, description = "Refused", body = TokenError),
        (status = 401, description = "The client did not prove who it is", body = TokenError)),
    security((), ("client_basic" = [])))]
#[post("/oauth/token")]
pub async fn oauth_token(req: HttpRequest, door: web::Data<TokenDoor>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    let address = address(&req, &door.proxies);
    if let Some(address) = address {
        door.limits.may_try(address, Timestamp::now())?;
    }
    let granted = grant(&req, &door, &body).await?;
    if let (Err(Refusal(StatusCode::UNAUTHORIZED, ..)), Some(address)) = (&granted, address) {
        door.limits.failed(address, Timestamp::now());
    }
    match granted {
        Ok(token) => Ok(HttpResponse::Ok().insert_header((header::PRAGMA, "no-cache")).json(token)),
        Err(Refusal(status, error, error_description)) => {
            let mut response = HttpResponse::build(status);
            if status == StatusCode::UNAUTHORIZED {
                response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"sistra\""));
            }
            Ok(response.json(TokenError { error, error_description }))
        }
    }
}

/// Who asks: the peer, or whom a trusted proxy says that it speaks for.
fn address(req: &HttpRequest, proxies: &[IpAddr]) -> Option<IpAddr> {
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

async fn grant(req: &HttpRequest, door: &TokenDoor, body: &[u8]) -> Result<Result<TokenResponse, Refusal>, Error> {
    let invalid = |words| Ok(Err(Refusal(StatusCode::BAD_REQUEST, "invalid_request", words)));
    let essence = req.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    if essence.split(';').next().unwrap_or_default().trim() != "application/x-www-form-urlencoded" {
        return invalid("the request is not a form");
    }
    if body.len() > LARGEST {
        return Err(Error::ContentTooLarge);
    }
    let Some(form) = form(body) else { return invalid("the form is malformed or repeats a parameter") };
    let field = |name: &str| form.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty());
    match field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Ok(Err(Refusal(StatusCode::BAD_REQUEST, "unsupported_grant_type", "only client_credentials"))),
        None => return invalid("grant_type is missing"),
    }
    let now = Timestamp::now();
    let (client, end_user) = match authenticate(req, door, &field, now).await? {
        Ok(found) => found,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (state, room) = door.limits.check(client.id, RateClass::Token);
    if let Some(state) = state {
        req.extensions_mut().insert(state);
    }
    room?;
    let scopes: Vec<&'static str> = match field("scope") {
        None => client.scopes.clone(),
        Some(wanted) => {
            let mut scopes = Vec::new();
            for word in wanted.split(' ').filter(|w| !w.is_empty()) {
                match policy::known(word) {
                    None => return Ok(Err(Refusal(StatusCode::BAD_REQUEST, "invalid_scope", "unknown scope"))),
                    Some(scope) if client.scopes.contains(&scope) && !scopes.contains(&scope) => scopes.push(scope),
                    Some(_) => {}
                }
            }
            scopes
        }
    };
    if scopes.is_empty() {
        return Ok(Err(Refusal(
            StatusCode::BAD_REQUEST,
            "invalid_scope",
            "none of these scopes is registered for the client",
        )));
    }
    let purpose = match field("purpose") {
        None => client.purposes.first().copied(),
        Some(code) => Purpose::parse(code).filter(|p| client.purposes.contains(p)),
    };
    let Some(purpose) = purpose else {
        return Ok(Err(Refusal(StatusCode::BAD_REQUEST, "invalid_scope", "this purpose is not registered for the client")));
    };
    let authenticator = &door.authenticator;
    let access_token = authenticator.token_for(&client, &scopes, purpose, end_user, now)?;
    Ok(Ok(TokenResponse { access_token, token_type: "Bearer", expires_in: authenticator.ttl_s, scope: scopes.join(" ") }))
}

/// Every pair of a form; none if it is malformed or a name stands twice.
fn form(body: &[u8]) -> Option<Vec<(String, String)>> {
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

type Authenticated = Result<(std::sync::Arc<ClientRecord>, Option<String>), Refusal>;

async fn authenticate<'f>(
    req: &HttpRequest,
    door: &TokenDoor,
    field: &impl Fn(&str) -> Option<&'f str>,
    now: Timestamp,
) -> Result<Authenticated, Error> {
    // One refusal for every cause: which clients exist, and how they prove themselves, is nobody's business.
    let no = || Ok(Err(Refusal(StatusCode::UNAUTHORIZED, "invalid_client", "client authentication failed")));
    let refused = |why: &str| {
        log::info!(target: "sistra::auth", "client refused: {why}");
        no()
    };
    let directory = &door.authenticator.directory;
    let basic = req.headers().get(header::AUTHORIZATION);
    match (field("client_assertion"), basic) {
        (Some(_), Some(_)) => Ok(Err(Refusal(StatusCode::BAD_REQUEST, "invalid_request", "two ways of authentication"))),
        (None, None) => refused("no credentials"),
        (Some(assertion), None) => {
            if field("client_assertion_type") != Some(ASSERTION_TYPE) {
                return refused("assertion type");
            }
            let Some(id) = claimed_client(assertion) else { return refused("assertion names no client") };
            let Some(client) = directory.find(id)?.filter(|c| c.active) else {
                return refused("unknown or disabled client");
            };
            match door.authenticator.assertion(&client, assertion, now) {
                Err(Error::InvalidToken(why)) => refused(why),
                Err(other) => Err(other),
                Ok(proved) => {
                    if remember(&door.store, id, proved.jti, proved.expires_at).await? {
                        Ok(Ok((client, proved.end_user)))
                    } else {
                        refused("assertion used before")
                    }
                }
            }
        }
        (None, Some(value)) => {
            let Some((id, secret)) = value.to_str().ok().and_then(read_basic) else { return refused("malformed Basic") };
            let Some(client) = directory.find(id)?.filter(|c| c.active) else {
                return refused("unknown or disabled client");
            };
            let given = clients::hash(&secret);
            let holds = client.secret_hash.as_ref().is_some_and(|own| {
                aws_lc_rs::constant_time::verify_slices_are_equal(own.as_bytes(), given.as_bytes()).is_ok()
            });
            if holds { Ok(Ok((client, None))) } else { refused("secret") }
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

/// What clients need to know about this authorization server (RFC 8414).
#[utoipa::path(tag = "oauth", summary = "Authorization server metadata",
    description = "What clients need to know about this authorization server (RFC 8414).",
    responses((status = 200, description = "The metadata", body = serde_json::Value,
        example = json!({"issuer": "https://registry.example", "token_endpoint": "https://registry.example/oauth/token",
            "jwks_uri": "https://registry.example/.well-known/jwks.json", "grant_types_supported": ["client_credentials"]}))), security(()))]
#[get("/.well-known/oauth-authorization-server")]
pub async fn oauth_metadata(door: web::Data<TokenDoor>) -> HttpResponse {
    let issuer = &door.authenticator.issuer;
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(serde_json::json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": ["private_key_jwt", "client_secret_basic"],
        "token_endpoint_auth_signing_alg_values_supported": ["ES256", "ES384", "PS256", "EdDSA"],
        "scopes_supported": policy::SCOPES.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
        "service_documentation": format!("{issuer}/docs/"),
    }))
}

/// The keys that verify the registry's tokens.
#[utoipa::path(tag = "oauth", summary = "Public keys",
    description = "The keys that verify the registry's tokens.",
    responses((status = 200, description = "A JWK set", body = serde_json::Value,
        example = json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "C-7qAQ86fg4R7yRFS_98gHuAaKwFkNv9WU5H4UYmztw",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}))), security(()))]
#[get("/.well-known/jwks.json")]
pub async fn oauth_jwks(door: web::Data<TokenDoor>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(door.authenticator.keys.jwks(Timestamp::now()))
}
