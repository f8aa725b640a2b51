//! Partner systems: who they are, what they may ask for, and how they prove it.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};

use super::caller::Purpose;
use super::policy;
use super::revocation::{self, Revoked};
use crate::db::schema::{agency, client as t, client_policy};
use crate::db::{Clear, Conn, Json, Store};
use crate::kernel::error::Unavailable;
use crate::kernel::ids::{ClientId, TokenId};
use crate::kernel::{AgencyCode, Bucket, Error, Result, Timestamp};

/// A partner system.
#[derive(Clone, Debug)]
pub struct ClientRecord {
    /// Its id.
    pub id: ClientId,
    /// The agency that it acts for.
    pub agency: AgencyCode,
    /// Whether that agency supervises.
    pub oversight: bool,
    /// Its name.
    pub name: String,
    /// The scopes that it may ask for.
    pub scopes: Vec<&'static str>,
    /// The purposes that it may give; the first is the default.
    pub purposes: Vec<Purpose>,
    /// SHA-256 of its secret, hex.
    pub secret_hash: Option<String>,
    /// Its public keys.
    pub jwks: Option<JwkSet>,
    /// False once disabled.
    pub active: bool,
    /// Whether its tokens must be bound to a key (RFC 9449).
    pub dpop_required: bool,
    /// Tokens issued at this instant or before are dead.
    pub tokens_after: Option<Timestamp>,
    /// UBIGEO prefix of where it works: its own, or its agency's; none for the whole country.
    pub territory: Option<String>,
}

impl ClientRecord {
    /// Whether a token of this instant outlived what the operator did since. Tokens tell whole seconds.
    pub fn admits(&self, issued_at: Timestamp) -> bool {
        self.tokens_after.is_none_or(|after| issued_at.unix_seconds() > after.unix_seconds())
    }
}

/// What holds for a client's tokens beyond its scopes. What is absent stays as it is.
#[derive(Clone, Debug, Default)]
pub struct Constraint {
    /// Whether its tokens must be bound to a key (RFC 9449).
    pub dpop_required: Option<bool>,
    /// UBIGEO prefix of where it works; an empty one for its agency's.
    pub territory: Option<String>,
}

/// How a new client will prove who it is.
#[derive(Clone, Debug)]
pub enum Credential {
    /// A random secret, shown once. Never with an identity scope.
    Secret,
    /// Public keys (RFC 7517), for `private_key_jwt`.
    Jwks(String),
}

/// A client to register.
#[derive(Clone, Debug)]
pub struct NewClient {
    /// The agency that it acts for.
    pub agency: AgencyCode,
    /// Its name.
    pub name: String,
    /// The scopes that it may ask for.
    pub scopes: Vec<String>,
    /// The purposes that it may give.
    pub purposes: Vec<Purpose>,
    /// How it proves who it is.
    pub credential: Credential,
}

/// Registers a client; answers its record and, for a secret, the secret.
pub fn create(conn: &mut Conn, new: &NewClient, now: Timestamp) -> Result<(ClientId, Option<String>), String> {
    let NewClient { agency, name, scopes, purposes, credential } = new;
    for scope in scopes {
        let known = policy::known(scope).ok_or_else(|| format!("unknown scope \"{scope}\""))?;
        if policy::is_identity(known) && matches!(credential, Credential::Secret) {
            return Err(format!("{known} needs a client with keys (--jwks): a secret never opens identities"));
        }
    }
    if let Some((one, other)) =
        policy::APART.iter().find(|(one, other)| scopes.iter().any(|s| s == one) && scopes.iter().any(|s| s == other))
    {
        return Err(format!("{one} and {other} are never one client's"));
    }
    if purposes.is_empty() {
        return Err("a client needs at least one purpose".into());
    }
    let exists: i64 = agency::table.filter(agency::code.eq(agency.as_str())).count().get_result(conn).map_err(text)?;
    if exists == 0 {
        return Err(format!("there is no agency {agency}"));
    }
    let (secret, hash, jwks) = match credential {
        Credential::Secret => {
            let secret = random_secret()?;
            let hash = hash(&secret);
            (Some(secret), Some(hash), None)
        }
        Credential::Jwks(text) => (None, None, Some(checked_jwks(text)?)),
    };
    let id = ClientId::generate(now, Bucket::random());
    let purposes: Vec<&str> = purposes.iter().map(|p| p.as_str()).collect();
    diesel::insert_into(t::table)
        .values((
            t::id.eq(id),
            t::agency_code.eq(agency.as_str()),
            t::name.eq(name),
            t::scopes.eq(Json::of(scopes).map_err(debug)?),
            t::purposes.eq(Json::of(&purposes).map_err(debug)?),
            t::secret_hash.eq(hash),
            t::jwks.eq(jwks.map(|j| Json::of(&j)).transpose().map_err(debug)?),
            t::status.eq("active"),
            t::version.eq(1),
            t::created_at.eq(now),
            t::updated_at.eq(now),
        ))
        .execute(conn)
        .map_err(text)?;
    Ok((id, secret))
}

fn text(error: diesel::result::Error) -> String {
    debug(Error::from(error))
}

fn debug(error: Error) -> String {
    format!("database: {error:?}")
}

/// 256 random bits.
fn random_secret() -> Result<String, String> {
    let mut bytes = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "no randomness".to_owned())?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// SHA-256, hex. Enough for a secret of 256 random bits.
pub fn hash(secret: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, secret.as_bytes());
    digest.as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// Public signature keys only: curves P-256, P-384 and Ed25519, or RSA of at least 3,072 bits.
fn checked_jwks(text: &str) -> Result<JwkSet, String> {
    use AlgorithmParameters as P;
    let value: serde_json::Value = serde_json::from_str(text).map_err(|_| "the key set is not JSON".to_owned())?;
    let private = value.get("keys").and_then(|k| k.as_array()).into_iter().flatten().any(|k| k.get("d").is_some());
    if private {
        return Err("the key set holds a private key: register public keys only".into());
    }
    let set: JwkSet = serde_json::from_value(value).map_err(|_| "the key set is not a JWK set (RFC 7517)".to_owned())?;
    if set.keys.is_empty() || set.keys.len() > 4 {
        return Err("a key set holds one to four keys".into());
    }
    for key in &set.keys {
        if key.common.key_id.is_none() {
            return Err("every key needs a kid".into());
        }
        match &key.algorithm {
            P::EllipticCurve(_) | P::OctetKeyPair(_) => {}
            P::RSA(_) if strong(key) => {}
            P::RSA(_) => return Err("RSA keys have at least 3,072 bits".into()),
            _ => return Err("only EC, Ed25519 and RSA public keys can be registered".into()),
        }
    }
    Ok(set)
}

/// Whether a key is long enough: RSA of at least 3,072 bits; every curve that is taken is.
pub fn strong(key: &Jwk) -> bool {
    match &key.algorithm {
        AlgorithmParameters::RSA(rsa) => URL_SAFE_NO_PAD.decode(&rsa.n).is_ok_and(|n| {
            // Zeros in front make a number no larger.
            n.iter().skip_while(|byte| **byte == 0).count() >= 384
        }),
        _ => true,
    }
}

/// Disables a client, or enables it again. Disabling kills its tokens: they stay dead when it is enabled.
pub fn set_active(conn: &mut Conn, id: ClientId, active: bool, now: Timestamp) -> Result<bool, String> {
    let changed = diesel::update(t::table.filter(t::id.eq(id)))
        .set((
            t::status.eq(if active { "active" } else { "disabled" }),
            t::version.eq(t::version + 1),
            t::updated_at.eq(now),
        ))
        .execute(conn)
        .map_err(text)?;
    if changed > 0 && !active {
        end_tokens(conn, id, now)?;
    }
    Ok(changed > 0)
}

/// Kills every token that a client has at this instant.
pub fn end_tokens(conn: &mut Conn, id: ClientId, now: Timestamp) -> Result<(), String> {
    policy_row(conn, id, now)?;
    diesel::update(client_policy::table.filter(client_policy::client_id.eq(id)))
        .set((client_policy::tokens_after.eq(Some(now)), client_policy::updated_at.eq(now)))
        .execute(conn)
        .map_err(text)?;
    Ok(())
}

/// Narrows or widens what a client's tokens are good for.
pub fn constrain(conn: &mut Conn, id: ClientId, constraint: &Constraint, now: Timestamp) -> Result<(), String> {
    let Constraint { dpop_required, territory } = constraint;
    let digits = |t: &str| matches!(t.len(), 0 | 2 | 4 | 6) && t.bytes().all(|b| b.is_ascii_digit());
    if let Some(wrong) = territory.as_deref().filter(|t| !digits(t)) {
        return Err(format!("\"{wrong}\" is no UBIGEO prefix of 2, 4 or 6 digits"));
    }
    policy_row(conn, id, now)?;
    let row = || client_policy::table.filter(client_policy::client_id.eq(id));
    if let Some(required) = dpop_required {
        diesel::update(row())
            .set((client_policy::dpop_required.eq(required), client_policy::updated_at.eq(now)))
            .execute(conn)
            .map_err(text)?;
    }
    if let Some(territory) = territory {
        let territory = Some(territory.as_str()).filter(|t| !t.is_empty());
        diesel::update(row())
            .set((client_policy::territory.eq(territory), client_policy::updated_at.eq(now)))
            .execute(conn)
            .map_err(text)?;
    }
    Ok(())
}

/// Makes the row of a client's constraints, if it has none.
fn policy_row(conn: &mut Conn, id: ClientId, now: Timestamp) -> Result<(), String> {
    let known: i64 = t::table.filter(t::id.eq(id)).count().get_result(conn).map_err(text)?;
    if known == 0 {
        return Err(format!("there is no client {id}"));
    }
    crate::per_engine!(conn, c => diesel::insert_into(client_policy::table)
        .values((
            client_policy::client_id.eq(id),
            client_policy::dpop_required.eq(false),
            client_policy::updated_at.eq(now),
        ))
        .on_conflict_do_nothing()
        .execute(c)
        .map_err(text)?);
    Ok(())
}

/// Gives a client a new secret; the old one stops at once.
pub fn rotate_secret(conn: &mut Conn, id: ClientId, now: Timestamp) -> Result<String, String> {
    let secret = random_secret()?;
    let changed = diesel::update(t::table.filter(t::id.eq(id)).filter(t::secret_hash.is_not_null()))
        .set((t::secret_hash.eq(Some(hash(&secret))), t::version.eq(t::version + 1), t::updated_at.eq(now)))
        .execute(conn)
        .map_err(text)?;
    if changed == 0 { Err("there is no such client with a secret".into()) } else { Ok(secret) }
}

/// The scopes that a client has now; none where it is disabled or gone.
pub fn granted(conn: &mut Conn, id: ClientId) -> Result<Option<Vec<String>>> {
    let row: Option<(Json, String)> = t::table.filter(t::id.eq(id)).select((t::scopes, t::status)).first(conn).optional()?;
    row.filter(|(_, status)| status == "active").map(|(scopes, _)| scopes.read()).transpose()
}

/// Public keys.
impl Clear for JwkSet {}

type Row = (ClientId, String, String, Json, Json, Option<String>, Option<Json>, String, (bool, Option<String>), Bounds);
type Bounds = (Option<bool>, Option<Timestamp>, Option<String>);

/// Every client.
pub fn all(conn: &mut Conn) -> Result<Vec<ClientRecord>> {
    let rows: Vec<Row> = t::table
        .inner_join(agency::table.on(agency::code.eq(t::agency_code)))
        .left_join(client_policy::table.on(client_policy::client_id.eq(t::id)))
        .select((
            t::id,
            t::agency_code,
            t::name,
            t::scopes,
            t::purposes,
            t::secret_hash,
            t::jwks,
            t::status,
            (agency::oversight, agency::territory),
            (
                client_policy::dpop_required.nullable(),
                client_policy::tokens_after.nullable(),
                client_policy::territory.nullable(),
            ),
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, agency, name, scopes, purposes, secret_hash, jwks, status, (oversight, whole), bounds)| {
            let scopes: Vec<String> = scopes.read()?;
            let purposes: Vec<String> = purposes.read()?;
            let (dpop_required, tokens_after, territory) = bounds;
            Ok(ClientRecord {
                id,
                agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in client"))?,
                oversight,
                name,
                // A scope that this program no longer knows opens nothing.
                scopes: scopes.iter().filter_map(|s| policy::known(s)).collect(),
                purposes: purposes.iter().filter_map(|p| Purpose::parse(p)).collect(),
                secret_hash,
                jwks: jwks.map(|j| j.read()).transpose()?,
                active: status == "active",
                dpop_required: dpop_required.unwrap_or(false),
                tokens_after,
                territory: territory.or(whole),
            })
        })
        .collect()
}

/// All clients and all revoked tokens as of at most a few seconds ago: a disabled client and a revoked token are refused
/// on every instance within five seconds, by the instance that heard of it at once.
pub struct Directory {
    snapshot: ArcSwap<Snapshot>,
    revoked: Revoked,
}

struct Snapshot {
    clients: HashMap<ClientId, std::sync::Arc<ClientRecord>>,
    taken: Instant,
}

/// Oldest snapshot that is still believed, seconds.
const STALE_S: u64 = 5;
/// Time between two readings for the sake of clients that are not known.
const AGAIN: Duration = Duration::from_millis(100);

impl Directory {
    /// Reads clients and revocations once.
    pub fn load(store: &Store) -> Result<Self> {
        let empty = Snapshot { clients: HashMap::new(), taken: Instant::now() };
        let directory = Self { snapshot: ArcSwap::from_pointee(empty), revoked: Revoked::default() };
        directory.refresh(store)?;
        Ok(directory)
    }

    /// Reads them again.
    pub fn refresh(&self, store: &Store) -> Result<()> {
        let (taken, now) = (Instant::now(), Timestamp::now());
        let read = store.read_blocking(|conn| Ok((all(conn)?, revocation::live(conn, now)?)))?;
        self.believe(read, taken, now);
        Ok(())
    }

    fn believe(&self, (clients, revoked): (Vec<ClientRecord>, Vec<(TokenId, Timestamp)>), taken: Instant, now: Timestamp) {
        self.revoked.learn(revoked, now);
        let clients = clients.into_iter().map(|c| (c.id, std::sync::Arc::new(c))).collect();
        self.snapshot.store(std::sync::Arc::new(Snapshot { clients, taken }));
    }

    /// A client, one that was registered a moment ago included: where it is not known, the directory is read again. Those
    /// who ask for somebody who is not there wait for each other's reading, so that it is not read for each of them.
    pub async fn find_new(&self, store: &Store, id: ClientId) -> Result<Option<std::sync::Arc<ClientRecord>>> {
        if let Some(known) = self.find(id)? {
            return Ok(Some(known));
        }
        let asked = Instant::now();
        tokio::time::sleep(AGAIN.saturating_sub(self.snapshot.load().taken.elapsed())).await;
        if self.snapshot.load().taken < asked {
            let (taken, now) = (Instant::now(), Timestamp::now());
            let read = store.read(move |conn| Ok((all(conn)?, revocation::live(conn, now)?))).await?;
            self.believe(read, taken, now);
        }
        self.find(id)
    }

    /// A client, if the directory is fresh enough to be believed.
    pub fn find(&self, id: ClientId) -> Result<Option<std::sync::Arc<ClientRecord>>> {
        let snapshot = self.snapshot.load();
        if snapshot.taken.elapsed().as_secs() >= STALE_S {
            return Err(Error::Unavailable(Unavailable::Storage));
        }
        Ok(snapshot.clients.get(&id).cloned())
    }

    /// The tokens that died before their time.
    pub fn revoked(&self) -> &Revoked {
        &self.revoked
    }
}
