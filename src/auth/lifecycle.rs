//! What becomes of a token after it was given: revocation (RFC 7009) and introspection (RFC 7662).

use actix_web::{HttpMessage, HttpRequest, HttpResponse, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Purpose;
use super::door::{Declined, TokenDoor, TokenError, decline, enter, refused};
use super::revocation::{self, Revocation};
use super::tokens::LEEWAY_S;
use crate::http::context::RequestContext;
use crate::http::limits::RateClass;
use crate::http::problem::Problem;
use crate::kernel::ids::{ClientId, TokenId};
use crate::kernel::trail::Trail;
use crate::kernel::{AgencyCode, Error};
use crate::ledger::{Action, Actor, Entry};

/// Mounts the endpoints.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(oauth_revoke).service(oauth_introspect);
}

/// The scope of a client that may ask about everybody's tokens: a gateway before the registry.
const INTROSPECT: &str = "tokens:introspect";

/// The form of both endpoints.
#[derive(Debug, ToSchema)]
#[schema(example = json!({"token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln", "token_type_hint": "access_token"}))]
pub struct TokenForm {
    /// The access token.
    #[schema(max_length = 8192)]
    pub token: String,
    /// `access_token`; there are no others, so it is not needed.
    #[schema(max_length = 40)]
    pub token_type_hint: Option<String>,
    /// `urn:ietf:params:oauth:client-assertion-type:jwt-bearer`.
    #[schema(max_length = 100)]
    pub client_assertion_type: Option<String>,
    /// Signed JWT of the client (RFC 7523).
    #[schema(max_length = 8192)]
    pub client_assertion: Option<String>,
}

/// Gives up an access token: its own client does, and nobody else can.
///
/// From this answer on the token is refused by the server that gave it, and within five seconds by all of them; it is in
/// the record. A token that is unknown, expired or given up already is no fault (RFC 7009 §2.2): the answer is the same.
/// One of another client is refused with `invalid_grant`. The operator ends all tokens of a client with
/// `sistra client revoke` or `sistra client disable`.
#[utoipa::path(tag = "oauth", summary = "Revoke an access token",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "The token is dead"),
        (status = 400, description = "Refused", body = TokenError),
        (status = 401, description = "The client did not prove who it is", body = TokenError)),
    security((), ("client_basic" = [])))]
#[post("/oauth/revoke")]
pub async fn oauth_revoke(req: HttpRequest, door: web::Data<TokenDoor>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    match end(&req, &door, &body).await {
        Ok(()) => Ok(HttpResponse::Ok().finish()),
        Err(declined) => Ok(decline(declined)?),
    }
}

async fn end(req: &HttpRequest, door: &TokenDoor, body: &[u8]) -> Result<(), Declined> {
    let entered = enter(req, door, body, RateClass::Write).await?;
    let token = entered.field("token").ok_or_else(|| refused("invalid_request", "token is missing"))?;
    let authenticator = &door.authenticator;
    let found = match authenticator.look(token, entered.now) {
        Ok(found) => found,
        // What cannot be known now must not be called dead: the client asks again.
        Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => return Err(error.into()),
        Err(_) => return Ok(()),
    };
    let caller = &found.caller;
    if caller.client != entered.client.id {
        return Err(refused("invalid_grant", "the token was given to another client"));
    }
    let request_id = req.extensions().get::<RequestContext>().map_or_else(uuid::Uuid::new_v4, |context| context.id);
    let what = Revocation {
        token: found.id,
        client: caller.client,
        agency: caller.agency.clone(),
        user: entered.end_user.clone(),
        purpose: caller.purpose,
        request_id,
        expires_at: caller.expires_at.plus_seconds(LEEWAY_S),
    };
    Ok(revocation::revoke(&door.store, authenticator.directory.revoked(), what, entered.now).await?)
}

/// What a token says, if it holds (RFC 7662 §2.2). Of any other token nothing is said but that it does not.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(example = json!({"active": true, "scope": "cases:read", "client_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d15",
    "token_type": "Bearer", "exp": 1_773_652_200, "iat": 1_773_651_900, "sub": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d15",
    "aud": "https://registry.example", "iss": "https://registry.example", "jti": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12",
    "agency": "PE-MP-FISTRAP-LIMA", "purpose": "prosecution"}))]
pub struct Introspection {
    /// Whether the registry would take it now.
    pub active: bool,
    /// Scopes that it opens now, space-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 1000)]
    pub scope: Option<String>,
    /// The partner system.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub client_id: Option<ClientId>,
    /// `Bearer` or `DPoP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, max_length = 10)]
    pub token_type: Option<&'static str>,
    /// When it ends, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub exp: Option<i64>,
    /// When it was made, seconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub iat: Option<i64>,
    /// The partner system, again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub sub: Option<ClientId>,
    /// For whom it was made: this registry.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 400)]
    pub aud: Option<String>,
    /// Who made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 400)]
    pub iss: Option<String>,
    /// The token, as the record names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub jti: Option<TokenId>,
    /// The agency that the partner system acts for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub agency: Option<AgencyCode>,
    /// Code list `purpose_of_use`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = String, max_length = 40)]
    pub purpose: Option<&'static str>,
    /// The person at the partner's desk, as the partner says.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, max_length = 64)]
    pub end_user: Option<String>,
    /// The key that it is bound to (RFC 9449 §6.2).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub cnf: Option<TokenKey>,
}

/// The key that a token is bound to.
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenKey {
    /// RFC 7638 thumbprint, SHA-256, base64url.
    #[schema(max_length = 60)]
    pub jkt: String,
}

/// Says whether a token holds, and what it opens: of a client's own tokens, or of anybody's with `tokens:introspect`.
///
/// A token that does not hold, and one that is not the caller's business, are the same answer: `{"active": false}`.
/// The scope must be registered for the client; no token carries it here. The answer is of this instant: do not keep it.
/// That a token's client was asked about is in the record, the token is not.
#[utoipa::path(tag = "oauth", summary = "Introspect an access token",
    request_body(content = TokenForm, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "What it says, or that it does not hold", body = Introspection),
        (status = 400, description = "Refused", body = TokenError),
        (status = 401, description = "The client did not prove who it is", body = TokenError)),
    security((), ("client_basic" = [])))]
#[post("/oauth/introspect")]
pub async fn oauth_introspect(
    req: HttpRequest,
    door: web::Data<TokenDoor>,
    body: web::Bytes,
) -> Result<HttpResponse, Problem> {
    match describe(&req, &door, &body).await {
        Ok(said) => Ok(HttpResponse::Ok().json(said)),
        Err(declined) => Ok(decline(declined)?),
    }
}

async fn describe(req: &HttpRequest, door: &TokenDoor, body: &[u8]) -> Result<Introspection, Declined> {
    let entered = enter(req, door, body, RateClass::Read).await?;
    let token = entered.field("token").ok_or_else(|| refused("invalid_request", "token is missing"))?;
    let nothing = Introspection::default();
    let found = match door.authenticator.look(token, entered.now) {
        Ok(found) => found,
        Err(error @ (Error::Unavailable(_) | Error::Internal(_))) => return Err(error.into()),
        Err(_) => return Ok(nothing),
    };
    let caller = &found.caller;
    if caller.client != entered.client.id && !entered.client.scopes.contains(&INTROSPECT) {
        return Ok(nothing);
    }
    // Of the client that was asked about; the token itself is written nowhere.
    let actor = Actor {
        client: Some(entered.client.id),
        agency: Some(entered.client.agency.clone()),
        user: entered.end_user.clone(),
        purpose: None,
        request_id: req.extensions().get::<RequestContext>().map_or_else(uuid::Uuid::new_v4, |context| context.id),
        trail: Trail::default(),
    };
    let entry = Entry::new(Action::Read, caller.client, None).about("token_introspection");
    door.access.record(&actor, entered.now, entry).await?;
    let key = found.key.clone();
    Ok(Introspection {
        active: true,
        scope: Some(caller.scopes.join(" ")),
        client_id: Some(caller.client),
        token_type: Some(if key.is_some() { "DPoP" } else { "Bearer" }),
        exp: Some(caller.expires_at.unix_seconds()),
        iat: Some(found.issued_at.unix_seconds()),
        sub: Some(caller.client),
        aud: Some(door.authenticator.issuer.clone()),
        iss: Some(found.issuer.clone()),
        jti: Some(found.id),
        agency: Some(caller.agency.clone()),
        purpose: Some(Purpose::as_str(caller.purpose)),
        end_user: caller.user.clone(),
        cnf: key.map(|jkt| TokenKey { jkt }),
    })
}
