//! Whether the persons of a case that was opened just now are registered already: told, and nothing stopped by it.

use super::wire::{AccusedDuplicates, CaseDuplicates, VictimDuplicates};
use crate::act::Act;
use crate::db::{Conn, Store};
use crate::kernel::ids::{CaseId, Kind};
use crate::kernel::{Id, Result};
use crate::persons::index::Subject;
use crate::persons::search_wire::MOST_DUPLICATES;
use crate::persons::{Identity, merges};
use crate::{accused, victims};

/// A record, what is known of its person, and the record that stands for the person.
type Asked<K> = (Id<K>, Subject, Id<K>);

/// Those of whom something is known.
fn asked<K: Kind>(conn: &mut Conn, identities: Vec<(Id<K>, Identity)>) -> Result<Vec<Asked<K>>> {
    let mut known: Vec<(Id<K>, Subject)> =
        identities.iter().map(|(id, identity)| (*id, Subject::of(identity))).filter(|(_, s)| !s.is_empty()).collect();
    known.sort_by_key(|(id, _)| *id);
    let ids: Vec<Id<K>> = known.iter().map(|(id, _)| *id).collect();
    let survivors = merges::survivors(conn, &ids)?;
    Ok(known.into_iter().map(|(id, subject)| (id, subject, survivors.get(&id).copied().unwrap_or(id))).collect())
}

/// The persons in the caller's sight who may be one of the case's: all of its persons are looked for, in as many statements
/// as one of them. From what is stored, so that a repeated request is told too.
pub async fn of_case(store: &Store, act: &Act, case: CaseId) -> Result<CaseDuplicates> {
    let act = act.clone();
    store
        .read(move |conn| {
            let mut found = CaseDuplicates::default();
            let records = victims::in_case(conn, case)?;
            let identities = victims::store::own_identities(conn, &records)?;
            let harmed = asked(conn, identities)?;
            let questions: Vec<_> = harmed.iter().map(|(_, subject, this)| (subject, Some(*this))).collect();
            let each = victims::actions::resembling_each(conn, &act, &questions, MOST_DUPLICATES)?;
            for ((victim_id, ..), candidates) in harmed.iter().zip(each).filter(|(_, candidates)| !candidates.is_empty()) {
                found.victims.push(VictimDuplicates { victim_id: *victim_id, candidates });
            }
            let records = accused::in_case(conn, case)?;
            let identities = accused::store::own_identities(conn, &records)?;
            let suspected = asked(conn, identities)?;
            let questions: Vec<_> = suspected.iter().map(|(_, subject, this)| (subject, Some(*this))).collect();
            let each = accused::actions::resembling_each(conn, &act, &questions, MOST_DUPLICATES)?;
            for ((accused_id, ..), candidates) in suspected.iter().zip(each).filter(|(_, candidates)| !candidates.is_empty())
            {
                found.accused.push(AccusedDuplicates { accused_id: *accused_id, candidates });
            }
            Ok(found)
        })
        .await
}
