//! Under which release of the catalogue the codes of a record were written. Pure.
//!
//! A code that stands in a record was right when it was written and stays right: a later list is a rule for
//! what is written later, never for what stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Catalogue;
use crate::kernel::error::Location;
use crate::kernel::{Fault, FaultCode};

/// The release under which each field was last written. Stored with the record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenUnder {
    /// That of the record's first version.
    release: String,
    /// Fields that were changed under another one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    since: BTreeMap<String, String>,
}

impl WrittenUnder {
    /// A record that is written now.
    pub fn new(law: &Catalogue) -> Self {
        Self { release: law.release().to_owned(), since: BTreeMap::new() }
    }

    /// The fields of these pointers (`#/name`) are written now.
    pub fn note(&mut self, law: &Catalogue, changed: &[String]) {
        for field in changed.iter().map(|pointer| first(pointer)) {
            if self.release == law.release() {
                self.since.remove(field);
            } else {
                self.since.insert(field.to_owned(), law.release().to_owned());
            }
        }
    }

    /// The release under which a field was last written.
    pub fn of(&self, field: &str) -> &str {
        self.since.get(field).unwrap_or(&self.release)
    }
}

/// Drops the faults about codes of fields that an amendment left alone.
pub fn keep_standing_codes(faults: &mut Vec<Fault>, changed: &[String]) {
    faults.retain(|fault| match &fault.at {
        Location::Pointer(pointer) if fault.code == FaultCode::Enum => {
            changed.iter().any(|changed| first(changed) == first(pointer))
        }
        _ => true,
    });
}

/// The field that a pointer leads through first.
fn first(pointer: &str) -> &str {
    pointer.trim_start_matches(['#', '/']).split('/').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_keeps_the_release_under_which_it_was_written() {
        let law = Catalogue::embedded().unwrap();
        let mut written = WrittenUnder { release: "2020-01.old".into(), since: BTreeMap::new() };
        written.note(&law, &["#/scope".into()]);
        assert_eq!((written.of("scope"), written.of("exploitation")), (law.release(), "2020-01.old"));
        let stored = serde_json::to_string(&written).unwrap();
        assert_eq!(serde_json::from_str::<WrittenUnder>(&stored).unwrap(), written);
    }

    #[test]
    fn only_what_is_written_now_is_held_against_the_lists_of_now() {
        let fault = |at: &str, code| Fault::body(at, code);
        let mut faults = vec![
            fault("/exploitation/0", FaultCode::Enum),
            fault("/scope", FaultCode::Enum),
            fault("/title", FaultCode::MinLength),
        ];
        keep_standing_codes(&mut faults, &["#/scope".into()]);
        assert_eq!(faults, [fault("/scope", FaultCode::Enum), fault("/title", FaultCode::MinLength)]);
    }
}
