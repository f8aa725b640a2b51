//! The measure and its rules. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::states::{MeasureKind, Needs, State, Trigger, may_grant};
use super::wire::{Extension, MeasureCreate, MeasurePatch, MeasureTransitionCreate, MeasureView};
use crate::act::Act;
use crate::cases::sections::repeated;
use crate::cases::{Section, Sight};
use crate::catalogue::Catalogue;
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AccusedId, CaseId, MeasureId, VictimId};
use crate::kernel::{AgencyCode, Day, Error, Fault, FaultCode, Field, Result, Timestamp};
use crate::persons::merge_wire::MergedRecord;
use crate::transitions::LegalAct;

/// Whom a measure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// It restrains this accused.
    Accused(AccusedId),
    /// It protects this victim.
    Victim(VictimId),
}

impl Subject {
    /// Whether somebody with this sight of the case sees the person.
    pub fn visible(self, sight: &Sight) -> bool {
        match self {
            Self::Accused(_) => sight.sees(Section::Accused),
            Self::Victim(victim) => sight.sees_victim(victim),
        }
    }
}

/// What no list filters by. One document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasureDetail {
    /// To which relatives the protection extends.
    pub extends_to: Vec<String>,
    /// Who asked.
    pub requested_by: String,
    /// When.
    pub requested_on: Option<Day>,
    /// The act that asked.
    pub legal_act: Option<LegalAct>,
    /// Who granted it.
    pub granted_by: Option<String>,
    /// How great the danger is.
    pub risk_level: Option<String>,
    /// First day.
    pub from_on: Option<Day>,
    /// Last day.
    pub until_on: Option<Day>,
    /// Changes of its last day.
    pub extensions: Vec<Extension>,
}

/// A measure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measure {
    /// The measure.
    pub id: MeasureId,
    /// Version.
    pub version: i64,
    /// The case.
    pub case: CaseId,
    /// What it is for.
    pub kind: MeasureKind,
    /// Type.
    pub type_code: String,
    /// State.
    pub state: State,
    /// Whom it is about.
    pub subject: Subject,
    /// Everything else.
    pub detail: MeasureDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by_agency: AgencyCode,
    /// When last changed.
    pub updated_at: Timestamp,
    /// The person, where the record named was merged away; filled where it is read.
    pub merged: Vec<MergedRecord>,
}

impl Measure {
    /// Asks for a measure; every fault at once. `accused` and `victims` are those of the case.
    pub fn request(
        new: MeasureCreate,
        act: &Act,
        id: MeasureId,
        case: CaseId,
        accused: &[AccusedId],
        victims: &[VictimId],
    ) -> Result<Self> {
        let MeasureCreate {
            kind,
            type_code,
            accused_id,
            victim_id,
            extends_to,
            requested_by,
            requested_on,
            legal_act,
            from_on,
            until_on,
        } = new;
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, code| faults.push(Fault::body(pointer, code));
        if !act.catalogue.has_code(kind.type_list(), &type_code) {
            fault("/type", FaultCode::Enum);
        }
        let (own, other) = match kind {
            MeasureKind::Coercive => (("/accused_id", accused_id.is_some()), ("/victim_id", victim_id.is_some())),
            MeasureKind::Protective => (("/victim_id", victim_id.is_some()), ("/accused_id", accused_id.is_some())),
        };
        if !own.1 {
            fault(own.0, FaultCode::Required);
        }
        if other.1 {
            fault(other.0, FaultCode::CrossField);
        }
        if kind == MeasureKind::Coercive && accused_id.is_some_and(|a| !accused.contains(&a)) {
            fault("/accused_id", FaultCode::ReferenceNotFound);
        }
        if kind == MeasureKind::Protective && victim_id.is_some_and(|v| !victims.contains(&v)) {
            fault("/victim_id", FaultCode::ReferenceNotFound);
        }
        let subject = match kind {
            MeasureKind::Coercive => accused_id.map(Subject::Accused),
            MeasureKind::Protective => victim_id.map(Subject::Victim),
        };
        let detail = MeasureDetail {
            extends_to,
            requested_by,
            requested_on,
            legal_act,
            granted_by: None,
            risk_level: None,
            from_on,
            until_on,
            extensions: Vec::new(),
        };
        detail.check(kind, act, &mut faults);
        no_faults(faults)?;
        Ok(Self {
            id,
            version: 1,
            case,
            kind,
            type_code,
            state: State::Requested,
            subject: subject.ok_or_else(|| Error::internal("a measure without faults is about somebody"))?,
            detail,
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
            merged: Vec::new(),
        })
    }

    /// Whether somebody with this sight of the case sees the measure: as it sees the person whom it is about.
    pub fn visible(&self, sight: &Sight) -> bool {
        self.subject.visible(sight)
    }

    /// Applies a patch; answers the pointers that changed.
    pub fn amend(&mut self, patch: MeasurePatch, act: &Act) -> Result<Vec<String>> {
        if self.state.ended() {
            return Err(Error::StateConflict(vec!["ended".into()]));
        }
        if patch.until_on.is_present() && !self.detail.extensions.is_empty() {
            return Err(Error::StateConflict(vec!["extended".into()]));
        }
        let MeasurePatch { extends_to, requested_by, requested_on, legal_act, from_on, until_on } = patch;
        let mut faults = Vec::new();
        for (pointer, cleared, needed) in [
            ("/requested_by", matches!(requested_by, Field::Null), true),
            // What runs has begun on some day.
            ("/from_on", matches!(from_on, Field::Null), self.state.runs()),
        ] {
            if cleared && needed {
                faults.push(Fault::body(pointer, FaultCode::Required));
            }
        }
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        let detail = &mut self.detail;
        note("extends_to", extends_to.apply_or(&mut detail.extends_to, Vec::new()));
        let asked_by = detail.requested_by.clone();
        note("requested_by", requested_by.apply_or(&mut detail.requested_by, asked_by));
        note("requested_on", requested_on.apply(&mut detail.requested_on));
        note("legal_act", legal_act.apply(&mut detail.legal_act));
        note("from_on", from_on.apply(&mut detail.from_on));
        note("until_on", until_on.apply(&mut detail.until_on));
        detail.check(self.kind, act, &mut faults);
        no_faults(faults)?;
        if !changed.is_empty() {
            self.version += 1;
            self.updated_at = act.now;
        }
        Ok(changed)
    }

    /// Codes of what stands against a move now, whatever its body says.
    pub fn failed_guards(&self, trigger: Trigger, today: NaiveDate) -> Vec<&'static str> {
        let mut failed = Vec::new();
        if matches!(trigger, Trigger::Extend | Trigger::Expire) {
            match self.detail.until_on {
                None => failed.push("no_last_day"),
                Some(until) if trigger == Trigger::Expire && until.date() >= today => failed.push("not_yet_expired"),
                Some(_) => {}
            }
        }
        failed
    }

    /// Makes a move that its state and its guards allow; every fault of the body at once.
    pub fn make_move(&mut self, next: State, new: &MeasureTransitionCreate, act: &Act) -> Result<()> {
        let MeasureTransitionCreate {
            trigger,
            legal_act,
            granted_by,
            risk_level,
            from_on,
            until_on,
            extends_to,
            effective_on,
            reason,
        } = new;
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, code| faults.push(Fault::body(pointer, code));
        for (pointer, needs, given) in [
            ("/granted_by", trigger.needs_granted_by(), granted_by.is_some()),
            ("/risk_level", trigger.needs_risk_level(), risk_level.is_some()),
            ("/from_on", trigger.needs_from(), from_on.is_some()),
            ("/until_on", trigger.needs_until(), until_on.is_some()),
            ("/extends_to", trigger.needs_extends_to(), extends_to.is_some()),
        ] {
            match (needs, given) {
                (Needs::Must, false) => fault(pointer, FaultCode::Required),
                (Needs::Never, true) => fault(pointer, FaultCode::CrossField),
                _ => {}
            }
        }
        if trigger.requires_legal_act() && legal_act.is_none() {
            fault("/legal_act", FaultCode::Required);
        }
        if *trigger == Trigger::EnterIntoForce && from_on.or(self.detail.from_on).is_none() {
            fault("/from_on", FaultCode::Required);
        }
        if *trigger == Trigger::Breach && reason.is_none() {
            fault("/reason", FaultCode::Required);
        }
        if reason.as_ref().is_some_and(|r| r.trim().is_empty()) {
            fault("/reason", FaultCode::MinLength);
        }
        let law = &act.catalogue;
        if let Some(actor) = granted_by {
            if !law.has_code("actor", actor) {
                fault("/granted_by", FaultCode::Enum);
            } else if !may_grant(self.kind, &self.type_code, actor) {
                fault("/granted_by", FaultCode::CrossField);
            }
        }
        if risk_level.as_ref().is_some_and(|level| !law.has_code("risk_level", level)) {
            fault("/risk_level", FaultCode::Enum);
        }
        if *trigger == Trigger::Extend && until_on.is_some() && *until_on <= self.detail.until_on {
            fault("/until_on", FaultCode::DateOrder);
        }
        let mut after = self.detail.clone();
        let former = after.until_on;
        after.from_on = from_on.or(after.from_on);
        after.until_on = until_on.or(after.until_on);
        if let Some(actor) = granted_by
            && *trigger == Trigger::Grant
        {
            after.granted_by = Some(actor.clone());
        }
        after.risk_level = risk_level.clone().or(after.risk_level);
        if let Some(relatives) = extends_to {
            after.extends_to.clone_from(relatives);
        }
        if let (Trigger::Extend | Trigger::Modify, Some(until), Some(actor)) = (*trigger, *until_on, granted_by)
            && former != Some(until)
        {
            after.extensions.push(Extension {
                former_until_on: former,
                until_on: until,
                granted_by: actor.clone(),
                effective_on: *effective_on,
                at: act.now,
            });
        }
        after.check(self.kind, act, &mut faults);
        no_faults(faults)?;
        self.detail = after;
        self.state = next;
        self.version += 1;
        self.updated_at = act.now;
        Ok(())
    }

    /// The measure as everybody who may see it sees it on a day.
    pub fn view(&self, today: NaiveDate) -> MeasureView {
        let Self {
            id,
            version,
            case,
            kind,
            type_code,
            state,
            subject,
            detail,
            created_at,
            created_by_agency,
            updated_at,
            merged,
        } = self.clone();
        let MeasureDetail {
            extends_to,
            requested_by,
            requested_on,
            legal_act,
            granted_by,
            risk_level,
            from_on,
            until_on,
            extensions,
        } = detail;
        let (accused_id, victim_id) = match subject {
            Subject::Accused(accused) => (Some(accused), None),
            Subject::Victim(victim) => (None, Some(victim)),
        };
        MeasureView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency,
            case_id: case,
            kind,
            type_code,
            state,
            accused_id,
            victim_id,
            extends_to,
            requested_by,
            requested_on,
            legal_act,
            granted_by,
            risk_level,
            from_on,
            until_on,
            expired: state.runs() && until_on.is_some_and(|until| until.date() < today),
            extensions,
            merged,
            redacted: Vec::new(),
        }
    }
}

impl MeasureDetail {
    fn check(&self, kind: MeasureKind, act: &Act, faults: &mut Vec<Fault>) {
        let law: &Catalogue = &act.catalogue;
        let mut fault = |pointer: String, code| faults.push(Fault::body(pointer, code));
        if !law.has_code("actor", &self.requested_by) {
            fault("/requested_by".to_owned(), FaultCode::Enum);
        }
        if kind == MeasureKind::Coercive && !self.extends_to.is_empty() {
            fault("/extends_to".to_owned(), FaultCode::CrossField);
        }
        for (index, relative) in self.extends_to.iter().enumerate() {
            if !law.has_code("protected_relative", relative) {
                fault(format!("/extends_to/{index}"), FaultCode::Enum);
            }
        }
        for index in repeated(&self.extends_to) {
            fault(format!("/extends_to/{index}"), FaultCode::UniqueItems);
        }
        // A day of grace for clocks and time zones.
        let tomorrow = act.now.plus_seconds(86_400).date();
        if self.requested_on.is_some_and(|day| day.date() > tomorrow) {
            fault("/requested_on".to_owned(), FaultCode::DateOrder);
        }
        if let (Some(from), Some(until)) = (self.from_on, self.until_on)
            && until < from
        {
            fault("/until_on".to_owned(), FaultCode::DateOrder);
        }
        let texts = self.legal_act.iter().flat_map(|act| {
            let LegalAct { kind, number, date: _, authority, document_ref } = act;
            [
                ("type", Some(kind), 60),
                ("number", number.as_ref(), 60),
                ("authority", authority.as_ref(), 120),
                ("document_ref", document_ref.as_ref(), 200),
            ]
        });
        for (name, text, max) in texts {
            match text.map(|t| t.chars().count()) {
                Some(0) => fault(format!("/legal_act/{name}"), FaultCode::MinLength),
                Some(n) if n > max => fault(format!("/legal_act/{name}"), FaultCode::MaxLength),
                _ => {}
            }
        }
    }
}
