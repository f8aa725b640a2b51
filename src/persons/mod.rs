//! Who a person is: names, documents, contacts. The same rules for victims and accused; each has its own door.

pub mod identity;
pub mod publication;
pub mod wire;

pub use identity::{Identity, IdentityPatch};
pub use publication::Publication;
