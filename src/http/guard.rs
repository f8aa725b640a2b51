//! The only door to the store: a handler that has not proved a permission has no way in.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};

use super::context::{RequestContext, Seen};
use super::cursor::Cursors;
use super::lang::Lang;
use super::limits::Limits;
use super::problem::Problem;
use crate::act::{Act, Chance};
use crate::auth::policy::Permission;
use crate::auth::{Authenticator, Caller};
use crate::catalogue::Catalogue;
use crate::db::Store;
use crate::kernel::{Error, Result, Timestamp};
use crate::ledger::{AccessLog, Actor};

/// What handlers share besides the store.
pub struct Services {
    /// The law.
    pub catalogue: Arc<Catalogue>,
    /// The access record.
    pub access: AccessLog,
    /// Page cursors.
    pub cursors: Cursors,
}

/// App data that only this file can open.
pub struct Gate {
    store: Store,
    authenticator: Arc<Authenticator>,
    limits: Arc<Limits>,
    services: Arc<Services>,
}

impl Gate {
    /// Closes the store behind the gate.
    pub fn new(store: Store, authenticator: Arc<Authenticator>, limits: Arc<Limits>, services: Arc<Services>) -> Self {
        Self { store, authenticator, limits, services }
    }
}

/// Proof that the caller has permission `P`, and the way to what it opens.
pub struct Allowed<P: Permission> {
    gate: web::Data<Gate>,
    caller: Arc<Caller>,
    context: RequestContext,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Allowed<P> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        ready(admit(req).map_err(Problem))
    }
}

fn admit<P: Permission>(req: &HttpRequest) -> Result<Allowed<P>> {
    let gate = req.app_data::<web::Data<Gate>>().ok_or_else(|| Error::internal("no gate"))?.clone();
    let caller = gate.authenticator.verify(bearer(req)?, Timestamp::now())?;
    let context = req
        .extensions()
        .get::<RequestContext>()
        .cloned()
        .unwrap_or_else(|| RequestContext { id: uuid::Uuid::new_v4(), lang: Lang::Es });
    req.extensions_mut().insert(Seen { client: caller.client.to_string(), agency: caller.agency.to_string() });
    if !P::SCOPE.is_empty() && !caller.has(P::SCOPE) {
        return Err(Error::InsufficientScope(P::SCOPE));
    }
    if P::PURPOSES.is_some_and(|purposes| !purposes.contains(&caller.purpose)) {
        return Err(Error::PurposeNotAllowed);
    }
    if let Some(state) = gate.limits.check(caller.client, P::CLASS)? {
        req.extensions_mut().insert(state);
    }
    Ok(Allowed { gate, caller, context, permission: PhantomData })
}

/// The token of the `Authorization` header; nowhere else is one looked for.
fn bearer(req: &HttpRequest) -> Result<&str> {
    let mut values = req.headers().get_all(AUTHORIZATION);
    let value = values.next().ok_or(Error::AuthenticationRequired)?;
    if values.next().is_some() {
        return Err(Error::InvalidToken("two headers"));
    }
    let text = value.to_str().map_err(|_| Error::InvalidToken("not ASCII"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(token.trim()),
        _ => Err(Error::InvalidToken("scheme")),
    }
}

impl<P: Permission> Allowed<P> {
    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.gate.store
    }

    /// Catalogue, access record, cursors.
    pub fn services(&self) -> &Services {
        &self.gate.services
    }

    /// The request.
    pub fn request(&self) -> &RequestContext {
        &self.context
    }

    /// The circumstances of an action that starts now.
    pub fn act(&self) -> Act {
        Act {
            actor: Actor {
                client: Some(self.caller.client),
                agency: Some(self.caller.agency.clone()),
                user: self.caller.user.clone(),
                purpose: Some(self.caller.purpose),
                request_id: self.context.id,
            },
            scope: self.caller.scope(),
            now: Timestamp::now(),
            catalogue: Arc::clone(&self.gate.services.catalogue),
            chance: Chance::System,
        }
    }
}
