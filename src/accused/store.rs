//! SQL of the accused.

use diesel::prelude::*;

use super::model::{Accused, AccusedDetail, PreparedAccused};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::{Section, docket};
use crate::db::schema::{accused as t, accused_case, case_accused};
use crate::db::{Conn, Json};
use crate::kernel::ids::{AccusedId, CaseId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::ledger::{Action, Entry};

type Row = (AccusedId, i64, String, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (t::id, t::version, t::code, t::detail, t::created_at, t::created_by_agency, t::updated_at)
}

fn accused(row: Row) -> Result<Accused> {
    let (id, version, code, detail, created_at, agency, updated_at) = row;
    Ok(Accused {
        id,
        version,
        code,
        detail: detail.read::<AccusedDetail>()?,
        created_at,
        created_by_agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in accused"))?,
        updated_at,
    })
}

/// Inserts accused persons and ties them to the case; answers the ledger entries.
pub fn insert(tx: &mut Conn, act: &Act, case: CaseId, prepared: &[PreparedAccused]) -> Result<Vec<Entry>> {
    let client = act.actor.client.ok_or_else(|| Error::internal("an accused without a client"))?;
    let mut entries = Vec::with_capacity(prepared.len());
    for PreparedAccused { accused, .. } in prepared {
        let (bucket, id) = accused.id.key();
        diesel::insert_into(t::table)
            .values((
                t::bucket.eq(bucket),
                t::id.eq(id),
                t::code.eq(&accused.code),
                t::detail.eq(Json::of(&accused.detail)?),
                t::version.eq(accused.version),
                t::created_at.eq(accused.created_at),
                t::created_by_agency.eq(accused.created_by_agency.as_str()),
                t::created_by_client.eq(client),
                t::updated_at.eq(accused.updated_at),
            ))
            .execute(tx)?;
        diesel::insert_into(accused_case::table)
            .values((accused_case::bucket.eq(bucket), accused_case::accused_id.eq(id), accused_case::case_id.eq(case)))
            .execute(tx)?;
        diesel::insert_into(case_accused::table)
            .values((
                case_accused::bucket.eq(case.bucket().number()),
                case_accused::case_id.eq(case),
                case_accused::accused_id.eq(id),
                case_accused::detail.eq(Json::of(&accused.detail.kind)?),
                case_accused::version.eq(1),
                case_accused::created_at.eq(act.now),
                case_accused::created_by_agency.eq(act.agency().as_str()),
                case_accused::created_by_client.eq(client),
                case_accused::updated_at.eq(act.now),
            ))
            .execute(tx)?;
        entries.push(Entry::new(Action::Created, id, Some(1)));
    }
    Ok(entries)
}

/// The accused of a case.
pub fn in_case(conn: &mut Conn, case: CaseId) -> Result<Vec<AccusedId>> {
    Ok(case_accused::table
        .filter(case_accused::bucket.eq(case.bucket().number()))
        .filter(case_accused::case_id.eq(case))
        .select(case_accused::accused_id)
        .limit(1_000)
        .load(conn)?)
}

/// Whether anybody accused in a case is identified.
pub fn has_identified(conn: &mut Conn, case: CaseId) -> Result<bool> {
    let page = list(conn, case, None, Limit::DEFAULT)?;
    Ok(page.items.iter().any(|a| a.detail.kind != "unidentified"))
}

/// One page of a case's accused. The caller's sight has been checked.
pub fn list(conn: &mut Conn, case: CaseId, after: Option<&After>, limit: Limit) -> Result<Page<Accused>> {
    let mut query = case_accused::table
        .filter(case_accused::bucket.eq(case.bucket().number()))
        .filter(case_accused::case_id.eq(case))
        .select(case_accused::accused_id)
        .order(case_accused::accused_id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(case_accused::accused_id.gt(AccusedId::from_uuid(after.id)));
    }
    let ids: Vec<AccusedId> = query.load(conn)?;
    let Page { items: ids, next } = Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() });
    if ids.is_empty() {
        return Ok(Page { items: Vec::new(), next });
    }
    let buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq_any(buckets))
        .filter(t::id.eq_any(ids))
        .select(columns())
        .order(t::id.asc())
        .load(conn)?;
    Ok(Page { items: rows.into_iter().map(accused).collect::<Result<_>>()?, next })
}

/// An accused whom the caller may see through one of her or his cases.
pub fn find(conn: &mut Conn, scope: &Scope, id: AccusedId) -> Result<(Accused, String)> {
    let (bucket, id) = id.key();
    let cases: Vec<CaseId> = accused_case::table
        .filter(accused_case::bucket.eq(bucket))
        .filter(accused_case::accused_id.eq(id))
        .select(accused_case::case_id)
        .limit(1_000)
        .load(conn)?;
    let sights = docket::sights(conn, scope, &cases)?;
    let (_, sight) = sights.into_iter().find(|(_, s)| s.sees(Section::Accused)).ok_or(Error::NotFound)?;
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    Ok((accused(row)?, sight.view()))
}
