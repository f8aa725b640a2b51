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

/// Milliseconds that a small write takes to be on the disk where the data lie; the median.
pub fn commit_ms() -> f64 {
    use std::io::Write;
    let path = std::env::temp_dir().join(format!("sistra-bench-disk-{}", crate::unique()));
    let mut file = std::fs::File::create(&path).unwrap();
    let mut took: Vec<Duration> = (0..100)
        .map(|_| {
            file.write_all(&[0; 16_384]).unwrap();
            let started = Instant::now();
            file.sync_data().unwrap();
            started.elapsed()
        })
        .collect();
    let _ = std::fs::remove_file(path);
    took.sort_unstable();
    took[50].as_secs_f64() * 1e3
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

fn text(path: &Path, name: &str) -> String {
    std::fs::read_to_string(path.join(name)).unwrap_or_default()
}

/// The fields of a `stat` after the name, which may hold anything.
fn fields(stat: &str) -> impl Iterator<Item = &str> {
    stat.rsplit_once(") ").map_or("", |(_, rest)| rest).split(' ')
}

/// Nanoseconds that a process ran, with the threads that have ended; in hundredths of a second.
fn ran(process: &Path) -> u64 {
    let stat = text(process, "stat");
    fields(&stat).skip(11).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum::<u64>() * 10_000_000
}

/// Nanoseconds that the thread of the load generator ran.
fn ran_for_load() -> u64 {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap().flatten().map(|t| t.path());
    let of = |task: &Path| text(task, "schedstat").split(' ').next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    tasks.filter(|t| text(t, "comm").trim_end() == "load").map(|t| of(&t)).sum()
}

impl Usage<u64> {
    fn now(database: Option<u32>) -> Self {
        let (all, load) = (ran(Path::new("/proc/self")), ran_for_load());
        let child = |process: &Path, parent: &str| fields(&text(process, "stat")).nth(1) == Some(parent);
        let database = database.map_or(0, |parent| {
            let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|p| p.path());
            processes.filter(|p| child(p, &parent.to_string())).map(|p| ran(&p)).sum()
        });
        Self { server: all.saturating_sub(load), database, load }
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
        // A process of PostgreSQL that ended takes its time with it.
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

    /// So many connections ask the same thing and wait; then `ring` is called. The time from there to each answer.
    pub fn wait(self, count: usize, request: Arc<[u8]>, ring: impl FnOnce() + Send + 'static) -> Figures {
        let run = move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let mut tasks = Vec::with_capacity(count);
                for _ in 0..count {
                    let mut wire = Wire::open(self.addr).await;
                    let request = Arc::clone(&request);
                    tasks.push(tokio::spawn(async move {
                        let (status, _) = wire.ask(&request).await;
                        assert_eq!(status, 200);
                        Instant::now()
                    }));
                }
                // Long enough for all of them to have looked once.
                tokio::time::sleep(Duration::from_secs(4)).await;
                let (before, started) = (Usage::now(self.database), Instant::now());
                std::thread::spawn(ring);
                let mut latencies = Vec::with_capacity(count);
                for task in tasks {
                    latencies.push(task.await.unwrap().saturating_duration_since(started));
                }
                Figures::since(self.database, before, started, latencies)
            })
        };
        std::thread::Builder::new().name("load".into()).spawn(run).unwrap().join().unwrap()
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
                        if !(200..300).contains(&status) {
                            // The others wait for this one: a panic here would leave them waiting.
                            let line = request.split(|b| *b == b'\r').next().unwrap_or_default();
                            let (line, body) = (String::from_utf8_lossy(line), &wire.buffer[body..]);
                            eprintln!("{line}: {status}: {}", String::from_utf8_lossy(body));
                            std::process::exit(1);
                        }
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
