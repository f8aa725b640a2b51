//! Assistance: what a victim needs, what was planned, who provides it, what it costs, and whether the need was met.
//!
//! Owns the record, its moves and the desk that lists it. It is seen by whoever sees the victim with the section
//! `assistance`, and by the agency that provides it; never by an agency that was granted the victims alone, because a
//! service tells of somebody's health.

pub mod actions;
pub mod desk;
pub mod http;
pub mod model;
pub mod states;
pub mod store;
pub mod wire;

pub use actions::withdraw_without_consent;
