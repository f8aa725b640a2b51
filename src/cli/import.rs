//! `sistra import`: a file of cases straight into the registry, by the code that works on imports over HTTP.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, IsTerminal, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{print, say};
use crate::act::{Act, Chance};
use crate::agencies;
use crate::app;
use crate::auth::{Caller, Purpose};
use crate::catalogue::Catalogue;
use crate::config::DataArgs;
use crate::db::{Store, StoreSettings};
use crate::http::body::{SCHEMAS, Schemas};
use crate::http::contract;
use crate::http::lang::Lang;
use crate::imports::csv::{Header, Records};
use crate::imports::lines::Lines;
use crate::imports::run::{Batch, Item, MOST_ATOMIC, Mode, drive, ndjson, write};
use crate::imports::wire::ImportReportLine;
use crate::imports::{Importer, Rights, Status};
use crate::kernel::ids::ClientId;
use crate::kernel::{AgencyCode, Timestamp};
use crate::ledger::Actor;
use crate::persons::IndexKey;
use crate::vault::Vault;

/// The client under whose name the operator's commands write. It is no registered client and cannot get a token.
pub const OPERATOR: &str = "00000000-0000-4000-8000-000000000c11";
/// Rejected lines that the result itself shows.
const SHOWN: usize = 100;

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file; - for standard input
    file: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Code of the agency whose cases they are
    #[arg(long)]
    agency: String,
    /// Say what would become of each line, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// All lines or none, 5,000 at most
    #[arg(long, conflicts_with = "dry_run")]
    atomic: bool,
    /// Purpose, for the record
    #[arg(long, default_value = "prosecution")]
    purpose: String,
    /// File for the report, one line for each line of the import, as NDJSON
    #[arg(long)]
    report: Option<PathBuf>,
    /// Language of the report
    #[arg(long, default_value = "en")]
    lang: ReportLang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ReportLang {
    Es,
    En,
    Fr,
}

/// The registry as a tool of the operator sees it.
pub(super) struct Bench {
    /// The store.
    pub store: Store,
    law: Arc<Catalogue>,
    index: Arc<IndexKey>,
    agency: AgencyCode,
    oversight: bool,
    purpose: Purpose,
    request_id: uuid::Uuid,
    /// Under whose name.
    pub client: ClientId,
}

impl Bench {
    /// Opens the registry for an agency.
    pub(super) fn open(data: &DataArgs, agency: &str, purpose: &str) -> Result<Self, String> {
        let law = Arc::new(data.catalogue()?);
        let vault = Vault::open(&mut super::ready(data)?, &data.keyring()?, Timestamp::now())?;
        let settings = StoreSettings { connections: 4, vault: Some(vault), ..StoreSettings::new(data.url()?) };
        let store = Store::open(&settings)?;
        let index = Arc::new(app::index_key(&store)?);
        let agency = AgencyCode::parse(agency).ok_or_else(|| format!("\"{agency}\" is no agency code"))?;
        let purpose = Purpose::parse(purpose).ok_or_else(|| format!("unknown purpose \"{purpose}\""))?;
        let wanted = agency.clone();
        let known = store
            .read_blocking(move |conn| agencies::oversight(conn, &wanted))
            .map_err(|e| format!("agencies not read: {e:?}"))?;
        let oversight = known.ok_or_else(|| format!("there is no agency {agency}"))?;
        let client = OPERATOR.parse().map_err(|()| "the operator's id is malformed".to_owned())?;
        // A fault of a line is explained by the contract's schemas.
        SCHEMAS.get_or_init(|| Schemas::new(contract::document(&app::contract())));
        Ok(Self { store, law, index, agency, oversight, purpose, request_id: uuid::Uuid::new_v4(), client })
    }

    /// The circumstances of what is done now.
    pub(super) fn act(&self) -> Act {
        let now = Timestamp::now();
        let caller = Caller {
            client: self.client,
            agency: self.agency.clone(),
            oversight: self.oversight,
            user: None,
            scopes: Vec::new(),
            purpose: self.purpose,
            expires_at: now,
        };
        Act {
            actor: Actor {
                client: Some(self.client),
                agency: Some(self.agency.clone()),
                user: None,
                purpose: Some(self.purpose),
                request_id: self.request_id,
                trail: crate::kernel::trail::Trail::default(),
            },
            scope: caller.scope(now),
            now,
            catalogue: Arc::clone(&self.law),
            index: Arc::clone(&self.index),
            chance: Chance::System,
        }
    }
}

/// What an import came to.
#[derive(Default)]
struct Tally {
    counts: BTreeMap<&'static str, u64>,
    rejected: Vec<ImportReportLine>,
}

pub(super) fn run(args: ImportArgs, csv: bool) -> Result<(), String> {
    let stdin = args.file.as_os_str() == "-";
    if csv && stdin {
        return Err("CSV is read from a file: its header is read first".to_owned());
    }
    let open = || File::open(&args.file).map_err(|e| format!("cannot read {}: {e}", args.file.display()));
    let size = if stdin { 0 } else { open()?.metadata().map_err(|e| e.to_string())?.len() };
    let source: Box<dyn Iterator<Item = io::Result<Item>> + Send> = if csv {
        let unreadable = |e: io::Error| format!("cannot read {}: {e}", args.file.display());
        let header = Header::read(open()?).map_err(unreadable)?;
        let at = (header.end, header.lines);
        let mut file = open()?;
        file.seek(SeekFrom::Start(at.0)).map_err(unreadable)?;
        Box::new(Records::new(header, file, at))
    } else if stdin {
        Box::new(ndjson(Lines::new(io::stdin())))
    } else {
        Box::new(ndjson(Lines::new(open()?)))
    };
    import(args, source, size)
}

/// Imports what `source` makes of a file; `size` bytes are the end of the bar. For any format.
fn import(args: ImportArgs, source: Box<dyn Iterator<Item = io::Result<Item>> + Send>, size: u64) -> Result<(), String> {
    let ImportArgs { file: _, data, agency, dry_run, atomic, purpose, report, lang } = args;
    let bench = Bench::open(&data, &agency, &purpose)?;
    let rights = Rights { victim_identities: true, accused_identities: true };
    let importer = Importer::new(&bench.store, rights).map_err(|e| format!("{e:?}"))?;
    let mode = if dry_run {
        Mode::Validate
    } else if atomic {
        Mode::Atomic
    } else {
        Mode::Commit
    };
    let mut file = match &report {
        None => None,
        Some(path) => {
            let made = File::create(path).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
            Some(io::BufWriter::new(made))
        }
    };
    let lang = match lang {
        ReportLang::Es => Lang::Es,
        ReportLang::En => Lang::En,
        ReportLang::Fr => Lang::Fr,
    };
    let bar = indicatif::ProgressBar::new(size).with_message("lines");
    let mut tally = Tally::default();
    let mut waiting = Vec::new();
    let mut done = 0_u64;
    let began = std::time::Instant::now();
    let mut commit = |batches: Vec<Batch>| -> crate::kernel::Result<()> {
        let end = batches.last().map_or(0, |b| b.end);
        let (importer, batches) = (importer.clone(), Arc::new(batches));
        let outcomes = bench.store.write_blocking(move |tx| write(&importer, tx, mode, &batches))?;
        for outcome in &outcomes {
            *tally.counts.entry(outcome.status.as_str()).or_default() += 1;
            let line = ImportReportLine::new(outcome, lang);
            if let Some(file) = &mut file {
                let text = serde_json::to_string(&line).map_err(crate::kernel::Error::internal)?;
                writeln!(file, "{text}").map_err(crate::kernel::Error::internal)?;
            }
            if outcome.status == Status::Rejected && tally.rejected.len() < SHOWN {
                tally.rejected.push(line);
            }
        }
        done += u64::try_from(outcomes.len()).unwrap_or(0);
        bar.set_position(end);
        bar.set_message(format!("{done} lines"));
        Ok(())
    };
    let circumstances = || Ok(bench.act());
    let driven = if mode == Mode::Atomic {
        let mut lines = 0;
        drive(&importer, circumstances, source, |batch| {
            lines += batch.len();
            waiting.push(batch);
            Ok(lines <= MOST_ATOMIC)
        })
        .and_then(|()| {
            if lines > MOST_ATOMIC {
                return Err(crate::kernel::Error::ContentTooLarge);
            }
            commit(std::mem::take(&mut waiting))
        })
    } else {
        drive(&importer, circumstances, source, |batch| commit(vec![batch]).map(|()| true))
    };
    bar.finish_and_clear();
    if let Some(mut file) = file {
        file.flush().map_err(|e| format!("cannot write the report: {e}"))?;
    }
    let took = began.elapsed();
    let result = json!({
        "agency": agency, "dry_run": dry_run, "atomic": atomic, "lines": done, "counts": tally.counts,
        "rejected": tally.rejected, "milliseconds": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    });
    match driven {
        Ok(()) => {
            if io::stderr().is_terminal() {
                let rate = f64::from(u32::try_from(done).unwrap_or(u32::MAX)) / took.as_secs_f64().max(0.001);
                say(&format!("{done} lines, {rate:.0} a second"));
            }
            print(&result)
        }
        Err(crate::kernel::Error::ContentTooLarge) => Err(format!("an atomic import has {MOST_ATOMIC} lines at most")),
        Err(e) => {
            print(&result)?;
            Err(format!("the import stopped behind line {done} ({e:?}); run it again: what is in is not written twice"))
        }
    }
}
