//! The question and what both agencies hear of it.

use crate::act::Act;
use crate::db::Store;
use crate::kernel::Result;
use crate::kernel::ids::{AccusedId, ClientId, VictimId};
use crate::ledger::{self, Action, Entry};
use crate::persons::index::Subject;
use crate::persons::search::{HIGH, TOGETHER};
use crate::persons::store::candidates;
use crate::persons::{Role, search};
use crate::{accused, victims};

/// Persons of a role whose agencies hear of a question at most.
const MOST_TOLD: usize = 10;

/// Whether the person is known to another agency. The caller's own persons do not count: those a search shows.
pub async fn ask(store: &Store, act: Act, client: ClientId, subject: Subject) -> Result<bool> {
    let asking = act.clone();
    let question = act.index.fingerprint(Role::Victim, &subject);
    let (harmed, suspected) = store
        .read(move |conn| {
            let mut likely = |role| -> Result<Vec<uuid::Uuid>> {
                let found: Vec<search::Candidate> = candidates(conn, &asking.index, role, &subject)?;
                Ok(found.into_iter().filter(|c| c.score >= HIGH).map(|c| c.person).collect())
            };
            let harmed: Vec<VictimId> = likely(Role::Victim)?.into_iter().map(VictimId::from_uuid).collect();
            let suspected: Vec<AccusedId> = likely(Role::Accused)?.into_iter().map(AccusedId::from_uuid).collect();
            let harmed = others(&harmed, |some| victims::seen(conn, &asking.scope, some))?;
            let suspected = others(&suspected, |some| accused::seen(conn, &asking.scope, some))?;
            Ok((harmed, suspected))
        })
        .await?;
    let found = !harmed.is_empty() || !suspected.is_empty();
    store
        .write(move |tx| {
            // The asker's entry stands under its client, the others' under their persons: in the history of each.
            let mut entries = vec![
                Entry::new(Action::Asked, client, None).about("deconfliction").asked(question.clone(), usize::from(found)),
            ];
            let told = |entry: Entry| entry.about("deconfliction").agency(act.agency());
            entries.extend(harmed.iter().map(|id| told(Entry::new(Action::Matched, *id, None))));
            entries.extend(suspected.iter().map(|id| told(Entry::new(Action::Matched, *id, None))));
            ledger::append(tx, &act.actor, act.now, entries)
        })
        .await?;
    Ok(found)
}

/// The first of these persons whom the caller does not see: however many of its own stand before them, it learns of the
/// others.
fn others<K: Copy + PartialEq>(likely: &[K], mut seen: impl FnMut(&[K]) -> Result<Vec<(K, String)>>) -> Result<Vec<K>> {
    let mut others = Vec::new();
    for some in likely.chunks(TOGETHER) {
        let own = seen(some)?;
        others.extend(some.iter().copied().filter(|id| !own.iter().any(|(known, _)| known == id)));
        if others.len() >= MOST_TOLD {
            break;
        }
    }
    others.truncate(MOST_TOLD);
    Ok(others)
}
