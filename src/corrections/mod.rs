//! Corrections: another agency that sees a record says what in it is wrong, and its owner decides.
//!
//! Owns the proposal and the boxes in which both sides find it. An accepted one is an ordinary amendment of the record, in
//! the same transaction and with the record's own rules: those belong to the record's slice.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;
