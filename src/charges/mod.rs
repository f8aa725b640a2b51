//! Charges: one accused, one offence, the victims concerned.

pub mod actions;
pub mod http;
pub mod model;
pub mod moves;
pub mod store;
pub mod verdicts;
pub mod wire;

pub use model::prepare;
pub use moves::{ChargeDecision, Moved, Step};
pub use store::{Basis, insert, of_case, put, put_new, redirect, seal, update};
