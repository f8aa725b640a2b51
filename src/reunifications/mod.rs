//! Reunifications: a victim and the relatives who join her or him, with visas, tickets and escorts, person by person.
//!
//! Owns the record, the states of each relative and the desk that lists and counts them. Seen as assistance is: by
//! whoever sees the victim with the section `assistance`, and by the agency that sponsors it. Names are under the
//! victim's key, and shown as her or his identity is.

pub mod actions;
pub mod desk;
pub mod http;
pub mod model;
pub mod states;
pub mod store;
pub mod wire;

pub use actions::close_without_consent;
