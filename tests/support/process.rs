//! The program as a process: started, killed, and judged by what it says.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::Answer;

/// A directory of a test, gone with it.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("sistra-process-{}", super::unique()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    pub fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The program, with no setting but those of its arguments.
pub fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sistra"));
    bare(&mut command);
    command
}

fn bare(command: &mut Command) {
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).stdin(Stdio::null());
}

/// A command that ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub fn run(args: &[&str]) -> Ended {
    let output = program().args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// A partner system's credentials.
pub struct Client {
    id: String,
    secret: String,
}

/// Registers a partner system; `place` says where the data are.
pub fn client(place: &[&str]) -> Client {
    client_with(place, super::ALL)
}

/// The same, with these scopes.
pub fn client_with(place: &[&str], scopes: &str) -> Client {
    let mut args = vec!["client", "create", "--agency", "PE-MP-FISTRAP-LIMA", "--name", "test", "--scope", scopes];
    args.extend(["--purpose", "prosecution"]);
    args.extend(place);
    let made = run(&args);
    assert_eq!(made.code, Some(0), "{made:?}");
    let body: Value = serde_json::from_str(&made.stdout).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    Client { id: text("client_id"), secret: text("client_secret") }
}

/// A server in a process of its own.
pub struct Server {
    child: Mutex<Child>,
    pub base: String,
    said: Arc<Mutex<String>>,
    agent: ureq::Agent,
}

impl Server {
    /// Starts it and waits until it listens. With `blocks`, no file that it writes may grow beyond so many blocks of
    /// 512 bytes: the disk is full.
    pub fn start(place: &[&str], blocks: Option<u64>) -> Self {
        let mut command = match blocks {
            None => program(),
            Some(blocks) => {
                let mut shell = Command::new("sh");
                let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
                shell.args(["-c", &script, env!("CARGO_BIN_EXE_sistra")]);
                bare(&mut shell);
                shell
            }
        };
        command.args([
            "serve",
            "--bind",
            "127.0.0.1:0",
            "--rate-read-per-min",
            "0",
            "--rate-write-per-min",
            "0",
            "--access-log",
            "off",
        ]);
        let mut child = command.args(place).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (ready, listens) = sync_channel(1);
        let (stderr, heard) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&said));
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if let Some((_, base)) = line.split_once("SISTRA listens on ") {
                    let _ = ready.send(base.to_owned());
                }
                *heard.lock().unwrap() += &(line + "\n");
            }
        });
        let base = listens.recv().unwrap_or_else(|_| panic!("did not start: {}", said.lock().unwrap()));
        let agent = ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
        Self { child: Mutex::new(child), base, said, agent }
    }

    /// What it has said on stderr.
    pub fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// Ends it at once, as a power cut does.
    pub fn kill(&self) {
        self.child.lock().unwrap().kill().unwrap();
    }

    /// Asks it to end; answers its exit code.
    pub fn stop(&self) -> Option<i32> {
        let mut child = self.child.lock().unwrap();
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        child.wait().unwrap().code()
    }

    /// A token of a client; none where the server does not answer with one.
    pub fn token(&self, client: &Client) -> String {
        use base64::Engine;
        let basic = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", client.id, client.secret));
        let headers =
            [("Authorization", format!("Basic {basic}")), ("Content-Type", "application/x-www-form-urlencoded".into())];
        let answer =
            self.send("POST", "/oauth/token", &headers, b"grant_type=client_credentials&purpose=prosecution").unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// An answer, or none if the connection broke.
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, String)], body: &[u8]) -> Option<Answer> {
        let mut request = ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let mut response = if body.is_empty() {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        }
        .ok()?;
        let text = response.body_mut().read_to_string().ok()?;
        Some(Answer { status: response.status().as_u16(), headers: response.headers().clone(), text })
    }

    pub fn get(&self, path: &str, token: &str) -> Option<Answer> {
        self.send("GET", path, &[("Authorization", format!("Bearer {token}"))], b"")
    }

    pub fn post(&self, path: &str, token: &str, body: &Value) -> Option<Answer> {
        let headers = [
            ("Authorization", format!("Bearer {token}")),
            ("Content-Type", "application/json".to_owned()),
            ("Idempotency-Key", super::unique()),
        ];
        self.send("POST", path, &headers, body.to_string().as_bytes())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut child = self.child.lock().unwrap();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Where the data of a test are.
pub fn data(dir: &Path) -> [&str; 2] {
    ["--data-dir", dir.to_str().unwrap()]
}
