//! The handler of the totals: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get};

use super::actions;
use super::wire::ProgrammeTotals;
use crate::auth::policy::{AssistanceRead, ProgrammeRead, opens};
use crate::http::guard::Allowed;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::ids::VictimId;
use crate::ledger::Entry;
use crate::programmes::params::years;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(programme_totals_read);
}

/// What the programmes did in some years: persons helped and reunited, professionals trained, campaigns held, money given.
///
/// Both bounds are included; `year` asks for one. Figures of help to persons are exact, and about what the caller's agency
/// registered or gave; oversight counts everybody's. They need the scope `assistance:read` besides, and are null without
/// it. Trainings, campaigns and fundings name no person: everybody's are counted. `scope` says whose figures the answer
/// holds. Whoever was helped twice is counted once; whoever was trained twice, twice, because nobody knows who it was.
#[utoipa::path(tag = "statistics", summary = "Count what the programmes did",
    params(("year" = Option<i32>, Query, description = "In this year", minimum = 1900, maximum = 2200),
        ("year_from" = Option<i32>, Query, description = "In this year or later", minimum = 1900, maximum = 2200),
        ("year_to" = Option<i32>, Query, description = "In this year or before", minimum = 1900, maximum = 2200)),
    responses((status = 200, description = "The totals", body = ProgrammeTotals)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/statistics/programmes")]
pub async fn programme_totals_read(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["year", "year_from", "year_to"])?;
    let years = years(&mut params);
    params.finish()?;
    let (act, client, persons) = (allowed.act(), allowed.caller().client, opens::<AssistanceRead>(allowed.caller()));
    let totals = actions::count(allowed.store(), &act, years, persons).await?;
    // Unlike the statistics of cases, these count what was done for persons: they are a look.
    let entry = Entry::listed(client, "programme_totals", std::iter::empty::<VictimId>());
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &totals))
}
