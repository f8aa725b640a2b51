//! SQL of the facts: how they are read from the registry, where they are kept, which cases a stretch of the ledger touched.
//!
//! Sealed members of documents are never opened here: what a fact needs lies in clear beside them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use diesel::prelude::*;
use serde::Deserialize;

use super::facts::{AccusedFacts, CareFacts, CaseFacts, ChargeFacts, Share, VictimFacts, steps};
use super::memory::AsOf;
use crate::cases::docket;
use crate::catalogue::Catalogue;
use crate::db::schema::{
    accused, accused_case, case_accused, case_file, case_victim, charge, ledger_head, ledger_leaf, statistics_fact,
    statistics_head, statistics_past, statistics_skipped, victim, victim_case,
};
use crate::db::{Clear, Conn, Json, Keep};
use crate::kernel::ids::{AccusedId, CareProcessId, CaseId, ChargeId, EntryId, Kind, VictimId};
use crate::kernel::{Bucket, Day, Id, Result, Timestamp};
use crate::ledger::tree::{self, LOG, TILE, tile_bucket};
use crate::persons::merges;
use crate::{care, transitions};

impl Clear for CaseFacts {}

/// Name of the head of the facts.
const HEAD: &str = "facts";
/// Most persons or charges of one case.
const MOST: i64 = 1_000;
/// Longest wait before a case that could not be read is tried again, in seconds.
const DAY: i64 = 86_400;
/// Cases of one step of a rebuild.
const STEP: i64 = 200;

/// The clear part of a case's document.
#[derive(Deserialize)]
struct ClearCase {
    report_channel: String,
    facts_from: Option<serde_json::Value>,
    scope: Option<String>,
    #[serde(default)]
    exploitation: Vec<String>,
    complexity: String,
    #[serde(default)]
    chain: ClearChain,
}

#[derive(Default, Deserialize)]
struct ClearChain {
    #[serde(default)]
    continued_in: Option<CaseId>,
}

#[derive(Deserialize)]
struct ClearVictim {
    sex: String,
    age_at_identification: Option<i32>,
    #[serde(default)]
    nationalities: Vec<String>,
    country_of_birth: Option<String>,
}

#[derive(Deserialize)]
struct ClearPart {
    status: String,
    #[serde(default)]
    means: Vec<String>,
    #[serde(default)]
    purposes: Vec<String>,
    recruitment: Option<String>,
}

#[derive(Deserialize)]
struct ClearAccused {
    kind: String,
    sex: String,
    age_band: String,
    #[serde(default)]
    nationalities: Vec<String>,
}

#[derive(Deserialize)]
struct ClearCharge {
    role: String,
    #[serde(default)]
    verdicts: Vec<ClearVerdict>,
    #[serde(default)]
    continued_as: Option<ChargeId>,
}

#[derive(Deserialize)]
struct ClearVerdict {
    outcome: String,
    decided_on: Day,
    imprisonment_months: Option<u32>,
}

type CaseColumns = (String, String, String, String, Timestamp, Timestamp, Option<String>, Json);

/// The facts of a case as the registry has them now; none where there is no such case.
pub fn facts_of(conn: &mut Conn, law: &Catalogue, id: CaseId) -> Result<Option<CaseFacts>> {
    let (bucket, id) = id.key();
    let found: Option<CaseColumns> = case_file::table
        .filter(case_file::bucket.eq(bucket))
        .filter(case_file::id.eq(id))
        .select((
            case_file::owner_agency,
            case_file::jurisdiction,
            case_file::procedural_code,
            case_file::stage,
            case_file::reported_at,
            case_file::created_at,
            case_file::territory,
            case_file::detail,
        ))
        .first(conn)
        .optional()?;
    let Some((owner, jurisdiction, procedure, stage, reported_at, created_at, territory, detail)) = found else {
        return Ok(None);
    };
    let ClearCase { report_channel, facts_from, scope, exploitation, complexity, chain } = detail.read()?;
    let days = law.calendar(&jurisdiction);
    let entered: Vec<(String, NaiveDate)> = transitions::past(conn, id)?.into_iter().map(|p| (p.to, p.on)).collect();
    Ok(Some(CaseFacts {
        steps: steps(&entered),
        reported: days.day(reported_at),
        registered: days.day(created_at),
        elsewhere: chain.continued_in.is_some(),
        owner,
        jurisdiction,
        procedure,
        stage,
        territory,
        scope,
        channel: report_channel,
        complexity,
        exploitation,
        dated: facts_from.is_some_and(|v| !v.is_null()),
        shares: shares(conn, id)?,
        victims: victims(conn, id)?,
        accused: suspects(conn, id)?,
        charges: charges(conn, id)?,
    }))
}

fn shares(conn: &mut Conn, id: CaseId) -> Result<Vec<Share>> {
    let shares = docket::shares(conn, id)?;
    Ok(shares
        .into_iter()
        .map(|(agency, sight)| Share { agency, sections: sight.sections.to_string(), victims: sight.victims })
        .collect())
}

fn victims(conn: &mut Conn, id: CaseId) -> Result<Vec<VictimFacts>> {
    let parts: Vec<(VictimId, Json)> = case_victim::table
        .filter(case_victim::bucket.eq(id.bucket().number()))
        .filter(case_victim::case_id.eq(id))
        .select((case_victim::victim_id, case_victim::detail))
        .order(case_victim::victim_id.asc())
        .limit(MOST)
        .load(conn)?;
    parts
        .into_iter()
        .map(|(person, part)| {
            // Of a record that was merged away, what is known is the survivor's.
            let survivor = merges::survivor(conn, person)?;
            let (bucket, of) = survivor.key();
            let detail: Json = victim::table
                .filter(victim::bucket.eq(bucket))
                .filter(victim::id.eq(of))
                .select(victim::detail)
                .first(conn)?;
            let ClearVictim { sex, age_at_identification, nationalities, country_of_birth } = detail.read()?;
            let ClearPart { status, means, purposes, recruitment } = part.read()?;
            let records = merges::records(conn, survivor)?;
            Ok(VictimFacts {
                id: person,
                person: Some(survivor).filter(|s| *s != person),
                again: places(conn, survivor, cases_of_victim)?.len() > 1,
                sex,
                age_band: crate::victims::age_band(age_at_identification).to_owned(),
                nationalities,
                birth: country_of_birth,
                status,
                recruitment,
                means,
                purposes,
                care: care_of(conn, &records)?,
            })
        })
        .collect()
}

/// How the care of a person went, under every record: where the last process stands, and what any of them reached.
fn care_of(conn: &mut Conn, records: &[VictimId]) -> Result<Option<CareFacts>> {
    let mut all = Vec::new();
    for record in records {
        all.extend(care::store::states(conn, *record)?);
    }
    all.sort();
    let Some((_, _, _, state)) = all.last().cloned() else { return Ok(None) };
    let mut reached = BTreeSet::new();
    for (process, _, _, state) in all {
        for past in transitions::past(conn, process)? {
            reached.extend([past.from, past.to]);
        }
        reached.insert(state);
    }
    Ok(Some(CareFacts { state, reached: reached.into_iter().collect() }))
}

/// The cases of a record and of those that were merged into it, one for each record and case.
fn places<K: Kind>(
    conn: &mut Conn,
    id: Id<K>,
    cases: impl Fn(&mut Conn, Id<K>) -> Result<Vec<CaseId>>,
) -> Result<Vec<CaseId>> {
    let mut all = Vec::new();
    for record in merges::records(conn, id)? {
        all.extend(cases(conn, record)?);
    }
    Ok(all)
}

fn cases_of_victim(conn: &mut Conn, id: VictimId) -> Result<Vec<CaseId>> {
    Ok(victim_case::table
        .filter(victim_case::bucket.eq(id.bucket().number()))
        .filter(victim_case::victim_id.eq(id))
        .select(victim_case::case_id)
        .limit(MOST)
        .load(conn)?)
}

fn cases_of_accused(conn: &mut Conn, id: AccusedId) -> Result<Vec<CaseId>> {
    Ok(accused_case::table
        .filter(accused_case::bucket.eq(id.bucket().number()))
        .filter(accused_case::accused_id.eq(id))
        .select(accused_case::case_id)
        .limit(MOST)
        .load(conn)?)
}

fn suspects(conn: &mut Conn, id: CaseId) -> Result<Vec<AccusedFacts>> {
    let persons: Vec<AccusedId> = case_accused::table
        .filter(case_accused::bucket.eq(id.bucket().number()))
        .filter(case_accused::case_id.eq(id))
        .select(case_accused::accused_id)
        .order(case_accused::accused_id.asc())
        .limit(MOST)
        .load(conn)?;
    persons
        .into_iter()
        .map(|person| {
            let survivor = merges::survivor(conn, person)?;
            let (bucket, of) = survivor.key();
            let detail: Json = accused::table
                .filter(accused::bucket.eq(bucket))
                .filter(accused::id.eq(of))
                .select(accused::detail)
                .first(conn)?;
            let ClearAccused { kind, sex, age_band, nationalities } = detail.read()?;
            let again = places(conn, survivor, cases_of_accused)?.len() > 1;
            let merged = Some(survivor).filter(|s| *s != person);
            Ok(AccusedFacts { id: person, person: merged, again, kind, sex, age_band, nationalities })
        })
        .collect()
}

fn charges(conn: &mut Conn, id: CaseId) -> Result<Vec<ChargeFacts>> {
    let rows: Vec<(AccusedId, String, String, String, Json)> = charge::table
        .filter(charge::bucket.eq(id.bucket().number()))
        .filter(charge::case_id.eq(id))
        .select((charge::accused_id, charge::offence_code, charge::offence_version, charge::state, charge::detail))
        .order(charge::id.asc())
        .limit(MOST)
        .load(conn)?;
    rows.into_iter()
        .map(|(accused, offence, version, state, detail)| {
            let ClearCharge { role, verdicts, continued_as } = detail.read()?;
            let last = verdicts.into_iter().next_back();
            let (outcome, decided, months) = match last {
                Some(v) => (Some(v.outcome), Some(v.decided_on.date()), v.imprisonment_months),
                None => (None, None, None),
            };
            let elsewhere = continued_as.is_some();
            Ok(ChargeFacts { accused, offence, version, state, role, elsewhere, outcome, decided, months })
        })
        .collect()
}

/// Entries that have a position.
pub fn sealed(conn: &mut Conn) -> Result<i64> {
    Ok(ledger_head::table
        .filter(ledger_head::bucket.eq(0))
        .filter(ledger_head::name.eq(LOG))
        .select(ledger_head::size)
        .first(conn)
        .optional()?
        .unwrap_or(0))
}

/// A stretch of the ledger: the cases that its changes touched, and when its last entry was made.
pub struct Stretch {
    /// The cases.
    pub cases: BTreeSet<CaseId>,
    /// The last entry's instant.
    pub at: Option<Timestamp>,
}

/// What the entries at these positions touched.
pub fn stretch(conn: &mut Conn, from: i64, to: i64) -> Result<Stretch> {
    let mut keys: Vec<(i16, EntryId)> = Vec::new();
    let mut at = from;
    while at < to {
        let end = (at / TILE + 1) * TILE;
        let rows: Vec<(i16, EntryId)> = ledger_leaf::table
            .filter(ledger_leaf::bucket.eq(tile_bucket(at)))
            .filter(ledger_leaf::position.ge(at))
            .filter(ledger_leaf::position.lt(end.min(to)))
            .select((ledger_leaf::entry_bucket, ledger_leaf::entry_id))
            .order(ledger_leaf::position.asc())
            .limit(TILE)
            .load(conn)?;
        keys.extend(rows);
        at = end;
    }
    let last = keys.last().map(|(_, id)| *id);
    let mut found = Stretch { cases: BTreeSet::new(), at: None };
    let (mut victims, mut suspects, mut charged) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for entry in tree::records(conn, &keys)? {
        if Some(entry.id) == last {
            found.at = Some(entry.at);
        }
        if entry.action == "read" {
            continue;
        }
        let id = entry.resource_id.uuid();
        match entry.resource_type.as_str() {
            kind if kind == "case" || kind.starts_with("case_") => {
                found.cases.insert(CaseId::from_uuid(id));
            }
            kind if kind.starts_with("victim") => {
                victims.insert(VictimId::from_uuid(id));
            }
            kind if kind.starts_with("accused") => {
                suspects.insert(AccusedId::from_uuid(id));
            }
            "care_process" => {
                victims.extend(care::store::victim(conn, CareProcessId::from_uuid(id))?);
            }
            "charge" => {
                charged.insert(ChargeId::from_uuid(id));
            }
            _ => {}
        }
    }
    // Everywhere that the person stands: whether somebody counts again depends on all of it.
    for id in victims {
        let survivor = merges::survivor(conn, id)?;
        found.cases.extend(places(conn, survivor, cases_of_victim)?);
        found.cases.extend(places(conn, id, cases_of_victim)?);
    }
    for id in suspects {
        let survivor = merges::survivor(conn, id)?;
        found.cases.extend(places(conn, survivor, cases_of_accused)?);
        found.cases.extend(places(conn, id, cases_of_accused)?);
    }
    for id in charged {
        let (bucket, id) = id.key();
        let case: Option<CaseId> = charge::table
            .filter(charge::bucket.eq(bucket))
            .filter(charge::id.eq(id))
            .select(charge::case_id)
            .first(conn)
            .optional()?;
        found.cases.extend(case);
    }
    Ok(found)
}

/// Up to where the facts are complete.
pub fn head(conn: &mut Conn) -> Result<AsOf> {
    let row: Option<(i64, Option<Timestamp>)> = statistics_head::table
        .filter(statistics_head::bucket.eq(0))
        .filter(statistics_head::name.eq(HEAD))
        .select((statistics_head::position, statistics_head::at))
        .first(conn)
        .optional()?;
    let skipped = skipped(conn)?;
    Ok(row.map_or_else(|| AsOf { skipped, ..AsOf::default() }, |(position, at)| AsOf { position, at, skipped }))
}

/// Cases that could not be read.
pub fn skipped(conn: &mut Conn) -> Result<u64> {
    let count: i64 =
        statistics_skipped::table.filter(statistics_skipped::bucket.eq(0)).select(diesel::dsl::count_star()).first(conn)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

/// Of the cases that could not be read, those that are to be tried again now, the longest waiting first.
pub fn owed(conn: &mut Conn, now: Timestamp) -> Result<BTreeSet<CaseId>> {
    let cases: Vec<CaseId> = statistics_skipped::table
        .filter(statistics_skipped::bucket.eq(0))
        .filter(statistics_skipped::retry_at.le(now))
        .select(statistics_skipped::case_id)
        .order((statistics_skipped::retry_at.asc(), statistics_skipped::case_id.asc()))
        .limit(STEP)
        .load(conn)?;
    Ok(cases.into_iter().collect())
}

/// Notes that a case could not be read, and when it is tried again: after a minute, then after twice as long every time, at
/// most after a day. Says whether it is a new one.
pub fn skip(tx: &mut Conn, id: CaseId, now: Timestamp) -> Result<bool> {
    let row = statistics_skipped::table.filter(statistics_skipped::bucket.eq(0)).filter(statistics_skipped::case_id.eq(id));
    let before: Option<i64> = row.select(statistics_skipped::tries).first(tx).optional()?;
    let tries = before.unwrap_or(0) + 1;
    let after = u32::try_from(tries - 1).ok().and_then(|n| 60_i64.checked_shl(n.min(20))).unwrap_or(DAY).min(DAY);
    let retry_at = now.plus_seconds(after);
    if before.is_some() {
        diesel::update(row)
            .set((statistics_skipped::tries.eq(tries), statistics_skipped::retry_at.eq(retry_at)))
            .execute(tx)?;
        return Ok(false);
    }
    diesel::insert_into(statistics_skipped::table)
        .values((
            statistics_skipped::bucket.eq(0),
            statistics_skipped::case_id.eq(id),
            statistics_skipped::since.eq(now),
            statistics_skipped::tries.eq(tries),
            statistics_skipped::retry_at.eq(retry_at),
        ))
        .execute(tx)?;
    Ok(true)
}

/// Notes that a case could be read again.
pub fn readable(tx: &mut Conn, id: CaseId) -> Result<bool> {
    let row = statistics_skipped::table.filter(statistics_skipped::bucket.eq(0)).filter(statistics_skipped::case_id.eq(id));
    Ok(diesel::delete(row).execute(tx)? > 0)
}

/// Moves the head; false where somebody else moved it.
pub fn advance(tx: &mut Conn, from: i64, to: &AsOf) -> Result<bool> {
    let moved = diesel::update(
        statistics_head::table
            .filter(statistics_head::bucket.eq(0))
            .filter(statistics_head::name.eq(HEAD))
            .filter(statistics_head::position.eq(from)),
    )
    .set((statistics_head::position.eq(to.position), statistics_head::at.eq(to.at)))
    .execute(tx)?;
    if moved > 0 || from > 0 {
        return Ok(moved > 0);
    }
    let made = crate::per_engine!(tx, c => diesel::insert_into(statistics_head::table)
        .values((
            statistics_head::bucket.eq(0),
            statistics_head::name.eq(HEAD),
            statistics_head::position.eq(to.position),
            statistics_head::at.eq(to.at),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    Ok(made > 0)
}

/// Writes the facts of a case as of a position; what they were before is kept. Says whether anything changed.
pub fn put(tx: &mut Conn, id: CaseId, position: i64, facts: &CaseFacts) -> Result<bool> {
    let (bucket, id) = id.key();
    let row = statistics_fact::table.filter(statistics_fact::bucket.eq(bucket)).filter(statistics_fact::case_id.eq(id));
    let before: Option<(i64, Json)> =
        row.select((statistics_fact::position, statistics_fact::facts)).first(tx).optional()?;
    let facts_column = Json::of(facts)?;
    let Some((since, old)) = before else {
        diesel::insert_into(statistics_fact::table)
            .values((
                statistics_fact::bucket.eq(bucket),
                statistics_fact::case_id.eq(id),
                statistics_fact::position.eq(position),
                statistics_fact::facts.eq(facts_column),
            ))
            .execute(tx)?;
        return Ok(true);
    };
    // Compared as facts: PostgreSQL keeps the members of a document in an order of its own.
    if old.read::<CaseFacts>()? == *facts {
        return Ok(false);
    }
    // A second change at one position (a rebuild) replaces the first.
    if since < position {
        diesel::insert_into(statistics_past::table)
            .values((
                statistics_past::bucket.eq(bucket),
                statistics_past::case_id.eq(id),
                statistics_past::position.eq(since),
                statistics_past::facts.eq(old),
            ))
            .execute(tx)?;
    }
    diesel::update(row)
        .set((statistics_fact::position.eq(position), statistics_fact::facts.eq(facts_column)))
        .kept()
        .execute(tx)?;
    Ok(true)
}

/// Writes facts of many cases that have none yet, some hundred at a time: for loaders.
pub fn insert_many(tx: &mut Conn, rows: &[(CaseId, CaseFacts)], position: i64) -> Result<()> {
    let values = rows
        .iter()
        .map(|(id, facts)| {
            Ok((
                statistics_fact::bucket.eq(id.bucket().number()),
                statistics_fact::case_id.eq(*id),
                statistics_fact::position.eq(position),
                statistics_fact::facts.eq(Json::of(facts)?),
            ))
        })
        .collect::<Result<Vec<_>>>()?;
    crate::per_engine!(tx, c => diesel::insert_into(statistics_fact::table).values(&values).execute(c)?);
    Ok(())
}

/// The facts of some cases as they are kept.
pub fn kept(conn: &mut Conn, ids: &BTreeSet<CaseId>) -> Result<Vec<(CaseId, CaseFacts)>> {
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        let (bucket, id) = id.key();
        let facts: Option<Json> = statistics_fact::table
            .filter(statistics_fact::bucket.eq(bucket))
            .filter(statistics_fact::case_id.eq(id))
            .select(statistics_fact::facts)
            .first(conn)
            .optional()?;
        if let Some(facts) = facts {
            found.push((id, facts.read()?));
        }
    }
    Ok(found)
}

/// Buckets that are read together, so that an empty registry is not asked 4,096 times.
pub const RANGE: i16 = 64;

/// The facts of the buckets from `first` on, [`RANGE`] of them, as they were at a position, in the order of the cases; the
/// current ones where none is given.
pub fn range(conn: &mut Conn, first: i16, as_of: Option<i64>) -> Result<Vec<(CaseId, CaseFacts)>> {
    let end = first + RANGE;
    let rows: Vec<(CaseId, i64, Json)> = statistics_fact::table
        .filter(statistics_fact::bucket.ge(first))
        .filter(statistics_fact::bucket.lt(end))
        .select((statistics_fact::case_id, statistics_fact::position, statistics_fact::facts))
        .load(conn)?;
    let mut found: BTreeMap<CaseId, CaseFacts> = BTreeMap::new();
    let mut later = false;
    for (id, position, facts) in rows {
        if as_of.is_none_or(|at| position <= at) {
            found.insert(id, facts.read()?);
        } else {
            later = true;
        }
    }
    if let Some(at) = as_of.filter(|_| later) {
        let past: Vec<(CaseId, i64, Json)> = statistics_past::table
            .filter(statistics_past::bucket.ge(first))
            .filter(statistics_past::bucket.lt(end))
            .filter(statistics_past::position.le(at))
            .select((statistics_past::case_id, statistics_past::position, statistics_past::facts))
            .load(conn)?;
        let mut newest: BTreeMap<CaseId, (i64, Json)> = BTreeMap::new();
        for (id, position, facts) in past.into_iter().filter(|(id, ..)| !found.contains_key(id)) {
            let known = newest.entry(id).or_insert_with(|| (position, facts.clone()));
            if position > known.0 {
                *known = (position, facts);
            }
        }
        for (id, (_, facts)) in newest {
            found.insert(id, facts.read()?);
        }
    }
    Ok(found.into_iter().collect())
}

/// Some cases after one, for a rebuild. SQLite keeps cases by id, PostgreSQL by bucket and id: each is read in its own
/// order, and `bucket` counts on PostgreSQL only.
pub fn cases_after(conn: &mut Conn, bucket: Bucket, after: Option<CaseId>) -> Result<Vec<CaseId>> {
    let mut query = case_file::table.select(case_file::id).order(case_file::id.asc()).limit(STEP).into_boxed();
    if matches!(conn, Conn::Postgres(_)) {
        query = query.filter(case_file::bucket.eq(bucket.number()));
    }
    if let Some(after) = after {
        query = query.filter(case_file::id.gt(after));
    }
    Ok(query.load(conn)?)
}
