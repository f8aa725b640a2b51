//! Extensions: what another system says of a record, and the registry has no field for.
//!
//! Kept word for word, so that an exchange format comes out as it went in. Owns the type and its limits. Must not
//! know where it is stored; both places (a case, an identity) seal it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::kernel::pii::Pii;
use crate::kernel::{Fault, FaultCode};

/// Most extensions of one record.
pub const MOST: usize = 400;
/// Longest name, characters.
pub const LONGEST_NAME: usize = 120;
/// Longest value, characters.
pub const LONGEST_VALUE: usize = 10_000;

/// One thing that another system says and that has no field here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "htcds:cas_CaseOwner", "value": "Equipo norte"}))]
pub struct Extension {
    /// Its name there, after the name of the format: `htcds:prs_Salutation`. Unique within a record.
    #[schema(value_type = String, min_length = 1, max_length = 120)]
    pub name: Pii<String>,
    /// Its value there, as text.
    #[schema(value_type = String, min_length = 1, max_length = 10000)]
    pub value: Pii<String>,
}

impl Extension {
    /// A name with a value.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: Pii(name.into()), value: Pii(value.into()) }
    }
}

/// Checks extensions; every fault with a pointer under `at`.
pub fn check(given: &[Extension], at: &str, faults: &mut Vec<Fault>) {
    if given.len() > MOST {
        faults.push(Fault::body(at, FaultCode::MaxItems));
        return;
    }
    let mut seen = std::collections::HashSet::with_capacity(given.len());
    for (index, Extension { name, value }) in given.iter().enumerate() {
        for (member, text, most) in [("name", &name.0, LONGEST_NAME), ("value", &value.0, LONGEST_VALUE)] {
            if text.trim().is_empty() {
                faults.push(Fault::body(format!("{at}/{index}/{member}"), FaultCode::MinLength));
            } else if text.chars().count() > most {
                faults.push(Fault::body(format!("{at}/{index}/{member}"), FaultCode::MaxLength));
            }
        }
        if !seen.insert(&name.0) {
            faults.push(Fault::body(format!("{at}/{index}/name"), FaultCode::UniqueItems));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_named_and_nothing_else() {
        let one = |name: &str, value: &str| Extension::new(name, value);
        let found = |given: &[Extension]| {
            let mut faults = Vec::new();
            check(given, "/extensions", &mut faults);
            faults
        };
        assert_eq!(found(&[one("a", "x"), one("b", &"ñ".repeat(10_000))]), []);
        assert_eq!(
            found(&[one(" ", "x"), one("a", &"x".repeat(10_001)), one("a", "y")]),
            [
                Fault::body("/extensions/0/name", FaultCode::MinLength),
                Fault::body("/extensions/1/value", FaultCode::MaxLength),
                Fault::body("/extensions/2/name", FaultCode::UniqueItems),
            ]
        );
        let many: Vec<Extension> = (0..=MOST).map(|n| one(&n.to_string(), "x")).collect();
        assert_eq!(found(&many), [Fault::body("/extensions", FaultCode::MaxItems)]);
    }
}
