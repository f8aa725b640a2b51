//! What can be done with retention reviews: one transaction each.

use std::borrow::Cow;

use super::desk;
use super::model::{Review, State};
use super::store;
use super::wire::{RetentionReviewTransitionCreate, RetentionReviewView, Trigger};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::Relation;
use crate::cases::{restriction, store as cases};
use crate::catalogue::Catalogue;
use crate::db::{Conn, Store};
use crate::erasures::actions::enter;
use crate::erasures::model::{Erasure, Ground};
use crate::holds::actions::{cases as cases_of, relation};
use crate::holds::any_active;
use crate::holds::model::Held;
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::ids::{ErasureId, RetentionReviewId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::{self, Action, Actor, Entry};
use crate::persons::erasure::{self, Person};
use crate::{consents, referrals, victims};

/// What stands against restricting or erasing the subject of an open review.
fn against(conn: &mut Conn, law: &Catalogue, review: &Review) -> Result<Vec<Cow<'static, str>>> {
    if review.state != State::Open || review.triggers().contains(&Trigger::OfAge) {
        return Ok(Vec::new());
    }
    match review.subject {
        Held::Person(person) => erasure::against(conn, law, person, false),
        Held::Case(id) => {
            let mut against = Vec::new();
            if cases::any_open(conn, law, &[id])? {
                against.push("open_case".into());
            }
            if any_active(conn, &[id.erase()])? {
                against.push("legal_hold".into());
            }
            Ok(against)
        }
    }
}

fn written(conn: &mut Conn, law: &Catalogue, review: &Review, replayed: bool) -> Result<Written<RetentionReviewView>> {
    let against = against(conn, law, review)?;
    // What stands against it changes without it, and with that the representation.
    let tag = format!("v{}", against.iter().filter_map(|guard| guard.chars().next()).collect::<String>());
    Ok(Written { view: review.view(law, &against), tag, replayed })
}

/// Lays what the schedule found on the desks of those whom it concerns; answers the ledger entries.
pub fn enter_review(tx: &mut Conn, review: &Review) -> Result<Vec<Entry>> {
    store::insert(tx, review)?;
    let cases = cases_of(tx, review.subject)?;
    let lanes = desk::lanes(tx, &cases, None)?;
    desk::lay(tx, &lanes, review.id, review.state == State::Open)?;
    Ok(vec![Entry::new(Action::Created, review.id, Some(1)).resting_on(&review.rule)])
}

fn find(conn: &mut Conn, act: &Act, id: RetentionReviewId) -> Result<Review> {
    if desk::holds(conn, &act.scope, id)? { store::find(conn, id) } else { Err(Error::NotFound) }
}

/// One review.
pub async fn read(store: &Store, act: &Act, id: RetentionReviewId) -> Result<Written<RetentionReviewView>> {
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
) -> Result<Page<RetentionReviewView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let Page { items, next } = desk::list(conn, &act.scope, open, after.as_ref(), limit)?;
            let mut views = Vec::with_capacity(items.len());
            for review in store::many(conn, &items)? {
                let against = against(conn, &act.catalogue, &review)?;
                views.push(review.view(&act.catalogue, &against));
            }
            Ok(Page { items: views, next })
        })
        .await
}

/// Decides on a review, for the owner of a case that it concerns or for oversight.
pub async fn make_move(
    store: &Store,
    act: Act,
    once: Once,
    id: RetentionReviewId,
    version: i64,
    new: RetentionReviewTransitionCreate,
) -> Result<Written<RetentionReviewView>> {
    let erasure: ErasureId = act.id(id.bucket());
    store
        .write(move |tx| {
            let before = find(tx, &act, id)?;
            match relation(tx, &act.scope, before.subject)? {
                Relation::Owner | Relation::Oversight => {}
                Relation::Participant => return Err(Error::OwnerOnly),
            }
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return written(tx, &act.catalogue, &before, true);
            }
            must_match(before.version, version)?;
            let mut after = before.clone();
            after.moved(&new, &act)?;
            let mut entries = vec![Entry::new(Action::Transitioned, id, Some(after.version)).moved(
                new.trigger.as_str(),
                before.state.as_str(),
                after.state.as_str(),
            )];
            match (new.trigger, after.subject) {
                (Trigger::Keep, _) => {}
                (Trigger::Restrict, Held::Case(case)) => {
                    let against = against(tx, &act.catalogue, &before)?;
                    if !against.is_empty() {
                        return Err(Error::StateConflict(against));
                    }
                    // First what they granted, then what is left: each referral says why it ends.
                    entries.extend(referrals::actions::revoke_of_restricted(tx, &act, case)?);
                    entries.extend(restriction::restrict(tx, case, act.now)?);
                }
                (Trigger::Lift, Held::Case(case)) => entries.extend(restriction::lift(tx, case, act.now)?),
                (Trigger::Erase, Held::Person(person)) => {
                    let ground = Ground {
                        person,
                        ground: "retention_over".to_owned(),
                        basis: after.rule.clone(),
                        best_interest: new.best_interest.clone(),
                        reason: new.reason.clone(),
                    };
                    let proposed = Erasure::propose(erasure, ground, act.agency(), Some(&act), act.now);
                    enter(tx, &act.actor, &proposed, Some(act.scope.lane()))?;
                    after.detail.erasure = Some(erasure);
                }
                (Trigger::OfAge, Held::Person(Person::Victim(victim))) => {
                    entries.extend(victims::store::come_of_age(tx, victim, act.now)?);
                    entries.extend(consents::of_age(tx, &act, victim)?);
                }
                _ => return Err(Error::internal("a decision that is not one of its subject")),
            }
            if let Some(until) = new.until {
                store::again(tx, after.subject.subject(), &after.rule, until.date())?;
            }
            put(tx, &after, version)?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            written(tx, &act.catalogue, &after, false)
        })
        .await
}

/// Writes a moved review and opens or closes it on the desks.
fn put(tx: &mut Conn, after: &Review, read_at: i64) -> Result<()> {
    store::update(tx, after, read_at)?;
    let cases = cases_of(tx, after.subject)?;
    let lanes = desk::lanes(tx, &cases, None)?;
    desk::lay(tx, &lanes, after.id, after.state == State::Open)
}

/// An erasure was rejected or withdrawn: the review that asked for it is open again.
pub fn refused(tx: &mut Conn, actor: &Actor, person: Person, erasure: ErasureId, now: Timestamp) -> Result<()> {
    for before in store::of_subject(tx, person.subject())? {
        if before.state == State::ErasureProposed && before.detail.erasure == Some(erasure) {
            let mut after = before.clone();
            after.refused(now);
            close(tx, actor, &before, &after, "refuse", now)?;
        }
    }
    Ok(())
}

/// A person was erased, in whatever way: nothing of hers or his is due any more.
pub fn erased(tx: &mut Conn, actor: &Actor, person: Person, now: Timestamp) -> Result<()> {
    for before in store::of_subject(tx, person.subject())? {
        if before.state != State::Erased {
            let mut after = before.clone();
            after.erased(now);
            close(tx, actor, &before, &after, "erase", now)?;
        }
    }
    Ok(())
}

fn close(tx: &mut Conn, actor: &Actor, before: &Review, after: &Review, trigger: &str, now: Timestamp) -> Result<()> {
    put(tx, after, before.version)?;
    let (from, to) = (before.state.as_str(), after.state.as_str());
    let entry = Entry::new(Action::Transitioned, after.id, Some(after.version)).moved(trigger, from, to);
    ledger::append(tx, actor, now, vec![entry])
}
