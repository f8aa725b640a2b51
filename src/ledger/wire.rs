//! Bodies that show a record's history.

use serde::Serialize;
use utoipa::ToSchema;

use super::append::{Event, What};
use crate::kernel::Timestamp;
use crate::kernel::ids::{ClientId, EntryId};

/// One change of a record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct HistoryEvent {
    /// Ledger entry.
    pub id: EntryId,
    /// When.
    pub at: Timestamp,
    /// `case.created`, `charge.updated` …
    #[serde(rename = "type")]
    pub kind: String,
    /// Who: agency.
    #[schema(required)]
    pub agency: Option<String>,
    /// Who: partner system.
    #[schema(required)]
    pub client_id: Option<ClientId>,
    /// Version after the change.
    #[schema(required)]
    pub version: Option<i64>,
    /// Pointers of the fields that changed.
    pub changed: Vec<String>,
    /// Trigger of a transition.
    #[schema(required)]
    pub trigger: Option<String>,
    /// State before.
    #[schema(required)]
    pub from: Option<String>,
    /// State after.
    #[schema(required)]
    pub to: Option<String>,
    /// Agency let in or shut out.
    #[schema(required)]
    pub other_agency: Option<String>,
}

/// A record's history, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryPage {
    /// The changes.
    pub items: Vec<HistoryEvent>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl From<Event> for HistoryEvent {
    fn from(event: Event) -> Self {
        let Event { id, at, client, agency, resource_type, action, version, what } = event;
        let What { changed, trigger, from, to, agency: other_agency, emergency: _ } = what;
        Self {
            id,
            at,
            kind: format!("{resource_type}.{action}"),
            agency,
            client_id: client,
            version,
            changed,
            trigger,
            from,
            to,
            other_agency,
        }
    }
}
