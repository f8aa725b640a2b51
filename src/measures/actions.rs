//! What can be done with measures: one transaction each.

use chrono::NaiveDate;

use super::model::Measure;
use super::states::{Trigger, after};
use super::store::{self, Filter};
use super::wire::{MeasureCreate, MeasurePatch, MeasureTransitionCreate, MeasureView};
use super::{desk, states};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::cases::{Sight, docket, head_for_write, sight};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::ids::{CaseId, MeasureId, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Result};
use crate::ledger::{self, Action, Entry};
use crate::persons::merge_wire::merged_tag;
use crate::persons::merges;
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};
use crate::{accused, deadlines, victims};

/// The day by which a measure has expired or not: that of UTC, as everywhere in the registry.
fn today(act: &Act) -> NaiveDate {
    act.now.date()
}

fn written(measure: &Measure, sight: &Sight, act: &Act, replayed: bool) -> Written<MeasureView> {
    let view = measure.view(today(act));
    Written { tag: format!("{}{}", sight.view(), merged_tag(&view.merged)), view, replayed }
}

/// Asks for a measure in a case of the caller's agency.
pub async fn request_measure(
    store: &Store,
    act: Act,
    once: Once,
    case: CaseId,
    new: MeasureCreate,
) -> Result<Written<MeasureView>> {
    let id: MeasureId = act.id(case.bucket());
    store
        .write(move |tx| {
            let head = head_for_write(tx, &act.scope, case)?;
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let stored = store::find(tx, MeasureId::from_uuid(resource.uuid()))?;
                return Ok(written(&stored, &head.sight, &act, true));
            }
            let (suspects, persons) = (accused::in_case(tx, case)?, victims::in_case(tx, case)?);
            // Whoever names the survivor of a merge means the record under which the person is in the case.
            let mut new = new.clone();
            new.accused_id = new.accused_id.map(|named| merges::placed(tx, named, &suspects)).transpose()?;
            new.victim_id = new.victim_id.map(|named| merges::placed(tx, named, &persons)).transpose()?;
            let mut measure = Measure::request(new, &act, id, case, &suspects, &persons)?;
            store::redirect(tx, std::slice::from_mut(&mut measure))?;
            store::insert(tx, &act, &measure)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, id, Some(1))])?;
            Ok(written(&measure, &head.sight, &act, false))
        })
        .await
}

/// A measure that the caller may see.
fn find(conn: &mut Conn, act: &Act, id: MeasureId) -> Result<(Measure, Sight)> {
    let measure = store::find(conn, id)?;
    let sight = sight(conn, &act.scope, measure.case)?;
    if measure.visible(&sight) { Ok((measure, sight)) } else { Err(Error::NotFound) }
}

/// One measure.
pub async fn read_measure(store: &Store, act: &Act, id: MeasureId) -> Result<Written<MeasureView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (measure, sight) = find(conn, &act, id)?;
            Ok(written(&measure, &sight, &act, false))
        })
        .await
}

/// One page of a case's measures.
pub async fn list_measures(
    store: &Store,
    act: &Act,
    case: CaseId,
    filter: Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<MeasureView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let sight = sight(conn, &act.scope, case)?;
            let today = today(&act);
            Ok(store::list(conn, &sight, case, &filter, after.as_ref(), limit)?.map(|m| m.view(today)))
        })
        .await
}

/// One page of the caller's desk: running measures, the one that ends first at the top.
pub async fn list_desk(
    store: &Store,
    act: &Act,
    filter: desk::Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<MeasureView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let Page { items, next } = desk::list(conn, &act.scope, &filter, after.as_ref(), limit)?;
            let measures = store::many(conn, &items)?;
            let mut cases: Vec<CaseId> = measures.iter().map(|m| m.case).collect();
            cases.sort();
            cases.dedup();
            let sights = docket::sights(conn, &act.scope, &cases)?;
            let today = today(&act);
            let items = measures
                .into_iter()
                // The desk gives the order; what may be seen is the docket's to say.
                .filter(|m| sights.iter().any(|(case, sight)| *case == m.case && m.visible(sight)))
                .map(|m| m.view(today))
                .collect();
            Ok(Page { items, next })
        })
        .await
}

/// Corrects a measure.
pub async fn amend_measure(
    store: &Store,
    act: Act,
    id: MeasureId,
    version: i64,
    patch: MeasurePatch,
) -> Result<Written<MeasureView>> {
    store
        .write(move |tx| {
            let (mut measure, sight) = find(tx, &act, id)?;
            sight.must_own()?;
            must_match(measure.version, version)?;
            let changed = measure.amend(patch.clone(), &act)?;
            if !changed.is_empty() {
                let owner = head_for_write(tx, &act.scope, measure.case)?.case.owner;
                store::update(tx, &measure, version, &owner)?;
                let entry = Entry::new(Action::Updated, id, Some(measure.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(written(&measure, &sight, &act, false))
        })
        .await
}

/// Moves a measure.
pub async fn move_measure(
    store: &Store,
    act: Act,
    once: Once,
    id: MeasureId,
    version: i64,
    new: MeasureTransitionCreate,
) -> Result<Written<MeasureView>> {
    let record: TransitionId = act.id(id.bucket());
    let trigger = new.trigger;
    store
        .write(move |tx| {
            let (mut measure, sight) = find(tx, &act, id)?;
            let case = head_for_write(tx, &act.scope, measure.case)?.case;
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&measure, &sight, &act, true));
            }
            must_match(measure.version, version)?;
            let from = measure.state;
            let next =
                after(measure.kind, from, trigger).ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            let failed = measure.failed_guards(trigger, today(&act));
            if !failed.is_empty() {
                return Err(Error::StateConflict(failed.into_iter().map(Into::into).collect()));
            }
            measure.make_move(next, &new, &act)?;
            store::update(tx, &measure, version, &case.owner)?;
            // A detention makes every day count, and its end no longer.
            deadlines::settle(tx, &act.catalogue, &case, act.now)?;
            transitions::append(
                tx,
                &act,
                measure.case,
                id,
                &Done {
                    id: record,
                    trigger: trigger.as_str().to_owned(),
                    from: from.as_str().to_owned(),
                    to: next.as_str().to_owned(),
                    legal_act: new.legal_act.clone(),
                    effective_on: new.effective_on,
                    reason: new.reason.clone(),
                    version: measure.version,
                    reach: transitions::Reach::default(),
                },
            )?;
            let entry = Entry::new(Action::Transitioned, id, Some(measure.version)).moved(
                trigger.as_str(),
                from.as_str(),
                next.as_str(),
            );
            ledger::append(tx, &act.actor, act.now, vec![entry])?;
            Ok(written(&measure, &sight, &act, false))
        })
        .await
}

/// Every transition out of the current state, and what stands against it for this caller.
pub async fn available(store: &Store, act: &Act, id: MeasureId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (measure, sight) = find(conn, &act, id)?;
            let items = Trigger::ALL
                .into_iter()
                .filter_map(|trigger| {
                    let next = states::after(measure.kind, measure.state, trigger)?;
                    let mut failed_guards: Vec<String> =
                        measure.failed_guards(trigger, today(&act)).into_iter().map(str::to_owned).collect();
                    if sight.must_own().is_err() {
                        failed_guards.push("owner_only".to_owned());
                    }
                    Some(AvailableTransition {
                        trigger: trigger.as_str().to_owned(),
                        to: next.as_str().to_owned(),
                        label: trigger.label(lang).to_owned(),
                        basis: None,
                        requires_legal_act: trigger.requires_legal_act(),
                        legal_acts: Vec::new(),
                        actors: Vec::new(),
                        allowed: failed_guards.is_empty(),
                        failed_guards,
                    })
                })
                .collect();
            Ok(AvailableTransitions { state: measure.state.as_str().to_owned(), items })
        })
        .await
}

/// The transitions of a measure, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: MeasureId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (measure, ..) = find(conn, &act, id)?;
            transitions::list(conn, measure.case, id, after.as_ref(), limit)
        })
        .await
}

/// The changes of a measure, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: MeasureId,
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
