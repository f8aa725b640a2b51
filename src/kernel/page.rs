//! Keyset pages: how many, after what. Pure.

use serde::{Deserialize, Serialize};

/// Page size: 1–200, default 50.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit(u16);

impl Limit {
    /// Most rows of one page.
    pub const MAX: u16 = 200;
    /// Rows of a page when the caller does not say.
    pub const DEFAULT: Self = Self(50);

    /// A limit, if it is in range.
    pub fn new(rows: u16) -> Option<Self> {
        (1..=Self::MAX).contains(&rows).then_some(Self(rows))
    }

    /// Rows to ask the store for: one more than the page, to know whether another page follows.
    pub fn fetch(self) -> i64 {
        i64::from(self.0) + 1
    }

    /// Rows of the page.
    pub fn rows(self) -> usize {
        usize::from(self.0)
    }
}

/// Where a page starts: after the row with these sort values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct After {
    /// The sort column of the last row seen, as text.
    pub key: String,
    /// The id of the last row seen.
    pub id: uuid::Uuid,
}

/// One page of rows in order.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, at most the limit.
    pub items: Vec<T>,
    /// Where the next page starts; none on the last page.
    pub next: Option<After>,
}

impl<T> Page<T> {
    /// Cuts `limit + 1` fetched rows to a page.
    pub fn cut(mut rows: Vec<T>, limit: Limit, after: impl Fn(&T) -> After) -> Self {
        let more = rows.len() > limit.rows();
        rows.truncate(limit.rows());
        let next = if more { rows.last().map(after) } else { None };
        Self { items: rows, next }
    }

    /// The same page with each row turned into something else.
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Page<U> {
        Page { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}
