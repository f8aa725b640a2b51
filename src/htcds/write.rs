//! Records as files: CSV and XLSX in the order of the official template, JSON by the profile. Pure.

use std::collections::BTreeSet;

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use super::files::{MOST_COLUMNS, csv};
use super::profile;
use super::record::{Record, Slot, Value};
use super::table::{VERSION, standard};
use crate::kernel::{Error, Result};

/// A file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// Comma-separated, one row of machine names.
    Csv,
    /// A workbook like the official template: machine names hidden, labels below them.
    Xlsx,
    /// The JSON profile.
    Json,
}

/// Name and label of the column that numbers the cases; the standard has none.
const KEY: (&str, &str) = ("cas_Id", "Case ID");

/// A column of a flat file.
enum Column {
    Field(Slot),
    Key,
    Extension(String),
}

impl Column {
    fn name(&self) -> String {
        match self {
            Self::Field(slot) => slot.name(),
            Self::Key => KEY.0.to_owned(),
            Self::Extension(name) => name.clone(),
        }
    }

    fn label(&self) -> String {
        match self {
            Self::Field(slot) => {
                let label = slot.field().map_or("", |f| f.labels.en.as_str());
                if slot.nth() == 0 { label.to_owned() } else { format!("{label} {}", slot.nth() + 1) }
            }
            Self::Key => KEY.1.to_owned(),
            Self::Extension(name) => name.clone(),
        }
    }
}

/// The template's columns, then the number of the case, then whatever else is said.
fn columns(records: &[Record]) -> Result<Vec<Column>> {
    let mut core: Vec<(u16, usize)> =
        (0..).zip(standard().fields()).filter_map(|(place, field)| Some((field.core?, place))).collect();
    core.sort_unstable();
    let core: Vec<Slot> = core.into_iter().map(|(_, place)| Slot::new(place, 0)).collect();
    let said: BTreeSet<Slot> = records.iter().flat_map(|r| r.values.keys().copied()).filter(|s| !core.contains(s)).collect();
    // The first items of what repeats stand together, then the second ones.
    let mut said: Vec<Slot> = said.into_iter().collect();
    said.sort_by_key(|slot| (slot.field().map(|f| f.part), slot.nth(), slot.place()));
    let extensions: BTreeSet<&String> = records.iter().flat_map(|r| r.extensions.keys()).collect();
    let mut all: Vec<Column> = core.into_iter().map(Column::Field).collect();
    all.push(Column::Key);
    all.extend(said.into_iter().map(Column::Field));
    all.extend(extensions.into_iter().cloned().map(Column::Extension));
    let most = usize::try_from(MOST_COLUMNS).map_err(Error::internal)?;
    if all.len() >= most {
        return Err(Error::internal("more columns than a file of the standard can have"));
    }
    Ok(all)
}

fn cell(record: &Record, column: &Column) -> Option<Value> {
    match column {
        Column::Field(slot) => record.values.get(slot).cloned(),
        Column::Key => record.key.clone().map(Value::Text),
        Column::Extension(name) => record.extensions.get(name).cloned().map(Value::Text),
    }
}

/// Writes records as a file.
pub fn write(records: &[Record], format: FileFormat) -> Result<Vec<u8>> {
    match format {
        FileFormat::Csv => {
            let columns = columns(records)?;
            let head = columns.iter().map(Column::name).collect();
            let row =
                |record: &Record| columns.iter().map(|c| cell(record, c).map_or_else(String::new, |v| v.text())).collect();
            csv::write(std::iter::once(head).chain(records.iter().map(row))).map_err(Error::internal)
        }
        FileFormat::Xlsx => workbook(records).map_err(Error::internal),
        FileFormat::Json => {
            let mut text = serde_json::to_vec_pretty(&profile::write(records)).map_err(Error::internal)?;
            text.push(b'\n');
            Ok(text)
        }
    }
}

/// Row of the labels; the machine names stand above it.
const LABELS: u32 = 1;

fn workbook(records: &[Record]) -> Result<Vec<u8>, XlsxError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    sheet.set_name("Case Sheet")?;
    let (head, day) = (Format::new().set_bold(), Format::new().set_num_format("yyyy-mm-dd"));
    let columns = columns(records).map_err(|_| XlsxError::RowColumnLimitError)?;
    // Column A counts the rows, as in the template.
    for (at, column) in (1_u16..).zip(&columns) {
        sheet.write_string(0, at, column.name())?;
        sheet.write_string_with_format(LABELS, at, column.label(), &head)?;
    }
    sheet.set_row_hidden(0)?;
    sheet.set_freeze_panes(LABELS + 1, 0)?;
    for (n, record) in (1_u32..).zip(records) {
        let row = LABELS + n;
        sheet.write_number(row, 0, n)?;
        for (at, column) in (1_u16..).zip(&columns) {
            match cell(record, column) {
                None => {}
                Some(Value::Flag(flag)) => {
                    sheet.write_boolean(row, at, flag)?;
                }
                Some(Value::Number(number)) => {
                    sheet.write_number(row, at, number)?;
                }
                Some(Value::Date(date)) => write_date(sheet, row, at, date, &day)?,
                Some(other) => {
                    sheet.write_string(row, at, other.text())?;
                }
            }
        }
    }
    let about = book.add_worksheet();
    about.set_name("about")?;
    let words = [
        format!("Human Trafficking Case Data Standard (HTCDS) {VERSION} by IOM, CC BY 4.0. IOM does not endorse this file or its program."),
        "Several values of one cell stand between semicolons. Columns after the template's are other fields of the standard, and what the standard does not know.".to_owned(),
    ];
    for (row, text) in (0..).zip(words) {
        about.write_string(row, 0, text)?;
    }
    book.save_to_buffer()
}

/// A day as the spreadsheet's own date; less than a day, and days before its reckoning is sound, as text.
fn write_date(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    date: crate::kernel::PartialDate,
    format: &Format,
) -> Result<(), XlsxError> {
    use chrono::Datelike;
    let sound = chrono::NaiveDate::from_ymd_opt(1900, 3, 1);
    match date.day().filter(|day| Some(*day) >= sound) {
        Some(day) => {
            let (year, month, of_month) = (u16::try_from(day.year()), u8::try_from(day.month()), u8::try_from(day.day()));
            let (Ok(year), Ok(month), Ok(of_month)) = (year, month, of_month) else {
                return Err(XlsxError::DateTimeRangeError("year".to_owned()));
            };
            sheet.write_datetime_with_format(row, column, ExcelDateTime::from_ymd(year, month, of_month)?, format)?;
        }
        None => {
            sheet.write_string(row, column, date.to_string())?;
        }
    }
    Ok(())
}
