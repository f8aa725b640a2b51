//! Parts of a transaction that may fail, or are only tried, without the rest of it.

use diesel::connection::SimpleConnection;

use super::Conn;
use crate::kernel::{Error, Result};

/// Runs `f`; what it did stays only if it succeeds. Bad luck and bugs end the whole transaction: after them nobody
/// knows what the connection can still do.
pub fn in_savepoint<T>(tx: &mut Conn, f: impl FnOnce(&mut Conn) -> Result<T>) -> Result<Result<T>> {
    tx.batch_execute("SAVEPOINT part")?;
    match f(tx) {
        Ok(value) => {
            tx.batch_execute("RELEASE SAVEPOINT part")?;
            Ok(Ok(value))
        }
        Err(end @ (Error::Unavailable(_) | Error::Internal(_))) => Err(end),
        Err(refused) => {
            tx.batch_execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part")?;
            Ok(Err(refused))
        }
    }
}

/// Runs `f`; what it did stays only if it says so.
pub fn tentatively<T>(tx: &mut Conn, f: impl FnOnce(&mut Conn) -> Result<(T, bool)>) -> Result<T> {
    tx.batch_execute("SAVEPOINT whole")?;
    let (value, keep) = f(tx)?;
    let end = if keep { "RELEASE SAVEPOINT whole" } else { "ROLLBACK TO SAVEPOINT whole; RELEASE SAVEPOINT whole" };
    tx.batch_execute(end)?;
    Ok(value)
}
