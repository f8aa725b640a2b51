//! Handler of deconfliction.

use actix_web::{HttpRequest, HttpResponse, post};

use super::actions;
use super::wire::{DeconflictionAnswer, DeconflictionQuestion};
use crate::auth::policy::Deconflict;
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::limits::Daily;
use crate::http::problem::Problem;
use crate::http::respond;
use crate::persons::search_wire::{AccusedSearch, QUESTION_BYTES};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(deconfliction_ask);
}

/// Asks whether another agency knows a person.
#[utoipa::path(tag = "deconfliction", summary = "Ask whether another agency knows a person",
    description = "Answers whether somebody who is most likely this person is registered by another agency, as victim or as accused, and nothing else. The agencies that know the person find the question, and who asked, in the person's history; the question is recorded under the asking client. Limited by the day.",
    request_body = DeconflictionQuestion,
    responses((status = 200, description = "Whether there is a match", body = DeconflictionAnswer)),
    security(("oauth2" = ["deconfliction:ask"])))]
#[post("/v1/deconfliction")]
pub async fn deconfliction_ask(
    req: HttpRequest,
    allowed: Allowed<Deconflict>,
    body: Body<DeconflictionQuestion>,
) -> Result<HttpResponse, Problem> {
    allowed.daily(&req, Daily::Deconfliction).await?;
    let (question, _) = body.read_up_to(QUESTION_BYTES, &allowed).await?;
    let act = allowed.act();
    let (subject, _) = AccusedSearch::from(question).read(&act.catalogue)?;
    let found = actions::ask(allowed.store(), act, allowed.caller().client, subject).await?;
    Ok(respond::plain(&req, &DeconflictionAnswer { found }))
}
