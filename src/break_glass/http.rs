//! Handlers of the break-glass operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::actions;
use super::wire::{BreakGlassCreate, BreakGlassPage, BreakGlassTransitionCreate, BreakGlassView};
use crate::auth::policy::{BreakGlassInvoke, BreakGlassMove, BreakGlassReview};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Error;
use crate::kernel::ids::BreakGlassId;
use crate::ledger::{Action, Entry};
use crate::transitions::TransitionPage;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(break_glass_list)
        .service(break_glass_invoke)
        .service(break_glass_read)
        .service(break_glass_transition_create)
        .service(break_glass_transition_list);
}

/// Opens one case that was not shared with the caller's agency, in an emergency, for at most three hours.
///
/// The case's owner and oversight find it on their desks at once, and it stays there until one of them has reviewed it.
/// Where the case has a minor, or somebody whose age is unknown, it opens nothing until a second person of the same agency
/// (another system, or another `end_user`) confirms it.
#[utoipa::path(tag = "break-glass", summary = "Break the glass over a case", request_body = BreakGlassCreate,
    responses((status = 201, description = "The break-glass: open, or waiting for a second person", body = BreakGlassView)),
    security(("oauth2" = ["break_glass:invoke"])))]
#[post("/v1/break-glass")]
pub async fn break_glass_invoke(
    req: HttpRequest,
    allowed: Allowed<BreakGlassInvoke>,
    body: Body<BreakGlassCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::invoke(allowed.store(), allowed.act(), once, new).await?;
    let location = format!("/v1/break-glass/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The times that glass was broken over the caller's cases (over all of them, for oversight), the first one first.
#[utoipa::path(tag = "break-glass", summary = "List broken glass",
    params(("review" = Option<String>, Query, description = "`pending`: not reviewed yet; `done`: reviewed", max_length = 10),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of the desk", body = BreakGlassPage)),
    security(("oauth2" = ["break_glass:review"])))]
#[get("/v1/break-glass")]
pub async fn break_glass_list(req: HttpRequest, allowed: Allowed<BreakGlassReview>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["review", "limit", "cursor"])?;
    let reviewed = params.read("review", |text| match text {
        "pending" => Some(false),
        "done" => Some(true),
        _ => None,
    });
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list(allowed.store(), &act, reviewed, after, limit).await?;
    let entry = Entry::listed(client, "break_glass_list", page.items.iter().map(|g| g.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &BreakGlassPage { items: page.items, next_cursor }))
}

/// One break-glass: for the agency that invoked it, the case's owner and oversight.
#[utoipa::path(tag = "break-glass", summary = "Read a break-glass",
    params(("break_glass_id" = BreakGlassId, Path, description = "The break-glass")),
    responses((status = 200, description = "The break-glass", body = BreakGlassView)),
    security(("oauth2" = ["break_glass:review"])))]
#[get("/v1/break-glass/{break_glass_id}")]
pub async fn break_glass_read(req: HttpRequest, allowed: Allowed<BreakGlassReview>) -> Result<HttpResponse, Problem> {
    let glass: BreakGlassId = id(&req, "break_glass_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read(allowed.store(), &act, glass).await?;
    let entry = Entry::new(Action::Read, glass, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Confirms a break-glass as a second person of the agency that invoked it, or reviews it as the case's owner or oversight.
///
/// `confirm` needs the scope `break_glass:invoke`, `review` the scope `break_glass:review`; no client has both. Whoever
/// invoked it cannot confirm it: 409 `second_person_needed`. A finding of `unjustified` ends what still runs at once.
#[utoipa::path(tag = "break-glass", summary = "Confirm or review a break-glass",
    params(("break_glass_id" = BreakGlassId, Path, description = "The break-glass")),
    request_body = BreakGlassTransitionCreate,
    responses((status = 200, description = "The break-glass, moved", body = BreakGlassView)),
    security(("oauth2" = ["break_glass:review"])))]
#[post("/v1/break-glass/{break_glass_id}/transitions")]
pub async fn break_glass_transition_create(
    req: HttpRequest,
    allowed: Allowed<BreakGlassMove>,
    body: Body<BreakGlassTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let glass: BreakGlassId = id(&req, "break_glass_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let scope = new.trigger.scope();
    if !allowed.caller().has(scope) {
        return Err(Error::InsufficientScope(scope).into());
    }
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::make_move(allowed.store(), allowed.act(), once, glass, version, new).await?;
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// What happened to a break-glass, oldest first: who confirmed it, who reviewed it, and when.
#[utoipa::path(tag = "break-glass", summary = "List a break-glass's transitions",
    params(("break_glass_id" = BreakGlassId, Path, description = "The break-glass"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["break_glass:review"])))]
#[get("/v1/break-glass/{break_glass_id}/transitions")]
pub async fn break_glass_transition_list(
    req: HttpRequest,
    allowed: Allowed<BreakGlassReview>,
) -> Result<HttpResponse, Problem> {
    let glass: BreakGlassId = id(&req, "break_glass_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, glass, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    let body = TransitionPage { items: page.items, next_cursor: next_cursor.clone() };
    Ok(respond::page(&req, &params, None, next_cursor, &body))
}
