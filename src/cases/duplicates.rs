//! Whether the persons of a case that was opened just now are registered already: told, and nothing stopped by it.

use super::wire::{AccusedDuplicates, CaseDuplicates, VictimDuplicates};
use crate::act::Act;
use crate::db::Store;
use crate::kernel::ids::{AccusedId, CaseId, VictimId};
use crate::kernel::{Error, Result};
use crate::persons::index::Subject;
use crate::persons::search_wire::MOST_DUPLICATES;
use crate::persons::{Identity, merges};
use crate::{accused, victims};

/// Persons of each kind that are looked for. A case of more is a list that an import checks.
const MOST_PERSONS: usize = 20;

/// Who is looked for; nobody where nothing is known, or nothing any more.
fn subject(identity: Result<Identity>) -> Result<Option<Subject>> {
    match identity {
        Ok(identity) => Ok(Some(Subject::of(&identity)).filter(|subject| !subject.is_empty())),
        Err(Error::Erased) => Ok(None),
        Err(other) => Err(other),
    }
}

/// The persons in the caller's sight who may be one of the case's. From what is stored, so that a repeated request is told
/// too.
pub async fn of_case(store: &Store, act: &Act, case: CaseId) -> Result<CaseDuplicates> {
    let act = act.clone();
    store
        .read(move |conn| {
            let mut found = CaseDuplicates::default();
            let harmed: Vec<VictimId> = victims::in_case(conn, case)?.into_iter().take(MOST_PERSONS).collect();
            for victim_id in harmed {
                let Some(subject) = subject(victims::store::own_identity(conn, victim_id))? else { continue };
                let this = merges::survivor(conn, victim_id)?;
                let candidates = victims::actions::resembling(conn, &act, &subject, MOST_DUPLICATES, Some(this))?;
                if !candidates.is_empty() {
                    found.victims.push(VictimDuplicates { victim_id, candidates });
                }
            }
            let suspected: Vec<AccusedId> = accused::in_case(conn, case)?.into_iter().take(MOST_PERSONS).collect();
            for accused_id in suspected {
                let Some(subject) = subject(accused::store::own_identity(conn, accused_id))? else { continue };
                let this = merges::survivor(conn, accused_id)?;
                let candidates = accused::actions::resembling(conn, &act, &subject, MOST_DUPLICATES, Some(this))?;
                if !candidates.is_empty() {
                    found.accused.push(AccusedDuplicates { accused_id, candidates });
                }
            }
            Ok(found)
        })
        .await
}
