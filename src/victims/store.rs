//! SQL of the victims.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::model::{CaseVictim, Part, PreparedVictim, Survivor, Victim, VictimDetail};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::{Section, Sight, docket};
use crate::db::schema::{case_victim, victim as t, victim_case, victim_identity};
use crate::db::{Clear, Conn, Json, Keep};
use crate::kernel::ids::{self, CaseId, ResourceId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Bucket, Error, Result, Timestamp};
use crate::ledger::{Action, Entry};
use crate::persons::bundle::{self, Bundle};
use crate::persons::index::{Subject, Token};
use crate::persons::merges::{self, Whole};
use crate::persons::merging::{Record, Standing};
use crate::persons::{Identity, IndexKey, Role, store as index};
use crate::vault::{self, Guarded, Keys, Mint};
use crate::{assistance, insert_many, per_engine, reunifications};

type Row = (VictimId, i64, String, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (t::id, t::version, t::code, t::detail, t::created_at, t::created_by_agency, t::updated_at)
}

impl Guarded for VictimDetail {
    const PLACE: &'static str = "victim.detail";
    const SECRET: &'static [&'static str] = &["indigenous_people"];
}

impl Clear for Part {}

fn victim(row: Row, keys: &Keys) -> Result<Victim> {
    let (id, version, code, detail, created_at, agency, updated_at) = row;
    Ok(Victim {
        id,
        version,
        code,
        detail: keys.open(id, id, &detail)?,
        created_at,
        created_by_agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in victim"))?,
        updated_at,
        merged_into: None,
    })
}

/// A record that was merged away, with what is known of the person now.
fn standing_for(record: Victim, survivor: &Victim) -> Victim {
    let Victim { id, version, .. } = *survivor;
    Victim { detail: survivor.detail.clone(), merged_into: Some(Survivor { id, version }), ..record }
}

fn own_row(conn: &mut Conn, id: VictimId) -> Result<Victim> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    victim(row, &vault::keys(conn, [id])?)
}

fn shown(conn: &mut Conn, id: VictimId, survivor: VictimId) -> Result<Victim> {
    let record = own_row(conn, id)?;
    if survivor == id { Ok(record) } else { Ok(standing_for(record, &own_row(conn, survivor)?)) }
}

/// A new victim as stored: sealed, and the tokens that she or he is found by.
#[derive(Clone, Debug)]
pub struct SealedVictim {
    detail: Json,
    identity: Json,
    tokens: BTreeSet<Token>,
}

/// Seals new victims under keys of their own.
pub fn seal(prepared: &[PreparedVictim], mint: &mut Mint<'_>, key: &IndexKey) -> Result<Vec<SealedVictim>> {
    let one = |PreparedVictim { victim, identity, .. }: &PreparedVictim| {
        Ok(SealedVictim {
            detail: mint.seal(victim.id, victim.id, &victim.detail)?,
            identity: mint.seal(victim.id, victim.id, identity)?,
            tokens: key.tokens(Role::Victim, &Subject::of(identity)),
        })
    };
    prepared.iter().map(one).collect()
}

/// Inserts victims, their parts in the case and their identities; answers the ledger entries.
pub fn insert(tx: &mut Conn, act: &Act, case: CaseId, prepared: &[PreparedVictim]) -> Result<Vec<Entry>> {
    let vault = vault::current()?;
    let mut mint = Mint::new(&vault);
    let sealed = seal(prepared, &mut mint, &act.index)?;
    vault::put(tx, &mint.keys().iter().collect::<Vec<_>>())?;
    put(tx, act, &prepared.iter().zip(&sealed).map(|(new, sealed)| (case, new, sealed)).collect::<Vec<_>>())
}

/// Inserts victims of cases whose keys are stored; answers the ledger entries.
pub fn put(tx: &mut Conn, act: &Act, rows: &[(CaseId, &PreparedVictim, &SealedVictim)]) -> Result<Vec<Entry>> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a victim without a client"))?;
    let parts = rows.iter().map(|(_, new, _)| Json::of(&new.part)).collect::<Result<Vec<_>>>()?;
    insert_many!(tx, "victim", rows, (_, new, sealed) => {
        "bucket" smallint = new.id.bucket().number(),
        "id" uuid = new.id,
        "code" text = new.victim.code.as_str(),
        "detail" jsonb = &sealed.detail,
        "version" bigint = new.victim.version,
        "created_at" timestamptz = new.victim.created_at,
        "created_by_agency" text = new.victim.created_by_agency.as_str(),
        "created_by_client" uuid = client,
        "updated_at" timestamptz = new.victim.updated_at,
    });
    insert_many!(tx, "victim_identity", rows, (_, new, sealed) => {
        "bucket" smallint = new.id.bucket().number(),
        "victim_id" uuid = new.id,
        "content" jsonb = &sealed.identity,
        "version" bigint = 1_i64,
        "updated_at" timestamptz = act.now,
    });
    insert_many!(tx, "victim_case", rows, (case, new, _) => {
        "bucket" smallint = new.id.bucket().number(),
        "victim_id" uuid = new.id,
        "case_id" uuid = *case,
    });
    let ties: Vec<(&CaseId, VictimId, &Json)> =
        rows.iter().zip(&parts).map(|((case, new, _), part)| (case, new.id, part)).collect();
    insert_many!(tx, "case_victim", ties, (case, victim, part) => {
        "bucket" smallint = case.bucket().number(),
        "case_id" uuid = **case,
        "victim_id" uuid = *victim,
        "detail" jsonb = *part,
        "version" bigint = 1_i64,
        "created_at" timestamptz = act.now,
        "created_by_agency" text = act.agency().as_str(),
        "created_by_client" uuid = client,
        "updated_at" timestamptz = act.now,
    });
    index::add(tx, &rows.iter().map(|(_, new, sealed)| (new.id.erase(), &sealed.tokens)).collect::<Vec<_>>())?;
    Ok(rows.iter().map(|(_, new, _)| Entry::new(Action::Created, new.id, Some(1))).collect())
}

/// The victims of a case.
pub fn in_case(conn: &mut Conn, case: CaseId) -> Result<Vec<VictimId>> {
    Ok(case_victim::table
        .filter(case_victim::bucket.eq(case.bucket().number()))
        .filter(case_victim::case_id.eq(case))
        .select(case_victim::victim_id)
        .limit(1_000)
        .load(conn)?)
}

/// The victims of the case of whom an element of trafficking is not known yet.
pub fn unclear(conn: &mut Conn, case: CaseId) -> Result<Vec<VictimId>> {
    let parts: Vec<(VictimId, Json)> = case_victim::table
        .filter(case_victim::bucket.eq(case.bucket().number()))
        .filter(case_victim::case_id.eq(case))
        .select((case_victim::victim_id, case_victim::detail))
        .limit(1_000)
        .load(conn)?;
    let mut found = Vec::new();
    for (id, detail) in parts {
        let part: Part = detail.read()?;
        // The person is asked for only where the answer rests on the age.
        if part.elements_known(false) || part.elements_known(true) && one(conn, id)?.detail.minor() {
            continue;
        }
        found.push(id);
    }
    Ok(found)
}

/// Whether a victim of the case is a minor, or may be.
pub fn any_minor(conn: &mut Conn, case: CaseId) -> Result<bool> {
    for id in in_case(conn, case)? {
        if one(conn, id)?.detail.minor() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The cases of some records, each with the record under which the person stands there.
fn places(conn: &mut Conn, records: &[VictimId]) -> Result<Vec<(VictimId, CaseId)>> {
    if let [one] = records {
        return Ok(own_cases(conn, *one)?.into_iter().map(|case| (*one, case)).collect());
    }
    let buckets: Vec<i16> = records.iter().map(|id| id.bucket().number()).collect();
    Ok(victim_case::table
        .filter(victim_case::bucket.eq_any(buckets))
        .filter(victim_case::victim_id.eq_any(records.to_vec()))
        .select((victim_case::victim_id, victim_case::case_id))
        .limit(1_000)
        .load(conn)?)
}

/// How the caller sees a person: through the first of the cases of its records that shows the section.
fn through_records(conn: &mut Conn, scope: &Scope, records: &[VictimId], section: Section) -> Result<Sight> {
    let places = places(conn, records)?;
    through_places(conn, scope, &places, section)
}

/// The same, where it is known in which cases they stand.
fn through_places(conn: &mut Conn, scope: &Scope, places: &[(VictimId, CaseId)], section: Section) -> Result<Sight> {
    let mut cases: Vec<CaseId> = places.iter().map(|(_, case)| *case).collect();
    cases.sort();
    cases.dedup();
    if cases.is_empty() {
        return Err(Error::NotFound);
    }
    let sights = docket::sights(conn, scope, &cases)?;
    let shows = |record: VictimId, sight: &Sight| match section {
        Section::VictimIdentity => sight.sees_identity(record),
        _ => sight.sees_victim(record) && sight.sees(section),
    };
    // A case names the person by the record that stands in it.
    let mut seen: Vec<&Sight> = sights
        .iter()
        .filter(|(case, sight)| places.iter().any(|(record, c)| c == case && shows(*record, sight)))
        .map(|(_, sight)| sight)
        .collect();
    // An own case first: it is the one through which a write is allowed.
    seen.sort_by_key(|sight| sight.must_own().is_err());
    seen.first().map(|sight| (*sight).clone()).ok_or(Error::NotFound)
}

/// How the caller sees a person, through any of the records that were merged into this one.
pub fn through(conn: &mut Conn, scope: &Scope, id: VictimId, section: Section) -> Result<Sight> {
    let records = merges::records(conn, id)?;
    through_records(conn, scope, &records, section)
}

/// A victim whom the caller may see.
pub fn find(conn: &mut Conn, scope: &Scope, id: VictimId) -> Result<(Victim, Sight)> {
    let Whole { records, survivor } = merges::whole(conn, id)?;
    let sight = through_records(conn, scope, &records, Section::Victims)?;
    Ok((shown(conn, id, survivor)?, sight))
}

impl Record for ids::Victim {
    const MERGE: &'static str = "victim_merge";

    fn standing(conn: &mut Conn, scope: &Scope, id: VictimId) -> Result<Standing> {
        let records = merges::records(conn, id)?;
        let sight = through_records(conn, scope, &records, Section::Victims)?;
        let (bucket, id) = id.key();
        let (code, version): (String, i64) =
            t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select((t::code, t::version)).first(conn)?;
        let identity_version: i64 = victim_identity::table
            .filter(victim_identity::bucket.eq(bucket))
            .filter(victim_identity::victim_id.eq(id))
            .select(victim_identity::version)
            .first(conn)?;
        Ok(Standing { code, version, identity_version, kind: None, sight })
    }

    fn hold(tx: &mut Conn, id: VictimId) -> Result<()> {
        let (bucket, id) = id.key();
        // SQLite has one writer; its transactions need no row lock.
        if let Conn::Postgres(c) = tx {
            t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(t::version).for_update().first::<i64>(c)?;
        }
        Ok(())
    }

    fn carry(tx: &mut Conn, id: VictimId) -> Result<()> {
        for record in merges::records(tx, id)? {
            assistance::store::resettle(tx, record)?;
            reunifications::store::resettle(tx, record)?;
        }
        Ok(())
    }

    fn touch(tx: &mut Conn, id: VictimId, read_at: i64, now: Timestamp) -> Result<()> {
        let (bucket, id) = id.key();
        let this = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at));
        let moved = diesel::update(this).set((t::version.eq(read_at + 1), t::updated_at.eq(now))).execute(tx)?;
        if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
    }
}

/// Of these persons, those whose identity the caller may see through some case, with their references.
pub fn seen(conn: &mut Conn, scope: &Scope, ids: &[VictimId]) -> Result<Vec<(VictimId, String)>> {
    let buckets = |ids: &[VictimId]| ids.iter().map(|id| id.bucket().number()).collect::<Vec<i16>>();
    let records = merges::below(conn, ids)?;
    let all: Vec<VictimId> = records.iter().map(|(record, _)| *record).collect();
    let places = places(conn, &all)?;
    let cases: Vec<CaseId> = places.iter().map(|(_, case)| *case).collect();
    let sights = docket::sights(conn, scope, &cases)?;
    let shows = |id: VictimId, case: CaseId| sights.iter().any(|(c, sight)| *c == case && sight.sees_identity(id));
    let shown: Vec<VictimId> = places.into_iter().filter(|(id, case)| shows(*id, *case)).map(|(id, _)| id).collect();
    let mut seen: Vec<VictimId> =
        records.into_iter().filter(|(record, _)| shown.contains(record)).map(|(_, person)| person).collect();
    seen.sort();
    seen.dedup();
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    Ok(t::table.filter(t::bucket.eq_any(buckets(&seen))).filter(t::id.eq_any(seen)).select((t::id, t::code)).load(conn)?)
}

/// A victim, whoever asks: the caller's sight must be checked before it is shown.
pub fn one(conn: &mut Conn, id: VictimId) -> Result<Victim> {
    let survivor = merges::survivor(conn, id)?;
    shown(conn, id, survivor)
}

/// The record that stands for a person, with the record named held to the end of the transaction: what counts persons is
/// not written while it is merged.
pub fn counted_as(tx: &mut Conn, id: VictimId) -> Result<VictimId> {
    let (bucket, id) = id.key();
    // SQLite has one writer; its transactions need no row lock.
    if let Conn::Postgres(c) = tx {
        t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(t::version).for_share().first::<i64>(c)?;
    }
    merges::survivor(tx, id)
}

/// Whether two records are of one person.
pub fn same_person(conn: &mut Conn, one: VictimId, other: VictimId) -> Result<bool> {
    Ok(one == other || merges::survivor(conn, one)? == merges::survivor(conn, other)?)
}

/// Writes a changed victim over the version that it was read at.
pub fn update(tx: &mut Conn, victim: &Victim, read_at: i64) -> Result<()> {
    let (bucket, id) = victim.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::detail.eq(vault::seal(tx, id, id, &victim.detail)?),
            t::version.eq(victim.version),
            t::updated_at.eq(victim.updated_at),
        ))
        .kept()
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// Ends the presumption that a victim is a minor, by decision of a review; answers the ledger entries, none where nobody
/// presumed it any more.
pub fn come_of_age(tx: &mut Conn, id: VictimId, now: Timestamp) -> Result<Vec<Entry>> {
    let mut victim = one(tx, id)?;
    victim.must_stand()?;
    if !victim.detail.minor() {
        return Ok(Vec::new());
    }
    let read_at = victim.version;
    victim.detail.of_age_since = Some(now);
    victim.version += 1;
    victim.updated_at = now;
    update(tx, &victim, read_at)?;
    let changed = vec!["#/minor".to_owned(), "#/of_age_since".to_owned()];
    Ok(vec![Entry::new(Action::Updated, id, Some(victim.version)).changed(changed)])
}

/// Who somebody is, as it stands.
#[derive(Debug)]
pub struct Named {
    /// Under which record: the survivor's, where the one asked for was merged away.
    pub of: VictimId,
    /// Who it is.
    pub identity: Identity,
    /// Its version.
    pub version: i64,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How the caller sees it.
    pub sight: Sight,
}

/// An identity that the caller may see.
pub fn find_identity(conn: &mut Conn, scope: &Scope, id: VictimId) -> Result<Named> {
    let Bundle { content, version, updated_at, cases, tied } = bundle::read(conn, Role::Victim, id)?;
    if !tied {
        let places: Vec<(VictimId, CaseId)> = cases.into_iter().map(|case| (id, case)).collect();
        let sight = through_places(conn, scope, &places, Section::VictimIdentity)?;
        return Ok(Named { of: id, identity: vault::open(conn, id, id, &content)?, version, updated_at, sight });
    }
    let Whole { records, survivor } = merges::whole(conn, id)?;
    let sight = through_records(conn, scope, &records, Section::VictimIdentity)?;
    let (bucket, of) = survivor.key();
    let (content, version, updated_at): (Json, i64, Timestamp) = victim_identity::table
        .filter(victim_identity::bucket.eq(bucket))
        .filter(victim_identity::victim_id.eq(of))
        .select((victim_identity::content, victim_identity::version, victim_identity::updated_at))
        .first(conn)?;
    Ok(Named { of, identity: vault::open(conn, of, of, &content)?, version, updated_at, sight })
}

/// Writes a changed identity over the version that it was read at.
pub fn update_identity(tx: &mut Conn, id: VictimId, identity: &Identity, read_at: i64, act: &Act) -> Result<()> {
    let (bucket, id) = id.key();
    let moved = diesel::update(
        victim_identity::table
            .filter(victim_identity::bucket.eq(bucket))
            .filter(victim_identity::victim_id.eq(id))
            .filter(victim_identity::version.eq(read_at)),
    )
    .set((
        victim_identity::content.eq(vault::seal(tx, id, id, identity)?),
        victim_identity::version.eq(read_at + 1),
        victim_identity::updated_at.eq(act.now),
    ))
    .kept()
    .execute(tx)?;
    if moved == 0 {
        return Err(Error::PreconditionFailed { current_version: read_at + 1 });
    }
    index::change(tx, &act.index, Role::Victim, id, identity)
}

type PartRow = (VictimId, Json, i64, Timestamp);

/// One page of a case's victims, those only whom the sight shows.
pub fn list(conn: &mut Conn, sight: &Sight, case: CaseId, after: Option<&After>, limit: Limit) -> Result<Page<CaseVictim>> {
    let mut query = case_victim::table
        .filter(case_victim::bucket.eq(case.bucket().number()))
        .filter(case_victim::case_id.eq(case))
        .select((case_victim::victim_id, case_victim::detail, case_victim::version, case_victim::updated_at))
        .order(case_victim::victim_id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(only) = &sight.victims {
        query = query.filter(case_victim::victim_id.eq_any(only.clone()));
    }
    if let Some(after) = after {
        query = query.filter(case_victim::victim_id.gt(VictimId::from_uuid(after.id)));
    }
    let rows: Vec<PartRow> = query.load(conn)?;
    let page = Page::cut(rows, limit, |(id, ..)| After { key: String::new(), id: id.uuid() });
    let mut ids: Vec<VictimId> = page.items.iter().map(|(id, ..)| *id).collect();
    let survivors = merges::survivors(conn, &ids)?;
    ids.extend(survivors.values());
    let buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    let persons: Vec<Row> = if ids.is_empty() {
        Vec::new()
    } else {
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(ids)).select(columns()).load(conn)?
    };
    let keys = vault::keys(conn, persons.iter().map(|row| row.0))?;
    let persons = persons.into_iter().map(|row| victim(row, &keys)).collect::<Result<Vec<Victim>>>()?;
    let Page { items, next } = page;
    let items = items
        .into_iter()
        .filter_map(|(id, detail, version, updated_at)| {
            let person = |id: VictimId| persons.iter().find(|p| p.id == id);
            let record = person(id)?.clone();
            let victim = match survivors.get(&id) {
                None => record,
                Some(survivor) => standing_for(record, person(*survivor)?),
            };
            Some(detail.read::<Part>().map(|part| CaseVictim { case, victim, part, version, updated_at }))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Page { items, next })
}

/// One victim of a case.
pub fn find_part(conn: &mut Conn, case: CaseId, id: VictimId) -> Result<CaseVictim> {
    let (detail, version, updated_at): (Json, i64, Timestamp) = case_victim::table
        .filter(case_victim::bucket.eq(case.bucket().number()))
        .filter(case_victim::case_id.eq(case))
        .filter(case_victim::victim_id.eq(id))
        .select((case_victim::detail, case_victim::version, case_victim::updated_at))
        .first(conn)?;
    Ok(CaseVictim { case, victim: one(conn, id)?, part: detail.read()?, version, updated_at })
}

/// How a person stands in her or his cases, under each of these records.
pub fn statuses(conn: &mut Conn, records: &[VictimId]) -> Result<Vec<String>> {
    let mut statuses = Vec::new();
    for (record, case) in places(conn, records)? {
        let detail: Json = case_victim::table
            .filter(case_victim::bucket.eq(case.bucket().number()))
            .filter(case_victim::case_id.eq(case))
            .filter(case_victim::victim_id.eq(record))
            .select(case_victim::detail)
            .first(conn)?;
        statuses.push(detail.read::<Part>()?.status);
    }
    Ok(statuses)
}

/// Writes a changed part over the version that it was read at.
pub fn update_part(tx: &mut Conn, part: &CaseVictim, read_at: i64) -> Result<()> {
    let moved = diesel::update(
        case_victim::table
            .filter(case_victim::bucket.eq(part.case.bucket().number()))
            .filter(case_victim::case_id.eq(part.case))
            .filter(case_victim::victim_id.eq(part.victim.id))
            .filter(case_victim::version.eq(read_at)),
    )
    .set((
        case_victim::detail.eq(Json::of(&part.part)?),
        case_victim::version.eq(part.version),
        case_victim::updated_at.eq(part.updated_at),
    ))
    .kept()
    .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// Ties the persons of a case to the one in which it goes on, each with its part there: all of them, or some.
pub fn carry(tx: &mut Conn, act: &Act, from: CaseId, to: CaseId, only: Option<&[VictimId]>) -> Result<Vec<Entry>> {
    let client = act.actor.client.ok_or_else(|| Error::internal("persons carried without a client"))?;
    let parts: Vec<(VictimId, Json)> = case_victim::table
        .filter(case_victim::bucket.eq(from.bucket().number()))
        .filter(case_victim::case_id.eq(from))
        .select((case_victim::victim_id, case_victim::detail))
        .limit(1_000)
        .load(tx)?;
    let mut entries = Vec::new();
    for (id, part) in parts.into_iter().filter(|(id, _)| only.is_none_or(|some| some.contains(id))) {
        per_engine!(tx, c => diesel::insert_into(case_victim::table)
            .values((
                case_victim::bucket.eq(to.bucket().number()),
                case_victim::case_id.eq(to),
                case_victim::victim_id.eq(id),
                case_victim::detail.eq(&part),
                case_victim::version.eq(1),
                case_victim::created_at.eq(act.now),
                case_victim::created_by_agency.eq(act.agency().as_str()),
                case_victim::created_by_client.eq(client),
                case_victim::updated_at.eq(act.now),
            ))
            .on_conflict_do_nothing()
            .execute(c)?);
        per_engine!(tx, c => diesel::insert_into(victim_case::table)
            .values((victim_case::bucket.eq(id.bucket().number()), victim_case::victim_id.eq(id), victim_case::case_id.eq(to)))
            .on_conflict_do_nothing()
            .execute(c)?);
        entries.push(Entry::new(Action::Linked, id, None));
    }
    Ok(entries)
}

fn own_cases(conn: &mut Conn, id: VictimId) -> Result<Vec<CaseId>> {
    Ok(victim_case::table
        .filter(victim_case::bucket.eq(id.bucket().number()))
        .filter(victim_case::victim_id.eq(id))
        .select(victim_case::case_id)
        .limit(1_000)
        .load(conn)?)
}

/// The cases of a person, those of the records that were merged into this one included.
pub fn cases_of(conn: &mut Conn, id: VictimId) -> Result<Vec<CaseId>> {
    let records = merges::records(conn, id)?;
    let mut cases: Vec<CaseId> = places(conn, &records)?.into_iter().map(|(_, case)| case).collect();
    cases.sort();
    cases.dedup();
    Ok(cases)
}

/// Takes what was sealed out of a person's record and identity; answers the record's version after it. The key is the
/// vault's to destroy.
pub fn erase(tx: &mut Conn, id: VictimId, now: Timestamp) -> Result<i64> {
    let (bucket, id) = id.key();
    let (detail, version): (Json, i64) =
        t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select((t::detail, t::version)).first(tx)?;
    diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)))
        .set((t::detail.eq(vault::strip(&detail)?), t::version.eq(version + 1), t::updated_at.eq(now)))
        .execute(tx)?;
    let content: Json = victim_identity::table
        .filter(victim_identity::bucket.eq(bucket))
        .filter(victim_identity::victim_id.eq(id))
        .select(victim_identity::content)
        .first(tx)?;
    diesel::update(
        victim_identity::table.filter(victim_identity::bucket.eq(bucket)).filter(victim_identity::victim_id.eq(id)),
    )
    .set((
        victim_identity::content.eq(vault::strip(&content)?),
        victim_identity::version.eq(victim_identity::version + 1),
        victim_identity::updated_at.eq(now),
    ))
    .execute(tx)?;
    Ok(version + 1)
}

/// Ids of persons after `after`, in order: of one bucket on PostgreSQL, of all of them on SQLite, whose key is the id alone.
pub fn page(conn: &mut Conn, bucket: Bucket, after: Option<ResourceId>, limit: i64) -> Result<Vec<ResourceId>> {
    let mut query = victim_identity::table
        .select(victim_identity::victim_id)
        .order(victim_identity::victim_id.asc())
        .limit(limit)
        .into_boxed();
    if matches!(conn, Conn::Postgres(_)) {
        query = query.filter(victim_identity::bucket.eq(bucket.number()));
    }
    if let Some(after) = after {
        query = query.filter(victim_identity::victim_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Who a record says that the person is, whoever asks and whatever was merged; held to the end of the transaction.
pub fn held_identity(tx: &mut Conn, id: VictimId) -> Result<Identity> {
    let (bucket, id) = id.key();
    // SQLite has one writer; its transactions need no row lock.
    if let Conn::Postgres(c) = tx {
        victim_identity::table
            .filter(victim_identity::bucket.eq(bucket))
            .filter(victim_identity::victim_id.eq(id))
            .select(victim_identity::version)
            .for_share()
            .first::<i64>(c)?;
    }
    own_identity(tx, id)
}

/// The same of several records, not held, but for those who were erased.
pub fn own_identities(conn: &mut Conn, ids: &[VictimId]) -> Result<Vec<(VictimId, Identity)>> {
    let mut buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<(VictimId, Json)> = per_engine!(conn, c => victim_identity::table
        .filter(victim_identity::bucket.eq_any(buckets))
        .filter(victim_identity::victim_id.eq_any(ids.to_vec()))
        .select((victim_identity::victim_id, victim_identity::content))
        .load(c)?);
    let keys = vault::keys(conn, rows.iter().map(|(id, _)| *id))?;
    let opened = rows.into_iter().map(|(id, content)| match keys.open(id, id, &content) {
        Ok(identity) => Ok(Some((id, identity))),
        Err(Error::Erased) => Ok(None),
        Err(other) => Err(other),
    });
    opened.filter_map(Result::transpose).collect()
}

/// The same, not held: the caller's sight must be checked before it is shown.
pub fn own_identity(conn: &mut Conn, id: VictimId) -> Result<Identity> {
    let (bucket, id) = id.key();
    let content: Json = victim_identity::table
        .filter(victim_identity::bucket.eq(bucket))
        .filter(victim_identity::victim_id.eq(id))
        .select(victim_identity::content)
        .first(conn)?;
    vault::open(conn, id, id, &content)
}
