//! A job and its states. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::act::{Act, Chance};
use crate::auth::{Caller, Purpose, policy};
use crate::kernel::ids::{ClientId, JobId};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::ledger::Actor;

/// Hours for which the files of a finished job are kept.
pub const KEPT_HOURS: i64 = 24;
/// Hours after which a job whose file never came whole is thrown away.
pub const RECEIVING_HOURS: i64 = 1;
/// Downloads of a file with identities in it.
pub const MOST_DOWNLOADS: u32 = 3;

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// Brings cases in.
    Import,
    /// Takes records out.
    Export,
}

impl JobKind {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Import => "import",
            Self::Export => "export",
        }
    }

    /// The kind of a code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Import, Self::Export].into_iter().find(|k| k.as_str() == code)
    }
}

/// Where a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobState {
    /// Its file is still on its way; nobody sees the job.
    Receiving,
    /// Waits for a worker.
    Queued,
    /// Somebody works on it, or will go on.
    Running,
    /// Done.
    Succeeded,
    /// Given up; `failure` says why.
    Failed,
    /// Called off.
    Cancelled,
    /// Its files are gone.
    Expired,
}

impl JobState {
    /// Every state.
    pub const ALL: [Self; 7] =
        [Self::Receiving, Self::Queued, Self::Running, Self::Succeeded, Self::Failed, Self::Cancelled, Self::Expired];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Whether nothing more will be done.
    pub fn ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled | Self::Expired)
    }
}

/// A file that a job made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobFile {
    /// Its name, the last segment of its URL.
    pub name: String,
    /// What its records are: `ImportReport`, `Case`, `Victim` …
    pub records: String,
    /// Media type.
    pub media_type: String,
    /// Records in it.
    pub count: i64,
    /// Bytes of it.
    pub bytes: i64,
    /// Pieces that it is stored in.
    pub pieces: i64,
    /// SHA-256 of the whole, hex; once it is whole.
    pub sha256: Option<String>,
    /// Times that it was downloaded.
    pub downloads: u32,
}

impl JobFile {
    /// An empty file.
    pub fn new(name: &str, records: &str, media_type: &str) -> Self {
        Self {
            name: name.to_owned(),
            records: records.to_owned(),
            media_type: media_type.to_owned(),
            count: 0,
            bytes: 0,
            pieces: 0,
            sha256: None,
            downloads: 0,
        }
    }
}

/// What no list filters by. One document, without a word about anybody.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct JobDetail {
    /// The person at the partner's desk, as it said.
    pub user: Option<String>,
    /// Whether the agency supervises.
    pub oversight: bool,
    /// Scopes of the token that asked for the job: what the job may do.
    pub scopes: Vec<String>,
    /// Purpose of that token.
    pub purpose: String,
    /// The request that asked for it.
    pub request_id: uuid::Uuid,
    /// Language of the texts in its files.
    pub lang: String,
    /// The request in words.
    pub request: String,
    /// What was asked for, as the work understands it.
    pub order: serde_json::Value,
    /// How far the work has come, as the work understands it.
    pub checkpoint: serde_json::Value,
    /// Numbers of lines or records by what became of them.
    pub counts: BTreeMap<String, i64>,
    /// Its files.
    pub files: Vec<JobFile>,
    /// Whether identities are in them.
    pub identities: bool,
    /// When the work began.
    pub started_at: Option<Timestamp>,
    /// Why it was given up: a code.
    pub failure: Option<String>,
}

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    /// The job. It lies in the bucket of its client.
    pub id: JobId,
    /// Version: grows with the state, not with the progress.
    pub version: i64,
    /// Whose it is.
    pub client: ClientId,
    /// For which agency.
    pub agency: AgencyCode,
    /// What it does.
    pub kind: JobKind,
    /// Where it is.
    pub state: JobState,
    /// Lines or records dealt with.
    pub done: i64,
    /// Lines or records in all, where that is known.
    pub total: Option<i64>,
    /// When its files go.
    pub expires_at: Option<Timestamp>,
    /// The rest.
    pub detail: JobDetail,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last went on.
    pub updated_at: Timestamp,
}

impl Job {
    /// A job of a caller.
    pub fn new(caller: &Caller, act: &Act, kind: JobKind, lang: &str, request: String, order: serde_json::Value) -> Self {
        Self {
            id: act.id(caller.client.bucket()),
            version: 1,
            client: caller.client,
            agency: caller.agency.clone(),
            kind,
            state: JobState::Receiving,
            done: 0,
            total: None,
            expires_at: Some(act.now.plus_seconds(RECEIVING_HOURS * 3_600)),
            detail: JobDetail {
                user: caller.user.clone(),
                oversight: caller.oversight,
                scopes: caller.scopes.iter().map(|s| (*s).to_owned()).collect(),
                purpose: caller.purpose.as_str().to_owned(),
                request_id: act.actor.request_id,
                lang: lang.to_owned(),
                request,
                order,
                checkpoint: serde_json::Value::Null,
                counts: BTreeMap::new(),
                files: Vec::new(),
                identities: false,
                started_at: None,
                failure: None,
            },
            created_at: act.now,
            updated_at: act.now,
        }
    }

    /// The caller that the job works for.
    pub fn caller(&self, now: Timestamp) -> Result<Caller> {
        let purpose = Purpose::parse(&self.detail.purpose).ok_or_else(|| Error::internal("purpose of a job"))?;
        Ok(Caller {
            client: self.client,
            agency: self.agency.clone(),
            oversight: self.detail.oversight,
            user: self.detail.user.clone(),
            scopes: self.detail.scopes.iter().filter_map(|s| policy::known(s)).collect(),
            purpose,
            expires_at: now,
        })
    }

    /// Who does what the job does, for the ledger.
    pub fn actor(&self) -> Actor {
        Actor {
            client: Some(self.client),
            agency: Some(self.agency.clone()),
            user: self.detail.user.clone(),
            purpose: Purpose::parse(&self.detail.purpose),
            request_id: self.detail.request_id,
            trail: crate::kernel::trail::Trail::default(),
        }
    }

    /// The circumstances of what the job does now.
    pub fn act(&self, bench: &super::worker::Bench, now: Timestamp) -> Result<Act> {
        Ok(Act {
            actor: self.actor(),
            scope: self.caller(now)?.scope(now),
            now,
            catalogue: bench.law.clone(),
            index: bench.index.clone(),
            chance: Chance::System,
        })
    }

    /// The state at an instant: files that are due to go are gone, whenever the broom comes by.
    pub fn state_at(&self, now: Timestamp) -> JobState {
        let over = self.state.ended() && self.expires_at.is_some_and(|at| at <= now);
        if over { JobState::Expired } else { self.state }
    }

    /// Moves to another state.
    pub fn moved(&mut self, to: JobState, now: Timestamp) {
        self.state = to;
        self.version += 1;
        self.updated_at = now;
        self.expires_at = to.ended().then(|| now.plus_seconds(KEPT_HOURS * 3_600));
    }

    /// Counts what became of lines or records.
    pub fn count(&mut self, what: &str, more: i64) {
        *self.detail.counts.entry(what.to_owned()).or_default() += more;
    }

    /// A file, by its name.
    pub fn file(&self, name: &str) -> Option<&JobFile> {
        self.detail.files.iter().find(|f| f.name == name)
    }
}
