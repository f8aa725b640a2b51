//! Handler of the export operation.

use actix_web::{HttpRequest, HttpResponse, post};

use super::wire::{ExportCreate, ExportType};
use crate::auth::policy::{
    AccusedIdentityRead, AccusedRead, CaseRead, ChargeRead, ExportCreate as Door, Permission, ReferralRead,
    VictimIdentityRead, VictimRead,
};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::limits::Daily;
use crate::http::problem::Problem;
use crate::http::respond;
use crate::jobs::wire::JobView;
use crate::jobs::{Job, JobKind, actions};
use crate::kernel::Error;
use crate::kernel::error::no_faults;

/// The scope of exports that say who persons are.
const IDENTITIES: &str = "exports.identity:create";

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(export_create);
}

/// Takes out what the caller's agency may see, and no more, into a file for each kind of record: ask for the job, then
/// fetch the files of its manifest.
///
/// Every record is shown as its own operation shows it to this caller, with the same scopes. Every record and every
/// person shown stands in the ledger before a file can be fetched. In CSV a cell that a spreadsheet would run as a
/// formula (it begins with `=`, `+`, `-`, `@`, a tab or a carriage return) has an apostrophe in front; so has one that
/// begins with apostrophes and then one of these: taking one apostrophe away gives back what was there. Identities are
/// kept for 24 hours and fetched three times at most. `htcds_csv`, `htcds_xlsx` and `htcds_json` make one file of IOM's
/// HTCDS out of the agency's own cases, with their victims and accused by name.
#[utoipa::path(tag = "jobs", summary = "Export records", request_body = ExportCreate,
    responses((status = 202, description = "The job, queued", body = JobView)),
    security(("oauth2" = ["exports:create"])))]
#[post("/v1/exports")]
pub async fn export_create(
    req: HttpRequest,
    allowed: Allowed<Door>,
    body: Body<ExportCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (mut order, fingerprint) = body.read(&allowed).await?;
    order.types.sort();
    order.types.dedup();
    no_faults(order.faults())?;
    let caller = allowed.caller();
    for kind in &order.types {
        let (scope, identity) = match kind {
            ExportType::Case => (CaseRead::SCOPE, None),
            ExportType::Victim => (VictimRead::SCOPE, Some(VictimIdentityRead::SCOPE)),
            ExportType::Accused => (AccusedRead::SCOPE, Some(AccusedIdentityRead::SCOPE)),
            ExportType::Charge => (ChargeRead::SCOPE, None),
            ExportType::Referral => (ReferralRead::SCOPE, None),
        };
        for needed in std::iter::once(scope).chain(identity.filter(|_| order.identities)) {
            if !caller.has(needed) {
                return Err(Error::InsufficientScope(needed).into());
            }
        }
    }
    if order.identities {
        if !caller.has(IDENTITIES) {
            return Err(Error::InsufficientScope(IDENTITIES).into());
        }
        if VictimIdentityRead::PURPOSES.is_some_and(|purposes| !purposes.contains(&caller.purpose)) {
            return Err(Error::PurposeNotAllowed.into());
        }
    }
    allowed.daily(&req, Daily::Export).await?;
    let act = allowed.act();
    let asked = serde_json::to_value(&order).map_err(|_| Error::internal("order of an export"))?;
    let lang = allowed.request().lang.code();
    let mut job = Job::new(caller, &act, JobKind::Export, lang, format!("POST /v1/exports {asked}"), asked);
    job.detail.identities = order.identities;
    let once = Once::new(caller.client, key, fingerprint);
    let written = actions::order(allowed.store(), act, once, job).await?;
    allowed.services().bell.ring();
    let location = format!("/v1/jobs/{}", written.view.id);
    Ok(respond::accepted(&location, written.view.version, &written.tag, &written.view, written.replayed))
}
