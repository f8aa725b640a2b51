//! What can be done with accused persons: one transaction each.

use super::model::{amend_identity as apply_identity, identity_view, prepare};
use super::store::{self, Named};
use super::wire::{AccusedCreate, AccusedCreated, AccusedIdentityInput, AccusedIdentityView, AccusedPatch, AccusedView};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::actions::{Written, must_match};
use crate::cases::{Section, head_for_write, sight};
use crate::charges;
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::Result;
use crate::kernel::error::{Error, no_faults, under_root};
use crate::kernel::ids::{AccusedId, CaseId};
use crate::kernel::page::{After, Limit, Page};
use crate::ledger::{self, Action, Entry};
use crate::persons::index::Subject;
use crate::persons::merge_wire::PersonTransitionCreate;
use crate::persons::search::first_shown_of_each;
use crate::persons::search_wire::{AccusedCandidate, MOST_DUPLICATES};
use crate::persons::{self, Publication, Role, merges, merging};

/// Adds an accused to a case.
pub async fn add_accused(
    store: &Store,
    act: Act,
    once: Once,
    case: CaseId,
    new: AccusedCreate,
) -> Result<Written<AccusedCreated>> {
    let (prepared, faults) = prepare(vec![new], "", &act, case);
    // The one item of the list is the body itself: its pointers start at the root.
    no_faults(faults.into_iter().map(|f| under_root(f, "/0")).collect())?;
    let first = prepared.first().ok_or_else(|| Error::internal("one accused was prepared"))?;
    let id = first.id;
    let (asking, subject) = (act.clone(), Subject::of(&first.identity));
    let written = store
        .write(move |tx| {
            let head = head_for_write(tx, &act.scope, case)?;
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let stored = store::one(tx, AccusedId::from_uuid(resource.uuid()))?;
                return Ok(Written { view: stored.view(), tag: head.sight.view(), replayed: true });
            }
            let mut entries = store::insert(tx, &act, case, &prepared)?;
            entries.push(Entry::new(Action::Linked, case, None).about("case_accused"));
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(Written { view: store::one(tx, id)?.view(), tag: head.sight.view(), replayed: false })
        })
        .await?;
    let Written { view, tag, replayed } = written;
    let new = view.id;
    let possible_duplicates = if subject.is_empty() {
        Vec::new()
    } else {
        store.read(move |conn| resembling(conn, &asking, &subject, MOST_DUPLICATES, Some(new))).await?
    };
    Ok(Written { view: AccusedCreated { added: view, possible_duplicates }, tag, replayed })
}

/// One page of a case's accused.
pub async fn list_accused(
    store: &Store,
    act: &Act,
    case: CaseId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<AccusedView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            sight(conn, &scope, case)?.must_see(Section::Accused)?;
            Ok(store::list(conn, case, after.as_ref(), limit)?.map(|a| a.view()))
        })
        .await
}

/// One accused.
pub async fn read_accused(store: &Store, act: &Act, id: AccusedId) -> Result<Written<AccusedView>> {
    let scope = act.scope.clone();
    store.read_few(move |conn| show(conn, &scope, id)).await
}

fn show(conn: &mut Conn, scope: &Scope, id: AccusedId) -> Result<Written<AccusedView>> {
    let (accused, sight) = store::find(conn, scope, id)?;
    Ok(Written { tag: format!("{}{}", sight.view(), accused.tag()), view: accused.view(), replayed: false })
}

/// Merges the record of an accused into another one of the same person, or ends that.
pub async fn move_record(
    store: &Store,
    act: Act,
    once: Once,
    id: AccusedId,
    version: i64,
    new: PersonTransitionCreate,
) -> Result<Written<AccusedView>> {
    merging::move_record(store, act, once, id, version, new, show).await
}

/// Changes an accused.
pub async fn amend_accused(
    store: &Store,
    act: Act,
    id: AccusedId,
    version: i64,
    patch: AccusedPatch,
) -> Result<Written<AccusedView>> {
    store.write(move |tx| amended(tx, &act, id, version, patch.clone())).await
}

/// The same, in a transaction that does more.
pub fn amended(tx: &mut Conn, act: &Act, id: AccusedId, version: i64, patch: AccusedPatch) -> Result<Written<AccusedView>> {
    change(tx, act, id, Some(version), patch).map(|(written, _)| written)
}

/// The same, at whatever version it stands where none is named. Answers the pointers that changed, too.
pub fn change(
    tx: &mut Conn,
    act: &Act,
    id: AccusedId,
    version: Option<i64>,
    patch: AccusedPatch,
) -> Result<(Written<AccusedView>, Vec<String>)> {
    let (mut accused, sight) = store::find(tx, &act.scope, id)?;
    sight.must_own()?;
    let read_at = accused.version;
    must_match(read_at, version.unwrap_or(read_at))?;
    accused.must_stand()?;
    let changed = accused.amend(patch, act)?;
    if !changed.is_empty() {
        store::update(tx, &accused, read_at)?;
        let entry = Entry::new(Action::Updated, id, Some(accused.version)).changed(changed.clone());
        ledger::append(tx, &act.actor, act.now, vec![entry])?;
    }
    Ok((Written { view: accused.view(), tag: sight.view(), replayed: false }, changed))
}

/// Who an accused person is.
pub async fn read_identity(store: &Store, act: &Act, id: AccusedId) -> Result<Written<AccusedIdentityView>> {
    let scope = act.scope.clone();
    store
        .read_few(move |conn| {
            let Named { of, identity, version, updated_at, sight } = store::find_identity(conn, &scope, id)?;
            Ok(Written { view: identity_view(&identity, of, version, updated_at), tag: sight.view(), replayed: false })
        })
        .await
}

/// Changes who an accused person is.
pub async fn amend_identity(
    store: &Store,
    act: Act,
    id: AccusedId,
    version: i64,
    patch: AccusedIdentityInput,
) -> Result<Written<AccusedIdentityView>> {
    store.write(move |tx| change_identity(tx, &act, id, Some(version), patch.clone()).map(|(written, _)| written)).await
}

/// The same, in a transaction that does more; at whatever version it stands where none is named. Answers the pointers
/// that changed, too.
pub fn change_identity(
    tx: &mut Conn,
    act: &Act,
    id: AccusedId,
    version: Option<i64>,
    patch: AccusedIdentityInput,
) -> Result<(Written<AccusedIdentityView>, Vec<String>)> {
    let Named { of, mut identity, version: read_at, mut updated_at, sight } = store::find_identity(tx, &act.scope, id)?;
    sight.must_own()?;
    if of != id {
        return Err(Error::StateConflict(vec!["merged".into()]));
    }
    must_match(read_at, version.unwrap_or(read_at))?;
    let kind = store::one(tx, id)?.detail.kind;
    let changed = apply_identity(&mut identity, patch, &kind, &act.catalogue, "").map_err(Error::Validation)?;
    let mut version = read_at;
    if !changed.is_empty() {
        store::update_identity(tx, id, &identity, version, act)?;
        version += 1;
        updated_at = act.now;
        let entry = Entry::new(Action::Updated, id, Some(version)).about("accused_identity").changed(changed.clone());
        ledger::append(tx, &act.actor, act.now, vec![entry])?;
    }
    let view = identity_view(&identity, id, version, updated_at);
    Ok((Written { view, tag: sight.view(), replayed: false }, changed))
}

/// Whether an accused may be named in public, by the charges that the caller sees.
pub async fn publication(store: &Store, act: &Act, id: AccusedId) -> Result<Publication> {
    let act = act.clone();
    store
        .read(move |conn| {
            store::find(conn, &act.scope, id)?;
            // A conviction under one of a person's records is one of the person.
            let survivor = merges::survivor(conn, id)?;
            let records = merges::records(conn, survivor)?;
            let mut states = Vec::new();
            for case in store::cases_in_sight(conn, &act.scope, survivor, Section::Charges)? {
                let of_case = charges::of_case(conn, case)?;
                states.extend(of_case.into_iter().filter(|c| records.contains(&c.accused) && c.is_here()).map(|c| c.state));
            }
            Ok(Publication::of_accused(&act.catalogue, states.iter().map(String::as_str)))
        })
        .await
}

/// The accused in the caller's sight who may be the one asked for, the best first. The second answer names the
/// question in the ledger.
pub async fn search(store: &Store, act: &Act, subject: Subject, limit: usize) -> Result<(Vec<AccusedCandidate>, String)> {
    let act = act.clone();
    let question = act.index.fingerprint(Role::Accused, &subject);
    let items = store.read(move |conn| resembling(conn, &act, &subject, limit, None)).await?;
    Ok((items, question))
}

/// The persons in the caller's sight who may be the one, the best first, but for one.
pub fn resembling(
    conn: &mut Conn,
    act: &Act,
    subject: &Subject,
    limit: usize,
    except: Option<AccusedId>,
) -> Result<Vec<AccusedCandidate>> {
    Ok(resembling_each(conn, act, &[(subject, except)], limit)?.pop().unwrap_or_default())
}

/// The same for several, in as many statements as for one.
pub fn resembling_each(
    conn: &mut Conn,
    act: &Act,
    asked: &[(&Subject, Option<AccusedId>)],
    limit: usize,
) -> Result<Vec<Vec<AccusedCandidate>>> {
    let subjects: Vec<&Subject> = asked.iter().map(|(subject, _)| *subject).collect();
    let mut candidates = persons::store::candidates_of_each(conn, &act.index, Role::Accused, &subjects)?;
    for (candidates, (_, except)) in candidates.iter_mut().zip(asked) {
        candidates.retain(|c| except.is_none_or(|id| id.uuid() != c.person));
    }
    let first = first_shown_of_each(candidates, limit, |persons| {
        let ids: Vec<AccusedId> = persons.iter().map(|p| AccusedId::from_uuid(*p)).collect();
        Ok(store::seen(conn, &act.scope, &ids)?.into_iter().map(|(id, code)| (id.uuid(), code)).collect())
    })?;
    let shown = |(candidate, code): (persons::search::Candidate, String)| AccusedCandidate::new(&candidate, code);
    Ok(first.into_iter().map(|of| of.into_iter().map(shown).collect()).collect())
}

/// The changes of an accused, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: AccusedId,
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
