//! How long what is known is kept, and who sees to it.

pub mod desk;
pub mod run;
pub mod store;
