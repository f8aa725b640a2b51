//! What can be done with webhooks: one transaction each.

use super::model::{Delivery, Detail, Signer, State, Webhook, url_faults};
use super::signing::{self, Algorithm};
use super::store;
use super::wire::{WebhookCreate, WebhookPatch, WebhookView, WebhookWithSecret};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::db::Store;
use crate::events::model::{Mark, is_type};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{ClientId, EntryId, WebhookId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Field, Result, Timestamp};
use crate::ledger::{self, Action, Entry};

/// The view part of the entity tag: all who see it see the same.
const TAG: &str = "w";
/// Most webhooks of an agency.
const MOST: i64 = 20;

fn view(of: Webhook) -> Result<WebhookView> {
    let newest = of.detail.signers.first().map(|s| s.key.clone());
    let public = match (of.algorithm, newest) {
        (Algorithm::Ed25519, Some(key)) => Some(signing::given(Algorithm::Ed25519, &key)?),
        _ => None,
    };
    Ok(WebhookView::of(of, public))
}

fn written(of: Webhook, replayed: bool) -> Result<Written<WebhookView>> {
    Ok(Written { view: view(of)?, tag: TAG.to_owned(), replayed })
}

fn with_secret(of: Webhook, replayed: bool) -> Result<Written<WebhookWithSecret>> {
    let newest = of.detail.signers.first().filter(|_| of.algorithm == Algorithm::Hmac && !replayed);
    let secret = newest.map(|s| signing::given(Algorithm::Hmac, &s.key)).transpose()?;
    Ok(Written { view: WebhookWithSecret { webhook: view(of)?, secret }, tag: TAG.to_owned(), replayed })
}

fn client(act: &Act) -> Result<ClientId> {
    act.actor.client.ok_or_else(|| Error::internal("a webhook without a client"))
}

fn type_faults(types: &[String]) -> Vec<Fault> {
    let bad = |(index, kind): (usize, &String)| {
        (!is_type(kind)).then(|| Fault::body(format!("/types/{index}"), FaultCode::Pattern))
    };
    types.iter().enumerate().filter_map(bad).collect()
}

/// Sets a webhook up: what happens from now on is sent, once the endpoint has answered a ping.
pub async fn create(db: &Store, act: Act, once: Once, new: WebhookCreate, lab: bool) -> Result<Written<WebhookWithSecret>> {
    let agency = act.agency().clone();
    let id: WebhookId = act.id(agency.bucket());
    let (ping, key): (EntryId, String) = (act.id(agency.bucket()), signing::new_key()?);
    let WebhookCreate { url, types, signature } = new;
    let mut faults = url_faults(&url, lab);
    faults.extend(type_faults(&types));
    let webhook = Webhook {
        id,
        version: 1,
        agency,
        client: client(&act)?,
        state: State::Pending,
        reason: None,
        algorithm: signature.into(),
        types,
        detail: Detail { url, signers: vec![Signer { key, until: None }] },
        mark: Mark::begin(act.now),
        failed: 0,
        next_at: act.now,
        ping: Some(ping),
        step: 0,
        created_at: act.now,
        updated_at: act.now,
    };
    db.write(move |tx| {
        let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
        if let Claim::Replay { resource, .. } = claim {
            return with_secret(store::of_agency(tx, act.agency(), WebhookId::from_uuid(resource.uuid()))?, true);
        }
        no_faults(faults.clone())?;
        if store::count(tx, act.agency())? >= MOST {
            return Err(Error::StateConflict(vec!["too_many_webhooks".into()]));
        }
        let mark = crate::events::store::end(tx, act.scope.lane(), act.now)?;
        let webhook = Webhook { mark, ..webhook.clone() };
        store::insert(tx, &webhook)?;
        ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, id, Some(1))])?;
        with_secret(webhook, false)
    })
    .await
}

/// One webhook of the caller's agency.
pub async fn read(db: &Store, act: &Act, id: WebhookId) -> Result<Written<WebhookView>> {
    let agency = act.agency().clone();
    db.read(move |conn| written(store::of_agency(conn, &agency, id)?, false)).await
}

/// One page of the webhooks of the caller's agency.
pub async fn list(db: &Store, act: &Act, after: Option<After>, limit: Limit) -> Result<Page<WebhookView>> {
    let agency = act.agency().clone();
    db.read(move |conn| {
        let Page { items, next } = store::list(conn, &agency, after.as_ref(), limit)?;
        Ok(Page { items: items.into_iter().map(view).collect::<Result<Vec<_>>>()?, next })
    })
    .await
}

/// Attempts of one webhook.
pub async fn deliveries(db: &Store, act: &Act, id: WebhookId, after: Option<After>, limit: Limit) -> Result<Page<Delivery>> {
    let agency = act.agency().clone();
    db.read(move |conn| {
        store::of_agency(conn, &agency, id)?;
        store::deliveries(conn, id, after.as_ref(), limit)
    })
    .await
}

/// Writes a change of the owner's: it counts a version, and the rights are from now on those of whoever made it.
fn save(tx: &mut crate::db::Conn, act: &Act, before: &Webhook, mut after: Webhook, changed: Vec<String>) -> Result<Webhook> {
    after.version = before.version + 1;
    after.updated_at = act.now;
    after.client = client(act)?;
    if !store::update(tx, &after, before.step)? {
        // An attempt was recorded meanwhile: the whole is run again.
        return Err(Error::Unavailable(crate::kernel::error::Unavailable::Contention));
    }
    let entry = Entry::new(Action::Updated, after.id, Some(after.version)).changed(changed);
    ledger::append(tx, &act.actor, act.now, vec![entry])?;
    Ok(after)
}

/// Changes a webhook.
pub async fn amend(
    db: &Store,
    act: Act,
    id: WebhookId,
    version: i64,
    patch: WebhookPatch,
    lab: bool,
) -> Result<Written<WebhookView>> {
    let ping: EntryId = act.id(act.agency().bucket());
    db.write(move |tx| {
        let before = store::of_agency(tx, act.agency(), id)?;
        must_match(before.version, version)?;
        let (mut after, mut changed, mut faults) = (before.clone(), Vec::new(), Vec::new());
        let WebhookPatch { url, types } = patch.clone();
        match url {
            Field::Absent => {}
            Field::Null => faults.push(Fault::body("/url", FaultCode::Type)),
            Field::Set(url) => {
                faults.extend(url_faults(&url, lab));
                if url != after.detail.url {
                    after.detail.url = url;
                    after.state = State::Pending;
                    after.ask(ping, act.now);
                    changed.push("/url".to_owned());
                }
            }
        }
        faults.extend(types.value().map(|types| type_faults(types)).unwrap_or_default());
        if types.apply_or(&mut after.types, Vec::new()) {
            changed.push("/types".to_owned());
        }
        no_faults(faults)?;
        let after = if changed.is_empty() { before } else { save(tx, &act, &before, after, changed)? };
        written(after, false)
    })
    .await
}

/// Ends a webhook: nothing is sent any more, its keys are destroyed and its log is gone.
pub async fn delete(db: &Store, act: Act, id: WebhookId) -> Result<()> {
    db.write(move |tx| {
        let before = store::of_agency(tx, act.agency(), id)?;
        store::delete(tx, id, act.now)?;
        let entry =
            Entry::new(Action::Transitioned, id, Some(before.version + 1)).moved("delete", before.state.as_str(), "deleted");
        ledger::append(tx, &act.actor, act.now, vec![entry])
    })
    .await
}

/// What is done to a webhook once per key, without a precondition.
async fn once<T: Send + 'static>(
    db: &Store,
    act: Act,
    once: Once,
    id: WebhookId,
    change: impl Fn(&mut Webhook) -> Vec<String> + Send + 'static,
    shown: impl Fn(Webhook, bool) -> Result<Written<T>> + Send + 'static,
) -> Result<Written<T>> {
    db.write(move |tx| {
        let before = store::of_agency(tx, act.agency(), id)?;
        let claim = idempotency::claim(tx, &once, id.erase(), before.version + 1, act.now)?;
        if let Claim::Replay { .. } = claim {
            return shown(before, true);
        }
        let mut after = before.clone();
        let changed = change(&mut after);
        shown(save(tx, &act, &before, after, changed)?, false)
    })
    .await
}

/// A new key signs, beside the old one for a day.
pub async fn rotate(db: &Store, act: Act, key: Once, id: WebhookId) -> Result<Written<WebhookWithSecret>> {
    let (new, now) = (signing::new_key()?, act.now);
    let change = move |webhook: &mut Webhook| {
        webhook.rotate(new.clone(), now);
        vec!["/secret".to_owned()]
    };
    once(db, act, key, id, change, with_secret).await
}

/// Asks the endpoint whether it is there; one that is not active becomes so by its answer.
pub async fn test(db: &Store, act: Act, key: Once, id: WebhookId) -> Result<Written<WebhookView>> {
    let (ping, now): (EntryId, Timestamp) = (act.id(act.agency().bucket()), act.now);
    let change = move |webhook: &mut Webhook| {
        webhook.ask(ping, now);
        vec!["/state".to_owned()]
    };
    once(db, act, key, id, change, written).await
}

/// Puts the webhook's place back: everything behind it is sent again.
pub async fn redeliver(db: &Store, act: Act, key: Once, id: WebhookId, mark: Mark) -> Result<Written<WebhookView>> {
    let now = act.now;
    let change = move |webhook: &mut Webhook| {
        webhook.mark = mark;
        (webhook.failed, webhook.next_at) = (0, now);
        vec!["/place".to_owned()]
    };
    once(db, act, key, id, change, written).await
}

/// Forgets old attempts of an agency's webhooks.
pub fn forget(db: &Store, agency: &str, before: Timestamp) -> Result<()> {
    let Some(agency) = crate::kernel::AgencyCode::parse(agency) else { return Ok(()) };
    db.write_blocking(move |tx| store::forget(tx, &agency, before))
}
