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
            (Some(outcome), Ok(())) => outcome,
            // A refusal too: it may rest on what an earlier job of the batch wrote, and that is gone.
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

#[cfg(test)]
mod tests {
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::db::connection::{DatabaseUrl, Role, open};

    type Work = Box<dyn FnOnce(&mut Conn) -> Result<()> + Send>;

    /// A batch of a job that holds the writer until the others are queued, and the others.
    fn run_together(writer: &Writer, jobs: Vec<Work>) -> Vec<Result<()>> {
        let (go, wait) = sync_channel::<()>(0);
        let (answers, all) = sync_channel(16);
        let hold = move |_: &mut Conn| wait.recv().map_err(|_| Error::internal("no signal"));
        writer.submit(hold, |_| ()).unwrap();
        let count = jobs.len();
        for (n, job) in jobs.into_iter().enumerate() {
            let answers = answers.clone();
            writer.submit(job, move |outcome| answers.send((n, outcome)).unwrap()).unwrap();
        }
        go.send(()).unwrap();
        let mut outcomes: Vec<(usize, Result<()>)> = all.iter().take(count).collect();
        outcomes.sort_by_key(|(n, _)| *n);
        outcomes.into_iter().map(|(_, outcome)| outcome).collect()
    }

    #[test]
    fn when_the_commit_fails_every_caller_of_the_batch_is_told_so_and_nothing_stays() {
        let url = DatabaseUrl::Sqlite(":memory:".into());
        let mut conn = open(&url, Role::Write, 1_000).unwrap();
        conn.batch_execute("CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (p INTEGER REFERENCES p (id))").unwrap();
        let writer = Writer::start(conn, 16).unwrap();
        let sql = |text: &'static str| -> Work { Box::new(move |c| Ok(c.batch_execute(text)?)) };
        let refuse: Work = Box::new(|_| Err(Error::NotFound));
        // The parent is missing, and looked for only at the commit.
        let spoil = sql("PRAGMA defer_foreign_keys = ON; INSERT INTO c VALUES (7)");
        let outcomes = run_together(&writer, vec![sql("INSERT INTO p VALUES (1)"), refuse, spoil]);
        assert_eq!(outcomes, vec![Err(Error::Unavailable(Unavailable::Storage)); 3]);
        let refuse: Work = Box::new(|_| Err(Error::NotFound));
        let outcomes = run_together(&writer, vec![sql("INSERT INTO p VALUES (1)"), refuse, sql("INSERT INTO c VALUES (1)")]);
        assert_eq!(outcomes, [Ok(()), Err(Error::NotFound), Ok(())], "the writer goes on, and the first try left nothing");
    }
}
