//! The only door to the store: a handler that has not proved a permission has no way in.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpMessage, HttpRequest, web};
use futures_util::FutureExt;
use futures_util::future::{Either, LocalBoxFuture};

use super::accept;
use super::context::{Bound, RequestContext, Seen};
use super::cursor::Cursors;
use super::lang::Lang;
use super::limits::{Daily, LimitState, Limits, Running};
use super::looking::Looked;
use super::problem::Problem;
use super::query::decode;
use crate::act::{Act, Chance};
use crate::alerts::watch::Later;
use crate::alerts::{self, Watch};
use crate::auth::dpop::{self, Asked, Proof};
use crate::auth::policy::Permission;
use crate::auth::{Authenticator, Caller, Signer};
use crate::catalogue::Catalogue;
use crate::db::Store;
use crate::events::actions::Feed;
use crate::kernel::error::Fault;
use crate::kernel::ids::{Id, Kind};
use crate::kernel::trail::Trail;
use crate::kernel::{Error, FaultCode, Result, Timestamp};
use crate::ledger::{Actor, Entry, Notary};
use crate::persons::IndexKey;
use crate::statistics::Figures;
use crate::webhooks::Hooks;

/// What handlers share besides the store.
#[derive(Clone)]
pub struct Services {
    /// The law.
    pub catalogue: Arc<Catalogue>,
    /// The key of the index of persons.
    pub index: Arc<IndexKey>,
    /// The access record, under watch.
    pub access: Arc<Watch>,
    /// Page cursors.
    pub cursors: Arc<Cursors>,
    /// Who signs the ledger.
    pub notary: Arc<Notary>,
    /// What is counted.
    pub figures: Arc<Figures>,
    /// The change feed.
    pub feed: Arc<Feed>,
    /// The webhooks.
    pub hooks: Arc<Hooks>,
    /// Who signs receipts.
    pub signer: Signer,
    /// Wakes the worker of the jobs.
    pub bell: Arc<crate::jobs::worker::Bell>,
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

/// A request that comes from a batch: let in already, and in the transaction of the whole.
#[derive(Clone)]
pub struct Joined {
    /// The transaction.
    pub store: Store,
    /// Who calls, as the batch's own token says.
    pub caller: Arc<Caller>,
    /// The batch's request.
    pub context: RequestContext,
    /// What its looks leave.
    pub looks: Later,
}

/// Proof that the caller has permission `P`, and the way to what it opens.
pub struct Allowed<P: Permission> {
    gate: web::Data<Gate>,
    services: Arc<Services>,
    store: Store,
    caller: Arc<Caller>,
    context: RequestContext,
    trail: Trail,
    /// Counts this request as running.
    _running: Option<Running>,
    permission: PhantomData<P>,
}

impl<P: Permission> FromRequest for Allowed<P> {
    type Error = Problem;
    // Who brings a bearer token waits for nothing; a proof is used up in the store.
    type Future = Either<Ready<Result<Self, Problem>>, LocalBoxFuture<'static, Result<Self, Problem>>>;

    fn from_request(req: &HttpRequest, _payload: &mut Payload) -> Self::Future {
        match admit::<P>(req) {
            Err(error) => Either::Left(ready(Err(Problem(error)))),
            Ok((allowed, None)) => Either::Left(ready(Ok(allowed))),
            Ok((allowed, Some(proof))) => Either::Right(
                async move {
                    dpop::spend(&allowed.gate.store, proof).await?;
                    Ok(allowed)
                }
                .boxed_local(),
            ),
        }
    }
}

/// The caller's permission, and the proof that is still to be used up.
fn admit<P: Permission>(req: &HttpRequest) -> Result<(Allowed<P>, Option<Proof>)> {
    let gate = req.app_data::<web::Data<Gate>>().ok_or_else(|| Error::internal("no gate"))?.clone();
    let now = Timestamp::now();
    let context = req.extensions().get::<RequestContext>().cloned().unwrap_or_else(|| RequestContext {
        id: uuid::Uuid::new_v4(),
        lang: Lang::Es,
        method: req.method().clone(),
    });
    let joined = req.extensions().get::<Joined>().cloned();
    let (caller, store, services, proof) = match joined {
        // The batch has shown token and proof.
        Some(Joined { store, caller, context: _, looks }) => {
            let shared = gate.services.as_ref();
            (caller, store, Arc::new(Services { access: Arc::new(shared.access.within(&looks)), ..shared.clone() }), None)
        }
        None => {
            let (caller, proof) = authenticate(req, &gate.authenticator, &context, now)?;
            (caller, gate.store.clone(), Arc::clone(&gate.services), proof)
        }
    };
    req.extensions_mut().insert(Seen { client: caller.client.to_string(), agency: caller.agency.to_string() });
    if !P::SCOPE.is_empty() && !caller.has(P::SCOPE) {
        return Err(Error::InsufficientScope(P::SCOPE));
    }
    if P::PURPOSES.is_some_and(|purposes| !purposes.contains(&caller.purpose)) {
        return Err(Error::PurposeNotAllowed);
    }
    let (state, room) = gate.limits.check(caller.client, P::CLASS);
    if let Some(state) = state {
        req.extensions_mut().insert(state);
    }
    room?;
    let running = gate.limits.enter(caller.client)?;
    if !is_file(req.path()) {
        acceptable(req)?;
    }
    // The body of an import is a file: what else the request says stands in its query.
    if req.method() != Method::GET && req.path() != IMPORTS {
        no_parameters(req.query_string())?;
    }
    // The layer reads it when the answer leaves.
    let trail = Trail::default();
    req.extensions_mut().insert(trail.clone());
    Ok((Allowed { gate, services, store, caller, context, trail, _running: running, permission: PhantomData }, proof))
}

/// Who the token says that calls, and the proof of possession where it is bound to a key.
fn authenticate(
    req: &HttpRequest,
    auth: &Authenticator,
    context: &RequestContext,
    now: Timestamp,
) -> Result<(Arc<Caller>, Option<Proof>)> {
    let (scheme, token) = credentials(req)?;
    let bound = || Bound { nonce: auth.nonces.as_ref().map(|n| n.current(now)) };
    if scheme == Scheme::Dpop {
        req.extensions_mut().insert(bound());
    }
    let verified = auth.look(token, now)?;
    let proof = match (scheme, &verified.key) {
        (Scheme::Bearer, None) => None,
        (Scheme::Bearer, Some(_)) => {
            req.extensions_mut().insert(bound());
            return Err(Error::InvalidToken("a bound token as a bearer's"));
        }
        (Scheme::Dpop, None) => return Err(Error::InvalidToken("not bound to a key")),
        (Scheme::Dpop, Some(key)) => Some(possession(req, auth, &context.method, token, key, now)?),
    };
    Ok((Arc::clone(&verified.caller), proof))
}

/// The proof that the caller holds the key of its token, made for this request.
fn possession(
    req: &HttpRequest,
    auth: &Authenticator,
    method: &Method,
    token: &str,
    key: &str,
    now: Timestamp,
) -> Result<Proof> {
    let url = format!("{}{}", auth.issuer, req.path());
    let proof = dpop::check(one_proof(req)?, Asked { method: method.as_str(), url: &url, token: Some(token) }, now)?;
    if proof.key != key {
        return Err(Error::InvalidToken("bound to another key"));
    }
    if let Some(nonces) = &auth.nonces {
        nonces.check(&proof, now)?;
    }
    Ok(proof)
}

/// The one `DPoP` header of a request.
pub fn one_proof(req: &HttpRequest) -> Result<&str> {
    let mut values = req.headers().get_all("dpop");
    let value = values.next().ok_or(Error::InvalidDpopProof("none"))?;
    if values.next().is_some() {
        return Err(Error::InvalidDpopProof("two headers"));
    }
    value.to_str().map_err(|_| Error::InvalidDpopProof("not ASCII"))
}

/// Where files are sent to.
pub const IMPORTS: &str = "/v1/imports";

/// Whether an answer is a file, of the media type that it is of.
fn is_file(path: &str) -> bool {
    path.strip_prefix("/v1/jobs/").is_some_and(|rest| rest.contains("/files/"))
}

/// Whoever takes no form in which there is an answer gets none.
fn acceptable(req: &HttpRequest) -> Result<()> {
    accept::chosen(req, accept::offered(req.path())).map(drop).ok_or(Error::NotAcceptable)
}

/// Writes say everything in their body.
fn no_parameters(query: &str) -> Result<()> {
    let names = query.split('&').filter(|p| !p.is_empty()).take(50);
    let unknown: Vec<Fault> = names
        .map(|pair| {
            let name = decode(pair.split('=').next().unwrap_or_default()).unwrap_or_default();
            Fault::parameter(name.chars().take(60).collect::<String>(), FaultCode::UnknownField)
        })
        .collect();
    if unknown.is_empty() { Ok(()) } else { Err(Error::UnknownParameter(unknown)) }
}

/// How a token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Bearer,
    Dpop,
}

/// The token of the `Authorization` header; nowhere else is one looked for.
fn credentials(req: &HttpRequest) -> Result<(Scheme, &str)> {
    let mut values = req.headers().get_all(AUTHORIZATION);
    let value = values.next().ok_or(Error::AuthenticationRequired)?;
    if values.next().is_some() {
        return Err(Error::InvalidToken("two headers"));
    }
    let text = value.to_str().map_err(|_| Error::InvalidToken("not ASCII"))?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok((Scheme::Bearer, token.trim())),
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("dpop") => Ok((Scheme::Dpop, token.trim())),
        _ => Err(Error::InvalidToken("scheme")),
    }
}

impl<P: Permission> Allowed<P> {
    /// Who calls.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// Who calls, to be handed on.
    pub fn caller_shared(&self) -> &Arc<Caller> {
        &self.caller
    }

    /// The store.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Enters what the answer to a write shows where the write left no entry of its own: a second try with the same key, or
    /// a change that changes nothing, shows the record like a read.
    pub async fn looked(&self, entry: Entry) -> Result<()> {
        if self.trail.entry().is_some() {
            return Ok(());
        }
        let act = self.act();
        self.services.access.record(&act.actor, act.now, entry).await.map(drop)
    }

    /// Catalogue, access record, cursors.
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The request.
    pub fn request(&self) -> &RequestContext {
        &self.context
    }

    /// Counts a look at a person's identity, whether the person exists or not; alerts those who must hear of it.
    pub async fn subject<K: Kind>(&self, req: &HttpRequest, person: Id<K>) -> Result<()> {
        let (act, client) = (self.act(), self.caller.client);
        // Supervision is of the whole country.
        let record = self.gate.authenticator.directory.find(client)?.filter(|_| !self.caller.oversight);
        let looking = self.services.access.looking();
        let outside = match record.as_ref().and_then(|r| r.territory.as_deref()) {
            Some(territory) => match looking.known_outside(client, person.uuid(), act.now) {
                Some(known) => known,
                None => alerts::actions::outside(&self.store, &act.scope, person, territory).await?,
            },
            None => false,
        };
        self.settle(req, &act, looking.subject(client, self.caller.user.as_deref(), person.uuid(), outside, act.now)).await
    }

    /// Counts one of the few things that a client may do in a day; alerts those who must hear of it.
    pub async fn daily(&self, req: &HttpRequest, what: Daily) -> Result<()> {
        let act = self.act();
        self.settle(req, &act, self.services.access.looking().daily(self.caller.client, what, act.now)).await
    }

    async fn settle(&self, req: &HttpRequest, act: &Act, looked: Looked) -> Result<()> {
        if let Some(state) = looked.state {
            let before = req.extensions_mut().remove::<LimitState>();
            req.extensions_mut().insert(state.and(before));
        }
        self.services.access.raise(&act.actor, act.now, looked.alarms).await?;
        looked.room
    }

    /// The circumstances of an action that starts now.
    pub fn act(&self) -> Act {
        let now = Timestamp::now();
        Act {
            actor: Actor {
                client: Some(self.caller.client),
                agency: Some(self.caller.agency.clone()),
                user: self.caller.user.clone(),
                purpose: Some(self.caller.purpose),
                request_id: self.context.id,
                trail: self.trail.clone(),
            },
            scope: self.caller.scope(now).on(&self.trail),
            now,
            catalogue: Arc::clone(&self.services.catalogue),
            index: Arc::clone(&self.services.index),
            chance: Chance::System,
        }
    }
}
