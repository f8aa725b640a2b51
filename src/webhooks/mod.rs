//! Webhooks: the feed, brought to an endpoint of the partner's. Standard Webhooks (https://www.standardwebhooks.com).
//!
//! A webhook is a place in its agency's lane of the feed and an address. One thread of one instance (leader by lease) sees
//! to it that every event behind the place is sent, one after the other; the place moves on in the transaction that
//! records the attempt, so whatever happens to the process, nothing is left out. What may be sent is asked at the moment
//! of sending, with the rights of the client that set the webhook up.
//!
//! Owns: subscriptions, their keys, attempts and their schedule. Must not know: what stands in any record.

pub mod actions;
pub mod dispatcher;
pub mod http;
pub mod model;
pub mod run;
pub mod sender;
pub mod signing;
pub mod store;
pub mod wire;

pub use run::Hooks;
