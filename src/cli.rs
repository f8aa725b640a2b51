//! The command line. Results that a program reads are JSON on stdout; words for people go to stderr.

mod ctdc;
mod export;
mod htcds;
mod import;
mod ledger;
mod referrals;
mod statistics;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::app;
use crate::auth::clients::{self, Constraint, Credential, Directory, NewClient};
use crate::auth::issuers::Issuers;
use crate::auth::keys::SigningKeys;
use crate::auth::{Authenticator, Purpose};
use crate::catalogue::Catalogue;
use crate::config::{Config, DataArgs, ServeArgs};
use crate::db::connection::{Role, explain, open};
use crate::db::{Conn, Store, StoreSettings, migrations};
use crate::demo;
use crate::exports::model::Lines;
use crate::http::contract;
use crate::kernel::ids::ClientId;
use crate::kernel::{AgencyCode, Error, Timestamp};
use crate::persons::erasure::{self, Order, Person, is_reference};
use crate::vault::Vault;
use crate::vault::keyring::Live;

/// SISTRA: registry of human-trafficking accusations, judicial cases, victims and referrals.
#[derive(Debug, Parser)]
#[command(name = "sistra", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API (the default, with the embedded database in ./data)
    Serve(ServeCommand),
    /// Make a synthetic national registry in a new data directory, serve it, and print commands to try
    Demo(DemoCommand),
    /// Change or show the version of the schema
    #[command(subcommand)]
    Migrate(MigrateCommand),
    /// Print, write or check the contract
    Openapi(OpenapiCommand),
    /// Register and disable partner systems
    #[command(subcommand)]
    Client(ClientCommand),
    /// Show or rotate the signing keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// The desks of legal time limits
    #[command(subcommand)]
    Deadlines(DeadlinesCommand),
    /// The facts of figures, and releases
    #[command(subcommand)]
    Statistics(statistics::StatisticsCommand),
    /// Who keeps a referral waiting
    #[command(subcommand)]
    Referrals(referrals::ReferralsCommand),
    /// Destroy a person's key: identity and sealed texts are gone, backups included; prints a certificate
    Erase(EraseCommand),
    /// How long what is known is kept
    #[command(subcommand)]
    Retention(RetentionCommand),
    /// The index by which persons are found
    #[command(subcommand)]
    Index(IndexCommand),
    /// Check the law data, or write them out for correction
    #[command(subcommand)]
    Catalogue(CatalogueCommand),
    /// Check the record of everything that happened, prove from it, export it
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Bring many cases in from a file; the same file again changes nothing
    #[command(subcommand)]
    Import(ImportCommand),
    /// Take out what an agency may see, as files
    #[command(subcommand)]
    Export(ExportCommand),
    /// Print an access token for a client
    Token(TokenCommand),
    /// Ask a server whether it is ready; exit code 0 if it is
    Healthcheck {
        /// Address of the readiness check
        #[arg(long, default_value = "http://127.0.0.1:8080/healthz/ready")]
        url: String,
    },
}

#[derive(Debug, Subcommand)]
enum ImportCommand {
    /// One case a line, as the body of POST /v1/cases with an external_ref
    Ndjson(import::ImportArgs),
    /// One case a record; the header names the fields by their paths: victims.0.sex
    Csv(import::ImportArgs),
    /// IOM's HTCDS 0.2, 1.0 or 2.0: CSV, XLSX, ODS or the JSON profile; prints what was lossy, line by line
    Htcds(htcds::ImportCommand),
}

#[derive(Debug, Subcommand)]
enum ExportCommand {
    /// One record a line, as JSON
    Ndjson(export::ExportArgs),
    /// One record a line, under a header of paths
    Csv(export::ExportArgs),
    /// IOM's HTCDS 2.0: CSV, XLSX or the JSON profile
    Htcds(htcds::ExportCommand),
    /// CTDC's file of victims: 27 columns, nobody stands out; prints what was given up for that
    Ctdc(ctdc::ExportCommand),
}

#[derive(Debug, Args)]
struct ServeCommand {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    data: DataArgs,
}

#[derive(Debug, Args)]
struct DemoCommand {
    #[command(flatten)]
    serve: ServeArgs,
    /// Cases to make
    #[arg(long, default_value_t = 2_000)]
    cases: u64,
    /// The same seed makes the same registry
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A directory that is not there yet  [default: demo-data, or demo-data-2 …]
    #[arg(long)]
    data_dir: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum MigrateCommand {
    /// Apply what is pending
    Up(DataArgs),
    /// Revert the last steps; destroys their data
    Down {
        #[command(flatten)]
        data: DataArgs,
        /// Steps to revert
        #[arg(long, default_value_t = 1, conflicts_with = "all")]
        steps: usize,
        /// Revert everything
        #[arg(long)]
        all: bool,
    },
    /// Show what is applied and what is pending
    Status(DataArgs),
}

#[derive(Debug, Args)]
struct OpenapiCommand {
    /// Write openapi/v1.json, openapi/public.txt and the JSON Schema of HTCDS
    #[arg(long, conflicts_with = "check")]
    write: bool,
    /// Fail if they differ from the program
    #[arg(long)]
    check: bool,
    /// Directory of the files
    #[arg(long, default_value = "openapi")]
    dir: PathBuf,
}

#[derive(Debug, Subcommand)]
enum ClientCommand {
    /// Register a partner system; prints its credentials, once
    Create {
        #[command(flatten)]
        data: DataArgs,
        /// Code of the agency that it acts for
        #[arg(long)]
        agency: String,
        /// Its name
        #[arg(long)]
        name: String,
        /// Scopes, space-separated
        #[arg(long)]
        scope: String,
        /// Purposes of use, space-separated; the first is the default
        #[arg(long)]
        purpose: String,
        /// File with its public keys (JWK set); without it the client gets a secret
        #[arg(long)]
        jwks: Option<PathBuf>,
        /// Its tokens must be bound to a key (DPoP, RFC 9449)
        #[arg(long)]
        dpop: bool,
        /// UBIGEO prefix of where it works; its agency's if absent
        #[arg(long)]
        territory: Option<String>,
    },
    /// Change what holds for a partner system's tokens
    Constrain {
        #[command(flatten)]
        data: DataArgs,
        /// Its id
        id: String,
        /// Whether its tokens must be bound to a key (DPoP, RFC 9449)
        #[arg(long)]
        dpop: Option<bool>,
        /// UBIGEO prefix of where it works; an empty one for its agency's
        #[arg(long)]
        territory: Option<String>,
    },
    /// End every token that a partner system has now: refused everywhere within five seconds; it can take new ones
    Revoke {
        #[command(flatten)]
        data: DataArgs,
        /// Its id
        id: String,
    },
    /// List the partner systems
    List(DataArgs),
    /// Disable a partner system and end its tokens: refused everywhere within five seconds
    Disable {
        #[command(flatten)]
        data: DataArgs,
        /// Its id
        id: String,
    },
    /// Enable it again
    Enable {
        #[command(flatten)]
        data: DataArgs,
        /// Its id
        id: String,
    },
    /// Give it a new secret
    Rotate {
        #[command(flatten)]
        data: DataArgs,
        /// Its id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Show the signing keys and the keys of the keyring
    Status(DataArgs),
    /// Make a new key that signs and one that wraps from now on, and wrap every person's and case's key anew; the
    /// server may run meanwhile
    Rotate {
        #[command(flatten)]
        data: DataArgs,
        /// Only the key that signs, or only the one that wraps
        #[arg(long)]
        only: Option<KeyUse>,
    },
    /// Go on with a rotation that was broken off; without one it only counts
    Rewrap(DataArgs),
    /// Take the keys that wrap nothing any more out of the keyring: what older backups hold can then not be opened
    Retire(DataArgs),
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum KeyUse {
    /// Signs tokens.
    Signing,
    /// Wraps the keys of persons and cases.
    Wrapping,
}

#[derive(Debug, Args)]
struct EraseCommand {
    #[command(flatten)]
    data: DataArgs,
    /// Id of a victim
    #[arg(long, required_unless_present = "accused", conflicts_with = "accused")]
    victim: Option<String>,
    /// Id of an accused
    #[arg(long)]
    accused: Option<String>,
    /// Reference of the order or request on which it rests; no names
    #[arg(long)]
    basis: String,
    /// Reference of the determination of the child's best interest; needed for minors, and where the age is not known
    #[arg(long)]
    best_interest: Option<String>,
    /// Say whether it may be done, and do nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
enum CatalogueCommand {
    /// Check the files of a directory together with those compiled in; one line for each fault
    Check {
        /// The directory; without it, what is compiled in
        dir: Option<PathBuf>,
    },
    /// Write the files that are compiled in, and their schemas, into a directory; overwrites nothing
    Export {
        /// The directory
        dir: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum DeadlinesCommand {
    /// Count every term anew, after the law was corrected; takes a registry that no server writes to
    Rebuild(DataArgs),
}

#[derive(Debug, Subcommand)]
enum RetentionCommand {
    /// Carry out the schedule: list what must be reviewed, restrict, propose erasures; prints what fell due and what became
    /// of it. What is held stays; nobody is erased by this alone. A run that broke off is run again
    Run {
        #[command(flatten)]
        data: DataArgs,
        /// Say what would fall due, and do nothing
        #[arg(long)]
        dry_run: bool,
        /// The day for which it is run, YYYY-MM-DD; today if absent
        #[arg(long)]
        as_of: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum IndexCommand {
    /// Make it again from the sealed identities; the server may run meanwhile, and a run that broke off is run again
    Rebuild {
        #[command(flatten)]
        data: DataArgs,
        /// Bucket to begin with: where a run broke off (PostgreSQL)
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i16).range(0..4096))]
        from: i16,
    },
}

#[derive(Debug, Args)]
struct TokenCommand {
    #[command(flatten)]
    data: DataArgs,
    /// The client
    #[arg(long)]
    client: String,
    /// Scopes, space-separated; all of the client's if absent
    #[arg(long)]
    scope: Option<String>,
    /// Purpose of use; the client's first if absent
    #[arg(long)]
    purpose: Option<String>,
    /// Issuer: the server's public URL
    #[arg(long, env = "SISTRA_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    public_url: String,
}

/// Runs a command; the error is for a person: one line, or one for each fault of the catalogue.
pub fn run(cli: Cli) -> Result<(), String> {
    match cli.command {
        None => serve(&ServeCommand::parse_defaults()?),
        Some(Command::Serve(command)) => serve(&command),
        Some(Command::Demo(command)) => demo(command),
        Some(Command::Migrate(command)) => migrate(command),
        Some(Command::Openapi(command)) => openapi(&command),
        Some(Command::Client(command)) => client(command),
        Some(Command::Keys(command)) => keys(command),
        Some(Command::Deadlines(command)) => deadlines(command),
        Some(Command::Statistics(command)) => statistics::run(command),
        Some(Command::Referrals(command)) => referrals::run(command),
        Some(Command::Erase(command)) => erase(&command),
        Some(Command::Retention(command)) => retention(command),
        Some(Command::Index(command)) => index(command),
        Some(Command::Catalogue(command)) => catalogue(command),
        Some(Command::Ledger(command)) => ledger::run(command),
        Some(Command::Import(ImportCommand::Ndjson(command))) => import::run(command, false),
        Some(Command::Import(ImportCommand::Csv(command))) => import::run(command, true),
        Some(Command::Export(ExportCommand::Ndjson(command))) => export::run(command, Lines::Ndjson),
        Some(Command::Export(ExportCommand::Csv(command))) => export::run(command, Lines::Csv),
        Some(Command::Import(ImportCommand::Htcds(command))) => htcds::import(&command),
        Some(Command::Export(ExportCommand::Htcds(command))) => htcds::export(&command),
        Some(Command::Export(ExportCommand::Ctdc(command))) => ctdc::export(&command),
        Some(Command::Token(command)) => token(&command),
        Some(Command::Healthcheck { url }) => match ureq::get(&url).call() {
            Ok(_) => Ok(()),
            Err(e) => Err(format!("not ready: {e}")),
        },
    }
}

impl ServeCommand {
    fn parse_defaults() -> Result<Self, String> {
        #[derive(Parser)]
        struct Defaults {
            #[command(flatten)]
            command: ServeCommand,
        }
        Defaults::try_parse_from(["sistra"]).map(|d| d.command).map_err(|e| e.to_string())
    }
}

fn say(line: &str) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// A result for a program.
pub fn print(value: &serde_json::Value) -> Result<(), String> {
    writeln!(std::io::stdout(), "{value:#}").map_err(|e| format!("cannot write the result: {e}"))
}

fn serve(command: &ServeCommand) -> Result<(), String> {
    command.data.make_dir()?;
    let config = Config::new(command.serve.clone(), &command.data)?;
    let running = app::start(&config)?;
    let base = format!("http://{}", running.addr);
    say(&format!("SISTRA listens on {base}"));
    say(&format!("  docs      {base}/docs/"));
    say(&format!("  contract  {base}/openapi/v1.json"));
    if let Some(metrics) = running.metrics_addr {
        say(&format!("  metrics   http://{metrics}/metrics"));
    }
    let at = command.data.data_dir.display();
    say("First steps: register a partner system and take a token for a shell");
    say(&format!(
        "  sistra client create --data-dir {at} --agency PE-MP-FISTRAP-LIMA --name 'My system' --scope 'cases:read cases:write' --purpose prosecution"
    ));
    say(&format!(
        "  curl -u CLIENT_ID:CLIENT_SECRET -d grant_type=client_credentials -d purpose=prosecution {base}/oauth/token"
    ));
    say(&format!("  curl -H 'Authorization: Bearer TOKEN' {base}/v1/cases"));
    say("Or see it full, with clients and commands ready to paste: sistra demo");
    running.wait()
}

fn demo(command: DemoCommand) -> Result<(), String> {
    let DemoCommand { mut serve, cases, seed, data_dir } = command;
    let data_dir = new_dir(data_dir)?;
    // Time to read and paste.
    serve.token_ttl_s = serve.token_ttl_s.max(900);
    let data = DataArgs {
        data_dir,
        database: None,
        database_file: None,
        catalogue_dir: None,
        keyring_file: None,
        keyring_command: None,
        make_keyring: true,
        erased_file: None,
        ledger_memory: None,
    };
    let config = Config::new(serve, &data)?;
    let running = app::start(&config)?;
    let base = format!("http://{}", running.addr);
    say(&format!("Making a synthetic registry of {cases} cases (seed {seed}) in {}", data.data_dir.display()));
    let done = fill(&running, seed, cases)?;
    let clients = demo_clients(&running)?;
    let commands = demo_commands(&base, &clients);
    let demo::Done { cases, victims, referrals } = done;
    if !std::io::stdout().is_terminal() {
        let shown: Vec<_> = clients
            .iter()
            .map(|c| json!({ "kind": c.kind, "agency": c.agency, "purpose": c.purpose.as_str(), "client_id": c.id, "client_secret": c.secret }))
            .collect();
        print(
            &json!({ "base": base, "docs": format!("{base}/docs/"), "data_dir": data.data_dir, "cases": cases, "victims": victims,
            "referrals": referrals, "clients": shown, "commands": commands.iter().map(|(_, c)| c).collect::<Vec<_>>() }),
        )?;
    }
    say(&format!("\nSISTRA listens on {base}  ({cases} cases, {victims} victims, {referrals} referrals; nobody is real)"));
    say(&format!("  docs      {base}/docs/"));
    say(&format!("  contract  {base}/openapi/v1.json"));
    say("\nPartner systems (client id and secret):");
    for DemoClient { kind, agency, id, secret, .. } in &clients {
        say(&format!("  {kind:<10} {agency:<20} {id} {secret}"));
    }
    say("\nTry these, in this order, in another terminal:");
    for (n, (what, command)) in (1..).zip(&commands) {
        say(&format!("\n# {n}. {what}\n{command}"));
    }
    say("");
    running.wait()
}

/// A directory that nobody has used.
fn new_dir(wanted: Option<PathBuf>) -> Result<PathBuf, String> {
    match wanted {
        Some(dir) if dir.exists() => Err(format!(
            "{} is there already: the demo makes a new data directory (to serve this one: sistra serve --data-dir {})",
            dir.display(),
            dir.display()
        )),
        Some(dir) => Ok(dir),
        None => (1..)
            .map(|n: u32| PathBuf::from(if n == 1 { "demo-data".to_owned() } else { format!("demo-data-{n}") }))
            .find(|dir| !dir.exists())
            .ok_or_else(|| "no free name for a data directory".to_owned()),
    }
}

fn fill(running: &app::Running, seed: u64, cases: u64) -> Result<demo::Done, String> {
    let catalogue = Arc::new(Catalogue::embedded().map_err(|e| format!("catalogue: {e}"))?);
    let terminal = std::io::stderr().is_terminal();
    let bar = progress(cases, "cases");
    let tenth = (cases / 10).max(1);
    let told = |done: u64| {
        bar.set_position(done);
        if !terminal && done.is_multiple_of(tenth) {
            say(&format!("  {done} of {cases} cases"));
        }
    };
    let done = actix_rt::System::new()
        .block_on(demo::fill(&running.store, &catalogue, &running.index, seed, cases, told))
        .map_err(|e| format!("the demo could not be made: {e:?}"))?;
    bar.finish_and_clear();
    Ok(done)
}

struct DemoClient {
    kind: &'static str,
    agency: AgencyCode,
    purpose: Purpose,
    id: ClientId,
    secret: String,
}

fn demo_clients(running: &app::Running) -> Result<Vec<DemoClient>, String> {
    const OWNER: &str = "cases:read cases:write victims:read victims:write accused:read accused:write charges:read charges:write referrals:read referrals:write";
    const RECEIVER: &str = "cases:read victims:read referrals:read referrals:decide";
    const VIEWER: &str = "cases:read victims:read accused:read charges:read referrals:read assistance:read programmes:read";
    const HELPER: &str = "assistance:read assistance:write programmes:read programmes:write";
    let kinds = [
        ("prosecutor", "PE-MP-FISTRAP-LIMA", OWNER, Purpose::Prosecution),
        ("police", "PE-PNP-DIRCTPTIM", OWNER, Purpose::Investigation),
        ("shelter", "PE-MIMP-INABIF", RECEIVER, Purpose::Assistance),
        ("oversight", "PE-DP", VIEWER, Purpose::Oversight),
        ("programmes", "INT-IOM", HELPER, Purpose::Assistance),
    ];
    let mut made = Vec::new();
    for (kind, agency, scopes, purpose) in kinds {
        let agency = AgencyCode::parse(agency).ok_or("agency")?;
        let new = NewClient {
            agency: agency.clone(),
            name: format!("Demo: {kind}"),
            scopes: scopes.split_whitespace().map(str::to_owned).collect(),
            purposes: vec![purpose],
            credential: Credential::Secret,
        };
        let (id, secret) = running
            .store
            .write_blocking(move |tx| clients::create(tx, &new, Timestamp::now()).map_err(crate::kernel::Error::Internal))
            .map_err(|e| format!("client not made: {e:?}"))?;
        let secret = secret.ok_or("a client without a secret")?;
        made.push(DemoClient { kind, agency, purpose, id, secret });
    }
    let directory = &running.authenticator.directory;
    directory.refresh(&running.store).map_err(|e| format!("clients not read: {e:?}"))?;
    Ok(made)
}

/// Commands that work as printed, one after the other, with curl and sed.
fn demo_commands(base: &str, clients: &[DemoClient]) -> Vec<(&'static str, String)> {
    let token = |kind: &str| {
        clients.iter().find(|c| c.kind == kind).map_or_else(String::new, |DemoClient { id, secret, purpose, .. }| {
            format!(
                "$(curl -sS -u '{id}:{secret}' -d grant_type=client_credentials -d purpose={} {base}/oauth/token | sed -E 's/.*\"access_token\":\"([^\"]+)\".*/\\1/')",
                purpose.as_str()
            )
        })
    };
    let post = "-H 'Content-Type: application/json' -H \"Idempotency-Key: $(date +%s%N)-demo-$RANDOM\"";
    let case = r#"{"title":"Captación con oferta falsa de empleo","reported_at":"2026-06-30T15:00:00Z","report_channel":"police","facts_from":"2026-05","territory":"150101","exploitation":["sexual_adult"],"victims":[{"label":"v1","sex":"female","age_at_identification":22,"acts":["recruit"],"means":["deception"],"purposes":["sexual_exploitation"]}],"accused":[{"label":"a1","kind":"natural_person"}],"charges":[{"accused":"a1","offence_code":"PE-CP-129-A","role":"author","victims":["v1"]}]}"#;
    let referral = r#"'{"kind":"service_request","to_agency":"PE-MIMP-INABIF","sections":["victims"],"services":["shelter"],"purpose":"assistance","urgency":"immediate","legal_basis":"danger_to_life","case_id":"'$CASE'"}'"#;
    let first_id = "sed -E 's/^\\{\"id\":\"([^\"]+)\".*/\\1/'";
    vec![
        ("A token for the prosecutor's system", format!("TOKEN={}; echo \"$TOKEN\"", token("prosecutor"))),
        (
            "The cases that it may see",
            format!("curl -sS -H \"Authorization: Bearer $TOKEN\" '{base}/v1/cases?stage=preliminary_inquiry&limit=2'"),
        ),
        (
            "Open a case with a victim and a charge",
            format!(
                "CASE=$(curl -sS -H \"Authorization: Bearer $TOKEN\" {post} -d '{case}' {base}/v1/cases | {first_id}); echo \"$CASE\""
            ),
        ),
        (
            "Refer the victim to a shelter: a draft, then send it",
            format!(
                "REFERRAL=$(curl -sS -H \"Authorization: Bearer $TOKEN\" {post} -d {referral} {base}/v1/referrals | {first_id}); curl -sS -H \"Authorization: Bearer $TOKEN\" {post} -H 'If-Match: \"1.a\"' -d '{{\"trigger\":\"send\"}}' {base}/v1/referrals/$REFERRAL/transitions"
            ),
        ),
        (
            "See it arrive, as the shelter",
            format!(
                "SHELTER={}; curl -sS -H \"Authorization: Bearer $SHELTER\" '{base}/v1/referrals?box=in&state=sent&limit=1'",
                token("shelter")
            ),
        ),
        (
            "Who was reunited with a victim in the United States in 2012, as the agency that helped",
            format!(
                "IOM={}; curl -sS -H \"Authorization: Bearer $IOM\" '{base}/v1/reunifications?country=US&reunited_in=2012&limit=1'",
                token("programmes")
            ),
        ),
        (
            "How many judges, prosecutors and police officers were trained that year with money of Canada",
            format!(
                "curl -sS -H \"Authorization: Bearer $IOM\" '{base}/v1/trainings?year=2012&funder=CA&profession=judge,prosecutor,police&limit=1'"
            ),
        ),
    ]
}

fn connect(data: &DataArgs) -> Result<Conn, String> {
    connect_for(data, 60_000)
}

/// A connection whose statements may take so long, milliseconds.
fn connect_for(data: &DataArgs, statement_timeout_ms: u64) -> Result<Conn, String> {
    data.make_dir()?;
    let url = data.url()?;
    open(&url, Role::Write, statement_timeout_ms).map_err(|e| explain(&url, &e))
}

fn ready(data: &DataArgs) -> Result<Conn, String> {
    let mut conn = connect(data)?;
    if matches!(conn, Conn::Sqlite(_)) {
        migrations::up(&mut conn)?;
    }
    migrations::check(&mut conn)?;
    let catalogue = data.catalogue()?;
    crate::agencies::seed(&mut conn, &catalogue, Timestamp::now()).map_err(|e| format!("agencies not loaded: {e:?}"))?;
    Ok(conn)
}

fn migrate(command: MigrateCommand) -> Result<(), String> {
    match command {
        MigrateCommand::Up(data) => {
            let applied = migrations::up(&mut connect(&data)?)?;
            print(&json!({ "applied": applied }))
        }
        MigrateCommand::Down { data, steps, all } => {
            let reverted = migrations::down(&mut connect(&data)?, if all { None } else { Some(steps) })?;
            print(&json!({ "reverted": reverted }))
        }
        MigrateCommand::Status(data) => {
            let migrations::Status { applied, pending, unknown } = migrations::status(&mut connect(&data)?)?;
            print(&json!({ "applied": applied, "pending": pending, "unknown": unknown }))
        }
    }
}

fn catalogue(command: CatalogueCommand) -> Result<(), String> {
    match command {
        CatalogueCommand::Check { dir } => {
            let law = Catalogue::load(dir.as_deref()).map_err(|faults| faults.to_string())?;
            print(&json!({
                "release": law.release(), "offences": law.offences().len(), "code_lists": law.code_lists().len(),
                "procedures": law.profiles().len(), "limits": law.all_limits().len(), "agencies": law.agencies().len(),
                "retention_rules": law.retention().len()
            }))
        }
        CatalogueCommand::Export { dir } => print(&json!({ "written": Catalogue::export(&dir)? })),
    }
}

fn openapi(command: &OpenapiCommand) -> Result<(), String> {
    let document = contract::document(&app::contract());
    let files = [
        ("v1.json", contract::text(&document)),
        ("public.txt", contract::public(&document)),
        ("htcds-2.0.schema.json", format!("{:#}\n", crate::htcds::profile::schema())),
    ];
    for (name, text) in files {
        let path = command.dir.join(name);
        if command.write {
            std::fs::write(&path, text).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
        } else if command.check {
            let committed = std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?;
            if committed != text {
                return Err(format!("{} differs from the program: run `cargo run -- openapi --write`", path.display()));
            }
        } else if name == "v1.json" {
            std::io::stdout().write_all(text.as_bytes()).map_err(|e| e.to_string())?;
        }
    }
    Ok(())
}

fn client(command: ClientCommand) -> Result<(), String> {
    let now = Timestamp::now();
    let id_of = |id: &str| id.parse::<ClientId>().map_err(|()| format!("\"{id}\" is no client id"));
    match command {
        ClientCommand::Create { data, agency, name, scope, purpose, jwks, dpop, territory } => {
            let credential = match jwks {
                None => Credential::Secret,
                Some(path) => Credential::Jwks(
                    std::fs::read_to_string(&path).map_err(|e| format!("cannot read {}: {e}", path.display()))?,
                ),
            };
            let purposes = purpose
                .split_whitespace()
                .map(|p| Purpose::parse(p).ok_or_else(|| format!("unknown purpose \"{p}\"")))
                .collect::<Result<Vec<_>, _>>()?;
            let new = NewClient {
                agency: AgencyCode::parse(&agency).ok_or_else(|| format!("\"{agency}\" is no agency code"))?,
                name,
                scopes: scope.split_whitespace().map(str::to_owned).collect(),
                purposes,
                credential,
            };
            let mut conn = ready(&data)?;
            let (id, secret) = clients::create(&mut conn, &new, now)?;
            if dpop || territory.is_some() {
                clients::constrain(&mut conn, id, &Constraint { dpop_required: Some(dpop), territory }, now)?;
            }
            print(&json!({ "client_id": id, "client_secret": secret, "agency": new.agency, "scope": new.scopes.join(" ") }))
        }
        ClientCommand::Constrain { data, id, dpop, territory } => {
            let client = id_of(&id)?;
            let constraint = Constraint { dpop_required: dpop, territory };
            clients::constrain(&mut ready(&data)?, client, &constraint, now)?;
            print(&json!({ "client_id": client, "dpop": dpop, "territory": constraint.territory }))
        }
        ClientCommand::Revoke { data, id } => {
            clients::end_tokens(&mut ready(&data)?, id_of(&id)?, now)?;
            print(&json!({ "client_id": id, "tokens_after": now }))
        }
        ClientCommand::List(data) => {
            let all = clients::all(&mut ready(&data)?).map_err(|e| format!("clients not read: {e:?}"))?;
            let shown: Vec<_> = all
                .iter()
                .map(|c| {
                    json!({ "client_id": c.id, "agency": c.agency, "name": c.name, "scope": c.scopes.join(" "),
                        "purposes": c.purposes.iter().map(|p| p.as_str()).collect::<Vec<_>>(), "active": c.active,
                        "dpop": c.dpop_required, "territory": c.territory, "tokens_after": c.tokens_after })
                })
                .collect();
            print(&json!({ "items": shown }))
        }
        ClientCommand::Disable { data, id } => active(&data, id_of(&id)?, false, now),
        ClientCommand::Enable { data, id } => active(&data, id_of(&id)?, true, now),
        ClientCommand::Rotate { data, id } => {
            let secret = clients::rotate_secret(&mut ready(&data)?, id_of(&id)?, now)?;
            print(&json!({ "client_id": id, "client_secret": secret }))
        }
    }
}

fn active(data: &DataArgs, id: ClientId, active: bool, now: Timestamp) -> Result<(), String> {
    if !clients::set_active(&mut ready(data)?, id, active, now)? {
        return Err(format!("there is no client {id}"));
    }
    print(&json!({ "client_id": id, "active": active }))
}

fn keys(command: KeysCommand) -> Result<(), String> {
    let now = Timestamp::now();
    match command {
        KeysCommand::Status(data) => {
            data.make_dir()?;
            let keys = SigningKeys::load_or_create(&data.data_dir, now)?;
            let wrapping = match Live::find(&data.keyring()?.source)? {
                Some(ring) => json!(ring.status()),
                None => json!([]),
            };
            print(&json!({ "keys": keys.status(), "wrapping_keys": wrapping }))
        }
        KeysCommand::Rotate { data, only } => {
            data.make_dir()?;
            let keys = SigningKeys::load_or_create(&data.data_dir, now)?;
            let mut wrapping = json!(null);
            if only != Some(KeyUse::Signing) {
                let (store, vault) = vault(&data)?;
                vault.ring().add(now)?;
                wrapping = json!({ "keys": vault.ring().status(), "report": rewrap(&store, &vault, true)? });
            }
            if only != Some(KeyUse::Wrapping) {
                keys.rotate(now)?;
            }
            print(&json!({ "keys": keys.status(), "wrapping": wrapping }))
        }
        KeysCommand::Rewrap(data) => {
            let (store, vault) = vault(&data)?;
            let report = rewrap(&store, &vault, true)?;
            print(&json!({ "wrapping": { "keys": vault.ring().status(), "report": report } }))
        }
        KeysCommand::Retire(data) => {
            let (store, vault) = vault(&data)?;
            let used: Vec<String> = rewrap(&store, &vault, false)?.wrapped_by.into_keys().collect();
            let retired = vault.ring().retire(&used)?;
            print(&json!({ "retired": retired, "wrapping_keys": vault.ring().status() }))
        }
    }
}

fn erase(command: &EraseCommand) -> Result<(), String> {
    let EraseCommand { data, victim, accused, basis, best_interest, dry_run } = command;
    for reference in [Some(basis), best_interest.as_ref()].into_iter().flatten() {
        if !is_reference(reference) {
            return Err("a reference is 3–60 of A–Z a–z 0–9 . _ / - with a digit among them".to_owned());
        }
    }
    let person = match (victim, accused) {
        (Some(id), _) => Person::Victim(id.parse().map_err(|()| format!("\"{id}\" is no id of a victim"))?),
        (None, Some(id)) => Person::Accused(id.parse().map_err(|()| format!("\"{id}\" is no id of an accused"))?),
        (None, None) => return Err("name the person with --victim or --accused".to_owned()),
    };
    let law = Arc::new(data.catalogue()?);
    let (store, _) = vault(data)?;
    let order = Order { basis: basis.clone(), best_interest: best_interest.clone() };
    let certificate = erasure::erase(&store, &law, person, &order, Timestamp::now(), *dry_run).map_err(|e| match e {
        Error::NotFound => "there is no such person".to_owned(),
        Error::Erased => "this person is erased already".to_owned(),
        Error::StateConflict(guards) => format!("not erased: {}", guards.join(", ")),
        other => format!("not erased: {other:?}"),
    })?;
    print(&json!(certificate))
}

/// The store of a tool that opens what is sealed, and its vault.
fn vault(data: &DataArgs) -> Result<(Store, Arc<Vault>), String> {
    let vault = Vault::open(&mut ready(data)?, &data.keyring()?, Timestamp::now())?;
    let settings = StoreSettings { connections: 1, vault: Some(Arc::clone(&vault)), ..StoreSettings::new(data.url()?) };
    Ok((Store::open(&settings)?, vault))
}

fn rewrap(store: &Store, vault: &Vault, renew: bool) -> Result<crate::vault::rewrap::Report, String> {
    let bar = indicatif::ProgressBar::new_spinner().with_message("keys");
    let report = crate::vault::rewrap::run(store, vault, renew, |seen| {
        bar.set_position(seen.keys);
        bar.set_message(format!("{} keys seen, bucket {}", seen.keys, seen.bucket));
    });
    bar.finish_and_clear();
    report.map_err(|e| format!("the keys could not all be wrapped anew (run `sistra keys rewrap`): {e:?}"))
}

fn deadlines(command: DeadlinesCommand) -> Result<(), String> {
    let DeadlinesCommand::Rebuild(data) = command;
    let (store, _) = vault(&data)?;
    let law = Arc::new(data.catalogue()?);
    let bar = progress(u64::from(crate::kernel::ids::BUCKETS.unsigned_abs()), "buckets");
    let told = |bucket: i16| bar.set_position(u64::from(bucket.unsigned_abs()));
    let done = crate::deadlines::actions::rebuild(&store, &law, Timestamp::now(), told)
        .map_err(|e| format!("the desk could not be made again: {e:?}"))?;
    bar.finish_and_clear();
    print(&json!({ "cases": done }))
}

fn retention(command: RetentionCommand) -> Result<(), String> {
    let RetentionCommand::Run { data, dry_run, as_of } = command;
    let now = Timestamp::now();
    let as_of = match as_of {
        None => now.date(),
        Some(text) => crate::kernel::Day::parse(&text).ok_or_else(|| format!("\"{text}\" is no day: YYYY-MM-DD"))?.date(),
    };
    let law = Arc::new(data.catalogue()?);
    let (store, _) = vault(&data)?;
    let bar = progress(u64::from(crate::kernel::ids::BUCKETS.unsigned_abs()), "buckets");
    let told = |bucket: i16| bar.set_position(u64::from(bucket.unsigned_abs()));
    let how = crate::retention::run::Run { as_of, dry: dry_run, now };
    let report = crate::retention::run::run(&store, &law, how, told)
        .map_err(|e| format!("the schedule was not carried out to its end (run it again): {e:?}"))?;
    bar.finish_and_clear();
    print(&json!(report))
}

fn index(command: IndexCommand) -> Result<(), String> {
    let IndexCommand::Rebuild { data, from } = command;
    let (store, _) = vault(&data)?;
    let key = app::index_key(&store)?;
    let buckets = u64::from(crate::kernel::ids::BUCKETS.unsigned_abs());
    let bar = progress(2 * buckets, "buckets, twice");
    let mut reached = from;
    let report = crate::persons::reindex::run(&store, &key, from, |seen| {
        if !seen.sweeping {
            reached = seen.bucket;
        }
        bar.set_position(u64::from(seen.bucket.unsigned_abs()) + if seen.sweeping { buckets } else { 0 });
    });
    bar.finish_and_clear();
    let report = report.map_err(|e| {
        format!("the index could not be made again (go on with `sistra index rebuild --from {reached}`): {e:?}")
    })?;
    print(&json!(report))
}

/// A progress bar on a terminal, nothing elsewhere.
fn progress(of: u64, what: &str) -> indicatif::ProgressBar {
    if !std::io::stderr().is_terminal() {
        return indicatif::ProgressBar::hidden();
    }
    let bar = indicatif::ProgressBar::new(of);
    match indicatif::ProgressStyle::with_template(&format!("{{wide_bar}} {{pos}}/{{len}} {what}, {{eta}} left")) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn token(command: &TokenCommand) -> Result<(), String> {
    let TokenCommand { data, client, scope, purpose, public_url } = command;
    drop(ready(data)?);
    let mut settings = StoreSettings::new(data.url()?);
    settings.connections = 1;
    let store = Store::open(&settings)?;
    let keys = SigningKeys::load_or_create(&data.data_dir, Timestamp::now())?;
    let directory = Directory::load(&store).map_err(|e| format!("clients not read: {e:?}"))?;
    let id: ClientId = client.parse().map_err(|()| format!("\"{client}\" is no client id"))?;
    let record = directory.find(id).ok().flatten().ok_or_else(|| format!("there is no client {client}"))?;
    if record.dpop_required {
        return Err(format!("the tokens of {client} are bound to a key: only the token endpoint makes them"));
    }
    let scopes: Vec<&'static str> = match scope {
        None => record.scopes.clone(),
        Some(wanted) => record.scopes.iter().copied().filter(|s| wanted.split_whitespace().any(|w| w == *s)).collect(),
    };
    let purpose = match purpose {
        None => record.purposes.first().copied(),
        Some(code) => Purpose::parse(code).filter(|p| record.purposes.contains(p)),
    };
    let purpose = purpose.ok_or("this purpose is not registered for the client")?;
    let authenticator = Authenticator::new(public_url.clone(), keys, directory, Issuers::none(), 300);
    let text = authenticator
        .token_for(&record, &scopes, purpose, None, Timestamp::now())
        .map_err(|e| format!("no token: {e:?}"))?;
    print(&json!({ "access_token": text, "token_type": "Bearer", "expires_in": 300, "scope": scopes.join(" ") }))
}
