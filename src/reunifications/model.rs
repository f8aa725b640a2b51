//! The reunification, its relatives and their rules. Pure: no I/O, no clock. The states are in `states.rs`.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::states::{State, Trigger};
use super::wire::{
    BeneficiaryCreate, BeneficiaryPatch, BeneficiaryTransitionCreate, BeneficiaryView, Escort, ReunificationCreate,
    ReunificationPatch, ReunificationView, Ticket,
};
use crate::act::Act;
use crate::catalogue::{WrittenUnder, keep_standing_codes};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{BeneficiaryId, ConsentId, ReunificationId, VictimId};
use crate::kernel::pii::Pii;
use crate::kernel::{AgencyCode, Day, Error, Fault, FaultCode, Result, Timestamp};
use crate::persons::erasure::is_reference;
use crate::programmes::check::Check;

/// Most relatives of one reunification.
pub const MOST: usize = 20;

/// A reunification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reunification {
    /// The record, in its victim's bucket.
    pub id: ReunificationId,
    /// Version.
    pub version: i64,
    /// Whom they join.
    pub victim: VictimId,
    /// Where.
    pub country: String,
    /// Who registered it.
    pub agency: AgencyCode,
    /// Who helps with visas and tickets.
    pub sponsor: Option<AgencyCode>,
    /// The consent on which it rests, if it is one.
    pub consent: Option<ConsentId>,
    /// Everything else.
    pub detail: ReunificationDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document; names and words are sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReunificationDetail {
    /// The victim's status in the country.
    pub host_status: Option<String>,
    /// On what it rests.
    pub legal_basis: Option<String>,
    /// Whether its consent was taken back: then it is nobody else's business any more.
    #[serde(default)]
    pub consent_withdrawn: bool,
    /// What there is to know.
    pub summary: Option<String>,
    /// The relatives.
    pub beneficiaries: Vec<Beneficiary>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// A relative.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beneficiary {
    /// Within the reunification, in its bucket.
    pub id: BeneficiaryId,
    /// What she or he is to the victim.
    pub relation: String,
    /// Sex.
    pub sex: Option<String>,
    /// Age when it was asked for.
    pub age: Option<i32>,
    /// The status to apply for.
    pub visa: Option<String>,
    /// State.
    pub state: State,
    /// Name.
    pub name: Option<Pii<String>>,
    /// Who travels with her or him.
    pub escort: Option<Escort>,
    /// Reference of the determination of the child's best interest.
    pub best_interest: Option<String>,
    /// Tickets.
    pub tickets: Vec<Ticket>,
    /// The day on which they came together.
    pub reunited_on: Option<Day>,
    /// The day of the last move.
    pub since: Option<Day>,
}

impl Beneficiary {
    fn asked(new: BeneficiaryCreate, id: BeneficiaryId) -> Self {
        let BeneficiaryCreate { relation, sex, age, visa, name, escort, best_interest, tickets } = new;
        let state = State::Requested;
        Self { id, relation, sex, age, visa, state, name, escort, best_interest, tickets, reunited_on: None, since: None }
    }

    /// Whether the law presumes a minor: whoever's age is unknown is one.
    pub fn minor(&self) -> bool {
        self.age.is_none_or(|age| age < 18)
    }

    /// The year in which they came together, whatever happened afterwards.
    pub fn reunited_in(&self) -> Option<i16> {
        self.reunited_on.and_then(|day| i16::try_from(day.date().year()).ok())
    }

    /// Whether the way to the victim is still to be gone.
    fn under_way(&self) -> bool {
        self.reunited_on.is_none() && self.state != State::Closed
    }

    fn check(&self, at: &str, check: &mut Check<'_>) {
        check.code(format!("{at}/relation"), "protected_relative", Some(&self.relation));
        check.code(format!("{at}/sex"), "sex", self.sex.as_deref());
        check.code(format!("{at}/visa"), "immigration_status", self.visa.as_deref());
        if let Some(age) = self.age {
            check.range(format!("{at}/age"), i64::from(age), 0, 120);
        }
        check.text(format!("{at}/name"), self.name.as_ref().map(|n| n.0.as_str()), 200);
        check.code(format!("{at}/escort/kind"), "escort_kind", self.escort.as_ref().map(|e| e.kind.as_str()));
        let reference = self.best_interest.as_ref().is_none_or(|text| is_reference(text));
        check.must(reference, format!("{at}/best_interest"), FaultCode::Pattern);
        check.count(&format!("{at}/tickets"), &self.tickets, 0, 5);
        for (n, Ticket { route, travels_on: _, cost, paid_by }) in self.tickets.iter().enumerate() {
            let at = format!("{at}/tickets/{n}");
            check.count(&format!("{at}/route"), route, 2, 8);
            for (leg, place) in route.iter().enumerate() {
                check.must(is_place(place), format!("{at}/route/{leg}"), FaultCode::Pattern);
            }
            check.money(&format!("{at}/cost"), cost.as_ref());
            if let Some(donor) = paid_by {
                check.donor(format!("{at}/paid_by"), donor);
            }
        }
    }

    /// Codes of what stands against a move now. `grounded` says whether the consent, if it rests on one, is in force.
    pub fn failed_guards(&self, trigger: Trigger, grounded: bool) -> Vec<&'static str> {
        let mut failed = Vec::new();
        let mut unless = |holds: bool, code| {
            if !holds {
                failed.push(code);
            }
        };
        if trigger == Trigger::ApplyForVisa {
            unless(self.visa.is_some(), "visa_required");
        }
        if trigger == Trigger::BookTravel {
            unless(self.visa.is_none() || self.state == State::VisaGranted, "visa_not_granted");
        }
        if matches!(trigger, Trigger::BookTravel | Trigger::Travel) {
            unless(!self.tickets.is_empty(), "ticket_required");
            unless(!self.minor() || self.escort.is_some(), "escort_required");
            unless(!self.minor() || self.best_interest.is_some(), "best_interest_required");
        }
        unless(grounded || !trigger.acts(), "consent_not_in_force");
        failed
    }

    fn view(self, names: bool) -> BeneficiaryView {
        let minor = self.minor();
        let Self { id, relation, sex, age, visa, state, name, escort, best_interest, tickets, reunited_on, since: _ } = self;
        let name = name.filter(|_| names);
        BeneficiaryView { id, relation, sex, age, minor, visa, state, name, escort, best_interest, tickets, reunited_on }
    }
}

/// An airport (IATA) or a place (UBIGEO).
fn is_place(text: &str) -> bool {
    let airport = text.len() == 3 && text.bytes().all(|b| b.is_ascii_uppercase());
    airport || (matches!(text.len(), 2 | 4 | 6) && text.bytes().all(|b| b.is_ascii_digit()))
}

impl Reunification {
    /// A reunification from a request, with the faults that show without the store.
    pub fn begin(new: ReunificationCreate, act: &Act, id: ReunificationId, victim: VictimId) -> (Self, Vec<Fault>) {
        let ReunificationCreate { country, host_status, sponsor_agency, legal_basis, consent_id, summary, beneficiaries } =
            new;
        let beneficiaries = beneficiaries.into_iter().map(|b| Beneficiary::asked(b, act.id(id.bucket()))).collect();
        let record = Self {
            id,
            version: 1,
            victim,
            country,
            agency: act.agency().clone(),
            sponsor: sponsor_agency,
            consent: consent_id,
            detail: ReunificationDetail {
                host_status,
                legal_basis,
                consent_withdrawn: false,
                summary,
                beneficiaries,
                written_under: WrittenUnder::new(&act.catalogue),
            },
            created_at: act.now,
            updated_at: act.now,
        };
        let faults = record.check(act);
        (record, faults)
    }

    fn check(&self, act: &Act) -> Vec<Fault> {
        let mut check = Check::new(&act.catalogue);
        let ReunificationDetail { host_status, summary, beneficiaries, .. } = &self.detail;
        check.country("/country", Some(&self.country));
        check.code("/host_status", "immigration_status", host_status.as_deref());
        check.text("/summary", summary.as_deref(), 2_000);
        check.count("/beneficiaries", beneficiaries, 1, MOST);
        for (n, one) in beneficiaries.iter().enumerate() {
            one.check(&format!("/beneficiaries/{n}"), &mut check);
        }
        check.found()
    }

    fn changed(&mut self, act: &Act, changed: &[String]) {
        self.detail.written_under.note(&act.catalogue, changed);
        self.version += 1;
        self.updated_at = act.now;
    }

    /// Applies a patch; answers the pointers that changed and the faults that show without the store.
    pub fn amend(&mut self, patch: ReunificationPatch, act: &Act) -> (Vec<String>, Vec<Fault>) {
        let ReunificationPatch { host_status, sponsor_agency, legal_basis, consent_id, summary } = patch;
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        let detail = &mut self.detail;
        note("host_status", host_status.apply(&mut detail.host_status));
        note("sponsor_agency", sponsor_agency.apply(&mut self.sponsor));
        note("legal_basis", legal_basis.apply(&mut detail.legal_basis));
        let ground = consent_id.apply(&mut self.consent);
        detail.consent_withdrawn &= !ground;
        note("consent_id", ground);
        note("summary", summary.apply(&mut detail.summary));
        let mut faults = self.check(act);
        keep_standing_codes(&mut faults, &changed);
        if !changed.is_empty() {
            self.changed(act, &changed);
        }
        (changed, faults)
    }

    /// One more relative; answers who.
    pub fn add(&mut self, new: BeneficiaryCreate, act: &Act, id: BeneficiaryId) -> Result<()> {
        let one = Beneficiary::asked(new, id);
        let mut check = Check::new(&act.catalogue);
        one.check("", &mut check);
        no_faults(check.found())?;
        if self.detail.beneficiaries.len() >= MOST {
            return Err(Error::StateConflict(vec!["too_many_beneficiaries".into()]));
        }
        self.detail.beneficiaries.push(one);
        self.changed(act, &["#/beneficiaries".to_owned()]);
        Ok(())
    }

    /// The relative of an id, and where.
    pub fn of(&self, id: BeneficiaryId) -> Result<(usize, &Beneficiary)> {
        self.detail.beneficiaries.iter().enumerate().find(|(_, b)| b.id == id).ok_or(Error::NotFound)
    }

    fn of_mut(&mut self, id: BeneficiaryId) -> Result<&mut Beneficiary> {
        self.detail.beneficiaries.iter_mut().find(|b| b.id == id).ok_or(Error::NotFound)
    }

    /// Applies a patch to a relative; answers the pointers that changed.
    pub fn amend_beneficiary(&mut self, id: BeneficiaryId, patch: BeneficiaryPatch, act: &Act) -> Result<Vec<String>> {
        let (index, one) = self.of(id)?;
        if one.state == State::Closed {
            return Err(Error::StateConflict(vec!["ended".into()]));
        }
        let BeneficiaryPatch { sex, age, visa, name, escort, best_interest, tickets } = patch;
        let one = self.of_mut(id)?;
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/beneficiaries/{index}/{name}"));
            }
        };
        note("sex", sex.apply(&mut one.sex));
        note("age", age.apply(&mut one.age));
        note("visa", visa.apply(&mut one.visa));
        note("name", name.apply(&mut one.name));
        note("escort", escort.apply(&mut one.escort));
        note("best_interest", best_interest.apply(&mut one.best_interest));
        note("tickets", tickets.apply_or(&mut one.tickets, Vec::new()));
        let mut check = Check::new(&act.catalogue);
        one.check("", &mut check);
        no_faults(check.found())?;
        if !changed.is_empty() {
            self.changed(act, &changed);
        }
        Ok(changed)
    }

    /// Makes a move of a relative that state and guards allow; every fault of the body at once.
    pub fn make_move(&mut self, id: BeneficiaryId, next: State, new: &BeneficiaryTransitionCreate, act: &Act) -> Result<()> {
        let BeneficiaryTransitionCreate { trigger, effective_on, reason } = new;
        let one = self.of_mut(id)?;
        let mut check = Check::new(&act.catalogue);
        check.text("/reason", reason.as_deref(), 2_000);
        let early_end = *trigger == Trigger::Close && one.reunited_on.is_none();
        check.must(!early_end || reason.is_some(), "/reason", FaultCode::Required);
        let on = effective_on.unwrap_or_else(|| Day::from_date(act.now.date()));
        // A day of grace for clocks and time zones; and nothing happens before what came before it.
        let last = Day::from_date(act.now.plus_seconds(86_400).date());
        let in_order = on <= last && one.since.is_none_or(|since| since <= on);
        check.must(in_order, "/effective_on", FaultCode::DateOrder);
        no_faults(check.found())?;
        one.state = next;
        one.since = Some(on);
        if next == State::Reunited {
            one.reunited_on = Some(on);
        }
        self.version += 1;
        self.updated_at = act.now;
        Ok(())
    }

    /// The consent on which it rests was taken back: every way that is still to be gone ends. Answers whose, and from
    /// which state.
    pub fn withdrawn(&mut self, act: &Act) -> Vec<(BeneficiaryId, State)> {
        let mut ended = Vec::new();
        for one in self.detail.beneficiaries.iter_mut().filter(|b| b.under_way()) {
            ended.push((one.id, one.state));
            one.state = State::Closed;
        }
        self.detail.consent_withdrawn = true;
        self.version += 1;
        self.updated_at = act.now;
        ended
    }

    /// Whether its sponsor, if that is another agency, still sees it.
    pub fn shown_to_sponsor(&self) -> bool {
        !self.detail.consent_withdrawn
    }

    /// Whether it names anybody.
    pub fn names_anybody(&self) -> bool {
        self.detail.beneficiaries.iter().any(|b| b.name.is_some())
    }

    /// The record, with names or without.
    pub fn view(&self, names: bool) -> ReunificationView {
        let Self { id, version, victim, country, agency, sponsor, consent, detail, created_at, updated_at } = self.clone();
        let ReunificationDetail { host_status, legal_basis, consent_withdrawn: _, summary, beneficiaries, written_under: _ } =
            detail;
        let redacted =
            if names { Vec::new() } else { (0..beneficiaries.len()).map(|n| format!("#/beneficiaries/{n}/name")).collect() };
        ReunificationView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: agency,
            victim_id: victim,
            country,
            host_status,
            sponsor_agency: sponsor,
            legal_basis,
            consent_id: consent,
            summary,
            beneficiaries: beneficiaries.into_iter().map(|b| b.view(names)).collect(),
            redacted,
        }
    }
}
