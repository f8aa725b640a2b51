//! Consents: what a victim, or whoever may speak for one, agreed to, and what ends when it is taken back.
//!
//! Owns the record and the list of the referrals that rest on it. A consent is never amended: another one is offered.
//! It knows of referrals only that they can be revoked.

pub mod actions;
pub mod http;
pub mod model;
pub mod states;
pub mod store;
pub mod wire;

pub use actions::{Ground, ground_faults, of_age, rest};
