//! SQL of the records of programmes.

use diesel::prelude::*;
use diesel::sql_types::Bool;

use super::record::{Content, Record, home};
use crate::act::Act;
use crate::db::connection::MultiBackend;
use crate::db::schema::programme as t;
use crate::db::{Conn, Json};
use crate::kernel::ids::Kind;
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Id, Result, Timestamp};
use crate::vault::{self, Keys};

type Row<C> = (Id<<C as Content>::Kind>, i64, String, String, Json, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (t::id, t::version, t::created_by_agency, t::state, t::detail, t::created_at, t::updated_at)
}

fn record<C: Content>(row: Row<C>, keys: &Keys) -> Result<Record<C>> {
    let (id, version, owner, state, detail, created_at, updated_at) = row;
    Ok(Record {
        id,
        version,
        owner: AgencyCode::parse(&owner).ok_or_else(|| Error::internal("agency code in programme"))?,
        state,
        content: keys.open(id, id, &detail)?,
        created_at,
        updated_at,
    })
}

fn tags<C: Content>(content: &C) -> String {
    let mut tags = content.tags();
    tags.sort();
    tags.dedup();
    format!(",{},", tags.join(","))
}

/// Inserts a record.
pub fn insert<C: Content>(tx: &mut Conn, act: &Act, new: &Record<C>) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a programme without a client"))?;
    let (bucket, id) = new.id.key();
    let (from, until) = new.content.years();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::kind.eq(<C::Kind as Kind>::NAME),
            t::state.eq(&new.state),
            t::from_year.eq(from),
            t::until_year.eq(until),
            t::tags.eq(tags(&new.content)),
            t::detail.eq(vault::seal(tx, id, id, &new.content)?),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::created_by_agency.eq(new.owner.as_str()),
            t::created_by_client.eq(client),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A record.
pub fn find<C: Content>(conn: &mut Conn, id: Id<C::Kind>) -> Result<Record<C>> {
    let (bucket, id) = id.key();
    let row: Row<C> = t::table
        .filter(t::bucket.eq(bucket))
        .filter(t::id.eq(id))
        .filter(t::kind.eq(<C::Kind as Kind>::NAME))
        .select(columns())
        .first(conn)?;
    let keys = vault::keys(conn, [row.0])?;
    record(row, &keys)
}

/// Writes a changed record over the version that it was read at.
pub fn update<C: Content>(tx: &mut Conn, after: &Record<C>, read_at: i64) -> Result<()> {
    let (bucket, id) = after.id.key();
    let (from, until) = after.content.years();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::state.eq(&after.state),
            t::from_year.eq(from),
            t::until_year.eq(until),
            t::tags.eq(tags(&after.content)),
            t::detail.eq(vault::seal(tx, id, id, &after.content)?),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Counted in any of these years, both included.
    pub years: Option<(i16, i16)>,
    /// Any of these states.
    pub states: Vec<String>,
    /// Of this agency.
    pub owner: Option<AgencyCode>,
    /// Of each group any tag.
    pub tags: Vec<Vec<String>>,
}

impl Filter {
    /// Narrows to records that have any of these codes under a name; no codes, no narrowing.
    pub fn any(&mut self, name: &str, codes: &[String]) {
        if !codes.is_empty() {
            self.tags.push(codes.iter().map(|code| format!("{name}:{code}")).collect());
        }
    }
}

type Condition = Box<dyn BoxableExpression<t::table, MultiBackend, SqlType = Bool>>;

/// Any of some tags.
fn any_of(tags: &[String]) -> Option<Condition> {
    let mut conditions = tags.iter().map(|tag| -> Condition {
        // A code may have an underscore, which LIKE would take for any letter.
        Box::new(t::tags.like(format!("%,{},%", tag.replace('_', "\\_"))).escape('\\'))
    });
    let first = conditions.next()?;
    Some(conditions.fold(first, |any, one| Box::new(any.or(one))))
}

/// The records of a kind that match.
macro_rules! matching {
    ($kind:ty, $filter:expr, $select:expr) => {{
        let Filter { years, states, owner, tags } = $filter;
        let mut query = t::table
            .filter(t::bucket.eq(home::<$kind>().number()))
            .filter(t::kind.eq(<<$kind as Content>::Kind as Kind>::NAME))
            .select($select)
            .order(t::id.asc())
            .into_boxed();
        if let Some((from, until)) = years {
            query = query.filter(t::from_year.le(*until)).filter(t::until_year.ge(*from));
        }
        if !states.is_empty() {
            query = query.filter(t::state.eq_any(states));
        }
        if let Some(owner) = owner {
            query = query.filter(t::created_by_agency.eq(owner.as_str()));
        }
        for condition in tags.iter().filter_map(|group| any_of(group)) {
            query = query.filter(condition);
        }
        query
    }};
}

/// One page, oldest first.
pub fn list<C: Content>(conn: &mut Conn, filter: &Filter, after: Option<&After>, limit: Limit) -> Result<Page<Record<C>>> {
    let mut query = matching!(C, filter, columns()).limit(limit.fetch());
    if let Some(after) = after {
        query = query.filter(t::id.gt(Id::<C::Kind>::from_uuid(after.id)));
    }
    let rows: Vec<Row<C>> = query.load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.0))?;
    let records = rows.into_iter().map(|row| record(row, &keys)).collect::<Result<Vec<Record<C>>>>()?;
    Ok(Page::cut(records, limit, |r| After { key: String::new(), id: r.id.uuid() }))
}

/// Rows that one statement of [`each`] reads.
const BATCH: i64 = 1_000;

/// Shows the clear part of everything that matches, without opening what is sealed: for totals, which are computed and
/// never stored.
pub fn each<C: Content>(conn: &mut Conn, filter: &Filter, mut see: impl FnMut(C)) -> Result<()> {
    let mut last: Option<Id<C::Kind>> = None;
    loop {
        let mut query = matching!(C, filter, (t::id, t::detail)).limit(BATCH);
        if let Some(last) = last {
            query = query.filter(t::id.gt(last));
        }
        let rows: Vec<(Id<C::Kind>, Json)> = query.load(conn)?;
        let full = i64::try_from(rows.len()).is_ok_and(|n| n == BATCH);
        last = rows.last().map(|(id, _)| *id);
        for (_, detail) in rows {
            see(vault::guarded::without(&detail)?);
        }
        if !full {
            return Ok(());
        }
    }
}
