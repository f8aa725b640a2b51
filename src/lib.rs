//! SISTRA: a registry of human-trafficking accusations, judicial cases, victims and referrals.

pub mod auth;
pub mod db;
pub mod kernel;
pub mod ledger;
