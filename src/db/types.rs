//! Column types that both engines store and neither shares: id, instant, JSON.
//!
//! | type | PostgreSQL | SQLite |
//! |---|---|---|
//! | `IdSql` | `uuid` | 16-byte blob |
//! | `TimeSql` | `timestamptz` | text `2026-11-23T16:42:07.123Z` (fixed width, sorts as time) |
//! | `JsonSql` | `jsonb` | text |

use std::io::Write;

use chrono::DateTime;
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, Queryable};
use diesel::expression::AsExpression;
use diesel::internal::derives::as_expression::Bound;
use diesel::pg::{Pg, PgValue};
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{Binary, HasSqlType, Nullable, SingleValue, SqlType, Text};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::connection::MultiBackend;
use crate::kernel::ids::Kind;
use crate::kernel::{Error, Id, Result, Timestamp};

/// SQL type of an id.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 2950, array_oid = 2951), sqlite_type(name = "Binary"))]
pub struct IdSql;

/// SQL type of an instant.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 1184, array_oid = 1185), sqlite_type(name = "Text"))]
pub struct TimeSql;

/// SQL type of a JSON document.
#[derive(Debug, Clone, Copy, Default, QueryId, SqlType)]
#[diesel(postgres_type(oid = 3802, array_oid = 3807), sqlite_type(name = "Text"))]
pub struct JsonSql;

/// A JSON document on its way to or from a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Json(String);

/// A document that may lie in the database for all to read: codes, dates, numbers and ids. Whoever declares one says
/// that no member of it names a person or tells a story; a document that does is `vault::Guarded` instead.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not declared clear",
    note = "implement `db::Clear` if it holds codes, dates and ids only; else `vault::Guarded`, and seal it"
)]
pub trait Clear: Serialize {}

impl Clear for () {}
impl Clear for String {}
impl<T: Clear> Clear for Vec<T> {}
impl Clear for &str {}
/// Index and token: keyed hashes.
impl Clear for (i16, i64) {}
impl<const N: usize> Clear for [&str; N] where Self: Serialize {}
impl<K: Kind> Clear for Id<K> {}

impl Json {
    /// Writes a clear document as JSON.
    pub fn of<T: Clear + ?Sized>(value: &T) -> Result<Self> {
        Self::text(value)
    }

    /// Writes what the vault has sealed. Only the vault calls this: a test sees to it.
    pub(crate) fn sealed(value: &serde_json::Value) -> Result<Self> {
        Self::text(value)
    }

    fn text<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        serde_json::to_string(value).map(Self).map_err(|e| Error::internal(format!("json column: {:?}", e.classify())))
    }

    /// Reads a value from JSON.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.0)
            .map_err(|e| Error::internal(format!("json column unreadable: {:?} at {}", e.classify(), e.column())))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// A text as a column would hold it, for tests.
    #[cfg(test)]
    pub fn raw(text: String) -> Self {
        Self(text)
    }
}

macro_rules! expressions {
    ($sql:ty, $ty:ty $(, $k:ident)?) => {
        impl$(<$k: Kind>)? AsExpression<$sql> for $ty {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<'e $(, $k: Kind)?> AsExpression<$sql> for &'e $ty {
            type Expression = Bound<$sql, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl$(<$k: Kind>)? AsExpression<Nullable<$sql>> for $ty {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<'e $(, $k: Kind)?> AsExpression<Nullable<$sql>> for &'e $ty {
            type Expression = Bound<Nullable<$sql>, Self>;
            fn as_expression(self) -> Self::Expression { Bound::new(self) }
        }
        impl<DB: Backend $(, $k: Kind)?> ToSql<Nullable<$sql>, DB> for $ty where Self: ToSql<$sql, DB> {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, DB>) -> serialize::Result {
                <Self as ToSql<$sql, DB>>::to_sql(self, out)
            }
        }
        impl<DB: Backend, ST: SingleValue $(, $k: Kind)?> Queryable<ST, DB> for $ty where Self: FromSql<ST, DB> {
            type Row = Self;
            fn build(row: Self::Row) -> deserialize::Result<Self> { Ok(row) }
        }
        impl$(<$k: Kind>)? ToSql<$sql, MultiBackend> for $ty {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
                out.set_value((<$sql>::default(), self));
                Ok(IsNull::No)
            }
        }
        impl$(<$k: Kind>)? FromSql<$sql, MultiBackend> for $ty {
            fn from_sql(bytes: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                bytes.from_sql::<Self, $sql>()
            }
        }
    };
}

macro_rules! multi_types {
    ($($sql:ty),*) => {$(
        impl HasSqlType<$sql> for MultiBackend {
            fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
                Self::lookup_sql_type::<$sql>(lookup)
            }
        }
    )*};
}

multi_types!(IdSql, TimeSql, JsonSql);
expressions!(IdSql, Id<K>, K);
expressions!(TimeSql, Timestamp);
expressions!(JsonSql, Json);

impl<K: Kind> ToSql<IdSql, Pg> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(self.uuid().as_bytes())?;
        Ok(IsNull::No)
    }
}

impl<K: Kind> FromSql<IdSql, Pg> for Id<K> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        Ok(Self::from_uuid(Uuid::from_slice(value.as_bytes())?))
    }
}

impl<K: Kind> ToSql<IdSql, Sqlite> for Id<K> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.uuid().as_bytes().to_vec());
        Ok(IsNull::No)
    }
}

impl<K: Kind> FromSql<IdSql, Sqlite> for Id<K> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Sqlite>>::from_sql(value)?;
        Ok(Self::from_uuid(Uuid::from_slice(&bytes)?))
    }
}

/// Microseconds between the Unix epoch and PostgreSQL's (2000-01-01).
const PG_EPOCH_US: i64 = 946_684_800_000_000;

impl ToSql<TimeSql, Pg> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&(self.utc().timestamp_micros() - PG_EPOCH_US).to_be_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<TimeSql, Pg> for Timestamp {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let micros = i64::from_be_bytes(value.as_bytes().try_into()?);
        DateTime::from_timestamp_micros(micros.saturating_add(PG_EPOCH_US))
            .map(Self::truncated)
            .ok_or_else(|| "instant out of range".into())
    }
}

impl ToSql<TimeSql, Sqlite> for Timestamp {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.to_string());
        Ok(IsNull::No)
    }
}

impl FromSql<TimeSql, Sqlite> for Timestamp {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Self::parse(&text).ok_or_else(|| "instant unreadable".into())
    }
}

impl ToSql<JsonSql, Pg> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        // jsonb's binary form: a version byte, then the text.
        out.write_all(&[1])?;
        out.write_all(self.0.as_bytes())?;
        Ok(IsNull::No)
    }
}

impl FromSql<JsonSql, Pg> for Json {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let bytes = value.as_bytes();
        let text = bytes.strip_prefix(&[1]).ok_or("unknown jsonb version")?;
        Ok(Self(std::str::from_utf8(text)?.to_owned()))
    }
}

impl ToSql<JsonSql, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.0.as_str());
        Ok(IsNull::No)
    }
}

impl FromSql<JsonSql, Sqlite> for Json {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Sqlite>>::from_sql(value).map(Self)
    }
}
