//! Break-glass: looking at one case that was not shared, in an emergency, for hours, under everybody's eyes.
//!
//! Owns the record of each time: who, why, how long, who confirmed it, what its review found. What it opens belongs to
//! `cases::glass`.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;
