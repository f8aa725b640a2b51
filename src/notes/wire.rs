//! Bodies of the note operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{CaseId, NoteId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Timestamp};

/// Who reads a note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoteVisibility {
    /// The agency that wrote it, and nobody else.
    Internal,
    /// Whoever sees the case's section `narrative`.
    Shared,
}

/// A note to write.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"visibility": "internal", "text": "Coordinar la declaración con cámara Gesell antes del viernes."}))]
pub struct NoteCreate {
    /// `internal`: the writing agency only; `shared`: whoever sees the case's narrative.
    pub visibility: NoteVisibility,
    /// The text.
    #[schema(value_type = String, min_length = 1, max_length = 10000)]
    pub text: Pii<String>,
    /// The note of the same agency, case and visibility that it replaces.
    #[serde(default)]
    pub supersedes: Option<NoteId>,
}

/// A note.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Note, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "version": 1,
    "created_at": "2026-03-18T20:00:00.000Z", "updated_at": "2026-03-18T20:00:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d10",
    "visibility": "internal", "text": "Coordinar la declaración con cámara Gesell antes del viernes.", "supersedes": null,
    "superseded_by": null, "redacted": []}))]
pub struct NoteView {
    /// The note.
    pub id: NoteId,
    /// Version: 1, and 2 once superseded.
    pub version: i64,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who wrote it.
    pub created_by_agency: AgencyCode,
    /// The case.
    pub case_id: CaseId,
    /// `internal` or `shared`.
    #[schema(value_type = String)]
    pub visibility: NoteVisibility,
    /// The text.
    #[schema(value_type = String)]
    pub text: Pii<String>,
    /// The note that it replaces.
    #[schema(required)]
    pub supersedes: Option<NoteId>,
    /// The note that replaces it.
    #[schema(required)]
    pub superseded_by: Option<NoteId>,
    /// Pointers of what was withheld: nothing, of a note.
    pub redacted: Vec<String>,
}

/// The notes on a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct NotePage {
    /// The notes.
    pub items: Vec<NoteView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
