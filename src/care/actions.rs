//! What can be done with victims' care: one transaction each.

use aws_lc_rs::digest;

use super::engine::{self, Facts, Needs};
use super::links;
use super::model::CareProcess;
use super::store;
use super::wire::{CareProcessCreate, CareProcessPatch, CareProcessView, CareTransitionCreate};
use crate::act::Act;
use crate::assistance::states::State as NeedState;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::Relation;
use crate::cases::participants::receiver_faults;
use crate::cases::{Section, Sight};
use crate::catalogue::CareProtocol;
use crate::consents::store as consents;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CareProcessId, TransitionId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, PartialDate, Result};
use crate::ledger::{self, Action, Entry};
use crate::persons::merges;
use crate::persons::merging::Record;
use crate::transitions::{self, AvailableTransition, AvailableTransitions, Done, TransitionView};
use crate::{agencies, assistance, victims};

/// A process that the caller may see, and how it sees the person.
fn find(conn: &mut Conn, act: &Act, id: CareProcessId) -> Result<(CareProcess, Sight)> {
    let record = store::find(conn, id)?;
    let sight = victims::through(conn, &act.scope, record.victim, Section::Assistance)?;
    Ok((record, sight))
}

/// Oversight looks and does nothing.
fn must_act(sight: &Sight) -> Result<()> {
    if sight.relation == Relation::Oversight { Err(Error::OwnerOnly) } else { Ok(()) }
}

fn protocol<'l>(record: &CareProcess, act: &'l Act) -> Result<&'l CareProtocol> {
    record.protocol(act).ok_or_else(|| Error::internal("care under a protocol that the catalogue no longer has"))
}

/// The needs of a person, under every record.
fn needs(conn: &mut Conn, records: &[VictimId]) -> Result<Vec<NeedState>> {
    let mut all = Vec::new();
    for record in records {
        all.extend(assistance::store::states(conn, *record)?);
    }
    Ok(all)
}

fn view(conn: &mut Conn, act: &Act, record: &CareProcess) -> Result<CareProcessView> {
    let records = merges::records(conn, record.victim)?;
    let needs = needs(conn, &records)?;
    let (links, redacted) = links::views(conn, act, &records, &record.detail.links)?;
    Ok(record.view(&needs, links, redacted))
}

fn written(conn: &mut Conn, act: &Act, record: &CareProcess, replayed: bool) -> Result<Written<CareProcessView>> {
    let view = view(conn, act, record)?;
    // Needs change without the record, and what is withheld without either: both are in the tag.
    let told = serde_json::to_vec(&(&view.needs, &view.redacted)).map_err(Error::internal)?;
    let hash = digest::digest(&digest::SHA256, &told);
    let tag = hash.as_ref().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    Ok(Written { view, tag, replayed })
}

/// Begins the care of a victim whose help the caller's agency sees. A person has one process that goes on.
pub async fn begin(
    store: &Store,
    act: Act,
    once: Once,
    victim: VictimId,
    new: CareProcessCreate,
) -> Result<Written<CareProcessView>> {
    let id: CareProcessId = act.id(victim.bucket());
    let (record, faults) = CareProcess::begin(new, &act, id, victim);
    store
        .write(move |tx| {
            let sight = victims::through(tx, &act.scope, victim, Section::Assistance)?;
            must_act(&sight)?;
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let (stored, _) = find(tx, &act, CareProcessId::from_uuid(resource.uuid()))?;
                return written(tx, &act, &stored, true);
            }
            let records = merges::records(tx, victim)?;
            let mut faults = faults.clone();
            faults.extend(links::faults(tx, &act, &records, &[], &record.detail.links)?);
            no_faults(faults)?;
            // Two agencies that begin at once: one of them finds the other's.
            for one in &records {
                <crate::kernel::ids::Victim as Record>::hold(tx, *one)?;
            }
            if under_way(tx, &act, &records)? {
                return Err(Error::StateConflict(vec!["care_under_way".into()]));
            }
            store::insert(tx, &act, &record)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, id, Some(1))])?;
            written(tx, &act, &record, false)
        })
        .await
}

/// Whether a process of the person goes on.
fn under_way(conn: &mut Conn, act: &Act, records: &[VictimId]) -> Result<bool> {
    for one in records {
        for (_, jurisdiction, version, state) in store::states(conn, *one)? {
            let ended = act
                .catalogue
                .care_protocol(&jurisdiction, &version)
                .and_then(|p| p.state(&state))
                .is_some_and(|state| state.terminal);
            if !ended {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// One process.
pub async fn read(store: &Store, act: &Act, id: CareProcessId) -> Result<Written<CareProcessView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (record, _) = find(conn, &act, id)?;
            written(conn, &act, &record, false)
        })
        .await
}

/// One page of a victim's processes. Whoever sees the person without the section learns that there is nothing to see.
pub async fn list_of_victim(
    store: &Store,
    act: &Act,
    victim: VictimId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<CareProcessView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            match victims::through(conn, &act.scope, victim, Section::Assistance) {
                Ok(_) => {}
                Err(Error::NotFound) => {
                    victims::find(conn, &act.scope, victim)?;
                    return Ok(Page { items: Vec::new(), next: None });
                }
                Err(other) => return Err(other),
            }
            let Page { items, next } = store::of_victim(conn, victim, after.as_ref(), limit)?;
            let items = items.iter().map(|record| view(conn, &act, record)).collect::<Result<Vec<_>>>()?;
            Ok(Page { items, next })
        })
        .await
}

/// Corrects a process. Whoever sees it with the means to write does: it is of all who help.
pub async fn amend(
    store: &Store,
    act: Act,
    id: CareProcessId,
    version: i64,
    patch: CareProcessPatch,
) -> Result<Written<CareProcessView>> {
    store
        .write(move |tx| {
            let (before, sight) = find(tx, &act, id)?;
            must_act(&sight)?;
            must_match(before.version, version)?;
            if protocol(&before, &act)?.state(&before.state).is_some_and(|s| s.terminal) {
                return Err(Error::StateConflict(vec!["ended".into()]));
            }
            let mut record = before.clone();
            let (changed, mut faults) = record.amend(patch.clone(), &act);
            if changed.iter().any(|c| c == "#/links") {
                let records = merges::records(tx, record.victim)?;
                faults.extend(links::faults(tx, &act, &records, &before.detail.links, &record.detail.links)?);
            }
            no_faults(faults)?;
            if !changed.is_empty() {
                store::update(tx, &before, &record)?;
                let entry = Entry::new(Action::Updated, id, Some(record.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            written(tx, &act, &record, false)
        })
        .await
}

/// What guards look at, as far as they do.
fn facts(conn: &mut Conn, act: &Act, of: &CareProcess, asked: Needs) -> Result<Facts> {
    let victim = of.victim;
    let records = merges::records(conn, victim)?;
    let mut facts = Facts { agency_kind: agencies::kind(conn, act.agency())?, ..Facts::default() };
    if asked.minor {
        facts.minor = victims::store::one(conn, victim)?.detail.minor();
    }
    if asked.reached {
        facts.reached = transitions::past(conn, of.id)?.into_iter().flat_map(|past| [past.from, past.to]).collect();
    }
    if asked.needs {
        facts.needs = needs(conn, &records)?;
    }
    if asked.statuses {
        facts.statuses = victims::store::statuses(conn, &records)?;
    }
    if asked.consents {
        for record in &records {
            let given = consents::given(conn, *record)?.into_iter().filter(|consent| consent.in_force(act.now));
            facts.consents.extend(given.flat_map(|consent| consent.detail.purposes));
        }
    }
    Ok(facts)
}

/// Moves a process by an act that an agency of the caller's kind may register.
pub async fn make_move(
    store: &Store,
    act: Act,
    once: Once,
    id: CareProcessId,
    version: i64,
    new: CareTransitionCreate,
) -> Result<Written<CareProcessView>> {
    let record_id: TransitionId = act.id(id.bucket());
    store
        .write(move |tx| {
            let (before, sight) = find(tx, &act, id)?;
            must_act(&sight)?;
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return written(tx, &act, &before, true);
            }
            must_match(before.version, version)?;
            let protocol = protocol(&before, &act)?;
            let row = protocol
                .transition(&before.state, &new.trigger)
                .ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
            // What the request says counts for the guards: the risk that is evaluated with the move was evaluated.
            let (after, on, mut faults) = before.moved(row, &new, &act);
            let facts = facts(tx, &act, &before, Needs::of([row]))?;
            let failed = engine::refusals(protocol, &after_for_guards(&before, &after), row, &facts);
            if !failed.is_empty() {
                return Err(Error::StateConflict(failed.into_iter().map(Into::into).collect()));
            }
            faults.extend(engine::faults(row, &new));
            if let Some(agency) = new.placement.as_ref().and_then(|p| p.agency.as_ref()) {
                faults.extend(receiver_faults(tx, agency, "/placement/agency", act.now)?);
            }
            if !new.links.is_empty() {
                let records = merges::records(tx, before.victim)?;
                faults.extend(links::faults(tx, &act, &records, &before.detail.links, &new.links)?);
            }
            no_faults(faults)?;
            if row.from.iter().any(|from| protocol.state(from).is_some_and(|s| s.terminal)) {
                // A process that begins again must still be the only one.
                let records = merges::records(tx, before.victim)?;
                for one in &records {
                    <crate::kernel::ids::Victim as Record>::hold(tx, *one)?;
                }
                if under_way(tx, &act, &records)? {
                    return Err(Error::StateConflict(vec!["care_under_way".into()]));
                }
            }
            store::update(tx, &before, &after)?;
            let done = Done {
                id: record_id,
                trigger: new.trigger.clone(),
                from: before.state.clone(),
                to: after.state.clone(),
                legal_act: None,
                effective_on: Some(PartialDate::from_date(on.date())),
                reason: new.reason.clone(),
                version: after.version,
                reach: transitions::Reach { actor: engine::actor(protocol, row, &facts), ..transitions::Reach::default() },
            };
            transitions::append(tx, &act, after.victim, id, &done)?;
            let moved = Entry::new(Action::Transitioned, id, Some(after.version));
            let entry = moved.moved(&new.trigger, &before.state, &after.state);
            ledger::append(tx, &act.actor, act.now, vec![entry])?;
            written(tx, &act, &after, false)
        })
        .await
}

/// The record that guards look at: what is known after the move, and why it ended before.
fn after_for_guards(before: &CareProcess, after: &CareProcess) -> CareProcess {
    let mut looked_at = after.clone();
    looked_at.detail.close_reason.clone_from(&before.detail.close_reason);
    looked_at
}

/// Every move out of the current state, and what stands against it for this caller.
pub async fn available(store: &Store, act: &Act, id: CareProcessId, lang: &'static str) -> Result<AvailableTransitions> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (record, sight) = find(conn, &act, id)?;
            let protocol = protocol(&record, &act)?;
            let facts = facts(conn, &act, &record, Needs::of(protocol.available(&record.state)))?;
            let items = protocol
                .available(&record.state)
                .map(|row| {
                    let mut failed = engine::refusals(protocol, &record, row, &facts);
                    if must_act(&sight).is_err() {
                        failed.push("owner_only");
                    }
                    AvailableTransition {
                        trigger: row.trigger.clone(),
                        to: row.to.clone().unwrap_or_else(|| record.state.clone()),
                        label: row.labels.get(lang).to_owned(),
                        basis: Some(row.basis.clone()),
                        requires_legal_act: false,
                        legal_acts: Vec::new(),
                        actors: row.actors.clone(),
                        allowed: failed.is_empty(),
                        failed_guards: failed.into_iter().map(str::to_owned).collect(),
                    }
                })
                .collect();
            Ok(AvailableTransitions { state: record.state.clone(), items })
        })
        .await
}

/// The moves of a process, oldest first.
pub async fn list_transitions(
    store: &Store,
    act: &Act,
    id: CareProcessId,
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

/// The changes of a process, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: CareProcessId,
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
