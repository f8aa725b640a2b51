//! What can be done with charges: one transaction each.

use super::model::{Charge, Draft, victim_faults};
use super::store::{self, Filter};
use super::wire::{ChargeCreate, ChargePatch, ChargeView};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::cases::{Section, Sight, head_for_write, sight};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, ChargeId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};
use crate::{accused, victims};

fn written(charge: &Charge, sight: &Sight, replayed: bool) -> Written<ChargeView> {
    Written { view: charge.view(sight), tag: sight.view(), replayed }
}

/// Charges an accused of a case of the caller's agency.
pub async fn make_charge(store: &Store, act: Act, once: Once, new: ChargeCreate) -> Result<Written<ChargeView>> {
    let id: ChargeId = act.id(new.case_id.bucket());
    store
        .write(move |tx| {
            let ChargeCreate { case_id, accused_id, offence_code, article, role, aggravators, victims } = new.clone();
            let head = match head_for_write(tx, &act.scope, case_id) {
                // The case is named in the body, so its absence is a fault of the body.
                Err(Error::NotFound) => return Err(Error::field("/case_id", FaultCode::ReferenceNotFound)),
                head => head?,
            };
            let claim = idempotency::claim(tx, &once, case_id.bucket(), id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                return Ok(written(&store::find(tx, ChargeId::from_uuid(resource.uuid()))?, &head.sight, true));
            }
            let mut faults = Vec::new();
            if !accused::in_case(tx, case_id)?.contains(&accused_id) {
                faults.push(Fault::body("/accused_id", FaultCode::ReferenceNotFound));
            }
            victim_faults(&victims, &victims::in_case(tx, case_id)?, "", &mut faults);
            let draft = Draft { accused: accused_id, offence_code, article, role, aggravators, victims };
            let charge = Charge::make(draft, "", &act, case_id, head.case.fact_date(), &mut faults);
            no_faults(faults)?;
            let charge = Charge { id, ..charge.ok_or_else(|| Error::internal("a charge without faults is there"))? };
            let entries = store::insert(tx, &act, std::slice::from_ref(&charge))?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok(written(&charge, &head.sight, false))
        })
        .await
}

/// A charge of a case that the caller may see.
fn find(conn: &mut Conn, act: &Act, id: ChargeId) -> Result<(Charge, Sight)> {
    let charge = store::find(conn, id)?;
    let sight = sight(conn, &act.scope, charge.case)?;
    sight.must_see(Section::Charges)?;
    Ok((charge, sight))
}

/// One charge.
pub async fn read_charge(store: &Store, act: &Act, id: ChargeId) -> Result<Written<ChargeView>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (charge, sight) = find(conn, &act, id)?;
            Ok(written(&charge, &sight, false))
        })
        .await
}

/// One page of a case's charges.
pub async fn list_charges(
    store: &Store,
    act: &Act,
    case: CaseId,
    filter: Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ChargeView>> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let sight = sight(conn, &scope, case)?;
            sight.must_see(Section::Charges)?;
            // Whoever may not see the accused must not find out by a filter whom a charge is against.
            if filter.accused.is_some() {
                sight.must_see(Section::Accused)?;
            }
            Ok(store::list(conn, case, &filter, after.as_ref(), limit)?.map(|c| c.view(&sight)))
        })
        .await
}

/// Changes a charge.
pub async fn amend_charge(
    store: &Store,
    act: Act,
    id: ChargeId,
    version: i64,
    patch: ChargePatch,
) -> Result<Written<ChargeView>> {
    store
        .write(move |tx| {
            let (mut charge, sight) = find(tx, &act, id)?;
            sight.must_own()?;
            must_match(charge.version, version)?;
            let head = head_for_write(tx, &act.scope, charge.case)?;
            let known = victims::in_case(tx, charge.case)?;
            let changed = charge.amend(patch.clone(), &act, head.case.fact_date(), &known)?;
            if !changed.is_empty() {
                store::update(tx, &charge, version)?;
                let entry = Entry::new(Action::Updated, id, Some(charge.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(written(&charge, &sight, false))
        })
        .await
}

/// The changes of a charge, oldest first.
pub async fn history(
    store: &Store,
    act: &Act,
    id: ChargeId,
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
