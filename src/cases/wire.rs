//! Bodies of the case operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::accused::wire::{AccusedCreate, AccusedPage};
use crate::charges::verdicts::VerdictInput;
use crate::charges::wire::{ChargePage, InlineChargeCreate};
use crate::extensions::Extension;
use crate::kernel::ids::{AccusedId, CaseId, ChargeId, ParticipantId, ReferralId, VictimId};
use crate::kernel::{AgencyCode, Day, Field, PartialDate, Timestamp};
use crate::persons::search_wire::{AccusedCandidate, VictimCandidate};
use crate::transitions::LegalAct;
use crate::victims::wire::{CaseVictimCreate, CaseVictimPage};

/// A file number as an authority gave it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"scheme": "PE-CARPETA", "value": "506014501-2021-590-0"}))]
pub struct IdentifierInput {
    /// Numbering scheme: `PE-CARPETA`, `PE-EXPEDIENTE`, `PE-DENUNCIA-PNP` …
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub scheme: String,
    /// The number, as written on the file.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    pub value: String,
    /// Who gave it, where the scheme alone does not say (a police station).
    #[validate(length(min = 1, max = 60))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 60)]
    pub issuer: Option<String>,
}

/// A file number as registered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Identifier {
    /// Numbering scheme.
    pub scheme: String,
    /// As given.
    pub value: String,
    /// In the scheme's normal form: unique per scheme and issuer.
    pub normal_form: String,
    /// Who gave it.
    #[schema(required)]
    pub issuer: Option<String>,
}

/// A case to register, with its victims, accused and charges: all or nothing.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "title": "Captación con oferta falsa de empleo en Puerto Maldonado",
    "reported_at": "2026-03-14T15:30:00.000Z",
    "report_channel": "police",
    "facts_from": "2026-01",
    "territory": "170101",
    "scope": "internal",
    "exploitation": ["sexual_adult"],
    "victims": [{"label": "v1", "sex": "female", "age_at_identification": 22, "nationalities": ["PE"],
        "acts": ["recruit", "transport"], "means": ["deception"], "purposes": ["sexual_exploitation"]}],
    "accused": [{"label": "a1", "kind": "natural_person", "sex": "male"}],
    "charges": [{"accused": "a1", "offence_code": "PE-CP-129-A", "role": "author", "victims": ["v1"]}]
}))]
pub struct CaseCreate {
    /// The caller's own key for the case, unique within its agency.
    #[validate(length(min = 1, max = 100))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 100)]
    pub external_ref: Option<String>,
    /// File numbers.
    #[validate(length(max = 20), nested)]
    #[serde(default)]
    #[schema(max_items = 20)]
    pub identifiers: Vec<IdentifierInput>,
    /// Whose law: ISO 3166-1 alpha-2. `PE` if absent.
    #[validate(length(min = 2, max = 2))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 2)]
    pub jurisdiction: Option<String>,
    /// Code of procedure, `NCPP2004` if absent.
    #[validate(length(min = 1, max = 20))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 20)]
    pub procedural_code: Option<String>,
    /// Short title without names.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200)]
    pub title: String,
    /// What is said to have happened.
    #[validate(length(min = 1, max = 10_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 10000)]
    pub summary: Option<String>,
    /// When the authority learnt of it.
    pub reported_at: Timestamp,
    /// How: code list `report_channel`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub report_channel: String,
    /// First day of the facts, as far as known.
    #[serde(default)]
    pub facts_from: Option<PartialDate>,
    /// Whether `facts_from` was guessed.
    #[serde(default)]
    pub facts_from_estimated: bool,
    /// Last day of the facts, as far as known.
    #[serde(default)]
    pub facts_to: Option<PartialDate>,
    /// Whether `facts_to` was guessed.
    #[serde(default)]
    pub facts_to_estimated: bool,
    /// Where: UBIGEO (INEI), 2, 4 or 6 digits.
    #[validate(length(min = 2, max = 6))]
    #[serde(default)]
    #[schema(min_length = 2, max_length = 6)]
    pub territory: Option<String>,
    /// Reach: code list `scope`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub scope: Option<String>,
    /// Forms of exploitation: code list `exploitation`.
    #[validate(length(max = 20))]
    #[serde(default)]
    #[schema(max_items = 20)]
    pub exploitation: Vec<String>,
    /// Code list `complexity`; `simple` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub complexity: Option<String>,
    /// What another system says of the case and has no field here.
    #[serde(default)]
    #[schema(max_items = 400)]
    pub extensions: Vec<Extension>,
    /// Persons harmed.
    #[validate(length(max = 200), nested)]
    #[serde(default)]
    #[schema(max_items = 200)]
    pub victims: Vec<CaseVictimCreate>,
    /// Persons suspected.
    #[validate(length(max = 200), nested)]
    #[serde(default)]
    #[schema(max_items = 200)]
    pub accused: Vec<AccusedCreate>,
    /// Charges; they name accused and victims of this request by their labels.
    #[validate(length(max = 200), nested)]
    #[serde(default)]
    #[schema(max_items = 200)]
    pub charges: Vec<InlineChargeCreate>,
}

/// Changes to a case (merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"summary": null, "territory": "150101"}))]
pub struct CasePatch {
    /// Replaces all file numbers.
    #[serde(default)]
    pub identifiers: Field<Vec<IdentifierInput>>,
    /// Short title.
    #[serde(default)]
    pub title: Field<String>,
    /// What is said to have happened.
    #[serde(default)]
    pub summary: Field<String>,
    /// When the authority learnt of it.
    #[serde(default)]
    pub reported_at: Field<Timestamp>,
    /// How.
    #[serde(default)]
    pub report_channel: Field<String>,
    /// First day of the facts.
    #[serde(default)]
    pub facts_from: Field<PartialDate>,
    /// Whether it was guessed.
    #[serde(default)]
    pub facts_from_estimated: Field<bool>,
    /// Last day of the facts.
    #[serde(default)]
    pub facts_to: Field<PartialDate>,
    /// Whether it was guessed.
    #[serde(default)]
    pub facts_to_estimated: Field<bool>,
    /// Where.
    #[serde(default)]
    pub territory: Field<String>,
    /// Reach.
    #[serde(default)]
    pub scope: Field<String>,
    /// Replaces all forms of exploitation.
    #[serde(default)]
    pub exploitation: Field<Vec<String>>,
    /// Complexity.
    #[serde(default)]
    pub complexity: Field<String>,
    /// Replaces all extensions.
    #[serde(default)]
    pub extensions: Field<Vec<Extension>>,
}

/// A case as the caller may see it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CaseRecord)]
pub struct CaseView {
    /// The case.
    pub id: CaseId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who registered it.
    pub created_by_agency: AgencyCode,
    /// Whose it is.
    pub owner_agency: AgencyCode,
    /// Speakable reference.
    pub code: String,
    /// The owner's own key; absent for others.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub external_ref: Option<Option<String>>,
    /// File numbers; absent where not granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub identifiers: Option<Vec<Identifier>>,
    /// Whose law.
    pub jurisdiction: String,
    /// Code of procedure.
    pub procedural_code: String,
    /// Procedural stage, from the jurisdiction's profile.
    pub stage: String,
    /// The day from which the terms of the stage run.
    pub stage_since: Day,
    /// Complexity.
    pub complexity: String,
    /// Short title; absent where not granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub title: Option<String>,
    /// Summary; absent where not granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub summary: Option<Option<String>>,
    /// When the authority learnt of it.
    pub reported_at: Timestamp,
    /// How.
    pub report_channel: String,
    /// First day of the facts.
    #[schema(required)]
    pub facts_from: Option<PartialDate>,
    /// Whether it was guessed.
    pub facts_from_estimated: bool,
    /// Last day of the facts.
    #[schema(required)]
    pub facts_to: Option<PartialDate>,
    /// Whether it was guessed.
    pub facts_to_estimated: bool,
    /// Where: UBIGEO.
    #[schema(required)]
    pub territory: Option<String>,
    /// Reach.
    #[schema(required)]
    pub scope: Option<String>,
    /// Forms of exploitation.
    pub exploitation: Vec<String>,
    /// What another system says of the case and has no field here; absent where not granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub extensions: Option<Vec<Extension>>,
    /// The file that this one was split or transferred from.
    #[schema(required)]
    pub continues: Option<CaseId>,
    /// The file in which this one goes on, where it was joined or transferred.
    #[schema(required)]
    pub continued_in: Option<CaseId>,
    /// Files that were joined to this one.
    pub joined_from: Vec<CaseId>,
    /// Files that were split from this one.
    pub split_into: Vec<CaseId>,
    /// Since when the case is restricted: nobody but its owner and oversight is let in, and nothing of it is referred or
    /// exported; null where it is not.
    #[schema(required)]
    pub restricted_since: Option<Timestamp>,
    /// Pointers of what was withheld from this caller.
    pub redacted: Vec<String>,
}

/// A case with what `expand=` asked for beside it.
#[derive(Debug, Serialize, ToSchema)]
pub struct CaseExpanded {
    /// The case.
    #[serde(flatten)]
    pub case: CaseView,
    /// Its first 50 victims, with `expand=victims`; the cursor continues at the case's own list.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub victims: Option<CaseVictimPage>,
    /// Its first 50 accused, with `expand=accused`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub accused: Option<AccusedPage>,
    /// Its first 50 charges, with `expand=charges`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(required = false)]
    pub charges: Option<ChargePage>,
}

/// A case that was opened, and who else in the caller's sight its persons may be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct CaseOpened {
    /// The case.
    #[serde(flatten)]
    pub opened: CaseView,
    /// Persons registered already who may be the same. They stop nothing.
    pub possible_duplicates: CaseDuplicates,
}

/// Persons registered already who may be those of a case. Every person of the case of whom a name, a document or a telephone
/// is known is looked for.
#[derive(Clone, Debug, Default, Serialize, ToSchema)]
pub struct CaseDuplicates {
    /// Victims of the case who may be known, each with whom she or he may be.
    pub victims: Vec<VictimDuplicates>,
    /// Accused of the case who may be known, each with whom they may be.
    pub accused: Vec<AccusedDuplicates>,
}

/// A victim of the case, and who it may be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct VictimDuplicates {
    /// The victim of this case.
    pub victim_id: VictimId,
    /// Who it may be, the best first.
    pub candidates: Vec<VictimCandidate>,
}

/// An accused of the case, and who it may be.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct AccusedDuplicates {
    /// The accused of this case.
    pub accused_id: AccusedId,
    /// Who it may be, the best first.
    pub candidates: Vec<AccusedCandidate>,
}

/// A page of cases.
#[derive(Debug, Serialize, ToSchema)]
pub struct CasePage {
    /// The cases.
    pub items: Vec<CaseView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Order of a list of cases.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaseSort {
    /// Last changed first.
    #[default]
    UpdatedDesc,
    /// First changed first.
    UpdatedAsc,
    /// Last reported first.
    ReportedDesc,
    /// First reported first.
    ReportedAsc,
}

impl std::str::FromStr for CaseSort {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        match text {
            "-updated_at" => Ok(Self::UpdatedDesc),
            "updated_at" => Ok(Self::UpdatedAsc),
            "-reported_at" => Ok(Self::ReportedDesc),
            "reported_at" => Ok(Self::ReportedAsc),
            _ => Err(()),
        }
    }
}

/// A procedural act that moves a case to another stage.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "open_inquiry", "effective_on": "2026-03-15",
    "legal_act": {"type": "disposicion", "number": "01-2026", "date": "2026-03-15"}}))]
pub struct CaseTransitionCreate {
    /// Trigger of the jurisdiction's profile.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    pub trigger: String,
    /// Whose act it is: code list `actor`; the first one that the profile names if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub actor: Option<String>,
    /// The act on which it rests.
    #[validate(nested)]
    #[serde(default)]
    pub legal_act: Option<LegalAct>,
    /// Day from which it counts; today, where the law is, if absent. Not before the stage began, not after today.
    #[serde(default)]
    pub effective_on: Option<Day>,
    /// Why.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
    /// The charges that it covers, where the act can cover some of them; all if absent.
    #[validate(length(max = 200))]
    #[serde(default)]
    #[schema(max_items = 200)]
    pub charges: Option<Vec<ChargeId>>,
    /// A judgment's verdicts, one per charge.
    #[validate(length(max = 200), nested)]
    #[serde(default)]
    #[schema(max_items = 200)]
    pub verdicts: Vec<VerdictInput>,
    /// `join`: the file of the same agency in which this one goes on.
    #[serde(default)]
    pub into_case_id: Option<CaseId>,
    /// `transfer`: the agency with which the file goes on.
    #[serde(default)]
    pub to_agency: Option<AgencyCode>,
    /// `split`: the accused who go on in a file of their own, with their charges.
    #[validate(length(max = 200))]
    #[serde(default)]
    #[schema(max_items = 200)]
    pub accused: Vec<AccusedId>,
}

/// An agency to let into a case by decision of its owner.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"agency": "PE-PNP-DIRCTPTIM", "role": "investigation_support", "sections": ["identifiers", "victims", "accused", "charges"]}))]
pub struct ParticipantCreate {
    /// The agency.
    pub agency: AgencyCode,
    /// Its part: code list `participant_role`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub role: String,
    /// What it sees: code list `section`.
    #[validate(length(min = 1, max = 10))]
    #[schema(min_items = 1, max_items = 10)]
    pub sections: Vec<String>,
    /// The only victims that it sees; all if absent.
    #[validate(length(min = 1, max = 200))]
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    pub victims: Option<Vec<VictimId>>,
}

/// An agency that shares a case.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ParticipantView {
    /// The participation.
    pub id: ParticipantId,
    /// Version.
    pub version: i64,
    /// The agency.
    pub agency: AgencyCode,
    /// Its part.
    pub role: String,
    /// What it sees.
    pub sections: Vec<String>,
    /// The only victims that it sees; null for all.
    #[schema(required)]
    pub victims: Option<Vec<VictimId>>,
    /// The referral that granted it; null for a decision of the owner.
    #[schema(required)]
    pub referral_id: Option<ReferralId>,
    /// Since when.
    pub granted_at: Timestamp,
    /// Until when; null while it lasts.
    #[schema(required)]
    pub ended_at: Option<Timestamp>,
    /// Who granted it.
    pub created_by_agency: AgencyCode,
}

/// The agencies that share a case.
#[derive(Debug, Serialize, ToSchema)]
pub struct ParticipantPage {
    /// The participations, ended ones included.
    pub items: Vec<ParticipantView>,
    /// Always null: a case has few.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Ends a participation.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "end", "reason": "El apoyo concluyó."}))]
pub struct ParticipantTransitionCreate {
    /// `end`.
    pub trigger: ParticipantTrigger,
    /// Why.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// What can happen to a participation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantTrigger {
    /// It ends now.
    End,
}
