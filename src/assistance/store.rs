//! SQL of the needs.

use diesel::prelude::*;

use super::desk;
use super::model::{Assistance, AssistanceDetail};
use super::states::State;
use crate::act::Act;
use crate::db::schema::assistance as t;
use crate::db::{Conn, Json};
use crate::kernel::ids::{AssistanceId, ConsentId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::per_engine;
use crate::vault::{self, Guarded, Keys};

impl Guarded for AssistanceDetail {
    const PLACE: &'static str = "assistance.detail";
    const SECRET: &'static [&'static str] = &["assessment/evidence", "plan/goal"];
}

type Row =
    (AssistanceId, i64, VictimId, String, String, Option<String>, Option<ConsentId>, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::victim_id,
        t::need,
        t::state,
        t::provider_code,
        t::consent_id,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

fn assistance(row: Row, keys: &Keys) -> Result<Assistance> {
    let (id, version, victim, need, state, provider, consent, detail, created_at, agency, updated_at) = row;
    let code = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in assistance"));
    Ok(Assistance {
        id,
        version,
        victim,
        need,
        state: State::parse(&state).ok_or_else(|| Error::internal("assistance state"))?,
        agency: code(&agency)?,
        provider: provider.as_deref().map(code).transpose()?,
        consent,
        detail: keys.open(victim, id, &detail)?,
        created_at,
        updated_at,
    })
}

/// Inserts a need and puts it on its desks.
pub fn insert(tx: &mut Conn, act: &Act, new: &Assistance) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("assistance without a client"))?;
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::victim_id.eq(new.victim),
            t::need.eq(&new.need),
            t::state.eq(new.state.as_str()),
            t::provider_code.eq(new.provider.as_ref().map(AgencyCode::as_str)),
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

/// A need, whoever asks: how the caller stands to it must be checked before it is shown.
pub fn find(conn: &mut Conn, id: AssistanceId) -> Result<Assistance> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    assistance(row, &keys)
}

/// Writes a changed need over the version that it was read at, and carries the change to its desks.
pub fn update(tx: &mut Conn, before: &Assistance, after: &Assistance) -> Result<()> {
    let (bucket, id) = after.id.key();
    let moved =
        diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(before.version)))
            .set((
                t::state.eq(after.state.as_str()),
                t::provider_code.eq(after.provider.as_ref().map(AgencyCode::as_str)),
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

/// One page of a victim's needs, oldest first: all of them, or those only that an agency provides.
pub fn of_victim(
    conn: &mut Conn,
    victim: VictimId,
    provider: Option<&AgencyCode>,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<Assistance>> {
    let mut query = t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(agency) = provider {
        query = query
            .filter(t::provider_code.eq(agency.as_str()))
            .filter(t::state.ne(State::Withdrawn.as_str()).or(t::created_by_agency.eq(agency.as_str())));
    }
    if let Some(after) = after {
        query = query.filter(t::id.gt(AssistanceId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, rows.first().map(|_| victim))?;
    let needs = rows.into_iter().map(|row| assistance(row, &keys)).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(needs, limit, |a| After { key: String::new(), id: a.id.uuid() }))
}

/// Makes the desks say anew whom the needs of a record are counted for.
pub fn resettle(tx: &mut Conn, victim: VictimId) -> Result<()> {
    let mut after = None;
    loop {
        let Page { items, next } = of_victim(tx, victim, None, after.as_ref(), Limit::DEFAULT)?;
        for need in &items {
            desk::settle(tx, Some(need), need)?;
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// Where the needs of a victim stand, oldest first.
pub fn states(conn: &mut Conn, victim: VictimId) -> Result<Vec<State>> {
    let codes: Vec<String> = t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .select(t::state)
        .order(t::id.asc())
        .limit(10_000)
        .load(conn)?;
    let state = |code: String| State::parse(&code).ok_or_else(|| Error::internal("assistance state"));
    codes.into_iter().map(state).collect()
}

/// The needs of these ids, in their order.
pub fn many(conn: &mut Conn, ids: &[AssistanceId]) -> Result<Vec<Assistance>> {
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
    let mut found = rows.into_iter().map(|row| assistance(row, &keys)).collect::<Result<Vec<Assistance>>>()?;
    found.sort_by_key(|a| ids.iter().position(|id| *id == a.id));
    Ok(found)
}

/// The needs of a victim that rest on a consent and have not ended.
pub fn resting(conn: &mut Conn, victim: VictimId, consent: ConsentId) -> Result<Vec<Assistance>> {
    let open: Vec<&str> = State::ALL.into_iter().filter(|s| !s.ended()).map(State::as_str).collect();
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .filter(t::consent_id.eq(consent))
        .filter(t::state.eq_any(open))
        .select(columns())
        .order(t::id.asc())
        .limit(10_000)
        .load(conn)?;
    let keys = vault::keys(conn, rows.first().map(|_| victim))?;
    rows.into_iter().map(|row| assistance(row, &keys)).collect()
}
