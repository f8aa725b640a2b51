//! Bodies of the victim operations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::extensions::Extension;
use crate::kernel::ids::{BreakGlassId, CaseId, ClientId, ConsentId, EntryId, ReferralId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Field, PartialDate, Timestamp};
use crate::persons::search_wire::VictimCandidate;
use crate::persons::wire::{Contact, Document, DocumentInput};

/// A victim to add to a case: who, and what happened to her or him.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"sex": "female", "age_at_identification": 16, "nationalities": ["PE"],
    "acts": ["recruit", "transfer"], "purposes": ["sexual_exploitation"], "recruitment": "false_job"}))]
pub struct CaseVictimCreate {
    /// A name for this victim within this request only, for charges to point at.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub label: Option<String>,
    /// Code list `sex`; `unknown` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub sex: Option<String>,
    /// Code list `gender`; `not_asked` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub gender: Option<String>,
    /// Years of age when identified. Absent counts as a minor.
    #[validate(range(min = 0, max = 120))]
    #[serde(default)]
    #[schema(minimum = 0, maximum = 120)]
    pub age_at_identification: Option<i32>,
    /// ISO 3166-1 alpha-2.
    #[validate(length(max = 5))]
    #[serde(default)]
    #[schema(max_items = 5)]
    pub nationalities: Vec<String>,
    /// ISO 3166-1 alpha-2.
    #[validate(length(min = 2, max = 2))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 2)]
    pub country_of_birth: Option<String>,
    /// ISO 639.
    #[validate(length(max = 10))]
    #[serde(default)]
    #[schema(max_items = 10)]
    pub languages: Vec<String>,
    /// Code list `education`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub education: Option<String>,
    /// Code list `disability`; `not_asked` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub disability: Option<String>,
    /// Name of the indigenous people, as she or he says.
    #[validate(length(min = 1, max = 80))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 80)]
    pub indigenous_people: Option<String>,
    /// Code list `victim_status`; `presumed` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub status: Option<String>,
    /// What was done: code list `act`.
    #[validate(length(max = 10))]
    #[serde(default)]
    #[schema(max_items = 10)]
    pub acts: Vec<String>,
    /// How: code list `means`. At least one for an adult; may be empty for a minor (CP 129-A.3). `unknown`, alone, says that
    /// it is not known yet: enough to register somebody, not to accuse anybody (guard `elements_known`).
    #[validate(length(max = 12))]
    #[serde(default)]
    #[schema(max_items = 12)]
    pub means: Vec<String>,
    /// What for: code list `purpose`.
    #[validate(length(max = 12))]
    #[serde(default)]
    #[schema(max_items = 12)]
    pub purposes: Vec<String>,
    /// Code list `recruitment`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub recruitment: Option<String>,
    /// Code list `control`.
    #[validate(length(max = 10))]
    #[serde(default)]
    #[schema(max_items = 10)]
    pub control: Vec<String>,
    /// Names, documents and contacts, kept apart. Needs the scope `victims.identity:write`.
    #[validate(nested)]
    #[serde(default)]
    pub identity: Option<VictimIdentityInput>,
}

/// Who a person is.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"given_names": "Rosa", "paternal_surname": "Quispe", "maternal_surname": "Mamani",
    "birth_date": "2004-05", "contacts": [{"kind": "phone", "value": "+51 900 000 000", "safe": false}]}))]
pub struct VictimIdentityInput {
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
    /// Other names used.
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
    /// How to make contact without danger.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 1000)]
    #[serde(default)]
    pub safe_contact_instructions: Field<Pii<String>>,
    /// What another system says of the person and has no field here.
    #[schema(value_type = Option<Vec<Extension>>, max_items = 400)]
    #[serde(default)]
    pub extensions: Field<Vec<Extension>>,
}

/// Who a person is, as registered.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = VictimIdentity)]
pub struct VictimIdentityView {
    /// The victim.
    pub victim_id: VictimId,
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
    /// Other names used.
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
    /// How to make contact without danger.
    #[schema(required, value_type = Option<String>)]
    pub safe_contact_instructions: Option<Pii<String>>,
    /// What another system says of the person and has no field here.
    pub extensions: Vec<Extension>,
}

/// Changes to a victim (merge patch).
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"education": "secondary", "languages": ["qu", "es"]}))]
pub struct VictimPatch {
    /// Sex.
    #[serde(default)]
    pub sex: Field<String>,
    /// Gender.
    #[serde(default)]
    pub gender: Field<String>,
    /// Years of age when identified.
    #[serde(default)]
    pub age_at_identification: Field<i32>,
    /// Nationalities.
    #[serde(default)]
    pub nationalities: Field<Vec<String>>,
    /// Country of birth.
    #[serde(default)]
    pub country_of_birth: Field<String>,
    /// Languages.
    #[serde(default)]
    pub languages: Field<Vec<String>>,
    /// Education.
    #[serde(default)]
    pub education: Field<String>,
    /// Disability.
    #[serde(default)]
    pub disability: Field<String>,
    /// Indigenous people.
    #[serde(default)]
    pub indigenous_people: Field<String>,
}

/// A victim, pseudonymous.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Victim)]
pub struct VictimView {
    /// The victim.
    pub id: VictimId,
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
    /// Sex.
    pub sex: String,
    /// Gender.
    pub gender: String,
    /// Years of age when identified.
    #[schema(required)]
    pub age_at_identification: Option<i32>,
    /// Band of the age: code list `age_band`.
    pub age_band: String,
    /// Protected as a minor: under 18 when identified, or presumed so because the age is unknown, until somebody reviews it.
    pub minor: bool,
    /// Nationalities.
    pub nationalities: Vec<String>,
    /// Country of birth.
    #[schema(required)]
    pub country_of_birth: Option<String>,
    /// Languages.
    pub languages: Vec<String>,
    /// Education.
    #[schema(required)]
    pub education: Option<String>,
    /// Disability.
    pub disability: String,
    /// Indigenous people.
    #[schema(required)]
    pub indigenous_people: Option<String>,
    /// Since when a review has said that she or he, presumed a minor before, is of age; null where none has.
    #[schema(required)]
    pub of_age_since: Option<Timestamp>,
    /// The record that stands for this person, where two records were found to be one person's: what is shown here is that
    /// one's, and only that one is written to. Null of every other record.
    #[schema(required)]
    pub merged_into: Option<VictimId>,
    /// Pointers of what was withheld.
    pub redacted: Vec<String>,
}

/// A victim's part in a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseVictim)]
pub struct CaseVictimView {
    /// The case.
    pub case_id: CaseId,
    /// The victim.
    pub victim_id: VictimId,
    /// Version of the part.
    pub version: i64,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Status in this case.
    pub status: String,
    /// What was done.
    pub acts: Vec<String>,
    /// How.
    pub means: Vec<String>,
    /// What for.
    pub purposes: Vec<String>,
    /// Recruitment.
    #[schema(required)]
    pub recruitment: Option<String>,
    /// Control.
    pub control: Vec<String>,
    /// The victim.
    pub victim: VictimView,
}

/// A victim added to a case, and who else in the caller's sight it may be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseVictimCreated {
    /// What was added.
    #[serde(flatten)]
    pub added: CaseVictimView,
    /// Persons already registered who may be the same, the best first. They stop nothing.
    pub possible_duplicates: Vec<VictimCandidate>,
}

/// The victims of a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseVictimPage {
    /// The victims.
    pub items: Vec<CaseVictimView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Changes to a victim's part in a case (merge patch).
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"status": "recognised", "means": ["deception", "threat"]}))]
pub struct CaseVictimPatch {
    /// Status.
    #[serde(default)]
    pub status: Field<String>,
    /// What was done.
    #[serde(default)]
    pub acts: Field<Vec<String>>,
    /// How.
    #[serde(default)]
    pub means: Field<Vec<String>>,
    /// What for.
    #[serde(default)]
    pub purposes: Field<Vec<String>>,
    /// Recruitment.
    #[serde(default)]
    pub recruitment: Field<String>,
    /// Control.
    #[serde(default)]
    pub control: Field<Vec<String>>,
}

/// One look at a victim.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DisclosureLook {
    /// Ledger entry.
    pub id: EntryId,
    /// When.
    pub at: Timestamp,
    /// Who: agency.
    #[schema(required)]
    pub agency: Option<String>,
    /// Who: partner system.
    #[schema(required)]
    pub client_id: Option<ClientId>,
    /// Who: the person at its desk, as the agency calls her or him; told to that agency and to oversight.
    #[schema(required)]
    pub user: Option<String>,
    /// Why: code list `purpose_of_use`.
    #[schema(required)]
    pub purpose: Option<String>,
    /// What was shown: `victim`, `victim_identity`, `case_victim`, `victim_list`, `victim_consent`, `victim_care`, `victim_assistance`, `victim_disclosures`.
    pub what: String,
    /// The break-glass under which it was in sight; null where no glass had to be broken.
    #[schema(required)]
    pub break_glass_id: Option<BreakGlassId>,
}

/// An agency to which a victim was shown.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct DisclosureReceipt {
    /// Who.
    pub agency: AgencyCode,
    /// In which case.
    pub case_id: CaseId,
    /// Whether with the identity.
    pub identity: bool,
    /// Since when.
    pub from: Timestamp,
    /// Until when.
    #[schema(required)]
    pub until: Option<Timestamp>,
    /// Who let it in.
    pub granted_by: AgencyCode,
    /// The referral that let it in; null where the case's owner did.
    #[schema(required)]
    pub referral_id: Option<ReferralId>,
    /// Why: code list `purpose_of_use`; known of referrals.
    #[schema(required)]
    pub purpose: Option<String>,
    /// On what ground: code list `legal_basis`; known of referrals.
    #[schema(required)]
    pub legal_basis: Option<String>,
    /// The consent, where that is the ground.
    #[schema(required)]
    pub consent_id: Option<ConsentId>,
}

/// Who looked at a victim, who was let in, and why.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [{"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d14", "at": "2026-03-17T10:00:00.000Z",
    "agency": "PE-MIMP-INABIF", "client_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d15", "user": null, "purpose": "assistance",
    "what": "victim_identity", "break_glass_id": null}], "next_cursor": null, "received": [{"agency": "PE-MIMP-INABIF",
    "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "identity": true, "from": "2026-03-16T12:00:00.000Z", "until": null,
    "granted_by": "PE-MP-FISTRAP-LIMA", "referral_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d16", "purpose": "assistance",
    "legal_basis": "consent", "consent_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d13"}]}))]
pub struct DisclosureReport {
    /// Looks, oldest first.
    pub items: Vec<DisclosureLook>,
    /// Cursor of the next page of looks; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// Every agency that was let in, ended ones included.
    pub received: Vec<DisclosureReceipt>,
}
