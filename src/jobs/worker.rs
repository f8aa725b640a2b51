//! The workers: they take jobs from the queue, one turn at a time, under a lease. Several jobs are worked on at a time;
//! whose client has fewest in hand comes first, so that nobody waits for all the jobs of one client.
//!
//! What a turn does and how far it got are one transaction ([`Hold::keep`]), so a server that dies loses nothing and
//! repeats nothing: whoever takes the job next goes on from the last checkpoint. A worker that lost its lease cannot
//! commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::model::{Job, JobKind, JobState};
use super::spool::{INPUT, digest};
use super::store::{self, Place};
use crate::alerts::watch::Watch;
use crate::auth::{clients, policy};
use crate::catalogue::Catalogue;
use crate::db::{Conn, Store};
use crate::kernel::ids::JobId;
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::{self, Action, Entry};
use crate::persons::IndexKey;

/// Life of a lease, seconds. Longer than any one transaction of a job.
const LEASE_S: i64 = 60;
/// For how long one job is worked on while others wait.
const TURN: Duration = Duration::from_secs(2);
/// Longest sleep of an idle worker: jobs that other servers queued are found by looking.
const PAUSE: Duration = Duration::from_millis(250);
/// Seconds until a job is tried again that met bad luck.
const AGAIN_S: i64 = 2;

/// What the work of every job needs.
pub struct Bench {
    /// The store.
    pub store: Store,
    /// The law.
    pub law: Arc<Catalogue>,
    /// The key of the index of persons.
    pub index: Arc<IndexKey>,
    /// The counters of looking, and the way to those who must hear of it.
    pub watch: Arc<Watch>,
}

/// What one kind of job does.
pub trait Work: Send + Sync {
    /// Does a piece of it, commits that with [`Hold::keep`], and answers whether that was all. An error that is no bad
    /// luck gives the job up.
    fn turn(&self, bench: &Bench, hold: &Hold, job: &mut Job) -> Result<bool>;
}

/// A job in hand.
#[derive(Clone, Debug)]
pub struct Hold {
    place: Place,
    holder: String,
}

impl Hold {
    /// Writes how far the job is, in the transaction of what was done, and keeps the lease. Fails if the job was
    /// called off, if somebody else has it, or if its client may no longer do all that it might when it asked.
    pub fn keep(&self, tx: &mut Conn, job: &Job, now: Timestamp) -> Result<()> {
        let (_, token) = self.place;
        let held = store::hold(tx, self.place, token, &self.holder, now.plus_seconds(LEASE_S))?;
        if !held || !store::update(tx, job, job.version)? {
            return Err(Error::StateConflict(vec![LOST.into()]));
        }
        let Some(scopes) = clients::granted(tx, job.client)? else { return Err(Error::ClientSuspended) };
        match job.detail.scopes.iter().find(|scope| !scopes.iter().any(|s| s == *scope)) {
            Some(lost) => Err(Error::InsufficientScope(policy::known(lost).unwrap_or_default())),
            None => Ok(()),
        }
    }
}

/// The answer of [`Hold::keep`] when the job is no longer this worker's.
const LOST: &str = "job_lost";

/// Wakes the worker of this server.
#[derive(Debug, Default)]
pub struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    /// There is a job.
    pub fn ring(&self) {
        *self.rung.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.heard.notify_all();
    }

    fn wait(&self) {
        let rung = self.rung.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut rung, _) =
            self.heard.wait_timeout_while(rung, PAUSE, |rung| !*rung).unwrap_or_else(PoisonError::into_inner);
        *rung = false;
    }
}

/// Which work belongs to which kind of job.
pub type Works = Vec<(JobKind, Box<dyn Work>)>;

/// Works on so many jobs at a time until `stop` is set.
pub fn run(bench: &Bench, works: &Works, bell: &Bell, stop: &AtomicBool, at_once: usize) {
    if bench.store.is_sqlite()
        && let Err(e) = bench.store.write_blocking(|tx| store::release_all(tx, Timestamp::now()))
    {
        log::warn!(target: "sistra::jobs", "jobs of the last run wait for the end of their lease: {e:?}");
    }
    std::thread::scope(|scope| {
        for _ in 0..at_once.max(1) {
            scope.spawn(|| work(bench, works, bell, stop));
        }
    });
}

fn work(bench: &Bench, works: &Works, bell: &Bell, stop: &AtomicBool) {
    let holder = uuid::Uuid::new_v4().to_string();
    while !stop.load(Ordering::Relaxed) {
        match one(bench, works, &holder, stop) {
            Ok(true) => {}
            Ok(false) => bell.wait(),
            Err(e) => {
                log::warn!(target: "sistra::jobs", "a job met bad luck and will be tried again: {e:?}");
                bell.wait();
            }
        }
    }
}

/// Takes the next job and works on it for a turn; no if there is none.
fn one(bench: &Bench, works: &Works, holder: &str, stop: &AtomicBool) -> Result<bool> {
    let now = Timestamp::now();
    let queue = bench.store.read_blocking(|conn| store::look(conn, now, now.plus_seconds(LEASE_S)))?;
    let Some((id, seen)) = choose(&queue.due, &queue.held) else { return Ok(false) };
    let hold = Hold { place: (id, seen + 1), holder: holder.to_owned() };
    let Some(mut job) = take(&bench.store, id, seen, holder, now)? else { return Ok(true) };
    let work = works.iter().find(|(kind, _)| *kind == job.kind).map(|(_, work)| work);
    let work = work.ok_or_else(|| Error::internal("a job of a kind that nobody does"))?;
    let began = Instant::now();
    loop {
        match unharmed(|| work.turn(bench, &hold, &mut job)) {
            Ok(true) => {
                end(bench, &hold, job, JobState::Succeeded)?;
                return Ok(true);
            }
            Ok(false) if began.elapsed() < TURN && !stop.load(Ordering::Relaxed) => {}
            Ok(false) => {
                put_back(bench, &hold, Timestamp::now())?;
                return Ok(true);
            }
            // Called off, or taken over: whoever did it has seen to it.
            Err(Error::StateConflict(why)) if why.iter().any(|w| w == LOST) => return Ok(true),
            Err(luck @ Error::Unavailable(_)) => {
                put_back(bench, &hold, Timestamp::now().plus_seconds(AGAIN_S))?;
                return Err(luck);
            }
            Err(error) => {
                if let Error::Internal(what) = &error {
                    log::error!(target: "sistra::jobs", "job {id} failed: {what}");
                }
                job = bench.store.read_blocking(|conn| store::find(conn, id))?;
                job.detail.failure = Some(crate::http::codes::kind(&error).code.to_owned());
                end(bench, &hold, job, JobState::Failed)?;
                return Ok(true);
            }
        }
    }
}

/// Does a piece of work; one that panics has failed, and the worker goes on. A job that took its worker with it would do so
/// again after every start, and no job of anybody's would ever be done.
fn unharmed<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // What the work left half done is forgotten: the job is read again, and its transaction was rolled back.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| Err(Error::internal("the work of a job broke down")))
}

/// Of the jobs that are due, the longest waiting first: one whose client has the fewest in hand. A job lies in the bucket
/// of its client; that two clients of one bucket count as one now and then hurts neither.
fn choose(due: &[Place], held: &[JobId]) -> Option<Place> {
    let in_hand = |id: JobId| held.iter().filter(|other| other.bucket() == id.bucket()).count();
    due.iter().min_by_key(|(id, _)| in_hand(*id)).copied()
}

/// Takes hold of a job; none if another worker was faster, or it is over.
fn take(store: &Store, id: JobId, seen: i64, holder: &str, now: Timestamp) -> Result<Option<Job>> {
    let holder = holder.to_owned();
    store.write_blocking(move |tx| {
        if !store::hold(tx, (id, seen), seen + 1, &holder, now.plus_seconds(LEASE_S))? {
            return Ok(None);
        }
        let mut job = store::find(tx, id)?;
        if job.state.ended() || job.state == JobState::Receiving {
            super::actions::bury(tx, job, now)?;
            return Ok(None);
        }
        if job.state == JobState::Queued {
            let read_at = job.version;
            job.moved(JobState::Running, now);
            job.detail.started_at = Some(now);
            if !store::update(tx, &job, read_at)? {
                return Err(Error::Unavailable(crate::kernel::error::Unavailable::Contention));
            }
        }
        Ok(Some(job))
    })
}

/// Lets others have their turn.
fn put_back(bench: &Bench, hold: &Hold, when: Timestamp) -> Result<()> {
    let (id, token) = hold.place;
    bench.store.write_blocking(move |tx| store::hold(tx, (id, token), token + 1, "", when)).map(drop)
}

/// Ends a job: its files get their hashes, what it was given goes.
fn end(bench: &Bench, hold: &Hold, mut job: Job, to: JobState) -> Result<()> {
    let (id, now) = (job.id, Timestamp::now());
    if to == JobState::Failed && job.kind == JobKind::Export {
        job.detail.files.clear();
    }
    for file in &mut job.detail.files {
        file.sha256 = Some(digest(&bench.store, id, &file.name)?);
    }
    let (read_at, from) = (job.version, job.state);
    job.moved(to, now);
    let hold = hold.clone();
    let ended = bench.store.write_blocking(move |tx| {
        let (_, token) = hold.place;
        if !store::hold(tx, hold.place, token, &hold.holder, now)? || !store::update(tx, &job, read_at)? {
            return Ok(());
        }
        store::schedule(tx, id, job.expires_at.unwrap_or(now))?;
        // What was given is no longer needed; half an export is nobody's.
        store::drop_files(tx, id, if job.detail.files.is_empty() { None } else { Some(INPUT) })?;
        let entry = Entry::new(Action::Transitioned, id, Some(job.version)).moved("end", from.as_str(), to.as_str());
        ledger::append(tx, &job.actor(), now, vec![entry])
    });
    ended.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Bucket;

    fn job(client: i16) -> JobId {
        JobId::generate(Timestamp::now(), Bucket::new(client).unwrap())
    }

    #[test]
    fn the_longest_waiting_job_of_the_client_with_fewest_in_hand_comes_first() {
        let (a1, a2, b1, b2) = (job(1), job(1), job(2), job(2));
        let due = [(a1, 0), (a2, 0), (b1, 0), (b2, 0)];
        assert_eq!(choose(&due, &[]), Some((a1, 0)));
        assert_eq!(choose(&due, &[job(1)]), Some((b1, 0)));
        assert_eq!(choose(&due, &[job(1), job(2)]), Some((a1, 0)));
        assert_eq!(choose(&due[..2], &[job(1)]), Some((a1, 0)), "alone, a client has all workers");
        assert_eq!(choose(&[], &[a1]), None);
    }

    #[test]
    fn work_that_panics_has_failed_and_nothing_else() {
        assert_eq!(unharmed(|| Ok(7)), Ok(7));
        assert_eq!(unharmed(|| Err::<u8, _>(Error::NotFound)), Err(Error::NotFound));
        assert!(matches!(unharmed(|| -> Result<u8> { panic!("as a library may") }), Err(Error::Internal(_))));
    }
}
