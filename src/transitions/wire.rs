//! Bodies that speak of transitions, the same for every record that has a state.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{CaseId, ChargeId, TransitionId};
use crate::kernel::{AgencyCode, PartialDate, Timestamp};

/// The act on which a transition rests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub struct LegalAct {
    /// Kind of act: `disposicion`, `requerimiento`, `auto`, `sentencia` …
    #[serde(rename = "type")]
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    pub kind: String,
    /// Its number.
    #[validate(length(min = 1, max = 60))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    pub number: Option<String>,
    /// Its date.
    #[serde(default)]
    pub date: Option<PartialDate>,
    /// Who issued it.
    #[validate(length(min = 1, max = 120))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    pub authority: Option<String>,
    /// Where the document is kept.
    #[validate(length(min = 1, max = 200))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub document_ref: Option<String>,
}

/// A transition that was done.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct TransitionView {
    /// The transition.
    pub id: TransitionId,
    /// Its trigger.
    pub trigger: String,
    /// State before.
    pub from: String,
    /// State after.
    pub to: String,
    /// The act on which it rests.
    #[schema(required)]
    pub legal_act: Option<LegalAct>,
    /// Day from which it counts.
    #[schema(required)]
    pub effective_on: Option<PartialDate>,
    /// Why. Null, of a case's move, for whoever does not see the case's narrative.
    #[schema(required)]
    pub reason: Option<String>,
    /// Whose act it was: code list `actor`.
    #[schema(required)]
    pub actor: Option<String>,
    /// The charges that moved with it; none for whoever does not see the case's charges.
    pub charges: Vec<ChargeId>,
    /// The file in which this one, or a part of it, goes on.
    #[schema(required)]
    pub related_case_id: Option<CaseId>,
    /// When it was registered.
    pub at: Timestamp,
    /// Who registered it.
    pub agency: AgencyCode,
    /// Version of the record after it.
    pub version: i64,
}

/// Transitions done, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct TransitionPage {
    /// The transitions.
    pub items: Vec<TransitionView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A transition out of the current state.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AvailableTransition {
    /// Its trigger.
    pub trigger: String,
    /// State after; the current one where it stays.
    pub to: String,
    /// Name in the caller's language.
    pub label: String,
    /// Legal basis.
    #[schema(required)]
    pub basis: Option<String>,
    /// Whether it needs a legal act.
    pub requires_legal_act: bool,
    /// Kinds of act on which it may rest: code list `legal_act`.
    pub legal_acts: Vec<String>,
    /// Whose act it is: code list `actor`.
    pub actors: Vec<String>,
    /// Whether this caller may do it now.
    pub allowed: bool,
    /// Codes of what stands against it.
    pub failed_guards: Vec<String>,
}

/// What may happen next.
#[derive(Debug, Serialize, ToSchema)]
pub struct AvailableTransitions {
    /// The current state.
    pub state: String,
    /// Every transition out of it.
    pub items: Vec<AvailableTransition>,
}
