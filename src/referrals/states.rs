//! The states of a referral, who may move it, and what a move does to access. Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::ReferralTransitionCreate;
use crate::catalogue::Catalogue;
use crate::kernel::{Fault, FaultCode};

/// Where a referral stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being written; only the sender sees it.
    Draft,
    /// With the receiver, who sees the message and nothing of the case.
    Sent,
    /// Running: the receiver sees the granted sections.
    Accepted,
    /// Refused by the receiver.
    Rejected,
    /// Done.
    Completed,
    /// Taken back by the sender.
    Revoked,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 6] = [Self::Draft, Self::Sent, Self::Accepted, Self::Rejected, Self::Completed, Self::Revoked];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Completed => "completed",
            Self::Revoked => "revoked",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Where a trigger leads from here; none where it does not apply.
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        match (self, trigger) {
            (Self::Draft, Trigger::Send) => Some(Self::Sent),
            (Self::Sent, Trigger::Accept) => Some(Self::Accepted),
            (Self::Sent, Trigger::Reject) => Some(Self::Rejected),
            (Self::Accepted, Trigger::Complete) => Some(Self::Completed),
            (Self::Draft | Self::Sent | Self::Accepted, Trigger::Revoke) => Some(Self::Revoked),
            _ => None,
        }
    }

    /// Whether the receiver sees the granted sections in this state.
    pub fn grants(self) -> bool {
        self == Self::Accepted
    }

    /// What the way from this state to `next` does to the receiver's access.
    pub fn effect(self, next: Self) -> Effect {
        match (self.grants(), next.grants()) {
            (false, true) => Effect::Begin,
            (true, false) => Effect::End,
            _ => Effect::None,
        }
    }
}

/// What a move does to the receiver's access to the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Nothing.
    None,
    /// The granted sections open.
    Begin,
    /// They close, at once.
    End,
}

/// What can be done to a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReferralTrigger)]
pub enum Trigger {
    /// Puts it before the receiver.
    Send,
    /// Takes it on.
    Accept,
    /// Refuses it.
    Reject,
    /// Ends it, done.
    Complete,
    /// Takes it back.
    Revoke,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 5] = [Self::Send, Self::Accept, Self::Reject, Self::Complete, Self::Revoke];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Complete => "complete",
            Self::Revoke => "revoke",
        }
    }

    /// Whose move it is.
    pub fn side(self) -> Standing {
        match self {
            Self::Send | Self::Revoke => Standing::Sender,
            Self::Accept | Self::Reject | Self::Complete => Standing::Receiver,
        }
    }

    /// The scope that it needs.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Send | Self::Revoke => "referrals:write",
            Self::Accept | Self::Reject | Self::Complete => "referrals:decide",
        }
    }

    /// Its name for a reader: `es`, `en` or `fr`.
    pub fn label(self, lang: &str) -> &'static str {
        let (es, en, fr) = match self {
            Self::Send => ("Enviar", "Send", "Envoyer"),
            Self::Accept => ("Aceptar", "Accept", "Accepter"),
            Self::Reject => ("Rechazar", "Reject", "Refuser"),
            Self::Complete => ("Dar por atendida", "Complete", "Clore"),
            Self::Revoke => ("Revocar", "Revoke", "Révoquer"),
        };
        match lang {
            "en" => en,
            "fr" => fr,
            _ => es,
        }
    }

    /// Faults of a request to make this move.
    pub fn faults(self, new: &ReferralTransitionCreate, law: &Catalogue) -> Vec<Fault> {
        let mut faults = Vec::new();
        if matches!(self, Self::Reject | Self::Revoke) && new.reason.is_none() {
            faults.push(Fault::body("/reason", FaultCode::Required));
        }
        if new.reason.as_ref().is_some_and(|t| t.trim().is_empty()) {
            faults.push(Fault::body("/reason", FaultCode::MinLength));
        }
        if let Some(outcome) = &new.outcome {
            if !matches!(self, Self::Complete | Self::Reject) {
                faults.push(Fault::body("/outcome", FaultCode::CrossField));
            }
            if !law.has_code("referral_outcome", outcome) {
                faults.push(Fault::body("/outcome", FaultCode::Enum));
            }
        }
        faults
    }
}

/// How a caller stands to a referral.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its agency wrote it.
    Sender,
    /// It was sent to its agency.
    Receiver,
    /// It supervises.
    Overseer,
}

impl Standing {
    /// The guard that stands against those who are on another side.
    pub fn guard(self) -> &'static str {
        match self {
            Self::Sender => "sender_only",
            Self::Receiver => "receiver_only",
            Self::Overseer => "oversight_only",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn triggers() -> impl Strategy<Value = Vec<Trigger>> {
        prop::collection::vec(prop::sample::select(Trigger::ALL.to_vec()), 0..12)
    }

    fn terminal(state: State) -> bool {
        Trigger::ALL.into_iter().all(|t| state.after(t).is_none())
    }

    #[test]
    fn the_table_is_the_published_one() {
        let moves: Vec<(State, Trigger, State)> = State::ALL
            .into_iter()
            .flat_map(|s| Trigger::ALL.into_iter().filter_map(move |t| s.after(t).map(|n| (s, t, n))))
            .collect();
        assert_eq!(
            moves,
            [
                (State::Draft, Trigger::Send, State::Sent),
                (State::Draft, Trigger::Revoke, State::Revoked),
                (State::Sent, Trigger::Accept, State::Accepted),
                (State::Sent, Trigger::Reject, State::Rejected),
                (State::Sent, Trigger::Revoke, State::Revoked),
                (State::Accepted, Trigger::Complete, State::Completed),
                (State::Accepted, Trigger::Revoke, State::Revoked),
            ]
        );
        assert!(State::ALL.into_iter().all(|s| State::parse(s.as_str()) == Some(s)));
        assert_eq!(
            State::ALL.into_iter().filter(|s| terminal(*s)).collect::<Vec<_>>(),
            [State::Rejected, State::Completed, State::Revoked]
        );
    }

    proptest! {
        #[test]
        fn no_sequence_of_triggers_leaves_a_terminal_state(moves in triggers()) {
            let mut state = State::Draft;
            for trigger in moves {
                let before = state;
                state = state.after(trigger).unwrap_or(state);
                prop_assert!(!terminal(before) || state == before);
            }
        }

        /// The reference: access is open exactly when the moves that took effect are a sending and an
        /// acceptance, and no other. The effects of the moves, applied one by one, must say the same.
        #[test]
        fn access_is_open_exactly_while_accepted(moves in triggers()) {
            let mut state = State::Draft;
            let mut done = Vec::new();
            let mut open = false;
            for trigger in moves {
                if let Some(next) = state.after(trigger) {
                    match state.effect(next) {
                        Effect::Begin => { prop_assert!(!open); open = true; }
                        Effect::End => { prop_assert!(open); open = false; }
                        Effect::None => {}
                    }
                    done.push(trigger);
                    state = next;
                }
                prop_assert_eq!(open, done == [Trigger::Send, Trigger::Accept]);
                prop_assert_eq!(open, state == State::Accepted);
            }
        }

        /// A sender alone, and a receiver alone, can never open the access.
        #[test]
        fn it_takes_both_sides_to_open_access(moves in triggers(), side in prop::sample::select(vec![Standing::Sender, Standing::Receiver])) {
            let mut state = State::Draft;
            for trigger in moves.into_iter().filter(|t| t.side() == side) {
                state = state.after(trigger).unwrap_or(state);
                prop_assert!(!state.grants());
            }
        }
    }
}
