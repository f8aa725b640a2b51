//! An export as one file of the field's own format, by the code that writes it for the operator's command.
//!
//! A file of HTCDS has a column for whatever any of its rows says, so it is made whole, in one turn. A server that dies
//! meanwhile begins again; what was looked at the first time stays in the ledger.

use std::sync::Arc;

use uuid::Uuid;

use super::pages::filter;
use super::run::{MOST_PERSONS, within_budget};
use super::wire::ExportCreate;
use crate::htcds::actions::Exchange;
use crate::htcds::import::SECRET;
use crate::htcds::{FileFormat, write};
use crate::jobs::spool::PIECE;
use crate::jobs::worker::{Bench, Hold};
use crate::jobs::{Job, JobFile, store as jobs};
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::AccessLog;

/// Cases between two looks at whether the job is still wanted.
const LOOK_UP: u64 = 50;

/// Name and media type of the file.
fn named(format: FileFormat) -> (&'static str, &'static str) {
    match format {
        FileFormat::Csv => ("htcds.csv", "text/csv"),
        FileFormat::Xlsx => ("htcds.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        FileFormat::Json => ("htcds.json", "application/vnd.sistra.htcds+json"),
    }
}

/// Makes the file; answers the job with it.
pub fn run(bench: &Bench, hold: &Hold, job: &Job, order: &ExportCreate, format: FileFormat) -> Result<Job> {
    let act = job.act(bench, Timestamp::now())?;
    let exchange = Exchange {
        store: bench.store.clone(),
        law: Arc::clone(&bench.law),
        index: Arc::clone(&bench.index),
        agency: job.agency.clone(),
        purpose: job.caller(act.now)?.purpose,
        secret: *bench.store.vault()?.derive(SECRET)?,
    };
    let access = AccessLog::start(&bench.store).map_err(|e| Error::internal(format!("no thread for the ledger: {e}")))?;
    let most = usize::try_from(MOST_PERSONS).unwrap_or(0);
    let mut shown: Vec<Uuid> = Vec::new();
    let told = |cases: u64, persons: &[Uuid]| {
        shown.extend_from_slice(persons);
        if shown.len() > most {
            return Err(Error::Rule { rule: "second_person_required", faults: Vec::new() });
        }
        if cases.is_multiple_of(LOOK_UP) {
            let (hold, mut so_far) = (hold.clone(), job.clone());
            so_far.done = i64::try_from(cases).unwrap_or(0);
            bench.store.write_blocking(move |tx| hold.keep(tx, &so_far, Timestamp::now()))?;
        }
        Ok(())
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::internal)?;
    let records = runtime.block_on(exchange.export_as((&act, job.client), filter(order), &access, told))?;
    // Nobody has seen anything yet: what is beyond the budget never leaves.
    within_budget(bench, job, &act, shown.into_iter())?;
    let bytes = write(&records, format)?;
    let (name, media_type) = named(format);
    let pieces: Vec<Vec<u8>> = bytes.chunks(PIECE).map(<[u8]>::to_vec).collect();
    let count = |n: usize| i64::try_from(n).unwrap_or(0);
    let mut after = job.clone();
    after.detail.files = vec![JobFile {
        count: count(records.len()),
        bytes: count(bytes.len()),
        pieces: count(pieces.len()),
        ..JobFile::new(name, "HtcdsRecord", media_type)
    }];
    after.detail.counts.insert("htcds".to_owned(), count(records.len()));
    after.detail.counts.insert("identities".to_owned(), count(records.len()));
    (after.done, after.updated_at) = (count(records.len()), Timestamp::now());
    let hold = hold.clone();
    bench.store.write_blocking(move |tx| {
        for (seq, piece) in (0..).zip(&pieces) {
            jobs::put(tx, after.id, name, seq, piece.clone())?;
        }
        hold.keep(tx, &after, after.updated_at)?;
        Ok(after.clone())
    })
}
