//! What another agency says is wrong in a record, and what its owner makes of it.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{ALL, Answer, World, case};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const GUEST: &str = "PE-PNP";
const SCOPES: &str = "corrections:read corrections:write";

/// A case of the prosecutor's, shared with the police.
struct Shared<'w> {
    world: &'w World,
    owner: String,
    guest: String,
    path: String,
    case: String,
    victim: String,
    accused: String,
    charge: String,
}

impl<'w> Shared<'w> {
    fn new(world: &'w World, sections: &[&str]) -> Self {
        let token = |agency| world.token(agency, &format!("{ALL} {SCOPES}"), Purpose::Investigation);
        let (owner, guest) = (token(OWNER), token(GUEST));
        let made = world.post("/v1/cases", &owner, &case());
        assert_eq!(made.status, 201, "{}", made.text);
        let path = made.header("location");
        let case = path.rsplit('/').next().unwrap().to_owned();
        let shared = world.post(
            &format!("{path}/participants"),
            &owner,
            &json!({"agency": GUEST, "role": "information", "sections": sections}),
        );
        assert_eq!(shared.status, 201, "{}", shared.text);
        let first = |path: String, key: &str| world.get(&path, &owner).json()["items"][0][key].as_str().unwrap().to_owned();
        Self {
            victim: first(format!("{path}/victims"), "victim_id"),
            accused: first(format!("{path}/accused"), "id"),
            charge: first(format!("/v1/charges?case_id={case}"), "id"),
            world,
            owner,
            guest,
            path,
            case,
        }
    }

    fn ask(&self, token: &str, part: &str, body: Value) -> Answer {
        let mut new = json!({"case_id": self.case, "reason": "Consta en el acta.", "evidence": "Acta 14, folio 3."});
        new[part] = body;
        self.world.post("/v1/corrections", token, &new)
    }

    fn proposed(&self, part: &str, body: Value) -> Answer {
        let made = self.ask(&self.guest, part, body);
        assert_eq!(made.status, 201, "{part}: {}", made.text);
        made
    }

    fn answer(&self, token: &str, to: &Answer, body: Value) -> Answer {
        let path = to.header("location");
        self.world.step(&path, token, &self.world.get(&path, token).header("etag"), &body)
    }

    fn list(&self, token: &str, query: &str) -> usize {
        let page = self.world.get(&format!("/v1/corrections?{query}"), token);
        assert_eq!(page.status, 200, "{}", page.text);
        page.json()["items"].as_array().unwrap().len()
    }
}

both! {
fn an_accepted_correction_is_an_amendment_by_the_owner_and_stands_in_the_record_s_history(world) {
    let shared = Shared::new(world, &["victims", "accused", "charges"]);
    for (part, body, path, field, value) in [
        ("case", json!({"patch": {"territory": "170102"}}), shared.path.clone(), "territory", json!("170102")),
        ("victim", json!({"victim_id": shared.victim, "patch": {"age_at_identification": 16}}), format!("/v1/victims/{}", shared.victim), "age_at_identification", json!(16)),
        ("accused", json!({"accused_id": shared.accused, "patch": {"sex": "male"}}), format!("/v1/accused/{}", shared.accused), "sex", json!("male")),
        ("charge", json!({"charge_id": shared.charge, "patch": {"role": "promoter"}}), format!("/v1/charges/{}", shared.charge), "role", json!("promoter")),
    ] {
        let before = world.get(&path, &shared.owner).json();
        let made = shared.proposed(part, body.clone());
        let view = made.json();
        assert_eq!((&view["state"], &view["record_type"], &view["patch"], &view["record_version"]), (&json!("proposed"), &json!(part), &body["patch"], &before["version"]));
        assert_eq!((&view["owner_agency"], &view["created_by_agency"]), (&json!(OWNER), &json!(GUEST)));
        assert_eq!(world.get(&path, &shared.owner).json(), before, "a proposal changes nothing");
        assert_eq!(shared.answer(&shared.owner, &made, json!({"trigger": "accept"})).faults(), ["#/record_version: required"]);
        let stale = shared.answer(&shared.owner, &made, json!({"trigger": "accept", "record_version": 77}));
        assert_eq!((stale.status, &stale.json()["failed_guards"]), (409, &json!(["record_changed"])));
        let done = shared.answer(&shared.owner, &made, json!({"trigger": "accept", "record_version": before["version"]}));
        assert_eq!((done.status, &done.json()["state"]), (200, &json!("accepted")), "{}", done.text);
        let after = world.get(&path, &shared.owner).json();
        assert_eq!((&after[field], &after["version"]), (&value, &done.json()["applied_version"]));
        let history = world.get(&format!("{path}/history"), &shared.guest).json();
        let lines: Vec<(&str, &str)> = history["items"].as_array().unwrap().iter().map(|e| (e["type"].as_str().unwrap(), e["agency"].as_str().unwrap())).collect();
        let tail = &lines[lines.len() - 3..];
        let updated = format!("{part}.updated");
        assert_eq!(tail[0], ("record_correction.created", GUEST), "{lines:?}");
        let mut rest = tail[1..].to_vec();
        rest.sort_unstable();
        let mut expected = vec![("record_correction.transitioned", OWNER), (updated.as_str(), OWNER)];
        expected.sort_unstable();
        assert_eq!(rest, expected, "{lines:?}");
    }
    assert_eq!((shared.list(&shared.owner, "box=in&open=true"), shared.list(&shared.owner, "box=in&open=false"), shared.list(&shared.guest, "box=out")), (0, 4, 4));
}

fn oversight_lists_the_proposals_of_all_agencies_and_nobody_else_does(world) {
    let shared = Shared::new(world, &["victims"]);
    let made: Vec<Answer> = ["170102", "170103"].map(|place| shared.proposed("case", json!({"patch": {"territory": place}}))).into();
    let oversight = world.token("PE-DP", &format!("cases:read {SCOPES}"), Purpose::Oversight);
    let second = world.token("PE-MININTER-DGSD", &format!("cases:read {SCOPES}"), Purpose::Oversight);
    let ids = |token: &str, query: &str| {
        let page = world.get(&format!("/v1/corrections?{query}"), token);
        assert_eq!(page.status, 200, "{}", page.text);
        page.json()["items"].as_array().unwrap().iter().map(|c| format!("/v1/corrections/{}", c["id"].as_str().unwrap())).collect::<Vec<_>>()
    };
    let all: Vec<String> = made.iter().map(|m| m.header("location")).collect();
    assert_eq!((ids(&oversight, "box=watch"), ids(&second, "box=watch&open=true")), (all.clone(), all.clone()));
    assert_eq!((ids(&oversight, "box=in").len(), ids(&oversight, "box=out").len()), (0, 0), "it is nobody's side");
    for token in [&shared.owner, &shared.guest] {
        let refused = world.get("/v1/corrections?box=watch", token);
        assert_eq!((refused.status, refused.code().as_str()), (403, "field_forbidden"), "{}", refused.text);
    }
    assert_eq!(shared.answer(&shared.owner, &made[0], json!({"trigger": "reject", "reason": "No."})).status, 200);
    assert_eq!((ids(&oversight, "box=watch&open=true"), ids(&oversight, "box=watch&open=false")), (all[1..].to_vec(), all[..1].to_vec()));
    let page = world.get("/v1/corrections?box=watch&limit=1", &oversight);
    let next = page.json()["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(ids(&oversight, &format!("box=watch&limit=1&cursor={next}")), all[1..]);
}

fn nobody_corrects_what_it_does_not_see_and_nobody_its_own(world) {
    let shared = Shared::new(world, &["victims"]);
    let forbidden = shared.ask(&shared.guest, "case", json!({"patch": {"title": "Otro", "identifiers": [], "extensions": [], "territory": "170102"}}));
    assert_eq!((forbidden.status, forbidden.code().as_str()), (403, "field_forbidden"));
    assert_eq!(forbidden.faults(), ["#/case/patch/extensions: read_only", "#/case/patch/identifiers: read_only", "#/case/patch/title: read_only"]);
    for (part, body) in [("accused", json!({"accused_id": shared.accused, "patch": {"sex": "male"}})), ("charge", json!({"charge_id": shared.charge, "patch": {"role": "promoter"}}))] {
        let hidden = shared.ask(&shared.guest, part, body.clone());
        assert_eq!(hidden.faults(), [format!("#/{part}/{part}_id: reference_not_found")]);
        let mut nowhere = body;
        nowhere[format!("{part}_id")] = json!("7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12");
        assert_eq!(shared.ask(&shared.guest, part, nowhere).faults(), hidden.faults(), "as if it were not there");
    }
    let own = shared.ask(&shared.owner, "case", json!({"patch": {"territory": "170102"}}));
    assert_eq!((own.status, &own.json()["failed_guards"]), (409, &json!(["own_record"])));
    let oversight = world.token("PE-DP", &format!("cases:read {SCOPES}"), Purpose::Oversight);
    assert_eq!(shared.ask(&oversight, "case", json!({"patch": {"territory": "170102"}})).code(), "owner_only");
    let stranger = world.token("PE-MIMP-AURORA", &format!("{ALL} {SCOPES}"), Purpose::Assistance);
    assert_eq!(shared.ask(&stranger, "case", json!({"patch": {"territory": "170102"}})).faults(), ["#/case_id: reference_not_found"]);
    let blind = world.token(GUEST, &format!("cases:read {SCOPES}"), Purpose::Investigation);
    let refused = shared.ask(&blind, "victim", json!({"victim_id": shared.victim, "patch": {"sex": "male"}}));
    assert_eq!((refused.code().as_str(), &refused.json()["required_scopes"]), ("insufficient_scope", &json!(["victims:read"])));
    let made = shared.proposed("victim", json!({"victim_id": shared.victim, "patch": {"sex": "male"}}));
    let path = made.header("location");
    for path in [path.clone(), format!("{path}/transitions"), format!("{path}/transitions/available")] {
        assert_eq!(world.get(&path, &stranger).status, 404, "{path}");
    }
    assert_eq!(world.step(&path, &stranger, "\"1.a\"", &json!({"trigger": "withdraw"})).status, 404);
    assert_eq!(world.get(&path, &oversight).status, 200);
    let reader = world.token(OWNER, &format!("victims:read {SCOPES}"), Purpose::Prosecution);
    let refused = shared.answer(&reader, &made, json!({"trigger": "accept", "record_version": 1}));
    assert_eq!((refused.code().as_str(), &refused.json()["required_scopes"]), ("insufficient_scope", &json!(["victims:write"])));
}

fn a_proposal_is_checked_by_the_record_s_rules_when_it_is_made_and_again_when_it_is_accepted(world) {
    let shared = Shared::new(world, &["narrative", "victims", "charges"]);
    let faults = |part: &str, body: Value| shared.ask(&shared.guest, part, body).faults();
    assert_eq!(faults("case", json!({"patch": {"territory": "990101", "colour": 1}})), ["#/case/patch/colour: unknown_field"]);
    assert_eq!(faults("case", json!({"patch": {"territory": "990101"}})), ["#/case/patch/territory: enum"]);
    assert_eq!(faults("case", json!({"patch": {"territory": "170101"}})), ["#/case/patch: cross_field"], "it says so already");
    assert_eq!(faults("case", json!({"patch": {}})), ["#/case/patch: cross_field"]);
    assert_eq!(faults("victim", json!({"victim_id": shared.victim, "patch": {"sex": "nonsense"}})), ["#/victim/patch/sex: enum"]);
    let both = json!({"case_id": shared.case, "case": {"patch": {"territory": "170102"}}, "victim": {"victim_id": shared.victim, "patch": {"sex": "male"}}, "reason": " "});
    assert_eq!(world.post("/v1/corrections", &shared.guest, &both).faults(), ["#/reason: min_length", "#/victim: cross_field"]);
    let none = json!({"case_id": shared.case, "reason": "Porque sí."});
    assert_eq!(world.post("/v1/corrections", &shared.guest, &none).faults(), ["#/case: required"]);
    // Right when it was made, and no longer.
    let made = shared.proposed("case", json!({"patch": {"facts_to": "2026-02"}}));
    let etag = world.get(&shared.path, &shared.owner).header("etag");
    assert_eq!(world.patch(&shared.path, &shared.owner, &etag, &json!({"facts_from": "2026-03"})).status, 200);
    let late = shared.answer(&shared.owner, &made, json!({"trigger": "accept", "record_version": 2}));
    assert_eq!((late.status, &late.json()["failed_guards"]), (409, &json!(["record_refuses"])));
    assert_eq!(world.get(&made.header("location"), &shared.owner).json()["state"], "proposed", "nothing was done");
    assert_eq!(world.get(&shared.path, &shared.owner).json()["facts_to"], Value::Null);
}

fn each_side_has_its_moves_and_a_decided_proposal_has_none(world) {
    let shared = Shared::new(world, &["victims"]);
    let one = || shared.proposed("victim", json!({"victim_id": shared.victim, "patch": {"sex": "male"}}));
    let made = one();
    for (token, trigger) in [(&shared.guest, "accept"), (&shared.guest, "reject"), (&shared.owner, "withdraw")] {
        let refused = shared.answer(token, &made, json!({"trigger": trigger, "reason": "x"}));
        assert_eq!((refused.status, refused.code().as_str()), (403, "owner_only"), "{trigger}");
    }
    assert_eq!(shared.answer(&shared.owner, &made, json!({"trigger": "reject"})).faults(), ["#/reason: required"]);
    assert_eq!(shared.answer(&shared.guest, &made, json!({"trigger": "withdraw", "record_version": 1})).faults(), ["#/record_version: cross_field"]);
    let available = world.get(&format!("{}/transitions/available", made.header("location")), &shared.guest).json();
    let allowed: Vec<(&str, bool)> = available["items"].as_array().unwrap().iter().map(|i| (i["trigger"].as_str().unwrap(), i["allowed"].as_bool().unwrap())).collect();
    assert_eq!(allowed, [("accept", false), ("reject", false), ("withdraw", true)]);
    let rejected = shared.answer(&shared.owner, &made, json!({"trigger": "reject", "reason": "El documento dice otra cosa."}));
    assert_eq!((rejected.status, &rejected.json()["state"], &rejected.json()["answer"]), (200, &json!("rejected"), &json!("El documento dice otra cosa.")));
    let second = one();
    assert_eq!(shared.answer(&shared.guest, &second, json!({"trigger": "withdraw"})).json()["state"], "withdrawn");
    for (token, body) in [(&shared.owner, json!({"trigger": "accept", "record_version": 1})), (&shared.guest, json!({"trigger": "withdraw"}))] {
        for decided in [&made, &second] {
            let refused = shared.answer(token, decided, body.clone());
            assert_eq!((refused.status, &refused.json()["failed_guards"]), (409, &json!(["no_such_transition"])), "{body}");
        }
    }
    let moves = world.get(&format!("{}/transitions", made.header("location")), &shared.guest).json();
    assert_eq!((&moves["items"][0]["trigger"], &moves["items"][0]["agency"]), (&json!("reject"), &json!(OWNER)));
    assert_eq!(world.get(&format!("/v1/victims/{}", shared.victim), &shared.owner).json()["sex"], "female");
    // Whoever is shut out keeps its own words and can take them back.
    let third = one();
    let share = world.get(&format!("{}/participants", shared.path), &shared.owner).json()["items"][0]["id"].as_str().unwrap().to_owned();
    let share = format!("{}/participants/{share}", shared.path);
    assert_eq!(world.step(&share, &shared.owner, &world.get(&share, &shared.owner).header("etag"), &json!({"trigger": "end"})).status, 200);
    assert_eq!(shared.answer(&shared.guest, &third, json!({"trigger": "withdraw"})).status, 200);
}
}
