//! Files that go on elsewhere: joined to another one, split, transferred to another agency.
//!
//! Numbers and history of both files survive: nothing is moved. Persons are tied to the file that goes on, charges
//! are continued there by a charge of its own, and each end says where the other one is.

use super::model::{Case, Chain};
use super::participants::{self, Participant};
use super::sections::Sections;
use super::store;
use super::wire::CaseTransitionCreate;
use crate::act::Act;
use crate::catalogue::{Effect, Profile};
use crate::charges::model::{Charge, ChargeDetail};
use crate::db::Conn;
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AccusedId, CaseId, VictimId};
use crate::kernel::{Error, Fault, FaultCode, Result};
use crate::ledger::{Action, Entry};
use crate::{accused, charges, deadlines, victims};

/// Where a file, or a part of it, goes on.
#[derive(Debug)]
pub struct Continued {
    /// The other file.
    pub case: CaseId,
    /// Entries of the ledger.
    pub entries: Vec<Entry>,
}

/// Does what an effect asks beyond the stage; answers none where it concerns this file alone. `successor` is the id of
/// the file that a split or a transfer opens.
pub fn carry_out(
    tx: &mut Conn,
    act: &Act,
    profile: &Profile,
    case: &mut Case,
    effect: Option<Effect>,
    new: &CaseTransitionCreate,
    successor: CaseId,
) -> Result<Option<Continued>> {
    let CaseTransitionCreate { into_case_id, to_agency, accused, .. } = new;
    let mut faults = Vec::new();
    for (pointer, given, wanted) in [
        ("/into_case_id", into_case_id.is_some(), effect == Some(Effect::Join)),
        ("/to_agency", to_agency.is_some(), effect == Some(Effect::Transfer)),
        ("/accused", !accused.is_empty(), effect == Some(Effect::Split)),
    ] {
        match (given, wanted) {
            (true, false) => faults.push(Fault::body(pointer, FaultCode::CrossField)),
            (false, true) => faults.push(Fault::body(pointer, FaultCode::Required)),
            _ => {}
        }
    }
    if let Some(agency) = to_agency {
        if agency == &case.owner {
            faults.push(Fault::body("/to_agency", FaultCode::CrossField));
        }
        faults.extend(participants::receiver_faults(tx, agency, "/to_agency", act.now)?);
    }
    no_faults(faults)?;
    match effect {
        None | Some(Effect::Extend) => Ok(None),
        Some(Effect::Join) => match into_case_id {
            Some(into) => join(tx, act, profile, case, *into).map(Some),
            None => Err(Error::internal("checked above")),
        },
        Some(Effect::Split) => split(tx, act, case, accused, successor).map(Some),
        Some(Effect::Transfer) => match to_agency {
            Some(agency) => {
                let mut next = follower(act, case, successor);
                next.owner = agency.clone();
                store::insert(tx, act, &next)?;
                deadlines::settle(tx, &act.catalogue, &next, act.now)?;
                let mut entries = vec![Entry::new(Action::Created, successor, Some(1))];
                entries.extend(carry(tx, act, case.id, successor, None)?);
                // The old file's numbers and history stay in sight of whoever goes on with it.
                let role = "successor".to_owned();
                entries.push(participants::grant(
                    tx,
                    act,
                    &Participant {
                        id: act.id(case.id.bucket()),
                        version: 1,
                        case: case.id,
                        agency: agency.clone(),
                        role,
                        sections: Sections::ALL,
                        victims: None,
                        referral: None,
                        granted_at: act.now,
                        ended_at: None,
                        created_by_agency: act.agency().clone(),
                    },
                )?);
                case.detail.chain.continued_in = Some(successor);
                Ok(Some(Continued { case: successor, entries }))
            }
            None => Err(Error::internal("checked above")),
        },
    }
}

fn join(tx: &mut Conn, act: &Act, profile: &Profile, case: &mut Case, into: CaseId) -> Result<Continued> {
    let bad = |code| Err(Error::field("/into_case_id", code));
    if into == case.id {
        return bad(FaultCode::CrossField);
    }
    let mut target = match store::head_for_write(tx, &act.scope, into) {
        // The file is named in the body, so its absence is a fault of the body.
        Err(Error::NotFound) => return bad(FaultCode::ReferenceNotFound),
        head => head?.case,
    };
    let same_law = target.jurisdiction == case.jurisdiction && target.procedural_code == case.procedural_code;
    if !same_law || profile.stage(&target.stage).is_none_or(|s| s.terminal) {
        return bad(FaultCode::CrossField);
    }
    let mut entries = carry(tx, act, case.id, into, None)?;
    let read_at = target.version;
    target.detail.chain.joined_from.push(case.id);
    target.version += 1;
    target.updated_at = act.now;
    store::update(tx, &target, read_at)?;
    entries.push(Entry::new(Action::Updated, into, Some(target.version)).changed(vec!["#/joined_from".to_owned()]));
    case.detail.chain.continued_in = Some(into);
    Ok(Continued { case: into, entries })
}

fn split(tx: &mut Conn, act: &Act, case: &mut Case, leaving: &[AccusedId], successor: CaseId) -> Result<Continued> {
    let known = accused::in_case(tx, case.id)?;
    let mut faults = Vec::new();
    for (index, id) in leaving.iter().enumerate() {
        if !known.contains(id) {
            faults.push(Fault::body(format!("/accused/{index}"), FaultCode::ReferenceNotFound));
        } else if leaving.iter().take(index).any(|other| other == id) {
            faults.push(Fault::body(format!("/accused/{index}"), FaultCode::UniqueItems));
        }
    }
    // Somebody must stay, or it is no split.
    if known.iter().all(|id| leaving.contains(id)) {
        faults.push(Fault::body("/accused", FaultCode::CrossField));
    }
    no_faults(faults)?;
    let next = follower(act, case, successor);
    store::insert(tx, act, &next)?;
    deadlines::settle(tx, &act.catalogue, &next, act.now)?;
    let mut entries = vec![Entry::new(Action::Created, successor, Some(1))];
    entries.extend(carry(tx, act, case.id, successor, Some(leaving))?);
    case.detail.chain.split_into.push(successor);
    Ok(Continued { case: successor, entries })
}

/// The file that goes on: the same facts and stage, its own code, no number yet.
fn follower(act: &Act, case: &Case, id: CaseId) -> Case {
    let mut next = case.clone();
    next.id = id;
    next.version = 1;
    next.code = act.reference("TP");
    next.external_ref = None;
    next.detail.identifiers = Vec::new();
    next.detail.chain = Chain { continues: Some(case.id), ..Chain::default() };

    next.created_at = act.now;
    next.created_by_agency = act.agency().clone();
    next.updated_at = act.now;
    next
}

/// Ties persons to the file that goes on and continues the charges there: all, or those of some accused.
fn carry(tx: &mut Conn, act: &Act, from: CaseId, to: CaseId, only: Option<&[AccusedId]>) -> Result<Vec<Entry>> {
    let mut entries = Vec::new();
    let leaving: Vec<Charge> = charges::of_case(tx, from)?
        .into_iter()
        .filter(|c| c.is_here() && only.is_none_or(|accused| accused.contains(&c.accused)))
        .collect();
    let concerned: Option<Vec<VictimId>> =
        only.map(|_| leaving.iter().flat_map(|c| c.detail.victims.iter().copied()).collect());
    entries.extend(victims::carry(tx, act, from, to, concerned.as_deref())?);
    entries.extend(accused::carry(tx, act, from, to, only)?);
    let mut next = Vec::with_capacity(leaving.len());
    for mut charge in leaving {
        let continued = Charge {
            id: act.id(to.bucket()),
            version: 1,
            case: to,
            detail: ChargeDetail { continues: Some(charge.id), ..charge.detail.clone() },
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
            ..charge.clone()
        };
        let read_at = charge.version;
        charge.detail.continued_as = Some(continued.id);
        charge.version += 1;
        charge.updated_at = act.now;
        charges::update(tx, &charge, read_at)?;
        let entry = Entry::new(Action::Updated, charge.id, Some(charge.version));
        entries.push(entry.changed(vec!["#/continued_as".to_owned()]));
        next.push(continued);
    }
    entries.extend(charges::insert(tx, act, &next)?);
    Ok(entries)
}
