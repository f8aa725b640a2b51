//! Answers of the catalogue operations: the law of a day, in the caller's language. Shapes only.

use chrono::NaiveDate;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::calendar::{Calendar, DayType, Holiday, Occurs, TimeUnit};
use super::limits::{Bound, Extension, Limit, LimitClass, LimitSubject, Starts};
use super::offences::{Aggravator, Band, Known, Offence, OffenceVersion, Penalty, Relation};
use super::{CareFact, CareProtocol, CareTransition, Catalogue, Code, CodeList, Profile, RetentionRule, Scheme};

/// The offences.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2026-11.3f9a0c1b2d4e", "items": [{"code": "PE-CP-129-E", "alias": null, "relation": "core",
    "label": "Cliente de la explotación sexual", "allows_early_termination": "unknown", "iccs": ["03021"], "iccs_verified": false,
    "versions": [{"version": "PE-TRATA@2021", "article": "129-E", "valid_from": "2021-03-31", "valid_until": null,
    "base": {"min_months": 108, "max_months": 144}, "bands": [], "aggravators": [], "verified": true}]}], "next_cursor": null}))]
pub struct OffenceCatalogue {
    /// Names the content of the whole catalogue.
    #[schema(max_length = 40)]
    pub release: String,
    /// Every offence.
    #[schema(max_items = 1000)]
    pub items: Vec<OffenceEntry>,
    /// Always null: the list comes whole.
    #[schema(max_length = 1024)]
    pub next_cursor: Option<String>,
}

/// An offence and its versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"code": "PE-CP-129-A", "alias": null, "relation": "core", "label": "Trata de personas",
    "allows_early_termination": "unknown", "iccs": ["02041", "02042", "02043", "02044"], "iccs_verified": false,
    "versions": [{"version": "PE-TRATA@2007", "article": "153", "valid_from": "2007-01-17", "valid_until": "2014-10-21",
    "base": {"min_months": 96, "max_months": 180}, "bands": [], "aggravators": [], "verified": false}]}))]
pub struct OffenceEntry {
    /// Code, stable over renumbering.
    #[schema(max_length = 40)]
    pub code: String,
    /// ASCII alias.
    #[schema(max_length = 40)]
    pub alias: Option<String>,
    /// `core` counts as trafficking, `adjacent` is registered beside it.
    #[schema(value_type = String, max_length = 20)]
    pub relation: Relation,
    /// Its name.
    #[schema(max_length = 200)]
    pub label: String,
    /// Whether a case about it may end by agreement: `yes`, `no`, or `unknown` where nobody looked it up.
    #[schema(value_type = String, max_length = 20)]
    pub allows_early_termination: Known,
    /// Codes of the International Classification of Crime for Statistical Purposes.
    #[schema(max_items = 20)]
    pub iccs: Vec<String>,
    /// False where these codes were not checked.
    pub iccs_verified: bool,
    /// Versions, oldest first; with `on`, the one of that day.
    #[schema(max_items = 50)]
    pub versions: Vec<OffenceVersionEntry>,
}

/// An offence as it stood for some time.
#[derive(Debug, Serialize, ToSchema)]
pub struct OffenceVersionEntry {
    /// Name of the version: what a charge keeps.
    #[schema(max_length = 40)]
    pub version: String,
    /// The article's number then.
    #[schema(max_length = 40)]
    pub article: String,
    /// First day.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub valid_from: NaiveDate,
    /// First day on which it no longer applied; null while it does.
    #[schema(value_type = Option<String>, format = Date, max_length = 10)]
    pub valid_until: Option<NaiveDate>,
    /// Prison term of the basic form; null where there is none or nobody looked it up.
    pub base: Option<PenaltyEntry>,
    /// Terms of the aggravated forms.
    #[schema(max_items = 9)]
    pub bands: Vec<BandEntry>,
    /// Incisos.
    #[schema(max_items = 100)]
    pub aggravators: Vec<AggravatorEntry>,
    /// False where no source was read.
    pub verified: bool,
}

/// A prison term.
#[derive(Debug, Serialize, ToSchema)]
pub struct PenaltyEntry {
    /// Least, months.
    pub min_months: u32,
    /// Most, months.
    pub max_months: u32,
}

/// The term of an enumerated list of aggravators.
#[derive(Debug, Serialize, ToSchema)]
pub struct BandEntry {
    /// Which list of the article.
    pub list: u32,
    /// Least, months.
    pub min_months: u32,
    /// Most, months.
    pub max_months: u32,
}

/// An inciso.
#[derive(Debug, Serialize, ToSchema)]
pub struct AggravatorEntry {
    /// Article, list and inciso.
    #[schema(max_length = 40)]
    pub code: String,
    /// Code list `circumstance`.
    #[schema(max_items = 20)]
    pub circumstances: Vec<String>,
    /// Its list; null for results without a number.
    pub list: Option<u32>,
    /// False where no source was read.
    pub verified: bool,
}

/// The code lists.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2026-11.3f9a0c1b2d4e", "items": [{"list": "urgency", "version": "2026-11", "valid_from": "2007-01-17",
    "valid_until": null, "codes": [{"code": "immediate", "label": "inmediata", "valid_from": null, "valid_until": null,
    "requested_by": [], "granted_by": [], "basis": null, "verified": true}]}], "next_cursor": null}))]
pub struct CodeListCatalogue {
    /// Names the content of the whole catalogue.
    #[schema(max_length = 40)]
    pub release: String,
    /// Every list; without `on`, in every version.
    #[schema(max_items = 1000)]
    pub items: Vec<CodeListEntry>,
    /// Always null: the list comes whole.
    #[schema(max_length = 1024)]
    pub next_cursor: Option<String>,
}

/// A code list in one version.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"list": "urgency", "version": "2026-11", "valid_from": "2007-01-17", "valid_until": null,
    "codes": [{"code": "immediate", "label": "inmediata", "valid_from": null, "valid_until": null,
    "requested_by": [], "granted_by": [], "basis": null, "verified": true}]}))]
pub struct CodeListEntry {
    /// Its name.
    #[schema(max_length = 60)]
    pub list: String,
    /// Its version.
    #[schema(max_length = 40)]
    pub version: String,
    /// First day.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub valid_from: NaiveDate,
    /// First day on which the next version applies; null if there is none.
    #[schema(value_type = Option<String>, format = Date, max_length = 10)]
    pub valid_until: Option<NaiveDate>,
    /// Its codes, in order; with `on`, those of that day.
    #[schema(max_items = 1000)]
    pub codes: Vec<CodeEntry>,
}

/// A code.
#[derive(Debug, Serialize, ToSchema)]
pub struct CodeEntry {
    /// The code, as records hold it.
    #[schema(max_length = 60)]
    pub code: String,
    /// Its name.
    #[schema(max_length = 200)]
    pub label: String,
    /// First day on which it may be written; null for that of the list.
    #[schema(value_type = Option<String>, format = Date, max_length = 10)]
    pub valid_from: Option<NaiveDate>,
    /// First day on which it may no longer be written.
    #[schema(value_type = Option<String>, format = Date, max_length = 10)]
    pub valid_until: Option<NaiveDate>,
    /// Who asks for it, for measures: code list `actor`.
    #[schema(max_items = 20)]
    pub requested_by: Vec<String>,
    /// Who grants it, for measures: code list `actor`.
    #[schema(max_items = 20)]
    pub granted_by: Vec<String>,
    /// Articles.
    #[schema(max_length = 400)]
    pub basis: Option<String>,
    /// False where no source was read.
    pub verified: bool,
}

/// The codes of procedure.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2026-11.3f9a0c1b2d4e", "items": [{"code": "PE-NCPP2004", "jurisdiction": "PE", "procedural_code": "NCPP2004",
    "versions": [{"version": "2006-07-01", "valid_from": "2006-07-01"}]}], "next_cursor": null}))]
pub struct JurisdictionCatalogue {
    /// Names the content of the whole catalogue.
    #[schema(max_length = 40)]
    pub release: String,
    /// Every code of procedure; with `on`, those that had begun.
    #[schema(max_items = 1000)]
    pub items: Vec<JurisdictionEntry>,
    /// Always null: the list comes whole.
    #[schema(max_length = 1024)]
    pub next_cursor: Option<String>,
}

/// A code of procedure.
#[derive(Debug, Serialize, ToSchema)]
pub struct JurisdictionEntry {
    /// Jurisdiction and code of procedure.
    #[schema(max_length = 60)]
    pub code: String,
    /// ISO 3166-1 alpha-2.
    #[schema(max_length = 2)]
    pub jurisdiction: String,
    /// Code of procedure, as cases hold it.
    #[schema(max_length = 40)]
    pub procedural_code: String,
    /// Its versions.
    #[schema(max_items = 100)]
    pub versions: Vec<ProcedureVersion>,
}

/// A version of a code of procedure.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProcedureVersion {
    /// Its name.
    #[schema(max_length = 40)]
    pub version: String,
    /// First day.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub valid_from: NaiveDate,
}

/// A code of procedure on a day: stages and moves, time limits, days off.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2026-11.3f9a0c1b2d4e", "code": "PE-NCPP2004", "on": "2026-11-24",
    "procedure": {"jurisdiction": "PE", "procedural_code": "NCPP2004", "version": "2006-07-01", "stages": [{"code": "reported", "label": "denuncia"}]},
    "limits": [{"id": "PE-NCPP-PRETRIAL-SIMPLE", "what": "detention", "label": "Prisión preventiva", "subject": "measure",
    "code": "pretrial_detention", "stage": null, "class": "simple", "bound": "latest", "amount": 9, "unit": "month",
    "day_type": "calendar", "starts": "measure_from", "extension": {"amount": 9, "unit": "month", "by": "inv_judge", "times": 1},
    "basis": "NCPP 272, 274", "valid_from": "2006-07-01", "valid_until": null, "verified": true}],
    "weekend": ["Sat", "Sun"], "holidays": [{"code": "christmas", "label": "Navidad", "month": 12, "day": 25, "easter_offset_days": null,
    "valid_from": null, "valid_until": null, "basis": "DL 713", "verified": false}]}))]
pub struct ProcedureRecord {
    /// Names the content of the whole catalogue.
    #[schema(max_length = 40)]
    pub release: String,
    /// Jurisdiction and code of procedure.
    #[schema(max_length = 60)]
    pub code: String,
    /// The day.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub on: NaiveDate,
    /// Stages, transitions and guards of the version of that day.
    #[schema(value_type = Object)]
    pub procedure: Value,
    /// The time limits that were law on that day.
    #[schema(max_items = 1000)]
    pub limits: Vec<LimitEntry>,
    /// Days of the week without work.
    #[schema(max_items = 6)]
    pub weekend: Vec<String>,
    /// The holidays that were law on that day.
    #[schema(max_items = 200)]
    pub holidays: Vec<HolidayEntry>,
}

/// A time limit.
#[derive(Debug, Serialize, ToSchema)]
pub struct LimitEntry {
    /// Id.
    #[schema(max_length = 80)]
    pub id: String,
    /// What must be done, or end, within it.
    #[schema(max_length = 60)]
    pub what: String,
    /// Its name.
    #[schema(max_length = 200)]
    pub label: String,
    /// `case_stage`, `transition`, `measure` or `appeal`.
    #[schema(value_type = String, max_length = 20)]
    pub subject: LimitSubject,
    /// The stage, trigger, type of measure or remedy that it is about.
    #[schema(max_length = 60)]
    pub code: String,
    /// The stage in which it runs.
    #[schema(max_length = 60)]
    pub stage: Option<String>,
    /// `simple`, `complex`, `organised` or `any`.
    #[schema(value_type = String, max_length = 20)]
    pub class: LimitClass,
    /// `latest`: the last day. `earliest`: the first one.
    #[schema(value_type = String, max_length = 20)]
    pub bound: Bound,
    /// How long.
    pub amount: u32,
    /// `hour`, `day`, `month` or `year`.
    #[schema(value_type = String, max_length = 20)]
    pub unit: TimeUnit,
    /// `calendar` or `working`; every day counts while somebody is detained.
    #[schema(value_type = String, max_length = 20)]
    pub day_type: DayType,
    /// The event from which it runs.
    #[schema(value_type = String, max_length = 40)]
    pub starts: Starts,
    /// How it can be extended; null if it cannot.
    pub extension: Option<ExtensionEntry>,
    /// Articles and rulings.
    #[schema(max_length = 400)]
    pub basis: String,
    /// First day of the version. A term keeps the version of the day on which it began.
    #[schema(value_type = String, format = Date, max_length = 10)]
    pub valid_from: NaiveDate,
    /// First day on which it no longer was law.
    #[schema(value_type = Option<String>, format = Date, max_length = 10)]
    pub valid_until: Option<NaiveDate>,
    /// False where no source was read.
    pub verified: bool,
}

/// An extension.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExtensionEntry {
    /// The most that one adds.
    pub amount: u32,
    /// Its unit.
    #[schema(value_type = String, max_length = 20)]
    pub unit: TimeUnit,
    /// Who grants it: code list `actor`.
    #[schema(max_length = 60)]
    pub by: String,
    /// How often.
    pub times: u32,
}

/// A holiday: a date of each year, or days from Easter Sunday.
#[derive(Debug, Serialize, ToSchema)]
pub struct HolidayEntry {
    /// Code.
    #[schema(max_length = 60)]
    pub code: String,
    /// Its name.
    #[schema(max_length = 200)]
    pub label: String,
    /// 1–12.
    pub month: Option<u32>,
    /// 1–31.
    pub day: Option<u32>,
    /// Days from Easter Sunday; negative before it.
    pub easter_offset_days: Option<i64>,
    /// First day on which it is one.
    #[schema(value_type = Option<String>, format = Date, max_length = 10)]
    pub valid_from: Option<NaiveDate>,
    /// First day on which it no longer is one.
    #[schema(value_type = Option<String>, format = Date, max_length = 10)]
    pub valid_until: Option<NaiveDate>,
    /// The law.
    #[schema(max_length = 400)]
    pub basis: String,
    /// False where no source was read.
    pub verified: bool,
}

/// The numbering schemes.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2026-11.3f9a0c1b2d4e", "items": [{"code": "PE-CARPETA", "subject": "case", "label": "Carpeta fiscal",
    "pattern": "^(\\d{8,11})-((?:19|20)\\d{2})-(\\d{1,6})-(\\d{1,4})$", "normal_form": "carpeta", "example": "2206014502-2012-123-0",
    "parts": [{"name": "dependency", "label": "dependencia fiscal"}], "verified": true}], "next_cursor": null}))]
pub struct SchemeCatalogue {
    /// Names the content of the whole catalogue.
    #[schema(max_length = 40)]
    pub release: String,
    /// Every scheme.
    #[schema(max_items = 1000)]
    pub items: Vec<SchemeEntry>,
    /// Always null: the list comes whole.
    #[schema(max_length = 1024)]
    pub next_cursor: Option<String>,
}

/// A numbering scheme.
#[derive(Debug, Serialize, ToSchema)]
pub struct SchemeEntry {
    /// Code.
    #[schema(max_length = 40)]
    pub code: String,
    /// `case` or `person`.
    #[schema(max_length = 20)]
    pub subject: String,
    /// Its name.
    #[schema(max_length = 200)]
    pub label: String,
    /// Its shape, a regular expression.
    #[schema(max_length = 400)]
    pub pattern: String,
    /// How a number is stored: `upper`, `strip_zeros`, `carpeta`, `carpeta_25` (as `carpeta`) or `dni` (eight digits).
    #[schema(max_length = 20)]
    pub normal_form: String,
    /// A number of this shape.
    #[schema(max_length = 60)]
    pub example: String,
    /// What its parts mean, from left to right.
    #[schema(max_items = 20)]
    pub parts: Vec<PartEntry>,
    /// False where no source was read.
    pub verified: bool,
}

/// A part of a number.
#[derive(Debug, Serialize, ToSchema)]
pub struct PartEntry {
    /// Its name.
    #[schema(max_length = 60)]
    pub name: String,
    /// Its name for people.
    #[schema(max_length = 200)]
    pub label: String,
}

/// The protocols of care.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2026-11.3f9a0c1b2d4e", "items": [{"code": "PE-CARE", "jurisdiction": "PE", "version": "DS-007-2023-IN",
    "valid_from": "2023-09-18", "label": "Protocolo intersectorial", "basis": "DS 007-2023-IN", "source": "inforegion.pe", "verified": false,
    "initial_state": "detected", "states": [{"code": "detected", "label": "detectada", "terminal": false, "source": "RM 0430-2016-IN", "verified": false}],
    "transitions": [{"id": "V03", "trigger": "identify", "from": ["first_response"], "to": "identified", "label": "identificar como víctima",
        "actors": ["prosecutor"], "guards": ["victim_status_is"], "requires": [], "accepts": ["risk"], "closes_as": null,
        "basis": "DS 007-2023-IN", "source": "from memory", "verified": false}]}], "next_cursor": null}))]
pub struct CareCatalogue {
    /// Names the content of the whole catalogue.
    #[schema(max_length = 40)]
    pub release: String,
    /// Every protocol in every version, or those of a day.
    #[schema(max_items = 1000)]
    pub items: Vec<CareProtocolEntry>,
    /// Always null: the list comes whole.
    #[schema(max_length = 1024)]
    pub next_cursor: Option<String>,
}

/// A protocol of care in one version.
#[derive(Debug, Serialize, ToSchema)]
pub struct CareProtocolEntry {
    /// Its name.
    #[schema(max_length = 40)]
    pub code: String,
    /// Whose law.
    #[schema(max_length = 2)]
    pub jurisdiction: String,
    /// The act that made this version: `protocol_version` of a process.
    #[schema(max_length = 40)]
    pub version: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// Its name for people.
    #[schema(max_length = 400)]
    pub label: String,
    /// Articles.
    #[schema(max_length = 400)]
    pub basis: String,
    /// Where they were read.
    #[schema(max_length = 400)]
    pub source: String,
    /// False where they were not.
    pub verified: bool,
    /// Where a process begins.
    #[schema(max_length = 40)]
    pub initial_state: String,
    /// Its states.
    #[schema(max_items = 100)]
    pub states: Vec<CareStateEntry>,
    /// Moves between them.
    #[schema(max_items = 500)]
    pub transitions: Vec<CareTransitionEntry>,
}

/// A state of a victim's care.
#[derive(Debug, Serialize, ToSchema)]
pub struct CareStateEntry {
    /// Code list `care_state`.
    #[schema(max_length = 40)]
    pub code: String,
    /// Its name.
    #[schema(max_length = 200)]
    pub label: String,
    /// Whether the process ends there.
    pub terminal: bool,
    /// Where it was read.
    #[schema(max_length = 400)]
    pub source: String,
    /// False where it was not.
    pub verified: bool,
}

/// A move of a victim's care.
#[derive(Debug, Serialize, ToSchema)]
pub struct CareTransitionEntry {
    /// Id in the table.
    #[schema(max_length = 20)]
    pub id: String,
    /// What a request names.
    #[schema(max_length = 40)]
    pub trigger: String,
    /// States that it leaves.
    #[schema(max_items = 100)]
    pub from: Vec<String>,
    /// State that it enters; null where the state stays.
    #[schema(required, max_length = 40)]
    pub to: Option<String>,
    /// Its name.
    #[schema(max_length = 200)]
    pub label: String,
    /// Whose act it is: code list `actor`.
    #[schema(max_items = 50)]
    pub actors: Vec<String>,
    /// Codes of what must hold.
    #[schema(max_items = 50)]
    pub guards: Vec<String>,
    /// Members that the request must have.
    #[schema(max_items = 20)]
    pub requires: Vec<String>,
    /// Members that it may have besides.
    #[schema(max_items = 20)]
    pub accepts: Vec<String>,
    /// With which reason the process ends: code list `care_close_reason`.
    #[schema(required, max_length = 40)]
    pub closes_as: Option<String>,
    /// Articles.
    #[schema(max_length = 400)]
    pub basis: String,
    /// Where they were read.
    #[schema(max_length = 400)]
    pub source: String,
    /// False where they were not.
    pub verified: bool,
}

/// The retention schedule.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2026-11.3f9a0c1b2d4e", "items": [{"code": "PE-RET-01", "jurisdiction": "PE",
    "label": "Expediente archivado: revisar", "class": "case", "status": "archived", "after_months": 60, "from_age_years": null, "action": "review",
    "basis": "Ley 29733 art. 8", "source": "proposal, no published schedule was read", "verified": false}], "next_cursor": null}))]
pub struct RetentionCatalogue {
    /// Names the content of the whole catalogue.
    #[schema(max_length = 40)]
    pub release: String,
    /// Every rule.
    #[schema(max_items = 1000)]
    pub items: Vec<RetentionEntry>,
    /// Always null: the list comes whole.
    #[schema(max_length = 1024)]
    pub next_cursor: Option<String>,
}

/// A rule of the retention schedule.
#[derive(Debug, Serialize, ToSchema)]
pub struct RetentionEntry {
    /// Code, also the reference on which an erasure rests.
    #[schema(max_length = 40)]
    pub code: String,
    /// Whose law.
    #[schema(max_length = 2)]
    pub jurisdiction: String,
    /// Its name.
    #[schema(max_length = 200)]
    pub label: String,
    /// What it is about: `case`, `victim` or `accused`.
    #[schema(max_length = 20)]
    pub class: String,
    /// How that must stand: `archived` or `ended` (a case), `cases_ended` or `of_age` (a victim), `cleared` or `convicted` (an accused).
    #[schema(max_length = 20)]
    pub status: String,
    /// How many months after it has stood so.
    #[schema(minimum = 0, maximum = 1200)]
    pub after_months: i64,
    /// Of a victim: counted from the day on which she or he is this many years old for certain, where that is later; null
    /// where the age does not matter.
    #[schema(required, minimum = 1, maximum = 120)]
    pub from_age_years: Option<i64>,
    /// What becomes of it: `review`, `restrict` (owner and oversight only), `pseudonymise` or `erase` (both propose an erasure).
    #[schema(max_length = 20)]
    pub action: String,
    /// Articles.
    #[schema(max_length = 400)]
    pub basis: String,
    /// Where that was read.
    #[schema(max_length = 400)]
    pub source: String,
    /// False where no source was read.
    pub verified: bool,
}

/// Places.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({"release": "2026-11.3f9a0c1b2d4e", "departments": [{"code": "17", "name": "Madre de Dios"}],
    "fiscal_districts": [{"code": "PE-DF-MADRE-DE-DIOS", "name": "Madre de Dios", "department": "17"}]}))]
pub struct PlaceCatalogue {
    /// Names the content of the whole catalogue.
    #[schema(max_length = 40)]
    pub release: String,
    /// Departments (UBIGEO of INEI).
    #[schema(max_items = 100)]
    pub departments: Vec<DepartmentEntry>,
    /// Districts of the Public Ministry.
    #[schema(max_items = 200)]
    pub fiscal_districts: Vec<FiscalDistrictEntry>,
}

/// A department.
#[derive(Debug, Serialize, ToSchema)]
pub struct DepartmentEntry {
    /// Two digits: the first ones of a UBIGEO.
    #[schema(max_length = 2)]
    pub code: String,
    /// Its name.
    #[schema(max_length = 100)]
    pub name: String,
}

/// A fiscal district.
#[derive(Debug, Serialize, ToSchema)]
pub struct FiscalDistrictEntry {
    /// Code.
    #[schema(max_length = 40)]
    pub code: String,
    /// Its name.
    #[schema(max_length = 100)]
    pub name: String,
    /// Its department.
    #[schema(max_length = 2)]
    pub department: String,
}

/// An offence in a language; with a day, as it stood then. None if it then was none.
pub fn offence(offence: &Offence, lang: &str, on: Option<NaiveDate>) -> Option<OffenceEntry> {
    let Offence { code, alias, relation, allows_early_termination, labels, iccs, iccs_verified, versions } = offence;
    let versions: Vec<_> = versions
        .iter()
        .filter(|v| on.is_none_or(|on| v.valid_from <= on && v.valid_until.is_none_or(|until| on < until)))
        .map(offence_version)
        .collect();
    (!versions.is_empty()).then(|| OffenceEntry {
        code: code.clone(),
        alias: alias.clone(),
        relation: *relation,
        label: labels.get(lang).to_owned(),
        allows_early_termination: *allows_early_termination,
        iccs: iccs.clone(),
        iccs_verified: *iccs_verified,
        versions,
    })
}

fn offence_version(version: &OffenceVersion) -> OffenceVersionEntry {
    let OffenceVersion { version, article, valid_from, valid_until, base, bands, aggravators, verified } = version;
    OffenceVersionEntry {
        version: version.clone(),
        article: article.clone(),
        valid_from: *valid_from,
        valid_until: *valid_until,
        base: base.map(|Penalty { min_months, max_months }| PenaltyEntry { min_months, max_months }),
        bands: bands
            .iter()
            .map(|Band { list, min_months, max_months }| BandEntry {
                list: *list,
                min_months: *min_months,
                max_months: *max_months,
            })
            .collect(),
        aggravators: aggravators
            .iter()
            .map(|Aggravator { code, circumstances, list, verified }| AggravatorEntry {
                code: code.clone(),
                circumstances: circumstances.clone(),
                list: *list,
                verified: *verified,
            })
            .collect(),
        verified: *verified,
    }
}

/// A code list in a language; with a day, only the codes that could be written then.
pub fn code_list(list: &CodeList, lang: &str, on: Option<NaiveDate>) -> CodeListEntry {
    let CodeList { list, version, valid_from, valid_until, codes } = list;
    CodeListEntry {
        list: list.clone(),
        version: version.clone(),
        valid_from: *valid_from,
        valid_until: *valid_until,
        codes: codes.iter().filter(|c| on.is_none_or(|on| c.in_force(on))).map(|c| code(c, lang)).collect(),
    }
}

fn code(code: &Code, lang: &str) -> CodeEntry {
    let Code { code, labels, verified, valid_from, valid_until, requested_by, granted_by, basis } = code;
    CodeEntry {
        code: code.clone(),
        label: labels.get(lang).to_owned(),
        valid_from: *valid_from,
        valid_until: *valid_until,
        requested_by: requested_by.clone(),
        granted_by: granted_by.clone(),
        basis: basis.clone(),
        verified: *verified,
    }
}

/// Jurisdiction and code of procedure as one code.
fn procedure_code(profile: &Profile) -> String {
    format!("{}-{}", profile.jurisdiction, profile.procedural_code)
}

/// Every code of procedure, each once.
pub fn jurisdictions(law: &Catalogue, on: Option<NaiveDate>) -> Vec<JurisdictionEntry> {
    let mut items: Vec<JurisdictionEntry> = Vec::new();
    for profile in law.profiles().iter().filter(|p| on.is_none_or(|on| p.valid_from <= on)) {
        let code = procedure_code(profile);
        let version = ProcedureVersion { version: profile.version.clone(), valid_from: profile.valid_from };
        match items.iter_mut().find(|item| item.code == code) {
            Some(item) => item.versions.push(version),
            None => items.push(JurisdictionEntry {
                code,
                jurisdiction: profile.jurisdiction.clone(),
                procedural_code: profile.procedural_code.clone(),
                versions: vec![version],
            }),
        }
    }
    items
}

/// A code of procedure on a day, in a language.
pub fn procedure(law: &Catalogue, code: &str, lang: &str, on: NaiveDate) -> Option<ProcedureRecord> {
    let (jurisdiction, procedural_code) = code.split_once('-')?;
    let profile = law.profile(jurisdiction, procedural_code, on)?;
    let mut procedure = serde_json::to_value(profile).ok()?;
    localise(&mut procedure, lang);
    let Calendar { jurisdiction: _, utc_offset_minutes: _, weekend, holidays } = law.calendar(jurisdiction);
    let valid = |h: &&Holiday| h.valid_from.is_none_or(|f| f <= on) && h.valid_until.is_none_or(|u| on < u);
    Some(ProcedureRecord {
        release: law.release().to_owned(),
        code: code.to_owned(),
        on,
        procedure,
        limits: law
            .all_limits()
            .iter()
            .filter(|l| l.jurisdiction == jurisdiction && l.procedural_code == procedural_code && l.in_force(on))
            .map(|l| limit(l, lang))
            .collect(),
        weekend: weekend.iter().map(ToString::to_string).collect(),
        holidays: holidays.iter().filter(valid).map(|h| holiday(h, lang)).collect(),
    })
}

/// Puts `label` in one language where a document of the catalogue has `labels` in three.
fn localise(value: &mut Value, lang: &str) {
    match value {
        Value::Object(map) => {
            if let Some(labels) = map.remove("labels") {
                let label = labels.get(lang).or_else(|| labels.get("es")).cloned().unwrap_or_default();
                map.insert("label".to_owned(), label);
            }
            map.values_mut().for_each(|v| localise(v, lang));
        }
        Value::Array(items) => items.iter_mut().for_each(|v| localise(v, lang)),
        _ => {}
    }
}

fn limit(limit: &Limit, lang: &str) -> LimitEntry {
    let Limit {
        id,
        jurisdiction: _,
        procedural_code: _,
        what,
        subject,
        code,
        stage,
        class,
        bound,
        amount,
        unit,
        day_type,
        starts,
        extension,
        basis,
        valid_from,
        valid_until,
        labels,
        verified,
    } = limit;
    LimitEntry {
        id: id.clone(),
        what: what.clone(),
        label: labels.get(lang).to_owned(),
        subject: *subject,
        code: code.clone(),
        stage: stage.clone(),
        class: *class,
        bound: *bound,
        amount: *amount,
        unit: *unit,
        day_type: *day_type,
        starts: *starts,
        extension: extension.as_ref().map(|Extension { amount, unit, by, times }| ExtensionEntry {
            amount: *amount,
            unit: *unit,
            by: by.clone(),
            times: *times,
        }),
        basis: basis.clone(),
        valid_from: *valid_from,
        valid_until: *valid_until,
        verified: *verified,
    }
}

fn holiday(holiday: &Holiday, lang: &str) -> HolidayEntry {
    let Holiday { code, labels, occurs, valid_from, valid_until, basis, verified } = holiday;
    let (month, day, easter_offset_days) = match *occurs {
        Occurs::Fixed { month, day } => (Some(month), Some(day), None),
        Occurs::Easter { offset_days } => (None, None, Some(offset_days)),
    };
    HolidayEntry {
        code: code.clone(),
        label: labels.get(lang).to_owned(),
        month,
        day,
        easter_offset_days,
        valid_from: *valid_from,
        valid_until: *valid_until,
        basis: basis.clone(),
        verified: *verified,
    }
}

/// A rule of the retention schedule in a language.
pub fn retention(rule: &RetentionRule, lang: &str) -> RetentionEntry {
    RetentionEntry {
        code: rule.code.clone(),
        jurisdiction: rule.jurisdiction.clone(),
        label: rule.labels.get(lang).to_owned(),
        class: rule.class.as_str().to_owned(),
        status: rule.status.as_str().to_owned(),
        after_months: i64::from(rule.after_months),
        from_age_years: rule.from_age_years.map(i64::from),
        action: rule.action.as_str().to_owned(),
        basis: rule.basis.clone(),
        source: rule.source.clone(),
        verified: rule.verified,
    }
}

/// A protocol of care in a language.
pub fn care_protocol(protocol: &CareProtocol, lang: &str) -> CareProtocolEntry {
    let names = |facts: &[CareFact]| facts.iter().map(|f| f.as_str().to_owned()).collect();
    let transition = |t: &CareTransition| CareTransitionEntry {
        id: t.id.clone(),
        trigger: t.trigger.clone(),
        from: t.from.clone(),
        to: t.to.clone(),
        label: t.labels.get(lang).to_owned(),
        actors: t.actors.clone(),
        guards: t.guards.iter().map(|g| g.code().to_owned()).collect(),
        requires: names(&t.requires),
        accepts: names(&t.accepts),
        closes_as: t.closes_as.clone(),
        basis: t.basis.clone(),
        source: t.source.clone(),
        verified: t.verified,
    };
    CareProtocolEntry {
        code: protocol.code.clone(),
        jurisdiction: protocol.jurisdiction.clone(),
        version: protocol.version.clone(),
        valid_from: protocol.valid_from,
        label: protocol.labels.get(lang).to_owned(),
        basis: protocol.basis.clone(),
        source: protocol.source.clone(),
        verified: protocol.verified,
        initial_state: protocol.initial_state.clone(),
        states: protocol
            .states
            .iter()
            .map(|s| CareStateEntry {
                code: s.code.clone(),
                label: s.labels.get(lang).to_owned(),
                terminal: s.terminal,
                source: s.source.clone(),
                verified: s.verified,
            })
            .collect(),
        transitions: protocol.transitions.iter().map(transition).collect(),
    }
}

/// A numbering scheme in a language.
pub fn scheme(scheme: &Scheme, lang: &str) -> SchemeEntry {
    SchemeEntry {
        code: scheme.code.clone(),
        subject: scheme.subject.clone(),
        label: scheme.labels.get(lang).to_owned(),
        pattern: scheme.pattern().to_owned(),
        normal_form: scheme.normal_form().to_owned(),
        example: scheme.example.clone(),
        parts: scheme
            .parts
            .iter()
            .map(|p| PartEntry { name: p.name.clone(), label: p.labels.get(lang).to_owned() })
            .collect(),
        verified: scheme.verified,
    }
}

/// The places.
pub fn places(law: &Catalogue) -> PlaceCatalogue {
    PlaceCatalogue {
        release: law.release().to_owned(),
        departments: law
            .departments()
            .iter()
            .map(|d| DepartmentEntry { code: d.code.clone(), name: d.name.clone() })
            .collect(),
        fiscal_districts: law
            .fiscal_districts()
            .iter()
            .map(|d| FiscalDistrictEntry { code: d.code.clone(), name: d.name.clone(), department: d.department.clone() })
            .collect(),
    }
}
