//! Entity tags: `"7.o"` is version 7 as this caller sees it. Strong, so `If-Match` may use them (RFC 9110 §13.1.1).

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, HeaderValue, IF_MATCH, IF_NONE_MATCH};

use crate::kernel::{Error, Result};

/// The tag of a version in a view.
pub fn etag(version: i64, view: &str) -> String {
    format!("\"{version}.{view}\"")
}

/// The version that the caller means to change. Only its number is compared: the view may have changed since.
pub fn if_match(req: &HttpRequest) -> Result<i64> {
    let mut values = req.headers().get_all(IF_MATCH);
    let value = values.next().ok_or(Error::PreconditionRequired)?;
    if values.next().is_some() {
        return Err(Error::InvalidHeader("If-Match"));
    }
    parse(value).ok_or(Error::InvalidHeader("If-Match"))
}

fn parse(value: &HeaderValue) -> Option<i64> {
    let tag = value.to_str().ok()?.trim().strip_prefix('"')?.strip_suffix('"')?;
    let (version, view) = tag.split_once('.')?;
    let digits = !version.is_empty() && version.len() <= 15 && version.bytes().all(|b| b.is_ascii_digit());
    let plain = view.bytes().all(|b| b.is_ascii_alphanumeric()) && view.len() <= 20;
    if digits && plain { version.parse().ok() } else { None }
}

/// The tag of the same representation, compressed: other bytes, so another strong tag. Views have no capitals.
pub fn squeezed(tag: &str) -> Option<String> {
    Some(format!("{}Z\"", tag.strip_suffix('"')?))
}

/// Whether the caller has this representation already, plain or compressed: the tag that it has.
pub fn if_none_match(headers: &HeaderMap, tag: &str) -> Option<String> {
    let small = squeezed(tag);
    headers.get_all(IF_NONE_MATCH).filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(',')).find_map(|given| {
        let given = given.trim();
        let given = given.strip_prefix("W/").unwrap_or(given);
        if given == "*" || given == tag { Some(tag.to_owned()) } else { small.clone().filter(|s| s == given) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn read(value: &str) -> Result<i64> {
        if_match(&TestRequest::default().insert_header(("If-Match", value)).to_http_request())
    }

    #[test]
    fn only_one_strong_tag_of_ours_is_a_precondition() {
        assert_eq!(read("\"7.o\""), Ok(7));
        assert_eq!(if_match(&TestRequest::default().to_http_request()), Err(Error::PreconditionRequired));
        for bad in
            ["*", "W/\"7.o\"", "7.o", "\"7\"", "\"x.o\"", "\"-7.o\"", "\"7.o\", \"8.o\"", "\"99999999999999999999.o\""]
        {
            assert_eq!(read(bad), Err(Error::InvalidHeader("If-Match")), "{bad}");
        }
    }

    #[test]
    fn none_match_compares_weakly() {
        let headers =
            |v: &str| TestRequest::default().insert_header(("If-None-Match", v)).to_http_request().headers().clone();
        assert_eq!(if_none_match(&headers("\"1.o\", W/\"7.o\""), "\"7.o\""), Some("\"7.o\"".to_owned()));
        assert_eq!(if_none_match(&headers("\"7.oZ\""), "\"7.o\""), Some("\"7.oZ\"".to_owned()));
        assert_eq!(if_none_match(&headers("\"7.s\""), "\"7.o\""), None);
    }
}
