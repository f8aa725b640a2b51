//! Reminders and escalations: who is told that a referral waits, once per step, whoever looks and however often.
//!
//! Told means: an entry of the ledger in the referral's history, and from the end of the time on a place on oversight's
//! desk. Takes the clock as given.

use super::due::Told;
use super::states::Standing;
use super::{desk, store};
use crate::agencies;
use crate::db::Store;
use crate::kernel::ids::ReferralId;
use crate::kernel::{Result, Timestamp};
use crate::ledger::{self, Action, Actor, Entry};

/// Referrals of one sender that are looked at together.
const STEP: i64 = 100;

/// What was said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Reminders.
    pub reminded: u64,
    /// Escalations.
    pub escalated: u64,
}

/// Tells whoever is to be told by now.
pub fn remind(store: &Store, now: Timestamp) -> Result<Said> {
    let mut said = Said::default();
    for sender in store.read_blocking(agencies::codes)? {
        loop {
            let owed = store.read_blocking(|conn| desk::owed(conn, &sender, now, STEP))?;
            let full = i64::try_from(owed.len()) == Ok(STEP);
            for id in owed {
                match store.write_blocking(move |tx| tell(tx, id, now))? {
                    Some(Told::Reminded) => said.reminded += 1,
                    Some(Told::Escalated) => said.escalated += 1,
                    Some(Told::Nobody) | None => {}
                }
            }
            if !full {
                break;
            }
        }
    }
    Ok(said)
}

/// Tells about one referral what is to be told by now; answers what that was. Another server may have been faster, or the
/// referral may have moved on: then nothing is.
fn tell(tx: &mut crate::db::Conn, id: ReferralId, now: Timestamp) -> Result<Option<Told>> {
    let referral = store::locked(tx, id)?;
    let (Some(wait), Some((step, told))) = (referral.wait(), desk::said(tx, &referral)?) else { return Ok(None) };
    let Some(owed) = wait.owed(told, now).filter(|_| step == wait.step) else { return Ok(None) };
    desk::tell(tx, &referral, &wait, owed)?;
    let action = if owed == Told::Escalated { Action::Escalated } else { Action::Reminded };
    let turn = if wait.step.side() == Standing::Sender { &referral.from } else { &referral.to };
    let state = referral.state.as_str();
    let entry = Entry::new(action, id, Some(referral.version)).moved(wait.step.as_str(), state, state).agency(turn);
    let actor = Actor {
        client: None,
        agency: None,
        user: None,
        purpose: None,
        request_id: uuid::Uuid::new_v4(),
        trail: crate::kernel::trail::Trail::default(),
    };
    ledger::append(tx, &actor, now, vec![entry])?;
    Ok(Some(owed))
}
