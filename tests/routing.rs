//! Whom to ask: which agencies are competent for something in a place, and in which order they are named.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::World;

const OWNER: &str = "PE-MP-FISTRAP-LIMA";

fn register(world: &World, token: &str, code: &str, territory: Option<&str>, more: Value) {
    let mut new = json!({"code": code, "names": {"es": code, "en": code, "fr": code}, "kind": "shelter", "country": "PE",
        "services": ["shelter"]});
    if let Some(territory) = territory {
        new["territory"] = json!(territory);
    }
    more.as_object().unwrap().iter().for_each(|(name, value)| new[name] = value.clone());
    let made = world.post("/v1/agencies", token, &new);
    assert_eq!(made.status, 201, "{}", made.text);
}

/// Code and reach of those who are named.
fn asked(world: &World, token: &str, query: &str) -> Vec<(String, String)> {
    let answer = world.get(&format!("/v1/agencies/competent?{query}"), token);
    assert_eq!(answer.status, 200, "{}", answer.text);
    let text = |item: &Value, at: &str| {
        item.pointer(at).and_then(Value::as_str).unwrap_or_else(|| panic!("{at}: {item}")).to_owned()
    };
    answer.json()["items"].as_array().unwrap().iter().map(|i| (text(i, "/agency/code"), text(i, "/reach"))).collect()
}

/// The same, those only whose code begins so.
fn ours(world: &World, token: &str, query: &str) -> Vec<(String, String)> {
    asked(world, token, query).into_iter().filter(|(code, _)| code.starts_with("PE-CASA")).collect()
}

fn pairs(list: &[(String, String)]) -> Vec<(&str, &str)> {
    list.iter().map(|(code, reach)| (code.as_str(), reach.as_str())).collect()
}

both! {
fn the_nearest_with_the_service_come_first_and_those_who_closed_or_lie_elsewhere_not_at_all(world) {
    let token = world.token(OWNER, "agencies:manage", Purpose::Statistics);
    let none = json!({});
    register(world, &token, "PE-CASA-PAIS", None, none.clone());
    register(world, &token, "PE-CASA-DEPARTAMENTO", Some("17"), none.clone());
    register(world, &token, "PE-CASA-PROVINCIA", Some("1701"), none.clone());
    register(world, &token, "PE-CASA-DISTRITO", Some("170101"), none.clone());
    register(world, &token, "PE-CASA-LEJOS", Some("200101"), none.clone());
    register(world, &token, "PE-CASA-CERRADA", Some("170101"), json!({"active_to": "2020-01-31"}));
    register(world, &token, "PE-CASA-FUTURA", Some("170101"), json!({"active_from": "2090-01-01"}));
    register(world, &token, "PE-CASA-OTRA", Some("170101"), json!({"services": ["legal_aid"]}));
    register(world, &token, "PE-CASA-VIGILA", Some("170101"), json!({"oversight": true}));
    let found = ours(world, &token, "competent_for=service:shelter&territory=170101");
    assert_eq!(pairs(&found), [("PE-CASA-DISTRITO", "district"), ("PE-CASA-PROVINCIA", "province"), ("PE-CASA-DEPARTAMENTO", "department"), ("PE-CASA-PAIS", "national")]);
    let province = ours(world, &token, "competent_for=service:shelter&territory=1701");
    assert_eq!(pairs(&province), [("PE-CASA-PROVINCIA", "province"), ("PE-CASA-DEPARTAMENTO", "department"), ("PE-CASA-DISTRITO", "within"), ("PE-CASA-PAIS", "national")]);
    let neighbour = ours(world, &token, "competent_for=service:shelter&territory=170102");
    assert_eq!(pairs(&neighbour), [("PE-CASA-PROVINCIA", "province"), ("PE-CASA-DEPARTAMENTO", "department"), ("PE-CASA-PAIS", "national")]);
    assert_eq!(ours(world, &token, "competent_for=service:legal_aid&territory=170101"), [("PE-CASA-OTRA".to_owned(), "district".to_owned())]);
    // Whoever closes is named no more from that day on.
    let path = "/v1/agencies/PE-CASA-DISTRITO";
    assert_eq!(world.patch(path, &token, &world.get(path, &token).header("etag"), &json!({"active_to": "2020-01-31"})).status, 200);
    assert_eq!(ours(world, &token, "competent_for=service:shelter&territory=170101")[0].0, "PE-CASA-PROVINCIA");
    assert_eq!(world.get(path, &token).status, 200, "it is still known");
}

fn an_offence_is_for_those_whom_the_law_names_and_before_all_for_those_of_the_place(world) {
    let token = world.token(OWNER, "agencies:manage", Purpose::Statistics);
    let named = asked(world, &token, "competent_for=offence:PE-CP-129-A&territory=150101");
    assert_eq!(named[0], ("PE-MP-FISTRAP-LIMA".to_owned(), "department".to_owned()), "{named:?}");
    assert!(named.iter().all(|(code, _)| !code.starts_with("PE-MP-FISTRAP-CUSCO")), "{named:?}");
    let elsewhere = asked(world, &token, "competent_for=offence:PE-CP-129-A&territory=080101");
    assert_eq!(elsewhere[0].0, "PE-MP-FISTRAP-CUSCO", "{elsewhere:?}");
    // Where the speciality has no seat, the office of the whole country.
    let nowhere = asked(world, &token, "competent_for=offence:PE-CP-129-A&territory=010101");
    assert_eq!(nowhere[0], ("PE-MP-FISTRAP".to_owned(), "national".to_owned()), "{nowhere:?}");
    let police = asked(world, &token, "competent_for=kind:police&territory=150101");
    assert!(police.iter().any(|(code, _)| code == "PE-PNP") && police.iter().all(|(code, _)| code.starts_with("PE-PNP")), "{police:?}");
    for (query, fault) in [("competent_for=service:nonsense", "competent_for: enum"), ("competent_for=shelter", "competent_for: enum"), ("competent_for=kind:police&territory=99", "territory: enum"), ("territory=15", "competent_for: required")] {
        let answer = world.get(&format!("/v1/agencies/competent?{query}"), &token);
        assert_eq!(answer.status, 400, "{query}: {}", answer.text);
        assert_eq!(answer.faults(), [fault], "{query}");
    }
}
}
