//! Checkpoints: C2SP `tlog-checkpoint` in a C2SP `signed-note`, Ed25519. Pure.
//!
//! ```text
//! sistra/9f86d081
//! 20852163
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=
//!
//! — sistra/9f86d081 Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
//! ```

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use super::merkle::{Hash, sha256};

/// The signature type of Ed25519 in a note.
const ED25519_NOTE: u8 = 1;

/// What a checkpoint says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Entries of the tree.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, STANDARD.encode(self.root))
    }

    /// Reads a note without looking at its signatures.
    pub fn read(note: &str) -> Option<Self> {
        let (text, _) = note.split_once("\n\n")?;
        let mut lines = text.lines();
        let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
        let digits = !size.is_empty() && size.bytes().all(|b| b.is_ascii_digit()) && (size == "0" || !size.starts_with('0'));
        let root: Hash = STANDARD.decode(root).ok()?.try_into().ok()?;
        let read = Self { origin: origin.to_owned(), size: size.parse().ok().filter(|_| digits)?, root };
        // Extension lines are none of ours, and what is read must be what was signed.
        (lines.next().is_none() && is_name(origin)).then_some(read)
    }

    /// The note with a signature of `pair`.
    pub fn sign(&self, pair: &Ed25519KeyPair) -> String {
        let text = self.text();
        let key = VerifyingKey::of(&self.origin, pair);
        let mut bytes = key.id().to_vec();
        bytes.extend_from_slice(pair.sign(text.as_bytes()).as_ref());
        format!("{text}\n\u{2014} {} {}\n", self.origin, STANDARD.encode(bytes))
    }
}

/// A name of a key or a log: no spaces, no plus sign.
pub fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 200
        && !name.contains('+')
        && !name.chars().any(|c| c.is_whitespace() || c.is_control())
}

/// A key that verifies notes: name and public key; written `name+id+base64`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyingKey {
    name: String,
    public: [u8; 32],
}

impl VerifyingKey {
    /// The public half of a pair, under a name.
    pub fn of(name: &str, pair: &Ed25519KeyPair) -> Self {
        let mut public = [0; 32];
        // An Ed25519 public key has 32 bytes (RFC 8032).
        public.copy_from_slice(pair.public_key().as_ref());
        Self { name: name.to_owned(), public }
    }

    /// Its name: the origin of the log.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name ‖ newline ‖ 0x01 ‖ key).
    fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = sha256(&[self.name.as_bytes(), b"\n", &[ED25519_NOTE], &self.public].concat());
        [a, b, c, d]
    }

    /// The checkpoint of a note that this key signed for its own log.
    pub fn verify(&self, note: &str) -> Option<Checkpoint> {
        let checkpoint = Checkpoint::read(note).filter(|c| c.origin == self.name)?;
        let (_, signatures) = note.split_once("\n\n")?;
        let text = checkpoint.text();
        if !note.starts_with(&text) {
            return None;
        }
        let signed = signatures.lines().any(|line| {
            let mut words = line.split(' ');
            let (dash, name, value, more) = (words.next(), words.next(), words.next(), words.next());
            let Some(bytes) = value.and_then(|v| STANDARD.decode(v).ok()) else { return false };
            let Some((id, signature)) = bytes.split_at_checked(4) else { return false };
            dash == Some("\u{2014}")
                && name == Some(&self.name)
                && more.is_none()
                && *id == self.id()
                && UnparsedPublicKey::new(&ED25519, &self.public).verify(text.as_bytes(), signature).is_ok()
        });
        signed.then_some(checkpoint)
    }
}

impl VerifyingKey {
    /// What this key attested as a JSON Web Signature of a type (RFC 7515, compact, EdDSA); nothing where it did not.
    pub fn attested(&self, kind: &str, jws: &str) -> Option<Vec<u8>> {
        let (signed, signature) = jws.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        UnparsedPublicKey::new(&ED25519, &self.public).verify(signed.as_bytes(), &signature).ok()?;
        let header: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let said = |name: &str| header.get(name).and_then(serde_json::Value::as_str);
        (said("alg") == Some("EdDSA") && said("typ") == Some(kind)).then(|| URL_SAFE_NO_PAD.decode(payload).ok())?
    }
}

impl fmt::Display for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id: String = self.id().iter().map(|b| format!("{b:02x}")).collect();
        write!(f, "{}+{id}+{}", self.name, STANDARD.encode([&[ED25519_NOTE], self.public.as_slice()].concat()))
    }
}

impl FromStr for VerifyingKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || -> Option<Self> {
            let (name, rest) = text.trim().split_once('+')?;
            let (_, key) = rest.split_once('+')?;
            let bytes = STANDARD.decode(key).ok()?;
            let (kind, public) = bytes.split_first()?;
            let key = Self { name: name.to_owned(), public: public.try_into().ok()? };
            (*kind == ED25519_NOTE && is_name(name) && key.to_string() == text.trim()).then_some(key)
        };
        read().ok_or_else(|| "this is no verifying key: name+id+base64 with an Ed25519 key".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "sistra/test".into(), size: 20_852_163, root: sha256(b"root") }
    }

    /// Keys that others use: their ids are part of their text, and reading one computes its id again.
    #[test]
    fn known_keys_of_other_logs_are_read() {
        for (text, name) in [
            ("sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8", "sum.golang.org"),
            ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", "PeterNeumann"),
        ] {
            let key: VerifyingKey = text.parse().unwrap();
            assert_eq!((key.name(), key.to_string().as_str()), (name, text));
        }
    }

    #[test]
    fn a_note_verifies_under_its_key_and_nothing_else_does() {
        let (note, key) = (checkpoint().sign(&pair(1)), VerifyingKey::of("sistra/test", &pair(1)));
        assert_eq!(key.verify(&note), Some(checkpoint()));
        assert_eq!(key.to_string().parse(), Ok(key.clone()));
        assert!(note.starts_with("sistra/test\n20852163\n") && note.contains("\n\n\u{2014} sistra/test "));
        assert_eq!(VerifyingKey::of("sistra/test", &pair(2)).verify(&note), None);
        assert_eq!(VerifyingKey::of("sistra/other", &pair(1)).verify(&note), None);
        for (from, to) in
            [("20852163", "20852164"), ("20852163", "020852163"), ("sistra/test\n", "sistra/tost\n"), ("\u{2014}", "-")]
        {
            assert_eq!(key.verify(&note.replacen(from, to, 1)), None, "{to}");
        }
        assert_eq!(key.verify(&note.replacen("\n\n", "\nmore\n\n", 1)), None, "a line that is not signed");
        let other = checkpoint().sign(&pair(2));
        let both = format!("{note}{}\n", other.lines().last().unwrap());
        assert_eq!(key.verify(&both), Some(checkpoint()), "signatures of others are passed over");
        for bad in ["", "x", "x+00000000+", "sum.golang.org+033de0af+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"] {
            assert!(bad.parse::<VerifyingKey>().is_err(), "{bad}");
        }
    }
}
