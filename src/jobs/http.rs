//! Handlers of the job operations: extract, call one action, map.

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, get, post};
use futures_util::stream;

use super::wire::{JobPage, JobTransitionCreate, JobTrigger, JobView};
use super::{actions, store};
use crate::auth::policy::{JobMove, JobRead};
use crate::db::Store;
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::{id, text};
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Error;
use crate::kernel::ids::JobId;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(job_list).service(job_read).service(job_transition_create).service(job_file_read);
}

/// The jobs that this client asked for, the last one first.
#[utoipa::path(tag = "jobs", summary = "List jobs",
    description = "The jobs that this client asked for, the last one first.",
    params(("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of jobs", body = JobPage)),
    security(("oauth2" = [])))]
#[get("/v1/jobs")]
pub async fn job_list(req: HttpRequest, allowed: Allowed<JobRead>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (act, client) = (allowed.act(), allowed.caller().client);
    let cursors = &allowed.services().cursors;
    let after = cursors.after(&params, client)?;
    let page = actions::list_jobs(allowed.store(), &act, client, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &JobPage { items: page.items, next_cursor }))
}

/// How far a job is, and where its files are once it ended. Only the client that asked for it sees it.
#[utoipa::path(tag = "jobs", summary = "Read a job",
    params(("job_id" = JobId, Path, description = "The job")),
    responses((status = 200, description = "The job", body = JobView)),
    security(("oauth2" = [])))]
#[get("/v1/jobs/{job_id}")]
pub async fn job_read(req: HttpRequest, allowed: Allowed<JobRead>) -> Result<HttpResponse, Problem> {
    let job: JobId = id(&req, "job_id")?;
    Params::parse(&req, &[])?;
    let read = actions::read_job(allowed.store(), &allowed.act(), job).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, None, &read.view))
}

/// Calls a job off. What it did stays done, and its report tells of it; the rest is not done.
#[utoipa::path(tag = "jobs", summary = "Cancel a job",
    params(("job_id" = JobId, Path, description = "The job")),
    request_body = JobTransitionCreate,
    responses((status = 200, description = "The job, called off", body = JobView)),
    security(("oauth2" = [])))]
#[post("/v1/jobs/{job_id}/transitions")]
pub async fn job_transition_create(
    req: HttpRequest,
    allowed: Allowed<JobMove>,
    body: Body<JobTransitionCreate>,
) -> Result<HttpResponse, Problem> {
    let job: JobId = id(&req, "job_id")?;
    let key = Key::from_request(&req)?;
    let (JobTransitionCreate { trigger: JobTrigger::Cancel }, fingerprint) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let written = actions::cancel_job(allowed.store(), allowed.act(), once, job, version).await?;
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// A file of a job that ended, for 24 hours; with identities in it three times at most. Every download is recorded
/// before its first byte leaves.
#[utoipa::path(tag = "jobs", summary = "Download a file of a job",
    params(("job_id" = JobId, Path, description = "The job"),
        ("file" = String, Path, description = "Name of the file, as the manifest's `url` says", max_length = 60)),
    responses((status = 200, description = "The file", content(
        (String = "application/x-ndjson", example = "{\"line\":1,\"external_ref\":\"EXP-1\",\"status\":\"created\",\"id\":\"0193580e-6d1c-7a40-9c37-4b1f0a6f2d11\",\"changed\":[],\"errors\":[]}\n"),
        (String = "text/csv", example = "id,stage\r\n0193580e-6d1c-7a40-9c37-4b1f0a6f2d11,preliminary_inquiry\r\n"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", example = "PK"),
        (String = "application/vnd.sistra.htcds+json", example = "{\"htcds\":\"2.0\",\"records\":[]}")))),
    security(("oauth2" = [])))]
#[get("/v1/jobs/{job_id}/files/{file}")]
pub async fn job_file_read(req: HttpRequest, allowed: Allowed<JobRead>) -> Result<HttpResponse, Problem> {
    let job: JobId = id(&req, "job_id")?;
    let name = text(&req, "file")?.to_owned();
    Params::parse(&req, &[])?;
    if req.query_string().split('&').any(|p| p.starts_with("fields=")) {
        return Err(Error::UnknownParameter(vec![crate::kernel::Fault::parameter(
            "fields",
            crate::kernel::FaultCode::UnknownField,
        )])
        .into());
    }
    let download = actions::download(allowed.store(), allowed.act(), job, name).await?;
    let (file, store) = (download.file, allowed.store().clone());
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, file.media_type.clone()))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"{}\"", file.name)))
        .insert_header(("Audit-Event-Id", download.entry.to_string()));
    let length = u64::try_from(file.bytes).unwrap_or(0);
    Ok(response.no_chunking(length).streaming(pieces(store, job, file)))
}

/// The pieces of a file, one at a time.
fn pieces(
    store: Store,
    job: JobId,
    file: super::JobFile,
) -> impl futures_util::Stream<Item = Result<Bytes, actix_web::Error>> {
    stream::unfold((store, file, 0_i64), move |(store, file, seq)| async move {
        if seq >= file.pieces {
            return None;
        }
        let name = file.name.clone();
        let piece = store
            .read(move |conn| store::piece(conn, job, &name, seq)?.ok_or(Error::internal("a piece of a file is missing")))
            .await;
        let next = if piece.is_ok() { seq + 1 } else { file.pieces };
        Some((piece.map(Bytes::from).map_err(|e| actix_web::Error::from(Problem(e))), (store, file, next)))
    })
}
