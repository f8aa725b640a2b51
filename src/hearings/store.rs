//! SQL of the hearings.

use diesel::prelude::*;

use super::model::{Hearing, HearingDetail};
use crate::act::Act;
use crate::db::schema::hearing as t;
use crate::db::{Conn, Json, Keep};
use crate::kernel::ids::{CaseId, HearingId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault::{self, Guarded, Keys};

type Row = (HearingId, i64, CaseId, String, Timestamp, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (t::id, t::version, t::case_id, t::kind, t::scheduled_at, t::detail, t::created_at, t::created_by_agency, t::updated_at)
}

impl Guarded for HearingDetail {
    const PLACE: &'static str = "hearing.detail";
    const SECRET: &'static [&'static str] = &["court", "result", "document_ref"];
}

fn hearing(row: Row, keys: &Keys) -> Result<Hearing> {
    let (id, version, case, kind, scheduled_at, detail, created_at, agency, updated_at) = row;
    Ok(Hearing {
        id,
        version,
        case,
        kind,
        scheduled_at,
        detail: keys.open(case, id, &detail)?,
        created_at,
        created_by_agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in hearing"))?,
        updated_at,
    })
}

/// Inserts a hearing.
pub fn insert(tx: &mut Conn, act: &Act, new: &Hearing) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a hearing without a client"))?;
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::case_id.eq(new.case),
            t::kind.eq(&new.kind),
            t::scheduled_at.eq(new.scheduled_at),
            t::detail.eq(vault::seal(tx, new.case, id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.created_by_agency.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A hearing, whoever asks: the caller's sight of its case must be checked before it is shown.
pub fn find(conn: &mut Conn, id: HearingId) -> Result<Hearing> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    hearing(row, &keys)
}

/// Whether a hearing is one of a case's.
pub fn in_case(conn: &mut Conn, case: CaseId, id: HearingId) -> Result<bool> {
    match find(conn, id) {
        Ok(hearing) => Ok(hearing.case == case),
        Err(Error::NotFound) => Ok(false),
        Err(other) => Err(other),
    }
}

/// Writes a changed hearing over the version that it was read at.
pub fn update(tx: &mut Conn, hearing: &Hearing, read_at: i64) -> Result<()> {
    let (bucket, id) = hearing.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::kind.eq(&hearing.kind),
            t::scheduled_at.eq(hearing.scheduled_at),
            t::detail.eq(vault::seal(tx, hearing.case, id, &hearing.detail)?),
            t::version.eq(hearing.version),
            t::updated_at.eq(hearing.updated_at),
        ))
        .kept()
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// One page of a case's hearings, in the order in which they were registered. The caller's sight has been checked.
pub fn list(conn: &mut Conn, case: CaseId, after: Option<&After>, limit: Limit) -> Result<Page<Hearing>> {
    let mut query = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.gt(HearingId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, [case])?;
    let hearings = rows.into_iter().map(|row| hearing(row, &keys)).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(hearings, limit, |h| After { key: String::new(), id: h.id.uuid() }))
}
