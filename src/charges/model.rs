//! Charges and the rules about them. Pure.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::verdicts::{Reparation, Verdict, reparation_faults};
use super::wire::{ChargePatch, ChargeView, InlineChargeCreate, Recharacterisation};
use crate::act::Act;
use crate::cases::{Section, Sight};
use crate::catalogue::{Catalogue, OffenceFault, OffenceVersion, Penalty, WrittenUnder, keep_standing_codes};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AccusedId, CaseId, ChargeId, VictimId};
use crate::kernel::{AgencyCode, Fault, FaultCode, Field, Result, Timestamp};
use crate::persons::merge_wire::MergedRecord;

/// What no list filters by. One document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeDetail {
    /// The article's number on the day of the facts.
    pub article: String,
    /// Role.
    pub role: String,
    /// Incisos.
    pub aggravators: Vec<String>,
    /// The victims concerned.
    pub victims: Vec<VictimId>,
    /// What it was before.
    #[serde(default)]
    pub recharacterisations: Vec<Recharacterisation>,
    /// What courts decided, first instance first.
    #[serde(default)]
    pub verdicts: Vec<Verdict>,
    /// Civil reparation as it stands.
    #[serde(default)]
    pub reparation: Vec<Reparation>,
    /// The charge of another file that this one was.
    #[serde(default)]
    pub continues: Option<ChargeId>,
    /// The charge of another file that this one became.
    #[serde(default)]
    pub continued_as: Option<ChargeId>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// A charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The charge.
    pub id: ChargeId,
    /// Version.
    pub version: i64,
    /// The case.
    pub case: CaseId,
    /// The accused.
    pub accused: AccusedId,
    /// Offence.
    pub offence_code: String,
    /// Its version.
    pub offence_version: String,
    /// State.
    pub state: String,
    /// Everything else.
    pub detail: ChargeDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by_agency: AgencyCode,
    /// When last changed.
    pub updated_at: Timestamp,
    /// Of the records that it names, those that were merged away; filled where it is read to be shown.
    pub merged: Vec<MergedRecord>,
}

/// A charge before it is known whether it may be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The accused.
    pub accused: AccusedId,
    /// Offence.
    pub offence_code: String,
    /// The article as the file names it.
    pub article: Option<String>,
    /// Role.
    pub role: String,
    /// Incisos.
    pub aggravators: Vec<String>,
    /// The victims concerned.
    pub victims: Vec<VictimId>,
}

impl Draft {
    /// The offence as it stood on the day of the facts; every fault at once, with pointers under `at`.
    fn qualify<'l>(
        &self,
        law: &'l Catalogue,
        at: &str,
        fact_date: NaiveDate,
        faults: &mut Vec<Fault>,
    ) -> Option<&'l OffenceVersion> {
        let Self { accused: _, offence_code, article, role, aggravators, victims: _ } = self;
        if !law.has_code("role", role) {
            faults.push(Fault::body(format!("{at}/role"), FaultCode::Enum));
        }
        // Unknown, or no offence on the day of the facts: nobody is charged under a later law.
        let version = match law.offence_on(offence_code, fact_date) {
            Ok(version) => version,
            Err(why) => {
                let fault = Fault::body(format!("{at}/offence_code"), FaultCode::Enum);
                faults.push(match why {
                    OffenceFault::Unknown => fault,
                    // ISO 8601: from that day on.
                    OffenceFault::NotInForce { first_from } => fault.expecting(format!("{first_from}/..")),
                });
                return None;
            }
        };
        if article.as_ref().is_some_and(|given| !version.is_article(given)) {
            faults.push(Fault::body(format!("{at}/article"), FaultCode::CrossField).expecting(&version.article));
        }
        if aggravators.len() > 30 {
            faults.push(Fault::body(format!("{at}/aggravators"), FaultCode::MaxItems));
        }
        for (index, aggravator) in aggravators.iter().enumerate() {
            if !law.aggravator_allowed(offence_code, fact_date, aggravator) {
                faults.push(Fault::body(format!("{at}/aggravators/{index}"), FaultCode::Enum));
            } else if aggravators.iter().take(index).any(|a| a == aggravator) {
                faults.push(Fault::body(format!("{at}/aggravators/{index}"), FaultCode::UniqueItems));
            }
        }
        Some(version)
    }
}

/// Faults of the victims of a charge: each once, and all of them of the case.
pub fn victim_faults(given: &[VictimId], known: &[VictimId], at: &str, faults: &mut Vec<Fault>) {
    if given.len() > 200 {
        faults.push(Fault::body(format!("{at}/victims"), FaultCode::MaxItems));
    }
    for (index, victim) in given.iter().enumerate() {
        if !known.contains(victim) {
            faults.push(Fault::body(format!("{at}/victims/{index}"), FaultCode::ReferenceNotFound));
        } else if given.iter().take(index).any(|v| v == victim) {
            faults.push(Fault::body(format!("{at}/victims/{index}"), FaultCode::UniqueItems));
        }
    }
}

impl Charge {
    /// Makes a charge; every fault at once, with pointers under `at`.
    pub fn make(
        draft: Draft,
        at: &str,
        act: &Act,
        case: CaseId,
        fact_date: NaiveDate,
        state: &str,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let version = draft.qualify(&act.catalogue, at, fact_date, faults)?;
        let (offence_version, article) = (version.version.clone(), version.article.clone());
        let Draft { accused, offence_code, article: _, role, aggravators, victims } = draft;
        Some(Self {
            id: act.id(case.bucket()),
            version: 1,
            case,
            accused,
            offence_version,
            offence_code,
            state: state.to_owned(),
            detail: ChargeDetail {
                article,
                role,
                aggravators,
                victims,
                recharacterisations: Vec::new(),
                verdicts: Vec::new(),
                reparation: Vec::new(),
                continues: None,
                continued_as: None,
                written_under: WrittenUnder::new(&act.catalogue),
            },
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
            merged: Vec::new(),
        })
    }

    /// Applies a patch; answers the pointers that changed. `known` are the victims of the case.
    pub fn amend(&mut self, patch: ChargePatch, act: &Act, fact_date: NaiveDate, known: &[VictimId]) -> Result<Vec<String>> {
        let ChargePatch { offence_code, role, aggravators, victims, reparation } = patch;
        let mut faults = Vec::new();
        if let Field::Set(given) = &reparation {
            reparation_faults(&act.catalogue, given, "/reparation", &mut faults);
        }
        for (name, field) in [("offence_code", &offence_code), ("role", &role)] {
            if matches!(field, Field::Null) {
                faults.push(Fault::body(format!("/{name}"), FaultCode::Required));
            }
        }
        let mut draft = Draft {
            accused: self.accused,
            offence_code: self.offence_code.clone(),
            article: None,
            role: self.detail.role.clone(),
            aggravators: self.detail.aggravators.clone(),
            victims: self.detail.victims.clone(),
        };
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        let recharacterised = offence_code.apply_or(&mut draft.offence_code, self.offence_code.clone());
        note("offence_code", recharacterised);
        note("role", role.apply_or(&mut draft.role, self.detail.role.clone()));
        note("aggravators", aggravators.apply_or(&mut draft.aggravators, Vec::new()));
        note("victims", victims.apply_or(&mut draft.victims, Vec::new()));
        let mut owed = self.detail.reparation.clone();
        note("reparation", reparation.apply_or(&mut owed, Vec::new()));
        victim_faults(&draft.victims, known, "", &mut faults);
        let version = draft.qualify(&act.catalogue, "", fact_date, &mut faults);
        // Incisos belong to an offence: they are looked at again with it.
        let written: Vec<String> =
            changed.iter().cloned().chain(recharacterised.then(|| "#/aggravators".to_owned())).collect();
        keep_standing_codes(&mut faults, &written);
        no_faults(faults)?;
        if changed.is_empty() {
            return Ok(changed);
        }
        let detail = &mut self.detail;
        detail.written_under.note(&act.catalogue, &written);
        if recharacterised {
            detail.recharacterisations.push(Recharacterisation {
                offence_code: self.offence_code.clone(),
                offence_version: self.offence_version.clone(),
                article: detail.article.clone(),
                aggravators: detail.aggravators.clone(),
                until: act.now,
            });
        }
        if let Some(version) = version {
            self.offence_version.clone_from(&version.version);
            detail.article.clone_from(&version.article);
        }
        let Draft { accused: _, offence_code, article: _, role, aggravators, victims } = draft;
        self.offence_code = offence_code;
        detail.role = role;
        detail.aggravators = aggravators;
        detail.victims = victims;
        detail.reparation = owed;
        self.version += 1;
        self.updated_at = act.now;
        Ok(changed)
    }

    /// The prison term that the law allowed on the day of the facts: that of the gravest inciso, else the basic one.
    pub fn band(&self, law: &Catalogue, fact_date: NaiveDate) -> Option<Penalty> {
        let own = law.offence_on(&self.offence_code, fact_date).ok()?;
        let versions = || law.offences().iter().filter_map(|o| o.version_on(fact_date).ok());
        let gravest = self
            .detail
            .aggravators
            .iter()
            .filter_map(|code| {
                let (version, list) =
                    versions().find_map(|v| v.aggravators.iter().find(|a| a.code == *code).map(|a| (v, a.list)))?;
                version.bands.iter().find(|b| Some(b.list) == list)
            })
            .max_by_key(|band| (band.min_months, band.max_months))
            .map(|band| Penalty { min_months: band.min_months, max_months: band.max_months });
        gravest.or(own.base).or_else(|| {
            // An article that has only aggravated forms, charged without its inciso: anything between them.
            let min_months = own.bands.iter().map(|b| b.min_months).min()?;
            let max_months = own.bands.iter().map(|b| b.max_months).max()?;
            Some(Penalty { min_months, max_months })
        })
    }

    /// The charge as somebody with this sight may see it.
    pub fn view(&self, sight: &Sight) -> ChargeView {
        let Self {
            id,
            version,
            case,
            accused,
            offence_code,
            offence_version,
            state,
            detail,
            created_at,
            created_by_agency,
            updated_at,
            merged,
        } = self.clone();
        let ChargeDetail {
            article,
            role,
            aggravators,
            victims,
            recharacterisations,
            verdicts,
            reparation,
            continues,
            continued_as,
            written_under: _,
        } = detail;
        let (sees_accused, sees_victims) = (sight.sees(Section::Accused), sight.sees(Section::Victims));
        let mut redacted = Vec::new();
        if !sees_accused {
            redacted.push("#/accused_id".to_owned());
        }
        let shown: Vec<VictimId> = victims.iter().copied().filter(|v| sight.sees_victim(*v)).collect();
        if !sees_victims || shown.len() != victims.len() {
            redacted.push("#/victims".to_owned());
        }
        let named = |one: &MergedRecord| {
            (sees_accused && accused.erase() == one.record_id) || shown.iter().any(|v| v.erase() == one.record_id)
        };
        let merged = merged.into_iter().filter(named).collect();
        ChargeView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency,
            case_id: case,
            accused_id: sees_accused.then_some(accused),
            offence_code,
            offence_version,
            article,
            role,
            aggravators,
            state,
            victims: sees_victims.then_some(shown),
            recharacterisations,
            verdict: verdicts.last().cloned(),
            reparation,
            continues,
            continued_as,
            merged,
            redacted,
        }
    }
}

/// Checks the charges of a new case; labels stand for the persons of the same request.
pub fn prepare(
    given: Vec<InlineChargeCreate>,
    at: &str,
    act: &Act,
    case: CaseId,
    (fact_date, state): (NaiveDate, &str),
    accused: &[(Option<String>, AccusedId)],
    victims: &[(Option<String>, VictimId)],
) -> (Vec<Charge>, Vec<Fault>) {
    let mut faults = Vec::new();
    let mut charges = Vec::new();
    for (index, new) in given.into_iter().enumerate() {
        let at = format!("{at}/{index}");
        let InlineChargeCreate { accused: label, offence_code, article, role, aggravators, victims: labels } = new;
        let person = accused.iter().find(|(l, _)| l.as_ref() == Some(&label)).map(|(_, id)| *id);
        if person.is_none() {
            faults.push(Fault::body(format!("{at}/accused"), FaultCode::ReferenceNotFound));
        }
        let mut concerned = Vec::new();
        for (n, label) in labels.iter().enumerate() {
            match victims.iter().find(|(l, _)| l.as_ref() == Some(label)) {
                Some((_, victim)) => concerned.push(*victim),
                None => faults.push(Fault::body(format!("{at}/victims/{n}"), FaultCode::ReferenceNotFound)),
            }
        }
        let Some(accused) = person else { continue };
        let draft = Draft { accused, offence_code, article, role, aggravators, victims: concerned };
        charges.extend(Charge::make(draft, &at, act, case, fact_date, state, &mut faults));
    }
    (charges, faults)
}
