//! Rows of one table, written together: one statement of one text on PostgreSQL, however many; one prepared statement
//! for each row on SQLite, where that costs no round trip.

/// The statement of PostgreSQL: an array per column.
pub fn postgres(table: &str, columns: &[(&str, &str)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let arrays: Vec<String> = columns
        .iter()
        .zip(1..)
        .map(|((_, kind), n)| format!("${n}::{}[]", kind.strip_suffix("_or_null").unwrap_or(kind)))
        .collect();
    format!("INSERT INTO {table} ({}) SELECT * FROM unnest({})", names.join(", "), arrays.join(", "))
}

/// The statement of SQLite.
pub fn sqlite(table: &str, columns: &[(&str, &str)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let marks = vec!["?"; columns.len()];
    format!("INSERT INTO {table} ({}) VALUES ({})", names.join(", "), marks.join(", "))
}

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
        use $crate::db::Keep as _;
        const COLUMNS: &[(&str, &str)] = &[$(($column, stringify!($kind))),*];
        let rows = $rows;
        #[allow(unused_variables, reason = "each column takes what it needs of a row")]
        match $tx {
            _ if rows.is_empty() => {}
            $crate::db::Conn::Postgres(c) => {
                diesel::sql_query($crate::db::bulk::postgres($table, COLUMNS))
                    $(.bind::<diesel::sql_types::Array<$crate::sql_type!($kind)>, _>(
                        rows.iter().map(|$row| $value).collect::<Vec<_>>(),
                    ))*
                    .kept()
                    .execute(c)?;
            }
            $crate::db::Conn::Sqlite(c) => {
                let sql = $crate::db::bulk::sqlite($table, COLUMNS);
                for $row in rows.iter() {
                    diesel::sql_query(sql.as_str())
                        $(.bind::<$crate::sql_type!($kind), _>($value))*
                        .kept()
                        .execute(c)?;
                }
            }
        }
    }};
}
