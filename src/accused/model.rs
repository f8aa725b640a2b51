//! Accused persons and the rules about them. Pure.

use serde::{Deserialize, Serialize};

use super::wire::{AccusedCreate, AccusedIdentityInput, AccusedIdentityView, AccusedPatch, AccusedView};
use crate::act::Act;
use crate::catalogue::{Catalogue, WrittenUnder, keep_standing_codes};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AccusedId, CaseId};
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Field, Result, Timestamp};
use crate::persons::{Identity, IdentityPatch};

/// What is known of an accused person. One document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccusedDetail {
    /// Kind.
    pub kind: String,
    /// Sex.
    pub sex: String,
    /// Age band.
    pub age_band: String,
    /// Nationalities.
    pub nationalities: Vec<String>,
    /// Trade or profession.
    pub occupation: Option<String>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

impl AccusedDetail {
    fn check(&self, law: &Catalogue, at: &str, faults: &mut Vec<Fault>) {
        let lists =
            [("kind", "accused_kind", &self.kind), ("sex", "sex", &self.sex), ("age_band", "age_band", &self.age_band)];
        for (name, list, code) in lists {
            if !law.has_code(list, code) {
                faults.push(Fault::body(format!("{at}/{name}"), FaultCode::Enum));
            }
        }
        if self.nationalities.len() > 5 {
            faults.push(Fault::body(format!("{at}/nationalities"), FaultCode::MaxItems));
        }
        for (n, country) in self.nationalities.iter().enumerate() {
            if !law.country_known(country) {
                faults.push(Fault::body(format!("{at}/nationalities/{n}"), FaultCode::Enum));
            }
        }
        if self.occupation.as_ref().is_some_and(|o| o.trim().is_empty() || o.chars().count() > 120) {
            faults.push(Fault::body(format!("{at}/occupation"), FaultCode::MaxLength));
        }
    }
}

/// An accused person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accused {
    /// The accused.
    pub id: AccusedId,
    /// Version.
    pub version: i64,
    /// Speakable reference.
    pub code: String,
    /// What is known.
    pub detail: AccusedDetail,
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
    pub id: AccusedId,
    /// Its version.
    pub version: i64,
}

/// An accused checked and ready to insert.
#[derive(Clone, Debug)]
pub struct PreparedAccused {
    /// The name within the request.
    pub label: Option<String>,
    /// The accused.
    pub id: AccusedId,
    /// The person.
    pub accused: Accused,
    /// Who it is.
    pub identity: Identity,
}

/// Checks the accused of a request; every fault at once, with pointers under `at`.
pub fn prepare(given: Vec<AccusedCreate>, at: &str, act: &Act, _case: CaseId) -> (Vec<PreparedAccused>, Vec<Fault>) {
    let law = act.catalogue.as_ref();
    let mut faults = Vec::new();
    let mut prepared: Vec<PreparedAccused> = Vec::with_capacity(given.len());
    for (index, new) in given.into_iter().enumerate() {
        let at = format!("{at}/{index}");
        let AccusedCreate { label, kind, sex, age_band, nationalities, occupation, identity: given } = new;
        if label.is_some() && prepared.iter().any(|p| p.label == label) {
            faults.push(Fault::body(format!("{at}/label"), FaultCode::UniqueItems));
        }
        let detail = AccusedDetail {
            kind,
            sex: sex.unwrap_or_else(|| "unknown".to_owned()),
            age_band: age_band.unwrap_or_else(|| "unknown".to_owned()),
            nationalities,
            occupation,
            written_under: WrittenUnder::new(law),
        };
        detail.check(law, &at, &mut faults);
        let mut identity = Identity::default();
        if let Some(given) = given
            && let Err(more) = amend_identity(&mut identity, given, &detail.kind, law, &format!("{at}/identity"))
        {
            faults.extend(more);
        }
        let id: AccusedId = act.person_id();
        let accused = Accused {
            id,
            version: 1,
            code: act.person_reference("A"),
            detail,
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
            merged_into: None,
        };
        prepared.push(PreparedAccused { label, id, accused, identity });
    }
    (prepared, faults)
}

/// Changes who an accused of this kind is; answers the pointers that changed, or every fault under `at`.
pub fn amend_identity(
    identity: &mut Identity,
    input: AccusedIdentityInput,
    kind: &str,
    law: &Catalogue,
    at: &str,
) -> Result<Vec<String>, Vec<Fault>> {
    let AccusedIdentityInput {
        given_names,
        paternal_surname,
        maternal_surname,
        legal_name,
        other_names,
        birth_date,
        documents,
        contacts,
        address,
        extensions,
    } = input;
    // A company has no birthday, and a person no registered name.
    let legal = kind == "legal_person";
    let strange = [
        ("given_names", legal && given_names.value().is_some()),
        ("paternal_surname", legal && paternal_surname.value().is_some()),
        ("maternal_surname", legal && maternal_surname.value().is_some()),
        ("birth_date", legal && birth_date.value().is_some()),
        ("legal_name", !legal && legal_name.value().is_some()),
    ];
    let mut faults: Vec<Fault> = strange
        .into_iter()
        .filter(|(_, wrong)| *wrong)
        .map(|(name, _)| Fault::body(format!("{at}/{name}"), FaultCode::CrossField))
        .collect();
    let patch = IdentityPatch {
        given_names,
        paternal_surname,
        maternal_surname,
        legal_name,
        other_names,
        birth_date,
        documents,
        contacts,
        address,
        safe_contact_instructions: Field::Absent,
        extensions,
    };
    let mut next = identity.clone();
    match next.amend(patch, law, at) {
        Ok(changed) if faults.is_empty() => {
            *identity = next;
            Ok(changed)
        }
        Ok(_) => Err(faults),
        Err(more) => {
            faults.extend(more);
            Err(faults)
        }
    }
}

/// The identity of an accused as shown to whoever may have it.
pub fn identity_view(
    identity: &Identity,
    accused_id: AccusedId,
    version: i64,
    updated_at: Timestamp,
) -> AccusedIdentityView {
    let Identity {
        given_names,
        paternal_surname,
        maternal_surname,
        legal_name,
        other_names,
        birth_date,
        documents,
        contacts,
        address,
        // Of victims only.
        safe_contact_instructions: _,
        extensions,
    } = identity.clone();
    AccusedIdentityView {
        accused_id,
        version,
        updated_at,
        given_names,
        paternal_surname,
        maternal_surname,
        legal_name,
        other_names,
        birth_date,
        documents,
        contacts,
        address,
        extensions,
    }
}

impl Accused {
    /// Applies a patch; answers the pointers that changed.
    pub fn amend(&mut self, patch: AccusedPatch, act: &Act) -> Result<Vec<String>> {
        let AccusedPatch { kind, sex, age_band, nationalities, occupation } = patch;
        let mut faults = Vec::new();
        if matches!(kind, Field::Null) {
            faults.push(Fault::body("/kind", FaultCode::Required));
        }
        let detail = &mut self.detail;
        let unchanged_kind = detail.kind.clone();
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        note("kind", kind.apply_or(&mut detail.kind, unchanged_kind));
        note("sex", sex.apply_or(&mut detail.sex, "unknown".to_owned()));
        note("age_band", age_band.apply_or(&mut detail.age_band, "unknown".to_owned()));
        note("nationalities", nationalities.apply_or(&mut detail.nationalities, Vec::new()));
        note("occupation", occupation.apply(&mut detail.occupation));
        detail.check(&act.catalogue, "", &mut faults);
        keep_standing_codes(&mut faults, &changed);
        no_faults(faults)?;
        if !changed.is_empty() {
            self.detail.written_under.note(&act.catalogue, &changed);
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

    /// The accused as shown.
    pub fn view(&self) -> AccusedView {
        let Self { id, version, code, detail, created_at, created_by_agency, updated_at, merged_into } = self.clone();
        let AccusedDetail { kind, sex, age_band, nationalities, occupation, written_under: _ } = detail;
        AccusedView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency,
            code,
            kind,
            sex,
            age_band,
            nationalities,
            occupation,
            merged_into: merged_into.map(|survivor| survivor.id),
        }
    }
}
