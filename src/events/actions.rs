//! Following a lane: reads only, and waiting without a thread or a connection.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::bell::Bell;
use super::model::{Event, Mark, Retention, Wanted};
use super::store;
use crate::auth::Caller;
use crate::db::Store;
use crate::kernel::agency_code::OVERSIGHT_LANE;
use crate::kernel::{Error, Result, Timestamp};

/// Where a reader starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// With the first event that is kept.
    Begin,
    /// With what comes from now on.
    Now,
    /// Where it stood.
    At(Mark),
}

/// The feed of one server: how long it keeps, how long one may wait, and the bells.
#[derive(Debug)]
pub struct Feed {
    /// How long events are kept.
    pub retention: Retention,
    /// Longest wait of a request.
    pub longest: Duration,
    /// Who waits.
    pub bell: Bell,
}

/// A page of the feed.
#[derive(Clone, Debug)]
pub struct Followed {
    /// The events.
    pub events: Vec<Event>,
    /// Where to go on.
    pub mark: Mark,
    /// Whether more is there already.
    pub more: bool,
}

/// How often the lanes at which somebody waits are looked at: another instance may have sealed.
const GLANCE: Duration = Duration::from_secs(2);
/// How long a request may go on reading through what its caller may not see.
const READING: Duration = Duration::from_secs(5);

/// Thousands of rows that the broom takes from a lane in one turn.
const MOST_SWEPT: usize = 50;

/// The next events for a caller, at most `limit`; waits for the first one so long at most.
pub async fn follow(
    db: &Store,
    feed: &Feed,
    caller: &Caller,
    wanted: &Wanted,
    start: Start,
    limit: usize,
    wait: Duration,
) -> Result<Followed> {
    let (started, until) = (Instant::now(), Instant::now() + wait.min(feed.longest));
    let lane = caller.scope(Timestamp::now()).lane().to_owned();
    let mut mark = match start {
        Start::Begin => Mark::begin(Timestamp::now()),
        Start::Now => {
            let lane = lane.clone();
            db.read(move |conn| store::end(conn, &lane, Timestamp::now())).await?
        }
        Start::At(mark) if mark.truncated(Timestamp::now(), feed.retention) => return Err(Error::FeedTruncated),
        Start::At(mark) => mark,
    };
    loop {
        // Before looking: what comes after the look rings.
        let bell = feed.bell.listen(&lane);
        let (scope, wanted, retention) = (caller.scope(Timestamp::now()), wanted.clone(), feed.retention);
        let looked = db.read(move |conn| store::look(conn, &scope, &wanted, mark, limit, retention)).await?;
        mark = looked.mark;
        let now = Instant::now();
        if looked.more && looked.events.is_empty() && now < started + READING {
            continue;
        }
        if let (Some(mut bell), true) = (bell, looked.events.is_empty() && !looked.more && now < until) {
            // Rung, closed or out of time: it is looked at again in any case.
            let _ = tokio::time::timeout(until.saturating_duration_since(now), bell.changed()).await;
            continue;
        }
        let events = looked.events.into_iter().map(|(event, _)| event).collect();
        return Ok(Followed { events, mark, more: looked.more });
    }
}

/// Rings where other instances have sealed something: looks at the end of every lane at which somebody waits, once for all
/// who wait there. Runs until `stop` is set.
pub fn keep_watch(db: &Store, feed: &Feed, stop: &AtomicBool) {
    let (mut ends, mut looked): (HashMap<String, i64>, Instant) = (HashMap::new(), Instant::now());
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(200));
        if looked.elapsed() < GLANCE {
            continue;
        }
        looked = Instant::now();
        let waited = feed.bell.waited();
        ends.retain(|lane, _| waited.contains(lane));
        let mut moved = BTreeSet::new();
        for lane in waited {
            let (name, now) = (lane.clone(), Timestamp::now());
            match db.read_blocking(move |conn| store::end(conn, &name, now)) {
                // Where nobody looked before, something may have come since the one who waits did.
                Ok(end) if ends.insert(lane.clone(), end.position) != Some(end.position) => {
                    moved.insert(lane);
                }
                Ok(_) => {}
                Err(e) => log::warn!(target: "sistra::events", "the end of a lane could not be read: {e:?}"),
            }
        }
        feed.bell.ring(&moved);
    }
}

/// How long attempts of webhooks are kept, days.
const LOG_DAYS: i64 = 30;

/// Takes old events, and old attempts to deliver them, from the next lane of `lanes`, which it fills anew when all had their turn.
pub fn sweep(db: &Store, lanes: &mut Vec<String>, retention: Retention, now: Timestamp) -> Result<()> {
    if lanes.is_empty() {
        *lanes = db.read_blocking(crate::agencies::codes)?;
        lanes.push(OVERSIGHT_LANE.to_owned());
    }
    let Some(lane) = lanes.pop() else { return Ok(()) };
    crate::webhooks::actions::forget(db, &lane, now.plus_seconds(-LOG_DAYS * 86_400))?;
    let before = retention.sweeps(now);
    for _ in 0..MOST_SWEPT {
        let lane = lane.clone();
        if !db.write_blocking(move |tx| store::sweep(tx, &lane, before))? {
            break;
        }
    }
    Ok(())
}
