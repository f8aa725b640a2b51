//! Counting over the rows: tables, the funnel of justice, flows. Pure. What an agency sees decides what it counts: its own
//! cases, and of those shared with it the sections and the victims that its docket shows.

use std::collections::BTreeMap;
use std::ops::Range;

use super::facts::Step;
use super::memory::{AccusedRow, CaseRow, ChargeRow, Memory, NEVER, ShareRow, VictimRow};
use super::question::{Dimension, Lane, Question, Subject, Table};
use super::words::{Counts, Word};
use crate::cases::{Section, Sections};

/// What of one case is in sight.
#[derive(Clone, Copy)]
pub(super) struct InSight<'m> {
    sections: Sections,
    /// The share whose victims alone are in sight.
    share: Option<&'m ShareRow>,
}

impl InSight<'_> {
    /// Whether charges are in sight.
    pub(super) fn sees_charges(self) -> bool {
        self.sections.has(Section::Charges)
    }
}

/// One thing that is counted.
#[derive(Clone, Copy)]
pub(super) enum Unit<'m> {
    Case,
    Victim(&'m VictimRow),
    Accused(&'m AccusedRow),
    Charge(&'m ChargeRow),
}

impl Unit<'_> {
    /// The person, where one may come again.
    fn repeated(self) -> Option<u64> {
        match self {
            Self::Victim(v) if v.again => Some(v.person),
            Self::Accused(a) if a.again => Some(a.person),
            _ => None,
        }
    }
}

/// The values that one thing has in one dimension.
enum Values<'m> {
    One(Word),
    Many(&'m [Word]),
}

impl Values<'_> {
    fn as_slice(&self) -> &[Word] {
        match self {
            Self::One(word) => std::slice::from_ref(word),
            Self::Many(words) => words,
        }
    }
}

/// What one figure says of durations, in days from the report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Durations {
    /// Files that it is about.
    pub cases: u64,
    /// A quarter of them took at most so long.
    pub p25: Option<i64>,
    /// Half of them.
    pub median: Option<i64>,
    /// Three quarters.
    pub p75: Option<i64>,
    /// Nine tenths.
    pub p90: Option<i64>,
}

/// How many files got how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funnel {
    /// Files reported.
    pub reported: u64,
    /// Each step: how many reached it, and after how long.
    pub steps: Vec<(Step, Durations)>,
    /// Files with somebody convicted.
    pub convicted: u64,
    /// Files that rest or ended without a judgment.
    pub archived: u64,
}

/// Rows below which another thread is not worth its start.
const LEAST_ROWS: usize = 50_000;

/// What some rows bring to a table.
#[derive(Default)]
struct Part {
    counts: Counts,
    total: u64,
    /// Persons of several cases: few, so they are looked at afterwards; by cell.
    again: Vec<(u64, u64)>,
    /// The same, once.
    seen: Vec<u64>,
}

impl Part {
    fn add(&mut self, other: Self) {
        let Self { counts, total, again, seen } = other;
        for (key, count) in counts {
            *self.counts.entry(key).or_default() += count;
        }
        self.total += total;
        self.again.extend(again);
        self.seen.extend(seen);
    }
}

impl Memory {
    /// What an observer sees of a case; none where nothing.
    pub(super) fn in_sight<'m>(&'m self, lane: &Observer, row: &CaseRow) -> Option<InSight<'m>> {
        match lane {
            Observer::All => Some(InSight { sections: Sections::PSEUDONYMOUS, share: None }),
            Observer::Agency(None) => None,
            Observer::Agency(Some(agency)) if row.owner == *agency => Some(InSight { sections: Sections::ALL, share: None }),
            Observer::Agency(Some(agency)) => {
                let share = row.shares.of(&self.shares).iter().find(|s| s.agency == *agency)?;
                Some(InSight { sections: share.sections, share: Some(share) })
            }
        }
    }

    /// The observer of a lane.
    pub(super) fn observer(&self, lane: &Lane) -> Observer {
        match lane {
            Lane::All => Observer::All,
            Lane::Agency(code) => Observer::Agency(self.words.find(code)),
        }
    }

    /// Every thing that a question is about, with its case.
    pub(super) fn each<'m>(&'m self, lane: &Lane, question: &Question, f: impl FnMut(&'m CaseRow, Unit<'m>)) {
        self.each_of(0..self.rows.len(), lane, question, f);
    }

    /// The same, of some of the rows.
    fn each_of<'m>(
        &'m self,
        rows: Range<usize>,
        lane: &Lane,
        question: &Question,
        mut f: impl FnMut(&'m CaseRow, Unit<'m>),
    ) {
        let observer = self.observer(lane);
        let only: Vec<(Dimension, Vec<Word>)> = question
            .only
            .iter()
            .map(|(d, texts)| (*d, texts.iter().filter_map(|t| self.word_of(*d, t)).collect()))
            .collect();
        // Care tells of somebody's life: whoever does not see the help does not count by it either.
        let by_care = question.by.iter().chain(question.only.iter().map(|(d, _)| d)).any(|d| d.is_care());
        let passes = |row: &CaseRow, unit: Unit<'_>| {
            only.iter().all(|(d, words)| self.values(*d, row, unit).as_slice().iter().any(|w| words.contains(w)))
        };
        for row in self.reported(rows, question.from, question.to) {
            let Some(sight) = self.in_sight(&observer, row) else { continue };
            match question.subject {
                Subject::Cases => {
                    if passes(row, Unit::Case) {
                        f(row, Unit::Case);
                    }
                }
                Subject::Victims
                    if sight.sections.has(Section::Victims) && (!by_care || sight.sections.has(Section::Assistance)) =>
                {
                    let named = sight.share.filter(|s| s.some).map(|s| s.victims.of(&self.named));
                    for one in row.victims.of(&self.victims) {
                        let unit = Unit::Victim(one);
                        if named.is_none_or(|n| n.contains(&one.record)) && passes(row, unit) {
                            f(row, unit);
                        }
                    }
                }
                Subject::Accused if sight.sections.has(Section::Accused) => {
                    for one in row.accused.of(&self.accused).iter().map(Unit::Accused).filter(|u| passes(row, *u)) {
                        f(row, one);
                    }
                }
                Subject::Charges if sight.sections.has(Section::Charges) => {
                    let charges = row.charges.of(&self.charges).iter().filter(|c| !c.elsewhere);
                    for one in charges.map(Unit::Charge).filter(|u| passes(row, *u)) {
                        f(row, one);
                    }
                }
                Subject::Victims | Subject::Accused | Subject::Charges => {}
            }
        }
    }

    /// The table of a question: persons once per cell, however many cases they are in.
    pub fn table(&self, lane: &Lane, question: &Question) -> Table {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let parts = (self.rows.len() / LEAST_ROWS).clamp(1, cores);
        self.table_in(parts, lane, question)
    }

    /// The same, counted by so many threads.
    fn table_in(&self, parts: usize, lane: &Lane, question: &Question) -> Table {
        let size = self.rows.len().div_ceil(parts.max(1)).max(1);
        let Part { mut counts, mut total, mut again, mut seen } = std::thread::scope(|scope| {
            let mut chunks = (0..self.rows.len()).step_by(size).map(|start| start..self.rows.len().min(start + size));
            let first = chunks.next().unwrap_or_default();
            let others: Vec<_> = chunks.map(|rows| scope.spawn(|| self.part(rows, lane, question))).collect();
            let mut whole = self.part(first, lane, question);
            for other in others {
                match other.join() {
                    Ok(part) => whole.add(part),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            whole
        });
        seen.sort_unstable();
        seen.dedup();
        again.sort_unstable();
        again.dedup();
        total += u64::try_from(seen.len()).unwrap_or(0);
        for (_, key) in again {
            *counts.entry(key).or_default() += 1;
        }
        let mut cells: Vec<(Vec<String>, u64)> = counts
            .into_iter()
            .map(|(key, count)| {
                let words = [key & 0xffff, key >> 16 & 0xffff, key >> 32 & 0xffff];
                let texts = question.by.iter().zip(words).map(|(d, w)| self.text_of(*d, Word::try_from(w).unwrap_or(0)));
                (texts.collect(), count)
            })
            .collect();
        cells.sort();
        Table { total, cells }
    }

    /// What some of the rows bring to a table.
    fn part(&self, rows: Range<usize>, lane: &Lane, question: &Question) -> Part {
        let mut by = question.by.iter().copied();
        let dimensions = [by.next(), by.next(), by.next()];
        let Part { mut counts, mut total, mut again, mut seen } = Part::default();
        self.each_of(rows, lane, question, |row, unit| {
            let values = dimensions.map(|d| d.map_or(Values::One(0), |d| self.values(d, row, unit)));
            let repeated = unit.repeated();
            match repeated {
                Some(person) => seen.push(person),
                None => total += 1,
            }
            let [first, second, third] = &values;
            for a in first.as_slice() {
                for b in second.as_slice() {
                    for c in third.as_slice() {
                        let key = u64::from(*a) | u64::from(*b) << 16 | u64::from(*c) << 32;
                        match repeated {
                            Some(person) => again.push((person, key)),
                            None => *counts.entry(key).or_default() += 1,
                        }
                    }
                }
            }
        });
        Part { counts, total, again, seen }
    }

    /// How far files got, and after how long. The question's subject and dimensions do not matter.
    pub fn funnel(&self, lane: &Lane, question: &Question) -> Funnel {
        let question = Question { subject: Subject::Cases, by: Vec::new(), ..question.clone() };
        let observer = self.observer(lane);
        let (mut reported, mut convicted, mut archived) = (0, 0, 0);
        let mut days: [Vec<i64>; 4] = Default::default();
        let resting = ["archived", "dismissed"].map(|stage| self.words.find(stage));
        self.each(lane, &question, |row, _| {
            reported += 1;
            for (of_step, day) in days.iter_mut().zip(row.steps) {
                if day != NEVER {
                    of_step.push(i64::from(day) - i64::from(row.reported));
                }
            }
            let ended = row.steps.last().is_some_and(|judged| *judged == NEVER);
            archived += u64::from(resting.contains(&Some(row.stage)) && ended);
            let sees = self.in_sight(&observer, row).is_some_and(|s| s.sections.has(Section::Charges));
            convicted += u64::from(sees && row.charges.of(&self.charges).iter().any(|c| c.convicted));
        });
        let steps = Step::ALL.into_iter().zip(days).map(|(step, days)| (step, durations(days))).collect();
        Funnel { reported, steps, convicted, archived }
    }

    /// Where victims come from, and where they were exploited: country of origin to department. The country of origin is
    /// that of birth, or the first nationality.
    pub fn flows(&self, lane: &Lane, question: &Question) -> Vec<(String, String, u64)> {
        let question = Question { subject: Subject::Victims, by: Vec::new(), ..question.clone() };
        let missing = self.words.find(super::facts::NOT_RECORDED);
        let mut flows: BTreeMap<(Word, Word), u64> = BTreeMap::new();
        let mut again = Vec::new();
        self.each(lane, &question, |row, unit| {
            let Unit::Victim(victim) = unit else { return };
            let nationality = victim.nationalities.of(&self.lists).first().copied().unwrap_or(victim.birth);
            let origin = if Some(victim.birth) == missing { nationality } else { victim.birth };
            match unit.repeated() {
                Some(person) => again.push((person, (origin, row.department))),
                None => *flows.entry((origin, row.department)).or_default() += 1,
            }
        });
        again.sort_unstable();
        again.dedup();
        for (_, way) in again {
            *flows.entry(way).or_default() += 1;
        }
        let text = |w: Word| self.words.text(w).to_owned();
        let mut flows: Vec<(String, String, u64)> = flows.into_iter().map(|((o, d), n)| (text(o), text(d), n)).collect();
        flows.sort();
        flows
    }

    fn values<'m>(&'m self, dimension: Dimension, row: &'m CaseRow, unit: Unit<'m>) -> Values<'m> {
        use Dimension as D;
        let list = |span: super::memory::Span| Values::Many(span.of(&self.lists));
        match (dimension, unit) {
            (D::Sex, Unit::Victim(v)) => Values::One(v.sex),
            (D::AgeBand, Unit::Victim(v)) => Values::One(v.age_band),
            (D::Minority, Unit::Victim(v)) => Values::One(v.minority),
            (D::Status, Unit::Victim(v)) => Values::One(v.status),
            (D::Recruitment, Unit::Victim(v)) => Values::One(v.recruitment),
            (D::CareState, Unit::Victim(v)) => Values::One(v.care),
            (D::CareReached, Unit::Victim(v)) => list(v.care_reached),
            (D::Nationality, Unit::Victim(v)) => list(v.nationalities),
            (D::Purpose, Unit::Victim(v)) => list(v.purposes),
            (D::Kind, Unit::Accused(a)) => Values::One(a.kind),
            (D::Sex, Unit::Accused(a)) => Values::One(a.sex),
            (D::AgeBand, Unit::Accused(a)) => Values::One(a.age_band),
            (D::Nationality, Unit::Accused(a)) => list(a.nationalities),
            (D::Offence, Unit::Charge(c)) => Values::One(c.offence),
            (D::ChargeState, Unit::Charge(c)) => Values::One(c.state),
            (D::Role, Unit::Charge(c)) => Values::One(c.role),
            (D::Outcome, Unit::Charge(c)) => Values::One(c.outcome),
            (D::DecidedYear, Unit::Charge(c)) => Values::One(c.decided_year),
            (D::Stage, _) => Values::One(row.stage),
            (D::Exploitation, _) => list(row.exploitation),
            (D::Form, _) => Values::One(row.form),
            (D::Sector, _) => list(row.sectors),
            (D::Scope, _) => Values::One(row.scope),
            (D::Department, _) => Values::One(row.department),
            (D::Place, _) => Values::One(row.place),
            (D::Month, _) => Values::One(row.month),
            (D::Quarter, _) => Values::One(row.month / 3),
            (D::Year, _) => Values::One(row.month / 12),
            (D::Agency, _) => Values::One(row.owner),
            (D::Channel, _) => Values::One(row.channel),
            (D::Complexity, _) => Values::One(row.complexity),
            (D::Procedure, _) => Values::One(row.procedure),
            // A dimension that the subject does not have is refused before anything is counted.
            _ => Values::Many(&[]),
        }
    }

    fn text_of(&self, dimension: Dimension, word: Word) -> String {
        match dimension {
            Dimension::Month => format!("{:04}-{:02}", word / 12, word % 12 + 1),
            Dimension::Quarter => format!("{:04}-Q{}", word / 4, word % 4 + 1),
            Dimension::DecidedYear if word == 0 => super::facts::NOT_RECORDED.to_owned(),
            Dimension::Year | Dimension::DecidedYear => format!("{word:04}"),
            _ => self.words.text(word).to_owned(),
        }
    }

    /// The number of a value as a filter writes it; none where no row has it.
    fn word_of(&self, dimension: Dimension, text: &str) -> Option<Word> {
        let number = |text: &str| text.parse::<Word>().ok();
        match dimension {
            Dimension::Month => {
                let (year, month) = text.split_once('-')?;
                let month = number(month).filter(|m| (1..=12).contains(m))?;
                number(year)?.checked_mul(12)?.checked_add(month - 1)
            }
            Dimension::Quarter => {
                let (year, quarter) = text.split_once("-Q")?;
                let quarter = number(quarter).filter(|q| (1..=4).contains(q))?;
                number(year)?.checked_mul(4)?.checked_add(quarter - 1)
            }
            Dimension::DecidedYear if text == super::facts::NOT_RECORDED => Some(0),
            Dimension::Year | Dimension::DecidedYear => number(text),
            _ => self.words.find(text),
        }
    }
}

/// Who looks, with the agency as a number.
pub(super) enum Observer {
    All,
    /// None for an agency that no row names.
    Agency(Option<Word>),
}

/// The nearest-rank percentiles of some durations.
pub(super) fn durations(mut days: Vec<i64>) -> Durations {
    days.sort_unstable();
    let at = |percent: usize| {
        let rank = (days.len() * percent).div_ceil(100).max(1);
        days.get(rank - 1).copied()
    };
    let cases = u64::try_from(days.len()).unwrap_or(0);
    Durations { cases, p25: at(25), median: at(50), p75: at(75), p90: at(90) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::ids::{CaseId, VictimId};
    use crate::statistics::facts::{CaseFacts, VictimFacts};
    use proptest::prelude::*;

    fn case(victims: &[(u8, bool, u8)]) -> CaseFacts {
        let victim = |(person, again, sex): &(u8, bool, u8)| VictimFacts {
            // Who is in one case only has an id of her or his own.
            id: VictimId::from_uuid(if *again { uuid::Uuid::from_u128(u128::from(*person)) } else { uuid::Uuid::new_v4() }),
            person: None,
            again: *again,
            sex: ["female", "male", "unknown"][usize::from(*sex) % 3].into(),
            age_band: "unknown".into(),
            nationalities: vec!["PE".into(), "VE".into()],
            birth: None,
            status: "presumed".into(),
            recruitment: None,
            means: Vec::new(),
            purposes: Vec::new(),
            care: None,
        };
        CaseFacts {
            owner: "PE-MP".into(),
            jurisdiction: "PE".into(),
            procedure: "NCPP2004".into(),
            stage: "reported".into(),
            reported: chrono::NaiveDate::from_ymd_opt(2025, 3, 1).unwrap(),
            registered: chrono::NaiveDate::from_ymd_opt(2025, 3, 2).unwrap(),
            territory: None,
            scope: None,
            channel: "police".into(),
            complexity: "simple".into(),
            exploitation: Vec::new(),
            dated: false,
            elsewhere: false,
            steps: [None; 4],
            shares: Vec::new(),
            victims: victims.iter().map(victim).collect(),
            accused: Vec::new(),
            charges: Vec::new(),
        }
    }

    proptest! {
        #[test]
        fn however_many_threads_count_a_person_is_counted_once(
            cases in prop::collection::vec(prop::collection::vec((0u8..20, any::<bool>(), 0u8..3), 0..4), 0..60),
        ) {
            let mut memory = Memory::default();
            for victims in &cases {
                memory.put(CaseId::from_uuid(uuid::Uuid::new_v4()), &case(victims)).unwrap();
            }
            let question = Question { by: vec![Dimension::Sex, Dimension::Nationality], ..Question::of(Subject::Victims) };
            let alone = memory.table_in(1, &Lane::All, &question);
            let once: std::collections::BTreeSet<u8> = cases.iter().flatten().filter(|(_, again, _)| *again).map(|(p, ..)| *p).collect();
            let single = cases.iter().flatten().filter(|(_, again, _)| !*again).count();
            prop_assert_eq!(alone.total, (once.len() + single) as u64);
            for parts in [2, 3, 7] {
                prop_assert_eq!(&memory.table_in(parts, &Lane::All, &question), &alone);
            }
        }
    }
}
