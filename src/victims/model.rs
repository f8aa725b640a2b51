//! Victims and the rules about them. Pure.

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Serialize};

use super::wire::{
    CaseVictimCreate, CaseVictimPatch, CaseVictimView, VictimIdentityInput, VictimIdentityView, VictimPatch, VictimView,
};
use crate::act::Act;
use crate::catalogue::{Catalogue, WrittenUnder, keep_standing_codes};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, VictimId};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Field, PartialDate, Result, Timestamp};
use crate::persons::{Identity, IdentityPatch};

/// A person, pseudonymous.
#[derive(Clone, Debug, PartialEq)]
pub struct Victim {
    /// The victim.
    pub id: VictimId,
    /// Version.
    pub version: i64,
    /// Speakable reference.
    pub code: String,
    /// What is known.
    pub detail: VictimDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by_agency: AgencyCode,
    /// When last changed.
    pub updated_at: Timestamp,
    /// The record that stands for the person, where this one was merged away: what is known is that one's.
    pub merged_into: Option<Survivor>,
}

/// The record that stands for a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// The record.
    pub id: VictimId,
    /// Its version.
    pub version: i64,
}

/// What is known of a person. One document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VictimDetail {
    /// Sex.
    pub sex: String,
    /// Gender.
    pub gender: String,
    /// Years of age when identified.
    pub age_at_identification: Option<i32>,
    /// Nationalities.
    pub nationalities: Vec<String>,
    /// Country of birth.
    pub country_of_birth: Option<String>,
    /// Languages.
    pub languages: Vec<String>,
    /// Education.
    pub education: Option<String>,
    /// Disability.
    pub disability: String,
    /// Indigenous people.
    pub indigenous_people: Option<String>,
    /// Since when somebody has said that she or he, presumed a minor before, is of age.
    #[serde(default)]
    pub of_age_since: Option<Timestamp>,
}

impl VictimDetail {
    /// Protected as a minor. An unknown age counts as a minor's (DS 007-2023-IN): the doubt protects. Time alone ends that
    /// for nobody: somebody reviews it and says that she or he is of age.
    pub fn minor(&self) -> bool {
        self.of_age_since.is_none() && self.minor_when_identified()
    }

    /// A minor when identified, or nobody knows: what the crime was does not change with the years.
    pub fn minor_when_identified(&self) -> bool {
        self.age_at_identification.is_none_or(|age| age < 18)
    }

    /// Code list `age_band`.
    pub fn age_band(&self) -> &'static str {
        age_band(self.age_at_identification)
    }

    /// The first day on which she or he is this old for certain: by the date of birth where it is known, else by the age
    /// when identified, else as if born on that day. The doubt protects here too.
    pub fn aged_on(&self, years: u32, birth: Option<PartialDate>, identified: NaiveDate) -> NaiveDate {
        let (from, lived) = match (birth, self.age_at_identification) {
            (Some(birth), _) => (birth.latest(), 0),
            (None, age) => (identified, age.and_then(|age| u32::try_from(age).ok()).unwrap_or(0)),
        };
        let day = from.checked_add_months(Months::new(years.saturating_sub(lived).saturating_mul(12)));
        match day {
            // Born on 29 February: not before the day is over.
            Some(day) if day.day() != from.day() => day.succ_opt().unwrap_or(NaiveDate::MAX),
            Some(day) => day,
            None => NaiveDate::MAX,
        }
    }

    fn check(&self, law: &Catalogue, at: &str, faults: &mut Vec<Fault>) {
        codes(
            law,
            at,
            &[
                ("sex", "sex", Some(&self.sex)),
                ("gender", "gender", Some(&self.gender)),
                ("disability", "disability", Some(&self.disability)),
                ("education", "education", self.education.as_ref()),
            ],
            faults,
        );
        for (index, country) in self.nationalities.iter().enumerate() {
            if !law.country_known(country) {
                faults.push(Fault::body(format!("{at}/nationalities/{index}"), FaultCode::Enum));
            }
        }
        if self.country_of_birth.as_ref().is_some_and(|c| !law.country_known(c)) {
            faults.push(Fault::body(format!("{at}/country_of_birth"), FaultCode::Enum));
        }
        for (index, language) in self.languages.iter().enumerate() {
            if !law.language_known(language) {
                faults.push(Fault::body(format!("{at}/languages/{index}"), FaultCode::Enum));
            }
        }
        if self.age_at_identification.is_some_and(|a| !(0..=120).contains(&a)) {
            faults.push(Fault::body(format!("{at}/age_at_identification"), FaultCode::Maximum));
        }
        if self.indigenous_people.as_ref().is_some_and(|p| p.trim().is_empty() || p.chars().count() > 80) {
            faults.push(Fault::body(format!("{at}/indigenous_people"), FaultCode::MaxLength));
        }
    }
}

/// The code of an age in years (code list `age_band`).
pub fn age_band(age: Option<i32>) -> &'static str {
    match age {
        None => "unknown",
        Some(..=12) => "age_0_12",
        Some(13..=17) => "age_13_17",
        Some(18..=24) => "age_18_24",
        Some(25..=29) => "age_25_29",
        Some(30..=44) => "age_30_44",
        Some(45..=59) => "age_45_59",
        Some(60..) => "age_60_plus",
    }
}

/// A victim's part in a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Status in this case.
    pub status: String,
    /// What was done.
    pub acts: Vec<String>,
    /// How.
    pub means: Vec<String>,
    /// What for.
    pub purposes: Vec<String>,
    /// Recruitment.
    pub recruitment: Option<String>,
    /// Control.
    pub control: Vec<String>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// The code of an element that is not known yet: enough to register a person, not to accuse anybody.
const UNKNOWN: &str = "unknown";

impl Part {
    /// Whether the elements of trafficking are known (CP 129-A): what was done and what for, and of a grown person by what
    /// means. Who was found to be no victim needs none.
    pub fn elements_known(&self, minor: bool) -> bool {
        let known = |codes: &[String]| codes.iter().any(|code| code != UNKNOWN);
        self.status == "not_victim" || known(&self.acts) && known(&self.purposes) && (minor || known(&self.means))
    }

    fn check(&self, law: &Catalogue, victim: &VictimDetail, at: &str, faults: &mut Vec<Fault>) {
        codes(
            law,
            at,
            &[("status", "victim_status", Some(&self.status)), ("recruitment", "recruitment", self.recruitment.as_ref())],
            faults,
        );
        for (name, list, given) in [
            ("acts", "act", &self.acts),
            ("means", "means", &self.means),
            ("purposes", "purpose", &self.purposes),
            ("control", "control", &self.control),
        ] {
            for (index, code) in given.iter().enumerate() {
                if !law.has_code(list, code) {
                    faults.push(Fault::body(format!("{at}/{name}/{index}"), FaultCode::Enum));
                } else if given.iter().take(index).any(|c| c == code) {
                    faults.push(Fault::body(format!("{at}/{name}/{index}"), FaultCode::UniqueItems));
                }
            }
        }
        for (name, given) in [("acts", &self.acts), ("means", &self.means), ("purposes", &self.purposes)] {
            if given.len() > 1
                && let Some(index) = given.iter().position(|code| code == UNKNOWN)
            {
                // What is known in part is not unknown.
                faults.push(Fault::body(format!("{at}/{name}/{index}"), FaultCode::CrossField));
            }
        }
        if self.status == "not_victim" {
            return;
        }
        // CP 129-A.1: act and purpose always; 129-A.3 and .4: means for adults, never needed for minors.
        for (name, empty) in [("acts", self.acts.is_empty()), ("purposes", self.purposes.is_empty())] {
            if empty {
                faults.push(Fault::body(format!("{at}/{name}"), FaultCode::MinItems));
            }
        }
        if self.means.is_empty() && !victim.minor_when_identified() {
            faults.push(Fault::body(format!("{at}/means"), FaultCode::MinItems));
        }
    }
}

impl From<VictimIdentityInput> for IdentityPatch {
    fn from(input: VictimIdentityInput) -> Self {
        let VictimIdentityInput {
            given_names,
            paternal_surname,
            maternal_surname,
            other_names,
            birth_date,
            documents,
            contacts,
            address,
            safe_contact_instructions,
            extensions,
        } = input;
        Self {
            given_names,
            paternal_surname,
            maternal_surname,
            legal_name: Field::Absent,
            other_names,
            birth_date,
            documents,
            contacts,
            address,
            safe_contact_instructions,
            extensions,
        }
    }
}

/// The identity of a victim as shown to whoever may have it.
pub fn identity_view(identity: &Identity, victim_id: VictimId, version: i64, updated_at: Timestamp) -> VictimIdentityView {
    let Identity {
        given_names,
        paternal_surname,
        maternal_surname,
        // Of legal persons only.
        legal_name: _,
        other_names,
        birth_date,
        documents,
        contacts,
        address,
        safe_contact_instructions,
        extensions,
    } = identity.clone();
    VictimIdentityView {
        victim_id,
        version,
        updated_at,
        given_names,
        paternal_surname,
        maternal_surname,
        other_names,
        birth_date,
        documents,
        contacts,
        address,
        safe_contact_instructions,
        extensions,
    }
}

/// A victim checked and ready to insert.
#[derive(Clone, Debug)]
pub struct PreparedVictim {
    /// Her or his name within the request.
    pub label: Option<String>,
    /// The victim.
    pub id: VictimId,
    /// The person.
    pub victim: Victim,
    /// The part in the case.
    pub part: Part,
    /// Who it is.
    pub identity: Identity,
}

/// Checks victims of a request; every fault at once, with pointers under `at`.
pub fn prepare(given: Vec<CaseVictimCreate>, at: &str, act: &Act, _case: CaseId) -> (Vec<PreparedVictim>, Vec<Fault>) {
    let law = act.catalogue.as_ref();
    let mut faults = Vec::new();
    let mut prepared: Vec<PreparedVictim> = Vec::with_capacity(given.len());
    for (index, new) in given.into_iter().enumerate() {
        let at = format!("{at}/{index}");
        let CaseVictimCreate {
            label,
            sex,
            gender,
            age_at_identification,
            nationalities,
            country_of_birth,
            languages,
            education,
            disability,
            indigenous_people,
            status,
            acts,
            means,
            purposes,
            recruitment,
            control,
            identity: given_identity,
        } = new;
        if label.is_some() && prepared.iter().any(|p| p.label == label) {
            faults.push(Fault::body(format!("{at}/label"), FaultCode::UniqueItems));
        }
        let detail = VictimDetail {
            sex: sex.unwrap_or_else(|| "unknown".to_owned()),
            gender: gender.unwrap_or_else(|| "not_asked".to_owned()),
            age_at_identification,
            nationalities,
            country_of_birth,
            languages,
            education,
            disability: disability.unwrap_or_else(|| "not_asked".to_owned()),
            indigenous_people,
            of_age_since: None,
        };
        detail.check(law, &at, &mut faults);
        let part = Part {
            status: status.unwrap_or_else(|| "presumed".to_owned()),
            acts,
            means,
            purposes,
            recruitment,
            control,
            written_under: WrittenUnder::new(law),
        };
        part.check(law, &detail, &at, &mut faults);
        let mut identity = Identity::default();
        if let Some(given) = given_identity
            && let Err(more) = identity.amend(given.into(), law, &format!("{at}/identity"))
        {
            faults.extend(more);
        }
        let id: VictimId = act.person_id();
        let victim = Victim {
            id,
            version: 1,
            code: act.person_reference("V"),
            detail,
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
            merged_into: None,
        };
        prepared.push(PreparedVictim { label, id, victim, part, identity });
    }
    (prepared, faults)
}

impl Victim {
    /// Applies a patch; answers the pointers that changed.
    pub fn amend(&mut self, patch: VictimPatch, act: &Act) -> Result<Vec<String>> {
        let VictimPatch {
            sex,
            gender,
            age_at_identification,
            nationalities,
            country_of_birth,
            languages,
            education,
            disability,
            indigenous_people,
        } = patch;
        let detail = &mut self.detail;
        let mut changed = Vec::new();
        // Null puts a sensitive attribute back to the code that says so: it is never a bare null.
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        note("sex", sex.apply_or(&mut detail.sex, "unknown".to_owned()));
        note("gender", gender.apply_or(&mut detail.gender, "not_asked".to_owned()));
        note("age_at_identification", age_at_identification.apply(&mut detail.age_at_identification));
        note("nationalities", nationalities.apply_or(&mut detail.nationalities, Vec::new()));
        note("country_of_birth", country_of_birth.apply(&mut detail.country_of_birth));
        note("languages", languages.apply_or(&mut detail.languages, Vec::new()));
        note("education", education.apply(&mut detail.education));
        note("disability", disability.apply_or(&mut detail.disability, "not_asked".to_owned()));
        note("indigenous_people", indigenous_people.apply(&mut detail.indigenous_people));
        let mut faults = Vec::new();
        self.detail.check(&act.catalogue, "", &mut faults);
        keep_standing_codes(&mut faults, &changed);
        no_faults(faults)?;
        if !changed.is_empty() {
            self.version += 1;
            self.updated_at = act.now;
        }
        Ok(changed)
    }

    /// What an entity tag says beside the version: of a record that was merged away, the version of what it shows.
    pub fn tag(&self) -> String {
        self.merged_into.map_or_else(String::new, |survivor| format!("m{}", survivor.version))
    }

    /// Whether it may be written to.
    pub fn must_stand(&self) -> Result<()> {
        if self.merged_into.is_some() { Err(Error::StateConflict(vec!["merged".into()])) } else { Ok(()) }
    }

    /// The victim as shown.
    pub fn view(&self) -> VictimView {
        let Self { id, version, code, detail, created_at, created_by_agency, updated_at, merged_into } = self;
        let (age_band, minor) = (detail.age_band().to_owned(), detail.minor());
        let VictimDetail {
            sex,
            gender,
            age_at_identification,
            nationalities,
            country_of_birth,
            languages,
            education,
            disability,
            indigenous_people,
            of_age_since,
        } = detail.clone();
        VictimView {
            id: *id,
            version: *version,
            created_at: *created_at,
            updated_at: *updated_at,
            created_by_agency: created_by_agency.clone(),
            code: code.clone(),
            sex,
            gender,
            age_at_identification,
            age_band,
            minor,
            nationalities,
            country_of_birth,
            languages,
            education,
            disability,
            indigenous_people,
            of_age_since,
            merged_into: merged_into.map(|survivor| survivor.id),
            redacted: Vec::new(),
        }
    }
}

/// A victim in a case.
#[derive(Clone, Debug)]
pub struct CaseVictim {
    /// The case.
    pub case: CaseId,
    /// The person.
    pub victim: Victim,
    /// The part.
    pub part: Part,
    /// Version of the part.
    pub version: i64,
    /// When the part last changed.
    pub updated_at: Timestamp,
}

impl CaseVictim {
    /// Applies a patch to the part; answers the pointers that changed.
    pub fn amend(&mut self, patch: CaseVictimPatch, act: &Act) -> Result<Vec<String>> {
        let CaseVictimPatch { status, acts, means, purposes, recruitment, control } = patch;
        if matches!(status, Field::Null) {
            return Err(Error::field("/status", FaultCode::Required));
        }
        let part = &mut self.part;
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        note("status", status.apply_or(&mut part.status, "presumed".to_owned()));
        note("acts", acts.apply_or(&mut part.acts, Vec::new()));
        note("means", means.apply_or(&mut part.means, Vec::new()));
        note("purposes", purposes.apply_or(&mut part.purposes, Vec::new()));
        note("recruitment", recruitment.apply(&mut part.recruitment));
        note("control", control.apply_or(&mut part.control, Vec::new()));
        let mut faults = Vec::new();
        self.part.check(&act.catalogue, &self.victim.detail, "", &mut faults);
        keep_standing_codes(&mut faults, &changed);
        no_faults(faults)?;
        if !changed.is_empty() {
            self.part.written_under.note(&act.catalogue, &changed);
            self.version += 1;
            self.updated_at = act.now;
        }
        Ok(changed)
    }

    /// The part and the person as shown.
    pub fn view(&self) -> CaseVictimView {
        let Part { status, acts, means, purposes, recruitment, control, written_under: _ } = self.part.clone();
        CaseVictimView {
            case_id: self.case,
            victim_id: self.victim.id,
            version: self.version,
            updated_at: self.updated_at,
            status,
            acts,
            means,
            purposes,
            recruitment,
            control,
            victim: self.victim.view(),
        }
    }
}

fn codes(law: &Catalogue, at: &str, given: &[(&str, &str, Option<&String>)], faults: &mut Vec<Fault>) {
    for (name, list, code) in given {
        if code.is_some_and(|c| !law.has_code(list, c)) {
            faults.push(Fault::body(format!("{at}/{name}"), FaultCode::Enum));
        }
    }
}
