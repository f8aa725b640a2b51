//! The law as it is served: open, dated, in the caller's language; and as it is corrected: from a directory.

use std::process::Command;

use serde_json::{Value, json};
use sistra::config::Config;

use crate::both;
use crate::support::{Engine, World, case};

fn get(world: &World, path: &str) -> Value {
    let answer = world.send("GET", &format!("/v1/catalogues/{path}"), None, &[], b"");
    assert_eq!(answer.status, 200, "{path}: {}", answer.text);
    answer.json()
}

fn charges_of(case: &str) -> String {
    format!("/v1/charges?case_id={}", case.trim_start_matches("/v1/cases/"))
}

fn codes(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|i| i["code"].as_str().unwrap()).collect()
}

both! {
fn the_law_of_a_day_is_served_without_a_token(world) {
    let then = get(world, "offences/PE-CP-129-A?on=2012-05-01");
    assert_eq!((then["versions"].as_array().unwrap().len(), &then["versions"][0]["article"]), (1, &Value::from("153")));
    assert_eq!(get(world, "offences/PE-CP-129-A")["versions"].as_array().unwrap().len(), 6);
    let all = get(world, "offences");
    let before = get(world, "offences?on=2012-05-01");
    assert!(codes(&all["items"]).contains(&"PE-CP-129-O") && !codes(&before["items"]).contains(&"PE-CP-129-O"));
    assert_eq!(all["next_cursor"], Value::Null);
    // The letter of the Ley 31146 series that no ASCII has, by its alias and by itself.
    for code in ["PE-CP-129-NN", "PE-CP-129-%C3%91"] {
        assert_eq!(get(world, &format!("offences/{code}"))["code"], "PE-CP-129-Ñ");
    }
    let measures = get(world, "code-lists/coercive_measure");
    assert_eq!(measures["codes"][2]["code"], "pretrial_detention");
    assert_eq!(measures["codes"][2]["granted_by"][0], "inv_judge");
    assert!(get(world, "code-lists")["items"].as_array().unwrap().len() > 40);
    let places = get(world, "places");
    assert_eq!((places["departments"].as_array().unwrap().len(), places["fiscal_districts"].as_array().unwrap().len()), (25, 34));
    let schemes = get(world, "identifier-schemes");
    assert_eq!((&schemes["items"][0]["code"], &schemes["items"][0]["parts"][0]["name"]), (&Value::from("PE-CARPETA"), &Value::from("dependency")));
}

fn a_procedure_comes_with_the_limits_and_holidays_of_the_day(world) {
    assert!(codes(&get(world, "jurisdictions")["items"]).contains(&"PE-NCPP2004"));
    let limit = |on: &str| {
        let found = get(world, &format!("jurisdictions/PE-NCPP2004?on={on}"));
        assert_eq!(found["procedure"]["procedural_code"], "NCPP2004");
        assert!(found["procedure"]["stages"][0]["label"].is_string());
        let limits = found["limits"].as_array().unwrap().clone();
        let inquiry: Vec<Value> = limits.into_iter().filter(|l| l["code"] == "preliminary_inquiry" && l["class"] == "complex").collect();
        assert_eq!(inquiry.len(), 1);
        let flag = found["holidays"].as_array().unwrap().iter().any(|h| h["code"] == "flag_day");
        (inquiry[0]["amount"].as_i64().unwrap(), flag)
    };
    assert_eq!(limit("2023-01-01"), (8, false));
    assert_eq!(limit("2024-10-11"), (36, true));
}

fn labels_follow_the_language_and_answers_are_kept_by_caches(world) {
    let path = "/v1/catalogues/code-lists/urgency";
    let ask = |headers: &[(&str, &str)]| world.send("GET", path, None, headers, b"");
    let (spanish, french) = (ask(&[]), ask(&[("Accept-Language", "fr")]));
    assert_ne!(spanish.json()["codes"][0]["label"], french.json()["codes"][0]["label"]);
    assert_ne!(spanish.header("etag"), french.header("etag"));
    assert_eq!(french.header("content-language"), "fr");
    assert_eq!(spanish.header("cache-control"), "public, max-age=86400");
    assert!(spanish.header("vary").contains("Accept-Language"));
    assert_eq!(spanish.header("access-control-allow-origin"), "*");
    let tag = spanish.header("etag");
    assert!(tag.starts_with('"') && tag.ends_with(".es\""), "{tag}");
    let kept = ask(&[("If-None-Match", &tag)]);
    assert_eq!((kept.status, kept.text.as_str(), kept.header("etag")), (304, "", tag.clone()));
    assert_eq!(kept.header("cache-control"), "public, max-age=86400");
    assert_eq!(ask(&[("If-None-Match", &tag), ("Accept-Language", "fr")]).status, 200);
}

fn the_day_of_the_facts_decides_the_article_and_a_wrong_one_is_told_the_right_one(world) {
    let token = world.prosecutor();
    let of_2012 = |charge: Value| {
        let mut body = case();
        body["facts_from"] = json!("2012-05");
        body["facts_to"] = json!("2012-05-20");
        let mut whole = body["charges"][0].clone();
        whole.as_object_mut().unwrap().extend(charge.as_object().unwrap().clone());
        body["charges"] = json!([whole]);
        world.post("/v1/cases", &token, &body)
    };
    let made = of_2012(json!({"article": "153", "aggravators": ["PE-CP-129-B.1.3"]}));
    assert_eq!(made.status, 201, "{}", made.text);
    let listed = world.get(&charges_of(&made.header("location")), &token).json();
    let charge = &listed["items"][0];
    assert_eq!((&charge["article"], &charge["offence_version"]), (&json!("153"), &json!("PE-TRATA@2007")));
    let expected = |charge: Value| {
        let answer = of_2012(charge);
        assert_eq!((answer.status, answer.code().as_str()), (422, "validation_failed"), "{}", answer.text);
        let errors = answer.json()["errors"].clone();
        assert_eq!(errors.as_array().unwrap().len(), 1, "{errors}");
        (errors[0]["pointer"].as_str().unwrap().to_owned(), errors[0]["code"].as_str().unwrap().to_owned(), errors[0]["expected"].clone())
    };
    assert_eq!(expected(json!({"article": "129-A"})), ("#/charges/0/article".into(), "cross_field".into(), json!("153")));
    assert_eq!(expected(json!({"offence_code": "PE-CP-129-D"})), ("#/charges/0/offence_code".into(), "enum".into(), json!("2019-06-19/..")));
    assert_eq!(expected(json!({"offence_code": "PE-CP-129-P"})), ("#/charges/0/offence_code".into(), "enum".into(), Value::Null));
    // Pregnancy became an inciso in 2021.
    assert_eq!(expected(json!({"aggravators": ["PE-CP-129-B.1.7"]})).0, "#/charges/0/aggravators/0");
}

fn what_is_unknown_is_said_to_be_so(world) {
    let ask = |path: &str| world.send("GET", &format!("/v1/catalogues/{path}"), None, &[], b"");
    for path in [
        "offences/PE-CP-129-P", "offences/PE-CP-129-A?on=1990-01-01", "code-lists/nothing", "code-lists/urgency?on=1990-01-01",
        "jurisdictions/PE-NCPP1940", "jurisdictions/PE", "jurisdictions/PE-NCPP2004?on=1990-01-01", "nothing",
    ] {
        assert_eq!((ask(path).status, ask(path).code().as_str()), (404, "not_found"), "{path}");
    }
    for path in ["offences?day=2020-01-01", "places?on=2020-01-01", "identifier-schemes?x=1"] {
        assert_eq!((ask(path).status, ask(path).code().as_str()), (400, "unknown_parameter"), "{path}");
    }
    for day in ["2020-02-30", "2020-1-1", "yesterday", ""] {
        let answer = ask(&format!("offences?on={day}"));
        assert_eq!((answer.status, answer.faults()), (400, vec!["on: enum".to_owned()]), "{day}");
    }
}
}

fn sistra(args: &[&str]) -> (bool, String, Vec<String>) {
    let output = Command::new(env!("CARGO_BIN_EXE_sistra")).args(args).env_remove("SISTRA_CATALOGUE_DIR").output().unwrap();
    let lines = |bytes: &[u8]| String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect::<Vec<_>>();
    (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned(), lines(&output.stderr))
}

#[test]
fn a_ministry_exports_the_law_corrects_it_and_is_told_every_mistake() {
    let dir = std::env::temp_dir().join(format!("sistra-catalogue-cli-{}", crate::support::unique()));
    let (law, data) = (dir.join("law"), dir.join("data"));
    let (law_arg, data_arg) = (law.to_str().unwrap(), data.to_str().unwrap());
    let (done, _, errors) = sistra(&["catalogue", "export", law_arg]);
    assert!(done, "{errors:?}");
    let release = |args: &[&str]| {
        let (done, out, errors) = sistra(args);
        assert!(done, "{errors:?}");
        serde_json::from_str::<Value>(&out).unwrap()["release"].clone()
    };
    assert_eq!(release(&["catalogue", "check"]), release(&["catalogue", "check", law_arg]));
    let change = |file: &str, from: &str, to: &str| {
        let path = law.join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{from}");
        std::fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    change("places.json", "Amazonas", "Amazonas corregido");
    assert_ne!(release(&["catalogue", "check"]), release(&["catalogue", "check", law_arg]));
    change("limits.json", "\"amount\": 60", "\"amount\": 0");
    change("limits.json", "\"unit\": \"day\"", "\"unit\": \"dia\"");
    for args in [
        vec!["catalogue", "check", law_arg],
        // A broken law stops the start before anything listens.
        vec!["serve", "--bind", "127.0.0.1:0", "--data-dir", data_arg, "--catalogue-dir", law_arg],
    ] {
        let (done, _, errors) = sistra(&args);
        let of = |place: &str| errors.iter().filter(|l| l.starts_with("sistra: ") && l.contains(place)).count();
        assert!(!done, "{args:?}");
        assert_eq!((of("limits.json at /0/amount:"), of("limits.json at /0/unit:"), errors.len()), (1, 1, 2), "{errors:?}");
    }
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_code_that_stands_in_a_record_is_not_held_against_a_later_list() {
    let mut world = World::new(Engine::Sqlite).unwrap();
    let path = world.post("/v1/cases", &world.prosecutor(), &case()).header("location");
    world.running.take().unwrap().stop();
    // The list of the next day no longer has the code of the case, nor one of a part and one of a charge.
    let law = world.dir.join("law");
    std::fs::create_dir(&law).unwrap();
    let mut lists: Value = serde_json::from_str(include_str!("../src/catalogue/data/code_lists.json")).unwrap();
    for list in lists.as_array_mut().unwrap() {
        let ended = |code: &Value| ["sexual_adult", "recruit", "author", "police"].contains(&code["code"].as_str().unwrap());
        let written = ["exploitation", "act", "role", "report_channel"].contains(&list["list"].as_str().unwrap());
        for code in list["codes"].as_array_mut().unwrap().iter_mut().filter(|c| written && ended(c)) {
            code["valid_until"] = json!("2026-01-01");
        }
    }
    std::fs::write(law.join("code_lists.json"), lists.to_string()).unwrap();
    let config = Config { catalogue_dir: Some(law), ..Config::for_tests(world.database.clone(), world.dir.clone()) };
    world.running = Some(sistra::app::start(&config).unwrap());
    let token = world.prosecutor();
    assert_eq!(world.post("/v1/cases", &token, &case()).faults().len(), 4, "a new case is held against the new lists");
    let tag = |path: &str| world.get(path, &token).header("etag");
    let amend = |path: &str, body: Value| world.patch(path, &token, &tag(path), &body);
    assert_eq!(amend(&path, json!({"title": "Otro título"})).status, 200);
    let old = world.get("/v1/cases?exploitation=sexual_adult", &token).json();
    assert_eq!(old["items"].as_array().unwrap().len(), 1, "what stands can still be looked for");
    let refused = amend(&path, json!({"exploitation": ["begging", "sexual_adult"]}));
    assert_eq!((refused.status, refused.faults()), (422, vec!["#/exploitation/1: enum".to_owned()]));
    let charge = world.get(&charges_of(&path), &token).json()["items"][0]["id"].as_str().unwrap().to_owned();
    let charge = format!("/v1/charges/{charge}");
    assert_eq!(amend(&charge, json!({"aggravators": ["PE-CP-129-B.1.3"]})).status, 200);
    let victim = world.get(&format!("{path}/victims"), &token).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    let part = format!("{path}/victims/{victim}");
    assert_eq!(amend(&part, json!({"means": ["fraud"]})).status, 200);
    assert_eq!(amend(&part, json!({"acts": ["recruit", "harbour"]})).faults(), vec!["#/acts/0: enum"]);
}
