//! Schema versions: embedded in the binary, one tree per engine, same names on both.

use diesel::RunQueryDsl;
use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::Conn;

const POSTGRES: EmbeddedMigrations = embed_migrations!("migrations/postgres");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

/// Where a schema stands against this binary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Versions applied, in order.
    pub applied: Vec<String>,
    /// Versions of this binary that are not applied.
    pub pending: Vec<String>,
    /// Versions applied that this binary does not know: the schema is newer.
    pub unknown: Vec<String>,
}

type Outcome<T> = Result<T, String>;

fn message(error: impl std::fmt::Display) -> String {
    format!("migration failed: {error}")
}

#[derive(diesel::QueryableByName)]
struct Version {
    #[diesel(sql_type = diesel::sql_types::Text)]
    version: String,
}

/// The versions applied. Only reads: the service asks this at every readiness check, with no right to change the schema.
fn applied(conn: &mut Conn) -> Outcome<Vec<String>> {
    const VERSIONS: &str = "SELECT version FROM __diesel_schema_migrations ORDER BY version";
    let there = match conn {
        Conn::Postgres(c) => diesel::sql_query(
            "SELECT to_regclass('__diesel_schema_migrations')::text AS version \
             WHERE to_regclass('__diesel_schema_migrations') IS NOT NULL",
        )
        .load::<Version>(c),
        Conn::Sqlite(c) => {
            diesel::sql_query("SELECT name AS version FROM sqlite_schema WHERE name = '__diesel_schema_migrations'").load(c)
        }
    };
    if there.map_err(message)?.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Version> = match conn {
        Conn::Postgres(c) => diesel::sql_query(VERSIONS).load(c),
        Conn::Sqlite(c) => diesel::sql_query(VERSIONS).load(c),
    }
    .map_err(message)?;
    Ok(rows.into_iter().map(|row| row.version).collect())
}

/// Reads the state of the schema.
pub fn status(conn: &mut Conn) -> Outcome<Status> {
    let applied = applied(conn)?;
    let known: Vec<String> = match conn {
        Conn::Postgres(_) => versions::<diesel::pg::Pg>(&POSTGRES)?,
        Conn::Sqlite(_) => versions::<diesel::sqlite::Sqlite>(&SQLITE)?,
    };
    Ok(Status {
        pending: known.iter().filter(|v| !applied.contains(v)).cloned().collect(),
        unknown: applied.iter().filter(|v| !known.contains(v)).cloned().collect(),
        applied,
    })
}

fn versions<DB: diesel::backend::Backend>(source: &EmbeddedMigrations) -> Outcome<Vec<String>>
where
    EmbeddedMigrations: MigrationSource<DB>,
{
    let all: Vec<Box<dyn Migration<DB>>> = MigrationSource::<DB>::migrations(source).map_err(message)?;
    let mut versions: Vec<String> = all.iter().map(|m| m.name().version().to_string()).collect();
    versions.sort();
    Ok(versions)
}

/// Applies what is pending. Refuses a schema newer than the binary.
pub fn up(conn: &mut Conn) -> Outcome<Vec<String>> {
    refuse_newer(&status(conn)?)?;
    Ok(match conn {
        Conn::Postgres(c) => c.run_pending_migrations(POSTGRES).map_err(message)?.iter().map(ToString::to_string).collect(),
        Conn::Sqlite(c) => c.run_pending_migrations(SQLITE).map_err(message)?.iter().map(ToString::to_string).collect(),
    })
}

/// Reverts the last `steps` migrations, or all of them. Destroys their data.
pub fn down(conn: &mut Conn, steps: Option<usize>) -> Outcome<Vec<String>> {
    let applied = status(conn)?.applied.len();
    let mut reverted = Vec::new();
    for _ in 0..steps.unwrap_or(applied).min(applied) {
        reverted.push(match conn {
            Conn::Postgres(c) => c.revert_last_migration(POSTGRES).map_err(message)?.to_string(),
            Conn::Sqlite(c) => c.revert_last_migration(SQLITE).map_err(message)?.to_string(),
        });
    }
    Ok(reverted)
}

/// One clear line when the schema does not fit this binary.
pub fn check(conn: &mut Conn) -> Outcome<()> {
    let status = status(conn)?;
    refuse_newer(&status)?;
    if status.pending.is_empty() {
        Ok(())
    } else {
        Err(format!("the schema is {} migrations behind this binary: run `sistra migrate up`", status.pending.len()))
    }
}

fn refuse_newer(status: &Status) -> Outcome<()> {
    match status.unknown.first() {
        None => Ok(()),
        Some(version) => {
            Err(format!("the schema is newer than this binary (it has migration {version}): use a newer sistra"))
        }
    }
}
