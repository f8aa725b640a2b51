//! SQL of what imports remember of their cases.

use std::collections::BTreeMap;

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::db::schema::{import_origin as t, unique_claim};
use crate::db::{Clear, Conn, Json, Keep};
use crate::insert_many;
use crate::kernel::ids::{CaseId, ResourceId};
use crate::kernel::{Bucket, Result, Timestamp};

/// What an import said of a case the last time: keyed hashes, which tell nothing but that two lines are the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Of the whole line.
    pub fingerprint: String,
    /// Of its persons and charges.
    pub parts: Parts,
}

/// Persons and charges of a line, by the hash of their label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Parts {
    /// Victims.
    pub victims: BTreeMap<String, Part>,
    /// Accused.
    pub accused: BTreeMap<String, Part>,
    /// Charges, by accused and offence.
    pub charges: BTreeMap<String, Part>,
}

impl Clear for Parts {}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its record.
    pub id: ResourceId,
    /// Hash of what the line said.
    pub print: String,
}

/// What is remembered of a case; none where no import made it.
pub fn find(conn: &mut Conn, case: CaseId) -> Result<Option<Origin>> {
    let (bucket, case) = case.key();
    let row: Option<(String, Json)> = t::table
        .filter(t::bucket.eq(bucket))
        .filter(t::case_id.eq(case))
        .select((t::fingerprint, t::parts))
        .first(conn)
        .optional()?;
    row.map(|(fingerprint, parts)| Ok(Origin { fingerprint, parts: parts.read()? })).transpose()
}

/// The fingerprint of a case, where an import made it.
pub fn fingerprint(conn: &mut Conn, case: CaseId) -> Result<Option<String>> {
    let (bucket, case) = case.key();
    Ok(t::table.filter(t::bucket.eq(bucket)).filter(t::case_id.eq(case)).select(t::fingerprint).first(conn).optional()?)
}

/// Remembers new cases.
pub fn insert(tx: &mut Conn, cases: &[(CaseId, &Origin)], now: Timestamp) -> Result<()> {
    let rows = cases
        .iter()
        .map(|(case, origin)| Ok((*case, origin.fingerprint.as_str(), Json::of(&origin.parts)?)))
        .collect::<Result<Vec<_>>>()?;
    insert_many!(tx, "import_origin", rows, (case, fingerprint, parts) => {
        "bucket" smallint = case.bucket().number(),
        "case_id" uuid = *case,
        "fingerprint" text = *fingerprint,
        "parts" jsonb = parts,
        "updated_at" timestamptz = now,
    });
    Ok(())
}

/// Remembers what a line said this time.
pub fn replace(tx: &mut Conn, case: CaseId, origin: &Origin, now: Timestamp) -> Result<()> {
    let (bucket, key) = case.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::case_id.eq(key)))
        .set((t::fingerprint.eq(&origin.fingerprint), t::parts.eq(Json::of(&origin.parts)?), t::updated_at.eq(now)))
        .kept()
        .execute(tx)?;
    if moved == 0 { insert(tx, &[(case, origin)], now) } else { Ok(()) }
}

/// The holders of these claims, one shard each.
pub fn holders(conn: &mut Conn, claims: &[String]) -> Result<BTreeMap<String, CaseId>> {
    let mut found = BTreeMap::new();
    for claim in claims {
        let holder: Option<CaseId> = unique_claim::table
            .filter(unique_claim::bucket.eq(Bucket::of_text(&[claim.as_str()]).number()))
            .filter(unique_claim::claim.eq(claim))
            .select(unique_claim::owner_id)
            .first(conn)
            .optional()?;
        found.extend(holder.map(|holder| (claim.clone(), holder)));
    }
    Ok(found)
}
