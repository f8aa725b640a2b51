//! gzip for answers that are worth it (RFC 9110 §8.4.1). Never for tokens: a compressed secret next to text that a
//! stranger chose can be guessed by its length.

use std::io::Write;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::etag::squeezed;

/// Smaller answers fit a packet anyway, bytes.
const SMALL: u64 = 1_024;
/// Larger ones would hold a worker for too long, bytes.
const LARGE: u64 = 4_194_304;

/// Whether the caller takes gzip.
pub fn accepted(headers: &HeaderMap) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).any(|item| {
        let (coding, weight) = item.split_once(';').unwrap_or((item, "q=1"));
        let refused = weight.trim().strip_prefix("q=").is_none_or(|q| q.trim_matches(['0', '.']).is_empty());
        matches!(coding.trim().to_ascii_lowercase().as_str(), "gzip" | "x-gzip" | "*") && !refused
    })
}

/// The answer, compressed if it is long, of text and whole.
pub fn gzip(response: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
    let worth = matches!(response.response().body().size(), BodySize::Sized(n) if n > SMALL && n <= LARGE);
    if !worth || !text(response.headers()) || response.status() == StatusCode::NOT_MODIFIED {
        return response;
    }
    let (request, response) = response.into_parts();
    let (mut response, body) = response.into_parts();
    let body = match body.try_into_bytes() {
        Ok(bytes) => bytes,
        Err(stream) => return ServiceResponse::new(request, response.set_body(stream)),
    };
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::new(5));
    let Some(small) = encoder.write_all(&body).and_then(|()| encoder.finish()).ok() else {
        return ServiceResponse::new(request, response.set_body(BoxBody::new(body)));
    };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    headers.remove(header::CONTENT_LENGTH);
    // A strong tag names bytes, and these are others.
    if let Some(tag) = headers.get(header::ETAG).and_then(|t| t.to_str().ok()).and_then(squeezed)
        && let Ok(tag) = HeaderValue::from_str(&tag)
    {
        headers.insert(header::ETAG, tag);
    }
    ServiceResponse::new(request, response.set_body(BoxBody::new(small)))
}

fn text(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    !headers.contains_key(header::CONTENT_ENCODING)
        && (essence.starts_with("text/")
            || essence.ends_with("json")
            || essence.ends_with("javascript")
            || essence.ends_with("+xml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_refused() {
        for (given, expected) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("*", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000", false),
            ("br", false),
            ("", false),
            ("gzip;x", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_str(given).unwrap());
            assert_eq!(accepted(&headers), expected, "{given}");
        }
    }
}
