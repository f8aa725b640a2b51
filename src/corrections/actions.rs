//! What can be done with proposals: one transaction each.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::model::{Correction, Detail, Record, Standing, State};
use super::store::{self, Side};
use super::wire::{CorrectionCreate, CorrectionTransitionCreate, CorrectionView, Trigger};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::Relation;
use crate::cases::{self, Sight};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CorrectionId, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};
use crate::{accused, charges, victims};

/// The view part of a proposal's entity tag: all who see it see the same.
const TAG: &str = "a";

fn written(correction: &Correction, replayed: bool) -> Written<CorrectionView> {
    Written { view: correction.view(), tag: TAG.to_owned(), replayed }
}

/// What a request is about, and the patch as written.
pub fn named(new: &CorrectionCreate) -> Result<(Record, Map<String, Value>)> {
    let CorrectionCreate { case_id: _, case, victim, accused, charge, reason, evidence } = new;
    let mut all: Vec<(Record, &Map<String, Value>)> = Vec::new();
    all.extend(case.iter().map(|c| (Record::Case, &c.patch.raw)));
    all.extend(victim.iter().map(|v| (Record::Victim(v.victim_id), &v.patch.raw)));
    all.extend(accused.iter().map(|a| (Record::Accused(a.accused_id), &a.patch.raw)));
    all.extend(charge.iter().map(|c| (Record::Charge(c.charge_id), &c.patch.raw)));
    let mut faults = Vec::new();
    let mut all = all.into_iter();
    let first = all.next();
    faults.extend(all.map(|(record, _)| Fault::body(format!("/{}", record.kind()), FaultCode::CrossField)));
    if first.is_none() {
        faults.push(Fault::body("/case", FaultCode::Required));
    }
    for (pointer, text) in [("/reason", Some(reason)), ("/evidence", evidence.as_ref())] {
        if text.is_some_and(|t| t.trim().is_empty()) {
            faults.push(Fault::body(pointer, FaultCode::MinLength));
        }
    }
    no_faults(faults)?;
    first.map(|(record, patch)| (record, patch.clone())).ok_or_else(|| Error::internal("one record is named"))
}

/// The patch as its type.
fn typed<T: DeserializeOwned>(patch: &Map<String, Value>) -> Result<T> {
    serde_json::from_value(Value::Object(patch.clone())).map_err(|_| Error::internal("a kept patch cannot be read"))
}

/// The record's version, and what the patch would change in it by the record's own rules. Changes nothing.
fn tried(conn: &mut Conn, act: &Act, of: &Correction, case: &cases::model::Case) -> Result<(i64, Vec<String>)> {
    let patch = of.detail.patch.clone().unwrap_or_default();
    let outcome = match of.record {
        Record::Case => {
            let mut copy = case.clone();
            (case.version, copy.amend(typed(&patch)?, act))
        }
        Record::Victim(id) => {
            let mut victim = victims::store::one(conn, id)?;
            victim.must_stand()?;
            (victim.version, victim.amend(typed(&patch)?, act))
        }
        Record::Accused(id) => {
            let mut accused = accused::store::one(conn, id)?;
            accused.must_stand()?;
            (accused.version, accused.amend(typed(&patch)?, act))
        }
        Record::Charge(id) => {
            let mut charge = charges::store::find(conn, id)?;
            let known = victims::in_case(conn, of.case)?;
            (charge.version, charge.amend(typed(&patch)?, act, case.fact_date(), &known))
        }
    };
    let (version, changed) = outcome;
    Ok((version, changed.map_err(|e| of.record.refused(e))?))
}

/// Whether the record is of the case and in sight there.
fn in_sight(conn: &mut Conn, of: &Correction, sight: &Sight) -> Result<bool> {
    Ok(of.record.seen(sight)
        && match of.record {
            Record::Case => true,
            Record::Victim(id) => victims::in_case(conn, of.case)?.contains(&id),
            Record::Accused(id) => accused::in_case(conn, of.case)?.contains(&id),
            Record::Charge(id) => match charges::store::find(conn, id) {
                Ok(charge) => charge.case == of.case,
                Err(Error::NotFound) => false,
                Err(other) => return Err(other),
            },
        })
}

/// Proposes a correction of a record that the caller sees in a case of another agency.
pub async fn propose(store: &Store, act: Act, once: Once, new: CorrectionCreate) -> Result<Written<CorrectionView>> {
    let (record, patch) = named(&new)?;
    let case = new.case_id;
    let id: CorrectionId = act.id(case.bucket());
    store
        .write(move |tx| {
            let (file, sight) = match cases::store::find(tx, &act.scope, case) {
                // The case is named in the body, so its absence is a fault of the body.
                Err(Error::NotFound) => return Err(Error::field("/case_id", FaultCode::ReferenceNotFound)),
                found => found?,
            };
            match sight.relation {
                // What is one's own is amended.
                Relation::Owner => return Err(Error::StateConflict(vec!["own_record".into()])),
                Relation::Oversight => return Err(Error::OwnerOnly),
                Relation::Participant => {}
            }
            let mut correction = Correction {
                id,
                version: 1,
                case,
                record,
                from: act.agency().clone(),
                owner: file.owner.clone(),
                state: State::Proposed,
                detail: Detail {
                    record_version: 0,
                    patch: Some(patch.clone()),
                    reason: Some(new.reason.clone()),
                    evidence: new.evidence.clone(),
                    answer: None,
                    decided_at: None,
                    applied_version: None,
                },
                created_at: act.now,
                updated_at: act.now,
            };
            if !in_sight(tx, &correction, &sight)? {
                let pointer = format!("/{}/{}_id", record.kind(), record.kind());
                return Err(Error::field(pointer, FaultCode::ReferenceNotFound));
            }
            let blind = record.blind_faults(&patch, &sight);
            if !blind.is_empty() {
                return Err(Error::FieldForbidden(blind));
            }
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&store::find(tx, CorrectionId::from_uuid(resource.uuid()))?, true));
            }
            let (version, changed) = tried(tx, &act, &correction, &file)?;
            if changed.is_empty() {
                return Err(Error::field(record.pointer(), FaultCode::CrossField));
            }
            correction.detail.record_version = version;
            store::insert(tx, &act, &correction)?;
            let entries = vec![Entry::new(Action::Created, id, Some(1)), about(&correction, Action::Created, changed)];
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&correction, false))
        })
        .await
}

/// The line in the record's own history: that something was proposed or decided, about which fields.
fn about(of: &Correction, action: Action, changed: Vec<String>) -> Entry {
    Entry::new(action, of.record.id(of.case), None).about("record_correction").changed(changed)
}

/// A proposal and how the caller stands to it.
fn find(conn: &mut Conn, act: &Act, id: CorrectionId) -> Result<(Correction, Standing)> {
    let correction = store::find(conn, id)?;
    let standing = correction.standing(&act.scope)?;
    Ok((correction, standing))
}

/// One proposal.
pub async fn read(store: &Store, act: &Act, id: CorrectionId) -> Result<Written<CorrectionView>> {
    let act = act.clone();
    store.read(move |conn| Ok(written(&find(conn, &act, id)?.0, false))).await
}

/// One page of one of the caller's boxes.
pub async fn list(
    store: &Store,
    act: &Act,
    side: Side,
    open: Option<bool>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<CorrectionView>> {
    let scope = act.scope.clone();
    store.read(move |conn| Ok(store::list(conn, &scope, side, open, after.as_ref(), limit)?.map(|c| c.view()))).await
}

/// The record that a proposal is about, for whoever checks the scope that answering it takes.
pub async fn record_of(store: &Store, act: &Act, id: CorrectionId) -> Result<Record> {
    let act = act.clone();
    store.read(move |conn| Ok(find(conn, &act, id)?.0.record)).await
}

/// Makes the change, as the record's owner would: its rules, its version, its entry in the ledger.
fn apply(tx: &mut Conn, act: &Act, of: &Correction, version: i64) -> Result<i64> {
    let patch = of.detail.patch.as_ref().ok_or(Error::Erased)?;
    let done = match of.record {
        Record::Case => cases::actions::amended(tx, act, of.case, version, typed(patch)?)?.view.version,
        Record::Victim(id) => victims::actions::amended(tx, act, id, version, typed(patch)?)?.view.version,
        Record::Accused(id) => accused::actions::amended(tx, act, id, version, typed(patch)?)?.view.version,
        Record::Charge(id) => charges::actions::amended(tx, act, id, version, typed(patch)?)?.view.version,
    };
    Ok(done)
}

/// Answers a proposal, or takes it back. An accepted one is applied in the same transaction.
pub async fn move_correction(
    store: &Store,
    act: Act,
    once: Once,
    id: CorrectionId,
    version: i64,
    new: CorrectionTransitionCreate,
) -> Result<Written<CorrectionView>> {
    let record: TransitionId = act.id(id.bucket());
    let trigger = new.trigger;
    store
        .write(move |tx| {
            let (before, standing) = find(tx, &act, id)?;
            if !standing.may(trigger) {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, true));
            }
            no_faults(trigger.faults(&new))?;
            must_match(before.version, version)?;
            let next = before.state.after(trigger).ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            let applied = match new.record_version.filter(|_| next == State::Accepted) {
                None => None,
                Some(seen) => Some(apply(tx, &act, &before, seen).map_err(|e| match e {
                    // The tag that did not match is the record's, and the request has it in its body.
                    Error::PreconditionFailed { .. } => Error::StateConflict(vec!["record_changed".into()]),
                    // The proposal was right when it was made; what speaks against it now is no fault of this request.
                    Error::Validation(_) => Error::StateConflict(vec!["record_refuses".into()]),
                    other => other,
                })?),
            };
            let mut after = before.clone();
            after.moved(next, new.reason.clone(), applied, act.now);
            store::update(tx, &after, version)?;
            let (from, to) = (before.state.as_str(), next.as_str());
            transitions::append(
                tx,
                &act,
                after.record.subject(after.case),
                id,
                &Done {
                    id: record,
                    trigger: trigger.as_str().to_owned(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                    legal_act: None,
                    effective_on: None,
                    reason: new.reason.clone(),
                    version: after.version,
                    reach: transitions::Reach::default(),
                },
            )?;
            let moved = |entry: Entry| entry.moved(trigger.as_str(), from, to);
            let entries = vec![
                moved(Entry::new(Action::Transitioned, id, Some(after.version))),
                moved(about(&after, Action::Transitioned, Vec::new())),
            ];
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&after, false))
        })
        .await
}

/// Every transition out of the current state, and what stands against it for this caller.
pub async fn available(store: &Store, act: &Act, id: CorrectionId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (correction, standing) = find(conn, &act, id)?;
            let items = Trigger::ALL
                .into_iter()
                .filter_map(|trigger| {
                    let next = correction.state.after(trigger)?;
                    let allowed = standing.may(trigger);
                    let against = if trigger == Trigger::Withdraw { "proposer_only" } else { "owner_only" };
                    Some(AvailableTransition {
                        trigger: trigger.as_str().to_owned(),
                        to: next.as_str().to_owned(),
                        label: trigger.label(lang).to_owned(),
                        basis: None,
                        requires_legal_act: false,
                        legal_acts: Vec::new(),
                        actors: Vec::new(),
                        allowed,
                        failed_guards: if allowed { Vec::new() } else { vec![against.to_owned()] },
                    })
                })
                .collect();
            Ok(AvailableTransitions { state: correction.state.as_str().to_owned(), items })
        })
        .await
}

/// The transitions of a proposal, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: CorrectionId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (correction, _) = find(conn, &act, id)?;
            transitions::list(conn, correction.record.subject(correction.case), id, after.as_ref(), limit)
        })
        .await
}
