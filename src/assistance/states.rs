//! The states of a need and what leads from one to another (peru-profile §5.4). Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a need stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Known.
    Identified,
    /// A provider and a plan are there.
    Planned,
    /// The service is being given.
    InProgress,
    /// The need is met.
    Met,
    /// It was not met, for a reason.
    Unmet,
    /// Taken back: by the victim, or because it was none.
    Withdrawn,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Identified, Self::Planned, Self::InProgress, Self::Met, Self::Unmet, Self::Withdrawn];

    /// The code (code list `assistance_state`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identified => "identified",
            Self::Planned => "planned",
            Self::InProgress => "in_progress",
            Self::Met => "met",
            Self::Unmet => "unmet",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Whether nothing follows.
    pub fn ended(self) -> bool {
        MOVES.iter().all(|(from, ..)| *from != self)
    }

    /// Where a trigger leads from here; none where it does not apply.
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        MOVES.iter().find(|(from, t, _)| *from == self && *t == trigger).map(|(.., to)| *to)
    }
}

/// What can happen to a need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AssistanceTrigger)]
pub enum Trigger {
    /// A provider takes it on.
    Plan,
    /// The service begins.
    Start,
    /// The need is met.
    Meet,
    /// It could not be met.
    Fail,
    /// It is taken back.
    Withdraw,
    /// It is there again.
    Reopen,
}

/// The moves: state before, trigger, state after. A provider can fail before it began, and what was not met can be
/// taken up again: help does not end with one refusal.
const MOVES: &[(State, Trigger, State)] = &[
    (State::Identified, Trigger::Plan, State::Planned),
    (State::Identified, Trigger::Fail, State::Unmet),
    (State::Identified, Trigger::Withdraw, State::Withdrawn),
    (State::Planned, Trigger::Start, State::InProgress),
    (State::Planned, Trigger::Fail, State::Unmet),
    (State::Planned, Trigger::Withdraw, State::Withdrawn),
    (State::InProgress, Trigger::Meet, State::Met),
    (State::InProgress, Trigger::Fail, State::Unmet),
    (State::InProgress, Trigger::Withdraw, State::Withdrawn),
    (State::Unmet, Trigger::Reopen, State::Identified),
];

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 6] = [Self::Plan, Self::Start, Self::Meet, Self::Fail, Self::Withdraw, Self::Reopen];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Start => "start",
            Self::Meet => "meet",
            Self::Fail => "fail",
            Self::Withdraw => "withdraw",
            Self::Reopen => "reopen",
        }
    }

    /// Its name for a reader: `es`, `en` or `fr`.
    pub fn label(self, lang: &str) -> &'static str {
        let (es, en, fr) = match self {
            Self::Plan => ("Planificar", "Plan", "Planifier"),
            Self::Start => ("Iniciar la atención", "Start the service", "Commencer le service"),
            Self::Meet => ("Dar por atendida", "Mark as met", "Constater que le besoin est satisfait"),
            Self::Fail => ("Registrar que no se atendió", "Record that it was not met", "Constater l'échec"),
            Self::Withdraw => ("Retirar", "Withdraw", "Retirer"),
            Self::Reopen => ("Retomar", "Take up again", "Reprendre"),
        };
        match lang {
            "en" => en,
            "fr" => fr,
            _ => es,
        }
    }

    /// Whether the provider itself may say so. Who else may is the keeper of the record.
    pub fn is_providers(self) -> bool {
        matches!(self, Self::Start | Self::Meet | Self::Fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use proptest::prelude::*;

    /// One row per state, one column per trigger, `.` where nothing leads out.
    #[test]
    fn every_pair_of_state_and_trigger_leads_where_the_table_says() {
        let table: Vec<String> = State::ALL
            .into_iter()
            .map(|state| {
                let cells: Vec<&str> = Trigger::ALL.into_iter().map(|t| state.after(t).map_or(".", State::as_str)).collect();
                format!("{}: {}", state.as_str(), cells.join(" "))
            })
            .collect();
        // plan start meet fail withdraw reopen
        assert_eq!(
            table,
            [
                "identified: planned . . unmet withdrawn .",
                "planned: . in_progress . unmet withdrawn .",
                "in_progress: . . met unmet withdrawn .",
                "met: . . . . . .",
                "unmet: . . . . . identified",
                "withdrawn: . . . . . .",
            ]
        );
    }

    #[test]
    fn the_codes_are_those_of_the_list() {
        let law = Catalogue::embedded().unwrap();
        assert!(State::ALL.into_iter().all(|s| law.has_ever("assistance_state", s.as_str())));
        assert!(State::ALL.into_iter().all(|s| State::parse(s.as_str()) == Some(s)));
    }

    proptest! {
        #[test]
        fn no_sequence_meets_a_need_that_nobody_began_to_serve(moves in prop::collection::vec(0usize..6, 0..20)) {
            let (mut state, mut began) = (State::Identified, false);
            for n in moves {
                let before = state;
                state = state.after(Trigger::ALL[n]).unwrap_or(state);
                began |= state == State::InProgress;
                prop_assert!(state != State::Met || began);
                prop_assert!(!before.ended() || state == before);
            }
        }
    }
}
