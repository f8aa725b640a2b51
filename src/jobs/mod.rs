//! Jobs: work that goes on behind a request, survives a crash, and leaves files behind for a day.
//!
//! Owns: the queue and its leases, states and progress, the sealed files and their downloads. Must not know what the
//! work is: imports and exports bring it as [`worker::Work`].

pub mod actions;
pub mod http;
pub mod model;
pub mod spool;
pub mod store;
pub mod wire;
pub mod worker;

pub use model::{Job, JobDetail, JobFile, JobKind, JobState};
