//! On what help rests: the victim's consent, or the law. The same rule for assistance and for reunifications.
//!
//! Help is never a condition for testimony, and never done without the person: it takes a consent to `assistance` that
//! is in force, or one of the law's own grounds. To name another agency as provider tells it of the person, so it takes
//! a ground at once; what an agency only notes for itself may wait until it is planned.

use crate::consents::store as consents;
use crate::db::Conn;
use crate::kernel::ids::{ConsentId, VictimId};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};

/// What consent must be for.
const PURPOSE: &str = "assistance";
/// The ground that is a consent.
const CONSENT: &str = "consent";
/// The ground that only a minor gives.
const MINOR: &str = "minor_protection";

/// What help rests on, and who learns of it.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'g> {
    /// Whose.
    pub victim: VictimId,
    /// Whether the law presumes her or him to be a minor.
    pub minor: bool,
    /// Code list `legal_basis`.
    pub basis: Option<&'g str>,
    /// The consent, where that is the basis.
    pub consent: Option<ConsentId>,
    /// Who provides it, and where the request names it.
    pub provider: (Option<&'g AgencyCode>, &'static str),
    /// Who registers it.
    pub registrar: &'g AgencyCode,
}

/// Faults of a ground, at the pointers of the request. A consent is held to the end of the transaction: it cannot be
/// withdrawn before what now rests on it is there to be found.
pub fn faults(tx: &mut Conn, known: impl Fn(&str) -> bool, ground: Ground<'_>, now: Timestamp) -> Result<Vec<Fault>> {
    let Ground { victim, minor, basis, consent, provider: (provider, pointer), registrar } = ground;
    let fault = |at: &str, code| Ok(vec![Fault::body(at, code)]);
    let Some(basis) = basis else {
        return match (consent, provider) {
            (Some(_), _) => fault("/consent_id", FaultCode::CrossField),
            (None, Some(other)) if other != registrar => fault("/legal_basis", FaultCode::Required),
            (None, _) => Ok(Vec::new()),
        };
    };
    if !known(basis) {
        return fault("/legal_basis", FaultCode::Enum);
    }
    if basis != CONSENT {
        return match consent {
            Some(_) => fault("/consent_id", FaultCode::CrossField),
            None if basis == MINOR && !minor => fault("/legal_basis", FaultCode::CrossField),
            None => Ok(Vec::new()),
        };
    }
    let Some(consent) = consent else { return fault("/consent_id", FaultCode::Required) };
    let consent = match consents::held(tx, consent) {
        Ok(consent) if consent.victim == victim => consent,
        Ok(_) | Err(Error::NotFound) => return fault("/consent_id", FaultCode::ReferenceNotFound),
        Err(other) => return Err(other),
    };
    if !consent.in_force(now) || !consent.detail.purposes.iter().any(|p| p == PURPOSE) {
        return fault("/consent_id", FaultCode::CrossField);
    }
    match provider {
        Some(other) if other != registrar && !consent.names(other) => fault(pointer, FaultCode::CrossField),
        _ => Ok(Vec::new()),
    }
}

/// Whether what rests on a consent, or on none, may go on.
pub fn holds(conn: &mut Conn, consent: Option<ConsentId>, now: Timestamp) -> Result<bool> {
    match consent {
        None => Ok(true),
        Some(consent) => Ok(consents::find(conn, consent)?.in_force(now)),
    }
}
