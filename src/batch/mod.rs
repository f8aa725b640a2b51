//! Batches: up to a hundred writes in one request and one transaction, all or nothing.
//!
//! Each operation goes through the same door as alone: its handler, its permission, its strict body, its quota, its entries
//! in the ledger. What is shared is the transaction (`db::unit`), and what an operation made can be named by later ones.

pub mod dispatch;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;
