//! SQL of what the retention schedule has seen to, one row per subject and rule, and of the reviews of it.

use diesel::prelude::*;

use super::model::{Detail, Review, State};
use crate::catalogue::RetentionRule;
use crate::db::schema::{retention_item as t, retention_review as r};
use crate::db::{Conn, Json};
use crate::holds::model::Held;
use crate::kernel::ids::{ResourceId, RetentionReviewId};
use crate::kernel::{Day, Error, Result, Timestamp};
use crate::per_engine;
use crate::vault::{self, Guarded, Keys};

/// Stands in the place of the action where somebody decided to keep the subject until the day beside it.
const KEPT: &str = "keep";

/// Notes that a rule was seen to; false if it was already, and was not put off to a day that has come since.
pub fn see_to(
    tx: &mut Conn,
    subject: ResourceId,
    rule: &RetentionRule,
    due_on: chrono::NaiveDate,
    as_of: chrono::NaiveDate,
    now: Timestamp,
) -> Result<bool> {
    let made = per_engine!(tx, c => diesel::insert_into(t::table)
        .values((
            t::bucket.eq(subject.bucket().number()),
            t::subject_id.eq(subject),
            t::rule.eq(&rule.code),
            t::class.eq(rule.class.as_str()),
            t::action.eq(rule.action.as_str()),
            t::due_on.eq(Day::from_date(due_on).midnight()),
            t::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    if made > 0 {
        return Ok(true);
    }
    let again = diesel::update(
        t::table
            .filter(t::bucket.eq(subject.bucket().number()))
            .filter(t::subject_id.eq(subject))
            .filter(t::rule.eq(&rule.code))
            .filter(t::action.eq(KEPT))
            .filter(t::due_on.le(Day::from_date(as_of).midnight())),
    )
    .set((t::action.eq(rule.action.as_str()), t::created_at.eq(now)))
    .execute(tx)?;
    Ok(again > 0)
}

/// Puts a rule off: it falls due again on a day.
pub fn again(tx: &mut Conn, subject: ResourceId, rule: &str, on: chrono::NaiveDate) -> Result<()> {
    diesel::update(
        t::table.filter(t::bucket.eq(subject.bucket().number())).filter(t::subject_id.eq(subject)).filter(t::rule.eq(rule)),
    )
    .set((t::action.eq(KEPT), t::due_on.eq(Day::from_date(on).midnight())))
    .execute(tx)?;
    Ok(())
}

/// Since when a rule is due: the day to which it was put off, where it was; none if it was seen to.
pub fn due_since(
    conn: &mut Conn,
    subject: ResourceId,
    rule: &str,
    due_on: chrono::NaiveDate,
) -> Result<Option<chrono::NaiveDate>> {
    let found: Option<(String, Timestamp)> = t::table
        .filter(t::bucket.eq(subject.bucket().number()))
        .filter(t::subject_id.eq(subject))
        .filter(t::rule.eq(rule))
        .select((t::action, t::due_on))
        .first(conn)
        .optional()?;
    Ok(match found {
        None => Some(due_on),
        Some((action, on)) if action == KEPT => Some(on.date()),
        Some(_) => None,
    })
}

impl Guarded for Detail {
    const PLACE: &'static str = "retention_review.detail";
    const SECRET: &'static [&'static str] = &["reason", "lift_reason"];
}

type Row = (RetentionReviewId, i64, String, ResourceId, String, String, Json, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (r::id, r::version, r::subject_type, r::subject_id, r::rule, r::state, r::detail, r::created_at, r::updated_at)
}

fn review(row: Row, keys: &Keys) -> Result<Review> {
    let (id, version, kind, subject, rule, state, detail, created_at, updated_at) = row;
    Ok(Review {
        id,
        version,
        subject: Held::of(&kind, subject).ok_or_else(|| Error::internal("kind of what is reviewed"))?,
        rule,
        state: State::parse(&state).ok_or_else(|| Error::internal("state of a review"))?,
        detail: keys.open(subject, id, &detail)?,
        created_at,
        updated_at,
    })
}

/// Inserts a review.
pub fn insert(tx: &mut Conn, new: &Review) -> Result<()> {
    let (bucket, id) = new.id.key();
    let subject = new.subject.subject();
    diesel::insert_into(r::table)
        .values((
            r::bucket.eq(bucket),
            r::id.eq(id),
            r::subject_type.eq(new.subject.kind()),
            r::subject_id.eq(subject),
            r::rule.eq(&new.rule),
            r::state.eq(new.state.as_str()),
            r::detail.eq(vault::seal(tx, subject, id, &new.detail)?),
            r::version.eq(new.version),
            r::created_at.eq(new.created_at),
            r::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A review, whoever asks: that it lies on the caller's desk must be checked before it is shown.
pub fn find(conn: &mut Conn, id: RetentionReviewId) -> Result<Review> {
    let (bucket, id) = id.key();
    let row: Row = r::table.filter(r::bucket.eq(bucket)).filter(r::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.3])?;
    review(row, &keys)
}

fn reviews(conn: &mut Conn, rows: Vec<Row>) -> Result<Vec<Review>> {
    let keys = vault::keys(conn, rows.iter().map(|row| row.3))?;
    rows.into_iter().map(|row| review(row, &keys)).collect()
}

/// Several reviews, in the order of their ids.
pub fn many(conn: &mut Conn, ids: &[RetentionReviewId]) -> Result<Vec<Review>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    let rows: Vec<Row> =
        r::table.filter(r::bucket.eq_any(buckets)).filter(r::id.eq_any(ids.to_vec())).select(columns()).load(conn)?;
    let mut found = reviews(conn, rows)?;
    found.sort_by_key(|review| review.id);
    Ok(found)
}

/// The reviews of a case or a person, oldest first.
pub fn of_subject(conn: &mut Conn, subject: ResourceId) -> Result<Vec<Review>> {
    let rows: Vec<Row> = r::table
        .filter(r::bucket.eq(subject.bucket().number()))
        .filter(r::subject_id.eq(subject))
        .select(columns())
        .order(r::id.asc())
        .limit(1_000)
        .load(conn)?;
    reviews(conn, rows)
}

/// Writes a moved review over the version that it was read at.
pub fn update(tx: &mut Conn, after: &Review, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let detail = match after.state {
        // The key is gone, and with it every word.
        State::Erased => vault::without_secrets(&after.detail)?,
        _ => vault::seal(tx, after.subject.subject(), id, &after.detail)?,
    };
    let moved = diesel::update(r::table.filter(r::bucket.eq(bucket)).filter(r::id.eq(id)).filter(r::version.eq(read_at)))
        .set((
            r::state.eq(after.state.as_str()),
            r::detail.eq(detail),
            r::version.eq(after.version),
            r::updated_at.eq(after.updated_at),
        ))
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}
