//! Kernel: the words every slice speaks (ids, time, dates, pages, errors). Pure: no I/O, no HTTP, no SQL.

pub mod agency_code;
pub mod canonical;
pub mod code;
pub mod day;
pub mod error;
pub mod field;
pub mod ids;
pub mod page;
pub mod partial_date;
pub mod pii;
pub mod time;
pub mod trail;

pub use agency_code::AgencyCode;
pub use day::Day;
pub use error::{Error, Fault, FaultCode, Location, Result};
pub use field::Field;
pub use ids::{Bucket, Id};
pub use partial_date::PartialDate;
pub use time::Timestamp;
