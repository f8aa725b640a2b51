//! How charges move: on their own, or carried by a move of their case. Pure.

use super::model::Charge;
use super::verdicts::Verdict;
use crate::catalogue::{ChargeTransition, Profile};
use crate::kernel::Timestamp;

/// A charge that moved: how it is now, and every state that it left on the way.
#[derive(Clone, Debug)]
pub struct Moved {
    /// The charge now.
    pub charge: Charge,
    /// Its version before.
    pub read_at: i64,
    /// Trigger, state before, state after, version after: in order.
    pub steps: Vec<Step>,
}

/// One step of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Trigger.
    pub trigger: String,
    /// State before.
    pub from: String,
    /// State after.
    pub to: String,
    /// Version after.
    pub version: i64,
}

impl Moved {
    /// A charge that has not moved yet.
    pub fn new(charge: Charge) -> Self {
        Self { read_at: charge.version, charge, steps: Vec::new() }
    }

    /// Takes a step if the charge stands where it begins; answers whether it did.
    pub fn step(&mut self, transition: &ChargeTransition, now: Timestamp) -> bool {
        if !transition.from.contains(&self.charge.state) {
            return false;
        }
        let to = transition.to.clone().unwrap_or_else(|| self.charge.state.clone());
        let from = std::mem::replace(&mut self.charge.state, to.clone());
        self.charge.version += 1;
        self.charge.updated_at = now;
        let version = self.charge.version;
        self.steps.push(Step { trigger: transition.trigger.clone(), from, to, version });
        true
    }

    /// Puts a verdict on record. What it says of reparation is what stands from now on.
    pub fn pronounce(&mut self, verdict: Verdict) {
        if !verdict.reparation.is_empty() {
            self.charge.detail.reparation.clone_from(&verdict.reparation);
        }
        self.charge.detail.verdicts.push(verdict);
    }
}

impl Charge {
    /// Whether it is still in this file: not carried to another one.
    pub fn is_here(&self) -> bool {
        self.detail.continued_as.is_none()
    }

    /// Whether nothing has ended it.
    pub fn is_open(&self, profile: &Profile) -> bool {
        self.is_here() && self.state != "archived" && profile.charge_state(&self.state).is_some_and(|s| !s.terminal)
    }
}

/// A move of one charge on its own, as a request asks for it.
#[derive(Clone, Copy, Debug)]
pub struct ChargeDecision<'r> {
    /// Trigger.
    pub trigger: &'r str,
    /// Kind of the agency that registers it.
    pub agency_kind: &'r str,
    /// When.
    pub now: Timestamp,
}
