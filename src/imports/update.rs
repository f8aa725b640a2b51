//! A line about a case that is there: what it says now is compared with what it said the last time.
//!
//! Fields that the line names are set; an import never clears one and never takes a person away. Persons are told
//! apart by their label. A person whose line changed is amended at her or his own door, not here.

use super::model::{ImportRecord, Status};
use super::prints::{Name, Prints};
use super::store::{self, Origin, Part};
use crate::act::Act;
use crate::cases::wire::{CaseCreate, CasePatch};
use crate::cases::{CaseHead, head_for_write, store as case_store};
use crate::db::Conn;
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AccusedId, CaseId, ResourceId, VictimId};
use crate::kernel::{Error, Fault, FaultCode, Field, Result};
use crate::ledger::{self, Action, Entry};
use crate::{accused, charges, deadlines, victims};

/// Applies a line to its case; answers whether it changed anything.
pub fn apply(tx: &mut Conn, act: &Act, prints: &Prints, id: CaseId, record: &ImportRecord) -> Result<(Status, CaseId)> {
    let CaseHead { case: before, .. } = head_for_write(tx, &act.scope, id)?;
    let fingerprint = prints.of(&record.case)?;
    let known = store::find(tx, id)?;
    if known.as_ref().is_some_and(|o| o.fingerprint == fingerprint) {
        return Ok((Status::Unchanged, id));
    }
    let foreign = known.is_none();
    let mut origin = Origin { fingerprint, ..known.unwrap_or_default() };
    let mut faults = Vec::new();
    if foreign {
        // Opened over HTTP: which of its persons are those of the line, nobody can tell.
        let lists = [
            ("/victims", record.case.victims.is_empty() || victims::store::in_case(tx, id)?.is_empty()),
            ("/accused", record.case.accused.is_empty() || accused::store::in_case(tx, id)?.is_empty()),
        ];
        faults.extend(lists.iter().filter(|(_, free)| !free).map(|(at, _)| Fault::body(*at, FaultCode::ReadOnly)));
    }
    let mut case = before.clone();
    let changed = case.amend(patch(&record.case), act).unwrap_or_else(|error| {
        if let Error::Validation(more) = error {
            faults.extend(more);
        }
        Vec::new()
    });
    let added = add_parts(tx, act, prints, &case, record, &mut origin, &mut faults)?;
    no_faults(faults)?;
    let mut entries = added;
    if !changed.is_empty() {
        case_store::claim(tx, &case)?;
        case_store::release(tx, &before, &case)?;
        case_store::update(tx, &case, before.version)?;
        if changed.iter().any(|c| c == "#/complexity" || c == "#/reported_at") {
            deadlines::settle(tx, &act.catalogue, &case, act.now)?;
        }
        entries.push(Entry::new(Action::Updated, id, Some(case.version)).changed(changed));
    }
    store::replace(tx, id, &origin, act.now)?;
    if entries.is_empty() {
        return Ok((Status::Unchanged, id));
    }
    ledger::append(tx, &act.actor, act.now, entries)?;
    Ok((Status::Updated, id))
}

/// What a line says of the case itself.
fn patch(new: &CaseCreate) -> CasePatch {
    fn set<T: Clone>(value: Option<&T>) -> Field<T> {
        value.map_or(Field::Absent, |v| Field::Set(v.clone()))
    }
    CasePatch {
        identifiers: if new.identifiers.is_empty() { Field::Absent } else { Field::Set(new.identifiers.clone()) },
        title: Field::Set(new.title.clone()),
        summary: set(new.summary.as_ref()),
        reported_at: Field::Set(new.reported_at),
        report_channel: Field::Set(new.report_channel.clone()),
        facts_from: set(new.facts_from.as_ref()),
        facts_from_estimated: set(new.facts_from.as_ref().map(|_| &new.facts_from_estimated)),
        facts_to: set(new.facts_to.as_ref()),
        facts_to_estimated: set(new.facts_to.as_ref().map(|_| &new.facts_to_estimated)),
        territory: set(new.territory.as_ref()),
        scope: set(new.scope.as_ref()),
        exploitation: if new.exploitation.is_empty() { Field::Absent } else { Field::Set(new.exploitation.clone()) },
        complexity: set(new.complexity.as_ref()),
        extensions: if new.extensions.is_empty() { Field::Absent } else { Field::Set(new.extensions.clone()) },
    }
}

/// What is to be done with a person or charge of the line.
enum Next {
    /// Nothing: it says what it said.
    Same(ResourceId),
    /// It is new.
    Add,
}

/// Compares a part of the line with what is known of it.
fn next(known: Option<&Part>, others: bool, name: &Name, print: &str, at: String, faults: &mut Vec<Fault>) -> Option<Next> {
    match (known, name) {
        (Some(part), _) if part.print == print => Some(Next::Same(part.id)),
        (Some(_), _) => {
            faults.push(Fault::body(at, FaultCode::ReadOnly));
            None
        }
        // Without a label nobody can say whether it is a new person or one of whom something else is said now.
        (None, Name::Nameless(_)) if others => {
            faults.push(Fault::body(format!("{at}/label"), FaultCode::Required));
            None
        }
        (None, _) => Some(Next::Add),
    }
}

/// Pointers of a list of one, in the list that the line has.
fn at_index(faults: Vec<Fault>, list: &str, index: usize) -> impl Iterator<Item = Fault> {
    let (from, to) = (format!("/{list}/0"), format!("/{list}/{index}"));
    faults.into_iter().map(move |fault| match fault.at {
        crate::kernel::error::Location::Pointer(pointer) => {
            let pointer = pointer.strip_prefix(&from).map_or(pointer.clone(), |rest| format!("{to}{rest}"));
            Fault { at: crate::kernel::error::Location::Pointer(pointer), ..fault }
        }
        _ => fault,
    })
}

/// Adds the persons and charges that are new; answers their ledger entries.
fn add_parts(
    tx: &mut Conn,
    act: &Act,
    prints: &Prints,
    case: &crate::cases::model::Case,
    record: &ImportRecord,
    origin: &mut Origin,
    faults: &mut Vec<Fault>,
) -> Result<Vec<Entry>> {
    let (id, new) = (case.id, &record.case);
    let mut entries = Vec::new();
    let mut harmed: Vec<(Option<String>, VictimId)> = Vec::new();
    let others = !origin.parts.victims.is_empty();
    for (index, one) in new.victims.iter().enumerate() {
        let (name, print) = (prints.name(one.label.as_ref(), one)?, prints.of(one)?);
        let known = origin.parts.victims.get(name.key());
        match next(known, others, &name, &print, format!("/victims/{index}"), faults) {
            None => {}
            Some(Next::Same(known)) => harmed.push((one.label.clone(), VictimId::from_uuid(known.uuid()))),
            Some(Next::Add) => {
                let (made, more) = victims::prepare(vec![one.clone()], "/victims", act, id);
                if !more.is_empty() {
                    faults.extend(at_index(more, "victims", index));
                    continue;
                }
                entries.extend(victims::insert(tx, act, id, &made)?);
                entries.push(Entry::new(Action::Linked, id, None).about("case_victim"));
                for made in made {
                    harmed.push((made.label, made.id));
                    let part = Part { id: made.id.erase(), print: print.clone() };
                    origin.parts.victims.insert(name.key().to_owned(), part);
                }
            }
        }
    }
    let mut suspects: Vec<(Option<String>, AccusedId)> = Vec::new();
    let others = !origin.parts.accused.is_empty();
    for (index, one) in new.accused.iter().enumerate() {
        let (name, print) = (prints.name(one.label.as_ref(), one)?, prints.of(one)?);
        let known = origin.parts.accused.get(name.key());
        match next(known, others, &name, &print, format!("/accused/{index}"), faults) {
            None => {}
            Some(Next::Same(known)) => suspects.push((one.label.clone(), AccusedId::from_uuid(known.uuid()))),
            Some(Next::Add) => {
                let (made, more) = accused::prepare(vec![one.clone()], "/accused", act, id);
                if !more.is_empty() {
                    faults.extend(at_index(more, "accused", index));
                    continue;
                }
                entries.extend(accused::insert(tx, act, id, &made)?);
                entries.push(Entry::new(Action::Linked, id, None).about("case_accused"));
                for made in made {
                    suspects.push((made.label, made.id));
                    let part = Part { id: made.id.erase(), print: print.clone() };
                    origin.parts.accused.insert(name.key().to_owned(), part);
                }
            }
        }
    }
    let state = case.initial_charge_state(&act.catalogue).unwrap_or_default();
    for (index, one) in new.charges.iter().enumerate() {
        let (name, print) = (prints.charge(&one.accused, &one.offence_code)?, prints.of(one)?);
        let known = origin.parts.charges.get(name.key());
        if let Some(Next::Add) = next(known, false, &name, &print, format!("/charges/{index}"), faults) {
            let terms = (case.fact_date(), state.as_str());
            let (made, more) = charges::prepare(vec![one.clone()], "/charges", act, id, terms, &suspects, &harmed);
            if !more.is_empty() {
                faults.extend(at_index(more, "charges", index));
                continue;
            }
            entries.extend(charges::insert(tx, act, &made)?);
            for made in made {
                origin.parts.charges.insert(name.key().to_owned(), Part { id: made.id.erase(), print: print.clone() });
            }
        }
    }
    Ok(entries)
}
