//! `Idempotency-Key`: the second try of a request answers what the first one did, and does nothing.
//!
//! The key is claimed in the transaction that has the effect, so there is never one without the other. The claim lies in
//! the key's own bucket whatever the effect is about: a client's key is one key, on every engine and for every kind.

use actix_web::HttpRequest;
use diesel::prelude::*;

use crate::db::Conn;
use crate::db::schema::idempotency as t;
use crate::kernel::ids::{ClientId, ResourceId};
use crate::kernel::{Bucket, Error, Result, Timestamp};
use crate::per_engine;

/// Hours for which a key is kept.
pub const KEPT_HOURS: i64 = 72;

/// A well-formed key: 16–255 of `[A-Za-z0-9_-]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// The request's key, bare or as a structured-field string.
    pub fn from_request(req: &HttpRequest) -> Result<Self> {
        let mut values = req.headers().get_all("Idempotency-Key");
        let value = values.next().ok_or(Error::IdempotencyKeyRequired)?;
        let bad = Error::InvalidHeader("Idempotency-Key");
        if values.next().is_some() {
            return Err(bad);
        }
        let text = value.to_str().map_err(|_| bad.clone())?.trim();
        let bare = text.strip_prefix('"').map_or(Some(text), |t| t.strip_suffix('"')).ok_or(bad.clone())?;
        Self::parse(bare).ok_or(bad)
    }

    /// A key, if it is well-formed.
    pub fn parse(text: &str) -> Option<Self> {
        let shape =
            (16..=255).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
        shape.then(|| Self(text.to_owned()))
    }
}

/// One client's intention to do one thing once.
#[derive(Clone, Debug)]
pub struct Once {
    client: ClientId,
    key: Key,
    fingerprint: String,
}

impl Once {
    /// From the caller, its key, and the fingerprint of route and body.
    pub fn new(client: ClientId, key: Key, fingerprint: String) -> Self {
        Self { client, key, fingerprint }
    }

    /// The bucket of the key. What a create makes without a parent takes it too: one shard holds both.
    pub fn bucket(&self) -> Bucket {
        Bucket::of_text(&["idempotency", &self.client.to_string(), &self.key.0])
    }
}

/// What the key says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// First use: go on.
    New,
    /// The effect is there already.
    Replay {
        /// What the first use made or changed.
        resource: ResourceId,
        /// Its version then.
        version: i64,
    },
}

/// Claims a key for an effect that is about to happen in `tx`.
pub fn claim(tx: &mut Conn, once: &Once, resource: ResourceId, version: i64, now: Timestamp) -> Result<Claim> {
    let bucket = once.bucket();
    let made = per_engine!(tx, c => diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket.number()),
            t::client_id.eq(once.client),
            t::key.eq(&once.key.0),
            t::fingerprint.eq(&once.fingerprint),
            t::resource_id.eq(resource),
            t::version.eq(version),
            t::created_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    if made > 0 {
        return Ok(Claim::New);
    }
    let (fingerprint, resource, version): (String, ResourceId, i64) = t::table
        .filter(t::bucket.eq(bucket.number()))
        .filter(t::client_id.eq(once.client))
        .filter(t::key.eq(&once.key.0))
        .select((t::fingerprint, t::resource_id, t::version))
        .first(tx)
        .optional()?
        .ok_or(Error::IdempotencyInProgress)?;
    if fingerprint != once.fingerprint {
        return Err(Error::IdempotencyKeyReused);
    }
    Ok(Claim::Replay { resource, version })
}

/// Forgets the keys of one bucket that are older than [`KEPT_HOURS`]; answers how many.
pub fn forget(tx: &mut Conn, bucket: Bucket, now: Timestamp) -> Result<usize> {
    let old = now.plus_seconds(-KEPT_HOURS * 3_600);
    Ok(diesel::delete(t::table.filter(t::bucket.eq(bucket.number())).filter(t::created_at.lt(old))).execute(tx)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn keys_are_16_to_255_plain_characters_bare_or_quoted() {
        let read =
            |v: &str| Key::from_request(&TestRequest::default().insert_header(("Idempotency-Key", v)).to_http_request());
        assert_eq!(read("abcdefgh-12345_6"), read("\"abcdefgh-12345_6\""));
        assert!(read("abcdefgh-12345_6").is_ok());
        for bad in ["short", "\"abcdefgh-12345_6", "abcdefgh 12345678", "ábcdefgh12345678", &"x".repeat(256)] {
            assert_eq!(read(bad), Err(Error::InvalidHeader("Idempotency-Key")), "{bad}");
        }
        assert_eq!(Key::from_request(&TestRequest::default().to_http_request()), Err(Error::IdempotencyKeyRequired));
    }
}
