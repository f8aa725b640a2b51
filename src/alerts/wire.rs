//! Bodies of the alert operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{AlertId, ClientId};
use crate::kernel::{AgencyCode, Timestamp};

/// What happens to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AuditAlertTrigger)]
pub enum Trigger {
    /// Oversight has looked into it.
    Acknowledge,
}

/// An acknowledgement.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = AuditAlertTransitionCreate, example = json!({"trigger": "acknowledge", "finding": "expected", "reference": "EXP-014-2026"}))]
pub struct AlertTransitionCreate {
    /// What happens.
    pub trigger: Trigger,
    /// Code list `alert_finding`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub finding: String,
    /// Number of the file in which it is looked into; no names.
    #[validate(length(min = 3, max = 50))]
    #[serde(default)]
    #[schema(min_length = 3, max_length = 50)]
    pub reference: Option<String>,
}

/// An alert: a client looked at more than its work explains, as its agency and oversight see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AuditAlert, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d19", "version": 1,
    "created_at": "2026-03-16T09:00:00.000Z", "updated_at": "2026-03-16T09:00:00.000Z", "agency": "PE-MIMP-INABIF",
    "client_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d15", "end_user": "turno-noche-4", "purpose": "assistance",
    "budget": "pii_subjects", "level": "warning", "used": 240, "quota": 300, "window_s": 86400,
    "window_from": "2026-03-16T02:11:00.000Z", "state": "open", "acknowledged_at": null, "acknowledged_by": null,
    "finding": null, "reference": null, "redacted": []}))]
pub struct AlertView {
    /// The alert.
    pub id: AlertId,
    /// Version.
    pub version: i64,
    /// When it was raised.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who looked: agency.
    pub agency: AgencyCode,
    /// Who looked: partner system.
    pub client_id: ClientId,
    /// Who looked: the person at its desk in whose request the budget came so far.
    #[schema(required)]
    pub end_user: Option<String>,
    /// Why that request was made: code list `purpose_of_use`.
    #[schema(required)]
    pub purpose: Option<String>,
    /// What was counted: code list `looking_budget`.
    pub budget: String,
    /// `warning` (most of the budget is used) or `exhausted` (more was asked for and refused).
    pub level: String,
    /// How much was used.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub used: i64,
    /// Of how much.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub quota: i64,
    /// In how many seconds.
    #[schema(minimum = 1, maximum = 86_400)]
    pub window_s: i64,
    /// Since when.
    pub window_from: Timestamp,
    /// `open` or `acknowledged`.
    pub state: String,
    /// When oversight acknowledged it.
    #[schema(required)]
    pub acknowledged_at: Option<Timestamp>,
    /// Who did.
    #[schema(required)]
    pub acknowledged_by: Option<AgencyCode>,
    /// What it was: code list `alert_finding`.
    #[schema(required)]
    pub finding: Option<String>,
    /// Number of the file in which it is looked into.
    #[schema(required)]
    pub reference: Option<String>,
    /// Pointers of what was withheld: nothing.
    pub redacted: Vec<String>,
}

/// Alerts, the first one first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditAlertPage)]
pub struct AlertPage {
    /// The alerts.
    pub items: Vec<AlertView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
