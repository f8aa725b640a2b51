//! Handlers of the accused operations.

use actix_web::{HttpRequest, HttpResponse, get, patch, post};

use super::actions;
use super::wire::{
    AccusedCreate, AccusedCreated, AccusedIdentityInput, AccusedIdentityView, AccusedPage, AccusedPatch, AccusedView,
};
use crate::auth::policy::{self, AccusedIdentityRead, AccusedIdentityWrite, AccusedRead, AccusedWrite, PersonMerge};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::limits::Daily;
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Error;
use crate::kernel::ids::{AccusedId, CaseId};
use crate::ledger::wire::{HistoryEvent, HistoryPage};
use crate::ledger::{Action, Entry};
use crate::persons::merge_wire::{PersonMerges, PersonTransitionCreate};
use crate::persons::search_wire::{AccusedSearch, AccusedSearchResult, QUESTION_BYTES};
use crate::persons::{Publication, merging};
use crate::transitions::TransitionPage;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_accused_list)
        .service(case_accused_add)
        .service(accused_search)
        .service(accused_read)
        .service(accused_amend)
        .service(accused_identity_read)
        .service(accused_identity_amend)
        .service(accused_history)
        .service(accused_transition_create)
        .service(accused_transition_list)
        .service(accused_merge_list)
        .service(accused_publication_read);
}

/// Adds an accused to a case of the caller's agency.
///
/// Somebody not yet known is `unidentified` and gets names later, through the identity's own door.
#[utoipa::path(tag = "accused", summary = "Add an accused to a case", params(("case_id" = CaseId, Path, description = "The case")),
    request_body = AccusedCreate,
    responses((status = 201, description = "The accused", body = AccusedCreated)),
    security(("oauth2" = ["accused:write"])))]
#[post("/v1/cases/{case_id}/accused")]
pub async fn case_accused_add(
    req: HttpRequest,
    allowed: Allowed<AccusedWrite>,
    body: Body<AccusedCreate>,
) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    let caller = allowed.caller();
    if input.identity.is_some() && !caller.has("accused.identity:write") {
        return Err(Error::InsufficientScope("accused.identity:write").into());
    }
    let once = Once::new(caller.client, key, fingerprint);
    let written = actions::add_accused(allowed.store(), allowed.act(), once, case, input).await?;
    let duplicates = &written.view.possible_duplicates;
    if !duplicates.is_empty() {
        let shown = duplicates.iter().map(|c| c.accused_id);
        let entry = Entry::listed(caller.client, "accused_duplicates", shown);
        let act = allowed.act();
        allowed.services().access.record(&act.actor, act.now, entry).await?;
    }
    let location = format!("/v1/accused/{}", written.view.added.id);
    let added = &written.view.added;
    allowed.looked(Entry::new(Action::Read, added.id, Some(added.version))).await?;
    Ok(respond::created(&req, &location, written.view.added.version, &written.tag, &written.view, written.replayed))
}

/// The accused of a case, pseudonymous.
#[utoipa::path(tag = "accused", summary = "List a case's accused",
    description = "The accused of a case, pseudonymous.",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of accused", body = AccusedPage)),
    security(("oauth2" = ["accused:read"])))]
#[get("/v1/cases/{case_id}/accused")]
pub async fn case_accused_list(req: HttpRequest, allowed: Allowed<AccusedRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let services = allowed.services();
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_accused(allowed.store(), &act, case, after, limit).await?;
    let entry = Entry::listed(client, "accused_list", page.items.iter().map(|a| a.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &AccusedPage { items: page.items, next_cursor }))
}

/// Looks for an accused by document, telephone, or names and birth year.
#[utoipa::path(tag = "accused", summary = "Look for an accused",
    description = "Looks for an accused by document, telephone, company name, or at least two of surnames, given names and birth year. Accents, case, particles and the order of surnames make no difference; names that sound or begin the same count less. Answers at most ten, the best first, and only persons whose identity the caller could look at; pseudonymous, with the kinds of key that matched and never their values. Every search is recorded before the answer leaves.",
    request_body = AccusedSearch,
    responses((status = 200, description = "The candidates", body = AccusedSearchResult)),
    security(("oauth2" = ["accused:search"])))]
#[post("/v1/accused/search")]
pub async fn accused_search(
    req: HttpRequest,
    allowed: Allowed<policy::AccusedSearch>,
    body: Body<AccusedSearch>,
) -> Result<HttpResponse, Problem> {
    allowed.daily(&req, Daily::Search).await?;
    let (search, _) = body.read_up_to(QUESTION_BYTES, &allowed).await?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let (subject, limit) = search.read(&act.catalogue)?;
    let (items, question) = actions::search(allowed.store(), &act, subject, limit).await?;
    let entry = Entry::listed(client, "accused_search", items.iter().map(|c| c.accused_id)).asked(question, items.len());
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &AccusedSearchResult { items }))
}

/// One accused, pseudonymous.
#[utoipa::path(tag = "accused", summary = "Read an accused",
    description = "One accused, pseudonymous.", params(("accused_id" = AccusedId, Path, description = "The accused")),
    responses((status = 200, description = "The accused", body = AccusedView)),
    security(("oauth2" = ["accused:read"])))]
#[get("/v1/accused/{accused_id}")]
pub async fn accused_read(req: HttpRequest, allowed: Allowed<AccusedRead>) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_accused(allowed.store(), &act, accused).await?;
    let entry = Entry::new(Action::Read, accused, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Changes an accused (merge patch). Somebody unidentified may become known.
#[utoipa::path(tag = "accused", summary = "Amend an accused",
    description = "Changes an accused (merge patch). Somebody unidentified may become known.", params(("accused_id" = AccusedId, Path, description = "The accused")),
    request_body(content = AccusedPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The accused, changed", body = AccusedView)),
    security(("oauth2" = ["accused:write"])))]
#[patch("/v1/accused/{accused_id}")]
pub async fn accused_amend(
    req: HttpRequest,
    allowed: Allowed<AccusedWrite>,
    body: Body<AccusedPatch>,
) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_accused(allowed.store(), allowed.act(), accused, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, accused, Some(written.view.version))).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Who an accused person is: names, documents, contacts. Every look is recorded before the answer leaves.
#[utoipa::path(tag = "accused", summary = "Read an accused person's identity",
    description = "Who an accused person is: names, documents, contacts. Every look is recorded before the answer leaves.",
    params(("accused_id" = AccusedId, Path, description = "The accused")),
    responses((status = 200, description = "The identity", body = AccusedIdentityView)),
    security(("oauth2" = ["accused.identity:read"])))]
#[get("/v1/accused/{accused_id}/identity")]
pub async fn accused_identity_read(
    req: HttpRequest,
    allowed: Allowed<AccusedIdentityRead>,
) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    allowed.subject(&req, accused).await?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_identity(allowed.store(), &act, accused).await?;
    let entry = Entry::new(Action::Read, accused, Some(read.view.version)).about("accused_identity");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}

/// Changes who an accused person is (merge patch). The identity has a version of its own.
#[utoipa::path(tag = "accused", summary = "Amend an accused person's identity",
    description = "Changes who an accused person is (merge patch). The identity has a version of its own.",
    params(("accused_id" = AccusedId, Path, description = "The accused")),
    request_body(content = AccusedIdentityInput, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The identity, changed", body = AccusedIdentityView)),
    security(("oauth2" = ["accused.identity:write"])))]
#[patch("/v1/accused/{accused_id}/identity")]
pub async fn accused_identity_amend(
    req: HttpRequest,
    allowed: Allowed<AccusedIdentityWrite>,
    body: Body<AccusedIdentityInput>,
) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    allowed.subject(&req, accused).await?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let written = actions::amend_identity(allowed.store(), allowed.act(), accused, version, patch).await?;
    allowed.looked(Entry::new(Action::Read, accused, Some(written.view.version)).about("accused_identity")).await?;
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Every change of an accused, oldest first. No values.
#[utoipa::path(tag = "accused", summary = "Read an accused's history",
    description = "Every change of an accused, oldest first. No values.",
    params(("accused_id" = AccusedId, Path, description = "The accused"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of changes", body = HistoryPage)),
    security(("oauth2" = ["accused:read"])))]
#[get("/v1/accused/{accused_id}/history")]
pub async fn accused_history(req: HttpRequest, allowed: Allowed<AccusedRead>) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::history(allowed.store(), &act, accused, after, limit).await?.map(HistoryEvent::from);
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &HistoryPage { items: page.items, next_cursor }))
}

/// Whether the person may ever be named in public. An accused may be named only while a final conviction stands, as far as the caller sees the charges.
#[utoipa::path(tag = "accused", summary = "Read whether a person may be named",
    params(("accused_id" = AccusedId, Path, description = "The person")),
    responses((status = 200, description = "The answer, with its reason", body = Publication)),
    security(("oauth2" = ["accused:read"])))]
#[get("/v1/accused/{accused_id}/publication")]
pub async fn accused_publication_read(req: HttpRequest, allowed: Allowed<AccusedRead>) -> Result<HttpResponse, Problem> {
    let person: AccusedId = id(&req, "accused_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let publication = actions::publication(allowed.store(), &act, person).await?;
    let entry = Entry::new(Action::Read, person, None).about("accused_publication");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &publication))
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
#[utoipa::path(tag = "accused", summary = "Merge the record of an accused with another one of the same person, or end that",
    params(("accused_id" = AccusedId, Path, description = "The accused")),
    request_body = PersonTransitionCreate,
    responses((status = 200, description = "The record, merged or standing for itself", body = AccusedView)),
    security(("oauth2" = ["persons:merge"])))]
#[post("/v1/accused/{accused_id}/transitions")]
pub async fn accused_transition_create(
    req: HttpRequest,
    allowed: Allowed<PersonMerge>,
    body: Body<PersonTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::move_record(allowed.store(), allowed.act(), once, accused, version, new).await?;
    allowed.looked(Entry::new(Action::Read, accused, Some(written.view.version))).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The merges of the record of an accused and their ends, oldest first: for the owner of a case of the person, and oversight.
#[utoipa::path(tag = "accused", summary = "List the merges of the record of an accused and their ends",
    params(("accused_id" = AccusedId, Path, description = "The accused"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of transitions", body = TransitionPage)),
    security(("oauth2" = ["accused:read"])))]
#[get("/v1/accused/{accused_id}/transitions")]
pub async fn accused_transition_list(req: HttpRequest, allowed: Allowed<AccusedRead>) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = merging::list_moves(allowed.store(), &act, accused, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &TransitionPage { items: page.items, next_cursor }))
}

/// The records that were merged into this one, those that the caller sees.
#[utoipa::path(tag = "accused", summary = "List the records merged into that of an accused",
    description = "The records that were merged into this one, those that the caller sees.",
    params(("accused_id" = AccusedId, Path, description = "The accused")),
    responses((status = 200, description = "The records", body = PersonMerges)),
    security(("oauth2" = ["accused:read"])))]
#[get("/v1/accused/{accused_id}/merges")]
pub async fn accused_merge_list(req: HttpRequest, allowed: Allowed<AccusedRead>) -> Result<HttpResponse, Problem> {
    let accused: AccusedId = id(&req, "accused_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let merges = merging::list_merges(allowed.store(), &act, accused).await?;
    let entry = Entry::new(Action::Read, accused, None).about("accused_merges");
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::audited_plain(&req, audit, &merges))
}
