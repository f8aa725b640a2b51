//! `sistra export`: what an agency may see, into files of a directory, by the code that works on exports over HTTP.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::json;

use super::import::Bench;
use super::print;
use crate::config::{DataArgs, make_private_dir};
use crate::exports::model::{Lines, sheets};
use crate::exports::pages::{Place, read};
use crate::exports::wire::{ExportCreate, ExportFormat, ExportType};
use crate::kernel::{Error, Timestamp};
use crate::ledger::append::{Row, append_rows};

#[derive(Debug, Args)]
pub(super) struct ExportArgs {
    /// A directory that is not there yet; readable by its owner only
    dir: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Code of the agency whose view it is
    #[arg(long)]
    agency: String,
    /// What is taken out; all kinds if absent
    #[arg(long = "type", value_enum)]
    types: Vec<Kind>,
    /// Say who victims and accused are; every look stands in the ledger
    #[arg(long)]
    identities: bool,
    /// Purpose, for the record
    #[arg(long, default_value = "prosecution")]
    purpose: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Case,
    Victim,
    Accused,
    Charge,
    Referral,
}

impl From<Kind> for ExportType {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Case => Self::Case,
            Kind::Victim => Self::Victim,
            Kind::Accused => Self::Accused,
            Kind::Charge => Self::Charge,
            Kind::Referral => Self::Referral,
        }
    }
}

const ALL: [Kind; 5] = [Kind::Case, Kind::Victim, Kind::Accused, Kind::Charge, Kind::Referral];

/// A file on its way.
struct Sink {
    to: BufWriter<File>,
    hash: aws_lc_rs::digest::Context,
    records: &'static str,
    count: i64,
    bytes: u64,
}

impl Sink {
    fn write(&mut self, text: &[u8], count: i64) -> Result<(), String> {
        self.hash.update(text);
        self.count += count;
        self.bytes += u64::try_from(text.len()).unwrap_or(0);
        self.to.write_all(text).map_err(|e| format!("cannot write the export: {e}"))
    }
}

pub(super) fn run(args: ExportArgs, format: Lines) -> Result<(), String> {
    let ExportArgs { dir, data, agency, types, identities, purpose } = args;
    if dir.exists() {
        return Err(format!("{} is there already: an export overwrites nothing", dir.display()));
    }
    let types = if types.is_empty() { ALL.to_vec() } else { types };
    let mut types: Vec<ExportType> = types.into_iter().map(ExportType::from).collect();
    types.sort();
    types.dedup();
    let order = ExportCreate {
        types,
        format: ExportFormat::default(),
        identities,
        reported_from: None,
        reported_to: None,
        updated_from: None,
    };
    let bench = Bench::open(&data, &agency, &purpose)?;
    make_private_dir(&dir)?;
    let mut sinks = BTreeMap::new();
    for sheet in sheets(&order) {
        let mut sink = Sink {
            to: BufWriter::new(make(&dir.join(sheet.file(format)))?),
            hash: aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256),
            records: sheet.schema,
            count: 0,
            bytes: 0,
        };
        sink.write(&sheet.head(format), 0)?;
        sinks.insert(sheet.name, (sheet.file(format), sink));
    }
    let transaction_time = Timestamp::now();
    let bar = indicatif::ProgressBar::new_spinner().with_message("records");
    let (mut at, mut rows, mut persons) = (Place::Cases(None), 0, 0);
    while !matches!(at, Place::End) {
        let act = bench.act();
        let sheaf = bench
            .store
            .read_blocking(|conn| read(conn, &act, bench.client, &order, format, &at))
            .map_err(|e| format!("the export stopped: {e:?}"))?;
        // First the record of the look, then the look.
        let mut entries = Vec::new();
        for entry in sheaf.entries.iter().filter(|e| e.version.is_some() || !e.payload.shown.is_empty()) {
            for one in entry.of_persons().into_iter().chain([entry.clone()]) {
                entries.push(Row::of(&act.actor, act.now, one).map_err(|e| format!("{e:?}"))?);
            }
        }
        bench
            .store
            .write_blocking(move |tx| append_rows(tx, &entries))
            .map_err(|e: Error| format!("the look could not be recorded, so nothing is shown: {e:?}"))?;
        for (name, (text, count)) in &sheaf.texts {
            if let Some((_, sink)) = sinks.get_mut(name) {
                sink.write(text, *count)?;
            }
        }
        rows += sheaf.rows;
        persons += sheaf.persons;
        bar.set_position(rows.unsigned_abs());
        at = sheaf.next;
    }
    bar.finish_and_clear();
    let mut output = Vec::new();
    for (file, mut sink) in sinks.into_values() {
        sink.to.flush().map_err(|e| format!("cannot write the export: {e}"))?;
        let hash: String = sink.hash.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect();
        output.push(json!({ "type": sink.records, "url": file, "count": sink.count, "bytes": sink.bytes, "sha256": hash }));
    }
    print(&json!({
        "transaction_time": transaction_time, "request": format!("sistra export {}", format.media_type()),
        "requires_access_token": false, "output": output, "deleted": [], "errors": [], "identities": persons,
    }))
}

/// A new file that only its owner reads.
fn make(path: &Path) -> Result<File, String> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(|e| format!("cannot write {}: {e}", path.display()))
}
