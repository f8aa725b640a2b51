//! What can be done with consents: one transaction each.

use super::model::Consent;
use super::states::{State, Trigger};
use super::store;
use super::wire::{ConsentCreate, ConsentTransitionCreate, ConsentView};
use crate::act::Act;
use crate::cases::Sight;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::Relation;
use crate::cases::participants::receiver_faults;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{ConsentId, ReferralId, TransitionId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};
use crate::ledger::{self, Action, Entry};
use crate::persons::merges;
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};
use crate::{assistance, referrals, reunifications, victims};

/// Whether this caller is shown the proof: its agency asked for the consent, and its token opens identities.
fn proof(consent: &Consent, act: &Act, identities: bool) -> bool {
    identities && consent.agency == *act.agency()
}

fn written(consent: &Consent, sight: &Sight, act: &Act, identities: bool, replayed: bool) -> Written<ConsentView> {
    let proof = proof(consent, act, identities);
    // Whether it is in force changes with the hour, and with it the representation.
    let running = if consent.in_force(act.now) { "f" } else { "x" };
    let tag = format!("{}{running}{}", sight.view(), if proof { "e" } else { "n" });
    Written { view: consent.view(act.now, proof), tag, replayed }
}

/// A consent whose victim the caller sees.
fn find(conn: &mut Conn, act: &Act, id: ConsentId) -> Result<(Consent, Sight)> {
    let consent = store::find(conn, id)?;
    let (_, sight) = victims::find(conn, &act.scope, consent.victim)?;
    Ok((consent, sight))
}

/// Whoever asked keeps it; so does the owner of a case of the victim: nobody looks for a shelter that has closed in
/// order to take a consent back.
fn must_keep(consent: &Consent, sight: &Sight, act: &Act) -> Result<()> {
    let keeps = match sight.relation {
        Relation::Owner => true,
        Relation::Participant => consent.agency == *act.agency(),
        Relation::Oversight => false,
    };
    if keeps { Ok(()) } else { Err(Error::OwnerOnly) }
}

/// Offers a consent to a victim whom the caller's agency sees. Oversight looks and does not ask.
pub async fn offer_consent(
    store: &Store,
    act: Act,
    once: Once,
    victim: VictimId,
    new: ConsentCreate,
    identities: bool,
) -> Result<Written<ConsentView>> {
    let id: ConsentId = act.id(victim.bucket());
    let (consent, faults) = Consent::offer(new, &act, id, victim);
    store
        .write(move |tx| {
            let (person, sight) = victims::find(tx, &act.scope, victim)?;
            if sight.relation == Relation::Oversight {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let stored = store::find(tx, ConsentId::from_uuid(resource.uuid()))?;
                return Ok(written(&stored, &sight, &act, identities, true));
            }
            let mut faults = faults.clone();
            faults.extend(consent.giver_faults(person.detail.minor()));
            for (index, agency) in consent.detail.recipients.iter().enumerate() {
                faults.extend(receiver_faults(tx, agency, &format!("/recipients/{index}"), act.now)?);
            }
            no_faults(faults)?;
            store::insert(tx, &act, &consent)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, id, Some(1))])?;
            Ok(written(&consent, &sight, &act, identities, false))
        })
        .await
}

/// One consent.
pub async fn read_consent(store: &Store, act: &Act, id: ConsentId, identities: bool) -> Result<Written<ConsentView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (consent, sight) = find(conn, &act, id)?;
            Ok(written(&consent, &sight, &act, identities, false))
        })
        .await
}

/// One page of a victim's consents, without their proofs.
pub async fn list_consents(
    store: &Store,
    act: &Act,
    victim: VictimId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ConsentView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            victims::find(conn, &act.scope, victim)?;
            Ok(store::list(conn, victim, after.as_ref(), limit)?.map(|c| c.view(act.now, false)))
        })
        .await
}

/// Registers the answer to a consent, or its end. A withdrawal executes: every open referral that rests on it is
/// revoked, and the help that rests on it ends, in the same transaction.
pub async fn move_consent(
    store: &Store,
    act: Act,
    once: Once,
    id: ConsentId,
    version: i64,
    new: ConsentTransitionCreate,
    identities: bool,
) -> Result<Written<ConsentView>> {
    let record: TransitionId = act.id(id.bucket());
    let trigger = new.trigger;
    store
        .write(move |tx| {
            let (before, sight) = find(tx, &act, id)?;
            must_keep(&before, &sight, &act)?;
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, &sight, &act, identities, true));
            }
            must_match(before.version, version)?;
            let next = before.state.after(trigger).ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            if next == State::Given {
                // Between question and answer a birth date may have become known.
                let (person, _) = victims::find(tx, &act.scope, before.victim)?;
                no_faults(before.giver_faults(person.detail.minor()))
                    .map_err(|_| Error::StateConflict(vec!["wrong_giver".into()]))?;
            }
            let mut after = before.clone();
            after.moved(next, &new, act.now)?;
            // First the consent, then what rests on it: see `store::held`.
            store::update(tx, &after, version)?;
            let mut entries = vec![Entry::new(Action::Transitioned, id, Some(after.version)).moved(
                trigger.as_str(),
                before.state.as_str(),
                next.as_str(),
            )];
            if next == State::Withdrawn {
                for referral in store::resting(tx, id)? {
                    entries.extend(referrals::revoke_without_consent(tx, &act, referral, id)?);
                }
                entries.extend(assistance::withdraw_without_consent(tx, &act, after.victim, id)?);
                entries.extend(reunifications::close_without_consent(tx, &act, after.victim, id)?);
            }
            transitions::append(
                tx,
                &act,
                after.victim,
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
                    reach: transitions::Reach::default(),
                },
            )?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&after, &sight, &act, identities, false))
        })
        .await
}

/// Ends what guardians agreed to for a victim who is of age now; answers the ledger entries. Nothing new rests on it; what
/// runs already goes on until its own end, so that nobody loses a shelter on a birthday.
pub fn of_age(tx: &mut Conn, act: &Act, victim: VictimId) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for record in merges::records(tx, victim)? {
        let mut after = None;
        loop {
            let Page { items, next } = store::list(tx, record, after.as_ref(), Limit::DEFAULT)?;
            for before in items {
                let mut consent = before.clone();
                if !consent.came_of_age(act.now) {
                    continue;
                }
                store::update(tx, &consent, before.version)?;
                let (from, to) = (before.state.as_str().to_owned(), consent.state.as_str().to_owned());
                let (trigger, id) = (Trigger::Expire.as_str().to_owned(), consent.id);
                let moved = Entry::new(Action::Transitioned, id, Some(consent.version)).moved(&trigger, &from, &to);
                entries.push(moved);
                let version = consent.version;
                let record: TransitionId = act.id(id.bucket());
                let reason = Some("of_age".to_owned());
                let (legal_act, effective_on, reach) = (None, None, transitions::Reach::default());
                let done = Done { id: record, trigger, from, to, legal_act, effective_on, reason, version, reach };
                transitions::append(tx, act, consent.victim, id, &done)?;
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(entries)
}

/// Every transition out of the current state, and what stands against it for this caller.
pub async fn available(store: &Store, act: &Act, id: ConsentId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (consent, sight) = find(conn, &act, id)?;
            let items = Trigger::ALL
                .into_iter()
                .filter_map(|trigger| {
                    let next = consent.state.after(trigger)?;
                    let mut failed_guards = Vec::new();
                    if must_keep(&consent, &sight, &act).is_err() {
                        failed_guards.push("owner_only".to_owned());
                    }
                    if next == State::Expired && consent.in_force(act.now) {
                        failed_guards.push("not_yet_expired".to_owned());
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
            Ok(AvailableTransitions { state: consent.state.as_str().to_owned(), items })
        })
        .await
}

/// The transitions of a consent, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: ConsentId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (consent, _) = find(conn, &act, id)?;
            transitions::list(conn, consent.victim, id, after.as_ref(), limit)
        })
        .await
}

/// What a disclosure asks of the consent on which it rests.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'d> {
    /// The consent.
    pub consent: ConsentId,
    /// About whom.
    pub victim: VictimId,
    /// Purpose of use.
    pub purpose: &'d str,
    /// To whom.
    pub to: &'d AgencyCode,
}

/// Faults of resting a disclosure on a consent, at the pointers of the request. Holds the consent to the end of the
/// transaction.
pub fn ground_faults(tx: &mut Conn, ground: Ground<'_>, now: Timestamp) -> Result<Vec<Fault>> {
    let Ground { consent, victim, purpose, to } = ground;
    let fault = |pointer, code| Ok(vec![Fault::body(pointer, code)]);
    let consent = match store::held(tx, consent) {
        Ok(consent) if victims::same_person(tx, consent.victim, victim)? => consent,
        Ok(_) | Err(Error::NotFound) => return fault("/consent_id", FaultCode::ReferenceNotFound),
        Err(other) => return Err(other),
    };
    if !consent.in_force(now) {
        return fault("/consent_id", FaultCode::CrossField);
    }
    let mut faults = Vec::new();
    if !consent.covers(purpose) {
        faults.push(Fault::body("/purpose", FaultCode::CrossField));
    }
    if !consent.names(to) {
        faults.push(Fault::body("/to_agency", FaultCode::CrossField));
    }
    Ok(faults)
}

/// Notes that a referral rests on a consent, so that its withdrawal finds it.
pub fn rest(tx: &mut Conn, consent: ConsentId, referral: ReferralId) -> Result<()> {
    store::rest(tx, consent, referral)
}
