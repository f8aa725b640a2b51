//! What can be done with jobs: one transaction each.

use super::model::{Job, JobState, MOST_DOWNLOADS};
use super::spool::INPUT;
use super::store;
use super::wire::JobView;
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::ids::{ClientId, JobId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::{self, Action, Entry};

fn written(job: &Job, now: Timestamp, replayed: bool) -> Written<JobView> {
    // Progress and expiry change the representation and not the version.
    let tag = format!("{}{}{}", job.state_at(now).as_str().get(..1).unwrap_or("x"), job.done, job.detail.files.len());
    Written { view: JobView::new(job, now), tag, replayed }
}

/// A job of this client, whole.
fn find(conn: &mut Conn, act: &Act, id: JobId) -> Result<Job> {
    let job = store::find(conn, id)?;
    let mine = act.actor.client == Some(job.client) && *act.agency() == job.agency;
    if mine && job.state != JobState::Receiving { Ok(job) } else { Err(Error::NotFound) }
}

/// Makes a job that waits for its file.
pub async fn receive(store: &Store, job: Job) -> Result<JobId> {
    let id = job.id;
    store
        .write(move |tx| {
            store::insert(tx, &job)?;
            store::queue(tx, job.id, job.expires_at.unwrap_or(job.created_at))
        })
        .await?;
    Ok(id)
}

/// Stores the next piece of a job's file.
pub async fn spool(store: &Store, id: JobId, seq: i64, bytes: Vec<u8>) -> Result<()> {
    store.write(move |tx| store::put(tx, id, INPUT, seq, bytes.clone())).await
}

/// Throws away a job whose file did not come whole.
pub async fn forget(store: &Store, id: JobId) -> Result<()> {
    store.write(move |tx| store::remove(tx, id)).await
}

/// Queues a job whose file is there; the same request again answers the job that there is.
pub async fn submit(store: &Store, act: Act, once: Once, id: JobId, total: Option<i64>) -> Result<Written<JobView>> {
    store
        .write(move |tx| {
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                store::remove(tx, id)?;
                return Ok(written(&find(tx, &act, JobId::from_uuid(resource.uuid()))?, act.now, true));
            }
            let mut job = store::find(tx, id)?;
            let read_at = job.version;
            job.moved(JobState::Queued, act.now);
            (job.version, job.total) = (read_at, total);
            store::update(tx, &job, read_at)?;
            store::schedule(tx, id, act.now)?;
            note(tx, &act, &job)?;
            Ok(written(&job, act.now, false))
        })
        .await
}

/// Makes and queues a job that needs no file.
pub async fn order(store: &Store, act: Act, once: Once, mut job: Job) -> Result<Written<JobView>> {
    (job.state, job.expires_at) = (JobState::Queued, None);
    store
        .write(move |tx| {
            let claim = idempotency::claim(tx, &once, job.id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&find(tx, &act, JobId::from_uuid(resource.uuid()))?, act.now, true));
            }
            store::insert(tx, &job)?;
            store::queue(tx, job.id, act.now)?;
            note(tx, &act, &job)?;
            Ok(written(&job, act.now, false))
        })
        .await
}

fn note(tx: &mut Conn, act: &Act, job: &Job) -> Result<()> {
    ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, job.id, Some(job.version))])
}

/// One job of the caller's client.
pub async fn read_job(store: &Store, act: &Act, id: JobId) -> Result<Written<JobView>> {
    let act = act.clone();
    store.read(move |conn| Ok(written(&find(conn, &act, id)?, act.now, false))).await
}

/// One page of the client's jobs, the last one first.
pub async fn list_jobs(
    store: &Store,
    act: &Act,
    client: ClientId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<JobView>> {
    let (agency, now) = (act.agency().clone(), act.now);
    store
        .read(move |conn| {
            let mut page = store::list(conn, client, after.as_ref(), limit)?;
            page.items.retain(|job| job.agency == agency);
            Ok(page.map(|job| JobView::new(&job, now)))
        })
        .await
}

/// Calls a job off. What it did stays, and so does its report up to there; nothing more is done.
pub async fn cancel_job(store: &Store, act: Act, once: Once, id: JobId, version: i64) -> Result<Written<JobView>> {
    store
        .write(move |tx| {
            let mut job = find(tx, &act, id)?;
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&job, act.now, true));
            }
            must_match(job.version, version)?;
            if job.state.ended() {
                return Err(Error::StateConflict(vec!["no_such_transition".into()]));
            }
            let from = job.state;
            job.moved(JobState::Cancelled, act.now);
            if job.kind == super::JobKind::Export {
                // Half an export is nobody's.
                job.detail.files.clear();
            }
            if !store::update(tx, &job, version)? {
                return Err(Error::PreconditionFailed { current_version: version + 1 });
            }
            store::schedule(tx, id, job.expires_at.unwrap_or(act.now))?;
            store::drop_files(tx, id, if job.detail.files.is_empty() { None } else { Some(INPUT) })?;
            let moved = Entry::new(Action::Transitioned, id, Some(job.version)).moved(
                "cancel",
                from.as_str(),
                JobState::Cancelled.as_str(),
            );
            ledger::append(tx, &act.actor, act.now, vec![moved])?;
            Ok(written(&job, act.now, false))
        })
        .await
}

/// A download that was recorded and may begin.
#[derive(Clone, Debug)]
pub struct Download {
    /// The job.
    pub job: JobId,
    /// The file.
    pub file: super::JobFile,
    /// The entry in the ledger.
    pub entry: crate::kernel::ids::EntryId,
}

/// Begins a download of a file: counted and recorded before a byte of it leaves.
pub async fn download(store: &Store, act: Act, id: JobId, name: String) -> Result<Download> {
    store
        .write(move |tx| {
            let mut job = find(tx, &act, id)?;
            let known = job.file(&name).cloned().ok_or(Error::NotFound)?;
            match job.state_at(act.now) {
                JobState::Expired => return Err(Error::ExportExpired),
                state if !state.ended() => return Err(Error::StateConflict(vec!["job_not_ended".into()])),
                _ => {}
            }
            if job.detail.identities && known.downloads >= MOST_DOWNLOADS {
                return Err(Error::ExportExpired);
            }
            for file in job.detail.files.iter_mut().filter(|f| f.name == name) {
                file.downloads += 1;
            }
            if !store::update(tx, &job, job.version)? {
                return Err(Error::Unavailable(crate::kernel::error::Unavailable::Contention));
            }
            let entry = Entry::new(Action::Read, id, Some(job.version)).about("job_file");
            let row = ledger::append::Row::of(&act.actor, act.now, entry)?;
            let entry = row.id();
            ledger::append::append_rows(tx, &[row])?;
            Ok(Download { job: id, file: known, entry })
        })
        .await
}

/// Takes the files of a job away whose time is over, and their key; a job whose file never came whole goes as it is.
pub fn bury(tx: &mut Conn, mut job: Job, now: Timestamp) -> Result<()> {
    if job.state == JobState::Receiving {
        return store::remove(tx, job.id);
    }
    let (id, read_at) = (job.id, job.version);
    job.moved(JobState::Expired, now);
    job.expires_at = None;
    store::update(tx, &job, read_at)?;
    store::drop_files(tx, id, None)?;
    store::dequeue(tx, id)?;
    crate::vault::current()?.destroy(tx, id.erase(), now)
}
