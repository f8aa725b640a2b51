//! The standard as data: fields, code lists, countries, what older versions said. Read once, from `data/`.
//!
//! Owns the table and the ways to find something in it. Must not know files, or what the registry holds.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::catalogue::Labels;

/// The version that is written.
pub const VERSION: &str = "2.0";

/// What a field can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One line of text.
    Text,
    /// Text of any length.
    Long,
    /// A telephone number.
    Phone,
    /// A date, as far as known.
    Date,
    /// A whole number.
    Number,
    /// Decimal degrees, as text.
    Decimal,
    /// Yes or no.
    Flag,
    /// One code of a list.
    Code,
    /// Any number of codes of a list.
    Codes,
    /// One country.
    Country,
    /// Any number of countries, the first one first.
    Countries,
    /// One language.
    Language,
}

/// What a field tells of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The case.
    Case,
    /// The consent.
    Consent,
    /// The person.
    Person,
    /// The person as a victim.
    Victim,
    /// The person as a perpetrator.
    Perpetrator,
    /// One of the things that happened.
    Event,
    /// One of the plans to support the person.
    SupportPlan,
    /// One of the times the case was referred on.
    OutgoingReferral,
    /// One of the comments on the case.
    Comment,
    /// One of the organisations concerned.
    Organisation,
}

impl Part {
    /// Every part, in the order of the profile.
    pub const ALL: [Self; 10] = [
        Self::Case,
        Self::Consent,
        Self::Person,
        Self::Victim,
        Self::Perpetrator,
        Self::Event,
        Self::SupportPlan,
        Self::OutgoingReferral,
        Self::Comment,
        Self::Organisation,
    ];

    /// Whether a record can have several of it.
    pub fn repeats(self) -> bool {
        matches!(self, Self::Event | Self::SupportPlan | Self::OutgoingReferral | Self::Comment | Self::Organisation)
    }

    /// Whether it belongs to the case and not to a person.
    pub fn of_case(self) -> bool {
        matches!(self, Self::Case | Self::OutgoingReferral | Self::Comment | Self::Organisation)
    }

    /// Its name in the JSON profile.
    pub fn member(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Consent => "consent",
            Self::Person => "person",
            Self::Victim => "victim",
            Self::Perpetrator => "perpetrator",
            Self::Event => "events",
            Self::SupportPlan => "support_plans",
            Self::OutgoingReferral => "outgoing_referrals",
            Self::Comment => "comments",
            Self::Organisation => "organisations",
        }
    }
}

/// A field of the standard.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its name, prefix included: `prs_FirstName`.
    pub name: String,
    /// What it tells of.
    pub part: Part,
    /// What it can hold.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its code list.
    #[serde(default)]
    pub list: Option<String>,
    /// Its place among the 38 columns of the official template, from 1.
    #[serde(default)]
    pub core: Option<u16>,
    /// Whether the standard advises against it.
    #[serde(default)]
    pub deprecated: bool,
    /// Labels; the English one is the standard's.
    pub labels: Labels,
    /// What it means.
    pub descriptions: Labels,
    /// Other names under which it is found.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// A code of a list.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// The standard's value name.
    pub code: String,
    /// Labels; the English one is the standard's.
    pub labels: Labels,
    /// Other spellings.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// A value of an older version.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Older {
    /// The old value.
    pub said: String,
    /// The values of today that come nearest.
    pub means: Vec<String>,
    /// Whether something is lost.
    pub lossy: bool,
}

/// A field of an older version that has no successor.
#[derive(Clone, Debug, Deserialize)]
pub struct Retired {
    /// Its name.
    pub name: String,
    /// The last version that had it.
    pub version: String,
}

#[derive(Debug, Deserialize)]
struct Document {
    fields: Vec<Field>,
    lists: HashMap<String, Vec<Code>>,
    beyond: HashMap<String, Vec<Code>>,
    older: HashMap<String, Vec<Older>>,
    retired: Vec<Retired>,
    case_keys: Vec<String>,
}

/// What a text means in a code list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// A code of the list: its place in it.
    Code(usize),
    /// A value of an older version: places in the list, and whether something is lost.
    Older(Vec<usize>, bool),
    /// Defined in the standard's guidance or asked for by its users, and absent from the list.
    Beyond,
}

/// The whole standard.
#[derive(Debug, Default)]
pub struct Standard {
    fields: Vec<Field>,
    lists: HashMap<String, Vec<Code>>,
    meanings: HashMap<String, HashMap<String, Meaning>>,
    names: HashMap<String, usize>,
    labels: HashMap<String, Vec<usize>>,
    retired: HashMap<String, String>,
    case_keys: Vec<String>,
    countries: HashMap<String, String>,
    alpha3: HashMap<String, String>,
}

static STANDARD: LazyLock<Standard> = LazyLock::new(|| {
    let document = serde_json::from_str(include_str!("data/htcds-2.0.json"));
    let countries = serde_json::from_str(include_str!("data/countries.json"));
    match (document, countries) {
        (Ok(document), Ok(countries)) => Standard::of(document, countries),
        // A test reads both: a program whose tables are broken is never released, and knows no field.
        _ => Standard::default(),
    }
});

/// The standard.
pub fn standard() -> &'static Standard {
    &STANDARD
}

/// A text without case, accents, spacing and signs: how names and labels are compared.
pub fn fold(text: &str) -> String {
    text.nfkd().filter(|c| !is_combining_mark(*c) && c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

impl Standard {
    fn of(document: Document, countries: Vec<Vec<String>>) -> Self {
        let Document { fields, lists, beyond, older, retired, case_keys } = document;
        let mut made = Self { case_keys: case_keys.iter().map(|k| fold(k)).collect(), ..Self::default() };
        for (index, field) in fields.iter().enumerate() {
            for name in std::iter::once(&field.name).chain(&field.aliases) {
                made.names.insert(fold(name), index);
            }
            let Labels { es, en, fr } = &field.labels;
            for label in [en, es, fr] {
                let known = made.labels.entry(fold(label)).or_default();
                if !known.contains(&index) {
                    known.push(index);
                }
            }
        }
        for (list, codes) in &lists {
            let meanings = made.meanings.entry(list.clone()).or_default();
            // Spellings of today go before those of yesterday.
            for old in older.get(list).into_iter().flatten() {
                let places = old.means.iter().filter_map(|m| codes.iter().position(|c| c.code == *m)).collect();
                meanings.insert(fold(&old.said), Meaning::Older(places, old.lossy));
            }
            for code in beyond.get(list).into_iter().flatten() {
                for text in spellings(code) {
                    meanings.insert(fold(text), Meaning::Beyond);
                }
            }
            for (place, code) in codes.iter().enumerate() {
                for text in spellings(code) {
                    meanings.insert(fold(text), Meaning::Code(place));
                }
            }
        }
        for row in &countries {
            if let [two, three, names @ ..] = row.as_slice() {
                for text in [two, three].into_iter().chain(names) {
                    made.countries.insert(fold(text), two.clone());
                }
                made.alpha3.insert(two.clone(), three.clone());
            }
        }
        made.retired = retired.into_iter().map(|r| (fold(&r.name), r.version)).collect();
        Self { fields, lists, ..made }
    }

    /// The fields, in the order of the files that are written: those of the template first.
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// A field by its place.
    pub fn field(&self, index: usize) -> Option<&Field> {
        self.fields.get(index)
    }

    /// The place of the field of a name.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == name)
    }

    /// The place of the field of a name, however it is spelt.
    pub fn named(&self, folded: &str) -> Option<usize> {
        self.names.get(folded).copied()
    }

    /// The places of the fields of a label, however it is spelt.
    pub fn labelled(&self, folded: &str) -> &[usize] {
        self.labels.get(folded).map_or(&[], Vec::as_slice)
    }

    /// The codes of a list.
    pub fn list(&self, name: &str) -> &[Code] {
        self.lists.get(name).map_or(&[], Vec::as_slice)
    }

    /// What a text means in a list, by name or label.
    pub fn meaning(&self, list: &str, folded: &str) -> Option<&Meaning> {
        self.meanings.get(list)?.get(folded)
    }

    /// The last version that had a field which has no successor.
    pub fn retired(&self, folded: &str) -> Option<&str> {
        self.retired.get(folded).map(String::as_str)
    }

    /// Whether a heading is one of those under which systems give the number of a case.
    pub fn is_case_key(&self, folded: &str) -> bool {
        self.case_keys.iter().any(|k| k == folded)
    }

    /// The country of a code or a name: ISO 3166-1 alpha-2.
    pub fn country(&self, folded: &str) -> Option<&str> {
        self.countries.get(folded).map(String::as_str)
    }

    /// ISO 3166-1 alpha-3 of an alpha-2 code.
    pub fn alpha3(&self, alpha2: &str) -> Option<&str> {
        self.alpha3.get(alpha2).map(String::as_str)
    }

    /// Every country, alpha-2, sorted.
    pub fn countries(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self.alpha3.keys().map(String::as_str).collect();
        all.sort_unstable();
        all
    }
}

fn spellings(code: &Code) -> impl Iterator<Item = &String> {
    let Labels { es, en, fr } = &code.labels;
    [&code.code, en, es, fr].into_iter().chain(&code.aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_standard_field_by_field() {
        let all = standard();
        assert_eq!(all.fields().len(), 84);
        let core: Vec<&str> = {
            let mut core: Vec<&Field> = all.fields().iter().filter(|f| f.core.is_some()).collect();
            core.sort_by_key(|f| f.core);
            core.iter().map(|f| f.name.as_str()).collect()
        };
        assert_eq!(
            (core.len(), core[0], core[12], core[37]),
            (38, "cas_CaseOwner", "prs_MailingStreet", "cas_ReasonForCaseClosure")
        );
        assert_eq!(all.fields().iter().filter(|f| f.deprecated).count(), 3);
        let sizes =
            [("control", 16), ("exploitation", 11), ("industry", 21), ("apps", 15), ("role", 15), ("vulnerability", 12)];
        for (list, size) in sizes {
            assert_eq!(all.list(list).len(), size, "{list}");
        }
        for field in all.fields() {
            assert_eq!(field.list.is_some(), matches!(field.kind, Kind::Code | Kind::Codes), "{}", field.name);
            assert!(field.list.as_ref().is_none_or(|l| !all.list(l).is_empty()), "{}", field.name);
            assert_eq!(all.named(&fold(&field.name)).map(|i| &all.fields()[i].name), Some(&field.name));
        }
        assert_eq!(all.countries().len(), 249);
    }

    #[test]
    fn names_and_labels_are_found_however_they_are_spelt() {
        let all = standard();
        let name = |text: &str| all.named(&fold(text)).map(|i| all.fields()[i].name.as_str());
        assert_eq!(name("prs_First_Name"), Some("prs_FirstName"));
        assert_eq!(name(" VIC_TRAFFICKINSTATUSDECISIONMAKINGORG "), Some("vic_TraffickingStatusDecisionMakingOrg"));
        let labels =
            |text: &str| all.labelled(&fold(text)).iter().map(|i| all.fields()[*i].name.as_str()).collect::<Vec<_>>();
        assert_eq!(labels("mailing zip / POSTAL code"), ["prs_MailingPostalCode"]);
        assert_eq!(labels("GENERO"), ["prs_Gender"]);
        assert_eq!(labels("Longitude"), ["prs_MailingLongitude", "hte_Longitude", "org_ShippingLongitude"]);
        for (text, code) in
            [("peru", "PE"), ("PER", "PE"), ("Côte d’Ivoire", "CI"), ("Bolivia (Plurinational State of)", "BO")]
        {
            assert_eq!(all.country(&fold(text)), Some(code), "{text}");
        }
        assert_eq!(all.meaning("relationship", "unacquainted"), Some(&Meaning::Code(2)));
        assert_eq!(all.meaning("control", &fold("Debt bondage ")), Some(&Meaning::Code(3)));
        assert_eq!(all.meaning("control", "restrictsmovement"), Some(&Meaning::Beyond));
        assert_eq!(all.meaning("exploitation", "illicitactivities"), Some(&Meaning::Older(vec![10], true)));
    }

    #[test]
    fn no_spelling_means_two_things() {
        let all = standard();
        let mut seen: HashMap<(String, String), String> = HashMap::new();
        for (list, codes) in &all.lists {
            for code in codes {
                for text in spellings(code) {
                    let before = seen.insert((list.clone(), fold(text)), code.code.clone());
                    assert!(before.is_none_or(|b| b == code.code), "{list}: {text}");
                }
            }
        }
    }
}
