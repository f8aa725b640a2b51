//! The handler of the batch operation.

use std::collections::HashMap;
use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, post};

use super::dispatch::{self, Answer};
use super::model::{self, Answered};
use super::store::{self, Done};
use super::wire::{BatchCreate, BatchView, OperationView};
use crate::alerts::watch::Later;
use crate::auth::policy::BatchRun;
use crate::http::body::Body;
use crate::http::guard::{Allowed, Joined};
use crate::http::idempotency::{self, Claim, Key, Once};
use crate::http::problem::Problem;
use crate::http::respond;
use crate::kernel::error::no_faults;
use crate::kernel::ids::BatchId;
use crate::kernel::{Error, Result};

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(batch_run);
}

/// Does up to a hundred operations in one transaction, in their order: all of them, or none.
///
/// An operation is any GET, POST or PATCH of the registry's records: not searches, questions, emergencies, imports, exports,
/// jobs, webhooks, figures, the feed or administration. A read shows what the operations before it did. Each needs what it needs alone: its scope, its purpose, its quota, its `If-Match`, a
/// body without a fault; each is recorded as alone, a look also where the batch fails. An operation names what an earlier one made: `${ID}` in a path, or as
/// the whole of a text in a body, is the id of what ID made, `${ID#/pointer}` another value of its answer, and
/// `${ID#etag}`, as `if_match`, its tag.
///
/// The first operation that fails ends the batch: the answer is the problem that it would have got alone, its pointers
/// begin with `#/operations/N`, and nothing is there. The second request with the same key does nothing and answers where
/// everything is, without the bodies.
#[utoipa::path(tag = "batch", summary = "Do several operations together", request_body = BatchCreate,
    responses((status = 200, description = "What each operation answered", body = BatchView)),
    security(("oauth2" = [])))]
#[post("/v1/batch")]
pub async fn batch_run(
    req: HttpRequest,
    allowed: Allowed<BatchRun>,
    body: Body<BatchCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (input, fingerprint) = body.read(&allowed).await?;
    no_faults(model::faults(&input.operations))?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let looks = Later::default();
    let done = run(&req, &allowed, &once, &input, &looks).await;
    // The transaction has ended. What was looked at in it is on record before anything of it is said.
    allowed.services().access.settle(&looks).await?;
    let (operations, replayed) = done?;
    Ok(respond::answered(&req, &BatchView { operations }, replayed))
}

async fn run(
    req: &HttpRequest,
    allowed: &Allowed<BatchRun>,
    once: &Once,
    input: &BatchCreate,
    looks: &Later,
) -> Result<(Vec<OperationView>, bool)> {
    let act = allowed.act();
    let id: BatchId = act.id(once.bucket());
    let together = allowed.store().together().await?;
    let joined = Joined {
        store: together.store.clone(),
        caller: Arc::clone(allowed.caller_shared()),
        context: allowed.request().clone(),
        looks: looks.clone(),
    };
    let claimed = {
        let (once, now) = (once.clone(), act.now);
        joined.store.write(move |tx| idempotency::claim(tx, &once, id.erase(), 1, now)).await?
    };
    if let Claim::Replay { resource, .. } = claimed {
        let done = joined.store.read(move |conn| store::find(conn, BatchId::from_uuid(resource.uuid()))).await?;
        let again = |Done { id, status, location, etag }| OperationView { id, status, location, etag, body: None };
        return Ok((done.into_iter().map(again).collect(), true));
    }
    let mut answers: HashMap<String, Answered> = HashMap::new();
    let mut views = Vec::with_capacity(input.operations.len());
    for (n, operation) in input.operations.iter().enumerate() {
        let ready = model::ready(n, operation, &answers).map_err(|fault| Error::Validation(vec![fault]))?;
        // A key of its own, that nobody else's request can have: the batch's row says whether it was used.
        let own = format!("batch-{}-{n}", id.uuid().simple());
        let answer = dispatch::run(req, joined.clone(), &ready, &own)
            .await
            .map_err(|error| Error::InBatch { operation: n, error: Box::new(error) })?;
        let Answer { status, location, etag, body } = answer;
        answers.insert(operation.id.clone(), Answered { etag: etag.clone(), body: body.clone() });
        views.push(OperationView { id: operation.id.clone(), status, location, etag, body: Some(body) });
    }
    let done: Vec<Done> = views
        .iter()
        .map(|v| Done { id: v.id.clone(), status: v.status, location: v.location.clone(), etag: v.etag.clone() })
        .collect();
    joined.store.write(move |tx| store::insert(tx, &act, id, &done)).await?;
    drop(joined);
    together.keep().await?;
    Ok((views, false))
}
