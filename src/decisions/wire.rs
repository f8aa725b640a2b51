//! Bodies of the decision operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{CaseId, DecisionId, HearingId, TransitionId};
use crate::kernel::{AgencyCode, PartialDate, Timestamp};

/// A decision to register.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "auto", "number": "3", "date": "2026-03-18",
    "authority": "2.º Juzgado de Investigación Preparatoria de Lima", "result": "Prisión preventiva por nueve meses"}))]
pub struct DecisionCreate {
    /// Code list `decision_kind`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// Its number.
    #[validate(length(min = 1, max = 60))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    pub number: Option<String>,
    /// Its date, as far as known.
    pub date: PartialDate,
    /// Who issued it: an institution, never a person.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub authority: String,
    /// What it says, in a line without names.
    #[validate(length(min = 1, max = 500))]
    #[schema(min_length = 1, max_length = 500)]
    pub result: String,
    /// Where the document is kept.
    #[validate(length(min = 1, max = 200))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub document_ref: Option<String>,
    /// The transition of the case that it carries.
    #[serde(default)]
    pub transition_id: Option<TransitionId>,
    /// The hearing at which it was issued, of the case.
    #[serde(default)]
    pub hearing_id: Option<HearingId>,
    /// The decision that it corrects or replaces, of the case.
    #[serde(default)]
    pub supersedes: Option<DecisionId>,
}

/// A decision.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Decision, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "version": 1,
    "created_at": "2026-03-18T20:00:00.000Z", "updated_at": "2026-03-18T20:00:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d10", "kind": "auto",
    "number": "3", "date": "2026-03-18", "authority": "2.º Juzgado de Investigación Preparatoria de Lima",
    "result": "Prisión preventiva por nueve meses", "document_ref": null, "transition_id": null, "hearing_id": null,
    "supersedes": null, "superseded_by": null, "redacted": []}))]
pub struct DecisionView {
    /// The decision.
    pub id: DecisionId,
    /// Version: 1, and 2 once superseded.
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
    /// Its number.
    #[schema(required)]
    pub number: Option<String>,
    /// Its date.
    pub date: PartialDate,
    /// Who issued it.
    pub authority: String,
    /// What it says.
    pub result: String,
    /// Where the document is kept.
    #[schema(required)]
    pub document_ref: Option<String>,
    /// The transition of the case that it carries.
    #[schema(required)]
    pub transition_id: Option<TransitionId>,
    /// The hearing at which it was issued.
    #[schema(required)]
    pub hearing_id: Option<HearingId>,
    /// The decision that it corrects or replaces.
    #[schema(required)]
    pub supersedes: Option<DecisionId>,
    /// The decision that corrects or replaces it.
    #[schema(required)]
    pub superseded_by: Option<DecisionId>,
    /// Pointers of what was withheld: nothing, of a decision.
    pub redacted: Vec<String>,
}

/// The decisions of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct DecisionPage {
    /// The decisions.
    pub items: Vec<DecisionView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
