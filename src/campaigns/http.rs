//! Handlers of the campaign operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::states::State;
use super::wire::{CampaignCreate, CampaignPage, CampaignPatch, CampaignTransitionCreate, CampaignView};
use super::{actions, model};
use crate::auth::policy::{ProgrammeRead, ProgrammeWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::ids::{CampaignId, TransitionId};
use crate::kernel::{AgencyCode, Result};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::programmes;
use crate::programmes::params::years;
use crate::programmes::store::Filter;
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(campaign_list)
        .service(campaign_plan)
        .service(campaign_read)
        .service(campaign_amend)
        .service(campaign_transition_create)
        .service(campaign_transition_list)
        .service(campaign_transition_available)
        .service(campaign_history);
}

/// Campaigns of every agency, oldest first. A campaign is found in every year from its first phase to its last;
/// bounds are included.
///
/// `?place=LIM` finds those that are seen at Lima's airport, `?venue=border_post` those at borders.
#[utoipa::path(tag = "campaigns", summary = "List campaigns",
    params(("state" = Option<String>, Query, description = "States, comma-separated: any of them", max_length = 200),
        ("year" = Option<i32>, Query, description = "In this year", minimum = 1900, maximum = 2200),
        ("year_from" = Option<i32>, Query, description = "In this year or later", minimum = 1900, maximum = 2200),
        ("year_to" = Option<i32>, Query, description = "In this year or before", minimum = 1900, maximum = 2200),
        ("funder" = Option<String>, Query, description = "Paid by: an agency, or a country (two letters)", max_length = 40),
        ("venue" = Option<String>, Query, description = "Seen at these kinds of venue, comma-separated: any of them (code list `venue_kind`)", max_length = 400),
        ("place" = Option<String>, Query, description = "Seen at the venue of this place code", max_length = 20),
        ("channel" = Option<String>, Query, description = "On these channels, comma-separated: any of them (code list `campaign_channel`)", max_length = 400),
        ("agency" = Option<AgencyCode>, Query, description = "Of this agency", max_length = 40),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page", body = CampaignPage)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/campaigns")]
pub async fn campaign_list(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(
        &req,
        &["state", "year", "year_from", "year_to", "funder", "venue", "place", "channel", "agency", "limit", "cursor"],
    )?;
    let act = allowed.act();
    let venues = params.list("venue", |v| act.catalogue.has_ever("venue_kind", v));
    let channels = params.list("channel", |c| act.catalogue.has_ever("campaign_channel", c));
    let funder = params.read("funder", AgencyCode::parse);
    let place = params.read("place", |p| model::is_place_code(p).then(|| p.to_owned()));
    let mut filter = Filter {
        years: years(&mut params),
        states: params.list("state", |s| State::parse(s).is_some()),
        owner: params.read("agency", AgencyCode::parse),
        ..Filter::default()
    };
    filter.any("funder", &funder.iter().map(ToString::to_string).collect::<Vec<_>>());
    filter.any("venue", &venues);
    filter.any("channel", &channels);
    filter.any("place", &place.into_iter().collect::<Vec<_>>());
    let limit = params.limit();
    params.finish()?;
    let (client, cursors) = (allowed.caller().client, &allowed.services().cursors);
    let after = cursors.after(&params, client)?;
    let page = programmes::actions::page(allowed.store(), &act, filter, (after, limit), model::view).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    let body = CampaignPage { items: page.items, next_cursor: next_cursor.clone() };
    Ok(respond::page(&req, &params, None, next_cursor, &body))
}

/// Plans a campaign of the caller's agency: its slogans in each language, who organises and who pays, the venues at
/// which it is seen, its phases, and its channels.
///
/// Phases stand in order and end after they begin. Two of them may overlap at different venues, an airport's second
/// phase and a border's first, and never at one: a phase without venues is seen at all of them, one without a last
/// day has no end yet.
#[utoipa::path(tag = "campaigns", summary = "Plan a campaign",
    request_body = CampaignCreate,
    responses((status = 201, description = "The campaign", body = CampaignView)),
    security(("oauth2" = ["programmes:write"])))]
#[post("/v1/campaigns")]
pub async fn campaign_plan(
    req: HttpRequest,
    allowed: Allowed<ProgrammeWrite>,
    body: Body<CampaignCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let act = allowed.act();
    let prepared = model::plan(new, &act);
    let written = programmes::actions::create(allowed.store(), act, once, prepared, actions::outside, model::view).await?;
    let location = format!("/v1/campaigns/{}", written.view.id);
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// One campaign. Every agency may read it.
#[utoipa::path(tag = "campaigns", summary = "Read a campaign",
    description = "One campaign. Every agency may read it.",
    params(("campaign_id" = CampaignId, Path, description = "The campaign")),
    responses((status = 200, description = "The campaign", body = CampaignView)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/campaigns/{campaign_id}")]
pub async fn campaign_read(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let campaign: CampaignId = id(&req, "campaign_id")?;
    Params::parse(&req, &[])?;
    let read = programmes::actions::read(allowed.store(), &allowed.act(), campaign, model::view).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, None, &read.view))
}

/// Corrects a campaign (merge patch): null clears, absent leaves; lists are replaced as a whole. Its owner does. Its
/// state moves by transitions.
#[utoipa::path(tag = "campaigns", summary = "Amend a campaign",
    description = "Corrects a campaign (merge patch): null clears, absent leaves; lists are replaced as a whole. Its owner does. Its state moves by transitions.",
    params(("campaign_id" = CampaignId, Path, description = "The campaign")),
    request_body(content = CampaignPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The campaign, changed", body = CampaignView)),
    security(("oauth2" = ["programmes:write"])))]
#[patch("/v1/campaigns/{campaign_id}")]
pub async fn campaign_amend(
    req: HttpRequest,
    allowed: Allowed<ProgrammeWrite>,
    body: Body<CampaignPatch>,
) -> Result<HttpResponse, Problem> {
    let campaign: CampaignId = id(&req, "campaign_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let change = move |record: &mut _, act: &_| model::amend(record, patch.clone(), act);
    let written =
        programmes::actions::amend(allowed.store(), allowed.act(), campaign, version, change, actions::outside, model::view)
            .await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a campaign: planned → running → paused → running → completed → evaluated. Its owner does.
///
/// To start it takes a phase and a slogan: 409 `phase_required`, `slogan_required`. A trigger that does not lead out
/// of the current state answers 409 `no_such_transition`.
#[utoipa::path(tag = "campaigns", summary = "Move a campaign",
    params(("campaign_id" = CampaignId, Path, description = "The campaign")),
    request_body = CampaignTransitionCreate,
    responses((status = 200, description = "The campaign, moved", body = CampaignView)),
    security(("oauth2" = ["programmes:write"])))]
#[post("/v1/campaigns/{campaign_id}/transitions")]
pub async fn campaign_transition_create(
    req: HttpRequest,
    allowed: Allowed<ProgrammeWrite>,
    body: Body<CampaignTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let campaign: CampaignId = id(&req, "campaign_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let act = allowed.act();
    let done: TransitionId = act.id(campaign.bucket());
    let change = move |record: &mut _, act: &_| model::make_move(record, done, &new, act);
    let written =
        programmes::actions::make_move(allowed.store(), act, once, (campaign, version), change, model::view).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a campaign, oldest first.
#[utoipa::path(tag = "campaigns", summary = "List the transitions of a campaign",
    description = "The transitions of a campaign, oldest first.",
    params(("campaign_id" = CampaignId, Path, description = "The campaign"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/campaigns/{campaign_id}/transitions")]
pub async fn campaign_transition_list(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let campaign: CampaignId = id(&req, "campaign_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let client = allowed.caller().client;
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page =
        programmes::actions::list_transitions::<model::CampaignContent>(allowed.store(), campaign, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current state: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "campaigns", summary = "List what may happen next to a campaign",
    description = "Every transition out of the current state: whether this caller may do it now, and if not, why not.",
    params(("campaign_id" = CampaignId, Path, description = "The campaign")),
    responses((status = 200, description = "Transitions out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/campaigns/{campaign_id}/transitions/available")]
pub async fn campaign_transition_available(
    req: HttpRequest,
    allowed: Allowed<ProgrammeRead>,
) -> Result<HttpResponse, Problem> {
    let campaign: CampaignId = id(&req, "campaign_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), campaign, lang).await?;
    Ok(respond::plain(&req, &available))
}

/// Every change of a campaign, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "campaigns", summary = "Read the history of a campaign",
    description = "Every change of a campaign, oldest first: who, when, which fields. No values.",
    params(("campaign_id" = CampaignId, Path, description = "The campaign"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["programmes:read"])))]
#[get("/v1/campaigns/{campaign_id}/history")]
pub async fn campaign_history(req: HttpRequest, allowed: Allowed<ProgrammeRead>) -> Result<HttpResponse, Problem> {
    let campaign: CampaignId = id(&req, "campaign_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let client = allowed.caller().client;
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = programmes::actions::history::<model::CampaignContent>(allowed.store(), campaign, after, limit)
        .await?
        .map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
