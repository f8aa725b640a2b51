//! Handlers of the agency operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::actions;
use super::routing::Matter;
use super::store::Filter;
use super::wire::{AgencyCreate, AgencyPage, AgencyPatch, AgencyView, CompetentAgencies};
use crate::auth::policy::{AgencyManage, AgencyRead};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::{AgencyCode, Error, FaultCode};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(agency_list)
        .service(agency_register)
        // Before the one that reads by code.
        .service(agency_competent)
        .service(agency_read)
        .service(agency_amend);
}

/// The agency that the path names. What has not the shape of a code is no agency's.
fn code(req: &HttpRequest) -> Result<AgencyCode, Error> {
    req.match_info().get("code").and_then(AgencyCode::parse).ok_or(Error::NotFound)
}

/// The competent authorities and services of the registry, by code. Any token may read them.
#[utoipa::path(tag = "agencies", summary = "List agencies",
    description = "The competent authorities and services of the registry, by code. Any token may read them.",
    params(
        ("kind" = Option<String>, Query, description = "Kinds, comma-separated: any of them (code list `agency_kind`)", max_length = 400),
        ("territory" = Option<String>, Query, description = "UBIGEO prefix of 2, 4 or 6 digits", max_length = 6),
        ("oversight" = Option<bool>, Query, description = "Supervisors only (`true`) or none of them (`false`)"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of agencies", body = AgencyPage)),
    security(("oauth2" = [])))]
#[get("/v1/agencies")]
pub async fn agency_list(req: HttpRequest, allowed: Allowed<AgencyRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["kind", "territory", "oversight", "limit", "cursor"])?;
    let act = allowed.act();
    let law = &act.catalogue;
    let filter = Filter {
        kinds: params.list("kind", |k| law.has_ever("agency_kind", k)),
        territory: params.read("territory", |t| law.territory_known(t).then(|| t.to_owned())),
        oversight: params.read("oversight", |o| o.parse().ok()),
    };
    let limit = params.limit();
    params.finish()?;
    let (client, lang) = (allowed.caller().client, allowed.request().lang.code());
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_agencies(allowed.store(), filter, after, limit, lang).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &AgencyPage { items: page.items, next_cursor }))
}

/// Who can be asked for something in a place, the most fitting first, and why: those whom the law names for an offence
/// before those who only may, then the nearest, then those of the whole country. Supervisors, and whoever is not at work
/// today, are not in it.
#[utoipa::path(tag = "agencies", summary = "Find the competent agencies",
    params(
        ("competent_for" = String, Query, description = "`service:` and a code of the list `service`, `offence:` and an offence's code, or `kind:` and a code of the list `agency_kind`", max_length = 100, example = "service:shelter"),
        ("territory" = Option<String>, Query, description = "Where: UBIGEO of 2, 4 or 6 digits; anywhere if absent", max_length = 6),
        ("limit" = Option<i32>, Query, description = "Agencies, 1–200; 50 if absent", minimum = 1, maximum = 200)),
    responses((status = 200, description = "Those who are competent", body = CompetentAgencies)),
    security(("oauth2" = [])))]
#[get("/v1/agencies/competent")]
pub async fn agency_competent(req: HttpRequest, allowed: Allowed<AgencyRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["competent_for", "territory", "limit"])?;
    let act = allowed.act();
    let law = &act.catalogue;
    let matter = params.read("competent_for", |m| Matter::parse(m, law));
    let place = params.read("territory", |t| law.territory_known(t).then(|| t.to_owned()));
    let limit = params.limit();
    if params.text("competent_for").is_none() {
        params.fault("competent_for", FaultCode::Required);
    }
    params.finish()?;
    let matter = matter.ok_or(Error::InvalidRequest)?;
    let lang = allowed.request().lang.code();
    let items = actions::list_competent(allowed.store(), &act, matter, place, limit, lang).await?;
    Ok(respond::plain(&req, &CompetentAgencies { items }))
}

/// One agency. `name` follows `Accept-Language`; `names` holds all three.
#[utoipa::path(tag = "agencies", summary = "Read an agency",
    description = "One agency. `name` follows `Accept-Language`; `names` holds all three.",
    params(("code" = AgencyCode, Path, description = "The agency's code")),
    responses((status = 200, description = "The agency", body = AgencyView)),
    security(("oauth2" = [])))]
#[get("/v1/agencies/{code}")]
pub async fn agency_read(req: HttpRequest, allowed: Allowed<AgencyRead>) -> Result<HttpResponse, Problem> {
    Params::parse(&req, &[])?;
    let read = actions::read_agency(allowed.store(), code(&req)?, allowed.request().lang.code()).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, None, &read.view))
}

/// Registers an agency. Its code is its id and never changes.
#[utoipa::path(tag = "agencies", summary = "Register an agency",
    description = "Registers an agency. Its code is its id and never changes.", request_body = AgencyCreate,
    responses((status = 201, description = "The agency, registered", body = AgencyView)),
    security(("oauth2" = ["agencies:manage"])))]
#[post("/v1/agencies")]
pub async fn agency_register(
    req: HttpRequest,
    allowed: Allowed<AgencyManage>,
    body: Body<AgencyCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let lang = allowed.request().lang.code();
    let written = actions::register_agency(allowed.store(), allowed.act(), once, input, lang).await?;
    let location = format!("/v1/agencies/{}", written.view.code);
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// Changes an agency (merge patch): null clears, absent leaves. An agency is never deleted: it ends on a day.
#[utoipa::path(tag = "agencies", summary = "Amend an agency",
    description = "Changes an agency (merge patch): null clears, absent leaves. An agency is never deleted: it ends on a day.",
    params(("code" = AgencyCode, Path, description = "The agency's code")),
    request_body(content = AgencyPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The agency, changed", body = AgencyView)),
    security(("oauth2" = ["agencies:manage"])))]
#[patch("/v1/agencies/{code}")]
pub async fn agency_amend(
    req: HttpRequest,
    allowed: Allowed<AgencyManage>,
    body: Body<AgencyPatch>,
) -> Result<HttpResponse, Problem> {
    let code = code(&req)?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let lang = allowed.request().lang.code();
    let written = actions::amend_agency(allowed.store(), allowed.act(), code, version, patch, lang).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}
