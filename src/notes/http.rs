//! Handlers of the note operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, get, post};

use super::actions;
use super::wire::{NoteCreate, NotePage, NoteView};
use crate::auth::policy::{CaseRead, CaseWrite};
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::kernel::ids::{CaseId, NoteId};
use crate::ledger::{Action, Entry};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(case_note_list).service(case_note_write).service(note_read);
}

/// Writes a note on a case that the caller's agency owns or shares.
///
/// An internal note is read by its own agency only, the case's owner not excepted; a shared one by whoever sees the
/// section `narrative`. A note is never changed: another one of the same agency and visibility supersedes it, once: 409
/// `already_superseded`.
#[utoipa::path(tag = "notes", summary = "Write a note on a case",
    params(("case_id" = CaseId, Path, description = "The case")),
    request_body = NoteCreate,
    responses((status = 201, description = "The note", body = NoteView)),
    security(("oauth2" = ["cases:write"])))]
#[post("/v1/cases/{case_id}/notes")]
pub async fn case_note_write(
    req: HttpRequest,
    allowed: Allowed<CaseWrite>,
    body: Body<NoteCreate>,
) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::write_note(allowed.store(), allowed.act(), once, case, new).await?;
    let location = format!("/v1/notes/{}", written.view.id);
    allowed.looked(Entry::new(Action::Read, written.view.id, Some(written.view.version))).await?;
    Ok(respond::created(&req, &location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The notes on a case that the caller sees, oldest first, superseded ones included.
#[utoipa::path(tag = "notes", summary = "List the notes on a case",
    params(("case_id" = CaseId, Path, description = "The case"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of notes", body = NotePage)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/cases/{case_id}/notes")]
pub async fn case_note_list(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let case: CaseId = id(&req, "case_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client, services) = (allowed.act(), allowed.caller().client, allowed.services());
    let after = services.cursors.after(&params, client)?;
    let page = actions::list_notes(allowed.store(), &act, case, after, limit).await?;
    let entry = Entry::listed(client, "note_list", page.items.iter().map(|n| n.id));
    let audit = services.access.record(&act.actor, act.now, entry).await?;
    let next_cursor = services.cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, Some(audit), next_cursor.clone(), &NotePage { items: page.items, next_cursor }))
}

/// One note.
#[utoipa::path(tag = "notes", summary = "Read a note", params(("note_id" = NoteId, Path, description = "The note")),
    responses((status = 200, description = "The note", body = NoteView)),
    security(("oauth2" = ["cases:read"])))]
#[get("/v1/notes/{note_id}")]
pub async fn note_read(req: HttpRequest, allowed: Allowed<CaseRead>) -> Result<HttpResponse, Problem> {
    let note: NoteId = id(&req, "note_id")?;
    Params::parse(&req, &[])?;
    let act = allowed.act();
    let read = actions::read_note(allowed.store(), &act, note).await?;
    let entry = Entry::new(Action::Read, note, Some(read.view.version));
    let audit = allowed.services().access.record(&act.actor, act.now, entry).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, Some(audit), &read.view))
}
