//! SQL of the blind index. Written in the transaction that writes the identity.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, SmallInt};

use super::identity::Identity;
use super::index::{IndexKey, Role, Subject, Token};
use super::merges;
use super::search::{Candidate, MOST_EXAMINED, Probe, probes, rank};
use crate::db::schema::{person_index as t, person_index_ref as refs};
use crate::db::types::IdSql;
use crate::db::{Conn, Json, Keep};
use crate::insert_many;
use crate::kernel::ids::{Kind, ResourceId};
use crate::kernel::{Bucket, Id, Result};

/// Persons of one token beyond which the rest is not looked at: a pair of names that so many share finds nobody by itself; with
/// a third fact it does.
const MOST_PER_TOKEN: i64 = 300;

/// Indexes new persons.
pub fn add(tx: &mut Conn, persons: &[(ResourceId, &BTreeSet<Token>)]) -> Result<()> {
    let rows: Vec<(ResourceId, Token)> =
        persons.iter().flat_map(|(person, tokens)| tokens.iter().map(|token| (*person, *token))).collect();
    insert(tx, &rows)?;
    let lists = persons.iter().filter(|(_, tokens)| !tokens.is_empty());
    let lists = lists.map(|(person, tokens)| Ok((*person, stored(tokens)?))).collect::<Result<Vec<_>>>()?;
    insert_many!(tx, "person_index_ref", lists, (person, tokens) => {
        "bucket" smallint = person.bucket().number(),
        "person_id" uuid = *person,
        "tokens" jsonb = tokens,
    });
    Ok(())
}

/// Brings the tokens of a person into line with a changed identity.
pub fn change<K: Kind>(tx: &mut Conn, key: &IndexKey, role: Role, person: Id<K>, identity: &Identity) -> Result<()> {
    let after = key.tokens(role, &Subject::of(identity));
    let before = take_back(tx, person, &after)?;
    let person = person.erase();
    insert(tx, &after.difference(&before).map(|token| (person, *token)).collect::<Vec<_>>())?;
    if !after.is_empty() {
        diesel::insert_into(refs::table)
            .values((
                refs::bucket.eq(person.bucket().number()),
                refs::person_id.eq(person),
                refs::tokens.eq(stored(&after)?),
            ))
            .execute(tx)?;
    }
    Ok(())
}

/// Takes a person out of the index.
pub fn remove<K: Kind>(tx: &mut Conn, person: Id<K>) -> Result<()> {
    take_back(tx, person, &BTreeSet::new()).map(drop)
}

/// Deletes the tokens of a person but for `kept`, and the list of them; answers those that there were.
fn take_back<K: Kind>(tx: &mut Conn, person: Id<K>, kept: &BTreeSet<Token>) -> Result<BTreeSet<Token>> {
    let person = person.erase();
    let row = refs::table.filter(refs::bucket.eq(person.bucket().number())).filter(refs::person_id.eq(person));
    let before: Option<Json> = row.select(refs::tokens).first(tx).optional()?;
    let before: BTreeSet<Token> = match before {
        None => return Ok(BTreeSet::new()),
        Some(json) => tokens(&json)?,
    };
    for token in before.difference(kept) {
        diesel::delete(
            t::table
                .filter(t::bucket.eq(token.bucket().number()))
                .filter(t::index_id.eq(token.index))
                .filter(t::bidx.eq(token.value))
                .filter(t::person_id.eq(person)),
        )
        .execute(tx)?;
    }
    diesel::delete(row).execute(tx)?;
    Ok(before)
}

fn stored(tokens: &BTreeSet<Token>) -> Result<Json> {
    Json::of(&tokens.iter().map(|t| (t.index, t.value)).collect::<Vec<_>>())
}

fn insert(tx: &mut Conn, rows: &[(ResourceId, Token)]) -> Result<()> {
    insert_many!(tx, "person_index", rows, (person, token) => {
        "bucket" smallint = token.bucket().number(),
        "index_id" smallint = token.index,
        "bidx" bigint = token.value,
        "person_id" uuid = *person,
    });
    Ok(())
}

/// Everybody registered in a role who may be the one, the best first. Whoever asks: the caller's sight must be checked
/// before any of them is shown.
pub fn candidates(conn: &mut Conn, key: &IndexKey, role: Role, subject: &Subject) -> Result<Vec<Candidate>> {
    Ok(candidates_of_each(conn, key, role, &[subject])?.pop().unwrap_or_default())
}

/// The same for several questions at once, in as many statements as for one.
pub fn candidates_of_each(
    conn: &mut Conn,
    key: &IndexKey,
    role: Role,
    subjects: &[&Subject],
) -> Result<Vec<Vec<Candidate>>> {
    let asked: Vec<Vec<Probe>> = subjects.iter().map(|subject| probes(key, role, subject)).collect();
    let tokens: BTreeSet<Token> = asked.iter().flatten().map(|probe| probe.token).collect();
    let holders = holders(conn, &tokens.into_iter().collect::<Vec<_>>())?;
    let mut each = Vec::with_capacity(asked.len());
    for (subject, probes) in subjects.iter().zip(&asked) {
        let found = probes.iter().enumerate().flat_map(|(index, probe)| {
            holders.get(&probe.token).into_iter().flatten().map(move |person| (index, person.uuid()))
        });
        let mut best = rank(subject, probes, found);
        best.truncate(MOST_EXAMINED);
        each.push(best);
    }
    // A record that was merged away is the survivor, whatever it is called: each of them once, by its best match.
    let looked_at: BTreeSet<ResourceId> = each.iter().flatten().map(|c| ResourceId::from_uuid(c.person)).collect();
    let survivors = merges::survivors(conn, &looked_at.into_iter().collect::<Vec<_>>())?;
    let standing = |c: Candidate| match survivors.get(&ResourceId::from_uuid(c.person)) {
        None => c,
        Some(survivor) => Candidate { person: survivor.uuid(), ..c },
    };
    Ok(each
        .into_iter()
        .map(|candidates| {
            let mut shown = BTreeSet::new();
            candidates.into_iter().map(standing).filter(|c| shown.insert(c.person)).collect()
        })
        .collect())
}

#[derive(QueryableByName)]
struct Holder {
    #[diesel(sql_type = Integer)]
    n: i32,
    #[diesel(sql_type = IdSql)]
    person_id: ResourceId,
}

/// Tokens that one statement looks up.
const MOST_TOKENS: usize = 4_000;

/// Who has each of these tokens, some of them where very many do.
fn holders(conn: &mut Conn, tokens: &[Token]) -> Result<BTreeMap<Token, Vec<ResourceId>>> {
    let mut holders: BTreeMap<Token, Vec<ResourceId>> = BTreeMap::new();
    match conn {
        // Each token in its own bucket; a multi-get would try every bucket with every token.
        Conn::Postgres(c) => {
            for some in tokens.chunks(MOST_TOKENS) {
                let rows: Vec<Holder> = diesel::sql_query(
                    "SELECT w.n, p.person_id FROM unnest($1::integer[], $2::smallint[], $3::smallint[], $4::bigint[]) \
                     AS w (n, bucket, index_id, bidx) CROSS JOIN LATERAL (SELECT i.person_id FROM person_index i \
                     WHERE i.bucket = w.bucket AND i.index_id = w.index_id AND i.bidx = w.bidx LIMIT $5) p",
                )
                .bind::<Array<Integer>, _>((0_i32..).take(some.len()).collect::<Vec<_>>())
                .bind::<Array<SmallInt>, _>(some.iter().map(|token| token.bucket().number()).collect::<Vec<_>>())
                .bind::<Array<SmallInt>, _>(some.iter().map(|token| token.index).collect::<Vec<_>>())
                .bind::<Array<BigInt>, _>(some.iter().map(|token| token.value).collect::<Vec<_>>())
                .bind::<BigInt, _>(MOST_PER_TOKEN)
                .kept()
                .load(c)?;
                for Holder { n, person_id } in rows {
                    if let Some(token) = usize::try_from(n).ok().and_then(|n| some.get(n)) {
                        holders.entry(*token).or_default().push(person_id);
                    }
                }
            }
        }
        // In the process itself: one statement, prepared once, is as quick for each.
        Conn::Sqlite(c) => {
            for token in tokens {
                let persons: Vec<ResourceId> = t::table
                    .filter(t::bucket.eq(token.bucket().number()))
                    .filter(t::index_id.eq(token.index))
                    .filter(t::bidx.eq(token.value))
                    .select(t::person_id)
                    .limit(MOST_PER_TOKEN)
                    .kept()
                    .load(c)?;
                holders.insert(*token, persons);
            }
        }
    }
    Ok(holders)
}

/// Makes the tokens of a person those of an identity, or none of nobody's; answers whether anything was not so.
pub fn mend(tx: &mut Conn, key: &IndexKey, role: Role, person: ResourceId, identity: Option<&Identity>) -> Result<bool> {
    let right = identity.map(|i| key.tokens(role, &Subject::of(i))).unwrap_or_default();
    let listed: Option<Json> = refs::table
        .filter(refs::bucket.eq(person.bucket().number()))
        .filter(refs::person_id.eq(person))
        .select(refs::tokens)
        .first(tx)
        .optional()?;
    let listed = listed.map(|json| tokens(&json)).transpose()?;
    let mut missing = BTreeSet::new();
    for token in &right {
        let there: Option<i16> = t::table
            .filter(t::bucket.eq(token.bucket().number()))
            .filter(t::index_id.eq(token.index))
            .filter(t::bidx.eq(token.value))
            .filter(t::person_id.eq(person))
            .select(t::index_id)
            .first(tx)
            .optional()?;
        if there.is_none() {
            missing.insert(*token);
            // Where the key leaves the bucket out, a row that lies in a wrong one would stand in the way.
            if let Conn::Sqlite(c) = tx {
                let same = t::table
                    .filter(t::index_id.eq(token.index))
                    .filter(t::bidx.eq(token.value))
                    .filter(t::person_id.eq(person));
                diesel::delete(same).execute(c)?;
            }
        }
    }
    let listed_right = listed.as_ref().map_or(right.is_empty(), |listed| *listed == right && !right.is_empty());
    if missing.is_empty() && listed_right {
        return Ok(false);
    }
    // What was listed and is not right goes, with the list; what is right and not there comes.
    take_back(tx, person, &right)?;
    insert(tx, &missing.iter().map(|token| (person, *token)).collect::<Vec<_>>())?;
    if !right.is_empty() {
        diesel::insert_into(refs::table)
            .values((
                refs::bucket.eq(person.bucket().number()),
                refs::person_id.eq(person),
                refs::tokens.eq(stored(&right)?),
            ))
            .execute(tx)?;
    }
    Ok(true)
}

fn tokens(json: &Json) -> Result<BTreeSet<Token>> {
    Ok(json.read::<Vec<(i16, i64)>>()?.into_iter().map(|(index, value)| Token { index, value }).collect())
}

/// A row of the index: bucket, index, token, person.
pub type Row = (i16, i16, i64, ResourceId);

/// Deletes those of the next tokens that the list of their person does not have, or that nobody would look for where they
/// lie; answers where to go on, and how many there were. Of one bucket on PostgreSQL, of all of them on SQLite, whose key
/// leaves it out.
pub fn sweep(tx: &mut Conn, bucket: Bucket, after: Option<Row>, limit: i64) -> Result<(Option<Row>, u64)> {
    let mut query = t::table
        .select((t::bucket, t::index_id, t::bidx, t::person_id))
        .order((t::index_id.asc(), t::bidx.asc(), t::person_id.asc()))
        .limit(limit)
        .into_boxed();
    if matches!(tx, Conn::Postgres(_)) {
        query = query.filter(t::bucket.eq(bucket.number()));
    }
    if let Some((_, index, value, person)) = after {
        let later_person = t::index_id.eq(index).and(t::bidx.eq(value)).and(t::person_id.gt(person));
        let later_value = t::index_id.eq(index).and(t::bidx.gt(value));
        query = query.filter(t::index_id.gt(index).or(later_value).or(later_person));
    }
    let rows: Vec<Row> = query.load(tx)?;
    let Some(last) = rows.last().copied() else { return Ok((None, 0)) };
    let mut persons: Vec<ResourceId> = rows.iter().map(|row| row.3).collect();
    persons.sort_unstable();
    persons.dedup();
    let buckets: Vec<i16> = persons.iter().map(|id| id.bucket().number()).collect();
    let lists: Vec<(ResourceId, Json)> = refs::table
        .filter(refs::bucket.eq_any(buckets))
        .filter(refs::person_id.eq_any(persons))
        .select((refs::person_id, refs::tokens))
        .load(tx)?;
    let lists = lists
        .into_iter()
        .map(|(person, json)| Ok((person, tokens(&json)?)))
        .collect::<Result<std::collections::BTreeMap<_, _>>>()?;
    let mut gone = 0;
    for (lies, index, value, person) in rows {
        let token = Token { index, value };
        if lies == token.bucket().number() && lists.get(&person).is_some_and(|list| list.contains(&token)) {
            continue;
        }
        let deleted = diesel::delete(
            t::table
                .filter(t::bucket.eq(lies))
                .filter(t::index_id.eq(index))
                .filter(t::bidx.eq(value))
                .filter(t::person_id.eq(person)),
        )
        .execute(tx)?;
        gone += u64::try_from(deleted).unwrap_or(0);
    }
    Ok((Some(last), gone))
}
