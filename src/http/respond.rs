//! Answers that succeed: status, entity tag, location, link, preference.

use actix_web::http::Method;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;
use utoipa::ToSchema;

use super::etag::{etag, if_none_match};
use super::problem::Problem;
use super::query::Params;
use super::select::Selection;
use crate::kernel::ids::EntryId;

/// 201 with `Location` and `ETag`; a replay answers the same status and says so.
pub fn created<V: Serialize>(
    req: &HttpRequest,
    location: &str,
    version: i64,
    view: &str,
    body: &V,
    replayed: bool,
) -> HttpResponse {
    let mut response = HttpResponse::Created();
    response.insert_header((header::LOCATION, location)).insert_header((header::ETAG, etag(version, view)));
    finish(req, response, body, replayed)
}

/// 200 of a write that is not a create.
pub fn done<V: Serialize>(req: &HttpRequest, version: i64, view: &str, body: &V, replayed: bool) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.insert_header((header::ETAG, etag(version, view)));
    finish(req, response, body, replayed)
}

/// 202 of a job that will be done, with `Location` and when to ask for it.
pub fn accepted<V: Serialize>(location: &str, version: i64, view: &str, body: &V, replayed: bool) -> HttpResponse {
    let mut response = HttpResponse::Accepted();
    response
        .insert_header((header::LOCATION, location))
        .insert_header((header::ETAG, etag(version, view)))
        .insert_header((header::RETRY_AFTER, "5"));
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    response.json(body)
}

fn finish<V: Serialize>(req: &HttpRequest, mut response: HttpResponseBuilder, body: &V, replayed: bool) -> HttpResponse {
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    match preference(req) {
        Some("minimal") => {
            response.insert_header(("Preference-Applied", "return=minimal"));
            let mut response = response.finish();
            // A create still says 201 and where; any other write has nothing left to say.
            if response.status() == StatusCode::OK {
                *response.status_mut() = StatusCode::NO_CONTENT;
            }
            response
        }
        Some(_) => {
            response.insert_header(("Preference-Applied", "return=representation"));
            response.json(body)
        }
        None => response.json(body),
    }
}

/// What a write is asked to answer (RFC 7240 §4.2).
fn preference(req: &HttpRequest) -> Option<&'static str> {
    let wanted = req.headers().get("prefer")?.to_str().ok()?;
    wanted.split(',').find_map(|p| match p.trim() {
        "return=minimal" => Some("minimal"),
        "return=representation" => Some("representation"),
        _ => None,
    })
}

/// 200 of a read or an amendment; 304 if the caller of a GET has this representation already.
pub fn ok<V: Serialize + ToSchema>(
    req: &HttpRequest,
    version: i64,
    view: &str,
    audit: Option<EntryId>,
    body: &V,
) -> HttpResponse {
    let tag = etag(version, view);
    let read = req.method() == Method::GET;
    let had = if read { if_none_match(req.headers(), &tag) } else { None };
    let fresh = had.is_some();
    let mut response = HttpResponse::build(if fresh { StatusCode::NOT_MODIFIED } else { StatusCode::OK });
    response.insert_header((header::ETAG, had.unwrap_or(tag)));
    audited(&mut response, audit);
    if fresh {
        return response.finish();
    }
    if read { selected(req, response, body) } else { finish(req, response, body, false) }
}

/// The body, or what `fields=` selects of it.
fn selected<V: Serialize + ToSchema>(req: &HttpRequest, mut response: HttpResponseBuilder, body: &V) -> HttpResponse {
    match Selection::of(req.query_string(), &V::name()) {
        Err(error) => actix_web::ResponseError::error_response(&Problem(error)),
        Ok(None) => response.json(body),
        Ok(Some(selection)) => match serde_json::to_value(body) {
            Ok(value) => response.json(selection.apply(value)),
            Err(e) => actix_web::ResponseError::error_response(&Problem(crate::kernel::Error::internal(e))),
        },
    }
}

fn audited(response: &mut HttpResponseBuilder, audit: Option<EntryId>) {
    if let Some(id) = audit {
        response.insert_header(("Audit-Event-Id", id.to_string()));
    }
}

/// 200 of a page, with `Link: rel=next` when there is one.
pub fn page<V: Serialize + ToSchema>(
    req: &HttpRequest,
    params: &Params,
    audit: Option<EntryId>,
    next: Option<String>,
    body: &V,
) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if let Some(next) = next
        && let Ok(link) = HeaderValue::from_str(&format!("<{}?{}>; rel=\"next\"", req.path(), params.with_cursor(&next)))
    {
        response.insert_header((header::LINK, link));
    }
    audited(&mut response, audit);
    selected(req, response, body)
}

/// 200 of what has no version of its own and was recorded.
pub fn audited_plain<V: Serialize + ToSchema>(req: &HttpRequest, audit: EntryId, body: &V) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    audited(&mut response, Some(audit));
    selected(req, response, body)
}

/// 200 of a write that has no version of its own.
pub fn answered<V: Serialize>(req: &HttpRequest, body: &V, replayed: bool) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    if replayed {
        response.insert_header(("Idempotency-Replayed", "true"));
    }
    match preference(req) {
        Some("minimal") => response.insert_header(("Preference-Applied", "return=minimal")).finish(),
        _ => response.json(body),
    }
}

/// 200 of what has no version.
pub fn plain<V: Serialize + ToSchema>(req: &HttpRequest, body: &V) -> HttpResponse {
    selected(req, HttpResponse::Ok(), body)
}
