//! Notes on a case: an agency's own, or for all who see the case's narrative.
//!
//! Every agency that shares a case may write them. A note is never changed: another one supersedes it. Its text is
//! personal data and leaves only through the two doors that show notes.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod wire;
