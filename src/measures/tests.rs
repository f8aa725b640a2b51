//! The measure's last day, at its edges.

use super::model::{Measure, MeasureDetail, Subject};
use super::states::{MeasureKind, State, Trigger};
use crate::kernel::ids::{AccusedId, CaseId, MeasureId};
use crate::kernel::{AgencyCode, Bucket, Day, Timestamp};

fn running(until: Option<&str>) -> Measure {
    let now = Timestamp::from_unix_millis(1_764_000_000_000).unwrap();
    let case = CaseId::generate(now, Bucket::random());
    Measure {
        id: MeasureId::generate(now, case.bucket()),
        version: 3,
        case,
        kind: MeasureKind::Coercive,
        type_code: "exit_ban".into(),
        state: State::InForce,
        subject: Subject::Accused(AccusedId::generate(now, Bucket::random())),
        detail: MeasureDetail {
            extends_to: Vec::new(),
            requested_by: "prosecutor".into(),
            requested_on: None,
            legal_act: None,
            granted_by: Some("inv_judge".into()),
            risk_level: None,
            from_on: Day::parse("2026-03-14"),
            until_on: until.and_then(Day::parse),
            extensions: Vec::new(),
        },
        created_at: now,
        created_by_agency: AgencyCode::parse("PE-MP").unwrap(),
        updated_at: now,
        merged: Vec::new(),
    }
}

#[test]
fn a_measure_runs_to_the_end_of_its_last_day() {
    let measure = running(Some("2026-09-13"));
    for (today, guards, expired) in [
        ("2026-09-12", vec!["not_yet_expired"], false),
        ("2026-09-13", vec!["not_yet_expired"], false),
        ("2026-09-14", vec![], true),
    ] {
        let today = Day::parse(today).unwrap().date();
        assert_eq!(measure.failed_guards(Trigger::Expire, today), guards, "{today}");
        assert_eq!(measure.view(today).expired, expired, "{today}");
    }
}

#[test]
fn without_a_last_day_it_neither_expires_nor_can_be_extended() {
    let (measure, today) = (running(None), Day::parse("2199-01-01").unwrap().date());
    for trigger in [Trigger::Expire, Trigger::Extend] {
        assert_eq!(measure.failed_guards(trigger, today), ["no_last_day"]);
    }
    assert!(measure.failed_guards(Trigger::Revoke, today).is_empty());
    assert!(!measure.view(today).expired);
}

#[test]
fn what_has_ended_is_not_expired_besides() {
    let mut measure = running(Some("2026-09-13"));
    measure.state = State::Revoked;
    assert!(!measure.view(Day::parse("2027-01-01").unwrap().date()).expired);
}
