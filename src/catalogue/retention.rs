//! The retention schedule: how long what is known is kept, and what then becomes of it. Pure.

use chrono::{Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::Labels;

/// What a rule is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionClass {
    /// A case file.
    Case,
    /// A victim.
    Victim,
    /// An accused.
    Accused,
}

/// How its subject must stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionStatus {
    /// A case: archived.
    Archived,
    /// A case: at another end.
    Ended,
    /// A victim: no case of hers or his goes on.
    CasesEnded,
    /// A victim: presumed a minor, and old enough by now to be none.
    OfAge,
    /// An accused: no case goes on, and none ended in a conviction.
    Cleared,
    /// An accused: no case goes on, and one ended in a conviction.
    Convicted,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetentionAction {
    /// Somebody looks whether it is still needed.
    Review,
    /// Only the owner and oversight look at it from now on.
    Restrict,
    /// The identity goes, the pseudonymous record stays.
    Pseudonymise,
    /// The same, asked for as an erasure.
    Erase,
}

macro_rules! codes {
    ($($kind:ident { $($name:ident => $code:literal),+ })+) => {$(
        impl $kind {
            /// The code.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),+ }
            }
        }
    )+};
}

codes! {
    RetentionClass { Case => "case", Victim => "victim", Accused => "accused" }
    RetentionStatus { Archived => "archived", Ended => "ended", CasesEnded => "cases_ended", OfAge => "of_age", Cleared => "cleared", Convicted => "convicted" }
    RetentionAction { Review => "review", Restrict => "restrict", Pseudonymise => "pseudonymise", Erase => "erase" }
}

/// A rule of the schedule.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetentionRule {
    /// Code, also the reference on which an erasure rests.
    pub code: String,
    /// Whose law.
    pub jurisdiction: String,
    /// What it is about.
    pub class: RetentionClass,
    /// How that must stand.
    pub status: RetentionStatus,
    /// How long after it has stood so.
    pub after_months: u32,
    /// A victim: counted from the day on which she or he is this many years old, where that is later.
    #[serde(default)]
    pub from_age_years: Option<u32>,
    /// What becomes of it then.
    pub action: RetentionAction,
    /// Names.
    pub labels: Labels,
    /// Articles.
    pub basis: String,
    /// Where that was read.
    pub source: String,
    /// False where no source was read.
    pub verified: bool,
}

impl RetentionRule {
    /// The day on which it falls due for what has stood so since a day.
    pub fn due(&self, since: NaiveDate) -> NaiveDate {
        since.checked_add_months(Months::new(self.after_months)).unwrap_or(NaiveDate::MAX)
    }

    /// What no schema can say: the status and the action are ones of its class.
    pub fn check(&self) -> Vec<(&'static str, &'static str)> {
        use RetentionStatus as S;
        let of_class = match self.class {
            RetentionClass::Case => matches!(self.status, S::Archived | S::Ended),
            RetentionClass::Victim => matches!(self.status, S::CasesEnded | S::OfAge),
            RetentionClass::Accused => matches!(self.status, S::Cleared | S::Convicted),
        };
        let case = self.class == RetentionClass::Case;
        let possible = match self.action {
            RetentionAction::Review => true,
            RetentionAction::Restrict => case,
            RetentionAction::Pseudonymise | RetentionAction::Erase => !case && self.status != S::OfAge,
        };
        let mut faults = Vec::new();
        if !of_class {
            faults.push(("status", "not a status of its class"));
        }
        if !possible {
            faults.push(("action", "not possible for its class"));
        }
        if self.from_age_years.is_some() && self.class != RetentionClass::Victim {
            faults.push(("from_age_years", "of victims only"));
        }
        if self.from_age_years.is_none() && self.status == S::OfAge {
            faults.push(("from_age_years", "needed: it is the age that is meant"));
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn a_rule_falls_due_whole_months_after_the_day_and_the_end_of_a_month_stays_one() {
        let law = Catalogue::embedded().unwrap();
        let rule = |months| RetentionRule { after_months: months, ..law.retention()[0].clone() };
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        assert_eq!(rule(60).due(day("2021-03-20")), day("2026-03-20"));
        assert_eq!(rule(1).due(day("2024-01-31")), day("2024-02-29"));
        assert_eq!(rule(1_200).due(NaiveDate::MAX), NaiveDate::MAX);
    }

    #[test]
    fn every_rule_of_the_schedule_is_possible_and_an_impossible_one_is_named() {
        let law = Catalogue::embedded().unwrap();
        assert!(law.retention().len() >= 8);
        let mut wrong = law.retention()[0].clone();
        wrong.status = RetentionStatus::Convicted;
        wrong.action = RetentionAction::Erase;
        assert_eq!(wrong.check(), [("status", "not a status of its class"), ("action", "not possible for its class")]);
    }
}
