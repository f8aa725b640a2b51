//! Handlers of the decision operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::actions;
use super::wire::{DecisionCreate, DecisionPage, DecisionView};
use crate::auth::policy::{CaseRead, CaseWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::ids::{CaseId, DecisionId};
use crate::ledger::{Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_decision_list).service(case_decision_create).service(decision_read);
}

/// Registers a decision in a case of the caller's agency.
///
/// What is registered stays as it is: a correction is another decision that names the first in `supersedes`. A decision
/// is superseded once: 409 `already_superseded`.
#[utoipa::path(tag = "proceedings", summary = "Register a decision",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = DecisionCreate,
    responses((status = 201, description = "The decision", body = DecisionView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases/{case_id}/decisions")]
pub async fn case_decision_create(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<DecisionCreate>,
) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::register_decision(allowed.store(), allowed.act(), once, case, new).await?;
    let location = format!("/v1/decisions/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The decisions of a case, in the order in which they were registered, superseded ones included. Needs the section
/// `proceedings`.
#[utoipa::path(tag = "proceedings", summary = "List a case's decisions",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of decisions", body = DecisionPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/decisions")]
pub async fn case_decision_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_decisions(allowed.store(), &act, case, after, limit).await?;
    let entry = Entry::listed(client, "decision_list", page.items.iter().map(|d| d.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &DecisionPage { items: page.items, next_cursor }))
}

/// One decision.
#[utoipa::path(tag = "proceedings", summary = "Read a decision",
    params(("decision_id" = DecisionId, Path, description = "The decision")),
    responses((status = 200, description = "The decision", body = DecisionView)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/decisions/{decision_id}")]
pub async fn decision_read(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let decision: DecisionId = id(&req, "decision_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_decision(allowed.store(), &act, decision).await?;
    let entry = Entry::new(Action::Read, decision, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}
