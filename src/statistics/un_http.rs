//! Handlers of the tables for the United Nations and of the quality of data.

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, get};

use super::actions;
use super::count::Durations;
use super::http::{as_of, csv, form, scope};
use super::quality::{Filled, Quality};
use super::question::{Lane, Question, Subject};
use super::render;
use super::un::{self, IcTip, Numerator, Row};
use super::wire_un::{
    AgencyQuality, FieldCompleteness, GlotipRow, GlotipTable, IcTipRow, IcTipTable, Inconsistency, QualityTable, SdgRow,
    SdgTable,
};
use crate::auth::policy::StatisticsRead;
use crate::http::accept;
use crate::http::guard::Allowed;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::{Day, FaultCode};

/// Whose population the victims of this registry are counted against.
const COUNTRY: &str = "PE";

/// Mounts the operations.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(statistics_glotip).service(statistics_ic_tip).service(statistics_sdg).service(statistics_quality);
}

fn year(params: &mut Params) -> i32 {
    let read = params.read("year", |text| {
        let digits = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i32>().ok().filter(|y| digits && (1990..=2200).contains(y))
    });
    if params.text("year").is_none() {
        params.fault("year", FaultCode::Required);
    }
    read.unwrap_or(0)
}

/// What UNODC's questionnaire for the Global Report (GLOTIP) asks of a year, in its published long format: detected victims
/// by sex, age, form of exploitation and citizenship; persons prosecuted and convicted of trafficking.
///
/// Exact, over the cases that the caller may see; the releases of `/v1/open-data` hold a protected one. As CSV it has
/// UNODC's column names.
#[utoipa::path(tag = "statistics", summary = "Read the table for GLOTIP",
    params(("year" = i32, Query, description = "The year", minimum = 1990, maximum = 2200, example = 2025)),
    responses((status = 200, description = "The table", content((GlotipTable = "application/json"), (String = "text/csv", example = "Indicator,Dimension,Category,Sex,Age,Year,Unit of measurement,txtVALUE\r\n")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/glotip")]
pub async fn statistics_glotip(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["year"])?;
    let (year, form) = (year(&mut params), form(&req, &mut params, false)?);
    params.finish()?;
    let (lane, services) = (actions::lane(&allowed.act().scope), allowed.services());
    let (law, of) = (Arc::clone(&services.catalogue), lane.clone());
    let (rows, until) = actions::ask(&services.figures, move |memory| un::glotip(memory, &law, &of, year)).await?;
    if form == accept::CSV {
        let head = ["Indicator", "Dimension", "Category", "Sex", "Age", "Year", "Unit of measurement", "txtVALUE"];
        let rows = rows.into_iter().map(|Row { indicator, dimension, category, sex, age, value }| {
            let texts = [indicator, dimension, &category, sex, age].map(str::to_owned);
            texts.into_iter().chain([year.to_string(), "Counts".to_owned(), value.to_string()]).collect()
        });
        return Ok(csv(render::csv(&head, rows)));
    }
    let items = rows
        .into_iter()
        .map(|Row { indicator, dimension, category, sex, age, value }| GlotipRow {
            indicator,
            dimension,
            category,
            sex,
            age,
            value,
        })
        .collect();
    let body = GlotipTable { year, unit: "persons", scope: scope(&lane), as_of: as_of(until), items };
    Ok(respond::plain(&req, &body))
}

/// The blocks of the International Classification of Trafficking in Persons (IC-TIP: event, victim, perpetrator, reporting
/// entity) for a year, with this registry's codes, and beside them the number of the category in ICCS, ISIC or ISO 3166-1 where
/// it has one. Code numbers of IC-TIP itself are not in it: its tables were not at hand.
#[utoipa::path(tag = "statistics", summary = "Read the table for IC-TIP",
    params(("year" = i32, Query, description = "The year", minimum = 1990, maximum = 2200, example = 2025)),
    responses((status = 200, description = "The table", content((IcTipTable = "application/json"), (String = "text/csv", example = "block,variable,category,standard,standard_code,year,value\r\n")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/ic-tip")]
pub async fn statistics_ic_tip(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["year"])?;
    let (year, form) = (year(&mut params), form(&req, &mut params, false)?);
    params.finish()?;
    let (lane, services) = (actions::lane(&allowed.act().scope), allowed.services());
    let (law, of) = (Arc::clone(&services.catalogue), lane.clone());
    let (rows, until) = actions::ask(&services.figures, move |memory| un::ic_tip(memory, &law, &of, year)).await?;
    if form == accept::CSV {
        let rows = rows.into_iter().map(|IcTip { block, variable, category, standard, value }| {
            let (standard, code) = standard.map_or_else(Default::default, |(s, code)| (s.to_owned(), code));
            vec![block.to_owned(), variable.to_owned(), category, standard, code, year.to_string(), value.to_string()]
        });
        let head = ["block", "variable", "category", "standard", "standard_code", "year", "value"];
        return Ok(csv(render::csv(&head, rows)));
    }
    let items = rows
        .into_iter()
        .map(|IcTip { block, variable, category, standard, value }| {
            let (standard, standard_code) = standard.map_or((None, None), |(s, code)| (Some(s), Some(code)));
            IcTipRow { block, variable, category, standard, standard_code, value }
        })
        .collect();
    Ok(respond::plain(&req, &IcTipTable { year, scope: scope(&lane), as_of: as_of(until), items }))
}

/// SDG indicator 16.2.2 (victims of trafficking per 100,000 population) for a year: detected victims by sex, age and form of
/// exploitation; and for oversight, who sees all of them, the population and the rate where the table of population has that
/// sex, age and year.
#[utoipa::path(tag = "statistics", summary = "Read SDG indicator 16.2.2",
    params(("year" = i32, Query, description = "The year", minimum = 1990, maximum = 2200, example = 2025)),
    responses((status = 200, description = "The indicator", content((SdgTable = "application/json"), (String = "text/csv", example = "indicator,year,sex,age,form,value,population,rate_milli\r\n")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/sdg-16-2-2")]
pub async fn statistics_sdg(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["year"])?;
    let (year, form) = (year(&mut params), form(&req, &mut params, false)?);
    params.finish()?;
    let (lane, services) = (actions::lane(&allowed.act().scope), allowed.services());
    let (law, of) = (Arc::clone(&services.catalogue), lane.clone());
    let counted = move |memory: &super::memory::Memory| {
        let rows = un::numerators(memory, &of, year);
        un::with_population(rows, &law, &of, COUNTRY, year)
    };
    let (rows, until) = actions::ask(&services.figures, counted).await?;
    if form == accept::CSV {
        let number = |n: Option<u64>| n.map_or_else(String::new, |n| n.to_string());
        let rows = rows.into_iter().map(|row| {
            let rate = row.rate_milli();
            let Numerator { sex, age, form, value, population } = row;
            let texts = ["16.2.2".to_owned(), year.to_string(), sex.to_owned(), age.to_owned(), form.to_owned()];
            texts.into_iter().chain([value.to_string(), number(population), number(rate)]).collect()
        });
        let head = ["indicator", "year", "sex", "age", "form", "value", "population", "rate_milli"];
        return Ok(csv(render::csv(&head, rows)));
    }
    let items = rows
        .into_iter()
        .map(|row| {
            let rate_milli = row.rate_milli();
            let Numerator { sex, age, form, value, population } = row;
            SdgRow { sex, age, form, value, population, rate_milli }
        })
        .collect();
    let source = services.catalogue.population(COUNTRY, year, "Total", "Total").filter(|_| lane == Lane::All);
    let (population_source, population_verified) =
        source.map_or((None, None), |line| (Some(line.source.clone()), Some(line.verified)));
    Ok(respond::plain(
        &req,
        &SdgTable {
            year,
            indicator: "16.2.2",
            scope: scope(&lane),
            as_of: as_of(until),
            population_source,
            population_verified,
            items,
        },
    ))
}

fn quality(of: Quality) -> AgencyQuality {
    let Quality { agency, cases, completeness, timeliness, inconsistencies } = of;
    let Durations { cases: _, p25: _, median, p75: _, p90 } = timeliness;
    let field = |(field, Filled { recorded, of }): (&'static str, Filled)| FieldCompleteness {
        field,
        recorded,
        of,
        per_thousand: (recorded * 1_000).checked_div(of).unwrap_or(0),
    };
    AgencyQuality {
        agency,
        cases,
        completeness: completeness.into_iter().map(field).collect(),
        days_median: median,
        days_p90: p90,
        inconsistencies: inconsistencies.into_iter().map(|(issue, cases)| Inconsistency { issue, cases }).collect(),
    }
}

/// How good the data are: what is recorded, how many days after the report, and what contradicts itself. Of the caller's own
/// cases; for oversight, agency by agency.
#[utoipa::path(tag = "statistics", summary = "Read the quality of data",
    params(("from" = Option<Day>, Query, description = "First day of the report that counts", max_length = 10),
        ("to" = Option<Day>, Query, description = "Last day of the report that counts", max_length = 10)),
    responses((status = 200, description = "The quality", content((QualityTable = "application/json"), (String = "text/csv", example = "agency,measure,recorded,of\r\n")))),
    security(("oauth2" = ["statistics:read"])))]
#[get("/v1/statistics/quality")]
pub async fn statistics_quality(req: HttpRequest, allowed: Allowed<StatisticsRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["from", "to"])?;
    let (from, to) = super::http::bounds(&mut params);
    let form = form(&req, &mut params, false)?;
    params.finish()?;
    let question = Question { from, to, ..Question::of(Subject::Cases) };
    let lane = actions::lane(&allowed.act().scope);
    let of = lane.clone();
    let (found, until) = actions::ask(&allowed.services().figures, move |memory| memory.quality(&of, &question)).await?;
    let items: Vec<AgencyQuality> = found.into_iter().map(quality).collect();
    if form == accept::CSV {
        let rows = items.iter().flat_map(|q| {
            let filled = q.completeness.iter().map(|f| (f.field, f.recorded, f.of));
            let issues = q.inconsistencies.iter().map(|i| (i.issue, i.cases, q.cases));
            filled
                .chain(issues)
                .map(|(measure, n, of)| vec![q.agency.clone(), measure.to_owned(), n.to_string(), of.to_string()])
        });
        return Ok(csv(render::csv(&["agency", "measure", "recorded", "of"], rows)));
    }
    let body = QualityTable {
        from: from.map(Day::from_date),
        to: to.map(Day::from_date),
        scope: scope(&lane),
        as_of: as_of(until),
        items,
    };
    Ok(respond::plain(&req, &body))
}
