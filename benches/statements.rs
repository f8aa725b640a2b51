//! The same statements without HTTP, tokens, JSON and limits: what the database side alone could do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use sistra::act::{Act, Chance};
use sistra::auth::{Caller, Purpose};
use sistra::cases;
use sistra::cases::actions::Opening;
use sistra::http::idempotency::{Key, Once, claim};
use sistra::kernel::Timestamp;
use sistra::kernel::ids::CaseId;
use sistra::kernel::trail::Trail;
use sistra::ledger::{AccessLog, Action, Actor, Entry, append};
use sistra::{accused, charges, victims};

use crate::data::{Bench, Made, case};
use crate::load::{CONNECTIONS, Figures};
use crate::unique;

fn act(bench: &Bench) -> Act {
    let caller = Caller {
        client: bench.client.id,
        agency: bench.client.agency.clone(),
        oversight: false,
        user: None,
        scopes: bench.client.scopes.clone(),
        purpose: Purpose::Prosecution,
        expires_at: Timestamp::now(),
    };
    Act {
        actor: Actor {
            client: Some(caller.client),
            agency: Some(caller.agency.clone()),
            user: None,
            purpose: Some(caller.purpose),
            request_id: uuid::Uuid::new_v4(),
            trail: Trail::default(),
        },
        scope: caller.scope(Timestamp::now()),
        now: Timestamp::now(),
        catalogue: Arc::clone(&bench.catalogue),
        index: Arc::clone(&bench.running.index),
        chance: Chance::System,
    }
}

/// Runs `count` times `one`, on as many threads as can be of use.
fn on_threads(bench: &Bench, threads: usize, count: usize, one: impl Fn(usize) + Sync) -> Figures {
    Figures::of(bench.pid, || {
        let next = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            let work = || {
                let mut latencies: Vec<Duration> = Vec::new();
                loop {
                    let n = next.fetch_add(1, Ordering::Relaxed);
                    if n >= count {
                        return latencies;
                    }
                    let asked = Instant::now();
                    one(n);
                    latencies.push(asked.elapsed());
                }
            };
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            running.into_iter().flat_map(|t| t.join().unwrap()).collect()
        })
    })
}

/// The read of a case with its entry in the access record.
pub fn reads(bench: &Bench, pool: &[Made], count: usize) -> Figures {
    let store = &bench.running.store;
    let access = AccessLog::start(store).unwrap();
    let act = act(bench);
    let ids: Vec<CaseId> = pool.iter().map(|m| m.id.parse().unwrap()).collect();
    on_threads(bench, CONNECTIONS, count, |n| {
        let id = ids[n % ids.len()];
        let (case, _) = store.read_blocking(|conn| cases::store::find(conn, &act.scope, id)).unwrap();
        let entry = Entry::new(Action::Read, id, Some(case.version));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(access.record(&act.actor, Timestamp::now(), entry)).unwrap();
    })
}

/// The transaction that opens a case. PostgreSQL: as many threads as the server has connections.
pub fn writes(bench: &Bench, count: usize) -> Figures {
    let store = &bench.running.store;
    let threads = if bench.pid.is_some() { 8 } else { CONNECTIONS };
    on_threads(bench, threads, count, |_| {
        let act = act(bench);
        let once = Once::new(bench.client.id, Key::parse(&unique()).unwrap(), "bench".to_owned());
        let opening = Opening::plan(serde_json::from_value(case()).unwrap(), &act, once.bucket()).unwrap();
        store
            .write_blocking(move |tx| {
                let Opening { case, persons, suspects, counts } = &opening;
                claim(tx, &once, case.id.erase(), 1, act.now)?;
                cases::store::insert(tx, &act, case)?;
                let mut entries = vec![Entry::new(Action::Created, case.id, Some(1))];
                entries.extend(victims::insert(tx, &act, case.id, persons)?);
                entries.extend(accused::insert(tx, &act, case.id, suspects)?);
                entries.extend(charges::insert(tx, &act, counts)?);
                append(tx, &act.actor, act.now, entries)
            })
            .unwrap();
    })
}
