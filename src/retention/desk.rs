//! What waits for somebody in keeping and forgetting, and what did: holds, erasures, reviews, on the desks of those whom
//! they concern. One row per lane, written in the transaction of what it tells.

use diesel::prelude::*;

use crate::auth::Scope;
use crate::cases::glass;
use crate::db::Conn;
use crate::db::schema::keeping_desk as t;
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{CaseId, Kind, ResourceId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Id, Result};
use crate::per_engine;

/// The lanes of those whom something about these cases concerns: their owners, whoever asked, and oversight.
pub fn lanes(conn: &mut Conn, cases: &[CaseId], asking: Option<&str>) -> Result<Vec<String>> {
    let mut lanes: Vec<String> = asking.into_iter().map(str::to_owned).collect();
    for case in cases {
        lanes.push(glass::owner(conn, *case)?.to_string());
    }
    lanes.push(OVERSIGHT_LANE.to_owned());
    lanes.sort();
    lanes.dedup();
    Ok(lanes)
}

/// Lays a record on desks; one that lies there already is opened or closed. `lanes` may name desks more than before.
pub fn lay<K: Kind>(tx: &mut Conn, lanes: &[String], id: Id<K>, open: bool) -> Result<()> {
    for lane in lanes {
        let bucket = lane_bucket(lane).number();
        let made = per_engine!(tx, c => diesel::insert_into(t::table)
            .values((
                t::bucket.eq(bucket),
                t::agency_code.eq(lane),
                t::kind.eq(K::NAME),
                t::resource_id.eq(id.erase()),
                t::open.eq(open),
            ))
            .on_conflict_do_nothing()
            .execute(c)?);
        if made == 0 {
            diesel::update(
                t::table
                    .filter(t::bucket.eq(bucket))
                    .filter(t::agency_code.eq(lane))
                    .filter(t::kind.eq(K::NAME))
                    .filter(t::resource_id.eq(id.erase())),
            )
            .set(t::open.eq(open))
            .execute(tx)?;
        }
    }
    Ok(())
}

/// Closes a record on one desk, if it lies there.
pub fn close_if_there<K: Kind>(tx: &mut Conn, lane: &str, id: Id<K>) -> Result<()> {
    diesel::update(
        t::table
            .filter(t::bucket.eq(lane_bucket(lane).number()))
            .filter(t::agency_code.eq(lane))
            .filter(t::kind.eq(K::NAME))
            .filter(t::resource_id.eq(id.erase())),
    )
    .set(t::open.eq(false))
    .execute(tx)?;
    Ok(())
}

/// One page of the ids on the caller's desk, oldest first.
pub fn list<K: Kind>(
    conn: &mut Conn,
    scope: &Scope,
    open: Option<bool>,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<Id<K>>> {
    let mut query = t::table
        .filter(t::bucket.eq(scope.lane_bucket().number()))
        .filter(t::agency_code.eq(scope.lane()))
        .filter(t::kind.eq(K::NAME))
        .select(t::resource_id)
        .order(t::resource_id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(open) = open {
        query = query.filter(t::open.eq(open));
    }
    if let Some(after) = after {
        query = query.filter(t::resource_id.gt(ResourceId::from_uuid(after.id)));
    }
    let ids: Vec<ResourceId> = query.load(conn)?;
    let page = Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() });
    Ok(page.map(|id| Id::from_uuid(id.uuid())))
}

/// Whether a record lies on the caller's desk.
pub fn holds<K: Kind>(conn: &mut Conn, scope: &Scope, id: Id<K>) -> Result<bool> {
    let found: Option<bool> = t::table
        .filter(t::bucket.eq(scope.lane_bucket().number()))
        .filter(t::agency_code.eq(scope.lane()))
        .filter(t::kind.eq(K::NAME))
        .filter(t::resource_id.eq(id.erase()))
        .select(t::open)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}
