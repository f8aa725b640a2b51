//! The figures: one table, made in one run, on both engines, against a server in this process.
//!
//! Owns: what is measured, and on which data. `load` owns how; `data` makes the rows. It judges nothing: a figure
//! depends on the machine, and on who else works on it, so the processor time of each request stands beside its rate.
//!
//! `cargo bench` (some minutes) or `cargo bench -- --quick`; `--sqlite` or `--postgres` for one engine, `--no-sealer`
//! to keep the sealer from working, `--only=WORD` for the rows whose name has the word; `statistics --cases N` for figures
//! over a registry of N cases and nothing else; `imports --cases N` for an import of so many.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::as_conversions)]
#![allow(clippy::print_stdout, reason = "the table is the product")]

mod data;
mod imports;
mod load;
#[path = "../tests/support/postgres.rs"]
#[allow(dead_code, reason = "shared with the tests")]
mod postgres;
mod statements;
mod statistics;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sistra::config::Config;
use sistra::db::DatabaseUrl;

use data::{Bench, DESKS, case};
use load::{Figures, Load, Usage, request};

static COUNT: AtomicU64 = AtomicU64::new(0);

/// A text that is used once.
pub fn unique() -> String {
    format!("{}-{}-bench-key-0000", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// What the command line asks for.
#[derive(Clone, Debug)]
struct Options {
    quick: bool,
    sealer: bool,
    sqlite: bool,
    postgres: bool,
    only: Option<String>,
    /// Figures over so many cases, and nothing else.
    figures: Option<usize>,
    /// An import of so many cases, and nothing else.
    imports: Option<usize>,
    /// Whether the persons of the import have names.
    names: bool,
}

impl Options {
    fn read() -> Self {
        let args: Vec<String> = std::env::args().skip(1).collect();
        let has = |name: &str| args.iter().any(|a| a == name);
        let cases = || {
            let at = args.iter().position(|a| a == "--cases");
            at.and_then(|at| args.get(at + 1)).and_then(|n| n.parse().ok()).unwrap_or(100_000)
        };
        Self {
            quick: has("--quick"),
            sealer: !has("--no-sealer"),
            sqlite: !has("--postgres"),
            postgres: !has("--sqlite"),
            figures: has("statistics").then(cases),
            imports: has("imports").then(cases),
            names: has("--names"),
            only: args.iter().find_map(|a| a.strip_prefix("--only=").map(str::to_owned)),
        }
    }

    /// A count of requests, smaller for a quick run.
    fn count(&self, full: usize) -> usize {
        if self.quick { full / 10 } else { full }
    }

    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| name.contains(only.as_str()))
    }
}

/// Rows measured so far, for the ratios.
struct Table {
    rows: Vec<(String, Figures)>,
    options: Options,
}

impl Table {
    fn head(engine: &str) {
        println!("\n{engine}");
        println!(
            "{:<44} {:>8} {:>8} {:>8} {:>9} {:>9} {:>9} {:>5}  ratio",
            "operation", "per s", "p50 ms", "p99 ms", "server µs", "databs µs", "load µs", "busy"
        );
    }

    /// Prints a row; `against` names the row that it is compared with.
    fn add(&mut self, name: &str, against: Option<&str>, figures: Figures) {
        let ratio = against
            .and_then(|other| self.rows.iter().find(|(n, _)| n == other))
            .map(|(other, f)| {
                let (own, theirs) = (figures.rate(), f.rate());
                format!("{:.2} of {other}; cost {:.2}×", own / theirs, figures.cost() / f.cost())
            })
            .unwrap_or_default();
        let Usage { server, database, load } = figures.each();
        println!(
            "{name:<44} {:>8.0} {:>8.2} {:>8.2} {server:>9.0} {database:>9.0} {load:>9.0} {:>5.1}  {ratio}",
            figures.rate(),
            figures.percentile(50.0),
            figures.percentile(99.0),
            load_average(),
        );
        self.rows.push((name.to_owned(), figures));
    }

    fn http(&mut self, bench: &Bench, name: &str, against: Option<&str>, requests: impl FnOnce() -> Vec<Arc<[u8]>>) {
        if self.options.wants(name) {
            let figures = Load { addr: bench.addr(), database: bench.pid }.run(requests());
            self.add(name, against, figures);
        }
    }
}

/// Processes that wanted a core in the last minute: what the neighbours did to the figures.
fn load_average() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

fn many(count: usize, one: impl Fn(usize) -> Vec<u8>) -> Vec<Arc<[u8]>> {
    (0..count).map(|n| Arc::from(one(n))).collect()
}

fn engine(options: &Options, name: &str, server: (DatabaseUrl, Option<u32>), dir: PathBuf) {
    let (database, pid) = server;
    let config = Config::for_tests(database, dir);
    let bench = Bench::start(&config, pid);
    if !options.sealer {
        bench.hold_the_sealer();
    }
    let mut table = Table { rows: Vec::new(), options: options.clone() };
    Table::head(name);
    let n = |full| options.count(full);
    let token = bench.token.as_str();
    let get = |path: &str| request("GET", path, token, &[], "");

    let pool = bench.cases(n(2_000).max(200));
    let first = &pool[0];
    table.http(&bench, "bare answer (GET /healthz/live)", None, || many(n(100_000), |_| get("/healthz/live")));

    let point = "GET case by id";
    if options.wants(point) {
        let figures = statements::reads(&bench, &pool, n(40_000));
        table.add("same read and access row, without HTTP", None, figures);
    }
    table.http(&bench, point, Some("same read and access row, without HTTP"), || {
        many(n(60_000), |i| get(&format!("/v1/cases/{}", pool[i % pool.len()].id)))
    });
    table.http(&bench, "GET identity", Some(point), || {
        many(n(40_000), |i| {
            request("GET", &format!("/v1/victims/{}/identity", pool[i % pool.len()].victim), &bench.identity, &[], "")
        })
    });
    table.http(&bench, "GET available transitions", Some(point), || {
        many(n(30_000), |i| get(&format!("/v1/cases/{}/transitions/available", pool[i % pool.len()].id)))
    });

    let amend = "PATCH case with If-Match";
    table.http(&bench, amend, None, || {
        many(n(20_000), |i| {
            let (at, version) = (i % pool.len(), 1 + i / pool.len());
            let headers =
                [("Content-Type", "application/merge-patch+json".into()), ("If-Match", format!("\"{version}.o\""))];
            let body = json!({"title": format!("Captación, versión {version}")}).to_string();
            request("PATCH", &format!("/v1/cases/{}", pool[at].id), token, &headers, &body)
        })
    });
    let moving = "POST transition of a case";
    if options.wants(moving) {
        let fresh = bench.cases(n(6_000));
        table.http(&bench, moving, Some(amend), || {
            many(fresh.len(), |i| {
                let body = json!({"trigger": "open_inquiry", "legal_act": {"type": "disposicion", "number": "01-2026"}});
                let headers = [
                    ("Content-Type", "application/json".into()),
                    ("Idempotency-Key", unique()),
                    ("If-Match", "\"1.o\"".into()),
                ];
                request("POST", &format!("/v1/cases/{}/transitions", fresh[i].id), token, &headers, &body.to_string())
            })
        });
    }
    let opening = "POST case (victim, accused, charge)";
    if options.wants(opening) {
        let figures = statements::writes(&bench, n(10_000));
        table.add("same statements, in a bare loop", None, figures);
    }
    table.http(&bench, opening, Some("same statements, in a bare loop"), || {
        let body = case().to_string();
        many(n(20_000), |_| {
            let headers = [("Content-Type", "application/json".into()), ("Idempotency-Key", unique())];
            request("POST", "/v1/cases", token, &headers, &body)
        })
    });

    if options.wants("list") {
        bench.more_cases(first, 110_000);
        let list = "list of 50 with a filter, page 1";
        table.http(&bench, list, None, || many(n(5_000), |_| get("/v1/cases?stage=reported&limit=50")));
        let far = bench.walk("/v1/cases?stage=reported&limit=50", 2_000);
        table.http(&bench, "list of 50 with a filter, page 2,000", Some(list), || many(n(5_000), |_| get(&far)));
    }
    if options.wants("feed") {
        feed(options, &bench, &mut table);
    }
    for desk in DESKS.iter().filter(|d| options.wants(&format!("desk of {}", d.name))) {
        desk.prepare(&bench, first);
        let few = format!("desk of {}, 10,000 open", desk.name);
        desk.grow(&bench, 10_000);
        table.http(&bench, &few, None, || many(n(3_000), |_| get(desk.path)));
        desk.grow(&bench, 990_000);
        let all = format!("desk of {}, 1,000,000 open", desk.name);
        table.http(&bench, &all, Some(&few), || many(n(3_000), |_| get(desk.path)));
    }
    bench.stop();
}

/// The change feed: what the sealer lays on the lanes, what a page costs, and how soon a thousand who wait hear of one case.
fn feed(options: &Options, bench: &Bench, table: &mut Table) {
    bench.hold_the_sealer();
    bench.cases(options.count(4_000));
    table.add("feed: an entry, sealed and laid on its lanes", None, Figures::of(bench.pid, || bench.seal()));
    let page = "feed: a page of 100 events";
    let get = |path: &str| request("GET", path, &bench.token, &[], "");
    table.http(bench, page, None, || many(options.count(10_000), |_| get("/v1/events?after=begin&limit=100")));
    bench.free_the_sealer();
    let wait: Arc<[u8]> = get(&format!("/v1/events?after={}&wait=20&limit=100", bench.feed_now())).into();
    let opens = request(
        "POST",
        "/v1/cases",
        &bench.token,
        &[("Content-Type", "application/json".into()), ("Idempotency-Key", unique())],
        &case().to_string(),
    );
    let addr = bench.addr();
    let ring = move || {
        load::once(addr, &opens);
    };
    let figures = Load { addr, database: bench.pid }.wait(1_000, wait, ring);
    table.add("feed: 1,000 who wait, from a case to its event", Some(page), figures);
}

/// Resident memory of the demo as everybody starts it, while it serves.
fn memory(options: &Options) {
    let dir = std::env::temp_dir().join(format!("sistra-bench-demo-{}", unique()));
    let mut child = Command::new(env!("CARGO_BIN_EXE_sistra"))
        .args(["demo", "--bind", "127.0.0.1:0", "--rate-read-per-min", "0", "--rate-concurrent", "0", "--data-dir"])
        .arg(&dir)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let said: Value =
        serde_json::Deserializer::from_reader(child.stdout.take().unwrap()).into_iter().next().unwrap().unwrap();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let base = text(&said["base"]);
    let client = &said["clients"][0];
    let token = load::token(&base, &text(&client["client_id"]), &text(&client["client_secret"]));
    let addr = base.strip_prefix("http://").unwrap().parse().unwrap();
    let cases = load::once(addr, &request("GET", "/v1/cases?limit=200", &token, &[], ""));
    let ids: Vec<String> = cases.1["items"].as_array().unwrap().iter().map(|c| text(&c["id"])).collect();
    let resident = || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let mb = |name: &str| {
            let line = status.lines().find(|l| l.starts_with(name)).unwrap();
            line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
        };
        (mb("VmRSS"), mb("VmHWM"))
    };
    let before = resident();
    let figures = Load { addr, database: None }.run(many(options.count(40_000), |i| match i % 10 {
        0 => request("GET", "/v1/cases?limit=50", &token, &[], ""),
        _ => request("GET", &format!("/v1/cases/{}", ids[i % ids.len()]), &token, &[], ""),
    }));
    let after = resident();
    println!("\nmemory of `sistra demo` ({} cases), resident MB", said["cases"]);
    println!("made: {:.0}; after {} reads: {:.0}; highest ever: {:.0}", before.0, figures.done(), after.0, after.1);
    child.kill().unwrap();
    child.wait().unwrap();
    let _ = std::fs::remove_dir_all(&dir);
}

/// Lets the database's own user, who is somebody else, write into a directory of this run.
fn open_to_all(dir: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o777)).unwrap();
}

/// What was asked for, on one engine.
fn measure(options: &Options, name: &str, server: (DatabaseUrl, Option<u32>), dir: PathBuf) {
    match options.figures {
        Some(cases) => statistics::run(name, server.0, dir, cases),
        None => engine(options, name, server, dir),
    }
}

fn main() {
    let options = Options::read();
    // `cargo test --benches` runs this too, and has no use for figures.
    if std::env::args().any(|a| a == "--test") || !std::env::args().any(|a| a == "--bench") {
        return;
    }
    // The access line is written as a server does, and thrown away by the system.
    let null = std::fs::File::create("/dev/null").unwrap();
    env_logger::Builder::new().parse_filters("warn,sistra=info").target(env_logger::Target::Pipe(Box::new(null))).init();
    println!("32 connections, {} cores, load average {:.1}", load::cores(), load_average());
    // Each connection waits for its commit: no rate is above 32 in this time, and where commits alternate, 16.
    println!("a commit of 16 kB to this disk takes {:.1} ms (half of 100 tries take less)", load::commit_ms());
    println!(
        "server, databs, load: processor time of a request in the server, in PostgreSQL, in the load generator; busy: load average"
    );
    let dir = std::env::temp_dir().join(format!("sistra-bench-{}", unique()));
    if options.sqlite {
        let dir = dir.join("sqlite");
        std::fs::create_dir_all(&dir).unwrap();
        if let Some(cases) = options.imports {
            imports::run("SQLite", cases, options.names, &dir, |name| imports::sqlite(&dir, name));
        } else {
            measure(&options, "SQLite", (DatabaseUrl::Sqlite(dir.join("sistra.sqlite3")), None), dir);
        }
    }
    if options.postgres
        && let Some(cluster) = postgres::Cluster::make("bench")
    {
        let dir = dir.join("postgres");
        std::fs::create_dir_all(&dir).unwrap();
        cluster.start_with(&["fsync=on", "shared_buffers=512MB", "max_wal_size=4GB"]);
        if let Some(cases) = options.imports {
            open_to_all(&dir);
            imports::run("PostgreSQL", cases, options.names, &dir, |name| {
                let place = dir.join(name);
                std::fs::create_dir_all(&place).unwrap();
                imports::Place { url: DatabaseUrl::Postgres(cluster.migrated(name)), dir: place }
            });
        } else {
            let url = cluster.migrated("bench");
            measure(&options, "PostgreSQL", (DatabaseUrl::Postgres(url), Some(cluster.pid())), dir);
        }
        cluster.stop();
    }
    if options.figures.is_none() && options.imports.is_none() && options.wants("memory") {
        memory(&options);
    }
    let _ = std::fs::remove_dir_all(&dir);
    // Threads that wait for nothing would keep the process; give the last lines time to leave.
    std::thread::sleep(Duration::from_millis(50));
}
