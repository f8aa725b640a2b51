//! What can be done with a case: one transaction each.

use super::docket::Filter;
use super::model::{Case, claim_of};
use super::sections::Section;
use super::store;
use super::wire::{CaseCreate, CasePatch, CaseTransitionCreate, CaseView};
use crate::accused::PreparedAccused;
use crate::act::Act;
use crate::catalogue::Transition;
use crate::charges::model::Charge;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Bucket, Error, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};
use crate::victims::PreparedVictim;
use crate::{accused, charges, referrals, victims};

/// What a write answers: the record as it stands, its entity tag's view, and whether the key had been used.
#[derive(Debug)]
pub struct Written<V> {
    /// The record.
    pub view: V,
    /// The view part of its entity tag.
    pub tag: String,
    /// True when an earlier request with the same key had done it.
    pub replayed: bool,
}

/// A case with its persons and charges, checked and ready to register.
#[derive(Debug)]
pub struct Opening {
    /// The case.
    pub case: Case,
    /// Its victims.
    pub persons: Vec<PreparedVictim>,
    /// Its accused.
    pub suspects: Vec<PreparedAccused>,
    /// Its charges.
    pub counts: Vec<Charge>,
}

impl Opening {
    /// Checks a request; every fault of every part at once. The case lies in `bucket`.
    pub fn plan(new: CaseCreate, act: &Act, bucket: Bucket) -> Result<Self> {
        let id: CaseId = act.id(bucket);
        let (case, mut faults) = match Case::open(&new, act, id) {
            Ok(case) => (Some(case), Vec::new()),
            Err(faults) => (None, faults),
        };
        let fact_date = case.as_ref().map_or_else(|| new.reported_at.date(), Case::fact_date);
        let CaseCreate { victims: new_victims, accused: new_accused, charges: new_charges, .. } = new;
        let (persons, more) = victims::prepare(new_victims, "/victims", act, id);
        faults.extend(more);
        let (suspects, more) = accused::prepare(new_accused, "/accused", act, id);
        faults.extend(more);
        let (counts, more) = charges::prepare(new_charges, "/charges", act, id, fact_date, &suspects, &persons);
        faults.extend(more);
        no_faults(faults)?;
        let case = case.ok_or_else(|| Error::internal("a case without faults is there"))?;
        Ok(Self { case, persons, suspects, counts })
    }
}

/// Opens a case with its persons and charges: all or nothing.
pub async fn open_case(store: &Store, act: Act, once: Once, new: CaseCreate) -> Result<Written<CaseView>> {
    let opening = Opening::plan(new, &act, once.bucket())?;
    commit_opening(store, act, once, opening).await
}

/// Registers what was planned in the bucket of the key.
pub async fn commit_opening(store: &Store, act: Act, once: Once, opening: Opening) -> Result<Written<CaseView>> {
    store
        .write(move |tx| {
            let Opening { case, persons, suspects, counts } = &opening;
            let id = case.id;
            if let Claim::Replay { resource, .. } = idempotency::claim(tx, &once, id.bucket(), id.erase(), 1, act.now)? {
                return written(tx, &act, CaseId::from_uuid(resource.uuid()), true);
            }
            store::insert(tx, &act, case)?;
            let mut entries = vec![Entry::new(Action::Created, id, Some(1))];
            entries.extend(victims::insert(tx, &act, id, persons)?);
            entries.extend(accused::insert(tx, &act, id, suspects)?);
            entries.extend(charges::insert(tx, &act, counts)?);
            ledger::append(tx, &act.actor, act.now, entries)?;
            let sight = super::docket::owner_sight();
            Ok(Written { view: case.view(&sight), tag: sight.view(), replayed: false })
        })
        .await
}

fn written(tx: &mut Conn, act: &Act, id: CaseId, replayed: bool) -> Result<Written<CaseView>> {
    let (case, sight) = store::find(tx, &act.scope, id)?;
    Ok(Written { view: case.view(&sight), tag: sight.view(), replayed })
}

/// One case.
pub async fn read_case(store: &Store, act: &Act, id: CaseId) -> Result<Written<CaseView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let (case, sight) = store::find(conn, &scope, id)?;
            Ok(Written { view: case.view(&sight), tag: sight.view(), replayed: false })
        })
        .await
}

/// A list's filter by one of a case's numbers, before it is known which case that is.
#[derive(Clone, Debug)]
pub struct NumberFilter {
    /// Scheme.
    pub scheme: String,
    /// Normal form.
    pub normal_form: String,
}

/// One page of the caller's cases.
pub async fn list_cases(
    store: &Store,
    act: &Act,
    mut filter: Filter,
    number: Option<NumberFilter>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<CaseView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            if let Some(NumberFilter { scheme, normal_form }) = &number {
                match store::holder(conn, &claim_of(scheme, None, normal_form))? {
                    Some(case) => filter.case = Some(case),
                    None => return Ok(Page { items: Vec::new(), next: None }),
                }
            }
            let mut page = store::list(conn, &scope, &filter, after.as_ref(), limit)?;
            if number.is_some() {
                // Found by a number: whoever may not see numbers must not learn whose this one is.
                page.items.retain(|(_, sight)| sight.sees(Section::Identifiers));
            }
            Ok(page.map(|(case, sight)| case.view(&sight)))
        })
        .await
}

/// Changes a case.
pub async fn amend_case(store: &Store, act: Act, id: CaseId, version: i64, patch: CasePatch) -> Result<Written<CaseView>> {
    store
        .write(move |tx| {
            let head = store::head_for_write(tx, &act.scope, id)?;
            let before = head.case;
            must_match(before.version, version)?;
            let mut case = before.clone();
            let changed = case.amend(patch.clone(), &act)?;
            if !changed.is_empty() {
                store::claim(tx, &case)?;
                store::release(tx, &before, &case)?;
                store::update(tx, &case, version)?;
                let entry = Entry::new(Action::Updated, id, Some(case.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(Written { view: case.view(&head.sight), tag: head.sight.view(), replayed: false })
        })
        .await
}

/// `If-Match` against the version that was read.
pub fn must_match(current: i64, given: i64) -> Result<()> {
    if current == given { Ok(()) } else { Err(Error::PreconditionFailed { current_version: current }) }
}

/// Moves a case to another stage.
pub async fn move_case(
    store: &Store,
    act: Act,
    once: Once,
    id: CaseId,
    version: i64,
    new: CaseTransitionCreate,
) -> Result<Written<CaseView>> {
    let record: TransitionId = act.id(id.bucket());
    store
        .write(move |tx| {
            let head = store::head_for_write(tx, &act.scope, id)?;
            if let Claim::Replay { .. } = idempotency::claim(tx, &once, id.bucket(), id.erase(), version + 1, act.now)? {
                return written(tx, &act, id, true);
            }
            must_match(head.case.version, version)?;
            let mut case = head.case;
            let law = act.catalogue.clone();
            let profile = law
                .profile(&case.jurisdiction, &case.procedural_code, act.now.date())
                .ok_or_else(|| Error::internal("a stored case without a profile"))?;
            let transition = profile
                .transition(&case.stage, &new.trigger)
                .ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            let failed = failed_guards(tx, id, transition)?;
            if !failed.is_empty() {
                return Err(Error::StateConflict(failed.into_iter().map(Into::into).collect()));
            }
            if transition.requires_legal_act && new.legal_act.is_none() {
                return Err(Error::field("/legal_act", FaultCode::Required));
            }
            let from = std::mem::replace(&mut case.stage, transition.to.clone());
            case.version += 1;
            case.updated_at = act.now;
            store::update(tx, &case, version)?;
            let entry = Entry::new(Action::Transitioned, id, Some(case.version)).moved(&new.trigger, &from, &case.stage);
            transitions::append(
                tx,
                &act,
                id,
                &Done {
                    id: record,
                    trigger: new.trigger.clone(),
                    from,
                    to: case.stage.clone(),
                    legal_act: new.legal_act.clone(),
                    effective_on: new.effective_on,
                    reason: new.reason.clone(),
                    version: case.version,
                },
            )?;
            ledger::append(tx, &act.actor, act.now, vec![entry])?;
            Ok(Written { view: case.view(&head.sight), tag: head.sight.view(), replayed: false })
        })
        .await
}

/// Codes of the guards that stand against a transition now.
fn failed_guards(conn: &mut Conn, id: CaseId, transition: &Transition) -> Result<Vec<String>> {
    let mut failed = Vec::new();
    for guard in &transition.guards {
        let holds = match guard.as_str() {
            "has_identified_accused" => accused::has_identified(conn, id)?,
            "has_charge" => charges::count(conn, id)? > 0,
            "no_open_referral" => referrals::open_count(conn, id)? == 0,
            // A guard that this program does not know cannot be said to hold.
            _ => false,
        };
        if !holds {
            failed.push(guard.clone());
        }
    }
    Ok(failed)
}

/// Every transition out of the current stage, and what stands against it.
pub async fn available(store: &Store, act: &Act, id: CaseId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (case, sight) = store::find(conn, &act.scope, id)?;
            let profile = act
                .catalogue
                .profile(&case.jurisdiction, &case.procedural_code, act.now.date())
                .ok_or_else(|| Error::internal("a stored case without a profile"))?;
            let mut items = Vec::new();
            for transition in profile.available(&case.stage) {
                let mut failed_guards = failed_guards(conn, id, transition)?;
                if sight.must_own().is_err() {
                    failed_guards.push("owner_only".to_owned());
                }
                items.push(AvailableTransition {
                    trigger: transition.trigger.clone(),
                    to: transition.to.clone(),
                    label: transition.labels.get(lang).to_owned(),
                    basis: Some(transition.basis.clone()).filter(|b| !b.is_empty()),
                    requires_legal_act: transition.requires_legal_act,
                    allowed: failed_guards.is_empty(),
                    failed_guards,
                });
            }
            Ok(AvailableTransitions { state: case.stage, items })
        })
        .await
}

/// The transitions of a case, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: CaseId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            super::docket::sight(conn, &scope, id)?;
            transitions::list(conn, id, after.as_ref(), limit)
        })
        .await
}

/// The changes of a case, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: CaseId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ledger::append::Event>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            super::docket::sight(conn, &scope, id)?;
            ledger::append::history(conn, id, after.as_ref(), limit)
        })
        .await
}
