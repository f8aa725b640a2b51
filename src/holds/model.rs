//! A legal hold and its rules. Pure: no I/O, no clock.

use serde::{Deserialize, Serialize};

use super::wire::{LegalHoldCreate, LegalHoldTransitionCreate, LegalHoldView};
use crate::act::Act;
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, LegalHoldId, ResourceId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};
use crate::persons::erasure::{Person, is_reference};

/// What is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// A case, and with it all its persons.
    Case(CaseId),
    /// A person, in all cases.
    Person(Person),
}

impl Held {
    /// Whose key seals the hold's words.
    pub fn subject(self) -> ResourceId {
        match self {
            Self::Case(id) => id.erase(),
            Self::Person(person) => person.subject(),
        }
    }

    /// `case`, `victim` or `accused`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Case(_) => "case",
            Self::Person(person) => person.kind(),
        }
    }

    /// Where a request names it.
    pub fn pointer(self) -> &'static str {
        match self {
            Self::Case(_) => "/case_id",
            Self::Person(Person::Victim(_)) => "/victim_id",
            Self::Person(Person::Accused(_)) => "/accused_id",
        }
    }

    /// From its kind and id, as stored.
    pub fn of(kind: &str, id: ResourceId) -> Option<Self> {
        if kind == "case" { Some(Self::Case(CaseId::from_uuid(id.uuid()))) } else { Person::of(kind, id).map(Self::Person) }
    }
}

/// A legal hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// Its id, in the bucket of what it holds.
    pub id: LegalHoldId,
    /// Version.
    pub version: i64,
    /// What it holds.
    pub held: Held,
    /// Whether it holds.
    pub active: bool,
    /// Everything else.
    pub detail: Detail,
    /// When placed.
    pub created_at: Timestamp,
    /// By whom.
    pub agency: AgencyCode,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// Code list `legal_hold_ground`.
    pub ground: String,
    /// Reference.
    pub basis: String,
    /// In words; gone with the person's key.
    #[serde(default)]
    pub reason: Option<Pii<String>>,
    /// When lifted.
    pub lifted_at: Option<Timestamp>,
    /// Why.
    #[serde(default)]
    pub lift_reason: Option<Pii<String>>,
}

/// The fault of words that are too few or too many.
pub fn words(text: &Pii<String>, pointer: &str) -> Option<Fault> {
    match text.0.trim().chars().count() {
        ..10 => Some(Fault::body(pointer, FaultCode::MinLength)),
        2_001.. => Some(Fault::body(pointer, FaultCode::MaxLength)),
        _ => None,
    }
}

/// The one of several things that a request names, or the fault of naming none or more.
pub fn exactly_one<T: Copy>(given: &[(&str, Option<T>)], faults: &mut Vec<Fault>) -> Option<T> {
    let named: Vec<(&str, T)> = given.iter().filter_map(|(pointer, one)| Some((*pointer, (*one)?))).collect();
    match named.as_slice() {
        [(_, one)] => return Some(*one),
        [] => faults.extend(given.first().map(|(pointer, _)| Fault::body(*pointer, FaultCode::Required))),
        several => faults.extend(several.iter().map(|(pointer, _)| Fault::body(*pointer, FaultCode::CrossField))),
    }
    None
}

impl LegalHold {
    /// A hold from a request, or every fault that shows without the store.
    pub fn place(new: LegalHoldCreate, act: &Act) -> Result<Self> {
        let LegalHoldCreate { case_id, victim_id, accused_id, ground, basis, reason } = new;
        let mut faults = Vec::new();
        let held = exactly_one(
            &[
                ("/case_id", case_id.map(Held::Case)),
                ("/victim_id", victim_id.map(|id| Held::Person(Person::Victim(id)))),
                ("/accused_id", accused_id.map(|id| Held::Person(Person::Accused(id)))),
            ],
            &mut faults,
        );
        if !act.catalogue.has_code("legal_hold_ground", &ground) {
            faults.push(Fault::body("/ground", FaultCode::Enum));
        }
        if !is_reference(&basis) {
            faults.push(Fault::body("/basis", FaultCode::Pattern));
        }
        faults.extend(words(&reason, "/reason"));
        no_faults(faults)?;
        let held = held.ok_or_else(|| Error::internal("a hold on nothing without a fault"))?;
        Ok(Self {
            id: act.id(held.subject().bucket()),
            version: 1,
            held,
            active: true,
            detail: Detail { ground, basis, reason: Some(reason), lifted_at: None, lift_reason: None },
            created_at: act.now,
            agency: act.agency().clone(),
            updated_at: act.now,
        })
    }

    /// Lifts it; who may is the action's to check.
    pub fn lift(&mut self, new: &LegalHoldTransitionCreate, now: Timestamp) -> Result<()> {
        no_faults(words(&new.reason, "/reason").into_iter().collect())?;
        if !self.active {
            return Err(Error::StateConflict(vec!["already_lifted".into()]));
        }
        self.active = false;
        self.detail.lifted_at = Some(now);
        self.detail.lift_reason = Some(new.reason.clone());
        self.version += 1;
        self.updated_at = now;
        Ok(())
    }

    /// As those see it who see it at all: the same for everybody.
    pub fn view(&self) -> LegalHoldView {
        let Self { id, version, held, active, detail, created_at, agency, updated_at } = self.clone();
        let Detail { ground, basis, reason, lifted_at, lift_reason } = detail;
        let redacted = if reason.is_none() { vec!["#/reason".to_owned()] } else { Vec::new() };
        let (case_id, victim_id, accused_id) = match held {
            Held::Case(id) => (Some(id), None, None),
            Held::Person(Person::Victim(id)) => (None, Some(id), None),
            Held::Person(Person::Accused(id)) => (None, None, Some(id)),
        };
        LegalHoldView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: agency,
            active,
            case_id,
            victim_id,
            accused_id,
            ground,
            basis,
            reason,
            lifted_at,
            lift_reason,
            redacted,
        }
    }
}
