//! Every write of the registry, once, one after the other: what the twin of the schema must have seen.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::support::{Answer, World, case};

const DESK: &str = "cases:read cases:write victims:read victims:write victims.identity:read victims.identity:write accused:read \
    accused:write accused.identity:read accused.identity:write charges:read charges:write referrals:read referrals:write \
    agencies:manage";

/// A record: made, then read for its version before each change.
struct Desk<'w> {
    world: &'w World,
    token: String,
}

impl Desk<'_> {
    fn made(&self, path: &str, body: &Value) -> Answer {
        let answer = self.world.post(path, &self.token, body);
        assert_eq!(answer.status, 201, "POST {path}: {}", answer.text);
        answer
    }

    fn amended(&self, path: &str, body: &Value) {
        let etag = self.world.get(path, &self.token).header("etag");
        let answer = self.world.patch(path, &self.token, &etag, body);
        assert_eq!(answer.status, 200, "PATCH {path}: {}", answer.text);
        assert_ne!(answer.header("etag"), etag, "PATCH {path} changed nothing");
    }

    fn moved(&self, path: &str, body: &Value) {
        let etag = self.world.get(path, &self.token).header("etag");
        let answer = self.world.step(path, &self.token, &etag, body);
        assert_eq!(answer.status, 200, "move of {path}: {}", answer.text);
    }

    fn first(&self, path: &str, key: &str) -> String {
        self.world.get(path, &self.token).json()["items"][0][key]
            .as_str()
            .unwrap_or_else(|| panic!("{path}: {key}"))
            .to_owned()
    }
}

both! {
fn every_kind_of_record_is_made_amended_and_moved(world) {
    let desk = Desk { world, token: world.token("PE-MP-FISTRAP-LIMA", DESK, Purpose::Prosecution) };
    let agency = desk.made("/v1/agencies", &json!({"code": "PE-MP-FISTRAP-TACNA", "kind": "prosecutor", "country": "PE",
        "parent": "PE-MP", "names": {"es": "Fiscalía de Tacna", "en": "Tacna office", "fr": "Parquet de Tacna"}})).header("location");
    desk.amended(&agency, &json!({"territory": "23", "parent": null}));
    let opened = desk.made("/v1/cases", &case());
    let (path, id) = (opened.header("location"), opened.json()["id"].clone());
    desk.amended(&path, &json!({"summary": null, "territory": "150101"}));
    desk.amended(&path, &json!({"identifiers": [{"scheme": "PE-CARPETA", "value": "506014501-2026-91-0"}]}));
    desk.amended(&path, &json!({"identifiers": []}));
    let victim = desk.made(&format!("{path}/victims"), &json!({"sex": "female", "age_at_identification": 16, "acts": ["recruit"],
        "purposes": ["sexual_exploitation"], "identity": {"given_names": "Rosa"}})).json()["victim_id"].as_str().unwrap().to_owned();
    desk.amended(&format!("/v1/victims/{victim}"), &json!({"education": "secondary", "languages": ["qu", "es"]}));
    desk.amended(&format!("/v1/victims/{victim}/identity"), &json!({"paternal_surname": "Quispe"}));
    desk.amended(&format!("{path}/victims/{victim}"), &json!({"status": "recognised"}));
    let accused = desk.made(&format!("{path}/accused"), &json!({"kind": "natural_person", "sex": "male"}));
    let (accused, accused_id) = (accused.header("location"), accused.json()["id"].clone());
    desk.amended(&accused, &json!({"occupation": "transportista"}));
    desk.amended(&format!("{accused}/identity"), &json!({"given_names": "Percy"}));
    let charge = desk.made("/v1/charges", &json!({"case_id": id, "accused_id": accused_id, "offence_code": "PE-CP-129-A", "role": "author"}));
    desk.amended(&charge.header("location"), &json!({"offence_code": "PE-CP-129-B"}));
    let participant = desk.made(&format!("{path}/participants"), &json!({"agency": "PE-PNP-DIRCTPTIM", "role": "investigation_support",
        "sections": ["identifiers", "victims", "accused", "charges"]})).header("location");
    let police = world.token("PE-PNP-DIRCTPTIM", "cases:read", Purpose::Investigation);
    assert_eq!(world.get(&path, &police).status, 200);
    desk.moved(&participant, &json!({"trigger": "end", "reason": "El apoyo concluyó."}));
    assert_eq!(world.get(&path, &police).status, 404);
    let referral = desk.made("/v1/referrals", &json!({"kind": "service_request", "case_id": id, "to_agency": "PE-MIMP-INABIF",
        "services": ["shelter"], "sections": ["victims"], "purpose": "assistance", "urgency": "immediate", "legal_basis": "danger_to_life"})).header("location");
    desk.amended(&referral, &json!({"urgency": "ordinary"}));
    desk.moved(&referral, &json!({"trigger": "send"}));
    let shelter = Desk { world, token: world.shelter() };
    shelter.moved(&referral, &json!({"trigger": "accept"}));
    shelter.moved(&referral, &json!({"trigger": "complete", "outcome": "service_delivered"}));
    desk.moved(&path, &json!({"trigger": "open_inquiry", "effective_on": "2026-03-15",
        "legal_act": {"type": "disposicion", "number": "01-2026", "date": "2026-03-15"}}));
    assert_eq!(desk.first(&format!("{path}/transitions"), "trigger"), "open_inquiry");
    let kinds: BTreeSet<String> = world.get(&format!("{path}/history?limit=200"), &desk.token).json()["items"].as_array().unwrap().iter()
        .map(|e| e["type"].as_str().unwrap().to_owned()).collect();
    assert!(kinds.len() > 3, "{kinds:?}");
}
}
