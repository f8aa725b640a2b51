//! Tokens that died before their time (RFC 7009): in the database, and in the memory of every instance.
//!
//! The rows lie in one lane, so that an instance reads all of them in one place; a token lives a quarter of an hour at
//! most (an hour, of a trusted issuer), and its row is forgotten with it. In memory nothing is ever taken back: a reading
//! that began before a revocation cannot undo it.

use std::collections::HashMap;

use arc_swap::ArcSwap;
use diesel::prelude::*;

use super::caller::Purpose;
use crate::db::schema::token_revocation as t;
use crate::db::{Conn, Store};
use crate::kernel::ids::{ClientId, TokenId};
use crate::kernel::trail::Trail;
use crate::kernel::{AgencyCode, Bucket, Result, Timestamp};
use crate::ledger::{self, Action, Actor, Entry};
use crate::per_engine;

/// Name of the lane.
const LANE: &str = "token_revocation";

fn lane() -> Bucket {
    Bucket::of_text(&[LANE])
}

/// What an instance knows of revoked tokens, each until it would have ended.
#[derive(Default)]
pub struct Revoked(ArcSwap<HashMap<TokenId, Timestamp>>);

impl Revoked {
    /// Whether a token is dead.
    pub fn has(&self, token: TokenId) -> bool {
        let known = self.0.load();
        !known.is_empty() && known.contains_key(&token)
    }

    /// Adds what was read, and forgets what has ended.
    pub fn learn(&self, read: Vec<(TokenId, Timestamp)>, now: Timestamp) {
        self.0.rcu(|known| {
            let lasting = known.iter().filter(|(_, until)| **until > now).map(|(token, until)| (*token, *until));
            lasting.chain(read.iter().copied()).collect::<HashMap<_, _>>()
        });
    }
}

/// A token that its client gives up.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// The token.
    pub token: TokenId,
    /// Whose it is.
    pub client: ClientId,
    /// The agency that the client acts for.
    pub agency: AgencyCode,
    /// The person at its desk who asks for it.
    pub user: Option<String>,
    /// What the token was taken for.
    pub purpose: Purpose,
    /// The request.
    pub request_id: uuid::Uuid,
    /// When the token would have ended, leeway included.
    pub expires_at: Timestamp,
}

/// Kills a token; durable when this returns. Killing it again changes nothing and is no entry of the ledger.
pub async fn revoke(store: &Store, known: &Revoked, what: Revocation, now: Timestamp) -> Result<()> {
    let (token, until) = (what.token, what.expires_at);
    store
        .write(move |tx| {
            let made = per_engine!(tx, c => diesel::insert_into(t::table)
                .values((
                    t::bucket.eq(lane().number()),
                    t::token_id.eq(what.token),
                    t::client_id.eq(what.client),
                    t::revoked_at.eq(now),
                    t::expires_at.eq(what.expires_at),
                ))
                .on_conflict_do_nothing()
                .execute(c)?);
            if made == 0 {
                return Ok(());
            }
            let actor = Actor {
                client: Some(what.client),
                agency: Some(what.agency.clone()),
                user: what.user.clone(),
                purpose: Some(what.purpose),
                request_id: what.request_id,
                trail: Trail::default(),
            };
            ledger::append(tx, &actor, now, vec![Entry::new(Action::Revoked, what.token, None)])
        })
        .await?;
    known.learn(vec![(token, until)], now);
    Ok(())
}

/// Every revoked token that would still live.
pub fn live(conn: &mut Conn, now: Timestamp) -> Result<Vec<(TokenId, Timestamp)>> {
    Ok(t::table
        .filter(t::bucket.eq(lane().number()))
        .filter(t::expires_at.gt(now))
        .select((t::token_id, t::expires_at))
        .load(conn)?)
}

/// Forgets the tokens that have ended.
pub fn forget(tx: &mut Conn, now: Timestamp) -> Result<usize> {
    let ended = t::table.filter(t::bucket.eq(lane().number())).filter(t::expires_at.lt(now.plus_seconds(-600)));
    Ok(diesel::delete(ended).execute(tx)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_revoked_here_outlives_a_reading_that_began_before_and_ends_with_the_token() {
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let token = || TokenId::from_uuid(uuid::Uuid::new_v4());
        let (mine, theirs, revoked) = (token(), token(), Revoked::default());
        revoked.learn(vec![(mine, now.plus_seconds(300))], now);
        revoked.learn(vec![(theirs, now.plus_seconds(60))], now);
        assert!(revoked.has(mine) && revoked.has(theirs) && !revoked.has(token()));
        revoked.learn(Vec::new(), now.plus_seconds(61));
        assert!(revoked.has(mine) && !revoked.has(theirs));
    }
}
