//! Handlers of the charge operations.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::model::{Charge, Draft};
use super::store;
use super::wire::{ChargeCreate, ChargePage, ChargeView};
use crate::auth::policy::{ChargeRead, ChargeWrite};
use crate::cases::{Section, head_for_write, sight};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{self, Claim, Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::FaultCode;
use crate::kernel::error::{Error, Fault, no_faults};
use crate::kernel::ids::{CaseId, ChargeId};
use crate::ledger::{self, Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(charge_list).service(charge_create).service(charge_read);
}

/// Charges an accused of a case of the caller's agency. The day of the facts decides the offence's version.
#[utoipa::path(tag = "charges", summary = "Make a charge", request_body = ChargeCreate,
    responses((status = 201, description = "The charge", body = ChargeView)),
    security(("oauth2" = ["charges:write"])))]
#[post("/v1/charges")]
pub async fn charge_create(
    req: HttpRequest,
    allowed: Allowed<ChargeWrite>,
    body: Body<ChargeCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let act = allowed.act();
    let (view, tag, replayed) = allowed
        .store()
        .write(move |tx| {
            let ChargeCreate { case_id, accused_id, offence_code, role, aggravators, victims } = new.clone();
            let head = head_for_write(tx, &act.scope, case_id)?;
            let mut faults = Vec::new();
            if !crate::accused::in_case(tx, case_id)?.contains(&accused_id) {
                faults.push(Fault::body("/accused_id", FaultCode::ReferenceNotFound));
            }
            let known = crate::victims::in_case(tx, case_id)?;
            for (index, victim) in victims.iter().enumerate() {
                if !known.contains(victim) {
                    faults.push(Fault::body(format!("/victims/{index}"), FaultCode::ReferenceNotFound));
                }
            }
            let draft = Draft { accused: accused_id, offence_code, role, aggravators, victims };
            let charge = Charge::make(draft, "", &act, case_id, head.case.fact_date(), &mut faults);
            no_faults(faults)?;
            let charge = charge.ok_or_else(|| Error::internal("a charge without faults is there"))?;
            let claim = idempotency::claim(tx, &once, case_id.bucket(), charge.id.erase(), 1, act.now)?;
            if let Claim::Replay { resource, .. } = claim {
                let charge = store::find(tx, ChargeId::from_uuid(resource.uuid()))?;
                return Ok((charge.view(&head.sight), head.sight.view(), true));
            }
            let entries = store::insert(tx, &act, std::slice::from_ref(&charge))?;
            ledger::append(tx, &act.actor, act.now, entries)?;
            Ok((charge.view(&head.sight), head.sight.view(), false))
        })
        .await?;
    Ok(respond::created(&req, &format!("/v1/charges/{}", view.id), view.version, &tag, &view, replayed))
}

/// The charges of a case.
#[utoipa::path(tag = "charges", summary = "List a case's charges",
    params(("case_id" = CaseId, Query, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of charges", body = ChargePage)),
    security(("oauth2" = ["charges:read"])))]
#[get("/v1/charges")]
pub async fn charge_list(req: HttpRequest, allowed: Allowed<ChargeRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["case_id", "limit", "cursor"])?;
    if params.text("case_id").is_none() {
        params.fault("case_id", FaultCode::Required);
    }
    let case: Option<CaseId> = params.read("case_id", |text| text.parse().ok());
    let limit = params.limit();
    params.finish()?;
    let case = case.ok_or(Error::NotFound)?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let services = allowed.services();
    let after = services.cursors.after(&params, client)?;
    let scope = act.scope.clone();
    let page = allowed
        .store()
        .read(move |conn| {
            let sight = sight(conn, &scope, case)?;
            sight.must_see(Section::Charges)?;
            Ok(store::list(conn, case, after.as_ref(), limit)?.map(|c| c.view(&sight)))
        })
        .await?;
    let entry = Entry::listed(client, "charge_list", page.items.iter().map(|c| c.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &ChargePage { items: page.items, next_cursor }))
}

/// One charge.
#[utoipa::path(tag = "charges", summary = "Read a charge", params(("charge_id" = ChargeId, Path, description = "The charge")),
    responses((status = 200, description = "The charge", body = ChargeView)),
    security(("oauth2" = ["charges:read"])))]
#[get("/v1/charges/{charge_id}")]
pub async fn charge_read(req: HttpRequest, allowed: Allowed<ChargeRead>) -> Result<HttpResponse, Problem> {
    let charge: ChargeId = id(&req, "charge_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let scope = act.scope.clone();
    let (view, tag) = allowed
        .store()
        .read(move |conn| {
            let charge = store::find(conn, charge)?;
            let sight = sight(conn, &scope, charge.case)?;
            sight.must_see(Section::Charges)?;
            Ok((charge.view(&sight), sight.view()))
        })
        .await?;
    let entry = Entry::new(Action::Read, charge, Some(view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, view.version, &tag, Some(audit), &view))
}
