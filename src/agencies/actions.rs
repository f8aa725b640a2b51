//! What can be done with the directory: one transaction each.

use super::model::{Agency, ledger_id};
use super::routing::{Competent, Matter, competent};
use super::store::{self, Filter};
use super::wire::{AgencyCreate, AgencyPatch, AgencyView, CompetentAgency};
use crate::act::Act;
use crate::cases::actions::{Written, must_match};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result};
use crate::ledger::{self, Action, Entry};

/// Resource type of an agency in the ledger.
const RESOURCE: &str = "agency";

/// The entity tag's view is the language: a name is part of what is shown.
fn written(agency: &Agency, lang: &str, replayed: bool) -> Written<AgencyView> {
    Written { view: agency.view(lang), tag: lang.to_owned(), replayed }
}

/// One page of the directory.
pub async fn list_agencies(
    store: &Store,
    filter: Filter,
    after: Option<After>,
    limit: Limit,
    lang: &'static str,
) -> Result<Page<AgencyView>> {
    store.read(move |conn| Ok(store::list(conn, &filter, after.as_ref(), limit)?.map(|a| a.view(lang)))).await
}

/// One agency.
pub async fn read_agency(store: &Store, code: AgencyCode, lang: &'static str) -> Result<Written<AgencyView>> {
    store.read(move |conn| Ok(written(&store::find(conn, &code)?, lang, false))).await
}

/// The agencies that are competent for something in a place today, the most fitting first.
pub async fn list_competent(
    store: &Store,
    act: &Act,
    matter: Matter,
    place: Option<String>,
    limit: Limit,
    lang: &'static str,
) -> Result<Vec<CompetentAgency>> {
    let act = act.clone();
    store
        .read(move |conn| {
            let found = competent(store::all(conn)?, &matter, place.as_deref(), &act.catalogue, act.now.date());
            let view = |one: &Competent| CompetentAgency {
                agency: one.agency.view(lang),
                competence: one.competence.as_str(),
                reach: one.reach.as_str(),
            };
            Ok(found.iter().take(limit.rows()).map(view).collect())
        })
        .await
}

/// Faults of the parent that an agency names.
fn parent_faults(conn: &mut Conn, agency: &Agency) -> Result<Vec<Fault>> {
    let Some(parent) = &agency.parent else { return Ok(Vec::new()) };
    Ok(match store::find(conn, parent) {
        Err(Error::NotFound) => vec![Fault::body("/parent", FaultCode::ReferenceNotFound)],
        Err(other) => return Err(other),
        Ok(_) if store::makes_a_loop(conn, &agency.code, parent)? => {
            vec![Fault::body("/parent", FaultCode::CrossField)]
        }
        Ok(_) => Vec::new(),
    })
}

/// Registers an agency.
pub async fn register_agency(
    store: &Store,
    act: Act,
    once: Once,
    new: AgencyCreate,
    lang: &'static str,
) -> Result<Written<AgencyView>> {
    let (agency, faults) = Agency::register(new, &act);
    let id = ledger_id(&agency.code);
    store
        .write(move |tx| {
            let claim = idempotency::claim(tx, &once, id, 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&store::find(tx, &agency.code)?, lang, true));
            }
            let mut faults = faults.clone();
            faults.extend(parent_faults(tx, &agency)?);
            no_faults(faults)?;
            if !store::insert(tx, &agency)? {
                return Err(Error::field("/code", FaultCode::UniqueItems));
            }
            let entry = Entry::new(Action::Created, id, Some(1)).about(RESOURCE).agency(&agency.code);
            ledger::append(tx, &act.actor, act.now, vec![entry])?;
            Ok(written(&agency, lang, false))
        })
        .await
}

/// Changes an agency.
pub async fn amend_agency(
    store: &Store,
    act: Act,
    code: AgencyCode,
    version: i64,
    patch: AgencyPatch,
    lang: &'static str,
) -> Result<Written<AgencyView>> {
    store
        .write(move |tx| {
            let mut agency = store::find(tx, &code)?;
            must_match(agency.version, version)?;
            let (changed, mut faults) = agency.amend(patch.clone(), &act);
            faults.extend(parent_faults(tx, &agency)?);
            no_faults(faults)?;
            if !changed.is_empty() {
                store::update(tx, &agency, version)?;
                let entry = Entry::new(Action::Updated, ledger_id(&code), Some(agency.version))
                    .about(RESOURCE)
                    .agency(&code)
                    .changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(written(&agency, lang, false))
        })
        .await
}
