//! What can be asked about deadlines.

use super::desk::{self, Row};
use super::model::of_case;
use super::wire::DeadlineView;
use crate::act::Act;
use crate::cases;
use crate::cases::model::Case;
use crate::catalogue::limits::Deadline;
use crate::catalogue::{Catalogue, DayType, Limit as LegalLimit, LimitSubject};
use crate::db::Store;
use crate::kernel::ids::CaseId;
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Bucket, Day, Result, Timestamp};
use crate::{measures, transitions};

/// Cases of one step of a rebuild.
const STEP: Limit = Limit::DEFAULT;

fn view(law: &Catalogue, case: &Case, deadline: &Deadline, lang: &str) -> DeadlineView {
    let Deadline {
        limit_id,
        what,
        basis,
        subject,
        code,
        measure_id,
        starts_on,
        due_on,
        day_type,
        extended,
        days_left,
        overdue,
        verified,
    } = deadline.clone();
    DeadlineView {
        case_id: case.id,
        case_code: case.code.clone(),
        label: law.limit(&limit_id).map_or(what, |l| l.labels.get(lang).to_owned()),
        limit_id,
        basis,
        subject: subject_code(subject),
        code,
        measure_id: measure_id.and_then(|id| id.parse().ok()),
        starts_on: Day::from_date(starts_on),
        due_on: Day::from_date(due_on),
        day_type: day_type_code(day_type),
        extended,
        days_left,
        overdue,
        verified,
    }
}

fn subject_code(subject: LimitSubject) -> &'static str {
    match subject {
        LimitSubject::CaseStage => "case_stage",
        LimitSubject::Transition => "transition",
        LimitSubject::Measure => "measure",
        LimitSubject::Appeal => "appeal",
    }
}

fn day_type_code(day_type: DayType) -> &'static str {
    match day_type {
        DayType::Calendar => "calendar",
        DayType::Working => "working",
    }
}

/// The deadlines that run in a case, the first to end at the top. Those of measures as far as the caller sees them.
pub async fn case_deadlines(store: &Store, act: &Act, id: CaseId, lang: &'static str) -> Result<Vec<DeadlineView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (case, sight) = cases::store::find(conn, &act.scope, id)?;
            let past = transitions::past(conn, id)?;
            let running = measures::running(conn, id)?;
            let law = &act.catalogue;
            let today = law.calendar(&case.jurisdiction).day(act.now);
            let hidden: Vec<String> =
                running.iter().filter(|m| !m.subject.visible(&sight)).map(|m| m.id.to_string()).collect();
            Ok(of_case(law, &case, &past, &running, today)
                .iter()
                .filter(|d| d.measure_id.as_ref().is_none_or(|id| !hidden.contains(id)))
                .map(|d| view(law, &case, d, lang))
                .collect())
        })
        .await
}

/// One page of the desk of the caller's agency.
pub async fn list_desk(
    store: &Store,
    act: &Act,
    due_before: Option<Day>,
    after: Option<After>,
    limit: Limit,
    lang: &'static str,
) -> Result<Page<DeadlineView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let Page { items, next } = desk::list(conn, &act.scope, due_before, after.as_ref(), limit)?;
            let mut ids: Vec<CaseId> = items.iter().map(|row| row.case).collect();
            ids.sort();
            ids.dedup();
            let files = cases::store::many(conn, &ids)?;
            let law = &act.catalogue;
            let items = items
                .iter()
                .filter_map(|row| {
                    let case = files.iter().find(|c| c.id == row.case)?;
                    let limit = law.limit(&row.limit_id)?;
                    Some(view(law, case, &running(law, case, limit, row, act.now), lang))
                })
                .collect();
            Ok(Page { items, next })
        })
        .await
}

/// A row of the desk as it stands today.
fn running(law: &Catalogue, case: &Case, limit: &LegalLimit, row: &Row, now: Timestamp) -> Deadline {
    let today = law.calendar(&case.jurisdiction).day(now);
    let due_on = row.due_on.date();
    Deadline {
        limit_id: row.limit_id.clone(),
        what: limit.what.clone(),
        basis: limit.basis.clone(),
        subject: limit.subject,
        code: limit.code.clone(),
        measure_id: None,
        starts_on: row.starts_on.date(),
        due_on,
        day_type: if row.continuous { DayType::Calendar } else { DayType::Working },
        extended: row.extended,
        days_left: due_on.signed_duration_since(today).num_days(),
        overdue: today > due_on,
        verified: limit.verified,
    }
}

/// Makes the whole desk again from the cases: for a registry whose law was corrected. Answers how many cases were
/// looked at; `told` hears the number of buckets done.
pub fn rebuild(store: &Store, law: &std::sync::Arc<Catalogue>, now: Timestamp, mut told: impl FnMut(i16)) -> Result<u64> {
    let mut done = 0;
    for number in 0..crate::kernel::ids::BUCKETS {
        let Some(bucket) = Bucket::new(number) else { continue };
        let mut after = None;
        loop {
            let Page { items, next } = store.read_blocking(|conn| cases::store::in_bucket(conn, bucket, after, STEP))?;
            done += u64::try_from(items.len()).unwrap_or(0);
            for id in items {
                let law = law.clone();
                store.write_blocking(move |tx| {
                    let case = cases::store::one(tx, id)?;
                    desk::settle(tx, &law, &case, now)
                })?;
            }
            match next {
                Some(next) => after = Some(CaseId::from_uuid(next.id)),
                None => break,
            }
        }
        told(number + 1);
    }
    Ok(done)
}
