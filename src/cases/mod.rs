//! Cases: accusation files from the first report on, and who may see them.
//!
//! Owns the case record, its stage, its participants and the docket. Victims, accused, charges and referrals
//! have slices of their own and reach a case only through the names below.

pub mod actions;
pub mod continuation;
pub mod docket;
pub mod duplicates;
pub mod glass;
pub mod http;
pub mod model;
pub mod participants;
pub mod participants_http;
pub mod procedure;
pub mod restriction;
pub mod sections;
pub mod store;
pub mod wire;

pub use docket::{Sight, sight};
pub use sections::{Section, Sections};
pub use store::{CaseHead, head_for_write};
