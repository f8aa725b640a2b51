//! Batches: up to a hundred operations in one request and one transaction, all or nothing.
//!
//! Each operation goes through the same door as alone: its handler, its permission, its strict body, its quota, its entries
//! in the ledger. What is shared is the transaction (`db::unit`), and what an operation answered can be named by later ones.
//! What its reads leave in the access record is written when the transaction has ended (`alerts::watch`).

pub mod dispatch;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;
