//! Bad luck at start: one clear line on stderr, an exit code that says so, and no secret in it.

use std::os::unix::fs::PermissionsExt;

use diesel::connection::SimpleConnection;
use sistra::db::DatabaseUrl;
use sistra::db::connection::{Role, open};

use crate::support::process::{Dir, Server, client, data, run};
use crate::support::{case, postgres, unique};

/// Runs a command that must fail with one line that says `words`.
#[track_caller]
fn refused(args: &[&str], words: &str) {
    let ended = run(args);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{args:?}: {ended:?}");
    let lines: Vec<&str> = ended.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{args:?}: {lines:#?}");
    assert!(lines[0].starts_with("sistra: ") && lines[0].contains(words), "{args:?}: {}", lines[0]);
    for never in ["panicked", "Geheim", "Error {", "Err("] {
        assert!(!lines[0].contains(never), "{args:?}: {}", lines[0]);
    }
}

/// The ways to a database: the server's, and those of the tools.
fn each_command(place: &[&str], words: &str) {
    for command in [&["serve", "--bind", "127.0.0.1:0"][..], &["client", "list"], &["migrate", "up"], &["migrate", "status"]]
    {
        refused(&[command, place].concat(), words);
    }
}

#[test]
fn a_database_url_that_means_nothing_is_refused_by_its_scheme() {
    let dir = Dir::new();
    let [flag, path] = data(&dir.0);
    let with = |url: &'static str| [flag, path, "--database", url];
    each_command(&with("mysql://u:Geheim@h/d"), "unknown database scheme \"mysql\"");
    each_command(&with("db.internal"), "no scheme");
    each_command(&with("sqlite:"), "names no file");
    std::fs::write(dir.path("url"), "oracle://u:Geheim@h/d\n").unwrap();
    each_command(&[flag, path, "--database-file", &dir.path("url")], "unknown database scheme \"oracle\"");
    each_command(&[flag, path, "--database-file", &dir.path("nothing")], "cannot read the database URL");
}

#[test]
fn a_database_that_cannot_be_opened_is_named_without_its_password() {
    let dir = Dir::new();
    let [flag, path] = data(&dir.0);
    // Port 1 is nobody's; what libpq cannot read it would quote.
    each_command(&[flag, path, "--database", "postgres://u:Geheim@127.0.0.1:1/d"], "Connection refused");
    each_command(&[flag, path, "--database", "postgres://u:Geheim%zz@127.0.0.1:1/d"], "not one that PostgreSQL");
    each_command(&[flag, path, "--database", "postgres://u@127.0.0.1:Geheim/d"], "not one that PostgreSQL");
    let nowhere = format!("sqlite:{}", dir.path("no/such/place"));
    each_command(&[flag, path, "--database", &nowhere], "cannot open the database");
    std::fs::write(dir.path("other"), "this is not a database, whatever its name says".repeat(40)).unwrap();
    let other = format!("sqlite:{}", dir.path("other"));
    each_command(&[flag, path, "--database", &other], "not a database");
}

#[test]
fn a_schema_newer_than_the_binary_is_left_alone() {
    let dir = Dir::new();
    let place = data(&dir.0);
    assert_eq!(run(&[&["migrate", "up"], &place[..]].concat()).code, Some(0));
    let url = DatabaseUrl::Sqlite(dir.0.join("sistra.sqlite3"));
    let newer = "INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')";
    open(&url, Role::Write, 5_000).unwrap().batch_execute(newer).unwrap();
    for command in [&["serve", "--bind", "127.0.0.1:0"][..], &["client", "list"], &["migrate", "up"]] {
        refused(&[command, &place[..]].concat(), "newer than this binary");
    }
    let status = run(&[&["migrate", "status"], &place[..]].concat());
    assert!(status.code == Some(0) && status.stdout.contains("99999999999999"), "{status:?}");
}

#[test]
fn a_postgresql_schema_is_migrated_by_its_operator_and_by_nobody_else() {
    let Some(empty) = postgres::empty() else { return };
    let dir = Dir::new();
    let place = [&data(&dir.0)[..], &["--database", &empty.owner]].concat();
    refused(&[&["serve", "--bind", "127.0.0.1:0"], &place[..]].concat(), "run `sistra migrate up`");
    refused(&[&["client", "list"], &place[..]].concat(), "run `sistra migrate up`");
    assert_eq!(run(&[&["migrate", "up"], &place[..]].concat()).code, Some(0));
    // A second server of the same database must not seal with a keyring of its own.
    refused(&[&["serve", "--bind", "127.0.0.1:0"], &place[..]].concat(), "--make-keyring");
    let making = [&place[..], &["--make-keyring"]].concat();
    assert_eq!(Server::start(&making, None).stop(), Some(0));
    assert_eq!(Server::start(&place, None).stop(), Some(0));
    let elsewhere = Dir::new();
    let other = [&data(&elsewhere.0)[..], &["--database", &empty.owner, "--make-keyring"]].concat();
    refused(&[&["serve", "--bind", "127.0.0.1:0"], &other[..]].concat(), "restore it from its copy");
}

#[test]
fn one_directory_has_one_server_and_one_address_one_listener() {
    let (one, other) = (Dir::new(), Dir::new());
    let server = Server::start(&data(&one.0), None);
    refused(&[&["serve", "--bind", "127.0.0.1:0"], &data(&one.0)[..]].concat(), "in use by another process");
    let taken = server.base.trim_start_matches("http://");
    refused(&[&["serve", "--bind", taken], &data(&other.0)[..]].concat(), "cannot listen on 127.0.0.1:");
    refused(
        &[&["serve", "--bind", "127.0.0.1:0", "--metrics-bind", taken], &data(&other.0)[..]].concat(),
        "cannot listen on 127.0.0.1:",
    );
    // A partner system is registered beside a server that runs.
    client(&data(&one.0));
    assert_eq!(server.stop(), Some(0));
    assert_eq!(Server::start(&data(&one.0), None).stop(), Some(0), "a server that ended leaves its directory free");
}

#[test]
fn keys_are_for_their_owner_only_and_a_key_file_that_is_not_right_stops_the_start() {
    let dir = Dir::new();
    let home = dir.path("data");
    let place = ["--data-dir", home.as_str()];
    assert_eq!(Server::start(&place, None).stop(), Some(0));
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let file = format!("{home}/signing-keys.json");
    assert_eq!((mode(&home), mode(&file)), (0o700, 0o600));
    let serve = [&["serve", "--bind", "127.0.0.1:0"], &place[..]].concat();
    let status = [&["keys", "status"], &place[..]].concat();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    for command in [&serve, &status] {
        refused(command, "can be read by others: run chmod 600");
    }
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    let whole = std::fs::read_to_string(&file).unwrap();
    for damaged in ["", "{}", "Geheim", &whole[..whole.len() / 2], &whole.replace("\"pkcs8\": \"M", "\"pkcs8\": \"N")] {
        std::fs::write(&file, damaged).unwrap();
        for command in [&serve, &status] {
            refused(command, "key file");
        }
    }
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o700)).unwrap();
    refused(&serve, "cannot read the key file");
}

#[test]
fn places_that_cannot_be_used_are_named() {
    let dir = Dir::new();
    std::fs::write(dir.path("file"), "").unwrap();
    let under = dir.path("file/data");
    for command in [&["serve", "--bind", "127.0.0.1:0"][..], &["client", "list"], &["keys", "status"], &["migrate", "up"]] {
        refused(&[command, &["--data-dir", &under]].concat(), "cannot make the data directory");
    }
    let place = data(&dir.0);
    let serve = |issuers: &str| {
        refused(&[&["serve", "--bind", "127.0.0.1:0", "--trusted-issuers", issuers], &place[..]].concat(), issuers)
    };
    serve(&dir.path("nothing.json"));
    serve(&dir.path("file"));
    refused(&["demo", "--data-dir", place[1]], "is there already");
    refused(&["openapi", "--check", "--dir", place[1]], "v1.json");
    refused(&["openapi", "--write", "--dir", &under], "cannot write");
    refused(&["healthcheck", "--url", "http://127.0.0.1:1/healthz/ready"], "not ready");
}

#[test]
fn a_tool_says_what_is_wrong_with_what_it_was_given() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let create = |agency: &'static str, scope: &'static str, purpose: &'static str| {
        [&["client", "create", "--name", "x", "--agency", agency, "--scope", scope, "--purpose", purpose], &place[..]]
            .concat()
    };
    refused(&create("nobody at all", "cases:read", "prosecution"), "no agency code");
    refused(&create("PE-NOBODY", "cases:read", "prosecution"), "agency");
    refused(&create("PE-DP", "cases:eat", "oversight"), "cases:eat");
    refused(&create("PE-DP", "cases:read", "curiosity"), "curiosity");
    let unknown = "00000000-0000-4000-8000-000000000000";
    for command in [
        &["client", "disable"][..],
        &["client", "enable"],
        &["client", "rotate"],
        &["client", "revoke"],
        &["client", "constrain"],
        &["token", "--client"],
    ] {
        refused(&[command, &[unknown], &place[..]].concat(), "there is no");
        refused(&[command, &["x"], &place[..]].concat(), "\"x\" is no client id");
    }
}

#[test]
fn the_keys_that_wrap_are_shown_rotated_and_retired_and_persons_are_erased_by_order_only() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let read = |args: &[&str]| -> serde_json::Value {
        let ended = run(&[args, &place[..]].concat());
        assert_eq!(ended.code, Some(0), "{args:?}: {}", ended.stderr);
        serde_json::from_str(&ended.stdout).unwrap()
    };
    assert_eq!(read(&["keys", "status"])["wrapping_keys"], serde_json::json!([]), "a tool that only looks makes none");
    let server = Server::start(&place, None);
    let first = read(&["keys", "status"])["wrapping_keys"][0]["id"].clone();
    let rotated = read(&["keys", "rotate", "--only", "wrapping"]);
    let second = rotated["wrapping"]["keys"][0]["id"].clone();
    assert_ne!(first, second);
    assert_eq!(
        (&rotated["wrapping"]["report"]["rewrapped"], &rotated["wrapping"]["keys"][1]["id"]),
        (&serde_json::json!(1), &first)
    );
    assert_eq!(read(&["keys", "rewrap"])["wrapping"]["report"]["rewrapped"], 0);
    assert_eq!(read(&["keys", "retire"])["retired"], serde_json::json!([first]));
    assert_eq!(server.stop(), Some(0));
    assert_eq!(Server::start(&place, None).stop(), Some(0), "the database opens with the keyring that is left");
    let nobody = "00000000-0000-4000-8000-000000000000";
    let erase = |more: &[&'static str]| [&["erase"], more, &place[..]].concat();
    refused(&erase(&["--victim", nobody, "--basis", "Rosa"]), "a reference is");
    refused(&erase(&["--victim", "x", "--basis", "RES-1"]), "is no id of a victim");
    refused(&erase(&["--accused", nobody, "--basis", "RES-1"]), "there is no such person");
    std::fs::remove_file(format!("{}/keyring.json", place[1])).unwrap();
    refused(&[&["serve", "--bind", "127.0.0.1:0"], &place[..]].concat(), "restore it from its copy");
}

#[test]
fn a_client_is_constrained_and_its_tokens_are_ended_from_the_command_line() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let json = |args: &[&str]| -> serde_json::Value {
        let done = run(&[args, &place[..]].concat());
        assert_eq!(done.code, Some(0), "{args:?}: {done:?}");
        serde_json::from_str(&done.stdout).unwrap()
    };
    let create =
        ["client", "create", "--name", "x", "--agency", "PE-PNP", "--scope", "cases:read", "--purpose", "investigation"];
    let made = json(&[&create[..], &["--dpop", "--territory", "1501"]].concat());
    let id = made["client_id"].as_str().unwrap();
    let shown = || json(&["client", "list"])["items"][0].clone();
    assert_eq!(
        (&shown()["dpop"], &shown()["territory"], &shown()["tokens_after"]),
        (&true.into(), &"1501".into(), &().into())
    );
    refused(&[&["token", "--client", id][..], &place[..]].concat(), "are bound to a key");
    json(&["client", "constrain", id, "--dpop", "false", "--territory", ""]);
    assert_eq!((&shown()["dpop"], &shown()["territory"]), (&false.into(), &().into()));
    assert!(json(&["token", "--client", id])["access_token"].is_string());
    refused(&[&["client", "constrain", id, "--territory", "15x"][..], &place[..]].concat(), "no UBIGEO prefix");
    let ended = json(&["client", "revoke", id]);
    assert_eq!((&shown()["tokens_after"], &shown()["active"]), (&ended["tokens_after"], &true.into()));
    json(&["client", "disable", id]);
    assert_ne!(shown()["tokens_after"], ended["tokens_after"]);
}

#[test]
fn the_desk_of_deadlines_is_made_anew_of_cases_that_are_sealed() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let system = client(&place);
    let server = Server::start(&place, None);
    let token = server.token(&system);
    assert_eq!(server.post("/v1/cases", &token, &case()).unwrap().status, 201);
    let ended = run(&[&["deadlines", "rebuild"], &place[..]].concat());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap(), serde_json::json!({"cases": 1}));
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn a_person_is_erased_with_a_certificate_that_the_ledger_s_key_verifies_and_no_other() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let system = client(&place);
    let server = Server::start(&place, None);
    let token = server.token(&system);
    let opened = server.post("/v1/cases", &token, &case()).unwrap();
    let path = opened.header("location");
    let suspects = server.get(&format!("{path}/accused"), &token).unwrap().json();
    let accused = suspects["items"][0]["id"].as_str().unwrap();
    let archive = serde_json::json!({"trigger": "reject_outright", "effective_on": "2026-03-20", "legal_act": {"type": "disposicion"}});
    let headers = [
        ("Authorization", format!("Bearer {token}")),
        ("Content-Type", "application/json".to_owned()),
        ("Idempotency-Key", unique()),
        ("If-Match", opened.header("etag")),
    ];
    let moved = server.send("POST", &format!("{path}/transitions"), &headers, archive.to_string().as_bytes()).unwrap();
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!(server.stop(), Some(0));
    let erase = |more: &[&str]| run(&[&["erase", "--accused", accused, "--basis", "RES-1"], more, &place[..]].concat());
    let dry: serde_json::Value = serde_json::from_str(&erase(&["--dry-run"]).stdout).unwrap();
    assert_eq!(
        (&dry["certificate"]["erased_at"], &dry["jws"]),
        (&().into(), &().into()),
        "what was not done is not attested"
    );
    let done = erase(&[]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let signed: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
    let certificate = &signed["certificate"];
    assert_eq!(
        (&certificate["id"], &certificate["basis"], &certificate["cases"]),
        (&accused.into(), &"RES-1".into(), &1.into())
    );
    assert!(certificate["erased_at"].is_string() && certificate["ledger_entry_id"].is_string(), "{certificate}");
    // What stands beside the signature is not believed: only what was signed is printed.
    let file = dir.0.join("certificate.json");
    let mut changed = signed.clone();
    changed["certificate"]["basis"] = "RES-2".into();
    std::fs::write(&file, changed.to_string()).unwrap();
    let name = file.to_str().unwrap();
    let verify = |more: &[&str]| run(&[&["certificate", "verify", name], more, &place[..]].concat());
    let said: serde_json::Value = serde_json::from_str(&verify(&[]).stdout).unwrap();
    assert_eq!((&said["ok"], &said["certificate"]), (&true.into(), certificate));
    let key = signed["key"].as_str().unwrap();
    assert_eq!(verify(&["--key", key]).code, Some(0));
    let other = Dir::new();
    let elsewhere = data(&other.0);
    assert_eq!(Server::start(&elsewhere, None).stop(), Some(0));
    let strange = run(&[&["ledger", "key"], &elsewhere[..]].concat()).stdout;
    refused(
        &[&["certificate", "verify", name, "--key", strange.trim()], &place[..]].concat(),
        "the signature does not hold",
    );
    let jws = signed["jws"].as_str().unwrap();
    let (head, signature) = jws.rsplit_once('.').unwrap();
    std::fs::write(&file, format!("{head}A.{signature}")).unwrap();
    refused(&[&["certificate", "verify", name], &place[..]].concat(), "the signature does not hold");
}
