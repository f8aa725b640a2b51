//! Bodies of the legal-hold operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{AccusedId, CaseId, LegalHoldId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Timestamp};

/// A hold on a case or on a person: name one.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "ground": "appeal", "basis": "EXP-00123-2026",
    "reason": "La sentencia fue impugnada y la sala pidió conservar lo actuado."}))]
pub struct LegalHoldCreate {
    /// The case: all its persons are held with it.
    #[serde(default)]
    pub case_id: Option<CaseId>,
    /// The victim.
    #[serde(default)]
    pub victim_id: Option<VictimId>,
    /// The accused.
    #[serde(default)]
    pub accused_id: Option<AccusedId>,
    /// Code list `legal_hold_ground`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub ground: String,
    /// Reference of the order or file on which it rests: 3–60 of letters, digits and `. _ / -`, a digit among them; no names.
    #[validate(length(min = 3, max = 60))]
    #[schema(min_length = 3, max_length = 60, pattern = "^[A-Za-z0-9._/-]*[0-9][A-Za-z0-9._/-]*$")]
    pub basis: String,
    /// In words.
    #[schema(value_type = String, min_length = 10, max_length = 2000)]
    pub reason: Pii<String>,
}

/// What happens to a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LegalHoldTrigger)]
pub enum Trigger {
    /// It is no longer needed.
    Lift,
}

/// The end of a hold.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "lift", "reason": "La sentencia quedó firme y la sala ya no lo necesita."}))]
pub struct LegalHoldTransitionCreate {
    /// What happens.
    pub trigger: Trigger,
    /// Why.
    #[schema(value_type = String, min_length = 10, max_length = 2000)]
    pub reason: Pii<String>,
}

/// A legal hold.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = LegalHold, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d18", "version": 1,
    "created_at": "2026-03-16T09:00:00.000Z", "updated_at": "2026-03-16T09:00:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "active": true, "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11",
    "victim_id": null, "accused_id": null, "ground": "appeal", "basis": "EXP-00123-2026",
    "reason": "La sentencia fue impugnada y la sala pidió conservar lo actuado.", "lifted_at": null, "lift_reason": null,
    "redacted": []}))]
pub struct LegalHoldView {
    /// The hold.
    pub id: LegalHoldId,
    /// Version.
    pub version: i64,
    /// When it was placed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who placed it, and alone can lift it.
    pub created_by_agency: AgencyCode,
    /// Whether it holds.
    pub active: bool,
    /// The case.
    #[schema(required)]
    pub case_id: Option<CaseId>,
    /// The victim.
    #[schema(required)]
    pub victim_id: Option<VictimId>,
    /// The accused.
    #[schema(required)]
    pub accused_id: Option<AccusedId>,
    /// Code list `legal_hold_ground`.
    pub ground: String,
    /// Reference of the order or file on which it rests.
    pub basis: String,
    /// In words; null where it was erased with the person.
    #[schema(required, value_type = Option<String>)]
    pub reason: Option<Pii<String>>,
    /// When it was lifted.
    #[schema(required)]
    pub lifted_at: Option<Timestamp>,
    /// Why.
    #[schema(required, value_type = Option<String>)]
    pub lift_reason: Option<Pii<String>>,
    /// Pointers of what was withheld.
    pub redacted: Vec<String>,
}

/// The holds on the caller's cases and persons (on all of them, for oversight).
#[derive(Debug, Serialize, ToSchema)]
pub struct LegalHoldPage {
    /// The holds, the first one first.
    pub items: Vec<LegalHoldView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
