//! Rows of one table, written together: one statement of one text on PostgreSQL, however many; one prepared statement
//! for each row on SQLite, where that costs no round trip.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::HasSqlType;
use diesel::sqlite::Sqlite;

/// Names of columns and their types on PostgreSQL.
pub type Columns = &'static [(&'static str, &'static str)];

/// An insert of one text. `M` names the place in the program where it stands, and is the key under which it stays
/// prepared: no text is made to look it up.
#[derive(Debug)]
pub struct Insert<M, B> {
    table: &'static str,
    columns: Columns,
    binds: B,
    place: PhantomData<M>,
}

impl<M> Insert<M, ()> {
    /// An insert of these columns, without values yet. The same place must always name the same table and columns.
    pub fn new(table: &'static str, columns: Columns) -> Self {
        Self { table, columns, binds: (), place: PhantomData }
    }
}

/// The values before, and one more.
#[derive(Debug)]
pub struct And<B, ST, T>(B, T, PhantomData<ST>);

impl<M, B> Insert<M, B> {
    /// The value of the next column; on PostgreSQL the array of its values.
    pub fn and<ST, T>(self, value: T) -> Insert<M, And<B, ST, T>> {
        let Self { table, columns, binds, place } = self;
        Insert { table, columns, binds: And(binds, value, PhantomData), place }
    }
}

/// Values in the order of the columns.
pub trait Binds<DB: Backend> {
    /// Binds them; behind each comes what `behind` says of the column with its number.
    fn bind<'b>(&'b self, pass: &mut AstPass<'_, 'b, DB>, behind: &dyn Fn(usize) -> String) -> QueryResult<usize>;
}

impl<DB: Backend> Binds<DB> for () {
    fn bind<'b>(&'b self, _: &mut AstPass<'_, 'b, DB>, _: &dyn Fn(usize) -> String) -> QueryResult<usize> {
        Ok(0)
    }
}

impl<DB: Backend + HasSqlType<ST>, B: Binds<DB>, ST, T: ToSql<ST, DB>> Binds<DB> for And<B, ST, T> {
    fn bind<'b>(&'b self, pass: &mut AstPass<'_, 'b, DB>, behind: &dyn Fn(usize) -> String) -> QueryResult<usize> {
        let number = self.0.bind(pass, behind)?;
        if number > 0 {
            pass.push_sql(", ");
        }
        pass.push_bind_param::<ST, T>(&self.1)?;
        let more = behind(number);
        if !more.is_empty() {
            pass.push_sql(&more);
        }
        Ok(number + 1)
    }
}

impl<M, B> Insert<M, B> {
    fn head<DB: Backend>(&self, pass: &mut AstPass<'_, '_, DB>) {
        pass.push_sql("INSERT INTO ");
        pass.push_sql(self.table);
        for (index, (name, _)) in self.columns.iter().enumerate() {
            pass.push_sql(if index == 0 { " (" } else { ", " });
            pass.push_sql(name);
        }
        pass.push_sql(")");
    }
}

impl<M, B: Binds<Sqlite>> QueryFragment<Sqlite> for Insert<M, B> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        self.head(&mut pass);
        pass.push_sql(" VALUES (");
        self.binds.bind(&mut pass, &|_| String::new())?;
        pass.push_sql(")");
        Ok(())
    }
}

impl<M, B: Binds<Pg>> QueryFragment<Pg> for Insert<M, B> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.head(&mut pass);
        pass.push_sql(" SELECT * FROM unnest(");
        let array = |number: usize| {
            let kind = self.columns.get(number).map(|(_, kind)| *kind).unwrap_or_default();
            format!("::{}[]", kind.strip_suffix("_or_null").unwrap_or(kind))
        };
        self.binds.bind(&mut pass, &array)?;
        pass.push_sql(")");
        Ok(())
    }
}

impl<M: 'static, B> QueryId for Insert<M, B> {
    type QueryId = M;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<M, B, C> RunQueryDsl<C> for Insert<M, B> {}

/// The type of a column, by PostgreSQL's name of it.
#[macro_export]
macro_rules! sql_type {
    (smallint) => { diesel::sql_types::SmallInt };
    (bigint) => { diesel::sql_types::BigInt };
    (boolean) => { diesel::sql_types::Bool };
    (text) => { diesel::sql_types::Text };
    (text_or_null) => { diesel::sql_types::Nullable<diesel::sql_types::Text> };
    (uuid) => { $crate::db::types::IdSql };
    (timestamptz) => { $crate::db::types::TimeSql };
    (jsonb) => { $crate::db::types::JsonSql };
    (jsonb_or_null) => { diesel::sql_types::Nullable<$crate::db::types::JsonSql> };
}

/// Inserts rows that cannot be there yet: `insert_many!(tx, "table", rows, row => { "column" type = value, … })`.
#[macro_export]
macro_rules! insert_many {
    ($tx:expr, $table:literal, $rows:expr, $row:pat => { $($column:literal $kind:ident = $value:expr),* $(,)? }) => {{
        use diesel::RunQueryDsl as _;
        use $crate::db::bulk::Insert;
        const COLUMNS: $crate::db::bulk::Columns = &[$(($column, stringify!($kind))),*];
        struct Here;
        let rows = $rows;
        #[allow(unused_variables, reason = "each column takes what it needs of a row")]
        match $tx {
            _ if rows.is_empty() => {}
            $crate::db::Conn::Postgres(c) => {
                Insert::<Here, _>::new($table, COLUMNS)
                    $(.and::<diesel::sql_types::Array<$crate::sql_type!($kind)>, _>(
                        rows.iter().map(|$row| $value).collect::<Vec<_>>(),
                    ))*
                    .execute(c)?;
            }
            $crate::db::Conn::Sqlite(c) => {
                for $row in rows.iter() {
                    Insert::<Here, _>::new($table, COLUMNS)
                        $(.and::<$crate::sql_type!($kind), _>($value))*
                        .execute(c)?;
                }
            }
        }
    }};
}
