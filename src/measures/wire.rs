//! Bodies of the measure operations. Shapes only; rules are in `model.rs` and `states.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::states::{MeasureKind, State, Trigger};
use crate::kernel::ids::{AccusedId, CaseId, MeasureId, VictimId};
use crate::kernel::{AgencyCode, Day, Field, PartialDate, Timestamp};
use crate::persons::merge_wire::MergedRecord;
use crate::transitions::LegalAct;

/// A measure to ask for.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "coercive", "type": "pretrial_detention",
    "accused_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "requested_by": "prosecutor", "requested_on": "2026-03-16",
    "legal_act": {"type": "requerimiento", "number": "04-2026", "date": "2026-03-16"}}))]
pub struct MeasureCreate {
    /// `coercive` against an accused, `protective` for a victim.
    pub kind: MeasureKind,
    /// Code list `coercive_measure` or `protection_measure`.
    #[serde(rename = "type")]
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub type_code: String,
    /// Whom it restrains, of the case: coercive measures only.
    #[serde(default)]
    pub accused_id: Option<AccusedId>,
    /// Whom it protects, of the case: protective measures only.
    #[serde(default)]
    pub victim_id: Option<VictimId>,
    /// To which relatives the protection extends: code list `protected_relative`.
    #[validate(length(max = 6))]
    #[serde(default)]
    #[schema(max_items = 6)]
    pub extends_to: Vec<String>,
    /// Who asks: code list `actor`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub requested_by: String,
    /// When it was asked for.
    #[serde(default)]
    pub requested_on: Option<Day>,
    /// The act that asks.
    #[validate(nested)]
    #[serde(default)]
    pub legal_act: Option<LegalAct>,
    /// First day, as asked for.
    #[serde(default)]
    pub from_on: Option<Day>,
    /// Last day, as asked for.
    #[serde(default)]
    pub until_on: Option<Day>,
}

/// Corrections of a measure (merge patch, RFC 7396). Its state moves by transitions, its end by extension.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"until_on": "2026-12-15"}))]
pub struct MeasurePatch {
    /// Replaces the relatives to whom the protection extends.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 6)]
    pub extends_to: Field<Vec<String>>,
    /// Who asked.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub requested_by: Field<String>,
    /// When it was asked for.
    #[serde(default)]
    pub requested_on: Field<Day>,
    /// The act that asked.
    #[serde(default)]
    pub legal_act: Field<LegalAct>,
    /// First day.
    #[serde(default)]
    pub from_on: Field<Day>,
    /// Last day; once extended it moves by extension only.
    #[serde(default)]
    pub until_on: Field<Day>,
}

/// A move of a measure.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "grant", "granted_by": "inv_judge", "from_on": "2026-03-18", "until_on": "2026-12-17",
    "legal_act": {"type": "auto", "number": "3", "date": "2026-03-18"}}))]
pub struct MeasureTransitionCreate {
    /// What happens. `…/transitions/available` says what may.
    pub trigger: Trigger,
    /// The act on which it rests; required to grant, deny, extend, modify, revoke and lift.
    #[validate(nested)]
    #[serde(default)]
    pub legal_act: Option<LegalAct>,
    /// Who grants, extends or modifies: code list `actor`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub granted_by: Option<String>,
    /// How great the danger is, to evaluate it: code list `risk_level`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub risk_level: Option<String>,
    /// First day, to grant or put into force.
    #[serde(default)]
    pub from_on: Option<Day>,
    /// Last day, to grant, put into force or modify; required to extend, and later than the former one.
    #[serde(default)]
    pub until_on: Option<Day>,
    /// To which relatives the protection extends from now on, to modify.
    #[validate(length(max = 6))]
    #[serde(default)]
    #[schema(max_items = 6)]
    pub extends_to: Option<Vec<String>>,
    /// Day from which it counts; today if absent.
    #[serde(default)]
    pub effective_on: Option<PartialDate>,
    /// Why; required to record a breach. No names.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// A change of the last day while the measure ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = MeasureExtension)]
pub struct Extension {
    /// The last day before it.
    #[schema(required)]
    pub former_until_on: Option<Day>,
    /// The last day after it.
    pub until_on: Day,
    /// Who granted it.
    pub granted_by: String,
    /// Day from which it counts.
    #[schema(required)]
    pub effective_on: Option<PartialDate>,
    /// When it was registered.
    pub at: Timestamp,
}

/// A measure.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Measure, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "version": 3,
    "created_at": "2026-03-16T15:30:00.000Z", "updated_at": "2026-03-18T20:00:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d10", "kind": "coercive",
    "type": "pretrial_detention", "state": "in_force", "accused_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12",
    "victim_id": null, "extends_to": [], "requested_by": "prosecutor", "requested_on": "2026-03-16", "legal_act": null,
    "granted_by": "inv_judge", "risk_level": null, "from_on": "2026-03-18", "until_on": "2026-12-17", "expired": false,
    "extensions": [], "merged": [], "redacted": []}))]
pub struct MeasureView {
    /// The measure.
    pub id: MeasureId,
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
    /// `coercive` or `protective`.
    #[schema(value_type = String)]
    pub kind: MeasureKind,
    /// Type.
    #[serde(rename = "type")]
    pub type_code: String,
    /// Code list `measure_state`.
    #[schema(value_type = String)]
    pub state: State,
    /// Whom it restrains.
    #[schema(required)]
    pub accused_id: Option<AccusedId>,
    /// Whom it protects.
    #[schema(required)]
    pub victim_id: Option<VictimId>,
    /// To which relatives the protection extends.
    pub extends_to: Vec<String>,
    /// Who asked.
    pub requested_by: String,
    /// When it was asked for.
    #[schema(required)]
    pub requested_on: Option<Day>,
    /// The act that asked.
    #[schema(required)]
    pub legal_act: Option<LegalAct>,
    /// Who granted it.
    #[schema(required)]
    pub granted_by: Option<String>,
    /// How great the danger is.
    #[schema(required)]
    pub risk_level: Option<String>,
    /// First day.
    #[schema(required)]
    pub from_on: Option<Day>,
    /// Last day.
    #[schema(required)]
    pub until_on: Option<Day>,
    /// Whether it still counts as running though its last day has passed.
    pub expired: bool,
    /// Changes of its last day, oldest first.
    pub extensions: Vec<Extension>,
    /// The person, where the record named was merged into another one.
    pub merged: Vec<MergedRecord>,
    /// Pointers of what was withheld: nothing, of a measure.
    pub redacted: Vec<String>,
}

/// A page of measures.
#[derive(Debug, Serialize, ToSchema)]
pub struct MeasurePage {
    /// The measures.
    pub items: Vec<MeasureView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
