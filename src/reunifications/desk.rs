//! The desk: one row per lane and relative, so that "how many persons were reunited there that year" is a range of one
//! lane.
//!
//! The lanes are the agency that registered the reunification, the one that sponsors it, and oversight. Rows are
//! written in the transaction that changes it. A row says how to find and count, never who may see.

use diesel::dsl::{count, count_star};
use diesel::prelude::*;

use super::model::Reunification;
use super::wire::ReunificationTotals;
use crate::auth::Scope;
use crate::db::Conn;
use crate::db::schema::reunification_desk as t;
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{ReunificationId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Result};
use crate::victims;

/// What the desk is asked for: reunifications with a relative who matches all of it.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// In this country.
    pub country: Option<String>,
    /// Any of these states.
    pub states: Vec<String>,
    /// Of this victim.
    pub victim: Option<VictimId>,
    /// Reunited in any of these years, both included.
    pub reunited: Option<(i16, i16)>,
}

fn lanes(of: &Reunification) -> impl Iterator<Item = &str> {
    let sponsor = of.sponsor.as_ref().filter(|_| of.shown_to_sponsor());
    [of.agency.as_str(), OVERSIGHT_LANE].into_iter().chain(sponsor.map(AgencyCode::as_str))
}

/// Makes the desks say what the reunification says now.
pub fn settle(tx: &mut Conn, before: Option<&Reunification>, after: &Reunification) -> Result<()> {
    let now: Vec<&str> = lanes(after).collect();
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
            diesel::delete(row.filter(t::reunification_id.eq(after.id))).execute(tx)?;
        }
        if !now.contains(&lane) {
            continue;
        }
        for one in &after.detail.beneficiaries {
            diesel::insert_into(t::table)
                .values((
                    t::bucket.eq(bucket),
                    t::agency_code.eq(lane),
                    t::reunification_id.eq(after.id),
                    t::beneficiary_id.eq(one.id),
                    t::victim_id.eq(person),
                    t::country.eq(&after.country),
                    t::state.eq(one.state.as_str()),
                    t::reunited_year.eq(one.reunited_in()),
                ))
                .execute(tx)?;
        }
    }
    Ok(())
}

/// The rows of the caller's lane that match.
macro_rules! matching {
    ($scope:expr, $filter:expr, $select:expr) => {{
        let Filter { country, states, victim, reunited } = $filter;
        let mut query = t::table
            .filter(t::bucket.eq($scope.lane_bucket().number()))
            .filter(t::agency_code.eq($scope.lane()))
            .select($select)
            .into_boxed();
        if let Some((from, until)) = reunited {
            query = query.filter(t::reunited_year.between(*from, *until));
        }
        if let Some(country) = country {
            query = query.filter(t::country.eq(country));
        }
        if !states.is_empty() {
            query = query.filter(t::state.eq_any(states));
        }
        if let Some(victim) = victim {
            query = query.filter(t::victim_id.eq(victim));
        }
        query
    }};
}

/// One page of the caller's lane, oldest first.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    filter: &Filter,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<ReunificationId>> {
    let mut query =
        matching!(scope, filter, t::reunification_id).distinct().order(t::reunification_id.asc()).limit(limit.fetch());
    if let Some(after) = after {
        query = query.filter(t::reunification_id.gt(ReunificationId::from_uuid(after.id)));
    }
    let ids: Vec<ReunificationId> = query.load(conn)?;
    Ok(Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() }))
}

/// The totals of what matches.
pub fn totals(conn: &mut Conn, scope: &Scope, filter: &Filter) -> Result<ReunificationTotals> {
    let counts = (count(t::reunification_id).aggregate_distinct(), count(t::victim_id).aggregate_distinct(), count_star());
    let (reunifications, victims, persons): (i64, i64, i64) = matching!(scope, filter, counts).first(conn)?;
    Ok(ReunificationTotals { reunifications, victims, persons })
}

/// Who was reunited in some years, both included, by country: victims and relatives.
pub fn by_country(conn: &mut Conn, scope: &Scope, (from, until): (i16, i16)) -> Result<Vec<(String, i64, i64)>> {
    Ok(t::table
        .filter(t::bucket.eq(scope.lane_bucket().number()))
        .filter(t::agency_code.eq(scope.lane()))
        .filter(t::reunited_year.between(from, until))
        .group_by(t::country)
        .select((t::country, count(t::victim_id).aggregate_distinct(), count_star()))
        .order(t::country.asc())
        .load(conn)?)
}
