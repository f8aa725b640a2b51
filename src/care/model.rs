//! A victim's care and its rules. Pure: no I/O, no clock. What may follow what is the protocol's.

use serde::{Deserialize, Serialize};

use super::engine::says;
use super::wire::{
    CareProcessCreate, CareProcessPatch, CareProcessView, CareRisk, CareTransitionCreate, Detection, LinkInput, LinkView,
    NeedsIn, Placement, PlacementInput, Reception, ReintegrationPlan, Rescue, ReturnPlan,
};
use crate::act::Act;
use crate::assistance::states::State as NeedState;
use crate::catalogue::{CareFact, CareProtocol, CareTransition, WrittenUnder, keep_standing_codes};
use crate::kernel::ids::{CareProcessId, VictimId};
use crate::kernel::{AgencyCode, Day, Fault, FaultCode, Timestamp};
use crate::persons::erasure::is_reference;
use crate::programmes::check::Check;

/// Whose protocol, where a request does not say.
const DEFAULT_JURISDICTION: &str = "PE";
/// Most placements of one process.
const MOST_PLACEMENTS: usize = 500;
/// Most records that one process is tied to.
const MOST_LINKS: usize = 1_000;

/// A victim's care.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CareProcess {
    /// The record, in its victim's bucket.
    pub id: CareProcessId,
    /// Version.
    pub version: i64,
    /// Whose care.
    pub victim: VictimId,
    /// Whose protocol.
    pub jurisdiction: String,
    /// Which version of it.
    pub protocol_version: String,
    /// State: code list `care_state`.
    pub state: String,
    /// Who registered it.
    pub agency: AgencyCode,
    /// Everything else.
    pub detail: CareDetail,
    /// When registered.
    pub created_at: Timestamp,
    /// When last changed.
    pub updated_at: Timestamp,
}

/// What no query asks for. Stored as one document; the words in it are sealed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CareDetail {
    /// Day on which the state began.
    pub since: Day,
    /// How it began.
    pub detection: Detection,
    /// How somebody was rescued.
    pub rescue: Option<Rescue>,
    /// How somebody was received.
    pub reception: Option<Reception>,
    /// How great the danger is.
    pub risk: Option<CareRisk>,
    /// Where somebody lived, in order.
    pub placements: Vec<Placement>,
    /// When somebody asks again.
    pub next_follow_up_on: Option<Day>,
    /// How somebody returns.
    pub return_plan: Option<ReturnPlan>,
    /// The individual plan of reintegration.
    pub reintegration: Option<ReintegrationPlan>,
    /// Reference of the determination of a child's best interest.
    pub best_interest: Option<String>,
    /// Why it ended.
    pub close_reason: Option<String>,
    /// Records that are part of it.
    pub links: Vec<LinkInput>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

/// The day of an instant where the protocol's law is.
fn today(act: &Act, jurisdiction: &str) -> Day {
    Day::from_date(act.catalogue.calendar(jurisdiction).day(act.now))
}

impl CareProcess {
    /// A process from a request, with the faults that show without the store. Where no protocol was in force, it is one of
    /// the faults.
    pub fn begin(new: CareProcessCreate, act: &Act, id: CareProcessId, victim: VictimId) -> (Self, Vec<Fault>) {
        let CareProcessCreate { jurisdiction, detection, risk, links } = new;
        let jurisdiction = jurisdiction.unwrap_or_else(|| DEFAULT_JURISDICTION.to_owned());
        let protocol = act.catalogue.care_protocol_on(&jurisdiction, detection.detected_on.date());
        let mut faults = Vec::new();
        if protocol.is_none() {
            let known = act.catalogue.care_protocols().iter().any(|p| p.jurisdiction == jurisdiction);
            let (at, code) = match known {
                true => ("/detection/detected_on", FaultCode::DateOrder),
                false => ("/jurisdiction", FaultCode::Enum),
            };
            faults.push(Fault::body(at, code));
        }
        let record = Self {
            id,
            version: 1,
            victim,
            protocol_version: protocol.map_or_else(String::new, |p| p.version.clone()),
            state: protocol.map_or_else(String::new, |p| p.initial_state.clone()),
            agency: act.agency().clone(),
            detail: CareDetail {
                since: detection.detected_on,
                detection,
                rescue: None,
                reception: None,
                risk,
                placements: Vec::new(),
                next_follow_up_on: None,
                return_plan: None,
                reintegration: None,
                best_interest: None,
                close_reason: None,
                links,
                written_under: WrittenUnder::new(&act.catalogue),
            },
            created_at: act.now,
            updated_at: act.now,
            jurisdiction,
        };
        faults.extend(record.check(act));
        (record, faults)
    }

    /// The protocol under which it began.
    pub fn protocol<'l>(&self, act: &'l Act) -> Option<&'l CareProtocol> {
        act.catalogue.care_protocol(&self.jurisdiction, &self.protocol_version)
    }

    /// Applies a patch; answers the pointers that changed and the faults that show without the store.
    pub fn amend(&mut self, patch: CareProcessPatch, act: &Act) -> (Vec<String>, Vec<Fault>) {
        let CareProcessPatch {
            rescue,
            reception,
            risk,
            next_follow_up_on,
            return_plan,
            reintegration,
            best_interest,
            links,
        } = patch;
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        let detail = &mut self.detail;
        note("rescue", rescue.apply(&mut detail.rescue));
        note("reception", reception.apply(&mut detail.reception));
        note("risk", risk.apply(&mut detail.risk));
        note("next_follow_up_on", next_follow_up_on.apply(&mut detail.next_follow_up_on));
        note("return_plan", return_plan.apply(&mut detail.return_plan));
        note("reintegration", reintegration.apply(&mut detail.reintegration));
        note("best_interest", best_interest.apply(&mut detail.best_interest));
        note("links", links.apply_or(&mut detail.links, Vec::new()));
        let mut faults = self.check(act);
        keep_standing_codes(&mut faults, &changed);
        if !changed.is_empty() {
            self.detail.written_under.note(&act.catalogue, &changed);
            self.version += 1;
            self.updated_at = act.now;
        }
        (changed, faults)
    }

    /// Takes in what a move says, and makes it: the record as it will be, with the day from which it counts and every fault
    /// of the request. Whether the move may be made is the engine's to say, of the record that this answers.
    pub fn moved(&self, row: &CareTransition, new: &CareTransitionCreate, act: &Act) -> (Self, Day, Vec<Fault>) {
        let CareTransitionCreate {
            trigger: _,
            effective_on,
            rescue,
            reception,
            risk,
            placement,
            next_follow_up_on,
            return_plan,
            reintegration,
            best_interest,
            close_reason,
            reason,
            links,
        } = new.clone();
        let mut after = self.clone();
        let today = today(act, &self.jurisdiction);
        let on = effective_on.unwrap_or_else(|| today.max(self.detail.since));
        let mut check = Check::new(&act.catalogue);
        check.must(
            effective_on.is_none_or(|day| day >= self.detail.since && day <= today),
            "/effective_on",
            FaultCode::DateOrder,
        );
        check.text("/reason", reason.as_deref(), 2_000);
        let detail = &mut after.detail;
        if let Some(PlacementInput { kind, agency }) = placement {
            check.code("/placement/kind", "care_placement", Some(&kind));
            leave(&mut detail.placements, on);
            detail.placements.push(Placement { kind, agency, from: on, until: None });
            check.count("/placement", &detail.placements, 0, MOST_PLACEMENTS);
        }
        detail.rescue = rescue.or(detail.rescue.take());
        detail.reception = reception.or(detail.reception.take());
        detail.risk = risk.or(detail.risk.take());
        detail.return_plan = return_plan.or(detail.return_plan.take());
        detail.reintegration = reintegration.or(detail.reintegration.take());
        detail.best_interest = best_interest.or(detail.best_interest.take());
        check.must(next_follow_up_on.is_none_or(|day| day > on), "/next_follow_up_on", FaultCode::DateOrder);
        for link in links {
            if !detail.links.contains(&link) {
                detail.links.push(link);
            }
        }
        check.code("/close_reason", "care_close_reason", close_reason.as_deref());
        let next = row.to.clone().unwrap_or_else(|| self.state.clone());
        let ends = self.protocol(act).and_then(|p| p.state(&next)).is_some_and(|s| s.terminal);
        if ends {
            leave(&mut detail.placements, on);
            detail.close_reason = row.closes_as.clone().or(close_reason);
            detail.next_follow_up_on = None;
        } else if next != self.state {
            detail.close_reason = None;
            // Whoever moves on need not be asked again; whoever comes back begins with nothing settled.
            detail.next_follow_up_on = next_follow_up_on;
        } else {
            detail.next_follow_up_on = next_follow_up_on.or(detail.next_follow_up_on.take());
        }
        if next != self.state {
            detail.since = on;
        }
        after.state = next;
        after.version += 1;
        after.updated_at = act.now;
        let said: Vec<String> =
            CareFact::ALL.into_iter().filter(|fact| says(new, *fact)).map(|fact| format!("#/{}", fact.as_str())).collect();
        after.detail.written_under.note(&act.catalogue, &said);
        let mut standing = after.check(act);
        keep_standing_codes(&mut standing, &said);
        let mut faults = check.found();
        faults.extend(standing);
        (after, on, faults)
    }

    fn check(&self, act: &Act) -> Vec<Fault> {
        let mut check = Check::new(&act.catalogue);
        let today = today(act, &self.jurisdiction);
        let CareDetail { detection, rescue, reception, risk, return_plan, reintegration, best_interest, links, .. } =
            &self.detail;
        let Detection { detected_on, channel, territory, indicators } = detection;
        check.must(*detected_on <= today, "/detection/detected_on", FaultCode::DateOrder);
        check.code("/detection/channel", "report_channel", Some(channel));
        check.territory("/detection/territory", territory.as_deref());
        check.codes("/detection/indicators", "care_indicator", indicators);
        if let Some(Rescue { operation, prosecutor_present: _, record_ref }) = rescue {
            check.must(is_reference(operation), "/rescue/operation", FaultCode::Pattern);
            check.must(record_ref.as_deref().is_none_or(is_reference), "/rescue/record_ref", FaultCode::Pattern);
        }
        if let Some(Reception { arrived_at, language, interpreter: _, rights_explained: _ }) = reception {
            check.must(*arrived_at <= act.now.plus_seconds(60), "/reception/arrived_at", FaultCode::DateOrder);
            check.must(act.catalogue.language_known(language), "/reception/language", FaultCode::Pattern);
        }
        if let Some(CareRisk { level, evaluated_on }) = risk {
            check.code("/risk/level", "risk_level", Some(level));
            check.must(*evaluated_on <= today, "/risk/evaluated_on", FaultCode::DateOrder);
        }
        if let Some(ReturnPlan { kind, country, escort, checks }) = return_plan {
            check.code("/return_plan/kind", "care_return", Some(kind));
            check.country("/return_plan/country", Some(country));
            check.code("/return_plan/escort", "escort_kind", escort.as_deref());
            check.codes("/return_plan/checks", "care_return_check", checks);
            check.count("/return_plan/checks", checks, 1, 20);
        }
        if let Some(ReintegrationPlan { domains, starts_on, ends_on, goal }) = reintegration {
            check.codes("/reintegration/domains", "care_domain", domains);
            check.count("/reintegration/domains", domains, 1, 20);
            check.order("/reintegration/ends_on", Some(*starts_on), *ends_on);
            check.text("/reintegration/goal", goal.as_deref(), 1_000);
        }
        check.must(best_interest.as_deref().is_none_or(is_reference), "/best_interest", FaultCode::Pattern);
        check.count("/links", links, 0, MOST_LINKS);
        check.found()
    }

    /// The record for who sees it.
    pub fn view(&self, needs: &[NeedState], links: Vec<LinkView>, redacted: Vec<String>) -> CareProcessView {
        let Self { id, version, victim, jurisdiction, protocol_version, state, agency, detail, created_at, updated_at } =
            self.clone();
        let CareDetail {
            since,
            detection,
            rescue,
            reception,
            risk,
            placements,
            next_follow_up_on,
            return_plan,
            reintegration,
            best_interest,
            close_reason,
            links: _,
            written_under: _,
        } = detail;
        let count = |state: NeedState| needs.iter().filter(|s| **s == state).count();
        CareProcessView {
            id,
            version,
            created_at,
            updated_at,
            created_by_agency: agency,
            victim_id: victim,
            jurisdiction,
            protocol_version,
            state,
            state_since: since,
            detection,
            rescue,
            reception,
            risk,
            placements,
            next_follow_up_on,
            return_plan,
            reintegration,
            best_interest,
            close_reason,
            needs: NeedState::ALL
                .into_iter()
                .map(|state| NeedsIn { state: state.as_str().to_owned(), needs: i64::try_from(count(state)).unwrap_or(0) })
                .filter(|line| line.needs > 0)
                .collect(),
            links,
            redacted,
        }
    }
}

/// Ends the placement that lasts.
fn leave(placements: &mut [Placement], on: Day) {
    if let Some(last) = placements.last_mut()
        && last.until.is_none()
    {
        last.until = Some(on.max(last.from));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::kernel::Bucket;

    /// A process that has just begun.
    pub fn record() -> CareProcess {
        let now = Timestamp::parse("2026-03-14T15:30:00.000Z").unwrap();
        let day = Day::parse("2026-03-14").unwrap();
        CareProcess {
            id: CareProcessId::generate(now, Bucket::random()),
            version: 1,
            victim: VictimId::generate(now, Bucket::random()),
            jurisdiction: "PE".into(),
            protocol_version: "DS-007-2023-IN".into(),
            state: "detected".into(),
            agency: AgencyCode::parse("PE-MP").unwrap(),
            detail: CareDetail {
                since: day,
                detection: Detection { detected_on: day, channel: "police".into(), territory: None, indicators: Vec::new() },
                rescue: None,
                reception: None,
                risk: None,
                placements: Vec::new(),
                next_follow_up_on: None,
                return_plan: None,
                reintegration: None,
                best_interest: None,
                close_reason: None,
                links: Vec::new(),
                written_under: WrittenUnder::default(),
            },
            created_at: now,
            updated_at: now,
        }
    }

    #[test]
    fn a_placement_ends_on_the_day_on_which_the_next_one_begins() {
        let day = |text: &str| Day::parse(text).unwrap();
        let mut placements = vec![
            Placement { kind: "refuge".into(), agency: None, from: day("2026-03-01"), until: Some(day("2026-03-04")) },
            Placement { kind: "relatives".into(), agency: None, from: day("2026-03-04"), until: None },
        ];
        leave(&mut placements, day("2026-04-01"));
        leave(&mut placements, day("2026-05-01"));
        let ends: Vec<_> = placements.iter().map(|p| p.until).collect();
        assert_eq!(ends, [Some(day("2026-03-04")), Some(day("2026-04-01"))]);
    }
}
