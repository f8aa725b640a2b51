//! An import as a whole: batches of lines, read and checked on one thread while the last ones are written on another.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::commit::{Importer, Planned, Rights};
use super::csv::{Header, Records};
use super::lines::{Lines, parse};
use super::model::{ImportLine, Outcome, Status};
use super::wire::{ImportFormat, ImportOrder, ImportReportLine};
use crate::act::Act;
use crate::db::{Conn, Store, tentatively};
use crate::htcds::import::Cases;
use crate::http::lang::Lang;
use crate::jobs::spool::{INPUT, Reader, inside};
use crate::jobs::worker::{Bench, Hold, Work};
use crate::jobs::{Job, JobFile, store as jobs};
use crate::kernel::error::Error;
use crate::kernel::{Fault, FaultCode, Result, Timestamp};

/// Lines of the first transaction of an import.
const FIRST: usize = 100;
/// Least and most lines of one transaction.
const SIZES: std::ops::RangeInclusive<usize> = 50..=1_000;
/// SQLite's writer belongs to everybody: a batch that took longer makes the next one smaller, and one that took less than
/// half of it makes the next one larger.
const WRITER_FOR: Duration = Duration::from_millis(100);
/// Most bytes of the lines of one transaction, but for one that is longer.
const BATCH_BYTES: u64 = 2_097_152;
/// Most lines of an atomic import: they are one transaction.
pub const MOST_ATOMIC: usize = 5_000;
/// For how long a job is worked on before its worker looks up.
const TURN: Duration = Duration::from_secs(2);
/// Name of the report.
pub const REPORT: &str = "report.ndjson";
/// Name of the file that tells what a foreign format lost on its way in.
pub const NOTES: &str = "notes.ndjson";
/// Bytes of a piece of it.
const NOTES_PIECE: usize = 262_144;

/// A line and the byte behind it, where reading may go on.
#[derive(Debug)]
pub struct Item {
    /// The line.
    pub line: ImportLine,
    /// Lines behind it.
    pub lines: u64,
    /// The byte behind it.
    pub end: u64,
}

/// Lines that are written together.
pub struct Batch {
    /// The circumstances: one instant for all of them.
    pub act: Act,
    planned: Vec<Planned>,
    /// Lines behind the last one.
    pub lines: u64,
    /// The byte behind it.
    pub end: u64,
    /// Why no more could be read behind these lines.
    broken: Option<Error>,
}

impl Batch {
    /// Lines in it.
    pub fn len(&self) -> usize {
        self.planned.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.planned.is_empty()
    }
}

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing stays: the report says what would become of each line.
    Validate,
    /// What can be written is.
    Commit,
    /// All of them or none.
    Atomic,
}

impl Mode {
    /// Of an order.
    pub fn of(order: ImportOrder) -> Self {
        match order {
            ImportOrder { commit: false, .. } => Self::Validate,
            ImportOrder { atomic: true, .. } => Self::Atomic,
            ImportOrder { .. } => Self::Commit,
        }
    }
}

/// Writes batches in the caller's transaction; answers what became of each line.
pub fn write(importer: &Importer, tx: &mut Conn, mode: Mode, batches: &[Batch]) -> Result<Vec<Outcome>> {
    tentatively_if(tx, mode != Mode::Commit, |tx| {
        let mut outcomes = Vec::new();
        for batch in batches {
            outcomes.extend(importer.write(tx, &batch.act, &batch.planned)?);
        }
        let wrong = outcomes.iter().any(|o| o.status == Status::Rejected);
        if mode == Mode::Atomic && wrong {
            for outcome in outcomes.iter_mut().filter(|o| o.status != Status::Rejected) {
                (outcome.status, outcome.id) = (Status::NotApplied, None);
                outcome.changed.clear();
            }
        }
        if mode == Mode::Validate {
            // A case that was not made has no id.
            for outcome in outcomes.iter_mut().filter(|o| o.status == Status::Created) {
                outcome.id = None;
            }
        }
        Ok((outcomes, mode == Mode::Commit || mode == Mode::Atomic && !wrong))
    })
}

fn tentatively_if<T>(tx: &mut Conn, yes: bool, f: impl FnOnce(&mut Conn) -> Result<(T, bool)>) -> Result<T> {
    if yes { tentatively(tx, f) } else { f(tx).map(|(value, _)| value) }
}

/// Cuts the source into batches and gives them to `each`, which writes them and says whether to go on; the next batch is
/// read and checked meanwhile. `circumstances` makes those of a batch.
pub fn drive(
    importer: &Importer,
    circumstances: impl Fn() -> Result<Act> + Sync,
    source: impl Iterator<Item = io::Result<Item>> + Send,
    mut each: impl FnMut(Batch) -> Result<bool>,
) -> Result<()> {
    let (full, ready) = sync_channel::<Result<Batch>>(1);
    let size = &AtomicUsize::new(FIRST);
    std::thread::scope(|scope| {
        let circumstances = &circumstances;
        scope.spawn(move || {
            let mut source = source.peekable();
            while source.peek().is_some() {
                let batch = next_batch(importer, circumstances, &mut source, size.load(Ordering::Relaxed));
                let failed = batch.as_ref().map_or(true, |b| b.broken.is_some());
                // Whoever writes may have had enough.
                if full.send(batch).is_err() || failed {
                    return;
                }
            }
        });
        for batch in ready {
            let mut batch = batch?;
            let broken = batch.broken.take();
            if !batch.planned.is_empty() {
                let (lines, began) = (batch.planned.len(), Instant::now());
                if !each(batch)? {
                    return Ok(());
                }
                size.store(next_size(size.load(Ordering::Relaxed), lines, began.elapsed()), Ordering::Relaxed);
            }
            if let Some(error) = broken {
                return Err(error);
            }
        }
        Ok(())
    })
}

/// Lines of the batches to come, after one of so many lines that took so long.
fn next_size(size: usize, lines: usize, took: Duration) -> usize {
    let next = match took {
        took if took > WRITER_FOR => size.min(lines) / 2,
        // A batch that was cut short by its bytes, or is the last one, says nothing about larger ones.
        took if took < WRITER_FOR / 2 && lines >= size => size * 2,
        _ => size,
    };
    next.clamp(*SIZES.start(), *SIZES.end())
}

fn next_batch(
    importer: &Importer,
    circumstances: &impl Fn() -> Result<Act>,
    source: &mut impl Iterator<Item = io::Result<Item>>,
    most: usize,
) -> Result<Batch> {
    let act = circumstances()?;
    let (mut lines, mut behind, mut end, mut start, mut broken) = (Vec::new(), 0, 0, None, None);
    while lines.len() < most && end - start.unwrap_or(end) < BATCH_BYTES {
        match source.next() {
            None => break,
            Some(Err(e)) => {
                broken = Some(inside(&e));
                break;
            }
            Some(Ok(item)) => {
                (behind, end) = (item.lines, item.end);
                start.get_or_insert(end);
                lines.push(item.line);
            }
        }
    }
    Ok(Batch { planned: importer.plan(&act, lines)?, act, lines: behind, end, broken })
}

/// The cases of NDJSON; blank lines are none.
pub fn ndjson<R: io::Read>(lines: Lines<R>) -> impl Iterator<Item = io::Result<Item>> {
    lines.filter_map(|raw| match raw {
        Err(e) => Some(Err(e)),
        Ok(raw) if raw.text.as_ref().is_ok_and(|t| t.trim().is_empty()) => None,
        Ok(raw) => Some(Ok(Item { line: (raw.number, parse(&raw.text)), lines: raw.number, end: raw.end })),
    })
}

/// How far an import is.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Checkpoint {
    /// Lines done.
    lines: u64,
    /// Bytes done.
    end: u64,
}

/// The work of an import.
#[derive(Debug)]
pub struct ImportWork;

/// What a report's lines look like: one JSON object each.
fn report(outcomes: &[Outcome], lang: Lang) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    for outcome in outcomes {
        serde_json::to_writer(&mut text, &ImportReportLine::new(outcome, lang))
            .map_err(|_| Error::internal("a report cannot be written"))?;
        text.push(b'\n');
    }
    Ok(text)
}

/// Puts what became of some lines into the job, in their own transaction.
fn tell(tx: &mut Conn, hold: &Hold, job: &mut Job, outcomes: &[Outcome], to: Checkpoint, now: Timestamp) -> Result<()> {
    for outcome in outcomes {
        job.count(outcome.status.as_str(), 1);
    }
    job.done += i64::try_from(outcomes.len()).unwrap_or(0);
    job.updated_at = now;
    job.detail.checkpoint = serde_json::to_value(to).map_err(|_| Error::internal("a checkpoint cannot be written"))?;
    let text = report(outcomes, Lang::parse(&job.detail.lang))?;
    if job.file(REPORT).is_none() {
        job.detail.files.push(JobFile::new(REPORT, "ImportReport", "application/x-ndjson"));
    }
    if let Some(file) = job.detail.files.iter_mut().find(|f| f.name == REPORT) {
        file.count += i64::try_from(outcomes.len()).unwrap_or(0);
        file.bytes += i64::try_from(text.len()).unwrap_or(0);
        if !text.is_empty() {
            jobs::put(tx, job.id, REPORT, file.pieces, text)?;
            file.pieces += 1;
        }
    }
    hold.keep(tx, job, now)
}

impl Work for ImportWork {
    fn turn(&self, bench: &Bench, hold: &Hold, job: &mut Job) -> Result<bool> {
        let order: ImportOrder =
            serde_json::from_value(job.detail.order.clone()).map_err(|_| Error::internal("order of an import"))?;
        let at: Checkpoint = match &job.detail.checkpoint {
            serde_json::Value::Null => Checkpoint::default(),
            value => serde_json::from_value(value.clone()).map_err(|_| Error::internal("checkpoint of an import"))?,
        };
        let caller = job.caller(Timestamp::now())?;
        let rights = Rights {
            victim_identities: caller.has("victims.identity:write"),
            accused_identities: caller.has("accused.identity:write"),
        };
        let importer = Importer::new(&bench.store, rights)?;
        let template = job.clone();
        let circumstances = || template.act(bench, Timestamp::now());
        let mode = Mode::of(order);
        let input = |from: u64| Reader::new(&bench.store, template.id, INPUT, from);
        let source: Box<dyn Iterator<Item = io::Result<Item>> + Send> = match order.format {
            ImportFormat::Ndjson => Box::new(ndjson(Lines::from(input(at.end), at.end, at.lines))),
            ImportFormat::Csv => {
                let header = Header::read(input(0)).map_err(|e| inside(&e))?;
                let from = if at.end == 0 { (header.end, header.lines) } else { (at.end, at.lines) };
                Box::new(Records::new(header, input(from.0), from))
            }
            ImportFormat::Htcds => {
                let act = circumstances()?;
                let mut bytes = Vec::new();
                io::Read::read_to_end(&mut input(0), &mut bytes).map_err(|e| inside(&e))?;
                let cases = Cases::read(&bench.store, &act.catalogue, act.agency(), job.created_at, &bytes)?;
                if job.file(NOTES).is_none() {
                    *job = annotate(&bench.store, hold, job, &cases)?;
                }
                Box::new(cases.items(at.end))
            }
        };
        let began = Instant::now();
        let mut whole = true;
        if mode == Mode::Atomic {
            let mut batches = Vec::new();
            let mut lines = 0;
            drive(&importer, circumstances, source, |batch| {
                lines += batch.planned.len();
                batches.push(batch);
                Ok(lines <= MOST_ATOMIC)
            })?;
            if lines > MOST_ATOMIC {
                return Err(Error::Validation(vec![Fault::body("", FaultCode::MaxItems)]));
            }
            commit(&bench.store, &importer, hold, job, mode, batches)?;
        } else {
            drive(&importer, circumstances, source, |batch| {
                commit(&bench.store, &importer, hold, job, mode, vec![batch])?;
                // A workbook is read whole for each turn: one turn does it.
                whole = order.format == ImportFormat::Htcds || began.elapsed() < TURN;
                Ok(whole)
            })?;
        }
        if whole && job.file(REPORT).is_none() {
            // A file without a line has a report without one.
            job.detail.files.push(JobFile::new(REPORT, "ImportReport", "application/x-ndjson"));
        }
        Ok(whole)
    }
}

/// Puts what a foreign format lost on its way in into the job, and how many cases there are.
fn annotate(store: &Store, hold: &Hold, job: &Job, cases: &Cases) -> Result<Job> {
    let mut text = Vec::new();
    let notes = cases.notes();
    for note in &notes {
        serde_json::to_writer(&mut text, note).map_err(|_| Error::internal("a note cannot be written"))?;
        text.push(b'\n');
    }
    let (hold, mut job, now) = (hold.clone(), job.clone(), Timestamp::now());
    job.total = i64::try_from(cases.len()).ok();
    job.updated_at = now;
    for name in [REPORT, NOTES] {
        if job.file(name).is_none() {
            let records = if name == NOTES { "ImportNote" } else { "ImportReport" };
            job.detail.files.push(JobFile::new(name, records, "application/x-ndjson"));
        }
    }
    let pieces: Vec<Vec<u8>> = text.chunks(NOTES_PIECE).map(<[u8]>::to_vec).collect();
    if let Some(file) = job.detail.files.iter_mut().find(|f| f.name == NOTES) {
        file.count = i64::try_from(notes.len()).unwrap_or(0);
        file.bytes = i64::try_from(text.len()).unwrap_or(0);
        file.pieces = i64::try_from(pieces.len()).unwrap_or(0);
    }
    store.write_blocking(move |tx| {
        for (seq, piece) in (0..).zip(&pieces) {
            jobs::put(tx, job.id, NOTES, seq, piece.clone())?;
        }
        hold.keep(tx, &job, now)?;
        Ok(job.clone())
    })
}

/// Writes batches and how far the job is with them: one transaction.
fn commit(store: &Store, importer: &Importer, hold: &Hold, job: &mut Job, mode: Mode, batches: Vec<Batch>) -> Result<()> {
    let Some(last) = batches.last() else { return Ok(()) };
    let (to, now) = (Checkpoint { lines: last.lines, end: last.end }, last.act.now);
    let (importer, hold, before) = (importer.clone(), hold.clone(), job.clone());
    let batches = Arc::new(batches);
    *job = store.write_blocking(move |tx| {
        let mut job = before.clone();
        let outcomes = write(&importer, tx, mode, &batches)?;
        tell(tx, &hold, &mut job, &outcomes, to, now)?;
        Ok(job)
    })?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_grow_while_they_are_quick_and_shrink_when_they_hold_the_writer_for_long() {
        let (quick, slow) = (Duration::from_millis(10), Duration::from_millis(500));
        assert_eq!([next_size(100, 100, quick), next_size(800, 800, quick)], [200, 1_000]);
        assert_eq!([next_size(1_000, 1_000, slow), next_size(60, 60, slow)], [500, 50]);
        assert_eq!(next_size(1_000, 1_000, Duration::from_millis(70)), 1_000);
        assert_eq!(next_size(400, 3, quick), 400, "the last lines of a file");
    }
}
