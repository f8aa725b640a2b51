//! Bodies of the making of releases. Shapes only.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use validator::Validate;

use super::open_data::{OpenDataCube, OpenDataManifest};
use super::proposal::{Proposal, Trigger};
use super::release::Draft;
use crate::kernel::ids::{ReleaseId, ReleaseProposalId};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};

/// A release to propose.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(as = StatisticsReleaseCreate, example = json!({"period": "2025"}))]
pub struct ReleaseCreate {
    /// A period that is over and after every released one: `2025`, `2025-H1`, `2025-Q3` or `2025-03`.
    #[validate(length(min = 4, max = 7))]
    #[schema(min_length = 4, max_length = 7)]
    pub period: String,
}

/// What can happen to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReleaseTrigger)]
pub enum ReleaseTrigger {
    /// A second person agrees: it is published at once.
    Approve,
    /// A second person does not.
    Reject,
    /// Whoever proposed it does so no more.
    Withdraw,
}

impl From<ReleaseTrigger> for Trigger {
    fn from(trigger: ReleaseTrigger) -> Self {
        match trigger {
            ReleaseTrigger::Approve => Self::Approve,
            ReleaseTrigger::Reject => Self::Reject,
            ReleaseTrigger::Withdraw => Self::Withdraw,
        }
    }
}

impl ReleaseTrigger {
    /// The scope that it needs.
    pub fn scope(self) -> &'static str {
        Trigger::from(self).scope()
    }
}

/// A decision about a proposal.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "approve"}))]
pub struct ReleaseTransitionCreate {
    /// What happens.
    pub trigger: ReleaseTrigger,
    /// Why not; required to reject: code list `release_refusal`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub refusal: Option<String>,
}

/// A proposal of a release, and what became of it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReleaseProposal, example = json!({"id": "0193580e-6d1c-7000-9c37-4b1f0a6f2d1b", "version": 2, "created_at": "2026-03-30T09:00:00.000Z",
    "updated_at": "2026-03-31T12:00:00.000Z", "release": "2025", "state": "approved", "proposed_by": "PE-DP", "position": 5120, "skipped": 0,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "decided_by": "PE-MININTER-DGSD", "decided_at": "2026-03-31T12:00:00.000Z",
    "refusal": null, "release_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "href": "/v1/open-data/releases/2025"}))]
pub struct ReleaseProposalView {
    /// The proposal.
    pub id: ReleaseProposalId,
    /// Version.
    pub version: i64,
    /// When it was proposed.
    pub created_at: Timestamp,
    /// When it was decided.
    pub updated_at: Timestamp,
    /// The period: the name of the release.
    #[schema(max_length = 7)]
    pub release: String,
    /// `proposed`, `approved`, `rejected`, `withdrawn` (code list `release_state`).
    #[schema(max_length = 20)]
    pub state: String,
    /// Who proposed it; null for the operator.
    #[schema(required)]
    pub proposed_by: Option<AgencyCode>,
    /// Entries of the record that are in it.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub position: i64,
    /// Cases that could not be read.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub skipped: u64,
    /// SHA-256 of the manifest as previewed, hex.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: String,
    /// Who decided.
    #[schema(required)]
    pub decided_by: Option<AgencyCode>,
    /// When.
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
    /// Why not.
    #[schema(required, max_length = 40)]
    pub refusal: Option<String>,
    /// What was published.
    #[schema(required)]
    pub release_id: Option<ReleaseId>,
    /// Where everybody reads it; null before.
    #[schema(required, max_length = 200)]
    pub href: Option<String>,
}

impl ReleaseProposalView {
    /// Of a proposal.
    pub fn of(proposal: &Proposal) -> Self {
        let Proposal { id, version, period, state, as_of, sha256, agency, client: _, detail, created_at, updated_at } =
            proposal.clone();
        Self {
            id,
            version,
            created_at,
            updated_at,
            state: state.as_str().to_owned(),
            proposed_by: agency,
            position: as_of.position,
            skipped: as_of.skipped,
            sha256,
            decided_by: detail.decided_by,
            decided_at: detail.decided_at,
            refusal: detail.refusal,
            release_id: detail.release,
            href: detail.release.map(|_| format!("/v1/open-data/releases/{period}")),
            release: period,
        }
    }
}

/// A page of proposals.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReleaseProposalPage {
    /// The proposals.
    pub items: Vec<ReleaseProposalView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What a proposed release would show.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "manifest": {"release": "2025", "from": "2025-01-01", "to": "2025-12-31", "published_at": "2026-03-30T09:00:00.000Z",
        "as_of": {"position": 5120, "at": "2026-03-30T08:59:58.004Z"}, "licence": "CC-BY-4.0", "methodology": {"es": "Cada expediente …", "en": "Each file …", "fr": "Chaque dossier …"},
        "rules": {"threshold": 10, "rounded_to": 5, "noise": 5, "least_population": 30}, "withheld": [],
        "items": [{"name": "victims-by-quarter", "unit": "persons", "dimensions": ["quarter"], "href": "/v1/open-data/2025/victims-by-quarter",
            "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}]},
    "tables": [{"release": "2025", "cube": "victims-by-quarter", "unit": "persons", "dimensions": ["quarter"],
        "items": [{"values": ["total"], "count": 1430}, {"values": ["2025-Q1"], "count": null}],
        "licence": "CC-BY-4.0", "methodology": "/v1/open-data/releases/2025", "published_at": "2026-03-30T09:00:00.000Z"}]}))]
pub struct ReleasePreview {
    /// SHA-256 of the manifest, hex: that of the proposal.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: String,
    /// The manifest; its instant of publication is that of the proposal.
    #[schema(value_type = OpenDataManifest)]
    pub manifest: Value,
    /// Its tables.
    #[schema(value_type = Vec<OpenDataCube>, max_items = 100)]
    pub tables: Vec<Value>,
}

impl ReleasePreview {
    /// Of a draft.
    pub fn of(draft: &Draft) -> Result<Self> {
        let read = |text: &str| serde_json::from_str(text).map_err(|_| Error::internal("a draft"));
        Ok(Self {
            sha256: draft.sha256.clone(),
            manifest: read(&draft.content)?,
            tables: draft.cubes.iter().map(|cube| read(&cube.body)).collect::<Result<Vec<_>>>()?,
        })
    }
}
