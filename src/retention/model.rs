//! A retention review and its rules: what fell due, what may be decided about it, and what was. Pure: no I/O, no clock.

use std::borrow::Cow;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::wire::{RetentionReviewTransitionCreate, RetentionReviewView, Trigger};
use crate::act::Act;
use crate::catalogue::{Catalogue, RetentionRule, RetentionStatus};
use crate::holds::model::{Held, words};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{ErasureId, RetentionReviewId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Day, Error, Fault, FaultCode, Result, Timestamp};
use crate::persons::erasure::{Person, is_reference};

/// Where a review stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody must decide.
    Open,
    /// It is kept until a day, on which the rule falls due again.
    Kept,
    /// Only the owner and oversight look at it from now on.
    Restricted,
    /// The restriction was lifted, until a day.
    Lifted,
    /// An erasure was proposed; a second person decides on it.
    ErasureProposed,
    /// The person is of age from now on.
    OfAge,
    /// The person was erased, by this or in another way.
    Erased,
}

impl State {
    const ALL: [Self; 7] =
        [Self::Open, Self::Kept, Self::Restricted, Self::Lifted, Self::ErasureProposed, Self::OfAge, Self::Erased];

    /// The code, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Kept => "kept",
            Self::Restricted => "restricted",
            Self::Lifted => "lifted",
            Self::ErasureProposed => "erasure_proposed",
            Self::OfAge => "of_age",
            Self::Erased => "erased",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == code)
    }
}

/// A review.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// Its id, in its subject's bucket.
    pub id: RetentionReviewId,
    /// Version.
    pub version: i64,
    /// What it is about.
    pub subject: Held,
    /// Code of the rule.
    pub rule: String,
    /// State.
    pub state: State,
    /// Everything else.
    pub detail: Detail,
    /// When the schedule found it.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// How the subject stood: a status of the schedule.
    pub status: String,
    /// What the rule asks for.
    pub action: String,
    /// When it fell due.
    pub due_on: Day,
    /// Who decided; none where nobody has, or where the schedule did it by itself.
    pub decided_by: Option<AgencyCode>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why; gone with the subject's key.
    #[serde(default)]
    pub reason: Option<Pii<String>>,
    /// Until when it is kept or no longer restricted.
    pub keep_until: Option<Day>,
    /// The erasure that was proposed.
    pub erasure: Option<ErasureId>,
    /// Who lifted the restriction.
    pub lifted_by: Option<AgencyCode>,
    /// When.
    pub lifted_at: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub lift_reason: Option<Pii<String>>,
}

/// Months for which anything may be kept on, whatever its rule says.
const LEAST_KEEP: u32 = 12;

impl RetentionRule {
    /// The last day until which somebody may decide on a day to keep something: as long again as the rule itself gives, and
    /// a year at least. Longer takes another review.
    pub fn longest_keep(&self, from: NaiveDate) -> NaiveDate {
        Self { after_months: self.after_months.max(LEAST_KEEP), ..self.clone() }.due(from)
    }
}

impl Review {
    /// What the schedule found.
    pub fn found(id: RetentionReviewId, subject: Held, rule: &RetentionRule, due_on: NaiveDate, now: Timestamp) -> Self {
        Self {
            id,
            version: 1,
            subject,
            rule: rule.code.clone(),
            state: State::Open,
            detail: Detail {
                status: rule.status.as_str().to_owned(),
                action: rule.action.as_str().to_owned(),
                due_on: Day::from_date(due_on),
                decided_by: None,
                decided_at: None,
                reason: None,
                keep_until: None,
                erasure: None,
                lifted_by: None,
                lifted_at: None,
                lift_reason: None,
            },
            created_at: now,
            updated_at: now,
        }
    }

    /// What may be decided now.
    pub fn triggers(&self) -> Vec<Trigger> {
        let case = matches!(self.subject, Held::Case(_));
        match self.state {
            State::Open if self.detail.status == RetentionStatus::OfAge.as_str() => vec![Trigger::Keep, Trigger::OfAge],
            State::Open if case => vec![Trigger::Keep, Trigger::Restrict],
            State::Open => vec![Trigger::Keep, Trigger::Erase],
            State::Restricted => vec![Trigger::Lift],
            State::Kept | State::Lifted | State::ErasureProposed | State::OfAge | State::Erased => Vec::new(),
        }
    }

    /// Every fault of a decision that shows without the store.
    pub fn faults(&self, new: &RetentionReviewTransitionCreate, law: &Catalogue, now: Timestamp) -> Vec<Fault> {
        let RetentionReviewTransitionCreate { trigger, reason, until, best_interest } = new;
        let mut faults: Vec<Fault> = words(reason, "/reason").into_iter().collect();
        let dated = matches!(trigger, Trigger::Keep | Trigger::Lift);
        match until {
            None if dated => faults.push(Fault::body("/until", FaultCode::Required)),
            Some(_) if !dated => faults.push(Fault::body("/until", FaultCode::CrossField)),
            None => {}
            Some(until) => faults.extend(self.term_fault(until.date(), law, now)),
        }
        if best_interest.as_ref().is_some_and(|text| !is_reference(text)) {
            faults.push(Fault::body("/best_interest", FaultCode::Pattern));
        }
        if *trigger != Trigger::Erase && best_interest.is_some() {
            faults.push(Fault::body("/best_interest", FaultCode::CrossField));
        }
        faults
    }

    fn term_fault(&self, until: NaiveDate, law: &Catalogue, now: Timestamp) -> Option<Fault> {
        let rule = law.retention().iter().find(|rule| rule.code == self.rule);
        let jurisdiction = rule.map_or("", |rule| rule.jurisdiction.as_str());
        let today = law.calendar(jurisdiction).day(now);
        // A rule that was repealed since gives no time of its own.
        let last = rule.map_or(today, |rule| rule.longest_keep(today));
        if until <= today {
            Some(Fault::body("/until", FaultCode::DateOrder))
        } else if until > last {
            Some(Fault::body("/until", FaultCode::Maximum).expecting(format!("at most {last}")))
        } else {
            None
        }
    }

    /// Moves it; what stands against that in the registry is the action's to ask.
    pub fn moved(&mut self, new: &RetentionReviewTransitionCreate, act: &Act) -> Result<()> {
        if !self.triggers().contains(&new.trigger) {
            return Err(Error::StateConflict(vec!["no_such_transition".into()]));
        }
        no_faults(self.faults(new, &act.catalogue, act.now))?;
        let (by, at, why) = (Some(act.agency().clone()), Some(act.now), Some(new.reason.clone()));
        let detail = &mut self.detail;
        if new.trigger == Trigger::Lift {
            (detail.lifted_by, detail.lifted_at, detail.lift_reason) = (by, at, why);
        } else {
            (detail.decided_by, detail.decided_at, detail.reason) = (by, at, why);
        }
        detail.keep_until = new.until;
        self.state = match new.trigger {
            Trigger::Keep => State::Kept,
            Trigger::Restrict => State::Restricted,
            Trigger::Lift => State::Lifted,
            Trigger::Erase => State::ErasureProposed,
            Trigger::OfAge => State::OfAge,
        };
        self.count(act.now);
        Ok(())
    }

    /// The schedule did by itself what the rule asks for.
    pub fn done(&mut self, state: State, erasure: Option<ErasureId>) {
        self.state = state;
        self.detail.erasure = erasure;
    }

    /// The erasure was not agreed to: somebody must decide again.
    pub fn refused(&mut self, now: Timestamp) {
        self.state = State::Open;
        self.detail.erasure = None;
        self.count(now);
    }

    /// The person is no longer there. What was said in words is gone with the key.
    pub fn erased(&mut self, now: Timestamp) {
        self.state = State::Erased;
        self.detail.reason = None;
        self.detail.lift_reason = None;
        self.count(now);
    }

    fn count(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }

    /// As those see it who see it at all, with what stands now against what the rule asks for.
    pub fn view(&self, law: &Catalogue, against: &[Cow<'static, str>]) -> RetentionReviewView {
        let Self { id, version, subject, rule, state, detail, created_at, updated_at } = self.clone();
        let Detail {
            status,
            action,
            due_on,
            decided_by,
            decided_at,
            reason,
            keep_until,
            erasure,
            lifted_by,
            lifted_at,
            lift_reason,
        } = detail;
        let (case_id, victim_id, accused_id) = match subject {
            Held::Case(id) => (Some(id), None, None),
            Held::Person(Person::Victim(id)) => (None, Some(id), None),
            Held::Person(Person::Accused(id)) => (None, None, Some(id)),
        };
        let redacted = [
            ("#/reason", decided_by.is_some() && reason.is_none()),
            ("#/lift_reason", lifted_by.is_some() && lift_reason.is_none()),
        ];
        let triggers = self.triggers().into_iter().map(|t| t.as_str().to_owned()).collect();
        RetentionReviewView {
            id,
            version,
            created_at,
            updated_at,
            state: state.as_str().to_owned(),
            class: subject.kind().to_owned(),
            case_id,
            victim_id,
            accused_id,
            // The rule as it stands now; what it asked for then is the action.
            basis: law.retention().iter().find(|r| r.code == rule).map(|r| r.basis.clone()),
            rule,
            status,
            action,
            due_on,
            triggers,
            blocked_by: against.iter().map(ToString::to_string).collect(),
            decided_by,
            decided_at,
            reason,
            keep_until,
            erasure_id: erasure,
            lifted_by,
            lifted_at,
            lift_reason,
            redacted: redacted.iter().filter(|(_, gone)| *gone).map(|(at, _)| (*at).to_owned()).collect(),
        }
    }
}
