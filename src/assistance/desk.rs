//! The desk: one row per lane and need, so that what an agency does and what it counts is a range of one lane.
//!
//! The lanes are the agency that registered it, the one that provides it, and oversight. Rows are written in the
//! transaction that changes the need. A row says in which order and how to count, never who may see.

use diesel::dsl::{count, count_star};
use diesel::prelude::*;

use super::model::Assistance;
use crate::auth::Scope;
use crate::db::Conn;
use crate::db::schema::assistance_desk as t;
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{AssistanceId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Result};
use crate::victims;

/// What the desk is asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these states.
    pub states: Vec<String>,
    /// Any of these needs.
    pub needs: Vec<String>,
    /// Of this victim.
    pub victim: Option<VictimId>,
    /// Served in any of these years, both included.
    pub years: Option<(i16, i16)>,
}

fn lanes(of: &Assistance) -> impl Iterator<Item = &str> {
    let provider = of.provider.as_ref().filter(|_| of.shown_to_provider());
    [of.agency.as_str(), OVERSIGHT_LANE].into_iter().chain(provider.map(AgencyCode::as_str))
}

/// Makes the desks say what the need says now.
pub fn settle(tx: &mut Conn, before: Option<&Assistance>, after: &Assistance) -> Result<()> {
    let (years, now): (_, Vec<&str>) = (after.years(), lanes(after).collect());
    let mut touched: Vec<(i16, &str)> =
        before.into_iter().flat_map(lanes).chain(lanes(after)).map(|lane| (lane_bucket(lane).number(), lane)).collect();
    // A person of several records is counted once, by the one that stands for them.
    let person = victims::store::counted_as(tx, after.victim)?;
    // One order for everybody, so that two writers never wait for each other.
    touched.sort_unstable();
    touched.dedup();
    for (bucket, lane) in touched {
        if before.is_some() {
            let row = t::table.filter(t::bucket.eq(bucket)).filter(t::agency_code.eq(lane));
            diesel::delete(row.filter(t::assistance_id.eq(after.id))).execute(tx)?;
        }
        if !now.contains(&lane) {
            continue;
        }
        diesel::insert_into(t::table)
            .values((
                t::bucket.eq(bucket),
                t::agency_code.eq(lane),
                t::assistance_id.eq(after.id),
                t::victim_id.eq(person),
                t::need.eq(&after.need),
                t::state.eq(after.state.as_str()),
                t::from_year.eq(years.map(|(from, _)| from)),
                t::until_year.eq(years.map(|(_, until)| until)),
            ))
            .execute(tx)?;
    }
    Ok(())
}

/// One page of the caller's lane, oldest first.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    filter: &Filter,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<AssistanceId>> {
    let Filter { states, needs, victim, years } = filter;
    let mut query = t::table
        .filter(t::bucket.eq(scope.lane_bucket().number()))
        .filter(t::agency_code.eq(scope.lane()))
        .select(t::assistance_id)
        .order(t::assistance_id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if !states.is_empty() {
        query = query.filter(t::state.eq_any(states));
    }
    if !needs.is_empty() {
        query = query.filter(t::need.eq_any(needs));
    }
    if let Some(victim) = victim {
        query = query.filter(t::victim_id.eq(victim));
    }
    if let Some((from, until)) = years {
        query = query.filter(t::from_year.le(until)).filter(t::until_year.ge(from));
    }
    if let Some(after) = after {
        query = query.filter(t::assistance_id.gt(AssistanceId::from_uuid(after.id)));
    }
    let ids: Vec<AssistanceId> = query.load(conn)?;
    Ok(Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() }))
}

/// Persons and services, of all needs; and need, persons and services of each.
pub type Helped = ((i64, i64), Vec<(String, i64, i64)>);

/// How many persons of the caller's lane were helped in some years, both included, and by how many services; by need
/// too.
pub fn helped(conn: &mut Conn, scope: &Scope, (from, until): (i16, i16)) -> Result<Helped> {
    macro_rules! lane {
        () => {
            t::table
                .filter(t::bucket.eq(scope.lane_bucket().number()))
                .filter(t::agency_code.eq(scope.lane()))
                .filter(t::from_year.le(until))
                .filter(t::until_year.ge(from))
        };
    }
    let all = lane!().select((count(t::victim_id).aggregate_distinct(), count_star())).first::<(i64, i64)>(conn)?;
    let by_need = lane!()
        .group_by(t::need)
        .select((t::need, count(t::victim_id).aggregate_distinct(), count_star()))
        .order(t::need.asc())
        .load::<(String, i64, i64)>(conn)?;
    Ok((all, by_need))
}
