//! When a victim is of age for certain, at its edges.

use chrono::NaiveDate;
use proptest::prelude::*;
use serde_json::json;

use super::model::VictimDetail;
use crate::kernel::{PartialDate, Timestamp};

fn detail(age: Option<i32>) -> VictimDetail {
    serde_json::from_value(json!({"sex": "female", "gender": "not_asked", "age_at_identification": age, "nationalities": [],
        "country_of_birth": null, "languages": [], "education": null, "disability": "not_asked", "indigenous_people": null}))
    .unwrap()
}

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

#[test]
fn the_doubt_about_an_age_protects_until_the_last_day_that_it_can() {
    for (birth, age, expected) in [
        (Some("2010-05-10"), Some(16), "2028-05-10"),
        (Some("2010-05"), Some(16), "2028-05-31"),
        (Some("2010"), Some(16), "2028-12-31"),
        // Born on a day that three years of four do not have.
        (Some("2008-02-29"), Some(17), "2026-03-01"),
        (Some("2008-02"), None, "2026-03-01"),
        (None, Some(16), "2028-03-14"),
        (None, Some(0), "2044-03-14"),
        (None, None, "2044-03-14"),
        (None, Some(40), "2026-03-14"),
    ] {
        let birth = birth.map(|text| PartialDate::parse(text).unwrap());
        assert_eq!(detail(age).aged_on(18, birth, day("2026-03-14")), day(expected), "{birth:?} {age:?}");
    }
    assert_eq!(detail(None).aged_on(u32::MAX, None, day("2026-03-14")), NaiveDate::MAX);
}

#[test]
fn a_minor_is_one_until_somebody_says_otherwise_and_was_one_for_ever() {
    for (age, was) in [(None, true), (Some(0), true), (Some(17), true), (Some(18), false), (Some(60), false)] {
        let mut detail = detail(age);
        assert_eq!((detail.minor(), detail.minor_when_identified()), (was, was), "{age:?}");
        detail.of_age_since = Some(Timestamp::from_unix_millis(1_764_000_000_000).unwrap());
        assert_eq!((detail.minor(), detail.minor_when_identified()), (false, was), "{age:?}");
    }
}

proptest! {
    /// Whatever day a vague date of birth meant: she or he has had the birthday by then.
    #[test]
    fn nobody_is_of_age_before_the_birthday(year in 1950_i32..2040, month in 1_u32..=12, of_month in 1_u32..=31, known in 0_u8..3, years in 1_u32..30) {
        prop_assume!(NaiveDate::from_ymd_opt(year, month, of_month).is_some());
        let born = NaiveDate::from_ymd_opt(year, month, of_month).unwrap();
        let text = match known {
            0 => format!("{year}"),
            1 => format!("{year}-{month:02}"),
            _ => born.to_string(),
        };
        let certain = detail(None).aged_on(years, PartialDate::parse(&text), day("2026-03-14"));
        // The birthday itself, or the day after the last of February.
        let birthday = NaiveDate::from_ymd_opt(year + i32::try_from(years).unwrap(), month, of_month);
        let birthday = birthday.unwrap_or_else(|| NaiveDate::from_ymd_opt(year + i32::try_from(years).unwrap(), 3, 1).unwrap());
        prop_assert!(certain >= birthday, "{certain} {birthday}");
        if known == 2 {
            prop_assert_eq!(certain, birthday);
        }
    }
}
