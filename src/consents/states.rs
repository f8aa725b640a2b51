//! The states of a consent and what leads from one to another. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a consent stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Explained and asked.
    Offered,
    /// Agreed to.
    Given,
    /// Not agreed to.
    Refused,
    /// Taken back.
    Withdrawn,
    /// Its time has passed.
    Expired,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Offered, Self::Given, Self::Refused, Self::Withdrawn, Self::Expired];

    /// The code (code list `consent_state`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offered => "offered",
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Where a trigger leads from here; none where it does not apply.
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        match (self, trigger) {
            (Self::Offered, Trigger::Give) => Some(Self::Given),
            (Self::Offered, Trigger::Refuse) => Some(Self::Refused),
            (Self::Given, Trigger::Withdraw) => Some(Self::Withdrawn),
            (Self::Given, Trigger::Expire) => Some(Self::Expired),
            _ => None,
        }
    }
}

/// What can happen to a consent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ConsentTrigger)]
pub enum Trigger {
    /// It is agreed to.
    Give,
    /// It is not.
    Refuse,
    /// It is taken back.
    Withdraw,
    /// Its time has passed.
    Expire,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 4] = [Self::Give, Self::Refuse, Self::Withdraw, Self::Expire];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Give => "give",
            Self::Refuse => "refuse",
            Self::Withdraw => "withdraw",
            Self::Expire => "expire",
        }
    }

    /// Its name for a reader: `es`, `en` or `fr`.
    pub fn label(self, lang: &str) -> &'static str {
        let (es, en, fr) = match self {
            Self::Give => ("Otorgar", "Give", "Donner"),
            Self::Refuse => ("Denegar", "Refuse", "Refuser"),
            Self::Withdraw => ("Retirar", "Withdraw", "Retirer"),
            Self::Expire => ("Dar por vencido", "Expire", "Constater l'expiration"),
        };
        match lang {
            "en" => en,
            "fr" => fr,
            _ => es,
        }
    }
}
