//! The access record: a read of personal data leaves the server only after its entry is on disk.
//!
//! Concurrent readers share one insert: a thread drains the queue and writes what it finds in one transaction.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::append::{Row, append_rows};
use super::entry::{Actor, Entry};
use crate::db::Store;
use crate::kernel::Timestamp;
use crate::kernel::error::{Error, Result, Unavailable};
use crate::kernel::ids::EntryId;

/// Most reads whose entries share one insert.
const BATCH: usize = 512;

struct Waiting {
    rows: Vec<Row>,
    done: oneshot::Sender<Result<()>>,
}

/// The door to the access record. Cheap to clone; dropping the last clone ends its threads.
#[derive(Clone, Debug)]
pub struct AccessLog {
    queue: SyncSender<Waiting>,
}

impl AccessLog {
    /// Starts the threads. PostgreSQL gets two, so that one batch forms while another commits.
    pub fn start(store: &Store) -> std::io::Result<Self> {
        let (queue, receiver) = sync_channel(8192);
        let receiver = Arc::new(Mutex::new(receiver));
        for n in 0..if store.is_sqlite() { 1 } else { 2 } {
            let (store, receiver) = (store.clone(), Arc::clone(&receiver));
            std::thread::Builder::new().name(format!("sistra-access-{n}")).spawn(move || run(&store, &receiver))?;
        }
        Ok(Self { queue })
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
        let (done, durable) = oneshot::channel();
        self.queue.try_send(Waiting { rows, done }).map_err(|e| match e {
            TrySendError::Full(_) => Error::Unavailable(Unavailable::Overloaded),
            TrySendError::Disconnected(_) => Error::Unavailable(Unavailable::Audit),
        })?;
        match durable.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) | Err(_) => Err(Error::Unavailable(Unavailable::Audit)),
        }
    }
}

fn run(store: &Store, queue: &Mutex<Receiver<Waiting>>) {
    loop {
        let batch: Vec<Waiting> = {
            let Ok(queue) = queue.lock() else { return };
            let Ok(first) = queue.recv() else { return };
            std::iter::once(first).chain(queue.try_iter().take(BATCH - 1)).collect()
        };
        let (rows, waiting): (Vec<Vec<Row>>, Vec<_>) = batch.into_iter().map(|w| (w.rows, w.done)).unzip();
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        let fate = store.write_blocking(move |tx| append_rows(tx, &rows));
        for done in waiting {
            // The reader may have gone; its access is recorded all the same.
            let _ = done.send(fate.clone());
        }
    }
}
