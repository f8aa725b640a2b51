//! Handler of the import operation: takes the file in, piece by piece, and queues the job.

use std::future::{Ready, ready};
use std::io::Write;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use actix_web::{FromRequest, HttpRequest, HttpResponse, post};
use flate2::write::MultiGzDecoder;
use futures_util::StreamExt;

use super::wire::{ImportFormat, ImportOrder};
use crate::auth::policy::{CaseWrite, ImportCreate, Permission};
use crate::http::body::Fingerprint;
use crate::http::guard::Allowed;
use crate::http::idempotency::{Key, Once};
use crate::http::problem::Problem;
use crate::http::query::Params;
use crate::http::respond;
use crate::jobs::spool::PIECE;
use crate::jobs::wire::JobView;
use crate::jobs::{Job, JobKind, actions};
use crate::kernel::ids::JobId;
use crate::kernel::{Error, Result};

/// Most bytes of a file.
const MOST_BYTES: u64 = 67_108_864;
/// Most lines of a file.
const MOST_LINES: i64 = 100_000;
/// Media types of IOM's HTCDS: what the file is, its first bytes say.
const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const ODS: &str = "application/vnd.oasis.opendocument.spreadsheet";
const HTCDS_JSON: &str = "application/vnd.sistra.htcds+json";
const HTCDS_CSV: &str = "application/vnd.sistra.htcds+csv";
/// Bytes given to the decompressor at a time: it makes a thousand times as many at most.
const SIP: usize = 256;

/// Mounts the slice.
pub fn routes(cfg: &mut utoipa_actix_web::service_config::ServiceConfig) {
    cfg.service(import_create);
}

/// A body that is read as it comes.
pub struct Upload(Payload);

impl FromRequest for Upload {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(payload.take())))
    }
}

/// Takes in a file of cases and works on it behind the request: ask for the job, then fetch its report.
///
/// A line is the body of `POST /v1/cases` with an `external_ref`, and the same rules hold. The case that the caller's
/// agency knows by that key is opened, or brought up to date: fields that the line names are set, persons and charges
/// with a new label are added, those with a known one amended as their own operations amend them; nothing is cleared and
/// nobody is taken away. The report says what a line changed. The same file again changes nothing. CSV has the fields' paths as its header
/// (`victims.0.sex`), lists with semicolons, and cells that a spreadsheet would run behind an apostrophe.
/// A file of IOM's HTCDS (its templates in XLSX or ODS, CSV or the JSON profile) is taken as well: one line for each
/// case, and a second file of the job, `notes.ndjson`, tells line by line what was lossy.
/// 64 MiB and 100,000 lines at most, an atomic import 5,000 lines; gzip is taken.
#[utoipa::path(tag = "jobs", summary = "Import cases",
    params(("mode" = Option<String>, Query, description = "`commit` (default), or `validate`: nothing is written, and the report says what would become of each line", max_length = 10),
        ("atomic" = Option<bool>, Query, description = "`true`: all lines or none; `false` (default): each line by itself")),
    request_body(description = "The file", content(
        (String = "application/x-ndjson", example = "{\"external_ref\":\"EXP-2026-001\",\"title\":\"Captación con oferta falsa\",\"reported_at\":\"2026-03-14T15:30:00Z\",\"report_channel\":\"police\"}\n"),
        (String = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", example = "PK"),
        (String = "application/vnd.oasis.opendocument.spreadsheet", example = "PK"),
        (String = "application/vnd.sistra.htcds+json", example = "{\"htcds\":\"2.0\",\"records\":[]}"),
        (String = "application/vnd.sistra.htcds+csv", example = "cas_Id,prs_FirstName,prs_Gender\r\nA-1,Rosa,Feminine\r\n"),
        (String = "text/csv", example = "external_ref,title,reported_at,report_channel\r\nEXP-2026-001,Captación con oferta falsa,2026-03-14T15:30:00Z,police\r\n"))),
    responses((status = 202, description = "The job, queued", body = JobView)),
    security(("oauth2" = ["imports:create"])))]
#[post("/v1/imports")]
pub async fn import_create(
    req: HttpRequest,
    allowed: Allowed<ImportCreate>,
    upload: Upload,
) -> Result<HttpResponse, Problem> {
    let caller = allowed.caller();
    if !caller.has(CaseWrite::SCOPE) {
        return Err(Error::InsufficientScope(CaseWrite::SCOPE).into());
    }
    let key = Key::from_request(&req)?;
    let mut params = Params::parse(&req, &["mode", "atomic"])?;
    let mode = |text: &str| ["commit", "validate"].contains(&text).then(|| text == "commit");
    let commit = params.read("mode", mode).unwrap_or(true);
    let atomic = params.read("atomic", |text| text.parse().ok()).unwrap_or(false);
    params.finish()?;
    let (format, gzip) = media(&req)?;
    let declared = req.headers().get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()).and_then(|v| v.parse::<u64>().ok());
    if declared.is_some_and(|n| n > MOST_BYTES) {
        return Err(Error::ContentTooLarge.into());
    }
    let order = serde_json::to_value(ImportOrder { format, commit, atomic }).map_err(Error::internal)?;
    let target = req.uri().path_and_query().map_or("/v1/imports", |t| t.as_str());
    let request = format!("POST {}", target.chars().take(1_000).collect::<String>());
    let (act, lang) = (allowed.act(), allowed.request().lang.code());
    let job = Job::new(caller, &act, JobKind::Import, lang, request, order);
    let id = actions::receive(allowed.store(), job).await?;
    let (fingerprint, lines) = match take_in(&req, &allowed, upload, (format, gzip), id).await {
        Ok(taken) => taken,
        Err(error) => {
            // What came so far is of no use; if it cannot be thrown away now, the broom does it within the day.
            let _ = actions::forget(allowed.store(), id).await;
            return Err(error.into());
        }
    };
    let total = if format == ImportFormat::Ndjson { Some(lines) } else { None };
    let once = Once::new(caller.client, key, fingerprint);
    let written = actions::submit(allowed.store(), act, once, id, total).await?;
    allowed.services().bell.ring();
    let location = format!("/v1/jobs/{}", written.view.id);
    Ok(respond::accepted(&location, written.view.version, &written.tag, &written.view, written.replayed))
}

/// The form of the file, and whether it comes compressed.
fn media(req: &HttpRequest) -> Result<(ImportFormat, bool)> {
    let text = |name| req.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let kind = text(CONTENT_TYPE).split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let format = match kind.as_str() {
        "application/x-ndjson" | "application/ndjson" => ImportFormat::Ndjson,
        "text/csv" => ImportFormat::Csv,
        XLSX | ODS | HTCDS_JSON | HTCDS_CSV => ImportFormat::Htcds,
        _ => return Err(Error::UnsupportedMediaType),
    };
    match text(CONTENT_ENCODING).trim().to_ascii_lowercase().as_str() {
        "" | "identity" => Ok((format, false)),
        "gzip" | "x-gzip" => Ok((format, true)),
        _ => Err(Error::UnsupportedMediaType),
    }
}

/// What the file is cut into on its way to the store.
#[derive(Default)]
struct Cutter {
    piece: Vec<u8>,
    full: Vec<Vec<u8>>,
    bytes: u64,
    lines: i64,
    open: bool,
}

impl Write for Cutter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.bytes += u64::try_from(bytes.len()).unwrap_or(0);
        if self.bytes > MOST_BYTES {
            return Err(std::io::ErrorKind::FileTooLarge.into());
        }
        self.lines += i64::try_from(bytes.iter().filter(|b| **b == b'\n').count()).unwrap_or(0);
        self.open = bytes.last().map_or(self.open, |b| *b != b'\n');
        let mut rest = bytes;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(rest.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            rest = later;
            if self.piece.len() == PIECE {
                self.full.push(std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE)));
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The cutter, behind a decompressor where the file comes compressed.
enum Intake {
    Plain(Cutter),
    Gzip(Box<MultiGzDecoder<Cutter>>),
}

impl Intake {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let done = match self {
            Self::Plain(cutter) => cutter.write_all(bytes),
            Self::Gzip(decoder) => decoder.write_all(bytes),
        };
        done.map_err(refused)
    }

    fn cutter(&mut self) -> &mut Cutter {
        match self {
            Self::Plain(cutter) => cutter,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn finish(self) -> Result<Cutter> {
        match self {
            Self::Plain(cutter) => Ok(cutter),
            Self::Gzip(decoder) => decoder.finish().map_err(refused),
        }
    }
}

fn refused(error: std::io::Error) -> Error {
    // What is no gzip, and what is cut off, cannot be read as a whole.
    if error.kind() == std::io::ErrorKind::FileTooLarge { Error::ContentTooLarge } else { Error::InvalidRequest }
}

/// Stores the body in pieces; never more than a few of them are in memory. Answers fingerprint and number of lines.
async fn take_in<P: Permission>(
    req: &HttpRequest,
    allowed: &Allowed<P>,
    Upload(mut payload): Upload,
    (format, gzip): (ImportFormat, bool),
    id: JobId,
) -> Result<(String, i64)> {
    let mut digest = Fingerprint::new(allowed, req)?;
    let mut intake =
        if gzip { Intake::Gzip(Box::new(MultiGzDecoder::new(Cutter::default()))) } else { Intake::Plain(Cutter::default()) };
    let mut seq = 0;
    let mut given = false;
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::InvalidRequest)?;
        given |= !chunk.is_empty();
        digest.update(&chunk);
        for sip in chunk.chunks(if gzip { SIP } else { chunk.len().max(1) }) {
            intake.write(sip)?;
            for piece in std::mem::take(&mut intake.cutter().full) {
                actions::spool(allowed.store(), id, seq, piece).await?;
                seq += 1;
            }
            // A workbook has no lines; its rows are counted when it is read.
            if format != ImportFormat::Htcds && intake.cutter().lines > MOST_LINES {
                return Err(Error::ContentTooLarge);
            }
        }
    }
    // Nothing at all is a file without a line, and no broken archive.
    let cutter = if gzip && !given { Cutter::default() } else { intake.finish()? };
    for piece in cutter.full.into_iter().chain((!cutter.piece.is_empty()).then_some(cutter.piece)) {
        actions::spool(allowed.store(), id, seq, piece).await?;
        seq += 1;
    }
    Ok((digest.finish(), cutter.lines + i64::from(cutter.open)))
}
