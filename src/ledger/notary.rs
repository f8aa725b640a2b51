//! The notary signs what the sealer has ordered, and never two records that contradict each other.
//!
//! What it signed last lies in a file of its own, written before a checkpoint is given out: its memory. Whoever
//! restores an older database (or another one) leaves a tree that does not extend what was signed. The notary notices,
//! lets the old origin rest for ever and opens the next one, `NAME/e2`; the ledger says so in an entry of its own.
//!
//! The memory must not travel with backups of the database: a setting puts it elsewhere (`SISTRA_LEDGER_MEMORY`).

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

use super::append::append;
use super::checkpoint::{Checkpoint, VerifyingKey, is_name};
use super::entry::{Action, Actor, Entry};
use super::merkle::{Frontier, sha256};
use super::sealer::lead;
use super::tree::{self, Signed};
use crate::auth::keys::{read_private, write_private};
use crate::db::Store;
use crate::kernel::ids::ResourceId;
use crate::kernel::trail::Trail;
use crate::kernel::{Error, Result, Timestamp};

const KEY_FILE: &str = "ledger-key.json";
const MEMORY_FILE: &str = "ledger-memory.json";

#[derive(Serialize, Deserialize)]
struct KeyFile {
    name: String,
    pkcs8: String,
    created_at: Timestamp,
}

/// What was signed last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    /// Which origin signs.
    epoch: i64,
    /// The last note under it; none right after it was opened.
    note: Option<String>,
}

/// Signs checkpoints.
pub struct Notary {
    pair: Ed25519KeyPair,
    name: String,
    memory: PathBuf,
    reopened: AtomicBool,
}

impl Notary {
    /// Loads the key of a data directory, or makes it. `memory` is where the last checkpoint is remembered, beside the
    /// key if absent; `name` names the log when the key is made, and must be its name afterwards.
    pub fn load_or_create(
        data_dir: &Path,
        memory: Option<&Path>,
        name: Option<&str>,
        now: Timestamp,
    ) -> Result<Self, String> {
        let path = data_dir.join(KEY_FILE);
        if let Some(name) = name.filter(|n| !is_name(n)) {
            return Err(format!("\"{name}\" is no name of a ledger: no spaces, no plus sign, at most 200 characters"));
        }
        if !path.exists() {
            let pkcs8 = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new())
                .map_err(|_| "cannot make the key of the ledger".to_owned())?;
            let pair = read_pair(pkcs8.as_ref()).ok_or("cannot make the key of the ledger")?;
            let name = name.map_or_else(|| own_name(&pair), str::to_owned);
            let file = KeyFile { name, pkcs8: STANDARD.encode(pkcs8.as_ref()), created_at: now };
            let text = serde_json::to_string_pretty(&file).map_err(|_| "key not serialisable".to_owned())?;
            write_private(&path, &text)?;
        }
        let notary = Self::load(data_dir, memory)?;
        match name.filter(|n| *n != notary.name) {
            Some(other) => Err(format!("the ledger's key is that of {}, not of {other}", notary.name)),
            None => Ok(notary),
        }
    }

    /// Loads the key of a data directory.
    pub fn load(data_dir: &Path, memory: Option<&Path>) -> Result<Self, String> {
        let path = data_dir.join(KEY_FILE);
        let damaged = || format!("the key file {} is damaged", path.display());
        let KeyFile { name, pkcs8, .. } = serde_json::from_str(&read_private(&path)?).map_err(|_| damaged())?;
        let pair = STANDARD.decode(pkcs8).ok().and_then(|bytes| read_pair(&bytes)).ok_or_else(damaged)?;
        if !is_name(&name) {
            return Err(damaged());
        }
        let memory = memory.map_or_else(|| data_dir.join(MEMORY_FILE), Path::to_owned);
        Ok(Self { pair, name, memory, reopened: AtomicBool::new(false) })
    }

    /// Name of an origin: the first has the ledger's, later ones say which they are.
    pub fn origin(&self, epoch: i64) -> String {
        if epoch <= 1 { self.name.clone() } else { format!("{}/e{epoch}", self.name) }
    }

    /// The key that verifies the checkpoints of an origin.
    pub fn key(&self, epoch: i64) -> VerifyingKey {
        VerifyingKey::of(&self.origin(epoch), &self.pair)
    }

    /// Signs a statement as a JSON Web Signature (RFC 7515, compact, EdDSA): anybody who keeps the ledger's key can check it. No
    /// checkpoint has its form: a note has lines, and what is signed here has none.
    pub fn attest(&self, kind: &str, payload: &[u8]) -> Result<String> {
        let header = serde_json::json!({ "alg": "EdDSA", "typ": kind, "kid": self.key(1).to_string() });
        let header = serde_json::to_vec(&header).map_err(|_| Error::internal("a header that cannot be written"))?;
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
        let signature = self.pair.sign(signed.as_bytes());
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }

    /// Whether this process found a database that does not extend what was signed, and opened a new origin.
    pub fn reopened(&self) -> bool {
        self.reopened.load(Ordering::Relaxed)
    }

    /// The last note that was signed, and of which origin; none before the first.
    pub fn remembered(&self) -> Result<Option<(i64, String)>, String> {
        Ok(self.recall()?.and_then(|m| Some((m.epoch, m.note?))))
    }

    fn recall(&self) -> Result<Option<Memory>, String> {
        if !self.memory.exists() {
            return Ok(None);
        }
        let text = read_private(&self.memory)?;
        serde_json::from_str(&text).map(Some).map_err(|_| format!("the file {} is damaged", self.memory.display()))
    }

    fn remember(&self, memory: &Memory) -> Result<()> {
        let text = serde_json::to_string_pretty(memory).map_err(|_| Error::internal("memory not serialisable"))?;
        write_private(&self.memory, &text).map_err(Error::internal)
    }

    /// Signs the tree as it is, if it has grown and `holder` leads; answers whether it signed.
    pub fn sign(&self, store: &Store, holder: &str, now: Timestamp) -> Result<bool> {
        let leader = holder.to_owned();
        let (memory, newest, frontier) = (
            self.recall().map_err(Error::internal)?,
            store.read_blocking(|conn| tree::checkpoints(conn, None, 1))?.pop(),
            store.read_blocking(tree::head)?.unwrap_or_default(),
        );
        let standing = self.standing(store, memory.as_ref(), newest.as_ref(), &frontier)?;
        let epoch = match standing {
            Standing::Extends(epoch) => epoch,
            Standing::Broken { next, last } => {
                // Only who leads decides: another instance may have opened it already.
                if store.write_blocking(move |tx| lead(tx, "sealer", &leader, now))? {
                    self.reopen(store, next, &last, now)?;
                }
                return Ok(false);
            }
        };
        let checkpoint = Checkpoint { origin: self.origin(epoch), size: frontier.size(), root: frontier.root() };
        let size = tree::stored(checkpoint.size)?;
        if size == 0 || newest.as_ref().is_some_and(|n| (n.epoch, n.size) == (epoch, size)) {
            return Ok(false);
        }
        if !store.write_blocking({
            let leader = leader.clone();
            move |tx| lead(tx, "sealer", &leader, now)
        })? {
            return Ok(false);
        }
        let note = checkpoint.sign(&self.pair);
        // First the memory, then the world: what somebody may have seen is never forgotten.
        self.remember(&Memory { epoch, note: Some(note.clone()) })?;
        let signed = Signed { epoch, size, root: checkpoint.root.to_vec(), at: now, note };
        store.write_blocking(move |tx| tree::keep(tx, &signed))?;
        Ok(true)
    }

    /// Whether the tree extends everything that this notary knows to have signed.
    fn standing(
        &self,
        store: &Store,
        memory: Option<&Memory>,
        newest: Option<&Signed>,
        frontier: &Frontier,
    ) -> Result<Standing> {
        let stored_epoch = newest.map_or(0, |n| n.epoch);
        let Some(memory) = memory else {
            // Something was signed and nobody remembers how much of it: it may have been more.
            return Ok(match newest {
                None => Standing::Extends(1),
                Some(n) => Standing::Broken { next: n.epoch + 1, last: summary(&n.note) },
            });
        };
        let broken = |note: &str| Standing::Broken { next: memory.epoch.max(stored_epoch) + 1, last: summary(note) };
        if let Some(n) = newest.filter(|n| n.epoch > memory.epoch) {
            return Ok(broken(&n.note));
        }
        let same_epoch = newest.filter(|n| n.epoch == memory.epoch).map(|n| n.note.as_str());
        for note in memory.note.as_deref().into_iter().chain(same_epoch) {
            let Some(known) = self.key(memory.epoch).verify(note) else { return Ok(broken(note)) };
            if known.size > frontier.size() {
                return Ok(broken(note));
            }
            let root = if known.size == frontier.size() {
                frontier.root()
            } else {
                store.read_blocking(|conn| tree::root_at(conn, known.size))?
            };
            if root != known.root {
                return Ok(broken(note));
            }
        }
        Ok(Standing::Extends(memory.epoch))
    }

    fn reopen(&self, store: &Store, next: i64, last: &str, now: Timestamp) -> Result<()> {
        let origin = self.origin(next);
        log::error!(
            target: "sistra::ledger",
            "the database does not extend what was last signed ({last}): a backup was restored, or the record was changed. \
             The old origin is closed; from now on {origin} signs"
        );
        let actor = Actor {
            client: None,
            agency: None,
            user: None,
            purpose: None,
            request_id: uuid::Uuid::new_v4(),
            trail: Trail::default(),
        };
        let entry = Entry::of_ledger(ResourceId::from_uuid(uuid::Uuid::nil())).moved("restore", last, &origin);
        store.write_blocking(move |tx| append(tx, &actor, now, vec![entry.clone()]))?;
        self.remember(&Memory { epoch: next, note: None })?;
        self.reopened.store(true, Ordering::Relaxed);
        Ok(())
    }
}

enum Standing {
    /// It does, under this origin.
    Extends(i64),
    /// It does not: the next origin, and what was signed last.
    Broken {
        /// Number of the origin to open.
        next: i64,
        /// Origin, size and root of what does not fit.
        last: String,
    },
}

/// Origin, size and root of a note in one line.
fn summary(note: &str) -> String {
    note.lines().take(3).collect::<Vec<_>>().join(" ")
}

fn read_pair(pkcs8: &[u8]) -> Option<Ed25519KeyPair> {
    Ed25519KeyPair::from_pkcs8(pkcs8).ok()
}

/// A name that no other registry has: from the key itself.
fn own_name(pair: &Ed25519KeyPair) -> String {
    let [a, b, c, d, ..] = sha256(pair.public_key().as_ref());
    format!("sistra/{a:02x}{b:02x}{c:02x}{d:02x}")
}

impl Entry {
    /// An entry about the ledger itself.
    fn of_ledger(id: ResourceId) -> Self {
        Self { resource_type: "ledger", ..Self::new(Action::Reopened, id, None) }
    }
}
