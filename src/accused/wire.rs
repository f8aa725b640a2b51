//! Bodies of the accused operations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::extensions::Extension;
use crate::kernel::ids::AccusedId;
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Field, PartialDate, Timestamp};
use crate::persons::search_wire::AccusedCandidate;
use crate::persons::wire::{Contact, Document, DocumentInput};

/// A suspect to register in a case.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "natural_person", "sex": "male", "nationalities": ["PE"]}))]
pub struct AccusedCreate {
    /// A name for this person within this request only, for charges to point at.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub label: Option<String>,
    /// Code list `accused_kind`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// Code list `sex`; `unknown` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub sex: Option<String>,
    /// Code list `age_band`; `unknown` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub age_band: Option<String>,
    /// ISO 3166-1 alpha-2.
    #[validate(length(max = 5))]
    #[serde(default)]
    #[schema(max_items = 5)]
    pub nationalities: Vec<String>,
    /// Trade or profession.
    #[validate(length(min = 1, max = 120))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    pub occupation: Option<String>,
    /// Names, documents and contacts, kept apart. Needs the scope `accused.identity:write`.
    #[validate(nested)]
    #[serde(default)]
    pub identity: Option<AccusedIdentityInput>,
}

/// Changes to an accused (merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "natural_person", "occupation": "transportista"}))]
pub struct AccusedPatch {
    /// Kind. Somebody unidentified may become known; it cannot be cleared.
    #[serde(default)]
    pub kind: Field<String>,
    /// Sex; null puts it back to `unknown`.
    #[serde(default)]
    pub sex: Field<String>,
    /// Age band; null puts it back to `unknown`.
    #[serde(default)]
    pub age_band: Field<String>,
    /// Replaces the nationalities.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub nationalities: Field<Vec<String>>,
    /// Trade or profession.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    pub occupation: Field<String>,
}

/// Who an accused person is. A natural person has names, a legal person a registered name.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"given_names": "Percy", "paternal_surname": "Huamán", "other_names": ["El Chato"],
    "documents": [{"type": "national_id", "country": "PE", "number": "10117410-2"}]}))]
pub struct AccusedIdentityInput {
    /// Given names.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    #[serde(default)]
    pub given_names: Field<Pii<String>>,
    /// First surname.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    #[serde(default)]
    pub paternal_surname: Field<Pii<String>>,
    /// Second surname.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 120)]
    #[serde(default)]
    pub maternal_surname: Field<Pii<String>>,
    /// Registered name of a legal person.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    #[serde(default)]
    pub legal_name: Field<Pii<String>>,
    /// Aliases.
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    #[serde(default)]
    pub other_names: Field<Vec<Pii<String>>>,
    /// Birth, as far as known.
    #[schema(value_type = Option<PartialDate>)]
    #[serde(default)]
    pub birth_date: Field<Pii<PartialDate>>,
    /// Documents.
    #[schema(value_type = Option<Vec<DocumentInput>>, max_items = 10)]
    #[serde(default)]
    pub documents: Field<Vec<DocumentInput>>,
    /// Ways to reach the person.
    #[schema(value_type = Option<Vec<Contact>>, max_items = 10)]
    #[serde(default)]
    pub contacts: Field<Vec<Contact>>,
    /// Where the person lives.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 300)]
    #[serde(default)]
    pub address: Field<Pii<String>>,
    /// What another system says of the person and has no field here.
    #[schema(value_type = Option<Vec<Extension>>, max_items = 400)]
    #[serde(default)]
    pub extensions: Field<Vec<Extension>>,
}

/// Who an accused person is, as registered.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AccusedIdentity)]
pub struct AccusedIdentityView {
    /// The accused.
    pub accused_id: AccusedId,
    /// Version of the identity.
    pub version: i64,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Given names.
    #[schema(required, value_type = Option<String>)]
    pub given_names: Option<Pii<String>>,
    /// First surname.
    #[schema(required, value_type = Option<String>)]
    pub paternal_surname: Option<Pii<String>>,
    /// Second surname.
    #[schema(required, value_type = Option<String>)]
    pub maternal_surname: Option<Pii<String>>,
    /// Registered name of a legal person.
    #[schema(required, value_type = Option<String>)]
    pub legal_name: Option<Pii<String>>,
    /// Aliases.
    #[schema(value_type = Vec<String>)]
    pub other_names: Vec<Pii<String>>,
    /// Birth.
    #[schema(required, value_type = Option<PartialDate>)]
    pub birth_date: Option<Pii<PartialDate>>,
    /// Documents.
    pub documents: Vec<Document>,
    /// Ways to reach the person.
    pub contacts: Vec<Contact>,
    /// Where the person lives.
    #[schema(required, value_type = Option<String>)]
    pub address: Option<Pii<String>>,
    /// What another system says of the person and has no field here.
    pub extensions: Vec<Extension>,
}

/// A suspect or defendant, pseudonymous.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Accused)]
pub struct AccusedView {
    /// The accused.
    pub id: AccusedId,
    /// Version.
    pub version: i64,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
    /// Who registered her or him.
    pub created_by_agency: AgencyCode,
    /// Speakable reference.
    pub code: String,
    /// Natural or legal person, or not identified.
    pub kind: String,
    /// Sex.
    pub sex: String,
    /// Age band.
    pub age_band: String,
    /// Nationalities.
    pub nationalities: Vec<String>,
    /// Trade or profession.
    #[schema(required)]
    pub occupation: Option<String>,
    /// The record that stands for this person, where two records were found to be one person's: what is shown here is that
    /// one's, and only that one is written to. Null of every other record.
    #[schema(required)]
    pub merged_into: Option<AccusedId>,
}

/// An accused added to a case, and who else in the caller's sight it may be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccusedCreated {
    /// What was added.
    #[serde(flatten)]
    pub added: AccusedView,
    /// Persons already registered who may be the same, the best first. They stop nothing.
    pub possible_duplicates: Vec<AccusedCandidate>,
}

/// The accused of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct AccusedPage {
    /// The accused.
    pub items: Vec<AccusedView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
