//! SQL of the legal holds.

use diesel::prelude::*;

use super::model::{Detail, Held, LegalHold};
use crate::db::schema::legal_hold as t;
use crate::db::{Conn, Json};
use crate::kernel::ids::{ClientId, LegalHoldId, ResourceId};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault::{self, Guarded, Keys};

impl Guarded for Detail {
    const PLACE: &'static str = "legal_hold.detail";
    const SECRET: &'static [&'static str] = &["reason", "lift_reason"];
}

type Row = (LegalHoldId, i64, String, ResourceId, bool, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::subject_type,
        t::subject_id,
        t::active,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

fn hold(row: Row, keys: &Keys) -> Result<LegalHold> {
    let (id, version, kind, subject, active, detail, created_at, agency, updated_at) = row;
    Ok(LegalHold {
        id,
        version,
        held: Held::of(&kind, subject).ok_or_else(|| Error::internal("kind of what is held"))?,
        active,
        detail: keys.open(subject, id, &detail)?,
        created_at,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in a hold"))?,
        updated_at,
    })
}

/// Inserts a hold.
pub fn insert(tx: &mut Conn, new: &LegalHold, client: ClientId) -> Result<()> {
    let (bucket, id) = new.id.key();
    let subject = new.held.subject();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::subject_type.eq(new.held.kind()),
            t::subject_id.eq(subject),
            t::active.eq(new.active),
            t::detail.eq(vault::seal(tx, subject, id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.agency.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A hold, whoever asks: that it lies on the caller's desk must be checked before it is shown.
pub fn find(conn: &mut Conn, id: LegalHoldId) -> Result<LegalHold> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.3])?;
    hold(row, &keys)
}

/// Several holds, in the order of their ids.
pub fn many(conn: &mut Conn, ids: &[LegalHoldId]) -> Result<Vec<LegalHold>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    let rows: Vec<Row> =
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(ids.to_vec())).select(columns()).load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.3))?;
    let mut found = rows.into_iter().map(|row| hold(row, &keys)).collect::<Result<Vec<_>>>()?;
    found.sort_by_key(|h| h.id);
    Ok(found)
}

/// Writes a lifted hold over the version that it was read at.
pub fn update(tx: &mut Conn, after: &LegalHold, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::active.eq(after.active),
            t::detail.eq(vault::seal(tx, after.held.subject(), id, &after.detail)?),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// Whether a hold stands on any of these cases and persons.
pub fn any_active(conn: &mut Conn, subjects: &[ResourceId]) -> Result<bool> {
    if subjects.is_empty() {
        return Ok(false);
    }
    let mut buckets: Vec<i16> = subjects.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let found: Vec<LegalHoldId> = t::table
        .filter(t::bucket.eq_any(buckets))
        .filter(t::subject_id.eq_any(subjects.to_vec()))
        .filter(t::active.eq(true))
        .select(t::id)
        .limit(1)
        .load(conn)?;
    Ok(!found.is_empty())
}
