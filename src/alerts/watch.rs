//! The access record under watch: every look passes here, is counted, and is refused where its budget is used up.

use std::sync::Arc;

use super::actions;
use super::model::{Alarm, Budget};
use crate::db::Store;
use crate::http::looking::Looking;
use crate::kernel::ids::EntryId;
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::{AccessLog, Actor, Entry};

/// The access record, its counters and the way to the desks of those who must hear of it.
pub struct Watch {
    log: AccessLog,
    looking: Arc<Looking>,
    store: Store,
}

impl Watch {
    /// Over an access record.
    pub fn new(log: AccessLog, looking: Looking, store: Store) -> Self {
        Self { log, looking: Arc::new(looking), store }
    }

    /// The counters.
    pub fn looking(&self) -> &Looking {
        &self.looking
    }

    /// Appends an access entry; returns once it is durable. A list is counted by what it shows, and not shown where the
    /// budget of lists is used up. A read that cannot be recorded is refused.
    pub async fn record(&self, actor: &Actor, now: Timestamp, entry: Entry) -> Result<EntryId> {
        let budget = match entry.resource_type {
            "case_list" => Some(Budget::ListedCases),
            _ if entry.persons => Some(Budget::ListedPersons),
            _ => None,
        };
        if let (Some(budget), Some(client)) = (budget, actor.client) {
            let looked = self.looking.listed(client, budget, entry.payload.shown.len(), now);
            self.raise(actor, now, looked.alarms).await?;
            looked.room?;
        }
        self.log.record(actor, now, entry).await
    }

    /// Raises alerts; they are on the desks when this returns, whether the caller waits for its answer or not.
    pub async fn raise(&self, actor: &Actor, now: Timestamp, alarms: Vec<Alarm>) -> Result<()> {
        for alarm in alarms {
            let (store, looking, actor) = (self.store.clone(), Arc::clone(&self.looking), actor.clone());
            let raised = actix_rt::spawn(async move {
                let raised = actions::raise(&store, &actor, now, alarm.clone()).await;
                if raised.is_err() {
                    // The next look tries again.
                    looking.untold(&alarm);
                }
                raised
            });
            raised.await.map_err(|_| Error::internal("an alert was not raised"))??;
        }
        Ok(())
    }
}
