//! Composition: mounts each slice once, installs the layers, starts and stops the server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY};
use actix_web::middleware::{DefaultHeaders, from_fn};
use actix_web::{App, HttpResponse, HttpServer, web};
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;
use utoipa_swagger_ui::{Config as DocsConfig, SwaggerUi};

use crate::alerts::Watch;
use crate::auth::clients::Directory;
use crate::auth::door::{self, TokenDoor};
use crate::auth::issuers::Issuers;
use crate::auth::keys::SigningKeys;
use crate::auth::{Authenticator, Signer, dpop, oauth, revocation, tokens};
use crate::catalogue::Catalogue;
use crate::config::Config;
use crate::db::connection::{Role, check_language, explain, open};
use crate::db::{Store, migrations};
use crate::events::actions::Feed;
use crate::events::model::Retention;
use crate::events::{self, Bell};
use crate::http::body::{BodyLimits, SCHEMAS, Schemas};
use crate::http::context::{Edge, layer};
use crate::http::cors::Cors;
use crate::http::cursor::Cursors;
use crate::http::fallback::{Paths, fallback};
use crate::http::guard::{Gate, Services};
use crate::http::health::{self, Health};
use crate::http::limits::Limits;
use crate::http::looking::Looking;
use crate::http::metrics::{Metrics, metrics};
use crate::http::problem::{FaultBody, ProblemBody};
use crate::http::{contract, idempotency};
use crate::jobs::JobKind;
use crate::jobs::worker::{self, Bench, Works};
use crate::kernel::{Bucket, Timestamp};
use crate::ledger::{AccessLog, Notary, sealer};
use crate::persons::IndexKey;
use crate::statistics::open_data::Shelf;
use crate::statistics::{Figures, projector};
use crate::vault::Vault;
use crate::webhooks::Hooks;
use crate::webhooks::dispatcher::Dispatcher;
use crate::webhooks::sender::Sender;

/// The part of the contract that no handler carries.
#[derive(OpenApi)]
#[openapi(components(schemas(ProblemBody, FaultBody)))]
struct Base;

/// Every slice, once.
pub(crate) fn routes(cfg: &mut ServiceConfig) {
    crate::cases::http::routes(cfg);
    crate::victims::http::routes(cfg);
    crate::accused::http::routes(cfg);
    crate::charges::http::routes(cfg);
    crate::deadlines::http::routes(cfg);
    crate::referrals::http::routes(cfg);
    crate::corrections::http::routes(cfg);
    crate::batch::http::routes(cfg);
    crate::measures::http::routes(cfg);
    crate::hearings::http::routes(cfg);
    crate::decisions::http::routes(cfg);
    crate::notes::http::routes(cfg);
    crate::consents::http::routes(cfg);
    crate::assistance::http::routes(cfg);
    crate::care::http::routes(cfg);
    crate::reunifications::http::routes(cfg);
    crate::campaigns::http::routes(cfg);
    crate::trainings::http::routes(cfg);
    crate::fundings::http::routes(cfg);
    crate::programmes::totals::http::routes(cfg);
    crate::deconfliction::http::routes(cfg);
    crate::break_glass::http::routes(cfg);
    crate::holds::http::routes(cfg);
    crate::retention::http::routes(cfg);
    crate::erasures::http::routes(cfg);
    crate::imports::http::routes(cfg);
    crate::exports::http::routes(cfg);
    crate::jobs::http::routes(cfg);
    crate::agencies::http::routes(cfg);
    crate::audit::http::routes(cfg);
    crate::alerts::http::routes(cfg);
    crate::statistics::http::routes(cfg);
    crate::statistics::un_http::routes(cfg);
    crate::statistics::release_http::routes(cfg);
    crate::statistics::open_data::routes(cfg);
    crate::events::http::routes(cfg);
    crate::webhooks::http::routes(cfg);
    crate::catalogue::http::routes(cfg);
    oauth::routes(cfg);
    cfg.service(health::health_live)
        .service(health::health_ready)
        .service(health::status_read)
        .service(health::problem_type_read);
}

/// The contract, from the handlers as they are mounted.
pub fn contract() -> utoipa::openapi::OpenApi {
    let (_, document) = App::new().into_utoipa_app().openapi(Base::openapi()).configure(routes).split_for_parts();
    document
}

/// A server that runs.
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Where its metrics are.
    pub metrics_addr: Option<SocketAddr>,
    /// Its store.
    pub store: Store,
    /// Its key of the index of persons.
    pub index: Arc<IndexKey>,
    /// Its figures.
    pub figures: Arc<Figures>,
    /// Its tokens.
    pub authenticator: Arc<Authenticator>,
    /// Its webhooks.
    pub hooks: Arc<Hooks>,
    handle: ServerHandle,
    metrics_handle: Option<ServerHandle>,
    health: web::Data<Health>,
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
    server: Option<JoinHandle<std::io::Result<()>>>,
    feed: Arc<Feed>,
    _lock: Option<std::fs::File>,
}

impl Running {
    /// Stops: not ready, no new connections, running requests end, then the helpers.
    pub fn stop(mut self) {
        self.halt();
    }

    /// From now on it is not ready: a balancer sends its traffic elsewhere before the server stops.
    pub fn drain(&self) {
        self.health.drain();
    }

    fn halt(&mut self) {
        self.drain();
        self.feed.bell.close();
        let (handle, metrics_handle) = (self.handle.clone(), self.metrics_handle.take());
        actix_rt::System::new().block_on(async move {
            handle.stop(true).await;
            if let Some(metrics) = metrics_handle {
                metrics.stop(false).await;
            }
        });
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        if let Some(server) = self.server.take() {
            let _ = server.join();
        }
    }

    /// Waits until the server ends by itself (a signal), then ends the helpers.
    pub fn wait(mut self) -> Result<(), String> {
        let ended = self.server.take().map(JoinHandle::join);
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
        match ended {
            Some(Ok(Ok(()))) | None => Ok(()),
            Some(Ok(Err(e))) => Err(format!("the server failed: {e}")),
            Some(Err(_)) => Err("the server thread panicked".into()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.server.is_some() {
            self.halt();
        }
    }
}

/// Locks the data directory of an embedded registry: two writers would break each other's promises.
fn lock(config: &Config) -> Result<Option<std::fs::File>, String> {
    if !config.embedded() {
        return Ok(None);
    }
    let path = config.data_dir.join("lock");
    let file = std::fs::File::create(&path).map_err(|e| format!("cannot write {}: {e}", path.display()))?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => Ok(Some(file)),
        Err(_) => Err(format!("the data directory {} is in use by another process", config.data_dir.display())),
    }
}

/// Opens the database, migrated; loads the agencies of the catalogue into an embedded one.
pub fn open_store(config: &Config, catalogue: &Catalogue) -> Result<Store, String> {
    let vault = {
        let mut conn = open(&config.database, Role::Write, config.serve.db_statement_timeout_ms)
            .map_err(|e| explain(&config.database, &e))?;
        check_language(&mut conn)?;
        if config.embedded() {
            migrations::up(&mut conn)?;
        }
        migrations::check(&mut conn)?;
        crate::agencies::seed(&mut conn, catalogue, Timestamp::now()).map_err(|e| format!("agencies not loaded: {e:?}"))?;
        Vault::open(&mut conn, &config.keyring, Timestamp::now())?
    };
    Store::open(&config.store(vault))
}

/// The key of the blind index, from the keyring: a stolen database does not say whom a row of it is about.
pub fn index_key(store: &Store) -> Result<IndexKey, String> {
    let secret = store.vault().and_then(|v| v.derive("blind-index")).map_err(|e| format!("no key for the index: {e:?}"))?;
    IndexKey::from_secret(&secret)
}

/// Starts a server on threads of its own; returns once it listens.
pub fn start(config: &Config) -> Result<Running, String> {
    crate::config::make_private_dir(&config.data_dir)?;
    let lock = lock(config)?;
    let catalogue = Arc::new(config.catalogue()?);
    let store = open_store(config, &catalogue)?;
    let keys = SigningKeys::load_or_create(&config.data_dir, Timestamp::now())?;
    let cursors = Arc::new(Cursors::new(&keys.cursor_secret())?);
    let index = Arc::new(index_key(&store)?);
    let (origin, memory) = (config.serve.ledger_origin.as_deref(), config.ledger_memory.as_deref());
    let notary = Arc::new(Notary::load_or_create(&config.data_dir, memory, origin, Timestamp::now())?);
    let outgoing = crate::tls::settings(config.serve.ca_file.as_deref())?;
    let issuers = match &config.serve.trusted_issuers {
        Some(path) => Issuers::load(path, &outgoing)?,
        None => Issuers::none(),
    };
    let directory = Directory::load(&store).map_err(|e| format!("clients not loaded: {e:?}"))?;
    let listener = std::net::TcpListener::bind(config.serve.bind)
        .map_err(|e| format!("cannot listen on {}: {e}", config.serve.bind))?;
    let addr = listener.local_addr().map_err(|e| e.to_string())?;
    if let Some(news) = store.vault().ok().and_then(|vault| vault.ring().news()) {
        log::warn!(target: "sistra::vault", "{news}");
    }
    let base = config.serve.public_url.clone().unwrap_or_else(|| format!("http://{addr}"));
    let authenticator = Authenticator::new(base.clone(), keys, directory, issuers, config.serve.token_ttl_s);
    let authenticator = Arc::new(if config.serve.dpop_nonce { authenticator.with_nonces() } else { authenticator });
    let serve = &config.serve;
    let limits = Arc::new(Limits::new(config.quotas()));
    let cors = Cors::new(&serve.cors_origin)?;
    let access = AccessLog::start(&store).map_err(|e| format!("cannot start the access record: {e}"))?;
    let law = web::Data::from(Arc::clone(&catalogue));
    let told = access.clone();
    let access = Arc::new(Watch::new(access, Looking::new(config.quotas()), store.clone()));
    let signer = Signer::new(Arc::clone(&authenticator));
    let feed = Arc::new(Feed {
        retention: Retention { days: serve.feed_retention_days },
        // Who waits is answered before the request runs out of time.
        longest: Duration::from_millis(serve.request_timeout_ms).saturating_sub(Duration::from_secs(1)),
        bell: Bell::default(),
    });
    let sender = Sender::new(serve.webhook_allow_private, outgoing);
    let hooks = Arc::new(Hooks::new(Arc::clone(&feed), sender, usize::from(serve.webhook_at_once)));
    if hooks.lab() {
        log::warn!(target: "sistra::webhooks", "webhooks may speak to private addresses: this is for tests and labs only");
    }
    let bell = Arc::new(worker::Bell::default());
    let bench =
        Bench { store: store.clone(), law: Arc::clone(&catalogue), index: Arc::clone(&index), watch: Arc::clone(&access) };
    let figures = Arc::new(Figures::open(&store).map_err(|e| format!("the figures cannot be read: {e:?}"))?);
    let services = Arc::new(Services {
        catalogue: Arc::clone(&catalogue),
        index: Arc::clone(&index),
        access,
        cursors,
        notary: Arc::clone(&notary),
        bell: Arc::clone(&bell),
        signer,
        feed: Arc::clone(&feed),
        hooks: Arc::clone(&hooks),
        figures: Arc::clone(&figures),
    });
    let document = contract();
    let json = contract::document(&document);
    let text = contract::text(&json);
    SCHEMAS.get_or_init(|| Schemas::new(json));
    let gate = web::Data::new(Gate::new(store.clone(), Arc::clone(&authenticator), Arc::clone(&limits), services));
    let door = web::Data::new(TokenDoor {
        authenticator: Arc::clone(&authenticator),
        store: store.clone(),
        access: told,
        limits: Arc::clone(&limits),
        proxies: serve.trusted_proxy.clone(),
    });
    let shelf = web::Data::new(Shelf::new(store.clone(), limits, serve.trusted_proxy.clone()));
    let health = web::Data::new(Health::new(store.clone(), Arc::clone(&notary)));
    let metrics_data = Arc::new(Metrics::new(store.clone()));
    let edge = web::Data::new(Edge {
        timeout: Duration::from_millis(serve.request_timeout_ms),
        base,
        access_log: serve.access_log,
        metrics: Arc::clone(&metrics_data),
        cors,
    });
    let body_limits =
        web::Data::new(BodyLimits { bytes: serve.body_limit_bytes, wait: Duration::from_millis(serve.body_timeout_ms) });
    let paths = web::Data::new(Paths::new(&document));
    let contract_text = web::Data::new(ContractText(text));
    let (app_health, app_edge) = (health.clone(), edge);
    let (workers, shutdown_timeout_s) = (serve.workers, serve.shutdown_timeout_s);
    let waiting = Arc::clone(&feed);
    let (handle, server) = run(move || {
        // Who waits for events is answered at once when the server is told to stop.
        actix_rt::spawn(async move {
            if stopped().await.is_ok() {
                waiting.bell.close();
            }
        });
        Ok(HttpServer::new(move || {
        let (app, _) = App::new().into_utoipa_app().openapi(Base::openapi()).configure(routes).split_for_parts();
        app.app_data(gate.clone())
            .app_data(crate::batch::dispatch::Inner::default())
            .app_data(door.clone())
            .app_data(app_health.clone())
            .app_data(app_edge.clone())
            .app_data(body_limits.clone())
            .app_data(paths.clone())
            .app_data(law.clone())
            .app_data(shelf.clone())
            .app_data(contract_text.clone())
            .app_data(web::PayloadConfig::new(65_536))
            .route("/openapi/v1.json", web::get().to(openapi))
            .route("/docs", web::get().to(docs))
            .service(
                web::scope("/docs")
                    .wrap(DefaultHeaders::new().add((
                        CONTENT_SECURITY_POLICY,
                        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; script-src 'self' 'unsafe-inline'; frame-ancestors 'none'",
                    )))
                    .service(SwaggerUi::new("/{_:.*}").config(DocsConfig::new(["/openapi/v1.json"]).deep_linking(true).display_operation_id(true))),
            )
            .default_service(web::to(fallback))
            .wrap(from_fn(layer))
    })
    .workers(workers)
    .shutdown_timeout(shutdown_timeout_s)
    .client_request_timeout(Duration::from_secs(5))
    .keep_alive(Duration::from_secs(30))
    .listen(listener)
    .map_err(|e| format!("cannot listen on {addr}: {e}"))?
    .run())
    })?;
    let (metrics_addr, metrics_handle) = match serve.metrics_bind {
        None => (None, None),
        Some(bind) => {
            let listener = std::net::TcpListener::bind(bind).map_err(|e| format!("cannot listen on {bind}: {e}"))?;
            let addr = listener.local_addr().map_err(|e| e.to_string())?;
            if let Some(news) = store.vault().ok().and_then(|vault| vault.ring().news()) {
                log::warn!(target: "sistra::vault", "{news}");
            }
            let data = web::Data::from(Arc::clone(&metrics_data));
            let server = move || {
                Ok(HttpServer::new(move || App::new().app_data(data.clone()).route("/metrics", web::get().to(metrics)))
                    .workers(1)
                    .disable_signals()
                    .listen(listener)
                    .map_err(|e| e.to_string())?
                    .run())
            };
            (Some(addr), Some(run(server)?.0))
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let interval = Duration::from_millis(serve.ledger_checkpoint_ms);
    let dispatcher =
        Dispatcher::new(store.clone(), Arc::clone(&authenticator), Arc::clone(&hooks), Arc::clone(&metrics_data));
    let mut threads = helpers(&store, &authenticator, &notary, &feed, dispatcher, interval, &stop)?;
    threads.push(jobs(bench, bell, &stop, serve.jobs_at_once)?);
    threads.push(follow(&figures, &store, &catalogue, &stop)?);
    Ok(Running {
        addr,
        metrics_addr,
        store,
        index,
        figures,
        authenticator,
        hooks,
        handle,
        metrics_handle,
        health,
        stop,
        threads,
        server: Some(server),
        feed,
        _lock: lock,
    })
}

/// Returns when the process is asked to end.
async fn stopped() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Runs a server on a thread of its own; `make` is called there, because a server cannot change threads.
fn run<S>(
    make: impl FnOnce() -> Result<S, String> + Send + 'static,
) -> Result<(ServerHandle, JoinHandle<std::io::Result<()>>), String>
where
    S: Future<Output = std::io::Result<()>> + HasHandle + 'static,
{
    let (sender, receiver) = std::sync::mpsc::sync_channel(1);
    let thread = std::thread::Builder::new()
        .name("sistra-http".into())
        .spawn(move || {
            actix_rt::System::new().block_on(async move {
                match make() {
                    Ok(server) => {
                        let handle = server.handle_of();
                        let running = actix_rt::spawn(server);
                        // Its first poll takes over the signals: who hears that it listens may stop it at once.
                        tokio::task::yield_now().await;
                        let _ = sender.send(Ok(handle));
                        running.await.unwrap_or_else(|e| Err(std::io::Error::other(e)))
                    }
                    Err(e) => {
                        let _ = sender.send(Err(e));
                        Ok(())
                    }
                }
            })
        })
        .map_err(|e| format!("cannot start the server thread: {e}"))?;
    let handle = receiver.recv().map_err(|_| "the server did not start".to_owned())??;
    Ok((handle, thread))
}

/// A server future that can be told to stop.
trait HasHandle {
    fn handle_of(&self) -> ServerHandle;
}

impl HasHandle for actix_web::dev::Server {
    fn handle_of(&self) -> ServerHandle {
        self.handle()
    }
}

/// Threads beside the server: the sealer, fresh clients and keys, the webhooks, the feed, and the broom.
fn helpers(
    store: &Store,
    authenticator: &Arc<Authenticator>,
    notary: &Arc<Notary>,
    feed: &Arc<Feed>,
    dispatcher: Dispatcher,
    interval: Duration,
    stop: &Arc<AtomicBool>,
) -> Result<Vec<JoinHandle<()>>, String> {
    let spawn = |name: &str, work: Box<dyn FnOnce() + Send>| {
        std::thread::Builder::new().name(name.to_owned()).spawn(work).map_err(|e| format!("cannot start {name}: {e}"))
    };
    let (s1, n1, b1, f1) = (store.clone(), Arc::clone(notary), Arc::clone(feed), Arc::clone(stop));
    let (s2, a2, f2) = (store.clone(), Arc::clone(authenticator), Arc::clone(stop));
    let f4 = Arc::clone(stop);
    let (s3, r3, f3) = (store.clone(), feed.retention, Arc::clone(stop));
    let (s5, b5, f5) = (store.clone(), Arc::clone(feed), Arc::clone(stop));
    Ok(vec![
        spawn("sistra-sealer", Box::new(move || sealer::run(&s1, &n1, &b1.bell, interval, &f1)))?,
        spawn("sistra-fresh", Box::new(move || tokens::keep_fresh(&a2, &s2, &f2)))?,
        spawn("sistra-webhooks", Box::new(move || dispatcher.run(&f4)))?,
        spawn("sistra-feed", Box::new(move || events::actions::keep_watch(&s5, &b5, &f5)))?,
        spawn("sistra-broom", Box::new(move || sweep(&s3, r3, &f3)))?,
    ])
}

/// The thread that keeps the figures up to the record.
fn follow(
    figures: &Arc<Figures>,
    store: &Store,
    law: &Arc<Catalogue>,
    stop: &Arc<AtomicBool>,
) -> Result<JoinHandle<()>, String> {
    let (figures, store, law, stop) = (Arc::clone(figures), store.clone(), Arc::clone(law), Arc::clone(stop));
    std::thread::Builder::new()
        .name("sistra-figures".into())
        .spawn(move || projector::run(&figures, &store, &law, &stop))
        .map_err(|e| format!("cannot start sistra-figures: {e}"))
}

/// The thread that does the jobs, with those that it starts.
fn jobs(bench: Bench, bell: Arc<worker::Bell>, stop: &Arc<AtomicBool>, at_once: usize) -> Result<JoinHandle<()>, String> {
    let works: Works = vec![
        (JobKind::Import, Box::new(crate::imports::run::ImportWork)),
        (JobKind::Export, Box::new(crate::exports::run::ExportWork)),
    ];
    let stop = Arc::clone(stop);
    std::thread::Builder::new()
        .name("sistra-jobs".to_owned())
        .spawn(move || worker::run(&bench, &works, &bell, &stop, at_once))
        .map_err(|e| format!("cannot start sistra-jobs: {e}"))
}

/// Rounds of the broom after which it looks for referrals that wait: about a minute.
const REMIND: u32 = 10;

/// Forgets old idempotency keys, assertions and proofs, one bucket at a time, all buckets within about seven hours; and old
/// events, one lane at a time. Every minute it tells who keeps a referral waiting.
fn sweep(store: &Store, retention: Retention, stop: &AtomicBool) {
    let mut lanes: Vec<String> = Vec::new();
    let mut bucket = Bucket::random().number();
    let (mut wait, mut round) = (0, 0_u32);
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(200));
        wait += 1;
        if wait < 30 {
            continue;
        }
        wait = 0;
        round = round.wrapping_add(1);
        if round.is_multiple_of(REMIND)
            && let Err(e) = crate::referrals::remind(store, Timestamp::now())
        {
            log::warn!(target: "sistra::db", "reminders of referrals failed: {e:?}");
        }
        bucket = (bucket + 1) % crate::kernel::ids::BUCKETS;
        let Some(this) = Bucket::new(bucket) else { continue };
        let now = Timestamp::now();
        let swept = store.write_blocking(move |tx| {
            idempotency::forget(tx, this, now)?;
            crate::batch::store::forget(tx, this, now)?;
            dpop::forget(tx, this, now)?;
            revocation::forget(tx, now)?;
            door::forget(tx, this, now)
        });
        if let Err(e) = swept.and_then(|_| events::actions::sweep(store, &mut lanes, retention, now)) {
            log::warn!(target: "sistra::db", "sweeping failed: {e:?}");
        }
    }
}

struct ContractText(String);

async fn openapi(text: web::Data<ContractText>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CACHE_CONTROL, "public, max-age=300"))
        .content_type("application/json")
        .body(text.0.clone())
}

async fn docs() -> HttpResponse {
    HttpResponse::PermanentRedirect().insert_header(("Location", "/docs/")).finish()
}
