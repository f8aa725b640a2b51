//! The need and its rules. Pure: no I/O, no clock. Its states are in `states.rs`.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::states::{State, Trigger};
use super::wire::{Assessment, AssistanceCreate, AssistancePatch, AssistanceTransitionCreate, AssistanceView, SupportPlan};
use crate::act::Act;
use crate::catalogue::{WrittenUnder, keep_standing_codes};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{AssistanceId, ConsentId, VictimId};
use crate::kernel::{AgencyCode, Day, Error, Fault, FaultCode, Result, Timestamp};
use crate::programmes::Money;
use crate::programmes::check::Check;

/// A need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assistance {
    /// The record, in its victim's bucket.
    pub id: AssistanceId,
    /// Version.
    pub version: i64,
    /// Whose need it is.
    pub victim: VictimId,
    /// Code list `service`.
    pub need: String,
    /// State.
    pub state: State,
    /// Who registered it.
    pub agency: AgencyCode,
    /// Who provides it.
    pub provider: Option<AgencyCode>,
    /// The consent on which it rests, if it is one.
    pub consent: Option<ConsentId>,
    /// Everything else.
    pub detail: AssistanceDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document; the words in it are sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssistanceDetail {
    /// How great it is.
    pub assessment: Option<Assessment>,
    /// What is to be done.
    pub plan: Option<SupportPlan>,
    /// On what it rests.
    pub legal_basis: Option<String>,
    /// What it costs.
    pub cost: Option<Money>,
    /// First day of the service.
    pub delivered_from: Option<Day>,
    /// Last day of the service.
    pub delivered_until: Option<Day>,
    /// Why it was not met.
    pub unmet_reason: Option<String>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// The year of a service that goes on.
const OPEN: i16 = 9999;

/// The last day that a request may speak of: a day of grace for clocks and time zones.
pub(super) fn last_day(act: &Act) -> Day {
    Day::from_date(act.now.plus_seconds(86_400).date())
}

impl Assistance {
    /// A need from a request, with the faults that show without the store.
    pub fn register(new: AssistanceCreate, act: &Act, id: AssistanceId, victim: VictimId) -> (Self, Vec<Fault>) {
        let AssistanceCreate { need, assessment, plan, provider_agency, legal_basis, consent_id, cost } = new;
        let record = Self {
            id,
            version: 1,
            victim,
            need,
            state: State::Identified,
            agency: act.agency().clone(),
            provider: provider_agency,
            consent: consent_id,
            detail: AssistanceDetail {
                assessment,
                plan,
                legal_basis,
                cost,
                delivered_from: None,
                delivered_until: None,
                unmet_reason: None,
                written_under: WrittenUnder::new(&act.catalogue),
            },
            created_at: act.now,
            updated_at: act.now,
        };
        let faults = record.check(act);
        (record, faults)
    }

    /// Applies a patch; answers the pointers that changed and the faults that show without the store.
    pub fn amend(&mut self, patch: AssistancePatch, act: &Act) -> Result<(Vec<String>, Vec<Fault>)> {
        if self.state.ended() {
            return Err(Error::StateConflict(vec!["ended".into()]));
        }
        let AssistancePatch { assessment, plan, provider_agency, legal_basis, consent_id, cost } = patch;
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        let detail = &mut self.detail;
        note("assessment", assessment.apply(&mut detail.assessment));
        note("plan", plan.apply(&mut detail.plan));
        note("provider_agency", provider_agency.apply(&mut self.provider));
        note("legal_basis", legal_basis.apply(&mut detail.legal_basis));
        note("consent_id", consent_id.apply(&mut self.consent));
        note("cost", cost.apply(&mut detail.cost));
        let mut faults = self.check(act);
        if self.state != State::Identified && self.state != State::Unmet {
            for (pointer, missing) in
                [("/provider_agency", self.provider.is_none()), ("/legal_basis", self.detail.legal_basis.is_none())]
            {
                if missing {
                    faults.push(Fault::body(pointer, FaultCode::Required));
                }
            }
        }
        keep_standing_codes(&mut faults, &changed);
        if !changed.is_empty() {
            self.detail.written_under.note(&act.catalogue, &changed);
            self.version += 1;
            self.updated_at = act.now;
        }
        Ok((changed, faults))
    }

    fn check(&self, act: &Act) -> Vec<Fault> {
        let mut check = Check::new(&act.catalogue);
        let AssistanceDetail { assessment, plan, cost, .. } = &self.detail;
        check.code("/need", "service", Some(&self.need));
        if let Some(Assessment { level, assessed_on, next_review_on, evidence }) = assessment {
            check.range("/assessment/level", i64::from(*level), 0, 4);
            check.must(*assessed_on <= last_day(act), "/assessment/assessed_on", FaultCode::DateOrder);
            check.order("/assessment/next_review_on", Some(*assessed_on), *next_review_on);
            check.text("/assessment/evidence", evidence.as_deref(), 2_000);
        }
        if let Some(SupportPlan { goal, starts_on, ends_on }) = plan {
            check.text("/plan/goal", goal.as_deref(), 1_000);
            check.order("/plan/ends_on", *starts_on, *ends_on);
        }
        check.money("/cost", cost.as_ref());
        check.found()
    }

    /// Codes of what stands against a move now, whatever its body says. `grounded` says whether its consent, if it
    /// rests on one, is still in force.
    pub fn failed_guards(&self, trigger: Trigger, grounded: bool) -> Vec<&'static str> {
        let mut failed = Vec::new();
        if trigger == Trigger::Plan {
            if self.provider.is_none() {
                failed.push("provider_required");
            }
            if self.detail.legal_basis.is_none() {
                failed.push("ground_required");
            }
        }
        if matches!(trigger, Trigger::Plan | Trigger::Start) && !grounded {
            failed.push("consent_not_in_force");
        }
        failed
    }

    /// Makes a move that its state and its guards allow; every fault of the body at once.
    pub fn make_move(&mut self, next: State, new: &AssistanceTransitionCreate, act: &Act) -> Result<()> {
        let AssistanceTransitionCreate { trigger, effective_on, unmet_reason, cost, reason } = new;
        let mut check = Check::new(&act.catalogue);
        let fails = *trigger == Trigger::Fail;
        check.must(fails == unmet_reason.is_some(), "/unmet_reason", required_or(fails));
        check.code("/unmet_reason", "unmet_reason", unmet_reason.as_deref());
        check.must(cost.is_none() || fails || *trigger == Trigger::Meet, "/cost", FaultCode::CrossField);
        check.money("/cost", cost.as_ref());
        check.text("/reason", reason.as_deref(), 2_000);
        check.must(*trigger != Trigger::Withdraw || reason.is_some(), "/reason", FaultCode::Required);
        let on = effective_on.unwrap_or_else(|| Day::from_date(act.now.date()));
        let early = self.detail.delivered_from.is_some_and(|from| on < from);
        check.must(on <= last_day(act) && !early, "/effective_on", FaultCode::DateOrder);
        no_faults(check.found())?;
        let detail = &mut self.detail;
        match next {
            State::InProgress => detail.delivered_from = detail.delivered_from.or(Some(on)),
            State::Met | State::Unmet | State::Withdrawn => {
                detail.delivered_until = detail.delivered_from.map(|_| on);
            }
            State::Identified => detail.delivered_until = None,
            State::Planned => {}
        }
        detail.unmet_reason.clone_from(unmet_reason);
        if cost.is_some() {
            detail.cost.clone_from(cost);
        }
        self.state = next;
        self.version += 1;
        self.updated_at = act.now;
        Ok(())
    }

    /// The consent on which it rests was taken back.
    pub fn withdrawn(&mut self, act: &Act) {
        self.detail.delivered_until = self.detail.delivered_from.map(|from| from.max(Day::from_date(act.now.date())));
        self.state = State::Withdrawn;
        self.version += 1;
        self.updated_at = act.now;
    }

    /// Whether its provider, if that is another agency, still sees it: what was taken back is nobody else's business.
    pub fn shown_to_provider(&self) -> bool {
        self.state != State::Withdrawn
    }

    /// The years in which the person was helped; none where no service began.
    pub fn years(&self) -> Option<(i16, i16)> {
        let year = |day: Day| i16::try_from(day.date().year()).unwrap_or(OPEN);
        let from = year(self.detail.delivered_from?);
        let until = if self.state == State::InProgress { OPEN } else { self.detail.delivered_until.map_or(from, year) };
        Some((from, until))
    }

    /// The record as its provider sees it, or as everybody else who sees it.
    pub fn view(&self, provider: bool) -> AssistanceView {
        let Self { id, version, victim, need, state, agency, provider: by, consent, detail, created_at, updated_at } =
            self.clone();
        let AssistanceDetail {
            mut assessment,
            plan,
            legal_basis,
            cost,
            delivered_from,
            delivered_until,
            unmet_reason,
            written_under: _,
        } = detail;
        let mut redacted = Vec::new();
        if provider && let Some(assessment) = &mut assessment {
            assessment.evidence = None;
            redacted.push("#/assessment/evidence".to_owned());
        }
        AssistanceView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: agency,
            victim_id: victim,
            need,
            state: state.as_str().to_owned(),
            assessment,
            plan,
            provider_agency: by,
            legal_basis,
            consent_id: consent,
            cost,
            delivered_from,
            delivered_until,
            unmet_reason,
            redacted,
        }
    }
}

fn required_or(required: bool) -> FaultCode {
    if required { FaultCode::Required } else { FaultCode::CrossField }
}
