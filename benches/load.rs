//! The load generator: 32 connections on one thread, requests made beforehand, answers read as far as they must be.
//!
//! Must not know what is asked for.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use base64::Engine;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::sync::Barrier;

/// Connections, each with one request on its way.
pub const CONNECTIONS: usize = 32;

/// Cores of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The bytes of a request.
pub fn request(method: &str, path: &str, token: &str, headers: &[(&str, String)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

/// Processor time, nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage<T = f64> {
    pub server: T,
    pub database: T,
    pub load: T,
}

/// Nanoseconds that the threads of a process ran, split by whether their name starts with `load`.
fn ran(process: &Path) -> (u64, u64) {
    let (mut others, mut load) = (0, 0);
    for task in std::fs::read_dir(process.join("task")).into_iter().flatten().flatten() {
        let read = |name: &str| std::fs::read_to_string(task.path().join(name)).unwrap_or_default();
        let ns: u64 = read("schedstat").split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        *if read("comm").starts_with("load") { &mut load } else { &mut others } += ns;
    }
    (others, load)
}

impl Usage<u64> {
    fn now(database: Option<u32>) -> Self {
        let (server, load) = ran(Path::new("/proc/self"));
        let child = |parent: u32, stat: &str| {
            let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
            after.split(' ').nth(1) == Some(&parent.to_string())
        };
        let database = database.map_or(0, |parent| {
            std::fs::read_dir("/proc")
                .unwrap()
                .flatten()
                .filter(|p| std::fs::read_to_string(p.path().join("stat")).is_ok_and(|stat| child(parent, &stat)))
                .map(|p| ran(&p.path()).0)
                .sum()
        });
        Self { server, database, load }
    }
}

/// What was measured of one row.
pub struct Figures {
    took: Duration,
    latencies: Vec<Duration>,
    usage: Usage<u64>,
}

impl Figures {
    /// Runs `work` between two looks at the processors; it answers the latency of each request.
    pub fn of(database: Option<u32>, work: impl FnOnce() -> Vec<Duration>) -> Self {
        let (before, started) = (Usage::now(database), Instant::now());
        let latencies = work();
        Self::since(database, before, started, latencies)
    }

    fn since(database: Option<u32>, before: Usage<u64>, started: Instant, mut latencies: Vec<Duration>) -> Self {
        let (took, after) = (started.elapsed(), Usage::now(database));
        latencies.sort_unstable();
        // A thread that ended takes its time with it.
        let usage = Usage {
            server: after.server.saturating_sub(before.server),
            database: after.database.saturating_sub(before.database),
            load: after.load.saturating_sub(before.load),
        };
        Self { took, latencies, usage }
    }

    /// Requests.
    pub fn done(&self) -> usize {
        self.latencies.len()
    }

    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.done() as f64 / self.took.as_secs_f64()
    }

    /// Milliseconds below which so many of a hundred answers came.
    pub fn percentile(&self, of: f64) -> f64 {
        let at = (self.done() as f64 * of / 100.0) as usize;
        self.latencies[at.min(self.done() - 1)].as_secs_f64() * 1e3
    }

    /// Microseconds of processor time a request.
    pub fn each(&self) -> Usage {
        let each = |ns: u64| ns as f64 / 1e3 / self.done() as f64;
        Usage { server: each(self.usage.server), database: each(self.usage.database), load: each(self.usage.load) }
    }

    /// Microseconds of server and database a request: what neighbours disturb least.
    pub fn cost(&self) -> f64 {
        let Usage { server, database, .. } = self.each();
        server + database
    }
}

/// A connection that asks and listens.
struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Wire {
    async fn open(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, buffer: Vec::with_capacity(65_536) }
    }

    /// Asks; answers the status and where the body starts in the buffer.
    async fn ask(&mut self, request: &[u8]) -> (u16, usize) {
        let mut sent = 0;
        while sent < request.len() {
            match self.stream.try_write(&request[sent..]) {
                Ok(n) => sent += n,
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => self.stream.writable().await.unwrap(),
                Err(e) => panic!("connection broke: {e}"),
            }
        }
        self.buffer.clear();
        let mut whole = None;
        while whole.is_none_or(|(_, end)| self.buffer.len() < end) {
            self.stream.readable().await.unwrap();
            match self.stream.try_read_buf(&mut self.buffer) {
                Ok(0) => panic!("connection closed: {}", String::from_utf8_lossy(request)),
                Ok(_) => {}
                Err(e) if e.kind() == std::io::ErrorKind::WouldBlock => continue,
                Err(e) => panic!("connection broke: {e}"),
            }
            whole = whole.or_else(|| head(&self.buffer));
        }
        let status = std::str::from_utf8(&self.buffer[9..12]).unwrap().parse().unwrap();
        (status, whole.unwrap().0)
    }
}

/// Where the body starts and ends, once the head is there.
fn head(bytes: &[u8]) -> Option<(usize, usize)> {
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")? + 4;
    let name = b"content-length: ";
    let at = bytes[..end].windows(name.len()).position(|w| w == name)? + name.len();
    let digits = bytes[at..].iter().take_while(|b| b.is_ascii_digit());
    Some((end, end + digits.fold(0, |n, b| n * 10 + usize::from(b - b'0'))))
}

/// Asks once, on a connection of its own.
pub fn once(addr: SocketAddr, request: &[u8]) -> (u16, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut wire = Wire::open(addr).await;
        let (status, body) = wire.ask(request).await;
        (status, serde_json::from_slice(&wire.buffer[body..]).unwrap_or(Value::Null))
    })
}

/// A token for a client's secret.
pub fn token(base: &str, id: &str, secret: &str) -> String {
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
    let mut answer = ureq::post(format!("{base}/oauth/token"))
        .header("Authorization", format!("Basic {basic}"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .send("grant_type=client_credentials")
        .unwrap();
    let body: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
    body["access_token"].as_str().unwrap().to_owned()
}

/// Where the load goes.
#[derive(Clone, Copy)]
pub struct Load {
    pub addr: SocketAddr,
    /// PostgreSQL's first process.
    pub database: Option<u32>,
}

impl Load {
    /// Sends every request once, in order, over all connections; the first tenth only warms up.
    pub fn run(self, requests: Vec<Arc<[u8]>>) -> Figures {
        let thread = std::thread::Builder::new().name("load".into());
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(self.on_runtime(requests))
        };
        thread.spawn(run).unwrap().join().unwrap()
    }

    async fn on_runtime(self, requests: Vec<Arc<[u8]>>) -> Figures {
        let warm = requests.len() / 10;
        let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
        let barrier = Arc::new(Barrier::new(CONNECTIONS + 1));
        let mut tasks = Vec::new();
        for _ in 0..CONNECTIONS {
            let (requests, next, barrier) = (Arc::clone(&requests), Arc::clone(&next), Arc::clone(&barrier));
            tasks.push(tokio::spawn(async move {
                let mut wire = Wire::open(self.addr).await;
                let mut latencies = Vec::with_capacity(requests.len() / CONNECTIONS * 2);
                for end in [warm, requests.len()] {
                    latencies.clear();
                    barrier.wait().await;
                    // Between the two waits nobody asks, and the first number of this part is set.
                    barrier.wait().await;
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(request) = requests.get(at).filter(|_| at < end) else { break };
                        let asked = Instant::now();
                        let (status, body) = wire.ask(request).await;
                        latencies.push(asked.elapsed());
                        let text = || String::from_utf8_lossy(&wire.buffer[body..]).into_owned();
                        assert!((200..300).contains(&status), "{status}: {}", text());
                    }
                }
                latencies
            }));
        }
        barrier.wait().await;
        barrier.wait().await;
        // Everybody is warm.
        barrier.wait().await;
        next.store(warm, Ordering::Relaxed);
        let (before, started) = (Usage::now(self.database), Instant::now());
        barrier.wait().await;
        let mut latencies = Vec::with_capacity(requests.len());
        for task in tasks {
            latencies.extend(task.await.unwrap());
        }
        Figures::since(self.database, before, started, latencies)
    }
}
