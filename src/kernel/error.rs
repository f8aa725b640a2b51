//! Every way an operation can fail, without HTTP in it. `http/problem.rs` is the only place that maps it.

use std::borrow::Cow;

/// Result of everything below the HTTP layer.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Where in the request a fault lies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// JSON pointer into the body, without the leading `#`: `/charges/0/offence_code`.
    Pointer(String),
    /// Name of a query parameter.
    Parameter(String),
    /// Name of a header.
    Header(&'static str),
}

/// Machine code of a single fault. Closed list, part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultCode {
    /// Missing.
    Required,
    /// Not known here.
    UnknownField,
    /// May not be set by a caller.
    ReadOnly,
    /// Wrong JSON type.
    Type,
    /// Not in the list.
    Enum,
    /// Too short.
    MinLength,
    /// Too long.
    MaxLength,
    /// Wrong shape.
    Pattern,
    /// Not of the named format.
    Format,
    /// Too small.
    Minimum,
    /// Too large.
    Maximum,
    /// Too few items.
    MinItems,
    /// Too many items.
    MaxItems,
    /// Repeated item.
    UniqueItems,
    /// Dates in the wrong order.
    DateOrder,
    /// Contradicts another field.
    CrossField,
    /// Names something that is not there, or not visible.
    ReferenceNotFound,
}

/// One fault of a request: where and what.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fault {
    /// Where.
    pub at: Location,
    /// What.
    pub code: FaultCode,
    /// What would have been right, where that can be said; never a value of the request or of a record.
    pub expected: Option<String>,
}

impl Fault {
    /// A fault in the body at `pointer` (`/a/0/b`).
    pub fn body(pointer: impl Into<String>, code: FaultCode) -> Self {
        Self { at: Location::Pointer(pointer.into()), code, expected: None }
    }

    /// The same fault, saying what would have been right.
    pub fn expecting(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    /// A fault of a query parameter.
    pub fn parameter(name: impl Into<String>, code: FaultCode) -> Self {
        Self { at: Location::Parameter(name.into()), code, expected: None }
    }
}

/// A dependency that is not there now; the caller may try again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// No permit within the deadline, or the queue is full.
    Overloaded,
    /// The transaction lost a race (40001, 40P01): the store runs it again, then gives up.
    Contention,
    /// The database cannot be reached or refuses to commit.
    Storage,
    /// The access entry could not be written, so the read is refused.
    Audit,
    /// A statement or a request ran out of time.
    Timeout,
    /// Shutting down.
    Maintenance,
}

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The body is not JSON (RFC 8259), or breaks the limits of form (depth, nodes, duplicate keys).
    InvalidJson,
    /// The request as a whole cannot be read (path, form, query).
    InvalidRequest,
    /// A query parameter has a bad value.
    InvalidParameter(Vec<Fault>),
    /// A query parameter that this operation does not know.
    UnknownParameter(Vec<Fault>),
    /// A header has a bad value.
    InvalidHeader(&'static str),
    /// A cursor that was not made for this client and these filters, or is older than a day.
    InvalidCursor,
    /// A POST without `Idempotency-Key`.
    IdempotencyKeyRequired,
    /// No credentials.
    AuthenticationRequired,
    /// Credentials that do not hold. The reason stays in the log.
    InvalidToken(&'static str),
    /// A proof of possession that does not hold, or is not there. The reason stays in the log.
    InvalidDpopProof(&'static str),
    /// A proof of possession without a nonce of this server.
    UseDpopNonce,
    /// The token lacks a scope.
    InsufficientScope(&'static str),
    /// The token's purpose does not open this door.
    PurposeNotAllowed,
    /// A field that the caller's scope may not filter by or write.
    FieldForbidden(Vec<Fault>),
    /// The client is disabled.
    ClientSuspended,
    /// The case is in sight, and only its owner may do this.
    OwnerOnly,
    /// Absent or invisible: the same.
    NotFound,
    /// It was there and in sight, and was erased: its key is destroyed.
    Erased,
    /// Events after this place of the feed are no longer kept.
    FeedTruncated,
    /// The files of a job were there and are gone: their time is over, or they were fetched often enough.
    ExportExpired,
    /// The method is not one of this resource's.
    MethodNotAllowed(Vec<&'static str>),
    /// Nothing that the caller accepts can be produced.
    NotAcceptable,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The resource's state does not allow this; each code names a failed guard.
    StateConflict(Vec<Cow<'static, str>>),
    /// The same key is being worked on.
    IdempotencyInProgress,
    /// Another record of the caller's own agency has this `external_ref`.
    ExternalRefTaken,
    /// Another case has this identifier in its scheme and issuer.
    IdentifierTaken(Vec<Fault>),
    /// The version of `If-Match` is not the current one.
    PreconditionFailed {
        /// The version now.
        current_version: i64,
    },
    /// `If-Match` is missing.
    PreconditionRequired,
    /// The body is too large, in bytes.
    ContentTooLarge,
    /// The request's head is too large.
    HeadTooLarge,
    /// A media type that this operation does not read.
    UnsupportedMediaType,
    /// Faults of fields, all of them.
    Validation(Vec<Fault>),
    /// A rule of the registry is broken.
    Rule {
        /// The rule's name, part of the contract.
        rule: &'static str,
        /// Where it shows.
        faults: Vec<Fault>,
    },
    /// The key was used with another body.
    IdempotencyKeyReused,
    /// Too many requests in the window.
    QuotaExceeded {
        /// Seconds until the next try can succeed.
        retry_after_s: u64,
        /// The policy's name.
        policy: &'static str,
    },
    /// An operation of a batch failed, and the batch with it.
    InBatch {
        /// Which one, from 0.
        operation: usize,
        /// Why.
        error: Box<Error>,
    },
    /// Bad luck: try again.
    Unavailable(Unavailable),
    /// A bug. The text goes to the log, never to the caller, and holds no value from a request.
    Internal(String),
}

impl Error {
    /// One fault of the body.
    pub fn field(pointer: impl Into<String>, code: FaultCode) -> Self {
        Self::Validation(vec![Fault::body(pointer, code)])
    }

    /// A bug, described for the log.
    pub fn internal(what: impl std::fmt::Display) -> Self {
        Self::Internal(what.to_string())
    }
}

/// `Ok` when there are no faults, all of them otherwise.
pub fn no_faults(mut faults: Vec<Fault>) -> Result<()> {
    if faults.is_empty() {
        return Ok(());
    }
    faults.sort();
    faults.dedup();
    Err(Error::Validation(faults))
}

/// The same fault with `prefix` cut from the start of its pointer: for a list of one that is the body itself.
pub fn under_root(fault: Fault, prefix: &str) -> Fault {
    let Fault { at, code, expected } = fault;
    let at = match at {
        Location::Pointer(pointer) => Location::Pointer(pointer.strip_prefix(prefix).map(str::to_owned).unwrap_or(pointer)),
        at => at,
    };
    Fault { at, code, expected }
}
