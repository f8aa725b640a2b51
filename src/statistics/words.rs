//! Texts as small numbers: a registry has a few thousand different codes, however many rows. Pure.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::kernel::{Error, Result};

/// A text's number.
pub type Word = u16;

/// Every text seen so far.
#[derive(Debug, Default)]
pub struct Words {
    by_text: HashMap<Arc<str>, Word>,
    texts: Vec<Arc<str>>,
}

impl Words {
    /// The number of a text; a new one if it has none.
    pub fn word(&mut self, text: &str) -> Result<Word> {
        if let Some(known) = self.by_text.get(text) {
            return Ok(*known);
        }
        let word =
            Word::try_from(self.texts.len()).map_err(|_| Error::internal("more codes than figures can tell apart"))?;
        let text: Arc<str> = text.into();
        self.texts.push(Arc::clone(&text));
        self.by_text.insert(text, word);
        Ok(word)
    }

    /// The number of a text, if it has one.
    pub fn find(&self, text: &str) -> Option<Word> {
        self.by_text.get(text).copied()
    }

    /// The text of a number.
    pub fn text(&self, word: Word) -> &str {
        self.texts.get(usize::from(word)).map_or("", |t| t)
    }
}

/// Hashes numbers that are spread already: one multiplication.
#[derive(Debug, Default)]
pub struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, n: u64) {
        let mixed = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ (mixed >> 29);
    }
}

/// Counts by a number.
pub type Counts = HashMap<u64, u64, BuildHasherDefault<NumberHasher>>;
