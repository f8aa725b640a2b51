//! Lays sealed changes on the lanes of those who see the record. The sealer calls this before it seals, and writes what
//! comes of it in the transaction that gives the positions: no event without a position, none twice, none left out.
//!
//! Who sees the record is asked after the change is visible, some 100 ms behind it. Whoever was let in before the change
//! is on the list, whoever was let in later has `access.granted` behind it, and whoever was shut out has `access.revoked`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::prelude::*;
use diesel::sql_types::{Array, Nullable, SmallInt, Text};
use serde::Deserialize;

use super::model::{self, Gate, Told, Way, followed, told};
use crate::db::schema::referral_box;
use crate::db::types::IdSql;
use crate::db::{Conn, Json, Keep};
use crate::kernel::Result;
use crate::kernel::agency_code::{OVERSIGHT_LANE, lane_bucket};
use crate::kernel::ids::{ReferralId, ResourceId};
use crate::ledger::Action;
use crate::ledger::leaf::Record;
use crate::persons::merges;

/// An event on its way to a lane.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Which of the records.
    pub index: usize,
    /// The lane.
    pub lane: String,
    /// Its type.
    pub kind: String,
    /// Type of the resource.
    pub resource_type: String,
    /// The resource.
    pub resource_id: ResourceId,
    /// What a reader must see.
    pub gate: Gate,
    /// The scope that a reader must have.
    pub scope: &'static str,
    /// The case by which it is seen.
    pub case: Option<ResourceId>,
    /// The person whom it is about.
    pub person: Option<ResourceId>,
}

/// The part of a payload that decides.
#[derive(Default, Deserialize)]
#[serde(default)]
struct What {
    to: Option<String>,
    agency: Option<String>,
}

/// What was found of a resource: its case, and what its way needs.
#[derive(Clone, Debug, QueryableByName)]
struct Found {
    #[diesel(sql_type = IdSql)]
    id: ResourceId,
    #[diesel(sql_type = Nullable<IdSql>)]
    case_id: Option<ResourceId>,
    #[diesel(sql_type = Nullable<IdSql>)]
    person_id: Option<ResourceId>,
    #[diesel(sql_type = Nullable<Text>)]
    word: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    other: Option<String>,
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

/// One record on its way: what it says, and the ties that were found of it.
struct Change<'r> {
    index: usize,
    record: &'r Record,
    told: Told,
    action: Action,
    what: What,
    way: Way,
    gate: Gate,
    scope: &'static str,
}

impl<'r> Change<'r> {
    fn of(index: usize, record: &'r Record) -> Option<Self> {
        let action = Action::parse(&record.action)?;
        let told = told(action);
        // Somebody asked for a person: victim or accused, the ledger does not say which.
        let name = match told {
            Told::No => return None,
            Told::AskedFor => "victim",
            _ => record.resource_type.as_str(),
        };
        let Some(known) = followed(name) else {
            log::error!(target: "sistra::events", "the feed does not know the resource type {name}");
            return None;
        };
        let what = record.payload.as_ref().and_then(|p: &Json| p.read().ok()).unwrap_or_default();
        (known.way != Way::Nobody).then_some(Self {
            index,
            record,
            told,
            action,
            what,
            way: known.way,
            gate: known.gate,
            scope: known.scope,
        })
    }
}

/// Everything that was looked up for a batch.
#[derive(Default)]
struct Ties {
    /// By way: the rows of each resource.
    rows: BTreeMap<&'static str, HashMap<ResourceId, Vec<Found>>>,
    /// Owner of each case.
    owners: HashMap<ResourceId, String>,
    /// Agencies that share each case.
    shared: HashMap<ResourceId, BTreeSet<String>>,
    /// Referrals that lie in their receiver's box.
    received: BTreeSet<ReferralId>,
    /// Of a record that was merged: all records of the person.
    same: HashMap<ResourceId, Vec<ResourceId>>,
}

/// The look that a way begins with.
fn look(way: Way) -> Option<Look> {
    match way {
        Way::Case | Way::Own | Way::Nobody => None,
        Way::Part(table) => Some(Look::at(table)),
        Way::Victim => Some(VICTIM),
        Way::Accused => Some(ACCUSED),
        Way::Consent => Some(CONSENT),
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
    fn find(conn: &mut Conn, changes: &[Change<'_>]) -> Result<Self> {
        let mut ties = Self::default();
        let mut wanted: BTreeMap<&'static str, (Look, BTreeSet<ResourceId>)> = BTreeMap::new();
        let mut want = |look: Look, id: ResourceId| {
            wanted.entry(look.table).or_insert_with(|| (look, BTreeSet::new())).1.insert(id);
        };
        let mut cases: BTreeSet<ResourceId> = BTreeSet::new();
        for change in changes {
            match look(change.way) {
                Some(look) => want(look, change.record.resource_id),
                None if change.way == Way::Case => {
                    cases.insert(change.record.resource_id);
                }
                None => {}
            }
            if change.told == Told::AskedFor {
                want(ACCUSED, change.record.resource_id);
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
        let helped = ["consent", "assistance", "reunification"].into_iter().flat_map(|table| ties.of(table));
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

    fn rows(&self, table: &'static str, id: ResourceId) -> &[Found] {
        self.rows.get(table).and_then(|rows| rows.get(&id)).map_or(&[], Vec::as_slice)
    }

    /// The places of a person in cases, each with the record that stands there.
    fn places(&self, table: &'static str, person: ResourceId) -> Vec<(ResourceId, Option<ResourceId>)> {
        let alone = [person];
        let records = self.same.get(&person).map_or(alone.as_slice(), Vec::as_slice);
        let rows = records.iter().flat_map(|record| self.rows(table, *record));
        rows.map(|row| (row.id, row.case_id)).collect()
    }

    /// Owner, oversight and all who share the case.
    fn lanes(&self, case: ResourceId) -> BTreeSet<String> {
        let Some(owner) = self.owners.get(&case) else { return BTreeSet::new() };
        let mut lanes = self.shared.get(&case).cloned().unwrap_or_default();
        lanes.extend([owner.clone(), OVERSIGHT_LANE.to_owned()]);
        lanes
    }

    fn still_sees(&self, case: ResourceId, agency: &str) -> bool {
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

/// The events of a batch of entries, on every lane, in the order of the entries.
pub fn project(conn: &mut Conn, records: &[Record]) -> Result<Vec<NewEvent>> {
    let changes: Vec<Change<'_>> =
        records.iter().enumerate().filter_map(|(index, record)| Change::of(index, record)).collect();
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let ties = Ties::find(conn, &changes)?;
    Ok(changes.iter().flat_map(|change| laid(change, &ties)).collect())
}

fn laid(change: &Change<'_>, ties: &Ties) -> Vec<NewEvent> {
    let (record, id) = (change.record, change.record.resource_id);
    let to = change.what.to.as_deref();
    let base = NewEvent {
        index: change.index,
        lane: String::new(),
        kind: match change.told {
            Told::Erasure => model::ERASED.to_owned(),
            Told::AskedFor => model::MATCHED.to_owned(),
            _ => model::change(&record.resource_type, change.action, to),
        },
        resource_type: record.resource_type.clone(),
        resource_id: id,
        gate: change.gate,
        scope: change.scope,
        case: None,
        person: None,
    };
    let on = |event: &NewEvent, lanes: BTreeSet<String>| -> Vec<NewEvent> {
        lanes.into_iter().map(|lane| NewEvent { lane, ..event.clone() }).collect()
    };
    let of_case = |event: NewEvent, case: Option<ResourceId>| -> Vec<NewEvent> {
        case.map(|case| on(&NewEvent { case: Some(case), ..event }, ties.lanes(case))).unwrap_or_default()
    };
    let of_person = |table: &'static str, person: ResourceId| -> Vec<NewEvent> {
        let places = ties.places(table, person).into_iter();
        places.flat_map(|(record, case)| of_case(NewEvent { person: Some(record), ..base.clone() }, case)).collect()
    };
    if matches!(change.told, Told::LetIn | Told::ShutOut) {
        let Some(agency) = change.what.agency.clone() else { return Vec::new() };
        let kind = match change.told {
            Told::LetIn => model::GRANTED,
            _ if ties.still_sees(id, &agency) => model::CHANGED,
            _ => model::REVOKED,
        };
        // What was lost is not in sight any more, and must be told all the same.
        let gate = if kind == model::REVOKED { Gate::Open } else { Gate::Case };
        return vec![NewEvent { lane: agency, kind: kind.to_owned(), gate, case: Some(id), ..base }];
    }
    if change.told == Told::AskedFor {
        let person = |table: &'static str, kind: &str, gate: Gate, scope: &'static str| -> Vec<NewEvent> {
            let event = NewEvent { resource_type: kind.to_owned(), gate, scope, person: Some(id), ..base.clone() };
            let places = ties.places(table, id).into_iter();
            places.flat_map(|(record, case)| of_case(NewEvent { person: Some(record), ..event.clone() }, case)).collect()
        };
        let mut told = person("victim_case", "victim", Gate::Victim, "victims:read");
        told.extend(person("accused_case", "accused", Gate::Accused, "accused:read"));
        return told;
    }
    match change.way {
        Way::Case => of_case(base, Some(id)),
        Way::Own => record.agency_code.clone().map(|lane| vec![NewEvent { lane, ..base }]).unwrap_or_default(),
        Way::Nobody => Vec::new(),
        Way::Part(table) => ties.rows(table, id).iter().flat_map(|row| of_case(base.clone(), row.case_id)).collect(),
        Way::Victim => of_person("victim_case", id),
        Way::Accused => of_person("accused_case", id),
        Way::Consent => {
            let victim = ties.rows("consent", id).first().and_then(|row| row.person_id);
            victim.map(|victim| of_person("victim_case", victim)).unwrap_or_default()
        }
        Way::Assistance | Way::Reunification => {
            let table = look(change.way).map_or("", |look| look.table);
            let Some(row) = ties.rows(table, id).first() else { return Vec::new() };
            let mut events = row.person_id.map(|victim| of_person("victim_case", victim)).unwrap_or_default();
            // Whoever gives the help is told of it without seeing the victim; and once, when it is taken back.
            let taken = row.other.as_deref() == Some("withdrawn");
            if let Some(lane) = row.word.clone().filter(|_| !taken || change.action == Action::Transitioned) {
                let kind = if taken { model::REVOKED.to_owned() } else { base.kind.clone() };
                events.push(NewEvent { lane, kind, gate: Gate::Open, ..base });
            }
            events
        }
        Way::Measure => {
            let Some(row) = ties.rows("measure", id).first() else { return Vec::new() };
            let gate = row.word.as_deref().and_then(Gate::parse).unwrap_or(change.gate);
            of_case(NewEvent { gate, person: row.person_id, ..base }, row.case_id)
        }
        Way::Note => {
            let Some(row) = ties.rows("note", id).first() else { return Vec::new() };
            let (author, shared) = (row.word.as_deref(), row.other.as_deref() == Some("shared"));
            let mut events = of_case(base, row.case_id);
            events.retain(|event| shared || Some(event.lane.as_str()) == author);
            for event in events.iter_mut().filter(|event| Some(event.lane.as_str()) == author) {
                event.gate = Gate::Case;
            }
            events
        }
        Way::Glass => {
            let Some(row) = ties.rows("break_glass", id).first() else { return Vec::new() };
            let owner = row.case_id.and_then(|case| ties.owners.get(&case).cloned());
            let lanes = owner.into_iter().chain(row.word.clone()).chain([OVERSIGHT_LANE.to_owned()]);
            on(&base, lanes.collect())
        }
        Way::Correction => {
            let Some(row) = ties.rows("correction", id).first() else { return Vec::new() };
            let parties = row.word.clone().into_iter().chain(row.other.clone());
            on(&base, parties.chain([OVERSIGHT_LANE.to_owned()]).collect())
        }
        Way::Job => {
            let Some(row) = ties.rows("job", id).first() else { return Vec::new() };
            let event = NewEvent { person: row.person_id, ..base };
            row.word.clone().map(|lane| vec![NewEvent { lane, ..event }]).unwrap_or_default()
        }
        Way::Referral => {
            let Some(row) = ties.rows("referral", id).first() else { return Vec::new() };
            let received = ties.received.contains(&ReferralId::from_uuid(id.uuid()));
            let receiver = row.other.clone().filter(|_| received);
            on(&base, row.word.clone().into_iter().chain(receiver).chain([OVERSIGHT_LANE.to_owned()]).collect())
        }
    }
}
