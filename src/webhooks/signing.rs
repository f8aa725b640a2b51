//! Keys and signatures of Standard Webhooks: `v1` (HMAC-SHA256) and `v1a` (Ed25519).
//!
//! Signed is `id.timestamp.body`. A receiver gets the secret (`whsec_…`) of a symmetric webhook once, or the public key
//! (`whpk_…`) of an asymmetric one at any time; the private key never leaves the registry.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::kernel::{Error, Result};

/// How a webhook's messages are signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// HMAC-SHA256 with a shared secret.
    Hmac,
    /// Ed25519 with a key pair.
    Ed25519,
}

impl Algorithm {
    /// As stored and shown: the version of the signature.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hmac => "v1",
            Self::Ed25519 => "v1a",
        }
    }

    /// The algorithm of a version.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Hmac, Self::Ed25519].into_iter().find(|a| a.as_str() == text)
    }
}

/// 32 random bytes, base64: an HMAC secret or an Ed25519 seed.
pub fn new_key() -> Result<String> {
    let mut bytes = Zeroizing::new([0_u8; 32]);
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| Error::internal("no randomness for a webhook key"))?;
    Ok(STANDARD.encode(bytes.as_ref()))
}

fn bytes(key: &str) -> Result<Zeroizing<Vec<u8>>> {
    STANDARD.decode(key).map(Zeroizing::new).map_err(|_| Error::internal("a webhook key that is not base64"))
}

fn pair(key: &str) -> Result<Ed25519KeyPair> {
    Ed25519KeyPair::from_seed_unchecked(&bytes(key)?).map_err(|_| Error::internal("a webhook key that is no seed"))
}

/// What the receiver is given of a key: the secret, or the public key.
pub fn given(algorithm: Algorithm, key: &str) -> Result<String> {
    match algorithm {
        Algorithm::Hmac => Ok(format!("whsec_{key}")),
        Algorithm::Ed25519 => Ok(format!("whpk_{}", STANDARD.encode(pair(key)?.public_key().as_ref()))),
    }
}

/// The header `webhook-signature`: one signature for each key, the newest first.
pub fn signatures(algorithm: Algorithm, keys: &[&str], id: &str, at: i64, body: &str) -> Result<String> {
    let message = format!("{id}.{at}.{body}");
    let one = |key: &&str| -> Result<String> {
        let signature = match algorithm {
            Algorithm::Hmac => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, &bytes(key)?);
                STANDARD.encode(hmac::sign(&key, message.as_bytes()).as_ref())
            }
            Algorithm::Ed25519 => STANDARD.encode(pair(key)?.sign(message.as_bytes()).as_ref()),
        };
        Ok(format!("{},{signature}", algorithm.as_str()))
    };
    Ok(keys.iter().map(one).collect::<Result<Vec<_>>>()?.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_known_example_comes_out() {
        let signed = signatures(
            Algorithm::Hmac,
            &["MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            r#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn every_key_signs_and_the_newest_comes_first() {
        let (new, old) = (new_key().unwrap(), new_key().unwrap());
        for algorithm in [Algorithm::Hmac, Algorithm::Ed25519] {
            let both = signatures(algorithm, &[&new, &old], "a", 1, "{}").unwrap();
            let one = |key: &str| signatures(algorithm, &[key], "a", 1, "{}").unwrap();
            assert_eq!(both, format!("{} {}", one(&new), one(&old)));
        }
        assert!(given(Algorithm::Hmac, &new).unwrap().starts_with("whsec_"));
        assert!(!given(Algorithm::Ed25519, &new).unwrap().contains(&new), "the seed is not given away");
    }
}
