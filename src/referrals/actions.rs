//! What can be done with a referral: one transaction each.

use super::model::Referral;
use super::receipt_store;
use super::receipts::{self, Receipt};
use super::states::{Effect, Standing, State, Trigger};
use super::store::{self, Filter};
use super::view::{Reader, tag};
use super::wire::{ReferralCreate, ReferralPatch, ReferralTransitionCreate, ReferralView};
use crate::act::Act;
use crate::auth::Signer;
use crate::cases::actions::{Written, must_match};
use crate::cases::head_for_write;
use crate::cases::participants::{self, Participant};
use crate::cases::restriction;
use crate::consents;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, ConsentId, ParticipantId, ReceiptId, ReferralId, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::persons::merges;
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};
use crate::victims;

fn written(referral: &Referral, act: &Act, replayed: bool) -> Written<ReferralView> {
    let view = referral.view(Reader::of(&act.scope));
    Written { tag: tag(&view), view, replayed }
}

/// Faults that only the store can tell: who receives it, whether the victims are in the case, and whom a referral that
/// this one answers named.
fn stored_faults(tx: &mut Conn, act: &Act, referral: &Referral) -> Result<Vec<Fault>> {
    let mut faults = participants::receiver_faults(tx, &referral.to, "/to_agency", act.now)?;
    let named = referral.detail.victims.as_ref();
    let mut strangers = participants::victim_faults(tx, referral.case, named, "/victims")?;
    if let Some(link) = &referral.detail.counter_of {
        let (answered, _) = store::find(tx, &act.scope, link.referral)?;
        // Whoever answers knows of the victims that it was told of, and of no others.
        if let Some(only) = &answered.detail.victims {
            let others = named.into_iter().flatten().enumerate().filter(|(_, v)| !only.contains(v));
            strangers.extend(others.map(|(n, _)| Fault::body(format!("/victims/{n}"), FaultCode::ReferenceNotFound)));
        }
    }
    match referral.ground() {
        // Only of a victim of the case: of others the sender must not even learn which consents are theirs.
        Some(ground) if strangers.is_empty() => faults.extend(consents::ground_faults(tx, ground, act.now)?),
        _ => {}
    }
    faults.extend(strangers);
    Ok(faults)
}

/// Whoever names the survivor of a merge means the record under which the person is in the case.
fn place(tx: &mut Conn, referral: &mut Referral) -> Result<()> {
    if let Some(named) = &mut referral.detail.victims {
        let known = victims::in_case(tx, referral.case)?;
        for victim in named {
            *victim = merges::placed(tx, *victim, &known)?;
        }
    }
    store::redirect(tx, std::slice::from_mut(referral))
}

/// The referral that a draft answers, if the caller may answer it: its agency took that one on, and in this case.
fn answered(tx: &mut Conn, act: &Act, of: ReferralId, draft: &Referral) -> Result<Result<Referral, Fault>> {
    let fault = |code| Ok(Err(Fault::body("/counter_of", code)));
    match store::find(tx, &act.scope, of) {
        Err(Error::NotFound) => fault(FaultCode::ReferenceNotFound),
        Err(other) => Err(other),
        Ok((found, Standing::Receiver)) if found.was_accepted() && found.case == draft.case => Ok(Ok(found)),
        Ok(_) => fault(FaultCode::CrossField),
    }
}

/// Notes on what a referral rests, where that is a consent.
fn rest(tx: &mut Conn, referral: &Referral) -> Result<()> {
    match referral.ground() {
        None => Ok(()),
        Some(ground) => consents::rest(tx, ground.consent, referral.id),
    }
}

/// Drafts a referral about a case of the caller's agency, or one that answers a referral which it took on.
pub async fn draft_referral(store: &Store, act: Act, once: Once, new: ReferralCreate) -> Result<Written<ReferralView>> {
    let case = new.case_id;
    let answers = new.counter_of;
    let id: ReferralId = act.id(case.bucket());
    let (referral, faults) = Referral::draft(new, &act, id);
    store
        .write(move |tx| {
            let (mut referral, mut faults) = (referral.clone(), faults.clone());
            match answers {
                Some(of) => match answered(tx, &act, of, &referral)? {
                    Ok(found) => referral.detail.counter_of = Some(found.link()),
                    Err(fault) => {
                        faults.push(fault);
                        return no_faults(faults).and(Err(Error::NotFound));
                    }
                },
                None => match head_for_write(tx, &act.scope, case) {
                    Ok(_) => {}
                    // The case is named in the body, so its absence is a fault of the body.
                    Err(Error::NotFound) => {
                        faults.push(Fault::body("/case_id", FaultCode::ReferenceNotFound));
                        return no_faults(faults).and(Err(Error::NotFound));
                    }
                    Err(other) => return Err(other),
                },
            }
            let claim = idempotency::claim(tx, &once, referral.id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let (stored, _) = store::find(tx, &act.scope, ReferralId::from_uuid(resource.uuid()))?;
                return Ok(written(&stored, &act, true));
            }
            place(tx, &mut referral)?;
            faults.extend(stored_faults(tx, &act, &referral)?);
            no_faults(faults)?;
            restriction::must_be_shareable(tx, case)?;
            store::insert(tx, &act, &referral)?;
            rest(tx, &referral)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, referral.id, Some(1))])?;
            Ok(written(&referral, &act, false))
        })
        .await
}

/// One referral.
pub async fn read_referral(store: &Store, act: &Act, id: ReferralId) -> Result<Written<ReferralView>> {
    let act = act.clone();
    store.read_few(move |conn| Ok(written(&store::find(conn, &act.scope, id)?.0, &act, false))).await
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
    store
        .read(move |conn| {
            let page = store::list(conn, &scope, &filter, after.as_ref(), limit)?;
            Ok(page.map(|referral| referral.view(Reader::of(&scope))))
        })
        .await
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
            place(tx, &mut after)?;
            faults.extend(stored_faults(tx, &act, &after)?);
            no_faults(faults)?;
            if !changed.is_empty() {
                store::update(tx, &before, &after)?;
                rest(tx, &after)?;
                let entry = Entry::new(Action::Updated, id, Some(after.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(written(&after, &act, false))
        })
        .await
}

/// The draft that a redirection leaves with the sender: to the agency that the receiver named, which must be one that
/// has not been asked yet.
fn redirect(tx: &mut Conn, act: &Act, before: &Referral, to: &AgencyCode, made: (ReferralId, &str)) -> Result<Referral> {
    let asked = store::asked_before(tx, before)?.ok_or_else(|| Error::StateConflict(vec!["chain_too_long".into()]))?;
    let mut faults = participants::receiver_faults(tx, to, "/to_agency", act.now)?;
    if *to == before.from || asked.contains(to) {
        faults.push(Fault::body("/to_agency", FaultCode::CrossField));
    }
    no_faults(faults)?;
    let (id, number) = made;
    let draft = before.redirected(to.clone(), id, number.to_owned(), act);
    store::insert(tx, act, &draft)?;
    rest(tx, &draft)?;
    Ok(draft)
}

/// Moves a referral. The receiver's access to the case begins and ends in the same transaction, which also signs a
/// receipt where it is sent or received, if there is somebody to sign.
pub async fn move_referral(
    store: &Store,
    act: Act,
    once: Once,
    id: ReferralId,
    version: i64,
    new: ReferralTransitionCreate,
    signer: Option<Signer>,
) -> Result<Written<ReferralView>> {
    let record: TransitionId = act.id(id.bucket());
    let participant: ParticipantId = act.id(id.bucket());
    let (onward, number): (ReferralId, String) = (act.id(id.bucket()), act.reference("RF"));
    let receipt: ReceiptId = act.id(id.bucket());
    let trigger = new.trigger;
    let faults = trigger.faults(&new, &act.catalogue);
    store
        .write(move |tx| {
            let (before, standing) = store::find(tx, &act.scope, id)?;
            if standing != trigger.side() {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, &act, true));
            }
            no_faults(faults.clone())?;
            must_match(before.version, version)?;
            let next = before.state.after(trigger).ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            if matches!(next, State::Sent | State::Accepted | State::Redirected) {
                restriction::must_be_shareable(tx, before.case)?;
            }
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
                if before.detail.due_at.is_some_and(|due| due <= act.now) {
                    return Err(Error::StateConflict(vec!["due_at_passed".into()]));
                }
            }
            let onward = match (next, &new.to_agency) {
                (State::Redirected, Some(to)) => Some(redirect(tx, &act, &before, to, (onward, &number))?),
                _ => None,
            };
            after.detail.redirected_to = after.detail.redirected_to.or_else(|| onward.as_ref().map(Referral::link));
            store::update(tx, &before, &after)?;
            if let (Some(signer), Some(event)) = (&signer, receipts::earned(&before, &after)) {
                receipt_store::insert(tx, &act, &after, &receipts::issue(signer, &after, event, receipt, act.now)?)?;
            }
            let moved = Entry::new(Action::Transitioned, id, Some(after.version)).moved(
                trigger.as_str(),
                before.state.as_str(),
                next.as_str(),
            );
            let mut entries = vec![moved];
            entries.extend(onward.map(|draft| Entry::new(Action::Created, draft.id, Some(1))));
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
            Ok(written(&after, &act, false))
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
    if before.detail.consent_id == Some(consent) { revoke(tx, act, &before, WITHDRAWN) } else { Ok(Vec::new()) }
}

/// Revokes the referrals of a case that is restricted, whoever sent them, those that are still open; answers the ledger
/// entries.
pub fn revoke_of_restricted(tx: &mut Conn, act: &Act, case: CaseId) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for id in store::open_of(tx, case)? {
        let before = store::locked(tx, id)?;
        entries.extend(revoke(tx, act, &before, restriction::GUARD)?);
    }
    Ok(entries)
}

/// Revokes a referral for a reason that its parties read, if it is still open.
fn revoke(tx: &mut Conn, act: &Act, before: &Referral, why: &str) -> Result<Vec<Entry>> {
    let id = before.id;
    let Some(next) = before.state.after(Trigger::Revoke) else { return Ok(Vec::new()) };
    let reason =
        ReferralTransitionCreate { trigger: Trigger::Revoke, reason: Some(why.to_owned()), outcome: None, to_agency: None };
    let mut after = before.clone();
    after.moved(next, &reason, act.now);
    store::update(tx, before, &after)?;
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

/// The receipts of a referral, oldest first.
pub async fn list_receipts(store: &Store, act: &Act, id: ReferralId) -> Result<Vec<Receipt>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let (referral, _) = store::find(conn, &scope, id)?;
            receipt_store::of_referral(conn, &referral)
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
