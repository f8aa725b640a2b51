//! Makes the blind index again from the sealed identities: online, in small transactions, as often as one likes.
//!
//! What is right already stays untouched, so a run that was broken off is simply run again, from the bucket that it had
//! reached. A registry that never lost anything comes out as it went in.

use super::index::{IndexKey, Role};
use super::store;
use crate::db::{Conn, Store};
use crate::kernel::ids::{AccusedId, BUCKETS, ResourceId, VictimId};
use crate::kernel::{Bucket, Error, Result};
use crate::{accused, victims};

/// Persons of one transaction: each of them is held to its end.
const BATCH: i64 = 50;
/// Tokens looked at together for those that nobody has.
const TOKENS: i64 = 500;

/// What a run found and did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Report {
    /// Persons whose identity was read.
    pub persons: u64,
    /// Persons whose tokens were not what their identity says.
    pub mended: u64,
    /// Tokens that belonged to nobody's identity.
    pub strays: u64,
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Whether every person has been seen, and the tokens that nobody has are looked for.
    pub sweeping: bool,
    /// The bucket that is done.
    pub bucket: i16,
    /// What it has found so far.
    pub report: Report,
}

fn count(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}

/// Goes through every identity from a bucket on, and then through every token.
pub fn run(db: &Store, key: &IndexKey, from: i16, mut progress: impl FnMut(Progress)) -> Result<Report> {
    let mut report = Report::default();
    // SQLite's rows lie in one order, whatever their bucket.
    let buckets = if db.is_sqlite() { 0..1 } else { from.clamp(0, BUCKETS)..BUCKETS };
    let of = |number| Bucket::new(number).ok_or_else(|| Error::internal("a bucket beyond the last one"));
    for number in buckets {
        for role in [Role::Victim, Role::Accused] {
            persons(db, key, of(number)?, role, &mut report)?;
        }
        progress(Progress { sweeping: false, bucket: number, report });
    }
    // Only now: the tokens of a person whose list was lost are nobody's until the person has been seen.
    let buckets = if db.is_sqlite() { 0..1 } else { 0..BUCKETS };
    for number in buckets {
        strays(db, of(number)?, &mut report)?;
        progress(Progress { sweeping: true, bucket: number, report });
    }
    Ok(report)
}

fn persons(db: &Store, key: &IndexKey, bucket: Bucket, role: Role, report: &mut Report) -> Result<()> {
    let mut after: Option<ResourceId> = None;
    loop {
        let ids: Vec<ResourceId> = db.read_blocking(|conn| match role {
            Role::Victim => victims::store::page(conn, bucket, after, BATCH),
            Role::Accused => accused::store::page(conn, bucket, after, BATCH),
        })?;
        let Some(last) = ids.last() else { return Ok(()) };
        after = Some(*last);
        report.persons += count(ids.len());
        let key = key.clone();
        report.mended += count(db.write_blocking(move |tx| {
            let mut mended = 0;
            for id in &ids {
                mended += usize::from(mend(tx, &key, role, *id)?);
            }
            Ok(mended)
        })?);
    }
}

/// Brings the tokens of one person into line with the identity as it is now; answers whether they were not.
fn mend(tx: &mut Conn, key: &IndexKey, role: Role, id: ResourceId) -> Result<bool> {
    // Held: nobody changes the identity between the look and the tokens.
    let identity = match role {
        Role::Victim => victims::store::held_identity(tx, VictimId::from_uuid(id.uuid())),
        Role::Accused => accused::store::held_identity(tx, AccusedId::from_uuid(id.uuid())),
    };
    match identity {
        Ok(identity) => store::mend(tx, key, role, id, Some(&identity)),
        Err(Error::Erased) => store::mend(tx, key, role, id, None),
        Err(other) => Err(other),
    }
}

fn strays(db: &Store, bucket: Bucket, report: &mut Report) -> Result<()> {
    let mut after = None;
    loop {
        let (next, gone) = db.write_blocking(move |tx| store::sweep(tx, bucket, after, TOKENS))?;
        report.strays += gone;
        if next.is_none() {
            return Ok(());
        }
        after = next;
    }
}
