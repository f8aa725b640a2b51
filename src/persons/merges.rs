//! Which records are of one person: one row under each of two records that were found to be the same, and nothing moved.
//!
//! Owns the ties and the walk along them. Must not know who may merge: that is `merging`'s business.
//!
//! A record that was merged away keeps its own row, identity, tokens and places in cases. It is read through the tie:
//! its facts and its identity are those of the survivor, and whoever sees one of the records of a person sees the
//! survivor. To take the tie away therefore brings back exactly what was there.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;

use super::merge_wire::MergedRecord;
use crate::db::schema::person_merge as t;
use crate::db::{Conn, Keep};
use crate::kernel::ids::{Kind, ResourceId};
use crate::kernel::{AgencyCode, Error, Id, Result, Timestamp};
use crate::per_engine;

/// Longest chain of merges that is walked. Each of them was one person's decision; nobody makes so many.
const LONGEST: usize = 32;
/// Most records of one person.
const MOST: i64 = 1_000;

/// One merge that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The record that was merged away.
    pub away: ResourceId,
    /// The record that it was merged into.
    pub into: ResourceId,
    /// Why it is the same person: code list `merge_evidence`.
    pub evidence: Vec<String>,
    /// Version of the survivor's record then.
    pub survivor_version: i64,
    /// Version of the survivor's identity then.
    pub identity_version: i64,
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub agency: AgencyCode,
}

type Row = (ResourceId, ResourceId, bool, String, i64, i64, Timestamp, String);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (t::person_id, t::other_id, t::away, t::evidence, t::survivor_version, t::identity_version, t::at, t::agency_code)
}

fn tie((person, other, away, evidence, survivor_version, identity_version, at, agency): Row) -> Result<Tie> {
    let (away, into) = if away { (person, other) } else { (other, person) };
    Ok(Tie {
        away,
        into,
        evidence: evidence.split(',').map(str::to_owned).collect(),
        survivor_version,
        identity_version,
        at,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in a merge"))?,
    })
}

/// The merges that these records have a part in, on either side.
fn ties(conn: &mut Conn, records: &[ResourceId]) -> Result<Vec<Tie>> {
    let rows: Vec<Row> = match records {
        [] => return Ok(Vec::new()),
        // Nearly everybody was never merged, and is asked for alone: this statement stays prepared.
        [one] => per_engine!(conn, c => t::table
            .filter(t::bucket.eq(one.bucket().number()))
            .filter(t::person_id.eq(*one))
            .select(columns())
            .limit(MOST)
            .kept()
            .load(c)?),
        several => {
            let mut buckets: Vec<i16> = several.iter().map(|id| id.bucket().number()).collect();
            buckets.sort_unstable();
            buckets.dedup();
            t::table
                .filter(t::bucket.eq_any(buckets))
                .filter(t::person_id.eq_any(several.to_vec()))
                .select(columns())
                .limit(MOST)
                .load(conn)?
        }
    };
    rows.into_iter().map(tie).collect()
}

/// The merge by which a record went away, if it did.
pub fn away<K: Kind>(conn: &mut Conn, id: Id<K>) -> Result<Option<Tie>> {
    let id = id.erase();
    Ok(ties(conn, &[id])?.into_iter().find(|tie| tie.away == id))
}

/// The merges into a record that stand, its own only.
pub fn into<K: Kind>(conn: &mut Conn, id: Id<K>) -> Result<Vec<Tie>> {
    let id = id.erase();
    let mut ties: Vec<Tie> = ties(conn, &[id])?.into_iter().filter(|tie| tie.into == id).collect();
    ties.sort_by_key(|tie| (tie.at, tie.away));
    Ok(ties)
}

/// Of these records, those that were merged away, each with the record that stands for the person now.
pub fn survivors<K: Kind>(conn: &mut Conn, ids: &[Id<K>]) -> Result<BTreeMap<Id<K>, Id<K>>> {
    let mut up: BTreeMap<ResourceId, ResourceId> = BTreeMap::new();
    let mut asked: Vec<ResourceId> = ids.iter().map(|id| id.erase()).collect();
    for _ in 0..LONGEST {
        asked.sort_unstable();
        asked.dedup();
        let found = ties(conn, &asked)?;
        let found: Vec<(ResourceId, ResourceId)> =
            found.into_iter().filter(|tie| asked.contains(&tie.away)).map(|tie| (tie.away, tie.into)).collect();
        asked = found.iter().map(|(_, into)| *into).filter(|into| !up.contains_key(into)).collect();
        up.extend(found);
        if asked.is_empty() {
            break;
        }
    }
    let last = |id: ResourceId| std::iter::successors(Some(id), |at| up.get(at).copied()).take(LONGEST).last();
    let typed = |id: ResourceId| Id::<K>::from_uuid(id.uuid());
    Ok(ids.iter().filter_map(|id| Some((*id, typed(last(id.erase())?)))).filter(|(id, survivor)| id != survivor).collect())
}

/// Of the records that something names, of whatever kind, those that were merged away, each with the one that stands for
/// the person now.
pub fn redirected(conn: &mut Conn, named: impl IntoIterator<Item = ResourceId>) -> Result<Vec<MergedRecord>> {
    let mut named: Vec<ResourceId> = named.into_iter().collect();
    named.sort_unstable();
    named.dedup();
    if named.is_empty() {
        return Ok(Vec::new());
    }
    let survivors = survivors(conn, &named)?;
    Ok(survivors.into_iter().map(|(record_id, merged_into)| MergedRecord { record_id, merged_into }).collect())
}

/// The record under which somebody is in a case, where a request names another record of the same person: the survivor, or
/// one that was merged like it. Whoever is in the case under the record named stays as named, and so does a stranger.
pub fn placed<K: Kind>(conn: &mut Conn, named: Id<K>, in_case: &[Id<K>]) -> Result<Id<K>> {
    if in_case.contains(&named) {
        return Ok(named);
    }
    let person = survivor(conn, named)?;
    let survivors = survivors(conn, in_case)?;
    let same = |record: &&Id<K>| survivors.get(record).unwrap_or(record) == &person;
    Ok(in_case.iter().find(same).copied().unwrap_or(named))
}

/// The record that stands for a person now: the one asked for, unless it was merged away.
pub fn survivor<K: Kind>(conn: &mut Conn, id: Id<K>) -> Result<Id<K>> {
    Ok(survivors(conn, &[id])?.remove(&id).unwrap_or(id))
}

/// Records of the same person, each with the one of `ids` that it stands under: every one itself, and those that were
/// merged into it.
pub fn below<K: Kind>(conn: &mut Conn, ids: &[Id<K>]) -> Result<Vec<(Id<K>, Id<K>)>> {
    let mut all: Vec<(ResourceId, ResourceId)> = ids.iter().map(|id| (id.erase(), id.erase())).collect();
    let mut level = all.clone();
    for _ in 0..LONGEST {
        let asked: Vec<ResourceId> = level.iter().map(|(record, _)| *record).collect();
        let known: BTreeSet<(ResourceId, ResourceId)> = all.iter().copied().collect();
        let mut next = Vec::new();
        for tie in ties(conn, &asked)? {
            for (_, top) in level.iter().filter(|(record, _)| *record == tie.into) {
                if !known.contains(&(tie.away, *top)) {
                    next.push((tie.away, *top));
                }
            }
        }
        next.sort_unstable();
        next.dedup();
        if next.is_empty() {
            break;
        }
        all.extend(&next);
        level = next;
    }
    let typed = |id: ResourceId| Id::<K>::from_uuid(id.uuid());
    Ok(all.into_iter().map(|(record, top)| (typed(record), typed(top))).collect())
}

/// A record and those that were merged into it, itself first.
pub fn records<K: Kind>(conn: &mut Conn, id: Id<K>) -> Result<Vec<Id<K>>> {
    Ok(below(conn, &[id])?.into_iter().map(|(record, _)| record).collect())
}

/// One record of a person, and the others beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole<K: Kind> {
    /// The record itself, and those that were merged into it: whoever sees one of them sees it.
    pub records: Vec<Id<K>>,
    /// The record that stands for the person now.
    pub survivor: Id<K>,
}

/// What there is beside a record.
pub fn whole<K: Kind>(conn: &mut Conn, id: Id<K>) -> Result<Whole<K>> {
    if ties(conn, &[id.erase()])?.is_empty() {
        return Ok(Whole { records: vec![id], survivor: id });
    }
    Ok(Whole { records: records(conn, id)?, survivor: survivor(conn, id)? })
}

/// Ties two records, under both.
pub fn insert(tx: &mut Conn, tie: &Tie) -> Result<()> {
    let Tie { away, into, evidence, survivor_version, identity_version, at, agency } = tie;
    let mut sides = [(*away, *into, true), (*into, *away, false)];
    // In the order of the buckets, as every transaction that writes to several.
    sides.sort_by_key(|(person, ..)| (person.bucket(), *person));
    for (person, other, away) in sides {
        diesel::insert_into(t::table)
            .values((
                t::bucket.eq(person.bucket().number()),
                t::person_id.eq(person),
                t::other_id.eq(other),
                t::away.eq(away),
                t::evidence.eq(evidence.join(",")),
                t::survivor_version.eq(survivor_version),
                t::identity_version.eq(identity_version),
                t::at.eq(at),
                t::agency_code.eq(agency.as_str()),
            ))
            .execute(tx)?;
    }
    Ok(())
}

/// Takes a tie away, under both.
pub fn delete(tx: &mut Conn, away: ResourceId, into: ResourceId) -> Result<()> {
    let mut sides = [(away, into), (into, away)];
    sides.sort_by_key(|(person, _)| (person.bucket(), *person));
    for (person, other) in sides {
        diesel::delete(
            t::table
                .filter(t::bucket.eq(person.bucket().number()))
                .filter(t::person_id.eq(person))
                .filter(t::other_id.eq(other)),
        )
        .execute(tx)?;
    }
    Ok(())
}

/// Counts a move of a survivor's own record: it changed its version, and nothing that is known of the person.
pub fn count_move<K: Kind>(tx: &mut Conn, survivor: Id<K>) -> Result<()> {
    for tie in into(tx, survivor)? {
        let mut sides = [(tie.away, tie.into), (tie.into, tie.away)];
        sides.sort_by_key(|(person, _)| (person.bucket(), *person));
        for (person, other) in sides {
            diesel::update(
                t::table
                    .filter(t::bucket.eq(person.bucket().number()))
                    .filter(t::person_id.eq(person))
                    .filter(t::other_id.eq(other)),
            )
            .set(t::survivor_version.eq(tie.survivor_version + 1))
            .execute(tx)?;
        }
    }
    Ok(())
}
