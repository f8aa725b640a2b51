//! What one authority asks of another: the whole way of a referral, what it opens and for how long, who is told, and what
//! the registry signs.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::kernel::Timestamp;
use sistra::referrals::{Said, remind};

use crate::both;
use crate::support::{ALL, Answer, Engine, World, case};

const SENDER: &str = "PE-MP-FISTRAP-LIMA";
const SHELTER: &str = "PE-MIMP-INABIF";
const OTHER: &str = "PE-MIMP-AURORA";
const POLICE: &str = "PE-PNP";
const SEARCH: &str = "victims:search victims.identity:read victims.identity:write";

/// A case of the prosecutor's, and tokens of those around it.
struct Desk<'w> {
    world: &'w World,
    sender: String,
    shelter: String,
    other: String,
    oversight: String,
    case: String,
    case_id: String,
    victim: String,
}

impl<'w> Desk<'w> {
    fn new(world: &'w World) -> Self {
        let agency = |code| world.token(code, &format!("{ALL} {SEARCH}"), Purpose::Assistance);
        let sender = agency(SENDER);
        let mut new = case();
        new["victims"][0]["identity"] =
            json!({"given_names": "Rosa María", "paternal_surname": "Quispe", "birth_date": "2004-05"});
        let made = world.post("/v1/cases", &sender, &new);
        assert_eq!(made.status, 201, "{}", made.text);
        let case = made.header("location");
        let victim =
            world.get(&format!("{case}/victims"), &sender).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
        Self {
            world,
            shelter: agency(SHELTER),
            other: agency(OTHER),
            oversight: world.token("PE-DP", "cases:read victims:read referrals:read referrals:write", Purpose::Oversight),
            case_id: last(&case),
            sender,
            case,
            victim,
        }
    }

    fn request(&self, to: &str, more: &Value) -> Value {
        let mut new = json!({"case_id": self.case_id, "kind": "service_request", "to_agency": to, "services": ["shelter"],
            "sections": ["victims"], "purpose": "assistance", "urgency": "within_24h", "legal_basis": "danger_to_life",
            "message": "Se solicita alojamiento."});
        more.as_object().unwrap().iter().for_each(|(k, v)| new[k] = v.clone());
        new
    }

    fn draft(&self, to: &str, more: &Value) -> Answer {
        let made = self.world.post("/v1/referrals", &self.sender, &self.request(to, more));
        assert_eq!(made.status, 201, "{}", made.text);
        made
    }

    /// Moves a referral as the side whose move it is.
    fn go(&self, path: &str, body: &Value) -> Answer {
        let moved = self.ask(path, body);
        assert_eq!(moved.status, 200, "{body}: {}", moved.text);
        moved
    }

    fn ask(&self, path: &str, body: &Value) -> Answer {
        let sent = ["send", "revoke", "close"].iter().any(|t| body["trigger"] == *t);
        let to = self.world.get(path, &self.sender).json()["to_agency"].clone();
        let receiver = if to == SHELTER { &self.shelter } else { &self.other };
        let token = if sent { &self.sender } else { receiver };
        self.world.step(path, token, &self.world.get(path, token).header("etag"), body)
    }

    /// A referral to the shelter that has made these moves.
    fn referred(&self, more: &Value, triggers: &[&str]) -> String {
        let path = self.draft(SHELTER, more).header("location");
        for trigger in triggers {
            self.go(&path, &step(trigger));
        }
        path
    }

    fn list(&self, token: &str, query: &str) -> Vec<String> {
        let page = self.world.get(&format!("/v1/referrals?{query}"), token);
        assert_eq!(page.status, 200, "{query}: {}", page.text);
        page.json()["items"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect()
    }

    fn types(&self, path: &str, token: &str) -> Vec<String> {
        let page = self.world.get(&format!("{path}/history"), token);
        assert_eq!(page.status, 200, "{}", page.text);
        page.json()["items"].as_array().unwrap().iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect()
    }

    fn remind(&self, at: Timestamp) -> (u64, u64) {
        let Said { reminded, escalated } = remind(&self.world.running.as_ref().unwrap().store, at).unwrap();
        (reminded, escalated)
    }
}

fn step(trigger: &str) -> Value {
    let mut body = json!({"trigger": trigger});
    if ["reject", "redirect", "abandon", "revoke"].contains(&trigger) {
        body["reason"] = json!("Sin cupo.");
    }
    if trigger == "redirect" {
        body["to_agency"] = json!(OTHER);
    }
    body
}

fn last(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

fn instant(value: &Value) -> Timestamp {
    Timestamp::parse(value.as_str().unwrap()).unwrap()
}

/// Asks the other implementation; none where it cannot run and need not.
fn peer(input: &Value) -> Option<Result<Value, String>> {
    let there = Command::new("python3").args(["-c", "import jwt, cryptography"]).stderr(Stdio::null()).status();
    if !there.is_ok_and(|s| s.success()) {
        let required = std::env::var_os("SISTRA_REQUIRE_PEERS").is_some_and(|v| v == "1");
        assert!(!required, "python3 with PyJWT and cryptography is required and not there");
        return None;
    }
    let mut child = Command::new("python3")
        .arg("tests/peers/verify_receipt.py")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let done = child.wait_with_output().unwrap();
    Some(if done.status.success() {
        Ok(serde_json::from_slice(&done.stdout).unwrap())
    } else {
        Err(String::from_utf8(done.stderr).unwrap())
    })
}

both! {
fn a_referral_goes_its_whole_way_and_opens_the_case_only_while_it_is_taken_on(world) {
    let desk = Desk::new(world);
    let path = desk.draft(SHELTER, &json!({})).header("location");
    let seen = || world.get(&desk.case, &desk.shelter).status;
    let mut waits = Vec::new();
    for (trigger, state, sees) in [
        ("send", "sent", 404), ("receive", "received", 404), ("accept", "accepted", 200), ("start", "in_service", 200), ("complete", "completed", 404), ("close", "closed", 404),
    ] {
        let mut body = step(trigger);
        if trigger == "complete" {
            body["outcome"] = json!("service_delivered");
        }
        let now = desk.go(&path, &body).json();
        assert_eq!((now["state"].as_str().unwrap(), seen()), (state, sees), "{trigger}");
        waits.push(now["awaits"]["step"].clone());
    }
    assert_eq!(waits, [json!("answer"), json!("answer"), json!("start"), Value::Null, Value::Null, Value::Null]);
    let done = world.get(&path, &desk.shelter).json();
    let times: Vec<Timestamp> = ["created_at", "sent_at", "received_at", "decided_at", "started_at", "ended_at"].iter().map(|k| instant(&done[*k])).collect();
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(instant(&done["due_at"]), times[1].plus_seconds(86_400), "24 hours after it was sent");
    assert_eq!((&done["outcome"], &done["redacted"]), (&json!("service_delivered"), &json!([])));
    let moves = world.get(&format!("{path}/transitions"), &desk.sender).json();
    let triggers: Vec<&str> = moves["items"].as_array().unwrap().iter().map(|m| m["trigger"].as_str().unwrap()).collect();
    assert_eq!(triggers, ["send", "receive", "accept", "start", "complete", "close"]);
    assert_eq!(world.get(&format!("{path}/transitions/available"), &desk.sender).json()["items"], json!([]));
}

fn every_move_is_its_side_s_and_says_what_it_must(world) {
    let desk = Desk::new(world);
    let path = desk.referred(&json!({}), &["send"]);
    let tag = world.get(&path, &desk.sender).header("etag");
    for (token, trigger) in [(&desk.sender, "receive"), (&desk.shelter, "revoke"), (&desk.oversight, "revoke")] {
        let refused = world.step(&path, token, &tag, &step(trigger));
        assert_eq!((refused.status, refused.code().as_str()), (403, "owner_only"), "{trigger}");
    }
    let to = |body: Value| desk.ask(&path, &body).faults();
    assert_eq!(to(json!({"trigger": "reject"})), ["#/reason: required"]);
    assert_eq!(to(json!({"trigger": "redirect"})), ["#/reason: required", "#/to_agency: required"]);
    assert_eq!(to(json!({"trigger": "accept", "to_agency": OTHER, "outcome": "other"})), ["#/outcome: cross_field", "#/to_agency: cross_field"]);
    assert_eq!(to(json!({"trigger": "reject", "reason": " ", "outcome": "nonsense"})), ["#/outcome: enum", "#/reason: min_length"]);
    for (done, refused) in [(&["send"][..], &["start", "complete", "abandon", "close"][..]), (&["send", "accept"], &["receive", "accept", "reject", "redirect", "close", "send"]),
        (&["send", "reject"], &["revoke", "accept", "redirect"]), (&["send", "accept", "abandon"], &["complete", "start", "revoke"])] {
        let path = desk.referred(&json!({}), done);
        for trigger in refused {
            let answer = desk.ask(&path, &step(trigger));
            assert_eq!((answer.status, &answer.json()["failed_guards"]), (409, &json!(["no_such_transition"])), "{done:?} {trigger}");
        }
    }
    let late = desk.draft(SHELTER, &json!({"due_at": "2199-01-01T00:00:00Z"}));
    assert_eq!(desk.go(&late.header("location"), &step("send")).json()["awaits"]["due_at"], "2199-01-01T00:00:00.000Z");
}

fn a_receiver_reads_lists_finds_and_follows_exactly_the_granted_sections_and_nothing_once_they_end(world) {
    let desk = Desk::new(world);
    let question = json!({"surnames": "Quispe", "given_names": "Rosa María"});
    let found = || {
        let answer = world.post_with("/v1/victims/search", &desk.shelter, &[], &question);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()["items"].as_array().unwrap().len()
    };
    let doors = |token: &str| -> Vec<u16> {
        let victim = format!("/v1/victims/{}", desk.victim);
        [format!("{}/victims", desk.case), victim.clone(), format!("{victim}/identity"), format!("{victim}/history"), format!("{}/accused", desk.case),
            format!("/v1/charges?case_id={}", desk.case_id), format!("{}/hearings", desk.case), desk.case.clone()]
            .iter()
            .map(|path| world.get(path, token).status)
            .collect()
    };
    let nothing = vec![404; 8];
    for (sections, open, finds) in [
        (json!(["victims"]), vec![200, 200, 404, 200, 404, 404, 404, 200], 0),
        (json!(["victims", "victim_identity"]), vec![200, 200, 200, 200, 404, 404, 404, 200], 1),
        (json!(["accused", "charges"]), vec![404, 404, 404, 404, 200, 200, 404, 200], 0),
        (json!(["proceedings"]), vec![404, 404, 404, 404, 404, 404, 200, 200], 0),
    ] {
        for end in ["complete", "abandon", "revoke"] {
            let path = desk.referred(&json!({"sections": sections}), &["send", "receive"]);
            assert_eq!((doors(&desk.shelter), found()), (nothing.clone(), 0), "{sections} before it is accepted");
            desk.go(&path, &step("accept"));
            assert_eq!((doors(&desk.shelter), found()), (open.clone(), finds), "{sections}");
            let listed = world.get("/v1/cases", &desk.shelter).json();
            assert_eq!(listed["items"].as_array().unwrap().len(), 1);
            assert_eq!(listed["items"][0]["title"], Value::Null, "no narrative");
            desk.go(&path, &step(end));
            assert_eq!((doors(&desk.shelter), found()), (nothing.clone(), 0), "{sections} after {end}");
            assert_eq!(world.get("/v1/cases", &desk.shelter).json()["items"], json!([]));
            // What was sent to it stays readable, and shows no more than it did.
            assert_eq!(world.get(&path, &desk.shelter).status, 200);
        }
    }
}

fn a_redirection_leaves_a_draft_with_the_sender_and_nobody_sees_a_link_that_is_not_his(world) {
    let desk = Desk::new(world);
    let first = desk.referred(&json!({"message": "Urge."}), &["send"]);
    for (to, fault) in [(SENDER, "cross_field"), (SHELTER, "cross_field"), ("PE-NOBODY", "reference_not_found"), ("PE-DP", "cross_field")] {
        let refused = desk.ask(&first, &json!({"trigger": "redirect", "reason": "No es de su competencia.", "to_agency": to}));
        assert_eq!((refused.status, refused.faults()), (422, vec![format!("#/to_agency: {fault}")]), "{to}");
    }
    let moved = desk.go(&first, &step("redirect"));
    // The shelter named somebody; what became of it is not its business.
    assert_eq!((&moved.json()["redirected_to"], &moved.json()["redacted"]), (&Value::Null, &json!(["#/redirected_to"])));
    let of_sender = world.get(&first, &desk.sender);
    assert_ne!(of_sender.header("etag"), moved.header("etag"), "another representation");
    let second = format!("/v1/referrals/{}", of_sender.json()["redirected_to"].as_str().unwrap());
    let draft = world.get(&second, &desk.sender).json();
    assert_eq!((&draft["state"], &draft["to_agency"], &draft["message"], &draft["redirected_from"]), (&json!("draft"), &json!(OTHER), &json!("Urge."), &json!(last(&first))));
    assert_eq!((&draft["owner_agency"], &draft["created_by_agency"], &draft["sent_at"]), (&json!(SENDER), &json!(SHELTER), &Value::Null));
    for token in [&desk.shelter, &desk.other] {
        assert_eq!(world.get(&second, token).status, 404, "a draft is its sender's alone");
    }
    assert_eq!(world.get(&second, &desk.oversight).json()["redirected_from"], json!(last(&first)));
    desk.go(&second, &step("send"));
    let of_other = world.get(&second, &desk.other);
    assert_eq!((&of_other.json()["redirected_from"], &of_other.json()["redacted"]), (&Value::Null, &json!(["#/redirected_from"])));
    assert_eq!(world.get(&second, &desk.shelter).status, 404);
    // Nobody is asked twice in one chain.
    let back = desk.ask(&second, &json!({"trigger": "redirect", "reason": "Tampoco.", "to_agency": SHELTER}));
    assert_eq!(back.faults(), ["#/to_agency: cross_field"]);
    let third = desk.go(&second, &json!({"trigger": "redirect", "reason": "Tampoco.", "to_agency": POLICE}));
    assert_eq!(third.status, 200);
    assert_eq!(desk.types(&second, &desk.other), ["referral.created", "referral.transitioned", "referral.transitioned"]);
    assert_eq!(desk.go(&first, &step("close")).json()["state"], "closed");
}

fn a_counter_referral_reports_to_the_sender_or_a_third_and_shares_nothing(world) {
    let desk = Desk::new(world);
    let first = desk.referred(&json!({"victims": [desk.victim]}), &["send", "accept", "complete"]);
    let answer = |token: &str, more: Value| {
        let mut new = json!({"counter_of": last(&first), "sections": [], "kind": "communication", "reported_outcome": "partly_delivered", "message": "Egresó el lunes."});
        more.as_object().unwrap().iter().for_each(|(k, v)| new[k] = v.clone());
        let body = desk.request(SENDER, &new);
        world.post("/v1/referrals", token, &body)
    };
    assert_eq!(answer(&desk.shelter, json!({"sections": ["victims"]})).faults(), ["#/sections: cross_field"]);
    assert_eq!(answer(&desk.shelter, json!({"reported_outcome": "nonsense"})).faults(), ["#/reported_outcome: enum"]);
    assert_eq!(answer(&desk.shelter, json!({"victims": ["7b3e0c52-1f7e-4a40-9c37-4b1f0a6f2d12"]})).faults(), ["#/victims/0: reference_not_found"]);
    assert_eq!(answer(&desk.other, json!({"to_agency": POLICE})).faults(), ["#/counter_of: reference_not_found"], "not hers");
    assert_eq!(answer(&desk.sender, json!({"to_agency": POLICE})).faults(), ["#/counter_of: cross_field"], "its own");
    let open = desk.referred(&json!({}), &["send", "receive"]);
    assert_eq!(answer(&desk.shelter, json!({"counter_of": last(&open)})).faults(), ["#/counter_of: cross_field"], "not taken on");
    let plain = world.post("/v1/referrals", &desk.sender, &desk.request(SHELTER, &json!({"reported_outcome": "other"})));
    assert_eq!(plain.faults(), ["#/reported_outcome: cross_field"]);
    let made = answer(&desk.shelter, json!({}));
    assert_eq!((made.status, &made.json()["counter_of"], &made.json()["owner_agency"]), (201, &json!(last(&first)), &json!(SHELTER)));
    let path = made.header("location");
    let widened = world.patch(&path, &desk.shelter, &made.header("etag"), &json!({"sections": ["narrative"]}));
    assert_eq!(widened.faults(), ["#/sections: cross_field"]);
    let sent = world.step(&path, &desk.shelter, &made.header("etag"), &step("send"));
    assert_eq!(sent.status, 200, "{}", sent.text);
    let read = world.get(&path, &desk.sender).json();
    assert_eq!((&read["counter_of"], &read["reported_outcome"], &read["to_agency"]), (&json!(last(&first)), &json!("partly_delivered"), &json!(SENDER)));
    assert_eq!(world.step(&path, &desk.sender, &sent.header("etag"), &step("accept")).status, 200);
    // To a third: it reads the message, not the link, and nothing of the case.
    let third = answer(&desk.shelter, json!({"to_agency": OTHER}));
    assert_eq!(world.step(&third.header("location"), &desk.shelter, &third.header("etag"), &step("send")).status, 200);
    let read = world.get(&third.header("location"), &desk.other);
    assert_eq!((&read.json()["counter_of"], &read.json()["redacted"]), (&Value::Null, &json!(["#/counter_of"])));
    assert_eq!(world.step(&third.header("location"), &desk.other, &read.header("etag"), &step("accept")).status, 200);
    assert_eq!((world.get(&desk.case, &desk.other).status, world.get(&desk.case, &desk.shelter).status), (404, 404));
    // What others still have to say does not keep the owner from closing its file.
    desk.go(&open, &step("reject"));
    let waiting = answer(&desk.shelter, json!({}));
    assert_eq!(waiting.status, 201);
    let tag = world.get(&desk.case, &desk.sender).header("etag");
    let archived = world.step(&desk.case, &desk.sender, &tag, &json!({"trigger": "reject_outright", "legal_act": {"type": "disposicion"}}));
    assert_eq!(archived.status, 200, "{}", archived.text);
}

fn oversight_finds_what_was_sent_without_consent(world) {
    let desk = Desk::new(world);
    let consents = format!("/v1/victims/{}/consents", desk.victim);
    let offered = world.post(&consents, &desk.sender, &json!({"purposes": ["referral"], "language": "es", "form": "written", "given_by": "self"}));
    let given = world.step(&offered.header("location"), &desk.sender, &offered.header("etag"), &json!({"trigger": "give"}));
    assert_eq!(given.status, 200, "{}", given.text);
    let agreed = json!({"legal_basis": "consent", "consent_id": last(&offered.header("location")), "victims": [desk.victim]});
    desk.referred(&agreed, &["send", "accept"]);
    let draft = desk.referred(&json!({}), &[]);
    let without = desk.referred(&json!({}), &["send"]);
    assert_eq!(desk.list(&desk.oversight, "box=watch"), [last(&without)]);
    desk.go(&without, &step("accept"));
    desk.go(&draft, &step("send"));
    assert_eq!(desk.list(&desk.oversight, "box=watch"), [last(&draft), last(&without)]);
    assert_eq!(desk.list(&desk.oversight, "box=watch&state=accepted"), [last(&without)]);
    assert_eq!(desk.list(&desk.oversight, "box=in"), Vec::<String>::new());
    for token in [&desk.sender, &desk.shelter] {
        let refused = world.get("/v1/referrals?box=watch", token);
        assert_eq!((refused.status, refused.faults()), (403, vec!["box: enum".to_owned()]));
    }
}

fn who_keeps_a_referral_waiting_is_reminded_once_and_in_the_end_oversight_is_told(world) {
    let desk = Desk::new(world);
    let path = desk.referred(&json!({}), &["send"]);
    let sent = instant(&world.get(&path, &desk.sender).json()["sent_at"]);
    let at = |hours: i64| sent.plus_seconds(hours * 3_600);
    assert_eq!(desk.remind(at(11)), (0, 0));
    assert_eq!((desk.remind(at(13)), desk.remind(at(13))), ((1, 0), (0, 0)), "once");
    // An acknowledgement is no answer.
    desk.go(&path, &step("receive"));
    assert_eq!(desk.remind(at(14)), (0, 0));
    assert_eq!((desk.remind(at(25)), desk.remind(at(26))), ((0, 1), (0, 0)));
    // The histories are in the order of the clock, which this test puts forward for the housekeeper alone.
    let told = ["referral.created", "referral.transitioned", "referral.transitioned", "referral.reminded", "referral.escalated"];
    for token in [&desk.sender, &desk.shelter, &desk.oversight] {
        assert_eq!(desk.types(&path, token), told);
    }
    let event = world.get(&format!("{path}/history"), &desk.sender).json()["items"][4].clone();
    assert_eq!((&event["trigger"], &event["other_agency"], &event["agency"], &event["version"]), (&json!("answer"), &json!(SHELTER), &Value::Null, &json!(3)));
    assert_eq!(desk.list(&desk.oversight, "box=watch&due=soon"), [last(&path)], "on its desk, and by today's clock not yet over");
    // Another step waits anew; whoever was away for long is told of the end only.
    desk.go(&path, &step("accept"));
    assert_eq!(desk.list(&desk.oversight, "box=watch&due=soon"), Vec::<String>::new());
    assert_eq!(desk.remind(at(90)), (0, 1));
    desk.go(&path, &step("start"));
    assert_eq!(desk.remind(at(900)), (0, 0), "a service that runs has no end of its own");
    // What its sender took back keeps nobody.
    let other = desk.referred(&json!({"urgency": "immediate"}), &["send"]);
    desk.go(&other, &step("revoke"));
    assert_eq!(desk.remind(at(900)), (0, 0));
}

fn the_desk_shows_both_sides_what_is_over_and_what_soon_will_be(world) {
    let desk = Desk::new(world);
    let urgent = desk.referred(&json!({"urgency": "immediate"}), &["send"]);
    let day = desk.referred(&json!({}), &["send", "receive"]);
    let week = desk.referred(&json!({"urgency": "ordinary"}), &["send"]);
    let message = desk.referred(&json!({"kind": "communication", "services": []}), &["send", "accept"]);
    for (token, side) in [(&desk.sender, "out"), (&desk.shelter, "in")] {
        assert_eq!(desk.list(token, &format!("box={side}&due=soon")), [last(&urgent), last(&day)], "the first to end at the top");
        assert_eq!(desk.list(token, &format!("box={side}&due=soon&state=received")), [last(&day)]);
        assert_eq!(desk.list(token, &format!("box={side}&due=overdue")), Vec::<String>::new());
        assert_eq!(desk.list(token, &format!("box={side}&due=soon&case_id=01a20da0-6e26-77b4-8000-40c670de0f0b")), Vec::<String>::new());
        let first = world.get(&format!("/v1/referrals?box={side}&due=soon&limit=1"), token).json();
        let next = first["next_cursor"].as_str().unwrap();
        assert_eq!(desk.list(token, &format!("box={side}&due=soon&limit=1&cursor={next}")), [last(&day)]);
    }
    assert_eq!(desk.list(&desk.other, "box=in&due=soon"), Vec::<String>::new(), "a stranger");
    let mixed = world.get("/v1/referrals?box=in&due=soon&updated_from=2026-01-01T00:00:00Z", &desk.shelter);
    assert_eq!(mixed.faults(), ["updated_from: cross_field"]);
    assert_eq!(world.get("/v1/referrals?box=in&due=later", &desk.shelter).faults(), ["due: enum"]);
    desk.go(&urgent, &step("reject"));
    desk.go(&day, &step("accept"));
    assert_eq!(desk.list(&desk.shelter, "box=in&due=soon"), [last(&day)], "its service is to begin");
    desk.go(&day, &step("start"));
    assert_eq!(desk.list(&desk.shelter, "box=in&due=soon"), Vec::<String>::new());
    for path in [&week, &message] {
        assert_eq!(world.get(path, &desk.shelter).status, 200);
    }
}

fn a_receipt_is_no_token_and_its_readers_are_the_two_sides_and_oversight(world) {
    let desk = Desk::new(world);
    let path = desk.referred(&json!({}), &["send"]);
    let receipts = |token: &str| world.get(&format!("{path}/receipts"), token);
    let events = |answer: &Answer| answer.json()["items"].as_array().unwrap().iter().map(|r| r["event"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(events(&receipts(&desk.sender)), ["sent"]);
    desk.go(&path, &step("accept"));
    for token in [&desk.sender, &desk.shelter, &desk.oversight] {
        assert_eq!(events(&receipts(token)), ["sent", "received"], "an answer is an acknowledgement too");
    }
    assert_eq!(receipts(&desk.other).status, 404);
    let jws = receipts(&desk.sender).json()["items"][0]["jws"].as_str().unwrap().to_owned();
    let refused = world.get(&path, &jws);
    assert_eq!((refused.status, refused.code().as_str()), (401, "invalid_token"));
    desk.go(&path, &step("start"));
    assert_eq!(events(&receipts(&desk.sender)).len(), 2, "no other move earns one");
}
}

#[test]
fn another_implementation_verifies_receipts_after_the_keys_were_rotated_and_refuses_other_content() {
    let world = World::new(Engine::Sqlite).unwrap();
    let desk = Desk::new(&world);
    let message = "Niña de 12 años; ingresó sin documentos.\n\"Urge\" \u{1f6a8} \\";
    let path = desk.referred(&json!({"message": message, "consent_ref": "Acta 14"}), &["send", "receive"]);
    let keys = &world.running.as_ref().unwrap().authenticator.keys;
    let now = Timestamp::now();
    // The second rotation finds the first key past its overlap.
    keys.rotate(now).unwrap();
    keys.rotate(now.plus_seconds(86_400)).unwrap();
    let published = world.send("GET", "/.well-known/receipt-keys.json", None, &[], b"");
    assert_eq!((published.status, published.json()["keys"].as_array().unwrap().len()), (200, 3));
    assert_eq!(
        world.send("GET", "/.well-known/jwks.json", None, &[], b"").json()["keys"].as_array().unwrap().len(),
        2,
        "no token is checked with a retired key"
    );
    let issuer = world.get(&path, &desk.sender).status;
    assert_eq!(issuer, 200);
    let receipts = world.get(&format!("{path}/receipts"), &desk.shelter).json();
    let referral = world.get(&path, &desk.shelter).json();
    let base = published.json();
    for (n, event) in [(0, "sent"), (1, "received")] {
        let jws = receipts["items"][n]["jws"].clone();
        let claims: Value = {
            use base64::Engine as _;
            let part = jws.as_str().unwrap().split('.').nth(1).unwrap().to_owned();
            serde_json::from_slice(&base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let mut input = json!({"jws": jws, "keys": base, "referral": referral, "issuer": claims["iss"]});
        let Some(verified) = peer(&input) else { return };
        let verified = verified.unwrap();
        assert_eq!(
            (&verified["event"], &verified["sub"], &verified["number"]),
            (&json!(event), &referral["id"], &referral["number"])
        );
        assert_eq!(
            (&verified["from_agency"], &verified["to_agency"], &verified["sent_at"]),
            (&json!(SENDER), &json!(SHELTER), &referral["sent_at"])
        );
        assert_eq!(verified["received_at"], if n == 0 { Value::Null } else { referral["received_at"].clone() });
        assert!(verified.get("aud").is_none() && verified.get("exp").is_none());
        // The sender reads the same content.
        input["referral"] = world.get(&path, &desk.sender).json();
        assert!(peer(&input).unwrap().is_ok());
        input["referral"]["message"] = json!("Otra cosa.");
        assert!(peer(&input).unwrap().unwrap_err().contains("not the one that was signed"));
        input["referral"] = referral.clone();
        input["keys"]["keys"].as_array_mut().unwrap().pop();
        assert!(peer(&input).unwrap().is_err(), "the key that signed is the oldest");
    }
}

#[test]
fn the_command_line_tells_those_who_keep_others_waiting() {
    let dir = std::env::temp_dir().join(format!("sistra-remind-{}", uuid::Uuid::new_v4()));
    let run = |args: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_sistra")).args(args).args(["--data-dir"]).arg(&dir).output().unwrap()
    };
    let done = run(&["referrals", "remind"]);
    let said: Value =
        serde_json::from_slice(&done.stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&done.stderr)));
    assert_eq!(said, json!({"reminded": 0, "escalated": 0}));
    let _ = std::fs::remove_dir_all(&dir);
}
