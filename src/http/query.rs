//! Query strings, strictly: an unknown, repeated or malformed parameter is an error that names it.

use actix_web::{HttpMessage, HttpRequest};

use super::context::Seen;
use crate::kernel::error::{Error, Fault, Result};
use crate::kernel::page::Limit;
use crate::kernel::{FaultCode, Timestamp};

/// Most parameters of one request.
const MOST: usize = 50;

/// The parameters of a request, and the faults found while reading them.
#[derive(Debug)]
pub struct Params {
    path: String,
    given: Vec<(String, String)>,
    faults: Vec<Fault>,
}

impl Params {
    /// Reads the query string; only `known` names may stand in it, and `fields`, which every read
    /// of records takes (`respond` applies it).
    pub fn parse(req: &HttpRequest, known: &[&str]) -> Result<Self> {
        let records = req.extensions().contains::<Seen>();
        let mut given: Vec<(String, String)> = Vec::new();
        let mut unknown = Vec::new();
        let mut faults = Vec::new();
        if req.query_string().split('&').filter(|p| !p.is_empty()).count() > MOST {
            return Err(Error::InvalidRequest);
        }
        for pair in req.query_string().split('&').filter(|p| !p.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (Some(name), Some(value)) = (decode(name), decode(value)) else {
                return Err(Error::InvalidRequest);
            };
            if !(known.contains(&name.as_str()) || records && name == "fields") {
                unknown.push(Fault::parameter(name.chars().take(60).collect::<String>(), FaultCode::UnknownField));
            } else if given.iter().any(|(n, _)| *n == name) {
                faults.push(Fault::parameter(name, FaultCode::UniqueItems));
            } else {
                given.push((name, value));
            }
        }
        if !unknown.is_empty() {
            return Err(Error::UnknownParameter(unknown));
        }
        let params = Self { path: req.path().to_owned(), given, faults };
        // A single read has no other parameter to look at, so nobody would ask for its faults.
        if known.is_empty() && !params.faults.is_empty() {
            return Err(Error::InvalidParameter(params.faults));
        }
        Ok(params)
    }

    /// The parameters of another request of ours: what a cursor for it is bound to.
    pub fn of(path: String, given: &[(&str, String)]) -> Self {
        let given = given.iter().map(|(n, v)| ((*n).to_owned(), v.clone())).collect();
        Self { path, given, faults: Vec::new() }
    }

    /// The text of a parameter.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.given.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// A parameter read by `f`; a value that `f` does not know is a fault.
    pub fn read<T>(&mut self, name: &str, f: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        let text = self.text(name)?;
        let value = f(text);
        if value.is_none() {
            self.faults.push(Fault::parameter(name, FaultCode::Enum));
        }
        value
    }

    /// A comma-separated list whose every item `known` knows.
    pub fn list(&mut self, name: &str, known: impl Fn(&str) -> bool) -> Vec<String> {
        let Some(text) = self.text(name) else { return Vec::new() };
        let items: Vec<String> = text.split(',').map(str::to_owned).collect();
        if items.len() > MOST || items.iter().any(|i| !known(i)) {
            self.faults.push(Fault::parameter(name, FaultCode::Enum));
        }
        items
    }

    /// An instant.
    pub fn timestamp(&mut self, name: &str) -> Option<Timestamp> {
        let value = Timestamp::parse(self.text(name)?);
        if value.is_none() {
            self.faults.push(Fault::parameter(name, FaultCode::Format));
        }
        value
    }

    /// `limit`: out of range is a fault, never coerced.
    pub fn limit(&mut self) -> Limit {
        let Some(text) = self.text("limit") else { return Limit::DEFAULT };
        let digits = !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
        let parsed = if digits { text.parse::<u32>().ok() } else { None };
        match parsed {
            None => self.faults.push(Fault::parameter("limit", FaultCode::Type)),
            Some(n) => match u16::try_from(n).ok().and_then(Limit::new) {
                Some(limit) => return limit,
                None if n == 0 => self.faults.push(Fault::parameter("limit", FaultCode::Minimum)),
                None => self.faults.push(Fault::parameter("limit", FaultCode::Maximum)),
            },
        }
        Limit::DEFAULT
    }

    /// A fault that a handler found.
    pub fn fault(&mut self, name: &str, code: FaultCode) {
        self.faults.push(Fault::parameter(name, code));
    }

    /// `Ok` if nothing was wrong.
    pub fn finish(&mut self) -> Result<()> {
        let faults = std::mem::take(&mut self.faults);
        if faults.is_empty() { Ok(()) } else { Err(Error::InvalidParameter(faults)) }
    }

    /// The path and the filters, in one order, without the cursor and the page's size: a cursor is bound to them.
    pub fn filters(&self) -> String {
        let page = |name: &str| ["cursor", "limit", "fields"].contains(&name);
        let mut filters: Vec<String> =
            self.given.iter().filter(|(n, _)| !page(n)).map(|(n, v)| format!("{n}={v}")).collect();
        filters.sort();
        format!("{}?{}", self.path, filters.join("&"))
    }

    /// The parameters with another cursor, percent-encoded, for `Link`.
    pub fn with_cursor(&self, cursor: &str) -> String {
        self.given
            .iter()
            .filter(|(n, _)| n != "cursor")
            .map(|(n, v)| format!("{n}={}", encode(v)))
            .chain(std::iter::once(format!("cursor={cursor}")))
            .collect::<Vec<_>>()
            .join("&")
    }
}

/// Percent-decoding; `+` is a space, as forms and most clients have it.
pub fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let high = char::from(rest.next()?).to_digit(16)?;
                let low = char::from(rest.next()?).to_digit(16)?;
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    (!super::strict::has_forbidden(&text)).then(|| super::strict::nfc(&text).into_owned())
}

fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b',' | b':' => char::from(b).to_string(),
            _ => format!("%{b:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn parse(query: &str) -> Result<Params> {
        Params::parse(&TestRequest::with_uri(&format!("/x?{query}")).to_http_request(), &["limit", "stage", "cursor"])
    }

    #[test]
    fn unknown_repeated_and_malformed_parameters_are_errors() {
        assert!(matches!(parse("a=1"), Err(Error::UnknownParameter(_))));
        assert!(matches!(parse("limit=1&limit=2").and_then(|mut p| p.finish()), Err(Error::InvalidParameter(_))));
        assert!(parse(&"stage=&".repeat(50)).is_ok());
        assert!(matches!(parse(&"stage=&".repeat(51)), Err(Error::InvalidRequest)));
        assert_eq!(parse("stage=n%CC%83").unwrap().text("stage"), Some("ñ"), "composed, however it was typed");
        assert!(matches!(parse("stage=%zz"), Err(Error::InvalidRequest)));
        assert!(matches!(parse("stage=%00"), Err(Error::InvalidRequest)));
        assert!(matches!(parse("stage=%ff"), Err(Error::InvalidRequest)));
        for bad in ["limit=0", "limit=201", "limit=x", "limit=-1", "limit=", "limit=99999999999", "limit=1.5"] {
            let mut params = parse(bad).unwrap();
            params.limit();
            assert!(params.finish().is_err(), "{bad}");
        }
        let mut params = parse("limit=200").unwrap();
        assert_eq!(params.limit().rows(), 200);
    }

    #[test]
    fn filters_do_not_depend_on_order_or_page() {
        assert_eq!(parse("stage=a%2Cb&limit=5").unwrap().filters(), parse("limit=9&stage=a,b&cursor=zz").unwrap().filters());
    }
}
