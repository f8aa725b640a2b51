//! Who is competent: which agencies can be asked for something in a place, the most fitting first, and why. Pure.

use std::collections::HashMap;

use chrono::NaiveDate;

use super::model::Agency;
use crate::catalogue::Catalogue;

/// What somebody competent is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matter {
    /// A service: code list `service`.
    Service(String),
    /// An offence, by its code.
    Offence(String),
    /// An authority of a kind: code list `agency_kind`.
    Kind(String),
}

impl Matter {
    /// The matter that a parameter names: `service:shelter`, `offence:PE-CP-129-A`, `kind:police`.
    pub fn parse(text: &str, law: &Catalogue) -> Option<Self> {
        let (what, code) = text.split_once(':')?;
        match what {
            "service" => law.has_ever("service", code).then(|| Self::Service(code.to_owned())),
            "kind" => law.has_ever("agency_kind", code).then(|| Self::Kind(code.to_owned())),
            "offence" => law.offence(code).map(|o| Self::Offence(o.code.clone())),
            _ => None,
        }
    }
}

/// Why an agency is competent, the strongest reason first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Competence {
    /// The law names it, or an authority above it, for the offence.
    Specialised,
    /// It offers the service.
    Service,
    /// It is of the kind.
    Kind,
    /// It prosecutes, and nobody is named for the offence before it.
    General,
}

impl Competence {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Specialised => "specialised_in_offence",
            Self::Service => "offers_service",
            Self::Kind => "of_kind",
            Self::General => "general_prosecution",
        }
    }
}

/// How an agency's territory lies to the place, the nearest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// The district is its territory.
    District,
    /// The province is.
    Province,
    /// The department is.
    Department,
    /// Its territory is a part of the place.
    Within,
    /// The whole country is.
    National,
    /// It is of no country.
    International,
}

impl Reach {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::District => "district",
            Self::Province => "province",
            Self::Department => "department",
            Self::Within => "within",
            Self::National => "national",
            Self::International => "international",
        }
    }

    /// How an agency's territory lies to a place; none where it lies elsewhere.
    fn of(agency: &Agency, place: Option<&str>) -> Option<Self> {
        let Some(own) = agency.territory.as_deref() else {
            return Some(if agency.country.is_some() { Self::National } else { Self::International });
        };
        let level = match own.len() {
            6 => Self::District,
            4 => Self::Province,
            _ => Self::Department,
        };
        match place {
            None => Some(level),
            Some(place) if place.starts_with(own) => Some(level),
            Some(place) if own.starts_with(place) => Some(Self::Within),
            Some(_) => None,
        }
    }
}

/// An agency that is competent, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Competent {
    /// The agency.
    pub agency: Agency,
    /// Why.
    pub competence: Competence,
    /// How near.
    pub reach: Reach,
}

/// The agencies that are competent on a day, the most fitting first: those whom the law names before those who only may,
/// then the nearest, then the whole country's.
pub fn competent(all: Vec<Agency>, matter: &Matter, place: Option<&str>, law: &Catalogue, day: NaiveDate) -> Vec<Competent> {
    let parents: HashMap<String, Option<String>> =
        all.iter().map(|a| (a.code.to_string(), a.parent.as_ref().map(ToString::to_string))).collect();
    let named: HashMap<&str, &[String]> =
        law.agencies().iter().filter(|a| !a.offences.is_empty()).map(|a| (a.code.as_str(), a.offences.as_slice())).collect();
    // The nearest authority upwards that the law names for some offences decides for those below it.
    let offences = |agency: &Agency| {
        let mut next = Some(agency.code.to_string());
        for _ in 0..16 {
            let code = next?;
            if let Some(offences) = named.get(code.as_str()) {
                return Some(*offences);
            }
            next = parents.get(&code).cloned().flatten();
        }
        None
    };
    let competence = |agency: &Agency| match matter {
        Matter::Service(code) => agency.detail.services.contains(code).then_some(Competence::Service),
        Matter::Kind(code) => (agency.kind == *code).then_some(Competence::Kind),
        Matter::Offence(code) => match offences(agency) {
            Some(offences) => offences.contains(code).then_some(Competence::Specialised),
            None => (agency.kind == "prosecutor").then_some(Competence::General),
        },
    };
    let mut found: Vec<Competent> = all
        .iter()
        .filter(|agency| !agency.oversight && agency.detail.active_on(day))
        .filter_map(|agency| {
            let (competence, reach) = (competence(agency)?, Reach::of(agency, place)?);
            Some(Competent { agency: agency.clone(), competence, reach })
        })
        .collect();
    found.sort_by(|a, b| (a.competence, a.reach, &a.agency.code).cmp(&(b.competence, b.reach, &b.agency.code)));
    found
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::agencies::model::AgencyDetail;
    use crate::agencies::wire::AgencyNames;
    use crate::kernel::{AgencyCode, Timestamp};
    use proptest::prelude::*;

    fn agency(code: &str, kind: &str, territory: Option<&str>, parent: Option<&str>, services: &[&str]) -> Agency {
        let at = Timestamp::parse("2026-01-01T00:00:00Z").unwrap();
        let names = AgencyNames { es: code.into(), en: code.into(), fr: code.into() };
        Agency {
            code: AgencyCode::parse(code).unwrap(),
            version: 1,
            kind: kind.into(),
            country: (!code.starts_with("INT")).then(|| "PE".into()),
            territory: territory.map(str::to_owned),
            parent: parent.map(|p| AgencyCode::parse(p).unwrap()),
            oversight: false,
            detail: AgencyDetail {
                names,
                services: services.iter().map(ToString::to_string).collect(),
                active_from: None,
                active_to: None,
            },
            created_at: at,
            updated_at: at,
        }
    }

    fn codes(found: &[Competent]) -> Vec<(&str, &str, &str)> {
        found.iter().map(|c| (c.agency.code.as_str(), c.competence.as_str(), c.reach.as_str())).collect()
    }

    #[test]
    fn the_specialised_office_of_the_place_comes_before_the_country_s_and_before_any_other_prosecutor() {
        let law = Catalogue::embedded().unwrap();
        let day = Timestamp::now().date();
        let all = vec![
            agency("PE-MP", "prosecutor", None, None, &[]),
            agency("PE-MP-FISTRAP", "prosecutor", None, Some("PE-MP"), &[]),
            agency("PE-MP-FISTRAP-PIURA", "prosecutor", Some("20"), Some("PE-MP-FISTRAP"), &[]),
            agency("PE-MP-FISTRAP-PUNO", "prosecutor", Some("21"), Some("PE-MP-FISTRAP"), &[]),
            agency("PE-PNP", "police", None, None, &["security"]),
        ];
        let ask = |matter: &str, place| {
            let matter = Matter::parse(matter, &law).unwrap();
            competent(all.clone(), &matter, place, &law, day)
        };
        assert_eq!(
            codes(&ask("offence:PE-CP-129-A", Some("200101"))),
            [
                ("PE-MP-FISTRAP-PIURA", "specialised_in_offence", "department"),
                ("PE-MP-FISTRAP", "specialised_in_offence", "national"),
                ("PE-MP", "general_prosecution", "national"),
            ]
        );
        // What the specialised offices are not named for goes to the others.
        assert_eq!(codes(&ask("offence:PE-CP-317", Some("20"))), [("PE-MP", "general_prosecution", "national")]);
        assert_eq!(codes(&ask("service:security", Some("04"))), [("PE-PNP", "offers_service", "national")]);
        assert_eq!(codes(&ask("kind:police", None)), [("PE-PNP", "of_kind", "national")]);
        for bad in ["shelter", "service:nonsense", "kind:circus", "offence:PE-CP-1", ":", "service:"] {
            assert_eq!(Matter::parse(bad, &law), None, "{bad}");
        }
    }

    #[test]
    fn whoever_supervises_has_closed_or_lies_elsewhere_is_not_named() {
        let law = Catalogue::embedded().unwrap();
        let day = Timestamp::now().date();
        let mut closed = agency("PE-A", "shelter", None, None, &["shelter"]);
        closed.detail.active_to = day.pred_opt();
        let mut watching = agency("PE-B", "shelter", None, None, &["shelter"]);
        watching.oversight = true;
        let all = vec![
            closed,
            watching,
            agency("PE-C", "shelter", Some("21"), None, &["shelter"]),
            agency("PE-D", "shelter", Some("200101"), None, &["shelter"]),
            agency("INT-E", "ngo", None, None, &["shelter"]),
        ];
        let matter = Matter::Service("shelter".into());
        let ask = |place| codes(&competent(all.clone(), &matter, place, &law, day)).len();
        assert_eq!((ask(Some("200101")), ask(Some("20")), ask(Some("21")), ask(None)), (2, 2, 2, 3));
        let part = competent(all, &matter, Some("20"), &law, day);
        assert_eq!(codes(&part), [("PE-D", "offers_service", "within"), ("INT-E", "offers_service", "international")]);
    }

    proptest! {
        /// Nobody farther comes before somebody nearer of the same competence, and nobody of another place at all.
        #[test]
        fn the_order_is_by_competence_and_then_by_nearness(
            places in prop::collection::vec(prop::option::of("(20|21)(01|02)?"), 0..12), place in prop::option::of("(20|21)(01|02)?"),
        ) {
            let law = Catalogue::embedded().unwrap();
            let all: Vec<Agency> = places
                .iter()
                .enumerate()
                .map(|(n, own)| agency(&format!("PE-{n}"), "police", own.as_deref(), None, &[]))
                .collect();
            let found = competent(all, &Matter::Kind("police".into()), place.as_deref(), &law, Timestamp::now().date());
            prop_assert!(found.is_sorted_by(|a, b| (a.competence, a.reach) <= (b.competence, b.reach)));
            for one in &found {
                if let (Some(own), Some(place)) = (&one.agency.territory, &place) {
                    prop_assert!(own.starts_with(place.as_str()) || place.starts_with(own.as_str()));
                }
            }
            let near = |own: &Option<String>| match (own, &place) {
                (Some(own), Some(place)) => own.starts_with(place.as_str()) || place.starts_with(own.as_str()),
                _ => true,
            };
            prop_assert_eq!(found.len(), places.iter().filter(|p| near(p)).count());
        }
    }
}
