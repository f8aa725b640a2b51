//! The totals of the programmes: who was helped, reunited and trained, what was held, who paid.
//!
//! Exact figures, for the agency itself about what it did and for oversight about what all did; trainings, campaigns and
//! fundings name no person and are everybody's. What is published for all has its own rules and its own place.

pub mod actions;
pub mod http;
pub mod wire;
