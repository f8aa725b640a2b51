//! What the feed must look up of a resource to know who sees it: its cases, their owners and those who share them. Owns
//! that SQL; the statements of a batch are as many as its kinds of resource, whatever its length.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, SmallInt, Text};

use super::model::Way;
use crate::db::schema::referral_box;
use crate::db::types::IdSql;
use crate::db::{Conn, Keep};
use crate::kernel::Result;
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{ReferralId, ResourceId};
use crate::persons::merges;

/// What was found of a resource: its case, and what its way needs.
#[derive(Clone, Debug, QueryableByName)]
pub struct Found {
    /// What was looked for.
    #[diesel(sql_type = IdSql)]
    pub id: ResourceId,
    /// The case.
    #[diesel(sql_type = Nullable<IdSql>)]
    pub case_id: Option<ResourceId>,
    /// The person whom it concerns, or the client whose it is.
    #[diesel(sql_type = Nullable<IdSql>)]
    pub person_id: Option<ResourceId>,
    /// An agency, or a gate.
    #[diesel(sql_type = Nullable<Text>)]
    pub word: Option<String>,
    /// Another agency, or a state.
    #[diesel(sql_type = Nullable<Text>)]
    pub other: Option<String>,
}

/// A look at a table by ids: the columns that give case, person and two words, empty for none.
struct Look {
    table: &'static str,
    key: &'static str,
    case: &'static str,
    person: &'static str,
    word: &'static str,
    other: &'static str,
    only: &'static str,
}

impl Look {
    const fn at(table: &'static str) -> Self {
        Self { table, key: "id", case: "t.case_id", person: "", word: "", other: "", only: "" }
    }

    fn columns(&self, id: &str, word: &str) -> String {
        let or = |column: &'static str, kind: &str| {
            if column.is_empty() { format!("CAST(NULL AS {kind})") } else { column.to_owned() }
        };
        format!(
            "t.{} AS id, {} AS case_id, {} AS person_id, {} AS word, {} AS other",
            self.key,
            or(self.case, id),
            or(self.person, id),
            or(self.word, word),
            or(self.other, word)
        )
    }

    /// Everything about these ids. One statement on PostgreSQL, each id in its own bucket; one per id on SQLite.
    fn find(&self, conn: &mut Conn, ids: &BTreeSet<ResourceId>) -> Result<Vec<Found>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (table, key, only) = (self.table, self.key, self.only);
        match conn {
            Conn::Postgres(c) => {
                let sql = format!(
                    "SELECT {} FROM unnest($1::smallint[], $2::uuid[]) AS w (bucket, id) JOIN {table} t ON t.bucket = w.bucket AND t.{key} = w.id{only}",
                    self.columns("uuid", "text")
                );
                Ok(diesel::sql_query(sql)
                    .bind::<Array<SmallInt>, _>(ids.iter().map(|id| id.bucket().number()).collect::<Vec<_>>())
                    .bind::<Array<IdSql>, _>(ids.iter().copied().collect::<Vec<_>>())
                    .kept()
                    .load(c)?)
            }
            Conn::Sqlite(c) => {
                let sql = format!("SELECT {} FROM {table} t WHERE t.{key} = ?{only}", self.columns("BLOB", "TEXT"));
                let mut found = Vec::new();
                for id in ids {
                    found.extend(diesel::sql_query(&sql).bind::<IdSql, _>(*id).kept().load::<Found>(c)?);
                }
                Ok(found)
            }
        }
    }
}

const VICTIM: Look = Look { key: "victim_id", ..Look::at("victim_case") };
const ACCUSED: Look = Look { key: "accused_id", ..Look::at("accused_case") };
const CONSENT: Look = Look { case: "", person: "t.victim_id", ..Look::at("consent") };
const CARE: Look = Look { case: "", person: "t.victim_id", ..Look::at("care_process") };
const ASSISTANCE: Look =
    Look { case: "", person: "t.victim_id", word: "t.provider_code", other: "t.state", ..Look::at("assistance") };
const REUNIFICATION: Look = Look {
    case: "",
    person: "t.victim_id",
    word: "t.sponsor_code",
    other: "CASE WHEN CAST(t.detail->>'consent_withdrawn' AS text) IN ('true', '1') THEN 'withdrawn' END",
    ..Look::at("reunification")
};
/// Records that were found to be of one person with another.
const MERGED: Look = Look { key: "person_id", case: "", ..Look::at("person_merge") };
const CORRECTION: Look = Look { case: "", word: "t.from_agency", other: "t.owner_agency", ..Look::at("correction") };
const JOB: Look = Look { case: "", person: "t.client_id", word: "t.agency_code", ..Look::at("job") };
const MEASURE: Look = Look {
    person: "coalesce(t.victim_id, t.accused_id)",
    word: "CASE WHEN t.victim_id IS NOT NULL THEN 'victim' WHEN t.accused_id IS NOT NULL THEN 'accused' ELSE 'case' END",
    ..Look::at("measure")
};
const NOTE: Look = Look { word: "t.agency_code", other: "t.visibility", ..Look::at("note") };
const GLASS: Look = Look { word: "t.agency_code", ..Look::at("break_glass") };
const REFERRAL: Look = Look { word: "t.from_agency", other: "t.to_agency", ..Look::at("referral") };
const OWNERS: Look = Look { case: "t.id", word: "t.owner_agency", ..Look::at("case_file") };
const SHARED: Look =
    Look { key: "case_id", word: "t.agency_code", only: " AND t.ended_at IS NULL", ..Look::at("case_participant") };

/// Rows by the id that was looked for.
fn by_id(rows: Vec<Found>) -> HashMap<ResourceId, Vec<Found>> {
    let mut map: HashMap<ResourceId, Vec<Found>> = HashMap::new();
    for row in rows {
        map.entry(row.id).or_default().push(row);
    }
    map
}

/// Everything that was looked up for a batch.
#[derive(Default)]
pub struct Ties {
    /// By way: the rows of each resource.
    rows: BTreeMap<&'static str, HashMap<ResourceId, Vec<Found>>>,
    /// Owner of each case.
    pub owners: HashMap<ResourceId, String>,
    /// Agencies that share each case.
    shared: HashMap<ResourceId, BTreeSet<String>>,
    /// Referrals that lie in their receiver's box.
    pub received: BTreeSet<ReferralId>,
    /// Of a record that was merged: all records of the person.
    same: HashMap<ResourceId, Vec<ResourceId>>,
}

/// The table that a way begins with.
pub fn table(way: Way) -> &'static str {
    look(way).map_or("", |look| look.table)
}

/// The look that a way begins with.
fn look(way: Way) -> Option<Look> {
    match way {
        Way::Case | Way::Own | Way::Nobody => None,
        Way::Part(table) => Some(Look::at(table)),
        Way::Victim => Some(VICTIM),
        Way::Accused => Some(ACCUSED),
        Way::Consent => Some(CONSENT),
        Way::Care => Some(CARE),
        Way::Assistance => Some(ASSISTANCE),
        Way::Reunification => Some(REUNIFICATION),
        Way::Correction => Some(CORRECTION),
        Way::Job => Some(JOB),
        Way::Measure => Some(MEASURE),
        Way::Note => Some(NOTE),
        Way::Glass => Some(GLASS),
        Way::Referral => Some(REFERRAL),
    }
}

impl Ties {
    /// Looks up everything about these resources. With `true` it is a person of whom nobody says which kind.
    pub fn find(conn: &mut Conn, resources: impl Iterator<Item = (Way, ResourceId, bool)>) -> Result<Self> {
        let mut ties = Self::default();
        let mut wanted: BTreeMap<&'static str, (Look, BTreeSet<ResourceId>)> = BTreeMap::new();
        let mut want = |look: Look, id: ResourceId| {
            wanted.entry(look.table).or_insert_with(|| (look, BTreeSet::new())).1.insert(id);
        };
        let mut cases: BTreeSet<ResourceId> = BTreeSet::new();
        for (way, id, either) in resources {
            match look(way) {
                Some(look) => want(look, id),
                None if way == Way::Case => {
                    cases.insert(id);
                }
                None => {}
            }
            if either {
                want(ACCUSED, id);
            }
        }
        let mut persons: BTreeMap<&'static str, (Look, BTreeSet<ResourceId>)> = BTreeMap::new();
        for (table, (look, ids)) in wanted {
            if [VICTIM.table, ACCUSED.table].contains(&table) {
                persons.insert(table, (look, ids));
            } else {
                ties.rows.insert(table, by_id(look.find(conn, &ids)?));
            }
        }
        // A consent leads to its victim, and the victim to the cases: those of every record of the person.
        let helped = ["consent", "care_process", "assistance", "reunification"].into_iter().flat_map(|table| ties.of(table));
        let victims: BTreeSet<ResourceId> = helped.filter_map(|row| row.person_id).collect();
        persons.entry(VICTIM.table).or_insert_with(|| (VICTIM, BTreeSet::new())).1.extend(victims);
        for (table, (look, mut ids)) in persons {
            for merged in by_id(MERGED.find(conn, &ids)?).into_keys() {
                let records = merges::records(conn, merged)?;
                ids.extend(records.iter().copied());
                ties.same.insert(merged, records);
            }
            ties.rows.insert(table, by_id(look.find(conn, &ids)?));
        }
        cases.extend(ties.rows.values().flat_map(HashMap::values).flatten().filter_map(|row| row.case_id));
        for row in OWNERS.find(conn, &cases)? {
            ties.owners.extend(row.word.map(|owner| (row.id, owner)));
        }
        for row in SHARED.find(conn, &cases)? {
            ties.shared.entry(row.id).or_default().extend(row.word);
        }
        let boxes: Vec<(ReferralId, String)> =
            ties.of("referral").filter_map(|row| Some((ReferralId::from_uuid(row.id.uuid()), row.other.clone()?))).collect();
        ties.received = received(conn, &boxes)?;
        Ok(ties)
    }

    fn of(&self, table: &'static str) -> impl Iterator<Item = &Found> {
        self.rows.get(table).into_iter().flat_map(HashMap::values).flatten()
    }

    /// What was found of a resource in a table.
    pub fn rows(&self, table: &'static str, id: ResourceId) -> &[Found] {
        self.rows.get(table).and_then(|rows| rows.get(&id)).map_or(&[], Vec::as_slice)
    }

    /// The places of a person in cases, each with the record that stands there.
    pub fn places(&self, table: &'static str, person: ResourceId) -> Vec<(ResourceId, Option<ResourceId>)> {
        let alone = [person];
        let records = self.same.get(&person).map_or(alone.as_slice(), Vec::as_slice);
        let rows = records.iter().flat_map(|record| self.rows(table, *record));
        rows.map(|row| (row.id, row.case_id)).collect()
    }

    /// Owner, oversight and all who share the case.
    pub fn lanes(&self, case: ResourceId) -> BTreeSet<String> {
        let Some(owner) = self.owners.get(&case) else { return BTreeSet::new() };
        let mut lanes = self.shared.get(&case).cloned().unwrap_or_default();
        lanes.extend([owner.clone(), OVERSIGHT_LANE.to_owned()]);
        lanes
    }

    /// Whether an agency has a part in a case.
    pub fn still_sees(&self, case: ResourceId, agency: &str) -> bool {
        self.owners.get(&case).is_some_and(|owner| owner == agency)
            || self.shared.get(&case).is_some_and(|agencies| agencies.contains(agency))
    }
}

/// Of these referrals, those that lie in the box of their receiver.
fn received(conn: &mut Conn, sent: &[(ReferralId, String)]) -> Result<BTreeSet<ReferralId>> {
    let mut found = BTreeSet::new();
    for (id, agency) in sent {
        let there: Option<ReferralId> = referral_box::table
            .filter(referral_box::bucket.eq(lane_bucket(agency).number()))
            .filter(referral_box::agency_code.eq(agency))
            .filter(referral_box::side.eq("in"))
            .filter(referral_box::referral_id.eq(id))
            .select(referral_box::referral_id)
            .first(conn)
            .optional()?;
        found.extend(there);
    }
    Ok(found)
}
