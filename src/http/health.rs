//! Is the process alive, may traffic come, and what do the problem types mean.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes;
use super::lang::Lang;
use super::problem::Problem;
use crate::db::{Store, migrations};
use crate::kernel::Timestamp;
use crate::kernel::error::{Error, Unavailable};
use crate::ledger::{Notary, sealer};

/// What readiness looks at. Holds the store: health is asked by machines without a token, and shows no row.
pub struct Health {
    store: Store,
    notary: Arc<Notary>,
    draining: AtomicBool,
    sealing: Mutex<Sealing>,
}

/// How long entries may wait for a position before the record counts as stalled, seconds.
const STALLED_S: i64 = 60;

/// What was last seen of the sealer: how far it was, and since when it has not moved with entries waiting.
#[derive(Debug, Default)]
struct Sealing {
    sealed: i64,
    waiting_since: Option<i64>,
}

impl Sealing {
    /// Whether it has stood still for too long, by this look and those before.
    fn stalled(&mut self, sealed: i64, pending: i64, now: i64) -> bool {
        if pending == 0 {
            self.waiting_since = None;
        } else if self.waiting_since.is_none() || sealed != self.sealed {
            self.waiting_since = Some(now);
        }
        self.sealed = sealed;
        self.waiting_since.is_some_and(|since| now - since > STALLED_S)
    }
}

impl Health {
    /// For a store, and the notary of its ledger.
    pub fn new(store: Store, notary: Arc<Notary>) -> Self {
        Self { store, notary, draining: AtomicBool::new(false), sealing: Mutex::default() }
    }

    /// From now on the server is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    fn says(&self, status: &'static str) -> ServiceStatus {
        let ledger = if self.notary.reopened() { "reopened" } else { "ok" };
        ServiceStatus { status, ledger, time: Timestamp::now() }
    }

    async fn ready(&self) -> Result<(), Error> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Error::Unavailable(Unavailable::Maintenance));
        }
        let (sealed, pending) = self
            .store
            .read(|conn| {
                migrations::check(conn).map_err(|_| Error::Unavailable(Unavailable::Storage))?;
                sealer::progress(conn)
            })
            .await?;
        let now = Timestamp::now().unix_seconds();
        let mut sealing = self.sealing.lock().unwrap_or_else(PoisonError::into_inner);
        if sealing.stalled(sealed, pending, now) { Err(Error::Unavailable(Unavailable::Audit)) } else { Ok(()) }
    }
}

/// State of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceStatus {
    /// `ok`; `degraded` while entries of the access record wait for too long; `down`.
    #[schema(max_length = 20)]
    pub status: &'static str,
    /// `ok`; `reopened` if this server found a database that does not extend what it had signed, as after the restore
    /// of a backup, and goes on under a new origin.
    #[schema(max_length = 20)]
    pub ledger: &'static str,
    /// Now.
    pub time: Timestamp,
}

/// Whether the process lives.
#[utoipa::path(tag = "operations", summary = "Liveness",
    description = "Whether the process lives.", responses((status = 200, description = "The process lives", body = ServiceStatus)), security(()))]
#[get("/healthz/live")]
pub async fn health_live(health: web::Data<Health>) -> HttpResponse {
    HttpResponse::Ok().json(health.says("ok"))
}

/// Whether traffic may come: not while draining, with the database down, with migrations pending, or with the access
/// record standing still for more than a minute.
#[utoipa::path(tag = "operations", summary = "Readiness",
    description = "Whether traffic may come: not while draining, with the database down, with migrations pending, or with the access record standing still for more than a minute.", responses((status = 200, description = "Traffic may come", body = ServiceStatus)), security(()))]
#[get("/healthz/ready")]
pub async fn health_ready(health: web::Data<Health>) -> Result<HttpResponse, Problem> {
    health.ready().await?;
    Ok(HttpResponse::Ok().json(health.says("ok")))
}

/// State of the service, for people and dashboards.
#[utoipa::path(tag = "operations", summary = "Status",
    description = "State of the service, for people and dashboards.", responses((status = 200, description = "The state", body = ServiceStatus)), security(()))]
#[get("/v1/status")]
pub async fn status_read(health: web::Data<Health>) -> HttpResponse {
    let status = match health.ready().await {
        Ok(()) => "ok",
        Err(Error::Unavailable(Unavailable::Audit)) => "degraded",
        Err(_) => "down",
    };
    HttpResponse::Ok().json(health.says(status))
}

/// What a problem type means.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProblemType {
    /// Machine code.
    #[schema(max_length = 60)]
    pub code: &'static str,
    /// HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    pub status: u16,
    /// Title, in the caller's language.
    #[schema(max_length = 200)]
    pub title: &'static str,
}

/// The page behind a problem's `type`.
#[utoipa::path(tag = "operations", summary = "Explain a problem type",
    description = "The page behind a problem's `type`.",
    params(("code" = String, Path, description = "Code of the problem", max_length = 60, example = "validation_failed")),
    responses((status = 200, description = "The problem type", body = ProblemType)), security(()))]
#[get("/problems/{code}")]
pub async fn problem_type_read(req: HttpRequest) -> Result<HttpResponse, Problem> {
    let code = super::path::text(&req, "code")?;
    let kind = codes::ALL.iter().find(|k| k.code == code).ok_or(Error::NotFound)?;
    let title = kind.title(Lang::of(req.headers()));
    Ok(HttpResponse::Ok().insert_header(("Cache-Control", "public, max-age=86400")).json(ProblemType {
        code: kind.code,
        status: kind.status,
        title,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_stalls_when_entries_wait_and_nothing_moves() {
        let mut sealing = Sealing::default();
        assert!(!sealing.stalled(5, 3, 0));
        assert!(!sealing.stalled(5, 9, 60));
        assert!(sealing.stalled(5, 9, 61));
        assert!(!sealing.stalled(6, 9, 62), "it moved");
        assert!(!sealing.stalled(6, 0, 200), "nothing waits");
        assert!(!sealing.stalled(6, 1, 1_000), "the first that waits");
        assert!(sealing.stalled(6, 1, 1_061));
    }
}
