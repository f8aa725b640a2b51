//! Which form of an answer a request prefers (RFC 9110 §12.5.1).

use actix_web::HttpRequest;
use actix_web::http::header::ACCEPT;

/// What most answers are.
pub const JSON: &str = "application/json";
/// A table for a spreadsheet.
pub const CSV: &str = "text/csv";
/// A chart.
pub const SVG: &str = "image/svg+xml";

/// The forms in which the resource of a path can be had, the usual one first.
pub fn offered(path: &str) -> &'static [&'static str] {
    if path.starts_with("/v1/statistics/") {
        &[JSON, CSV, SVG]
    } else if path.starts_with("/v1/open-data/") {
        &[JSON, CSV]
    } else {
        &[JSON]
    }
}

/// The offered form that the request likes best; none where it takes none of them.
pub fn chosen(req: &HttpRequest, offered: &[&'static str]) -> Option<&'static str> {
    let ranges: Vec<(String, u32)> =
        req.headers().get_all(ACCEPT).flat_map(|v| v.to_str().unwrap_or_default().split(',')).filter_map(range).collect();
    if ranges.is_empty() {
        return offered.first().copied();
    }
    let mut best: Option<(&'static str, u32)> = None;
    for form in offered {
        let weight = weight(form, &ranges);
        if weight > 0 && best.is_none_or(|(_, w)| weight > w) {
            best = Some((form, weight));
        }
    }
    best.map(|(form, _)| form)
}

/// A media range and its weight in thousandths.
fn range(item: &str) -> Option<(String, u32)> {
    let mut parts = item.split(';').map(str::trim);
    let name = parts.next().unwrap_or_default().to_ascii_lowercase();
    let quality = parts.find_map(|p| p.strip_prefix("q=").or_else(|| p.strip_prefix("Q=")));
    (!name.is_empty()).then(|| (name, quality.map_or(1_000, thousandths)))
}

/// `0.8` in thousandths; what is malformed counts for nothing.
fn thousandths(text: &str) -> u32 {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole, digits.parse::<u32>()) {
        ("1", Ok(_)) => 1_000,
        ("0", Ok(n)) => n,
        _ => 0,
    }
}

/// The weight of a form: that of the most exact range that names it.
fn weight(form: &str, ranges: &[(String, u32)]) -> u32 {
    let family = form.split('/').next().unwrap_or_default();
    let of = |name: &str| ranges.iter().filter(|(n, _)| n == name).map(|(_, w)| *w).max();
    of(form).or_else(|| of(&format!("{family}/*"))).or_else(|| of("*/*")).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn of(accept: &str) -> Option<&'static str> {
        chosen(&TestRequest::default().insert_header(("Accept", accept)).to_http_request(), &[JSON, CSV, SVG])
    }

    #[test]
    fn the_most_liked_form_wins_and_json_where_all_are_alike() {
        assert_eq!(chosen(&TestRequest::default().to_http_request(), &[JSON, CSV]), Some(JSON));
        assert_eq!(of("*/*"), Some(JSON));
        assert_eq!(of("text/csv"), Some(CSV));
        assert_eq!(of("text/html, image/*;q=0.9, */*;q=0.1"), Some(SVG));
        assert_eq!(of("application/json;q=0.2, text/csv;q=0.5"), Some(CSV));
        assert_eq!(of("application/json;q=0, */*"), Some(CSV));
        assert_eq!(of("text/html"), None);
        assert_eq!(of("application/json;q=0"), None);
    }
}
