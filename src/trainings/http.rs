//! Handlers of the training operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::wire::{TrainingCreate, TrainingPage, TrainingPatch, TrainingView};
use super::{actions, model};
use crate::auth::policy::{ProgrammeRead, ProgrammeWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::TrainingId;
use crate::kernel::{AgencyCode, Result};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::programmes;
use crate::programmes::params::years;
use crate::programmes::store::Filter;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(training_list)
        .service(training_register)
        .service(training_read)
        .service(training_amend)
        .service(training_history);
}

/// Trainings of every agency, oldest first, and the totals of the whole list, computed.
///
/// `?year=2012&funder=CA&profession=judge,prosecutor,police` asks how many judges, prosecutors and police officers
/// were trained in 2012 with money of Canada: `totals.participants` is the answer, of the professions asked for only.
/// A training is counted in the year in which it began; bounds are included.
#[utoipa::path(tag = "trainings", summary = "List trainings and count the participants",
    params(("year" = Option<i32>, Query, description = "In this year", minimum = 1900, maximum = 2200),
        ("year_from" = Option<i32>, Query, description = "In this year or later", minimum = 1900, maximum = 2200),
        ("year_to" = Option<i32>, Query, description = "In this year or before", minimum = 1900, maximum = 2200),
        ("funder" = Option<String>, Query, description = "Paid by: an agency, or a country (two letters)", max_length = 40),
        ("profession" = Option<String>, Query, description = "With these professions, comma-separated: any of them (code list `profession`)", max_length = 400),
        ("agency" = Option<AgencyCode>, Query, description = "Registered by this agency", max_length = 40),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page", body = TrainingPage)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/trainings")]
pub async fn training_list(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let mut params =
        Params::parse(&req, &["year", "year_from", "year_to", "funder", "profession", "agency", "limit", "cursor"])?;
    let act = allowed.act();
    let professions = params.list("profession", |p| act.catalogue.has_ever("profession", p));
    let funder = params.read("funder", AgencyCode::parse);
    let mut filter =
        Filter { years: years(&mut params), owner: params.read("agency", AgencyCode::parse), ..Filter::default() };
    filter.any("funder", &funder.iter().map(ToString::to_string).collect::<Vec<_>>());
    filter.any("profession", &professions);
    let limit = params.limit();
    params.finish()?;
    let (client, cursors) = (allowed.caller().client, &allowed.services().cursors);
    let after = cursors.after(&params, client)?;
    let count = (model::Counted::default(), move |sum: &mut model::Counted, one| sum.add(&one, &professions));
    let (page, totals) =
        programmes::actions::list(allowed.store(), &act, filter, (after, limit), model::view, count).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    let body = TrainingPage { items: page.items, next_cursor: next_cursor.clone(), totals: totals.totals() };
    Ok(respond::page(&req, &params, None, next_cursor, &body))
}

/// Registers a training of the caller's agency: what it was about, when and where, by whom paid, and how many of
/// which profession, sex and district took part.
///
/// Participants are counts, never names. Each profession, sex and district stands once; a test was taken by no more
/// than took part.
#[utoipa::path(tag = "trainings", summary = "Register a training",
    request_body = TrainingCreate,
    responses((status = 201, description = "The training", body = TrainingView)),
    security(("oauth2" = ["programmes:write"])))]
#[post("/v1/trainings")]
pub async fn training_register(
    req: HttpRequest,
    allowed: Allowed<ProgrammeWrite>,
    body: Body<TrainingCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let act = allowed.act();
    let prepared = model::register(new, &act);
    let written = programmes::actions::create(allowed.store(), act, once, prepared, actions::outside, model::view).await?;
    let location = format!("/v1/trainings/{}", written.view.id);
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// One training. Every agency may read it.
#[utoipa::path(tag = "trainings", summary = "Read a training",
    description = "One training. Every agency may read it.",
    params(("training_id" = TrainingId, Path, description = "The training")),
    responses((status = 200, description = "The training", body = TrainingView)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/trainings/{training_id}")]
pub async fn training_read(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let training: TrainingId = id(&req, "training_id")?;
    Params::parse(&req, &[])?;
    let read = programmes::actions::read(allowed.store(), &allowed.act(), training, model::view).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, None, &read.view))
}

/// Corrects a training (merge patch): null clears, absent leaves; lists are replaced as a whole. Its owner does.
#[utoipa::path(tag = "trainings", summary = "Amend a training",
    description = "Corrects a training (merge patch): null clears, absent leaves; lists are replaced as a whole. Its owner does.",
    params(("training_id" = TrainingId, Path, description = "The training")),
    request_body(content = TrainingPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The training, changed", body = TrainingView)),
    security(("oauth2" = ["programmes:write"])))]
#[patch("/v1/trainings/{training_id}")]
pub async fn training_amend(
    req: HttpRequest,
    allowed: Allowed<ProgrammeWrite>,
    body: Body<TrainingPatch>,
) -> Result<HttpResponse, Problem> {
    let training: TrainingId = id(&req, "training_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let change = move |record: &mut _, act: &_| model::amend(record, patch.clone(), act);
    let written =
        programmes::actions::amend(allowed.store(), allowed.act(), training, version, change, actions::outside, model::view)
            .await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Every change of a training, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "trainings", summary = "Read the history of a training",
    description = "Every change of a training, oldest first: who, when, which fields. No values.",
    params(("training_id" = TrainingId, Path, description = "The training"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/trainings/{training_id}/history")]
pub async fn training_history(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let training: TrainingId = id(&req, "training_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let client = allowed.caller().client;
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = programmes::actions::history::<model::TrainingContent>(allowed.store(), training, after, limit)
        .await?
        .map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
