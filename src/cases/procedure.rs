//! The procedure engine: whether a transition of the profile may be made now, and what it does to the case and its
//! charges. Pure: facts come in, a plan goes out.
//!
//! Knows the vocabulary of `catalogue::profile` and no law: stages, articles and terms are data.

use chrono::NaiveDate;

use super::model::Case;
use crate::catalogue::{Catalogue, Effect, Guard, Known, Profile, Required, TimeUnit, Transition, VerdictRule};
use crate::charges::model::Charge;
use crate::charges::verdicts::{Judgment, VerdictInput};
use crate::charges::{ChargeDecision, Moved};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{ChargeId, TransitionId, VictimId};
use crate::kernel::{AgencyCode, Day, Error, Fault, FaultCode, Result, Timestamp};
use crate::transitions::Past;

/// What guards look at. What no guard of the transitions at hand asks for may be left empty.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Kind of the agency that registers the act.
    pub agency_kind: String,
    /// Whether anybody accused is identified.
    pub identified: bool,
    /// Victims of whom an element of trafficking is not known yet.
    pub unclear: Vec<VictimId>,
    /// Referrals of the case that are not settled.
    pub open_referrals: i64,
    /// Charges of the case.
    pub charges: Vec<Charge>,
    /// Moves made so far, oldest first.
    pub past: Vec<Past>,
    /// Whether somebody is detained in the case.
    pub detained: bool,
}

/// Which facts some transitions need: each costs a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// `identified`.
    pub identified: bool,
    /// `unclear`.
    pub elements: bool,
    /// `open_referrals`.
    pub referrals: bool,
    /// `past`.
    pub past: bool,
    /// `detained`.
    pub detained: bool,
}

impl Needs {
    /// What the guards of these transitions look at.
    pub fn of<'t>(transitions: impl IntoIterator<Item = &'t Transition>) -> Self {
        let mut needs = Self::default();
        for guard in transitions.into_iter().flat_map(|t| &t.guards) {
            match guard {
                Guard::HasIdentifiedAccused | Guard::NoIdentifiedAccused => needs.identified = true,
                Guard::ElementsKnown { .. } => needs.elements = true,
                Guard::NoOpenReferral => needs.referrals = true,
                Guard::Once | Guard::OnceInStage => needs.past = true,
                Guard::WithinStage { .. } | Guard::NotBefore { .. } | Guard::AfterStage { .. } => needs.detained = true,
                Guard::HasChargeIn { .. }
                | Guard::NoChargeIn { .. }
                | Guard::EarlyTerminationAllowed
                | Guard::ComplexityIs { .. } => {}
            }
        }
        needs
    }
}

/// Codes of what stands against a transition on a day; none where it may be made.
pub fn refusals(
    law: &Catalogue,
    profile: &Profile,
    case: &Case,
    transition: &Transition,
    facts: &Facts,
    on: NaiveDate,
) -> Vec<&'static str> {
    let mut failed = Vec::new();
    if !profile.registers(&facts.agency_kind, &transition.actors) {
        failed.push("actor_not_competent");
    }
    failed
        .extend(transition.guards.iter().filter(|g| !holds(law, profile, case, transition, g, facts, on)).map(Guard::code));
    failed
}

fn holds(
    law: &Catalogue,
    profile: &Profile,
    case: &Case,
    transition: &Transition,
    guard: &Guard,
    facts: &Facts,
    on: NaiveDate,
) -> bool {
    let here = || facts.charges.iter().filter(|c| c.is_here());
    let term = |amount: u32, day_type| {
        law.calendar(&case.jurisdiction).add(case.detail.stage_since, amount, TimeUnit::Day, day_type, facts.detained)
    };
    match guard {
        Guard::HasIdentifiedAccused => facts.identified,
        Guard::NoIdentifiedAccused => !facts.identified,
        Guard::HasChargeIn { states } => here().any(|c| states.contains(&c.state)),
        Guard::NoChargeIn { states } => !here().any(|c| states.contains(&c.state)),
        Guard::ElementsKnown { offences } => {
            let open = here().filter(|c| c.is_open(profile) && offences.contains(&c.offence_code));
            // A charge that names nobody is about all of them.
            let unclear = |c: &Charge| {
                facts.unclear.iter().any(|victim| c.detail.victims.is_empty() || c.detail.victims.contains(victim))
            };
            !open.into_iter().any(unclear)
        }
        Guard::NoOpenReferral => facts.open_referrals == 0,
        Guard::EarlyTerminationAllowed => !here()
            .filter(|c| c.is_open(profile))
            .any(|c| law.offence(&c.offence_code).is_some_and(|o| o.allows_early_termination == Known::No)),
        Guard::ComplexityIs { any } => any.contains(&case.detail.complexity),
        Guard::WithinStage { amount, day_type } => on <= term(*amount, *day_type),
        Guard::NotBefore { amount, day_type } => on >= term(*amount, *day_type),
        Guard::AfterStage { amount, day_type } => on > term(*amount, *day_type),
        Guard::Once => facts.past.iter().all(|p| p.trigger != transition.trigger),
        Guard::OnceInStage => {
            let stay = facts.past.iter().rev().take_while(|p| p.from == p.to);
            stay.into_iter().all(|p| p.trigger != transition.trigger)
        }
    }
}

/// What a request says of a transition, apart from persons and files.
#[derive(Clone, Debug)]
pub struct Asked<'r> {
    /// Whose act.
    pub actor: Option<&'r str>,
    /// Kind of the act.
    pub legal_act: Option<&'r str>,
    /// The court or office that issued it.
    pub authority: Option<&'r str>,
    /// The charges that it covers; all if not said.
    pub charges: Option<&'r [ChargeId]>,
    /// Verdicts.
    pub verdicts: &'r [VerdictInput],
    /// The record of it.
    pub record: TransitionId,
    /// Day from which it counts.
    pub on: NaiveDate,
    /// When it is registered.
    pub now: Timestamp,
    /// By whom.
    pub by: &'r AgencyCode,
}

/// What a transition will do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Stage after.
    pub to: String,
    /// Whose act it is.
    pub actor: Option<String>,
    /// Charges that move.
    pub moved: Vec<Moved>,
    /// What it does besides.
    pub effect: Option<Effect>,
}

/// Plans a transition whose guards hold: every fault of the request at once, or what it does.
pub fn plan(
    law: &Catalogue,
    profile: &Profile,
    case: &Case,
    transition: &Transition,
    facts: &Facts,
    asked: &Asked<'_>,
) -> Result<Plan> {
    let mut faults = Vec::new();
    match asked.legal_act {
        None if !transition.legal_acts.is_empty() => faults.push(Fault::body("/legal_act", FaultCode::Required)),
        Some(kind) if !transition.legal_acts.iter().any(|k| k == kind) => {
            faults.push(Fault::body("/legal_act/type", FaultCode::Enum));
        }
        _ => {}
    }
    if asked.actor.is_some_and(|a| !transition.actors.iter().any(|known| known == a)) {
        faults.push(Fault::body("/actor", FaultCode::Enum));
    }
    let mut moved: Vec<Moved> = facts.charges.iter().filter(|c| c.is_here()).cloned().map(Moved::new).collect();
    if let Some(named) = asked.charges {
        if !transition.partial {
            faults.push(Fault::body("/charges", FaultCode::CrossField));
        } else if named.is_empty() {
            faults.push(Fault::body("/charges", FaultCode::MinItems));
        }
        for (index, id) in named.iter().enumerate() {
            if !moved.iter().any(|m| m.charge.id == *id) {
                faults.push(Fault::body(format!("/charges/{index}"), FaultCode::ReferenceNotFound));
            } else if named.iter().take(index).any(|other| other == id) {
                faults.push(Fault::body(format!("/charges/{index}"), FaultCode::UniqueItems));
            }
        }
        moved.retain(|m| named.contains(&m.charge.id));
    }
    match &transition.verdicts {
        Some(rule) => pronounce(law, profile, case, rule, asked, &mut moved, &mut faults),
        None if !asked.verdicts.is_empty() => faults.push(Fault::body("/verdicts", FaultCode::CrossField)),
        None => {}
    }
    no_faults(faults)?;
    for trigger in &transition.charges {
        let step = profile.charge_transition(trigger).ok_or_else(|| Error::internal("unchecked profile"))?;
        for one in &mut moved {
            if one.step(step, asked.now)
                && let (Some(rule), Some(outcome)) = (&transition.verdicts, &step.outcome)
                && rule.required == Required::None
            {
                // What was awarded for the conviction falls with it.
                one.pronounce(judgment(rule, asked).bare(outcome, Vec::new()));
            }
        }
    }
    if asked.charges.is_some() && moved.iter().any(|m| m.steps.is_empty()) {
        return Err(Error::StateConflict(vec!["charge_state".into()]));
    }
    moved.retain(|m| !m.steps.is_empty());
    Ok(Plan {
        to: transition.to.clone().unwrap_or_else(|| case.stage.clone()),
        actor: asked.actor.map(str::to_owned).or_else(|| transition.actors.first().cloned()),
        moved,
        effect: transition.effect,
    })
}

fn judgment(rule: &VerdictRule, asked: &Asked<'_>) -> Judgment {
    Judgment {
        transition: asked.record,
        instance: rule.instance.clone(),
        on: Day::from_date(asked.on),
        court: asked.authority.map(str::to_owned),
        reduction: rule.reduction,
        now: asked.now,
        by: asked.by.clone(),
    }
}

fn pronounce(
    law: &Catalogue,
    profile: &Profile,
    case: &Case,
    rule: &VerdictRule,
    asked: &Asked<'_>,
    moved: &mut [Moved],
    faults: &mut Vec<Fault>,
) {
    let judgment = judgment(rule, asked);
    let way = |outcome: &str| match outcome {
        "convicted" => rule.convicted.as_deref(),
        "acquitted" => rule.acquitted.as_deref(),
        _ => None,
    };
    let decides = |charge: &Charge| {
        [&rule.convicted, &rule.acquitted]
            .into_iter()
            .flatten()
            .filter_map(|t| profile.charge_transition(t))
            .any(|t| t.from.contains(&charge.state))
    };
    if rule.required == Required::None && !asked.verdicts.is_empty() {
        faults.push(Fault::body("/verdicts", FaultCode::CrossField));
        return;
    }
    for (index, given) in asked.verdicts.iter().enumerate() {
        let at = format!("/verdicts/{index}");
        let Some(step) = way(&given.outcome).and_then(|t| profile.charge_transition(t)) else {
            faults.push(Fault::body(format!("{at}/outcome"), FaultCode::Enum));
            continue;
        };
        if asked.verdicts.iter().take(index).any(|other| other.charge_id == given.charge_id) {
            faults.push(Fault::body(format!("{at}/charge_id"), FaultCode::UniqueItems));
            continue;
        }
        let Some(one) = moved.iter_mut().find(|m| m.charge.id == given.charge_id) else {
            faults.push(Fault::body(format!("{at}/charge_id"), FaultCode::ReferenceNotFound));
            continue;
        };
        let verdict = judgment.pronounce(law, given, one.charge.band(law, case.fact_date()), &at, faults);
        if one.step(step, asked.now) {
            one.pronounce(verdict);
        } else {
            // It stands where this outcome cannot begin: another verdict on it is the one that counts.
            faults.push(Fault::body(format!("{at}/charge_id"), FaultCode::CrossField));
        }
    }
    let undecided = moved.iter().any(|m| m.steps.is_empty() && decides(&m.charge));
    let missing = match rule.required {
        Required::Every => undecided,
        Required::Some => asked.verdicts.is_empty(),
        Required::Optional | Required::None => false,
    };
    if missing {
        faults.push(Fault::body("/verdicts", FaultCode::Required));
    }
}

/// Plans a move of one charge on its own.
pub fn plan_charge(profile: &Profile, stage: &str, charge: &Charge, decision: &ChargeDecision<'_>) -> Result<Moved> {
    let refuse = |code: &'static str| Err(Error::StateConflict(vec![code.into()]));
    if !charge.is_here() {
        return refuse("charge_continued");
    }
    let Some(step) = profile.charge_transition(decision.trigger).filter(|t| t.from.contains(&charge.state)) else {
        return refuse("no_such_transition");
    };
    let failed = charge_refusals(profile, stage, step, decision.agency_kind);
    if !failed.is_empty() {
        return Err(Error::StateConflict(failed.into_iter().map(Into::into).collect()));
    }
    let mut moved = Moved::new(charge.clone());
    moved.step(step, decision.now);
    Ok(moved)
}

/// Codes of what stands against a move of a charge on its own.
pub fn charge_refusals(
    profile: &Profile,
    stage: &str,
    step: &crate::catalogue::ChargeTransition,
    agency_kind: &str,
) -> Vec<&'static str> {
    let mut failed = Vec::new();
    match &step.own {
        None => failed.push("by_case_act"),
        Some(stages) if !stages.iter().any(|s| s == stage) => failed.push("case_stage"),
        Some(_) => {}
    }
    if !profile.registers(agency_kind, &step.actors) {
        failed.push("actor_not_competent");
    }
    failed
}
