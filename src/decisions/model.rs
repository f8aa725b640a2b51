//! The decision and its rules. Pure.

use serde::{Deserialize, Serialize};

use super::wire::{DecisionCreate, DecisionView};
use crate::act::Act;
use crate::kernel::ids::{CaseId, DecisionId, HearingId, TransitionId};
use crate::kernel::{AgencyCode, Fault, FaultCode, PartialDate, Timestamp};

/// What no list filters by. One document, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionDetail {
    /// Its number.
    pub number: Option<String>,
    /// Its date.
    pub date: PartialDate,
    /// Who issued it.
    pub authority: String,
    /// What it says.
    pub result: String,
    /// Where the document is kept.
    pub document_ref: Option<String>,
    /// The transition of the case that it carries.
    pub transition: Option<TransitionId>,
    /// The hearing at which it was issued.
    pub hearing: Option<HearingId>,
}

/// A decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The decision.
    pub id: DecisionId,
    /// Version.
    pub version: i64,
    /// The case.
    pub case: CaseId,
    /// Kind.
    pub kind: String,
    /// The decision that it corrects or replaces.
    pub supersedes: Option<DecisionId>,
    /// The decision that corrects or replaces it.
    pub superseded_by: Option<DecisionId>,
    /// Everything else.
    pub detail: DecisionDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by_agency: AgencyCode,
    /// When last changed.
    pub updated_at: Timestamp,
}

impl Decision {
    /// Sets a decision down, with the faults that it shows without the store.
    pub fn register(new: DecisionCreate, act: &Act, id: DecisionId, case: CaseId) -> (Self, Vec<Fault>) {
        let DecisionCreate { kind, number, date, authority, result, document_ref, transition_id, hearing_id, supersedes } =
            new;
        let mut faults = Vec::new();
        let mut fault = |pointer: &str, code| faults.push(Fault::body(pointer, code));
        if !act.catalogue.has_code("decision_kind", &kind) {
            fault("/kind", FaultCode::Enum);
        }
        for (pointer, text) in [
            ("/number", number.as_ref()),
            ("/authority", Some(&authority)),
            ("/result", Some(&result)),
            ("/document_ref", document_ref.as_ref()),
        ] {
            if text.is_some_and(|t| t.trim().is_empty()) {
                fault(pointer, FaultCode::MinLength);
            }
        }
        // A day of grace for clocks and time zones.
        if date.earliest() > act.now.plus_seconds(86_400).date() {
            fault("/date", FaultCode::DateOrder);
        }
        let decision = Self {
            id,
            version: 1,
            case,
            kind,
            supersedes,
            superseded_by: None,
            detail: DecisionDetail {
                number,
                date,
                authority,
                result,
                document_ref,
                transition: transition_id,
                hearing: hearing_id,
            },
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
        };
        (decision, faults)
    }

    /// The decision as everybody who may see it sees it.
    pub fn view(&self) -> DecisionView {
        let Self { id, version, case, kind, supersedes, superseded_by, detail, created_at, created_by_agency, updated_at } =
            self.clone();
        let DecisionDetail { number, date, authority, result, document_ref, transition, hearing } = detail;
        DecisionView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency,
            case_id: case,
            kind,
            number,
            date,
            authority,
            result,
            document_ref,
            transition_id: transition,
            hearing_id: hearing,
            supersedes,
            superseded_by,
            redacted: Vec::new(),
        }
    }
}
