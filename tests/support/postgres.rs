//! A private PostgreSQL cluster for the test process: found, made, started on a free port, and stopped with it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};

static CLUSTER: OnceLock<Option<String>> = OnceLock::new();

/// URL of a new database; none where there is no PostgreSQL and none is required.
pub fn database() -> Option<String> {
    let base = CLUSTER.get_or_init(start).clone();
    let Some(base) = base else {
        assert!(
            std::env::var_os("SISTRA_REQUIRE_POSTGRES").is_none_or(|v| v != "1"),
            "PostgreSQL is required and not there"
        );
        eprintln!("no PostgreSQL here: skipped");
        return None;
    };
    let name = super::unique().replace('-', "_");
    let mut conn = PgConnection::establish(&format!("{base}/postgres")).unwrap();
    conn.batch_execute(&format!("CREATE DATABASE t{name}")).unwrap();
    Some(format!("{base}/t{name}"))
}

#[expect(clippy::zombie_processes, reason = "the server ends after this process: the watchdog sees to it")]
fn start() -> Option<String> {
    if let Ok(url) = std::env::var("SISTRA_TEST_DATABASE_URL") {
        return Some(url.rsplit_once('/').map_or(url.clone(), |(base, _)| base.to_owned()));
    }
    let bin = programs()?;
    let dir = std::env::temp_dir().join(format!("sistra-pg-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let root = Command::new("id").arg("-u").output().is_ok_and(|o| o.stdout.starts_with(b"0\n"));
    if root {
        // initdb refuses root.
        assert!(Command::new("chown").args(["nobody", dir.to_str()?]).status().unwrap().success());
    }
    let data = dir.join("data");
    let run = |program: &str| {
        let path = bin.join(program);
        if root {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=nobody", "--regid=nogroup", "--clear-groups"]).arg(path).env("HOME", &dir);
            command
        } else {
            Command::new(path)
        }
    };
    let made = run("initdb")
        .args(["-A", "trust", "-U", "sistra", "-N", "-D"])
        .arg(&data)
        .current_dir(&dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .ok()?;
    assert!(made.success(), "initdb failed");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut server = run("postgres");
    server
        .arg("-D")
        .arg(&data)
        .arg("-k")
        .arg(&dir)
        .args([
            "-p",
            &port.to_string(),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            "fsync=off",
            "-c",
            "max_connections=300",
            "-c",
            "log_min_messages=panic",
        ])
        .current_dir(&dir)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let child = server.spawn().unwrap();
    // Nobody may be left running: a watchdog outlives this process by a second, however it ends.
    let script = format!(
        "while kill -0 {parent} 2>/dev/null; do sleep 1; done; kill -INT {child}; sleep 1; rm -rf {dir}",
        parent = std::process::id(),
        child = child.id(),
        dir = dir.display()
    );
    Command::new("sh")
        .args(["-c", &script])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let base = format!("postgres://sistra@127.0.0.1:{port}");
    for _ in 0..200 {
        if PgConnection::establish(&format!("{base}/postgres")).is_ok() {
            return Some(base);
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("PostgreSQL did not start");
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
