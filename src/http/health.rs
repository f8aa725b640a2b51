//! Is the process alive, may traffic come, and what do the problem types mean.

use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::{HttpRequest, HttpResponse, get, web};
use serde::Serialize;
use utoipa::ToSchema;

use super::codes;
use super::lang::Lang;
use super::problem::Problem;
use crate::db::{Store, migrations};
use crate::kernel::Timestamp;
use crate::kernel::error::{Error, Unavailable};

/// What readiness looks at. Holds the store: health is asked by machines without a token, and shows no row.
pub struct Health {
    store: Store,
    draining: AtomicBool,
}

impl Health {
    /// For a store.
    pub fn new(store: Store) -> Self {
        Self { store, draining: AtomicBool::new(false) }
    }

    /// From now on the server is not ready.
    pub fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    async fn ready(&self) -> Result<(), Error> {
        if self.draining.load(Ordering::Relaxed) {
            return Err(Error::Unavailable(Unavailable::Maintenance));
        }
        self.store.read(|conn| migrations::check(conn).map_err(|_| Error::Unavailable(Unavailable::Storage))).await
    }
}

/// State of the service.
#[derive(Debug, Serialize, ToSchema)]
pub struct ServiceStatus {
    /// `ok` or `down`.
    #[schema(max_length = 20)]
    pub status: &'static str,
    /// Now.
    pub time: Timestamp,
}

/// Whether the process lives.
#[utoipa::path(tag = "operations", summary = "Liveness", responses((status = 200, description = "The process lives", body = ServiceStatus)), security(()))]
#[get("/healthz/live")]
pub async fn health_live() -> HttpResponse {
    HttpResponse::Ok().json(ServiceStatus { status: "ok", time: Timestamp::now() })
}

/// Whether traffic may come: not while draining, with the database down, or with migrations pending.
#[utoipa::path(tag = "operations", summary = "Readiness", responses((status = 200, description = "Traffic may come", body = ServiceStatus)), security(()))]
#[get("/healthz/ready")]
pub async fn health_ready(health: web::Data<Health>) -> Result<HttpResponse, Problem> {
    health.ready().await?;
    Ok(HttpResponse::Ok().json(ServiceStatus { status: "ok", time: Timestamp::now() }))
}

/// State of the service, for people and dashboards.
#[utoipa::path(tag = "operations", summary = "Status", responses((status = 200, description = "The state", body = ServiceStatus)), security(()))]
#[get("/v1/status")]
pub async fn status_read(health: web::Data<Health>) -> HttpResponse {
    let status = if health.ready().await.is_ok() { "ok" } else { "down" };
    HttpResponse::Ok().json(ServiceStatus { status, time: Timestamp::now() })
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
