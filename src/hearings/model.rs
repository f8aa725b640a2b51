//! The hearing and its rules. Pure.

use serde::{Deserialize, Serialize};

use super::wire::{HearingCreate, HearingPatch, HearingView};
use crate::act::Act;
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, HearingId};
use crate::kernel::{AgencyCode, Fault, FaultCode, Field, Result, Timestamp};

/// What no list filters by. One document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HearingDetail {
    /// When it began.
    pub held_at: Option<Timestamp>,
    /// The court.
    pub court: String,
    /// What came of it.
    pub result: Option<String>,
    /// Where its record is kept.
    pub document_ref: Option<String>,
}

/// A hearing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hearing {
    /// The hearing.
    pub id: HearingId,
    /// Version.
    pub version: i64,
    /// The case.
    pub case: CaseId,
    /// Kind.
    pub kind: String,
    /// When it is to begin.
    pub scheduled_at: Timestamp,
    /// Everything else.
    pub detail: HearingDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by_agency: AgencyCode,
    /// When last changed.
    pub updated_at: Timestamp,
}

impl Hearing {
    /// Sets a hearing down; every fault at once.
    pub fn set_down(new: HearingCreate, act: &Act, id: HearingId, case: CaseId) -> Result<Self> {
        let HearingCreate { kind, scheduled_at, held_at, court, result, document_ref } = new;
        let hearing = Self {
            id,
            version: 1,
            case,
            kind,
            scheduled_at,
            detail: HearingDetail { held_at, court, result, document_ref },
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
        };
        let mut faults = Vec::new();
        hearing.check(act, &mut faults);
        no_faults(faults)?;
        Ok(hearing)
    }

    /// Applies a patch; answers the pointers that changed.
    pub fn amend(&mut self, patch: HearingPatch, act: &Act) -> Result<Vec<String>> {
        let HearingPatch { kind, scheduled_at, held_at, court, result, document_ref } = patch;
        let mut faults = Vec::new();
        for (pointer, cleared) in [
            ("/kind", matches!(kind, Field::Null)),
            ("/scheduled_at", matches!(scheduled_at, Field::Null)),
            ("/court", matches!(court, Field::Null)),
        ] {
            if cleared {
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
        let (was_kind, was_scheduled_at, was_court) = (self.kind.clone(), self.scheduled_at, detail.court.clone());
        note("kind", kind.apply_or(&mut self.kind, was_kind));
        note("scheduled_at", scheduled_at.apply_or(&mut self.scheduled_at, was_scheduled_at));
        note("held_at", held_at.apply(&mut detail.held_at));
        note("court", court.apply_or(&mut detail.court, was_court));
        note("result", result.apply(&mut detail.result));
        note("document_ref", document_ref.apply(&mut detail.document_ref));
        self.check(act, &mut faults);
        no_faults(faults)?;
        if !changed.is_empty() {
            self.version += 1;
            self.updated_at = act.now;
        }
        Ok(changed)
    }

    fn check(&self, act: &Act, faults: &mut Vec<Fault>) {
        let HearingDetail { held_at, court, result, document_ref } = &self.detail;
        let mut fault = |pointer: &str, code| faults.push(Fault::body(pointer, code));
        if !act.catalogue.has_code("hearing_kind", &self.kind) {
            fault("/kind", FaultCode::Enum);
        }
        for (pointer, text) in [("/court", Some(court)), ("/document_ref", document_ref.as_ref())] {
            if let Some(text) = text {
                if text.trim().is_empty() {
                    fault(pointer, FaultCode::MinLength);
                } else if text.chars().count() > 200 {
                    fault(pointer, FaultCode::MaxLength);
                }
            }
        }
        // A day of grace for clocks and time zones.
        if held_at.is_some_and(|at| at > act.now.plus_seconds(86_400)) {
            fault("/held_at", FaultCode::DateOrder);
        }
        match (result.as_deref(), held_at) {
            (Some(code), _) if !act.catalogue.has_code("hearing_result", code) => fault("/result", FaultCode::Enum),
            // What was held, or broken off, began at some time; what was cancelled never did.
            (Some("held" | "broken"), None) => fault("/held_at", FaultCode::Required),
            (Some("cancelled"), Some(_)) => fault("/held_at", FaultCode::CrossField),
            (None, Some(_)) => fault("/result", FaultCode::Required),
            _ => {}
        }
    }

    /// The hearing as everybody who may see it sees it.
    pub fn view(&self) -> HearingView {
        let Self { id, version, case, kind, scheduled_at, detail, created_at, created_by_agency, updated_at } = self.clone();
        let HearingDetail { held_at, court, result, document_ref } = detail;
        HearingView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency,
            case_id: case,
            kind,
            scheduled_at,
            held_at,
            court,
            result,
            document_ref,
            redacted: Vec::new(),
        }
    }
}
