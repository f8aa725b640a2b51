//! Dates whose text says how much is known: `2012`, `2012-03` or `2012-03-14`. Pure.

use std::fmt;

use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::time::YEARS;

/// A date known to the year, the month or the day. Years 1900–2200.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartialDate {
    year: i32,
    month: Option<u32>,
    day: Option<u32>,
}

impl PartialDate {
    /// Parses one of the three forms; impossible days are refused.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if !matches!(bytes.len(), 4 | 7 | 10) {
            return None;
        }
        let digits = |range: std::ops::Range<usize>| -> Option<u32> {
            let part = text.get(range)?;
            part.bytes().all(|b| b.is_ascii_digit()).then(|| part.parse().ok())?
        };
        let dash = |at: usize| bytes.get(at) == Some(&b'-');
        let year = i32::try_from(digits(0..4)?).ok()?;
        if !YEARS.contains(&year) {
            return None;
        }
        let month = if bytes.len() >= 7 {
            if !dash(4) {
                return None;
            }
            Some(digits(5..7)?)
        } else {
            None
        };
        let day = if bytes.len() == 10 {
            if !dash(7) {
                return None;
            }
            Some(digits(8..10)?)
        } else {
            None
        };
        NaiveDate::from_ymd_opt(year, month.unwrap_or(1), day.unwrap_or(1))?;
        Some(Self { year, month, day })
    }

    /// The first day that the text can mean.
    pub fn earliest(self) -> NaiveDate {
        NaiveDate::from_ymd_opt(self.year, self.month.unwrap_or(1), self.day.unwrap_or(1)).unwrap_or(NaiveDate::MIN)
    }

    /// The last day that the text can mean.
    pub fn latest(self) -> NaiveDate {
        match (self.month, self.day) {
            (Some(_), Some(_)) => self.earliest(),
            (Some(12) | None, _) => NaiveDate::from_ymd_opt(self.year, 12, 31).unwrap_or(NaiveDate::MAX),
            (Some(m), None) => {
                NaiveDate::from_ymd_opt(self.year, m + 1, 1).and_then(|d| d.pred_opt()).unwrap_or(NaiveDate::MAX)
            }
        }
    }

    /// The day, where the text says it.
    pub fn day(self) -> Option<NaiveDate> {
        self.day.map(|_| self.earliest())
    }

    /// The year.
    pub fn year(self) -> i32 {
        self.year
    }

    /// A full date.
    pub fn from_date(date: NaiveDate) -> Self {
        Self { year: date.year(), month: Some(date.month()), day: Some(date.day()) }
    }
}

impl fmt::Display for PartialDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}", self.year)?;
        if let Some(month) = self.month {
            write!(f, "-{month:02}")?;
        }
        if let Some(day) = self.day {
            write!(f, "-{day:02}")?;
        }
        Ok(())
    }
}

impl Serialize for PartialDate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PartialDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("format:partial-date"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn knows_its_first_and_last_day() {
        let span = |t: &str| {
            let d = PartialDate::parse(t).unwrap();
            (d.earliest().to_string(), d.latest().to_string())
        };
        assert_eq!(span("2012"), ("2012-01-01".into(), "2012-12-31".into()));
        assert_eq!(span("2012-02"), ("2012-02-01".into(), "2012-02-29".into()));
        assert_eq!(span("2012-12"), ("2012-12-01".into(), "2012-12-31".into()));
        assert_eq!(span("2012-03-14"), ("2012-03-14".into(), "2012-03-14".into()));
    }

    #[test]
    fn refuses_what_is_no_date() {
        for bad in ["", "12", "2012-13", "2012-02-30", "1899", "2201", "2012-1", "2012/03", "+012", "2012-03-1x", "２０１２"]
        {
            assert_eq!(PartialDate::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn any_text_parses_to_itself_or_not_at_all(text in "\\PC{0,12}") {
            if let Some(date) = PartialDate::parse(&text) {
                prop_assert_eq!(date.to_string(), text);
                prop_assert!(date.earliest() <= date.latest());
            }
        }

        #[test]
        fn every_form_round_trips(y in 1900i32..=2200, m in 1u32..=12, d in 1u32..=28, keep in 0u8..3) {
            let text = match keep { 0 => format!("{y:04}"), 1 => format!("{y:04}-{m:02}"), _ => format!("{y:04}-{m:02}-{d:02}") };
            prop_assert_eq!(PartialDate::parse(&text).unwrap().to_string(), text);
        }
    }
}
