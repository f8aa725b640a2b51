//! The desk: one row per lane and running measure that has a last day, so that what ends soon is a range of one lane.
//!
//! Rows are written in the transaction that changes the measure. The lanes are the case's owner and oversight: a
//! participant finds the measures that it may see under their case. A row says in which order, never who may see: that
//! is the docket's business.

use diesel::prelude::*;

use super::model::Measure;
use super::states::MeasureKind;
use crate::auth::Scope;
use crate::db::Conn;
use crate::db::schema::measure_desk as t;
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::MeasureId;
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Day, Error, Result, Timestamp};

/// What the desk is asked for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Its last day lies before this one.
    pub expires_before: Option<Day>,
    /// Any of these states.
    pub states: Vec<String>,
    /// Of this kind.
    pub kind: Option<MeasureKind>,
}

/// Makes the desk say what the measure says now.
pub fn settle(tx: &mut Conn, measure: &Measure, owner: &AgencyCode) -> Result<()> {
    let mut lanes = [owner.as_str(), OVERSIGHT_LANE].map(|lane| (lane_bucket(lane).number(), lane));
    // One order for everybody, so that two writers never wait for each other.
    lanes.sort_unstable();
    for (bucket, lane) in lanes {
        diesel::delete(
            t::table.filter(t::bucket.eq(bucket)).filter(t::agency_code.eq(lane)).filter(t::measure_id.eq(measure.id)),
        )
        .execute(tx)?;
        let Some(until) = measure.detail.until_on.filter(|_| measure.state.runs()) else { continue };
        diesel::insert_into(t::table)
            .values((
                t::bucket.eq(bucket),
                t::agency_code.eq(lane),
                t::measure_id.eq(measure.id),
                t::case_id.eq(measure.case),
                t::kind.eq(measure.kind.as_str()),
                t::state.eq(measure.state.as_str()),
                t::until_at.eq(until.midnight()),
            ))
            .execute(tx)?;
    }
    Ok(())
}

/// One page of the caller's lane, soonest first.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    filter: &Filter,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<MeasureId>> {
    let Filter { expires_before, states, kind } = filter;
    let mut query = t::table
        .filter(t::bucket.eq(scope.lane_bucket().number()))
        .filter(t::agency_code.eq(scope.lane()))
        .select((t::measure_id, t::until_at))
        .order((t::until_at.asc(), t::measure_id.asc()))
        .limit(limit.fetch())
        .into_boxed();
    if let Some(day) = expires_before {
        query = query.filter(t::until_at.lt(day.midnight()));
    }
    if !states.is_empty() {
        query = query.filter(t::state.eq_any(states));
    }
    if let Some(kind) = kind {
        query = query.filter(t::kind.eq(kind.as_str()));
    }
    if let Some(after) = after {
        let at = Timestamp::parse(&after.key).ok_or(Error::InvalidCursor)?;
        let id = MeasureId::from_uuid(after.id);
        // The plain bound lets the index start where the page starts.
        query = query.filter(t::until_at.ge(at)).filter(t::until_at.gt(at).or(t::until_at.eq(at).and(t::measure_id.gt(id))));
    }
    let rows: Vec<(MeasureId, Timestamp)> = query.load(conn)?;
    let page = Page::cut(rows, limit, |(id, at)| After { key: at.to_string(), id: id.uuid() });
    Ok(page.map(|(id, _)| id))
}
