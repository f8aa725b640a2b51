//! Handlers of the retention operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::actions;
use super::wire::{RetentionReviewPage, RetentionReviewTransitionCreate, RetentionReviewView, Trigger};
use crate::auth::policy::{ErasurePropose, Permission, RetentionDecide, RetentionRead};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Error;
use crate::kernel::ids::RetentionReviewId;
use crate::ledger::{Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(retention_review_list).service(retention_review_read).service(retention_review_transition_create);
}

/// What fell due of the caller's cases and their persons (of all of them, for oversight), the first one first.
///
/// `sistra retention run` lays it there, day by day, by the schedule of `/v1/catalogues/retention`. What the schedule did by
/// itself (restricted a case, proposed an erasure) lies there as decided.
#[utoipa::path(tag = "keeping", summary = "List retention reviews",
    params(("open" = Option<bool>, Query, description = "Whether somebody must decide still; both if absent"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of reviews", body = RetentionReviewPage)),
    security(("oauth2" = ["retention:read"])))]
#[get("/v1/retention-reviews")]
pub async fn retention_review_list(req: HttpRequest, allowed: Allowed<RetentionRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["open", "limit", "cursor"])?;
    let open = params.read("open", |text| text.parse::<bool>().ok());
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list(allowed.store(), &act, open, after, limit).await?;
    let entry = Entry::listed(client, "retention_review_list", page.items.iter().map(|r| r.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    let body = RetentionReviewPage { items: page.items, next_cursor: next_cursor.clone() };
    Ok(respond::page(&req, &params, Some(audit), next_cursor, &body))
}

/// One review, for the owner of the case (of a case of the person) and for oversight.
#[utoipa::path(tag = "keeping", summary = "Read a retention review",
    params(("retention_review_id" = RetentionReviewId, Path, description = "The review")),
    responses((status = 200, description = "The review", body = RetentionReviewView)),
    security(("oauth2" = ["retention:read"])))]
#[get("/v1/retention-reviews/{retention_review_id}")]
pub async fn retention_review_read(req: HttpRequest, allowed: Allowed<RetentionRead>) -> Result<HttpResponse, Problem> {
    let review: RetentionReviewId = id(&req, "retention_review_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read(allowed.store(), &act, review).await?;
    let entry = Entry::new(Action::Read, review, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Decides what becomes of something that fell due, with a reason.
///
/// `keep` keeps it until a day, on which the rule falls due again. `restrict` (a case) ends every participation and open
/// referral; from then on nobody is let in, and nothing of it is referred, transferred or exported (409 `case_restricted`)
/// until `lift`. `erase` (a person) proposes the erasure, for which it takes the scope `shred:propose` too; a second person
/// decides on it under `/v1/erasures`, and if it is not agreed to, the review is open again. `of_age` ends the presumption
/// that a victim is a minor. 409: `no_such_transition`, `legal_hold`, `open_case`, `merged`.
#[utoipa::path(tag = "keeping", summary = "Decide on a retention review",
    params(("retention_review_id" = RetentionReviewId, Path, description = "The review")),
    request_body = RetentionReviewTransitionCreate,
    responses((status = 200, description = "The review, decided", body = RetentionReviewView)),
    security(("oauth2" = ["retention:decide"])))]
#[post("/v1/retention-reviews/{retention_review_id}/transitions")]
pub async fn retention_review_transition_create(
    req: HttpRequest,
    allowed: Allowed<RetentionDecide>,
    body: Body<RetentionReviewTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let review: RetentionReviewId = id(&req, "retention_review_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    if new.trigger == Trigger::Erase && !allowed.caller().has(ErasurePropose::SCOPE) {
        return Err(Error::InsufficientScope(ErasurePropose::SCOPE).into());
    }
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::make_move(allowed.store(), allowed.act(), once, review, version, new).await?;
    allowed.looked(Entry::new(Action::Read, review, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}
