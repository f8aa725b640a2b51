//! What can be done with the record of a programme, whatever its kind: one transaction each.

use super::check::is_country;
use super::record::{Content, Record};
use super::store::{self, Filter};
use crate::act::Act;
use crate::agencies::{self, Standing};
use crate::cases::actions::{Written, must_match};
use crate::db::{Conn, Store};
use crate::http::idempotency::{self, Claim, Once};
use crate::kernel::error::no_faults;
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Id, Result};
use crate::ledger::{self, Action, Entry};
use crate::transitions::{self, Done, TransitionView};

/// How a record is shown to a caller.
pub type Show<C, V> = fn(&Record<C>, &Act) -> V;
/// Faults that only the store knows: of what a record names, and its former version did not.
pub type Outside<C> = fn(&mut Conn, &Act, &C, Option<&C>) -> Result<Vec<Fault>>;

fn written<C: Content, V>(record: &Record<C>, act: &Act, show: Show<C, V>, replayed: bool) -> Written<V> {
    let tag = if record.is_own(act) { "o" } else { "r" }.to_owned();
    Written { view: show(record, act), tag, replayed }
}

/// Faults of agencies and donors that are not in the directory. One that has ended its work stays what it was.
pub fn directory_faults<'a>(
    conn: &mut Conn,
    act: &Act,
    named: impl Iterator<Item = (String, &'a AgencyCode)>,
) -> Result<Vec<Fault>> {
    let mut faults = Vec::new();
    for (pointer, code) in named.filter(|(_, code)| !is_country(code)) {
        if agencies::standing(conn, code, act.now.date())? == Standing::Absent {
            faults.push(Fault::body(pointer, FaultCode::ReferenceNotFound));
        }
    }
    Ok(faults)
}

/// The members of a list of agencies, each with its pointer.
pub fn listed<'a>(name: &'static str, codes: &'a [AgencyCode]) -> impl Iterator<Item = (String, &'a AgencyCode)> {
    codes.iter().enumerate().map(move |(n, code)| (format!("/{name}/{n}"), code))
}

/// Makes a record; it is the caller's agency's.
pub async fn create<C: Content, V: Send + 'static>(
    store: &Store,
    act: Act,
    once: Once,
    (record, faults): (Record<C>, Vec<Fault>),
    outside: Outside<C>,
    show: Show<C, V>,
) -> Result<Written<V>> {
    store
        .write(move |tx| {
            let claim = idempotency::claim(tx, &once, record.id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let stored = store::find::<C>(tx, Id::from_uuid(resource.uuid()))?;
                return Ok(written(&stored, &act, show, true));
            }
            let mut faults = faults.clone();
            faults.extend(outside(tx, &act, &record.content, None)?);
            no_faults(faults)?;
            store::insert(tx, &act, &record)?;
            ledger::append(tx, &act.actor, act.now, vec![Entry::new(Action::Created, record.id, Some(1))])?;
            Ok(written(&record, &act, show, false))
        })
        .await
}

/// One record.
pub async fn read<C: Content, V: Send + 'static>(
    store: &Store,
    act: &Act,
    id: Id<C::Kind>,
    show: Show<C, V>,
) -> Result<Written<V>> {
    let act = act.clone();
    store.read(move |conn| Ok(written(&store::find::<C>(conn, id)?, &act, show, false))).await
}

/// One page, and totals over everything that matches: `see` is shown each record's clear part.
pub async fn list<C: Content, V: Send + 'static, T: Clone + Send + Sync + 'static>(
    store: &Store,
    act: &Act,
    filter: Filter,
    (after, limit): (Option<After>, Limit),
    show: Show<C, V>,
    (empty, see): (T, impl Fn(&mut T, C) + Send + Sync + 'static),
) -> Result<(Page<V>, T)> {
    let act = act.clone();
    store
        .read(move |conn| {
            let mut totals = empty.clone();
            store::each::<C>(conn, &filter, |content| see(&mut totals, content))?;
            let page = store::list::<C>(conn, &filter, after.as_ref(), limit)?.map(|record| show(&record, &act));
            Ok((page, totals))
        })
        .await
}

/// One page, where there is nothing to add up.
pub async fn page<C: Content, V: Send + 'static>(
    store: &Store,
    act: &Act,
    filter: Filter,
    (after, limit): (Option<After>, Limit),
    show: Show<C, V>,
) -> Result<Page<V>> {
    let act = act.clone();
    store
        .read(move |conn| Ok(store::list::<C>(conn, &filter, after.as_ref(), limit)?.map(|record| show(&record, &act))))
        .await
}

/// What a patch did: the pointers that changed, and the faults that show without the store.
pub type Amended = (Vec<String>, Vec<Fault>);

/// Changes a record. Its owner does.
pub async fn amend<C: Content, V: Send + 'static>(
    store: &Store,
    act: Act,
    id: Id<C::Kind>,
    version: i64,
    change: impl Fn(&mut Record<C>, &Act) -> Result<Amended> + Send + Sync + 'static,
    outside: Outside<C>,
    show: Show<C, V>,
) -> Result<Written<V>> {
    store
        .write(move |tx| {
            let mut record = store::find::<C>(tx, id)?;
            record.must_own(&act)?;
            must_match(record.version, version)?;
            let before = record.content.clone();
            let (changed, mut faults) = change(&mut record, &act)?;
            if !changed.is_empty() {
                faults.extend(outside(tx, &act, &record.content, Some(&before))?);
            }
            no_faults(faults)?;
            if !changed.is_empty() {
                record.changed(act.now);
                store::update(tx, &record, version)?;
                let entry = Entry::new(Action::Updated, id, Some(record.version)).changed(changed);
                ledger::append(tx, &act.actor, act.now, vec![entry])?;
            }
            Ok(written(&record, &act, show, false))
        })
        .await
}

/// Moves a record. Its owner does; `change` makes the move, or says what stands against it.
pub async fn make_move<C: Content, V: Send + 'static>(
    store: &Store,
    act: Act,
    once: Once,
    (id, version): (Id<C::Kind>, i64),
    change: impl Fn(&mut Record<C>, &Act) -> Result<Done> + Send + Sync + 'static,
    show: Show<C, V>,
) -> Result<Written<V>> {
    store
        .write(move |tx| {
            let mut record = store::find::<C>(tx, id)?;
            record.must_own(&act)?;
            let claim = idempotency::claim(tx, &once, id.erase(), version + 1, act.now)?;
            if let Claim::Replay { .. } = claim {
                return Ok(written(&record, &act, show, true));
            }
            must_match(record.version, version)?;
            let done = change(&mut record, &act)?;
            record.changed(act.now);
            store::update(tx, &record, version)?;
            let done = Done { version: record.version, ..done };
            transitions::append(tx, &act, id, id, &done)?;
            let entry = Entry::new(Action::Transitioned, id, Some(record.version));
            ledger::append(tx, &act.actor, act.now, vec![entry.moved(&done.trigger, &done.from, &done.to)])?;
            Ok(written(&record, &act, show, false))
        })
        .await
}

/// The transitions of a record, oldest first.
pub async fn list_transitions<C: Content>(
    store: &Store,
    id: Id<C::Kind>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<TransitionView>> {
    store
        .read(move |conn| {
            store::find::<C>(conn, id)?;
            transitions::list(conn, id, id, after.as_ref(), limit)
        })
        .await
}

/// The changes of a record, oldest first.
pub async fn history<C: Content>(
    store: &Store,
    id: Id<C::Kind>,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<ledger::append::Event>> {
    store
        .read(move |conn| {
            store::find::<C>(conn, id)?;
            ledger::append::history(conn, id, after.as_ref(), limit)
        })
        .await
}

/// The record of an id, as far as rules need it; for what names it.
pub fn exists<C: Content>(conn: &mut Conn, id: Id<C::Kind>) -> Result<bool> {
    match store::find::<C>(conn, id) {
        Ok(_) => Ok(true),
        Err(Error::NotFound) => Ok(false),
        Err(other) => Err(other),
    }
}
