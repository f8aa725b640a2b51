//! The contract: what utoipa collected from the handlers, completed with what every operation shares.

use serde_json::{Map, Value, json};
use utoipa::openapi::OpenApi;

use super::{classes, codes};
use crate::auth::Purpose;
use crate::auth::policy::{PERMISSIONS, SCOPES};

/// Statuses that every operation can answer.
const ALWAYS: &[u16] = &[400, 404, 405, 408, 431, 500, 503];

/// An example of every answer that its handler does not bring itself, by the name of its schema. Synthetic.
const EXAMPLES: &str = include_str!("examples.json");

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
                {"name": "deconfliction", "description": "Whether another agency knows a person: yes or no"},
                {"name": "charges", "description": "One accused, one offence"},
                {"name": "deadlines", "description": "Legal time limits that run"},
                {"name": "referrals", "description": "Communications between authorities"},
                {"name": "corrections", "description": "What another agency says is wrong in a record, and what its owner decides"},
                {"name": "batch", "description": "Several writes as one"},
                {"name": "measures", "description": "Coercive and protective measures, and those that end soon"},
                {"name": "proceedings", "description": "Hearings and decisions"},
                {"name": "notes", "description": "Notes on a case, internal or shared"},
                {"name": "break-glass", "description": "Looks at cases that were not shared, in emergencies, and their reviews"},
                {"name": "keeping", "description": "What must be kept and who is forgotten: legal holds, erasures, retention"},
                {"name": "assistance", "description": "The help that victims need and get: needs, plans, services, costs"},
                {"name": "reunifications", "description": "Victims and the relatives who join them: visas, tickets, escorts"},
                {"name": "campaigns", "description": "Campaigns of prevention: slogans, venues, phases, reach"},
                {"name": "trainings", "description": "Trainings of professionals, counted and never named"},
                {"name": "fundings", "description": "Who gave how much, and what it paid for"},
                {"name": "jobs", "description": "Imports, exports and how far they are"},
                {"name": "agencies", "description": "Directory of authorities and services"},
                {"name": "statistics", "description": "Exact figures over what the caller may see, and the releases that everybody may read"},
                {"name": "audit", "description": "The record of everything that happened, and the proofs that nobody changed it"},
                {"name": "events", "description": "What changes, as a feed to follow"},
                {"name": "webhooks", "description": "What changes, brought to an endpoint of the partner's"},
                {"name": "catalogues", "description": "The law as dated data: offences, code lists, procedure, places"},
                {"name": "oauth", "description": "Tokens"},
                {"name": "operations", "description": "Health and reference"}
            ]),
        );
        let components = root.entry("components").or_insert_with(|| json!({}));
        if let Some(components) = components.as_object_mut() {
            complete_components(components);
        }
        let whole = Value::Object(root.clone());
        let examples = serde_json::from_str(EXAMPLES).unwrap_or_default();
        if let Some(paths) = root.get_mut("paths").and_then(Value::as_object_mut) {
            for (path, item) in paths.iter_mut() {
                for (method, operation) in item.as_object_mut().into_iter().flatten() {
                    if let Some(operation) = operation.as_object_mut() {
                        complete(path, method, operation, &whole, &examples);
                    }
                }
            }
        }
    }
    document
}

fn complete_components(components: &mut Map<String, Value>) {
    if let Some(schemas) = components.get_mut("schemas").and_then(Value::as_object_mut) {
        classes::write(schemas);
    }
    let scopes: Map<String, Value> = SCOPES.iter().map(|(name, about)| ((*name).to_owned(), json!(about))).collect();
    components.insert(
        "securitySchemes".into(),
        json!({
            "oauth2": {
                "type": "oauth2",
                "description": "OAuth 2.0 client credentials with private_key_jwt; access tokens are RFC 9068 JWTs checked as RFC8725 says. A token that was taken with a DPoP proof (RFC 9449, `token_type: DPoP`) is sent as `Authorization: DPoP`, with a proof of its own in the header `DPoP` for every request; sent as a bearer token it is refused",
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
            "Fields": {
                "name": "fields", "in": "query", "required": false,
                "description": "At most 30 paths of the answer (of each item, for a list), comma-separated: `title,legal_act.number`. `id`, `version` and `redacted` always come along",
                "schema": {"type": "string", "minLength": 1, "maxLength": 2000}
            },
            "Prefer": {
                "name": "Prefer", "in": "header", "required": false,
                "description": "`return=minimal` for no body, `return=representation` (default) for the record",
                "schema": {"type": "string", "maxLength": 200}
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
            "ETag": {"description": "Version and view of the record", "schema": {"type": "string", "maxLength": 40}},
            "Location": {"description": "Where the new record is", "schema": {"type": "string", "format": "uri-reference", "maxLength": 400}},
            "Link": {"description": "`rel=\"next\"` where another page follows", "schema": {"type": "string", "maxLength": 9000}},
            "AuditEventId": {"description": "Entry of the access record", "schema": {"type": "string", "format": "uuid", "maxLength": 36}},
            "RetryAfter": {"description": "Seconds to wait", "schema": {"type": "integer", "format": "int32", "minimum": 0, "maximum": 86400}}
        }),
    );
    let mut responses = Map::new();
    let mut statuses: Vec<u16> = codes::ALL.iter().map(|k| k.status).collect();
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

fn complete(path: &str, method: &str, operation: &mut Map<String, Value>, whole: &Value, examples: &Value) {
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
    // Searches are reads whose question is personal: it stands in the body.
    let search = path.ends_with("/search") || path == "/v1/deconfliction";
    let post = method == "post" && !oauth && !search;
    // Transitions change a record that the caller has seen; agencies of participations have no version of their own.
    let versioned = method == "patch" || (post && path.ends_with("/transitions"));
    let mut statuses: Vec<u16> = ALWAYS.to_vec();
    if secured {
        statuses.extend([401, 403, 406, 429]);
        operation.insert("security".into(), json!([{"oauth2": scope.clone().unwrap_or_default()}]));
    }
    if body {
        statuses.extend([409, 413, 415, 422]);
    }
    if oauth && method == "post" {
        statuses.retain(|s| *s != 400);
        statuses.extend([413, 429]);
    }
    if post {
        statuses.extend([409, 422]);
    }
    if versioned {
        statuses.extend([412, 428]);
    }
    // An operation of a batch answers what it answers alone.
    if path == "/v1/batch" {
        statuses.extend([412, 428]);
    }
    // The doors of what lies under a person's key.
    let of_person = ["/v1/victims/", "/v1/accused/"].iter().any(|p| path.starts_with(p));
    let keeping = method == "post" && ["/v1/erasures", "/v1/legal-holds"].contains(&path);
    if path == "/v1/batch"
        || path == "/v1/corrections/{correction_id}/transitions"
        || path.ends_with("/identity")
        || path.contains("/files/")
        || (method == "patch" && of_person)
        || (versioned && of_person)
        || keeping
        || path == "/v1/retention-reviews/{retention_review_id}/transitions"
    {
        statuses.push(410);
    }
    if path.ends_with("/certificate") {
        statuses.push(409);
    }
    if path.starts_with("/v1/open-data") {
        statuses.push(429);
    }
    if path == "/v1/events" || path.ends_with("/redeliveries") {
        statuses.push(410);
    }
    let read = method == "get" && secured;
    let answer = operation
        .get("responses")
        .and_then(|r| r.get("200").or_else(|| r.get("201")).or_else(|| r.get("202")))
        .and_then(schema_of)
        .cloned();
    let has_version = answer.as_ref().is_some_and(|schema| has(whole, schema, "version"));
    let asked = operation.get("requestBody").and_then(schema_of).cloned();
    let class = [&answer, &asked].into_iter().flatten().map(|s| classes::highest(whole, s)).max().unwrap_or("P0");
    operation.insert("x-data-class".into(), json!(class));
    let named = scope.iter().flatten().next().map_or("", String::as_str);
    let purposes = PERMISSIONS.iter().find(|(s, ..)| *s == named && secured).and_then(|(_, purposes, _)| *purposes);
    let purposes: Vec<&str> = purposes.unwrap_or(&Purpose::ALL).iter().map(|p| p.as_str()).collect();
    operation.insert("x-purposes".into(), json!(if secured { purposes } else { Vec::new() }));
    let rate = match method {
        _ if path == "/oauth/introspect" => "read",
        _ if path == "/oauth/revoke" => "write",
        _ if oauth => "token",
        _ if !secured => "none",
        "get" => "read",
        _ if search => "search",
        _ => "write",
    };
    operation.insert("x-rate-class".into(), json!(rate));
    // Looks at the directory, at what may happen and at what did (without values) show nobody.
    let shows_nobody = [
        "/v1/agencies",
        "/v1/campaigns",
        "/v1/trainings",
        "/v1/fundings",
        "/v1/catalogues",
        "/v1/audit/checkpoints",
        "/v1/audit/consistency",
        "/v1/statistics",
        "/v1/webhooks",
    ]
    .iter()
    .any(|p| path.starts_with(p) && path != "/v1/statistics/programmes")
        || path.starts_with("/v1/jobs") && !path.contains("/files/")
        || ["/proof", "/history", "/transitions", "/available"].iter().any(|p| path.ends_with(p));
    let audit = match method {
        _ if path == "/oauth/revoke" => "change",
        _ if !secured => "none",
        "get" if shows_nobody => "none",
        "get" => "read",
        _ if path.ends_with("/search") => "read",
        _ => "change",
    };
    operation.insert("x-audit".into(), json!(audit));
    if oauth {
        operation.insert("x-required-scopes".into(), json!([]));
        operation.insert("x-idempotency".into(), json!("none"));
        operation.insert("x-concurrency".into(), json!("none"));
    } else {
        operation.insert("x-required-scopes".into(), json!(scope.clone().unwrap_or_default()));
        operation.insert("x-idempotency".into(), json!(if post { "key" } else { "natural" }));
        operation.insert("x-concurrency".into(), json!(if versioned { "if-match" } else { "none" }));
    }
    operation.insert("x-stability".into(), json!("beta"));
    let about =
        operation.get("description").or_else(|| operation.get("summary")).and_then(Value::as_str).unwrap_or_default();
    let about = about.trim_end_matches('.');
    let about = match scope.iter().flatten().next() {
        Some(needed) => format!("{about}. Needs the scope `{needed}`."),
        None if secured => format!("{about}. Any valid token will do."),
        None => format!("{about}."),
    };
    operation.insert("description".into(), json!(about));
    if let Some(responses) = operation.entry("responses").or_insert_with(|| json!({})).as_object_mut() {
        for response in responses.values_mut().filter_map(Value::as_object_mut) {
            let headers = response.entry("headers").or_insert_with(|| json!({}));
            put(headers, "Request-Id", json!({"$ref": "#/components/headers/RequestId"}));
            if secured {
                put(headers, "RateLimit", json!({"$ref": "#/components/headers/RateLimit"}));
                put(headers, "RateLimit-Policy", json!({"$ref": "#/components/headers/RateLimitPolicy"}));
            }
            if secured && has_version || ["/v1/catalogues", "/v1/open-data"].iter().any(|p| path.starts_with(p)) {
                put(headers, "ETag", json!({"$ref": "#/components/headers/ETag"}));
            }
            if audit == "read" || audit == "change" && secured {
                put(headers, "Audit-Event-Id", json!({"$ref": "#/components/headers/AuditEventId"}));
            }
            example(response, whole, examples);
        }
        for made in ["201", "202"] {
            if let Some(headers) = responses.get_mut(made).and_then(|r| r.get_mut("headers")) {
                put(headers, "Location", json!({"$ref": "#/components/headers/Location"}));
                if made == "202" {
                    put(headers, "Retry-After", json!({"$ref": "#/components/headers/RetryAfter"}));
                }
            }
        }
        let paged = read && answer.as_ref().is_some_and(|s| has(whole, s, "next_cursor"));
        if let Some(headers) = responses.get_mut("200").filter(|_| paged).and_then(|page| page.get_mut("headers")) {
            put(headers, "Link", json!({"$ref": "#/components/headers/Link"}));
        }
        let bare = |about: &str| {
            json!({"description": about, "headers": {
            "Request-Id": {"$ref": "#/components/headers/RequestId"}, "ETag": {"$ref": "#/components/headers/ETag"}}})
        };
        if read && has_version {
            responses.insert("304".into(), bare("The caller has this representation already (`If-None-Match`)"));
        }
        if versioned {
            responses.insert("204".into(), bare("Done, with `Prefer: return=minimal`"));
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
        if read {
            parameters.push(json!({"$ref": "#/components/parameters/Fields"}));
        } else if secured {
            parameters.push(json!({"$ref": "#/components/parameters/Prefer"}));
        }
        parameters.push(json!({"$ref": "#/components/parameters/AcceptLanguage"}));
    }
}

/// The schema of the (one) content of a request body or an answer.
fn schema_of(holder: &Value) -> Option<&Value> {
    holder.get("content")?.as_object()?.values().next()?.get("schema")
}

/// Whether a schema has a property, itself or in a part that it is composed of.
fn has(whole: &Value, schema: &Value, property: &str) -> bool {
    if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
        return target.strip_prefix('#').and_then(|t| whole.pointer(t)).is_some_and(|found| has(whole, found, property));
    }
    schema.get("properties").is_some_and(|p| p.get(property).is_some())
        || schema.get("allOf").and_then(Value::as_array).into_iter().flatten().any(|part| has(whole, part, property))
}

/// The example that a handler brings for an answer of this schema.
fn brought<'d>(whole: &'d Value, schema: &str) -> Option<&'d Value> {
    let target = format!("#/components/schemas/{schema}");
    let operations = whole.get("paths")?.as_object()?.values().filter_map(Value::as_object).flat_map(Map::values);
    let answers = operations.filter_map(|o| o.get("responses")?.as_object()).flat_map(Map::values);
    let mut contents = answers.filter_map(|a| a.get("content")?.get("application/json"));
    contents
        .find(|c| c.get("example").is_some() && c.get("schema").and_then(|s| s.get("$ref")) == Some(&json!(target)))
        .and_then(|c| c.get("example"))
        .or_else(|| whole.get("components")?.get("schemas")?.get(schema)?.get("example"))
}

/// Gives an answer the example of its schema, or a page one of its items.
fn example(response: &mut Map<String, Value>, whole: &Value, examples: &Value) {
    let Some(content) = response.get_mut("content").and_then(|c| c.get_mut("application/json")) else { return };
    if content.get("example").is_some() || content.get("examples").is_some() {
        return;
    }
    let name = |schema: &Value| {
        let target = schema.get("$ref").and_then(Value::as_str)?;
        target.rsplit('/').next().map(str::to_owned)
    };
    let Some(schema) = content.get("schema").and_then(name) else { return };
    let item = whole.pointer(&format!("/components/schemas/{schema}/properties/items/items")).and_then(name);
    // A page and nothing more: a list that says more than its items brings its own example.
    let required = whole.pointer(&format!("/components/schemas/{schema}/required")).and_then(Value::as_array);
    let paged = required.is_some_and(|r| r.iter().all(|name| name == "items" || name == "next_cursor"));
    let found = examples.get(&schema).cloned().or_else(|| {
        let item = item.filter(|_| paged)?;
        let one = examples.get(&item).or_else(|| brought(whole, &item))?;
        Some(json!({"items": [one], "next_cursor": null}))
    });
    if let Some(found) = found {
        put(content, "example", found);
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
