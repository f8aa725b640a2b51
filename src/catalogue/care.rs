//! The care of victims as data: the states that a victim's care goes through, and the moves between them. Pure.
//!
//! As with procedure, another country or another protocol needs a data file, not code: what a move asks is said here in a
//! small vocabulary ([`CareFact`], [`CareGuard`]) that the engine (`care/engine`) carries out.

use std::collections::{BTreeMap, HashSet};

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{Catalogue, Labels, profile};

/// A protocol in one version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CareProtocol {
    /// Its name: `PE-CARE`.
    pub code: String,
    /// ISO 3166-1 alpha-2.
    pub jurisdiction: String,
    /// Name of the version: the act that made it. Every process keeps the one under which it began.
    pub version: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// Names.
    pub labels: Labels,
    /// Articles.
    pub basis: String,
    /// Where they were read.
    pub source: String,
    /// False where they were not.
    pub verified: bool,
    /// Where a process begins.
    pub initial_state: String,
    /// Whose acts an agency may register, by its kind (code list `agency_kind`).
    pub registrars: BTreeMap<String, Vec<String>>,
    /// Its states.
    pub states: Vec<CareState>,
    /// Moves between them.
    pub transitions: Vec<CareTransition>,
}

/// A state of a victim's care.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CareState {
    /// Code list `care_state`.
    pub code: String,
    /// Names.
    pub labels: Labels,
    /// Whether the process ends there. A relapse may lead back.
    pub terminal: bool,
    /// Where it was read.
    pub source: String,
    /// False where it was not.
    pub verified: bool,
}

/// A move of a process.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CareTransition {
    /// Id in the table.
    pub id: String,
    /// What a request names.
    pub trigger: String,
    /// States that it leaves.
    pub from: Vec<String>,
    /// State that it enters; none where the state stays.
    pub to: Option<String>,
    /// Names.
    pub labels: Labels,
    /// Whose act it is: code list `actor`.
    pub actors: Vec<String>,
    /// What must hold.
    pub guards: Vec<CareGuard>,
    /// What a request must say.
    pub requires: Vec<CareFact>,
    /// What it may say besides.
    pub accepts: Vec<CareFact>,
    /// With which reason the process ends: code list `care_close_reason`; none where it does not, or the request says it.
    pub closes_as: Option<String>,
    /// Articles.
    pub basis: String,
    /// Where they were read.
    pub source: String,
    /// False where they were not.
    pub verified: bool,
}

/// What a move tells of the victim's care. The name is the member of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CareFact {
    /// How somebody was rescued.
    Rescue,
    /// How she or he was received.
    Reception,
    /// How great the danger is.
    Risk,
    /// Where she or he lives.
    Placement,
    /// When somebody asks again.
    NextFollowUpOn,
    /// How she or he returns.
    ReturnPlan,
    /// How life goes on.
    Reintegration,
    /// The determination of a child's best interest.
    BestInterest,
    /// Why it ended.
    CloseReason,
    /// Why, in words.
    Reason,
}

impl CareFact {
    /// Every one.
    pub const ALL: [Self; 10] = [
        Self::Rescue,
        Self::Reception,
        Self::Risk,
        Self::Placement,
        Self::NextFollowUpOn,
        Self::ReturnPlan,
        Self::Reintegration,
        Self::BestInterest,
        Self::CloseReason,
        Self::Reason,
    ];

    /// The member of the request.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rescue => "rescue",
            Self::Reception => "reception",
            Self::Risk => "risk",
            Self::Placement => "placement",
            Self::NextFollowUpOn => "next_follow_up_on",
            Self::ReturnPlan => "return_plan",
            Self::Reintegration => "reintegration",
            Self::BestInterest => "best_interest",
            Self::CloseReason => "close_reason",
            Self::Reason => "reason",
        }
    }
}

/// What must hold before a move. The name is the code of the refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "guard", rename_all = "snake_case", deny_unknown_fields)]
pub enum CareGuard {
    /// In some case the person stands in one of these statuses.
    VictimStatusIs {
        /// Codes of the list `victim_status`.
        any: Vec<String>,
    },
    /// A consent for a purpose is in force.
    ConsentInForce {
        /// Code of the list `consent_purpose`.
        purpose: String,
        /// Whether a minor is protected without one.
        unless_minor: bool,
    },
    /// The danger was evaluated.
    RiskEvaluated,
    /// A service is planned, under way or done.
    ServicePlanned,
    /// No need is open.
    NoOpenNeed,
    /// Of a minor, the best interest was determined.
    BestInterestDetermined,
    /// The process was once in one of these states.
    Reached {
        /// States of the protocol.
        any: Vec<String>,
    },
    /// It did not end for one of these reasons.
    NotClosedAs {
        /// Codes of the list `care_close_reason`.
        any: Vec<String>,
    },
}

impl CareGuard {
    /// The code that a refusal names.
    pub fn code(&self) -> &'static str {
        match self {
            Self::VictimStatusIs { .. } => "victim_status_is",
            Self::ConsentInForce { .. } => "consent_in_force",
            Self::RiskEvaluated => "risk_evaluated",
            Self::ServicePlanned => "service_planned",
            Self::NoOpenNeed => "no_open_need",
            Self::BestInterestDetermined => "best_interest_determined",
            Self::Reached { .. } => "reached",
            Self::NotClosedAs { .. } => "not_closed_as",
        }
    }
}

impl CareProtocol {
    /// A state.
    pub fn state(&self, code: &str) -> Option<&CareState> {
        self.states.iter().find(|s| s.code == code)
    }

    /// The move that a trigger makes out of a state.
    pub fn transition(&self, from: &str, trigger: &str) -> Option<&CareTransition> {
        self.transitions.iter().find(|t| t.from.iter().any(|f| f == from) && t.trigger == trigger)
    }

    /// Every move out of a state.
    pub fn available<'p>(&'p self, from: &'p str) -> impl Iterator<Item = &'p CareTransition> {
        self.transitions.iter().filter(move |t| t.from.iter().any(|f| f == from))
    }

    /// Whether an agency of this kind may register an act of one of these actors.
    pub fn registers(&self, agency_kind: &str, actors: &[String]) -> bool {
        profile::registers(&self.registrars, agency_kind, actors)
    }

    /// What no schema can say: what is named exists, no trigger is ambiguous, and every state is reached.
    pub(super) fn check(&self, law: &Catalogue) -> Vec<(String, String)> {
        let mut faults = Vec::new();
        let mut unknown = |holds: bool, at: String, what: &str| {
            if !holds {
                faults.push((at, what.to_owned()));
            }
        };
        unknown(self.state(&self.initial_state).is_some(), "/initial_state".into(), "not a state of the protocol");
        for (n, state) in self.states.iter().enumerate() {
            unknown(law.has_ever("care_state", &state.code), format!("/states/{n}/code"), "not a code of list care_state");
        }
        for (kind, actors) in &self.registrars {
            unknown(law.has_ever("agency_kind", kind), format!("/registrars/{kind}"), "not a code of list agency_kind");
            let known = actors.iter().all(|a| law.has_ever("actor", a));
            unknown(known, format!("/registrars/{kind}"), "names what is not a code of list actor");
        }
        let mut seen = HashSet::new();
        for (n, t) in self.transitions.iter().enumerate() {
            let at = |field: &str| format!("/transitions/{n}{field}");
            for from in &t.from {
                unknown(self.state(from).is_some(), at("/from"), "names what is not a state of the protocol");
                unknown(
                    seen.insert((from.as_str(), t.trigger.as_str())),
                    at("/trigger"),
                    "a second one out of the same state",
                );
            }
            unknown(t.to.as_ref().is_none_or(|to| self.state(to).is_some()), at("/to"), "not a state of the protocol");
            unknown(
                t.actors.iter().all(|a| law.has_ever("actor", a)),
                at("/actors"),
                "names what is not a code of list actor",
            );
            let closes = t.closes_as.iter().all(|c| law.has_ever("care_close_reason", c));
            unknown(closes, at("/closes_as"), "not a code of list care_close_reason");
            for guard in &t.guards {
                if let CareGuard::Reached { any } = guard {
                    let known = any.iter().all(|state| self.state(state).is_some());
                    unknown(known, at("/guards"), "names what is not a state of the protocol");
                }
                let (list, codes) = match guard {
                    CareGuard::VictimStatusIs { any } => ("victim_status", any.as_slice()),
                    CareGuard::NotClosedAs { any } => ("care_close_reason", any.as_slice()),
                    CareGuard::ConsentInForce { purpose, .. } => ("consent_purpose", std::slice::from_ref(purpose)),
                    _ => continue,
                };
                unknown(codes.iter().all(|c| law.has_ever(list, c)), at("/guards"), "names what is not a code of its list");
            }
        }
        let reached = self.reached();
        for (n, state) in self.states.iter().enumerate() {
            unknown(reached.contains(state.code.as_str()), format!("/states/{n}"), "no move leads to it");
        }
        faults
    }

    /// The states that some sequence of moves leads to.
    fn reached(&self) -> HashSet<&str> {
        let mut reached = HashSet::from([self.initial_state.as_str()]);
        loop {
            let before = reached.len();
            for t in
                self.transitions.iter().filter(|t| t.from.iter().any(|f| reached.contains(f.as_str()))).collect::<Vec<_>>()
            {
                reached.extend(t.to.as_deref());
            }
            if reached.len() == before {
                return reached;
            }
        }
    }
}
