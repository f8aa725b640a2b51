//! The list of those whose keys are destroyed: a file beside the keyring, only ever added to.
//!
//! A backup of the database that is older than an erasure still holds the wrapped key. The list does not come from the
//! backup: a subject on it is never opened again. It holds ids, and no name.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::kernel::ids::ResourceId;
use crate::kernel::{Error, Result, Timestamp};

struct Known {
    length: u64,
    subjects: HashSet<Uuid>,
}

/// The list, read again when it has grown.
pub struct ErasedList {
    path: PathBuf,
    known: Mutex<Known>,
}

impl std::fmt::Debug for ErasedList {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ErasedList")
    }
}

fn read(path: &Path) -> Result<Known, String> {
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(e) => return Err(format!("cannot read the list of erasures {shown}: {e}")),
    };
    let mut subjects = HashSet::new();
    // A last line without its end is of a process that died before it was acknowledged.
    let whole = text.rfind('\n').map_or("", |end| text.get(..end).unwrap_or_default());
    for (number, line) in whole.lines().enumerate() {
        let id = line.split_whitespace().next().and_then(|id| Uuid::try_parse(id).ok());
        subjects.insert(id.ok_or_else(|| format!("the list of erasures {shown} is damaged at line {}", number + 1))?);
    }
    Ok(Known { length: u64::try_from(text.len()).unwrap_or(u64::MAX), subjects })
}

impl ErasedList {
    /// Reads the list; none yet is an empty one.
    pub fn open(path: &Path) -> Result<Self, String> {
        Ok(Self { path: path.to_owned(), known: Mutex::new(read(path)?) })
    }

    /// Whether a subject is on it. A list that cannot be read holds everybody: nothing is opened by mistake.
    pub fn holds(&self, subject: ResourceId) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let length = std::fs::metadata(&self.path).map(|m| m.len()).unwrap_or(0);
        if length != known.length {
            match read(&self.path) {
                // Only ever added to: one that lost lines was tampered with or half restored, and is not believed.
                Ok(now) if known.subjects.is_subset(&now.subjects) => *known = now,
                Ok(_) => {
                    log::error!(target: "sistra::vault", "the list of erasures has lost entries");
                    return true;
                }
                Err(line) => {
                    log::error!(target: "sistra::vault", "{line}");
                    return true;
                }
            }
        }
        known.subjects.contains(&subject.uuid())
    }

    /// Adds a subject; on disk when this returns.
    pub fn add(&self, subject: ResourceId, at: Timestamp) -> Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        if self.holds(subject) {
            return Ok(());
        }
        let put = || -> std::io::Result<()> {
            let mut file = std::fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&self.path)?;
            // One write: lines of several processes do not mix.
            file.write_all(format!("{} {at}\n", subject.uuid()).as_bytes())?;
            file.sync_all()
        };
        put().map_err(|e| {
            log::error!(target: "sistra::vault", "the list of erasures cannot be written: {:?}", e.kind());
            Error::Unavailable(crate::kernel::error::Unavailable::Storage)
        })
    }

    /// How many are on it.
    pub fn len(&self) -> usize {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).subjects.len()
    }

    /// Whether nobody is on it.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
