//! Worked examples of terms, counted by hand on a calendar, each with the rule that it shows; and what must
//! hold for all of them.

use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate, Weekday};
use proptest::prelude::*;

use super::calendar::{Calendar, DayType, Holiday, Occurs, TimeUnit};
use super::limits::{CaseFacts, Deadline, GrantedExtension, LimitClass, MeasureFacts, deadlines};
use super::{Catalogue, Labels};

use DayType::{Calendar as All, Working};
use LimitClass::{Complex, Organised, Simple};
use TimeUnit::{Day, Hour, Month, Year};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn law() -> &'static Catalogue {
    static LAW: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());
    &LAW
}

#[test]
fn terms_end_where_a_clerk_with_a_calendar_ends_them() {
    let (free, held) = (false, true);
    let examples = [
        ("the day of the event does not count", "2025-01-10", 60, Day, All, free, "2025-03-11"),
        ("February of a leap year has 29 days", "2024-01-01", 60, Day, All, free, "2024-03-01"),
        ("February of another year has 28", "2023-01-01", 60, Day, All, free, "2023-03-02"),
        ("months go from date to date", "2025-02-10", 1, Month, All, free, "2025-03-10"),
        ("a shorter month ends the term", "2025-01-31", 1, Month, All, free, "2025-02-28"),
        ("a shorter month, leap year", "2024-01-31", 1, Month, All, free, "2024-02-29"),
        ("three months into February", "2023-11-30", 3, Month, All, free, "2024-02-29"),
        ("eight months into February", "2024-06-30", 8, Month, All, free, "2025-02-28"),
        ("a year from 29 February", "2024-02-29", 1, Year, All, free, "2025-02-28"),
        ("three years of an organised case", "2022-02-28", 36, Month, All, free, "2025-02-28"),
        ("a term that ends on Saturday ends on Monday", "2025-01-01", 10, Day, All, free, "2025-01-13"),
        ("unless somebody is detained", "2025-01-01", 10, Day, All, held, "2025-01-11"),
        ("a term that ends on 1 May ends on the 2nd", "2025-04-21", 10, Day, All, free, "2025-05-02"),
        ("Maundy Thursday leads to the Monday after Easter", "2025-04-07", 10, Day, All, free, "2025-04-21"),
        ("working days skip the weekend", "2025-03-07", 2, Day, Working, free, "2025-03-11"),
        ("working days skip Easter", "2025-04-11", 5, Day, Working, free, "2025-04-22"),
        ("all days count while somebody is detained", "2025-04-11", 5, Day, Working, held, "2025-04-16"),
        ("July of 2025: 23, 28 and 29 are off", "2025-07-21", 5, Day, Working, free, "2025-07-31"),
        ("July of 2021: 23 is worked", "2021-07-21", 5, Day, Working, free, "2021-07-30"),
        ("7 June is worked in 2023", "2023-06-06", 1, Day, Working, free, "2023-06-07"),
        ("7 June is a holiday in 2024, a Friday", "2024-06-06", 1, Day, Working, free, "2024-06-10"),
        ("6 August is worked in 2021", "2021-08-05", 1, Day, Working, free, "2021-08-06"),
        ("6 August is a holiday in 2024", "2024-08-05", 1, Day, Working, free, "2024-08-07"),
        ("9 December is worked in 2021", "2021-12-07", 2, Day, Working, free, "2021-12-10"),
        ("8 and 9 December are off in 2022", "2022-12-07", 2, Day, Working, free, "2022-12-13"),
        ("New Year is off", "2024-12-31", 1, Day, Working, free, "2025-01-02"),
        ("hours run through the weekend", "2025-03-07", 48, Hour, All, free, "2025-03-09"),
        ("a part of a day ends with it", "2025-03-07", 30, Hour, All, free, "2025-03-09"),
        ("120 days of formal investigation", "2025-03-03", 120, Day, All, free, "2025-07-01"),
        ("nothing at all ends the same day", "2025-03-07", 0, Day, Working, free, "2025-03-07"),
    ];
    let law = law();
    let calendar = law.calendar("PE");
    for (rule, start, amount, unit, days, detained, due) in examples {
        assert_eq!(calendar.add(day(start), amount, unit, days, detained), day(due), "{rule}");
    }
}

#[test]
fn easter_falls_where_the_almanacs_have_it() {
    let law = law();
    let calendar = law.calendar("PE");
    for friday in
        ["1818-03-20", "1943-04-23", "2000-04-21", "2008-03-21", "2011-04-22", "2024-03-29", "2025-04-18", "2038-04-23"]
    {
        assert_eq!(calendar.holiday(day(friday)).map(|h| h.code.as_str()), Some("good_friday"), "{friday}");
    }
}

/// Limits and their last days.
type Due = &'static [(&'static str, &'static str)];

struct Facts(CaseFacts);

fn case(stage: &str, class: LimitClass, entered_on: &str) -> Facts {
    Facts(CaseFacts {
        jurisdiction: "PE".into(),
        procedural_code: "NCPP2004".into(),
        complexity: class,
        stage: stage.into(),
        entered_on: day(entered_on),
        extensions: vec![],
        detained: false,
        measures: vec![],
    })
}

fn measure(kind: &str, class: LimitClass, from: &str) -> Facts {
    let mut facts = case("trial", class, from);
    facts.0.measures.push(MeasureFacts { id: "m1".into(), measure_type: kind.into(), from: day(from), extensions: vec![] });
    facts
}

impl Facts {
    fn extended(mut self, granted_on: &str, amount: u32, unit: TimeUnit) -> Self {
        let extension = GrantedExtension { limit_id: None, granted_on: day(granted_on), amount, unit };
        match self.0.measures.first_mut() {
            Some(measure) => measure.extensions.push(extension),
            None => self.0.extensions.push(extension),
        }
        self
    }

    fn detained(mut self) -> Self {
        self.0.detained = true;
        self
    }

    fn under(mut self, code: &str) -> Self {
        self.0.procedural_code = code.into();
        self
    }

    fn on(&self, law: &Catalogue, today: &str) -> Vec<Deadline> {
        deadlines(law, &self.0, day(today))
    }
}

#[test]
fn stages_and_measures_end_on_the_day_that_the_law_of_their_beginning_names() {
    let dp = "preliminary_inquiry";
    let ip = "formal_investigation";
    let closed = "investigation_closed";
    let examples: Vec<(&str, Facts, Due)> = vec![
        ("60 days, NCPP 334.2", case(dp, Simple, "2024-01-15"), &[("PE-NCPP-DP-SIMPLE@2006", "2024-03-15")]),
        (
            "and 60 more by the prosecutor: 120",
            case(dp, Simple, "2024-01-15").extended("2024-03-01", 60, Day),
            &[("PE-NCPP-DP-SIMPLE@2006", "2024-05-14")],
        ),
        ("8 months, Cas. 144-2012", case(dp, Complex, "2012-05-02"), &[("PE-NCPP-DP-COMPLEX@2006", "2013-01-02")]),
        ("36 months, Cas. 599-2018", case(dp, Organised, "2018-03-01"), &[("PE-NCPP-DP-ORGANISED@2006", "2021-03-01")]),
        (
            "begun the day before Ley 32130: the old term runs on",
            case(dp, Complex, "2024-10-10"),
            &[("PE-NCPP-DP-COMPLEX@2006", "2025-06-10")],
        ),
        ("begun under Ley 32130", case(dp, Complex, "2024-10-11"), &[("PE-NCPP-DP-COMPLEX@2024", "2027-10-11")]),
        ("simple under Ley 32130", case(dp, Simple, "2024-10-11"), &[("PE-NCPP-DP-SIMPLE@2024", "2024-12-10")]),
        ("120 days, NCPP 342.1", case(ip, Simple, "2025-03-03"), &[("PE-NCPP-IP-SIMPLE", "2025-07-01")]),
        (
            "180 days end on Santa Rosa, a Saturday",
            case(ip, Simple, "2025-03-03").extended("2025-06-20", 60, Day),
            &[("PE-NCPP-IP-SIMPLE", "2025-09-01")],
        ),
        (
            "which moves nothing for a detainee",
            case(ip, Simple, "2025-03-03").extended("2025-06-20", 60, Day).detained(),
            &[("PE-NCPP-IP-SIMPLE", "2025-08-30")],
        ),
        (
            "8 and 8 months are 16, whatever February cuts off",
            case(ip, Complex, "2024-06-30").extended("2025-02-20", 8, Month),
            &[("PE-NCPP-IP-COMPLEX", "2025-10-30")],
        ),
        ("15 working days, NCPP 344.1", case(closed, Simple, "2025-04-07"), &[("PE-NCPP-ACCUSE-SIMPLE", "2025-04-30")]),
        ("30 in a complex case", case(closed, Complex, "2025-04-07"), &[("PE-NCPP-ACCUSE-COMPLEX", "2025-05-22")]),
        (
            "15 days with a detainee",
            case(closed, Simple, "2025-04-07").detained(),
            &[("PE-NCPP-ACCUSE-SIMPLE", "2025-04-22")],
        ),
        (
            "5 days to appeal, 8 for the full text; when it may be firm is no deadline",
            case("judged", Simple, "2025-03-07"),
            &[("PE-NCPP-REMEDY-JUDGMENT", "2025-03-14"), ("PE-NCPP-FULL-TEXT", "2025-03-19")],
        ),
        ("48 hours to begin", case("reported", Simple, "2025-03-07"), &[("PE-NCPP-OPEN@2024", "2025-03-09")]),
        ("before Ley 32130 there was no such term", case("reported", Simple, "2024-03-07"), &[]),
        ("9 months", measure("pretrial_detention", Simple, "2025-01-31"), &[("PE-NCPP-PRETRIAL-SIMPLE", "2025-10-31")]),
        (
            "9 months into February",
            measure("pretrial_detention", Simple, "2024-05-31"),
            &[("PE-NCPP-PRETRIAL-SIMPLE", "2025-02-28")],
        ),
        (
            "18 months end on a Sunday, and so does the detention",
            measure("pretrial_detention", Simple, "2024-05-31").extended("2025-02-20", 9, Month),
            &[("PE-NCPP-PRETRIAL-SIMPLE", "2025-11-30")],
        ),
        (
            "36 and 12 months of an organised case",
            measure("pretrial_detention", Organised, "2021-01-15").extended("2023-12-15", 12, Month),
            &[("PE-NCPP-PRETRIAL-ORGANISED", "2025-01-15")],
        ),
        ("no cap before Ley 32130", measure("restricted_appearance", Complex, "2024-01-15"), &[]),
        (
            "18 months since",
            measure("restricted_appearance", Complex, "2025-01-15"),
            &[("PE-NCPP-RESTRICTED-COMPLEX", "2026-07-15")],
        ),
        ("48 hours", measure("flagrancy_arrest", Simple, "2025-03-08"), &[("PE-NCPP-FLAGRANCY-SIMPLE", "2025-03-10")]),
        ("15 days", measure("flagrancy_arrest", Organised, "2025-03-08"), &[("PE-NCPP-FLAGRANCY-ORGANISED", "2025-03-23")]),
        (
            "a witness: 30 days",
            measure("exit_ban_witness", Simple, "2025-02-28"),
            &[("PE-NCPP-EXIT-BAN-WITNESS", "2025-03-30")],
        ),
        (
            "code of 1940: 4 months",
            case(ip, Simple, "2012-03-30").under("CPP1940"),
            &[("PE-CPP1940-INSTRUCCION-SIMPLE", "2012-07-30")],
        ),
        (
            "and 60 days from their end",
            case(ip, Simple, "2012-03-30").under("CPP1940").extended("2012-07-20", 60, Day),
            &[("PE-CPP1940-INSTRUCCION-SIMPLE", "2012-09-28")],
        ),
    ];
    let law = law();
    for (rule, facts, due) in examples {
        let found: Vec<(String, String)> =
            facts.on(law, "2030-01-01").into_iter().map(|d| (d.limit_id, d.due_on.to_string())).collect();
        let due: Vec<(String, String)> = due.iter().map(|(id, on)| ((*id).to_owned(), (*on).to_owned())).collect();
        assert_eq!(found, due, "{rule}");
    }
}

#[test]
fn a_deadline_says_what_is_left_and_when_it_has_passed() {
    let law = law();
    let facts = case("formal_investigation", Simple, "2025-03-03").extended("2025-06-20", 60, Day);
    let at = |today| facts.on(law, today).into_iter().next().unwrap();
    let before = at("2025-06-19");
    assert_eq!((before.due_on, before.extended, before.days_left), (day("2025-07-01"), false, 12), "not yet granted");
    let last = at("2025-09-01");
    assert_eq!((last.due_on, last.extended, last.days_left, last.overdue), (day("2025-09-01"), true, 0, false));
    let after = at("2025-09-02");
    assert_eq!((after.days_left, after.overdue, after.verified), (-1, true, false));
    assert_eq!((after.what.as_str(), after.basis.as_str()), ("formal_investigation", "NCPP 342"));
}

#[test]
fn what_is_true_of_one_class_is_known_of_every_class() {
    let law = law();
    for limit in law.all_limits().iter().filter(|l| l.class != LimitClass::Any) {
        for class in [Simple, Complex, Organised] {
            if limit.code == "immediate_process" {
                continue; // Never of a complex case.
            }
            let same = |l: &&super::Limit| l.what == limit.what && l.bound == limit.bound && l.code == limit.code;
            let (country, code) = (&limit.jurisdiction, &limit.procedural_code);
            let found = law.limits(country, code, limit.valid_from, &limit.code, class).filter(same).count();
            assert_eq!(found, 1, "{} for {class:?}", limit.id);
        }
    }
}

fn any_day() -> impl Strategy<Value = NaiveDate> {
    (0_u64..20_000).prop_map(|n| day("2000-01-01") + chrono::Days::new(n))
}

fn any_unit() -> impl Strategy<Value = TimeUnit> {
    prop_oneof![Just(Hour), Just(Day), Just(Month), Just(Year)]
}

fn any_days() -> impl Strategy<Value = DayType> {
    prop_oneof![Just(All), Just(Working)]
}

fn peru() -> Calendar {
    law().calendar("PE").clone()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn more_is_never_earlier(start in any_day(), a in 0_u32..200, more in 0_u32..50, unit in any_unit(), days in any_days(), held: bool) {
        let calendar = peru();
        prop_assert!(calendar.add(start, a, unit, days, held) <= calendar.add(start, a + more, unit, days, held));
    }

    #[test]
    fn a_term_that_nobody_waits_for_in_a_cell_ends_on_a_working_day(start in any_day(), a in 1_u32..200, unit in any_unit(), days in any_days()) {
        let calendar = peru();
        let due = calendar.add(start, a, unit, days, false);
        prop_assert!(unit == Hour || calendar.is_working(due));
        prop_assert!(unit == Hour || !matches!(due.weekday(), Weekday::Sat | Weekday::Sun));
    }

    #[test]
    fn a_new_holiday_never_makes_a_term_shorter(start in any_day(), a in 0_u32..200, unit in any_unit(), days in any_days(), held: bool, off in any_day()) {
        let before = peru();
        let mut after = before.clone();
        after.holidays.push(Holiday {
            code: "new".into(),
            labels: Labels { es: "x".into(), en: "x".into(), fr: "x".into() },
            occurs: Occurs::Fixed { month: off.month(), day: off.day() },
            valid_from: None,
            valid_until: None,
            basis: "a new law".into(),
            verified: false,
        });
        prop_assert!(before.add(start, a, unit, days, held) <= after.add(start, a, unit, days, held));
    }

    #[test]
    fn every_day_counts_while_somebody_is_detained(start in any_day(), a in 0_u32..500, days in any_days()) {
        prop_assert_eq!(peru().add(start, a, Day, days, true), start + chrono::Days::new(u64::from(a)));
    }
}
