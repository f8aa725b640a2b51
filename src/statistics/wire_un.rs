//! Bodies of the tables for the United Nations and of the quality of data. Shapes only.

use serde::Serialize;
use utoipa::ToSchema;

use super::wire::{StatisticsAsOf, StatisticsScope};
use crate::kernel::Day;

/// One row of UNODC's long format.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct GlotipRow {
    /// `Detected trafficking victims`, `Persons prosecuted`, `Persons convicted`.
    #[schema(max_length = 60)]
    pub indicator: &'static str,
    /// `Total`, `by form of exploitation`, `by citizenship`. The same persons stand under each; only `Total` is unduplicated.
    #[schema(max_length = 60)]
    pub dimension: &'static str,
    /// Category in that dimension; countries as ISO 3166-1 alpha-2.
    #[schema(max_length = 60)]
    pub category: String,
    /// `Total`, `Female`, `Male`, `Other`, `Unknown`.
    #[schema(max_length = 20)]
    pub sex: &'static str,
    /// `Total`, `0 to 17 years`, `18 years or over`, `Unknown`.
    #[schema(max_length = 20)]
    pub age: &'static str,
    /// Persons.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub value: u64,
}

/// What UNODC's questionnaire (GLOTIP) asks of a year.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"year": 2025, "unit": "persons", "scope": {"cases": "all", "agency": null}, "as_of": {"position": 5120, "at": "2026-11-24T16:42:07.123Z", "skipped": 0},
    "items": [{"indicator": "Detected trafficking victims", "dimension": "Total", "category": "Total", "sex": "Female", "age": "0 to 17 years", "value": 512}]}))]
pub struct GlotipTable {
    /// The year of the report; of convictions, that of the judgment.
    #[schema(minimum = 1990, maximum = 2200)]
    pub year: i32,
    /// `persons`.
    #[schema(max_length = 20)]
    pub unit: &'static str,
    /// Which cases it is about.
    pub scope: StatisticsScope,
    /// Up to where it is complete.
    pub as_of: StatisticsAsOf,
    /// The rows.
    #[schema(max_items = 20000)]
    pub items: Vec<GlotipRow>,
}

/// One row of the classification of trafficking in persons for statistics.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct IcTipRow {
    /// `event`, `victim`, `perpetrator`, `reporting_entity`.
    #[schema(max_length = 40)]
    pub block: &'static str,
    /// Variable.
    #[schema(max_length = 60)]
    pub variable: &'static str,
    /// Category: the code of this registry.
    #[schema(max_length = 60)]
    pub category: String,
    /// The standard that numbers it: `ICCS`, `ISIC Rev. 4`, `ISO 3166-1 alpha-2`, `UBIGEO`; null where none does.
    #[schema(required, max_length = 40)]
    pub standard: Option<&'static str>,
    /// Its number there.
    #[schema(required, max_length = 60)]
    pub standard_code: Option<String>,
    /// Events (files), persons or records, by the block.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub value: u64,
}

/// The blocks of IC-TIP for a year.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"year": 2025, "scope": {"cases": "all", "agency": null}, "as_of": {"position": 5120, "at": "2026-11-24T16:42:07.123Z", "skipped": 0},
    "items": [{"block": "victim", "variable": "sex", "category": "female", "standard": null, "standard_code": null, "value": 1031},
        {"block": "event", "variable": "form_of_exploitation", "category": "sexual", "standard": "ICCS", "standard_code": "02041", "value": 640}]}))]
pub struct IcTipTable {
    /// The year of the report; of convictions, that of the judgment.
    #[schema(minimum = 1990, maximum = 2200)]
    pub year: i32,
    /// Which cases it is about.
    pub scope: StatisticsScope,
    /// Up to where it is complete.
    pub as_of: StatisticsAsOf,
    /// The rows.
    #[schema(max_items = 20000)]
    pub items: Vec<IcTipRow>,
}

/// A row of SDG 16.2.2.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct SdgRow {
    /// `Total`, `Female`, `Male`, `Other`, `Unknown`.
    #[schema(max_length = 20)]
    pub sex: &'static str,
    /// `Total`, `0 to 17 years`, `18 years or over`, `Unknown`.
    #[schema(max_length = 20)]
    pub age: &'static str,
    /// `Total`, or a group of forms.
    #[schema(max_length = 60)]
    pub form: &'static str,
    /// Detected victims.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub value: u64,
    /// Residents of that sex and age; null where the table of population does not say, or the caller does not see all cases.
    #[schema(required, minimum = 1, maximum = 10_000_000_000_i64)]
    pub population: Option<u64>,
    /// Victims per 100,000 of them, in thousandths: 4282 is 4.282. Null without a population.
    #[schema(required, minimum = 0, maximum = 100_000_000_i64)]
    pub rate_milli: Option<u64>,
}

/// Detected victims by sex, age and form, and per 100,000 residents: SDG 16.2.2.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"year": 2025, "indicator": "16.2.2", "scope": {"cases": "all", "agency": null}, "as_of": {"position": 5120, "at": "2026-11-24T16:42:07.123Z", "skipped": 0},
    "population_source": "INEI", "population_verified": false,
    "items": [{"sex": "Total", "age": "Total", "form": "Total", "value": 1430, "population": 33396698, "rate_milli": 4282},
        {"sex": "Female", "age": "0 to 17 years", "form": "Sexual exploitation", "value": 402, "population": null, "rate_milli": null}]}))]
pub struct SdgTable {
    /// The year of the report.
    #[schema(minimum = 1990, maximum = 2200)]
    pub year: i32,
    /// `16.2.2`.
    #[schema(max_length = 10)]
    pub indicator: &'static str,
    /// Which cases it is about.
    pub scope: StatisticsScope,
    /// Up to where it is complete.
    pub as_of: StatisticsAsOf,
    /// Who says how many people there are; null where the table of population has no line of the year.
    #[schema(required, max_length = 400)]
    pub population_source: Option<String>,
    /// Whether that was read there; null without a source.
    #[schema(required)]
    pub population_verified: Option<bool>,
    /// The rows; the numerator is always there.
    #[schema(max_items = 20000)]
    pub items: Vec<SdgRow>,
}

/// How often a field is filled.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FieldCompleteness {
    /// Resource and field.
    #[schema(max_length = 60)]
    pub field: &'static str,
    /// Records where it is recorded; `refused` counts, `unknown` and `not_asked` do not.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub recorded: u64,
    /// Records in all.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub of: u64,
    /// Of a thousand.
    #[schema(minimum = 0, maximum = 1000)]
    pub per_thousand: u64,
}

/// What contradicts itself, or is missing where procedure needs it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Inconsistency {
    /// `no_victim`, `adult_without_means`, `child_exploitation_without_minor`, `formalised_without_charge`,
    /// `judged_without_verdict`, `registered_before_report`.
    #[schema(max_length = 60)]
    pub issue: &'static str,
    /// Cases.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub cases: u64,
}

/// The quality of the cases that an agency owns.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AgencyQuality {
    /// The agency.
    #[schema(max_length = 40)]
    pub agency: String,
    /// Its cases.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub cases: u64,
    /// Completeness, field by field.
    #[schema(max_items = 50)]
    pub completeness: Vec<FieldCompleteness>,
    /// Half of its cases were registered so many days after the report.
    #[schema(required)]
    pub days_median: Option<i64>,
    /// Nine tenths.
    #[schema(required)]
    pub days_p90: Option<i64>,
    /// Contradictions.
    #[schema(max_items = 50)]
    pub inconsistencies: Vec<Inconsistency>,
}

/// The quality of data: of one's own cases, or of every agency's for oversight.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"from": null, "to": null, "scope": {"cases": "agency", "agency": "PE-MP-FISTRAP-LIMA"}, "as_of": {"position": 5120, "at": "2026-11-24T16:42:07.123Z", "skipped": 0},
    "items": [{"agency": "PE-MP-FISTRAP-LIMA", "cases": 301, "days_median": 2, "days_p90": 19,
        "completeness": [{"field": "victim.age_at_identification", "recorded": 470, "of": 512, "per_thousand": 917}],
        "inconsistencies": [{"issue": "formalised_without_charge", "cases": 3}]}]}))]
pub struct QualityTable {
    /// First day of the report that counts.
    #[schema(required)]
    pub from: Option<Day>,
    /// Last day of the report that counts.
    #[schema(required)]
    pub to: Option<Day>,
    /// Which cases it is about: here only those that the agency owns.
    pub scope: StatisticsScope,
    /// Up to where it is complete.
    pub as_of: StatisticsAsOf,
    /// One per agency.
    #[schema(max_items = 20000)]
    pub items: Vec<AgencyQuality>,
}
