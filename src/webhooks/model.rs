//! What a webhook is, what becomes of its attempts, and when the next one is due. Pure.

use serde::{Deserialize, Serialize};

use super::signing::Algorithm;
use crate::events::model::{Event, Mark};
use crate::kernel::ids::{ClientId, DeliveryId, EntryId, WebhookId};
use crate::kernel::{AgencyCode, Fault, FaultCode, Timestamp};

/// Seconds before each attempt at one event, the first one included.
pub const SCHEDULE: [i64; 10] = [0, 5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// How long the old key goes on signing after a rotation, seconds.
pub const OVERLAP_S: i64 = 86_400;
/// Type of the message that asks whether an endpoint is there.
pub const PING: &str = "webhook.ping";

/// Where a webhook stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its endpoint has not answered yet.
    Pending,
    /// Events are sent.
    Active,
    /// Nothing is sent.
    Disabled,
}

impl State {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    /// The state of a code.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Pending, Self::Active, Self::Disabled].into_iter().find(|s| s.as_str() == text)
    }
}

/// A key, and until when it signs; the newest has no end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Secret or seed, base64.
    pub key: String,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// The sealed part: an address may hold a token of the receiver's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// Where to.
    pub url: String,
    /// The keys, the newest first.
    pub signers: Vec<Signer>,
}

/// A subscription.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Its id, in its agency's bucket.
    pub id: WebhookId,
    /// Counts what its owner changes, and changes of state.
    pub version: i64,
    /// Whose it is.
    pub agency: AgencyCode,
    /// With whose rights events are sent: the client that set it up, or changed it last.
    pub client: ClientId,
    /// Where it stands.
    pub state: State,
    /// Why it is disabled: `gone`, `exhausted`.
    pub reason: Option<String>,
    /// How it signs.
    pub algorithm: Algorithm,
    /// Types that it wants; all if empty.
    pub types: Vec<String>,
    /// Address and keys.
    pub detail: Detail,
    /// Its place in the lane.
    pub mark: Mark,
    /// Attempts at what comes next that have failed.
    pub failed: usize,
    /// When the next attempt is due.
    pub next_at: Timestamp,
    /// A ping that is to be sent.
    pub ping: Option<EntryId>,
    /// Counts every write: an attempt that was overtaken changes nothing.
    pub step: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// 2xx.
    Delivered,
    /// Another status.
    Refused,
    /// No answer in time.
    Timeout,
    /// No connection, or a broken answer.
    Unreachable,
    /// No authority that the registry believes stands behind its certificate.
    UnknownAuthority,
    /// The time of its certificate is over, or has not come.
    ExpiredCertificate,
    /// Its certificate is for another name.
    WrongName,
    /// TLS did not come about for another reason.
    NoTls,
    /// The address is not one that the registry speaks to.
    Blocked,
}

impl Outcome {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::UnknownAuthority => "certificate_unknown",
            Self::ExpiredCertificate => "certificate_expired",
            Self::WrongName => "certificate_name",
            Self::NoTls => "tls_failed",
            Self::Blocked => "blocked",
        }
    }
}

/// What an endpoint said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// What became of it.
    pub outcome: Outcome,
    /// The status, if there was an answer.
    pub status: Option<u16>,
    /// How long it took.
    pub duration_ms: i64,
}

/// One attempt, as it is recorded.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// The event, or the ping.
    pub event: EntryId,
    /// Its type.
    pub kind: String,
    /// Which attempt at it, from 1.
    pub attempt: i64,
    /// When.
    pub at: Timestamp,
    /// What became of it: the code.
    pub outcome: String,
    /// The status, if there was an answer.
    pub status: Option<i16>,
    /// How long it took.
    pub duration_ms: i64,
    /// The place behind the event.
    pub mark: Mark,
}

/// The body of a message. Under 1 KiB.
#[derive(Serialize)]
struct Message<'m> {
    #[serde(rename = "type")]
    kind: &'m str,
    timestamp: Timestamp,
    data: Data<'m>,
}

#[derive(Serialize)]
struct Data<'m> {
    event_id: EntryId,
    resource_type: &'m str,
    resource_id: crate::kernel::ids::ResourceId,
    version: Option<i64>,
}

/// The body for an event.
pub fn body(event: &Event) -> String {
    let Event { id, at, kind, resource_type, resource_id, version } = event;
    let data = Data { event_id: *id, resource_type, resource_id: *resource_id, version: *version };
    serde_json::to_string(&Message { kind, timestamp: *at, data }).unwrap_or_default()
}

impl Webhook {
    /// The ping of this webhook, as an event.
    pub fn ping_event(&self, id: EntryId, at: Timestamp) -> Event {
        Event {
            id,
            at,
            kind: PING.to_owned(),
            resource_type: "webhook".to_owned(),
            resource_id: self.id.erase(),
            version: Some(self.version),
        }
    }

    /// The keys that sign now.
    pub fn keys(&self, now: Timestamp) -> Vec<&str> {
        let running = self.detail.signers.iter().filter(|s| s.until.is_none_or(|until| until > now));
        running.map(|s| s.key.as_str()).collect()
    }

    /// A new key signs from now on, and the one before it for another day.
    pub fn rotate(&mut self, key: String, now: Timestamp) {
        self.detail.signers.retain(|s| s.until.is_none());
        for signer in &mut self.detail.signers {
            signer.until = Some(now.plus_seconds(OVERLAP_S));
        }
        self.detail.signers.insert(0, Signer { key, until: None });
    }

    /// From now on the endpoint must show that it is there before anything else is sent.
    pub fn ask(&mut self, ping: EntryId, now: Timestamp) {
        self.ping = Some(ping);
        if self.state != State::Active {
            self.state = State::Pending;
            self.reason = None;
            (self.failed, self.next_at) = (0, now);
        }
    }

    /// What an attempt at a ping leaves.
    pub fn pinged(&mut self, said: Said, now: Timestamp, jitter: f64) {
        let answered = said.outcome == Outcome::Delivered;
        match self.state {
            State::Pending if answered => {
                self.state = State::Active;
                self.ping = None;
                (self.failed, self.next_at) = (0, now);
            }
            State::Pending => self.failed_once(said, now, jitter),
            // A test of what runs is a test, whatever comes of it.
            State::Active | State::Disabled => self.ping = None,
        }
    }

    /// What an attempt at an event leaves; `behind` is the place behind it.
    pub fn attempted(&mut self, said: Said, behind: Mark, now: Timestamp, jitter: f64) {
        if said.outcome == Outcome::Delivered {
            self.mark = behind;
            (self.failed, self.next_at) = (0, now);
        } else {
            self.failed_once(said, now, jitter);
        }
    }

    fn failed_once(&mut self, said: Said, now: Timestamp, jitter: f64) {
        self.failed += 1;
        let end = match (said.status, SCHEDULE.get(self.failed)) {
            (Some(410), _) => "gone",
            (_, None) => "exhausted",
            (_, Some(seconds)) => {
                self.next_at = now.plus_seconds(spread(*seconds, jitter));
                return;
            }
        };
        (self.state, self.reason, self.ping) = (State::Disabled, Some(end.to_owned()), None);
    }
}

/// A pause, a fifth more or less; `jitter` is 0 to 1.
fn spread(seconds: i64, jitter: f64) -> i64 {
    let share = (jitter.clamp(0.0, 1.0) * 400.0).round();
    // 0 to 400 thousandths on top of 800: a whole number, so nothing is lost in turning it into one.
    let thousandths = (0..=400).rev().find(|n| f64::from(*n) <= share).unwrap_or(0);
    (seconds * (800 + i64::from(thousandths)) + 500) / 1_000
}

/// Faults of an address: `https`, a host, no user, no fragment, port 443. In a lab any port, and `http` too.
pub fn url_faults(url: &str, lab: bool) -> Vec<Fault> {
    let fault = |code, expected: &str| vec![Fault::body("/url", code).expecting(expected)];
    let https = "https://host/path";
    let Ok(uri) = url.parse::<ureq::http::Uri>() else { return fault(FaultCode::Format, https) };
    let secure = match uri.scheme_str() {
        Some("https") => true,
        Some("http") if lab => false,
        _ => return fault(FaultCode::Pattern, https),
    };
    let Some(authority) = uri.authority() else { return fault(FaultCode::Format, https) };
    if authority.host().is_empty() || authority.as_str().contains('@') || url.contains('#') {
        return fault(FaultCode::Pattern, https);
    }
    if secure && !lab && uri.port_u16().is_some_and(|port| port != 443) {
        return fault(FaultCode::Pattern, "port 443");
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::Bucket;
    use crate::kernel::ids::ResourceId;

    fn now() -> Timestamp {
        Timestamp::from_unix_millis(1_764_000_000_000).unwrap()
    }

    fn webhook(state: State) -> Webhook {
        let key = |until| Signer { key: "k".into(), until };
        Webhook {
            id: WebhookId::generate(now(), Bucket::random()),
            version: 1,
            agency: AgencyCode::parse("PE-MP").unwrap(),
            client: ClientId::generate(now(), Bucket::random()),
            state,
            reason: None,
            algorithm: Algorithm::Hmac,
            types: Vec::new(),
            detail: Detail { url: "https://x.example".into(), signers: vec![key(None)] },
            mark: Mark::begin(now()),
            failed: 0,
            next_at: now(),
            ping: None,
            step: 0,
            created_at: now(),
            updated_at: now(),
        }
    }

    fn said(outcome: Outcome, status: Option<u16>) -> Said {
        Said { outcome, status, duration_ms: 3 }
    }

    const BEHIND: Mark = Mark { position: 7, seen_to: 1 };

    #[test]
    fn ten_attempts_over_three_days_and_then_it_is_disabled() {
        let mut hook = webhook(State::Active);
        let mut at = now();
        for (failed, pause) in SCHEDULE.iter().skip(1).enumerate() {
            assert_eq!((hook.state, hook.failed), (State::Active, failed));
            hook.attempted(said(Outcome::Refused, Some(500)), BEHIND, at, 0.5);
            assert_eq!(hook.next_at, at.plus_seconds(*pause));
            at = hook.next_at;
        }
        hook.attempted(said(Outcome::Refused, Some(500)), BEHIND, at, 0.5);
        assert_eq!((hook.state, hook.reason.as_deref()), (State::Disabled, Some("exhausted")));
        assert_eq!(hook.mark.position, -1, "it goes on where it stood, when it is enabled again");
    }

    #[test]
    fn success_moves_on_and_gone_ends_at_once() {
        let mut hook = webhook(State::Active);
        hook.attempted(said(Outcome::Timeout, None), BEHIND, now(), 0.5);
        hook.attempted(said(Outcome::Delivered, Some(204)), BEHIND, now(), 0.5);
        assert_eq!((hook.mark, hook.failed), (BEHIND, 0));
        hook.attempted(said(Outcome::Refused, Some(410)), BEHIND, now(), 0.5);
        assert_eq!((hook.state, hook.reason.as_deref()), (State::Disabled, Some("gone")));
    }

    #[test]
    fn an_endpoint_that_answers_its_ping_is_active_and_a_test_of_an_active_one_changes_nothing() {
        let ping = EntryId::generate(now(), Bucket::random());
        let mut hook = webhook(State::Disabled);
        hook.ask(ping, now());
        assert_eq!(hook.state, State::Pending);
        hook.pinged(said(Outcome::Unreachable, None), now(), 0.5);
        assert_eq!((hook.state, hook.ping, hook.failed), (State::Pending, Some(ping), 1));
        hook.pinged(said(Outcome::Delivered, Some(200)), now(), 0.5);
        assert_eq!((hook.state, hook.ping, hook.failed), (State::Active, None, 0));
        hook.failed = 3;
        hook.ask(ping, now());
        hook.pinged(said(Outcome::Refused, Some(410)), now(), 0.5);
        assert_eq!((hook.state, hook.ping, hook.failed), (State::Active, None, 3));
    }

    #[test]
    fn two_keys_sign_for_a_day_after_a_rotation() {
        let mut hook = webhook(State::Active);
        hook.rotate("new".into(), now());
        assert_eq!(hook.keys(now()), ["new", "k"]);
        assert_eq!(hook.keys(now().plus_seconds(OVERLAP_S)), ["new"]);
        hook.rotate("newer".into(), now());
        assert_eq!(hook.keys(now()), ["newer", "new"], "never more than two");
    }

    #[test]
    fn addresses_are_plain_and_secure() {
        for good in ["https://hooks.example/x?y=1", "https://hooks.example:443/", "https://198.51.100.7/"] {
            assert_eq!(url_faults(good, false), [], "{good}");
        }
        for bad in [
            "http://hooks.example/",
            "https://hooks.example:8443/",
            "https://user:pass@hooks.example/",
            "https://user@hooks.example/",
            "https://hooks.example/#x",
            "ftp://hooks.example",
            "hooks.example",
            "/x",
            "https://",
            "",
        ] {
            assert_eq!(url_faults(bad, false).len(), 1, "{bad}");
        }
        assert_eq!(url_faults("http://127.0.0.1:9/x", true), []);
    }

    #[test]
    fn a_message_is_small_and_thin() {
        let event = Event {
            id: EntryId::generate(now(), Bucket::random()),
            at: now(),
            kind: "k".repeat(120),
            resource_type: "r".repeat(60),
            resource_id: ResourceId::from_uuid(uuid::Uuid::nil()),
            version: Some(i64::MAX),
        };
        let text = body(&event);
        assert!(text.len() < 1_024);
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read.as_object().unwrap().keys().collect::<Vec<_>>(), ["data", "timestamp", "type"]);
        assert_eq!(
            read["data"].as_object().unwrap().keys().collect::<Vec<_>>(),
            ["event_id", "resource_id", "resource_type", "version"]
        );
    }

    proptest! {
        #[test]
        fn pauses_differ_by_a_fifth_at_most(seconds in 0_i64..100_000, jitter in 0.0_f64..=1.0) {
            let pause = spread(seconds, jitter);
            prop_assert!(pause * 10 >= seconds * 8 - 10 && pause * 10 <= seconds * 12 + 10);
        }
    }
}
