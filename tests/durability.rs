//! What was acknowledged is there, whatever happens to the process, the disk or the database.

use std::collections::BTreeSet;
use std::sync::Mutex;

use diesel::prelude::*;
use serde_json::Value;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl};

use crate::support::process::{Dir, Server, client, data};
use crate::support::{Answer, case, postgres};

const WRITERS: usize = 8;

/// Opens cases from several connections until `enough` says so, which hears every answer; a broken connection ends a
/// writer. Answers what was acknowledged: where it is, and what it says.
fn load(server: &Server, token: &str, enough: impl Fn(&Answer, usize) -> bool + Sync) -> Vec<(String, Value)> {
    let acknowledged = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(|| {
                while let Some(answer) = server.post("/v1/cases", token, &case()) {
                    let mut all = acknowledged.lock().unwrap();
                    if answer.status == 201 {
                        all.push((answer.header("location"), answer.record()));
                    }
                    if enough(&answer, all.len()) {
                        return;
                    }
                }
            });
        }
    });
    acknowledged.into_inner().unwrap()
}

/// Every acknowledged case is there as it was answered, with the ledger entry that says so.
fn all_there(server: &Server, token: &str, acknowledged: &[(String, Value)]) {
    for (path, body) in acknowledged {
        let found = server.get(path, token).unwrap();
        assert_eq!((found.status, &found.json()), (200, body), "{path}");
        let history = server.get(&format!("{path}/history"), token).unwrap().json();
        assert_eq!(history["items"][0]["type"], "case.created", "{path}");
    }
}

/// Rows that are not whole, by what they lack: of a database with cases of `case()` only.
pub fn halves(dir: &Dir) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = diesel::sql_types::Text)]
        line: String,
    }
    let Conn::Sqlite(mut conn) = open(&DatabaseUrl::Sqlite(dir.0.join("sistra.sqlite3")), Role::Write, 5_000).unwrap()
    else {
        panic!("SQLite only")
    };
    let each = ["case_victim", "case_accused", "charge"]
        .map(|t| format!("(SELECT count(*) FROM {t} x WHERE x.case_id = c.id) <> 1"));
    let lacks = [
        each.join(" OR "),
        "(SELECT count(*) FROM docket d WHERE d.case_id = c.id) <> 2".to_owned(),
        "(SELECT count(*) FROM idempotency i WHERE i.resource_id = c.id) + (SELECT count(*) FROM import_origin o WHERE o.case_id = c.id) <> 1".to_owned(),
        "(SELECT count(*) FROM ledger_entry e WHERE e.resource_id = c.id AND e.action = 'created') <> 1".to_owned(),
        "(SELECT count(*) FROM case_victim v JOIN victim p ON p.id = v.victim_id JOIN victim_identity i ON i.victim_id = p.id WHERE v.case_id = c.id) <> 1".to_owned(),
    ];
    let mut checks: Vec<String> =
        lacks.iter().map(|l| format!("SELECT hex(c.id) || ' lacks something' AS line FROM case_file c WHERE {l}")).collect();
    for table in ["case_victim", "case_accused", "charge", "docket"] {
        checks.push(format!("SELECT '{table} without a case' AS line FROM {table} x WHERE NOT EXISTS (SELECT 1 FROM case_file c WHERE c.id = x.case_id)"));
    }
    checks.extend([
        "SELECT 'entry sealed ' || n || ' times' AS line FROM (SELECT (SELECT count(*) FROM ledger_leaf l WHERE l.entry_id = e.id) + (SELECT count(*) FROM ledger_pending p WHERE p.entry_id = e.id) AS n FROM ledger_entry e) WHERE n <> 1".to_owned(),
        "SELECT 'a gap in the positions' AS line FROM (SELECT count(*) AS n, max(position) + 1 AS m FROM ledger_leaf) WHERE n <> m".to_owned(),
        "SELECT 'head ' || size AS line FROM ledger_head WHERE size <> (SELECT count(*) FROM ledger_leaf)".to_owned(),
        "SELECT integrity_check AS line FROM pragma_integrity_check WHERE integrity_check <> 'ok'".to_owned(),
        "SELECT \"table\" || ' breaks a foreign key' AS line FROM pragma_foreign_key_check".to_owned(),
    ]);
    checks.iter().flat_map(|sql| diesel::sql_query(sql).load::<Line>(&mut conn).unwrap()).map(|l| l.line).collect()
}

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged_and_leaves_nothing_half() {
    const ACKNOWLEDGED: usize = 60;
    let dir = Dir::new();
    let place = data(&dir.0);
    let system = client(&place);
    let mut acknowledged = Vec::new();
    for round in 1..=3 {
        let server = Server::start(&place, None);
        let token = server.token(&system);
        let more = load(&server, &token, |answer, count| {
            assert_eq!(answer.status, 201, "{}", answer.text);
            if count >= ACKNOWLEDGED {
                server.kill();
            }
            count >= ACKNOWLEDGED
        });
        assert!(more.len() >= ACKNOWLEDGED, "{round}: {}", more.len());
        drop(server);
        acknowledged.extend(more);
        assert_eq!(halves(&dir), Vec::<String>::new(), "{round}");
    }
    let server = Server::start(&place, None);
    let token = server.token(&system);
    all_there(&server, &token, &acknowledged);
    // What was not acknowledged is there whole, or not at all: the list shows nothing that cannot be read.
    let mut listed = BTreeSet::new();
    let mut next = "/v1/cases?limit=200".to_owned();
    loop {
        let page = server.get(&next, &token).unwrap().json();
        listed.extend(page["items"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("/v1/cases?limit=200&cursor={cursor}"),
            None => break,
        }
    }
    let known: BTreeSet<String> = acknowledged.iter().map(|(_, b)| b["id"].as_str().unwrap().to_owned()).collect();
    assert!(known.is_subset(&listed));
    for id in listed.difference(&known) {
        assert_eq!(
            server.get(&format!("/v1/cases/{id}/victims"), &token).unwrap().json()["items"].as_array().unwrap().len(),
            1
        );
    }
    assert_eq!(server.stop(), Some(0));
    assert_eq!(halves(&dir), Vec::<String>::new());
}

/// A problem that says: come again.
#[track_caller]
fn is_unavailable(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.header("content-type").as_str()),
        (503, "application/problem+json"),
        "{}",
        answer.text
    );
    assert!(answer.header("retry-after").parse::<u32>().unwrap() > 0, "{}", answer.text);
    assert_eq!(answer.json()["status"], 503);
}

#[test]
fn on_a_full_disk_writes_are_refused_and_nothing_acknowledged_is_missing() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let system = client(&place);
    let small = Server::start(&place, Some(4_000));
    let token = small.token(&system);
    let acknowledged = load(&small, &token, |answer, count| {
        assert!(count < 5_000, "the disk does not fill");
        if answer.status != 201 {
            is_unavailable(answer);
        }
        answer.status != 201
    });
    assert!(!acknowledged.is_empty());
    // Reads that leave no trace go on; those that must be recorded are refused, not served unrecorded.
    assert_eq!(small.get("/v1/agencies/PE-DP", &token).unwrap().status, 200);
    for (path, body) in acknowledged.iter().take(20) {
        let read = small.get(path, &token).unwrap();
        if read.status == 200 {
            assert_eq!(&read.json(), body);
        } else {
            is_unavailable(&read);
        }
    }
    assert_eq!(small.get("/healthz/live", &token).unwrap().status, 200);
    assert!(!small.said().contains("panicked"), "{}", small.said());
    assert_eq!(small.stop(), Some(0), "{}", small.said());
    assert_eq!(halves(&dir), Vec::<String>::new());
    let server = Server::start(&place, None);
    let token = server.token(&system);
    all_there(&server, &token, &acknowledged);
    assert_eq!(server.post("/v1/cases", &token, &case()).unwrap().status, 201);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(halves(&dir), Vec::<String>::new());
}

#[test]
fn while_postgresql_is_down_the_answer_is_503_and_when_it_is_back_the_service_is_too() {
    let Some(cluster) = postgres::Cluster::make("down") else { return };
    cluster.start();
    let dir = Dir::new();
    let url = cluster.migrated("registry");
    let place = [&data(&dir.0)[..], &["--database", &url]].concat();
    let system = client(&place);
    let server = Server::start(&[&place[..], &["--make-keyring"]].concat(), None);
    let token = server.token(&system);
    let (path, body) = {
        let made = server.post("/v1/cases", &token, &case()).unwrap();
        (made.header("location"), made.record())
    };
    // Connections of the whole pool, so that every one of them is dead afterwards.
    load(&server, &token, |_, count| count > 2 * WRITERS);
    cluster.stop();
    for _ in 0..3 {
        is_unavailable(&server.get(&path, &token).unwrap());
        is_unavailable(&server.post("/v1/cases", &token, &case()).unwrap());
    }
    assert_eq!(server.get("/healthz/ready", &token).unwrap().status, 503);
    assert_eq!(server.get("/healthz/live", &token).unwrap().status, 200);
    cluster.start();
    let back = (0..200).any(|_| server.get("/healthz/ready", &token).unwrap().status == 200);
    assert!(back, "{}", server.said());
    for _ in 0..3 * WRITERS {
        let read = server.get(&path, &token).unwrap();
        assert_eq!((read.status, read.json()), (200, body.clone()));
    }
    load(&server, &token, |answer, count| {
        assert_eq!(answer.status, 201, "{}", answer.text);
        count > 2 * WRITERS
    });
    assert!(!server.said().contains("panicked"), "{}", server.said());
    assert_eq!(server.stop(), Some(0));
    cluster.stop();
}
