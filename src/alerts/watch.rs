//! The access record under watch: every look passes here, is counted, and is refused where its budget is used up.

use std::sync::{Arc, Mutex, PoisonError};

use super::actions;
use super::model::{Alarm, Budget};
use crate::db::Store;
use crate::http::looking::Looking;
use crate::kernel::ids::EntryId;
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::append::Row;
use crate::ledger::{AccessLog, Actor, Entry};

/// The access record, its counters and the way to the desks of those who must hear of it.
#[derive(Clone)]
pub struct Watch {
    log: AccessLog,
    looking: Arc<Looking>,
    store: Store,
    later: Option<Later>,
}

/// What the looks of a batch leave. It is written when the batch's transaction has ended, well or badly: what was looked at
/// was looked at, and while it runs it holds SQLite's writer, for which the record would wait.
#[derive(Clone, Debug, Default)]
pub struct Later(Arc<Mutex<Left>>);

#[derive(Debug, Default)]
struct Left {
    rows: Vec<Row>,
    alarms: Vec<(Actor, Timestamp, Alarm)>,
}

impl Later {
    fn with<T>(&self, change: impl FnOnce(&mut Left) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Watch {
    /// Over an access record.
    pub fn new(log: AccessLog, looking: Looking, store: Store) -> Self {
        Self { log, looking: Arc::new(looking), store, later: None }
    }

    /// The same for the operations of a batch: everything is counted at once and written by [`Watch::settle`].
    pub fn within(&self, later: &Later) -> Self {
        Self { later: Some(later.clone()), ..self.clone() }
    }

    /// Writes what the looks of a batch have left, whatever became of it; durable when this returns.
    pub async fn settle(&self, later: &Later) -> Result<()> {
        let Left { rows, alarms } = later.with(std::mem::take);
        for (actor, now, alarm) in alarms {
            self.raise(&actor, now, vec![alarm]).await?;
        }
        if rows.is_empty() { Ok(()) } else { self.log.append(rows).await }
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
        let Some(later) = &self.later else { return self.log.record(actor, now, entry).await };
        let (id, rows) = AccessLog::rows(actor, now, entry)?;
        later.with(|left| left.rows.extend(rows));
        Ok(id)
    }

    /// Raises alerts; they are on the desks when this returns, whether the caller waits for its answer or not. Those of a
    /// batch are when it is settled.
    pub async fn raise(&self, actor: &Actor, now: Timestamp, alarms: Vec<Alarm>) -> Result<()> {
        if let Some(later) = &self.later {
            later.with(|left| left.alarms.extend(alarms.into_iter().map(|alarm| (actor.clone(), now, alarm))));
            return Ok(());
        }
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
