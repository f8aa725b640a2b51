//! Statistics: figures over the whole registry, what may be published of them, and open data.
//!
//! Owns: facts (one document per case, written off the write path by a projector that follows the ledger), counting over
//! them, releases and their protection. Other slices never call it; it reads their tables and their docket.
//!
//! | where | what |
//! |---|---|
//! | `facts`, `store`, `projector` | from the registry to facts, in the ledger's order |
//! | `memory`, `count`, `words` | facts as rows of numbers, and counting over them |
//! | `question` | what can be asked |
//! | `un`, `quality` | tables for the United Nations; how good the data are |
//! | `protection`, `release`, `proposal`, `publish`, `open_data` | what may be published, who lets it go, and how everybody reads it |

pub mod actions;
pub mod count;
pub mod facts;
pub mod http;
mod labels;
pub mod memory;
pub mod open_data;
pub mod period;
pub mod projector;
pub mod proposal;
pub mod proposal_store;
pub mod protection;
pub mod publish;
pub mod quality;
pub mod question;
pub mod release;
pub mod release_http;
pub mod release_store;
pub mod render;
pub mod store;
pub mod un;
pub mod un_http;
pub mod wire;
pub mod wire_release;
pub mod wire_un;
pub mod words;

pub use projector::Figures;
