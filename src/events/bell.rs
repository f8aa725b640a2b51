//! Who waits for news of a lane. Of this process: other instances look at their lanes every few seconds.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// One bell per lane that somebody waits at. Waiting holds no thread and no connection. One thread may follow all of them.
#[derive(Debug, Default)]
pub struct Bell {
    lanes: Mutex<Lanes>,
    news: Mutex<News>,
    heard: Condvar,
}

/// What rang since the last look.
#[derive(Debug, Default)]
pub struct News {
    /// Lanes with events.
    pub lanes: BTreeSet<String>,
    /// Whether something else was changed that the follower must look at.
    pub nudged: bool,
    stirred: bool,
}

#[derive(Debug, Default)]
struct Lanes {
    bells: HashMap<String, watch::Sender<()>>,
    closed: bool,
}

impl Bell {
    /// What says that there is news from now on; none when the server stops: then nobody should wait.
    pub fn listen(&self, lane: &str) -> Option<watch::Receiver<()>> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if lanes.closed {
            return None;
        }
        Some(lanes.bells.entry(lane.to_owned()).or_insert_with(|| watch::channel(()).0).subscribe())
    }

    /// The lanes at which somebody waits.
    pub fn waited(&self) -> BTreeSet<String> {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.bells.retain(|_, bell| bell.receiver_count() > 0);
        lanes.bells.keys().cloned().collect()
    }

    /// There is news on these lanes.
    pub fn ring(&self, rung: &BTreeSet<String>) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        for lane in rung {
            if let Some(bell) = lanes.bells.get(lane)
                && bell.send(()).is_err()
            {
                lanes.bells.remove(lane);
            }
        }
        drop(lanes);
        if !rung.is_empty() {
            self.news.lock().unwrap_or_else(PoisonError::into_inner).lanes.extend(rung.iter().cloned());
            self.heard.notify_all();
        }
    }

    /// Waits until something rings, at most so long; answers what did. For the one thread that follows every lane.
    pub fn news(&self, wait: Duration) -> News {
        let news = self.news.lock().unwrap_or_else(PoisonError::into_inner);
        let silent = |news: &mut News| news.lanes.is_empty() && !news.nudged && !news.stirred;
        let (mut news, _) = self.heard.wait_timeout_while(news, wait, silent).unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *news)
    }

    /// Tells the follower to look at everything.
    pub fn nudge(&self) {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).nudged = true;
        self.heard.notify_all();
    }

    /// Wakes the follower.
    pub fn stir(&self) {
        self.news.lock().unwrap_or_else(PoisonError::into_inner).stirred = true;
        self.heard.notify_all();
    }

    /// Wakes everybody: the server stops.
    pub fn close(&self) {
        let mut lanes = self.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.closed = true;
        lanes.bells.clear();
        drop(lanes);
        self.stir();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_s_bell_is_heard_by_those_who_wait_at_it_and_by_nobody_else() {
        let bell = Bell::default();
        let (here, there) = (bell.listen("PE-MP").unwrap(), bell.listen("PE-DP").unwrap());
        bell.ring(&BTreeSet::from(["PE-MP".to_owned(), "PE-PNP".to_owned()]));
        assert!(here.has_changed().unwrap() && !there.has_changed().unwrap());
        assert_eq!(bell.news(Duration::ZERO).lanes.len(), 2, "one follower hears all of them");
        assert_eq!(bell.waited(), BTreeSet::from(["PE-DP".to_owned(), "PE-MP".to_owned()]));
        drop(here);
        assert_eq!(bell.waited(), BTreeSet::from(["PE-DP".to_owned()]), "whoever has gone does not wait");
        assert!(bell.news(Duration::ZERO).lanes.is_empty());
        bell.nudge();
        assert!(bell.news(Duration::from_secs(60)).nudged);
        bell.close();
        assert!(there.has_changed().is_err(), "closing wakes everybody");
        assert!(bell.listen("PE-MP").is_none());
    }
}
