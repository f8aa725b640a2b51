//! Exports: what an agency may see, as files.
//!
//! Owns which records go into which file, in what form, and what is recorded of them. What a caller sees is decided
//! where it always is: by the docket. It must not know how files are kept.

pub mod htcds;
pub mod http;
pub mod model;
pub mod pages;
pub mod run;
pub mod wire;
