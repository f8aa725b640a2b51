//! Victims: persons harmed, pseudonymous, and each one's part in a case. Identities have a door of their own.

pub mod actions;
pub mod disclosures;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;

pub use model::{PreparedVictim, age_band, prepare};
pub use store::{any_minor, carry, find, in_case, insert, same_person, seen, through, unclear};
