//! CTDC: the Counter-Trafficking Data Collaborative's file of victims, one row each, with no combination of
//! quasi-identifiers that fewer than k of them share.
//!
//! It is made of pseudonymous records only: no identity is opened for it, so what only a spreadsheet said, and the
//! registry has no field for, is not in it. Empty means unknown, no, or suppressed; the file never says no.
//!
//! Owns the columns, the rows and the suppression. Must not know HTTP or SQL.

pub mod actions;
pub mod anonymity;
pub mod profile;
pub mod row;

pub use anonymity::{Suppression, suppress};
pub use profile::Profile;
pub use row::Row;
