//! SQL of the victims' care.

use diesel::prelude::*;

use super::model::{CareDetail, CareProcess};
use crate::act::Act;
use crate::db::schema::care_process as t;
use crate::db::{Conn, Json};
use crate::kernel::ids::{CareProcessId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault::{self, Guarded, Keys};

impl Guarded for CareDetail {
    const PLACE: &'static str = "care_process.detail";
    const SECRET: &'static [&'static str] = &["reintegration/goal"];
}

type Row = (CareProcessId, i64, VictimId, String, String, String, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::victim_id,
        t::jurisdiction,
        t::protocol_version,
        t::state,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

fn process(row: Row, keys: &Keys) -> Result<CareProcess> {
    let (id, version, victim, jurisdiction, protocol_version, state, detail, created_at, agency, updated_at) = row;
    Ok(CareProcess {
        id,
        version,
        victim,
        jurisdiction,
        protocol_version,
        state,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in care"))?,
        detail: keys.open(victim, id, &detail)?,
        created_at,
        updated_at,
    })
}

/// Inserts a process.
pub fn insert(tx: &mut Conn, act: &Act, new: &CareProcess) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("care without a client"))?;
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::victim_id.eq(new.victim),
            t::jurisdiction.eq(&new.jurisdiction),
            t::protocol_version.eq(&new.protocol_version),
            t::state.eq(&new.state),
            t::detail.eq(vault::seal(tx, new.victim, id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.agency.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A process, whoever asks: whether the caller sees its victim's help must be checked before it is shown.
pub fn find(conn: &mut Conn, id: CareProcessId) -> Result<CareProcess> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    process(row, &keys)
}

/// Writes a changed process over the version that it was read at.
pub fn update(tx: &mut Conn, before: &CareProcess, after: &CareProcess) -> Result<()> {
    let (bucket, id) = after.id.key();
    let moved =
        diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(before.version)))
            .set((
                t::state.eq(&after.state),
                t::detail.eq(vault::seal(tx, after.victim, id, &after.detail)?),
                t::version.eq(after.version),
                t::updated_at.eq(after.updated_at),
            ))
            .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: before.version + 1 }) } else { Ok(()) }
}

/// One page of a victim's processes, oldest first.
pub fn of_victim(conn: &mut Conn, victim: VictimId, after: Option<&After>, limit: Limit) -> Result<Page<CareProcess>> {
    let mut query = t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.gt(CareProcessId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, rows.first().map(|_| victim))?;
    let items = rows.into_iter().map(|row| process(row, &keys)).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(items, limit, |p| After { key: String::new(), id: p.id.uuid() }))
}

/// Whose care a process is; none where there is no such process.
pub fn victim(conn: &mut Conn, id: CareProcessId) -> Result<Option<VictimId>> {
    let (bucket, id) = id.key();
    let row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id));
    Ok(row.select(t::victim_id).first(conn).optional()?)
}

/// Where the processes of a victim stand, each with its protocol: `(process, jurisdiction, version, state)`, oldest first.
pub fn states(conn: &mut Conn, victim: VictimId) -> Result<Vec<(CareProcessId, String, String, String)>> {
    Ok(t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .select((t::id, t::jurisdiction, t::protocol_version, t::state))
        .order(t::id.asc())
        .limit(1_000)
        .load(conn)?)
}
