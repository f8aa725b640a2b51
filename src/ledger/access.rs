//! The access record: a read of personal data leaves the server only after its entry is on disk.
//!
//! Concurrent readers share one commit: SQLite's writer groups what it is given, and for PostgreSQL a thread drains a
//! queue and writes what it finds in one transaction.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};

use tokio::sync::oneshot;

use super::append::{Row, append_rows};
use super::entry::{Actor, Entry};
use crate::db::Store;
use crate::kernel::Timestamp;
use crate::kernel::error::{Error, Result, Unavailable};
use crate::kernel::ids::EntryId;

/// Most reads whose entries share one insert.
const BATCH: usize = 512;

#[derive(Debug)]
struct Waiting {
    rows: Vec<Row>,
    done: oneshot::Sender<Result<()>>,
}

/// The door to the access record. Cheap to clone; dropping the last clone ends its thread.
#[derive(Clone, Debug)]
pub struct AccessLog(Door);

#[derive(Clone, Debug)]
enum Door {
    /// The writer itself is the queue.
    Sqlite(Store),
    Postgres(SyncSender<Waiting>),
}

impl AccessLog {
    /// Opens it. One thread for PostgreSQL: while a batch commits the next one forms, and a second thread would only
    /// make batches half as long.
    pub fn start(store: &Store) -> std::io::Result<Self> {
        if store.is_sqlite() {
            return Ok(Self(Door::Sqlite(store.clone())));
        }
        let (queue, receiver) = sync_channel(8192);
        let store = store.clone();
        std::thread::Builder::new().name("sistra-access".into()).spawn(move || run(&store, &receiver))?;
        Ok(Self(Door::Postgres(queue)))
    }

    /// The rows of an access entry, and its id.
    pub fn rows(actor: &Actor, now: Timestamp, entry: Entry) -> Result<(EntryId, Vec<Row>)> {
        let persons = entry.of_persons();
        let row = Row::of(actor, now, entry)?;
        let id = row.id();
        let persons = persons.into_iter().map(|person| Row::of(actor, now, person));
        Ok((id, std::iter::once(Ok(row)).chain(persons).collect::<Result<Vec<_>>>()?))
    }

    /// Appends an access entry; returns once it is durable. A read that cannot be recorded is refused.
    pub async fn record(&self, actor: &Actor, now: Timestamp, entry: Entry) -> Result<EntryId> {
        let (id, rows) = Self::rows(actor, now, entry)?;
        self.append(rows).await?;
        Ok(id)
    }

    /// Appends rows; returns once they are durable.
    pub async fn append(&self, rows: Vec<Row>) -> Result<()> {
        let fate = match &self.0 {
            Door::Sqlite(store) => store.write(move |tx| append_rows(tx, &rows)).await,
            Door::Postgres(queue) => {
                let (done, durable) = oneshot::channel();
                queue.try_send(Waiting { rows, done }).map_err(|e| match e {
                    TrySendError::Full(_) => Error::Unavailable(Unavailable::Overloaded),
                    TrySendError::Disconnected(_) => Error::Unavailable(Unavailable::Audit),
                })?;
                durable.await.unwrap_or(Err(Error::Unavailable(Unavailable::Audit)))
            }
        };
        match fate {
            Ok(()) => Ok(()),
            Err(Error::Unavailable(Unavailable::Overloaded)) => Err(Error::Unavailable(Unavailable::Overloaded)),
            Err(_) => Err(Error::Unavailable(Unavailable::Audit)),
        }
    }
}

fn run(store: &Store, queue: &Receiver<Waiting>) {
    while let Ok(first) = queue.recv() {
        let batch = std::iter::once(first).chain(queue.try_iter().take(BATCH - 1));
        let (rows, waiting): (Vec<Vec<Row>>, Vec<_>) = batch.map(|w| (w.rows, w.done)).unzip();
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        let fate = store.write_blocking(move |tx| append_rows(tx, &rows));
        for done in waiting {
            // The reader may have gone; its access is recorded all the same.
            let _ = done.send(fate.clone());
        }
    }
}
