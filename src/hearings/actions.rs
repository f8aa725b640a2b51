//! What can be done with hearings: one transaction each.

use super::model::Hearing;
use super::store;
use super::wire::{HearingCreate, HearingPatch, HearingView};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::cases::{Section, Sight, head_for_write, sight};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::Result;
use crate::kernel::ids::{CaseId, HearingId};
use crate::kernel::page::{After, Limit, Page};
use crate::ledger::{self, Action, Entry};

fn written(hearing: &Hearing, sight: &Sight, replayed: bool) -> Written<HearingView> {
    Written { view: hearing.view(), tag: sight.view(), replayed }
}

/// Sets a hearing down in a case of the caller's agency.
pub async fn set_down_hearing(
    store: &Store,
    act: Act,
    once: Once,
    case: CaseId,
    new: HearingCreate,
) -> Result<Written<HearingView>> {
    let id: HearingId = act.id(case.bucket());
    store
        .write(move |tx| {
            let head = head_for_write(tx, &act.scope, case)?;
            let claim = idempotency::claim(tx, &once, id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&store::find(tx, HearingId::from_uuid(resource.uuid()))?, &head.sight, true));
            }
            let hearing = Hearing::set_down(new.clone(), &act, id, case)?;
            store::insert(tx, &act, &hearing)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, id, Some(1))])?;
            Ok(written(&hearing, &head.sight, false))
        })
        .await
}

/// A hearing of a case that the caller may see.
fn find(conn: &mut Conn, act: &Act, id: HearingId) -> Result<(Hearing, Sight)> {
    let hearing = store::find(conn, id)?;
    let sight = sight(conn, &act.scope, hearing.case)?;
    sight.must_see(Section::Proceedings)?;
    Ok((hearing, sight))
}

/// One hearing.
pub async fn read_hearing(store: &Store, act: &Act, id: HearingId) -> Result<Written<HearingView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (hearing, sight) = find(conn, &act, id)?;
            Ok(written(&hearing, &sight, false))
        })
        .await
}

/// One page of a case's hearings.
pub async fn list_hearings(
    store: &Store,
    act: &Act,
    case: CaseId,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<HearingView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            sight(conn, &scope, case)?.must_see(Section::Proceedings)?;
            Ok(store::list(conn, case, after.as_ref(), limit)?.map(|h| h.view()))
        })
        .await
}

/// Changes a hearing.
pub async fn amend_hearing(
    store: &Store,
    act: Act,
    id: HearingId,
    version: i64,
    patch: HearingPatch,
) -> Result<Written<HearingView>> {
    store
        .write(move |tx| {
            let (mut hearing, sight) = find(tx, &act, id)?;
            sight.must_own()?;
            must_match(hearing.version, version)?;
            let changed = hearing.amend(patch.clone(), &act)?;
            if !changed.is_empty() {
                store::update(tx, &hearing, version)?;
                let entry = Entry::new(Action::Updated, id, Some(hearing.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(written(&hearing, &sight, false))
        })
        .await
}

/// The changes of a hearing, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: HearingId,
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
