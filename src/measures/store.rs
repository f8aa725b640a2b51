//! SQL of the measures.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::desk;
use super::model::{Measure, MeasureDetail, Subject};
use super::states::{MeasureKind, State};
use crate::act::Act;
use crate::cases::{Section, Sight};
use crate::db::schema::measure as t;
use crate::db::{Conn, Json, Keep};
use crate::kernel::ids::{AccusedId, CaseId, MeasureId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Day, Error, PartialDate, Result, Timestamp};
use crate::persons::merges;
use crate::vault::{self, Guarded, Keys};

type Row = (
    MeasureId,
    i64,
    CaseId,
    String,
    String,
    String,
    Option<AccusedId>,
    Option<VictimId>,
    Json,
    Timestamp,
    String,
    Timestamp,
);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::case_id,
        t::kind,
        t::type_code,
        t::state,
        t::accused_id,
        t::victim_id,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

impl Guarded for MeasureDetail {
    const PLACE: &'static str = "measure.detail";
    const SECRET: &'static [&'static str] = &["legal_act"];
}

fn measure(row: Row, keys: &Keys) -> Result<Measure> {
    let (id, version, case, kind, type_code, state, accused, victim, detail, created_at, agency, updated_at) = row;
    let subject = match (accused, victim) {
        (Some(accused), None) => Subject::Accused(accused),
        (None, Some(victim)) => Subject::Victim(victim),
        _ => return Err(Error::internal("a stored measure about nobody, or about two")),
    };
    Ok(Measure {
        id,
        version,
        case,
        kind: MeasureKind::parse(&kind).ok_or_else(|| Error::internal("measure kind"))?,
        type_code,
        state: State::parse(&state).ok_or_else(|| Error::internal("measure state"))?,
        subject,
        detail: keys.open(case, id, &detail)?,
        created_at,
        created_by_agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in measure"))?,
        updated_at,
        merged: Vec::new(),
    })
}

/// Says of measures whether the record that they name was merged away.
pub fn redirect(conn: &mut Conn, measures: &mut [Measure]) -> Result<()> {
    let named = |measure: &Measure| match measure.subject {
        Subject::Accused(accused) => accused.erase(),
        Subject::Victim(victim) => victim.erase(),
    };
    let merged = merges::redirected(conn, measures.iter().map(named).collect::<Vec<_>>())?;
    for measure in measures.iter_mut().filter(|_| !merged.is_empty()) {
        let named = named(measure);
        measure.merged = merged.iter().filter(|one| one.record_id == named).copied().collect();
    }
    Ok(())
}

/// Inserts a measure.
pub fn insert(tx: &mut Conn, act: &Act, new: &Measure) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a measure without a client"))?;
    let (accused, victim) = match new.subject {
        Subject::Accused(accused) => (Some(accused), None),
        Subject::Victim(victim) => (None, Some(victim)),
    };
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::case_id.eq(new.case),
            t::kind.eq(new.kind.as_str()),
            t::type_code.eq(&new.type_code),
            t::state.eq(new.state.as_str()),
            t::accused_id.eq(accused),
            t::victim_id.eq(victim),
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

/// A measure, whoever asks: the caller's sight of its case must be checked before it is shown.
pub fn find(conn: &mut Conn, id: MeasureId) -> Result<Measure> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    let mut measure = measure(row, &keys)?;
    redirect(conn, std::slice::from_mut(&mut measure))?;
    Ok(measure)
}

/// Writes a changed measure over the version that it was read at, and carries the change to the desk.
pub fn update(tx: &mut Conn, measure: &Measure, read_at: i64, owner: &AgencyCode) -> Result<()> {
    let (bucket, id) = measure.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::state.eq(measure.state.as_str()),
            t::detail.eq(vault::seal(tx, measure.case, id, &measure.detail)?),
            t::version.eq(measure.version),
            t::updated_at.eq(measure.updated_at),
        ))
        .kept()
        .execute(tx)?;
    if moved == 0 {
        return Err(Error::PreconditionFailed { current_version: read_at + 1 });
    }
    desk::settle(tx, measure, owner)
}

/// What a list of a case's measures asks for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this kind.
    pub kind: Option<MeasureKind>,
    /// Any of these states.
    pub states: Vec<String>,
}

/// One page of a case's measures, those only that the sight shows. A case has few: the index by case is enough.
pub fn list(
    conn: &mut Conn,
    sight: &Sight,
    case: CaseId,
    filter: &Filter,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<Measure>> {
    let Filter { kind, states } = filter;
    let mut query = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    query = match (sight.sees(Section::Accused), sight.sees(Section::Victims), sight.victims.clone()) {
        (true, true, None) => query,
        (true, true, Some(only)) => query.filter(t::accused_id.is_not_null().or(t::victim_id.eq_any(only))),
        (true, false, _) => query.filter(t::accused_id.is_not_null()),
        (false, true, None) => query.filter(t::victim_id.is_not_null()),
        (false, true, Some(only)) => query.filter(t::victim_id.is_not_null()).filter(t::victim_id.eq_any(only)),
        (false, false, _) => return Err(Error::NotFound),
    };
    if let Some(kind) = kind {
        query = query.filter(t::kind.eq(kind.as_str()));
    }
    if !states.is_empty() {
        query = query.filter(t::state.eq_any(states));
    }
    if let Some(after) = after {
        query = query.filter(t::id.gt(MeasureId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.2))?;
    let mut measures = rows.into_iter().map(|row| measure(row, &keys)).collect::<Result<Vec<_>>>()?;
    redirect(conn, &mut measures)?;
    Ok(Page::cut(measures, limit, |m| After { key: String::new(), id: m.id.uuid() }))
}

/// The measures of these ids, in their order.
pub fn many(conn: &mut Conn, ids: &[MeasureId]) -> Result<Vec<Measure>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<Row> =
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(ids.to_vec())).select(columns()).load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.2))?;
    let mut found = rows.into_iter().map(|row| measure(row, &keys)).collect::<Result<Vec<Measure>>>()?;
    redirect(conn, &mut found)?;
    found.sort_by_key(|m| ids.iter().position(|id| *id == m.id));
    Ok(found)
}

/// A measure that runs, as far as terms depend on it.
#[derive(Clone, Debug)]
pub struct Running {
    /// The measure.
    pub id: MeasureId,
    /// Its type.
    pub type_code: String,
    /// Whom it is about.
    pub subject: Subject,
    /// Its first day.
    pub from: Option<NaiveDate>,
    /// The days on which it was extended.
    pub extended_on: Vec<NaiveDate>,
}

/// The measures that run in a case, whoever asks.
pub fn running(conn: &mut Conn, case: CaseId) -> Result<Vec<Running>> {
    let states: Vec<&str> = State::ALL.into_iter().filter(|s| s.runs()).map(State::as_str).collect();
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .filter(t::state.eq_any(states))
        .select(columns())
        .order(t::id.asc())
        .limit(1_000)
        .load(conn)?;
    let keys = vault::keys(conn, rows.first().map(|_| case))?;
    rows.into_iter()
        .map(|row| {
            let Measure { id, type_code, subject, detail, .. } = measure(row, &keys)?;
            let day = |e: &super::wire::Extension| e.effective_on.map_or_else(|| e.at.date(), PartialDate::latest);
            Ok(Running {
                id,
                type_code,
                subject,
                from: detail.from_on.map(Day::date),
                extended_on: detail.extensions.iter().map(day).collect(),
            })
        })
        .collect()
}
