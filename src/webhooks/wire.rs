//! Bodies of the webhook operations.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::model::{Delivery, Webhook};
use super::signing::Algorithm;
use crate::kernel::ids::{ClientId, DeliveryId, EntryId, WebhookId};
use crate::kernel::{AgencyCode, Field, Timestamp};

/// How messages are signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WebhookSignature {
    /// HMAC-SHA256 with a shared secret (`whsec_…`).
    V1,
    /// Ed25519: the receiver needs the public key only (`whpk_…`).
    #[default]
    V1a,
}

impl From<WebhookSignature> for Algorithm {
    fn from(signature: WebhookSignature) -> Self {
        match signature {
            WebhookSignature::V1 => Self::Hmac,
            WebhookSignature::V1a => Self::Ed25519,
        }
    }
}

/// A webhook to set up.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"url": "https://hooks.example.org/sistra", "types": ["case.*", "referral.sent"], "signature": "v1"}))]
pub struct WebhookCreate {
    /// Where messages go: `https`, port 443, a public address. Kept sealed.
    #[validate(length(min = 9, max = 1000))]
    #[schema(min_length = 9, max_length = 1000)]
    pub url: String,
    /// Types of events, or `case.*` for every type of a kind; all if empty or absent.
    #[validate(length(max = 50))]
    #[serde(default)]
    #[schema(max_items = 50, required = false)]
    pub types: Vec<String>,
    /// How messages are signed; `v1a` if absent. It stays.
    #[serde(default)]
    pub signature: WebhookSignature,
}

/// Changes to a webhook (merge patch, RFC 7396).
#[derive(Clone, Debug, Default, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"types": ["referral.*"]}))]
pub struct WebhookPatch {
    /// Where messages go. A new address must answer a ping before anything else is sent to it.
    #[serde(default)]
    #[schema(value_type = Option<String>, min_length = 9, max_length = 1000)]
    pub url: Field<String>,
    /// Types of events; null for all.
    #[serde(default)]
    #[schema(value_type = Option<Vec<String>>, max_items = 50)]
    pub types: Field<Vec<String>>,
}

/// From where on events are to be sent again.
#[derive(Clone, Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"after": "begin"}))]
pub struct WebhookRedelivery {
    /// `begin`, the `cursor` of a delivery, or a cursor of the feed: every event behind it is sent again, in order.
    #[validate(length(min = 1, max = 1024))]
    #[schema(min_length = 1, max_length = 1024)]
    pub after: String,
}

/// A webhook.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Webhook, example = json!({"id": "01a20f6a-b72c-7d3d-8000-a33e51fbe3d1", "version": 2,
    "created_at": "2026-03-16T09:00:00.000Z", "updated_at": "2026-03-16T09:00:01.000Z", "agency": "PE-MP-FISTRAP-LIMA",
    "client_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "url": "https://hooks.example.org/sistra", "types": ["case.*", "referral.sent"],
    "signature": "v1", "public_key": null, "state": "active", "disabled_reason": null}))]
pub struct WebhookView {
    /// The webhook.
    pub id: WebhookId,
    /// Counts changes, those of state too.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub version: i64,
    /// When it was set up.
    pub created_at: Timestamp,
    /// When it was changed last.
    pub updated_at: Timestamp,
    /// Whose it is: every system of the agency with the scope sees it.
    #[schema(value_type = String, max_length = 40)]
    pub agency: AgencyCode,
    /// With whose rights events are sent: the client that set it up, or changed it last.
    pub client_id: ClientId,
    /// Where messages go.
    #[schema(max_length = 1000)]
    pub url: String,
    /// Types of events; all if empty.
    #[schema(max_items = 50)]
    pub types: Vec<String>,
    /// How messages are signed: `v1` or `v1a`.
    #[schema(max_length = 10)]
    pub signature: &'static str,
    /// The key that verifies them, of `v1a`.
    #[schema(required, max_length = 100)]
    pub public_key: Option<String>,
    /// `pending` until the endpoint has answered a ping, `active`, `disabled`.
    #[schema(max_length = 20)]
    pub state: &'static str,
    /// Why it is disabled: `gone` (the endpoint answered 410), `exhausted` (ten attempts failed).
    #[schema(required, max_length = 20)]
    pub disabled_reason: Option<String>,
}

/// A webhook and, once, its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01a20f6a-b72c-7d3d-8000-a33e51fbe3d1", "version": 1,
    "created_at": "2026-03-16T09:00:00.000Z", "updated_at": "2026-03-16T09:00:00.000Z", "agency": "PE-MP-FISTRAP-LIMA",
    "client_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "url": "https://hooks.example.org/sistra", "types": ["case.*", "referral.sent"],
    "signature": "v1", "public_key": null, "state": "pending", "disabled_reason": null,
    "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYq="}))]
pub struct WebhookWithSecret {
    /// The webhook.
    #[serde(flatten)]
    pub webhook: WebhookView,
    /// The secret of `v1`: shown here and never again; null of `v1a`, and in the answer to a repeated request.
    #[schema(required, max_length = 100)]
    pub secret: Option<String>,
}

/// Webhooks, the oldest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookPage {
    /// The webhooks.
    #[schema(max_items = 200)]
    pub items: Vec<WebhookView>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// One attempt. What the endpoint wrote is not kept.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"id": "01a20f6a-b72c-7d3d-8000-a33e51fbe3d4", "event_id": "01a20f6a-b72c-7d3d-8000-a33e51fbe3d2",
    "type": "case.created", "attempt": 1, "at": "2026-03-16T09:00:01.000Z", "outcome": "delivered", "status": 204,
    "duration_ms": 34, "cursor": "b3BhcXVlIGFuZCBzZWFsZWQ"}))]
pub struct WebhookDelivery {
    /// The attempt.
    pub id: DeliveryId,
    /// The event: the header `webhook-id` of every attempt at it.
    pub event_id: EntryId,
    /// Its type; `webhook.ping` of a ping.
    #[serde(rename = "type")]
    #[schema(max_length = 120)]
    pub kind: String,
    /// Which attempt at it, from 1.
    #[schema(minimum = 1, maximum = 10)]
    pub attempt: i64,
    /// When.
    pub at: Timestamp,
    /// `delivered` (2xx), `refused` (any other status; redirects are not followed), `timeout` (15 s), `unreachable`,
    /// `blocked` (not a public address), `certificate_unknown` (no authority behind it that is believed),
    /// `certificate_expired`, `certificate_name` (it is for another name), `tls_failed`.
    #[schema(max_length = 20)]
    pub outcome: String,
    /// The status, if there was an answer.
    #[schema(required, minimum = 100, maximum = 999)]
    pub status: Option<i16>,
    /// How long it took, milliseconds.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub duration_ms: i64,
    /// The place behind the event, for redeliveries and for the feed.
    #[schema(max_length = 1024)]
    pub cursor: String,
}

impl WebhookDelivery {
    /// An attempt and the cursor of its place.
    pub fn of(delivery: Delivery, cursor: String) -> Self {
        let Delivery { id, event, kind, attempt, at, outcome, status, duration_ms, mark: _ } = delivery;
        Self { id, event_id: event, kind, attempt, at, outcome, status, duration_ms, cursor }
    }
}

/// Attempts, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub struct WebhookDeliveryPage {
    /// The attempts.
    #[schema(max_items = 200)]
    pub items: Vec<WebhookDelivery>,
    /// Cursor of the next page; null on the last one.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

impl WebhookView {
    /// What is shown of a webhook.
    pub fn of(webhook: Webhook, public_key: Option<String>) -> Self {
        let Webhook {
            id,
            version,
            agency,
            client,
            state,
            reason,
            algorithm,
            types,
            detail,
            mark: _,
            failed: _,
            next_at: _,
            ping: _,
            step: _,
            created_at,
            updated_at,
        } = webhook;
        Self {
            id,
            version,
            created_at,
            updated_at,
            agency,
            client_id: client,
            url: detail.url,
            types,
            signature: algorithm.as_str(),
            public_key,
            state: state.as_str(),
            disabled_reason: reason,
        }
    }
}
