//! Publishing: which cases a release is about, proposing it, letting it go, and making it again to see that nothing changed.

use std::collections::HashMap;

use super::facts::CaseFacts;
use super::memory::AsOf;
use super::period::Period;
use super::proposal::{self, Decider, Detail, Proposal, State, Trigger};
use super::proposal_store;
use super::protection::Secret;
use super::release::{Draft, draft};
use super::release_store::{self, Frozen};
use super::store;
use crate::act::Act;
use crate::catalogue::Catalogue;
use crate::db::Store;
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{BUCKETS, CaseId, ReleaseId, ReleaseProposalId};
use crate::kernel::{AgencyCode, Error, FaultCode, Result, Timestamp};
use crate::ledger::{self, Action, Actor, Entry};

/// Under which label the keyring gives the secret of the noise.
const LABEL: &str = "statistics-release";

/// Who publishes, and when.
#[derive(Clone)]
pub struct Publisher {
    /// For the ledger.
    pub actor: Actor,
    /// The agency; none for the operator.
    pub agency: Option<AgencyCode>,
    /// When.
    pub now: Timestamp,
}

fn secret(store: &Store) -> Result<Secret> {
    Ok(Secret::new(store.vault()?.derive(LABEL)?.as_slice()))
}

/// The cases of a release as of a position: reported by its end, not continued elsewhere, and in no other release.
fn gather(
    store: &Store,
    period: &Period,
    position: i64,
    mine: impl Fn(Option<&str>) -> bool,
) -> Result<Vec<(CaseId, CaseFacts)>> {
    let mut cases = Vec::new();
    let mut first = 0;
    while first < BUCKETS {
        let (facts, members) = store
            .read_blocking(|conn| Ok((store::range(conn, first, Some(position))?, release_store::members(conn, first)?)))?;
        let members: HashMap<CaseId, String> = members.into_iter().collect();
        cases.extend(
            facts
                .into_iter()
                .filter(|(id, f)| f.reported <= period.to && !f.elsewhere && mine(members.get(id).map(String::as_str))),
        );
        first += store::RANGE;
    }
    Ok(cases)
}

/// What stands against a release of a period: it is there already, or one that is not before it.
fn in_order(store: &Store, period: &Period) -> Result<()> {
    let known = store.read_blocking(release_store::releases)?;
    if known.iter().any(|r| r.period == period.as_str()) {
        return Err(Error::StateConflict(vec!["already_released".into()]));
    }
    // In order, so that no case is skipped: what is reported late is in the next one.
    if known.iter().filter_map(|r| Period::parse(&r.period)).any(|other| other.to >= period.from) {
        return Err(Error::StateConflict(vec!["not_after_last_release".into()]));
    }
    Ok(())
}

/// The cases that a proposal of a period is about: those in no release, and those that an approval which broke off has put
/// into this one.
fn waiting(store: &Store, period: &Period, position: i64) -> Result<Vec<(CaseId, CaseFacts)>> {
    gather(store, period, position, |member| member.is_none_or(|m| m == period.as_str()))
}

/// Proposes a release of a period that is over; answers it, and whether an earlier try had proposed it.
pub fn propose(
    store: &Store,
    law: &Catalogue,
    by: &Publisher,
    once: Option<&Once>,
    period: &Period,
) -> Result<(Proposal, bool)> {
    if by.now.date() <= period.to {
        return Err(Error::field("/period", FaultCode::DateOrder));
    }
    let bucket = proposal_store::bucket()?;
    let order = in_order(store, period);
    let as_of = store.read_blocking(store::head)?;
    let made = match &order {
        Ok(()) => draft(law, period, waiting(store, period, as_of.position)?, &secret(store)?, as_of, by.now).sha256,
        Err(_) => String::new(),
    };
    let proposal = Proposal {
        id: ReleaseProposalId::generate(by.now, bucket),
        version: 1,
        period: period.to_string(),
        state: State::Proposed,
        as_of,
        sha256: made,
        agency: by.agency.clone(),
        client: by.actor.client,
        detail: Detail { user: by.actor.user.clone(), ..Detail::default() },
        created_at: by.now,
        updated_at: by.now,
    };
    let (by, once) = (by.clone(), once.cloned());
    store.write_blocking(move |tx| {
        if let Some(once) = &once
            && let Claim::Replay { resource, .. } = idempotency::claim(tx, once, proposal.id.erase(), 1, by.now)?
        {
            return Ok((proposal_store::find(tx, ReleaseProposalId::from_uuid(resource.uuid()))?, true));
        }
        order.clone()?;
        proposal_store::insert(tx, &proposal)?;
        let entry = Entry::new(Action::Created, proposal.id, Some(1)).resting_on(&format!("sha256:{}", proposal.sha256));
        ledger::append(tx, &by.actor, by.now, vec![entry])?;
        Ok((proposal.clone(), false))
    })
}

/// A period, the facts that are published of it, and how.
type Waiting = (Period, Vec<(CaseId, CaseFacts)>, Draft);

/// What a proposal would publish, from the facts as they were when it was made.
fn again(store: &Store, law: &Catalogue, of: &Proposal) -> Result<Waiting> {
    let period = Period::parse(&of.period).ok_or_else(|| Error::internal("period of a proposal"))?;
    let cases = waiting(store, &period, of.as_of.position)?;
    let made = draft(law, &period, cases.clone(), &secret(store)?, of.as_of, of.created_at);
    if made.sha256 != of.sha256 {
        return Err(Error::StateConflict(vec!["facts_changed".into()]));
    }
    Ok((period, cases, made))
}

/// What a proposal would publish.
pub fn preview(store: &Store, law: &Catalogue, id: ReleaseProposalId) -> Result<Draft> {
    let proposal = store.read_blocking(|conn| proposal_store::find(conn, id))?;
    Ok(again(store, law, &proposal)?.2)
}

/// A decision about a proposal.
#[derive(Clone, Debug)]
pub struct Decision {
    /// The proposal.
    pub proposal: ReleaseProposalId,
    /// The version that was looked at.
    pub version: i64,
    /// What happens.
    pub trigger: Trigger,
    /// Why not: code list `release_refusal`.
    pub refusal: Option<String>,
}

/// Decides a proposal; what is approved is published before this answers. Answers it, and whether an earlier try did.
pub fn decide(store: &Store, act: &Act, once: &Once, decision: Decision) -> Result<(Proposal, bool)> {
    let Decision { proposal: id, version, trigger, refusal } = decision;
    let known = |code: &str| act.catalogue.has_code("release_refusal", code);
    no_faults(proposal::faults(trigger, refusal.as_deref(), known))?;
    let before = store.read_blocking(|conn| proposal_store::find(conn, id))?;
    if before.version != version {
        // It may be this very request that decided it.
        let (once, now) = (once.clone(), act.now);
        return store.write_blocking(move |tx| match idempotency::claim(tx, &once, id.erase(), version + 1, now)? {
            Claim::Replay { .. } => Ok((before.clone(), true)),
            Claim::New => Err(Error::PreconditionFailed { current_version: before.version }),
        });
    }
    let release = (trigger == Trigger::Approve).then(|| ReleaseId::generate(act.now, once.bucket()));
    let mut after = before.clone();
    let by = Decider { actor: &act.actor, agency: act.agency(), now: act.now };
    after.decide(trigger, refusal, &by, release)?;
    let frozen = match release {
        None => None,
        Some(release) => {
            let period = Period::parse(&before.period).ok_or_else(|| Error::internal("period of a proposal"))?;
            in_order(store, &period)?;
            let (period, cases, _) = again(store, &act.catalogue, &before)?;
            let ids: Vec<CaseId> = cases.iter().map(|(id, _)| *id).collect();
            let last = draft(&act.catalogue, &period, cases, &secret(store)?, before.as_of, act.now);
            // Cases first: should this break off, they wait for the same period to be tried again, and are in no other one.
            for some in ids.chunks(200) {
                let (some, name) = (some.to_vec(), period.to_string());
                store.write_blocking(move |tx| release_store::enrol(tx, &some, &name))?;
            }
            let kept = Frozen {
                period: period.to_string(),
                id: release,
                position: before.as_of.position,
                sha256: last.sha256.clone(),
                published_at: act.now,
                content: last.content.clone(),
            };
            Some((kept, last))
        }
    };
    let (act, once) = (act.clone(), once.clone());
    store.write_blocking(move |tx| {
        if let Claim::Replay { .. } = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)? {
            return Ok((proposal_store::find(tx, id)?, true));
        }
        proposal_store::update(tx, &after, version)?;
        let moved = Entry::new(Action::Transitioned, id, Some(after.version));
        let mut entries = vec![moved.moved(trigger.as_str(), before.state.as_str(), after.state.as_str())];
        if let Some((kept, last)) = &frozen {
            release_store::insert(tx, kept, Some(act.agency().as_str()), last)?;
            let entry = Entry::new(Action::Created, kept.id, Some(1)).resting_on(&format!("sha256:{}", kept.sha256));
            entries.push(entry);
        }
        ledger::append(tx, &act.actor, act.now, entries)?;
        Ok((after.clone(), false))
    })
}

/// A release as it is kept and as it is made again.
#[derive(Debug)]
pub struct Again {
    /// As it is kept.
    pub kept: Frozen,
    /// As it is made again.
    pub made: Draft,
    /// The tables whose bytes differ, and `manifest` where its do.
    pub differing: Vec<String>,
}

/// Makes a release again from the facts as they were, for comparison. The same bytes, or somebody changed something.
pub fn recompute(store: &Store, law: &Catalogue, period: &str) -> Result<Again> {
    let kept = store.read_blocking(|conn| release_store::release(conn, period))?;
    let parsed = Period::parse(period).ok_or(Error::NotFound)?;
    let cases = gather(store, &parsed, kept.position, |member| member == Some(period))?;
    let content: serde_json::Value = serde_json::from_str(&kept.content).map_err(|_| Error::internal("manifest"))?;
    let at = content.pointer("/as_of/at").and_then(serde_json::Value::as_str).and_then(Timestamp::parse);
    let skipped = content.pointer("/as_of/skipped").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let as_of = AsOf { position: kept.position, at, skipped };
    let made = draft(law, &parsed, cases, &secret(store)?, as_of, kept.published_at);
    let mut differing = Vec::new();
    for cube in &made.cubes {
        let stored = store.read_blocking(|conn| match release_store::cube(conn, period, &cube.name) {
            Err(Error::NotFound) => Ok(None),
            other => other.map(Some),
        })?;
        if stored.is_none_or(|(body, _)| body != cube.body) {
            differing.push(cube.name.clone());
        }
    }
    if kept.content != made.content || kept.sha256 != made.sha256 {
        differing.push("manifest".to_owned());
    }
    Ok(Again { kept, made, differing })
}
