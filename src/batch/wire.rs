//! Bodies of the batch operation. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::Validate;

/// Method of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
#[schema(as = BatchMethod)]
pub enum Method {
    /// Reads one, or a list.
    Get,
    /// Makes or moves a record.
    Post,
    /// Changes one.
    Patch,
}

/// Operations to do together.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"operations": [
    {"id": "case", "method": "POST", "path": "/v1/cases", "body": {"title": "Captación con oferta falsa de empleo",
        "reported_at": "2026-03-14T15:30:00.000Z", "report_channel": "police"}},
    {"id": "note", "method": "POST", "path": "/v1/cases/${case}/notes", "body": {"visibility": "shared", "text": "Recibido por turno."}},
    {"id": "place", "method": "PATCH", "path": "/v1/cases/${case}", "if_match": "${case#etag}", "body": {"territory": "170101"}},
    {"id": "victims", "method": "GET", "path": "/v1/cases/${case}/victims"}
]}))]
pub struct BatchCreate {
    /// In the order in which they are done.
    #[validate(length(min = 1, max = 100), nested)]
    #[schema(min_items = 1, max_items = 100)]
    pub operations: Vec<OperationCreate>,
}

/// One operation.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = BatchOperationCreate)]
pub struct OperationCreate {
    /// Its name in this batch: letters, digits, `_` and `-`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40, pattern = "^[A-Za-z0-9_-]{1,40}$")]
    pub id: String,
    /// Method.
    pub method: Method,
    /// Path of an operation of this contract, without parameters. `${ID}` stands for the id of what the earlier operation ID made,
    /// `${ID#/pointer}` for any value of its answer.
    #[validate(length(min = 5, max = 400))]
    #[schema(min_length = 5, max_length = 400, pattern = r"^/v1/[^?#\s]{1,300}(#[^?\s]*)?")]
    pub path: String,
    /// The tag that it needs, as `If-Match`; `${ID#etag}` for the tag of an earlier operation's answer.
    #[validate(length(min = 1, max = 80))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80, pattern = r#"^("[^"]*"|\$\{[^}]*\})$"#)]
    pub if_match: Option<String>,
    /// Its body; a read has none. A text that is `${ID}` or `${ID#/pointer}`, and nothing else, stands for that value.
    #[serde(default)]
    #[schema(value_type = Object, required = false)]
    pub body: Map<String, Value>,
}

/// What a batch did.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchResult, example = json!({"operations": [{"id": "case", "status": 201,
    "location": "/v1/cases/0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "etag": "\"1.o\"", "body": null}]}))]
pub struct BatchView {
    /// The answers, in the order of the operations.
    pub operations: Vec<OperationView>,
}

/// The answer of one operation.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BatchOperationResult)]
pub struct OperationView {
    /// Its name in the batch.
    pub id: String,
    /// Its status, as alone.
    pub status: u16,
    /// Where what it made is.
    #[schema(required)]
    pub location: Option<String>,
    /// The tag of what it made or changed.
    #[schema(required)]
    pub etag: Option<String>,
    /// Its answer; null where the batch was done before (`Idempotency-Replayed`).
    #[schema(required, value_type = Option<Object>)]
    pub body: Option<Value>,
}
