//! The evidence and the index at their full size: checking a ledger of so many entries, looking for somebody among so many
//! persons.
//!
//! `cargo bench --bench throughput -- ledger --entries 1000000`
//! `cargo bench --bench throughput -- search --persons 1000000`

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sistra::app::start;
use sistra::auth::Purpose;
use sistra::auth::clients::Credential;
use sistra::catalogue::names::{FEMALE, SURNAMES};
use sistra::config::Config;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl, Store, StoreSettings};
use sistra::kernel::ids::{CaseId, ClientId};
use sistra::kernel::trail::Trail;
use sistra::kernel::{AgencyCode, Bucket, Timestamp};
use sistra::ledger::append::{Row, append_rows};
use sistra::ledger::{Action, Actor, Entry, Notary, sealer};
use sistra::persons::index::{Form, Subject};
use sistra::persons::names::fold;
use sistra::persons::{self, IndexKey};
use uuid::Uuid;

use crate::data::{AGENCY, client};
use crate::load::{once, request};
use crate::{case, unique};

/// Entries of one transaction.
const TOGETHER: usize = 10_000;

fn rate(of: usize, took: Duration) -> String {
    format!("{of} in {:.1} s, {:.0} per s", took.as_secs_f64(), of as f64 / took.as_secs_f64())
}

/// Fills a ledger with looks at cases, seals it, signs it, and has the command check it.
pub fn ledger(engine: &str, database: DatabaseUrl, dir: &Path, entries: usize) {
    let config = Config::for_tests(database.clone(), dir.to_owned());
    // Schema and keys; no server works on it while it is measured.
    start(&config).unwrap().stop();
    let store = Store::open(&StoreSettings { connections: 2, ..StoreSettings::new(database.clone()) }).unwrap();
    println!("\n{engine}: a ledger of {entries} entries");
    let now = Timestamp::now();
    let actor = Actor {
        client: Some(ClientId::generate(now, Bucket::random())),
        agency: AgencyCode::parse(AGENCY),
        user: None,
        purpose: Some(Purpose::Prosecution),
        request_id: Uuid::new_v4(),
        trail: Trail::default(),
    };
    let writing = Instant::now();
    for begun in (0..entries).step_by(TOGETHER) {
        let one = |_| {
            let entry = Entry::new(Action::Read, CaseId::generate(now, Bucket::random()), Some(1));
            Row::of(&actor, now, entry).unwrap()
        };
        let rows: Vec<Row> = (begun..entries.min(begun + TOGETHER)).map(one).collect();
        store.write_blocking(move |tx| append_rows(tx, &rows)).unwrap();
    }
    println!("written: {}", rate(entries, writing.elapsed()));
    let sealing = Instant::now();
    let mut sealed = 0;
    loop {
        match sealer::seal(&store, "", Timestamp::now()).unwrap() {
            0 => break,
            more => sealed += more,
        }
    }
    println!("sealed: {}", rate(sealed, sealing.elapsed()));
    let notary = Notary::load(dir, None).unwrap();
    assert!(notary.sign(&store, "", Timestamp::now()).unwrap(), "nothing was signed");
    drop(store);
    let checking = Instant::now();
    let mut command = Command::new(env!("CARGO_BIN_EXE_sistra"));
    command.args(["ledger", "verify", "--data-dir"]).arg(dir);
    if let DatabaseUrl::Postgres(url) = &database {
        command.args(["--database", url]);
    }
    // Its bar is for whoever waits.
    let said = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
    let took = checking.elapsed();
    let report: Value = serde_json::from_slice(&said.stdout).unwrap();
    assert_eq!((&report["ok"], said.status.success()), (&json!(true), true), "{report}");
    println!("checked by `sistra ledger verify`: {}", rate(report["size"].as_u64().unwrap() as usize, took));
}

/// What is asked for, and its name.
fn questions() -> [(&'static str, Value); 5] {
    [
        (
            "one given name, two surnames, year",
            json!({"surnames": "Murayari Tangoa", "given_names": "Sumaq", "birth_year": 1971}),
        ),
        (
            "two given names, two surnames, year",
            json!({"surnames": "Murayari Tangoa", "given_names": "Sumaq Rosa", "birth_year": 1971}),
        ),
        ("one given name, one surname", json!({"surnames": "Tangoa", "given_names": "Sumaq"})),
        ("surname and year", json!({"surnames": "Tangoa", "birth_year": 1971})),
        ("document", json!({"document": {"type": "national_id", "country": "PE", "number": "10117410"}})),
    ]
}

/// Looks for somebody among so many persons, through HTTP, one question at a time.
pub fn search(engine: &str, database: DatabaseUrl, dir: &Path, persons: usize) {
    const TIMES: usize = 200;
    let mut config = Config::for_tests(database.clone(), dir.to_owned());
    config.serve.token_ttl_s = 900;
    let running = start(&config).unwrap();
    let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]});
    let scopes = "cases:read cases:write victims:read victims:write victims:search victims.identity:read accused:read \
        accused:write charges:read charges:write";
    let desk = client(&running, scopes, Credential::Jwks(keys.to_string()));
    let token =
        || running.authenticator.token_for(&desk, &desk.scopes, Purpose::Prosecution, None, Timestamp::now()).unwrap();
    let post = |token: &str, path: &str, body: &Value| {
        let headers = [("Content-Type", "application/json".to_owned()), ("Idempotency-Key", unique())];
        once(running.addr, &request("POST", path, token, &headers, &body.to_string()))
    };
    let first = token();
    let cases: Vec<String> = (0..20)
        .map(|_| {
            let (status, made) = post(&first, "/v1/cases", &case());
            assert_eq!(status, 201, "{made}");
            made["id"].as_str().unwrap().to_owned()
        })
        .collect();
    let filling = Instant::now();
    fill(&database, &running.index, persons, &cases);
    println!("\n{engine}: {persons} persons made in {:.0} s; {TIMES} times each", filling.elapsed().as_secs_f64());
    // The first one may have ended meanwhile.
    let token = token();
    println!("{:<40} {:>10} {:>10}", "POST /v1/victims/search", "median ms", "p99 ms");
    for (what, question) in questions() {
        let took = |_| {
            let asked = Instant::now();
            let (status, answer) = post(&token, "/v1/victims/search", &question);
            assert_eq!(status, 200, "{answer}");
            asked.elapsed()
        };
        let mut took: Vec<Duration> = (0..TIMES).map(took).collect();
        took.sort_unstable();
        let ms = |at: usize| took[at].as_secs_f64() * 1e3;
        println!("{what:<40} {:>10.2} {:>10.2}", ms(TIMES / 2), ms(TIMES * 99 / 100));
    }
    running.stop();
}

/// Registers persons by SQL in the cases of the desk: a million would take an hour through the door.
fn fill(url: &DatabaseUrl, index: &IndexKey, persons: usize, cases: &[String]) {
    let mut seed = 2012_u64;
    let mut dice = |n: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % n
    };
    let mut conn = open(url, Role::Write, 3_600_000).unwrap();
    // PostgreSQL ends a transaction that waits for this program to draw names.
    let together = matches!(conn, Conn::Sqlite(_));
    if together {
        execute(&mut conn, "BEGIN");
    }
    let mut tokens: Vec<(i16, i16, i64, Uuid)> = Vec::new();
    for batch in 0..persons.div_ceil(50_000) {
        let mut rows: Vec<(Uuid, &str)> = Vec::new();
        for _ in 0..50_000_usize.min(persons - batch * 50_000) / 5 {
            // Five of each name and year: what a drawn name would give, at a fifth of the time.
            let form = Form {
                given: vec![FEMALE[dice(40)].to_owned(), FEMALE[dice(40)].to_owned()],
                surnames: vec![SURNAMES[dice(52)].to_owned(), SURNAMES[dice(52)].to_owned()],
            };
            let form = Form {
                given: form.given.iter().flat_map(|n| fold(n)).collect(),
                surnames: form.surnames.iter().flat_map(|n| fold(n)).collect(),
            };
            let subject = Subject { forms: vec![form], year: Some(1960 + dice(55) as i32), ..Subject::default() };
            let all = index.tokens(persons::Role::Victim, &subject);
            for _ in 0..5 {
                let id = Uuid::new_v4();
                rows.push((id, &cases[dice(cases.len())]));
                tokens.extend(all.iter().map(|t| (t.bucket().number(), t.index, t.value, id)));
            }
        }
        let bucket = |id: &Uuid| Bucket::of(*id).number();
        let list = |of: &dyn Fn(&(Uuid, &str)) -> String| rows.iter().map(of).collect::<Vec<_>>().join(",");
        match &mut conn {
            Conn::Postgres(_) => {
                let values = list(&|(id, case)| format!("({},'{id}'::uuid,'{case}'::uuid)", bucket(id)));
                execute(&mut conn, &format!("WITH n (b, i, c) AS (VALUES {values}) INSERT INTO victim_case (bucket, victim_id, case_id) SELECT b, i, c FROM n").replace("WITH n", &format!("INSERT INTO victim (bucket, id, code, detail, version, created_at, created_by_agency, created_by_client, updated_at) SELECT b, i, 'V-{batch}', '{{}}', 1, now(), 'PE-PNP', i, now() FROM (VALUES {values}) n (b, i, c); WITH n")));
            }
            Conn::Sqlite(_) => {
                let values = list(&|(id, case)| format!("({},x'{}',x'{}')", bucket(id), id.simple(), case.replace('-', "")));
                execute(
                    &mut conn,
                    &format!(
                        "WITH n (b, i, c) AS (VALUES {values}) INSERT INTO victim (bucket, id, code, detail, version, created_at, created_by_agency, created_by_client, updated_at) SELECT b, i, 'V-{batch}', '{{}}', 1, '2026-03-14T15:30:00.000Z', 'PE-PNP', i, '2026-03-14T15:30:00.000Z' FROM n"
                    ),
                );
                execute(
                    &mut conn,
                    &format!(
                        "WITH n (b, i, c) AS (VALUES {values}) INSERT INTO victim_case (bucket, victim_id, case_id) SELECT b, i, c FROM n"
                    ),
                );
            }
        }
    }
    if matches!(conn, Conn::Postgres(_)) {
        tokens.sort_unstable();
    } else {
        tokens.sort_unstable_by_key(|(_, index, value, id)| (*index, *value, *id));
    }
    for some in tokens.chunks(100_000) {
        let id = |id: &Uuid| {
            if matches!(conn, Conn::Sqlite(_)) { format!("x'{}'", id.simple()) } else { format!("'{id}'::uuid") }
        };
        let values: Vec<String> = some.iter().map(|(b, i, v, p)| format!("({b},{i},{v},{})", id(p))).collect();
        execute(
            &mut conn,
            &format!("INSERT INTO person_index (bucket, index_id, bidx, person_id) VALUES {}", values.join(",")),
        );
    }
    if together {
        execute(&mut conn, "COMMIT");
    }
    execute(&mut conn, "ANALYZE");
}

fn execute(conn: &mut Conn, sql: &str) {
    conn.batch_execute(sql).unwrap_or_else(|e| panic!("{e:.300}"));
}
