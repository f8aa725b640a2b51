//! Handlers of the consent operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::actions;
use super::wire::{ConsentCreate, ConsentPage, ConsentTransitionCreate, ConsentView};
use crate::auth::policy::{VictimIdentityRead, VictimRead, VictimWrite, may_name, opens};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Result;
use crate::kernel::ids::{ConsentId, VictimId};
use crate::ledger::{Action, Entry};
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(victim_consent_list)
        .service(victim_consent_offer)
        .service(consent_read)
        .service(consent_transition_create)
        .service(consent_transition_list)
        .service(consent_transition_available);
}

/// Offers a consent to a victim whom the caller's agency sees. The answer is registered by a transition.
///
/// A minor, and whoever's age is unknown, answers through a guardian or a curator; an adult for herself or himself, or
/// through a curator. Where the guardian may be involved in what happened only a curator can answer.
#[utoipa::path(tag = "victims", summary = "Offer a consent to a victim",
    params(("victim_id" = VictimId, Path, description = "The victim")),
    request_body = ConsentCreate,
    responses((status = 201, description = "The consent, offered", body = ConsentView)),
    security(("oauth2" = ["victims:write"])))]
#[post("/v1/victims/{victim_id}/consents")]
pub async fn victim_consent_offer(
    req: HttpRequest,
    allowed: Allowed<VictimWrite>,
    body: Body<ConsentCreate>,
) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let caller = allowed.caller();
    may_name(caller, new.explained_by.is_some())?;
    let (once, proof) = (Once::new(caller.client, key, fingerprint), opens::<VictimIdentityRead>(caller));
    let written = actions::offer_consent(allowed.store(), allowed.act(), once, victim, new, proof).await?;
    let location = format!("/v1/consents/{}", written.view.id);
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_consent"))
        .await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The consents of a victim, oldest first, without their proofs.
#[utoipa::path(tag = "victims", summary = "List a victim's consents",
    params(("victim_id" = VictimId, Path, description = "The victim"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of consents", body = ConsentPage)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/victims/{victim_id}/consents")]
pub async fn victim_consent_list(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_consents(allowed.store(), &act, victim, after, limit).await?;
    let entry = Entry::new(Action::Read, victim, None).about("victim_consent");
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &ConsentPage { items: page.items, next_cursor }))
}

/// One consent. Its proof is for the agency that asked, with the scope `victims.identity:read`.
#[utoipa::path(tag = "victims", summary = "Read a consent",
    description = "One consent. Its proof is for the agency that asked, with the scope `victims.identity:read`.",
    params(("consent_id" = ConsentId, Path, description = "The consent")),
    responses((status = 200, description = "The consent", body = ConsentView)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/consents/{consent_id}")]
pub async fn consent_read(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let consent: ConsentId = id(&req, "consent_id")?;
    Params::parse(&req, &[])?;
    let (act, proof) = (allowed.act(), opens::<VictimIdentityRead>(allowed.caller()));
    let read = actions::read_consent(allowed.store(), &act, consent, proof).await?;
    if read.view.redacted.is_empty() {
        allowed.subject(&req, read.view.victim_id).await?;
    }
    let entry = Entry::new(Action::Read, read.view.victim_id, Some(read.view.version)).about("victim_consent");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Registers the answer to a consent (`give`, `refuse`), its withdrawal or its end.
///
/// The agency that asked and the owner of a case of the victim register it. A withdrawal executes: every open referral
/// that rests on the consent is revoked at once, with the reason `consent_withdrawn`, and its receiver sees nothing more of
/// the case; assistance that rests on it is withdrawn in the same way. `expire` before its time answers 409 `not_yet_expired`; `give` by somebody who may not answer for a person
/// of that age 409 `wrong_giver`.
#[utoipa::path(tag = "victims", summary = "Answer, withdraw or end a consent",
    params(("consent_id" = ConsentId, Path, description = "The consent")),
    request_body = ConsentTransitionCreate,
    responses((status = 200, description = "The consent, moved", body = ConsentView)),
    security(("oauth2" = ["victims:write"])))]
#[post("/v1/consents/{consent_id}/transitions")]
pub async fn consent_transition_create(
    req: HttpRequest,
    allowed: Allowed<VictimWrite>,
    body: Body<ConsentTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let consent: ConsentId = id(&req, "consent_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let caller = allowed.caller();
    may_name(caller, new.evidence.is_some())?;
    let version = etag::if_match(&req)?;
    let (once, proof) = (Once::new(caller.client, key, fingerprint), opens::<VictimIdentityRead>(caller));
    let written = actions::move_consent(allowed.store(), allowed.act(), once, consent, version, new, proof).await?;
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_consent"))
        .await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a consent, oldest first.
#[utoipa::path(tag = "victims", summary = "List a consent's transitions",
    params(("consent_id" = ConsentId, Path, description = "The consent"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/consents/{consent_id}/transitions")]
pub async fn consent_transition_list(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let consent: ConsentId = id(&req, "consent_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, consent, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current state: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "victims", summary = "List what may happen next to a consent",
    params(("consent_id" = ConsentId, Path, description = "The consent")),
    responses((status = 200, description = "Transitions out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/consents/{consent_id}/transitions/available")]
pub async fn consent_transition_available(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let consent: ConsentId = id(&req, "consent_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), consent, lang).await?;
    Ok(respond::plain(&req, &available))
}
