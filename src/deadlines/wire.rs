//! Bodies of the deadline operations.

use serde::Serialize;
use utoipa::ToSchema;

use crate::kernel::Day;
use crate::kernel::ids::{CaseId, MeasureId};

/// A legal time limit that runs.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Deadline, example = json!({"case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "case_code": "TP-2026-7F3K9QXM-4",
    "limit_id": "PE-NCPP-IP-SIMPLE", "label": "Investigación preparatoria", "basis": "NCPP 342.1", "subject": "case_stage",
    "code": "formal_investigation", "measure_id": null, "starts_on": "2026-05-04", "due_on": "2026-09-01",
    "day_type": "calendar", "extended": false, "days_left": 12, "overdue": false, "verified": false}))]
pub struct DeadlineView {
    /// The case.
    pub case_id: CaseId,
    /// The case's speakable reference.
    pub case_code: String,
    /// The limit, as `/v1/catalogues/jurisdictions/{code}` has it.
    pub limit_id: String,
    /// What must be done, or end, in the caller's language.
    pub label: String,
    /// Articles and rulings.
    pub basis: String,
    /// What it is about: `case_stage`, `transition` or `measure`.
    pub subject: &'static str,
    /// The stage, trigger or type of measure.
    pub code: String,
    /// The measure, where it is about one.
    #[schema(required)]
    pub measure_id: Option<MeasureId>,
    /// The day of the event, which does not count.
    pub starts_on: Day,
    /// The last day.
    pub due_on: Day,
    /// Which days were counted: `calendar` or `working`.
    pub day_type: &'static str,
    /// Whether an extension is in it.
    pub extended: bool,
    /// Calendar days until the last one; negative when it has passed.
    pub days_left: i64,
    /// Whether the last day has passed.
    pub overdue: bool,
    /// False where the limit was written from memory and must be checked against the law's text.
    pub verified: bool,
}

/// A page of deadlines, the first to end at the top.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeadlinePage {
    /// The deadlines.
    pub items: Vec<DeadlineView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
