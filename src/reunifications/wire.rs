//! Bodies of the reunification operations. Shapes only; rules are in `model.rs` and `states.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::states::{State, Trigger};
use crate::kernel::ids::{BeneficiaryId, ConsentId, ReunificationId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Day, Field, Timestamp};
use crate::programmes::Money;

/// A ticket of one relative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = TravelTicket, example = json!({"route": ["LIM", "MIA", "IAD"], "travels_on": "2012-08-14",
    "cost": {"amount_minor": 92000, "currency": "USD"}, "paid_by": "INT-IOM"}))]
pub struct Ticket {
    /// The way, by airport (IATA, three letters) or place (UBIGEO).
    #[schema(min_items = 2, max_items = 8)]
    pub route: Vec<String>,
    /// The day of the journey.
    pub travels_on: Day,
    /// What it costs.
    #[serde(default)]
    pub cost: Option<Money>,
    /// Who pays: an agency, or a government by its country (two letters).
    #[serde(default)]
    pub paid_by: Option<AgencyCode>,
}

/// Who travels with a minor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"kind": "agency_staff", "agency": "INT-IOM"}))]
pub struct Escort {
    /// Code list `escort_kind`.
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// Whose staff it is.
    #[serde(default)]
    pub agency: Option<AgencyCode>,
}

/// A relative who is to join the victim.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"relation": "child", "sex": "female", "age": 9, "visa": "us_t3"}))]
pub struct BeneficiaryCreate {
    /// What she or he is to the victim: code list `protected_relative`.
    #[schema(min_length = 1, max_length = 40)]
    pub relation: String,
    /// Code list `sex`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub sex: Option<String>,
    /// Age when it was asked for. Who has none counts as a minor.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 120)]
    pub age: Option<i32>,
    /// The status to apply for: code list `immigration_status`. None where no visa is needed.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub visa: Option<String>,
    /// Name. Personal data: needs the scope `victims.identity:write`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub name: Option<Pii<String>>,
    /// Who travels with her or him; a minor does not travel alone.
    #[serde(default)]
    pub escort: Option<Escort>,
    /// Reference of the determination of the child's best interest; a minor does not travel without one.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 60, pattern = "^[A-Za-z0-9._/-]{3,60}$")]
    pub best_interest: Option<String>,
    /// Tickets.
    #[serde(default)]
    #[schema(max_items = 5)]
    pub tickets: Vec<Ticket>,
}

/// Corrections of a relative (merge patch, RFC 7396). The state moves by transitions.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"escort": {"kind": "agency_staff", "agency": "INT-IOM"}, "best_interest": "IEN-3-2012",
    "tickets": [{"route": ["LIM", "MIA", "IAD"], "travels_on": "2012-08-14", "cost": {"amount_minor": 92000, "currency": "USD"}, "paid_by": "INT-IOM"}]}))]
pub struct BeneficiaryPatch {
    /// Code list `sex`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub sex: Field<String>,
    /// Age when it was asked for.
    #[serde(default)]
    #[schema(value_type = Option<i32>, minimum = 0, maximum = 120)]
    pub age: Field<i32>,
    /// The status to apply for.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub visa: Field<String>,
    /// Name. Personal data: needs the scope `victims.identity:write`.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub name: Field<Pii<String>>,
    /// Who travels with her or him.
    #[serde(default)]
    pub escort: Field<Escort>,
    /// Reference of the determination of the child's best interest.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 60, pattern = "^[A-Za-z0-9._/-]{3,60}$")]
    pub best_interest: Field<String>,
    /// Replaces the tickets.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Ticket>>, max_items = 5)]
    pub tickets: Field<Vec<Ticket>>,
}

/// A reunification to begin.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"country": "US", "host_status": "us_t1", "sponsor_agency": "INT-IOM", "legal_basis": "consent",
    "consent_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d13", "beneficiaries": [{"relation": "child", "age": 9, "visa": "us_t3"}]}))]
pub struct ReunificationCreate {
    /// The country in which they come together (ISO 3166-1 alpha-2).
    #[schema(min_length = 2, max_length = 2)]
    pub country: String,
    /// The victim's status there: code list `immigration_status`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub host_status: Option<String>,
    /// Who helps with visas and tickets. Another agency than the caller's learns of it, which takes a ground.
    #[serde(default)]
    pub sponsor_agency: Option<AgencyCode>,
    /// On what it rests: code list `legal_basis`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub legal_basis: Option<String>,
    /// The consent, where that is the basis: in force, for `assistance`.
    #[serde(default)]
    pub consent_id: Option<ConsentId>,
    /// What there is to know. No names.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub summary: Option<String>,
    /// Who is to join the victim.
    #[schema(min_items = 1, max_items = 20)]
    pub beneficiaries: Vec<BeneficiaryCreate>,
}

/// Corrections of a reunification (merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"host_status": "us_t1"}))]
pub struct ReunificationPatch {
    /// The victim's status in the country.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub host_status: Field<String>,
    /// Who helps with visas and tickets.
    #[serde(default)]
    pub sponsor_agency: Field<AgencyCode>,
    /// On what it rests.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub legal_basis: Field<String>,
    /// The consent, where that is the basis.
    #[serde(default)]
    pub consent_id: Field<ConsentId>,
    /// What there is to know. No names.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 2000)]
    pub summary: Field<String>,
}

/// A move of a relative.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "reunite", "effective_on": "2012-08-15"}))]
pub struct BeneficiaryTransitionCreate {
    /// What happens. `…/transitions/available` says what may.
    pub trigger: Trigger,
    /// Day from which it counts; today if absent.
    #[serde(default)]
    pub effective_on: Option<Day>,
    /// Why; required to close before they are reunited. No names.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// A relative who joins a victim.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Beneficiary, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d16", "relation": "child", "sex": "female",
    "age": 9, "minor": true, "visa": "us_t3", "state": "reunited", "name": null, "escort": {"kind": "agency_staff", "agency": "INT-IOM"},
    "best_interest": "IEN-3-2012", "tickets": [{"route": ["LIM", "MIA", "IAD"], "travels_on": "2012-08-14",
    "cost": {"amount_minor": 92000, "currency": "USD"}, "paid_by": "INT-IOM"}], "reunited_on": "2012-08-15"}))]
pub struct BeneficiaryView {
    /// The relative, within this reunification.
    pub id: BeneficiaryId,
    /// What she or he is to the victim.
    pub relation: String,
    /// Sex.
    #[schema(required)]
    pub sex: Option<String>,
    /// Age when it was asked for.
    #[schema(required)]
    pub age: Option<i32>,
    /// Whether the law presumes a minor.
    pub minor: bool,
    /// The status to apply for.
    #[schema(required)]
    pub visa: Option<String>,
    /// Code list `beneficiary_state`.
    #[schema(value_type = String)]
    pub state: State,
    /// Name; for those who see the victim's identity.
    #[schema(required, value_type = Option<String>)]
    pub name: Option<Pii<String>>,
    /// Who travels with her or him.
    #[schema(required)]
    pub escort: Option<Escort>,
    /// Reference of the determination of the child's best interest.
    #[schema(required)]
    pub best_interest: Option<String>,
    /// Tickets.
    pub tickets: Vec<Ticket>,
    /// The day on which they came together.
    #[schema(required)]
    pub reunited_on: Option<Day>,
}

/// A victim and the relatives who join her or him.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Reunification, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d15", "version": 9,
    "created_at": "2012-03-16T15:30:00.000Z", "updated_at": "2012-08-15T20:00:00.000Z",
    "created_by_agency": "PE-MP-FISTRAP-LIMA", "victim_id": "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12", "country": "US",
    "host_status": "us_t1", "sponsor_agency": "INT-IOM", "legal_basis": "consent",
    "consent_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d13", "summary": null, "beneficiaries": [{
    "id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d16", "relation": "child", "sex": "female", "age": 9, "minor": true,
    "visa": "us_t3", "state": "reunited", "name": null, "escort": {"kind": "agency_staff", "agency": "INT-IOM"},
    "best_interest": "IEN-3-2012", "tickets": [], "reunited_on": "2012-08-15"}], "redacted": ["#/beneficiaries/0/name"]}))]
pub struct ReunificationView {
    /// The record.
    pub id: ReunificationId,
    /// Version, +1 with every change of it or of a relative.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who registered it.
    pub created_by_agency: AgencyCode,
    /// Whom they join.
    pub victim_id: VictimId,
    /// The country in which they come together.
    pub country: String,
    /// The victim's status there.
    #[schema(required)]
    pub host_status: Option<String>,
    /// Who helps with visas and tickets.
    #[schema(required)]
    pub sponsor_agency: Option<AgencyCode>,
    /// On what it rests.
    #[schema(required)]
    pub legal_basis: Option<String>,
    /// The consent, where that is the basis.
    #[schema(required)]
    pub consent_id: Option<ConsentId>,
    /// What there is to know.
    #[schema(required)]
    pub summary: Option<String>,
    /// The relatives.
    pub beneficiaries: Vec<BeneficiaryView>,
    /// Pointers of what was withheld from this caller.
    pub redacted: Vec<String>,
}

/// How many there are in the whole list, not on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"reunifications": 6, "victims": 6, "persons": 6}))]
pub struct ReunificationTotals {
    /// Reunifications.
    pub reunifications: i64,
    /// Victims whom somebody joins, each once.
    pub victims: i64,
    /// Relatives who match, each once: with `reunited_in`, the persons reunited with a victim in that year.
    pub persons: i64,
}

/// A page of reunifications, and the totals of the whole list.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"items": [], "next_cursor": null, "totals": {"reunifications": 6, "victims": 6, "persons": 6}}))]
pub struct ReunificationPage {
    /// The reunifications.
    pub items: Vec<ReunificationView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// The totals of the list, over all its pages, of what the caller's desk holds.
    pub totals: ReunificationTotals,
}
