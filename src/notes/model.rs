//! The note and its rules. Pure.

use super::wire::{NoteCreate, NoteView, NoteVisibility};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::{Section, Sight};
use crate::kernel::ids::{CaseId, NoteId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Fault, FaultCode, Timestamp};

/// Longest text, in characters.
const MOST_CHARS: usize = 10_000;

impl NoteVisibility {
    /// The code (code list `note_visibility`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::Shared => "shared",
        }
    }

    /// The visibility of a code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Internal, Self::Shared].into_iter().find(|v| v.as_str() == code)
    }
}

/// A note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// The note.
    pub id: NoteId,
    /// Version.
    pub version: i64,
    /// The case.
    pub case: CaseId,
    /// Who wrote it.
    pub agency: AgencyCode,
    /// Who reads it.
    pub visibility: NoteVisibility,
    /// The text.
    pub text: Pii<String>,
    /// The note that it replaces.
    pub supersedes: Option<NoteId>,
    /// The note that replaces it.
    pub superseded_by: Option<NoteId>,
    /// When written.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

impl Note {
    /// Writes a note, with the faults that it shows without the store.
    pub fn write(new: NoteCreate, act: &Act, id: NoteId, case: CaseId) -> (Self, Vec<Fault>) {
        let NoteCreate { visibility, text, supersedes } = new;
        let mut faults = Vec::new();
        if text.0.trim().is_empty() {
            faults.push(Fault::body("/text", FaultCode::MinLength));
        } else if text.0.chars().count() > MOST_CHARS {
            faults.push(Fault::body("/text", FaultCode::MaxLength));
        }
        let note = Self {
            id,
            version: 1,
            case,
            agency: act.agency().clone(),
            visibility,
            text,
            supersedes,
            superseded_by: None,
            created_at: act.now,
            updated_at: act.now,
        };
        (note, faults)
    }

    /// Whether somebody who sees the case sees the note: its own agency does, and of the shared ones whoever sees the
    /// narrative.
    pub fn visible(&self, scope: &Scope, sight: &Sight) -> bool {
        self.agency == *scope.agency() || (self.visibility == NoteVisibility::Shared && sight.sees(Section::Narrative))
    }

    /// Faults of naming a note to replace: it must be one that the same agency wrote in the same case, for the same
    /// readers. What one agency may not see is the same fault as what is not there.
    pub fn replacement_faults(&self, old: Option<&Self>) -> Vec<Fault> {
        match old.filter(|old| old.case == self.case && old.agency == self.agency) {
            None => vec![Fault::body("/supersedes", FaultCode::ReferenceNotFound)],
            Some(old) if old.visibility != self.visibility => vec![Fault::body("/visibility", FaultCode::CrossField)],
            Some(_) => Vec::new(),
        }
    }

    /// The note as everybody who may see it sees it.
    pub fn view(&self) -> NoteView {
        let Self { id, version, case, agency, visibility, text, supersedes, superseded_by, created_at, updated_at } =
            self.clone();
        NoteView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: agency,
            case_id: case,
            visibility,
            text,
            supersedes,
            superseded_by,
            redacted: Vec::new(),
        }
    }
}
