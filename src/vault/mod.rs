//! The vault: what names a person or tells a story is stored under a key of its own, and nowhere in clear.
//!
//! Every victim, every accused and every case has a key (AES-256-GCM). The keys lie in `subject_key`, wrapped by the
//! keyring, which is kept apart from the database. What is sealed is bound to its column, its record and its subject: a
//! value moved elsewhere does not open.
//!
//! The store puts its vault at hand of the thread on which a closure with a connection runs ([`at_hand`]): whoever has
//! a connection can seal and open, and nobody else.
//!
//! Owns: keyring, keys, the sealed form, the list of those erased. Must not know: HTTP, or the rules of any slice.

pub mod envelope;
pub mod erased;
pub mod guarded;
pub mod keyring;
pub mod rewrap;
pub mod store;

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use quick_cache::sync::Cache;
use zeroize::Zeroizing;

pub use envelope::SubjectKey;
pub use erased::ErasedList;
pub use guarded::{Guarded, strip};
pub use keyring::{Keyring, KeyringSettings, Source};

use crate::db::{Conn, Json};
use crate::kernel::ids::{Kind, ResourceId};
use crate::kernel::{Error, Id, Result, Timestamp};

/// Keys kept unwrapped.
const CACHED: usize = 10_000;
/// For how long a key is kept unwrapped.
const CACHED_FOR: Duration = Duration::from_secs(300);
/// A key's row is cached only once it is this old, in seconds: a younger one may be of a transaction that is still to
/// fail. Longer than any transaction may take.
const SETTLED_S: i64 = 60;

/// Where the check value of the keyring lies: no resource has this id.
const CHECK: uuid::Uuid = uuid::Uuid::nil();

/// The keyring, and the keys that it has opened.
pub struct Vault {
    ring: keyring::Live,
    erased: ErasedList,
    cache: Cache<ResourceId, Cached>,
}

#[derive(Clone)]
struct Cached {
    key: Arc<SubjectKey>,
    until: Instant,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Vault([redacted])")
    }
}

impl Vault {
    /// Opens the keyring and proves that it is the one of this database; makes it where the settings allow that and
    /// nothing has been sealed yet. The error is one line.
    pub fn open(conn: &mut Conn, settings: &KeyringSettings, now: Timestamp) -> Result<Arc<Self>, String> {
        let check = ResourceId::from_uuid(CHECK);
        let known = store::find(conn, check).map_err(|e| format!("the vault's keys cannot be read: {e:?}"))?;
        let ring = keyring::Live::open(settings, known.as_ref().map(|k| k.kek.as_str()), now)?;
        let vault = Self { ring, erased: ErasedList::open(&settings.erased)?, cache: Cache::new(CACHED) };
        let found = match known {
            Some(found) => found,
            None => {
                let (wrapped, kek) = vault.ring.wrap(check, &SubjectKey::material().map_err(debug)?).map_err(debug)?;
                store::insert(conn, check, &wrapped, &kek, now).map_err(debug)?;
                // Another server may have been faster, with another keyring.
                store::find(conn, check).map_err(debug)?.ok_or("the vault's check value is not there")?
            }
        };
        let wrapped = found.wrapped.as_deref().unwrap_or_default();
        if vault.ring.unwrap(check, wrapped, &found.kek).is_err() {
            return Err(format!(
                "the keys of this database are wrapped by \"{}\", and {} does not open them: restore the keyring that \
                 belongs to the database",
                found.kek,
                settings.source.shown()
            ));
        }
        Ok(Arc::new(vault))
    }

    /// A secret of this registry for another use, from the keyring's root.
    pub fn derive(&self, label: &str) -> Result<Zeroizing<[u8; 32]>> {
        self.ring.derive(label)
    }

    /// The keyring in use.
    pub fn ring(&self) -> &keyring::Live {
        &self.ring
    }

    /// Those whose keys are destroyed, kept apart from the database.
    pub fn erased(&self) -> &ErasedList {
        &self.erased
    }

    /// Destroys a subject's key: here at once, elsewhere when its cache ends. The subject must be on the list already.
    pub fn destroy(&self, tx: &mut Conn, subject: ResourceId, now: Timestamp) -> Result<()> {
        self.cache.remove(&subject);
        OWN.with_borrow_mut(|own| own.remove(&subject));
        store::destroy(tx, subject, now)
    }

    fn cached(&self, subject: ResourceId) -> Option<Arc<SubjectKey>> {
        let own = OWN.with_borrow(|own| own.get(&subject).cloned());
        own.or_else(|| self.cache.get(&subject).filter(|c| c.until > Instant::now()).map(|c| c.key))
    }

    /// The key of a stored row; none if it is destroyed.
    fn opened(&self, subject: ResourceId, row: &store::Row) -> Result<Option<Arc<SubjectKey>>> {
        let Some(wrapped) = row.wrapped.as_deref().filter(|_| !self.erased.holds(subject)) else { return Ok(None) };
        let key = Arc::new(SubjectKey::new(&self.ring.unwrap(subject, wrapped, &row.kek)?)?);
        if row.created_at.plus_seconds(SETTLED_S) < Timestamp::now() {
            let until = Instant::now() + CACHED_FOR;
            self.cache.insert(subject, Cached { key: Arc::clone(&key), until });
        }
        Ok(Some(key))
    }

    /// The subject's key, made if there is none.
    fn for_writing(&self, tx: &mut Conn, subject: ResourceId) -> Result<Arc<SubjectKey>> {
        if let Some(key) = self.cached(subject) {
            return Ok(key);
        }
        let row = match store::find(tx, subject)? {
            Some(row) => row,
            None => {
                let (wrapped, kek) = self.ring.wrap(subject, &SubjectKey::material()?)?;
                // The clock, not the record's instant: it says how old the row is, and records may be loaded late.
                store::insert(tx, subject, &wrapped, &kek, Timestamp::now())?;
                store::find(tx, subject)?.ok_or_else(|| Error::internal("a subject key was not stored"))?
            }
        };
        let key = self.opened(subject, &row)?.ok_or(Error::Erased)?;
        OWN.with_borrow_mut(|own| own.insert(subject, Arc::clone(&key)));
        Ok(key)
    }

    fn for_reading(&self, conn: &mut Conn, subjects: Vec<ResourceId>) -> Result<Keys> {
        let mut keys = HashMap::with_capacity(subjects.len());
        let mut missing = Vec::new();
        for subject in subjects {
            match self.cached(subject) {
                Some(key) => {
                    keys.insert(subject, Some(key));
                }
                None => missing.push(subject),
            }
        }
        if !missing.is_empty() {
            missing.sort_unstable();
            missing.dedup();
            for row in store::many(conn, &missing)? {
                let key = self.opened(row.subject, &row)?;
                keys.insert(row.subject, key);
            }
        }
        Ok(Keys(keys))
    }
}

fn debug(error: Error) -> String {
    format!("the vault cannot be opened: {error:?}")
}

thread_local! {
    static AT_HAND: RefCell<Option<Arc<Vault>>> = const { RefCell::new(None) };
    /// Keys that the closure which runs now has made or read: they are its own until its transaction is committed, so
    /// they end with it.
    static OWN: RefCell<HashMap<ResourceId, Arc<SubjectKey>>> = RefCell::default();
}

/// Puts a vault at hand of this thread while `f` runs.
pub fn at_hand<T>(vault: Option<&Arc<Vault>>, f: impl FnOnce() -> T) -> T {
    /// Gives back what was there before, also when `f` panics.
    struct Back(Option<Arc<Vault>>, HashMap<ResourceId, Arc<SubjectKey>>);
    impl Drop for Back {
        fn drop(&mut self) {
            AT_HAND.set(self.0.take());
            OWN.set(std::mem::take(&mut self.1));
        }
    }
    let _back = Back(AT_HAND.replace(vault.cloned()), OWN.take());
    f()
}

/// The vault of the store whose connection this thread holds.
pub fn current() -> Result<Arc<Vault>> {
    AT_HAND.with_borrow(Clone::clone).ok_or_else(|| Error::internal("a store without a vault"))
}

/// The keys of some subjects; opening with them needs no database.
pub struct Keys(HashMap<ResourceId, Option<Arc<SubjectKey>>>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys([redacted])")
    }
}

/// Reads the keys of some subjects, in one statement.
pub fn keys<K: Kind>(conn: &mut Conn, subjects: impl IntoIterator<Item = Id<K>>) -> Result<Keys> {
    let subjects: Vec<ResourceId> = subjects.into_iter().map(Id::erase).collect();
    if subjects.is_empty() {
        return Ok(Keys(HashMap::new()));
    }
    current()?.for_reading(conn, subjects)
}

impl Keys {
    /// Opens what was sealed of a record. Without a key (destroyed) a document is read without its sealed part, where
    /// it can be; else the answer is [`Error::Erased`].
    pub fn open<T: Guarded, K: Kind, R: Kind>(&self, subject: Id<K>, record: Id<R>, stored: &Json) -> Result<T> {
        let subject = subject.erase();
        match self.0.get(&subject) {
            Some(Some(key)) => guarded::open(key, subject, record.erase(), stored),
            Some(None) => guarded::without(stored),
            None => Err(Error::internal(format!("no key for {}", T::PLACE))),
        }
    }
}

/// Whether a subject's key is destroyed. One that never had anything sealed has none to destroy.
pub fn is_destroyed<K: Kind>(conn: &mut Conn, subject: Id<K>) -> Result<bool> {
    Ok(matches!(keys(conn, [subject])?.0.get(&subject.erase()), Some(None)))
}

/// Whether nothing is left of a destroyed key. One that is on the list of the erased and still in the database is of an
/// erasure that was broken off between the two, or of a backup that was put back: it is opened for nobody, and waits.
pub fn is_gone<K: Kind>(conn: &mut Conn, subject: Id<K>) -> Result<bool> {
    Ok(store::find(conn, subject.erase())?.is_some_and(|row| row.wrapped.is_none()))
}

/// Seals the guarded part of a record under its subject's key, made if there is none yet.
pub fn seal<T: Guarded, K: Kind, R: Kind>(tx: &mut Conn, subject: Id<K>, record: Id<R>, value: &T) -> Result<Json> {
    let subject = subject.erase();
    let key = current()?.for_writing(tx, subject)?;
    guarded::seal(&key, subject, record.erase(), value)
}

/// A key that was made and is not stored yet.
#[derive(Clone)]
pub struct NewKey {
    subject: ResourceId,
    wrapped: String,
    kek: String,
    key: Arc<SubjectKey>,
}

impl std::fmt::Debug for NewKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewKey([redacted])")
    }
}

/// Makes keys for subjects that nobody knows yet, and seals under them, without a database.
#[derive(Debug)]
pub struct Mint<'v> {
    vault: &'v Vault,
    made: Vec<NewKey>,
}

impl<'v> Mint<'v> {
    /// Of a vault.
    pub fn new(vault: &'v Vault) -> Self {
        Self { vault, made: Vec::new() }
    }

    /// Seals the guarded part of a record of a new subject.
    pub fn seal<T: Guarded, K: Kind, R: Kind>(&mut self, subject: Id<K>, record: Id<R>, value: &T) -> Result<Json> {
        let subject = subject.erase();
        let known = self.made.iter().rev().find(|new| new.subject == subject).map(|new| Arc::clone(&new.key));
        let key = match known {
            Some(key) => key,
            None => {
                let material = SubjectKey::material()?;
                let (wrapped, kek) = self.vault.ring.wrap(subject, &material)?;
                let key = Arc::new(SubjectKey::new(&*material)?);
                self.made.push(NewKey { subject, wrapped, kek, key: Arc::clone(&key) });
                key
            }
        };
        guarded::seal(&key, subject, record.erase(), value)
    }

    /// The keys that were made.
    pub fn keys(self) -> Vec<NewKey> {
        self.made
    }
}

/// Stores the keys of new subjects.
pub fn put(tx: &mut Conn, keys: &[&NewKey]) -> Result<()> {
    // The clock, not the record's instant: it says how old the row is, and records may be loaded late.
    let now = Timestamp::now();
    let rows: Vec<(ResourceId, &str, &str)> =
        keys.iter().map(|new| (new.subject, new.wrapped.as_str(), new.kek.as_str())).collect();
    store::insert_new(tx, &rows, now)?;
    OWN.with_borrow_mut(|own| own.extend(keys.iter().map(|new| (new.subject, Arc::clone(&new.key)))));
    Ok(())
}

/// A document whose subject's key is destroyed: what of it may lie in clear, and nothing else.
pub fn without_secrets<T: Guarded>(value: &T) -> Result<Json> {
    guarded::bare(value)
}

/// Seals a piece of a file under its subject's key, bound to its place.
pub fn seal_bytes<K: Kind>(tx: &mut Conn, subject: Id<K>, place: &str, bytes: Vec<u8>) -> Result<Vec<u8>> {
    let subject = subject.erase();
    let key = current()?.for_writing(tx, subject)?;
    key.seal(&piece(subject, place), Zeroizing::new(bytes))
}

/// Opens what [`seal_bytes`] sealed for the same place.
pub fn open_bytes<K: Kind>(conn: &mut Conn, subject: Id<K>, place: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let subject = subject.erase();
    let Keys(mut keys) = keys(conn, [subject])?;
    match keys.remove(&subject) {
        Some(Some(key)) => key.open(&piece(subject, place), sealed),
        Some(None) => Err(Error::Erased),
        None => Err(Error::internal("no key for a file")),
    }
}

fn piece(subject: ResourceId, place: &str) -> String {
    format!("sistra/1|{place}|{}", subject.uuid())
}

/// Opens what was sealed of one record.
pub fn open<T: Guarded, K: Kind, R: Kind>(conn: &mut Conn, subject: Id<K>, record: Id<R>, stored: &Json) -> Result<T> {
    keys(conn, [subject])?.open(subject, record, stored)
}

#[cfg(test)]
mod tests;
