//! The registry's signing keys: ES256, kept in one file that only its owner can read, rotated with overlap.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::{DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};

use crate::kernel::Timestamp;

/// Seconds for which an old key still verifies after a rotation: the longest token's life and an hour.
const OVERLAP_S: i64 = 900 + 3_600;
/// Name of the file in the data directory.
const FILE: &str = "signing-keys.json";

#[derive(Serialize, Deserialize, Clone)]
struct Stored {
    kid: String,
    pkcs8: String,
    created_at: Timestamp,
    retire_at: Option<Timestamp>,
}

/// What is left of a key that neither signs nor verifies tokens any more: enough to check what it signed as evidence.
#[derive(Serialize, Deserialize, Clone)]
struct Past {
    kid: String,
    x: String,
    y: String,
    created_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct File {
    cursor_secret: String,
    keys: Vec<Stored>,
    #[serde(default)]
    past: Vec<Past>,
}

/// One key, ready to use.
struct Ready {
    kid: String,
    sign: EncodingKey,
    verify: DecodingKey,
    x: String,
    y: String,
    created_at: Timestamp,
    retire_at: Option<Timestamp>,
}

struct Loaded {
    keys: Vec<Ready>,
    past: Vec<Past>,
    stamp: Option<SystemTime>,
    cursor_secret: [u8; 32],
}

/// The keys of this registry.
pub struct SigningKeys {
    path: PathBuf,
    loaded: ArcSwap<Loaded>,
}

/// What `sistra keys status` shows.
#[derive(Debug, Serialize)]
pub struct KeyStatus {
    /// RFC 7638 thumbprint.
    pub kid: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stops to verify; null for the key that signs.
    pub retire_at: Option<Timestamp>,
}

impl SigningKeys {
    /// Loads the keys of a data directory, or makes the first one.
    pub fn load_or_create(data_dir: &Path, now: Timestamp) -> Result<Self, String> {
        let path = data_dir.join(FILE);
        if !path.exists() {
            let mut secret = [0_u8; 32];
            aws_lc_rs::rand::fill(&mut secret).map_err(|_| "no randomness for the keys".to_owned())?;
            let file = File { cursor_secret: STANDARD.encode(secret), keys: vec![generate(now)?], past: Vec::new() };
            write(&path, &file)?;
        }
        let loaded = load(&path)?;
        Ok(Self { path, loaded: ArcSwap::from_pointee(loaded) })
    }

    /// Makes a new key that signs from now on; the old ones verify for a while.
    pub fn rotate(&self, now: Timestamp) -> Result<(), String> {
        let mut file = read(&self.path)?;
        let (kept, over): (Vec<Stored>, Vec<Stored>) =
            file.keys.into_iter().partition(|k| k.retire_at.is_none_or(|r| r > now));
        file.keys = kept;
        for key in over {
            let pkcs8 = STANDARD.decode(&key.pkcs8).map_err(|_| "the signing key is not readable".to_owned())?;
            let (kid, x, y, _) = public(&pkcs8)?;
            file.past.insert(0, Past { kid, x, y, created_at: key.created_at });
        }
        for key in &mut file.keys {
            key.retire_at.get_or_insert(now.plus_seconds(OVERLAP_S));
        }
        file.keys.insert(0, generate(now)?);
        write(&self.path, &file)?;
        self.reload()
    }

    /// Reads the file again if it has changed.
    pub fn refresh(&self) -> Result<(), String> {
        let stamp = std::fs::metadata(&self.path).and_then(|m| m.modified()).ok();
        if stamp == self.loaded.load().stamp { Ok(()) } else { self.reload() }
    }

    fn reload(&self) -> Result<(), String> {
        self.loaded.store(load(&self.path)?.into());
        Ok(())
    }

    /// Runs `f` with the key that signs.
    pub fn with_signer<T>(&self, f: impl FnOnce(&str, &EncodingKey) -> T) -> Option<T> {
        let loaded = self.loaded.load();
        loaded.keys.iter().find(|k| k.retire_at.is_none()).map(|k| f(&k.kid, &k.sign))
    }

    /// Runs `f` with the key that a token names, if it still verifies.
    pub fn with_verifier<T>(&self, kid: &str, now: Timestamp, f: impl FnOnce(&DecodingKey) -> T) -> Option<T> {
        let loaded = self.loaded.load();
        let key = loaded.keys.iter().find(|k| k.kid == kid && k.retire_at.is_none_or(|r| r > now))?;
        Some(f(&key.verify))
    }

    /// The published key set (RFC 7517).
    pub fn jwks(&self, now: Timestamp) -> serde_json::Value {
        let loaded = self.loaded.load();
        let keys: Vec<serde_json::Value> = loaded
            .keys
            .iter()
            .filter(|k| k.retire_at.is_none_or(|r| r > now))
            .map(|k| serde_json::json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": k.kid, "x": k.x, "y": k.y}))
            .collect();
        serde_json::json!({ "keys": keys })
    }

    /// Every key that ever signed, retired ones included: for receipts, which are checked long after they were signed. No
    /// token is ever checked with these.
    pub fn receipt_jwks(&self) -> serde_json::Value {
        let loaded = self.loaded.load();
        let ready = loaded.keys.iter().map(|k| (&k.kid, &k.x, &k.y));
        let keys: Vec<serde_json::Value> = ready
            .chain(loaded.past.iter().map(|k| (&k.kid, &k.x, &k.y)))
            .map(|(kid, x, y)| serde_json::json!({"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": kid, "x": x, "y": y}))
            .collect();
        serde_json::json!({ "keys": keys })
    }

    /// The secret that seals cursors.
    pub fn cursor_secret(&self) -> [u8; 32] {
        self.loaded.load().cursor_secret
    }

    /// The keys, the one that signs first.
    pub fn status(&self) -> Vec<KeyStatus> {
        let loaded = self.loaded.load();
        loaded
            .keys
            .iter()
            .map(|k| KeyStatus { kid: k.kid.clone(), created_at: k.created_at, retire_at: k.retire_at })
            .collect()
    }
}

fn generate(now: Timestamp) -> Result<Stored, String> {
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new())
        .map_err(|_| "cannot make a signing key".to_owned())?;
    let (kid, ..) = public(pkcs8.as_ref())?;
    Ok(Stored { kid, pkcs8: STANDARD.encode(pkcs8.as_ref()), created_at: now, retire_at: None })
}

/// Thumbprint and coordinates of a key.
fn public(pkcs8: &[u8]) -> Result<(String, String, String, Vec<u8>), String> {
    let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
        .map_err(|_| "the signing key is not readable".to_owned())?;
    // SEC 1 uncompressed point: 0x04, x, y.
    let point = pair.public_key().as_ref().to_vec();
    let (x, y) = point.get(1..33).zip(point.get(33..65)).ok_or("the signing key has no point")?;
    let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
    // RFC 7638: the required members in order, without spaces.
    let canonical = format!("{{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"{x}\",\"y\":\"{y}\"}}");
    let kid = URL_SAFE_NO_PAD.encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, canonical.as_bytes()));
    Ok((kid, x, y, point))
}

/// The text of a file that only its owner may read.
pub fn read_private(path: &Path) -> Result<String, String> {
    use std::os::unix::fs::PermissionsExt;
    let shown = path.display();
    let meta = std::fs::metadata(path).map_err(|e| format!("cannot read the key file {shown}: {e}"))?;
    if meta.permissions().mode() & 0o077 != 0 {
        return Err(format!("the key file {shown} can be read by others: run chmod 600 {shown}"));
    }
    std::fs::read_to_string(path).map_err(|e| format!("cannot read the key file {shown}: {e}"))
}

/// Writes such a file: the whole of it, or nothing; on disk when this returns.
pub fn write_private(path: &Path, text: &str) -> Result<(), String> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let temporary = path.with_extension("json.new");
    let _ = std::fs::remove_file(&temporary);
    let put = || -> std::io::Result<()> {
        let mut out = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        out.write_all(text.as_bytes())?;
        out.sync_all()?;
        std::fs::rename(&temporary, path)?;
        match path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            Some(dir) => std::fs::File::open(dir)?.sync_all(),
            None => Ok(()),
        }
    };
    put().map_err(|e| format!("cannot write the key file {}: {e}", path.display()))
}

fn read(path: &Path) -> Result<File, String> {
    serde_json::from_str(&read_private(path)?).map_err(|_| format!("the key file {} is damaged", path.display()))
}

fn write(path: &Path, file: &File) -> Result<(), String> {
    let text = serde_json::to_string_pretty(file).map_err(|_| "keys not serialisable".to_owned())?;
    write_private(path, &text)
}

fn load(path: &Path) -> Result<Loaded, String> {
    let File { cursor_secret, keys, past } = read(path)?;
    let stamp = std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let damaged = || format!("the key file {} is damaged", path.display());
    let cursor_secret: [u8; 32] = STANDARD.decode(cursor_secret).ok().and_then(|s| s.try_into().ok()).ok_or_else(damaged)?;
    let keys = keys
        .into_iter()
        .map(|stored| {
            let pkcs8 = STANDARD.decode(&stored.pkcs8).map_err(|_| damaged())?;
            let (kid, x, y, point) = public(&pkcs8).map_err(|_| damaged())?;
            if kid != stored.kid {
                return Err(damaged());
            }
            Ok(Ready {
                kid,
                sign: EncodingKey::from_ec_der(&pkcs8),
                verify: DecodingKey::from_ec_der(&point),
                x,
                y,
                created_at: stored.created_at,
                retire_at: stored.retire_at,
            })
        })
        .collect::<Result<Vec<Ready>, String>>()?;
    if !keys.iter().any(|k| k.retire_at.is_none()) {
        return Err(damaged());
    }
    Ok(Loaded { keys, past, stamp, cursor_secret })
}
