//! The ledger: one append-only table that is history, feed, access record and evidence.

pub mod access;
pub mod append;
pub mod checkpoint;
pub mod entry;
pub mod leaf;
pub mod merkle;
pub mod notary;
pub mod sealer;
pub mod tree;
pub mod verify;
pub mod wire;

pub use access::AccessLog;
pub use append::append;
pub use entry::{Action, Actor, Entry};
pub use notary::Notary;
