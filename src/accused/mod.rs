//! Accused: suspects and defendants, pseudonymous. Identities have a door of their own.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;

pub use model::{PreparedAccused, prepare};
pub use store::{carry, has_identified, in_case, insert, seen};
