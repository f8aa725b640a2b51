//! Who may: clients, keys, tokens, and the table of permissions.

pub mod caller;
pub mod clients;
pub mod issuers;
pub mod keys;
pub mod oauth;
pub mod policy;
pub mod signer;
pub mod tokens;

pub use caller::{Caller, Purpose, Scope};
pub use signer::Signer;
pub use tokens::Authenticator;
