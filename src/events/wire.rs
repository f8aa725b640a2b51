//! Bodies of the feed.

use serde::Serialize;
use utoipa::ToSchema;

use super::model::Event;
use crate::kernel::Timestamp;
use crate::kernel::ids::{EntryId, ResourceId};

/// Something happened to a record that the caller's agency sees. Nothing of what stands in it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ChangeEvent {
    /// The ledger entry: the same id in histories, in the audit list and in webhooks.
    pub id: EntryId,
    /// When it happened. Events come in the order in which the ledger sealed them, which may differ by moments.
    pub time: Timestamp,
    /// `case.updated`, `referral.accepted`, `access.revoked` … More types will come: pass over those that you do not know.
    #[serde(rename = "type")]
    #[schema(max_length = 120)]
    pub kind: String,
    /// Type of the record.
    #[schema(max_length = 60)]
    pub resource_type: String,
    /// The record. Of `case_victim`, `case_accused` and `access.*` the case.
    pub resource_id: ResourceId,
    /// Its version after the change; null where the event changed no version.
    #[schema(required, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub version: Option<i64>,
}

impl From<Event> for ChangeEvent {
    fn from(event: Event) -> Self {
        let Event { id, at, kind, resource_type, resource_id, version } = event;
        Self { id, time: at, kind, resource_type, resource_id, version }
    }
}

/// Events in sealed order, and where to go on.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "01a20f6a-b72c-7d3d-8000-a33e51fbe3d2", "time": "2026-03-16T09:00:00.000Z",
    "type": "case.created", "resource_type": "case", "resource_id": "01a20f6a-b72c-7d3d-8000-a33e51fbe3d1", "version": 1}],
    "next_cursor": "b3BhcXVlIGFuZCBzZWFsZWQ", "has_more": false}))]
pub struct EventPage {
    /// The events, at most `limit`.
    #[schema(max_items = 500)]
    pub items: Vec<ChangeEvent>,
    /// `after` of the next request: always there, also when there was nothing. Store it when you have dealt with the items.
    #[schema(max_length = 1024)]
    pub next_cursor: String,
    /// Whether more is there already: ask again at once.
    pub has_more: bool,
}
