//! Quotas per client and class of request, told in `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers).

use std::num::NonZeroU32;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::kernel::ids::ClientId;
use crate::kernel::{Error, Result};

/// Class of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateClass {
    /// Looking.
    Read,
    /// Changing.
    Write,
    /// Taking a token.
    Token,
}

impl RateClass {
    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Token => "token",
        }
    }
}

type Limiter = RateLimiter<ClientId, DashMapStateStore<ClientId>, DefaultClock, StateInformationMiddleware>;

/// The quotas. A class without a limiter has none.
pub struct Limits {
    read: Option<(u32, Limiter)>,
    write: Option<(u32, Limiter)>,
    token: Option<(u32, Limiter)>,
    clock: DefaultClock,
}

/// What is left of a quota, as header values.
#[derive(Clone, Debug)]
pub struct LimitState {
    /// `RateLimit-Policy`.
    pub policy: String,
    /// `RateLimit`.
    pub state: String,
}

impl Limits {
    /// Requests per minute of each class; 0 for no limit.
    pub fn new(read: u32, write: u32, token: u32) -> Self {
        let limiter = |per_minute: u32| {
            NonZeroU32::new(per_minute).map(|n| {
                let limiter = RateLimiter::keyed(Quota::per_minute(n)).with_middleware::<StateInformationMiddleware>();
                (per_minute, limiter)
            })
        };
        Self { read: limiter(read), write: limiter(write), token: limiter(token), clock: DefaultClock::default() }
    }

    /// Counts one request.
    pub fn check(&self, client: ClientId, class: RateClass) -> Result<Option<LimitState>> {
        let limiter = match class {
            RateClass::Read => &self.read,
            RateClass::Write => &self.write,
            RateClass::Token => &self.token,
        };
        let Some((per_minute, limiter)) = limiter else { return Ok(None) };
        let name = class.name();
        match limiter.check_key(&client) {
            Ok(snapshot) => Ok(Some(LimitState {
                policy: format!("\"{name}\";q={per_minute};w=60"),
                state: format!("\"{name}\";r={};t=60", snapshot.remaining_burst_capacity()),
            })),
            Err(until) => {
                let wait = until.wait_time_from(self.clock.now());
                Err(Error::QuotaExceeded { retry_after_s: wait.as_secs() + 1, policy: name })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Bucket;

    #[test]
    fn each_client_and_class_has_its_own_quota() {
        let limits = Limits::new(2, 0, 1);
        let now = Timestamp::now();
        let (a, b) = (ClientId::generate(now, Bucket::random()), ClientId::generate(now, Bucket::random()));
        assert!(limits.check(a, RateClass::Read).is_ok());
        assert!(limits.check(a, RateClass::Read).is_ok());
        assert!(matches!(limits.check(a, RateClass::Read), Err(Error::QuotaExceeded { policy: "read", .. })));
        assert!(limits.check(b, RateClass::Read).is_ok());
        assert!((0..1_000).all(|_| limits.check(a, RateClass::Write).is_ok()));
    }

    use crate::kernel::Timestamp;
}
