//! Reads the files of the catalogue: those compiled in, or those of a directory in their place.
//!
//! Owns the checks: each file from outside against its JSON Schema, then all of them against each other. Every
//! fault is reported, with file and place, because whoever corrects the law of a country wants the whole list.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::Path;

use aws_lc_rs::digest;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::calendar::Calendar;
use super::care::CareProtocol;
use super::limits::{Limit, LimitSubject};
use super::retention::RetentionRule;
use super::schemes::{RawScheme, Scheme};
use super::{AgencySeed, Catalogue, CodeList, Offence, Places, Population, Profile};

/// When the compiled-in data were last revised.
const RELEASE: &str = "2026-11";

/// A file of the catalogue.
struct File {
    name: &'static str,
    text: &'static str,
    schema: &'static str,
}

macro_rules! files {
    ($($name:literal),+) => {
        [$(File {
            name: concat!($name, ".json"),
            text: include_str!(concat!("data/", $name, ".json")),
            schema: include_str!(concat!("schemas/", $name, ".json")),
        }),+]
    };
}

const FILES: [File; 11] = files!(
    "agencies",
    "care_protocols",
    "code_lists",
    "holidays",
    "jurisdictions",
    "limits",
    "offences",
    "places",
    "population",
    "retention",
    "schemes"
);

/// What is wrong with a file of the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFault {
    /// The file.
    pub file: String,
    /// Where in it: a JSON pointer, or a line where it is no JSON.
    pub at: String,
    /// What.
    pub message: String,
}

impl std::fmt::Display for CatalogueFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}: {}", self.file, self.at, self.message)
    }
}

/// Everything that is wrong; one line each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueFaults(pub Vec<CatalogueFault>);

impl std::fmt::Display for CatalogueFaults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, fault) in self.0.iter().enumerate() {
            write!(f, "{}{fault}", if n == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// Faults as they are found.
#[derive(Default)]
struct Faults(Vec<CatalogueFault>);

impl Faults {
    fn add(&mut self, file: &str, at: impl Into<String>, message: impl Into<String>) {
        self.0.push(CatalogueFault { file: file.to_owned(), at: at.into(), message: message.into() });
    }
}

/// The texts that a catalogue is made of, in the order of [`FILES`].
struct Sources(Vec<(&'static File, Cow<'static, str>)>);

impl Sources {
    fn embedded() -> Self {
        Self(FILES.iter().map(|file| (file, Cow::Borrowed(file.text))).collect())
    }

    fn replaced_from(dir: &Path, faults: &mut Faults) -> Self {
        let mut sources = Self::embedded();
        let shown = dir.display().to_string();
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(e) => {
                faults.add(&shown, "/", e.to_string());
                return sources;
            }
        };
        let mut names: Vec<String> = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        for name in names.iter().filter(|name| name.ends_with(".json")) {
            match sources.0.iter_mut().find(|(file, _)| file.name == name) {
                // A misspelt name would otherwise silently leave the old law in force.
                None => faults.add(name, "/", "not a file of the catalogue"),
                Some((_, text)) => match std::fs::read_to_string(dir.join(name)) {
                    Ok(read) => *text = Cow::Owned(read),
                    Err(e) => faults.add(name, "/", e.to_string()),
                },
            }
        }
        sources
    }

    /// A file's content; its faults otherwise. What is compiled in was checked by a test of this file.
    fn read<T: DeserializeOwned>(&self, name: &str, faults: &mut Faults) -> Option<T> {
        let (file, text) = self.0.iter().find(|(file, _)| file.name == name)?;
        if let Cow::Owned(text) = text
            && !conforms(file, text, faults)
        {
            return None;
        }
        serde_json::from_str(text).map_err(|e| faults.add(name, format!("line {}", e.line()), e.to_string())).ok()
    }

    /// Names the content: revision date and a part of its hash.
    fn release(&self) -> String {
        let mut hash = digest::Context::new(&digest::SHA256);
        for (file, text) in &self.0 {
            hash.update(file.name.as_bytes());
            hash.update(text.as_bytes());
        }
        let hex: String = hash.finish().as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("{RELEASE}.{hex}")
    }
}

fn conforms(file: &File, text: &str, faults: &mut Faults) -> bool {
    let before = faults.0.len();
    let instance: Value = match serde_json::from_str(text) {
        Ok(value) => value,
        Err(e) => {
            faults.add(file.name, format!("line {}", e.line()), e.to_string());
            return false;
        }
    };
    let compiled = serde_json::from_str::<Value>(file.schema)
        .map_err(|e| e.to_string())
        .and_then(|s| jsonschema::draft202012::options().should_validate_formats(true).build(&s).map_err(|e| e.to_string()));
    match compiled {
        Ok(validator) => {
            for error in validator.iter_errors(&instance) {
                let at = error.instance_path().to_string();
                // The value itself is left out: it can be a whole subtree, and pointer and rule say enough.
                let what = error.masked_with("the value").to_string();
                faults.add(file.name, if at.is_empty() { "/".to_owned() } else { at }, what);
            }
        }
        Err(e) => faults.add(file.name, "/", format!("its schema does not compile: {e}")),
    }
    faults.0.len() == before
}

impl Catalogue {
    /// The catalogue that is compiled in.
    pub fn embedded() -> Result<Self, CatalogueFaults> {
        Self::load(None)
    }

    /// The catalogue with the files of a directory in place of the compiled-in ones of the same name.
    pub fn load(dir: Option<&Path>) -> Result<Self, CatalogueFaults> {
        let mut faults = Faults::default();
        let sources = match dir {
            None => Sources::embedded(),
            Some(dir) => Sources::replaced_from(dir, &mut faults),
        };
        let found = build(&sources, &mut faults);
        match found {
            Some(catalogue) if faults.0.is_empty() => Ok(catalogue),
            _ => Err(CatalogueFaults(faults.0)),
        }
    }

    /// Writes the compiled-in files and their schemas into a directory, for correction; overwrites nothing.
    pub fn export(dir: &Path) -> Result<Vec<String>, String> {
        let schemas = dir.join("schemas");
        std::fs::create_dir_all(&schemas).map_err(|e| format!("cannot make {}: {e}", schemas.display()))?;
        let mut written = Vec::new();
        for file in &FILES {
            for (path, text) in [(dir.join(file.name), file.text), (schemas.join(file.name), file.schema)] {
                let made = std::fs::OpenOptions::new().write(true).create_new(true).open(&path);
                made.and_then(|mut to| std::io::Write::write_all(&mut to, text.as_bytes()))
                    .map_err(|e| format!("cannot write {}: {e}", path.display()))?;
                written.push(path.display().to_string());
            }
        }
        Ok(written)
    }
}

fn build(sources: &Sources, faults: &mut Faults) -> Option<Catalogue> {
    let lists = sources.read::<Vec<CodeList>>("code_lists.json", faults);
    let offences = sources.read::<Vec<Offence>>("offences.json", faults);
    let profiles = sources.read::<Vec<Profile>>("jurisdictions.json", faults);
    let schemes = sources.read::<Vec<RawScheme>>("schemes.json", faults);
    let agencies = sources.read::<Vec<AgencySeed>>("agencies.json", faults);
    let places = sources.read::<Places>("places.json", faults);
    let calendars = sources.read::<Vec<Calendar>>("holidays.json", faults);
    let limits = sources.read::<Vec<Limit>>("limits.json", faults);
    let retention = sources.read::<Vec<RetentionRule>>("retention.json", faults);
    let care = sources.read::<Vec<CareProtocol>>("care_protocols.json", faults);
    let population = sources.read::<Vec<Population>>("population.json", faults);
    // What could not be read cannot be compared.
    let (lists, offences, profiles, schemes) = (lists?, offences?, profiles?, schemes?);
    let (agencies, places, calendars, limits, retention) = (agencies?, places?, calendars?, limits?, retention?);
    let (care, population) = (care?, population?);
    let mut compiled = Vec::new();
    for (n, raw) in schemes.into_iter().enumerate() {
        match Scheme::compile(raw) {
            Ok(scheme) => compiled.push(scheme),
            Err(message) => faults.add("schemes.json", format!("/{n}/pattern"), message),
        }
    }
    let catalogue = Catalogue::assemble(
        sources.release(),
        lists,
        offences,
        profiles,
        compiled,
        agencies,
        places,
        calendars,
        limits,
        retention,
        care,
        population,
    );
    check(&catalogue, faults);
    Some(catalogue)
}

/// What no schema can say: what is named exists, nothing stands twice, versions follow each other.
fn check(law: &Catalogue, faults: &mut Faults) {
    check_lists(law, faults);
    check_offences(law, faults);
    check_procedure(law, faults);
    check_agencies(law, faults);
    check_retention(law, faults);
    check_care(law, faults);
    check_population(law, faults);
    let twice = |items: &mut dyn Iterator<Item = &str>| {
        let mut seen = HashSet::new();
        items.enumerate().filter(|(_, item)| !seen.insert((*item).to_owned())).map(|(n, _)| n).collect::<Vec<_>>()
    };
    for n in twice(&mut law.schemes().iter().map(|s| s.code.as_str())) {
        faults.add("schemes.json", format!("/{n}/code"), "duplicate code");
    }
    for n in twice(&mut law.departments().iter().map(|d| d.code.as_str())) {
        faults.add("places.json", format!("/departments/{n}/code"), "duplicate code");
    }
    for n in twice(&mut law.fiscal_districts().iter().map(|d| d.code.as_str())) {
        faults.add("places.json", format!("/fiscal_districts/{n}/code"), "duplicate code");
    }
    for (n, district) in law.fiscal_districts().iter().enumerate() {
        if !law.departments().iter().any(|d| d.code == district.department) {
            faults.add("places.json", format!("/fiscal_districts/{n}/department"), "unknown department");
        }
    }
}

fn check_retention(law: &Catalogue, faults: &mut Faults) {
    const FILE: &str = "retention.json";
    let mut seen = HashSet::new();
    for (n, rule) in law.retention().iter().enumerate() {
        if !seen.insert(rule.code.as_str()) {
            faults.add(FILE, format!("/{n}/code"), "duplicate code");
        }
        for (at, message) in rule.check() {
            faults.add(FILE, format!("/{n}/{at}"), message);
        }
        if !law.profiles().iter().any(|p| p.jurisdiction == rule.jurisdiction) {
            faults.add(FILE, format!("/{n}/jurisdiction"), "no such jurisdiction in jurisdictions.json");
        }
    }
}

fn check_care(law: &Catalogue, faults: &mut Faults) {
    const FILE: &str = "care_protocols.json";
    for (n, protocol) in law.care_protocols().iter().enumerate() {
        for (at, message) in protocol.check(law) {
            faults.add(FILE, format!("/{n}{at}"), message);
        }
        let same = |other: &CareProtocol| {
            other.jurisdiction == protocol.jurisdiction
                && (other.version == protocol.version || other.valid_from == protocol.valid_from)
        };
        if law.care_protocols().iter().take(n).any(same) {
            faults.add(FILE, format!("/{n}/version"), "a second version of this name or day");
        }
    }
}

fn check_population(law: &Catalogue, faults: &mut Faults) {
    const FILE: &str = "population.json";
    let mut seen = HashSet::new();
    for (n, line) in law.populations().iter().enumerate() {
        if !law.country_known(&line.country) {
            faults.add(FILE, format!("/{n}/country"), "unknown country");
        }
        if !seen.insert((&line.country, line.year, &line.sex, &line.age)) {
            faults.add(FILE, format!("/{n}"), "a second line of this country, year, sex and age");
        }
    }
}

fn check_lists(law: &Catalogue, faults: &mut Faults) {
    const FILE: &str = "code_lists.json";
    for (n, list) in law.code_lists().iter().enumerate() {
        if list.valid_until.is_some_and(|until| until <= list.valid_from) {
            faults.add(FILE, format!("/{n}/valid_until"), "not after valid_from");
        }
        for other in law.code_lists().iter().take(n).filter(|other| other.list == list.list) {
            if other.version == list.version {
                faults.add(FILE, format!("/{n}/version"), "duplicate version of the list");
            } else if list.valid_from < other.valid_until.unwrap_or(chrono::NaiveDate::MAX)
                && other.valid_from < list.valid_until.unwrap_or(chrono::NaiveDate::MAX)
            {
                faults.add(FILE, format!("/{n}/valid_from"), format!("in force together with version {}", other.version));
            }
        }
        let mut seen = HashSet::new();
        for (m, code) in list.codes.iter().enumerate() {
            if !seen.insert(code.code.as_str()) {
                faults.add(FILE, format!("/{n}/codes/{m}/code"), "duplicate code");
            }
            if code.valid_until.is_some_and(|until| code.valid_from.is_some_and(|from| until <= from)) {
                faults.add(FILE, format!("/{n}/codes/{m}/valid_until"), "not after valid_from");
            }
            for (field, actors) in [("requested_by", &code.requested_by), ("granted_by", &code.granted_by)] {
                for (k, _) in actors.iter().enumerate().filter(|(_, actor)| !law.has_ever("actor", actor)) {
                    faults.add(FILE, format!("/{n}/codes/{m}/{field}/{k}"), "not a code of list actor");
                }
            }
        }
    }
}

fn check_offences(law: &Catalogue, faults: &mut Faults) {
    const FILE: &str = "offences.json";
    let mut seen = HashSet::new();
    for (n, offence) in law.offences().iter().enumerate() {
        for (at, message) in offence.check() {
            faults.add(FILE, format!("/{n}{at}"), message);
        }
        for code in std::iter::once(&offence.code).chain(&offence.alias) {
            if !seen.insert(code.as_str()) {
                faults.add(FILE, format!("/{n}/code"), "duplicate code");
            }
        }
        for (m, version) in offence.versions.iter().enumerate() {
            for (k, aggravator) in version.aggravators.iter().enumerate() {
                let at = format!("/{n}/versions/{m}/aggravators/{k}");
                for (i, _) in aggravator.circumstances.iter().enumerate().filter(|(_, c)| !law.has_ever("circumstance", c)) {
                    faults.add(FILE, format!("{at}/circumstances/{i}"), "not a code of list circumstance");
                }
            }
        }
    }
}

fn check_procedure(law: &Catalogue, faults: &mut Faults) {
    for (n, profile) in law.profiles().iter().enumerate() {
        if let Err((at, message)) = profile.check() {
            faults.add("jurisdictions.json", format!("/{n}{at}"), message);
        }
    }
    for (n, calendar) in law.calendars().iter().enumerate() {
        for (at, message) in calendar.check() {
            faults.add("holidays.json", format!("/{n}{at}"), message);
        }
    }
    const FILE: &str = "limits.json";
    let mut seen = HashSet::new();
    for (n, limit) in law.all_limits().iter().enumerate() {
        let mut fault = |at: &str, message: &str| faults.add(FILE, format!("/{n}/{at}"), message);
        if !seen.insert(limit.id.as_str()) {
            fault("id", "duplicate id");
        }
        if limit.valid_until.is_some_and(|until| until <= limit.valid_from) {
            fault("valid_until", "not after valid_from");
        }
        let known = |p: &&Profile| p.jurisdiction == limit.jurisdiction && p.procedural_code == limit.procedural_code;
        if !law.profiles().iter().any(|p| known(&p)) {
            fault("procedural_code", "no such code of procedure in jurisdictions.json");
        }
        if !law.calendars().iter().any(|c| c.jurisdiction == limit.jurisdiction) {
            fault("jurisdiction", "without a calendar in holidays.json");
        }
        if limit.stage.as_ref().is_some_and(|stage| !law.has_ever("case_stage", stage)) {
            fault("stage", "not a code of list case_stage");
        }
        let list = match limit.subject {
            LimitSubject::CaseStage => Some("case_stage"),
            LimitSubject::Measure => Some("coercive_measure"),
            LimitSubject::Appeal => Some("remedy"),
            // A trigger: profiles of different days have different ones, so no list holds them all.
            LimitSubject::Transition => None,
        };
        if let Some(list) = list
            && !law.has_ever(list, &limit.code)
        {
            fault("code", &format!("not a code of list {list}"));
        }
        if limit.extension.as_ref().is_some_and(|e| !law.has_ever("actor", &e.by)) {
            fault("extension/by", "not a code of list actor");
        }
    }
}

fn check_agencies(law: &Catalogue, faults: &mut Faults) {
    const FILE: &str = "agencies.json";
    let mut known = HashSet::new();
    for (n, agency) in law.agencies().iter().enumerate() {
        let mut fault = |at: String, message: &str| faults.add(FILE, format!("/{n}/{at}"), message);
        if agency.parent.as_ref().is_some_and(|p| !known.contains(p.as_str())) {
            fault("parent".into(), "unknown parent, or one that stands below");
        }
        if !law.has_ever("agency_kind", &agency.kind) {
            fault("kind".into(), "not a code of list agency_kind");
        }
        for (m, _) in agency.services.iter().enumerate().filter(|(_, s)| !law.has_ever("service", s)) {
            fault(format!("services/{m}"), "not a code of list service");
        }
        for (m, _) in agency.offences.iter().enumerate().filter(|(_, o)| law.offence(o).is_none_or(|f| f.code != **o)) {
            fault(format!("offences/{m}"), "no offence of the catalogue");
        }
        if agency.country.as_ref().is_some_and(|c| !law.country_known(c)) {
            fault("country".into(), "unknown country");
        }
        if agency.territory.as_ref().is_some_and(|t| !law.territory_known(t)) {
            fault("territory".into(), "in no known department");
        }
        if !known.insert(agency.code.as_str()) {
            fault("code".into(), "duplicate code");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_in_conforms_to_its_schemas() {
        let mut faults = Faults::default();
        for file in &FILES {
            conforms(file, file.text, &mut faults);
        }
        assert_eq!(faults.0, []);
        assert!(Catalogue::embedded().is_ok(), "{}", Catalogue::embedded().err().unwrap());
    }

    /// A directory of the compiled-in files, some of them changed.
    fn directory(name: &str, changes: &[(&str, &str, &str)]) -> std::path::PathBuf {
        let dir = std::env::temp_dir().join(format!("sistra-catalogue-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        for (file, from, to) in changes {
            let path = dir.join(file);
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|_| FILES.iter().find(|f| f.name == *file).map_or("", |f| f.text).to_owned());
            assert!(from.is_empty() || text.contains(from), "{from}");
            std::fs::write(&path, if from.is_empty() { (*to).to_owned() } else { text.replacen(from, to, 1) }).unwrap();
        }
        dir
    }

    fn load(dir: &Path) -> Result<Catalogue, Vec<String>> {
        let loaded = Catalogue::load(Some(dir)).map_err(|faults| faults.to_string().lines().map(str::to_owned).collect());
        let _ = std::fs::remove_dir_all(dir);
        loaded
    }

    #[test]
    fn every_fault_of_a_directory_is_told_with_file_and_place() {
        let dir = directory(
            "faults",
            &[
                ("limits.json", "\"amount\": 60,", "\"amount\": -60,"),
                ("limits.json", "\"unit\": \"day\"", "\"unit\": \"fortnight\""),
                ("places.json", "\"name\": \"Amazonas\"", "\"nombre\": \"Amazonas\""),
                ("holidays.json", "[", "[,"),
                ("ofences.json", "", "[]"),
            ],
        );
        let faults = load(&dir).err().unwrap();
        let starts = [
            "ofences.json at /: not a file of the catalogue",
            "places.json at /departments/0:",
            "holidays.json at line 1:",
            "limits.json at /0/amount:",
            "limits.json at /0/unit:",
        ];
        for start in starts {
            assert!(faults.iter().any(|f| f.starts_with(start)), "{start} in {faults:#?}");
        }
        assert!(!faults.iter().any(|f| f.contains("fortnight")), "values stay out: {faults:#?}");
    }

    #[test]
    fn files_are_checked_against_each_other() {
        let dir = directory(
            "cross",
            &[
                ("limits.json", "\"code\": \"flagrancy_arrest\"", "\"code\": \"dungeon\""),
                ("limits.json", "\"by\": \"prosecutor\"", "\"by\": \"king\""),
                ("offences.json", "\"public_office\"", "\"bad_mood\""),
                ("places.json", "\"department\": \"01\"", "\"department\": \"99\""),
                ("agencies.json", "\"kind\": \"prosecutor\"", "\"kind\": \"circus\""),
                ("schemes.json", "PE-CARPETA-25", "PE-CARPETA"),
            ],
        );
        let faults = load(&dir).err().unwrap();
        for part in [
            "not a code of list coercive_measure",
            "/extension/by: not a code of list actor",
            "not a code of list circumstance",
            "places.json at /fiscal_districts/0/department: unknown department",
            "agencies.json at /0/kind: not a code of list agency_kind",
            "schemes.json at /1/code: duplicate code",
        ] {
            assert!(faults.iter().any(|f| f.contains(part)), "{part} in {faults:#?}");
        }
    }

    #[test]
    fn a_corrected_file_replaces_the_compiled_in_one_and_names_another_release() {
        let dir = directory("corrected", &[("places.json", "\"name\": \"Amazonas\"", "\"name\": \"Amazonas corregido\"")]);
        let law = load(&dir).unwrap();
        assert_eq!(law.departments()[0].name, "Amazonas corregido");
        let compiled_in = Catalogue::embedded().unwrap();
        assert_ne!(law.release(), compiled_in.release());
        assert_eq!(law.offences().len(), compiled_in.offences().len());
    }

    #[test]
    fn what_is_exported_loads_again_and_nothing_is_overwritten() {
        let dir = directory("exported", &[]);
        assert_eq!(Catalogue::export(&dir).unwrap().len(), 2 * FILES.len());
        assert!(Catalogue::export(&dir).is_err());
        assert_eq!(load(&dir).unwrap().release(), Catalogue::embedded().unwrap().release());
    }

    #[test]
    fn a_new_version_of_a_list_applies_from_its_day_and_the_old_codes_stay_known() {
        let old = r#""list": "urgency",
  "version": "2026-11",
  "valid_from": "2007-01-17","#;
        let new = r#""list": "urgency", "version": "2030-01", "valid_from": "2030-01-01",
  "codes": [{"code": "now", "labels": {"es": "ya", "en": "now", "fr": "vite"}, "verified": true,
  "valid_until": "2031-01-01"}]}, {"list": "urgency",
  "version": "2026-11", "valid_until": "2030-01-01",
  "valid_from": "2007-01-17","#;
        let law = load(&directory("versions", &[("code_lists.json", old, new)])).unwrap();
        let on = |day: &str, code| law.has_code_on("urgency", code, day.parse().unwrap());
        assert!(on("2029-12-31", "ordinary") && !on("2029-12-31", "now"));
        assert!(!on("2030-01-01", "ordinary") && on("2030-01-01", "now"));
        assert!(!on("2031-01-01", "now"), "a code can end before its list");
        assert!(law.has_ever("urgency", "ordinary") && law.has_ever("urgency", "now"));
    }

    #[test]
    fn the_profile_of_peru_is_all_there() {
        let law = Catalogue::embedded().unwrap();
        assert_eq!((law.departments().len(), law.fiscal_districts().len()), (25, 34));
        assert!(law.agencies().len() >= 32 && law.all_limits().len() > 60);
        for scheme in law.schemes() {
            assert!(scheme.normalise(&scheme.example).is_ok(), "{}", scheme.code);
        }
        // Sixteen articles, the ñ among them; the list of the Public Ministry has no 129-P.
        let core: Vec<_> = law.offences().iter().filter(|o| o.code.starts_with("PE-CP-129-")).collect();
        assert_eq!(core.len(), 16);
        for list in
            ["coercive_measure", "protection_measure", "reparation_head", "hearing_kind", "decision_kind", "verdict_outcome"]
        {
            assert!(law.code_list(list, "2026-11-01".parse().unwrap()).is_some(), "{list}");
        }
    }
}
