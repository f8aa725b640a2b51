//! Bodies of the care operations. Shapes only; rules are in `model.rs`, `engine.rs` and the protocol.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::links::LinkKind;
use crate::kernel::ids::{CareProcessId, ResourceId, VictimId};
use crate::kernel::{AgencyCode, Day, Field, Timestamp};

/// How the signs were noticed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CareDetection, example = json!({"detected_on": "2026-03-14", "channel": "police", "territory": "170101", "indicators": ["debt"]}))]
pub struct Detection {
    /// When.
    pub detected_on: Day,
    /// Code list `report_channel`.
    #[schema(min_length = 1, max_length = 40)]
    pub channel: String,
    /// Where: UBIGEO.
    #[serde(default)]
    #[schema(min_length = 2, max_length = 6)]
    pub territory: Option<String>,
    /// Code list `care_indicator`.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub indicators: Vec<String>,
}

/// How somebody was rescued.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CareRescue, example = json!({"operation": "OP-214-2026", "prosecutor_present": true, "record_ref": "ACTA-88-2026"}))]
pub struct Rescue {
    /// Number of the operation.
    #[schema(min_length = 3, max_length = 60)]
    pub operation: String,
    /// Whether a prosecutor was there.
    pub prosecutor_present: bool,
    /// Reference of the written record.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 60)]
    pub record_ref: Option<String>,
}

/// How somebody was received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CareReception, example = json!({"arrived_at": "2026-03-15T02:40:00.000Z", "language": "qu", "interpreter": true, "rights_explained": true}))]
pub struct Reception {
    /// When she or he arrived.
    pub arrived_at: Timestamp,
    /// In which language: ISO 639.
    #[schema(min_length = 2, max_length = 3)]
    pub language: String,
    /// Whether an interpreter helped.
    pub interpreter: bool,
    /// Whether rights and services were explained.
    pub rights_explained: bool,
}

/// How great the danger is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"level": "high", "evaluated_on": "2026-03-16"}))]
pub struct CareRisk {
    /// Code list `risk_level`.
    #[schema(min_length = 1, max_length = 40)]
    pub level: String,
    /// When it was evaluated.
    pub evaluated_on: Day,
}

/// Where somebody goes to live: what it is and who answers for it, never where it is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CarePlacementInput, example = json!({"kind": "refuge", "agency": "PE-MIMP-INABIF"}))]
pub struct PlacementInput {
    /// Code list `care_placement`.
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// Who answers for it.
    #[serde(default)]
    pub agency: Option<AgencyCode>,
}

/// Where somebody lived, or lives.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = CarePlacement, example = json!({"kind": "refuge", "agency": "PE-MIMP-INABIF", "from": "2026-03-17", "until": null}))]
pub struct Placement {
    /// Code list `care_placement`.
    pub kind: String,
    /// Who answers for it.
    #[schema(required)]
    pub agency: Option<AgencyCode>,
    /// First day.
    pub from: Day,
    /// Last day; null while it lasts.
    #[schema(required)]
    pub until: Option<Day>,
}

/// How somebody returns, and what was looked at before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "repatriation", "country": "VE", "escort": "consular_staff", "checks": ["family_assessed", "safety_assessed"]}))]
pub struct ReturnPlan {
    /// Code list `care_return`.
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// To which country (ISO 3166-1 alpha-2).
    #[schema(min_length = 2, max_length = 2)]
    pub country: String,
    /// Who goes along: code list `escort_kind`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub escort: Option<String>,
    /// Conditions that were checked first: code list `care_return_check`.
    #[schema(min_items = 1, max_items = 20)]
    pub checks: Vec<String>,
}

/// The individual plan of reintegration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"domains": ["housing", "employment"], "starts_on": "2026-06-01", "ends_on": "2027-06-01", "goal": "Vivir y trabajar por su cuenta"}))]
pub struct ReintegrationPlan {
    /// Code list `care_domain`.
    #[schema(min_items = 1, max_items = 20)]
    pub domains: Vec<String>,
    /// First day.
    pub starts_on: Day,
    /// Last day.
    #[serde(default)]
    pub ends_on: Option<Day>,
    /// To what end. No names.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1000)]
    pub goal: Option<String>,
}

/// A record that is part of the care.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CareLinkInput, example = json!({"kind": "assistance", "resource_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d14"}))]
pub struct LinkInput {
    /// What it is.
    pub kind: LinkKind,
    /// Which.
    pub resource_id: ResourceId,
}

/// A record that is part of the care, for who reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CareLink, example = json!({"kind": "assistance", "resource_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d14"}))]
pub struct LinkView {
    /// What it is.
    pub kind: LinkKind,
    /// Which; null where the caller does not see it.
    #[schema(required)]
    pub resource_id: Option<ResourceId>,
}

/// How many needs stand where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = CareNeeds, example = json!({"state": "in_progress", "needs": 2}))]
pub struct NeedsIn {
    /// Code list `assistance_state`.
    pub state: String,
    /// How many.
    #[schema(minimum = 1, maximum = 10000)]
    pub needs: i64,
}

/// A process to begin.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"detection": {"detected_on": "2026-03-14", "channel": "police", "territory": "170101", "indicators": ["debt", "documents_withheld"]}}))]
pub struct CareProcessCreate {
    /// Whose protocol (ISO 3166-1 alpha-2); `PE` if absent.
    #[serde(default)]
    #[schema(min_length = 2, max_length = 2)]
    pub jurisdiction: Option<String>,
    /// How it began. Its day decides the version of the protocol.
    pub detection: Detection,
    /// How great the danger is.
    #[serde(default)]
    pub risk: Option<CareRisk>,
    /// Records that are part of it.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub links: Vec<LinkInput>,
}

/// Corrections of a process (merge patch, RFC 7396). Its state moves by transitions.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"risk": {"level": "medium", "evaluated_on": "2026-05-02"}}))]
pub struct CareProcessPatch {
    /// How somebody was rescued.
    #[serde(default)]
    pub rescue: Field<Rescue>,
    /// How somebody was received.
    #[serde(default)]
    pub reception: Field<Reception>,
    /// How great the danger is.
    #[serde(default)]
    pub risk: Field<CareRisk>,
    /// When somebody asks again.
    #[serde(default)]
    pub next_follow_up_on: Field<Day>,
    /// How somebody returns.
    #[serde(default)]
    pub return_plan: Field<ReturnPlan>,
    /// The individual plan of reintegration.
    #[serde(default)]
    pub reintegration: Field<ReintegrationPlan>,
    /// Reference of the determination of a child's best interest.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 60)]
    pub best_interest: Field<String>,
    /// Replaces the records that are part of it.
    #[serde(default)]
    #[schema(value_type = Option<Vec<LinkInput>>, max_items = 100)]
    pub links: Field<Vec<LinkInput>>,
}

/// A move of a process. What it must and may say stands in the protocol: `GET /v1/catalogues/care-protocols`.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "shelter", "effective_on": "2026-03-17", "placement": {"kind": "refuge", "agency": "PE-MIMP-INABIF"}}))]
pub struct CareTransitionCreate {
    /// What happens. `…/transitions/available` says what may.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub trigger: String,
    /// Day from which it counts; today if absent. Not before the state began, not after today.
    #[serde(default)]
    pub effective_on: Option<Day>,
    /// How somebody was rescued.
    #[serde(default)]
    pub rescue: Option<Rescue>,
    /// How somebody was received.
    #[serde(default)]
    pub reception: Option<Reception>,
    /// How great the danger is.
    #[serde(default)]
    pub risk: Option<CareRisk>,
    /// Where somebody goes to live.
    #[serde(default)]
    pub placement: Option<PlacementInput>,
    /// When somebody asks again.
    #[serde(default)]
    pub next_follow_up_on: Option<Day>,
    /// How somebody returns.
    #[serde(default)]
    pub return_plan: Option<ReturnPlan>,
    /// The individual plan of reintegration.
    #[serde(default)]
    pub reintegration: Option<ReintegrationPlan>,
    /// Reference of the determination of a child's best interest.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 60)]
    pub best_interest: Option<String>,
    /// Why it ended: code list `care_close_reason`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub close_reason: Option<String>,
    /// Why, in words. No names.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
    /// Records that become part of the care.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub links: Vec<LinkInput>,
}

/// A victim's care.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CareProcess, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d1a", "version": 5,
    "created_at": "2026-03-14T15:30:00.000Z", "updated_at": "2026-03-17T20:00:00.000Z", "created_by_agency": "PE-MP-FISTRAP-MDD",
    "victim_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "jurisdiction": "PE", "protocol_version": "DS-007-2023-IN", "state": "sheltered",
    "state_since": "2026-03-17", "detection": {"detected_on": "2026-03-14", "channel": "police", "territory": "170101", "indicators": ["debt"]},
    "rescue": {"operation": "OP-214-2026", "prosecutor_present": true, "record_ref": "ACTA-88-2026"},
    "reception": {"arrived_at": "2026-03-15T02:40:00.000Z", "language": "qu", "interpreter": true, "rights_explained": true},
    "risk": {"level": "high", "evaluated_on": "2026-03-16"}, "placements": [{"kind": "refuge", "agency": "PE-MIMP-INABIF", "from": "2026-03-17", "until": null}],
    "next_follow_up_on": null, "return_plan": null, "reintegration": null, "best_interest": null, "close_reason": null,
    "needs": [{"state": "in_progress", "needs": 2}], "links": [{"kind": "assistance", "resource_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d14"}], "redacted": []}))]
pub struct CareProcessView {
    /// The record.
    pub id: CareProcessId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who registered it.
    pub created_by_agency: AgencyCode,
    /// Whose care it is.
    pub victim_id: VictimId,
    /// Whose protocol.
    pub jurisdiction: String,
    /// Which version of it: the one of the day on which it began.
    pub protocol_version: String,
    /// Code list `care_state`.
    pub state: String,
    /// Day on which that began.
    pub state_since: Day,
    /// How it began.
    pub detection: Detection,
    /// How somebody was rescued.
    #[schema(required)]
    pub rescue: Option<Rescue>,
    /// How somebody was received.
    #[schema(required)]
    pub reception: Option<Reception>,
    /// How great the danger is.
    #[schema(required)]
    pub risk: Option<CareRisk>,
    /// Where somebody lived, in order.
    #[schema(max_items = 500)]
    pub placements: Vec<Placement>,
    /// When somebody asks again.
    #[schema(required)]
    pub next_follow_up_on: Option<Day>,
    /// How somebody returns.
    #[schema(required)]
    pub return_plan: Option<ReturnPlan>,
    /// The individual plan of reintegration.
    #[schema(required)]
    pub reintegration: Option<ReintegrationPlan>,
    /// Reference of the determination of a child's best interest.
    #[schema(required)]
    pub best_interest: Option<String>,
    /// Why it ended.
    #[schema(required)]
    pub close_reason: Option<String>,
    /// The victim's needs, by where they stand.
    #[schema(max_items = 20)]
    pub needs: Vec<NeedsIn>,
    /// Records that are part of it.
    #[schema(max_items = 1000)]
    pub links: Vec<LinkView>,
    /// Pointers of what was withheld from this caller.
    pub redacted: Vec<String>,
}

/// A page of processes.
#[derive(Debug, Serialize, ToSchema)]
pub struct CareProcessPage {
    /// The processes.
    pub items: Vec<CareProcessView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
