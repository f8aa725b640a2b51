//! The agency and its rules. Pure: no I/O, no clock.

use aws_lc_rs::digest;
use chrono::{Datelike, NaiveDate};
use serde::{Deserialize, Serialize};
use uuid::Builder;

use super::wire::{AgencyCreate, AgencyNames, AgencyPatch, AgencyView};
use crate::act::Act;
use crate::cases::sections::repeated;
use crate::catalogue::Catalogue;
use crate::kernel::ids::ResourceId;
use crate::kernel::time::YEARS;
use crate::kernel::{AgencyCode, Fault, FaultCode, Field, Timestamp};

/// An agency.
#[derive(Clone, Debug, PartialEq)]
pub struct Agency {
    /// Its code.
    pub code: AgencyCode,
    /// Version.
    pub version: i64,
    /// Code list `agency_kind`.
    pub kind: String,
    /// ISO 3166-1 alpha-2; none for international bodies.
    pub country: Option<String>,
    /// UBIGEO prefix.
    pub territory: Option<String>,
    /// The agency that it is part of.
    pub parent: Option<AgencyCode>,
    /// Whether it supervises.
    pub oversight: bool,
    /// Everything else.
    pub detail: AgencyDetail,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What no list filters by. Stored as one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AgencyDetail {
    /// Its names.
    pub names: AgencyNames,
    /// What can be asked of it.
    pub services: Vec<String>,
    /// First day of its activity.
    pub active_from: Option<NaiveDate>,
    /// Last day of its activity.
    pub active_to: Option<NaiveDate>,
}

impl AgencyDetail {
    /// Whether it is active on a day.
    pub fn active_on(&self, day: NaiveDate) -> bool {
        self.active_from.is_none_or(|from| from <= day) && self.active_to.is_none_or(|to| day <= to)
    }
}

/// The id under which the ledger keeps an agency: its code, hashed (RFC 9562 §5.8, a version 8 UUID). The
/// ledger knows resources by id, and the code is the only one that an agency has.
pub fn ledger_id(code: &AgencyCode) -> ResourceId {
    let hash = digest::digest(&digest::SHA256, format!("agency:{code}").as_bytes());
    let mut bytes = [0_u8; 16];
    for (byte, hashed) in bytes.iter_mut().zip(hash.as_ref()) {
        *byte = *hashed;
    }
    ResourceId::from_uuid(Builder::from_custom_bytes(bytes).into_uuid())
}

impl Agency {
    /// An agency from a request, with the faults that show without the store: the parent is looked up by the
    /// action.
    pub fn register(new: AgencyCreate, act: &Act) -> (Self, Vec<Fault>) {
        let AgencyCreate { code, names, kind, country, territory, parent, oversight, services, active_from, active_to } =
            new;
        let agency = Self {
            code,
            version: 1,
            kind,
            country,
            territory,
            parent,
            oversight,
            detail: AgencyDetail { names, services, active_from, active_to },
            created_at: act.now,
            updated_at: act.now,
        };
        let mut faults = Vec::new();
        agency.check(&act.catalogue, &mut faults);
        (agency, faults)
    }

    /// Applies a patch; answers the pointers that changed and the faults. The version grows only if something
    /// changed.
    pub fn amend(&mut self, patch: AgencyPatch, act: &Act) -> (Vec<String>, Vec<Fault>) {
        let AgencyPatch { names, kind, territory, parent, oversight, services, active_from, active_to } = patch;
        let mut faults = Vec::new();
        let mut changed = Vec::new();
        let detail = &mut self.detail;
        let mut note = |pointer: &str, did: bool| {
            if did {
                changed.push(format!("#{pointer}"));
            }
        };
        note("/names", set(&mut detail.names, names, "/names", &mut faults));
        note("/kind", set(&mut self.kind, kind, "/kind", &mut faults));
        note("/territory", territory.apply(&mut self.territory));
        note("/parent", parent.apply(&mut self.parent));
        note("/oversight", oversight.apply_or(&mut self.oversight, false));
        note("/services", services.apply_or(&mut detail.services, Vec::new()));
        note("/active_from", active_from.apply(&mut detail.active_from));
        note("/active_to", active_to.apply(&mut detail.active_to));
        self.check(&act.catalogue, &mut faults);
        if !changed.is_empty() {
            self.version += 1;
            self.updated_at = act.now;
        }
        (changed, faults)
    }

    fn check(&self, law: &Catalogue, faults: &mut Vec<Fault>) {
        let mut fault = |pointer: String, code| faults.push(Fault::body(pointer, code));
        let AgencyDetail { names, services, active_from, active_to } = &self.detail;
        for (lang, name) in [("es", &names.es), ("en", &names.en), ("fr", &names.fr)] {
            if name.trim().is_empty() {
                fault(format!("/names/{lang}"), FaultCode::MinLength);
            } else if name.chars().count() > 200 {
                fault(format!("/names/{lang}"), FaultCode::MaxLength);
            }
        }
        if !law.has_code("agency_kind", &self.kind) {
            fault("/kind".to_owned(), FaultCode::Enum);
        }
        if self.country.as_ref().is_some_and(|c| !law.country_known(c)) {
            fault("/country".to_owned(), FaultCode::Enum);
        }
        if self.territory.as_ref().is_some_and(|t| !law.territory_known(t)) {
            fault("/territory".to_owned(), FaultCode::Enum);
        }
        if self.parent.as_ref() == Some(&self.code) {
            fault("/parent".to_owned(), FaultCode::CrossField);
        }
        for (index, service) in services.iter().enumerate() {
            if !law.has_code("service", service) {
                fault(format!("/services/{index}"), FaultCode::Enum);
            }
        }
        for index in repeated(services) {
            fault(format!("/services/{index}"), FaultCode::UniqueItems);
        }
        if services.len() > 20 {
            fault("/services".to_owned(), FaultCode::MaxItems);
        }
        for (pointer, day) in [("/active_from", active_from), ("/active_to", active_to)] {
            if day.is_some_and(|d| !YEARS.contains(&d.year())) {
                fault(pointer.to_owned(), FaultCode::Format);
            }
        }
        if let (Some(from), Some(to)) = (active_from, active_to)
            && to < from
        {
            fault("/active_to".to_owned(), FaultCode::DateOrder);
        }
    }

    /// The agency, named in a language: `es`, `en` or `fr`.
    pub fn view(&self, lang: &str) -> AgencyView {
        let Self { code, version, kind, country, territory, parent, oversight, detail, created_at, updated_at } =
            self.clone();
        let AgencyDetail { names, services, active_from, active_to } = detail;
        let name = match lang {
            "en" => names.en.clone(),
            "fr" => names.fr.clone(),
            _ => names.es.clone(),
        };
        AgencyView {
            code,
            version,
            created_at,
            updated_at,
            name,
            names,
            kind,
            country,
            territory,
            parent,
            oversight,
            services,
            active_from,
            active_to,
        }
    }
}

fn set<T: PartialEq>(target: &mut T, field: Field<T>, pointer: &str, faults: &mut Vec<Fault>) -> bool {
    match field {
        Field::Absent => false,
        Field::Null => {
            faults.push(Fault::body(pointer, FaultCode::Required));
            false
        }
        Field::Set(value) => {
            let changed = *target != value;
            *target = value;
            changed
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn an_agency_is_active_from_its_first_day_to_its_last() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let names = AgencyNames { es: "a".into(), en: "a".into(), fr: "a".into() };
        let detail = AgencyDetail {
            names,
            services: vec![],
            active_from: Some(day("2020-01-01")),
            active_to: Some(day("2021-01-01")),
        };
        for (at, active) in [("2019-12-31", false), ("2020-01-01", true), ("2021-01-01", true), ("2021-01-02", false)] {
            assert_eq!(detail.active_on(day(at)), active, "{at}");
        }
    }

    #[test]
    fn the_ledger_knows_an_agency_by_its_code_alone() {
        let code = |text: &str| AgencyCode::parse(text).unwrap();
        assert_eq!(ledger_id(&code("PE-MP")), ledger_id(&code("PE-MP")));
        assert_ne!(ledger_id(&code("PE-MP")), ledger_id(&code("PE-PNP")));
        assert_eq!(ledger_id(&code("PE-MP")).uuid().get_version_num(), 8);
    }
}
