//! The facts of a case from which its deadlines follow. Pure.

use chrono::NaiveDate;

use crate::cases::model::Case;
use crate::catalogue::limits::{CaseFacts, Deadline, GrantedExtension, MeasureFacts, deadlines};
use crate::catalogue::{Catalogue, Effect, LimitClass, LimitSubject};
use crate::measures::Running;
use crate::transitions::Past;

/// The deadlines that run in a case on a day: of its stage, and of these measures.
pub fn of_case(law: &Catalogue, case: &Case, past: &[Past], measures: &[Running], today: NaiveDate) -> Vec<Deadline> {
    let Case { jurisdiction, procedural_code, stage, detail, .. } = case;
    let (since, class) = (detail.stage_since, LimitClass::of(&detail.complexity));
    let profile = law.profile(jurisdiction, procedural_code, today.max(since));
    if profile.and_then(|p| p.stage(stage)).is_none_or(|s| s.terminal) {
        return Vec::new();
    }
    let extends = |p: &&Past| {
        p.from == *stage
            && profile
                .and_then(|profile| profile.transition(&p.from, &p.trigger))
                .is_some_and(|t| t.effect == Some(Effect::Extend))
    };
    // What one extension adds is the law's, so that a change of complexity counts it anew.
    let granted = |subject, code: &str, on, days: Vec<NaiveDate>| -> Vec<GrantedExtension> {
        law.limits(jurisdiction, procedural_code, on, code, class)
            .filter(|limit| limit.subject == subject)
            .filter_map(|limit| limit.extension.as_ref().map(|e| (limit, e)))
            .flat_map(|(limit, extension)| {
                let times = usize::try_from(extension.times).unwrap_or(1);
                days.iter().take(times).map(|day| GrantedExtension {
                    limit_id: Some(limit.id.clone()),
                    granted_on: *day,
                    amount: extension.amount,
                    unit: extension.unit,
                })
            })
            .collect()
    };
    let in_stage: Vec<NaiveDate> = past.iter().rev().take_while(|p| p.from == p.to).filter(extends).map(|p| p.on).collect();
    let facts = CaseFacts {
        jurisdiction: jurisdiction.clone(),
        procedural_code: procedural_code.clone(),
        complexity: class,
        stage: stage.clone(),
        entered_on: since,
        extensions: granted(LimitSubject::CaseStage, stage, since, in_stage),
        detained: measures.iter().any(|m| profile.is_some_and(|p| p.detentions.contains(&m.type_code))),
        measures: measures
            .iter()
            .filter_map(|m| {
                let from = m.from?;
                Some(MeasureFacts {
                    id: m.id.to_string(),
                    measure_type: m.type_code.clone(),
                    from,
                    extensions: granted(LimitSubject::Measure, &m.type_code, from, m.extended_on.clone()),
                })
            })
            .collect(),
    };
    deadlines(law, &facts, today)
}
