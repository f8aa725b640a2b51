//! Offences and their versions: the day of the facts decides which one applies. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Labels;

/// Whether an offence counts as trafficking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// It does.
    Core,
    /// Registered beside it, never counted as trafficking (smuggling of migrants).
    Adjacent,
}

/// An answer that the law gives, or that nobody has looked up yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Known {
    /// It does.
    Yes,
    /// It does not.
    No,
    /// Not looked up.
    Unknown,
}

/// An offence.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offence {
    /// Code, stable over renumbering.
    pub code: String,
    /// ASCII alias.
    pub alias: Option<String>,
    /// Core or adjacent.
    pub relation: Relation,
    /// Whether a case about it may end by agreement (terminación or conclusión anticipada).
    pub allows_early_termination: Known,
    /// Names.
    pub labels: Labels,
    /// Codes of the International Classification of Crime for Statistical Purposes.
    pub iccs: Vec<String>,
    /// False where these codes were not checked against the classification.
    pub iccs_verified: bool,
    /// Versions, oldest first.
    pub versions: Vec<OffenceVersion>,
}

/// A prison term, months.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Penalty {
    /// Least.
    pub min_months: u32,
    /// Most.
    pub max_months: u32,
}

/// The term of an enumerated list of aggravators.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Which list of the article.
    pub list: u32,
    /// Least, months.
    pub min_months: u32,
    /// Most, months.
    pub max_months: u32,
}

/// One inciso.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Aggravator {
    /// Article, list and inciso: `PE-CP-129-B.1.3`.
    pub code: String,
    /// What it is about, in the common vocabulary.
    pub circumstances: Vec<String>,
    /// Its list; none for results without a number.
    pub list: Option<u32>,
    /// False where no source was read.
    pub verified: bool,
}

/// An offence as it stood for some time.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OffenceVersion {
    /// Name of the version.
    pub version: String,
    /// The article's number then.
    pub article: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day on which the next version applied.
    pub valid_until: Option<NaiveDate>,
    /// Term of the basic form.
    pub base: Option<Penalty>,
    /// Terms of the aggravated forms.
    pub bands: Vec<Band>,
    /// Incisos.
    pub aggravators: Vec<Aggravator>,
    /// False where no source was read.
    pub verified: bool,
}

/// Why no version applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffenceFault {
    /// There is no such offence.
    Unknown,
    /// It was not an offence on that day.
    NotInForce {
        /// The first day on which it was.
        first_from: NaiveDate,
    },
}

impl OffenceVersion {
    /// Whether a text names the article; a version of two articles is named by either.
    pub fn is_article(&self, given: &str) -> bool {
        self.article.split(", ").any(|article| article.eq_ignore_ascii_case(given.trim()))
    }
}

impl Offence {
    /// The version on a day.
    pub fn version_on(&self, on: NaiveDate) -> Result<&OffenceVersion, OffenceFault> {
        self.versions.iter().find(|v| v.valid_from <= on && v.valid_until.is_none_or(|until| on < until)).ok_or_else(|| {
            match self.versions.first() {
                Some(first) => OffenceFault::NotInForce { first_from: first.valid_from },
                None => OffenceFault::Unknown,
            }
        })
    }

    /// Versions follow each other without overlap; incisos stand once, each in a list that has a term.
    pub(super) fn check(&self) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut before: Option<&OffenceVersion> = None;
        for (n, version) in self.versions.iter().enumerate() {
            if let Some(before) = before
                && before.valid_until.is_none_or(|until| until > version.valid_from)
            {
                faults.push((format!("/versions/{n}/valid_from"), "overlaps the version before".to_owned()));
            }
            if version.valid_until.is_some_and(|until| until <= version.valid_from) {
                faults.push((format!("/versions/{n}/valid_until"), "not after valid_from".to_owned()));
            }
            for (m, aggravator) in version.aggravators.iter().enumerate() {
                if version.aggravators.iter().take(m).any(|a| a.code == aggravator.code) {
                    faults.push((format!("/versions/{n}/aggravators/{m}/code"), "duplicate code".to_owned()));
                }
                if aggravator.list.is_some_and(|list| !version.bands.iter().any(|b| b.list == list)) {
                    faults.push((format!("/versions/{n}/aggravators/{m}/list"), "no band has this list".to_owned()));
                }
            }
            before = Some(version);
        }
        faults
    }
}
