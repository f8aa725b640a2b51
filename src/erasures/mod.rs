//! Erasures: somebody asks that a person be forgotten, somebody else agrees, and then it is done.
//!
//! Owns the request, its two persons and its certificate. What stands against it and what is destroyed belongs to
//! `persons::erasure`.

pub mod actions;
pub mod certificate;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;

pub use store::hold_back;
