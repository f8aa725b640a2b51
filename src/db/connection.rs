//! Connections: which engine a URL names, and how a connection of it is opened.

use std::path::PathBuf;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::result::{ConnectionError, ConnectionResult};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, MultiConnection, RunQueryDsl};

/// A connection to either engine.
#[derive(MultiConnection)]
pub enum Conn {
    /// libpq.
    Postgres(PgConnection),
    /// SQLite, in this process.
    Sqlite(SqliteConnection),
}

/// Where the registry's data are. The scheme alone decides the engine; nothing is guessed.
#[derive(Clone, PartialEq, Eq)]
pub enum DatabaseUrl {
    /// `postgres://…` or `postgresql://…`.
    Postgres(String),
    /// `sqlite:PATH`.
    Sqlite(PathBuf),
}

impl std::fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A PostgreSQL URL may hold a password.
        f.write_str(match self {
            Self::Postgres(_) => "postgres://[redacted]",
            Self::Sqlite(_) => "sqlite:[path]",
        })
    }
}

impl std::str::FromStr for DatabaseUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            Some(("postgres" | "postgresql", _)) => Ok(Self::Postgres(text.to_owned())),
            Some(("sqlite", path)) => {
                let path = path.strip_prefix("//").unwrap_or(path);
                if path.is_empty() {
                    return Err("the database URL names no file: sqlite:PATH".into());
                }
                Ok(Self::Sqlite(PathBuf::from(path)))
            }
            Some((scheme, _)) => Err(format!("unknown database scheme \"{scheme}\": use sqlite:PATH or postgres://…")),
            None => Err("the database URL has no scheme: use sqlite:PATH or postgres://…".into()),
        }
    }
}

/// What a SQLite connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Reads and writes: the one writer, migrations, tools.
    Write,
    /// Reads only.
    Read,
}

/// Opens a connection.
pub fn open(url: &DatabaseUrl, role: Role, statement_timeout_ms: u64) -> ConnectionResult<Conn> {
    match url {
        DatabaseUrl::Postgres(url) => {
            let connection = PgConnection::establish(&with_options(url, statement_timeout_ms))?;
            Ok(Conn::Postgres(connection))
        }
        DatabaseUrl::Sqlite(path) => {
            let path = path.to_str().ok_or_else(|| ConnectionError::BadConnection("path is not UTF-8".into()))?;
            let mut connection = SqliteConnection::establish(path)?;
            let pragmas = match role {
                Role::Write => {
                    "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
                     PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF; PRAGMA cache_size = -16000; \
                     PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 67108864"
                }
                // No mmap: the file grows all the time, and each reader would map it anew at each growth.
                Role::Read => {
                    "PRAGMA busy_timeout = 5000; PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; \
                     PRAGMA cache_size = -4000"
                }
            };
            connection.batch_execute(pragmas).map_err(ConnectionError::CouldntSetupConfiguration)?;
            Ok(Conn::Sqlite(connection))
        }
    }
}

/// Adds the session's limits to a PostgreSQL URL as start-up options, so that they cost no round trip.
fn with_options(url: &str, statement_timeout_ms: u64) -> String {
    if url.contains("options=") {
        return url.to_owned();
    }
    let options = format!(
        "-c%20statement_timeout%3D{statement_timeout_ms}%20-c%20lock_timeout%3D2000\
         %20-c%20idle_in_transaction_session_timeout%3D10000\
         %20-c%20default_transaction_isolation%3Dread%5C%20committed"
    );
    let joint = if url.contains('?') { '&' } else { '?' };
    let connect = if url.contains("connect_timeout=") { "" } else { "&connect_timeout=5&tcp_user_timeout=10000" };
    format!("{url}{joint}options={options}&application_name=sistra{connect}")
}

/// Refuses a PostgreSQL server that answers in a language that `db/errors.rs` cannot read. The service cannot choose
/// it: the setting is a superuser's.
pub fn check_language(conn: &mut Conn) -> Result<(), String> {
    #[derive(diesel::QueryableByName)]
    struct Setting {
        #[diesel(sql_type = diesel::sql_types::Text)]
        value: String,
    }
    let Conn::Postgres(c) = conn else { return Ok(()) };
    let setting: Setting = diesel::sql_query("SELECT current_setting('lc_messages') AS value")
        .get_result(c)
        .map_err(|_| "the database does not say in which language it answers".to_owned())?;
    let language = setting.value;
    if ["", "C", "POSIX"].contains(&language.as_str()) || language.starts_with("C.") || language.starts_with("en") {
        return Ok(());
    }
    Err(format!("the database answers in {language}: run ALTER ROLE … SET lc_messages = 'C' for the service's role"))
}

/// Why a database cannot be opened, in words without a secret: libpq quotes what it cannot read, passwords included.
pub fn explain(url: &DatabaseUrl, error: &ConnectionError) -> String {
    let cause = match (url, error) {
        (DatabaseUrl::Postgres(_), ConnectionError::BadConnection(text)) if text.starts_with("connection to server") => {
            // Of several addresses tried, the first says enough.
            let line = text.lines().next().unwrap_or_default();
            line.trim_end().to_owned()
        }
        (DatabaseUrl::Postgres(_), ConnectionError::BadConnection(text)) if text.starts_with("could not translate host") => {
            "its host is not known".to_owned()
        }
        (DatabaseUrl::Postgres(_), _) => "the URL is not one that PostgreSQL's library reads".to_owned(),
        (DatabaseUrl::Sqlite(path), error) => format!("{}: {error}", path.display()),
    };
    format!("cannot open the database {url:?}: {cause}")
}

/// r2d2's view of [`open`].
#[derive(Debug)]
pub struct Manager {
    /// Which database.
    pub url: DatabaseUrl,
    /// For what.
    pub role: Role,
    /// Longest statement, milliseconds.
    pub statement_timeout_ms: u64,
}

impl r2d2::ManageConnection for Manager {
    type Connection = Conn;
    type Error = ConnectionError;

    fn connect(&self) -> Result<Conn, ConnectionError> {
        open(&self.url, self.role, self.statement_timeout_ms)
    }

    fn is_valid(&self, conn: &mut Conn) -> Result<(), ConnectionError> {
        conn.batch_execute("SELECT 1").map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, conn: &mut Conn) -> bool {
        std::thread::panicking() || is_broken(conn)
    }
}

/// Diesel marks a connection that was found closed, in a transaction or out of it.
fn is_broken(conn: &mut Conn) -> bool {
    use diesel::connection::{AnsiTransactionManager, TransactionManager};
    match conn {
        Conn::Postgres(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
        Conn::Sqlite(c) => AnsiTransactionManager::is_broken_transaction_manager(c),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn why_a_database_cannot_be_opened_names_no_secret() {
        let why = |url: &str| {
            let url: DatabaseUrl = url.parse().unwrap();
            explain(&url, &open(&url, Role::Write, 1_000).err().unwrap())
        };
        for url in [
            "postgres://sistra:Gehe%zzim@127.0.0.1:1/x",
            "postgres://sistra:Geheim@127.0.0.1:1/x",
            "postgres://sistra:Geheim@127.0.0.1:Geheim/x",
            "postgres://sistra:Geheim@127.0.0.1:1/x?Geheim",
        ] {
            let says = why(url);
            assert!(!says.contains("Gehe") && !says.contains('\n'), "{says}");
        }
        assert!(why("postgres://sistra:Geheim@127.0.0.1:1/x").contains("Connection refused"));
        assert!(why("sqlite:/nowhere/at/all").contains("/nowhere/at/all"));
    }

    #[test]
    fn the_scheme_alone_decides_the_engine() {
        assert!(matches!("postgres://u@h/d".parse(), Ok(DatabaseUrl::Postgres(_))));
        assert!(matches!("sqlite:data/x".parse(), Ok(DatabaseUrl::Sqlite(_))));
        for (bad, says) in [("mysql://h/d", "\"mysql\""), ("db.internal", "no scheme"), ("sqlite:", "no file")] {
            assert!(bad.parse::<DatabaseUrl>().unwrap_err().contains(says), "{bad}");
        }
    }
}
