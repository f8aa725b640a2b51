//! Who a person is: names, documents, contacts. The same rules for victims and accused; each has its own door.

pub mod erasure;
pub mod identity;
pub mod wire;

pub use identity::{Identity, IdentityPatch};
