//! The keyring: the keys that wrap the subjects' keys, and the root of the registry's other secrets.
//!
//! It comes from a file that only its owner can read, from the environment, or from a command (the hook for a key
//! service); it is never in the database. The first key wraps, the others only unwrap.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use arc_swap::ArcSwap;
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::envelope::SubjectKey;
use crate::kernel::ids::ResourceId;
use crate::kernel::{Error, Result, Timestamp};

/// Where a keyring comes from.
#[derive(Clone, PartialEq, Eq)]
pub enum Source {
    /// A file with mode 0600.
    File(PathBuf),
    /// The text itself, from the environment.
    Text(Zeroizing<String>),
    /// A command whose output it is.
    Command(String),
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown())
    }
}

impl Source {
    /// Its name in words for people; never its content, nor a command's arguments.
    pub fn shown(&self) -> String {
        match self {
            Self::File(path) => format!("the keyring {}", path.display()),
            Self::Text(_) => "the keyring of SISTRA_KEYRING".to_owned(),
            Self::Command(_) => "the keyring of the keyring command".to_owned(),
        }
    }

    /// The text; none if there is no file.
    fn read(&self) -> Result<Option<Zeroizing<String>>, String> {
        match self {
            Self::File(path) => read_file(path),
            Self::Text(text) => Ok(Some(text.clone())),
            Self::Command(command) => {
                let shown = self.shown();
                let done = std::process::Command::new("sh")
                    .args(["-c", command])
                    .stdin(std::process::Stdio::null())
                    .stderr(std::process::Stdio::inherit())
                    .output()
                    .map_err(|e| format!("{shown} cannot be run: {e}"))?;
                let output = Zeroizing::new(done.stdout);
                if !done.status.success() {
                    return Err(format!("{shown} failed: {}", done.status));
                }
                let text = std::str::from_utf8(&output).map_err(|_| format!("{shown} is damaged: it is no text"))?;
                Ok(Some(Zeroizing::new(text.to_owned())))
            }
        }
    }

    fn stamp(&self) -> Option<SystemTime> {
        match self {
            Self::File(path) => std::fs::metadata(path).and_then(|m| m.modified()).ok(),
            Self::Text(_) | Self::Command(_) => None,
        }
    }
}

fn read_file(path: &std::path::Path) -> Result<Option<Zeroizing<String>>, String> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let meta = match std::fs::metadata(path) {
        Ok(meta) => meta,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(format!("cannot read the keyring {shown}: {e}")),
    };
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(format!("the keyring {shown} can be read by others: run chmod 600 {shown}"));
    }
    std::fs::read_to_string(path)
        .map(|text| Some(Zeroizing::new(text)))
        .map_err(|e| format!("cannot read the keyring {shown}: {e}"))
}

/// What the vault is opened with.
#[derive(Clone, Debug)]
pub struct KeyringSettings {
    /// Where the keyring comes from.
    pub source: Source,
    /// The list of those erased.
    pub erased: PathBuf,
    /// Whether a keyring file is made where there is none and nothing was sealed yet.
    pub make: bool,
}

/// The text of a keyring.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct Text {
    root: String,
    keys: Vec<TextKey>,
}

#[derive(Clone, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(deny_unknown_fields)]
struct TextKey {
    id: String,
    #[zeroize(skip)]
    created_at: Timestamp,
    secret: String,
}

/// A keyring, read.
pub struct Keyring {
    root: Zeroizing<[u8; 32]>,
    keys: Vec<(String, Timestamp, SubjectKey)>,
}

/// What `sistra keys status` shows of a wrapping key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct KekStatus {
    /// Its id.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether it wraps new keys; the others only unwrap.
    pub current: bool,
}

fn secret_of(text: &str) -> Option<Zeroizing<[u8; 32]>> {
    let bytes = Zeroizing::new(STANDARD.decode(text).ok()?);
    let mut key = Zeroizing::new([0_u8; 32]);
    if bytes.len() != key.len() {
        return None;
    }
    key.copy_from_slice(&bytes);
    Some(key)
}

impl Keyring {
    fn parse(text: &str, shown: &str) -> Result<Self, String> {
        let parsed: Text = serde_json::from_str(text).map_err(|_| format!("{shown} is damaged: it is not a keyring"))?;
        let root = secret_of(&parsed.root).ok_or_else(|| format!("{shown} is damaged: its root is not 32 bytes"))?;
        let mut keys: Vec<(String, Timestamp, SubjectKey)> = Vec::new();
        for key in &parsed.keys {
            let id = &key.id;
            if id.is_empty() || id.len() > 60 || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
                return Err(format!("{shown} is damaged: a key has no proper id"));
            }
            if keys.iter().any(|(other, ..)| other == id) {
                return Err(format!("{shown} is damaged: two keys are \"{id}\""));
            }
            let secret = secret_of(&key.secret).ok_or_else(|| format!("{shown} is damaged: \"{id}\" is not 32 bytes"))?;
            let ready = SubjectKey::new(&*secret).map_err(|_| format!("{shown} is damaged: \"{id}\" is no key"))?;
            keys.push((id.clone(), key.created_at, ready));
        }
        if keys.is_empty() {
            return Err(format!("{shown} holds no key"));
        }
        Ok(Self { root, keys })
    }

    fn key(&self, id: &str) -> Option<&SubjectKey> {
        self.keys.iter().find(|(known, ..)| known == id).map(|(.., key)| key)
    }
}

fn fresh(now: Timestamp) -> Result<TextKey, String> {
    let no_chance = |_| "no randomness for the keyring".to_owned();
    let secret = SubjectKey::material().map_err(no_chance)?;
    let name = SubjectKey::material().map_err(no_chance)?;
    let name = URL_SAFE_NO_PAD.encode(name.get(..6).unwrap_or_default());
    Ok(TextKey { id: format!("{}-{name}", now.date()), created_at: now, secret: STANDARD.encode(*secret) })
}

/// The text of a new keyring.
pub fn generate(now: Timestamp) -> Result<Zeroizing<String>, String> {
    let root = SubjectKey::material().map_err(|_| "no randomness for the keyring".to_owned())?;
    shown_text(&Text { root: STANDARD.encode(*root), keys: vec![fresh(now)?] })
}

fn shown_text(text: &Text) -> Result<Zeroizing<String>, String> {
    serde_json::to_string_pretty(text).map(Zeroizing::new).map_err(|_| "keyring not serialisable".to_owned())
}

fn write(path: &std::path::Path, text: &str) -> Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let temporary = path.with_extension("json.new");
    let _ = std::fs::remove_file(&temporary);
    let put = || -> std::io::Result<()> {
        let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        std::fs::rename(&temporary, path)?;
        // The name too: a keyring that is gone after a power cut takes everything with it.
        match path.parent() {
            Some(dir) if !dir.as_os_str().is_empty() => std::fs::File::open(dir)?.sync_all(),
            _ => Ok(()),
        }
    };
    put().map_err(|e| format!("cannot write the keyring {}: {e}", path.display()))
}

struct Loaded {
    ring: Keyring,
    stamp: Option<SystemTime>,
}

/// A keyring that is read again when its file has changed.
pub struct Live {
    source: Source,
    made: bool,
    loaded: ArcSwap<Loaded>,
}

fn load(source: &Source) -> Result<Option<Loaded>, String> {
    let stamp = source.stamp();
    let Some(text) = source.read()? else { return Ok(None) };
    Ok(Some(Loaded { ring: Keyring::parse(&text, &source.shown())?, stamp }))
}

impl Live {
    /// Loads the keyring. `used` names a key that the database was sealed with, if it was.
    pub(super) fn open(settings: &KeyringSettings, used: Option<&str>, now: Timestamp) -> Result<Self, String> {
        let source = settings.source.clone();
        let mut made = false;
        let loaded = match (load(&source)?, used, &source) {
            (Some(loaded), ..) => loaded,
            (None, Some(key), _) => {
                return Err(format!(
                    "{} is not there, and the keys of this database are wrapped by its key \"{key}\": restore it from \
                     its copy",
                    source.shown()
                ));
            }
            (None, None, Source::File(path)) if settings.make => {
                write(path, &generate(now)?)?;
                made = true;
                load(&source)?.ok_or_else(|| format!("{} is not there", source.shown()))?
            }
            (None, None, _) => {
                return Err(format!(
                    "{} is not there: name it with --keyring-file, or let --make-keyring make it",
                    source.shown()
                ));
            }
        };
        Ok(Self { source, made, loaded: ArcSwap::from_pointee(loaded) })
    }

    /// The keyring that is there, for a tool that needs no database.
    pub fn find(source: &Source) -> Result<Option<Self>, String> {
        let ready = |loaded| Self { source: source.clone(), made: false, loaded: ArcSwap::from_pointee(loaded) };
        Ok(load(source)?.map(ready))
    }

    /// What an operator must hear of a keyring that was made just now.
    pub fn news(&self) -> Option<String> {
        let shown = self.source.shown();
        self.made.then(|| {
            format!("made {shown}: keep a copy apart from the database's backups; without it what is sealed is lost")
        })
    }

    fn refresh(&self) {
        if matches!(self.source, Source::File(_)) && self.source.stamp() != self.loaded.load().stamp {
            self.reload();
        }
    }

    fn reload(&self) {
        match load(&self.source) {
            Ok(Some(loaded)) => self.loaded.store(Arc::new(loaded)),
            Ok(None) => log::error!(target: "sistra::vault", "{} is gone", self.source.shown()),
            Err(line) => log::error!(target: "sistra::vault", "{line}"),
        }
    }

    fn place(subject: ResourceId) -> String {
        format!("sistra/1|subject_key.wrapped|{}", subject.uuid())
    }

    /// Wraps a subject's key with the current key; answers it with the key's id.
    pub(super) fn wrap(&self, subject: ResourceId, material: &Zeroizing<[u8; 32]>) -> Result<(String, String)> {
        self.refresh();
        let loaded = self.loaded.load();
        let (id, _, key) = loaded.ring.keys.first().ok_or_else(|| Error::internal("a keyring without a key"))?;
        let wrapped = key.seal(&Self::place(subject), Zeroizing::new(material.to_vec()))?;
        Ok((STANDARD_NO_PAD.encode(wrapped), id.clone()))
    }

    /// Unwraps a subject's key. A key that is not known yet may have been added since: the keyring is read again.
    pub(super) fn unwrap(&self, subject: ResourceId, wrapped: &str, kek: &str) -> Result<Zeroizing<Vec<u8>>> {
        if self.loaded.load().ring.key(kek).is_none() {
            self.reload();
        }
        let loaded = self.loaded.load();
        let key = loaded.ring.key(kek).ok_or_else(|| Error::internal(format!("the keyring has no key \"{kek}\"")))?;
        let bytes = STANDARD_NO_PAD.decode(wrapped).map_err(|_| Error::internal("a wrapped key is damaged"))?;
        key.open(&Self::place(subject), &bytes)
    }

    /// A secret for another use: HKDF-SHA-256 of the root, which no rotation changes.
    pub fn derive(&self, label: &str) -> Result<Zeroizing<[u8; 32]>> {
        let failed = |_| Error::internal("a secret cannot be derived");
        let loaded = self.loaded.load();
        let root = Salt::new(HKDF_SHA256, b"sistra/1").extract(&*loaded.ring.root);
        let mut secret = Zeroizing::new([0_u8; 32]);
        let info = [label.as_bytes()];
        root.expand(&info, HKDF_SHA256).map_err(failed)?.fill(secret.as_mut()).map_err(failed)?;
        Ok(secret)
    }

    /// The key that wraps.
    pub fn current(&self) -> String {
        self.refresh();
        self.loaded.load().ring.keys.first().map(|(id, ..)| id.clone()).unwrap_or_default()
    }

    /// The keys, the current one first.
    pub fn status(&self) -> Vec<KekStatus> {
        let current = self.current();
        let loaded = self.loaded.load();
        let one = |(id, created_at, _): &(String, Timestamp, SubjectKey)| KekStatus {
            id: id.clone(),
            created_at: *created_at,
            current: *id == current,
        };
        loaded.ring.keys.iter().map(one).collect()
    }

    fn edit(&self, change: impl FnOnce(&mut Text) -> Result<(), String>) -> Result<(), String> {
        let Source::File(path) = &self.source else {
            return Err(format!("{} is not a file: change it where it is kept", self.source.shown()));
        };
        let shown = self.source.shown();
        let text = self.source.read()?.ok_or_else(|| format!("{shown} is not there"))?;
        let mut parsed: Text = serde_json::from_str(&text).map_err(|_| format!("{shown} is damaged"))?;
        change(&mut parsed)?;
        write(path, &shown_text(&parsed)?)?;
        self.reload();
        Ok(())
    }

    /// Puts a new key first: it wraps from now on.
    pub fn add(&self, now: Timestamp) -> Result<(), String> {
        let key = fresh(now)?;
        self.edit(|text| {
            text.keys.insert(0, key);
            Ok(())
        })
    }

    /// Takes away every key but the current one and those that `used` names.
    pub fn retire(&self, used: &[String]) -> Result<Vec<String>, String> {
        let mut gone = Vec::new();
        let current = self.current();
        self.edit(|text| {
            text.keys.retain(|key| {
                let kept = key.id == current || used.contains(&key.id);
                if !kept {
                    gone.push(key.id.clone());
                }
                kept
            });
            Ok(())
        })?;
        Ok(gone)
    }
}
