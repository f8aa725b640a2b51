//! SQL of the audit lists.
//!
//! By record: the entries lie in its bucket. By agency and time: the ledger's lanes, which the sealer writes: one row per
//! entry under its agency's bucket. Oversight over everybody reads the newest of each lane and merges them; so no
//! statement ever leaves its bucket, and writers pay for one lane row per entry, in the sealer's time. The other filters are
//! applied to what was read; a request looks at so many entries at most and then answers a short page with a cursor.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::model::Filter;
use crate::agencies;
use crate::auth::Scope;
use crate::db::Conn;
use crate::db::schema::{ledger_entry, ledger_lane};
use crate::kernel::Result;
use crate::kernel::agency_code::lane_bucket;
use crate::kernel::ids::{EntryId, ResourceId};
use crate::kernel::page::{After, Limit, Page};
use crate::ledger::leaf::Record;
use crate::ledger::tree::{OPERATOR_LANE, columns, record, records};

/// Most entries that one request looks at.
const MOST: usize = 1_000;

/// One page of the entries that the caller may see, newest first. A page may be short and have a next one.
pub fn list(conn: &mut Conn, scope: &Scope, filter: &Filter, after: Option<&After>, limit: Limit) -> Result<Page<Record>> {
    let (low, mut high) = filter.bounds();
    if let Some(after) = after {
        high = high.min(EntryId::from_uuid(after.id));
    }
    let lanes = match (&filter.resource, scope.oversight(), &filter.agency) {
        (Some(_), ..) => Vec::new(),
        (None, false, _) => vec![scope.agency().to_string()],
        (None, true, Some(agency)) => vec![agency.to_string()],
        (None, true, None) => {
            let mut all = agencies::codes(conn)?;
            all.push(OPERATOR_LANE.to_owned());
            all
        }
    };
    let (mut found, mut looked): (Vec<Record>, usize) = (Vec::new(), 0);
    let here = |id: EntryId| Some(After { key: String::new(), id: id.uuid() });
    loop {
        let some = match filter.resource {
            Some(resource) => about(conn, resource, low, high, limit.fetch())?,
            None => of_lanes(conn, &lanes, low, high, limit.fetch())?,
        };
        let last = some.len() < usize::try_from(limit.fetch()).unwrap_or(usize::MAX);
        for entry in some {
            if !filter.admits(scope, &entry) {
                high = entry.id;
                looked += 1;
                continue;
            }
            if found.len() == limit.rows() {
                return Ok(Page { next: here(high), items: found });
            }
            high = entry.id;
            looked += 1;
            found.push(entry);
        }
        if last {
            return Ok(Page { items: found, next: None });
        }
        if looked >= MOST {
            return Ok(Page { next: here(high), items: found });
        }
    }
}

/// Entries about one record, newest first: accesses and changes have an index each.
fn about(conn: &mut Conn, resource: ResourceId, low: EntryId, high: EntryId, limit: i64) -> Result<Vec<Record>> {
    let mut found = Vec::new();
    for part in ["action <> 'read'", "action = 'read'"] {
        let rows = ledger_entry::table
            .filter(ledger_entry::bucket.eq(resource.bucket().number()))
            .filter(ledger_entry::resource_id.eq(resource))
            // Spelt out, not bound: the indexes are partial on exactly these words.
            .filter(diesel::dsl::sql::<Bool>(part))
            .filter(ledger_entry::id.ge(low))
            .filter(ledger_entry::id.lt(high))
            .select(columns())
            .order(ledger_entry::id.desc())
            .limit(limit)
            .load(conn)?;
        found.extend(rows.into_iter().map(record));
    }
    Ok(newest(found, limit))
}

fn of_lanes(conn: &mut Conn, lanes: &[String], low: EntryId, high: EntryId, limit: i64) -> Result<Vec<Record>> {
    let mut ids: Vec<EntryId> = Vec::new();
    for lane in lanes {
        let some: Vec<EntryId> = ledger_lane::table
            .filter(ledger_lane::bucket.eq(lane_bucket(lane).number()))
            .filter(ledger_lane::agency_code.eq(lane))
            .filter(ledger_lane::entry_id.ge(low))
            .filter(ledger_lane::entry_id.lt(high))
            .select(ledger_lane::entry_id)
            .order(ledger_lane::entry_id.desc())
            .limit(limit)
            .load(conn)?;
        ids.extend(some);
    }
    ids.sort_unstable_by(|a, b| b.cmp(a));
    ids.truncate(usize::try_from(limit).unwrap_or(0));
    let keys: Vec<(i16, EntryId)> = ids.into_iter().map(|id| id.key()).collect();
    Ok(newest(records(conn, &keys)?, limit))
}

fn newest(mut entries: Vec<Record>, limit: i64) -> Vec<Record> {
    entries.sort_unstable_by_key(|e| std::cmp::Reverse(e.id));
    entries.truncate(usize::try_from(limit).unwrap_or(0));
    entries
}
