//! SQL of the referrals and of the boxes that list them.

use diesel::dsl::count_star;
use diesel::prelude::*;

use super::desk::{self, Due};
use super::model::{Referral, ReferralDetail};
use super::states::{Standing, State};
use crate::act::Act;
use crate::auth::Scope;
use crate::db::schema::{referral as t, referral_box};
use crate::db::{Conn, Json, Keep};
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{CaseId, ConsentId, ReferralId, ResourceId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::persons::merges;
use crate::vault::{self, Guarded, Keys};

/// Which of an agency's two boxes, or the one of oversight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// What it received.
    In,
    /// What it wrote.
    Out,
    /// What was sent without consent: oversight's.
    Watch,
}

impl Side {
    /// The code, as stored and as asked for.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Watch => "watch",
        }
    }

    /// The side of a code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::In, Self::Out, Self::Watch].into_iter().find(|s| s.as_str() == code)
    }
}

type Row = (ReferralId, i64, String, CaseId, String, String, String, String, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::number,
        t::case_id,
        t::from_agency,
        t::to_agency,
        t::kind,
        t::state,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

impl Guarded for ReferralDetail {
    const PLACE: &'static str = "referral.detail";
    const SECRET: &'static [&'static str] = &["consent_ref", "message", "reason"];
}

fn referral(row: Row, keys: &Keys) -> Result<Referral> {
    let (id, version, number, case, from, to, kind, state, detail, created_at, created_by_agency, updated_at) = row;
    let agency = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in referral"));
    Ok(Referral {
        id,
        version,
        number,
        case,
        from: agency(&from)?,
        to: agency(&to)?,
        kind,
        state: State::parse(&state).ok_or_else(|| Error::internal("referral state"))?,
        detail: keys.open(case, id, &detail)?,
        created_at,
        created_by_agency: agency(&created_by_agency)?,
        updated_at,
        merged: Vec::new(),
    })
}

/// Says of referrals which of the victims that they name were merged away.
pub fn redirect(conn: &mut Conn, referrals: &mut [Referral]) -> Result<()> {
    let named = |referral: &Referral| -> Vec<ResourceId> {
        referral.detail.victims.iter().flatten().map(|victim| victim.erase()).collect()
    };
    let merged = merges::redirected(conn, referrals.iter().flat_map(named).collect::<Vec<_>>())?;
    for referral in referrals.iter_mut().filter(|_| !merged.is_empty()) {
        let named = named(referral);
        referral.merged = merged.iter().filter(|one| named.contains(&one.record_id)).copied().collect();
    }
    Ok(())
}

/// A referral and how the caller stands to it; `NotFound` for what is absent or invisible alike.
pub fn find(conn: &mut Conn, scope: &Scope, id: ReferralId) -> Result<(Referral, Standing)> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.3])?;
    let mut found = referral(row, &keys)?;
    let standing = found.standing(scope).ok_or(Error::NotFound)?;
    redirect(conn, std::slice::from_mut(&mut found))?;
    Ok((found, standing))
}

/// A referral, whoever asks, locked to the end of the transaction.
pub fn locked(tx: &mut Conn, id: ReferralId) -> Result<Referral> {
    let (bucket, id) = id.key();
    // SQLite has one writer; its transactions need no row lock.
    if let Conn::Postgres(c) = tx {
        t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(t::version).for_no_key_update().first::<i64>(c)?;
    }
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(tx)?;
    let keys = vault::keys(tx, [row.3])?;
    referral(row, &keys)
}

/// Inserts a draft and puts it in its sender's box.
pub fn insert(tx: &mut Conn, act: &Act, new: &Referral) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a referral without a client"))?;
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(new.id.bucket().number()),
            t::id.eq(new.id),
            t::number.eq(&new.number),
            t::case_id.eq(new.case),
            t::from_agency.eq(new.from.as_str()),
            t::to_agency.eq(new.to.as_str()),
            t::kind.eq(&new.kind),
            t::state.eq(new.state.as_str()),
            t::detail.eq(vault::seal(tx, new.case, new.id, &new.detail)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.created_by_agency.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    put(tx, new, new.from.as_str(), Side::Out)
}

/// Writes a changed referral over the version that it was read at, and carries the change to its boxes and its desk.
pub fn update(tx: &mut Conn, before: &Referral, after: &Referral) -> Result<()> {
    let (bucket, id) = after.id.key();
    let moved =
        diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(before.version)))
            .set((
                t::to_agency.eq(after.to.as_str()),
                t::kind.eq(&after.kind),
                t::state.eq(after.state.as_str()),
                t::detail.eq(vault::seal(tx, after.case, id, &after.detail)?),
                t::version.eq(after.version),
                t::updated_at.eq(after.updated_at),
            ))
            .kept()
            .execute(tx)?;
    if moved == 0 {
        // Somebody was faster; the caller sees the version that won on its next read.
        return Err(Error::PreconditionFailed { current_version: before.version + 1 });
    }
    refresh(tx, after, after.from.as_str(), Side::Out)?;
    let sent = before.detail.sent_at.is_none() && after.detail.sent_at.is_some();
    for (lane, side) in [(after.to.as_str(), Side::In), (OVERSIGHT_LANE, Side::Watch)] {
        if after.detail.sent_at.is_none() || (side == Side::Watch && !after.without_consent()) {
            continue;
        }
        if sent {
            put(tx, after, lane, side)?;
        } else {
            refresh(tx, after, lane, side)?;
        }
    }
    desk::settle(tx, after)
}

fn put(tx: &mut Conn, of: &Referral, lane: &str, side: Side) -> Result<()> {
    diesel::insert_into(referral_box::table)
        .values((
            referral_box::bucket.eq(lane_bucket(lane).number()),
            referral_box::agency_code.eq(lane),
            referral_box::side.eq(side.as_str()),
            referral_box::referral_id.eq(of.id),
            referral_box::case_id.eq(of.case),
            referral_box::state.eq(of.state.as_str()),
            referral_box::updated_at.eq(of.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

fn refresh(tx: &mut Conn, of: &Referral, lane: &str, side: Side) -> Result<()> {
    diesel::update(
        referral_box::table
            .filter(referral_box::bucket.eq(lane_bucket(lane).number()))
            .filter(referral_box::agency_code.eq(lane))
            .filter(referral_box::side.eq(side.as_str()))
            .filter(referral_box::referral_id.eq(of.id)),
    )
    .set((referral_box::state.eq(of.state.as_str()), referral_box::updated_at.eq(of.updated_at)))
    .kept()
    .execute(tx)?;
    Ok(())
}

/// Most links of a chain of redirections.
pub const MOST_LINKS: usize = 12;

/// The agencies to which a referral and those before it in its chain went; more than [`MOST_LINKS`] is no answer.
pub fn asked_before(conn: &mut Conn, last: &Referral) -> Result<Option<Vec<AgencyCode>>> {
    let mut asked = vec![last.to.clone()];
    let mut next = last.detail.redirected_from.clone();
    while let Some(link) = next {
        if asked.len() >= MOST_LINKS {
            return Ok(None);
        }
        asked.push(link.to);
        let (bucket, id) = link.referral.key();
        let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
        let keys = vault::keys(conn, [row.3])?;
        next = referral(row, &keys)?.detail.redirected_from;
    }
    Ok(Some(asked))
}

/// What a case's owner has not settled yet: drafts, those sent and those that run. Counter-referrals of others, which it
/// may not even see, hold nothing up.
pub fn open_count(conn: &mut Conn, case: CaseId, owner: &AgencyCode) -> Result<i64> {
    let open = State::ALL.into_iter().filter(|s| s.open()).map(State::as_str);
    Ok(t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .filter(t::from_agency.eq(owner.as_str()))
        .filter(t::state.eq_any(open.collect::<Vec<_>>()))
        .select(count_star())
        .first(conn)?)
}

/// The referrals of a case that are not at their end, whoever sent them.
pub fn open_of(conn: &mut Conn, case: CaseId) -> Result<Vec<ReferralId>> {
    let open = State::ALL.into_iter().filter(|s| s.open()).map(State::as_str);
    Ok(t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .filter(t::state.eq_any(open.collect::<Vec<_>>()))
        .select(t::id)
        .order(t::id.asc())
        .limit(1_000)
        .load(conn)?)
}

/// On what a referral rests, for those who account for disclosures.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The referral.
    pub referral: ReferralId,
    /// Purpose of use.
    pub purpose: String,
    /// Legal basis.
    pub legal_basis: String,
    /// The consent, where that is the basis.
    pub consent: Option<ConsentId>,
}

/// On what the referrals of a case rest.
pub fn bases(conn: &mut Conn, case: CaseId) -> Result<Vec<Basis>> {
    let rows: Vec<(ReferralId, Json)> = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .select((t::id, t::detail))
        .order(t::id.asc())
        .limit(1_000)
        .load(conn)?;
    rows.into_iter()
        .map(|(referral, detail)| {
            let ReferralDetail { purpose, legal_basis, consent_id, .. } = detail.read()?;
            Ok(Basis { referral, purpose, legal_basis, consent: consent_id })
        })
        .collect()
}

/// What a box is asked for.
#[derive(Clone, Debug)]
pub struct Filter {
    /// Which box.
    pub side: Side,
    /// Any of these states.
    pub states: Vec<String>,
    /// About this case.
    pub case: Option<CaseId>,
    /// Changed at or after.
    pub updated_from: Option<Timestamp>,
    /// Only what waits, and has waited too long or nearly so: then the first to end comes first.
    pub due: Option<Due>,
}

/// One page of a box, last change first. Supervisors have one of their own, and no other.
pub fn list(conn: &mut Conn, scope: &Scope, filter: &Filter, after: Option<&After>, limit: Limit) -> Result<Page<Referral>> {
    let Filter { side, states, case, updated_from, due } = filter;
    if scope.oversight() != (*side == Side::Watch) {
        return Ok(Page { items: Vec::new(), next: None });
    }
    let lane = scope.lane();
    if let Some(due) = due {
        let asked = desk::Filter { lane, side: *side, due: *due, states, case: *case, now: scope.at() };
        let Page { items, next } = desk::list(conn, &asked, after, limit)?;
        return Ok(Page { items: in_order(conn, items)?, next });
    }
    let mut query = referral_box::table
        .filter(referral_box::bucket.eq(scope.lane_bucket().number()))
        .filter(referral_box::agency_code.eq(lane))
        .filter(referral_box::side.eq(side.as_str()))
        .select((referral_box::referral_id, referral_box::updated_at))
        .order((referral_box::updated_at.desc(), referral_box::referral_id.desc()))
        .limit(limit.fetch())
        .into_boxed();
    if !states.is_empty() {
        query = query.filter(referral_box::state.eq_any(states));
    }
    if let Some(case) = case {
        query = query.filter(referral_box::case_id.eq(case));
    }
    if let Some(from) = updated_from {
        query = query.filter(referral_box::updated_at.ge(from));
    }
    if let Some(after) = after {
        let at = Timestamp::parse(&after.key).ok_or(Error::InvalidCursor)?;
        let id = ReferralId::from_uuid(after.id);
        // The plain bound lets the index start where the page starts.
        query = query.filter(referral_box::updated_at.le(at)).filter(
            referral_box::updated_at.lt(at).or(referral_box::updated_at.eq(at).and(referral_box::referral_id.lt(id))),
        );
    }
    let rows: Vec<(ReferralId, Timestamp)> = query.load(conn)?;
    let Page { items, next } = Page::cut(rows, limit, |(id, at)| After { key: at.to_string(), id: id.uuid() });
    let ids = items.into_iter().map(|(id, _)| id).collect();
    Ok(Page { items: in_order(conn, ids)?, next })
}

/// The referrals of these ids, in this order.
fn in_order(conn: &mut Conn, ids: Vec<ReferralId>) -> Result<Vec<Referral>> {
    let mut known = many(conn, &ids)?;
    let mut ordered = Vec::with_capacity(known.len());
    for id in ids {
        if let Some(at) = known.iter().position(|r| r.id == id) {
            ordered.push(known.swap_remove(at));
        }
    }
    Ok(ordered)
}

/// The referrals of these ids, in no order.
fn many(conn: &mut Conn, ids: &[ReferralId]) -> Result<Vec<Referral>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut buckets: Vec<i16> = ids.iter().map(|id| id.bucket().number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<Row> =
        t::table.filter(t::bucket.eq_any(buckets)).filter(t::id.eq_any(ids.to_vec())).select(columns()).load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.3))?;
    let mut found = rows.into_iter().map(|row| referral(row, &keys)).collect::<Result<Vec<_>>>()?;
    redirect(conn, &mut found)?;
    Ok(found)
}
