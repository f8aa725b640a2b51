//! What a reader has to tell of a file: where, what, and never what stood there. Pure.

use serde::Serialize;

/// What was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteCode {
    /// The text is not UTF-8; read as Windows-1252.
    NotUtf8,
    /// The label above a column says another field than its machine name.
    NameLabelMismatch,
    /// A heading that the standard does not know.
    UnknownColumn,
    /// A second column of a field that a record has once.
    DuplicateColumn,
    /// A field of an older version without a successor.
    RetiredField,
    /// A sheet besides the one that was read.
    SheetIgnored,
    /// No column says which case a row belongs to.
    NoCaseKey,
    /// A cell under no heading.
    UnheadedCell,
    /// A formula; its last computed value was read.
    Formula,
    /// A spreadsheet's error (`#N/A`).
    CellError,
    /// Merged cells; the value was read for every row that they cover.
    MergedCells,
    /// A number where a date is meant.
    SerialDate,
    /// Day and month could change places.
    AmbiguousDate,
    /// A value of an older version of the standard.
    OlderValue,
    /// A value that the standard explains and has no code for.
    BeyondStandard,
    /// A value that is in no version of the list.
    UnknownCode,
    /// Several codes where one is meant; the first one was read.
    SeveralCodes,
    /// Not a value of the field's type.
    Unreadable,
    /// A telephone number that is not E.164.
    NotE164,
    /// Longer than can be kept.
    MaxLength,
    /// More repetitions, columns or extensions than can be kept.
    MaxItems,
    /// Kept as an extension: the registry has no field for it.
    KeptAsExtension,
    /// A value of the standard that the registry holds only approximately; the original is kept as an extension.
    Approximated,
    /// The registry asks for it, the record does not say it: taken as unknown.
    TakenAsUnknown,
    /// Rows of one case say different things of the case.
    CaseDiffers,
    /// Described as a victim and as a perpetrator: registered as a victim.
    VictimFirst,
    /// The registry refused the record; the pointer is the registry's.
    Refused,
    /// The case is registered already and says something else; left as it is.
    Differs,
}

/// What became of what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing was lost.
    Info,
    /// It is kept, and not where it belongs.
    Lossy,
    /// The line was not registered.
    Rejected,
}

impl NoteCode {
    /// How bad it is.
    pub fn level(self) -> Level {
        use NoteCode::{
            AmbiguousDate, Approximated, BeyondStandard, CaseDiffers, CellError, Differs, DuplicateColumn, KeptAsExtension,
            MaxItems, MaxLength, NotUtf8, OlderValue, Refused, RetiredField, SeveralCodes, TakenAsUnknown, UnheadedCell,
            UnknownCode, UnknownColumn, Unreadable, VictimFirst,
        };
        match self {
            MaxItems | MaxLength | Refused | Differs => Level::Rejected,
            AmbiguousDate | Approximated | BeyondStandard | CaseDiffers | CellError | DuplicateColumn | KeptAsExtension
            | NotUtf8 | OlderValue | RetiredField | SeveralCodes | TakenAsUnknown | UnheadedCell | UnknownCode
            | UnknownColumn | Unreadable | VictimFirst => Level::Lossy,
            _ => Level::Info,
        }
    }

    /// What it means, in words that hold nothing of the file.
    pub fn detail(self) -> &'static str {
        match self {
            Self::NotUtf8 => "not UTF-8: read as Windows-1252",
            Self::NameLabelMismatch => "the machine name and the label say different fields: the label was believed",
            Self::UnknownColumn => "no field of the standard: kept as an extension under its heading",
            Self::DuplicateColumn => "a second column of this field: kept as an extension",
            Self::RetiredField => "a field that the standard dropped: kept as an extension",
            Self::SheetIgnored => "another sheet with records was not read",
            Self::NoCaseKey => "no column numbers the cases: each row is a case, and its number was made of what it says",
            Self::UnheadedCell => "a cell under no heading: kept as an extension",
            Self::Formula => "a formula: its last computed value was read",
            Self::CellError => "the spreadsheet's own error: read as empty",
            Self::MergedCells => "merged cells: their value was read for every row",
            Self::SerialDate => "a number where a date is meant: read as the spreadsheet's day number",
            Self::AmbiguousDate => "day and month could change places: read in the order chosen for the file",
            Self::OlderValue => "a value of an older version: the nearest one of today was taken, the original kept",
            Self::BeyondStandard => "not in the standard's list: read as Other, the original kept",
            Self::UnknownCode => "not in the list: the cell is kept as an extension",
            Self::SeveralCodes => "several values where the standard allows one: the first was taken, the cell kept",
            Self::Unreadable => "not a value of this field's type: the cell is kept as an extension",
            Self::NotE164 => "not an E.164 number: kept as written",
            Self::MaxLength => "too long to be kept",
            Self::MaxItems => "too many to be kept",
            Self::KeptAsExtension => "no field of the registry: kept as an extension",
            Self::Approximated => "the registry's nearest value was taken, the original kept as an extension",
            Self::TakenAsUnknown => "the registry asks for it and the record does not say it: taken as unknown",
            Self::CaseDiffers => "rows of one case differ about the case: the first row's value was taken, the others kept",
            Self::VictimFirst => "described as victim and as perpetrator: registered as victim, the rest kept",
            Self::Refused => "refused by the registry",
            Self::Differs => "registered already, and says something else: left as it is",
        }
    }
}

/// One thing found in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Note {
    /// Line or row of the file, from 1; 0 for the file as a whole.
    pub line: u32,
    /// Letters of the spreadsheet's column.
    pub column: Option<String>,
    /// The standard's field.
    pub field: Option<String>,
    /// What.
    pub code: NoteCode,
    /// How bad.
    pub level: Level,
    /// What it means; a registry's pointer or code, never a value of a person.
    pub detail: String,
}

impl Note {
    /// Of a line, or of the file with line 0.
    pub fn new(line: u32, code: NoteCode) -> Self {
        Self { line, column: None, field: None, code, level: code.level(), detail: code.detail().to_owned() }
    }

    /// In a column, counted from 0.
    pub fn column(self, column: u32) -> Self {
        Self { column: Some(letters(column)), ..self }
    }

    /// Of a field.
    pub fn field(self, field: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..self }
    }

    /// With more words.
    pub fn saying(self, more: &str) -> Self {
        Self { detail: format!("{}: {more}", self.code.detail()), ..self }
    }
}

/// The letters of a spreadsheet's column: 0 is A, 26 is AA.
pub fn letters(column: u32) -> String {
    let mut text = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = (rest - 1) % 26;
        text.push(char::from(b'A' + u8::try_from(digit).unwrap_or(0)));
        rest = (rest - 1) / 26;
    }
    text.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_the_letters_of_the_spreadsheet() {
        let named: Vec<String> = [0, 25, 26, 38, 701, 702, 16_383].into_iter().map(letters).collect();
        assert_eq!(named, ["A", "Z", "AA", "AM", "ZZ", "AAA", "XFD"]);
    }
}
