//! The case and its rules. Pure: no I/O, no clock.

use serde::{Deserialize, Serialize};

use super::docket::{Listing, Sight};
use super::sections::Section;
use super::wire::{CaseCreate, CasePatch, CaseView, Identifier, IdentifierInput};
use crate::act::Act;
use crate::catalogue::{Catalogue, SchemeFault, WrittenUnder, keep_standing_codes};
use crate::extensions::{self, Extension};
use crate::kernel::ids::CaseId;
use crate::kernel::{AgencyCode, Day, Error, Fault, FaultCode, Field, PartialDate, Result, Timestamp};

/// A case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// The case.
    pub id: CaseId,
    /// Version.
    pub version: i64,
    /// Speakable reference.
    pub code: String,
    /// Whose it is.
    pub owner: AgencyCode,
    /// Whose law.
    pub jurisdiction: String,
    /// Code of procedure.
    pub procedural_code: String,
    /// Stage, a code of the profile.
    pub stage: String,
    /// When the authority learnt of it.
    pub reported_at: Timestamp,
    /// UBIGEO.
    pub territory: Option<String>,
    /// The owner's own key.
    pub external_ref: Option<String>,
    /// Everything else.
    pub detail: CaseDetail,
    /// When it was registered.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by_agency: AgencyCode,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// What no list filters or sorts by. Stored as one document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CaseDetail {
    /// File numbers.
    pub identifiers: Vec<Identifier>,
    /// Title.
    pub title: String,
    /// Summary.
    pub summary: Option<String>,
    /// Report channel.
    pub report_channel: String,
    /// First day of the facts.
    pub facts_from: Option<PartialDate>,
    /// Guessed?
    pub facts_from_estimated: bool,
    /// Last day of the facts.
    pub facts_to: Option<PartialDate>,
    /// Guessed?
    pub facts_to_estimated: bool,
    /// Reach.
    pub scope: Option<String>,
    /// Forms of exploitation.
    pub exploitation: Vec<String>,
    /// Complexity.
    pub complexity: String,
    /// What another system says of the case and has no field here.
    #[serde(default)]
    pub extensions: Vec<Extension>,
    /// The legal day from which the terms of the stage run: that of the report, then that of the act that entered it.
    pub stage_since: chrono::NaiveDate,
    /// Files before and after this one.
    #[serde(default)]
    pub chain: Chain,
    /// Since when nobody but the owner and oversight is let in.
    #[serde(default)]
    pub restricted_since: Option<Timestamp>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// Where a file comes from and where it goes on: joined, split, transferred.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chain {
    /// The file that this one was split or transferred from.
    pub continues: Option<CaseId>,
    /// The file in which this one goes on, whole.
    pub continued_in: Option<CaseId>,
    /// Files that were joined to this one.
    pub joined_from: Vec<CaseId>,
    /// Files that were split from this one.
    pub split_into: Vec<CaseId>,
}

/// Procedure where a request does not name one.
const DEFAULT_JURISDICTION: &str = "PE";
const DEFAULT_PROCEDURE: &str = "NCPP2004";

impl Case {
    /// Opens a case from a request; every fault at once. Persons and charges are their slices' business.
    pub fn open(new: &CaseCreate, act: &Act, id: CaseId) -> Result<Self, Vec<Fault>> {
        let law = act.catalogue.as_ref();
        let mut faults = Vec::new();
        let jurisdiction = new.jurisdiction.clone().unwrap_or_else(|| DEFAULT_JURISDICTION.to_owned());
        let procedural_code = new.procedural_code.clone().unwrap_or_else(|| DEFAULT_PROCEDURE.to_owned());
        let stage_since = law.calendar(&jurisdiction).day(new.reported_at);
        let stage = match law.profile(&jurisdiction, &procedural_code, stage_since) {
            Some(profile) => profile.initial_stage.clone(),
            None => {
                faults.push(Fault::body("/procedural_code", FaultCode::Enum));
                String::new()
            }
        };
        let case = Self {
            id,
            version: 1,
            code: act.reference("TP"),
            owner: act.agency().clone(),
            jurisdiction,
            procedural_code,
            stage,
            reported_at: new.reported_at,
            territory: new.territory.clone(),
            external_ref: new.external_ref.clone(),
            detail: CaseDetail {
                identifiers: identifiers(&new.identifiers, law, &mut faults),
                title: new.title.clone(),
                summary: new.summary.clone(),
                report_channel: new.report_channel.clone(),
                facts_from: new.facts_from,
                facts_from_estimated: new.facts_from_estimated,
                facts_to: new.facts_to,
                facts_to_estimated: new.facts_to_estimated,
                scope: new.scope.clone(),
                exploitation: new.exploitation.clone(),
                complexity: new.complexity.clone().unwrap_or_else(|| "simple".to_owned()),
                extensions: new.extensions.clone(),
                stage_since,
                chain: Chain::default(),
                restricted_since: None,
                written_under: WrittenUnder::new(law),
            },
            created_at: act.now,
            created_by_agency: act.agency().clone(),
            updated_at: act.now,
        };
        case.check(law, act.now, &mut faults);
        if faults.is_empty() { Ok(case) } else { Err(faults) }
    }

    /// Applies a patch; answers the pointers that changed. The version grows only if one did.
    pub fn amend(&mut self, patch: CasePatch, act: &Act) -> Result<Vec<String>> {
        let law = act.catalogue.as_ref();
        let mut faults = Vec::new();
        let mut changed = Vec::new();
        let CasePatch {
            identifiers: numbers,
            title,
            summary,
            reported_at,
            report_channel,
            facts_from,
            facts_from_estimated,
            facts_to,
            facts_to_estimated,
            territory,
            scope,
            exploitation,
            complexity,
            extensions,
        } = patch;
        let numbers = match numbers {
            Field::Absent => Field::Absent,
            Field::Null => Field::Null,
            Field::Set(list) => Field::Set(identifiers(&list, law, &mut faults)),
        };
        let detail = &mut self.detail;
        let mut note = |pointer: &str, did: bool| {
            if did {
                changed.push(format!("#{pointer}"));
            }
        };
        note("/identifiers", numbers.apply_or(&mut detail.identifiers, Vec::new()));
        note("/title", set(&mut detail.title, title, "/title", &mut faults));
        note("/summary", summary.apply(&mut detail.summary));
        note("/reported_at", set(&mut self.reported_at, reported_at, "/reported_at", &mut faults));
        note("/report_channel", set(&mut detail.report_channel, report_channel, "/report_channel", &mut faults));
        note("/facts_from", facts_from.apply(&mut detail.facts_from));
        note("/facts_from_estimated", facts_from_estimated.apply_or(&mut detail.facts_from_estimated, false));
        note("/facts_to", facts_to.apply(&mut detail.facts_to));
        note("/facts_to_estimated", facts_to_estimated.apply_or(&mut detail.facts_to_estimated, false));
        note("/territory", territory.apply(&mut self.territory));
        note("/scope", scope.apply(&mut detail.scope));
        note("/exploitation", exploitation.apply_or(&mut detail.exploitation, Vec::new()));
        note("/complexity", set(&mut detail.complexity, complexity, "/complexity", &mut faults));
        note("/extensions", extensions.apply_or(&mut detail.extensions, Vec::new()));
        self.check(law, act.now, &mut faults);
        keep_standing_codes(&mut faults, &changed);
        crate::kernel::error::no_faults(faults)?;
        if !changed.is_empty() {
            self.detail.written_under.note(law, &changed);
            let first = |p: &crate::catalogue::Profile| p.initial_stage == self.stage;
            if changed.iter().any(|c| c == "#/reported_at")
                && law.profile(&self.jurisdiction, &self.procedural_code, self.detail.stage_since).is_some_and(first)
            {
                self.detail.stage_since = law.calendar(&self.jurisdiction).day(self.reported_at);
            }
            self.version += 1;
            self.updated_at = act.now;
        }
        Ok(changed)
    }

    fn check(&self, law: &Catalogue, now: Timestamp, faults: &mut Vec<Fault>) {
        extensions::check(&self.detail.extensions, "/extensions", faults);
        let mut fault = |pointer: String, code| faults.push(Fault::body(pointer, code));
        let detail = &self.detail;
        for (pointer, list, code) in [
            ("/report_channel", "report_channel", Some(&detail.report_channel)),
            ("/scope", "scope", detail.scope.as_ref()),
            ("/complexity", "complexity", Some(&detail.complexity)),
        ] {
            if code.is_some_and(|c| !law.has_code(list, c)) {
                fault(pointer.to_owned(), FaultCode::Enum);
            }
        }
        for (index, form) in detail.exploitation.iter().enumerate() {
            if !law.has_code("exploitation", form) {
                fault(format!("/exploitation/{index}"), FaultCode::Enum);
            } else if detail.exploitation.iter().take(index).any(|f| f == form) {
                fault(format!("/exploitation/{index}"), FaultCode::UniqueItems);
            }
        }
        if detail.exploitation.len() > 20 {
            fault("/exploitation".to_owned(), FaultCode::MaxItems);
        }
        if self.territory.as_ref().is_some_and(|t| !law.territory_known(t)) {
            fault("/territory".to_owned(), FaultCode::Enum);
        }
        for (pointer, text, max) in [("/title", Some(&detail.title), 200), ("/summary", detail.summary.as_ref(), 10_000)] {
            if let Some(text) = text {
                if text.trim().is_empty() {
                    fault(pointer.to_owned(), FaultCode::MinLength);
                } else if text.chars().count() > max {
                    fault(pointer.to_owned(), FaultCode::MaxLength);
                }
            }
        }
        // A day of grace for clocks and time zones.
        let tomorrow = now.plus_seconds(86_400);
        if self.reported_at > tomorrow {
            fault("/reported_at".to_owned(), FaultCode::DateOrder);
        }
        if detail.facts_from.is_some_and(|d| d.earliest() > tomorrow.date()) {
            fault("/facts_from".to_owned(), FaultCode::DateOrder);
        }
        if let (Some(from), Some(to)) = (detail.facts_from, detail.facts_to)
            && to.latest() < from.earliest()
        {
            fault("/facts_to".to_owned(), FaultCode::DateOrder);
        }
    }

    /// The day that decides which version of an offence applies: the last day of the facts, else their first,
    /// else the report.
    pub fn fact_date(&self) -> chrono::NaiveDate {
        let detail = &self.detail;
        detail
            .facts_to
            .map(PartialDate::latest)
            .or(detail.facts_from.map(PartialDate::latest))
            .unwrap_or_else(|| self.reported_at.date())
            .min(self.reported_at.date())
    }

    /// Where its charges begin.
    pub fn initial_charge_state(&self, law: &Catalogue) -> Option<String> {
        law.profile(&self.jurisdiction, &self.procedural_code, self.detail.stage_since)
            .map(|p| p.initial_charge_state.clone())
    }

    /// Nothing is written to a file that goes on elsewhere.
    pub fn must_be_here(&self) -> Result<()> {
        if self.detail.chain.continued_in.is_some() {
            return Err(Error::StateConflict(vec!["case_continued".into()]));
        }
        Ok(())
    }

    /// What the docket repeats.
    pub fn listing(&self) -> Listing {
        Listing {
            case: self.id,
            owner: self.owner.clone(),
            stage: self.stage.clone(),
            territory: self.territory.clone(),
            exploitation: self.detail.exploitation.clone(),
            reported_at: self.reported_at,
            updated_at: self.updated_at,
        }
    }

    /// Claims that make its numbers and its key unique, with the pointer that each comes from.
    pub fn claims(&self) -> Vec<(String, Claimed)> {
        let mut claims: Vec<(String, Claimed)> = self
            .detail
            .identifiers
            .iter()
            .enumerate()
            .map(|(index, i)| (claim_of(&i.scheme, i.issuer.as_deref(), &i.normal_form), Claimed::Identifier(index)))
            .collect();
        if let Some(key) = &self.external_ref {
            claims.push((ref_claim(&self.owner, key), Claimed::ExternalRef));
        }
        // One order for everybody, so that two writers never wait for each other.
        claims.sort();
        claims
    }

    /// The case as somebody with this sight may see it.
    pub fn view(&self, sight: &Sight) -> CaseView {
        let Self {
            id,
            version,
            code,
            owner,
            jurisdiction,
            procedural_code,
            stage,
            reported_at,
            territory,
            external_ref,
            detail,
            created_at,
            created_by_agency,
            updated_at,
        } = self;
        let CaseDetail {
            identifiers,
            title,
            summary,
            report_channel,
            facts_from,
            facts_from_estimated,
            facts_to,
            facts_to_estimated,
            scope,
            exploitation,
            complexity,
            extensions,
            stage_since,
            chain: Chain { continues, continued_in, joined_from, split_into },
            restricted_since,
            written_under: _,
        } = detail;
        let numbers = sight.sees(Section::Identifiers);
        let narrative = sight.sees(Section::Narrative);
        let own = sight.must_own().is_ok();
        let mut redacted = Vec::new();
        for (granted, pointer) in [
            (own, "#/external_ref"),
            (numbers, "#/identifiers"),
            (narrative, "#/title"),
            (narrative, "#/summary"),
            (narrative, "#/extensions"),
        ] {
            if !granted {
                redacted.push(pointer.to_owned());
            }
        }
        CaseView {
            id: *id,
            version: *version,
            created_at: *created_at,
            updated_at: *updated_at,
            created_by_agency: created_by_agency.clone(),
            owner_agency: owner.clone(),
            code: code.clone(),
            external_ref: own.then(|| external_ref.clone()),
            identifiers: numbers.then(|| identifiers.clone()),
            jurisdiction: jurisdiction.clone(),
            procedural_code: procedural_code.clone(),
            stage: stage.clone(),
            stage_since: Day::from_date(*stage_since),
            complexity: complexity.clone(),
            title: narrative.then(|| title.clone()),
            summary: narrative.then(|| summary.clone()),
            reported_at: *reported_at,
            report_channel: report_channel.clone(),
            facts_from: *facts_from,
            facts_from_estimated: *facts_from_estimated,
            facts_to: *facts_to,
            facts_to_estimated: *facts_to_estimated,
            territory: territory.clone(),
            scope: scope.clone(),
            exploitation: exploitation.clone(),
            extensions: narrative.then(|| extensions.clone()),
            continues: *continues,
            continued_in: *continued_in,
            joined_from: joined_from.clone(),
            split_into: split_into.clone(),
            restricted_since: *restricted_since,
            redacted,
        }
    }
}

/// What a claim stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Claimed {
    /// The identifier at this index.
    Identifier(usize),
    /// The owner's own key.
    ExternalRef,
}

impl Claimed {
    /// The answer when somebody else holds it.
    pub fn taken(self) -> Error {
        match self {
            Self::ExternalRef => Error::ExternalRefTaken,
            Self::Identifier(index) => {
                Error::IdentifierTaken(vec![Fault::body(format!("/identifiers/{index}/value"), FaultCode::UniqueItems)])
            }
        }
    }
}

/// The claim text of an agency's own key.
pub fn ref_claim(owner: &AgencyCode, key: &str) -> String {
    format!("external_ref:case:{owner}:{key}")
}

/// The claim text of a file number.
pub fn claim_of(scheme: &str, issuer: Option<&str>, normal_form: &str) -> String {
    format!("case_identifier:{scheme}:{}:{normal_form}", issuer.unwrap_or(""))
}

fn identifiers(given: &[IdentifierInput], law: &Catalogue, faults: &mut Vec<Fault>) -> Vec<Identifier> {
    let mut known: Vec<Identifier> = Vec::with_capacity(given.len());
    if given.len() > 20 {
        faults.push(Fault::body("/identifiers", FaultCode::MaxItems));
    }
    for (index, input) in given.iter().enumerate() {
        let IdentifierInput { scheme: code, value, issuer } = input;
        let Some(scheme) = law.scheme(code).filter(|s| s.subject == "case") else {
            faults.push(Fault::body(format!("/identifiers/{index}/scheme"), FaultCode::Enum));
            continue;
        };
        let normal_form = match scheme.normalise(value) {
            Ok(normal) => normal,
            Err(SchemeFault::Pattern | SchemeFault::CheckDigit) => {
                faults.push(Fault::body(format!("/identifiers/{index}/value"), FaultCode::Pattern));
                continue;
            }
        };
        let identifier = Identifier { scheme: code.clone(), value: value.clone(), normal_form, issuer: issuer.clone() };
        let same = |k: &Identifier| {
            k.scheme == identifier.scheme && k.issuer == identifier.issuer && k.normal_form == identifier.normal_form
        };
        if known.iter().any(same) {
            faults.push(Fault::body(format!("/identifiers/{index}"), FaultCode::UniqueItems));
            continue;
        }
        known.push(identifier);
    }
    known
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
