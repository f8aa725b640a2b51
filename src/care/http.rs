//! Handlers of the care operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::actions;
use super::wire::{CareProcessCreate, CareProcessPage, CareProcessPatch, CareProcessView, CareTransitionCreate};
use crate::auth::policy::{AssistanceRead, AssistanceWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Result;
use crate::kernel::ids::{CareProcessId, VictimId};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Under which name a look stands in the record.
const LOOK: &str = "victim_care";

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(victim_care_list)
        .service(victim_care_begin)
        .service(care_process_read)
        .service(care_process_amend)
        .service(care_process_transition_create)
        .service(care_process_transition_list)
        .service(care_process_transition_available)
        .service(care_process_history);
}

/// Begins the record of a victim's care: how the signs were noticed. From here it moves by the protocol that was in force
/// on that day, whichever agency makes each move.
///
/// Whoever sees the victim with the section `assistance` begins it. A person has one process that goes on: 409
/// `care_under_way`; one that ended is taken up again by its transition `re_enter`. Where somebody is lodged is never part of
/// it.
#[utoipa::path(tag = "assistance", summary = "Begin a victim's care",
    params(("victim_id" = VictimId, Path, description = "The victim")),
    request_body = CareProcessCreate,
    responses((status = 201, description = "The process, begun", body = CareProcessView)),
    security(("oauth2" = ["assistance:write"])))]
#[post("/v1/victims/{victim_id}/care-processes")]
pub async fn victim_care_begin(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<CareProcessCreate>,
) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::begin(allowed.store(), allowed.act(), once, victim, new).await?;
    let location = format!("/v1/care-processes/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about(LOOK)).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The care of a victim, oldest process first; none for whoever sees the victim without the section `assistance`.
#[utoipa::path(tag = "assistance", summary = "List a victim's care",
    description = "The care of a victim, oldest process first; none for whoever sees the victim without the section `assistance`.",
    params(("victim_id" = VictimId, Path, description = "The victim"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of processes", body = CareProcessPage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/victims/{victim_id}/care-processes")]
pub async fn victim_care_list(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_of_victim(allowed.store(), &act, victim, after, limit).await?;
    let entry = Entry::new(Action::Read, victim, None).about(LOOK);
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &CareProcessPage { items: page.items, next_cursor }))
}

/// A victim's care: where it stands, what was done, the needs by state, and the records that are part of it. A referral or a
/// measure that the caller does not see is named in `redacted`.
#[utoipa::path(tag = "assistance", summary = "Read a care process",
    description = "A victim's care: where it stands, what was done, the needs by state, and the records that are part of it. A referral or a measure that the caller does not see is named in `redacted`.",
    params(("care_process_id" = CareProcessId, Path, description = "The process")),
    responses((status = 200, description = "The process", body = CareProcessView)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/care-processes/{care_process_id}")]
pub async fn care_process_read(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let process: CareProcessId = id(&req, "care_process_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read(allowed.store(), &act, process).await?;
    let entry = Entry::new(Action::Read, read.view.victim_id, Some(read.view.version)).about(LOOK);
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Corrects a process (merge patch): null clears, absent leaves. Whoever sees it with this scope does, oversight excepted.
///
/// `links` replaces the records that are part of it; each new one must be about this victim and in the caller's sight. What
/// has ended stays as it is: 409 `ended`.
#[utoipa::path(tag = "assistance", summary = "Amend a care process",
    params(("care_process_id" = CareProcessId, Path, description = "The process")),
    request_body(content = CareProcessPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The process, changed", body = CareProcessView)),
    security(("oauth2" = ["assistance:write"])))]
#[patch("/v1/care-processes/{care_process_id}")]
pub async fn care_process_amend(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<CareProcessPatch>,
) -> Result<HttpResponse, Problem> {
    let process: CareProcessId = id(&req, "care_process_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend(allowed.store(), allowed.act(), process, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about(LOOK)).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a victim's care by a row of its protocol (`GET /v1/catalogues/care-protocols`): detected, rescued, first_response,
/// identified, sheltered, assisted, declined, returning, reintegrating, closed.
///
/// Each row says whose act it is (409 `actor_not_competent` for an agency of another kind), what must hold (409 with the
/// guards that do not: `victim_status_is`, `consent_in_force`, `risk_evaluated`, `service_planned`, `no_open_need`,
/// `best_interest_determined`, `reached`, `not_closed_as`) and what the request must say (422). A trigger that does not lead out of the
/// current state answers 409 `no_such_transition`. Help never depends on whether somebody testifies.
#[utoipa::path(tag = "assistance", summary = "Move a care process",
    params(("care_process_id" = CareProcessId, Path, description = "The process")),
    request_body = CareTransitionCreate,
    responses((status = 200, description = "The process, moved", body = CareProcessView)),
    security(("oauth2" = ["assistance:write"])))]
#[post("/v1/care-processes/{care_process_id}/transitions")]
pub async fn care_process_transition_create(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<CareTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let process: CareProcessId = id(&req, "care_process_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::make_move(allowed.store(), allowed.act(), once, process, version, new).await?;
    allowed.looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about(LOOK)).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The moves of a victim's care, oldest first: when each counts from, when it was registered, by whom.
#[utoipa::path(tag = "assistance", summary = "List the transitions of a care process",
    description = "The moves of a victim's care, oldest first: when each counts from, when it was registered, by whom.",
    params(("care_process_id" = CareProcessId, Path, description = "The process"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/care-processes/{care_process_id}/transitions")]
pub async fn care_process_transition_list(
    req: HttpRequest,
    allowed: Allowed<AssistanceRead>,
) -> Result<HttpResponse, Problem> {
    let process: CareProcessId = id(&req, "care_process_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, process, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every move out of the current state: whose act it is, whether this caller may register it now, and if not, why not.
#[utoipa::path(tag = "assistance", summary = "List what may happen next in a care process",
    description = "Every move out of the current state: whose act it is, whether this caller may register it now, and if not, why not.",
    params(("care_process_id" = CareProcessId, Path, description = "The process")),
    responses((status = 200, description = "Moves out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/care-processes/{care_process_id}/transitions/available")]
pub async fn care_process_transition_available(
    req: HttpRequest,
    allowed: Allowed<AssistanceRead>,
) -> Result<HttpResponse, Problem> {
    let process: CareProcessId = id(&req, "care_process_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), process, lang).await?;
    Ok(respond::plain(&req, &available))
}

/// Every change of a victim's care, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "assistance", summary = "Read the history of a care process",
    description = "Every change of a victim's care, oldest first: who, when, which fields. No values.",
    params(("care_process_id" = CareProcessId, Path, description = "The process"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/care-processes/{care_process_id}/history")]
pub async fn care_process_history(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let process: CareProcessId = id(&req, "care_process_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, process, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
