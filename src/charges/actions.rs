//! What can be done with charges: one transaction each.

use super::model::{Charge, Draft, victim_faults};
use super::store::{self, Filter};
use super::verdicts::Verdict;
use super::wire::{ChargeCreate, ChargePatch, ChargeTransitionCreate, ChargeView};
use super::{Basis, ChargeDecision};
use crate::act::Act;
use crate::cases::actions::{Written, effective_day, must_match, profile_on};
use crate::cases::model::Case;
use crate::cases::procedure;
use crate::cases::{Section, Sight, head_for_write, sight};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, ChargeId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Field, PartialDate, Result};
use crate::ledger::{self, Action, Entry};
use crate::persons::merge_wire::merged_tag;
use crate::persons::merges;
use crate::transitions::{self, AvailableTransition, AvailableTransitions, TransitionView};
use crate::{accused, agencies, cases, victims};

fn written(charge: &Charge, sight: &Sight, replayed: bool) -> Written<ChargeView> {
    let view = charge.view(sight);
    Written { tag: format!("{}{}", sight.view(), merged_tag(&view.merged)), view, replayed }
}

/// Charges an accused of a case of the caller's agency.
pub async fn make_charge(store: &Store, act: Act, once: Once, new: ChargeCreate) -> Result<Written<ChargeView>> {
    let id: ChargeId = act.id(new.case_id.bucket());
    store
        .write(move |tx| {
            let ChargeCreate { case_id, mut accused_id, offence_code, article, role, aggravators, mut victims } =
                new.clone();
            let head = match head_for_write(tx, &act.scope, case_id) {
                // The case is named in the body, so its absence is a fault of the body.
                Err(Error::NotFound) => return Err(Error::field("/case_id", FaultCode::ReferenceNotFound)),
                head => head?,
            };
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&store::find(tx, ChargeId::from_uuid(resource.uuid()))?, &head.sight, true));
            }
            let mut faults = Vec::new();
            let (suspects, persons) = (accused::in_case(tx, case_id)?, victims::in_case(tx, case_id)?);
            // Whoever names the survivor of a merge means the record under which the person is in the case.
            accused_id = merges::placed(tx, accused_id, &suspects)?;
            for victim in &mut victims {
                *victim = merges::placed(tx, *victim, &persons)?;
            }
            if !suspects.contains(&accused_id) {
                faults.push(Fault::body("/accused_id", FaultCode::ReferenceNotFound));
            }
            victim_faults(&victims, &persons, "", &mut faults);
            let draft = Draft { accused: accused_id, offence_code, article, role, aggravators, victims };
            let first = head.case.initial_charge_state(&act.catalogue).unwrap_or_default();
            let charge = Charge::make(draft, "", &act, case_id, head.case.fact_date(), &first, &mut faults);
            no_faults(faults)?;
            let mut charge = Charge { id, ..charge.ok_or_else(|| Error::internal("a charge without faults is there"))? };
            store::redirect(tx, std::slice::from_mut(&mut charge))?;
            let entries = store::insert(tx, &act, std::slice::from_ref(&charge))?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&charge, &head.sight, false))
        })
        .await
}

/// A charge of a case that the caller may see.
fn find(conn: &mut Conn, act: &Act, id: ChargeId) -> Result<(Charge, Sight)> {
    let charge = store::find(conn, id)?;
    let sight = sight(conn, &act.scope, charge.case)?;
    sight.must_see(Section::Charges)?;
    Ok((charge, sight))
}

/// One charge.
pub async fn read_charge(store: &Store, act: &Act, id: ChargeId) -> Result<Written<ChargeView>> {
    let act = act.clone();
    store
        .read_few(move |conn| {
            let (charge, sight) = find(conn, &act, id)?;
            Ok(written(&charge, &sight, false))
        })
        .await
}

/// One page of a case's charges.
pub async fn list_charges(
    store: &Store,
    act: &Act,
    case: CaseId,
    filter: Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ChargeView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let sight = sight(conn, &scope, case)?;
            sight.must_see(Section::Charges)?;
            // Whoever may not see the accused must not find out by a filter whom a charge is against.
            if filter.accused.is_some() {
                sight.must_see(Section::Accused)?;
            }
            Ok(store::list(conn, case, &filter, after.as_ref(), limit)?.map(|c| c.view(&sight)))
        })
        .await
}

/// Changes a charge.
pub async fn amend_charge(
    store: &Store,
    act: Act,
    id: ChargeId,
    version: i64,
    patch: ChargePatch,
) -> Result<Written<ChargeView>> {
    store.write(move |tx| amended(tx, &act, id, version, patch.clone())).await
}

/// The same, in a transaction that does more.
pub fn amended(tx: &mut Conn, act: &Act, id: ChargeId, version: i64, patch: ChargePatch) -> Result<Written<ChargeView>> {
    change(tx, act, id, Some(version), patch).map(|(written, _)| written)
}

/// The same, at whatever version it stands where none is named. Answers the pointers that changed, too.
pub fn change(
    tx: &mut Conn,
    act: &Act,
    id: ChargeId,
    version: Option<i64>,
    patch: ChargePatch,
) -> Result<(Written<ChargeView>, Vec<String>)> {
    let (mut charge, sight) = find(tx, act, id)?;
    sight.must_own()?;
    let read_at = charge.version;
    must_match(read_at, version.unwrap_or(read_at))?;
    let head = head_for_write(tx, &act.scope, charge.case)?;
    may_change(act, &head.case, &charge, &patch)?;
    let known = victims::in_case(tx, charge.case)?;
    let mut patch = patch;
    if let Field::Set(victims) = &mut patch.victims {
        for victim in victims {
            *victim = merges::placed(tx, *victim, &known)?;
        }
    }
    let changed = charge.amend(patch, act, head.case.fact_date(), &known)?;
    if !changed.is_empty() {
        store::update(tx, &charge, read_at)?;
        store::redirect(tx, std::slice::from_mut(&mut charge))?;
        let entry = Entry::new(Action::Updated, id, Some(charge.version)).changed(changed.clone());
        ledger::append(tx, &act.actor, act.now, vec![entry])?;
    }
    Ok((written(&charge, &sight, false), changed))
}

/// A charge that went on elsewhere is amended there; another offence is for as long as the profile says.
fn may_change(act: &Act, case: &Case, charge: &Charge, patch: &ChargePatch) -> Result<()> {
    if !charge.is_here() {
        return Err(Error::StateConflict(vec!["charge_continued".into()]));
    }
    let other = patch.offence_code.value().is_some_and(|code| *code != charge.offence_code);
    let profile = profile_on(&act.catalogue, case, effective_day(&act.catalogue, case, None, act.now)?)?;
    let open = profile.charge_transition("recharacterise").is_some_and(|t| t.from.contains(&charge.state));
    if other && !open {
        return Err(Error::StateConflict(vec!["charge_state".into()]));
    }
    Ok(())
}

/// Moves a charge on its own.
pub async fn move_charge(
    store: &Store,
    act: Act,
    once: Once,
    id: ChargeId,
    version: i64,
    new: ChargeTransitionCreate,
) -> Result<Written<ChargeView>> {
    store
        .write(move |tx| {
            let (charge, sight) = find(tx, &act, id)?;
            sight.must_own()?;
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&charge, &sight, true));
            }
            must_match(charge.version, version)?;
            let case = head_for_write(tx, &act.scope, charge.case)?.case;
            let on = effective_day(&act.catalogue, &case, new.effective_on, act.now)?;
            let profile = profile_on(&act.catalogue, &case, on)?;
            let agency_kind = agencies::kind(tx, act.agency())?;
            let decision = ChargeDecision { trigger: &new.trigger, agency_kind: &agency_kind, now: act.now };
            let moved = procedure::plan_charge(profile, &case.stage, &charge, &decision)?;
            let basis = Basis {
                legal_act: Some(new.legal_act.clone()),
                effective_on: PartialDate::from_date(on),
                reason: new.reason.clone(),
                actor: profile.charge_transition(&new.trigger).and_then(|t| t.actors.first().cloned()),
                case: None,
            };
            let entries = store::put(tx, &act, std::slice::from_ref(&moved), &basis)?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&moved.charge, &sight, false))
        })
        .await
}

/// Every move out of the charge's state, and what stands against making it on its own.
pub async fn available(store: &Store, act: &Act, id: ChargeId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (charge, sight) = find(conn, &act, id)?;
            let (case, _) = cases::store::find(conn, &act.scope, charge.case)?;
            let profile = profile_on(&act.catalogue, &case, effective_day(&act.catalogue, &case, None, act.now)?)?;
            let kind = agencies::kind(conn, act.agency())?;
            let items = profile
                .charge_transitions
                .iter()
                .filter(|t| t.from.contains(&charge.state))
                .map(|step| {
                    let mut failed = procedure::charge_refusals(profile, &case.stage, step, &kind);
                    if !charge.is_here() {
                        failed.push("charge_continued");
                    }
                    if sight.must_own().is_err() {
                        failed.push("owner_only");
                    }
                    AvailableTransition {
                        trigger: step.trigger.clone(),
                        to: step.to.clone().unwrap_or_else(|| charge.state.clone()),
                        label: step.labels.get(lang).to_owned(),
                        basis: Some(step.basis.clone()).filter(|b| !b.is_empty()),
                        requires_legal_act: true,
                        legal_acts: Vec::new(),
                        actors: step.actors.clone(),
                        allowed: failed.is_empty(),
                        failed_guards: failed.into_iter().map(str::to_owned).collect(),
                    }
                })
                .collect();
            Ok(AvailableTransitions { state: charge.state.clone(), items })
        })
        .await
}

/// The moves of a charge, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: ChargeId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (charge, ..) = find(conn, &act, id)?;
            transitions::list(conn, charge.case, id, after.as_ref(), limit)
        })
        .await
}

/// The verdicts on a charge.
pub async fn verdicts(store: &Store, act: &Act, id: ChargeId) -> Result<Vec<Verdict>> {
    let act = act.clone();
    store.read(move |conn| Ok(find(conn, &act, id)?.0.detail.verdicts)).await
}

/// The changes of a charge, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: ChargeId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ledger::append::Event>> {
    let act = act.clone();
    store
        .read(move |conn| {
            find(conn, &act, id)?;
            ledger::append::history(conn, id, after.as_ref(), limit)
        })
        .await
}
