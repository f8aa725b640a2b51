//! A line about a case that is there: what it says now is compared with what it said the last time.
//!
//! Fields that the line names are set; an import never clears one and never takes a person away. Persons are told
//! apart by their label, never by their place: a line with one person less would write each one over the next. Charges are
//! told apart by the label of the accused and the offence.

use super::commit::refusal;
use super::model::{ImportRecord, Status};
use super::patches;
use super::prints::{Name, Prints};
use super::store::{self, Origin, Part};
use crate::accused::wire::AccusedCreate;
use crate::act::Act;
use crate::cases::model::Case;
use crate::cases::{CaseHead, head_for_write, store as case_store};
use crate::charges::wire::InlineChargeCreate;
use crate::db::Conn;
use crate::kernel::error::{Location, no_faults};
use crate::kernel::ids::{AccusedId, CaseId, ChargeId, ResourceId, VictimId};
use crate::kernel::{Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::victims::wire::CaseVictimCreate;
use crate::{accused, charges, deadlines, victims};

/// What became of a line whose case was there.
#[derive(Debug)]
pub struct Met {
    /// Whether it changed anything.
    pub status: Status,
    /// The case.
    pub case: CaseId,
    /// What it changed: pointers of the line.
    pub changed: Vec<String>,
}

/// Applies a line to its case.
pub fn apply(tx: &mut Conn, act: &Act, prints: &Prints, id: CaseId, record: &ImportRecord) -> Result<Met> {
    let CaseHead { case: before, .. } = head_for_write(tx, &act.scope, id)?;
    let fingerprint = prints.of(&record.case)?;
    let known = store::find(tx, id)?;
    if known.as_ref().is_some_and(|o| o.fingerprint == fingerprint) {
        return Ok(Met { status: Status::Unchanged, case: id, changed: Vec::new() });
    }
    let foreign = known.is_none();
    let origin = Origin { fingerprint, ..known.unwrap_or_default() };
    let mut after = before.clone();
    let mut faults = Vec::new();
    if foreign {
        // Opened over HTTP: which of its persons are those of the line, nobody can tell.
        let lists = [
            ("/victims", record.case.victims.is_empty() || victims::store::in_case(tx, id)?.is_empty()),
            ("/accused", record.case.accused.is_empty() || accused::store::in_case(tx, id)?.is_empty()),
        ];
        faults.extend(lists.iter().filter(|(_, free)| !free).map(|(at, _)| Fault::body(*at, FaultCode::ReadOnly)));
    }
    let amended = match after.amend(patches::case(&record.case), act) {
        Ok(changed) => changed,
        Err(error) => {
            faults.extend(refusal(error)?);
            Vec::new()
        }
    };
    let mut line = Line { act, prints, case: &after, origin, faults, entries: Vec::new(), changed: amended.clone() };
    let harmed = line.victims(tx, &record.case.victims)?;
    let suspects = line.accused(tx, &record.case.accused)?;
    line.charges(tx, &record.case.charges, &suspects, &harmed)?;
    let Line { origin, faults, mut entries, changed, .. } = line;
    no_faults(faults)?;
    if !amended.is_empty() {
        case_store::claim(tx, &after)?;
        case_store::release(tx, &before, &after)?;
        case_store::update(tx, &after, before.version)?;
        if amended.iter().any(|c| c == "#/complexity" || c == "#/reported_at") {
            deadlines::settle(tx, &act.catalogue, &after, act.now)?;
        }
        entries.push(Entry::new(Action::Updated, id, Some(after.version)).changed(amended));
    }
    store::replace(tx, id, &origin, act.now)?;
    if !entries.is_empty() {
        ledger::append(tx, &act.actor, act.now, entries)?;
    }
    let status = if changed.is_empty() { Status::Unchanged } else { Status::Updated };
    Ok(Met { status, case: id, changed })
}

/// What is to be done with a person or charge of the line.
enum Next {
    /// Nothing: it says what it said.
    Same(ResourceId),
    /// It says something else of somebody known.
    Amend(ResourceId),
    /// It is new.
    Add,
    /// Nobody can say.
    Unclear,
}

/// Compares a part of the line with what is known of it.
fn next(known: Option<&Part>, others: bool, name: &Name, print: &str) -> Next {
    match (known, name) {
        (Some(part), _) if part.print == print => Next::Same(part.id),
        (Some(part), _) => Next::Amend(part.id),
        // Without a label nobody can say whether it is a new person or one of whom something else is said now.
        (None, Name::Nameless(_)) if others => Next::Unclear,
        (None, _) => Next::Add,
    }
}

/// Faults with pointers under `from`, as the line has them: under `to`.
fn moved(faults: Vec<Fault>, from: &str, to: &str) -> Vec<Fault> {
    let place = |fault: Fault| match fault.at {
        Location::Pointer(pointer) => {
            let pointer = pointer.strip_prefix(from).map_or(pointer.clone(), |rest| format!("{to}{rest}"));
            Fault { at: Location::Pointer(pointer), ..fault }
        }
        _ => fault,
    };
    faults.into_iter().map(place).collect()
}

/// A line on its way into its case.
struct Line<'l> {
    act: &'l Act,
    prints: &'l Prints,
    case: &'l Case,
    origin: Origin,
    faults: Vec<Fault>,
    entries: Vec<Entry>,
    changed: Vec<String>,
}

impl Line<'_> {
    /// Notes what a change of a part came to: what it changed, or what is wrong with it.
    fn note<V>(&mut self, at: &str, done: Result<(V, Vec<String>)>) -> Result<()> {
        match done {
            Ok((_, changed)) => {
                self.changed.extend(changed.iter().map(|c| format!("#{at}{}", c.strip_prefix('#').unwrap_or(c))));
            }
            Err(error) => self.faults.extend(moved(refusal(error)?, "", at)),
        }
        Ok(())
    }

    fn unclear(&mut self, at: &str) {
        self.faults.push(Fault::body(format!("{at}/label"), FaultCode::Required));
    }

    fn victims(&mut self, tx: &mut Conn, all: &[CaseVictimCreate]) -> Result<Vec<(Option<String>, VictimId)>> {
        let (act, id) = (self.act, self.case.id);
        let others = !self.origin.parts.victims.is_empty();
        let mut known = Vec::new();
        for (index, one) in all.iter().enumerate() {
            let at = format!("/victims/{index}");
            let (name, print) = (self.prints.name(one.label.as_ref(), one)?, self.prints.of(one)?);
            match next(self.origin.parts.victims.get(name.key()), others, &name, &print) {
                Next::Unclear => self.unclear(&at),
                Next::Same(person) => known.push((one.label.clone(), VictimId::from_uuid(person.uuid()))),
                Next::Amend(person) => {
                    let victim = VictimId::from_uuid(person.uuid());
                    let (patch, part, identity) = patches::victim(one);
                    // The person first: whether means are asked for follows from the age.
                    self.note(&at, victims::actions::change(tx, act, victim, None, patch))?;
                    self.note(&at, victims::actions::change_part(tx, act, id, victim, None, part))?;
                    if let Some(identity) = identity {
                        let done = victims::actions::change_identity(tx, act, victim, None, identity);
                        self.note(&format!("{at}/identity"), done)?;
                    }
                    known.push((one.label.clone(), victim));
                    self.origin.parts.victims.insert(name.key().to_owned(), Part { id: person, print });
                }
                Next::Add => {
                    let (made, faults) = victims::prepare(vec![one.clone()], "/victims", act, id);
                    if !faults.is_empty() {
                        self.faults.extend(moved(faults, "/victims/0", &at));
                        continue;
                    }
                    self.entries.extend(victims::insert(tx, act, id, &made)?);
                    self.entries.push(Entry::new(Action::Linked, id, None).about("case_victim"));
                    self.changed.push(format!("#{at}"));
                    for made in made {
                        known.push((made.label, made.id));
                        let part = Part { id: made.id.erase(), print: print.clone() };
                        self.origin.parts.victims.insert(name.key().to_owned(), part);
                    }
                }
            }
        }
        Ok(known)
    }

    fn accused(&mut self, tx: &mut Conn, all: &[AccusedCreate]) -> Result<Vec<(Option<String>, AccusedId)>> {
        let (act, id) = (self.act, self.case.id);
        let others = !self.origin.parts.accused.is_empty();
        let mut known = Vec::new();
        for (index, one) in all.iter().enumerate() {
            let at = format!("/accused/{index}");
            let (name, print) = (self.prints.name(one.label.as_ref(), one)?, self.prints.of(one)?);
            match next(self.origin.parts.accused.get(name.key()), others, &name, &print) {
                Next::Unclear => self.unclear(&at),
                Next::Same(person) => known.push((one.label.clone(), AccusedId::from_uuid(person.uuid()))),
                Next::Amend(person) => {
                    let suspect = AccusedId::from_uuid(person.uuid());
                    let (patch, identity) = patches::accused(one);
                    self.note(&at, accused::actions::change(tx, act, suspect, None, patch))?;
                    if let Some(identity) = identity {
                        let done = accused::actions::change_identity(tx, act, suspect, None, identity);
                        self.note(&format!("{at}/identity"), done)?;
                    }
                    known.push((one.label.clone(), suspect));
                    self.origin.parts.accused.insert(name.key().to_owned(), Part { id: person, print });
                }
                Next::Add => {
                    let (made, faults) = accused::prepare(vec![one.clone()], "/accused", act, id);
                    if !faults.is_empty() {
                        self.faults.extend(moved(faults, "/accused/0", &at));
                        continue;
                    }
                    self.entries.extend(accused::insert(tx, act, id, &made)?);
                    self.entries.push(Entry::new(Action::Linked, id, None).about("case_accused"));
                    self.changed.push(format!("#{at}"));
                    for made in made {
                        known.push((made.label, made.id));
                        let part = Part { id: made.id.erase(), print: print.clone() };
                        self.origin.parts.accused.insert(name.key().to_owned(), part);
                    }
                }
            }
        }
        Ok(known)
    }

    fn charges(
        &mut self,
        tx: &mut Conn,
        all: &[InlineChargeCreate],
        suspects: &[(Option<String>, AccusedId)],
        harmed: &[(Option<String>, VictimId)],
    ) -> Result<()> {
        let (act, case) = (self.act, self.case);
        let state = case.initial_charge_state(&act.catalogue).unwrap_or_default();
        for (index, one) in all.iter().enumerate() {
            let at = format!("/charges/{index}");
            let (name, print) = (self.prints.charge(&one.accused, &one.offence_code)?, self.prints.of(one)?);
            let to_do = next(self.origin.parts.charges.get(name.key()), false, &name, &print);
            if matches!(to_do, Next::Same(_)) {
                continue;
            }
            // Known or new, the line must make a charge: its labels name somebody, its article is that of the day.
            let terms = (case.fact_date(), state.as_str());
            let (made, faults) = charges::prepare(vec![one.clone()], "/charges", act, case.id, terms, suspects, harmed);
            if !faults.is_empty() {
                self.faults.extend(moved(faults, "/charges/0", &at));
                continue;
            }
            if let Next::Amend(known) = to_do {
                let named = made.first().map(|made| made.detail.victims.as_slice()).unwrap_or_default();
                let patch = patches::charge(one, named);
                self.note(&at, charges::actions::change(tx, act, ChargeId::from_uuid(known.uuid()), None, patch))?;
                self.origin.parts.charges.insert(name.key().to_owned(), Part { id: known, print });
                continue;
            }
            self.entries.extend(charges::insert(tx, act, &made)?);
            self.changed.push(format!("#{at}"));
            for made in made {
                self.origin.parts.charges.insert(name.key().to_owned(), Part { id: made.id.erase(), print: print.clone() });
            }
        }
        Ok(())
    }
}
