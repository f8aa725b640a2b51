//! Bodies of the campaign operations. Shapes only; rules are in `model.rs` and `states.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::states::Trigger;
use crate::kernel::ids::CampaignId;
use crate::kernel::{AgencyCode, Day, Field, Timestamp};

/// What a campaign says in one language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"language": "es", "text": "El Perú unido contra la trata de personas"}))]
pub struct Slogan {
    /// Language (ISO 639).
    #[schema(min_length = 2, max_length = 3)]
    pub language: String,
    /// The words.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 300)]
    pub text: String,
}

/// Where a campaign is seen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampaignVenue, example = json!({"place_code": "LIM", "kind": "airport", "territory": "070101", "name": "Aeropuerto Jorge Chávez"}))]
pub struct Venue {
    /// Names it within the campaign, and is the airport's IATA code where it is one.
    #[schema(min_length = 2, max_length = 20, pattern = "^[A-Z0-9-]{2,20}$")]
    pub place_code: String,
    /// Code list `venue_kind`.
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// Where: UBIGEO code.
    #[serde(default)]
    #[schema(min_length = 2, max_length = 6)]
    pub territory: Option<String>,
    /// Its name.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub name: Option<String>,
}

/// A part of a campaign in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampaignPhase, example = json!({"name": "Primera fase", "starts_on": "2012-09-01", "ends_on": "2012-11-30", "venues": ["LIM"], "goal": null}))]
pub struct Phase {
    /// What it is called.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 120)]
    pub name: String,
    /// First day.
    pub starts_on: Day,
    /// Last day; null while it has none.
    #[serde(default)]
    pub ends_on: Option<Day>,
    /// Place codes of the venues at which it is seen; all of them if empty.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub venues: Vec<String>,
    /// To what end.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 1000)]
    pub goal: Option<String>,
}

/// How many persons a channel reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CampaignReach, example = json!({"channel": "screen", "persons": 1200000, "as_of": "2012-11-30"}))]
pub struct Reach {
    /// Code list `campaign_channel`; one of the campaign's.
    #[schema(min_length = 1, max_length = 40)]
    pub channel: String,
    /// Persons reached, as counted or estimated. Channels reach the same persons: they are not added up.
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    pub persons: i64,
    /// The day of the figure.
    pub as_of: Day,
}

/// A campaign to plan.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "El Perú unido contra la trata de personas",
    "slogans": [{"language": "es", "text": "El Perú unido contra la trata de personas"}], "organisers": ["INT-IOM", "PE-MP"], "funders": ["INT-IOM"],
    "venues": [{"place_code": "LIM", "kind": "airport", "territory": "070101", "name": "Aeropuerto Jorge Chávez"}],
    "phases": [{"name": "Primera fase", "starts_on": "2012-09-01", "ends_on": "2012-11-30", "venues": ["LIM"]}], "channels": ["poster", "screen"]}))]
pub struct CampaignCreate {
    /// Its name.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// What it says, each language once.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub slogans: Vec<Slogan>,
    /// Agencies that hold it.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub organisers: Vec<AgencyCode>,
    /// Who pays: agencies, and governments by their country (two letters).
    #[serde(default)]
    #[schema(max_items = 20)]
    pub funders: Vec<AgencyCode>,
    /// Where it is seen, each place code once.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub venues: Vec<Venue>,
    /// Its parts, in order of their first day. Two that are seen at one venue do not overlap.
    #[serde(default)]
    #[schema(max_items = 50)]
    pub phases: Vec<Phase>,
    /// Code list `campaign_channel`.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub channels: Vec<String>,
    /// For whom.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 300)]
    pub audience: Option<String>,
    /// The number that it tells people to call.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub hotline: Option<String>,
    /// Whom it reached.
    #[serde(default)]
    #[schema(max_items = 100)]
    pub reach: Vec<Reach>,
}

/// Corrections of a campaign (merge patch, RFC 7396). Its state moves by transitions.
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"reach": [{"channel": "screen", "persons": 1200000, "as_of": "2012-11-30"}]}))]
pub struct CampaignPatch {
    /// Its name.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 200)]
    pub name: Field<String>,
    /// Replaces the slogans.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Slogan>>, max_items = 50)]
    pub slogans: Field<Vec<Slogan>>,
    /// Replaces the organisers.
    #[serde(default)]
    #[schema(value_type = Option<Vec<AgencyCode>>, max_items = 20)]
    pub organisers: Field<Vec<AgencyCode>>,
    /// Replaces the funders.
    #[serde(default)]
    #[schema(value_type = Option<Vec<AgencyCode>>, max_items = 20)]
    pub funders: Field<Vec<AgencyCode>>,
    /// Replaces the venues.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Venue>>, max_items = 50)]
    pub venues: Field<Vec<Venue>>,
    /// Replaces the phases.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Phase>>, max_items = 50)]
    pub phases: Field<Vec<Phase>>,
    /// Replaces the channels.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 10)]
    pub channels: Field<Vec<String>>,
    /// For whom.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 300)]
    pub audience: Field<String>,
    /// The number that it tells people to call.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 40)]
    pub hotline: Field<String>,
    /// Replaces the figures of reach.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Reach>>, max_items = 100)]
    pub reach: Field<Vec<Reach>>,
}

/// A move of a campaign.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "start", "effective_on": "2012-09-01"}))]
pub struct CampaignTransitionCreate {
    /// What happens. `…/transitions/available` says what may.
    pub trigger: Trigger,
    /// Day from which it counts; today if absent.
    #[serde(default)]
    pub effective_on: Option<Day>,
    /// What it achieved; required to `evaluate`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 4000)]
    pub evaluation: Option<String>,
    /// Why; required to `pause`.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
}

/// A campaign.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Campaign, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d17", "version": 2,
    "created_at": "2012-08-16T15:30:00.000Z", "updated_at": "2012-09-01T15:30:00.000Z", "owner_agency": "INT-IOM",
    "state": "running", "name": "El Perú unido contra la trata de personas",
    "slogans": [{"language": "es", "text": "El Perú unido contra la trata de personas"}], "organisers": ["INT-IOM"], "funders": ["INT-IOM"],
    "venues": [{"place_code": "LIM", "kind": "airport", "territory": "070101", "name": "Aeropuerto Jorge Chávez"}],
    "phases": [{"name": "Primera fase", "starts_on": "2012-09-01", "ends_on": "2012-11-30", "venues": ["LIM"], "goal": null}],
    "channels": ["poster", "screen"], "audience": null, "hotline": null, "reach": [], "started_on": "2012-09-01",
    "completed_on": null, "evaluation": null}))]
pub struct CampaignView {
    /// The campaign.
    pub id: CampaignId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Whose it is.
    pub owner_agency: AgencyCode,
    /// Code list `campaign_state`.
    pub state: String,
    /// Its name.
    pub name: String,
    /// What it says.
    pub slogans: Vec<Slogan>,
    /// Agencies that hold it.
    pub organisers: Vec<AgencyCode>,
    /// Who pays.
    pub funders: Vec<AgencyCode>,
    /// Where it is seen.
    pub venues: Vec<Venue>,
    /// Its parts.
    pub phases: Vec<Phase>,
    /// How it is seen and heard.
    pub channels: Vec<String>,
    /// For whom.
    #[schema(required)]
    pub audience: Option<String>,
    /// The number that it tells people to call.
    #[schema(required)]
    pub hotline: Option<String>,
    /// Whom it reached.
    pub reach: Vec<Reach>,
    /// The day on which it began.
    #[schema(required)]
    pub started_on: Option<Day>,
    /// The day on which it ended.
    #[schema(required)]
    pub completed_on: Option<Day>,
    /// What it achieved.
    #[schema(required)]
    pub evaluation: Option<String>,
}

/// A page of campaigns.
#[derive(Debug, Serialize, ToSchema)]
pub struct CampaignPage {
    /// The campaigns.
    pub items: Vec<CampaignView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}
