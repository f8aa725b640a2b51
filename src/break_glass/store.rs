//! SQL of the break-glass records and of the desks where their reviews wait.

use diesel::prelude::*;

use super::model::{BreakGlass, Detail, State};
use crate::auth::Scope;
use crate::db::schema::{break_glass as t, break_glass_desk as desk};
use crate::db::{Conn, Json};
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{BreakGlassId, CaseId, ClientId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault::{self, Guarded, Keys};

impl Guarded for Detail {
    const PLACE: &'static str = "break_glass.detail";
    const SECRET: &'static [&'static str] = &["user", "reason", "words"];
}

type Row = (BreakGlassId, i64, CaseId, String, ClientId, String, Option<Timestamp>, Json, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::case_id,
        t::agency_code,
        t::created_by_client,
        t::state,
        t::until_at,
        t::detail,
        t::created_at,
        t::updated_at,
    )
}

fn glass(row: Row, keys: &Keys) -> Result<BreakGlass> {
    let (id, version, case, agency, client, state, until, detail, created_at, updated_at) = row;
    Ok(BreakGlass {
        id,
        version,
        case,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in break-glass"))?,
        client,
        state: State::parse(&state).ok_or_else(|| Error::internal("break-glass state"))?,
        until,
        detail: keys.open(case, id, &detail)?,
        created_at,
        updated_at,
    })
}

/// Inserts a break-glass and lays it on the desks of the case's owner and of oversight: they are told by this.
pub fn insert(tx: &mut Conn, new: &BreakGlass, owner: &AgencyCode) -> Result<()> {
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::case_id.eq(new.case),
            t::agency_code.eq(new.agency.as_str()),
            t::state.eq(new.state.as_str()),
            t::until_at.eq(new.until),
            t::detail.eq(vault::seal(tx, new.case, new.id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.agency.as_str()),
            t::created_by_client.eq(new.client),
            t::updated_at.eq(new.updated_at),
            t::owner_agency.eq(owner.as_str()),
        ))
        .execute(tx)?;
    for lane in [owner.as_str(), OVERSIGHT_LANE] {
        diesel::insert_into(desk::table)
            .values((
                desk::bucket.eq(lane_bucket(lane).number()),
                desk::agency_code.eq(lane),
                desk::break_glass_id.eq(id),
                desk::reviewed.eq(false),
            ))
            .execute(tx)?;
    }
    Ok(())
}

/// A break-glass, whoever asks: how the caller stands to it must be checked before it is shown.
pub fn find(conn: &mut Conn, id: BreakGlassId) -> Result<BreakGlass> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    glass(row, &keys)
}

/// Every time that glass was broken over a case, and by whom.
pub fn over(conn: &mut Conn, case: CaseId) -> Result<Vec<(BreakGlassId, String)>> {
    Ok(t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .filter(t::until_at.is_not_null())
        .select((t::id, t::agency_code))
        .order(t::id.asc())
        .load(conn)?)
}

/// Writes a moved break-glass over the version that it was read at; a reviewed one leaves the pile of those that wait.
pub fn update(tx: &mut Conn, after: &BreakGlass, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let this = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id));
    let owner: String = this.select(t::owner_agency).first(tx)?;
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::state.eq(after.state.as_str()),
            t::until_at.eq(after.until),
            t::detail.eq(vault::seal(tx, after.case, after.id, &after.detail)?),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .execute(tx)?;
    if moved == 0 {
        return Err(Error::PreconditionFailed { current_version: read_at + 1 });
    }
    for lane in [owner.as_str(), OVERSIGHT_LANE] {
        diesel::update(
            desk::table
                .filter(desk::bucket.eq(lane_bucket(lane).number()))
                .filter(desk::agency_code.eq(lane))
                .filter(desk::break_glass_id.eq(id)),
        )
        .set(desk::reviewed.eq(after.state == State::Reviewed))
        .execute(tx)?;
    }
    Ok(())
}

/// One page of the caller's desk, the first one first.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    reviewed: Option<bool>,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<BreakGlass>> {
    let mut query = desk::table
        .filter(desk::bucket.eq(scope.lane_bucket().number()))
        .filter(desk::agency_code.eq(scope.lane()))
        .select(desk::break_glass_id)
        .order(desk::break_glass_id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(reviewed) = reviewed {
        query = query.filter(desk::reviewed.eq(reviewed));
    }
    if let Some(after) = after {
        query = query.filter(desk::break_glass_id.gt(BreakGlassId::from_uuid(after.id)));
    }
    let ids: Vec<BreakGlassId> = query.load(conn)?;
    let Page { items, next } = Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() });
    if items.is_empty() {
        return Ok(Page { items: Vec::new(), next });
    }
    let mut buckets: Vec<i16> = items.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<Row> =
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(items.clone())).select(columns()).load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.2))?;
    let mut found = rows.into_iter().map(|row| glass(row, &keys)).collect::<Result<Vec<_>>>()?;
    found.sort_by_key(|g| g.id);
    Ok(Page { items: found, next })
}
