//! Statements that stay prepared though diesel thinks that their text may vary.
//!
//! diesel prepares anew, at every run, whatever it cannot prove to have one text: every UPDATE (an absent field
//! changes it) and all SQL given as text. On both engines that costs more than running it. Where the text is the same
//! for every value, [`Keep::kept`] says so; the text itself is the key of the cache.

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};

/// A statement of one text.
#[derive(Clone, Copy, Debug)]
pub struct Kept<Q>(Q);

/// Keeps a statement prepared.
pub trait Keep: Sized {
    /// Promises that the text depends on no value: no list of variable length, no field that may be absent.
    fn kept(self) -> Kept<Self> {
        Kept(self)
    }
}

impl<Q> Keep for Q {}

impl<Q> QueryId for Kept<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Kept<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Kept<Q> {}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Kept<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _backend: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}
