//! Dates as people and spreadsheets write them. Pure.

use chrono::{Days, NaiveDate};

use super::table::fold;
use crate::kernel::PartialDate;

/// From which day a spreadsheet counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Epoch {
    /// Windows: 1 is 1900-01-01, and 1900 is taken for a leap year.
    #[default]
    Y1900,
    /// Old Macintosh: 0 is 1904-01-01.
    Y1904,
}

/// Which of two small numbers is the day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// `14/03/2012`.
    #[default]
    DayFirst,
    /// `03/14/2012`.
    MonthFirst,
}

/// A date as read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The date.
    pub date: PartialDate,
    /// Whether day and month could change places.
    pub ambiguous: bool,
    /// Whether it was a spreadsheet's day number.
    pub serial: bool,
}

/// The day of a spreadsheet's number; the time of day is dropped.
pub fn of_serial(serial: f64, epoch: Epoch) -> Option<PartialDate> {
    if !(0.0..150_000.0).contains(&serial) {
        return None;
    }
    // Exact: whole numbers below 150,000.
    let days: u64 = format!("{:.0}", serial.floor()).parse().ok()?;
    let (from, days) = match epoch {
        Epoch::Y1904 => (NaiveDate::from_ymd_opt(1904, 1, 1)?, days),
        // Day 60 is 29 February 1900, which never was.
        Epoch::Y1900 if days == 60 || days == 0 => return None,
        Epoch::Y1900 if days < 60 => (NaiveDate::from_ymd_opt(1899, 12, 31)?, days),
        Epoch::Y1900 => (NaiveDate::from_ymd_opt(1899, 12, 30)?, days),
    };
    PartialDate::parse(&from.checked_add_days(Days::new(days))?.to_string())
}

/// Reads a date from text: ISO 8601 with or without a time, `14/03/2012`, `03/2012`, `14 March 2012` in three
/// languages, a year, or a spreadsheet's day number.
pub fn read(text: &str, order: Order, epoch: Epoch) -> Option<Found> {
    let text = text.trim();
    let plain = |date| Found { date, ambiguous: false, serial: false };
    // The day of an instant, as written where it was written.
    let day = text.split(['T', ' ']).next().unwrap_or(text);
    let has_time = text.get(day.len()..).is_some_and(|rest| rest.contains(':'));
    if let Some(date) = PartialDate::parse(if has_time { day } else { text }) {
        return Some(plain(date));
    }
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') && text.split('.').next().is_some_and(|w| w.len() == 5) {
        let date = of_serial(text.parse().ok()?, epoch)?;
        return Some(Found { serial: true, ..plain(date) });
    }
    let text = if has_time { day } else { text };
    let parts: Vec<&str> = text.split(['/', '-', '.', ' ', ',']).filter(|p| !p.is_empty()).collect();
    let parts: Vec<&str> = parts.into_iter().filter(|p| !matches!(*p, "de" | "del" | "of")).collect();
    let month = |p: &str| number(p).filter(|m| (1..=12).contains(m)).or_else(|| month_of(p));
    let make = |year: &str, month: u32, day: Option<u32>| {
        let text = day.map_or_else(|| format!("{year}-{month:02}"), |day| format!("{year}-{month:02}-{day:02}"));
        PartialDate::parse(&text)
    };
    match parts.as_slice() {
        [year] if year.len() == 4 => PartialDate::parse(year).map(plain),
        [m, year] if year.len() == 4 => make(year, month(m)?, None).map(plain),
        [year, m] if year.len() == 4 => make(year, month(m)?, None).map(plain),
        [year, m, d] if year.len() == 4 => make(year, month(m)?, Some(number(d)?)).map(plain),
        [a, b, year] if year.len() == 4 => match (number(a), number(b)) {
            (Some(day), None) => make(year, month_of(b)?, Some(day)).map(plain),
            (None, Some(day)) => make(year, month_of(a)?, Some(day)).map(plain),
            (Some(first), Some(second)) => {
                let (day, month) = match order {
                    _ if first > 12 => (first, second),
                    _ if second > 12 => (second, first),
                    Order::DayFirst => (first, second),
                    Order::MonthFirst => (second, first),
                };
                let ambiguous = first <= 12 && second <= 12 && first != second;
                Some(Found { ambiguous, ..plain(make(year, month, Some(day))?) })
            }
            (None, None) => None,
        },
        _ => None,
    }
}

fn number(text: &str) -> Option<u32> {
    (text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit())).then(|| text.parse().ok())?
}

/// A month by its name in English, Spanish or French, or the first letters of it.
fn month_of(text: &str) -> Option<u32> {
    const NAMES: [&[&str]; 12] = [
        &["january", "enero", "janvier"],
        &["february", "febrero", "fevrier"],
        &["march", "marzo", "mars"],
        &["april", "abril", "avril"],
        &["may", "mayo", "mai"],
        &["june", "junio", "juin"],
        &["july", "julio", "juillet"],
        &["august", "agosto", "aout"],
        &["september", "septiembre", "setiembre", "septembre"],
        &["october", "octubre", "octobre"],
        &["november", "noviembre", "novembre"],
        &["december", "diciembre", "decembre"],
    ];
    let given = fold(text);
    if given.len() < 3 {
        return None;
    }
    let mut found = (1..).zip(NAMES).filter(|(_, names)| names.iter().any(|n| n.starts_with(&given))).map(|(m, _)| m);
    found.next().filter(|_| found.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(text: &str) -> Option<String> {
        read(text, Order::DayFirst, Epoch::Y1900).map(|f| {
            let mark = if f.ambiguous {
                "?"
            } else if f.serial {
                "#"
            } else {
                ""
            };
            format!("{}{mark}", f.date)
        })
    }

    #[test]
    fn dates_are_read_as_people_write_them() {
        for (text, date) in [
            ("2012", "2012"),
            ("2012-03", "2012-03"),
            ("2012-03-14", "2012-03-14"),
            ("2012/3/4", "2012-03-04"),
            ("2012-03-14T23:30:00.000-05:00", "2012-03-14"),
            ("2012-03-14 00:00:00", "2012-03-14"),
            ("14/03/2012", "2012-03-14"),
            ("03/14/2012", "2012-03-14"),
            ("4/3/2012", "2012-03-04?"),
            ("4.4.2012", "2012-04-04"),
            ("03/2012", "2012-03"),
            ("14 Mar 2012", "2012-03-14"),
            ("March 14, 2012", "2012-03-14"),
            ("14 de setiembre de 2012", "2012-09-14"),
            ("février 2012", "2012-02"),
            ("14-août-2012", "2012-08-14"),
            ("40982", "2012-03-14#"),
            ("40982.75", "2012-03-14#"),
        ] {
            assert_eq!(found(text).as_deref(), Some(date), "{text}");
        }
        for bad in
            ["", "14/03/12", "31/02/2012", "2012-13", "ju 2012", "soon", "1850", "60000000", "14/mar", "juin juillet 2012"]
        {
            assert_eq!(found(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_order_is_chosen_only_where_both_are_possible() {
        let month_first = |text| read(text, Order::MonthFirst, Epoch::Y1900).map(|f| f.date.to_string());
        assert_eq!(month_first("4/3/2012").as_deref(), Some("2012-04-03"));
        assert_eq!(month_first("14/3/2012").as_deref(), Some("2012-03-14"));
    }

    #[test]
    fn both_epochs_and_the_day_that_never_was() {
        let day = |n, epoch| of_serial(n, epoch).map(|d| d.to_string());
        for (serial, date) in [(1.0, "1900-01-01"), (59.0, "1900-02-28"), (61.0, "1900-03-01"), (40_982.0, "2012-03-14")] {
            assert_eq!(day(serial, Epoch::Y1900).as_deref(), Some(date));
        }
        for none in [0.0, 60.0, 60.5, -1.0, f64::NAN, f64::INFINITY, 1e9] {
            assert_eq!(day(none, Epoch::Y1900), None, "{none}");
        }
        assert_eq!(day(0.0, Epoch::Y1904).as_deref(), Some("1904-01-01"));
        assert_eq!(day(39_520.0, Epoch::Y1904).as_deref(), Some("2012-03-14"));
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(days in 0_u64..100_000, cut in 0_usize..3) {
            let day = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap().checked_add_days(Days::new(days)).unwrap();
            let text = day.to_string();
            let text = &text[..[4, 7, 10][cut]];
            prop_assert_eq!(found(text), Some(text.to_owned()));
            let people = day.format("%d/%m/%Y").to_string();
            let read = found(&people).unwrap();
            prop_assert_eq!(read.trim_end_matches('?'), day.to_string());
        }

        #[test]
        fn no_text_stops_the_reader(text in "\\PC{0,30}") {
            let _ = read(&text, Order::DayFirst, Epoch::Y1900);
        }
    }
}
