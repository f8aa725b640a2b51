//! SQL of what the retention schedule has seen to: one row per subject and rule.

use diesel::prelude::*;

use crate::catalogue::RetentionRule;
use crate::db::Conn;
use crate::db::schema::retention_item as t;
use crate::kernel::ids::ResourceId;
use crate::kernel::{Day, Result, Timestamp};
use crate::per_engine;

/// Notes that a rule was seen to; false if it was already.
pub fn see_to(
    tx: &mut Conn,
    subject: ResourceId,
    rule: &RetentionRule,
    due_on: chrono::NaiveDate,
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
    Ok(made > 0)
}

/// Whether a rule was seen to.
pub fn seen_to(conn: &mut Conn, subject: ResourceId, rule: &str) -> Result<bool> {
    let found: Option<String> = t::table
        .filter(t::bucket.eq(subject.bucket().number()))
        .filter(t::subject_id.eq(subject))
        .filter(t::rule.eq(rule))
        .select(t::rule)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}
