//! What the programmes share: money, donors, the ground of help, and the record of what an agency does for everybody.
//!
//! Owns the table of campaigns, trainings and fundings and their totals. What each of them is and which rules it keeps
//! is the business of its own slice; so is help to one person.

pub mod actions;
pub mod check;
pub mod ground;
pub mod money;
pub mod params;
pub mod record;
pub mod standing;
pub mod store;
pub mod totals;

pub use money::Money;
