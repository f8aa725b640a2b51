//! The judicial life of a case and its charges, act by act, as the profiles of the catalogue have it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::NaiveDate;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::catalogue::{Catalogue, Effect, Guard, Profile, Transition};

use crate::both;
use crate::support::file::{File, reported};
use crate::support::{World, case};

fn law() -> Catalogue {
    Catalogue::embedded().unwrap()
}

/// A day on which a version of a procedure had begun and the walks below end before the next one does.
fn begins(profile: &Profile) -> NaiveDate {
    match profile.version.as_str() {
        "2024-10-11" => "2024-11-04",
        "2006-07-01" => "2012-03-05",
        _ => "2008-03-03",
    }
    .parse()
    .unwrap()
}

/// The shortest way from the first stage to every stage, by transitions that stay in this file.
fn ways<'p>(profile: &'p Profile, identified: bool, outcome: &str) -> BTreeMap<&'p str, Vec<&'p Transition>> {
    let mut ways = BTreeMap::from([(profile.initial_stage.as_str(), Vec::new())]);
    let mut queue = VecDeque::from([profile.initial_stage.as_str()]);
    while let Some(stage) = queue.pop_front() {
        for next in profile.available(stage) {
            let Some(to) = next.to.as_deref() else { continue };
            let needs = next.guards.contains(&Guard::HasIdentifiedAccused);
            let agreed = next.verdicts.as_ref().is_some_and(|v| v.convicted.is_some() && v.acquitted.is_none());
            if (agreed && outcome == "acquitted") || ways.contains_key(to) || next.effect.is_some() || (needs && !identified)
            {
                continue;
            }
            let way: Vec<&Transition> = ways[stage].iter().copied().chain([next]).collect();
            ways.insert(to, way);
            queue.push_back(to);
        }
    }
    ways
}

fn start<'w>(world: &'w World, token: &str, profile: &Profile, identified: bool) -> File<'w> {
    let mut new = reported(&profile.procedural_code, begins(profile));
    if !identified {
        new["accused"][0]["kind"] = json!("unidentified");
    }
    new["accused"].as_array_mut().unwrap().push(json!({"label": "a2", "kind": "unidentified"}));
    File::open(world, token, &new)
}

/// What an effect asks for.
fn extras(file: &File<'_>, transition: &Transition) -> Value {
    match transition.effect {
        None | Some(Effect::Extend) => json!({}),
        Some(Effect::Transfer) => json!({"to_agency": "PE-MP-FISTRAP-CUSCO"}),
        Some(Effect::Split) => {
            let accused = file.world.get(&format!("{}/accused", file.path), &file.token).json();
            let one = accused["items"]
                .as_array()
                .unwrap()
                .iter()
                .find(|a| a["kind"] != "unidentified")
                .or(accused["items"].as_array().unwrap().first());
            json!({"accused": [one.unwrap()["id"]]})
        }
        Some(Effect::Join) => {
            let mut new = case();
            new["procedural_code"] = file.read()["procedural_code"].clone();
            new["reported_at"] = json!(format!("{}T15:00:00Z", file.on));
            new["facts_from"] = json!("2007");
            new["charges"] = json!([]);
            json!({"into_case_id": File::open(file.world, &file.token, &new).id})
        }
    }
}

fn every_transition_of(world: &World, profile: &Profile) {
    let token = world.prosecutor();
    let triggers: BTreeSet<&str> = profile.transitions.iter().map(|t| t.trigger.as_str()).collect();
    let mut refused_from = BTreeSet::new();
    for transition in &profile.transitions {
        let identified = !transition.guards.contains(&Guard::NoIdentifiedAccused);
        let outcome = if transition.trigger == "close_acquitted" { "acquitted" } else { "convicted" };
        for from in &transition.from {
            let all = ways(profile, identified, outcome);
            let way = all.get(from.as_str()).unwrap_or_else(|| panic!("no way to {from}"));
            let mut file = start(world, &token, profile, identified);
            for step in way {
                let answer = file.go(profile, step, outcome, json!({}));
                assert_eq!(answer.status, 200, "{} on the way to {from}: {}", step.id, answer.text);
            }
            assert_eq!(file.stage(), *from);
            if refused_from.insert(from.clone()) {
                let leaving: BTreeSet<&str> = profile.available(from).map(|t| t.trigger.as_str()).collect();
                for trigger in triggers.difference(&leaving).copied().chain(["nonsense"]) {
                    let refused = file.act(15, trigger, "auto", json!({}));
                    assert_eq!(
                        (refused.status, refused.json()["failed_guards"].clone()),
                        (409, json!(["no_such_transition"])),
                        "{from} {trigger}"
                    );
                }
            }
            let done = file.go(profile, transition, outcome, extras(&file, transition));
            assert_eq!(done.status, 200, "{} out of {from}: {}", transition.id, done.text);
            assert_eq!(done.json()["stage"].as_str(), Some(transition.to.as_deref().unwrap_or(from)), "{}", transition.id);
            let moves = world.get(&format!("{}/transitions?limit=200", file.path), &token).json();
            let last = moves["items"].as_array().unwrap().last().unwrap().clone();
            assert_eq!(
                (last["trigger"].as_str(), last["from"].as_str()),
                (Some(transition.trigger.as_str()), Some(from.as_str()))
            );
            consistent(&file, profile);
        }
    }
    // Terminal stages let nothing out.
    for stage in profile.stages.iter().filter(|s| s.terminal) {
        assert_eq!(profile.available(&stage.code).count(), 0, "{}", stage.code);
    }
}

/// Case, charges and their records tell one story.
fn consistent(file: &File<'_>, profile: &Profile) {
    let world = file.world;
    let chain = |path: &str, first: &str, last: &str| {
        let moves = world.get(&format!("{path}/transitions?limit=200"), &file.token).json();
        let mut state = first.to_owned();
        for step in moves["items"].as_array().unwrap() {
            assert_eq!(step["from"].as_str(), Some(state.as_str()), "{path}: a gap in {moves}");
            state = step["to"].as_str().unwrap().to_owned();
        }
        assert_eq!(state, last, "{path}");
        moves["items"].as_array().unwrap().len()
    };
    let case = file.read();
    chain(&file.path, &profile.initial_stage, case["stage"].as_str().unwrap());
    let history = world.get(&format!("{}/history?limit=200", file.path), &file.token).json();
    let versions: Vec<i64> = history["items"].as_array().unwrap().iter().filter_map(|e| e["version"].as_i64()).collect();
    let last = case["version"].as_i64().unwrap();
    assert_eq!(versions, (1..=last).collect::<Vec<_>>(), "every version has its entry, in order");
    let stage = case["stage"].as_str().unwrap();
    for charge in file.charges() {
        let state = charge["state"].as_str().unwrap();
        if charge["continues"].is_null() {
            chain(&format!("/v1/charges/{}", charge["id"].as_str().unwrap()), &profile.initial_charge_state, state);
        }
        if matches!(stage, "final" | "enforcement" | "closed") {
            assert!(!matches!(state, "convicted_1" | "acquitted_1" | "for_trial" | "indicted"), "{stage}: {state}");
        }
        let verdict = &charge["verdict"]["outcome"];
        match state {
            "convicted_1" | "convicted_final" => assert_eq!(verdict, "convicted", "{charge}"),
            "acquitted_1" | "acquitted_final" => assert_eq!(verdict, "acquitted", "{charge}"),
            _ => {}
        }
    }
    let terms = world.get(&format!("{}/deadlines", file.path), &file.token);
    assert_eq!(terms.status, 200, "{}", terms.text);
    for term in terms.json()["items"].as_array().unwrap() {
        let (from, to) = (term["starts_on"].as_str().unwrap(), term["due_on"].as_str().unwrap());
        assert!(from == case["stage_since"].as_str().unwrap() && from < to, "{term}");
    }
    let available = world.get(&format!("{}/transitions/available", file.path), &file.token).json();
    let offered: BTreeSet<&str> =
        available["items"].as_array().unwrap().iter().map(|t| t["trigger"].as_str().unwrap()).collect();
    let law: BTreeSet<&str> = profile.available(stage).map(|t| t.trigger.as_str()).collect();
    assert_eq!(offered, law);
}

/// A small generator: the walks are the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// A case reported on a day.
fn new_on(mut new: Value, on: NaiveDate) -> Value {
    new["reported_at"] = json!(format!("{on}T15:00:00Z"));
    new["facts_from"] = json!("2026-01");
    new
}

both! {
fn what_is_not_known_yet_is_enough_to_register_somebody_and_not_to_accuse_anybody(world) {
    let token = world.prosecutor();
    let mut new = case();
    new["victims"][0]["age_at_identification"] = json!(22);
    for (field, given) in [("means", json!(["unknown", "deception"])), ("acts", json!(["recruit", "unknown"])), ("purposes", json!(["unknown", "begging"]))] {
        let mut both = new.clone();
        both["victims"][0][field] = given;
        let index = if field == "acts" { 1 } else { 0 };
        let refused = world.post("/v1/cases", &token, &both);
        assert_eq!(refused.faults(), [format!("#/victims/0/{field}/{index}: cross_field")], "{field}");
    }
    for (age, field, change) in [(22, "means", json!(["deception"])), (22, "acts", json!(["recruit"])), (22, "purposes", json!(["sexual_exploitation"])), (15, "acts", json!(["harbour"]))] {
        let mut new = case();
        new["victims"][0]["age_at_identification"] = json!(age);
        new["victims"][0][field] = json!(["unknown"]);
        let on = "2026-03-02".parse().unwrap();
        let mut file = File::open(world, &token, &new_on(new, on));
        file.did(1, "open_inquiry", "disposicion", json!({}));
        file.did(1, "formalise", "disposicion", json!({}));
        file.did(1, "conclude", "disposicion", json!({}));
        let refused = file.act(1, "accuse", "requerimiento", json!({}));
        assert_eq!((refused.status, &refused.json()["failed_guards"]), (409, &json!(["elements_known"])), "{age} {field}: {}", refused.text);
        let next = world.get(&format!("{}/transitions/available", file.path), &token).json();
        let accuse = next["items"].as_array().unwrap().iter().find(|t| t["trigger"] == "accuse").unwrap();
        assert_eq!((&accuse["allowed"], &accuse["failed_guards"]), (&json!(false), &json!(["elements_known"])));
        let part = format!("{}/victims/{}", file.path, world.get(&format!("{}/victims", file.path), &token).json()["items"][0]["victim_id"].as_str().unwrap());
        let known = world.patch(&part, &token, &world.get(&part, &token).header("etag"), &json!({field: change}));
        assert_eq!(known.status, 200, "{}", known.text);
        file.did(1, "accuse", "requerimiento", json!({}));
        assert_eq!(file.stage(), "indicted");
    }
    // Of a minor the law asks for no means, and of whom it is not a victim for nothing.
    for change in [json!({"age_at_identification": 15, "means": ["unknown"]}), json!({"age_at_identification": 22, "means": ["unknown"], "status": "not_victim"})] {
        let mut new = case();
        change.as_object().unwrap().iter().for_each(|(name, value)| new["victims"][0][name] = value.clone());
        let on = "2026-03-02".parse().unwrap();
        let mut file = File::open(world, &token, &new_on(new, on));
        for (trigger, act) in [("open_inquiry", "disposicion"), ("formalise", "disposicion"), ("conclude", "disposicion"), ("accuse", "requerimiento")] {
            file.did(1, trigger, act, json!({}));
        }
    }
}

fn every_transition_of_the_procedure_before_october_2024_works_and_no_other(world) {
    every_transition_of(world, &law().profiles()[0]);
}

fn every_transition_of_the_procedure_since_october_2024_works_and_no_other(world) {
    every_transition_of(world, &law().profiles()[1]);
}

fn every_transition_of_the_code_of_1940_works_and_no_other(world) {
    every_transition_of(world, &law().profiles()[2]);
}

fn any_walk_of_allowed_acts_leaves_one_story(world) {
    let law = law();
    let token = world.prosecutor();
    for seed in 1..=24_u64 {
        let profile = &law.profiles()[(seed % 3) as usize];
        let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut file = start(world, &token, profile, true);
        for _ in 0..20 {
            let stage = file.stage();
            let leaving: Vec<&Transition> = profile.available(&stage).filter(|t| !matches!(t.effect, Some(Effect::Join | Effect::Transfer))).collect();
            if leaving.is_empty() {
                break;
            }
            let transition = leaving[dice.roll(leaving.len())];
            let outcome = ["convicted", "acquitted"][dice.roll(2)];
            let more = if transition.effect == Some(Effect::Split) { extras(&file, transition) } else { json!({}) };
            let answer = file.go(profile, transition, outcome, more);
            assert!(matches!(answer.status, 200 | 409 | 422), "{seed} {}: {}", transition.id, answer.text);
        }
        consistent(&file, profile);
    }
}

fn a_conviction_stands_after_a_first_judgment_was_annulled(world) {
    let token = world.prosecutor();
    let mut new = reported("NCPP2004", "2022-03-01".parse().unwrap());
    new["charges"][0]["aggravators"] = json!(["PE-CP-129-B.1.3"]);
    let mut file = File::open(world, &token, &new);
    file.did(2, "open_inquiry", "disposicion", json!({}));
    file.did(50, "extend_inquiry", "disposicion", json!({}));
    let again = file.act(5, "extend_inquiry", "disposicion", json!({}));
    assert_eq!(again.json()["failed_guards"], json!(["once_in_stage"]));
    file.did(40, "formalise", "disposicion", json!({}));
    file.did(110, "conclude", "disposicion", json!({}));
    file.did(14, "accuse", "requerimiento", json!({}));
    file.did(5, "notify_and_convene", "resolucion", json!({}));
    file.did(20, "return_for_correction", "auto", json!({}));
    file.did(4, "notify_and_convene", "resolucion", json!({}));
    file.did(15, "issue_enjuiciamiento", "auto", json!({}));
    assert_eq!(file.act(9, "summon_and_open", "auto", json!({})).json()["failed_guards"], json!(["not_before"]));
    file.did(15, "summon_and_open", "auto", json!({}));
    file.did(9, "break_trial", "auto", json!({}));
    file.did(20, "summon_and_open", "auto", json!({}));
    let charge = file.charges()[0]["id"].clone();
    let verdict = |outcome: &str, months: Value| json!({"verdicts": [{"charge_id": charge, "outcome": outcome, "imprisonment_months": months}]});
    // Aggravated: 12 to 20 years. Outside it only with a reason.
    let short = file.act(30, "deliver_judgment", "sentencia", verdict("convicted", json!(96)));
    assert_eq!(short.faults(), ["#/verdicts/0/out_of_band_reason: required"]);
    assert_eq!(file.act(30, "deliver_judgment", "sentencia", json!({})).faults(), ["#/verdicts: required"]);
    assert_eq!(file.act(30, "deliver_judgment", "auto", verdict("acquitted", json!(3))).faults(), ["#/legal_act/type: enum", "#/verdicts/0/imprisonment_months: cross_field"]);
    let mut first = verdict("convicted", json!(150));
    first["verdicts"][0]["day_fines"] = json!(200);
    first["verdicts"][0]["disqualification"] = json!(["CP-36.1"]);
    first["verdicts"][0]["reparation"] = json!([{"head": "unpaid_wages", "currency": "PEN", "claimed_cents": 3_000_000, "awarded_cents": 1_500_000}]);
    file.did(30, "deliver_judgment", "sentencia", first);
    assert_eq!(file.charge_states(), ["convicted_1"]);
    let accused = file.charges()[0]["accused_id"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/v1/accused/{accused}/publication"), &token).json()["identity"], "withheld");
    let victim = world.get(&format!("{}/victims", file.path), &token).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/v1/victims/{victim}/publication"), &token).json(), json!({"identity": "withheld", "reason": "victim"}));
    assert_eq!(world.get(&format!("/v1/accused/{accused}/publication"), &world.shelter()).status, 404);
    assert_eq!(world.get(&format!("/v1/victims/{victim}/publication"), &world.shelter()).status, 404);
    assert_eq!(file.act(10, "appeal_judgment", "recurso", json!({})).json()["failed_guards"], json!(["within_stage"]));
    file.did(3, "appeal_judgment", "recurso", json!({"actor": "accused"}));
    file.did(60, "annul_and_retry", "sentencia", json!({}));
    assert_eq!((file.stage().as_str(), file.charge_states()), ("trial_ordered", vec!["for_trial".to_owned()]));
    file.did(30, "summon_and_open", "resolucion", json!({}));
    file.did(40, "deliver_judgment", "sentencia", verdict("convicted", json!(144)));
    assert_eq!(file.act(3, "no_appeal", "resolucion", json!({})).json()["failed_guards"], json!(["after_stage"]));
    file.did(2, "appeal_judgment", "recurso", json!({"actor": "accused"}));
    file.did(70, "confirm", "sentencia", json!({}));
    let named = |file: &File<'_>| {
        let accused = file.charges()[0]["accused_id"].as_str().unwrap().to_owned();
        world.get(&format!("/v1/accused/{accused}/publication"), &token).json()
    };
    assert_eq!(named(&file), json!({"identity": "public", "reason": "final_conviction"}));
    file.did(5, "register_conviction", "resolucion", json!({}));
    let charge = &file.charges()[0];
    assert_eq!((charge["state"].as_str(), charge["verdict"]["imprisonment_months"].as_i64()), (Some("convicted_final"), Some(144)));
    assert_eq!(charge["verdict"]["band"], json!({"min_months": 144, "max_months": 240}));
    let verdicts = world.get(&format!("/v1/charges/{}/verdicts", charge["id"].as_str().unwrap()), &token).json();
    let terms: Vec<i64> = verdicts["items"].as_array().unwrap().iter().map(|v| v["imprisonment_months"].as_i64().unwrap()).collect();
    assert_eq!(terms, [150, 144], "the annulled judgment stays on record");
    // The reparation is paid, part by part.
    let paid = |cents: i64| json!({"reparation": [{"head": "unpaid_wages", "currency": "PEN", "claimed_cents": 3_000_000, "awarded_cents": 1_500_000, "paid_cents": cents}]});
    let path = format!("/v1/charges/{}", charge["id"].as_str().unwrap());
    let tag = format!("\"{}.o\"", charge["version"]);
    assert_eq!(world.patch(&path, &token, &tag, &paid(1_500_001)).faults(), ["#/reparation/0/paid_cents: cross_field"]);
    assert_eq!(world.patch(&path, &token, &tag, &paid(700_000)).json()["reparation"][0]["paid_cents"], 700_000);
    file.did(30, "sentence_served", "auto", json!({}));
    consistent(&file, &law().profiles()[0]);
}

fn an_agreement_is_refused_once_and_cannot_be_asked_for_again(world) {
    let token = world.prosecutor();
    let mut file = File::open(world, &token, &reported("NCPP2004", "2023-03-01".parse().unwrap()));
    file.did(2, "open_inquiry", "disposicion", json!({}));
    file.did(40, "formalise", "disposicion", json!({}));
    file.did(10, "early_termination", "solicitud", json!({"actor": "accused"}));
    file.did(10, "refuse_agreement", "auto", json!({}));
    assert_eq!(file.act(5, "early_termination", "solicitud", json!({})).json()["failed_guards"], json!(["once"]));
    let mut other = File::open(world, &token, &reported("NCPP2004", "2023-03-01".parse().unwrap()));
    other.did(2, "open_inquiry", "disposicion", json!({}));
    other.did(40, "formalise", "disposicion", json!({}));
    other.did(10, "early_termination", "solicitud", json!({}));
    let charge = other.charges()[0]["id"].clone();
    // Eight years less a sixth: 80 months are within the agreed band, 79 are not.
    let term = |months: i64| json!({"verdicts": [{"charge_id": charge, "outcome": "convicted", "imprisonment_months": months}]});
    assert_eq!(other.act(5, "approve_agreement", "sentencia", term(79)).faults(), ["#/verdicts/0/out_of_band_reason: required"]);
    let acquitted = json!({"verdicts": [{"charge_id": charge, "outcome": "acquitted"}]});
    assert!(other.act(5, "approve_agreement", "sentencia", acquitted).faults().contains(&"#/verdicts/0/outcome: enum".to_owned()));
    other.did(5, "approve_agreement", "sentencia", term(80));
    assert_eq!((other.stage().as_str(), other.charge_states()), ("judged", vec!["convicted_1".to_owned()]));
    other.did(15, "no_appeal", "resolucion", json!({}));
    assert_eq!(other.charge_states(), ["convicted_final"]);
    consistent(&other, &law().profiles()[0]);
}

fn a_dismissal_is_asked_for_investigated_forced_and_granted(world) {
    let token = world.prosecutor();
    let mut file = File::open(world, &token, &reported("NCPP2004", "2023-03-01".parse().unwrap()));
    for (days, trigger, act) in [
        (2, "open_inquiry", "disposicion"), (30, "formalise", "disposicion"), (100, "conclude", "disposicion"), (10, "request_dismissal", "requerimiento"),
        (10, "supplementary_investigation", "auto"), (30, "conclude", "auto"), (10, "request_dismissal", "requerimiento"), (10, "grant_dismissal", "auto"),
    ] {
        file.did(days, trigger, act, json!({}));
    }
    assert_eq!((file.stage().as_str(), file.charge_states()), ("dismissed", vec!["dismissed".to_owned()]));
    file.did(5, "close_dismissed", "resolucion", json!({}));
    let mut forced = File::open(world, &token, &reported("NCPP2004", "2023-03-01".parse().unwrap()));
    for (days, trigger, act) in [(2, "open_inquiry", "disposicion"), (30, "formalise", "disposicion"), (100, "conclude", "disposicion"), (10, "request_dismissal", "requerimiento"), (10, "force_accusation", "disposicion")] {
        forced.did(days, trigger, act, json!({}));
    }
    assert_eq!((forced.stage().as_str(), forced.charge_states()), ("indicted", vec!["indicted".to_owned()]));
    consistent(&file, &law().profiles()[0]);
    consistent(&forced, &law().profiles()[0]);
}

fn an_archived_case_is_reviewed_confirmed_and_reopened(world) {
    let token = world.prosecutor();
    let mut file = File::open(world, &token, &reported("NCPP2004", "2023-03-01".parse().unwrap()));
    file.did(2, "open_inquiry", "disposicion", json!({}));
    file.did(40, "not_formalise", "disposicion", json!({}));
    assert_eq!(file.charge_states(), ["archived"]);
    file.did(8, "confirm_archive", "disposicion", json!({"actor": "senior_prosecutor"}));
    assert_eq!(file.act(2, "confirm_archive", "disposicion", json!({})).json()["failed_guards"], json!(["once_in_stage"]));
    file.did(90, "reopen_new_evidence", "disposicion", json!({}));
    assert_eq!((file.stage().as_str(), file.charge_states()), ("preliminary_inquiry", vec!["under_inquiry".to_owned()]));
    file.did(30, "not_formalise", "disposicion", json!({}));
    file.did(8, "order_formalisation", "disposicion", json!({}));
    assert_eq!((file.stage().as_str(), file.charge_states()), ("formal_investigation", vec!["formalised".to_owned()]));
    consistent(&file, &law().profiles()[0]);
}

fn a_joined_file_says_where_it_went_and_both_keep_number_and_history(world) {
    let token = world.prosecutor();
    let on: NaiveDate = "2023-03-01".parse().unwrap();
    let mut new = reported("NCPP2004", on);
    new["identifiers"] = json!([{"scheme": "PE-CARPETA", "value": "506014501-2023-590-0"}]);
    let mut file = File::open(world, &token, &new);
    new["identifiers"] = json!([{"scheme": "PE-CARPETA", "value": "506014501-2023-591-0"}]);
    let other = File::open(world, &token, &new);
    file.did(2, "open_inquiry", "disposicion", json!({}));
    let stranger = File::open(world, &world.token("PE-PNP", crate::support::ALL, Purpose::Investigation), &reported("NCPP2004", on));
    for (target, fault) in [(json!(file.id), "#/into_case_id: cross_field"), (json!(stranger.id), "#/into_case_id: reference_not_found"), (Value::Null, "#/into_case_id: required")] {
        assert_eq!(file.act(5, "join", "disposicion", json!({"into_case_id": target})).faults(), [fault]);
    }
    let joined = file.did(5, "join", "disposicion", json!({"into_case_id": other.id}));
    assert_eq!((joined["stage"].as_str(), joined["continued_in"].as_str()), (Some("joined"), Some(other.id.as_str())));
    let read = world.get(&file.path, &token);
    assert_eq!(read.header("link"), format!("</v1/cases/{}>; rel=\"successor-version\"", other.id));
    assert_eq!(read.json()["identifiers"][0]["value"], "506014501-2023-590-0");
    let target = other.read();
    assert_eq!((target["joined_from"].clone(), target["identifiers"][0]["value"].as_str()), (json!([file.id]), Some("506014501-2023-591-0")));
    // Persons of both, charges of both, each continued charge naming the other end.
    let count = |path: &str| world.get(path, &token).json()["items"].as_array().unwrap().len();
    assert_eq!((count(&format!("{}/victims", other.path)), count(&format!("{}/accused", other.path))), (2, 2));
    let (old, new) = (file.charges()[0].clone(), other.charges().into_iter().find(|c| !c["continues"].is_null()).unwrap());
    assert_eq!((old["continued_as"].clone(), new["continues"].clone(), new["state"].clone()), (new["id"].clone(), old["id"].clone(), json!("under_inquiry")));
    // The old file is read, and no longer written.
    let tag = format!("\"{}.o\"", read.json()["version"]);
    for refused in [
        world.patch(&file.path, &token, &tag, &json!({"title": "x"})),
        world.post(&format!("{}/accused", file.path), &token, &json!({"kind": "natural_person"})),
        world.patch(&format!("/v1/charges/{}", old["id"].as_str().unwrap()), &token, &format!("\"{}.o\"", old["version"]), &json!({"role": "promoter"})),
    ] {
        assert_eq!((refused.status, refused.json()["failed_guards"].clone()), (409, json!(["case_continued"])), "{}", refused.text);
    }
    let history = world.get(&format!("{}/history", file.path), &token).json();
    assert_eq!(history["items"].as_array().unwrap().last().unwrap()["to"], "joined");
}

fn a_file_is_split_and_a_file_is_transferred(world) {
    let token = world.prosecutor();
    let on: NaiveDate = "2023-03-01".parse().unwrap();
    let mut new = reported("NCPP2004", on);
    new["accused"] = json!([{"label": "a1", "kind": "natural_person"}, {"label": "a2", "kind": "natural_person"}]);
    new["charges"] = json!([
        {"accused": "a1", "offence_code": "PE-CP-129-A", "role": "author", "victims": ["v1"]},
        {"accused": "a2", "offence_code": "PE-CP-129-A", "role": "facilitator", "victims": ["v1"]}]);
    let mut file = File::open(world, &token, &new);
    file.did(2, "open_inquiry", "disposicion", json!({}));
    let accused: Vec<Value> = file.charges().iter().map(|c| c["accused_id"].clone()).collect();
    assert_eq!(file.act(3, "split", "disposicion", json!({"accused": accused})).faults(), ["#/accused: cross_field"]);
    let split = file.did(3, "split", "disposicion", json!({"accused": [accused[1]]}));
    assert_eq!(split["stage"], "preliminary_inquiry");
    let part = split["split_into"][0].as_str().unwrap().to_owned();
    let read = world.get(&format!("/v1/cases/{part}"), &token).json();
    assert_eq!((read["continues"].as_str(), read["stage"].as_str(), read["identifiers"].clone()), (Some(file.id.as_str()), Some("preliminary_inquiry"), json!([])));
    let theirs = world.get(&format!("/v1/charges?case_id={part}"), &token).json();
    assert_eq!((theirs["items"].as_array().unwrap().len(), theirs["items"][0]["accused_id"].clone()), (1, accused[1].clone()));
    // What stays goes on without what left.
    file.did(20, "formalise", "disposicion", json!({}));
    assert_eq!(file.charge_states(), ["formalised", "under_inquiry"]);
    // A transfer: the other office goes on, and reads the old file; nobody else sees the new one.
    let mut moved = File::open(world, &token, &reported("NCPP2004", on));
    let cusco = world.token("PE-MP-FISTRAP-CUSCO", crate::support::ALL, Purpose::Prosecution);
    assert_eq!(moved.act(3, "transfer", "disposicion", json!({"to_agency": "PE-NOBODY"})).faults(), ["#/to_agency: reference_not_found"]);
    assert_eq!(world.get(&moved.path, &cusco).status, 404);
    let gone = moved.did(3, "transfer", "disposicion", json!({"to_agency": "PE-MP-FISTRAP-CUSCO"}));
    let next = format!("/v1/cases/{}", gone["continued_in"].as_str().unwrap());
    assert_eq!(gone["stage"], "transferred");
    assert_eq!((world.get(&next, &token).status, world.get(&next, &cusco).status, world.get(&moved.path, &cusco).status), (404, 200, 200));
    let mut file = File { world, token: cusco, path: next.clone(), id: next[10..].to_owned(), on: moved.on };
    assert_eq!((file.read()["stage"].as_str(), file.charges().len()), (Some("reported"), 1));
    file.did(2, "open_inquiry", "disposicion", json!({}));
}

fn one_charge_is_archived_withdrawn_suspended_or_extinguished_on_its_own(world) {
    let token = world.prosecutor();
    let on: NaiveDate = "2023-03-01".parse().unwrap();
    let mut new = reported("NCPP2004", on);
    new["accused"] = json!([{"label": "a1", "kind": "natural_person"}, {"label": "a2", "kind": "natural_person"}, {"label": "a3", "kind": "natural_person"}, {"label": "a4", "kind": "natural_person"}]);
    new["charges"] = json!(["a1", "a2", "a3", "a4"].map(|a| json!({"accused": a, "offence_code": "PE-CP-129-A", "role": "author"})));
    let mut file = File::open(world, &token, &new);
    let charge = |file: &File<'_>, n: usize| file.charges()[n].clone();
    let step = |file: &File<'_>, n: usize, trigger: &str| {
        let c = charge(file, n);
        let body = json!({"trigger": trigger, "effective_on": file.on.to_string(), "legal_act": {"type": "auto"}});
        world.step(&format!("/v1/charges/{}", c["id"].as_str().unwrap()), &token, &format!("\"{}.o\"", c["version"]), &body)
    };
    let guards = |answer: crate::support::Answer| (answer.status, answer.json()["failed_guards"].clone());
    assert_eq!(guards(step(&file, 0, "withdraw")), (409, json!(["no_such_transition"])));
    assert_eq!(guards(step(&file, 0, "archive")), (409, json!(["case_stage"])));
    file.did(2, "open_inquiry", "disposicion", json!({}));
    assert_eq!(step(&file, 3, "archive").status, 200);
    let covered = json!({"charges": [charge(&file, 0)["id"], charge(&file, 1)["id"], charge(&file, 2)["id"]]});
    file.did(20, "formalise", "disposicion", covered);
    assert_eq!(guards(step(&file, 0, "indict")), (409, json!(["by_case_act"])));
    let archived = json!({"charges": [charge(&file, 3)["id"]]});
    file.did(60, "conclude", "disposicion", json!({}));
    assert_eq!(file.act(10, "accuse", "requerimiento", archived).json()["failed_guards"], json!(["charge_state"]));
    file.did(10, "accuse", "requerimiento", json!({}));
    file.did(10, "notify_and_convene", "auto", json!({}));
    file.did(15, "issue_enjuiciamiento", "auto", json!({}));
    assert_eq!(step(&file, 1, "suspend_absence").status, 200);
    file.did(15, "summon_and_open", "auto", json!({}));
    assert_eq!(step(&file, 2, "withdraw").status, 200);
    let verdict = json!({"verdicts": [{"charge_id": charge(&file, 0)["id"], "outcome": "acquitted"}]});
    file.did(15, "deliver_judgment", "sentencia", verdict);
    assert_eq!(file.charge_states(), ["acquitted_1", "suspended_absence", "withdrawn", "archived"]);
    assert_eq!(step(&file, 1, "extinguish").status, 200);
    let offence = world.patch(&format!("/v1/charges/{}", charge(&file, 0)["id"].as_str().unwrap()), &token, &format!("\"{}.o\"", charge(&file, 0)["version"]), &json!({"offence_code": "PE-CP-129-C"}));
    assert_eq!(guards(offence), (409, json!(["charge_state"])));
    let available = world.get(&format!("/v1/charges/{}/transitions/available", charge(&file, 0)["id"].as_str().unwrap()), &token).json();
    let offered: Vec<(String, Value)> = available["items"].as_array().unwrap().iter().map(|t| (t["trigger"].as_str().unwrap().to_owned(), t["failed_guards"].clone())).collect();
    assert!(offered.contains(&("extinguish".into(), json!([]))) && offered.contains(&("acquittal_final".into(), json!(["by_case_act"]))), "{offered:?}");
}

fn the_police_open_inquiries_since_october_2024_and_not_before(world) {
    let police = world.token("PE-PNP", crate::support::ALL, Purpose::Investigation);
    let mut before = File::open(world, &police, &reported("NCPP2004", "2024-09-02".parse().unwrap()));
    let refused = before.act(2, "open_inquiry", "disposicion", json!({}));
    assert_eq!((refused.status, refused.json()["failed_guards"].clone()), (409, json!(["actor_not_competent"])));
    let mut after = File::open(world, &police, &reported("NCPP2004", "2024-10-11".parse().unwrap()));
    after.did(1, "open_inquiry", "disposicion", json!({"actor": "police"}));
    assert_eq!(after.act(1, "formalise", "disposicion", json!({})).json()["failed_guards"], json!(["actor_not_competent"]));
}

fn days_of_acts_are_full_in_order_and_not_to_come(world) {
    let token = world.prosecutor();
    let mut file = File::open(world, &token, &reported("NCPP2004", "2023-03-01".parse().unwrap()));
    let act = |on: &str| json!({"trigger": "open_inquiry", "effective_on": on, "legal_act": {"type": "disposicion"}});
    for (on, fault) in [("2023-02-28", "date_order"), ("2200-01-01", "date_order")] {
        assert_eq!(file.send(&act(on)).faults(), [format!("#/effective_on: {fault}")]);
    }
    for no_day in ["2023-03", "99999-01-01", "2023-02-30"] {
        assert_eq!(file.send(&act(no_day)).status, 422, "{no_day}");
    }
    file.did(0, "open_inquiry", "disposicion", json!({}));
    assert_eq!(file.read()["stage_since"], "2023-03-01");
}

fn strangers_and_participants_do_not_move_what_they_do_not_own(world) {
    let token = world.prosecutor();
    let mut file = File::open(world, &token, &reported("NCPP2004", "2023-03-01".parse().unwrap()));
    file.did(2, "open_inquiry", "disposicion", json!({}));
    let charge = file.charges()[0].clone();
    let path = format!("/v1/charges/{}", charge["id"].as_str().unwrap());
    let archive = json!({"trigger": "archive", "legal_act": {"type": "disposicion"}});
    let stranger = world.token("PE-PNP", crate::support::ALL, Purpose::Investigation);
    for read in ["/transitions", "/transitions/available", "/verdicts"] {
        assert_eq!(world.get(&format!("{path}{read}"), &stranger).status, 404, "{read}");
        assert_eq!(world.get(&format!("{path}{read}"), &token).status, 200, "{read}");
    }
    assert_eq!(world.step(&path, &stranger, "\"2.o\"", &archive).status, 404);
    let oversight = world.token("PE-DP", "charges:read charges:write cases:read cases:write", Purpose::Oversight);
    assert_eq!(world.get(&format!("{path}/verdicts"), &oversight).status, 200);
    assert_eq!(world.step(&path, &oversight, "\"2.s\"", &archive).code(), "owner_only");
    assert_eq!(world.step(&file.path, &oversight, "\"2.s\"", &json!({"trigger": "formalise"})).code(), "owner_only");
    let replayed = [("Idempotency-Key", "the-same-move-twice-0001"), ("If-Match", "\"2.o\"")];
    let first = world.post_with(&format!("{path}/transitions"), &token, &replayed, &archive);
    let second = world.post_with(&format!("{path}/transitions"), &token, &replayed, &archive);
    assert_eq!((first.status, second.status, second.header("idempotency-replayed").as_str()), (200, 200, "true"), "{}", first.text);
    assert_eq!(first.json(), second.json());
}
}
