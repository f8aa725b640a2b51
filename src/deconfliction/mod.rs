//! Deconfliction: does another agency know this person? The answer is yes or no, and both agencies hear of it.

pub mod actions;
pub mod http;
pub mod wire;
