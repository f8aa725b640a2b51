//! The sealer gives every entry a gap-free position and its place in the tree, some 100 ms behind the writers.
//!
//! Writers only insert: nothing serialises them. One sealer at a time (leader by lease) takes what is pending,
//! however late it was committed, and appends positions. Followers of positions can miss nothing. With its position a
//! change gets its places in the feed: on the lanes of those who see the record (`events`).

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use diesel::sql_types::{Array, SmallInt};

use super::leaf::Record;
use super::notary::Notary;
use super::tree::{self, LOG, NewLeaf, OPERATOR_LANE};
use crate::db::schema::{lease, ledger_head, ledger_pending};
use crate::db::types::IdSql;
use crate::db::{Conn, Store};
use crate::events::{self, Bell};
use crate::kernel::error::Unavailable;
use crate::kernel::ids::EntryId;
use crate::kernel::{Error, Result, Timestamp};
use crate::per_engine;

/// Entries sealed in one transaction: bounds how long SQLite's writer is held.
const BATCH: i64 = 1_000;
/// Pause between rounds that found little.
const PAUSE: Duration = Duration::from_millis(100);
/// Life of the lease, seconds.
const LEASE_S: i64 = 10;

/// Runs until `stop` is set; signs a checkpoint at most every `interval`, and a last one at the end. Rings the bells of
/// the lanes that have news.
pub fn run(store: &Store, notary: &Notary, bell: &Bell, interval: Duration, stop: &Arc<AtomicBool>) {
    let holder = uuid::Uuid::new_v4().to_string();
    let mut signed: Option<Instant> = None;
    let sign = || {
        if let Err(e) = notary.sign(store, &holder, Timestamp::now()) {
            log::warn!(target: "sistra::ledger", "no checkpoint was signed, will try again: {e:?}");
        }
    };
    while !stop.load(Ordering::Relaxed) {
        // Before the first entry is sealed too: a restored database is noticed at once.
        if signed.is_none_or(|at| at.elapsed() >= interval) {
            sign();
            signed = Some(Instant::now());
        }
        match seal_batch(store, &holder, Timestamp::now()) {
            Ok((sealed, lanes)) => {
                bell.ring(&lanes);
                if !i64::try_from(sealed).is_ok_and(|n| n == BATCH) {
                    std::thread::sleep(PAUSE);
                }
            }
            Err(e) => {
                log::warn!(target: "sistra::ledger", "sealing failed, will try again: {e:?}");
                std::thread::sleep(PAUSE * 10);
            }
        }
    }
    // Who stops in good order leaves nothing unsealed and nothing unsigned.
    while seal(store, &holder, Timestamp::now()).is_ok_and(|sealed| sealed > 0) {}
    sign();
    if let Err(e) = store.write_blocking(move |tx| release(tx, "sealer", &holder)) {
        log::warn!(target: "sistra::ledger", "the lease of the sealer was not given back, the next one waits {LEASE_S} s: {e:?}");
    }
}

/// Gives a lease back, so that the next server need not wait for its end.
pub fn release(tx: &mut Conn, name: &str, holder: &str) -> Result<()> {
    diesel::update(lease::table.filter(lease::bucket.eq(0)).filter(lease::name.eq(name)).filter(lease::holder.eq(holder)))
        .set(lease::holder.eq(""))
        .execute(tx)?;
    Ok(())
}

/// Seals one batch; answers how many entries got a position. 0 if another sealer leads. A holder without a name leaves
/// the lease free behind it.
pub fn seal(store: &Store, holder: &str, now: Timestamp) -> Result<usize> {
    Ok(seal_batch(store, holder, now)?.0)
}

/// The same, with the lanes of the feed that have news.
fn seal_batch(store: &Store, holder: &str, now: Timestamp) -> Result<(usize, BTreeSet<String>)> {
    // Nothing pending is the common case: find that out on a reader, not on the writer.
    let pending: Vec<(i16, EntryId)> = store.read_blocking(|conn| {
        // Over all buckets: the sealer's own statement, on the list of those that may be.
        Ok(ledger_pending::table
            .select((ledger_pending::bucket, ledger_pending::entry_id))
            .order(ledger_pending::entry_id.asc())
            .limit(BATCH)
            .load(conn)?)
    })?;
    if pending.is_empty() {
        return Ok((0, BTreeSet::new()));
    }
    // Read back and hashed outside the transaction: an entry never changes, and what is stored is what counts.
    let records = store.read_blocking(|conn| records(conn, &pending))?;
    if records.is_empty() {
        return Ok((0, BTreeSet::new()));
    }
    let leaves: Vec<NewLeaf> = records.iter().map(leaf).collect::<Result<_>>()?;
    let events = store.read_blocking(|conn| events::project(conn, &records))?;
    let holder = holder.to_owned();
    store.write_blocking(move |tx| {
        if !lead(tx, "sealer", &holder, now)? {
            return Ok((0, BTreeSet::new()));
        }
        let frontier = tree::head(tx)?.unwrap_or_default();
        // An entry that another sealer took meanwhile gets no second position: what is left is sealed in the next round.
        if take(tx, &leaves)? != leaves.len() || !tree::grow(tx, &frontier, &leaves)? {
            return Err(Error::Unavailable(Unavailable::Contention));
        }
        events::lay(tx, tree::stored(frontier.size())?, &records, &events, now)?;
        Ok((leaves.len(), events.iter().map(|event| event.lane.clone()).collect()))
    })
}

/// The entries that are pending, in their order. One that somebody took away waits for ever and holds up nobody: the
/// check of the ledger names it.
fn records(conn: &mut Conn, pending: &[(i16, EntryId)]) -> Result<Vec<Record>> {
    let mut records: HashMap<EntryId, _> = tree::records(conn, pending)?.into_iter().map(|r| (r.id, r)).collect();
    Ok(pending.iter().filter_map(|(_, id)| records.remove(id)).collect())
}

fn leaf(record: &Record) -> Result<NewLeaf> {
    let lane = record.agency_code.clone().unwrap_or_else(|| OPERATOR_LANE.to_owned());
    Ok(NewLeaf { entry_bucket: record.bucket, entry_id: record.id, lane, hash: record.hash()? })
}

/// Takes entries out of the queue, by key; answers how many were there.
fn take(tx: &mut Conn, leaves: &[NewLeaf]) -> Result<usize> {
    match tx {
        Conn::Postgres(c) => Ok(diesel::sql_query(
            "DELETE FROM ledger_pending p USING unnest($1::smallint[], $2::uuid[]) AS w (bucket, entry_id) \
             WHERE p.bucket = w.bucket AND p.entry_id = w.entry_id",
        )
        .bind::<Array<SmallInt>, _>(leaves.iter().map(|l| l.entry_bucket).collect::<Vec<_>>())
        .bind::<Array<IdSql>, _>(leaves.iter().map(|l| l.entry_id).collect::<Vec<_>>())
        .execute(c)?),
        Conn::Sqlite(c) => {
            let mut taken = 0;
            for leaf in leaves {
                taken += diesel::delete(
                    ledger_pending::table
                        .filter(ledger_pending::bucket.eq(leaf.entry_bucket))
                        .filter(ledger_pending::entry_id.eq(leaf.entry_id)),
                )
                .execute(c)?;
            }
            Ok(taken)
        }
    }
}

/// Takes or renews a lease: `sealer`, or that of another helper of which one at a time may run. The token grows with
/// every change of hands.
pub fn lead(tx: &mut Conn, name: &str, holder: &str, now: Timestamp) -> Result<bool> {
    let until = now.plus_seconds(LEASE_S);
    let held = diesel::update(
        lease::table
            .filter(lease::bucket.eq(0))
            .filter(lease::name.eq(name))
            .filter(lease::until.lt(now).or(lease::holder.eq_any([holder, ""]))),
    )
    .set((lease::holder.eq(holder), lease::until.eq(until), lease::token.eq(lease::token + 1)))
    .execute(tx)?;
    if held > 0 {
        return Ok(true);
    }
    let made = per_engine!(tx, c => diesel::insert_into(lease::table)
        .values((
            lease::bucket.eq(0),
            lease::name.eq(name),
            lease::holder.eq(holder),
            lease::until.eq(until),
            lease::token.eq(1),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    Ok(made > 0)
}

/// Entries that have a position, and those that wait for one.
pub fn progress(conn: &mut Conn) -> Result<(i64, i64)> {
    let sealed = ledger_head::table
        .filter(ledger_head::bucket.eq(0))
        .filter(ledger_head::name.eq(LOG))
        .select(ledger_head::size)
        .first::<i64>(conn)
        .optional()?
        .unwrap_or(0);
    let pending: i64 = ledger_pending::table.count().get_result(conn)?;
    Ok((sealed, pending))
}
