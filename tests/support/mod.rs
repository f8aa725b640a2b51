//! A server per test, on either engine, and a client that speaks to it over real HTTP.

pub mod authority;
pub mod contract;
pub mod endpoint;
pub mod file;
pub mod postgres;
pub mod process;
pub mod twin;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use sistra::app::{Running, start};
use sistra::auth::Purpose;
use sistra::auth::clients::{Credential, NewClient, create};
use sistra::config::Config;
use sistra::db::DatabaseUrl;
use sistra::kernel::ids::ClientId;
use sistra::kernel::{AgencyCode, Timestamp};

/// Engine of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Sqlite,
    Postgres,
    /// PostgreSQL with every bucket table in partitions: see `twin`.
    Twin,
}

/// Makes three tests of one body: `sqlite::name`, `postgres::name` and `twin::name`. `fn name(world, |config, dir| …)`
/// changes settings.
#[macro_export]
macro_rules! both {
    ($(fn $name:ident($world:ident $(, $set:expr)?) $body:block)*) => {
        $(fn $name(engine: $crate::support::Engine) {
            let made = $crate::support::World::with(engine, |_config, _dir| { $($crate::support::apply(_config, _dir, $set);)? });
            if let Some($world) = &made $body
        })*
        mod sqlite {
            $(#[test] fn $name() { super::$name($crate::support::Engine::Sqlite) })*
        }
        mod postgres {
            $(#[test] fn $name() { super::$name($crate::support::Engine::Postgres) })*
        }
        mod twin {
            $(#[test] fn $name() { super::$name($crate::support::Engine::Twin) })*
        }
    };
}

/// A server with a database of its own.
pub struct World {
    pub running: Option<Running>,
    pub dir: PathBuf,
    /// The database as its owner sees it; the server of a PostgreSQL one has the application's rights only.
    pub database: DatabaseUrl,
    /// Whether the server has the application's rights only: on PostgreSQL, unless the cluster was given.
    pub restricted: bool,
    agent: ureq::Agent,
    /// What a twin is judged by when it ends.
    watch: Option<twin::Watch>,
}

/// What the server said.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: ureq::http::HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
    /// The record without what only the answer to its opening says: who may be known already.
    pub fn record(&self) -> Value {
        let mut record = self.json();
        record.as_object_mut().unwrap().remove("possible_duplicates");
        record
    }
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default().to_owned()
    }
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
    /// `pointer: code` of every fault.
    pub fn faults(&self) -> Vec<String> {
        let body = self.json();
        let one = |f: &Value| {
            let at = ["pointer", "parameter", "header"].iter().find_map(|k| f[*k].as_str()).unwrap_or_default().to_owned();
            format!("{at}: {}", f["code"].as_str().unwrap_or_default())
        };
        body["errors"].as_array().map(|a| a.iter().map(one).collect()).unwrap_or_default()
    }
}

static COUNT: AtomicU64 = AtomicU64::new(0);

pub fn unique() -> String {
    format!("{}-{}-test-key-0000", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

pub const ALL: &str = "cases:read cases:write victims:read victims:write accused:read accused:write charges:read \
    charges:write referrals:read referrals:write referrals:decide";

/// Calls `set`; a function of its own because the types of a closure's arguments are known only here.
pub fn apply(config: &mut Config, dir: &Path, set: impl FnOnce(&mut Config, &Path)) {
    set(config, dir);
}

impl World {
    /// A server with the settings of [`Config::for_tests`].
    pub fn new(engine: Engine) -> Option<Self> {
        Self::made(engine, |_, _| (), |_, _| ())
    }

    /// With a database that `prepare` has had before the server, as its owner.
    pub fn prepared(engine: Engine, prepare: impl FnOnce(&DatabaseUrl, &Path)) -> Option<Self> {
        Self::made(engine, prepare, |_, _| ())
    }

    /// A server whose settings `set` has changed; none where the engine is not there.
    pub fn with(engine: Engine, set: impl FnOnce(&mut Config, &Path)) -> Option<Self> {
        Self::made(engine, |_, _| (), set)
    }

    fn made(
        engine: Engine,
        prepare: impl FnOnce(&DatabaseUrl, &Path),
        set: impl FnOnce(&mut Config, &Path),
    ) -> Option<Self> {
        let dir = std::env::temp_dir().join(format!("sistra-test-{}", unique()));
        let (database, server, watch) = match engine {
            Engine::Sqlite => {
                let file = DatabaseUrl::Sqlite(dir.join("sistra.sqlite3"));
                (file.clone(), file, None)
            }
            Engine::Postgres => {
                let made = postgres::database()?;
                (DatabaseUrl::Postgres(made.owner), DatabaseUrl::Postgres(made.server), None)
            }
            Engine::Twin => {
                let made = postgres::twin()?;
                let watch = twin::Watch::new(&made);
                (DatabaseUrl::Postgres(made.owner), DatabaseUrl::Postgres(made.server), Some(watch))
            }
        };
        std::fs::create_dir_all(&dir).unwrap();
        prepare(&database, &dir);
        let restricted = server != database;
        let mut config = Config::for_tests(server, dir.clone());
        set(&mut config, &dir);
        let running = start(&config).unwrap();
        let agent = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        Some(Self { running: Some(running), dir, database, restricted, agent, watch })
    }

    /// What the twin's plans and statements break of the rules, so far.
    pub fn verdict(&self) -> twin::Verdict {
        self.watch.as_ref().unwrap().verdict()
    }

    pub fn base(&self) -> String {
        format!("http://{}", self.running.as_ref().unwrap().addr)
    }

    /// A token of a new client of an agency, with these scopes and this purpose.
    pub fn token(&self, agency: &str, scopes: &str, purpose: Purpose) -> String {
        let identity = scopes.split_whitespace().any(sistra::auth::policy::is_identity);
        let jwks = json!({"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]});
        let credential = if identity { Credential::Jwks(jwks.to_string()) } else { Credential::Secret };
        let (id, _) = self.client(agency, scopes, &[purpose], credential).unwrap();
        self.token_of(id)
    }

    /// Registers a client; answers its id and its secret, or why it may not be.
    pub fn client(
        &self,
        agency: &str,
        scopes: &str,
        purposes: &[Purpose],
        credential: Credential,
    ) -> Result<(ClientId, Option<String>), String> {
        let running = self.running.as_ref().unwrap();
        let new = NewClient {
            agency: AgencyCode::parse(agency).unwrap(),
            name: "test".into(),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            purposes: purposes.to_vec(),
            credential,
        };
        let made = running.store.write_blocking(move |tx| Ok(create(tx, &new, Timestamp::now()))).unwrap();
        running.authenticator.directory.refresh(&running.store).unwrap();
        made
    }

    /// A token of a client with all its scopes and its first purpose.
    pub fn token_of(&self, id: ClientId) -> String {
        let authenticator = &self.running.as_ref().unwrap().authenticator;
        let client = authenticator.directory.find(id).unwrap().unwrap();
        authenticator.token_for(&client, &client.scopes, client.purposes[0], None, Timestamp::now()).unwrap()
    }

    pub fn prosecutor(&self) -> String {
        self.token("PE-MP-FISTRAP-LIMA", ALL, Purpose::Prosecution)
    }

    pub fn shelter(&self) -> String {
        self.token("PE-MIMP-INABIF", ALL, Purpose::Assistance)
    }

    fn finish<B: ureq::AsSendBody>(&self, request: ureq::http::Request<B>) -> Answer {
        let (method, target) = (request.method().to_string(), request.uri().path_and_query().unwrap().to_string());
        let mut response = self.agent.run(request).unwrap();
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let answer = Answer { status, headers, text: response.body_mut().read_to_string().unwrap() };
        contract::check(&method, &target, &answer);
        answer
    }

    pub fn send(&self, method: &str, path: &str, token: Option<&str>, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base()));
        if let Some(token) = token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if body.is_empty() { self.finish(request.body(()).unwrap()) } else { self.finish(request.body(body).unwrap()) }
    }

    pub fn get(&self, path: &str, token: &str) -> Answer {
        self.send("GET", path, Some(token), &[], b"")
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.post_with(path, token, &[("Idempotency-Key", &unique())], body)
    }

    pub fn post_with(&self, path: &str, token: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let headers = [headers, &[("Content-Type", "application/json")]].concat();
        self.send("POST", path, Some(token), &headers, body.to_string().as_bytes())
    }

    pub fn patch(&self, path: &str, token: &str, etag: &str, body: &Value) -> Answer {
        let headers = [("Content-Type", "application/merge-patch+json"), ("If-Match", etag)];
        self.send("PATCH", path, Some(token), &headers, body.to_string().as_bytes())
    }

    pub fn step(&self, path: &str, token: &str, etag: &str, body: &Value) -> Answer {
        self.post_with(&format!("{path}/transitions"), token, &[("Idempotency-Key", &unique()), ("If-Match", etag)], body)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop();
        }
        let _ = std::fs::remove_dir_all(&self.dir);
        if let Some(watch) = self.watch.take()
            && !std::thread::panicking()
        {
            let faults = watch.verdict().faults;
            assert!(faults.is_empty(), "the twin refuses these statements:\n{}", faults.join("\n"));
        }
    }
}

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
