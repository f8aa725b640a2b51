//! SQLite's one writer: a thread that groups commits.
//!
//! It drains its bounded queue, runs what it finds in one transaction, commits once with `synchronous = FULL`, and only
//! then answers. Nothing is acknowledged that is not on disk.
//!
//! A savepoint around each job makes SQLite keep a copy of every page that the job touches, a quarter of the time of a
//! write. So a batch runs without them first; where a job refuses, all of it is rolled back and runs again, each job in
//! a savepoint of its own. After that the next batches go carefully from the start: who sends nothing but refusals
//! does not make the others work twice.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use diesel::connection::SimpleConnection;

use super::connection::Conn;
use crate::kernel::error::{Error, Result, Unavailable};

/// A queued write: runs in the batch's transaction, and is told its fate after the commit.
trait Job: Send {
    /// Runs; answers whether to keep the effect.
    fn run(&mut self, conn: &mut Conn) -> bool;
    /// Whether it can run once more after its effect was rolled back.
    fn repeats(&self) -> bool;
    /// Answers the caller: with the job's own result if the batch was committed, else with why it was not.
    fn finish(self: Box<Self>, commit: Result<()>);
}

struct Task<T, W, D> {
    work: W,
    outcome: Option<Result<T>>,
    done: D,
}

/// What a task does: as often as it must, or once.
trait Work<T>: Send {
    const REPEATS: bool;
    fn work(&mut self, conn: &mut Conn) -> Result<T>;
}

struct Repeatable<F>(F);

impl<T, F: Fn(&mut Conn) -> Result<T> + Send> Work<T> for Repeatable<F> {
    const REPEATS: bool = true;

    fn work(&mut self, conn: &mut Conn) -> Result<T> {
        (self.0)(conn)
    }
}

struct Single<F>(Option<F>);

impl<T, F: FnOnce(&mut Conn) -> Result<T> + Send> Work<T> for Single<F> {
    const REPEATS: bool = false;

    fn work(&mut self, conn: &mut Conn) -> Result<T> {
        self.0.take().ok_or_else(|| Error::internal("a write that can run once was to run again"))?(conn)
    }
}

impl<T, W, D> Job for Task<T, W, D>
where
    T: Send,
    W: Work<T>,
    D: FnOnce(Result<T>) + Send,
{
    fn run(&mut self, conn: &mut Conn) -> bool {
        let work = &mut self.work;
        let outcome =
            catch_unwind(AssertUnwindSafe(|| work.work(conn))).unwrap_or_else(|_| Err(Error::internal("panic in a write")));
        let keep = outcome.is_ok();
        self.outcome = Some(outcome);
        keep
    }

    fn repeats(&self) -> bool {
        W::REPEATS
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
/// Batches that go carefully from the start after one in which a job refused.
const CAREFUL: u32 = 16;

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

    /// Queues a job that may run more than once. `done` is called with its answer once it is durable, or with why it is
    /// not.
    pub fn submit<T: Send + 'static>(
        &self,
        job: impl Fn(&mut Conn) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Result<()> {
        self.queue(Box::new(Task { work: Repeatable(job), outcome: None, done }))
    }

    /// The same for a job that can run once only.
    pub fn submit_once<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
        done: impl FnOnce(Result<T>) + Send + 'static,
    ) -> Result<()> {
        self.queue(Box::new(Task { work: Single(Some(job)), outcome: None, done }))
    }

    fn queue(&self, job: Box<dyn Job>) -> Result<()> {
        let queue = self.queue.as_ref().ok_or(Error::Unavailable(Unavailable::Maintenance))?;
        queue.try_send(job).map_err(|e| match e {
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
    let mut careful = 0;
    while let Ok(first) = queue.recv() {
        let mut jobs: Vec<Box<dyn Job>> = std::iter::once(first).chain(queue.try_iter().take(BATCH - 1)).collect();
        let fate = batch(&mut conn, &mut jobs, &mut careful);
        for job in jobs {
            job.finish(fate.clone());
        }
    }
}

fn batch(conn: &mut Conn, jobs: &mut [Box<dyn Job>], careful: &mut u32) -> Result<()> {
    if let [only] = jobs {
        return alone(conn, only.as_mut());
    }
    if *careful == 0 && jobs.iter().all(|job| job.repeats()) {
        match boldly(conn, jobs) {
            Ok(true) => return Ok(()),
            Ok(false) => *careful = CAREFUL,
            Err(e) => return abandon(conn, &e),
        }
    }
    *careful = careful.saturating_sub(1);
    carefully(conn, jobs).or_else(|e| abandon(conn, &e))
}

/// One job is its own transaction.
fn alone(conn: &mut Conn, job: &mut dyn Job) -> Result<()> {
    if let Err(e) = conn.batch_execute("BEGIN IMMEDIATE") {
        return abandon(conn, &Error::from(e));
    }
    if !job.run(conn) {
        // Its own answer says why. A full disk has made SQLite roll back already.
        let _ = conn.batch_execute("ROLLBACK");
        return Ok(());
    }
    conn.batch_execute("COMMIT").or_else(|e| abandon(conn, &Error::from(e)))
}

/// All jobs, without savepoints; false where one of them refused, and then nothing of any has stayed.
fn boldly(conn: &mut Conn, jobs: &mut [Box<dyn Job>]) -> Result<bool> {
    conn.batch_execute("BEGIN IMMEDIATE")?;
    if jobs.iter_mut().all(|job| job.run(conn)) {
        conn.batch_execute("COMMIT")?;
        return Ok(true);
    }
    // A full disk has made SQLite roll back already.
    let _ = conn.batch_execute("ROLLBACK");
    Ok(false)
}

/// Each job in a savepoint of its own.
fn carefully(conn: &mut Conn, jobs: &mut [Box<dyn Job>]) -> Result<()> {
    conn.batch_execute("BEGIN IMMEDIATE")?;
    for job in jobs {
        conn.batch_execute("SAVEPOINT job")?;
        let end = if job.run(conn) { "RELEASE job" } else { "ROLLBACK TO job; RELEASE job" };
        // A full disk makes SQLite roll back the whole transaction by itself: then the savepoint is gone, and
        // nothing of this batch may be acknowledged.
        conn.batch_execute(end)?;
    }
    conn.batch_execute("COMMIT")?;
    Ok(())
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

    type Work = Box<dyn Fn(&mut Conn) -> Result<()> + Send>;

    /// A batch of a job that holds the writer until the others are queued, and the others.
    fn run_together(writer: &Writer, jobs: Vec<Work>) -> Vec<Result<()>> {
        let (go, wait) = sync_channel::<()>(0);
        let (answers, all) = sync_channel(16);
        // It may run again, when nobody is left who would give the signal.
        let hold = move |_: &mut Conn| {
            let _ = wait.recv();
            Ok(())
        };
        writer.submit(hold, |_| ()).unwrap();
        let count = jobs.len();
        for (n, job) in jobs.into_iter().enumerate() {
            let answers = answers.clone();
            writer.submit(job, move |outcome| answers.send((n, outcome)).unwrap()).unwrap();
        }
        go.send(()).unwrap();
        drop(go);
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

    #[test]
    fn a_refusal_takes_nothing_from_its_neighbours_whichever_way_the_batch_goes() {
        use std::sync::Arc;
        use std::sync::atomic::{AtomicUsize, Ordering};
        let url = DatabaseUrl::Sqlite(":memory:".into());
        let mut conn = open(&url, Role::Write, 1_000).unwrap();
        conn.batch_execute("CREATE TABLE p (id INTEGER PRIMARY KEY)").unwrap();
        let writer = Writer::start(conn, 16).unwrap();
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = |text: &'static str| -> Work {
            let runs = Arc::clone(&runs);
            Box::new(move |c| {
                runs.fetch_add(1, Ordering::Relaxed);
                Ok(c.batch_execute(text)?)
            })
        };
        let late = || -> Work {
            Box::new(|c| {
                c.batch_execute("INSERT INTO p VALUES (99)")?;
                Err(Error::NotFound)
            })
        };
        let jobs = vec![counted("INSERT INTO p VALUES (1)"), late(), counted("INSERT INTO p VALUES (2)")];
        assert_eq!(run_together(&writer, jobs), [Ok(()), Err(Error::NotFound), Ok(())]);
        assert_eq!(runs.swap(0, Ordering::Relaxed), 3, "the first one boldly, then both in savepoints");
        // What refuses after another refusal costs nobody a second run.
        let jobs = vec![counted("INSERT INTO p VALUES (3)"), late(), counted("INSERT INTO p VALUES (4)")];
        assert_eq!(run_together(&writer, jobs), [Ok(()), Err(Error::NotFound), Ok(())]);
        assert_eq!(runs.swap(0, Ordering::Relaxed), 2);
        // Alone in its batch.
        let (answers, all) = sync_channel(2);
        let answer = answers.clone();
        writer.submit(late(), move |outcome| answer.send(outcome).unwrap()).unwrap();
        assert_eq!(all.recv().unwrap(), Err(Error::NotFound));
        let table =
            Box::new(|c: &mut Conn| Ok(c.batch_execute("INSERT INTO p SELECT 100 WHERE (SELECT sum(id) FROM p) = 10")?));
        let then = Box::new(|c: &mut Conn| Ok(c.batch_execute("INSERT INTO p VALUES (100)")?));
        writer.submit(table, |_| ()).unwrap();
        writer.submit(then, move |outcome| answers.send(outcome).unwrap()).unwrap();
        assert!(all.recv().unwrap().is_err(), "1, 2, 3 and 4 are there, and 100 was made because of them");
    }
}
