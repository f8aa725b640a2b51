//! The field's own format over a real registry: in by the registry's own rules, out again as it went in.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::catalogue::Catalogue;
use sistra::htcds::actions::{Exchange, Report};
use sistra::htcds::dates::Order;
use sistra::htcds::record::Record;
use sistra::htcds::{self, FileFormat, profile};
use sistra::ledger::access::AccessLog;

use crate::both;
use crate::support::World;
use crate::support::process::{Dir, Server, client, data, run};

const AGENCY: &str = "PE-MIMP-INABIF";
const SCOPES: &str = "cases:read cases:write victims:read victims:write victims.identity:read victims.identity:write accused:read accused.identity:read";

/// Two persons of one case, an adult of another, somebody of whom little is said, and a perpetrator; a column that the
/// standard does not know, a field of it for which the registry has none, things that it holds only approximately.
const FILE: &str = "Case ID,First Name,Second Name,Birthdate,Gender,Citizenship,Identity Number,Mobile Phone,Mailing Street,Mailing City,Trafficking Status,Method of Recruitment,Methods of Control,Type of Exploitation,Forced Labour Industry,Case Owner,Status,Incoming Referral Date,Incoming Referral Details,hte_Type,hte_Date,hte_Type_2,hte_Date_2,Role in Process,Shelter room\r\n\
    A-1,Rosa,Quispe Mamani,2004-05-06,Transgender Feminine,Peru; Bolivia (Plurinational State of),10117410-2,'+51900000001,Jr. Puno 1,Cusco,Actual victim of trafficking,At work;Through an online advertisement,Debt bondage;Takes earnings;Excessive working hours,Forced labour;Child labour,Accommodation and food service activities,Team north,Follow Up,2026-03-14,Brought by her aunt,Recruitment,2026-01,Exploitation,2026-02-10,,4\r\n\
    A-1,Ana,,2010,Feminine,Peru,,,,,,,,Sexual exploitation,,Team north,Follow Up,2026-03-14,Brought by her aunt,,,,,,\r\n\
    B-2,Luz,de la Cruz,1990-01-01,,,,,,,Possible victim of trafficking,,,Surrogacy,,,,2026-02-01,,,,,,,'=1+1\r\n\
    ,,,,,,,,,,,,,,,,,,,,,,,,\r\n\
    ,X,,,Not Specified/Unknown,,,,,,,,,,,,,,,,,,,,\r\n\
    A-1,Percy,Huamán,,,Peru,,,,,,,,,,Team north,Follow Up,2026-03-14,Brought by her aunt,,,,,Transporter;Exploiter,\r\n";

fn exchange(world: &World, agency: &str) -> Exchange {
    let running = world.running.as_ref().unwrap();
    Exchange {
        store: running.store.clone(),
        law: Arc::new(Catalogue::embedded().unwrap()),
        index: Arc::clone(&running.index),
        agency: agency.parse_code(),
        purpose: Purpose::Assistance,
        secret: [9; 32],
    }
}

trait ParseCode {
    fn parse_code(&self) -> sistra::kernel::AgencyCode;
}

impl ParseCode for str {
    fn parse_code(&self) -> sistra::kernel::AgencyCode {
        sistra::kernel::AgencyCode::parse(self).unwrap()
    }
}

fn import(exchange: &Exchange, file: &str, dry_run: bool) -> Report {
    let reading = htcds::read(file.as_bytes(), Order::DayFirst).unwrap();
    actix_rt::System::new().block_on(exchange.import(reading, dry_run, |_| {})).unwrap()
}

fn export(exchange: &Exchange) -> Vec<Record> {
    let access = AccessLog::start(&exchange.store).unwrap();
    actix_rt::System::new().block_on(exchange.export(&access, |_| {})).unwrap()
}

/// Records as text, in an order of their own: rows of a file have none in a registry.
fn shown(records: impl IntoIterator<Item = Record>) -> BTreeSet<String> {
    records.into_iter().map(|r| profile::write(&[r])["records"][0].to_string()).collect()
}

fn said() -> Vec<Record> {
    htcds::read(FILE.as_bytes(), Order::DayFirst).unwrap().records.into_iter().map(|(_, r)| r).collect()
}

both! {
fn a_file_is_registered_by_the_registrys_rules_and_comes_out_as_it_went_in(world) {
    let desk = world.token(AGENCY, SCOPES, Purpose::Assistance);
    let stranger = world.token("PE-PNP", SCOPES, Purpose::Investigation);
    let own = exchange(world, AGENCY);
    let dry = import(&own, FILE, true);
    assert_eq!((dry.counts.created, dry.counts.victims, dry.counts.accused), (3, 4, 1));
    assert_eq!(world.get("/v1/cases", &desk).json()["items"], json!([]), "a dry run registers nothing");
    let report = import(&own, FILE, false);
    let counts = &report.counts;
    assert_eq!((counts.created, counts.rejected, counts.victims, counts.accused), (3, 0, 4, 1), "{:?}", report.notes);
    let cases = world.get("/v1/cases?sort=reported_at", &desk).json()["items"].clone();
    let case = cases.as_array().unwrap().iter().find(|c| c["external_ref"] == "A-1").unwrap().clone();
    assert_eq!((&case["reported_at"], &case["summary"]), (&json!("2026-03-14T12:00:00.000Z"), &json!("Brought by her aunt")));
    assert_eq!((&case["facts_from"], &case["facts_to"]), (&json!("2026-01"), &json!("2026-02-10")));
    assert_eq!(case["exploitation"], json!(["labour_food_service", "sexual_child"]));
    assert_eq!(case["extensions"], json!([
        {"name": "htcds:cas_CaseOwner", "value": "Team north"},
        {"name": "htcds:cas_Status", "value": "FollowUp"}, {"name": "htcds.as:cas_Status", "value": "Active"}]));
    let path = format!("/v1/cases/{}", case["id"].as_str().unwrap());
    let victims = world.get(&format!("{path}/victims"), &desk).json()["items"].clone();
    let rosa = victims.as_array().unwrap().iter().find(|v| v["victim"]["gender"] == "trans_woman").unwrap();
    assert_eq!((&rosa["status"], &rosa["victim"]["age_at_identification"], &rosa["recruitment"]), (&json!("recognised"), &json!(21), &json!("online")));
    assert_eq!((&rosa["control"], &rosa["purposes"]), (&json!(["debt_bondage"]), &json!(["forced_labour", "labour_exploitation"])));
    assert_eq!((&rosa["means"], &rosa["acts"]), (&json!(["other_coercion"]), &json!(["recruit"])));
    let identity = world.get(&format!("/v1/victims/{}/identity", rosa["victim_id"].as_str().unwrap()), &desk).json();
    assert_eq!((&identity["paternal_surname"], &identity["maternal_surname"]), (&json!("Quispe"), &json!("Mamani")));
    assert_eq!(identity["contacts"], json!([{"kind": "phone", "value": "+51900000001", "safe": false}]));
    assert!(identity["extensions"].as_array().unwrap().contains(&json!({"name": "column:Shelter room", "value": "4"})));
    assert_eq!(world.get(&path, &stranger).status, 404);
    assert_eq!(export(&exchange(world, "PE-PNP")).len(), 0, "another agency's file holds nothing of it");

    // Out as it went in, but for the number of the case that had none.
    let mut expected = said();
    let out = export(&own);
    let made = out.iter().find(|r| r.text("prs_FirstName") == Some("X")).unwrap().key.clone();
    assert!(made.as_deref().unwrap().starts_with("htcds-"));
    expected.iter_mut().filter(|r| r.key.is_none()).for_each(|r| r.key = made.clone());
    assert_eq!(shown(out.clone()), shown(expected));
    for format in [FileFormat::Csv, FileFormat::Xlsx, FileFormat::Json] {
        let file = htcds::write(&out, format).unwrap();
        let back = htcds::read(&file, Order::DayFirst).unwrap().records.into_iter().map(|(_, r)| r);
        assert_eq!(shown(back), shown(out.clone()), "{format:?}");
    }

    // The same file is no work; another one of the same cases is told and changes nothing.
    let again = import(&own, FILE, false);
    assert_eq!((again.counts.created, again.counts.unchanged, again.counts.differs), (0, 3, 0));
    let other = import(&own, &FILE.replace("Team north", "Team south"), false);
    assert_eq!((other.counts.unchanged, other.counts.differs), (2, 1));
    assert_eq!(shown(export(&own)), shown(out));

    // Every person in a file was looked at, and the record says so.
    let looks = world.get(&format!("/v1/victims/{}/disclosures", rosa["victim_id"].as_str().unwrap()), &desk);
    let seen: Vec<&str> = looks.json()["items"].as_array().unwrap().iter().map(|l| l["what"].as_str().unwrap().to_owned().leak() as &str).collect();
    assert!(seen.iter().filter(|what| **what == "victim_identity").count() >= 2, "{}", looks.text);
}

fn what_the_registry_learns_later_is_not_covered_by_an_older_sheet(world) {
    let desk = world.token(AGENCY, SCOPES, Purpose::Assistance);
    let own = exchange(world, AGENCY);
    import(&own, FILE, false);
    let cases = world.get("/v1/cases", &desk).json()["items"].clone();
    let case = cases.as_array().unwrap().iter().find(|c| c["external_ref"] == "A-1").unwrap().clone();
    let victims = world.get(&format!("/v1/cases/{}/victims", case["id"].as_str().unwrap()), &desk).json()["items"].clone();
    let rosa = victims.as_array().unwrap().iter().find(|v| v["victim"]["gender"] == "trans_woman").unwrap()["victim_id"].as_str().unwrap().to_owned();
    let (part, door) = (format!("/v1/cases/{}/victims/{rosa}", case["id"].as_str().unwrap()), format!("/v1/victims/{rosa}/identity"));
    let tag = world.get(&part, &desk).header("etag");
    assert_eq!(world.patch(&part, &desk, &tag, &json!({"purposes": ["servitude"]})).status, 200);
    let tag = world.get(&door, &desk).header("etag");
    assert_eq!(world.patch(&door, &desk, &tag, &json!({"address": "Av. Sol 2"})).status, 200);
    let out = export(&own);
    let rosa = out.iter().find(|r| r.text("prs_FirstName") == Some("Rosa")).unwrap();
    assert_eq!(rosa.codes("vic_TypeOfExploitation"), ["Servitude"], "the sheet said forced and child labour");
    assert_eq!((rosa.text("prs_MailingStreet"), rosa.text("prs_MailingCity")), (Some("Av. Sol 2"), Some("Cusco")));
    assert_eq!(rosa.codes("vic_MethodsOfControl"), ["DebtBondage", "TakesEarnings", "ExcessiveWorkingHours"], "what was not touched stands");
}

fn a_workbook_is_imported_over_http_line_by_line_with_what_was_lossy(world) {
    let token = world.token(AGENCY, &format!("{SCOPES} imports:create accused:write accused.identity:write"), Purpose::Assistance);
    let xlsx = htcds::write(&said(), FileFormat::Xlsx).unwrap();
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let (report, notes) = sent(world, &token, kind, &xlsx);
    let shown: Vec<(&Value, &Value)> = report.iter().map(|l| (&l["line"], &l["status"])).collect();
    assert_eq!(shown, [(&json!(3), &json!("created")), (&json!(5), &json!("created")), (&json!(6), &json!("created"))], "{report:?}");
    assert!(notes.iter().any(|n| n["line"] == 3 && n["code"] == "approximated" && n["field"] == "vic_TypeOfExploitation"), "{notes:?}");
    assert!(!notes.iter().any(|n| n.to_string().contains("Rosa")));
    let out = export(&exchange(world, AGENCY));
    assert_eq!(out.len(), 5);
    let (again, _) = sent(world, &token, kind, &xlsx);
    assert!(again.iter().all(|l| l["status"] == "unchanged"), "{again:?}");
    let csv = htcds::write(&out, FileFormat::Csv).unwrap();
    let key = crate::support::unique();
    let headers = [("Idempotency-Key", key.as_str()), ("Content-Type", "application/vnd.sistra.htcds+csv")];
    let mut other = world.send("POST", "/v1/imports?mode=validate", Some(&token), &headers, &csv);
    assert_eq!(other.status, 202);
    let broken = crate::support::unique();
    let headers = [("Idempotency-Key", broken.as_str()), ("Content-Type", kind)];
    other = world.send("POST", "/v1/imports", Some(&token), &headers, b"PK is not enough");
    assert_eq!(crate::imports::ended(world, &token, &other.header("location"))["status"], "failed");
}

fn a_file_of_the_standard_is_taken_out_over_http_and_says_what_the_command_says(world) {
    let scopes = format!("{SCOPES} imports:create accused:write accused.identity:write exports:create exports.identity:create");
    let token = world.token(AGENCY, &scopes, Purpose::Assistance);
    sent(world, &token, "application/vnd.sistra.htcds+json", &htcds::write(&said(), FileFormat::Json).unwrap());
    let wanted = shown(export(&exchange(world, AGENCY)));
    assert_eq!(wanted.len(), 5);
    for (format, name, media) in [
        ("htcds_csv", "htcds.csv", "text/csv"),
        ("htcds_xlsx", "htcds.xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("htcds_json", "htcds.json", "application/vnd.sistra.htcds+json"),
    ] {
        let order = json!({"types": ["case", "victim", "accused"], "format": format, "identities": true});
        let queued = world.post("/v1/exports", &token, &order);
        assert_eq!(queued.status, 202, "{}", queued.text);
        let job = crate::imports::ended(world, &token, &queued.header("location"));
        assert_eq!((&job["status"], &job["counts"]["htcds"]), (&json!("succeeded"), &json!(5)), "{job}");
        let output = &job["manifest"]["output"][0];
        assert_eq!((&output["type"], &output["count"]), (&json!("HtcdsRecord"), &json!(5)));
        let url = output["url"].as_str().unwrap();
        assert!(url.ends_with(name), "{url}");
        let got = ureq::get(format!("{}{url}", world.base())).header("Authorization", format!("Bearer {token}")).call().unwrap();
        assert_eq!(got.headers()["content-type"], media);
        let bytes = got.into_body().read_to_vec().unwrap();
        assert_eq!(json!(bytes.len()), output["bytes"]);
        let read = htcds::read(&bytes, Order::DayFirst).unwrap();
        assert_eq!(shown(read.records.into_iter().map(|(_, record)| record)), wanted, "{format}");
    }
    // Rows are persons by name: an order that does not say so is a mistake.
    let bare = world.post("/v1/exports", &token, &json!({"types": ["case"], "format": "htcds_csv"}));
    assert_eq!((bare.status, bare.faults()), (422, vec!["#/identities: cross_field".to_owned(), "#/types: cross_field".to_owned()]));
    let narrow = world.token(AGENCY, "cases:read victims:read accused:read exports:create", Purpose::Assistance);
    let refused = world.post("/v1/exports", &narrow, &json!({"types": ["case", "victim", "accused"], "format": "htcds_csv", "identities": true}));
    assert_eq!(refused.code(), "insufficient_scope");
    // Every person in the files is in the ledger.
    let oversight = world.token("PE-DP", "audit:read", Purpose::Audit);
    let told = |entries: &Value| entries["items"].as_array().unwrap().iter().filter(|e| e.to_string().contains("victim_identity")).count();
    while told(&world.get("/v1/audit/entries?limit=200", &oversight).json()) < 12 {}
}

fn what_the_registry_refuses_is_told_by_line_and_stops_no_other_case(world) {
    let own = exchange(world, AGENCY);
    let long = "x".repeat(101);
    let file = format!("cas_Id,prs_FirstName,prs_Birthdate,cas_IncomingReferralDate\n{long},Rosa,2004,2026-01-01\nB,Ana,2004,2026-01-01\n");
    let report = import(&own, &file, false);
    assert_eq!((report.counts.created, report.counts.rejected), (1, 1), "{:?}", report.notes);
    let told = serde_json::to_value(&report).unwrap();
    assert_eq!((&told["cases"][0]["status"], &told["cases"][0]["lines"]), (&json!("rejected"), &json!([2])));
    let refused = told["notes"].as_array().unwrap().iter().find(|n| n["code"] == "refused").unwrap();
    assert_eq!((&refused["line"], &refused["level"]), (&json!(2), &json!("rejected")));
    assert!(!told.to_string().contains("Rosa"));
}
}

/// A file over HTTP, as an import job: its report and its notes.
fn sent(world: &World, token: &str, kind: &str, body: &[u8]) -> (Vec<Value>, Vec<Value>) {
    let key = crate::support::unique();
    let queued = world.send("POST", "/v1/imports", Some(token), &[("Idempotency-Key", &key), ("Content-Type", kind)], body);
    assert_eq!(queued.status, 202, "{}", queued.text);
    let job = crate::imports::ended(world, token, &queued.header("location"));
    assert_eq!(job["status"], "succeeded", "{job}");
    (crate::imports::file(world, token, &job, 0), crate::imports::file(world, token, &job, 1))
}

#[test]
fn one_command_registers_a_file_beside_a_running_server_and_another_one_gets_it_back() {
    let dir = Dir::new();
    let place = data(&dir.0);
    let partner = client(&place);
    let server = Server::start(&place, None);
    let token = server.token(&partner);
    std::fs::write(dir.path("in.csv"), FILE).unwrap();
    let of = |args: &[&str]| {
        let ended = run(&[args, &["--agency", "PE-MP-FISTRAP-LIMA"], &place[..]].concat());
        assert_eq!(ended.code, Some(0), "{ended:?}");
        serde_json::from_str::<Value>(&ended.stdout).unwrap()
    };
    let dry = of(&["import", "htcds", &dir.path("in.csv"), "--dry-run"]);
    assert_eq!((&dry["dry_run"], &dry["counts"]["created"]), (&json!(true), &json!(3)));
    let done = of(&["import", "htcds", &dir.path("in.csv")]);
    assert_eq!((&done["counts"]["created"], &done["version"], &done["format"]), (&json!(3), &json!("2.0"), &json!("csv")));
    assert_eq!(done["kept_as_extension"]["cas_CaseOwner"], 1);
    assert_eq!(server.get("/v1/cases", &token).unwrap().json()["items"].as_array().unwrap().len(), 3);
    let mut files = Vec::new();
    for name in ["out.csv", "out.xlsx", "out.json"] {
        let written = of(&["export", "htcds", &dir.path(name)]);
        assert_eq!(written["records"], 5);
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(dir.path(name)).unwrap().permissions().mode() & 0o777, 0o600);
        let back = htcds::read(&std::fs::read(dir.path(name)).unwrap(), Order::DayFirst).unwrap().records;
        files.push(shown(back.into_iter().map(|(_, r)| r)));
    }
    assert!(files.iter().all(|f| *f == files[0] && f.len() == 5));
    // A file that came out goes in again, and is no work.
    let again = of(&["import", "htcds", &dir.path("out.xlsx")]);
    assert_eq!((&again["counts"]["unchanged"], &again["counts"]["created"]), (&json!(3), &json!(0)), "{again}");
    let refused = run(&[&["export", "htcds", &dir.path("out.csv"), "--agency", "PE-PNP"], &place[..]].concat());
    assert_eq!((refused.code, refused.stderr.contains("overwrites nothing")), (Some(1), true), "{refused:?}");
    let strange = run(&[&["import", "htcds", &dir.path("in.csv"), "--agency", "PE-NOBODY"], &place[..]].concat());
    assert_eq!((strange.code, strange.stderr.contains("no agency")), (Some(1), true), "{strange:?}");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn the_schema_is_the_programs_and_every_record_is_valid_by_it() {
    let committed = std::fs::read_to_string("openapi/htcds-2.0.schema.json").unwrap();
    let schema = profile::schema();
    assert_eq!(committed, format!("{schema:#}\n"), "run `cargo run -- openapi --write`");
    assert!(jsonschema::meta::is_valid(&schema));
    let validator = jsonschema::validator_for(&schema).unwrap();
    let file = profile::write(&said());
    let faults: Vec<String> = validator.iter_errors(&file).map(|e| e.to_string()).collect();
    assert!(faults.is_empty(), "{faults:?}");
    assert!(validator.is_valid(&schema["examples"][0]));
    let example = serde_json::to_vec(&schema["examples"][0]).unwrap();
    assert_eq!(
        profile::write(&[htcds::read(&example, Order::DayFirst).unwrap().records[0].1.clone()])["records"],
        schema["examples"][0]["records"]
    );
    for bad in [
        json!({"htcds": "2.0"}),
        json!({"htcds": "1.0", "records": []}),
        json!({"htcds": "2.0", "records": [{"case": {"cas_Nothing": "x"}}]}),
        json!({"htcds": "2.0", "records": [{"victim": {"vic_MethodsOfControl": ["Nothing"]}}]}),
        json!({"htcds": "2.0", "records": [{"person": {"prs_Birthdate": "14/03/2012"}}]}),
    ] {
        assert!(!validator.is_valid(&bad), "{bad}");
        assert!(htcds::read(bad.to_string().as_bytes(), Order::DayFirst).is_err(), "{bad}");
    }
}
