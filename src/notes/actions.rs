//! What can be done with notes: one transaction each.

use super::model::Note;
use super::store;
use super::wire::{NoteCreate, NoteView};
use crate::act::Act;
use crate::cases::actions::Written;
use crate::cases::docket::Relation;
use crate::cases::{Sight, sight};
use crate::db::Store;
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, NoteId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Result};
use crate::ledger::{self, Action, Entry};

fn written(note: &Note, sight: &Sight, replayed: bool) -> Written<NoteView> {
    Written { view: note.view(), tag: sight.view(), replayed }
}

/// Writes a note on a case that the caller's agency owns or shares. Oversight looks and does not write.
pub async fn write_note(store: &Store, act: Act, once: Once, case: CaseId, new: NoteCreate) -> Result<Written<NoteView>> {
    let id: NoteId = act.id(case.bucket());
    let (note, faults) = Note::write(new, &act, id, case);
    store
        .write(move |tx| {
            let sight = sight(tx, &act.scope, case)?;
            if sight.relation == Relation::Oversight {
                return Err(Error::OwnerOnly);
            }
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&store::find(tx, NoteId::from_uuid(resource.uuid()))?, &sight, true));
            }
            let mut faults = faults.clone();
            let replaced = match note.supersedes.map(|old| store::find(tx, old)) {
                None => None,
                Some(Ok(old)) => Some(old),
                Some(Err(Error::NotFound)) => None,
                Some(Err(other)) => return Err(other),
            };
            if note.supersedes.is_some() {
                faults.extend(note.replacement_faults(replaced.as_ref()));
            }
            no_faults(faults)?;
            store::insert(tx, &act, &note)?;
            let mut entries = vec![Entry::new(Action::Created, id, Some(1))];
            if let Some(old) = replaced {
                if !store::supersede(tx, &old, id, act.now)? {
                    return Err(Error::StateConflict(vec!["already_superseded".into()]));
                }
                let entry = Entry::new(Action::Updated, old.id, Some(old.version + 1));
                entries.push(entry.changed(vec!["#/superseded_by".to_owned()]));
            }
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&note, &sight, false))
        })
        .await
}

/// One note.
pub async fn read_note(store: &Store, act: &Act, id: NoteId) -> Result<Written<NoteView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let note = store::find(conn, id)?;
            let sight = sight(conn, &scope, note.case)?;
            if note.visible(&scope, &sight) { Ok(written(&note, &sight, false)) } else { Err(Error::NotFound) }
        })
        .await
}

/// One page of the notes on a case.
pub async fn list_notes(
    store: &Store,
    act: &Act,
    case: CaseId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<NoteView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let sight = sight(conn, &scope, case)?;
            Ok(store::list(conn, &scope, &sight, case, after.as_ref(), limit)?.map(|n| n.view()))
        })
        .await
}
