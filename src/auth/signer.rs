//! The registry's signature under what it gives out as evidence: JWS in compact form (RFC 7515), ES256.
//!
//! Each kind of document has a `typ` of its own, so that none can be taken for another, least of all for a token.

use std::sync::Arc;

use jsonwebtoken::{Algorithm, Header, encode};
use serde::Serialize;

use super::tokens::Authenticator;
use crate::kernel::{Error, Result};

/// Signs with the key that signs now. Cheap to clone.
#[derive(Clone)]
pub struct Signer(Arc<Authenticator>);

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signer([redacted])")
    }
}

impl Signer {
    /// With the keys of an authenticator, in its name.
    pub fn new(authenticator: Arc<Authenticator>) -> Self {
        Self(authenticator)
    }

    /// In whose name it signs.
    pub fn issuer(&self) -> &str {
        &self.0.issuer
    }

    /// The document, signed.
    pub fn sign(&self, typ: &'static str, claims: &impl Serialize) -> Result<String> {
        self.0
            .keys
            .with_signer(|kid, key| {
                let mut header = Header::new(Algorithm::ES256);
                header.typ = Some(typ.to_owned());
                header.kid = Some(kid.to_owned());
                encode(&header, claims, key)
            })
            .and_then(|signed| signed.ok())
            .ok_or_else(|| Error::internal("a document was not signed"))
    }
}
