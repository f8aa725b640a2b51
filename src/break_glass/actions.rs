//! What can be done about breaking glass: one transaction each.

use super::model::BreakGlass;
use super::store;
use super::wire::{BreakGlassCreate, BreakGlassTransitionCreate, BreakGlassView, Trigger};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::{Relation, sight};
use crate::cases::glass;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{BreakGlassId, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::transitions::{self, Done, TransitionView};
use crate::victims;

/// The view part of the entity tag: all who see it see the same.
const TAG: &str = "b";

/// How a caller stands to a break-glass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Its agency invoked it.
    Invoker,
    /// It reviews: the case's owner, or oversight.
    Reviewer,
}

fn written(glass: &BreakGlass, act: &Act, replayed: bool) -> Written<BreakGlassView> {
    Written { view: glass.view(act.now), tag: TAG.to_owned(), replayed }
}

fn find(conn: &mut Conn, act: &Act, id: BreakGlassId) -> Result<(BreakGlass, Standing)> {
    let found = store::find(conn, id)?;
    if !act.scope.oversight() && found.agency == *act.agency() {
        return Ok((found, Standing::Invoker));
    }
    match sight(conn, &act.scope, found.case)?.relation {
        Relation::Owner | Relation::Oversight => Ok((found, Standing::Reviewer)),
        Relation::Participant => Err(Error::NotFound),
    }
}

/// Opens a case that was not shared, or asks a second person to. The owner and oversight find it on their desks.
pub async fn invoke(store: &Store, act: Act, once: Once, new: BreakGlassCreate) -> Result<Written<BreakGlassView>> {
    let case = new.case_id;
    let id: BreakGlassId = act.id(case.bucket());
    let client = act.actor.client.ok_or_else(|| Error::internal("break-glass without a client"))?;
    let (glass, faults) = BreakGlass::invoke(new, &act, id, client);
    store
        .write(move |tx| {
            // A supervisor sees every case, and no identity, in no emergency.
            if act.scope.oversight() {
                return Err(Error::OwnerOnly);
            }
            let mut faults = faults.clone();
            let owner = match glass::owner(tx, case) {
                Ok(owner) => owner,
                Err(Error::NotFound) => {
                    faults.push(Fault::body("/case_id", FaultCode::ReferenceNotFound));
                    return no_faults(faults).and(Err(Error::NotFound));
                }
                Err(other) => return Err(other),
            };
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&store::find(tx, BreakGlassId::from_uuid(resource.uuid()))?, &act, true));
            }
            if owner == *act.agency() {
                faults.push(Fault::body("/case_id", FaultCode::CrossField));
            }
            no_faults(faults)?;
            let mut glass = glass.clone();
            if !victims::any_minor(tx, case)? {
                glass.alone(act.now);
            }
            store::insert(tx, &glass, &owner)?;
            let mut entries = vec![Entry::new(Action::Created, id, Some(1)).agency(act.agency())];
            entries.extend(open(tx, &glass)?);
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&glass, &act, false))
        })
        .await
}

/// Lets the agency look from now on, where the break-glass has begun; answers the ledger entry.
fn open(tx: &mut Conn, broken: &BreakGlass) -> Result<Option<Entry>> {
    let Some(until) = broken.until else { return Ok(None) };
    glass::open(tx, &broken.agency, broken.case, broken.id, broken.sections(), until)?;
    Ok(Some(Entry::new(Action::Granted, broken.case, None).agency(&broken.agency)))
}

/// One break-glass.
pub async fn read(store: &Store, act: &Act, id: BreakGlassId) -> Result<Written<BreakGlassView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (found, _) = find(conn, &act, id)?;
            Ok(written(&found, &act, false))
        })
        .await
}

/// What happened to a break-glass, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: BreakGlassId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (found, _) = find(conn, &act, id)?;
            transitions::list(conn, found.case, id, after.as_ref(), limit)
        })
        .await
}

/// One page of the caller's desk.
pub async fn list(
    store: &Store,
    act: &Act,
    reviewed: Option<bool>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<BreakGlassView>> {
    let act = act.clone();
    store
        .read(move |conn| Ok(store::list(conn, &act.scope, reviewed, after.as_ref(), limit)?.map(|g| g.view(act.now))))
        .await
}

/// Confirms it as a second person, or reviews it.
pub async fn make_move(
    store: &Store,
    act: Act,
    once: Once,
    id: BreakGlassId,
    version: i64,
    new: BreakGlassTransitionCreate,
) -> Result<Written<BreakGlassView>> {
    let record: TransitionId = act.id(id.bucket());
    store
        .write(move |tx| {
            let (before, standing) = find(tx, &act, id)?;
            let needed = match new.trigger {
                Trigger::Confirm => Standing::Invoker,
                Trigger::Review => Standing::Reviewer,
            };
            if standing != needed {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, &act, true));
            }
            must_match(before.version, version)?;
            let mut after = before.clone();
            after.moved(&new, &act)?;
            store::update(tx, &after, version)?;
            let (trigger, from, to) = (new.trigger.as_str(), before.state.as_str(), after.state.as_str());
            let mut entries = vec![Entry::new(Action::Transitioned, id, Some(after.version)).moved(trigger, from, to)];
            match (before.until, after.until) {
                (None, Some(_)) => entries.extend(open(tx, &after)?),
                (Some(planned), Some(until)) if until < planned => {
                    glass::shorten(tx, &after.agency, after.case, id, until)?;
                    entries.push(Entry::new(Action::Revoked, after.case, None).agency(&after.agency));
                }
                _ => {}
            }
            transitions::append(
                tx,
                &act,
                after.case,
                id,
                &Done {
                    id: record,
                    trigger: trigger.to_owned(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                    legal_act: None,
                    effective_on: None,
                    reason: None,
                    version: after.version,
                    reach: transitions::Reach::default(),
                },
            )?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&after, &act, false))
        })
        .await
}
