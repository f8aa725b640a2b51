//! Who may: clients, keys, tokens, and the table of permissions.

pub mod caller;

pub use caller::{Caller, Purpose, Scope};
