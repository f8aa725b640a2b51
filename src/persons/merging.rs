//! Merging two records of one person, and taking that back: the same for victims and accused, one transaction each.
//!
//! Who may: an agency to which both records belong through a case of its own; it sees both identities. What it means
//! for reading is `merges`' business.

use super::merge_wire::{PersonMerge, PersonMerges, PersonTransitionCreate, Trigger};
use super::merges::{self, Tie};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::Sight;
use crate::cases::actions::{Written, must_match};
use crate::cases::docket::Relation;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{Kind, TransitionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Id, Result, Timestamp};
use crate::ledger::{self, Action, Entry};
use crate::transitions::{self, Done, Reach, TransitionView};
use crate::vault;

/// How a record stands before the caller, its own row and not the survivor's.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Speakable reference.
    pub code: String,
    /// Version of the record.
    pub version: i64,
    /// Version of its identity.
    pub identity_version: i64,
    /// What kind of person it is, where two kinds cannot be one person.
    pub kind: Option<String>,
    /// How the caller sees it.
    pub sight: Sight,
}

/// What merging needs of a kind of person.
pub trait Record: Kind + Sized {
    /// Type of the ledger's entry under the survivor.
    const MERGE: &'static str;

    /// How a record stands before the caller; `NotFound` if it is not in sight.
    fn standing(conn: &mut Conn, scope: &Scope, id: Id<Self>) -> Result<Standing>;

    /// Holds a record to the end of the transaction: two merges of the same one cannot pass each other.
    fn hold(tx: &mut Conn, id: Id<Self>) -> Result<()>;

    /// Carries a merge, or its end, to what counts persons: the record and those below it are another person's now.
    fn carry(_tx: &mut Conn, _id: Id<Self>) -> Result<()> {
        Ok(())
    }

    /// One version more, over the one that was read.
    fn touch(tx: &mut Conn, id: Id<Self>, read_at: i64, now: Timestamp) -> Result<()>;
}

/// A record that still stands for itself may be written to.
pub fn must_stand<K: Kind>(conn: &mut Conn, id: Id<K>) -> Result<()> {
    if merges::away(conn, id)?.is_some() { Err(Error::StateConflict(vec!["merged".into()])) } else { Ok(()) }
}

fn hold_both<R: Record>(tx: &mut Conn, one: Id<R>, other: Id<R>) -> Result<()> {
    let mut both = [one, other];
    both.sort_by_key(|id| (id.bucket(), *id));
    both.into_iter().try_for_each(|id| R::hold(tx, id))
}

/// Merges a record into another one, or ends that; answers the record as `show` shows it.
pub async fn move_record<R: Record, V: Send + 'static>(
    store: &Store,
    act: Act,
    once: Once,
    id: Id<R>,
    version: i64,
    new: PersonTransitionCreate,
    show: fn(&mut Conn, &Scope, Id<R>) -> Result<Written<V>>,
) -> Result<Written<V>> {
    let record: TransitionId = act.id(id.bucket());
    store
        .write(move |tx| {
            let standing = R::standing(tx, &act.scope, id)?;
            standing.sight.must_own()?;
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(Written { replayed: true, ..show(tx, &act.scope, id)? });
            }
            must_match(standing.version, version)?;
            let other = match new.trigger {
                Trigger::Merge => merge(tx, &act, id, &standing, &new)?,
                Trigger::Unmerge => unmerge(tx, &act, id, &new)?,
            };
            R::carry(tx, id)?;
            R::touch(tx, id, version, act.now)?;
            merges::count_move(tx, id)?;
            let (trigger, (from, to)) = (new.trigger.as_str(), new.trigger.states());
            transitions::append(
                tx,
                &act,
                id,
                id,
                &Done {
                    id: record,
                    trigger: trigger.to_owned(),
                    from: from.to_owned(),
                    to: to.to_owned(),
                    legal_act: None,
                    effective_on: None,
                    reason: Some(new.reason.0.clone()),
                    version: version + 1,
                    reach: Reach::default(),
                },
            )?;
            // Under both: whoever reads the history of one of them finds it there. The other's id is the auditor's to see.
            let entries = vec![
                Entry::new(Action::Transitioned, id, Some(version + 1)).moved(trigger, from, to).with(other),
                Entry::new(Action::Transitioned, other, None).about(R::MERGE).moved(trigger, from, to).with(id),
            ];
            ledger::append(tx, &act.actor, act.now, entries)?;
            show(tx, &act.scope, id)
        })
        .await
}

fn merge<R: Record>(
    tx: &mut Conn,
    act: &Act,
    id: Id<R>,
    standing: &Standing,
    new: &PersonTransitionCreate,
) -> Result<Id<R>> {
    let mut faults = new.faults(&act.catalogue);
    let into = new.into.map(|into| Id::<R>::from_uuid(into.uuid()));
    let survivor = match into {
        None => None,
        Some(into) if into == id => {
            faults.push(Fault::body("/into", FaultCode::CrossField));
            None
        }
        Some(into) => match R::standing(tx, &act.scope, into) {
            Ok(survivor) => Some((into, survivor)),
            // One of another kind of person is not there either.
            Err(Error::NotFound) => {
                faults.push(Fault::body("/into", FaultCode::ReferenceNotFound));
                None
            }
            Err(other) => return Err(other),
        },
    };
    no_faults(faults)?;
    let (into, survivor) = survivor.ok_or_else(|| Error::internal("a merge without a survivor and without a fault"))?;
    survivor.sight.must_own()?;
    hold_both(tx, id, into)?;
    if vault::is_destroyed(tx, id)? {
        return Err(Error::Erased);
    }
    let mut against = Vec::new();
    if merges::away(tx, id)?.is_some() {
        against.push("already_merged".into());
    }
    // Only what stands for itself can take another one in: so there is never a circle.
    if merges::away(tx, into)?.is_some() {
        against.push("survivor_merged".into());
    }
    if vault::is_destroyed(tx, into)? {
        against.push("survivor_erased".into());
    }
    if let (Some(one), Some(other)) = (&standing.kind, &survivor.kind)
        && one != other
    {
        against.push("different_kinds".into());
    }
    if !against.is_empty() {
        return Err(Error::StateConflict(against));
    }
    merges::insert(
        tx,
        &Tie {
            away: id.erase(),
            into: into.erase(),
            evidence: new.evidence.clone(),
            survivor_version: survivor.version,
            identity_version: survivor.identity_version,
            at: act.now,
            agency: act.agency().clone(),
        },
    )?;
    Ok(into)
}

fn unmerge<R: Record>(tx: &mut Conn, act: &Act, id: Id<R>, new: &PersonTransitionCreate) -> Result<Id<R>> {
    no_faults(new.faults(&act.catalogue))?;
    let refused = |guard: &'static str| Err(Error::StateConflict(vec![guard.into()]));
    let Some(tie) = merges::away(tx, id)? else { return refused("not_merged") };
    let into = Id::<R>::from_uuid(tie.into.uuid());
    hold_both(tx, id, into)?;
    if vault::is_destroyed(tx, id)? {
        return Err(Error::Erased);
    }
    if changed(&tie, &R::standing(tx, &act.scope, into)?) && !new.changes_stay {
        return refused("survivor_changed");
    }
    merges::delete(tx, tie.away, tie.into)?;
    Ok(into)
}

fn changed(tie: &Tie, survivor: &Standing) -> bool {
    (survivor.version, survivor.identity_version) != (tie.survivor_version, tie.identity_version)
}

/// The records that were merged into one, those that the caller sees.
pub async fn list_merges<R: Record>(store: &Store, act: &Act, id: Id<R>) -> Result<PersonMerges> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let survivor = R::standing(conn, &scope, id)?;
            let mut items = Vec::new();
            for tie in merges::into(conn, id)? {
                match R::standing(conn, &scope, Id::from_uuid(tie.away.uuid())) {
                    Ok(record) => items.push(PersonMerge {
                        record_id: tie.away,
                        code: record.code,
                        version: record.version,
                        merged_at: tie.at,
                        merged_by: tie.agency.clone(),
                        survivor_changed: changed(&tie, &survivor),
                        evidence: tie.evidence,
                    }),
                    Err(Error::NotFound) => {}
                    Err(other) => return Err(other),
                }
            }
            Ok(PersonMerges { items })
        })
        .await
}

/// The merges of a record and their ends, oldest first. The reasons are for whoever keeps the record, and for oversight.
pub async fn list_moves<R: Record>(
    store: &Store,
    act: &Act,
    id: Id<R>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            if R::standing(conn, &scope, id)?.sight.relation == Relation::Participant {
                return Err(Error::OwnerOnly);
            }
            transitions::list(conn, id, id, after.as_ref(), limit)
        })
        .await
}
