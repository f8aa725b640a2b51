//! What a request leaves behind on its way: shared by whoever decides what is seen, whoever writes the ledger and
//! whoever answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ids::{BreakGlassId, EntryId};

/// The marks of one request; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Trail(Arc<Mutex<Marks>>);

#[derive(Debug, Default)]
struct Marks {
    emergency: Option<BreakGlassId>,
    entry: Option<EntryId>,
}

impl Trail {
    fn marks(&self) -> MutexGuard<'_, Marks> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something is in sight because glass was broken.
    pub fn under(&self, emergency: BreakGlassId) {
        self.marks().emergency = Some(emergency);
    }

    /// The emergency under which the request saw what it saw; none if it saw nothing but its own.
    pub fn emergency(&self) -> Option<BreakGlassId> {
        self.marks().emergency
    }

    /// A change was written into the ledger. A transaction that runs again writes a new entry: the last one counts.
    pub fn wrote(&self, entry: EntryId) {
        self.marks().entry = Some(entry);
    }

    /// The entry of the change, for the header `Audit-Event-Id`. Only an answer of success may show it: whoever failed
    /// may have written one that was rolled back.
    pub fn entry(&self) -> Option<EntryId> {
        self.marks().entry
    }
}
