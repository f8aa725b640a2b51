//! A break-glass and its rules. Pure: no I/O, no clock.

use serde::{Deserialize, Serialize};

use super::wire::{BreakGlassCreate, BreakGlassTransitionCreate, BreakGlassView, Finding, Trigger};
use crate::act::Act;
use crate::cases::Sections;
use crate::cases::sections;
use crate::kernel::ids::{BreakGlassId, CaseId, ClientId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};

/// Longest time, minutes: an emergency that lasts longer is a referral.
const LONGEST_MIN: i32 = 180;

/// Where a break-glass stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// A second person must confirm it; it opens nothing.
    Pending,
    /// Begun; its review is due.
    Open,
    /// Reviewed.
    Reviewed,
}

impl State {
    /// The code, as stored.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Open => "open",
            Self::Reviewed => "reviewed",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Pending, Self::Open, Self::Reviewed].into_iter().find(|s| s.as_str() == code)
    }
}

/// One time that glass was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakGlass {
    /// Its id, in the case's bucket.
    pub id: BreakGlassId,
    /// Version.
    pub version: i64,
    /// The case.
    pub case: CaseId,
    /// Who invoked it.
    pub agency: AgencyCode,
    /// With which partner system.
    pub client: ClientId,
    /// State.
    pub state: State,
    /// When it ends; none until it has begun.
    pub until: Option<Timestamp>,
    /// Everything else.
    pub detail: Detail,
    /// When invoked.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// The person at the desk.
    pub user: Option<String>,
    /// Code list `break_glass_reason`.
    pub reason_code: String,
    /// In words.
    pub reason: Pii<String>,
    /// Codes of what it opens.
    pub sections: Vec<String>,
    /// For how long.
    pub minutes: i32,
    /// Whether it takes two.
    pub two_persons: bool,
    /// When confirmed.
    pub confirmed_at: Option<Timestamp>,
    /// When reviewed.
    pub reviewed_at: Option<Timestamp>,
    /// By whom.
    pub reviewed_by: Option<AgencyCode>,
    /// What the review found.
    pub finding: Option<Finding>,
    /// In words.
    pub words: Option<Pii<String>>,
}

impl BreakGlass {
    /// A break-glass from a request, with the faults that show without the store. It begins when `begin` says so.
    pub fn invoke(new: BreakGlassCreate, act: &Act, id: BreakGlassId, client: ClientId) -> (Self, Vec<Fault>) {
        let BreakGlassCreate { case_id, reason_code, reason, sections: wanted, minutes } = new;
        let mut faults = Vec::new();
        if !act.catalogue.has_code("break_glass_reason", &reason_code) {
            faults.push(Fault::body("/reason_code", FaultCode::Enum));
        }
        match reason.0.trim().chars().count() {
            ..40 => faults.push(Fault::body("/reason", FaultCode::MinLength)),
            2_001.. => faults.push(Fault::body("/reason", FaultCode::MaxLength)),
            _ => {}
        }
        faults.extend(sections::faults(wanted.as_deref().unwrap_or_default(), "/sections"));
        let glass = Self {
            id,
            version: 1,
            case: case_id,
            agency: act.agency().clone(),
            client,
            state: State::Pending,
            until: None,
            detail: Detail {
                user: act.actor.user.clone(),
                reason_code,
                reason,
                sections: wanted.unwrap_or_else(|| Sections::ALL.codes()),
                minutes: minutes.unwrap_or(LONGEST_MIN).clamp(1, LONGEST_MIN),
                two_persons: true,
                confirmed_at: None,
                reviewed_at: None,
                reviewed_by: None,
                finding: None,
                words: None,
            },
            created_at: act.now,
            updated_at: act.now,
        };
        (glass, faults)
    }

    /// Opens at once, where one person is enough.
    pub fn alone(&mut self, now: Timestamp) {
        self.detail.two_persons = false;
        self.begin(now);
    }

    fn begin(&mut self, now: Timestamp) {
        self.state = State::Open;
        self.until = Some(now.plus_seconds(i64::from(self.detail.minutes) * 60));
    }

    /// What it opens.
    pub fn sections(&self) -> Sections {
        Sections::parse(self.detail.sections.iter().map(String::as_str)).unwrap_or(Sections::NONE)
    }

    /// Moves it; who may is the action's to check.
    pub fn moved(&mut self, new: &BreakGlassTransitionCreate, act: &Act) -> Result<()> {
        let BreakGlassTransitionCreate { trigger, finding, words } = new;
        let mut faults = Vec::new();
        let reviews = *trigger == Trigger::Review;
        let mut check = |pointer: &str, given: bool| match (reviews, given) {
            (true, false) => faults.push(Fault::body(pointer, FaultCode::Required)),
            (false, true) => faults.push(Fault::body(pointer, FaultCode::CrossField)),
            _ => {}
        };
        check("/finding", finding.is_some());
        check("/words", words.is_some());
        match words.as_ref().map(|w| w.0.trim().chars().count()) {
            Some(0) => faults.push(Fault::body("/words", FaultCode::MinLength)),
            Some(2_001..) => faults.push(Fault::body("/words", FaultCode::MaxLength)),
            _ => {}
        }
        crate::kernel::error::no_faults(faults)?;
        let refused = |guard: &'static str| Err(Error::StateConflict(vec![guard.into()]));
        match (self.state, trigger) {
            (State::Reviewed, _) => return refused("already_reviewed"),
            (State::Open, Trigger::Confirm) => return refused("no_such_transition"),
            (State::Pending, Trigger::Confirm) => {
                if !self.second(act) {
                    return refused("second_person_needed");
                }
                self.detail.confirmed_at = Some(act.now);
                self.begin(act.now);
            }
            (State::Pending | State::Open, Trigger::Review) => {
                self.state = State::Reviewed;
                self.detail.reviewed_at = Some(act.now);
                self.detail.reviewed_by = Some(act.agency().clone());
                self.detail.finding = *finding;
                self.detail.words.clone_from(words);
                if *finding == Some(Finding::Unjustified) {
                    self.until = self.until.map(|until| until.min(act.now));
                }
            }
        }
        self.version += 1;
        self.updated_at = act.now;
        Ok(())
    }

    /// Whether somebody else acts than who invoked it: another system, or another person at the desk of this one.
    fn second(&self, act: &Act) -> bool {
        match (&self.detail.user, &act.actor.user) {
            (Some(first), Some(second)) => first != second,
            _ => act.actor.client != Some(self.client),
        }
    }

    /// As those see it who see it at all: the same for everybody.
    pub fn view(&self, now: Timestamp) -> BreakGlassView {
        let Self { id, version, case, agency, client, state, until, detail, created_at, updated_at } = self.clone();
        let Detail {
            user,
            reason_code,
            reason,
            sections,
            minutes,
            two_persons,
            confirmed_at,
            reviewed_at,
            reviewed_by,
            finding,
            words,
        } = detail;
        BreakGlassView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: agency,
            case_id: case,
            state: state.as_str().to_owned(),
            running: until.is_some_and(|until| until > now),
            client_id: client,
            user,
            reason_code,
            reason,
            sections,
            minutes,
            two_persons,
            confirmed_at,
            until,
            reviewed_at,
            reviewed_by,
            finding,
            words,
            redacted: Vec::new(),
        }
    }
}
