//! Exports: what an agency may see and no more, every look recorded, and nothing that a spreadsheet would run.

use serde_json::{Value, json};
use sistra::auth::Purpose;

use crate::both;
use crate::imports::{ended, file, line};
use crate::support::process::{Dir, data, run};
use crate::support::{Answer, World};

const AGENCY: &str = "PE-MP-FISTRAP-LIMA";
const SCOPES: &str = "exports:create cases:read cases:write victims:read victims:write accused:read accused:write \
    charges:read charges:write referrals:read referrals:write audit:read";

fn export(world: &World, token: &str, body: &Value) -> Value {
    let queued = world.post("/v1/exports", token, body);
    assert_eq!((queued.status, queued.header("retry-after").as_str()), (202, "5"), "{}", queued.text);
    ended(world, token, &queued.header("location"))
}

/// Index of a file in the manifest.
fn at(job: &Value, records: &str) -> usize {
    let output = job["manifest"]["output"].as_array().unwrap();
    output.iter().position(|o| o["type"] == records).unwrap_or_else(|| panic!("{records}: {job}"))
}

fn open(world: &World, token: &str, key: &str) -> Answer {
    let made = world.post("/v1/cases", token, &line(key));
    assert_eq!(made.status, 201, "{}", made.text);
    made
}

/// Who looked at something, once that is sealed.
fn looks(world: &World, auditor: &str, enough: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    loop {
        let entries = world.get("/v1/audit/entries?limit=200", auditor).json();
        let items = entries["items"].as_array().unwrap().clone();
        if enough(&items) {
            return items;
        }
    }
}

both! {
fn an_export_shows_what_the_lists_show_and_says_so_in_the_ledger(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let mine = [open(world, &token, "EXP-1").json(), open(world, &token, "EXP-2").json()];
    let stranger = world.token("PE-MP-FISTRAP-PIURA", SCOPES, Purpose::Prosecution);
    open(world, &stranger, "EXP-1");
    let shared = mine[0]["id"].as_str().unwrap();
    let draft = world.post("/v1/referrals", &token, &json!({"case_id": shared, "kind": "communication", "to_agency": "PE-MIMP-AURORA",
        "sections": ["narrative"], "purpose": "investigation", "legal_basis": "statutory_duty"}));
    assert_eq!(draft.status, 201, "{}", draft.text);
    let all = json!({"types": ["case", "victim", "accused", "charge", "referral"]});
    let job = export(world, &token, &all);
    assert_eq!((job["status"].as_str(), job["kind"].as_str()), (Some("succeeded"), Some("export")), "{job}");
    let cases = file(world, &token, &job, at(&job, "CaseRecord"));
    let ids = |records: &[Value]| records.iter().map(|r| r["id"].clone()).collect::<Vec<_>>();
    let mut expected = ids(&mine);
    expected.sort_by_key(|id| id.to_string());
    let mut found = ids(&cases);
    found.sort_by_key(|id| id.to_string());
    assert_eq!(found, expected, "its own cases and nobody else's");
    let one = cases.iter().find(|c| c["id"] == mine[0]["id"]).unwrap();
    assert_eq!(one, &world.get(&format!("/v1/cases/{shared}"), &token).json(), "as the record itself is shown");
    let victims = file(world, &token, &job, at(&job, "CaseVictim"));
    let listed = world.get(&format!("/v1/cases/{shared}/victims"), &token).json()["items"][0].clone();
    assert!(victims.contains(&listed) && victims.len() == 2, "{victims:?}");
    assert_eq!(file(world, &token, &job, at(&job, "Charge")).len(), 2);
    assert_eq!(file(world, &token, &job, at(&job, "Accused"))[0]["case_id"].as_str().unwrap().len(), 36);
    assert_eq!(ids(&file(world, &token, &job, at(&job, "ReferralRecord"))), [draft.json()["id"].clone()]);
    let output = &job["manifest"]["output"][at(&job, "CaseRecord")];
    let text = world.get(output["url"].as_str().unwrap(), &token).text;
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    let hash: String = hash.as_ref().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!((output["sha256"].as_str(), output["count"].as_i64()), (Some(hash.as_str()), Some(2)));
    // Every person shown has an entry of her or his own.
    let victim = victims[0]["victim_id"].clone();
    looks(world, &token, |entries| entries.iter().any(|e| e.to_string().contains(victim.as_str().unwrap()) && e.to_string().contains("victim_list")));
    // A filter, and what oversight sees.
    assert_eq!(export(world, &token, &json!({"types": ["case"], "reported_from": "2026-06-01T00:00:00Z"}))["counts"], json!({"identities": 0}));
    let oversight = world.token("PE-DP", SCOPES, Purpose::Oversight);
    let seen = export(world, &oversight, &json!({"types": ["case"]}));
    let seen = file(world, &oversight, &seen, 0);
    assert!(seen.len() == 3 && seen.iter().all(|c| c["redacted"] == json!(["#/external_ref"])), "{seen:?}");
    // Each kind takes the scope of its list.
    let narrow = world.token(AGENCY, "exports:create cases:read", Purpose::Prosecution);
    assert_eq!(world.post("/v1/exports", &narrow, &all).json()["required_scopes"], json!(["victims:read"]));
    assert_eq!(world.post("/v1/exports", &narrow, &json!({"types": []})).faults(), ["#/types: min_items"]);
    assert_eq!(world.post("/v1/exports", &narrow, &json!({"types": ["person"]})).status, 422);
}

fn identities_leave_with_their_own_scope_and_purpose_and_three_times_only(world) {
    let scopes = format!("{SCOPES} victims.identity:read victims.identity:write accused.identity:read accused.identity:write");
    let token = world.token(AGENCY, &format!("{scopes} exports.identity:create"), Purpose::Prosecution);
    let mut new = line("EXP-1");
    new["victims"][0]["identity"] = json!({"given_names": "Rosa", "paternal_surname": "Quispe"});
    new["accused"][0]["identity"] = json!({"given_names": "Percy"});
    assert_eq!(world.post("/v1/cases", &token, &new).status, 201);
    let order = json!({"types": ["victim", "accused"], "identities": true});
    let job = export(world, &token, &order);
    let which = at(&job, "VictimIdentity");
    let identities = file(world, &token, &job, which);
    assert_eq!((identities.len(), identities[0]["given_names"].as_str()), (1, Some("Rosa")));
    assert_eq!(file(world, &token, &job, at(&job, "AccusedIdentity"))[0]["given_names"], "Percy");
    let victim = identities[0]["victim_id"].as_str().unwrap().to_owned();
    looks(world, &token, |entries| entries.iter().any(|e| e.to_string().contains("victim_identity") && e.to_string().contains(&victim)));
    let url = job["manifest"]["output"][which]["url"].as_str().unwrap();
    assert_eq!([world.get(url, &token).status, world.get(url, &token).status, world.get(url, &token).status], [200, 200, 410]);
    let without = world.token(AGENCY, &scopes, Purpose::Prosecution);
    assert_eq!(world.post("/v1/exports", &without, &order).json()["required_scopes"], json!(["exports.identity:create"]));
    let audit = world.token(AGENCY, &format!("{scopes} exports.identity:create"), Purpose::Audit);
    assert_eq!(world.post("/v1/exports", &audit, &order).code(), "purpose_not_allowed");
    // Without asking for them there are none.
    let plain = export(world, &token, &json!({"types": ["victim", "accused"]}));
    assert_eq!(plain["manifest"]["output"].as_array().unwrap().len(), 2);
}

fn an_export_of_identities_takes_from_the_budget_of_looking(world, |config, _| config.serve.pii_subjects_per_day = 3) {
    let scopes = format!("{SCOPES} victims.identity:read victims.identity:write accused.identity:read accused.identity:write exports.identity:create");
    let token = world.token(AGENCY, &scopes, Purpose::Prosecution);
    for key in ["EXP-1", "EXP-2"] {
        open(world, &token, key);
    }
    // Two victims: within it, and the same two again cost nothing.
    let order = json!({"types": ["victim"], "identities": true});
    assert_eq!(export(world, &token, &order)["counts"]["identities"], 2);
    assert_eq!(export(world, &token, &order)["counts"]["identities"], 2);
    // Two accused are one too many: nothing of that export is left, and the agency hears of it.
    let queued = world.post("/v1/exports", &token, &json!({"types": ["accused"], "identities": true}));
    let job = ended(world, &token, &queued.header("location"));
    assert_eq!((&job["status"], &job["failure"], &job["manifest"]["output"]), (&json!("failed"), &json!("quota_exceeded"), &json!([])));
    let auditor = world.token(AGENCY, "audit:read", Purpose::Audit);
    let alerts = world.get("/v1/audit/alerts", &auditor).json();
    let levels: Vec<&str> = alerts["items"].as_array().unwrap().iter().filter(|a| a["budget"] == "pii_subjects").map(|a| a["level"].as_str().unwrap()).collect();
    assert!(levels.contains(&"exhausted"), "{alerts}");
}

fn nothing_in_a_csv_is_run_by_a_spreadsheet(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let mut new = line("EXP-1");
    new["title"] = json!("=HYPERLINK(\"http://evil.example\")");
    new["summary"] = json!("'+1");
    new["external_ref"] = json!("-EXP");
    assert_eq!(world.post("/v1/cases", &token, &new).status, 201);
    let job = export(world, &token, &json!({"types": ["case"], "format": "csv"}));
    let url = job["manifest"]["output"][0]["url"].as_str().unwrap();
    assert!(url.ends_with("/files/cases.csv"), "{url}");
    let read = world.send("GET", url, Some(&token), &[("Accept", "text/csv")], b"");
    assert_eq!(read.header("content-type"), "text/csv");
    let lines: Vec<&str> = read.text.split("\r\n").collect();
    assert!(lines[0].starts_with("id,version,") && lines.len() == 3, "{lines:?}");
    for cell in ["\"'=HYPERLINK(\"\"http://evil.example\"\")\"", ",''+1,", ",'-EXP,"] {
        assert!(lines[1].contains(cell), "{cell}: {}", lines[1]);
    }
    assert_eq!(job["manifest"]["output"][0]["count"], 1);
}
}

#[test]
fn the_operator_s_commands_bring_cases_in_and_take_them_out_again() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let text: String = (0..120).map(|n| format!("{}\n", line(&format!("EXP-{n}")))).collect();
    std::fs::write(dir.path("cases.ndjson"), text + "{\"external_ref\":\"EXP-X\"}\n").unwrap();
    let import = |more: &[&str]| {
        let path = dir.path("cases.ndjson");
        let args = [&["import", "ndjson", path.as_str(), "--agency", AGENCY], more, &place[..]].concat();
        let ended = run(&args);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        serde_json::from_str::<Value>(&ended.stdout).unwrap()
    };
    let tried = import(&["--dry-run"]);
    assert_eq!((tried["counts"].clone(), tried["lines"].clone()), (json!({"created": 120, "rejected": 1}), json!(121)));
    let report = dir.path("report.ndjson");
    let done = import(&["--report", &report]);
    assert_eq!(done["counts"], json!({"created": 120, "rejected": 1}));
    assert_eq!(done["rejected"][0]["line"], 121);
    assert!(done["rejected"][0]["errors"].to_string().contains("#/title"), "{done}");
    assert_eq!(std::fs::read_to_string(&report).unwrap().lines().count(), 121);
    assert_eq!(import(&[])["counts"], json!({"rejected": 1, "unchanged": 120}));
    let out = dir.path("out");
    let taken = run(&[&["export", "csv", out.as_str(), "--agency", AGENCY], &place[..]].concat());
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let manifest: Value = serde_json::from_str(&taken.stdout).unwrap();
    let count = |records: &str| {
        manifest["output"].as_array().unwrap().iter().find(|o| o["type"] == records).unwrap()["count"].clone()
    };
    assert_eq!([count("CaseRecord"), count("CaseVictim"), count("Charge")], [json!(120), json!(120), json!(120)]);
    assert_eq!(std::fs::read_to_string(dir.0.join("out/cases.csv")).unwrap().lines().count(), 121);
    assert!(run(&[&["export", "csv", out.as_str(), "--agency", AGENCY], &place[..]].concat()).stderr.contains("already"));
    let checked = run(&[&["ledger", "verify"], &place[..]].concat());
    assert!(checked.code == Some(0) || checked.stderr.contains("key"), "{checked:?}");
    for (args, says) in [(["PE-NOWHERE", "prosecution"], "no agency"), ([AGENCY, "fun"], "unknown purpose")] {
        let path = dir.path("cases.ndjson");
        let ended =
            run(&[&["import", "ndjson", path.as_str(), "--agency", args[0], "--purpose", args[1]], &place[..]].concat());
        assert!(ended.code == Some(1) && ended.stderr.contains(says), "{ended:?}");
    }
}
