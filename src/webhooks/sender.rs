//! Sends one message: to public addresses only, over TLS, in fifteen seconds, following nothing and reading little.
//!
//! A name is looked up once, and what was looked up is judged before it is connected to: there is no second look-up
//! between the two that could answer something else.

use std::io::Read;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use ureq::http::Uri;
use ureq::tls::TlsConfig;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, config::Config};

use super::model::{Outcome, Said};
use crate::tls::{self, Refusal};

/// Longest attempt, from the look-up of the name to the last byte that is read.
const LONGEST: Duration = Duration::from_secs(15);
/// Most that is read of an answer's body, bytes.
const MOST: u64 = 65_536;

/// Whether an address is one of the public internet.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => public_v4(v4),
        IpAddr::V6(v6) => public_v6(v6),
    }
}

/// By the IANA registry of special-purpose addresses (RFC 6890 and its updates).
fn public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127, ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (192, 168, _)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
            | (224..=255, ..)
    )
}

/// Global unicast (2000::/3) alone, and of it no tunnels, no documentation, nothing with a private IPv4 inside.
fn public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // IPv4-mapped, and NAT64 of the well-known prefix: as good as the address inside.
        (0, 0) if [c, d, e, f] == [0, 0, 0, 0xffff] => v4(g, h),
        (0x0064, 0xff9b) if [c, d, e, f] == [0; 4] => v4(g, h),
        // Teredo, benchmarking, ORCHID and other assignments of the IETF; documentation.
        (0x2001, 0x0000..=0x01ff | 0x0db8) | (0x3fff, 0x0000..=0x0fff) => false,
        // 6to4 carries its IPv4 address.
        (0x2002, _) => v4(b, c),
        (0x2000..=0x3fff, _) => true,
        _ => false,
    }
}

/// Looks up names, and hands on addresses that are spoken to only.
#[derive(Debug)]
struct Guarded<L> {
    lookup: L,
    spoken_to: fn(IpAddr) -> bool,
}

/// What the look-up says of an address that is not spoken to: told apart by its text, because the library carries no
/// error of ours.
const BLOCKED: &str = "not a public address";

impl<L: Resolver> Resolver for Guarded<L> {
    fn resolve(&self, uri: &Uri, config: &Config, timeout: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.lookup.resolve(uri, config, timeout)?;
        // One bad address among good ones is a trick: none of them is used.
        if found.iter().all(|address| (self.spoken_to)(address.ip())) {
            Ok(found)
        } else {
            Err(ureq::Error::Other(Box::new(std::io::Error::other(BLOCKED))))
        }
    }
}

/// The one way out of the registry.
#[derive(Debug)]
pub struct Sender {
    agent: Agent,
    lab: bool,
}

impl Sender {
    /// Believes whom `tls` believes. With `lab`, private addresses and plain `http` too.
    pub fn new(lab: bool, tls: TlsConfig) -> Self {
        Self::over(lab, tls, DefaultResolver::default(), if lab { |_| true } else { is_public })
    }

    fn over(lab: bool, tls: TlsConfig, lookup: impl Resolver, spoken_to: fn(IpAddr) -> bool) -> Self {
        let config = Agent::config_builder()
            .https_only(!lab)
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .max_idle_connections(0)
            .user_agent("sistra-webhooks")
            .timeout_global(Some(LONGEST))
            .tls_config(tls)
            .build();
        Self { agent: Agent::with_parts(config, DefaultConnector::new(), Guarded { lookup, spoken_to }), lab }
    }

    /// Whether it is for a lab.
    pub fn lab(&self) -> bool {
        self.lab
    }

    /// A number from 0 to 1, to spread attempts.
    pub fn jitter(&self) -> f64 {
        let mut bytes = [0_u8; 4];
        // Without randomness nothing is spread, and nothing else is lost.
        let _ = aws_lc_rs::rand::fill(&mut bytes);
        f64::from(u32::from_be_bytes(bytes)) / f64::from(u32::MAX)
    }

    /// Sends a signed message; answers what became of it, never what the endpoint wrote.
    pub fn send(&self, url: &str, id: &str, at: i64, signature: &str, body: &str) -> Said {
        let started = Instant::now();
        let answer = self
            .agent
            .post(url)
            .header("content-type", "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", at.to_string())
            .header("webhook-signature", signature)
            .send(body);
        let (outcome, status) = match answer {
            Ok(mut answer) => {
                // Some of the body, so that a well-behaved endpoint may finish its sentence; what it says is not kept.
                let _ = std::io::copy(&mut answer.body_mut().as_reader().take(MOST), &mut std::io::sink());
                let outcome = if answer.status().is_success() { Outcome::Delivered } else { Outcome::Refused };
                (outcome, Some(answer.status().as_u16()))
            }
            Err(ureq::Error::Timeout(_)) => (Outcome::Timeout, None),
            Err(ureq::Error::Other(e)) if e.to_string() == BLOCKED => (Outcome::Blocked, None),
            Err(ureq::Error::RequireHttpsOnly(_)) => (Outcome::Blocked, None),
            Err(e) => (tls::refusal(&e).map_or(Outcome::Unreachable, Outcome::from), None),
        };
        Said { outcome, status, duration_ms: i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX) }
    }
}

impl From<Refusal> for Outcome {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::UnknownAuthority,
            Refusal::Expired => Self::ExpiredCertificate,
            Refusal::Name => Self::WrongName,
            Refusal::Other => Self::NoTls,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers another address each time, as a name does whose owner means ill.
    #[derive(Clone, Debug)]
    struct Rebinding {
        answers: Vec<Vec<SocketAddr>>,
        asked: Arc<AtomicUsize>,
    }

    impl Resolver for Rebinding {
        fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
            let mut found = self.empty();
            let now = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len() - 1);
            self.answers[now].iter().for_each(|address| found.push(*address));
            Ok(found)
        }
    }

    #[test]
    fn a_name_is_looked_up_once_and_what_was_judged_is_what_is_connected_to() {
        let [judged, other] = ["127.0.0.1:0", "127.0.0.2:0"].map(|at| TcpListener::bind(at).unwrap());
        let (good, bad) = (judged.local_addr().unwrap(), other.local_addr().unwrap());
        let send = |answers: Vec<Vec<SocketAddr>>| {
            let lookup = Rebinding { answers, asked: Arc::default() };
            let asked = Arc::clone(&lookup.asked);
            let spoken_to = |address: IpAddr| address == Ipv4Addr::new(127, 0, 0, 1);
            let sender = Sender::over(false, tls::settings(None).unwrap(), lookup, spoken_to);
            let said = sender.send("https://hooks.example/", "id", 1, "v1,x", "{}");
            (said.outcome, asked.load(Ordering::Relaxed))
        };
        // Good at the first look, bad at a second one that must not come.
        let guest = std::thread::spawn(move || drop(judged.accept().unwrap()));
        let (outcome, looks) = send(vec![vec![good], vec![bad]]);
        assert_eq!(looks, 1);
        assert!(![Outcome::Blocked, Outcome::Delivered].contains(&outcome), "{outcome:?}");
        guest.join().unwrap();
        // Bad at once, alone or behind a good one.
        assert_eq!(send(vec![vec![bad]]), (Outcome::Blocked, 1));
        assert_eq!(send(vec![vec![good, bad]]), (Outcome::Blocked, 1));
        other.set_nonblocking(true).unwrap();
        assert!(other.accept().is_err(), "nobody has connected");
    }

    #[test]
    fn only_addresses_of_the_public_internet_are_spoken_to() {
        for public in [
            "8.8.8.8",
            "200.37.1.1",
            "100.63.255.255",
            "100.128.0.0",
            "172.32.0.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert!(is_public(public.parse().unwrap()), "{public}");
        }
        for special in [
            "0.0.0.0",
            "10.1.2.3",
            "127.0.0.1",
            "127.255.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "192.0.0.1",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd12:3456::1",
            "ff02::1",
            "::ffff:10.0.0.1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "2002:a00:1::1",
            "2002:7f00:1::1",
            "3fff::1",
            "100::1",
            "5f00::1",
        ] {
            assert!(!is_public(special.parse().unwrap()), "{special}");
        }
    }

    #[test]
    fn a_name_that_leads_to_this_machine_is_not_followed() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let sender = Sender::new(false, tls::settings(None).unwrap());
        for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "2130706433", "0x7f.1"] {
            let said = sender.send(&format!("https://{host}:{port}/"), "id", 1, "v1,x", "{}");
            assert_ne!(said.outcome, Outcome::Delivered, "{host}");
            assert!(matches!(said.outcome, Outcome::Blocked | Outcome::Unreachable), "{host}: {said:?}");
            if ["localhost", "127.0.0.1"].contains(&host) {
                assert_eq!(said.outcome, Outcome::Blocked, "{host}");
            }
        }
        assert_eq!(sender.send(&format!("http://127.0.0.1:{port}/"), "id", 1, "v1,x", "{}").outcome, Outcome::Blocked);
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nobody has connected");
    }
}
