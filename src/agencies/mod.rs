//! Agencies: the competent authorities and services that own cases, share them and receive referrals.
//!
//! Owns the directory (a small reference table, keyed by code). Partner systems belong to `auth`.

pub mod actions;
pub mod http;
pub mod model;
pub mod routing;
pub mod store;
pub mod wire;

pub use store::{Standing, codes, exists_active, kind, oversight, seed, standing, supervisors};

#[cfg(test)]
mod tests;
