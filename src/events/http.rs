//! Handler of the feed.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, get};

use super::actions::{self, Start};
use super::model::{Wanted, is_type};
use super::wire::{ChangeEvent, EventPage};
use crate::auth::policy::EventRead;
use crate::http::guard::Allowed;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::{Error, FaultCode, Timestamp};
use crate::ledger::Entry;

/// Events of a page when the caller does not say.
const DEFAULT: usize = 100;
/// Most events of a page.
const MOST: usize = 500;
/// Longest wait, seconds.
const LONGEST_S: u64 = 20;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(event_list);
}

/// A whole number in a range.
fn number(params: &mut Params, name: &str, least: u64, most: u64) -> Option<u64> {
    let text = params.text(name)?;
    let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    let code = match if digits { text.parse::<u64>().ok() } else { None } {
        None => FaultCode::Type,
        Some(n) if n < least => FaultCode::Minimum,
        Some(n) if n > most => FaultCode::Maximum,
        Some(n) => return Some(n),
    };
    params.fault(name, code);
    None
}

/// What happened to the records that the caller's agency sees, in the order in which the ledger sealed it.
///
/// Nothing is missed and nothing comes twice, however slowly it was written. Start with `after=begin` (what is kept) or
/// `after=now`, then ask on with `next_cursor`; with `wait` an empty page is answered only after so many seconds, or less.
/// An event is shown if the caller may read the record at this moment, with its scopes. Reading on a cursor whose events are no
/// longer kept answers 410 `feed_truncated`: read the records again, then start with `after=now`.
/// After `access.revoked` and `person.erased` what you hold of the case or of the person must go.
/// What was done in an emergency look (break-glass) is not followed after its end.
#[utoipa::path(tag = "events", summary = "Follow what changes",
    params(("after" = String, Query, description = "`begin`, `now`, or the `next_cursor` of the page before", min_length = 1, max_length = 1024, example = "begin"),
        ("types" = Option<String>, Query, description = "Only these types, comma-separated; `case.*` for every type of a kind", min_length = 1, max_length = 2000, example = "case.created,referral.*"),
        ("resource_type" = Option<String>, Query, description = "Only records of this type", min_length = 1, max_length = 60, example = "case"),
        ("limit" = Option<i32>, Query, description = "Events of the page, 1–500; 100 if absent", minimum = 1, maximum = 500),
        ("wait" = Option<i32>, Query, description = "Seconds to wait for an event if there is none; 0 if absent", minimum = 0, maximum = 20)),
    responses((status = 200, description = "A page of events", body = EventPage)),
    security(("oauth2" = ["events:read"])))]
#[get("/v1/events")]
pub async fn event_list(req: HttpRequest, allowed: Allowed<EventRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["after", "types", "resource_type", "limit", "wait"])?;
    let (caller, services, act) = (allowed.caller(), allowed.services(), allowed.act());
    let after = params.text("after").map(str::to_owned);
    if after.is_none() {
        params.fault("after", FaultCode::Required);
    }
    let wanted = Wanted {
        types: params.list("types", is_type),
        resource_type: params.read("resource_type", |t| is_type(&format!("{t}.*")).then(|| t.to_owned())),
        scopes: caller.scopes.clone(),
        purposes: vec![caller.purpose],
        client: Some(caller.client),
    };
    let limit = number(&mut params, "limit", 1, u64::try_from(MOST).unwrap_or(0))
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(DEFAULT);
    let wait = Duration::from_secs(number(&mut params, "wait", 0, LONGEST_S).unwrap_or(0));
    params.finish()?;
    let start = match after.as_deref() {
        Some("begin") => Start::Begin,
        Some("now") => Start::Now,
        Some(cursor) => Start::At(services.cursors.place(cursor, caller.client)?),
        None => return Err(Error::InvalidRequest.into()),
    };
    let found = actions::follow(allowed.store(), &services.feed, caller, &wanted, start, limit, wait).await?;
    let next_cursor = services.cursors.seal_place(&found.mark, caller.client, Timestamp::now())?;
    let items: Vec<ChangeEvent> = found.events.into_iter().map(ChangeEvent::from).collect();
    // An empty page showed nothing: a client that waits leaves no trail of its waiting.
    let audit = if items.is_empty() {
        None
    } else {
        let entry = Entry::listed(caller.client, "event_list", items.iter().map(|e| e.id));
        Some(services.access.record(&act.actor, Timestamp::now(), entry).await?)
    };
    let body = EventPage { items, next_cursor, has_more: found.more };
    Ok(match audit {
        Some(audit) => respond::audited_plain(&req, audit, &body),
        None => respond::plain(&req, &body),
    })
}
