//! The columns of a release, as dated data: names drift from year to year. Pure.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::row::Row;

/// The columns of a release.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// Its name: `ctdc-gsd-2024`.
    #[serde(rename = "profile")]
    pub name: String,
    /// The columns, by the names of 2024.
    pub columns: Vec<String>,
    /// What a column is called in this release.
    renamed: BTreeMap<String, String>,
}

/// Every profile.
pub fn all() -> Vec<Profile> {
    // A test reads them.
    serde_json::from_str(include_str!("data/profiles.json")).unwrap_or_default()
}

impl Profile {
    /// A profile by its name.
    pub fn named(name: &str) -> Option<Self> {
        all().into_iter().find(|p| p.name == name)
    }

    /// The head of the file.
    pub fn head(&self) -> Vec<String> {
        self.columns.iter().map(|c| self.renamed.get(c).unwrap_or(c).clone()).collect()
    }

    /// A row of the file.
    pub fn cells(&self, row: &Row) -> Vec<String> {
        self.columns.iter().map(|column| row.cell(column)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_the_27_columns_of_its_year() {
        let profiles = all();
        assert_eq!(profiles.iter().map(|p| p.name.as_str()).collect::<Vec<_>>(), ["ctdc-gsd-2024", "ctdc-gsd-2025"]);
        for profile in &profiles {
            let head = profile.head();
            assert_eq!(
                (head.len(), head[4].as_str(), head[26].as_str()),
                (27, "CountryOfExploitation", "recruiterRelationOther")
            );
        }
        assert_eq!(
            (profiles[0].head()[17].as_str(), profiles[1].head()[17].as_str()),
            ("sectorOfLabourAgriculture", "typeOfLabourAgriculture")
        );
    }
}
