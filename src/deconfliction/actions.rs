//! The question and what both agencies hear of it.

use crate::act::Act;
use crate::db::Store;
use crate::kernel::Result;
use crate::kernel::ids::{AccusedId, ClientId, VictimId};
use crate::ledger::{self, Action, Entry};
use crate::persons::index::Subject;
use crate::persons::search::HIGH;
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
                Ok(found.into_iter().filter(|c| c.score >= HIGH).map(|c| c.person).take(MOST_TOLD).collect())
            };
            let mut harmed: Vec<VictimId> = likely(Role::Victim)?.into_iter().map(VictimId::from_uuid).collect();
            let mut suspected: Vec<AccusedId> = likely(Role::Accused)?.into_iter().map(AccusedId::from_uuid).collect();
            let seen = victims::seen(conn, &asking.scope, &harmed)?;
            harmed.retain(|id| !seen.iter().any(|(s, _)| s == id));
            let seen = accused::seen(conn, &asking.scope, &suspected)?;
            suspected.retain(|id| !seen.iter().any(|(s, _)| s == id));
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
