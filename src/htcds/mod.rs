//! HTCDS: the Human Trafficking Case Data Standard of IOM, the field's own format, in and out.
//!
//! A file (CSV, XLSX, ODS, JSON) is read into records, one for each person in each case; records become bodies of the
//! registry's own operation, and back. What the registry has no field for is kept word for word among the extensions,
//! so that everything the standard can say survives.
//!
//! Owns the standard as data, the files and the map. Must not know HTTP or SQL.

pub mod actions;
pub mod dates;
pub mod exchange;
pub mod facts;
pub mod files;
pub mod headings;
pub mod import;
pub mod profile;
pub mod read;
pub mod record;
pub mod report;
pub mod residue;
pub mod table;
pub mod values;
pub mod write;

#[cfg(test)]
mod exchange_tests;
#[cfg(test)]
mod tests;

pub use files::Unreadable;
pub use read::{Reading, read};
pub use record::Record;
pub use write::{FileFormat, write};
