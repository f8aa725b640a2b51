//! SQL of the transitions.

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::wire::{LegalAct, TransitionView};
use crate::act::Act;
use crate::db::schema::transition_record as t;
use crate::db::{Conn, Json};
use crate::kernel::ids::{CaseId, ChargeId, ClientId, Kind, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Id, PartialDate, Result, Timestamp};
use crate::vault::{self, Guarded};

/// A move that is being made.
#[derive(Clone, Debug)]
pub struct Done {
    /// The record of it.
    pub id: TransitionId,
    /// Trigger.
    pub trigger: String,
    /// State before.
    pub from: String,
    /// State after.
    pub to: String,
    /// The act on which it rests.
    pub legal_act: Option<LegalAct>,
    /// Day from which it counts.
    pub effective_on: Option<PartialDate>,
    /// Why.
    pub reason: Option<String>,
    /// Version of the resource after it.
    pub version: i64,
    /// Whose act it is, and what else it touched.
    pub reach: Reach,
}

/// Whose act a move was, and what else it touched.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Reach {
    /// Code list `actor`.
    pub actor: Option<String>,
    /// The charges that moved with it.
    pub charges: Vec<ChargeId>,
    /// The file in which this one, or a part of it, goes on.
    pub case: Option<CaseId>,
}

#[derive(Serialize, Deserialize)]
struct Detail {
    legal_act: Option<LegalAct>,
    effective_on: Option<PartialDate>,
    reason: Option<String>,
    #[serde(default)]
    reach: Reach,
}

impl Guarded for Detail {
    const PLACE: &'static str = "transition_record.detail";
    const SECRET: &'static [&'static str] = &["legal_act", "reason"];
}

/// Records a move, in the transaction that makes it. `of` is the case or the person under whose key its words lie.
pub fn append<K: Kind, S: Kind>(tx: &mut Conn, act: &Act, of: Id<S>, resource: Id<K>, done: &Done) -> Result<()> {
    let Done { id, trigger, from, to, legal_act, effective_on, reason, version, reach } = done;
    let detail =
        Detail { legal_act: legal_act.clone(), effective_on: *effective_on, reason: reason.clone(), reach: reach.clone() };
    let detail = vault::seal(tx, of, *id, &detail)?;
    let client = act.actor.client.ok_or_else(|| Error::internal("a transition without a client"))?;
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(id.bucket().number()),
            t::id.eq(id),
            t::resource_type.eq(K::NAME),
            t::resource_id.eq(resource.erase()),
            t::trigger_code.eq(trigger),
            t::from_state.eq(from),
            t::to_state.eq(to),
            t::detail.eq(detail),
            t::version.eq(version),
            t::at.eq(act.now),
            t::agency_code.eq(act.agency().as_str()),
            t::client_id.eq(client),
        ))
        .execute(tx)?;
    Ok(())
}

type Row = (TransitionId, String, String, String, Json, i64, Timestamp, String, ClientId);

/// The moves of one resource of a case, oldest first.
pub fn list<K: Kind, S: Kind>(
    conn: &mut Conn,
    of: Id<S>,
    resource: Id<K>,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let mut query = t::table
        .filter(t::bucket.eq(resource.bucket().number()))
        .filter(t::resource_id.eq(resource.erase()))
        .select((
            t::id,
            t::trigger_code,
            t::from_state,
            t::to_state,
            t::detail,
            t::version,
            t::at,
            t::agency_code,
            t::client_id,
        ))
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.gt(TransitionId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, rows.first().map(|_| of))?;
    let views = rows
        .into_iter()
        .map(|(id, trigger, from, to, detail, version, at, agency, _client)| {
            let Detail { legal_act, effective_on, reason, reach: Reach { actor, charges, case } } =
                keys.open(of, id, &detail)?;
            let agency = AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in transition"))?;
            Ok(TransitionView {
                id,
                trigger,
                from,
                to,
                legal_act,
                effective_on,
                reason,
                actor,
                charges,
                related_case_id: case,
                at,
                agency,
                version,
            })
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(views, limit, |v| After { key: String::new(), id: v.id.uuid() }))
}

/// A move that was made, as rules look back on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// Trigger.
    pub trigger: String,
    /// State before.
    pub from: String,
    /// State after.
    pub to: String,
    /// Day from which it counts.
    pub on: NaiveDate,
}

/// Most moves that rules look back on.
const MOST: i64 = 10_000;

/// Every move of one resource, oldest first.
pub fn past<K: Kind>(conn: &mut Conn, resource: Id<K>) -> Result<Vec<Past>> {
    let rows: Vec<(String, String, String, Json, Timestamp)> = t::table
        .filter(t::bucket.eq(resource.bucket().number()))
        .filter(t::resource_id.eq(resource.erase()))
        .select((t::trigger_code, t::from_state, t::to_state, t::detail, t::at))
        .order(t::id.asc())
        .limit(MOST)
        .load(conn)?;
    rows.into_iter()
        .map(|(trigger, from, to, detail, at)| {
            let on = detail.read::<Detail>()?.effective_on.map_or_else(|| at.date(), PartialDate::latest);
            Ok(Past { trigger, from, to, on })
        })
        .collect()
}

/// Whether a transition is one of a resource's.
pub fn of_resource<K: Kind>(conn: &mut Conn, resource: Id<K>, transition: TransitionId) -> Result<bool> {
    let found: Option<TransitionId> = t::table
        .filter(t::bucket.eq(resource.bucket().number()))
        .filter(t::id.eq(transition))
        .filter(t::resource_id.eq(resource.erase()))
        .select(t::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}
