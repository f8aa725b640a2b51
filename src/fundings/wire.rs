//! Bodies of the funding operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::kernel::ids::{FundingId, ResourceId};
use crate::kernel::{AgencyCode, Field, Timestamp};
use crate::programmes::Money;

/// Something that the money paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = FundingUseInput, example = json!({"kind": "training", "resource_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d18", "amount_minor": 1500000}))]
pub struct UseInput {
    /// Code list `funding_use`: `campaign`, `training`, `assistance` or `reunification`.
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// The campaign, training, assistance or reunification; the caller must see it.
    pub resource_id: ResourceId,
    /// How much of it, in the funding's currency.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub amount_minor: i64,
}

/// A funding to register.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"donor": "CA", "year": 2012, "amount": {"amount_minor": 25000000, "currency": "CAD"},
    "project": "Fortalecimiento de capacidades contra la trata de personas"}))]
pub struct FundingCreate {
    /// Who gave it: an agency, or a government by its country (two letters).
    pub donor: AgencyCode,
    /// For which year.
    #[schema(minimum = 1900, maximum = 2200)]
    pub year: i16,
    /// How much.
    pub amount: Money,
    /// For which project.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub project: Option<String>,
    /// What it paid for; together not more than there is.
    #[serde(default)]
    #[schema(max_items = 500)]
    pub uses: Vec<UseInput>,
}

/// Corrections of a funding (merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"project": "Fortalecimiento de capacidades"}))]
pub struct FundingPatch {
    /// Who gave it.
    #[serde(default)]
    pub donor: Field<AgencyCode>,
    /// For which year.
    #[serde(default)]
    #[schema(value_type = Option<i16>, minimum = 1900, maximum = 2200)]
    pub year: Field<i16>,
    /// How much.
    #[serde(default)]
    pub amount: Field<Money>,
    /// For which project.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub project: Field<String>,
    /// Replaces what it paid for.
    #[serde(default)]
    #[schema(value_type = Option<Vec<UseInput>>, max_items = 500)]
    pub uses: Field<Vec<UseInput>>,
}

/// Something that the money paid for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = FundingUse, example = json!({"kind": "training", "resource_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d18", "amount_minor": 1500000}))]
pub struct UseView {
    /// Code list `funding_use`.
    pub kind: String,
    /// What; of help to one person for the funding's owner only.
    #[schema(required)]
    pub resource_id: Option<ResourceId>,
    /// How much of it, in the funding's currency.
    pub amount_minor: i64,
}

/// A funding.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Funding, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d19", "version": 1,
    "created_at": "2012-02-16T15:30:00.000Z", "updated_at": "2012-02-16T15:30:00.000Z", "owner_agency": "INT-IOM", "donor": "CA",
    "year": 2012, "amount": {"amount_minor": 25000000, "currency": "CAD"}, "project": "Fortalecimiento de capacidades",
    "uses": [{"kind": "training", "resource_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d18", "amount_minor": 1500000}],
    "allocated_minor": 1500000, "unallocated_minor": 23500000, "redacted": []}))]
pub struct FundingView {
    /// The funding.
    pub id: FundingId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whose record it is.
    pub owner_agency: AgencyCode,
    /// Who gave it.
    pub donor: AgencyCode,
    /// For which year.
    pub year: i16,
    /// How much.
    pub amount: Money,
    /// For which project.
    #[schema(required)]
    pub project: Option<String>,
    /// What it paid for.
    pub uses: Vec<UseView>,
    /// How much is used, computed.
    pub allocated_minor: i64,
    /// How much is left, computed.
    pub unallocated_minor: i64,
    /// Pointers of what was withheld from this caller.
    pub redacted: Vec<String>,
}

/// What one donor gave for one year in one currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"donor": "CA", "year": 2012, "currency": "CAD", "fundings": 1, "amount_minor": 25000000, "allocated_minor": 1500000}))]
pub struct FundingSum {
    /// Who gave it.
    pub donor: AgencyCode,
    /// For which year.
    pub year: i16,
    /// In which currency (ISO 4217). Sums never cross currencies.
    pub currency: String,
    /// How many fundings.
    pub fundings: i64,
    /// The sum; null where it is larger than 2^53 − 1 minor units.
    #[schema(required)]
    pub amount_minor: Option<i64>,
    /// How much of it is used; null likewise.
    #[schema(required)]
    pub allocated_minor: Option<i64>,
}

/// A page of fundings, and the sums of the whole list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [], "next_cursor": null, "totals": [{"donor": "CA", "year": 2012, "currency": "CAD", "fundings": 1,
    "amount_minor": 25000000, "allocated_minor": 1500000}]}))]
pub struct FundingPage {
    /// The fundings.
    pub items: Vec<FundingView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// The sums of the list, over all its pages: by donor, year and currency.
    pub totals: Vec<FundingSum>,
}
