//! SQL of the accused.

use std::collections::BTreeSet;

use diesel::prelude::*;

use super::model::{Accused, AccusedDetail, PreparedAccused, Survivor};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::{Section, Sight, docket};
use crate::db::schema::{accused as t, accused_case, accused_identity, case_accused};
use crate::db::{Conn, Json, Keep};
use crate::kernel::ids::{self, AccusedId, CaseId, ResourceId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Bucket, Error, Result, Timestamp};
use crate::ledger::{Action, Entry};
use crate::persons::bundle::{self, Bundle};
use crate::persons::index::{Subject, Token};
use crate::persons::merges::{self, Whole};
use crate::persons::merging::{Record, Standing};
use crate::persons::{Identity, IndexKey, Role, store as index};
use crate::vault::{self, Guarded, Keys, Mint};
use crate::{insert_many, per_engine};

type Row = (AccusedId, i64, String, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (t::id, t::version, t::code, t::detail, t::created_at, t::created_by_agency, t::updated_at)
}

impl Guarded for AccusedDetail {
    const PLACE: &'static str = "accused.detail";
    const SECRET: &'static [&'static str] = &["occupation"];
}

fn accused(row: Row, keys: &Keys) -> Result<Accused> {
    let (id, version, code, detail, created_at, agency, updated_at) = row;
    Ok(Accused {
        id,
        version,
        code,
        detail: keys.open(id, id, &detail)?,
        created_at,
        created_by_agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in accused"))?,
        updated_at,
        merged_into: None,
    })
}

/// A record that was merged away, with what is known of the person now.
fn standing_for(record: Accused, survivor: &Accused) -> Accused {
    let Accused { id, version, .. } = *survivor;
    Accused { detail: survivor.detail.clone(), merged_into: Some(Survivor { id, version }), ..record }
}

fn own_row(conn: &mut Conn, id: AccusedId) -> Result<Accused> {
    let (bucket, id) = id.key();
    let row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    accused(row, &vault::keys(conn, [id])?)
}

fn shown(conn: &mut Conn, id: AccusedId, survivor: AccusedId) -> Result<Accused> {
    let record = own_row(conn, id)?;
    if survivor == id { Ok(record) } else { Ok(standing_for(record, &own_row(conn, survivor)?)) }
}

/// A new accused as stored: sealed, and the tokens that he or she is found by.
#[derive(Clone, Debug)]
pub struct SealedAccused {
    detail: Json,
    identity: Json,
    tokens: BTreeSet<Token>,
}

/// Seals new accused persons under keys of their own.
pub fn seal(prepared: &[PreparedAccused], mint: &mut Mint<'_>, key: &IndexKey) -> Result<Vec<SealedAccused>> {
    let one = |PreparedAccused { accused, identity, .. }: &PreparedAccused| {
        Ok(SealedAccused {
            detail: mint.seal(accused.id, accused.id, &accused.detail)?,
            identity: mint.seal(accused.id, accused.id, identity)?,
            tokens: key.tokens(Role::Accused, &Subject::of(identity)),
        })
    };
    prepared.iter().map(one).collect()
}

/// Inserts accused persons and ties them to the case; answers the ledger entries.
pub fn insert(tx: &mut Conn, act: &Act, case: CaseId, prepared: &[PreparedAccused]) -> Result<Vec<Entry>> {
    let vault = vault::current()?;
    let mut mint = Mint::new(&vault);
    let sealed = seal(prepared, &mut mint, &act.index)?;
    vault::put(tx, &mint.keys().iter().collect::<Vec<_>>())?;
    put(tx, act, &prepared.iter().zip(&sealed).map(|(new, sealed)| (case, new, sealed)).collect::<Vec<_>>())
}

/// Inserts accused persons of cases whose keys are stored; answers the ledger entries.
pub fn put(tx: &mut Conn, act: &Act, rows: &[(CaseId, &PreparedAccused, &SealedAccused)]) -> Result<Vec<Entry>> {
    let client = act.actor.client.ok_or_else(|| Error::internal("an accused without a client"))?;
    let kinds = rows.iter().map(|(_, new, _)| Json::of(&new.accused.detail.kind)).collect::<Result<Vec<_>>>()?;
    insert_many!(tx, "accused", rows, (_, new, sealed) => {
        "bucket" smallint = new.id.bucket().number(),
        "id" uuid = new.id,
        "code" text = new.accused.code.as_str(),
        "detail" jsonb = &sealed.detail,
        "version" bigint = new.accused.version,
        "created_at" timestamptz = new.accused.created_at,
        "created_by_agency" text = new.accused.created_by_agency.as_str(),
        "created_by_client" uuid = client,
        "updated_at" timestamptz = new.accused.updated_at,
    });
    insert_many!(tx, "accused_identity", rows, (_, new, sealed) => {
        "bucket" smallint = new.id.bucket().number(),
        "accused_id" uuid = new.id,
        "content" jsonb = &sealed.identity,
        "version" bigint = 1_i64,
        "updated_at" timestamptz = act.now,
    });
    insert_many!(tx, "accused_case", rows, (case, new, _) => {
        "bucket" smallint = new.id.bucket().number(),
        "accused_id" uuid = new.id,
        "case_id" uuid = *case,
    });
    let ties: Vec<(&CaseId, AccusedId, &Json)> =
        rows.iter().zip(&kinds).map(|((case, new, _), kind)| (case, new.id, kind)).collect();
    insert_many!(tx, "case_accused", ties, (case, accused, kind) => {
        "bucket" smallint = case.bucket().number(),
        "case_id" uuid = **case,
        "accused_id" uuid = *accused,
        "detail" jsonb = *kind,
        "version" bigint = 1_i64,
        "created_at" timestamptz = act.now,
        "created_by_agency" text = act.agency().as_str(),
        "created_by_client" uuid = client,
        "updated_at" timestamptz = act.now,
    });
    index::add(tx, &rows.iter().map(|(_, new, sealed)| (new.id.erase(), &sealed.tokens)).collect::<Vec<_>>())?;
    Ok(rows.iter().map(|(_, new, _)| Entry::new(Action::Created, new.id, Some(1))).collect())
}

/// The accused of a case.
pub fn in_case(conn: &mut Conn, case: CaseId) -> Result<Vec<AccusedId>> {
    Ok(case_accused::table
        .filter(case_accused::bucket.eq(case.bucket().number()))
        .filter(case_accused::case_id.eq(case))
        .select(case_accused::accused_id)
        .limit(1_000)
        .load(conn)?)
}

/// Whether anybody accused in a case is identified.
pub fn has_identified(conn: &mut Conn, case: CaseId) -> Result<bool> {
    let mut after = None;
    loop {
        let Page { items, next } = list(conn, case, after.as_ref(), Limit::DEFAULT)?;
        if items.iter().any(|a| a.detail.kind != "unidentified") {
            return Ok(true);
        }
        match next {
            Some(next) => after = Some(next),
            None => return Ok(false),
        }
    }
}

/// One page of a case's accused. The caller's sight has been checked.
pub fn list(conn: &mut Conn, case: CaseId, after: Option<&After>, limit: Limit) -> Result<Page<Accused>> {
    let mut query = case_accused::table
        .filter(case_accused::bucket.eq(case.bucket().number()))
        .filter(case_accused::case_id.eq(case))
        .select(case_accused::accused_id)
        .order(case_accused::accused_id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(case_accused::accused_id.gt(AccusedId::from_uuid(after.id)));
    }
    let ids: Vec<AccusedId> = query.load(conn)?;
    let Page { items: ids, next } = Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() });
    if ids.is_empty() {
        return Ok(Page { items: Vec::new(), next });
    }
    let survivors = merges::survivors(conn, &ids)?;
    let all: Vec<AccusedId> = ids.iter().chain(survivors.values()).copied().collect();
    let buckets: Vec<i16> = all.iter().map(|id| id.bucket().number()).collect();
    let rows: Vec<Row> =
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(all)).select(columns()).load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.0))?;
    let persons = rows.into_iter().map(|row| accused(row, &keys)).collect::<Result<Vec<Accused>>>()?;
    let person = |id: AccusedId| persons.iter().find(|p| p.id == id);
    let items = ids.into_iter().filter_map(|id| {
        let record = person(id)?.clone();
        match survivors.get(&id) {
            None => Some(record),
            Some(survivor) => Some(standing_for(record, person(*survivor)?)),
        }
    });
    Ok(Page { items: items.collect(), next })
}

/// The cases of a person in which the caller sees the accused and a section.
pub fn cases_in_sight(conn: &mut Conn, scope: &Scope, id: AccusedId, section: Section) -> Result<Vec<CaseId>> {
    let cases = cases_of(conn, id)?;
    let sights = docket::sights(conn, scope, &cases)?;
    Ok(sights.into_iter().filter(|(_, s)| s.sees(Section::Accused) && s.sees(section)).map(|(case, _)| case).collect())
}

/// The cases of some records, each with the record under which the person stands there.
fn places(conn: &mut Conn, records: &[AccusedId]) -> Result<Vec<(AccusedId, CaseId)>> {
    if let [one] = records {
        return Ok(own_cases(conn, *one)?.into_iter().map(|case| (*one, case)).collect());
    }
    let buckets: Vec<i16> = records.iter().map(|id| id.bucket().number()).collect();
    Ok(accused_case::table
        .filter(accused_case::bucket.eq_any(buckets))
        .filter(accused_case::accused_id.eq_any(records.to_vec()))
        .select((accused_case::accused_id, accused_case::case_id))
        .limit(1_000)
        .load(conn)?)
}

/// How the caller sees a person: through the first of the cases of its records that shows the sections, an own case first.
fn through(conn: &mut Conn, scope: &Scope, records: &[AccusedId], sections: &[Section]) -> Result<Sight> {
    let mut cases: Vec<CaseId> = places(conn, records)?.into_iter().map(|(_, case)| case).collect();
    cases.sort();
    cases.dedup();
    through_cases(conn, scope, &cases, sections)
}

/// The same, where it is known in which cases they stand.
fn through_cases(conn: &mut Conn, scope: &Scope, cases: &[CaseId], sections: &[Section]) -> Result<Sight> {
    if cases.is_empty() {
        return Err(Error::NotFound);
    }
    let mut sights: Vec<Sight> = docket::sights(conn, scope, cases)?
        .into_iter()
        .map(|(_, sight)| sight)
        .filter(|sight| sections.iter().all(|section| sight.sees(*section)))
        .collect();
    sights.sort_by_key(|sight| sight.must_own().is_err());
    sights.into_iter().next().ok_or(Error::NotFound)
}

/// An accused whom the caller may see.
pub fn find(conn: &mut Conn, scope: &Scope, id: AccusedId) -> Result<(Accused, Sight)> {
    let Whole { records, survivor } = merges::whole(conn, id)?;
    let sight = through(conn, scope, &records, &[Section::Accused])?;
    Ok((shown(conn, id, survivor)?, sight))
}

impl Record for ids::Accused {
    const MERGE: &'static str = "accused_merge";

    fn standing(conn: &mut Conn, scope: &Scope, id: AccusedId) -> Result<Standing> {
        let records = merges::records(conn, id)?;
        let sight = through(conn, scope, &records, &[Section::Accused])?;
        let Accused { code, version, detail, .. } = own_row(conn, id)?;
        let (bucket, id) = id.key();
        let identity_version: i64 = accused_identity::table
            .filter(accused_identity::bucket.eq(bucket))
            .filter(accused_identity::accused_id.eq(id))
            .select(accused_identity::version)
            .first(conn)?;
        // Whoever is not identified may turn out to be anybody, a company too.
        let kind = Some(detail.kind).filter(|kind| kind != "unidentified");
        Ok(Standing { code, version, identity_version, kind, sight })
    }

    fn hold(tx: &mut Conn, id: AccusedId) -> Result<()> {
        let (bucket, id) = id.key();
        // SQLite has one writer; its transactions need no row lock.
        if let Conn::Postgres(c) = tx {
            t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(t::version).for_update().first::<i64>(c)?;
        }
        Ok(())
    }

    fn touch(tx: &mut Conn, id: AccusedId, read_at: i64, now: Timestamp) -> Result<()> {
        let (bucket, id) = id.key();
        let this = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at));
        let moved = diesel::update(this).set((t::version.eq(read_at + 1), t::updated_at.eq(now))).execute(tx)?;
        if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
    }
}

/// Of these persons, those whose identity the caller may see through some case, with their references.
pub fn seen(conn: &mut Conn, scope: &Scope, ids: &[AccusedId]) -> Result<Vec<(AccusedId, String)>> {
    let buckets = |ids: &[AccusedId]| ids.iter().map(|id| id.bucket().number()).collect::<Vec<i16>>();
    let records = merges::below(conn, ids)?;
    let all: Vec<AccusedId> = records.iter().map(|(record, _)| *record).collect();
    let places = places(conn, &all)?;
    let cases: Vec<CaseId> = places.iter().map(|(_, case)| *case).collect();
    let sights = docket::sights(conn, scope, &cases)?;
    let shows = |case: CaseId| {
        sights.iter().any(|(c, sight)| *c == case && sight.sees(Section::Accused) && sight.sees(Section::AccusedIdentity))
    };
    let shown: Vec<AccusedId> = places.into_iter().filter(|(_, case)| shows(*case)).map(|(id, _)| id).collect();
    let mut seen: Vec<AccusedId> =
        records.into_iter().filter(|(record, _)| shown.contains(record)).map(|(_, person)| person).collect();
    seen.sort();
    seen.dedup();
    if seen.is_empty() {
        return Ok(Vec::new());
    }
    Ok(t::table.filter(t::bucket.eq_any(buckets(&seen))).filter(t::id.eq_any(seen)).select((t::id, t::code)).load(conn)?)
}

/// An accused, whoever asks: the caller's sight must be checked before it is shown.
pub fn one(conn: &mut Conn, id: AccusedId) -> Result<Accused> {
    let survivor = merges::survivor(conn, id)?;
    shown(conn, id, survivor)
}

/// Writes a changed accused over the version that it was read at.
pub fn update(tx: &mut Conn, accused: &Accused, read_at: i64) -> Result<()> {
    let (bucket, id) = accused.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::detail.eq(vault::seal(tx, id, id, &accused.detail)?),
            t::version.eq(accused.version),
            t::updated_at.eq(accused.updated_at),
        ))
        .kept()
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// Who somebody is, as it stands.
#[derive(Debug)]
pub struct Named {
    /// Under which record: the survivor's, where the one asked for was merged away.
    pub of: AccusedId,
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
pub fn find_identity(conn: &mut Conn, scope: &Scope, id: AccusedId) -> Result<Named> {
    let Bundle { content, version, updated_at, cases, tied } = bundle::read(conn, Role::Accused, id)?;
    if !tied {
        let sight = through_cases(conn, scope, &cases, &[Section::Accused, Section::AccusedIdentity])?;
        return Ok(Named { of: id, identity: vault::open(conn, id, id, &content)?, version, updated_at, sight });
    }
    let Whole { records, survivor } = merges::whole(conn, id)?;
    let sight = through(conn, scope, &records, &[Section::Accused, Section::AccusedIdentity])?;
    let (bucket, of) = survivor.key();
    let (content, version, updated_at): (Json, i64, Timestamp) = accused_identity::table
        .filter(accused_identity::bucket.eq(bucket))
        .filter(accused_identity::accused_id.eq(of))
        .select((accused_identity::content, accused_identity::version, accused_identity::updated_at))
        .first(conn)?;
    Ok(Named { of, identity: vault::open(conn, of, of, &content)?, version, updated_at, sight })
}

/// Writes a changed identity over the version that it was read at.
pub fn update_identity(tx: &mut Conn, id: AccusedId, identity: &Identity, read_at: i64, act: &Act) -> Result<()> {
    let (bucket, id) = id.key();
    let moved = diesel::update(
        accused_identity::table
            .filter(accused_identity::bucket.eq(bucket))
            .filter(accused_identity::accused_id.eq(id))
            .filter(accused_identity::version.eq(read_at)),
    )
    .set((
        accused_identity::content.eq(vault::seal(tx, id, id, identity)?),
        accused_identity::version.eq(read_at + 1),
        accused_identity::updated_at.eq(act.now),
    ))
    .kept()
    .execute(tx)?;
    if moved == 0 {
        return Err(Error::PreconditionFailed { current_version: read_at + 1 });
    }
    index::change(tx, &act.index, Role::Accused, id, identity)
}

/// Ties the persons of a case to the one in which it goes on, each with its part there: all of them, or some.
pub fn carry(tx: &mut Conn, act: &Act, from: CaseId, to: CaseId, only: Option<&[AccusedId]>) -> Result<Vec<Entry>> {
    let client = act.actor.client.ok_or_else(|| Error::internal("persons carried without a client"))?;
    let parts: Vec<(AccusedId, Json)> = case_accused::table
        .filter(case_accused::bucket.eq(from.bucket().number()))
        .filter(case_accused::case_id.eq(from))
        .select((case_accused::accused_id, case_accused::detail))
        .limit(1_000)
        .load(tx)?;
    let mut entries = Vec::new();
    for (id, part) in parts.into_iter().filter(|(id, _)| only.is_none_or(|some| some.contains(id))) {
        per_engine!(tx, c => diesel::insert_into(case_accused::table)
            .values((
                case_accused::bucket.eq(to.bucket().number()),
                case_accused::case_id.eq(to),
                case_accused::accused_id.eq(id),
                case_accused::detail.eq(&part),
                case_accused::version.eq(1),
                case_accused::created_at.eq(act.now),
                case_accused::created_by_agency.eq(act.agency().as_str()),
                case_accused::created_by_client.eq(client),
                case_accused::updated_at.eq(act.now),
            ))
            .on_conflict_do_nothing()
            .execute(c)?);
        per_engine!(tx, c => diesel::insert_into(accused_case::table)
            .values((accused_case::bucket.eq(id.bucket().number()), accused_case::accused_id.eq(id), accused_case::case_id.eq(to)))
            .on_conflict_do_nothing()
            .execute(c)?);
        entries.push(Entry::new(Action::Linked, id, None));
    }
    Ok(entries)
}

fn own_cases(conn: &mut Conn, id: AccusedId) -> Result<Vec<CaseId>> {
    Ok(accused_case::table
        .filter(accused_case::bucket.eq(id.bucket().number()))
        .filter(accused_case::accused_id.eq(id))
        .select(accused_case::case_id)
        .limit(1_000)
        .load(conn)?)
}

/// The cases of a person, those of the records that were merged into this one included.
pub fn cases_of(conn: &mut Conn, id: AccusedId) -> Result<Vec<CaseId>> {
    let records = merges::records(conn, id)?;
    let mut cases: Vec<CaseId> = places(conn, &records)?.into_iter().map(|(_, case)| case).collect();
    cases.sort();
    cases.dedup();
    Ok(cases)
}

/// Takes what was sealed out of a person's record and identity; answers the record's version after it. The key is the
/// vault's to destroy.
pub fn erase(tx: &mut Conn, id: AccusedId, now: Timestamp) -> Result<i64> {
    let (bucket, id) = id.key();
    let (detail, version): (Json, i64) =
        t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select((t::detail, t::version)).first(tx)?;
    diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)))
        .set((t::detail.eq(vault::strip(&detail)?), t::version.eq(version + 1), t::updated_at.eq(now)))
        .execute(tx)?;
    let content: Json = accused_identity::table
        .filter(accused_identity::bucket.eq(bucket))
        .filter(accused_identity::accused_id.eq(id))
        .select(accused_identity::content)
        .first(tx)?;
    diesel::update(
        accused_identity::table.filter(accused_identity::bucket.eq(bucket)).filter(accused_identity::accused_id.eq(id)),
    )
    .set((
        accused_identity::content.eq(vault::strip(&content)?),
        accused_identity::version.eq(accused_identity::version + 1),
        accused_identity::updated_at.eq(now),
    ))
    .execute(tx)?;
    Ok(version + 1)
}

/// Ids of persons after `after`, in order: of one bucket on PostgreSQL, of all of them on SQLite, whose key is the id alone.
pub fn page(conn: &mut Conn, bucket: Bucket, after: Option<ResourceId>, limit: i64) -> Result<Vec<ResourceId>> {
    let mut query = accused_identity::table
        .select(accused_identity::accused_id)
        .order(accused_identity::accused_id.asc())
        .limit(limit)
        .into_boxed();
    if matches!(conn, Conn::Postgres(_)) {
        query = query.filter(accused_identity::bucket.eq(bucket.number()));
    }
    if let Some(after) = after {
        query = query.filter(accused_identity::accused_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Who a record says that the person is, whoever asks and whatever was merged; held to the end of the transaction.
pub fn held_identity(tx: &mut Conn, id: AccusedId) -> Result<Identity> {
    let (bucket, id) = id.key();
    // SQLite has one writer; its transactions need no row lock.
    if let Conn::Postgres(c) = tx {
        accused_identity::table
            .filter(accused_identity::bucket.eq(bucket))
            .filter(accused_identity::accused_id.eq(id))
            .select(accused_identity::version)
            .for_share()
            .first::<i64>(c)?;
    }
    own_identity(tx, id)
}

/// The same of several records, not held, but for those who were erased.
pub fn own_identities(conn: &mut Conn, ids: &[AccusedId]) -> Result<Vec<(AccusedId, Identity)>> {
    let mut buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<(AccusedId, Json)> = per_engine!(conn, c => accused_identity::table
        .filter(accused_identity::bucket.eq_any(buckets))
        .filter(accused_identity::accused_id.eq_any(ids.to_vec()))
        .select((accused_identity::accused_id, accused_identity::content))
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
pub fn own_identity(conn: &mut Conn, id: AccusedId) -> Result<Identity> {
    let (bucket, id) = id.key();
    let content: Json = accused_identity::table
        .filter(accused_identity::bucket.eq(bucket))
        .filter(accused_identity::accused_id.eq(id))
        .select(accused_identity::content)
        .first(conn)?;
    vault::open(conn, id, id, &content)
}
