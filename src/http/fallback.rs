//! What no route answers: 405 with `Allow` for a known path, 204 for OPTIONS, 404 for the rest.
//!
//! actix's method macros answer 404 to any other method, so the paths of the contract decide here, once.

use std::collections::BTreeMap;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse, web};

use super::problem::Problem;
use crate::kernel::Error;

/// The paths of the contract and the methods that each has.
pub struct Paths(Vec<(Vec<Segment>, Vec<&'static str>)>);

enum Segment {
    Text(String),
    Any,
}

impl Paths {
    /// From the contract.
    pub fn new(document: &utoipa::openapi::OpenApi) -> Self {
        let mut paths: BTreeMap<&str, Vec<&'static str>> = BTreeMap::new();
        for (path, item) in &document.paths.paths {
            let methods = paths.entry(path).or_default();
            for (there, name) in [
                (item.get.is_some(), "GET"),
                (item.get.is_some(), "HEAD"),
                (item.post.is_some(), "POST"),
                (item.patch.is_some(), "PATCH"),
                (item.delete.is_some(), "DELETE"),
            ] {
                if there {
                    methods.push(name);
                }
            }
            methods.push("OPTIONS");
        }
        Self(paths.into_iter().map(|(path, methods)| (segments(path), methods)).collect())
    }

    fn methods(&self, path: &str) -> Option<&[&'static str]> {
        let given: Vec<&str> = path.split('/').collect();
        self.0.iter().find_map(|(template, methods)| {
            let fits = template.len() == given.len()
                && template.iter().zip(&given).all(|(segment, text)| match segment {
                    Segment::Text(own) => own == text,
                    Segment::Any => !text.is_empty(),
                });
            fits.then_some(methods.as_slice())
        })
    }
}

fn segments(path: &str) -> Vec<Segment> {
    path.split('/').map(|s| if s.starts_with('{') { Segment::Any } else { Segment::Text(s.to_owned()) }).collect()
}

/// The service behind all routes.
pub async fn fallback(req: HttpRequest, paths: web::Data<Paths>) -> Result<HttpResponse, Problem> {
    match paths.methods(req.path()) {
        Some(methods) if req.method() == Method::OPTIONS => {
            Ok(HttpResponse::NoContent().insert_header(("Allow", methods.join(", "))).finish())
        }
        Some(methods) => Err(Error::MethodNotAllowed(methods.to_vec()).into()),
        None if req.method() == Method::TRACE || req.method() == Method::CONNECT => {
            Err(Error::MethodNotAllowed(vec!["GET", "HEAD", "OPTIONS"]).into())
        }
        None => Err(Error::NotFound.into()),
    }
}
