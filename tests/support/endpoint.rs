//! An endpoint of a partner's: takes messages over real HTTP, remembers them, and answers as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use openssl::ssl::SslAcceptor;
use serde_json::{Value, json};

/// What it answers.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    /// 200 and ten megabytes.
    Big,
    /// 302 to somewhere else.
    Redirect(String),
    /// 200 and this body.
    Body(String),
    /// Nothing, until it is told otherwise.
    Hang,
}

/// One message as it came.
#[derive(Clone, Debug)]
pub struct Got {
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Got {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
    pub fn kind(&self) -> String {
        self.json()["type"].as_str().unwrap().to_owned()
    }
    pub fn id(&self) -> String {
        self.headers["webhook-id"].clone()
    }
    /// As the peer reads it.
    pub fn line(&self) -> String {
        json!({"headers": self.headers, "body": self.body}).to_string()
    }
}

#[derive(Default)]
struct Shared {
    got: Vec<Got>,
    reply: Option<Reply>,
}

pub struct Endpoint {
    scheme: &'static str,
    addr: SocketAddr,
    shared: Arc<(Mutex<Shared>, Condvar)>,
}

impl Endpoint {
    /// One that answers 204.
    pub fn new() -> Self {
        Self::made("http", serve)
    }

    /// The same behind TLS.
    pub fn secure(acceptor: SslAcceptor) -> Self {
        Self::made("https", move |stream, shared| {
            if let Ok(stream) = acceptor.accept(stream) {
                serve(stream, shared);
            }
        })
    }

    fn made(scheme: &'static str, talk: impl Fn(TcpStream, &(Mutex<Shared>, Condvar)) + Clone + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let shared: Arc<(Mutex<Shared>, Condvar)> = Arc::default();
        let inner = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (inner, talk) = (Arc::clone(&inner), talk.clone());
                std::thread::spawn(move || talk(stream, &inner));
            }
        });
        Self { scheme, addr, shared }
    }

    pub fn url(&self) -> String {
        format!("{}://{}/hook", self.scheme, self.addr)
    }

    /// From now on it answers so; who hangs is answered too.
    pub fn says(&self, reply: Reply) {
        self.shared.0.lock().unwrap().reply = Some(reply);
        self.shared.1.notify_all();
    }

    /// Everything that came so far.
    pub fn got(&self) -> Vec<Got> {
        self.shared.0.lock().unwrap().got.clone()
    }

    /// Waits until `enough`; answers everything that came.
    pub fn until(&self, enough: impl Fn(&[Got]) -> bool) -> Vec<Got> {
        let (shared, changed) = &*self.shared;
        let guard = shared.lock().unwrap();
        let (guard, late) = changed.wait_timeout_while(guard, Duration::from_secs(90), |s| !enough(&s.got)).unwrap();
        let kinds: Vec<String> = guard.got.iter().map(Got::kind).collect();
        assert!(!late.timed_out(), "still waiting after {kinds:?}");
        guard.got.clone()
    }

    /// Waits for so many messages.
    pub fn count(&self, count: usize) -> Vec<Got> {
        self.until(|got| got.len() >= count)
    }
}

fn serve(stream: impl Read + Write, shared: &(Mutex<Shared>, Condvar)) {
    let mut reader = BufReader::new(stream);
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            break;
        }
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
    }
    let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let reply = {
        let mut guard = shared.0.lock().unwrap();
        guard.got.push(Got { headers, body: String::from_utf8(body).unwrap() });
        shared.1.notify_all();
        while matches!(guard.reply, Some(Reply::Hang)) {
            guard = shared.1.wait(guard).unwrap();
        }
        guard.reply.clone().unwrap_or(Reply::Status(204))
    };
    let stream = reader.get_mut();
    let _ = match reply {
        Reply::Body(text) => {
            write!(stream, "HTTP/1.1 200 X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}", text.len())
        }
        Reply::Status(status) => write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"),
        Reply::Redirect(to) => {
            write!(stream, "HTTP/1.1 302 X\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        }
        Reply::Big => {
            let size = 10_000_000;
            write!(stream, "HTTP/1.1 200 X\r\nContent-Length: {size}\r\nConnection: close\r\n\r\n")
                .and_then(|()| stream.write_all(&vec![b'x'; size]))
        }
        Reply::Hang => Ok(()),
    };
}
