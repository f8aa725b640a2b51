//! Legal holds: what somebody must not lose, whoever asks for its end.
//!
//! Owns the holds on cases and persons. Erasure and retention ask here, and nowhere else.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;

pub use store::any_active;
