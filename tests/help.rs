//! Help to one person: needs and who meets them, relatives who join, and who sees any of it.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{ALL, Answer, World, case};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const SHELTER: &str = "PE-MIMP-INABIF";
const IOM: &str = "INT-IOM";
const HELP: &str = "assistance:read assistance:write";
const NAMES: &str = "victims.identity:read victims.identity:write";

/// A case of the prosecutor's with one victim, and what helps her.
struct Ward {
    owner: String,
    case: String,
    victim: String,
}

impl Ward {
    fn new(world: &World, age: i32) -> Self {
        let owner = world.token(OWNER, &format!("{ALL} {NAMES} {HELP}"), Purpose::Assistance);
        let mut new = case();
        new["victims"][0]["age_at_identification"] = json!(age);
        let made = world.post("/v1/cases", &owner, &new);
        assert_eq!(made.status, 201, "{}", made.text);
        let case = made.header("location");
        let victim =
            world.get(&format!("{case}/victims"), &owner).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
        Self { owner, case, victim }
    }

    fn needs(&self) -> String {
        format!("/v1/victims/{}/assistance", self.victim)
    }

    fn register(&self, world: &World, body: &Value) -> Answer {
        let made = world.post(&self.needs(), &self.owner, body);
        assert_eq!(made.status, 201, "{body}: {}", made.text);
        made
    }

    /// A consent that was given; its id.
    fn consent(&self, world: &World, purposes: &[&str], recipients: &[&str]) -> String {
        let body =
            json!({"purposes": purposes, "recipients": recipients, "language": "es", "form": "written", "given_by": "self"});
        let made = world.post(&format!("/v1/victims/{}/consents", self.victim), &self.owner, &body);
        assert_eq!(made.status, 201, "{}", made.text);
        let path = made.header("location");
        let given = world.step(&path, &self.owner, &made.header("etag"), &json!({"trigger": "give"}));
        assert_eq!(given.status, 200, "{}", given.text);
        path.rsplit('/').next().unwrap().to_owned()
    }

    fn withdraw(&self, world: &World, consent: &str) {
        let path = format!("/v1/consents/{consent}");
        let tag = world.get(&path, &self.owner).header("etag");
        let done = world.step(&path, &self.owner, &tag, &json!({"trigger": "withdraw", "reason": "Ya no lo desea."}));
        assert_eq!(done.status, 200, "{}", done.text);
    }

    fn reunify(&self, world: &World, country: &str, beneficiaries: Value) -> Answer {
        let body = json!({"country": country, "host_status": "us_t1", "sponsor_agency": IOM, "legal_basis": "danger_to_life",
            "beneficiaries": beneficiaries});
        let made = world.post(&format!("/v1/victims/{}/reunifications", self.victim), &self.owner, &body);
        assert_eq!(made.status, 201, "{}", made.text);
        made
    }

    fn share(&self, world: &World, agency: &str, sections: &[&str]) {
        let body = json!({"agency": agency, "role": "victim_care", "sections": sections});
        let made = world.post(&format!("{}/participants", self.case), &self.owner, &body);
        assert_eq!(made.status, 201, "{}", made.text);
    }
}

fn helper(world: &World, agency: &str) -> String {
    world.token(agency, &format!("{ALL} {NAMES} {HELP}"), Purpose::Assistance)
}

fn go(world: &World, path: &str, token: &str, body: Value) -> Answer {
    let tag = world.get(path, token).header("etag");
    let moved = world.step(path, token, &tag, &body);
    assert_eq!(moved.status, 200, "{body}: {}", moved.text);
    moved
}

/// Moves the first relative of a reunification.
fn bring(world: &World, path: &str, token: &str, body: &Value) -> Answer {
    let record = world.get(path, token);
    let relative = record.json()["beneficiaries"][0]["id"].as_str().unwrap().to_owned();
    world.step(&format!("{path}/beneficiaries/{relative}"), token, &record.header("etag"), body)
}

fn shelter_need() -> Value {
    json!({"need": "shelter", "assessment": {"level": 3, "assessed_on": "2026-03-16", "evidence": "Duerme en la terminal."},
        "plan": {"goal": "Alojamiento seguro", "starts_on": "2026-03-17"}, "provider_agency": SHELTER,
        "legal_basis": "danger_to_life", "cost": {"amount_minor": 180000, "currency": "PEN"}})
}

const JOURNEY: [(&str, &str); 8] = [
    ("check_eligibility", "2012-03-01"),
    ("gather_documents", "2012-04-01"),
    ("apply_for_visa", "2012-05-01"),
    ("grant_visa", "2012-07-01"),
    ("book_travel", "2012-08-01"),
    ("travel", "2012-08-14"),
    ("reunite", "2012-08-15"),
    ("follow_up", "2013-02-01"),
];

fn sister() -> Value {
    json!([{"relation": "sibling", "sex": "female", "age": 24, "visa": "us_t5",
        "tickets": [{"route": ["LIM", "MIA", "IAD"], "travels_on": "2012-08-14", "cost": {"amount_minor": 92000, "currency": "USD"}, "paid_by": IOM}]}])
}

both! {
fn a_need_is_registered_planned_served_and_met_by_those_whose_business_it_is(world) {
    let ward = Ward::new(world, 22);
    let shelter = helper(world, SHELTER);
    let made = ward.register(world, &shelter_need());
    let path = made.header("location");
    assert_eq!((&made.json()["state"], &made.json()["version"]), (&json!("identified"), &json!(1)));
    // The provider does not decide that it is planned; the keeper does not need to say that it began.
    let tag = world.get(&path, &shelter).header("etag");
    let refused = world.step(&path, &shelter, &tag, &json!({"trigger": "plan"}));
    assert_eq!((refused.status, refused.code().as_str()), (403, "owner_only"));
    go(world, &path, &ward.owner, json!({"trigger": "plan"}));
    let begun = go(world, &path, &shelter, json!({"trigger": "start", "effective_on": "2026-03-17"}));
    assert_eq!((&begun.json()["state"], &begun.json()["delivered_from"]), (&json!("in_progress"), &json!("2026-03-17")));
    let tag = begun.header("etag");
    for (body, fault) in [
        (json!({"trigger": "meet", "effective_on": "2026-03-16"}), "#/effective_on: date_order"),
        (json!({"trigger": "meet", "effective_on": "2199-03-16"}), "#/effective_on: date_order"),
        (json!({"trigger": "meet", "unmet_reason": "no_funds"}), "#/unmet_reason: cross_field"),
        (json!({"trigger": "fail"}), "#/unmet_reason: required"),
        (json!({"trigger": "fail", "unmet_reason": "nonsense"}), "#/unmet_reason: enum"),
        (json!({"trigger": "meet", "cost": {"amount_minor": 1, "currency": "XXX"}}), "#/cost/currency: enum"),
    ] {
        assert_eq!(world.step(&path, &shelter, &tag, &body).faults(), [fault], "{body}");
    }
    let met = go(world, &path, &shelter, json!({"trigger": "meet", "effective_on": "2026-09-17", "cost": {"amount_minor": 175050, "currency": "PEN"}}));
    assert_eq!((&met.json()["delivered_until"], &met.json()["cost"]["amount_minor"]), (&json!("2026-09-17"), &json!(175050)));
    let tag = world.get(&path, &ward.owner).header("etag");
    assert_eq!(world.step(&path, &ward.owner, &tag, &json!({"trigger": "start"})).json()["failed_guards"], json!(["no_such_transition"]));
    let late = world.patch(&path, &ward.owner, &tag, &json!({"cost": null}));
    assert_eq!((late.status, &late.json()["failed_guards"]), (409, &json!(["ended"])));
    let moves = world.get(&format!("{path}/transitions"), &ward.owner).json();
    let triggers: Vec<&str> = moves["items"].as_array().unwrap().iter().map(|m| m["trigger"].as_str().unwrap()).collect();
    assert_eq!(triggers, ["plan", "start", "meet"]);
    let history = world.get(&format!("{path}/history"), &ward.owner).json();
    assert_eq!(history["items"].as_array().unwrap().len(), 4);
}

fn every_fault_of_a_need_is_reported(world) {
    let ward = Ward::new(world, 22);
    let bad = json!({"need": "castle", "assessment": {"level": 5, "assessed_on": "2199-01-01", "next_review_on": "2026-01-01", "evidence": " "},
        "plan": {"goal": "", "starts_on": "2026-03-17", "ends_on": "2026-03-16"}, "provider_agency": "PE-NOBODY", "legal_basis": "whim",
        "cost": {"amount_minor": -1, "currency": "ZZZ"}});
    let refused = world.post(&ward.needs(), &ward.owner, &bad);
    assert_eq!(refused.status, 422);
    assert_eq!(refused.faults(), [
        "#/assessment/assessed_on: date_order", "#/assessment/evidence: min_length", "#/assessment/level: maximum",
        "#/assessment/next_review_on: date_order", "#/cost/amount_minor: minimum", "#/cost/currency: enum", "#/legal_basis: enum", "#/need: enum",
        "#/plan/ends_on: date_order", "#/plan/goal: min_length", "#/provider_agency: reference_not_found",
    ]);
    // Money has no cents of cents.
    let broken = world.post(&ward.needs(), &ward.owner, &json!({"need": "shelter", "cost": {"amount_minor": 10.5, "currency": "PEN"}}));
    assert_eq!(broken.faults(), ["#/cost/amount_minor: type"]);
}

fn to_name_another_agency_takes_a_ground_and_a_withdrawn_consent_ends_it(world) {
    let ward = Ward::new(world, 22);
    let shelter = helper(world, SHELTER);
    let faults = |body: Value| world.post(&ward.needs(), &ward.owner, &body).faults();
    let to = |more: Value| {
        let mut body = json!({"need": "shelter", "provider_agency": SHELTER});
        more.as_object().unwrap().iter().for_each(|(k, v)| body[k] = v.clone());
        body
    };
    assert_eq!(faults(to(json!({}))), ["#/legal_basis: required"]);
    assert_eq!(faults(to(json!({"legal_basis": "consent"}))), ["#/consent_id: required"]);
    assert_eq!(faults(to(json!({"legal_basis": "minor_protection"}))), ["#/legal_basis: cross_field"], "she is 22");
    let elsewhere = Ward::new(world, 22).consent(world, &["assistance"], &[]);
    assert_eq!(faults(to(json!({"legal_basis": "consent", "consent_id": elsewhere}))), ["#/consent_id: reference_not_found"]);
    let other = ward.consent(world, &["referral"], &[]);
    assert_eq!(faults(to(json!({"legal_basis": "consent", "consent_id": other}))), ["#/consent_id: cross_field"]);
    let narrow = ward.consent(world, &["assistance"], &[IOM]);
    assert_eq!(faults(to(json!({"legal_basis": "consent", "consent_id": narrow}))), ["#/provider_agency: cross_field"]);
    assert_eq!(faults(to(json!({"legal_basis": "danger_to_life", "consent_id": narrow}))), ["#/consent_id: cross_field"]);
    // What an agency only notes for itself may wait; to plan it may not.
    let noted = ward.register(world, &json!({"need": "legal_aid"})).header("location");
    let tag = world.get(&noted, &ward.owner).header("etag");
    let refused = world.step(&noted, &ward.owner, &tag, &json!({"trigger": "plan"}));
    assert_eq!((refused.status, &refused.json()["failed_guards"]), (409, &json!(["provider_required", "ground_required"])));
    // Two needs rest on one consent: one runs, one is met. Its withdrawal ends the first and leaves the second.
    let consent = ward.consent(world, &["assistance"], &[SHELTER]);
    let ground = to(json!({"legal_basis": "consent", "consent_id": consent}));
    let [running, met] = [(), ()].map(|()| ward.register(world, &ground).header("location"));
    for path in [&running, &met] {
        go(world, path, &ward.owner, json!({"trigger": "plan"}));
        go(world, path, &shelter, json!({"trigger": "start", "effective_on": "2026-03-17"}));
    }
    go(world, &met, &shelter, json!({"trigger": "meet", "effective_on": "2026-03-18"}));
    assert_eq!(world.get("/v1/assistance", &shelter).json()["items"].as_array().unwrap().len(), 2);
    ward.withdraw(world, &consent);
    assert_eq!(world.get(&running, &shelter).status, 404, "the provider sees it no more");
    assert_eq!(world.get(&met, &shelter).status, 200, "what was given stays its own record");
    assert_eq!(world.get("/v1/assistance", &shelter).json()["items"].as_array().unwrap().len(), 1);
    let ended = world.get(&running, &ward.owner).json();
    assert_eq!((&ended["state"], ended["delivered_until"].is_string()), (&json!("withdrawn"), true));
    let last = world.get(&format!("{running}/transitions"), &ward.owner).json();
    assert_eq!(last["items"][2]["reason"], "consent_withdrawn");
    // Nothing begins on a consent that was taken back meanwhile.
    let second = ward.consent(world, &["assistance"], &[]);
    let planned = ward.register(world, &to(json!({"legal_basis": "consent", "consent_id": second}))).header("location");
    ward.withdraw(world, &second);
    assert_eq!(world.get(&planned, &ward.owner).json()["state"], "withdrawn");
}

fn help_is_seen_with_its_section_by_its_provider_and_by_nobody_else(world) {
    let ward = Ward::new(world, 22);
    let path = ward.register(world, &shelter_need()).header("location");
    let own = ward.register(world, &json!({"need": "sexual_health"})).header("location");
    let (shelter, police, ngo) = (helper(world, SHELTER), helper(world, "PE-PNP-DIRCTPTIM"), helper(world, "NGO-CHS"));
    let oversight = world.token("PE-DP", &format!("{ALL} assistance:read"), Purpose::Oversight);
    let count = |token: &str, list: &str| world.get(list, token).json()["items"].as_array().map(Vec::len);
    // Without a share in the case: the provider sees its record and no other, everybody else nothing.
    let seen = world.get(&path, &shelter);
    assert_eq!((seen.status, &seen.json()["redacted"]), (200, &json!(["#/assessment/evidence"])));
    assert_eq!((seen.json()["assessment"]["evidence"].clone(), seen.json()["plan"]["goal"].clone()), (Value::Null, json!("Alojamiento seguro")));
    assert_eq!(world.get(&own, &shelter).status, 404);
    assert_eq!(count(&shelter, &ward.needs()), Some(1));
    assert_eq!(world.get(&format!("/v1/victims/{}", ward.victim), &shelter).status, 404, "not the victim");
    for (agency, token) in [("police", &police), ("ngo", &ngo)] {
        for at in [&path, &own, &ward.needs(), &format!("{path}/history"), &format!("{path}/transitions")] {
            assert_eq!(world.get(at, token).status, 404, "{agency} {at}");
        }
        assert_eq!(count(token, "/v1/assistance"), Some(0));
    }
    // Victims alone show no need: a service tells of somebody's health.
    ward.share(world, "PE-PNP-DIRCTPTIM", &["victims"]);
    assert_eq!((count(&police, &ward.needs()), world.get(&own, &police).status), (Some(0), 404));
    ward.share(world, "NGO-CHS", &["victims", "assistance"]);
    assert_eq!((count(&ngo, &ward.needs()), world.get(&own, &ngo).status), (Some(2), 200));
    let refused = world.patch(&own, &ngo, &world.get(&own, &ngo).header("etag"), &json!({"cost": null}));
    assert_eq!(refused.code(), "owner_only");
    assert_eq!((count(&oversight, &ward.needs()), count(&oversight, "/v1/assistance")), (Some(2), Some(2)));
    // Whoever sees the victim only registers what it gives itself.
    let foreign = world.post(&ward.needs(), &police, &json!({"need": "security"}));
    assert_eq!(foreign.faults(), ["#/provider_agency: cross_field"]);
    let given = world.post(&ward.needs(), &police, &json!({"need": "security", "provider_agency": "PE-PNP-DIRCTPTIM"}));
    assert_eq!(given.status, 201, "{}", given.text);
    let denied = world.post(&ward.needs(), &world.token("PE-DP", &format!("{ALL} {HELP}"), Purpose::Oversight), &json!({"need": "security"}));
    assert_eq!(denied.code(), "owner_only");
    // The victim's report of looks has them.
    let looks = world.get(&format!("/v1/victims/{}/disclosures", ward.victim), &ward.owner).json();
    assert!(looks["items"].as_array().unwrap().iter().any(|l| l["what"] == "victim_assistance"), "{looks}");
    // Another provider takes the record off the first one's desk.
    let ground = json!({"provider_agency": "NGO-CHS"});
    let moved = world.patch(&path, &ward.owner, &world.get(&path, &ward.owner).header("etag"), &ground);
    assert_eq!(moved.status, 200, "{}", moved.text);
    assert_eq!((world.get(&path, &shelter).status, count(&shelter, "/v1/assistance")), (404, Some(0)));
}

fn the_desk_finds_needs_by_state_need_and_year_and_pages_without_a_gap(world) {
    let ward = Ward::new(world, 22);
    let mut paths = Vec::new();
    for (n, need) in ["shelter", "medical", "shelter", "legal_aid", "medical"].iter().enumerate() {
        let body = json!({"need": need, "provider_agency": OWNER, "legal_basis": "statutory_duty"});
        let path = ward.register(world, &body).header("location");
        go(world, &path, &ward.owner, json!({"trigger": "plan"}));
        if n < 3 {
            go(world, &path, &ward.owner, json!({"trigger": "start", "effective_on": format!("201{n}-05-02")}));
        }
        if n < 2 {
            go(world, &path, &ward.owner, json!({"trigger": "meet", "effective_on": format!("201{}-05-02", n + 1)}));
        }
        paths.push(path);
    }
    let ids = |query: &str| -> Vec<usize> {
        let items = world.get(&format!("/v1/assistance?{query}"), &ward.owner).json()["items"].clone();
        let at = |id: &str| paths.iter().position(|p| p.ends_with(id)).unwrap();
        items.as_array().unwrap_or_else(|| panic!("{query}: {items}")).iter().map(|i| at(i["id"].as_str().unwrap())).collect()
    };
    assert_eq!(ids("need=shelter,legal_aid"), [0, 2, 3]);
    assert_eq!(ids("state=met"), [0, 1]);
    // Served from 2010 to 2011, from 2011 to 2012, since 2012.
    for (query, found) in [("year=2010", vec![0]), ("year=2011", vec![0, 1]), ("year=2012", vec![1, 2]), ("year=2020", vec![2]),
        ("year_to=2010", vec![0]), ("year_from=2012", vec![1, 2]), ("year_from=2009&year_to=2009", vec![])] {
        assert_eq!(ids(query), found, "{query}");
    }
    assert_eq!(world.get("/v1/assistance?year=2012&year_from=2011", &ward.owner).faults(), ["year: cross_field"]);
    assert_eq!(world.get("/v1/assistance?year_from=2012&year_to=2011", &ward.owner).faults(), ["year_to: date_order"]);
    assert_eq!(world.get("/v1/assistance?year=12", &ward.owner).faults(), ["year: enum"]);
    for list in ["/v1/assistance".to_owned(), ward.needs()] {
        let (mut seen, mut next) = (Vec::new(), format!("{list}?limit=2"));
        loop {
            let page = world.get(&next, &ward.owner).json();
            seen.extend(page["items"].as_array().unwrap().iter().map(|i| i["id"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            next = format!("{list}?limit=2&cursor={cursor}");
        }
        assert_eq!(seen.len(), 5, "{list}");
        assert!(seen.iter().zip(&paths).all(|(id, path)| path.ends_with(id.as_str())), "{list}");
    }
}

fn a_relative_goes_all_the_way_and_is_counted_in_the_year_of_the_reunion(world) {
    let ward = Ward::new(world, 22);
    let iom = helper(world, IOM);
    let made = ward.reunify(world, "US", sister());
    let path = made.header("location");
    for (trigger, on) in JOURNEY {
        let moved = bring(world, &path, &iom, &json!({"trigger": trigger, "effective_on": on}));
        assert_eq!(moved.status, 200, "{trigger}: {}", moved.text);
    }
    let closed = bring(world, &path, &ward.owner, &json!({"trigger": "close"}));
    let one = &closed.json()["beneficiaries"][0];
    assert_eq!((&one["state"], &one["reunited_on"]), (&json!("closed"), &json!("2012-08-15")));
    let totals = |query: &str, token: &str| world.get(&format!("/v1/reunifications?{query}"), token).json()["totals"].clone();
    let some = json!({"reunifications": 1, "victims": 1, "persons": 1});
    let none = json!({"reunifications": 0, "victims": 0, "persons": 0});
    for token in [&iom, &ward.owner] {
        assert_eq!(totals("country=US&reunited_in=2012", token), some);
        assert_eq!(totals("country=US&reunited_in=2013", token), none, "the follow-up is not the reunion");
        assert_eq!(totals("country=CA&reunited_in=2012", token), none);
    }
    assert_eq!(totals("country=US&reunited_in=2012", &helper(world, SHELTER)), none, "other agencies count nothing");
    let moves = world.get(&format!("{path}/beneficiaries/{}/transitions", one["id"].as_str().unwrap()), &ward.owner).json();
    assert_eq!((moves["items"].as_array().unwrap().len(), &moves["items"][6]["effective_on"]), (9, &json!("2012-08-15")));
    let late = bring(world, &path, &ward.owner, &json!({"trigger": "travel"}));
    assert_eq!(late.json()["failed_guards"], json!(["no_such_transition"]));
}

fn six_victims_in_the_united_states_reunited_in_2012_are_one_request(world) {
    let iom = helper(world, IOM);
    let oversight = world.token("PE-DP", "assistance:read", Purpose::Oversight);
    for n in 0..8 {
        let ward = Ward::new(world, 22);
        let path = ward.reunify(world, if n == 6 { "AR" } else { "US" }, sister()).header("location");
        // Six in the United States in 2012, one in Argentina, one who is still on the way.
        for (trigger, on) in JOURNEY.iter().take(if n == 7 { 5 } else { 7 }) {
            assert_eq!(bring(world, &path, &ward.owner, &json!({"trigger": trigger, "effective_on": on})).status, 200);
        }
    }
    for token in [&iom, &oversight] {
        let answer = world.get("/v1/reunifications?country=US&reunited_in=2012&limit=2", token);
        assert_eq!(answer.json()["totals"], json!({"reunifications": 6, "victims": 6, "persons": 6}));
        assert_eq!(answer.json()["items"].as_array().unwrap().len(), 2, "the totals are not those of the page");
    }
    assert_eq!(world.get("/v1/reunifications", &iom).json()["totals"]["persons"], 8);
    assert_eq!(world.get("/v1/reunifications?beneficiary_state=travel_booked", &iom).json()["totals"]["persons"], 1);
}

fn nobody_travels_without_ticket_visa_escort_ground_and_best_interest(world) {
    let ward = Ward::new(world, 22);
    let guards = |answer: &Answer| answer.json()["failed_guards"].clone();
    // A child, and somebody whose age nobody knows.
    for age in [json!(9), Value::Null] {
        let path = ward.reunify(world, "US", json!([{"relation": "child", "age": age, "visa": "us_t3"}])).header("location");
        let step = |trigger: &str| bring(world, &path, &ward.owner, &json!({"trigger": trigger}));
        step("check_eligibility");
        step("gather_documents");
        assert_eq!(guards(&step("book_travel")), json!(["visa_not_granted", "ticket_required", "escort_required", "best_interest_required"]));
        step("apply_for_visa");
        step("refuse_visa");
        step("apply_for_visa");
        step("grant_visa");
        assert_eq!(guards(&step("book_travel")), json!(["ticket_required", "escort_required", "best_interest_required"]));
        let record = world.get(&path, &ward.owner);
        let relative = format!("{path}/beneficiaries/{}", record.json()["beneficiaries"][0]["id"].as_str().unwrap());
        let bad = world.patch(&relative, &ward.owner, &record.header("etag"), &json!({"best_interest": "de la Rosa Quispe",
            "escort": {"kind": "stranger"}, "tickets": [{"route": ["Lima", "MIA"], "travels_on": "2012-08-14", "paid_by": "QQ"}]}));
        assert_eq!(bad.faults(), ["#/best_interest: pattern", "#/escort/kind: enum", "#/tickets/0/paid_by: enum", "#/tickets/0/route/0: pattern"]);
        let good = json!({"best_interest": "IEN-3-2012", "escort": {"kind": "agency_staff", "agency": IOM},
            "tickets": [{"route": ["LIM", "MIA"], "travels_on": "2012-08-14", "paid_by": "CA"}]});
        let amended = world.patch(&relative, &ward.owner, &record.header("etag"), &good);
        assert_eq!(amended.status, 200, "{}", amended.text);
        assert_eq!(step("book_travel").status, 200);
        // The escort who is no longer there holds the journey up.
        let lost = world.patch(&relative, &ward.owner, &world.get(&path, &ward.owner).header("etag"), &json!({"escort": null}));
        assert_eq!(lost.status, 200, "{}", lost.text);
        assert_eq!(guards(&step("travel")), json!(["escort_required"]));
    }
    // An adult without a visa to ask for travels on papers; without a ground nobody does.
    let body = json!({"country": "PE", "beneficiaries": [{"relation": "parent", "age": 50, "tickets": [{"route": ["BUE", "LIM"], "travels_on": "2026-03-14"}]}]});
    let path = world.post(&format!("/v1/victims/{}/reunifications", ward.victim), &ward.owner, &body).header("location");
    let step = |trigger: &str| bring(world, &path, &ward.owner, &json!({"trigger": trigger}));
    step("check_eligibility");
    step("gather_documents");
    assert_eq!(guards(&step("apply_for_visa")), json!(["visa_required", "ground_required"]));
    assert_eq!(guards(&step("book_travel")), json!(["ground_required"]));
    let tag = world.get(&path, &ward.owner).header("etag");
    assert_eq!(world.patch(&path, &ward.owner, &tag, &json!({"legal_basis": "court_order"})).status, 200);
    assert_eq!(step("book_travel").status, 200);
    let early = bring(world, &path, &ward.owner, &json!({"trigger": "close"}));
    assert_eq!(early.faults(), ["#/reason: required"]);
}

fn relatives_are_named_only_to_those_who_see_the_victims_identity(world) {
    let ward = Ward::new(world, 22);
    let mut named = sister();
    named[0]["name"] = json!("Flor Quispe");
    let path = ward.reunify(world, "US", named.clone()).header("location");
    let name = |token: &str| {
        let body = world.get(&path, token).json();
        (body["beneficiaries"][0]["name"].clone(), body["redacted"].clone())
    };
    assert_eq!(name(&ward.owner), (json!("Flor Quispe"), json!([])));
    assert_eq!(name(&helper(world, IOM)), (json!("Flor Quispe"), json!([])), "who asks for the visa must know for whom");
    let hidden = (Value::Null, json!(["#/beneficiaries/0/name"]));
    assert_eq!(name(&world.token(OWNER, &format!("{ALL} {HELP}"), Purpose::Prosecution)), hidden, "without the scope");
    assert_eq!(name(&world.token(OWNER, &format!("{ALL} {HELP} {NAMES}"), Purpose::Statistics)), hidden, "for figures");
    assert_eq!(name(&world.token("PE-DP", &format!("{ALL} {HELP}"), Purpose::Oversight)), hidden);
    ward.share(world, SHELTER, &["victims", "assistance"]);
    assert_eq!(name(&helper(world, SHELTER)), hidden, "the identity was not shared");
    assert!(!world.get("/v1/reunifications", &ward.owner).text.contains("Flor"), "a list names nobody");
    let plain = world.token(OWNER, &format!("{ALL} {HELP}"), Purpose::Prosecution);
    let refused = world.post(&format!("{path}/beneficiaries"), &plain, &named[0]);
    assert_eq!(refused.json()["required_scopes"], json!(["victims.identity:write"]));
    let added = world.post(&format!("{path}/beneficiaries"), &ward.owner, &named[0]);
    assert_eq!((added.status, added.json()["beneficiaries"].as_array().unwrap().len()), (201, 2), "{}", added.text);
}

fn a_withdrawn_consent_stops_the_journey_and_hides_it_from_the_sponsor(world) {
    let ward = Ward::new(world, 22);
    let iom = helper(world, IOM);
    let consent = ward.consent(world, &["assistance"], &[IOM]);
    let mut two = sister().as_array().unwrap().clone();
    two.push(two[0].clone());
    let body = json!({"country": "US", "sponsor_agency": IOM, "legal_basis": "consent", "consent_id": consent, "beneficiaries": two});
    let made = world.post(&format!("/v1/victims/{}/reunifications", ward.victim), &ward.owner, &body);
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location");
    for (trigger, on) in JOURNEY.iter().take(7) {
        assert_eq!(bring(world, &path, &iom, &json!({"trigger": trigger, "effective_on": on})).status, 200);
    }
    ward.withdraw(world, &consent);
    let states: Vec<Value> = world.get(&path, &ward.owner).json()["beneficiaries"].as_array().unwrap().iter().map(|b| b["state"].clone()).collect();
    assert_eq!(states, [json!("reunited"), json!("closed")], "who is there is there; who was on the way is not sent on");
    assert_eq!(world.get(&path, &iom).status, 404);
    assert_eq!(world.get("/v1/reunifications", &iom).json()["totals"]["persons"], 0);
    assert_eq!(world.get("/v1/reunifications?reunited_in=2012", &ward.owner).json()["totals"]["persons"], 1, "it happened");
}
}
