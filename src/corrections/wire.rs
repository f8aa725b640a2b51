//! Bodies of the correction operations. Shapes only; rules are in `model.rs`.

use std::fmt;

use serde::de::{DeserializeOwned, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;
use validator::{Validate, ValidationErrors};

use crate::accused::wire::AccusedPatch;
use crate::cases::wire::CasePatch;
use crate::charges::wire::ChargePatch;
use crate::http::strict;
use crate::kernel::ids::{AccusedId, CaseId, ChargeId, CorrectionId, VictimId};
use crate::kernel::{AgencyCode, Timestamp};
use crate::victims::wire::VictimPatch;

/// A patch, read by its type, and kept as it was written: it is applied later.
#[derive(Clone, Debug)]
pub struct Patched<T> {
    /// As written.
    pub raw: Map<String, Value>,
    /// As read.
    pub typed: T,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Patched<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = deserializer.deserialize_map(Members)?;
        let typed = strict::read(&Value::Object(raw.clone()).to_string()).map_err(D::Error::custom)?;
        Ok(Self { raw, typed })
    }
}

impl<T: Serialize> Serialize for Patched<T> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

impl<T: Validate> Validate for Patched<T> {
    fn validate(&self) -> Result<(), ValidationErrors> {
        self.typed.validate()
    }
}

/// The members of an object, each name once.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, value)) = access.next_entry::<String, Value>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("duplicate field"));
            }
        }
        Ok(members)
    }
}

/// What should stand in a case.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"patch": {"territory": "170102"}}))]
pub struct CaseCorrection {
    /// The changes, as the case's owner would make them.
    #[validate(nested)]
    #[schema(value_type = CasePatch)]
    pub patch: Patched<CasePatch>,
}

/// What should stand in a victim's record.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"victim_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "patch": {"age_at_identification": 16}}))]
pub struct VictimCorrection {
    /// The victim, of the case named beside it.
    pub victim_id: VictimId,
    /// The changes.
    #[validate(nested)]
    #[schema(value_type = VictimPatch)]
    pub patch: Patched<VictimPatch>,
}

/// What should stand in the record of an accused.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"accused_id": "d55715fc-54ad-4eed-a190-c144cc2d8a18", "patch": {"sex": "male"}}))]
pub struct AccusedCorrection {
    /// The accused, of the case named beside it.
    pub accused_id: AccusedId,
    /// The changes.
    #[validate(nested)]
    #[schema(value_type = AccusedPatch)]
    pub patch: Patched<AccusedPatch>,
}

/// What should stand in a charge.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"charge_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d31", "patch": {"role": "promoter"}}))]
pub struct ChargeCorrection {
    /// The charge, of the case named beside it.
    pub charge_id: ChargeId,
    /// The changes.
    #[validate(nested)]
    #[schema(value_type = ChargePatch)]
    pub patch: Patched<ChargePatch>,
}

/// A correction to propose: exactly one of `case`, `victim`, `accused` and `charge`.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "case": {"patch": {"territory": "170102"}},
    "reason": "El local estaba en Inambari.", "evidence": "Acta de intervención 14, folio 3."}))]
pub struct CorrectionCreate {
    /// The case in which the record is seen; its owner decides.
    pub case_id: CaseId,
    /// Of the case itself.
    #[validate(nested)]
    #[serde(default)]
    pub case: Option<CaseCorrection>,
    /// Of a victim.
    #[validate(nested)]
    #[serde(default)]
    pub victim: Option<VictimCorrection>,
    /// Of an accused.
    #[validate(nested)]
    #[serde(default)]
    pub accused: Option<AccusedCorrection>,
    /// Of a charge.
    #[validate(nested)]
    #[serde(default)]
    pub charge: Option<ChargeCorrection>,
    /// Why.
    #[validate(length(min = 1, max = 2_000))]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: String,
    /// By what it is shown: words, or where a document is kept.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub evidence: Option<String>,
}

/// What can be done to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = CorrectionTrigger)]
pub enum Trigger {
    /// The owner makes the change.
    Accept,
    /// The owner does not.
    Reject,
    /// The proposer takes it back.
    Withdraw,
}

/// An answer to a proposal, or its withdrawal.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "accept", "record_version": 3}))]
pub struct CorrectionTransitionCreate {
    /// The owner may `accept` and `reject`, the proposer `withdraw`.
    pub trigger: Trigger,
    /// The version of the record that the owner looked at; required to accept, and refused where it is no longer the one.
    #[validate(range(min = 1))]
    #[serde(default)]
    #[schema(minimum = 1)]
    pub record_version: Option<i64>,
    /// Why; required to reject.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// A proposal to correct a record.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = CorrectionRecord, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d41", "version": 1,
    "created_at": "2026-03-16T09:00:00.000Z", "updated_at": "2026-03-16T09:00:00.000Z", "created_by_agency": "PE-PNP",
    "owner_agency": "PE-MP-FISTRAP-LIMA", "state": "proposed", "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11",
    "record_type": "case", "record_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "record_version": 2,
    "patch": {"territory": "170102"}, "reason": "El local estaba en Inambari.", "evidence": null, "answer": null,
    "decided_at": null, "applied_version": null}))]
pub struct CorrectionView {
    /// The proposal.
    pub id: CorrectionId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who made it.
    pub created_by_agency: AgencyCode,
    /// Who decides: the owner of the case.
    pub owner_agency: AgencyCode,
    /// `proposed`, `accepted`, `rejected` or `withdrawn`.
    pub state: &'static str,
    /// The case in which the record was seen.
    pub case_id: CaseId,
    /// `case`, `victim`, `accused` or `charge`.
    pub record_type: &'static str,
    /// The record.
    pub record_id: String,
    /// The record's version when the proposal was made.
    pub record_version: i64,
    /// The changes (merge patch, RFC 7396); null where the person was erased.
    #[schema(required, value_type = Option<Object>)]
    pub patch: Option<Map<String, Value>>,
    /// Why.
    #[schema(required)]
    pub reason: Option<String>,
    /// By what it is shown.
    #[schema(required)]
    pub evidence: Option<String>,
    /// The owner's words.
    #[schema(required)]
    pub answer: Option<String>,
    /// When it was accepted, rejected or withdrawn.
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
    /// The record's version after it was applied.
    #[schema(required)]
    pub applied_version: Option<i64>,
}

/// A page of proposals.
#[derive(Debug, Serialize, ToSchema)]
pub struct CorrectionPage {
    /// The proposals.
    pub items: Vec<CorrectionView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
