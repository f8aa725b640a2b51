//! A proposal and its rules. Pure: no I/O, no clock.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::wire::{CorrectionTransitionCreate, CorrectionView, Trigger};
use crate::cases::{Section, Sight};
use crate::kernel::error::{Error, Result};
use crate::kernel::ids::{AccusedId, CaseId, ChargeId, CorrectionId, ResourceId, VictimId};
use crate::kernel::{AgencyCode, Fault, FaultCode, Location, Timestamp};

/// The record that a proposal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record {
    /// The case itself.
    Case,
    /// A victim.
    Victim(VictimId),
    /// An accused.
    Accused(AccusedId),
    /// A charge.
    Charge(ChargeId),
}

impl Record {
    /// The type, as stored and shown; the name of its part of a request.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Victim(_) => "victim",
            Self::Accused(_) => "accused",
            Self::Charge(_) => "charge",
        }
    }

    /// The record's id.
    pub fn id(self, case: CaseId) -> ResourceId {
        match self {
            Self::Case => case.erase(),
            Self::Victim(id) => id.erase(),
            Self::Accused(id) => id.erase(),
            Self::Charge(id) => id.erase(),
        }
    }

    /// The record of a stored type and id.
    pub fn of(kind: &str, id: ResourceId) -> Option<Self> {
        match kind {
            "case" => Some(Self::Case),
            "victim" => Some(Self::Victim(VictimId::from_uuid(id.uuid()))),
            "accused" => Some(Self::Accused(AccusedId::from_uuid(id.uuid()))),
            "charge" => Some(Self::Charge(ChargeId::from_uuid(id.uuid()))),
            _ => None,
        }
    }

    /// Under whose key the words lie: what is said of a person goes with the person.
    pub fn subject(self, case: CaseId) -> ResourceId {
        match self {
            Self::Case | Self::Charge(_) => case.erase(),
            Self::Victim(id) => id.erase(),
            Self::Accused(id) => id.erase(),
        }
    }

    /// The scope that it takes to see such a record, and so to say what is wrong in it.
    pub fn read_scope(self) -> &'static str {
        match self {
            Self::Case => "cases:read",
            Self::Victim(_) => "victims:read",
            Self::Accused(_) => "accused:read",
            Self::Charge(_) => "charges:read",
        }
    }

    /// The scope that it takes to change such a record, and so to accept a proposal.
    pub fn write_scope(self) -> &'static str {
        match self {
            Self::Case => "cases:write",
            Self::Victim(_) => "victims:write",
            Self::Accused(_) => "accused:write",
            Self::Charge(_) => "charges:write",
        }
    }

    /// Whether somebody with this sight of the case sees the record at all.
    pub fn seen(self, sight: &Sight) -> bool {
        match self {
            Self::Case => true,
            Self::Victim(id) => sight.sees_victim(id),
            Self::Accused(_) => sight.sees(Section::Accused),
            Self::Charge(_) => sight.sees(Section::Charges),
        }
    }

    /// Faults of naming fields that the proposer does not see: nobody corrects what it does not read, or tests a guess.
    pub fn blind_faults(self, patch: &Map<String, Value>, sight: &Sight) -> Vec<Fault> {
        let needed = |field: &str| match (self, field) {
            (Self::Case, "identifiers") => Some(Section::Identifiers),
            // These come with any grant; what is not named here is told to those who read the narrative only.
            (
                Self::Case,
                "reported_at"
                | "report_channel"
                | "facts_from"
                | "facts_from_estimated"
                | "facts_to"
                | "facts_to_estimated"
                | "territory"
                | "scope"
                | "exploitation"
                | "complexity",
            ) => None,
            (Self::Case, _) => Some(Section::Narrative),
            (Self::Charge(_), "victims") => Some(Section::Victims),
            (Self::Victim(_) | Self::Accused(_) | Self::Charge(_), _) => None,
        };
        patch
            .keys()
            .filter(|field| needed(field).is_some_and(|section| !sight.sees(section)))
            .map(|field| Fault::body(format!("{}/{field}", self.pointer()), FaultCode::ReadOnly))
            .collect()
    }

    /// Where the patch stands in a request.
    pub fn pointer(self) -> String {
        format!("/{}/patch", self.kind())
    }

    /// A refusal of the record's own rules, at the pointers of a request that holds the patch.
    pub fn refused(self, error: Error) -> Error {
        match error {
            Error::Validation(faults) => Error::Validation(faults.into_iter().map(|f| under(f, &self.pointer())).collect()),
            other => other,
        }
    }
}

/// A fault with its pointer under another one.
fn under(fault: Fault, prefix: &str) -> Fault {
    let Fault { at, code, expected } = fault;
    let at = match at {
        Location::Pointer(pointer) => Location::Pointer(format!("{prefix}{pointer}")),
        at => at,
    };
    Fault { at, code, expected }
}

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Before the owner.
    Proposed,
    /// Applied.
    Accepted,
    /// Not applied.
    Rejected,
    /// Taken back.
    Withdrawn,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Accepted, Self::Rejected, Self::Withdrawn];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Where a trigger leads; only a proposal that waits can be moved.
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        match (self, trigger) {
            (Self::Proposed, Trigger::Accept) => Some(Self::Accepted),
            (Self::Proposed, Trigger::Reject) => Some(Self::Rejected),
            (Self::Proposed, Trigger::Withdraw) => Some(Self::Withdrawn),
            (Self::Accepted | Self::Rejected | Self::Withdrawn, _) => None,
        }
    }
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 3] = [Self::Accept, Self::Reject, Self::Withdraw];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
        }
    }

    /// Its name for a reader: `es`, `en` or `fr`.
    pub fn label(self, lang: &str) -> &'static str {
        let (es, en, fr) = match self {
            Self::Accept => ("Aceptar y corregir", "Accept and correct", "Accepter et corriger"),
            Self::Reject => ("Rechazar", "Reject", "Refuser"),
            Self::Withdraw => ("Retirar", "Withdraw", "Retirer"),
        };
        match lang {
            "en" => en,
            "fr" => fr,
            _ => es,
        }
    }

    /// Faults of a request to make this move.
    pub fn faults(self, new: &CorrectionTransitionCreate) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self == Self::Reject && new.reason.is_none() {
            faults.push(Fault::body("/reason", FaultCode::Required));
        }
        if new.reason.as_ref().is_some_and(|t| t.trim().is_empty()) {
            faults.push(Fault::body("/reason", FaultCode::MinLength));
        }
        match (self, new.record_version) {
            (Self::Accept, None) => faults.push(Fault::body("/record_version", FaultCode::Required)),
            (Self::Accept, Some(_)) | (_, None) => {}
            (_, Some(_)) => faults.push(Fault::body("/record_version", FaultCode::CrossField)),
        }
        faults
    }
}

/// How a caller stands to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its agency made it.
    Proposer,
    /// Its agency decides.
    Owner,
    /// It supervises.
    Overseer,
}

impl Standing {
    /// Whether a move is its to make.
    pub fn may(self, trigger: Trigger) -> bool {
        match trigger {
            Trigger::Accept | Trigger::Reject => self == Self::Owner,
            Trigger::Withdraw => self == Self::Proposer,
        }
    }
}

/// A proposal.
#[derive(Clone, Debug, PartialEq)]
pub struct Correction {
    /// Its id, in the case's bucket.
    pub id: CorrectionId,
    /// Version.
    pub version: i64,
    /// The case in which the record is seen.
    pub case: CaseId,
    /// The record.
    pub record: Record,
    /// Who made it.
    pub from: AgencyCode,
    /// Who decides.
    pub owner: AgencyCode,
    /// State.
    pub state: State,
    /// Everything else.
    pub detail: Detail,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// The record's version when the proposal was made.
    pub record_version: i64,
    /// The changes.
    #[serde(default)]
    pub patch: Option<Map<String, Value>>,
    /// Why.
    #[serde(default)]
    pub reason: Option<String>,
    /// By what it is shown.
    #[serde(default)]
    pub evidence: Option<String>,
    /// The owner's words.
    #[serde(default)]
    pub answer: Option<String>,
    /// When it was decided.
    #[serde(default)]
    pub decided_at: Option<Timestamp>,
    /// The record's version after it was applied.
    #[serde(default)]
    pub applied_version: Option<i64>,
}

impl Correction {
    /// How a caller stands to it; `NotFound` for those who may not know of it.
    pub fn standing(&self, scope: &crate::auth::Scope) -> Result<Standing> {
        if scope.oversight() {
            Ok(Standing::Overseer)
        } else if *scope.agency() == self.owner {
            Ok(Standing::Owner)
        } else if *scope.agency() == self.from {
            Ok(Standing::Proposer)
        } else {
            Err(Error::NotFound)
        }
    }

    /// Moves it along; the caller has checked that the trigger leads to `next`.
    pub fn moved(&mut self, next: State, reason: Option<String>, applied: Option<i64>, now: Timestamp) {
        self.state = next;
        self.version += 1;
        self.updated_at = now;
        self.detail.answer = reason;
        self.detail.decided_at = Some(now);
        self.detail.applied_version = applied;
    }

    /// The proposal, the same for everybody who sees it.
    pub fn view(&self) -> CorrectionView {
        let Self { id, version, case, record, from, owner, state, detail, created_at, updated_at } = self.clone();
        let Detail { record_version, patch, reason, evidence, answer, decided_at, applied_version } = detail;
        CorrectionView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: from,
            owner_agency: owner,
            state: state.as_str(),
            case_id: case,
            record_type: record.kind(),
            record_id: record.id(case).to_string(),
            record_version,
            patch,
            reason,
            evidence,
            answer,
            decided_at,
            applied_version,
        }
    }
}
