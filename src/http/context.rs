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

use super::lang::Lang;
use super::limits::LimitState;
use super::metrics::Metrics;
use super::problem::render;
use crate::config::AccessLogFormat;
use crate::kernel::error::{Error, Unavailable};
use crate::kernel::ids::EntryId;
use crate::kernel::{Bucket, Timestamp};

/// What is known of a request before anything else.
#[derive(Clone, Debug)]
pub struct RequestContext {
    /// The request's id.
    pub id: uuid::Uuid,
    /// The caller's language.
    pub lang: Lang,
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
}

/// Version of the contract.
pub const API_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The layer.
pub async fn layer(mut req: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let started = Instant::now();
    let edge = req.app_data::<web::Data<Edge>>().cloned();
    let context =
        RequestContext { id: EntryId::generate(Timestamp::now(), Bucket::random()).uuid(), lang: Lang::of(req.headers()) };
    req.extensions_mut().insert(context.clone());
    let method = req.method().clone();
    // A HEAD is routed as the GET that it mirrors; the body is cut at the end.
    let head = method == Method::HEAD;
    if head {
        req.head_mut().method = Method::GET;
    }
    let client_request_id = client_request_id(req.headers());
    let timeout = edge.as_ref().map_or(Duration::from_secs(20), |e| e.timeout);
    let base = edge.as_ref().map_or(String::new(), |e| e.base.clone());
    let called = std::panic::AssertUnwindSafe(next.call(req)).catch_unwind();
    let mut response = match tokio::time::timeout(timeout, called).await {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(error))) => {
            // Errors of the framework itself (a payload that breaks off) have no kernel error inside.
            return Err(Bare { error: kernel(&error), context, base, head }.into());
        }
        Ok(Err(_)) => {
            log::error!(target: "sistra::http", "a handler panicked; request {}", context.id);
            count(edge.as_ref().map(|e| e.as_ref()), "panic", &method, 500, started);
            return Err(Bare { error: Error::internal("panic"), context, base, head }.into());
        }
        Err(_) => {
            count(edge.as_ref().map(|e| e.as_ref()), "timeout", &method, 503, started);
            return Err(Bare { error: Error::Unavailable(Unavailable::Timeout), context, base, head }.into());
        }
    };
    let error = response.response().extensions().get::<Error>().cloned();
    // An extractor of the framework refused: its words are not ours.
    let error = error.or_else(|| response.response().error().map(kernel));
    if let Some(error) = &error {
        if let Error::Internal(what) = error {
            log::error!(target: "sistra::http", "internal error, request {}: {what}", context.id);
        }
        if let Error::InvalidToken(why) = error {
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
    let secured = seen.is_some() || matches!(error, Some(Error::AuthenticationRequired | Error::InvalidToken(_)));
    finish_headers(response.headers_mut(), &context, limits.as_ref(), secured);
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
            seen: seen.as_ref(),
        };
        line.write(edge.access_log);
    }
    Ok(response)
}

/// The kernel error of a framework error.
fn kernel(error: &actix_web::Error) -> Error {
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
    let plain = text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    plain.then(|| text.to_owned())
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

fn finish_headers(headers: &mut HeaderMap, context: &RequestContext, limits: Option<&LimitState>, secured: bool) {
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
    if secured {
        set("vary", "Authorization, Accept, Accept-Language, Accept-Encoding");
    }
    // The pages of /docs bring their own policies; everything else is data that no browser runs or keeps.
    for (name, value) in
        [("content-security-policy", "default-src 'none'; frame-ancestors 'none'"), ("cache-control", "no-store")]
    {
        if !headers.contains_key(name) {
            headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
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
        finish_headers(response.headers_mut(), &self.context, None, false);
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
    seen: Option<&'r Seen>,
}

impl Line<'_> {
    /// Route template, never the path: ids and query strings stay out of the log.
    fn write(&self, format: AccessLogFormat) {
        let Self { method, template, status, ms, bytes, context, client_request_id, seen } = self;
        let client = seen.map(|s| s.client.as_str());
        let agency = seen.map(|s| s.agency.as_str());
        match format {
            AccessLogFormat::Off => {}
            AccessLogFormat::Json => log::info!(
                target: "sistra::access",
                "{}",
                serde_json::json!({
                    "at": Timestamp::now(), "method": method.as_str(), "route": template, "status": status, "duration_ms": u64::try_from(*ms).unwrap_or(u64::MAX),
                    "bytes": bytes, "request_id": context.id, "client_request_id": client_request_id, "client_id": client, "agency": agency,
                })
            ),
            AccessLogFormat::Text => log::info!(
                target: "sistra::access",
                "{method} {template} {status} {ms}ms {bytes}B {} client={} agency={}",
                context.id, client.unwrap_or("-"), agency.unwrap_or("-"),
            ),
        }
    }
}
