//! The one place that decides whether a person may ever be named in public. Pure.
//!
//! A victim never; an accused only while a final conviction stands (Const. 2.24.e, NCPP II.1, 95.1.c; from memory, to
//! be verified). What publishes anything asks here: there is no other rule.

use serde::Serialize;
use utoipa::ToSchema;

use crate::catalogue::Catalogue;

/// Whether somebody may be named in public.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Publication, example = json!({"identity": "withheld", "reason": "no_final_conviction"}))]
pub struct Publication {
    /// `withheld` or `public`.
    pub identity: &'static str,
    /// `victim`, `no_final_conviction` or `final_conviction`.
    pub reason: &'static str,
}

impl Publication {
    /// Of a victim: never.
    pub const VICTIM: Self = Self { identity: "withheld", reason: "victim" };

    /// Of an accused, from the states of the charges against them.
    pub fn of_accused<'s>(law: &Catalogue, mut states: impl Iterator<Item = &'s str>) -> Self {
        let opens = |state: &str| law.profiles().iter().any(|p| p.publishing_states.iter().any(|s| s == state));
        if states.any(opens) {
            Self { identity: "public", reason: "final_conviction" }
        } else {
            Self { identity: "withheld", reason: "no_final_conviction" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_named_but_for_a_final_conviction() {
        let law = Catalogue::embedded().unwrap();
        let named = |states: &[&str]| Publication::of_accused(&law, states.iter().copied()).identity == "public";
        for profile in law.profiles() {
            for state in &profile.charge_states {
                assert_eq!(named(&[&state.code]), state.code == "convicted_final", "{}", state.code);
            }
        }
        assert!(!named(&[]) && !named(&["convicted_1", "acquitted_final"]) && named(&["archived", "convicted_final"]));
        assert_eq!(Publication::VICTIM.identity, "withheld");
    }
}
