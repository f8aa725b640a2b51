//! Handlers of the charge operations.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::actions;
use super::store::Filter;
use super::verdicts::VerdictPage;
use super::wire::{ChargeCreate, ChargePage, ChargePatch, ChargeTransitionCreate, ChargeView};
use crate::auth::policy::{ChargeRead, ChargeWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::{CaseId, ChargeId};
use crate::kernel::{Error, FaultCode};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(charge_list)
        .service(charge_create)
        .service(charge_read)
        .service(charge_amend)
        .service(charge_history)
        .service(charge_transition_create)
        .service(charge_transition_list)
        .service(charge_transition_available)
        .service(charge_verdict_list);
}

/// Charges an accused of a case of the caller's agency. The day of the facts decides the offence's version.
#[utoipa::path(tag = "charges", summary = "Make a charge",
    description = "Charges an accused of a case of the caller's agency. The day of the facts decides the offence's version.", request_body = ChargeCreate,
    responses((status = 201, description = "The charge", body = ChargeView)),
    security(("oauth2" = ["charges:write"])))]
#[post("/v1/charges")]
pub async fn charge_create(
    req: HttpRequest,
    allowed: Allowed<ChargeWrite>,
    body: Body<ChargeCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::make_charge(allowed.store(), allowed.act(), once, new).await?;
    let location = format!("/v1/charges/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The charges of a case.
#[utoipa::path(tag = "charges", summary = "List a case's charges",
    description = "The charges of a case.",
    params(("case_id" = CaseId, Query, description = "The case"),
        ("accused_id" = Option<crate::kernel::ids::AccusedId>, Query, description = "Against this accused"),
        ("offence_code" = Option<String>, Query, description = "For this offence", max_length = 40),
        ("state" = Option<String>, Query, description = "In this state", max_length = 40),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of charges", body = ChargePage)),
    security(("oauth2" = ["charges:read"])))]
#[get("/v1/charges")]
pub async fn charge_list(req: HttpRequest, allowed: Allowed<ChargeRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["case_id", "accused_id", "offence_code", "state", "limit", "cursor"])?;
    if params.text("case_id").is_none() {
        params.fault("case_id", FaultCode::Required);
    }
    let case: Option<CaseId> = params.read("case_id", |text| text.parse().ok());
    let (act, client) = (allowed.act(), allowed.caller().client);
    let law = &act.catalogue;
    let filter = Filter {
        accused: params.read("accused_id", |text| text.parse().ok()),
        offence_code: params.read("offence_code", |code| law.offence(code).map(|o| o.code.clone())),
        state: params.read("state", |code| law.has_ever("charge_state", code).then(|| code.to_owned())),
    };
    let limit = params.limit();
    params.finish()?;
    let case = case.ok_or(Error::NotFound)?;
    let services = allowed.services();
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_charges(allowed.store(), &act, case, filter, after, limit).await?;
    let entry = Entry::listed(client, "charge_list", page.items.iter().map(|c| c.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &ChargePage { items: page.items, next_cursor }))
}

/// One charge.
#[utoipa::path(tag = "charges", summary = "Read a charge",
    description = "One charge.", params(("charge_id" = ChargeId, Path, description = "The charge")),
    responses((status = 200, description = "The charge", body = ChargeView)),
    security(("oauth2" = ["charges:read"])))]
#[get("/v1/charges/{charge_id}")]
pub async fn charge_read(req: HttpRequest, allowed: Allowed<ChargeRead>) -> Result<HttpResponse, Problem> {
    let charge: ChargeId = id(&req, "charge_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_charge(allowed.store(), &act, charge).await?;
    let entry = Entry::new(Action::Read, charge, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Changes a charge (merge patch).
///
/// Another offence is a recharacterisation: the former one is kept with its incisos. Incisos are checked against the
/// offence that results, as it stood on the day of the facts.
#[utoipa::path(tag = "charges", summary = "Amend a charge", params(("charge_id" = ChargeId, Path, description = "The charge")),
    request_body(content = ChargePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The charge, changed", body = ChargeView)),
    security(("oauth2" = ["charges:write"])))]
#[patch("/v1/charges/{charge_id}")]
pub async fn charge_amend(
    req: HttpRequest,
    allowed: Allowed<ChargeWrite>,
    body: Body<ChargePatch>,
) -> Result<HttpResponse, Problem> {
    let charge: ChargeId = id(&req, "charge_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_charge(allowed.store(), allowed.act(), charge, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, charge, Some(written.view.version))).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Every change of a charge, oldest first. No values.
#[utoipa::path(tag = "charges", summary = "Read a charge's history",
    description = "Every change of a charge, oldest first. No values.",
    params(("charge_id" = ChargeId, Path, description = "The charge"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["charges:read"])))]
#[get("/v1/charges/{charge_id}/history")]
pub async fn charge_history(req: HttpRequest, allowed: Allowed<ChargeRead>) -> Result<HttpResponse, Problem> {
    let charge: ChargeId = id(&req, "charge_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, charge, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}

/// Moves one charge on its own, where the profile lets it: archived for lack of evidence, withdrawn, suspended for
/// absence, extinguished. Indictment, judgment and what follows are moves of the case, which carry its charges.
#[utoipa::path(tag = "charges", summary = "Move a charge", params(("charge_id" = ChargeId, Path, description = "The charge")),
    request_body = ChargeTransitionCreate,
    responses((status = 200, description = "The charge, moved", body = ChargeView)),
    security(("oauth2" = ["charges:write"])))]
#[post("/v1/charges/{charge_id}/transitions")]
pub async fn charge_transition_create(
    req: HttpRequest,
    allowed: Allowed<ChargeWrite>,
    body: Body<ChargeTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let charge: ChargeId = id(&req, "charge_id")?;
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::move_charge(allowed.store(), allowed.act(), once, charge, version, input).await?;
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The moves of a charge, oldest first, its own and those that its case carried.
#[utoipa::path(tag = "charges", summary = "List a charge's transitions",
    params(("charge_id" = ChargeId, Path, description = "The charge"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["charges:read"])))]
#[get("/v1/charges/{charge_id}/transitions")]
pub async fn charge_transition_list(req: HttpRequest, allowed: Allowed<ChargeRead>) -> Result<HttpResponse, Problem> {
    let charge: ChargeId = id(&req, "charge_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, charge, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every move out of the charge's state: whether this caller may make it now on its own, and if not, why not.
#[utoipa::path(tag = "charges", summary = "List what may happen to a charge next",
    params(("charge_id" = ChargeId, Path, description = "The charge")),
    responses((status = 200, description = "Moves out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["charges:read"])))]
#[get("/v1/charges/{charge_id}/transitions/available")]
pub async fn charge_transition_available(req: HttpRequest, allowed: Allowed<ChargeRead>) -> Result<HttpResponse, Problem> {
    let charge: ChargeId = id(&req, "charge_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), charge, lang).await?;
    Ok(respond::plain(&req, &available))
}

/// What courts decided on a charge, first instance first: outcome, term, fine, disqualification, reparation per head.
#[utoipa::path(tag = "charges", summary = "List a charge's verdicts",
    params(("charge_id" = ChargeId, Path, description = "The charge")),
    responses((status = 200, description = "The verdicts", body = VerdictPage)),
    security(("oauth2" = ["charges:read"])))]
#[get("/v1/charges/{charge_id}/verdicts")]
pub async fn charge_verdict_list(req: HttpRequest, allowed: Allowed<ChargeRead>) -> Result<HttpResponse, Problem> {
    let charge: ChargeId = id(&req, "charge_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let items = actions::verdicts(allowed.store(), &act, charge).await?;
    let entry = Entry::new(Action::Read, charge, None).about("charge_verdicts");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &VerdictPage { items, next_cursor: None }))
}
