//! Request bodies: read only after the caller is known, strictly, and every fault reported with its pointer.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::{Arc, OnceLock, RwLock};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use actix_web::web::BytesMut;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::StreamExt;
use jsonschema::Validator;
use jsonschema::error::ValidationErrorKind;
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::problem::Problem;
use super::strict;
use crate::auth::policy::Permission;
use crate::http::guard::Allowed;
use crate::kernel::FaultCode;
use crate::kernel::error::{Error, Fault, Result, no_faults};

/// Limits of a body, from the settings.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Most bytes.
    pub bytes: usize,
    /// Longest wait for all of it.
    pub wait: Duration,
}

/// A body that has not been read yet.
pub struct Body<T> {
    req: HttpRequest,
    payload: Payload,
    of: PhantomData<T>,
}

impl<T> FromRequest for Body<T> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { req: req.clone(), payload: payload.take(), of: PhantomData }))
    }
}

/// The contract's schemas, for the second look at a body that failed.
pub struct Schemas {
    document: Value,
    compiled: RwLock<HashMap<String, Option<Arc<Validator>>>>,
}

impl Schemas {
    /// From the contract.
    pub fn new(document: Value) -> Self {
        Self { document, compiled: RwLock::new(HashMap::new()) }
    }

    /// The contract.
    pub fn document(&self) -> &Value {
        &self.document
    }

    fn validator(&self, name: &str) -> Option<Arc<Validator>> {
        if let Ok(compiled) = self.compiled.read()
            && let Some(found) = compiled.get(name)
        {
            return found.clone();
        }
        let schema = serde_json::json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": format!("#/components/schemas/{name}"),
            "components": self.document.get("components")?,
        });
        let validator = jsonschema::draft202012::options().build(&schema).ok().map(Arc::new);
        if validator.is_none() {
            log::error!(target: "sistra::http", "schema {name} of the contract does not compile");
        }
        if let Ok(mut compiled) = self.compiled.write() {
            compiled.insert(name.to_owned(), validator.clone());
        }
        validator
    }
}

/// The schemas of this process: one contract, however many servers a test starts.
pub static SCHEMAS: OnceLock<Schemas> = OnceLock::new();

impl<T: DeserializeOwned + Validate + ToSchema> Body<T> {
    /// Reads the body. Needs a verified caller: strangers learn nothing about bodies.
    ///
    /// Answers the value and a fingerprint of method, path and body, for `Idempotency-Key`.
    pub async fn read<P: Permission>(self, caller: &Allowed<P>) -> Result<(T, String)> {
        self.read_up_to(usize::MAX, caller).await
    }

    /// The same, where the body may have so many bytes at most.
    pub async fn read_up_to<P: Permission>(self, most: usize, caller: &Allowed<P>) -> Result<(T, String)> {
        let Self { req, payload, .. } = self;
        media_type(&req)?;
        let limits = req
            .app_data::<web::Data<BodyLimits>>()
            .map_or(BodyLimits { bytes: 1_048_576, wait: Duration::from_secs(10) }, |l| *l.get_ref());
        let bytes = tokio::time::timeout(limits.wait, collect(&req, payload, limits.bytes.min(most)))
            .await
            .map_err(|_| Error::RequestTimeout)??;
        let mut digest = Fingerprint::new(caller, &req)?;
        digest.update(&bytes);
        let fingerprint = digest.finish();
        let text = std::str::from_utf8(&bytes).map_err(|_| Error::InvalidJson)?;
        parse(text).map(|value| (value, fingerprint))
    }
}

/// Reads a body's text: strictly, and every fault with its pointer.
pub fn parse<T: DeserializeOwned + Validate + ToSchema>(text: &str) -> Result<T> {
    // One name has one spelling in the registry (NFC), however the sender's keyboard composed it.
    let text = strict::nfc(text);
    let text = text.as_ref();
    // Escapes are the only way a control character can hide in valid JSON; marks of direction come raw too.
    let suspicious = text.contains("\\u") || strict::has_forbidden(text);
    if !suspicious
        && let Ok(value) = strict::read::<T>(text)
        && value.validate().is_ok()
    {
        return Ok(value);
    }
    explain::<T>(text)
}

fn media_type(req: &HttpRequest) -> Result<()> {
    if req.headers().contains_key(CONTENT_ENCODING) {
        return Err(Error::UnsupportedMediaType);
    }
    let given = req.headers().get(CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let mut parts = given.split(';');
    let essence = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
    let known =
        essence == "application/json" || (req.method() == Method::PATCH && essence == "application/merge-patch+json");
    let utf8 =
        parts.all(|p| p.trim().to_ascii_lowercase().strip_prefix("charset=").is_none_or(|c| c.trim_matches('"') == "utf-8"));
    if known && utf8 { Ok(()) } else { Err(Error::UnsupportedMediaType) }
}

async fn collect(req: &HttpRequest, mut payload: Payload, most: usize) -> Result<BytesMut> {
    let declared = req.headers().get("content-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<usize>().ok());
    if declared.is_some_and(|n| n > most) {
        return Err(Error::ContentTooLarge);
    }
    let mut bytes = BytesMut::with_capacity(declared.unwrap_or(1_024).min(65_536));
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::InvalidRequest)?;
        if bytes.len() + chunk.len() > most {
            return Err(Error::ContentTooLarge);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// The fingerprint of a request while its body comes in. Keyed: a thief of the database must not find out a body by
/// guessing at it.
pub struct Fingerprint(aws_lc_rs::hmac::Context);

impl Fingerprint {
    /// Of a request of this method and path, and of this query where it has one.
    pub fn new<P: Permission>(caller: &Allowed<P>, req: &HttpRequest) -> Result<Self> {
        let key = caller.store().vault()?.derive("idempotency")?;
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &*key);
        let mut digest = aws_lc_rs::hmac::Context::with_key(&key);
        for part in [req.method().as_str().as_bytes(), b" ", req.path().as_bytes()] {
            digest.update(part);
        }
        if !req.query_string().is_empty() {
            digest.update(b"?");
            digest.update(req.query_string().as_bytes());
        }
        digest.update(b"\n");
        Ok(Self(digest))
    }

    /// The next bytes of the body.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The fingerprint, hex.
    pub fn finish(self) -> String {
        self.0.sign().as_ref().iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// The slow look at a body that did not pass: what is wrong with it, all of it. Answers the value after all
/// if only an innocent escape made it look suspicious.
fn explain<T: DeserializeOwned + Validate + ToSchema>(text: &str) -> Result<T> {
    let value = strict::scan(text).map_err(|_| Error::InvalidJson)?;
    let mut faults: Vec<Fault> =
        strict::forbidden_strings(&value).into_iter().map(|p| Fault::body(p, FaultCode::Pattern)).collect();
    let name = T::name();
    if let Some(validator) = SCHEMAS.get().and_then(|s| s.validator(&name)) {
        for error in validator.iter_errors(&value).take(200) {
            fault_of(&error, &mut faults);
        }
    }
    no_faults(faults)?;
    // Escapes can hide a text that is not in NFC from the first look.
    let composed = strict::nfc_strings(value).map(|v| v.to_string());
    let text = composed.as_deref().unwrap_or(text);
    let typed = strict::read::<T>(text).map_err(|e| Error::Validation(vec![serde_fault(&e)]))?;
    typed.validate().map_err(|e| Error::Validation(validator_faults(&e)))?;
    Ok(typed)
}

fn fault_of(error: &jsonschema::ValidationError<'_>, faults: &mut Vec<Fault>) {
    let at = error.instance_path().to_string();
    let code = match error.kind() {
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            faults.push(Fault::body(format!("{at}/{name}"), FaultCode::Required));
            return;
        }
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            for name in unexpected {
                let name = name.replace('~', "~0").replace('/', "~1");
                faults.push(Fault::body(format!("{at}/{name}"), FaultCode::UnknownField));
            }
            return;
        }
        ValidationErrorKind::Type { .. } => FaultCode::Type,
        ValidationErrorKind::Enum { .. } | ValidationErrorKind::Constant { .. } => FaultCode::Enum,
        ValidationErrorKind::MinLength { .. } => FaultCode::MinLength,
        ValidationErrorKind::MaxLength { .. } => FaultCode::MaxLength,
        ValidationErrorKind::Pattern { .. } => FaultCode::Pattern,
        ValidationErrorKind::Minimum { .. } | ValidationErrorKind::ExclusiveMinimum { .. } => FaultCode::Minimum,
        ValidationErrorKind::Maximum { .. } | ValidationErrorKind::ExclusiveMaximum { .. } => FaultCode::Maximum,
        ValidationErrorKind::MinItems { .. } => FaultCode::MinItems,
        ValidationErrorKind::MaxItems { .. } => FaultCode::MaxItems,
        ValidationErrorKind::UniqueItems => FaultCode::UniqueItems,
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context } => {
            // A nullable reference: the branch that is not null says what is wrong inside.
            let before = faults.len();
            for branch in context {
                let null_branch = branch
                    .iter()
                    .any(|e| matches!(e.kind(), ValidationErrorKind::Type { .. }) && e.instance_path().to_string() == at);
                if !null_branch {
                    for inner in branch {
                        fault_of(inner, faults);
                    }
                }
            }
            if faults.len() == before {
                faults.push(Fault::body(at, FaultCode::Type));
            }
            return;
        }
        _ => FaultCode::Format,
    };
    faults.push(Fault::body(at, code));
}

/// The schema let it pass and the type did not (a format, a number's range): say at least what kind of fault.
fn serde_fault(error: &serde_json::Error) -> Fault {
    let text = error.to_string();
    let code = if text.starts_with("format:") {
        FaultCode::Format
    } else if text.starts_with("pattern:") {
        FaultCode::Pattern
    } else if text.starts_with("unknown variant") {
        FaultCode::Enum
    } else if text.starts_with("missing field") {
        FaultCode::Required
    } else if text.starts_with("unknown field") {
        FaultCode::UnknownField
    } else {
        FaultCode::Type
    };
    Fault::body("", code)
}

fn validator_faults(errors: &validator::ValidationErrors) -> Vec<Fault> {
    let mut faults = Vec::new();
    gather(errors, "", &mut faults);
    faults
}

fn gather(errors: &validator::ValidationErrors, at: &str, faults: &mut Vec<Fault>) {
    for (field, kind) in errors.errors() {
        let at = format!("{at}/{field}");
        match kind {
            validator::ValidationErrorsKind::Struct(inner) => gather(inner, &at, faults),
            validator::ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    gather(inner, &format!("{at}/{index}"), faults);
                }
            }
            validator::ValidationErrorsKind::Field(list) => {
                for error in list {
                    let code = match error.code.as_ref() {
                        "range" => FaultCode::Maximum,
                        "length" => FaultCode::MaxLength,
                        _ => FaultCode::Format,
                    };
                    faults.push(Fault::body(at.clone(), code));
                }
            }
        }
    }
}
