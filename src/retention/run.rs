//! The retention schedule carried out: what falls due on a day, and what became of it.
//!
//! Every subject is a transaction of its own and leaves a row behind, so a run that was broken off is run again and does
//! the rest. Nobody is erased here: what should be is proposed, and two persons decide (`erasures`).

use std::sync::Arc;

use chrono::NaiveDate;
use serde::Serialize;

use super::actions::enter_review;
use super::model::{Review, State};
use super::store;
use crate::cases::model::Case;
use crate::cases::store::ARCHIVED;
use crate::cases::{glass, restriction};
use crate::catalogue::{Catalogue, RetentionAction, RetentionClass, RetentionRule, RetentionStatus};
use crate::db::{Conn, Store};
use crate::erasures::actions::enter;
use crate::erasures::model::{Erasure, Ground};
use crate::holds::model::Held;
use crate::kernel::ids::{
    AccusedId, BUCKETS, CaseId, ErasureId, Id, ResourceId, RetentionReviewId, RetentionRunId, VictimId,
};
use crate::kernel::page::{Limit, Page};
use crate::kernel::pii::Pii;
use crate::kernel::{Bucket, Error, PartialDate, Result, Timestamp};
use crate::ledger::{self, Action, Entry};
use crate::persons::Publication;
use crate::persons::erasure::{Person, operator};
use crate::victims::model::Victim;
use crate::{accused, cases, charges, holds, referrals, vault, victims};

/// What became of something that fell due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A dry run: it would be done.
    Due,
    /// Somebody must look at it: it lies on the desks of the owner and of oversight.
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
    /// Where it lies on the desks, if this run laid it there.
    pub review_id: Option<RetentionReviewId>,
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

#[derive(Clone, Debug)]
struct Due {
    subject: Held,
    /// The cases that it is of.
    cases: Vec<CaseId>,
    rule: RetentionRule,
    on: NaiveDate,
}

/// What falls due of a case and of the persons who are first met in it.
fn due(conn: &mut Conn, law: &Catalogue, id: CaseId, as_of: NaiveDate) -> Result<Vec<Due>> {
    let case = cases::store::one(conn, id)?;
    let over = ended(law, &case);
    let rules: Vec<&RetentionRule> = law.retention().iter().filter(|r| r.jurisdiction == case.jurisdiction).collect();
    // Coming of age waits for the end of no case.
    let ages = rules.iter().any(|r| r.status == RetentionStatus::OfAge);
    if over.is_none() && !ages {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    let mut falls = |class, status, subject, cases: &[CaseId], since: &dyn Fn(&RetentionRule) -> Option<NaiveDate>| {
        for rule in rules.iter().filter(|r| r.class == class && r.status == status) {
            match since(rule).map(|since| rule.due(since)) {
                Some(on) if on <= as_of => found.push(Due { subject, cases: cases.to_vec(), rule: (*rule).clone(), on }),
                _ => {}
            }
        }
    };
    if let Some(status) = over {
        falls(RetentionClass::Case, status, Held::Case(id), &[id], &|_| Some(case.detail.stage_since));
    }
    let harmed = victims::in_case(conn, id)?.into_iter().map(Person::Victim);
    let suspected = match over {
        Some(_) => accused::in_case(conn, id)?,
        None => Vec::new(),
    };
    let suspected = suspected.into_iter().map(Person::Accused);
    let mut persons = harmed.chain(suspected).map(|p| p.survivor(conn)).collect::<Result<Vec<Person>>>()?;
    persons.sort();
    persons.dedup();
    for person in persons {
        let of = person.cases(conn)?;
        // A person of several cases is met once.
        if of.iter().min() != Some(&id) || vault::is_destroyed(conn, person.subject())? {
            continue;
        }
        let age = match person {
            Person::Victim(id) => Age::of(conn, id)?,
            Person::Accused(_) => None,
        };
        let subject = Held::Person(person);
        if let Some(age) = age.as_ref().filter(|age| age.victim.detail.minor()) {
            falls(RetentionClass::Victim, RetentionStatus::OfAge, subject, &of, &|rule| age.reached(rule));
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
        falls(class, status, subject, &of, &|rule| {
            let grown = age.as_ref().and_then(|age| age.reached(rule));
            Some(grown.map_or(since, |day| day.max(since)))
        });
    }
    Ok(found)
}

/// What is known of the age of a victim who was a minor when identified, or may have been.
struct Age {
    victim: Victim,
    birth: Option<PartialDate>,
}

impl Age {
    /// None of an adult: the age changes nothing.
    fn of(conn: &mut Conn, id: VictimId) -> Result<Option<Self>> {
        let victim = victims::store::one(conn, id)?;
        if !victim.detail.minor_when_identified() {
            return Ok(None);
        }
        Ok(Some(Self { victim, birth: victims::store::own_identity(conn, id)?.birth_date.map(|birth| birth.0) }))
    }

    /// The day on which the victim has the age that a rule names, if it names one: for certain, or because a review said so.
    fn reached(&self, rule: &RetentionRule) -> Option<NaiveDate> {
        let Victim { detail, created_at, .. } = &self.victim;
        let certain = detail.aged_on(rule.from_age_years?, self.birth, created_at.date());
        Some(detail.of_age_since.map_or(certain, |said| said.date().min(certain)))
    }
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
    let (class, id) = (due.subject.kind(), due.subject.subject());
    let (rule, action, due_on) = (due.rule.code.clone(), due.rule.action.as_str(), due.on);
    let (outcome, review_id) = if how.dry {
        (db.read_blocking(|conn| foreseen(conn, &due, how.as_of))?, None)
    } else {
        // Taken once, so that a transaction that runs again makes the same record.
        let ids = (Id::generate(how.now, id.bucket()), Id::generate(how.now, id.bucket()));
        db.write_blocking(move |tx| carry_out(tx, &due, ids, how))?
    };
    Ok(Item { class, id, rule, action, due_on, outcome, review_id })
}

fn held(conn: &mut Conn, due: &Due) -> Result<bool> {
    // A hold keeps what is known; that somebody is of age takes nothing away.
    if due.rule.status == RetentionStatus::OfAge {
        return Ok(false);
    }
    let mut subjects: Vec<ResourceId> = due.cases.iter().map(|case| case.erase()).collect();
    if let Held::Person(person) = due.subject {
        subjects.extend(person.records(conn)?.into_iter().map(Person::subject));
    }
    holds::any_active(conn, &subjects)
}

fn foreseen(conn: &mut Conn, due: &Due, as_of: NaiveDate) -> Result<Outcome> {
    if held(conn, due)? {
        return Ok(Outcome::Held);
    }
    let since = store::due_since(conn, due.subject.subject(), &due.rule.code, due.on)?;
    Ok(if since.is_some_and(|day| day <= as_of) { Outcome::Due } else { Outcome::DoneBefore })
}

fn carry_out(
    tx: &mut Conn,
    due: &Due,
    (id, erasure): (RetentionReviewId, ErasureId),
    how: Run,
) -> Result<(Outcome, Option<RetentionReviewId>)> {
    if held(tx, due)? {
        return Ok((Outcome::Held, None));
    }
    let subject = due.subject.subject();
    let on = store::due_since(tx, subject, &due.rule.code, due.on)?.unwrap_or(due.on);
    if !store::see_to(tx, subject, &due.rule, due.on, how.as_of, how.now)? {
        return Ok((Outcome::DoneBefore, None));
    }
    let mut review = Review::found(id, due.subject, &due.rule, on, how.now);
    let mut entries = Vec::new();
    let outcome = match (due.rule.action, due.subject) {
        // Whoever works with it still is not shut out by a date: somebody decides.
        (RetentionAction::Restrict, Held::Case(case)) if referrals::store::open_of(tx, case)?.is_empty() => {
            entries.extend(restriction::restrict(tx, case, how.now)?);
            review.done(State::Restricted, None);
            Outcome::Restricted
        }
        (RetentionAction::Pseudonymise | RetentionAction::Erase, Held::Person(person)) => {
            let proposed = propose(tx, due, person, erasure, how.now)?;
            review.done(State::ErasureProposed, Some(proposed));
            Outcome::ErasureProposed
        }
        _ => Outcome::ToReview,
    };
    entries.extend(enter_review(tx, &review)?);
    ledger::append(tx, &operator(), how.now, entries)?;
    Ok((outcome, Some(id)))
}

fn propose(tx: &mut Conn, due: &Due, person: Person, id: ErasureId, now: Timestamp) -> Result<ErasureId> {
    // One that is being asked for already is enough.
    if let Some(open) = crate::erasures::store::open_of(tx, person)? {
        return Ok(open);
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
    enter(tx, &operator(), &Erasure::propose(id, ground, &owner, None, now), None)?;
    Ok(id)
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
