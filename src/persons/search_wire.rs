//! Bodies of a search for persons, and what they ask.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::identity::read_document;
use super::index::{Form, Subject};
use super::names::{fold, fold_company, is_initial, telephone};
use super::search::{Candidate, HIGH};
use super::wire::DocumentInput;
use crate::catalogue::Catalogue;
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AccusedId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{Fault, FaultCode, Result};

/// Most bytes of a question.
pub const QUESTION_BYTES: usize = 16_384;
/// Most possible duplicates that a create tells of.
pub const MOST_DUPLICATES: usize = 5;
/// Most candidates of an answer.
pub const MOST: usize = 10;

/// Whom to look for: a document, a telephone, or at least two of surnames, given names and birth year.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"surnames": "Quispe Mamani", "given_names": "Rosa", "birth_year": 2004}))]
pub struct VictimSearch {
    /// A document.
    #[validate(nested)]
    pub document: Option<DocumentInput>,
    /// A telephone number; its last nine digits count.
    #[schema(value_type = Option<String>, min_length = 6, max_length = 40)]
    pub phone: Option<Pii<String>>,
    /// One or two surnames, in either order.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    pub surnames: Option<Pii<String>>,
    /// Given names.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    pub given_names: Option<Pii<String>>,
    /// Year of birth. One off counts less.
    #[validate(range(min = 1900, max = 2200))]
    #[schema(minimum = 1900, maximum = 2200)]
    pub birth_year: Option<i32>,
    /// Candidates, 1–10; 10 if absent.
    #[validate(range(min = 1, max = 10))]
    #[schema(minimum = 1, maximum = 10)]
    pub limit: Option<i32>,
}

/// Whom to look for: a document, a telephone, a company's name, or at least two of surnames, given names and birth year.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"surnames": "Huamán", "given_names": "Percy"}))]
pub struct AccusedSearch {
    /// A document.
    #[validate(nested)]
    pub document: Option<DocumentInput>,
    /// A telephone number; its last nine digits count.
    #[schema(value_type = Option<String>, min_length = 6, max_length = 40)]
    pub phone: Option<Pii<String>>,
    /// One or two surnames, in either order.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    pub surnames: Option<Pii<String>>,
    /// Given names.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    pub given_names: Option<Pii<String>>,
    /// Year of birth. One off counts less.
    #[validate(range(min = 1900, max = 2200))]
    #[schema(minimum = 1900, maximum = 2200)]
    pub birth_year: Option<i32>,
    /// Name of a legal person; its legal form does not count.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub legal_name: Option<Pii<String>>,
    /// Candidates, 1–10; 10 if absent.
    #[validate(range(min = 1, max = 10))]
    #[schema(minimum = 1, maximum = 10)]
    pub limit: Option<i32>,
}

impl From<VictimSearch> for AccusedSearch {
    fn from(search: VictimSearch) -> Self {
        let VictimSearch { document, phone, surnames, given_names, birth_year, limit } = search;
        Self { document, phone, surnames, given_names, birth_year, legal_name: None, limit }
    }
}

impl AccusedSearch {
    /// What is asked for and how many answers are wanted, or every fault.
    pub fn read(self, law: &Catalogue) -> Result<(Subject, usize)> {
        let Self { document, phone, surnames, given_names, birth_year, legal_name, limit } = self;
        let mut faults = Vec::new();
        let document = document.and_then(|d| read_document(d, law, "/document", &mut faults));
        let number = phone.as_ref().and_then(|p| telephone(&p.0));
        if phone.is_some() && number.is_none() {
            faults.push(Fault::body("/phone", FaultCode::MinLength));
        }
        let mut read = |name: &str, given: &Option<Pii<String>>, most: usize, fold: fn(&str) -> Vec<String>| {
            let Some(Pii(text)) = given else { return Vec::new() };
            let tokens = fold(text);
            if text.chars().count() > most {
                faults.push(Fault::body(format!("/{name}"), FaultCode::MaxLength));
            } else if tokens.iter().all(|t| is_initial(t)) {
                faults.push(Fault::body(format!("/{name}"), FaultCode::MinLength));
            }
            tokens
        };
        let surnames = read("surnames", &surnames, 120, fold);
        let given = read("given_names", &given_names, 120, fold);
        let company = read("legal_name", &legal_name, 200, fold_company);
        let subject = Subject {
            forms: vec![Form { given, surnames }],
            company,
            year: birth_year,
            documents: document.map(|d| (d.kind, d.country, d.normal_form.0)).into_iter().collect(),
            telephones: number.into_iter().collect(),
        };
        if faults.is_empty() && !enough(&subject) {
            // A surname alone would list a family, or a village.
            let missing = match subject.forms.first() {
                Some(form) if !form.surnames.is_empty() => "/given_names",
                Some(form) if !form.given.is_empty() || birth_year.is_some() => "/surnames",
                _ => "/document",
            };
            faults.push(Fault::body(missing, FaultCode::Required));
        }
        no_faults(faults)?;
        Ok((subject, limit.and_then(|l| usize::try_from(l).ok()).unwrap_or(MOST).min(MOST)))
    }
}

/// Whether a question says enough to be answered.
fn enough(subject: &Subject) -> bool {
    let form = subject.forms.first();
    let names = form.map_or(0, |f| usize::from(!f.surnames.is_empty()) + usize::from(!f.given.is_empty()));
    let whole = !subject.documents.is_empty() || !subject.telephones.is_empty() || !subject.company.is_empty();
    whole || names + usize::from(subject.year.is_some()) >= 2
}

/// A victim who may be the one. Who it is, the identity's own door tells.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VictimCandidate {
    /// The victim.
    pub victim_id: VictimId,
    /// Speakable reference.
    pub code: String,
    /// `high` or `medium`: code list `match_score`.
    pub match_score: String,
    /// Which keys matched: code list `match_key`. Never their values.
    pub matched_on: Vec<String>,
}

/// The victims who may be the one, the best first.
#[derive(Debug, Serialize, ToSchema)]
pub struct VictimSearchResult {
    /// The candidates.
    pub items: Vec<VictimCandidate>,
}

/// An accused who may be the one. Who it is, the identity's own door tells.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccusedCandidate {
    /// The accused.
    pub accused_id: AccusedId,
    /// Speakable reference.
    pub code: String,
    /// `high` or `medium`: code list `match_score`.
    pub match_score: String,
    /// Which keys matched: code list `match_key`. Never their values.
    pub matched_on: Vec<String>,
}

/// The accused who may be the one, the best first.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccusedSearchResult {
    /// The candidates.
    pub items: Vec<AccusedCandidate>,
}

fn told(candidate: &Candidate) -> (String, Vec<String>) {
    let score = if candidate.score >= HIGH { "high" } else { "medium" };
    (score.to_owned(), candidate.matched.iter().map(|m| m.code().to_owned()).collect())
}

impl VictimCandidate {
    /// A candidate as shown.
    pub fn new(candidate: &Candidate, code: String) -> Self {
        let (match_score, matched_on) = told(candidate);
        Self { victim_id: VictimId::from_uuid(candidate.person), code, match_score, matched_on }
    }
}

impl AccusedCandidate {
    /// A candidate as shown.
    pub fn new(candidate: &Candidate, code: String) -> Self {
        let (match_score, matched_on) = told(candidate);
        Self { accused_id: AccusedId::from_uuid(candidate.person), code, match_score, matched_on }
    }
}
