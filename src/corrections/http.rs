//! Handlers of the correction operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::actions;
use super::store::Side;
use super::wire::{CorrectionCreate, CorrectionPage, CorrectionTransitionCreate, CorrectionView, Trigger};
use crate::auth::policy::{CorrectionRead, CorrectionWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::CorrectionId;
use crate::kernel::{Error, Fault, FaultCode};
use crate::ledger::{Action, Entry};
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(correction_list)
        .service(correction_propose)
        .service(correction_read)
        .service(correction_transition_create)
        .service(correction_transition_list)
        .service(correction_transition_available);
}

/// Proposes a correction of a record that the caller's agency sees and does not own: a case, a victim, an accused or a
/// charge. The owner of the case decides.
///
/// It takes the scope that reads such a record (`cases:read`, `victims:read` …) beside `corrections:write`. The changes are
/// those that the owner could make, checked by the same rules at once; fields of sections that the caller does not see are
/// refused (403 `field_forbidden`), and a patch that would change nothing is a fault. One's own records are amended: 409
/// `own_record`.
#[utoipa::path(tag = "corrections", summary = "Propose a correction", request_body = CorrectionCreate,
    responses((status = 201, description = "The proposal", body = CorrectionView)),
    security(("oauth2" = ["corrections:write"])))]
#[post("/v1/corrections")]
pub async fn correction_propose(
    req: HttpRequest,
    allowed: Allowed<CorrectionWrite>,
    body: Body<CorrectionCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let (record, _) = actions::named(&input)?;
    if !allowed.caller().has(record.read_scope()) {
        return Err(Error::InsufficientScope(record.read_scope()).into());
    }
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::propose(allowed.store(), allowed.act(), once, input).await?;
    let location = format!("/v1/corrections/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The proposals that others made to the caller's agency (`box=in`) or that it made (`box=out`), oldest first; for oversight
/// those of all agencies (`box=watch`).
#[utoipa::path(tag = "corrections", summary = "List corrections",
    description = "The proposals that others made to the caller's agency (`box=in`) or that it made (`box=out`), oldest first. Oversight reads those of all agencies with `box=watch`, `open=true` for those that nobody has answered; others get 403 there.",
    params(
        ("box" = String, Query, description = "`in`: to decide; `out`: proposed; `watch`: all, for oversight", max_length = 5),
        ("open" = Option<bool>, Query, description = "Only those that wait (`true`) or that are decided (`false`)"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of proposals", body = CorrectionPage)),
    security(("oauth2" = ["corrections:read"])))]
#[get("/v1/corrections")]
pub async fn correction_list(req: HttpRequest, allowed: Allowed<CorrectionRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["box", "open", "limit", "cursor"])?;
    let side = params.read("box", Side::parse);
    let open = params.read("open", |o| o.parse().ok());
    let limit = params.limit();
    if params.text("box").is_none() {
        params.fault("box", FaultCode::Required);
    }
    params.finish()?;
    let side = side.ok_or(Error::InvalidRequest)?;
    if side == Side::Watch && !allowed.caller().oversight {
        return Err(Error::FieldForbidden(vec![Fault::parameter("box", FaultCode::Enum)]).into());
    }
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list(allowed.store(), &act, side, open, after, limit).await?;
    let entry = Entry::listed(client, "correction_list", page.items.iter().map(|c| c.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &CorrectionPage { items: page.items, next_cursor }))
}

/// One proposal: whoever made it, whoever decides it, and oversight see it.
#[utoipa::path(tag = "corrections", summary = "Read a correction",
    description = "One proposal: whoever made it, whoever decides it, and oversight see it.",
    params(("correction_id" = CorrectionId, Path, description = "The proposal")),
    responses((status = 200, description = "The proposal", body = CorrectionView)),
    security(("oauth2" = ["corrections:read"])))]
#[get("/v1/corrections/{correction_id}")]
pub async fn correction_read(req: HttpRequest, allowed: Allowed<CorrectionRead>) -> Result<HttpResponse, Problem> {
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let correction: CorrectionId = id(&req, "correction_id")?;
    let read = actions::read(allowed.store(), &act, correction).await?;
    let entry = Entry::new(Action::Read, correction, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Answers a proposal, or takes it back: the owner of the case may `accept` and `reject`, the proposer `withdraw`.
///
/// An accepted correction is an amendment of the record by its owner, in the same transaction: it takes the scope that
/// changes such a record (`cases:write`, `victims:write` …), and the version that the owner looked at. Where the record has
/// changed since, or its rules speak against the change now, the answer is 409 (`record_changed`, `record_refuses`) and
/// nothing is done.
#[utoipa::path(tag = "corrections", summary = "Answer a correction",
    params(("correction_id" = CorrectionId, Path, description = "The proposal")),
    request_body = CorrectionTransitionCreate,
    responses((status = 200, description = "The proposal, moved", body = CorrectionView)),
    security(("oauth2" = ["corrections:write"])))]
#[post("/v1/corrections/{correction_id}/transitions")]
pub async fn correction_transition_create(
    req: HttpRequest,
    allowed: Allowed<CorrectionWrite>,
    body: Body<CorrectionTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let correction: CorrectionId = id(&req, "correction_id")?;
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let act = allowed.act();
    if input.trigger == Trigger::Accept {
        let scope = actions::record_of(allowed.store(), &act, correction).await?.write_scope();
        if !allowed.caller().has(scope) {
            return Err(Error::InsufficientScope(scope).into());
        }
    }
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::move_correction(allowed.store(), act, once, correction, version, input).await?;
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a proposal, oldest first.
#[utoipa::path(tag = "corrections", summary = "List a correction's transitions",
    description = "The transitions of a proposal, oldest first.",
    params(("correction_id" = CorrectionId, Path, description = "The proposal"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["corrections:read"])))]
#[get("/v1/corrections/{correction_id}/transitions")]
pub async fn correction_transition_list(
    req: HttpRequest,
    allowed: Allowed<CorrectionRead>,
) -> Result<HttpResponse, Problem> {
    let correction: CorrectionId = id(&req, "correction_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, correction, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current state: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "corrections", summary = "List what may happen next to a correction",
    description = "Every transition out of the current state: whether this caller may do it now, and if not, why not.",
    params(("correction_id" = CorrectionId, Path, description = "The proposal")),
    responses((status = 200, description = "Transitions out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["corrections:read"])))]
#[get("/v1/corrections/{correction_id}/transitions/available")]
pub async fn correction_transition_available(
    req: HttpRequest,
    allowed: Allowed<CorrectionRead>,
) -> Result<HttpResponse, Problem> {
    let correction: CorrectionId = id(&req, "correction_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), correction, lang).await?;
    Ok(respond::plain(&req, &available))
}
