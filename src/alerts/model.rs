//! An alert and its rules. Pure: no I/O, no clock.

use super::wire::{AlertTransitionCreate, AlertView};
use crate::act::Act;
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AlertId, ClientId};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};
use crate::ledger::Actor;
use crate::persons::erasure::is_reference;

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Budget {
    /// Distinct persons whose identity a client looked at.
    Subjects,
    /// The same for one person at the client's desk.
    SubjectsOfUser,
    /// Searches for persons.
    Searches,
    /// Questions of deconfliction.
    Deconfliction,
    /// Exports.
    Exports,
    /// Cases that lists showed.
    ListedCases,
    /// Persons that lists showed.
    ListedPersons,
    /// Distinct persons of the agency's own cases outside the client's territory.
    OutsideTerritory,
}

impl Budget {
    const ALL: [Self; 8] = [
        Self::Subjects,
        Self::SubjectsOfUser,
        Self::Searches,
        Self::Deconfliction,
        Self::Exports,
        Self::ListedCases,
        Self::ListedPersons,
        Self::OutsideTerritory,
    ];

    /// The code (code list `looking_budget`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Subjects => "pii_subjects",
            Self::SubjectsOfUser => "pii_subjects_user",
            Self::Searches => "search_day",
            Self::Deconfliction => "deconfliction",
            Self::Exports => "export",
            Self::ListedCases => "listed_cases",
            Self::ListedPersons => "listed_persons",
            Self::OutsideTerritory => "outside_territory",
        }
    }

    /// The name of its policy in the headers of quotas.
    pub fn policy(self) -> &'static str {
        match self {
            Self::SubjectsOfUser => Self::Subjects.as_str(),
            other => other.as_str(),
        }
    }

    /// The budget of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|b| b.as_str() == code)
    }
}

/// How far it has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// The share of the budget is used at which an alert is due.
    Warning,
    /// The budget is used up: more was asked for and refused.
    Exhausted,
}

impl Level {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Exhausted => "exhausted",
        }
    }

    /// The level of a code.
    pub fn parse(code: &str) -> Option<Self> {
        [Self::Warning, Self::Exhausted].into_iter().find(|l| l.as_str() == code)
    }
}

/// A budget that has come so far, as the counter tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Whose.
    pub client: ClientId,
    /// The person at its desk, where the budget is hers or his.
    pub user: Option<String>,
    /// Which.
    pub budget: Budget,
    /// How far.
    pub level: Level,
    /// How much was used.
    pub used: i64,
    /// Of how much.
    pub quota: i64,
    /// In how many seconds.
    pub window_s: i64,
    /// Since when.
    pub window_from: Timestamp,
}

/// An alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Its id, in the agency's bucket.
    pub id: AlertId,
    /// Version.
    pub version: i64,
    /// What happened.
    pub alarm: Alarm,
    /// The agency that the client acts for.
    pub agency: AgencyCode,
    /// The person at the desk in whose request it happened.
    pub user: Option<String>,
    /// Why that request was made.
    pub purpose: Option<String>,
    /// What oversight made of it.
    pub acknowledged: Option<Acknowledged>,
    /// When it was raised.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What oversight made of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// When.
    pub at: Timestamp,
    /// By whom.
    pub by: AgencyCode,
    /// Code list `alert_finding`.
    pub finding: String,
    /// Number of the file in which it is looked into.
    pub reference: Option<String>,
}

impl Alert {
    /// An alert of a request; none without a client, whose every request has one.
    pub fn raised(id: AlertId, actor: &Actor, alarm: Alarm, now: Timestamp) -> Option<Self> {
        Some(Self {
            id,
            version: 1,
            alarm,
            agency: actor.agency.clone()?,
            user: actor.user.clone(),
            purpose: actor.purpose.map(|p| p.as_str().to_owned()),
            acknowledged: None,
            created_at: now,
            updated_at: now,
        })
    }

    /// Acknowledges it; who may is the action's to check. Nobody acknowledges what the same system did.
    pub fn acknowledge(&mut self, new: &AlertTransitionCreate, act: &Act) -> Result<()> {
        let AlertTransitionCreate { trigger: _, finding, reference } = new;
        let mut faults = Vec::new();
        if !act.catalogue.has_code("alert_finding", finding) {
            faults.push(Fault::body("/finding", FaultCode::Enum));
        }
        if reference.as_ref().is_some_and(|r| !is_reference(r)) {
            faults.push(Fault::body("/reference", FaultCode::Pattern));
        }
        no_faults(faults)?;
        if self.acknowledged.is_some() {
            return Err(Error::StateConflict(vec!["already_acknowledged".into()]));
        }
        if act.actor.client == Some(self.alarm.client) {
            return Err(Error::StateConflict(vec!["second_person_needed".into()]));
        }
        self.acknowledged = Some(Acknowledged {
            at: act.now,
            by: act.agency().clone(),
            finding: finding.clone(),
            reference: reference.clone(),
        });
        self.version += 1;
        self.updated_at = act.now;
        Ok(())
    }

    /// As those see it who see it at all: the same for everybody.
    pub fn view(&self) -> AlertView {
        let Self { id, version, alarm, agency, user, purpose, acknowledged, created_at, updated_at } = self.clone();
        let Alarm { client, user: _, budget, level, used, quota, window_s, window_from } = alarm;
        AlertView {
            id,
            version,
            created_at,
            updated_at,
            agency,
            client_id: client,
            end_user: user,
            purpose,
            budget: budget.as_str().to_owned(),
            level: level.as_str().to_owned(),
            used,
            quota,
            window_s,
            window_from,
            state: if acknowledged.is_some() { "acknowledged" } else { "open" }.to_owned(),
            acknowledged_at: acknowledged.as_ref().map(|a| a.at),
            acknowledged_by: acknowledged.as_ref().map(|a| a.by.clone()),
            finding: acknowledged.as_ref().map(|a| a.finding.clone()),
            reference: acknowledged.and_then(|a| a.reference),
            redacted: Vec::new(),
        }
    }
}
