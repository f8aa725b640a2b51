//! The record as an auditor reads it: who did what, to what, why and when, and the proofs that nobody changed it.
//!
//! Oversight reads every entry, a partner those of its own agency. Entries name records and the fields that changed, never
//! what stands in them.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;
