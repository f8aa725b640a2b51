//! What can be done with decisions: one transaction each.

use super::model::Decision;
use super::store;
use super::wire::{DecisionCreate, DecisionView};
use crate::act::Act;
use crate::cases::actions::Written;
use crate::cases::{Section, Sight, head_for_write, sight};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, DecisionId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::{hearings, transitions};

fn written(decision: &Decision, sight: &Sight, replayed: bool) -> Written<DecisionView> {
    Written { view: decision.view(), tag: sight.view(), replayed }
}

/// The decision that is to be superseded, if it is one of the case's.
fn former(conn: &mut Conn, case: CaseId, id: DecisionId) -> Result<Option<Decision>> {
    match store::find(conn, id) {
        Ok(found) => Ok(Some(found).filter(|d| d.case == case)),
        Err(Error::NotFound) => Ok(None),
        Err(other) => Err(other),
    }
}

/// Registers a decision in a case of the caller's agency.
pub async fn register_decision(
    store: &Store,
    act: Act,
    once: Once,
    case: CaseId,
    new: DecisionCreate,
) -> Result<Written<DecisionView>> {
    let id: DecisionId = act.id(case.bucket());
    let (decision, faults) = Decision::register(new, &act, id, case);
    store
        .write(move |tx| {
            let head = head_for_write(tx, &act.scope, case)?;
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&store::find(tx, DecisionId::from_uuid(resource.uuid()))?, &head.sight, true));
            }
            let mut faults = faults.clone();
            let mut absent = |pointer: &str| faults.push(Fault::body(pointer, FaultCode::ReferenceNotFound));
            if let Some(transition) = decision.detail.transition
                && !transitions::of_resource(tx, case, transition)?
            {
                absent("/transition_id");
            }
            if let Some(hearing) = decision.detail.hearing
                && !hearings::in_case(tx, case, hearing)?
            {
                absent("/hearing_id");
            }
            let replaced = match decision.supersedes {
                None => None,
                Some(old) => {
                    let found = former(tx, case, old)?;
                    if found.is_none() {
                        absent("/supersedes");
                    }
                    found
                }
            };
            no_faults(faults)?;
            store::insert(tx, &act, &decision)?;
            let mut entries = vec![Entry::new(Action::Created, id, Some(1))];
            if let Some(old) = replaced {
                if !store::supersede(tx, &old, id, act.now)? {
                    return Err(Error::StateConflict(vec!["already_superseded".into()]));
                }
                let entry = Entry::new(Action::Updated, old.id, Some(old.version + 1));
                entries.push(entry.changed(vec!["#/superseded_by".to_owned()]));
            }
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&decision, &head.sight, false))
        })
        .await
}

/// One decision.
pub async fn read_decision(store: &Store, act: &Act, id: DecisionId) -> Result<Written<DecisionView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let decision = store::find(conn, id)?;
            let sight = sight(conn, &scope, decision.case)?;
            sight.must_see(Section::Proceedings)?;
            Ok(written(&decision, &sight, false))
        })
        .await
}

/// One page of a case's decisions.
pub async fn list_decisions(
    store: &Store,
    act: &Act,
    case: CaseId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<DecisionView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            sight(conn, &scope, case)?.must_see(Section::Proceedings)?;
            Ok(store::list(conn, case, after.as_ref(), limit)?.map(|d| d.view()))
        })
        .await
}
