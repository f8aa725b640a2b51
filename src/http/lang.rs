//! The caller's language: Spanish unless `Accept-Language` prefers English or French (RFC 9110 §12.5.4).

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

/// A language of titles and labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Lang {
    /// Spanish.
    #[default]
    Es,
    /// English.
    En,
    /// French.
    Fr,
}

impl Lang {
    /// The language of a request.
    pub fn of(headers: &HeaderMap) -> Self {
        let mut best: Option<(u32, Self)> = None;
        for value in headers.get_all(ACCEPT_LANGUAGE).filter_map(|v| v.to_str().ok()) {
            for item in value.split(',').take(20) {
                let (range, weight) = item.split_once(';').unwrap_or((item, "q=1"));
                let lang = match range.trim().split('-').next().unwrap_or_default().to_ascii_lowercase().as_str() {
                    "es" | "*" => Self::Es,
                    "en" => Self::En,
                    "fr" => Self::Fr,
                    _ => continue,
                };
                let thousandths = thousandths(weight.trim().strip_prefix("q=").unwrap_or("0"));
                if thousandths > 0 && best.is_none_or(|(w, _)| thousandths > w) {
                    best = Some((thousandths, lang));
                }
            }
        }
        best.map_or(Self::Es, |(_, lang)| lang)
    }

    /// The language of a code; Spanish for any other.
    pub fn parse(code: &str) -> Self {
        [Self::En, Self::Fr].into_iter().find(|lang| lang.code() == code).unwrap_or(Self::Es)
    }

    /// `es`, `en` or `fr`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Es => "es",
            Self::En => "en",
            Self::Fr => "fr",
        }
    }
}

fn thousandths(quality: &str) -> u32 {
    let (whole, fraction) = quality.split_once('.').unwrap_or((quality, ""));
    let fraction: String = fraction.chars().chain("000".chars()).take(3).collect();
    match (whole.parse::<u32>(), fraction.parse::<u32>()) {
        (Ok(w), Ok(f)) => (w * 1_000 + f).min(1_000),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn the_highest_quality_wins_and_spanish_is_the_default() {
        for (given, lang) in [
            ("fr", Lang::Fr),
            ("en-GB,en;q=0.9", Lang::En),
            ("de, fr;q=0.4, en;q=0.7", Lang::En),
            ("de", Lang::Es),
            ("en;q=0", Lang::Es),
            ("x;y;z,,;q=9", Lang::Es),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_str(given).unwrap());
            assert_eq!(Lang::of(&headers), lang, "{given}");
        }
    }
}
