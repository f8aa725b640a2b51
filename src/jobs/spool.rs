//! Files of jobs as streams: pieces of one size, sealed one by one, never more than one of them in memory.

use std::io::{self, Read};

use super::store;
use crate::db::Store;
use crate::kernel::ids::JobId;
use crate::kernel::{Error, Result};

/// Bytes of every piece of a received file but the last.
pub const PIECE: usize = 262_144;
/// The name of the file that a job was given.
pub const INPUT: &str = "input";

/// Reads a stored file from some byte on.
#[derive(Debug)]
pub struct Reader {
    store: Store,
    job: JobId,
    file: &'static str,
    seq: i64,
    piece: Vec<u8>,
    at: usize,
    over: bool,
}

impl Reader {
    /// A reader of a file whose pieces are [`PIECE`] bytes long, from byte `offset` on.
    pub fn new(store: &Store, job: JobId, file: &'static str, offset: u64) -> Self {
        let size = u64::try_from(PIECE).unwrap_or(1);
        let seq = i64::try_from(offset / size).unwrap_or(0);
        let at = usize::try_from(offset % size).unwrap_or(0);
        Self { store: store.clone(), job, file, seq, piece: Vec::new(), at, over: false }
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.piece.is_empty() || self.at >= self.piece.len() {
            if self.over {
                return Ok(0);
            }
            let first = self.piece.is_empty();
            let (job, file, seq) = (self.job, self.file, self.seq);
            let next = self.store.read_blocking(|conn| store::piece(conn, job, file, seq)).map_err(outside)?;
            match next {
                None => self.over = true,
                Some(piece) => {
                    if !first {
                        self.at = 0;
                    }
                    self.over = piece.len() < PIECE;
                    self.piece = piece;
                    self.seq += 1;
                }
            }
        }
        let rest = self.piece.get(self.at..).unwrap_or_default();
        let n = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..n), rest.get(..n)) {
            to.copy_from_slice(from);
        }
        self.at += n;
        Ok(n)
    }
}

/// A failure of the store on its way through a reader.
fn outside(error: Error) -> io::Error {
    io::Error::other(Outside(error))
}

#[derive(Debug)]
struct Outside(Error);

impl std::fmt::Display for Outside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the store failed")
    }
}

impl std::error::Error for Outside {}

/// The failure that came through a reader.
pub fn inside(error: &io::Error) -> Error {
    match error.get_ref().and_then(|e| e.downcast_ref::<Outside>()) {
        Some(Outside(error)) => error.clone(),
        None => Error::internal(format!("reading failed: {}", error.kind())),
    }
}

/// SHA-256 of a stored file, hex.
pub fn digest(store: &Store, job: JobId, file: &str) -> Result<String> {
    let mut context = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    let mut seq = 0;
    while let Some(piece) = store.read_blocking(|conn| store::piece(conn, job, file, seq))? {
        context.update(&piece);
        seq += 1;
    }
    Ok(context.finish().as_ref().iter().map(|b| format!("{b:02x}")).collect())
}
