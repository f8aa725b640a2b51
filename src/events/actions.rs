//! Following a lane: reads only, and waiting without a thread or a connection.

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

/// How often a lane is looked at while nobody rings: another instance may have sealed.
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
            let glance = until.min(now + GLANCE).saturating_duration_since(now);
            // Rung, closed or nothing for a while: it is looked at again in any case.
            let _ = tokio::time::timeout(glance, bell.changed()).await;
            continue;
        }
        let events = looked.events.into_iter().map(|(event, _)| event).collect();
        return Ok(Followed { events, mark, more: looked.more });
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
