//! Files as records, with everything that was lost or doubtful on the way. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::files::{self, Cell, Placed, Row, Sheet, Unreadable};
use super::headings::{self, Headings, Role};
use super::profile;
use super::record::{Record, Slot, Value};
use super::report::{Note, NoteCode};
use super::table::{VERSION, standard};
use super::values::{self, Habits};
use crate::extensions::{LONGEST_NAME, LONGEST_VALUE};
use crate::htcds::dates::Order;

/// A file as read.
#[derive(Clone, Default)]
pub struct Reading {
    /// The version of the standard for which the file was made.
    pub version: &'static str,
    /// The format: `csv`, `spreadsheet` or `json`.
    pub format: &'static str,
    /// The records, each with its line.
    pub records: Vec<(u32, Record)>,
    /// What is to be told, by line.
    pub notes: Vec<Note>,
}

/// Most columns that the standard does not know, in one record.
const MOST_EXTENSIONS: usize = 100;
/// Behind the heading of a cell that could not be read: where the cell itself is kept.
const AS_WRITTEN: &str = "(as written)";

/// Reads a file; what it is, its first bytes say.
pub fn read(bytes: &[u8], order: Order) -> Result<Reading, Unreadable> {
    let start = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes).trim_ascii_start();
    if start.first() == Some(&b'{') {
        let records = profile::read(start)?;
        return Ok(Reading { version: VERSION, format: "json", records, notes: Vec::new() });
    }
    let sheets = files::read(bytes)?;
    if ["survey", "choices"].iter().all(|name| sheets.iter().any(|s| s.name == *name)) {
        return Err(Unreadable::FormDefinition);
    }
    let mut notes = Vec::new();
    let mut chosen: Option<(&Sheet, Headings)> = None;
    for sheet in &sheets {
        let mut told = Vec::new();
        let Some(found) = headings::find(sheet, &mut told) else { continue };
        if chosen.is_some() {
            if sheet.rows.len() > found.rows {
                notes.push(Note::new(0, NoteCode::SheetIgnored));
            }
            continue;
        }
        notes.append(&mut told);
        chosen = Some((sheet, found));
    }
    let (sheet, found) = chosen.ok_or(Unreadable::NoHeadings)?;
    notes.extend(sheet.notes.iter().cloned());
    let habits = Habits { order, epoch: sheet.epoch };
    let mut records = Vec::new();
    for row in sheet.rows.iter().skip(found.rows) {
        // A number before the first heading counts the rows of the template.
        if row.cells.iter().all(|placed| found.role(placed.column).is_none() && is_count(&placed.cell)) {
            continue;
        }
        let record = record(row, &found, habits, &mut notes);
        if !record.is_empty() || record.key.is_some() {
            records.push((row.line, record));
        }
    }
    notes.sort();
    notes.dedup();
    let format = if bytes.starts_with(b"PK") { "spreadsheet" } else { "csv" };
    Ok(Reading { version: found.version, format, records, notes })
}

fn is_count(cell: &Cell) -> bool {
    match cell {
        Cell::Number(_) => true,
        Cell::Text(text) => text.trim().bytes().all(|b| b.is_ascii_digit()),
        _ => false,
    }
}

fn record(row: &Row, headings: &Headings, habits: Habits, notes: &mut Vec<Note>) -> Record {
    let mut record = Record::default();
    let mut options: BTreeMap<Slot, BTreeSet<usize>> = BTreeMap::new();
    for Placed { column, cell, formula } in &row.cells {
        let told = |code| Note::new(row.line, code).column(*column);
        if *formula {
            notes.push(told(NoteCode::Formula));
        }
        match headings.role(*column) {
            None if is_count(cell) => {}
            None => {
                notes.push(told(NoteCode::UnheadedCell));
                let name = format!("column {}", super::report::letters(*column));
                extend(&mut record, name, values::text_of(cell), &told, notes);
            }
            Some(Role::Key) => record.key = values::text_of(cell),
            Some(Role::Extension(name)) => extend(&mut record, name.clone(), values::text_of(cell), &told, notes),
            Some(Role::Option(slot, place)) => {
                if values::text_of(cell).and_then(|t| values::flag(&t)) == Some(true) {
                    options.entry(*slot).or_default().insert(*place);
                }
            }
            Some(Role::Field(slot)) => {
                let Some(field) = slot.field() else { continue };
                let Some(values::Reading { value, notes: codes, keep }) = values::read(field, cell, habits) else {
                    continue;
                };
                notes.extend(codes.iter().map(|code| told(*code).field(slot.name())));
                if keep {
                    let name = format!("{} {AS_WRITTEN}", slot.name());
                    extend(&mut record, name, values::text_of(cell), &told, notes);
                }
                if let Some(value) = value {
                    record.values.insert(*slot, value);
                }
            }
        }
    }
    for (slot, places) in options {
        unite(&mut record, slot, places);
    }
    record
}

/// Adds the codes whose columns say yes to those of the field's own column.
fn unite(record: &mut Record, slot: Slot, mut places: BTreeSet<usize>) {
    let Some(list) = slot.field().and_then(|f| f.list.as_deref()) else { return };
    let known = standard().list(list);
    if let Some(Value::Codes(codes)) = record.values.get(&slot) {
        places.extend(codes.iter().filter_map(|code| known.iter().position(|k| k.code == *code)));
    }
    let codes = places.into_iter().filter_map(|p| known.get(p)).map(|c| c.code.clone()).collect();
    record.values.insert(slot, Value::Codes(codes));
}

fn extend(
    record: &mut Record,
    name: String,
    value: Option<String>,
    told: &impl Fn(NoteCode) -> Note,
    notes: &mut Vec<Note>,
) {
    let Some(value) = value else { return };
    // Room for the name of the format before it.
    if name.chars().count() > LONGEST_NAME - 20 || value.chars().count() > LONGEST_VALUE {
        notes.push(told(NoteCode::MaxLength));
    } else if record.extensions.len() >= MOST_EXTENSIONS {
        notes.push(told(NoteCode::MaxItems));
    } else {
        record.extensions.insert(name, value);
    }
}
