//! How good the data are: what is recorded, how soon, and what contradicts itself; per agency that owns the cases. Pure.

use std::collections::BTreeMap;

use super::count::{Durations, durations};
use super::facts::{NOT_RECORDED, Step};
use super::memory::{CaseRow, Memory, NEVER};
use super::question::{Lane, Question};
use super::words::Word;

/// How often a field is filled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Records where it is.
    pub recorded: u64,
    /// Records in all.
    pub of: u64,
}

impl Filled {
    fn note(&mut self, recorded: bool) {
        self.of += 1;
        self.recorded += u64::from(recorded);
    }
}

/// The quality of one agency's cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quality {
    /// The agency.
    pub agency: String,
    /// Its cases.
    pub cases: u64,
    /// Field and how often it is filled. What was refused counts as recorded: somebody asked.
    pub completeness: Vec<(&'static str, Filled)>,
    /// Days from the report to the registration.
    pub timeliness: Durations,
    /// What contradicts itself or is missing where procedure needs it, and in how many cases.
    pub inconsistencies: Vec<(&'static str, u64)>,
}

/// The fields that are looked at.
const FIELDS: [&str; 9] = [
    "case.territory",
    "case.exploitation",
    "case.scope",
    "case.facts_from",
    "victim.sex",
    "victim.age_at_identification",
    "victim.nationalities",
    "victim.recruitment",
    "accused.sex",
];

/// The contradictions that are looked for.
const ISSUES: [&str; 6] = [
    "no_victim",
    "adult_without_means",
    "child_exploitation_without_minor",
    "formalised_without_charge",
    "judged_without_verdict",
    "registered_before_report",
];

#[derive(Default)]
struct Tally {
    cases: u64,
    filled: [Filled; FIELDS.len()],
    days: Vec<i64>,
    issues: [u64; ISSUES.len()],
}

/// Numbers of the words that the rules speak of.
struct Known {
    missing: Option<Word>,
    unasked: [Option<Word>; 2],
    minor: Option<Word>,
    adult: Option<Word>,
    presumed: Option<Word>,
    child: Option<Word>,
    not_victim: Option<Word>,
}

impl Memory {
    /// The quality of the cases that a lane owns: one agency's, or every one's for oversight.
    pub fn quality(&self, lane: &Lane, question: &Question) -> Vec<Quality> {
        let find = |text: &str| self.words.find(text);
        let known = Known {
            missing: find(NOT_RECORDED),
            unasked: [find("unknown"), find("not_asked")],
            minor: find("minor"),
            adult: find("adult"),
            presumed: find("presumed_minor"),
            child: find("sexual_child"),
            not_victim: find("not_victim"),
        };
        let own = match lane {
            Lane::All => None,
            Lane::Agency(code) => match find(code) {
                Some(word) => Some(word),
                None => return Vec::new(),
            },
        };
        let mut tallies: BTreeMap<Word, Tally> = BTreeMap::new();
        for row in self.reported(0..self.rows.len(), question.from, question.to) {
            if own.is_none_or(|word| row.owner == word) {
                self.look(row, &known, tallies.entry(row.owner).or_default());
            }
        }
        let mut all: Vec<Quality> = tallies
            .into_iter()
            .map(|(agency, Tally { cases, filled, days, issues })| Quality {
                agency: self.words.text(agency).to_owned(),
                cases,
                completeness: FIELDS.into_iter().zip(filled).collect(),
                timeliness: durations(days),
                inconsistencies: ISSUES.into_iter().zip(issues).collect(),
            })
            .collect();
        all.sort_by(|a, b| a.agency.cmp(&b.agency));
        all
    }

    fn look(&self, row: &CaseRow, known: &Known, tally: &mut Tally) {
        let victims = row.victims.of(&self.victims);
        let accused = row.accused.of(&self.accused);
        let charges = row.charges.of(&self.charges);
        let listed = |span: super::memory::Span| span.of(&self.lists).first().copied() != known.missing;
        let said = |word: Word| !known.unasked.contains(&Some(word));
        tally.cases += 1;
        tally.days.push(i64::from(row.registered) - i64::from(row.reported));
        let [territory, exploitation, scope, dated, sex, age, nationality, recruitment, suspect] = &mut tally.filled;
        territory.note(Some(row.place) != known.missing);
        exploitation.note(listed(row.exploitation));
        scope.note(Some(row.scope) != known.missing);
        dated.note(row.dated);
        for victim in victims {
            sex.note(said(victim.sex));
            age.note(Some(victim.minority) != known.presumed);
            nationality.note(listed(victim.nationalities));
            recruitment.note(Some(victim.recruitment) != known.missing);
        }
        for one in accused {
            suspect.note(said(one.sex));
        }
        let harmed = || victims.iter().filter(|v| Some(v.status) != known.not_victim);
        let reached = |step: Step| row.steps.get(step.index()).is_some_and(|day| *day != NEVER);
        let child = known.child.is_some_and(|code| row.exploitation.of(&self.lists).contains(&code));
        let found = [
            harmed().next().is_none(),
            harmed().any(|v| Some(v.minority) == known.adult && !v.means),
            child && harmed().all(|v| Some(v.minority) != known.minor && Some(v.minority) != known.presumed),
            reached(Step::Formalised) && charges.is_empty(),
            reached(Step::Judged) && charges.iter().all(|c| c.decided_year == 0),
            row.registered < row.reported,
        ];
        for (count, found) in tally.issues.iter_mut().zip(found) {
            *count += u64::from(found);
        }
    }
}
