//! What an export is asked for.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::Timestamp;

/// Kinds of record that can be taken out, each into a file of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportType {
    /// Cases.
    Case,
    /// Victims in their cases, pseudonymous.
    Victim,
    /// Accused persons, pseudonymous.
    Accused,
    /// Charges.
    Charge,
    /// Referrals of the agency's two boxes.
    Referral,
}

/// Form of the files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// One record a line, as JSON.
    #[default]
    Ndjson,
    /// One record a line, under a header of paths.
    Csv,
    /// IOM's HTCDS as CSV: one file, a row for each victim and accused of the agency's own cases.
    HtcdsCsv,
    /// The same as a workbook like IOM's template.
    HtcdsXlsx,
    /// The same as JSON.
    HtcdsJson,
}

/// An export to make.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"types": ["case", "victim", "charge"], "format": "ndjson", "reported_from": "2026-01-01T00:00:00.000Z"}))]
pub struct ExportCreate {
    /// What is taken out; each kind needs the scope of its own list. A file of HTCDS is of `case`, `victim` and
    /// `accused`, and says who they are.
    #[validate(length(min = 1, max = 5))]
    #[schema(min_items = 1, max_items = 5)]
    pub types: Vec<ExportType>,
    /// Form of the files; `ndjson` if absent.
    #[serde(default)]
    pub format: ExportFormat,
    /// Whether the files say who victims and accused are. Needs the scopes `exports.identity:create` and those of the
    /// identities, and shows 1,000 persons at most.
    #[serde(default)]
    pub identities: bool,
    /// Only cases reported at or after.
    #[serde(default)]
    pub reported_from: Option<Timestamp>,
    /// Only cases reported before.
    #[serde(default)]
    pub reported_to: Option<Timestamp>,
    /// Only cases changed at or after.
    #[serde(default)]
    pub updated_from: Option<Timestamp>,
}
