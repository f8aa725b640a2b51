//! Files as rows of cells: CSV, XLSX and ODS, whatever somebody's office made of them.
//!
//! Owns the formats and their limits: what is read is bounded before it is read. Must not know the standard.

pub mod csv;
pub mod ods;
pub mod xlsx;
pub mod zip;

use super::dates::Epoch;
use super::report::{Note, NoteCode};

/// Largest file, bytes.
pub const LARGEST_FILE: usize = 64 << 20;
/// Most rows with something in them.
pub const MOST_ROWS: usize = 100_000;
/// Most columns.
pub const MOST_COLUMNS: u32 = 1_024;
/// Most cells with something in them.
pub const MOST_CELLS: usize = 4_000_000;
/// Most merged regions.
pub const MOST_REGIONS: usize = 100_000;
/// Most text, bytes: one text of a spreadsheet can stand in a million cells.
pub const MOST_TEXT: usize = 256 << 20;

/// What stands in a cell.
#[derive(Clone, PartialEq)]
pub enum Cell {
    /// Text.
    Text(String),
    /// A number.
    Number(f64),
    /// A number that is shown as a date: the spreadsheet's day number.
    Day(f64),
    /// Yes or no.
    Flag(bool),
    /// The spreadsheet's own error.
    Error,
}

/// A cell that is not empty.
#[derive(Clone, PartialEq)]
pub struct Placed {
    /// Column, from 0.
    pub column: u32,
    /// What stands there.
    pub cell: Cell,
    /// Whether it was computed.
    pub formula: bool,
}

/// A row with something in it.
#[derive(Clone, PartialEq)]
pub struct Row {
    /// Row of the sheet or line of the file, from 1.
    pub line: u32,
    /// Its cells, by column.
    pub cells: Vec<Placed>,
}

/// A table.
#[derive(Clone, Default)]
pub struct Sheet {
    /// Its name; empty for a file that has no sheets.
    pub name: String,
    /// Its rows. Empty ones are not there.
    pub rows: Vec<Row>,
    /// From which day its dates count.
    pub epoch: Epoch,
    /// What was found on the way.
    pub notes: Vec<Note>,
}

/// Why a file cannot be read at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Nothing in it.
    Empty,
    /// Not the format that it seems to be, or broken.
    Broken,
    /// Needs a password.
    Encrypted,
    /// Larger than the limits, declared or in fact.
    TooLarge,
    /// No row of headings that the standard knows.
    NoHeadings,
    /// A form's definition, not its answers.
    FormDefinition,
    /// An old binary workbook.
    OldWorkbook,
    /// JSON that is not the profile: in which record, from 1; 0 for the file as a whole.
    NotTheProfile(u32),
}

impl std::fmt::Display for Unreadable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let words = match self {
            Self::NotTheProfile(0) => "the JSON is not of the published profile (openapi/htcds-2.0.schema.json)",
            Self::NotTheProfile(record) => {
                return write!(f, "record {record} is not of the published profile (openapi/htcds-2.0.schema.json)");
            }
            Self::Empty => "the file is empty",
            Self::Broken => "the file is broken or not of the format that it seems to be",
            Self::Encrypted => "the file is protected by a password",
            Self::TooLarge => "the file is larger than the limits, packed or unpacked",
            Self::NoHeadings => "no row of headings of the standard was found among the first twenty",
            Self::FormDefinition => "this is the definition of a form, not the answers to it",
            Self::OldWorkbook => "a workbook of an old format (.xls): save it as .xlsx",
        };
        f.write_str(words)
    }
}

/// Collects rows within the limits.
#[derive(Default)]
pub(super) struct Collector {
    pub(super) rows: Vec<Row>,
    cells: usize,
    text: usize,
}

impl Collector {
    /// Adds a cell; an empty text is none.
    pub(super) fn put(&mut self, line: u32, placed: Placed) -> Result<(), Unreadable> {
        if placed.column >= MOST_COLUMNS {
            return Err(Unreadable::TooLarge);
        }
        if let Cell::Text(text) = &placed.cell {
            if text.trim().is_empty() {
                return Ok(());
            }
            self.text += text.len();
        }
        self.cells += 1;
        match self.rows.last_mut() {
            Some(row) if row.line == line => row.cells.push(placed),
            _ => self.rows.push(Row { line, cells: vec![placed] }),
        }
        let within = self.rows.len() <= MOST_ROWS && self.cells <= MOST_CELLS && self.text <= MOST_TEXT;
        if within { Ok(()) } else { Err(Unreadable::TooLarge) }
    }
}

/// The tables of a file. What it is, its first bytes say.
pub fn read(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    if bytes.len() > LARGEST_FILE {
        return Err(Unreadable::TooLarge);
    }
    match bytes {
        [] => Err(Unreadable::Empty),
        [b'P', b'K', ..] => {
            zip::check(bytes)?;
            if zip::has(bytes, "content.xml") { ods::read(bytes) } else { xlsx::read(bytes) }
        }
        // A compound file: an old workbook, or a new one behind a password.
        [0xd0, 0xcf, 0x11, 0xe0, ..] => {
            let wide: Vec<u8> = "EncryptedPackage".bytes().flat_map(|b| [b, 0]).collect();
            let locked = bytes.windows(wide.len()).any(|w| w == wide);
            Err(if locked { Unreadable::Encrypted } else { Unreadable::OldWorkbook })
        }
        _ => csv::read(bytes).map(|sheet| vec![sheet]),
    }
}

/// A merged region: its first and its last cell, each row and column, from 0.
pub(super) type Region = ((u32, u32), (u32, u32));

/// Reads a merged region's value for every row that it covers in its first column. Bounded like what is read: a few
/// regions of a small file can cover every row of it in every column.
pub(super) fn spread(sheet: &mut Sheet, regions: &[Region]) -> Result<(), Unreadable> {
    if regions.len() > MOST_REGIONS {
        return Err(Unreadable::TooLarge);
    }
    let headings = sheet.rows.first().map_or(0, |r| r.line);
    let (mut cells_left, mut text_left) = (MOST_CELLS, MOST_TEXT);
    for ((top, left), (bottom, right)) in regions.iter().copied() {
        // Rows of regions count from 0, lines from 1.
        let (first, last) = (top.saturating_add(1), bottom.saturating_add(1));
        let Ok(at) = sheet.rows.binary_search_by_key(&first, |r| r.line) else { continue };
        let Some(placed) = sheet.rows.get(at).and_then(|r| r.cells.iter().find(|c| c.column == left)) else { continue };
        let placed = placed.clone();
        if first > headings || right == left {
            sheet.notes.push(Note::new(first, NoteCode::MergedCells).column(left));
        }
        let length = if let Cell::Text(text) = &placed.cell { text.len() } else { 0 };
        for row in sheet.rows.iter_mut().skip(at + 1).take_while(|r| r.line <= last) {
            cells_left = cells_left.checked_sub(1).ok_or(Unreadable::TooLarge)?;
            if let Err(place) = row.cells.binary_search_by_key(&left, |c| c.column) {
                text_left = text_left.checked_sub(length).ok_or(Unreadable::TooLarge)?;
                row.cells.insert(place, placed.clone());
            }
        }
    }
    Ok(())
}
