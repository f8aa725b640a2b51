//! How long what is known is kept, who sees to it, and what somebody decided about what fell due.

pub mod actions;
pub mod desk;
pub mod http;
pub mod model;
pub mod run;
pub mod store;
pub mod wire;
