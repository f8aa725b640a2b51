//! XLSX: cell by cell, so that a sheet which says that it is a billion cells costs what it holds.

use std::io::Cursor;

use calamine::{DataRef, Dimensions, Reader, SheetType, Xlsx, XlsxError};

use super::{Cell, Collector, Placed, Sheet, Unreadable, spread};
use crate::htcds::dates::Epoch;

fn broken(error: XlsxError) -> Unreadable {
    match error {
        XlsxError::Password => Unreadable::Encrypted,
        _ => Unreadable::Broken,
    }
}

/// Reads the sheets of a workbook whose unpacked size has been checked.
pub fn read(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    // The library panics at references that no spreadsheet writes (a row beyond every number): a broken file like others.
    std::panic::catch_unwind(|| sheets(bytes)).unwrap_or(Err(Unreadable::Broken))
}

fn sheets(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(broken)?;
    let epoch = if book.has_1904_epoch() { Epoch::Y1904 } else { Epoch::Y1900 };
    let sheets = book.sheets_metadata().iter().filter(|s| s.typ == SheetType::WorkSheet);
    let names: Vec<String> = sheets.map(|s| s.name.clone()).collect();
    let mut found = Vec::with_capacity(names.len());
    for name in names {
        let merged = book.merge_cells_by_sheet_name(&name).unwrap_or_default();
        let mut rows = Collector::default();
        let mut cells = book.worksheet_cells_reader(&name).map_err(broken)?;
        while let Some(read) = cells.next_cell_with_formula_metadata().map_err(broken)? {
            let (row, column) = read.pos;
            let cell = match read.value {
                DataRef::Empty => continue,
                DataRef::Int(number) => Cell::Number(number.to_string().parse().unwrap_or(f64::NAN)),
                DataRef::Float(number) => Cell::Number(number),
                DataRef::String(text) => Cell::Text(text),
                DataRef::SharedString(text) => Cell::Text(text.to_owned()),
                DataRef::Bool(flag) => Cell::Flag(flag),
                DataRef::DateTime(day) if day.is_datetime() => Cell::Day(day.as_f64()),
                DataRef::DateTime(span) => Cell::Number(span.as_f64()),
                DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::Text(text),
                DataRef::Error(_) => Cell::Error,
            };
            let line = row.checked_add(1).ok_or(Unreadable::Broken)?;
            rows.put(line, Placed { column, cell, formula: read.formula.is_some() })?;
        }
        let mut sheet = Sheet { name, rows: rows.rows, epoch, notes: Vec::new() };
        // Files that were not made by a spreadsheet may have their rows and cells in any order.
        sheet.rows.sort_by_key(|r| r.line);
        sheet.rows.dedup_by(|next, row| {
            let same = next.line == row.line;
            if same {
                row.cells.append(&mut next.cells);
            }
            same
        });
        for row in &mut sheet.rows {
            row.cells.sort_by_key(|c| c.column);
            row.cells.dedup_by_key(|c| c.column);
        }
        let regions: Vec<_> = merged.iter().map(|Dimensions { start, end }| (*start, *end)).collect();
        spread(&mut sheet, &regions)?;
        found.push(sheet);
    }
    Ok(found)
}
