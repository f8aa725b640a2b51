//! The two doors to the data: `read` and `write`. Owns pools, permits, deadlines and retries.

use std::sync::Arc;
use std::time::Duration;

use diesel::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::connection::{Conn, DatabaseUrl, Manager, Role, explain, open};
use super::unit::{self, Unit};
use super::writer::Writer;
use crate::kernel::error::{Error, Result, Unavailable};
use crate::vault::{self, Vault};

/// Sizes and deadlines of the store.
#[derive(Clone, Debug)]
pub struct StoreSettings {
    /// Where the data are.
    pub url: DatabaseUrl,
    /// Connections of the pool (PostgreSQL: reads and writes; SQLite: readers).
    pub connections: u32,
    /// Writes that may wait for SQLite's writer.
    pub write_queue: usize,
    /// Longest wait for a connection, milliseconds.
    pub acquire_timeout_ms: u64,
    /// Longest statement on PostgreSQL, milliseconds.
    pub statement_timeout_ms: u64,
    /// The vault at hand of whoever gets a connection; tools that neither seal nor open need none.
    pub vault: Option<Arc<Vault>>,
}

impl StoreSettings {
    /// Defaults for a database.
    pub fn new(url: DatabaseUrl) -> Self {
        Self { url, connections: 8, write_queue: 4096, acquire_timeout_ms: 1_000, statement_timeout_ms: 5_000, vault: None }
    }
}

/// Runs of a transaction that lost a race, the first one included.
const ATTEMPTS: u32 = 5;

enum Engine {
    Postgres,
    Sqlite(Writer),
}

struct Inner {
    pool: r2d2::Pool<Manager>,
    permits: Arc<Semaphore>,
    acquire: Duration,
    engine: Engine,
    vault: Option<Arc<Vault>>,
}

/// The database, shared by all workers; or one transaction of it, shared by the actions of a batch. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Inner>, Option<Unit>);

/// A store all of whose reads and writes are one transaction. Dropped without [`Together::keep`], nothing of it stays.
#[derive(Debug)]
pub struct Together {
    /// The store.
    pub store: Store,
    outcome: oneshot::Receiver<Result<()>>,
}

impl Together {
    /// Commits; durable when this returns `Ok`.
    pub async fn keep(self) -> Result<()> {
        let Self { store, outcome } = self;
        let unit = store.1.as_ref().ok_or_else(|| Error::internal("a unit without its end"))?;
        unit.keep()?;
        outcome.await.unwrap_or(Err(Error::Unavailable(Unavailable::Storage)))
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0.engine {
            Engine::Postgres => "Store(postgres)",
            Engine::Sqlite(_) => "Store(sqlite)",
        })
    }
}

impl Store {
    /// Opens the pools. The schema must be there already.
    pub fn open(settings: &StoreSettings) -> Result<Self, String> {
        let engine = match settings.url {
            DatabaseUrl::Postgres(_) => Engine::Postgres,
            DatabaseUrl::Sqlite(_) => {
                let conn = open(&settings.url, Role::Write, settings.statement_timeout_ms)
                    .map_err(|e| explain(&settings.url, &e))?;
                let writer =
                    Writer::start(conn, settings.write_queue).map_err(|e| format!("cannot start the writer: {e}"))?;
                Engine::Sqlite(writer)
            }
        };
        let manager =
            Manager { url: settings.url.clone(), role: Role::Read, statement_timeout_ms: settings.statement_timeout_ms };
        let pool = r2d2::Pool::builder()
            .max_size(settings.connections)
            .min_idle(Some(1))
            .test_on_check_out(false)
            .connection_timeout(Duration::from_millis(settings.acquire_timeout_ms.max(250)))
            .error_handler(Box::new(LogHandler))
            .build(manager)
            .map_err(|_| format!("cannot connect to the database {:?}", settings.url))?;
        let permits = Arc::new(Semaphore::new(usize::try_from(settings.connections).unwrap_or(8)));
        let acquire = Duration::from_millis(settings.acquire_timeout_ms);
        Ok(Self(Arc::new(Inner { pool, permits, acquire, engine, vault: settings.vault.clone() }), None))
    }

    /// Whether the engine is SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.0.engine, Engine::Sqlite(_))
    }

    /// The vault that its connections come with.
    pub fn vault(&self) -> Result<&Arc<Vault>> {
        self.0.vault.as_ref().ok_or_else(|| Error::internal("a store without a vault"))
    }

    /// Runs `f` on a pooled connection. SQLite's are read-only, and one snapshot from the first statement to the last.
    pub async fn read<T: Send + 'static>(&self, f: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        if let Some(unit) = &self.1 {
            return unit.run(f).await;
        }
        let store = self.clone();
        self.on_blocking_thread(move || store.read_blocking(f)).await
    }

    /// [`Store::read`] for a few rows by their keys. On SQLite that takes less time than to wake another thread, so it
    /// happens on this one; nothing that scans may come this way.
    pub async fn read_few<T: Send + 'static>(&self, f: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        if self.1.is_none()
            && self.is_sqlite()
            && let Some(mut conn) = self.0.pool.try_get()
        {
            return vault::at_hand(self.0.vault.as_ref(), || conn.transaction(f));
        }
        self.read(f).await
    }

    /// Runs `f` in one transaction, all or nothing; durable when this returns `Ok`. `f` may run more than
    /// once: it makes no effect outside the database, and takes ids and times as given.
    pub async fn write<T: Send + 'static>(&self, f: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        if let Some(unit) = &self.1 {
            return unit.run(f).await;
        }
        if let Engine::Sqlite(writer) = &self.0.engine {
            let (sender, receiver) = oneshot::channel();
            let vault = self.0.vault.clone();
            writer.submit(
                move |tx| vault::at_hand(vault.as_ref(), || f(tx)),
                move |outcome| {
                    // The caller may have gone; the effect stays.
                    let _ = sender.send(outcome);
                },
            )?;
            return receiver.await.unwrap_or(Err(Error::Unavailable(Unavailable::Storage)));
        }
        let store = self.clone();
        self.on_blocking_thread(move || store.transact(&f)).await
    }

    /// Begins a transaction that several actions share: what each of them reads and writes through the store that this
    /// answers is one effect. On SQLite the writer waits for it meanwhile, so nothing in it may wait for another write.
    pub async fn together(&self) -> Result<Together> {
        let (unit, jobs) = unit::pair();
        let (sender, outcome) = oneshot::channel();
        let vault = self.0.vault.clone();
        if let Engine::Sqlite(writer) = &self.0.engine {
            writer.submit_once(
                move |tx| vault::at_hand(vault.as_ref(), || jobs.work(tx)),
                move |fate| {
                    let _ = sender.send(fate);
                },
            )?;
        } else {
            let permit = self.permit().await?;
            let store = self.clone();
            tokio::task::spawn_blocking(move || {
                let _permit = permit;
                let fate = match store.0.pool.get() {
                    Err(_) => Err(Error::Unavailable(Unavailable::Storage)),
                    Ok(mut conn) => vault::at_hand(vault.as_ref(), || conn.transaction(|tx| jobs.work(tx))),
                };
                let _ = sender.send(fate);
            });
        }
        Ok(Together { store: Self(Arc::clone(&self.0), Some(unit)), outcome })
    }

    /// [`Store::read`] for threads that may block (tools, the sealer).
    pub fn read_blocking<T>(&self, f: impl FnOnce(&mut Conn) -> Result<T>) -> Result<T> {
        let mut conn = self.0.pool.get().map_err(|_| Error::Unavailable(Unavailable::Storage))?;
        vault::at_hand(self.0.vault.as_ref(), || match self.0.engine {
            // One transaction: SQLite looks once, not per statement, whether its pages are still good. A transaction
            // would cost PostgreSQL two round trips.
            Engine::Sqlite(_) => conn.transaction(f),
            Engine::Postgres => f(&mut conn),
        })
    }

    /// [`Store::write`] for threads that may block (tools, the sealer, the access log).
    pub fn write_blocking<T: Send + 'static>(&self, f: impl Fn(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        if let Engine::Sqlite(writer) = &self.0.engine {
            let (sender, receiver) = std::sync::mpsc::sync_channel(1);
            let vault = self.0.vault.clone();
            writer.submit(
                move |tx| vault::at_hand(vault.as_ref(), || f(tx)),
                move |outcome| {
                    let _ = sender.send(outcome);
                },
            )?;
            return receiver.recv().unwrap_or(Err(Error::Unavailable(Unavailable::Storage)));
        }
        self.transact(&f)
    }

    fn transact<T>(&self, f: &dyn Fn(&mut Conn) -> Result<T>) -> Result<T> {
        let mut attempt = 1;
        loop {
            let outcome = {
                let mut conn = self.0.pool.get().map_err(|_| Error::Unavailable(Unavailable::Storage))?;
                vault::at_hand(self.0.vault.as_ref(), || conn.transaction(|tx| f(tx)))
            };
            match outcome {
                Err(Error::Unavailable(Unavailable::Contention)) if attempt < ATTEMPTS => {
                    // Spread the losers: 5–100 ms, from the bits of a fresh bucket.
                    let spread = u64::try_from(crate::kernel::Bucket::random().number()).unwrap_or(0) % 20;
                    std::thread::sleep(Duration::from_millis(5 + spread * u64::from(attempt)));
                    attempt += 1;
                }
                Err(Error::Unavailable(Unavailable::Contention)) => {
                    return Err(Error::Unavailable(Unavailable::Overloaded));
                }
                outcome => return outcome,
            }
        }
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit> {
        let overloaded = Error::Unavailable(Unavailable::Overloaded);
        match self.0.permits.clone().try_acquire_owned() {
            Ok(permit) => Ok(permit),
            Err(_) => tokio::time::timeout(self.0.acquire, self.0.permits.clone().acquire_owned())
                .await
                .map_err(|_| overloaded.clone())?
                .map_err(|_| overloaded),
        }
    }

    /// A permit first, with a deadline, and only then a thread: else a full pool piles up blocked threads.
    async fn on_blocking_thread<T: Send + 'static>(&self, f: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        let permit = self.permit().await?;
        tokio::task::spawn_blocking(move || {
            let _permit = permit;
            f()
        })
        .await
        .map_err(|_| Error::internal("panic on a blocking thread"))?
    }

    /// Connections in use and idle, for the metrics.
    pub fn pool_state(&self) -> (u32, u32) {
        let state = self.0.pool.state();
        (state.connections - state.idle_connections, state.idle_connections)
    }
}

#[derive(Debug)]
struct LogHandler;

impl<E: std::error::Error> r2d2::HandleError<E> for LogHandler {
    fn handle_error(&self, _error: E) {
        // The text of a connection error may hold a host or a user name: the fact is enough.
        log::error!(target: "sistra::db", "a database connection could not be made");
    }
}
