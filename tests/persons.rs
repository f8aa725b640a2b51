//! Accused persons and charges, and who may see and change them.

use serde_json::json;
use sistra::auth::Purpose;

use crate::both;
use crate::support::{World, case};

const DESK: &str = "accused:read accused:write accused.identity:read accused.identity:write cases:write cases:read charges:read charges:write";

fn opened(world: &World, token: &str) -> (String, String) {
    let made = world.post("/v1/cases", token, &case());
    assert_eq!(made.status, 201, "{}", made.text);
    (made.header("location"), made.json()["id"].as_str().unwrap().to_owned())
}

both! {
fn an_accused_is_added_named_and_amended(world) {
    let desk = world.token("PE-MP-FISTRAP-LIMA", DESK, Purpose::Investigation);
    let (path, _) = opened(world, &desk);
    let made = world.post(&format!("{path}/accused"), &desk, &json!({"kind": "unidentified", "identity": {"other_names": ["El Chato"]}}));
    assert_eq!(made.status, 201, "{}", made.text);
    let accused = made.header("location");
    let mut added = made.json();
    assert_eq!(added.as_object_mut().unwrap().remove("possible_duplicates"), Some(json!([])));
    assert_eq!(world.get(&accused, &desk).json(), added);
    assert!(!made.text.contains("Chato"), "identities have a door of their own");
    let known = world.patch(&accused, &desk, &made.header("etag"), &json!({"kind": "natural_person", "sex": "male", "occupation": "transportista"}));
    assert_eq!((known.status, known.json()["kind"].clone()), (200, json!("natural_person")), "{}", known.text);
    let door = format!("{accused}/identity");
    let before = world.get(&door, &desk);
    assert_eq!(before.json()["other_names"], json!(["El Chato"]));
    let named = world.patch(&door, &desk, &before.header("etag"), &json!({"given_names": "Percy", "paternal_surname": "Huamán"}));
    assert_eq!((named.status, named.json()["given_names"].clone()), (200, json!("Percy")), "{}", named.text);
    assert_eq!(world.patch(&door, &desk, &before.header("etag"), &json!({"given_names": "X"})).status, 412);
    let company = world.patch(&door, &desk, &named.header("etag"), &json!({"legal_name": "Hotel S.A.C."}));
    assert_eq!(company.faults(), ["#/legal_name: cross_field"]);
    let bad = world.patch(&accused, &desk, &known.header("etag"), &json!({"kind": null, "age_band": "old", "nationalities": ["XX"]}));
    assert_eq!(bad.faults(), ["#/age_band: enum", "#/kind: required", "#/nationalities/0: enum"]);
    let kinds: Vec<String> = world.get(&format!("{accused}/history"), &desk).json()["items"].as_array().unwrap().iter()
        .map(|e| e["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds, ["accused.created", "accused.updated", "accused_identity.updated"]);
}

fn strangers_neither_see_nor_change_an_accused_or_a_charge(world) {
    let desk = world.token("PE-MP-FISTRAP-LIMA", DESK, Purpose::Investigation);
    let other = world.token("PE-PNP", DESK, Purpose::Investigation);
    let (path, case_id) = opened(world, &desk);
    let accused = world.get(&format!("{path}/accused"), &desk).json()["items"][0]["id"].as_str().unwrap().to_owned();
    let charge = world.get(&format!("/v1/charges?case_id={case_id}"), &desk).json()["items"][0]["id"].as_str().unwrap().to_owned();
    for read in [format!("/v1/accused/{accused}"), format!("/v1/accused/{accused}/identity"), format!("/v1/accused/{accused}/history"), format!("/v1/charges/{charge}"), format!("/v1/charges/{charge}/history"), format!("{path}/accused")] {
        assert_eq!(world.get(&read, &other).status, 404, "{read}");
        assert_eq!(world.get(&read, &desk).status, 200, "{read}");
    }
    for write in [format!("/v1/accused/{accused}"), format!("/v1/accused/{accused}/identity"), format!("/v1/charges/{charge}")] {
        assert_eq!(world.patch(&write, &other, "\"1.o\"", &json!({})).status, 404, "{write}");
    }
    assert_eq!(world.post(&format!("{path}/accused"), &other, &json!({"kind": "natural_person"})).status, 404);
    let charged = world.post("/v1/charges", &other, &json!({"case_id": case_id, "accused_id": accused, "offence_code": "PE-CP-129-A", "role": "author"}));
    assert_eq!(charged.faults(), ["#/case_id: reference_not_found"]);
    let narrow = world.prosecutor();
    assert_eq!(world.get(&format!("/v1/accused/{accused}/identity"), &narrow).code(), "insufficient_scope");
    assert_eq!(world.post(&format!("{path}/accused"), &narrow, &json!({"kind": "natural_person", "identity": {"given_names": "X"}})).code(), "insufficient_scope");
    let oversight = world.token("PE-DP", "accused:read accused.identity:read accused:write charges:write", Purpose::Investigation);
    assert_eq!(world.get(&format!("/v1/accused/{accused}"), &oversight).status, 200);
    assert_eq!(world.get(&format!("/v1/accused/{accused}/identity"), &oversight).status, 404);
    assert_eq!(world.patch(&format!("/v1/accused/{accused}"), &oversight, "\"1.s\"", &json!({"sex": "male"})).code(), "owner_only");
    assert_eq!(world.patch(&format!("/v1/charges/{charge}"), &oversight, "\"1.s\"", &json!({"role": "author"})).code(), "owner_only");
}

fn a_charge_is_amended_and_keeps_what_it_was(world) {
    let desk = world.prosecutor();
    let (path, case_id) = opened(world, &desk);
    let first = world.get(&format!("/v1/charges?case_id={case_id}"), &desk).json()["items"][0].clone();
    let charge = format!("/v1/charges/{}", first["id"].as_str().unwrap());
    let worse = world.patch(&charge, &desk, "\"1.o\"", &json!({"offence_code": "PE-CP-129-B", "aggravators": ["PE-CP-129-B.1.1"], "role": "promoter"}));
    assert_eq!(worse.status, 200, "{}", worse.text);
    assert_eq!((worse.json()["article"].clone(), worse.json()["version"].clone()), (json!("129-B"), json!(2)));
    assert_eq!(worse.json()["recharacterisations"][0]["offence_code"], "PE-CP-129-A");
    let stranger = "7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12";
    let bad = world.patch(&charge, &desk, "\"2.o\"", &json!({"role": "king", "aggravators": ["PE-CP-129-D.1.1"], "victims": [stranger]}));
    assert_eq!(bad.faults(), ["#/aggravators/0: enum", "#/role: enum", "#/victims/0: reference_not_found"]);
    assert_eq!(world.patch(&charge, &desk, "\"1.o\"", &json!({"role": "author"})).status, 412);
    let accused = first["accused_id"].as_str().unwrap();
    let second = world.post("/v1/charges", &desk, &json!({"case_id": case_id, "accused_id": accused, "offence_code": "PE-CP-129-A", "role": "author"}));
    assert_eq!(second.status, 201, "{}", second.text);
    let count = |query: &str| world.get(&format!("/v1/charges?case_id={case_id}{query}"), &desk).json()["items"].as_array().unwrap().len();
    assert_eq!([count(""), count("&offence_code=PE-CP-129-B"), count(&format!("&accused_id={accused}")), count("&state=alleged"), count("&state=indicted")], [2, 1, 2, 2, 0]);
    assert_eq!(world.get(&format!("/v1/charges?case_id={case_id}&state=nonsense"), &desk).code(), "invalid_parameter");
    let history = world.get(&format!("{charge}/history"), &desk).json();
    assert_eq!(history["items"][1]["changed"], json!(["#/offence_code", "#/role", "#/aggravators"]));
    let _ = path;
}
}
