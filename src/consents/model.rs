//! The consent and its rules. Pure: no I/O, no clock. Its states are in `states.rs`.

use serde::{Deserialize, Serialize};

use super::states::State;
use super::wire::{ConsentCreate, ConsentTransitionCreate, ConsentView};
use crate::act::Act;
use crate::cases::sections::repeated;
use crate::catalogue::{Catalogue, WrittenUnder};
use crate::kernel::ids::{ConsentId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Result, Timestamp};

/// A consent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consent {
    /// The consent, in its victim's bucket.
    pub id: ConsentId,
    /// Version.
    pub version: i64,
    /// Whose it is.
    pub victim: VictimId,
    /// Who asked.
    pub agency: AgencyCode,
    /// State.
    pub state: State,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Everything else.
    pub detail: ConsentDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document: the one place that a vault has to seal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentDetail {
    /// What for.
    pub purposes: Vec<String>,
    /// To whom; anybody if empty.
    pub recipients: Vec<AgencyCode>,
    /// Language.
    pub language: String,
    /// With an interpreter.
    pub interpreter: bool,
    /// Form.
    pub form: String,
    /// Who answers.
    pub given_by: String,
    /// The guardian may be involved.
    pub guardian_conflict: bool,
    /// Version of the text.
    pub text_version: Option<String>,
    /// Who explained it.
    pub explained_by: Option<Pii<String>>,
    /// Proof.
    pub evidence: Option<Pii<String>>,
    /// When it was given.
    pub given_at: Option<Timestamp>,
    /// When it was refused.
    pub refused_at: Option<Timestamp>,
    /// When it was taken back.
    pub withdrawn_at: Option<Timestamp>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// The giver that speaks for nobody else.
const SELF: &str = "self";
/// Father, mother or guardian.
const GUARDIAN: &str = "guardian";

impl Consent {
    /// An offer from a request, with the faults that show without the store.
    pub fn offer(new: ConsentCreate, act: &Act, id: ConsentId, victim: VictimId) -> (Self, Vec<Fault>) {
        let ConsentCreate {
            purposes,
            recipients,
            language,
            interpreter,
            form,
            given_by,
            guardian_conflict,
            text_version,
            explained_by,
            expires_at,
        } = new;
        let consent = Self {
            id,
            version: 1,
            victim,
            agency: act.agency().clone(),
            state: State::Offered,
            expires_at,
            detail: ConsentDetail {
                purposes,
                recipients,
                language,
                interpreter,
                form,
                given_by,
                guardian_conflict,
                text_version,
                explained_by,
                evidence: None,
                given_at: None,
                refused_at: None,
                withdrawn_at: None,
                written_under: WrittenUnder::new(&act.catalogue),
            },
            created_at: act.now,
            updated_at: act.now,
        };
        let mut faults = Vec::new();
        consent.check(&act.catalogue, &mut faults);
        if consent.expires_at.is_some_and(|end| end <= act.now) {
            faults.push(Fault::body("/expires_at", FaultCode::DateOrder));
        }
        (consent, faults)
    }

    fn check(&self, law: &Catalogue, faults: &mut Vec<Fault>) {
        let detail = &self.detail;
        let mut fault = |pointer: String, code| faults.push(Fault::body(pointer, code));
        for (index, purpose) in detail.purposes.iter().enumerate() {
            if !law.has_code("consent_purpose", purpose) {
                fault(format!("/purposes/{index}"), FaultCode::Enum);
            }
        }
        for index in repeated(&detail.purposes) {
            fault(format!("/purposes/{index}"), FaultCode::UniqueItems);
        }
        for index in repeated(&detail.recipients) {
            fault(format!("/recipients/{index}"), FaultCode::UniqueItems);
        }
        if !law.language_known(&detail.language) {
            fault("/language".to_owned(), FaultCode::Enum);
        }
        for (pointer, list, code) in
            [("/form", "consent_form", &detail.form), ("/given_by", "consent_giver", &detail.given_by)]
        {
            if !law.has_code(list, code) {
                fault(pointer.to_owned(), FaultCode::Enum);
            }
        }
        if detail.guardian_conflict && detail.given_by == GUARDIAN {
            fault("/given_by".to_owned(), FaultCode::CrossField);
        }
        faults.extend(long("/explained_by", detail.explained_by.as_ref(), 200));
    }

    /// Faults of who answers for a person of this age. The law presumes minority where age is unknown.
    pub fn giver_faults(&self, minor: bool) -> Vec<Fault> {
        let wrong = match self.detail.given_by.as_str() {
            SELF => minor,
            GUARDIAN => !minor,
            _ => false,
        };
        if wrong { vec![Fault::body("/given_by", FaultCode::CrossField)] } else { Vec::new() }
    }

    /// Ends what a guardian agreed to: the victim is of age and answers for herself or himself. False where nothing ends.
    pub fn came_of_age(&mut self, now: Timestamp) -> bool {
        if self.state != State::Given || self.detail.given_by != GUARDIAN {
            return false;
        }
        self.state = State::Expired;
        self.version += 1;
        self.updated_at = now;
        true
    }

    /// Moves it; the caller has checked that the trigger leads to `next`.
    pub fn moved(&mut self, next: State, new: &ConsentTransitionCreate, now: Timestamp) -> Result<()> {
        let at = new.at.unwrap_or(now);
        let mut faults = Vec::new();
        // Nothing happens in the future, and no answer before the question; a question may be registered after it.
        if at > now || self.detail.given_at.is_some_and(|given| at < given) {
            faults.push(Fault::body("/at", FaultCode::DateOrder));
        }
        if new.evidence.is_some() && next != State::Given {
            faults.push(Fault::body("/evidence", FaultCode::CrossField));
        }
        faults.extend(long("/evidence", new.evidence.as_ref(), 2_000));
        crate::kernel::error::no_faults(faults)?;
        match next {
            State::Expired if self.expires_at.is_none_or(|end| end > now) => {
                return Err(Error::StateConflict(vec!["not_yet_expired".into()]));
            }
            State::Offered | State::Expired => {}
            State::Given => {
                self.detail.given_at = Some(at);
                self.detail.evidence.clone_from(&new.evidence);
            }
            State::Refused => self.detail.refused_at = Some(at),
            State::Withdrawn => self.detail.withdrawn_at = Some(at),
        }
        self.state = next;
        self.version += 1;
        self.updated_at = now;
        Ok(())
    }

    /// Whether something may rest on it at this instant.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.state == State::Given && self.expires_at.is_none_or(|end| end > now)
    }

    /// Whether it allows what is disclosed for a purpose of use. What supervises the authorities rests on law, never
    /// on consent.
    pub fn covers(&self, purpose_of_use: &str) -> bool {
        let needed = match purpose_of_use {
            "assistance" | "protection" | "referral" => "referral",
            "investigation" | "prosecution" => "data_sharing",
            "statistics" => "research",
            _ => return false,
        };
        self.detail.purposes.iter().any(|p| p == needed)
    }

    /// Whether it allows a disclosure to an agency.
    pub fn names(&self, agency: &AgencyCode) -> bool {
        self.detail.recipients.is_empty() || self.detail.recipients.contains(agency)
    }

    /// The consent, with its proof or without.
    pub fn view(&self, now: Timestamp, with_proof: bool) -> ConsentView {
        let in_force = self.in_force(now);
        let Self { id, version, victim, agency, state, expires_at, detail, created_at, updated_at } = self.clone();
        let ConsentDetail {
            purposes,
            recipients,
            language,
            interpreter,
            form,
            given_by,
            guardian_conflict,
            text_version,
            explained_by,
            evidence,
            given_at,
            refused_at,
            withdrawn_at,
            written_under: _,
        } = detail;
        ConsentView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: agency,
            victim_id: victim,
            state: state.as_str().to_owned(),
            in_force,
            purposes,
            recipients,
            language,
            interpreter,
            form,
            given_by,
            guardian_conflict,
            text_version,
            offered_at: created_at,
            given_at,
            refused_at,
            withdrawn_at,
            expires_at,
            explained_by: explained_by.filter(|_| with_proof),
            evidence: evidence.filter(|_| with_proof),
            redacted: if with_proof { Vec::new() } else { vec!["#/explained_by".to_owned(), "#/evidence".to_owned()] },
        }
    }
}

fn long(pointer: &str, text: Option<&Pii<String>>, most: usize) -> Option<Fault> {
    let text = text?.0.trim();
    let code = match text.chars().count() {
        0 => FaultCode::MinLength,
        n if n > most => FaultCode::MaxLength,
        _ => return None,
    };
    Some(Fault::body(pointer, code))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Bucket;

    #[test]
    fn a_consent_covers_what_was_explained_and_nothing_else() {
        let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
        let (id, victim) = (ConsentId::generate(now, Bucket::random()), VictimId::generate(now, Bucket::random()));
        let agency = AgencyCode::parse("PE-MP").unwrap();
        let mut consent = Consent {
            id,
            version: 1,
            victim,
            agency: agency.clone(),
            state: State::Given,
            expires_at: Some(now),
            detail: serde_json::from_value(serde_json::json!({"purposes": [], "recipients": [], "language": "es",
                "interpreter": false, "form": "written", "given_by": "self", "guardian_conflict": false,
                "text_version": null, "explained_by": null, "evidence": null, "given_at": null, "refused_at": null,
                "withdrawn_at": null}))
            .unwrap(),
            created_at: now,
            updated_at: now,
        };
        assert!(!consent.in_force(now) && consent.in_force(now.plus_seconds(-1)), "it ends with its last instant");
        for state in [State::Offered, State::Refused, State::Withdrawn, State::Expired] {
            assert!(!Consent { state, ..consent.clone() }.in_force(now.plus_seconds(-1)), "{state:?}");
        }
        for (purpose, uses) in [
            ("referral", &["assistance", "protection", "referral"][..]),
            ("data_sharing", &["investigation", "prosecution"]),
            ("research", &["statistics"]),
            ("media", &[]),
            ("testimony", &[]),
            ("assistance", &[]),
        ] {
            consent.detail.purposes = vec![purpose.to_owned()];
            let covered: Vec<&str> =
                crate::auth::Purpose::ALL.iter().map(|p| p.as_str()).filter(|p| consent.covers(p)).collect();
            assert_eq!(covered.len(), uses.len(), "{purpose}: {covered:?}");
            assert!(uses.iter().all(|u| covered.contains(u)), "{purpose}: {covered:?}");
        }
        assert!(consent.names(&agency));
        consent.detail.recipients = vec![AgencyCode::parse("PE-PNP").unwrap()];
        assert!(!consent.names(&agency));
    }
}
