//! The change feed: what happened to the records that an agency sees, in the sealed order of the ledger.
//!
//! The sealer lays every change on the lanes of those who see the record at that moment (`projection`): agencies, and
//! one lane for oversight. The lanes hold ids, types and versions only, and can be made again from the ledger. A reader
//! follows one lane and is shown what it may see *now*: what was taken from it since is not shown any more, and
//! `access.revoked` says so.
//!
//! Owns: which entry is an event, for whom, and under what name. Must not know: what stands in any record.

pub mod actions;
pub mod bell;
pub mod http;
pub mod model;
pub mod projection;
pub mod store;
pub mod ties;
pub mod wire;

pub use bell::Bell;
pub use projection::project;
pub use store::lay;
