//! The rows that are measured on: a server, its records, and copies of rows in numbers that no API makes in time.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sistra::app::{Running, start};
use sistra::auth::Purpose;
use sistra::auth::clients::{ClientRecord, Credential, NewClient, create};
use sistra::catalogue::Catalogue;
use sistra::config::Config;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl};
use sistra::kernel::ids::CaseId;
use sistra::kernel::{AgencyCode, Bucket, Timestamp};
use sistra::ledger::sealer;

use crate::load::{Load, once, request};
use crate::unique;

const AGENCY: &str = "PE-MP-FISTRAP-LIMA";
const SCOPES: &str = "cases:read cases:write victims:read victims:write accused:read accused:write charges:read charges:write \
     events:read";

/// A case with one adult victim, one accused and one charge.
pub fn case() -> Value {
    json!({
        "title": "Captación con oferta falsa", "summary": "Relato reservado", "reported_at": "2026-03-14T15:30:00.000Z",
        "report_channel": "police", "facts_from": "2026-01", "territory": "170101", "exploitation": ["sexual_adult"],
        "victims": [{"label": "v1", "sex": "female", "age_at_identification": 22, "acts": ["recruit"], "means": ["deception"], "purposes": ["sexual_exploitation"]}],
        "accused": [{"label": "a1", "kind": "natural_person"}],
        "charges": [{"accused": "a1", "offence_code": "PE-CP-129-A", "role": "author", "victims": ["v1"]}]
    })
}

/// A case and its victim.
#[derive(Clone, Debug)]
pub struct Made {
    pub id: String,
    pub victim: String,
}

/// A server and who asks it.
pub struct Bench {
    pub running: Running,
    pub url: DatabaseUrl,
    /// PostgreSQL's first process.
    pub pid: Option<u32>,
    pub client: Arc<ClientRecord>,
    pub catalogue: Arc<Catalogue>,
    pub token: String,
    /// A token that opens identities.
    pub identity: String,
}

impl Bench {
    pub fn start(config: &Config, pid: Option<u32>) -> Self {
        let mut config = config.clone();
        // A run is longer than five minutes.
        config.serve.token_ttl_s = 900;
        let running = start(&config).unwrap();
        let client = client(&running, SCOPES, Credential::Secret);
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]});
        let reader = self::client(&running, "victims.identity:read", Credential::Jwks(keys.to_string()));
        let token = |client: &ClientRecord| {
            running.authenticator.token_for(client, &client.scopes, Purpose::Prosecution, None, Timestamp::now()).unwrap()
        };
        let (token, identity) = (token(&client), token(&reader));
        let catalogue = Arc::new(config.catalogue().unwrap());
        Self { url: config.database.clone(), pid, client, catalogue, token, identity, running }
    }

    pub fn addr(&self) -> SocketAddr {
        self.running.addr
    }

    pub fn stop(self) {
        self.running.stop();
    }

    fn post(&self, path: &str, etag: Option<&str>, body: &Value) -> Value {
        let mut headers = vec![("Content-Type", "application/json".to_owned()), ("Idempotency-Key", unique())];
        headers.extend(etag.map(|e| ("If-Match", e.to_owned())));
        let (status, answer) = once(self.addr(), &request("POST", path, &self.token, &headers, &body.to_string()));
        assert!((200..300).contains(&status), "{path}: {answer}");
        answer
    }

    fn get(&self, path: &str) -> Value {
        let (status, answer) = once(self.addr(), &request("GET", path, &self.token, &[], ""));
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// New cases, opened by requests.
    pub fn cases(&self, count: usize) -> Vec<Made> {
        let body = case().to_string();
        let one = |_| {
            let headers = [("Content-Type", "application/json".to_owned()), ("Idempotency-Key", unique())];
            request("POST", "/v1/cases", &self.token, &headers, &body).into()
        };
        let from = self.last_case();
        Load { addr: self.addr(), database: None }.run((0..count).map(one).collect());
        // As a database that has been up for a minute does by itself: plans made on empty tables are forgotten.
        self.execute("ANALYZE");
        // Nearly every record is older than the minute after which its key may be kept open.
        self.execute("UPDATE subject_key SET created_at = '2026-01-01T00:00:00.000Z'");
        self.since(from.as_deref())
    }

    /// Seals what waits, with the sealer's own hands; how long each entry's batch took, over its entries.
    pub fn seal(&self) -> Vec<Duration> {
        let mut took = Vec::new();
        loop {
            let started = Instant::now();
            let sealed = sealer::seal(&self.running.store, "bench", Timestamp::now()).unwrap();
            if sealed == 0 {
                return took;
            }
            took.extend(std::iter::repeat_n(started.elapsed() / u32::try_from(sealed).unwrap(), sealed));
        }
    }

    /// Lets the server's own sealer work again, and waits until nothing is left.
    pub fn free_the_sealer(&self) {
        self.execute("DELETE FROM lease");
        while self.running.store.read_blocking(sealer::progress).unwrap().1 > 0 {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// The end of the feed.
    pub fn feed_now(&self) -> String {
        self.get("/v1/events?after=now")["next_cursor"].as_str().unwrap().to_owned()
    }

    /// The id of the newest case.
    fn last_case(&self) -> Option<String> {
        self.rows("SELECT id, id AS victim FROM case_file ORDER BY created_at DESC, id DESC LIMIT 1").pop().map(|m| m.id)
    }

    fn since(&self, id: Option<&str>) -> Vec<Made> {
        let from = id.map_or(String::new(), |id| {
            let created = format!("(SELECT created_at FROM case_file WHERE id = {})", self.literal(id));
            format!("WHERE c.created_at > {created}")
        });
        self.rows(&format!(
            "SELECT c.id AS id, v.victim_id AS victim FROM case_file c JOIN case_victim v ON v.case_id = c.id {from}"
        ))
    }

    fn literal(&self, id: &str) -> String {
        match self.url {
            DatabaseUrl::Postgres(_) => format!("'{id}'::uuid"),
            DatabaseUrl::Sqlite(_) => format!("X'{}'", id.replace('-', "")),
        }
    }

    fn rows(&self, sql: &str) -> Vec<Made> {
        use diesel::RunQueryDsl;
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = sistra::db::types::IdSql)]
            id: CaseId,
            #[diesel(sql_type = sistra::db::types::IdSql)]
            victim: CaseId,
        }
        let rows: Vec<Row> = match &mut self.connection() {
            Conn::Postgres(c) => diesel::sql_query(sql).load(c).unwrap(),
            Conn::Sqlite(c) => diesel::sql_query(sql).load(c).unwrap(),
        };
        rows.into_iter().map(|Row { id, victim }| Made { id: id.to_string(), victim: victim.uuid().to_string() }).collect()
    }

    fn connection(&self) -> Conn {
        open(&self.url, Role::Write, 600_000).unwrap()
    }

    fn execute(&self, sql: &str) {
        self.connection().batch_execute(sql).unwrap();
    }

    /// Copies of a case, each changed a second before the one before.
    pub fn more_cases(&self, of: &Made, count: usize) {
        let (now, template) = (Timestamp::now(), self.literal(&of.id));
        let mut conn = self.connection();
        for chunk in (0..count).collect::<Vec<_>>().chunks(1_000) {
            let values: Vec<String> = chunk
                .iter()
                .map(|n| {
                    let bucket = Bucket::random();
                    let id = self.literal(&CaseId::generate(now, bucket).to_string());
                    let at = now.plus_seconds(-i64::try_from(*n).unwrap());
                    match self.url {
                        DatabaseUrl::Postgres(_) => format!("({}::smallint, {id}, '{at}'::timestamptz)", bucket.number()),
                        DatabaseUrl::Sqlite(_) => format!("({}, {id}, '{at}')", bucket.number()),
                    }
                })
                .collect();
            let copies = format!("WITH v (b, i, at) AS (VALUES {})", values.join(","));
            let case = "owner_agency, jurisdiction, procedural_code";
            let rest =
                "reported_at, territory, external_ref, detail, version, created_at, created_by_agency, created_by_client";
            let lane = "relation, owner_agency";
            let line = "territory, exploitation, reported_at, sections, victim_ids";
            // The stage that the filter of the list names.
            conn.batch_execute(&format!(
                "{copies} INSERT INTO case_file (bucket, id, updated_at, code, stage, {case}, {rest}) \
                 SELECT v.b, v.i, v.at, c.code, 'reported', {case}, {rest} FROM v, case_file c WHERE c.id = {template}; \
                 {copies} INSERT INTO docket (bucket, agency_code, case_id, updated_at, stage, {lane}, {line}) \
                 SELECT d.bucket, d.agency_code, v.i, v.at, 'reported', {lane}, {line} FROM v, docket d WHERE d.case_id = {template};"
            ))
            .unwrap();
        }
        conn.batch_execute("ANALYZE").unwrap();
    }

    /// The way to a page of a list.
    pub fn walk(&self, path: &str, page: usize) -> String {
        let mut next = path.to_owned();
        for _ in 1..page {
            let cursor = self.get(&next)["next_cursor"].as_str().expect("more pages").to_owned();
            next = format!("{path}&cursor={cursor}");
        }
        next
    }

    /// Takes the sealer's lease for ever: entries wait for a position.
    pub fn hold_the_sealer(&self) {
        self.execute("DELETE FROM lease");
        self.execute(
            "INSERT INTO lease (bucket, name, holder, until, token) VALUES (0, 'sealer', 'bench', '2999-01-01T00:00:00.000Z', 1)",
        );
    }
}

fn client(running: &Running, scopes: &str, credential: Credential) -> Arc<ClientRecord> {
    let new = NewClient {
        agency: AgencyCode::parse(AGENCY).unwrap(),
        name: "bench".into(),
        scopes: scopes.split_whitespace().map(str::to_owned).collect(),
        purposes: vec![Purpose::Prosecution],
        credential,
    };
    let (id, _) = running.store.write_blocking(move |tx| Ok(create(tx, &new, Timestamp::now()))).unwrap().unwrap();
    let directory = &running.authenticator.directory;
    directory.refresh(&running.store).unwrap();
    directory.find(id).unwrap().unwrap()
}

/// A desk: a table with one row per open matter of an agency, and the list that shows its first page.
pub struct Desk {
    pub name: &'static str,
    pub path: &'static str,
    table: &'static str,
    id: &'static str,
    at: &'static str,
    rest: &'static str,
    /// Puts at least a page of real matters on it.
    fill: fn(&Bench, &Made),
}

/// Every desk. A new one is one line.
pub const DESKS: &[Desk] = &[
    Desk {
        name: "measures",
        path: "/v1/measures?expires_before=2090-01-01&limit=50",
        table: "measure_desk",
        id: "measure_id",
        at: "until_at",
        rest: "bucket, agency_code, case_id, kind, state",
        fill: detentions,
    },
    Desk {
        name: "deadlines",
        path: "/v1/deadlines?due_before=2090-01-01&limit=50",
        table: "deadline_desk",
        id: "case_id",
        at: "due_at",
        rest: "bucket, agency_code, limit_id, starts_at, extended, continuous",
        // A case that is reported has a term to be opened in.
        fill: |_, _| (),
    },
];

impl Desk {
    /// Real matters, for the page that is read.
    pub fn prepare(&self, bench: &Bench, of: &Made) {
        (self.fill)(bench, of);
    }

    /// So many matters more, all due after the real ones.
    pub fn grow(&self, bench: &Bench, count: usize) {
        let Self { table, id, at, rest, .. } = self;
        let template = format!("(SELECT {rest} FROM {table} WHERE agency_code = '{AGENCY}' LIMIT 1) AS t");
        let sql = match bench.url {
            DatabaseUrl::Postgres(_) => format!(
                "INSERT INTO {table} ({id}, {at}, {rest}) SELECT gen_random_uuid(), timestamptz '2030-01-01 00:00:00+00' + \
                 (n % 20000) * interval '1 day', t.* FROM generate_series(1, {count}) AS n, {template}"
            ),
            DatabaseUrl::Sqlite(_) => format!(
                "WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {count}) \
                 INSERT INTO {table} ({id}, {at}, {rest}) SELECT randomblob(16), \
                 strftime('%Y-%m-%dT00:00:00.000Z', '2030-01-01', '+' || (n % 20000) || ' days'), t.* FROM s, {template}"
            ),
        };
        bench.execute(&sql);
        bench.execute("ANALYZE");
    }
}

/// Sixty detentions in force.
fn detentions(bench: &Bench, _of: &Made) {
    for Made { id, .. } in bench.cases(70).into_iter().take(60) {
        let accused = bench.get(&format!("/v1/cases/{id}/accused"))["items"][0]["id"].clone();
        let asked = json!({"kind": "coercive", "type": "pretrial_detention", "accused_id": accused, "requested_by": "prosecutor",
            "requested_on": "2020-01-10", "legal_act": {"type": "requerimiento", "number": "04-2020"}});
        let measure = bench.post(&format!("/v1/cases/{id}/measures"), None, &asked)["id"].as_str().unwrap().to_owned();
        let path = format!("/v1/measures/{measure}/transitions");
        let order = json!({"type": "auto", "number": "3", "authority": "Juzgado de investigación preparatoria"});
        let granted = json!({"trigger": "grant", "granted_by": "inv_judge", "from_on": "2020-01-10", "until_on": "2020-07-01", "legal_act": order});
        bench.post(&path, Some("\"1.o\""), &granted);
        bench.post(&path, Some("\"2.o\""), &json!({"trigger": "enter_into_force"}));
    }
}
