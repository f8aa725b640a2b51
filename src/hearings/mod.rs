//! Hearings of a case: when a court sits on it, and what came of the sitting. Seen with the section `proceedings`.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;

pub use store::in_case;
