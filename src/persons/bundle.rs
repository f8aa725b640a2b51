//! An identity with all that decides who may see it, in one statement: the hottest read of a person.
//!
//! Everything here lies in the person's own bucket. It asks nobody whether the caller may know: what it answers is
//! shown only through a case that the caller sees.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, SmallInt};

use super::index::Role;
use crate::db::types::{IdSql, JsonSql, TimeSql};
use crate::db::{Conn, Json, Keep};
use crate::kernel::ids::{CaseId, Kind, ResourceId};
use crate::kernel::{Error, Id, Result, Timestamp};
use crate::per_engine;

/// The stored identity of a record, and where its person stands.
#[derive(Debug)]
pub struct Bundle {
    /// The sealed identity.
    pub content: Json,
    /// Its version.
    pub version: i64,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// The record's own cases, in order.
    pub cases: Vec<CaseId>,
    /// Whether the record has a part in a merge: then cases and identity are found along the ties.
    pub tied: bool,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = JsonSql)]
    content: Json,
    #[diesel(sql_type = BigInt)]
    version: i64,
    #[diesel(sql_type = TimeSql)]
    updated_at: Timestamp,
    #[diesel(sql_type = Nullable<IdSql>)]
    case_id: Option<CaseId>,
    #[diesel(sql_type = Nullable<IdSql>)]
    other_id: Option<ResourceId>,
}

/// A row for each case and merge of the person. Every table is told the bucket, so that one shard answers.
const OF_VICTIM: &str = "SELECT i.content, i.version, i.updated_at, c.case_id, m.other_id FROM victim_identity i \
     LEFT JOIN victim_case c ON c.bucket = $1 AND c.victim_id = $2 \
     LEFT JOIN person_merge m ON m.bucket = $1 AND m.person_id = $2 \
     WHERE i.bucket = $1 AND i.victim_id = $2 LIMIT 1000";
const OF_ACCUSED: &str = "SELECT i.content, i.version, i.updated_at, c.case_id, m.other_id FROM accused_identity i \
     LEFT JOIN accused_case c ON c.bucket = $1 AND c.accused_id = $2 \
     LEFT JOIN person_merge m ON m.bucket = $1 AND m.person_id = $2 \
     WHERE i.bucket = $1 AND i.accused_id = $2 LIMIT 1000";

/// The bundle of a record; `NotFound` where there is none.
pub fn read<K: Kind>(conn: &mut Conn, role: Role, id: Id<K>) -> Result<Bundle> {
    let statement = match role {
        Role::Victim => OF_VICTIM,
        Role::Accused => OF_ACCUSED,
    };
    let (bucket, id) = id.key();
    let rows: Vec<Row> = per_engine!(conn, c => diesel::sql_query(statement)
        .bind::<SmallInt, _>(bucket)
        .bind::<IdSql, _>(id)
        .kept()
        .load(c)?);
    let tied = rows.iter().any(|row| row.other_id.is_some());
    let cases: BTreeSet<CaseId> = rows.iter().filter_map(|row| row.case_id).collect();
    let Row { content, version, updated_at, .. } = rows.into_iter().next().ok_or(Error::NotFound)?;
    Ok(Bundle { content, version, updated_at, cases: cases.into_iter().collect(), tied })
}
