//! SQL of the erasures.

use diesel::prelude::*;

use super::model::{Detail, Erasure, State};
use crate::db::schema::{erasure as t, unique_claim};
use crate::db::{Conn, Json};
use crate::kernel::ids::{ClientId, ErasureId, ResourceId};
use crate::kernel::{AgencyCode, Bucket, Error, Result, Timestamp};
use crate::per_engine;
use crate::persons::erasure::Person;
use crate::vault::{self, Guarded, Keys};

impl Guarded for Detail {
    const PLACE: &'static str = "erasure.detail";
    const SECRET: &'static [&'static str] = &["reason", "decision_reason"];
}

type Row = (ErasureId, i64, String, ResourceId, String, Json, Timestamp, String, Option<ClientId>, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::person_type,
        t::person_id,
        t::state,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::created_by_client,
        t::updated_at,
    )
}

fn erasure(row: Row, keys: &Keys) -> Result<Erasure> {
    let (id, version, kind, person, state, detail, created_at, agency, client, updated_at) = row;
    Ok(Erasure {
        id,
        version,
        person: Person::of(&kind, person).ok_or_else(|| Error::internal("kind of person in an erasure"))?,
        state: State::parse(&state).ok_or_else(|| Error::internal("erasure state"))?,
        detail: keys.open(person, id, &detail)?,
        created_at,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in an erasure"))?,
        client,
        updated_at,
    })
}

fn claim(person: Person) -> String {
    format!("erasure:{}", person.subject())
}

/// Inserts a proposal: one person has one open erasure, and no more.
pub fn insert(tx: &mut Conn, new: &Erasure) -> Result<()> {
    let claim = claim(new.person);
    let made = per_engine!(tx, c => diesel::insert_into(unique_claim::table)
        .values((
            unique_claim::bucket.eq(Bucket::of_text(&[claim.as_str()]).number()),
            unique_claim::claim.eq(&claim),
            unique_claim::owner_id.eq(new.id.erase()),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    if made == 0 {
        return Err(Error::StateConflict(vec!["erasure_open".into()]));
    }
    let (bucket, id) = new.id.key();
    let subject = new.person.subject();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::person_type.eq(new.person.kind()),
            t::person_id.eq(subject),
            t::state.eq(new.state.as_str()),
            t::detail.eq(vault::seal(tx, subject, id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.agency.as_str()),
            t::created_by_client.eq(new.client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// An erasure, whoever asks: that it lies on the caller's desk must be checked before it is shown.
pub fn find(conn: &mut Conn, id: ErasureId) -> Result<Erasure> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.3])?;
    erasure(row, &keys)
}

/// Several erasures, in the order of their ids.
pub fn many(conn: &mut Conn, ids: &[ErasureId]) -> Result<Vec<Erasure>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    let rows: Vec<Row> =
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(ids.to_vec())).select(columns()).load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.3))?;
    let mut found = rows.into_iter().map(|row| erasure(row, &keys)).collect::<Result<Vec<_>>>()?;
    found.sort_by_key(|e| e.id);
    Ok(found)
}

/// The open erasure of a person, if there is one.
pub fn open_of(conn: &mut Conn, person: Person) -> Result<Option<ErasureId>> {
    let claim = claim(person);
    let held: Option<ResourceId> = unique_claim::table
        .filter(unique_claim::bucket.eq(Bucket::of_text(&[claim.as_str()]).number()))
        .filter(unique_claim::claim.eq(&claim))
        .select(unique_claim::owner_id)
        .first(conn)
        .optional()?;
    Ok(held.map(|id| ErasureId::from_uuid(id.uuid())))
}

/// Writes a moved erasure over the version that it was read at. One that came to its end lets the next one begin.
pub fn update(tx: &mut Conn, after: &Erasure, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let subject = after.person.subject();
    let detail = match after.state {
        // The key is gone, and with it every word.
        State::Executed => vault::without_secrets(&after.detail)?,
        _ => vault::seal(tx, subject, id, &after.detail)?,
    };
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::state.eq(after.state.as_str()),
            t::detail.eq(detail),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .execute(tx)?;
    if moved == 0 {
        return Err(Error::PreconditionFailed { current_version: read_at + 1 });
    }
    if !after.state.open() {
        let claim = claim(after.person);
        diesel::delete(
            unique_claim::table
                .filter(unique_claim::bucket.eq(Bucket::of_text(&[claim.as_str()]).number()))
                .filter(unique_claim::claim.eq(&claim)),
        )
        .execute(tx)?;
    }
    Ok(())
}

/// Makes a proposed erasure of a person wait for a hold that is being placed: its version moves on, so that nobody
/// approves what was read before the hold. One that was approved is not called back.
pub fn hold_back(tx: &mut Conn, person: Person, now: Timestamp) -> Result<()> {
    let Some(id) = open_of(tx, person)? else { return Ok(()) };
    let (bucket, id) = id.key();
    let held = diesel::update(
        t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::state.eq(State::Proposed.as_str())),
    )
    .set((t::version.eq(t::version + 1), t::updated_at.eq(now)))
    .execute(tx)?;
    if held == 0 && find(tx, id)?.state == State::Approved {
        return Err(Error::StateConflict(vec!["erasure_approved".into()]));
    }
    Ok(())
}
