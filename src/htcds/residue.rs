//! What the registry does not say as the standard said it, kept among the extensions, word for word. Pure.
//!
//! Beside each value stands what the registry said in its place when it was kept. On the way out the value is said
//! again as long as that still holds: a fact that the registry learnt later is never covered by an older sheet.

use std::collections::BTreeMap;

use super::facts::{CaseFacts, PersonFacts, record};
use super::files::Cell;
use super::record::{Record, Slot, Value};
use super::values::{self, Habits};
use crate::extensions::Extension;

/// Before the name of a field whose value is kept.
const SAID: &str = "htcds:";
/// Before the name of a field: what the registry says in its place. Alone: the standard said nothing.
const AS: &str = "htcds.as:";
/// Before the heading of what the standard does not know.
const COLUMN: &str = "column:";

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where.
    pub slot: Slot,
    /// What the standard said.
    pub said: Option<Value>,
    /// What the registry says.
    pub instead: Option<Value>,
}

/// Every difference between a record and what the registry says of it.
pub fn differences(said: &Record, instead: &Record) -> Vec<Kept> {
    let mut slots: Vec<Slot> = said.values.keys().chain(instead.values.keys()).copied().collect();
    slots.sort_unstable();
    slots.dedup();
    slots
        .into_iter()
        .map(|slot| Kept { slot, said: said.values.get(&slot).cloned(), instead: instead.values.get(&slot).cloned() })
        .filter(|kept| kept.said != kept.instead)
        .collect()
}

/// Puts into the extensions of a case and its persons what they do not say themselves. Answers, for each person, what
/// was put: the case's with the first one.
pub fn keep(case: &mut CaseFacts, persons: &mut [PersonFacts], said: &[&Record]) -> Vec<Vec<Kept>> {
    let found: Vec<Vec<Kept>> =
        persons.iter().zip(said).map(|(person, said)| differences(said, &record(case, person))).collect();
    let of_case = |kept: &Kept| kept.slot.field().is_some_and(|f| f.part.of_case());
    // What every record says alike of the case is the case's; what only some say is theirs.
    let shared: Vec<Kept> = found
        .first()
        .into_iter()
        .flatten()
        .filter(|kept| of_case(kept) && found.iter().all(|other| other.contains(kept)))
        .cloned()
        .collect();
    case.extensions = shared.iter().flat_map(extensions).collect();
    for ((person, said), own) in persons.iter_mut().zip(said).zip(&found) {
        person.extensions = own.iter().filter(|kept| !shared.contains(kept)).flat_map(extensions).collect();
        let unknown = said.extensions.iter().map(|(name, value)| Extension::new(format!("{COLUMN}{name}"), value.clone()));
        person.extensions.extend(unknown);
    }
    let told = |(n, own): (usize, Vec<Kept>)| own.into_iter().filter(|kept| n == 0 || !shared.contains(kept)).collect();
    found.into_iter().enumerate().map(told).collect()
}

fn extensions(kept: &Kept) -> Vec<Extension> {
    let name = kept.slot.name();
    let one =
        |prefix: &str, value: &Option<Value>| value.as_ref().map(|v| Extension::new(format!("{prefix}{name}"), v.text()));
    [one(SAID, &kept.said), one(AS, &kept.instead)].into_iter().flatten().collect()
}

/// The record of a person in a case: what the registry says, with what was kept where it still holds.
pub fn restore(case: &CaseFacts, person: &PersonFacts) -> Record {
    let mut whole = record(case, person);
    let mut kept: BTreeMap<Slot, (Option<&str>, Option<&str>)> = BTreeMap::new();
    // A person's own word goes before the case's.
    for extension in case.extensions.iter().chain(&person.extensions) {
        let (name, value) = (&extension.name.0, extension.value.0.as_str());
        if let Some(column) = name.strip_prefix(COLUMN) {
            whole.extensions.insert(column.to_owned(), value.to_owned());
        } else if let Some(slot) = name.strip_prefix(SAID).and_then(Slot::parse) {
            kept.entry(slot).or_default().0 = Some(value);
        } else if let Some(slot) = name.strip_prefix(AS).and_then(Slot::parse) {
            kept.entry(slot).or_default().1 = Some(value);
        }
    }
    for (slot, (said, instead)) in kept {
        let now = whole.values.get(&slot).map(Value::text);
        if now.as_deref() != instead {
            continue;
        }
        let value =
            said.and_then(|text| values::read(slot.field()?, &Cell::Text(text.to_owned()), Habits::default())?.value);
        match value {
            Some(value) => whole.values.insert(slot, value),
            None => whole.values.remove(&slot),
        };
    }
    whole
}
