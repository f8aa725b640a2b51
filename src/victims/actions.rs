//! What can be done with victims: one transaction each.

use super::model::{identity_view, prepare};
use super::store::{self, Named};
use super::wire::{
    CaseVictimCreate, CaseVictimCreated, CaseVictimPatch, CaseVictimView, VictimIdentityInput, VictimIdentityView,
    VictimPatch, VictimView,
};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::actions::{Written, must_match};
use crate::cases::{Section, head_for_write, sight};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::Result;
use crate::kernel::error::{Error, no_faults};
use crate::kernel::ids::{CaseId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::ledger::{self, Action, Entry};
use crate::persons::index::Subject;
use crate::persons::merge_wire::PersonTransitionCreate;
use crate::persons::search::first_shown_of_each;
use crate::persons::search_wire::{MOST_DUPLICATES, VictimCandidate};
use crate::persons::{self, Role, merging};

/// Adds a victim to a case.
pub async fn add_victim(
    store: &Store,
    act: Act,
    once: Once,
    case: CaseId,
    new: CaseVictimCreate,
) -> Result<Written<CaseVictimCreated>> {
    let (prepared, faults) = prepare(vec![new], "", &act, case);
    // The one item of the list is the body itself: its pointers start at the root.
    let faults = faults.into_iter().map(|f| crate::kernel::error::under_root(f, "/0")).collect();
    no_faults(faults)?;
    let first = prepared.first().ok_or_else(|| Error::internal("one victim was prepared"))?;
    let id = first.id;
    let (asking, subject) = (act.clone(), Subject::of(&first.identity));
    let written = store
        .write(move |tx| {
            let head = head_for_write(tx, &act.scope, case)?;
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let part = store::find_part(tx, case, VictimId::from_uuid(resource.uuid()))?;
                return Ok(Written { view: part.view(), tag: head.sight.view(), replayed: true });
            }
            let mut entries = store::insert(tx, &act, case, &prepared)?;
            entries.push(Entry::new(Action::Linked, case, None).about("case_victim"));
            ledger::append(tx, &act.actor, act.now, entries)?;
            let part = store::find_part(tx, case, id)?;
            Ok(Written { view: part.view(), tag: head.sight.view(), replayed: false })
        })
        .await?;
    let Written { view, tag, replayed } = written;
    let new = view.victim_id;
    let possible_duplicates = if subject.is_empty() {
        Vec::new()
    } else {
        store.read(move |conn| resembling(conn, &asking, &subject, MOST_DUPLICATES, Some(new))).await?
    };
    Ok(Written { view: CaseVictimCreated { added: view, possible_duplicates }, tag, replayed })
}

/// One page of a case's victims.
pub async fn list_victims(
    store: &Store,
    act: &Act,
    case: CaseId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<CaseVictimView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let sight = sight(conn, &scope, case)?;
            sight.must_see(Section::Victims)?;
            Ok(store::list(conn, &sight, case, after.as_ref(), limit)?.map(|v| v.view()))
        })
        .await
}

/// One victim's part in a case.
pub async fn read_part(store: &Store, act: &Act, case: CaseId, id: VictimId) -> Result<Written<CaseVictimView>> {
    let scope = act.scope.clone();
    store
        .read_few(move |conn| {
            let sight = sight(conn, &scope, case)?;
            if !sight.sees_victim(id) {
                return Err(Error::NotFound);
            }
            let part = store::find_part(conn, case, id)?;
            Ok(Written { tag: format!("{}{}", sight.view(), part.victim.tag()), view: part.view(), replayed: false })
        })
        .await
}

/// Changes a victim's part in a case.
pub async fn amend_part(
    store: &Store,
    act: Act,
    case: CaseId,
    id: VictimId,
    version: i64,
    patch: CaseVictimPatch,
) -> Result<Written<CaseVictimView>> {
    store.write(move |tx| change_part(tx, &act, case, id, Some(version), patch.clone()).map(|(written, _)| written)).await
}

/// The same, in a transaction that does more; at whatever version it stands where none is named. Answers the pointers
/// that changed, too.
pub fn change_part(
    tx: &mut Conn,
    act: &Act,
    case: CaseId,
    id: VictimId,
    version: Option<i64>,
    patch: CaseVictimPatch,
) -> Result<(Written<CaseVictimView>, Vec<String>)> {
    let head = head_for_write(tx, &act.scope, case)?;
    let mut part = store::find_part(tx, case, id)?;
    let read_at = part.version;
    must_match(read_at, version.unwrap_or(read_at))?;
    let changed = part.amend(patch, act)?;
    if !changed.is_empty() {
        store::update_part(tx, &part, read_at)?;
        // About the case: a victim's own history must not tell in which cases she or he is.
        let entry = Entry::new(Action::Updated, case, Some(part.version)).about("case_victim").changed(changed.clone());
        ledger::append(tx, &act.actor, act.now, vec![entry])?;
    }
    Ok((Written { view: part.view(), tag: head.sight.view(), replayed: false }, changed))
}

/// One victim.
pub async fn read_victim(store: &Store, act: &Act, id: VictimId) -> Result<Written<VictimView>> {
    let scope = act.scope.clone();
    store.read_few(move |conn| show(conn, &scope, id)).await
}

fn show(conn: &mut Conn, scope: &Scope, id: VictimId) -> Result<Written<VictimView>> {
    let (victim, sight) = store::find(conn, scope, id)?;
    Ok(Written { tag: format!("{}{}", sight.view(), victim.tag()), view: victim.view(), replayed: false })
}

/// Merges a victim's record into another one of the same person, or ends that.
pub async fn move_record(
    store: &Store,
    act: Act,
    once: Once,
    id: VictimId,
    version: i64,
    new: PersonTransitionCreate,
) -> Result<Written<VictimView>> {
    merging::move_record(store, act, once, id, version, new, show).await
}

/// Changes a victim.
pub async fn amend_victim(
    store: &Store,
    act: Act,
    id: VictimId,
    version: i64,
    patch: VictimPatch,
) -> Result<Written<VictimView>> {
    store.write(move |tx| amended(tx, &act, id, version, patch.clone())).await
}

/// The same, in a transaction that does more.
pub fn amended(tx: &mut Conn, act: &Act, id: VictimId, version: i64, patch: VictimPatch) -> Result<Written<VictimView>> {
    change(tx, act, id, Some(version), patch).map(|(written, _)| written)
}

/// The same, at whatever version it stands where none is named. Answers the pointers that changed, too.
pub fn change(
    tx: &mut Conn,
    act: &Act,
    id: VictimId,
    version: Option<i64>,
    patch: VictimPatch,
) -> Result<(Written<VictimView>, Vec<String>)> {
    let (mut victim, sight) = store::find(tx, &act.scope, id)?;
    sight.must_own()?;
    let read_at = victim.version;
    must_match(read_at, version.unwrap_or(read_at))?;
    victim.must_stand()?;
    let changed = victim.amend(patch, act)?;
    if !changed.is_empty() {
        store::update(tx, &victim, read_at)?;
        let entry = Entry::new(Action::Updated, id, Some(victim.version)).changed(changed.clone());
        ledger::append(tx, &act.actor, act.now, vec![entry])?;
    }
    Ok((Written { view: victim.view(), tag: sight.view(), replayed: false }, changed))
}

/// Who a victim is.
pub async fn read_identity(store: &Store, act: &Act, id: VictimId) -> Result<Written<VictimIdentityView>> {
    let scope = act.scope.clone();
    store
        .read_few(move |conn| {
            let Named { of, identity, version, updated_at, sight } = store::find_identity(conn, &scope, id)?;
            Ok(Written { view: identity_view(&identity, of, version, updated_at), tag: sight.view(), replayed: false })
        })
        .await
}

/// Changes who a victim is.
pub async fn amend_identity(
    store: &Store,
    act: Act,
    id: VictimId,
    version: i64,
    patch: VictimIdentityInput,
) -> Result<Written<VictimIdentityView>> {
    store.write(move |tx| change_identity(tx, &act, id, Some(version), patch.clone()).map(|(written, _)| written)).await
}

/// The same, in a transaction that does more; at whatever version it stands where none is named. Answers the pointers
/// that changed, too.
pub fn change_identity(
    tx: &mut Conn,
    act: &Act,
    id: VictimId,
    version: Option<i64>,
    patch: VictimIdentityInput,
) -> Result<(Written<VictimIdentityView>, Vec<String>)> {
    let Named { of, mut identity, version: read_at, mut updated_at, sight } = store::find_identity(tx, &act.scope, id)?;
    sight.must_own()?;
    if of != id {
        return Err(Error::StateConflict(vec!["merged".into()]));
    }
    must_match(read_at, version.unwrap_or(read_at))?;
    let changed = identity.amend(patch.into(), &act.catalogue, "").map_err(Error::Validation)?;
    let mut version = read_at;
    if !changed.is_empty() {
        store::update_identity(tx, id, &identity, version, act)?;
        version += 1;
        updated_at = act.now;
        let entry = Entry::new(Action::Updated, id, Some(version)).about("victim_identity").changed(changed.clone());
        ledger::append(tx, &act.actor, act.now, vec![entry])?;
    }
    let view = identity_view(&identity, id, version, updated_at);
    Ok((Written { view, tag: sight.view(), replayed: false }, changed))
}

/// The victims in the caller's sight who may be the one asked for, the best first. The second answer names the
/// question in the ledger.
pub async fn search(store: &Store, act: &Act, subject: Subject, limit: usize) -> Result<(Vec<VictimCandidate>, String)> {
    let act = act.clone();
    let question = act.index.fingerprint(Role::Victim, &subject);
    let items = store.read(move |conn| resembling(conn, &act, &subject, limit, None)).await?;
    Ok((items, question))
}

/// The persons in the caller's sight who may be the one, the best first, but for one.
pub fn resembling(
    conn: &mut Conn,
    act: &Act,
    subject: &Subject,
    limit: usize,
    except: Option<VictimId>,
) -> Result<Vec<VictimCandidate>> {
    Ok(resembling_each(conn, act, &[(subject, except)], limit)?.pop().unwrap_or_default())
}

/// The same for several, in as many statements as for one.
pub fn resembling_each(
    conn: &mut Conn,
    act: &Act,
    asked: &[(&Subject, Option<VictimId>)],
    limit: usize,
) -> Result<Vec<Vec<VictimCandidate>>> {
    let subjects: Vec<&Subject> = asked.iter().map(|(subject, _)| *subject).collect();
    let mut candidates = persons::store::candidates_of_each(conn, &act.index, Role::Victim, &subjects)?;
    for (candidates, (_, except)) in candidates.iter_mut().zip(asked) {
        candidates.retain(|c| except.is_none_or(|id| id.uuid() != c.person));
    }
    let first = first_shown_of_each(candidates, limit, |persons| {
        let ids: Vec<VictimId> = persons.iter().map(|p| VictimId::from_uuid(*p)).collect();
        Ok(store::seen(conn, &act.scope, &ids)?.into_iter().map(|(id, code)| (id.uuid(), code)).collect())
    })?;
    let shown = |(candidate, code): (persons::search::Candidate, String)| VictimCandidate::new(&candidate, code);
    Ok(first.into_iter().map(|of| of.into_iter().map(shown).collect()).collect())
}

/// The changes of a victim, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: VictimId,
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
