//! Cases of which only the owner and oversight look any more: nobody else is let in, nothing of them is sent or taken out.
//!
//! Owns what a restriction does to a case. Must not know who decides on it: that is the business of `retention`.
//!
//! Breaking glass stays possible: a life in danger is stronger, and owner and oversight hear of it at once.

use std::collections::BTreeSet;

use super::model::Case;
use super::{participants, store};
use crate::db::Conn;
use crate::kernel::ids::CaseId;
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::{Action, Entry};

/// The guard that stands against sharing a restricted case.
pub const GUARD: &str = "case_restricted";

impl Case {
    /// A restricted case is shared with nobody.
    pub fn must_be_shareable(&self) -> Result<()> {
        if self.detail.restricted_since.is_some() { Err(Error::StateConflict(vec![GUARD.into()])) } else { Ok(()) }
    }
}

/// A case that is to be shared, whoever asks.
pub fn must_be_shareable(conn: &mut Conn, case: CaseId) -> Result<()> {
    store::one(conn, case)?.must_be_shareable()
}

/// Of these cases, those that are restricted.
pub fn restricted(conn: &mut Conn, cases: &[CaseId]) -> Result<BTreeSet<CaseId>> {
    let files = store::many(conn, cases)?;
    Ok(files.into_iter().filter(|case| case.detail.restricted_since.is_some()).map(|case| case.id).collect())
}

/// Restricts a case and ends every participation in it; answers the ledger entries, none where it is restricted already.
pub fn restrict(tx: &mut Conn, id: CaseId, now: Timestamp) -> Result<Vec<Entry>> {
    let case = store::locked(tx, id)?;
    if case.detail.restricted_since.is_some() {
        return Ok(Vec::new());
    }
    let mut entries = vec![put(tx, case, Some(now), now)?];
    entries.extend(participants::end_all(tx, now, id)?);
    Ok(entries)
}

/// Lifts the restriction; who took part before is not let in again by it. Answers the ledger entries, none where nothing
/// was restricted.
pub fn lift(tx: &mut Conn, id: CaseId, now: Timestamp) -> Result<Vec<Entry>> {
    let case = store::locked(tx, id)?;
    if case.detail.restricted_since.is_none() {
        return Ok(Vec::new());
    }
    Ok(vec![put(tx, case, None, now)?])
}

fn put(tx: &mut Conn, mut case: Case, since: Option<Timestamp>, now: Timestamp) -> Result<Entry> {
    let read_at = case.version;
    case.detail.restricted_since = since;
    case.version += 1;
    case.updated_at = now;
    store::update(tx, &case, read_at)?;
    Ok(Entry::new(Action::Updated, case.id, Some(case.version)).changed(vec!["#/restricted_since".to_owned()]))
}
