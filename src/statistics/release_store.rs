//! SQL of the releases: which cases are in one, and what was published. Nothing here changes or deletes a row.

use diesel::prelude::*;

use super::period::Period;
use super::release::Draft;
use super::store::RANGE;
use crate::db::Conn;
use crate::db::schema::{statistics_cube, statistics_member, statistics_release};
use crate::kernel::ids::{CaseId, ReleaseId};
use crate::kernel::{Error, Result, Timestamp};
use crate::per_engine;

/// A release as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frozen {
    /// Its period.
    pub period: String,
    /// Its id, as the ledger names it.
    pub id: ReleaseId,
    /// Up to where it counted.
    pub position: i64,
    /// SHA-256 of the manifest, hex.
    pub sha256: String,
    /// When.
    pub published_at: Timestamp,
    /// The manifest: JSON.
    pub content: String,
}

type FrozenRow = (String, ReleaseId, i64, String, Timestamp, String);

fn frozen((period, id, position, sha256, published_at, content): FrozenRow) -> Frozen {
    Frozen { period, id, position, sha256, published_at, content }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        statistics_release::period,
        statistics_release::id,
        statistics_release::position,
        statistics_release::sha256,
        statistics_release::published_at,
        statistics_release::content,
    )
}

/// Most releases of one list: a century of months.
const MOST: i64 = 1_200;

/// Every release, the newest period first.
pub fn releases(conn: &mut Conn) -> Result<Vec<Frozen>> {
    let rows: Vec<FrozenRow> = statistics_release::table
        .filter(statistics_release::bucket.eq(0))
        .select(columns())
        .order(statistics_release::period.desc())
        .limit(MOST)
        .load(conn)?;
    let mut all: Vec<Frozen> = rows.into_iter().map(frozen).collect();
    all.sort_by_key(|r| std::cmp::Reverse(Period::parse(&r.period).map(|p| p.from)));
    Ok(all)
}

/// One release.
pub fn release(conn: &mut Conn, period: &str) -> Result<Frozen> {
    let row: FrozenRow = statistics_release::table
        .filter(statistics_release::bucket.eq(0))
        .filter(statistics_release::period.eq(period))
        .select(columns())
        .first(conn)?;
    Ok(frozen(row))
}

/// A table of a release: its bytes and their SHA-256.
pub fn cube(conn: &mut Conn, period: &str, name: &str) -> Result<(String, String)> {
    Ok(statistics_cube::table
        .filter(statistics_cube::bucket.eq(0))
        .filter(statistics_cube::period.eq(period))
        .filter(statistics_cube::name.eq(name))
        .select((statistics_cube::body, statistics_cube::sha256))
        .first(conn)?)
}

/// In which release each case of the buckets from `first` on is, [`RANGE`] of them.
pub fn members(conn: &mut Conn, first: i16) -> Result<Vec<(CaseId, String)>> {
    Ok(statistics_member::table
        .filter(statistics_member::bucket.ge(first))
        .filter(statistics_member::bucket.lt(first + RANGE))
        .select((statistics_member::case_id, statistics_member::period))
        .load(conn)?)
}

/// Puts cases into a release. One that is in another release already is a conflict: no case is ever in two.
pub fn enrol(tx: &mut Conn, cases: &[CaseId], period: &str) -> Result<()> {
    for id in cases {
        let (bucket, id) = id.key();
        per_engine!(tx, c => diesel::insert_into(statistics_member::table)
            .values((
                statistics_member::bucket.eq(bucket),
                statistics_member::case_id.eq(id),
                statistics_member::period.eq(period),
            ))
            .on_conflict_do_nothing()
            .execute(c)?);
        let kept: String = statistics_member::table
            .filter(statistics_member::bucket.eq(bucket))
            .filter(statistics_member::case_id.eq(id))
            .select(statistics_member::period)
            .first(tx)?;
        if kept != period {
            return Err(Error::StateConflict(vec!["released_elsewhere".into()]));
        }
    }
    Ok(())
}

/// Freezes a release.
pub fn insert(tx: &mut Conn, frozen: &Frozen, agency: Option<&str>, draft: &Draft) -> Result<()> {
    let Frozen { period, id, position, sha256, published_at, content } = frozen;
    let made = per_engine!(tx, c => diesel::insert_into(statistics_release::table)
        .values((
            statistics_release::bucket.eq(0),
            statistics_release::period.eq(period),
            statistics_release::id.eq(*id),
            statistics_release::position.eq(position),
            statistics_release::sha256.eq(sha256),
            statistics_release::published_at.eq(published_at),
            statistics_release::agency_code.eq(agency),
            statistics_release::content.eq(content),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    if made == 0 {
        return Err(Error::StateConflict(vec!["already_released".into()]));
    }
    for cube in &draft.cubes {
        diesel::insert_into(statistics_cube::table)
            .values((
                statistics_cube::bucket.eq(0),
                statistics_cube::period.eq(period),
                statistics_cube::name.eq(&cube.name),
                statistics_cube::sha256.eq(&cube.sha256),
                statistics_cube::body.eq(&cube.body),
            ))
            .execute(tx)?;
    }
    Ok(())
}
