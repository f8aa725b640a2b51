//! CSV: any of three separators, UTF-8, UTF-16 or the Windows-1252 of a file that says UTF-8; and out again.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

use super::{Cell, Collector, Placed, Sheet, Unreadable};
use crate::htcds::report::{Note, NoteCode};

/// Signs with which a cell begins that a spreadsheet would compute.
const DANGEROUS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// A cell that no spreadsheet computes: an apostrophe before what begins dangerously. [`bare`] takes it away.
pub fn safe(text: &str) -> String {
    if text.trim_start_matches('\'').starts_with(DANGEROUS) { format!("'{text}") } else { text.to_owned() }
}

/// The cell as it was before [`safe`].
pub fn bare(text: &str) -> &str {
    match text.strip_prefix('\'') {
        Some(rest) if rest.trim_start_matches('\'').starts_with(DANGEROUS) => rest,
        _ => text,
    }
}

/// The text of a file, and whether some of it was not UTF-8. Line by line: files are put together of others.
fn decode(bytes: &[u8]) -> (String, bool) {
    match bytes {
        [0xff, 0xfe, rest @ ..] => return (UTF_16LE.decode_without_bom_handling(rest).0.into_owned(), false),
        [0xfe, 0xff, rest @ ..] => return (UTF_16BE.decode_without_bom_handling(rest).0.into_owned(), false),
        _ => {}
    }
    let bytes = bytes.strip_prefix(&[0xef, 0xbb, 0xbf]).unwrap_or(bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        return (text.to_owned(), false);
    }
    let mut text = String::with_capacity(bytes.len() + bytes.len() / 8);
    for line in bytes.split_inclusive(|b| *b == b'\n') {
        match std::str::from_utf8(line) {
            Ok(line) => text.push_str(line),
            Err(_) => text.push_str(&WINDOWS_1252.decode_without_bom_handling(line).0),
        }
    }
    (text, true)
}

/// The separator that the first line has most of, outside quotes.
fn separator(text: &str) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0_usize), (b';', 0), (b'\t', 0)];
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted && counts.iter().any(|(_, n)| *n > 0) => break,
            _ if quoted => {}
            other => counts.iter_mut().filter(|(sign, _)| *sign == other).for_each(|(_, n)| *n += 1),
        }
    }
    counts.iter().max_by_key(|(sign, n)| (*n, *sign == b',')).map_or(b',', |(sign, _)| *sign)
}

/// Counts the lines of a text as its records go by.
struct Lines<'t> {
    text: &'t str,
    at: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line of the record that begins at a byte, or after the line ends that stand there.
    fn of(&mut self, from: usize) -> u32 {
        let bytes = self.text.as_bytes();
        let ends = bytes.get(from..).unwrap_or_default().iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let passed = bytes.get(self.at..from + ends).unwrap_or_default();
        for (n, byte) in passed.iter().enumerate() {
            let alone = *byte == b'\r' && passed.get(n + 1) != Some(&b'\n');
            self.line += u32::from(*byte == b'\n' || alone);
        }
        self.at = from + ends;
        self.line
    }
}

/// Reads a file.
pub fn read(bytes: &[u8]) -> Result<Sheet, Unreadable> {
    let (text, wrong) = decode(bytes);
    if text.trim().is_empty() {
        return Err(Unreadable::Empty);
    }
    let mut sheet = Sheet::default();
    if wrong {
        sheet.notes.push(Note::new(0, NoteCode::NotUtf8));
    }
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator(&text)).from_reader(text.as_bytes());
    let mut found = Collector::default();
    let mut record = csv::StringRecord::new();
    let mut lines = Lines { text: &text, at: 0, line: 1 };
    loop {
        match reader.read_record(&mut record) {
            Ok(false) => break,
            Ok(true) => {}
            Err(_) => return Err(Unreadable::Broken),
        }
        let at = record.position().map_or(0, csv::Position::byte);
        let line = lines.of(usize::try_from(at).map_err(|_| Unreadable::TooLarge)?);
        for (column, text) in (0..).zip(&record) {
            // Cells beyond the last column matter only if there is something in them.
            if !text.trim().is_empty() {
                found.put(line, Placed { column, cell: Cell::Text(bare(text).to_owned()), formula: false })?;
            }
        }
    }
    sheet.rows = found.rows;
    Ok(sheet)
}

/// Writes rows of text, as RFC 4180 says, in UTF-8.
pub fn write(rows: impl Iterator<Item = Vec<String>>) -> Result<Vec<u8>, Unreadable> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row.iter().map(|text| safe(text))).map_err(|_| Unreadable::Broken)?;
    }
    writer.into_inner().map_err(|_| Unreadable::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(bytes: &[u8]) -> Vec<(u32, Vec<String>)> {
        let text = |cell: &Cell| match cell {
            Cell::Text(text) => text.clone(),
            _ => panic!(),
        };
        let rows = read(bytes).unwrap().rows;
        rows.iter().map(|r| (r.line, r.cells.iter().map(|c| text(&c.cell)).collect())).collect()
    }

    fn row(line: u32, cells: &[&str]) -> (u32, Vec<String>) {
        (line, cells.iter().map(|c| (*c).to_owned()).collect())
    }

    #[test]
    fn any_separator_and_any_line_end_and_no_final_one() {
        for text in ["a,b\r\n1,\"x\ny\"\r\n", "a;b\n1;\"x\ny\"", "a\tb\n1\t\"x\ny\"\n"] {
            assert_eq!(texts(text.as_bytes()), [row(1, &["a", "b"]), row(2, &["1", "x\ny"])], "{text:?}");
        }
        // A comma in a quoted heading does not decide.
        assert_eq!(texts(b"\"a,b,c\";d\n1;2"), [row(1, &["a,b,c", "d"]), row(2, &["1", "2"])]);
        assert_eq!(texts(b"a,b\n\n,\n  , \n1,2\n"), [row(1, &["a", "b"]), row(5, &["1", "2"])], "empty rows are not there");
    }

    #[test]
    fn text_that_is_not_what_it_says_is_read_and_told() {
        let mixed = [b"\xef\xbb\xbfname,city\n".as_slice(), b"Mu\xf1oz,\x93Lima\x94\n", "Núñez,Cusco\n".as_bytes()].concat();
        assert_eq!(texts(&mixed), [row(1, &["name", "city"]), row(2, &["Muñoz", "“Lima”"]), row(3, &["Núñez", "Cusco"])]);
        assert_eq!(read(&mixed).unwrap().notes, [Note::new(0, NoteCode::NotUtf8)]);
        let wide: Vec<u8> = "\u{feff}ñ\tb\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(texts(&wide), [row(1, &["ñ", "b"])]);
        assert_eq!(read(b"\xef\xbb\xbf \n").err(), Some(Unreadable::Empty));
    }

    proptest! {
        #[test]
        fn no_cell_is_computed_and_every_cell_comes_back(text in "['=+@\\-\t\ra-c, \"\n]{1,8}") {
            let cell = safe(&text);
            prop_assert_eq!(bare(&cell), &text);
            prop_assert!(!cell.starts_with(DANGEROUS));
        }

        #[test]
        fn no_bytes_stop_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
        }
    }
}
