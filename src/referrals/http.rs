//! Handlers of the referral operations: extract, call one action, map.

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, get, patch, post, web};

use super::actions::{self, Rights};
use super::desk::Due;
use super::receipts::ReceiptPage;
use super::states::State;
use super::store::{Filter, Side};
use super::wire::{ReferralCreate, ReferralPage, ReferralPatch, ReferralTransitionCreate, ReferralView};
use crate::auth::door::TokenDoor;
use crate::auth::policy::{ReferralMove, ReferralRead, ReferralWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::ReferralId;
use crate::kernel::{Error, Fault, FaultCode};
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
        .service(referral_history)
        .service(referral_receipt_list)
        .service(receipt_key_list);
}

/// Drafts a referral about a case of the caller's agency to another agency. It is sent by a transition.
///
/// With `counter_of` it answers a referral that the caller's agency took on, to that one's sender or to a third agency,
/// and says what came of it.
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
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The referrals that the caller's agency received (`box=in`) or wrote (`box=out`), last change first. Oversight has one
/// box, `watch`: everything that was sent on another basis than consent.
///
/// With `due` only those that wait for somebody: `overdue`, or `soon` (within a day), the first to end at the top. In the
/// box of oversight that is what nobody answered in time, whatever its basis.
#[utoipa::path(tag = "referrals", summary = "List referrals",
    params(
        ("box" = String, Query, description = "`in`: received; `out`: written; `watch`: sent without consent, for oversight", max_length = 5),
        ("state" = Option<String>, Query, description = "States, comma-separated: any of them (code list `referral_state`)", max_length = 200),
        ("due" = Option<String>, Query, description = "`overdue`: the time is over; `soon`: within a day", max_length = 7),
        ("case_id" = Option<String>, Query, description = "About this case", min_length = 36, max_length = 36),
        ("updated_from" = Option<String>, Query, description = "Changed at or after (RFC 3339); not together with `due`", max_length = 40),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of referrals", body = ReferralPage)),
    security(("oauth2" = ["referrals:read"])))]
#[get("/v1/referrals")]
pub async fn referral_list(req: HttpRequest, allowed: Allowed<ReferralRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["box", "state", "due", "case_id", "updated_from", "limit", "cursor"])?;
    let side = params.read("box", Side::parse);
    let states = params.list("state", |s| State::parse(s).is_some());
    let case = params.read("case_id", |c| c.parse().ok());
    let due = params.read("due", Due::parse);
    let updated_from = params.timestamp("updated_from");
    if due.is_some() && updated_from.is_some() {
        params.fault("updated_from", FaultCode::CrossField);
    }
    let limit = params.limit();
    if params.text("box").is_none() {
        params.fault("box", FaultCode::Required);
    }
    params.finish()?;
    let side = side.ok_or(Error::InvalidRequest)?;
    if side == Side::Watch && !allowed.caller().oversight {
        return Err(Error::FieldForbidden(vec![Fault::parameter("box", FaultCode::Enum)]).into());
    }
    let filter = Filter { side, states, case, updated_from, due };
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
    allowed.looked(Entry::new(Action::Read, referral, Some(written.view.version))).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a referral: its sender may `send`, `revoke` and `close`, its receiver everything else.
///
/// The sender's moves need the scope `referrals:write`, the receiver's `referrals:decide`. Acceptance opens the granted
/// sections of the case to the receiver; completion, abandonment and revocation close them at once. `redirect` names the
/// agency that it should have gone to: a draft to that one, with the same content, lies with the sender, who decides
/// whether it is sent; nobody is asked twice in one chain. A trigger that does not lead out of the current state answers
/// 409.
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
    let signer = allowed.services().signer.clone();
    let written =
        actions::move_referral(allowed.store(), allowed.act(), once, referral, version, input, Some(signer)).await?;
    allowed.looked(Entry::new(Action::Read, referral, Some(written.view.version))).await?;
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

/// The registry's receipts of a referral: when it was sent, and when it was received. Both sides and oversight read them.
///
/// Each is a JWS (compact, ES256) with the `typ` `referral-receipt+jwt`. Its claims say who sent what to whom and when, and
/// `content` holds the SHA-256 of the referral's members that `content.members` names, with the values under which the
/// receiver reads them here, as one JSON object in canonical form (RFC 8785). None of them changes after the sending, so
/// that a copy can be checked without the registry. The keys are those of `/.well-known/receipt-keys.json`.
#[utoipa::path(tag = "referrals", summary = "List a referral's receipts",
    params(("referral_id" = ReferralId, Path, description = "The referral")),
    responses((status = 200, description = "The receipts", body = ReceiptPage)),
    security(("oauth2" = ["referrals:read"])))]
#[get("/v1/referrals/{referral_id}/receipts")]
pub async fn referral_receipt_list(req: HttpRequest, allowed: Allowed<ReferralRead>) -> Result<HttpResponse, Problem> {
    let referral: ReferralId = id(&req, "referral_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let receipts = actions::list_receipts(allowed.store(), &act, referral).await?;
    let entry = Entry::new(Action::Read, referral, None).about("referral_receipts");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    let items = receipts.into_iter().map(Into::into).collect();
    Ok(respond::audited_plain(&req, audit, &ReceiptPage { items, next_cursor: None }))
}

/// Every public key with which the registry ever signed a receipt, retired ones included. They check receipts and nothing
/// else: a token is checked with `/.well-known/jwks.json` alone.
#[utoipa::path(tag = "referrals", summary = "Keys that verify receipts",
    description = "Every public key with which the registry ever signed a receipt, retired ones included. They check receipts and nothing else: a token is checked with `/.well-known/jwks.json` alone.",
    responses((status = 200, description = "A JWK set", body = serde_json::Value,
        example = json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "C-7qAQ86fg4R7yRFS_98gHuAaKwFkNv9WU5H4UYmztw",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}]}))), security(()))]
#[get("/.well-known/receipt-keys.json")]
pub async fn receipt_key_list(door: web::Data<TokenDoor>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .json(door.authenticator.keys.receipt_jwks())
}
