//! Budgets of looking: how many persons and records a client sees in a window, and when somebody must hear of it.
//!
//! Counted by this instance, from the first look of a window. Nothing here knows what an alert becomes.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use super::limits::{Daily, LimitState, Quotas};
use crate::alerts::model::{Alarm, Budget, Level};
use crate::kernel::ids::ClientId;
use crate::kernel::{Error, Result, Timestamp};

/// Seconds of a day.
const DAY_S: i64 = 86_400;
/// Seconds of an hour.
const HOUR_S: i64 = 3_600;
/// Keys of the table beyond which those that no longer count are thrown out.
const MANY: usize = 10_000;

/// Whose budget it is.
type Key = (ClientId, Budget, Option<String>);

/// What was looked at since an instant.
#[derive(Debug)]
struct Window {
    from: i64,
    length_s: i64,
    used: i64,
    seen: HashSet<Uuid>,
    told: HashSet<Level>,
}

/// The outcome of a look: what the headers say, whether there was room, and who must hear of it.
#[derive(Debug)]
pub struct Looked {
    /// What is left, as header values.
    pub state: Option<LimitState>,
    /// Whether there was room.
    pub room: Result<()>,
    /// Budgets that have come so far for the first time in their window.
    pub alarms: Vec<Alarm>,
}

impl Looked {
    fn free() -> Self {
        Self { state: None, room: Ok(()), alarms: Vec::new() }
    }
}

/// The counters.
#[derive(Debug)]
pub struct Looking {
    quotas: Quotas,
    windows: Mutex<HashMap<Key, Window>>,
}

impl Looking {
    /// With these quotas.
    pub fn new(quotas: Quotas) -> Self {
        Self { quotas, windows: Mutex::default() }
    }

    /// Quota and length of a budget's window; none where it is not counted.
    fn of(&self, budget: Budget) -> Option<(i64, i64)> {
        let q = &self.quotas;
        let (quota, length_s) = match budget {
            Budget::Subjects => (q.subjects_per_day, DAY_S),
            Budget::SubjectsOfUser => (q.subjects_per_user_per_day, DAY_S),
            Budget::Searches => (q.search_per_day, DAY_S),
            Budget::Deconfliction => (q.deconfliction_per_day, DAY_S),
            Budget::Exports => (q.exports_per_day, DAY_S),
            Budget::ListedCases => (q.listed_cases_per_hour, HOUR_S),
            Budget::ListedPersons => (q.listed_persons_per_hour, HOUR_S),
            Budget::OutsideTerritory => (q.outside_territory_per_day, DAY_S),
        };
        (quota > 0).then_some((i64::from(quota), length_s))
    }

    /// Counts a look at a person's identity: by the client, by the person at its desk and, where it is `outside` the
    /// client's territory, once more. A second look at the same person costs nothing; whether the person exists makes no
    /// difference to the first two.
    pub fn subject(&self, client: ClientId, user: Option<&str>, person: Uuid, outside: bool, now: Timestamp) -> Looked {
        let mut keys = Vec::new();
        if let Some(user) = user {
            keys.push((client, Budget::SubjectsOfUser, Some(user.to_owned())));
        }
        keys.push((client, Budget::Subjects, None));
        if outside {
            keys.push((client, Budget::OutsideTerritory, None));
        }
        self.take(&keys, Some(person), 1, now)
    }

    /// Whether it is known, from a look at the same person in this window, that somebody is outside the client's
    /// territory; none where it must be found out. Where nobody counts it, nobody need know.
    pub fn known_outside(&self, client: ClientId, person: Uuid, now: Timestamp) -> Option<bool> {
        if self.of(Budget::OutsideTerritory).is_none() {
            return Some(false);
        }
        let windows = lock(&self.windows);
        let seen = |budget| {
            let window = windows.get(&(client, budget, None));
            window.is_some_and(|w: &Window| w.from + w.length_s > now.unix_seconds() && w.seen.contains(&person))
        };
        if seen(Budget::OutsideTerritory) {
            return Some(true);
        }
        seen(Budget::Subjects).then_some(false)
    }

    /// Counts one of the few things that a client may do in a day.
    pub fn daily(&self, client: ClientId, what: Daily, now: Timestamp) -> Looked {
        let budget = match what {
            Daily::Search => Budget::Searches,
            Daily::Deconfliction => Budget::Deconfliction,
            Daily::Export => Budget::Exports,
        };
        self.take(&[(client, budget, None)], None, 1, now)
    }

    /// Counts the rows of a list before they are shown. The page that reaches the quota is the last one.
    pub fn listed(&self, client: ClientId, budget: Budget, rows: usize, now: Timestamp) -> Looked {
        self.take(&[(client, budget, None)], None, i64::try_from(rows).unwrap_or(i64::MAX), now)
    }

    /// An alarm did not reach anybody: the next look gives it again.
    pub fn untold(&self, alarm: &Alarm) {
        if let Some(window) = lock(&self.windows).get_mut(&(alarm.client, alarm.budget, alarm.user.clone())) {
            window.told.remove(&alarm.level);
        }
    }

    /// Takes from every budget, or from none.
    fn take(&self, keys: &[Key], person: Option<Uuid>, amount: i64, now_at: Timestamp) -> Looked {
        let now = now_at.unix_seconds();
        let mut windows = lock(&self.windows);
        if windows.len() > MANY {
            windows.retain(|_, w| w.from + w.length_s > now);
        }
        let counted: Vec<(&Key, i64, i64)> =
            keys.iter().filter_map(|key| self.of(key.1).map(|(quota, length_s)| (key, quota, length_s))).collect();
        let mut looked = Looked::free();
        for (key, quota, length_s) in &counted {
            let window = windows.entry((*key).clone()).or_insert_with(|| Window::new(now, *length_s));
            if window.from + window.length_s <= now {
                *window = Window::new(now, *length_s);
            }
            let reset_s = window.from + length_s - now;
            let known = person.is_some_and(|p| window.seen.contains(&p));
            if window.used >= *quota && !known {
                looked.alarms = window.alarm(key, *quota, Level::Exhausted, self.quotas.alert_percent);
                let policy = key.1.policy();
                looked.state = Some(LimitState::of(policy, *quota, *length_s, 0, reset_s));
                looked.room = Err(Error::QuotaExceeded { retry_after_s: reset_s.unsigned_abs(), policy });
                return looked;
            }
        }
        for (key, quota, length_s) in counted {
            let Some(window) = windows.get_mut(key) else { continue };
            let fresh = person.is_none_or(|p| window.seen.insert(p));
            if fresh {
                window.used = window.used.saturating_add(amount);
            }
            looked.alarms.extend(window.alarm(key, quota, Level::Warning, self.quotas.alert_percent));
            let (left, reset_s) = ((quota - window.used).max(0), window.from + length_s - now);
            let state = LimitState::of(key.1.policy(), quota, length_s, left, reset_s);
            // Of two budgets of one policy the narrower one, of the person at the desk, is told.
            looked.state = match looked.state {
                Some(told) if told.names(key.1.policy()) => Some(told),
                told => Some(state.and(told)),
            };
        }
        looked
    }
}

impl Window {
    fn new(from: i64, length_s: i64) -> Self {
        Self { from, length_s, used: 0, seen: HashSet::new(), told: HashSet::new() }
    }

    /// The alarm that is due, the first time in this window.
    fn alarm(&mut self, key: &Key, quota: i64, level: Level, percent: u32) -> Vec<Alarm> {
        let far = level == Level::Exhausted || self.used.saturating_mul(100) >= quota.saturating_mul(i64::from(percent));
        if percent == 0 || !far || !self.told.insert(level) {
            return Vec::new();
        }
        let (client, budget, user) = key.clone();
        let window_from = Timestamp::from_unix_millis(self.from.saturating_mul(1_000));
        let alarm = |window_from| Alarm {
            client,
            user,
            budget,
            level,
            used: self.used,
            quota,
            window_s: self.length_s,
            window_from,
        };
        window_from.map(alarm).into_iter().collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Bucket;

    fn client() -> ClientId {
        ClientId::generate(Timestamp::now(), Bucket::random())
    }

    fn noon() -> Timestamp {
        Timestamp::from_unix_millis(1_764_000_000_000).unwrap()
    }

    fn levels(looked: &Looked) -> Vec<(Budget, Level, i64)> {
        looked.alarms.iter().map(|a| (a.budget, a.level, a.used)).collect()
    }

    #[test]
    fn persons_count_once_a_day_for_the_client_and_for_the_desk() {
        let looking = Looking::new(Quotas { subjects_per_day: 3, subjects_per_user_per_day: 2, ..Quotas::default() });
        let (me, persons, now) = (client(), [1_u128, 2, 3, 4].map(Uuid::from_u128), noon());
        let look = |user: &str, n: usize, at: Timestamp| looking.subject(me, Some(user), persons[n], false, at);
        assert_eq!(look("a", 0, now).state.unwrap().state, "\"pii_subjects\";r=1;t=86400");
        assert!(look("a", 0, now).room.is_ok() && look("a", 1, now).room.is_ok());
        assert!(look("a", 2, now).room.is_err(), "the desk's quota");
        assert!(look("a", 1, now).room.is_ok(), "a person already seen");
        assert!(look("b", 2, now).room.is_ok());
        assert!(look("b", 3, now).room.is_err(), "the client's quota");
        assert!(looking.subject(client(), None, persons[3], false, now).room.is_ok(), "another client's day");
        assert!(look("b", 3, now.plus_seconds(DAY_S)).room.is_ok(), "tomorrow");
    }

    #[test]
    fn searches_and_deconfliction_are_counted_by_the_day_and_apart() {
        let looking = Looking::new(Quotas { search_per_day: 2, deconfliction_per_day: 1, ..Quotas::default() });
        let (me, now) = (client(), noon());
        let first = looking.daily(me, Daily::Search, now);
        assert!(first.room.is_ok() && first.alarms.is_empty(), "no alerts without a share of the budget");
        assert_eq!(first.state.unwrap().state, "\"search_day\";r=1;t=86400");
        assert!(looking.daily(me, Daily::Search, now).room.is_ok());
        let refused = looking.daily(me, Daily::Search, now.plus_seconds(60)).room;
        assert_eq!(refused, Err(Error::QuotaExceeded { retry_after_s: 86_340, policy: "search_day" }));
        assert!(looking.daily(me, Daily::Deconfliction, now).room.is_ok());
        assert!(looking.daily(me, Daily::Deconfliction, now).room.is_err());
        assert!(looking.daily(client(), Daily::Search, now).room.is_ok());
        assert!(looking.daily(me, Daily::Search, now.plus_seconds(DAY_S)).room.is_ok(), "tomorrow");
    }

    #[test]
    fn an_alarm_is_given_once_a_window_at_its_share_and_once_when_more_is_refused() {
        let looking = Looking::new(Quotas { subjects_per_day: 5, alert_percent: 80, ..Quotas::default() });
        let (me, now) = (client(), noon());
        let look = |n: u128, at: Timestamp| looking.subject(me, None, Uuid::from_u128(n), false, at);
        assert!((1..=3).all(|n| levels(&look(n, now)).is_empty()));
        assert_eq!(levels(&look(3, now)), [], "the same person again");
        let warned = look(4, now);
        assert_eq!(levels(&warned), [(Budget::Subjects, Level::Warning, 4)]);
        assert_eq!((warned.alarms[0].quota, warned.alarms[0].window_s, warned.alarms[0].window_from), (5, DAY_S, now));
        assert_eq!(levels(&look(5, now)), []);
        let refused = look(6, now);
        assert_eq!((levels(&refused), refused.room.is_err()), (vec![(Budget::Subjects, Level::Exhausted, 5)], true));
        assert_eq!(levels(&look(7, now)), []);
        looking.untold(&refused.alarms[0]);
        assert_eq!(levels(&look(7, now)), [(Budget::Subjects, Level::Exhausted, 5)], "one that reached nobody comes again");
        let tomorrow = now.plus_seconds(DAY_S);
        assert!((1..=3).all(|n| levels(&look(n, tomorrow)).is_empty()));
        assert_eq!(levels(&look(4, tomorrow)), [(Budget::Subjects, Level::Warning, 4)]);
    }

    #[test]
    fn the_rows_of_lists_are_counted_by_the_hour_and_the_page_that_reaches_the_quota_is_the_last() {
        let looking = Looking::new(Quotas { listed_cases_per_hour: 100, alert_percent: 80, ..Quotas::default() });
        let (me, now) = (client(), noon());
        let page = |rows: usize, at: Timestamp| looking.listed(me, Budget::ListedCases, rows, at);
        assert!(levels(&page(50, now)).is_empty());
        assert_eq!(levels(&page(200, now)), [(Budget::ListedCases, Level::Warning, 250)]);
        let refused = page(1, now.plus_seconds(600));
        assert_eq!(refused.room, Err(Error::QuotaExceeded { retry_after_s: 3_000, policy: "listed_cases" }));
        assert_eq!(levels(&refused), [(Budget::ListedCases, Level::Exhausted, 250)]);
        assert!(looking.listed(me, Budget::ListedPersons, 10_000, now).room.is_ok(), "a budget that is not set");
        assert!(page(50, now.plus_seconds(HOUR_S)).room.is_ok());
    }

    #[test]
    fn persons_outside_the_territory_have_a_smaller_budget_beside_the_other() {
        let looking = Looking::new(Quotas { subjects_per_day: 10, outside_territory_per_day: 1, ..Quotas::default() });
        let (me, now) = (client(), noon());
        let look = |n: u128, outside: bool| looking.subject(me, None, Uuid::from_u128(n), outside, now);
        let told = look(1, true).state.unwrap();
        assert_eq!(told.state, "\"pii_subjects\";r=9;t=86400, \"outside_territory\";r=0;t=86400");
        assert!(look(1, true).room.is_ok());
        let refused = look(2, true);
        assert!(matches!(refused.room, Err(Error::QuotaExceeded { policy: "outside_territory", .. })));
        let known = |n: u128, at: Timestamp| looking.known_outside(me, Uuid::from_u128(n), at);
        assert_eq!((known(1, now), known(2, now)), (Some(true), None), "one that was refused is asked about again");
        assert!(look(2, false).room.is_ok(), "a refused look has taken nothing");
        assert_eq!(look(2, false).state.unwrap().state, "\"pii_subjects\";r=8;t=86400");
        assert_eq!((known(2, now), known(3, now), known(2, now.plus_seconds(DAY_S))), (Some(false), None, None));
        let free = Looking::new(Quotas { outside_territory_per_day: 0, ..Quotas::default() });
        assert_eq!(free.known_outside(me, Uuid::from_u128(3), now), Some(false));
    }
}
