//! The tables that the United Nations ask a country for, by year: GLOTIP (UNODC), IC-TIP (IOM and UNODC), SDG 16.2.2. Pure.
//!
//! Rows and words as in UNODC's published long format. IC-TIP's own tables were not
//! at hand, so its four blocks are named in words; where a row says what another standard numbers (ICCS, ISIC, ISO 3166-1), it
//! carries that number. Detected victims are those presumed or recognised, counted in the year of the report,
//! each once in a cell. Only offences that the catalogue counts as trafficking (`core`) make somebody prosecuted or
//! convicted of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;

use super::count::Unit;
use super::facts::{NOT_RECORDED, Step};
use super::memory::{ChargeRow, Memory, NEVER, day_number};
use super::question::{Dimension, Lane, Question, Subject};
use super::words::Word;
use crate::catalogue::{Catalogue, Relation};

/// One row of GLOTIP's long format.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// What is counted.
    pub indicator: &'static str,
    /// What it is broken down by.
    pub dimension: &'static str,
    /// The value in that dimension.
    pub category: String,
    /// `Total`, `Female`, `Male`, `Other`, `Unknown`.
    pub sex: &'static str,
    /// `Total`, `0 to 17 years`, `18 years or over`, `Unknown`.
    pub age: &'static str,
    /// How many.
    pub value: u64,
}

/// UNODC's word for a sex.
pub fn sex(code: &str) -> &'static str {
    match code {
        "female" => "Female",
        "male" => "Male",
        "intersex" => "Other",
        _ => "Unknown",
    }
}

/// UNODC's word for an age.
pub fn age(minority: &str) -> &'static str {
    match minority {
        "minor" => "0 to 17 years",
        "adult" => "18 years or over",
        _ => "Unknown",
    }
}

/// UNODC's word for a group of forms.
pub fn category(form: &str) -> &'static str {
    match form {
        "sexual" => "Sexual exploitation",
        "labour" => "Forced labour, services",
        "mixed" => "Mixed forms",
        "other" => "Other purposes",
        _ => "Unknown",
    }
}

const VICTIMS: &str = "Detected trafficking victims";
const PROSECUTED: &str = "Persons prosecuted";
const CONVICTED: &str = "Persons convicted";
const TOTAL: &str = "Total";

/// The bounds of a year.
fn within(year: i32) -> (Option<NaiveDate>, Option<NaiveDate>) {
    (NaiveDate::from_ymd_opt(year, 1, 1), NaiveDate::from_ymd_opt(year, 12, 31))
}

/// A question about the victims detected in a year.
fn detected(year: i32, by: &[Dimension]) -> Question {
    let (from, to) = within(year);
    let status = vec!["presumed".to_owned(), "recognised".to_owned()];
    Question { by: by.to_vec(), only: vec![(Dimension::Status, status)], from, to, ..Question::of(Subject::Victims) }
}

/// Sums cells whose words are the same.
fn add(rows: &mut Cells, row: Row) {
    let Row { indicator, dimension, category, sex, age, value } = row;
    *rows.entry((indicator, dimension, category, sex, age)).or_default() += value;
}

/// The rows of a year.
pub fn glotip(memory: &Memory, law: &Catalogue, lane: &Lane, year: i32) -> Vec<Row> {
    let mut rows = victims(memory, lane, year);
    let whole = || TOTAL.to_owned();
    for (indicator, person) in memory.charged(law, lane, year) {
        let Person { sex: code, nationality, .. } = person;
        for word in [TOTAL, sex(&code)] {
            let row = Row { indicator, dimension: TOTAL, category: whole(), sex: word, age: TOTAL, value: 1 };
            add(&mut rows, row);
            let row = Row {
                indicator,
                dimension: "by citizenship",
                category: nationality.clone(),
                sex: word,
                age: TOTAL,
                value: 1,
            };
            add(&mut rows, row);
        }
    }
    listed(rows)
}

/// Cells, by everything that is not their number.
type Cells = BTreeMap<(&'static str, &'static str, String, &'static str, &'static str), u64>;

fn listed(rows: Cells) -> Vec<Row> {
    let row = |((indicator, dimension, category, sex, age), value)| Row { indicator, dimension, category, sex, age, value };
    rows.into_iter().map(row).collect()
}

/// The detected victims of a year.
fn victims(memory: &Memory, lane: &Lane, year: i32) -> Cells {
    use Dimension as D;
    let mut rows = BTreeMap::new();
    let whole = |_: &str| TOTAL.to_owned();
    let forms = |code: &str| category(code).to_owned();
    let countries = |code: &str| code.to_owned();
    type Naming<'n> = &'n dyn Fn(&str) -> String;
    let kinds: [(&'static str, Option<D>, Naming<'_>); 3] = [
        (TOTAL, None, &whole),
        ("by form of exploitation", Some(D::Form), &forms),
        ("by citizenship", Some(D::Nationality), &countries),
    ];
    for (dimension, first, name) in kinds {
        for persons in [&[][..], &[D::Sex], &[D::Minority], &[D::Sex, D::Minority]] {
            let by: Vec<D> = first.iter().copied().chain(persons.iter().copied()).collect();
            for (values, value) in memory.table(lane, &detected(year, &by)).cells {
                let of = |wanted: D| by.iter().zip(&values).find(|(d, _)| **d == wanted).map(|(_, v)| v.as_str());
                let row = Row {
                    indicator: VICTIMS,
                    dimension,
                    category: first.and_then(of).map_or_else(|| whole(""), name),
                    sex: of(D::Sex).map_or(TOTAL, sex),
                    age: of(D::Minority).map_or(TOTAL, age),
                    value,
                };
                add(&mut rows, row);
            }
        }
    }
    rows
}

/// One row of the classification of trafficking for statistics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IcTip {
    /// `event`, `victim`, `perpetrator` or `reporting_entity`.
    pub block: &'static str,
    /// Variable.
    pub variable: &'static str,
    /// Category: our code.
    pub category: String,
    /// The standard that numbers the category, and its number.
    pub standard: Option<(&'static str, String)>,
    /// How many: events, persons, persons, records.
    pub value: u64,
}

/// The number of a category in another standard: ICCS 1.0 (level 4 of 0204, from memory) of a form, ISIC Rev. 4 of a sector,
/// ISO 3166-1 of a country. What is not recorded has none.
fn standard(variable: &str, category: &str) -> Option<(&'static str, String)> {
    let known = |standard, code: &str| Some((standard, code.to_owned()));
    if category == NOT_RECORDED {
        return None;
    }
    match variable {
        "form_of_exploitation" => match category {
            "sexual" => known("ICCS", "02041"),
            "labour" => known("ICCS", "02042"),
            // Several forms at once are of no single class but the one above them.
            "mixed" => known("ICCS", "0204"),
            "other" => known("ICCS", "02044"),
            _ => None,
        },
        "economic_sector" => known("ISIC Rev. 4", category),
        "citizenship" => known("ISO 3166-1 alpha-2", category),
        "place_of_exploitation" => known("UBIGEO", category),
        _ => None,
    }
}

/// The four blocks of a year.
pub fn ic_tip(memory: &Memory, law: &Catalogue, lane: &Lane, year: i32) -> Vec<IcTip> {
    use Dimension as D;
    let (from, to) = within(year);
    let mut rows = Vec::new();
    let mut table = |block, variable, question: Question| {
        let cells = memory.table(lane, &question).cells;
        let row = |(values, value): (Vec<String>, u64)| {
            let category = values.join(", ");
            IcTip { block, variable, standard: standard(variable, &category), category, value }
        };
        rows.extend(cells.into_iter().map(row));
    };
    let of = |subject, by| Question { by: vec![by], from, to, ..Question::of(subject) };
    for (variable, by) in [
        ("form_of_exploitation", D::Form),
        ("economic_sector", D::Sector),
        ("domestic_or_cross_border", D::Scope),
        ("place_of_exploitation", D::Department),
        ("detection", D::Channel),
    ] {
        table("event", variable, of(Subject::Cases, by));
    }
    for (variable, by) in [
        ("sex", D::Sex),
        ("age_group_at_identification", D::AgeBand),
        ("child_or_adult", D::Minority),
        ("citizenship", D::Nationality),
        ("status", D::Status),
        ("recruitment", D::Recruitment),
        ("purpose", D::Purpose),
    ] {
        table("victim", variable, of(Subject::Victims, by));
    }
    for (variable, by) in [("kind", D::Kind), ("sex", D::Sex), ("age_group", D::AgeBand), ("citizenship", D::Nationality)] {
        table("perpetrator", variable, of(Subject::Accused, by));
    }
    table("reporting_entity", "owner_of_record", of(Subject::Cases, D::Agency));
    let mut charged: BTreeMap<&'static str, u64> = BTreeMap::new();
    for (indicator, _) in memory.charged(law, lane, year) {
        *charged.entry(indicator).or_default() += 1;
    }
    for (indicator, category) in [(PROSECUTED, "prosecuted"), (CONVICTED, "convicted")] {
        let value = charged.get(indicator).copied().unwrap_or(0);
        rows.push(IcTip {
            block: "perpetrator",
            variable: "status_in_criminal_justice",
            category: category.to_owned(),
            standard: Some(("ICCS", "0204".to_owned())),
            value,
        });
    }
    rows
}

/// One numerator of SDG 16.2.2: detected victims by sex, age and form; null where it is the total.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numerator {
    /// UNODC's word, or `Total`.
    pub sex: &'static str,
    /// UNODC's word, or `Total`.
    pub age: &'static str,
    /// UNODC's word, or `Total`.
    pub form: &'static str,
    /// Persons.
    pub value: u64,
    /// How many people of that sex and age live there; none where the table of population does not say.
    pub population: Option<u64>,
}

impl Numerator {
    /// Victims per 100,000 people, in thousandths, rounded.
    pub fn rate_milli(&self) -> Option<u64> {
        let people = self.population.filter(|people| *people > 0)?;
        let milli = (u128::from(self.value) * 100_000_000 + u128::from(people) / 2) / u128::from(people);
        u64::try_from(milli).ok()
    }
}

/// Puts the people beside the victims. Only of all cases together is the population of a country the right one.
pub fn with_population(mut rows: Vec<Numerator>, law: &Catalogue, lane: &Lane, country: &str, year: i32) -> Vec<Numerator> {
    if *lane == Lane::All {
        for row in &mut rows {
            row.population = law.population(country, year, row.sex, row.age).map(|line| line.persons);
        }
    }
    rows
}

/// The numerators of a year: GLOTIP's rows of victims.
pub fn numerators(memory: &Memory, lane: &Lane, year: i32) -> Vec<Numerator> {
    let rows = listed(victims(memory, lane, year));
    let forms = ["Sexual exploitation", "Forced labour, services", "Mixed forms", "Other purposes", "Unknown"];
    rows.iter()
        .filter(|r| r.indicator == VICTIMS && r.dimension != "by citizenship")
        .filter_map(|Row { category, sex, age, value, .. }| {
            let form = if category == TOTAL { TOTAL } else { forms.into_iter().find(|f| f == category)? };
            Some(Numerator { sex, age, form, value: *value, population: None })
        })
        .collect()
}

/// Somebody accused, as the tables know one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Person {
    id: u64,
    sex: String,
    nationality: String,
}

impl Memory {
    /// Who was accused before a court of trafficking in a year, and who was convicted of it; each once.
    fn charged(&self, law: &Catalogue, lane: &Lane, year: i32) -> BTreeSet<(&'static str, Person)> {
        let core: Vec<Word> = law
            .offences()
            .iter()
            .filter(|o| o.relation == Relation::Core)
            .filter_map(|o| self.words.find(&o.code))
            .collect();
        let (from, to) = within(year);
        let (first, last) = (from.map_or(i32::MAX, day_number), to.map_or(i32::MIN, day_number));
        let wanted = Word::try_from(year).unwrap_or(0);
        let observer = self.observer(lane);
        let mut found = BTreeSet::new();
        self.each(lane, &Question::of(Subject::Accused), |row, unit| {
            let Unit::Accused(person) = unit else { return };
            if !self.in_sight(&observer, row).is_some_and(|s| s.sees_charges()) {
                return;
            }
            let accused_on = row.steps.get(Step::Accused.index()).copied().unwrap_or(NEVER);
            let counts = |c: &&ChargeRow| c.accused == person.record && !c.elsewhere && core.contains(&c.offence);
            let charges = || row.charges.of(&self.charges).iter().filter(counts);
            let nationality = person.nationalities.of(&self.lists).first().copied().unwrap_or(0);
            let who = || Person {
                id: person.person,
                sex: self.words.text(person.sex).to_owned(),
                nationality: self.words.text(nationality).to_owned(),
            };
            if (first..=last).contains(&accused_on) && charges().any(|c| c.prosecuted) {
                found.insert((PROSECUTED, who()));
            }
            if charges().any(|c| c.convicted && c.decided_year == wanted) {
                found.insert((CONVICTED, who()));
            }
        });
        found
    }
}
