//! Who may do what: every mounted operation, asked by every kind of caller.
//!
//! The operations are those that the program mounts; one that nobody said anything about here fails the suite.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sistra::alerts::actions::raise;
use sistra::alerts::model::{Alarm, Budget, Level};
use sistra::auth::Purpose;
use sistra::auth::policy::together;
use sistra::kernel::ids::ClientId;
use sistra::kernel::trail::Trail;
use sistra::kernel::{AgencyCode, Bucket, Timestamp};
use sistra::ledger::Actor;
use sistra::retention::run::{Run, run};

use crate::both;
use crate::support::contract::DOCUMENT;
use crate::support::{Answer, World, case, unique};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const STRANGER: &str = "PE-MP-FISTRAP-PIURA";
const GUEST: &str = "PE-MIMP-INABIF";
const FORMER: &str = "PE-MP-UDAVIT";
const OVERSIGHT: &str = "PE-DP";
const HELPER: &str = "PE-MIMP-AURORA";

/// Operations whose scope no client has together with all the others, who may not review what it could have done. One of
/// them lets a stranger in, before everybody's eyes: see `protection.rs`; of the others see `keeping.rs` and `releases.rs`.
const APART: [&str; 3] = ["break_glass_invoke", "erasure_propose", "statistics_release_propose"];
const INVOKE: &str = "break_glass:invoke";

/// One operation of the contract.
struct Operation {
    id: String,
    method: String,
    path: String,
    scopes: Vec<String>,
    body: Value,
}

impl Operation {
    /// Every one that needs a token.
    fn secured() -> Vec<Self> {
        let paths = DOCUMENT["paths"].as_object().unwrap();
        let all = paths.iter().flat_map(|(path, item)| item.as_object().unwrap().iter().map(move |(m, o)| (path, m, o)));
        let secured =
            all.filter(|(.., o)| o["security"].as_array().is_some_and(|s| s.iter().any(|s| s["oauth2"].is_array())));
        let mut all: Vec<Self> = secured
            .filter(|(.., o)| !APART.iter().any(|id| o["operationId"] == *id))
            .map(|(path, method, operation)| Self {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                scopes: strings(&operation["x-required-scopes"]),
                body: request(operation),
            })
            .collect();
        // What takes a record away comes last.
        all.sort_by_key(|o| o.method == "DELETE");
        all
    }

    /// The same request about the records of `ids`, in the path, in the query and in the body.
    fn ask(&self, world: &World, token: Option<&str>, ids: &Ids) -> Answer {
        let mut path = self.path.clone();
        for (name, id) in ids {
            path = path.replace(&format!("{{{name}}}"), id);
        }
        path += match self.id.as_str() {
            "referral_list" | "correction_list" => "?box=in",
            "agency_competent" => "?competent_for=service:shelter",
            "measure_desk" => "?expires_before=2099-01-01",
            "charge_list" => "?case_id={case_id}",
            "statistics_glotip" | "statistics_ic_tip" | "statistics_sdg" => "?year=2026",
            "event_list" => "?after=begin",
            _ => "",
        };
        path = path.replace("{case_id}", &ids["case_id"]);
        let key = unique();
        let headers = match self.method.as_str() {
            "GET" => vec![],
            "PATCH" => vec![("Content-Type", "application/merge-patch+json"), ("If-Match", "\"99.o\"")],
            _ => vec![("Content-Type", "application/json"), ("If-Match", "\"99.o\""), ("Idempotency-Key", key.as_str())],
        };
        let body = if self.body.is_null() { String::new() } else { about(&self.body, ids).to_string() };
        world.send(&self.method, &path, token, &headers, body.as_bytes())
    }
}

type Ids = BTreeMap<String, String>;

fn strings(list: &Value) -> Vec<String> {
    list.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The example of an operation's body.
fn request(operation: &Value) -> Value {
    let Some(content) = operation["requestBody"]["content"].as_object().and_then(|c| c.values().next()) else {
        return Value::Null;
    };
    let schema = content["schema"]["$ref"].as_str().map(|t| DOCUMENT.pointer(&t[1..]).unwrap());
    [&content["example"], &content["schema"]["example"], schema.map_or(&Value::Null, |s| &s["example"])]
        .into_iter()
        .find(|e| !e.is_null())
        .cloned()
        .unwrap()
}

/// A body whose references name these records.
fn about(body: &Value, ids: &Ids) -> Value {
    match body {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match ids.get(name) {
                Some(id) if value.is_string() => (name.clone(), json!(id)),
                _ if name == "victims" && value[0].as_str().is_some_and(|id| id.len() == 36) => {
                    (name.clone(), json!([ids["victim_id"]]))
                }
                _ => (name.clone(), about(value, ids)),
            })
            .collect::<serde_json::Map<_, _>>()
            .into(),
        Value::Array(items) => items.iter().map(|i| about(i, ids)).collect::<Vec<_>>().into(),
        other => other.clone(),
    }
}

/// A case with one of everything that can hang on it, shared with a guest, and no longer with a former one.
struct Registry {
    real: Ids,
    nothing: Ids,
}

impl Registry {
    fn new(world: &World) -> Self {
        let owner = full(world, OWNER, Purpose::Prosecution);
        let made = world.post("/v1/cases", &owner, &case());
        let at = made.header("location");
        let mut real = Ids::from([("case_id".to_owned(), last(&at)), ("code".to_owned(), OWNER.to_owned())]);
        let first = |list: &str, key: &str| world.get(&format!("{at}/{list}"), &owner).json()["items"][0][key].clone();
        let (victim, accused) = (first("victims", "victim_id"), first("accused", "id"));
        let charge = world.get(&format!("/v1/charges?case_id={}", last(&at)), &owner).json()["items"][0]["id"].clone();
        let mut make = |name: &str, path: &str, body: Value| {
            let made = world.post(path, &owner, &body);
            assert_eq!(made.status, 201, "{path}: {}", made.text);
            real.insert(name.to_owned(), last(&made.header("location")));
            made
        };
        make(
            "measure_id",
            &format!("{at}/measures"),
            json!({"kind": "protective", "type": "concealment", "victim_id": victim, "requested_by": "victim"}),
        );
        make(
            "hearing_id",
            &format!("{at}/hearings"),
            json!({"kind": "trial_session", "scheduled_at": "2026-03-18T14:00:00.000Z", "court": "Juzgado"}),
        );
        make(
            "decision_id",
            &format!("{at}/decisions"),
            json!({"kind": "auto", "number": "3", "date": "2026-03-18", "authority": "Juzgado", "result": "Fundado"}),
        );
        make("webhook_id", "/v1/webhooks", json!({"url": "https://hooks.example/sistra"}));
        make("note_id", &format!("{at}/notes"), json!({"visibility": "shared", "text": "Nota"}));
        make(
            "referral_id",
            "/v1/referrals",
            json!({"case_id": last(&at), "kind": "communication", "to_agency": HELPER, "sections": ["narrative"], "purpose": "investigation", "legal_basis": "statutory_duty"}),
        );
        let offered = make(
            "consent_id",
            &format!("/v1/victims/{}/consents", victim.as_str().unwrap()),
            json!({"purposes": ["referral", "assistance"], "language": "es", "form": "written", "given_by": "self"}),
        );
        let given = world.step(&offered.header("location"), &owner, &offered.header("etag"), &json!({"trigger": "give"}));
        assert_eq!(given.status, 200, "{}", given.text);
        let of = format!("/v1/victims/{}", victim.as_str().unwrap());
        make("assistance_id", &format!("{of}/assistance"), json!({"need": "legal_aid"}));
        let detection = json!({"detected_on": "2026-03-14", "channel": "police"});
        make("care_process_id", &format!("{of}/care-processes"), json!({"detection": detection}));
        let relatives = json!([{"relation": "parent", "age": 50}]);
        let begun =
            make("reunification_id", &format!("{of}/reunifications"), json!({"country": "US", "beneficiaries": relatives}));
        let relative = begun.json()["beneficiaries"][0]["id"].clone();
        make("campaign_id", "/v1/campaigns", json!({"name": "Campaña"}));
        make("training_id", "/v1/trainings", json!({"title": "Curso", "starts_on": "2012"}));
        let given = json!({"donor": "CA", "year": 2012, "amount": {"amount_minor": 1, "currency": "CAD"}});
        make("funding_id", "/v1/fundings", given);
        make(
            "participant_id",
            &format!("{at}/participants"),
            json!({"agency": GUEST, "role": "information", "sections": ["identifiers"]}),
        );
        let proposal =
            json!({"case_id": last(&at), "case": {"patch": {"complexity": "complex"}}, "reason": "Son varios imputados."});
        let proposed = world.post("/v1/corrections", &full(world, GUEST, Purpose::Assistance), &proposal);
        assert_eq!(proposed.status, 201, "{}", proposed.text);
        real.insert("correction_id".to_owned(), last(&proposed.header("location")));
        let all = [
            "identifiers",
            "narrative",
            "victims",
            "victim_identity",
            "accused",
            "accused_identity",
            "charges",
            "proceedings",
            "assistance",
        ];
        let body = json!({"agency": FORMER, "role": "information", "sections": all});
        let shared = world.post(&format!("{at}/participants"), &owner, &body);
        let ended = world.step(&shared.header("location"), &owner, &shared.header("etag"), &json!({"trigger": "end"}));
        assert_eq!(ended.status, 200, "{}", ended.text);
        let people = [("victim_id", victim), ("accused_id", accused), ("charge_id", charge), ("beneficiary_id", relative)];
        for (name, id) in people {
            real.insert(name.to_owned(), id.as_str().unwrap().to_owned());
        }
        let emergency =
            json!({"case_id": last(&at), "reason_code": "disaster", "reason": "x".repeat(40), "sections": ["narrative"]});
        let glass = world.post("/v1/break-glass", &world.token(HELPER, INVOKE, Purpose::Assistance), &emergency);
        assert_eq!(glass.status, 201, "{}", glass.text);
        real.insert("break_glass_id".to_owned(), last(&glass.header("location")));
        real.insert("alert_id".to_owned(), alert(world));
        let victim = real["victim_id"].clone();
        let hold =
            json!({"victim_id": victim, "ground": "audit", "basis": "EXP-1-2026", "reason": "Mientras dura la revisión."});
        let held = world.post("/v1/legal-holds", &owner, &hold);
        assert_eq!(held.status, 201, "{}", held.text);
        real.insert("legal_hold_id".to_owned(), last(&held.header("location")));
        let proposes = world.token(OVERSIGHT, "statistics:publish", Purpose::Oversight);
        let release = world.post("/v1/statistics/releases", &proposes, &json!({"period": "2024"}));
        assert_eq!(release.status, 201, "{}", release.text);
        real.insert("release_proposal_id".to_owned(), last(&release.header("location")));
        let asks = world.token(OWNER, "shred:propose", Purpose::Prosecution);
        let body =
            json!({"victim_id": victim, "ground": "person_asked", "basis": "SOL-1-2026", "reason": "Lo pidió por escrito."});
        let proposed = world.post("/v1/erasures", &asks, &body);
        assert_eq!(proposed.status, 201, "{}", proposed.text);
        real.insert("erasure_id".to_owned(), last(&proposed.header("location")));
        real.insert("retention_review_id".to_owned(), due(world));
        let nothing = real
            .keys()
            .map(|name| (name.clone(), if name == "code" { OWNER.to_owned() } else { uuid::Uuid::new_v4().to_string() }))
            .collect();
        Self { real, nothing }
    }
}

/// What the schedule finds of an archived case of the owner.
fn due(world: &World) -> String {
    let owner = full(world, OWNER, Purpose::Prosecution);
    let made = world.post("/v1/cases", &owner, &case());
    let body = json!({"trigger": "reject_outright", "effective_on": "2026-03-20", "legal_act": {"type": "disposicion"}});
    assert_eq!(world.step(&made.header("location"), &owner, &made.header("etag"), &body).status, 200);
    let law = std::sync::Arc::new(sistra::catalogue::Catalogue::embedded().unwrap());
    let how = Run { as_of: "2031-03-20".parse().unwrap(), dry: false, now: Timestamp::now() };
    let report = run(&world.running.as_ref().unwrap().store, &law, how, |_| ()).unwrap();
    report.items.iter().find(|item| item.rule == "PE-RET-01").unwrap().review_id.unwrap().to_string()
}

/// An alert about a client of the owner.
fn alert(world: &World) -> String {
    let now = Timestamp::now();
    let actor = Actor {
        client: Some(ClientId::generate(now, Bucket::random())),
        agency: AgencyCode::parse(OWNER),
        user: None,
        purpose: Some(Purpose::Prosecution),
        request_id: uuid::Uuid::new_v4(),
        trail: Trail::default(),
    };
    let alarm = Alarm {
        client: actor.client.unwrap(),
        user: None,
        budget: Budget::Subjects,
        level: Level::Warning,
        used: 240,
        quota: 300,
        window_s: 86_400,
        window_from: now,
    };
    let store = &world.running.as_ref().unwrap().store;
    actix_rt::System::new().block_on(raise(store, &actor, now, alarm)).unwrap().to_string()
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

/// A token with every scope but one.
fn without(world: &World, agency: &str, but: &[String]) -> String {
    let scopes: Vec<&str> = together().into_iter().filter(|s| !but.iter().any(|b| b == s)).collect();
    world.token(agency, &scopes.join(" "), Purpose::Prosecution)
}

fn full(world: &World, agency: &str, purpose: Purpose) -> String {
    world.token(agency, &together().join(" "), purpose)
}

/// All of an answer but what names the request, its hour and its quota.
fn bare(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let moving = ["request-id", "date", "ratelimit", "audit-event-id"];
    let mut headers: Vec<(String, String)> = answer
        .headers
        .iter()
        .filter(|(name, _)| !moving.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    headers.sort();
    let request = answer.header("request-id");
    (answer.status, headers, answer.text.replace(&request, "-"))
}

/// What every operation answers to its case's owner, to a guest who was granted `identifiers` and nothing else, and to
/// oversight. The entity tag is never the current one: 412 says that the caller might have done it.
const MATRIX: &[(&str, u16, u16, u16)] = &[
    ("accused_search", 200, 200, 403),
    ("victim_search", 200, 200, 403),
    ("accused_publication_read", 200, 404, 200),
    ("victim_publication_read", 200, 404, 200),
    ("audit_alert_list", 200, 200, 200),
    ("audit_alert_read", 200, 404, 200),
    ("audit_alert_transition_create", 403, 404, 412),
    ("audit_checkpoint_list", 200, 200, 200),
    ("audit_checkpoint_read", 404, 404, 404),
    ("audit_consistency_read", 400, 400, 400),
    ("audit_entry_list", 200, 200, 200),
    ("audit_entry_proof", 404, 404, 404),
    ("case_deadline_list", 200, 200, 200),
    ("deadline_desk", 200, 200, 200),
    ("deconfliction_ask", 200, 200, 403),
    ("accused_read", 200, 404, 200),
    ("accused_amend", 412, 404, 403),
    ("accused_history", 200, 404, 200),
    ("accused_identity_read", 200, 404, 403),
    ("accused_identity_amend", 412, 404, 403),
    ("event_list", 200, 200, 200),
    ("webhook_list", 200, 200, 200),
    ("webhook_create", 201, 201, 201),
    ("webhook_read", 200, 404, 404),
    ("webhook_amend", 412, 404, 404),
    ("webhook_secret_rotate", 200, 404, 404),
    ("webhook_test", 200, 404, 404),
    ("webhook_delivery_list", 200, 404, 404),
    ("webhook_redeliver", 200, 404, 404),
    ("webhook_delete", 204, 404, 404),
    ("agency_list", 200, 200, 200),
    ("agency_register", 422, 422, 422),
    ("agency_read", 200, 200, 200),
    ("agency_amend", 412, 412, 412),
    ("case_list", 200, 200, 200),
    ("case_open", 201, 201, 201),
    ("case_read", 200, 200, 200),
    ("case_amend", 412, 403, 403),
    ("case_accused_list", 200, 404, 200),
    ("case_accused_add", 201, 403, 403),
    ("case_decision_list", 200, 404, 200),
    ("case_decision_create", 201, 403, 403),
    ("case_hearing_list", 200, 404, 200),
    ("case_hearing_create", 201, 403, 403),
    ("case_history", 200, 200, 200),
    ("case_measure_list", 200, 404, 200),
    ("case_measure_request", 201, 403, 403),
    ("case_note_list", 200, 200, 200),
    ("case_note_write", 201, 201, 403),
    ("case_participant_list", 200, 200, 200),
    ("case_participant_add", 201, 403, 403),
    ("case_participant_read", 200, 200, 200),
    ("case_participant_transition_create", 412, 403, 403),
    ("case_transition_list", 200, 200, 200),
    ("case_transition_create", 412, 403, 403),
    ("case_transition_available", 200, 200, 200),
    ("case_victim_list", 200, 404, 200),
    ("case_victim_add", 201, 403, 403),
    ("case_victim_read", 200, 404, 200),
    ("case_victim_amend", 412, 403, 403),
    ("break_glass_list", 200, 200, 200),
    ("break_glass_read", 200, 404, 200),
    ("break_glass_transition_create", 412, 404, 412),
    ("break_glass_transition_list", 200, 404, 200),
    ("charge_list", 200, 404, 200),
    ("charge_create", 201, 403, 403),
    ("charge_read", 200, 404, 200),
    ("charge_amend", 412, 404, 403),
    ("charge_history", 200, 404, 200),
    ("charge_transition_list", 200, 404, 200),
    ("charge_transition_create", 412, 404, 403),
    ("charge_transition_available", 200, 404, 200),
    ("charge_verdict_list", 200, 404, 200),
    ("decision_read", 200, 404, 200),
    ("hearing_read", 200, 404, 200),
    ("hearing_amend", 412, 404, 403),
    ("hearing_history", 200, 404, 200),
    ("measure_desk", 200, 200, 200),
    ("measure_read", 200, 404, 200),
    ("measure_amend", 412, 404, 403),
    ("measure_history", 200, 404, 200),
    ("measure_transition_list", 200, 404, 200),
    ("measure_transition_create", 412, 404, 403),
    ("measure_transition_available", 200, 404, 200),
    ("note_read", 200, 404, 200),
    ("import_create", 415, 415, 403),
    ("export_create", 202, 202, 202),
    ("job_list", 200, 200, 200),
    // A job is its client's alone, and everybody here is another one: see `imports.rs`.
    ("job_read", 404, 404, 404),
    ("job_file_read", 404, 404, 404),
    ("job_transition_create", 404, 404, 404),
    ("referral_list", 200, 200, 200),
    ("referral_draft", 201, 403, 403),
    ("referral_read", 200, 404, 200),
    ("referral_amend", 412, 404, 403),
    ("referral_history", 200, 404, 200),
    ("referral_receipt_list", 200, 404, 200),
    ("correction_list", 200, 200, 200),
    ("correction_propose", 409, 201, 403),
    ("correction_read", 200, 200, 200),
    ("correction_transition_create", 412, 403, 403),
    ("correction_transition_list", 200, 200, 200),
    ("correction_transition_available", 200, 200, 200),
    ("agency_competent", 200, 200, 200),
    ("batch_run", 200, 200, 403),
    ("referral_transition_list", 200, 404, 200),
    ("referral_transition_create", 412, 404, 403),
    ("referral_transition_available", 200, 404, 200),
    ("victim_consent_list", 200, 404, 200),
    ("victim_consent_offer", 201, 404, 403),
    ("consent_read", 200, 404, 200),
    ("consent_transition_create", 412, 404, 403),
    ("consent_transition_list", 200, 404, 200),
    ("consent_transition_available", 200, 404, 200),
    ("statistics_cases", 200, 200, 200),
    ("statistics_victims", 200, 200, 200),
    ("statistics_accused", 200, 200, 200),
    ("statistics_charges", 200, 200, 200),
    ("statistics_funnel", 200, 200, 200),
    ("statistics_flows", 200, 200, 200),
    ("statistics_glotip", 200, 200, 200),
    ("statistics_ic_tip", 200, 200, 200),
    ("statistics_sdg", 200, 200, 200),
    ("statistics_quality", 200, 200, 200),
    ("statistics_release_list", 200, 200, 200),
    ("statistics_release_read", 403, 403, 200),
    ("statistics_release_preview", 403, 403, 200),
    ("statistics_release_transition_create", 403, 403, 412),
    ("legal_hold_place", 201, 403, 201),
    ("legal_hold_list", 200, 200, 200),
    ("legal_hold_read", 200, 404, 200),
    ("legal_hold_transition_create", 412, 404, 403),
    ("retention_review_list", 200, 200, 200),
    ("retention_review_read", 200, 404, 200),
    ("retention_review_transition_create", 412, 404, 412),
    ("erasure_list", 200, 200, 200),
    ("erasure_read", 200, 404, 200),
    ("erasure_transition_create", 412, 404, 412),
    ("erasure_certificate_read", 409, 404, 409),
    ("victim_transition_create", 412, 404, 403),
    ("victim_transition_list", 200, 404, 200),
    ("victim_merge_list", 200, 404, 200),
    ("accused_transition_create", 412, 404, 403),
    ("accused_transition_list", 200, 404, 200),
    ("accused_merge_list", 200, 404, 200),
    ("victim_disclosure_list", 200, 404, 200),
    ("victim_read", 200, 404, 200),
    ("victim_amend", 412, 404, 403),
    ("victim_history", 200, 404, 200),
    ("victim_identity_read", 200, 404, 403),
    ("victim_identity_amend", 412, 404, 403),
    ("campaign_list", 200, 200, 200),
    ("campaign_plan", 201, 201, 201),
    ("campaign_read", 200, 200, 200),
    ("campaign_amend", 412, 403, 403),
    ("campaign_transition_create", 412, 403, 403),
    ("campaign_transition_list", 200, 200, 200),
    ("campaign_transition_available", 200, 200, 200),
    ("campaign_history", 200, 200, 200),
    ("training_list", 200, 200, 200),
    ("training_register", 201, 201, 201),
    ("training_read", 200, 200, 200),
    ("training_amend", 412, 403, 403),
    ("training_history", 200, 200, 200),
    ("funding_list", 200, 200, 200),
    ("funding_register", 201, 201, 201),
    ("funding_read", 200, 200, 200),
    ("funding_amend", 412, 403, 403),
    ("funding_history", 200, 200, 200),
    ("programme_totals_read", 200, 200, 200),
    ("victim_assistance_list", 200, 404, 200),
    ("victim_assistance_register", 201, 404, 403),
    ("assistance_list", 200, 200, 200),
    ("assistance_read", 200, 404, 200),
    ("assistance_amend", 412, 404, 403),
    ("assistance_transition_create", 412, 404, 403),
    ("assistance_transition_list", 200, 404, 200),
    ("assistance_transition_available", 200, 404, 200),
    ("assistance_history", 200, 404, 200),
    ("victim_care_list", 200, 404, 200),
    // One goes on: a second one is refused, and only to those who see the first.
    ("victim_care_begin", 409, 404, 403),
    ("care_process_read", 200, 404, 200),
    ("care_process_amend", 412, 404, 403),
    ("care_process_transition_create", 412, 404, 403),
    ("care_process_transition_list", 200, 404, 200),
    ("care_process_transition_available", 200, 404, 200),
    ("care_process_history", 200, 404, 200),
    ("victim_reunification_begin", 201, 404, 403),
    ("reunification_list", 200, 200, 200),
    ("reunification_read", 200, 404, 200),
    ("reunification_amend", 412, 404, 403),
    ("reunification_beneficiary_add", 201, 404, 403),
    ("beneficiary_amend", 412, 404, 403),
    ("beneficiary_transition_create", 412, 404, 403),
    ("beneficiary_transition_list", 200, 404, 200),
    ("beneficiary_transition_available", 200, 404, 200),
    ("reunification_history", 200, 404, 200),
];

/// Operations whose answer does not depend on any case: the directory, and what an agency opens or lists for itself.
const OPEN: &[&str] = &[
    "audit_alert_list",
    "legal_hold_list",
    "erasure_list",
    "retention_review_list",
    "break_glass_list",
    "assistance_list",
    "reunification_list",
    "campaign_list",
    "campaign_plan",
    "campaign_read",
    "campaign_amend",
    "campaign_transition_create",
    "campaign_transition_list",
    "campaign_transition_available",
    "campaign_history",
    "training_list",
    "training_register",
    "training_read",
    "training_amend",
    "training_history",
    "funding_list",
    "funding_register",
    "funding_read",
    "funding_amend",
    "funding_history",
    "programme_totals_read",
    "event_list",
    "webhook_list",
    "webhook_create",
    "agency_list",
    "agency_competent",
    "batch_run",
    "correction_list",
    "agency_register",
    "agency_read",
    "agency_amend",
    "case_list",
    "case_open",
    "measure_desk",
    "referral_list",
    "deadline_desk",
    "accused_search",
    "victim_search",
    "deconfliction_ask",
    "audit_entry_list",
    "audit_checkpoint_list",
    "audit_checkpoint_read",
    "audit_consistency_read",
    "audit_entry_proof",
    "statistics_cases",
    "statistics_victims",
    "statistics_accused",
    "statistics_charges",
    "statistics_funnel",
    "statistics_flows",
    "statistics_glotip",
    "statistics_ic_tip",
    "statistics_sdg",
    "statistics_quality",
    "statistics_release_list",
    "statistics_release_read",
    "statistics_release_preview",
    "statistics_release_transition_create",
    "import_create",
    "export_create",
    "job_list",
];

/// Names of records that every agency may read.
const PUBLIC: [&str; 4] = ["code", "campaign_id", "training_id", "funding_id"];

/// The answer is to the byte that for records which do not exist, and names none that do.
fn assert_hidden(world: &World, operation: &Operation, token: &str, registry: &Registry) {
    let here = operation.ask(world, Some(token), &registry.real);
    // Whoever lost a case is told so, and which one: nothing else of the feed names it.
    let mut shown = here.text.clone();
    if operation.id == "event_list" {
        let items = here.json()["items"].as_array().unwrap().clone();
        shown = json!(items.into_iter().filter(|e| e["type"] != "access.revoked").collect::<Vec<_>>()).to_string();
    }
    assert!(
        !registry.real.iter().any(|(name, id)| !PUBLIC.contains(&name.as_str()) && shown.contains(id)),
        "{}: {}",
        operation.id,
        here.text
    );
    if !OPEN.contains(&operation.id.as_str()) {
        let nowhere = operation.ask(world, Some(token), &registry.nothing);
        assert_eq!(bare(&here), bare(&nowhere), "{}", operation.id);
        // A record named in the path is not there; one named in the body is a fault of the body.
        let absent = if operation.path.contains('{') || operation.method == "GET" { 404 } else { 422 };
        assert_eq!(here.status, absent, "{}: {}", operation.id, here.text);
    }
}

both! {
fn nobody_gets_in_without_a_token_and_the_answer_tells_nothing(world) {
    let registry = Registry::new(world);
    for operation in Operation::secured() {
        let here = operation.ask(world, None, &registry.real);
        assert_eq!((here.status, here.code().as_str()), (401, "authentication_required"), "{}", operation.id);
        assert_eq!(bare(&here), bare(&operation.ask(world, None, &registry.nothing)), "{}", operation.id);
    }
}

fn without_its_scope_an_operation_is_refused_to_its_owner_too(world) {
    let registry = Registry::new(world);
    let mut tokens: BTreeMap<Vec<String>, String> = BTreeMap::new();
    for operation in Operation::secured().into_iter().filter(|o| !o.scopes.is_empty()) {
        let token = tokens.entry(operation.scopes.clone()).or_insert_with(|| without(world, OWNER, &operation.scopes));
        let here = operation.ask(world, Some(token), &registry.real);
        assert_eq!((here.status, here.code().as_str()), (403, "insufficient_scope"), "{}: {}", operation.id, here.text);
        assert_eq!(here.json()["required_scopes"], json!(operation.scopes), "{}", operation.id);
        assert_eq!(bare(&here), bare(&operation.ask(world, Some(token), &registry.nothing)), "{}", operation.id);
    }
}

fn to_strangers_and_to_former_participants_nothing_is_there(world) {
    let registry = Registry::new(world);
    for (agency, purpose) in [(STRANGER, Purpose::Prosecution), (FORMER, Purpose::Assistance)] {
        let token = full(world, agency, purpose);
        for operation in Operation::secured() {
            assert_hidden(world, &operation, &token, &registry);
        }
    }
}

fn everybody_else_gets_what_the_matrix_says(world) {
    let registry = Registry::new(world);
    let (owner, guest, oversight) =
        (full(world, OWNER, Purpose::Prosecution), full(world, GUEST, Purpose::Assistance), full(world, OVERSIGHT, Purpose::Oversight));
    let mut faults = Vec::new();
    for operation in Operation::secured() {
        let Some((_, by_owner, by_guest, by_oversight)) = MATRIX.iter().find(|(id, ..)| *id == operation.id) else {
            panic!("nobody has said who may do {}", operation.id);
        };
        for (who, token, expected) in [("guest", &guest, by_guest), ("oversight", &oversight, by_oversight), ("owner", &owner, by_owner)] {
            let answer = operation.ask(world, Some(token), &registry.real);
            if answer.status != *expected {
                faults.push(format!("{} by {who}: {} and not {expected}: {}", operation.id, answer.status, answer.text));
            }
            if answer.status == 404 {
                assert_hidden(world, &operation, token, &registry);
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let mounted: Vec<String> = Operation::secured().into_iter().map(|o| o.id).collect();
    let gone: Vec<_> = MATRIX.iter().filter(|(id, ..)| !mounted.iter().any(|m| m == id)).collect();
    assert!(gone.is_empty(), "no longer mounted: {gone:?}");
}

fn a_case_s_history_tells_a_guest_nothing_of_persons_whom_the_case_does_not_show(world) {
    let registry = Registry::new(world);
    let (owner, guest) = (full(world, OWNER, Purpose::Prosecution), full(world, GUEST, Purpose::Assistance));
    let at = format!("/v1/cases/{}", registry.real["case_id"]);
    let added = world.post(&format!("{at}/victims"), &owner, &json!({"acts": ["recruit"], "purposes": ["sexual_exploitation"], "age_at_identification": 16}));
    assert_eq!(added.status, 201, "{}", added.text);
    assert_eq!(world.post(&format!("{at}/accused"), &owner, &json!({"kind": "natural_person"})).status, 201);
    let kinds = |token: &str| -> Vec<String> {
        let items = world.get(&format!("{at}/history"), token).json()["items"].clone();
        items.as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect()
    };
    let (all, some) = (kinds(&owner), kinds(&guest));
    assert!(all.iter().any(|k| k == "case_victim.linked") && all.iter().any(|k| k == "case_accused.linked"), "{all:?}");
    assert!(some.iter().all(|k| !k.starts_with("case_")) && some.iter().any(|k| k == "case.created"), "{some:?}");
}
}

/// A route that the contract does not know would be one that the matrix does not ask.
#[test]
fn no_route_is_mounted_beside_the_contract() {
    let mut attributes = 0;
    let mut documented = 0;
    for (path, text) in sources("src".into()) {
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let verb = ["get", "post", "patch", "put", "delete", "head", "route"]
                .iter()
                .any(|v| line.starts_with(&format!("#[{v}(")));
            attributes += usize::from(verb);
            documented += usize::from(line.starts_with("#[utoipa::path("));
            // Slices mount through utoipa's configuration, whose `service` takes documented handlers only.
            let mounts = [".route(", "web::resource(", "web::scope(", ".map(|app"].iter().any(|w| line.contains(w));
            assert!(!mounts || path.ends_with("app.rs"), "{path}:{} mounts a route of its own", number + 1);
        }
    }
    assert_eq!(attributes, documented, "a handler without a contract, or a contract without a handler");
    let app = std::fs::read_to_string("src/app.rs").unwrap();
    let routes: Vec<&str> = app.split(".route(\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(routes, ["/openapi/v1.json", "/docs", "/metrics"], "the contract itself, its reader, and a port of its own");
    assert_eq!(app.matches("web::scope(").count(), 1, "the reader of the contract");
}

fn sources(folder: std::path::PathBuf) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(sources(path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
        }
    }
    found
}
