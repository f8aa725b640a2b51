//! Bodies of the accused operations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::AccusedId;
use crate::kernel::{AgencyCode, Timestamp};

/// A suspect to register in a case.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "natural_person", "sex": "male", "nationalities": ["PE"]}))]
pub struct AccusedCreate {
    /// A name for this person within this request only, for charges to point at.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub label: Option<String>,
    /// Code list `accused_kind`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// Code list `sex`; `unknown` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub sex: Option<String>,
    /// Code list `age_band`; `unknown` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub age_band: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[validate(length(max = 5))]
    #[serde(default)]
    #[schema(max_items = 5)]
    pub nationalities: Vec<String>,
    /// Trade or profession.
    #[validate(length(min = 1, max = 120))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    pub occupation: Option<String>,
}

/// A suspect or defendant, pseudonymous.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Accused)]
pub struct AccusedView {
    /// The accused.
    pub id: AccusedId,
    /// Version.
    pub version: i64,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// Who registered her or him.
    pub created_by_agency: AgencyCode,
    /// Speakable reference.
    pub code: String,
    /// Natural or legal person, or not identified.
    pub kind: String,
    /// Sex.
    pub sex: String,
    /// Age band.
    pub age_band: String,
    /// Nationalities.
    pub nationalities: Vec<String>,
    /// Trade or profession.
    #[schema(required)]
    pub occupation: Option<String>,
}

/// The accused of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccusedPage {
    /// The accused.
    pub items: Vec<AccusedView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
