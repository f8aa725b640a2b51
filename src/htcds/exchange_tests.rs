//! What the registry makes of a record, and what comes back: by its own planning and its own views.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::exchange::{accused_facts, body, case_facts, grouped, victim_facts};
use super::record::{Record, Slot, Value};
use super::report::NoteCode;
use super::residue::restore;
use super::tests::any_record;
use crate::act::{Act, Chance};
use crate::auth::{Caller, Purpose};
use crate::cases::actions::Opening;
use crate::cases::docket::owner_sight;
use crate::catalogue::Catalogue;
use crate::kernel::{AgencyCode, Bucket, Timestamp};
use crate::ledger::Actor;
use crate::victims::model::CaseVictim;

static LAW: LazyLock<Arc<Catalogue>> = LazyLock::new(|| Arc::new(Catalogue::embedded().unwrap()));

fn act() -> Act {
    let now = Timestamp::parse("2026-11-24T12:00:00Z").unwrap();
    let agency = AgencyCode::parse("PE-MIMP-INABIF").unwrap();
    let client = super::actions::OPERATOR.parse().unwrap();
    let caller = Caller {
        client,
        agency: agency.clone(),
        oversight: false,
        user: None,
        scopes: Vec::new(),
        purpose: Purpose::Assistance,
        expires_at: now,
    };
    Act {
        actor: Actor {
            client: Some(client),
            agency: Some(agency),
            user: None,
            purpose: None,
            request_id: uuid::Uuid::nil(),
            trail: crate::kernel::trail::Trail::default(),
        },
        scope: caller.scope(now),
        now,
        catalogue: Arc::clone(&LAW),
        index: Arc::new(crate::persons::IndexKey::from_secret(&[7; 32]).unwrap()),
        chance: Chance::System,
    }
}

/// Registers records of one case on paper and reads them back; the notes by code.
fn there_and_back(records: Vec<Record>) -> (Vec<Record>, Vec<NoteCode>) {
    let act = act();
    let groups = grouped((1..).zip(records).collect(), &[1; 32]);
    let mut back = Vec::new();
    let mut notes = Vec::new();
    for group in &groups {
        let ready = body(group, &LAW, act.now);
        notes.extend(ready.notes.iter().map(|n| n.code));
        let validated = validator::Validate::validate(&ready.body);
        assert!(validated.is_ok(), "{validated:?}");
        let Opening { case, persons, suspects, .. } = Opening::plan(ready.body, &act, Bucket::of_text(&["x"])).unwrap();
        let facts = case_facts(&case.view(&owner_sight()), false, &LAW);
        for person in &persons {
            let part = CaseVictim {
                case: case.id,
                victim: person.victim.clone(),
                part: person.part.clone(),
                version: 1,
                updated_at: act.now,
            };
            let identity = crate::victims::model::identity_view(&person.identity, person.id, 1, act.now);
            back.push(restore(&facts, &victim_facts(&part.view(), Some(&identity))));
        }
        for suspect in &suspects {
            let identity = crate::accused::model::identity_view(&suspect.identity, suspect.id, 1, act.now);
            back.push(restore(&facts, &accused_facts(&suspect.accused.view(), Some(&identity))));
        }
    }
    (back, notes)
}

/// Victims first, as the registry tells them.
fn in_order(mut records: Vec<Record>, mut back: Vec<Record>) -> (Vec<String>, Vec<String>) {
    let text = |r: &mut Record| super::profile::write(std::slice::from_ref(r))["records"][0].to_string();
    let mut shown: Vec<String> = records.iter_mut().map(text).collect();
    let mut others: Vec<String> = back.iter_mut().map(text).collect();
    shown.sort();
    others.sort();
    (shown, others)
}

fn of(values: &[(&str, Value)]) -> Record {
    let values = values.iter().map(|(name, value)| (Slot::parse(name).unwrap(), value.clone())).collect();
    Record { key: Some("K-1".into()), values, ..Record::default() }
}

fn code(text: &str) -> Value {
    Value::Codes(text.split(';').map(str::to_owned).collect())
}

#[test]
fn every_code_of_every_field_survives_the_registry() {
    use super::table::{Kind, standard};
    for field in standard().fields().iter().filter(|f| f.list.is_some()) {
        for one in standard().list(field.list.as_deref().unwrap()) {
            let record = of(&[(&field.name, Value::Codes(vec![one.code.clone()]))]);
            let (back, _) = there_and_back(vec![record.clone()]);
            assert_eq!(back, [record], "{}/{}", field.name, one.code);
        }
        if field.kind == Kind::Codes {
            let all = standard().list(field.list.as_deref().unwrap()).iter().map(|c| c.code.clone()).collect();
            let record = of(&[(&field.name, Value::Codes(all))]);
            assert_eq!(there_and_back(vec![record.clone()]).0, [record], "{}", field.name);
        }
    }
}

#[test]
fn who_is_described_as_victim_and_perpetrator_is_registered_as_a_victim() {
    let both = of(&[("vic_TypeOfExploitation", code("ForcedLabour")), ("per_RoleInProcess", code("Transporter"))]);
    let groups = grouped(vec![(1, both.clone())], &[1; 32]);
    let ready = body(&groups[0], &LAW, act().now);
    assert_eq!((ready.body.victims.len(), ready.body.accused.len()), (1, 0));
    assert!(ready.notes.iter().any(|n| n.code == NoteCode::VictimFirst));
    assert_eq!(there_and_back(vec![both.clone()]).0, [both]);
    let accused = of(&[("per_RoleDetails", Value::Text("Drove the van".into()))]);
    let ready = body(&grouped(vec![(1, accused.clone())], &[1; 32])[0], &LAW, act().now);
    assert_eq!((ready.body.victims.len(), ready.body.accused.len()), (0, 1));
    assert_eq!(there_and_back(vec![accused.clone()]).0, [accused]);
}

#[test]
fn what_the_record_does_not_say_is_taken_as_unknown_and_told() {
    let adult = of(&[
        ("prs_Birthdate", Value::Date(crate::kernel::PartialDate::parse("1980").unwrap())),
        ("cas_IncomingReferralDate", Value::Date(crate::kernel::PartialDate::parse("2026-03").unwrap())),
    ]);
    let ready = body(&grouped(vec![(7, adult)], &[1; 32])[0], &LAW, act().now);
    let victim = &ready.body.victims[0];
    assert_eq!((victim.age_at_identification, &victim.means), (Some(45), &vec!["unknown".to_owned()]));
    let told: Vec<&str> =
        ready.notes.iter().filter(|n| n.code == NoteCode::TakenAsUnknown).filter_map(|n| n.field.as_deref()).collect();
    assert_eq!(told, ["vic_MethodOfRecruitment", "vic_MethodsOfControl", "vic_TypeOfExploitation"]);
    assert!(ready.notes.iter().all(|n| n.line == 7));
    let nobody = body(
        &grouped(vec![(1, of(&[("vic_TraffickingStatus", code("NotAVictimOfTrafficking"))]))], &[1; 32])[0],
        &LAW,
        act().now,
    );
    assert!(nobody.body.victims[0].acts.is_empty());
}

#[test]
fn old_cases_have_the_procedure_of_their_day_and_impossible_ones_that_of_today() {
    let on = |day: &str| {
        let record = of(&[("cas_IncomingReferralDate", Value::Date(crate::kernel::PartialDate::parse(day).unwrap()))]);
        let ready = body(&grouped(vec![(1, record)], &[1; 32])[0], &LAW, act().now);
        (ready.body.procedural_code.unwrap(), ready.body.reported_at.to_string()[..10].to_owned())
    };
    assert_eq!(on("1999-05"), ("CPP1940".into(), "1999-05-01".into()));
    assert_eq!(on("2012-03-14"), ("NCPP2004".into(), "2012-03-14".into()));
    for day in ["1901", "2199-01-01"] {
        assert_eq!(on(day), ("NCPP2004".into(), "2026-11-24".into()), "{day}");
    }
}

#[test]
fn a_record_without_a_number_gets_the_same_one_each_time_and_two_alike_get_two() {
    let plain = Record { key: None, ..of(&[("prs_FirstName", Value::Text("Rosa".into()))]) };
    let keys = |secret: u8| -> Vec<String> {
        grouped(vec![(1, plain.clone()), (2, plain.clone())], &[secret; 32]).into_iter().map(|g| g.key).collect()
    };
    assert_eq!(keys(1), keys(1));
    assert!(keys(1)[0] != keys(1)[1] && keys(1)[0] != keys(2)[0]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, max_shrink_iters: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn everything_that_the_standard_can_say_survives_the_registry(mut records in proptest::collection::vec(any_record(), 1..4), one in any::<bool>()) {
        records.retain(|r| !r.is_empty());
        for (n, record) in records.iter_mut().enumerate() {
            record.key = Some(if one { "K".to_owned() } else { format!("K-{n}") });
        }
        let (back, _) = there_and_back(records.clone());
        let (said, registered) = in_order(records, back);
        prop_assert_eq!(said, registered);
    }
}
