//! `sistra import htcds …` and `sistra export htcds …`: the field's own format, in and out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use serde_json::json;

use super::{print, progress, say, vault};
use crate::auth::Purpose;
use crate::config::DataArgs;
use crate::htcds::actions::Exchange;
use crate::htcds::dates::Order;
use crate::htcds::report::Level;
use crate::htcds::{self, FileFormat};
use crate::kernel::{AgencyCode, Timestamp};
use crate::ledger::access::AccessLog;

#[derive(Debug, Args)]
pub struct ImportCommand {
    #[command(flatten)]
    data: DataArgs,
    /// The file: CSV, XLSX, ODS or the JSON profile
    file: PathBuf,
    /// Code of the agency whose cases they are
    #[arg(long)]
    agency: String,
    /// Purpose of use, for the ledger
    #[arg(long, default_value = "assistance")]
    purpose: String,
    /// Read, check and report, and register nothing
    #[arg(long)]
    dry_run: bool,
    /// Which comes first in a date like 3/4/2026
    #[arg(long, value_enum, default_value_t = DateOrder::Dmy)]
    date_order: DateOrder,
}

/// Which of two small numbers is the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
}

#[derive(Debug, Args)]
pub struct ExportCommand {
    #[command(flatten)]
    data: DataArgs,
    /// The file to write; overwrites nothing
    file: PathBuf,
    /// Code of the agency whose cases they are
    #[arg(long)]
    agency: String,
    /// Purpose of use, for the ledger: every person in the file is an entry
    #[arg(long, default_value = "assistance")]
    purpose: String,
    /// Format  [default: by the file's name]
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// A format that can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// Comma-separated.
    Csv,
    /// A workbook like IOM's template.
    Xlsx,
    /// The JSON profile.
    Json,
}

fn exchange(data: &DataArgs, agency: &str, purpose: &str) -> Result<Exchange, String> {
    let agency = AgencyCode::parse(agency).ok_or_else(|| format!("\"{agency}\" is no agency code"))?;
    let purpose = Purpose::parse(purpose).ok_or_else(|| format!("unknown purpose \"{purpose}\""))?;
    let law = Arc::new(data.catalogue()?);
    let (store, vault) = vault(data)?;
    let known = agency.clone();
    store
        .read_blocking(move |conn| crate::agencies::kind(conn, &known))
        .map_err(|_| format!("there is no agency {agency} in the directory"))?;
    let index = Arc::new(crate::app::index_key(&store)?);
    let secret = *vault.derive(crate::htcds::import::SECRET).map_err(|e| format!("the keyring gives no key: {e:?}"))?;
    Ok(Exchange { store, law, index, agency, purpose, secret })
}

/// Registers a file.
pub fn import(command: &ImportCommand) -> Result<(), String> {
    let ImportCommand { data, file, agency, purpose, dry_run, date_order } = command;
    let bytes = std::fs::read(file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
    let order = if *date_order == DateOrder::Mdy { Order::MonthFirst } else { Order::DayFirst };
    let reading = htcds::read(&bytes, order).map_err(|e| format!("{}: {e}", file.display()))?;
    let exchange = exchange(data, agency, purpose)?;
    let bar = progress(u64::try_from(reading.records.len()).unwrap_or(0), "cases");
    let report = actix_rt::System::new()
        .block_on(exchange.import(reading, *dry_run, |done| bar.set_position(done)))
        .map_err(|e| format!("the import stopped; what was registered stays, and the same command goes on: {e:?}"))?;
    bar.finish_and_clear();
    let c = &report.counts;
    let lossy = report.notes.iter().filter(|n| n.level == Level::Lossy).count();
    say(&format!(
        "{}{} cases created, {} unchanged, {} that differ, {} rejected; {lossy} notes of something lossy",
        if *dry_run { "dry run: " } else { "" },
        c.created,
        c.unchanged,
        c.differs,
        c.rejected
    ));
    print(&json!(report))
}

/// Writes the agency's cases.
pub fn export(command: &ExportCommand) -> Result<(), String> {
    let ExportCommand { data, file, agency, purpose, format } = command;
    let format = match format.or_else(|| by_name(file)) {
        Some(Format::Csv) => FileFormat::Csv,
        Some(Format::Xlsx) => FileFormat::Xlsx,
        Some(Format::Json) => FileFormat::Json,
        None => return Err("the name of the file says no format: give --format csv, xlsx or json".to_owned()),
    };
    if file.exists() {
        return Err(format!("{} is there already: an export overwrites nothing", file.display()));
    }
    let exchange = exchange(data, agency, purpose)?;
    let access = AccessLog::start(&exchange.store).map_err(|e| format!("no thread for the ledger: {e}"))?;
    let bar = indicatif::ProgressBar::new_spinner().with_message("cases");
    let records = actix_rt::System::new()
        .block_on(exchange.export(&access, |done| bar.set_position(done)))
        .map_err(|e| format!("nothing was written: {e:?}"))?;
    bar.finish_and_clear();
    let bytes = htcds::write(&records, format).map_err(|e| format!("nothing was written: {e:?}"))?;
    private(file, &bytes).map_err(|e| format!("cannot write {}: {e}", file.display()))?;
    say(&format!("{} holds identities: it is readable by you only, and yours to keep safe", file.display()));
    print(&json!({ "file": file, "records": records.len(), "bytes": bytes.len(), "exported_at": Timestamp::now() }))
}

fn by_name(file: &Path) -> Option<Format> {
    let extension = file.extension()?.to_str()?.to_ascii_lowercase();
    Format::from_str(&extension, true).ok()
}

/// A new file that only its owner reads.
pub fn private(file: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut made = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
    made.write_all(bytes)?;
    made.sync_all()
}
