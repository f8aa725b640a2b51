//! The work of an export: page after page, each with its entries in the ledger and the checkpoint in one transaction.

use std::time::{Duration, Instant};

use uuid::Uuid;

use super::htcds;
use super::model::{Form, Lines, sheets};
use super::pages::{Place, Sheaf, read};
use super::wire::ExportCreate;
use crate::act::Act;
use crate::jobs::worker::{Bench, Hold, Work};
use crate::jobs::{Job, JobFile, store as jobs};
use crate::kernel::error::Error;
use crate::kernel::{Result, Timestamp};
use crate::ledger::append::{Row, append_rows};

/// Most identities of one export. More would take a second person, and there is no such door yet.
pub const MOST_PERSONS: i64 = 1_000;
/// For how long a job is worked on before its worker looks up.
const TURN: Duration = Duration::from_secs(2);

/// The work of an export.
#[derive(Debug)]
pub struct ExportWork;

impl Work for ExportWork {
    fn turn(&self, bench: &Bench, hold: &Hold, job: &mut Job) -> Result<bool> {
        let order: ExportCreate =
            serde_json::from_value(job.detail.order.clone()).map_err(|_| Error::internal("order of an export"))?;
        let mut at: Place = match &job.detail.checkpoint {
            serde_json::Value::Null => Place::Cases(None),
            value => serde_json::from_value(value.clone()).map_err(|_| Error::internal("checkpoint of an export"))?,
        };
        let format = match order.form() {
            Form::Lines(format) => format,
            Form::Htcds(format) => {
                *job = htcds::run(bench, hold, job, &order, format)?;
                return Ok(true);
            }
        };
        let began = Instant::now();
        while began.elapsed() < TURN {
            let act = job.act(bench, Timestamp::now())?;
            let (client, from) = (job.client, at.clone());
            let (reading, what) = (act.clone(), order.clone());
            let sheaf = bench.store.read_blocking(move |conn| read(conn, &reading, client, &what, format, &from))?;
            within_budget(bench, job, &act, sheaf.identities())?;
            at = sheaf.next.clone();
            let over = matches!(at, Place::End);
            *job = store(bench, hold, job, &act, (&order, format), sheaf)?;
            if over {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// Counts identities against the budget of looking of the job's client, as if each had been looked at by itself; alerts
/// those who must hear of it. Beyond the budget the job ends, and what it has is thrown away.
pub fn within_budget(bench: &Bench, job: &Job, act: &Act, persons: impl Iterator<Item = Uuid>) -> Result<()> {
    let looking = bench.watch.looking();
    let mut runtime = None;
    for person in persons {
        // In which territory each of them is, is not asked: an export is of the agency's whole sight.
        let looked = looking.subject(job.client, job.detail.user.as_deref(), person, false, act.now);
        if !looked.alarms.is_empty() {
            let runtime = match &runtime {
                Some(runtime) => runtime,
                None => runtime.insert(actix_rt::Runtime::new().map_err(Error::internal)?),
            };
            runtime.block_on(bench.watch.raise(&act.actor, act.now, looked.alarms))?;
        }
        looked.room?;
    }
    Ok(())
}

/// Writes a page: its entries, its texts, and how far the job is.
fn store(
    bench: &Bench,
    hold: &Hold,
    before: &Job,
    act: &Act,
    (order, format): (&ExportCreate, Lines),
    sheaf: Sheaf,
) -> Result<Job> {
    let mut after = before.clone();
    if after.detail.files.is_empty() {
        for sheet in sheets(order) {
            after.detail.files.push(JobFile::new(&sheet.file(format), sheet.schema, format.media_type()));
        }
    }
    let mut pieces = Vec::new();
    for sheet in sheets(order) {
        let name = sheet.file(format);
        let Some(file) = after.detail.files.iter_mut().find(|f| f.name == name) else { continue };
        let mut text = if file.pieces == 0 { sheet.head(format) } else { Vec::new() };
        if let Some((records, count)) = sheaf.texts.get(sheet.name) {
            text.extend_from_slice(records);
            file.count += count;
            *after.detail.counts.entry(sheet.name.to_owned()).or_default() += count;
        }
        if !text.is_empty() {
            file.bytes += i64::try_from(text.len()).unwrap_or(0);
            pieces.push((name, file.pieces, text));
            file.pieces += 1;
        }
    }
    let persons = after.detail.counts.entry("identities".to_owned()).or_default();
    *persons += sheaf.persons;
    if *persons > MOST_PERSONS {
        return Err(Error::Rule { rule: "second_person_required", faults: Vec::new() });
    }
    if sheaf.withheld > 0 {
        *after.detail.counts.entry("withheld".to_owned()).or_default() += sheaf.withheld;
    }
    after.done += sheaf.rows;
    after.updated_at = act.now;
    after.detail.checkpoint = serde_json::to_value(&sheaf.next).map_err(Error::internal)?;
    let (id, hold, now) = (after.id, hold.clone(), act.now);
    let mut rows = Vec::new();
    for entry in sheaf.entries {
        // A list that showed nothing is no look at anything.
        if !(entry.payload.shown.is_empty() && entry.version.is_none()) {
            for person in entry.of_persons() {
                rows.push(Row::of(&act.actor, now, person)?);
            }
            rows.push(Row::of(&act.actor, now, entry)?);
        }
    }
    bench.store.write_blocking(move |tx| {
        append_rows(tx, &rows)?;
        for (name, seq, text) in &pieces {
            jobs::put(tx, id, name, *seq, text.clone())?;
        }
        hold.keep(tx, &after, now)?;
        Ok(after.clone())
    })
}
