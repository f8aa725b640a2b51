//! The projector: follows the sealed order of the ledger and keeps the facts and the memory up to it. Writers never wait
//! for it. One server at a time writes facts (a lease); every server follows them in its own memory.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use super::facts::CaseFacts;
use super::memory::{AsOf, Memory};
use super::store;
use crate::catalogue::Catalogue;
use crate::db::Store;
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

/// Facts computed for a stretch of the ledger.
struct Computed {
    from: i64,
    to: AsOf,
    facts: Vec<(CaseId, CaseFacts)>,
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
            let mut first = 0;
            while first < BUCKETS {
                for (id, facts) in store.read_blocking(|conn| store::range(conn, first, None))? {
                    fresh.put(id, &facts)?;
                }
                first += store::RANGE;
            }
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
                let mut written = 0;
                for (id, one) in facts.iter() {
                    written += usize::from(store::put(tx, *id, to.position, one)?);
                }
                // Somebody else projected the same stretch meanwhile: nothing of this may stay.
                if store::advance(tx, from, &to)? { Ok(Some(written)) } else { Err(Error::NotFound) }
            });
            match written {
                Ok(Some(written)) => {
                    round = Round { entries: to.position - from, written };
                    // The common case, one server: what was just computed need not be read again.
                    if self.read(|memory| memory.as_of.position) == from {
                        self.change(|memory| apply(memory, &given, to))?;
                    }
                }
                Ok(None) | Err(Error::NotFound) => {}
                Err(e) => return Err(e),
            }
        }
        self.follow(store)?;
        Ok(round)
    }

    /// Brings the memory up to the facts that are kept.
    fn follow(&self, store: &Store) -> Result<()> {
        loop {
            let from = self.read(|memory| memory.as_of.position);
            let head = store.read_blocking(store::head)?;
            if head.position <= from {
                return Ok(());
            }
            let to = head.position.min(from + BATCH);
            let (facts, at) = store.read_blocking(|conn| {
                let stretch = store::stretch(conn, from, to)?;
                Ok((store::kept(conn, &stretch.cases)?, stretch.at))
            })?;
            self.change(|memory| apply(memory, &facts, AsOf { position: to, at }))?;
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
                seen += u64::try_from(facts.len()).unwrap_or(0);
                let given = Arc::clone(&facts);
                differed += store.write_blocking(move |tx| {
                    let mut differed = 0;
                    for (id, one) in given.iter() {
                        differed += u64::from(store::put(tx, *id, position, one)?);
                    }
                    Ok(differed)
                })?;
                told(seen);
            }
        }
        self.load(store)?;
        Ok((seen, differed))
    }
}

fn apply(memory: &mut Memory, facts: &[(CaseId, CaseFacts)], as_of: AsOf) -> Result<()> {
    for (id, one) in facts {
        memory.put(*id, one)?;
    }
    memory.as_of = as_of;
    Ok(())
}

fn read_facts(store: &Store, law: &Catalogue, ids: &BTreeSet<CaseId>) -> Result<Vec<(CaseId, CaseFacts)>> {
    store.read_blocking(|conn| {
        let mut facts = Vec::with_capacity(ids.len());
        for id in ids {
            facts.extend(store::facts_of(conn, law, *id)?.map(|one| (*id, one)));
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
    Ok(Some(Computed { from: head.position, to: AsOf { position: to, at: stretch.at.or(head.at) }, facts }))
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
