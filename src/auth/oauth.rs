//! The token endpoint (RFC 6749 §4.4, RFC 7523), its metadata (RFC 8414) and the key set (RFC 7517).

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, post, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::caller::Purpose;
use super::clients::ClientRecord;
use super::door::{Declined, Entered, TokenDoor, TokenError, decline, enter, refused};
use super::dpop::{self, Asked};
use super::policy;
use crate::http::context::Bound;
use crate::http::guard::one_proof;
use crate::http::limits::RateClass;
use crate::http::problem::Problem;
use crate::kernel::{Error, Timestamp};

/// Mounts the endpoints.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(oauth_token).service(oauth_metadata).service(oauth_jwks);
    super::lifecycle::routes(cfg);
}

/// A token (RFC 6749 §5.1).
#[derive(Debug, Serialize, ToSchema)]
pub struct TokenResponse {
    /// The access token (RFC 9068).
    #[schema(max_length = 4096)]
    pub access_token: String,
    /// `Bearer`, or `DPoP` where the request brought a proof of possession: then every use of the token needs one.
    #[schema(max_length = 10)]
    pub token_type: &'static str,
    /// Seconds.
    #[schema(minimum = 1, maximum = 3600)]
    pub expires_in: i64,
    /// Scopes granted.
    #[schema(max_length = 1000)]
    pub scope: String,
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

/// Takes an access token for a partner system.
///
/// The client proves who it is with a signed assertion (`private_key_jwt`) or, where registered for it, with a
/// secret (`client_secret_basic`). The token carries the scopes asked for, cut to those of the client, and one purpose.
/// With a header `DPoP` (RFC 9449) it is bound to the key of the proof; for clients registered so there is no other way.
#[utoipa::path(tag = "oauth", summary = "Take an access token",
    request_body(content = TokenRequest, content_type = "application/x-www-form-urlencoded"),
    responses(
        (status = 200, description = "A token", body = TokenResponse),
        (status = 400, description = "Refused", body = TokenError),
        (status = 401, description = "The client did not prove who it is", body = TokenError)),
    params(("DPoP" = Option<String>, Header, description = "Proof of possession for this request (RFC 9449 §4)", max_length = 8192)),
    security((), ("client_basic" = [])))]
#[post("/oauth/token")]
pub async fn oauth_token(req: HttpRequest, door: web::Data<TokenDoor>, body: web::Bytes) -> Result<HttpResponse, Problem> {
    match grant(&req, &door, &body).await {
        Ok(token) => Ok(HttpResponse::Ok().insert_header((header::PRAGMA, "no-cache")).json(token)),
        Err(declined) => Ok(decline(declined)?),
    }
}

async fn grant(req: &HttpRequest, door: &TokenDoor, body: &[u8]) -> Result<TokenResponse, Declined> {
    let entered = enter(req, door, body, RateClass::Token).await?;
    match entered.field("grant_type") {
        Some("client_credentials") => {}
        Some(_) => return Err(refused("unsupported_grant_type", "only client_credentials")),
        None => return Err(refused("invalid_request", "grant_type is missing")),
    }
    let scopes = scopes(&entered)?;
    let purpose = match entered.field("purpose") {
        None => entered.client.purposes.first().copied(),
        Some(code) => Purpose::parse(code).filter(|p| entered.client.purposes.contains(p)),
    };
    let purpose = purpose.ok_or_else(|| refused("invalid_scope", "this purpose is not registered for the client"))?;
    let Entered { client, end_user, now, .. } = entered;
    let key = key(req, door, &client, now).await?;
    let token_type = if key.is_some() { "DPoP" } else { "Bearer" };
    let authenticator = &door.authenticator;
    let access_token = authenticator.bound_token_for(&client, &scopes, purpose, end_user, key, now)?;
    Ok(TokenResponse { access_token, token_type, expires_in: authenticator.ttl_s, scope: scopes.join(" ") })
}

/// The scopes asked for, cut to the client's.
fn scopes(entered: &Entered) -> Result<Vec<&'static str>, Declined> {
    let client = &entered.client;
    let Some(wanted) = entered.field("scope") else { return Ok(client.scopes.clone()) };
    let mut scopes = Vec::new();
    for word in wanted.split(' ').filter(|w| !w.is_empty()) {
        match policy::known(word) {
            None => return Err(refused("invalid_scope", "unknown scope")),
            Some(scope) if client.scopes.contains(&scope) && !scopes.contains(&scope) => scopes.push(scope),
            Some(_) => {}
        }
    }
    if scopes.is_empty() {
        return Err(refused("invalid_scope", "none of these scopes is registered for the client"));
    }
    Ok(scopes)
}

/// The thumbprint of the key that the client proves to hold, if it proves one.
async fn key(
    req: &HttpRequest,
    door: &TokenDoor,
    client: &ClientRecord,
    now: Timestamp,
) -> Result<Option<String>, Declined> {
    let proof = match one_proof(req) {
        Err(Error::InvalidDpopProof("none")) if client.dpop_required => {
            return Err(refused(
                "invalid_dpop_proof",
                "this client's tokens are bound to a key: send a proof in the header DPoP",
            ));
        }
        Err(Error::InvalidDpopProof("none")) => return Ok(None),
        other => other?,
    };
    let nonces = door.authenticator.nonces.as_ref();
    req.extensions_mut().insert(Bound { nonce: nonces.map(|n| n.current(now)) });
    let url = format!("{}/oauth/token", door.authenticator.issuer);
    let proof = dpop::check(proof, Asked { method: "POST", url: &url, token: None }, now)?;
    if let Some(nonces) = nonces {
        nonces.check(&proof, now)?;
    }
    let key = proof.key.clone();
    dpop::spend(&door.store, proof).await?;
    Ok(Some(key))
}

/// What clients need to know about this authorization server (RFC 8414).
#[utoipa::path(tag = "oauth", summary = "Authorization server metadata",
    description = "What clients need to know about this authorization server (RFC 8414).",
    responses((status = 200, description = "The metadata", body = serde_json::Value,
        example = json!({"issuer": "https://registry.example", "token_endpoint": "https://registry.example/oauth/token",
            "revocation_endpoint": "https://registry.example/oauth/revoke", "introspection_endpoint": "https://registry.example/oauth/introspect",
            "jwks_uri": "https://registry.example/.well-known/jwks.json", "grant_types_supported": ["client_credentials"],
            "dpop_signing_alg_values_supported": ["ES256", "ES384", "PS256", "EdDSA"]}))), security(()))]
#[get("/.well-known/oauth-authorization-server")]
pub async fn oauth_metadata(door: web::Data<TokenDoor>) -> HttpResponse {
    let issuer = &door.authenticator.issuer;
    let methods = ["private_key_jwt", "client_secret_basic"];
    let algorithms = dpop::ALGORITHMS;
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "public, max-age=300")).json(serde_json::json!({
        "issuer": issuer,
        "token_endpoint": format!("{issuer}/oauth/token"),
        "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": [],
        "token_endpoint_auth_methods_supported": methods,
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint": format!("{issuer}/oauth/revoke"),
        "revocation_endpoint_auth_methods_supported": methods,
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint": format!("{issuer}/oauth/introspect"),
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "dpop_signing_alg_values_supported": algorithms,
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
