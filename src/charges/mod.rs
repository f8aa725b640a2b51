//! Charges: one accused, one offence, the victims concerned.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;

pub use model::prepare;
pub use store::{count, insert};
