//! Handlers of the reunification operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::states::State;
use super::wire::{
    BeneficiaryCreate, BeneficiaryPatch, BeneficiaryTransitionCreate, ReunificationCreate, ReunificationPage,
    ReunificationPatch, ReunificationView,
};
use super::{actions, desk};
use crate::auth::policy::{AssistanceRead, AssistanceWrite, VictimIdentityRead, may_name, opens};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Result;
use crate::kernel::ids::{BeneficiaryId, ReunificationId, VictimId};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::programmes::params::year;
use crate::transitions::{AvailableTransitions, TransitionPage};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(reunification_list)
        .service(victim_reunification_begin)
        .service(reunification_read)
        .service(reunification_amend)
        .service(reunification_beneficiary_add)
        .service(beneficiary_amend)
        .service(beneficiary_transition_create)
        .service(beneficiary_transition_list)
        .service(beneficiary_transition_available)
        .service(reunification_history);
}

/// Begins to bring a victim and relatives together: where, with which status, who helps with visas and tickets, and
/// who is to come.
///
/// To name another agency as sponsor tells it of the person, so it takes a ground, as assistance does. Names of
/// relatives need the scope `victims.identity:write` and are shown as the victim's identity is.
#[utoipa::path(tag = "reunifications", summary = "Begin a reunification",
    params(("victim_id" = VictimId, Path, description = "The victim")),
    request_body = ReunificationCreate,
    responses((status = 201, description = "The reunification", body = ReunificationView)),
    security(("oauth2" = ["assistance:write"])))]
#[post("/v1/victims/{victim_id}/reunifications")]
pub async fn victim_reunification_begin(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<ReunificationCreate>,
) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let caller = allowed.caller();
    may_name(caller, new.beneficiaries.iter().any(|b| b.name.is_some()))?;
    let (once, names) = (Once::new(caller.client, key, fingerprint), opens::<VictimIdentityRead>(caller));
    let written = actions::begin(allowed.store(), allowed.act(), once, victim, new, names).await?;
    let location = format!("/v1/reunifications/{}", written.view.id);
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_reunification"))
        .await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The reunifications that the caller's agency registered or sponsors, oldest first, without names; for oversight
/// everybody's. `totals` counts the whole list, and persons one by one.
///
/// `?country=US&reunited_in=2012` asks who was reunited with a victim in the United States in 2012: `totals.victims`
/// and `totals.persons` are the answer. Whoever came together is counted in that year, whatever happened later.
#[utoipa::path(tag = "reunifications", summary = "List reunifications and count the persons",
    params(("country" = Option<String>, Query, description = "In this country (ISO 3166-1 alpha-2)", max_length = 2),
        ("reunited_in" = Option<i32>, Query, description = "With somebody who was reunited in this year", minimum = 1900, maximum = 2200),
        ("beneficiary_state" = Option<String>, Query, description = "With somebody in any of these states, comma-separated", max_length = 200),
        ("victim_id" = Option<VictimId>, Query, description = "Of this victim"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of reunifications, and the totals", body = ReunificationPage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/reunifications")]
pub async fn reunification_list(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["country", "reunited_in", "beneficiary_state", "victim_id", "limit", "cursor"])?;
    let act = allowed.act();
    let filter = desk::Filter {
        country: params.read("country", |c| act.catalogue.country_known(c).then(|| c.to_owned())),
        states: params.list("beneficiary_state", |s| State::parse(s).is_some()),
        victim: params.read("victim_id", |v| v.parse().ok()),
        reunited: year(&mut params, "reunited_in").map(|year| (year, year)),
    };
    let limit = params.limit();
    params.finish()?;
    let (client, services) = (allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let (page, totals) = actions::list(allowed.store(), &act, filter, after, limit).await?;
    let entry = Entry::listed(client, "victim_reunification", page.items.iter().map(|r| r.victim_id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    let body = ReunificationPage { items: page.items, next_cursor: next_cursor.clone(), totals };
    Ok(respond::page(&req, &params, Some(audit), next_cursor, &body))
}

/// One reunification. Names of relatives are shown with the scope `victims.identity:read` to those who see the
/// victim's identity, and to the sponsor.
#[utoipa::path(tag = "reunifications", summary = "Read a reunification",
    description = "One reunification. Names of relatives are shown with the scope `victims.identity:read` to those who see the victim's identity, and to the sponsor.",
    params(("reunification_id" = ReunificationId, Path, description = "The reunification")),
    responses((status = 200, description = "The reunification", body = ReunificationView)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/reunifications/{reunification_id}")]
pub async fn reunification_read(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let reunification: ReunificationId = id(&req, "reunification_id")?;
    Params::parse(&req, &[])?;
    let (act, names) = (allowed.act(), opens::<VictimIdentityRead>(allowed.caller()));
    let (read, named) = actions::read(allowed.store(), &act, reunification, names).await?;
    if named {
        allowed.subject(&req, read.view.victim_id).await?;
    }
    let entry = Entry::new(Action::Read, read.view.victim_id, Some(read.view.version)).about("victim_reunification");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Corrects a reunification (merge patch): null clears, absent leaves. Its keeper does: the owner of a case of the
/// victim, or the agency that registered it.
///
/// Another sponsor, basis or consent is checked as at the beginning.
#[utoipa::path(tag = "reunifications", summary = "Amend a reunification",
    params(("reunification_id" = ReunificationId, Path, description = "The reunification")),
    request_body(content = ReunificationPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The reunification, changed", body = ReunificationView)),
    security(("oauth2" = ["assistance:write"])))]
#[patch("/v1/reunifications/{reunification_id}")]
pub async fn reunification_amend(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<ReunificationPatch>,
) -> Result<HttpResponse, Problem> {
    let reunification: ReunificationId = id(&req, "reunification_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let names = opens::<VictimIdentityRead>(allowed.caller());
    let version = etag::if_match(&req)?;
    let written = actions::amend(allowed.store(), allowed.act(), reunification, version, patch, names).await?;
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_reunification"))
        .await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// One more relative who is to join the victim. The keeper or the sponsor adds her or him.
#[utoipa::path(tag = "reunifications", summary = "Add a relative",
    description = "One more relative who is to join the victim. The keeper or the sponsor adds her or him.",
    params(("reunification_id" = ReunificationId, Path, description = "The reunification")),
    request_body = BeneficiaryCreate,
    responses((status = 201, description = "The reunification, with one more relative", body = ReunificationView)),
    security(("oauth2" = ["assistance:write"])))]
#[post("/v1/reunifications/{reunification_id}/beneficiaries")]
pub async fn reunification_beneficiary_add(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<BeneficiaryCreate>,
) -> Result<HttpResponse, Problem> {
    let reunification: ReunificationId = id(&req, "reunification_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let caller = allowed.caller();
    may_name(caller, new.name.is_some())?;
    let (once, names) = (Once::new(caller.client, key, fingerprint), opens::<VictimIdentityRead>(caller));
    let written = actions::add_beneficiary(allowed.store(), allowed.act(), once, reunification, new, names).await?;
    let location = format!("/v1/reunifications/{}", written.view.id);
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_reunification"))
        .await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// Corrects a relative (merge patch): null clears, absent leaves; tickets are replaced as a whole. The keeper or the
/// sponsor does. Once closed, a relative stays as he or she is: 409 `ended`.
#[utoipa::path(tag = "reunifications", summary = "Amend a relative",
    description = "Corrects a relative (merge patch): null clears, absent leaves; tickets are replaced as a whole. The keeper or the sponsor does. Once closed, a relative stays as he or she is: 409 `ended`.",
    params(("reunification_id" = ReunificationId, Path, description = "The reunification"),
        ("beneficiary_id" = BeneficiaryId, Path, description = "The relative")),
    request_body(content = BeneficiaryPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The reunification, changed", body = ReunificationView)),
    security(("oauth2" = ["assistance:write"])))]
#[patch("/v1/reunifications/{reunification_id}/beneficiaries/{beneficiary_id}")]
pub async fn beneficiary_amend(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<BeneficiaryPatch>,
) -> Result<HttpResponse, Problem> {
    let reunification: ReunificationId = id(&req, "reunification_id")?;
    let beneficiary: BeneficiaryId = id(&req, "beneficiary_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let caller = allowed.caller();
    may_name(caller, patch.name.is_present())?;
    let names = opens::<VictimIdentityRead>(caller);
    let version = etag::if_match(&req)?;
    let written =
        actions::amend_beneficiary(allowed.store(), allowed.act(), (reunification, beneficiary), version, patch, names)
            .await?;
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_reunification"))
        .await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a relative: requested → eligibility_checked → documents → visa_applied → visa_granted (or refused, and
/// applied for again) → travel_booked → travelled → reunited → follow_up → closed. Whoever needs no visa travels on
/// papers; every way can be closed, before they are reunited with a reason.
///
/// Nobody travels without a ticket (409 `ticket_required`) or a visa that was asked for (`visa_not_granted`). A
/// minor, and whoever's age is unknown, travels with an escort (`escort_required`) and after the determination of the
/// child's best interest (`best_interest_required`). To apply for a visa, to book and to travel take a ground
/// (`ground_required`) and, where that is a consent, one that is in force (`consent_not_in_force`).
#[utoipa::path(tag = "reunifications", summary = "Move a relative",
    params(("reunification_id" = ReunificationId, Path, description = "The reunification"),
        ("beneficiary_id" = BeneficiaryId, Path, description = "The relative")),
    request_body = BeneficiaryTransitionCreate,
    responses((status = 200, description = "The reunification, with the relative moved", body = ReunificationView)),
    security(("oauth2" = ["assistance:write"])))]
#[post("/v1/reunifications/{reunification_id}/beneficiaries/{beneficiary_id}/transitions")]
pub async fn beneficiary_transition_create(
    req: HttpRequest,
    allowed: Allowed<AssistanceWrite>,
    body: Body<BeneficiaryTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let reunification: ReunificationId = id(&req, "reunification_id")?;
    let beneficiary: BeneficiaryId = id(&req, "beneficiary_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let caller = allowed.caller();
    let (once, names) = (Once::new(caller.client, key, fingerprint), opens::<VictimIdentityRead>(caller));
    let written =
        actions::make_move(allowed.store(), allowed.act(), once, (reunification, beneficiary), version, new, names).await?;
    allowed
        .looked(Entry::new(Action::Read, written.view.victim_id, Some(written.view.version)).about("victim_reunification"))
        .await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a relative, oldest first.
#[utoipa::path(tag = "reunifications", summary = "List the transitions of a relative",
    description = "The transitions of a relative, oldest first.",
    params(("reunification_id" = ReunificationId, Path, description = "The reunification"),
        ("beneficiary_id" = BeneficiaryId, Path, description = "The relative"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/reunifications/{reunification_id}/beneficiaries/{beneficiary_id}/transitions")]
pub async fn beneficiary_transition_list(
    req: HttpRequest,
    allowed: Allowed<AssistanceRead>,
) -> Result<HttpResponse, Problem> {
    let reunification: ReunificationId = id(&req, "reunification_id")?;
    let beneficiary: BeneficiaryId = id(&req, "beneficiary_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, (reunification, beneficiary), after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current state: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "reunifications", summary = "List what may happen next to a relative",
    description = "Every transition out of the current state: whether this caller may do it now, and if not, why not.",
    params(("reunification_id" = ReunificationId, Path, description = "The reunification"),
        ("beneficiary_id" = BeneficiaryId, Path, description = "The relative")),
    responses((status = 200, description = "Transitions out of the current state", body = AvailableTransitions)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/reunifications/{reunification_id}/beneficiaries/{beneficiary_id}/transitions/available")]
pub async fn beneficiary_transition_available(
    req: HttpRequest,
    allowed: Allowed<AssistanceRead>,
) -> Result<HttpResponse, Problem> {
    let reunification: ReunificationId = id(&req, "reunification_id")?;
    let beneficiary: BeneficiaryId = id(&req, "beneficiary_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), (reunification, beneficiary), lang).await?;
    Ok(respond::plain(&req, &available))
}

/// Every change of a reunification, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "reunifications", summary = "Read the history of a reunification",
    description = "Every change of a reunification, oldest first: who, when, which fields. No values.",
    params(("reunification_id" = ReunificationId, Path, description = "The reunification"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["assistance:read"])))]
#[get("/v1/reunifications/{reunification_id}/history")]
pub async fn reunification_history(req: HttpRequest, allowed: Allowed<AssistanceRead>) -> Result<HttpResponse, Problem> {
    let reunification: ReunificationId = id(&req, "reunification_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, reunification, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
