//! One record: what is said of one person in one case. The same whatever file it stood in.

use std::collections::BTreeMap;
use std::fmt;

use super::table::{Field, standard};
use crate::kernel::PartialDate;

/// A place in a record: a field, and which of several where its part repeats (from 0).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    field: usize,
    nth: u16,
}

/// Most times that a part repeats in one record.
pub const MOST_REPEATS: u16 = 50;

impl Slot {
    /// The slot of a field by its place in the table.
    pub fn new(field: usize, nth: u16) -> Self {
        Self { field, nth }
    }

    /// The only or first slot of the field of a name.
    pub fn of(name: &str) -> Option<Self> {
        standard().place(name).map(|field| Self { field, nth: 0 })
    }

    /// The slot of a written name: `hte_Type`, `hte_Type_2`.
    pub fn parse(name: &str) -> Option<Self> {
        if let Some(slot) = Self::of(name) {
            return Some(slot);
        }
        let (name, nth) = name.rsplit_once('_')?;
        let nth: u16 = nth.parse().ok()?;
        let slot = Self::of(name)?;
        let known = (2..=MOST_REPEATS).contains(&nth) && slot.field()?.part.repeats();
        known.then_some(Self { nth: nth - 1, ..slot })
    }

    /// The field.
    pub fn field(self) -> Option<&'static Field> {
        standard().field(self.field)
    }

    /// The field's place in the table.
    pub fn place(self) -> usize {
        self.field
    }

    /// Which of several.
    pub fn nth(self) -> u16 {
        self.nth
    }

    /// The written name.
    pub fn name(self) -> String {
        let name = self.field().map_or("", |f| f.name.as_str());
        if self.nth == 0 { name.to_owned() } else { format!("{name}_{}", self.nth + 1) }
    }
}

/// What stands in a slot.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, a telephone number, decimal degrees.
    Text(String),
    /// Codes: of a list in the list's order, countries in the order in which they were said.
    Codes(Vec<String>),
    /// A date.
    Date(PartialDate),
    /// A whole number.
    Number(u32),
    /// Yes or no.
    Flag(bool),
}

/// Prints nothing of what a person said, but in this project's own tests.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if cfg!(test) { f.write_str(&self.text()) } else { f.write_str("[redacted]") }
    }
}

/// Between the codes of one cell.
pub const BETWEEN: &str = ";";

impl Value {
    /// The value as one cell of text.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Codes(codes) => codes.join(BETWEEN),
            Self::Date(date) => date.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
        }
    }
}

/// What a file says of one person in one case.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Record {
    /// The other system's number of the case.
    pub key: Option<String>,
    /// The standard's fields.
    pub values: BTreeMap<Slot, Value>,
    /// Columns that the standard does not know, and cells that could not be read, by their heading.
    pub extensions: BTreeMap<String, String>,
}

impl Record {
    /// The value of the only or first slot of a field.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(&Slot::of(name)?)
    }

    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The codes of a field.
    pub fn codes(&self, name: &str) -> &[String] {
        match self.get(name) {
            Some(Value::Codes(codes)) => codes,
            _ => &[],
        }
    }

    /// The only code of a field.
    pub fn code(&self, name: &str) -> Option<&str> {
        self.codes(name).first().map(String::as_str)
    }

    /// A date.
    pub fn date(&self, name: &str) -> Option<PartialDate> {
        match self.get(name)? {
            Value::Date(date) => Some(*date),
            _ => None,
        }
    }

    /// Sets the only or first slot of a field, where there is something to set.
    pub fn set(&mut self, name: &str, value: Option<Value>) {
        if let (Some(slot), Some(value)) = (Slot::of(name), value) {
            self.values.insert(slot, value);
        }
    }

    /// Whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.extensions.is_empty()
    }
}

/// Characters that no text of the registry has: controls, and marks that turn the direction of what is shown.
fn is_forbidden(c: char) -> bool {
    (c.is_control() && c != '\n' && c != '\t') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// A text as it is kept: trimmed, NFC, one kind of line end, nothing that the registry refuses; none if nothing is left.
pub fn tidy(text: &str) -> Option<String> {
    use unicode_normalization::UnicodeNormalization;
    let text: String = text.replace("\r\n", "\n").replace('\r', "\n").nfc().filter(|c| !is_forbidden(*c)).collect();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_has_one_name() {
        for (index, field) in standard().fields().iter().enumerate() {
            for nth in [0, 1, 49] {
                if nth == 0 || field.part.repeats() {
                    let slot = Slot::new(index, nth);
                    assert_eq!(Slot::parse(&slot.name()), Some(slot), "{}", slot.name());
                }
            }
        }
        for bad in ["prs_FirstName_2", "hte_Type_1", "hte_Type_51", "hte_Type_x", "nothing"] {
            assert_eq!(Slot::parse(bad), None, "{bad}");
        }
    }
}
