//! The record of what an agency does for everybody: a campaign, a training, a funding. Pure.
//!
//! They name no person and every agency may read them; their owner writes. All of one kind lie in one bucket: there are
//! few, everybody reads them, and so a list and its totals are one range.

use crate::act::Act;
use crate::kernel::ids::Kind;
use crate::kernel::{AgencyCode, Bucket, Error, Id, Result, Timestamp};
use crate::vault::Guarded;

/// The last year of what has no end yet.
pub const OPEN: i16 = 9999;

/// What a kind of record holds.
pub trait Content: Guarded + Clone + PartialEq + Send + Sync + 'static {
    /// The kind.
    type Kind: Kind;

    /// The first and the last year in which it is counted.
    fn years(&self) -> (i16, i16);

    /// What lists filter by: `funder:CA`. Letters, digits, `_`, `-` and one colon.
    fn tags(&self) -> Vec<String>;
}

/// Where the records of a kind lie.
pub fn home<C: Content>() -> Bucket {
    Bucket::of_text(&["programme", <C::Kind as Kind>::NAME])
}

/// A record.
pub struct Record<C: Content> {
    /// The record.
    pub id: Id<C::Kind>,
    /// Version.
    pub version: i64,
    /// Whose it is.
    pub owner: AgencyCode,
    /// State, where it has one.
    pub state: String,
    /// What it holds.
    pub content: C,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

impl<C: Content> Clone for Record<C> {
    fn clone(&self) -> Self {
        let Self { id, version, owner, state, content, created_at, updated_at } = self;
        Self {
            id: *id,
            version: *version,
            owner: owner.clone(),
            state: state.clone(),
            content: content.clone(),
            created_at: *created_at,
            updated_at: *updated_at,
        }
    }
}

impl<C: Content> Record<C> {
    /// A record that is made now.
    pub fn new(content: C, state: &str, act: &Act) -> Self {
        Self {
            id: act.id(home::<C>()),
            version: 1,
            owner: act.agency().clone(),
            state: state.to_owned(),
            content,
            created_at: act.now,
            updated_at: act.now,
        }
    }

    /// Whether it is the caller's own.
    pub fn is_own(&self, act: &Act) -> bool {
        self.owner == *act.agency()
    }

    /// Its owner may go on; everybody else looks.
    pub fn must_own(&self, act: &Act) -> Result<()> {
        if self.is_own(act) { Ok(()) } else { Err(Error::OwnerOnly) }
    }

    /// One version more.
    pub fn changed(&mut self, now: Timestamp) {
        self.version += 1;
        self.updated_at = now;
    }
}
