//! What can be done with needs: one transaction each.

use super::desk::{self, Filter};
use super::model::Assistance;
use super::states::Trigger;
use super::store;
use super::wire::{AssistanceCreate, AssistancePatch, AssistanceTransitionCreate, AssistanceView};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::Section;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::Relation;
use crate::cases::participants::receiver_faults;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AssistanceId, ConsentId, TransitionId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::persons::merges;
use crate::programmes::ground::{self, Ground};
use crate::programmes::standing::{self, Helped, Role, Standing};
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};
use crate::victims;

fn stand(conn: &mut Conn, scope: &Scope, record: &Assistance) -> Result<Standing> {
    let of = Helped {
        victim: record.victim,
        registrar: &record.agency,
        helper: record.provider.as_ref(),
        shown: record.shown_to_provider(),
    };
    standing::stand(conn, scope, of)
}

/// A need that the caller may see.
pub(crate) fn find(conn: &mut Conn, act: &Act, id: AssistanceId) -> Result<(Assistance, Standing)> {
    let record = store::find(conn, id)?;
    let stand = stand(conn, &act.scope, &record)?;
    Ok((record, stand))
}

fn written(record: &Assistance, stand: Standing, replayed: bool) -> Written<AssistanceView> {
    Written { view: record.view(stand.role == Role::Helper), tag: stand.tag(), replayed }
}

/// Faults of who provides a need and on what it rests.
fn outside_faults(tx: &mut Conn, act: &Act, record: &Assistance, minor: bool) -> Result<Vec<Fault>> {
    let mut faults = match &record.provider {
        Some(provider) => receiver_faults(tx, provider, "/provider_agency", act.now)?,
        None => Vec::new(),
    };
    let ground = Ground {
        victim: record.victim,
        minor,
        basis: record.detail.legal_basis.as_deref(),
        consent: record.consent,
        provider: (record.provider.as_ref(), "/provider_agency"),
        registrar: &record.agency,
    };
    faults.extend(ground::faults(tx, |code| act.catalogue.has_code("legal_basis", code), ground, act.now)?);
    Ok(faults)
}

/// Registers a need of a victim whom the caller's agency sees. Oversight looks and registers nothing.
pub async fn register(
    store: &Store,
    act: Act,
    once: Once,
    victim: VictimId,
    new: AssistanceCreate,
) -> Result<Written<AssistanceView>> {
    let id: AssistanceId = act.id(victim.bucket());
    let (record, faults) = Assistance::register(new, &act, id, victim);
    store
        .write(move |tx| {
            let (person, sight) = victims::find(tx, &act.scope, victim)?;
            if sight.relation == Relation::Oversight {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let (stored, stand) = find(tx, &act, AssistanceId::from_uuid(resource.uuid()))?;
                return Ok(written(&stored, stand, true));
            }
            let mut faults = faults.clone();
            // Without the section an agency registers what it gives itself, and nothing else.
            let all = victims::through(tx, &act.scope, victim, Section::Assistance).is_ok();
            if !all && record.provider.as_ref() != Some(act.agency()) {
                faults.push(Fault::body("/provider_agency", FaultCode::CrossField));
            }
            faults.extend(outside_faults(tx, &act, &record, person.detail.minor())?);
            no_faults(faults)?;
            store::insert(tx, &act, &record)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, id, Some(1))])?;
            let stand = stand(tx, &act.scope, &record)?;
            Ok(written(&record, stand, false))
        })
        .await
}

/// One need.
pub async fn read(store: &Store, act: &Act, id: AssistanceId) -> Result<Written<AssistanceView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (record, stand) = find(conn, &act, id)?;
            Ok(written(&record, stand, false))
        })
        .await
}

/// One page of a victim's needs: all of them for whoever sees them, else those that the caller's agency provides.
pub async fn list_of_victim(
    store: &Store,
    act: &Act,
    victim: VictimId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<AssistanceView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let only = match victims::through(conn, &act.scope, victim, Section::Assistance) {
                Ok(_) => None,
                Err(Error::NotFound) if !act.scope.oversight() => Some(act.agency().clone()),
                Err(other) => return Err(other),
            };
            let page = store::of_victim(conn, victim, only.as_ref(), after.as_ref(), limit)?;
            // Who neither sees the person nor provides anything learns nothing; who sees the person, that there is nothing.
            if only.is_some() && page.items.is_empty() {
                victims::find(conn, &act.scope, victim)?;
            }
            views(conn, &act, page)
        })
        .await
}

fn views(conn: &mut Conn, act: &Act, page: Page<Assistance>) -> Result<Page<AssistanceView>> {
    let Page { items, next } = page;
    let mut views = Vec::with_capacity(items.len());
    for record in items {
        match stand(conn, &act.scope, &record) {
            Ok(stand) => views.push(record.view(stand.role == Role::Helper)),
            // The desk gives the order; what may be seen is the docket's to say.
            Err(Error::NotFound) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(Page { items: views, next })
}

/// One page of the caller's desk.
pub async fn list_desk(
    store: &Store,
    act: &Act,
    filter: Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<AssistanceView>> {
    let act = act.clone();
    let mut filter = filter;
    store
        .read(move |conn| {
            // The desk counts a person of several records by the one that stands for them.
            filter.victim = filter.victim.map(|victim| merges::survivor(conn, victim)).transpose()?;
            let Page { items, next } = desk::list(conn, &act.scope, &filter, after.as_ref(), limit)?;
            let items = store::many(conn, &items)?;
            views(conn, &act, Page { items, next })
        })
        .await
}

/// Corrects a need. Its keeper does.
pub async fn amend(
    store: &Store,
    act: Act,
    id: AssistanceId,
    version: i64,
    patch: AssistancePatch,
) -> Result<Written<AssistanceView>> {
    store
        .write(move |tx| {
            let (before, stand) = find(tx, &act, id)?;
            stand.must_keep()?;
            must_match(before.version, version)?;
            let mut record = before.clone();
            let (changed, mut faults) = record.amend(patch.clone(), &act)?;
            if ["#/provider_agency", "#/legal_basis", "#/consent_id"].iter().any(|p| changed.iter().any(|c| c == p)) {
                let minor = victims::store::one(tx, record.victim)?.detail.minor();
                faults.extend(outside_faults(tx, &act, &record, minor)?);
            }
            no_faults(faults)?;
            if !changed.is_empty() {
                store::update(tx, &before, &record)?;
                let entry = Entry::new(Action::Updated, id, Some(record.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(written(&record, stand, false))
        })
        .await
}

/// Why a move is not this caller's to make now.
fn against(conn: &mut Conn, act: &Act, record: &Assistance, stand: Standing, trigger: Trigger) -> Result<Vec<&'static str>> {
    let grounded = ground::holds(conn, record.consent, act.now)?;
    let mut failed = record.failed_guards(trigger, grounded);
    if !(stand.keeps() || (stand.role == Role::Helper && trigger.is_providers())) {
        failed.push("owner_only");
    }
    Ok(failed)
}

/// Moves a need.
pub async fn make_move(
    store: &Store,
    act: Act,
    once: Once,
    id: AssistanceId,
    version: i64,
    new: AssistanceTransitionCreate,
) -> Result<Written<AssistanceView>> {
    let record_id: TransitionId = act.id(id.bucket());
    let trigger = new.trigger;
    store
        .write(move |tx| {
            let (before, stand) = find(tx, &act, id)?;
            let failed = against(tx, &act, &before, stand, trigger)?;
            if failed.contains(&"owner_only") {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&before, stand, true));
            }
            must_match(before.version, version)?;
            let next = before.state.after(trigger).ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            if !failed.is_empty() {
                return Err(Error::StateConflict(failed.into_iter().map(Into::into).collect()));
            }
            let mut after = before.clone();
            after.make_move(next, &new, &act)?;
            store::update(tx, &before, &after)?;
            let done = Done {
                id: record_id,
                trigger: trigger.as_str().to_owned(),
                from: before.state.as_str().to_owned(),
                to: next.as_str().to_owned(),
                legal_act: None,
                effective_on: new.effective_on.map(|day| crate::kernel::PartialDate::from_date(day.date())),
                reason: new.reason.clone(),
                version: after.version,
                reach: transitions::Reach::default(),
            };
            transitions::append(tx, &act, after.victim, id, &done)?;
            let moved = Entry::new(Action::Transitioned, id, Some(after.version));
            let entry = moved.moved(trigger.as_str(), before.state.as_str(), next.as_str());
            ledger::append(tx, &act.actor, act.now, vec![entry])?;
            Ok(written(&after, stand, false))
        })
        .await
}

/// Ends every open need that rests on a consent which is taken back; answers the ledger entries. Providers see the
/// records no more.
pub fn withdraw_without_consent(tx: &mut Conn, act: &Act, victim: VictimId, consent: ConsentId) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for before in store::resting(tx, victim, consent)? {
        let mut after = before.clone();
        after.withdrawn(act);
        store::update(tx, &before, &after)?;
        let trigger = Trigger::Withdraw.as_str();
        let done = Done {
            id: act.id(after.id.bucket()),
            trigger: trigger.to_owned(),
            from: before.state.as_str().to_owned(),
            to: after.state.as_str().to_owned(),
            legal_act: None,
            effective_on: None,
            reason: Some("consent_withdrawn".to_owned()),
            version: after.version,
            reach: transitions::Reach::default(),
        };
        transitions::append(tx, act, victim, after.id, &done)?;
        let moved = Entry::new(Action::Transitioned, after.id, Some(after.version));
        entries.push(moved.moved(trigger, before.state.as_str(), after.state.as_str()));
    }
    Ok(entries)
}

/// Every transition out of the current state, and what stands against it for this caller.
pub async fn available(store: &Store, act: &Act, id: AssistanceId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (record, stand) = find(conn, &act, id)?;
            let mut items = Vec::new();
            for trigger in Trigger::ALL {
                let Some(next) = record.state.after(trigger) else { continue };
                let failed = against(conn, &act, &record, stand, trigger)?;
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
            Ok(AvailableTransitions { state: record.state.as_str().to_owned(), items })
        })
        .await
}

/// The transitions of a need, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: AssistanceId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (record, _) = find(conn, &act, id)?;
            transitions::list(conn, record.victim, id, after.as_ref(), limit)
        })
        .await
}

/// The changes of a need, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: AssistanceId,
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
