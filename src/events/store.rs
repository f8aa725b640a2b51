//! SQL of the lanes: the sealer lays, readers follow, the broom takes away.

use std::collections::HashMap;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text};

use super::model::{Event, Gate, Mark, Retention, Wanted};
use super::projection::NewEvent;
use crate::auth::Scope;
use crate::cases::Sight;
use crate::cases::docket;
use crate::db::schema::event_lane as t;
use crate::db::types::{IdSql, TimeSql};
use crate::db::{Conn, Keep};
use crate::kernel::agency_code::lane_bucket;
use crate::kernel::ids::{CaseId, EntryId, ResourceId};
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::leaf::Record;

/// Most rows that one look at a lane reads.
const CHUNK: i64 = 1_000;

/// Rows that a look for so many events reads: some more than it wants, because some may not be shown.
fn enough(limit: usize) -> i64 {
    i64::try_from(limit.saturating_mul(4)).unwrap_or(CHUNK).clamp(64, CHUNK)
}

/// Lays events on their lanes; `start` is the position of the first record.
pub fn lay(tx: &mut Conn, start: i64, records: &[Record], events: &[NewEvent], now: Timestamp) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    // How many rows a lane has of one entry: a person may be in several cases of it.
    let mut rows: HashMap<(&str, usize), i16> = HashMap::new();
    let mut laid = Vec::with_capacity(events.len());
    for event in events {
        let record = records.get(event.index).ok_or_else(|| Error::internal("an event of no record"))?;
        let seq = rows.entry((&event.lane, event.index)).or_default();
        let position = start + i64::try_from(event.index).map_err(|_| Error::internal("position out of range"))?;
        laid.push((event, record, position, *seq));
        *seq = seq.saturating_add(1);
    }
    match tx {
        Conn::Postgres(c) => {
            diesel::sql_query(
                "INSERT INTO event_lane (bucket, agency_code, position, seq, entry_id, at, sealed_at, event_type, \
                 resource_type, resource_id, version, gate, scope, case_id, person_id) \
                 SELECT * FROM unnest($1::smallint[], $2::text[], $3::bigint[], $4::smallint[], $5::uuid[], \
                 $6::timestamptz[], $7::timestamptz[], $8::text[], $9::text[], $10::uuid[], $11::bigint[], $12::text[], \
                 $13::text[], $14::uuid[], $15::uuid[])",
            )
            .bind::<Array<SmallInt>, _>(laid.iter().map(|l| lane_bucket(&l.0.lane).number()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(laid.iter().map(|l| l.0.lane.as_str()).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(laid.iter().map(|l| l.2).collect::<Vec<_>>())
            .bind::<Array<SmallInt>, _>(laid.iter().map(|l| l.3).collect::<Vec<_>>())
            .bind::<Array<IdSql>, _>(laid.iter().map(|l| l.1.id).collect::<Vec<_>>())
            .bind::<Array<TimeSql>, _>(laid.iter().map(|l| l.1.at).collect::<Vec<_>>())
            .bind::<Array<TimeSql>, _>(laid.iter().map(|_| now).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(laid.iter().map(|l| l.0.kind.as_str()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(laid.iter().map(|l| l.0.resource_type.as_str()).collect::<Vec<_>>())
            .bind::<Array<IdSql>, _>(laid.iter().map(|l| l.0.resource_id).collect::<Vec<_>>())
            .bind::<Array<Nullable<BigInt>>, _>(laid.iter().map(|l| l.1.version).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(laid.iter().map(|l| l.0.gate.as_str()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(laid.iter().map(|l| l.0.scope).collect::<Vec<_>>())
            .bind::<Array<Nullable<IdSql>>, _>(laid.iter().map(|l| l.0.case).collect::<Vec<_>>())
            .bind::<Array<Nullable<IdSql>>, _>(laid.iter().map(|l| l.0.person).collect::<Vec<_>>())
            .kept()
            .execute(c)?;
        }
        Conn::Sqlite(c) => {
            for (event, record, position, seq) in laid {
                diesel::insert_into(t::table)
                    .values((
                        t::bucket.eq(lane_bucket(&event.lane).number()),
                        t::agency_code.eq(&event.lane),
                        t::position.eq(position),
                        t::seq.eq(seq),
                        t::entry_id.eq(record.id),
                        t::at.eq(record.at),
                        t::sealed_at.eq(now),
                        t::event_type.eq(&event.kind),
                        t::resource_type.eq(&event.resource_type),
                        t::resource_id.eq(event.resource_id),
                        t::version.eq(record.version),
                        t::gate.eq(event.gate.as_str()),
                        t::scope.eq(event.scope),
                        t::case_id.eq(event.case),
                        t::person_id.eq(event.person),
                    ))
                    .execute(c)?;
            }
        }
    }
    Ok(())
}

/// One look at a lane.
#[derive(Clone, Debug)]
pub struct Look {
    /// The events that the reader may see, with where each stands.
    pub events: Vec<(Event, Mark)>,
    /// Up to where it was looked.
    pub mark: Mark,
    /// Whether more lies behind.
    pub more: bool,
}

type Row = (
    i64,
    EntryId,
    Timestamp,
    Timestamp,
    String,
    String,
    ResourceId,
    Option<i64>,
    String,
    String,
    Option<ResourceId>,
    Option<ResourceId>,
);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::position,
        t::entry_id,
        t::at,
        t::sealed_at,
        t::event_type,
        t::resource_type,
        t::resource_id,
        t::version,
        t::gate,
        t::scope,
        t::case_id,
        t::person_id,
    )
}

/// The next rows of the reader's lane, at most `chunk`; whether there may be more.
fn ahead(conn: &mut Conn, scope: &Scope, mark: Mark, begins: Option<Timestamp>, chunk: i64) -> Result<(Vec<Row>, bool)> {
    let mut query = t::table
        .filter(t::bucket.eq(scope.lane_bucket().number()))
        .filter(t::agency_code.eq(scope.lane()))
        .filter(t::position.gt(mark.position))
        .select(columns())
        .order((t::position.asc(), t::seq.asc()))
        .limit(chunk)
        .into_boxed();
    if let Some(begins) = begins {
        query = query.filter(t::sealed_at.ge(begins));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let full = i64::try_from(rows.len()).is_ok_and(|n| n == chunk);
    Ok((rows, full))
}

/// The next events of the reader's lane, at most `limit`; looks at no more than a thousand rows. What the reader may see is
/// asked once for all cases of the rows.
pub fn look(
    conn: &mut Conn,
    scope: &Scope,
    wanted: &Wanted,
    mark: Mark,
    limit: usize,
    retention: Retention,
) -> Result<Look> {
    let begins = (mark.position < 0).then(|| retention.begins(scope.at()));
    let (mut rows, mut full) = ahead(conn, scope, mark, begins, enough(limit))?;
    if full && rows.first().map(|r| r.0) == rows.last().map(|r| r.0) {
        // One entry that is about many: all of it must be looked at.
        (rows, full) = ahead(conn, scope, mark, begins, CHUNK)?;
    }
    // The rows of one entry stay together, unless one entry alone is more than a look.
    if full
        && let (Some(first), Some(last)) = (rows.first().map(|r| r.0), rows.last().map(|r| r.0))
        && first != last
    {
        rows.retain(|row| row.0 != last);
    }
    let mut cases: Vec<CaseId> = rows.iter().filter_map(|row| row.10).map(|id| CaseId::from_uuid(id.uuid())).collect();
    cases.sort_unstable();
    cases.dedup();
    let sights: HashMap<CaseId, Sight> =
        if cases.is_empty() { HashMap::new() } else { docket::sights(conn, scope, &cases)?.into_iter().collect() };
    let (mut events, mut at): (Vec<(Event, Mark)>, Mark) = (Vec::new(), mark);
    for row in rows {
        let (position, id, time, sealed_at, kind, resource_type, resource_id, version, gate, needed, case, person) = row;
        let here = Mark::after(position, sealed_at);
        if events.last().is_some_and(|(_, shown)| shown.position == position) {
            continue;
        }
        let gate = Gate::parse(&gate);
        let seen = match (gate, case.and_then(|case| sights.get(&CaseId::from_uuid(case.uuid())))) {
            (Some(Gate::Open), _) => true,
            (Some(Gate::Client), _) => person.is_some() && person == wanted.client.map(|client| client.erase()),
            (Some(gate), Some(sight)) => gate.opens(sight, person),
            _ => false,
        };
        if seen && wanted.asks_for(&kind, &resource_type) && wanted.may(&needed) {
            if events.len() == limit {
                return Ok(Look { events, mark: at, more: true });
            }
            events.push((Event { id, at: time, kind, resource_type, resource_id, version }, here));
        }
        at = here;
    }
    let mark = if full { at } else { at.refreshed(scope.at()) };
    Ok(Look { events, mark, more: full })
}

/// The end of a lane now.
pub fn end(conn: &mut Conn, lane: &str, now: Timestamp) -> Result<Mark> {
    let last: Option<i64> = t::table
        .filter(t::bucket.eq(lane_bucket(lane).number()))
        .filter(t::agency_code.eq(lane))
        .select(t::position)
        .order((t::position.desc(), t::seq.desc()))
        .first(conn)
        .optional()?;
    Ok(Mark { position: last.unwrap_or(-1), seen_to: 0 }.refreshed(now))
}

/// Takes away what is older than it must be kept, at most a thousand rows of one lane; answers whether there may be more.
pub fn sweep(tx: &mut Conn, lane: &str, before: Timestamp) -> Result<bool> {
    let oldest: Vec<(i64, Timestamp)> = t::table
        .filter(t::bucket.eq(lane_bucket(lane).number()))
        .filter(t::agency_code.eq(lane))
        .select((t::position, t::sealed_at))
        .order((t::position.asc(), t::seq.asc()))
        .limit(CHUNK)
        .load(tx)?;
    let old = oldest.iter().take_while(|(_, sealed_at)| *sealed_at < before).map(|(position, _)| *position);
    let Some(last) = old.max() else { return Ok(false) };
    diesel::delete(
        t::table
            .filter(t::bucket.eq(lane_bucket(lane).number()))
            .filter(t::agency_code.eq(lane))
            .filter(t::position.le(last)),
    )
    .execute(tx)?;
    Ok(i64::try_from(oldest.len()).is_ok_and(|n| n == CHUNK))
}
