//! The referral and its rules. Pure: no I/O, no clock. Its states are in `states.rs`.

use serde::{Deserialize, Serialize};

use super::states::{Standing, State};
use super::wire::{ReferralCreate, ReferralPatch, ReferralTransitionCreate, ReferralView};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::Sections;
use crate::cases::sections::{self, repeated};
use crate::catalogue::{Catalogue, WrittenUnder, keep_standing_codes};
use crate::consents::Ground;
use crate::kernel::ids::{CaseId, ConsentId, ReferralId, VictimId};
use crate::kernel::{AgencyCode, Fault, FaultCode, Field, Timestamp};

/// A referral.
#[derive(Clone, Debug, PartialEq)]
pub struct Referral {
    /// The referral, in its case's bucket.
    pub id: ReferralId,
    /// Version.
    pub version: i64,
    /// Speakable reference.
    pub number: String,
    /// The case.
    pub case: CaseId,
    /// Sender.
    pub from: AgencyCode,
    /// Receiver.
    pub to: AgencyCode,
    /// Code list `referral_kind`.
    pub kind: String,
    /// State.
    pub state: State,
    /// Everything else.
    pub detail: ReferralDetail,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by_agency: AgencyCode,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What no list filters or sorts by. Stored as one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferralDetail {
    /// The only victims that it shows.
    pub victims: Option<Vec<VictimId>>,
    /// Codes of the granted sections.
    pub sections: Vec<String>,
    /// Services asked for.
    pub services: Vec<String>,
    /// Purpose of use.
    pub purpose: String,
    /// Urgency.
    pub urgency: String,
    /// Legal basis.
    pub legal_basis: String,
    /// The consent on which it rests.
    #[serde(default)]
    pub consent_id: Option<ConsentId>,
    /// Where a document of the consent is kept.
    pub consent_ref: Option<String>,
    /// Message.
    pub message: Option<String>,
    /// When an answer is due.
    pub due_at: Option<Timestamp>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// When it was accepted or rejected.
    pub decided_at: Option<Timestamp>,
    /// When it was completed or revoked.
    pub ended_at: Option<Timestamp>,
    /// Why it was rejected or revoked.
    pub reason: Option<String>,
    /// What came of it: code list `referral_outcome`.
    pub outcome: Option<String>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// Urgency where a request does not name one.
const DEFAULT_URGENCY: &str = "ordinary";
/// The legal basis that needs a record of it.
const CONSENT: &str = "consent";
/// The kind that needs a service.
const SERVICE_REQUEST: &str = "service_request";

impl Referral {
    /// A draft from a request, with the faults that show without the store: victims and receiver are looked up
    /// by the action.
    pub fn draft(new: ReferralCreate, act: &Act, id: ReferralId) -> (Self, Vec<Fault>) {
        let ReferralCreate {
            case_id,
            kind,
            to_agency,
            victims,
            sections,
            services,
            purpose,
            urgency,
            legal_basis,
            consent_id,
            consent_ref,
            message,
            due_at,
        } = new;
        let referral = Self {
            id,
            version: 1,
            number: act.reference("RF"),
            case: case_id,
            from: act.agency().clone(),
            to: to_agency,
            kind,
            state: State::Draft,
            detail: ReferralDetail {
                victims,
                sections,
                services,
                purpose,
                urgency: urgency.unwrap_or_else(|| DEFAULT_URGENCY.to_owned()),
                legal_basis,
                consent_id,
                consent_ref,
                message,
                due_at,
                sent_at: None,
                decided_at: None,
                ended_at: None,
                reason: None,
                outcome: None,
                written_under: WrittenUnder::new(&act.catalogue),
            },
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
        };
        let mut faults = Vec::new();
        referral.check(&act.catalogue, &mut faults);
        referral.check_due(act.now, &mut faults);
        (referral, faults)
    }

    /// Applies a patch to a draft; answers the pointers that changed and the faults. The version grows only if
    /// something changed.
    pub fn amend(&mut self, patch: ReferralPatch, act: &Act) -> (Vec<String>, Vec<Fault>) {
        let ReferralPatch {
            kind,
            to_agency,
            victims,
            sections,
            services,
            purpose,
            urgency,
            legal_basis,
            consent_id,
            consent_ref,
            message,
            due_at,
        } = patch;
        let mut faults = Vec::new();
        let mut changed = Vec::new();
        let detail = &mut self.detail;
        let mut note = |pointer: &str, did: bool| {
            if did {
                changed.push(format!("#{pointer}"));
            }
        };
        note("/kind", set(&mut self.kind, kind, "/kind", &mut faults));
        note("/to_agency", set(&mut self.to, to_agency, "/to_agency", &mut faults));
        note("/victims", victims.apply(&mut detail.victims));
        note("/sections", sections.apply_or(&mut detail.sections, Vec::new()));
        note("/services", services.apply_or(&mut detail.services, Vec::new()));
        note("/purpose", set(&mut detail.purpose, purpose, "/purpose", &mut faults));
        note("/urgency", urgency.apply_or(&mut detail.urgency, DEFAULT_URGENCY.to_owned()));
        note("/legal_basis", set(&mut detail.legal_basis, legal_basis, "/legal_basis", &mut faults));
        note("/consent_id", consent_id.apply(&mut detail.consent_id));
        note("/consent_ref", consent_ref.apply(&mut detail.consent_ref));
        note("/message", message.apply(&mut detail.message));
        let due = due_at.apply(&mut detail.due_at);
        note("/due_at", due);
        self.check(&act.catalogue, &mut faults);
        keep_standing_codes(&mut faults, &changed);
        if due {
            self.check_due(act.now, &mut faults);
        }
        if !changed.is_empty() {
            self.detail.written_under.note(&act.catalogue, &changed);
            self.version += 1;
            self.updated_at = act.now;
        }
        (changed, faults)
    }

    fn check(&self, law: &Catalogue, faults: &mut Vec<Fault>) {
        let mut fault = |pointer: String, code| faults.push(Fault::body(pointer, code));
        let detail = &self.detail;
        for (pointer, list, code) in [
            ("/kind", "referral_kind", &self.kind),
            ("/purpose", "purpose_of_use", &detail.purpose),
            ("/urgency", "urgency", &detail.urgency),
            ("/legal_basis", "legal_basis", &detail.legal_basis),
        ] {
            if !law.has_code(list, code) {
                fault(pointer.to_owned(), FaultCode::Enum);
            }
        }
        for (index, service) in detail.services.iter().enumerate() {
            if !law.has_code("service", service) {
                fault(format!("/services/{index}"), FaultCode::Enum);
            }
        }
        for index in repeated(&detail.services) {
            fault(format!("/services/{index}"), FaultCode::UniqueItems);
        }
        if detail.services.len() > 20 {
            fault("/services".to_owned(), FaultCode::MaxItems);
        }
        if self.kind == SERVICE_REQUEST && detail.services.is_empty() {
            fault("/services".to_owned(), FaultCode::MinItems);
        }
        if let Some(victims) = &detail.victims {
            for index in repeated(victims) {
                fault(format!("/victims/{index}"), FaultCode::UniqueItems);
            }
            if victims.is_empty() {
                fault("/victims".to_owned(), FaultCode::MinItems);
            } else if victims.len() > 200 {
                fault("/victims".to_owned(), FaultCode::MaxItems);
            }
        }
        if self.from == self.to {
            fault("/to_agency".to_owned(), FaultCode::CrossField);
        }
        if detail.legal_basis == CONSENT {
            if detail.consent_id.is_none() {
                fault("/consent_id".to_owned(), FaultCode::Required);
            }
            // Nobody consents for another: what shows several victims rests on something else.
            match detail.victims.as_deref() {
                None => fault("/victims".to_owned(), FaultCode::Required),
                Some([_]) => {}
                Some(_) => fault("/victims".to_owned(), FaultCode::CrossField),
            }
        } else if detail.consent_id.is_some() {
            fault("/consent_id".to_owned(), FaultCode::CrossField);
        }
        for (pointer, text, max) in [("/consent_ref", &detail.consent_ref, 200), ("/message", &detail.message, 10_000)] {
            if let Some(text) = text {
                if text.trim().is_empty() {
                    fault(pointer.to_owned(), FaultCode::MinLength);
                } else if text.chars().count() > max {
                    fault(pointer.to_owned(), FaultCode::MaxLength);
                }
            }
        }
        faults.extend(sections::faults(&detail.sections, "/sections"));
    }

    fn check_due(&self, now: Timestamp, faults: &mut Vec<Fault>) {
        if self.detail.due_at.is_some_and(|due| due <= now) {
            faults.push(Fault::body("/due_at", FaultCode::DateOrder));
        }
    }

    /// Moves it along; the caller has checked that the trigger leads to `next`.
    pub fn moved(&mut self, next: State, new: &ReferralTransitionCreate, now: Timestamp) {
        self.state = next;
        self.version += 1;
        self.updated_at = now;
        let detail = &mut self.detail;
        match next {
            State::Draft => {}
            State::Sent => detail.sent_at = Some(now),
            State::Accepted => detail.decided_at = Some(now),
            State::Rejected => {
                detail.decided_at = Some(now);
                detail.reason = new.reason.clone();
                detail.outcome = new.outcome.clone();
            }
            State::Completed => {
                detail.ended_at = Some(now);
                detail.outcome = new.outcome.clone();
            }
            State::Revoked => {
                detail.ended_at = Some(now);
                detail.reason = new.reason.clone();
            }
        }
    }

    /// The consent on which it rests, and whose it must be; none where it rests on something else.
    pub fn ground(&self) -> Option<Ground<'_>> {
        match (self.detail.consent_id, self.detail.victims.as_deref()) {
            (Some(consent), Some([victim])) if self.detail.legal_basis == CONSENT => {
                Some(Ground { consent, victim: *victim, purpose: &self.detail.purpose, to: &self.to })
            }
            _ => None,
        }
    }

    /// How a caller stands to it; none for those who may not know of it.
    pub fn standing(&self, scope: &Scope) -> Option<Standing> {
        if scope.oversight() {
            Some(Standing::Overseer)
        } else if *scope.agency() == self.from {
            Some(Standing::Sender)
        } else if *scope.agency() == self.to && self.detail.sent_at.is_some() {
            Some(Standing::Receiver)
        } else {
            None
        }
    }

    /// The part that its receiver takes in the case: code list `participant_role`.
    pub fn role(&self) -> &'static str {
        match self.kind.as_str() {
            SERVICE_REQUEST => "victim_care",
            "transfer_of_competence" => "investigation_support",
            _ => "information",
        }
    }

    /// What it grants while it is accepted.
    pub fn sections(&self) -> Sections {
        Sections::parse(self.detail.sections.iter().map(String::as_str)).unwrap_or(Sections::NONE)
    }

    /// The referral as those may see it who see it at all: the same for everybody.
    pub fn view(&self) -> ReferralView {
        let Self { id, version, number, case, from, to, kind, state, detail, created_at, created_by_agency, updated_at } =
            self.clone();
        let ReferralDetail {
            victims,
            sections,
            services,
            purpose,
            urgency,
            legal_basis,
            consent_id,
            consent_ref,
            message,
            due_at,
            sent_at,
            decided_at,
            ended_at,
            reason,
            outcome,
            written_under: _,
        } = detail;
        ReferralView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency,
            owner_agency: from.clone(),
            number,
            kind,
            state,
            case_id: case,
            from_agency: from,
            to_agency: to,
            victims,
            sections,
            services,
            purpose,
            urgency,
            legal_basis,
            consent_id,
            consent_ref,
            message,
            due_at,
            sent_at,
            decided_at,
            ended_at,
            reason,
            outcome,
            redacted: Vec::new(),
        }
    }
}

/// The view part of a referral's entity tag: all who see it see the same.
pub const TAG: &str = "a";

fn set<T: PartialEq>(target: &mut T, field: Field<T>, pointer: &str, faults: &mut Vec<Fault>) -> bool {
    match field {
        Field::Absent => false,
        Field::Null => {
            faults.push(Fault::body(pointer, FaultCode::Required));
            false
        }
        Field::Set(value) => {
            let changed = *target != value;
            *target = value;
            changed
        }
    }
}
