//! Receipts: the registry's signature under what was sent, to whom, and when it was received. Pure but for the signature.
//!
//! Signed: the claims below. Hashed: those members of the referral that [`MEMBERS`] names, with the values under which its
//! receiver reads them, as one JSON object in canonical form (RFC 8785). They do not change after the sending, so either
//! side can check a receipt against the referral at any time, and against its own copy without the registry.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::model::Referral;
use super::view::Reader;
use crate::auth::Signer;
use crate::kernel::canonical::canonical;
use crate::kernel::ids::{CaseId, ReceiptId, ReferralId};
use crate::kernel::{AgencyCode, Error, Result, Timestamp};

/// The `typ` of a receipt's header.
pub const TYP: &str = "referral-receipt+jwt";

/// The members of a referral that a receipt's hash covers.
pub const MEMBERS: [&str; 19] = [
    "id",
    "number",
    "kind",
    "case_id",
    "from_agency",
    "to_agency",
    "victims",
    "sections",
    "services",
    "purpose",
    "urgency",
    "legal_basis",
    "consent_id",
    "consent_ref",
    "message",
    "due_at",
    "sent_at",
    "counter_of",
    "reported_outcome",
];

/// What a receipt attests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ReceiptEvent)]
pub enum Event {
    /// The sender put it before the receiver.
    Sent,
    /// The receiver acknowledged it, or answered it at once.
    Received,
}

/// What is signed.
#[derive(Serialize)]
struct Claims<'r> {
    iss: &'r str,
    iat: i64,
    jti: ReceiptId,
    sub: ReferralId,
    event: Event,
    at: Timestamp,
    number: &'r str,
    case_id: CaseId,
    from_agency: &'r AgencyCode,
    to_agency: &'r AgencyCode,
    state: &'static str,
    sent_at: Option<Timestamp>,
    received_at: Option<Timestamp>,
    content: ContentHash,
}

/// The hash of the content, and how it is made.
#[derive(Serialize)]
struct ContentHash {
    alg: &'static str,
    canonical: &'static str,
    members: [&'static str; 19],
    value: String,
}

/// A receipt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Its id, `jti` of the claims.
    pub id: ReceiptId,
    /// What it attests.
    pub event: Event,
    /// When that was.
    pub at: Timestamp,
    /// The signed document.
    pub detail: Signed,
}

/// The signed document, as kept: its hash would let a thief test a guess at the message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Compact JWS.
    pub jws: String,
}

/// Which receipt the way from `before` to `after` earns.
pub fn earned(before: &Referral, after: &Referral) -> Option<Event> {
    if before.detail.sent_at.is_none() && after.detail.sent_at.is_some() {
        Some(Event::Sent)
    } else if before.detail.received_at.is_none() && after.detail.received_at.is_some() {
        Some(Event::Received)
    } else {
        None
    }
}

/// Signs a receipt.
pub fn issue(signer: &Signer, referral: &Referral, event: Event, id: ReceiptId, now: Timestamp) -> Result<Receipt> {
    let claims = Claims {
        iss: signer.issuer(),
        iat: now.unix_seconds(),
        jti: id,
        sub: referral.id,
        event,
        at: now,
        number: &referral.number,
        case_id: referral.case,
        from_agency: &referral.from,
        to_agency: &referral.to,
        state: referral.state.as_str(),
        sent_at: referral.detail.sent_at,
        received_at: referral.detail.received_at,
        content: ContentHash {
            alg: "SHA-256",
            canonical: "RFC 8785",
            members: MEMBERS,
            value: URL_SAFE_NO_PAD.encode(digest(&SHA256, content(referral)?.as_bytes())),
        },
    };
    Ok(Receipt { id, event, at: now, detail: Signed { jws: signer.sign(TYP, &claims)? } })
}

/// What is hashed: the referral as its receiver reads it, in canonical form.
fn content(referral: &Referral) -> Result<String> {
    let unwritable = || Error::internal("a referral has no canonical form");
    let view = serde_json::to_value(referral.view(Reader::Agency(&referral.to))).map_err(|_| unwritable())?;
    let member = |name: &&str| Some(((*name).to_owned(), view.get(*name)?.clone()));
    let members: Map<String, Value> = MEMBERS.iter().filter_map(member).collect();
    if members.len() != MEMBERS.len() {
        return Err(unwritable());
    }
    canonical(&Value::Object(members)).ok_or_else(unwritable)
}

/// A receipt as both sides read it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = ReferralReceipt, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d21", "event": "sent", "at": "2026-03-16T09:00:00.000Z",
    "jws": "eyJ0eXAiOiJyZWZlcnJhbC1yZWNlaXB0K2p3dCIsImFsZyI6IkVTMjU2In0.eyJldmVudCI6InNlbnQifQ.c2lnbmF0dXJl"}))]
pub struct ReceiptView {
    /// The receipt: `jti` of its claims.
    pub id: ReceiptId,
    /// `sent` or `received`.
    #[schema(value_type = String)]
    pub event: Event,
    /// When that was.
    pub at: Timestamp,
    /// The signed document (JWS, compact): check it with the keys of `/.well-known/receipt-keys.json`.
    pub jws: String,
}

/// The receipts of a referral, oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReceiptPage {
    /// The receipts.
    pub items: Vec<ReceiptView>,
    /// Always null: there are two at most.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl From<Receipt> for ReceiptView {
    fn from(receipt: Receipt) -> Self {
        let Receipt { id, event, at, detail: Signed { jws } } = receipt;
        Self { id, event, at, jws }
    }
}
