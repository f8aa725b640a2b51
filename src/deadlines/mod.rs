//! Deadlines: which legal time limits run in a case, computed from the law and from what happened.
//!
//! Nothing here is stored as truth. The desk is a projection, like the docket: it says in which order an agency's
//! terms end, is written in the transaction that moves one, and can be made again from the cases (`rebuild`).

pub mod actions;
pub mod desk;
pub mod http;
pub mod model;
pub mod wire;

pub use desk::settle;
