//! What can be done with a referral: one transaction each.

use super::model::{Referral, TAG};
use super::states::{Effect, Standing, State, Trigger};
use super::store::{self, Filter};
use super::wire::{ReferralCreate, ReferralPatch, ReferralTransitionCreate, ReferralView};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::cases::head_for_write;
use crate::cases::participants::{self, Participant};
use crate::consents;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{ConsentId, ParticipantId, ReferralId, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};

fn written(referral: &Referral, replayed: bool) -> Written<ReferralView> {
    Written { view: referral.view(), tag: TAG.to_owned(), replayed }
}

/// Faults that only the store can tell: who receives it, and whether the victims are in the case.
fn stored_faults(tx: &mut Conn, act: &Act, referral: &Referral) -> Result<Vec<Fault>> {
    let mut faults = participants::receiver_faults(tx, &referral.to, "/to_agency", act.now)?;
    let strangers = participants::victim_faults(tx, referral.case, referral.detail.victims.as_ref(), "/victims")?;
    match referral.ground() {
        // Only of a victim of the case: of others the sender must not even learn which consents are theirs.
        Some(ground) if strangers.is_empty() => faults.extend(consents::ground_faults(tx, ground, act.now)?),
        _ => {}
    }
    faults.extend(strangers);
    Ok(faults)
}

/// Notes on what a referral rests, where that is a consent.
fn rest(tx: &mut Conn, referral: &Referral) -> Result<()> {
    match referral.ground() {
        None => Ok(()),
        Some(ground) => consents::rest(tx, ground.consent, referral.id),
    }
}

/// Drafts a referral about a case of the caller's agency.
pub async fn draft_referral(store: &Store, act: Act, once: Once, new: ReferralCreate) -> Result<Written<ReferralView>> {
    let case = new.case_id;
    let id: ReferralId = act.id(case.bucket());
    let (referral, faults) = Referral::draft(new, &act, id);
    store
        .write(move |tx| {
            let mut faults = faults.clone();
            match head_for_write(tx, &act.scope, case) {
                Ok(_) => {}
                // The case is named in the body, so its absence is a fault of the body.
                Err(Error::NotFound) => {
                    faults.push(Fault::body("/case_id", FaultCode::ReferenceNotFound));
                    return no_faults(faults).and(Err(Error::NotFound));
                }
                Err(other) => return Err(other),
            }
            let claim = idempotency::claim(tx, &once, case.bucket(), referral.id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let (stored, _) = store::find(tx, &act.scope, ReferralId::from_uuid(resource.uuid()))?;
                return Ok(written(&stored, true));
            }
            faults.extend(stored_faults(tx, &act, &referral)?);
            no_faults(faults)?;
            store::insert(tx, &act, &referral)?;
            rest(tx, &referral)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, referral.id, Some(1))])?;
            Ok(written(&referral, false))
        })
        .await
}

/// One referral.
pub async fn read_referral(store: &Store, act: &Act, id: ReferralId) -> Result<Written<ReferralView>> {
    let scope = act.scope.clone();
    store.read(move |conn| Ok(written(&store::find(conn, &scope, id)?.0, false))).await
}

/// One page of one of the caller's boxes.
pub async fn list_referrals(
    store: &Store,
    act: &Act,
    filter: Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ReferralView>> {
    let scope = act.scope.clone();
    store.read(move |conn| Ok(store::list(conn, &scope, &filter, after.as_ref(), limit)?.map(|r| r.view()))).await
}

/// Changes a draft.
pub async fn amend_referral(
    store: &Store,
    act: Act,
    id: ReferralId,
    version: i64,
    patch: ReferralPatch,
) -> Result<Written<ReferralView>> {
    store
        .write(move |tx| {
            let (before, standing) = store::find(tx, &act.scope, id)?;
            if before.state != State::Draft {
                return Err(Error::StateConflict(vec!["draft_only".into()]));
            }
            if standing != Standing::Sender {
                return Err(Error::OwnerOnly);
            }
            must_match(before.version, version)?;
            let mut after = before.clone();
            let (changed, mut faults) = after.amend(patch.clone(), &act);
            faults.extend(stored_faults(tx, &act, &after)?);
            no_faults(faults)?;
            if !changed.is_empty() {
                store::update(tx, &before, &after)?;
                rest(tx, &after)?;
                let entry = Entry::new(Action::Updated, id, Some(after.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(written(&after, false))
        })
        .await
}

/// Sends, accepts, rejects, completes or revokes a referral. The receiver's access to the case begins and ends
/// in the same transaction.
pub async fn move_referral(
    store: &Store,
    act: Act,
    once: Once,
    id: ReferralId,
    version: i64,
    new: ReferralTransitionCreate,
) -> Result<Written<ReferralView>> {
    let record: TransitionId = act.id(id.bucket());
    let participant: ParticipantId = act.id(id.bucket());
    let trigger = new.trigger;
    let faults = trigger.faults(&new, &act.catalogue);
    store
        .write(move |tx| {
            let (before, standing) = store::find(tx, &act.scope, id)?;
            if standing != trigger.side() {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.bucket(), id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, true));
            }
            no_faults(faults.clone())?;
            must_match(before.version, version)?;
            let next = before.state.after(trigger).ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            let mut after = before.clone();
            after.moved(next, &new, act.now);
            if matches!(next, State::Sent | State::Accepted)
                && let Some(ground) = after.ground()
            {
                no_faults(consents::ground_faults(tx, ground, act.now)?)
                    .map_err(|_| Error::StateConflict(vec!["consent_not_in_force".into()]))?;
            }
            if next == State::Sent {
                // The draft may have lain: what it names must still stand.
                no_faults(stored_faults(tx, &act, &after)?)
                    .map_err(|_| Error::StateConflict(vec!["receiver_inactive".into()]))?;
            }
            store::update(tx, &before, &after)?;
            let moved = Entry::new(Action::Transitioned, id, Some(after.version)).moved(
                trigger.as_str(),
                before.state.as_str(),
                next.as_str(),
            );
            let mut entries = vec![moved];
            match before.state.effect(next) {
                // Without sections nothing of the case is shared, not even that it is there.
                Effect::Begin if !after.detail.sections.is_empty() => {
                    entries.push(participants::grant(tx, &act, &share(&after, &act, participant))?);
                }
                Effect::End => entries.extend(participants::end_by_referral(tx, &act, after.case, id)?),
                Effect::Begin | Effect::None => {}
            }
            transitions::append(
                tx,
                &act,
                before.case,
                id,
                &Done {
                    id: record,
                    trigger: trigger.as_str().to_owned(),
                    from: before.state.as_str().to_owned(),
                    to: next.as_str().to_owned(),
                    legal_act: None,
                    effective_on: None,
                    reason: new.reason.clone(),
                    version: after.version,
                    reach: crate::transitions::Reach::default(),
                },
            )?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&after, false))
        })
        .await
}

/// Why a referral is revoked whose consent was taken back, as its parties read it.
const WITHDRAWN: &str = "consent_withdrawn";

/// Revokes a referral whose consent was taken back, if it is still open; answers the ledger entries. Its receiver's
/// access ends here, and both boxes show it.
pub fn revoke_without_consent(tx: &mut Conn, act: &Act, id: ReferralId, consent: ConsentId) -> Result<Vec<Entry>> {
    let before = store::locked(tx, id)?;
    // A draft may rest on another ground by now.
    let Some(next) = before.state.after(Trigger::Revoke).filter(|_| before.detail.consent_id == Some(consent)) else {
        return Ok(Vec::new());
    };
    let reason = ReferralTransitionCreate { trigger: Trigger::Revoke, reason: Some(WITHDRAWN.to_owned()), outcome: None };
    let mut after = before.clone();
    after.moved(next, &reason, act.now);
    store::update(tx, &before, &after)?;
    let (from, to) = (before.state.as_str(), next.as_str());
    let mut entries =
        vec![Entry::new(Action::Transitioned, id, Some(after.version)).moved(Trigger::Revoke.as_str(), from, to)];
    if before.state.effect(next) == Effect::End {
        entries.extend(participants::end_by_referral(tx, act, after.case, id)?);
    }
    transitions::append(
        tx,
        act,
        after.case,
        id,
        &Done {
            id: act.id(id.bucket()),
            trigger: Trigger::Revoke.as_str().to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
            legal_act: None,
            effective_on: None,
            reason: reason.reason,
            version: after.version,
            reach: transitions::Reach::default(),
        },
    )?;
    Ok(entries)
}

/// What an accepted referral grants.
fn share(referral: &Referral, act: &Act, id: ParticipantId) -> Participant {
    Participant {
        id,
        version: 1,
        case: referral.case,
        agency: referral.to.clone(),
        role: referral.role().to_owned(),
        sections: referral.sections(),
        victims: referral.detail.victims.clone(),
        referral: Some(referral.id),
        granted_at: act.now,
        ended_at: None,
        // The sender granted it; the receiver's acceptance only lets it begin.
        created_by_agency: referral.from.clone(),
    }
}

/// Which of the two scopes that move referrals a token carries.
#[derive(Clone, Copy, Debug)]
pub struct Rights {
    /// `referrals:write`.
    pub write: bool,
    /// `referrals:decide`.
    pub decide: bool,
}

impl Rights {
    /// Whether they are enough for a trigger.
    pub fn allow(self, trigger: Trigger) -> bool {
        match trigger.side() {
            Standing::Sender => self.write,
            Standing::Receiver => self.decide,
            Standing::Overseer => false,
        }
    }
}

/// Every transition out of the current state, and what stands against it for this caller.
pub async fn available(
    store: &Store,
    act: &Act,
    id: ReferralId,
    rights: Rights,
    lang: &'static str,
) -> Result<AvailableTransitions> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let (referral, standing) = store::find(conn, &scope, id)?;
            let items = Trigger::ALL
                .into_iter()
                .filter_map(|trigger| {
                    let next = referral.state.after(trigger)?;
                    let mut failed_guards = Vec::new();
                    if standing != trigger.side() {
                        failed_guards.push(trigger.side().guard().to_owned());
                    } else if !rights.allow(trigger) {
                        failed_guards.push("insufficient_scope".to_owned());
                    }
                    Some(AvailableTransition {
                        trigger: trigger.as_str().to_owned(),
                        to: next.as_str().to_owned(),
                        label: trigger.label(lang).to_owned(),
                        basis: None,
                        requires_legal_act: false,
                        legal_acts: Vec::new(),
                        actors: Vec::new(),
                        allowed: failed_guards.is_empty(),
                        failed_guards,
                    })
                })
                .collect();
            Ok(AvailableTransitions { state: referral.state.as_str().to_owned(), items })
        })
        .await
}

/// The transitions of a referral, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: ReferralId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let (referral, _) = store::find(conn, &scope, id)?;
            transitions::list(conn, referral.case, id, after.as_ref(), limit)
        })
        .await
}

/// The changes of a referral, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: ReferralId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ledger::append::Event>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            store::find(conn, &scope, id)?;
            ledger::append::history(conn, id, after.as_ref(), limit)
        })
        .await
}
