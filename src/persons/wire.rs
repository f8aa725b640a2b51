//! Bodies that say who a person is, the same for victims and accused.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::pii::Pii;

/// An identity document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"type": "national_id", "country": "PE", "number": "10117410-2"}))]
pub struct DocumentInput {
    /// Code list `document_type`.
    #[serde(rename = "type")]
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// Who issued it: ISO 3166-1 alpha-2.
    #[validate(length(min = 2, max = 2))]
    #[schema(min_length = 2, max_length = 2)]
    pub country: String,
    /// The number as printed.
    #[schema(value_type = String, min_length = 1, max_length = 40)]
    pub number: Pii<String>,
}

/// A way to reach a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Contact {
    /// `phone`, `email` or `other`.
    pub kind: ContactKind,
    /// The number or address.
    #[schema(value_type = String, min_length = 1, max_length = 200)]
    pub value: Pii<String>,
    /// Whether using it puts nobody in danger.
    pub safe: bool,
}

/// Kinds of contact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ContactKind {
    /// Telephone.
    Phone,
    /// Electronic mail.
    Email,
    /// Anything else.
    Other,
}

/// A document as registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Document {
    /// Code list `document_type`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Who issued it.
    pub country: String,
    /// As given.
    #[schema(value_type = String)]
    pub number: Pii<String>,
    /// In the scheme's normal form.
    #[schema(value_type = String)]
    pub normal_form: Pii<String>,
}
