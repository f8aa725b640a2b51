//! SQLite's one writer: a thread that groups commits.
//!
//! It drains its bounded queue, opens one transaction, runs each job in a savepoint of its own, commits once
//! with `synchronous = FULL`, and only then answers. Nothing is acknowledged that is not on disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use diesel::connection::SimpleConnection;

use super::connection::Conn;
use crate::kernel::error::{Error, Result, Unavailable};

/// A queued write: runs in a savepoint, and is told its fate after the commit.
trait Job: Send {
    /// Runs; answers whether to keep the effect.
    fn run(&mut self, conn: &mut Conn) -> bool;
    /// Answers the caller: with the job's own result if the batch was committed, else with why it was not.
    fn finish(self: Box<Self>, commit: Result<()>);
}

struct Task<T, F, D> {
    work: Option<F>,
    outcome: Option<Result<T>>,
    done: D,
}

impl<T, F, D> Job for Task<T, F, D>
where
    T: Send,
    F: FnOnce(&mut Conn) -> Result<T> + Send,
    D: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, conn: &mut Conn) -> bool {
        let Some(work) = self.work.take() else { return false };
        let outcome =
            catch_unwind(AssertUnwindSafe(|| work(conn))).unwrap_or_else(|_| Err(Error::internal("panic in a write")));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn finish(self: Box<Self>, commit: Result<()>) {
        (self.done)(match (self.outcome, commit) {
            (Some(Err(own)), _) => Err(own),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (_, Err(e)) => Err(e),
            (None, Ok(())) => Err(Error::internal("a write was never run")),
        });
    }
}

/// Most jobs of one transaction: bounds the latency of the first one.
const BATCH: usize = 256;

/// The sending side. Dropping it ends the thread after the queue is empty.
pub struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on a connection of its own.
    pub fn start(conn: Conn, queue: usize) -> std::io::Result<Self> {
        let (sender, receiver) = sync_channel(queue);
        let thread = std::thread::Builder::new().name("sistra-writer".into()).spawn(move || run(conn, &receiver))?;
        Ok(Self { queue: Some(sender), thread: Some(thread) })
    }

    /// Queues a job. `done` is called with the job's answer once it is durable, or with why it is not.
    pub fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Result<()> {
        let task = Task { work: Some(job), outcome: None, done };
        let queue = self.queue.as_ref().ok_or(Error::Unavailable(Unavailable::Maintenance))?;
        queue.try_send(Box::new(task)).map_err(|e| match e {
            TrySendError::Full(_) => Error::Unavailable(Unavailable::Overloaded),
            TrySendError::Disconnected(_) => Error::Unavailable(Unavailable::Storage),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}

fn run(mut conn: Conn, queue: &Receiver<Box<dyn Job>>) {
    while let Ok(first) = queue.recv() {
        let mut jobs: Vec<Box<dyn Job>> = std::iter::once(first).chain(queue.try_iter().take(BATCH - 1)).collect();
        let fate = batch(&mut conn, &mut jobs);
        for job in jobs {
            job.finish(fate.clone());
        }
    }
}

fn batch(conn: &mut Conn, jobs: &mut [Box<dyn Job>]) -> Result<()> {
    if let Err(e) = conn.batch_execute("BEGIN IMMEDIATE") {
        return abandon(conn, &Error::from(e));
    }
    for job in jobs {
        if let Err(e) = conn.batch_execute("SAVEPOINT job") {
            return abandon(conn, &Error::from(e));
        }
        let end = if job.run(conn) { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
        // A full disk makes SQLite roll back the whole transaction by itself: then the savepoint is gone, and
        // nothing of this batch may be acknowledged.
        if let Err(e) = conn.batch_execute(end) {
            return abandon(conn, &Error::from(e));
        }
    }
    match conn.batch_execute("COMMIT") {
        Ok(()) => Ok(()),
        Err(e) => abandon(conn, &Error::from(e)),
    }
}

fn abandon(conn: &mut Conn, error: &Error) -> Result<()> {
    let _ = conn.batch_execute("ROLLBACK");
    log::error!(target: "sistra::db", "write batch rolled back: {error:?}");
    Err(storage(error))
}

fn storage(error: &Error) -> Error {
    match error {
        Error::Unavailable(Unavailable::Contention | Unavailable::Timeout) => Error::Unavailable(Unavailable::Overloaded),
        _ => Error::Unavailable(Unavailable::Storage),
    }
}
