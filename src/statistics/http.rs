//! Handlers of the statistics operations: read the question, count, answer as JSON, CSV or a chart.

use actix_web::{HttpRequest, HttpResponse, get};
use chrono::NaiveDate;
use utoipa::IntoParams;

use super::actions::{self, MOST_CELLS};
use super::count::Funnel;
use super::memory::AsOf;
use super::question::{Dimension, Lane, MOST_DIMENSIONS, Question, Subject};
use super::render::{self, MOST_BARS};
use super::wire::{
    Flow, FunnelStep, StatisticsAsOf, StatisticsCell, StatisticsFilter, StatisticsFlows, StatisticsFunnel, StatisticsScope,
    StatisticsTable,
};
use crate::auth::policy::StatisticsRead;
use crate::http::accept;
use crate::http::guard::Allowed;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::{Day, Error, FaultCode, Result};

/// Mounts the operations.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(statistics_cases)
        .service(statistics_victims)
        .service(statistics_accused)
        .service(statistics_charges)
        .service(statistics_funnel)
        .service(statistics_flows);
}

/// Bounds and filters that every figure has. Each filter takes codes, comma-separated: any of them.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Where {
    /// First day of the report that counts
    #[param(max_length = 10)]
    pub from: Option<Day>,
    /// Last day of the report that counts
    #[param(max_length = 10)]
    pub to: Option<Day>,
    /// Stages (code list `case_stage`)
    #[param(max_length = 1000)]
    pub stage: Option<String>,
    /// Forms of exploitation (code list `exploitation`)
    #[param(max_length = 1000)]
    pub exploitation: Option<String>,
    /// Groups of forms: `sexual`, `labour`, `other`, `mixed`
    #[param(max_length = 100)]
    pub form: Option<String>,
    /// Sections of economic activity (ISIC Rev. 4)
    #[param(max_length = 100)]
    pub sector: Option<String>,
    /// Code list `scope`
    #[param(max_length = 200)]
    pub reach: Option<String>,
    /// Departments: first two digits of the UBIGEO
    #[param(max_length = 200)]
    pub department: Option<String>,
    /// UBIGEO as recorded
    #[param(max_length = 400)]
    pub place: Option<String>,
    /// Months of the report: `2026-03`
    #[param(max_length = 400)]
    pub month: Option<String>,
    /// Quarters of the report: `2026-Q1`
    #[param(max_length = 400)]
    pub quarter: Option<String>,
    /// Years of the report
    #[param(max_length = 300)]
    pub year: Option<String>,
    /// Agencies that own the case
    #[param(max_length = 2000)]
    pub agency: Option<String>,
}

/// Filters of cases.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct CaseWhere {
    /// Code list `report_channel`
    #[param(max_length = 400)]
    pub channel: Option<String>,
    /// Code list `complexity`
    #[param(max_length = 100)]
    pub complexity: Option<String>,
    /// Codes of procedure: `PE-NCPP2004`
    #[param(max_length = 400)]
    pub procedure: Option<String>,
}

/// Filters of victims.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VictimWhere {
    /// Code list `sex`
    #[param(max_length = 200)]
    pub sex: Option<String>,
    /// Code list `age_band`
    #[param(max_length = 200)]
    pub age_band: Option<String>,
    /// `minor`, `adult`, `presumed_minor`
    #[param(max_length = 60)]
    pub minority: Option<String>,
    /// ISO 3166-1 alpha-2
    #[param(max_length = 400)]
    pub nationality: Option<String>,
    /// Code list `victim_status`
    #[param(max_length = 100)]
    pub status: Option<String>,
    /// Code list `recruitment`
    #[param(max_length = 200)]
    pub recruitment: Option<String>,
    /// Code list `purpose`
    #[param(max_length = 400)]
    pub purpose: Option<String>,
    /// Where their care stands (code list `care_state`); of cases whose help the caller sees
    #[param(max_length = 400)]
    pub care_state: Option<String>,
    /// States that their care ever reached (code list `care_state`); of cases whose help the caller sees
    #[param(max_length = 400)]
    pub care_reached: Option<String>,
}

/// Filters of accused persons.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AccusedWhere {
    /// Code list `accused_kind`
    #[param(max_length = 100)]
    pub kind: Option<String>,
    /// Code list `sex`
    #[param(max_length = 200)]
    pub sex: Option<String>,
    /// Code list `age_band`
    #[param(max_length = 200)]
    pub age_band: Option<String>,
    /// ISO 3166-1 alpha-2
    #[param(max_length = 400)]
    pub nationality: Option<String>,
}

/// Filters of charges.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChargeWhere {
    /// Offences
    #[param(max_length = 1000)]
    pub offence: Option<String>,
    /// Code list `charge_state`
    #[param(max_length = 400)]
    pub charge_state: Option<String>,
    /// Code list `role`
    #[param(max_length = 100)]
    pub role: Option<String>,
    /// Code list `verdict_outcome`, or `not_recorded` where no court has decided
    #[param(max_length = 200)]
    pub outcome: Option<String>,
    /// Years of the decision
    #[param(max_length = 300)]
    pub decided_year: Option<String>,
}

/// First and last day that count, both included.
pub(super) fn bounds(params: &mut Params) -> (Option<NaiveDate>, Option<NaiveDate>) {
    let mut day = |name: &str| {
        let day = params.text(name).map(Day::parse);
        if day == Some(None) {
            params.fault(name, FaultCode::Format);
        }
        day.flatten().map(Day::date)
    };
    let (from, to) = (day("from"), day("to"));
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        params.fault("to", FaultCode::DateOrder);
    }
    (from, to)
}

/// Bounds and filters of a question about a subject; `by` only where there is a table.
pub(super) fn question(params: &mut Params, subject: Subject, table: bool) -> Question {
    let mut question = Question::of(subject);
    (question.from, question.to) = bounds(params);
    for dimension in subject.dimensions() {
        let values = params.list(dimension.as_str(), |text| (1..=60).contains(&text.len()));
        if !values.is_empty() {
            question.only.push((*dimension, values));
        }
    }
    if table {
        let known = |text: &str| Dimension::parse(text).filter(|d| subject.dimensions().contains(d));
        question.by = params.list("by", |text| known(text).is_some()).iter().filter_map(|text| known(text)).collect();
        if question.by.len() > MOST_DIMENSIONS {
            params.fault("by", FaultCode::MaxItems);
        }
        let repeated = question.by.iter().enumerate().any(|(n, d)| question.by.iter().take(n).any(|other| other == d));
        if repeated {
            params.fault("by", FaultCode::UniqueItems);
        }
    }
    question
}

/// The parameters that a question about a subject takes.
pub(super) fn known(subject: Subject, table: bool) -> Vec<&'static str> {
    let mut known: Vec<&str> = subject.dimensions().iter().map(|d| d.as_str()).collect();
    known.extend(["from", "to"]);
    if table {
        known.push("by");
    }
    known
}

/// Which cases an answer is about.
pub(super) fn scope(lane: &Lane) -> StatisticsScope {
    match lane {
        Lane::All => StatisticsScope { cases: "all", agency: None },
        Lane::Agency(code) => StatisticsScope { cases: "agency", agency: Some(code.clone()) },
    }
}

/// Up to where an answer is complete.
pub(super) fn as_of(AsOf { position, at, skipped }: AsOf) -> StatisticsAsOf {
    StatisticsAsOf { position, at, skipped }
}

fn filters(question: &Question) -> Vec<StatisticsFilter> {
    question.only.iter().map(|(d, values)| StatisticsFilter { dimension: d.as_str(), values: values.clone() }).collect()
}

/// The form of the answer; `fields` selects from JSON only.
pub(super) fn form(req: &HttpRequest, params: &mut Params, charted: bool) -> Result<&'static str> {
    let offered = accept::offered(req.path());
    let offered: Vec<&'static str> = offered.iter().copied().filter(|f| charted || *f != accept::SVG).collect();
    let form = accept::chosen(req, &offered).ok_or(Error::NotAcceptable)?;
    if form != accept::JSON && params.text("fields").is_some() {
        params.fault("fields", FaultCode::CrossField);
    }
    Ok(form)
}

/// A table for a spreadsheet.
pub(super) fn csv(text: String) -> HttpResponse {
    HttpResponse::Ok().content_type("text/csv; charset=utf-8; header=present").body(text)
}

async fn answer(req: HttpRequest, allowed: Allowed<StatisticsRead>, subject: Subject) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &known(subject, true))?;
    let question = question(&mut params, subject, true);
    let form = form(&req, &mut params, true)?;
    params.finish()?;
    let (lane, services) = (actions::lane(&allowed.act().scope), allowed.services());
    let (table, until) = actions::table(&services.figures, lane.clone(), question.clone()).await?;
    let most = if form == accept::SVG { MOST_BARS } else { MOST_CELLS };
    if table.cells.len() > most {
        params.fault("by", FaultCode::MaxItems);
        params.finish()?;
    }
    match form {
        accept::CSV => return Ok(csv(render::table_csv(&question, &table))),
        accept::SVG => {
            let lang = allowed.request().lang.code();
            let chart = render::chart(&services.catalogue, &question, &table, lang);
            return Ok(HttpResponse::Ok().content_type(accept::SVG).body(chart));
        }
        _ => {}
    }
    let body = StatisticsTable {
        subject: subject.as_str(),
        unit: subject.unit(),
        by: question.by.iter().map(|d| d.as_str()).collect(),
        from: question.from.map(Day::from_date),
        to: question.to.map(Day::from_date),
        filters: filters(&question),
        scope: scope(&lane),
        as_of: as_of(until),
        total: table.total,
        items: table.cells.into_iter().map(|(values, count)| StatisticsCell { values, count }).collect(),
    };
    Ok(respond::plain(&req, &body))
}

/// How many cases there are, by up to three dimensions: of an agency, those that it may see; for oversight, all of them.
///
/// Counts are exact, so they are for those who may see the cases themselves: everybody else gets the releases of
/// `/v1/open-data`. A file that goes on in another one (joined, transferred) is counted there. Answers as a table
/// (`text/csv`) or a chart (`image/svg+xml`, at most 80 cells) where `Accept` asks for it.
#[utoipa::path(tag = "statistics", summary = "Count cases",
    params(("by" = Option<String>, Query, description = "Up to three of: stage, exploitation, form, sector, reach, department, place, month, quarter, year, agency, channel, complexity, procedure", max_length = 200, example = "department,year"), Where, CaseWhere),
    responses((status = 200, description = "The counts", content((StatisticsTable = "application/json"), (String = "text/csv", example = "sex,count\r\nfemale,29\r\nmale,2\r\n"), (String = "image/svg+xml", example = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/cases")]
pub async fn statistics_cases(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    answer(req, allowed, Subject::Cases).await
}

/// How many victims there are, each person once, by up to three dimensions; of cases that the caller may see, and among
/// those shared with it, of the victims that it was granted.
///
/// `by=care_reached` is the funnel of their care: each victim counts under every state that her or his care ever reached, from
/// `detected` to `closed`. By care only those are counted whose help the caller sees (section `assistance`).
#[utoipa::path(tag = "statistics", summary = "Count victims",
    params(("by" = Option<String>, Query, description = "Up to three of: sex, age_band, minority, nationality, status, recruitment, purpose, care_state, care_reached, stage, exploitation, form, sector, reach, department, place, month, quarter, year, agency", max_length = 200, example = "sex,minority"), Where, VictimWhere),
    responses((status = 200, description = "The counts", content((StatisticsTable = "application/json"), (String = "text/csv", example = "sex,count\r\nfemale,29\r\nmale,2\r\n"), (String = "image/svg+xml", example = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/victims")]
pub async fn statistics_victims(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    answer(req, allowed, Subject::Victims).await
}

/// How many accused persons there are, each once, by up to three dimensions; of cases of which the caller sees the accused.
#[utoipa::path(tag = "statistics", summary = "Count accused persons",
    params(("by" = Option<String>, Query, description = "Up to three of: kind, sex, age_band, nationality, stage, exploitation, form, sector, reach, department, place, month, quarter, year, agency", max_length = 200, example = "kind,sex"), Where, AccusedWhere),
    responses((status = 200, description = "The counts", content((StatisticsTable = "application/json"), (String = "text/csv", example = "sex,count\r\nfemale,29\r\nmale,2\r\n"), (String = "image/svg+xml", example = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/accused")]
pub async fn statistics_accused(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    answer(req, allowed, Subject::Accused).await
}

/// How many charges there are, by up to three dimensions; of cases of which the caller sees the charges. A charge that goes
/// on in another file is counted there.
#[utoipa::path(tag = "statistics", summary = "Count charges",
    params(("by" = Option<String>, Query, description = "Up to three of: offence, charge_state, role, outcome, decided_year, stage, exploitation, form, sector, reach, department, place, month, quarter, year, agency", max_length = 200, example = "offence,outcome"), Where, ChargeWhere),
    responses((status = 200, description = "The counts", content((StatisticsTable = "application/json"), (String = "text/csv", example = "sex,count\r\nfemale,29\r\nmale,2\r\n"), (String = "image/svg+xml", example = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/charges")]
pub async fn statistics_charges(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    answer(req, allowed, Subject::Charges).await
}

fn funnel_steps(funnel: &Funnel) -> Vec<FunnelStep> {
    let none = Some(0).filter(|_| funnel.reported > 0);
    let first = FunnelStep {
        step: "reported",
        cases: funnel.reported,
        per_thousand: if funnel.reported > 0 { 1_000 } else { 0 },
        days_p25: none,
        days_median: none,
        days_p75: none,
        days_p90: none,
    };
    let others = funnel.steps.iter().map(|(step, took)| FunnelStep {
        step: step.as_str(),
        cases: took.cases,
        per_thousand: (took.cases * 1_000).checked_div(funnel.reported).unwrap_or(0),
        days_p25: took.p25,
        days_median: took.median,
        days_p75: took.p75,
        days_p90: took.p90,
    });
    std::iter::once(first).chain(others).collect()
}

/// How far files get: reported, formalised, accused, tried, judged; how many, and how many days after the report.
#[utoipa::path(tag = "statistics", summary = "Read the funnel of justice", params(Where, CaseWhere),
    responses((status = 200, description = "The funnel", content((StatisticsFunnel = "application/json"), (String = "text/csv", example = "step,cases\r\nreported,1000\r\n")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/funnel")]
pub async fn statistics_funnel(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &known(Subject::Cases, false))?;
    let question = question(&mut params, Subject::Cases, false);
    let form = form(&req, &mut params, false)?;
    params.finish()?;
    let lane = actions::lane(&allowed.act().scope);
    let (asked, of) = (question.clone(), lane.clone());
    let (funnel, until) = actions::ask(&allowed.services().figures, move |memory| memory.funnel(&of, &asked)).await?;
    let items = funnel_steps(&funnel);
    if form == accept::CSV {
        let days = |d: Option<i64>| d.map_or_else(String::new, |d| d.to_string());
        let head = ["step", "cases", "per_thousand", "days_p25", "days_median", "days_p75", "days_p90"];
        let rows = items.iter().map(|s| {
            let FunnelStep { step, cases, per_thousand, days_p25, days_median, days_p75, days_p90 } = s;
            let counts = [(*step).to_owned(), cases.to_string(), per_thousand.to_string()];
            counts.into_iter().chain([*days_p25, *days_median, *days_p75, *days_p90].map(days)).collect()
        });
        return Ok(csv(render::csv(&head, rows)));
    }
    let body = StatisticsFunnel {
        from: question.from.map(Day::from_date),
        to: question.to.map(Day::from_date),
        filters: filters(&question),
        scope: scope(&lane),
        as_of: as_of(until),
        convicted: funnel.convicted,
        archived: funnel.archived,
        items,
    };
    Ok(respond::plain(&req, &body))
}

/// Where victims come from and where they were exploited: from the country of birth (else the first nationality) to the
/// department of the case; each person once per way.
#[utoipa::path(tag = "statistics", summary = "Read the flows of victims", params(Where, VictimWhere),
    responses((status = 200, description = "The flows", content((StatisticsFlows = "application/json"), (String = "text/csv", example = "origin,destination,persons\r\nVE,15,180\r\n")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/flows")]
pub async fn statistics_flows(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &known(Subject::Victims, false))?;
    let question = question(&mut params, Subject::Victims, false);
    let form = form(&req, &mut params, false)?;
    params.finish()?;
    let lane = actions::lane(&allowed.act().scope);
    let (asked, of) = (question.clone(), lane.clone());
    let (flows, until) = actions::ask(&allowed.services().figures, move |memory| memory.flows(&of, &asked)).await?;
    if form == accept::CSV {
        let rows = flows.into_iter().map(|(origin, destination, persons)| vec![origin, destination, persons.to_string()]);
        return Ok(csv(render::csv(&["origin", "destination", "persons"], rows)));
    }
    let body = StatisticsFlows {
        from: question.from.map(Day::from_date),
        to: question.to.map(Day::from_date),
        filters: filters(&question),
        scope: scope(&lane),
        as_of: as_of(until),
        items: flows
            .into_iter()
            .map(|(origin, destination, persons)| Flow { origin, destination, persons })
            .take(MOST_CELLS)
            .collect(),
    };
    Ok(respond::plain(&req, &body))
}
