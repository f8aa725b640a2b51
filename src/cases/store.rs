//! SQL of the cases.

use std::collections::BTreeSet;

use diesel::prelude::*;
use diesel::sql_types::{Array, SmallInt, Text};

use super::docket::{self, Filter, Listed, Listing, Sight, sight};
use super::model::{Case, CaseDetail, Claimed};
use crate::act::Act;
use crate::auth::Scope;
use crate::catalogue::Catalogue;
use crate::db::schema::{case_file as t, unique_claim};
use crate::db::types::IdSql;
use crate::db::{Conn, Json, Keep};
use crate::kernel::error::Error;
use crate::kernel::ids::{CaseId, ClientId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Bucket, Result, Timestamp};
use crate::vault::{self, Guarded, Keys, Mint};
use crate::{insert_many, per_engine};

type Row = (
    CaseId,
    i64,
    String,
    String,
    String,
    String,
    String,
    Timestamp,
    Option<String>,
    Option<String>,
    Json,
    Timestamp,
    String,
    Timestamp,
);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::code,
        t::owner_agency,
        t::jurisdiction,
        t::procedural_code,
        t::stage,
        t::reported_at,
        t::territory,
        t::external_ref,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

impl Guarded for CaseDetail {
    const PLACE: &'static str = "case_file.detail";
    const SECRET: &'static [&'static str] = &["title", "summary", "extensions"];
}

fn case(row: Row, keys: &Keys) -> Result<Case> {
    let (
        id,
        version,
        code,
        owner,
        jurisdiction,
        procedural_code,
        stage,
        reported_at,
        territory,
        external_ref,
        detail,
        created_at,
        created_by_agency,
        updated_at,
    ) = row;
    let agency = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in case"));
    Ok(Case {
        id,
        version,
        code,
        owner: agency(&owner)?,
        jurisdiction,
        procedural_code,
        stage,
        reported_at,
        territory,
        external_ref,
        detail: keys.open(id, id, &detail)?,
        created_at,
        created_by_agency: agency(&created_by_agency)?,
        updated_at,
    })
}

/// A case and what the caller sees of it.
pub fn find(conn: &mut Conn, scope: &Scope, id: CaseId) -> Result<(Case, Sight)> {
    let sight = sight(conn, scope, id)?;
    let (bucket, id) = id.key();
    let row: Row =
        per_engine!(conn, c => t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(c)?);
    Ok((case(row, &vault::keys(conn, [id])?)?, sight))
}

/// What other slices need of a case that they write to.
#[derive(Clone, Debug)]
pub struct CaseHead {
    /// The case.
    pub case: Case,
    /// What the caller sees of it.
    pub sight: Sight,
}

/// The case, if the caller owns it; for writes of what belongs to it.
pub fn head_for_write(conn: &mut Conn, scope: &Scope, id: CaseId) -> Result<CaseHead> {
    let (case, sight) = find(conn, scope, id)?;
    sight.must_own()?;
    case.must_be_here()?;
    Ok(CaseHead { case, sight })
}

/// What the docket repeats of a case, with the case's row locked to the end of the transaction: for changes of who
/// sees it, which must neither miss a change of the case nor each other. It asks nobody whether the caller may.
pub fn locked_listing(tx: &mut Conn, id: CaseId) -> Result<Listing> {
    Ok(locked(tx, id)?.listing())
}

/// The case itself, locked in the same way.
pub fn locked(tx: &mut Conn, id: CaseId) -> Result<Case> {
    let (bucket, id) = id.key();
    // SQLite has one writer; its transactions need no row lock.
    if let Conn::Postgres(c) = tx {
        t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(t::version).for_no_key_update().first::<i64>(c)?;
    }
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(tx)?;
    case(row, &vault::keys(tx, [id])?)
}

/// Seals a new case under a key of its own.
pub fn seal(case: &Case, mint: &mut Mint<'_>) -> Result<Json> {
    mint.seal(case.id, case.id, &case.detail)
}

/// Inserts a case with its claims and its docket.
pub fn insert(tx: &mut Conn, act: &Act, case: &Case) -> Result<()> {
    claim(tx, case)?;
    let detail = vault::seal(tx, case.id, case.id, &case.detail)?;
    insert_all(tx, act, &[(case, &detail)])
}

/// Inserts cases with their dockets; their claims must have been made and their keys be stored.
pub fn insert_all(tx: &mut Conn, act: &Act, rows: &[(&Case, &Json)]) -> Result<()> {
    let client: ClientId = act.actor.client.ok_or_else(|| Error::internal("a case without a client"))?;
    insert_many!(tx, "case_file", rows, (case, detail) => {
        "bucket" smallint = case.id.bucket().number(),
        "id" uuid = case.id,
        "code" text = case.code.as_str(),
        "owner_agency" text = case.owner.as_str(),
        "jurisdiction" text = case.jurisdiction.as_str(),
        "procedural_code" text = case.procedural_code.as_str(),
        "stage" text = case.stage.as_str(),
        "reported_at" timestamptz = case.reported_at,
        "territory" text_or_null = case.territory.as_deref(),
        "external_ref" text_or_null = case.external_ref.as_deref(),
        "detail" jsonb = *detail,
        "version" bigint = case.version,
        "created_at" timestamptz = case.created_at,
        "created_by_agency" text = case.created_by_agency.as_str(),
        "created_by_client" uuid = client,
        "updated_at" timestamptz = case.updated_at,
    });
    docket::open(tx, &rows.iter().map(|(case, _)| case.listing()).collect::<Vec<_>>())
}

/// Writes a changed case over the version that it was read at, and carries the change to the docket.
pub fn update(tx: &mut Conn, case: &Case, read_at: i64) -> Result<()> {
    let (bucket, id) = case.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::stage.eq(&case.stage),
            t::reported_at.eq(case.reported_at),
            t::territory.eq(case.territory.as_deref()),
            t::detail.eq(vault::seal(tx, id, id, &case.detail)?),
            t::version.eq(case.version),
            t::updated_at.eq(case.updated_at),
        ))
        .kept()
        .execute(tx)?;
    if moved == 0 {
        // Somebody was faster; the caller sees the version that won on its next read.
        return Err(Error::PreconditionFailed { current_version: read_at + 1 });
    }
    docket::refresh(tx, &case.listing())
}

/// Claims every number of the case; the first one that another case holds is the answer.
pub fn claim(tx: &mut Conn, case: &Case) -> Result<()> {
    for (claim, what) in case.claims() {
        take(tx, &claim, case.id, what)?;
    }
    Ok(())
}

fn take(tx: &mut Conn, claim: &str, id: CaseId, what: Claimed) -> Result<()> {
    let bucket = Bucket::of_text(&[claim]).number();
    let made = per_engine!(tx, c => diesel::insert_into(unique_claim::table)
        .values((
            unique_claim::bucket.eq(bucket),
            unique_claim::claim.eq(claim),
            unique_claim::owner_id.eq(id.erase()),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    if made == 0 && holder(tx, claim)? != Some(id) {
        return Err(what.taken());
    }
    Ok(())
}

/// Makes these claims where nobody has them; answers those that were made.
pub fn claim_all(tx: &mut Conn, claims: &[(String, CaseId)]) -> Result<BTreeSet<(String, CaseId)>> {
    if claims.is_empty() {
        return Ok(BTreeSet::new());
    }
    let mut sorted: Vec<&(String, CaseId)> = claims.iter().collect();
    // One order for everybody, so that two writers never wait for each other; of two that want the same, the first.
    sorted.sort_by(|(one, _), (other, _)| one.cmp(other));
    let bucket = |claim: &String| Bucket::of_text(&[claim.as_str()]).number();
    match tx {
        Conn::Postgres(c) => {
            let made: Vec<Made> = diesel::sql_query(
                "INSERT INTO unique_claim (bucket, claim, owner_id) \
                 SELECT * FROM unnest($1::smallint[], $2::text[], $3::uuid[]) ON CONFLICT DO NOTHING \
                 RETURNING claim, owner_id",
            )
            .bind::<Array<SmallInt>, _>(sorted.iter().map(|(claim, _)| bucket(claim)).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(sorted.iter().map(|(claim, _)| claim.as_str()).collect::<Vec<_>>())
            .bind::<Array<IdSql>, _>(sorted.iter().map(|(_, id)| *id).collect::<Vec<_>>())
            .kept()
            .load(c)?;
            Ok(made.into_iter().map(|m| (m.claim, m.owner_id)).collect())
        }
        Conn::Sqlite(c) => {
            let mut made = BTreeSet::new();
            for (claim, id) in sorted {
                let new = diesel::insert_into(unique_claim::table)
                    .values((
                        unique_claim::bucket.eq(bucket(claim)),
                        unique_claim::claim.eq(claim),
                        unique_claim::owner_id.eq(id.erase()),
                    ))
                    .on_conflict_do_nothing()
                    .execute(c)?;
                if new > 0 {
                    made.insert((claim.clone(), *id));
                }
            }
            Ok(made)
        }
    }
}

#[derive(QueryableByName)]
struct Made {
    #[diesel(sql_type = Text)]
    claim: String,
    #[diesel(sql_type = IdSql)]
    owner_id: CaseId,
}

/// Gives a claim back.
pub fn unclaim(tx: &mut Conn, claim: &str) -> Result<()> {
    diesel::delete(
        unique_claim::table
            .filter(unique_claim::bucket.eq(Bucket::of_text(&[claim]).number()))
            .filter(unique_claim::claim.eq(claim)),
    )
    .execute(tx)?;
    Ok(())
}

/// Gives back the claims that `case` no longer has.
pub fn release(tx: &mut Conn, before: &Case, after: &Case) -> Result<()> {
    let kept = after.claims();
    for (claim, _) in before.claims() {
        if !kept.iter().any(|(k, _)| *k == claim) {
            unclaim(tx, &claim)?;
        }
    }
    Ok(())
}

/// The case that holds a claim.
pub fn holder(conn: &mut Conn, claim: &str) -> Result<Option<CaseId>> {
    Ok(unique_claim::table
        .filter(unique_claim::bucket.eq(Bucket::of_text(&[claim]).number()))
        .filter(unique_claim::claim.eq(claim))
        .select(unique_claim::owner_id)
        .first::<CaseId>(conn)
        .optional()?)
}

/// One page of the caller's cases.
pub fn list(
    conn: &mut Conn,
    scope: &Scope,
    filter: &Filter,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<(Case, Sight)>> {
    let page = docket::list(conn, scope, filter, after, limit)?;
    let Page { items, next } = page;
    let cases = many(conn, &items.iter().map(|l| l.case).collect::<Vec<_>>())?;
    let items = items
        .into_iter()
        .filter_map(|Listed { case, sight, .. }| cases.iter().find(|c| c.id == case).map(|found| (found.clone(), sight)))
        .collect();
    Ok(Page { items, next })
}

/// A case, whoever asks: for projections that are made again.
pub fn one(conn: &mut Conn, id: CaseId) -> Result<Case> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    case(row, &vault::keys(conn, [id])?)
}

/// The cases of one bucket, in the order of their ids.
pub fn in_bucket(conn: &mut Conn, bucket: Bucket, after: Option<CaseId>, limit: Limit) -> Result<Page<CaseId>> {
    let mut query =
        t::table.filter(t::bucket.eq(bucket.number())).select(t::id).order(t::id.asc()).limit(limit.fetch()).into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.gt(after));
    }
    let ids: Vec<CaseId> = query.load(conn)?;
    Ok(Page::cut(ids, limit, |id| After { key: String::new(), id: id.uuid() }))
}

/// The cases of these ids, in no order. Whoever shows them has asked the docket or a desk.
pub fn many(conn: &mut Conn, ids: &[CaseId]) -> Result<Vec<Case>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    // Said to the engine itself, the list is one array on PostgreSQL: one text however long, and planned once.
    let rows: Vec<Row> = per_engine!(conn, c => t::table
        .filter(t::bucket.eq_any(buckets))
        .filter(t::id.eq_any(ids.to_vec()))
        .select(columns())
        .load(c)?);
    let keys = vault::keys(conn, rows.iter().map(|row| row.0))?;
    rows.into_iter().map(|row| case(row, &keys)).collect()
}

/// The generic stage of a file that rests: it may be taken up again, and nobody works on it.
pub const ARCHIVED: &str = "archived";

/// Whether any of these cases has neither come to its end nor been archived.
pub fn any_open(conn: &mut Conn, law: &Catalogue, ids: &[CaseId]) -> Result<bool> {
    let ended = |case: &Case| {
        let profile = law.profile(&case.jurisdiction, &case.procedural_code, case.reported_at.date());
        case.stage == ARCHIVED || profile.and_then(|p| p.stage(&case.stage)).is_some_and(|stage| stage.terminal)
    };
    Ok(many(conn, ids)?.iter().any(|case| !ended(case)))
}
