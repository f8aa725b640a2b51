//! Accused: suspects and defendants, pseudonymous.

pub mod http;
pub mod model;
pub mod store;
pub mod wire;

pub use model::{PreparedAccused, prepare};
pub use store::{has_identified, in_case, insert};
