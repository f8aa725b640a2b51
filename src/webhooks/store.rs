//! SQL of the webhooks and of their attempts. Everything of an agency lies in the agency's bucket.

use diesel::prelude::*;

use super::model::{Delivery, Detail, State, Webhook};
use super::signing::Algorithm;
use crate::db::schema::{webhook as t, webhook_delivery as log};
use crate::db::{Conn, Json, Keep};
use crate::events::model::Mark;
use crate::kernel::ids::{ClientId, DeliveryId, EntryId, WebhookId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};
use crate::vault::{self, Guarded, Keys};

impl Guarded for Detail {
    const PLACE: &'static str = "webhook.detail";
    const SECRET: &'static [&'static str] = &["url", "signers/*/key"];
}

type Row = (
    WebhookId,
    i64,
    String,
    ClientId,
    String,
    Option<String>,
    String,
    String,
    Json,
    i64,
    i64,
    i16,
    Timestamp,
    Option<EntryId>,
    i64,
    Timestamp,
    Timestamp,
);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::agency_code,
        t::client_id,
        t::state,
        t::reason,
        t::algorithm,
        t::types,
        t::detail,
        t::position,
        t::seen_to,
        t::failed,
        t::next_at,
        t::ping_id,
        t::step,
        t::created_at,
        t::updated_at,
    )
}

fn webhook(row: Row, keys: &Keys) -> Result<Webhook> {
    let (
        id,
        version,
        agency,
        client,
        state,
        reason,
        algorithm,
        types,
        detail,
        position,
        seen_to,
        failed,
        next_at,
        ping,
        step,
        created_at,
        updated_at,
    ) = row;
    Ok(Webhook {
        id,
        version,
        agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in webhook"))?,
        client,
        state: State::parse(&state).ok_or_else(|| Error::internal("webhook state"))?,
        reason,
        algorithm: Algorithm::parse(&algorithm).ok_or_else(|| Error::internal("webhook algorithm"))?,
        types: types.split(',').filter(|t| !t.is_empty()).map(str::to_owned).collect(),
        detail: keys.open(id, id, &detail)?,
        mark: Mark { position, seen_to },
        failed: usize::try_from(failed).unwrap_or(0),
        next_at,
        ping,
        step,
        created_at,
        updated_at,
    })
}

fn failed(of: &Webhook) -> i16 {
    i16::try_from(of.failed).unwrap_or(i16::MAX)
}

/// Inserts a webhook.
pub fn insert(tx: &mut Conn, new: &Webhook) -> Result<()> {
    let (bucket, id) = new.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::agency_code.eq(new.agency.as_str()),
            t::client_id.eq(new.client),
            t::state.eq(new.state.as_str()),
            t::reason.eq(new.reason.as_deref()),
            t::algorithm.eq(new.algorithm.as_str()),
            t::types.eq(new.types.join(",")),
            t::detail.eq(vault::seal(tx, id, id, &new.detail)?),
            t::position.eq(new.mark.position),
            t::seen_to.eq(new.mark.seen_to),
            t::failed.eq(failed(new)),
            t::next_at.eq(new.next_at),
            t::ping_id.eq(new.ping),
            t::step.eq(new.step),
            t::version.eq(new.version),
            t::created_at.eq(new.created_at),
            t::updated_at.eq(new.updated_at),
        ))
        .execute(tx)?;
    Ok(())
}

/// A webhook, whoever asks; `NotFound` for one that is not there.
pub fn find(conn: &mut Conn, id: WebhookId) -> Result<Webhook> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    webhook(row, &vault::keys(conn, [id])?)
}

/// A webhook of an agency.
pub fn of_agency(conn: &mut Conn, agency: &AgencyCode, id: WebhookId) -> Result<Webhook> {
    // An id of another bucket is none of the agency's: no other shard is asked.
    let found = if id.bucket() == agency.bucket() { find(conn, id)? } else { return Err(Error::NotFound) };
    if found.agency == *agency { Ok(found) } else { Err(Error::NotFound) }
}

/// Writes a webhook over the step that it was read at; answers whether it still was.
pub fn update(tx: &mut Conn, after: &Webhook, step: i64) -> Result<bool> {
    let (bucket, id) = after.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::step.eq(step)))
        .set((
            t::client_id.eq(after.client),
            t::state.eq(after.state.as_str()),
            t::reason.eq(after.reason.as_deref()),
            t::types.eq(after.types.join(",")),
            t::detail.eq(vault::seal(tx, id, id, &after.detail)?),
            t::position.eq(after.mark.position),
            t::seen_to.eq(after.mark.seen_to),
            t::failed.eq(failed(after)),
            t::next_at.eq(after.next_at),
            t::ping_id.eq(after.ping),
            t::step.eq(step + 1),
            t::version.eq(after.version),
            t::updated_at.eq(after.updated_at),
        ))
        .kept()
        .execute(tx)?;
    Ok(moved > 0)
}

/// Deletes a webhook, its log and its keys.
pub fn delete(tx: &mut Conn, id: WebhookId, now: Timestamp) -> Result<()> {
    let (bucket, id) = id.key();
    diesel::delete(log::table.filter(log::bucket.eq(bucket)).filter(log::webhook_id.eq(id))).execute(tx)?;
    diesel::delete(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id))).execute(tx)?;
    vault::current()?.destroy(tx, id.erase(), now)
}

/// How many webhooks an agency has.
pub fn count(conn: &mut Conn, agency: &AgencyCode) -> Result<i64> {
    Ok(t::table
        .filter(t::bucket.eq(agency.bucket().number()))
        .filter(t::agency_code.eq(agency.as_str()))
        .count()
        .get_result(conn)?)
}

/// One page of an agency's webhooks, the oldest first.
pub fn list(conn: &mut Conn, agency: &AgencyCode, after: Option<&After>, limit: Limit) -> Result<Page<Webhook>> {
    let mut query = t::table
        .filter(t::bucket.eq(agency.bucket().number()))
        .filter(t::agency_code.eq(agency.as_str()))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(t::id.gt(WebhookId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, rows.iter().map(|row| row.0))?;
    let found = rows.into_iter().map(|row| webhook(row, &keys)).collect::<Result<Vec<_>>>()?;
    Ok(Page::cut(found, limit, |w| After { key: String::new(), id: w.id.uuid() }))
}

/// What the dispatcher must know of a webhook that sends.
#[derive(Clone, Debug)]
pub struct Sending {
    /// Which.
    pub id: WebhookId,
    /// Whose rights.
    pub client: ClientId,
    /// Its place.
    pub position: i64,
    /// When its next attempt is due.
    pub next_at: Timestamp,
    /// Whether the last attempts failed.
    pub failing: bool,
    /// Whether a ping is to be sent, whatever else.
    pub ping: bool,
    /// Whether only a ping is sent.
    pub pending: bool,
}

impl From<&Webhook> for Sending {
    fn from(of: &Webhook) -> Self {
        Self {
            id: of.id,
            client: of.client,
            position: of.mark.position,
            next_at: of.next_at,
            failing: of.failed > 0,
            ping: of.ping.is_some(),
            pending: of.state == State::Pending,
        }
    }
}

/// Every webhook of these agencies that sends. The dispatcher's own statement: a multi-get over the agencies' buckets.
pub fn sending(conn: &mut Conn, agencies: &[String]) -> Result<Vec<Sending>> {
    type Found = (WebhookId, ClientId, i64, Timestamp, i16, Option<EntryId>, String);
    let mut buckets: Vec<i16> = agencies.iter().map(|code| crate::kernel::agency_code::lane_bucket(code).number()).collect();
    buckets.sort_unstable();
    buckets.dedup();
    let rows: Vec<Found> = t::table
        .filter(t::bucket.eq_any(buckets))
        .filter(t::agency_code.eq_any(agencies.to_vec()))
        .select((t::id, t::client_id, t::position, t::next_at, t::failed, t::ping_id, t::state))
        .load(conn)?;
    let sends = |(id, client, position, next_at, failed, ping, state): Found| {
        let state = State::parse(&state).filter(|s| *s != State::Disabled)?;
        let (failing, ping, pending) = (failed > 0, ping.is_some(), state == State::Pending);
        Some(Sending { id, client, position, next_at, failing, ping, pending })
    };
    Ok(rows.into_iter().filter_map(sends).collect())
}

/// Records an attempt.
pub fn record(tx: &mut Conn, webhook: WebhookId, delivery: &Delivery) -> Result<()> {
    let (bucket, id) = delivery.id.key();
    diesel::insert_into(log::table)
        .values((
            log::bucket.eq(bucket),
            log::id.eq(id),
            log::webhook_id.eq(webhook),
            log::event_id.eq(delivery.event),
            log::event_type.eq(&delivery.kind),
            log::attempt.eq(i16::try_from(delivery.attempt).unwrap_or(i16::MAX)),
            log::at.eq(delivery.at),
            log::outcome.eq(&delivery.outcome),
            log::status.eq(delivery.status),
            log::duration_ms.eq(delivery.duration_ms),
            log::position.eq(delivery.mark.position),
            log::seen_to.eq(delivery.mark.seen_to),
        ))
        .execute(tx)?;
    Ok(())
}

type Attempt = (DeliveryId, EntryId, String, i16, Timestamp, String, Option<i16>, i64, i64, i64);

/// One page of a webhook's attempts, the newest first.
pub fn deliveries(conn: &mut Conn, webhook: WebhookId, after: Option<&After>, limit: Limit) -> Result<Page<Delivery>> {
    let (bucket, webhook) = webhook.key();
    let mut query = log::table
        .filter(log::bucket.eq(bucket))
        .filter(log::webhook_id.eq(webhook))
        .select((
            log::id,
            log::event_id,
            log::event_type,
            log::attempt,
            log::at,
            log::outcome,
            log::status,
            log::duration_ms,
            log::position,
            log::seen_to,
        ))
        .order(log::id.desc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(log::id.lt(DeliveryId::from_uuid(after.id)));
    }
    let rows: Vec<Attempt> = query.load(conn)?;
    let found = rows.into_iter().map(|(id, event, kind, attempt, at, outcome, status, duration_ms, position, seen_to)| {
        let (attempt, mark) = (i64::from(attempt), Mark { position, seen_to });
        Delivery { id, event, kind, attempt, at, outcome, status, duration_ms, mark }
    });
    Ok(Page::cut(found.collect(), limit, |d| After { key: String::new(), id: d.id.uuid() }))
}

/// Forgets attempts of an agency's webhooks that are older than `before`.
pub fn forget(tx: &mut Conn, agency: &AgencyCode, before: Timestamp) -> Result<()> {
    let hooks: Vec<WebhookId> = t::table
        .filter(t::bucket.eq(agency.bucket().number()))
        .filter(t::agency_code.eq(agency.as_str()))
        .select(t::id)
        .load(tx)?;
    for hook in hooks {
        let (bucket, hook) = hook.key();
        // Ids are in the order of time: the first of that instant bounds them.
        let first = DeliveryId::seeded(before, hook.bucket(), [0; 16]);
        diesel::delete(log::table.filter(log::bucket.eq(bucket)).filter(log::webhook_id.eq(hook)).filter(log::id.lt(first)))
            .execute(tx)?;
    }
    Ok(())
}
