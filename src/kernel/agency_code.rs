//! The code that names an agency everywhere: `PE-MP-FISTRAP-LIMA`. Immutable, so it is the agency's id. Pure.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ids::Bucket;

/// 2–40 characters of `A–Z`, `0–9` and `-`, starting with a letter.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct AgencyCode(Arc<str>);

/// The docket lane of oversight clients: every case has a row in it. Lower case, so it can be no agency's code.
pub const OVERSIGHT_LANE: &str = "oversight";

impl AgencyCode {
    /// A code, if it has the right shape.
    pub fn parse(text: &str) -> Option<Self> {
        let shape = (2..=40).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
        shape.then(|| Self(text.into()))
    }

    /// The code as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The bucket of what belongs to the agency (docket, referral box).
    pub fn bucket(&self) -> Bucket {
        lane_bucket(&self.0)
    }
}

/// The bucket of a docket lane: an agency's code or [`OVERSIGHT_LANE`].
pub fn lane_bucket(lane: &str) -> Bucket {
    Bucket::of_text(&["agency", lane])
}

impl fmt::Display for AgencyCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AgencyCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AgencyCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("pattern:agency_code"))
    }
}
