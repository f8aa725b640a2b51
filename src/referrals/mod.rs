//! Referrals: one authority communicates a case to another, or asks it for a service.
//!
//! Owns the referral, its states and the boxes in which agencies find it. What an accepted referral grants is
//! a participation in the case and belongs to `cases`; this slice only says when it begins and ends.

pub mod actions;
pub mod desk;
pub mod due;
pub mod http;
pub mod model;
pub mod receipt_store;
pub mod receipts;
pub mod remind;
pub mod states;
pub mod store;
pub mod view;
pub mod wire;

pub use actions::revoke_without_consent;
pub use remind::{Said, remind};
pub use store::{Basis, bases, open_count};

#[cfg(test)]
mod tests;
#[cfg(test)]
pub mod world;
