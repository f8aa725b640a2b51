//! The states of a referral, who may move it, and what a move does to access. One table, pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wire::ReferralTransitionCreate;
use crate::catalogue::Catalogue;
use crate::kernel::{Fault, FaultCode};

/// Where a referral stands (code list `referral_state`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Being written; only the sender sees it.
    Draft,
    /// With the receiver, who sees the message and nothing of the case.
    Sent,
    /// The receiver has acknowledged it, and sees no more than before.
    Received,
    /// Taken on: the receiver sees the granted sections.
    Accepted,
    /// The service has begun: the receiver still sees them.
    InService,
    /// Refused by the receiver.
    Rejected,
    /// Not for this receiver, who named another: a draft to that one lies with the sender.
    Redirected,
    /// Done.
    Completed,
    /// Begun and not brought to an end.
    Abandoned,
    /// Taken back by the sender.
    Revoked,
    /// The sender has taken note of how it ended.
    Closed,
}

/// Every move: whatever is not here cannot be done.
pub const MOVES: &[(State, Trigger, State)] = &[
    (State::Draft, Trigger::Send, State::Sent),
    (State::Draft, Trigger::Revoke, State::Revoked),
    (State::Sent, Trigger::Receive, State::Received),
    (State::Sent, Trigger::Accept, State::Accepted),
    (State::Sent, Trigger::Reject, State::Rejected),
    (State::Sent, Trigger::Redirect, State::Redirected),
    (State::Sent, Trigger::Revoke, State::Revoked),
    (State::Received, Trigger::Accept, State::Accepted),
    (State::Received, Trigger::Reject, State::Rejected),
    (State::Received, Trigger::Redirect, State::Redirected),
    (State::Received, Trigger::Revoke, State::Revoked),
    (State::Accepted, Trigger::Start, State::InService),
    (State::Accepted, Trigger::Complete, State::Completed),
    (State::Accepted, Trigger::Abandon, State::Abandoned),
    (State::Accepted, Trigger::Revoke, State::Revoked),
    (State::InService, Trigger::Complete, State::Completed),
    (State::InService, Trigger::Abandon, State::Abandoned),
    (State::InService, Trigger::Revoke, State::Revoked),
    (State::Rejected, Trigger::Close, State::Closed),
    (State::Redirected, Trigger::Close, State::Closed),
    (State::Completed, Trigger::Close, State::Closed),
    (State::Abandoned, Trigger::Close, State::Closed),
];

impl State {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Draft,
        Self::Sent,
        Self::Received,
        Self::Accepted,
        Self::InService,
        Self::Rejected,
        Self::Redirected,
        Self::Completed,
        Self::Abandoned,
        Self::Revoked,
        Self::Closed,
    ];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Sent => "sent",
            Self::Received => "received",
            Self::Accepted => "accepted",
            Self::InService => "in_service",
            Self::Rejected => "rejected",
            Self::Redirected => "redirected",
            Self::Completed => "completed",
            Self::Abandoned => "abandoned",
            Self::Revoked => "revoked",
            Self::Closed => "closed",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Where a trigger leads from here; none where it does not apply.
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        MOVES.iter().find(|(from, by, _)| *from == self && *by == trigger).map(|(.., to)| *to)
    }

    /// Whether the receiver sees the granted sections in this state.
    pub fn grants(self) -> bool {
        matches!(self, Self::Accepted | Self::InService)
    }

    /// Whether something is still to be done, so that its case is not finished with.
    pub fn open(self) -> bool {
        matches!(self, Self::Draft | Self::Sent | Self::Received | Self::Accepted | Self::InService)
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
    /// Acknowledges it.
    Receive,
    /// Takes it on.
    Accept,
    /// Refuses it.
    Reject,
    /// Names the agency that it should have gone to.
    Redirect,
    /// Begins the service.
    Start,
    /// Ends it, done.
    Complete,
    /// Ends it, not done.
    Abandon,
    /// Takes it back.
    Revoke,
    /// Takes note of how it ended.
    Close,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 10] = [
        Self::Send,
        Self::Receive,
        Self::Accept,
        Self::Reject,
        Self::Redirect,
        Self::Start,
        Self::Complete,
        Self::Abandon,
        Self::Revoke,
        Self::Close,
    ];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Receive => "receive",
            Self::Accept => "accept",
            Self::Reject => "reject",
            Self::Redirect => "redirect",
            Self::Start => "start",
            Self::Complete => "complete",
            Self::Abandon => "abandon",
            Self::Revoke => "revoke",
            Self::Close => "close",
        }
    }

    /// Whose move it is.
    pub fn side(self) -> Standing {
        match self {
            Self::Send | Self::Revoke | Self::Close => Standing::Sender,
            Self::Receive | Self::Accept | Self::Reject | Self::Redirect | Self::Start | Self::Complete | Self::Abandon => {
                Standing::Receiver
            }
        }
    }

    /// The scope that it needs.
    pub fn scope(self) -> &'static str {
        match self.side() {
            Standing::Receiver => "referrals:decide",
            Standing::Sender | Standing::Overseer => "referrals:write",
        }
    }

    /// Its name for a reader: `es`, `en` or `fr`.
    pub fn label(self, lang: &str) -> &'static str {
        let (es, en, fr) = match self {
            Self::Send => ("Enviar", "Send", "Envoyer"),
            Self::Receive => ("Acusar recibo", "Acknowledge receipt", "Accuser réception"),
            Self::Accept => ("Aceptar", "Accept", "Accepter"),
            Self::Reject => ("Rechazar", "Reject", "Refuser"),
            Self::Redirect => {
                ("Redirigir a otra entidad", "Redirect to another agency", "Réorienter vers une autre autorité")
            }
            Self::Start => ("Iniciar la atención", "Start the service", "Commencer la prise en charge"),
            Self::Complete => ("Dar por atendida", "Complete", "Clore"),
            Self::Abandon => ("Dar por abandonada", "Abandon", "Abandonner"),
            Self::Revoke => ("Revocar", "Revoke", "Révoquer"),
            Self::Close => ("Cerrar", "Close", "Archiver"),
        };
        match lang {
            "en" => en,
            "fr" => fr,
            _ => es,
        }
    }

    /// Whether it must be said why.
    fn needs_reason(self) -> bool {
        matches!(self, Self::Reject | Self::Redirect | Self::Abandon | Self::Revoke)
    }

    /// Faults of a request to make this move.
    pub fn faults(self, new: &ReferralTransitionCreate, law: &Catalogue) -> Vec<Fault> {
        let mut faults = Vec::new();
        if self.needs_reason() && new.reason.is_none() {
            faults.push(Fault::body("/reason", FaultCode::Required));
        }
        if new.reason.as_ref().is_some_and(|t| t.trim().is_empty()) {
            faults.push(Fault::body("/reason", FaultCode::MinLength));
        }
        if let Some(outcome) = &new.outcome {
            if !matches!(self, Self::Complete | Self::Abandon | Self::Reject) {
                faults.push(Fault::body("/outcome", FaultCode::CrossField));
            }
            if !law.has_code("referral_outcome", outcome) {
                faults.push(Fault::body("/outcome", FaultCode::Enum));
            }
        }
        match (self, &new.to_agency) {
            (Self::Redirect, None) => faults.push(Fault::body("/to_agency", FaultCode::Required)),
            (Self::Redirect, Some(_)) | (_, None) => {}
            (_, Some(_)) => faults.push(Fault::body("/to_agency", FaultCode::CrossField)),
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
        // Weighted towards what leads on.
        let weighted =
            [Trigger::ALL.to_vec(), vec![Trigger::Send, Trigger::Accept, Trigger::Receive, Trigger::Start]].concat();
        prop::collection::vec(prop::sample::select(weighted), 0..16)
    }

    fn terminal(state: State) -> bool {
        Trigger::ALL.into_iter().all(|t| state.after(t).is_none())
    }

    #[test]
    fn the_table_is_consistent_and_every_state_is_reached() {
        for (n, (from, by, to)) in MOVES.iter().enumerate() {
            assert!(from != to, "{from:?} {by:?} leads nowhere");
            assert!(!MOVES[..n].iter().any(|(f, b, _)| f == from && b == by), "{from:?} {by:?} is there twice");
        }
        let reached = |state: State| state == State::Draft || MOVES.iter().any(|(.., to)| *to == state);
        assert!(State::ALL.into_iter().all(reached));
        assert!(State::ALL.into_iter().all(|s| State::parse(s.as_str()) == Some(s)));
        let used = |trigger: Trigger| MOVES.iter().any(|(_, by, _)| *by == trigger);
        assert!(Trigger::ALL.into_iter().all(used));
        assert_eq!(State::ALL.into_iter().filter(|s| terminal(*s)).collect::<Vec<_>>(), [State::Revoked, State::Closed]);
        // What is open can be taken back by its sender, and nothing else can.
        for state in State::ALL {
            assert_eq!(state.open(), state.after(Trigger::Revoke).is_some(), "{state:?}");
        }
    }

    #[test]
    fn every_state_has_its_labels_in_the_catalogue() {
        let law = Catalogue::embedded().unwrap();
        assert!(State::ALL.into_iter().all(|s| law.has_code("referral_state", s.as_str())));
    }

    proptest! {
        #[test]
        fn no_sequence_of_triggers_leaves_a_terminal_state_or_comes_back(moves in triggers()) {
            let mut state = State::Draft;
            let mut seen = vec![state];
            for trigger in moves {
                let before = state;
                if let Some(next) = state.after(trigger) {
                    prop_assert!(!terminal(before));
                    prop_assert!(!seen.contains(&next), "{next:?} a second time");
                    seen.push(next);
                    state = next;
                }
            }
        }

        /// The reference: access is open exactly from an acceptance that took effect to the next move that is not the
        /// start of the service. The effects of the moves, applied one by one, must say the same.
        #[test]
        fn access_is_open_exactly_while_accepted_or_in_service(moves in triggers()) {
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
                let since = done.iter().rposition(|t| *t == Trigger::Accept);
                let expected = since.is_some_and(|at| done[at + 1..].iter().all(|t| *t == Trigger::Start));
                prop_assert_eq!(open, expected);
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
