//! Handlers of the measure operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::states::{MeasureKind, State};
use super::store::Filter;
use super::wire::{MeasureCreate, MeasurePage, MeasurePatch, MeasureTransitionCreate, MeasureView};
use super::{actions, desk};
use crate::auth::policy::{CaseRead, CaseWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::{CaseId, MeasureId};
use crate::kernel::{Day, FaultCode};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_measure_list)
        .service(case_measure_request)
        .service(measure_desk)
        .service(measure_read)
        .service(measure_amend)
        .service(measure_transition_create)
        .service(measure_transition_list)
        .service(measure_transition_available)
        .service(measure_history);
}

/// Registers that a measure was asked for, in a case of the caller's agency. It moves by transitions.
///
/// A coercive measure names an accused of the case, a protective one a victim. Whoever sees that person in the case sees
/// the measure.
#[utoipa::path(tag = "measures", summary = "Request a measure",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = MeasureCreate,
    responses((status = 201, description = "The measure, requested", body = MeasureView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases/{case_id}/measures")]
pub async fn case_measure_request(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<MeasureCreate>,
) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::request_measure(allowed.store(), allowed.act(), once, case, new).await?;
    let location = format!("/v1/measures/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The measures of a case, oldest first: those about persons whom the caller sees in it.
#[utoipa::path(tag = "measures", summary = "List a case's measures",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("kind" = Option<String>, Query, description = "`coercive` or `protective`", max_length = 40),
        ("state" = Option<String>, Query, description = "States, comma-separated: any of them", max_length = 200),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of measures", body = MeasurePage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/measures")]
pub async fn case_measure_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["kind", "state", "limit", "cursor"])?;
    let filter = Filter {
        kind: params.read("kind", MeasureKind::parse),
        states: params.list("state", |s| State::parse(s).is_some()),
    };
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_measures(allowed.store(), &act, case, filter, after, limit).await?;
    let entry = Entry::listed(client, "measure_list", page.items.iter().map(|m| m.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &MeasurePage { items: page.items, next_cursor }))
}

/// The desk of the caller's agency: running measures of its cases that have a last day, the one that ends first at
/// the top.
///
/// `expires_before` is exclusive. What another agency shares is found under its case, not here; oversight sees every
/// agency's.
#[utoipa::path(tag = "measures", summary = "List the measures that end soon",
    params(("expires_before" = Option<Day>, Query, description = "Last day before this one", max_length = 10),
        ("state" = Option<String>, Query, description = "`in_force`, `modified`: any of them, comma-separated", max_length = 40),
        ("kind" = Option<String>, Query, description = "`coercive` or `protective`", max_length = 40),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of measures", body = MeasurePage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/measures")]
pub async fn measure_desk(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["expires_before", "state", "kind", "limit", "cursor"])?;
    let expires_before = params.text("expires_before").map(Day::parse);
    if expires_before == Some(None) {
        params.fault("expires_before", FaultCode::Format);
    }
    let filter = desk::Filter {
        expires_before: expires_before.flatten(),
        states: params.list("state", |s| State::parse(s).is_some_and(State::runs)),
        kind: params.read("kind", MeasureKind::parse),
    };
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_desk(allowed.store(), &act, filter, after, limit).await?;
    let entry = Entry::listed(client, "measure_list", page.items.iter().map(|m| m.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &MeasurePage { items: page.items, next_cursor }))
}

/// One measure.
#[utoipa::path(tag = "measures", summary = "Read a measure",
    params(("measure_id" = MeasureId, Path, description = "The measure")),
    responses((status = 200, description = "The measure", body = MeasureView)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/measures/{measure_id}")]
pub async fn measure_read(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let measure: MeasureId = id(&req, "measure_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_measure(allowed.store(), &act, measure).await?;
    let entry = Entry::new(Action::Read, measure, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Corrects a measure (merge patch): null clears, absent leaves.
///
/// Once extended, its last day moves by extension only: 409 `extended`. What has ended stays as it is: 409 `ended`.
#[utoipa::path(tag = "measures", summary = "Amend a measure",
    params(("measure_id" = MeasureId, Path, description = "The measure")),
    request_body(content = MeasurePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The measure, changed", body = MeasureView)),
    security(("oauth2" = ["cases:write"])))]
#[patch("/v1/measures/{measure_id}")]
pub async fn measure_amend(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<MeasurePatch>,
) -> Result<HttpResponse, Problem> {
    let measure: MeasureId = id(&req, "measure_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_measure(allowed.store(), allowed.act(), measure, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, measure, Some(written.view.version))).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a measure: a decision on it, its beginning, its extension, its end. The case's owner registers them.
///
/// Coercive: requested → granted or denied → in_force → revoked, served or expired; an extension leaves it in_force
/// until a later day. Protective: requested → risk_evaluated → granted or denied → in_force → modified → lifted,
/// breached or expired. A judge grants; the prosecution also grants protection, and the police an arrest in flagrancy. A
/// trigger that does not lead out of the current state answers 409 `no_such_transition`; `expire` on or before the last
/// day 409 `not_yet_expired`; `extend` and `expire` without a last day 409 `no_last_day`.
#[utoipa::path(tag = "measures", summary = "Move a measure",
    params(("measure_id" = MeasureId, Path, description = "The measure")),
    request_body = MeasureTransitionCreate,
    responses((status = 200, description = "The measure, moved", body = MeasureView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/measures/{measure_id}/transitions")]
pub async fn measure_transition_create(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<MeasureTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let measure: MeasureId = id(&req, "measure_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::move_measure(allowed.store(), allowed.act(), once, measure, version, new).await?;
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a measure, oldest first.
#[utoipa::path(tag = "measures", summary = "List a measure's transitions",
    params(("measure_id" = MeasureId, Path, description = "The measure"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/measures/{measure_id}/transitions")]
pub async fn measure_transition_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let measure: MeasureId = id(&req, "measure_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, measure, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current state: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "measures", summary = "List what may happen next to a measure",
    params(("measure_id" = MeasureId, Path, description = "The measure")),
    responses((status = 200, description = "Transitions out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/measures/{measure_id}/transitions/available")]
pub async fn measure_transition_available(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let measure: MeasureId = id(&req, "measure_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), measure, lang).await?;
    Ok(respond::plain(&req, &available))
}

/// Every change of a measure, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "measures", summary = "Read a measure's history",
    params(("measure_id" = MeasureId, Path, description = "The measure"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/measures/{measure_id}/history")]
pub async fn measure_history(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let measure: MeasureId = id(&req, "measure_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, measure, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
