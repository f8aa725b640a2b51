//! The care engine: whether a move of the protocol may be made now, and what a request must say for it. Pure.
//!
//! Knows the vocabulary of `catalogue::care` and no protocol: states, actors and articles are data.

use super::model::CareProcess;
use super::wire::CareTransitionCreate;
use crate::assistance::states::State as NeedState;
use crate::catalogue::{CareFact, CareGuard, CareProtocol, CareTransition};
use crate::kernel::{Fault, FaultCode};

/// What guards look at, apart from the record. What no guard of the moves at hand asks for may be left empty.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Kind of the agency that registers the act.
    pub agency_kind: String,
    /// How the person stands in her or his cases: code list `victim_status`.
    pub statuses: Vec<String>,
    /// Purposes for which a consent is in force.
    pub consents: Vec<String>,
    /// Whether the law presumes her or him to be a minor.
    pub minor: bool,
    /// The needs.
    pub needs: Vec<NeedState>,
    /// States that the process was ever in.
    pub reached: Vec<String>,
}

/// Which facts some moves need: each costs a query.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// `statuses`.
    pub statuses: bool,
    /// `consents`.
    pub consents: bool,
    /// `minor`.
    pub minor: bool,
    /// `needs`.
    pub needs: bool,
    /// `reached`.
    pub reached: bool,
}

impl Needs {
    /// What the guards of these moves look at.
    pub fn of<'t>(transitions: impl IntoIterator<Item = &'t CareTransition>) -> Self {
        let mut needs = Self::default();
        for guard in transitions.into_iter().flat_map(|t| &t.guards) {
            match guard {
                CareGuard::VictimStatusIs { .. } => needs.statuses = true,
                CareGuard::ConsentInForce { .. } => (needs.consents, needs.minor) = (true, true),
                CareGuard::ServicePlanned | CareGuard::NoOpenNeed => needs.needs = true,
                CareGuard::BestInterestDetermined => needs.minor = true,
                CareGuard::Reached { .. } => needs.reached = true,
                CareGuard::RiskEvaluated | CareGuard::NotClosedAs { .. } => {}
            }
        }
        needs
    }
}

/// Codes of what stands against a move of a record; none where it may be made.
pub fn refusals(
    protocol: &CareProtocol,
    record: &CareProcess,
    transition: &CareTransition,
    facts: &Facts,
) -> Vec<&'static str> {
    let mut failed = Vec::new();
    if !protocol.registers(&facts.agency_kind, &transition.actors) {
        failed.push("actor_not_competent");
    }
    failed.extend(transition.guards.iter().filter(|g| !holds(record, g, facts)).map(CareGuard::code));
    failed
}

/// Whose act a move is, of those whose acts the caller's agency registers.
pub fn actor(protocol: &CareProtocol, transition: &CareTransition, facts: &Facts) -> Option<String> {
    let own = |actor: &&String| protocol.registers(&facts.agency_kind, std::slice::from_ref(*actor));
    transition.actors.iter().find(own).cloned()
}

fn holds(record: &CareProcess, guard: &CareGuard, facts: &Facts) -> bool {
    match guard {
        CareGuard::VictimStatusIs { any } => facts.statuses.iter().any(|status| any.contains(status)),
        CareGuard::ConsentInForce { purpose, unless_minor } => {
            (*unless_minor && facts.minor) || facts.consents.contains(purpose)
        }
        CareGuard::RiskEvaluated => record.detail.risk.is_some(),
        CareGuard::ServicePlanned => {
            let serves = |state: &NeedState| matches!(state, NeedState::Planned | NeedState::InProgress | NeedState::Met);
            facts.needs.iter().any(serves)
        }
        CareGuard::NoOpenNeed => facts.needs.iter().all(|state| state.ended() || *state == NeedState::Unmet),
        CareGuard::BestInterestDetermined => !facts.minor || record.detail.best_interest.is_some(),
        CareGuard::Reached { any } => facts.reached.iter().any(|state| any.contains(state)),
        CareGuard::NotClosedAs { any } => !record.detail.close_reason.as_ref().is_some_and(|reason| any.contains(reason)),
    }
}

/// Whether a request says something.
pub fn says(new: &CareTransitionCreate, fact: CareFact) -> bool {
    match fact {
        CareFact::Rescue => new.rescue.is_some(),
        CareFact::Reception => new.reception.is_some(),
        CareFact::Risk => new.risk.is_some(),
        CareFact::Placement => new.placement.is_some(),
        CareFact::NextFollowUpOn => new.next_follow_up_on.is_some(),
        CareFact::ReturnPlan => new.return_plan.is_some(),
        CareFact::Reintegration => new.reintegration.is_some(),
        CareFact::BestInterest => new.best_interest.is_some(),
        CareFact::CloseReason => new.close_reason.is_some(),
        CareFact::Reason => new.reason.is_some(),
    }
}

/// Faults of what a request says: all that the move requires, and nothing that it does not take. A reason in words may
/// stand with any move.
pub fn faults(transition: &CareTransition, new: &CareTransitionCreate) -> Vec<Fault> {
    let mut faults = Vec::new();
    for fact in CareFact::ALL {
        let pointer = format!("/{}", fact.as_str());
        let required = transition.requires.contains(&fact);
        let taken = required || transition.accepts.contains(&fact) || fact == CareFact::Reason;
        match says(new, fact) {
            false if required => faults.push(Fault::body(pointer, FaultCode::Required)),
            true if !taken => faults.push(Fault::body(pointer, FaultCode::CrossField)),
            _ => {}
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::care::model::tests::record;
    use crate::catalogue::Catalogue;
    use proptest::prelude::*;

    fn law() -> &'static Catalogue {
        static LAW: std::sync::LazyLock<Catalogue> = std::sync::LazyLock::new(|| Catalogue::embedded().unwrap());
        &LAW
    }

    /// What peru-profile §5.2 says, a line per state: where it leads.
    #[test]
    fn every_version_of_the_protocol_leads_where_the_table_says() {
        let law = law();
        assert_eq!(law.care_protocols().len(), 3);
        for protocol in law.care_protocols() {
            let line = |state: &crate::catalogue::CareState| {
                let mut to: Vec<&str> =
                    protocol.available(&state.code).map(|t| t.to.as_deref().unwrap_or(&state.code)).collect();
                to.sort_unstable();
                to.dedup();
                format!("{}: {}", state.code, to.join(" "))
            };
            assert_eq!(
                protocol.states.iter().map(line).collect::<Vec<_>>(),
                [
                    "detected: closed first_response rescued",
                    "rescued: closed first_response",
                    "first_response: closed identified",
                    "identified: assisted closed declined sheltered",
                    "sheltered: assisted closed sheltered",
                    "assisted: assisted closed reintegrating returning sheltered",
                    "declined: assisted closed declined",
                    "returning: closed reintegrating",
                    "reintegrating: closed",
                    "closed: assisted",
                ],
                "{}",
                protocol.version
            );
        }
    }

    #[test]
    fn the_day_decides_the_version_and_no_day_before_the_law_has_one() {
        let law = law();
        let version = |on: &str| law.care_protocol_on("PE", on.parse().unwrap()).map(|p| p.version.as_str());
        assert_eq!(version("2006-12-31"), None);
        assert_eq!(version("2012-08-15"), Some("LEY-28950"));
        assert_eq!(version("2016-05-13"), Some("DS-005-2016-IN"));
        assert_eq!(version("2023-09-17"), Some("DS-005-2016-IN"));
        assert_eq!(version("2023-09-18"), Some("DS-007-2023-IN"));
        assert_eq!(version("2026-01-01"), Some("DS-007-2023-IN"));
    }

    #[test]
    fn each_guard_refuses_by_its_name_and_gives_way_to_its_fact() {
        use CareGuard as G;
        let codes = |list: &[&str]| list.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let bare = record();
        let mut evaluated = record();
        evaluated.detail.risk = Some(super::super::wire::CareRisk { level: "high".into(), evaluated_on: bare.detail.since });
        evaluated.detail.best_interest = Some("DIS-1".into());
        let mut dead = record();
        dead.detail.close_reason = Some("died".into());
        let none = Facts::default();
        let minor = Facts { minor: true, ..Facts::default() };
        let full = Facts {
            statuses: codes(&["not_victim", "recognised"]),
            consents: codes(&["assistance"]),
            needs: vec![NeedState::Withdrawn, NeedState::Met, NeedState::Unmet],
            ..Facts::default()
        };
        let consent = |unless_minor| G::ConsentInForce { purpose: "assistance".into(), unless_minor };
        let status = G::VictimStatusIs { any: codes(&["presumed", "recognised"]) };
        assert!(!holds(&bare, &status, &none) && holds(&bare, &status, &full));
        assert!(!holds(&bare, &consent(true), &none) && holds(&bare, &consent(true), &full));
        assert!(holds(&bare, &consent(true), &minor) && !holds(&bare, &consent(false), &minor));
        assert!(!holds(&bare, &G::RiskEvaluated, &none) && holds(&evaluated, &G::RiskEvaluated, &none));
        assert!(!holds(&bare, &G::BestInterestDetermined, &minor) && holds(&evaluated, &G::BestInterestDetermined, &minor));
        assert!(holds(&bare, &G::BestInterestDetermined, &none), "an adult decides alone");
        let reached = G::Reached { any: codes(&["identified"]) };
        let identified = Facts { reached: codes(&["detected", "identified"]), ..Facts::default() };
        assert!(!holds(&bare, &reached, &none) && holds(&bare, &reached, &identified));
        let ended = G::NotClosedAs { any: codes(&["died"]) };
        assert!(!holds(&dead, &ended, &none) && holds(&bare, &ended, &none));
        for (state, serves, open) in [
            (NeedState::Identified, false, true),
            (NeedState::Planned, true, true),
            (NeedState::InProgress, true, true),
            (NeedState::Met, true, false),
            (NeedState::Unmet, false, false),
            (NeedState::Withdrawn, false, false),
        ] {
            let facts = Facts { needs: vec![state], ..Facts::default() };
            assert_eq!(holds(&bare, &G::ServicePlanned, &facts), serves, "{state:?}");
            assert_eq!(holds(&bare, &G::NoOpenNeed, &facts), !open, "{state:?}");
        }
        assert!(holds(&bare, &G::ServicePlanned, &full) && holds(&bare, &G::NoOpenNeed, &full));
    }

    #[test]
    fn a_move_takes_what_its_row_names_and_nothing_else() {
        let law = law();
        let protocol = law.care_protocol("PE", "DS-007-2023-IN").unwrap();
        let found = |from: &str, body: serde_json::Value| {
            let new: CareTransitionCreate = serde_json::from_value(body).unwrap();
            let faults = faults(protocol.transition(from, &new.trigger).unwrap(), &new);
            faults.into_iter().map(|f| format!("{:?} {:?}", f.at, f.code)).collect::<Vec<_>>()
        };
        let missing = |field: &str| vec![format!("Pointer(\"/{field}\") Required")];
        let foreign = |field: &str| vec![format!("Pointer(\"/{field}\") CrossField")];
        assert_eq!(found("detected", serde_json::json!({"trigger": "rescue"})), missing("rescue"));
        assert_eq!(found("identified", serde_json::json!({"trigger": "shelter"})), missing("placement"));
        let said = serde_json::json!({"trigger": "identify", "close_reason": "died", "reason": "Así consta."});
        assert_eq!(found("first_response", said), foreign("close_reason"));
        let said = serde_json::json!({"trigger": "complete", "close_reason": "died"});
        assert_eq!(found("reintegrating", said), foreign("close_reason"), "the row says why");
    }

    proptest! {
        /// Whatever is asked in whatever order: a process is only ever where a row of the table led, it is assisted only
        /// after it was identified, and nothing leads out of its end but a re-entry.
        #[test]
        fn no_path_leaves_the_table(version in 0usize..3, asked in prop::collection::vec((0usize..13, any::<bool>()), 0..60)) {
            let law = law();
            let protocol = &law.care_protocols()[version];
            let mut state = protocol.initial_state.clone();
            let mut seen = vec![state.clone()];
            for (n, holds) in asked {
                let wanted = &protocol.transitions[n];
                let facts = Facts { reached: seen.clone(), ..Facts::default() };
                let was = |row: &&CareTransition| {
                    row.guards.iter().filter(|g| matches!(g, CareGuard::Reached { .. })).all(|g| super::holds(&record(), g, &facts))
                };
                let Some(row) = protocol.transition(&state, &wanted.trigger).filter(|_| holds) else {
                    prop_assert!(!holds || !wanted.from.contains(&state));
                    continue;
                };
                if !was(&row) {
                    continue;
                }
                prop_assert!(row.from.contains(&state));
                let next = row.to.clone().unwrap_or_else(|| state.clone());
                let ended = protocol.state(&state).unwrap().terminal;
                prop_assert!(!ended || row.trigger == "re_enter");
                prop_assert!(next != "assisted" || seen.contains(&"identified".to_owned()));
                prop_assert!(next != "reintegrating" || seen.contains(&"assisted".to_owned()));
                state = next;
                prop_assert!(protocol.state(&state).is_some());
                seen.push(state.clone());
            }
        }
    }
}
