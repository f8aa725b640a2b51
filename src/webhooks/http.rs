//! Handlers of the webhook operations: extract, call one action, map.

use actix_web::{HttpRequest, HttpResponse, delete, get, patch, post};

use super::actions;
use super::wire::{
    WebhookCreate, WebhookDelivery, WebhookDeliveryPage, WebhookPage, WebhookPatch, WebhookRedelivery, WebhookView,
    WebhookWithSecret,
};
use crate::auth::policy::WebhookManage;
use crate::events::model::Mark;
use crate::http::body::Body;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::path::id;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::{etag, respond};
use crate::kernel::Timestamp;
use crate::kernel::ids::WebhookId;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(webhook_list)
        .service(webhook_create)
        .service(webhook_read)
        .service(webhook_amend)
        .service(webhook_delete)
        .service(webhook_secret_rotate)
        .service(webhook_test)
        .service(webhook_delivery_list)
        .service(webhook_redeliver);
}

/// Sets up a webhook for what happens from now on: [Standard Webhooks](https://www.standardwebhooks.com).
///
/// Each event of the feed that the client may see, and that `types` names, is posted to `url` as
/// `{"type","timestamp","data":{"event_id","resource_type","resource_id","version"}}`, at least once and in order: fetch
/// the record for the rest. The headers are `webhook-id` (the event, the same at every attempt), `webhook-timestamp` and
/// `webhook-signature`. First a message of the type `webhook.ping` is sent; the webhook is `pending` until it is answered
/// with 2xx. A message that is not answered with 2xx in 15 seconds is sent again after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h,
/// 20 h and 24 h, a fifth more or less, and what comes behind it waits; then, or with a 410, the webhook is disabled and
/// the feed says `webhook.disabled`. Redirects are not followed. At most 20 webhooks for an agency.
#[utoipa::path(tag = "webhooks", summary = "Set up a webhook", request_body = WebhookCreate,
    responses((status = 201, description = "The webhook, with its secret: shown here only", body = WebhookWithSecret)),
    security(("oauth2" = ["webhooks:manage"])))]
#[post("/v1/webhooks")]
pub async fn webhook_create(
    req: HttpRequest,
    allowed: Allowed<WebhookManage>,
    body: Body<WebhookCreate>,
) -> Result<HttpResponse, Problem> {
    let key = Key::from_request(&req)?;
    let (new, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let hooks = &allowed.services().hooks;
    let written = actions::create(allowed.store(), allowed.act(), once, new, hooks.lab()).await?;
    hooks.wake();
    let (location, version) = (format!("/v1/webhooks/{}", written.view.webhook.id), written.view.webhook.version);
    Ok(respond::created(&req, &location, version, &written.tag, &written.view, written.replayed))
}

/// The webhooks of the caller's agency, the oldest first.
#[utoipa::path(tag = "webhooks", summary = "List webhooks",
    params(("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of webhooks", body = WebhookPage)),
    security(("oauth2" = ["webhooks:manage"])))]
#[get("/v1/webhooks")]
pub async fn webhook_list(req: HttpRequest, allowed: Allowed<WebhookManage>) -> Result<HttpResponse, Problem> {
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (client, cursors) = (allowed.caller().client, &allowed.services().cursors);
    let after = cursors.after(&params, client)?;
    let page = actions::list(allowed.store(), &allowed.act(), after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &WebhookPage { items: page.items, next_cursor }))
}

/// One webhook of the caller's agency.
#[utoipa::path(tag = "webhooks", summary = "Read a webhook",
    params(("webhook_id" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook", body = WebhookView)),
    security(("oauth2" = ["webhooks:manage"])))]
#[get("/v1/webhooks/{webhook_id}")]
pub async fn webhook_read(req: HttpRequest, allowed: Allowed<WebhookManage>) -> Result<HttpResponse, Problem> {
    let webhook: WebhookId = id(&req, "webhook_id")?;
    Params::parse(&req, &[])?;
    let read = actions::read(allowed.store(), &allowed.act(), webhook).await?;
    Ok(respond::ok(&req, read.view.version, &read.tag, None, &read.view))
}

/// Changes a webhook (merge patch). From now on it sends with the rights of the client that changes it; a new address must
/// answer a ping first.
#[utoipa::path(tag = "webhooks", summary = "Amend a webhook",
    params(("webhook_id" = WebhookId, Path, description = "The webhook")),
    request_body(content = WebhookPatch, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The webhook, changed", body = WebhookView)),
    security(("oauth2" = ["webhooks:manage"])))]
#[patch("/v1/webhooks/{webhook_id}")]
pub async fn webhook_amend(
    req: HttpRequest,
    allowed: Allowed<WebhookManage>,
    body: Body<WebhookPatch>,
) -> Result<HttpResponse, Problem> {
    let webhook: WebhookId = id(&req, "webhook_id")?;
    let (patch, _) = body.read(&allowed).await?;
    let version = etag::if_match(&req)?;
    let hooks = &allowed.services().hooks;
    let written = actions::amend(allowed.store(), allowed.act(), webhook, version, patch, hooks.lab()).await?;
    hooks.wake();
    Ok(respond::ok(&req, written.view.version, &written.tag, None, &written.view))
}

/// Ends a webhook: nothing is sent any more, its keys are destroyed and its log is gone.
#[utoipa::path(tag = "webhooks", summary = "Delete a webhook",
    params(("webhook_id" = WebhookId, Path, description = "The webhook")),
    responses((status = 204, description = "It is gone")),
    security(("oauth2" = ["webhooks:manage"])))]
#[delete("/v1/webhooks/{webhook_id}")]
pub async fn webhook_delete(req: HttpRequest, allowed: Allowed<WebhookManage>) -> Result<HttpResponse, Problem> {
    let webhook: WebhookId = id(&req, "webhook_id")?;
    actions::delete(allowed.store(), allowed.act(), webhook).await?;
    allowed.services().hooks.wake();
    Ok(HttpResponse::NoContent().finish())
}

/// Makes a new key. For a day both keys sign, so that the receiver can change over without losing a message.
#[utoipa::path(tag = "webhooks", summary = "Rotate a webhook's key",
    params(("webhook_id" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook, with its new secret: shown here only", body = WebhookWithSecret)),
    security(("oauth2" = ["webhooks:manage"])))]
#[post("/v1/webhooks/{webhook_id}/secret/rotate")]
pub async fn webhook_secret_rotate(req: HttpRequest, allowed: Allowed<WebhookManage>) -> Result<HttpResponse, Problem> {
    let webhook: WebhookId = id(&req, "webhook_id")?;
    let once = once(&req, &allowed)?;
    let written = actions::rotate(allowed.store(), allowed.act(), once, webhook).await?;
    let version = written.view.webhook.version;
    Ok(respond::done(&req, version, &written.tag, &written.view, written.replayed))
}

/// Sends a ping: look for it in the deliveries. A webhook that is pending or disabled becomes active when it is answered.
#[utoipa::path(tag = "webhooks", summary = "Test a webhook",
    params(("webhook_id" = WebhookId, Path, description = "The webhook")),
    responses((status = 200, description = "The webhook; the ping is on its way", body = WebhookView)),
    security(("oauth2" = ["webhooks:manage"])))]
#[post("/v1/webhooks/{webhook_id}/test")]
pub async fn webhook_test(req: HttpRequest, allowed: Allowed<WebhookManage>) -> Result<HttpResponse, Problem> {
    let webhook: WebhookId = id(&req, "webhook_id")?;
    let once = once(&req, &allowed)?;
    let written = actions::test(allowed.store(), allowed.act(), once, webhook).await?;
    allowed.services().hooks.wake();
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// Every attempt of the last 30 days, the newest first: what was sent, what became of it, how long it took.
#[utoipa::path(tag = "webhooks", summary = "List a webhook's deliveries",
    params(("webhook_id" = WebhookId, Path, description = "The webhook"),
        ("limit" = Option<i32>, Query, description = "Rows of the page, 1–200; 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the page before", max_length = 1024)),
    responses((status = 200, description = "A page of attempts", body = WebhookDeliveryPage)),
    security(("oauth2" = ["webhooks:manage"])))]
#[get("/v1/webhooks/{webhook_id}/deliveries")]
pub async fn webhook_delivery_list(req: HttpRequest, allowed: Allowed<WebhookManage>) -> Result<HttpResponse, Problem> {
    let webhook: WebhookId = id(&req, "webhook_id")?;
    let mut params = Params::parse(&req, &["limit", "cursor"])?;
    let limit = params.limit();
    params.finish()?;
    let (client, cursors) = (allowed.caller().client, &allowed.services().cursors);
    let after = cursors.after(&params, client)?;
    let page = actions::deliveries(allowed.store(), &allowed.act(), webhook, after, limit).await?;
    let next_cursor = cursors.next(&params, client, page.next.as_ref())?;
    let now = Timestamp::now();
    let items = page
        .items
        .into_iter()
        .map(|delivery| {
            let cursor = cursors.seal_place(&delivery.mark, client, now)?;
            Ok(WebhookDelivery::of(delivery, cursor))
        })
        .collect::<crate::kernel::Result<Vec<_>>>()?;
    Ok(respond::page(&req, &params, None, next_cursor.clone(), &WebhookDeliveryPage { items, next_cursor }))
}

/// Puts a webhook's place back: every event behind `after` is sent again, in order, with the same `webhook-id`. To skip what
/// waits, give a cursor of `GET /v1/events?after=now`.
#[utoipa::path(tag = "webhooks", summary = "Deliver again",
    params(("webhook_id" = WebhookId, Path, description = "The webhook")),
    request_body = WebhookRedelivery,
    responses((status = 200, description = "The webhook; the events are on their way", body = WebhookView)),
    security(("oauth2" = ["webhooks:manage"])))]
#[post("/v1/webhooks/{webhook_id}/redeliveries")]
pub async fn webhook_redeliver(
    req: HttpRequest,
    allowed: Allowed<WebhookManage>,
    body: Body<WebhookRedelivery>,
) -> Result<HttpResponse, Problem> {
    let webhook: WebhookId = id(&req, "webhook_id")?;
    let key = Key::from_request(&req)?;
    let (asked, fingerprint) = body.read(&allowed).await?;
    let once = Once::new(allowed.caller().client, key, fingerprint);
    let (services, now) = (allowed.services(), Timestamp::now());
    let mark: Mark = match asked.after.as_str() {
        "begin" => Mark::begin(now),
        cursor => services.cursors.place(cursor, allowed.caller().client)?,
    };
    if mark.truncated(now, services.feed.retention) {
        return Err(crate::kernel::Error::FeedTruncated.into());
    }
    let written = actions::redeliver(allowed.store(), allowed.act(), once, webhook, mark).await?;
    services.hooks.wake();
    Ok(respond::done(&req, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The intention of a request without a body: its path says all of it.
fn once(req: &HttpRequest, allowed: &Allowed<WebhookManage>) -> crate::kernel::Result<Once> {
    let key = Key::from_request(req)?;
    Ok(Once::new(allowed.caller().client, key, format!("POST {}", req.path())))
}
