//! Typed identifiers and the bucket that every row is keyed by.
//!
//! Owns: how an id is made and what its bits mean. Must not know: tables, HTTP.
//!
//! An id is a UUID whose 12 bits after the version nibble are its **bucket** (0..=4095): what belongs to a
//! case carries the case's bucket, a person has its own. From an id alone the store knows which shard holds it.
//! Registry objects use UUIDv7 (RFC 9562 §5.7, `rand_a` is ours to choose); persons use UUIDv4, because a
//! version 7 id would tell the millisecond at which a victim was registered.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering as Atomic};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Builder, Uuid};

use super::time::Timestamp;

/// Number of buckets: 12 bits.
pub const BUCKETS: i16 = 4096;

/// A shard key, 0..=4095.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(i16);

impl Bucket {
    /// The bucket that an id carries in its bits.
    pub fn of(id: Uuid) -> Self {
        let [_, _, _, _, _, _, high, low, ..] = *id.as_bytes();
        Self((i16::from(high & 0x0f) << 8) | i16::from(low))
    }

    /// The bucket of a text key (claims, agency codes, idempotency keys): FNV-1a folded to 12 bits.
    /// Stable for ever: stored rows are keyed by it.
    pub fn of_text(parts: &[&str]) -> Self {
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for part in parts {
            for byte in part.as_bytes().iter().chain(std::iter::once(&0x1f)) {
                hash ^= u64::from(*byte);
                hash = hash.wrapping_mul(0x0100_0000_01b3);
            }
        }
        let folded = (hash ^ (hash >> 32) ^ (hash >> 48)) & 0x0fff;
        Self(i16::try_from(folded).unwrap_or(0))
    }

    /// A uniformly random bucket, for root objects.
    pub fn random() -> Self {
        Self::of(Uuid::new_v4())
    }

    /// A bucket from its number, if it is one.
    pub fn new(number: i16) -> Option<Self> {
        (0..BUCKETS).contains(&number).then_some(Self(number))
    }

    /// The number as stored.
    pub fn number(self) -> i16 {
        self.0
    }
}

/// What an id names. `PERSON` ids are version 4, all others version 7.
pub trait Kind: 'static {
    /// Resource type as it appears in the ledger and in events.
    const NAME: &'static str;
    /// True for victims and accused.
    const PERSON: bool = false;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $alias:ident, $name:literal $(, $person:literal)?;)*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub enum $kind {}
        impl Kind for $kind {
            const NAME: &'static str = $name;
            $(const PERSON: bool = $person;)?
        }
        $(#[$doc])*
        pub type $alias = Id<$kind>;
    )*};
}

kinds! {
    /// A case file.
    Case, CaseId, "case";
    /// A victim, pseudonymous.
    Victim, VictimId, "victim", true;
    /// A suspect or defendant, pseudonymous.
    Accused, AccusedId, "accused", true;
    /// One accused × one offence.
    Charge, ChargeId, "charge";
    /// A communication or request from one authority to another.
    Referral, ReferralId, "referral";
    /// The registry's signature under what was sent or received.
    Receipt, ReceiptId, "receipt";
    /// An agency's share in a case.
    Participant, ParticipantId, "participant";
    /// A coercive or protective measure.
    Measure, MeasureId, "measure";
    /// A hearing of a court.
    Hearing, HearingId, "hearing";
    /// A decision of a court or of the prosecution.
    Decision, DecisionId, "decision";
    /// A note on a case.
    Note, NoteId, "note";
    /// What a victim, or whoever speaks for one, agreed to.
    Consent, ConsentId, "consent";
    /// Help that a victim needs and gets.
    Assistance, AssistanceId, "assistance";
    /// What a victim goes through, from the first signs to the end of her or his care.
    CareProcess, CareProcessId, "care_process";
    /// A victim and relatives who are brought together.
    Reunification, ReunificationId, "reunification";
    /// A relative who joins a victim. Version 7 like other records: it is known only within its reunification.
    Beneficiary, BeneficiaryId, "beneficiary";
    /// A campaign of prevention.
    Campaign, CampaignId, "campaign";
    /// A training of professionals.
    Training, TrainingId, "training";
    /// Money that a donor gives.
    Funding, FundingId, "funding";
    /// What another agency says is wrong in a record.
    Correction, CorrectionId, "correction";
    /// Several writes that were done together.
    Batch, BatchId, "batch";
    /// A look at a case in an emergency.
    BreakGlass, BreakGlassId, "break_glass";
    /// A release of figures.
    Release, ReleaseId, "statistics_release";
    /// A release that somebody proposes.
    ReleaseProposal, ReleaseProposalId, "statistics_proposal";
    /// What must not be lost.
    LegalHold, LegalHoldId, "legal_hold";
    /// A request that a person be forgotten.
    Erasure, ErasureId, "erasure";
    /// A time that the retention schedule was carried out.
    RetentionRun, RetentionRunId, "retention_run";
    /// What fell due by the retention schedule, and what became of it.
    RetentionReview, RetentionReviewId, "retention_review";
    /// A subscription to the feed.
    Webhook, WebhookId, "webhook";
    /// One attempt to deliver an event.
    Delivery, DeliveryId, "webhook_delivery";
    /// Work behind a request: an import, an export.
    Job, JobId, "job";
    /// A procedural act that moved a stage or a state.
    TransitionRecord, TransitionId, "transition";
    /// A partner system.
    Client, ClientId, "client";
    /// An alert on looking.
    Alert, AlertId, "audit_alert";
    /// An access token.
    Token, TokenId, "token";
    /// One entry of the ledger.
    Entry, EntryId, "ledger_entry";
    /// Any resource, where the type stands beside the id (ledger, claims).
    Resource, ResourceId, "resource";
}

/// An identifier that says at compile time what it names.
pub struct Id<K: Kind>(Uuid, PhantomData<fn() -> K>);

/// The last (millisecond << 14 | counter) handed out: ids of one process are strictly ordered.
static LAST: AtomicU64 = AtomicU64::new(0);
/// One hour, in the unit of [`LAST`].
const LOADED: u64 = 3_600_000 << 14;

impl<K: Kind> Id<K> {
    /// A new id in `bucket` at `now`. Persons get a version 4 id and a bucket of their own instead.
    pub fn generate(now: Timestamp, bucket: Bucket) -> Self {
        if K::PERSON {
            return Self(Uuid::new_v4(), PhantomData);
        }
        let floor = now.unix_millis() << 14;
        let mut next = floor;
        // The closure always answers Some, so the update cannot fail.
        let _ = LAST.fetch_update(Atomic::Relaxed, Atomic::Relaxed, |last| {
            // An instant long gone is a record being loaded, not a clock that stepped back: it is taken as given.
            let loaded = floor.saturating_add(LOADED) < last;
            next = if loaded { floor | (last & 0x3fff) } else { floor.max(last + 1) };
            Some(next.max(last))
        });
        Self::assemble(next, bucket, *Uuid::new_v4().as_bytes())
    }

    /// An id whose randomness the caller brings: for data that must come out the same from the same seed.
    pub fn seeded(now: Timestamp, bucket: Bucket, random: [u8; 16]) -> Self {
        if K::PERSON {
            return Self(Builder::from_random_bytes(random).into_uuid(), PhantomData);
        }
        let [.., a, b] = random;
        Self::assemble((now.unix_millis() << 14) | u64::from(u16::from_be_bytes([a, b]) & 0x3fff), bucket, random)
    }

    /// Version 7: milliseconds, bucket, counter, randomness. `next` is milliseconds and counter.
    fn assemble(next: u64, bucket: Bucket, random: [u8; 16]) -> Self {
        let [r0, r1, r2, r3, r4, r5, _, _, _, _, r6, r7, ..] = random;
        let [.., bucket_high, bucket_low] = bucket.0.to_be_bytes();
        let counter = next & 0x3fff;
        let counter_high = u8::try_from(counter >> 8).unwrap_or(0);
        let counter_low = u8::try_from(counter & 0xff).unwrap_or(0);
        let rand = [bucket_high, bucket_low, counter_high, counter_low, r0 ^ r6, r1 ^ r7, r2, r3, r4, r5];
        Self(Builder::from_unix_timestamp_millis(next >> 14, &rand).into_uuid(), PhantomData)
    }

    /// Wraps a stored id.
    pub fn from_uuid(id: Uuid) -> Self {
        Self(id, PhantomData)
    }

    /// The bare id, for the store and for generic code (ledger).
    pub fn uuid(self) -> Uuid {
        self.0
    }

    /// The same id where the type stands beside it (ledger, claims, idempotency).
    pub fn erase(self) -> ResourceId {
        Id(self.0, PhantomData)
    }

    /// The key of the row that this id names: bucket number and id.
    pub fn key(self) -> (i16, Self) {
        (self.bucket().number(), self)
    }

    /// The bucket of the row that this id names.
    pub fn bucket(self) -> Bucket {
        Bucket::of(self.0)
    }
}

impl<K: Kind> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<K: Kind> Copy for Id<K> {}
impl<K: Kind> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<K: Kind> Eq for Id<K> {}
impl<K: Kind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Kind> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}
impl<K: Kind> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.as_hyphenated(), f)
    }
}
impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", K::NAME, self.0.as_hyphenated())
    }
}
impl<K: Kind> FromStr for Id<K> {
    type Err = ();
    /// Only the canonical form: 36 characters, lower case.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 36 || text.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(());
        }
        Uuid::try_parse(text).map(Self::from_uuid).map_err(|_| ())
    }
}
impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|()| serde::de::Error::custom("format:uuid"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_fill_every_bucket_evenly_and_children_share_their_parents() {
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let mut counts = vec![0_u32; 4096];
        for _ in 0..400_000 {
            let parent = CaseId::generate(now, Bucket::random());
            counts[usize::try_from(parent.bucket().number()).unwrap()] += 1;
        }
        let max = *counts.iter().max().unwrap();
        assert!(counts.iter().all(|n| *n > 0));
        assert!(f64::from(max) / (400_000.0 / 4096.0) < 1.7, "{max}");
        let parent = CaseId::generate(now, Bucket::random());
        assert_eq!(ChargeId::generate(now, parent.bucket()).bucket(), parent.bucket());
    }

    #[test]
    fn ids_of_one_process_are_strictly_ordered_within_a_bucket_even_in_one_millisecond() {
        // The clock: an instant long gone would be taken for a record being loaded.
        let now = Timestamp::now();
        let bucket = Bucket::new(77).unwrap();
        let ids: Vec<CaseId> = (0..5_000).map(|_| CaseId::generate(now, bucket)).collect();
        assert!(ids.windows(2).all(|w| w[0] < w[1]));
        assert!(ids.iter().all(|id| id.bucket() == bucket && id.uuid().get_version_num() == 7));
    }

    #[test]
    fn persons_have_version_4_ids_that_tell_no_time() {
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let id = VictimId::generate(now, Bucket::new(5).unwrap());
        assert_eq!(id.uuid().get_version_num(), 4);
    }

    #[test]
    fn only_the_canonical_form_parses() {
        let id = CaseId::generate(Timestamp::from_unix_millis(1).unwrap(), Bucket::random());
        assert_eq!(id.to_string().parse(), Ok(id));
        assert!(id.to_string().to_uppercase().parse::<CaseId>().is_err());
        assert!(id.uuid().simple().to_string().parse::<CaseId>().is_err());
    }
}
