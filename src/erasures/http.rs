//! Handlers of the erasure operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::wire::{ErasureCreate, ErasurePage, ErasureTransitionCreate, ErasureView, SignedCertificate};
use super::{actions, certificate};
use crate::auth::Caller;
use crate::auth::policy::{ErasureMove, ErasurePropose, ErasureRead, Permission};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::ErasureId;
use crate::kernel::{Error, Result};
use crate::ledger::{Action, Entry};

/// Scope of whoever agrees or does not.
const APPROVE: &str = "shred:approve";

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(erasure_propose)
        .service(erasure_list)
        .service(erasure_read)
        .service(erasure_transition_create)
        .service(erasure_certificate_read);
}

/// Whoever proposes sees what becomes of it, whoever approves what waits: no client has both scopes.
fn may_look(caller: &Caller) -> Result<()> {
    if caller.has(APPROVE) || caller.has(ErasurePropose::SCOPE) { Ok(()) } else { Err(Error::InsufficientScope(APPROVE)) }
}

/// Proposes that what is known of a person be destroyed: identity, sealed texts, search tokens, key, backups included.
///
/// For the owner of a case of the person, and for oversight. It is done when a second person approves it: another system's
/// `shred:approve`, of another agency or of another named `end_user` of this one. What stands against it is listed in
/// `blocked_by`. The pseudonymous record remains. 409: `erasure_open` (there is one), `merged` (name the record that stands for
/// the person).
#[utoipa::path(tag = "keeping", summary = "Propose an erasure", request_body = ErasureCreate,
    responses((status = 201, description = "The proposal", body = ErasureView)),
    security(("oauth2" = ["shred:propose"])))]
#[post("/v1/erasures")]
pub async fn erasure_propose(
    req: HttpRequest,
    allowed: Allowed<ErasurePropose>,
    body: Body<ErasureCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::propose(allowed.store(), allowed.act(), once, new).await?;
    let location = format!("/v1/erasures/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The erasures of persons of the caller's cases (of everybody, for oversight), the first one first. `shred:propose` will do too.
#[utoipa::path(tag = "keeping", summary = "List erasures",
    params(("open" = Option<bool>, Query, description = "Whether somebody must decide still; both if absent"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of erasures", body = ErasurePage)),
    security(("oauth2" = ["shred:approve"])))]
#[get("/v1/erasures")]
pub async fn erasure_list(req: HttpRequest, allowed: Allowed<ErasureRead>) -> Result<HttpResponse, Problem> {
    may_look(allowed.caller())?;
    let mut params = Params::parse(&req, &["open", "limit", "cursor"])?;
    let open = params.read("open", |text| text.parse::<bool>().ok());
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list(allowed.store(), &act, open, after, limit).await?;
    let entry = Entry::listed(client, "erasure_list", page.items.iter().map(|e| e.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &ErasurePage { items: page.items, next_cursor }))
}

/// One erasure. `shred:propose` will do too.
#[utoipa::path(tag = "keeping", summary = "Read an erasure",
    params(("erasure_id" = ErasureId, Path, description = "The erasure")),
    responses((status = 200, description = "The erasure", body = ErasureView)),
    security(("oauth2" = ["shred:approve"])))]
#[get("/v1/erasures/{erasure_id}")]
pub async fn erasure_read(req: HttpRequest, allowed: Allowed<ErasureRead>) -> Result<HttpResponse, Problem> {
    may_look(allowed.caller())?;
    let erasure: ErasureId = id(&req, "erasure_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read(allowed.store(), &act, erasure).await?;
    let entry = Entry::new(Action::Read, erasure, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Approves or rejects an erasure as a second person, or withdraws it as the agency that proposed it.
///
/// `approve` and `reject` need the scope `shred:approve`, `withdraw` the scope `shred:propose`. Whoever proposed it decides
/// nothing: 409 `second_person_needed`. What stands against it is named: `open_case`, `best_interest_required` (a minor, or
/// of unknown age), `legal_hold`. What is approved is done before the answer; if the server stops in between, the same request
/// does the rest.
#[utoipa::path(tag = "keeping", summary = "Approve, reject or withdraw an erasure",
    params(("erasure_id" = ErasureId, Path, description = "The erasure")),
    request_body = ErasureTransitionCreate,
    responses((status = 200, description = "The erasure, decided", body = ErasureView)),
    security(("oauth2" = ["shred:approve"])))]
#[post("/v1/erasures/{erasure_id}/transitions")]
pub async fn erasure_transition_create(
    req: HttpRequest,
    allowed: Allowed<ErasureMove>,
    body: Body<ErasureTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let erasure: ErasureId = id(&req, "erasure_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let scope = new.trigger.scope();
    if !allowed.caller().has(scope) {
        return Err(Error::InsufficientScope(scope).into());
    }
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::make_move(allowed.store(), allowed.act(), once, erasure, version, new).await?;
    allowed.looked(Entry::new(Action::Read, erasure, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// What was destroyed, when, on what ground, who proposed and who approved it, and where the ledger says so; signed with the
/// ledger's key. No personal data. Before it was executed: 409 `not_executed`. `shred:propose` will do too.
#[utoipa::path(tag = "keeping", summary = "Read the certificate of an erasure",
    params(("erasure_id" = ErasureId, Path, description = "The erasure")),
    responses((status = 200, description = "The certificate and its signature", body = SignedCertificate)),
    security(("oauth2" = ["shred:approve"])))]
#[get("/v1/erasures/{erasure_id}/certificate")]
pub async fn erasure_certificate_read(req: HttpRequest, allowed: Allowed<ErasureRead>) -> Result<HttpResponse, Problem> {
    may_look(allowed.caller())?;
    let erasure: ErasureId = id(&req, "erasure_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let signed = certificate::certificate(allowed.store(), &act, &allowed.services().notary, erasure).await?;
    let entry = Entry::new(Action::Read, erasure, None).about("erasure_certificate");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &signed))
}
