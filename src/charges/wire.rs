//! Bodies of the charge operations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::verdicts::{Reparation, Verdict};
use crate::kernel::ids::{AccusedId, CaseId, ChargeId, VictimId};
use crate::kernel::{AgencyCode, Day, Field, Timestamp};
use crate::persons::merge_wire::MergedRecord;
use crate::transitions::LegalAct;

/// A charge within a new case: accused and victims are named by their labels.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"accused": "a1", "offence_code": "PE-CP-129-A", "role": "author", "victims": ["v1"]}))]
pub struct InlineChargeCreate {
    /// Label of the accused.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub accused: String,
    /// Offence; the version is that of the day of the facts.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub offence_code: String,
    /// The article as the file names it; checked against the day of the facts, and the fault says which it was.
    #[validate(length(min = 1, max = 20))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 20)]
    pub article: Option<String>,
    /// Code list `role`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub role: String,
    /// Incisos of the article.
    #[validate(length(max = 30))]
    #[serde(default)]
    #[schema(max_items = 30)]
    pub aggravators: Vec<String>,
    /// Labels of the victims concerned.
    #[validate(length(max = 200))]
    #[serde(default)]
    #[schema(max_items = 200)]
    pub victims: Vec<String>,
}

/// A charge to add to a case.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "accused_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12",
    "offence_code": "PE-CP-129-A", "role": "author"}))]
pub struct ChargeCreate {
    /// The case.
    pub case_id: CaseId,
    /// The accused, one of the case.
    pub accused_id: AccusedId,
    /// Offence; the version is that of the day of the facts.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub offence_code: String,
    /// The article as the file names it; checked against the day of the facts, and the fault says which it was.
    #[validate(length(min = 1, max = 20))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 20)]
    pub article: Option<String>,
    /// Code list `role`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub role: String,
    /// Incisos of the article.
    #[validate(length(max = 30))]
    #[serde(default)]
    #[schema(max_items = 30)]
    pub aggravators: Vec<String>,
    /// The victims concerned, of the case.
    #[validate(length(max = 200))]
    #[serde(default)]
    #[schema(max_items = 200)]
    pub victims: Vec<VictimId>,
}

/// Changes to a charge (merge patch, RFC 7396). Another offence is a recharacterisation: the former one is kept.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"offence_code": "PE-CP-129-B", "aggravators": ["PE-CP-129-B.1.4"]}))]
pub struct ChargePatch {
    /// Offence; the version is that of the day of the facts.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub offence_code: Field<String>,
    /// Code list `role`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub role: Field<String>,
    /// Replaces the incisos.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 30)]
    pub aggravators: Field<Vec<String>>,
    /// Replaces the victims concerned.
    #[serde(default)]
    #[schema(value_type = Option<Vec<VictimId>>, max_items = 200)]
    pub victims: Field<Vec<VictimId>>,
    /// Replaces civil reparation: what is claimed, awarded and paid, per head.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Reparation>>, max_items = 20)]
    pub reparation: Field<Vec<Reparation>>,
}

/// What a charge was before it was given another offence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Recharacterisation {
    /// The offence that it was.
    pub offence_code: String,
    /// Its version.
    pub offence_version: String,
    /// The article's number then.
    pub article: String,
    /// Incisos.
    pub aggravators: Vec<String>,
    /// Until when.
    pub until: Timestamp,
}

/// A charge.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Charge)]
pub struct ChargeView {
    /// The charge.
    pub id: ChargeId,
    /// Version.
    pub version: i64,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// Who registered it.
    pub created_by_agency: AgencyCode,
    /// The case.
    pub case_id: CaseId,
    /// The accused; absent where not granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub accused_id: Option<AccusedId>,
    /// Offence.
    pub offence_code: String,
    /// Its version, by the day of the facts.
    pub offence_version: String,
    /// The article's number then.
    pub article: String,
    /// Role.
    pub role: String,
    /// Incisos.
    pub aggravators: Vec<String>,
    /// State.
    pub state: String,
    /// The victims concerned; absent where not granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub victims: Option<Vec<VictimId>>,
    /// What it was before, oldest first.
    pub recharacterisations: Vec<Recharacterisation>,
    /// The last verdict; all of them under `/verdicts`.
    #[schema(required)]
    pub verdict: Option<Verdict>,
    /// Civil reparation as it stands, per head.
    pub reparation: Vec<Reparation>,
    /// The charge of another file that this one was.
    #[schema(required)]
    pub continues: Option<ChargeId>,
    /// The charge of another file that this one became; it moves there, no longer here.
    #[schema(required)]
    pub continued_as: Option<ChargeId>,
    /// Of the accused and victims named, those whose record was merged into another one.
    pub merged: Vec<MergedRecord>,
    /// Pointers of what was withheld.
    pub redacted: Vec<String>,
}

/// The charges of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct ChargePage {
    /// The charges.
    pub items: Vec<ChargeView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A move of one charge.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "archive", "legal_act": {"type": "disposicion", "number": "03-2026", "date": "2026-05-02"}}))]
pub struct ChargeTransitionCreate {
    /// Trigger of the jurisdiction's profile.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    pub trigger: String,
    /// The act on which it rests.
    #[validate(nested)]
    pub legal_act: LegalAct,
    /// Day from which it counts; today, where the law is, if absent.
    #[serde(default)]
    pub effective_on: Option<Day>,
    /// Why.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}
