//! A victim as a row: what the registry's pseudonymous record says, in the words of the file. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::htcds::table::standard;

/// What is known of a victim, over all of her or his cases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Year of registration.
    pub year: i32,
    /// Code list `gender`.
    pub gender: String,
    /// Code list `sex`: where nobody asked for gender.
    pub sex: String,
    /// Years of age when identified.
    pub age: Option<i32>,
    /// ISO 3166-1 alpha-2, the first one.
    pub citizenship: Option<String>,
    /// ISO 3166-1 alpha-2.
    pub country_of_exploitation: Option<String>,
    /// How long it lasted, in months.
    pub months: Option<u32>,
    /// Codes as `list/code`: `means`, `control`, `purpose`, `recruitment`, `exploitation`.
    pub codes: BTreeSet<String>,
}

/// The columns by which somebody could be found, the least needed first: that is the order in which they are given up.
pub const QUASI: [&str; 6] =
    ["traffickMonths", "CountryOfExploitation", "citizenship", "yearOfRegistration", "ageBroad", "gender"];

/// A row: values by column. A column that is not there is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row(BTreeMap<&'static str, String>);

/// Columns that say `1` if one of the registry's codes is there.
const FLAGS: [(&str, &[&str]); 17] = [
    ("meansDebtBondageEarnings", &["control/debt_bondage"]),
    ("meansThreats", &["means/threat", "control/threats_family"]),
    ("meansAbusePsyPhySex", &["means/violence"]),
    ("meansFalsePromises", &["means/fraud", "means/deception"]),
    ("meansDenyBasicNeeds", &["means/deprivation_of_liberty", "control/isolation"]),
    ("meansWithholdDocs", &["control/document_retention"]),
    (
        "isForcedLabour",
        &["purpose/forced_labour", "purpose/labour_exploitation", "purpose/servitude", "purpose/slavery", "purpose/begging"],
    ),
    ("isSexualExploit", &["purpose/sexual_exploitation", "purpose/prostitution"]),
    ("isOtherExploit", &["purpose/child_sale", "purpose/organ_removal", "purpose/other_analogous"]),
    (
        "sectorOfLabourAgriculture",
        &["exploitation/labour_agriculture", "exploitation/labour_forestry", "exploitation/labour_fishing"],
    ),
    ("sectorOfLabourDomesticWork", &["exploitation/domestic_servitude"]),
    ("sectorOfLabourHospitality", &["exploitation/labour_food_service"]),
    ("sectorOfSexProstitution", &["purpose/prostitution"]),
    ("recruiterRelationIntimatePartner", &["recruitment/partner"]),
    ("recruiterRelationFriend", &["recruitment/acquaintance"]),
    ("recruiterRelationFamily", &["recruitment/family_sale"]),
    (
        "recruiterRelationOther",
        &["recruitment/false_job", "recruitment/online", "recruitment/agency", "recruitment/kidnapping"],
    ),
];

impl Row {
    /// The row of a victim.
    pub fn of(known: &Known) -> Self {
        let mut row = BTreeMap::new();
        row.insert("yearOfRegistration", known.year.to_string());
        let gender = match known.gender.as_str() {
            "woman" => "Woman",
            "man" => "Man",
            "trans_woman" | "trans_man" | "non_binary" | "other" => "Trans/Transgender/NonConforming",
            // Nobody asked: what is registered is the sex.
            "not_asked" if known.sex == "female" => "Woman",
            "not_asked" if known.sex == "male" => "Man",
            _ => "",
        };
        row.insert("gender", gender.to_owned());
        row.insert("ageBroad", known.age.map_or("", age_band).to_owned());
        let alpha3 = |code: &Option<String>| code.as_ref().and_then(|c| standard().alpha3(c)).unwrap_or_default().to_owned();
        row.insert("citizenship", alpha3(&known.citizenship));
        row.insert("CountryOfExploitation", alpha3(&known.country_of_exploitation));
        let months = match known.months {
            None => "",
            Some(..=12) => "0--12 (0-1 yr)",
            Some(13..=24) => "13--24 (1-2 yrs)",
            Some(25..) => "25+ (2+ yrs)",
        };
        row.insert("traffickMonths", months.to_owned());
        for (column, codes) in FLAGS {
            if codes.iter().any(|code| known.codes.contains(*code)) {
                row.insert(column, "1".to_owned());
            }
        }
        row.retain(|_, value| !value.is_empty());
        Self(row)
    }

    /// The value of a column; empty where nothing is said.
    pub fn cell(&self, column: &str) -> String {
        self.0.get(column).cloned().unwrap_or_default()
    }

    /// The value of a column.
    pub fn get(&self, column: &str) -> Option<&str> {
        self.0.get(column).map(String::as_str)
    }

    /// Takes a value away.
    pub fn blank(&mut self, column: &str) {
        self.0.remove(column);
    }

    /// A row of these values, for tests of what is done with rows.
    pub fn with(values: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        Self(values.into_iter().filter(|(_, value)| !value.is_empty()).collect())
    }
}

fn age_band(age: i32) -> &'static str {
    match age {
        ..=8 => "0--8",
        9..=17 => "9--17",
        18..=20 => "18--20",
        21..=23 => "21--23",
        24..=26 => "24--26",
        27..=29 => "27--29",
        30..=38 => "30--38",
        39..=47 => "39--47",
        48.. => "48+",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;

    #[test]
    fn a_victim_is_said_in_the_words_of_the_file() {
        let codes = ["control/debt_bondage", "means/threat", "purpose/prostitution", "recruitment/online"];
        let known = Known {
            year: 2026,
            gender: "not_asked".into(),
            sex: "female".into(),
            age: Some(17),
            citizenship: Some("BO".into()),
            country_of_exploitation: Some("PE".into()),
            months: Some(13),
            codes: codes.map(str::to_owned).into(),
        };
        let row = Row::of(&known);
        for (column, value) in [
            ("yearOfRegistration", "2026"),
            ("gender", "Woman"),
            ("ageBroad", "9--17"),
            ("citizenship", "BOL"),
            ("CountryOfExploitation", "PER"),
            ("traffickMonths", "13--24 (1-2 yrs)"),
            ("meansDebtBondageEarnings", "1"),
            ("meansThreats", "1"),
            ("isSexualExploit", "1"),
            ("sectorOfSexProstitution", "1"),
            ("recruiterRelationOther", "1"),
            ("isForcedLabour", ""),
            ("meansDrugsAlcohol", ""),
        ] {
            assert_eq!(row.cell(column), value, "{column}");
        }
        let silent = Row::of(&Known { year: 2026, gender: "refused".into(), sex: "female".into(), ..Known::default() });
        assert_eq!(silent.cell("gender"), "", "who does not want to say is not said");
    }

    #[test]
    fn every_code_of_the_columns_is_one_of_the_registry() {
        let law = Catalogue::embedded().unwrap();
        for code in FLAGS.iter().flat_map(|(_, codes)| *codes) {
            let (list, code) = code.split_once('/').unwrap();
            assert!(law.has_code(list, code), "{list}/{code}");
        }
    }
}
