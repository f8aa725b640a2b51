//! SQL of the proposals of releases. They are few, so all of them lie in one bucket.

use diesel::prelude::*;

use super::memory::AsOf;
use super::proposal::{Detail, Proposal, State};
use crate::db::schema::statistics_proposal as t;
use crate::db::{Clear, Conn, Json};
use crate::kernel::ids::{ClientId, ReleaseProposalId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Bucket, Error, Result, Timestamp};

impl Clear for Detail {}

/// The bucket of all proposals.
pub fn bucket() -> Result<Bucket> {
    Bucket::new(0).ok_or_else(|| Error::internal("the first bucket"))
}

type Row = (
    ReleaseProposalId,
    i64,
    String,
    String,
    i64,
    Option<Timestamp>,
    i64,
    String,
    Option<String>,
    Option<ClientId>,
    Json,
    Timestamp,
    Timestamp,
);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::period,
        t::state,
        t::position,
        t::at,
        t::skipped,
        t::sha256,
        t::agency_code,
        t::client_id,
        t::detail,
        t::created_at,
        t::updated_at,
    )
}

fn proposal(row: Row) -> Result<Proposal> {
    let (id, version, period, state, position, at, skipped, sha256, agency, client, detail, created_at, updated_at) = row;
    let agency = agency.map(|code| AgencyCode::parse(&code).ok_or_else(|| Error::internal("agency code in a proposal")));
    Ok(Proposal {
        id,
        version,
        period,
        state: State::parse(&state).ok_or_else(|| Error::internal("state of a proposal"))?,
        as_of: AsOf { position, at, skipped: u64::try_from(skipped).unwrap_or(0) },
        sha256,
        agency: agency.transpose()?,
        client,
        detail: detail.read()?,
        created_at,
        updated_at,
    })
}

/// Inserts a proposal. A period has one that is open, and no more.
pub fn insert(tx: &mut Conn, new: &Proposal) -> Result<()> {
    let (bucket, id) = new.id.key();
    let open: i64 = t::table
        .filter(t::bucket.eq(bucket))
        .filter(t::period.eq(&new.period))
        .filter(t::state.eq(State::Proposed.as_str()))
        .select(diesel::dsl::count_star())
        .first(tx)?;
    if open > 0 {
        return Err(Error::StateConflict(vec!["already_proposed".into()]));
    }
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::version.eq(new.version),
            t::period.eq(&new.period),
            t::state.eq(new.state.as_str()),
            t::position.eq(new.as_of.position),
            t::at.eq(new.as_of.at),
            t::skipped.eq(i64::try_from(new.as_of.skipped).unwrap_or(i64::MAX)),
            t::sha256.eq(&new.sha256),
            t::agency_code.eq(new.agency.as_ref().map(AgencyCode::as_str)),
            t::client_id.eq(new.client),
            t::detail.eq(Json::of(&new.detail)?),
            t::created_at.eq(new.created_at),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// One proposal.
pub fn find(conn: &mut Conn, id: ReleaseProposalId) -> Result<Proposal> {
    let (bucket, id) = id.key();
    proposal(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?)
}

/// Writes a decided proposal over the version that it was read at.
pub fn update(tx: &mut Conn, after: &Proposal, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::state.eq(after.state.as_str()),
            t::detail.eq(Json::of(&after.detail)?),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// One page of proposals, oldest first.
pub fn list(conn: &mut Conn, after: Option<&After>, limit: Limit) -> Result<Page<Proposal>> {
    let mut query = t::table
        .filter(t::bucket.eq(bucket()?.number()))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.gt(ReleaseProposalId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let all = rows.into_iter().map(proposal).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(all, limit, |p| After { key: String::new(), id: p.id.uuid() }))
}
