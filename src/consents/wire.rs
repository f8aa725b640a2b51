//! Bodies of the consent operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::states::Trigger;
use crate::kernel::ids::{ConsentId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Timestamp};

/// A consent to offer: what is explained and asked. The answer is a transition.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"purposes": ["referral", "assistance"], "language": "qu", "interpreter": true, "form": "oral_recorded",
    "given_by": "self", "text_version": "2026-03", "expires_at": "2036-03-16T00:00:00.000Z"}))]
pub struct ConsentCreate {
    /// What for: code list `consent_purpose`.
    #[validate(length(min = 1, max = 6))]
    #[schema(min_items = 1, max_items = 6)]
    pub purposes: Vec<String>,
    /// The only agencies to which something may be disclosed on its ground; any of them if empty.
    #[validate(length(max = 20))]
    #[serde(default)]
    #[schema(max_items = 20)]
    pub recipients: Vec<AgencyCode>,
    /// Language in which it is explained (ISO 639).
    #[validate(length(min = 2, max = 3))]
    #[schema(min_length = 2, max_length = 3)]
    pub language: String,
    /// Whether an interpreter helps.
    #[serde(default)]
    pub interpreter: bool,
    /// Code list `consent_form`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub form: String,
    /// Who is asked: code list `consent_giver`. An adult answers for herself or himself, or through a curator; a minor
    /// through a guardian or a curator.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub given_by: String,
    /// Whether the guardian may be involved in what happened. Then only a curator can answer.
    #[serde(default)]
    pub guardian_conflict: bool,
    /// Version of the text that is explained.
    #[validate(length(min = 1, max = 60))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    pub text_version: Option<String>,
    /// Who explains it. Personal data: needs the scope `victims.identity:write`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub explained_by: Option<Pii<String>>,
    /// When it ends by itself.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

/// A consent. It shows nobody's name to those who may not see identities.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Consent, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d13", "version": 2,
    "created_at": "2026-03-16T09:00:00.000Z", "updated_at": "2026-03-16T09:30:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "victim_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "state": "given",
    "in_force": true, "purposes": ["referral", "assistance"], "recipients": [], "language": "qu", "interpreter": true,
    "form": "oral_recorded", "given_by": "self", "guardian_conflict": false, "text_version": "2026-03",
    "offered_at": "2026-03-16T09:00:00.000Z", "given_at": "2026-03-16T09:30:00.000Z", "refused_at": null,
    "withdrawn_at": null, "expires_at": "2036-03-16T00:00:00.000Z", "explained_by": null, "evidence": null,
    "redacted": ["#/explained_by", "#/evidence"]}))]
pub struct ConsentView {
    /// The consent.
    pub id: ConsentId,
    /// Version.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The agency that asked, and keeps the evidence.
    pub created_by_agency: AgencyCode,
    /// Whose it is.
    pub victim_id: VictimId,
    /// Code list `consent_state`.
    pub state: String,
    /// Whether something may rest on it now.
    pub in_force: bool,
    /// What for: code list `consent_purpose`.
    pub purposes: Vec<String>,
    /// The only agencies to which something may be disclosed on its ground; any if empty.
    pub recipients: Vec<AgencyCode>,
    /// Language in which it was explained.
    pub language: String,
    /// Whether an interpreter helped.
    pub interpreter: bool,
    /// Code list `consent_form`.
    pub form: String,
    /// Code list `consent_giver`.
    pub given_by: String,
    /// Whether the guardian may be involved.
    pub guardian_conflict: bool,
    /// Version of the text.
    #[schema(required)]
    pub text_version: Option<String>,
    /// When it was offered.
    pub offered_at: Timestamp,
    /// When it was given.
    #[schema(required)]
    pub given_at: Option<Timestamp>,
    /// When it was refused.
    #[schema(required)]
    pub refused_at: Option<Timestamp>,
    /// When it was taken back.
    #[schema(required)]
    pub withdrawn_at: Option<Timestamp>,
    /// When it ends by itself.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// Who explained it; for the agency that asked, with the scope `victims.identity:read`.
    #[schema(required, value_type = Option<String>)]
    pub explained_by: Option<Pii<String>>,
    /// Where and how it is proved; for the agency that asked, with the scope `victims.identity:read`.
    #[schema(required, value_type = Option<String>)]
    pub evidence: Option<Pii<String>>,
    /// Pointers of what was withheld from this caller.
    pub redacted: Vec<String>,
}

/// The consents of a victim.
#[derive(Debug, Serialize, ToSchema)]
pub struct ConsentPage {
    /// The consents.
    pub items: Vec<ConsentView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// The answer to a consent, or its end.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "withdraw", "reason": "No desea que se compartan más datos."}))]
pub struct ConsentTransitionCreate {
    /// What happens.
    pub trigger: Trigger,
    /// When it happened; now if absent.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// Where and how it is proved, to give it. Personal data: needs the scope `victims.identity:write`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    pub evidence: Option<Pii<String>>,
    /// Why. No names.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}
