//! Bodies of the audit operations.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::db::Json;
use crate::kernel::Timestamp;
use crate::kernel::ids::{BreakGlassId, ClientId, EntryId, ResourceId};
use crate::ledger::leaf::Record;
use crate::ledger::merkle::Hash;
use crate::ledger::notary::Notary;
use crate::ledger::tree::Signed;

/// What a payload says, where it says it in clear.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct What {
    changed: Vec<String>,
    trigger: Option<String>,
    from: Option<String>,
    to: Option<String>,
    agency: Option<String>,
    shown: Vec<ResourceId>,
    emergency: Option<BreakGlassId>,
}

/// One entry of the record: who did what, to what, why and when.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AuditEntry {
    /// The entry: what a header `Audit-Event-Id` names.
    pub id: EntryId,
    /// When.
    pub at: Timestamp,
    /// `case.created`, `victim_identity.read` …
    #[serde(rename = "type")]
    #[schema(max_length = 120)]
    pub kind: String,
    /// Type of the record.
    #[schema(max_length = 60)]
    pub resource_type: String,
    /// The record; of a list, the partner system that saw it.
    pub resource_id: ResourceId,
    /// Its version after the change, or as read.
    #[schema(required, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub version: Option<i64>,
    /// Who: agency. Null for the operator.
    #[schema(required, max_length = 40)]
    pub agency: Option<String>,
    /// Who: partner system.
    #[schema(required)]
    pub client_id: Option<ClientId>,
    /// Who: the person at its desk, as the partner calls them.
    #[schema(required, max_length = 200)]
    pub end_user: Option<String>,
    /// Why: code list `purpose_of_use`.
    #[schema(required, max_length = 60)]
    pub purpose: Option<String>,
    /// In which request.
    pub request_id: ResourceId,
    /// Pointers of the fields that changed.
    #[schema(max_items = 1000)]
    pub changed: Vec<String>,
    /// Trigger of a transition.
    #[schema(required, max_length = 60)]
    pub trigger: Option<String>,
    /// State before.
    #[schema(required, max_length = 400)]
    pub from: Option<String>,
    /// State after.
    #[schema(required, max_length = 400)]
    pub to: Option<String>,
    /// Agency let in or shut out.
    #[schema(required, max_length = 40)]
    pub other_agency: Option<String>,
    /// The records that a list showed, or the other one of two that were merged.
    #[schema(max_items = 1000)]
    pub shown: Vec<ResourceId>,
    /// The break-glass under which it was in sight; null where no glass had to be broken.
    #[schema(required)]
    pub break_glass_id: Option<BreakGlassId>,
}

impl From<Record> for AuditEntry {
    fn from(record: Record) -> Self {
        let Record {
            bucket: _,
            id,
            at,
            client_id,
            agency_code,
            user_ref,
            purpose,
            request_id,
            action,
            resource_type,
            resource_id,
            version,
            payload,
        } = record;
        // What is sealed under a person's key says nothing here.
        let What { changed, trigger, from, to, agency, shown, emergency } =
            payload.as_ref().and_then(|p: &Json| p.read().ok()).unwrap_or_default();
        Self {
            id,
            at,
            kind: format!("{resource_type}.{action}"),
            resource_type,
            resource_id,
            version,
            agency: agency_code,
            client_id,
            end_user: user_ref,
            purpose,
            request_id,
            changed,
            trigger,
            from,
            to,
            other_agency: agency,
            shown,
            break_glass_id: emergency,
        }
    }
}

/// Entries, newest first. A page may hold fewer than asked for and still have a next one.
#[derive(Debug, Serialize, ToSchema)]
pub struct AuditPage {
    /// The entries.
    #[schema(max_items = 200)]
    pub items: Vec<AuditEntry>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A signed checkpoint of the record.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct LedgerCheckpoint {
    /// Name of the log.
    #[schema(max_length = 220)]
    pub origin: String,
    /// Entries that it covers.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub size: i64,
    /// Root of their Merkle tree (RFC 6962), base64.
    #[schema(max_length = 44)]
    pub root: String,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note: C2SP tlog-checkpoint, to be kept outside the registry.
    #[schema(max_length = 2000)]
    pub note: String,
    /// The key that verifies it: C2SP signed-note, `name+id+base64`. Compare it with the one you were given.
    #[schema(max_length = 400)]
    pub key: String,
}

impl LedgerCheckpoint {
    /// What is shown of a checkpoint.
    pub fn of(signed: Signed, notary: &Notary) -> Self {
        let Signed { epoch, size, root, at, note } = signed;
        let (origin, key) = (notary.origin(epoch), notary.key(epoch).to_string());
        Self { origin, size, root: STANDARD.encode(root), at, note, key }
    }
}

/// Checkpoints, latest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct LedgerCheckpointPage {
    /// The checkpoints.
    #[schema(max_items = 200)]
    pub items: Vec<LedgerCheckpoint>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// The proof that an entry is in the tree of a size (RFC 6962 §2.1.1, RFC 9162 §2.1.3).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct InclusionProof {
    /// The entry.
    pub entry_id: EntryId,
    /// Its position, from 0.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub position: i64,
    /// Entries of the tree.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub size: i64,
    /// What is hashed: the entry as one line of canonical JSON. The leaf is SHA-256(0x00 ‖ this).
    #[schema(max_length = 100_000)]
    pub leaf: String,
    /// Hash of the leaf, base64.
    #[schema(max_length = 44)]
    pub leaf_hash: String,
    /// The siblings on the way to the root, lowest first, base64.
    #[schema(max_items = 64)]
    pub hashes: Vec<String>,
    /// The root, base64.
    #[schema(max_length = 44)]
    pub root: String,
    /// The signed note over this root; null if this size was not signed.
    #[schema(required, max_length = 2000)]
    pub checkpoint: Option<String>,
}

/// The proof that a later tree only added to an earlier one (RFC 6962 §2.1.2, RFC 9162 §2.1.4).
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ConsistencyProof {
    /// Entries of the earlier tree.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub from: i64,
    /// Its root, base64.
    #[schema(max_length = 44)]
    pub from_root: String,
    /// Entries of the later tree.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub to: i64,
    /// Its root, base64.
    #[schema(max_length = 44)]
    pub to_root: String,
    /// The hashes of the proof, base64.
    #[schema(max_items = 64)]
    pub hashes: Vec<String>,
}

/// Hashes as they are written.
pub fn written(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(|h| STANDARD.encode(h)).collect()
}
