//! Bodies of the referral operations. Shapes only; rules are in `model.rs`.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::states::{State, Trigger};
use crate::kernel::ids::{CaseId, ConsentId, ReferralId, VictimId};
use crate::kernel::{AgencyCode, Field, Timestamp};
use crate::persons::merge_wire::MergedRecord;

/// A referral to draft. Nobody else sees it until it is sent.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "case_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11",
    "kind": "service_request",
    "to_agency": "NGO-CHS",
    "sections": ["victims", "victim_identity"],
    "services": ["shelter", "psychological"],
    "purpose": "assistance",
    "urgency": "immediate",
    "victims": ["7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12"],
    "legal_basis": "consent",
    "consent_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d13",
    "message": "Se solicita alojamiento y atención psicológica para la víctima."
}))]
pub struct ReferralCreate {
    /// The case that it is about; the caller's agency must own it, but for a counter-referral.
    pub case_id: CaseId,
    /// Code list `referral_kind`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub kind: String,
    /// The agency that it goes to.
    pub to_agency: AgencyCode,
    /// The only victims of the case that it shows; all of them if absent.
    #[validate(length(min = 1, max = 200))]
    #[serde(default)]
    #[schema(min_items = 1, max_items = 200)]
    pub victims: Option<Vec<VictimId>>,
    /// What the receiver sees of the case while the referral is accepted: code list `section`. An identity
    /// section needs its base section beside it. Empty: a message, and nothing of the case.
    #[validate(length(max = 10))]
    #[serde(default)]
    #[schema(max_items = 10)]
    pub sections: Vec<String>,
    /// What is asked for: code list `service`. A `service_request` asks for at least one.
    #[validate(length(max = 20))]
    #[serde(default)]
    #[schema(max_items = 20)]
    pub services: Vec<String>,
    /// What the receiver may use it for: code list `purpose_of_use`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub purpose: String,
    /// Code list `urgency`; `ordinary` if absent.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub urgency: Option<String>,
    /// On what ground it is shared: code list `legal_basis`.
    #[validate(length(min = 1, max = 40))]
    #[schema(min_length = 1, max_length = 40)]
    pub legal_basis: String,
    /// The consent on which it rests, in force and covering the purpose: required where consent is the legal basis, and
    /// then the one victim named in `victims` is the one who gave it. When it is withdrawn, the referral is revoked.
    #[serde(default)]
    pub consent_id: Option<ConsentId>,
    /// Where a document of the consent is kept.
    #[validate(length(min = 1, max = 200))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 200)]
    pub consent_ref: Option<String>,
    /// Message to the receiver, readable from the moment it is sent: no names in it.
    #[validate(length(min = 1, max = 10_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 10000)]
    pub message: Option<String>,
    /// When an answer is due; by its urgency if absent: 2 hours, 24 hours or five days after it is sent.
    #[serde(default)]
    pub due_at: Option<Timestamp>,
    /// The referral that this one answers: a counter-referral, by the agency that took that one on, to its sender or to a
    /// third agency. It is about the same case and victims, and grants no sections: the case is not its sender's to share.
    #[serde(default)]
    pub counter_of: Option<ReferralId>,
    /// What came of the referral that this one answers: code list `referral_outcome`; only with `counter_of`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub reported_outcome: Option<String>,
}

/// Changes to a draft (merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"urgency": "ordinary", "services": ["shelter"], "due_at": null}))]
pub struct ReferralPatch {
    /// Kind.
    #[serde(default)]
    pub kind: Field<String>,
    /// Receiver.
    #[serde(default)]
    pub to_agency: Field<AgencyCode>,
    /// Replaces the victims; null shows all of them.
    #[serde(default)]
    pub victims: Field<Vec<VictimId>>,
    /// Replaces the sections.
    #[serde(default)]
    pub sections: Field<Vec<String>>,
    /// Replaces the services.
    #[serde(default)]
    pub services: Field<Vec<String>>,
    /// Purpose of use.
    #[serde(default)]
    pub purpose: Field<String>,
    /// Urgency; null puts it back to `ordinary`.
    #[serde(default)]
    pub urgency: Field<String>,
    /// Legal basis.
    #[serde(default)]
    pub legal_basis: Field<String>,
    /// The consent on which it rests.
    #[serde(default)]
    pub consent_id: Field<ConsentId>,
    /// Where a document of the consent is kept.
    #[serde(default)]
    pub consent_ref: Field<String>,
    /// Message.
    #[serde(default)]
    pub message: Field<String>,
    /// When an answer is due.
    #[serde(default)]
    pub due_at: Field<Timestamp>,
    /// What came of the referral that this one answers.
    #[serde(default)]
    pub reported_outcome: Field<String>,
}

/// A referral.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReferralRecord)]
pub struct ReferralView {
    /// The referral.
    pub id: ReferralId,
    /// Version, +1 with every change.
    pub version: i64,
    /// When it was drafted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Who drafted it.
    pub created_by_agency: AgencyCode,
    /// Whose it is: the sender.
    pub owner_agency: AgencyCode,
    /// Speakable reference.
    pub number: String,
    /// Code list `referral_kind`.
    pub kind: String,
    /// Code list `referral_state`.
    #[schema(value_type = String)]
    pub state: State,
    /// The case. Only an accepted referral opens it, and only the sections below.
    pub case_id: CaseId,
    /// Sender.
    pub from_agency: AgencyCode,
    /// Receiver.
    pub to_agency: AgencyCode,
    /// The only victims that it shows; null for all of the case.
    #[schema(required)]
    pub victims: Option<Vec<VictimId>>,
    /// What the receiver sees of the case while the referral is accepted.
    pub sections: Vec<String>,
    /// What is asked for.
    pub services: Vec<String>,
    /// What the receiver may use it for.
    pub purpose: String,
    /// Urgency.
    pub urgency: String,
    /// On what ground it is shared.
    pub legal_basis: String,
    /// The consent on which it rests.
    #[schema(required)]
    pub consent_id: Option<ConsentId>,
    /// Where a document of the consent is kept.
    #[schema(required)]
    pub consent_ref: Option<String>,
    /// Message to the receiver.
    #[schema(required)]
    pub message: Option<String>,
    /// When an answer is due; set when it is sent.
    #[schema(required)]
    pub due_at: Option<Timestamp>,
    /// What it waits for now; null where nobody's turn has an end.
    #[schema(required)]
    pub awaits: Option<AwaitedStep>,
    /// When it was sent.
    #[schema(required)]
    pub sent_at: Option<Timestamp>,
    /// When its receiver acknowledged it, or answered it at once.
    #[schema(required)]
    pub received_at: Option<Timestamp>,
    /// When it was accepted, rejected or redirected.
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
    /// When the service began.
    #[schema(required)]
    pub started_at: Option<Timestamp>,
    /// When it was completed, abandoned or revoked.
    #[schema(required)]
    pub ended_at: Option<Timestamp>,
    /// Why it was rejected, redirected, abandoned or revoked.
    #[schema(required)]
    pub reason: Option<String>,
    /// What came of it: code list `referral_outcome`.
    #[schema(required)]
    pub outcome: Option<String>,
    /// The referral whose receiver named this one's.
    #[schema(required)]
    pub redirected_from: Option<ReferralId>,
    /// The draft to the agency that this one's receiver named.
    #[schema(required)]
    pub redirected_to: Option<ReferralId>,
    /// The referral that this one answers.
    #[schema(required)]
    pub counter_of: Option<ReferralId>,
    /// What came of the referral that this one answers: code list `referral_outcome`.
    #[schema(required)]
    pub reported_outcome: Option<String>,
    /// Of the victims named, those whose record was merged into another one.
    pub merged: Vec<MergedRecord>,
    /// Pointers of what was withheld from this caller: links to referrals that it does not see.
    pub redacted: Vec<String>,
}

/// What a referral waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(example = json!({"step": "answer", "by_agency": "NGO-CHS", "due_at": "2026-03-16T11:00:00.000Z"}))]
pub struct AwaitedStep {
    /// Code list `referral_step`.
    pub step: &'static str,
    /// Whose turn it is.
    pub by_agency: AgencyCode,
    /// Until when. Half way, both sides find a reminder in the history; at the end oversight is told too.
    pub due_at: Timestamp,
}

/// A page of referrals.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReferralPage {
    /// The referrals.
    pub items: Vec<ReferralView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A move of a referral.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"trigger": "send"}))]
pub struct ReferralTransitionCreate {
    /// The sender may `send`, `revoke` and `close`, the receiver all others.
    pub trigger: Trigger,
    /// Why; required to reject, redirect, abandon and revoke.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub reason: Option<String>,
    /// What came of it, to complete, abandon or reject: code list `referral_outcome`.
    #[validate(length(min = 1, max = 40))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 40)]
    pub outcome: Option<String>,
    /// The agency that it should have gone to; required to redirect.
    #[serde(default)]
    pub to_agency: Option<AgencyCode>,
}
