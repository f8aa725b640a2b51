//! The ledger: one append-only table that is history, feed, access record and evidence.

pub mod entry;

pub use entry::{Action, Actor, Entry};
