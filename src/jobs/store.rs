//! SQL of the jobs, of their queue and of their files.

use diesel::prelude::*;

use super::model::{Job, JobDetail, JobKind, JobState};
use crate::db::schema::{job as t, job_chunk, job_queue};
use crate::db::{Clear, Conn, Json, Keep};
use crate::kernel::ids::{ClientId, JobId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault;

/// Parameters, counts, names of files; the files themselves are sealed.
impl Clear for JobDetail {}

/// The queue lies in one bucket: jobs are few, and whoever looks for one reads one place.
const QUEUE: i16 = 0;

type Row = (JobId, i64, ClientId, String, String, String, i64, Option<i64>, Option<Timestamp>, Json, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::client_id,
        t::agency_code,
        t::kind,
        t::state,
        t::done,
        t::total,
        t::expires_at,
        t::detail,
        t::created_at,
        t::updated_at,
    )
}

fn job(row: Row) -> Result<Job> {
    let (id, version, client, agency, kind, state, done, total, expires_at, detail, created_at, updated_at) = row;
    Ok(Job {
        id,
        version,
        client,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in job"))?,
        kind: JobKind::parse(&kind).ok_or_else(|| Error::internal("kind of job"))?,
        state: JobState::parse(&state).ok_or_else(|| Error::internal("state of job"))?,
        done,
        total,
        expires_at,
        detail: detail.read()?,
        created_at,
        updated_at,
    })
}

/// Inserts a job.
pub fn insert(tx: &mut Conn, new: &Job) -> Result<()> {
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::client_id.eq(new.client),
            t::agency_code.eq(new.agency.as_str()),
            t::kind.eq(new.kind.as_str()),
            t::state.eq(new.state.as_str()),
            t::done.eq(new.done),
            t::total.eq(new.total),
            t::expires_at.eq(new.expires_at),
            t::detail.eq(Json::of(&new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A job, whoever asks: whose it is must be checked before it is shown.
pub fn find(conn: &mut Conn, id: JobId) -> Result<Job> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    job(row)
}

/// Writes a job over the version that it was read at; no where somebody moved it meanwhile.
pub fn update(tx: &mut Conn, after: &Job, read_at: i64) -> Result<bool> {
    let (bucket, id) = after.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::state.eq(after.state.as_str()),
            t::done.eq(after.done),
            t::total.eq(after.total),
            t::expires_at.eq(after.expires_at),
            t::detail.eq(Json::of(&after.detail)?),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .kept()
        .execute(tx)?;
    Ok(moved > 0)
}

/// Takes a job and what belongs to it away: its file never came whole.
pub fn remove(tx: &mut Conn, id: JobId) -> Result<()> {
    drop_files(tx, id, None)?;
    dequeue(tx, id)?;
    let (bucket, id) = id.key();
    diesel::delete(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id))).execute(tx)?;
    Ok(())
}

/// One page of a client's jobs, the last one first.
pub fn list(conn: &mut Conn, client: ClientId, after: Option<&After>, limit: Limit) -> Result<Page<Job>> {
    let mut query = t::table
        .filter(t::bucket.eq(client.bucket().number()))
        .filter(t::client_id.eq(client))
        .filter(t::state.ne(JobState::Receiving.as_str()))
        .select(columns())
        .order(t::id.desc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.lt(JobId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let jobs = rows.into_iter().map(job).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(jobs, limit, |j| After { key: String::new(), id: j.id.uuid() }))
}

/// A place in the queue, and the number of its last change of hands.
pub type Place = (JobId, i64);

/// Puts a job into the queue: it is looked at from an instant on.
pub fn queue(tx: &mut Conn, id: JobId, from: Timestamp) -> Result<()> {
    diesel::insert_into(job_queue::table)
        .values((
            job_queue::bucket.eq(QUEUE),
            job_queue::job_id.eq(id),
            job_queue::holder.eq(""),
            job_queue::until_at.eq(from),
            job_queue::token.eq(0),
        ))
        .execute(tx)?;
    Ok(())
}

/// Takes a job out of whoever's hands, to be looked at from an instant on.
pub fn schedule(tx: &mut Conn, id: JobId, from: Timestamp) -> Result<()> {
    diesel::update(job_queue::table.filter(job_queue::bucket.eq(QUEUE)).filter(job_queue::job_id.eq(id)))
        .set((job_queue::holder.eq(""), job_queue::until_at.eq(from), job_queue::token.eq(job_queue::token + 1)))
        .execute(tx)?;
    Ok(())
}

/// The front of the queue.
#[derive(Debug)]
pub struct Front {
    /// Jobs that nobody holds, the longest waiting first: for a worker, or for the end of their files.
    pub due: Vec<Place>,
    /// Jobs that somebody holds.
    pub held: Vec<JobId>,
}

/// Most places of the front that are looked at.
const FRONT: i64 = 100;

/// Looks at the front of the queue; no lease runs beyond `leased`.
pub fn look(conn: &mut Conn, now: Timestamp, leased: Timestamp) -> Result<Front> {
    let due = job_queue::table
        .filter(job_queue::bucket.eq(QUEUE))
        .filter(job_queue::until_at.le(now))
        .select((job_queue::job_id, job_queue::token))
        .order((job_queue::until_at.asc(), job_queue::job_id.asc()))
        .limit(FRONT)
        .load(conn)?;
    if due.is_empty() {
        return Ok(Front { due, held: Vec::new() });
    }
    let held = job_queue::table
        .filter(job_queue::bucket.eq(QUEUE))
        .filter(job_queue::until_at.gt(now))
        .filter(job_queue::until_at.le(leased))
        .filter(job_queue::holder.ne(""))
        .select(job_queue::job_id)
        .limit(FRONT)
        .load(conn)?;
    Ok(Front { due, held })
}

/// Takes hold of a place, or keeps it, until an instant; no where another one was faster.
pub fn hold(tx: &mut Conn, (id, token): Place, next: i64, holder: &str, until: Timestamp) -> Result<bool> {
    let held = diesel::update(
        job_queue::table
            .filter(job_queue::bucket.eq(QUEUE))
            .filter(job_queue::job_id.eq(id))
            .filter(job_queue::token.eq(token)),
    )
    .set((job_queue::holder.eq(holder), job_queue::until_at.eq(until), job_queue::token.eq(next)))
    .kept()
    .execute(tx)?;
    Ok(held > 0)
}

/// Takes a job out of the queue.
pub fn dequeue(tx: &mut Conn, id: JobId) -> Result<()> {
    diesel::delete(job_queue::table.filter(job_queue::bucket.eq(QUEUE)).filter(job_queue::job_id.eq(id))).execute(tx)?;
    Ok(())
}

/// Lets go of what a server held that is no more: only where there can be no other one.
pub fn release_all(tx: &mut Conn, now: Timestamp) -> Result<()> {
    diesel::update(
        job_queue::table
            .filter(job_queue::bucket.eq(QUEUE))
            .filter(job_queue::until_at.gt(now))
            .filter(job_queue::holder.ne("")),
    )
    .set((job_queue::holder.eq(""), job_queue::until_at.eq(now)))
    .execute(tx)?;
    Ok(())
}

fn place(file: &str, seq: i64) -> String {
    format!("job_chunk|{file}|{seq}")
}

/// Seals and stores a piece of a file.
pub fn put(tx: &mut Conn, id: JobId, file: &str, seq: i64, bytes: Vec<u8>) -> Result<()> {
    let sealed = vault::seal_bytes(tx, id, &place(file, seq), bytes)?;
    let (bucket, id) = id.key();
    diesel::insert_into(job_chunk::table)
        .values((
            job_chunk::bucket.eq(bucket),
            job_chunk::job_id.eq(id),
            job_chunk::file.eq(file),
            job_chunk::seq.eq(seq),
            job_chunk::content.eq(sealed),
        ))
        .execute(tx)?;
    Ok(())
}

/// A piece of a file; none behind its end.
pub fn piece(conn: &mut Conn, id: JobId, file: &str, seq: i64) -> Result<Option<Vec<u8>>> {
    let (bucket, key) = id.key();
    let sealed: Option<Vec<u8>> = job_chunk::table
        .filter(job_chunk::bucket.eq(bucket))
        .filter(job_chunk::job_id.eq(key))
        .filter(job_chunk::file.eq(file))
        .filter(job_chunk::seq.eq(seq))
        .select(job_chunk::content)
        .first(conn)
        .optional()?;
    sealed.map(|sealed| vault::open_bytes(conn, id, &place(file, seq), &sealed).map(|b| b.to_vec())).transpose()
}

/// Deletes a file, or all of a job's.
pub fn drop_files(tx: &mut Conn, id: JobId, file: Option<&str>) -> Result<()> {
    let (bucket, key) = id.key();
    let all = job_chunk::table.filter(job_chunk::bucket.eq(bucket)).filter(job_chunk::job_id.eq(key));
    match file {
        Some(file) => diesel::delete(all.filter(job_chunk::file.eq(file))).execute(tx)?,
        None => diesel::delete(all).execute(tx)?,
    };
    Ok(())
}
