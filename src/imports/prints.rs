//! Keyed hashes of lines and of their parts: whether a line says the same as the last time. Pure.

use aws_lc_rs::hmac;
use serde::Serialize;
use zeroize::Zeroizing;

use super::model::ImportRecord;
use super::store::{Origin, Part, Parts};
use crate::cases::actions::Opening;
use crate::db::Store;
use crate::kernel::ids::ResourceId;
use crate::kernel::{Error, Result};

/// Makes the hashes. Whoever has the database but not the keyring can neither guess at a line nor at a label.
pub struct Prints(hmac::Key);

impl std::fmt::Debug for Prints {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Prints([redacted])")
    }
}

/// The name of a person or charge among those of its line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Name {
    /// By its label: it may change and is still the same one.
    Labelled(String),
    /// By all that is said of it: changed, it is another one.
    Nameless(String),
}

impl Name {
    /// As remembered.
    pub fn key(&self) -> &str {
        match self {
            Self::Labelled(key) | Self::Nameless(key) => key,
        }
    }
}

impl Prints {
    /// With the registry's secret.
    pub fn new(store: &Store) -> Result<Self> {
        let secret = store.vault()?.derive("import")?;
        Ok(Self(hmac::Key::new(hmac::HMAC_SHA256, &*secret)))
    }

    /// The hash of something, 32 hex digits.
    pub fn of<T: Serialize>(&self, what: &T) -> Result<String> {
        let bytes = Zeroizing::new(serde_json::to_vec(what).map_err(|_| Error::internal("a line cannot be written"))?);
        let tag = hmac::sign(&self.0, &bytes);
        Ok(tag.as_ref().iter().take(16).map(|b| format!("{b:02x}")).collect())
    }

    /// The name of a person.
    pub fn name<T: Serialize>(&self, label: Option<&String>, what: &T) -> Result<Name> {
        match label {
            Some(label) => Ok(Name::Labelled(self.of(&("label", label))?)),
            None => Ok(Name::Nameless(format!("~{}", self.of(&("nameless", what))?))),
        }
    }

    /// The name of a charge.
    pub fn charge(&self, accused: &str, offence: &str) -> Result<Name> {
        Ok(Name::Labelled(self.of(&("charge", accused, offence))?))
    }

    /// What to remember of a case that this line opened.
    pub fn origin(&self, record: &ImportRecord, opening: &Opening) -> Result<Origin> {
        let case = &record.case;
        let part = |id: ResourceId, print: String| Part { id, print };
        let mut parts = Parts::default();
        for (new, made) in case.victims.iter().zip(&opening.persons) {
            let name = self.name(new.label.as_ref(), new)?;
            parts.victims.insert(name.key().to_owned(), part(made.id.erase(), self.of(new)?));
        }
        for (new, made) in case.accused.iter().zip(&opening.suspects) {
            let name = self.name(new.label.as_ref(), new)?;
            parts.accused.insert(name.key().to_owned(), part(made.id.erase(), self.of(new)?));
        }
        for (new, made) in case.charges.iter().zip(&opening.counts) {
            let name = self.charge(&new.accused, &new.offence_code)?;
            parts.charges.insert(name.key().to_owned(), part(made.id.erase(), self.of(new)?));
        }
        Ok(Origin { fingerprint: self.of(case)?, parts })
    }
}
