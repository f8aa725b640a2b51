//! Sees to it that every event behind a webhook's place is sent. One instance at a time, by lease.
//!
//! The dispatcher knows every webhook that sends and where each lane ends; it starts an attempt where there is something
//! to send and its time has come. An attempt runs on a thread of its own, so many at once at most; half of them are kept
//! for endpoints that answer well. So a slow endpoint delays nobody but itself. Whatever an attempt leaves is written in
//! one transaction with its record, over the step that it was read at: what was overtaken changes nothing.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use super::model::{Delivery, Outcome, Said, State, Webhook, body};
use super::run::Hooks;
use super::signing::signatures;
use super::store::{self, Sending};
use crate::auth::clients::ClientRecord;
use crate::auth::{Authenticator, Caller, Purpose, Scope};
use crate::db::Store;
use crate::events::model::{Event, Mark, Wanted};
use crate::http::metrics::Metrics;
use crate::kernel::ids::{DeliveryId, WebhookId};
use crate::kernel::{Result, Timestamp};
use crate::ledger::{self, Action, Actor, Entry, sealer};

/// The name of the lease.
const LEASE: &str = "webhooks";
/// How often the whole is looked at while nothing rings: another instance may have sealed, or changed a webhook.
const GLANCE: Duration = Duration::from_secs(2);
/// Longest pause.
const PAUSE: Duration = Duration::from_millis(500);
/// How long running attempts are waited for at the end.
const LAST: Duration = Duration::from_secs(2);
/// Events that one attempt's thread sends before it makes room for others.
const IN_A_ROW: usize = 50;
/// An endpoint that takes longer is slow, milliseconds.
const SLOW_MS: i64 = 2_000;

/// What the dispatcher and its threads share.
#[derive(Clone)]
pub struct Dispatcher {
    store: Store,
    authenticator: Arc<Authenticator>,
    hooks: Arc<Hooks>,
    metrics: Arc<Metrics>,
}

/// A thread that ended: whose, what the dispatcher must know from now on, and whether the endpoint was slow.
struct Ended {
    id: WebhookId,
    sending: Option<Sending>,
    slow: bool,
}

/// What the dispatcher knows.
#[derive(Default)]
struct Known {
    hooks: HashMap<WebhookId, (Sending, String)>,
    ends: HashMap<String, i64>,
    running: HashSet<WebhookId>,
    slow: HashSet<WebhookId>,
}

impl Dispatcher {
    /// For a server.
    pub fn new(store: Store, authenticator: Arc<Authenticator>, hooks: Arc<Hooks>, metrics: Arc<Metrics>) -> Self {
        Self { store, authenticator, hooks, metrics }
    }

    /// Runs until `stop` is set.
    pub fn run(&self, stop: &AtomicBool) {
        let holder = uuid::Uuid::new_v4().to_string();
        let (done, ended) = channel();
        let (mut known, mut looked): (Known, Option<Instant>) = (Known::default(), None);
        while !stop.load(Ordering::Relaxed) {
            let news = self.hooks.feed().bell.news(PAUSE);
            let mut whole = looked.is_none_or(|at| at.elapsed() >= GLANCE);
            whole |= news.nudged;
            self.take(&mut known, &ended);
            let outcome = if whole {
                looked = Some(Instant::now());
                self.look(&mut known, &holder)
            } else {
                self.ends(&mut known, &news.lanes)
            };
            if let Err(e) = outcome {
                log::warn!(target: "sistra::webhooks", "the webhooks could not be looked at, will try again: {e:?}");
            }
            self.start(&mut known, &done);
        }
        let until = Instant::now() + LAST;
        while !known.running.is_empty() && Instant::now() < until {
            if let Ok(one) = ended.recv_timeout(until.saturating_duration_since(Instant::now())) {
                known.running.remove(&one.id);
            }
        }
        let _ = self.store.write_blocking(move |tx| sealer::release(tx, LEASE, &holder));
    }

    /// Takes in what ended.
    fn take(&self, known: &mut Known, ended: &Receiver<Ended>) {
        for Ended { id, sending, slow } in ended.try_iter() {
            known.running.remove(&id);
            if slow {
                known.slow.insert(id)
            } else {
                known.slow.remove(&id)
            };
            match sending {
                Some(sending) => {
                    if let Some((before, _)) = known.hooks.get_mut(&id) {
                        *before = sending;
                    }
                }
                None => {
                    known.hooks.remove(&id);
                }
            }
        }
    }

    /// Every webhook that sends, and where every lane ends; nothing, if another instance leads.
    fn look(&self, known: &mut Known, holder: &str) -> Result<()> {
        let sending = self.store.read_blocking(|conn| {
            let agencies = crate::agencies::codes(conn)?;
            store::sending(conn, &agencies)
        })?;
        known.hooks.clear();
        if sending.is_empty() {
            return Ok(());
        }
        let leader = holder.to_owned();
        if !self.store.write_blocking(move |tx| sealer::lead(tx, LEASE, &leader, Timestamp::now()))? {
            return Ok(());
        }
        for one in sending {
            let Some(client) = self.client(&one)? else { continue };
            let lane = scope(&client).lane().to_owned();
            known.hooks.insert(one.id, (one, lane));
        }
        let lanes: BTreeSet<String> = known.hooks.values().map(|(_, lane)| lane.clone()).collect();
        known.ends.retain(|lane, _| lanes.contains(lane));
        self.ends(known, &lanes)
    }

    fn client(&self, of: &Sending) -> Result<Option<Arc<ClientRecord>>> {
        Ok(self.authenticator.directory.find(of.client)?.filter(|client| client.active))
    }

    /// Where these lanes end, as far as a webhook follows them.
    fn ends(&self, known: &mut Known, lanes: &BTreeSet<String>) -> Result<()> {
        let followed: BTreeSet<&String> = known.hooks.values().map(|(_, lane)| lane).collect();
        let wanted: Vec<String> = lanes.iter().filter(|lane| followed.contains(lane)).cloned().collect();
        for lane in wanted {
            let (name, now) = (lane.clone(), Timestamp::now());
            let end = self.store.read_blocking(move |conn| crate::events::store::end(conn, &name, now))?;
            known.ends.insert(lane, end.position);
        }
        Ok(())
    }

    /// Starts attempts where there is something to send.
    fn start(&self, known: &mut Known, done: &Sender<Ended>) {
        let now = self.hooks.now();
        let mut due: Vec<(WebhookId, bool)> = Vec::new();
        for (id, (one, lane)) in &known.hooks {
            let news = known.ends.get(lane).is_some_and(|end| *end > one.position);
            let asked = one.ping && (!one.pending || one.next_at <= now);
            if !known.running.contains(id) && (asked || !one.pending && news && one.next_at <= now) {
                due.push((*id, one.failing || known.slow.contains(id)));
            }
        }
        // Those that answer well first; of the others never more than half of what may run.
        due.sort_by_key(|(id, slow)| (*slow, *id));
        for (id, slow) in due {
            let busy = known.running.iter().filter(|id| known.slow.contains(id)).count();
            if known.running.len() >= self.hooks.at_once || slow && busy >= self.hooks.at_once.div_ceil(2) {
                continue;
            }
            if slow {
                known.slow.insert(id);
            }
            let (this, done) = (self.clone(), done.clone());
            let work = move || {
                let (sending, slow) = this.serve(id);
                let _ = done.send(Ended { id, sending, slow });
                this.hooks.feed().bell.stir();
            };
            if std::thread::Builder::new().name("sistra-webhook".into()).spawn(work).is_ok() {
                known.running.insert(id);
            }
        }
    }

    /// Sends what is due of one webhook; answers what the dispatcher must know of it, and whether it was slow.
    fn serve(&self, id: WebhookId) -> (Option<Sending>, bool) {
        let (mut last, mut slow) = (None, false);
        for _ in 0..IN_A_ROW {
            match self.once(id) {
                Ok(Some(step)) => {
                    slow = step.slow;
                    let go_on = step.more && step.webhook.failed == 0 && step.webhook.state != State::Disabled;
                    last = (step.webhook.state != State::Disabled).then(|| Sending::from(&step.webhook));
                    if !go_on {
                        break;
                    }
                }
                Ok(None) => return (None, slow),
                Err(e) => {
                    log::warn!(target: "sistra::webhooks", "an attempt could not be made or recorded, will try again: {e:?}");
                    break;
                }
            }
        }
        (last, slow)
    }

    /// One attempt, or one look that finds nothing to send; none if the webhook is gone or its client may not act.
    fn once(&self, id: WebhookId) -> Result<Option<Step>> {
        let webhook = match self.store.read_blocking(move |conn| store::find(conn, id)) {
            Ok(webhook) => webhook,
            Err(crate::kernel::Error::NotFound) => return Ok(None),
            Err(other) => return Err(other),
        };
        let client = self.authenticator.directory.find(webhook.client)?.filter(|client| client.active);
        let Some(client) = client.filter(|_| webhook.state != State::Disabled) else { return Ok(None) };
        let now = self.hooks.now();
        if let Some(ping) = webhook.ping.filter(|_| webhook.state == State::Active || webhook.next_at <= now) {
            let (event, mark) = (webhook.ping_event(ping, now), webhook.mark);
            let said = self.send(&webhook, &event)?;
            let mut after = webhook.clone();
            after.pinged(said, self.hooks.now(), self.hooks.sender.jitter());
            let attempt = if webhook.state == State::Pending { webhook.failed + 1 } else { 1 };
            return self.record(&webhook, after, &event, mark, attempt, said).map(Some);
        }
        if webhook.state != State::Active || webhook.next_at > now {
            return Ok(Some(Step { webhook, more: false, slow: false }));
        }
        let (mark, retention) = (webhook.mark, self.hooks.feed().retention);
        // What it has not been sent for so long is not kept: it goes on with what is.
        let mark = if mark.truncated(Timestamp::now(), retention) { Mark::begin(Timestamp::now()) } else { mark };
        let (scope, wanted) = (scope(&client), wanted(&client, &webhook));
        let looked =
            self.store.read_blocking(move |conn| crate::events::store::look(conn, &scope, &wanted, mark, 1, retention))?;
        let Some((event, behind)) = looked.events.into_iter().next() else {
            let mut after = webhook.clone();
            after.mark = looked.mark;
            if after.mark.position != webhook.mark.position || looked.mark.seen_to - webhook.mark.seen_to > 86_400 {
                let (step, stored) = (webhook.step, after.clone());
                self.store.write_blocking(move |tx| store::update(tx, &stored, step))?;
            }
            return Ok(Some(Step { webhook: after, more: looked.more, slow: false }));
        };
        let said = self.send(&webhook, &event)?;
        let mut after = webhook.clone();
        after.attempted(said, behind, self.hooks.now(), self.hooks.sender.jitter());
        self.record(&webhook, after, &event, behind, webhook.failed + 1, said).map(Some)
    }

    fn send(&self, webhook: &Webhook, event: &Event) -> Result<Said> {
        let (id, at, text) = (event.id.to_string(), Timestamp::now().unix_seconds(), body(event));
        let keys = webhook.keys(self.hooks.now());
        let signature = signatures(webhook.algorithm, &keys, &id, at, &text)?;
        let said = self.hooks.sender.send(&webhook.detail.url, &id, at, &signature, &text);
        self.metrics.delivery(said.outcome.as_str(), Duration::from_millis(u64::try_from(said.duration_ms).unwrap_or(0)));
        Ok(said)
    }

    /// Writes what an attempt left, with its record.
    fn record(
        &self,
        before: &Webhook,
        mut after: Webhook,
        event: &Event,
        mark: Mark,
        attempt: usize,
        said: Said,
    ) -> Result<Step> {
        let now = self.hooks.now();
        let slow = said.duration_ms >= SLOW_MS || said.outcome == Outcome::Timeout;
        let delivery = Delivery {
            // The wall clock: ids of one process share a counter, which must not run ahead of the hour.
            id: DeliveryId::generate(Timestamp::now(), before.id.bucket()),
            event: event.id,
            kind: event.kind.clone(),
            attempt: i64::try_from(attempt).unwrap_or(i64::MAX),
            at: now,
            outcome: said.outcome.as_str().to_owned(),
            status: said.status.and_then(|s| i16::try_from(s).ok()),
            duration_ms: said.duration_ms,
            mark,
        };
        let moved = after.state != before.state;
        if moved {
            after.version += 1;
            after.updated_at = now;
        }
        let (id, step, stored, from) = (before.id, before.step, after.clone(), before.state);
        let kept = self.store.write_blocking(move |tx| {
            let kept = store::update(tx, &stored, step)?;
            store::record(tx, id, &delivery)?;
            if kept && moved {
                let trigger = if stored.state == State::Active { "answered" } else { "failed" };
                let entry = Entry::new(Action::Transitioned, id, Some(stored.version));
                let entry = entry.moved(trigger, from.as_str(), stored.state.as_str());
                ledger::append(tx, &registry(&stored), Timestamp::now(), vec![entry])?;
            }
            Ok(kept)
        })?;
        // Overtaken: what is true now is read again.
        after.step = step + 1;
        let more = !kept || said.outcome == Outcome::Delivered;
        Ok(Step { webhook: after, more, slow })
    }
}

/// What an attempt left.
struct Step {
    webhook: Webhook,
    more: bool,
    slow: bool,
}

/// The registry itself, for the agency whose webhook it is.
fn registry(of: &Webhook) -> Actor {
    Actor {
        client: None,
        agency: Some(of.agency.clone()),
        user: None,
        purpose: None,
        request_id: uuid::Uuid::new_v4(),
        trail: crate::kernel::trail::Trail::default(),
    }
}

/// What the client of a webhook sees now.
fn scope(client: &ClientRecord) -> Scope {
    let now = Timestamp::now();
    let caller = Caller {
        client: client.id,
        agency: client.agency.clone(),
        oversight: client.oversight,
        user: None,
        scopes: client.scopes.clone(),
        purpose: client.purposes.first().copied().unwrap_or(Purpose::Statistics),
        expires_at: now,
    };
    caller.scope(now)
}

fn wanted(client: &ClientRecord, webhook: &Webhook) -> Wanted {
    Wanted {
        types: webhook.types.clone(),
        resource_type: None,
        scopes: client.scopes.clone(),
        purposes: client.purposes.clone(),
        client: Some(client.id),
    }
}
