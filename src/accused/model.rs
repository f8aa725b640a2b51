//! Accused persons and the rules about them. Pure.

use serde::{Deserialize, Serialize};

use super::wire::{AccusedCreate, AccusedView};
use crate::act::Act;
use crate::kernel::ids::{AccusedId, CaseId};
use crate::kernel::{AgencyCode, Bucket, Fault, FaultCode, Timestamp};

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
}

/// Checks the accused of a request; every fault at once, with pointers under `at`.
pub fn prepare(given: Vec<AccusedCreate>, at: &str, act: &Act, _case: CaseId) -> (Vec<PreparedAccused>, Vec<Fault>) {
    let law = act.catalogue.as_ref();
    let mut faults = Vec::new();
    let mut prepared: Vec<PreparedAccused> = Vec::with_capacity(given.len());
    for (index, new) in given.into_iter().enumerate() {
        let at = format!("{at}/{index}");
        let AccusedCreate { label, kind, sex, age_band, nationalities, occupation } = new;
        if label.is_some() && prepared.iter().any(|p| p.label == label) {
            faults.push(Fault::body(format!("{at}/label"), FaultCode::UniqueItems));
        }
        let detail = AccusedDetail {
            kind,
            sex: sex.unwrap_or_else(|| "unknown".to_owned()),
            age_band: age_band.unwrap_or_else(|| "unknown".to_owned()),
            nationalities,
            occupation,
        };
        let lists = [
            ("kind", "accused_kind", &detail.kind),
            ("sex", "sex", &detail.sex),
            ("age_band", "age_band", &detail.age_band),
        ];
        for (name, list, code) in lists {
            if !law.has_code(list, code) {
                faults.push(Fault::body(format!("{at}/{name}"), FaultCode::Enum));
            }
        }
        for (n, country) in detail.nationalities.iter().enumerate() {
            if !law.country_known(country) {
                faults.push(Fault::body(format!("{at}/nationalities/{n}"), FaultCode::Enum));
            }
        }
        let id = AccusedId::generate(act.now, Bucket::random());
        let accused = Accused {
            id,
            version: 1,
            code: crate::kernel::code::person_reference("A"),
            detail,
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
        };
        prepared.push(PreparedAccused { label, id, accused });
    }
    (prepared, faults)
}

impl Accused {
    /// The accused as shown.
    pub fn view(&self) -> AccusedView {
        let Self { id, version, code, detail, created_at, created_by_agency, updated_at } = self.clone();
        let AccusedDetail { kind, sex, age_band, nationalities, occupation } = detail;
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
        }
    }
}
