//! Publishing: which cases a release is about, freezing it, and making it again to see that nothing changed.

use std::collections::HashMap;
use std::sync::Arc;

use super::facts::CaseFacts;
use super::memory::AsOf;
use super::period::Period;
use super::protection::Secret;
use super::release::{Draft, draft};
use super::release_store::{self, Frozen};
use super::store;
use crate::catalogue::Catalogue;
use crate::db::Store;
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::ids::{BUCKETS, CaseId, ReleaseId};
use crate::kernel::{AgencyCode, Bucket, Error, FaultCode, Result, Timestamp};
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

/// Makes a release of a period that is over and freezes it; answers it, and whether an earlier try had made it.
pub fn publish(
    store: &Store,
    law: &Catalogue,
    by: &Publisher,
    once: Option<&Once>,
    period: &Period,
) -> Result<(Frozen, bool)> {
    if by.now.date() <= period.to {
        return Err(Error::field("/period", FaultCode::DateOrder));
    }
    if let Some(replayed) = replay(store, once, period, by.now)? {
        return Ok((replayed, true));
    }
    let known = store.read_blocking(release_store::releases)?;
    // In order, so that no case is skipped: what is reported late is in the next one.
    if known.iter().filter_map(|r| Period::parse(&r.period)).any(|other| other.to >= period.from) {
        return Err(Error::StateConflict(vec!["not_after_last_release".into()]));
    }
    let as_of = store.read_blocking(store::head)?;
    let cases = gather(store, period, as_of.position, |member| member.is_none_or(|m| m == period.as_str()))?;
    let ids: Vec<CaseId> = cases.iter().map(|(id, _)| *id).collect();
    let draft = draft(law, period, cases, &secret(store)?, as_of, by.now);
    // Cases first: should this break off, they wait for the same period to be tried again, and are in no other one.
    for some in ids.chunks(200) {
        let (some, name) = (some.to_vec(), period.to_string());
        store.write_blocking(move |tx| release_store::enrol(tx, &some, &name))?;
    }
    let bucket = once.map_or_else(Bucket::random, Once::bucket);
    let frozen = Frozen {
        period: period.to_string(),
        id: ReleaseId::generate(by.now, bucket),
        position: as_of.position,
        sha256: draft.sha256.clone(),
        published_at: by.now,
        content: draft.content.clone(),
    };
    let (by, once, kept, draft) = (by.clone(), once.cloned(), frozen.clone(), Arc::new(draft));
    store.write_blocking(move |tx| {
        if let Some(once) = &once {
            idempotency::claim(tx, once, kept.id.erase(), 1, by.now)?;
        }
        release_store::insert(tx, &kept, by.agency.as_ref().map(AgencyCode::as_str), &draft)?;
        let entry = Entry::new(Action::Created, kept.id, Some(1)).resting_on(&format!("sha256:{}", kept.sha256));
        ledger::append(tx, &by.actor, by.now, vec![entry])
    })?;
    Ok((frozen, false))
}

/// The release that this very request has made before; a conflict where another one has.
fn replay(store: &Store, once: Option<&Once>, period: &Period, now: Timestamp) -> Result<Option<Frozen>> {
    let name = period.to_string();
    let existing = match store.read_blocking(|conn| release_store::release(conn, &name)) {
        Ok(found) => found,
        Err(Error::NotFound) => return Ok(None),
        Err(e) => return Err(e),
    };
    let conflict = || Error::StateConflict(vec!["already_released".into()]);
    let Some(once) = once.cloned() else { return Err(conflict()) };
    let id = existing.id;
    store.write_blocking(move |tx| match idempotency::claim(tx, &once, id.erase(), 1, now)? {
        Claim::Replay { resource, .. } if resource == id.erase() => Ok(()),
        // A new claim goes back with the transaction.
        Claim::New | Claim::Replay { .. } => Err(conflict()),
    })?;
    Ok(Some(existing))
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
    let as_of = AsOf { position: kept.position, at };
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
