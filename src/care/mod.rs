//! Care: what a victim goes through from the first signs to a life of her or his own, as one record whose states and moves
//! are the protocol's (`catalogue/care`). Several agencies move it, each by the acts that are its own.
//!
//! Owns the record, the engine that carries the protocol out, and what the record is tied to: needs, relatives, referrals,
//! protection. It is seen by whoever sees the victim with the section `assistance`. Where somebody is lodged is never in it:
//! a placement says of what kind it is and who answers for it.

pub mod actions;
pub mod engine;
pub mod http;
pub mod links;
pub mod model;
pub mod store;
pub mod wire;
