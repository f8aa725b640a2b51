//! What a referral waits for, until when, and what happens when it waits too long. Pure: the clock is given.

use super::states::{Standing, State};
use crate::kernel::Timestamp;

/// What a referral can wait for (code list `referral_step`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The receiver's answer: accepted, rejected or redirected.
    Answer,
    /// The beginning of a service that was accepted.
    Start,
}

impl Step {
    /// Every step.
    pub const ALL: [Self; 2] = [Self::Answer, Self::Start];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answer => "answer",
            Self::Start => "start",
        }
    }

    /// The step of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Whose turn it is.
    pub fn side(self) -> Standing {
        match self {
            Self::Answer | Self::Start => Standing::Receiver,
        }
    }
}

/// Hours in which an urgency is answered, and in which what was accepted begins. A proposal of ours, not of the law: the
/// protocols name the urgencies and no hours but those of `within_24h`.
const HOURS: [(&str, i64); 2] = [("immediate", 2), ("within_24h", 24)];
/// The same for every other urgency: five days.
const ORDINARY_HOURS: i64 = 120;

/// Seconds in which an urgency is answered.
pub fn term_s(urgency: &str) -> i64 {
    HOURS.iter().find(|(code, _)| *code == urgency).map_or(ORDINARY_HOURS, |(_, hours)| *hours) * 3_600
}

/// What is waited for, since when and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wait {
    /// What.
    pub step: Step,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub due: Timestamp,
}

impl Wait {
    /// When whoever's turn it is is reminded: at half time.
    pub fn remind_at(&self) -> Timestamp {
        let half = (self.due.unix_seconds() - self.since.unix_seconds()) / 2;
        self.since.plus_seconds(half.max(0))
    }

    /// When something is to be done about it, after what has been done; none when everything has.
    pub fn next(&self, told: Told) -> Option<Timestamp> {
        match told {
            Told::Nobody => Some(self.remind_at()),
            Told::Reminded => Some(self.due),
            Told::Escalated => None,
        }
    }

    /// What has to be said by now, in order. Somebody who has been away for long is told of the end only.
    pub fn owed(&self, told: Told, now: Timestamp) -> Option<Told> {
        if told != Told::Escalated && self.due <= now {
            Some(Told::Escalated)
        } else if told == Told::Nobody && self.remind_at() <= now {
            Some(Told::Reminded)
        } else {
            None
        }
    }
}

/// Who has been told that a referral waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Told {
    /// Nobody.
    Nobody,
    /// Both sides, at half time.
    Reminded,
    /// Both sides and oversight: the time is over.
    Escalated,
}

impl Told {
    /// The number, as stored.
    pub fn number(self) -> i16 {
        match self {
            Self::Nobody => 0,
            Self::Reminded => 1,
            Self::Escalated => 2,
        }
    }

    /// The stage of a number.
    pub fn of(number: i16) -> Self {
        match number {
            0 => Self::Nobody,
            1 => Self::Reminded,
            _ => Self::Escalated,
        }
    }
}

/// The facts of a referral that decide what it waits for.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'r> {
    /// State.
    pub state: State,
    /// Urgency.
    pub urgency: &'r str,
    /// Whether a service was asked for.
    pub service: bool,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was answered.
    pub decided_at: Option<Timestamp>,
    /// When the answer is due.
    pub due_at: Option<Timestamp>,
}

/// What a referral waits for; nothing where nobody's turn has an end.
pub fn wait(facts: Facts<'_>) -> Option<Wait> {
    let Facts { state, urgency, service, sent_at, decided_at, due_at } = facts;
    match state {
        State::Sent | State::Received => {
            let since = sent_at?;
            let due = due_at.unwrap_or_else(|| since.plus_seconds(term_s(urgency)));
            Some(Wait { step: Step::Answer, since, due })
        }
        // A communication is taken note of; only what was asked for begins.
        State::Accepted if service => {
            let since = decided_at?;
            Some(Wait { step: Step::Start, since, due: since.plus_seconds(term_s(urgency)) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::parse("2026-03-01T00:00:00Z").unwrap().plus_seconds(seconds)
    }

    #[test]
    fn every_urgency_of_the_catalogue_has_a_term_and_the_urgent_ones_a_shorter_one() {
        let law = crate::catalogue::Catalogue::embedded().unwrap();
        assert!(HOURS.iter().all(|(code, _)| law.has_code("urgency", code)));
        assert!(
            Step::ALL.into_iter().all(|s| law.has_code("referral_step", s.as_str()) && Step::parse(s.as_str()) == Some(s))
        );
        assert!(term_s("immediate") < term_s("within_24h") && term_s("within_24h") < term_s("ordinary"));
        assert_eq!(term_s("within_24h"), 86_400);
    }

    #[test]
    fn a_referral_waits_for_an_answer_and_a_service_for_its_beginning() {
        let facts = |state, service| Facts {
            state,
            urgency: "within_24h",
            service,
            sent_at: Some(at(0)),
            decided_at: Some(at(100)),
            due_at: None,
        };
        let answer = Some(Wait { step: Step::Answer, since: at(0), due: at(86_400) });
        let start = Some(Wait { step: Step::Start, since: at(100), due: at(86_500) });
        for (state, of_service, of_message) in [
            (State::Draft, None, None),
            (State::Sent, answer, answer),
            (State::Received, answer, answer),
            (State::Accepted, start, None),
            (State::InService, None, None),
            (State::Rejected, None, None),
            (State::Redirected, None, None),
            (State::Completed, None, None),
            (State::Abandoned, None, None),
            (State::Revoked, None, None),
            (State::Closed, None, None),
        ] {
            assert_eq!((wait(facts(state, true)), wait(facts(state, false))), (of_service, of_message), "{state:?}");
        }
        let asked = wait(Facts { due_at: Some(at(50)), ..facts(State::Sent, true) }).unwrap();
        assert_eq!((asked.due, asked.remind_at()), (at(50), at(25)));
    }

    proptest! {
        /// However often somebody looks, each is told once, in order, and the end is never missed.
        #[test]
        fn each_is_told_once_and_in_order_whenever_somebody_looks(term in 0..100_000_i64, looks in prop::collection::vec(-10..200_000_i64, 0..20)) {
            let wait = Wait { step: Step::Answer, since: at(0), due: at(term) };
            let (mut told, mut said) = (Told::Nobody, Vec::new());
            let mut looks = looks;
            looks.sort_unstable();
            for look in &looks {
                while let Some(owed) = wait.owed(told, at(*look)) {
                    prop_assert!(owed > told);
                    // The desk's next hour has come whenever something is owed.
                    prop_assert!(wait.next(told).is_some_and(|next| next <= at(*look)));
                    said.push(owed);
                    told = owed;
                }
            }
            let last = looks.last().copied().unwrap_or(-1);
            prop_assert_eq!(said.contains(&Told::Escalated), last >= term);
            prop_assert_eq!(wait.next(told).is_none(), told == Told::Escalated);
        }
    }
}
