//! Quotas per client and class of request, told in `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).
//!
//! Counted by this instance, from its start.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::kernel::ids::ClientId;
use crate::kernel::{Error, Result, Timestamp};

/// Class of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateClass {
    /// Looking.
    Read,
    /// Changing.
    Write,
    /// Taking a token.
    Token,
    /// Looking for a person.
    Search,
}

impl RateClass {
    /// The policy's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Token => "token",
            Self::Search => "search",
        }
    }
}

/// What is counted by the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Daily {
    /// Searches for persons.
    Search,
    /// Questions of deconfliction.
    Deconfliction,
    /// Exports.
    Export,
}

/// The quotas, as set; 0 for none.
#[derive(Clone, Copy, Debug, Default)]
pub struct Quotas {
    /// Reads per client and minute.
    pub read_per_min: u32,
    /// Writes per client and minute.
    pub write_per_min: u32,
    /// Tokens per client and minute.
    pub token_per_min: u32,
    /// Searches per client and minute.
    pub search_per_min: u32,
    /// Searches per client and day.
    pub search_per_day: u32,
    /// Questions of deconfliction per client and day.
    pub deconfliction_per_day: u32,
    /// Exports per client and day.
    pub exports_per_day: u32,
    /// Requests of a client at the same time.
    pub concurrent: u32,
    /// Persons whose identity a client looks at in a day.
    pub subjects_per_day: u32,
    /// The same for one person at the partner's desk.
    pub subjects_per_user_per_day: u32,
    /// Cases that lists show a client in an hour.
    pub listed_cases_per_hour: u32,
    /// Persons that lists show a client in an hour.
    pub listed_persons_per_hour: u32,
    /// Persons of its agency's own cases outside its territory whose identity a client looks at in a day.
    pub outside_territory_per_day: u32,
    /// Share of a budget of looking at which an alert is raised, percent; 0 for no alerts.
    pub alert_percent: u32,
    /// Refused token requests per address and minute.
    pub token_failures_per_min: u32,
    /// How long an address with more is shut out, seconds.
    pub token_block_s: u32,
    /// Reads of open data per address and minute.
    pub open_per_min: u32,
}

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock, StateInformationMiddleware>;
type Limiter = Keyed<ClientId>;

/// Counts requests. A class without a limiter has no quota.
pub struct Limits {
    quotas: Quotas,
    read: Option<(u32, Limiter)>,
    write: Option<(u32, Limiter)>,
    token: Option<(u32, Limiter)>,
    search: Option<(u32, Limiter)>,
    open: Option<(u32, Keyed<IpAddr>)>,
    clock: DefaultClock,
    running: Mutex<HashMap<ClientId, u32>>,
    failures: Mutex<HashMap<IpAddr, Tries>>,
}

/// The refused token requests of an address.
struct Tries {
    from: i64,
    failed: u32,
    blocked_until: i64,
}

/// Keys of a table beyond which those that no longer count are thrown out.
const MANY: usize = 10_000;

/// What is left of a quota, as header values.
#[derive(Clone, Debug)]
pub struct LimitState {
    /// `RateLimit-Policy`.
    pub policy: String,
    /// `RateLimit`.
    pub state: String,
}

impl LimitState {
    fn new(name: &str, quota: u32, window_s: i64, remaining: u32, reset_s: i64) -> Self {
        Self { policy: format!("\"{name}\";q={quota};w={window_s}"), state: format!("\"{name}\";r={remaining};t={reset_s}") }
    }

    /// Of a budget that is counted in whole numbers.
    pub fn of(name: &str, quota: i64, window_s: i64, remaining: i64, reset_s: i64) -> Self {
        let count = |n: i64| u32::try_from(n).unwrap_or(u32::MAX);
        Self::new(name, count(quota), window_s, count(remaining), reset_s)
    }

    /// Whether it tells of this policy already.
    pub fn names(&self, policy: &str) -> bool {
        self.policy.contains(&format!("\"{policy}\""))
    }

    /// With another quota's.
    pub fn and(self, other: Option<Self>) -> Self {
        match other {
            None => self,
            Some(other) => Self {
                policy: format!("{}, {}", other.policy, self.policy),
                state: format!("{}, {}", other.state, self.state),
            },
        }
    }
}

/// A request that runs; it counts until it is dropped.
pub struct Running {
    limits: Arc<Limits>,
    client: ClientId,
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut running = lock(&self.limits.running);
        if let Some(n) = running.get_mut(&self.client) {
            *n = n.saturating_sub(1);
            if *n == 0 {
                running.remove(&self.client);
            }
        }
    }
}

impl Limits {
    /// With these quotas.
    pub fn new(quotas: Quotas) -> Self {
        Self {
            quotas,
            read: limiter(quotas.read_per_min),
            write: limiter(quotas.write_per_min),
            token: limiter(quotas.token_per_min),
            search: limiter(quotas.search_per_min),
            open: limiter(quotas.open_per_min),
            clock: DefaultClock::default(),
            running: Mutex::default(),
            failures: Mutex::default(),
        }
    }

    /// Counts one request. The state is told whether there is room or not.
    pub fn check(&self, client: ClientId, class: RateClass) -> (Option<LimitState>, Result<()>) {
        let limiter = match class {
            RateClass::Read => &self.read,
            RateClass::Write => &self.write,
            RateClass::Token => &self.token,
            RateClass::Search => &self.search,
        };
        self.count(limiter.as_ref(), class.name(), &client)
    }

    /// Counts one read of open data by an address. The state is told whether there is room or not.
    pub fn visit(&self, address: IpAddr) -> (Option<LimitState>, Result<()>) {
        if let Some((_, limiter)) = self.open.as_ref().filter(|(_, limiter)| limiter.len() > MANY) {
            limiter.retain_recent();
        }
        self.count(self.open.as_ref(), "open_data", &network(address))
    }

    fn count<K: Hash + Eq + Clone>(
        &self,
        limiter: Option<&(u32, Keyed<K>)>,
        name: &'static str,
        key: &K,
    ) -> (Option<LimitState>, Result<()>) {
        let Some((per_minute, limiter)) = limiter else { return (None, Ok(())) };
        let quota = *per_minute;
        match limiter.check_key(key) {
            Ok(snapshot) => {
                let left = snapshot.remaining_burst_capacity().min(quota);
                // A used request comes back after a minute's share of the quota.
                let reset_s = (i64::from(quota - left) * 60).div_euclid(i64::from(quota)).max(1);
                (Some(LimitState::new(name, quota, 60, left, reset_s)), Ok(()))
            }
            Err(until) => {
                let retry_after_s = until.wait_time_from(self.clock.now()).as_secs() + 1;
                let state = LimitState::new(name, quota, 60, 0, i64::try_from(retry_after_s).unwrap_or(60));
                (Some(state), Err(Error::QuotaExceeded { retry_after_s, policy: name }))
            }
        }
    }

    /// Counts a request as running until the answer is dropped.
    pub fn enter(self: &Arc<Self>, client: ClientId) -> Result<Option<Running>> {
        if self.quotas.concurrent == 0 {
            return Ok(None);
        }
        let mut running = lock(&self.running);
        let n = running.entry(client).or_default();
        if *n >= self.quotas.concurrent {
            return Err(Error::QuotaExceeded { retry_after_s: 1, policy: "concurrent" });
        }
        *n += 1;
        Ok(Some(Running { limits: Arc::clone(self), client }))
    }

    /// Whether an address may ask for tokens.
    pub fn may_try(&self, address: IpAddr, now: Timestamp) -> Result<()> {
        let now = now.unix_seconds();
        match lock(&self.failures).get(&network(address)) {
            Some(tries) if tries.blocked_until > now => Err(Error::QuotaExceeded {
                retry_after_s: (tries.blocked_until - now).unsigned_abs(),
                policy: "token_failures",
            }),
            _ => Ok(()),
        }
    }

    /// Counts a refused token request of an address.
    pub fn failed(&self, address: IpAddr, now: Timestamp) {
        if self.quotas.token_failures_per_min == 0 {
            return;
        }
        let now = now.unix_seconds();
        let mut failures = lock(&self.failures);
        forget_some(&mut failures, |tries| tries.from + 60 > now || tries.blocked_until > now);
        let tries = failures.entry(network(address)).or_insert(Tries { from: now, failed: 0, blocked_until: 0 });
        if tries.from + 60 <= now {
            *tries = Tries { from: now, failed: 0, blocked_until: tries.blocked_until };
        }
        tries.failed += 1;
        if tries.failed >= self.quotas.token_failures_per_min {
            tries.blocked_until = now + i64::from(self.quotas.token_block_s);
            tries.failed = 0;
        }
    }
}

fn limiter<K: Hash + Eq + Clone>(per_minute: u32) -> Option<(u32, Keyed<K>)> {
    NonZeroU32::new(per_minute).map(|n| {
        let limiter = RateLimiter::keyed(Quota::per_minute(n)).with_middleware::<StateInformationMiddleware>();
        (per_minute, limiter)
    })
}

/// An IPv6 host has 2^64 addresses of its own, so its network counts.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 => v4,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn forget_some<K: Eq + Hash, V>(table: &mut HashMap<K, V>, counts: impl Fn(&V) -> bool) {
    if table.len() > MANY {
        table.retain(|_, v| counts(v));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Bucket;

    fn client() -> ClientId {
        ClientId::generate(Timestamp::now(), Bucket::random())
    }

    #[test]
    fn each_client_and_class_has_its_own_quota() {
        let limits = Limits::new(Quotas { read_per_min: 2, token_per_min: 1, ..Quotas::default() });
        let (a, b) = (client(), client());
        assert_eq!(limits.check(a, RateClass::Read).0.unwrap().state, "\"read\";r=1;t=30");
        assert!(limits.check(a, RateClass::Read).1.is_ok());
        let (state, refused) = limits.check(a, RateClass::Read);
        assert!(matches!(refused, Err(Error::QuotaExceeded { policy: "read", .. })));
        assert!(state.unwrap().state.starts_with("\"read\";r=0;t="), "a refusal tells the state too");
        assert!(limits.check(b, RateClass::Read).1.is_ok());
        assert!((0..1_000).all(|_| limits.check(a, RateClass::Write).1.is_ok()));
    }

    #[test]
    fn an_address_with_many_failures_is_shut_out_for_a_while() {
        let limits = Limits::new(Quotas { token_failures_per_min: 10, token_block_s: 900, ..Quotas::default() });
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let bad: IpAddr = "2001:db8::1".parse().unwrap();
        for n in 0..9 {
            limits.failed(bad, now.plus_seconds(n));
            assert!(limits.may_try(bad, now).is_ok());
        }
        limits.failed("2001:db8::2".parse().unwrap(), now.plus_seconds(59));
        let refused = limits.may_try(bad, now.plus_seconds(60));
        assert_eq!(refused, Err(Error::QuotaExceeded { retry_after_s: 899, policy: "token_failures" }));
        assert!(limits.may_try("2001:db8:0:1::1".parse().unwrap(), now.plus_seconds(60)).is_ok());
        assert!(limits.may_try(bad, now.plus_seconds(59 + 900)).is_ok());
        // Nine a minute, for ever, are a bad day and no attack.
        let slow: IpAddr = "192.0.2.1".parse().unwrap();
        for minute in 0..20 {
            (0..9).for_each(|_| limits.failed(slow, now.plus_seconds(minute * 61)));
            assert!(limits.may_try(slow, now.plus_seconds(minute * 61)).is_ok());
        }
    }

    #[test]
    fn a_running_request_counts_until_it_ends() {
        let limits = Arc::new(Limits::new(Quotas { concurrent: 2, ..Quotas::default() }));
        let me = client();
        let (first, _second) = (limits.enter(me).unwrap(), limits.enter(me).unwrap());
        assert!(matches!(limits.enter(me), Err(Error::QuotaExceeded { policy: "concurrent", .. })));
        assert!(limits.enter(client()).is_ok());
        drop(first);
        assert!(limits.enter(me).is_ok());
    }
}
