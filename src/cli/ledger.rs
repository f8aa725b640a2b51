//! `sistra ledger …`: check the record, prove from it, export it. Reads only.

use std::io::{BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use serde_json::json;

use super::{connect_for, print, say};
use crate::config::DataArgs;
use crate::db::{Conn, migrations};
use crate::kernel::Error;
use crate::kernel::ids::EntryId;
use crate::ledger::checkpoint::VerifyingKey;
use crate::ledger::leaf::Record;
use crate::ledger::verify::{Report, Trust, verify};
use crate::ledger::{Notary, merkle, tree};

/// A walk over the whole record is one long statement after another.
const STATEMENT_MS: u64 = 3_600_000;

#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Walk the whole record; exit code 1 if anything in it was changed, and where
    Verify(VerifyCommand),
    /// Print the newest signed checkpoint (C2SP tlog-checkpoint)
    Checkpoint(DataArgs),
    /// Print the key that verifies the checkpoints (C2SP signed-note)
    Key(DataArgs),
    /// Print the proof that an entry is in the record
    Proof {
        #[command(flatten)]
        data: DataArgs,
        /// The entry: a header `Audit-Event-Id`, or the id of an event of a history
        #[arg(long)]
        entry: String,
    },
    /// Print every entry in order, one line of canonical JSON each, then the checkpoints and their keys
    Export(DataArgs),
}

#[derive(Debug, Args)]
pub struct VerifyCommand {
    #[command(flatten)]
    data: DataArgs,
    /// A checkpoint that was kept: today's record must extend it; may be given more than once
    #[arg(long)]
    checkpoint: Vec<PathBuf>,
    /// The verifying key that an auditor was given, instead of the one in the data directory
    #[arg(long)]
    key: Option<String>,
}

/// Runs one of them.
pub fn run(command: LedgerCommand) -> Result<(), String> {
    match command {
        LedgerCommand::Verify(command) => check(&command),
        LedgerCommand::Checkpoint(data) => checkpoint(&data),
        LedgerCommand::Key(data) => key(&data),
        LedgerCommand::Proof { data, entry } => proof(&data, &entry),
        LedgerCommand::Export(data) => export(&data),
    }
}

fn opened(data: &DataArgs) -> Result<Conn, String> {
    let mut conn = connect_for(data, STATEMENT_MS)?;
    migrations::check(&mut conn)?;
    Ok(conn)
}

fn notary(data: &DataArgs) -> Result<Notary, String> {
    Notary::load(&data.data_dir, data.ledger_memory.as_deref())
}

#[expect(clippy::needless_pass_by_value, reason = "used as a function of an error")]
fn unread(e: Error) -> String {
    format!("the ledger could not be read: {e:?}")
}

fn check(command: &VerifyCommand) -> Result<(), String> {
    let VerifyCommand { data, checkpoint, key } = command;
    let key: Option<VerifyingKey> = key.as_deref().map(str::parse).transpose()?;
    let notary = if key.is_some() { None } else { Some(notary(data)?) };
    let read = |path: &PathBuf| std::fs::read_to_string(path).map_err(|e| format!("cannot read {}: {e}", path.display()));
    let checkpoints = checkpoint.iter().map(read).collect::<Result<_, _>>()?;
    let report = walk(&mut opened(data)?, &Trust { notary, key, checkpoints }, &mut |_| Ok(()))?;
    let Report { ok, fault_count, .. } = report;
    print(&serde_json::to_value(&report).map_err(|e| format!("the result cannot be written: {e}"))?)?;
    if ok { Ok(()) } else { Err(format!("the record has been changed: {fault_count} faults")) }
}

/// Walks with a bar for people, or some lines where nobody looks.
fn walk(
    conn: &mut Conn,
    trust: &Trust,
    every: &mut dyn FnMut(&Record) -> crate::kernel::Result<()>,
) -> Result<Report, String> {
    let terminal = std::io::stderr().is_terminal();
    let bar = if terminal { indicatif::ProgressBar::new(0) } else { indicatif::ProgressBar::hidden() };
    if let Ok(style) = indicatif::ProgressStyle::with_template("{wide_bar} {pos}/{len} entries, {eta} left") {
        bar.set_style(style);
    }
    let mut tenth = 0;
    let mut told = |done: u64, all: u64| {
        bar.set_length(all);
        bar.set_position(done);
        let now = done * 10 / all.max(1);
        if !terminal && now > tenth && all > 100_000 {
            tenth = now;
            say(&format!("  {done} of {all} entries"));
        }
    };
    let report = verify(conn, trust, &mut told, every).map_err(unread)?;
    bar.finish_and_clear();
    Ok(report)
}

fn out(text: &str) -> Result<(), String> {
    std::io::stdout().write_all(text.as_bytes()).map_err(|e| format!("cannot write the result: {e}"))
}

fn checkpoint(data: &DataArgs) -> Result<(), String> {
    let newest = tree::checkpoints(&mut opened(data)?, None, 1).map_err(unread)?.pop();
    out(&newest.ok_or("nothing has been signed yet")?.note)
}

fn key(data: &DataArgs) -> Result<(), String> {
    let notary = notary(data)?;
    let epoch = notary.remembered()?.map_or(1, |(epoch, _)| epoch);
    out(&format!("{}\n", notary.key(epoch)))
}

fn proof(data: &DataArgs, entry: &str) -> Result<(), String> {
    let id: EntryId = entry.parse().map_err(|()| format!("\"{entry}\" is no id of an entry"))?;
    let mut conn = opened(data)?;
    let absent = || format!("there is no entry {entry}");
    let record = tree::records(&mut conn, &[id.key()]).map_err(unread)?.pop().ok_or_else(absent)?;
    let position = tree::position(&mut conn, record.agency_code.as_deref(), id).map_err(unread)?;
    let position = position.ok_or("the entry waits for its position: try again in a moment")?;
    let newest = tree::checkpoints(&mut conn, None, 1).map_err(unread)?.pop();
    let signed = newest.filter(|n| n.size > position).ok_or("no signed checkpoint covers the entry yet")?;
    let (index, size) = (tree::counted(position).map_err(unread)?, tree::counted(signed.size).map_err(unread)?);
    let ranges = merkle::inclusion(index, size).ok_or("the entry lies outside the tree")?;
    let hashes = tree::hashes(&mut conn, ranges).map_err(unread)?;
    let leaf = String::from_utf8(record.leaf().map_err(unread)?).map_err(|_| "the leaf is no text")?;
    print(&json!({
        "entry_id": id, "position": position, "size": signed.size, "leaf": leaf,
        "leaf_hash": STANDARD.encode(merkle::leaf_hash(leaf.as_bytes())), "root": STANDARD.encode(&signed.root),
        "hashes": hashes.iter().map(|h| STANDARD.encode(h)).collect::<Vec<_>>(), "checkpoint": signed.note
    }))
}

fn export(data: &DataArgs) -> Result<(), String> {
    let notary = notary(data)?;
    let mut conn = opened(data)?;
    // The checkpoints first: what they cover is there when the entries are read.
    let (mut signed, mut after) = (Vec::new(), None);
    loop {
        let page = tree::checkpoints(&mut conn, after, 1_000).map_err(unread)?;
        let Some(last) = page.last() else { break };
        after = Some((last.epoch, last.size));
        signed.extend(page);
    }
    let mut lines = BufWriter::new(std::io::stdout().lock());
    let mut every = |record: &Record| {
        let mut line = record.leaf()?;
        line.push(b'\n');
        lines.write_all(&line).map_err(|e| Error::internal(format!("the export cannot be written: {:?}", e.kind())))
    };
    let report = walk(&mut conn, &Trust { notary: None, ..Trust::default() }, &mut every)?;
    let mut keys: Vec<String> = signed.iter().map(|s| notary.key(s.epoch).to_string()).collect();
    keys.dedup();
    let notes: Vec<&str> = signed.iter().map(|s| s.note.as_str()).collect();
    let end = json!({ "entries": report.size, "checkpoints": notes, "keys": keys });
    writeln!(lines, "{end}").and_then(|()| lines.flush()).map_err(|e| format!("cannot write the result: {e}"))
}
