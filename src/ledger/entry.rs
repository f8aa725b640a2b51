//! What one entry says. Pure.

use serde::Serialize;

use crate::auth::Purpose;
use crate::kernel::ids::{BreakGlassId, ClientId, Kind, ResourceId};
use crate::kernel::trail::Trail;
use crate::kernel::{AgencyCode, Id};

/// Who did it, and in which request.
#[derive(Clone, Debug)]
pub struct Actor {
    /// The partner system; none for the operator's command line.
    pub client: Option<ClientId>,
    /// The agency it acted for.
    pub agency: Option<AgencyCode>,
    /// The person at its desk, as it said.
    pub user: Option<String>,
    /// Why.
    pub purpose: Option<Purpose>,
    /// The request.
    pub request_id: uuid::Uuid,
    /// What the request leaves behind: entries name the emergency under which it saw what it saw.
    pub trail: Trail,
}

/// What was done. The text is the event type of the feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A record was made.
    Created,
    /// Fields were changed.
    Updated,
    /// A procedural act moved its state.
    Transitioned,
    /// Somebody looked at it.
    Read,
    /// An agency was let in.
    Granted,
    /// An agency was shut out.
    Revoked,
    /// A person was tied to a case, or a record to another.
    Linked,
    /// An agency asked whether another one knows somebody.
    Asked,
    /// This person was the one whom an agency asked for.
    Matched,
    /// Somebody looks at more than the work explains.
    Alerted,
    /// A person's key was destroyed.
    Erased,
    /// Both sides were told that half of the time is over.
    Reminded,
    /// Both sides and oversight were told that all of it is.
    Escalated,
    /// The ledger itself goes on under a new origin.
    Reopened,
}

impl Action {
    /// Every action.
    pub const ALL: &[Self] = &[
        Self::Created,
        Self::Updated,
        Self::Transitioned,
        Self::Read,
        Self::Granted,
        Self::Revoked,
        Self::Linked,
        Self::Asked,
        Self::Matched,
        Self::Alerted,
        Self::Erased,
        Self::Reminded,
        Self::Escalated,
        Self::Reopened,
    ];

    /// The action of a verb.
    pub fn parse(verb: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|a| a.verb() == verb)
    }

    /// The verb of the entry, as stored: `case.created` is type and verb.
    pub fn verb(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Transitioned => "transitioned",
            Self::Read => "read",
            Self::Granted => "granted",
            Self::Revoked => "revoked",
            Self::Linked => "linked",
            Self::Asked => "asked",
            Self::Matched => "matched",
            Self::Alerted => "alerted",
            Self::Erased => "erased",
            Self::Reminded => "reminded",
            Self::Escalated => "escalated",
            Self::Reopened => "reopened",
        }
    }
}

/// What happened, without values: only pointers, codes and states. Content is sealed by the vault.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Payload {
    /// Pointers of the fields that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// Trigger of a transition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// State before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// State after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// The agency that was let in or shut out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// What was asked for, keyed: the same question has the same one, and it tells nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked: Option<String>,
    /// How many records the answer had.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<usize>,
    /// The records that a list showed, or the other one of two that were tied.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shown: Vec<ResourceId>,
    /// The emergency under which it was in sight.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency: Option<BreakGlassId>,
    /// Reference of the act on which an erasure rests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<String>,
}

impl Payload {
    /// Whether there is nothing to store.
    pub fn is_empty(&self) -> bool {
        let Self { changed, trigger, from, to, agency, asked, results, shown, emergency, basis } = self;
        changed.is_empty()
            && trigger.is_none()
            && from.is_none()
            && to.is_none()
            && agency.is_none()
            && asked.is_none()
            && results.is_none()
            && shown.is_empty()
            && emergency.is_none()
            && basis.is_none()
    }
}

/// One entry on its way into the ledger.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Verb.
    pub action: Action,
    /// Type of the resource: `case`, `victim_identity` …
    pub resource_type: &'static str,
    /// The resource.
    pub resource_id: ResourceId,
    /// Its version after the change, or as read.
    pub version: Option<i64>,
    /// What changed.
    pub payload: Payload,
    /// Whether it showed persons: then each of them gets an entry of his or her own beside it.
    pub persons: bool,
}

impl Entry {
    /// An entry about a resource.
    pub fn new<K: Kind>(action: Action, id: Id<K>, version: Option<i64>) -> Self {
        Self {
            action,
            resource_type: K::NAME,
            resource_id: id.erase(),
            version,
            payload: Payload::default(),
            persons: false,
        }
    }

    /// The same entry about a part of the resource that has its own door (`victim_identity`).
    pub fn about(mut self, resource_type: &'static str) -> Self {
        self.resource_type = resource_type;
        self
    }

    /// With the pointers that changed.
    pub fn changed(mut self, pointers: Vec<String>) -> Self {
        self.payload.changed = pointers;
        self
    }

    /// With a move of state.
    pub fn moved(mut self, trigger: &str, from: &str, to: &str) -> Self {
        self.payload.trigger = Some(trigger.to_owned());
        self.payload.from = Some(from.to_owned());
        self.payload.to = Some(to.to_owned());
        self
    }

    /// A list that was shown to a client: one entry that names every record on the page.
    pub fn listed<K: Kind>(client: ClientId, resource_type: &'static str, shown: impl Iterator<Item = Id<K>>) -> Self {
        let payload = Payload { shown: shown.map(Id::erase).collect(), ..Payload::default() };
        Self { action: Action::Read, resource_type, resource_id: client.erase(), version: None, payload, persons: K::PERSON }
    }

    /// The entries of the persons that a list showed, each in the person's own bucket: whoever asks later who looked at
    /// one person reads one place.
    pub fn of_persons(&self) -> Vec<Self> {
        let shown: &[ResourceId] = if self.persons { &self.payload.shown } else { &[] };
        let one = |person: &ResourceId| Self {
            action: Action::Read,
            resource_type: self.resource_type,
            resource_id: *person,
            version: None,
            payload: Payload::default(),
            persons: false,
        };
        shown.iter().map(one).collect()
    }

    /// With the question and how many answers it had.
    pub fn asked(mut self, question: String, results: usize) -> Self {
        self.payload.asked = Some(question);
        self.payload.results = Some(results);
        self
    }

    /// With the reference of the act on which it rests.
    pub fn resting_on(mut self, basis: &str) -> Self {
        self.payload.basis = Some(basis.to_owned());
        self
    }

    /// With the other record of two that were tied. Only an auditor is shown it.
    pub fn with<K: Kind>(mut self, other: Id<K>) -> Self {
        self.payload.shown = vec![other.erase()];
        self
    }

    /// With the agency concerned.
    pub fn agency(mut self, agency: &AgencyCode) -> Self {
        self.payload.agency = Some(agency.to_string());
        self
    }
}
