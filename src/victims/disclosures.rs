//! Who looked at a victim, who received something about her or him, and why: what the person has a right to know.
//!
//! Looks come from the ledger, receipts from the participations of the person's cases. An owner accounts for the cases
//! that it owns: of another agency's case with the same person it must not learn here either.

use super::store;
use super::wire::{DisclosureLook, DisclosureReceipt, DisclosureReport};
use crate::act::Act;
use crate::cases::docket::{self, Relation};
use crate::cases::{Section, participants};
use crate::db::Store;
use crate::kernel::ids::{BreakGlassId, CaseId, VictimId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Result};
use crate::ledger::append::{self, Look};
use crate::persons::merges;
use crate::{agencies, break_glass, referrals};

/// The disclosures of a victim: a page of looks, and everything that was received. For owners of a case of the person
/// and for oversight.
pub async fn disclosures(
    store: &Store,
    act: &Act,
    id: VictimId,
    after: Option<After>,
    limit: Limit,
) -> Result<(DisclosureReport, Option<After>)> {
    let act = act.clone();
    store
        .read(move |conn| {
            let (_, sight) = store::find(conn, &act.scope, id)?;
            let all = match sight.relation {
                Relation::Oversight => true,
                Relation::Owner => false,
                Relation::Participant => return Err(Error::OwnerOnly),
            };
            // What was shown of any of the records of a person was shown of the person.
            let records = merges::records(conn, id)?;
            let cases: Vec<CaseId> = store::cases_of(conn, id)?;
            let sights = docket::sights(conn, &act.scope, &cases)?;
            let mut received = Vec::new();
            let (mut owned, mut only_broken) = (Vec::new(), Vec::new());
            for (case, _) in sights.into_iter().filter(|(_, s)| all || s.relation == Relation::Owner) {
                owned.push(case);
                let bases = referrals::bases(conn, case)?;
                for share in participants::of_case(conn, case)? {
                    let shows = share.sections.has(Section::Victims)
                        && share.victims.as_ref().is_none_or(|v| records.iter().any(|id| v.contains(id)));
                    if !shows {
                        continue;
                    }
                    let basis = share.referral.and_then(|r| bases.iter().find(|b| b.referral == r));
                    received.push(DisclosureReceipt {
                        agency: share.agency,
                        case_id: case,
                        identity: share.sections.has(Section::VictimIdentity),
                        from: share.granted_at,
                        until: share.ended_at,
                        granted_by: share.created_by_agency,
                        referral_id: share.referral,
                        purpose: basis.map(|b| b.purpose.clone()),
                        legal_basis: basis.map(|b| b.legal_basis.clone()),
                        consent_id: basis.and_then(|b| b.consent),
                    });
                }
            }
            let mut broken = Vec::new();
            let by = if all {
                None
            } else {
                // Those whom its own cases let in, and those who see every case.
                let mut by: Vec<String> = received.iter().map(|r| r.agency.to_string()).collect();
                by.push(act.agency().to_string());
                by.extend(agencies::supervisors(conn)?);
                for case in owned {
                    broken.extend(break_glass::store::over(conn, case)?);
                }
                // Who broke the glass over them is accounted for with what it saw through it, and with nothing else.
                let through = |(_, agency): &(BreakGlassId, String)| !by.contains(agency);
                let mut glass: Vec<String> =
                    broken.iter().filter(|g| through(g)).map(|(_, agency)| agency.clone()).collect();
                only_broken.extend(glass.iter().cloned());
                by.append(&mut glass);
                by.sort();
                by.dedup();
                Some(by)
            };
            let mut looks = Vec::new();
            for record in &records {
                // A page of each, in one order: the first ones of all of them are the first ones.
                let Page { items, next } = append::looks(conn, *record, by.as_deref(), after.as_ref(), limit)?;
                looks.extend(items.into_iter().map(|look| (look, false)));
                if let (Some(_), Some((_, more))) = (next, looks.last_mut()) {
                    *more = true;
                }
            }
            let Page { items, next } = first(looks, limit);
            let own = |look: &Look| {
                let only = look.agency.as_ref().is_some_and(|a| only_broken.contains(a));
                !only || look.emergency.is_some_and(|e| broken.iter().any(|(glass, _)| *glass == e))
            };
            let items = items.into_iter().filter(own).map(|look| view(look, &act, all)).collect();
            Ok((DisclosureReport { items, next_cursor: None, received }, next))
        })
        .await
}

/// The first looks of the pages of several records. A page of one that goes on says so at its last look.
fn first(mut looks: Vec<(Look, bool)>, limit: Limit) -> Page<Look> {
    looks.sort_by_key(|(look, _)| look.id);
    let whole = looks.len();
    looks.truncate(limit.rows());
    let more = whole > looks.len() || looks.iter().any(|(_, more)| *more);
    let next = looks.last().filter(|_| more).map(|(look, _)| After { key: String::new(), id: look.id.uuid() });
    Page { items: looks.into_iter().map(|(look, _)| look).collect(), next }
}

fn view(look: Look, act: &Act, all: bool) -> DisclosureLook {
    let Look { id, at, client, agency, user, purpose, resource_type, emergency } = look;
    // Who sat at the desk is the looking agency's to say, and oversight's to know.
    let user = user.filter(|_| all || agency.as_deref() == Some(act.agency().as_str()));
    DisclosureLook { id, at, agency, client_id: client, user, purpose, what: resource_type, break_glass_id: emergency }
}
