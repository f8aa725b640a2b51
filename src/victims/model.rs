//! Victims and the rules about them. Pure.

use serde::{Deserialize, Serialize};

use super::wire::{
    CaseVictimCreate, CaseVictimPatch, CaseVictimView, Contact, Document, DocumentInput, VictimIdentityInput,
    VictimIdentityView, VictimPatch, VictimView,
};
use crate::act::Act;
use crate::catalogue::Catalogue;
use crate::kernel::error::no_faults;
use crate::kernel::ids::{CaseId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Bucket, Error, Fault, FaultCode, Field, PartialDate, Result, Timestamp};

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
}

impl VictimDetail {
    /// Under 18. An unknown age counts as a minor's (DS 007-2023-IN): the doubt protects.
    pub fn minor(&self) -> bool {
        self.age_at_identification.is_none_or(|age| age < 18)
    }

    /// Code list `age_band`.
    pub fn age_band(&self) -> &'static str {
        match self.age_at_identification {
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
}

impl Part {
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
        if self.status == "not_victim" {
            return;
        }
        // CP 129-A.1: act and purpose always; 129-A.3 and .4: means for adults, never needed for minors.
        for (name, empty) in [("acts", self.acts.is_empty()), ("purposes", self.purposes.is_empty())] {
            if empty {
                faults.push(Fault::body(format!("{at}/{name}"), FaultCode::MinItems));
            }
        }
        if self.means.is_empty() && !victim.minor() {
            faults.push(Fault::body(format!("{at}/means"), FaultCode::MinItems));
        }
    }
}

/// Who a person is. One document, in a table of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Given names.
    pub given_names: Option<Pii<String>>,
    /// First surname.
    pub paternal_surname: Option<Pii<String>>,
    /// Second surname.
    pub maternal_surname: Option<Pii<String>>,
    /// Other names used.
    pub other_names: Vec<Pii<String>>,
    /// Birth.
    pub birth_date: Option<Pii<PartialDate>>,
    /// Documents.
    pub documents: Vec<Document>,
    /// Ways to reach the person.
    pub contacts: Vec<Contact>,
    /// Where the person lives.
    pub address: Option<Pii<String>>,
    /// How to make contact without danger.
    pub safe_contact_instructions: Option<Pii<String>>,
}

impl Identity {
    /// Applies a patch; answers the pointers that changed.
    pub fn amend(&mut self, patch: VictimIdentityInput, law: &Catalogue, at: &str) -> Result<Vec<String>, Vec<Fault>> {
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
        } = patch;
        let mut faults = Vec::new();
        for (name, field, max) in [
            ("given_names", &given_names, 120),
            ("paternal_surname", &paternal_surname, 120),
            ("maternal_surname", &maternal_surname, 120),
            ("address", &address, 300),
            ("safe_contact_instructions", &safe_contact_instructions, 1_000),
        ] {
            if let Some(Pii(text)) = field.value() {
                length(text, max, format!("{at}/{name}"), &mut faults);
            }
        }
        for (index, Pii(text)) in other_names.value().into_iter().flatten().enumerate() {
            length(text, 120, format!("{at}/other_names/{index}"), &mut faults);
        }
        for (index, Contact { value: Pii(text), .. }) in contacts.value().into_iter().flatten().enumerate() {
            length(text, 200, format!("{at}/contacts/{index}/value"), &mut faults);
        }
        let documents = match documents {
            Field::Absent => Field::Absent,
            Field::Null => Field::Null,
            Field::Set(given) => Field::Set(read_documents(given, law, at, &mut faults)),
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        note("given_names", given_names.apply(&mut self.given_names));
        note("paternal_surname", paternal_surname.apply(&mut self.paternal_surname));
        note("maternal_surname", maternal_surname.apply(&mut self.maternal_surname));
        note("other_names", other_names.apply_or(&mut self.other_names, Vec::new()));
        note("birth_date", birth_date.apply(&mut self.birth_date));
        note("documents", documents.apply_or(&mut self.documents, Vec::new()));
        note("contacts", contacts.apply_or(&mut self.contacts, Vec::new()));
        note("address", address.apply(&mut self.address));
        note("safe_contact_instructions", safe_contact_instructions.apply(&mut self.safe_contact_instructions));
        Ok(changed)
    }

    /// The identity as shown to whoever may have it.
    pub fn view(&self, victim_id: VictimId, version: i64, updated_at: Timestamp) -> VictimIdentityView {
        let Self {
            given_names,
            paternal_surname,
            maternal_surname,
            other_names,
            birth_date,
            documents,
            contacts,
            address,
            safe_contact_instructions,
        } = self.clone();
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
        }
    }
}

/// Reads documents; numbers of known schemes are checked and brought to normal form.
fn read_documents(given: Vec<DocumentInput>, law: &Catalogue, at: &str, faults: &mut Vec<Fault>) -> Vec<Document> {
    if given.len() > 10 {
        faults.push(Fault::body(format!("{at}/documents"), FaultCode::MaxItems));
    }
    let mut documents = Vec::new();
    for (index, DocumentInput { kind, country, number }) in given.into_iter().enumerate() {
        let at = format!("{at}/documents/{index}");
        if !law.has_code("document_type", &kind) {
            faults.push(Fault::body(format!("{at}/type"), FaultCode::Enum));
        }
        if !law.country_known(&country) {
            faults.push(Fault::body(format!("{at}/country"), FaultCode::Enum));
        }
        length(&number.0, 40, format!("{at}/number"), faults);
        let scheme = match (country.as_str(), kind.as_str()) {
            ("PE", "national_id") => Some("PE-DNI"),
            ("PE", "foreign_card") => Some("PE-CE"),
            ("PE", "passport") => Some("PE-PASSPORT"),
            ("PE", "temporary_permit") => Some("PE-PTP"),
            _ => None,
        };
        let normal_form = match scheme.and_then(|s| law.scheme(s)) {
            None => number.0.trim().to_uppercase(),
            Some(scheme) => match scheme.normalise(&number.0) {
                Ok(normal) => normal,
                Err(_) => {
                    faults.push(Fault::body(format!("{at}/number"), FaultCode::Pattern));
                    continue;
                }
            },
        };
        documents.push(Document { kind, country, number, normal_form: Pii(normal_form) });
    }
    documents
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
        };
        detail.check(law, &at, &mut faults);
        let part =
            Part { status: status.unwrap_or_else(|| "presumed".to_owned()), acts, means, purposes, recruitment, control };
        part.check(law, &detail, &at, &mut faults);
        let mut identity = Identity::default();
        if let Some(given) = given_identity
            && let Err(more) = identity.amend(given, law, &format!("{at}/identity"))
        {
            faults.extend(more);
        }
        let id = VictimId::generate(act.now, Bucket::random());
        let victim = Victim {
            id,
            version: 1,
            code: crate::kernel::code::person_reference("V"),
            detail,
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
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
        no_faults(faults)?;
        if !changed.is_empty() {
            self.version += 1;
            self.updated_at = act.now;
        }
        Ok(changed)
    }

    /// The victim as shown.
    pub fn view(&self) -> VictimView {
        let Self { id, version, code, detail, created_at, created_by_agency, updated_at } = self;
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
        no_faults(faults)?;
        if !changed.is_empty() {
            self.version += 1;
            self.updated_at = act.now;
        }
        Ok(changed)
    }

    /// The part and the person as shown.
    pub fn view(&self) -> CaseVictimView {
        let Part { status, acts, means, purposes, recruitment, control } = self.part.clone();
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

fn length(text: &str, max: usize, at: String, faults: &mut Vec<Fault>) {
    if text.trim().is_empty() {
        faults.push(Fault::body(at, FaultCode::MinLength));
    } else if text.chars().count() > max {
        faults.push(Fault::body(at, FaultCode::MaxLength));
    }
}
