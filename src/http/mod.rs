//! The only shared code that knows HTTP: how requests are read and answers written.

pub mod accept;
pub mod body;
mod classes;
pub mod codes;
pub mod context;
pub mod contract;
pub mod cors;
pub mod cursor;
pub mod etag;
pub mod fallback;
pub mod guard;
pub mod health;
pub mod idempotency;
pub mod lang;
pub mod limits;
pub mod looking;
pub mod metrics;
pub mod path;
pub mod problem;
pub mod query;
pub mod respond;
pub mod schema;
pub mod select;
pub mod squeeze;
pub mod strict;
