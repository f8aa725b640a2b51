//! What the registry can say of what the standard says, and the way there and back. Pure.
//!
//! There: [`Group::facts`]. Back: [`record`]. What does not come back as it was said is the business of `residue.rs`.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

use chrono::{Datelike, NaiveDate};
use serde::Deserialize;

use super::record::{Record, Slot, Value};
use super::table::{Part, standard};
use crate::extensions::Extension;
use crate::kernel::PartialDate;

/// The map between both, as data.
#[derive(Debug, Default, Deserialize)]
pub struct Mapping {
    /// Where each field goes.
    pub places: BTreeMap<String, String>,
    /// Each code of a field, and the registry's codes.
    pub to: HashMap<String, Vec<String>>,
    /// Each of the registry's codes, and the standard's.
    pub from: HashMap<String, Vec<String>>,
}

static MAPPING: LazyLock<Mapping> =
    // A test reads it: see `table.rs`.
    LazyLock::new(|| serde_json::from_str(include_str!("data/mapping.json")).unwrap_or_default());

/// The map.
pub fn mapping() -> &'static Mapping {
    &MAPPING
}

/// Codes of the registry by list, each once, in the order in which they were found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes(BTreeMap<String, Vec<String>>);

impl Codes {
    /// Adds a code.
    pub fn add(&mut self, list: &str, code: &str) {
        let codes = self.0.entry(list.to_owned()).or_default();
        if !codes.iter().any(|c| c == code) {
            codes.push(code.to_owned());
        }
    }

    /// The codes of a list.
    pub fn of(&self, list: &str) -> &[String] {
        self.0.get(list).map_or(&[], Vec::as_slice)
    }

    /// The first code of a list.
    pub fn first(&self, list: &str) -> Option<&str> {
        self.of(list).first().map(String::as_str)
    }

    /// Keeps the first code of a list: the registry has one.
    fn only_first(&mut self, list: &str) {
        if let Some(codes) = self.0.get_mut(list) {
            codes.truncate(1);
        }
    }

    fn take(&mut self, list: &str) -> Vec<String> {
        self.0.remove(list).unwrap_or_default()
    }
}

/// What a person is in a case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Harmed.
    #[default]
    Victim,
    /// Suspected.
    Accused,
}

/// What the registry says of a case.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct CaseFacts {
    /// Its number in the other system.
    pub key: Option<String>,
    /// The day on which it was learnt of, where the law is.
    pub reported_on: Option<NaiveDate>,
    /// What is said to have happened.
    pub summary: Option<String>,
    /// Whether nobody works on it any more.
    pub closed: bool,
    /// Code list `exploitation`.
    pub exploitation: Vec<String>,
    /// First of the facts.
    pub facts_from: Option<PartialDate>,
    /// Last of the facts.
    pub facts_to: Option<PartialDate>,
    /// What else is said.
    pub extensions: Vec<Extension>,
}

/// What the registry says of a person in it.
#[derive(Clone, Default, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct PersonFacts {
    /// What the person is in the case.
    pub role: Role,
    /// Codes: `gender`, `education`, `victim_status`, `recruitment`, `control`, `means`, `purpose`, `act`.
    pub codes: Codes,
    /// Years of age when identified.
    pub age: Option<i32>,
    /// ISO 3166-1 alpha-2.
    pub nationalities: Vec<String>,
    /// ISO 639.
    pub languages: Vec<String>,
    /// Trade or position.
    pub occupation: Option<String>,
    /// Given names.
    pub given: Option<String>,
    /// First surname.
    pub paternal: Option<String>,
    /// Second surname.
    pub maternal: Option<String>,
    /// Birth.
    pub birth: Option<PartialDate>,
    /// Number of a document and who issued it.
    pub document: Option<(String, String)>,
    /// Electronic mail.
    pub email: Option<String>,
    /// Telephones.
    pub phones: Vec<String>,
    /// Where the person lives.
    pub address: Option<String>,
    /// What else is said.
    pub extensions: Vec<Extension>,
}

/// Parts of an address, in the order in which they are written.
const ADDRESS: [&str; 5] =
    ["prs_MailingStreet", "prs_MailingCity", "prs_MailingState", "prs_MailingPostalCode", "prs_MailingCountry"];
/// Lists of which the registry keeps one code.
const SINGLE: [&str; 4] = ["gender", "education", "victim_status", "recruitment"];
/// Lists that only victims have.
const OF_VICTIMS: [&str; 8] = ["gender", "education", "victim_status", "recruitment", "control", "means", "purpose", "act"];

fn fits(text: Option<String>, most: usize) -> Option<String> {
    text.filter(|t| t.chars().count() <= most)
}

/// The records of one case.
#[derive(Clone, Default)]
pub struct Group {
    /// The other system's number of the case, or the one that was made of what the record says.
    pub key: String,
    /// Its records, each with its line.
    pub rows: Vec<(u32, Record)>,
}

impl Group {
    /// What the registry would say, without extensions. `today` is the day where the law is; `since` the day of the
    /// report where the record says none that the law accepts.
    pub fn facts(
        &self,
        today: NaiveDate,
        since: NaiveDate,
        accepts: &dyn Fn(NaiveDate) -> bool,
    ) -> (CaseFacts, Vec<PersonFacts>) {
        let first = self.rows.first().map(|(_, r)| r.clone()).unwrap_or_default();
        let referred =
            first.date("cas_IncomingReferralDate").map(PartialDate::earliest).filter(|d| *d <= today && accepts(*d));
        let mut case = CaseFacts {
            key: Some(self.key.clone()),
            reported_on: Some(referred.unwrap_or(since)),
            summary: first.text("cas_IncomingReferralDetails").map(str::to_owned),
            ..CaseFacts::default()
        };
        let mut dates: Vec<PartialDate> = Vec::new();
        let mut persons = Vec::with_capacity(self.rows.len());
        for (_, record) in &self.rows {
            let (person, forms) = person(record, referred);
            for form in forms {
                if !case.exploitation.contains(&form) {
                    case.exploitation.push(form);
                }
            }
            persons.push(person);
            dates.extend(events(record).filter(|d| d.earliest() <= today));
        }
        case.facts_from = dates.iter().copied().min_by_key(|d| d.earliest());
        case.facts_to = dates.iter().copied().max_by_key(|d| d.latest()).filter(|to| Some(*to) != case.facts_from);
        (case, persons)
    }
}

fn events(record: &Record) -> impl Iterator<Item = PartialDate> + '_ {
    record.values.iter().filter_map(|(slot, value)| match value {
        Value::Date(date) if slot.field().is_some_and(|f| f.name == "hte_Date") => Some(*date),
        _ => None,
    })
}

/// Whether something is said of the person as a perpetrator, and as a victim.
pub fn contexts(record: &Record) -> (bool, bool) {
    let has = |part| record.values.keys().any(|s| s.field().is_some_and(|f| f.part == part));
    (has(Part::Perpetrator), has(Part::Victim))
}

/// A person, and the forms of exploitation that are the case's.
fn person(record: &Record, referred: Option<NaiveDate>) -> (PersonFacts, Vec<String>) {
    // Who was harmed is not accused by a spreadsheet: non-punishment goes first.
    let role = if contexts(record) == (true, false) { Role::Accused } else { Role::Victim };
    let birth = record.date("prs_Birthdate");
    let age = referred.and_then(|on| age(birth?, on));
    let mut codes = Codes::default();
    for (slot, value) in &record.values {
        if let (Some(field), Value::Codes(said)) = (slot.field(), value) {
            for target in said.iter().filter_map(|code| mapping().to.get(&format!("{}/{code}", field.name))).flatten() {
                if let Some((list, code)) = target.split_once('/') {
                    codes.add(list, code);
                }
            }
        }
    }
    let mut forms = codes.take("exploitation");
    if codes.of("purpose").iter().any(|p| p == "sexual_exploitation" || p == "prostitution")
        && let Some(age) = age
    {
        forms.push(if age < 18 { "sexual_child" } else { "sexual_adult" }.to_owned());
    }
    SINGLE.iter().for_each(|list| codes.only_first(list));
    if codes.of("victim_status").is_empty() {
        // As the registry takes it.
        codes.add("victim_status", "presumed");
    }
    if role == Role::Accused {
        OF_VICTIMS.iter().for_each(|list| drop(codes.take(list)));
        forms.clear();
    }
    let text = |name: &str| record.text(name).map(str::to_owned);
    let join = |parts: &[&str], between: &str| {
        let said: Vec<String> = parts.iter().filter_map(|n| record.get(n)).map(Value::text).collect();
        (!said.is_empty()).then(|| said.join(between))
    };
    let (paternal, maternal) = surnames(text("prs_SecondName"));
    let citizenships = record.codes("prs_Citizenship");
    let phones = ["prs_HomePhone", "prs_MobilePhone"].iter().filter_map(|n| fits(text(n), 200)).collect();
    let languages = match role {
        Role::Accused => Vec::new(),
        Role::Victim => ["prs_PrimaryLanguage", "prs_SecondaryLanguage"]
            .iter()
            .filter_map(|n| record.code(n))
            .map(str::to_owned)
            .collect(),
    };
    let person = PersonFacts {
        role,
        codes,
        age: age.filter(|_| role == Role::Victim),
        nationalities: citizenships.iter().take(5).cloned().collect(),
        languages,
        occupation: fits(text("prs_Title"), 120).filter(|_| role == Role::Accused),
        given: fits(join(&["prs_FirstName", "prs_MiddleName"], " "), 120),
        paternal: fits(paternal, 120),
        maternal: fits(maternal, 120),
        birth,
        document: fits(text("prs_IdentityNumber"), 40).and_then(|n| Some((citizenships.first()?.clone(), n))),
        email: fits(text("prs_Email"), 200),
        phones,
        address: fits(join(&ADDRESS, ", "), 300),
        extensions: Vec::new(),
    };
    (person, forms)
}

/// Two surnames where two are written; one that begins with a particle, or anything longer, stays whole.
fn surnames(text: Option<String>) -> (Option<String>, Option<String>) {
    const PARTICLES: [&str; 18] = [
        "de", "del", "la", "las", "los", "da", "das", "do", "dos", "di", "van", "von", "der", "du", "le", "san", "santa",
        "mc",
    ];
    let Some(text) = text else { return (None, None) };
    match text.split(' ').collect::<Vec<_>>().as_slice() {
        [one, two] if !one.is_empty() && !two.is_empty() && !PARTICLES.contains(&one.to_lowercase().as_str()) => {
            (Some((*one).to_owned()), Some((*two).to_owned()))
        }
        _ => (Some(text), None),
    }
}

/// Years of age on a day, where the birth leaves no doubt whether they are an adult's; the fewer ones then.
fn age(birth: PartialDate, on: NaiveDate) -> Option<i32> {
    let years = |born: NaiveDate| {
        let had = (on.month(), on.day()) >= (born.month(), born.day());
        on.year() - born.year() - i32::from(!had)
    };
    let (oldest, youngest) = (years(birth.earliest()), years(birth.latest()));
    let sure = youngest >= 18 || oldest < 18;
    Some(youngest).filter(|age| sure && (0..=120).contains(age))
}

/// What the registry says of a person in a case, as a record; extensions apart.
pub fn record(case: &CaseFacts, person: &PersonFacts) -> Record {
    let mut record = Record { key: case.key.clone(), ..Record::default() };
    let text = |value: &Option<String>| value.clone().map(Value::Text);
    let codes = |all: Vec<String>| (!all.is_empty()).then_some(Value::Codes(all));
    record.set("cas_IncomingReferralDate", case.reported_on.map(|d| Value::Date(PartialDate::from_date(d))));
    record.set("cas_IncomingReferralDetails", text(&case.summary));
    let status = if case.closed { "Closed" } else { "Active" };
    record.set("cas_Status", codes(vec![status.to_owned()]));
    let PersonFacts { role, given, paternal, maternal, birth, document, email, phones, address, .. } = person;
    record.set("prs_FirstName", text(given));
    let surnames: Vec<&str> = [paternal, maternal].into_iter().flatten().map(String::as_str).collect();
    record.set("prs_SecondName", (!surnames.is_empty()).then(|| Value::Text(surnames.join(" "))));
    record.set("prs_Birthdate", birth.map(Value::Date));
    record.set("prs_IdentityNumber", document.clone().map(|(_, number)| Value::Text(number)));
    record.set("prs_Email", text(email));
    match phones.as_slice() {
        [] => {}
        [one] => record.set("prs_MobilePhone", Some(Value::Text(one.clone()))),
        [home, mobile, ..] => {
            record.set("prs_HomePhone", Some(Value::Text(home.clone())));
            record.set("prs_MobilePhone", Some(Value::Text(mobile.clone())));
        }
    }
    record.set("prs_MailingStreet", text(address));
    record.set("prs_Citizenship", codes(person.nationalities.clone()));
    record.set("prs_Title", text(&person.occupation));
    let mut languages = person.languages.iter();
    for name in ["prs_PrimaryLanguage", "prs_SecondaryLanguage"] {
        record.set(name, languages.next().map(|l| Value::Codes(vec![l.clone()])));
    }
    if *role == Role::Accused {
        // What makes a record that of a perpetrator, whoever reads it.
        record.set("per_RoleInProcess", codes(vec!["Other".to_owned()]));
    } else {
        let lists =
            OF_VICTIMS.iter().flat_map(|list| person.codes.of(list).iter().map(move |code| format!("{list}/{code}")));
        let forms = case.exploitation.iter().map(|code| format!("exploitation/{code}"));
        set_codes(&mut record, lists.chain(forms));
    }
    record
}

fn set_codes(record: &mut Record, said: impl Iterator<Item = String>) {
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for target in said.filter_map(|code| mapping().from.get(&code)).flatten() {
        let Some((field, code)) = target.split_once('/') else { continue };
        let list = Slot::of(field).and_then(Slot::field).and_then(|f| f.list.as_deref()).unwrap_or_default();
        found.entry(field).or_default().extend(standard().list(list).iter().position(|c| c.code == code));
    }
    for (name, mut places) in found {
        let Some(field) = Slot::of(name).and_then(Slot::field) else { continue };
        // Where the standard has one, the first one found is it.
        if field.kind == super::table::Kind::Code {
            places.truncate(1);
        }
        places.sort_unstable();
        places.dedup();
        let list = standard().list(field.list.as_deref().unwrap_or_default());
        let codes: Vec<String> = places.into_iter().filter_map(|p| list.get(p)).map(|c| c.code.clone()).collect();
        record.set(name, (!codes.is_empty()).then_some(Value::Codes(codes)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use crate::htcds::table::Kind;

    #[test]
    fn the_map_is_exhaustive_on_both_sides() {
        let (map, law) = (mapping(), Catalogue::embedded().unwrap());
        let fields: Vec<&str> = standard().fields().iter().map(|f| f.name.as_str()).collect();
        assert_eq!(map.places.len(), fields.len());
        assert!(fields.iter().all(|name| map.places.contains_key(*name)));
        let today = chrono::Utc::now().date_naive();
        let known = |code: &String| code.split_once('/').is_some_and(|(list, code)| law.has_code(list, code));
        assert!(map.to.values().flatten().all(known), "every target is a code of the registry");
        let fields = standard().fields().iter().filter(|f| matches!(f.kind, Kind::Code | Kind::Codes));
        for field in fields.filter(|f| map.places[&f.name] != "extension" && f.name != "cas_Status") {
            for code in standard().list(field.list.as_deref().unwrap()) {
                assert!(map.to.contains_key(&format!("{}/{}", field.name, code.code)), "{}/{}", field.name, code.code);
            }
        }
        for list in OF_VICTIMS.iter().chain(&["exploitation"]) {
            for code in &law.code_list(list, today).unwrap().codes {
                assert!(map.from.contains_key(&format!("{list}/{}", code.code)), "{list}/{}", code.code);
            }
        }
        assert!(map.from.values().flatten().all(|code| map.to.contains_key(code)), "every way back leads somewhere");
    }

    #[test]
    fn an_age_is_said_only_where_the_birth_leaves_no_doubt_that_matters() {
        let on = NaiveDate::from_ymd_opt(2026, 3, 14).unwrap();
        let of = |birth: &str| age(PartialDate::parse(birth).unwrap(), on);
        assert_eq!((of("2008-03-14"), of("2008-03-15"), of("2008-03"), of("2008")), (Some(18), Some(17), None, None));
        assert_eq!((of("1980"), of("2010"), of("2027"), of("1900")), (Some(45), Some(15), None, None));
    }

    #[test]
    fn two_surnames_are_two_and_a_particle_keeps_its_name_together() {
        let of = |text: &str| surnames(Some(text.to_owned()));
        let pair = |a: &str, b: Option<&str>| (Some(a.to_owned()), b.map(str::to_owned));
        assert_eq!(of("Quispe Mamani"), pair("Quispe", Some("Mamani")));
        assert_eq!(of("De Rojas"), pair("De Rojas", None));
        assert_eq!(of("de la Cruz Rojas"), pair("de la Cruz Rojas", None));
        assert_eq!(of("Quispe"), pair("Quispe", None));
    }
}
