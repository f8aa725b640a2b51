//! Erasure: the person's key is destroyed, and with it every identity and sealed text of hers or his, backups included.
//!
//! What remains is the pseudonymous record: sex, age, what happened. It is what the case and the figures rest on.

use std::sync::Arc;

use serde::Serialize;

use super::merges;
use crate::catalogue::Catalogue;
use crate::db::{Conn, Store};
use crate::kernel::ids::{AccusedId, CaseId, ResourceId, VictimId};
use crate::kernel::trail::Trail;
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::{self, Action, Actor, Entry};
use crate::{accused, cases, vault, victims};

/// Who is to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Person {
    /// A victim.
    Victim(VictimId),
    /// An accused.
    Accused(AccusedId),
}

impl Person {
    fn subject(self) -> ResourceId {
        match self {
            Self::Victim(id) => id.erase(),
            Self::Accused(id) => id.erase(),
        }
    }

    fn kind(self) -> &'static str {
        match self {
            Self::Victim(_) => "victim",
            Self::Accused(_) => "accused",
        }
    }

    /// Every record of the person, this one first.
    fn records(self, conn: &mut Conn) -> Result<Vec<Self>> {
        Ok(match self {
            Self::Victim(id) => merges::records(conn, id)?.into_iter().map(Self::Victim).collect(),
            Self::Accused(id) => merges::records(conn, id)?.into_iter().map(Self::Accused).collect(),
        })
    }

    fn cases(self, conn: &mut Conn) -> Result<Vec<CaseId>> {
        match self {
            Self::Victim(id) => victims::store::cases_of(conn, id),
            Self::Accused(id) => accused::store::cases_of(conn, id),
        }
    }
}

/// On what an erasure rests: references of acts, never names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The order or request.
    pub basis: String,
    /// The determination of a child's best interest.
    pub best_interest: Option<String>,
}

/// Proof that somebody was erased.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Certificate {
    /// `victim` or `accused`.
    pub kind: &'static str,
    /// Who: the pseudonym that remains.
    pub id: ResourceId,
    /// When; null of a dry run.
    pub erased_at: Option<Timestamp>,
    /// On what it rests.
    pub basis: String,
    /// The determination of a child's best interest.
    pub best_interest: Option<String>,
    /// Cases in which the pseudonymous record remains.
    pub cases: usize,
}

/// Whether a reference is one: letters, digits and `. _ / -`, so that no name is written where it would stay.
pub fn is_reference(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'/' | b'-');
    (3..=60).contains(&text.len()) && text.bytes().all(plain) && text.bytes().any(|b| b.is_ascii_digit())
}

/// Whether a person may be erased now; answers her or his cases.
fn may(conn: &mut Conn, law: &Catalogue, person: Person, order: &Order) -> Result<usize> {
    let cases = person.cases(conn)?;
    if cases.is_empty() {
        return Err(Error::NotFound);
    }
    if vault::store::find(conn, person.subject())?.is_some_and(|key| key.wrapped.is_none()) {
        return Err(Error::Erased);
    }
    let mut against = Vec::new();
    // The person is erased whole, by the record that stands for it.
    if merges::away(conn, person.subject())?.is_some() {
        against.push("merged".into());
    }
    // What a running case needs as evidence is held, whoever asks.
    if cases::store::any_open(conn, law, &cases)? {
        against.push("open_case".into());
    }
    // Of unknown age: a minor, as long as nobody knows better.
    if let Person::Victim(id) = person
        && order.best_interest.is_none()
        && victims::store::one(conn, id)?.detail.minor()
    {
        against.push("best_interest_required".into());
    }
    if against.is_empty() { Ok(cases.len()) } else { Err(Error::StateConflict(against)) }
}

/// Erases a person, or says with `dry_run` whether that may be.
pub fn erase(
    store: &Store,
    law: &Arc<Catalogue>,
    person: Person,
    order: &Order,
    now: Timestamp,
    dry_run: bool,
) -> Result<Certificate> {
    let Order { basis, best_interest } = order.clone();
    let cases = store.read_blocking(|conn| may(conn, law, person, order))?;
    let certificate = |erased_at| Certificate {
        kind: person.kind(),
        id: person.subject(),
        erased_at,
        basis: basis.clone(),
        best_interest: best_interest.clone(),
        cases,
    };
    if dry_run {
        return Ok(certificate(None));
    }
    let vault = store.vault()?.clone();
    // First the list that no backup brings back: if what follows fails, the person is unreadable and the command is
    // run again.
    for record in store.read_blocking(|conn| person.records(conn))? {
        vault.erased().add(record.subject(), now)?;
    }
    let actor = Actor {
        client: None,
        agency: None,
        user: None,
        purpose: None,
        request_id: uuid::Uuid::new_v4(),
        trail: Trail::default(),
    };
    let (law, order) = (Arc::clone(law), order.clone());
    let basis = order.basis.clone();
    store.write_blocking(move |tx| {
        may(tx, &law, person, &order)?;
        let mut entries = Vec::new();
        for record in person.records(tx)? {
            let entry = match record {
                Person::Victim(id) => Entry::new(Action::Erased, id, Some(victims::store::erase(tx, id, now)?)),
                Person::Accused(id) => Entry::new(Action::Erased, id, Some(accused::store::erase(tx, id, now)?)),
            };
            entries.push(entry.resting_on(&basis));
            // Nobody is found by what is no longer known of them.
            super::store::remove(tx, record.subject())?;
            vault.destroy(tx, record.subject(), now)?;
        }
        ledger::append(tx, &actor, now, entries)
    })?;
    Ok(certificate(Some(now)))
}
