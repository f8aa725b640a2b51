//! The desk: one row per side of a referral that waits for somebody, so that what is overdue is a range of one lane.
//!
//! Rows are written in the transaction that moves the referral. The sender's row also says when the housekeeper has
//! something to do; oversight gets a row when the time is over. Owns the table; what is waited for is `due`'s business.

use diesel::prelude::*;

use super::due::{Step, Told, Wait};
use super::model::Referral;
use super::store::Side;
use crate::db::Conn;
use crate::db::schema::referral_desk as t;
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{CaseId, ReferralId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Result, Timestamp};

/// Seconds before the end in which a referral is due soon.
pub const SOON_S: i64 = 86_400;

/// Which part of the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The time is over.
    Overdue,
    /// It is over within a day.
    Soon,
}

impl Due {
    /// The part of a code.
    pub fn parse(code: &str) -> Option<Self> {
        match code {
            "overdue" => Some(Self::Overdue),
            "soon" => Some(Self::Soon),
            _ => None,
        }
    }
}

/// The lanes in which a referral can lie.
fn lanes(of: &Referral) -> [(&str, Side); 3] {
    [(of.from.as_str(), Side::Out), (of.to.as_str(), Side::In), (OVERSIGHT_LANE, Side::Watch)]
}

#[diesel::dsl::auto_type(no_type_alias)]
fn row<'a>(lane: &'a str, side: &'a str, id: ReferralId) -> _ {
    let bucket: i16 = lane_bucket(lane).number();
    t::table
        .filter(t::bucket.eq(bucket))
        .filter(t::agency_code.eq(lane))
        .filter(t::side.eq(side))
        .filter(t::referral_id.eq(id))
}

/// What the desk says of a referral: what it waits for, and who has been told.
pub fn said(conn: &mut Conn, of: &Referral) -> Result<Option<(Step, Told)>> {
    let found: Option<(String, i16)> =
        row(of.from.as_str(), Side::Out.as_str(), of.id).select((t::step, t::told)).first(conn).optional()?;
    Ok(found.and_then(|(step, told)| Some((Step::parse(&step)?, Told::of(told)))))
}

/// Makes the desk say what the referral waits for now. Who was told that it waits for the same thing stays told.
pub fn settle(tx: &mut Conn, of: &Referral) -> Result<()> {
    let wait = of.wait();
    let before = said(tx, of)?;
    let Some(wait) = wait else {
        return if before.is_some() { clear(tx, of) } else { Ok(()) };
    };
    match before {
        Some((step, told)) if step == wait.step => put(tx, of, &wait, told, true),
        Some(_) => {
            clear(tx, of)?;
            put(tx, of, &wait, Told::Nobody, false)
        }
        None => put(tx, of, &wait, Told::Nobody, false),
    }
}

/// Writes that somebody has been told.
pub fn tell(tx: &mut Conn, of: &Referral, wait: &Wait, told: Told) -> Result<()> {
    put(tx, of, wait, told, true)
}

fn clear(tx: &mut Conn, of: &Referral) -> Result<()> {
    for (lane, side) in lanes(of) {
        diesel::delete(row(lane, side.as_str(), of.id)).execute(tx)?;
    }
    Ok(())
}

/// Writes the rows; over those that are there, where `known`.
fn put(tx: &mut Conn, of: &Referral, wait: &Wait, told: Told, known: bool) -> Result<()> {
    for (lane, side) in lanes(of) {
        // Oversight is told at the end.
        if side == Side::Watch && told != Told::Escalated {
            continue;
        }
        let next = wait.next(told).filter(|_| side == Side::Out);
        let changed = if known {
            diesel::update(row(lane, side.as_str(), of.id))
                .set((
                    t::state.eq(of.state.as_str()),
                    t::step.eq(wait.step.as_str()),
                    t::due_at.eq(wait.due),
                    t::told.eq(told.number()),
                    t::next_at.eq(next),
                ))
                .execute(tx)?
        } else {
            0
        };
        if changed == 0 {
            diesel::insert_into(t::table)
                .values((
                    t::bucket.eq(lane_bucket(lane).number()),
                    t::agency_code.eq(lane),
                    t::side.eq(side.as_str()),
                    t::referral_id.eq(of.id),
                    t::case_id.eq(of.case),
                    t::state.eq(of.state.as_str()),
                    t::step.eq(wait.step.as_str()),
                    t::due_at.eq(wait.due),
                    t::told.eq(told.number()),
                    t::next_at.eq(next),
                ))
                .execute(tx)?;
        }
    }
    Ok(())
}

/// The referrals of a sender about which somebody is to be told by now, the first to be told at the top.
pub fn owed(conn: &mut Conn, sender: &str, now: Timestamp, most: i64) -> Result<Vec<ReferralId>> {
    Ok(t::table
        .filter(t::bucket.eq(lane_bucket(sender).number()))
        .filter(t::agency_code.eq(sender))
        .filter(t::side.eq(Side::Out.as_str()))
        .filter(t::next_at.le(now))
        .select(t::referral_id)
        .order((t::next_at.asc(), t::referral_id.asc()))
        .limit(most)
        .load(conn)?)
}

/// What the desk is asked for.
#[derive(Clone, Debug)]
pub struct Filter<'f> {
    /// An agency's lane, or that of oversight.
    pub lane: &'f str,
    /// Which side of it.
    pub side: Side,
    /// Which part.
    pub due: Due,
    /// Any of these states.
    pub states: &'f [String],
    /// About this case.
    pub case: Option<CaseId>,
    /// Now.
    pub now: Timestamp,
}

/// One page of a lane, the first to end at the top.
pub fn list(conn: &mut Conn, filter: &Filter<'_>, after: Option<&After>, limit: Limit) -> Result<Page<ReferralId>> {
    let Filter { lane, side, due, states, case, now } = filter;
    let mut query = t::table
        .filter(t::bucket.eq(lane_bucket(lane).number()))
        .filter(t::agency_code.eq(*lane))
        .filter(t::side.eq(side.as_str()))
        .select((t::referral_id, t::due_at))
        .order((t::due_at.asc(), t::referral_id.asc()))
        .limit(limit.fetch())
        .into_boxed();
    query = match due {
        Due::Overdue => query.filter(t::due_at.le(now)),
        Due::Soon => query.filter(t::due_at.gt(now)).filter(t::due_at.le(now.plus_seconds(SOON_S))),
    };
    if !states.is_empty() {
        query = query.filter(t::state.eq_any(*states));
    }
    if let Some(case) = case {
        query = query.filter(t::case_id.eq(case));
    }
    if let Some(after) = after {
        let at = Timestamp::parse(&after.key).ok_or(Error::InvalidCursor)?;
        let id = ReferralId::from_uuid(after.id);
        // The plain bound lets the index start where the page starts.
        query = query.filter(t::due_at.ge(at)).filter(t::due_at.gt(at).or(t::due_at.eq(at).and(t::referral_id.gt(id))));
    }
    let rows: Vec<(ReferralId, Timestamp)> = query.load(conn)?;
    let page = Page::cut(rows, limit, |(id, at)| After { key: at.to_string(), id: id.uuid() });
    Ok(page.map(|(id, _)| id))
}
