//! A release that somebody proposes and somebody else lets go. Pure: no I/O, no clock.
//!
//! What is published is published for ever, so nobody does it alone: one system proposes, both look at what it would show, and
//! another system of another agency, or of another named person, agrees. What goes out is what both saw: the facts as of the
//! proposal, byte for byte but for the instant of publication.

use serde::{Deserialize, Serialize};

use super::memory::AsOf;
use crate::kernel::ids::{ClientId, ReleaseId, ReleaseProposalId};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};
use crate::ledger::Actor;

/// Where a proposal stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Somebody must decide.
    Proposed,
    /// It was published.
    Approved,
    /// It was not.
    Rejected,
    /// Whoever proposed it does so no more.
    Withdrawn,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Proposed, Self::Approved, Self::Rejected, Self::Withdrawn];

    /// The code (code list `release_state`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Approved => "approved",
            Self::Rejected => "rejected",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Where a decision leads from here; none where nothing is to be decided any more.
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        (self == Self::Proposed).then_some(match trigger {
            Trigger::Approve => Self::Approved,
            Trigger::Reject => Self::Rejected,
            Trigger::Withdraw => Self::Withdrawn,
        })
    }
}

/// What can happen to a proposal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A second person agrees: it is published at once.
    Approve,
    /// A second person does not.
    Reject,
    /// Whoever proposed it does so no more.
    Withdraw,
}

impl Trigger {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
        }
    }

    /// The scope that it needs.
    pub fn scope(self) -> &'static str {
        match self {
            Self::Approve | Self::Reject => "statistics:approve",
            Self::Withdraw => "statistics:publish",
        }
    }
}

/// What no query asks for. Nothing in it is secret: it is about figures.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// The person at the desk who proposed it.
    pub user: Option<String>,
    /// The agency that decided.
    pub decided_by: Option<AgencyCode>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why: code list `release_refusal`.
    pub refusal: Option<String>,
    /// What was published.
    pub release: Option<ReleaseId>,
}

/// A proposal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// The proposal.
    pub id: ReleaseProposalId,
    /// Version.
    pub version: i64,
    /// Which period.
    pub period: String,
    /// State.
    pub state: State,
    /// Up to where it counts.
    pub as_of: AsOf,
    /// SHA-256 of the manifest that was previewed, hex.
    pub sha256: String,
    /// Who proposed it; none for the operator.
    pub agency: Option<AgencyCode>,
    /// From which system.
    pub client: Option<ClientId>,
    /// Everything else.
    pub detail: Detail,
    /// When; the instant that the previewed manifest names.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// Faults of a decision that show without the store.
pub fn faults(trigger: Trigger, refusal: Option<&str>, known: impl Fn(&str) -> bool) -> Vec<Fault> {
    match (trigger, refusal) {
        (Trigger::Reject, None) => vec![Fault::body("/refusal", FaultCode::Required)],
        (Trigger::Reject, Some(code)) if !known(code) => vec![Fault::body("/refusal", FaultCode::Enum)],
        (Trigger::Approve | Trigger::Withdraw, Some(_)) => vec![Fault::body("/refusal", FaultCode::CrossField)],
        _ => Vec::new(),
    }
}

impl Proposal {
    /// Decides it. `release` is what it becomes, where it is approved.
    pub fn decide(
        &mut self,
        trigger: Trigger,
        refusal: Option<String>,
        by: &Decider<'_>,
        release: Option<ReleaseId>,
    ) -> Result<()> {
        let refused = |guard: &'static str| Err(Error::StateConflict(vec![guard.into()]));
        let Some(next) = self.state.after(trigger) else { return refused("no_such_transition") };
        // Nobody agrees with themselves.
        if trigger != Trigger::Withdraw && !self.second(by) {
            return refused("second_person_needed");
        }
        self.state = next;
        self.detail.decided_by = Some(by.agency.clone());
        self.detail.decided_at = Some(by.now);
        self.detail.refusal = refusal;
        self.detail.release = release;
        self.version += 1;
        self.updated_at = by.now;
        Ok(())
    }

    /// Whether somebody else decides than who proposed: another system, and another agency or another person at the desk. A
    /// desk that does not say who sits there is one person. What the operator proposed at the console, any system may decide.
    fn second(&self, by: &Decider<'_>) -> bool {
        let Some(client) = self.client else { return true };
        let other_person = match (&self.detail.user, &by.actor.user) {
            (Some(first), Some(second)) => first != second,
            _ => false,
        };
        by.actor.client != Some(client) && (self.agency.as_ref() != Some(by.agency) || other_person)
    }
}

/// Who decides, and when.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'d> {
    /// For the ledger.
    pub actor: &'d Actor,
    /// The agency.
    pub agency: &'d AgencyCode,
    /// When.
    pub now: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Bucket;
    use crate::kernel::trail::Trail;

    fn actor(client: ClientId, user: Option<&str>) -> Actor {
        Actor {
            client: Some(client),
            agency: None,
            user: user.map(str::to_owned),
            purpose: None,
            request_id: uuid::Uuid::nil(),
            trail: Trail::default(),
        }
    }

    #[test]
    fn nobody_lets_go_what_they_proposed_themselves() {
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let client = || ClientId::generate(now, Bucket::random());
        let (first, second) = (client(), client());
        let agency = |code: &str| AgencyCode::parse(code).unwrap();
        let proposal = |client: Option<ClientId>, user: Option<&str>| Proposal {
            id: ReleaseProposalId::generate(now, Bucket::random()),
            version: 1,
            period: "2025".into(),
            state: State::Proposed,
            as_of: AsOf::default(),
            sha256: String::new(),
            agency: client.map(|_| agency("PE-DP")),
            client,
            detail: Detail { user: user.map(str::to_owned), ..Detail::default() },
            created_at: now,
            updated_at: now,
        };
        let said = |mut of: Proposal, trigger, by: &Actor, code: &str| {
            let agency = agency(code);
            of.decide(trigger, None, &Decider { actor: by, agency: &agency, now }, None).map(|()| of.state)
        };
        let alone = Err(Error::StateConflict(vec!["second_person_needed".into()]));
        // The same system, whatever it says of its desk.
        assert_eq!(said(proposal(Some(first), Some("ana")), Trigger::Approve, &actor(first, Some("luz")), "PE-DP"), alone);
        assert_eq!(said(proposal(Some(first), None), Trigger::Reject, &actor(first, None), "PE-MININTER-DGSD"), alone);
        // Another system of the same agency: only where it says that another person sits there.
        assert_eq!(said(proposal(Some(first), None), Trigger::Approve, &actor(second, None), "PE-DP"), alone);
        assert_eq!(said(proposal(Some(first), Some("ana")), Trigger::Approve, &actor(second, Some("ana")), "PE-DP"), alone);
        assert_eq!(said(proposal(Some(first), None), Trigger::Approve, &actor(second, Some("luz")), "PE-DP"), alone);
        let approved = Ok(State::Approved);
        assert_eq!(
            said(proposal(Some(first), Some("ana")), Trigger::Approve, &actor(second, Some("luz")), "PE-DP"),
            approved
        );
        assert_eq!(said(proposal(Some(first), None), Trigger::Approve, &actor(second, None), "PE-MININTER-DGSD"), approved);
        assert_eq!(said(proposal(None, None), Trigger::Approve, &actor(second, None), "PE-DP"), approved);
        assert_eq!(said(proposal(Some(first), None), Trigger::Withdraw, &actor(first, None), "PE-DP"), Ok(State::Withdrawn));
    }

    #[test]
    fn what_is_decided_is_decided() {
        for state in State::ALL {
            for trigger in [Trigger::Approve, Trigger::Reject, Trigger::Withdraw] {
                assert_eq!(state.after(trigger).is_some(), state == State::Proposed);
            }
        }
    }
}
