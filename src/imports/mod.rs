//! Imports: many cases from a file, line by line, by the same rules as one case over HTTP.
//!
//! Any format plugs in by making [`ImportLine`]s of its file.

pub mod model;

pub use model::{ImportLine, ImportRecord};
