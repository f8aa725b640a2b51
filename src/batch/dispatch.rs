//! The way from a batch to the handlers: the same routes as outside, called within the process.
//!
//! A caller that was let in once is not asked for its token again; everything else is asked for every operation.

use std::cell::RefCell;
use std::rc::Rc;

use actix_web::body::{BoxBody, to_bytes};
use actix_web::dev::{Service, ServiceResponse};
use actix_web::http::header::{ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, IF_MATCH, LOCATION};
use actix_web::test::TestRequest;
use actix_web::{App, HttpMessage, HttpRequest, web};
use futures_util::future::LocalBoxFuture;
use utoipa_actix_web::AppExt;

use super::model::Ready;
use super::wire::Method;
use crate::http::body::BodyLimits;
use crate::http::context::kernel_error;
use crate::http::guard::{Gate, Joined};
use crate::kernel::{Error, Result};

/// The routes, whatever their type: a request in the transaction of somebody, and its answer.
type Routes = dyn Fn(TestRequest, Joined) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, actix_web::Error>>;

/// The routes of one worker, made when the first batch needs them.
#[derive(Clone, Default)]
pub struct Inner(Rc<RefCell<Option<Rc<Routes>>>>);

/// What an operation answered.
#[derive(Debug)]
pub struct Answer {
    /// Status.
    pub status: u16,
    /// `Location`.
    pub location: Option<String>,
    /// `ETag`.
    pub etag: Option<String>,
    /// Body; null where there is none.
    pub body: serde_json::Value,
}

/// The routes of this worker.
async fn routes(req: &HttpRequest) -> Result<Rc<Routes>> {
    let missing = || Error::internal("a batch without its surroundings");
    let inner = req.app_data::<Inner>().ok_or_else(missing)?;
    if let Some(ready) = inner.0.borrow().clone() {
        return Ok(ready);
    }
    let gate = req.app_data::<web::Data<Gate>>().ok_or_else(missing)?.clone();
    let limits = req.app_data::<web::Data<BodyLimits>>().ok_or_else(missing)?.clone();
    let (app, _) = App::new().into_utoipa_app().configure(crate::app::routes).split_for_parts();
    let service = actix_web::test::init_service(app.app_data(gate).app_data(limits)).await;
    let service: Rc<Routes> = Rc::new(move |request, joined| {
        let request = request.to_request();
        request.extensions_mut().insert(joined.context.clone());
        request.extensions_mut().insert(joined);
        let answer = service.call(request);
        Box::pin(async move { answer.await.map(ServiceResponse::map_into_boxed_body) })
    });
    *inner.0.borrow_mut() = Some(Rc::clone(&service));
    Ok(service)
}

/// Does one operation in the transaction of `joined`.
pub async fn run(req: &HttpRequest, joined: Joined, operation: &Ready, key: &str) -> Result<Answer> {
    let routes = routes(req).await?;
    let Ready { method, path, if_match, body } = operation;
    let (method, media) = match method {
        Method::Get => (actix_web::http::Method::GET, None),
        Method::Post => (actix_web::http::Method::POST, Some("application/json")),
        Method::Patch => (actix_web::http::Method::PATCH, Some("application/merge-patch+json")),
    };
    let mut inner = TestRequest::with_uri(path).method(method).insert_header((ACCEPT, "application/json"));
    if let Some(media) = media {
        let text = serde_json::to_vec(body).map_err(Error::internal)?;
        inner = inner.insert_header((CONTENT_TYPE, media)).insert_header(("Idempotency-Key", key)).set_payload(text);
    }
    if let Some(tag) = if_match {
        let tag = actix_web::http::header::HeaderValue::from_str(tag).map_err(|_| Error::InvalidHeader("If-Match"))?;
        inner = inner.insert_header((IF_MATCH, tag));
    }
    let response = routes(inner, joined).await.map_err(|e| kernel_error(&e))?;
    if let Some(error) = response.response().extensions().get::<Error>() {
        return Err(error.clone());
    }
    let status = response.status();
    if !status.is_success() {
        // No handler of ours said so: nothing is mounted there.
        return Err(response.response().error().map_or(Error::NotFound, kernel_error));
    }
    let header = |headers: &HeaderMap, name| headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let (location, etag) = (header(response.headers(), LOCATION), header(response.headers(), ETAG));
    let bytes = to_bytes(response.into_body()).await.map_err(|_| Error::internal("an answer broke off"))?;
    let body = if bytes.is_empty() {
        serde_json::Value::Null
    } else {
        serde_json::from_slice(&bytes).map_err(|_| Error::internal("an answer is not JSON"))?
    };
    Ok(Answer { status: status.as_u16(), location, etag, body })
}
