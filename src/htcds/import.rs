//! A file of the standard as lines of an import job: one case each, in the order of the file.

use std::io;
use std::sync::Arc;

use validator::Validate;

use super::dates::Order;
use super::exchange::{self, Ready};
use super::facts::Group;
use super::report::Note;
use crate::cases::store::{holder, one};
use crate::catalogue::Catalogue;
use crate::db::Store;
use crate::imports::model::ImportRecord;
use crate::imports::run::Item;
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};

/// The secret under which numbers of cases are made, of this registry.
pub const SECRET: &str = "htcds case numbers";

/// The cases of a file.
pub struct Cases {
    store: Store,
    law: Arc<Catalogue>,
    agency: AgencyCode,
    now: Timestamp,
    groups: Vec<Group>,
    notes: Vec<Note>,
}

impl Cases {
    /// Reads a file, whole. What cannot be read as one is a fault of it all.
    pub fn read(store: &Store, law: &Arc<Catalogue>, agency: &AgencyCode, now: Timestamp, bytes: &[u8]) -> Result<Self> {
        let reading = super::read(bytes, Order::DayFirst)
            .map_err(|why| Error::Validation(vec![Fault::body("", FaultCode::Format).expecting(why.to_string())]))?;
        let secret = store.vault()?.derive(SECRET)?;
        let groups = exchange::grouped(reading.records, &*secret);
        Ok(Self { store: store.clone(), law: Arc::clone(law), agency: agency.clone(), now, groups, notes: reading.notes })
    }

    /// How many cases.
    pub fn len(&self) -> usize {
        self.groups.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What was lost or doubtful, by line of the file.
    pub fn notes(&self) -> Vec<Note> {
        let mut all = self.notes.clone();
        for group in &self.groups {
            all.extend(exchange::body(group, &self.law, self.now).notes);
        }
        all.sort();
        all
    }

    /// The cases behind the first `from`.
    pub fn items(self, from: u64) -> impl Iterator<Item = io::Result<Item>> + Send {
        let Self { store, law, agency, now, groups, notes: _ } = self;
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        (1..).zip(groups).skip(skip).map(move |(n, group)| {
            let line = group.rows.first().map_or(0, |(line, _)| u64::from(*line));
            let since = reported(&store, &agency, &group.key).map_err(io::Error::other)?.unwrap_or(now);
            let Ready { body, .. } = exchange::body_since(&group, &law, now, since);
            let record = match body.validate() {
                Ok(()) => ImportRecord::new(body),
                Err(_) => Err(vec![Fault::body("", FaultCode::MaxLength)]),
            };
            Ok(Item { line: (line, record), lines: n, end: n })
        })
    }
}

/// When a case that is registered already was reported: a record that does not say it must not move it to today.
fn reported(store: &Store, agency: &AgencyCode, key: &str) -> Result<Option<Timestamp>, String> {
    let claim = format!("external_ref:case:{agency}:{key}");
    let found = store.read_blocking(move |conn| match holder(conn, &claim)? {
        None => Ok(None),
        Some(id) => Ok(Some(one(conn, id)?.reported_at)),
    });
    found.map_err(|e| format!("{e:?}"))
}
