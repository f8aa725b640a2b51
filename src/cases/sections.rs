//! The parts of a case that can be shared one by one. Pure.

use std::fmt;

use crate::kernel::{Fault, FaultCode};

/// A part of a case that a participant may be granted. Stage, dates, place and forms of exploitation come
/// with any grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// File numbers.
    Identifiers,
    /// Title and summary.
    Narrative,
    /// Victims, pseudonymous.
    Victims,
    /// Victims' names, documents and contacts.
    VictimIdentity,
    /// Accused, pseudonymous.
    Accused,
    /// Accused persons' names and documents.
    AccusedIdentity,
    /// Charges.
    Charges,
    /// Hearings and decisions.
    Proceedings,
    /// What help the victims need and get, and the relatives who join them.
    Assistance,
}

impl Section {
    /// Every section, in the order in which they are printed.
    pub const ALL: [Self; 9] = [
        Self::Identifiers,
        Self::Narrative,
        Self::Victims,
        Self::VictimIdentity,
        Self::Accused,
        Self::AccusedIdentity,
        Self::Charges,
        Self::Proceedings,
        Self::Assistance,
    ];

    /// The code (code list `section`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identifiers => "identifiers",
            Self::Narrative => "narrative",
            Self::Victims => "victims",
            Self::VictimIdentity => "victim_identity",
            Self::Accused => "accused",
            Self::AccusedIdentity => "accused_identity",
            Self::Charges => "charges",
            Self::Proceedings => "proceedings",
            Self::Assistance => "assistance",
        }
    }

    fn bit(self) -> u16 {
        match self {
            Self::Identifiers => 1,
            Self::Narrative => 2,
            Self::Victims => 4,
            Self::VictimIdentity => 8,
            Self::Accused => 16,
            Self::AccusedIdentity => 32,
            Self::Charges => 64,
            Self::Proceedings => 128,
            Self::Assistance => 256,
        }
    }
}

/// A set of sections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sections(u16);

impl Sections {
    /// None.
    pub const NONE: Self = Self(0);
    /// All: the owner's.
    pub const ALL: Self = Self(511);
    /// All but identities: what oversight sees.
    pub const PSEUDONYMOUS: Self = Self(511 & !(8 | 32));

    /// Whether a section is in the set.
    pub fn has(self, section: Section) -> bool {
        self.0 & section.bit() != 0
    }

    /// Both sets together.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set with one more section.
    #[must_use]
    pub fn with(self, section: Section) -> Self {
        Self(self.0 | section.bit())
    }

    /// Reads codes; the first unknown one is the error's index.
    pub fn parse<'a>(codes: impl IntoIterator<Item = &'a str>) -> Result<Self, usize> {
        let mut set = Self::NONE;
        for (index, code) in codes.into_iter().enumerate() {
            let section = Section::ALL.into_iter().find(|s| s.as_str() == code).ok_or(index)?;
            set = set.with(section);
        }
        Ok(set)
    }

    /// The codes in the set.
    pub fn codes(self) -> Vec<String> {
        Section::ALL.into_iter().filter(|s| self.has(*s)).map(|s| s.as_str().to_owned()).collect()
    }

    /// Reads the stored form; unknown words are ignored, so a newer schema grants nothing by accident.
    pub fn from_stored(text: &str) -> Self {
        Section::ALL.into_iter().filter(|s| text.split(',').any(|word| word == s.as_str())).fold(Self::NONE, Self::with)
    }

    /// A short text that differs for different sets, for entity tags.
    pub fn tag(self) -> String {
        format!("{:02x}", self.0)
    }
}

impl fmt::Display for Sections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.codes().join(","))
    }
}

/// Faults of a list of section codes at `pointer`: an unknown code, one given twice, a section about persons (their
/// identity, the help that they get) without the section that shows them.
pub fn faults(codes: &[String], pointer: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (index, code) in codes.iter().enumerate() {
        let mut fault = |code| faults.push(Fault::body(format!("{pointer}/{index}"), code));
        if Sections::parse([code.as_str()]).is_err() {
            fault(FaultCode::Enum);
            continue;
        }
        for (about, base) in [
            (Section::VictimIdentity, Section::Victims),
            (Section::AccusedIdentity, Section::Accused),
            (Section::Assistance, Section::Victims),
        ] {
            if code == about.as_str() && !codes.iter().any(|c| c == base.as_str()) {
                fault(FaultCode::CrossField);
            }
        }
    }
    for index in repeated(codes) {
        faults.push(Fault::body(format!("{pointer}/{index}"), FaultCode::UniqueItems));
    }
    if codes.len() > Section::ALL.len() {
        faults.push(Fault::body(pointer, FaultCode::MaxItems));
    }
    faults
}

/// Indexes of the items that stood earlier in the list.
pub fn repeated<T: PartialEq>(items: &[T]) -> Vec<usize> {
    items
        .iter()
        .enumerate()
        .filter(|(index, item)| items.iter().take(*index).any(|earlier| earlier == *item))
        .map(|(index, _)| index)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_come_only_with_the_persons_that_they_name() {
        let check = |codes: &[&str]| faults(&codes.iter().map(ToString::to_string).collect::<Vec<_>>(), "/sections");
        assert_eq!(check(&["victims", "victim_identity", "charges"]), []);
        assert_eq!(check(&["victim_identity", "accused"]), [Fault::body("/sections/0", FaultCode::CrossField)]);
        assert_eq!(check(&["victims", "accused_identity"]), [Fault::body("/sections/1", FaultCode::CrossField)]);
        assert_eq!(check(&["assistance", "charges"]), [Fault::body("/sections/0", FaultCode::CrossField)]);
        assert_eq!(check(&["nonsense"]), [Fault::body("/sections/0", FaultCode::Enum)]);
        assert_eq!(check(&["charges", "charges"]), [Fault::body("/sections/1", FaultCode::UniqueItems)]);
    }

    #[test]
    fn the_stored_form_round_trips_for_every_set() {
        for bits in 0..=511_u16 {
            let set = Sections(bits);
            assert_eq!(Sections::from_stored(&set.to_string()), set);
        }
        assert_eq!(Sections::parse(["victims", "nonsense"]), Err(1));
        assert!(!Sections::PSEUDONYMOUS.has(Section::VictimIdentity));
        assert!(!Sections::PSEUDONYMOUS.has(Section::AccusedIdentity));
    }
}
