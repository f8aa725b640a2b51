//! The answer of the totals. Shapes only.

use serde::Serialize;
use utoipa::ToSchema;

use crate::fundings::wire::FundingSum;
use crate::kernel::AgencyCode;
use crate::reunifications::wire::ReunificationTotals;
use crate::trainings::wire::TrainingTotals;

/// Whose figures an answer holds.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"persons": "agency", "agency": "INT-IOM", "programmes": "registry"}))]
pub struct ProgrammeScope {
    /// Of help to persons: `agency`, what the caller's agency registered or gave; `registry`, what everybody did, for
    /// oversight.
    pub persons: String,
    /// The caller's agency.
    pub agency: AgencyCode,
    /// Of campaigns, trainings and fundings: always `registry`, everybody's.
    pub programmes: String,
}

/// Persons helped with one need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AssistanceByNeed, example = json!({"need": "shelter", "persons": 4, "services": 5}))]
pub struct ByNeed {
    /// Code list `service`.
    pub need: String,
    /// Victims, each once.
    pub persons: i64,
    /// Services.
    pub services: i64,
}

/// Persons helped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"persons": 6, "services": 9, "by_need": [{"need": "shelter", "persons": 4, "services": 5}]}))]
pub struct AssistanceTotals {
    /// Victims who were given a service, each once.
    pub persons: i64,
    /// Services given.
    pub services: i64,
    /// By need; who had two is counted in both.
    pub by_need: Vec<ByNeed>,
}

/// Persons reunited in one country.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReunificationsByCountry, example = json!({"country": "US", "victims": 6, "persons": 6}))]
pub struct ByCountry {
    /// Where (ISO 3166-1 alpha-2).
    pub country: String,
    /// Victims whom somebody joined, each once.
    pub victims: i64,
    /// Relatives reunited with them.
    pub persons: i64,
}

/// Persons reunited.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ReunitedTotals, example = json!({"reunifications": 6, "victims": 6, "persons": 6, "by_country": [{"country": "US", "victims": 6, "persons": 6}]}))]
pub struct Reunited {
    /// All of them.
    #[serde(flatten)]
    pub all: ReunificationTotals,
    /// By country.
    pub by_country: Vec<ByCountry>,
}

/// The totals of the programmes in some years.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"year_from": 2012, "year_to": 2012,
    "scope": {"persons": "agency", "agency": "INT-IOM", "programmes": "registry"},
    "assistance": {"persons": 6, "services": 9, "by_need": [{"need": "visa_support", "persons": 6, "services": 6}]},
    "reunifications": {"reunifications": 6, "victims": 6, "persons": 6, "by_country": [{"country": "US", "victims": 6, "persons": 6}]},
    "trainings": {"trainings": 2, "participants": 80, "by_profession": [{"code": "judge", "participants": 20},
    {"code": "police", "participants": 30}, {"code": "prosecutor", "participants": 30}],
    "by_sex": [{"code": "female", "participants": 41}, {"code": "male", "participants": 39}]}, "campaigns": 1,
    "fundings": [{"donor": "CA", "year": 2012, "currency": "CAD", "fundings": 1, "amount_minor": 25000000, "allocated_minor": 1500000}],
    "redacted": []}))]
pub struct ProgrammeTotals {
    /// First year, included; null from the beginning.
    #[schema(required)]
    pub year_from: Option<i16>,
    /// Last year, included; null to the end.
    #[schema(required)]
    pub year_to: Option<i16>,
    /// Whose figures these are.
    pub scope: ProgrammeScope,
    /// Persons helped: a service was given in these years. Null without the scope `assistance:read`.
    #[schema(required)]
    pub assistance: Option<AssistanceTotals>,
    /// Persons reunited in these years. Null without the scope `assistance:read`.
    #[schema(required)]
    pub reunifications: Option<Reunited>,
    /// Trainings that began in these years, and who took part.
    pub trainings: TrainingTotals,
    /// Campaigns that were held in these years: begun, and not over before them.
    pub campaigns: i64,
    /// Money for these years, by donor, year and currency.
    pub fundings: Vec<FundingSum>,
    /// Pointers of what was withheld from this caller.
    pub redacted: Vec<String>,
}
