//! One line of an import and what became of it. Pure; knows no format, no table, no HTTP.

use crate::cases::wire::CaseCreate;
use crate::kernel::ids::CaseId;
use crate::kernel::{Fault, FaultCode};

/// One case of a file, as its line says: the body of `POST /v1/cases`, with the agency's own key of the case.
#[derive(Clone, Debug)]
pub struct ImportRecord {
    /// The agency's own key of the case: the same key is the same case in every import.
    pub external_ref: String,
    /// The case with its persons and charges. `label` names a person within the case in every import.
    pub case: CaseCreate,
}

/// A line of a file, by its number (from 1), or everything that is wrong with it.
pub type ImportLine = (u64, Result<ImportRecord, Vec<Fault>>);

impl ImportRecord {
    /// A case with a key. One without cannot be told from a new one when the file comes again.
    pub fn new(case: CaseCreate) -> Result<Self, Vec<Fault>> {
        match &case.external_ref {
            Some(external_ref) => Ok(Self { external_ref: external_ref.clone(), case }),
            None => Err(vec![Fault::body("/external_ref", FaultCode::Required)]),
        }
    }
}

/// What became of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// A case was opened.
    Created,
    /// The case was there and the line changed it.
    Updated,
    /// The case was there and the line said nothing new.
    Unchanged,
    /// The line is wrong: nothing was done.
    Rejected,
    /// Nothing is wrong with the line, and nothing was done: another line of an atomic import is.
    NotApplied,
}

impl Status {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Unchanged => "unchanged",
            Self::Rejected => "rejected",
            Self::NotApplied => "not_applied",
        }
    }
}

/// One line of the report.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Number of the line.
    pub line: u64,
    /// The agency's own key of the case, where the line could be read.
    pub external_ref: Option<String>,
    /// What became of it.
    pub status: Status,
    /// The case.
    pub id: Option<CaseId>,
    /// What it changed of a case that was there: pointers of the line.
    pub changed: Vec<String>,
    /// Everything that is wrong with it.
    pub faults: Vec<Fault>,
}
