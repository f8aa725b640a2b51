//! The limits of a packed file, checked before anybody else opens it: what it says it holds, and what it does hold.

use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::Unreadable;

/// Most parts.
const MOST_PARTS: usize = 2_000;
/// Most bytes of all parts together, unpacked.
const MOST_UNPACKED: u64 = 512 << 20;

type Archive<'b> = ZipArchive<Cursor<&'b [u8]>>;

fn open(bytes: &[u8]) -> Result<Archive<'_>, Unreadable> {
    ZipArchive::new(Cursor::new(bytes)).map_err(|_| Unreadable::Broken)
}

/// Unpacks every part once, to nowhere, and stops at the limit.
pub fn check(bytes: &[u8]) -> Result<(), Unreadable> {
    let mut archive = open(bytes)?;
    if archive.len() > MOST_PARTS {
        return Err(Unreadable::TooLarge);
    }
    let mut left = MOST_UNPACKED;
    // What is declared costs nothing to read.
    for index in 0..archive.len() {
        let declared = archive.by_index_raw(index).map_err(|_| Unreadable::Broken)?.size();
        left = left.checked_sub(declared).ok_or(Unreadable::TooLarge)?;
    }
    let mut left = MOST_UNPACKED;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|e| match e {
            ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) => Unreadable::Encrypted,
            _ => Unreadable::Broken,
        })?;
        let found = std::io::copy(&mut part.take(left + 1), &mut std::io::sink()).map_err(|_| Unreadable::Broken)?;
        left = left.checked_sub(found).ok_or(Unreadable::TooLarge)?;
    }
    Ok(())
}

/// Whether a part is there.
pub fn has(bytes: &[u8], name: &str) -> bool {
    open(bytes).is_ok_and(|archive| archive.index_for_name(name).is_some())
}

/// One part, unpacked.
pub fn part(bytes: &[u8], name: &str) -> Result<Vec<u8>, Unreadable> {
    let mut archive = open(bytes)?;
    let part = archive.by_name(name).map_err(|_| Unreadable::Broken)?;
    let mut unpacked = Vec::new();
    part.take(MOST_UNPACKED).read_to_end(&mut unpacked).map_err(|_| Unreadable::Broken)?;
    Ok(unpacked)
}
