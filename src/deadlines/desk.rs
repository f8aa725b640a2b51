//! The desk: one row per term that runs in a case, under the agency whose case it is, in the order in which they end.
//! Owns the table. Terms of measures are on the desk of the measures.

use diesel::prelude::*;

use super::model::of_case;
use crate::auth::Scope;
use crate::cases::model::Case;
use crate::catalogue::limits::Deadline;
use crate::catalogue::{Catalogue, DayType, LimitSubject};
use crate::db::Conn;
use crate::db::schema::deadline_desk as t;
use crate::insert_many;
use crate::kernel::agency_code::lane_bucket;
use crate::kernel::ids::CaseId;
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Day, Error, Result, Timestamp};
use crate::{measures, transitions};

/// Makes the desk say what follows from the case now. In the transaction of every change that a term depends on:
/// stage, complexity, day of the report, extension, detention.
pub fn settle(tx: &mut Conn, law: &Catalogue, case: &Case, now: Timestamp) -> Result<()> {
    let past = transitions::past(tx, case.id)?;
    let running = measures::running(tx, case.id)?;
    let today = law.calendar(&case.jurisdiction).day(now);
    put(tx, case, &of_case(law, case, &past, &running, today))
}

/// The terms of a case that has just been opened: nothing has happened in it yet.
pub fn first(law: &Catalogue, case: &Case, now: Timestamp) -> Vec<Deadline> {
    of_case(law, case, &[], &[], law.calendar(&case.jurisdiction).day(now))
}

/// The desk's rows of cases that have just been opened.
pub fn open(tx: &mut Conn, cases: &[(&Case, &[Deadline])]) -> Result<()> {
    let rows: Vec<(&Case, &Deadline)> =
        cases.iter().flat_map(|(case, terms)| terms.iter().map(move |term| (*case, term))).collect();
    put_new(tx, &rows)
}

fn put(tx: &mut Conn, case: &Case, deadlines: &[Deadline]) -> Result<()> {
    let lane = case.owner.as_str();
    diesel::delete(
        t::table
            .filter(t::bucket.eq(lane_bucket(lane).number()))
            .filter(t::agency_code.eq(lane))
            .filter(t::case_id.eq(case.id)),
    )
    .execute(tx)?;
    put_new(tx, &deadlines.iter().map(|term| (case, term)).collect::<Vec<_>>())
}

fn put_new(tx: &mut Conn, terms: &[(&Case, &Deadline)]) -> Result<()> {
    let rows: Vec<&(&Case, &Deadline)> = terms.iter().filter(|(_, d)| d.subject != LimitSubject::Measure).collect();
    insert_many!(tx, "deadline_desk", rows, (case, d) => {
        "bucket" smallint = lane_bucket(case.owner.as_str()).number(),
        "agency_code" text = case.owner.as_str(),
        "case_id" uuid = case.id,
        "limit_id" text = d.limit_id.as_str(),
        "starts_at" timestamptz = Day::from_date(d.starts_on).midnight(),
        "due_at" timestamptz = Day::from_date(d.due_on).midnight(),
        "extended" boolean = d.extended,
        "continuous" boolean = d.day_type == DayType::Calendar,
    });
    Ok(())
}

/// One row of the desk.
#[derive(Clone, Debug)]
pub struct Row {
    /// The case.
    pub case: CaseId,
    /// The limit.
    pub limit_id: String,
    /// The day of the event.
    pub starts_on: Day,
    /// The last day.
    pub due_on: Day,
    /// Whether an extension is in it.
    pub extended: bool,
    /// Whether every day counts.
    pub continuous: bool,
}

/// One page of the caller's desk, the first to end at the top: what is overdue comes first.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    due_before: Option<Day>,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<Row>> {
    let mut query = t::table
        .filter(t::bucket.eq(scope.lane_bucket().number()))
        .filter(t::agency_code.eq(scope.lane()))
        .select((t::case_id, t::limit_id, t::starts_at, t::due_at, t::extended, t::continuous))
        .order((t::due_at.asc(), t::case_id.asc(), t::limit_id.asc()))
        .limit(limit.fetch())
        .into_boxed();
    if let Some(day) = due_before {
        query = query.filter(t::due_at.lt(day.midnight()));
    }
    if let Some(After { key, id }) = after {
        let (at, limit_id) = key.split_once('|').ok_or(Error::InvalidCursor)?;
        let at = Timestamp::parse(at).ok_or(Error::InvalidCursor)?;
        let case = CaseId::from_uuid(*id);
        // The plain bound lets the index start where the page starts.
        query = query.filter(t::due_at.ge(at)).filter(
            t::due_at
                .gt(at)
                .or(t::due_at.eq(at).and(t::case_id.gt(case)))
                .or(t::due_at.eq(at).and(t::case_id.eq(case)).and(t::limit_id.gt(limit_id.to_owned()))),
        );
    }
    let rows: Vec<(CaseId, String, Timestamp, Timestamp, bool, bool)> = query.load(conn)?;
    let rows = rows
        .into_iter()
        .map(|(case, limit_id, starts_at, due_at, extended, continuous)| Row {
            case,
            limit_id,
            starts_on: Day::from_date(starts_at.date()),
            due_on: Day::from_date(due_at.date()),
            extended,
            continuous,
        })
        .collect();
    Ok(Page::cut(rows, limit, |r| After { key: format!("{}|{}", r.due_on.midnight(), r.limit_id), id: r.case.uuid() }))
}
