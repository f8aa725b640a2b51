//! Handlers of the referral operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::actions::{self, Rights};
use super::states::State;
use super::store::{Filter, Side};
use super::wire::{ReferralCreate, ReferralPage, ReferralPatch, ReferralTransitionCreate, ReferralView};
use crate::auth::policy::{ReferralMove, ReferralRead, ReferralWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::ReferralId;
use crate::kernel::{Error, FaultCode};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(referral_list)
        .service(referral_draft)
        .service(referral_read)
        .service(referral_amend)
        .service(referral_transition_create)
        .service(referral_transition_list)
        .service(referral_transition_available)
        .service(referral_history);
}

/// Drafts a referral about a case of the caller's agency to another agency. It is sent by a transition.
///
/// Once the receiver accepts, it sees exactly the sections named here, of the victims named here. When the
/// referral is completed or revoked, it sees nothing, at once.
#[utoipa::path(tag = "referrals", summary = "Draft a referral", request_body = ReferralCreate,
    responses((status = 201, description = "The draft", body = ReferralView)),
    security(("oauth2" = ["referrals:write"])))]
#[post("/v1/referrals")]
pub async fn referral_draft(
    req: HttpRequest,
    allowed: Allowed<ReferralWrite>,
    body: Body<ReferralCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::draft_referral(allowed.store(), allowed.act(), once, input).await?;
    let location = format!("/v1/referrals/{}", written.view.id);
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The referrals that the caller's agency received (`box=in`) or wrote (`box=out`), last change first.
#[utoipa::path(tag = "referrals", summary = "List referrals",
    description = "The referrals that the caller's agency received (`box=in`) or wrote (`box=out`), last change first.",
    params(
        ("box" = String, Query, description = "`in`: received; `out`: written", max_length = 3),
        ("state" = Option<String>, Query, description = "States, comma-separated: any of them", max_length = 100),
        ("case_id" = Option<String>, Query, description = "About this case", min_length = 36, max_length = 36),
        ("updated_from" = Option<String>, Query, description = "Changed at or after (RFC 3339)", max_length = 40),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of referrals", body = ReferralPage)),
    security(("oauth2" = ["referrals:read"])))]
#[get("/v1/referrals")]
pub async fn referral_list(req: HttpRequest, allowed: Allowed<ReferralRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["box", "state", "case_id", "updated_from", "limit", "cursor"])?;
    let side = params.read("box", Side::parse);
    let states = params.list("state", |s| State::parse(s).is_some());
    let case = params.read("case_id", |c| c.parse().ok());
    let updated_from = params.timestamp("updated_from");
    let limit = params.limit();
    if params.text("box").is_none() {
        params.fault("box", FaultCode::Required);
    }
    params.finish()?;
    let side = side.ok_or(Error::InvalidRequest)?;
    let filter = Filter { side, states, case, updated_from };
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_referrals(allowed.store(), &act, filter, after, limit).await?;
    let entry = Entry::listed(client, "referral_list", page.items.iter().map(|r| r.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &ReferralPage { items: page.items, next_cursor }))
}

/// One referral: its sender sees it from the first draft on, its receiver from the moment it is sent.
#[utoipa::path(tag = "referrals", summary = "Read a referral",
    description = "One referral: its sender sees it from the first draft on, its receiver from the moment it is sent.",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    responses((status = 200, description = "The referral", body = ReferralView)),
    security(("oauth2" = ["referrals:read"])))]
#[get("/v1/referrals/{referral_id}")]
pub async fn referral_read(req: HttpRequest, allowed: Allowed<ReferralRead>) -> Result<HttpResponse, Problem> {
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let referral: ReferralId = id(&req, "referral_id")?;
    let read = actions::read_referral(allowed.store(), &act, referral).await?;
    let entry = Entry::new(Action::Read, referral, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Changes a draft (merge patch): null clears, absent leaves. What was sent stays as it was sent: 409.
#[utoipa::path(tag = "referrals", summary = "Amend a draft referral",
    description = "Changes a draft (merge patch): null clears, absent leaves. What was sent stays as it was sent: 409.",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    request_body(content = ReferralPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The draft, changed", body = ReferralView)),
    security(("oauth2" = ["referrals:write"])))]
#[patch("/v1/referrals/{referral_id}")]
pub async fn referral_amend(
    req: HttpRequest,
    allowed: Allowed<ReferralWrite>,
    body: Body<ReferralPatch>,
) -> Result<HttpResponse, Problem> {
    let referral: ReferralId = id(&req, "referral_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_referral(allowed.store(), allowed.act(), referral, version, patch).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a referral: its sender may `send` and `revoke`, its receiver `accept`, `reject` and `complete`.
///
/// `send` and `revoke` need the scope `referrals:write`, the others `referrals:decide`. Acceptance opens the
/// granted sections of the case to the receiver; completion and revocation close them at once. A trigger that does
/// not lead out of the current state answers 409.
#[utoipa::path(tag = "referrals", summary = "Move a referral",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    request_body = ReferralTransitionCreate,
    responses((status = 200, description = "The referral, moved", body = ReferralView)),
    security(("oauth2" = ["referrals:write"]), ("oauth2" = ["referrals:decide"])))]
#[post("/v1/referrals/{referral_id}/transitions")]
pub async fn referral_transition_create(
    req: HttpRequest,
    allowed: Allowed<ReferralMove>,
    body: Body<ReferralTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let referral: ReferralId = id(&req, "referral_id")?;
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let scope = input.trigger.scope();
    if !allowed.caller().has(scope) {
        return Err(Error::InsufficientScope(scope).into());
    }
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::move_referral(allowed.store(), allowed.act(), once, referral, version, input).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a referral, oldest first.
#[utoipa::path(tag = "referrals", summary = "List a referral's transitions",
    description = "The transitions of a referral, oldest first.",
    params(("referral_id" = ReferralId, Path, description = "The referral"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["referrals:read"])))]
#[get("/v1/referrals/{referral_id}/transitions")]
pub async fn referral_transition_list(req: HttpRequest, allowed: Allowed<ReferralRead>) -> Result<HttpResponse, Problem> {
    let referral: ReferralId = id(&req, "referral_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, referral, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current state: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "referrals", summary = "List what may happen next to a referral",
    description = "Every transition out of the current state: whether this caller may do it now, and if not, why not.",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    responses((status = 200, description = "Transitions out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["referrals:read"])))]
#[get("/v1/referrals/{referral_id}/transitions/available")]
pub async fn referral_transition_available(
    req: HttpRequest,
    allowed: Allowed<ReferralRead>,
) -> Result<HttpResponse, Problem> {
    let referral: ReferralId = id(&req, "referral_id")?;
    Params::parse(&req, &[])?;
    let caller = allowed.caller();
    let rights = Rights { write: caller.has("referrals:write"), decide: caller.has("referrals:decide") };
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), referral, rights, lang).await?;
    Ok(respond::plain(&req, &available))
}

/// Every change of a referral, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "referrals", summary = "Read a referral's history",
    description = "Every change of a referral, oldest first: who, when, which fields. No values.",
    params(("referral_id" = ReferralId, Path, description = "The referral"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["referrals:read"])))]
#[get("/v1/referrals/{referral_id}/history")]
pub async fn referral_history(req: HttpRequest, allowed: Allowed<ReferralRead>) -> Result<HttpResponse, Problem> {
    let referral: ReferralId = id(&req, "referral_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, referral, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
