//! What can be done with erasures. A decision is one transaction; what it destroys is another, after the list of those
//! erased has been written: a server that stops in between leaves an approved erasure, and the next try does the rest.

use std::borrow::Cow;

use super::model::{Erasure, Ground, State};
use super::store;
use super::wire::{ErasureCreate, ErasureTransitionCreate, ErasureView, Trigger};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::Relation;
use crate::catalogue::Catalogue;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::ErasureId;
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Result, Timestamp};
use crate::ledger::{self, Action, Actor, Entry};
use crate::persons::erasure::{self, Person};
use crate::retention::desk;
use crate::{retention, vault};

/// What stands against it, where that matters still.
fn against(conn: &mut Conn, law: &Catalogue, erasure: &Erasure) -> Result<Vec<Cow<'static, str>>> {
    if erasure.state != State::Proposed {
        return Ok(Vec::new());
    }
    erasure::against(conn, law, erasure.person, erasure.detail.best_interest.is_some())
}

fn written(conn: &mut Conn, law: &Catalogue, erasure: &Erasure, replayed: bool) -> Result<Written<ErasureView>> {
    let against = against(conn, law, erasure)?;
    // What stands against it changes without it, and with that the representation.
    let tag = format!("e{}", against.iter().filter_map(|guard| guard.chars().next()).collect::<String>());
    Ok(Written { view: erasure.view(&against), tag, replayed })
}

/// Proposes to erase a person whom the caller's agency owns a case of, or whom it supervises.
pub async fn propose(store: &Store, act: Act, once: Once, new: ErasureCreate) -> Result<Written<ErasureView>> {
    let ground = Ground::read(new, &act.catalogue)?;
    let id: ErasureId = act.id(ground.person.subject().bucket());
    store
        .write(move |tx| {
            let person = ground.person;
            match person.relation(tx, &act.scope) {
                Ok(Relation::Owner | Relation::Oversight) => {}
                Ok(Relation::Participant) => return Err(Error::OwnerOnly),
                Err(Error::NotFound) => {
                    let pointer = if person.kind() == "victim" { "/victim_id" } else { "/accused_id" };
                    no_faults(vec![Fault::body(pointer, FaultCode::ReferenceNotFound)])?;
                }
                Err(other) => return Err(other),
            }
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let stored = store::find(tx, ErasureId::from_uuid(resource.uuid()))?;
                return written(tx, &act.catalogue, &stored, true);
            }
            let proposed = Erasure::propose(id, ground.clone(), act.agency(), Some(&act), act.now);
            enter(tx, &act.actor, &proposed, Some(act.scope.lane()))?;
            written(tx, &act.catalogue, &proposed, false)
        })
        .await
}

/// Registers a proposal and lays it on the desks of those whom it concerns.
pub fn enter(tx: &mut Conn, actor: &Actor, proposed: &Erasure, lane: Option<&str>) -> Result<()> {
    let person = proposed.person;
    if vault::is_gone(tx, person.subject())? {
        return Err(Error::Erased);
    }
    if person.survivor(tx)? != person {
        return Err(Error::StateConflict(vec!["merged".into()]));
    }
    store::insert(tx, proposed)?;
    let cases = person.cases(tx)?;
    let lanes = desk::lanes(tx, &cases, lane)?;
    desk::lay(tx, &lanes, proposed.id, true)?;
    ledger::append(tx, actor, proposed.created_at, vec![Entry::new(Action::Created, proposed.id, Some(1))])
}

fn find(conn: &mut Conn, act: &Act, id: ErasureId) -> Result<Erasure> {
    if desk::holds(conn, &act.scope, id)? { store::find(conn, id) } else { Err(Error::NotFound) }
}

/// One erasure.
pub async fn read(store: &Store, act: &Act, id: ErasureId) -> Result<Written<ErasureView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let found = find(conn, &act, id)?;
            written(conn, &act.catalogue, &found, false)
        })
        .await
}

/// One page of the caller's desk.
pub async fn list(
    store: &Store,
    act: &Act,
    open: Option<bool>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ErasureView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let Page { items, next } = desk::list(conn, &act.scope, open, after.as_ref(), limit)?;
            let mut views = Vec::with_capacity(items.len());
            for erasure in store::many(conn, &items)? {
                let against = against(conn, &act.catalogue, &erasure)?;
                views.push(erasure.view(&against));
            }
            Ok(Page { items: views, next })
        })
        .await
}

/// Approves, rejects or withdraws an erasure; what is approved is done before this answers.
pub async fn make_move(
    store: &Store,
    act: Act,
    once: Once,
    id: ErasureId,
    version: i64,
    new: ErasureTransitionCreate,
) -> Result<Written<ErasureView>> {
    let (deciding, trigger) = (act.clone(), new.trigger);
    let replayed = store.write(move |tx| decide(tx, &deciding, &once, id, version, &new)).await?;
    if trigger == Trigger::Approve {
        execute(store, &act.actor, id, act.now).await?;
    }
    let read = read(store, &act, id).await?;
    Ok(Written { replayed, ..read })
}

fn decide(
    tx: &mut Conn,
    act: &Act,
    once: &Once,
    id: ErasureId,
    version: i64,
    new: &ErasureTransitionCreate,
) -> Result<bool> {
    let before = find(tx, act, id)?;
    if new.trigger == Trigger::Withdraw && before.agency != *act.agency() {
        return Err(Error::OwnerOnly);
    }
    let claim = idempotency::claim(tx, once, id.erase(), version + 1, act.now)?;
    if let Claim::Replay { .. } = claim {
        return Ok(true);
    }
    must_match(before.version, version)?;
    no_faults(Erasure::faults(new))?;
    // Agreed already, and broken off: this try does the rest.
    if before.state == State::Approved && new.trigger == Trigger::Approve {
        return Ok(false);
    }
    let mut after = before.clone();
    after.moved(new, act)?;
    if after.state == State::Approved {
        let against = erasure::against(tx, &act.catalogue, after.person, after.detail.best_interest.is_some())?;
        if !against.is_empty() {
            return Err(Error::StateConflict(against));
        }
    }
    store::update(tx, &after, version)?;
    let (trigger, from, to) = (new.trigger.as_str(), before.state.as_str(), after.state.as_str());
    if !after.state.open() {
        close(tx, &after)?;
        retention::actions::refused(tx, &act.actor, after.person, id, act.now)?;
    }
    let entry = Entry::new(Action::Transitioned, id, Some(after.version)).moved(trigger, from, to);
    ledger::append(tx, &act.actor, act.now, vec![entry])?;
    Ok(false)
}

fn close(tx: &mut Conn, erasure: &Erasure) -> Result<()> {
    let cases = erasure.person.cases(tx)?;
    let lanes = desk::lanes(tx, &cases, None)?;
    desk::lay(tx, &lanes, erasure.id, false)?;
    // Whoever asked may own none of the cases.
    let asked = erasure.agency.to_string();
    if lanes.contains(&asked) { Ok(()) } else { desk::close_if_there(tx, &asked, erasure.id) }
}

/// Destroys what an approved erasure says; done already, it does nothing.
pub async fn execute(store: &Store, actor: &Actor, id: ErasureId, now: Timestamp) -> Result<()> {
    let approved = store
        .read(move |conn| {
            let found = store::find(conn, id)?;
            if found.state == State::Approved {
                erasure::list(conn, found.person, now)?;
            }
            Ok(found.state == State::Approved)
        })
        .await?;
    if !approved {
        return Ok(());
    }
    let actor = actor.clone();
    store
        .write(move |tx| {
            let before = store::find(tx, id)?;
            if before.state != State::Approved {
                return Ok(());
            }
            let mut after = before.clone();
            after.executed(now);
            let records: Vec<Person> = after.person.records(tx)?;
            after.detail.other_records = records.into_iter().skip(1).map(Person::subject).collect();
            after.detail.cases = i64::try_from(after.person.cases(tx)?.len()).unwrap_or(i64::MAX);
            after.detail.entry_agency.clone_from(&actor.agency);
            after.detail.entry = Some(erasure::destroy(tx, after.person, &actor, now, &before.detail.basis)?);
            store::update(tx, &after, before.version)?;
            close(tx, &after)?;
            let (from, to) = (before.state.as_str(), after.state.as_str());
            let entry = Entry::new(Action::Transitioned, id, Some(after.version)).moved("execute", from, to);
            ledger::append(tx, &actor, now, vec![entry])
        })
        .await
}
