//! Handlers of the catalogue operations: open to everybody, cacheable, and without a way to the store.

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, get, web};
use aws_lc_rs::digest;
use chrono::NaiveDate;
use serde::Serialize;

use super::wire::{
    self, CareCatalogue, CodeListCatalogue, CodeListEntry, JurisdictionCatalogue, OffenceCatalogue, OffenceEntry,
    PlaceCatalogue, ProcedureRecord, RetentionCatalogue, SchemeCatalogue,
};
use super::{CareProtocol, Catalogue};
use crate::http::etag::if_none_match;
use crate::http::lang::Lang;
use crate::http::path;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::kernel::{Error, Result, Timestamp};

/// Mounts the operations.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(offence_list)
        .service(offence_read)
        .service(code_list_list)
        .service(code_list_read)
        .service(jurisdiction_list)
        .service(jurisdiction_read)
        .service(identifier_scheme_list)
        .service(retention_list)
        .service(care_protocol_list)
        .service(place_list);
}

/// The day of `?on=`; no other parameter may stand in the query.
fn day(req: &HttpRequest) -> Result<Option<NaiveDate>> {
    let mut params = Params::parse(req, &["on"])?;
    // Ten characters, because the parser itself would take `2020-1-1` too.
    let on = params.read("on", |text| (text.len() == 10).then(|| text.parse().ok()).flatten());
    params.finish()?;
    Ok(on)
}

/// Today, for what must be of one day.
fn today() -> NaiveDate {
    Timestamp::now().date()
}

/// 200, or 304 where the caller has the same content in the same language. The tag is of the body itself.
fn answer<V: Serialize>(req: &HttpRequest, lang: Lang, body: &V) -> std::result::Result<HttpResponse, Problem> {
    let text = serde_json::to_string(body).map_err(Error::internal)?;
    let hash: String =
        digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().take(8).map(|b| format!("{b:02x}")).collect();
    let tag = format!("\"{hash}.{}\"", lang.code());
    let mut response =
        if if_none_match(req.headers(), &tag).is_some() { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, tag.clone()))
        .insert_header((header::CACHE_CONTROL, "public, max-age=86400"))
        .insert_header((header::VARY, "Accept-Language, Accept-Encoding"))
        .insert_header((header::CONTENT_LANGUAGE, HeaderValue::from_static(lang.code())))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    if if_none_match(req.headers(), &tag).is_some() {
        return Ok(response.finish());
    }
    Ok(response.content_type("application/json").body(text))
}

type Law = web::Data<Catalogue>;
type Answer = std::result::Result<HttpResponse, Problem>;

/// Every offence, with its versions, terms and incisos. With `on`, only what was an offence on that day, as it stood then.
#[utoipa::path(tag = "catalogues", summary = "List offences",
    params(("on" = Option<String>, Query, format = Date, min_length = 10, max_length = 10, description = "A day: what was law on it; everything if absent", example = "2012-05-01")),
    responses((status = 200, description = "The offences", body = OffenceCatalogue), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/offences")]
pub async fn offence_list(req: HttpRequest, law: Law) -> Answer {
    let (on, lang) = (day(&req)?, Lang::of(req.headers()));
    let items = law.offences().iter().filter_map(|o| wire::offence(o, lang.code(), on)).collect();
    answer(&req, lang, &OffenceCatalogue { release: law.release().to_owned(), items, next_cursor: None })
}

/// One offence, by code or alias. With `on`, as it stood on that day; 404 if it was none then.
#[utoipa::path(tag = "catalogues", summary = "Read an offence",
    params(("code" = String, Path, description = "Code or alias", max_length = 40, example = "PE-CP-129-A"),
        ("on" = Option<String>, Query, format = Date, min_length = 10, max_length = 10, description = "A day: the version of it; every version if absent", example = "2012-05-01")),
    responses((status = 200, description = "The offence", body = OffenceEntry), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/offences/{code}")]
pub async fn offence_read(req: HttpRequest, law: Law) -> Answer {
    let (on, lang) = (day(&req)?, Lang::of(req.headers()));
    let offence = law.offence(path::text(&req, "code")?).ok_or(Error::NotFound)?;
    answer(&req, lang, &wire::offence(offence, lang.code(), on).ok_or(Error::NotFound)?)
}

/// Every code list with its codes. With `on`, the versions and codes of that day.
#[utoipa::path(tag = "catalogues", summary = "List code lists",
    params(("on" = Option<String>, Query, format = Date, min_length = 10, max_length = 10, description = "A day: what could be written on it; every version if absent", example = "2026-11-24")),
    responses((status = 200, description = "The code lists", body = CodeListCatalogue), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/code-lists")]
pub async fn code_list_list(req: HttpRequest, law: Law) -> Answer {
    let (on, lang) = (day(&req)?, Lang::of(req.headers()));
    let lists = law.code_lists().iter().filter(|l| on.is_none_or(|on| l.in_force(on)));
    let items = lists.map(|l| wire::code_list(l, lang.code(), on)).collect();
    answer(&req, lang, &CodeListCatalogue { release: law.release().to_owned(), items, next_cursor: None })
}

/// One code list in the version of a day, today's if `on` is absent.
#[utoipa::path(tag = "catalogues", summary = "Read a code list",
    params(("list" = String, Path, description = "Its name", max_length = 60, example = "urgency"),
        ("on" = Option<String>, Query, format = Date, min_length = 10, max_length = 10, description = "A day; today if absent", example = "2026-11-24")),
    responses((status = 200, description = "The code list", body = CodeListEntry), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/code-lists/{list}")]
pub async fn code_list_read(req: HttpRequest, law: Law) -> Answer {
    let (on, lang) = (day(&req)?.unwrap_or_else(today), Lang::of(req.headers()));
    let list = law.code_list(path::text(&req, "list")?, on).ok_or(Error::NotFound)?;
    answer(&req, lang, &wire::code_list(list, lang.code(), Some(on)))
}

/// The codes of procedure and their versions.
#[utoipa::path(tag = "catalogues", summary = "List codes of procedure",
    params(("on" = Option<String>, Query, format = Date, min_length = 10, max_length = 10, description = "A day: those that had begun; all of them if absent", example = "2026-11-24")),
    responses((status = 200, description = "The codes of procedure", body = JurisdictionCatalogue), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/jurisdictions")]
pub async fn jurisdiction_list(req: HttpRequest, law: Law) -> Answer {
    let (on, lang) = (day(&req)?, Lang::of(req.headers()));
    let items = wire::jurisdictions(&law, on);
    answer(&req, lang, &JurisdictionCatalogue { release: law.release().to_owned(), items, next_cursor: None })
}

/// A code of procedure on a day, today if `on` is absent: stages, transitions, time limits, weekend and holidays.
#[utoipa::path(tag = "catalogues", summary = "Read a code of procedure",
    params(("code" = String, Path, description = "Jurisdiction and code of procedure", max_length = 60, example = "PE-NCPP2004"),
        ("on" = Option<String>, Query, format = Date, min_length = 10, max_length = 10, description = "A day; today if absent", example = "2024-10-11")),
    responses((status = 200, description = "The code of procedure", body = ProcedureRecord), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/jurisdictions/{code}")]
pub async fn jurisdiction_read(req: HttpRequest, law: Law) -> Answer {
    let (on, lang) = (day(&req)?.unwrap_or_else(today), Lang::of(req.headers()));
    let found = wire::procedure(&law, path::text(&req, "code")?, lang.code(), on).ok_or(Error::NotFound)?;
    answer(&req, lang, &found)
}

/// The numbering schemes: shape, parts and normal form of the numbers of files and documents.
#[utoipa::path(tag = "catalogues", summary = "List numbering schemes",
    responses((status = 200, description = "The numbering schemes", body = SchemeCatalogue), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/identifier-schemes")]
pub async fn identifier_scheme_list(req: HttpRequest, law: Law) -> Answer {
    Params::parse(&req, &[])?;
    let lang = Lang::of(req.headers());
    let items = law.schemes().iter().map(|s| wire::scheme(s, lang.code())).collect();
    answer(&req, lang, &SchemeCatalogue { release: law.release().to_owned(), items, next_cursor: None })
}

/// The retention schedule: how long what is known is kept, and what then becomes of it.
#[utoipa::path(tag = "catalogues", summary = "List the retention schedule",
    responses((status = 200, description = "The schedule", body = RetentionCatalogue), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/retention")]
pub async fn retention_list(req: HttpRequest, law: Law) -> Answer {
    Params::parse(&req, &[])?;
    let lang = Lang::of(req.headers());
    let items = law.retention().iter().map(|r| wire::retention(r, lang.code())).collect();
    answer(&req, lang, &RetentionCatalogue { release: law.release().to_owned(), items, next_cursor: None })
}

/// The protocols of a victim's care: states, moves, whose act each is, what must hold and what a request must say.
#[utoipa::path(tag = "catalogues", summary = "List protocols of care",
    params(("on" = Option<String>, Query, format = Date, min_length = 10, max_length = 10, description = "A day: the version that was in force on it; every version if absent", example = "2026-11-24")),
    responses((status = 200, description = "The protocols", body = CareCatalogue), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/care-protocols")]
pub async fn care_protocol_list(req: HttpRequest, law: Law) -> Answer {
    let (on, lang) = (day(&req)?, Lang::of(req.headers()));
    let current = |p: &&CareProtocol| {
        on.is_none_or(|on| law.care_protocol_on(&p.jurisdiction, on).is_some_and(|newest| newest.version == p.version))
    };
    let items = law.care_protocols().iter().filter(current).map(|p| wire::care_protocol(p, lang.code())).collect();
    answer(&req, lang, &CareCatalogue { release: law.release().to_owned(), items, next_cursor: None })
}

/// The departments and the fiscal districts.
#[utoipa::path(tag = "catalogues", summary = "List places",
    responses((status = 200, description = "The places", body = PlaceCatalogue), (status = 304, description = "Not changed")),
    security(()))]
#[get("/v1/catalogues/places")]
pub async fn place_list(req: HttpRequest, law: Law) -> Answer {
    Params::parse(&req, &[])?;
    answer(&req, Lang::of(req.headers()), &wire::places(&law))
}
