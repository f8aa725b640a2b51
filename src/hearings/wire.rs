//! Bodies of the hearing operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{CaseId, HearingId};
use crate::kernel::{AgencyCode, Field, Timestamp};

/// A hearing to register.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "pretrial_detention_hearing", "scheduled_at": "2026-03-18T14:00:00.000Z",
    "court": "2.º Juzgado de Investigación Preparatoria de Lima"}))]
pub struct HearingCreate {
    /// Code list `hearing_kind`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// When it is to begin.
    pub scheduled_at: Timestamp,
    /// When it began.
    #[serde(default)]
    pub held_at: Option<Timestamp>,
    /// The court: an institution, never a person.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub court: String,
    /// What came of it: code list `hearing_result`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub result: Option<String>,
    /// Where its record is kept.
    #[validate(length(min = 1, max = 200))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub document_ref: Option<String>,
}

/// Changes to a hearing (merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"held_at": "2026-03-18T14:20:00.000Z", "result": "held", "document_ref": "acta 12-2026"}))]
pub struct HearingPatch {
    /// Kind.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub kind: Field<String>,
    /// When it is to begin.
    #[serde(default)]
    pub scheduled_at: Field<Timestamp>,
    /// When it began.
    #[serde(default)]
    pub held_at: Field<Timestamp>,
    /// The court.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub court: Field<String>,
    /// What came of it.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub result: Field<String>,
    /// Where its record is kept.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub document_ref: Field<String>,
}

/// A hearing.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Hearing, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "version": 2,
    "created_at": "2026-03-16T15:30:00.000Z", "updated_at": "2026-03-18T20:00:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d10",
    "kind": "pretrial_detention_hearing", "scheduled_at": "2026-03-18T14:00:00.000Z",
    "held_at": "2026-03-18T14:20:00.000Z", "court": "2.º Juzgado de Investigación Preparatoria de Lima",
    "result": "held", "document_ref": "acta 12-2026", "redacted": []}))]
pub struct HearingView {
    /// The hearing.
    pub id: HearingId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who registered it.
    pub created_by_agency: AgencyCode,
    /// The case.
    pub case_id: CaseId,
    /// Kind.
    pub kind: String,
    /// When it is to begin.
    pub scheduled_at: Timestamp,
    /// When it began.
    #[schema(required)]
    pub held_at: Option<Timestamp>,
    /// The court.
    pub court: String,
    /// What came of it; null while it is to come.
    #[schema(required)]
    pub result: Option<String>,
    /// Where its record is kept.
    #[schema(required)]
    pub document_ref: Option<String>,
    /// Pointers of what was withheld: nothing, of a hearing.
    pub redacted: Vec<String>,
}

/// The hearings of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct HearingPage {
    /// The hearings.
    pub items: Vec<HearingView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
