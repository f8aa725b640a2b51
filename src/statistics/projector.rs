//! The projector: follows the sealed order of the ledger and keeps the facts and the memory up to it. Writers never wait
//! for it. One server at a time writes facts (a lease); every server follows them in its own memory.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicI16, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::facts::CaseFacts;
use super::memory::{AsOf, Memory};
use super::store;
use crate::catalogue::Catalogue;
use crate::db::{Conn, Store};
use crate::kernel::error::Unavailable;
use crate::kernel::ids::{BUCKETS, CaseId};
use crate::kernel::{Bucket, Error, Result, Timestamp};
use crate::ledger::sealer::lead;

/// The lease's name.
const WORK: &str = "statistics";
/// Entries of one round.
const BATCH: i64 = 1_000;
/// Pause between rounds that found nothing.
const PAUSE: Duration = Duration::from_millis(1_000);
/// After a round the projector rests this many times as long as the round took, so that under full load it takes a
/// twentieth of one core and figures lag instead of writers.
const REST: u32 = 19;
/// Threads that read facts at the start.
const MOST_READERS: usize = 4;
/// Longest rest.
const LONGEST_REST: Duration = Duration::from_secs(5);

/// The figures of this server.
#[derive(Debug)]
pub struct Figures {
    memory: RwLock<Memory>,
    /// One round at a time.
    turn: Mutex<()>,
    /// Under which name this server takes the lease.
    holder: String,
    loaded: AtomicBool,
}

/// What one round did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Entries of the ledger that were looked at.
    pub entries: i64,
    /// Cases whose facts were written.
    pub written: usize,
}

/// Facts of some cases, and the cases that cannot be read.
#[derive(Debug, Default)]
struct Facts {
    read: Vec<(CaseId, CaseFacts)>,
    unread: Vec<CaseId>,
}

impl Facts {
    /// Writes what was read, and notes what was not; answers how many facts changed and which cases are newly skipped.
    fn write(&self, tx: &mut Conn, position: i64, now: Timestamp) -> Result<(usize, Vec<CaseId>)> {
        let mut written = 0;
        for (id, one) in &self.read {
            written += usize::from(store::put(tx, *id, position, one)?);
            store::readable(tx, *id)?;
        }
        let mut skipped = Vec::new();
        for id in &self.unread {
            if store::skip(tx, *id, now)? {
                skipped.push(*id);
            }
        }
        Ok((written, skipped))
    }
}

/// Facts computed for a stretch of the ledger.
struct Computed {
    from: i64,
    to: AsOf,
    facts: Facts,
}

/// One case that cannot be read must not stop the figures of all others; somebody has to look at it all the same.
fn alert(skipped: &[CaseId]) {
    for id in skipped {
        log::error!(target: "sistra::statistics", "the facts of case {id} cannot be read: figures go on without, and say so");
    }
}

impl Figures {
    /// For a store. A registry without facts is ready at once; another one when they are loaded.
    pub fn open(store: &Store) -> Result<Self> {
        let fresh = store.read_blocking(store::head)?.position == 0;
        let holder = uuid::Uuid::new_v4().to_string();
        Ok(Self { memory: RwLock::default(), turn: Mutex::default(), holder, loaded: AtomicBool::new(fresh) })
    }

    /// Looks at the rows; refused while they are still being loaded.
    pub fn ask<T>(&self, f: impl FnOnce(&Memory) -> T) -> Result<T> {
        if self.loaded.load(Ordering::Acquire) {
            Ok(self.read(f))
        } else {
            Err(Error::Unavailable(Unavailable::Maintenance))
        }
    }

    fn read<T>(&self, f: impl FnOnce(&Memory) -> T) -> T {
        f(&self.memory.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn change<T>(&self, f: impl FnOnce(&mut Memory) -> T) -> T {
        f(&mut self.memory.write().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads all facts that are kept; answers how many cases.
    pub fn load(&self, store: &Store) -> Result<usize> {
        // The head first: what is written meanwhile is followed afterwards, and doing so twice changes nothing.
        let head = store.read_blocking(store::head)?;
        let mut fresh = Memory::default();
        if head.position > 0 {
            read_all(store, |id, facts| fresh.put(id, facts))?;
            fresh.settle();
        }
        fresh.as_of = head;
        let cases = fresh.len();
        self.change(|memory| *memory = fresh);
        self.loaded.store(true, Ordering::Release);
        Ok(cases)
    }

    /// One round: facts of what the ledger sealed since, then the memory.
    pub fn round(&self, store: &Store, law: &Catalogue, now: Timestamp) -> Result<Round> {
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let mut round = Round::default();
        if let Some(computed) = compute(store, law)? {
            let Computed { from, to, facts } = computed;
            let (holder, given) = (self.holder.clone(), Arc::new(facts));
            let facts = Arc::clone(&given);
            let written = store.write_blocking(move |tx| {
                if !lead(tx, WORK, &holder, now)? {
                    return Ok(None);
                }
                let written = facts.write(tx, to.position, now)?;
                // Somebody else projected the same stretch meanwhile: nothing of this may stay.
                if store::advance(tx, from, &to)? { Ok(Some(written)) } else { Err(Error::NotFound) }
            });
            match written {
                Ok(Some((written, skipped))) => {
                    alert(&skipped);
                    round = Round { entries: to.position - from, written };
                    // The common case, one server: what was just computed need not be read again.
                    if self.read(|memory| memory.as_of.position) == from {
                        self.change(|memory| apply(memory, &given.read, to))?;
                    }
                }
                Ok(None) | Err(Error::NotFound) => {}
                Err(e) => return Err(e),
            }
        }
        self.follow(store)?;
        self.retry(store, law, now)?;
        Ok(round)
    }

    /// Tries the cases again that could not be read, as far as their time has come.
    fn retry(&self, store: &Store, law: &Catalogue, now: Timestamp) -> Result<()> {
        let (owed, head) = store.read_blocking(|conn| Ok((store::owed(conn, now)?, store::head(conn)?)))?;
        if owed.is_empty() {
            return Ok(());
        }
        let facts = Arc::new(read_facts(store, law, &owed)?);
        let (given, holder) = (Arc::clone(&facts), self.holder.clone());
        let done = store.write_blocking(move |tx| {
            if !lead(tx, WORK, &holder, now)? {
                return Ok(false);
            }
            given.write(tx, head.position, now)?;
            Ok(true)
        })?;
        let skipped = store.read_blocking(store::skipped)?;
        self.change(|memory| {
            if done {
                for (id, one) in &facts.read {
                    memory.put(*id, one)?;
                }
            }
            memory.as_of.skipped = skipped;
            Ok(())
        })
    }

    /// Brings the memory up to the facts that are kept.
    fn follow(&self, store: &Store) -> Result<()> {
        loop {
            let from = self.read(|memory| memory.as_of.position);
            let head = store.read_blocking(store::head)?;
            if head.position <= from {
                self.change(|memory| memory.as_of.skipped = head.skipped);
                return Ok(());
            }
            let to = head.position.min(from + BATCH);
            let (facts, at) = store.read_blocking(|conn| {
                let stretch = store::stretch(conn, from, to)?;
                Ok((store::kept(conn, &stretch.cases)?, stretch.at))
            })?;
            self.change(|memory| apply(memory, &facts, AsOf { position: to, at, skipped: head.skipped }))?;
        }
    }

    /// Rounds until nothing is left: for tools and tests.
    pub fn catch_up(&self, store: &Store, law: &Catalogue) -> Result<()> {
        while self.round(store, law, Timestamp::now())?.entries > 0 {}
        Ok(())
    }

    /// Computes the facts of every case anew and writes those that differ; answers how many cases were looked at and how
    /// many differed. `told` hears the number of cases.
    pub fn rebuild(&self, store: &Store, law: &Catalogue, mut told: impl FnMut(u64)) -> Result<(u64, u64)> {
        let position = store.read_blocking(store::head)?.position;
        let (mut seen, mut differed) = (0, 0);
        let buckets = if store.is_sqlite() { 1 } else { BUCKETS };
        for number in 0..buckets {
            let Some(bucket) = Bucket::new(number) else { continue };
            let mut after = None;
            loop {
                let ids = store.read_blocking(|conn| store::cases_after(conn, bucket, after))?;
                let Some(last) = ids.last().copied() else { break };
                after = Some(last);
                let facts = Arc::new(read_facts(store, law, &ids.into_iter().collect())?);
                seen += u64::try_from(facts.read.len() + facts.unread.len()).unwrap_or(0);
                let (given, now) = (Arc::clone(&facts), Timestamp::now());
                let (written, skipped) = store.write_blocking(move |tx| given.write(tx, position, now))?;
                alert(&skipped);
                differed += u64::try_from(written).unwrap_or(0);
                told(seen);
            }
        }
        self.load(store)?;
        Ok((seen, differed))
    }
}

/// Reads all facts that are kept, a range of buckets at a time: one thread for each core reads and unpacks, this one takes.
fn read_all(store: &Store, mut take: impl FnMut(CaseId, &CaseFacts) -> Result<()>) -> Result<()> {
    let next = AtomicI16::new(0);
    let readers = std::thread::available_parallelism().map_or(1, usize::from).min(MOST_READERS);
    std::thread::scope(|scope| {
        // At most one range for each reader waits to be taken: memory stays bounded.
        let (send, receive) = sync_channel(readers);
        for _ in 0..readers {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                loop {
                    let first = next.fetch_add(store::RANGE, Ordering::Relaxed);
                    if !(0..BUCKETS).contains(&first) {
                        return;
                    }
                    let read = store.read_blocking(|conn| store::range(conn, first, None));
                    let failed = read.is_err();
                    // Nobody takes any more: something failed elsewhere.
                    if send.send(read).is_err() || failed {
                        return;
                    }
                }
            });
        }
        drop(send);
        for read in receive {
            for (id, facts) in read? {
                take(id, &facts)?;
            }
        }
        Ok(())
    })
}

fn apply(memory: &mut Memory, facts: &[(CaseId, CaseFacts)], as_of: AsOf) -> Result<()> {
    for (id, one) in facts {
        memory.put(*id, one)?;
    }
    memory.as_of = as_of;
    Ok(())
}

fn read_facts(store: &Store, law: &Catalogue, ids: &BTreeSet<CaseId>) -> Result<Facts> {
    store.read_blocking(|conn| {
        let mut facts = Facts::default();
        for id in ids {
            match store::facts_of(conn, law, *id) {
                Ok(one) => facts.read.extend(one.map(|one| (*id, one))),
                // A row that does not say what it should, or names what is not there. That the store cannot be reached is
                // no fault of a case.
                Err(Error::Internal(_) | Error::NotFound) => facts.unread.push(*id),
                Err(other) => return Err(other),
            }
        }
        Ok(facts)
    })
}

/// The facts of the next stretch of the ledger, as the registry has them now; none where nothing is new.
fn compute(store: &Store, law: &Catalogue) -> Result<Option<Computed>> {
    let (head, sealed) = store.read_blocking(|conn| Ok((store::head(conn)?, store::sealed(conn)?)))?;
    let to = sealed.min(head.position + BATCH);
    if to <= head.position {
        return Ok(None);
    }
    let stretch = store.read_blocking(|conn| store::stretch(conn, head.position, to))?;
    let facts = read_facts(store, law, &stretch.cases)?;
    Ok(Some(Computed {
        from: head.position,
        to: AsOf { position: to, at: stretch.at.or(head.at), skipped: head.skipped },
        facts,
    }))
}

/// Runs until `stop` is set.
pub fn run(figures: &Figures, store: &Store, law: &Catalogue, stop: &Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        let done = if figures.loaded.load(Ordering::Acquire) {
            figures.round(store, law, Timestamp::now()).map(|round| round.entries)
        } else {
            figures.load(store).map(|_| 1)
        };
        let rest = match done {
            Ok(0) => PAUSE,
            Ok(_) => (started.elapsed() * REST).min(LONGEST_REST),
            Err(e) => {
                log::warn!(target: "sistra::statistics", "figures do not follow, will try again: {e:?}");
                PAUSE * 5
            }
        };
        let until = Instant::now() + rest;
        while Instant::now() < until && !stop.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(100).min(until.saturating_duration_since(Instant::now())));
        }
    }
}
