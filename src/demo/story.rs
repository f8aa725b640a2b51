//! What happens in one synthetic case. Pure: the same seed and number tell the same story.
//!
//! Distributions: Public Ministry 2007–2014 (districts, sex, age, persons per case), CHS 2024 (recruitment), and
//! assumptions where there is no source (outcomes).

use chrono::{DateTime, Datelike, Utc};
use rand::rngs::Xoshiro256PlusPlus;
use rand::{RngExt, SeedableRng};

use super::life::{Known, Move, live};
use crate::accused::wire::{AccusedCreate, AccusedIdentityInput};
use crate::cases::wire::{CaseCreate, IdentifierInput};
use crate::catalogue::{Catalogue, dni_check_digit, names};
use crate::charges::wire::InlineChargeCreate;
use crate::kernel::ids::{CaseId, ConsentId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Field, PartialDate, Timestamp};
use crate::persons::wire::Document;
use crate::referrals::wire::ReferralCreate;
use crate::victims::wire::{CaseVictimCreate, VictimIdentityInput};

/// The last day of the synthetic registry. Fixed, so that the same seed gives the same registry on any day.
const TODAY: &str = "2026-06-30T12:00:00.000Z";
/// Relative number of complaints per year from 2009 on.
const YEARS: &[(i32, u32)] = &[
    (2009, 2),
    (2010, 2),
    (2011, 2),
    (2012, 2),
    (2013, 2),
    (2014, 4),
    (2015, 4),
    (2016, 4),
    (2017, 4),
    (2018, 4),
    (2019, 4),
    (2020, 3),
    (2021, 6),
    (2022, 6),
    (2023, 6),
    (2024, 6),
    (2025, 6),
    (2026, 3),
];

/// How far a referral got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It waits.
    Sent,
    /// Refused.
    Rejected,
    /// Running.
    Accepted,
    /// Done.
    Completed,
}

/// A referral to come; the case's id is filled in when it has one.
#[derive(Clone, Debug)]
pub struct Sharing {
    /// To whom.
    pub to: AgencyCode,
    /// Kind, sections, services, purpose, urgency, ground.
    pub terms: Terms,
    /// When it is sent.
    pub at: Timestamp,
    /// How far it gets.
    pub fate: Fate,
}

/// What a referral asks and shows.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    kind: &'static str,
    sections: &'static [&'static str],
    services: &'static [&'static str],
    purpose: &'static str,
    urgency: &'static str,
    legal_basis: &'static str,
    message: &'static str,
}

/// One synthetic case, told whole.
#[derive(Debug)]
pub struct Story {
    /// Whose case it is.
    pub owner: AgencyCode,
    /// When it is registered.
    pub at: Timestamp,
    /// The case with its persons and charges.
    pub case: CaseCreate,
    /// A document for each victim: its number fails the check, so it can belong to nobody.
    pub victim_documents: Vec<Vec<Document>>,
    /// The same for the accused.
    pub accused_documents: Vec<Vec<Document>>,
    /// What the procedure does with it.
    pub moves: Vec<Move>,
    /// Whom it is shared with.
    pub sharing: Option<Sharing>,
}

/// Which of some weights a draw falls on.
pub(super) fn index(chance: &mut Xoshiro256PlusPlus, weights: &[u32]) -> usize {
    let mut point = chance.random_range(0..weights.iter().sum::<u32>().max(1));
    for (index, weight) in weights.iter().enumerate() {
        if point < *weight {
            return index;
        }
        point -= weight;
    }
    0
}

struct Teller<'l> {
    chance: Xoshiro256PlusPlus,
    law: &'l Catalogue,
}

impl Story {
    /// The story of case `number` of the registry that `seed` makes. None if a constant of this file is wrong.
    pub fn tell(law: &Catalogue, seed: u64, number: u64) -> Option<Self> {
        let mixed = seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(31);
        Teller { chance: Xoshiro256PlusPlus::seed_from_u64(mixed), law }.tell(number)
    }
}

impl Sharing {
    /// Whether it rests on a victim's consent.
    pub fn rests_on_consent(&self) -> bool {
        self.terms.legal_basis == "consent"
    }

    /// The first service that it asks for.
    pub fn service(&self) -> Option<&'static str> {
        self.terms.services.first().copied()
    }

    /// The request that drafts it; it shows the victim whose consent it rests on.
    pub fn request(&self, case_id: CaseId, consented: Option<(VictimId, ConsentId)>) -> ReferralCreate {
        let Terms { kind, sections, services, purpose, urgency, legal_basis, message } = self.terms;
        let owned = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect();
        ReferralCreate {
            case_id,
            kind: kind.to_owned(),
            to_agency: self.to.clone(),
            victims: consented.map(|(victim, _)| vec![victim]),
            sections: owned(sections),
            services: owned(services),
            purpose: purpose.to_owned(),
            urgency: Some(urgency.to_owned()),
            // Nobody there can consent for herself: what is left is the law's own ground.
            legal_basis: if self.rests_on_consent() && consented.is_none() { "minor_protection" } else { legal_basis }
                .to_owned(),
            consent_id: consented.map(|(_, consent)| consent),
            consent_ref: None,
            message: Some(message.to_owned()),
            due_at: None,
            counter_of: None,
            reported_outcome: None,
        }
    }
}

impl Teller<'_> {
    fn tell(mut self, number: u64) -> Option<Story> {
        let district = self.district()?;
        let department = self.law.fiscal_districts().get(district)?.department.clone();
        let place = self.law.departments().iter().find(|d| d.code == department)?.name.clone();
        let reported = self.reported()?;
        let year = reported.date().year();
        let foreign = if year < 2018 { 0.15 } else { 0.40 };
        let sexual = self.chance.random_bool(0.62);
        let (victims, victim_documents) = self.victims(sexual, foreign)?;
        let minor = victims.iter().any(|v| v.age_at_identification.is_none_or(|a| a < 18));
        let (accused, accused_documents) = self.accused()?;
        let identified = accused.iter().any(|a| a.kind != "unidentified");
        let exploitation = self.exploitation(sexual, minor);
        let labels: Vec<String> = victims.iter().filter_map(|v| v.label.clone()).collect();
        let charges = accused
            .iter()
            .filter(|a| a.kind == "natural_person")
            .filter_map(|a| a.label.clone())
            .map(|label| InlineChargeCreate {
                accused: label,
                offence_code: "PE-CP-129-A".to_owned(),
                article: None,
                role: self.of(&[("author", 70), ("promoter", 12), ("facilitator", 15), ("financier", 3)]).to_owned(),
                aggravators: Vec::new(),
                victims: labels.clone(),
            })
            .collect::<Vec<_>>();
        let known = match (identified, charges.is_empty()) {
            (false, _) => Known::Nobody,
            (true, true) => Known::Somebody,
            (true, false) => Known::Charged,
        };
        let facts = reported.plus_seconds(-86_400 * self.chance.random_range(2..400_i64));
        let facts_from =
            if facts.date().year() < 2008 { None } else { PartialDate::parse(&facts.date().format("%Y-%m").to_string()) };
        // The new code came district by district; Lima was last (2021).
        let modern = year >= 2021 || !matches!(department.as_str(), "15" | "07");
        let at = reported.plus_seconds(self.chance.random_range(600..7_200_i64));
        let moves = live(&mut self.chance, at, Timestamp::parse(TODAY)?, modern, known);
        let closed = moves.iter().any(|m| m.trigger.starts_with("close_"));
        let sharing = self.sharing(reported, minor, closed)?;
        let case = CaseCreate {
            external_ref: None,
            identifiers: self.identifiers(year, number),
            jurisdiction: None,
            procedural_code: (!modern).then(|| "CPP1940".to_owned()),
            title: self.title(sexual, &place),
            summary: Some(format!(
                "Registro sintético. {} víctima(s) y {} persona(s) investigada(s) en {place}.",
                victims.len(),
                accused.len()
            )),
            reported_at: reported,
            report_channel: self
                .of(&[
                    ("police", 45),
                    ("in_person", 20),
                    ("hotline", 10),
                    ("ex_officio", 10),
                    ("inspection", 8),
                    ("online", 4),
                    ("ngo", 3),
                ])
                .to_owned(),
            facts_from,
            facts_from_estimated: facts_from.is_some() && self.chance.random_bool(0.3),
            facts_to: None,
            facts_to_estimated: false,
            territory: Some(format!("{department}0101")),
            scope: Some(self.of(&[("internal", 80), ("international", 15), ("cross_border_local", 5)]).to_owned()),
            exploitation: vec![exploitation.to_owned()],
            complexity: Some(self.of(&[("simple", 70), ("complex", 24), ("organised", 6)]).to_owned()),
            extensions: Vec::new(),
            victims,
            accused,
            charges,
        };
        let owner = AgencyCode::parse(match department.as_str() {
            "15" | "07" => "PE-MP-FISTRAP-LIMA",
            "08" => "PE-MP-FISTRAP-CUSCO",
            "17" => "PE-MP-FISTRAP-MDD",
            "16" => "PE-MP-FISTRAP-LORETO",
            "21" => "PE-MP-FISTRAP-PUNO",
            "20" => "PE-MP-FISTRAP-PIURA",
            _ => "PE-MP-FISTRAP",
        })?;
        Some(Story { owner, at, case, victim_documents, accused_documents, moves, sharing })
    }

    /// One of some codes, each with a weight.
    fn of(&mut self, weighted: &[(&'static str, u32)]) -> &'static str {
        let index = self.index(&weighted.iter().map(|(_, w)| *w).collect::<Vec<_>>());
        weighted.get(index).map_or("", |(code, _)| code)
    }

    fn index(&mut self, weights: &[u32]) -> usize {
        index(&mut self.chance, weights)
    }

    fn district(&mut self) -> Option<usize> {
        let weights: Vec<u32> = self.law.fiscal_districts().iter().map(|d| d.weight).collect();
        (!weights.is_empty()).then(|| self.index(&weights))
    }

    fn reported(&mut self) -> Option<Timestamp> {
        let today = Timestamp::parse(TODAY)?;
        let weights: Vec<u32> = YEARS.iter().map(|(_, w)| *w).collect();
        let index = self.index(&weights);
        let (year, _) = YEARS.get(index)?;
        let start = chrono::NaiveDate::from_ymd_opt(*year, 1, 1)?.and_hms_opt(13, 0, 0)?;
        let start = Timestamp::truncated(DateTime::<Utc>::from_naive_utc_and_offset(start, Utc));
        let days = if *year == 2026 { 175 } else { 365 };
        let millis = self.chance.random_range(0..28_800_000_i64);
        let at = start.plus_seconds(86_400 * self.chance.random_range(0..days));
        let at = Timestamp::from_unix_millis(i64::try_from(at.unix_millis()).ok()? + millis)?;
        Some(at.min(today))
    }

    /// A count with a geometric distribution of mean `1 / stop`.
    fn count(&mut self, stop: f64) -> usize {
        let mut count = 1;
        while count < 12 && !self.chance.random_bool(stop) {
            count += 1;
        }
        count
    }

    fn pick(&mut self, list: &[&'static str]) -> &'static str {
        let index = self.chance.random_range(0..list.len().max(1));
        list.get(index).copied().unwrap_or_default()
    }

    fn nationality(&mut self, foreign: f64) -> &'static str {
        if !self.chance.random_bool(foreign) {
            return "PE";
        }
        self.of(&[("VE", 85), ("CO", 6), ("EC", 4), ("BO", 4), ("BR", 1)])
    }

    fn victims(&mut self, sexual: bool, foreign: f64) -> Option<(Vec<CaseVictimCreate>, Vec<Vec<Document>>)> {
        let (mut victims, mut documents) = (Vec::new(), Vec::new());
        for n in 0..self.count(1.0 / 1.75) {
            let sex = self.of(&[("female", 78), ("male", 18), ("unknown", 4)]);
            let age = match self.index(&[6, 43, 35, 10, 6]) {
                0 => Some(self.chance.random_range(3..13)),
                1 => Some(self.chance.random_range(13..18)),
                2 => Some(self.chance.random_range(18..30)),
                3 => Some(self.chance.random_range(30..60)),
                _ => None,
            };
            let country = self.nationality(foreign);
            documents.push(self.documents(country)?);
            let means = match age {
                Some(18..) => vec![
                    self.of(&[
                        ("deception", 55),
                        ("abuse_of_vulnerability", 30),
                        ("threat", 7),
                        ("violence", 5),
                        ("fraud", 3),
                    ])
                    .to_owned(),
                ],
                _ => Vec::new(),
            };
            let purpose = if sexual {
                "sexual_exploitation"
            } else {
                self.of(&[("labour_exploitation", 70), ("begging", 8), ("forced_labour", 12), ("servitude", 10)])
            };
            victims.push(CaseVictimCreate {
                label: Some(format!("v{n}")),
                sex: Some(sex.to_owned()),
                gender: None,
                age_at_identification: age,
                nationalities: vec![country.to_owned()],
                country_of_birth: Some(country.to_owned()),
                languages: vec![self.of(&[("es", 82), ("qu", 14), ("ay", 4)]).to_owned()],
                education: Some(
                    self.of(&[("primary", 30), ("secondary", 45), ("none", 5), ("technical", 5), ("unknown", 15)])
                        .to_owned(),
                ),
                disability: None,
                indigenous_people: None,
                status: Some(self.of(&[("presumed", 55), ("recognised", 45)]).to_owned()),
                acts: vec![
                    self.of(&[("recruit", 60), ("transport", 15), ("transfer", 10), ("harbour", 10), ("retain", 5)])
                        .to_owned(),
                ],
                means,
                purposes: vec![purpose.to_owned()],
                recruitment: Some(
                    self.of(&[("false_job", 72), ("acquaintance", 10), ("partner", 8), ("online", 8), ("family_sale", 2)])
                        .to_owned(),
                ),
                control: Vec::new(),
                identity: Some(self.victim_identity(sex)),
            });
        }
        Some((victims, documents))
    }

    fn given_names(&mut self, sex: &str) -> &'static str {
        self.pick(if sex == "male" { names::MALE } else { names::FEMALE })
    }

    fn victim_identity(&mut self, sex: &str) -> VictimIdentityInput {
        VictimIdentityInput {
            given_names: text(self.given_names(sex)),
            paternal_surname: text(self.pick(names::SURNAMES)),
            maternal_surname: text(self.pick(names::SURNAMES)),
            ..VictimIdentityInput::default()
        }
    }

    /// A Peruvian number with a wrong check digit, or a foreign one that says what it is.
    fn documents(&mut self, country: &str) -> Option<Vec<Document>> {
        if self.chance.random_bool(0.35) {
            return Some(Vec::new());
        }
        let eight = format!("{:08}", self.chance.random_range(1_000_000..90_000_000_u32));
        let (kind, number) = if country == "PE" {
            let right = dni_check_digit(&eight)?.0.to_digit(10)?;
            ("national_id", format!("{eight}-{}", (right + self.chance.random_range(1..10_u32)) % 10))
        } else {
            ("passport", format!("DEMO{eight}"))
        };
        // No valid number has a normal form with a wrong check digit: no search for a real one finds it.
        Some(vec![Document {
            kind: kind.to_owned(),
            country: country.to_owned(),
            normal_form: Pii(number.clone()),
            number: Pii(number),
        }])
    }

    fn accused(&mut self) -> Option<(Vec<AccusedCreate>, Vec<Vec<Document>>)> {
        let (mut accused, mut documents) = (Vec::new(), Vec::new());
        for n in 0..self.count(1.0 / 1.45) {
            let kind = self.of(&[("natural_person", 86), ("unidentified", 12), ("legal_person", 2)]);
            let sex =
                if kind == "natural_person" { self.of(&[("female", 48), ("male", 41), ("unknown", 11)]) } else { "unknown" };
            let identity = match kind {
                "natural_person" => Some(AccusedIdentityInput {
                    given_names: text(self.given_names(sex)),
                    paternal_surname: text(self.pick(names::SURNAMES)),
                    maternal_surname: text(self.pick(names::SURNAMES)),
                    ..AccusedIdentityInput::default()
                }),
                "legal_person" => Some(AccusedIdentityInput {
                    legal_name: text("Hospedaje Sintético S.A.C."),
                    ..AccusedIdentityInput::default()
                }),
                _ => None,
            };
            let natural = kind == "natural_person";
            documents.push(if natural { self.documents("PE")? } else { Vec::new() });
            let band =
                self.of(&[("age_18_24", 20), ("age_25_29", 20), ("age_30_44", 40), ("age_45_59", 15), ("unknown", 5)]);
            accused.push(AccusedCreate {
                label: Some(format!("a{n}")),
                kind: kind.to_owned(),
                sex: Some(sex.to_owned()),
                age_band: Some(if natural { band } else { "unknown" }.to_owned()),
                nationalities: if natural { vec![self.nationality(0.05).to_owned()] } else { Vec::new() },
                occupation: None,
                identity,
            });
        }
        Some((accused, documents))
    }

    fn exploitation(&mut self, sexual: bool, minor: bool) -> &'static str {
        match (sexual, minor) {
            (true, true) => "sexual_child",
            (true, false) => "sexual_adult",
            (false, _) => self.of(&[
                ("labour_mining", 30),
                ("labour_commerce", 20),
                ("labour_food_service", 15),
                ("domestic_servitude", 15),
                ("begging", 8),
                ("labour_agriculture", 7),
                ("labour_textile", 5),
            ]),
        }
    }

    fn title(&mut self, sexual: bool, place: &str) -> String {
        let what = if sexual {
            self.of(&[("Captación con oferta falsa de empleo", 70), ("Explotación en local nocturno", 30)])
        } else {
            self.of(&[("Explotación laboral", 60), ("Retención de documentos y deuda impuesta", 40)])
        };
        format!("{what} en {place}")
    }

    /// Real shapes, invented offices: prefix 9 is no fiscal district.
    fn identifiers(&mut self, year: i32, number: u64) -> Vec<IdentifierInput> {
        if self.chance.random_bool(0.1) {
            return Vec::new();
        }
        let (office, rest) = (900_014_500 + number / 1_000_000, number % 1_000_000);
        let value = format!("{office}-{year}-{rest}-0");
        vec![IdentifierInput { scheme: "PE-CARPETA".to_owned(), value, issuer: None }]
    }

    fn sharing(&mut self, reported: Timestamp, minor: bool, closed: bool) -> Option<Option<Sharing>> {
        if !self.chance.random_bool(0.4) {
            return Some(None);
        }
        let (to, terms) = match self.index(&[45, 20, 35]) {
            0 if minor => ("PE-MIMP-INABIF", SHELTER_MINOR),
            0 => ("PE-MIMP-INABIF", SHELTER),
            1 => ("NGO-CHS", LEGAL_AID),
            _ => ("PE-PNP-DIRCTPTIM", POLICE),
        };
        let fate = match self.index(&[12, 8, 40, 40]) {
            0 if !closed => Fate::Sent,
            1 => Fate::Rejected,
            2 if !closed => Fate::Accepted,
            _ => Fate::Completed,
        };
        let at = reported.plus_seconds(self.chance.random_range(10_000..200_000_i64));
        Some(Some(Sharing { to: AgencyCode::parse(to)?, terms, at, fate }))
    }
}

const SHELTER_MINOR: Terms = Terms {
    kind: "service_request",
    sections: &["victims"],
    services: &["shelter", "psychological"],
    purpose: "assistance",
    urgency: "immediate",
    legal_basis: "minor_protection",
    message: "Se solicita alojamiento y atención psicológica.",
};
const SHELTER: Terms = Terms { urgency: "within_24h", legal_basis: "consent", ..SHELTER_MINOR };
const LEGAL_AID: Terms = Terms {
    services: &["legal_aid", "social_work"],
    urgency: "ordinary",
    legal_basis: "consent",
    message: "Se solicita patrocinio legal y acompañamiento social.",
    ..SHELTER_MINOR
};
const POLICE: Terms = Terms {
    kind: "communication",
    sections: &["identifiers", "narrative", "victims", "accused", "charges"],
    services: &[],
    purpose: "investigation",
    urgency: "ordinary",
    legal_basis: "statutory_duty",
    message: "Se comunica el caso para diligencias de investigación.",
};

fn text(value: &str) -> Field<Pii<String>> {
    Field::Set(Pii(value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story_and_another_one_another() {
        let law = Catalogue::embedded().unwrap();
        let told = |seed| format!("{:?}", (0..50).map(|n| Story::tell(&law, seed, n).unwrap()).collect::<Vec<_>>());
        assert_eq!(told(1), told(1));
        assert_ne!(told(1), told(2));
    }

    #[test]
    fn no_document_could_be_anybodys_and_the_proportions_are_those_of_the_sources() {
        let law = Catalogue::embedded().unwrap();
        let stories: Vec<Story> = (0..3_000).map(|n| Story::tell(&law, 7, n).unwrap()).collect();
        let scheme = law.scheme("PE-DNI").unwrap();
        let documents = stories.iter().flat_map(|s| s.victim_documents.iter().chain(&s.accused_documents)).flatten();
        let mut checked = 0;
        for document in documents {
            checked += 1;
            assert!(document.kind == "passport" || scheme.normalise(&document.number.0).is_err(), "{document:?}");
        }
        assert!(checked > 3_000);
        let share = |part: usize, whole: usize| part * 1_000 / whole;
        let victims: Vec<&CaseVictimCreate> = stories.iter().flat_map(|s| &s.case.victims).collect();
        assert!((1_650..1_850).contains(&share(victims.len(), stories.len())), "1.75 victims per case");
        let women = victims.iter().filter(|v| v.sex.as_deref() == Some("female")).count();
        assert!((750..810).contains(&share(women, victims.len())));
        let lima = stories.iter().filter(|s| s.owner.as_str() == "PE-MP-FISTRAP-LIMA").count();
        assert!((200..310).contains(&share(lima, stories.len())), "{}", share(lima, stories.len()));
        assert!(stories.iter().all(|s| s.moves.iter().all(|m| m.at > s.case.reported_at)));
    }
}
