//! SQL of the decisions.

use diesel::prelude::*;

use super::model::{Decision, DecisionDetail};
use crate::act::Act;
use crate::db::schema::decision as t;
use crate::db::{Conn, Json, Keep};
use crate::kernel::ids::{CaseId, DecisionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault::{self, Guarded, Keys};

type Row = (DecisionId, i64, CaseId, String, Option<DecisionId>, Option<DecisionId>, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::case_id,
        t::kind,
        t::supersedes_id,
        t::superseded_by_id,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

impl Guarded for DecisionDetail {
    const PLACE: &'static str = "decision.detail";
    const SECRET: &'static [&'static str] = &["number", "authority", "result", "document_ref"];
}

fn decision(row: Row, keys: &Keys) -> Result<Decision> {
    let (id, version, case, kind, supersedes, superseded_by, detail, created_at, agency, updated_at) = row;
    Ok(Decision {
        id,
        version,
        case,
        kind,
        supersedes,
        superseded_by,
        detail: keys.open(case, id, &detail)?,
        created_at,
        created_by_agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in decision"))?,
        updated_at,
    })
}

/// Inserts a decision.
pub fn insert(tx: &mut Conn, act: &Act, new: &Decision) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a decision without a client"))?;
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::case_id.eq(new.case),
            t::kind.eq(&new.kind),
            t::supersedes_id.eq(new.supersedes),
            t::superseded_by_id.eq(new.superseded_by),
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

/// A decision, whoever asks: the caller's sight of its case must be checked before it is shown.
pub fn find(conn: &mut Conn, id: DecisionId) -> Result<Decision> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    decision(row, &keys)
}

/// Says of a decision that another one takes its place; false if one has taken it already.
pub fn supersede(tx: &mut Conn, old: &Decision, by: DecisionId, now: Timestamp) -> Result<bool> {
    let (bucket, id) = old.id.key();
    let moved = diesel::update(
        t::table
            .filter(t::bucket.eq(bucket))
            .filter(t::id.eq(id))
            .filter(t::version.eq(old.version))
            .filter(t::superseded_by_id.is_null()),
    )
    .set((t::superseded_by_id.eq(by), t::version.eq(old.version + 1), t::updated_at.eq(now)))
    .kept()
    .execute(tx)?;
    Ok(moved == 1)
}

/// One page of a case's decisions, in the order in which they were registered. The caller's sight has been checked.
pub fn list(conn: &mut Conn, case: CaseId, after: Option<&After>, limit: Limit) -> Result<Page<Decision>> {
    let mut query = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.gt(DecisionId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, [case])?;
    let decisions = rows.into_iter().map(|row| decision(row, &keys)).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(decisions, limit, |d| After { key: String::new(), id: d.id.uuid() }))
}
