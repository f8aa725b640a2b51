//! What the handlers, the dispatcher and the tests share: the clock of the schedule, the way out, the bell.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::sender::Sender;
use crate::events::actions::Feed;
use crate::kernel::Timestamp;

/// The webhooks of one server.
#[derive(Debug)]
pub struct Hooks {
    /// The way out.
    pub sender: Sender,
    /// Most attempts at the same time.
    pub at_once: usize,
    feed: Arc<Feed>,
    ahead_s: AtomicI64,
}

impl Hooks {
    /// For a feed, with a way out.
    pub fn new(feed: Arc<Feed>, sender: Sender, at_once: usize) -> Self {
        Self { sender, at_once, feed, ahead_s: AtomicI64::new(0) }
    }

    /// Whether private addresses are spoken to.
    pub fn lab(&self) -> bool {
        self.sender.lab()
    }

    /// The feed that it brings.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The time by which attempts are scheduled.
    pub fn now(&self) -> Timestamp {
        Timestamp::now().plus_seconds(self.ahead_s.load(Ordering::Relaxed))
    }

    /// Moves that time on: for whoever does not want to wait a day for an attempt.
    pub fn jump(&self, seconds: i64) {
        self.ahead_s.fetch_add(seconds, Ordering::Relaxed);
        self.wake();
    }

    /// Something was changed: the dispatcher looks at once.
    pub fn wake(&self) {
        self.feed.bell.nudge();
    }
}
