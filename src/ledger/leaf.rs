//! What of an entry is hashed: one line of canonical JSON (RFC 8785) with every column of its row. Pure.
//!
//! The members are those of the table `ledger_entry`, sorted, none left out, and `v`, the version of this encoding:
//!
//! ```json
//! {"action":"created","agency_code":"PE-MP","at":"2026-11-24T15:00:00.123Z","bucket":7,"client_id":null,"id":"…","payload":null,"purpose":null,"request_id":"…","resource_id":"…","resource_type":"case","user_ref":null,"v":1,"version":1}
//! ```
//!
//! PostgreSQL's `jsonb` does not keep the text of a payload, only what it says; so the payload is hashed in canonical
//! form too, and both engines agree. It is what is *stored*: a sealed payload is hashed sealed, and stays provable after
//! its key is destroyed. What cannot be put into that form (no JSON, a fraction, a name twice) is hashed as the text that
//! it is, under `payload_text`: nothing that lies in the table can stop the sealer.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::merkle::{Hash, leaf_hash};
use crate::db::Json;
use crate::kernel::ids::{ClientId, EntryId, ResourceId};
use crate::kernel::{Error, Result, Timestamp};

/// Version of the encoding.
const VERSION: u8 = 1;

/// One row of the ledger, every column of it.
#[derive(Clone, Debug)]
pub struct Record {
    /// Shard key.
    pub bucket: i16,
    /// The entry.
    pub id: EntryId,
    /// When.
    pub at: Timestamp,
    /// The partner system.
    pub client_id: Option<ClientId>,
    /// The agency it acted for.
    pub agency_code: Option<String>,
    /// The person at its desk.
    pub user_ref: Option<String>,
    /// Why.
    pub purpose: Option<String>,
    /// The request.
    pub request_id: ResourceId,
    /// Verb.
    pub action: String,
    /// Type of the resource.
    pub resource_type: String,
    /// The resource.
    pub resource_id: ResourceId,
    /// Its version.
    pub version: Option<i64>,
    /// What is stored of the payload.
    pub payload: Option<Json>,
}

/// The members in the order in which RFC 8785 sorts them.
#[derive(Serialize)]
struct Line<'r> {
    action: &'r str,
    agency_code: Option<&'r str>,
    at: Timestamp,
    bucket: i16,
    client_id: Option<ClientId>,
    id: EntryId,
    payload: Option<&'r Canonical>,
    #[serde(skip_serializing_if = "Option::is_none")]
    payload_text: Option<&'r str>,
    purpose: Option<&'r str>,
    request_id: ResourceId,
    resource_id: ResourceId,
    resource_type: &'r str,
    user_ref: Option<&'r str>,
    v: u8,
    version: Option<i64>,
}

impl Record {
    /// The bytes that are hashed: one line, without its end.
    pub fn leaf(&self) -> Result<Vec<u8>> {
        let Self {
            bucket,
            id,
            at,
            client_id,
            agency_code,
            user_ref,
            purpose,
            request_id,
            action,
            resource_type,
            resource_id,
            version,
            payload,
        } = self;
        let stored = payload.as_ref().map(Json::as_str);
        let canonical = stored.map(serde_json::from_str::<Canonical>);
        let (payload, payload_text) = match &canonical {
            None => (None, None),
            // `null` in the column is not the same as nothing in it.
            Some(Ok(Canonical::Null)) => (None, Some("null")),
            Some(Ok(value)) => (Some(value), None),
            Some(Err(_)) => (None, stored),
        };
        let line = Line {
            action,
            agency_code: agency_code.as_deref(),
            at: *at,
            bucket: *bucket,
            client_id: *client_id,
            id: *id,
            payload,
            payload_text,
            purpose: purpose.as_deref(),
            request_id: *request_id,
            resource_id: *resource_id,
            resource_type,
            user_ref: user_ref.as_deref(),
            v: VERSION,
            version: *version,
        };
        serde_json::to_vec(&line).map_err(|_| Error::internal("a leaf that cannot be written"))
    }

    /// The hash of the entry's leaf.
    pub fn hash(&self) -> Result<Hash> {
        Ok(leaf_hash(&self.leaf()?))
    }
}

/// A JSON value of which there is one text only: whole numbers, no name twice.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
enum Canonical {
    Null,
    Bool(bool),
    Whole(i64),
    Text(String),
    List(Vec<Self>),
    Object(BTreeMap<String, Self>),
}

impl<'de> Deserialize<'de> for Canonical {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Canonical;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value with whole numbers and no name twice")
    }

    fn visit_unit<E>(self) -> Result<Canonical, E> {
        Ok(Canonical::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Canonical, E> {
        Ok(Canonical::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Canonical, E> {
        Ok(Canonical::Whole(value))
    }

    fn visit_u64<E: serde::de::Error>(self, value: u64) -> Result<Canonical, E> {
        i64::try_from(value).map(Canonical::Whole).map_err(|_| E::custom("too large"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Canonical, E> {
        Ok(Canonical::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Canonical, E> {
        Ok(Canonical::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Canonical, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Canonical::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Canonical, A::Error> {
        let mut object = BTreeMap::new();
        while let Some((name, value)) = members.next_entry::<String, Canonical>()? {
            if object.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("a name twice"));
            }
        }
        Ok(Canonical::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(payload: Option<&str>) -> Record {
        Record {
            bucket: 7,
            id: "01a20da0-6e26-7007-8000-40c670de0f0b".parse().unwrap(),
            at: Timestamp::parse("2026-11-24T15:00:00.123Z").unwrap(),
            client_id: None,
            agency_code: Some("PE-MP".into()),
            user_ref: Some("ñ\"\\\n\u{1}".into()),
            purpose: Some("audit".into()),
            request_id: "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11".parse().unwrap(),
            action: "created".into(),
            resource_type: "case".into(),
            resource_id: "01a20da0-6e26-7007-8000-40c670de0f0c".parse().unwrap(),
            version: Some(1),
            payload: payload.map(|p| Json::raw(p.to_owned())),
        }
    }

    #[test]
    fn a_leaf_is_one_line_of_canonical_json_with_every_column() {
        let leaf =
            String::from_utf8(record(Some(r#"{ "to":"b", "changed":["/x", null, true, -3],"from":"a"}"#)).leaf().unwrap());
        assert_eq!(
            leaf.unwrap(),
            r#"{"action":"created","agency_code":"PE-MP","at":"2026-11-24T15:00:00.123Z","bucket":7,"client_id":null,"id":"01a20da0-6e26-7007-8000-40c670de0f0b","payload":{"changed":["/x",null,true,-3],"from":"a","to":"b"},"purpose":"audit","request_id":"0193580e-6d1c-7a40-9c37-4b1f0a6f2d11","resource_id":"01a20da0-6e26-7007-8000-40c670de0f0c","resource_type":"case","user_ref":"ñ\"\\\n\u0001","v":1,"version":1}"#
        );
    }

    #[test]
    fn the_engines_writings_of_one_payload_are_one_leaf_and_any_other_payload_is_another() {
        let hash = |payload: Option<&str>| record(payload).hash().unwrap();
        // SQLite keeps the text as it came; jsonb prints it in its own order, with spaces.
        assert_eq!(hash(Some(r#"{"trigger":"a","to":"b"}"#)), hash(Some(r#"{"to": "b", "trigger": "a"}"#)));
        let different = [
            None,
            Some("{}"),
            Some("null"),
            Some(r#"{"to":"b"}"#),
            Some(r#"{"to":"b","to":"b"}"#),
            Some(r#"{"to":1}"#),
            Some(r#"{"to":1.0}"#),
            Some("no json"),
            Some("\"no json\""),
        ];
        let hashes: std::collections::BTreeSet<Hash> = different.iter().map(|p| hash(*p)).collect();
        assert_eq!(hashes.len(), different.len());
    }

    #[test]
    fn every_column_counts() {
        let whole = record(Some("{}"));
        let changed: [fn(&mut Record); 13] = [
            |r| r.bucket = 8,
            |r| r.id = EntryId::from_uuid(uuid::Uuid::nil()),
            |r| r.at = r.at.plus_seconds(1),
            |r| r.client_id = Some(ClientId::from_uuid(uuid::Uuid::nil())),
            |r| r.agency_code = None,
            |r| r.user_ref = Some(String::new()),
            |r| r.purpose = Some("oversight".into()),
            |r| r.request_id = ResourceId::from_uuid(uuid::Uuid::nil()),
            |r| r.action = "read".into(),
            |r| r.resource_type = "victim".into(),
            |r| r.resource_id = ResourceId::from_uuid(uuid::Uuid::nil()),
            |r| r.version = None,
            |r| r.payload = None,
        ];
        let mut hashes = std::collections::BTreeSet::from([whole.hash().unwrap()]);
        for change in changed {
            let mut other = whole.clone();
            change(&mut other);
            assert!(hashes.insert(other.hash().unwrap()));
        }
    }
}
