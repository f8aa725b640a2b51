//! How kernel types look in the contract.

use std::borrow::Cow;

use utoipa::__dev::ComposeSchema;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, OneOfBuilder, Schema, SchemaFormat, SchemaType, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::kernel::ids::Kind;
use crate::kernel::{AgencyCode, Day, Field, Id, PartialDate, Timestamp};

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

macro_rules! inline {
    ($ty:ty, $name:literal, $schema:expr $(, $k:ident)?) => {
        impl$(<$k: Kind>)? ComposeSchema for $ty {
            fn compose(_: Vec<RefOr<Schema>>) -> RefOr<Schema> {
                RefOr::T(Schema::Object($schema.build()))
            }
        }
        impl$(<$k: Kind>)? ToSchema for $ty {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

inline!(
    Id<K>,
    "Id",
    string()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)))
        .min_length(Some(36))
        .max_length(Some(36))
        .pattern(Some("^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"))
        .examples([serde_json::json!("0193580e-6d1c-7a40-9c37-4b1f0a6f2d11")]),
    K
);
inline!(
    Timestamp,
    "Timestamp",
    string()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .max_length(Some(40))
        .description(Some("RFC 3339, years 1900–2200; answers are in UTC with three fraction digits"))
        .examples([serde_json::json!("2026-03-14T15:30:00.000Z")])
);
inline!(
    PartialDate,
    "PartialDate",
    string()
        .max_length(Some(10))
        .pattern(Some("^(19|20|21|22)\\d{2}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\\d|3[01]))?)?$"))
        .description(Some("A date known to the year, the month or the day"))
        .examples([serde_json::json!("2026-03")])
);
inline!(
    Day,
    "Day",
    string()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
        .min_length(Some(10))
        .max_length(Some(10))
        .pattern(Some("^(19|20|21|22)\\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$"))
        .description(Some("A day, years 1900–2200"))
        .examples([serde_json::json!("2026-03-14")])
);
inline!(
    AgencyCode,
    "AgencyCode",
    string()
        .min_length(Some(2))
        .max_length(Some(40))
        .pattern(Some("^[A-Z][A-Z0-9-]{1,39}$"))
        .description(Some("Code of an agency"))
        .examples([serde_json::json!("PE-MP-FISTRAP-LIMA")])
);

impl<T: ComposeSchema> ComposeSchema for Field<T> {
    fn compose(of: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
        RefOr::T(Schema::OneOf(OneOfBuilder::new().item(null).item(of.into_iter().next().unwrap_or_else(T::schema)).build()))
    }
}

impl<T: ToSchema + ComposeSchema> ToSchema for Field<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

impl<T: ComposeSchema> ComposeSchema for crate::kernel::pii::Pii<T> {
    fn compose(of: Vec<RefOr<Schema>>) -> RefOr<Schema> {
        of.into_iter().next().unwrap_or_else(T::schema)
    }
}

impl<T: ToSchema + ComposeSchema> ToSchema for crate::kernel::pii::Pii<T> {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}
