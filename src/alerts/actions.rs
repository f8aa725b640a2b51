//! What can be done about alerts: one transaction each.

use super::model::{Alarm, Alert};
use super::store;
use super::wire::{AlertTransitionCreate, AlertView};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket;
use crate::db::Store;
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::ids::{Accused, AccusedId, AlertId, Kind, Victim, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::trail::Trail;
use crate::kernel::{Error, Id, Result, Timestamp};
use crate::ledger::{self, Action, Actor, Entry};
use crate::{accused, victims};

/// The view part of the entity tag: all who see it see the same.
const TAG: &str = "a";

fn written(alert: &Alert, replayed: bool) -> Written<AlertView> {
    Written { view: alert.view(), tag: TAG.to_owned(), replayed }
}

/// Raises an alert: its record, the desks, and an entry of the ledger under the name of who looked.
pub async fn raise(store: &Store, actor: &Actor, now: Timestamp, alarm: Alarm) -> Result<AlertId> {
    let agency = actor.agency.as_ref().ok_or_else(|| Error::internal("an alert about nobody"))?;
    let id = AlertId::generate(now, agency.bucket());
    let alert = Alert::raised(id, actor, alarm, now).ok_or_else(|| Error::internal("an alert about nobody"))?;
    // The alert is no answer to the request: the request's own trail stays as it is.
    let actor = Actor { trail: Trail::default(), ..actor.clone() };
    store
        .write(move |tx| {
            store::insert(tx, &alert)?;
            let mut entry = Entry::new(Action::Alerted, id, Some(alert.version));
            entry.payload.trigger = Some(alert.alarm.budget.as_str().to_owned());
            entry.payload.to = Some(alert.alarm.level.as_str().to_owned());
            ledger::append(tx, &actor, now, vec![entry])
        })
        .await?;
    Ok(id)
}

/// One alert.
pub async fn read(store: &Store, act: &Act, id: AlertId) -> Result<Written<AlertView>> {
    let scope = act.scope.clone();
    store.read(move |conn| Ok(written(&store::find(conn, &scope, id)?, false))).await
}

/// One page of the caller's desk.
pub async fn list(
    store: &Store,
    act: &Act,
    acknowledged: Option<bool>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<AlertView>> {
    let scope = act.scope.clone();
    store.read(move |conn| Ok(store::list(conn, &scope, acknowledged, after.as_ref(), limit)?.map(|a| a.view()))).await
}

/// Acknowledges an alert: oversight's business, not that of the agency that looked.
pub async fn make_move(
    store: &Store,
    act: Act,
    once: Once,
    id: AlertId,
    version: i64,
    new: AlertTransitionCreate,
) -> Result<Written<AlertView>> {
    store
        .write(move |tx| {
            let before = store::find(tx, &act.scope, id)?;
            if !act.scope.oversight() {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, true));
            }
            must_match(before.version, version)?;
            let mut after = before.clone();
            after.acknowledge(&new, &act)?;
            store::update(tx, &after, version)?;
            let entry =
                Entry::new(Action::Transitioned, id, Some(after.version)).moved("acknowledge", "open", "acknowledged");
            ledger::append(tx, &act.actor, act.now, vec![entry])?;
            Ok(written(&after, false))
        })
        .await
}

/// Whether a person is in the caller's sight through nothing but its agency's own cases outside a territory. What was
/// shared with it, what an emergency opened and what it does not see at all is not outside: that was somebody's decision.
pub async fn outside<K: Kind>(store: &Store, scope: &Scope, person: Id<K>, territory: &str) -> Result<bool> {
    let (scope, territory) = (scope.clone(), territory.to_owned());
    store
        .read_few(move |conn| {
            let cases = match K::NAME {
                Victim::NAME => victims::store::cases_of(conn, VictimId::from_uuid(person.uuid()))?,
                Accused::NAME => accused::store::cases_of(conn, AccusedId::from_uuid(person.uuid()))?,
                _ => Vec::new(),
            };
            docket::outside(conn, &scope, &cases, &territory)
        })
        .await
}
