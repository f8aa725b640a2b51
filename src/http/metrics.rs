//! Counters and durations, on a port of their own. No ids, no personal data.

use std::time::Duration;

use actix_web::{HttpResponse, web};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use crate::db::Store;
use crate::ledger::sealer;

/// Labels of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
    method: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// The metrics of one server.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    connections_busy: Gauge,
    connections_idle: Gauge,
    ledger_sealed: Gauge<i64>,
    ledger_pending: Gauge<i64>,
    deliveries: Family<OutcomeLabels, Counter>,
    delivery_durations: Histogram,
    store: Store,
}

impl Metrics {
    /// Registers everything.
    pub fn new(store: Store) -> Self {
        let mut registry = Registry::with_prefix("sistra");
        let requests = Family::<RequestLabels, Counter>::default();
        registry.register("http_requests", "Requests answered", requests.clone());
        let durations =
            Family::<RouteLabels, Histogram>::new_with_constructor(|| Histogram::new(exponential_buckets(0.0005, 2.0, 16)));
        registry.register("http_request_duration_seconds", "Time to answer", durations.clone());
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge: Gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let connections_busy = gauge(&mut registry, "db_connections_busy", "Database connections in use");
        let connections_idle = gauge(&mut registry, "db_connections_idle", "Database connections idle");
        let ledger_sealed = gauge(&mut registry, "ledger_sealed_entries", "Ledger entries with a position");
        let ledger_pending = gauge(&mut registry, "ledger_pending_entries", "Ledger entries that wait for a position");
        let deliveries = Family::<OutcomeLabels, Counter>::default();
        registry.register("webhook_deliveries", "Attempts to deliver an event", deliveries.clone());
        let delivery_durations = Histogram::new(exponential_buckets(0.005, 2.0, 13));
        registry.register("webhook_delivery_duration_seconds", "Time of an attempt", delivery_durations.clone());
        Self {
            registry,
            requests,
            durations,
            connections_busy,
            connections_idle,
            ledger_sealed,
            ledger_pending,
            deliveries,
            delivery_durations,
            store,
        }
    }

    /// Counts one answer.
    pub fn request(&self, route: &str, method: &str, status: u16, took: Duration) {
        // An unknown method must not make a new series.
        let method = match method {
            "GET" | "HEAD" | "POST" | "PATCH" | "DELETE" | "OPTIONS" => method,
            _ => "other",
        };
        let (route, method) = (route.to_owned(), method.to_owned());
        self.requests.get_or_create(&RequestLabels { route: route.clone(), method: method.clone(), status }).inc();
        self.durations.get_or_create(&RouteLabels { route, method }).observe(took.as_secs_f64());
    }

    /// Counts one attempt of a webhook.
    pub fn delivery(&self, outcome: &'static str, took: Duration) {
        self.deliveries.get_or_create(&OutcomeLabels { outcome }).inc();
        self.delivery_durations.observe(took.as_secs_f64());
    }

    fn text(&self) -> Option<String> {
        let (busy, idle) = self.store.pool_state();
        self.connections_busy.set(i64::from(busy));
        self.connections_idle.set(i64::from(idle));
        if let Ok((sealed, pending)) = self.store.read_blocking(sealer::progress) {
            self.ledger_sealed.set(sealed);
            self.ledger_pending.set(pending);
        }
        let mut text = String::new();
        encode(&mut text, &self.registry).ok()?;
        Some(text)
    }
}

/// `GET /metrics` of the private port.
pub async fn metrics(metrics: web::Data<Metrics>) -> HttpResponse {
    let text = web::block(move || metrics.text()).await.ok().flatten();
    match text {
        Some(text) => HttpResponse::Ok()
            .insert_header(("Content-Type", "application/openmetrics-text; version=1.0.0; charset=utf-8"))
            .body(text),
        None => HttpResponse::ServiceUnavailable().finish(),
    }
}
