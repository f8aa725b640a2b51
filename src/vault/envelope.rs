//! The sealed form: AES-256-GCM with a random nonce and the identity of what is sealed. Pure but for the randomness.
//!
//! `version (1) · nonce (12) · ciphertext · tag (16)`. Nonces are random: one key seals a few thousand values at most,
//! far from the 2^32 after which that would be unsafe (NIST SP 800-38D).

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::kernel::{Error, Result};

/// Version of the form.
const VERSION: u8 = 1;

/// A key that seals and opens. Prints nothing; its schedule is wiped when it is dropped.
pub struct SubjectKey(RandomizedNonceKey);

impl std::fmt::Debug for SubjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SubjectKey([redacted])")
    }
}

impl SubjectKey {
    /// From 32 bytes.
    pub fn new(material: &[u8]) -> Result<Self> {
        RandomizedNonceKey::new(&AES_256_GCM, material).map(Self).map_err(|_| Error::internal("a key is not 32 bytes"))
    }

    /// New key material.
    pub fn material() -> Result<Zeroizing<[u8; 32]>> {
        let mut bytes = Zeroizing::new([0_u8; 32]);
        aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| Error::internal("no randomness for a key"))?;
        Ok(bytes)
    }

    /// Seals `content` for the place named by `identity`.
    pub fn seal(&self, identity: &str, mut content: Zeroizing<Vec<u8>>) -> Result<Vec<u8>> {
        let failed = |_| Error::internal("sealing failed");
        let tag_and_nonce = AES_256_GCM.tag_len() + NONCE_LEN;
        // Room first: growing would leave a copy of the clear text behind.
        let mut buffer = Zeroizing::new(Vec::with_capacity(content.len() + tag_and_nonce));
        buffer.append(&mut content);
        let nonce = self.0.seal_in_place_append_tag(Aad::from(identity), &mut *buffer).map_err(failed)?;
        let mut sealed = Vec::with_capacity(1 + tag_and_nonce + buffer.len());
        sealed.push(VERSION);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&buffer);
        Ok(sealed)
    }

    /// Opens what [`SubjectKey::seal`] made for the same place.
    pub fn open(&self, identity: &str, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
        let damaged = || Error::internal("a sealed value does not open");
        let (version, rest) = sealed.split_first().ok_or_else(damaged)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN).ok_or_else(damaged)?;
        if *version != VERSION {
            return Err(Error::internal("a sealed value of an unknown version"));
        }
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| damaged())?;
        let mut buffer = Zeroizing::new(body.to_vec());
        let length = self.0.open_in_place(nonce, Aad::from(identity), &mut buffer).map_err(|_| damaged())?.len();
        buffer.truncate(length);
        Ok(buffer)
    }
}
