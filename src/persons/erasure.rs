//! Erasure: the person's keys are destroyed, and with them every identity and sealed text of hers or his, backups included.
//!
//! Owns what stands against it and what is done: the same for the command line and for the service, where two agree first
//! (`erasures`). What remains is the pseudonymous record: sex, age, what happened. It is what the case and the figures
//! rest on.

use std::borrow::Cow;
use std::sync::Arc;

use serde::Serialize;

use super::merges;
use crate::auth::Scope;
use crate::cases::docket::Relation;
use crate::catalogue::Catalogue;
use crate::db::{Conn, Store};
use crate::kernel::ids::{AccusedId, CaseId, EntryId, ResourceId, VictimId};
use crate::kernel::trail::Trail;
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::append::{Row, append_rows};
use crate::ledger::{Action, Actor, Entry};
use crate::{accused, cases, holds, retention, vault, victims};

/// Who is to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Person {
    /// A victim.
    Victim(VictimId),
    /// An accused.
    Accused(AccusedId),
}

impl Person {
    /// Whose key it is.
    pub fn subject(self) -> ResourceId {
        match self {
            Self::Victim(id) => id.erase(),
            Self::Accused(id) => id.erase(),
        }
    }

    /// `victim` or `accused`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Victim(_) => "victim",
            Self::Accused(_) => "accused",
        }
    }

    /// From its kind and id, as stored.
    pub fn of(kind: &str, id: ResourceId) -> Option<Self> {
        match kind {
            "victim" => Some(Self::Victim(VictimId::from_uuid(id.uuid()))),
            "accused" => Some(Self::Accused(AccusedId::from_uuid(id.uuid()))),
            _ => None,
        }
    }

    /// Every record of the person, this one first.
    pub fn records(self, conn: &mut Conn) -> Result<Vec<Self>> {
        Ok(match self {
            Self::Victim(id) => merges::records(conn, id)?.into_iter().map(Self::Victim).collect(),
            Self::Accused(id) => merges::records(conn, id)?.into_iter().map(Self::Accused).collect(),
        })
    }

    /// The record that stands for the person.
    pub fn survivor(self, conn: &mut Conn) -> Result<Self> {
        Ok(match self {
            Self::Victim(id) => Self::Victim(merges::survivor(conn, id)?),
            Self::Accused(id) => Self::Accused(merges::survivor(conn, id)?),
        })
    }

    /// The cases of the person.
    pub fn cases(self, conn: &mut Conn) -> Result<Vec<CaseId>> {
        match self {
            Self::Victim(id) => victims::store::cases_of(conn, id),
            Self::Accused(id) => accused::store::cases_of(conn, id),
        }
    }

    /// How the caller stands to the person; `NotFound` if the person is not in sight.
    pub fn relation(self, conn: &mut Conn, scope: &Scope) -> Result<Relation> {
        let sight = match self {
            Self::Victim(id) => victims::find(conn, scope, id)?.1,
            Self::Accused(id) => accused::store::find(conn, scope, id)?.1,
        };
        Ok(sight.relation)
    }

    fn minor(self, conn: &mut Conn) -> Result<bool> {
        Ok(match self {
            Self::Victim(id) => victims::store::one(conn, id)?.detail.minor(),
            Self::Accused(_) => false,
        })
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

/// What stands against erasing a person now: codes of guards, none if nothing does.
pub fn against(conn: &mut Conn, law: &Catalogue, person: Person, best_interest: bool) -> Result<Vec<Cow<'static, str>>> {
    let mut against = Vec::new();
    // The person is erased whole, by the record that stands for it.
    if person.survivor(conn)? != person {
        against.push("merged".into());
    }
    // What a running case needs as evidence is held, whoever asks.
    let cases = person.cases(conn)?;
    if cases::store::any_open(conn, law, &cases)? {
        against.push("open_case".into());
    }
    // Of unknown age: a minor, as long as nobody knows better.
    if !best_interest && person.minor(conn)? {
        against.push("best_interest_required".into());
    }
    let mut subjects: Vec<ResourceId> = person.records(conn)?.into_iter().map(Person::subject).collect();
    subjects.extend(cases.iter().map(|case| case.erase()));
    if holds::any_active(conn, &subjects)? {
        against.push("legal_hold".into());
    }
    Ok(against)
}

/// Whether a person may be erased now; answers her or his cases.
fn may(conn: &mut Conn, law: &Catalogue, person: Person, order: &Order) -> Result<usize> {
    let cases = person.cases(conn)?;
    if cases.is_empty() {
        return Err(Error::NotFound);
    }
    // On the list only: the first try was broken off, and this one does the rest.
    if vault::is_gone(conn, person.subject())? {
        return Err(Error::Erased);
    }
    let against = against(conn, law, person, order.best_interest.is_some())?;
    if against.is_empty() { Ok(cases.len()) } else { Err(Error::StateConflict(against)) }
}

/// Puts a person on the list that no backup brings back; from here on nothing of hers or his is opened. On disk when
/// this returns. It comes first: if what follows fails, the person is unreadable, and it is done again.
pub fn list(conn: &mut Conn, person: Person, now: Timestamp) -> Result<()> {
    let vault = vault::current()?;
    for record in person.records(conn)? {
        vault.erased().add(record.subject(), now)?;
    }
    Ok(())
}

/// Destroys what is known of a person, who is on the list already: sealed texts, search tokens, keys. Answers the
/// ledger entry that says so.
pub fn destroy(tx: &mut Conn, person: Person, actor: &Actor, now: Timestamp, basis: &str) -> Result<EntryId> {
    let vault = vault::current()?;
    let mut rows = Vec::new();
    for record in person.records(tx)? {
        let entry = match record {
            Person::Victim(id) => Entry::new(Action::Erased, id, Some(victims::store::erase(tx, id, now)?)),
            Person::Accused(id) => Entry::new(Action::Erased, id, Some(accused::store::erase(tx, id, now)?)),
        };
        rows.push(Row::of(actor, now, entry.resting_on(basis))?);
        retention::actions::erased(tx, actor, record, now)?;
        // Nobody is found by what is no longer known of them.
        super::store::remove(tx, record.subject())?;
        vault.destroy(tx, record.subject(), now)?;
    }
    append_rows(tx, &rows)?;
    rows.first().map(Row::id).ok_or_else(|| Error::internal("a person without a record"))
}

/// The operator, who acts for no agency.
pub fn operator() -> Actor {
    Actor {
        client: None,
        agency: None,
        user: None,
        purpose: None,
        request_id: uuid::Uuid::new_v4(),
        trail: Trail::default(),
    }
}

/// Erases a person for the operator, or says with `dry_run` whether that may be.
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
    store.read_blocking(|conn| list(conn, person, now))?;
    let (actor, law, order) = (operator(), Arc::clone(law), order.clone());
    store.write_blocking(move |tx| {
        // Listed a moment ago: whether somebody else erased the person meanwhile does not matter any more.
        let against = against(tx, &law, person, order.best_interest.is_some())?;
        if !against.is_empty() {
            return Err(Error::StateConflict(against));
        }
        destroy(tx, person, &actor, now, &order.basis).map(drop)
    })?;
    Ok(certificate(Some(now)))
}
