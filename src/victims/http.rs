//! Handlers of the victim operations.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::wire::{
    CaseVictimCreate, CaseVictimCreated, CaseVictimPage, CaseVictimPatch, CaseVictimView, DisclosureReport,
    VictimIdentityInput, VictimIdentityView, VictimPatch, VictimView,
};
use super::{actions, disclosures};
use crate::auth::policy::{self, PersonMerge, VictimIdentityRead, VictimIdentityWrite, VictimRead, VictimWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::limits::Daily;
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Error;
use crate::kernel::ids::{CaseId, VictimId};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::persons::merge_wire::{PersonMerges, PersonTransitionCreate};
use crate::persons::search_wire::{AccusedSearch, QUESTION_BYTES, VictimSearch, VictimSearchResult};
use crate::persons::{Publication, merging};
use crate::transitions::TransitionPage;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_victim_list)
        .service(case_victim_add)
        .service(case_victim_read)
        .service(case_victim_amend)
        .service(victim_search)
        .service(victim_read)
        .service(victim_amend)
        .service(victim_identity_read)
        .service(victim_identity_amend)
        .service(victim_history)
        .service(victim_transition_create)
        .service(victim_transition_list)
        .service(victim_merge_list)
        .service(victim_publication_read)
        .service(victim_disclosure_list);
}

/// Adds a victim to a case of the caller's agency.
///
/// Means are required for an adult and never for a minor; unknown age counts as a minor.
#[utoipa::path(tag = "victims", summary = "Add a victim to a case", params(("case_id" = CaseId, Path, description = "The case")),
    request_body = CaseVictimCreate,
    responses((status = 201, description = "The victim in the case", body = CaseVictimCreated)),
    security(("oauth2" = ["victims:write"])))]
#[post("/v1/cases/{case_id}/victims")]
pub async fn case_victim_add(
    req: HttpRequest,
    allowed: Allowed<VictimWrite>,
    body: Body<CaseVictimCreate>,
) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let caller = allowed.caller();
    if input.identity.is_some() && !caller.has("victims.identity:write") {
        return Err(Error::InsufficientScope("victims.identity:write").into());
    }
    let once = Once::new(caller.client, key, fingerprint);
    let written = actions::add_victim(allowed.store(), allowed.act(), once, case, input).await?;
    let duplicates = &written.view.possible_duplicates;
    if !duplicates.is_empty() {
        let shown = duplicates.iter().map(|c| c.victim_id);
        let entry = Entry::listed(caller.client, "victim_duplicates", shown);
        let act = allowed.act();
        allowed.services().access.record(&act.actor, act.now, entry).await?;
    }
    let location = format!("/v1/cases/{case}/victims/{}", written.view.added.victim_id);
    let added = &written.view.added;
    allowed.looked(Entry::new(Action::Read, added.victim_id, Some(added.version)).about("case_victim")).await?;
    Ok(respond::created(&req, &location, written.view.added.version, &written.tag, &written.view, written.replayed))
}

/// The victims of a case whom the caller may see, pseudonymous.
#[utoipa::path(tag = "victims", summary = "List a case's victims",
    description = "The victims of a case whom the caller may see, pseudonymous.",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of victims", body = CaseVictimPage)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/cases/{case_id}/victims")]
pub async fn case_victim_list(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let services = allowed.services();
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_victims(allowed.store(), &act, case, after, limit).await?;
    let entry = Entry::listed(client, "victim_list", page.items.iter().map(|v| v.victim_id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &CaseVictimPage { items: page.items, next_cursor }))
}

/// One victim's part in a case.
#[utoipa::path(tag = "victims", summary = "Read a victim's part in a case",
    description = "One victim's part in a case.",
    params(("case_id" = CaseId, Path, description = "The case"), ("victim_id" = VictimId, Path, description = "The victim")),
    responses((status = 200, description = "The victim in the case", body = CaseVictimView)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/cases/{case_id}/victims/{victim_id}")]
pub async fn case_victim_read(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let (case, victim): (CaseId, VictimId) = (id(&req, "case_id")?, id(&req, "victim_id")?);
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_part(allowed.store(), &act, case, victim).await?;
    let entry = Entry::new(Action::Read, victim, Some(read.view.version)).about("case_victim");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Changes a victim's part in a case (merge patch).
#[utoipa::path(tag = "victims", summary = "Amend a victim's part in a case",
    description = "Changes a victim's part in a case (merge patch).",
    params(("case_id" = CaseId, Path, description = "The case"), ("victim_id" = VictimId, Path, description = "The victim")),
    request_body(content = CaseVictimPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The victim in the case, changed", body = CaseVictimView)),
    security(("oauth2" = ["victims:write"])))]
#[patch("/v1/cases/{case_id}/victims/{victim_id}")]
pub async fn case_victim_amend(
    req: HttpRequest,
    allowed: Allowed<VictimWrite>,
    body: Body<CaseVictimPatch>,
) -> Result<HttpResponse, Problem> {
    let (case, victim): (CaseId, VictimId) = (id(&req, "case_id")?, id(&req, "victim_id")?);
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_part(allowed.store(), allowed.act(), case, victim, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, victim, Some(written.view.version)).about("case_victim")).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Looks for a victim by document, telephone, or names and birth year.
#[utoipa::path(tag = "victims", summary = "Look for a victim",
    description = "Looks for a victim by document, telephone, or at least two of surnames, given names and birth year. Accents, case, particles and the order of surnames make no difference; names that sound or begin the same count less. Answers at most ten, the best first, and only persons whose identity the caller could look at; pseudonymous, with the kinds of key that matched and never their values. Every search is recorded before the answer leaves.",
    request_body = VictimSearch,
    responses((status = 200, description = "The candidates", body = VictimSearchResult)),
    security(("oauth2" = ["victims:search"])))]
#[post("/v1/victims/search")]
pub async fn victim_search(
    req: HttpRequest,
    allowed: Allowed<policy::VictimSearch>,
    body: Body<VictimSearch>,
) -> Result<HttpResponse, Problem> {
    allowed.daily(&req, Daily::Search).await?;
    let (search, _) = body.read_up_to(QUESTION_BYTES, &allowed).await?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let (subject, limit) = AccusedSearch::from(search).read(&act.catalogue)?;
    let (items, question) = actions::search(allowed.store(), &act, subject, limit).await?;
    let entry = Entry::listed(client, "victim_search", items.iter().map(|c| c.victim_id)).asked(question, items.len());
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &VictimSearchResult { items }))
}

/// One victim, pseudonymous.
#[utoipa::path(tag = "victims", summary = "Read a victim",
    description = "One victim, pseudonymous.", params(("victim_id" = VictimId, Path, description = "The victim")),
    responses((status = 200, description = "The victim", body = VictimView)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/victims/{victim_id}")]
pub async fn victim_read(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_victim(allowed.store(), &act, victim).await?;
    let entry = Entry::new(Action::Read, victim, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Changes a victim (merge patch). A cleared sensitive attribute goes back to `unknown` or `not_asked`.
#[utoipa::path(tag = "victims", summary = "Amend a victim",
    description = "Changes a victim (merge patch). A cleared sensitive attribute goes back to `unknown` or `not_asked`.", params(("victim_id" = VictimId, Path, description = "The victim")),
    request_body(content = VictimPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The victim, changed", body = VictimView)),
    security(("oauth2" = ["victims:write"])))]
#[patch("/v1/victims/{victim_id}")]
pub async fn victim_amend(
    req: HttpRequest,
    allowed: Allowed<VictimWrite>,
    body: Body<VictimPatch>,
) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_victim(allowed.store(), allowed.act(), victim, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, victim, Some(written.view.version))).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Who a victim is: names, documents, contacts. Every look is recorded before the answer leaves.
#[utoipa::path(tag = "victims", summary = "Read a victim's identity",
    description = "Who a victim is: names, documents, contacts. Every look is recorded before the answer leaves.", params(("victim_id" = VictimId, Path, description = "The victim")),
    responses((status = 200, description = "The identity", body = VictimIdentityView)),
    security(("oauth2" = ["victims.identity:read"])))]
#[get("/v1/victims/{victim_id}/identity")]
pub async fn victim_identity_read(req: HttpRequest, allowed: Allowed<VictimIdentityRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    allowed.subject(&req, victim).await?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_identity(allowed.store(), &act, victim).await?;
    let entry = Entry::new(Action::Read, victim, Some(read.view.version)).about("victim_identity");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Changes who a victim is (merge patch). The identity has a version of its own.
#[utoipa::path(tag = "victims", summary = "Amend a victim's identity",
    description = "Changes who a victim is (merge patch). The identity has a version of its own.", params(("victim_id" = VictimId, Path, description = "The victim")),
    request_body(content = VictimIdentityInput, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The identity, changed", body = VictimIdentityView)),
    security(("oauth2" = ["victims.identity:write"])))]
#[patch("/v1/victims/{victim_id}/identity")]
pub async fn victim_identity_amend(
    req: HttpRequest,
    allowed: Allowed<VictimIdentityWrite>,
    body: Body<VictimIdentityInput>,
) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    allowed.subject(&req, victim).await?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_identity(allowed.store(), allowed.act(), victim, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, victim, Some(written.view.version)).about("victim_identity")).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Every change of a victim, oldest first. No values.
#[utoipa::path(tag = "victims", summary = "Read a victim's history",
    description = "Every change of a victim, oldest first. No values.",
    params(("victim_id" = VictimId, Path, description = "The victim"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/victims/{victim_id}/history")]
pub async fn victim_history(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, victim, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}

/// Whether the person may ever be named in public. A victim is never named in public.
#[utoipa::path(tag = "victims", summary = "Read whether a person may be named",
    params(("victim_id" = VictimId, Path, description = "The person")),
    responses((status = 200, description = "The answer, with its reason", body = Publication)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/victims/{victim_id}/publication")]
pub async fn victim_publication_read(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let person: VictimId = id(&req, "victim_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let publication = {
        actions::read_victim(allowed.store(), &act, person).await?;
        Publication::VICTIM
    };
    let entry = Entry::new(Action::Read, person, None).about("victim_publication");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &publication))
}

/// Who looked at a victim, who was let in, and why: what the person may ask to know.
///
/// For the owner of a case of the victim, about its own cases and those whom they let in; for oversight, about all.
/// Looks come from the access record, lists that showed the person included.
#[utoipa::path(tag = "victims", summary = "Account for who has seen a victim",
    params(("victim_id" = VictimId, Path, description = "The victim"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of looks, and all receipts", body = DisclosureReport)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/victims/{victim_id}/disclosures")]
pub async fn victim_disclosure_list(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let (report, next) = disclosures::disclosures(allowed.store(), &act, victim, after, limit).await?;
    let entry = Entry::new(Action::Read, victim, None).about("victim_disclosures");
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, next.as_ref())?;
    let report = DisclosureReport { next_cursor: next_cursor.clone(), ..report };
    Ok(respond::page(&req, &params, Some(audit), next_cursor, &report))
}

/// Says that two records are of one person, or that they are not.
///
/// `merge` names the record that stands for the person from now on (`into`). Both must belong to the caller's agency through a
/// case of its own. Nothing is moved: this record keeps its identity, its places in cases and its key, and is read through
/// the other one. It says `merged_into`, shows what is known of the person there, and is no longer written to; whoever sees
/// one of the records of a person sees the survivor; a search finds the survivor by what either was called. `unmerge` brings
/// back what was there. What was written to the survivor meanwhile stays with it; where there is any of that, 409
/// `survivor_changed` says so until `changes_stay` is sent. 409 also: `already_merged`, `not_merged`, `survivor_merged`,
/// `survivor_erased`, `different_kinds`.
#[utoipa::path(tag = "victims", summary = "Merge a victim's record with another one of the same person, or end that",
    params(("victim_id" = VictimId, Path, description = "The victim")),
    request_body = PersonTransitionCreate,
    responses((status = 200, description = "The record, merged or standing for itself", body = VictimView)),
    security(("oauth2" = ["persons:merge"])))]
#[post("/v1/victims/{victim_id}/transitions")]
pub async fn victim_transition_create(
    req: HttpRequest,
    allowed: Allowed<PersonMerge>,
    body: Body<PersonTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::move_record(allowed.store(), allowed.act(), once, victim, version, new).await?;
    allowed.looked(Entry::new(Action::Read, victim, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The merges of a victim's record and their ends, oldest first: for the owner of a case of the victim, and oversight.
#[utoipa::path(tag = "victims", summary = "List the merges of a victim's record and their ends",
    params(("victim_id" = VictimId, Path, description = "The victim"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/victims/{victim_id}/transitions")]
pub async fn victim_transition_list(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = merging::list_moves(allowed.store(), &act, victim, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// The records that were merged into this one, those that the caller sees.
#[utoipa::path(tag = "victims", summary = "List the records merged into a victim's",
    description = "The records that were merged into this one, those that the caller sees.",
    params(("victim_id" = VictimId, Path, description = "The victim")),
    responses((status = 200, description = "The records", body = PersonMerges)),
    security(("oauth2" = ["victims:read"])))]
#[get("/v1/victims/{victim_id}/merges")]
pub async fn victim_merge_list(req: HttpRequest, allowed: Allowed<VictimRead>) -> Result<HttpResponse, Problem> {
    let victim: VictimId = id(&req, "victim_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let merges = merging::list_merges(allowed.store(), &act, victim).await?;
    let entry = Entry::new(Action::Read, victim, None).about("victim_merges");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &merges))
}
