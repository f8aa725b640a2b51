//! Which browsers may read an answer (Fetch standard): the registered origins, and anyone where no token is needed.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

/// Open without a token and without a secret: any page may read them.
const OPEN: &[&str] = &["/v1/catalogues", "/v1/open-data", "/v1/status", "/openapi/", "/problems/", "/.well-known/"];
const METHODS: &str = "GET, HEAD, POST, PATCH, DELETE, OPTIONS";
const REQUEST: &str = "Authorization, DPoP, Content-Type, Accept, Accept-Language, Idempotency-Key, If-Match, If-None-Match, Prefer, Client-Request-Id, traceparent";
const EXPOSED: &str = "ETag, Link, Location, RateLimit, RateLimit-Policy, Retry-After, Request-Id, Audit-Event-Id, Api-Version, Idempotency-Replayed, Preference-Applied, DPoP-Nonce, WWW-Authenticate";

/// The origins that may read what a token opens. Cookies are never used, so credentials are never allowed.
#[derive(Clone, Debug, Default)]
pub struct Cors(Vec<String>);

impl Cors {
    /// From the settings: exact origins, `https://desk.example`.
    pub fn new(origins: &[String]) -> Result<Self, String> {
        for origin in origins {
            let host = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
            if !host.is_some_and(|h| !h.is_empty() && !h.contains(['/', '*', '?', '#', '@', ' '])) {
                return Err(format!("not an origin: \"{origin}\" (write https://host or https://host:port)"));
            }
        }
        Ok(Self(origins.iter().map(|o| o.to_ascii_lowercase()).collect()))
    }

    /// The headers of an answer to this request; none for a stranger's page.
    pub fn headers(&self, method: &Method, path: &str, asked: &HeaderMap) -> Vec<(HeaderName, HeaderValue)> {
        let Some(origin) = asked.get(header::ORIGIN) else { return Vec::new() };
        let allowed = if OPEN.iter().any(|open| path.starts_with(open)) {
            HeaderValue::from_static("*")
        } else if origin.to_str().is_ok_and(|o| self.0.contains(&o.to_ascii_lowercase())) {
            origin.clone()
        } else {
            return Vec::new();
        };
        let mut headers = vec![
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED)),
        ];
        if method == Method::OPTIONS && asked.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD) {
            headers.push((header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS)));
            headers.push((header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST)));
            headers.push((header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")));
        }
        headers
    }

    /// Whether answers differ by origin.
    pub fn varies(&self) -> bool {
        !self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_origins_are_registered() {
        let one = |o: &str| Cors::new(&[o.to_owned()]);
        for good in ["https://desk.example", "http://localhost:3000"] {
            assert!(one(good).is_ok(), "{good}");
        }
        for bad in ["*", "desk.example", "https://", "https://*.example", "https://desk.example/", "null", "https://u@h"] {
            assert!(one(bad).is_err(), "{bad}");
        }
    }
}
