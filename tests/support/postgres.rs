//! Private PostgreSQL clusters for the test process: found, made, started on a free port, and stopped with it.
//!
//! Two templates: the schema as it is, and its twin with every bucket table split in four partitions by hash of the
//! bucket, where a statement that does not bind its bucket shows in its plan. Servers connect with the rights of the
//! application, as migrations/README.md grants them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock};

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use sistra::db::DatabaseUrl;
use sistra::db::connection::{Role, open};
use sistra::db::migrations;

/// Partitions of a table of the twin.
pub const PARTITIONS: usize = 4;
/// The application's role, and the one of the twin's servers: the same rights, and every plan goes to the log.
const APP: &str = "sistra_app";
pub const TWIN: &str = "sistra_twin";

/// A database of its own, for one test.
pub struct Database {
    /// For its owner: migrations, and looking behind the server's back.
    pub owner: String,
    /// For the server.
    pub server: String,
    pub name: String,
}

struct Shared {
    base: String,
    /// None for a server that was given: it has no log that can be read, and no roles of ours.
    own: Option<Cluster>,
}

static SHARED: OnceLock<Option<Shared>> = OnceLock::new();
static PLAIN: OnceLock<String> = OnceLock::new();
static SPLIT: OnceLock<String> = OnceLock::new();

fn shared() -> Option<&'static Shared> {
    let found = SHARED.get_or_init(|| {
        if let Ok(url) = std::env::var("SISTRA_TEST_DATABASE_URL") {
            let base = url.rsplit_once('/').map_or(url.clone(), |(base, _)| base.to_owned());
            return Some(Shared { base, own: None });
        }
        let cluster = Cluster::make("shared")?;
        cluster.start();
        let base = cluster.base();
        execute(&base, "postgres", &roles());
        Some(Shared { base, own: Some(cluster) })
    });
    if found.is_none() {
        assert!(
            std::env::var_os("SISTRA_REQUIRE_POSTGRES").is_none_or(|v| v != "1"),
            "PostgreSQL is required and not there"
        );
        eprintln!("no PostgreSQL here: skipped");
    }
    found.as_ref()
}

fn roles() -> String {
    let settings = [
        ("session_preload_libraries", "auto_explain"),
        ("auto_explain.log_min_duration", "0"),
        ("auto_explain.log_format", "json"),
        ("plan_cache_mode", "force_custom_plan"),
        ("log_min_messages", "log"),
    ];
    let settings: String =
        settings.iter().map(|(name, value)| format!("ALTER ROLE {TWIN} SET {name} = '{value}';")).collect();
    format!("CREATE ROLE {APP} LOGIN; CREATE ROLE {TWIN} LOGIN IN ROLE {APP}; {settings}")
}

fn execute(base: &str, database: &str, sql: &str) {
    PgConnection::establish(&format!("{base}/{database}")).unwrap().batch_execute(sql).unwrap();
}

/// What migrations/README.md tells an operator to grant.
fn grants() -> String {
    let text = std::fs::read_to_string("migrations/README.md").unwrap();
    text.split("```sql\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// A new database, migrated; none where there is no PostgreSQL and none is required.
pub fn database() -> Option<Database> {
    let shared = shared()?;
    let template = PLAIN.get_or_init(|| {
        let Database { owner, name, .. } = copy(shared, "template1", APP);
        migrations::up(&mut open(&DatabaseUrl::Postgres(owner), Role::Write, 60_000).unwrap()).unwrap();
        if shared.own.is_some() {
            execute(&shared.base, &name, &grants());
        }
        name
    });
    Some(copy(shared, template, APP))
}

/// A new database of the twin.
pub fn twin() -> Option<Database> {
    let shared = shared()?;
    shared.own.as_ref()?;
    let template = SPLIT.get_or_init(|| {
        let Database { owner, name, .. } = copy(shared, "template1", TWIN);
        // Makes the table of versions.
        let mut conn = open(&DatabaseUrl::Postgres(owner), Role::Write, 60_000).unwrap();
        migrations::up(&mut conn).unwrap();
        migrations::down(&mut conn, None).unwrap();
        drop(conn);
        let mut all = String::new();
        for (step, sql) in steps("postgres") {
            all.push_str(&split(&sql));
            let version = step.split('_').next().unwrap();
            all.push_str(&format!("INSERT INTO __diesel_schema_migrations (version) VALUES ('{version}');"));
        }
        execute(&shared.base, &name, &all);
        execute(&shared.base, &name, &grants());
        name
    });
    Some(copy(shared, template, TWIN))
}

/// An empty database.
pub fn empty() -> Option<Database> {
    Some(copy(shared()?, "template1", APP))
}

fn copy(shared: &Shared, template: &str, role: &str) -> Database {
    let name = format!("t{}", super::unique().replace('-', "_"));
    execute(&shared.base, "postgres", &format!("CREATE DATABASE {name} TEMPLATE {template}"));
    let owner = format!("{}/{name}", shared.base);
    let server = if shared.own.is_some() { owner.replacen("sistra@", &format!("{role}@"), 1) } else { owner.clone() };
    Database { owner, server, name }
}

/// The steps of a tree, in order: name and text.
pub fn steps(tree: &str) -> Vec<(String, String)> {
    let mut steps: Vec<(String, String)> = std::fs::read_dir(format!("migrations/{tree}"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .map(|p| (p.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(p.join("up.sql")).unwrap()))
        .collect();
    steps.sort();
    steps
}

/// A step as the twin has it: a table with a bucket is split by it.
fn split(sql: &str) -> String {
    let Some(table) = sql.split("CREATE TABLE IF NOT EXISTS ").nth(1).and_then(|rest| rest.split_whitespace().next()) else {
        return sql.to_owned();
    };
    if !sql.contains("PRIMARY KEY (bucket") {
        return sql.to_owned();
    }
    let mut made = sql.trim_end().trim_end_matches(';').to_owned();
    made.push_str(" PARTITION BY HASH (bucket);");
    for n in 0..PARTITIONS {
        made.push_str(&format!(
            "CREATE TABLE {table}_part{n} PARTITION OF {table} FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {n});"
        ));
    }
    made
}

/// The log of the twin's servers: one JSON object a line. Answers the text from `offset` on.
pub fn log_from(offset: u64) -> String {
    use std::io::{Read, Seek, SeekFrom};
    let path = shared().unwrap().own.as_ref().unwrap().dir.join("log/all.json");
    let Ok(mut file) = std::fs::File::open(path) else { return String::new() };
    file.seek(SeekFrom::Start(offset)).unwrap();
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where the log ends now.
pub fn log_end() -> u64 {
    let path = shared().unwrap().own.as_ref().unwrap().dir.join("log/all.json");
    std::fs::metadata(path).map(|m| m.len()).unwrap_or(0)
}

/// A cluster of this process.
pub struct Cluster {
    bin: PathBuf,
    dir: PathBuf,
    port: u16,
    root: bool,
    server: Mutex<Option<Child>>,
}

impl Cluster {
    /// Makes one, not started.
    pub fn make(name: &str) -> Option<Self> {
        let bin = programs()?;
        let dir = std::env::temp_dir().join(format!("sistra-pg-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"));
        if root {
            // initdb refuses root.
            assert!(Command::new("chown").args(["nobody", dir.to_str()?]).status().unwrap().success());
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let cluster = Self { bin, dir, port, root, server: Mutex::new(None) };
        let made = cluster
            .program("initdb")
            .args(["-A", "trust", "-U", "sistra", "-N", "-D"])
            .arg(cluster.dir.join("data"))
            .status()
            .ok()?;
        assert!(made.success(), "initdb failed");
        Some(cluster)
    }

    fn program(&self, program: &str) -> Command {
        let path = self.bin.join(program);
        let mut command = if self.root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(path).env("HOME", &self.dir);
            command
        } else {
            Command::new(path)
        };
        command.current_dir(&self.dir).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    /// Everything of a URL but the database.
    pub fn base(&self) -> String {
        format!("postgres://sistra@127.0.0.1:{}", self.port)
    }

    /// Starts it, with no regard for power cuts; returns once it answers.
    pub fn start(&self) {
        self.start_with(&["fsync=off"]);
    }

    /// Starts it with settings of the caller's.
    #[expect(clippy::zombie_processes, reason = "the watchdog outlives this process on purpose")]
    pub fn start_with(&self, settings: &[&str]) {
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.dir.join("data")).arg("-k").arg(&self.dir).args(["-p", &self.port.to_string()]);
        let log = format!("log_directory={}", self.dir.join("log").display());
        for setting in [
            "listen_addresses=127.0.0.1",
            "max_connections=300",
            "log_min_messages=panic",
            "logging_collector=on",
            "log_destination=jsonlog",
            "log_filename=all.log",
            "log_rotation_age=0",
            "log_rotation_size=0",
            &log,
        ]
        .iter()
        .chain(settings)
        {
            command.args(["-c", setting]);
        }
        let child = command.spawn().unwrap();
        // Nobody may be left running: a watchdog outlives this process by a second, however it ends.
        let script = format!(
            "while kill -0 {parent} 2>/dev/null; do sleep 1; done; kill -INT {child} 2>/dev/null; sleep 1; rm -rf {dir}",
            parent = std::process::id(),
            child = child.id(),
            dir = self.dir.display()
        );
        Command::new("sh")
            .args(["-c", &script])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        *self.server.lock().unwrap() = Some(child);
        let url = format!("{}/postgres", self.base());
        for _ in 0..200 {
            if PgConnection::establish(&url).is_ok() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        panic!("PostgreSQL did not start");
    }

    /// Its first process.
    pub fn pid(&self) -> u32 {
        self.server.lock().unwrap().as_ref().unwrap().id()
    }

    /// Stops it at once, as a power cut does.
    pub fn stop(&self) {
        let stopped = Command::new("kill").args(["-QUIT", &self.pid().to_string()]).status().unwrap();
        let mut server = self.server.lock().unwrap().take().unwrap();
        assert!(stopped.success());
        server.wait().unwrap();
    }

    /// Makes a database with the schema; answers its URL.
    pub fn migrated(&self, name: &str) -> String {
        execute(&self.base(), "postgres", &format!("CREATE DATABASE {name}"));
        let url = format!("{}/{name}", self.base());
        migrations::up(&mut open(&DatabaseUrl::Postgres(url.clone()), Role::Write, 60_000).unwrap()).unwrap();
        url
    }
}

fn programs() -> Option<PathBuf> {
    let mut places: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        // The distribution's own folder first: what stands in PATH may be a wrapper.
        places.splice(0..0, versions.flatten().map(|v| v.path().join("bin")));
    }
    places.into_iter().find(|p: &PathBuf| exists(p, "initdb") && exists(p, "postgres"))
}

fn exists(dir: &Path, program: &str) -> bool {
    dir.join(program).is_file()
}
