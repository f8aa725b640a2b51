//! Alerts on looking: somebody looks at more persons or records than the work explains.
//!
//! Owns the record of each alert and its acknowledgement. Budgets are counted in `http::looking`, in memory; an alert is
//! raised once per budget, level and window, before the answer that reached it leaves.

pub mod actions;
pub mod http;
pub mod model;
pub mod store;
pub mod watch;
pub mod wire;

pub use watch::Watch;
