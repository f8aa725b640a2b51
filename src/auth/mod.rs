//! Who may: clients, keys, tokens, and the table of permissions.

pub mod caller;
pub mod clients;
pub mod door;
pub mod dpop;
pub mod issuers;
pub mod keys;
pub mod lifecycle;
pub mod oauth;
pub mod policy;
pub mod revocation;
pub mod signer;
pub mod tokens;

pub use caller::{Caller, Purpose, Scope};
pub use signer::Signer;
pub use tokens::Authenticator;
