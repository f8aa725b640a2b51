//! Bodies of the training operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::TrainingId;
use crate::kernel::{AgencyCode, Field, PartialDate, Timestamp};

/// How many of one profession, sex and district took part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"profession": "judge", "sex": "female", "district": "PE-DF-LIMA-CENTRO", "count": 12}))]
pub struct ParticipantGroup {
    /// Code list `profession`.
    #[schema(min_length = 1, max_length = 40)]
    pub profession: String,
    /// Code list `sex`.
    #[schema(min_length = 1, max_length = 40)]
    pub sex: String,
    /// Fiscal district; null where it was not recorded.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub district: Option<String>,
    /// How many persons.
    #[schema(minimum = 1, maximum = 100_000)]
    pub count: i32,
}

/// What a test before or after showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"taken": 78, "passed": 31, "mean_permille": 462}))]
pub struct TestResult {
    /// How many took it.
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub taken: i32,
    /// How many passed it.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub passed: Option<i32>,
    /// Mean result in thousandths of the best possible one.
    #[schema(minimum = 0, maximum = 1_000)]
    pub mean_permille: i32,
}

/// A training to register.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"title": "Investigación y juzgamiento de la trata de personas", "starts_on": "2012-05", "ends_on": "2012-09",
    "territory": "150101", "hours": 24, "organisers": ["INT-IOM", "PE-MP"], "funders": ["CA"],
    "participants": [{"profession": "judge", "sex": "female", "district": "PE-DF-LIMA-CENTRO", "count": 12},
    {"profession": "prosecutor", "sex": "male", "count": 18}, {"profession": "police", "sex": "unknown", "count": 50}],
    "pre_test": {"taken": 80, "passed": 31, "mean_permille": 462}, "post_test": {"taken": 78, "passed": 70, "mean_permille": 815}}))]
pub struct TrainingCreate {
    /// What it was about.
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// When it began, as far as known. Its year is the one in which it is counted.
    pub starts_on: PartialDate,
    /// When it ended.
    #[serde(default)]
    pub ends_on: Option<PartialDate>,
    /// Where: UBIGEO code.
    #[serde(default)]
    #[schema(min_length = 2, max_length = 6)]
    pub territory: Option<String>,
    /// Where, in words.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub place: Option<String>,
    /// Hours of teaching.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 2_000)]
    pub hours: Option<i32>,
    /// Agencies that held it.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub organisers: Vec<AgencyCode>,
    /// Who paid: agencies, and governments by their country (two letters).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub funders: Vec<AgencyCode>,
    /// Who took part. Each profession, sex and district once.
    #[serde(default)]
    #[schema(max_items = 400)]
    pub participants: Vec<ParticipantGroup>,
    /// The test before.
    #[serde(default)]
    pub pre_test: Option<TestResult>,
    /// The test after.
    #[serde(default)]
    pub post_test: Option<TestResult>,
}

/// Corrections of a training (merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"hours": 30}))]
pub struct TrainingPatch {
    /// What it was about.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub title: Field<String>,
    /// When it began.
    #[serde(default)]
    pub starts_on: Field<PartialDate>,
    /// When it ended.
    #[serde(default)]
    pub ends_on: Field<PartialDate>,
    /// Where: UBIGEO code.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 2, max_length = 6)]
    pub territory: Field<String>,
    /// Where, in words.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub place: Field<String>,
    /// Hours of teaching.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 1, maximum = 2_000)]
    pub hours: Field<i32>,
    /// Replaces the organisers.
    #[serde(default)]
    #[schema(value_type = Option<Vec<AgencyCode>>, max_items = 20)]
    pub organisers: Field<Vec<AgencyCode>>,
    /// Replaces the funders.
    #[serde(default)]
    #[schema(value_type = Option<Vec<AgencyCode>>, max_items = 20)]
    pub funders: Field<Vec<AgencyCode>>,
    /// Replaces the participants.
    #[serde(default)]
    #[schema(value_type = Option<Vec<ParticipantGroup>>, max_items = 400)]
    pub participants: Field<Vec<ParticipantGroup>>,
    /// The test before.
    #[serde(default)]
    pub pre_test: Field<TestResult>,
    /// The test after.
    #[serde(default)]
    pub post_test: Field<TestResult>,
}

/// How many of one code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"code": "judge", "participants": 20}))]
pub struct ParticipantCount {
    /// The code.
    pub code: String,
    /// How many persons.
    pub participants: i64,
}

/// Participants, computed from the groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"participants": 80, "by_profession": [{"code": "judge", "participants": 20},
    {"code": "police", "participants": 30}, {"code": "prosecutor", "participants": 30}],
    "by_sex": [{"code": "female", "participants": 41}, {"code": "male", "participants": 39}]}))]
pub struct ParticipantTotals {
    /// Everybody.
    pub participants: i64,
    /// By profession, in order of the code.
    pub by_profession: Vec<ParticipantCount>,
    /// By sex, in order of the code.
    pub by_sex: Vec<ParticipantCount>,
}

/// A training.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Training, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d18", "version": 1,
    "created_at": "2012-09-16T15:30:00.000Z", "updated_at": "2012-09-16T15:30:00.000Z", "owner_agency": "INT-IOM",
    "title": "Investigación y juzgamiento de la trata de personas", "starts_on": "2012-05", "ends_on": "2012-09",
    "territory": "150101", "place": null, "hours": 24, "organisers": ["INT-IOM", "PE-MP"], "funders": ["CA"],
    "participants": [{"profession": "judge", "sex": "female", "district": "PE-DF-LIMA-CENTRO", "count": 12}],
    "pre_test": null, "post_test": null, "totals": {"participants": 12, "by_profession": [{"code": "judge", "participants": 12}],
    "by_sex": [{"code": "female", "participants": 12}]}}))]
pub struct TrainingView {
    /// The training.
    pub id: TrainingId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whose record it is.
    pub owner_agency: AgencyCode,
    /// What it was about.
    pub title: String,
    /// When it began.
    pub starts_on: PartialDate,
    /// When it ended.
    #[schema(required)]
    pub ends_on: Option<PartialDate>,
    /// Where: UBIGEO code.
    #[schema(required)]
    pub territory: Option<String>,
    /// Where, in words.
    #[schema(required)]
    pub place: Option<String>,
    /// Hours of teaching.
    #[schema(required)]
    pub hours: Option<i32>,
    /// Agencies that held it.
    pub organisers: Vec<AgencyCode>,
    /// Who paid.
    pub funders: Vec<AgencyCode>,
    /// Who took part.
    pub participants: Vec<ParticipantGroup>,
    /// The test before.
    #[schema(required)]
    pub pre_test: Option<TestResult>,
    /// The test after.
    #[schema(required)]
    pub post_test: Option<TestResult>,
    /// Participants, computed.
    pub totals: ParticipantTotals,
}

/// The totals of a list, over all its pages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"trainings": 2, "participants": 80, "by_profession": [{"code": "judge", "participants": 20},
    {"code": "police", "participants": 30}, {"code": "prosecutor", "participants": 30}],
    "by_sex": [{"code": "female", "participants": 41}, {"code": "male", "participants": 39}]}))]
pub struct TrainingTotals {
    /// Trainings.
    pub trainings: i64,
    /// Participants: of the professions asked for, or of all. Who took part in two trainings is counted in both.
    #[serde(flatten)]
    pub participants: ParticipantTotals,
}

/// A page of trainings, and the totals of the whole list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [], "next_cursor": null, "totals": {"trainings": 2, "participants": 80, "by_profession": [
    {"code": "judge", "participants": 20}, {"code": "police", "participants": 30}, {"code": "prosecutor", "participants": 30}],
    "by_sex": [{"code": "female", "participants": 41}, {"code": "male", "participants": 39}]}}))]
pub struct TrainingPage {
    /// The trainings.
    pub items: Vec<TrainingView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// The totals of the list, over all its pages.
    pub totals: TrainingTotals,
}
