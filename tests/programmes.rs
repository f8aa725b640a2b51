//! What organisations do for everybody: campaigns, trainings, fundings, and the totals of it all.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{ALL, Answer, World, case, unique};

const IOM: &str = "INT-IOM";
const OTHER: &str = "PE-MIMP";
const BOTH: &str = "programmes:read programmes:write";

fn desk(world: &World, agency: &str) -> String {
    world.token(agency, &format!("{ALL} {BOTH} assistance:read assistance:write"), Purpose::Assistance)
}

fn made(world: &World, list: &str, token: &str, body: &Value) -> Answer {
    let answer = world.post(list, token, body);
    assert_eq!(answer.status, 201, "{list} {body}: {}", answer.text);
    answer
}

fn group(profession: &str, sex: &str, count: i32) -> Value {
    json!({"profession": profession, "sex": sex, "count": count})
}

fn training(year: &str, funders: &[&str], participants: Value) -> Value {
    json!({"title": "Investigación de la trata", "starts_on": year, "funders": funders, "participants": participants})
}

fn campaign() -> Value {
    json!({"name": "El Perú unido contra la trata de personas", "slogans": [{"language": "es", "text": "El Perú unido contra la trata de personas"}],
        "organisers": [IOM], "funders": [IOM, "CA"], "channels": ["poster", "screen"],
        "venues": [{"place_code": "LIM", "kind": "airport", "territory": "070101"}, {"place_code": "TACNA", "kind": "border_post", "territory": "230101"}],
        "phases": [{"name": "Primera fase", "starts_on": "2012-09-01", "ends_on": "2012-11-30", "venues": ["LIM"]}]})
}

fn funding(donor: &str, year: i32, amount: i64, currency: &str) -> Value {
    json!({"donor": donor, "year": year, "amount": {"amount_minor": amount, "currency": currency}})
}

both! {
fn eighty_judges_prosecutors_and_police_officers_trained_in_2012_by_canada_are_one_request(world) {
    let (iom, other) = (desk(world, IOM), desk(world, OTHER));
    made(world, "/v1/trainings", &iom, &training("2012-05", &["CA"], json!([group("judge", "female", 9), group("judge", "male", 11), group("prosecutor", "female", 25)])));
    // Another agency's training counts too; a teacher among the police does not, nor another year, nor another purse.
    made(world, "/v1/trainings", &other, &training("2012-12-31", &["CA", "INT-UNODC"], json!([group("police", "male", 35), group("teacher", "female", 7)])));
    made(world, "/v1/trainings", &iom, &training("2013-01-01", &["CA"], json!([group("judge", "male", 100)])));
    made(world, "/v1/trainings", &iom, &training("2012", &["US"], json!([group("judge", "male", 100)])));
    let asked = "/v1/trainings?year=2012&funder=CA&profession=judge,prosecutor,police";
    let answer = world.get(&format!("{asked}&limit=1"), &other).json();
    assert_eq!(answer["totals"], json!({"trainings": 2, "participants": 80,
        "by_profession": [{"code": "judge", "participants": 20}, {"code": "police", "participants": 35}, {"code": "prosecutor", "participants": 25}],
        "by_sex": [{"code": "female", "participants": 34}, {"code": "male", "participants": 46}]}));
    assert_eq!(answer["items"].as_array().unwrap().len(), 1, "the totals are not those of the page");
    let cursor = answer["next_cursor"].as_str().unwrap().to_owned();
    let next = world.get(&format!("{asked}&limit=1&cursor={cursor}"), &other).json();
    assert_eq!((&next["totals"], next["next_cursor"].is_null()), (&answer["totals"], true));
    let total = |query: &str| world.get(&format!("/v1/trainings?{query}"), &iom).json()["totals"]["participants"].clone();
    for (query, participants) in [("year=2012&funder=CA", 87), ("year_from=2012&year_to=2013", 287), ("year_to=2012", 187), ("profession=teacher", 7),
        ("funder=INT-UNODC", 42), ("agency=PE-MIMP", 42), ("year=2011", 0)] {
        assert_eq!(total(query), json!(participants), "{query}");
    }
    assert_eq!(world.get("/v1/trainings?profession=wizard&year=twelve", &iom).faults(), ["profession: enum", "year: enum"]);
}

fn a_training_says_what_is_wrong_with_it_and_computes_its_totals(world) {
    let iom = desk(world, IOM);
    let bad = json!({"title": " ", "starts_on": "2012-05", "ends_on": "2012-04", "territory": "99", "hours": 0, "organisers": [IOM, IOM, "PE-NOBODY"],
        "funders": ["QQ"], "participants": [{"profession": "wizard", "sex": "x", "district": "PE-DF-ATLANTIS", "count": 0}, group("judge", "male", 5), group("judge", "male", 6)],
        "pre_test": {"taken": 12, "passed": 13, "mean_permille": 1001}});
    let refused = world.post("/v1/trainings", &iom, &bad);
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faults(), [
        "#/ends_on: date_order", "#/funders/0: enum", "#/hours: minimum", "#/organisers/1: unique_items", "#/organisers/2: reference_not_found",
        "#/participants/0/count: minimum", "#/participants/0/district: enum", "#/participants/0/profession: enum", "#/participants/0/sex: enum",
        "#/participants/2: unique_items", "#/pre_test/mean_permille: maximum", "#/pre_test/passed: cross_field", "#/pre_test/taken: cross_field",
        "#/territory: enum", "#/title: min_length",
    ]);
    let answer = made(world, "/v1/trainings", &iom, &training("2012", &[], json!([group("judge", "male", 5)])));
    let path = answer.header("location");
    assert_eq!(answer.json()["totals"]["participants"], 5);
    let tag = answer.header("etag");
    let changed = world.patch(&path, &iom, &tag, &json!({"participants": [group("judge", "male", 8)], "hours": 12, "title": "Otra"}));
    assert_eq!((changed.status, &changed.json()["totals"]["participants"], &changed.json()["version"]), (200, &json!(8), &json!(2)));
    assert_eq!(world.patch(&path, &iom, &tag, &json!({"hours": 13})).status, 412, "on what was read, and nothing else");
    let cleared = world.patch(&path, &iom, &changed.header("etag"), &json!({"title": null, "starts_on": null}));
    assert_eq!(cleared.faults(), ["#/starts_on: required", "#/title: required"]);
    let same = world.patch(&path, &iom, &changed.header("etag"), &json!({"hours": 12}));
    assert_eq!(same.json()["version"], 2, "what changes nothing is no version");
    let history = world.get(&format!("{path}/history"), &iom).json();
    assert_eq!(history["items"][1]["changed"], json!(["#/title", "#/hours", "#/participants"]));
}

fn programmes_are_everybodys_to_read_and_their_owners_to_write(world) {
    let (iom, other) = (desk(world, IOM), desk(world, OTHER));
    let reader = world.token("PE-PNP", "programmes:read", Purpose::Investigation);
    let lists = [("/v1/campaigns", campaign()), ("/v1/trainings", training("2012", &["CA"], json!([group("judge", "male", 5)]))), ("/v1/fundings", funding("CA", 2012, 100, "CAD"))];
    for (list, body) in lists {
        let path = made(world, list, &iom, &body).header("location");
        for token in [&other, &reader] {
            let read = world.get(&path, token);
            assert_eq!((read.status, &read.json()["owner_agency"]), (200, &json!(IOM)), "{path}");
            assert_eq!(world.get(list, token).json()["items"].as_array().unwrap().len(), 1);
            assert_eq!(world.get(&format!("{path}/history"), token).status, 200);
        }
        let tag = world.get(&path, &other).header("etag");
        assert_eq!(world.patch(&path, &other, &tag, &json!({})).code(), "owner_only", "{path}");
        assert_eq!(world.post(list, &reader, &body).code(), "insufficient_scope");
        assert_eq!(world.get(&path, &world.prosecutor()).code(), "insufficient_scope");
        // The same key makes the same record.
        let key = unique();
        let key = [("Idempotency-Key", key.as_str())];
        let [first, second] = [(), ()].map(|()| world.post_with(list, &iom, &key, &body));
        assert_eq!((first.header("location"), second.header("idempotency-replayed").as_str()), (second.header("location"), "true"));
        let cached = world.send("GET", &path, Some(&iom), &[("If-None-Match", &world.get(&path, &iom).header("etag"))], b"");
        assert_eq!(cached.status, 304);
    }
}

fn a_campaign_runs_from_its_first_phase_to_its_evaluation(world) {
    let iom = desk(world, IOM);
    let go = |path: &str, body: Value| {
        let tag = world.get(path, &iom).header("etag");
        world.step(path, &iom, &tag, &body)
    };
    let bare = made(world, "/v1/campaigns", &iom, &json!({"name": "Sin fases"})).header("location");
    assert_eq!(go(&bare, json!({"trigger": "start"})).json()["failed_guards"], json!(["phase_required", "slogan_required"]));
    let path = made(world, "/v1/campaigns", &iom, &campaign()).header("location");
    for (body, state) in [
        (json!({"trigger": "start", "effective_on": "2012-09-01"}), "running"),
        (json!({"trigger": "pause", "effective_on": "2012-10-01", "reason": "Obras en el terminal."}), "paused"),
        (json!({"trigger": "resume", "effective_on": "2012-10-08"}), "running"),
        (json!({"trigger": "complete", "effective_on": "2012-11-30"}), "completed"),
        (json!({"trigger": "evaluate", "evaluation": "Más llamadas a la línea."}), "evaluated"),
    ] {
        let trigger = body["trigger"].as_str().unwrap().to_owned();
        match trigger.as_str() {
            "pause" => assert_eq!(go(&path, json!({"trigger": "pause"})).faults(), ["#/reason: required"]),
            "complete" => assert_eq!(go(&path, json!({"trigger": "complete", "effective_on": "2012-08-31"})).faults(), ["#/effective_on: date_order"]),
            "evaluate" => assert_eq!(go(&path, json!({"trigger": "evaluate"})).faults(), ["#/evaluation: required"]),
            _ => {}
        }
        let moved = go(&path, body);
        assert_eq!((moved.status, &moved.json()["state"]), (200, &json!(state)), "{}", moved.text);
    }
    let read = world.get(&path, &iom).json();
    assert_eq!((&read["started_on"], &read["completed_on"], &read["evaluation"]), (&json!("2012-09-01"), &json!("2012-11-30"), &json!("Más llamadas a la línea.")));
    assert_eq!(go(&path, json!({"trigger": "start"})).json()["failed_guards"], json!(["no_such_transition"]));
    assert_eq!(world.get(&format!("{path}/transitions"), &iom).json()["items"].as_array().unwrap().len(), 5);
    let available = world.get(&format!("{bare}/transitions/available"), &desk(world, OTHER)).json();
    assert_eq!(available["items"][0]["failed_guards"], json!(["phase_required", "slogan_required", "owner_only"]));
    let found = |query: &str| world.get(&format!("/v1/campaigns?{query}"), &iom).json()["items"].as_array().map(Vec::len);
    for (query, n) in [("state=evaluated", 1), ("year=2012", 1), ("year=2013", 0), ("place=LIM", 1), ("venue=border_post,school", 1), ("venue=school", 0),
        ("channel=tv", 0), ("channel=tv,screen", 1), ("funder=CA", 1), ("agency=PE-MIMP", 0)] {
        assert_eq!(found(query), Some(n), "{query}");
    }
    assert_eq!(world.get("/v1/campaigns?place=%25", &iom).faults(), ["place: enum"], "no pattern comes through");
}

fn phases_end_after_they_begin_and_never_overlap_at_one_venue(world) {
    let iom = desk(world, IOM);
    let faults = |phases: Value| {
        let mut body = campaign();
        body["phases"] = phases;
        world.post("/v1/campaigns", &iom, &body).faults()
    };
    let phase = |from: &str, until: Value, venues: &[&str]| json!({"name": "Fase", "starts_on": from, "ends_on": until, "venues": venues});
    let lima = phase("2012-09-01", json!("2012-11-30"), &["LIM"]);
    assert_eq!(faults(json!([phase("2012-09-01", json!("2012-08-31"), &["LIM"])])), ["#/phases/0/ends_on: date_order"]);
    assert_eq!(faults(json!([lima, phase("2012-11-30", Value::Null, &["LIM"])])), ["#/phases/1/starts_on: cross_field"]);
    assert_eq!(faults(json!([lima, phase("2012-11-30", Value::Null, &[])])), ["#/phases/1/starts_on: cross_field"], "everywhere is also there");
    assert_eq!(faults(json!([lima, phase("2012-08-01", json!("2012-08-02"), &["LIM"])])), ["#/phases/1/starts_on: date_order"]);
    assert_eq!(faults(json!([phase("2012-09-01", Value::Null, &["QQQ"])])), ["#/phases/0/venues/0: reference_not_found"]);
    assert_eq!(faults(json!([phase("2012-09-01", Value::Null, &["LIM"]), phase("2030-01-01", Value::Null, &["LIM"])])), ["#/phases/1/starts_on: cross_field"]);
    // Lima first, then Lima again and a border at the same time.
    assert_eq!(faults(json!([lima, phase("2012-12-01", json!("2013-02-28"), &["LIM"]), phase("2012-12-01", Value::Null, &["TACNA"])])), Vec::<String>::new());
    let mut wrong = campaign();
    wrong["venues"] = json!([{"place_code": "Lima!", "kind": "castle"}, {"place_code": "LIMA", "kind": "airport"}, {"place_code": "LIMA", "kind": "port"}]);
    wrong["phases"] = json!([]);
    wrong["slogans"] = json!([{"language": "es", "text": "a"}, {"language": "es", "text": "b"}, {"language": "X1", "text": ""}]);
    wrong["reach"] = json!([{"channel": "tv", "persons": 5, "as_of": "2012-11-30"}]);
    let refused = world.post("/v1/campaigns", &iom, &wrong);
    assert_eq!(refused.faults(), ["#/reach/0/channel: reference_not_found", "#/slogans/1: unique_items", "#/slogans/2/language: enum", "#/slogans/2/text: min_length",
        "#/venues/0/kind: enum", "#/venues/0/place_code: pattern", "#/venues/1/place_code: pattern", "#/venues/2: unique_items"]);
}

fn sums_are_exact_never_cross_currencies_and_pay_for_no_more_than_there_is(world) {
    let (iom, other) = (desk(world, IOM), desk(world, OTHER));
    let course = made(world, "/v1/trainings", &iom, &training("2012", &["CA"], json!([]))).json()["id"].clone();
    let drive = made(world, "/v1/campaigns", &other, &campaign()).json()["id"].clone();
    let mut paid = funding("CA", 2012, 1_000_000_000_000_001, "CAD");
    paid["uses"] = json!([{"kind": "training", "resource_id": course, "amount_minor": 1_000_000_000_000_000_i64}, {"kind": "campaign", "resource_id": drive, "amount_minor": 1}]);
    let answer = made(world, "/v1/fundings", &iom, &paid);
    assert_eq!((&answer.json()["allocated_minor"], &answer.json()["unallocated_minor"]), (&json!(1_000_000_000_000_001_i64), &json!(0)));
    let path = answer.header("location");
    // One minor unit too many is refused, however it comes about.
    let tag = answer.header("etag");
    let mut more = paid["uses"].clone();
    more[1]["amount_minor"] = json!(2);
    for body in [json!({"uses": more}), json!({"amount": {"amount_minor": 1_000_000_000_000_000_i64, "currency": "CAD"}})] {
        let refused = world.patch(&path, &iom, &tag, &body);
        assert_eq!((refused.status, refused.code().as_str(), &refused.json()["rule"]), (422, "rule_violated", &json!("over_allocated")), "{}", refused.text);
    }
    for (donor, amount, currency) in [("CA", 2, "CAD"), ("CA", 5, "USD"), (IOM, 7, "USD")] {
        made(world, "/v1/fundings", &other, &funding(donor, 2012, amount, currency));
    }
    made(world, "/v1/fundings", &other, &funding("CA", 2013, 11, "CAD"));
    let totals = |query: &str| world.get(&format!("/v1/fundings?{query}"), &other).json()["totals"].clone();
    assert_eq!(totals("year=2012&limit=1"), json!([
        {"donor": "CA", "year": 2012, "currency": "CAD", "fundings": 2, "amount_minor": 1_000_000_000_000_003_i64, "allocated_minor": 1_000_000_000_000_001_i64},
        {"donor": "CA", "year": 2012, "currency": "USD", "fundings": 1, "amount_minor": 5, "allocated_minor": 0},
        {"donor": IOM, "year": 2012, "currency": "USD", "fundings": 1, "amount_minor": 7, "allocated_minor": 0}]));
    assert_eq!(totals("donor=CA&currency=CAD").as_array().unwrap().len(), 2);
    assert_eq!(totals("pays=campaign")[0]["fundings"], 1);
    let bad = json!({"donor": "PE-NOBODY", "year": 2012, "amount": {"amount_minor": 5, "currency": "XAU"},
        "uses": [{"kind": "castle", "resource_id": course, "amount_minor": 1}, {"kind": "campaign", "resource_id": course, "amount_minor": 1}]});
    assert_eq!(world.post("/v1/fundings", &iom, &bad).faults(),
        ["#/amount/currency: enum", "#/donor: reference_not_found", "#/uses/0/kind: enum", "#/uses/1/resource_id: unique_items", "#/uses/1/resource_id: reference_not_found"]
            .map(|f| f.replace("/1/resource_id: unique", "/1: unique")).to_vec());
}

fn whom_money_helped_is_shown_to_the_fundings_owner_only(world) {
    let owner = world.token("PE-MP-FISTRAP-LIMA", &format!("{ALL} {BOTH} assistance:read assistance:write"), Purpose::Assistance);
    let other = desk(world, OTHER);
    let at = world.post("/v1/cases", &owner, &case()).header("location");
    let victim = world.get(&format!("{at}/victims"), &owner).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    let need = made(world, &format!("/v1/victims/{victim}/assistance"), &owner, &json!({"need": "medical"})).json()["id"].clone();
    let mut paid = funding("CA", 2012, 10, "CAD");
    paid["uses"] = json!([{"kind": "assistance", "resource_id": need, "amount_minor": 10}]);
    let refused = world.post("/v1/fundings", &other, &paid);
    assert_eq!(refused.faults(), ["#/uses/0/resource_id: reference_not_found"], "who does not see it cannot name it");
    let path = made(world, "/v1/fundings", &owner, &paid).header("location");
    assert_eq!(world.get(&path, &owner).json()["uses"][0]["resource_id"], need);
    let seen = world.get(&path, &other).json();
    assert_eq!((&seen["uses"][0], &seen["redacted"]), (&json!({"kind": "assistance", "resource_id": null, "amount_minor": 10}), &json!(["#/uses/0/resource_id"])));
    assert!(!world.get("/v1/fundings", &other).text.contains(need.as_str().unwrap()));
}

fn the_totals_of_a_year_are_exact_for_whom_they_are_and_say_so(world) {
    let (iom, other) = (desk(world, IOM), desk(world, OTHER));
    let owner = world.token("PE-MP-FISTRAP-LIMA", &format!("{ALL} assistance:read assistance:write"), Purpose::Assistance);
    let oversight = world.token("PE-DP", "programmes:read assistance:read", Purpose::Oversight);
    // One person with two services, and another with one: two persons.
    for (n, needs) in [&["shelter", "medical"][..], &["shelter"]].iter().enumerate() {
        let at = world.post("/v1/cases", &owner, &case()).header("location");
        let victim = world.get(&format!("{at}/victims"), &owner).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
        for need in *needs {
            let body = json!({"need": need, "provider_agency": if n == 0 { IOM } else { OTHER }, "legal_basis": "danger_to_life"});
            let path = made(world, &format!("/v1/victims/{victim}/assistance"), &owner, &body).header("location");
            for (trigger, on) in [("plan", "2012-01-01"), ("start", "2012-12-31"), ("meet", "2013-01-01")] {
                let tag = world.get(&path, &owner).header("etag");
                assert_eq!(world.step(&path, &owner, &tag, &json!({"trigger": trigger, "effective_on": on})).status, 200);
            }
        }
    }
    made(world, "/v1/trainings", &iom, &training("2012", &["CA"], json!([group("judge", "male", 80)])));
    made(world, "/v1/fundings", &iom, &funding("CA", 2012, 100, "CAD"));
    let drive = made(world, "/v1/campaigns", &iom, &campaign()).header("location");
    let asked = |token: &str, query: &str| world.get(&format!("/v1/statistics/programmes?{query}"), token).json();
    assert_eq!(asked(&iom, "year=2012")["campaigns"], 0, "planned is not held");
    let tag = world.get(&drive, &iom).header("etag");
    assert_eq!(world.step(&drive, &iom, &tag, &json!({"trigger": "start", "effective_on": "2012-09-01"})).status, 200);
    let mine = asked(&iom, "year=2012");
    assert_eq!(mine["assistance"], json!({"persons": 1, "services": 2, "by_need": [{"need": "medical", "persons": 1, "services": 1}, {"need": "shelter", "persons": 1, "services": 1}]}));
    assert_eq!(mine["scope"], json!({"persons": "agency", "agency": IOM, "programmes": "registry"}));
    assert_eq!((&mine["campaigns"], &mine["trainings"]["participants"], &mine["fundings"][0]["amount_minor"]), (&json!(1), &json!(80), &json!(100)));
    let all = asked(&oversight, "year=2012");
    assert_eq!((&all["assistance"]["persons"], &all["assistance"]["services"], &all["scope"]["persons"]), (&json!(2), &json!(3), &json!("registry")));
    assert_eq!(asked(&other, "year=2012")["assistance"]["persons"], 1);
    // Both bounds count: the services began on the last day of 2012 and ended on the first of 2013.
    for (query, persons) in [("year=2011", 0), ("year=2013", 1), ("year=2014", 0), ("year_from=2013", 1), ("year_to=2012", 1), ("year_to=2011", 0), ("", 1)] {
        assert_eq!(asked(&iom, query)["assistance"]["persons"], persons, "{query}");
    }
    let plain = asked(&world.token(IOM, "programmes:read", Purpose::Statistics), "year=2012");
    assert_eq!((&plain["assistance"], &plain["redacted"], &plain["trainings"]["trainings"]), (&Value::Null, &json!(["#/assistance", "#/reunifications"]), &json!(1)));
    assert_eq!((&asked(&iom, "year_from=2012")["year_to"], &mine["year_to"]), (&Value::Null, &json!(2012)));
    let seen = world.get("/v1/statistics/programmes?year=2012", &iom);
    assert!(!seen.header("audit-event-id").is_empty(), "figures about persons are a look");
}
}
