//! Numbering schemes: the shape of a number, and its one normal form. Pure.

use regex::Regex;
use serde::Deserialize;

use super::Labels;

/// A numbering scheme.
#[derive(Debug)]
pub struct Scheme {
    /// Code: `PE-CARPETA`.
    pub code: String,
    /// `case` or `person`.
    pub subject: String,
    /// Names.
    pub labels: Labels,
    /// A number of its shape, of nobody and no case.
    pub example: String,
    /// What its parts mean, from left to right.
    pub parts: Vec<Part>,
    /// False where no source was read.
    pub verified: bool,
    pattern: Regex,
    normal: Normal,
}

/// A part of a number.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its names for people.
    pub labels: Labels,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Normal {
    Upper,
    StripZeros,
    Carpeta,
    #[serde(rename = "carpeta_25")]
    Carpeta25,
    Dni,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawScheme {
    code: String,
    subject: String,
    labels: Labels,
    pattern: String,
    normal: Normal,
    example: String,
    parts: Vec<Part>,
    verified: bool,
}

/// Why a number is not one of a scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SchemeFault {
    /// Wrong shape.
    Pattern,
    /// Right shape, wrong check digit.
    CheckDigit,
}

impl Scheme {
    /// Compiles the pattern.
    pub(super) fn compile(raw: RawScheme) -> Result<Self, String> {
        let RawScheme { code, subject, labels, pattern, normal, example, parts, verified } = raw;
        let pattern = Regex::new(&pattern).map_err(|_| "not a regular expression".to_owned())?;
        Ok(Self { code, subject, labels, example, parts, verified, pattern, normal })
    }

    /// The shape of a number, a regular expression.
    pub fn pattern(&self) -> &str {
        self.pattern.as_str()
    }

    /// The name of its normal form.
    pub fn normal_form(&self) -> &'static str {
        match self.normal {
            Normal::Upper => "upper",
            Normal::StripZeros => "strip_zeros",
            Normal::Carpeta => "carpeta",
            Normal::Carpeta25 => "carpeta_25",
            Normal::Dni => "dni",
        }
    }

    /// The normal form of a number as given.
    pub fn normalise(&self, given: &str) -> Result<String, SchemeFault> {
        let text = given.trim().to_uppercase();
        if !self.pattern.is_match(&text) {
            return Err(SchemeFault::Pattern);
        }
        match self.normal {
            Normal::Upper => Ok(text),
            Normal::StripZeros => Ok(strip(&text)),
            Normal::Carpeta => carpeta(&text.split('-').collect::<Vec<_>>()),
            Normal::Carpeta25 => {
                // 11 dependency, 4 year, 6 number, 4 booklet, all padded with zeros.
                let part = |from, to| text.get(from..to).ok_or(SchemeFault::Pattern);
                carpeta(&[part(0, 11)?, part(11, 15)?, part(15, 21)?, part(21, 25)?])
            }
            Normal::Dni => {
                let (eight, check) = text.split_at_checked(8).ok_or(SchemeFault::Pattern)?;
                let given = check.trim_start_matches('-').chars().next();
                let (digit, letter) = dni_check_digit(eight).ok_or(SchemeFault::Pattern)?;
                match given {
                    Some(c) if c != digit && c != letter => Err(SchemeFault::CheckDigit),
                    _ => Ok(eight.to_owned()),
                }
            }
        }
    }
}

/// Dependency, year, number and booklet without padding: the form that the prosecution prints.
fn carpeta(parts: &[&str]) -> Result<String, SchemeFault> {
    match parts {
        [dependency, year, number, booklet] => {
            Ok(format!("{}-{year}-{}-{}", strip(dependency), strip(number), strip(booklet)))
        }
        _ => Err(SchemeFault::Pattern),
    }
}

fn strip(digits: &str) -> String {
    let stripped = digits.trim_start_matches('0');
    if stripped.is_empty() { "0".to_owned() } else { stripped.to_owned() }
}

/// The check digit and check letter of a DNI: weights 3 2 7 6 5 4 3 2, modulo 11.
pub fn dni_check_digit(eight: &str) -> Option<(char, char)> {
    if eight.len() != 8 {
        return None;
    }
    let mut sum: u32 = 0;
    for (digit, weight) in eight.chars().zip([3, 2, 7, 6, 5, 4, 3, 2]) {
        sum += digit.to_digit(10)? * weight;
    }
    let at = usize::try_from(sum % 11).ok()?;
    Some(("65432110987".chars().nth(at)?, "KJIHGFEDCBA".chars().nth(at)?))
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::super::Catalogue;
    use super::*;
    use proptest::prelude::*;

    fn normal(scheme: &str, given: &str) -> Result<String, SchemeFault> {
        static LAW: LazyLock<Catalogue> = LazyLock::new(|| Catalogue::embedded().unwrap());
        LAW.scheme(scheme).unwrap().normalise(given)
    }

    #[test]
    fn numbers_seen_in_the_field_are_understood() {
        assert_eq!(normal("PE-CARPETA", "2206014502-2012-123-0"), Ok("2206014502-2012-123-0".into()));
        assert_eq!(normal("PE-CARPETA", " 506014501-2021-000590-0 "), Ok("506014501-2021-590-0".into()));
        assert_eq!(normal("PE-CARPETA-25", "0220601450220120001230000"), Ok("2206014502-2012-123-0".into()));
        assert_eq!(normal("PE-EXPEDIENTE", "11468-2018-44-0401-jr-pe-01"), Ok("11468-2018-44-0401-JR-PE-01".into()));
        assert_eq!(normal("PE-CARPETA", "1-2012-1-0"), Err(SchemeFault::Pattern));
    }

    #[test]
    fn a_dni_with_a_wrong_check_digit_belongs_to_nobody() {
        assert_eq!(normal("PE-DNI", "10117410-2"), Ok("10117410".into()));
        assert_eq!(normal("PE-DNI", "10117410G"), Ok("10117410".into()));
        assert_eq!(normal("PE-DNI", "10117410"), Ok("10117410".into()));
        assert_eq!(normal("PE-DNI", "10117410-3"), Err(SchemeFault::CheckDigit));
    }

    proptest! {
        #[test]
        fn normalising_twice_changes_nothing(a in 10_000_000u64..99_999_999_999, y in 1990u32..2030, n in 0u32..999_999, t in 0u32..9_999) {
            let once = normal("PE-CARPETA", &format!("{a}-{y}-{n:06}-{t:04}")).unwrap();
            prop_assert_eq!(normal("PE-CARPETA", &once), Ok(once.clone()));
        }
    }
}
