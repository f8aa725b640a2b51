//! Handlers of the audit operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get};

use super::actions;
use super::model::Filter;
use super::wire::{AuditPage, ConsistencyProof, InclusionProof, LedgerCheckpoint, LedgerCheckpointPage};
use crate::auth::Purpose;
use crate::auth::policy::{AuditProof, AuditRead};
use crate::http::guard::Allowed;
use crate::http::path::{id, text};
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::ids::{ClientId, EntryId, ResourceId};
use crate::kernel::{AgencyCode, Error, FaultCode};
use crate::ledger::Entry;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(audit_entry_list)
        .service(audit_entry_proof)
        .service(audit_checkpoint_list)
        .service(audit_checkpoint_read)
        .service(audit_consistency_read);
}

/// Longest size that a caller can ask for: what JSON numbers carry.
fn size(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.len() <= 15 && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|n| digits && *n > 0)
}

/// Type of a resource as the ledger writes it.
fn kind(text: &str) -> Option<String> {
    let word = (1..=60).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    word.then(|| text.to_owned())
}

/// The entries of the record that the caller may see, newest first: every one for oversight, those of its own agency for a
/// partner.
///
/// Changes and accesses alike. An entry names records, fields and states, never what stands in them. A page may hold fewer
/// entries than asked for and still have a next one: a request looks at 1,000 entries at most. Looking is an entry too.
#[utoipa::path(tag = "audit", summary = "List the entries of the record",
    params(
        ("resource_id" = Option<ResourceId>, Query, description = "What was done to this record, or seen of it"),
        ("resource_type" = Option<String>, Query, description = "Type of the record: `case`, `victim_identity` …", min_length = 1, max_length = 60, example = "case"),
        ("agency" = Option<String>, Query, description = "By this agency", min_length = 2, max_length = 40),
        ("client_id" = Option<ClientId>, Query, description = "By this partner system"),
        ("purpose" = Option<String>, Query, description = "For this purpose (code list `purpose_of_use`)", min_length = 1, max_length = 60, example = "prosecution"),
        ("at_from" = Option<String>, Query, description = "From this instant on", format = DateTime, max_length = 40, example = "2025-06-01T00:00:00Z"),
        ("at_to" = Option<String>, Query, description = "Before this instant", format = DateTime, max_length = 40, example = "2200-01-01T00:00:00Z"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of entries", body = AuditPage)),
    security(("oauth2" = ["audit:read"])))]
#[get("/v1/audit/entries")]
pub async fn audit_entry_list(req: HttpRequest, allowed: Allowed<AuditRead>) -> Result<HttpResponse, Problem> {
    let known = ["resource_id", "resource_type", "agency", "client_id", "purpose", "at_from", "at_to", "limit", "cursor"];
    let mut params = Params::parse(&req, &known)?;
    let filter = Filter {
        resource: params.read("resource_id", |t| t.parse().ok()),
        resource_type: params.read("resource_type", kind),
        agency: params.read("agency", AgencyCode::parse),
        client: params.read("client_id", |t| t.parse().ok()),
        purpose: params.read("purpose", Purpose::parse),
        from: params.timestamp("at_from"),
        to: params.timestamp("at_to"),
    };
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_entries(allowed.store(), &act, filter, after, limit).await?;
    let entry = Entry::listed(client, "audit_list", page.items.iter().map(|e| e.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &AuditPage { items: page.items, next_cursor }))
}

/// The proof that an entry is in the record: of the size asked for, else of the newest checkpoint that covers it.
///
/// Whoever holds a signed checkpoint of that size verifies it offline: `leaf` is what is hashed, `hashes` lead from it to the
/// root. An entry gets its place some 100 ms after it was written; until then it is not found here.
#[utoipa::path(tag = "audit", summary = "Prove that an entry is in the record",
    params(("entry_id" = EntryId, Path, description = "The entry: `Audit-Event-Id`, or the id of an event of a history"),
        ("size" = Option<i64>, Query, description = "Entries of the tree to prove it in", minimum = 1, maximum = 999_999_999_999_999_i64)),
    responses((status = 200, description = "The proof", body = InclusionProof)),
    security(("oauth2" = ["audit.proof:read"])))]
#[get("/v1/audit/entries/{entry_id}/proof")]
pub async fn audit_entry_proof(req: HttpRequest, allowed: Allowed<AuditProof>) -> Result<HttpResponse, Problem> {
    let entry: EntryId = id(&req, "entry_id")?;
    let mut params = Params::parse(&req, &["size"])?;
    let size = params.read("size", size);
    params.finish()?;
    let proof = actions::prove_entry(allowed.store(), &allowed.act(), entry, size).await?;
    Ok(respond::plain(&req, &proof))
}

/// The signed checkpoints of the record, latest first. Keep one outside the registry: a later record that does not extend it
/// has been changed.
#[utoipa::path(tag = "audit", summary = "List the checkpoints of the record",
    params(("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of checkpoints", body = LedgerCheckpointPage)),
    security(("oauth2" = ["audit.proof:read"])))]
#[get("/v1/audit/checkpoints")]
pub async fn audit_checkpoint_list(req: HttpRequest, allowed: Allowed<AuditProof>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (client, services) = (allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_checkpoints(allowed.store(), after, limit).await?;
    let page = page.map(|signed| LedgerCheckpoint::of(signed, &services.notary));
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    let body = LedgerCheckpointPage { items: page.items, next_cursor: next_cursor.clone() };
    Ok(respond::page(&req, &params, None, next_cursor, &body))
}

/// The checkpoint over so many entries. Not every size was signed.
#[utoipa::path(tag = "audit", summary = "Read a checkpoint of the record",
    params(("size" = i64, Path, description = "Entries that it covers", minimum = 1, maximum = 999_999_999_999_999_i64)),
    responses((status = 200, description = "The checkpoint", body = LedgerCheckpoint)),
    security(("oauth2" = ["audit.proof:read"])))]
#[get("/v1/audit/checkpoints/{size}")]
pub async fn audit_checkpoint_read(req: HttpRequest, allowed: Allowed<AuditProof>) -> Result<HttpResponse, Problem> {
    Params::parse(&req, &[])?;
    let wanted = size(text(&req, "size")?).and_then(|s| i64::try_from(s).ok()).ok_or(Error::NotFound)?;
    let signed = actions::read_checkpoint(allowed.store(), wanted).await?;
    Ok(respond::plain(&req, &LedgerCheckpoint::of(signed, &allowed.services().notary)))
}

/// The proof that the record of `to` entries extends that of `from`: nothing in between was changed, taken away or put in.
#[utoipa::path(tag = "audit", summary = "Prove that the record was only added to",
    params(("from" = i64, Query, description = "Entries of the earlier tree", minimum = 1, maximum = 999_999_999_999_999_i64, example = 1),
        ("to" = i64, Query, description = "Entries of the later tree", minimum = 1, maximum = 999_999_999_999_999_i64, example = 2)),
    responses((status = 200, description = "The proof", body = ConsistencyProof)),
    security(("oauth2" = ["audit.proof:read"])))]
#[get("/v1/audit/consistency")]
pub async fn audit_consistency_read(req: HttpRequest, allowed: Allowed<AuditProof>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["from", "to"])?;
    for name in ["from", "to"] {
        if params.text(name).is_none() {
            params.fault(name, FaultCode::Required);
        }
    }
    let (from, to) = (params.read("from", size), params.read("to", size));
    params.finish()?;
    let (Some(from), Some(to)) = (from, to) else { return Err(Error::InvalidRequest.into()) };
    let proof = actions::prove_extension(allowed.store(), from, to).await?;
    Ok(respond::plain(&req, &proof))
}
