//! Bodies of the job operations.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Job, JobState};
use crate::kernel::ids::JobId;
use crate::kernel::{AgencyCode, Timestamp};

/// How far a job is.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobProgress {
    /// Lines or records dealt with.
    #[schema(minimum = 0)]
    pub done: i64,
    /// Lines or records in all; null where that is not known.
    #[schema(required, minimum = 0)]
    pub total: Option<i64>,
}

/// A file to fetch.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobOutput {
    /// What its records are: `ImportReport`, `Case`, `Victim` …
    #[serde(rename = "type")]
    #[schema(max_length = 60)]
    pub records: String,
    /// Where it is.
    #[schema(format = "uri-reference", max_length = 200)]
    pub url: String,
    /// Records in it.
    #[schema(minimum = 0)]
    pub count: i64,
    /// Bytes of it.
    #[schema(minimum = 0)]
    pub bytes: i64,
    /// SHA-256 of it, hex.
    #[schema(required, max_length = 64)]
    pub sha256: Option<String>,
}

/// What a job left behind, in the form of FHIR's Bulk Data Access.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct JobManifest {
    /// When the work began: what was committed before is in the files.
    pub transaction_time: Timestamp,
    /// The request.
    #[schema(max_length = 4000)]
    pub request: String,
    /// Always true: the files are fetched with a token.
    pub requires_access_token: bool,
    /// The files.
    #[schema(max_items = 20)]
    pub output: Vec<JobOutput>,
    /// Files of deleted records: nothing is ever deleted here.
    #[schema(max_items = 20)]
    pub deleted: Vec<JobOutput>,
    /// Files of errors: the report of an import is among its `output`.
    #[schema(max_items = 20)]
    pub errors: Vec<JobOutput>,
}

/// A job.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = JobRecord)]
pub struct JobView {
    /// The job.
    pub id: JobId,
    /// Version: grows with `status`, not with `progress`.
    pub version: i64,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last went on.
    pub updated_at: Timestamp,
    /// For which agency.
    pub created_by_agency: AgencyCode,
    /// `import` or `export`.
    #[schema(max_length = 20)]
    pub kind: String,
    /// `queued`, `running`, `succeeded`, `failed`, `cancelled` or `expired`.
    #[schema(max_length = 20)]
    pub status: String,
    /// How far it is.
    pub progress: JobProgress,
    /// Numbers of lines or records by what became of them.
    #[schema(value_type = std::collections::HashMap<String, i64>)]
    pub counts: BTreeMap<String, i64>,
    /// Why it was given up: a problem code.
    #[schema(required, max_length = 60)]
    pub failure: Option<String>,
    /// When its files go; null while it runs.
    #[schema(required)]
    pub expires_at: Option<Timestamp>,
    /// Its files; null until it ended, and once they are gone.
    #[schema(required)]
    pub manifest: Option<JobManifest>,
}

impl JobView {
    /// The job as its client sees it at an instant.
    pub fn new(job: &Job, now: Timestamp) -> Self {
        let state = job.state_at(now);
        let output = |file: &super::JobFile| JobOutput {
            records: file.records.clone(),
            url: format!("/v1/jobs/{}/files/{}", job.id, file.name),
            count: file.count,
            bytes: file.bytes,
            sha256: file.sha256.clone(),
        };
        let there = state.ended() && state != JobState::Expired;
        Self {
            id: job.id,
            version: job.version,
            created_at: job.created_at,
            updated_at: job.updated_at,
            created_by_agency: job.agency.clone(),
            kind: job.kind.as_str().to_owned(),
            status: state.as_str().to_owned(),
            progress: JobProgress { done: job.done, total: job.total },
            counts: job.detail.counts.clone(),
            failure: job.detail.failure.clone(),
            expires_at: job.expires_at.filter(|_| state.ended()),
            manifest: there.then(|| JobManifest {
                transaction_time: job.detail.started_at.unwrap_or(job.created_at),
                request: job.detail.request.clone(),
                requires_access_token: true,
                output: job.detail.files.iter().map(output).collect(),
                deleted: Vec::new(),
                errors: Vec::new(),
            }),
        }
    }
}

/// The jobs of a client.
#[derive(Debug, Serialize, ToSchema)]
pub struct JobPage {
    /// The jobs.
    pub items: Vec<JobView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// What can be done to a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum JobTrigger {
    /// Calls it off.
    Cancel,
}

/// A move of a job.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "cancel"}))]
pub struct JobTransitionCreate {
    /// What is done.
    pub trigger: JobTrigger,
}
