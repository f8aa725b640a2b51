//! Bodies of the agency operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::{AgencyCode, Field, Timestamp};

/// A name in the three languages of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"es": "Fiscalía Especializada en Delitos de Trata de Personas de Lima",
    "en": "Lima Specialised Prosecution Office against Trafficking in Persons",
    "fr": "Parquet spécialisé contre la traite des personnes de Lima"}))]
pub struct AgencyNames {
    /// Spanish.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub es: String,
    /// English.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub en: String,
    /// French.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub fr: String,
}

/// An agency to register.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "code": "PE-MP-FISTRAP-TACNA",
    "names": {"es": "Fiscalía especializada contra la trata, Tacna", "en": "Specialised anti-trafficking prosecution, Tacna",
        "fr": "Parquet spécialisé contre la traite, Tacna"},
    "kind": "prosecutor",
    "country": "PE",
    "territory": "23",
    "parent": "PE-MP-FISTRAP"
}))]
pub struct AgencyCreate {
    /// Its code, for ever: 2–40 characters of `A–Z`, `0–9` and `-`.
    pub code: AgencyCode,
    /// Its names.
    #[validate(nested)]
    pub names: AgencyNames,
    /// Code list `agency_kind`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// ISO 3166-1 alpha-2; absent for an international body.
    #[validate(length(min = 2, max = 2))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 2)]
    pub country: Option<String>,
    /// UBIGEO prefix of its territory; the whole country if absent.
    #[validate(length(min = 2, max = 6))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 6)]
    pub territory: Option<String>,
    /// The agency that it is part of.
    #[serde(default)]
    pub parent: Option<AgencyCode>,
    /// Whether it supervises: its systems see every case, and no identity.
    #[serde(default)]
    pub oversight: bool,
    /// What can be asked of it: code list `service`.
    #[validate(length(max = 20))]
    #[serde(default)]
    #[schema(max_items = 20)]
    pub services: Vec<String>,
    /// First day of its activity; open if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$")]
    pub active_from: Option<chrono::NaiveDate>,
    /// Last day of its activity; open if absent.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$")]
    pub active_to: Option<chrono::NaiveDate>,
}

/// Changes to an agency (merge patch, RFC 7396). The code stays.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"services": ["shelter", "legal_aid"], "active_to": "2027-12-31"}))]
pub struct AgencyPatch {
    /// Replaces the names.
    #[serde(default)]
    pub names: Field<AgencyNames>,
    /// Kind.
    #[serde(default)]
    pub kind: Field<String>,
    /// Territory; null for the whole country.
    #[serde(default)]
    pub territory: Field<String>,
    /// The agency that it is part of.
    #[serde(default)]
    pub parent: Field<AgencyCode>,
    /// Whether it supervises.
    #[serde(default)]
    pub oversight: Field<bool>,
    /// Replaces the services.
    #[serde(default)]
    pub services: Field<Vec<String>>,
    /// First day of its activity.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$")]
    pub active_from: Field<chrono::NaiveDate>,
    /// Last day of its activity.
    #[serde(default)]
    #[schema(value_type = Option<String>, format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$")]
    pub active_to: Field<chrono::NaiveDate>,
}

/// An agency.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AgencyRecord)]
pub struct AgencyView {
    /// Its code.
    pub code: AgencyCode,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Its name in the language asked for.
    pub name: String,
    /// Its names.
    pub names: AgencyNames,
    /// Code list `agency_kind`.
    pub kind: String,
    /// ISO 3166-1 alpha-2; null for an international body.
    #[schema(required)]
    pub country: Option<String>,
    /// UBIGEO prefix; null for the whole country.
    #[schema(required)]
    pub territory: Option<String>,
    /// The agency that it is part of.
    #[schema(required)]
    pub parent: Option<AgencyCode>,
    /// Whether it supervises.
    pub oversight: bool,
    /// What can be asked of it.
    pub services: Vec<String>,
    /// First day of its activity.
    #[schema(required, value_type = Option<String>, format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$")]
    pub active_from: Option<chrono::NaiveDate>,
    /// Last day of its activity.
    #[schema(required, value_type = Option<String>, format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$")]
    pub active_to: Option<chrono::NaiveDate>,
}

/// An agency that is competent, and why.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompetentAgency {
    /// The agency.
    pub agency: AgencyView,
    /// `specialised_in_offence`, `offers_service`, `of_kind` or `general_prosecution`.
    pub competence: &'static str,
    /// How its territory lies to the place: `district`, `province`, `department`, `within`, `national` or `international`.
    pub reach: &'static str,
}

/// Those who are competent, the most fitting first.
#[derive(Debug, Serialize, ToSchema)]
pub struct CompetentAgencies {
    /// The agencies.
    pub items: Vec<CompetentAgency>,
}

/// A page of agencies.
#[derive(Debug, Serialize, ToSchema)]
pub struct AgencyPage {
    /// The agencies.
    pub items: Vec<AgencyView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
