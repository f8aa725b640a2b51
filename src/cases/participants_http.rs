//! Handlers of a case's participants: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::participants as actions;
use super::wire::{ParticipantCreate, ParticipantPage, ParticipantTransitionCreate, ParticipantTrigger, ParticipantView};
use crate::auth::policy::{CaseRead, CaseWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::{CaseId, ParticipantId};
use crate::ledger::{Action, Entry};

/// Mounts the operations.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_participant_list)
        .service(case_participant_add)
        .service(case_participant_read)
        .service(case_participant_transition_create);
}

/// The agencies that share a case, by decision of its owner or by an accepted referral. Ended ones are in it.
#[utoipa::path(tag = "cases", summary = "List a case's participants",
    description = "The agencies that share a case, by decision of its owner or by an accepted referral. Ended ones are in it.",
    params(("case_id" = CaseId, Path, description = "The case")),
    responses((status = 200, description = "The participants", body = ParticipantPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/participants")]
pub async fn case_participant_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let params = Params::parse(&req, &[])?;
    let case: CaseId = id(&req, "case_id")?;
    let act = allowed.act();
    let items = actions::list_participants(allowed.store(), &act, case).await?;
    let entry = Entry::new(Action::Read, case, None).about("case_participant");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::page(&req, &params, Some(audit), None, &ParticipantPage { items, next_cursor: None }))
}

/// Lets another agency into a case by decision of its owner.
///
/// It sees the sections named here, at once, together with whatever referrals grant it. An identity section needs
/// its base section beside it.
#[utoipa::path(tag = "cases", summary = "Let an agency into a case",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = ParticipantCreate,
    responses((status = 201, description = "The participation, running", body = ParticipantView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases/{case_id}/participants")]
pub async fn case_participant_add(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<ParticipantCreate>,
) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::add_participant(allowed.store(), allowed.act(), once, case, input).await?;
    let location = format!("/v1/cases/{case}/participants/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, case, None).about("case_participant")).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// One agency's share in a case.
#[utoipa::path(tag = "cases", summary = "Read a participation",
    description = "One agency's share in a case.",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("participant_id" = ParticipantId, Path, description = "The participation")),
    responses((status = 200, description = "The participation", body = ParticipantView)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/participants/{participant_id}")]
pub async fn case_participant_read(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    Params::parse(&req, &[])?;
    let (case, participant): (CaseId, ParticipantId) = (id(&req, "case_id")?, id(&req, "participant_id")?);
    let act = allowed.act();
    let read = actions::read_participant(allowed.store(), &act, case, participant).await?;
    let entry = Entry::new(Action::Read, case, None).about("case_participant");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Ends a participation that the case's owner decided: the access is gone at once.
///
/// What a referral granted ends with the referral: there this answers 409 `granted_by_referral`.
#[utoipa::path(tag = "cases", summary = "End a participation",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("participant_id" = ParticipantId, Path, description = "The participation")),
    request_body = ParticipantTransitionCreate,
    responses((status = 200, description = "The participation, ended", body = ParticipantView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases/{case_id}/participants/{participant_id}/transitions")]
pub async fn case_participant_transition_create(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<ParticipantTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let (case, participant): (CaseId, ParticipantId) = (id(&req, "case_id")?, id(&req, "participant_id")?);
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let ParticipantTransitionCreate { trigger: ParticipantTrigger::End, reason } = input;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::end_participant(allowed.store(), allowed.act(), once, case, participant, version, reason).await?;
    allowed.looked(Entry::new(Action::Read, case, None).about("case_participant")).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}
