//! Handlers of the alert operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::actions;
use super::wire::{AlertPage, AlertTransitionCreate, AlertView};
use crate::auth::policy::{AuditRead, AuditReview};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::AlertId;
use crate::ledger::{Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(audit_alert_list).service(audit_alert_read).service(audit_alert_transition_create);
}

/// The alerts on looking, the first one first: those of the caller's own agency; for oversight, everybody's.
///
/// An alert is raised when a client has used most of a budget of looking (persons' identities, searches, questions of
/// deconfliction, rows of lists, persons outside its territory), and again when more is refused: once per window each. It
/// stays pending until oversight has acknowledged it.
#[utoipa::path(tag = "audit", summary = "List the alerts on looking",
    params(("review" = Option<String>, Query, description = "`pending`: not acknowledged yet; `done`: acknowledged", max_length = 10),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of alerts", body = AlertPage)),
    security(("oauth2" = ["audit:read"])))]
#[get("/v1/audit/alerts")]
pub async fn audit_alert_list(req: HttpRequest, allowed: Allowed<AuditRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["review", "limit", "cursor"])?;
    let acknowledged = params.read("review", |text| match text {
        "pending" => Some(false),
        "done" => Some(true),
        _ => None,
    });
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list(allowed.store(), &act, acknowledged, after, limit).await?;
    let entry = Entry::listed(client, "audit_alert_list", page.items.iter().map(|a| a.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &AlertPage { items: page.items, next_cursor }))
}

/// One alert on looking: for the agency whose client looked, and for oversight.
#[utoipa::path(tag = "audit", summary = "Read an alert on looking",
    params(("alert_id" = AlertId, Path, description = "The alert")),
    responses((status = 200, description = "The alert", body = AlertView)),
    security(("oauth2" = ["audit:read"])))]
#[get("/v1/audit/alerts/{alert_id}")]
pub async fn audit_alert_read(req: HttpRequest, allowed: Allowed<AuditRead>) -> Result<HttpResponse, Problem> {
    let alert: AlertId = id(&req, "alert_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read(allowed.store(), &act, alert).await?;
    let entry = Entry::new(Action::Read, alert, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Acknowledges an alert on looking, with what it was found to be. Oversight only; the agency that looked cannot judge
/// itself (403 `owner_only`), nor a system of oversight its own looking (409 `second_person_needed`).
#[utoipa::path(tag = "audit", summary = "Acknowledge an alert on looking",
    params(("alert_id" = AlertId, Path, description = "The alert")),
    request_body = AlertTransitionCreate,
    responses((status = 200, description = "The alert, acknowledged", body = AlertView)),
    security(("oauth2" = ["audit:review"])))]
#[post("/v1/audit/alerts/{alert_id}/transitions")]
pub async fn audit_alert_transition_create(
    req: HttpRequest,
    allowed: Allowed<AuditReview>,
    body: Body<AlertTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let alert: AlertId = id(&req, "alert_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::make_move(allowed.store(), allowed.act(), once, alert, version, new).await?;
    allowed.looked(Entry::new(Action::Read, alert, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}
