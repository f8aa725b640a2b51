//! Partner systems: who they are, what they may ask for, and how they prove it.

use std::collections::HashMap;
use std::time::Instant;

use arc_swap::ArcSwap;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use diesel::prelude::*;
use jsonwebtoken::jwk::JwkSet;

use super::caller::Purpose;
use super::policy;
use crate::db::schema::{agency, client as t};
use crate::db::{Clear, Conn, Json, Store};
use crate::kernel::error::Unavailable;
use crate::kernel::ids::ClientId;
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
    use jsonwebtoken::jwk::AlgorithmParameters as P;
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
            P::RSA(rsa) if URL_SAFE_NO_PAD.decode(&rsa.n).is_ok_and(|n| n.len() >= 384) => {}
            P::RSA(_) => return Err("RSA keys have at least 3,072 bits".into()),
            _ => return Err("only EC, Ed25519 and RSA public keys can be registered".into()),
        }
    }
    Ok(set)
}

/// Disables a client, or enables it again.
pub fn set_active(conn: &mut Conn, id: ClientId, active: bool, now: Timestamp) -> Result<bool, String> {
    let changed = diesel::update(t::table.filter(t::id.eq(id)))
        .set((
            t::status.eq(if active { "active" } else { "disabled" }),
            t::version.eq(t::version + 1),
            t::updated_at.eq(now),
        ))
        .execute(conn)
        .map_err(text)?;
    Ok(changed > 0)
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

/// Public keys.
impl Clear for JwkSet {}

type Row = (ClientId, String, String, Json, Json, Option<String>, Option<Json>, String, bool);

/// Every client.
pub fn all(conn: &mut Conn) -> Result<Vec<ClientRecord>> {
    let rows: Vec<Row> = t::table
        .inner_join(agency::table.on(agency::code.eq(t::agency_code)))
        .select((
            t::id,
            t::agency_code,
            t::name,
            t::scopes,
            t::purposes,
            t::secret_hash,
            t::jwks,
            t::status,
            agency::oversight,
        ))
        .load(conn)?;
    rows.into_iter()
        .map(|(id, agency, name, scopes, purposes, secret_hash, jwks, status, oversight)| {
            let scopes: Vec<String> = scopes.read()?;
            let purposes: Vec<String> = purposes.read()?;
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
            })
        })
        .collect()
}

/// All clients as of at most a few seconds ago: a disabled one is refused on every instance within five.
pub struct Directory {
    snapshot: ArcSwap<Snapshot>,
}

struct Snapshot {
    clients: HashMap<ClientId, std::sync::Arc<ClientRecord>>,
    taken: Instant,
}

/// Oldest snapshot that is still believed, seconds.
const STALE_S: u64 = 5;

impl Directory {
    /// Reads the clients once.
    pub fn load(store: &Store) -> Result<Self> {
        let directory =
            Self { snapshot: ArcSwap::from_pointee(Snapshot { clients: HashMap::new(), taken: Instant::now() }) };
        directory.refresh(store)?;
        Ok(directory)
    }

    /// Reads the clients again.
    pub fn refresh(&self, store: &Store) -> Result<()> {
        let taken = Instant::now();
        let clients = store.read_blocking(all)?.into_iter().map(|c| (c.id, std::sync::Arc::new(c))).collect();
        self.snapshot.store(std::sync::Arc::new(Snapshot { clients, taken }));
        Ok(())
    }

    /// A client, if the directory is fresh enough to be believed.
    pub fn find(&self, id: ClientId) -> Result<Option<std::sync::Arc<ClientRecord>>> {
        let snapshot = self.snapshot.load();
        if snapshot.taken.elapsed().as_secs() >= STALE_S {
            return Err(Error::Unavailable(Unavailable::Storage));
        }
        Ok(snapshot.clients.get(&id).cloned())
    }
}
