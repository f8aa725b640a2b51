//! The store: one query layer over SQLite and PostgreSQL.
//!
//! Owns: connections, pools, the writer, transactions, column types, error classes, migrations.
//! Must not know: HTTP, or the rules of any slice.

pub mod bulk;
pub mod connection;
pub mod errors;
pub mod kept;
pub mod migrations;
mod savepoint;
pub mod schema;
pub mod store;
pub mod types;
pub mod unit;
mod writer;

pub use connection::{Conn, DatabaseUrl};
pub use kept::Keep;
pub use savepoint::{in_savepoint, tentatively};
pub use store::{Store, StoreSettings, Together};
pub use types::{Clear, Json};

/// Runs one body against the engine's own connection, for the few things that `MultiConnection` cannot say
/// (`ON CONFLICT`, batch inserts).
#[macro_export]
macro_rules! per_engine {
    ($conn:expr, $c:ident => $body:expr) => {
        match $conn {
            $crate::db::Conn::Postgres($c) => $body,
            $crate::db::Conn::Sqlite($c) => $body,
        }
    };
}
