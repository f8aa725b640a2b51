//! Handlers of the case operations: extract, call one action, map.

use actix_web::http::header::{HeaderValue, LINK};
use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::actions::{self, Written};
use super::docket::Filter;
use super::duplicates;
use super::wire::{
    CaseCreate, CaseDuplicates, CaseExpanded, CaseOpened, CasePage, CasePatch, CaseTransitionCreate, CaseView,
};
use crate::accused::wire::AccusedPage;
use crate::auth::policy::{CaseRead, CaseWrite};
use crate::charges::wire::ChargePage;
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::error::Fault;
use crate::kernel::ids::{AccusedId, CaseId, VictimId};
use crate::kernel::page::Limit;
use crate::kernel::{Error, FaultCode};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::transitions::{AvailableTransitions, TransitionPage};
use crate::victims::wire::CaseVictimPage;
use crate::{accused, charges, victims};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_list)
        .service(case_open)
        .service(case_read)
        .service(case_amend)
        .service(case_transition_create)
        .service(case_transition_list)
        .service(case_transition_available)
        .service(case_history);
    super::participants_http::routes(cfg);
}

/// Registers a case with its victims, accused and charges, all or nothing.
///
/// Means are required for an adult victim and never for a minor; a victim of unknown age counts as a minor.
/// The date of the facts decides which version of an offence applies. The record belongs to the caller's agency. Persons in
/// the caller's sight who may be the same as one of the case's are told (`possible_duplicates`); they stop nothing.
#[utoipa::path(tag = "cases", summary = "Open a case", request_body = CaseCreate,
    responses((status = 201, description = "The case, registered", body = CaseOpened)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases")]
pub async fn case_open(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<CaseCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    // Names and documents have a scope of their own, whichever door they come in by.
    let caller = allowed.caller();
    if input.victims.iter().any(|v| v.identity.is_some()) && !caller.has("victims.identity:write") {
        return Err(Error::InsufficientScope("victims.identity:write").into());
    }
    if input.accused.iter().any(|a| a.identity.is_some()) && !caller.has("accused.identity:write") {
        return Err(Error::InsufficientScope("accused.identity:write").into());
    }
    let once = Once::new(caller.client, key, fingerprint);
    let named = input.victims.iter().any(|v| v.identity.is_some()) || input.accused.iter().any(|a| a.identity.is_some());
    let act = allowed.act();
    let written = actions::open_case(allowed.store(), act.clone(), once, input).await?;
    let Written { view: opened, tag, replayed } = written;
    let possible_duplicates =
        if named { duplicates::of_case(allowed.store(), &act, opened.id).await? } else { CaseDuplicates::default() };
    let (victims, accused) = (&possible_duplicates.victims, &possible_duplicates.accused);
    let harmed: Vec<VictimId> = victims.iter().flat_map(|d| &d.candidates).map(|c| c.victim_id).collect();
    let suspected: Vec<AccusedId> = accused.iter().flat_map(|d| &d.candidates).map(|c| c.accused_id).collect();
    let access = &allowed.services().access;
    if !harmed.is_empty() {
        let entry = Entry::listed(caller.client, "victim_duplicates", harmed.into_iter());
        access.record(&act.actor, act.now, entry).await?;
    }
    if !suspected.is_empty() {
        let entry = Entry::listed(caller.client, "accused_duplicates", suspected.into_iter());
        access.record(&act.actor, act.now, entry).await?;
    }
    let location = format!("/v1/cases/{}", opened.id);
    let (version, view) = (opened.version, CaseOpened { opened, possible_duplicates });
    allowed.looked(Entry::new(Action::Read, view.opened.id, Some(version))).await?;
    Ok(respond::created(&req, &location, version, &tag, &view, replayed))
}

/// Cases that the caller may see, newest change first.
#[utoipa::path(tag = "cases", summary = "List cases",
    description = "Cases that the caller may see, newest change first.",
    params(
        ("stage" = Option<String>, Query, description = "Stages, comma-separated: any of them", max_length = 400),
        ("agency" = Option<String>, Query, description = "Owner agency", max_length = 40),
        ("identifier" = Option<String>, Query, description = "A file number, `SCHEME:value`", max_length = 100),
        ("territory" = Option<String>, Query, description = "UBIGEO prefix of 2, 4 or 6 digits", max_length = 6),
        ("exploitation" = Option<String>, Query, description = "A form of exploitation", max_length = 40),
        ("reported_from" = Option<String>, Query, description = "Reported at or after (RFC 3339)", max_length = 40),
        ("reported_to" = Option<String>, Query, description = "Reported before (RFC 3339)", max_length = 40),
        ("updated_from" = Option<String>, Query, description = "Changed at or after (RFC 3339)", max_length = 40),
        ("sort" = Option<String>, Query, description = "`-updated_at` (default), `updated_at`, `-reported_at` or `reported_at`", max_length = 20),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of cases", body = CasePage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases")]
pub async fn case_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(
        &req,
        &[
            "stage",
            "agency",
            "identifier",
            "territory",
            "exploitation",
            "reported_from",
            "reported_to",
            "updated_from",
            "sort",
            "limit",
            "cursor",
        ],
    )?;
    let act = allowed.act();
    let law = &act.catalogue;
    let filter = Filter {
        stages: params.list("stage", |s| law.stage_known(s)),
        owner: params.read("agency", crate::kernel::AgencyCode::parse),
        territory: params.read("territory", |t| law.territory_known(t).then(|| t.to_owned())),
        exploitation: params.read("exploitation", |e| law.has_ever("exploitation", e).then(|| e.to_owned())),
        reported_from: params.timestamp("reported_from"),
        reported_to: params.timestamp("reported_to"),
        updated_from: params.timestamp("updated_from"),
        case: None,
        sort: params.read("sort", |s| s.parse().ok()).unwrap_or_default(),
    };
    let number = params.read("identifier", |text| {
        let (scheme, value) = text.split_once(':')?;
        let normal_form = law.scheme(scheme).filter(|s| s.subject == "case")?.normalise(value).ok()?;
        Some(actions::NumberFilter { scheme: scheme.to_owned(), normal_form })
    });
    let limit = params.limit();
    params.finish()?;
    let services = allowed.services();
    let after = services.cursors.after(&params, allowed.caller().client)?;
    let page = actions::list_cases(allowed.store(), &act, filter, number, after, limit).await?;
    let entry = Entry::listed(allowed.caller().client, "case_list", page.items.iter().map(|c| c.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, allowed.caller().client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &CasePage { items: page.items, next_cursor }))
}

/// One case, with what the caller was granted; what was withheld is named in `redacted`.
///
/// A file that was joined to another one or transferred says where it goes on: `continued_in`, and a `Link` with
/// `rel="successor-version"`. `expand` adds the first 50 victims, accused or charges, each with the scope of its own list.
#[utoipa::path(tag = "cases", summary = "Read a case",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("expand" = Option<String>, Query, description = "`victims`, `accused`, `charges`, comma-separated", max_length = 40)),
    responses((status = 200, description = "The case", body = CaseExpanded)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}")]
pub async fn case_read(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["expand"])?;
    let wanted = params.list("expand", |child| CHILDREN.iter().any(|(name, _)| *name == child));
    params.finish()?;
    let forbidden = |child: &str| CHILDREN.iter().any(|(name, scope)| *name == child && !allowed.caller().has(scope));
    if wanted.iter().any(|child| forbidden(child)) {
        return Err(Error::FieldForbidden(vec![Fault::parameter("expand", FaultCode::Enum)]).into());
    }
    let act = allowed.act();
    let read = actions::read_case(allowed.store(), &act, case).await?;
    let entry = Entry::new(Action::Read, case, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    let mut body = CaseExpanded { case: read.view, victims: None, accused: None, charges: None };
    let mut response = if wanted.is_empty() {
        respond::ok(&req, body.case.version, &read.tag, Some(audit), &body)
    } else {
        expand(&allowed, case, &wanted, &mut body).await?;
        // The children have versions of their own, so the case's tag would lie.
        respond::audited_plain(&req, audit, &body)
    };
    if let Some(next) = body.case.continued_in
        && let Ok(link) = HeaderValue::from_str(&format!("</v1/cases/{next}>; rel=\"successor-version\""))
    {
        response.headers_mut().insert(LINK, link);
    }
    Ok(response)
}

/// What can be expanded, and the scope that it takes.
const CHILDREN: &[(&str, &str)] = &[("victims", "victims:read"), ("accused", "accused:read"), ("charges", "charges:read")];

/// Puts children beside a case, as their own lists would show them; what this caller may not see is named as withheld.
async fn expand(
    allowed: &Allowed<CaseRead>,
    case: CaseId,
    wanted: &[String],
    body: &mut CaseExpanded,
) -> Result<(), Problem> {
    let (store, act, client, services) = (allowed.store(), allowed.act(), allowed.caller().client, allowed.services());
    let shown = |entry| services.access.record(&act.actor, act.now, entry);
    let own = |list: &str| Params::of(format!("/v1/cases/{case}/{list}"), &[]);
    let of_case = Params::of("/v1/charges".to_owned(), &[("case_id", case.to_string())]);
    let mut withheld = Vec::new();
    for child in wanted {
        let found = match child.as_str() {
            "victims" => victims::actions::list_victims(store, &act, case, None, Limit::DEFAULT).await.map(|page| {
                let entry = Entry::listed(client, "victim_list", page.items.iter().map(|v| v.victim_id));
                let next_cursor = services.cursors.next(&own("victims"), client, page.next.as_ref());
                next_cursor.map(|next_cursor| {
                    body.victims = Some(CaseVictimPage { items: page.items, next_cursor });
                    entry
                })
            }),
            "accused" => accused::actions::list_accused(store, &act, case, None, Limit::DEFAULT).await.map(|page| {
                let entry = Entry::listed(client, "accused_list", page.items.iter().map(|a| a.id));
                let next_cursor = services.cursors.next(&own("accused"), client, page.next.as_ref());
                next_cursor.map(|next_cursor| {
                    body.accused = Some(AccusedPage { items: page.items, next_cursor });
                    entry
                })
            }),
            _ => {
                let every = charges::store::Filter { accused: None, offence_code: None, state: None };
                charges::actions::list_charges(store, &act, case, every, None, Limit::DEFAULT).await.map(|page| {
                    let entry = Entry::listed(client, "charge_list", page.items.iter().map(|c| c.id));
                    let next_cursor = services.cursors.next(&of_case, client, page.next.as_ref());
                    next_cursor.map(|next_cursor| {
                        body.charges = Some(ChargePage { items: page.items, next_cursor });
                        entry
                    })
                })
            }
        };
        match found {
            Ok(entry) => {
                shown(entry?).await?;
            }
            Err(Error::NotFound) => withheld.push(format!("#/{child}")),
            Err(other) => return Err(other.into()),
        }
    }
    body.case.redacted.extend(withheld);
    Ok(())
}

/// Changes fields of a case (merge patch): null clears, absent leaves. The stage moves by transitions only.
#[utoipa::path(tag = "cases", summary = "Amend a case",
    description = "Changes fields of a case (merge patch): null clears, absent leaves. The stage moves by transitions only.", params(("case_id" = CaseId, Path, description = "The case")),
    request_body(content = CasePatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The case, changed", body = CaseView)),
    security(("oauth2" = ["cases:write"])))]
#[patch("/v1/cases/{case_id}")]
pub async fn case_amend(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<CasePatch>,
) -> Result<HttpResponse, Problem> {
    let case = id(&req, "case_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_case(allowed.store(), allowed.act(), case, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, case, Some(written.view.version))).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Moves a case to another stage by a procedural act of the jurisdiction's profile.
///
/// A refused transition answers 409 with the code of each guard that failed.
#[utoipa::path(tag = "cases", summary = "Move a case", params(("case_id" = CaseId, Path, description = "The case")),
    request_body = CaseTransitionCreate,
    responses((status = 200, description = "The case, moved", body = CaseView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases/{case_id}/transitions")]
pub async fn case_transition_create(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<CaseTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let case = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::move_case(allowed.store(), allowed.act(), once, case, version, input).await?;
    allowed.looked(Entry::new(Action::Read, case, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The transitions of a case, oldest first.
#[utoipa::path(tag = "cases", summary = "List a case's transitions",
    description = "The transitions of a case, oldest first.",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/transitions")]
pub async fn case_transition_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_transitions(allowed.store(), &act, case, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// Every transition out of the current stage: whether this caller may do it now, and if not, why not.
#[utoipa::path(tag = "cases", summary = "List what may happen next",
    description = "Every transition out of the current stage: whether this caller may do it now, and if not, why not.",
    params(("case_id" = CaseId, Path, description = "The case")),
    responses((status = 200, description = "Transitions out of the current stage", body = AvailableTransitions)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/transitions/available")]
pub async fn case_transition_available(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    Params::parse(&req, &[])?;
    let lang = allowed.request().lang.code();
    let available = actions::available(allowed.store(), &allowed.act(), case, lang).await?;
    Ok(respond::plain(&req, &available))
}

/// Every change of a case, oldest first: who, when, which fields. No values.
#[utoipa::path(tag = "cases", summary = "Read a case's history",
    description = "Every change of a case, oldest first: who, when, which fields. No values.",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/history")]
pub async fn case_history(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, case, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}
