//! Errors as RFC 9457 problems. The one place where `kernel::Error` becomes HTTP.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes;
use super::lang::Lang;
use crate::kernel::error::{Error, Fault, Location};

/// A kernel error on its way out. The outermost middleware writes the body, when language and request id are known.
#[derive(Debug)]
pub struct Problem(pub Error);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(codes::kind(&self.0).code)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(codes::kind(&self.0).status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(self.0.clone());
        response
    }
}

/// Why a request failed (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// URI of the kind of problem.
    #[serde(rename = "type")]
    #[schema(format = "uri", max_length = 400)]
    pub kind: String,
    /// Title, in the caller's language.
    #[schema(max_length = 200)]
    pub title: String,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// `urn:uuid:` and the request's id.
    #[schema(max_length = 60)]
    pub instance: String,
    /// Machine code.
    #[schema(max_length = 60)]
    pub code: &'static str,
    /// The request's id.
    #[schema(max_length = 36)]
    pub request_id: String,
    /// Every fault, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 100)]
    pub errors: Vec<FaultBody>,
    /// Scopes that would do (`insufficient_scope`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, max_items = 20)]
    pub required_scopes: Option<Vec<&'static str>>,
    /// The version now (`precondition_failed`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub current_version: Option<i64>,
    /// Codes of the guards that failed (`state_conflict`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 50)]
    pub failed_guards: Vec<String>,
    /// The rule (`rule_violated`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, max_length = 60)]
    pub rule: Option<&'static str>,
    /// Names of the quotas that are used up (`quota_exceeded`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 10)]
    pub violated_policies: Vec<&'static str>,
}

/// One fault of a request.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ProblemFault)]
pub struct FaultBody {
    /// JSON pointer into the body (`#/charges/0/role`).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, max_length = 400)]
    pub pointer: Option<String>,
    /// Query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, max_length = 100)]
    pub parameter: Option<String>,
    /// Header.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, max_length = 100)]
    pub header: Option<&'static str>,
    /// Machine code.
    #[schema(max_length = 40)]
    pub code: &'static str,
    /// In words.
    #[schema(max_length = 200)]
    pub detail: &'static str,
    /// What would have been right, where the catalogue can say it: an article, a validity (ISO 8601).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false, max_length = 60)]
    pub expected: Option<String>,
}

/// The challenge of a proof of possession (RFC 9449 §7.1).
const DPOP: &str = "DPoP algs=\"ES256 ES384 PS256 EdDSA\"";

/// The same challenge for a caller whose token is, or should be, bound to a key.
pub fn rechallenge(challenge: &str) -> Option<String> {
    let rest = challenge.strip_prefix("Bearer error=")?;
    Some(format!("{DPOP}, error={rest}"))
}

/// Most faults of one answer.
const MOST: usize = 100;

/// The body of a problem, and the headers that go with it.
pub fn render(
    error: &Error,
    lang: Lang,
    request_id: uuid::Uuid,
    base: &str,
) -> (ProblemBody, Vec<(HeaderName, HeaderValue)>) {
    if let Error::InBatch { operation, error } = error {
        let (mut body, headers) = render(error, lang, request_id, base);
        within(&mut body, *operation, codes::kind(error).title(lang));
        return (body, headers);
    }
    let kind = codes::kind(error);
    let mut body = ProblemBody {
        kind: format!("{base}/problems/{}", kind.code),
        title: kind.title(lang).to_owned(),
        status: kind.status,
        instance: format!("urn:uuid:{request_id}"),
        code: kind.code,
        request_id: request_id.to_string(),
        errors: Vec::new(),
        required_scopes: None,
        current_version: None,
        failed_guards: Vec::new(),
        rule: None,
        violated_policies: Vec::new(),
    };
    let mut headers = Vec::new();
    let mut header = |name: HeaderName, value: String| {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.push((name, value));
        }
    };
    match error {
        Error::InvalidParameter(faults)
        | Error::UnknownParameter(faults)
        | Error::FieldForbidden(faults)
        | Error::IdentifierTaken(faults)
        | Error::Validation(faults) => body.errors = faults.iter().take(MOST).map(|f| fault(f, lang)).collect(),
        Error::Rule { rule, faults } => {
            body.rule = Some(rule);
            body.errors = faults.iter().take(MOST).map(|f| fault(f, lang)).collect();
        }
        Error::InvalidHeader(name) => {
            let (code, detail) = codes::fault(crate::kernel::FaultCode::Format, lang);
            body.errors =
                vec![FaultBody { pointer: None, parameter: None, header: Some(name), code, detail, expected: None }];
        }
        Error::InsufficientScope(scope) => {
            body.required_scopes = Some(vec![scope]);
            header(header::WWW_AUTHENTICATE, format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\""));
        }
        Error::AuthenticationRequired => header(header::WWW_AUTHENTICATE, format!("Bearer, {DPOP}")),
        Error::InvalidToken(_) => header(header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\"".to_owned()),
        Error::InvalidDpopProof(_) => header(header::WWW_AUTHENTICATE, format!("{DPOP}, error=\"invalid_dpop_proof\"")),
        Error::UseDpopNonce => header(header::WWW_AUTHENTICATE, format!("{DPOP}, error=\"use_dpop_nonce\"")),
        Error::MethodNotAllowed(methods) => header(header::ALLOW, methods.join(", ")),
        Error::StateConflict(guards) => body.failed_guards = guards.iter().map(ToString::to_string).collect(),
        Error::PreconditionFailed { current_version } => body.current_version = Some(*current_version),
        Error::QuotaExceeded { retry_after_s, policy } => {
            body.violated_policies = vec![policy];
            header(header::RETRY_AFTER, retry_after_s.to_string());
        }
        Error::Unavailable(_) => header(header::RETRY_AFTER, "2".to_owned()),
        Error::IdempotencyInProgress => header(header::RETRY_AFTER, "1".to_owned()),
        Error::InvalidJson
        | Error::InvalidRequest
        | Error::InvalidCursor
        | Error::IdempotencyKeyRequired
        | Error::PurposeNotAllowed
        | Error::ClientSuspended
        | Error::OwnerOnly
        | Error::NotFound
        | Error::Erased
        | Error::FeedTruncated
        | Error::ExportExpired
        | Error::NotAcceptable
        | Error::RequestTimeout
        | Error::ExternalRefTaken
        | Error::PreconditionRequired
        | Error::ContentTooLarge
        | Error::HeadTooLarge
        | Error::UnsupportedMediaType
        | Error::IdempotencyKeyReused
        | Error::InBatch { .. }
        | Error::Internal(_) => {}
    }
    (body, headers)
}

/// The faults of an operation at their places in its batch; one that has none is named as a whole.
fn within(body: &mut ProblemBody, operation: usize, title: &'static str) {
    let at = format!("#/operations/{operation}");
    for fault in &mut body.errors {
        fault.pointer = Some(match fault.pointer.as_deref().and_then(|p| p.strip_prefix('#')) {
            Some(pointer) => format!("{at}/body{pointer}"),
            None => at.clone(),
        });
    }
    if body.errors.is_empty() {
        let (code, detail) = (body.code, title);
        body.errors.push(FaultBody { pointer: Some(at), parameter: None, header: None, code, detail, expected: None });
    }
}

/// One fault as it is shown.
pub fn fault(fault: &Fault, lang: Lang) -> FaultBody {
    let (code, detail) = codes::fault(fault.code, lang);
    let mut body =
        FaultBody { pointer: None, parameter: None, header: None, code, detail, expected: fault.expected.clone() };
    match &fault.at {
        Location::Pointer(pointer) => body.pointer = Some(format!("#{pointer}")),
        Location::Parameter(name) => body.parameter = Some(name.clone()),
        Location::Header(name) => body.header = Some(name),
    }
    body
}
