//! Lays sealed changes on the lanes of those who see the record. The sealer calls this before it seals, and writes what
//! comes of it in the transaction that gives the positions: no event without a position, none twice, none left out.
//!
//! Who sees the record is asked after the change is visible, some 100 ms behind it. Whoever was let in before the change
//! is on the list, whoever was let in later has `access.granted` behind it, and whoever was shut out has `access.revoked`.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::model::{self, Gate, Told, Way, followed, told};
use super::ties::{self, Ties};
use crate::db::{Conn, Json};
use crate::kernel::Result;
use crate::kernel::agency_code::OVERSIGHT_LANE;
use crate::kernel::ids::{ReferralId, ResourceId};
use crate::ledger::Action;
use crate::ledger::leaf::Record;

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

/// The events of a batch of entries, on every lane, in the order of the entries.
pub fn project(conn: &mut Conn, records: &[Record]) -> Result<Vec<NewEvent>> {
    let changes: Vec<Change<'_>> =
        records.iter().enumerate().filter_map(|(index, record)| Change::of(index, record)).collect();
    if changes.is_empty() {
        return Ok(Vec::new());
    }
    let resources = changes.iter().map(|c| (c.way, c.record.resource_id, c.told == Told::AskedFor));
    let ties = Ties::find(conn, resources)?;
    Ok(changes.iter().flat_map(|change| laid(change, &ties)).collect())
}

fn laid(change: &Change<'_>, found: &Ties) -> Vec<NewEvent> {
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
        case.map(|case| on(&NewEvent { case: Some(case), ..event }, found.lanes(case))).unwrap_or_default()
    };
    let of_person = |table: &'static str, person: ResourceId| -> Vec<NewEvent> {
        let places = found.places(table, person).into_iter();
        places.flat_map(|(record, case)| of_case(NewEvent { person: Some(record), ..base.clone() }, case)).collect()
    };
    if matches!(change.told, Told::LetIn | Told::ShutOut) {
        let Some(agency) = change.what.agency.clone() else { return Vec::new() };
        let kind = match change.told {
            Told::LetIn => model::GRANTED,
            _ if found.still_sees(id, &agency) => model::CHANGED,
            _ => model::REVOKED,
        };
        // What was lost is not in sight any more, and must be told all the same.
        let gate = if kind == model::REVOKED { Gate::Open } else { Gate::Case };
        return vec![NewEvent { lane: agency, kind: kind.to_owned(), gate, case: Some(id), ..base }];
    }
    if change.told == Told::AskedFor {
        let person = |table: &'static str, kind: &str, gate: Gate, scope: &'static str| -> Vec<NewEvent> {
            let event = NewEvent { resource_type: kind.to_owned(), gate, scope, person: Some(id), ..base.clone() };
            let places = found.places(table, id).into_iter();
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
        Way::Part(table) => found.rows(table, id).iter().flat_map(|row| of_case(base.clone(), row.case_id)).collect(),
        Way::Victim => of_person("victim_case", id),
        Way::Accused => of_person("accused_case", id),
        Way::Consent | Way::Care => {
            let victim = found.rows(ties::table(change.way), id).first().and_then(|row| row.person_id);
            victim.map(|victim| of_person("victim_case", victim)).unwrap_or_default()
        }
        Way::Assistance | Way::Reunification => {
            let table = ties::table(change.way);
            let Some(row) = found.rows(table, id).first() else { return Vec::new() };
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
            let Some(row) = found.rows("measure", id).first() else { return Vec::new() };
            let gate = row.word.as_deref().and_then(Gate::parse).unwrap_or(change.gate);
            of_case(NewEvent { gate, person: row.person_id, ..base }, row.case_id)
        }
        Way::Note => {
            let Some(row) = found.rows("note", id).first() else { return Vec::new() };
            let (author, shared) = (row.word.as_deref(), row.other.as_deref() == Some("shared"));
            let mut events = of_case(base, row.case_id);
            events.retain(|event| shared || Some(event.lane.as_str()) == author);
            for event in events.iter_mut().filter(|event| Some(event.lane.as_str()) == author) {
                event.gate = Gate::Case;
            }
            events
        }
        Way::Glass => {
            let Some(row) = found.rows("break_glass", id).first() else { return Vec::new() };
            let owner = row.case_id.and_then(|case| found.owners.get(&case).cloned());
            let lanes = owner.into_iter().chain(row.word.clone()).chain([OVERSIGHT_LANE.to_owned()]);
            on(&base, lanes.collect())
        }
        Way::Correction => {
            let Some(row) = found.rows("correction", id).first() else { return Vec::new() };
            let parties = row.word.clone().into_iter().chain(row.other.clone());
            on(&base, parties.chain([OVERSIGHT_LANE.to_owned()]).collect())
        }
        Way::Job => {
            let Some(row) = found.rows("job", id).first() else { return Vec::new() };
            let event = NewEvent { person: row.person_id, ..base };
            row.word.clone().map(|lane| vec![NewEvent { lane, ..event }]).unwrap_or_default()
        }
        Way::Referral => {
            let Some(row) = found.rows("referral", id).first() else { return Vec::new() };
            let received = found.received.contains(&ReferralId::from_uuid(id.uuid()));
            let receiver = row.other.clone().filter(|_| received);
            on(&base, row.word.clone().into_iter().chain(receiver).chain([OVERSIGHT_LANE.to_owned()]).collect())
        }
    }
}
