//! Handlers of the assistance operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::states::State;
use super::wire::{AssistanceCreate, AssistancePage, AssistancePatch, AssistanceTransitionCreate, AssistanceView};
use super::{actions, desk};
use crate::auth::policy::{AssistanceRead, AssistanceWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Result;
use crate::kernel::ids::{AssistanceId, VictimId};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::programmes::params::years;
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(victim_assistance_list)
        .service(victim_assistance_register)
        .service(assistance_list)
        .service(assistance_read)
        .service(assistance_amend)
        .service(assistance_transition_create)
        .service(assistance_transition_list)
        .service(assistance_transition_available)
        .service(assistance_history);
}

/// Registers what a victim needs, how great the need is, what is planned, who provides it and what it costs.
///
/// Whoever sees the victim in a case registers what it gives itself; an owner, or an agency with the section
/// `assistance`, anything. To name another agency as provider tells it of the person, so it takes a ground: a consent
/// for `assistance` that is in force and names that agency (or nobody), or one of the law's own grounds. Help is
/// never a condition for testimony.
#[utoipa::path(tag = "assistance", summary = "Register a need of a victim",
    params(("victim_id" = VictimId, Path, description = "The victim")),
    request_body = AssistanceCreate,
    responses((status = 201, description = "The need, identified", body = AssistanceView)),
    security(("oauth2" = ["assistance:write"])))]
#[post("/v1/victims/{victim_id}/assistance")]
pub async fn victim_assistance_register(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<AssistanceCreate>,
) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::register(allowed.store(), allowed.act(), once, victim, new).await?;
    let location = format!("/v1/assistance/{}", written.view.id);
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_assistance"))
        .await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The needs of a victim, oldest first: all of them for whoever sees the victim with the section `assistance`, else
/// those that the caller's agency provides.
#[utoipa::path(tag = "assistance", summary = "List a victim's needs",
    description = "The needs of a victim, oldest first: all of them for whoever sees the victim with the section `assistance`, else those that the caller's agency provides.",
    params(("victim_id" = VictimId, Path, description = "The victim"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of needs", body = AssistancePage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/victims/{victim_id}/assistance")]
pub async fn victim_assistance_list(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_of_victim(allowed.store(), &act, victim, after, limit).await?;
    let entry = Entry::new(Action::Read, victim, None).about("victim_assistance");
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &AssistancePage { items: page.items, next_cursor }))
}

/// The desk of the caller's agency: the needs that it registered or provides, oldest first.
///
/// `year` and the bounds `year_from` and `year_to` (both included) ask for services given in those years. What
/// another agency registered for a victim of the caller's case is found under the victim; oversight sees every
/// agency's.
#[utoipa::path(tag = "assistance", summary = "List the needs of one's desk",
    params(("state" = Option<String>, Query, description = "States, comma-separated: any of them", max_length = 200),
        ("need" = Option<String>, Query, description = "Needs, comma-separated: any of them (code list `service`)", max_length = 400),
        ("victim_id" = Option<VictimId>, Query, description = "Of this victim"),
        ("year" = Option<i32>, Query, description = "Served in this year", minimum = 1900, maximum = 2200),
        ("year_from" = Option<i32>, Query, description = "Served in this year or later", minimum = 1900, maximum = 2200),
        ("year_to" = Option<i32>, Query, description = "Served in this year or before", minimum = 1900, maximum = 2200),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of needs", body = AssistancePage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/assistance")]
pub async fn assistance_list(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let mut params =
        Params::parse(&req, &["state", "need", "victim_id", "year", "year_from", "year_to", "limit", "cursor"])?;
    let act = allowed.act();
    let filter = desk::Filter {
        states: params.list("state", |s| State::parse(s).is_some()),
        needs: params.list("need", |n| act.catalogue.has_ever("service", n)),
        victim: params.read("victim_id", |v| v.parse().ok()),
        years: years(&mut params),
    };
    let limit = params.limit();
    params.finish()?;
    let (client, services) = (allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_desk(allowed.store(), &act, filter, after, limit).await?;
    let entry = Entry::listed(client, "victim_assistance", page.items.iter().map(|a| a.victim_id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &AssistancePage { items: page.items, next_cursor }))
}

/// One need. Its provider does not see what the assessment rests on.
#[utoipa::path(tag = "assistance", summary = "Read a need",
    description = "One need. Its provider does not see what the assessment rests on.",
    params(("assistance_id" = AssistanceId, Path, description = "The need")),
    responses((status = 200, description = "The need", body = AssistanceView)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/assistance/{assistance_id}")]
pub async fn assistance_read(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let assistance: AssistanceId = id(&req, "assistance_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read(allowed.store(), &act, assistance).await?;
    let entry = Entry::new(Action::Read, read.view.victim_id, Some(read.view.version)).about("victim_assistance");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Corrects a need (merge patch): null clears, absent leaves. Its keeper does: the owner of a case of the victim, or
/// the agency that registered it.
///
/// Another provider, basis or consent is checked as at the beginning. What has ended stays as it is: 409 `ended`.
#[utoipa::path(tag = "assistance", summary = "Amend a need",
    params(("assistance_id" = AssistanceId, Path, description = "The need")),
    request_body(content = AssistancePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The need, changed", body = AssistanceView)),
    security(("oauth2" = ["assistance:write"])))]
#[patch("/v1/assistance/{assistance_id}")]
pub async fn assistance_amend(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<AssistancePatch>,
) -> Result<HttpResponse, Problem> {
    let assistance: AssistanceId = id(&req, "assistance_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend(allowed.store(), allowed.act(), assistance, version, patch).await?;
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_assistance"))
        .await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a need: identified → planned → in_progress → met, or unmet for a reason, or withdrawn; what was not met can
/// be taken up again.
///
/// Its keeper moves it; its provider says that it started, met the need or could not. To plan it takes a provider and
/// a ground: 409 `provider_required`, `ground_required`. Where it rests on a consent that is no longer in force, it
/// is neither planned nor started: 409 `consent_not_in_force`. A trigger that does not lead out of the current state
/// answers 409 `no_such_transition`.
#[utoipa::path(tag = "assistance", summary = "Move a need",
    params(("assistance_id" = AssistanceId, Path, description = "The need")),
    request_body = AssistanceTransitionCreate,
    responses((status = 200, description = "The need, moved", body = AssistanceView)),
    security(("oauth2" = ["assistance:write"])))]
#[post("/v1/assistance/{assistance_id}/transitions")]
pub async fn assistance_transition_create(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<AssistanceTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let assistance: AssistanceId = id(&req, "assistance_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::make_move(allowed.store(), allowed.act(), once, assistance, version, new).await?;
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_assistance"))
        .await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a need, oldest first.
#[utoipa::path(tag = "assistance", summary = "List the transitions of a need",
    description = "The transitions of a need, oldest first.",
    params(("assistance_id" = AssistanceId, Path, description = "The need"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/assistance/{assistance_id}/transitions")]
pub async fn assistance_transition_list(
    req: HttpRequest,
    allowed: Allowed<AssistanceRead>,
) -> Result<HttpResponse, Problem> {
    let assistance: AssistanceId = id(&req, "assistance_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, assistance, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current state: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "assistance", summary = "List what may happen next to a need",
    description = "Every transition out of the current state: whether this caller may do it now, and if not, why not.",
    params(("assistance_id" = AssistanceId, Path, description = "The need")),
    responses((status = 200, description = "Transitions out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/assistance/{assistance_id}/transitions/available")]
pub async fn assistance_transition_available(
    req: HttpRequest,
    allowed: Allowed<AssistanceRead>,
) -> Result<HttpResponse, Problem> {
    let assistance: AssistanceId = id(&req, "assistance_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), assistance, lang).await?;
    Ok(respond::plain(&req, &available))
}

/// Every change of a need, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "assistance", summary = "Read the history of a need",
    description = "Every change of a need, oldest first: who, when, which fields. No values.",
    params(("assistance_id" = AssistanceId, Path, description = "The need"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/assistance/{assistance_id}/history")]
pub async fn assistance_history(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let assistance: AssistanceId = id(&req, "assistance_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, assistance, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
