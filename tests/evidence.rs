//! A record that nobody can change in silence: every way of tampering that the storage allows is found and located, by
//! the program and by another one that shares no code with it.

use std::io::Write;
use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl};
use sistra::kernel::ids::{CaseId, EntryId};
use sistra::kernel::trail::Trail;
use sistra::kernel::{AgencyCode, Bucket, Timestamp};
use sistra::ledger::merkle::{Frontier, is_extension, is_included, leaf_hash};
use sistra::ledger::{Action, Actor, Entry, Notary, append, sealer, tree};

use crate::both;
use crate::support::process::{Dir, Ended, Server, client, run};
use crate::support::{Engine, World, case};

const AUDIT: &str = "audit:read audit.proof:read cases:read cases:write";

fn actor(agency: &str) -> Actor {
    let agency = Some(AgencyCode::parse(agency).unwrap());
    Actor {
        client: None,
        agency,
        user: Some("mesa-7".into()),
        purpose: Some(Purpose::Audit),
        request_id: uuid::Uuid::new_v4(),
        trail: Trail::default(),
    }
}

/// Entries about as many cases, each with a payload of its own.
fn entries(count: usize) -> Vec<Entry> {
    let one = |n: usize| {
        let id = CaseId::generate(Timestamp::now(), Bucket::random());
        Entry::new(Action::Updated, id, Some(2)).changed(vec![format!("/summary/{n}"), "/título".into()])
    };
    (0..count).map(one).collect()
}

/// A record of so many entries more, all sealed and signed.
fn recorded(world: &World, count: usize) {
    let store = &world.running.as_ref().unwrap().store;
    let new = entries(count);
    store.write_blocking(move |tx| append(tx, &actor("PE-MP-FISTRAP-LIMA"), Timestamp::now(), new.clone())).unwrap();
    signed(world);
}

/// Waits until everything has its position and a signature; answers how many there are.
fn signed(world: &World) -> i64 {
    let store = &world.running.as_ref().unwrap().store;
    loop {
        // One after the other: what was not waiting at first has its position at last.
        let (_, waiting) = store.read_blocking(sealer::progress).unwrap();
        let (sealed, _) = store.read_blocking(sealer::progress).unwrap();
        let newest = store.read_blocking(|conn| tree::checkpoints(conn, None, 1)).unwrap().pop();
        if waiting == 0 && newest.is_some_and(|n| n.size == sealed) {
            return sealed;
        }
        std::thread::yield_now();
    }
}

fn ledger(world: &World, command: &[&str]) -> Ended {
    let database = match &world.database {
        DatabaseUrl::Postgres(url) => url.clone(),
        DatabaseUrl::Sqlite(path) => format!("sqlite:{}", path.display()),
    };
    let place = ["--data-dir", world.dir.to_str().unwrap(), "--database", &database];
    run(&[&["ledger"], command, &place].concat())
}

/// What the check says; its exit code must say the same.
#[track_caller]
fn verified(world: &World, more: &[&str]) -> Value {
    let ended = ledger(world, &[&["verify"], more].concat());
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    assert_eq!(report["ok"].as_bool().unwrap(), ended.code == Some(0), "{ended:?}");
    report
}

/// `what@position` or `what@from-to` of every fault.
fn faults(report: &Value) -> Vec<String> {
    let one = |f: &Value| match (f["position"].as_i64(), f["to_position"].as_i64()) {
        (Some(from), Some(to)) => format!("{}@{from}-{to}", f["what"].as_str().unwrap()),
        (Some(at), None) => format!("{}@{at}", f["what"].as_str().unwrap()),
        _ => f["what"].as_str().unwrap().to_owned(),
    };
    report["faults"].as_array().unwrap().iter().map(one).collect()
}

/// SQL of somebody who owns the tables and stops their triggers.
fn tamper(world: &World, sql: &str) {
    let mut conn = open(&world.database, Role::Write, 60_000).unwrap();
    match conn {
        Conn::Postgres(_) => conn.batch_execute("SET session_replication_role = replica").unwrap(),
        Conn::Sqlite(_) => {
            for table in ["entry", "leaf", "node", "checkpoint"] {
                for op in ["update", "delete"] {
                    conn.batch_execute(&format!("DROP TRIGGER IF EXISTS ledger_{table}_append_only_{op}")).unwrap();
                }
            }
        }
    }
    conn.batch_execute(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
}

const TABLES: [&str; 7] =
    ["ledger_entry", "ledger_leaf", "ledger_lane", "ledger_node", "ledger_checkpoint", "ledger_head", "ledger_pending"];

fn put_back(world: &World) {
    for table in TABLES {
        tamper(world, &format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}"));
    }
}

fn at(position: i64) -> String {
    format!("(SELECT entry_id FROM ledger_leaf WHERE position = {position})")
}

fn bytes(world: &World, bytes: &[u8]) -> String {
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    if matches!(world.database, DatabaseUrl::Sqlite(_)) { format!("x'{hex}'") } else { format!("'\\x{hex}'::bytea") }
}

fn hash_at(world: &World, position: i64) -> Vec<u8> {
    let mut conn = open(&world.database, Role::Write, 60_000).unwrap();
    tree::level(&mut conn, 0, position..position + 1).unwrap()[0].to_vec()
}

fn tampering(engine: Engine) {
    let Some(mut made) = World::new(engine) else { return };
    let world = &mut made;
    // Two whole tiles and the beginning of a third; checkpoints in between.
    recorded(world, 200);
    recorded(world, 390);
    assert_eq!(signed(world), 590);
    let kept_note = world.dir.join("kept.note");
    std::fs::write(&kept_note, ledger(world, &["checkpoint"]).stdout).unwrap();
    let kept_note = kept_note.to_str().unwrap().to_owned();
    let key = ledger(world, &["key"]).stdout;
    halt(world);
    let clean = verified(world, &["--checkpoint", &kept_note]);
    assert_eq!((faults(&clean), &clean["size"], &clean["waiting"]), (vec![], &json!(590), &json!(0)));
    assert!(clean["checkpoints"].as_u64().unwrap() >= 3, "{clean}");
    for table in TABLES {
        tamper(world, &format!("CREATE TABLE kept_{table} AS SELECT * FROM {table}"));
    }
    let new = EntryId::generate(Timestamp::now(), Bucket::new(77).unwrap());
    let id = if engine == Engine::Sqlite { bytes(world, new.uuid().as_bytes()) } else { format!("'{new}'::uuid") };
    let copied = format!(
        "INSERT INTO ledger_entry (bucket, id, at, client_id, agency_code, user_ref, purpose, request_id, action, \
         resource_type, resource_id, version, payload) SELECT 77, {id}, at, client_id, agency_code, user_ref, purpose, \
         request_id, action, resource_type, resource_id, version, payload FROM ledger_entry WHERE id = {}",
        at(9)
    );
    let swap = |table: &str, a: i64, b: i64| {
        format!(
            "UPDATE {table} SET position = -1 WHERE position = {a}; UPDATE {table} SET position = {a} WHERE position = {b}; \
             UPDATE {table} SET position = {b} WHERE position = -1"
        )
    };
    let reorder = |a: i64, b: i64| format!("{}; {}", swap("ledger_leaf", a, b), swap("ledger_lane", a, b));
    let (h300, h301) = (hash_at(world, 300), hash_at(world, 301));
    let hash = |position: i64, hash: &[u8]| {
        format!("UPDATE ledger_leaf SET hash = {} WHERE position = {position}", bytes(world, hash))
    };
    let hashes_swapped = format!("{}; {}", hash(300, &h301), hash(301, &h300));
    let payload = |of: i64, from: i64| {
        format!(
            "UPDATE ledger_entry SET payload = (SELECT payload FROM kept_ledger_entry WHERE id = {}) WHERE id = {}",
            at(from),
            at(of)
        )
    };
    let behind = format!(
        "{copied}; INSERT INTO ledger_leaf (bucket, position, entry_bucket, entry_id, hash) \
         SELECT bucket, 590, 77, {id}, hash FROM ledger_leaf WHERE position = 589"
    );
    let cases: Vec<(&str, String, &[&str])> = vec![
        ("edit", format!("UPDATE ledger_entry SET action = 'read' WHERE id = {}", at(300)), &["entry_changed@300"]),
        ("who", format!("UPDATE ledger_entry SET user_ref = 'nobody' WHERE id = {}", at(0)), &["entry_changed@0"]),
        (
            "when",
            format!("UPDATE ledger_entry SET at = '2020-01-01T00:00:00.000Z' WHERE id = {}", at(589)),
            &["entry_changed@589"],
        ),
        ("delete", format!("DELETE FROM ledger_entry WHERE id = {}", at(41)), &["entry_missing@41"]),
        ("insert", copied.clone(), &["entry_inserted"]),
        ("insert behind the head", behind, &["leaf_inserted@590-590", "entry_changed@590", "lane_missing"]),
        ("reorder in a tile", reorder(300, 301), &["tile_differs@256-511"]),
        (
            "reorder at the end",
            reorder(588, 589),
            &["checkpoint_differs@200-589", "checkpoint_differs@200-589", "head_changed@200-589"],
        ),
        ("swap two hashes", hashes_swapped, &["entry_changed@300", "entry_changed@301", "tile_differs@256-511"]),
        (
            "swap two payloads",
            format!("{}; {}", payload(300, 8), payload(8, 300)),
            &["entry_changed@8", "entry_changed@300"],
        ),
        (
            "take a leaf out",
            "DELETE FROM ledger_leaf WHERE position = 300".into(),
            &["leaf_missing@300-300", "entry_inserted"],
        ),
        (
            "cut the tail",
            "DELETE FROM ledger_leaf WHERE position >= 570".into(),
            &["leaf_missing@570-589", "checkpoint_unproven"],
        ),
        (
            "change a node",
            format!("UPDATE ledger_node SET hash = {} WHERE position = 1", bytes(world, &h300)),
            &["tile_differs@256-511", "checkpoint_differs@200-589", "checkpoint_differs@200-589", "head_changed@200-589"],
        ),
        ("take a node out", "DELETE FROM ledger_node WHERE position = 0".into(), &["node_missing@0-255"]),
        ("hide from a list", format!("DELETE FROM ledger_lane WHERE entry_id = {}", at(3)), &["lane_missing"]),
        (
            "change a checkpoint",
            "UPDATE ledger_checkpoint SET note = replace(note, '200', '201') WHERE size = 200".into(),
            &["signature_wrong"],
        ),
        (
            "change a root",
            format!("UPDATE ledger_checkpoint SET root = {} WHERE size = 590", bytes(world, &h300)),
            &["checkpoint_changed"],
        ),
        ("change the head", format!("UPDATE ledger_head SET frontier = {}", bytes(world, &[7; 5 * 32])), &["head_changed"]),
    ];
    for (what, sql, expected) in cases {
        tamper(world, &sql);
        let report = verified(world, &[]);
        let found: Vec<String> = faults(&report);
        let told: Vec<&str> =
            found.iter().map(String::as_str).filter(|f| *f != "entry_inserted" || expected.contains(f)).collect();
        assert_eq!(told, expected, "{what}: {report:#}");
        put_back(world);
    }
    assert_eq!(faults(&verified(world, &[])), Vec::<String>::new());
    // A tail that is cut with everything that follows from it: only what was signed remembers.
    let mut frontier = Frontier::default();
    (0..520).for_each(|p| frontier.push(hash_at(world, p).try_into().unwrap(), |_| ()));
    let gone = "(SELECT entry_id FROM kept_ledger_leaf WHERE position >= 520)";
    let cut = format!(
        "DELETE FROM ledger_leaf WHERE position >= 520; DELETE FROM ledger_entry WHERE id IN {gone}; \
         DELETE FROM ledger_lane WHERE entry_id IN {gone}; UPDATE ledger_head SET size = 520, frontier = {}",
        bytes(world, &frontier.bytes())
    );
    tamper(world, &cut);
    assert_eq!(faults(&verified(world, &[])), ["entries_missing@520", "entries_missing@520"]);
    tamper(world, "DELETE FROM ledger_checkpoint WHERE size > 520");
    assert_eq!(faults(&verified(world, &[])), ["entries_missing@520"], "the notary's memory");
    let (memory, elsewhere) = (world.dir.join("ledger-memory.json"), world.dir.join("elsewhere.json"));
    std::fs::rename(&memory, &elsewhere).unwrap();
    assert_eq!(faults(&verified(world, &[])), Vec::<String>::new(), "nothing in the registry knows any more");
    let kept = verified(world, &["--checkpoint", &kept_note]);
    assert_eq!(faults(&kept), ["entries_missing@520"], "who kept a checkpoint does");
    std::fs::rename(&elsewhere, &memory).unwrap();
    put_back(world);
    // Another key, under the same name or its own.
    let key_file = world.dir.join("ledger-key.json");
    let own = world.dir.join("own-key.json");
    std::fs::rename(&key_file, &own).unwrap();
    let name = key.split('+').next().unwrap();
    for (name, expected) in [(name, "signature_wrong"), ("sistra/other", "key_unknown")] {
        Notary::load_or_create(&world.dir, None, Some(name), Timestamp::now()).unwrap();
        let found = faults(&verified(world, &[]));
        assert!(found.len() >= 3 && found.iter().any(|f| f == expected), "{found:?}");
        let theirs = verified(world, &["--key", key.trim()]);
        assert_eq!(faults(&theirs), Vec::<String>::new(), "an auditor's own key still verifies");
        std::fs::remove_file(&key_file).unwrap();
    }
    std::fs::rename(&own, &key_file).unwrap();
    assert_eq!(faults(&verified(world, &[])), Vec::<String>::new());
}

fn second_opinion(engine: Engine) {
    let Some(mut made) = World::new(engine) else { return };
    let world = &mut made;
    recorded(world, 300);
    let auditor = world.token("PE-DP", "audit:read audit.proof:read", Purpose::Audit);
    recorded(world, 33);
    let size = signed(world);
    let proof = |path: &str| {
        let answer = world.get(path, &auditor);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    };
    let listed = proof("/v1/audit/entries?limit=200");
    let ids = listed["items"].as_array().unwrap().iter().map(|e| e["id"].as_str().unwrap().to_owned());
    let inclusion: Vec<Value> = ids.step_by(23).map(|id| proof(&format!("/v1/audit/entries/{id}/proof"))).collect();
    assert!(inclusion.len() > 5 && inclusion.iter().all(|p| p["checkpoint"].is_string()));
    let consistency: Vec<Value> = [(1, 1), (1, size), (255, 257), (256, size), (299, 300), (size, size)]
        .iter()
        .map(|(from, to)| proof(&format!("/v1/audit/consistency?from={from}&to={to}")))
        .collect();
    let checkpoints = proof("/v1/audit/checkpoints?limit=200")["items"].as_array().unwrap().clone();
    let notes: Vec<&str> = checkpoints.iter().map(|c| c["note"].as_str().unwrap()).collect();
    // Our own arithmetic first.
    let b64 = |v: &Value| -> [u8; 32] {
        let standard = base64::engine::general_purpose::STANDARD;
        base64::Engine::decode(&standard, v.as_str().unwrap()).unwrap().try_into().unwrap()
    };
    let path = |p: &Value| -> Vec<[u8; 32]> { p["hashes"].as_array().unwrap().iter().map(b64).collect() };
    let number = |p: &Value, name: &str| p[name].as_u64().unwrap();
    for p in &inclusion {
        let leaf = leaf_hash(p["leaf"].as_str().unwrap().as_bytes());
        assert!(is_included(&leaf, number(p, "position"), number(p, "size"), &path(p), &b64(&p["root"])), "{p}");
    }
    for p in &consistency {
        let (old, new) = (b64(&p["from_root"]), b64(&p["to_root"]));
        assert!(is_extension(number(p, "from"), &old, number(p, "to"), &new, &path(p)), "{p}");
    }
    let key = ledger(world, &["key"]).stdout;
    assert_eq!(checkpoints[0]["key"], key.trim());
    let mut given = json!({"inclusion": inclusion, "consistency": consistency, "checkpoints": notes});
    let Some(agrees) = peer(&["proofs", key.trim()], &given.to_string()) else { return };
    assert_eq!(agrees.code, Some(0), "{agrees:?}");
    given["inclusion"][2]["leaf"] = given["inclusion"][1]["leaf"].clone();
    assert_eq!(peer(&["proofs", key.trim()], &given.to_string()).unwrap().code, Some(1));
    // The looks above are entries too: with the server ended, the record is whole.
    signed(world);
    halt(world);
    let export = ledger(world, &["export"]).stdout;
    for keys in [&[][..], &[key.trim()]] {
        let agrees = peer(&[&["export"], keys].concat(), &export).unwrap();
        assert_eq!(agrees.code, Some(0), "{agrees:?}");
        let (theirs, ours): (Value, Value) = (serde_json::from_str(&agrees.stdout).unwrap(), verified(world, &[]));
        assert_eq!((&theirs["size"], &theirs["root"]), (&ours["size"], &ours["root"]));
    }
    // It finds what we find.
    let lines: Vec<&str> = export.lines().collect();
    let mut swapped = lines.clone();
    swapped.swap(4, 5);
    for (what, changed) in [
        ("edit", export.replacen("mesa-7", "mesa-8", 1)),
        ("delete", export.replacen(&format!("{}\n", lines[7]), "", 1)),
        ("reorder", swapped.join("\n") + "\n"),
    ] {
        assert_eq!(peer(&["export"], &changed).unwrap().code, Some(1), "{what}");
    }
    tamper(world, &format!("UPDATE ledger_entry SET version = 7 WHERE id = {}", at(12)));
    assert_eq!(faults(&verified(world, &[])), ["entry_changed@12"]);
    assert_eq!(peer(&["export"], &ledger(world, &["export"]).stdout).unwrap().code, Some(1));
}

#[test]
fn every_way_of_tampering_is_found_and_located_on_sqlite() {
    tampering(Engine::Sqlite);
}

#[test]
fn every_way_of_tampering_is_found_and_located_on_postgresql() {
    tampering(Engine::Postgres);
}

#[test]
fn another_program_that_shares_no_code_agrees_on_sqlite() {
    second_opinion(Engine::Sqlite);
}

#[test]
fn another_program_that_shares_no_code_agrees_on_postgresql() {
    second_opinion(Engine::Postgres);
}

both! {

fn oversight_reads_every_entry_and_a_partner_its_own_agencys(world) {
    let desk = world.token("PE-MP-FISTRAP-LIMA", AUDIT, Purpose::Prosecution);
    let police = world.token("PE-PNP-DIRCTPTIM", AUDIT, Purpose::Investigation);
    let oversight = world.token("PE-DP", "audit:read audit.proof:read", Purpose::Oversight);
    let made = world.post("/v1/cases", &desk, &case());
    let (path, id) = (made.header("location"), made.json()["id"].as_str().unwrap().to_owned());
    let seen = world.get(&path, &desk).header("audit-event-id");
    world.post("/v1/cases", &police, &case());
    let size = signed(world);
    let list = |token: &str, query: &str| -> Vec<Value> {
        let answer = world.get(&format!("/v1/audit/entries?limit=200{query}"), token);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["items"].as_array().unwrap().clone()
    };
    let kinds = |items: &[Value]| -> Vec<String> { items.iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect() };
    // By record: its changes and its accesses, newest first.
    let of_case = list(&desk, &format!("&resource_id={id}"));
    assert_eq!(kinds(&of_case), ["case.read", "case.created"], "{of_case:#?}");
    assert_eq!((&of_case[0]["id"], &of_case[0]["agency"], &of_case[0]["purpose"]), (&json!(seen), &json!("PE-MP-FISTRAP-LIMA"), &json!("prosecution")));
    assert_eq!(list(&oversight, &format!("&resource_id={id}")), of_case);
    assert_eq!(list(&police, &format!("&resource_id={id}")), Vec::<Value>::new());
    // By agency, system, purpose, type and time.
    let own = list(&desk, "");
    assert!(own.len() > 2 && own.iter().all(|e| e["agency"] == "PE-MP-FISTRAP-LIMA"));
    assert_eq!(list(&police, "&agency=PE-MP-FISTRAP-LIMA"), Vec::<Value>::new());
    let all = list(&oversight, "");
    assert!(["PE-MP-FISTRAP-LIMA", "PE-PNP-DIRCTPTIM"].iter().all(|a| all.iter().any(|e| e["agency"] == *a)));
    assert!(all.windows(2).all(|w| w[0]["id"].as_str() > w[1]["id"].as_str()));
    let client = of_case[0]["client_id"].as_str().unwrap();
    assert!(list(&oversight, &format!("&client_id={client}&purpose=prosecution")).iter().all(|e| e["client_id"] == client));
    assert_eq!(list(&oversight, "&purpose=statistics"), Vec::<Value>::new());
    assert!(kinds(&list(&oversight, "&agency=PE-PNP-DIRCTPTIM&resource_type=case")).contains(&"case.created".to_owned()));
    assert_eq!(list(&oversight, "&at_to=2020-01-01T00:00:00Z"), Vec::<Value>::new());
    let since = of_case[0]["at"].as_str().unwrap();
    assert!(list(&desk, &format!("&resource_id={id}&at_from={since}")).contains(&of_case[0]));
    // Nothing of what stands in the records.
    let text = world.get("/v1/audit/entries?limit=200", &oversight).text;
    assert!(!text.contains("Captación") && !text.contains("Relato"), "{text}");
    // Page by page is the same as all at once.
    let (mut paged, mut next) = (Vec::new(), format!("/v1/audit/entries?limit=2&agency=PE-MP-FISTRAP-LIMA&resource_type=case&at_to={}", own[0]["at"].as_str().unwrap()));
    loop {
        let page = world.get(&next, &oversight).json();
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("{}&cursor={cursor}", next.split("&cursor=").next().unwrap());
    }
    assert_eq!(kinds(&paged).iter().filter(|k| *k == "case.created").count(), 1, "{paged:?}");
    // The proof of an entry is for whoever may see the entry.
    let proof = format!("/v1/audit/entries/{seen}/proof");
    let found = world.get(&format!("{proof}?size={size}"), &desk);
    assert_eq!((found.status, found.json()["size"].clone()), (200, json!(size)), "{}", found.text);
    assert_eq!(world.get(&proof, &oversight).status, 200);
    let absent = EntryId::generate(Timestamp::now(), Bucket::random());
    for path in [proof.clone(), format!("/v1/audit/entries/{absent}/proof")] {
        assert_eq!((world.get(&path, &police).status, world.get(&path, &police).code()), (404, "not_found".to_owned()), "{path}");
    }
    assert_eq!(world.get(&proof, &world.token("PE-MP-FISTRAP-LIMA", "audit:read", Purpose::Audit)).code(), "insufficient_scope");
    // What cannot be is an error that names it.
    for (path, fault) in [
        (format!("{proof}?size=0"), "size: enum"), (format!("{proof}?size=99999999"), "size: maximum"),
        ("/v1/audit/consistency".into(), "from: required"), ("/v1/audit/consistency?from=2&to=1".into(), "from: maximum"),
        ("/v1/audit/consistency?from=1&to=99999999".into(), "to: maximum"), ("/v1/audit/entries?purpose=curiosity".into(), "purpose: enum"),
    ] {
        let answer = world.get(&path, &desk);
        assert!(answer.status == 400 && answer.faults().contains(&fault.to_owned()), "{path}: {}", answer.text);
    }
    let signed = world.get("/v1/audit/checkpoints?limit=1", &police).json()["items"][0].clone();
    assert_eq!(world.get(&format!("/v1/audit/checkpoints/{}", signed["size"]), &police).json(), signed);
    assert_eq!(world.get("/v1/audit/checkpoints/99999999", &police).status, 404);
}

fn an_entry_that_is_committed_late_is_not_missed(world) {
    recorded(world, 5);
    let early = EntryId::generate(Timestamp::now(), Bucket::random());
    if matches!(world.database, DatabaseUrl::Postgres(_)) {
        let mut slow = open(&world.database, Role::Write, 60_000).unwrap();
        slow.batch_execute("BEGIN").unwrap();
        append(&mut slow, &actor("PE-DP"), Timestamp::now(), entries(3)).unwrap();
        recorded(world, 20);
        assert_eq!(signed(world), 25, "the later ones do not wait for it");
        slow.batch_execute("COMMIT").unwrap();
    } else {
        // One writer: nothing can be late. What is loaded with ids of long ago comes to the end all the same.
        let long_ago = Timestamp::parse("2020-01-01T00:00:00Z").unwrap();
        recorded(world, 20);
        world.running.as_ref().unwrap().store.write_blocking(move |tx| append(tx, &actor("PE-DP"), long_ago, entries(3))).unwrap();
    }
    assert_eq!(signed(world), 28);
    let report = verified(world, &[]);
    assert_eq!((faults(&report), &report["size"]), (vec![], &json!(28)), "{early}");
}
}

/// Ends the server; the database stays. What it signs at its end is part of the record.
fn halt(world: &mut World) {
    world.running.take().unwrap().stop();
}

/// Runs the peer; none where it cannot run and need not.
fn peer(args: &[&str], input: &str) -> Option<Ended> {
    let there = Command::new("python3").args(["-c", "import cryptography"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|s| s.success()) {
        let required = std::env::var_os("SISTRA_REQUIRE_PEERS").is_some_and(|v| v == "1");
        assert!(!required, "python3 with cryptography is required and not there");
        eprintln!("SKIPPED: python3 with cryptography is not there, so no other program checked the ledger");
        return None;
    }
    let mut child = Command::new("python3")
        .arg("tests/peers/verify_ledger.py")
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Some(Ended { code: done.status.code(), stdout: text(done.stdout), stderr: text(done.stderr) })
}

#[test]
fn restoring_an_older_backup_never_forks_the_log() {
    let dir = Dir::new();
    let data = dir.path("data");
    let memory = dir.path("memory.json");
    let place = ["--data-dir", data.as_str(), "--ledger-memory", memory.as_str()];
    let verify = |more: &[&str]| -> Value {
        let ended = run(&[&["ledger", "verify"], more, &place].concat());
        serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"))
    };
    let system = client(&place);
    let serve = |cases: usize| -> Value {
        let server = Server::start(&[&place[..], &["--ledger-checkpoint-ms", "20"]].concat(), None);
        let token = server.token(&system);
        for _ in 0..cases {
            assert_eq!(server.post("/v1/cases", &token, &case()).unwrap().status, 201);
        }
        // The notary looks when the server starts, before it takes requests or soon after.
        let ready = loop {
            let ready = server.get("/healthz/ready", &token).unwrap().json();
            if cases > 0
                || ready["ledger"] == "reopened"
                || run(&[&["ledger", "checkpoint"], &place[..]].concat()).code == Some(0)
            {
                break ready;
            }
        };
        assert_eq!(server.stop(), Some(0), "{}", server.said());
        json!({"ledger": ready["ledger"], "said": server.said()})
    };
    let newest = || run(&[&["ledger", "checkpoint"], &place[..]].concat()).stdout;
    let origin = |note: &str| note.lines().next().unwrap().to_owned();
    serve(3);
    let first = newest();
    let backup = dir.path("backup");
    std::fs::create_dir(&backup).unwrap();
    let files = ["sistra.sqlite3", "sistra.sqlite3-wal", "sistra.sqlite3-shm"];
    let copy = |from: &str, to: &str| {
        for file in files {
            let _ = std::fs::remove_file(format!("{to}/{file}"));
            let _ = std::fs::copy(format!("{from}/{file}"), format!("{to}/{file}"));
        }
    };
    copy(&data, &backup);
    serve(3);
    let second = newest();
    std::fs::write(dir.path("second"), &second).unwrap();
    assert_eq!(origin(&first), origin(&second));
    assert_eq!(faults(&verify(&["--checkpoint", &dir.path("second")])), Vec::<String>::new());
    // The older backup comes back, and the registry goes on with other entries than those that were signed.
    copy(&backup, &data);
    let restored = verify(&[]);
    assert!(!restored["ok"].as_bool().unwrap() && faults(&restored)[0].starts_with("entries_missing@"), "{restored}");
    let went_on = serve(6);
    let third = newest();
    assert_eq!(origin(&third), format!("{}/e2", origin(&first)), "{went_on}");
    assert!(went_on["said"].as_str().unwrap().contains("does not extend what was last signed"), "{went_on}");
    // Under the old origin nothing was signed after the backup; the new one goes on, also after another start.
    let report = verify(&[]);
    assert_eq!(faults(&report), Vec::<String>::new());
    assert_eq!(serve(1)["ledger"], "ok");
    assert_eq!(origin(&newest()), origin(&third));
    assert_eq!(faults(&verify(&[])), Vec::<String>::new());
    // And the fork that the backup would have been is plain to whoever kept what was signed.
    let kept = verify(&["--checkpoint", &dir.path("second")]);
    assert!(
        faults(&kept).iter().any(|f| f.starts_with("checkpoint_differs@") || f.starts_with("entries_missing@")),
        "{kept}"
    );
}
