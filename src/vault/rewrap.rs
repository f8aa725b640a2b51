//! Wraps every subject's key with the keyring's current key: online, in small transactions, as often as one likes.
//!
//! What is done is seen on the rows themselves, so a run that was broken off goes on where it stopped.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use super::{Vault, store};
use crate::db::Store;
use crate::kernel::ids::{BUCKETS, ResourceId};
use crate::kernel::{Bucket, Error, Result};

/// Keys of one transaction.
const BATCH: i64 = 500;

/// What a run found and did.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Keys that are wrapped by each key of the keyring, after the run.
    pub wrapped_by: BTreeMap<String, u64>,
    /// Keys that the run wrapped anew.
    pub rewrapped: u64,
    /// Keys that are destroyed.
    pub destroyed: u64,
}

/// How much of the registry a run has seen.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Buckets seen.
    pub bucket: u64,
    /// Keys seen.
    pub keys: u64,
}

/// Goes through every key; wraps those anew that `renew` and the current key ask for.
pub fn run(db: &Store, vault: &Vault, renew: bool, mut progress: impl FnMut(Progress)) -> Result<Report> {
    let mut report = Report::default();
    let current = vault.ring().current();
    // SQLite's keys lie in one order, whatever their bucket.
    let buckets = if db.is_sqlite() { 1 } else { BUCKETS };
    let mut seen = 0;
    for number in 0..buckets {
        let bucket = Bucket::new(number).ok_or_else(|| Error::internal("a bucket beyond the last one"))?;
        let mut after: Option<ResourceId> = None;
        loop {
            let rows = db.read_blocking(|conn| store::page(conn, bucket, after, BATCH))?;
            let Some(last) = rows.last() else { break };
            after = Some(last.subject);
            seen += u64::try_from(rows.len()).unwrap_or(0);
            let mut changes = Vec::new();
            for row in rows {
                let Some(before) = row.wrapped else {
                    report.destroyed += 1;
                    continue;
                };
                if row.kek == current || !renew {
                    *report.wrapped_by.entry(row.kek).or_default() += 1;
                    continue;
                }
                let material = vault.ring().unwrap(row.subject, &before, &row.kek)?;
                let material = <[u8; 32]>::try_from(material.as_slice()).map(Zeroizing::new);
                let material = material.map_err(|_| Error::internal("a subject key is not 32 bytes"))?;
                let (wrapped, kek) = vault.ring().wrap(row.subject, &material)?;
                changes.push((row.subject, before, wrapped, kek));
            }
            report.rewrapped += u64::try_from(changes.len()).unwrap_or(0);
            *report.wrapped_by.entry(current.clone()).or_default() += u64::try_from(changes.len()).unwrap_or(0);
            if !changes.is_empty() {
                db.write_blocking(move |tx| {
                    for (subject, before, wrapped, kek) in &changes {
                        // One that changed in between was destroyed, or wrapped by somebody else.
                        store::replace(tx, *subject, before, wrapped, kek)?;
                    }
                    Ok(())
                })?;
            }
            progress(Progress { bucket: u64::try_from(number).unwrap_or(0), keys: seen });
        }
    }
    report.wrapped_by.retain(|_, count| *count > 0);
    Ok(report)
}
