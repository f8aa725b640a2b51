//! SQL of the wrapped keys.

use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::subject_key as t;
use crate::kernel::ids::ResourceId;
use crate::kernel::{Bucket, Result, Timestamp};
use crate::{insert_many, per_engine};

/// One wrapped key.
#[derive(Clone, Debug)]
pub struct Row {
    /// Whose.
    pub subject: ResourceId,
    /// The key, wrapped; none once destroyed.
    pub wrapped: Option<String>,
    /// The keyring's key that wrapped it.
    pub kek: String,
    /// When it was made.
    pub created_at: Timestamp,
}

type Columns = (ResourceId, Option<String>, String, Timestamp);

fn row((subject, wrapped, kek, created_at): Columns) -> Row {
    Row { subject, wrapped, kek, created_at }
}

/// The key of a subject.
pub fn find(conn: &mut Conn, subject: ResourceId) -> Result<Option<Row>> {
    let found: Option<Columns> = per_engine!(conn, c => t::table
        .filter(t::bucket.eq(subject.bucket().number()))
        .filter(t::subject_id.eq(subject))
        .select((t::subject_id, t::wrapped, t::kek_id, t::created_at))
        .first(c)
        .optional()?);
    Ok(found.map(row))
}

/// The keys of these subjects, in no order.
pub fn many(conn: &mut Conn, subjects: &[ResourceId]) -> Result<Vec<Row>> {
    if let [one] = subjects {
        return Ok(find(conn, *one)?.into_iter().collect());
    }
    let mut buckets: Vec<i16> = subjects.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<Columns> = t::table
        .filter(t::bucket.eq_any(buckets))
        .filter(t::subject_id.eq_any(subjects.to_vec()))
        .select((t::subject_id, t::wrapped, t::kek_id, t::created_at))
        .load(conn)?;
    Ok(rows.into_iter().map(row).collect())
}

/// Stores a new key; one that is there already stays.
pub fn insert(tx: &mut Conn, subject: ResourceId, wrapped: &str, kek: &str, now: Timestamp) -> Result<()> {
    per_engine!(tx, c => diesel::insert_into(t::table)
        .values((
            t::bucket.eq(subject.bucket().number()),
            t::subject_id.eq(subject),
            t::wrapped.eq(wrapped),
            t::kek_id.eq(kek),
            t::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    Ok(())
}

/// Stores the keys of subjects that nobody knows yet: subject, wrapped key, the keyring's key.
pub fn insert_new(tx: &mut Conn, rows: &[(ResourceId, &str, &str)], now: Timestamp) -> Result<()> {
    insert_many!(tx, "subject_key", rows, (subject, wrapped, kek) => {
        "bucket" smallint = subject.bucket().number(),
        "subject_id" uuid = *subject,
        "wrapped" text = *wrapped,
        "kek_id" text = *kek,
        "created_at" timestamptz = now,
    });
    Ok(())
}

/// Destroys the key of a subject.
pub fn destroy(tx: &mut Conn, subject: ResourceId, now: Timestamp) -> Result<()> {
    diesel::update(t::table.filter(t::bucket.eq(subject.bucket().number())).filter(t::subject_id.eq(subject)))
        .set((t::wrapped.eq(None::<String>), t::destroyed_at.eq(now)))
        .execute(tx)?;
    Ok(())
}

/// Puts another wrapping in the place of one that is still the same.
pub fn replace(tx: &mut Conn, subject: ResourceId, before: &str, wrapped: &str, kek: &str) -> Result<bool> {
    let moved = diesel::update(
        t::table
            .filter(t::bucket.eq(subject.bucket().number()))
            .filter(t::subject_id.eq(subject))
            .filter(t::wrapped.eq(before)),
    )
    .set((t::wrapped.eq(wrapped), t::kek_id.eq(kek)))
    .execute(tx)?;
    Ok(moved > 0)
}

/// Keys with ids after `after`, in order: of one bucket on PostgreSQL, of all of them on SQLite, whose key is the id
/// alone.
pub fn page(conn: &mut Conn, bucket: Bucket, after: Option<ResourceId>, limit: i64) -> Result<Vec<Row>> {
    let mut query = t::table
        .select((t::subject_id, t::wrapped, t::kek_id, t::created_at))
        .order(t::subject_id.asc())
        .limit(limit)
        .into_boxed();
    if matches!(conn, Conn::Postgres(_)) {
        query = query.filter(t::bucket.eq(bucket.number()));
    }
    if let Some(after) = after {
        query = query.filter(t::subject_id.gt(after));
    }
    let rows: Vec<Columns> = query.load(conn)?;
    Ok(rows.into_iter().map(row).collect())
}
