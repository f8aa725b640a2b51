//! What a release consists of: which tables, over whom, and their exact bytes. Pure: the same facts, secret and instant make
//! the same bytes.
//!
//! A case is in one release only, and a person in a release once, with its first case there. Releases therefore never
//! overlap, and no difference between two of them is about few persons.

use std::collections::BTreeMap;

use aws_lc_rs::digest;
use serde_json::{Value, json};

use super::facts::{CaseFacts, ChargeFacts, NOT_RECORDED, form};
use super::memory::AsOf;
use super::period::Period;
use super::protection::{Attribute, Coordinates, Cube, Population, Protected, Record, Rules, Secret, protect};
use super::un;
use crate::catalogue::Catalogue;
use crate::kernel::Timestamp;
use crate::kernel::ids::CaseId;

/// Licence of what is published.
pub const LICENCE: &str = "CC-BY-4.0";
/// A value that stands for all of them.
pub const TOTAL: &str = "total";

/// How the figures were made, in three languages.
pub const METHODOLOGY: [(&str, &str); 3] = [
    (
        "es",
        "Cada expediente figura en una sola publicación: la primera que se hizo después de su registro y cuyo periodo ya había comenzado o terminado al reportarse; los registrados tarde aparecen como «earlier». Cada persona se cuenta una vez por publicación, con su primer caso. Solo figuran como procesadas personas acusadas ante un tribunal por un delito de trata. Protección: ruido por clave de celda (número entero entre −5 y 5, siempre el mismo para el mismo conjunto de personas), se omiten los recuentos menores de 10 y los vacíos, se redondea a múltiplos de 5 y se omiten más celdas donde el resto de una línea las revelaría; los totales se redondean por separado y pueden no coincidir con la suma. Las figuras no se corrigen: lo que cambia después aparece en publicaciones posteriores.",
    ),
    (
        "en",
        "Each file is in one release only: the first one made after it was registered whose period had come; files registered late appear as \"earlier\". Each person counts once in a release, with the first case. Only persons accused of trafficking before a court appear as prosecuted. Protection: cell-key noise (a whole number between −5 and 5, always the same for the same set of persons), counts below 10 and empty cells are withheld, numbers are rounded to multiples of 5, and more cells are withheld where the rest of a line would give them away; totals are rounded on their own and need not equal the sum. Figures are not corrected: what changes later appears in later releases.",
    ),
    (
        "fr",
        "Chaque dossier figure dans une seule publication : la première faite après son enregistrement et dont la période était venue ; les dossiers enregistrés tard apparaissent comme « earlier ». Chaque personne compte une fois par publication, avec son premier dossier. Seules les personnes accusées de traite devant un tribunal figurent comme poursuivies. Protection : bruit par clé de cellule (un entier entre −5 et 5, toujours le même pour le même ensemble de personnes), les effectifs inférieurs à 10 et les cellules vides sont omis, les nombres sont arrondis à un multiple de 5, et d'autres cellules sont omises lorsque le reste d'une ligne les révélerait ; les totaux sont arrondis séparément et peuvent différer de la somme. Les chiffres ne sont pas corrigés : ce qui change ensuite apparaît dans les publications suivantes.",
    ),
];

/// Tables about the same records.
struct Topic {
    unit: &'static str,
    population: Population,
    cubes: Vec<Cube>,
}

/// A table as it is published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Published {
    /// Name.
    pub name: String,
    /// Its bytes: JSON.
    pub body: String,
    /// Their SHA-256, hex.
    pub sha256: String,
}

/// A release before it is frozen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The manifest: JSON.
    pub content: String,
    /// Its SHA-256, hex.
    pub sha256: String,
    /// The tables.
    pub cubes: Vec<Published>,
}

/// SHA-256, hex.
pub fn sha256(text: &str) -> String {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

/// Finds a value's place in a domain; the last one where it has none.
struct Values<'p> {
    attributes: &'p [Attribute],
    record: Vec<u16>,
}

impl<'p> Values<'p> {
    fn new(attributes: &'p [Attribute]) -> Self {
        Self { attributes, record: Vec::with_capacity(attributes.len()) }
    }

    fn add(mut self, value: &str) -> Self {
        if let Some(attribute) = self.attributes.get(self.record.len()) {
            let last = attribute.domain.len().saturating_sub(1);
            let place = attribute.domain.iter().position(|v| v == value).unwrap_or(last);
            self.record.push(u16::try_from(place).unwrap_or(0));
        }
        self
    }
}

fn attribute(name: &'static str, domain: impl IntoIterator<Item = impl Into<String>>) -> Attribute {
    Attribute { name, domain: domain.into_iter().map(Into::into).collect() }
}

/// The codes of a list, and that nothing is recorded.
fn listed(law: &Catalogue, name: &'static str, list: &str) -> Attribute {
    let mut codes: Vec<String> = Vec::new();
    for code in law.code_lists().iter().filter(|l| l.list == list).flat_map(|l| &l.codes) {
        if !codes.contains(&code.code) {
            codes.push(code.code.clone());
        }
    }
    codes.push(NOT_RECORDED.to_owned());
    attribute(name, codes)
}

fn quarter(period: &Period) -> Attribute {
    attribute("quarter", period.quarters().into_iter().chain(["earlier".to_owned()]))
}

fn departments(law: &Catalogue) -> Attribute {
    attribute("department", law.departments().iter().map(|d| d.code.clone()).chain([NOT_RECORDED.to_owned()]))
}

const FORMS: [&str; 5] = ["sexual", "labour", "other", "mixed", NOT_RECORDED];
const MINORITY: [&str; 3] = ["minor", "adult", "presumed_minor"];
const PROGRESS: [&str; 7] = ["formalised", "accused", "tried", "judged", "archived", "dismissed", "open"];

fn quarter_of(case: &CaseFacts, period: &Period) -> String {
    use chrono::Datelike;
    if case.reported < period.from {
        return "earlier".to_owned();
    }
    format!("{}-Q{}", case.reported.year(), case.reported.month0() / 3 + 1)
}

fn department_of(case: &CaseFacts) -> &str {
    case.territory.as_deref().and_then(|t| t.get(..2)).unwrap_or(NOT_RECORDED)
}

/// How far a file is: where it rests, or the farthest step.
fn progress(case: &CaseFacts) -> &'static str {
    let judged = case.steps.last().is_some_and(Option::is_some);
    match case.stage.as_str() {
        "archived" if !judged => return "archived",
        "dismissed" if !judged => return "dismissed",
        _ => {}
    }
    let reached = super::facts::Step::ALL.into_iter().zip(case.steps).rfind(|(_, day)| day.is_some());
    reached.map_or("open", |(step, _)| step.as_str())
}

fn cube(name: &'static str, attributes: &[usize]) -> Cube {
    Cube { name, attributes: attributes.to_vec() }
}

/// The tables of a release over these cases, which are in the order of report and id.
fn topics(law: &Catalogue, period: &Period, cases: &[(CaseId, CaseFacts)], secret: &Secret) -> Vec<Topic> {
    vec![victims(law, period, cases, secret), files(law, period, cases, secret), defendants(law, cases, secret)]
}

fn victims(law: &Catalogue, period: &Period, cases: &[(CaseId, CaseFacts)], secret: &Secret) -> Topic {
    let attributes = vec![
        quarter(period),
        listed(law, "sex", "sex"),
        listed(law, "age_band", "age_band"),
        attribute("minority", MINORITY),
        attribute("form", FORMS),
        departments(law),
        attribute("nationality", law.countries().into_iter().map(str::to_owned).chain([NOT_RECORDED.to_owned()])),
        listed(law, "recruitment", "recruitment"),
    ];
    let mut persons: BTreeMap<uuid::Uuid, Record> = BTreeMap::new();
    for (_, case) in cases {
        for victim in case.victims.iter().filter(|v| v.status != "not_victim") {
            let id = victim.person.unwrap_or(victim.id).uuid();
            persons.entry(id).or_insert_with(|| Record {
                key: secret.record(id),
                values: Values::new(&attributes)
                    .add(&quarter_of(case, period))
                    .add(&victim.sex)
                    .add(&victim.age_band)
                    .add(victim.minority())
                    .add(form(&case.exploitation))
                    .add(department_of(case))
                    .add(victim.nationalities.first().map_or(NOT_RECORDED, String::as_str))
                    .add(victim.recruitment.as_deref().unwrap_or(NOT_RECORDED))
                    .record,
            });
        }
    }
    Topic {
        unit: "persons",
        population: Population { attributes, records: persons.into_values().collect() },
        cubes: vec![
            cube("victims-by-quarter", &[0]),
            cube("victims-by-sex-age", &[1, 2]),
            cube("victims-by-form-sex-minority", &[4, 1, 3]),
            cube("victims-by-department-minority", &[5, 3]),
            cube("victims-by-nationality", &[6]),
            cube("victims-by-recruitment", &[7]),
        ],
    }
}

fn files(law: &Catalogue, period: &Period, cases: &[(CaseId, CaseFacts)], secret: &Secret) -> Topic {
    let attributes = vec![
        quarter(period),
        departments(law),
        attribute("form", FORMS),
        attribute("progress", PROGRESS),
        listed(law, "channel", "report_channel"),
        listed(law, "reach", "scope"),
    ];
    let records = cases
        .iter()
        .map(|(id, case)| Record {
            key: secret.record(id.uuid()),
            values: Values::new(&attributes)
                .add(&quarter_of(case, period))
                .add(department_of(case))
                .add(form(&case.exploitation))
                .add(progress(case))
                .add(&case.channel)
                .add(case.scope.as_deref().unwrap_or(NOT_RECORDED))
                .record,
        })
        .collect();
    Topic {
        unit: "cases",
        population: Population { attributes, records },
        cubes: vec![
            cube("cases-by-quarter", &[0]),
            cube("cases-by-department", &[1]),
            cube("cases-by-form-progress", &[2, 3]),
            cube("cases-by-channel", &[4]),
            cube("cases-by-reach", &[5]),
        ],
    }
}

fn defendants(law: &Catalogue, cases: &[(CaseId, CaseFacts)], secret: &Secret) -> Topic {
    let attributes = vec![attribute("outcome", ["convicted", "not_convicted"]), listed(law, "sex", "sex")];
    let core = |c: &&ChargeFacts| {
        !c.elsewhere && law.offence(&c.offence).is_some_and(|o| o.relation == crate::catalogue::Relation::Core)
    };
    let mut persons: BTreeMap<uuid::Uuid, Record> = BTreeMap::new();
    for (_, case) in cases {
        for person in &case.accused {
            let charges = || case.charges.iter().filter(|c| c.accused == person.id).filter(core);
            if !charges().any(ChargeFacts::prosecuted) {
                continue;
            }
            let outcome = if charges().any(ChargeFacts::convicted) { "convicted" } else { "not_convicted" };
            let id = person.person.unwrap_or(person.id).uuid();
            persons.entry(id).or_insert_with(|| Record {
                key: secret.record(id),
                values: Values::new(&attributes).add(outcome).add(&person.sex).record,
            });
        }
    }
    Topic {
        unit: "persons",
        population: Population { attributes, records: persons.into_values().collect() },
        cubes: vec![cube("prosecuted-by-outcome-sex", &[0, 1])],
    }
}

/// Rows of a table: every combination of values and of totals, in order; a count or nothing.
fn rows(topic: &Topic, cube: &Cube, protected: &Protected) -> Vec<(Vec<String>, Option<u64>)> {
    let mut rows: Vec<(Vec<String>, Coordinates)> = vec![(Vec::new(), Coordinates::default())];
    for place in &cube.attributes {
        let Some(attribute) = topic.population.attributes.get(*place) else { continue };
        let number = u16::try_from(*place).unwrap_or(0);
        rows = rows
            .iter()
            .flat_map(|(values, at)| {
                let total = ([values.clone(), vec![TOTAL.to_owned()]].concat(), at.clone());
                let each = attribute.domain.iter().enumerate().map(move |(n, value)| {
                    let values = [values.clone(), vec![value.clone()]].concat();
                    (values, at.with(number, u16::try_from(n).unwrap_or(0)))
                });
                std::iter::once(total).chain(each)
            })
            .collect();
    }
    rows.into_iter().map(|(values, at)| (values, protected.cells.get(&at).copied().flatten())).collect()
}

fn published(name: &str, body: &Value) -> Published {
    let body = body.to_string();
    Published { name: name.to_owned(), sha256: sha256(&body), body }
}

/// Makes a release; none of a table over too few persons, or of which no draw of the noise holds.
pub fn draft(
    law: &Catalogue,
    period: &Period,
    mut cases: Vec<(CaseId, CaseFacts)>,
    secret: &Secret,
    as_of: AsOf,
    published_at: Timestamp,
) -> Draft {
    cases.sort_by(|(a, x), (b, y)| (x.reported, a).cmp(&(y.reported, b)));
    let rules = Rules::STANDARD;
    let head = |name: &str, unit: &str, dimensions: &[&str], rows: Vec<Value>| {
        json!({"release": period.as_str(), "cube": name, "unit": unit, "dimensions": dimensions, "items": rows,
            "published_at": published_at, "licence": LICENCE, "methodology": format!("/v1/open-data/releases/{period}")})
    };
    let (mut cubes, mut listed, mut withheld) = (Vec::new(), Vec::new(), Vec::new());
    let mut un_rows = Vec::new();
    for topic in topics(law, period, &cases, secret) {
        let protected = protect(&topic.population, &topic.cubes, &rules, secret);
        for (n, cube) in topic.cubes.iter().enumerate() {
            let Some(protected) = protected.as_ref().filter(|p| p.cubes.contains(&n)) else {
                withheld.push(cube.name);
                continue;
            };
            let names: Vec<&str> =
                cube.attributes.iter().filter_map(|a| topic.population.attributes.get(*a)).map(|a| a.name).collect();
            let rows = rows(&topic, cube, protected);
            un_rows.extend(of_the_united_nations(cube.name, &rows));
            let items: Vec<Value> =
                rows.into_iter().map(|(values, count)| json!({"values": values, "count": count})).collect();
            listed.push((cube.name.to_owned(), topic.unit, names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()));
            cubes.push(published(cube.name, &head(cube.name, topic.unit, &names, items)));
        }
    }
    if un_rows.is_empty() {
        withheld.push("glotip");
    } else {
        let names = ["indicator", "dimension", "category", "sex", "age"];
        let items = un_rows.into_iter().map(|(values, count)| json!({"values": values, "count": count})).collect();
        listed.push(("glotip".to_owned(), "persons", names.map(str::to_owned).to_vec()));
        cubes.push(published("glotip", &head("glotip", "persons", &names, items)));
    }
    let listed: Vec<Value> = listed
        .iter()
        .zip(&cubes)
        .map(|((name, unit, dimensions), cube)| {
            json!({"name": name, "unit": unit, "dimensions": dimensions, "sha256": cube.sha256, "href": format!("/v1/open-data/{period}/{name}")})
        })
        .collect();
    let methodology: Value = METHODOLOGY.iter().map(|(lang, text)| ((*lang).to_owned(), json!(text))).collect();
    let mut counted = json!({"position": as_of.position, "at": as_of.at});
    if as_of.skipped > 0
        && let Some(counted) = counted.as_object_mut()
    {
        counted.insert("skipped".to_owned(), json!(as_of.skipped));
    }
    let content = json!({
        "release": period.as_str(), "from": period.from, "to": period.to, "published_at": published_at,
        "as_of": counted, "licence": LICENCE, "methodology": methodology,
        "rules": {"threshold": rules.threshold, "rounded_to": rules.base, "noise": rules.noise, "least_population": rules.least},
        "items": listed, "withheld": withheld
    })
    .to_string();
    Draft { sha256: sha256(&content), content, cubes }
}

/// The rows of GLOTIP that a published table holds: the same numbers under UNODC's words, so they tell nothing more.
fn of_the_united_nations(cube: &str, rows: &[(Vec<String>, Option<u64>)]) -> Vec<(Vec<String>, Option<u64>)> {
    let word = |value: &str, f: fn(&str) -> &'static str| if value == TOTAL { "Total" } else { f(value) };
    let mut found: Vec<(Vec<String>, Option<u64>)> = Vec::new();
    for (values, count) in rows {
        let row: Vec<&str> = match (cube, values.as_slice()) {
            // Several of our codes are one word there: published numbers are not added up, so only what is one is carried.
            ("victims-by-form-sex-minority", [form, sex, minority])
                if ["total", "female", "male"].contains(&sex.as_str()) =>
            {
                let dimension = if form == TOTAL { "Total" } else { "by form of exploitation" };
                let category = word(form, un::category);
                vec!["Detected trafficking victims", dimension, category, word(sex, un::sex), word(minority, un::age)]
            }
            ("victims-by-nationality", [country]) if country != TOTAL => {
                vec!["Detected trafficking victims", "by citizenship", country, "Total", "Total"]
            }
            ("prosecuted-by-outcome-sex", [outcome, sex]) if ["total", "female", "male"].contains(&sex.as_str()) => {
                let indicator = match outcome.as_str() {
                    TOTAL => "Persons prosecuted",
                    "convicted" => "Persons convicted",
                    _ => continue,
                };
                vec![indicator, "Total", "Total", word(sex, un::sex), "Total"]
            }
            _ => continue,
        };
        found.push((row.into_iter().map(str::to_owned).collect(), *count));
    }
    found
}
