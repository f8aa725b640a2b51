//! Fundings: who gave how much in which year, and what it paid for. Sums are per donor, year and currency, in whole minor
//! units, and never cross currencies.

pub mod actions;
pub mod http;
pub mod model;
pub mod wire;
