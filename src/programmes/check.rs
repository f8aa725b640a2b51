//! Checks that the programmes share. Pure but for the directory, which is asked by the action.

use crate::catalogue::Catalogue;
use crate::kernel::{AgencyCode, Day, Fault, FaultCode, PartialDate};

use super::money::{MOST, Money, currency_known};

/// Faults as they are found, under one pointer.
pub struct Check<'l> {
    law: &'l Catalogue,
    faults: Vec<Fault>,
}

impl<'l> Check<'l> {
    /// Nothing found yet.
    pub fn new(law: &'l Catalogue) -> Self {
        Self { law, faults: Vec::new() }
    }

    /// What was found.
    pub fn found(self) -> Vec<Fault> {
        self.faults
    }

    /// A fault that the caller found.
    pub fn fault(&mut self, pointer: impl Into<String>, code: FaultCode) {
        self.faults.push(Fault::body(pointer, code));
    }

    /// A fault unless something holds.
    pub fn must(&mut self, holds: bool, pointer: impl Into<String>, code: FaultCode) {
        if !holds {
            self.fault(pointer, code);
        }
    }

    /// A code of a list; what is absent has none.
    pub fn code(&mut self, pointer: impl Into<String>, list: &str, code: Option<&str>) {
        if code.is_some_and(|c| !self.law.has_code(list, c)) {
            self.fault(pointer, FaultCode::Enum);
        }
    }

    /// Codes of a list, each once.
    pub fn codes(&mut self, pointer: &str, list: &str, codes: &[String]) {
        for (index, code) in codes.iter().enumerate() {
            self.code(format!("{pointer}/{index}"), list, Some(code));
        }
        self.once(pointer, codes);
    }

    /// Nothing stands twice.
    pub fn once<T: PartialEq>(&mut self, pointer: &str, items: &[T]) {
        for index in crate::cases::sections::repeated(items) {
            self.fault(format!("{pointer}/{index}"), FaultCode::UniqueItems);
        }
    }

    /// At least and at most so many items.
    pub fn count<T>(&mut self, pointer: &str, items: &[T], least: usize, most: usize) {
        if items.len() < least {
            self.fault(pointer, FaultCode::MinItems);
        } else if items.len() > most {
            self.fault(pointer, FaultCode::MaxItems);
        }
    }

    /// A text that says something and is not too long.
    pub fn text(&mut self, pointer: impl Into<String>, text: Option<&str>, most: usize) {
        let code = match text.map(|t| (t.trim().is_empty(), t.chars().count())) {
            Some((true, _)) => FaultCode::MinLength,
            Some((_, n)) if n > most => FaultCode::MaxLength,
            _ => return,
        };
        self.fault(pointer, code);
    }

    /// A whole number within bounds.
    pub fn range(&mut self, pointer: impl Into<String>, number: i64, least: i64, most: i64) {
        if number < least {
            self.fault(pointer, FaultCode::Minimum);
        } else if number > most {
            self.fault(pointer, FaultCode::Maximum);
        }
    }

    /// An amount of a known currency.
    pub fn money(&mut self, pointer: &str, money: Option<&Money>) {
        let Some(Money { amount_minor, currency }) = money else { return };
        self.range(format!("{pointer}/amount_minor"), *amount_minor, 0, MOST);
        self.must(currency_known(currency), format!("{pointer}/currency"), FaultCode::Enum);
    }

    /// A country (ISO 3166-1 alpha-2).
    pub fn country(&mut self, pointer: impl Into<String>, code: Option<&str>) {
        if code.is_some_and(|c| !self.law.country_known(c)) {
            self.fault(pointer, FaultCode::Enum);
        }
    }

    /// A place (UBIGEO).
    pub fn territory(&mut self, pointer: impl Into<String>, code: Option<&str>) {
        if code.is_some_and(|c| !self.law.territory_known(c)) {
            self.fault(pointer, FaultCode::Enum);
        }
    }

    /// The second day is not before the first.
    pub fn order(&mut self, pointer: impl Into<String>, from: Option<Day>, until: Option<Day>) {
        if let (Some(from), Some(until)) = (from, until)
            && until < from
        {
            self.fault(pointer, FaultCode::DateOrder);
        }
    }

    /// The second date can lie on or after the first, as far as both are known.
    pub fn partial_order(&mut self, pointer: impl Into<String>, from: PartialDate, until: Option<PartialDate>) {
        if until.is_some_and(|until| until.latest() < from.earliest()) {
            self.fault(pointer, FaultCode::DateOrder);
        }
    }

    /// Who gives money: a government, by its country (two letters), or an agency, which the action looks up.
    pub fn donor(&mut self, pointer: impl Into<String>, donor: &AgencyCode) {
        if is_country(donor) && !self.law.country_known(donor.as_str()) {
            self.fault(pointer, FaultCode::Enum);
        }
    }
}

/// Whether a donor is a government: codes of two letters are countries, longer ones agencies of the directory.
pub fn is_country(donor: &AgencyCode) -> bool {
    donor.as_str().len() == 2
}
