//! How well a registered person answers a question, told by the keys that matched. Pure.
//!
//! Owns the score. Must not know tables, or what the registered person is called: only which tokens it shares.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::index::{
    Form, Index, IndexKey, Role, Subject, Token, full_facts, names_facts, names_year_facts, refs, sounds, surnames_facts,
    year_facts,
};
use super::names::is_initial;
use crate::kernel::Result;

/// One token to look up, and what it says if somebody has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// The token.
    pub token: Token,
    /// What it says.
    pub says: Says,
}

/// What a shared token says, by the places of the names in the question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Says {
    /// The whole fact is the same.
    Whole(Index),
    /// This given name and this surname.
    Names(Index, usize, usize),
    /// These two surnames.
    Surnames(usize, usize),
    /// This given name and these two surnames.
    FullName(usize, usize, usize),
    /// This given name, this surname and the year.
    NamesAndYear(usize, usize),
    /// This surname and the year; or a year beside it.
    SurnameAndYear(usize, bool),
    /// This given name and the year.
    GivenNameAndYear(usize),
}

/// Which keys matched, told to the caller. The order is that of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Matched {
    /// The document.
    Document,
    /// The telephone.
    Telephone,
    /// Names as written, but for accents, case and particles.
    NamesExact,
    /// Names that sound the same.
    NamesPhonetic,
    /// Names that begin the same.
    NamesPrefix,
    /// Both surnames, in either order.
    Surnames,
    /// The year of birth.
    BirthYear,
    /// A year of birth one off.
    BirthYearNear,
    /// A company's name.
    LegalName,
    /// A company's name by sound.
    LegalNamePhonetic,
}

impl Matched {
    /// The code.
    pub fn code(self) -> &'static str {
        match self {
            Self::Document => "document",
            Self::Telephone => "phone",
            Self::NamesExact => "names_exact",
            Self::NamesPhonetic => "names_phonetic",
            Self::NamesPrefix => "names_prefix",
            Self::Surnames => "surnames",
            Self::BirthYear => "birth_year",
            Self::BirthYearNear => "birth_year_near",
            Self::LegalName => "legal_name",
            Self::LegalNamePhonetic => "legal_name_phonetic",
        }
    }
}

/// Somebody who may be the one.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The person.
    pub person: Uuid,
    /// 0 to 1000.
    pub score: u32,
    /// Why.
    pub matched: Vec<Matched>,
}

/// Scores from here on are high: hardly anybody else.
pub const HIGH: u32 = 800;
/// Scores from here on are worth a look.
pub const MEDIUM: u32 = 500;

/// The tokens to look up for a question. Of its names the first form counts.
pub fn probes(key: &IndexKey, role: Role, subject: &Subject) -> Vec<Probe> {
    let mut probes = Vec::new();
    let mut probe = |index: Index, facts: &[String], says: Says| {
        probes.push(Probe { token: key.token(role, index, &refs(facts)), says });
    };
    for (kind, country, number) in &subject.documents {
        let facts = [kind.clone(), country.clone(), number.clone()];
        probe(Index::Document, &facts, Says::Whole(Index::Document));
    }
    for number in &subject.telephones {
        probe(Index::Telephone, std::slice::from_ref(number), Says::Whole(Index::Telephone));
    }
    if !subject.company.is_empty() {
        probe(Index::Company, &subject.company, Says::Whole(Index::Company));
        probe(Index::CompanyBySound, &sounds(&subject.company), Says::Whole(Index::CompanyBySound));
    }
    let Some(Form { given, surnames }) = subject.forms.first() else { return probes };
    let told = |tokens: &[String]| -> Vec<(usize, String)> {
        tokens.iter().cloned().enumerate().filter(|(_, t)| !is_initial(t)).collect()
    };
    let (given, surnames) = (told(given), told(surnames));
    for (s, surname) in &surnames {
        for (g, given) in &given {
            for (index, facts) in names_facts(given, surname) {
                probe(index, &facts, Says::Names(index, *g, *s));
            }
        }
        for (other, second) in surnames.iter().filter(|(other, _)| other > s) {
            probe(Index::Surnames, &surnames_facts(surname, second), Says::Surnames(*s, *other));
            for (g, given) in &given {
                probe(Index::FullName, &full_facts(given, surname, second), Says::FullName(*g, *s, *other));
            }
        }
    }
    if let Some(year) = subject.year {
        for (s, surname) in &surnames {
            probe(Index::SurnameAndYear, &year_facts(surname, year), Says::SurnameAndYear(*s, true));
            // A year is often reckoned from an age.
            for near in [year - 1, year + 1] {
                probe(Index::SurnameAndYear, &year_facts(surname, near), Says::SurnameAndYear(*s, false));
            }
        }
        for (s, surname) in &surnames {
            for (g, given) in &given {
                probe(Index::NamesAndYear, &names_year_facts(given, surname, year), Says::NamesAndYear(*g, *s));
            }
        }
        for (g, given) in &given {
            probe(Index::GivenNameAndYear, &year_facts(given, year), Says::GivenNameAndYear(*g));
        }
    }
    probes
}

/// How well each name and the year are met, in thousandths.
#[derive(Default)]
struct Met {
    given: BTreeMap<usize, u32>,
    surnames: BTreeMap<usize, u32>,
    year: u32,
    whole: u32,
    matched: Vec<Matched>,
}

impl Met {
    fn hear(&mut self, says: Says) {
        match says {
            // A three says what its pairs say; with common names the pairs are too many to be looked through.
            Says::FullName(g, one, other) => {
                self.hear(Says::Names(Index::NamesBySound, g, one));
                return self.hear(Says::Surnames(one, other));
            }
            Says::NamesAndYear(g, s) => {
                self.hear(Says::Names(Index::NamesBySound, g, s));
                return self.hear(Says::SurnameAndYear(s, true));
            }
            _ => {}
        }
        const SOUND: u32 = 900;
        fn raise(to: &mut BTreeMap<usize, u32>, at: usize, level: u32) {
            let met = to.entry(at).or_default();
            *met = (*met).max(level);
        }
        let matched = match says {
            Says::Whole(index) => {
                let (matched, level) = match index {
                    Index::Document => (Matched::Document, 1_000),
                    Index::Company => (Matched::LegalName, 1_000),
                    Index::CompanyBySound => (Matched::LegalNamePhonetic, 700),
                    // One telephone may serve a family.
                    _ => (Matched::Telephone, 700),
                };
                self.whole = self.whole.max(level);
                matched
            }
            Says::Names(index, g, s) => {
                let (matched, level) = match index {
                    Index::Names => (Matched::NamesExact, 1_000),
                    Index::NamesBySound => (Matched::NamesPhonetic, SOUND),
                    _ => (Matched::NamesPrefix, 750),
                };
                raise(&mut self.given, g, level);
                raise(&mut self.surnames, s, level);
                matched
            }
            Says::Surnames(one, other) => {
                raise(&mut self.surnames, one, SOUND);
                raise(&mut self.surnames, other, SOUND);
                Matched::Surnames
            }
            Says::SurnameAndYear(s, same) => {
                raise(&mut self.surnames, s, SOUND);
                self.year = self.year.max(if same { 1_000 } else { 500 });
                if same { Matched::BirthYear } else { Matched::BirthYearNear }
            }
            Says::GivenNameAndYear(g) => {
                raise(&mut self.given, g, SOUND);
                self.year = 1_000;
                Matched::BirthYear
            }
            // Taken apart above.
            Says::FullName(..) | Says::NamesAndYear(..) => return,
        };
        self.matched.push(matched);
    }

    fn score(&self, subject: &Subject) -> u32 {
        // The best of the given names nearly suffices; of two surnames the second counts too.
        let part = |met: &BTreeMap<usize, u32>, asked: usize, best_share: u32| {
            let best = met.values().copied().max().unwrap_or(0);
            let others = u32::try_from(asked).unwrap_or(1).saturating_sub(1);
            match (met.values().sum::<u32>() - best).checked_div(others) {
                None => best,
                Some(rest) => (best * best_share + rest * (10 - best_share)) / 10,
            }
        };
        let form = subject.forms.first();
        let asked = |tokens: Option<&Vec<String>>| tokens.map_or(0, |t| t.iter().filter(|t| !is_initial(t)).count());
        let (given, surnames) = (asked(form.map(|f| &f.given)), asked(form.map(|f| &f.surnames)));
        let weighed = [
            (if surnames > 0 { 6 } else { 0 }, part(&self.surnames, surnames, 6)),
            (if given > 0 { 4 } else { 0 }, part(&self.given, given, 8)),
            (if subject.year.is_some() { 3 } else { 0 }, self.year),
        ];
        let weights: u32 = weighed.iter().map(|(weight, _)| weight).sum();
        let names = weighed.iter().map(|(weight, met)| weight * met).sum::<u32>().checked_div(weights).unwrap_or(0);
        // A telephone and a name that is not wholly another's are better than either.
        let both = if self.whole > 0 && names >= 300 { 150 } else { 0 };
        (self.whole.max(names) + both).min(1_000)
    }
}

/// Those who are worth a look, the best first. `found` names the probe and who has its token.
pub fn rank(subject: &Subject, probes: &[Probe], found: impl IntoIterator<Item = (usize, Uuid)>) -> Vec<Candidate> {
    let mut persons: BTreeMap<Uuid, Met> = BTreeMap::new();
    for (index, person) in found {
        if let Some(probe) = probes.get(index) {
            persons.entry(person).or_default().hear(probe.says);
        }
    }
    let mut candidates: Vec<Candidate> = persons
        .into_iter()
        .map(|(person, mut met)| {
            let score = met.score(subject);
            met.matched.sort();
            met.matched.dedup();
            Candidate { person, score, matched: met.matched }
        })
        .filter(|c| c.score >= MEDIUM)
        .collect();
    candidates.sort_by(|a, b| b.score.cmp(&a.score).then(a.person.cmp(&b.person)));
    candidates
}

/// Candidates of one question asked about together: their cases are read by one statement.
pub const TOGETHER: usize = 40;
/// Candidates of all questions asked about by one statement.
const MOST_TOGETHER: usize = 2_000;
/// Candidates beyond which nobody is looked at: so many match as well that none of them is found.
pub const MOST_EXAMINED: usize = 400;

/// The first `limit` candidates that the caller may see. `shown` answers those of some persons, with their references.
pub fn first_shown(
    candidates: Vec<Candidate>,
    limit: usize,
    shown: impl FnMut(&[Uuid]) -> Result<Vec<(Uuid, String)>>,
) -> Result<Vec<(Candidate, String)>> {
    Ok(first_shown_of_each(vec![candidates], limit, shown)?.pop().unwrap_or_default())
}

/// The same for several questions at once: each round asks about the next candidates of all that lack some still, so that
/// the number of rounds does not grow with the questions.
pub fn first_shown_of_each(
    candidates: Vec<Vec<Candidate>>,
    limit: usize,
    mut shown: impl FnMut(&[Uuid]) -> Result<Vec<(Uuid, String)>>,
) -> Result<Vec<Vec<(Candidate, String)>>> {
    let mut first: Vec<Vec<(Candidate, String)>> = candidates.iter().map(|_| Vec::new()).collect();
    for round in 0..MOST_EXAMINED / TOGETHER {
        let next =
            |of: &Vec<Candidate>| -> Vec<Candidate> { of.iter().skip(round * TOGETHER).take(TOGETHER).cloned().collect() };
        let asked: Vec<Vec<Candidate>> = candidates
            .iter()
            .zip(&first)
            .map(|(of, found)| if found.len() < limit { next(of) } else { Vec::new() })
            .collect();
        let persons: BTreeSet<Uuid> = asked.iter().flatten().map(|c| c.person).collect();
        if persons.is_empty() {
            break;
        }
        let mut seen: BTreeMap<Uuid, String> = BTreeMap::new();
        for some in persons.into_iter().collect::<Vec<_>>().chunks(MOST_TOGETHER) {
            seen.extend(shown(some)?);
        }
        for (found, asked) in first.iter_mut().zip(asked) {
            let visible = asked.into_iter().filter_map(|c| seen.get(&c.person).map(|code| (c, code.clone())));
            let lacking = limit.saturating_sub(found.len());
            found.extend(visible.take(lacking));
        }
    }
    Ok(first)
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
