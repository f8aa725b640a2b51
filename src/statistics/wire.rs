//! Bodies of the statistics operations. Shapes only.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::{Day, Timestamp};

/// Up to where a figure is complete.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatisticsAsOf {
    /// Entries of the record that are in it: position in the sealed order.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub position: i64,
    /// When the last of them was made; null in a registry without entries.
    #[schema(required)]
    pub at: Option<Timestamp>,
    /// Cases that could not be read: they count as they were read last, or not at all. 0 where all is well.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub skipped: u64,
}

/// Which cases a figure is about.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatisticsScope {
    /// `all` for oversight; `agency`: the cases that the caller's agency may see, of those shared with it only the sections
    /// and victims that it was granted. Cases opened in an emergency do not count.
    #[schema(max_length = 10)]
    pub cases: &'static str,
    /// The agency; null for oversight.
    #[schema(required, max_length = 40)]
    pub agency: Option<String>,
}

/// A filter that was applied.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatisticsFilter {
    /// Dimension.
    #[schema(max_length = 40)]
    pub dimension: &'static str,
    /// Any of these values.
    #[schema(max_items = 50)]
    pub values: Vec<String>,
}

/// A cell that is not empty.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct StatisticsCell {
    /// One value per dimension, in their order.
    #[schema(max_items = 3)]
    pub values: Vec<String>,
    /// How many.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub count: u64,
}

/// A table of exact counts.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"subject": "victims", "unit": "persons", "by": ["sex", "minority"], "from": "2026-01-01", "to": "2026-12-31",
    "filters": [{"dimension": "form", "values": ["sexual"]}], "scope": {"cases": "agency", "agency": "PE-MP-FISTRAP-LIMA"},
    "as_of": {"position": 5120, "at": "2026-11-24T16:42:07.123Z", "skipped": 0}, "total": 31,
    "items": [{"values": ["female", "adult"], "count": 18}, {"values": ["female", "minor"], "count": 11}, {"values": ["male", "presumed_minor"], "count": 2}]}))]
pub struct StatisticsTable {
    /// What is counted: `cases`, `victims`, `accused` or `charges`.
    #[schema(max_length = 20)]
    pub subject: &'static str,
    /// What one of it is: `cases`, `persons` or `charges`. A person counts once in a cell and once in the total, however
    /// many cases it is in; so cells may add up to more than the total.
    #[schema(max_length = 20)]
    pub unit: &'static str,
    /// Dimensions of the cells.
    #[schema(max_items = 3)]
    pub by: Vec<&'static str>,
    /// First day of the report that counts.
    #[schema(required)]
    pub from: Option<Day>,
    /// Last day of the report that counts.
    #[schema(required)]
    pub to: Option<Day>,
    /// Filters.
    #[schema(max_items = 30)]
    pub filters: Vec<StatisticsFilter>,
    /// Which cases it is about.
    pub scope: StatisticsScope,
    /// Up to where it is complete.
    pub as_of: StatisticsAsOf,
    /// How many in all, each once.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub total: u64,
    /// The cells that are not empty. `not_recorded` stands where nobody wrote anything; `unknown`, `not_asked` and `refused`
    /// are what somebody wrote.
    #[schema(max_items = 20000)]
    pub items: Vec<StatisticsCell>,
}

/// How many files reached a step of procedure, and how many days after the report.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct FunnelStep {
    /// `reported`, `formalised`, `accused`, `tried`, `judged`.
    #[schema(max_length = 20)]
    pub step: &'static str,
    /// Files that reached it, also by leaping over it (a plea, an immediate process).
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub cases: u64,
    /// Of a thousand reported.
    #[schema(minimum = 0, maximum = 1000)]
    pub per_thousand: u64,
    /// A quarter of them took at most so many days (nearest rank).
    #[schema(required)]
    pub days_p25: Option<i64>,
    /// Half of them.
    #[schema(required)]
    pub days_median: Option<i64>,
    /// Three quarters.
    #[schema(required)]
    pub days_p75: Option<i64>,
    /// Nine tenths.
    #[schema(required)]
    pub days_p90: Option<i64>,
}

/// How far files get, from the report to the sentence.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"from": "2023-01-01", "to": "2023-12-31", "filters": [], "scope": {"cases": "all", "agency": null},
    "as_of": {"position": 5120, "at": "2026-11-24T16:42:07.123Z", "skipped": 0}, "convicted": 61, "archived": 540,
    "items": [{"step": "reported", "cases": 1000, "per_thousand": 1000, "days_p25": 0, "days_median": 0, "days_p75": 0, "days_p90": 0},
        {"step": "formalised", "cases": 310, "per_thousand": 310, "days_p25": 24, "days_median": 38, "days_p75": 55, "days_p90": 71}]}))]
pub struct StatisticsFunnel {
    /// First day of the report that counts.
    #[schema(required)]
    pub from: Option<Day>,
    /// Last day of the report that counts.
    #[schema(required)]
    pub to: Option<Day>,
    /// Filters.
    #[schema(max_items = 30)]
    pub filters: Vec<StatisticsFilter>,
    /// Which cases it is about.
    pub scope: StatisticsScope,
    /// Up to where it is complete.
    pub as_of: StatisticsAsOf,
    /// Files in which somebody stands convicted, finally or not, as far as the caller sees charges.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub convicted: u64,
    /// Files archived or dismissed before any judgment.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub archived: u64,
    /// The steps, in order.
    #[schema(max_items = 10)]
    pub items: Vec<FunnelStep>,
}

/// Persons on one way.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Flow {
    /// Country of birth, or the first nationality: ISO 3166-1 alpha-2, or `not_recorded`.
    #[schema(max_length = 20)]
    pub origin: String,
    /// Department of the exploitation, or `not_recorded`.
    #[schema(max_length = 20)]
    pub destination: String,
    /// Victims, each once per way.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub persons: u64,
}

/// Where victims come from and where they were exploited.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"from": null, "to": null, "filters": [], "scope": {"cases": "all", "agency": null},
    "as_of": {"position": 5120, "at": "2026-11-24T16:42:07.123Z", "skipped": 0},
    "items": [{"origin": "PE", "destination": "17", "persons": 210}, {"origin": "VE", "destination": "15", "persons": 180}]}))]
pub struct StatisticsFlows {
    /// First day of the report that counts.
    #[schema(required)]
    pub from: Option<Day>,
    /// Last day of the report that counts.
    #[schema(required)]
    pub to: Option<Day>,
    /// Filters.
    #[schema(max_items = 30)]
    pub filters: Vec<StatisticsFilter>,
    /// Which cases it is about.
    pub scope: StatisticsScope,
    /// Up to where it is complete.
    pub as_of: StatisticsAsOf,
    /// The ways.
    #[schema(max_items = 20000)]
    pub items: Vec<Flow>,
}
