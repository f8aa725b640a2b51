//! SQL of the consents and of what rests on them.

use diesel::prelude::*;

use super::model::{Consent, ConsentDetail};
use super::states::State;
use crate::act::Act;
use crate::db::schema::{consent as t, consent_referral};
use crate::db::{Conn, Json, Keep};
use crate::kernel::ids::{ConsentId, ReferralId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::per_engine;
use crate::vault::{self, Guarded, Keys};

impl Guarded for ConsentDetail {
    const PLACE: &'static str = "consent.detail";
    const SECRET: &'static [&'static str] = &["explained_by", "evidence"];
}

type Row = (ConsentId, i64, VictimId, String, String, Option<Timestamp>, Json, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (t::id, t::version, t::victim_id, t::agency_code, t::state, t::expires_at, t::detail, t::created_at, t::updated_at)
}

fn consent(row: Row, keys: &Keys) -> Result<Consent> {
    let (id, version, victim, agency, state, expires_at, detail, created_at, updated_at) = row;
    Ok(Consent {
        id,
        version,
        victim,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in consent"))?,
        state: State::parse(&state).ok_or_else(|| Error::internal("consent state"))?,
        expires_at,
        detail: keys.open(victim, id, &detail)?,
        created_at,
        updated_at,
    })
}

/// Inserts an offer.
pub fn insert(tx: &mut Conn, act: &Act, new: &Consent) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a consent without a client"))?;
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::victim_id.eq(new.victim),
            t::agency_code.eq(new.agency.as_str()),
            t::state.eq(new.state.as_str()),
            t::expires_at.eq(new.expires_at),
            t::detail.eq(vault::seal(tx, new.victim, new.id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.agency.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A consent, whoever asks: whether the caller sees its victim must be checked before it is shown.
pub fn find(conn: &mut Conn, id: ConsentId) -> Result<Consent> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    consent(row, &keys)
}

/// The same, held to the end of the transaction: it cannot be withdrawn before what now rests on it is there to be
/// found, and revoked.
pub fn held(tx: &mut Conn, id: ConsentId) -> Result<Consent> {
    let (bucket, key) = id.key();
    // SQLite has one writer; its transactions need no row lock.
    if let Conn::Postgres(c) = tx {
        t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(key)).select(t::version).for_share().first::<i64>(c)?;
    }
    find(tx, id)
}

/// Writes a moved consent over the version that it was read at.
pub fn update(tx: &mut Conn, after: &Consent, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::state.eq(after.state.as_str()),
            t::detail.eq(vault::seal(tx, after.victim, after.id, &after.detail)?),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .kept()
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// One page of a victim's consents, oldest first.
pub fn list(conn: &mut Conn, victim: VictimId, after: Option<&After>, limit: Limit) -> Result<Page<Consent>> {
    let mut query = t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.gt(ConsentId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, rows.first().map(|_| victim))?;
    let consents = rows.into_iter().map(|row| consent(row, &keys)).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(consents, limit, |c| After { key: String::new(), id: c.id.uuid() }))
}

/// The consents that a victim gave and did not take back; whether their time has passed is theirs to say.
pub fn given(conn: &mut Conn, victim: VictimId) -> Result<Vec<Consent>> {
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq(victim.bucket().number()))
        .filter(t::victim_id.eq(victim))
        .filter(t::state.eq(State::Given.as_str()))
        .select(columns())
        .order(t::id.asc())
        .limit(1_000)
        .load(conn)?;
    let keys = vault::keys(conn, rows.first().map(|_| victim))?;
    rows.into_iter().map(|row| consent(row, &keys)).collect()
}

/// Notes that a referral rests on a consent.
pub fn rest(tx: &mut Conn, id: ConsentId, referral: ReferralId) -> Result<()> {
    let (bucket, id) = id.key();
    per_engine!(tx, c => diesel::insert_into(consent_referral::table)
        .values((
            consent_referral::bucket.eq(bucket),
            consent_referral::consent_id.eq(id),
            consent_referral::referral_id.eq(referral),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    Ok(())
}

/// The referrals that rest, or once rested, on a consent.
pub fn resting(conn: &mut Conn, id: ConsentId) -> Result<Vec<ReferralId>> {
    let (bucket, id) = id.key();
    Ok(consent_referral::table
        .filter(consent_referral::bucket.eq(bucket))
        .filter(consent_referral::consent_id.eq(id))
        .select(consent_referral::referral_id)
        .order(consent_referral::referral_id.asc())
        .limit(10_000)
        .load(conn)?)
}
