//! Page cursors: sealed, so that a client can neither read nor forge what they say, and bound to client and filters.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::query::Params;
use crate::kernel::ids::ClientId;
use crate::kernel::page::After;
use crate::kernel::{Error, Result, Timestamp};

/// Life of a cursor, seconds.
const LIFE_S: i64 = 86_400;

/// Seals and opens cursors.
pub struct Cursors {
    key: LessSafeKey,
}

/// Life of a place in the feed, seconds: longer than events are kept anywhere, so that retention alone decides.
const PLACE_LIFE_S: i64 = 20 * 366 * LIFE_S;

#[derive(Serialize, Deserialize)]
struct Sealed<T> {
    a: T,
    e: i64,
}

impl Cursors {
    /// From 32 secret bytes.
    pub fn new(secret: &[u8; 32]) -> Result<Self, String> {
        let key = UnboundKey::new(&AES_256_GCM, secret).map_err(|_| "the cursor key is not usable".to_owned())?;
        Ok(Self { key: LessSafeKey::new(key) })
    }

    /// Where the page that the request asks for starts.
    pub fn after(&self, params: &Params, client: ClientId) -> Result<Option<After>> {
        params.text("cursor").map(|text| self.open(text, &bound(params, client), Timestamp::now())).transpose()
    }

    /// The cursor of the next page.
    pub fn next(&self, params: &Params, client: ClientId, next: Option<&After>) -> Result<Option<String>> {
        next.map(|after| self.seal(after, &bound(params, client), now_and(LIFE_S))).transpose()
    }

    /// A place in the feed: for this client, with whatever filters, for as long as events are kept.
    pub fn place<T: DeserializeOwned>(&self, cursor: &str, client: ClientId) -> Result<T> {
        self.open(cursor, &place_of(client), Timestamp::now())
    }

    /// The cursor of a place in the feed.
    pub fn seal_place<T: Serialize>(&self, place: &T, client: ClientId, now: Timestamp) -> Result<String> {
        self.seal(place, &place_of(client), now.plus_seconds(PLACE_LIFE_S))
    }

    fn seal<T: Serialize>(&self, after: &T, bound: &str, until: Timestamp) -> Result<String> {
        let sealed = Sealed { a: after, e: until.unix_seconds() };
        let mut text = serde_json::to_vec(&sealed).map_err(|_| Error::internal("cursor"))?;
        let mut nonce = [0_u8; NONCE_LEN];
        aws_lc_rs::rand::fill(&mut nonce).map_err(|_| Error::internal("no randomness"))?;
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(bound.as_bytes()), &mut text)
            .map_err(|_| Error::internal("cursor not sealed"))?;
        Ok(URL_SAFE_NO_PAD.encode([nonce.as_slice(), &text].concat()))
    }

    fn open<T: DeserializeOwned>(&self, text: &str, bound: &str, now: Timestamp) -> Result<T> {
        let open = || -> Option<Sealed<T>> {
            if text.len() > 1_024 {
                return None;
            }
            let mut bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            if bytes.len() <= NONCE_LEN {
                return None;
            }
            let mut sealed = bytes.split_off(NONCE_LEN);
            let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
            let plain = self.key.open_in_place(nonce, Aad::from(bound.as_bytes()), &mut sealed).ok()?;
            serde_json::from_slice(plain).ok()
        };
        match open() {
            Some(sealed) if sealed.e > now.unix_seconds() => Ok(sealed.a),
            _ => Err(Error::InvalidCursor),
        }
    }
}

fn now_and(seconds: i64) -> Timestamp {
    Timestamp::now().plus_seconds(seconds)
}

/// What a place in the feed is good for: this client.
fn place_of(client: ClientId) -> String {
    format!("events/v1|{client}")
}

/// What a cursor is good for: this client, these filters.
fn bound(params: &Params, client: ClientId) -> String {
    format!("v1|{client}|{}", params.filters())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_cursor_opens_for_the_same_client_and_filters_within_a_day_only() {
        let cursors = Cursors::new(&[7; 32]).unwrap();
        let open = |text: &str, bound: &str, now| cursors.open::<After>(text, bound, now);
        let after = After { key: "2026".into(), id: uuid::Uuid::new_v4() };
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let text = cursors.seal(&after, "v1|c|stage=a", now.plus_seconds(LIFE_S)).unwrap();
        assert!(text.len() <= 512);
        assert_eq!(open(&text, "v1|c|stage=a", now), Ok(after));
        assert_eq!(open(&text, "v1|d|stage=a", now), Err(Error::InvalidCursor));
        assert_eq!(open(&text, "v1|c|stage=b", now), Err(Error::InvalidCursor));
        assert_eq!(open(&text, "v1|c|stage=a", now.plus_seconds(LIFE_S)), Err(Error::InvalidCursor));
        assert_eq!(Cursors::new(&[8; 32]).unwrap().open::<After>(&text, "v1|c|stage=a", now), Err(Error::InvalidCursor));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_opens(text in "\\PC{0,200}") {
            let cursors = Cursors::new(&[7; 32]).unwrap();
            prop_assert!(cursors.open::<After>(&text, "v1", Timestamp::now()).is_err());
        }
    }
}
