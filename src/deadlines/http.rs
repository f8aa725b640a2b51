//! Handlers of the deadline operations.

use actix_web::{HttpRequest, HttpResponse, get};

use super::actions;
use super::wire::DeadlinePage;
use crate::auth::policy::CaseRead;
use crate::http::guard::Allowed;
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::ids::CaseId;
use crate::kernel::{Day, FaultCode};
use crate::ledger::{Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_deadline_list).service(deadline_desk);
}

/// The legal time limits that run in a case, the first to end at the top: of its stage, and of the measures that the
/// caller sees. Computed from the law in force when each began, the case's complexity, extensions and holidays; every
/// day counts while somebody is detained.
#[utoipa::path(tag = "deadlines", summary = "List a case's deadlines",
    params(("case_id" = CaseId, Path, description = "The case")),
    responses((status = 200, description = "The deadlines", body = DeadlinePage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/deadlines")]
pub async fn case_deadline_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    Params::parse(&req, &[])?;
    let (act, lang) = (allowed.act(), allowed.request().lang.code());
    let items = actions::case_deadlines(allowed.store(), &act, case, lang).await?;
    let entry = Entry::new(Action::Read, case, None).about("case_deadlines");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &DeadlinePage { items, next_cursor: None }))
}

/// The desk of the caller's agency: the terms that run in its own cases, overdue first, then the first to end.
///
/// `due_before` is exclusive. Terms of measures are on the desk of the measures.
#[utoipa::path(tag = "deadlines", summary = "List the deadlines of the agency's desk",
    params(("due_before" = Option<Day>, Query, description = "Last day before this one", max_length = 10),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of deadlines", body = DeadlinePage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/deadlines")]
pub async fn deadline_desk(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["due_before", "limit", "cursor"])?;
    let due_before = params.text("due_before").map(Day::parse);
    if due_before == Some(None) {
        params.fault("due_before", FaultCode::Format);
    }
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let lang = allowed.request().lang.code();
    let page = actions::list_desk(allowed.store(), &act, due_before.flatten(), after, limit, lang).await?;
    let entry = Entry::listed(client, "deadline_list", page.items.iter().map(|d| d.case_id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &DeadlinePage { items: page.items, next_cursor }))
}
