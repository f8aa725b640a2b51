//! Who acts, on whose rows, when, and under which law: what every action needs and a retried transaction keeps.

use std::sync::Arc;

use crate::auth::Scope;
use crate::catalogue::Catalogue;
use crate::kernel::{AgencyCode, Timestamp};
use crate::ledger::Actor;

/// The circumstances of one action.
#[derive(Clone)]
pub struct Act {
    /// Who, for the ledger.
    pub actor: Actor,
    /// Whose rows.
    pub scope: Scope,
    /// When: taken once, so that a transaction that runs again writes the same instant.
    pub now: Timestamp,
    /// The law.
    pub catalogue: Arc<Catalogue>,
}

impl Act {
    /// The agency that acts.
    pub fn agency(&self) -> &AgencyCode {
        self.scope.agency()
    }
}
