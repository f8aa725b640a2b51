//! Days of a jurisdiction: which are worked, and where a term that begins on one of them ends. Pure.
//!
//! Owns the rules of counting. Must not know what a term is for: that is `limits.rs`.
//!
//! The rules (NCPP 143–144, from memory, to be verified): the day of the event does not count; days are
//! working days unless the law says otherwise; months and years go from date to date and end on the last day
//! of a shorter month; a term that ends on a day off ends on the next working day; hours run without a
//! break; and nothing of this stretches a term while somebody is detained: then every day counts. Judicial
//! recesses and days off of a single city are not known here.

use chrono::{Datelike, Days, Months, NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use super::Labels;
use crate::kernel::Timestamp;

/// What an amount counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// Hours, without a break.
    Hour,
    /// Days, of the limit's day type.
    Day,
    /// Months, from date to date.
    Month,
    /// Years, from date to date.
    Year,
}

/// Which days count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayType {
    /// All of them.
    Calendar,
    /// Those on which the courts work.
    Working,
}

/// When a holiday is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Occurs {
    /// The same date each year.
    Fixed {
        /// 1–12.
        month: u32,
        /// 1–31.
        day: u32,
    },
    /// Some days before (negative) or after Easter Sunday.
    Easter {
        /// Days from Easter Sunday.
        offset_days: i64,
    },
}

/// A public holiday.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Code.
    pub code: String,
    /// Names.
    pub labels: Labels,
    /// When.
    pub occurs: Occurs,
    /// First day on which it is one; none where nobody recalls a beginning.
    pub valid_from: Option<NaiveDate>,
    /// First day on which it no longer is one.
    pub valid_until: Option<NaiveDate>,
    /// The law, or how it is known.
    pub basis: String,
    /// False where no source was read.
    pub verified: bool,
}

/// The working days of a jurisdiction.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// ISO 3166-1 alpha-2.
    pub jurisdiction: String,
    /// Minutes that local time is ahead of UTC; legal days are local ones. No jurisdiction here changes its clocks.
    pub utc_offset_minutes: i32,
    /// Days of the week that are never worked.
    pub weekend: Vec<Weekday>,
    /// Holidays of the whole country.
    pub holidays: Vec<Holiday>,
}

impl Holiday {
    fn falls_on(&self, day: NaiveDate) -> bool {
        let valid = self.valid_from.is_none_or(|from| from <= day) && self.valid_until.is_none_or(|until| day < until);
        valid
            && match self.occurs {
                Occurs::Fixed { month, day: number } => day.month() == month && day.day() == number,
                // The offset may lead into a neighbouring year, so the Easter of that year is asked.
                Occurs::Easter { offset_days } => day
                    .checked_sub_signed(chrono::Duration::days(offset_days))
                    .is_some_and(|sunday| easter(sunday.year()) == Some(sunday)),
            }
    }
}

impl Calendar {
    /// The legal day of an instant.
    pub fn day(&self, at: Timestamp) -> NaiveDate {
        at.plus_seconds(i64::from(self.utc_offset_minutes) * 60).date()
    }

    /// The holiday on a day.
    pub fn holiday(&self, day: NaiveDate) -> Option<&Holiday> {
        self.holidays.iter().find(|h| h.falls_on(day))
    }

    /// Whether the courts work on a day.
    pub fn is_working(&self, day: NaiveDate) -> bool {
        !self.weekend.contains(&day.weekday()) && self.holiday(day).is_none()
    }

    /// The last day of a term that begins with an event on `start`.
    pub fn add(&self, start: NaiveDate, amount: u32, unit: TimeUnit, day_type: DayType, detained: bool) -> NaiveDate {
        self.run(start, &[(amount, unit)], day_type, detained)
    }

    /// The last day of a term and its extensions, each running on from the end of the one before. Neighbours
    /// in the same unit count as one amount (8 + 8 months are 16 months, whatever February does), and only
    /// the end of the whole is moved off a day without work. The end of time where a term goes beyond it.
    pub fn run(&self, start: NaiveDate, parts: &[(u32, TimeUnit)], day_type: DayType, detained: bool) -> NaiveDate {
        let mut end = start;
        let mut continuous = detained;
        let mut parts = parts.iter().copied().peekable();
        while let Some((mut amount, unit)) = parts.next() {
            while let Some((more, _)) = parts.next_if(|(_, next)| *next == unit) {
                amount = amount.saturating_add(more);
            }
            continuous = detained || unit == TimeUnit::Hour;
            end = self.step(end, amount, unit, if detained { DayType::Calendar } else { day_type });
        }
        if continuous { end } else { self.next_working(end) }
    }

    fn step(&self, start: NaiveDate, amount: u32, unit: TimeUnit, day_type: DayType) -> NaiveDate {
        let end = match (unit, day_type) {
            // Only the day is known, so a part of a day ends with that day.
            (TimeUnit::Hour, _) => start.checked_add_days(Days::new(u64::from(amount.div_ceil(24)))),
            (TimeUnit::Day, DayType::Calendar) => start.checked_add_days(Days::new(u64::from(amount))),
            (TimeUnit::Day, DayType::Working) => {
                (0..amount).try_fold(start, |day, _| Some(self.next_working(day.succ_opt()?)))
            }
            (TimeUnit::Month, _) => start.checked_add_months(Months::new(amount)),
            (TimeUnit::Year, _) => start.checked_add_months(Months::new(amount.saturating_mul(12))),
        };
        end.unwrap_or(NaiveDate::MAX)
    }

    fn next_working(&self, day: NaiveDate) -> NaiveDate {
        day.iter_days().find(|d| self.is_working(*d)).unwrap_or(NaiveDate::MAX)
    }

    pub(super) fn check(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        for (n, holiday) in self.holidays.iter().enumerate() {
            if let Occurs::Fixed { month, day } = holiday.occurs
                // A leap year: 29 February is a date.
                && NaiveDate::from_ymd_opt(2024, month, day).is_none()
            {
                faults.push((format!("/holidays/{n}/occurs"), "no such day of the year".to_owned()));
            }
            if holiday.valid_until.is_some_and(|until| holiday.valid_from.is_some_and(|from| until <= from)) {
                faults.push((format!("/holidays/{n}/valid_until"), "not after valid_from".to_owned()));
            }
            if self.holidays.iter().take(n).any(|h| h.code == holiday.code) {
                faults.push((format!("/holidays/{n}/code"), "duplicate code".to_owned()));
            }
        }
        faults
    }
}

/// Easter Sunday of a Gregorian year (the anonymous computus, Meeus).
fn easter(year: i32) -> Option<NaiveDate> {
    let (a, b, c) = (year.rem_euclid(19), year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b.div_euclid(4), b.rem_euclid(4));
    let g = (8 * b + 13).div_euclid(25);
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c.div_euclid(4), c.rem_euclid(4));
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 19 * l).div_euclid(433);
    let month = (h + l - 7 * m + 90).div_euclid(25);
    let day = (h + l - 7 * m + 33 * month + 19).rem_euclid(32);
    NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}
