//! Instants: UTC, whole milliseconds. Owns parsing and printing; must not know the wall clock's users.

use std::fmt;

use chrono::{DateTime, Datelike, NaiveDate, SecondsFormat, Timelike, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Years that the registry accepts anywhere.
pub const YEARS: std::ops::RangeInclusive<i32> = 1900..=2200;

/// An instant in UTC with millisecond precision, printed as `2026-11-23T16:42:07.123Z` (RFC 3339).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The wall clock, cut to the millisecond.
    pub fn now() -> Self {
        Self::truncated(Utc::now())
    }

    /// Cuts to the millisecond.
    pub fn truncated(at: DateTime<Utc>) -> Self {
        let nanos = at.nanosecond().min(999_999_999) / 1_000_000 * 1_000_000;
        Self(at.with_nanosecond(nanos).unwrap_or(at))
    }

    /// From milliseconds since the Unix epoch.
    pub fn from_unix_millis(ms: i64) -> Option<Self> {
        DateTime::from_timestamp_millis(ms).map(Self)
    }

    /// Milliseconds since the Unix epoch; 0 for instants before it.
    pub fn unix_millis(self) -> u64 {
        u64::try_from(self.0.timestamp_millis()).unwrap_or(0)
    }

    /// Seconds since the Unix epoch.
    pub fn unix_seconds(self) -> i64 {
        self.0.timestamp()
    }

    /// The instant as chrono sees it.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }

    /// The calendar day in UTC.
    pub fn date(self) -> NaiveDate {
        self.0.date_naive()
    }

    /// This instant moved by `seconds`; unchanged if that leaves the calendar.
    pub fn plus_seconds(self, seconds: i64) -> Self {
        chrono::Duration::try_seconds(seconds).and_then(|d| self.0.checked_add_signed(d)).map_or(self, Self)
    }

    /// Parses RFC 3339 with any offset; seconds 00–59, years 1900–2200.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > 40 || !text.is_ascii() {
            return None;
        }
        let parsed = DateTime::parse_from_rfc3339(text).ok()?;
        // chrono reads a leap second as 59 s + 1,000 ms: the registry has no such instant.
        if parsed.nanosecond() >= 1_000_000_000 {
            return None;
        }
        let utc = parsed.with_timezone(&Utc);
        YEARS.contains(&utc.year()).then(|| Self::truncated(utc))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, time) = (self.0.date_naive(), self.0.time());
        let Some(year) = u32::try_from(date.year()).ok().filter(|year| *year <= 9_999) else {
            return f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true));
        };
        // By hand: every row of SQLite holds two of them, and the library takes ten times as long.
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut put = |end: usize, mut number: u32, digits: usize| {
            for place in (end + 1 - digits..=end).rev() {
                if let Some(byte) = text.get_mut(place) {
                    *byte = b'0' + u8::try_from(number % 10).unwrap_or(0);
                }
                number /= 10;
            }
        };
        put(3, year, 4);
        put(6, date.month(), 2);
        put(9, date.day(), 2);
        put(12, time.hour(), 2);
        put(15, time.minute(), 2);
        put(18, time.second(), 2);
        put(22, self.0.timestamp_subsec_millis().min(999), 3);
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("format:date-time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_three_fraction_digits_and_z() {
        let t = Timestamp::parse("2026-11-23T11:42:07.1239-05:00").unwrap();
        assert_eq!(t.to_string(), "2026-11-23T16:42:07.123Z");
    }

    #[test]
    fn prints_what_the_library_prints() {
        for ms in
            [0, 1, 999, 951_782_399_999, 951_782_400_000, 1_700_000_000_123, 4_102_444_800_000, -1, -62_135_596_800_000]
        {
            let t = Timestamp::from_unix_millis(ms).unwrap();
            assert_eq!(t.to_string(), t.utc().to_rfc3339_opts(SecondsFormat::Millis, true));
        }
        let far = Timestamp::from_unix_millis(253_402_300_800_000).unwrap();
        assert_eq!(far.to_string(), far.utc().to_rfc3339_opts(SecondsFormat::Millis, true), "the year 10000");
    }

    #[test]
    fn refuses_leap_seconds_and_absurd_years() {
        for bad in [
            "2016-12-31T23:59:60Z",
            "1899-12-31T23:59:59Z",
            "2201-01-01T00:00:00Z",
            "99999-01-01T00:00:00Z",
            "2026-11-23",
            "2026-11-23T16:42:07",
        ] {
            assert_eq!(Timestamp::parse(bad), None, "{bad}");
        }
    }
}
