//! Imports and jobs: many lines, the same rules, the same report whatever happens on the way.

use std::collections::BTreeSet;
use std::io::Write;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::db::connection::{Role, open};

use crate::both;
use crate::support::process::{Dir, Server, client_with, data};
use crate::support::{Answer, World, case, unique};

const AGENCY: &str = "PE-MP-FISTRAP-LIMA";
const SCOPES: &str = "imports:create cases:read cases:write victims:read victims:write accused:read charges:read \
    charges:write referrals:read";

/// A line about the case of this key.
pub fn line(key: &str) -> Value {
    let mut line = case();
    line["external_ref"] = json!(key);
    line
}

fn ndjson(lines: &[Value]) -> Vec<u8> {
    lines.iter().map(|l| format!("{l}\n")).collect::<String>().into_bytes()
}

fn send(world: &World, token: &str, query: &str, kind: &str, body: &[u8]) -> Answer {
    send_with(world, token, query, kind, &[("Idempotency-Key", &unique())], body)
}

fn send_with(world: &World, token: &str, query: &str, kind: &str, more: &[(&str, &str)], body: &[u8]) -> Answer {
    let headers = [more, &[("Content-Type", kind)]].concat();
    world.send("POST", &format!("/v1/imports{query}"), Some(token), &headers, body)
}

/// The job once it has ended.
pub fn ended(world: &World, token: &str, job: &str) -> Value {
    loop {
        let read = world.get(job, token);
        assert_eq!(read.status, 200, "{}", read.text);
        let body = read.json();
        if !["queued", "running"].contains(&body["status"].as_str().unwrap()) {
            return body;
        }
    }
}

/// The lines of a job's file.
pub fn file(world: &World, token: &str, job: &Value, index: usize) -> Vec<Value> {
    let url = job["manifest"]["output"][index]["url"].as_str().unwrap();
    let read = world.send("GET", url, Some(token), &[("Accept", "application/x-ndjson")], b"");
    assert_eq!((read.status, read.header("content-type").as_str()), (200, "application/x-ndjson"), "{}", read.text);
    assert_eq!(json!(read.text.len()), job["manifest"]["output"][index]["bytes"]);
    read.text.lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Imports and answers the job and its report.
fn import(world: &World, token: &str, query: &str, body: &[u8]) -> (Value, Vec<Value>) {
    import_as(world, token, query, "application/x-ndjson", body)
}

fn import_as(world: &World, token: &str, query: &str, kind: &str, body: &[u8]) -> (Value, Vec<Value>) {
    let queued = send(world, token, query, kind, body);
    assert_eq!((queued.status, queued.header("retry-after").as_str()), (202, "5"), "{}", queued.text);
    let job = ended(world, token, &queued.header("location"));
    assert_eq!(job["status"], "succeeded", "{job}");
    let report = file(world, token, &job, 0);
    (job, report)
}

fn statuses(report: &[Value]) -> Vec<&str> {
    report.iter().map(|l| l["status"].as_str().unwrap()).collect()
}

/// `line pointer: code` of every fault.
fn faults(report: &[Value]) -> Vec<String> {
    report
        .iter()
        .flat_map(|l| {
            let errors = l["errors"].as_array().unwrap().iter();
            errors.map(|e| format!("{} {}: {}", l["line"], e["pointer"].as_str().unwrap(), e["code"].as_str().unwrap()))
        })
        .collect()
}

fn listed(world: &World, token: &str) -> usize {
    world.get("/v1/cases?limit=200", token).json()["items"].as_array().unwrap().len()
}

/// A workbook with one cell beyond every sheet: the library that reads workbooks panics at it.
fn workbook_beyond_every_sheet() -> Vec<u8> {
    let mut book = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let types = "http://schemas.openxmlformats.org/package/2006";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    for (name, text) in [
        (
            "_rels/.rels",
            format!(
                "<Relationships xmlns=\"{types}/relationships\"><Relationship Id=\"r1\" Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml",
            format!(
                "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets><sheet name=\"a\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"
            ),
        ),
        (
            "xl/_rels/workbook.xml.rels",
            format!(
                "<Relationships xmlns=\"{types}/relationships\"><Relationship Id=\"r1\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/worksheets/sheet1.xml",
            format!(
                "<worksheet xmlns=\"{main}\"><sheetData><row r=\"99999999999999\"><c r=\"ZZZZZZZZZZ99999999999999\"><v>1</v></c></row></sheetData></worksheet>"
            ),
        ),
    ] {
        book.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        book.write_all(text.as_bytes()).unwrap();
    }
    book.finish().unwrap().into_inner()
}

both! {
fn a_file_that_breaks_its_reader_fails_alone_and_the_jobs_behind_it_are_done(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Investigation);
    let kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
    let broken = send(world, &token, "", kind, &workbook_beyond_every_sheet());
    assert_eq!(broken.status, 202, "{}", broken.text);
    let (_, report) = import(world, &token, "", &ndjson(&[line("EXP-BEHIND")]));
    assert_eq!(statuses(&report), ["created"]);
    let job = ended(world, &token, &broken.header("location"));
    assert_eq!((&job["status"], &job["failure"]), (&json!("failed"), &json!("validation_failed")), "{job}");
}

fn lines_become_cases_by_the_rules_of_the_front_door_and_the_same_file_again_changes_nothing(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let mut wrong = line("EXP-3");
    wrong["territory"] = json!("999999");
    wrong["victims"][0]["means"] = json!([]);
    let mut numbered = line("EXP-4");
    numbered["identifiers"] = json!([{"scheme": "PE-CARPETA", "value": "506014501-2021-590-0"}]);
    let mut same_number = numbered.clone();
    same_number["external_ref"] = json!("EXP-5");
    let mut body = ndjson(&[line("EXP-1"), line("EXP-2"), wrong, numbered, same_number]);
    body.extend_from_slice(b"\nno json\n{\"external_ref\":1,\"colour\":\"red\"}\n");
    body.extend_from_slice(case().to_string().as_bytes());
    let (job, report) = import(world, &token, "", &body);
    assert_eq!(statuses(&report), ["created", "created", "rejected", "created", "rejected", "rejected", "rejected", "rejected"]);
    assert_eq!(job["counts"], json!({"created": 3, "rejected": 5}));
    assert_eq!(job["progress"]["done"], 8);
    let faults = faults(&report);
    for fault in ["3 #/territory: enum", "3 #/victims/0/means: min_items", "5 #/identifiers/0/value: unique_items", "7 #: format",
        "8 #/external_ref: type", "8 #/colour: unknown_field", "8 #/title: required", "9 #/external_ref: required"] {
        assert!(faults.iter().any(|f| f == fault), "{fault}: {faults:?}");
    }
    // What was made is what the front door makes.
    let made = world.post("/v1/cases", &token, &line("EXP-9")).json();
    let read = world.get(&format!("/v1/cases/{}", report[0]["id"].as_str().unwrap()), &token).json();
    for field in ["stage", "stage_since", "title", "summary", "territory", "exploitation", "owner_agency", "complexity"] {
        assert_eq!(read[field], made[field], "{field}");
    }
    let at = format!("/v1/cases/{}", report[0]["id"].as_str().unwrap());
    assert_eq!(world.get(&format!("{at}/victims"), &token).json()["items"].as_array().unwrap().len(), 1);
    let charge = world.get(&format!("/v1/charges?case_id={}", report[0]["id"].as_str().unwrap()), &token).json()["items"][0].clone();
    assert_eq!((charge["offence_code"].as_str(), charge["state"].as_str()), (Some("PE-CP-129-A"), Some("alleged")));
    let history = world.get(&format!("{at}/history"), &token).json();
    assert_eq!(history["items"][0]["type"], "case.created");
    assert_eq!(world.get(&format!("{at}/deadlines"), &token).status, 200);
    // Again: nothing is new, and nothing of it is in the history.
    let before = listed(world, &token);
    let (job, again) = import(world, &token, "", &body);
    assert_eq!(statuses(&again)[..2], ["unchanged", "unchanged"]);
    assert_eq!(job["counts"], json!({"unchanged": 3, "rejected": 5}));
    assert_eq!(again[0]["id"], report[0]["id"]);
    assert_eq!(listed(world, &token), before);
    assert_eq!(world.get(&format!("{at}/history"), &token).json(), history);
}

fn a_line_that_says_more_brings_its_case_up_to_date(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let (_, report) = import(world, &token, "", &ndjson(&[line("EXP-1")]));
    let at = format!("/v1/cases/{}", report[0]["id"].as_str().unwrap());
    let mut more = line("EXP-1");
    more["title"] = json!("Otro título");
    more["victims"].as_array_mut().unwrap().push(json!({"label": "v2", "sex": "male", "age_at_identification": 16, "acts": ["recruit"], "purposes": ["labour_exploitation"]}));
    more["accused"].as_array_mut().unwrap().push(json!({"label": "a2", "kind": "natural_person"}));
    more["charges"].as_array_mut().unwrap().push(json!({"accused": "a2", "offence_code": "PE-CP-129-A", "role": "author", "victims": ["v1", "v2"]}));
    let (_, second) = import(world, &token, "", &ndjson(&[more.clone()]));
    assert_eq!((statuses(&second), &second[0]["id"]), (vec!["updated"], &report[0]["id"]), "{second:?}");
    assert_eq!(second[0]["changed"], json!(["#/title", "#/victims/1", "#/accused/1", "#/charges/1"]));
    let read = world.get(&at, &token).json();
    assert_eq!((read["title"].as_str(), read["version"].as_i64(), read["summary"].as_str()), (Some("Otro título"), Some(2), Some("Relato reservado")));
    assert_eq!(world.get(&format!("{at}/victims"), &token).json()["items"].as_array().unwrap().len(), 2);
    let charges = world.get(&format!("/v1/charges?case_id={}", report[0]["id"].as_str().unwrap()), &token).json();
    assert_eq!(charges["items"][1]["victims"].as_array().unwrap().len(), 2);
    assert_eq!(statuses(&import(world, &token, "", &ndjson(&[more.clone()])).1), ["unchanged"]);
    // Without labels nobody can say who is who.
    let mut nameless = more;
    nameless["charges"] = json!([]);
    nameless["victims"][0].as_object_mut().unwrap().remove("label");
    assert_eq!(faults(&import(world, &token, "", &ndjson(&[nameless])).1), ["1 #/victims/0/label: required"]);
    // Another agency's key is another case.
    let police = world.token("PE-PNP-DIRCTPTIM", SCOPES, Purpose::Investigation);
    let (_, theirs) = import(world, &police, "", &ndjson(&[line("EXP-1")]));
    assert_eq!(statuses(&theirs), ["created"]);
    assert_ne!(theirs[0]["id"], report[0]["id"]);
    // A case of the front door with the same key: its persons are not those of the line.
    assert_eq!(world.post("/v1/cases", &token, &line("EXP-7")).status, 201);
    assert_eq!(faults(&import(world, &token, "", &ndjson(&[line("EXP-7")])).1), ["1 #/accused: read_only", "1 #/victims: read_only"]);
}

fn a_line_amends_the_persons_that_it_labels_and_says_what_it_changed(world) {
    let scopes = format!("{SCOPES} victims.identity:write victims.identity:read victims:search accused.identity:write accused.identity:read");
    let token = world.token(AGENCY, &scopes, Purpose::Prosecution);
    let mut first = line("EXP-1");
    first["victims"][0]["identity"] = json!({"given_names": "Rosa", "paternal_surname": "Quispe", "address": "Jr. Lima 1"});
    first["accused"][0]["identity"] = json!({"given_names": "Percy", "paternal_surname": "Huamán"});
    let (_, report) = import(world, &token, "", &ndjson(&[first.clone()]));
    let at = format!("/v1/cases/{}", report[0]["id"].as_str().unwrap());
    let victim = world.get(&format!("{at}/victims"), &token).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    let accused = world.get(&format!("{at}/accused"), &token).json()["items"][0]["id"].as_str().unwrap().to_owned();
    // What another hand found out meanwhile, and the file does not name.
    let victim_at = format!("/v1/victims/{victim}");
    let tag = world.get(&victim_at, &token).header("etag");
    let learnt = world.send("PATCH", &victim_at, Some(&token), &[("If-Match", &tag), ("Content-Type", "application/merge-patch+json")],
        json!({"education": "secondary"}).to_string().as_bytes());
    assert_eq!(learnt.status, 200, "{}", learnt.text);
    let mut next = first.clone();
    next["victims"][0]["age_at_identification"] = json!(16);
    next["victims"][0]["means"] = json!([]);
    next["victims"][0]["acts"] = json!(["recruit", "transfer"]);
    next["victims"][0]["identity"] = json!({"given_names": "Rosa Luz", "paternal_surname": "Quispe", "address": null});
    next["accused"][0]["occupation"] = json!("transportista");
    next["accused"][0]["identity"]["other_names"] = json!(["El Chato"]);
    next["charges"][0]["role"] = json!("facilitator");
    let (_, dry) = import(world, &token, "?mode=validate", &ndjson(&[next.clone()]));
    let (_, second) = import(world, &token, "", &ndjson(&[next.clone()]));
    assert_eq!(statuses(&second), ["updated"], "{second:?}");
    assert_eq!(second[0]["changed"], json!(["#/victims/0/age_at_identification", "#/victims/0/acts", "#/victims/0/identity/given_names",
        "#/accused/0/occupation", "#/accused/0/identity/other_names", "#/charges/0/role"]));
    assert_eq!(dry[0]["changed"], second[0]["changed"]);
    let read = world.get(&victim_at, &token).json();
    assert_eq!((&read["age_at_identification"], &read["education"], &read["version"]), (&json!(16), &json!("secondary"), &json!(3)));
    let part = world.get(&format!("{at}/victims/{victim}"), &token).json();
    assert_eq!((&part["acts"], &part["means"]), (&json!(["recruit", "transfer"]), &json!(["deception"])));
    let who = world.get(&format!("{victim_at}/identity"), &token).json();
    assert_eq!((&who["given_names"], &who["address"]), (&json!("Rosa Luz"), &json!("Jr. Lima 1")), "null clears nothing");
    assert_eq!(world.get(&format!("/v1/accused/{accused}"), &token).json()["occupation"], "transportista");
    assert_eq!(world.get(&format!("/v1/accused/{accused}/identity"), &token).json()["other_names"], json!(["El Chato"]));
    let charge = world.get(&format!("/v1/charges?case_id={}", report[0]["id"].as_str().unwrap()), &token).json()["items"][0].clone();
    assert_eq!((charge["role"].as_str(), charge["version"].as_i64()), (Some("facilitator"), Some(2)));
    // She is found by her new name, and every change is in her own history.
    let found = world.post("/v1/victims/search", &token, &json!({"given_names": "Luz", "surnames": "Quispe"})).json();
    assert_eq!(found["items"][0]["victim_id"], json!(victim), "{found}");
    let history = world.get(&format!("{victim_at}/history"), &token).json();
    assert_eq!(history["items"].as_array().unwrap().len(), 4, "{history}");
    assert_eq!(statuses(&import(world, &token, "", &ndjson(&[next.clone()])).1), ["unchanged"]);
    // What is wrong with one person leaves the whole line undone, and is told where it stands.
    let mut wrong = next.clone();
    wrong["title"] = json!("Tercero");
    wrong["victims"][0]["sex"] = json!("purple");
    wrong["accused"][0]["identity"]["legal_name"] = json!("S.A.");
    let (_, refused) = import(world, &token, "", &ndjson(&[wrong]));
    assert_eq!(faults(&refused), ["1 #/accused/0/identity/legal_name: cross_field", "1 #/victims/0/sex: enum"]);
    assert_ne!(world.get(&at, &token).json()["title"], "Tercero");
    // Whoever may not say who somebody is does not do so by a file either.
    let narrow = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    next["victims"][0]["identity"]["given_names"] = json!("Ana");
    assert_eq!(faults(&import(world, &narrow, "", &ndjson(&[next])).1), ["1 #/victims/0/identity: read_only", "1 #/accused/0/identity: read_only"]);
}

fn a_file_makes_the_same_of_its_lines_as_the_front_door_of_the_same_bodies_one_by_one(world) {
    let scopes = format!("{SCOPES} victims.identity:write victims.identity:read accused.identity:write accused.identity:read victims:search");
    let token = world.token(AGENCY, &scopes, Purpose::Prosecution);
    // Every bit of a number says whether a line has something more.
    let body = |n: usize, key: String| {
        let has = |bit: usize| n >> bit & 1 == 1;
        let mut one = line(&key);
        if has(0) {
            one["identifiers"] = json!([{"scheme": "PE-CARPETA", "value": format!("506014501-2021-{}-0", if key.starts_with("FILE") { 600 + n } else { 700 + n })}]);
            one["complexity"] = json!("complex");
        }
        if has(1) {
            one["victims"][0]["identity"] = json!({"given_names": format!("Rosa{n}"), "paternal_surname": "Quispe", "maternal_surname": "Mamani", "birth_date": "2004-05"});
            one["accused"][0]["identity"] = json!({"given_names": "Percy", "paternal_surname": "Huamán"});
        }
        if has(2) {
            one["victims"].as_array_mut().unwrap().push(json!({"label": "v2", "sex": "male", "age_at_identification": 16, "acts": ["recruit"], "purposes": ["labour_exploitation"], "indigenous_people": "Awajún"}));
            one["charges"][0]["victims"] = json!(["v1", "v2"]);
        }
        if has(3) {
            one["accused"] = json!([]);
            one["charges"] = json!([]);
        }
        one
    };
    let variants: Vec<usize> = (0..16).filter(|n| n & 1 == 0 || *n == 1).collect();
    let file_lines: Vec<Value> = variants.iter().map(|n| body(*n, format!("FILE-{n}"))).collect();
    let (_, report) = import(world, &token, "", &ndjson(&file_lines));
    assert_eq!(statuses(&report), vec!["created"; variants.len()], "{report:?}");
    fn plain(mut value: Value) -> Value {
        fn strip(value: &mut Value) {
            match value {
                Value::Object(members) => {
                    for (name, member) in members.iter_mut() {
                        let own = name.ends_with("_id") || ["id", "code", "case_code", "external_ref", "identifiers", "created_at", "updated_at", "at", "request_id", "next_cursor"].contains(&name.as_str());
                        if own { *member = Value::Null } else if name == "victims" && member[0].is_string() { *member = json!(member.as_array().unwrap().len()) } else { strip(member) }
                    }
                }
                Value::Array(items) => items.iter_mut().for_each(strip),
                _ => {}
            }
        }
        strip(&mut value);
        value
    }
    let seen = |case: &str| {
        let at = format!("/v1/cases/{case}");
        let mut all = vec![world.get(&at, &token).json()];
        for part in ["victims", "accused", "history", "deadlines", "transitions/available"] {
            all.push(world.get(&format!("{at}/{part}"), &token).json());
        }
        all.push(world.get(&format!("/v1/charges?case_id={case}"), &token).json());
        for (list, id) in [("victims", "victim_id"), ("accused", "id")] {
            let mut persons: Vec<Value> = Vec::new();
            for one in world.get(&format!("{at}/{list}"), &token).json()["items"].as_array().unwrap() {
                let at = format!("/v1/{list}/{}", one[id].as_str().unwrap());
                persons.push(json!([plain(world.get(&at, &token).json()), plain(world.get(&format!("{at}/identity"), &token).json()), plain(world.get(&format!("{at}/history"), &token).json())]));
            }
            // Persons have random ids: they stand in any order.
            persons.sort_by_key(Value::to_string);
            all.push(Value::Array(persons));
        }
        let mut all: Vec<Value> = all.into_iter().map(plain).collect();
        for list in &mut all[1..3] {
            list["items"].as_array_mut().unwrap().sort_by_key(Value::to_string);
        }
        all
    };
    for (index, n) in variants.iter().enumerate() {
        let posted = world.post("/v1/cases", &token, &body(*n, format!("DOOR-{n}")));
        assert_eq!(posted.status, 201, "{}", posted.text);
        let (by_file, by_door) = (seen(report[index]["id"].as_str().unwrap()), seen(posted.record()["id"].as_str().unwrap()));
        for (one, other) in by_file.iter().zip(&by_door) {
            assert_eq!(one, other, "variant {n}");
        }
        if n >> 1 & 1 == 1 {
            let found = world.post("/v1/victims/search", &token, &json!({"given_names": format!("Rosa{n}"), "surnames": "Quispe Mamani"})).json();
            assert!(found["items"].as_array().unwrap().len() >= 2, "variant {n}: {found}");
        }
    }
}

fn two_imports_of_one_file_at_once_make_each_case_once(world) {
    let lines: Vec<Value> = (0..300).map(|n| line(&format!("EXP-{n}"))).collect();
    let body = ndjson(&lines);
    let tokens = [world.token(AGENCY, SCOPES, Purpose::Prosecution), world.token(AGENCY, SCOPES, Purpose::Prosecution)];
    let sent: Vec<String> = tokens.iter().map(|t| send(world, t, "", "application/x-ndjson", &body).header("location")).collect();
    let reports: Vec<Vec<Value>> = sent.iter().zip(&tokens).map(|(at, token)| {
        let job = ended(world, token, at);
        assert_eq!(job["status"], "succeeded", "{job}");
        file(world, token, &job, 0)
    }).collect();
    for (one, other) in reports[0].iter().zip(&reports[1]) {
        let mut both = [one["status"].as_str().unwrap(), other["status"].as_str().unwrap()];
        both.sort_unstable();
        assert_eq!((both, &one["id"]), (["created", "unchanged"], &other["id"]), "{one} {other}");
    }
}

fn a_dry_run_says_the_same_and_writes_nothing_and_an_atomic_import_is_all_or_nothing(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let mut wrong = line("EXP-2");
    wrong["report_channel"] = json!("pigeon");
    let mixed = ndjson(&[line("EXP-1"), wrong, line("EXP-3")]);
    let (job, report) = import(world, &token, "?mode=validate", &mixed);
    assert_eq!(statuses(&report), ["created", "rejected", "created"]);
    assert_eq!((&report[0]["id"], job["counts"]["created"].as_i64()), (&Value::Null, Some(2)));
    assert_eq!(listed(world, &token), 0);
    let (_, report) = import(world, &token, "?atomic=true", &mixed);
    assert_eq!(statuses(&report), ["not_applied", "rejected", "not_applied"]);
    assert_eq!(listed(world, &token), 0);
    let (_, report) = import(world, &token, "?atomic=true&mode=commit", &ndjson(&[line("EXP-1"), line("EXP-3")]));
    assert_eq!(statuses(&report), ["created", "created"]);
    assert_eq!(listed(world, &token), 2);
    // The same key twice in one file: the second line is about the case of the first.
    let mut later = line("EXP-4");
    later["title"] = json!("Más tarde");
    let (_, report) = import(world, &token, "", &ndjson(&[line("EXP-4"), later]));
    assert_eq!(statuses(&report), ["created", "updated"]);
    assert_eq!(report[0]["id"], report[1]["id"]);
    for query in ["?mode=maybe", "?atomic=2", "?colour=red"] {
        assert_eq!(send(world, &token, query, "application/x-ndjson", b"").status, 400, "{query}");
    }
}

fn csv_says_the_same_as_ndjson(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let csv = "\u{feff}external_ref,title,summary,reported_at,report_channel,facts_from,territory,exploitation,victims.0.label,victims.0.sex,victims.0.age_at_identification,victims.0.acts,victims.0.means,victims.0.purposes,accused.0.label,accused.0.kind,charges.0.accused,charges.0.offence_code,charges.0.role,charges.0.victims\r\n\
        EXP-1,\"Captación con oferta falsa\",Relato reservado,2026-03-14T15:30:00.000Z,police,2026-01,170101,sexual_adult,v1,female,22,recruit,deception,sexual_exploitation,a1,natural_person,a1,PE-CP-129-A,author,v1\r\n\
        EXP-2,\"Dos\nlíneas, y \"\"comillas\"\"\",'=1+1,2026-03-14T15:30:00.000Z,police,,,,,,,,,,,,,,,\r\n\
        EXP-3,x,,never,police,,,,,,old,,,,,,,,,\r\n";
    let (_, report) = import_as(world, &token, "", "text/csv", csv.as_bytes());
    assert_eq!(statuses(&report), ["created", "created", "rejected"], "{report:?}");
    assert_eq!((report[1]["line"].as_u64(), report[2]["line"].as_u64()), (Some(3), Some(5)));
    let two = world.get(&format!("/v1/cases/{}", report[1]["id"].as_str().unwrap()), &token).json();
    assert_eq!((two["title"].as_str(), two["summary"].as_str()), (Some("Dos\nlíneas, y \"comillas\""), Some("=1+1")));
    assert!(faults(&report).contains(&"5 #/victims/0/age_at_identification: type".to_owned()), "{report:?}");
    // The same case in the other form is the same line.
    assert_eq!(statuses(&import(world, &token, "", &ndjson(&[line("EXP-1")])).1), ["unchanged"]);
    for (bad, fault) in [("title,title\nx,y\n", "1 #/columns/1: unique_items"), ("title,,x\n", "1 #/columns/1: pattern")] {
        assert_eq!(faults(&import_as(world, &token, "", "text/csv", bad.as_bytes()).1), [fault]);
    }
}

fn files_that_hold_bad_luck_are_reported_and_never_guessed_at(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let (job, report) = import(world, &token, "", b"");
    assert_eq!((report.len(), job["progress"].clone()), (0, json!({"done": 0, "total": 0})));
    let mut body = b"\xef\xbb\xbf".to_vec();
    body.extend_from_slice(format!("{}\r\n", line("EXP-1")).as_bytes());
    body.extend_from_slice(b"{\"title\":\"\xff\"}\n");
    body.extend_from_slice(&vec![b'x'; 10 << 20]);
    body.extend_from_slice(b"\n{\"title\":\"a\0b\"}\n");
    let mut hidden = line("EXP-5");
    hidden["title"] = json!("a\u{0}b");
    body.extend_from_slice(format!("{hidden}\n{}", line("EXP-6")).as_bytes());
    let (job, report) = import(world, &token, "", &body);
    assert_eq!(statuses(&report), ["created", "rejected", "rejected", "rejected", "rejected", "created"]);
    assert_eq!(faults(&report), ["2 #: format", "3 #: max_length", "4 #: format", "5 #/title: pattern"]);
    assert_eq!(job["progress"], json!({"done": 6, "total": 6}));
    // gzip is taken, and counted as what it holds.
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let zipped = |bytes: &[u8]| send_with(world, &token, "", "application/x-ndjson", &[("Idempotency-Key", &unique()), ("Content-Encoding", "gzip")], bytes);
    let good = zipped(&gzip(&ndjson(&[line("EXP-1"), line("EXP-8")])));
    assert_eq!(statuses(&file(world, &token, &ended(world, &token, &good.header("location")), 0)), ["unchanged", "created"]);
    assert_eq!(zipped(&gzip(&vec![b' '; 70 << 20])).code(), "content_too_large");
    assert_eq!(zipped(b"no archive").code(), "invalid_request");
    let cut = gzip(&ndjson(&[line("EXP-9")]));
    assert_eq!(zipped(&cut[..cut.len() / 2]).code(), "invalid_request");
    assert_eq!(send(world, &token, "", "application/json", b"{}").code(), "unsupported_media_type");
    assert_eq!(send(world, &token, "", "application/x-ndjson", &vec![b'\n'; 100_001]).code(), "content_too_large");
    assert_eq!(world.get("/v1/jobs", &token).json()["items"].as_array().unwrap().len(), 3, "what was refused left no job");
}

fn a_job_is_its_clients_alone_and_the_same_request_again_is_the_same_job(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let key = unique();
    let body = ndjson(&[line("EXP-1")]);
    let sent = |body: &[u8]| send_with(world, &token, "", "application/x-ndjson", &[("Idempotency-Key", &key)], body);
    let (first, second) = (sent(&body), sent(&body));
    assert_eq!((first.status, second.status, second.header("idempotency-replayed").as_str()), (202, 202, "true"));
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(sent(&ndjson(&[line("EXP-2")])).code(), "idempotency_key_reused");
    let at = first.header("location");
    let job = ended(world, &token, &at);
    let url = job["manifest"]["output"][0]["url"].as_str().unwrap().to_owned();
    for other in [world.token(AGENCY, SCOPES, Purpose::Prosecution), world.token("PE-DP", "cases:read", Purpose::Oversight)] {
        assert_eq!(world.get(&at, &other).status, 404);
        assert_eq!(world.get(&url, &other).status, 404);
        assert_eq!(world.get("/v1/jobs", &other).json()["items"], json!([]));
        let cancel = world.step(&at, &other, "\"1.x\"", &json!({"trigger": "cancel"}));
        assert_eq!(cancel.status, 404);
    }
    assert_eq!(world.get("/v1/jobs?limit=1", &token).json()["items"][0]["id"], job["id"]);
    // An ended job is not called off; a download is in the record.
    let late = world.step(&at, &token, &world.get(&at, &token).header("etag"), &json!({"trigger": "cancel"}));
    assert_eq!(late.code(), "state_conflict");
    let auditor = world.token(AGENCY, "audit:read", Purpose::Audit);
    let fetched = world.send("GET", &url, Some(&token), &[], b"").header("audit-event-id");
    let seen = loop {
        let entries = world.get("/v1/audit/entries?limit=50", &auditor).json();
        let found = entries["items"].as_array().unwrap().iter().find(|e| e["id"] == json!(fetched)).cloned();
        if let Some(found) = found { break found; }
    };
    assert!(seen.to_string().contains("job_file"), "{seen}");
    // Names need their own scope here too.
    let mut named = line("EXP-3");
    named["victims"][0]["identity"] = json!({"given_names": "Rosa"});
    named["accused"][0]["identity"] = json!({"given_names": "Percy"});
    assert_eq!(faults(&import(world, &token, "", &ndjson(&[named.clone()])).1), ["1 #/victims/0/identity: read_only", "1 #/accused/0/identity: read_only"]);
    let identities = format!("{SCOPES} victims.identity:write accused.identity:write");
    let may = world.token(AGENCY, &identities, Purpose::Prosecution);
    assert_eq!(statuses(&import(world, &may, "", &ndjson(&[named])).1), ["created"]);
    let narrow = world.token(AGENCY, "imports:create", Purpose::Prosecution);
    assert_eq!(send(world, &narrow, "", "application/x-ndjson", b"").json()["required_scopes"], json!(["cases:write"]));
}

fn a_job_that_is_called_off_keeps_what_it_did_and_does_no_more(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let lines: Vec<Value> = (0..2_000).map(|n| line(&format!("EXP-{n}"))).collect();
    let queued = send(world, &token, "", "application/x-ndjson", &ndjson(&lines));
    let at = queued.header("location");
    let cancelled = loop {
        let read = world.get(&at, &token);
        if read.json()["progress"]["done"] != json!(0) {
            let answer = world.step(&at, &token, &read.header("etag"), &json!({"trigger": "cancel"}));
            // Between the two requests it may have begun: then its version is another one.
            if answer.status != 412 { break answer; }
        }
    };
    assert_eq!((cancelled.status, cancelled.json()["status"].as_str()), (200, Some("cancelled")), "{}", cancelled.text);
    let job = world.get(&at, &token).json();
    let done = job["progress"]["done"].as_u64().unwrap();
    assert!(done > 0 && done < 2_000, "{done}");
    let report = file(world, &token, &job, 0);
    assert_eq!(report.len() as u64, done);
    for last in [report.first().unwrap(), report.last().unwrap()] {
        assert_eq!(world.get(&format!("/v1/cases/{}", last["id"].as_str().unwrap()), &token).status, 200);
    }
    let (_, rest) = import(world, &token, "", &ndjson(&lines[done as usize..done as usize + 5]));
    assert_eq!(statuses(&rest), ["created"; 5], "nothing behind the report was done");
}

fn a_client_that_is_disabled_or_loses_a_scope_stops_its_job_at_the_next_batch(world) {
    let lines: Vec<Value> = (0..3_000).map(|n| line(&format!("EXP-{n}"))).collect();
    let body = ndjson(&lines);
    let fewer = json!(["imports:create", "cases:read"]).to_string();
    for (change, failure) in [("status = 'disabled'".to_owned(), "client_suspended"), (format!("scopes = '{fewer}'"), "insufficient_scope")] {
        let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
        let at = send(world, &token, "", "application/x-ndjson", &body).header("location");
        let id: sistra::kernel::ids::JobId = at.rsplit('/').next().unwrap().parse().unwrap();
        let store = &world.running.as_ref().unwrap().store;
        let job = || store.read_blocking(move |conn| sistra::jobs::store::find(conn, id)).unwrap();
        while job().done == 0 {}
        let sql = format!("UPDATE client SET {change} WHERE id = (SELECT client_id FROM job WHERE state = 'running')");
        open(&world.database, Role::Write, 5_000).unwrap().batch_execute(&sql).unwrap();
        let ended = loop {
            let job = job();
            if job.state.ended() { break job; }
        };
        assert_eq!((ended.state.as_str(), ended.detail.failure.as_deref()), ("failed", Some(failure)));
        assert!(ended.done > 0 && ended.done < 3_000, "{}", ended.done);
        assert_eq!(ended.file("report.ndjson").unwrap().count, ended.done, "the report tells of what was done");
    }
}

fn files_of_a_job_go_when_their_time_is_over(world) {
    let token = world.token(AGENCY, SCOPES, Purpose::Prosecution);
    let at = send(world, &token, "", "application/x-ndjson", &ndjson(&[line("EXP-1")])).header("location");
    let job = ended(world, &token, &at);
    let url = job["manifest"]["output"][0]["url"].as_str().unwrap();
    assert_eq!(world.get(url, &token).status, 200);
    assert_eq!(world.get(&format!("{at}/files/other"), &token).status, 404);
    open(&world.database, Role::Write, 5_000).unwrap().batch_execute("UPDATE job SET expires_at = '2026-01-01T00:00:00.000Z'").unwrap();
    assert_eq!((world.get(url, &token).status, world.get(url, &token).code().as_str()), (410, "export_expired"));
    let read = world.get(&at, &token).json();
    assert_eq!((read["status"].as_str(), &read["manifest"]), (Some("expired"), &Value::Null));
    // The worker takes the pieces and the key.
    let id: sistra::kernel::ids::JobId = at.rsplit('/').next().unwrap().parse().unwrap();
    let store = &world.running.as_ref().unwrap().store;
    open(&world.database, Role::Write, 5_000).unwrap().batch_execute("UPDATE job_queue SET until_at = '2026-01-01T00:00:00.000Z'").unwrap();
    while let Ok(Some(_)) = store.read_blocking(move |conn| sistra::jobs::store::piece(conn, id, "report.ndjson", 0)) {}
    assert_eq!(world.get(&at, &token).json()["status"], "expired");
}
}

#[test]
fn a_server_that_dies_again_and_again_imports_every_line_once() {
    const LINES: usize = 1_500;
    let dir = Dir::new();
    let place = data(&dir.0);
    let system = client_with(&place, SCOPES);
    let lines: Vec<Value> = (0..LINES).map(|n| line(&format!("EXP-{n}"))).collect();
    let (mut at, mut seen, mut kills) = (String::new(), 0, 0);
    let report = loop {
        let server = Server::start(&place, None);
        let token = server.token(&system);
        if at.is_empty() {
            let headers = [
                ("Authorization", format!("Bearer {token}")),
                ("Content-Type", "application/x-ndjson".to_owned()),
                ("Idempotency-Key", unique()),
            ];
            let queued = server.send("POST", "/v1/imports", &headers, &ndjson(&lines)).unwrap();
            assert_eq!(queued.status, 202, "{}", queued.text);
            at = queued.header("location");
        }
        let job = loop {
            let job = server.get(&at, &token).unwrap().json();
            let done = job["progress"]["done"].as_u64().unwrap();
            assert!(done >= seen, "progress was lost: {done} after {seen}");
            if done > seen || job["status"] == "succeeded" {
                seen = done;
                break job;
            }
        };
        if job["status"] == "succeeded" {
            let url = job["manifest"]["output"][0]["url"].as_str().unwrap();
            let report = server.get(url, &token).unwrap().text;
            assert_eq!(server.stop(), Some(0));
            break report;
        }
        server.kill();
        kills += 1;
    };
    assert!(kills >= 3, "{kills}");
    let report: Vec<Value> = report.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(statuses(&report), vec!["created"; LINES]);
    let ids: BTreeSet<&str> = report.iter().map(|l| l["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), LINES);
    assert!(report.iter().enumerate().all(|(n, l)| l["line"] == json!(n + 1)));
    assert_eq!(crate::durability::halves(&dir), Vec::<String>::new());
}

#[test]
fn an_import_that_fills_the_disk_goes_on_where_it_was_when_there_is_room_again() {
    const LINES: usize = 2_000;
    let dir = Dir::new();
    let place = data(&dir.0);
    let system = client_with(&place, SCOPES);
    let lines: Vec<Value> = (0..LINES).map(|n| line(&format!("EXP-{n}"))).collect();
    // Room for the file and some hundred cases.
    let small = Server::start(&place, Some(12_000));
    let token = small.token(&system);
    let headers = |token: &str| {
        let key = ("Idempotency-Key", unique());
        [("Authorization", format!("Bearer {token}")), ("Content-Type", "application/x-ndjson".to_owned()), key]
    };
    let queued = small.send("POST", "/v1/imports", &headers(&token), &ndjson(&lines)).unwrap();
    assert_eq!(queued.status, 202, "{}", queued.text);
    let at = queued.header("location");
    while !small.said().contains("a job met bad luck") {
        let job = small.get(&at, &token).unwrap().json();
        assert!(["queued", "running"].contains(&job["status"].as_str().unwrap()), "the disk does not fill: {job}");
    }
    let done = small.get(&at, &token).unwrap().json()["progress"]["done"].as_u64().unwrap();
    assert!(done < LINES as u64, "{done}");
    assert!(!small.said().contains("panicked"), "{}", small.said());
    // Killed, and gone: its directory is free.
    drop(small);
    let server = Server::start(&place, None);
    let token = server.token(&system);
    let job = loop {
        let job = server.get(&at, &token).unwrap().json();
        assert!(job["progress"]["done"].as_u64().unwrap() >= done, "what was told as done is done: {job}");
        if job["status"] == "succeeded" {
            break job;
        }
        assert_ne!(job["status"], "failed", "{job}");
    };
    let report = server.get(job["manifest"]["output"][0]["url"].as_str().unwrap(), &token).unwrap().text;
    let report: Vec<Value> = report.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(statuses(&report), vec!["created"; LINES]);
    assert_eq!(server.stop(), Some(0));
    assert_eq!(crate::durability::halves(&dir), Vec::<String>::new());
}
