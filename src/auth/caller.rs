//! Who is calling, as a verified token says. Pure.

use crate::kernel::agency_code::OVERSIGHT_LANE;
use crate::kernel::ids::ClientId;
use crate::kernel::trail::Trail;
use crate::kernel::{AgencyCode, Bucket, Timestamp};

/// Why a caller looks: one of the client's registered purposes (code list `purpose_of_use`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Help to a victim.
    Assistance,
    /// Protection measures.
    Protection,
    /// Police or prosecutorial inquiry.
    Investigation,
    /// Court proceedings.
    Prosecution,
    /// Communication between authorities.
    Referral,
    /// Supervision of the authorities.
    Oversight,
    /// Figures.
    Statistics,
    /// Inspection of the record.
    Audit,
}

impl Purpose {
    /// Every purpose.
    pub const ALL: [Self; 8] = [
        Self::Assistance,
        Self::Protection,
        Self::Investigation,
        Self::Prosecution,
        Self::Referral,
        Self::Oversight,
        Self::Statistics,
        Self::Audit,
    ];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Assistance => "assistance",
            Self::Protection => "protection",
            Self::Investigation => "investigation",
            Self::Prosecution => "prosecution",
            Self::Referral => "referral",
            Self::Oversight => "oversight",
            Self::Statistics => "statistics",
            Self::Audit => "audit",
        }
    }

    /// The purpose of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == code)
    }
}

/// A verified caller.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The partner system.
    pub client: ClientId,
    /// The agency it acts for.
    pub agency: AgencyCode,
    /// Whether the agency supervises: it sees every case, and no identity.
    pub oversight: bool,
    /// The person at the partner's desk, as the partner says. An opaque reference.
    pub user: Option<String>,
    /// Scopes granted to this token.
    pub scopes: Vec<&'static str>,
    /// Why this token was taken.
    pub purpose: Purpose,
    /// When the token ends.
    pub expires_at: Timestamp,
}

/// Whose rows a store function may see. Only a verified [`Caller`] makes one.
#[derive(Clone, Debug)]
pub struct Scope {
    agency: AgencyCode,
    oversight: bool,
    at: Timestamp,
    trail: Trail,
}

impl Caller {
    /// The caller's view of the registry at an instant.
    pub fn scope(&self, now: Timestamp) -> Scope {
        Scope { agency: self.agency.clone(), oversight: self.oversight, at: now, trail: Trail::default() }
    }

    /// Whether the token carries a scope.
    pub fn has(&self, scope: &str) -> bool {
        self.scopes.contains(&scope)
    }
}

impl Scope {
    /// The agency.
    pub fn agency(&self) -> &AgencyCode {
        &self.agency
    }

    /// Whether this is an oversight view.
    pub fn oversight(&self) -> bool {
        self.oversight
    }

    /// The instant: what was opened for a time is open if it ends later.
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// The same view, whose use leaves its marks on a request's trail.
    pub fn on(self, trail: &Trail) -> Self {
        Self { trail: trail.clone(), ..self }
    }

    /// Where it is noted that something is in sight because of an emergency.
    pub fn trail(&self) -> &Trail {
        &self.trail
    }

    /// The docket lane that decides what is visible.
    pub fn lane(&self) -> &str {
        if self.oversight { OVERSIGHT_LANE } else { self.agency.as_str() }
    }

    /// The lane's bucket.
    pub fn lane_bucket(&self) -> Bucket {
        crate::kernel::agency_code::lane_bucket(self.lane())
    }
}
