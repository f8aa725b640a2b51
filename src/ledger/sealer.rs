//! The sealer gives every entry a gap-free position, some 100 ms behind the writers.
//!
//! Writers only insert: nothing serialises them. One sealer at a time (leader by lease) takes what is pending,
//! however late it was committed, and appends positions. Followers of positions can miss nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use diesel::prelude::*;

use crate::db::schema::{lease, ledger_head, ledger_leaf, ledger_pending};
use crate::db::{Conn, Store};
use crate::kernel::ids::EntryId;
use crate::kernel::{Result, Timestamp};
use crate::per_engine;

/// Entries sealed in one transaction: bounds how long SQLite's writer is held.
const BATCH: i64 = 1_000;
/// Pause between rounds that found little.
const PAUSE: Duration = Duration::from_millis(100);
/// Life of the lease, seconds.
const LEASE_S: i64 = 10;
const LOG: &str = "main";

/// Runs until `stop` is set.
pub fn run(store: &Store, stop: &Arc<AtomicBool>) {
    let holder = uuid::Uuid::new_v4().to_string();
    while !stop.load(Ordering::Relaxed) {
        match seal(store, &holder, Timestamp::now()) {
            Ok(sealed) if i64::try_from(sealed).is_ok_and(|n| n == BATCH) => {}
            Ok(_) => std::thread::sleep(PAUSE),
            Err(e) => {
                log::warn!(target: "sistra::ledger", "sealing failed, will try again: {e:?}");
                std::thread::sleep(PAUSE * 10);
            }
        }
    }
}

/// Seals one batch; answers how many entries got a position. 0 if another sealer leads.
pub fn seal(store: &Store, holder: &str, now: Timestamp) -> Result<usize> {
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
        return Ok(0);
    }
    let holder = holder.to_owned();
    store.write_blocking(move |tx| {
        if !lead(tx, &holder, now)? {
            return Ok(0);
        }
        let size = head(tx)?;
        let mut position = size;
        for (entry_bucket, entry_id) in &pending {
            // Deleted by key, and counted: an entry that another sealer took meanwhile gets no second position.
            let taken = diesel::delete(
                ledger_pending::table
                    .filter(ledger_pending::bucket.eq(*entry_bucket))
                    .filter(ledger_pending::entry_id.eq(*entry_id)),
            )
            .execute(tx)?;
            if taken == 0 {
                continue;
            }
            diesel::insert_into(ledger_leaf::table)
                .values((
                    ledger_leaf::bucket.eq(tile_bucket(position)),
                    ledger_leaf::position.eq(position),
                    ledger_leaf::entry_bucket.eq(*entry_bucket),
                    ledger_leaf::entry_id.eq(*entry_id),
                ))
                .execute(tx)?;
            position += 1;
        }
        // Compare and swap: a second leader's transaction fails here and is rolled back whole.
        let moved = diesel::update(
            ledger_head::table
                .filter(ledger_head::bucket.eq(0))
                .filter(ledger_head::name.eq(LOG))
                .filter(ledger_head::size.eq(size)),
        )
        .set(ledger_head::size.eq(position))
        .execute(tx)?;
        if moved == 0 {
            return Err(crate::kernel::Error::Unavailable(crate::kernel::error::Unavailable::Contention));
        }
        Ok(usize::try_from(position - size).unwrap_or(0))
    })
}

/// Tiles of 256 leaves spread over the buckets.
fn tile_bucket(position: i64) -> i16 {
    i16::try_from((position / 256) % i64::from(crate::kernel::ids::BUCKETS)).unwrap_or(0)
}

fn head(tx: &mut Conn) -> Result<i64> {
    let size = ledger_head::table
        .filter(ledger_head::bucket.eq(0))
        .filter(ledger_head::name.eq(LOG))
        .select(ledger_head::size)
        .first::<i64>(tx)
        .optional()?;
    if let Some(size) = size {
        return Ok(size);
    }
    per_engine!(tx, c => diesel::insert_into(ledger_head::table)
        .values((ledger_head::bucket.eq(0), ledger_head::name.eq(LOG), ledger_head::size.eq(0)))
        .on_conflict_do_nothing()
        .execute(c)?);
    Ok(0)
}

/// Takes or renews the lease. The token grows with every change of hands.
fn lead(tx: &mut Conn, holder: &str, now: Timestamp) -> Result<bool> {
    let until = now.plus_seconds(LEASE_S);
    let held = diesel::update(
        lease::table
            .filter(lease::bucket.eq(0))
            .filter(lease::name.eq("sealer"))
            .filter(lease::until.lt(now).or(lease::holder.eq(holder))),
    )
    .set((lease::holder.eq(holder), lease::until.eq(until), lease::token.eq(lease::token + 1)))
    .execute(tx)?;
    if held > 0 {
        return Ok(true);
    }
    let made = per_engine!(tx, c => diesel::insert_into(lease::table)
        .values((
            lease::bucket.eq(0),
            lease::name.eq("sealer"),
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
