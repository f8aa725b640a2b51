//! Bodies of merging two records of one person, and what shows in them without the store.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::catalogue::Catalogue;
use crate::kernel::ids::ResourceId;
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Fault, FaultCode, Timestamp};

/// What happens to a record of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = PersonTrigger)]
pub enum Trigger {
    /// It is the same person as another record's, which stands for both from now on.
    Merge,
    /// It was not: both stand for themselves again.
    Unmerge,
}

impl Trigger {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Unmerge => "unmerge",
        }
    }

    /// State before and after.
    pub fn states(self) -> (&'static str, &'static str) {
        match self {
            Self::Merge => ("registered", "merged"),
            Self::Unmerge => ("merged", "registered"),
        }
    }
}

/// A merge of this record into another one, or the end of it.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "merge", "into": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "evidence": ["same_document"],
    "reason": "El mismo DNI figura en ambas fichas; lo confirmó la persona en entrevista."}))]
pub struct PersonTransitionCreate {
    /// What happens.
    pub trigger: Trigger,
    /// The record of the same kind that stands for the person from now on; required to merge.
    #[serde(default)]
    pub into: Option<ResourceId>,
    /// Why it is the same person: code list `merge_evidence`; required to merge.
    #[validate(length(max = 5))]
    #[serde(default)]
    #[schema(max_items = 5)]
    pub evidence: Vec<String>,
    /// In words.
    #[schema(value_type = String, min_length = 10, max_length = 2000)]
    pub reason: Pii<String>,
    /// To unmerge where the survivor was changed since: yes, those changes stay with the survivor.
    #[serde(default)]
    pub changes_stay: bool,
}

impl PersonTransitionCreate {
    /// Every fault that shows without the store.
    pub fn faults(&self, law: &Catalogue) -> Vec<Fault> {
        let Self { trigger, into, evidence, reason, changes_stay } = self;
        let mut faults = Vec::new();
        match reason.0.trim().chars().count() {
            ..10 => faults.push(Fault::body("/reason", FaultCode::MinLength)),
            2_001.. => faults.push(Fault::body("/reason", FaultCode::MaxLength)),
            _ => {}
        }
        for (index, code) in evidence.iter().enumerate() {
            if !law.has_code("merge_evidence", code) {
                faults.push(Fault::body(format!("/evidence/{index}"), FaultCode::Enum));
            } else if evidence.iter().take(index).any(|c| c == code) {
                faults.push(Fault::body(format!("/evidence/{index}"), FaultCode::UniqueItems));
            }
        }
        let merges = *trigger == Trigger::Merge;
        for (pointer, given, missing) in
            [("/into", into.is_some(), FaultCode::Required), ("/evidence", !evidence.is_empty(), FaultCode::MinItems)]
        {
            if merges && !given {
                faults.push(Fault::body(pointer, missing));
            } else if !merges && given {
                faults.push(Fault::body(pointer, FaultCode::CrossField));
            }
        }
        if merges && *changes_stay {
            faults.push(Fault::body("/changes_stay", FaultCode::CrossField));
        }
        faults
    }
}

/// A record of a person that is named beside this, and that was merged into another one: the other one stands for the
/// person now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct MergedRecord {
    /// The record named: under it the person is in the case.
    pub record_id: ResourceId,
    /// The record that stands for the person.
    pub merged_into: ResourceId,
}

/// What an entity tag says beside the version of the records that were merged: it changes with every merge and its end,
/// which change no version of what names them.
pub fn merged_tag(merged: &[MergedRecord]) -> String {
    merged.iter().fold(String::new(), |tag, one| format!("{tag}m{:02x}", one.merged_into.uuid().as_u128() & 0xff))
}

/// A record that was merged into another one.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct PersonMerge {
    /// The record that was merged away.
    pub record_id: ResourceId,
    /// Its speakable reference.
    pub code: String,
    /// Its version: what `If-Match` takes to unmerge it.
    pub version: i64,
    /// When it was merged.
    pub merged_at: Timestamp,
    /// By whom.
    pub merged_by: AgencyCode,
    /// Why it is the same person: code list `merge_evidence`.
    pub evidence: Vec<String>,
    /// Whether the survivor's record or identity was changed since: what was written to it stays with it.
    pub survivor_changed: bool,
}

/// The records that were merged into one and that the caller sees, the first one first.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"record_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d13", "code": "V-GNDNNNYZ-9", "version": 2,
    "merged_at": "2026-03-16T09:00:00.000Z", "merged_by": "PE-MP-FISTRAP-LIMA", "evidence": ["same_document"],
    "survivor_changed": false}]}))]
pub struct PersonMerges {
    /// The records.
    pub items: Vec<PersonMerge>,
}
