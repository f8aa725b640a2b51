//! Handlers of the funding operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::wire::{FundingCreate, FundingPage, FundingPatch, FundingView};
use super::{actions, model};
use crate::auth::policy::{ProgrammeRead, ProgrammeWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::FundingId;
use crate::kernel::{AgencyCode, Result};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::programmes;
use crate::programmes::money::currency_known;
use crate::programmes::params::years;
use crate::programmes::store::Filter;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(funding_list)
        .service(funding_register)
        .service(funding_read)
        .service(funding_amend)
        .service(funding_history);
}

/// Fundings of every agency, oldest first, and the sums of the whole list by donor, year and currency: whole minor
/// units, never across currencies, never rounded. Year bounds are included.
#[utoipa::path(tag = "fundings", summary = "List fundings and add them up",
    description = "Fundings of every agency, oldest first, and the sums of the whole list by donor, year and currency: whole minor units, never across currencies, never rounded. Year bounds are included.",
    params(("year" = Option<i32>, Query, description = "In this year", minimum = 1900, maximum = 2200),
        ("year_from" = Option<i32>, Query, description = "In this year or later", minimum = 1900, maximum = 2200),
        ("year_to" = Option<i32>, Query, description = "In this year or before", minimum = 1900, maximum = 2200),
        ("donor" = Option<String>, Query, description = "Given by: an agency, or a country (two letters)", max_length = 40),
        ("currency" = Option<String>, Query, description = "In this currency (ISO 4217)", max_length = 3),
        ("pays" = Option<String>, Query, description = "That paid for these, comma-separated: any of them (code list `funding_use`)", max_length = 100),
        ("agency" = Option<AgencyCode>, Query, description = "Registered by this agency", max_length = 40),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page", body = FundingPage)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/fundings")]
pub async fn funding_list(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let mut params =
        Params::parse(&req, &["year", "year_from", "year_to", "donor", "currency", "pays", "agency", "limit", "cursor"])?;
    let act = allowed.act();
    let donor = params.read("donor", AgencyCode::parse);
    let currency = params.read("currency", |c| currency_known(c).then(|| c.to_owned()));
    let pays = params.list("pays", |p| act.catalogue.has_ever("funding_use", p));
    let mut filter =
        Filter { years: years(&mut params), owner: params.read("agency", AgencyCode::parse), ..Filter::default() };
    filter.any("donor", &donor.iter().map(ToString::to_string).collect::<Vec<_>>());
    filter.any("currency", &currency.into_iter().collect::<Vec<_>>());
    filter.any("pays", &pays);
    let limit = params.limit();
    params.finish()?;
    let (client, cursors) = (allowed.caller().client, &allowed.services().cursors);
    let after = cursors.after(&params, client)?;
    let count = (model::Given::default(), |sum: &mut model::Given, one| sum.add(&one));
    let (page, totals) =
        programmes::actions::list(allowed.store(), &act, filter, (after, limit), model::view, count).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    let body = FundingPage { items: page.items, next_cursor: next_cursor.clone(), totals: totals.sums() };
    Ok(respond::page(&req, &params, None, next_cursor, &body))
}

/// Registers money that a donor gave for a year, and what it paid for: campaigns, trainings, assistance,
/// reunifications.
///
/// What it pays for must be there, and the caller must see it. Its uses together are not more than there is: 422
/// `rule_violated` with the rule `over_allocated`.
#[utoipa::path(tag = "fundings", summary = "Register a funding",
    request_body = FundingCreate,
    responses((status = 201, description = "The funding", body = FundingView)),
    security(("oauth2" = ["programmes:write"])))]
#[post("/v1/fundings")]
pub async fn funding_register(
    req: HttpRequest,
    allowed: Allowed<ProgrammeWrite>,
    body: Body<FundingCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let act = allowed.act();
    let prepared = model::register(new, &act)?;
    let written = programmes::actions::create(allowed.store(), act, once, prepared, actions::outside, model::view).await?;
    let location = format!("/v1/fundings/{}", written.view.id);
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// One funding. Every agency may read it; which persons it helped, its owner only.
#[utoipa::path(tag = "fundings", summary = "Read a funding",
    description = "One funding. Every agency may read it; which persons it helped, its owner only.",
    params(("funding_id" = FundingId, Path, description = "The funding")),
    responses((status = 200, description = "The funding", body = FundingView)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/fundings/{funding_id}")]
pub async fn funding_read(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let funding: FundingId = id(&req, "funding_id")?;
    Params::parse(&req, &[])?;
    let read = programmes::actions::read(allowed.store(), &allowed.act(), funding, model::view).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, None, &read.view))
}

/// Corrects a funding (merge patch): null clears, absent leaves; its uses are replaced as a whole. Its owner does.
///
/// Uses that are more than there is are refused: 422 `rule_violated` with the rule `over_allocated`.
#[utoipa::path(tag = "fundings", summary = "Amend a funding",
    params(("funding_id" = FundingId, Path, description = "The funding")),
    request_body(content = FundingPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The funding, changed", body = FundingView)),
    security(("oauth2" = ["programmes:write"])))]
#[patch("/v1/fundings/{funding_id}")]
pub async fn funding_amend(
    req: HttpRequest,
    allowed: Allowed<ProgrammeWrite>,
    body: Body<FundingPatch>,
) -> Result<HttpResponse, Problem> {
    let funding: FundingId = id(&req, "funding_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let change = move |record: &mut _, act: &_| model::amend(record, patch.clone(), act);
    let written =
        programmes::actions::amend(allowed.store(), allowed.act(), funding, version, change, actions::outside, model::view)
            .await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Every change of a funding, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "fundings", summary = "Read the history of a funding",
    description = "Every change of a funding, oldest first: who, when, which fields. No values.",
    params(("funding_id" = FundingId, Path, description = "The funding"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/fundings/{funding_id}/history")]
pub async fn funding_history(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let funding: FundingId = id(&req, "funding_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let client = allowed.caller().client;
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = programmes::actions::history::<model::FundingContent>(allowed.store(), funding, after, limit)
        .await?
        .map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
