//! Bodies of the break-glass operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{BreakGlassId, CaseId, ClientId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Timestamp};

/// An emergency in which a case must be seen that was not shared.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "reason_code": "life_at_risk",
    "reason": "La víctima fue hallada herida y el albergue necesita saber de quién debe protegerla.",
    "sections": ["victims", "victim_identity"], "minutes": 60}))]
pub struct BreakGlassCreate {
    /// The case.
    pub case_id: CaseId,
    /// Code list `break_glass_reason`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub reason_code: String,
    /// What happened, in words: it will be read by the case's owner and by oversight.
    #[schema(value_type = String, min_length = 40, max_length = 2000)]
    pub reason: Pii<String>,
    /// The sections that are needed (code list `section`); all of them if absent.
    #[validate(length(min = 1, max = 10))]
    #[serde(default)]
    #[schema(min_items = 1, max_items = 10)]
    pub sections: Option<Vec<String>>,
    /// For how long; 180 if absent.
    #[validate(range(min = 1, max = 180))]
    #[serde(default)]
    #[schema(minimum = 1, maximum = 180)]
    pub minutes: Option<i32>,
}

/// What happens to a break-glass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BreakGlassTrigger)]
pub enum Trigger {
    /// A second person of the same agency confirms it.
    Confirm,
    /// The case's owner or oversight says what it was.
    Review,
}

impl Trigger {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Review => "review",
        }
    }

    /// The scope that it needs.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Confirm => "break_glass:invoke",
            Self::Review => "break_glass:review",
        }
    }
}

/// What a review found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It was an emergency.
    Justified,
    /// It was none. What still runs ends at once.
    Unjustified,
}

/// A confirmation or a review.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "review", "finding": "justified", "words": "El riesgo fue verificado con la comisaría."}))]
pub struct BreakGlassTransitionCreate {
    /// What happens.
    pub trigger: Trigger,
    /// What the review found; required to review.
    #[serde(default)]
    pub finding: Option<Finding>,
    /// Why; required to review.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    pub words: Option<Pii<String>>,
}

/// A break-glass, as the agency that invoked it, the case's owner and oversight see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = BreakGlass, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d17", "version": 1,
    "created_at": "2026-03-16T09:00:00.000Z", "updated_at": "2026-03-16T09:00:00.000Z",
    "created_by_agency": "PE-MIMP-INABIF", "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "state": "open",
    "running": true, "client_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d15", "user": "turno-noche-4",
    "reason_code": "life_at_risk", "reason": "La víctima fue hallada herida y el albergue necesita saber de quién debe protegerla.",
    "sections": ["victims", "victim_identity"], "minutes": 60, "two_persons": false, "confirmed_at": null,
    "until": "2026-03-16T10:00:00.000Z", "reviewed_at": null, "reviewed_by": null, "finding": null, "words": null,
    "redacted": []}))]
pub struct BreakGlassView {
    /// The break-glass.
    pub id: BreakGlassId,
    /// Version.
    pub version: i64,
    /// When it was invoked.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who invoked it.
    pub created_by_agency: AgencyCode,
    /// The case.
    pub case_id: CaseId,
    /// `pending` (a second person must confirm), `open` (a review is due) or `reviewed`.
    pub state: String,
    /// Whether it opens the case now.
    pub running: bool,
    /// The partner system that invoked it.
    pub client_id: ClientId,
    /// The person at its desk, as it said.
    #[schema(required)]
    pub user: Option<String>,
    /// Code list `break_glass_reason`.
    pub reason_code: String,
    /// What happened.
    #[schema(value_type = String)]
    pub reason: Pii<String>,
    /// What it opens: code list `section`.
    pub sections: Vec<String>,
    /// For how long.
    pub minutes: i32,
    /// Whether it needs a second person: the case has a minor, or somebody whose age is unknown.
    pub two_persons: bool,
    /// When a second person confirmed it.
    #[schema(required)]
    pub confirmed_at: Option<Timestamp>,
    /// When it ends, or ended; null until it has begun.
    #[schema(required)]
    pub until: Option<Timestamp>,
    /// When it was reviewed.
    #[schema(required)]
    pub reviewed_at: Option<Timestamp>,
    /// By whom.
    #[schema(required)]
    pub reviewed_by: Option<AgencyCode>,
    /// What the review found: `justified` or `unjustified`.
    #[schema(required, value_type = Option<String>)]
    pub finding: Option<Finding>,
    /// In words.
    #[schema(required, value_type = Option<String>)]
    pub words: Option<Pii<String>>,
    /// Pointers of what was withheld: nothing.
    pub redacted: Vec<String>,
}

/// The times that glass was broken over the caller's cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct BreakGlassPage {
    /// Each time, the first one first.
    pub items: Vec<BreakGlassView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
