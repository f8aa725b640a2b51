//! The law as dated data: offences, procedure, code lists, numbering schemes, places, authorities.
//!
//! Owns the JSON files in `data/` and the look-ups over them; `http.rs` and `wire.rs` serve it. Must not know: the database, any slice.
//! Every fault of a file is found at start and names file and place.

pub mod calendar;
pub mod care;
pub mod http;
pub mod limits;
mod load;
pub mod names;
mod offences;
mod profile;
mod retention;
mod schemes;
#[cfg(test)]
mod time_tests;
mod wire;
mod written;

use std::collections::{HashMap, HashSet};

use chrono::{NaiveDate, Weekday};
use serde::{Deserialize, Serialize};

use crate::kernel::Timestamp;

pub use calendar::{Calendar, DayType, TimeUnit};
pub use care::{CareFact, CareGuard, CareProtocol, CareState, CareTransition};
pub use limits::{Limit, LimitClass, LimitSubject};
pub use load::{CatalogueFault, CatalogueFaults};
pub use offences::{Aggravator, Band, Known, Offence, OffenceFault, OffenceVersion, Penalty, Relation};
pub use profile::{ChargeTransition, Effect, Guard, Profile, Required, Stage, Transition, VerdictRule};
pub use retention::{RetentionAction, RetentionClass, RetentionRule, RetentionStatus};
pub use schemes::{Part, Scheme, SchemeFault, dni_check_digit};
pub use written::{WrittenUnder, keep_standing_codes};

/// Names in the three languages of the registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Labels {
    /// Spanish.
    pub es: String,
    /// English.
    pub en: String,
    /// French.
    pub fr: String,
}

impl Labels {
    /// The name in a language; Spanish where the language is another one.
    pub fn get(&self, lang: &str) -> &str {
        match lang {
            "en" => &self.en,
            "fr" => &self.fr,
            _ => &self.es,
        }
    }
}

/// A code of a list.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The code, as stored.
    pub code: String,
    /// Its names.
    pub labels: Labels,
    /// False where no source was read.
    pub verified: bool,
    /// First day on which it may be written, where that is later than the list's.
    #[serde(default)]
    pub valid_from: Option<NaiveDate>,
    /// First day on which it may no longer be written.
    #[serde(default)]
    pub valid_until: Option<NaiveDate>,
    /// Who asks for it: code list `actor`.
    #[serde(default)]
    pub requested_by: Vec<String>,
    /// Who grants it: code list `actor`.
    #[serde(default)]
    pub granted_by: Vec<String>,
    /// Articles.
    #[serde(default)]
    pub basis: Option<String>,
}

impl Code {
    /// Whether it may be written on a day.
    pub fn in_force(&self, on: NaiveDate) -> bool {
        self.valid_from.is_none_or(|from| from <= on) && self.valid_until.is_none_or(|until| on < until)
    }
}

/// A code list in one version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeList {
    /// Its name.
    pub list: String,
    /// Its version.
    pub version: String,
    /// First day of validity.
    pub valid_from: NaiveDate,
    /// First day on which the next version applies.
    #[serde(default)]
    pub valid_until: Option<NaiveDate>,
    /// Its codes, in order.
    pub codes: Vec<Code>,
}

impl CodeList {
    /// Whether this version is the one of a day.
    pub fn in_force(&self, on: NaiveDate) -> bool {
        self.valid_from <= on && self.valid_until.is_none_or(|until| on < until)
    }
}

/// An authority or service, as loaded into a new registry.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgencySeed {
    /// Code.
    pub code: String,
    /// Names.
    pub labels: Labels,
    /// Code list `agency_kind`.
    pub kind: String,
    /// The agency above it.
    pub parent: Option<String>,
    /// ISO 3166-1 alpha-2; none for international bodies.
    pub country: Option<String>,
    /// UBIGEO.
    pub territory: Option<String>,
    /// Whether it supervises.
    pub oversight: bool,
    /// Services that it offers: code list `service`.
    pub services: Vec<String>,
    /// Offences for which the law names it, and those below it.
    #[serde(default)]
    pub offences: Vec<String>,
}

/// A department (UBIGEO, INEI).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Department {
    /// Two digits.
    pub code: String,
    /// Name.
    pub name: String,
}

/// A fiscal district.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FiscalDistrict {
    /// Code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Its department.
    pub department: String,
    /// Complaints 2007–2014: how often synthetic cases fall into it.
    pub weight: u32,
}

/// How many people live in a country: what victims are counted against (SDG 16.2.2).
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Population {
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The year.
    pub year: i32,
    /// UNODC's word: `Total`, `Female`, `Male`.
    pub sex: String,
    /// UNODC's word: `Total`, `0 to 17 years`, `18 years or over`.
    pub age: String,
    /// Persons.
    pub persons: u64,
    /// Who says so.
    pub source: String,
    /// False where the source was not read.
    pub verified: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Places {
    departments: Vec<Department>,
    fiscal_districts: Vec<FiscalDistrict>,
    countries: Vec<String>,
}

/// The whole catalogue. Immutable.
pub struct Catalogue {
    release: String,
    lists: Vec<CodeList>,
    offences: Vec<Offence>,
    offence_index: HashMap<String, usize>,
    profiles: Vec<Profile>,
    schemes: Vec<Scheme>,
    calendars: Vec<Calendar>,
    plain_days: Calendar,
    limits: Vec<Limit>,
    retention: Vec<RetentionRule>,
    care: Vec<CareProtocol>,
    population: Vec<Population>,
    agencies: Vec<AgencySeed>,
    departments: Vec<Department>,
    fiscal_districts: Vec<FiscalDistrict>,
    countries: HashSet<String>,
}

impl Catalogue {
    #[expect(clippy::too_many_arguments, reason = "one for each file")]
    fn assemble(
        release: String,
        lists: Vec<CodeList>,
        offences: Vec<Offence>,
        profiles: Vec<Profile>,
        schemes: Vec<Scheme>,
        agencies: Vec<AgencySeed>,
        places: Places,
        calendars: Vec<Calendar>,
        limits: Vec<Limit>,
        retention: Vec<RetentionRule>,
        care: Vec<CareProtocol>,
        population: Vec<Population>,
    ) -> Self {
        let offence_index = offences
            .iter()
            .enumerate()
            .flat_map(|(n, offence)| std::iter::once(&offence.code).chain(&offence.alias).map(move |key| (key.clone(), n)))
            .collect();
        let plain_days = Calendar {
            jurisdiction: String::new(),
            utc_offset_minutes: 0,
            weekend: vec![Weekday::Sat, Weekday::Sun],
            holidays: Vec::new(),
        };
        let Places { departments, fiscal_districts, countries } = places;
        let countries = countries.into_iter().collect();
        Self {
            release,
            lists,
            offences,
            offence_index,
            profiles,
            schemes,
            calendars,
            plain_days,
            limits,
            retention,
            care,
            population,
            agencies,
            departments,
            fiscal_districts,
            countries,
        }
    }

    /// Names the content of the whole catalogue; another content has another name.
    pub fn release(&self) -> &str {
        &self.release
    }

    /// Every code list.
    pub fn code_lists(&self) -> &[CodeList] {
        &self.lists
    }

    /// The version of a list on a day.
    pub fn code_list(&self, list: &str, on: NaiveDate) -> Option<&CodeList> {
        self.lists.iter().find(|l| l.list == list && l.in_force(on))
    }

    /// Whether a code may be written today: it is in the version of its list that is in force.
    pub fn has_code(&self, list: &str, code: &str) -> bool {
        self.has_code_on(list, code, Timestamp::now().date())
    }

    /// Whether a code may be written on a day.
    pub fn has_code_on(&self, list: &str, code: &str, on: NaiveDate) -> bool {
        self.code_list(list, on).is_some_and(|l| l.codes.iter().any(|c| c.code == code && c.in_force(on)))
    }

    /// Whether any version of a list has a code: what stands in a record was right when it was written.
    pub fn has_ever(&self, list: &str, code: &str) -> bool {
        self.lists.iter().filter(|l| l.list == list).any(|l| l.codes.iter().any(|c| c.code == code))
    }

    /// Every offence.
    pub fn offences(&self) -> &[Offence] {
        &self.offences
    }

    /// An offence by code or alias.
    pub fn offence(&self, code: &str) -> Option<&Offence> {
        self.offence_index.get(code).and_then(|n| self.offences.get(*n))
    }

    /// The version of an offence on the day of the facts.
    pub fn offence_on(&self, code: &str, on: NaiveDate) -> Result<&OffenceVersion, OffenceFault> {
        self.offence(code).ok_or(OffenceFault::Unknown)?.version_on(on)
    }

    /// Whether an aggravator may stand on a charge of an offence on a day. The aggravated forms of trafficking
    /// (art. 129-B) stand on charges of its basic form (art. 129-A) too.
    pub fn aggravator_allowed(&self, offence: &str, on: NaiveDate, aggravator: &str) -> bool {
        let own = [offence];
        let both = ["PE-CP-129-A", "PE-CP-129-B"];
        let articles: &[&str] = if both.contains(&offence) { &both } else { &own };
        articles
            .iter()
            .filter_map(|code| self.offence_on(code, on).ok())
            .any(|version| version.aggravators.iter().any(|a| a.code == aggravator))
    }

    /// The procedure of a jurisdiction on a day: the newest version that had begun.
    pub fn profile(&self, jurisdiction: &str, procedural_code: &str, on: NaiveDate) -> Option<&Profile> {
        self.profiles
            .iter()
            .filter(|p| p.jurisdiction == jurisdiction && p.procedural_code == procedural_code && p.valid_from <= on)
            .max_by_key(|p| p.valid_from)
    }

    /// The working days of every jurisdiction.
    pub fn calendars(&self) -> &[Calendar] {
        &self.calendars
    }

    /// The working days of a jurisdiction; weeks without holidays where none are recorded.
    pub fn calendar(&self, jurisdiction: &str) -> &Calendar {
        self.calendars.iter().find(|c| c.jurisdiction == jurisdiction).unwrap_or(&self.plain_days)
    }

    /// A time limit.
    pub fn limit(&self, id: &str) -> Option<&Limit> {
        self.limits.iter().find(|l| l.id == id)
    }

    /// The retention schedule.
    pub fn retention(&self) -> &[RetentionRule] {
        &self.retention
    }

    /// The protocols of care, in every version.
    pub fn care_protocols(&self) -> &[CareProtocol] {
        &self.care
    }

    /// How many people of a sex and an age live in a country in a year; none where the table does not say.
    pub fn population(&self, country: &str, year: i32, sex: &str, age: &str) -> Option<&Population> {
        self.population.iter().find(|p| p.country == country && p.year == year && p.sex == sex && p.age == age)
    }

    /// The table of population.
    pub fn populations(&self) -> &[Population] {
        &self.population
    }

    /// The protocol of care of a jurisdiction on a day: the newest version that had begun.
    pub fn care_protocol_on(&self, jurisdiction: &str, on: NaiveDate) -> Option<&CareProtocol> {
        self.care.iter().filter(|p| p.jurisdiction == jurisdiction && p.valid_from <= on).max_by_key(|p| p.valid_from)
    }

    /// The protocol of care of a jurisdiction in one version.
    pub fn care_protocol(&self, jurisdiction: &str, version: &str) -> Option<&CareProtocol> {
        self.care.iter().find(|p| p.jurisdiction == jurisdiction && p.version == version)
    }

    /// Every limit of every law.
    pub fn all_limits(&self) -> &[Limit] {
        &self.limits
    }

    /// Every procedure, in every version.
    pub fn profiles(&self) -> &[Profile] {
        &self.profiles
    }

    /// Whether any procedure has a stage.
    pub fn stage_known(&self, stage: &str) -> bool {
        self.profiles.iter().any(|p| p.stage(stage).is_some())
    }

    /// The numbering schemes.
    pub fn schemes(&self) -> &[Scheme] {
        &self.schemes
    }

    /// A numbering scheme.
    pub fn scheme(&self, code: &str) -> Option<&Scheme> {
        self.schemes.iter().find(|s| s.code == code)
    }

    /// The authorities of a new registry, parents first.
    pub fn agencies(&self) -> &[AgencySeed] {
        &self.agencies
    }

    /// Whether a UBIGEO code of 2, 4 or 6 digits lies in a known department.
    pub fn territory_known(&self, ubigeo: &str) -> bool {
        matches!(ubigeo.len(), 2 | 4 | 6)
            && ubigeo.bytes().all(|b| b.is_ascii_digit())
            && self.departments.iter().any(|d| ubigeo.starts_with(&d.code))
    }

    /// The departments.
    pub fn departments(&self) -> &[Department] {
        &self.departments
    }

    /// The fiscal districts.
    pub fn fiscal_districts(&self) -> &[FiscalDistrict] {
        &self.fiscal_districts
    }

    /// Whether a code is a country (ISO 3166-1 alpha-2).
    pub fn country_known(&self, alpha2: &str) -> bool {
        self.countries.contains(alpha2)
    }

    /// Every country (ISO 3166-1 alpha-2), in order.
    pub fn countries(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.countries.iter().map(String::as_str).collect();
        all.sort_unstable();
        all
    }

    /// Whether a code has the shape of a language (ISO 639: two or three letters).
    pub fn language_known(&self, code: &str) -> bool {
        matches!(code.len(), 2 | 3) && code.bytes().all(|b| b.is_ascii_lowercase())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_fact_date_decides_the_article() {
        let law = Catalogue::embedded().unwrap();
        let article = |on: &str| law.offence_on("PE-CP-129-A", day(on)).map(|v| (v.article.clone(), v.version.clone()));
        assert_eq!(article("2012-05-01"), Ok(("153".into(), "PE-TRATA@2007".into())));
        assert_eq!(article("2021-03-30"), Ok(("153".into(), "PE-TRATA@2019".into())));
        assert_eq!(article("2021-03-31"), Ok(("129-A".into(), "PE-TRATA@2021".into())));
        assert_eq!(article("2001-01-01"), Ok(("153, 182".into(), "PE-TRATA@1991".into())));
        assert!(matches!(article("1991-04-08"), Err(OffenceFault::NotInForce { .. })));
        assert_eq!(law.offence_on("PE-CP-129-P", day("2022-01-01")).map(|_| ()), Err(OffenceFault::Unknown));
        assert_eq!(law.offence("PE-CP-129-NN").map(|o| o.code.as_str()), Some("PE-CP-129-Ñ"));
    }

    #[test]
    fn aggravators_belong_to_their_article_and_date() {
        let law = Catalogue::embedded().unwrap();
        assert!(law.aggravator_allowed("PE-CP-129-A", day("2022-01-01"), "PE-CP-129-B.1.3"));
        assert!(law.aggravator_allowed("PE-CP-129-B", day("2022-01-01"), "PE-CP-129-B.1.7"));
        // Pregnancy came with Ley 31146.
        assert!(!law.aggravator_allowed("PE-CP-129-B", day("2020-01-01"), "PE-CP-129-B.1.7"));
        assert!(!law.aggravator_allowed("PE-CP-129-O", day("2022-01-01"), "PE-CP-129-B.1.3"));
    }

    #[test]
    fn every_transition_leads_somewhere_and_every_stage_can_be_reached() {
        let law = Catalogue::embedded().unwrap();
        let profile = law.profile("PE", "NCPP2004", day("2022-01-01")).unwrap();
        let mut reached = vec![profile.initial_stage.clone()];
        let mut at = 0;
        while let Some(stage) = reached.get(at).cloned() {
            for t in profile.available(&stage) {
                if let Some(to) = t.to.as_ref().filter(|to| !reached.contains(to)) {
                    reached.push(to.clone());
                }
            }
            at += 1;
        }
        assert_eq!(reached.len(), profile.stages.len());
    }

    #[test]
    fn places_are_known_by_department() {
        let law = Catalogue::embedded().unwrap();
        assert!(law.territory_known("17") && law.territory_known("170101"));
        assert!(!law.territory_known("26") && !law.territory_known("1701011") && !law.territory_known("1x"));
        assert!(law.country_known("PE") && !law.country_known("XX"));
    }
}
