//! Ids in paths. A malformed id names nothing, so it is the same 404 as an id that names nothing.

use actix_web::HttpRequest;

use crate::kernel::ids::Kind;
use crate::kernel::{Error, Id, Result};

/// The id of a path segment.
pub fn id<K: Kind>(req: &HttpRequest, name: &str) -> Result<Id<K>> {
    req.match_info().get(name).and_then(|text| text.parse().ok()).ok_or(Error::NotFound)
}

/// The text of a path segment.
pub fn text<'r>(req: &'r HttpRequest, name: &str) -> Result<&'r str> {
    req.match_info().get(name).ok_or(Error::NotFound)
}
