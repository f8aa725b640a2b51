//! SQL of the proposals and of the boxes that list them.

use diesel::prelude::*;

use super::model::{Correction, Detail, Record, State};
use crate::act::Act;
use crate::auth::Scope;
use crate::db::schema::{correction as t, correction_box as boxes};
use crate::db::{Conn, Json, Keep};
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{CaseId, CorrectionId, ResourceId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault::{self, Guarded, Keys};

/// Which of an agency's two boxes, or the one of oversight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What others proposed to it.
    In,
    /// What it proposed.
    Out,
    /// Every proposal: oversight's.
    Watch,
}

impl Side {
    /// The code, as stored and as asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Watch => "watch",
        }
    }

    /// The side of a code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::In, Self::Out, Self::Watch].into_iter().find(|s| s.as_str() == code)
    }
}

impl Guarded for Detail {
    const PLACE: &'static str = "correction.detail";
    const SECRET: &'static [&'static str] = &["patch", "reason", "evidence", "answer"];
}

type Row = (CorrectionId, i64, CaseId, String, ResourceId, String, String, String, Json, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::case_id,
        t::record_type,
        t::record_id,
        t::from_agency,
        t::owner_agency,
        t::state,
        t::detail,
        t::created_at,
        t::updated_at,
    )
}

fn record_of(row: &Row) -> Result<Record> {
    Record::of(&row.3, row.4).ok_or_else(|| Error::internal("record type in correction"))
}

fn correction(row: Row, keys: &Keys) -> Result<Correction> {
    let record = record_of(&row)?;
    let (id, version, case, _, _, from, owner, state, detail, created_at, updated_at) = row;
    let agency = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in correction"));
    Ok(Correction {
        id,
        version,
        case,
        record,
        from: agency(&from)?,
        owner: agency(&owner)?,
        state: State::parse(&state).ok_or_else(|| Error::internal("correction state"))?,
        detail: keys.open(record.subject(case), id, &detail)?,
        created_at,
        updated_at,
    })
}

/// The boxes that a proposal lies in: the proposer's, the owner's, and that of oversight.
fn lanes(of: &Correction) -> [(&str, Side); 3] {
    [(of.from.as_str(), Side::Out), (of.owner.as_str(), Side::In), (OVERSIGHT_LANE, Side::Watch)]
}

/// Inserts a proposal and lays it in its boxes.
pub fn insert(tx: &mut Conn, act: &Act, new: &Correction) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a correction without a client"))?;
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::case_id.eq(new.case),
            t::record_type.eq(new.record.kind()),
            t::record_id.eq(new.record.id(new.case)),
            t::from_agency.eq(new.from.as_str()),
            t::owner_agency.eq(new.owner.as_str()),
            t::state.eq(new.state.as_str()),
            t::detail.eq(vault::seal(tx, new.record.subject(new.case), id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.from.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    for (lane, side) in lanes(new) {
        diesel::insert_into(boxes::table)
            .values((
                boxes::bucket.eq(lane_bucket(lane).number()),
                boxes::agency_code.eq(lane),
                boxes::side.eq(side.as_str()),
                boxes::open.eq(true),
                boxes::correction_id.eq(id),
            ))
            .execute(tx)?;
    }
    Ok(())
}

/// A proposal, whoever asks: how the caller stands to it must be checked before it is shown.
pub fn find(conn: &mut Conn, id: CorrectionId) -> Result<Correction> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [record_of(&row)?.subject(row.2)])?;
    correction(row, &keys)
}

/// Writes a moved proposal over the version that it was read at, and takes it from the piles of those that wait.
pub fn update(tx: &mut Conn, after: &Correction, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::state.eq(after.state.as_str()),
            t::detail.eq(vault::seal(tx, after.record.subject(after.case), id, &after.detail)?),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .kept()
        .execute(tx)?;
    if moved == 0 {
        return Err(Error::PreconditionFailed { current_version: read_at + 1 });
    }
    for (lane, side) in lanes(after) {
        diesel::update(
            boxes::table
                .filter(boxes::bucket.eq(lane_bucket(lane).number()))
                .filter(boxes::agency_code.eq(lane))
                .filter(boxes::side.eq(side.as_str()))
                .filter(boxes::correction_id.eq(id)),
        )
        .set(boxes::open.eq(after.state == State::Proposed))
        .kept()
        .execute(tx)?;
    }
    Ok(())
}

/// One page of one of the caller's boxes, oldest first. Supervisors have one of their own, and no other.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    side: Side,
    open: Option<bool>,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<Correction>> {
    if scope.oversight() != (side == Side::Watch) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let mut query = boxes::table
        .filter(boxes::bucket.eq(scope.lane_bucket().number()))
        .filter(boxes::agency_code.eq(scope.lane()))
        .filter(boxes::side.eq(side.as_str()))
        .select(boxes::correction_id)
        .order(boxes::correction_id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(open) = open {
        query = query.filter(boxes::open.eq(open));
    }
    if let Some(after) = after {
        query = query.filter(boxes::correction_id.gt(CorrectionId::from_uuid(after.id)));
    }
    let ids: Vec<CorrectionId> = query.load(conn)?;
    let Page { items, next } = Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() });
    if items.is_empty() {
        return Ok(Page { items: Vec::new(), next });
    }
    let mut buckets: Vec<i16> = items.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<Row> =
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(items)).select(columns()).load(conn)?;
    let subjects = rows.iter().map(|row| Ok(record_of(row)?.subject(row.2))).collect::<Result<Vec<_>>>()?;
    let keys = vault::keys(conn, subjects)?;
    let mut found = rows.into_iter().map(|row| correction(row, &keys)).collect::<Result<Vec<_>>>()?;
    found.sort_by_key(|c| c.id);
    Ok(Page { items: found, next })
}
