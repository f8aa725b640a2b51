//! Exact figures: what they count, for whom, and that what is kept equals what is.

use std::sync::Arc;

use chrono::NaiveDate;
use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::catalogue::Catalogue;
use sistra::db::connection::{Role, open};
use sistra::kernel::Timestamp;
use sistra::kernel::ids::CaseId;
use sistra::ledger::sealer;
use sistra::statistics::facts::CaseFacts;
use sistra::statistics::question::{Dimension, Lane, Question, Subject};
use sistra::statistics::{Figures, store};

use crate::both;
use crate::support::file::{File, reported};
use crate::support::{World, case};

const FIGURES: &str = "statistics:read";

/// Waits until everything that happened is sealed, and brings the figures up to it.
pub fn settled(world: &World) {
    let running = world.running.as_ref().unwrap();
    while running.store.read_blocking(sealer::progress).unwrap().1 > 0 {
        std::thread::yield_now();
    }
    running.figures.catch_up(&running.store, &Catalogue::embedded().unwrap()).unwrap();
}

fn cells(world: &World, path: &str, token: &str) -> (u64, Vec<(Vec<String>, u64)>) {
    let answer = world.get(path, token);
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    let body = answer.json();
    let text = |v: &Value| v.as_str().unwrap().to_owned();
    let cell = |c: &Value| (c["values"].as_array().unwrap().iter().map(text).collect(), c["count"].as_u64().unwrap());
    (body["total"].as_u64().unwrap(), body["items"].as_array().unwrap().iter().map(cell).collect())
}

fn cell(values: &[&str], count: u64) -> (Vec<String>, u64) {
    (values.iter().map(|v| (*v).to_owned()).collect(), count)
}

/// A case with these victims: sex, age.
fn with_victims(victims: &[(&str, Option<u32>)]) -> Value {
    let mut new = case();
    let one = |(n, (sex, age)): (usize, &(&str, Option<u32>))| {
        json!({"label": format!("v{n}"), "sex": sex, "age_at_identification": age, "acts": ["recruit"], "means": ["deception"],
            "purposes": ["sexual_exploitation"], "nationalities": ["PE"]})
    };
    new["victims"] = victims.iter().enumerate().map(one).collect();
    new["charges"][0]["victims"] = json!(["v0"]);
    new
}

/// Every case of the registry with its facts: as they are kept, and as they would be made now.
fn both_ways(world: &World) -> Vec<(CaseId, CaseFacts, CaseFacts)> {
    let (registry, law) = (&world.running.as_ref().unwrap().store, Catalogue::embedded().unwrap());
    let mut all = Vec::new();
    for first in (0..4096).step_by(64) {
        let kept = registry.read_blocking(|conn| store::range(conn, first, None)).unwrap();
        for (id, facts) in kept {
            let now = registry.read_blocking(|conn| store::facts_of(conn, &law, id)).unwrap().unwrap();
            all.push((id, facts, now));
        }
    }
    all
}

/// A table counted the slow way: from the facts themselves, person by person.
fn slowly(facts: &[(CaseId, CaseFacts, CaseFacts)], lane: &Lane, by: &str) -> (usize, Vec<(Vec<String>, u64)>) {
    use std::collections::{BTreeMap, BTreeSet};
    let mut cells: BTreeMap<String, BTreeSet<uuid::Uuid>> = BTreeMap::new();
    let mut total = BTreeSet::new();
    for (_, _, case) in facts.iter().filter(|(_, _, f)| !f.elsewhere) {
        let named = match lane {
            Lane::All => None,
            Lane::Agency(code) if case.owner == *code => None,
            Lane::Agency(code) => {
                match case.shares.iter().find(|s| s.agency == *code && s.sections.split(',').any(|w| w == "victims")) {
                    Some(share) => share.victims.clone(),
                    None => continue,
                }
            }
        };
        for victim in case.victims.iter().filter(|v| named.as_ref().is_none_or(|n| n.contains(&v.id))) {
            let value = match by {
                "sex" => victim.sex.clone(),
                "department" => case.territory.as_ref().map_or("not_recorded".to_owned(), |t| t[..2].to_owned()),
                _ => case.stage.clone(),
            };
            let person = victim.person.unwrap_or(victim.id).uuid();
            cells.entry(value).or_default().insert(person);
            total.insert(person);
        }
    }
    (total.len(), cells.into_iter().map(|(value, persons)| (vec![value], persons.len() as u64)).collect())
}

both! {
fn an_agency_counts_what_it_may_see_and_oversight_counts_everything(world) {
    let owner = world.prosecutor();
    let opened = world.post("/v1/cases", &owner, &with_victims(&[("female", Some(22)), ("female", Some(16)), ("male", None)]));
    assert_eq!(opened.status, 201, "{}", opened.text);
    let path = opened.header("location");
    assert_eq!(world.post("/v1/cases", &owner, &case()).status, 201);
    let first = world.get(&format!("{path}/victims"), &owner).json()["items"][0]["victim_id"].clone();
    let share = json!({"agency": "PE-MIMP-INABIF", "role": "victim_care", "sections": ["victims"], "victims": [first]});
    let shared = world.post(&format!("{path}/participants"), &owner, &share);
    assert_eq!(shared.status, 201, "{}", shared.text);
    settled(world);
    let figures = |agency| world.token(agency, FIGURES, Purpose::Statistics);
    let (lima, inabif, stranger) = (figures("PE-MP-FISTRAP-LIMA"), figures("PE-MIMP-INABIF"), figures("PE-PNP"));
    let oversight = world.token("PE-DP", FIGURES, Purpose::Oversight);
    for token in [&lima, &oversight] {
        assert_eq!(cells(world, "/v1/statistics/cases", token), (2, vec![cell(&[], 2)]));
        assert_eq!(
            cells(world, "/v1/statistics/victims?by=sex,minority", token),
            (4, vec![cell(&["female", "adult"], 2), cell(&["female", "minor"], 1), cell(&["male", "presumed_minor"], 1)])
        );
        assert_eq!(cells(world, "/v1/statistics/accused?by=kind", token), (2, vec![cell(&["natural_person"], 2)]));
        assert_eq!(cells(world, "/v1/statistics/charges?by=offence,charge_state", token), (2, vec![cell(&["PE-CP-129-A", "alleged"], 2)]));
    }
    // A guest: one case, of it one victim, and neither accused nor charges.
    assert_eq!(cells(world, "/v1/statistics/cases?by=agency", &inabif), (1, vec![cell(&["PE-MP-FISTRAP-LIMA"], 1)]));
    assert_eq!(cells(world, "/v1/statistics/victims", &inabif).0, 1);
    for nothing in ["accused", "charges"] {
        assert_eq!(cells(world, &format!("/v1/statistics/{nothing}"), &inabif), (0, vec![]));
    }
    assert_eq!(world.get("/v1/statistics/victims", &inabif).json()["scope"], json!({"cases": "agency", "agency": "PE-MIMP-INABIF"}));
    assert_eq!(world.get("/v1/statistics/victims", &oversight).json()["scope"], json!({"cases": "all", "agency": null}));
    for subject in ["cases", "victims", "accused", "charges"] {
        assert_eq!(cells(world, &format!("/v1/statistics/{subject}"), &stranger), (0, vec![]), "{subject}");
    }
    // What was shared and is no longer is counted no longer.
    let ended = world.step(&shared.header("location"), &owner, &shared.header("etag"), &json!({"trigger": "end"}));
    assert_eq!(ended.status, 200, "{}", ended.text);
    settled(world);
    assert_eq!(cells(world, "/v1/statistics/cases", &inabif), (0, vec![]));
    assert_eq!(world.get("/v1/statistics/cases", &world.prosecutor()).code(), "insufficient_scope");
}

fn what_nobody_wrote_is_kept_apart_from_what_somebody_refused(world) {
    let owner = world.prosecutor();
    let mut new = with_victims(&[("refused", Some(30)), ("not_asked", Some(30)), ("unknown", Some(30)), ("female", Some(30))]);
    new["victims"][0]["nationalities"] = json!([]);
    new["victims"][1]["nationalities"] = json!(["PE", "VE"]);
    new["scope"] = Value::Null;
    assert_eq!(world.post("/v1/cases", &owner, &new).status, 201);
    settled(world);
    let token = world.token("PE-MP-FISTRAP-LIMA", FIGURES, Purpose::Statistics);
    let count = |path: &str| cells(world, path, &token).1;
    assert_eq!(count("/v1/statistics/victims?by=sex"), [cell(&["female"], 1), cell(&["not_asked"], 1), cell(&["refused"], 1), cell(&["unknown"], 1)]);
    // Somebody with two nationalities counts in both cells and once in the total.
    assert_eq!(cells(world, "/v1/statistics/victims?by=nationality", &token), (4, vec![cell(&["PE"], 3), cell(&["VE"], 1), cell(&["not_recorded"], 1)]));
    assert_eq!(count("/v1/statistics/cases?by=reach"), [cell(&["not_recorded"], 1)]);
    assert_eq!(count("/v1/statistics/victims?sex=refused,unknown&nationality=PE"), [cell(&[], 1)]);
    assert_eq!(count("/v1/statistics/victims?nationality=not_recorded&by=sex"), [cell(&["refused"], 1)]);
    assert_eq!(count("/v1/statistics/victims?nationality=FR"), []);
}

fn bounds_are_inclusive_and_days_are_those_of_the_law(world) {
    let owner = world.prosecutor();
    // 03:30 UTC on the 15th is still the 14th in Lima.
    for at in ["2026-03-14T15:00:00Z", "2026-03-15T03:30:00Z", "2026-03-15T15:00:00Z", "2026-04-01T15:00:00Z"] {
        let mut new = case();
        new["reported_at"] = json!(at);
        assert_eq!(world.post("/v1/cases", &owner, &new).status, 201);
    }
    settled(world);
    let token = world.token("PE-MP-FISTRAP-LIMA", FIGURES, Purpose::Statistics);
    let total = |query: &str| cells(world, &format!("/v1/statistics/cases?{query}"), &token).0;
    assert_eq!(total("from=2026-03-14&to=2026-03-14"), 2);
    assert_eq!(total("from=2026-03-15"), 2);
    assert_eq!(total("to=2026-03-15"), 3);
    assert_eq!(total("month=2026-03"), 3);
    assert_eq!(total("quarter=2026-Q2"), 1);
    assert_eq!(cells(world, "/v1/statistics/cases?by=quarter", &token).1, [cell(&["2026-Q1"], 3), cell(&["2026-Q2"], 1)]);
    assert_eq!(cells(world, "/v1/statistics/cases?by=month,year", &token).1, [cell(&["2026-03", "2026"], 3), cell(&["2026-04", "2026"], 1)]);
}

fn a_question_that_makes_no_sense_says_why(world) {
    let token = world.token("PE-MP-FISTRAP-LIMA", FIGURES, Purpose::Statistics);
    let faults = |query: &str| world.get(&format!("/v1/statistics/cases?{query}"), &token).faults();
    assert_eq!(faults("by=sex"), ["by: enum"], "cases have no sex");
    assert_eq!(faults("by=stage,form,reach,year"), ["by: max_items"]);
    assert_eq!(faults("by=stage,stage"), ["by: unique_items"]);
    assert_eq!(faults("from=2026-02-30"), ["from: format"]);
    assert_eq!(faults("from=2026-03-01&to=2026-02-01"), ["to: date_order"]);
    assert_eq!(faults("sex=female"), ["sex: unknown_field"]);
    assert_eq!(world.get("/v1/statistics/funnel?by=stage", &token).faults(), ["by: unknown_field"]);
    let accepting = |path: &str, form: &str| world.send("GET", path, Some(&token), &[("Accept", form)], b"");
    assert_eq!(accepting("/v1/statistics/cases", "text/html").code(), "not_acceptable");
    assert_eq!(accepting("/v1/statistics/funnel", "image/svg+xml").code(), "not_acceptable");
    assert_eq!(accepting("/v1/statistics/cases?fields=total", "text/csv").faults(), ["fields: cross_field"]);
}

fn a_table_can_be_had_for_a_spreadsheet_and_as_a_chart_in_three_languages(world) {
    let owner = world.prosecutor();
    assert_eq!(world.post("/v1/cases", &owner, &with_victims(&[("female", Some(22)), ("female", Some(16)), ("male", Some(40))])).status, 201);
    settled(world);
    let token = world.token("PE-MP-FISTRAP-LIMA", FIGURES, Purpose::Statistics);
    let get = |form: &str, lang: &str| world.send("GET", "/v1/statistics/victims?by=sex", Some(&token), &[("Accept", form), ("Accept-Language", lang)], b"");
    let csv = get("text/csv", "es");
    assert_eq!((csv.status, csv.header("content-type").as_str(), csv.text.as_str()), (200, "text/csv; charset=utf-8; header=present", "sex,count\r\nfemale,2\r\nmale,1\r\n"));
    for (lang, title) in [("es", "Víctimas por sexo"), ("en", "Victims by sex"), ("fr", "Victimes par sexe")] {
        let chart = get("image/svg+xml", lang);
        assert_eq!((chart.status, chart.header("content-type").as_str()), (200, "image/svg+xml"));
        assert!(chart.text.contains(&format!("<title id=\"title\">{title}</title>")), "{}", chart.text);
        assert!(!chart.text.contains("<script") && chart.text.contains("role=\"img\""));
    }
}

fn a_person_of_several_files_counts_once_and_a_file_that_goes_on_counts_where_it_goes_on(world) {
    let token = world.prosecutor();
    let on: NaiveDate = "2023-03-01".parse().unwrap();
    let mut new = reported("NCPP2004", on);
    new["accused"] = json!([{"label": "a1", "kind": "natural_person"}, {"label": "a2", "kind": "natural_person"}]);
    new["charges"] = json!([{"accused": "a1", "offence_code": "PE-CP-129-A", "role": "author", "victims": ["v1"]},
        {"accused": "a2", "offence_code": "PE-CP-129-A", "role": "facilitator", "victims": ["v1"]}]);
    let mut file = File::open(world, &token, &new);
    file.did(2, "open_inquiry", "disposicion", json!({}));
    let second = file.charges()[1]["accused_id"].clone();
    file.did(3, "split", "disposicion", json!({"accused": [second]}));
    settled(world);
    let figures = world.token("PE-MP-FISTRAP-LIMA", FIGURES, Purpose::Statistics);
    let total = |path: &str| cells(world, &format!("/v1/statistics/{path}"), &figures).0;
    assert_eq!((total("cases"), total("victims"), total("accused"), total("charges")), (2, 1, 2, 2));
    // Where the two files differ the person is in both cells, and once in the total.
    let split = cells(world, "/v1/statistics/victims?by=stage", &figures);
    assert_eq!((split.0, split.1.iter().map(|c| c.1).sum::<u64>()), (1, 1));
    file.did(20, "formalise", "disposicion", json!({}));
    settled(world);
    assert_eq!(cells(world, "/v1/statistics/victims?by=stage", &figures), (1, vec![cell(&["formal_investigation"], 1), cell(&["preliminary_inquiry"], 1)]));
    // Joined: the first file is counted no longer, its persons are.
    let mut third = File::open(world, &token, &reported("NCPP2004", on));
    third.did(2, "open_inquiry", "disposicion", json!({}));
    settled(world);
    assert_eq!((total("cases"), total("victims")), (3, 2));
    third.did(5, "join", "disposicion", json!({"into_case_id": file.id}));
    settled(world);
    assert_eq!((total("cases"), total("victims"), total("accused"), total("charges")), (2, 2, 3, 3));
}

fn two_records_that_are_one_person_count_once_until_they_are_two_again(world) {
    let desk = world.token("PE-MP-FISTRAP-LIMA", "cases:read cases:write victims:read victims:write victims.identity:read persons:merge", Purpose::Prosecution);
    let victim = |sex: &str| {
        let made = world.post("/v1/cases", &desk, &with_victims(&[(sex, Some(22))]));
        assert_eq!(made.status, 201, "{}", made.text);
        world.get(&format!("{}/victims", made.header("location")), &desk).json()["items"][0]["victim_id"].as_str().unwrap().to_owned()
    };
    let (away, survivor) = (victim("unknown"), victim("female"));
    settled(world);
    let figures = world.token("PE-MP-FISTRAP-LIMA", FIGURES, Purpose::Statistics);
    let by_sex = || cells(world, "/v1/statistics/victims?by=sex", &figures);
    assert_eq!(by_sex(), (2, vec![cell(&["female"], 1), cell(&["unknown"], 1)]));
    let path = format!("/v1/victims/{away}");
    let step = |body: Value| {
        let tag = world.get(&path, &desk).header("etag");
        let done = world.step(&path, &desk, &tag, &body);
        assert_eq!(done.status, 200, "{}", done.text);
        settled(world);
    };
    step(json!({"trigger": "merge", "into": survivor, "evidence": ["same_document"], "reason": "El mismo documento figura en ambas fichas."}));
    assert_eq!(by_sex(), (1, vec![cell(&["female"], 1)]), "what is known is the survivor's");
    assert_eq!(cells(world, "/v1/statistics/cases", &figures).0, 2);
    step(json!({"trigger": "unmerge", "reason": "Eran hermanas, no la misma persona."}));
    assert_eq!(by_sex(), (2, vec![cell(&["female"], 1), cell(&["unknown"], 1)]));
}

fn the_funnel_says_how_far_files_get_and_after_how_long(world) {
    let token = world.prosecutor();
    let on: NaiveDate = "2023-03-01".parse().unwrap();
    for _ in 0..2 {
        let mut file = File::open(world, &token, &reported("NCPP2004", on));
        file.did(1, "open_inquiry", "disposicion", json!({}));
        file.did(30, "not_formalise", "disposicion", json!({}));
    }
    for days in [20, 40] {
        let mut file = File::open(world, &token, &reported("NCPP2004", on));
        file.did(0, "open_inquiry", "disposicion", json!({}));
        file.did(days, "formalise", "disposicion", json!({}));
    }
    settled(world);
    let figures = world.token("PE-MP-FISTRAP-LIMA", FIGURES, Purpose::Statistics);
    let funnel = world.get("/v1/statistics/funnel?from=2023-01-01", &figures).json();
    assert_eq!((funnel["archived"].as_u64(), funnel["convicted"].as_u64()), (Some(2), Some(0)));
    let step = |n: usize| funnel["items"][n].clone();
    assert_eq!(step(0)["cases"], 4);
    assert_eq!(step(1), json!({"step": "formalised", "cases": 2, "per_thousand": 500, "days_p25": 20, "days_median": 20, "days_p75": 40, "days_p90": 40}));
    assert_eq!((step(4)["step"].as_str(), step(4)["cases"].as_u64(), step(4)["days_median"].clone()), (Some("judged"), Some(0), Value::Null));
    let flows = world.get("/v1/statistics/flows", &figures).json();
    assert_eq!(flows["items"], json!([{"origin": "not_recorded", "destination": "17", "persons": 4}]));
    let csv = world.send("GET", "/v1/statistics/funnel?stage=archived", Some(&figures), &[("Accept", "text/csv")], b"");
    assert!(csv.text.starts_with("step,cases,per_thousand,days_p25,days_median,days_p75,days_p90\r\nreported,2,1000,0,0,0,0\r\nformalised,0,0,,,,\r\n"), "{}", csv.text);
}

fn after_any_history_the_counts_that_are_kept_are_those_counted_from_scratch(world) {
    let running = world.running.as_ref().unwrap();
    let law = Arc::new(Catalogue::embedded().unwrap());
    let follower = Figures::open(&running.store).unwrap();
    for part in 1..=3 {
        // Whole lives of cases: opened, shared, referred, moved, judged; and some that are changed afterwards.
        actix_rt::System::new().block_on(sistra::demo::fill(&running.store, &law, &running.index, 1, 12 * part, |_| ())).unwrap();
        let owner = world.prosecutor();
        let mut file = File::open(world, &owner, &reported("NCPP2004", "2023-03-01".parse().unwrap()));
        file.did(2, "open_inquiry", "disposicion", json!({}));
        let victim = world.get(&format!("{}/victims", file.path), &owner).json()["items"][0].clone();
        let at = format!("/v1/victims/{}", victim["victim_id"].as_str().unwrap());
        let tag = world.get(&at, &owner).header("etag");
        assert_eq!(world.patch(&at, &owner, &tag, &json!({"sex": "refused", "nationalities": ["VE"]})).status, 200);
        settled(world);
        // Another server only follows.
        follower.catch_up(&running.store, &law).unwrap();
        let all = both_ways(world);
        assert_eq!(all.len(), usize::try_from(part).unwrap() * 13);
        for (id, kept, now) in &all {
            assert_eq!(kept, now, "{id:?}");
        }
        let agencies: std::collections::BTreeSet<String> = all.iter().flat_map(|(_, f, _)| f.shares.iter().map(|s| s.agency.clone()).chain([f.owner.clone()])).collect();
        let lanes: Vec<Lane> = agencies.into_iter().map(Lane::Agency).chain([Lane::All]).collect();
        for lane in &lanes {
            for (by, dimension) in [("sex", Dimension::Sex), ("department", Dimension::Department), ("stage", Dimension::Stage)] {
                let question = Question { by: vec![dimension], ..Question::of(Subject::Victims) };
                let expected = slowly(&all, lane, by);
                for figures in [running.figures.as_ref(), &follower] {
                    let table = figures.ask(|memory| memory.table(lane, &question)).unwrap();
                    assert_eq!((usize::try_from(table.total).unwrap(), table.cells), expected, "{lane:?} by {by}");
                }
            }
        }
    }
    // A server that starts reads what is kept; a rebuild finds nothing to correct.
    let started = Figures::open(&running.store).unwrap();
    assert!(started.ask(|_| ()).is_err(), "not before it is loaded");
    assert_eq!(started.load(&running.store).unwrap(), 39);
    let question = Question { by: vec![Dimension::Sex, Dimension::Stage], ..Question::of(Subject::Victims) };
    let of = |figures: &Figures| figures.ask(|m| (m.table(&Lane::All, &question), m.as_of)).unwrap();
    assert_eq!(of(&started), of(&running.figures));
    assert_eq!(running.figures.rebuild(&running.store, &law, |_| ()).unwrap(), (39, 0));
    // Facts that somebody damaged are made again.
    let (id, mut wrong, _) = both_ways(world).remove(0);
    wrong.stage = "nonsense".to_owned();
    let position = of(&started).1.position;
    assert!(running.store.write_blocking(move |tx| store::put(tx, id, position, &wrong)).unwrap());
    assert_eq!(running.figures.rebuild(&running.store, &law, |_| ()).unwrap(), (39, 1));
    assert_eq!(of(&started).0, of(&running.figures).0);
}

fn a_case_that_cannot_be_read_stops_nobody_and_counts_again_when_it_can(world) {
    let (owner, running, law) = (world.prosecutor(), world.running.as_ref().unwrap(), Catalogue::embedded().unwrap());
    let make = || {
        let made = world.post("/v1/cases", &owner, &with_victims(&[("female", Some(22))]));
        assert_eq!(made.status, 201, "{}", made.text);
        made.header("location")
    };
    let (broken, sound) = (make(), make());
    settled(world);
    let figures = world.token("PE-MP-FISTRAP-LIMA", FIGURES, Purpose::Statistics);
    let seen = || {
        let (total, cells) = cells(world, "/v1/statistics/victims?by=sex", &figures);
        let skipped = ["victims", "quality", "sdg-16-2-2?year=2026", "funnel"].map(|of| {
            world.get(&format!("/v1/statistics/{of}"), &figures).json()["as_of"]["skipped"].as_u64().unwrap()
        });
        (total, cells, skipped)
    };
    assert_eq!(seen(), (2, vec![cell(&["female"], 2)], [0; 4]));
    // Somebody damages a row of one case; then both victims change.
    let id = broken.rsplit('/').next().unwrap().to_owned();
    let mut conn = open(&world.database, Role::Write, 60_000).unwrap();
    let named = match &world.database {
        sistra::db::DatabaseUrl::Sqlite(_) => format!("x'{}'", id.replace('-', "")),
        sistra::db::DatabaseUrl::Postgres(_) => format!("'{id}'"),
    };
    conn.batch_execute(&format!("CREATE TABLE spare AS SELECT id, detail FROM case_file WHERE id = {named}")).unwrap();
    conn.batch_execute(&format!("UPDATE case_file SET detail = '{{}}' WHERE id = {named}")).unwrap();
    let victim = |case: &str| {
        let part: CaseId = case.rsplit('/').next().unwrap().parse().unwrap();
        running.store.read_blocking(|conn| sistra::victims::in_case(conn, part)).unwrap()[0]
    };
    for case in [&broken, &sound] {
        let at = format!("/v1/victims/{}", victim(case));
        let tag = world.get(&at, &owner).header("etag");
        let changed = world.patch(&at, &owner, &tag, &json!({"sex": "male"}));
        assert_eq!(changed.status, 200, "{}", changed.text);
    }
    settled(world);
    let skipping = (2, vec![cell(&["female"], 1), cell(&["male"], 1)], [1; 4]);
    assert_eq!(seen(), skipping, "the damaged one as it was read last, the other as it is, and the figures say so");
    let started = Figures::open(&running.store).unwrap();
    started.load(&running.store).unwrap();
    assert_eq!(started.ask(|memory| memory.as_of.skipped).unwrap(), 1, "another server says it too");
    assert_eq!(running.figures.rebuild(&running.store, &law, |_| ()).unwrap(), (2, 0), "nor does it stop a rebuild");
    // It is tried again, less and less often, until it can be read.
    let round = |seconds| running.figures.round(&running.store, &law, Timestamp::now().plus_seconds(seconds)).unwrap();
    round(200);
    assert_eq!(seen(), skipping);
    conn.batch_execute("UPDATE case_file SET detail = (SELECT detail FROM spare WHERE spare.id = case_file.id) WHERE id IN (SELECT id FROM spare)").unwrap();
    round(210);
    assert_eq!(seen(), skipping, "not at once");
    round(7_200);
    assert_eq!(seen(), (2, vec![cell(&["male"], 2)], [0; 4]));
}
}
