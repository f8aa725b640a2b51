//! Procedure as data: stages, and the acts that move a case between them. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::Labels;

/// A code of procedure in one version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// ISO 3166-1 alpha-2.
    pub jurisdiction: String,
    /// `NCPP2004`, `CPP1940`.
    pub procedural_code: String,
    /// Name of the version.
    pub version: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// Where a case begins.
    pub initial_stage: String,
    /// Stages.
    pub stages: Vec<Stage>,
    /// Moves between them.
    pub transitions: Vec<Transition>,
}

/// A stage.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Code.
    pub code: String,
    /// Names.
    pub labels: Labels,
    /// Whether nothing follows.
    pub terminal: bool,
}

/// A move.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Id of the source table.
    pub id: String,
    /// What a request names.
    pub trigger: String,
    /// Stages that it leaves.
    pub from: Vec<String>,
    /// Stage that it enters.
    pub to: String,
    /// Names.
    pub labels: Labels,
    /// Articles.
    pub basis: String,
    /// Whether a legal act must be named.
    pub requires_legal_act: bool,
    /// What must hold.
    pub guards: Vec<String>,
}

impl Profile {
    /// A stage.
    pub fn stage(&self, code: &str) -> Option<&Stage> {
        self.stages.iter().find(|s| s.code == code)
    }

    /// The move that a trigger makes out of a stage.
    pub fn transition(&self, from: &str, trigger: &str) -> Option<&Transition> {
        self.transitions.iter().find(|t| t.from.iter().any(|f| f == from) && t.trigger == trigger)
    }

    /// Every move out of a stage.
    pub fn available<'p>(&'p self, from: &'p str) -> impl Iterator<Item = &'p Transition> {
        self.transitions.iter().filter(move |t| t.from.iter().any(|f| f == from))
    }

    pub(super) fn check(&self) -> Result<(), (String, String)> {
        if self.stage(&self.initial_stage).is_none() {
            return Err(("/initial_stage".into(), "unknown stage".into()));
        }
        for (n, t) in self.transitions.iter().enumerate() {
            if let Some(stage) = t.from.iter().chain(std::iter::once(&t.to)).find(|s| self.stage(s).is_none()) {
                return Err((format!("/transitions/{n}"), format!("unknown stage {stage}")));
            }
        }
        Ok(())
    }
}
