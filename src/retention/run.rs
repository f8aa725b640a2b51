//! The retention schedule carried out: what falls due on a day, and what became of it.
//!
//! Every subject is a transaction of its own and leaves a row behind, so a run that was broken off is run again and does
//! the rest. Nobody is erased here: what should be is proposed, and two persons decide (`erasures`).

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

use super::store;
use crate::cases::model::Case;
use crate::cases::store::ARCHIVED;
use crate::cases::{glass, participants};
use crate::catalogue::{Catalogue, RetentionAction, RetentionClass, RetentionRule, RetentionStatus};
use crate::db::{Conn, Store};
use crate::erasures::actions::enter;
use crate::erasures::model::{Erasure, Ground};
use crate::kernel::ids::{AccusedId, BUCKETS, CaseId, ErasureId, Id, ResourceId, RetentionRunId};
use crate::kernel::page::{Limit, Page};
use crate::kernel::pii::Pii;
use crate::kernel::{Bucket, Error, Result, Timestamp};
use crate::ledger::{self, Action, Entry};
use crate::persons::Publication;
use crate::persons::erasure::{Person, operator};
use crate::{accused, cases, charges, holds, vault, victims};

/// What became of something that fell due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A dry run: it would be done.
    Due,
    /// Somebody must look at it: it stands in the list.
    ToReview,
    /// Only the owner and oversight see it from now on.
    Restricted,
    /// An erasure was proposed.
    ErasureProposed,
    /// A legal hold stands on it.
    Held,
    /// An earlier run saw to it.
    DoneBefore,
}

/// Something that fell due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Item {
    /// `case`, `victim` or `accused`.
    pub class: &'static str,
    /// Which.
    pub id: ResourceId,
    /// The rule.
    pub rule: String,
    /// Its action.
    pub action: &'static str,
    /// When it fell due.
    pub due_on: NaiveDate,
    /// What became of it.
    pub outcome: Outcome,
}

/// What a run found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The run, as the ledger knows it; null of a dry one.
    pub run_id: Option<RetentionRunId>,
    /// The day for which it was made.
    pub as_of: NaiveDate,
    /// Cases looked at.
    pub cases: u64,
    /// What fell due.
    pub items: Vec<Item>,
}

/// How a run is made.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The day.
    pub as_of: NaiveDate,
    /// Do nothing.
    pub dry: bool,
    /// Now.
    pub now: Timestamp,
}

/// Goes through every case and its persons; `told` hears of each bucket that is done.
pub fn run(db: &Store, law: &Arc<Catalogue>, how: Run, mut told: impl FnMut(i16)) -> Result<Report> {
    let mut report = Report { run_id: None, as_of: how.as_of, cases: 0, items: Vec::new() };
    for number in 0..BUCKETS {
        let bucket = Bucket::new(number).ok_or_else(|| Error::internal("a bucket beyond the last one"))?;
        let mut after = None;
        loop {
            let Page { items, next } =
                db.read_blocking(|conn| cases::store::in_bucket(conn, bucket, after, Limit::DEFAULT))?;
            report.cases += u64::try_from(items.len()).unwrap_or(0);
            for id in items {
                for due in db.read_blocking(|conn| due(conn, law, id, how.as_of))? {
                    report.items.push(settle(db, due, how)?);
                }
            }
            match next {
                Some(next) => after = Some(CaseId::from_uuid(next.id)),
                None => break,
            }
        }
        told(number);
    }
    if !how.dry {
        report.run_id = Some(certify(db, &report, how.now)?);
    }
    Ok(report)
}

/// What an item is about.
#[derive(Clone, Copy, Debug)]
enum Subject {
    Case(CaseId),
    Person(Person),
}

#[derive(Clone, Debug)]
struct Due {
    subject: Subject,
    /// The cases that it is of.
    cases: Vec<CaseId>,
    rule: RetentionRule,
    on: NaiveDate,
}

/// What falls due of a case and of the persons who are first met in it.
fn due(conn: &mut Conn, law: &Catalogue, id: CaseId, as_of: NaiveDate) -> Result<Vec<Due>> {
    let case = cases::store::one(conn, id)?;
    let Some(status) = ended(law, &case) else { return Ok(Vec::new()) };
    let jurisdiction = case.jurisdiction.clone();
    let falls = |class, status, since: NaiveDate, subject, cases: &[CaseId]| -> Vec<Due> {
        let rules =
            law.retention().iter().filter(|r| r.jurisdiction == jurisdiction && r.class == class && r.status == status);
        rules
            .map(|rule| Due { subject, cases: cases.to_vec(), rule: rule.clone(), on: rule.due(since) })
            .filter(|due| due.on <= as_of)
            .collect()
    };
    let mut found = falls(RetentionClass::Case, status, case.detail.stage_since, Subject::Case(id), &[id]);
    let harmed = victims::in_case(conn, id)?.into_iter().map(Person::Victim);
    let suspected = accused::in_case(conn, id)?.into_iter().map(Person::Accused);
    let mut persons = harmed.chain(suspected).map(|p| p.survivor(conn)).collect::<Result<Vec<Person>>>()?;
    persons.sort();
    persons.dedup();
    for person in persons {
        let of = person.cases(conn)?;
        // A person of several cases is met once.
        if of.iter().min() != Some(&id) || vault::is_destroyed(conn, person.subject())? {
            continue;
        }
        let files = cases::store::many(conn, &of)?;
        if files.iter().any(|file| ended(law, file).is_none()) {
            continue;
        }
        let Some(since) = files.iter().map(|file| file.detail.stage_since).max() else { continue };
        let (class, status) = match person {
            Person::Victim(_) => (RetentionClass::Victim, RetentionStatus::CasesEnded),
            Person::Accused(id) => (RetentionClass::Accused, convicted(conn, law, id, &of)?),
        };
        found.extend(falls(class, status, since, Subject::Person(person), &of));
    }
    Ok(found)
}

fn ended(law: &Catalogue, case: &Case) -> Option<RetentionStatus> {
    if case.stage == ARCHIVED {
        return Some(RetentionStatus::Archived);
    }
    let profile = law.profile(&case.jurisdiction, &case.procedural_code, case.reported_at.date());
    profile.and_then(|p| p.stage(&case.stage)).filter(|stage| stage.terminal).map(|_| RetentionStatus::Ended)
}

fn convicted(conn: &mut Conn, law: &Catalogue, id: AccusedId, of: &[CaseId]) -> Result<RetentionStatus> {
    let records = Person::Accused(id).records(conn)?;
    let mut states = Vec::new();
    for case in of {
        let all = charges::of_case(conn, *case)?;
        states.extend(all.into_iter().filter(|c| records.contains(&Person::Accused(c.accused))).map(|c| c.state));
    }
    // What may be published of somebody is the conviction that stands.
    let stands = Publication::of_accused(law, states.iter().map(String::as_str)).identity == "public";
    Ok(if stands { RetentionStatus::Convicted } else { RetentionStatus::Cleared })
}

fn settle(db: &Store, due: Due, how: Run) -> Result<Item> {
    let (class, id) = match due.subject {
        Subject::Case(id) => ("case", id.erase()),
        Subject::Person(person) => (person.kind(), person.subject()),
    };
    let (rule, action, due_on) = (due.rule.code.clone(), due.rule.action.as_str(), due.on);
    let outcome = if how.dry {
        db.read_blocking(|conn| foreseen(conn, &due, id))?
    } else {
        db.write_blocking(move |tx| carry_out(tx, &due, id, how.now))?
    };
    Ok(Item { class, id, rule, action, due_on, outcome })
}

fn held(conn: &mut Conn, due: &Due) -> Result<bool> {
    let mut subjects: Vec<ResourceId> = due.cases.iter().map(|case| case.erase()).collect();
    if let Subject::Person(person) = due.subject {
        subjects.extend(person.records(conn)?.into_iter().map(Person::subject));
    }
    holds::any_active(conn, &subjects)
}

fn foreseen(conn: &mut Conn, due: &Due, id: ResourceId) -> Result<Outcome> {
    if held(conn, due)? {
        return Ok(Outcome::Held);
    }
    Ok(if store::seen_to(conn, id, &due.rule.code)? { Outcome::DoneBefore } else { Outcome::Due })
}

fn carry_out(tx: &mut Conn, due: &Due, id: ResourceId, now: Timestamp) -> Result<Outcome> {
    if held(tx, due)? {
        return Ok(Outcome::Held);
    }
    if !store::see_to(tx, id, &due.rule, due.on, now)? {
        return Ok(Outcome::DoneBefore);
    }
    match (due.rule.action, due.subject) {
        (RetentionAction::Restrict, Subject::Case(case)) => {
            let entries = participants::end_all(tx, now, case)?;
            ledger::append(tx, &operator(), now, entries)?;
            Ok(Outcome::Restricted)
        }
        (RetentionAction::Pseudonymise | RetentionAction::Erase, Subject::Person(person)) => propose(tx, due, person, now),
        _ => Ok(Outcome::ToReview),
    }
}

fn propose(tx: &mut Conn, due: &Due, person: Person, now: Timestamp) -> Result<Outcome> {
    // One that is being asked for already is enough.
    if crate::erasures::store::open_of(tx, person)?.is_some() {
        return Ok(Outcome::ErasureProposed);
    }
    let case = due.cases.first().ok_or_else(|| Error::internal("a person without a case"))?;
    let owner = glass::owner(tx, *case)?;
    let ground = Ground {
        person,
        ground: "retention_over".to_owned(),
        basis: due.rule.code.clone(),
        best_interest: None,
        reason: Pii(due.rule.labels.es.clone()),
    };
    let id: ErasureId = Id::generate(now, person.subject().bucket());
    enter(tx, &operator(), &Erasure::propose(id, ground, &owner, None, now), None)?;
    Ok(Outcome::ErasureProposed)
}

/// Leaves the run's figures in the ledger.
fn certify(db: &Store, report: &Report, now: Timestamp) -> Result<RetentionRunId> {
    let id: RetentionRunId = Id::generate(now, Bucket::random());
    let of = |outcome| report.items.iter().filter(|item| item.outcome == outcome).count();
    let counts = format!(
        "cases={} due={} to_review={} restricted={} erasure_proposed={} held={} done_before={}",
        report.cases,
        report.items.len(),
        of(Outcome::ToReview),
        of(Outcome::Restricted),
        of(Outcome::ErasureProposed),
        of(Outcome::Held),
        of(Outcome::DoneBefore),
    );
    let as_of = report.as_of.to_string();
    db.write_blocking(move |tx| {
        let entry = Entry::new(Action::Created, id, None).moved("run", &as_of, &counts);
        ledger::append(tx, &operator(), now, vec![entry])
    })?;
    Ok(id)
}
