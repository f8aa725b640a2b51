//! Many cases at once: `sistra import ndjson` as a process of its own, beside plain SQL that puts exactly the same rows into
//! the same tables, with their keys, indexes and triggers.
//!
//! `cargo bench --bench throughput -- imports --cases 100000 [--sqlite|--postgres] [--names]`
//!
//! The file is generated: one victim, one accused, one charge a case; `--names` gives both persons names, and with them
//! the tokens by which they are found. The sealer does not run: it works behind every kind of write. On PostgreSQL the
//! yardstick is `COPY … FROM` a text file that the server reads itself, all tables in one transaction; on SQLite
//! `INSERT … SELECT` from an attached copy, which is below the cost of any prepared insert, in one transaction.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl, migrations};

const AGENCY: &str = "PE-MP-FISTRAP-LIMA";
const GIVEN: &[&str] = &["Rosa", "María", "Luz", "Carmen", "Yesenia", "Flor", "Milagros", "Nelly", "Sonia", "Delia"];
const SURNAMES: &[&str] =
    &["Quispe", "Mamani", "Flores", "Huamán", "Rojas", "Condori", "Vargas", "Chávez", "Ramos", "Díaz", "Apaza", "Cruz"];

/// A database that rows can be imported into.
pub struct Place {
    pub url: DatabaseUrl,
    /// Directory of its keys.
    pub dir: PathBuf,
}

/// One line of the file.
fn line(n: usize, names: bool) -> Value {
    let mut case = crate::data::case();
    case["external_ref"] = json!(format!("EXP-{n:07}"));
    case["reported_at"] = json!(format!("20{:02}-{:02}-{:02}T15:30:00.000Z", 10 + n % 15, 1 + n % 12, 1 + n % 28));
    if names {
        let of = |list: &[&str], n: usize| list[n % list.len()].to_owned();
        let identity = |n: usize| json!({"given_names": of(GIVEN, n), "paternal_surname": of(SURNAMES, n / 10), "maternal_surname": of(SURNAMES, n / 120)});
        case["victims"][0]["identity"] = identity(n);
        case["accused"][0]["identity"] = identity(n * 7 + 3);
    }
    case
}

fn file(dir: &Path, cases: usize, names: bool) -> PathBuf {
    let path = dir.join(format!("{cases}.ndjson"));
    let mut out = std::io::BufWriter::new(std::fs::File::create(&path).unwrap());
    for n in 0..cases {
        writeln!(out, "{}", line(n, names)).unwrap();
    }
    out.flush().unwrap();
    path
}

/// What an import took.
struct Took {
    time: Duration,
    /// Highest resident memory of the process, MB.
    peak: f64,
    /// Processor time of the process, seconds.
    busy: f64,
}

/// `sistra import` of a file.
fn command(place: &Place, file: &Path) -> Command {
    let url = match &place.url {
        DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
        DatabaseUrl::Postgres(url) => url.clone(),
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_sistra"));
    command
        .args(["import", "ndjson", "--make-keyring", "--agency", AGENCY, "--database", &url, "--data-dir"])
        .arg(&place.dir)
        .arg(file)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// Runs it and watches it.
fn import(place: &Place, file: &Path, cases: usize) -> Took {
    let mut child = command(place, file).spawn().unwrap();
    let process = PathBuf::from(format!("/proc/{}", child.id()));
    let (mut peak, mut busy) = (0.0_f64, 0.0_f64);
    while child.try_wait().unwrap().is_none() {
        let status = std::fs::read_to_string(process.join("status")).unwrap_or_default();
        let mb = status
            .lines()
            .find_map(|l| l.strip_prefix("VmHWM:"))
            .and_then(|l| l.split_whitespace().next()?.parse::<f64>().ok());
        peak = peak.max(mb.unwrap_or(0.0) / 1024.0);
        let stat = std::fs::read_to_string(process.join("stat")).unwrap_or_default();
        let ticks = stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ').skip(11).take(2);
        busy = busy.max(ticks.filter_map(|t| t.parse::<f64>().ok()).sum::<f64>() / 100.0);
        std::thread::sleep(Duration::from_millis(10));
    }
    let said: Value = serde_json::from_reader(child.stdout.take().unwrap()).unwrap();
    assert_eq!(said["counts"]["created"], cases, "{said}");
    Took { time: Duration::from_millis(said["milliseconds"].as_u64().unwrap()), peak, busy }
}

#[derive(diesel::QueryableByName)]
struct Name {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    n: i64,
}

fn connection(url: &DatabaseUrl) -> Conn {
    open(url, Role::Write, 3_600_000).unwrap()
}

fn names(conn: &mut Conn, sql: &str) -> Vec<String> {
    let rows: Vec<Name> = match conn {
        Conn::Postgres(c) => diesel::sql_query(sql).load(c).unwrap(),
        Conn::Sqlite(c) => diesel::sql_query(sql).load(c).unwrap(),
    };
    rows.into_iter().map(|row| row.name).collect()
}

fn count(conn: &mut Conn, table: &str) -> i64 {
    let sql = format!("SELECT count(*) AS n FROM {table}");
    match conn {
        Conn::Postgres(c) => diesel::sql_query(sql).get_result::<Count>(c).unwrap().n,
        Conn::Sqlite(c) => diesel::sql_query(sql).get_result::<Count>(c).unwrap().n,
    }
}

/// Tables in the order in which they were made: what refers comes behind what it refers to.
fn tables(conn: &mut Conn) -> Vec<String> {
    let sql = match conn {
        Conn::Postgres(_) => {
            "SELECT relname::text AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') \
             AND relname <> '__diesel_schema_migrations' ORDER BY oid"
        }
        Conn::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' \
             AND name <> '__diesel_schema_migrations' ORDER BY rowid"
        }
    };
    names(conn, sql)
}

/// Puts the rows of `from` into the empty tables of `to` by plain SQL; answers the time, and the rows. What was there
/// before the import (`before` cases ago) is not timed.
fn plain(from: &Place, to: &Place, before: &[(String, i64)], dump: &Path) -> (Duration, i64) {
    let mut source = connection(&from.url);
    let mut target = connection(&to.url);
    let all = tables(&mut source);
    let rows: Vec<(String, i64)> = all.iter().map(|t| (t.clone(), count(&mut source, t))).collect();
    let grown = |table: &str| {
        let now = rows.iter().find(|(t, _)| t == table).map_or(0, |(_, n)| *n);
        let then = before.iter().find(|(t, _)| t == table).map_or(0, |(_, n)| *n);
        now - then
    };
    let paths = |table: &str| dump.join(format!("{table}.copy")).display().to_string();
    match &from.url {
        DatabaseUrl::Postgres(_) => {
            for (table, _) in rows.iter().filter(|(_, n)| *n > 0) {
                source.batch_execute(&format!("COPY {table} TO '{}'", paths(table))).unwrap();
            }
        }
        DatabaseUrl::Sqlite(path) => target.batch_execute(&format!("ATTACH '{}' AS src", path.display())).unwrap(),
    }
    let copy = |table: &str| match &from.url {
        DatabaseUrl::Postgres(_) => format!("COPY {table} FROM '{}'", paths(table)),
        DatabaseUrl::Sqlite(_) => format!("INSERT INTO main.{table} SELECT * FROM src.{table}"),
    };
    for (table, n) in &rows {
        if *n > 0 && grown(table) == 0 {
            target.batch_execute(&format!("DELETE FROM {table}; {}", copy(table))).unwrap();
        }
    }
    let began = Instant::now();
    target.batch_execute("BEGIN").unwrap();
    let mut written = 0;
    for (table, _) in rows.iter().filter(|(t, _)| grown(t) > 0) {
        target.batch_execute(&copy(table)).unwrap();
        written += grown(table);
    }
    target.batch_execute("COMMIT").unwrap();
    (began.elapsed(), written)
}

/// Measures and prints. `places` makes empty databases, with their schema.
pub fn run(engine: &str, cases: usize, named: bool, dump: &Path, mut places: impl FnMut(&str) -> Place) {
    let few = places("few");
    let small = file(dump, cases / 10, named);
    let tenth = import(&few, &small, cases / 10);
    let many = places("many");
    // Everything that opening a registry makes, and no case.
    let empty = dump.join("empty.ndjson");
    std::fs::write(&empty, "").unwrap();
    assert!(command(&many, &empty).status().unwrap().success());
    let before: Vec<(String, i64)> = {
        let mut conn = connection(&many.url);
        tables(&mut conn).into_iter().map(|t| (t.clone(), count(&mut conn, &t))).collect()
    };
    let large = file(dump, cases, named);
    let all = import(&many, &large, cases);
    let (time, rows) = plain(&many, &places("plain"), &before, dump);
    let rate = |time: Duration| cases as f64 / time.as_secs_f64();
    println!(
        "\n{engine}: {cases} cases{}, {:.1} rows each",
        if named { " with names" } else { "" },
        rows as f64 / cases as f64
    );
    println!(
        "import: {:.0} cases a second, {:.0} µs of processor each; plain SQL: {:.0}; ratio {:.2}",
        rate(all.time),
        all.busy * 1e6 / cases as f64,
        rate(time),
        rate(all.time) / rate(time)
    );
    println!("resident at most: {:.0} MB with {} cases, {:.0} MB with {cases}", tenth.peak, cases / 10, all.peak);
    for path in [small, large] {
        let _ = std::fs::remove_file(path);
    }
}

/// An empty SQLite database with the schema.
pub fn sqlite(dir: &Path, name: &str) -> Place {
    let dir = dir.join(name);
    std::fs::create_dir_all(&dir).unwrap();
    let url = DatabaseUrl::Sqlite(dir.join("sistra.sqlite3"));
    migrations::up(&mut connection(&url)).unwrap();
    Place { url, dir }
}
