//! The legal time limits that run in a case, and the desk of an agency.

use chrono::{Days, NaiveDate};
use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::file::{File, reported};

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// The limit and the last day of every deadline of a case.
fn due(file: &File<'_>) -> Vec<(String, String)> {
    let answer = file.world.get(&format!("{}/deadlines", file.path), &file.token);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    answer.json()["items"].as_array().unwrap().iter().map(|d| (text(&d["limit_id"]), text(&d["due_on"]))).collect()
}

fn pair(limit: &str, on: &str) -> (String, String) {
    (limit.to_owned(), on.to_owned())
}

both! {
fn a_case_says_which_terms_run_and_an_extension_and_a_class_count_them_anew(world) {
    let token = world.prosecutor();
    let mut file = File::open(world, &token, &reported("NCPP2004", day("2023-03-01")));
    file.did(0, "open_inquiry", "disposicion", json!({}));
    // 60 days from 1 March 2023 end on 30 April, a Sunday; 1 May is a holiday.
    assert_eq!(due(&file), [pair("PE-NCPP-DP-SIMPLE@2006", "2023-05-02")]);
    file.did(20, "extend_inquiry", "disposicion", json!({}));
    // 120 days: 29 June, a holiday.
    assert_eq!(due(&file), [pair("PE-NCPP-DP-SIMPLE@2006", "2023-06-30")]);
    let version = file.read()["version"].clone();
    assert_eq!(world.patch(&file.path, &token, &format!("\"{version}.o\""), &json!({"complexity": "complex"})).status, 200);
    assert_eq!(due(&file), [pair("PE-NCPP-DP-COMPLEX@2006", "2023-11-02")], "eight months, past All Saints");
    file.did(30, "formalise", "disposicion", json!({}));
    assert_eq!(due(&file), [pair("PE-NCPP-IP-COMPLEX", "2023-12-20")], "eight months from 20 April");
    let view = world.get(&format!("{}/deadlines", file.path), &token).json()["items"][0].clone();
    assert_eq!((view["overdue"].clone(), view["extended"].clone(), view["subject"].clone(), view["day_type"].clone()), (json!(true), json!(false), json!("case_stage"), json!("calendar")));
    assert_eq!((view["verified"].clone(), view["starts_on"].clone(), view["case_id"].as_str()), (json!(false), json!("2023-04-20"), Some(file.id.as_str())));
    let spanish = world.send("GET", &format!("{}/deadlines", file.path), Some(&token), &[("Accept-Language", "fr")], b"").json();
    assert_ne!(spanish["items"][0]["label"], view["label"]);
}

fn a_term_that_runs_keeps_the_law_of_its_first_day(world) {
    let token = world.prosecutor();
    let mut before = File::open(world, &token, &reported("NCPP2004", day("2024-10-09")));
    before.did(1, "open_inquiry", "disposicion", json!({}));
    let mut after = File::open(world, &token, &reported("NCPP2004", day("2024-10-10")));
    after.did(1, "open_inquiry", "disposicion", json!({}));
    assert_eq!((due(&before)[0].0.as_str(), due(&after)[0].0.as_str()), ("PE-NCPP-DP-SIMPLE@2006", "PE-NCPP-DP-SIMPLE@2024"));
}

fn every_day_counts_while_somebody_is_detained(world) {
    let token = world.prosecutor();
    let mut file = File::open(world, &token, &reported("NCPP2004", day("2023-03-01")));
    for (days, trigger) in [(0, "open_inquiry"), (10, "formalise"), (40, "conclude")] {
        file.did(days, trigger, "disposicion", json!({}));
    }
    // Fifteen working days from Thursday 20 April 2023, with 1 May off.
    assert_eq!(due(&file)[0], pair("PE-NCPP-ACCUSE-SIMPLE", "2023-05-12"));
    let accused = file.charges()[0]["accused_id"].clone();
    let asked = world.post(&format!("{}/measures", file.path), &token, &json!({"kind": "coercive", "type": "pretrial_detention", "accused_id": accused, "requested_by": "prosecutor"}));
    assert_eq!(asked.status, 201, "{}", asked.text);
    let path = asked.header("location");
    let act = json!({"type": "auto"});
    let granted = world.step(&path, &token, &asked.header("etag"), &json!({"trigger": "grant", "legal_act": act, "granted_by": "inv_judge"}));
    assert_eq!(granted.status, 200, "{}", granted.text);
    let begun = world.step(&path, &token, &granted.header("etag"), &json!({"trigger": "enter_into_force", "legal_act": act, "from_on": "2023-04-20", "until_on": "2024-01-19"}));
    assert_eq!(begun.status, 200, "{}", begun.text);
    assert_eq!(due(&file), [pair("PE-NCPP-ACCUSE-SIMPLE", "2023-05-05"), pair("PE-NCPP-PRETRIAL-SIMPLE", "2024-01-20")]);
    let desk = world.get("/v1/deadlines", &token).json();
    assert_eq!((desk["items"].as_array().unwrap().len(), desk["items"][0]["due_on"].as_str(), desk["items"][0]["day_type"].as_str()), (1, Some("2023-05-05"), Some("calendar")));
    // Who may not see the accused does not learn of their detention here.
    let shared = json!({"agency": "PE-MIMP-INABIF", "role": "victim_care", "sections": ["victims"]});
    assert_eq!(world.post(&format!("{}/participants", file.path), &token, &shared).status, 201);
    let seen = world.get(&format!("{}/deadlines", file.path), &world.shelter()).json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 1);
}

fn the_desk_of_an_agency_is_its_own_and_in_order_page_by_page(world) {
    let token = world.prosecutor();
    let mut opened = Vec::new();
    for n in 0..7_u64 {
        let mut file = File::open(world, &token, &reported("NCPP2004", day("2023-03-01") + Days::new(n * 3 % 7)));
        file.did(0, "open_inquiry", "disposicion", json!({}));
        opened.push(file);
    }
    let text = |v: &Value| (v["due_on"].as_str().unwrap().to_owned(), v["case_id"].as_str().unwrap().to_owned());
    let mut seen = Vec::new();
    let mut next = String::from("/v1/deadlines?limit=2");
    loop {
        let page = world.get(&next, &token).json();
        seen.extend(page["items"].as_array().unwrap().iter().map(text));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        next = format!("/v1/deadlines?limit=2&cursor={cursor}");
    }
    let mut sorted = seen.clone();
    sorted.sort();
    assert_eq!((seen.len(), &seen), (7, &sorted));
    let first = seen[0].0.clone();
    let within = world.get(&format!("/v1/deadlines?due_before={}", day(&first) + Days::new(1)), &token).json();
    assert_eq!(within["items"].as_array().unwrap().len(), seen.iter().filter(|(on, _)| *on == first).count());
    let stranger = world.token("PE-PNP", "cases:read", Purpose::Investigation);
    assert_eq!(world.get("/v1/deadlines", &stranger).json()["items"], json!([]));
    assert_eq!(world.get(&format!("{}/deadlines", opened[0].path), &stranger).status, 404);
    assert_eq!(world.get("/v1/deadlines?due_before=soon", &token).faults(), ["due_before: format"]);
    // What ends leaves the desk.
    opened[0].did(10, "not_formalise", "disposicion", json!({}));
    let left = world.get("/v1/deadlines", &token).json();
    let of_first: Vec<&str> = left["items"].as_array().unwrap().iter().filter(|d| d["case_id"] == opened[0].id.as_str()).map(|d| d["code"].as_str().unwrap()).collect();
    assert_eq!(of_first, ["uphold_victim_review"], "only the term to ask for review runs in an archived case");
}

fn the_desk_can_be_made_again_from_the_cases(world) {
    let token = world.prosecutor();
    for n in 0..5 {
        let mut file = File::open(world, &token, &reported("NCPP2004", day("2023-03-01") + Days::new(n)));
        file.did(0, "open_inquiry", "disposicion", json!({}));
        if n % 2 == 0 {
            file.did(5, "extend_inquiry", "disposicion", json!({}));
        }
    }
    let before = world.get("/v1/deadlines", &token).json();
    let running = world.running.as_ref().unwrap();
    let law = std::sync::Arc::new(sistra::catalogue::Catalogue::embedded().unwrap());
    let wiped = running.store.write_blocking(|tx| {
        use diesel::prelude::*;
        use sistra::db::schema::deadline_desk as t;
        let lane = sistra::kernel::agency_code::lane_bucket("PE-MP-FISTRAP-LIMA").number();
        Ok(diesel::delete(t::table.filter(t::bucket.eq(lane))).execute(tx)?)
    });
    assert_eq!(wiped.unwrap(), 5);
    assert_eq!(world.get("/v1/deadlines", &token).json()["items"], json!([]));
    let mut told = 0;
    let done = sistra::deadlines::actions::rebuild(&running.store, &law, sistra::kernel::Timestamp::now(), |_| told += 1).unwrap();
    assert_eq!((done, told), (5, 4096));
    assert_eq!(world.get("/v1/deadlines", &token).json(), before);
}
}
