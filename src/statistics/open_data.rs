//! Open data: the releases, for everybody, without a token. What is here cannot reach anything but releases.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::header;
use actix_web::{HttpMessage, HttpRequest, HttpResponse, get, web};
use arc_swap::ArcSwapOption;
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::period::Period;
use super::release::{LICENCE, sha256};
use super::release_store::{self, Frozen};
use super::render;
use crate::auth::door::address;
use crate::db::{Conn, Store};
use crate::http::accept;
use crate::http::etag::if_none_match;
use crate::http::limits::Limits;
use crate::http::path;
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::kernel::ids::ReleaseId;
use crate::kernel::{Day, Error, Result, Timestamp};

/// Mounts the operations.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(open_data_list).service(open_data_release).service(open_data_cube);
}

/// How long the list of releases is answered without asking whether there is a new one. What is in it never changes.
const LIST_FRESH: Duration = Duration::from_secs(30);
/// Most texts that are held ready.
const HELD: usize = 500;

/// A text that never changes, with its tag.
#[derive(Debug)]
struct Text {
    body: String,
    tag: String,
}

impl Text {
    fn new(body: String, form: &str) -> Arc<Self> {
        let hash: String = sha256(&body).chars().take(32).collect();
        Arc::new(Self { tag: format!("\"{hash}.{form}\""), body })
    }
}

/// The way to the releases, and to nothing else. What was read once is held: a release never changes.
pub struct Shelf {
    store: Store,
    limits: Arc<Limits>,
    proxies: Vec<IpAddr>,
    held: Cache<(String, String), Arc<Text>>,
    list: ArcSwapOption<(Instant, Arc<Text>)>,
}

impl Shelf {
    /// Of a registry.
    pub fn new(store: Store, limits: Arc<Limits>, proxies: Vec<IpAddr>) -> Self {
        Self { store, limits, proxies, held: Cache::new(HELD), list: ArcSwapOption::empty() }
    }

    /// Counts a read against the quota of its address.
    fn admit(&self, req: &HttpRequest) -> Result<()> {
        let Some(address) = address(req, &self.proxies) else { return Ok(()) };
        let (state, room) = self.limits.visit(address);
        if let Some(state) = state {
            req.extensions_mut().insert(state);
        }
        room
    }

    async fn releases(&self) -> Result<Arc<Text>> {
        if let Some(held) = self.list.load_full().filter(|held| held.0.elapsed() < LIST_FRESH) {
            return Ok(Arc::clone(&held.1));
        }
        let releases = self.store.read(release_store::releases).await?;
        let items = releases.iter().map(ReleaseView::of).collect::<Result<Vec<_>>>()?;
        let body = serde_json::to_string(&StatisticsReleasePage { items, next_cursor: None }).map_err(Error::internal)?;
        let text = Text::new(body, "j");
        self.list.store(Some(Arc::new((Instant::now(), Arc::clone(&text)))));
        Ok(text)
    }

    /// The list has changed: the next reader asks for it.
    pub fn published(&self) {
        self.list.store(None);
    }

    async fn held(
        &self,
        key: (String, String),
        read: impl FnOnce(&mut Conn) -> Result<(String, &'static str)> + Send + 'static,
    ) -> Result<Arc<Text>> {
        if let Some(held) = self.held.get(&key) {
            return Ok(held);
        }
        let (body, form) = self.store.read(read).await?;
        let text = Text::new(body, form);
        self.held.insert(key, Arc::clone(&text));
        Ok(text)
    }

    async fn release(&self, period: String) -> Result<Arc<Text>> {
        let key = (period.clone(), String::new());
        self.held(key, move |conn| Ok((release_store::release(conn, &period)?.content, "j"))).await
    }

    async fn cube(&self, period: String, name: String, csv: bool) -> Result<Arc<Text>> {
        let key = (period.clone(), if csv { format!("{name}.csv") } else { name.clone() });
        self.held(key, move |conn| {
            let (body, _) = release_store::cube(conn, &period, &name)?;
            if csv { Ok((spreadsheet(&body)?, "c")) } else { Ok((body, "j")) }
        })
        .await
    }
}

/// A published table for a spreadsheet.
fn spreadsheet(body: &str) -> Result<String> {
    let table: OpenDataCube = serde_json::from_str(body).map_err(|_| Error::internal("a published table"))?;
    let head: Vec<&str> = table.dimensions.iter().map(String::as_str).chain(["count"]).collect();
    let rows = table.items.iter().map(|CubeRow { values, count }| {
        let count = count.map_or_else(String::new, |n| n.to_string());
        values.iter().cloned().chain([count]).collect()
    });
    Ok(render::csv(&head, rows))
}

/// A release.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = StatisticsRelease, example = json!({"id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "version": 1, "release": "2025", "from": "2025-01-01", "to": "2025-12-31",
    "published_at": "2026-03-31T12:00:00.000Z", "position": 5120, "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "licence": "CC-BY-4.0", "href": "/v1/open-data/releases/2025"}))]
pub struct ReleaseView {
    /// Id, as the record of changes names it.
    pub id: ReleaseId,
    /// Always 1: a release is never changed.
    #[schema(minimum = 1, maximum = 1)]
    pub version: i64,
    /// Its name, which is its period: `2025`, `2025-H1`, `2025-Q3` or `2025-03`.
    #[schema(max_length = 7)]
    pub release: String,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// When it was published.
    pub published_at: Timestamp,
    /// Entries of the record of changes that are in it.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub position: i64,
    /// SHA-256 of its manifest, hex. The manifest holds those of its tables.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: String,
    /// Licence (SPDX).
    #[schema(max_length = 40)]
    pub licence: &'static str,
    /// Its manifest.
    #[schema(max_length = 200)]
    pub href: String,
}

impl ReleaseView {
    /// Of a frozen release.
    pub fn of(frozen: &Frozen) -> Result<Self> {
        let Frozen { period, id, position, sha256, published_at, content: _ } = frozen;
        let Period { from, to, .. } = Period::parse(period).ok_or_else(|| Error::internal("period of a release"))?;
        Ok(Self {
            id: *id,
            version: 1,
            release: period.clone(),
            from: Day::from_date(from),
            to: Day::from_date(to),
            published_at: *published_at,
            position: *position,
            sha256: sha256.clone(),
            licence: LICENCE,
            href: format!("/v1/open-data/releases/{period}"),
        })
    }
}

/// Every release.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatisticsReleasePage {
    /// The releases, the newest period first.
    pub items: Vec<ReleaseView>,
    /// Always null.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// A row of a published table.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct CubeRow {
    /// One value per dimension; `total` for all of them.
    #[schema(max_items = 6)]
    pub values: Vec<String>,
    /// How many, protected; null where it is withheld: fewer than the threshold, perhaps nobody, or it would give another
    /// cell away.
    #[schema(required, minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub count: Option<u64>,
}

/// A published table.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({"release": "2025", "cube": "victims-by-sex-age", "unit": "persons", "dimensions": ["sex", "age_band"],
    "items": [{"values": ["total", "total"], "count": 1430}, {"values": ["female", "age_13_17"], "count": 515}, {"values": ["male", "age_60_plus"], "count": null}],
    "licence": "CC-BY-4.0", "methodology": "/v1/open-data/releases/2025", "published_at": "2026-03-31T12:00:00.000Z"}))]
pub struct OpenDataCube {
    /// Release.
    #[schema(max_length = 7)]
    pub release: String,
    /// Name.
    #[schema(max_length = 60)]
    pub cube: String,
    /// `persons` or `cases`.
    #[schema(max_length = 20)]
    pub unit: String,
    /// Dimensions of the rows.
    #[schema(max_items = 6)]
    pub dimensions: Vec<String>,
    /// The rows, margins included.
    #[schema(max_items = 20000)]
    pub items: Vec<CubeRow>,
    /// Licence (SPDX).
    #[schema(max_length = 40)]
    pub licence: String,
    /// Where it stands how the figures were made.
    #[schema(max_length = 200)]
    pub methodology: String,
    /// When it was published.
    pub published_at: Timestamp,
}

/// A table that a manifest lists.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ListedCube {
    /// Name.
    #[schema(max_length = 60)]
    pub name: String,
    /// `persons` or `cases`.
    #[schema(max_length = 20)]
    pub unit: String,
    /// Dimensions.
    #[schema(max_items = 6)]
    pub dimensions: Vec<String>,
    /// SHA-256 of its JSON form, hex.
    #[schema(min_length = 64, max_length = 64)]
    pub sha256: String,
    /// Where it is.
    #[schema(max_length = 200)]
    pub href: String,
}

/// How figures are protected.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ProtectionRules {
    /// Noisy counts below are withheld.
    pub threshold: u64,
    /// Numbers are multiples of this.
    pub rounded_to: u64,
    /// Most that the noise adds or takes.
    pub noise: u64,
    /// Tables over fewer are not published.
    pub least_population: u64,
}

/// How the figures were made.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Methodology {
    /// In Spanish.
    #[schema(max_length = 4000)]
    pub es: String,
    /// In English.
    #[schema(max_length = 4000)]
    pub en: String,
    /// In French.
    #[schema(max_length = 4000)]
    pub fr: String,
}

/// Up to where a release counted.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct ReleaseAsOf {
    /// Entries of the record that are in it: position in the sealed order.
    #[schema(minimum = 0, maximum = 9_007_199_254_740_991_i64)]
    pub position: i64,
    /// When the last of them was made.
    #[schema(required)]
    pub at: Option<Timestamp>,
    /// Cases that could not be read when it was made; absent where all could.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    pub skipped: Option<u64>,
}

/// The manifest of a release: what it is about, how it was made, its tables and their hashes.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2025", "from": "2025-01-01", "to": "2025-12-31", "published_at": "2026-03-31T12:00:00.000Z",
    "as_of": {"position": 5120, "at": "2026-03-31T11:59:58.004Z"}, "licence": "CC-BY-4.0", "methodology": {"es": "Cada expediente …", "en": "Each file …", "fr": "Chaque dossier …"},
    "rules": {"threshold": 10, "rounded_to": 5, "noise": 5, "least_population": 30}, "withheld": ["prosecuted-by-outcome-sex"],
    "items": [{"name": "victims-by-quarter", "unit": "persons", "dimensions": ["quarter"], "href": "/v1/open-data/2025/victims-by-quarter",
        "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"}]}))]
pub struct OpenDataManifest {
    /// Release.
    #[schema(max_length = 7)]
    pub release: String,
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// When it was published.
    pub published_at: Timestamp,
    /// Up to where it counted.
    pub as_of: ReleaseAsOf,
    /// Licence (SPDX).
    #[schema(max_length = 40)]
    pub licence: String,
    /// How the figures were made.
    pub methodology: Methodology,
    /// How they are protected.
    pub rules: ProtectionRules,
    /// The tables.
    #[schema(max_items = 100)]
    pub items: Vec<ListedCube>,
    /// Tables that are not published: over too few.
    #[schema(max_items = 100)]
    pub withheld: Vec<String>,
}

type Answer = std::result::Result<HttpResponse, Problem>;

/// Bytes that anybody may keep for an hour; 304 for who has them.
fn open(req: &HttpRequest, form: &'static str, text: &Text) -> HttpResponse {
    let had = if_none_match(req.headers(), &text.tag);
    let mut response = if had.is_some() { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::ETAG, had.clone().unwrap_or_else(|| text.tag.clone())))
        .insert_header((header::CACHE_CONTROL, "public, max-age=3600, stale-if-error=86400"))
        .insert_header((header::VARY, "Accept, Accept-Encoding"))
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
    if had.is_some() {
        return response.finish();
    }
    let kind = if form == accept::CSV { "text/csv; charset=utf-8; header=present" } else { form };
    response.content_type(kind).body(text.body.clone())
}

/// Every release of figures, the newest period first. Releases are made once for a period and never changed.
///
/// Open data are read without a token, so an address has a quota (`RateLimit`): beyond it the answer is 429 with
/// `Retry-After`. They may be kept for an hour, and asked for again with `If-None-Match`.
#[utoipa::path(tag = "statistics", summary = "List releases",
    responses((status = 200, description = "The releases", body = StatisticsReleasePage), (status = 304, description = "Not changed")), security(()))]
#[get("/v1/open-data/releases")]
pub async fn open_data_list(req: HttpRequest, shelf: web::Data<Shelf>) -> Answer {
    shelf.admit(&req)?;
    Params::parse(&req, &[])?;
    Ok(open(&req, accept::JSON, shelf.releases().await?.as_ref()))
}

/// One release: what it is about, how the figures were made and protected, its tables and their hashes. Its bytes are those
/// of which the release's SHA-256 is.
#[utoipa::path(tag = "statistics", summary = "Read the manifest of a release",
    params(("release" = String, Path, description = "Its period", max_length = 7, example = "2025")),
    responses((status = 200, description = "The manifest", body = OpenDataManifest), (status = 304, description = "Not changed")), security(()))]
#[get("/v1/open-data/releases/{release}")]
pub async fn open_data_release(req: HttpRequest, shelf: web::Data<Shelf>) -> Answer {
    shelf.admit(&req)?;
    Params::parse(&req, &[])?;
    let period = path::text(&req, "release")?.to_owned();
    Ok(open(&req, accept::JSON, shelf.release(period).await?.as_ref()))
}

/// A table of a release, margins included, as JSON or as CSV (`Accept: text/csv`, or `format=csv` for who cannot say so).
/// Its JSON bytes are those of which the manifest has the SHA-256.
#[utoipa::path(tag = "statistics", summary = "Read a table of a release",
    params(("release" = String, Path, description = "Its period", max_length = 7, example = "2025"),
        ("cube" = String, Path, description = "The table's name, as the manifest has it", max_length = 60, example = "victims-by-sex-age"),
        ("format" = Option<String>, Query, description = "`json` or `csv`; what `Accept` prefers if absent", max_length = 4, example = "csv")),
    responses((status = 200, description = "The table", content((OpenDataCube = "application/json"), (String = "text/csv", example = "sex,age_band,count\r\ntotal,total,1430\r\n"))), (status = 304, description = "Not changed")), security(()))]
#[get("/v1/open-data/{release}/{cube}")]
pub async fn open_data_cube(req: HttpRequest, shelf: web::Data<Shelf>) -> Answer {
    shelf.admit(&req)?;
    let mut params = Params::parse(&req, &["format"])?;
    let wanted = params.read("format", |text| match text {
        "json" => Some(accept::JSON),
        "csv" => Some(accept::CSV),
        _ => None,
    });
    params.finish()?;
    // Who takes neither gets the usual one: open data are refused to nobody.
    let form = wanted.or_else(|| accept::chosen(&req, accept::offered(req.path()))).unwrap_or(accept::JSON);
    let (period, name) = (path::text(&req, "release")?.to_owned(), path::text(&req, "cube")?.to_owned());
    let text = shelf.cube(period, name, form == accept::CSV).await?;
    Ok(open(&req, form, text.as_ref()))
}
