//! The referral and its rules. Pure: no I/O, no clock. Its states are in `states.rs`.

use serde::{Deserialize, Serialize};

use super::due::{self, Wait};
use super::states::{Standing, State};
use super::wire::{ReferralCreate, ReferralPatch, ReferralTransitionCreate};
use crate::act::Act;
use crate::auth::Scope;
use crate::cases::Sections;
use crate::cases::sections::{self, repeated};
use crate::catalogue::{Catalogue, WrittenUnder, keep_standing_codes};
use crate::consents::Ground;
use crate::kernel::ids::{CaseId, ConsentId, ReferralId, VictimId};
use crate::kernel::{AgencyCode, Fault, FaultCode, Field, Timestamp};
use crate::persons::merge_wire::MergedRecord;

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
    /// Of the victims named, those whose record was merged away; filled where it is read.
    pub merged: Vec<MergedRecord>,
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
    /// When its receiver acknowledged it.
    #[serde(default)]
    pub received_at: Option<Timestamp>,
    /// When it was accepted, rejected or redirected.
    pub decided_at: Option<Timestamp>,
    /// When the service began.
    #[serde(default)]
    pub started_at: Option<Timestamp>,
    /// When it was completed, abandoned or revoked.
    pub ended_at: Option<Timestamp>,
    /// Why it was rejected, redirected, abandoned or revoked.
    pub reason: Option<String>,
    /// What came of it: code list `referral_outcome`.
    pub outcome: Option<String>,
    /// The referral whose receiver named this one's.
    #[serde(default)]
    pub redirected_from: Option<Link>,
    /// The draft to the agency that this one's receiver named.
    #[serde(default)]
    pub redirected_to: Option<Link>,
    /// The referral that this one answers.
    #[serde(default)]
    pub counter_of: Option<Link>,
    /// What came of that one: code list `referral_outcome`.
    #[serde(default)]
    pub reported_outcome: Option<String>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// Another referral, and between whom it is: who may read the link is known without reading the other one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// The referral.
    pub referral: ReferralId,
    /// Its sender.
    pub from: AgencyCode,
    /// Its receiver.
    pub to: AgencyCode,
}

/// Urgency where a request does not name one.
const DEFAULT_URGENCY: &str = "ordinary";
/// The legal basis that needs a record of it.
const CONSENT: &str = "consent";
/// The kind that needs a service.
const SERVICE_REQUEST: &str = "service_request";

impl Referral {
    /// A draft from a request, with the faults that show without the store: victims, receiver and the referral that it
    /// answers are looked up by the action.
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
            counter_of,
            reported_outcome,
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
                received_at: None,
                decided_at: None,
                started_at: None,
                ended_at: None,
                reason: None,
                outcome: None,
                redirected_from: None,
                redirected_to: None,
                counter_of: None,
                reported_outcome,
                written_under: WrittenUnder::new(&act.catalogue),
            },
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
            merged: Vec::new(),
        };
        let mut faults = Vec::new();
        referral.check(&act.catalogue, &mut faults);
        referral.check_counter(counter_of.is_some(), &mut faults);
        referral.check_due(act.now, &mut faults);
        (referral, faults)
    }

    /// The draft to the agency that this one's receiver named: the same content, not yet sent. Whether it is sent is its
    /// sender's to decide, who answers for what the other agency will see.
    pub fn redirected(&self, to: AgencyCode, id: ReferralId, number: String, act: &Act) -> Self {
        let detail = ReferralDetail {
            due_at: None,
            sent_at: None,
            received_at: None,
            decided_at: None,
            started_at: None,
            ended_at: None,
            reason: None,
            outcome: None,
            redirected_from: Some(self.link()),
            redirected_to: None,
            ..self.detail.clone()
        };
        Self {
            id,
            version: 1,
            number,
            to,
            state: State::Draft,
            detail,
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
            ..self.clone()
        }
    }

    /// How others refer to it.
    pub fn link(&self) -> Link {
        Link { referral: self.id, from: self.from.clone(), to: self.to.clone() }
    }

    /// What it waits for.
    pub fn wait(&self) -> Option<Wait> {
        let detail = &self.detail;
        due::wait(due::Facts {
            state: self.state,
            urgency: &detail.urgency,
            service: self.kind == SERVICE_REQUEST,
            sent_at: detail.sent_at,
            decided_at: detail.decided_at,
            due_at: detail.due_at,
        })
    }

    /// Whether it rests on something else than the consent of whom it is about: oversight looks at those.
    pub fn without_consent(&self) -> bool {
        self.detail.legal_basis != CONSENT
    }

    /// Whether its receiver took it on, so that it has something to report.
    pub fn was_accepted(&self) -> bool {
        match self.state {
            State::Accepted | State::InService | State::Completed | State::Abandoned => true,
            State::Closed | State::Revoked => self.detail.ended_at.is_some() && self.detail.decided_at.is_some(),
            State::Draft | State::Sent | State::Received | State::Rejected | State::Redirected => false,
        }
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
            reported_outcome,
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
        note("/reported_outcome", reported_outcome.apply(&mut detail.reported_outcome));
        self.check(&act.catalogue, &mut faults);
        self.check_counter(self.detail.counter_of.is_some(), &mut faults);
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
        if detail.reported_outcome.as_ref().is_some_and(|o| !law.has_code("referral_outcome", o)) {
            fault("/reported_outcome".to_owned(), FaultCode::Enum);
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

    /// A counter-referral reports, and shares nothing of a case that is not its sender's.
    fn check_counter(&self, counter: bool, faults: &mut Vec<Fault>) {
        if counter && !self.detail.sections.is_empty() {
            faults.push(Fault::body("/sections", FaultCode::CrossField));
        }
        if !counter && self.detail.reported_outcome.is_some() {
            faults.push(Fault::body("/reported_outcome", FaultCode::CrossField));
        }
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
        let urgency_s = due::term_s(&self.detail.urgency);
        let detail = &mut self.detail;
        if matches!(next, State::Accepted | State::Rejected | State::Redirected) {
            // Whoever answers has received.
            detail.received_at.get_or_insert(now);
            detail.decided_at = Some(now);
        }
        if matches!(next, State::Completed | State::Abandoned | State::Revoked) {
            detail.ended_at = Some(now);
        }
        if matches!(next, State::Rejected | State::Redirected | State::Abandoned | State::Revoked) {
            detail.reason = new.reason.clone();
        }
        if matches!(next, State::Rejected | State::Completed | State::Abandoned) {
            detail.outcome = new.outcome.clone();
        }
        match next {
            State::Sent => {
                detail.sent_at = Some(now);
                detail.due_at.get_or_insert(now.plus_seconds(urgency_s));
            }
            State::Received => detail.received_at = Some(now),
            State::InService => detail.started_at = Some(now),
            _ => {}
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
}

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
