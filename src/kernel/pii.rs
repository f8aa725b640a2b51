//! Values that must never be printed. Pure.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value about a person: it serialises as itself (towards the caller who may have it) and prints as
/// `[redacted]` everywhere else, logs and panics included.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pii<T>(pub T);

impl<T> fmt::Debug for Pii<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::Pii;

    #[test]
    fn prints_nothing_of_what_it_holds() {
        assert_eq!(format!("{:?}", Pii("Rosa")), "[redacted]");
    }
}
