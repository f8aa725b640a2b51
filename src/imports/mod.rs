//! Imports: many cases from a file, line by line, by the same rules as one case over HTTP.
//!
//! Any format plugs in by making [`ImportLine`]s of its file and giving them to [`run::drive`]. Owns the formats NDJSON
//! and CSV, what is remembered of a line, and the report. A line is one case of the caller's agency, known by its
//! `external_ref`: the same file again changes nothing.

pub mod commit;
pub mod csv;
pub mod http;
pub mod lines;
pub mod model;
pub mod patches;
pub mod prints;
pub mod run;
pub mod store;
pub mod update;
pub mod wire;

pub use commit::{Importer, Rights};
pub use model::{ImportLine, ImportRecord, Outcome, Status};
