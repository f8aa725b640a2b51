//! What is personal is nowhere in clear: a word in every free text of every write, and then a search for the words.

use std::collections::BTreeSet;
use std::sync::Arc;

use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::policy::together;
use sistra::catalogue::Catalogue;
use sistra::config::Config;
use sistra::db::connection::{Role, open};
use sistra::db::types::JsonSql;
use sistra::db::{Conn, DatabaseUrl, Json, Store};
use sistra::kernel::ids::{ResourceId, VictimId};
use sistra::kernel::pii::Pii;
use sistra::kernel::{Error, Timestamp};
use sistra::persons::Identity;
use sistra::persons::erasure::{Order, Person, erase, list};
use sistra::vault::{self, Vault};

use crate::both;
use crate::support::contract::{DOCUMENT, operation};
use crate::support::{Answer, Engine, World, case, unique};

/// How every planted word begins; no other text has it.
const WORD: &str = "Zqcanario";

/// Free texts that are kept in clear, and why.
const CLEAR: &[(&str, &str)] = &[
    ("text_version", "the version of a form"),
    ("basis", "the reference of an act, of a form that holds no name"),
    ("best_interest", "the reference of a determination, of a form that holds no name"),
    ("operation", "the number of an operation, of a form that holds no name"),
    ("record_ref", "the reference of a written record, of a form that holds no name"),
    ("external_ref", "the agency's own number of a file, unique among its cases"),
    ("issuer", "who gave a file its number"),
    ("names", "agencies are no persons"),
    ("types", "types of events"),
    ("after", "a cursor"),
    ("trigger", "a code of the procedure"),
    ("type", "a code list"),
    ("head", "a code list"),
];

/// Free texts that need a whole trial to be written: the part of a list that is sealed is tested in the vault.
const FAR: [&str; 1] = ["out_of_band_reason"];

/// Hears everything that the servers of this process log at `debug` and below, and keeps what says a planted word.
struct Ear;

static HEARD: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
static SAID: std::sync::Mutex<Vec<String>> = std::sync::Mutex::new(Vec::new());

impl log::Log for Ear {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        let line = format!("{} {}", record.target(), record.args());
        if record.target() == "sistra::access" {
            HEARD.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        }
        if line.contains(WORD) {
            SAID.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

fn listen() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Ear).unwrap();
        log::set_max_level(log::LevelFilter::Debug);
    });
}

/// What is planted stands in the body alone: every header goes through logs and proxies.
fn assert_headers_are_bare(answer: &Answer) {
    for (name, value) in &answer.headers {
        assert!(!String::from_utf8_lossy(value.as_bytes()).contains(WORD), "{name}: {value:?}");
    }
}

struct Planter<'w> {
    world: &'w World,
    token: String,
    planted: BTreeSet<(String, String)>,
    answers: Vec<Answer>,
}

impl Planter<'_> {
    /// A word that nobody else says, and that may stand where a text may.
    fn word() -> String {
        format!("{WORD}{}", unique().replace('-', ""))
    }

    fn note(&mut self, method: &str, path: &str, body: &Value) {
        let id = operation(method, path).unwrap()["operationId"].as_str().unwrap().to_owned();
        fn walk(at: &str, value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => members.iter().for_each(|(name, v)| walk(&format!("{at}/{name}"), v, found)),
                Value::Array(items) => items.iter().for_each(|v| walk(&format!("{at}/*"), v, found)),
                Value::String(text) if text.contains(WORD) => found.push(at.to_owned()),
                _ => {}
            }
        }
        let mut found = Vec::new();
        walk("", body, &mut found);
        self.planted.extend(found.into_iter().map(|at| (id.clone(), at)));
    }

    fn post(&mut self, path: &str, body: Value) -> Answer {
        self.note("POST", path, &body);
        let made = self.world.post(path, &self.token, &body);
        assert_eq!(made.status, 201, "{path} {body}: {}", made.text);
        assert_headers_are_bare(&made);
        made
    }

    fn patch(&mut self, path: &str, body: Value) -> Answer {
        self.note("PATCH", path, &body);
        let etag = self.world.get(path, &self.token).header("etag");
        let changed = self.world.patch(path, &self.token, &etag, &body);
        assert_eq!(changed.status, 200, "{path} {body}: {}", changed.text);
        assert_headers_are_bare(&changed);
        changed
    }

    fn step(&mut self, path: &str, body: Value) -> Answer {
        self.note("POST", &format!("{path}/transitions"), &body);
        let etag = self.world.get(path, &self.token).header("etag");
        let moved = self.world.step(path, &self.token, &etag, &body);
        assert_eq!(moved.status, 200, "{path} {body}: {}", moved.text);
        moved
    }

    /// Requests that must fail: what they hold must not come back.
    fn refused(&mut self, answer: Answer) {
        assert!((400..500).contains(&answer.status), "{}", answer.text);
        assert_headers_are_bare(&answer);
        self.answers.push(answer);
    }
}

fn identity(legal: bool) -> Value {
    let w = Planter::word;
    let contacts = json!([{"kind": "phone", "value": w(), "safe": true}]);
    let documents = json!([{"type": "other", "country": "PE", "number": w()}]);
    let extensions = json!([{"name": w(), "value": w()}]);
    if legal {
        return json!({"legal_name": w(), "other_names": [w()], "contacts": contacts, "address": w(),
            "documents": documents, "extensions": extensions});
    }
    json!({"given_names": w(), "paternal_surname": w(), "maternal_surname": w(), "other_names": [w()],
        "contacts": contacts, "address": w(), "documents": documents, "extensions": extensions})
}

fn victim_identity() -> Value {
    let mut one = identity(false);
    one["safe_contact_instructions"] = Planter::word().into();
    one
}

fn act(kind: &str) -> Value {
    let w = Planter::word;
    json!({"type": kind, "number": w(), "authority": w(), "document_ref": w(), "date": "2026-03-15"})
}

/// Every free text of the write operations, by the contract: operation and path.
fn free_texts() -> BTreeSet<(String, String)> {
    fn walk(schema: &Value, at: &str, found: &mut Vec<String>) {
        if let Some(target) = schema["$ref"].as_str() {
            return walk(DOCUMENT.pointer(&target[1..]).unwrap(), at, found);
        }
        for part in ["oneOf", "allOf", "anyOf"] {
            schema[part].as_array().into_iter().flatten().for_each(|s| walk(s, at, found));
        }
        if schema["items"].is_object() {
            walk(&schema["items"], &format!("{at}/*"), found);
        }
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            walk(property, &format!("{at}/{name}"), found);
        }
        // Codes are short, or have a list or a form.
        let bare = schema["enum"].is_null() && schema["format"].is_null() && schema["pattern"].is_null();
        if bare && schema["maxLength"].as_u64().is_some_and(|most| most > 50) {
            found.push(at.to_owned());
        }
    }
    let mut all = BTreeSet::new();
    for (_, item) in DOCUMENT["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1/")) {
        for (_, operation) in item.as_object().unwrap().iter().filter(|(method, _)| *method != "get") {
            for (_, content) in operation["requestBody"]["content"].as_object().into_iter().flatten() {
                let mut found = Vec::new();
                walk(&content["schema"], "", &mut found);
                all.extend(found.into_iter().map(|at| (operation["operationId"].as_str().unwrap().to_owned(), at)));
            }
        }
    }
    all
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

/// Everything that a thief of the database gets: the files of SQLite, every row of PostgreSQL.
fn stolen(world: &World) -> Vec<(String, String)> {
    match open(&world.database, Role::Write, 60_000).unwrap() {
        Conn::Sqlite(_) => std::fs::read_dir(&world.dir)
            .unwrap()
            .flatten()
            .filter(|file| file.file_name().to_string_lossy().starts_with("sistra.sqlite3"))
            .map(|file| {
                let bytes = std::fs::read(file.path()).unwrap();
                (file.file_name().to_string_lossy().into_owned(), String::from_utf8_lossy(&bytes).into_owned())
            })
            .collect(),
        Conn::Postgres(mut c) => {
            let tables: Vec<Line> = diesel::sql_query(
                "SELECT relname::text AS line FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace",
            )
            .load(&mut c)
            .unwrap();
            tables
                .into_iter()
                .map(|table| {
                    let rows: Vec<Line> =
                        diesel::sql_query(format!("SELECT t::text AS line FROM {} t", table.line)).load(&mut c).unwrap();
                    (table.line, rows.into_iter().map(|row| row.line).collect::<Vec<_>>().join("\n"))
                })
                .collect()
        }
    }
}

/// Copies a directory's files.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for file in std::fs::read_dir(from).unwrap().flatten() {
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// A case that was archived: nothing holds its persons any more.
fn closed(world: &World, token: &str, new: &Value) -> String {
    let made = world.post("/v1/cases", token, new);
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location");
    let body = json!({"trigger": "reject_outright", "effective_on": "2026-03-20", "legal_act": {"type": "disposicion"}});
    let moved = world.step(&path, token, &made.header("etag"), &body);
    assert_eq!(moved.status, 200, "{}", moved.text);
    path
}

fn person(world: &World, token: &str, path: &str, list: &str, id: &str) -> String {
    world.get(&format!("{path}/{list}"), token).json()["items"][0][id].as_str().unwrap().to_owned()
}

fn order() -> Order {
    Order { basis: "RES-014-2026".into(), best_interest: None }
}

#[test]
fn a_backup_from_before_an_erasure_does_not_bring_the_person_back() {
    let world = World::new(Engine::Sqlite).unwrap();
    let scopes = together();
    let token = world.token("PE-MP-FISTRAP-LIMA", &scopes.join(" "), Purpose::Investigation);
    let mut new = case();
    new["victims"][0]["identity"] = json!({"given_names": "Rosa"});
    new["accused"][0]["identity"] = json!({"given_names": "Percy"});
    let path = closed(&world, &token, &new);
    let victim: VictimId = person(&world, &token, &path, "victims", "victim_id").parse().unwrap();
    let accused = person(&world, &token, &path, "accused", "id");
    let backup = world.dir.join("backup");
    {
        let Conn::Sqlite(mut c) = open(&world.database, Role::Write, 60_000).unwrap() else { panic!() };
        std::fs::create_dir_all(&backup).unwrap();
        diesel::sql_query(format!("VACUUM INTO '{}'", backup.join("sistra.sqlite3").display())).execute(&mut c).unwrap();
    }
    let store = world.running.as_ref().unwrap().store.clone();
    let law = Arc::new(Catalogue::load(None).unwrap());
    erase(&store, &law, Person::Victim(victim), &order(), Timestamp::now(), false).unwrap();
    // The backup is put back, with the keyring and the list of erasures of today.
    let restored = world.dir.join("restored");
    copy(&backup, &restored);
    for file in ["keyring.json", "erased.log"] {
        std::fs::copy(world.dir.join(file), restored.join(file)).unwrap();
    }
    let url = DatabaseUrl::Sqlite(restored.join("sistra.sqlite3"));
    let config = Config::for_tests(url.clone(), restored.clone());
    let vault = Vault::open(&mut open(&url, Role::Write, 60_000).unwrap(), &config.keyring, Timestamp::now()).unwrap();
    let old = Store::open(&config.store(vault)).unwrap();
    let identity = |id: ResourceId, table: &'static str, key: &'static str| {
        old.read_blocking(move |conn| {
            let Conn::Sqlite(c) = conn else { panic!() };
            let line: Line = diesel::sql_query(format!("SELECT content AS line FROM {table} WHERE {key} = ?"))
                .bind::<diesel::sql_types::Binary, _>(id.uuid().as_bytes().to_vec())
                .get_result(c)?;
            assert!(line.line.contains("sealed"), "the backup still has what was sealed");
            let stored: Json = diesel::select(diesel::dsl::sql::<JsonSql>(&format!("'{}'", line.line))).get_result(conn)?;
            vault::open::<Identity, _, _>(conn, id, id, &stored)
        })
    };
    assert_eq!(identity(victim.erase(), "victim_identity", "victim_id"), Err(Error::Erased));
    let accused: ResourceId = accused.parse().unwrap();
    assert_eq!(identity(accused, "accused_identity", "accused_id").unwrap().given_names, Some(Pii("Percy".into())));
}

both! {
fn who_is_erased_keeps_a_pseudonym_and_nothing_else(world) {
    let scopes = together();
    let token = world.token("PE-MP-FISTRAP-LIMA", &scopes.join(" "), Purpose::Investigation);
    let stranger = world.token("PE-PNP", &scopes.join(" "), Purpose::Investigation);
    let mut new = case();
    new["victims"][0]["identity"] = json!({"given_names": "Rosa"});
    new["victims"][0]["indigenous_people"] = "Asháninka".into();
    let store = world.running.as_ref().unwrap().store.clone();
    let law = Arc::new(Catalogue::load(None).unwrap());
    let erase = |id: VictimId, order: &Order, dry: bool| erase(&store, &law, Person::Victim(id), order, Timestamp::now(), dry);
    let open_case = world.post("/v1/cases", &token, &new).header("location");
    let held: VictimId = person(world, &token, &open_case, "victims", "victim_id").parse().unwrap();
    assert_eq!(erase(held, &order(), false), Err(Error::StateConflict(vec!["open_case".into()])));
    let mut young = new.clone();
    young["victims"][0]["age_at_identification"] = Value::Null;
    let child: VictimId = person(world, &token, &closed(world, &token, &young), "victims", "victim_id").parse().unwrap();
    assert_eq!(erase(child, &order(), true), Err(Error::StateConflict(vec!["best_interest_required".into()])));
    assert!(erase(child, &Order { best_interest: Some("IEN-3-2026".into()), ..order() }, true).is_ok());
    let path = closed(world, &token, &new);
    let id: VictimId = person(world, &token, &path, "victims", "victim_id").parse().unwrap();
    let (record, door) = (format!("/v1/victims/{id}"), format!("/v1/victims/{id}/identity"));
    assert_eq!(erase(id, &order(), true).unwrap().erased_at, None);
    let before = world.get(&door, &token);
    assert_eq!(before.json()["given_names"], "Rosa", "a dry run does nothing");
    let certificate = erase(id, &order(), false).unwrap();
    assert_eq!((certificate.kind, certificate.cases, certificate.erased_at.is_some()), ("victim", 1, true));
    let gone = world.get(&door, &token);
    assert_eq!((gone.status, gone.code().as_str()), (410, "erased"));
    assert_eq!(world.patch(&door, &token, &before.header("etag"), &json!({"given_names": "Rosa"})).status, 410);
    assert_eq!(world.get(&door, &stranger).status, 404, "who could not see the person hears of no erasure");
    let left = world.get(&record, &token);
    assert_eq!((left.status, &left.json()["sex"], &left.json()["indigenous_people"]), (200, &json!("female"), &Value::Null));
    assert_eq!(world.patch(&record, &token, &left.header("etag"), &json!({"indigenous_people": "Awajún"})).status, 410);
    assert_eq!(world.get(&format!("{path}/victims"), &token).status, 200);
    let history = world.get(&format!("{record}/history"), &token);
    assert_eq!(history.json()["items"].as_array().unwrap().last().unwrap()["type"], "victim.erased");
    assert_eq!(erase(id, &order(), false), Err(Error::Erased));
    // The others are untouched.
    assert_eq!(world.get(&format!("/v1/victims/{held}/identity"), &token).json()["given_names"], "Rosa");
}

fn an_erasure_that_was_broken_off_behind_the_list_is_finished_by_the_next_try(world) {
    let token = world.token("PE-MP-FISTRAP-LIMA", &together().join(" "), Purpose::Investigation);
    let mut new = case();
    new["victims"][0]["identity"] = json!({"given_names": "Rosa", "paternal_surname": "Quispe"});
    let path = closed(world, &token, &new);
    let id: VictimId = person(world, &token, &path, "victims", "victim_id").parse().unwrap();
    let store = world.running.as_ref().unwrap().store.clone();
    let law = Arc::new(Catalogue::load(None).unwrap());
    // The process dies between the list and the database.
    store.read_blocking(move |conn| list(conn, Person::Victim(id), Timestamp::now())).unwrap();
    let found = || {
        let question = json!({"surnames": "Quispe", "given_names": "Rosa"});
        world.post_with("/v1/victims/search", &token, &[], &question).json()["items"].as_array().unwrap().len()
    };
    assert_eq!((world.get(&format!("/v1/victims/{id}/identity"), &token).status, found()), (410, 1));
    let erase = || erase(&store, &law, Person::Victim(id), &order(), Timestamp::now(), false);
    assert!(erase().unwrap().erased_at.is_some());
    assert_eq!(found(), 0, "nobody is found by what is no longer known of them");
    let history = world.get(&format!("/v1/victims/{id}/history"), &token).json();
    assert_eq!(history["items"].as_array().unwrap().last().unwrap()["type"], "victim.erased");
    assert_eq!(erase(), Err(Error::Erased));
}

fn a_stolen_database_the_logs_the_metrics_and_the_errors_show_no_free_text_of_any_write(world) {
    listen();
    let w = Planter::word;
    let scopes = together();
    let token = world.token("PE-MP-FISTRAP-LIMA", &scopes.join(" "), Purpose::Prosecution);
    let mut p = Planter { world, token: token.clone(), planted: BTreeSet::new(), answers: Vec::new() };
    let mut new = case();
    new["title"] = w().into();
    new["summary"] = w().into();
    new["extensions"] = json!([{"name": w(), "value": w()}]);
    new["victims"][0]["identity"] = victim_identity();
    new["victims"][0]["indigenous_people"] = w().into();
    new["accused"][0]["identity"] = identity(false);
    new["accused"][0]["occupation"] = w().into();
    new["accused"].as_array_mut().unwrap().push(json!({"kind": "legal_person", "identity": identity(true)}));
    let made = p.post("/v1/cases", new.clone());
    let path = made.header("location");
    let read = world.get(&path, &token);
    assert_eq!((&read.json()["title"], &read.json()["summary"]), (&new["title"], &new["summary"]), "the caller reads it");
    p.patch(&path, json!({"title": w(), "summary": w(), "extensions": [{"name": w(), "value": w()}]}));
    let first = |list: &str, id: &str| world.get(&format!("{path}/{list}"), &token).json()["items"][0][id].as_str().unwrap().to_owned();
    let victim = format!("/v1/victims/{}", first("victims", "victim_id"));
    p.patch(&victim, json!({"indigenous_people": w()}));
    let named = p.patch(&format!("{victim}/identity"), victim_identity());
    assert!(named.text.contains(WORD), "the caller reads it: {}", named.text);
    p.post(&format!("{path}/victims"), json!({"label": "v2", "sex": "female", "age_at_identification": 20, "acts": ["recruit"],
        "means": ["deception"], "purposes": ["sexual_exploitation"], "indigenous_people": w(), "identity": victim_identity()}));
    let known = p.post(&format!("{path}/accused"), json!({"kind": "natural_person", "occupation": w(), "identity": identity(false)})).header("location");
    let firm = p.post(&format!("{path}/accused"), json!({"kind": "legal_person", "occupation": w(), "identity": identity(true)})).header("location");
    p.patch(&known, json!({"occupation": w()}));
    p.patch(&format!("{known}/identity"), identity(false));
    p.patch(&format!("{firm}/identity"), identity(true));
    // The same by a file: made, amended by a second one, and refused.
    let from_file = |key: &str| {
        let mut one = case();
        one["external_ref"] = json!(key);
        one["title"] = w().into();
        one["summary"] = w().into();
        one["extensions"] = json!([{"name": w(), "value": w()}]);
        one["victims"][0]["identity"] = victim_identity();
        one["victims"][0]["indigenous_people"] = w().into();
        one["accused"][0]["identity"] = identity(false);
        one["accused"][0]["occupation"] = w().into();
        one["accused"].as_array_mut().unwrap().push(json!({"label": "a2", "kind": "legal_person", "identity": identity(true)}));
        one
    };
    let mut wrong = from_file("EXP-2");
    wrong["report_channel"] = w().into();
    wrong["charges"][0]["victims"] = json!([w()]);
    for (lines, statuses) in [(vec![from_file("EXP-1"), wrong], ["created", "rejected"].as_slice()), (vec![from_file("EXP-1")], &["updated"])] {
        let body = lines.iter().map(|l| format!("{l}\n")).collect::<String>();
        let headers = [("Content-Type", "application/x-ndjson"), ("Idempotency-Key", &unique())];
        let queued = world.send("POST", "/v1/imports", Some(&token), &headers, body.as_bytes());
        assert_headers_are_bare(&queued);
        let job = crate::imports::ended(world, &token, &queued.header("location"));
        let report = crate::imports::file(world, &token, &job, 0);
        assert_eq!(report.iter().map(|l| l["status"].as_str().unwrap()).collect::<Vec<_>>(), statuses, "{report:?}");
        assert!(!format!("{job}{report:?}").contains(WORD), "a report quotes nothing: {report:?}");
    }
    p.post(&format!("{path}/notes"), json!({"visibility": "shared", "text": w()}));
    p.post(&format!("{path}/decisions"), json!({"kind": "auto", "number": w(), "date": "2026-03-18", "authority": w(), "result": w(), "document_ref": w()}));
    let hearing = p.post(&format!("{path}/hearings"), json!({"kind": "other", "scheduled_at": "2026-03-18T14:00:00Z", "court": w(),
        "held_at": "2026-03-18T14:00:00Z", "result": "held", "document_ref": w()})).header("location");
    p.patch(&hearing, json!({"court": w(), "document_ref": w()}));
    let measure = p.post(&format!("{path}/measures"), json!({"kind": "coercive", "type": "pretrial_detention", "accused_id": known.rsplit('/').next(),
        "requested_by": "prosecutor", "requested_on": "2020-01-10", "legal_act": act("requerimiento")})).header("location");
    p.patch(&measure, json!({"legal_act": act("requerimiento")}));
    p.step(&measure, json!({"trigger": "grant", "granted_by": "inv_judge", "from_on": "2020-01-12", "until_on": "2020-06-01",
        "legal_act": act("auto"), "reason": w()}));
    let shared = p.post(&format!("{path}/participants"), json!({"agency": "PE-PNP", "role": "information", "sections": ["narrative"]}));
    let share = format!("{path}/participants/{}", shared.json()["id"].as_str().unwrap());
    p.note("POST", &format!("{share}/transitions"), &json!({"reason": WORD}));
    let ended = world.step(&share, &token, &shared.header("etag"), &json!({"trigger": "end", "reason": w()}));
    assert_eq!(ended.status, 200, "{}", ended.text);
    for (kind, list, key) in [("victims", "victims", "victim_id"), ("accused", "accused", "id")] {
        let mut twins = Vec::new();
        for _ in 0..2 {
            let twin = world.post("/v1/cases", &token, &case()).header("location");
            twins.push(world.get(&format!("{twin}/{list}"), &token).json()["items"][0][key].as_str().unwrap().to_owned());
        }
        p.step(&format!("/v1/{kind}/{}", twins[0]), json!({"trigger": "merge", "into": twins[1], "evidence": ["double_entry"], "reason": format!("{} dos veces", w())}));
    }
    let hook = p.post("/v1/webhooks", json!({"url": format!("https://hooks.example/{}", w())})).header("location");
    p.patch(&hook, json!({"url": format!("https://hooks.example/{}", w())}));
    let consent = p.post(&format!("{victim}/consents"), json!({"purposes": ["referral"], "language": "es", "form": "written",
        "given_by": "self", "explained_by": w()})).header("location");
    p.step(&consent, json!({"trigger": "give", "evidence": w(), "reason": w()}));
    let need = p.post(&format!("{victim}/assistance"), json!({"need": "shelter", "plan": {"goal": w()},
        "assessment": {"level": 2, "assessed_on": "2026-03-16", "evidence": w()}})).header("location");
    p.patch(&need, json!({"plan": {"goal": w()}, "assessment": {"level": 2, "assessed_on": "2026-03-16", "evidence": w()}}));
    p.step(&need, json!({"trigger": "withdraw", "reason": w()}));
    let care = p.post(&format!("{victim}/care-processes"), json!({"detection": {"detected_on": "2026-03-14", "channel": "police"}})).header("location");
    p.patch(&care, json!({"reintegration": {"domains": ["housing"], "starts_on": "2026-06-01", "goal": w()}}));
    p.step(&care, json!({"trigger": "close", "close_reason": "withdrew", "reason": w()}));
    // Another victim's, as far as the plan that a move brings.
    let ward = crate::care::Ward::new(world, 22);
    let (assisted, move_on) = (ward.assisted_after_consent(world), ward.reintegrates(&w()));
    p.note("POST", &format!("{assisted}/transitions"), &move_on);
    crate::care::done(world, &assisted, &ward.udavit, move_on);
    let reunion = p.post(&format!("{victim}/reunifications"), json!({"country": "US", "summary": w(),
        "beneficiaries": [{"relation": "parent", "age": 50, "name": w()}]}));
    let reunion_path = reunion.header("location");
    p.patch(&reunion_path, json!({"summary": w()}));
    p.post(&format!("{reunion_path}/beneficiaries"), json!({"relation": "sibling", "age": 20, "name": w()}));
    let relative = format!("{reunion_path}/beneficiaries/{}", reunion.json()["beneficiaries"][0]["id"].as_str().unwrap());
    let renamed = json!({"name": w()});
    p.note("PATCH", &relative, &renamed);
    let tag = world.get(&reunion_path, &token).header("etag");
    let named = world.patch(&relative, &token, &tag, &renamed);
    assert!(named.status == 200 && named.text.contains(WORD), "the caller reads it: {}", named.text);
    let closing = json!({"trigger": "close", "reason": w()});
    p.note("POST", &format!("{relative}/transitions"), &closing);
    assert_eq!(world.step(&relative, &token, &named.header("etag"), &closing).status, 200);
    let phase = || json!([{"name": w(), "starts_on": "2012-09-01", "goal": w()}]);
    let venue = || json!([{"place_code": "LIM", "kind": "airport", "name": w()}]);
    let slogan = || json!([{"language": "es", "text": w()}]);
    let drive = p.post("/v1/campaigns", json!({"name": w(), "slogans": slogan(), "venues": venue(), "phases": phase(), "audience": w()})).header("location");
    p.patch(&drive, json!({"name": w(), "slogans": slogan(), "venues": venue(), "phases": phase(), "audience": w(), "hotline": w()}));
    for body in [json!({"trigger": "start", "reason": w()}), json!({"trigger": "complete"}), json!({"trigger": "evaluate", "evaluation": w()})] {
        p.step(&drive, body);
    }
    let course = p.post("/v1/trainings", json!({"title": w(), "starts_on": "2012", "place": w()})).header("location");
    p.patch(&course, json!({"title": w(), "place": w()}));
    let given = p.post("/v1/fundings", json!({"donor": "CA", "year": 2012, "amount": {"amount_minor": 1, "currency": "CAD"}, "project": w()})).header("location");
    p.patch(&given, json!({"project": w()}));
    let referral = p.post("/v1/referrals", json!({"case_id": made.json()["id"], "kind": "service_request", "to_agency": "PE-MIMP-INABIF",
        "sections": ["victims"], "services": ["shelter"], "purpose": "assistance", "urgency": "immediate", "legal_basis": "danger_to_life",
        "consent_ref": w(), "message": w()})).header("location");
    p.patch(&referral, json!({"message": w(), "consent_ref": w()}));
    p.step(&referral, json!({"trigger": "send"}));
    p.step(&referral, json!({"trigger": "revoke", "reason": w()}));
    p.step(&path, json!({"trigger": "open_inquiry", "effective_on": "2026-03-15", "legal_act": act("disposicion"), "reason": w()}));
    let charge = format!("/v1/charges/{}", world.get(&format!("/v1/charges?case_id={}", made.json()["id"].as_str().unwrap()), &token).json()["items"][0]["id"].as_str().unwrap());
    p.step(&charge, json!({"trigger": "archive", "legal_act": act("disposicion"), "reason": w()}));

    // What another agency says is wrong.
    let said = world.token("PE-PNP", "cases:read victims:read accused:read corrections:read corrections:write", Purpose::Investigation);
    let all = json!({"agency": "PE-PNP", "role": "information", "sections": ["narrative", "identifiers", "victims", "accused", "charges"]});
    p.post(&format!("{path}/participants"), all);
    let (case_id, id_of) = (made.json()["id"].clone(), |path: &str| path.rsplit('/').next().unwrap().to_owned());
    for (part, body) in [
        ("case", json!({"patch": {"title": w(), "summary": w(), "extensions": [{"name": w(), "value": w()}]}})),
        ("victim", json!({"victim_id": id_of(&victim), "patch": {"indigenous_people": w()}})),
        ("accused", json!({"accused_id": id_of(&known), "patch": {"occupation": w()}})),
    ] {
        let mut new = json!({"case_id": case_id, "reason": w(), "evidence": w()});
        new[part] = body;
        p.note("POST", "/v1/corrections", &new);
        let proposed = world.post("/v1/corrections", &said, &new);
        assert_eq!(proposed.status, 201, "{part}: {}", proposed.text);
        p.step(&proposed.header("location"), json!({"trigger": "reject", "reason": w()}));
    }
    let together = json!({"operations": [{"id": "n", "method": "POST", "path": format!("{path}/notes"), "body": {"visibility": "shared", "text": w()}}]});
    let done = world.post("/v1/batch", &token, &together);
    assert_eq!(done.status, 200, "{}", done.text);

    // Questions about a person are no records: nothing of them stays.
    for (path, body) in [
        ("/v1/accused/search", json!({"given_names": w(), "surnames": w(), "birth_year": 1990})),
        ("/v1/accused/search", json!({"legal_name": w()})),
        ("/v1/victims/search", json!({"given_names": w(), "surnames": w(), "birth_year": 1990})),
        ("/v1/deconfliction", json!({"given_names": w(), "surnames": w(), "birth_year": 1990})),
        ("/v1/deconfliction", json!({"legal_name": w()})),
    ] {
        p.note("POST", path, &body);
        let answer = world.post(path, &token, &body);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    }
    let duty = world.token("PE-PNP", "break_glass:invoke cases:read", Purpose::Investigation);
    let body = json!({"case_id": made.json()["id"], "reason_code": "life_at_risk", "reason": format!("{} {}", w(), "urgente ".repeat(6))});
    p.note("POST", "/v1/break-glass", &body);
    let glass = world.post("/v1/break-glass", &duty, &body);
    assert_eq!(glass.status, 201, "{}", glass.text);
    let review = json!({"trigger": "review", "finding": "justified", "words": w()});
    let glass_path = glass.header("location");
    p.note("POST", &format!("{glass_path}/transitions"), &review);
    let tag = world.get(&glass_path, &token).header("etag");
    let reviewed = world.step(&glass_path, &token, &tag, &review);
    assert_eq!(reviewed.status, 200, "{}", reviewed.text);

    let hold = p.post("/v1/legal-holds", json!({"case_id": made.json()["id"], "ground": "audit", "basis": "EXP-1-2026", "reason": format!("{} durante", w())})).header("location");
    p.step(&hold, json!({"trigger": "lift", "reason": format!("{} terminó", w())}));
    // What fell due is about another case, archived long ago.
    let old = p.post("/v1/cases", crate::support::case()).header("location");
    p.step(&old, json!({"trigger": "reject_outright", "effective_on": "2026-03-20", "legal_act": {"type": "disposicion"}}));
    let law = std::sync::Arc::new(sistra::catalogue::Catalogue::embedded().unwrap());
    let how = sistra::retention::run::Run { as_of: "2031-03-20".parse().unwrap(), dry: false, now: sistra::kernel::Timestamp::now() };
    let report = sistra::retention::run::run(&world.running.as_ref().unwrap().store, &law, how, |_| ()).unwrap();
    let due = report.items.iter().find(|item| item.rule == "PE-RET-01" && old.ends_with(&item.id.to_string())).unwrap().review_id.unwrap();
    p.step(&format!("/v1/retention-reviews/{due}"), json!({"trigger": "restrict", "reason": format!("{} restringe", w())}));
    p.step(&format!("/v1/retention-reviews/{due}"), json!({"trigger": "lift", "until": crate::reviews::in_days(30), "reason": format!("{} levanta", w())}));
    let asks = world.token("PE-MP-FISTRAP-LIMA", "shred:propose", Purpose::Prosecution);
    let asked = json!({"victim_id": victim.rsplit('/').next(), "ground": "person_asked", "basis": "SOL-1-2026", "reason": format!("{} por escrito", w())});
    p.note("POST", "/v1/erasures", &asked);
    let proposed = world.post("/v1/erasures", &asks, &asked);
    assert_eq!(proposed.status, 201, "{}", proposed.text);
    let (erasure, decided) = (proposed.header("location"), json!({"trigger": "reject", "reason": format!("{} no procede", w())}));
    p.note("POST", &format!("{erasure}/transitions"), &decided);
    let ombudsman = world.token("PE-DP", "shred:approve", Purpose::Oversight);
    let tag = world.get(&erasure, &ombudsman).header("etag");
    let rejected = world.step(&erasure, &ombudsman, &tag, &decided);
    assert_eq!(rejected.status, 200, "{}", rejected.text);

    // What fails says where, and not what.
    let mut bad = new.clone();
    bad["reported_at"] = w().into();
    bad["victims"][0]["sex"] = w().into();
    bad["victims"][0]["identity"]["documents"] = json!([{"type": "national_id", "country": "PE", "number": w()}]);
    p.refused(world.post("/v1/cases", &token, &bad));
    p.refused(world.patch(&format!("{victim}/identity"), &token, "\"1.o\"", &json!({"given_names": w(), "birth_date": w()})));
    p.refused(world.post(&format!("{path}/notes"), &token, &json!({"visibility": w(), "text": w()})));

    let free = free_texts();
    let clear = |at: &str| at.split('/').any(|s| CLEAR.iter().any(|(name, _)| s == *name) || FAR.contains(&s)) || at.contains("/identifiers/");
    let missed: Vec<_> = free.iter().filter(|(id, at)| !clear(at) && !p.planted.contains(&(id.clone(), at.clone()))).collect();
    assert!(missed.is_empty(), "no word was planted in {missed:#?}");

    for (place, text) in stolen(world) {
        let at = text.find(WORD).map(|at| text[at.saturating_sub(200)..].chars().take(400).collect::<String>());
        assert_eq!(at, None, "{place}");
    }
    for answer in &p.answers {
        assert!(!answer.text.contains(WORD), "{}", answer.text);
    }
    let metrics = format!("http://{}/metrics", world.running.as_ref().unwrap().metrics_addr.unwrap());
    let text = ureq::get(&metrics).call().unwrap().body_mut().read_to_string().unwrap();
    assert!(text.contains("sistra_") && !text.contains(WORD), "{text}");
    // Access lines and whatever else was logged, down to the words of the framework and the engines.
    assert!(HEARD.load(std::sync::atomic::Ordering::Relaxed) > 50, "the ear is deaf");
    assert_eq!(*SAID.lock().unwrap(), Vec::<String>::new());
}
}
