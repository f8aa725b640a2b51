//! Bodies of deconfliction.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::pii::Pii;
use crate::persons::search_wire::AccusedSearch;
use crate::persons::wire::DocumentInput;

/// Whom to ask about: a document, a telephone, a company's name, or at least two of surnames, given names and birth year.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields, default)]
#[schema(example = json!({"surnames": "Quispe Mamani", "given_names": "Rosa", "birth_year": 2004}))]
pub struct DeconflictionQuestion {
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
    /// Year of birth.
    #[validate(range(min = 1900, max = 2200))]
    #[schema(minimum = 1900, maximum = 2200)]
    pub birth_year: Option<i32>,
    /// Name of a legal person.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub legal_name: Option<Pii<String>>,
}

impl From<DeconflictionQuestion> for AccusedSearch {
    fn from(question: DeconflictionQuestion) -> Self {
        let DeconflictionQuestion { document, phone, surnames, given_names, birth_year, legal_name } = question;
        Self { document, phone, surnames, given_names, birth_year, legal_name, limit: None }
    }
}

/// Whether another agency knows the person, and nothing else: not who, not as what, not how many.
#[derive(Debug, Serialize, ToSchema)]
pub struct DeconflictionAnswer {
    /// Whether somebody who is most likely the same person is registered by another agency.
    #[serde(rename = "match")]
    pub found: bool,
}
