//! Handlers of the legal-hold operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::actions;
use super::wire::{LegalHoldCreate, LegalHoldPage, LegalHoldTransitionCreate, LegalHoldView};
use crate::auth::policy::{HoldRead, HoldWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::LegalHoldId;
use crate::ledger::{Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(legal_hold_place).service(legal_hold_list).service(legal_hold_read).service(legal_hold_transition_create);
}

/// Holds a case or a person: while it stands nothing of it is erased, and retention passes it by.
///
/// For the owner of the case (of a case of the person) and for oversight. An erasure that was proposed already waits for it;
/// one that was approved does not: 409 `erasure_approved`.
#[utoipa::path(tag = "keeping", summary = "Place a legal hold", request_body = LegalHoldCreate,
    responses((status = 201, description = "The hold", body = LegalHoldView)),
    security(("oauth2" = ["holds:write"])))]
#[post("/v1/legal-holds")]
pub async fn legal_hold_place(
    req: HttpRequest,
    allowed: Allowed<HoldWrite>,
    body: Body<LegalHoldCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::place(allowed.store(), allowed.act(), once, new).await?;
    let location = format!("/v1/legal-holds/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The holds on the caller's cases and their persons (on all of them, for oversight), the first one first.
#[utoipa::path(tag = "keeping", summary = "List legal holds",
    params(("active" = Option<bool>, Query, description = "Whether they still hold; both if absent"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of holds", body = LegalHoldPage)),
    security(("oauth2" = ["holds:read"])))]
#[get("/v1/legal-holds")]
pub async fn legal_hold_list(req: HttpRequest, allowed: Allowed<HoldRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["active", "limit", "cursor"])?;
    let active = params.read("active", |text| text.parse::<bool>().ok());
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list(allowed.store(), &act, active, after, limit).await?;
    let entry = Entry::listed(client, "legal_hold_list", page.items.iter().map(|h| h.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &LegalHoldPage { items: page.items, next_cursor }))
}

/// One hold, for the owner of what it holds, for whoever placed it, and for oversight.
#[utoipa::path(tag = "keeping", summary = "Read a legal hold",
    params(("legal_hold_id" = LegalHoldId, Path, description = "The hold")),
    responses((status = 200, description = "The hold", body = LegalHoldView)),
    security(("oauth2" = ["holds:read"])))]
#[get("/v1/legal-holds/{legal_hold_id}")]
pub async fn legal_hold_read(req: HttpRequest, allowed: Allowed<HoldRead>) -> Result<HttpResponse, Problem> {
    let hold: LegalHoldId = id(&req, "legal_hold_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read(allowed.store(), &act, hold).await?;
    let entry = Entry::new(Action::Read, hold, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Lifts a hold, with a reason. Only the agency that placed it does; lifted already: 409 `already_lifted`.
#[utoipa::path(tag = "keeping", summary = "Lift a legal hold",
    params(("legal_hold_id" = LegalHoldId, Path, description = "The hold")),
    request_body = LegalHoldTransitionCreate,
    responses((status = 200, description = "The hold, lifted", body = LegalHoldView)),
    security(("oauth2" = ["holds:write"])))]
#[post("/v1/legal-holds/{legal_hold_id}/transitions")]
pub async fn legal_hold_transition_create(
    req: HttpRequest,
    allowed: Allowed<HoldWrite>,
    body: Body<LegalHoldTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let hold: LegalHoldId = id(&req, "legal_hold_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::make_move(allowed.store(), allowed.act(), once, hold, version, new).await?;
    allowed.looked(Entry::new(Action::Read, hold, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}
