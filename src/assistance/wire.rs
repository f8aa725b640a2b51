//! Bodies of the assistance operations. Shapes only; rules are in `model.rs` and `states.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::states::Trigger;
use crate::kernel::ids::{AssistanceId, ConsentId, VictimId};
use crate::kernel::{AgencyCode, Day, Field, Timestamp};
use crate::programmes::Money;

/// How great a need is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NeedsAssessment, example = json!({"level": 3, "assessed_on": "2026-03-16", "next_review_on": "2026-04-16", "evidence": null}))]
pub struct Assessment {
    /// 0 (none) to 4 (extreme).
    #[schema(minimum = 0, maximum = 4)]
    pub level: i32,
    /// When it was assessed.
    pub assessed_on: Day,
    /// When it is looked at again.
    #[serde(default)]
    pub next_review_on: Option<Day>,
    /// What it rests on. No names. Not shown to the provider.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub evidence: Option<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"goal": "Alojamiento seguro durante el proceso", "starts_on": "2026-03-17", "ends_on": "2026-09-17"}))]
pub struct SupportPlan {
    /// To what end. No names.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1000)]
    pub goal: Option<String>,
    /// First day.
    #[serde(default)]
    pub starts_on: Option<Day>,
    /// Last day.
    #[serde(default)]
    pub ends_on: Option<Day>,
}

/// A need to register.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"need": "shelter", "assessment": {"level": 3, "assessed_on": "2026-03-16"},
    "plan": {"goal": "Alojamiento seguro durante el proceso", "starts_on": "2026-03-17"},
    "provider_agency": "PE-MIMP-UPE", "legal_basis": "danger_to_life",
    "cost": {"amount_minor": 180000, "currency": "PEN"}}))]
pub struct AssistanceCreate {
    /// Code list `service`.
    #[schema(min_length = 1, max_length = 40)]
    pub need: String,
    /// How great it is.
    #[serde(default)]
    pub assessment: Option<Assessment>,
    /// What is to be done.
    #[serde(default)]
    pub plan: Option<SupportPlan>,
    /// Who provides it. Another agency than the caller's learns of it, which takes a ground.
    #[serde(default)]
    pub provider_agency: Option<AgencyCode>,
    /// On what it rests: code list `legal_basis`. Required to plan it, and to name another agency as provider.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub legal_basis: Option<String>,
    /// The consent, where that is the basis: in force, for `assistance`, and naming the provider if it names anybody.
    #[serde(default)]
    pub consent_id: Option<ConsentId>,
    /// What it costs, as planned or as paid.
    #[serde(default)]
    pub cost: Option<Money>,
}

/// Corrections of a need (merge patch, RFC 7396). Its state moves by transitions.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"cost": {"amount_minor": 195000, "currency": "PEN"}}))]
pub struct AssistancePatch {
    /// How great it is.
    #[serde(default)]
    pub assessment: Field<Assessment>,
    /// What is to be done.
    #[serde(default)]
    pub plan: Field<SupportPlan>,
    /// Who provides it.
    #[serde(default)]
    pub provider_agency: Field<AgencyCode>,
    /// On what it rests: code list `legal_basis`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub legal_basis: Field<String>,
    /// The consent, where that is the basis.
    #[serde(default)]
    pub consent_id: Field<ConsentId>,
    /// What it costs.
    #[serde(default)]
    pub cost: Field<Money>,
}

/// A move of a need.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "start", "effective_on": "2026-03-17"}))]
pub struct AssistanceTransitionCreate {
    /// What happens. `…/transitions/available` says what may.
    pub trigger: Trigger,
    /// Day from which it counts; today if absent.
    #[serde(default)]
    pub effective_on: Option<Day>,
    /// Why it was not met, to `fail`: code list `unmet_reason`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub unmet_reason: Option<String>,
    /// What it cost, to `meet` or `fail`.
    #[serde(default)]
    pub cost: Option<Money>,
    /// Why, in words; required to `withdraw`. No names.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// A need and what is done about it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Assistance, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d14", "version": 3,
    "created_at": "2026-03-16T15:30:00.000Z", "updated_at": "2026-03-17T20:00:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "victim_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "need": "shelter",
    "state": "in_progress", "assessment": {"level": 3, "assessed_on": "2026-03-16", "next_review_on": null, "evidence": null},
    "plan": {"goal": "Alojamiento seguro durante el proceso", "starts_on": "2026-03-17", "ends_on": null},
    "provider_agency": "PE-MIMP-INABIF", "legal_basis": "danger_to_life", "consent_id": null,
    "cost": {"amount_minor": 180000, "currency": "PEN"}, "delivered_from": "2026-03-17", "delivered_until": null,
    "unmet_reason": null, "redacted": []}))]
pub struct AssistanceView {
    /// The record.
    pub id: AssistanceId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who registered it.
    pub created_by_agency: AgencyCode,
    /// Whose need it is.
    pub victim_id: VictimId,
    /// Code list `service`.
    pub need: String,
    /// Code list `assistance_state`.
    pub state: String,
    /// How great it is.
    #[schema(required)]
    pub assessment: Option<Assessment>,
    /// What is to be done.
    #[schema(required)]
    pub plan: Option<SupportPlan>,
    /// Who provides it.
    #[schema(required)]
    pub provider_agency: Option<AgencyCode>,
    /// On what it rests.
    #[schema(required)]
    pub legal_basis: Option<String>,
    /// The consent, where that is the basis.
    #[schema(required)]
    pub consent_id: Option<ConsentId>,
    /// What it costs or cost.
    #[schema(required)]
    pub cost: Option<Money>,
    /// First day of the service.
    #[schema(required)]
    pub delivered_from: Option<Day>,
    /// Last day of the service.
    #[schema(required)]
    pub delivered_until: Option<Day>,
    /// Why it was not met.
    #[schema(required)]
    pub unmet_reason: Option<String>,
    /// Pointers of what was withheld from this caller.
    pub redacted: Vec<String>,
}

/// A page of needs.
#[derive(Debug, Serialize, ToSchema)]
pub struct AssistancePage {
    /// The needs.
    pub items: Vec<AssistanceView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
