//! The time that a release is about: a year, a half, a quarter or a month. Pure.

use std::fmt;

use chrono::{Datelike, Days, Months, NaiveDate};

/// A period: `2025`, `2025-H1`, `2025-Q3` or `2025-03`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    text: String,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: NaiveDate,
}

impl Period {
    /// Parses the four forms and no other.
    pub fn parse(text: &str) -> Option<Self> {
        let year = text.get(..4).filter(|y| y.bytes().all(|b| b.is_ascii_digit()))?.parse::<i32>().ok()?;
        if !(1990..=2200).contains(&year) {
            return None;
        }
        let number = |text: &str, most: u32| {
            let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            text.parse::<u32>().ok().filter(|n| digits && (1..=most).contains(n))
        };
        let (first, months) = match text.get(4..)?.as_bytes() {
            [] => (1, 12),
            [b'-', b'H', _] => ((number(text.get(6..)?, 2)? - 1) * 6 + 1, 6),
            [b'-', b'Q', _] => ((number(text.get(6..)?, 4)? - 1) * 3 + 1, 3),
            [b'-', _, _] => (number(text.get(5..)?, 12)?, 1),
            _ => return None,
        };
        let from = NaiveDate::from_ymd_opt(year, first, 1)?;
        let to = from.checked_add_months(Months::new(months))?.checked_sub_days(Days::new(1))?;
        Some(Self { text: text.to_owned(), from, to })
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The year in which it lies.
    pub fn year(&self) -> i32 {
        self.from.year()
    }

    /// Quarters that it touches, in order.
    pub fn quarters(&self) -> Vec<String> {
        (1..=4)
            .filter(|q| {
                let first = NaiveDate::from_ymd_opt(self.year(), (q - 1) * 3 + 1, 1);
                let last = first.and_then(|d| d.checked_add_months(Months::new(3)));
                first.is_some_and(|d| d <= self.to) && last.is_some_and(|d| d > self.from)
            })
            .map(|q| format!("{}-Q{q}", self.year()))
            .collect()
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_year_a_half_a_quarter_or_a_month() {
        let of = |text: &str| Period::parse(text).map(|p| format!("{}..{} {:?}", p.from, p.to, p.quarters()));
        assert_eq!(of("2025"), Some("2025-01-01..2025-12-31 [\"2025-Q1\", \"2025-Q2\", \"2025-Q3\", \"2025-Q4\"]".into()));
        assert_eq!(of("2025-H2"), Some("2025-07-01..2025-12-31 [\"2025-Q3\", \"2025-Q4\"]".into()));
        assert_eq!(of("2024-Q1"), Some("2024-01-01..2024-03-31 [\"2024-Q1\"]".into()));
        assert_eq!(of("2024-02"), Some("2024-02-01..2024-02-29 [\"2024-Q1\"]".into()));
        for bad in
            ["", "25", "2025-", "2025-H3", "2025-Q0", "2025-13", "2025-1", "2025-01-01", "1889", "2025-Q+", "+025", "20é5"]
        {
            assert_eq!(of(bad), None, "{bad}");
        }
    }
}
