//! Handlers of the case operations: extract, call one action, map.

use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::actions;
use super::docket::Filter;
use super::wire::{CaseCreate, CasePage, CasePatch, CaseTransitionCreate, CaseView};
use crate::auth::policy::{CaseRead, CaseWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Error;
use crate::kernel::ids::CaseId;
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_list)
        .service(case_open)
        .service(case_read)
        .service(case_amend)
        .service(case_transition_create)
        .service(case_transition_list)
        .service(case_transition_available)
        .service(case_history);
    super::participants_http::routes(cfg);
}

/// Registers a case with its victims, accused and charges, all or nothing.
///
/// Means are required for an adult victim and never for a minor; a victim of unknown age counts as a minor.
/// The date of the facts decides which version of an offence applies. The record belongs to the caller's agency.
#[utoipa::path(tag = "cases", summary = "Open a case", request_body = CaseCreate,
    responses((status = 201, description = "The case, registered", body = CaseView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases")]
pub async fn case_open(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<CaseCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    // Names and documents have a scope of their own, whichever door they come in by.
    let caller = allowed.caller();
    if input.victims.iter().any(|v| v.identity.is_some()) && !caller.has("victims.identity:write") {
        return Err(Error::InsufficientScope("victims.identity:write").into());
    }
    if input.accused.iter().any(|a| a.identity.is_some()) && !caller.has("accused.identity:write") {
        return Err(Error::InsufficientScope("accused.identity:write").into());
    }
    let once = Once::new(caller.client, key, fingerprint);
    let written = actions::open_case(allowed.store(), allowed.act(), once, input).await?;
    let location = format!("/v1/cases/{}", written.view.id);
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// Cases that the caller may see, newest change first.
#[utoipa::path(tag = "cases", summary = "List cases",
    params(
        ("stage" = Option<String>, Query, description = "Stages, comma-separated: any of them", max_length = 400),
        ("agency" = Option<String>, Query, description = "Owner agency", max_length = 40),
        ("identifier" = Option<String>, Query, description = "A file number, `SCHEME:value`", max_length = 100),
        ("territory" = Option<String>, Query, description = "UBIGEO prefix of 2, 4 or 6 digits", max_length = 6),
        ("exploitation" = Option<String>, Query, description = "A form of exploitation", max_length = 40),
        ("reported_from" = Option<String>, Query, description = "Reported at or after (RFC 3339)", max_length = 40),
        ("reported_to" = Option<String>, Query, description = "Reported before (RFC 3339)", max_length = 40),
        ("updated_from" = Option<String>, Query, description = "Changed at or after (RFC 3339)", max_length = 40),
        ("sort" = Option<String>, Query, description = "`-updated_at` (default), `updated_at`, `-reported_at` or `reported_at`", max_length = 20),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of cases", body = CasePage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases")]
pub async fn case_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(
        &req,
        &[
            "stage",
            "agency",
            "identifier",
            "territory",
            "exploitation",
            "reported_from",
            "reported_to",
            "updated_from",
            "sort",
            "limit",
            "cursor",
        ],
    )?;
    let act = allowed.act();
    let law = &act.catalogue;
    let filter = Filter {
        stages: params.list("stage", |s| law.stage_known(s)),
        owner: params.read("agency", crate::kernel::AgencyCode::parse),
        territory: params.read("territory", |t| law.territory_known(t).then(|| t.to_owned())),
        exploitation: params.read("exploitation", |e| law.has_ever("exploitation", e).then(|| e.to_owned())),
        reported_from: params.timestamp("reported_from"),
        reported_to: params.timestamp("reported_to"),
        updated_from: params.timestamp("updated_from"),
        case: None,
        sort: params.read("sort", |s| s.parse().ok()).unwrap_or_default(),
    };
    let number = params.read("identifier", |text| {
        let (scheme, value) = text.split_once(':')?;
        let normal_form = law.scheme(scheme).filter(|s| s.subject == "case")?.normalise(value).ok()?;
        Some(actions::NumberFilter { scheme: scheme.to_owned(), normal_form })
    });
    let limit = params.limit();
    params.finish()?;
    let services = allowed.services();
    let after = services.cursors.after(&params, allowed.caller().client)?;
    let page = actions::list_cases(allowed.store(), &act, filter, number, after, limit).await?;
    let entry = Entry::listed(allowed.caller().client, "case_list", page.items.iter().map(|c| c.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, allowed.caller().client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &CasePage { items: page.items, next_cursor }))
}

/// One case, with what the caller was granted; what was withheld is named in `redacted`.
///
/// A file that was joined to another one or transferred says where it goes on: `continued_in`, and a `Link` with
/// `rel="successor-version"`.
#[utoipa::path(tag = "cases", summary = "Read a case", params(("case_id" = CaseId, Path, description = "The case")),
    responses((status = 200, description = "The case", body = CaseView)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}")]
pub async fn case_read(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let case = id(&req, "case_id")?;
    let read = actions::read_case(allowed.store(), &act, case).await?;
    let entry = Entry::new(Action::Read, case, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    let mut response = respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view);
    if let Some(next) = read.view.continued_in
        && let Ok(link) = HeaderValue::from_str(&format!("</v1/cases/{next}>; rel=\"successor-version\""))
    {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// Changes fields of a case (merge patch): null clears, absent leaves. The stage moves by transitions only.
#[utoipa::path(tag = "cases", summary = "Amend a case", params(("case_id" = CaseId, Path, description = "The case")),
    request_body(content = CasePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The case, changed", body = CaseView)),
    security(("oauth2" = ["cases:write"])))]
#[patch("/v1/cases/{case_id}")]
pub async fn case_amend(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<CasePatch>,
) -> Result<HttpResponse, Problem> {
    let case = id(&req, "case_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_case(allowed.store(), allowed.act(), case, version, patch).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a case to another stage by a procedural act of the jurisdiction's profile.
///
/// A refused transition answers 409 with the code of each guard that failed.
#[utoipa::path(tag = "cases", summary = "Move a case", params(("case_id" = CaseId, Path, description = "The case")),
    request_body = CaseTransitionCreate,
    responses((status = 200, description = "The case, moved", body = CaseView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases/{case_id}/transitions")]
pub async fn case_transition_create(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<CaseTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let case = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::move_case(allowed.store(), allowed.act(), once, case, version, input).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a case, oldest first.
#[utoipa::path(tag = "cases", summary = "List a case's transitions",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/transitions")]
pub async fn case_transition_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, case, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current stage: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "cases", summary = "List what may happen next",
    params(("case_id" = CaseId, Path, description = "The case")),
    responses((status = 200, description = "Transitions out of the current stage", body = AvailableTransitions)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/transitions/available")]
pub async fn case_transition_available(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), case, lang).await?;
    Ok(respond::plain(&req, &available))
}

/// Every change of a case, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "cases", summary = "Read a case's history",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/history")]
pub async fn case_history(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, case, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
