//! What an import is asked for, and the lines of its report.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model::Outcome;
use crate::http::lang::Lang;
use crate::http::problem::{FaultBody, fault};
use crate::kernel::ids::CaseId;

/// Form of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportFormat {
    /// One case a line, as JSON.
    Ndjson,
    /// One case a record; the header names the fields.
    Csv,
    /// IOM's HTCDS, in any of its files.
    Htcds,
}

/// What is to be done with a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportOrder {
    /// Its form.
    pub format: ImportFormat,
    /// Whether anything is written, or only looked at.
    pub commit: bool,
    /// Whether one wrong line stops all of them.
    pub atomic: bool,
}

/// One line of the report.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ImportReport, example = json!({"line": 1, "external_ref": "EXP-2026-001", "status": "created",
    "id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "changed": [], "errors": []}))]
pub struct ImportReportLine {
    /// Number of the line, from 1.
    #[schema(minimum = 1)]
    pub line: u64,
    /// The agency's own key of the case; null where the line could not be read.
    #[schema(required, max_length = 100)]
    pub external_ref: Option<String>,
    /// `created`, `updated`, `unchanged`, `rejected`, or `not_applied` (another line of an atomic import is wrong).
    #[schema(max_length = 20)]
    pub status: String,
    /// The case; null where there is none.
    #[schema(required)]
    pub id: Option<CaseId>,
    /// What an `updated` line changed; pointers are of the line's JSON: a field, or a person or charge that was added.
    #[schema(max_items = 1000)]
    pub changed: Vec<String>,
    /// Everything that is wrong with the line; pointers are of the line's JSON.
    #[schema(max_items = 100)]
    pub errors: Vec<FaultBody>,
}

/// Most faults of one line.
const MOST: usize = 100;
/// Most changes of one line.
const MOST_CHANGED: usize = 1_000;

impl ImportReportLine {
    /// What became of a line, in a language.
    pub fn new(outcome: &Outcome, lang: Lang) -> Self {
        let Outcome { line, external_ref, status, id, changed, faults } = outcome;
        Self {
            line: *line,
            external_ref: external_ref.clone(),
            status: status.as_str().to_owned(),
            id: *id,
            changed: changed.iter().take(MOST_CHANGED).cloned().collect(),
            errors: faults.iter().take(MOST).map(|f| fault(f, lang)).collect(),
        }
    }
}
