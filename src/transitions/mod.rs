//! Moves of state: the record of those done, for every kind of resource that has a state.
//!
//! Owns the table and the bodies. Which moves there are is the resource's business (profile or slice).

pub mod store;
pub mod wire;

pub use store::{Done, Past, Reach, append, list, of_resource, past};
pub use wire::{AvailableTransition, AvailableTransitions, LegalAct, TransitionPage, TransitionView};
