//! Handlers of the hearing operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::actions;
use super::wire::{HearingCreate, HearingPage, HearingPatch, HearingView};
use crate::auth::policy::{CaseRead, CaseWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::{CaseId, HearingId};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_hearing_list)
        .service(case_hearing_create)
        .service(hearing_read)
        .service(hearing_amend)
        .service(hearing_history);
}

/// Sets a hearing down in a case of the caller's agency, before or after it took place.
///
/// `held` and `broken` need `held_at`, `cancelled` excludes it. Another day for the same purpose is a new hearing.
#[utoipa::path(tag = "proceedings", summary = "Register a hearing",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = HearingCreate,
    responses((status = 201, description = "The hearing", body = HearingView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases/{case_id}/hearings")]
pub async fn case_hearing_create(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<HearingCreate>,
) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::set_down_hearing(allowed.store(), allowed.act(), once, case, new).await?;
    let location = format!("/v1/hearings/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The hearings of a case, in the order in which they were registered. Needs the section `proceedings`.
#[utoipa::path(tag = "proceedings", summary = "List a case's hearings",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of hearings", body = HearingPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/hearings")]
pub async fn case_hearing_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_hearings(allowed.store(), &act, case, after, limit).await?;
    let entry = Entry::listed(client, "hearing_list", page.items.iter().map(|h| h.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &HearingPage { items: page.items, next_cursor }))
}

/// One hearing.
#[utoipa::path(tag = "proceedings", summary = "Read a hearing",
    params(("hearing_id" = HearingId, Path, description = "The hearing")),
    responses((status = 200, description = "The hearing", body = HearingView)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/hearings/{hearing_id}")]
pub async fn hearing_read(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let hearing: HearingId = id(&req, "hearing_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_hearing(allowed.store(), &act, hearing).await?;
    let entry = Entry::new(Action::Read, hearing, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Changes a hearing (merge patch): null clears, absent leaves.
#[utoipa::path(tag = "proceedings", summary = "Amend a hearing",
    params(("hearing_id" = HearingId, Path, description = "The hearing")),
    request_body(content = HearingPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The hearing, changed", body = HearingView)),
    security(("oauth2" = ["cases:write"])))]
#[patch("/v1/hearings/{hearing_id}")]
pub async fn hearing_amend(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<HearingPatch>,
) -> Result<HttpResponse, Problem> {
    let hearing: HearingId = id(&req, "hearing_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_hearing(allowed.store(), allowed.act(), hearing, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, hearing, Some(written.view.version))).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Every change of a hearing, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "proceedings", summary = "Read a hearing's history",
    params(("hearing_id" = HearingId, Path, description = "The hearing"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/hearings/{hearing_id}/history")]
pub async fn hearing_history(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let hearing: HearingId = id(&req, "hearing_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, hearing, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
