//! Decisions in a case: rulings of the prosecution and of courts. Seen with the section `proceedings`.
//!
//! What is registered stays as it is: a correction is another decision that supersedes the first.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;
