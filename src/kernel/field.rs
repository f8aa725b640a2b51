//! Three states of a field in a merge patch (RFC 7396): absent leaves, null clears, a value sets. Pure.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One field of a patch. Use with `#[serde(default)]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Field<T> {
    /// The patch does not name the field.
    #[default]
    Absent,
    /// The patch clears the field.
    Null,
    /// The patch sets the field.
    Set(T),
}

impl<T> Field<T> {
    /// Applies the patch to an optional value; true if it changed.
    pub fn apply(self, target: &mut Option<T>) -> bool
    where
        T: PartialEq,
    {
        let next = match self {
            Self::Absent => return false,
            Self::Null => None,
            Self::Set(value) => Some(value),
        };
        let changed = *target != next;
        *target = next;
        changed
    }

    /// Applies the patch to a value that always is; null puts it back to `cleared`. True if it changed.
    pub fn apply_or(self, target: &mut T, cleared: T) -> bool
    where
        T: PartialEq,
    {
        let next = match self {
            Self::Absent => return false,
            Self::Null => cleared,
            Self::Set(value) => value,
        };
        let changed = *target != next;
        *target = next;
        changed
    }

    /// The value that the patch sets, if any.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Set(value) => Some(value),
            Self::Absent | Self::Null => None,
        }
    }

    /// Whether the patch names the field.
    pub fn is_present(&self) -> bool {
        !matches!(self, Self::Absent)
    }
}

/// For the validator's reports only, which no caller sees: absent and null read alike.
impl<T: Serialize> Serialize for Field<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Field<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Option::<T>::deserialize(deserializer)? {
            None => Self::Null,
            Some(value) => Self::Set(value),
        })
    }
}
