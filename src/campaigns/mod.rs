//! Campaigns of prevention: slogans, who organises and pays, where they are seen, in which phases, and whom they reach.

pub mod actions;
pub mod http;
pub mod model;
pub mod states;
pub mod wire;
