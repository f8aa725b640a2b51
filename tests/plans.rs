//! The planner over every documented list, filter and sort: no statement reads a whole table.
//!
//! The operations come from the contract. On SQLite every statement that a server ran is given to
//! `EXPLAIN QUERY PLAN`; on PostgreSQL the plans are those of the twin's log.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, Once};

use diesel::connection::{Instrumentation, InstrumentationEvent, SimpleConnection, set_default_instrumentation};
use diesel::prelude::*;
use regex::Regex;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::catalogue::Catalogue;
use sistra::config::Config;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl};
use sistra::jobs::{Job, JobDetail, JobKind, JobState};
use sistra::kernel::ids::{ClientId, JobId};
use sistra::kernel::{AgencyCode, Bucket, Timestamp};

use crate::support::{Answer, Engine, World, case};

/// Small tables that may be read whole.
const REFERENCE: [&str; 4] = ["agency", "client", "client_policy", "__diesel_schema_migrations"];
/// The queue of the sealer: short, and read from its start in any bucket.
const QUEUE: &str = "ledger_pending";

/// Values of the parameters that lists take. One that is not here is taken from the contract or from a record.
const EXAMPLES: &[(&str, &[&str])] = &[
    ("review", &["pending", "done"]),
    ("active", &["true", "false"]),
    ("open", &["true", "false"]),
    ("stage", &["preliminary_inquiry", "preliminary_inquiry,trial"]),
    ("agency", &["PE-MP-FISTRAP-LIMA"]),
    ("identifier", &["PE-CARPETA:506014501-2026-77-0"]),
    ("territory", &["15", "150101"]),
    ("exploitation", &["sexual_adult"]),
    ("reported_from", &["2025-06-01T00:00:00Z"]),
    ("reported_to", &["2026-03-01T00:00:00Z"]),
    ("updated_from", &["2025-06-01T00:00:00Z"]),
    ("sort", &["-updated_at", "updated_at", "-reported_at", "reported_at"]),
    ("kind", &["prosecutor", "coercive"]),
    ("oversight", &["true"]),
    ("box", &["in", "out", "watch"]),
    ("offence_code", &["PE-CP-129-A"]),
    ("state", &["sent", "alleged", "in_force", "met", "evaluated"]),
    ("due", &["overdue", "soon"]),
    ("due_before", &["2026-12-31"]),
    ("expires_before", &["2026-12-31"]),
    ("need", &["shelter"]),
    ("year", &["2012"]),
    ("year_from", &["2012"]),
    ("year_to", &["2012"]),
    ("country", &["US"]),
    ("funder", &["CA"]),
    ("profession", &["judge", "judge,prosecutor,police"]),
    ("venue", &["airport"]),
    ("place", &["LIM"]),
    ("channel", &["poster"]),
    ("donor", &["CA"]),
    ("currency", &["CAD"]),
    ("pays", &["training"]),
    ("reunited_in", &["2012"]),
    ("beneficiary_state", &["reunited", "requested,reunited"]),
    ("open", &["true", "false"]),
    ("competent_for", &["service:shelter"]),
    ("limit", &["2"]),
    ("after", &["begin"]),
    ("cursor", &[]),
];

/// A registry of some hundred cases, and the walk over its lists.
struct Walk<'w> {
    world: &'w World,
    tokens: Vec<String>,
    contract: Value,
    ids: BTreeMap<String, String>,
    /// Kinds of record that the synthetic registry does not have.
    absent: BTreeSet<String>,
}

impl<'w> Walk<'w> {
    fn new(world: &'w World) -> Self {
        let contract = sistra::http::contract::document(&sistra::app::contract());
        let mut scopes = BTreeSet::new();
        for (_, operation) in reads(&contract) {
            scopes.extend(operation["x-required-scopes"].as_array().into_iter().flatten().filter_map(Value::as_str));
        }
        let all = scopes.iter().copied().collect::<Vec<_>>().join(" ") + " cases:write referrals:write victims:write";
        let plain: Vec<&str> = scopes.iter().copied().filter(|s| !s.contains("identity")).collect();
        let tokens = vec![
            world.token("PE-MP-FISTRAP-LIMA", &all, Purpose::Prosecution),
            world.token("PE-DP", &plain.join(" "), Purpose::Oversight),
        ];
        let mut numbered = case();
        numbered["identifiers"] = json!([{"scheme": "PE-CARPETA", "value": "506014501-2026-77-0"}]);
        assert_eq!(world.post("/v1/cases", &tokens[0], &numbered).status, 201);
        let mut walk = Self { world, tokens, contract, ids: BTreeMap::new(), absent: BTreeSet::new() };
        let shared = walk.get("/v1/referrals?box=out&state=accepted&limit=1").json()["items"][0].clone();
        for (name, pointer) in [("referral_id", "id"), ("case_id", "case_id")] {
            walk.ids.insert(name.to_owned(), shared[pointer].as_str().unwrap().to_owned());
        }
        walk
    }

    fn get(&self, path: &str) -> Answer {
        let mut answers = self.tokens.iter().map(|t| self.world.get(path, t));
        let first = answers.next().unwrap();
        if first.status == 403 { answers.next().unwrap() } else { first }
    }

    /// A path with its placeholders filled from the registry.
    fn fill(&mut self, path: &str) -> String {
        let mut filled = String::new();
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        for (n, segment) in segments.iter().enumerate() {
            filled.push('/');
            match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                None => filled.push_str(segment),
                Some(name) => filled.push_str(&self.id(name, segments[n - 1])),
            }
        }
        filled
    }

    /// The id of some record, from a list whose path ends in `collection`.
    fn id(&mut self, name: &str, collection: &str) -> String {
        if let Some(id) = self.ids.get(name) {
            return id.clone();
        }
        let paths: Vec<String> = reads(&self.contract).map(|(p, _)| p.to_owned()).collect();
        for list in paths.iter().filter(|p| p.ends_with(&format!("/{collection}"))) {
            let path = (self.fill(list) + &self.required(list)).trim_end_matches('?').to_owned();
            let items = self.get(&path).json()["items"].clone();
            let found = ["id", "code"].iter().find_map(|k| items[0][k].as_str().or(items[0]["victim"][k].as_str()));
            if let Some(found) = found {
                self.ids.insert(name.to_owned(), found.to_owned());
                return found.to_owned();
            }
        }
        // The synthetic registry has none: an id of the case's bucket, which is looked for and not found.
        self.absent.insert(name.to_owned());
        let id = self.ids["case_id"].clone();
        self.ids.insert(name.to_owned(), id.clone());
        id
    }

    fn parameters(&self, path: &str) -> Vec<Value> {
        let given = self.contract["paths"][path]["get"]["parameters"].as_array().cloned().unwrap_or_default();
        let whole = |p: Value| match p["$ref"].as_str() {
            Some(target) => self.contract.pointer(target.trim_start_matches('#')).unwrap().clone(),
            None => p,
        };
        given.into_iter().map(whole).filter(|p| p["in"] == "query").collect()
    }

    fn required(&mut self, path: &str) -> String {
        let required: Vec<Value> = self.parameters(path).into_iter().filter(|p| p["required"] == json!(true)).collect();
        let pairs: Vec<String> =
            required.iter().map(|p| format!("{}={}", p["name"].as_str().unwrap(), self.values(p)[0])).collect();
        format!("?{}", pairs.join("&"))
    }

    fn values(&mut self, parameter: &Value) -> Vec<String> {
        let name = parameter["name"].as_str().unwrap();
        let schema = &parameter["schema"];
        if let Some((_, values)) = EXAMPLES.iter().find(|(n, _)| *n == name) {
            return values.iter().map(|v| (*v).to_owned()).collect();
        }
        let text = |v: &Value| v.as_str().map_or_else(|| v.to_string(), str::to_owned);
        if let Some(values) = schema["enum"].as_array() {
            return values.iter().map(text).collect();
        }
        if let Some(value) =
            [&parameter["example"], &schema["example"], &schema["default"]].into_iter().find(|v| !v.is_null())
        {
            return vec![text(value)];
        }
        if let Some(thing) = name.strip_suffix("_id") {
            let collection = if thing == "accused" { thing.to_owned() } else { format!("{thing}s") };
            return vec![self.id(name, &collection)];
        }
        panic!("no value for the parameter {name}: give this test one");
    }

    /// Asks for a page, and for the one after it; no where the list does not take these values.
    fn pages(&self, path: &str) -> bool {
        // A code of another list is a fault of the request, not a filter.
        let first = self.get(path);
        if first.status == 422 || first.status == 400 {
            return false;
        }
        assert_eq!(first.status, 200, "{path}: {}", first.text);
        if let Some(cursor) = first.json()["next_cursor"].as_str() {
            assert_eq!(self.get(&format!("{path}&cursor={cursor}")).status, 200, "{path}");
        }
        true
    }

    /// Every read of the contract; of lists every filter, alone and with every sort, two pages each. Answers how many
    /// operations and how many lists it saw.
    fn all(&mut self) -> (usize, usize) {
        let paths: Vec<String> = reads(&self.contract).map(|(p, _)| p.to_owned()).collect();
        let mut lists = 0;
        for path in &paths {
            let base = (self.fill(path) + &self.required(path)).trim_end_matches('?').to_owned();
            if self.absent.iter().any(|name| path.contains(&format!("{{{name}}}"))) {
                assert_eq!(self.get(&base).status, 404, "{base}");
                continue;
            }
            let parameters = self.parameters(path);
            let has = |name: &str| parameters.iter().any(|p| p["name"] == name);
            if !has("cursor") {
                assert_eq!(self.get(&base).status, 200, "{base}");
                continue;
            }
            lists += 1;
            let base = if base.contains('?') { base + "&limit=2" } else { base + "?limit=2" };
            let sorts = if has("sort") { EXAMPLES.iter().find(|(n, _)| *n == "sort").unwrap().1 } else { &[""] };
            for sort in sorts {
                let base = if sort.is_empty() { base.clone() } else { format!("{base}&sort={sort}") };
                assert!(self.pages(&base), "{base}");
                for parameter in &parameters {
                    let name = parameter["name"].as_str().unwrap();
                    if ["sort", "limit", "cursor", "fields"].contains(&name)
                        || (parameter["required"] == json!(true) && name != "box")
                    {
                        continue;
                    }
                    let mut taken = false;
                    for value in self.values(parameter) {
                        let (path, query) = base.split_once('?').unwrap();
                        let others = query.split('&').filter(|p| !p.starts_with(&format!("{name}=")));
                        let query: Vec<String> = others.map(str::to_owned).chain([format!("{name}={value}")]).collect();
                        taken |= self.pages(&format!("{path}?{}", query.join("&")));
                    }
                    assert!(taken, "no value for {name} of {path}: give this test one");
                }
            }
        }
        // The lane of oversight is as long as the registry.
        for sort in EXAMPLES.iter().find(|(n, _)| *n == "sort").unwrap().1 {
            let answer = self.world.get(&format!("/v1/cases?limit=2&sort={sort}"), &self.tokens[1]);
            assert_eq!(answer.json()["items"].as_array().unwrap().len(), 2);
        }
        (paths.len(), lists)
    }
}

/// The reads of the registry that the contract documents.
fn reads(contract: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let paths = contract["paths"].as_object().unwrap();
    paths
        .iter()
        .filter(|(p, item)| p.starts_with("/v1/") && !item["get"]["security"][0]["oauth2"].is_null())
        .map(|(p, item)| (p.as_str(), &item["get"]))
}

/// Some jobs of a few clients.
fn jobs(tx: &mut Conn) -> sistra::kernel::Result<()> {
    let now = Timestamp::now();
    // Several clients in a bucket, so that the index by client is the better one, and not as good as the key.
    for bucket in (0..200).map(|_| Bucket::random()) {
        for client in (0..3).map(|_| ClientId::generate(now, bucket)) {
            let detail = JobDetail {
                user: None,
                oversight: false,
                scopes: Vec::new(),
                purpose: "prosecution".to_owned(),
                request_id: uuid::Uuid::new_v4(),
                lang: "es".to_owned(),
                request: "POST /v1/imports".to_owned(),
                order: Value::Null,
                checkpoint: Value::Null,
                counts: BTreeMap::new(),
                files: Vec::new(),
                identities: false,
                started_at: None,
                failure: None,
            };
            let job = Job {
                id: JobId::generate(now, client.bucket()),
                version: 1,
                client,
                agency: AgencyCode::parse("PE-DP").unwrap(),
                kind: JobKind::Import,
                state: JobState::Succeeded,
                done: 0,
                total: None,
                expires_at: Some(now.plus_seconds(60)),
                detail,
                created_at: now,
                updated_at: now,
            };
            sistra::jobs::store::insert(tx, &job)?;
        }
    }
    Ok(())
}

/// Makes the synthetic registry in a database that no server has yet.
fn registry(url: &DatabaseUrl, dir: &Path) {
    let catalogue = Arc::new(Catalogue::embedded().unwrap());
    let store = sistra::app::open_store(&Config::for_tests(url.clone(), dir.to_owned()), &catalogue).unwrap();
    let index = Arc::new(sistra::persons::IndexKey::from_secret(&[7; 32]).unwrap());
    actix_rt::System::new().block_on(sistra::demo::fill(&store, &catalogue, &index, 1, 400, |_| ())).unwrap();
    store.write_blocking(jobs).unwrap();
    // The audit operations show what is sealed.
    while sistra::ledger::sealer::seal(&store, "", Timestamp::now()).unwrap() > 0 {}
    store
        .write_blocking(|tx| {
            sistra::http::idempotency::forget(tx, Bucket::random(), Timestamp::now())?;
            sistra::auth::dpop::forget(tx, Bucket::random(), Timestamp::now())?;
            sistra::auth::revocation::forget(tx, Timestamp::now())?;
            sistra::auth::door::forget(tx, Bucket::random(), Timestamp::now())
        })
        .unwrap();
    if let DatabaseUrl::Postgres(text) = url {
        let name = text.rsplit('/').next().unwrap();
        // Whether an index serves a statement is the question, not whether a table is still small enough to do without.
        let settings = format!("ALTER DATABASE {name} SET enable_seqscan = off; ANALYZE");
        for one in settings.split("; ") {
            open(url, Role::Write, 60_000).unwrap().batch_execute(one).unwrap();
        }
    }
}

#[test]
fn on_postgresql_every_list_filter_and_sort_uses_an_index() {
    let Some(world) = World::prepared(Engine::Twin, registry) else { return };
    let (operations, lists) = Walk::new(&world).all();
    assert!(operations > 20 && lists > 10, "{operations} {lists}");
    let verdict = world.verdict();
    let columns = Regex::new(r#"(\w+)"?\)?(?:::\w+)? (?:=|<|>|<=|>=) "#).unwrap();
    let mut faults = BTreeSet::new();
    let mut seen = 0;
    for ran in &verdict.ran {
        for scan in &ran.scans {
            if REFERENCE.contains(&scan.table.as_str()) || scan.table == QUEUE {
                continue;
            }
            seen += 1;
            // Within a bucket a key must lead on. A multi-get binds both; in a registry of this size, with a row in
            // every tenth bucket, the planner may find the first enough.
            let by_key = columns.captures_iter(&scan.condition).any(|c| &c[1] != "bucket");
            if scan.node == "Seq Scan" || (!by_key && !is_broom(&ran.text) && !is_multi_get(&ran.text)) {
                faults.insert(format!("{} of {} ({}): {}", scan.node, scan.table, scan.condition, ran.text));
            }
        }
    }
    assert!(seen > 200, "{seen}");
    assert!(faults.is_empty(), "{}", faults.into_iter().collect::<Vec<_>>().join("\n"));
}

/// What reads the whole of a bucket because the whole of it is asked for.
fn is_broom(sql: &str) -> bool {
    // Of cases that cannot be read there is hardly ever one, each has raised an alarm, and an answer says how many.
    if sql.starts_with("SELECT COUNT(*) FROM \"statistics_skipped\"") {
        return true;
    }
    sql.starts_with("DELETE FROM \"idempotency\"") || sql.starts_with("DELETE FROM \"assertion_replay\"")
}

fn is_multi_get(sql: &str) -> bool {
    sql.matches("= ANY($").count() == 2 || sql.contains("FROM unnest($1::smallint[], $2::uuid[]) AS w (bucket, id) JOIN ")
}

/// Statements by database, of the databases that a test asked about.
static HEARD: Mutex<BTreeMap<String, BTreeSet<String>>> = Mutex::new(BTreeMap::new());

#[derive(Default)]
struct Ear(String);

impl Instrumentation for Ear {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.0 = url.to_owned(),
            InstrumentationEvent::StartQuery { query, .. } => {
                if let Some(heard) = HEARD.lock().unwrap().get_mut(&self.0) {
                    let text = query.to_string();
                    heard.insert(text.split(" -- binds:").next().unwrap().to_owned());
                }
            }
            _ => {}
        }
    }
}

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = diesel::sql_types::Text)]
    detail: String,
}

fn plan(conn: &mut Conn, sql: &str) -> Vec<String> {
    let Conn::Sqlite(c) = conn else { panic!("SQLite only") };
    let steps: Vec<Step> =
        diesel::sql_query(format!("EXPLAIN QUERY PLAN {sql}")).load(c).unwrap_or_else(|e| panic!("{sql}: {e}"));
    steps.into_iter().map(|s| s.detail).collect()
}

/// What the plan of a statement reads whole.
fn scans(conn: &mut Conn, sql: &str) -> Vec<String> {
    let whole = |step: &String| {
        let table = step.strip_prefix("SCAN ").and_then(|s| s.split_whitespace().next());
        table.is_some_and(|t| !REFERENCE.contains(&t) && t != QUEUE && !["sqlite_schema", "CONSTANT"].contains(&t))
    };
    plan(conn, sql).into_iter().filter(whole).collect()
}

#[test]
fn on_sqlite_every_list_filter_and_sort_uses_an_index() {
    static HEAR: Once = Once::new();
    HEAR.call_once(|| set_default_instrumentation(|| Some(Box::<Ear>::default())).unwrap());
    let path = |url: &DatabaseUrl| match url {
        DatabaseUrl::Sqlite(path) => path.to_str().unwrap().to_owned(),
        DatabaseUrl::Postgres(_) => unreachable!(),
    };
    let world = World::prepared(Engine::Sqlite, |url, dir| {
        HEARD.lock().unwrap().insert(path(url), BTreeSet::new());
        registry(url, dir);
    })
    .unwrap();
    let url = path(&world.database);
    let mut walk = Walk::new(&world);
    let (operations, lists) = walk.all();
    assert!(operations > 20 && lists > 10, "{operations} {lists}");
    let heard = std::mem::take(HEARD.lock().unwrap().get_mut(&url).unwrap());
    // What the index gives in order is not sorted again.
    let mut sorted = Vec::new();
    for sort in ["-updated_at", "updated_at", "-reported_at", "reported_at"] {
        assert!(walk.pages(&format!("/v1/cases?sort={sort}&limit=2")));
        let lane = std::mem::take(HEARD.lock().unwrap().get_mut(&url).unwrap());
        sorted.extend(lane.into_iter().filter(|s| s.contains("FROM `docket`") && s.contains("ORDER BY")));
    }
    HEARD.lock().unwrap().remove(&url);
    let mut conn = open(&world.database, Role::Write, 5_000).unwrap();
    assert!(sorted.len() >= 8, "{sorted:?}");
    for sql in sorted {
        let steps = plan(&mut conn, &sql);
        assert!(!steps.iter().any(|s| s.contains("TEMP B-TREE")), "{steps:?}: {sql}");
    }
    let statements: Vec<&String> =
        heard.iter().filter(|s| ["SELECT", "UPDATE", "DELETE", "INSERT"].iter().any(|w| s.starts_with(w))).collect();
    assert!(statements.len() > 60, "{}", statements.len());
    let faults: Vec<String> = statements
        .into_iter()
        .flat_map(|sql| scans(&mut conn, sql).into_iter().map(move |s| format!("{s}: {sql}")))
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // The eye itself: these have no index.
    assert_eq!(scans(&mut conn, "SELECT id FROM case_file WHERE code = ?"), ["SCAN case_file"]);
    assert!(
        plan(&mut conn, "SELECT case_id FROM docket WHERE agency_code = ? ORDER BY territory")
            .iter()
            .any(|s| s.contains("TEMP B-TREE"))
    );
}
