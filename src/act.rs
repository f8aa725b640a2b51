//! Who acts, on whose rows, when, and under which law: what every action needs and a retried transaction keeps.

use std::sync::{Arc, Mutex};

use chrono::Datelike;
use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};
use uuid::Uuid;

use crate::auth::Scope;
use crate::catalogue::Catalogue;
use crate::kernel::ids::Kind;
use crate::kernel::{AgencyCode, Bucket, Id, Timestamp, code};
use crate::ledger::Actor;
use crate::persons::IndexKey;

/// The circumstances of one action.
#[derive(Clone)]
pub struct Act {
    /// Who, for the ledger.
    pub actor: Actor,
    /// Whose rows.
    pub scope: Scope,
    /// When: taken once, so that a transaction that runs again writes the same instant.
    pub now: Timestamp,
    /// The law.
    pub catalogue: Arc<Catalogue>,
    /// The key of the index of persons.
    pub index: Arc<IndexKey>,
    /// Where new ids and references get their randomness.
    pub chance: Chance,
}

/// A source of randomness.
#[derive(Clone)]
pub enum Chance {
    /// The operating system's. The only one for real records.
    System,
    /// A seed's: synthetic records that come out the same every time.
    Seeded(Arc<Mutex<Xoshiro256PlusPlus>>),
}

impl Chance {
    /// A source that depends on a seed and on which of its streams is asked for.
    pub fn seeded(seed: u64, stream: u64) -> Self {
        let mixed = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ stream.wrapping_mul(0xd1b5_4a32_d192_ed03);
        Self::Seeded(Arc::new(Mutex::new(Xoshiro256PlusPlus::seed_from_u64(mixed))))
    }

    fn bytes(&self) -> [u8; 16] {
        match self {
            Self::System => *Uuid::new_v4().as_bytes(),
            Self::Seeded(source) => {
                let mut bytes = [0; 16];
                source.lock().unwrap_or_else(std::sync::PoisonError::into_inner).fill_bytes(&mut bytes);
                bytes
            }
        }
    }
}

impl Act {
    /// The agency that acts.
    pub fn agency(&self) -> &AgencyCode {
        self.scope.agency()
    }

    /// A new id in a bucket.
    pub fn id<K: Kind>(&self, bucket: Bucket) -> Id<K> {
        match self.chance {
            Chance::System => Id::generate(self.now, bucket),
            Chance::Seeded(_) => Id::seeded(self.now, bucket, self.chance.bytes()),
        }
    }

    /// A new id of a person. Its bucket comes from the id itself and tells nothing of the case.
    pub fn person_id<K: Kind>(&self) -> Id<K> {
        match self.chance {
            Chance::System => Id::generate(self.now, Bucket::random()),
            Chance::Seeded(_) => {
                let bytes = self.chance.bytes();
                Id::seeded(self.now, Bucket::of(Uuid::from_bytes(bytes)), bytes)
            }
        }
    }

    /// A new reference with the year.
    pub fn reference(&self, prefix: &str) -> String {
        code::reference(prefix, self.now.date().year(), self.chance.bytes())
    }

    /// A new reference of a person.
    pub fn person_reference(&self, prefix: &str) -> String {
        code::person_reference(prefix, self.chance.bytes())
    }
}
