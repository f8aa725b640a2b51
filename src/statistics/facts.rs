//! Facts: what figures are made of. One document per case: the case, its persons and its charges as codes and days, and
//! which agencies see what of it. Pure: no I/O. Must not know: SQL, HTTP, the shape of any figure.
//!
//! Nothing here names a person or tells a story: ids, codes and days only.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::kernel::ids::{AccusedId, VictimId};

/// What a record does not say: the field is empty. Kept apart from `unknown`, `not_asked` and `refused`, which somebody
/// recorded.
pub const NOT_RECORDED: &str = "not_recorded";

/// How far procedure gets, in this order. Source: the generic stages of the profiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The inquiry became formal.
    Formalised,
    /// Somebody was accused before a court.
    Accused,
    /// The trial began.
    Tried,
    /// A court decided.
    Judged,
}

impl Step {
    /// Every step, in order.
    pub const ALL: [Self; 4] = [Self::Formalised, Self::Accused, Self::Tried, Self::Judged];

    /// The farthest step that a stage shows; none for those that come before, or that may follow anything.
    pub fn shown_by(stage: &str) -> Option<Self> {
        match stage {
            "formal_investigation" | "investigation_closed" | "dismissal_requested" | "plea_review" => {
                Some(Self::Formalised)
            }
            "indicted" | "indictment_review" | "trial_ordered" => Some(Self::Accused),
            "trial" => Some(Self::Tried),
            "judged" | "appeal" | "cassation" | "final" | "enforcement" => Some(Self::Judged),
            _ => None,
        }
    }

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Formalised => "formalised",
            Self::Accused => "accused",
            Self::Tried => "tried",
            Self::Judged => "judged",
        }
    }

    /// Its place in a list of steps.
    pub fn index(self) -> usize {
        match self {
            Self::Formalised => 0,
            Self::Accused => 1,
            Self::Tried => 2,
            Self::Judged => 3,
        }
    }
}

/// The first day on which each step was reached, from the stages that a case entered and when. A file that enters a later
/// step without an earlier one (a plea, an immediate process) has reached the earlier one on that day too.
pub fn steps(entered: &[(String, NaiveDate)]) -> [Option<NaiveDate>; 4] {
    let mut first = [None; 4];
    for (stage, on) in entered {
        let Some(step) = Step::shown_by(stage) else { continue };
        for day in first.iter_mut().take(step.index() + 1) {
            if day.is_none_or(|known| *on < known) {
                *day = Some(*on);
            }
        }
    }
    first
}

/// A case, as figures see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseFacts {
    /// Whose it is.
    pub owner: String,
    /// Whose law.
    pub jurisdiction: String,
    /// Code of procedure.
    pub procedure: String,
    /// Stage.
    pub stage: String,
    /// The legal day of the report.
    pub reported: NaiveDate,
    /// The legal day of the registration.
    pub registered: NaiveDate,
    /// UBIGEO.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub territory: Option<String>,
    /// Reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Report channel.
    pub channel: String,
    /// Complexity.
    pub complexity: String,
    /// Forms of exploitation.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exploitation: Vec<String>,
    /// Whether the days of the facts are recorded.
    pub dated: bool,
    /// Whether the file goes on in another one: it is counted there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// The day of each step of procedure.
    pub steps: [Option<NaiveDate>; 4],
    /// Which other agencies see it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares: Vec<Share>,
    /// Its victims.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub victims: Vec<VictimFacts>,
    /// Its accused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accused: Vec<AccusedFacts>,
    /// Its charges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub charges: Vec<ChargeFacts>,
}

/// What an agency that does not own a case sees of it, as its docket says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// The agency.
    pub agency: String,
    /// Sections, as stored.
    pub sections: String,
    /// The only victims; none means all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub victims: Option<Vec<VictimId>>,
}

/// A victim in a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VictimFacts {
    /// The record.
    pub id: VictimId,
    /// The record that stands for the person, where this one was merged away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<VictimId>,
    /// Whether the person stands in the registry's cases more than once: then it must not be counted twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Sex.
    pub sex: String,
    /// Age band at identification.
    pub age_band: String,
    /// Nationalities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nationalities: Vec<String>,
    /// Country of birth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub birth: Option<String>,
    /// Status in the case.
    pub status: String,
    /// Recruitment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recruitment: Option<String>,
    /// Means.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub means: Vec<String>,
    /// Purposes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub purposes: Vec<String>,
    /// How the person's care went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub care: Option<CareFacts>,
}

/// How a person's care went. It tells of somebody's life, so it counts only for those who see the help itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareFacts {
    /// Where it stands: code list `care_state`.
    pub state: String,
    /// Every state that it ever reached, in the order of their codes.
    pub reached: Vec<String>,
}

impl VictimFacts {
    /// `minor`, `adult`, or `presumed_minor` where the age is not known (DS 007-2023-IN).
    pub fn minority(&self) -> &'static str {
        match self.age_band.as_str() {
            "age_0_12" | "age_13_17" => "minor",
            "unknown" => "presumed_minor",
            _ => "adult",
        }
    }
}

/// An accused in a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccusedFacts {
    /// The record.
    pub id: AccusedId,
    /// The record that stands for the person, where this one was merged away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<AccusedId>,
    /// Whether the person stands in the registry's cases more than once.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub again: bool,
    /// Kind.
    pub kind: String,
    /// Sex.
    pub sex: String,
    /// Age band.
    pub age_band: String,
    /// Nationalities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nationalities: Vec<String>,
}

/// A charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeFacts {
    /// Whom it is against.
    pub accused: AccusedId,
    /// Offence.
    pub offence: String,
    /// Its version by the day of the facts.
    pub version: String,
    /// State.
    pub state: String,
    /// Role.
    pub role: String,
    /// Whether it goes on in another file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub elsewhere: bool,
    /// What a court decided last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// On which day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided: Option<NaiveDate>,
    /// Prison term, months.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub months: Option<u32>,
}

impl ChargeFacts {
    /// Whether the accused stands before a court, or stood: presumed innocent persons before that are in no public figure.
    pub fn prosecuted(&self) -> bool {
        ["indicted", "for_trial", "convicted_1", "acquitted_1", "convicted_final", "acquitted_final"]
            .contains(&self.state.as_str())
    }

    /// Whether a court has convicted, and no other has acquitted since.
    pub fn convicted(&self) -> bool {
        matches!(self.state.as_str(), "convicted_1" | "convicted_final")
    }
}

/// Groups of forms of exploitation, as the United Nations count them (GLOTIP): `sexual`, `labour`, `other`, `mixed`.
pub fn form(exploitation: &[String]) -> &'static str {
    let group = |code: &str| match code {
        "sexual_adult" | "sexual_child" => "sexual",
        "domestic_servitude" => "labour",
        labour if labour.starts_with("labour_") => "labour",
        _ => "other",
    };
    let mut groups = exploitation.iter().map(|code| group(code));
    match groups.next() {
        None => NOT_RECORDED,
        Some(first) if groups.all(|other| other == first) => first,
        Some(_) => "mixed",
    }
}

/// Section of economic activity (ISIC Rev. 4) of a form of exploitation; none where it names no activity.
pub fn sector(exploitation: &str) -> Option<&'static str> {
    match exploitation {
        "labour_forestry" | "labour_agriculture" | "labour_fishing" => Some("A"),
        "labour_mining" => Some("B"),
        "labour_textile" => Some("C"),
        "labour_commerce" => Some("G"),
        "labour_food_service" => Some("I"),
        "domestic_servitude" => Some("T"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_step_that_was_skipped_was_reached_with_the_next_one() {
        let entered = |list: &[(&str, &str)]| {
            steps(&list.iter().map(|(s, d)| ((*s).to_owned(), day(d))).collect::<Vec<_>>()).map(|d| d.map(|d| d.to_string()))
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(entered(&[("preliminary_inquiry", "2024-01-02"), ("archived", "2024-03-01")]), [None, None, None, None]);
        assert_eq!(
            entered(&[("formal_investigation", "2024-02-01"), ("plea_review", "2024-03-01"), ("judged", "2024-04-01")]),
            [some("2024-02-01"), some("2024-04-01"), some("2024-04-01"), some("2024-04-01")]
        );
        // A retrial does not move the first day.
        assert_eq!(
            entered(&[
                ("trial", "2024-05-01"),
                ("judged", "2024-06-01"),
                ("trial_ordered", "2024-09-01"),
                ("trial", "2024-10-01")
            ]),
            [some("2024-05-01"), some("2024-05-01"), some("2024-05-01"), some("2024-06-01")]
        );
    }

    #[test]
    fn forms_are_grouped_as_the_united_nations_count_them() {
        let of = |codes: &[&str]| form(&codes.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&[]), "not_recorded");
        assert_eq!(of(&["sexual_adult", "sexual_child"]), "sexual");
        assert_eq!(of(&["labour_mining", "domestic_servitude"]), "labour");
        assert_eq!(of(&["sexual_child", "labour_mining"]), "mixed");
        assert_eq!(of(&["begging", "organ_removal"]), "other");
    }
}
