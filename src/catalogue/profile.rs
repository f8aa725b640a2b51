//! Procedure as data: the stages of a case, the states of a charge, and the acts that move them. Pure.
//!
//! A second country needs a data file, not code: what a transition asks and does is said here in a small vocabulary
//! ([`Guard`], [`Effect`], [`VerdictRule`]) that the procedure engine (`cases/procedure`) carries out.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::DayType;
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
    /// Names of the code.
    pub labels: Labels,
    /// Where a case begins.
    pub initial_stage: String,
    /// Where a charge begins.
    pub initial_charge_state: String,
    /// Whose acts an agency may register, by its kind (code list `agency_kind`).
    pub registrars: BTreeMap<String, Vec<String>>,
    /// Measures that take somebody's liberty (code list `coercive_measure`): while one runs, every day counts.
    pub detentions: Vec<String>,
    /// Stages of a case.
    pub stages: Vec<Stage>,
    /// Moves between them.
    pub transitions: Vec<Transition>,
    /// States of a charge.
    pub charge_states: Vec<Stage>,
    /// States of a charge in which the accused may be named in public.
    pub publishing_states: Vec<String>,
    /// Moves between them.
    pub charge_transitions: Vec<ChargeTransition>,
}

/// A stage of a case or a state of a charge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// Code.
    pub code: String,
    /// Names.
    pub labels: Labels,
    /// Whether nothing follows.
    pub terminal: bool,
    /// Whether the file goes on elsewhere: reads say where.
    pub redirect: bool,
}

/// A move of a case.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// Id of the source table.
    pub id: String,
    /// What a request names.
    pub trigger: String,
    /// Stages that it leaves.
    pub from: Vec<String>,
    /// Stage that it enters; none where the stage stays.
    pub to: Option<String>,
    /// Names.
    pub labels: Labels,
    /// Whose act it is.
    pub actors: Vec<String>,
    /// Articles.
    pub basis: String,
    /// Kinds of act on which it may rest (code list `legal_act`).
    pub legal_acts: Vec<String>,
    /// What must hold.
    pub guards: Vec<Guard>,
    /// Charge moves that it carries, in this order: each moves the covered charges that stand where it begins.
    pub charges: Vec<String>,
    /// Whether a request may name the charges that it covers; else it covers all of them.
    pub partial: bool,
    /// What it does besides.
    pub effect: Option<Effect>,
    /// The verdicts that come with it.
    pub verdicts: Option<VerdictRule>,
    /// False where the rule was written from memory and must be checked against the law's text.
    pub verified: bool,
}

/// What must hold before a transition. The name is the code of the refusal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "guard", rename_all = "snake_case", deny_unknown_fields)]
pub enum Guard {
    /// Somebody accused is identified.
    HasIdentifiedAccused,
    /// Nobody accused is identified.
    NoIdentifiedAccused,
    /// A charge stands in one of these states.
    HasChargeIn {
        /// The states.
        states: Vec<String>,
    },
    /// No charge stands in one of these states.
    NoChargeIn {
        /// The states.
        states: Vec<String>,
    },
    /// Of every victim of an open charge for one of these offences it is known what was done and what for, and of a grown
    /// one by what means: nobody is accused of what nobody knows yet.
    ElementsKnown {
        /// Codes of offences that have these elements.
        offences: Vec<String>,
    },
    /// No referral of the case is open.
    NoOpenReferral,
    /// No open charge is for an offence that bars agreed endings.
    EarlyTerminationAllowed,
    /// The case is of one of these classes.
    ComplexityIs {
        /// Codes of the list `complexity`.
        any: Vec<String>,
    },
    /// At most so long after the stage began.
    WithinStage {
        /// Days.
        amount: u32,
        /// How days count.
        day_type: DayType,
    },
    /// At least so long after the stage began.
    NotBefore {
        /// Days.
        amount: u32,
        /// How days count.
        day_type: DayType,
    },
    /// A term that runs from the stage's beginning is over.
    AfterStage {
        /// Days.
        amount: u32,
        /// How days count.
        day_type: DayType,
    },
    /// It was never done in this case.
    Once,
    /// It was not done since the stage began.
    OnceInStage,
}

impl Guard {
    /// The code that a refusal names.
    pub fn code(&self) -> &'static str {
        match self {
            Self::HasIdentifiedAccused => "has_identified_accused",
            Self::NoIdentifiedAccused => "no_identified_accused",
            Self::HasChargeIn { .. } => "has_charge_in",
            Self::NoChargeIn { .. } => "no_charge_in",
            Self::ElementsKnown { .. } => "elements_known",
            Self::NoOpenReferral => "no_open_referral",
            Self::EarlyTerminationAllowed => "early_termination_allowed",
            Self::ComplexityIs { .. } => "complexity_is",
            Self::WithinStage { .. } => "within_stage",
            Self::NotBefore { .. } => "not_before",
            Self::AfterStage { .. } => "after_stage",
            Self::Once => "once",
            Self::OnceInStage => "once_in_stage",
        }
    }
}

/// What a transition does besides moving the stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "effect", rename_all = "snake_case", deny_unknown_fields)]
pub enum Effect {
    /// The file goes on in another one of the same agency.
    Join,
    /// Some accused go on in a file of their own.
    Split,
    /// The file goes on with another agency.
    Transfer,
    /// The limits of the stage run longer.
    Extend,
}

/// Which charges must have a verdict in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// Every charge that can have one.
    Every,
    /// At least one.
    Some,
    /// As the act says.
    Optional,
    /// None: the outcome follows from the act.
    None,
}

/// The verdicts that come with a transition.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictRule {
    /// Code list `verdict_instance`.
    pub instance: String,
    /// Which charges must have one.
    pub required: Required,
    /// The charge move of a conviction; none where it cannot convict.
    pub convicted: Option<String>,
    /// The charge move of an acquittal; none where it cannot acquit.
    pub acquitted: Option<String>,
    /// The part of the term that is forgiven, as numerator and denominator: the lower end of the band falls by it.
    pub reduction: Option<(u32, u32)>,
}

/// A move of a charge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChargeTransition {
    /// Id of the source table.
    pub id: String,
    /// What a request names.
    pub trigger: String,
    /// States that it leaves.
    pub from: Vec<String>,
    /// State that it enters; none where the state stays.
    pub to: Option<String>,
    /// Names.
    pub labels: Labels,
    /// Whose act it is.
    pub actors: Vec<String>,
    /// Articles.
    pub basis: String,
    /// Stages of the case in which it may be done on its own; none where only a move of the case carries it.
    pub own: Option<Vec<String>>,
    /// The outcome that it stands for: `convicted` or `acquitted`.
    pub outcome: Option<String>,
    /// False where written from memory.
    pub verified: bool,
}

/// Whether an agency of a kind may register an act of one of these actors.
pub(super) fn registers(registrars: &BTreeMap<String, Vec<String>>, agency_kind: &str, actors: &[String]) -> bool {
    registrars.get(agency_kind).is_some_and(|own| actors.iter().any(|a| own.contains(a)))
}

impl Profile {
    /// The name under which the catalogue serves it: `PE-NCPP2004`.
    pub fn code(&self) -> String {
        format!("{}-{}", self.jurisdiction, self.procedural_code)
    }

    /// A stage.
    pub fn stage(&self, code: &str) -> Option<&Stage> {
        self.stages.iter().find(|s| s.code == code)
    }

    /// A state of a charge.
    pub fn charge_state(&self, code: &str) -> Option<&Stage> {
        self.charge_states.iter().find(|s| s.code == code)
    }

    /// The move that a trigger makes out of a stage.
    pub fn transition(&self, from: &str, trigger: &str) -> Option<&Transition> {
        self.transitions.iter().find(|t| t.from.iter().any(|f| f == from) && t.trigger == trigger)
    }

    /// Every move out of a stage.
    pub fn available<'p>(&'p self, from: &'p str) -> impl Iterator<Item = &'p Transition> {
        self.transitions.iter().filter(move |t| t.from.iter().any(|f| f == from))
    }

    /// A move of a charge.
    pub fn charge_transition(&self, trigger: &str) -> Option<&ChargeTransition> {
        self.charge_transitions.iter().find(|t| t.trigger == trigger)
    }

    /// Whether an agency of this kind may register an act of one of these actors.
    pub fn registers(&self, agency_kind: &str, actors: &[String]) -> bool {
        registers(&self.registrars, agency_kind, actors)
    }

    /// Everything that the file names exists in it.
    pub(super) fn check(&self) -> Result<(), (String, String)> {
        let unknown = |at: String, what: &str, name: &str| Err((at, format!("unknown {what} {name}")));
        let stages =
            |at: &str, mut names: Box<dyn Iterator<Item = &String> + '_>| match names.find(|s| self.stage(s).is_none()) {
                Some(name) => unknown(at.to_owned(), "stage", name),
                None => Ok(()),
            };
        let states = |at: &str, mut names: Box<dyn Iterator<Item = &String> + '_>| match names
            .find(|s| self.charge_state(s).is_none())
        {
            Some(name) => unknown(at.to_owned(), "charge state", name),
            None => Ok(()),
        };
        stages("/initial_stage", Box::new(std::iter::once(&self.initial_stage)))?;
        states("/initial_charge_state", Box::new(std::iter::once(&self.initial_charge_state)))?;
        states("/publishing_states", Box::new(self.publishing_states.iter()))?;
        for (n, t) in self.transitions.iter().enumerate() {
            let at = format!("/transitions/{n}");
            stages(&at, Box::new(t.from.iter().chain(&t.to)))?;
            let twice = |other: &Transition| other.trigger == t.trigger && other.from.iter().any(|f| t.from.contains(f));
            if self.transitions.iter().take(n).any(twice) {
                return Err((at, format!("a second {} out of the same stage", t.trigger)));
            }
            let verdicts = t.verdicts.iter().flat_map(|v| v.convicted.iter().chain(&v.acquitted));
            if let Some(name) = t.charges.iter().chain(verdicts).find(|c| self.charge_transition(c).is_none()) {
                return unknown(at, "charge transition", name);
            }
            for guard in &t.guards {
                if let Guard::HasChargeIn { states: named } | Guard::NoChargeIn { states: named } = guard {
                    states(&at, Box::new(named.iter()))?;
                }
            }
        }
        for (n, t) in self.charge_transitions.iter().enumerate() {
            let at = format!("/charge_transitions/{n}");
            states(&at, Box::new(t.from.iter().chain(&t.to)))?;
            stages(&at, Box::new(t.own.iter().flatten()))?;
            if self.charge_transitions.iter().take(n).any(|other| other.trigger == t.trigger) {
                return Err((at, format!("a second {}", t.trigger)));
            }
        }
        Ok(())
    }
}
