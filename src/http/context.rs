//! The outermost layer: request id, time limit, panics, problem bodies, headers, the access line, metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{HttpMessage, HttpResponse, web};
use futures_util::FutureExt;

use super::cors::Cors;
use super::lang::Lang;
use super::limits::LimitState;
use super::metrics::Metrics;
use super::problem::{rechallenge, render};
use crate::config::AccessLogFormat;
use crate::kernel::error::{Error, Unavailable};
use crate::kernel::ids::EntryId;
use crate::kernel::trail::Trail;
use crate::kernel::{Bucket, Timestamp};

/// What is known of a request before anything else.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The request's id.
    pub id: uuid::Uuid,
    /// The caller's language.
    pub lang: Lang,
    /// The method as it was sent: a HEAD is routed as a GET.
    pub method: Method,
}

/// The caller presents a token that is bound to a key, or a proof of one. Set by who looks at credentials.
#[derive(Clone, Debug)]
pub struct Bound {
    /// The nonce that the next proof must carry, where the settings ask for one.
    pub nonce: Option<String>,
}

/// Who called, for the access line. Set by the guard.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Partner system.
    pub client: String,
    /// Agency.
    pub agency: String,
}

/// What the layer needs of the settings.
pub struct Edge {
    /// Longest request.
    pub timeout: Duration,
    /// Base URL of the problem pages.
    pub base: String,
    /// Form of the access line.
    pub access_log: AccessLogFormat,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whose pages may read answers.
    pub cors: Cors,
}

/// Longest target of a request, bytes.
const LONGEST_TARGET: usize = 8_192;
/// Largest head of a request, bytes.
const LARGEST_HEAD: usize = 16_384;

/// Version of the contract.
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The layer.
pub async fn layer(mut req: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let edge = req.app_data::<web::Data<Edge>>().cloned();
    let method = req.method().clone();
    let context = RequestContext {
        id: EntryId::generate(Timestamp::now(), Bucket::random()).uuid(),
        lang: Lang::of(req.headers()),
        method: method.clone(),
    };
    req.extensions_mut().insert(context.clone());
    // A HEAD is routed as the GET that it mirrors; the body is cut at the end.
    let head = method == Method::HEAD;
    if head {
        req.head_mut().method = Method::GET;
    }
    let (client_request_id, traceparent) = (client_request_id(req.headers()), traceparent(req.headers()));
    let cors = edge.as_ref().map(|e| e.cors.headers(&method, req.path(), req.headers())).unwrap_or_default();
    let varies = edge.as_ref().is_some_and(|e| e.cors.varies());
    // Tokens and compression do not go together.
    let squeeze = super::squeeze::accepted(req.headers()) && !req.path().starts_with("/oauth/");
    let oversized = oversized(&req);
    let timeout = edge.as_ref().map_or(Duration::from_secs(20), |e| e.timeout);
    // A file of many megabytes takes its time on a thin line.
    let timeout = if req.path() == super::guard::IMPORTS { timeout * 15 } else { timeout };
    let base = edge.as_ref().map_or(String::new(), |e| e.base.clone());
    if oversized {
        count(edge.as_ref().map(|e| e.as_ref()), "oversized", &method, 431, started);
        return Err(Bare { error: Error::HeadTooLarge, context, base, head, cors }.into());
    }
    let called = std::panic::AssertUnwindSafe(next.call(req)).catch_unwind();
    let mut response = match tokio::time::timeout(timeout, called).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => {
            // Errors of the framework itself (a payload that breaks off) have no kernel error inside.
            return Err(Bare { error: kernel_error(&error), context, base, head, cors }.into());
        }
        Ok(Err(_)) => {
            log::error!(target: "sistra::http", "a handler panicked; request {}", context.id);
            count(edge.as_ref().map(|e| e.as_ref()), "panic", &method, 500, started);
            return Err(Bare { error: Error::internal("panic"), context, base, head, cors }.into());
        }
        Err(_) => {
            count(edge.as_ref().map(|e| e.as_ref()), "timeout", &method, 503, started);
            return Err(Bare { error: Error::Unavailable(Unavailable::Timeout), context, base, head, cors }.into());
        }
    };
    let error = response.response().extensions().get::<Error>().cloned();
    // An extractor of the framework refused: its words are not ours.
    let error = error.or_else(|| response.response().error().map(kernel_error));
    if let Some(error) = &error {
        if let Error::Internal(what) = error {
            log::error!(target: "sistra::http", "internal error, request {}: {what}", context.id);
        }
        if let Error::InvalidToken(why) | Error::InvalidDpopProof(why) = error {
            log::info!(target: "sistra::auth", "token refused, request {}: {why}", context.id);
        }
        let status = StatusCode::from_u16(super::codes::kind(error).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let problem = problem_response(error, &context, &base, status);
        let (request, old) = response.into_parts();
        let mut problem = problem;
        for (name, value) in old.headers() {
            if *name != header::CONTENT_TYPE && *name != header::CONTENT_LENGTH && !problem.headers().contains_key(name) {
                problem.headers_mut().insert(name.clone(), value.clone());
            }
        }
        response = ServiceResponse::new(request, problem);
    }
    let limits = response.request().extensions().get::<LimitState>().cloned();
    let seen = response.request().extensions().get::<Seen>().cloned();
    let secured = seen.is_some() || error.as_ref().is_some_and(|e| super::codes::kind(e).status == 401);
    finish_headers(response.headers_mut(), &context, limits.as_ref(), secured, varies);
    let bound = response.request().extensions().get::<Bound>().cloned();
    if let Some(bound) = bound {
        bound_headers(response.headers_mut(), &bound);
    }
    let wrote = response.request().extensions().get::<Trail>().and_then(Trail::entry);
    if let Some(entry) = wrote.filter(|_| response.status().is_success())
        && let Ok(value) = HeaderValue::from_str(&entry.to_string())
        && !response.headers().contains_key("audit-event-id")
    {
        response.headers_mut().insert(HeaderName::from_static("audit-event-id"), value);
    }
    for (name, value) in cors {
        response.headers_mut().insert(name, value);
    }
    if squeeze {
        response = super::squeeze::gzip(response);
    }
    let bytes = match response.response().body().size() {
        BodySize::Sized(n) => n,
        BodySize::None | BodySize::Stream => 0,
    };
    if head {
        response = cut_body(response, bytes);
    }
    let status = response.status().as_u16();
    let template = response.request().match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    count(edge.as_ref().map(|e| e.as_ref()), &template, &method, status, started);
    if let Some(edge) = &edge {
        let line = Line {
            method: &method,
            template: &template,
            status,
            ms: started.elapsed().as_millis(),
            bytes,
            context: &context,
            client_request_id: client_request_id.as_deref(),
            traceparent: traceparent.as_deref(),
            seen: seen.as_ref(),
        };
        line.write(edge.access_log);
    }
    Ok(response)
}

/// The kernel error of a framework error.
pub fn kernel_error(error: &actix_web::Error) -> Error {
    if let Some(problem) = error.as_error::<super::problem::Problem>() {
        return problem.0.clone();
    }
    match error.as_response_error().status_code() {
        StatusCode::PAYLOAD_TOO_LARGE => Error::ContentTooLarge,
        StatusCode::REQUEST_TIMEOUT => Error::RequestTimeout,
        status if status.is_client_error() => Error::InvalidRequest,
        _ => Error::internal("framework error"),
    }
}

fn count(edge: Option<&Edge>, template: &str, method: &Method, status: u16, started: Instant) {
    if let Some(edge) = edge {
        edge.metrics.request(template, method.as_str(), status, started.elapsed());
    }
}

/// `Client-Request-Id`, if it is at most 64 printable ASCII characters.
fn client_request_id(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("client-request-id")?.to_str().ok()?;
    let plain =
        (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    plain.then(|| text.to_owned())
}

/// `traceparent` (W3C Trace Context, version 00), if it is well-formed.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    let text = headers.get("traceparent")?.to_str().ok()?;
    let parts: Vec<&str> = text.split('-').collect();
    let hex = |part: &&str, n: usize| part.len() == n && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let zero = |part: &&str| part.bytes().all(|b| b == b'0');
    let [version, trace, parent, flags] = parts.as_slice() else { return None };
    let shape = *version == "00" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    (shape && !zero(trace) && !zero(parent)).then(|| text.to_owned())
}

/// Whether the request line or the head as a whole is longer than anything that a client of ours sends.
fn oversized(req: &ServiceRequest) -> bool {
    let target = req.uri().path_and_query().map_or(0, |t| t.as_str().len());
    let headers: usize = req.headers().iter().map(|(n, v)| n.as_str().len() + v.len() + 4).sum();
    target > LONGEST_TARGET || target + headers > LARGEST_HEAD
}

fn problem_response(error: &Error, context: &RequestContext, base: &str, status: StatusCode) -> HttpResponse<BoxBody> {
    let (body, headers) = render(error, context.lang, context.id, base);
    let mut response = HttpResponse::build(status);
    for header in headers {
        response.insert_header(header);
    }
    response.insert_header((header::CONTENT_TYPE, "application/problem+json"));
    response.insert_header((header::CONTENT_LANGUAGE, context.lang.code()));
    response.body(serde_json::to_vec(&body).unwrap_or_default())
}

fn finish_headers(
    headers: &mut HeaderMap,
    context: &RequestContext,
    limits: Option<&LimitState>,
    secured: bool,
    by_origin: bool,
) {
    let open = headers.get(header::VARY).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("request-id", &context.id.to_string());
    set("api-version", API_VERSION);
    set("strict-transport-security", "max-age=63072000; includeSubDomains");
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "no-referrer");
    set("cross-origin-resource-policy", "same-origin");
    if let Some(LimitState { policy, state }) = limits {
        set("ratelimit-policy", policy);
        set("ratelimit", state);
    }
    // Open data come in more than one form, and in no language.
    let vary = match (secured, open.as_deref()) {
        (true, _) => "Authorization, Accept, Accept-Language, Accept-Encoding",
        (false, Some(own)) => own,
        (false, None) => "Accept-Language, Accept-Encoding",
    };
    set("vary", &if by_origin { format!("{vary}, Origin") } else { vary.to_owned() });
    // The pages of /docs bring their own policies; everything else is data that no browser runs or keeps.
    for (name, value) in
        [("content-security-policy", "default-src 'none'; frame-ancestors 'none'"), ("cache-control", "no-store")]
    {
        if !headers.contains_key(name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
    }
}

/// What a caller with a key is told beside the rest.
fn bound_headers(headers: &mut HeaderMap, bound: &Bound) {
    let challenge = headers.get(header::WWW_AUTHENTICATE).and_then(|v| v.to_str().ok()).and_then(rechallenge);
    if let Some(value) = challenge.and_then(|c| HeaderValue::from_str(&c).ok()) {
        headers.insert(header::WWW_AUTHENTICATE, value);
    }
    if let Some(value) = bound.nonce.as_deref().and_then(|n| HeaderValue::from_str(n).ok()) {
        headers.insert(HeaderName::from_static("dpop-nonce"), value);
    }
    let vary = headers.get(header::VARY).and_then(|v| v.to_str().ok()).map(|v| format!("DPoP, {v}"));
    if let Some(value) = vary.and_then(|v| HeaderValue::from_str(&v).ok()) {
        headers.insert(header::VARY, value);
    }
}

fn cut_body(response: ServiceResponse<BoxBody>, bytes: u64) -> ServiceResponse<BoxBody> {
    response.map_body(|_, _| BoxBody::new(Headless(bytes)))
}

/// A body of known length without bytes: what a HEAD answers.
struct Headless(u64);

impl MessageBody for Headless {
    type Error = std::convert::Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0)
    }

    fn poll_next(
        self: std::pin::Pin<&mut Self>,
        _cx: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<web::Bytes, Self::Error>>> {
        std::task::Poll::Ready(None)
    }
}

/// An answer made when the request itself is gone (a panic, a timeout): written whole, here.
#[derive(Debug)]
struct Bare {
    error: Error,
    context: RequestContext,
    base: String,
    head: bool,
    cors: Vec<(HeaderName, HeaderValue)>,
}

impl std::fmt::Display for Bare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(super::codes::kind(&self.error).code)
    }
}

impl actix_web::ResponseError for Bare {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(super::codes::kind(&self.error).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = problem_response(&self.error, &self.context, &self.base, self.status_code());
        finish_headers(response.headers_mut(), &self.context, None, false, !self.cors.is_empty());
        for (name, value) in &self.cors {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        if self.head { response.map_body(|_, _| BoxBody::new(())) } else { response }
    }
}

struct Line<'r> {
    method: &'r Method,
    template: &'r str,
    status: u16,
    ms: u128,
    bytes: u64,
    context: &'r RequestContext,
    client_request_id: Option<&'r str>,
    traceparent: Option<&'r str>,
    seen: Option<&'r Seen>,
}

/// The line as JSON.
#[derive(serde::Serialize)]
struct JsonLine<'r> {
    at: Timestamp,
    method: &'r str,
    route: &'r str,
    status: u16,
    duration_ms: u64,
    bytes: u64,
    request_id: uuid::Uuid,
    client_request_id: Option<&'r str>,
    traceparent: Option<&'r str>,
    client_id: Option<&'r str>,
    agency: Option<&'r str>,
}

impl Line<'_> {
    /// Route template, never the path: ids and query strings stay out of the log.
    fn write(&self, format: AccessLogFormat) {
        let Self { method, template, status, ms, bytes, context, client_request_id, traceparent, seen } = self;
        let client = seen.map(|s| s.client.as_str());
        let agency = seen.map(|s| s.agency.as_str());
        match format {
            AccessLogFormat::Off => {}
            AccessLogFormat::Json => {
                let line = JsonLine {
                    at: Timestamp::now(),
                    method: method.as_str(),
                    route: template,
                    status: *status,
                    duration_ms: u64::try_from(*ms).unwrap_or(u64::MAX),
                    bytes: *bytes,
                    request_id: context.id,
                    client_request_id: *client_request_id,
                    traceparent: *traceparent,
                    client_id: client,
                    agency,
                };
                log::info!(target: "sistra::access", "{}", serde_json::to_string(&line).unwrap_or_default());
            }
            AccessLogFormat::Text => log::info!(
                target: "sistra::access",
                "{method} {template} {status} {ms}ms {bytes}B {} client={} agency={}",
                context.id, client.unwrap_or("-"), agency.unwrap_or("-"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        headers
    }

    #[test]
    fn what_a_caller_wants_logged_is_logged_if_it_is_well_formed() {
        let id = |v: &str| client_request_id(&headers("client-request-id", v));
        assert_eq!(id("a-B_1.2").as_deref(), Some("a-B_1.2"));
        for bad in ["a b", "a\"b", "x\ty", &"x".repeat(65), ""] {
            assert_eq!(id(bad), None, "{bad}");
        }
        let trace = |v: &str| traceparent(&headers("traceparent", v)).is_some();
        assert!(trace("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"));
        for bad in [
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "x",
        ] {
            assert!(!trace(bad), "{bad}");
        }
    }
}
