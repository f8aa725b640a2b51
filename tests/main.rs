//! The suite: behaviour through HTTP, on SQLite and, where it is found, on PostgreSQL.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::as_conversions)]

mod architecture;
mod batch;
mod cases;
mod catalogues;
mod cli;
mod contract;
mod corrections;
mod court;
mod ctdc;
mod deadlines;
mod durability;
mod edge;
mod events;
mod evidence;
mod help;
mod htcds;
mod imports;
mod matrix;
mod merges;
mod operations;
mod persons;
mod plans;
mod possession;
mod procedure;
mod protection;
mod referrals;
mod revocation;
mod schema;
mod search;
mod store;
mod support;
mod tokens;
mod vault;
mod webhooks;
