//! Bodies of the retention operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{AccusedId, CaseId, ErasureId, RetentionReviewId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Day, Timestamp};

/// What is decided about something that fell due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = RetentionReviewTrigger)]
pub enum Trigger {
    /// It is still needed, until a day.
    Keep,
    /// A case: only its owner and oversight look at it from now on.
    Restrict,
    /// A restricted case: others may be let in again, until a day.
    Lift,
    /// A person: an erasure is proposed, and a second person decides on it.
    Erase,
    /// A victim who was presumed a minor: she or he is of age.
    OfAge,
}

impl Trigger {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Restrict => "restrict",
            Self::Lift => "lift",
            Self::Erase => "erase",
            Self::OfAge => "of_age",
        }
    }
}

/// A decision about something that fell due.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "keep", "until": "2027-03-16",
    "reason": "La sala pidió el expediente para un caso conexo que sigue en trámite."}))]
pub struct RetentionReviewTransitionCreate {
    /// What is decided; one of the review's `triggers`.
    pub trigger: Trigger,
    /// Why, in words.
    #[schema(value_type = String, min_length = 10, max_length = 2000)]
    pub reason: Pii<String>,
    /// Until when; to `keep` and to `lift`. At most as long again as the rule gives, and a year at least; then the rule falls
    /// due again.
    #[serde(default)]
    pub until: Option<Day>,
    /// To `erase`: reference of the determination of the child's best interest, of the form that an erasure takes.
    #[validate(length(min = 3, max = 60))]
    #[serde(default)]
    #[schema(min_length = 3, max_length = 60, pattern = "^[A-Za-z0-9._/-]*[0-9][A-Za-z0-9._/-]*$")]
    pub best_interest: Option<String>,
}

/// Something that fell due by the retention schedule, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RetentionReview, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d20", "version": 1,
    "created_at": "2031-03-20T09:00:00.000Z", "updated_at": "2031-03-20T09:00:00.000Z", "state": "open", "class": "case",
    "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "victim_id": null, "accused_id": null, "rule": "PE-RET-01",
    "basis": "Ley 29733 art. 8", "status": "archived", "action": "review", "due_on": "2031-03-20",
    "triggers": ["keep", "restrict"], "blocked_by": [], "decided_by": null, "decided_at": null, "reason": null,
    "keep_until": null, "erasure_id": null, "lifted_by": null, "lifted_at": null, "lift_reason": null, "redacted": []}))]
pub struct RetentionReviewView {
    /// The review.
    pub id: RetentionReviewId,
    /// Version.
    pub version: i64,
    /// When the schedule found it.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// `open`, `kept`, `restricted`, `lifted`, `erasure_proposed`, `of_age`, or `erased` (the person, in whatever way).
    #[schema(max_length = 20)]
    pub state: String,
    /// What it is about: `case`, `victim` or `accused`.
    #[schema(max_length = 20)]
    pub class: String,
    /// The case.
    #[schema(required)]
    pub case_id: Option<CaseId>,
    /// The victim.
    #[schema(required)]
    pub victim_id: Option<VictimId>,
    /// The accused.
    #[schema(required)]
    pub accused_id: Option<AccusedId>,
    /// The rule: a code of `/v1/catalogues/retention`.
    #[schema(max_length = 40)]
    pub rule: String,
    /// Its articles; null where the rule was repealed since.
    #[schema(required, max_length = 400)]
    pub basis: Option<String>,
    /// How the record stood when it fell due.
    #[schema(max_length = 20)]
    pub status: String,
    /// What the rule asks for: `review`, `restrict`, `pseudonymise` or `erase`.
    #[schema(max_length = 20)]
    pub action: String,
    /// When it fell due.
    pub due_on: Day,
    /// What may be decided now.
    #[schema(max_items = 5)]
    pub triggers: Vec<String>,
    /// What stands now against restricting or erasing it, while it is open: `legal_hold`, `open_case`,
    /// `best_interest_required`, `merged`.
    #[schema(max_items = 10)]
    pub blocked_by: Vec<String>,
    /// Who decided; null while it is open, and where the schedule restricted or proposed by itself.
    #[schema(required)]
    pub decided_by: Option<AgencyCode>,
    /// When.
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
    /// Why; null once it was erased with the person.
    #[schema(required, value_type = Option<String>)]
    pub reason: Option<Pii<String>>,
    /// The day on which the rule falls due again.
    #[schema(required)]
    pub keep_until: Option<Day>,
    /// The erasure that was proposed.
    #[schema(required)]
    pub erasure_id: Option<ErasureId>,
    /// Who lifted the restriction.
    #[schema(required)]
    pub lifted_by: Option<AgencyCode>,
    /// When.
    #[schema(required)]
    pub lifted_at: Option<Timestamp>,
    /// Why.
    #[schema(required, value_type = Option<String>)]
    pub lift_reason: Option<Pii<String>>,
    /// Pointers of what was withheld.
    pub redacted: Vec<String>,
}

/// What fell due of the caller's cases and their persons (of all of them, for oversight).
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionReviewPage {
    /// The reviews, the first one first.
    pub items: Vec<RetentionReviewView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
