//! What a database error means. The one place that reads SQL states and messages; it never keeps a value.

use diesel::result::{DatabaseErrorKind as Kind, Error as Sql};

use crate::kernel::error::{Error, Unavailable};

impl From<Sql> for Error {
    fn from(error: Sql) -> Self {
        match error {
            Sql::NotFound => Self::NotFound,
            Sql::DatabaseError(kind, info) => classify(&kind, info.message()),
            Sql::BrokenTransactionManager | Sql::RollbackErrorOnCommit { .. } => Self::Unavailable(Unavailable::Storage),
            Sql::QueryBuilderError(_) => Self::internal("query builder"),
            Sql::DeserializationError(e) => Self::internal(format!("column unreadable: {e}")),
            Sql::SerializationError(_) => Self::internal("bind not serialisable"),
            other => Self::internal(format!("database: {}", variant(&other))),
        }
    }
}

/// PostgreSQL's messages are English (checked at start); diesel hides the SQL state of several of these.
fn classify(kind: &Kind, message: &str) -> Error {
    const CONTENTION: [&str; 4] =
        ["deadlock", "restart transaction", "could not commit transaction for shard", "database is locked"];
    const STORAGE: [&str; 10] = [
        "database or disk is full",
        "disk I/O error",
        "No space left on device",
        "readonly database",
        "connection to the remote node",
        "terminating connection",
        "server closed the connection",
        "no connection to the server",
        "could not receive data from server",
        "could not extend file",
    ];
    match kind {
        Kind::SerializationFailure => return Error::Unavailable(Unavailable::Contention),
        Kind::ClosedConnection | Kind::UnableToSendCommand | Kind::ReadOnlyTransaction => {
            return Error::Unavailable(Unavailable::Storage);
        }
        _ => {}
    }
    let has = |needles: &[&str]| needles.iter().any(|n| message.contains(n));
    if has(&CONTENTION) {
        Error::Unavailable(Unavailable::Contention)
    } else if has(&["lock timeout", "could not obtain lock", "statement timeout"]) {
        Error::Unavailable(Unavailable::Timeout)
    } else if has(&STORAGE) {
        Error::Unavailable(Unavailable::Storage)
    } else if matches!(
        kind,
        Kind::UniqueViolation | Kind::ForeignKeyViolation | Kind::CheckViolation | Kind::NotNullViolation
    ) {
        // Claims use ON CONFLICT and parents are read first, so a violation that reaches this point is a bug.
        Error::Internal(format!("constraint: {}", first_words(message)))
    } else {
        Error::Internal(format!("database: {}", first_words(message)))
    }
}

/// Primary messages name objects, not values; the cut is a second fence.
fn first_words(message: &str) -> String {
    message.lines().next().unwrap_or_default().chars().take(160).collect()
}

fn variant(error: &Sql) -> String {
    format!("{error:?}").split(['(', ' ', '{']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_of_the_table_is_recognised() {
        let unknown = |m: &str| classify(&Kind::Unknown, m);
        assert_eq!(unknown("deadlock detected"), Error::Unavailable(Unavailable::Contention));
        assert_eq!(unknown("could not commit transaction for shard 102008"), Error::Unavailable(Unavailable::Contention));
        assert_eq!(classify(&Kind::SerializationFailure, "x"), Error::Unavailable(Unavailable::Contention));
        assert_eq!(unknown("canceling statement due to lock timeout"), Error::Unavailable(Unavailable::Timeout));
        assert_eq!(unknown("canceling statement due to statement timeout"), Error::Unavailable(Unavailable::Timeout));
        assert_eq!(unknown("database or disk is full"), Error::Unavailable(Unavailable::Storage));
        assert_eq!(classify(&Kind::ClosedConnection, ""), Error::Unavailable(Unavailable::Storage));
        assert!(matches!(classify(&Kind::UniqueViolation, "UNIQUE constraint failed: charge.id"), Error::Internal(_)));
    }
}
