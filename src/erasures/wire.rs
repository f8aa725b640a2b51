//! Bodies of the erasure operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{AccusedId, EntryId, ErasureId, ResourceId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Timestamp};

/// A request that a person be erased: name one.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"victim_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "ground": "person_asked", "basis": "SOL-0045-2026",
    "reason": "La persona pidió por escrito la supresión de sus datos al cerrarse el caso."}))]
pub struct ErasureCreate {
    /// The victim.
    #[serde(default)]
    pub victim_id: Option<VictimId>,
    /// The accused.
    #[serde(default)]
    pub accused_id: Option<AccusedId>,
    /// Code list `erasure_ground`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub ground: String,
    /// Reference of the request, order or rule on which it rests: 3–60 of letters, digits and `. _ / -`, a digit among them;
    /// no names. It stays.
    #[validate(length(min = 3, max = 60))]
    #[schema(min_length = 3, max_length = 60, pattern = "^[A-Za-z0-9._/-]*[0-9][A-Za-z0-9._/-]*$")]
    pub basis: String,
    /// Reference of the determination of the child's best interest, of the same form; needed for minors, and where the age is
    /// not known.
    #[validate(length(min = 3, max = 60))]
    #[serde(default)]
    #[schema(min_length = 3, max_length = 60, pattern = "^[A-Za-z0-9._/-]*[0-9][A-Za-z0-9._/-]*$")]
    pub best_interest: Option<String>,
    /// In words. They are erased with the person.
    #[schema(value_type = String, min_length = 10, max_length = 2000)]
    pub reason: Pii<String>,
}

/// What happens to an erasure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ErasureTrigger)]
pub enum Trigger {
    /// A second person agrees: it is done at once.
    Approve,
    /// A second person does not.
    Reject,
    /// Whoever asked asks no more.
    Withdraw,
}

impl Trigger {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
        }
    }

    /// The scope that it needs.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Approve | Self::Reject => "shred:approve",
            Self::Withdraw => "shred:propose",
        }
    }
}

/// A decision about an erasure.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "approve"}))]
pub struct ErasureTransitionCreate {
    /// What happens.
    pub trigger: Trigger,
    /// Why; required to reject.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 10, max_length = 2000)]
    pub reason: Option<Pii<String>>,
    /// Reference of the determination of the child's best interest, where the request did not have one yet.
    #[validate(length(min = 3, max = 60))]
    #[serde(default)]
    #[schema(min_length = 3, max_length = 60, pattern = "^[A-Za-z0-9._/-]*[0-9][A-Za-z0-9._/-]*$")]
    pub best_interest: Option<String>,
}

/// An erasure, as the owners of the person's cases, whoever asked, and oversight see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Erasure, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d19", "version": 1,
    "created_at": "2026-03-16T09:00:00.000Z", "updated_at": "2026-03-16T09:00:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "state": "proposed", "victim_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12",
    "accused_id": null, "ground": "person_asked", "basis": "SOL-0045-2026", "best_interest": null,
    "reason": "La persona pidió por escrito la supresión de sus datos al cerrarse el caso.", "blocked_by": ["legal_hold"],
    "decided_by": null, "decided_at": null, "decision_reason": null, "erased_at": null, "redacted": []}))]
pub struct ErasureView {
    /// The erasure.
    pub id: ErasureId,
    /// Version.
    pub version: i64,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who proposed it.
    pub created_by_agency: AgencyCode,
    /// `proposed`, `approved` (being done), `executed`, `rejected` or `withdrawn`.
    pub state: String,
    /// The victim.
    #[schema(required)]
    pub victim_id: Option<VictimId>,
    /// The accused.
    #[schema(required)]
    pub accused_id: Option<AccusedId>,
    /// Code list `erasure_ground`.
    pub ground: String,
    /// Reference of the request, order or rule on which it rests.
    pub basis: String,
    /// Reference of the determination of the child's best interest.
    #[schema(required)]
    pub best_interest: Option<String>,
    /// In words; null once they are erased.
    #[schema(required, value_type = Option<String>)]
    pub reason: Option<Pii<String>>,
    /// What stands against it now: `open_case`, `best_interest_required`, `legal_hold`, `merged` (propose it for the record
    /// that stands for the person).
    pub blocked_by: Vec<String>,
    /// Who agreed or did not.
    #[schema(required)]
    pub decided_by: Option<AgencyCode>,
    /// When.
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
    /// Why; null once it is erased.
    #[schema(required, value_type = Option<String>)]
    pub decision_reason: Option<Pii<String>>,
    /// When the key was destroyed.
    #[schema(required)]
    pub erased_at: Option<Timestamp>,
    /// Pointers of what was withheld.
    pub redacted: Vec<String>,
}

/// The erasures on the caller's desk.
#[derive(Debug, Serialize, ToSchema)]
pub struct ErasurePage {
    /// The erasures, the first one first.
    pub items: Vec<ErasureView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What was destroyed, when, for whom and by whom. No personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ErasureCertificate {
    /// The ledger that attests it: the name of its key.
    pub iss: String,
    /// The erasure.
    pub erasure_id: ErasureId,
    /// `victim` or `accused`.
    pub person_type: String,
    /// The pseudonym that remains.
    pub person_id: ResourceId,
    /// Records of the same person that were erased with it.
    pub other_records: Vec<ResourceId>,
    /// Cases in which the pseudonymous record remains.
    #[schema(minimum = 0)]
    pub cases: i64,
    /// What is gone: `key`, `identity`, `sealed_texts`, `search_tokens`.
    pub destroyed: Vec<String>,
    /// Code list `erasure_ground`.
    pub ground: String,
    /// Reference on which it rests.
    pub basis: String,
    /// Reference of the determination of the child's best interest.
    #[schema(required)]
    pub best_interest: Option<String>,
    /// Who proposed it.
    pub proposed_by: AgencyCode,
    /// When.
    pub proposed_at: Timestamp,
    /// Who agreed.
    pub approved_by: AgencyCode,
    /// When.
    pub approved_at: Timestamp,
    /// When the key was destroyed.
    pub erased_at: Timestamp,
    /// The entry of the ledger that says so.
    pub ledger_entry_id: EntryId,
    /// Its position; null in the first tenths of a second.
    #[schema(required, minimum = 0)]
    pub ledger_position: Option<i64>,
}

/// A certificate and its signature.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"certificate": {"iss": "sistra-0f3a", "erasure_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d19",
    "person_type": "victim", "person_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "other_records": [], "cases": 1,
    "destroyed": ["key", "identity", "sealed_texts", "search_tokens"], "ground": "person_asked", "basis": "SOL-0045-2026",
    "best_interest": null, "proposed_by": "PE-MP-FISTRAP-LIMA", "proposed_at": "2026-03-16T09:00:00.000Z",
    "approved_by": "PE-DP", "approved_at": "2026-03-17T09:00:00.000Z", "erased_at": "2026-03-17T09:00:00.000Z",
    "ledger_entry_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d14", "ledger_position": 4711},
    "jws": "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJzaXN0cmEtMGYzYSJ9.c2lnbmF0dXJl", "key": "sistra-0f3a+1f2e3d4c+AQIDBAUG"}))]
pub struct SignedCertificate {
    /// What is attested.
    pub certificate: ErasureCertificate,
    /// The same as a JSON Web Signature (compact, EdDSA, type `erasure-certificate+jwt`), signed with the ledger's key.
    #[schema(max_length = 8000)]
    pub jws: String,
    /// The key that verifies it, in the form that `sistra ledger key` prints: keep that one with somebody else.
    #[schema(max_length = 400)]
    pub key: String,
}
