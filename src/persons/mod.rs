//! Who a person is: names, documents, contacts. The same rules for victims and accused; each has its own door.

pub mod bundle;
pub mod erasure;
pub mod identity;
pub mod index;
pub mod merge_wire;
pub mod merges;
pub mod merging;
pub mod names;
pub mod publication;
pub mod reindex;
pub mod search;
pub mod search_wire;
pub mod store;
pub mod wire;

pub use identity::{Identity, IdentityPatch};
pub use index::{IndexKey, Role};
pub use publication::Publication;
