//! Lines and records of a stream, one at a time: bounded memory whatever the stream holds. Pure but for the reading.

use std::io::{self, Read};

use crate::cases::wire::CaseCreate;
use crate::http::body;
use crate::kernel::error::Error;
use crate::kernel::{Fault, FaultCode};

use super::model::ImportRecord;

/// Longest line, bytes: as much as the body of one case may have.
pub const LONGEST: usize = 1_048_576;
/// Bytes read at a time.
const READ: usize = 65_536;
/// UTF-8's byte order mark.
const BOM: &[u8] = b"\xef\xbb\xbf";

/// One line as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawLine {
    /// Its number, from 1.
    pub number: u64,
    /// The byte behind it: where reading may go on.
    pub end: u64,
    /// Its text without the line's end, or why it cannot be read.
    pub text: Result<String, FaultCode>,
}

/// A stream cut at its line feeds. A line that is too long is passed over, not kept.
#[derive(Debug)]
pub struct Lines<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    number: u64,
    offset: u64,
}

impl<R: Read> Lines<R> {
    /// From the start.
    pub fn new(source: R) -> Self {
        Self::from(source, 0, 0)
    }

    /// From a byte on, behind so many lines.
    pub fn from(source: R, offset: u64, number: u64) -> Self {
        Self { source, buffer: Vec::new(), at: 0, number, offset }
    }

    /// Reads more; no at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let before = self.buffer.len();
        self.buffer.resize(before + READ, 0);
        let room = self.buffer.get_mut(before..).unwrap_or_default();
        let n = loop {
            match self.source.read(room) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other,
            }
        };
        self.buffer.truncate(before + n.as_ref().ok().copied().unwrap_or(0));
        n.map(|n| n > 0)
    }

    fn taken(&mut self, bytes: usize) {
        self.at += bytes;
        self.offset += u64::try_from(bytes).unwrap_or(0);
    }

    /// The next line; none behind the last one.
    fn line(&mut self) -> io::Result<Option<RawLine>> {
        let first = self.offset == 0;
        let mut long = false;
        let mut searched = 0;
        loop {
            let rest = self.buffer.get(self.at..).unwrap_or_default();
            let end = rest.iter().skip(searched).position(|b| *b == b'\n').map(|n| n + searched);
            let (length, more) = match end {
                Some(end) => (end, 1),
                None => {
                    searched = rest.len();
                    if searched > LONGEST {
                        // Passed over in pieces: only its end is looked for.
                        long = true;
                        self.taken(searched);
                        searched = 0;
                    }
                    if self.fill()? {
                        continue;
                    }
                    let left = self.buffer.len() - self.at;
                    if left == 0 && !long {
                        return Ok(None);
                    }
                    (left, 0)
                }
            };
            let bytes = self.buffer.get(self.at..self.at + length).unwrap_or_default();
            let text = if long || length > LONGEST {
                Err(FaultCode::MaxLength)
            } else {
                let bytes = if first { bytes.strip_prefix(BOM).unwrap_or(bytes) } else { bytes };
                let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
                std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| FaultCode::Format)
            };
            self.taken(length + more);
            self.number += 1;
            return Ok(Some(RawLine { number: self.number, end: self.offset, text }));
        }
    }
}

impl<R: Read> Iterator for Lines<R> {
    type Item = io::Result<RawLine>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line().transpose()
    }
}

/// A line of NDJSON, read by the rules of the body of `POST /v1/cases`.
pub fn parse(text: &Result<String, FaultCode>) -> Result<ImportRecord, Vec<Fault>> {
    let text = text.as_ref().map_err(|code| vec![Fault::body("", *code)])?;
    match body::parse::<CaseCreate>(text) {
        Ok(case) => ImportRecord::new(case),
        Err(Error::Validation(faults)) => Err(faults),
        Err(_) => Err(vec![Fault::body("", FaultCode::Format)]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(bytes: &[u8]) -> Vec<(u64, Result<String, FaultCode>)> {
        Lines::new(bytes).map(|l| l.unwrap()).map(|l| (l.number, l.text)).collect()
    }

    #[test]
    fn lines_end_where_their_senders_systems_end_them() {
        let ok = |n, t: &str| (n, Ok(t.to_owned()));
        assert_eq!(read(b""), []);
        assert_eq!(read(b"a\nb\n"), [ok(1, "a"), ok(2, "b")]);
        assert_eq!(read(b"a\r\n\r\nb"), [ok(1, "a"), ok(2, ""), ok(3, "b")]);
        assert_eq!(read(b"\xef\xbb\xbf{}\n"), [ok(1, "{}")], "a byte order mark is no text");
        assert_eq!(read(b"a\n\xff\xfe\nc"), [ok(1, "a"), (2, Err(FaultCode::Format)), ok(3, "c")]);
        assert_eq!(read(b"a\0b\n"), [ok(1, "a\0b")]);
    }

    #[test]
    fn a_line_of_ten_megabytes_is_passed_over_and_the_next_one_read() {
        let mut bytes = vec![b'x'; 10 * LONGEST];
        bytes.extend_from_slice(b"\nb\n");
        let mut lines = Lines::new(bytes.as_slice());
        assert_eq!(lines.next().unwrap().unwrap().text, Err(FaultCode::MaxLength));
        assert!(lines.buffer.capacity() < 3 * LONGEST, "{}", lines.buffer.capacity());
        let last = lines.next().unwrap().unwrap();
        assert_eq!((last.number, last.text, last.end), (2, Ok("b".to_owned()), bytes.len() as u64));
        assert!(lines.next().is_none());
        let exact = [vec![b'x'; LONGEST], b"\n".to_vec()].concat();
        assert!(read(&exact)[0].1.is_ok());
        let over = [vec![b'x'; LONGEST + 1], b"\n".to_vec()].concat();
        assert_eq!(read(&over)[0].1, Err(FaultCode::MaxLength));
    }

    proptest! {
        #[test]
        fn reading_may_go_on_behind_any_line(text in "[a-c\\n\\r]{0,60}") {
            let all: Vec<RawLine> = Lines::new(text.as_bytes()).map(|l| l.unwrap()).collect();
            for (index, line) in all.iter().enumerate() {
                let rest = &text.as_bytes()[line.end as usize..];
                let on: Vec<RawLine> = Lines::from(rest, line.end, line.number).map(|l| l.unwrap()).collect();
                prop_assert_eq!(&all[index + 1..], on.as_slice());
            }
        }
    }
}
