//! The contract: what utoipa collected from the handlers, completed with what every operation shares.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::codes;
use crate::auth::policy::SCOPES;

/// Statuses that every operation can answer.
const ALWAYS: &[u16] = &[400, 404, 405, 408, 500, 503];

const ABOUT: &str = "Registry of human-trafficking accusations, judicial cases, victims and referrals. \
Every record belongs to an agency; other agencies see what was shared with them and nothing else. \
Every error is an RFC 9457 problem with a stable `code`. POST needs `Idempotency-Key`; PATCH and transitions need `If-Match`.";

/// Completes the collected document. The result is plain JSON: what is served, compared and linted.
pub fn document(collected: &OpenApi) -> Value {
    let mut document = serde_json::to_value(collected).unwrap_or_default();
    if let Some(root) = document.as_object_mut() {
        root.insert("openapi".into(), json!("3.1.0"));
        root.insert(
            "info".into(),
            json!({
                "title": "SISTRA", "version": super::context::API_VERSION, "description": ABOUT,
                "contact": {"name": "SISTRA", "url": "https://github.com/sistra-registry/sistra"},
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}
            }),
        );
        root.insert("servers".into(), json!([{"url": "/", "description": "This server"}]));
        root.insert(
            "tags".into(),
            json!([
                {"name": "cases", "description": "Accusation files and their stages"},
                {"name": "victims", "description": "Persons harmed, pseudonymous; identities apart"},
                {"name": "accused", "description": "Suspects and defendants, pseudonymous; identities apart"},
                {"name": "charges", "description": "One accused, one offence"},
                {"name": "referrals", "description": "Communications between authorities"},
                {"name": "measures", "description": "Coercive and protective measures, and those that end soon"},
                {"name": "proceedings", "description": "Hearings and decisions"},
                {"name": "notes", "description": "Notes on a case, internal or shared"},
                {"name": "agencies", "description": "Directory of authorities and services"},
                {"name": "catalogues", "description": "The law as dated data: offences, code lists, procedure, places"},
                {"name": "oauth", "description": "Tokens"},
                {"name": "operations", "description": "Health and reference"}
            ]),
        );
        let components = root.entry("components").or_insert_with(|| json!({}));
        if let Some(components) = components.as_object_mut() {
            complete_components(components);
        }
        if let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) {
            for (path, item) in paths.iter_mut() {
                for (method, operation) in item.as_object_mut().into_iter().flatten() {
                    if let Some(operation) = operation.as_object_mut() {
                        complete(path, method, operation);
                    }
                }
            }
        }
    }
    document
}

fn complete_components(components: &mut Map<String, Value>) {
    let scopes: Map<String, Value> = SCOPES.iter().map(|(name, about)| ((*name).to_owned(), json!(about))).collect();
    components.insert(
        "securitySchemes".into(),
        json!({
            "oauth2": {
                "type": "oauth2",
                "description": "OAuth 2.0 client credentials with private_key_jwt; access tokens are RFC 9068 JWTs checked as RFC8725 says",
                "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": scopes}}
            },
            "client_basic": {"type": "http", "scheme": "basic", "description": "Client id and secret, for clients registered for it"}
        }),
    );
    components.insert(
        "parameters".into(),
        json!({
            "IdempotencyKey": {
                "name": "Idempotency-Key", "in": "header", "required": true,
                "description": "16–255 of A–Z a–z 0–9 _ -; the second request with the same key does nothing and answers the same record",
                "schema": {"type": "string", "minLength": 16, "maxLength": 257, "pattern": "^\"?[A-Za-z0-9_-]{16,255}\"?$"},
                "example": "5b2c0f2e-6d1c-4a40-9c37-4b1f0a6f2d11"
            },
            "IfMatch": {
                "name": "If-Match", "in": "header", "required": true,
                "description": "Entity tag of the version that is changed",
                "schema": {"type": "string", "maxLength": 40, "pattern": "^\"[0-9]{1,15}\\.[A-Za-z0-9]{0,20}\"$"},
                "example": "\"1.o\""
            },
            "AcceptLanguage": {
                "name": "Accept-Language", "in": "header", "required": false,
                "description": "Language of titles and labels: es (default), en or fr",
                "schema": {"type": "string", "maxLength": 200}
            }
        }),
    );
    components.insert(
        "headers".into(),
        json!({
            "RequestId": {"description": "The request's id", "schema": {"type": "string", "format": "uuid", "maxLength": 36}},
            "RateLimit": {"description": "What is left of the quota", "schema": {"type": "string", "maxLength": 100}},
            "RateLimitPolicy": {"description": "The quota", "schema": {"type": "string", "maxLength": 100}},
            "RetryAfter": {"description": "Seconds to wait", "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86400}}
        }),
    );
    let mut responses = Map::new();
    // 406 is in the table of problems and no operation answers it yet.
    let mut statuses: Vec<u16> = codes::ALL.iter().map(|k| k.status).filter(|s| *s != 406).collect();
    statuses.sort_unstable();
    statuses.dedup();
    for status in statuses {
        let kinds: Vec<&str> = codes::ALL.iter().filter(|k| k.status == status).map(|k| k.code).collect();
        let mut headers = json!({"Request-Id": {"$ref": "#/components/headers/RequestId"}});
        if matches!(status, 429 | 503) {
            put(&mut headers, "Retry-After", json!({"$ref": "#/components/headers/RetryAfter"}));
        }
        let first = codes::ALL.iter().find(|k| k.status == status);
        responses.insert(
            format!("Problem{status}"),
            json!({
                "description": format!("Problem: {}", kinds.join(", ")),
                "headers": headers,
                "content": {"application/problem+json": {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": {
                        "type": format!("https://registry.example/problems/{}", kinds.first().unwrap_or(&"")),
                        "title": first.map_or("", |k| k.title(super::lang::Lang::En)),
                        "status": status, "code": kinds.first(),
                        "instance": "urn:uuid:0193580e-6d1c-7a40-9c37-4b1f0a6f2d11",
                        "request_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11"
                    }
                }}
            }),
        );
    }
    components.insert("responses".into(), Value::Object(responses));
}

fn complete(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let scope = operation
        .get("security")
        .and_then(Value::as_array)
        .and_then(|s| s.iter().find_map(|s| s.get("oauth2")))
        .and_then(Value::as_array)
        .map(|scopes| {
            scopes.iter().filter_map(Value::as_str).filter(|s| !s.is_empty()).map(str::to_owned).collect::<Vec<_>>()
        });
    let oauth = path.starts_with("/oauth/");
    let secured = scope.is_some();
    let body = operation.contains_key("requestBody") && !oauth;
    let post = method == "post" && !oauth;
    // Transitions change a record that the caller has seen; agencies of participations have no version of their own.
    let versioned = method == "patch" || (post && path.ends_with("/transitions"));
    let mut statuses: Vec<u16> = ALWAYS.to_vec();
    if secured {
        statuses.extend([401, 403, 429]);
        operation.insert("security".into(), json!([{"oauth2": scope.clone().unwrap_or_default()}]));
    }
    if body {
        statuses.extend([409, 413, 415, 422]);
    }
    if oauth && method == "post" {
        statuses.retain(|s| *s != 400);
        statuses.extend([413, 429]);
    }
    if versioned {
        statuses.extend([412, 428]);
    }
    if !oauth {
        operation.insert("x-required-scopes".into(), json!(scope.clone().unwrap_or_default()));
        operation.insert("x-idempotency".into(), json!(if post { "key" } else { "natural" }));
        operation.insert("x-concurrency".into(), json!(if versioned { "if-match" } else { "none" }));
    }
    operation.insert("x-stability".into(), json!("beta"));
    if let Some(responses) = operation.entry("responses").or_insert_with(|| json!({})).as_object_mut() {
        for response in responses.values_mut().filter_map(Value::as_object_mut) {
            let headers = response.entry("headers").or_insert_with(|| json!({}));
            put(headers, "Request-Id", json!({"$ref": "#/components/headers/RequestId"}));
            if secured {
                put(headers, "RateLimit", json!({"$ref": "#/components/headers/RateLimit"}));
                put(headers, "RateLimit-Policy", json!({"$ref": "#/components/headers/RateLimitPolicy"}));
            }
        }
        for status in statuses {
            responses
                .entry(status.to_string())
                .or_insert_with(|| json!({"$ref": format!("#/components/responses/Problem{status}")}));
        }
    }
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    if let Some(parameters) = parameters.as_array_mut() {
        if post {
            parameters.push(json!({"$ref": "#/components/parameters/IdempotencyKey"}));
        }
        if versioned {
            parameters.push(json!({"$ref": "#/components/parameters/IfMatch"}));
        }
        parameters.push(json!({"$ref": "#/components/parameters/AcceptLanguage"}));
    }
}

/// The document as it is written and served.
pub fn text(document: &Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// The operations that need no token, one per line, sorted.
pub fn public(document: &Value) -> String {
    let mut lines = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let secured = operation
                .get("security")
                .and_then(Value::as_array)
                .is_some_and(|s| s.iter().any(|s| s.get("oauth2").is_some()));
            if !secured {
                lines.push(format!("{} {path}\n", method.to_uppercase()));
            }
        }
    }
    lines.sort();
    lines.concat()
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}
