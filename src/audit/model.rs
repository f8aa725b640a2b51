//! What is asked of the record. Pure.

use crate::auth::{Purpose, Scope};
use crate::kernel::ids::{ClientId, EntryId, ResourceId};
use crate::kernel::{AgencyCode, Timestamp};
use crate::ledger::leaf::Record;

/// What a list of entries is asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// What was done to this record, or seen of it.
    pub resource: Option<ResourceId>,
    /// To records of this type.
    pub resource_type: Option<String>,
    /// By this agency.
    pub agency: Option<AgencyCode>,
    /// By this partner system.
    pub client: Option<ClientId>,
    /// For this purpose.
    pub purpose: Option<Purpose>,
    /// From this instant on.
    pub from: Option<Timestamp>,
    /// Before this instant.
    pub to: Option<Timestamp>,
}

impl Filter {
    /// Whether the caller is shown this entry.
    pub fn admits(&self, scope: &Scope, entry: &Record) -> bool {
        let Self { resource, resource_type, agency, client, purpose, from, to } = self;
        let own = scope.oversight() || entry.agency_code.as_deref() == Some(scope.agency().as_str());
        own && resource.is_none_or(|r| r == entry.resource_id)
            && resource_type.as_ref().is_none_or(|t| *t == entry.resource_type)
            && agency.as_ref().is_none_or(|a| entry.agency_code.as_deref() == Some(a.as_str()))
            && client.is_none_or(|c| entry.client_id == Some(c))
            && purpose.is_none_or(|p| entry.purpose.as_deref() == Some(p.as_str()))
            && from.is_none_or(|f| entry.at >= f)
            && to.is_none_or(|t| entry.at < t)
    }

    /// Ids of entries made in the time asked for lie between these: an id begins with its millisecond. The first is in, the
    /// last is out. An id can be a little later than its entry, never earlier.
    pub fn bounds(&self) -> (EntryId, EntryId) {
        const LATER_MS: u64 = 60_000;
        let id = |ms: u64| EntryId::from_uuid(uuid::Uuid::from_u128(u128::from(ms.min(0xffff_ffff_ffff)) << 80));
        let low = self.from.map_or(0, Timestamp::unix_millis);
        let high = self.to.map_or(u64::MAX, |t| t.unix_millis().saturating_add(LATER_MS));
        (id(low), id(high))
    }
}
