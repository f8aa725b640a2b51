//! The docket: one row per agency and case that it may see. The only thing that decides visibility.
//!
//! The owner has a row, each agency that shares the case has one, and oversight has a lane of its own. Rows are
//! written in the transaction that changes what they say. Lists are range scans of one lane.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use super::glass;
use super::sections::{Section, Sections};
use super::wire::CaseSort;
use crate::auth::Scope;
use crate::db::schema::{case_participant, docket};
use crate::db::{Clear, Conn, Json, Keep};
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{CaseId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::{insert_many, per_engine};

/// What a caller sees of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sight {
    /// How the caller stands to the case.
    pub relation: Relation,
    /// The sections that it sees.
    pub sections: Sections,
    /// The only victims that it sees; none means all of them.
    pub victims: Option<Vec<VictimId>>,
    /// The only victims whose identity it sees; none means all of those that it sees. Kept apart from `victims`:
    /// one grant may show every victim and another one the identity of one.
    pub identities: Option<Vec<VictimId>>,
}

/// Stored form of the two lists.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Only {
    victims: Option<Vec<VictimId>>,
    identities: Option<Vec<VictimId>>,
}

impl Clear for Only {}

/// How an agency stands to a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// Its own.
    Owner,
    /// Shared with it.
    Participant,
    /// Supervised.
    Oversight,
}

impl Relation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Participant => "participant",
            Self::Oversight => "oversight",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Owner, Self::Participant, Self::Oversight].into_iter().find(|r| r.as_str() == text)
    }
}

impl Sight {
    /// Whether a section is in sight.
    pub fn sees(&self, section: Section) -> bool {
        self.sections.has(section)
    }

    /// Whether this victim is in sight.
    pub fn sees_victim(&self, victim: VictimId) -> bool {
        self.sees(Section::Victims) && self.victims.as_ref().is_none_or(|only| only.contains(&victim))
    }

    /// Whether this victim's identity is in sight. Scope and purpose are the guard's business.
    pub fn sees_identity(&self, victim: VictimId) -> bool {
        self.sees(Section::VictimIdentity)
            && self.sees_victim(victim)
            && self.identities.as_ref().is_none_or(|only| only.contains(&victim))
    }

    /// The case's owner may go on; a participant may look, not touch.
    pub fn must_own(&self) -> Result<()> {
        match self.relation {
            Relation::Owner => Ok(()),
            Relation::Participant | Relation::Oversight => Err(Error::OwnerOnly),
        }
    }

    /// The section, or the same answer as for what does not exist.
    pub fn must_see(&self, section: Section) -> Result<()> {
        if self.sees(section) { Ok(()) } else { Err(Error::NotFound) }
    }

    /// The view part of an entity tag: differs where two callers' representations differ.
    pub fn view(&self) -> String {
        match self.relation {
            Relation::Owner => "o".to_owned(),
            Relation::Oversight => "s".to_owned(),
            Relation::Participant => format!("p{}", self.sections.tag()),
        }
    }
}

/// What the caller sees of a case; `NotFound` for what is absent or invisible alike.
pub fn sight(conn: &mut Conn, scope: &Scope, case: CaseId) -> Result<Sight> {
    // Said to the engine itself, here and at the other reads of hot paths: diesel knows such a statement by its type
    // and does not write its text anew.
    let row: Option<(String, String, Option<Json>)> = per_engine!(conn, c => docket::table
        .filter(docket::bucket.eq(scope.lane_bucket().number()))
        .filter(docket::agency_code.eq(scope.lane()))
        .filter(docket::case_id.eq(case))
        .select((docket::relation, docket::sections, docket::victim_ids))
        .first(c)
        .optional()?);
    let shared = row.map(|(relation, sections, victims)| read_sight(&relation, &sections, victims)).transpose()?;
    if let Some(sight) = &shared
        && sight.relation != Relation::Participant
    {
        return Ok(sight.clone());
    }
    let opened = glass::opened(conn, scope, &[case])?;
    let widen = |sight, opened| Some(glass::widen(scope, sight, opened));
    opened.into_iter().fold(shared, widen).ok_or(Error::NotFound)
}

fn read_sight(relation: &str, sections: &str, only: Option<Json>) -> Result<Sight> {
    let Only { victims, identities } = only.map(|o| o.read()).transpose()?.unwrap_or_default();
    let relation = Relation::parse(relation).ok_or_else(|| Error::internal("docket relation"))?;
    Ok(Sight {
        relation,
        sections: match relation {
            // Sections that came after the row was written are theirs too.
            Relation::Owner => Sections::ALL,
            Relation::Oversight => Sections::PSEUDONYMOUS,
            Relation::Participant => Sections::from_stored(sections),
        },
        victims,
        identities,
    })
}

/// What a docket row repeats of its case, so that lists filter and sort without reading cases.
#[derive(Clone, Debug)]
pub struct Listing {
    /// The case.
    pub case: CaseId,
    /// Its owner.
    pub owner: AgencyCode,
    /// Its stage.
    pub stage: String,
    /// UBIGEO code.
    pub territory: Option<String>,
    /// Forms of exploitation.
    pub exploitation: Vec<String>,
    /// When it was reported.
    pub reported_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Listing {
    fn exploitation_text(&self) -> String {
        format!(",{},", self.exploitation.join(","))
    }
}

impl Sight {
    /// The lists of persons as stored; nothing where neither narrows.
    fn only(&self) -> Result<Option<Json>> {
        let Self { victims, identities, .. } = self;
        if victims.is_none() && identities.is_none() {
            return Ok(None);
        }
        Json::of(&Only { victims: victims.clone(), identities: identities.clone() }).map(Some)
    }
}

/// Puts a case on a lane.
fn put(tx: &mut Conn, lane: &str, sight: &Sight, listing: &Listing) -> Result<()> {
    let bucket = lane_bucket(lane).number();
    let only = sight.only()?;
    let values = (
        docket::bucket.eq(bucket),
        docket::agency_code.eq(lane),
        docket::case_id.eq(listing.case),
        docket::relation.eq(sight.relation.as_str()),
        docket::owner_agency.eq(listing.owner.as_str()),
        docket::stage.eq(&listing.stage),
        docket::territory.eq(listing.territory.as_deref()),
        docket::exploitation.eq(listing.exploitation_text()),
        docket::reported_at.eq(listing.reported_at),
        docket::updated_at.eq(listing.updated_at),
        docket::sections.eq(sight.sections.to_string()),
        docket::victim_ids.eq(&only),
    );
    let made = per_engine!(tx, c => diesel::insert_into(docket::table).values(&values).on_conflict_do_nothing().execute(c)?);
    if made == 0 {
        diesel::update(row(lane, listing.case))
            .set((
                docket::relation.eq(sight.relation.as_str()),
                docket::sections.eq(sight.sections.to_string()),
                docket::victim_ids.eq(&only),
            ))
            .execute(tx)?;
    }
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn row<'a>(lane: &'a str, case: CaseId) -> _ {
    let bucket: i16 = lane_bucket(lane).number();
    docket::table.filter(docket::bucket.eq(bucket)).filter(docket::agency_code.eq(lane)).filter(docket::case_id.eq(case))
}

/// What an owner sees: everything.
pub fn owner_sight() -> Sight {
    Sight { relation: Relation::Owner, sections: Sections::ALL, victims: None, identities: None }
}

/// Opens the docket of new cases: the owner's row and the oversight lane's.
pub fn open(tx: &mut Conn, listings: &[Listing]) -> Result<()> {
    fn lanes(listing: &Listing) -> [(&str, Relation, Sections, &Listing); 2] {
        [
            (listing.owner.as_str(), Relation::Owner, Sections::ALL, listing),
            (OVERSIGHT_LANE, Relation::Oversight, Sections::PSEUDONYMOUS, listing),
        ]
    }
    let rows: Vec<(&str, Relation, Sections, &Listing)> = listings.iter().flat_map(lanes).collect();
    insert_many!(tx, "docket", rows, (lane, relation, sections, listing) => {
        "bucket" smallint = lane_bucket(lane).number(),
        "agency_code" text = *lane,
        "case_id" uuid = listing.case,
        "relation" text = relation.as_str(),
        "owner_agency" text = listing.owner.as_str(),
        "stage" text = listing.stage.as_str(),
        "territory" text_or_null = listing.territory.as_deref(),
        "exploitation" text = listing.exploitation_text(),
        "reported_at" timestamptz = listing.reported_at,
        "updated_at" timestamptz = listing.updated_at,
        "sections" text = sections.to_string(),
        "victim_ids" jsonb_or_null = None::<Json>,
    });
    Ok(())
}

/// Carries a change of the case to every lane that shows it.
pub fn refresh(tx: &mut Conn, listing: &Listing) -> Result<()> {
    let mut lanes: Vec<String> = case_participant::table
        .filter(case_participant::bucket.eq(listing.case.bucket().number()))
        .filter(case_participant::case_id.eq(listing.case))
        .filter(case_participant::ended_at.is_null())
        .select(case_participant::agency_code)
        .load(tx)?;
    lanes.push(listing.owner.to_string());
    lanes.push(OVERSIGHT_LANE.to_owned());
    lanes.sort();
    lanes.dedup();
    for lane in lanes {
        diesel::update(row(&lane, listing.case))
            .set((
                docket::stage.eq(&listing.stage),
                docket::territory.eq(listing.territory.as_deref()),
                docket::exploitation.eq(listing.exploitation_text()),
                docket::reported_at.eq(listing.reported_at),
                docket::updated_at.eq(listing.updated_at),
            ))
            .kept()
            .execute(tx)?;
    }
    Ok(())
}

type GrantRow = (String, Option<Json>);

/// Makes an agency's row say what its running participations grant together: the union of their sections and
/// victims, or no row at all.
pub fn settle(tx: &mut Conn, listing: &Listing, agency: &AgencyCode) -> Result<()> {
    if *agency == listing.owner {
        return Ok(());
    }
    let grants: Vec<GrantRow> = case_participant::table
        .filter(case_participant::bucket.eq(listing.case.bucket().number()))
        .filter(case_participant::case_id.eq(listing.case))
        .filter(case_participant::agency_code.eq(agency.as_str()))
        .filter(case_participant::ended_at.is_null())
        .select((case_participant::sections, case_participant::victim_ids))
        .load(tx)?;
    if grants.is_empty() {
        diesel::delete(row(agency.as_str(), listing.case)).execute(tx)?;
        return Ok(());
    }
    let mut sections = Sections::NONE;
    let (mut victims, mut identities) = (Named::default(), Named::default());
    for (granted, only) in grants {
        let granted = Sections::from_stored(&granted);
        let only: Option<Vec<VictimId>> = only.map(|o| o.read()).transpose()?;
        sections = sections.union(granted);
        // A grant speaks only for the sections that it has: not for whom another one shows.
        if granted.has(Section::Victims) {
            victims.add(only.as_ref());
        }
        if granted.has(Section::VictimIdentity) {
            identities.add(only.as_ref());
        }
    }
    let sight = Sight { relation: Relation::Participant, sections, victims: victims.list(), identities: identities.list() };
    put(tx, agency.as_str(), &sight, listing)
}

/// The persons that several grants name together.
#[derive(Default)]
struct Named {
    everybody: bool,
    some: Vec<VictimId>,
}

impl Named {
    /// One more grant: these, or everybody.
    fn add(&mut self, only: Option<&Vec<VictimId>>) {
        match only {
            None => self.everybody = true,
            Some(only) => self.some.extend(only),
        }
    }

    /// The list; none for everybody.
    fn list(mut self) -> Option<Vec<VictimId>> {
        if self.everybody {
            return None;
        }
        self.some.sort();
        self.some.dedup();
        Some(self.some)
    }
}

/// What a list asks for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Any of these stages.
    pub stages: Vec<String>,
    /// Owned by this agency.
    pub owner: Option<AgencyCode>,
    /// UBIGEO prefix.
    pub territory: Option<String>,
    /// One form of exploitation.
    pub exploitation: Option<String>,
    /// Reported at or after.
    pub reported_from: Option<Timestamp>,
    /// Reported before.
    pub reported_to: Option<Timestamp>,
    /// Changed at or after.
    pub updated_from: Option<Timestamp>,
    /// Only this case (found by one of its numbers).
    pub case: Option<CaseId>,
    /// Order.
    pub sort: CaseSort,
}

/// One row of a list.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The case.
    pub case: CaseId,
    /// What the caller sees of it.
    pub sight: Sight,
    sort_key: Timestamp,
}

type ListedRow = (CaseId, String, String, Option<Json>, Timestamp, Timestamp);

/// One page of the caller's lane.
pub fn list(conn: &mut Conn, scope: &Scope, filter: &Filter, after: Option<&After>, limit: Limit) -> Result<Page<Listed>> {
    let Filter { stages, owner, territory, exploitation, reported_from, reported_to, updated_from, case, sort } = filter;
    let mut query = docket::table
        .filter(docket::bucket.eq(scope.lane_bucket().number()))
        .filter(docket::agency_code.eq(scope.lane()))
        .select((
            docket::case_id,
            docket::relation,
            docket::sections,
            docket::victim_ids,
            docket::reported_at,
            docket::updated_at,
        ))
        .limit(limit.fetch())
        .into_boxed();
    match stages.as_slice() {
        [] => {}
        // One stage is an equality, so that the index by stage gives the order too.
        [one] => query = query.filter(docket::stage.eq(one)),
        several => query = query.filter(docket::stage.eq_any(several)),
    }
    if let Some(owner) = owner {
        query = query.filter(docket::owner_agency.eq(owner.as_str()));
    }
    if let Some(prefix) = territory {
        query = query.filter(docket::territory.ge(prefix).and(docket::territory.lt(format!("{prefix}~"))));
    }
    if let Some(form) = exploitation {
        query = query.filter(docket::exploitation.like(format!("%,{},%", form.replace('_', "\\_"))).escape('\\'));
    }
    if let Some(from) = reported_from {
        query = query.filter(docket::reported_at.ge(from));
    }
    if let Some(to) = reported_to {
        query = query.filter(docket::reported_at.lt(to));
    }
    if let Some(from) = updated_from {
        query = query.filter(docket::updated_at.ge(from));
    }
    if let Some(case) = case {
        query = query.filter(docket::case_id.eq(case));
    }
    let start = after
        .map(|a| Timestamp::parse(&a.key).map(|t| (t, CaseId::from_uuid(a.id))).ok_or(Error::InvalidCursor))
        .transpose()?;
    macro_rules! ordered {
        ($column:expr, $asc:ident, $cmp:ident) => {{
            if let Some((at, id)) = start {
                query = query.filter($column.$cmp(at).or($column.eq(at).and(docket::case_id.$cmp(id))));
                // The plain bound lets the index start where the page starts.
                query = query.filter(ordered!(@bound $column, $cmp, at));
            }
            query.order(($column.$asc(), docket::case_id.$asc()))
        }};
        (@bound $column:expr, lt, $at:expr) => { $column.le($at) };
        (@bound $column:expr, gt, $at:expr) => { $column.ge($at) };
    }
    let query = match sort {
        CaseSort::UpdatedDesc => ordered!(docket::updated_at, desc, lt),
        CaseSort::UpdatedAsc => ordered!(docket::updated_at, asc, gt),
        CaseSort::ReportedDesc => ordered!(docket::reported_at, desc, lt),
        CaseSort::ReportedAsc => ordered!(docket::reported_at, asc, gt),
    };
    let rows: Vec<ListedRow> = query.load(conn)?;
    let listed = rows
        .into_iter()
        .map(|(case, relation, sections, victims, reported_at, updated_at)| {
            let sort_key = match sort {
                CaseSort::UpdatedDesc | CaseSort::UpdatedAsc => updated_at,
                CaseSort::ReportedDesc | CaseSort::ReportedAsc => reported_at,
            };
            Ok(Listed { case, sight: read_sight(&relation, &sections, victims)?, sort_key })
        })
        .collect::<Result<Vec<Listed>>>()?;
    Ok(Page::cut(listed, limit, |l| After { key: l.sort_key.to_string(), id: l.case.uuid() }))
}

/// Whether the caller sees some of these cases as their owner, all of them outside a territory (UBIGEO prefix), and none
/// in any other way.
pub fn outside(conn: &mut Conn, scope: &Scope, cases: &[CaseId], territory: &str) -> Result<bool> {
    let mut beyond = false;
    for case in cases {
        let row: Option<(String, Option<String>)> = docket::table
            .filter(docket::bucket.eq(scope.lane_bucket().number()))
            .filter(docket::agency_code.eq(scope.lane()))
            .filter(docket::case_id.eq(case))
            .select((docket::relation, docket::territory))
            .first(conn)
            .optional()?;
        match row {
            None => {}
            Some((relation, Some(place))) if relation == Relation::Owner.as_str() && !place.starts_with(territory) => {
                beyond = true;
            }
            Some(_) => return Ok(false),
        }
    }
    Ok(beyond)
}

/// Of these cases, those that the caller sees.
pub fn sights(conn: &mut Conn, scope: &Scope, cases: &[CaseId]) -> Result<Vec<(CaseId, Sight)>> {
    // Nearly every person is of one case, and that statement is prepared already.
    if let [one] = cases {
        return match sight(conn, scope, *one) {
            Ok(sight) => Ok(vec![(*one, sight)]),
            Err(Error::NotFound) => Ok(Vec::new()),
            Err(other) => Err(other),
        };
    }
    let rows: Vec<(CaseId, String, String, Option<Json>)> = per_engine!(conn, c => docket::table
        .filter(docket::bucket.eq(scope.lane_bucket().number()))
        .filter(docket::agency_code.eq(scope.lane()))
        .filter(docket::case_id.eq_any(cases.to_vec()))
        .select((docket::case_id, docket::relation, docket::sections, docket::victim_ids))
        .load(c)?);
    let mut sights = rows
        .into_iter()
        .map(|(case, relation, sections, victims)| Ok((case, read_sight(&relation, &sections, victims)?)))
        .collect::<Result<Vec<_>>>()?;
    for opened in glass::opened(conn, scope, cases)? {
        let at = sights.iter().position(|(known, _)| *known == opened.case);
        let shared = at.map(|at| sights.swap_remove(at).1);
        sights.push((opened.case, glass::widen(scope, shared, opened)));
    }
    Ok(sights)
}

/// Which agencies besides its owner see a case, and what each of them sees of it. For projections: it asks nobody whether
/// the caller may know.
pub fn shares(conn: &mut Conn, case: CaseId) -> Result<Vec<(String, Sight)>> {
    let mut agencies: Vec<String> = case_participant::table
        .filter(case_participant::bucket.eq(case.bucket().number()))
        .filter(case_participant::case_id.eq(case))
        .filter(case_participant::ended_at.is_null())
        .select(case_participant::agency_code)
        .load(conn)?;
    agencies.sort();
    agencies.dedup();
    let mut shares = Vec::with_capacity(agencies.len());
    for agency in agencies {
        let found: Option<(String, String, Option<Json>)> =
            row(&agency, case).select((docket::relation, docket::sections, docket::victim_ids)).first(conn).optional()?;
        if let Some((relation, sections, only)) = found {
            let sight = read_sight(&relation, &sections, only)?;
            if sight.relation == Relation::Participant {
                shares.push((agency, sight));
            }
        }
    }
    Ok(shares)
}
