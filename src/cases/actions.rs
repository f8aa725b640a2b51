//! What can be done with a case: one transaction each.

use chrono::NaiveDate;

use super::continuation;
use super::docket::Filter;
use super::model::{Case, claim_of};
use super::procedure::{self, Asked, Facts, Needs, Plan};
use super::sections::Section;
use super::store;
use super::wire::{CaseCreate, CasePatch, CaseTransitionCreate, CaseView};
use crate::accused::PreparedAccused;
use crate::accused::store::SealedAccused;
use crate::act::Act;
use crate::catalogue::limits::Deadline;
use crate::catalogue::{Catalogue, Profile};
use crate::charges::Basis;
use crate::charges::model::Charge;
use crate::db::{Conn, Json, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Bucket, Day, Error, FaultCode, PartialDate, Result, Timestamp};
use crate::ledger::{self, Action, Entry};
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, Reach, TransitionView};
use crate::vault::{self, Mint, NewKey, Vault};
use crate::victims::PreparedVictim;
use crate::victims::store::SealedVictim;
use crate::{accused, agencies, charges, deadlines, measures, referrals, victims};

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
        let first = case.as_ref().and_then(|c| c.initial_charge_state(&act.catalogue)).unwrap_or_default();
        let accused: Vec<_> = suspects.iter().map(|a| (a.label.clone(), a.id)).collect();
        let harmed: Vec<_> = persons.iter().map(|v| (v.label.clone(), v.id)).collect();
        let (counts, more) = charges::prepare(new_charges, "/charges", act, id, (fact_date, &first), &accused, &harmed);
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

/// What an opening will be in the tables: sealed under new keys, outside any transaction.
#[derive(Debug)]
pub struct Sealed {
    keys: Vec<NewKey>,
    case: Json,
    terms: Vec<Deadline>,
    persons: Vec<SealedVictim>,
    suspects: Vec<SealedAccused>,
    counts: Vec<Json>,
}

impl Sealed {
    /// Seals an opening.
    pub fn new(opening: &Opening, vault: &Vault, act: &Act) -> Result<Self> {
        let Opening { case, persons, suspects, counts } = opening;
        let mut mint = Mint::new(vault);
        Ok(Self {
            case: store::seal(case, &mut mint)?,
            counts: charges::seal(counts, &mut mint)?,
            persons: victims::store::seal(persons, &mut mint, &act.index)?,
            suspects: accused::store::seal(suspects, &mut mint, &act.index)?,
            terms: deadlines::desk::first(&act.catalogue, case, act.now),
            keys: mint.keys(),
        })
    }
}

/// Writes cases whose claims are made, with their persons and charges, in the caller's transaction: the one way in, for
/// a case over HTTP and for many from a file. One statement for each table on PostgreSQL, however many cases.
pub fn register(tx: &mut Conn, act: &Act, openings: &[(&Opening, &Sealed)]) -> Result<()> {
    if openings.is_empty() {
        return Ok(());
    }
    vault::put(tx, &openings.iter().flat_map(|(_, sealed)| &sealed.keys).collect::<Vec<_>>())?;
    store::insert_all(tx, act, &openings.iter().map(|(new, sealed)| (&new.case, &sealed.case)).collect::<Vec<_>>())?;
    let terms: Vec<_> = openings.iter().map(|(new, sealed)| (&new.case, sealed.terms.as_slice())).collect();
    deadlines::desk::open(tx, &terms)?;
    let harmed = openings.iter().flat_map(|(new, sealed)| {
        new.persons.iter().zip(&sealed.persons).map(|(person, sealed)| (new.case.id, person, sealed))
    });
    let suspects = openings.iter().flat_map(|(new, sealed)| {
        new.suspects.iter().zip(&sealed.suspects).map(|(person, sealed)| (new.case.id, person, sealed))
    });
    let counts = openings.iter().flat_map(|(new, sealed)| new.counts.iter().zip(&sealed.counts));
    let mut entries: Vec<Entry> =
        openings.iter().map(|(new, _)| Entry::new(Action::Created, new.case.id, Some(1))).collect();
    entries.extend(victims::store::put(tx, act, &harmed.collect::<Vec<_>>())?);
    entries.extend(accused::store::put(tx, act, &suspects.collect::<Vec<_>>())?);
    entries.extend(charges::put_new(tx, act, &counts.collect::<Vec<_>>())?);
    ledger::append(tx, &act.actor, act.now, entries)
}

/// Registers what was planned in the bucket of the key.
pub async fn commit_opening(store: &Store, act: Act, once: Once, opening: Opening) -> Result<Written<CaseView>> {
    let sealed = Sealed::new(&opening, store.vault()?, &act)?;
    store
        .write(move |tx| {
            let case = &opening.case;
            let id = case.id;
            if let Claim::Replay { resource, .. } = idempotency::claim(tx, &once, id.erase(), 1, act.now)? {
                return written(tx, &act, CaseId::from_uuid(resource.uuid()), true);
            }
            store::claim(tx, case)?;
            register(tx, &act, &[(&opening, &sealed)])?;
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
        .read_few(move |conn| {
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
    store.write(move |tx| amended(tx, &act, id, version, patch.clone())).await
}

/// The same, in a transaction that does more.
pub fn amended(tx: &mut Conn, act: &Act, id: CaseId, version: i64, patch: CasePatch) -> Result<Written<CaseView>> {
    let head = store::head_for_write(tx, &act.scope, id)?;
    let before = head.case;
    must_match(before.version, version)?;
    let mut case = before.clone();
    let changed = case.amend(patch, act)?;
    if !changed.is_empty() {
        store::claim(tx, &case)?;
        store::release(tx, &before, &case)?;
        store::update(tx, &case, version)?;
        if changed.iter().any(|c| c == "#/complexity" || c == "#/reported_at") {
            deadlines::settle(tx, &act.catalogue, &case, act.now)?;
        }
        let entry = Entry::new(Action::Updated, id, Some(case.version)).changed(changed);
        ledger::append(tx, &act.actor, act.now, vec![entry])?;
    }
    Ok(Written { view: case.view(&head.sight), tag: head.sight.view(), replayed: false })
}

/// `If-Match` against the version that was read.
pub fn must_match(current: i64, given: i64) -> Result<()> {
    if current == given { Ok(()) } else { Err(Error::PreconditionFailed { current_version: current }) }
}

/// The day from which an act in a case counts: not before the stage began, not after today.
pub fn effective_day(law: &Catalogue, case: &Case, given: Option<Day>, now: Timestamp) -> Result<NaiveDate> {
    let today = law.calendar(&case.jurisdiction).day(now);
    let since = case.detail.stage_since;
    match given.map(Day::date) {
        None => Ok(today.max(since)),
        Some(day) if day < since || day > today => Err(Error::field("/effective_on", FaultCode::DateOrder)),
        Some(day) => Ok(day),
    }
}

/// The procedure of a stored case on a day.
pub fn profile_on<'l>(law: &'l Catalogue, case: &Case, on: NaiveDate) -> Result<&'l Profile> {
    // A day before the code was law can only come from the request.
    law.profile(&case.jurisdiction, &case.procedural_code, on)
        .ok_or_else(|| Error::field("/effective_on", FaultCode::DateOrder))
}

/// What guards look at, as far as they do.
fn facts(conn: &mut Conn, act: &Act, case: &Case, needs: Needs) -> Result<Facts> {
    let id = case.id;
    Ok(Facts {
        agency_kind: agencies::kind(conn, act.agency())?,
        identified: needs.identified && accused::has_identified(conn, id)?,
        unclear: if needs.elements { victims::unclear(conn, id)? } else { Vec::new() },
        open_referrals: if needs.referrals { referrals::open_count(conn, id, &case.owner)? } else { 0 },
        charges: charges::of_case(conn, id)?,
        past: if needs.past { transitions::past(conn, id)? } else { Vec::new() },
        detained: needs.detained && detained(conn, act, case)?,
    })
}

/// Whether somebody is detained in a case.
fn detained(conn: &mut Conn, act: &Act, case: &Case) -> Result<bool> {
    let profile = profile_on(&act.catalogue, case, case.detail.stage_since)?;
    Ok(measures::running(conn, case.id)?.iter().any(|m| profile.detentions.contains(&m.type_code)))
}

/// Moves a case by a procedural act, with the charges that it carries.
pub async fn move_case(
    store: &Store,
    act: Act,
    once: Once,
    id: CaseId,
    version: i64,
    new: CaseTransitionCreate,
) -> Result<Written<CaseView>> {
    let record: TransitionId = act.id(id.bucket());
    let successor: CaseId = act.id(once.bucket());
    store
        .write(move |tx| {
            let (mut case, sight) = store::find(tx, &act.scope, id)?;
            sight.must_own()?;
            if let Claim::Replay { .. } = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)? {
                return written(tx, &act, id, true);
            }
            must_match(case.version, version)?;
            case.must_be_here()?;
            let law = act.catalogue.clone();
            let on = effective_day(&law, &case, new.effective_on, act.now)?;
            let profile = profile_on(&law, &case, on)?;
            let transition = profile
                .transition(&case.stage, &new.trigger)
                .ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            let facts = facts(tx, &act, &case, Needs::of([transition]))?;
            let failed = procedure::refusals(&law, profile, &case, transition, &facts, on);
            if !failed.is_empty() {
                return Err(Error::StateConflict(failed.into_iter().map(Into::into).collect()));
            }
            let legal_act = new.legal_act.as_ref();
            let asked = Asked {
                actor: new.actor.as_deref(),
                legal_act: legal_act.map(|a| a.kind.as_str()),
                authority: legal_act.and_then(|a| a.authority.as_deref()),
                charges: new.charges.as_deref(),
                verdicts: &new.verdicts,
                record,
                on,
                now: act.now,
                by: act.agency(),
            };
            let Plan { to, actor, moved, effect } = procedure::plan(&law, profile, &case, transition, &facts, &asked)?;
            let effective_on = PartialDate::from_date(on);
            let basis = Basis {
                legal_act: new.legal_act.clone(),
                effective_on,
                reason: new.reason.clone(),
                actor: actor.clone(),
                case: Some(id),
            };
            let mut entries = charges::put(tx, &act, &moved, &basis)?;
            // After the charges moved: what goes on elsewhere goes on as it stands now.
            let continued = continuation::carry_out(tx, &act, profile, &mut case, effect, &new, successor)?;
            let from = std::mem::replace(&mut case.stage, to);
            if from != case.stage {
                case.detail.stage_since = on;
            }
            case.version += 1;
            case.updated_at = act.now;
            store::update(tx, &case, version)?;
            // First: it is the one that the answer names.
            entries
                .insert(0, Entry::new(Action::Transitioned, id, Some(case.version)).moved(&new.trigger, &from, &case.stage));
            let reach = Reach {
                actor,
                charges: moved.iter().map(|m| m.charge.id).collect(),
                case: continued.as_ref().map(|c| c.case),
            };
            entries.extend(continued.into_iter().flat_map(|c| c.entries));
            transitions::append(
                tx,
                &act,
                id,
                id,
                &Done {
                    id: record,
                    trigger: new.trigger.clone(),
                    from,
                    to: case.stage.clone(),
                    legal_act: new.legal_act.clone(),
                    effective_on: Some(effective_on),
                    reason: new.reason.clone(),
                    version: case.version,
                    reach,
                },
            )?;
            deadlines::settle(tx, &law, &case, act.now)?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(Written { view: case.view(&sight), tag: sight.view(), replayed: false })
        })
        .await
}

/// Every transition out of the current stage, and what stands against it today.
pub async fn available(store: &Store, act: &Act, id: CaseId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (case, sight) = store::find(conn, &act.scope, id)?;
            let on = effective_day(&act.catalogue, &case, None, act.now)?;
            let profile = profile_on(&act.catalogue, &case, on)?;
            let facts = facts(conn, &act, &case, Needs::of(profile.available(&case.stage)))?;
            let items = profile
                .available(&case.stage)
                .map(|transition| {
                    let mut failed_guards: Vec<String> =
                        procedure::refusals(&act.catalogue, profile, &case, transition, &facts, on)
                            .into_iter()
                            .map(str::to_owned)
                            .collect();
                    if sight.must_own().is_err() {
                        failed_guards.push("owner_only".to_owned());
                    }
                    AvailableTransition {
                        trigger: transition.trigger.clone(),
                        to: transition.to.clone().unwrap_or_else(|| case.stage.clone()),
                        label: transition.labels.get(lang).to_owned(),
                        basis: Some(transition.basis.clone()).filter(|b| !b.is_empty()),
                        requires_legal_act: !transition.legal_acts.is_empty(),
                        legal_acts: transition.legal_acts.clone(),
                        actors: transition.actors.clone(),
                        allowed: failed_guards.is_empty(),
                        failed_guards,
                    }
                })
                .collect();
            Ok(AvailableTransitions { state: case.stage.clone(), items })
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
            let sight = super::docket::sight(conn, &scope, id)?;
            // The stage comes with any grant; why it changed and which charges moved are told like the parts they are of.
            let told = |mut done: TransitionView| {
                done.reason = done.reason.filter(|_| sight.sees(Section::Narrative));
                done.charges.retain(|_| sight.sees(Section::Charges));
                done
            };
            Ok(transitions::list(conn, id, id, after.as_ref(), limit)?.map(told))
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
            let sight = super::docket::sight(conn, &scope, id)?;
            let mut page = ledger::append::history(conn, id, after.as_ref(), limit)?;
            // What was done to a person's part in the case belongs to the section that shows the person.
            page.items.retain(|event| match event.resource_type.as_str() {
                "case_victim" => sight.sees(Section::Victims),
                "case_accused" => sight.sees(Section::Accused),
                _ => true,
            });
            Ok(page)
        })
        .await
}
