//! Handlers of the making of releases: one proposes, another lets it go, both see before what everybody will see.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, get, post, web};

use super::open_data::Shelf;
use super::period::Period;
use super::proposal::Trigger;
use super::proposal_store;
use super::publish::{self, Decision, Publisher};
use super::wire_release::{
    ReleaseCreate, ReleasePreview, ReleaseProposalPage, ReleaseProposalView, ReleaseTransitionCreate,
};
use crate::auth::Caller;
use crate::auth::policy::{Permission, ReleaseMove, ReleaseRead, StatisticsPublish};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::ReleaseProposalId;
use crate::kernel::page::Page;
use crate::kernel::{Error, FaultCode, Result};

/// Mounts the operations.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(statistics_release_propose)
        .service(statistics_release_list)
        .service(statistics_release_read)
        .service(statistics_release_preview)
        .service(statistics_release_transition_create);
}

/// Releases are oversight's to make. Whoever proposes sees what becomes of it, whoever approves what waits: no client has both
/// scopes.
fn may_look(caller: &Caller) -> Result<()> {
    may_ask(caller)?;
    must_supervise(caller)
}

fn may_ask(caller: &Caller) -> Result<()> {
    let approve = Trigger::Approve.scope();
    if caller.has(approve) || caller.has(StatisticsPublish::SCOPE) { Ok(()) } else { Err(Error::InsufficientScope(approve)) }
}

fn must_supervise(caller: &Caller) -> Result<()> {
    if caller.oversight { Ok(()) } else { Err(Error::OwnerOnly) }
}

/// Proposes the release of a period that is over: its tables are protected together, and nothing is published yet.
///
/// For oversight only. `…/preview` shows what everybody would see; another system's `statistics:approve`, of another agency or
/// of another named `end_user` of this one, lets it go. Releases are made in the order of their periods and do not overlap: a
/// case is in one of them. 409: `already_proposed`, `already_released`, `not_after_last_release`.
#[utoipa::path(tag = "statistics", summary = "Propose a release", request_body = ReleaseCreate,
    responses((status = 201, description = "The proposal", body = ReleaseProposalView)),
    security(("oauth2" = ["statistics:publish"])))]
#[post("/v1/statistics/releases")]
pub async fn statistics_release_propose(
    req: HttpRequest,
    allowed: Allowed<StatisticsPublish>,
    body: Body<ReleaseCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    must_supervise(allowed.caller())?;
    let period = Period::parse(&new.period).ok_or_else(|| Error::field("/period", FaultCode::Format))?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let act = allowed.act();
    let by = Publisher { agency: Some(act.agency().clone()), actor: act.actor, now: act.now };
    let (store, law) = (allowed.store().clone(), act.catalogue);
    let (proposal, replayed) = busy(move || publish::propose(&store, &law, &by, Some(&once), &period)).await?;
    let location = format!("/v1/statistics/releases/{}", proposal.id);
    let view = ReleaseProposalView::of(&proposal);
    Ok(respond::created(&req, &location, view.version, "r", &view, replayed))
}

/// Runs what takes a while away from the threads that serve connections.
async fn busy<T: Send + 'static>(f: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(f).await.map_err(|_| Error::internal("panic while making a release"))?
}

/// The proposals of releases, oldest first, with what became of them; none for an agency that does not supervise. `statistics:publish` will do too.
#[utoipa::path(tag = "statistics", summary = "List proposed releases",
    description = "The proposals of releases, oldest first, with what became of them; none for an agency that does not supervise. `statistics:publish` will do too.",
    params(("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of proposals", body = ReleaseProposalPage)),
    security(("oauth2" = ["statistics:approve"])))]
#[get("/v1/statistics/releases")]
pub async fn statistics_release_list(req: HttpRequest, allowed: Allowed<ReleaseRead>) -> Result<HttpResponse, Problem> {
    may_ask(allowed.caller())?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (client, cursors) = (allowed.caller().client, &allowed.services().cursors);
    let after = cursors.after(&params, client)?;
    // Who does not supervise has none.
    let page = if allowed.caller().oversight {
        allowed.store().read(move |conn| proposal_store::list(conn, after.as_ref(), limit)).await?
    } else {
        Page { items: Vec::new(), next: None }
    };
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    let items = page.items.iter().map(ReleaseProposalView::of).collect();
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &ReleaseProposalPage { items, next_cursor }))
}

/// One proposal of a release. For oversight; `statistics:publish` will do too.
#[utoipa::path(tag = "statistics", summary = "Read a proposed release",
    description = "One proposal of a release. For oversight; `statistics:publish` will do too.",
    params(("release_proposal_id" = ReleaseProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The proposal", body = ReleaseProposalView)),
    security(("oauth2" = ["statistics:approve"])))]
#[get("/v1/statistics/releases/{release_proposal_id}")]
pub async fn statistics_release_read(req: HttpRequest, allowed: Allowed<ReleaseRead>) -> Result<HttpResponse, Problem> {
    may_look(allowed.caller())?;
    let proposal: ReleaseProposalId = id(&req, "release_proposal_id")?;
    Params::parse(&req, &[])?;
    let found = allowed.store().read(move |conn| proposal_store::find(conn, proposal)).await?;
    let view = ReleaseProposalView::of(&found);
    Ok(respond::ok(&req, view.version, "r", None, &view))
}

/// What everybody would see: the manifest and every table, made from the facts as of the proposal. Made anew each time; where
/// the facts as they were no longer give what was proposed, 409 `facts_changed`. For oversight; `statistics:publish` will do too.
#[utoipa::path(tag = "statistics", summary = "Preview a proposed release",
    description = "What everybody would see: the manifest and every table, made from the facts as of the proposal. Made anew each time; where the facts as they were no longer give what was proposed, 409 `facts_changed`. For oversight; `statistics:publish` will do too.",
    params(("release_proposal_id" = ReleaseProposalId, Path, description = "The proposal")),
    responses((status = 200, description = "The manifest and the tables", body = ReleasePreview)),
    security(("oauth2" = ["statistics:approve"])))]
#[get("/v1/statistics/releases/{release_proposal_id}/preview")]
pub async fn statistics_release_preview(req: HttpRequest, allowed: Allowed<ReleaseRead>) -> Result<HttpResponse, Problem> {
    may_look(allowed.caller())?;
    let proposal: ReleaseProposalId = id(&req, "release_proposal_id")?;
    Params::parse(&req, &[])?;
    let (store, law) = (allowed.store().clone(), Arc::clone(&allowed.services().catalogue));
    let draft = busy(move || publish::preview(&store, &law, proposal)).await?;
    Ok(respond::plain(&req, &ReleasePreview::of(&draft)?))
}

/// Lets a release go as a second person, rejects it, or withdraws it as an agency that proposes.
///
/// `approve` and `reject` need the scope `statistics:approve`, `withdraw` the scope `statistics:publish`. Whoever proposed it
/// decides nothing: 409 `second_person_needed`. What is approved is published at once, for everybody and for ever, and is to the
/// byte what `…/preview` showed but for the instant of publication: 409 `facts_changed` where it would not be.
#[utoipa::path(tag = "statistics", summary = "Approve, reject or withdraw a release",
    params(("release_proposal_id" = ReleaseProposalId, Path, description = "The proposal")),
    request_body = ReleaseTransitionCreate,
    responses((status = 200, description = "The proposal, decided", body = ReleaseProposalView)),
    security(("oauth2" = ["statistics:approve"])))]
#[post("/v1/statistics/releases/{release_proposal_id}/transitions")]
pub async fn statistics_release_transition_create(
    req: HttpRequest,
    allowed: Allowed<ReleaseMove>,
    body: Body<ReleaseTransitionCreate>,
    shelf: web::Data<Shelf>,
) -> Result<HttpResponse, Problem> {
    let proposal: ReleaseProposalId = id(&req, "release_proposal_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let scope = new.trigger.scope();
    if !allowed.caller().has(scope) {
        return Err(Error::InsufficientScope(scope).into());
    }
    must_supervise(allowed.caller())?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let (store, act) = (allowed.store().clone(), allowed.act());
    let decision = Decision { proposal, version, trigger: new.trigger.into(), refusal: new.refusal };
    let (decided, replayed) = busy(move || publish::decide(&store, &act, &once, decision)).await?;
    shelf.published();
    let view = ReleaseProposalView::of(&decided);
    Ok(respond::done(&req, view.version, "r", &view, replayed))
}
