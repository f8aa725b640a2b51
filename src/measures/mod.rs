//! Measures: coercive ones against an accused, protective ones for a victim, with their states and their expiry.
//!
//! Owns the measure, its moves and the desk that lists those that end soon. A measure is seen by whoever sees the
//! person that it is about in its case: there is no section of its own.

pub mod actions;
pub mod desk;
pub mod http;
pub mod model;
pub mod states;
pub mod store;
pub mod wire;

pub use store::{Running, running};

#[cfg(test)]
mod tests;
