//! The ledger: one append-only table that is history, feed, access record and evidence.

pub mod access;
pub mod append;
pub mod entry;
pub mod sealer;
pub mod wire;

pub use access::AccessLog;
pub use append::append;
pub use entry::{Action, Actor, Entry};
