//! Statements that stay prepared though diesel thinks that their text may vary.
//!
//! diesel prepares anew, at every run, whatever it cannot prove to have one text: every UPDATE (an absent field
//! changes it) and all SQL given as text. On both engines that costs more than running it. Where the text is the same
//! for every value, [`Keep::kept`] says so; the text itself is the key of the cache.
//!
//! diesel asks a reference to a statement, not the statement, whether it may be kept, and a reference answers by walking
//! through it. So the walk itself must not say no: where it is not after values, it hands over a finished text.

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::internal::derives::multiconnection::AstPassHelper;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId};
use diesel::sqlite::Sqlite;

use super::connection::MultiBackend;

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

/// A backend that makes an empty text.
pub trait Blank: Backend {
    /// Makes one.
    fn blank(&self) -> Self::QueryBuilder;
}

impl Blank for Pg {
    fn blank(&self) -> Self::QueryBuilder {
        Self::QueryBuilder::default()
    }
}

impl Blank for Sqlite {
    fn blank(&self) -> Self::QueryBuilder {
        Self::QueryBuilder::default()
    }
}

impl Blank for MultiBackend {
    fn blank(&self) -> Self::QueryBuilder {
        type Text = <MultiBackend as Backend>::QueryBuilder;
        match self {
            Self::Postgres(_) => Text::Postgres(Default::default()),
            Self::Sqlite(_) => Text::Sqlite(Default::default()),
        }
    }
}

impl<Q> QueryId for Kept<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Kept<Q> {
    type SqlType = Q::SqlType;
}

impl<Q, C> RunQueryDsl<C> for Kept<Q> {}

impl<DB: Blank, Q: QueryFragment<DB>> QueryFragment<DB> for Kept<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if pass.bind_collector().is_some() || pass.debug_binds().is_some() {
            return self.0.walk_ast(pass);
        }
        let mut text = pass.backend().blank();
        self.0.to_sql(&mut text, pass.backend())?;
        pass.push_sql(&text.finish());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use diesel::connection::{Connection, InstrumentationEvent, SimpleConnection};
    use diesel::prelude::*;

    use super::*;
    use crate::db::connection::{Conn, DatabaseUrl, Role, open};

    diesel::table! {
        p (id) {
            id -> BigInt,
            n -> BigInt,
        }
    }

    #[test]
    fn a_kept_statement_is_prepared_once_whichever_way_it_is_run() {
        let url = DatabaseUrl::Sqlite(":memory:".into());
        let mut conn = open(&url, Role::Write, 1_000).unwrap();
        conn.batch_execute("CREATE TABLE p (id INTEGER PRIMARY KEY, n INTEGER); INSERT INTO p VALUES (1, 1), (2, 2)")
            .unwrap();
        let kept = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&kept);
        conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        for n in 0..5_i64 {
            // Through the connection to either engine, and through the engine's own.
            let moved = diesel::update(p::table.filter(p::id.eq(1))).set(p::n.eq(n)).kept().execute(&mut conn).unwrap();
            assert_eq!(moved, 1);
            let Conn::Sqlite(c) = &mut conn else { panic!() };
            let text = diesel::sql_query("UPDATE p SET n = ? WHERE id = 2");
            assert_eq!(text.bind::<diesel::sql_types::BigInt, _>(n).kept().execute(c).unwrap(), 1);
        }
        assert_eq!(kept.load(Ordering::Relaxed), 2, "each of the two statements was put into the cache once");
        let rows: Vec<i64> = p::table.select(p::n).load(&mut conn).unwrap();
        assert_eq!(rows, [4, 4]);
    }
}
