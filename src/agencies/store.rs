//! SQL of the agencies. A reference table: one key, no bucket.

use chrono::NaiveDate;
use diesel::prelude::*;

use super::model::{Agency, AgencyDetail};
use super::wire::AgencyNames;
use crate::catalogue::{AgencySeed, Catalogue};
use crate::db::schema::agency as t;
use crate::db::{Clear, Conn, Json};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::per_engine;

/// What the country column holds for bodies of no country (ISO 3166-1 leaves the code to its users).
const INTERNATIONAL: &str = "XX";

impl Clear for AgencyDetail {}

type Row = (String, i64, String, String, Option<String>, Option<String>, bool, Json, Timestamp, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::code,
        t::version,
        t::kind,
        t::country,
        t::territory,
        t::parent_code,
        t::oversight,
        t::detail,
        t::created_at,
        t::updated_at,
    )
}

fn agency(row: Row) -> Result<Agency> {
    let (code, version, kind, country, territory, parent, oversight, detail, created_at, updated_at) = row;
    let read = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in agency"));
    Ok(Agency {
        code: read(&code)?,
        version,
        kind,
        country: Some(country).filter(|c| c != INTERNATIONAL),
        territory,
        parent: parent.as_deref().map(read).transpose()?,
        oversight,
        detail: detail.read::<AgencyDetail>()?,
        created_at,
        updated_at,
    })
}

/// An agency.
pub fn find(conn: &mut Conn, code: &AgencyCode) -> Result<Agency> {
    let row: Row = t::table.filter(t::code.eq(code.as_str())).select(columns()).first(conn)?;
    agency(row)
}

/// Inserts an agency; false if the code is taken.
pub fn insert(tx: &mut Conn, new: &Agency) -> Result<bool> {
    let detail = Json::of(&new.detail)?;
    let made = per_engine!(tx, c => diesel::insert_into(t::table)
        .values((
            t::code.eq(new.code.as_str()),
            t::kind.eq(&new.kind),
            t::country.eq(new.country.as_deref().unwrap_or(INTERNATIONAL)),
            t::territory.eq(new.territory.as_deref()),
            t::parent_code.eq(new.parent.as_ref().map(AgencyCode::as_str)),
            t::oversight.eq(new.oversight),
            t::detail.eq(&detail),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::updated_at.eq(new.updated_at),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    Ok(made == 1)
}

/// Writes a changed agency over the version that it was read at.
pub fn update(tx: &mut Conn, agency: &Agency, read_at: i64) -> Result<()> {
    let moved = diesel::update(t::table.filter(t::code.eq(agency.code.as_str())).filter(t::version.eq(read_at)))
        .set((
            t::kind.eq(&agency.kind),
            t::territory.eq(agency.territory.as_deref()),
            t::parent_code.eq(agency.parent.as_ref().map(AgencyCode::as_str)),
            t::oversight.eq(agency.oversight),
            t::detail.eq(Json::of(&agency.detail)?),
            t::version.eq(agency.version),
            t::updated_at.eq(agency.updated_at),
        ))
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// Longest chain of parents that is followed.
const DEPTH: usize = 16;

/// Whether `code` would be its own ancestor under `parent`.
pub fn makes_a_loop(conn: &mut Conn, code: &AgencyCode, parent: &AgencyCode) -> Result<bool> {
    let mut next = Some(parent.to_string());
    for _ in 0..DEPTH {
        let Some(current) = next else { return Ok(false) };
        if current == code.as_str() {
            return Ok(true);
        }
        next =
            t::table.filter(t::code.eq(&current)).select(t::parent_code).first::<Option<String>>(conn).optional()?.flatten();
    }
    Ok(next.is_some())
}

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these kinds.
    pub kinds: Vec<String>,
    /// UBIGEO prefix.
    pub territory: Option<String>,
    /// Supervisors only, or none of them.
    pub oversight: Option<bool>,
}

/// One page of the directory, by code.
pub fn list(conn: &mut Conn, filter: &Filter, after: Option<&After>, limit: Limit) -> Result<Page<Agency>> {
    let Filter { kinds, territory, oversight } = filter;
    let mut query = t::table.select(columns()).order(t::code.asc()).limit(limit.fetch()).into_boxed();
    if !kinds.is_empty() {
        query = query.filter(t::kind.eq_any(kinds));
    }
    if let Some(prefix) = territory {
        query = query.filter(t::territory.ge(prefix).and(t::territory.lt(format!("{prefix}~"))));
    }
    if let Some(oversight) = oversight {
        query = query.filter(t::oversight.eq(*oversight));
    }
    if let Some(after) = after {
        query = query.filter(t::code.gt(&after.key));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let agencies = rows.into_iter().map(agency).collect::<Result<Vec<Agency>>>()?;
    Ok(Page::cut(agencies, limit, |a| After { key: a.code.to_string(), id: uuid::Uuid::nil() }))
}

/// The whole directory: a reference table, small on every node.
pub fn all(conn: &mut Conn) -> Result<Vec<Agency>> {
    let rows: Vec<Row> = t::table.select(columns()).order(t::code.asc()).load(conn)?;
    rows.into_iter().map(agency).collect()
}

/// What the registry may do with an agency on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Not in the directory.
    Absent,
    /// Not yet, or no longer, at work.
    Inactive,
    /// At work.
    Active {
        /// Whether it supervises.
        oversight: bool,
    },
}

/// How an agency stands on a day.
pub fn standing(conn: &mut Conn, code: &AgencyCode, day: NaiveDate) -> Result<Standing> {
    let row: Option<(bool, Json)> =
        t::table.filter(t::code.eq(code.as_str())).select((t::oversight, t::detail)).first(conn).optional()?;
    Ok(match row {
        None => Standing::Absent,
        Some((oversight, detail)) if detail.read::<AgencyDetail>()?.active_on(day) => Standing::Active { oversight },
        Some(_) => Standing::Inactive,
    })
}

/// The codes of the whole directory.
pub fn codes(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(t::table.select(t::code).order(t::code.asc()).load(conn)?)
}

/// The kind of an agency: code list `agency_kind`.
pub fn kind(conn: &mut Conn, code: &AgencyCode) -> Result<String> {
    Ok(t::table.filter(t::code.eq(code.as_str())).select(t::kind).first(conn)?)
}

/// Whether an agency supervises; none where there is no such agency.
pub fn oversight(conn: &mut Conn, code: &AgencyCode) -> Result<Option<bool>> {
    Ok(t::table.filter(t::code.eq(code.as_str())).select(t::oversight).first(conn).optional()?)
}

/// Whether an agency is in the directory and at work today.
pub fn exists_active(conn: &mut Conn, code: &AgencyCode) -> Result<bool> {
    Ok(matches!(standing(conn, code, Timestamp::now().date())?, Standing::Active { .. }))
}

/// Puts the catalogue's agencies into the directory, parents first; answers how many were new. Rows that are
/// there stay as they are: an operator's change outlives a restart.
pub fn seed(conn: &mut Conn, catalogue: &Catalogue, now: Timestamp) -> Result<usize> {
    let known: Vec<String> = t::table.select(t::code).load(conn)?;
    let mut known: std::collections::BTreeSet<String> = known.into_iter().collect();
    let mut waiting = Vec::new();
    for seed in catalogue.agencies() {
        if !known.contains(seed.code.as_str()) {
            waiting.push(of_seed(seed, now)?);
        }
    }
    let mut made = 0;
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut later = Vec::new();
        for new in waiting {
            if new.parent.as_ref().is_some_and(|p| !known.contains(p.as_str())) {
                later.push(new);
                continue;
            }
            made += usize::from(insert(conn, &new)?);
            known.insert(new.code.to_string());
        }
        if later.len() == before {
            return Err(Error::internal("an agency of the catalogue names a parent that is not in it"));
        }
        waiting = later;
    }
    Ok(made)
}

/// The agencies that supervise the others.
pub fn supervisors(conn: &mut Conn) -> Result<Vec<String>> {
    Ok(t::table.filter(t::oversight.eq(true)).select(t::code).order(t::code.asc()).limit(1_000).load(conn)?)
}

fn of_seed(seed: &AgencySeed, now: Timestamp) -> Result<Agency> {
    let code = |text: &str| AgencyCode::parse(text).ok_or_else(|| Error::internal("agency code in the catalogue"));
    let AgencySeed { code: own, labels, kind, parent, country, territory, oversight, services, offences: _ } = seed;
    Ok(Agency {
        code: code(own.as_str())?,
        version: 1,
        kind: kind.clone(),
        country: country.clone(),
        territory: territory.clone(),
        parent: parent.as_deref().map(code).transpose()?,
        oversight: *oversight,
        detail: AgencyDetail {
            names: AgencyNames { es: labels.es.clone(), en: labels.en.clone(), fr: labels.fr.clone() },
            services: services.clone(),
            active_from: None,
            active_to: None,
        },
        created_at: now,
        updated_at: now,
    })
}
