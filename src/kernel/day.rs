//! A calendar day, whole: `2026-03-14`. Pure.

use std::fmt;

use chrono::NaiveDate;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::partial_date::PartialDate;
use super::time::Timestamp;

/// A day of the years 1900–2200. Unlike [`PartialDate`] it always names one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(NaiveDate);

impl Day {
    /// Parses `YYYY-MM-DD` and no other form; impossible days are refused.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 10 {
            return None;
        }
        PartialDate::parse(text).map(|day| Self(day.earliest()))
    }

    /// The day of a date.
    pub fn from_date(date: NaiveDate) -> Self {
        Self(date)
    }

    /// The day as chrono sees it.
    pub fn date(self) -> NaiveDate {
        self.0
    }

    /// Its first instant in UTC: how a day is stored where rows are ordered by it.
    pub fn midnight(self) -> Timestamp {
        Timestamp::truncated(self.0.and_time(chrono::NaiveTime::MIN).and_utc())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("format:date"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_whole_and_possible_or_it_is_none() {
        assert_eq!(Day::parse("2028-02-29").map(|d| d.to_string()), Some("2028-02-29".to_owned()));
        assert_eq!(Day::parse("2026-03-14").map(|d| d.midnight().to_string()), Some("2026-03-14T00:00:00.000Z".to_owned()));
        for bad in ["2026-02-29", "2026-03", "2026", "2026-3-14", "1899-12-31", "2201-01-01", "+026-01-01", ""] {
            assert_eq!(Day::parse(bad), None, "{bad}");
        }
    }
}
