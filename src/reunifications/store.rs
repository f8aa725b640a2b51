//! SQL of the reunifications.

use diesel::prelude::*;

use super::desk;
use super::model::{Reunification, ReunificationDetail};
use crate::act::Act;
use crate::db::schema::reunification as t;
use crate::db::{Conn, Json};
use crate::kernel::ids::{ConsentId, ReunificationId, VictimId};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::per_engine;
use crate::vault::{self, Guarded, Keys};

impl Guarded for ReunificationDetail {
    const PLACE: &'static str = "reunification.detail";
    const SECRET: &'static [&'static str] = &["summary", "beneficiaries/*/name"];
}

type Row = (ReunificationId, i64, VictimId, String, Option<String>, Option<ConsentId>, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::victim_id,
        t::country,
        t::sponsor_code,
        t::consent_id,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

fn reunification(row: Row, keys: &Keys) -> Result<Reunification> {
    let (id, version, victim, country, sponsor, consent, detail, created_at, agency, updated_at) = row;
    let code = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in reunification"));
    Ok(Reunification {
        id,
        version,
        victim,
        country,
        agency: code(&agency)?,
        sponsor: sponsor.as_deref().map(code).transpose()?,
        consent,
        detail: keys.open(victim, id, &detail)?,
        created_at,
        updated_at,
    })
}

/// Inserts a reunification and puts it on its desks.
pub fn insert(tx: &mut Conn, act: &Act, new: &Reunification) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a reunification without a client"))?;
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::victim_id.eq(new.victim),
            t::country.eq(&new.country),
            t::sponsor_code.eq(new.sponsor.as_ref().map(AgencyCode::as_str)),
            t::consent_id.eq(new.consent),
            t::detail.eq(vault::seal(tx, new.victim, id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.agency.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    desk::settle(tx, None, new)
}

/// A reunification, whoever asks: how the caller stands to it must be checked before it is shown.
pub fn find(conn: &mut Conn, id: ReunificationId) -> Result<Reunification> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    reunification(row, &keys)
}

/// Writes a changed reunification over the version that it was read at, and carries the change to its desks.
pub fn update(tx: &mut Conn, before: &Reunification, after: &Reunification) -> Result<()> {
    let (bucket, id) = after.id.key();
    let moved =
        diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(before.version)))
            .set((
                t::sponsor_code.eq(after.sponsor.as_ref().map(AgencyCode::as_str)),
                t::consent_id.eq(after.consent),
                t::detail.eq(vault::seal(tx, after.victim, id, &after.detail)?),
                t::version.eq(after.version),
                t::updated_at.eq(after.updated_at),
            ))
            .execute(tx)?;
    if moved == 0 {
        return Err(Error::PreconditionFailed { current_version: before.version + 1 });
    }
    desk::settle(tx, Some(before), after)
}

/// The reunifications of these ids, in their order.
pub fn many(conn: &mut Conn, ids: &[ReunificationId]) -> Result<Vec<Reunification>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<Row> = per_engine!(conn, c => t::table
        .filter(t::bucket.eq_any(buckets))
        .filter(t::id.eq_any(ids.to_vec()))
        .select(columns())
        .load(c)?);
    let keys = vault::keys(conn, rows.iter().map(|row| row.2))?;
    let mut found = rows.into_iter().map(|row| reunification(row, &keys)).collect::<Result<Vec<Reunification>>>()?;
    found.sort_by_key(|r| ids.iter().position(|id| *id == r.id));
    Ok(found)
}

/// Makes the desks say anew whom the reunifications of a record are counted for.
pub fn resettle(tx: &mut Conn, victim: VictimId) -> Result<()> {
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .select(columns())
        .order(t::id.asc())
        .limit(1_000)
        .load(tx)?;
    let keys = vault::keys(tx, rows.first().map(|_| victim))?;
    for row in rows {
        let record = reunification(row, &keys)?;
        desk::settle(tx, Some(&record), &record)?;
    }
    Ok(())
}

/// The reunifications of a victim that rest on a consent.
pub fn resting(conn: &mut Conn, victim: VictimId, consent: ConsentId) -> Result<Vec<Reunification>> {
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .filter(t::consent_id.eq(consent))
        .select(columns())
        .order(t::id.asc())
        .limit(1_000)
        .load(conn)?;
    let keys = vault::keys(conn, rows.first().map(|_| victim))?;
    rows.into_iter().map(|row| reunification(row, &keys)).collect()
}
