//! The suite: behaviour through HTTP, on SQLite and, where it is found, on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::as_conversions)]

mod architecture;
mod cases;
mod contract;
mod edge;
mod persons;
mod store;
mod support;
mod tokens;
