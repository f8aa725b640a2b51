//! A transaction that several actions share: what each reads and writes is one effect, all or nothing.
//!
//! The transaction lives on the thread that holds its connection (SQLite's writer, or a blocking thread on PostgreSQL),
//! which runs one job after the other until it is told to keep the effect, or nobody holds the other end any more.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use tokio::sync::oneshot;

use super::connection::Conn;
use crate::kernel::error::{Error, Result, Unavailable};

type Job = Box<dyn FnOnce(&mut Conn) + Send>;

enum Step {
    Run(Job),
    Keep,
}

/// Longest wait for the next step: the writer belongs to everybody.
const PATIENCE: Duration = Duration::from_secs(5);

/// The end that gives the jobs. Cheap to clone; when the last one is dropped without [`Unit::keep`], nothing stays.
#[derive(Clone)]
pub struct Unit(Sender<Step>);

/// The end that runs them.
pub struct Jobs(Receiver<Step>);

/// Both ends.
pub fn pair() -> (Unit, Jobs) {
    let (sender, receiver) = channel();
    (Unit(sender), Jobs(receiver))
}

impl Unit {
    /// Runs one job in the transaction.
    pub async fn run<T: Send + 'static>(&self, f: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> Result<T> {
        let gone = || Error::Unavailable(Unavailable::Storage);
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |conn| {
            // The caller may have gone; then the whole unit goes.
            let _ = sender.send(f(conn));
        });
        self.0.send(Step::Run(job)).map_err(|_| gone())?;
        receiver.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Says that the effect is to stay.
    pub fn keep(&self) -> Result<()> {
        self.0.send(Step::Keep).map_err(|_| Error::Unavailable(Unavailable::Storage))
    }
}

impl Jobs {
    /// Runs jobs until the effect is to be kept; an error where it is not.
    pub fn work(&self, conn: &mut Conn) -> Result<()> {
        loop {
            match self.0.recv_timeout(PATIENCE) {
                Ok(Step::Run(job)) => job(conn),
                Ok(Step::Keep) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => return Err(Error::Unavailable(Unavailable::Timeout)),
                Err(RecvTimeoutError::Disconnected) => return Err(Error::Unavailable(Unavailable::Storage)),
            }
        }
    }
}
