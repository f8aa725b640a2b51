//! An erasure and its rules. Pure: no I/O, no clock.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::wire::{ErasureCreate, ErasureTransitionCreate, ErasureView, Trigger};
use crate::act::Act;
use crate::catalogue::Catalogue;
use crate::holds::model::{exactly_one, words};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{ClientId, EntryId, ErasureId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};
use crate::persons::erasure::{Person, is_reference};

/// Where an erasure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A second person must agree.
    Proposed,
    /// Agreed; the keys are being destroyed.
    Approved,
    /// Done.
    Executed,
    /// A second person did not agree.
    Rejected,
    /// Whoever asked asks no more.
    Withdrawn,
}

impl State {
    const ALL: [Self; 5] = [Self::Proposed, Self::Approved, Self::Executed, Self::Rejected, Self::Withdrawn];

    /// The code, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Executed => "executed",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == code)
    }

    /// Whether somebody has something to do.
    pub fn open(self) -> bool {
        matches!(self, Self::Proposed | Self::Approved)
    }
}

/// An erasure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Its id, in the person's bucket.
    pub id: ErasureId,
    /// Version.
    pub version: i64,
    /// Who is to be erased.
    pub person: Person,
    /// State.
    pub state: State,
    /// Everything else.
    pub detail: Detail,
    /// When proposed.
    pub created_at: Timestamp,
    /// By whom.
    pub agency: AgencyCode,
    /// With which partner system; none where the retention schedule proposed it.
    pub client: Option<ClientId>,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// The person at the desk who proposed it.
    pub user: Option<String>,
    /// Code list `erasure_ground`.
    pub ground: String,
    /// Reference.
    pub basis: String,
    /// Reference of the determination of a child's best interest.
    pub best_interest: Option<String>,
    /// In words; gone with the person's key.
    #[serde(default)]
    pub reason: Option<Pii<String>>,
    /// Who agreed or did not.
    pub decided_by: Option<AgencyCode>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub decision_reason: Option<Pii<String>>,
    /// When the keys were destroyed.
    pub erased_at: Option<Timestamp>,
    /// The ledger entry that says so.
    pub entry: Option<EntryId>,
    /// The agency under which the ledger has it.
    pub entry_agency: Option<AgencyCode>,
    /// Other records of the person that went with it.
    #[serde(default)]
    pub other_records: Vec<crate::kernel::ids::ResourceId>,
    /// Cases in which the pseudonymous record remains.
    #[serde(default)]
    pub cases: i64,
}

/// On what an erasure rests, checked.
#[derive(Clone, Debug)]
pub struct Ground {
    /// Who.
    pub person: Person,
    /// Code list `erasure_ground`.
    pub ground: String,
    /// Reference.
    pub basis: String,
    /// Reference of the determination of a child's best interest.
    pub best_interest: Option<String>,
    /// In words.
    pub reason: Pii<String>,
}

fn reference(given: Option<&String>, pointer: &str) -> Option<Fault> {
    given.filter(|text| !is_reference(text)).map(|_| Fault::body(pointer, FaultCode::Pattern))
}

impl Ground {
    /// From a request, or every fault that shows without the store.
    pub fn read(new: ErasureCreate, law: &Catalogue) -> Result<Self> {
        let ErasureCreate { victim_id, accused_id, ground, basis, best_interest, reason } = new;
        let mut faults = Vec::new();
        let given = [("/victim_id", victim_id.map(Person::Victim)), ("/accused_id", accused_id.map(Person::Accused))];
        let person = exactly_one(&given, &mut faults);
        if !law.has_code("erasure_ground", &ground) {
            faults.push(Fault::body("/ground", FaultCode::Enum));
        }
        faults.extend(reference(Some(&basis), "/basis"));
        faults.extend(reference(best_interest.as_ref(), "/best_interest"));
        faults.extend(words(&reason, "/reason"));
        no_faults(faults)?;
        let person = person.ok_or_else(|| Error::internal("an erasure of nobody without a fault"))?;
        Ok(Self { person, ground, basis, best_interest, reason })
    }
}

impl Erasure {
    /// A proposal.
    pub fn propose(id: ErasureId, ground: Ground, by: &AgencyCode, act: Option<&Act>, now: Timestamp) -> Self {
        let Ground { person, ground, basis, best_interest, reason } = ground;
        Self {
            id,
            version: 1,
            person,
            state: State::Proposed,
            detail: Detail {
                user: act.and_then(|act| act.actor.user.clone()),
                ground,
                basis,
                best_interest,
                reason: Some(reason),
                decided_by: None,
                decided_at: None,
                decision_reason: None,
                erased_at: None,
                entry: None,
                entry_agency: None,
                other_records: Vec::new(),
                cases: 0,
            },
            created_at: now,
            agency: by.clone(),
            client: act.and_then(|act| act.actor.client),
            updated_at: now,
        }
    }

    /// Every fault of a decision that shows without the store.
    pub fn faults(new: &ErasureTransitionCreate) -> Vec<Fault> {
        let ErasureTransitionCreate { trigger, reason, best_interest } = new;
        let mut faults: Vec<Fault> = reason.as_ref().and_then(|text| words(text, "/reason")).into_iter().collect();
        if *trigger == Trigger::Reject && reason.is_none() {
            faults.push(Fault::body("/reason", FaultCode::Required));
        }
        faults.extend(reference(best_interest.as_ref(), "/best_interest"));
        if *trigger != Trigger::Approve && best_interest.is_some() {
            faults.push(Fault::body("/best_interest", FaultCode::CrossField));
        }
        faults
    }

    /// Moves it; what stands against the person's erasure is the action's to ask.
    pub fn moved(&mut self, new: &ErasureTransitionCreate, act: &Act) -> Result<()> {
        let refused = |guard: &'static str| Err(Error::StateConflict(vec![guard.into()]));
        if self.state != State::Proposed {
            return refused("no_such_transition");
        }
        let state = match new.trigger {
            Trigger::Approve => State::Approved,
            Trigger::Reject => State::Rejected,
            Trigger::Withdraw => State::Withdrawn,
        };
        // Nobody agrees with themselves.
        if new.trigger != Trigger::Withdraw && !self.second(act) {
            return refused("second_person_needed");
        }
        self.state = state;
        if new.trigger == Trigger::Approve && new.best_interest.is_some() {
            self.detail.best_interest.clone_from(&new.best_interest);
        }
        self.detail.decided_by = Some(act.agency().clone());
        self.detail.decided_at = Some(act.now);
        self.detail.decision_reason.clone_from(&new.reason);
        self.version += 1;
        self.updated_at = act.now;
        Ok(())
    }

    /// Whether somebody else decides than who proposed: another system, and another agency or another person at the desk. A
    /// desk that does not say who sits there is one person.
    fn second(&self, act: &Act) -> bool {
        let other_system = self.client.is_none() || act.actor.client != self.client;
        let other_person = match (&self.detail.user, &act.actor.user) {
            (Some(first), Some(second)) => first != second,
            _ => false,
        };
        // What the schedule proposed was nobody's idea at that agency.
        other_system && (self.client.is_none() || self.agency != *act.agency() || other_person)
    }

    /// It is done. What was said in words is gone with the key.
    pub fn executed(&mut self, now: Timestamp) {
        self.state = State::Executed;
        self.detail.erased_at = Some(now);
        self.detail.reason = None;
        self.detail.decision_reason = None;
        self.version += 1;
        self.updated_at = now;
    }

    /// As those see it who see it at all, with what stands against it now.
    pub fn view(&self, against: &[Cow<'static, str>]) -> ErasureView {
        let Self { id, version, person, state, detail, created_at, agency, client: _, updated_at } = self.clone();
        let Detail {
            user: _,
            ground,
            basis,
            best_interest,
            reason,
            decided_by,
            decided_at,
            decision_reason,
            erased_at,
            entry: _,
            entry_agency: _,
            other_records: _,
            cases: _,
        } = detail;
        let (victim_id, accused_id) = match person {
            Person::Victim(id) => (Some(id), None),
            Person::Accused(id) => (None, Some(id)),
        };
        let redacted = if reason.is_none() { vec!["#/reason".to_owned()] } else { Vec::new() };
        ErasureView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: agency,
            state: state.as_str().to_owned(),
            victim_id,
            accused_id,
            ground,
            basis,
            best_interest,
            reason,
            blocked_by: against.iter().map(ToString::to_string).collect(),
            decided_by,
            decided_at,
            decision_reason,
            erased_at,
            redacted,
        }
    }
}
