//! The command line. Results that a program reads are JSON on stdout; words for people go to stderr.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use serde_json::json;

use crate::app;
use crate::auth::clients::{self, Credential, Directory, NewClient};
use crate::auth::issuers::Issuers;
use crate::auth::keys::SigningKeys;
use crate::auth::{Authenticator, Purpose};
use crate::config::{Config, DataArgs, ServeArgs};
use crate::db::connection::{Role, open};
use crate::db::{Conn, migrations};
use crate::http::contract;
use crate::kernel::ids::ClientId;
use crate::kernel::{AgencyCode, Timestamp};

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
    /// Print an access token for a client
    Token(TokenCommand),
    /// Ask a server whether it is ready; exit code 0 if it is
    Healthcheck {
        /// Address of the readiness check
        #[arg(long, default_value = "http://127.0.0.1:8080/healthz/ready")]
        url: String,
    },
}

#[derive(Debug, Args)]
struct ServeCommand {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    data: DataArgs,
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
    /// Write openapi/v1.json and openapi/public.txt
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
    },
    /// List the partner systems
    List(DataArgs),
    /// Disable a partner system: refused everywhere within five seconds
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
    /// Show the keys
    Status(DataArgs),
    /// Make a new key that signs from now on; the old one verifies for a while
    Rotate(DataArgs),
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

/// Runs a command; the error is one line for a person.
pub fn run(cli: Cli) -> Result<(), String> {
    match cli.command {
        None => serve(&ServeCommand::parse_defaults()?),
        Some(Command::Serve(command)) => serve(&command),
        Some(Command::Migrate(command)) => migrate(command),
        Some(Command::Openapi(command)) => openapi(&command),
        Some(Command::Client(command)) => client(command),
        Some(Command::Keys(command)) => keys(command),
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
    say(
        "First steps: register a partner system with `sistra client create --agency PE-MP-FISTRAP-LIMA --name … --scope \"cases:read cases:write\" --purpose prosecution`",
    );
    running.wait()
}

fn connect(data: &DataArgs) -> Result<Conn, String> {
    data.make_dir()?;
    let url = data.url()?;
    open(&url, Role::Write, 60_000).map_err(|e| format!("cannot open the database {url:?}: {e}"))
}

fn ready(data: &DataArgs) -> Result<Conn, String> {
    let mut conn = connect(data)?;
    if matches!(conn, Conn::Sqlite(_)) {
        migrations::up(&mut conn)?;
    }
    migrations::check(&mut conn)?;
    let catalogue = crate::catalogue::Catalogue::embedded().map_err(|e| format!("catalogue: {e}"))?;
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

fn openapi(command: &OpenapiCommand) -> Result<(), String> {
    let document = contract::document(&app::contract());
    let files = [("v1.json", contract::text(&document)), ("public.txt", contract::public(&document))];
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
        ClientCommand::Create { data, agency, name, scope, purpose, jwks } => {
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
            let (id, secret) = clients::create(&mut ready(&data)?, &new, now)?;
            print(&json!({ "client_id": id, "client_secret": secret, "agency": new.agency, "scope": new.scopes.join(" ") }))
        }
        ClientCommand::List(data) => {
            let all = clients::all(&mut ready(&data)?).map_err(|e| format!("clients not read: {e:?}"))?;
            let shown: Vec<_> = all
                .iter()
                .map(|c| {
                    json!({ "client_id": c.id, "agency": c.agency, "name": c.name, "scope": c.scopes.join(" "),
                        "purposes": c.purposes.iter().map(|p| p.as_str()).collect::<Vec<_>>(), "active": c.active })
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
    let (data, rotate) = match command {
        KeysCommand::Status(data) => (data, false),
        KeysCommand::Rotate(data) => (data, true),
    };
    data.make_dir()?;
    let keys = SigningKeys::load_or_create(&data.data_dir, Timestamp::now())?;
    if rotate {
        keys.rotate(Timestamp::now())?;
    }
    print(&json!({ "keys": keys.status() }))
}

fn token(command: &TokenCommand) -> Result<(), String> {
    let TokenCommand { data, client, scope, purpose, public_url } = command;
    drop(ready(data)?);
    let mut settings = crate::db::StoreSettings::new(data.url()?);
    settings.connections = 1;
    let store = crate::db::Store::open(&settings)?;
    let keys = SigningKeys::load_or_create(&data.data_dir, Timestamp::now())?;
    let directory = Directory::load(&store).map_err(|e| format!("clients not read: {e:?}"))?;
    let id: ClientId = client.parse().map_err(|()| format!("\"{client}\" is no client id"))?;
    let record = directory.find(id).ok().flatten().ok_or_else(|| format!("there is no client {client}"))?;
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
