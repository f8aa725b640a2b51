//! Settings: every one is a flag and an environment variable, with its unit in its name.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use zeroize::Zeroizing;

use crate::catalogue::Catalogue;
use crate::db::{DatabaseUrl, StoreSettings};
use crate::http::limits::Quotas;
use crate::vault::{KeyringSettings, Source, Vault};

/// Name of the keyring in the data directory.
const KEYRING: &str = "keyring.json";
/// Name of the list of erasures, beside the keyring.
const ERASED: &str = "erased.log";

/// Where the data are. Every command that touches data takes these.
#[derive(Args, Clone, Debug)]
pub struct DataArgs {
    /// Directory of the embedded database, the signing keys and the lock
    #[arg(long, env = "SISTRA_DATA_DIR", default_value = "./data")]
    pub data_dir: PathBuf,
    /// Database: sqlite:PATH or postgres://…  [default: sqlite in the data directory]
    #[arg(long, env = "SISTRA_DATABASE", hide_env_values = true)]
    pub database: Option<String>,
    /// File that holds the database URL, for secrets kept in files
    #[arg(long, env = "SISTRA_DATABASE_FILE", conflicts_with = "database")]
    pub database_file: Option<PathBuf>,
    /// File of the keyring that wraps the keys of persons and cases  [default: keyring.json in the data directory]
    #[arg(long, env = "SISTRA_KEYRING_FILE")]
    pub keyring_file: Option<PathBuf>,
    /// Command that prints the keyring, in place of a file: the hook for a key service. The environment variable
    /// SISTRA_KEYRING, if set, is the keyring itself
    #[arg(long, env = "SISTRA_KEYRING_COMMAND", hide_env_values = true, conflicts_with = "keyring_file")]
    pub keyring_command: Option<String>,
    /// Make the keyring file if there is none and nothing was sealed yet; an embedded registry always does
    #[arg(long, env = "SISTRA_MAKE_KEYRING")]
    pub make_keyring: bool,
    /// File that lists the erased persons; never restored from an older copy  [default: erased.log beside the keyring]
    #[arg(long, env = "SISTRA_ERASED_FILE")]
    pub erased_file: Option<PathBuf>,
    /// Directory of corrected catalogue files (see `sistra catalogue export`), in place of those compiled in
    #[arg(long, env = "SISTRA_CATALOGUE_DIR")]
    pub catalogue_dir: Option<PathBuf>,
    /// File that remembers the last signed checkpoint; keep it out of the backups of the database
    /// [default: ledger-memory.json in the data directory]
    #[arg(long, env = "SISTRA_LEDGER_MEMORY")]
    pub ledger_memory: Option<PathBuf>,
}

impl DataArgs {
    /// The database that the arguments name.
    pub fn url(&self) -> Result<DatabaseUrl, String> {
        let given = match (&self.database, &self.database_file) {
            (Some(url), _) => Some(url.clone()),
            (None, Some(file)) => Some(
                std::fs::read_to_string(file)
                    .map_err(|e| format!("cannot read the database URL from {}: {e}", file.display()))?
                    .trim()
                    .to_owned(),
            ),
            (None, None) => None,
        };
        match given {
            Some(url) => url.parse(),
            None => Ok(DatabaseUrl::Sqlite(self.data_dir.join("sistra.sqlite3"))),
        }
    }

    /// Where the keyring and the list of erasures are.
    pub fn keyring(&self) -> Result<KeyringSettings, String> {
        // The text of a keyring is no flag: arguments can be seen by every user of the machine.
        let text = std::env::var("SISTRA_KEYRING").ok().filter(|text| !text.is_empty());
        let source = match (text, &self.keyring_command, &self.keyring_file) {
            (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
                return Err("the keyring is given twice: SISTRA_KEYRING, and a file or a command".to_owned());
            }
            (Some(text), None, None) => Source::Text(Zeroizing::new(text)),
            (None, Some(command), _) => Source::Command(command.clone()),
            (None, None, Some(file)) => Source::File(file.clone()),
            (None, None, None) => Source::File(self.data_dir.join(KEYRING)),
        };
        let erased = match (&self.erased_file, &source) {
            (Some(file), _) => file.clone(),
            (None, Source::File(ring)) => ring.with_file_name(ERASED),
            (None, _) => self.data_dir.join(ERASED),
        };
        let make = self.make_keyring || matches!(self.url()?, DatabaseUrl::Sqlite(_));
        Ok(KeyringSettings { source, erased, make })
    }

    /// The catalogue that the arguments name; the error has a line for each fault.
    pub fn catalogue(&self) -> Result<Catalogue, String> {
        load_catalogue(self.catalogue_dir.as_deref())
    }

    /// Makes the data directory, readable by its owner only.
    pub fn make_dir(&self) -> Result<(), String> {
        make_private_dir(&self.data_dir)
    }
}

fn load_catalogue(dir: Option<&Path>) -> Result<Catalogue, String> {
    Catalogue::load(dir)
        .map_err(|faults| faults.to_string().lines().map(|l| format!("catalogue: {l}")).collect::<Vec<_>>().join("\n"))
}

/// Makes a directory with mode 0700.
pub fn make_private_dir(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::DirBuilderExt;
    if dir.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(|e| format!("cannot make the data directory {}: {e}", dir.display()))
}

/// How the server listens and what it allows.
#[derive(Args, Clone, Debug)]
pub struct ServeArgs {
    /// Address of the API
    #[arg(long, env = "SISTRA_BIND", default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,
    /// Address of the metrics; none are served if absent
    #[arg(long, env = "SISTRA_METRICS_BIND")]
    pub metrics_bind: Option<SocketAddr>,
    /// Public base URL: issuer and audience of the tokens  [default: http://BIND]
    #[arg(long, env = "SISTRA_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Worker threads
    #[arg(long, env = "SISTRA_WORKERS", default_value_t = 2)]
    pub workers: usize,
    /// Imports and exports that this server works on at a time
    #[arg(long, env = "SISTRA_JOBS_AT_ONCE", default_value_t = 2)]
    pub jobs_at_once: usize,
    /// Database connections
    #[arg(long, env = "SISTRA_DB_CONNECTIONS", default_value_t = 8)]
    pub db_connections: u32,
    /// Longest wait for a database connection, milliseconds
    #[arg(long, env = "SISTRA_DB_ACQUIRE_TIMEOUT_MS", default_value_t = 1_000)]
    pub db_acquire_timeout_ms: u64,
    /// Longest statement on PostgreSQL, milliseconds
    #[arg(long, env = "SISTRA_DB_STATEMENT_TIMEOUT_MS", default_value_t = 5_000)]
    pub db_statement_timeout_ms: u64,
    /// Largest JSON body, bytes
    #[arg(long, env = "SISTRA_BODY_LIMIT_BYTES", default_value_t = 1_048_576)]
    pub body_limit_bytes: usize,
    /// Longest wait for a body, milliseconds
    #[arg(long, env = "SISTRA_BODY_TIMEOUT_MS", default_value_t = 10_000)]
    pub body_timeout_ms: u64,
    /// Longest request, milliseconds
    #[arg(long, env = "SISTRA_REQUEST_TIMEOUT_MS", default_value_t = 20_000)]
    pub request_timeout_ms: u64,
    /// Time for running requests to end after SIGTERM, seconds
    #[arg(long, env = "SISTRA_SHUTDOWN_TIMEOUT_S", default_value_t = 25)]
    pub shutdown_timeout_s: u64,
    /// Reads per client and minute; 0 for no limit
    #[arg(long, env = "SISTRA_RATE_READ_PER_MIN", default_value_t = 6_000)]
    pub rate_read_per_min: u32,
    /// Writes per client and minute; 0 for no limit
    #[arg(long, env = "SISTRA_RATE_WRITE_PER_MIN", default_value_t = 1_200)]
    pub rate_write_per_min: u32,
    /// Token requests per client and minute; 0 for no limit
    #[arg(long, env = "SISTRA_RATE_TOKEN_PER_MIN", default_value_t = 30)]
    pub rate_token_per_min: u32,
    /// Searches for persons per client and minute; 0 for no limit
    #[arg(long, env = "SISTRA_RATE_SEARCH_PER_MIN", default_value_t = 60)]
    pub rate_search_per_min: u32,
    /// Searches for persons per client and day; 0 for no limit
    #[arg(long, env = "SISTRA_SEARCHES_PER_DAY", default_value_t = 600)]
    pub searches_per_day: u32,
    /// Questions of deconfliction per client and day; 0 for no limit
    #[arg(long, env = "SISTRA_DECONFLICTION_PER_DAY", default_value_t = 50)]
    pub deconfliction_per_day: u32,
    /// Exports per client and day; 0 for no limit
    #[arg(long, env = "SISTRA_EXPORTS_PER_DAY", default_value_t = 5)]
    pub exports_per_day: u32,
    /// Requests of one client at the same time; 0 for no limit
    #[arg(long, env = "SISTRA_RATE_CONCURRENT", default_value_t = 32)]
    pub rate_concurrent: u32,
    /// Distinct persons whose identity a client looks at in a day; 0 for no limit
    #[arg(long, env = "SISTRA_PII_SUBJECTS_PER_DAY", default_value_t = 300)]
    pub pii_subjects_per_day: u32,
    /// The same for one person at a partner's desk (`end_user`); 0 for no limit
    #[arg(long, env = "SISTRA_PII_SUBJECTS_PER_USER_PER_DAY", default_value_t = 60)]
    pub pii_subjects_per_user_per_day: u32,
    /// Cases that lists show a client in an hour; 0 for no limit
    #[arg(long, env = "SISTRA_LISTED_CASES_PER_HOUR", default_value_t = 20_000)]
    pub listed_cases_per_hour: u32,
    /// Persons that lists and searches show a client in an hour; 0 for no limit
    #[arg(long, env = "SISTRA_LISTED_PERSONS_PER_HOUR", default_value_t = 5_000)]
    pub listed_persons_per_hour: u32,
    /// Distinct persons of its agency's own cases outside its territory whose identity a client looks at in a day; 0 for
    /// no limit
    #[arg(long, env = "SISTRA_OUTSIDE_TERRITORY_PER_DAY", default_value_t = 30)]
    pub outside_territory_per_day: u32,
    /// Share of a budget of looking at which its agency and oversight are alerted, percent; 0 for no alerts
    #[arg(long, env = "SISTRA_LOOKING_ALERT_PERCENT", default_value_t = 80, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub looking_alert_percent: u32,
    /// Refused token requests per address and minute before it is shut out; 0 for no limit
    #[arg(long, env = "SISTRA_TOKEN_FAILURES_PER_MIN", default_value_t = 10)]
    pub token_failures_per_min: u32,
    /// For how long it is shut out, seconds
    #[arg(long, env = "SISTRA_TOKEN_BLOCK_S", default_value_t = 900)]
    pub token_block_s: u32,
    /// Reads of open data per address and minute; 0 for no limit
    #[arg(long, env = "SISTRA_RATE_OPEN_DATA_PER_MIN", default_value_t = 60)]
    pub rate_open_data_per_min: u32,
    /// Proxies whose X-Forwarded-For is believed, comma-separated addresses
    #[arg(long, env = "SISTRA_TRUSTED_PROXY", value_delimiter = ',')]
    pub trusted_proxy: Vec<IpAddr>,
    /// Origins of web pages that may read answers, comma-separated: https://desk.example
    #[arg(long, env = "SISTRA_CORS_ORIGIN", value_delimiter = ',')]
    pub cors_origin: Vec<String>,
    /// Life of an access token, seconds, at most 900
    #[arg(long, env = "SISTRA_TOKEN_TTL_S", default_value_t = 300, value_parser = clap::value_parser!(i64).range(30..=900))]
    pub token_ttl_s: i64,
    /// Ask for a nonce of this server in proofs of possession (DPoP): none can then be made long before it is used
    #[arg(long, env = "SISTRA_DPOP_NONCE")]
    pub dpop_nonce: bool,
    /// JSON file of trusted token issuers
    #[arg(long, env = "SISTRA_TRUSTED_ISSUERS")]
    pub trusted_issuers: Option<PathBuf>,
    /// Name of the ledger, the origin of its checkpoints, when its key is made: registry.example.gob/ledger
    /// [default: one made from the key]
    #[arg(long, env = "SISTRA_LEDGER_ORIGIN")]
    pub ledger_origin: Option<String>,
    /// Shortest time between two signed checkpoints, milliseconds
    #[arg(long, env = "SISTRA_LEDGER_CHECKPOINT_MS", default_value_t = 10_000)]
    pub ledger_checkpoint_ms: u64,
    /// How long events of the change feed are kept, days
    #[arg(long, env = "SISTRA_FEED_RETENTION_DAYS", default_value_t = 400, value_parser = clap::value_parser!(u32).range(1..=3_650))]
    pub feed_retention_days: u32,
    /// Attempts of webhooks at the same time
    #[arg(long, env = "SISTRA_WEBHOOK_AT_ONCE", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub webhook_at_once: u16,
    /// Let webhooks speak to private addresses, any port and plain http: for tests and labs only
    #[arg(long, env = "SISTRA_WEBHOOK_ALLOW_PRIVATE")]
    pub webhook_allow_private: bool,
    /// PEM file of the certificate authorities that outgoing TLS (webhooks, key sets of issuers) believes in place of the
    /// system's: to add one, give both in one file
    #[arg(long, env = "SISTRA_CA_FILE")]
    pub ca_file: Option<PathBuf>,
    /// Access log: json, text or off
    #[arg(long, env = "SISTRA_ACCESS_LOG", default_value = "json")]
    pub access_log: AccessLogFormat,
}

/// Form of the access line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum AccessLogFormat {
    /// One JSON object per request.
    Json,
    /// One line of words per request.
    Text,
    /// None.
    Off,
}

/// Everything that the server needs to start.
#[derive(Clone, Debug)]
pub struct Config {
    /// How it listens.
    pub serve: ServeArgs,
    /// The database.
    pub database: DatabaseUrl,
    /// Keys and lock.
    pub data_dir: PathBuf,
    /// Corrected catalogue files.
    pub catalogue_dir: Option<PathBuf>,
    /// The keyring.
    pub keyring: KeyringSettings,
    /// Where the last signed checkpoint is remembered.
    pub ledger_memory: Option<PathBuf>,
}

impl Config {
    /// From the command line.
    pub fn new(serve: ServeArgs, data: &DataArgs) -> Result<Self, String> {
        let catalogue_dir = data.catalogue_dir.clone();
        let keyring = data.keyring()?;
        let ledger_memory = data.ledger_memory.clone();
        Ok(Self { serve, database: data.url()?, data_dir: data.data_dir.clone(), catalogue_dir, keyring, ledger_memory })
    }

    /// For tests and benches: any free port, no rate limits, no access log.
    pub fn for_tests(database: DatabaseUrl, data_dir: PathBuf) -> Self {
        let local = SocketAddr::from(([127, 0, 0, 1], 0));
        let serve = ServeArgs {
            bind: local,
            metrics_bind: Some(local),
            public_url: Some("http://sistra.test".to_owned()),
            workers: 2,
            jobs_at_once: 2,
            db_connections: 8,
            db_acquire_timeout_ms: 5_000,
            db_statement_timeout_ms: 10_000,
            body_limit_bytes: 1_048_576,
            body_timeout_ms: 2_000,
            request_timeout_ms: 20_000,
            shutdown_timeout_s: 5,
            rate_read_per_min: 0,
            rate_write_per_min: 0,
            rate_token_per_min: 0,
            rate_search_per_min: 0,
            searches_per_day: 0,
            deconfliction_per_day: 0,
            exports_per_day: 0,
            rate_concurrent: 0,
            pii_subjects_per_day: 0,
            pii_subjects_per_user_per_day: 0,
            listed_cases_per_hour: 0,
            listed_persons_per_hour: 0,
            outside_territory_per_day: 0,
            looking_alert_percent: 80,
            token_failures_per_min: 0,
            token_block_s: 900,
            rate_open_data_per_min: 0,
            trusted_proxy: Vec::new(),
            cors_origin: Vec::new(),
            token_ttl_s: 300,
            dpop_nonce: false,
            trusted_issuers: None,
            ledger_origin: None,
            ledger_checkpoint_ms: 100,
            feed_retention_days: 400,
            webhook_at_once: 32,
            webhook_allow_private: true,
            ca_file: None,
            access_log: AccessLogFormat::Json,
        };
        let keyring =
            KeyringSettings { source: Source::File(data_dir.join(KEYRING)), erased: data_dir.join(ERASED), make: true };
        Self { serve, database, data_dir, catalogue_dir: None, keyring, ledger_memory: None }
    }

    /// The catalogue; the error has a line for each fault.
    pub fn catalogue(&self) -> Result<Catalogue, String> {
        load_catalogue(self.catalogue_dir.as_deref())
    }

    /// The quotas.
    pub fn quotas(&self) -> Quotas {
        let serve = &self.serve;
        Quotas {
            read_per_min: serve.rate_read_per_min,
            write_per_min: serve.rate_write_per_min,
            token_per_min: serve.rate_token_per_min,
            search_per_min: serve.rate_search_per_min,
            search_per_day: serve.searches_per_day,
            deconfliction_per_day: serve.deconfliction_per_day,
            exports_per_day: serve.exports_per_day,
            concurrent: serve.rate_concurrent,
            subjects_per_day: serve.pii_subjects_per_day,
            subjects_per_user_per_day: serve.pii_subjects_per_user_per_day,
            listed_cases_per_hour: serve.listed_cases_per_hour,
            listed_persons_per_hour: serve.listed_persons_per_hour,
            outside_territory_per_day: serve.outside_territory_per_day,
            alert_percent: serve.looking_alert_percent,
            token_failures_per_min: serve.token_failures_per_min,
            token_block_s: serve.token_block_s,
            open_per_min: serve.rate_open_data_per_min,
        }
    }

    /// Settings of the store, with the vault that its connections come with.
    pub fn store(&self, vault: Arc<Vault>) -> StoreSettings {
        StoreSettings {
            vault: Some(vault),
            connections: self.serve.db_connections,
            acquire_timeout_ms: self.serve.db_acquire_timeout_ms,
            statement_timeout_ms: self.serve.db_statement_timeout_ms,
            ..StoreSettings::new(self.database.clone())
        }
    }

    /// Whether migrations run at start: an embedded database has no operator.
    pub fn embedded(&self) -> bool {
        matches!(self.database, DatabaseUrl::Sqlite(_))
    }
}
