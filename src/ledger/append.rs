//! Writing and reading entries. Owns the ledger's SQL; nothing here updates or deletes an entry.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Text};
use serde::Deserialize;

use super::entry::{Actor, Entry};
use crate::db::schema::{ledger_entry, ledger_pending};
use crate::db::types::{IdSql, JsonSql, TimeSql};
use crate::db::{Clear, Conn, Json, Keep};
use crate::kernel::ids::{BreakGlassId, ClientId, EntryId, Kind, ResourceId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Id, Result, Timestamp};

/// One row, ready to insert. Ids are made once, so a transaction that runs again writes the same row.
#[derive(Clone, Debug)]
pub struct Row {
    bucket: i16,
    id: EntryId,
    at: Timestamp,
    client_id: Option<ClientId>,
    agency_code: Option<String>,
    user_ref: Option<String>,
    purpose: Option<&'static str>,
    request_id: ResourceId,
    action: &'static str,
    resource_type: &'static str,
    resource_id: ResourceId,
    version: Option<i64>,
    payload: Option<Json>,
}

impl Row {
    /// The row of an entry. It lies in the bucket of the resource that it is about.
    pub fn of(actor: &Actor, now: Timestamp, entry: Entry) -> Result<Self> {
        let Entry { action, resource_type, resource_id, version, mut payload, persons: _ } = entry;
        let bucket = resource_id.bucket();
        let Actor { client, agency, user, purpose, request_id, trail } = actor;
        payload.emergency = trail.emergency();
        let payload = if payload.is_empty() { None } else { Some(Json::of(&payload)?) };
        Ok(Self {
            bucket: bucket.number(),
            id: EntryId::generate(now, bucket),
            at: now,
            client_id: *client,
            agency_code: agency.as_ref().map(ToString::to_string),
            user_ref: user.clone(),
            purpose: purpose.map(|p| p.as_str()),
            request_id: ResourceId::from_uuid(*request_id),
            action: action.verb(),
            resource_type,
            resource_id,
            version,
            payload,
        })
    }

    /// The entry's id, for the `Audit-Event-Id` header.
    pub fn id(&self) -> EntryId {
        self.id
    }
}

/// Appends entries in the caller's transaction, which carries their effect.
pub fn append(tx: &mut Conn, actor: &Actor, now: Timestamp, entries: Vec<Entry>) -> Result<()> {
    let rows: Vec<Row> = entries.into_iter().map(|e| Row::of(actor, now, e)).collect::<Result<_>>()?;
    if let Some(first) = rows.first() {
        actor.trail.wrote(first.id());
    }
    append_rows(tx, &rows)
}

/// Inserts rows and queues them for the sealer: two statements on PostgreSQL, however many rows.
pub fn append_rows(tx: &mut Conn, rows: &[Row]) -> Result<()> {
    match tx {
        Conn::Postgres(c) => {
            // One array per column: the statement's text is the same for every batch, so it stays prepared.
            diesel::sql_query(
                "INSERT INTO ledger_entry (bucket, id, at, client_id, agency_code, user_ref, purpose, request_id, \
                 action, resource_type, resource_id, version, payload) \
                 SELECT * FROM unnest($1::smallint[], $2::uuid[], $3::timestamptz[], $4::uuid[], $5::text[], \
                 $6::text[], $7::text[], $8::uuid[], $9::text[], $10::text[], $11::uuid[], $12::bigint[], $13::jsonb[])",
            )
            .bind::<Array<SmallInt>, _>(column(rows, |r| r.bucket))
            .bind::<Array<IdSql>, _>(column(rows, |r| r.id))
            .bind::<Array<TimeSql>, _>(column(rows, |r| r.at))
            .bind::<Array<Nullable<IdSql>>, _>(column(rows, |r| r.client_id))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |r| r.agency_code.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |r| r.user_ref.as_deref()))
            .bind::<Array<Nullable<Text>>, _>(column(rows, |r| r.purpose))
            .bind::<Array<IdSql>, _>(column(rows, |r| r.request_id))
            .bind::<Array<Text>, _>(column(rows, |r| r.action))
            .bind::<Array<Text>, _>(column(rows, |r| r.resource_type))
            .bind::<Array<IdSql>, _>(column(rows, |r| r.resource_id))
            .bind::<Array<Nullable<BigInt>>, _>(column(rows, |r| r.version))
            .bind::<Array<Nullable<JsonSql>>, _>(column(rows, |r| r.payload.clone()))
            .kept()
            .execute(c)?;
            diesel::sql_query(
                "INSERT INTO ledger_pending (bucket, entry_id) SELECT * FROM unnest($1::smallint[], $2::uuid[])",
            )
            .bind::<Array<SmallInt>, _>(column(rows, |r| r.bucket))
            .bind::<Array<IdSql>, _>(column(rows, |r| r.id))
            .kept()
            .execute(c)?;
        }
        Conn::Sqlite(c) => {
            for r in rows {
                diesel::insert_into(ledger_entry::table)
                    .values((
                        ledger_entry::bucket.eq(r.bucket),
                        ledger_entry::id.eq(r.id),
                        ledger_entry::at.eq(r.at),
                        ledger_entry::client_id.eq(r.client_id),
                        ledger_entry::agency_code.eq(r.agency_code.as_deref()),
                        ledger_entry::user_ref.eq(r.user_ref.as_deref()),
                        ledger_entry::purpose.eq(r.purpose),
                        ledger_entry::request_id.eq(r.request_id),
                        ledger_entry::action.eq(r.action),
                        ledger_entry::resource_type.eq(r.resource_type),
                        ledger_entry::resource_id.eq(r.resource_id),
                        ledger_entry::version.eq(r.version),
                        ledger_entry::payload.eq(r.payload.as_ref()),
                    ))
                    .execute(c)?;
                diesel::insert_into(ledger_pending::table)
                    .values((ledger_pending::bucket.eq(r.bucket), ledger_pending::entry_id.eq(r.id)))
                    .execute(c)?;
            }
        }
    }
    Ok(())
}

fn column<'r, T>(rows: &'r [Row], f: impl Fn(&'r Row) -> T) -> Vec<T> {
    rows.iter().map(f).collect()
}

/// Pointers, codes and states: no values.
impl Clear for super::entry::Payload {}

/// What one entry of a history says.
#[derive(Clone, Debug)]
pub struct Event {
    /// The entry.
    pub id: EntryId,
    /// When.
    pub at: Timestamp,
    /// The partner system, if one did it.
    pub client: Option<ClientId>,
    /// The agency it acted for.
    pub agency: Option<String>,
    /// Type of the resource.
    pub resource_type: String,
    /// Verb.
    pub action: String,
    /// Version after the change.
    pub version: Option<i64>,
    /// What changed.
    pub what: What,
}

/// The readable part of a payload.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct What {
    /// Pointers of the fields that changed.
    pub changed: Vec<String>,
    /// Trigger of a transition.
    pub trigger: Option<String>,
    /// State before.
    pub from: Option<String>,
    /// State after.
    pub to: Option<String>,
    /// The agency let in or shut out.
    pub agency: Option<String>,
    /// The emergency under which it was in sight.
    pub emergency: Option<BreakGlassId>,
}

type EventRow = (EntryId, Timestamp, Option<ClientId>, Option<String>, String, String, Option<i64>, Option<Json>);

/// The changes of one resource, oldest first. Accesses are not in it.
pub fn history<K: Kind>(conn: &mut Conn, id: Id<K>, after: Option<&After>, limit: Limit) -> Result<Page<Event>> {
    let mut query = ledger_entry::table
        .filter(ledger_entry::bucket.eq(id.bucket().number()))
        .filter(ledger_entry::resource_id.eq(id.erase()))
        // Spelt out, not bound: the index of histories is partial on exactly these words.
        .filter(diesel::dsl::sql::<Bool>("action <> 'read'"))
        .select((
            ledger_entry::id,
            ledger_entry::at,
            ledger_entry::client_id,
            ledger_entry::agency_code,
            ledger_entry::resource_type,
            ledger_entry::action,
            ledger_entry::version,
            ledger_entry::payload,
        ))
        .order(ledger_entry::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(ledger_entry::id.gt(EntryId::from_uuid(after.id)));
    }
    let rows: Vec<EventRow> = query.load(conn)?;
    let events = rows
        .into_iter()
        .map(|(id, at, client, agency, resource_type, action, version, payload)| {
            let what = payload.map(|p| p.read::<What>()).transpose()?.unwrap_or_default();
            Ok(Event { id, at, client, agency, resource_type, action, version, what })
        })
        .collect::<Result<Vec<Event>>>()?;
    Ok(Page::cut(events, limit, |e| After { key: String::new(), id: e.id.uuid() }))
}

/// One look at a record.
#[derive(Clone, Debug)]
pub struct Look {
    /// The entry.
    pub id: EntryId,
    /// When.
    pub at: Timestamp,
    /// The partner system.
    pub client: Option<ClientId>,
    /// The agency it acted for.
    pub agency: Option<String>,
    /// The person at its desk, as it said.
    pub user: Option<String>,
    /// Why.
    pub purpose: Option<String>,
    /// What was looked at.
    pub resource_type: String,
    /// The emergency under which it was in sight.
    pub emergency: Option<BreakGlassId>,
}

type LookRow = (EntryId, Timestamp, Option<ClientId>, Option<String>, Option<String>, Option<String>, String, Option<Json>);

/// Who looked at a record, oldest first; by these agencies only, where some are named.
pub fn looks<K: Kind>(
    conn: &mut Conn,
    id: Id<K>,
    by: Option<&[String]>,
    after: Option<&After>,
    limit: Limit,
) -> Result<Page<Look>> {
    let mut query = ledger_entry::table
        .filter(ledger_entry::bucket.eq(id.bucket().number()))
        .filter(ledger_entry::resource_id.eq(id.erase()))
        // Spelt out, not bound: the index of reads is partial on exactly these words.
        .filter(diesel::dsl::sql::<Bool>("action = 'read'"))
        .select((
            ledger_entry::id,
            ledger_entry::at,
            ledger_entry::client_id,
            ledger_entry::agency_code,
            ledger_entry::user_ref,
            ledger_entry::purpose,
            ledger_entry::resource_type,
            ledger_entry::payload,
        ))
        .order(ledger_entry::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(agencies) = by {
        query = query.filter(ledger_entry::agency_code.eq_any(agencies.to_vec()));
    }
    if let Some(after) = after {
        query = query.filter(ledger_entry::id.gt(EntryId::from_uuid(after.id)));
    }
    let rows: Vec<LookRow> = query.load(conn)?;
    let looks = rows
        .into_iter()
        .map(|(id, at, client, agency, user, purpose, resource_type, payload)| {
            let what = payload.map(|p| p.read::<What>()).transpose()?.unwrap_or_default();
            Ok(Look { id, at, client, agency, user, purpose, resource_type, emergency: what.emergency })
        })
        .collect::<Result<Vec<Look>>>()?;
    Ok(Page::cut(looks, limit, |l| After { key: String::new(), id: l.id.uuid() }))
}
