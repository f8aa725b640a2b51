//! The file of victims for CTDC: what is in it, who is not, and that nobody stands out.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::catalogue::Catalogue;
use sistra::ctdc::Profile;
use sistra::ctdc::actions::{Account, Release};
use sistra::kernel::AgencyCode;
use sistra::ledger::access::AccessLog;

use crate::both;
use crate::support::process::{Dir, data, run};
use crate::support::{World, case};

const SCOPES: &str = "cases:read cases:write victims:read victims:write victims.identity:write accused:write charges:write";

fn make(
    world: &World,
    agency: &str,
    oversight: bool,
    k: usize,
    consented_only: bool,
) -> (Vec<BTreeMap<String, String>>, Account) {
    let running = world.running.as_ref().unwrap();
    let release = Release {
        store: running.store.clone(),
        law: Arc::new(Catalogue::embedded().unwrap()),
        index: Arc::clone(&running.index),
        agency: AgencyCode::parse(agency).unwrap(),
        oversight,
        profile: Profile::named("ctdc-gsd-2024").unwrap(),
        k,
        consented_only,
    };
    let access = AccessLog::start(&running.store).unwrap();
    let (file, account) = actix_rt::System::new().block_on(release.make(&access, |_| {})).unwrap();
    let text = String::from_utf8(file).unwrap();
    let mut lines = text.lines().map(|l| l.split(',').map(str::to_owned).collect::<Vec<_>>());
    let head = lines.next().unwrap();
    assert_eq!(head.len(), 27);
    (lines.map(|cells| head.iter().cloned().zip(cells).filter(|(_, v)| !v.is_empty()).collect()).collect(), account)
}

fn with(victim: Value) -> Value {
    let mut new = case();
    let mut one = json!({"label": "v1", "sex": "female", "gender": "woman", "age_at_identification": 22, "nationalities": ["PE"],
        "acts": ["recruit"], "means": ["threat"], "purposes": ["prostitution"], "control": ["debt_bondage"], "recruitment": "partner"});
    one.as_object_mut().unwrap().extend(victim.as_object().unwrap().clone());
    new["victims"] = json!([one]);
    new
}

both! {
fn nobody_stands_out_and_who_refused_or_is_no_victim_is_not_in_it(world) {
    let desk = world.token("PE-MP-FISTRAP-LIMA", SCOPES, Purpose::Assistance);
    let open = |victim: Value| {
        let made = world.post("/v1/cases", &desk, &with(victim));
        assert_eq!(made.status, 201, "{}", made.text);
        let path = made.header("location");
        world.get(&format!("{path}/victims"), &desk).json()["items"][0]["victim_id"].as_str().unwrap().to_owned()
    };
    for _ in 0..4 {
        open(json!({}));
    }
    open(json!({"nationalities": ["BO"]}));
    open(json!({"status": "not_victim"}));
    let answer = |id: &str, trigger: &str| {
        let offered = world.post(&format!("/v1/victims/{id}/consents"), &desk, &json!({"purposes": ["research"], "language": "es", "form": "written", "given_by": "self"}));
        assert_eq!(offered.status, 201, "{}", offered.text);
        let moved = world.step(&offered.header("location"), &desk, &offered.header("etag"), &json!({"trigger": trigger}));
        assert_eq!(moved.status, 200, "{}", moved.text);
    };
    answer(&open(json!({"gender": "man", "sex": "male"})), "refuse");
    answer(&open(json!({})), "give");

    let (rows, account) = make(world, "PE-DP", true, 3, false);
    assert_eq!((account.persons, account.not_victims, account.without_consent, rows.len()), (8, 1, 1, 6));
    assert!(account.smallest_group.unwrap() >= 3, "{account:?}");
    assert_eq!(account.suppression.values.get("citizenship"), Some(&1), "{account:?}");
    assert!(!rows.iter().any(|r| r.values().any(|v| v == "BOL" || v == "Man")));
    let first = rows.iter().find(|r| r.contains_key("citizenship")).unwrap();
    for (column, value) in [("gender", "Woman"), ("ageBroad", "21--23"), ("citizenship", "PER"), ("meansThreats", "1"),
        ("meansDebtBondageEarnings", "1"), ("isSexualExploit", "1"), ("sectorOfSexProstitution", "1"), ("recruiterRelationIntimatePartner", "1")] {
        assert_eq!(first.get(column).map(String::as_str), Some(value), "{column}");
    }
    let (rows, account) = make(world, "PE-DP", true, 3, true);
    assert_eq!((rows.len(), account.without_consent), (1, 6));
    assert!(rows[0].keys().all(|c| !sistra::ctdc::row::QUASI.contains(&c.as_str())), "one person alone says nothing: {rows:?}");
    assert_eq!(make(world, "PE-PNP", false, 3, false).1.persons, 0, "an agency's file is made in its sight");
}
}

#[test]
fn the_command_says_what_was_given_up() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let of = |args: &[&str]| run(&[args, &place[..]].concat());
    let made = of(&["export", "ctdc", &dir.path("ctdc.csv"), "--agency", "PE-DP", "--profile", "ctdc-gsd-2025"]);
    assert_eq!(made.code, Some(0), "{made:?}");
    let told: Value = serde_json::from_str(&made.stdout).unwrap();
    assert_eq!((&told["account"]["persons"], &told["account"]["suppression"]["k"]), (&json!(0), &json!(11)));
    assert!(std::fs::read_to_string(dir.path("ctdc.csv")).unwrap().contains("typeOfLabourAgriculture"));
    for (args, words) in [
        (&["export", "ctdc", "x.csv", "--agency", "PE-DP", "--profile", "ctdc-1999"][..], "there are ctdc-gsd-2024"),
        (&["export", "ctdc", "x.csv", "--agency", "PE-NOBODY"], "no agency PE-NOBODY"),
    ] {
        let refused = of(args);
        assert!(refused.code == Some(1) && refused.stderr.contains(words), "{refused:?}");
    }
    assert_ne!(of(&["export", "ctdc", "x.csv", "--agency", "PE-DP", "--k", "1"]).code, Some(0), "one is nobody's company");
}
