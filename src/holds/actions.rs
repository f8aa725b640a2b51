//! What can be done with legal holds: one transaction each.

use super::model::{Held, LegalHold};
use super::store;
use super::wire::{LegalHoldCreate, LegalHoldTransitionCreate, LegalHoldView};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::{Relation, sight};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, LegalHoldId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::persons::erasure::Person;
use crate::retention::desk;
use crate::{accused, erasures, victims};

/// The view part of the entity tag: all who see it see the same.
const TAG: &str = "h";

fn written(hold: &LegalHold, replayed: bool) -> Written<LegalHoldView> {
    Written { view: hold.view(), tag: TAG.to_owned(), replayed }
}

/// The cases that something is of.
pub fn cases(conn: &mut Conn, held: Held) -> Result<Vec<CaseId>> {
    match held {
        Held::Case(id) => Ok(vec![id]),
        Held::Person(person) => person.cases(conn),
    }
}

/// How the caller stands to a case or a person; `NotFound` if it is not in sight.
pub fn relation(conn: &mut Conn, scope: &Scope, held: Held) -> Result<Relation> {
    match held {
        Held::Case(id) => sight(conn, scope, id).map(|sight| sight.relation),
        Held::Person(person) => person.relation(conn, scope),
    }
}

/// Those whose erasure a hold on this stops.
fn persons(conn: &mut Conn, held: Held) -> Result<Vec<Person>> {
    let records: Vec<Person> = match held {
        Held::Person(person) => vec![person],
        Held::Case(id) => {
            let harmed = victims::in_case(conn, id)?.into_iter().map(Person::Victim);
            harmed.chain(accused::in_case(conn, id)?.into_iter().map(Person::Accused)).collect()
        }
    };
    let mut persons = records.into_iter().map(|record| record.survivor(conn)).collect::<Result<Vec<_>>>()?;
    persons.sort();
    persons.dedup();
    Ok(persons)
}

/// Places a hold on something that the caller's agency owns, or that it supervises.
pub async fn place(store: &Store, act: Act, once: Once, new: LegalHoldCreate) -> Result<Written<LegalHoldView>> {
    let hold = LegalHold::place(new, &act)?;
    let client = act.actor.client.ok_or_else(|| Error::internal("a hold without a client"))?;
    store
        .write(move |tx| {
            match relation(tx, &act.scope, hold.held) {
                Ok(Relation::Owner | Relation::Oversight) => {}
                Ok(Relation::Participant) => return Err(Error::OwnerOnly),
                Err(Error::NotFound) => {
                    no_faults(vec![Fault::body(hold.held.pointer(), FaultCode::ReferenceNotFound)])?;
                }
                Err(other) => return Err(other),
            }
            let claim = idempotency::claim(tx, &once, hold.id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&store::find(tx, LegalHoldId::from_uuid(resource.uuid()))?, true));
            }
            // A decision to erase that was made already is stronger than a hold that comes after it.
            for person in persons(tx, hold.held)? {
                erasures::hold_back(tx, person, act.now)?;
            }
            store::insert(tx, &hold, client)?;
            let cases = cases(tx, hold.held)?;
            let lanes = desk::lanes(tx, &cases, Some(act.scope.lane()))?;
            desk::lay(tx, &lanes, hold.id, true)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, hold.id, Some(1))])?;
            Ok(written(&hold, false))
        })
        .await
}

fn find(conn: &mut Conn, act: &Act, id: LegalHoldId) -> Result<LegalHold> {
    if desk::holds(conn, &act.scope, id)? { store::find(conn, id) } else { Err(Error::NotFound) }
}

/// One hold.
pub async fn read(store: &Store, act: &Act, id: LegalHoldId) -> Result<Written<LegalHoldView>> {
    let act = act.clone();
    store.read(move |conn| Ok(written(&find(conn, &act, id)?, false))).await
}

/// One page of the holds that concern the caller.
pub async fn list(
    store: &Store,
    act: &Act,
    active: Option<bool>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<LegalHoldView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let Page { items, next } = desk::list(conn, &scope, active, after.as_ref(), limit)?;
            Ok(Page { items: store::many(conn, &items)?.iter().map(LegalHold::view).collect(), next })
        })
        .await
}

/// Lifts a hold: whoever placed it.
pub async fn make_move(
    store: &Store,
    act: Act,
    once: Once,
    id: LegalHoldId,
    version: i64,
    new: LegalHoldTransitionCreate,
) -> Result<Written<LegalHoldView>> {
    store
        .write(move |tx| {
            let mut hold = find(tx, &act, id)?;
            if hold.agency != *act.agency() {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&hold, true));
            }
            must_match(hold.version, version)?;
            hold.lift(&new, act.now)?;
            store::update(tx, &hold, version)?;
            let cases = cases(tx, hold.held)?;
            let lanes = desk::lanes(tx, &cases, Some(act.scope.lane()))?;
            desk::lay(tx, &lanes, id, false)?;
            let entry = Entry::new(Action::Transitioned, id, Some(hold.version)).moved("lift", "active", "lifted");
            ledger::append(tx, &act.actor, act.now, vec![entry])?;
            Ok(written(&hold, false))
        })
        .await
}
