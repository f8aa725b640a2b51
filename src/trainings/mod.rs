//! Trainings: what professionals were taught, where, by whom paid, and how many of which profession took part.
//!
//! Participants are counts by profession, sex and district, never names. Totals are computed.

pub mod actions;
pub mod http;
pub mod model;
pub mod wire;
