//! What can be done with reunifications: one transaction each.

use super::desk::{self, Filter};
use super::model::{Beneficiary, Reunification};
use super::states::{State, Trigger};
use super::store;
use super::wire::{
    BeneficiaryCreate, BeneficiaryPatch, BeneficiaryTransitionCreate, ReunificationCreate, ReunificationPatch,
    ReunificationTotals, ReunificationView,
};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::Section;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::Relation;
use crate::cases::participants::receiver_faults;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{BeneficiaryId, ConsentId, ReunificationId, TransitionId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, PartialDate, Result};
use crate::ledger::{self, Action, Entry};
use crate::persons::merges;
use crate::programmes::ground::{self, Ground};
use crate::programmes::standing::{self, Helped, Role, Standing};
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};
use crate::victims;

fn stand(conn: &mut Conn, scope: &Scope, record: &Reunification) -> Result<Standing> {
    let of = Helped {
        victim: record.victim,
        registrar: &record.agency,
        helper: record.sponsor.as_ref(),
        shown: record.shown_to_sponsor(),
    };
    standing::stand(conn, scope, of)
}

/// A reunification that the caller may see.
pub(crate) fn find(conn: &mut Conn, act: &Act, id: ReunificationId) -> Result<(Reunification, Standing)> {
    let record = store::find(conn, id)?;
    let stand = stand(conn, &act.scope, &record)?;
    Ok((record, stand))
}

/// `identities`: whether the token opens identities.
fn written(record: &Reunification, stand: Standing, identities: bool, replayed: bool) -> Written<ReunificationView> {
    let names = identities && stand.identity;
    let tag = format!("{}{}", stand.tag(), if names { "e" } else { "n" });
    Written { view: record.view(names), tag, replayed }
}

/// Whoever keeps it and whoever sponsors it move the relatives on.
fn must_work(stand: Standing) -> Result<()> {
    if stand.keeps() || stand.role == Role::Helper { Ok(()) } else { Err(Error::OwnerOnly) }
}

/// Faults of who sponsors it and on what it rests.
fn outside_faults(tx: &mut Conn, act: &Act, record: &Reunification, minor: bool) -> Result<Vec<Fault>> {
    let mut faults = match &record.sponsor {
        Some(sponsor) => receiver_faults(tx, sponsor, "/sponsor_agency", act.now)?,
        None => Vec::new(),
    };
    let ground = Ground {
        victim: record.victim,
        minor,
        basis: record.detail.legal_basis.as_deref(),
        consent: record.consent,
        provider: (record.sponsor.as_ref(), "/sponsor_agency"),
        registrar: &record.agency,
    };
    faults.extend(ground::faults(tx, |code| act.catalogue.has_code("legal_basis", code), ground, act.now)?);
    Ok(faults)
}

/// Begins a reunification of a victim whom the caller's agency sees. Oversight looks and begins nothing.
pub async fn begin(
    store: &Store,
    act: Act,
    once: Once,
    victim: VictimId,
    new: ReunificationCreate,
    identities: bool,
) -> Result<Written<ReunificationView>> {
    let id: ReunificationId = act.id(victim.bucket());
    let (record, faults) = Reunification::begin(new, &act, id, victim);
    store
        .write(move |tx| {
            let (person, sight) = victims::find(tx, &act.scope, victim)?;
            if sight.relation == Relation::Oversight {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let (stored, stand) = find(tx, &act, ReunificationId::from_uuid(resource.uuid()))?;
                return Ok(written(&stored, stand, identities, true));
            }
            let mut faults = faults.clone();
            // Without the section an agency begins what it does itself, and nothing else.
            let all = victims::through(tx, &act.scope, victim, Section::Assistance).is_ok();
            if !all && record.sponsor.as_ref() != Some(act.agency()) {
                faults.push(Fault::body("/sponsor_agency", FaultCode::CrossField));
            }
            faults.extend(outside_faults(tx, &act, &record, person.detail.minor())?);
            no_faults(faults)?;
            store::insert(tx, &act, &record)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, id, Some(1))])?;
            let stand = stand(tx, &act.scope, &record)?;
            Ok(written(&record, stand, identities, false))
        })
        .await
}

/// One reunification; the second answer says whether names were shown.
pub async fn read(
    store: &Store,
    act: &Act,
    id: ReunificationId,
    identities: bool,
) -> Result<(Written<ReunificationView>, bool)> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (record, stand) = find(conn, &act, id)?;
            let named = identities && stand.identity && record.names_anybody();
            Ok((written(&record, stand, identities, false), named))
        })
        .await
}

/// One page of the caller's desk, without names, and the totals of all its pages.
pub async fn list(
    store: &Store,
    act: &Act,
    filter: Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<(Page<ReunificationView>, ReunificationTotals)> {
    let act = act.clone();
    let mut filter = filter;
    store
        .read(move |conn| {
            // The desk counts a person of several records by the one that stands for them.
            filter.victim = filter.victim.map(|victim| merges::survivor(conn, victim)).transpose()?;
            let totals = desk::totals(conn, &act.scope, &filter)?;
            let Page { items, next } = desk::list(conn, &act.scope, &filter, after.as_ref(), limit)?;
            let mut views = Vec::with_capacity(items.len());
            for record in store::many(conn, &items)? {
                match stand(conn, &act.scope, &record) {
                    Ok(_) => views.push(record.view(false)),
                    // The desk gives the order; what may be seen is the docket's to say.
                    Err(Error::NotFound) => {}
                    Err(other) => return Err(other),
                }
            }
            Ok((Page { items: views, next }, totals))
        })
        .await
}

/// Writes what changed and says so in the ledger.
fn commit(tx: &mut Conn, act: &Act, before: &Reunification, after: &Reunification, changed: Vec<String>) -> Result<()> {
    if changed.is_empty() {
        return Ok(());
    }
    store::update(tx, before, after)?;
    let entry = Entry::new(Action::Updated, after.id, Some(after.version)).changed(changed);
    ledger::append(tx, &act.actor, act.now, vec![entry])
}

/// Corrects a reunification. Its keeper does.
pub async fn amend(
    store: &Store,
    act: Act,
    id: ReunificationId,
    version: i64,
    patch: ReunificationPatch,
    identities: bool,
) -> Result<Written<ReunificationView>> {
    store
        .write(move |tx| {
            let (before, stand) = find(tx, &act, id)?;
            stand.must_keep()?;
            must_match(before.version, version)?;
            let mut record = before.clone();
            let (changed, mut faults) = record.amend(patch.clone(), &act);
            if ["#/sponsor_agency", "#/legal_basis", "#/consent_id"].iter().any(|p| changed.iter().any(|c| c == p)) {
                let minor = victims::store::one(tx, record.victim)?.detail.minor();
                faults.extend(outside_faults(tx, &act, &record, minor)?);
            }
            no_faults(faults)?;
            commit(tx, &act, &before, &record, changed)?;
            Ok(written(&record, stand, identities, false))
        })
        .await
}

/// One more relative.
pub async fn add_beneficiary(
    store: &Store,
    act: Act,
    once: Once,
    id: ReunificationId,
    new: BeneficiaryCreate,
    identities: bool,
) -> Result<Written<ReunificationView>> {
    let relative: BeneficiaryId = act.id(id.bucket());
    store
        .write(move |tx| {
            let (before, stand) = find(tx, &act, id)?;
            must_work(stand)?;
            let claim = idempotency::claim(tx, &once, relative.erase(), before.version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, stand, identities, true));
            }
            let mut record = before.clone();
            record.add(new.clone(), &act, relative)?;
            commit(tx, &act, &before, &record, vec!["#/beneficiaries".to_owned()])?;
            Ok(written(&record, stand, identities, false))
        })
        .await
}

/// Corrects a relative.
pub async fn amend_beneficiary(
    store: &Store,
    act: Act,
    (id, relative): (ReunificationId, BeneficiaryId),
    version: i64,
    patch: BeneficiaryPatch,
    identities: bool,
) -> Result<Written<ReunificationView>> {
    store
        .write(move |tx| {
            let (before, stand) = find(tx, &act, id)?;
            must_work(stand)?;
            before.of(relative)?;
            must_match(before.version, version)?;
            let mut record = before.clone();
            let changed = record.amend_beneficiary(relative, patch.clone(), &act)?;
            commit(tx, &act, &before, &record, changed)?;
            Ok(written(&record, stand, identities, false))
        })
        .await
}

fn done(id: TransitionId, trigger: Trigger, from: State, to: State, version: i64) -> Done {
    Done {
        id,
        trigger: trigger.as_str().to_owned(),
        from: from.as_str().to_owned(),
        to: to.as_str().to_owned(),
        legal_act: None,
        effective_on: None,
        reason: None,
        version,
        reach: transitions::Reach::default(),
    }
}

/// Codes of what stands against a move of a relative.
fn against(
    conn: &mut Conn,
    act: &Act,
    record: &Reunification,
    one: &Beneficiary,
    trigger: Trigger,
) -> Result<Vec<&'static str>> {
    let grounded = ground::holds(conn, record.consent, act.now)?;
    let mut failed = one.failed_guards(trigger, grounded);
    // Nobody is moved across a border on a note that says neither that she agrees nor why the law asks it.
    if trigger.acts() && record.detail.legal_basis.is_none() {
        failed.push("ground_required");
    }
    Ok(failed)
}

/// Moves a relative.
pub async fn make_move(
    store: &Store,
    act: Act,
    once: Once,
    (id, relative): (ReunificationId, BeneficiaryId),
    version: i64,
    new: BeneficiaryTransitionCreate,
    identities: bool,
) -> Result<Written<ReunificationView>> {
    let record_id: TransitionId = act.id(id.bucket());
    let trigger = new.trigger;
    store
        .write(move |tx| {
            let (before, stand) = find(tx, &act, id)?;
            must_work(stand)?;
            let (_, one) = before.of(relative)?;
            let claim = idempotency::claim(tx, &once, relative.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, stand, identities, true));
            }
            must_match(before.version, version)?;
            let from = one.state;
            let next = from.after(trigger).ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            let failed = against(tx, &act, &before, one, trigger)?;
            if !failed.is_empty() {
                return Err(Error::StateConflict(failed.into_iter().map(Into::into).collect()));
            }
            let mut after = before.clone();
            after.make_move(relative, next, &new, &act)?;
            store::update(tx, &before, &after)?;
            let done = Done {
                effective_on: new.effective_on.map(|day| PartialDate::from_date(day.date())),
                reason: new.reason.clone(),
                ..done(record_id, trigger, from, next, after.version)
            };
            transitions::append(tx, &act, after.victim, relative, &done)?;
            let entry = Entry::new(Action::Transitioned, id, Some(after.version));
            let entry = entry.moved(trigger.as_str(), from.as_str(), next.as_str());
            ledger::append(tx, &act.actor, act.now, vec![entry])?;
            Ok(written(&after, stand, identities, false))
        })
        .await
}

/// Ends every way that rests on a consent which is taken back and is still to be gone; answers the ledger entries. The
/// sponsor sees the record no more.
pub fn close_without_consent(tx: &mut Conn, act: &Act, victim: VictimId, consent: ConsentId) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for before in store::resting(tx, victim, consent)? {
        let mut after = before.clone();
        let ended = after.withdrawn(act);
        store::update(tx, &before, &after)?;
        for (relative, from) in ended {
            let id = act.id(after.id.bucket());
            let reason = Some("consent_withdrawn".to_owned());
            let done = Done { reason, ..done(id, Trigger::Close, from, State::Closed, after.version) };
            transitions::append(tx, act, victim, relative, &done)?;
            let entry = Entry::new(Action::Transitioned, after.id, Some(after.version));
            entries.push(entry.moved(Trigger::Close.as_str(), from.as_str(), State::Closed.as_str()));
        }
    }
    Ok(entries)
}

/// Every transition out of a relative's state, and what stands against it for this caller.
pub async fn available(
    store: &Store,
    act: &Act,
    (id, relative): (ReunificationId, BeneficiaryId),
    lang: &'static str,
) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (record, stand) = find(conn, &act, id)?;
            let (_, one) = record.of(relative)?;
            let mut items = Vec::new();
            for trigger in Trigger::ALL {
                let Some(next) = one.state.after(trigger) else { continue };
                let mut failed = against(conn, &act, &record, one, trigger)?;
                if must_work(stand).is_err() {
                    failed.push("owner_only");
                }
                items.push(AvailableTransition {
                    trigger: trigger.as_str().to_owned(),
                    to: next.as_str().to_owned(),
                    label: trigger.label(lang).to_owned(),
                    basis: None,
                    requires_legal_act: false,
                    legal_acts: Vec::new(),
                    actors: Vec::new(),
                    allowed: failed.is_empty(),
                    failed_guards: failed.into_iter().map(str::to_owned).collect(),
                });
            }
            Ok(AvailableTransitions { state: one.state.as_str().to_owned(), items })
        })
        .await
}

/// The transitions of a relative, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    (id, relative): (ReunificationId, BeneficiaryId),
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (record, _) = find(conn, &act, id)?;
            record.of(relative)?;
            transitions::list(conn, record.victim, relative, after.as_ref(), limit)
        })
        .await
}

/// The changes of a reunification, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: ReunificationId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ledger::append::Event>> {
    let act = act.clone();
    store
        .read(move |conn| {
            find(conn, &act, id)?;
            ledger::append::history(conn, id, after.as_ref(), limit)
        })
        .await
}
