//! Handlers of the accused operations.

use actix_web::{HttpRequest, HttpResponse, get};

use super::store;
use super::wire::{AccusedPage, AccusedView};
use crate::auth::policy::AccusedRead;
use crate::cases::{Section, sight};
use crate::http::guard::Allowed;
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::ids::{AccusedId, CaseId};
use crate::ledger::{Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_accused_list).service(accused_read);
}

/// The accused of a case, pseudonymous.
#[utoipa::path(tag = "accused", summary = "List a case's accused",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of accused", body = AccusedPage)),
    security(("oauth2" = ["accused:read"])))]
#[get("/v1/cases/{case_id}/accused")]
pub async fn case_accused_list(req: HttpRequest, allowed: Allowed<AccusedRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let services = allowed.services();
    let after = services.cursors.after(&params, client)?;
    let scope = act.scope.clone();
    let page = allowed
        .store()
        .read(move |conn| {
            sight(conn, &scope, case)?.must_see(Section::Accused)?;
            Ok(store::list(conn, case, after.as_ref(), limit)?.map(|a| a.view()))
        })
        .await?;
    let entry = Entry::listed(client, "accused_list", page.items.iter().map(|a| a.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &AccusedPage { items: page.items, next_cursor }))
}

/// One accused, pseudonymous.
#[utoipa::path(tag = "accused", summary = "Read an accused", params(("accused_id" = AccusedId, Path, description = "The accused")),
    responses((status = 200, description = "The accused", body = AccusedView)),
    security(("oauth2" = ["accused:read"])))]
#[get("/v1/accused/{accused_id}")]
pub async fn accused_read(req: HttpRequest, allowed: Allowed<AccusedRead>) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let scope = act.scope.clone();
    let (found, tag) = allowed.store().read(move |conn| store::find(conn, &scope, accused)).await?;
    let entry = Entry::new(Action::Read, accused, Some(found.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, found.version, &tag, Some(audit), &found.view()))
}
