//! CSV: a record is a case; the header names the fields by their paths (`victims.0.sex`).
//!
//! Cells that a spreadsheet would run as a formula are written behind an apostrophe ([`guard`]), and read without it
//! ([`unguard`]): the two undo each other, whatever a cell holds. Lists of codes stand in one cell, with semicolons
//! between them. Pure but for the reading.

use std::collections::BTreeMap;
use std::io::{self, Read};

use csv_core::ReadRecordResult;
use serde_json::{Map, Value};

use super::lines::{LONGEST, parse};
use super::run::Item;
use crate::kernel::{Fault, FaultCode};

/// Most columns.
const MOST_COLUMNS: usize = 2_000;
/// Bytes read at a time.
const READ: usize = 65_536;
/// Fields whose cell is a list, with semicolons.
const LISTS: &[&str] =
    &["exploitation", "nationalities", "languages", "acts", "means", "purposes", "control", "aggravators", "other_names"];
/// Fields that are whole numbers.
const NUMBERS: &[&str] = &["age_at_identification"];
/// Fields that are yes or no.
const FLAGS: &[&str] = &["facts_from_estimated", "facts_to_estimated", "safe"];

fn runs(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r'])
}

/// A cell as it is written: what a spreadsheet would run, and what looks as if this had been done to it, gets an
/// apostrophe in front.
pub fn guard(cell: &str) -> std::borrow::Cow<'_, str> {
    if runs(cell.trim_start_matches('\'')) { format!("'{cell}").into() } else { cell.into() }
}

/// A cell as it was before [`guard`].
pub fn unguard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if runs(rest.trim_start_matches('\'')) => rest,
        _ => cell,
    }
}

/// Writes a record: guarded, quoted where it must be, ended as RFC 4180 says.
pub fn write_record<'c>(to: &mut Vec<u8>, cells: impl Iterator<Item = &'c str>) {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            to.push(b',');
        }
        let cell = guard(cell);
        if cell.contains(['"', ',', '\n', '\r']) || cell.starts_with(' ') || cell.ends_with(' ') {
            to.push(b'"');
            to.extend_from_slice(cell.replace('"', "\"\"").as_bytes());
            to.push(b'"');
        } else {
            to.extend_from_slice(cell.as_bytes());
        }
    }
    to.extend_from_slice(b"\r\n");
}

/// One record as it stands.
struct Raw {
    /// Number of its first line.
    line: u64,
    /// Lines behind it.
    lines: u64,
    /// The byte behind it.
    end: u64,
    /// Its cells, or why it cannot be read.
    cells: Result<Vec<String>, FaultCode>,
}

/// Records of a stream. One that is too long (a quote that nobody closed) is passed over, not kept.
struct Cut<R> {
    source: R,
    parser: csv_core::Reader,
    buffer: Vec<u8>,
    at: usize,
    offset: u64,
    lines: u64,
    output: Vec<u8>,
    ends: Vec<usize>,
    over: bool,
}

impl<R: Read> Cut<R> {
    fn new(source: R, offset: u64, lines: u64) -> Self {
        Self {
            source,
            parser: csv_core::Reader::new(),
            buffer: Vec::new(),
            at: 0,
            offset,
            lines,
            output: vec![0; 4_096],
            ends: vec![0; 64],
            over: false,
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.at < self.buffer.len() {
            return Ok(());
        }
        self.buffer.resize(READ, 0);
        self.at = 0;
        let n = loop {
            match self.source.read(&mut self.buffer) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.buffer.truncate(n);
        Ok(())
    }

    fn taken(&mut self, bytes: usize) {
        let gone = self.buffer.get(self.at..self.at + bytes).unwrap_or_default();
        self.lines += u64::try_from(gone.iter().filter(|b| **b == b'\n').count()).unwrap_or(0);
        self.at += bytes;
        self.offset += u64::try_from(bytes).unwrap_or(0);
    }

    /// Passes over ends of lines; no record begins with one.
    fn skip(&mut self) -> io::Result<()> {
        loop {
            self.fill()?;
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let blank = rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
            let more = blank > 0 && blank == rest.len();
            self.taken(blank);
            if !more {
                return Ok(());
            }
        }
    }

    fn record(&mut self) -> io::Result<Option<Raw>> {
        if self.over {
            return Ok(None);
        }
        self.skip()?;
        let line = self.lines + 1;
        let (mut filled, mut cells, mut long) = (0, 0, false);
        loop {
            self.fill()?;
            let input = self.buffer.get(self.at..).unwrap_or_default();
            let output = self.output.get_mut(filled..).unwrap_or_default();
            let ends = self.ends.get_mut(cells..).unwrap_or_default();
            let (result, read, written, ended) = self.parser.read_record(input, output, ends);
            self.taken(read);
            filled += written;
            cells += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.output.len() < LONGEST && !long => {
                    let room = (self.output.len() * 2).min(LONGEST);
                    self.output.resize(room, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MOST_COLUMNS && !long => {
                    let room = (self.ends.len() * 2).min(MOST_COLUMNS);
                    self.ends.resize(room, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    (long, filled, cells) = (true, 0, 0);
                }
                ReadRecordResult::Record => {
                    let cells = if long { Err(FaultCode::MaxLength) } else { self.cells(cells) };
                    return Ok(Some(Raw { line, lines: self.lines, end: self.offset, cells }));
                }
                ReadRecordResult::End => {
                    self.over = true;
                    let (lines, end) = (self.lines, self.offset);
                    let left = long.then_some(Raw { line, lines, end, cells: Err(FaultCode::MaxLength) });
                    return Ok(left);
                }
            }
        }
    }

    fn cells(&self, count: usize) -> Result<Vec<String>, FaultCode> {
        let mut start = 0;
        let cut = self.ends.iter().take(count).map(|end| {
            let bytes = self.output.get(start..*end).unwrap_or_default();
            start = *end;
            std::str::from_utf8(bytes).map(|t| unguard(t).to_owned()).map_err(|_| FaultCode::Format)
        });
        cut.collect()
    }
}

/// The first record: which field each column is.
#[derive(Clone, Debug)]
pub struct Header {
    columns: Vec<Vec<String>>,
    faults: Vec<Fault>,
    /// The byte behind it.
    pub end: u64,
    /// The lines that it takes.
    pub lines: u64,
}

impl Header {
    /// Reads it from the start of a file.
    pub fn read(source: impl Read) -> io::Result<Self> {
        let mut cut = Cut::new(source, 0, 0);
        let raw = cut.record()?;
        let Some(raw) = raw else {
            return Ok(Self { columns: Vec::new(), faults: Vec::new(), end: 0, lines: 0 });
        };
        let lines = raw.lines;
        let mut faults = Vec::new();
        let names = raw.cells.unwrap_or_else(|code| {
            faults.push(Fault::body("", code));
            Vec::new()
        });
        let mut columns: Vec<Vec<String>> = Vec::with_capacity(names.len());
        for (index, name) in names.iter().enumerate() {
            let path: Vec<String> = name.trim().split('.').map(str::to_owned).collect();
            if path.iter().any(String::is_empty) || path.len() > 8 {
                faults.push(Fault::body(format!("/columns/{index}"), FaultCode::Pattern));
            } else if columns.contains(&path) {
                faults.push(Fault::body(format!("/columns/{index}"), FaultCode::UniqueItems));
            }
            columns.push(path);
        }
        Ok(Self { columns, faults, end: raw.end, lines })
    }
}

/// The cases of a CSV file.
pub struct Records<R> {
    header: Header,
    cut: Cut<R>,
}

impl<R: Read> Records<R> {
    /// The records behind a byte and so many lines, under a header.
    pub fn new(header: Header, source: R, (offset, lines): (u64, u64)) -> Self {
        Self { cut: Cut::new(source, offset, lines), header }
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = io::Result<Item>;

    fn next(&mut self) -> Option<Self::Item> {
        if !self.header.faults.is_empty() {
            // No record can be read under a header that cannot: said once, and that is the end.
            let faults = std::mem::take(&mut self.header.faults);
            self.cut.over = true;
            return Some(Ok(Item { line: (1, Err(faults)), lines: self.header.lines, end: self.header.end }));
        }
        loop {
            let raw = match self.cut.record() {
                Err(e) => return Some(Err(e)),
                Ok(None) => return None,
                Ok(Some(raw)) => raw,
            };
            let blank = raw.cells.as_ref().is_ok_and(|cells| cells.iter().all(|c| c.trim().is_empty()));
            if !blank {
                let text = raw.cells.and_then(|cells| document(&self.header.columns, &cells));
                return Some(Ok(Item { line: (raw.line, parse(&text)), lines: raw.lines, end: raw.end }));
            }
        }
    }
}

/// The members of an object or the items of a list, before it is known which of the two they are.
#[derive(Default)]
struct Node {
    value: Option<Value>,
    inner: BTreeMap<String, Node>,
}

impl Node {
    fn put(&mut self, path: &[String], value: Value) {
        match path {
            [] => self.value = Some(value),
            [first, rest @ ..] => self.inner.entry(first.clone()).or_default().put(rest, value),
        }
    }

    fn build(self) -> Value {
        if let Some(value) = self.value {
            return value;
        }
        let listed: Option<Vec<usize>> = self.inner.keys().map(|k| k.parse().ok()).collect();
        match listed {
            Some(order) if !order.is_empty() => {
                let mut items: Vec<(usize, Self)> = order.into_iter().zip(self.inner.into_values()).collect();
                items.sort_by_key(|(index, _)| *index);
                // Columns of persons that this case does not have are empty: the list is as long as it is.
                Value::Array(items.into_iter().map(|(_, node)| node.build()).collect())
            }
            _ => Value::Object(self.inner.into_iter().map(|(name, node)| (name, node.build())).collect::<Map<_, _>>()),
        }
    }
}

/// The JSON of a record. Empty cells say nothing.
fn document(columns: &[Vec<String>], cells: &[String]) -> Result<String, FaultCode> {
    if cells.len() > columns.len() {
        return Err(FaultCode::MaxItems);
    }
    let mut root = Node::default();
    for (path, cell) in columns.iter().zip(cells).filter(|(_, cell)| !cell.is_empty()) {
        let name = path.last().map_or("", String::as_str);
        let harmed = name == "victims" && path.first().is_some_and(|p| p == "charges");
        let value = if LISTS.contains(&name) || harmed {
            let items = cell.split(';').map(str::trim).filter(|i| !i.is_empty());
            Value::Array(items.map(|i| Value::String(i.to_owned())).collect())
        } else if NUMBERS.contains(&name)
            && let Ok(number) = cell.trim().parse::<i64>()
        {
            Value::from(number)
        } else if FLAGS.contains(&name)
            && let Ok(flag) = cell.trim().parse::<bool>()
        {
            Value::Bool(flag)
        } else {
            Value::String(cell.clone())
        };
        root.put(path, value);
    }
    Ok(root.build().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cells(text: &[u8]) -> Vec<(u64, Result<Vec<String>, FaultCode>)> {
        let mut cut = Cut::new(text, 0, 0);
        std::iter::from_fn(|| cut.record().unwrap()).map(|raw| (raw.line, raw.cells)).collect()
    }

    #[test]
    fn quotes_commas_and_line_feeds_stand_in_cells() {
        let all = cells(b"\xef\xbb\xbfa,b\r\n\"x, \"\"y\"\"\",\"one\ntwo\"\nlast,");
        let ok = |n, c: &[&str]| (n, Ok(c.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>()));
        assert_eq!(all, [ok(1, &["a", "b"]), ok(2, &["x, \"y\"", "one\ntwo"]), ok(4, &["last", ""])]);
        assert_eq!(cells(b""), []);
        assert_eq!(cells(b"a\n\xff\n")[1].1, Err(FaultCode::Format));
    }

    #[test]
    fn a_quote_that_nobody_closed_takes_no_memory() {
        let text = [b"a,b\n\"".to_vec(), vec![b'x'; 4 * LONGEST]].concat();
        let mut cut = Cut::new(text.as_slice(), 0, 0);
        assert!(cut.record().unwrap().unwrap().cells.is_ok());
        assert_eq!(cut.record().unwrap().unwrap().cells, Err(FaultCode::MaxLength));
        assert!(cut.output.len() <= LONGEST);
        assert!(cut.record().unwrap().is_none());
    }

    #[test]
    fn columns_are_paths_into_the_case() {
        let columns = |names: &[&str]| names.iter().map(|n| n.split('.').map(str::to_owned).collect()).collect::<Vec<_>>();
        let given = |cells: &[&str]| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let columns = columns(&["title", "exploitation", "victims.0.age_at_identification", "victims.1.sex", "summary"]);
        let text = document(&columns, &given(&["T", "labour; sexual_adult", "17", "male", ""])).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            value,
            serde_json::json!({"title": "T", "exploitation": ["labour", "sexual_adult"],
                "victims": [{"age_at_identification": 17}, {"sex": "male"}]})
        );
        assert_eq!(document(&columns, &given(&["", "", "", "", "", "x"])), Err(FaultCode::MaxItems));
    }

    proptest! {
        #[test]
        fn guarding_a_cell_is_undone_and_leaves_none_that_runs(cell in "['=+@\\-\\t\\ra\" ,\\n]{0,8}") {
            let guarded = guard(&cell);
            prop_assert!(!runs(&guarded));
            prop_assert_eq!(unguard(&guarded), cell.as_str());
        }

        #[test]
        fn what_is_written_is_read_again(rows in prop::collection::vec(prop::collection::vec("['=+@a\",;\\n\\r ]{0,6}", 2..5), 1..5)) {
            let mut text = Vec::new();
            for row in &rows {
                write_record(&mut text, row.iter().map(String::as_str));
            }
            let read: Vec<Vec<String>> = cells(&text).into_iter().map(|(_, c)| c.unwrap()).collect();
            prop_assert_eq!(read, rows);
        }
    }
}
