//! The change feed: who is told of what, in which order, and that nothing is missed however slowly it was written.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::db::connection::{Role, open};
use sistra::events::Bell;
use sistra::events::actions::{Feed, keep_watch};
use sistra::events::model::Retention;
use sistra::kernel::ids::{CaseId, ClientId, VictimId};
use sistra::kernel::{AgencyCode, Timestamp};
use sistra::ledger::{Action, Actor, Entry, append, sealer};
use sistra::persons::erasure::{Order, Person, erase};

use crate::both;
use crate::support::{ALL, Answer, Engine, World, case};

const OWNER: &str = "PE-MP-FISTRAP-LIMA";
const GUEST: &str = "PE-MIMP-INABIF";
const STRANGER: &str = "PE-MP-FISTRAP-PIURA";
const OVERSIGHT: &str = "PE-DP";
const IDENTITIES: &str = "victims.identity:read victims.identity:write";

fn reader(world: &World, agency: &str) -> String {
    let purpose = if agency == OVERSIGHT { Purpose::Oversight } else { Purpose::Assistance };
    world.token(agency, &format!("{ALL} events:read"), purpose)
}

/// Waits until everything that was written has its position.
fn sealed(world: &World) {
    let store = &world.running.as_ref().unwrap().store;
    while store.read_blocking(sealer::progress).unwrap().1 > 0 {
        std::thread::yield_now();
    }
}

fn page(world: &World, token: &str, query: &str) -> Value {
    let answer = world.get(&format!("/v1/events?{query}"), token);
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    answer.json()
}

/// Everything behind a cursor, and the cursor behind it.
fn rest(world: &World, token: &str, after: &str) -> (Vec<Value>, String) {
    sealed(world);
    let (mut events, mut after) = (Vec::new(), after.to_owned());
    loop {
        let page = page(world, token, &format!("after={after}&limit=500"));
        events.extend(page["items"].as_array().unwrap().iter().cloned());
        after = page["next_cursor"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            return (events, after);
        }
    }
}

fn types(events: &[Value]) -> Vec<String> {
    events.iter().map(|e| e["type"].as_str().unwrap().to_owned()).collect()
}

/// The types of what a reader is told from a cursor on.
fn told(world: &World, token: &str, after: &str) -> Vec<String> {
    types(&rest(world, token, after).0)
}

fn opened(world: &World, token: &str) -> (String, String) {
    let made = world.post("/v1/cases", token, &case());
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location");
    let victim = world.get(&format!("{path}/victims"), token).json()["items"][0]["victim_id"].as_str().unwrap().to_owned();
    (path, victim)
}

fn share(world: &World, owner: &str, path: &str, agency: &str, more: &Value) -> Answer {
    let mut body = json!({"agency": agency, "role": "information", "sections": ["victims"]});
    more.as_object().unwrap().iter().for_each(|(k, v)| body[k] = v.clone());
    let shared = world.post(&format!("{path}/participants"), owner, &body);
    assert_eq!(shared.status, 201, "{}", shared.text);
    shared
}

fn end(world: &World, owner: &str, shared: &Answer) {
    let ended = world.step(&shared.header("location"), owner, &shared.header("etag"), &json!({"trigger": "end"}));
    assert_eq!(ended.status, 200, "{}", ended.text);
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn raw(world: &World, sql: &str) {
    open(&world.database, Role::Write, 5_000).unwrap().batch_execute(sql).unwrap();
}

both! {
fn a_change_is_told_to_all_who_see_the_record_and_to_nobody_else(world) {
    let (owner, guest, stranger, oversight) = (reader(world, OWNER), reader(world, GUEST), reader(world, STRANGER), reader(world, OVERSIGHT));
    let (path, victim) = opened(world, &owner);
    let (events, after) = rest(world, &owner, "begin");
    let opening = ["case.created", "victim.created", "accused.created", "charge.created"];
    assert_eq!(types(&events).into_iter().collect::<BTreeSet<_>>(), opening.map(str::to_owned).into(), "{events:?}");
    let first = &events[types(&events).iter().position(|t| t == "case.created").unwrap()];
    let history = world.get(&format!("{path}/history"), &owner).json()["items"][0].clone();
    assert_eq!(
        first,
        &json!({"id": history["id"], "time": history["at"], "type": "case.created", "resource_type": "case", "resource_id": last(&path), "version": 1}),
        "ids and versions, and nothing else"
    );
    assert_eq!(told(world, &guest, "begin"), Vec::<String>::new());
    assert_eq!(told(world, &oversight, "begin").len(), events.len(), "oversight sees every case");

    share(world, &owner, &path, GUEST, &json!({}));
    let (seen, there) = rest(world, &guest, "begin");
    assert_eq!(types(&seen), ["participant.created", "access.granted"]);
    assert_eq!(seen[1]["resource_id"], last(&path), "access.* names the case");
    assert_eq!(told(world, &owner, &after), ["participant.created"], "who shared it is told of the participation");

    let amended = world.patch(&path, &owner, &world.get(&path, &owner).header("etag"), &json!({"title": "Otro"}));
    assert_eq!(amended.status, 200, "{}", amended.text);
    let version = amended.json()["version"].clone();
    let victim_path = format!("/v1/victims/{victim}");
    assert_eq!(world.patch(&victim_path, &owner, &world.get(&victim_path, &owner).header("etag"), &json!({"sex": "male"})).status, 200);
    assert_eq!(world.post(&format!("{path}/hearings"), &owner, &json!({"kind": "trial_session", "scheduled_at": "2026-03-18T14:00:00.000Z", "court": "Juzgado"})).status, 201);
    let (seen, _) = rest(world, &guest, &there);
    assert_eq!(types(&seen), ["case.updated", "victim.updated"], "the section with the hearings was not shared");
    assert_eq!((&seen[0]["version"], &seen[1]["resource_id"]), (&version, &json!(victim)));
    assert_eq!(told(world, &stranger, "begin"), Vec::<String>::new());
}

fn an_event_is_shown_to_those_only_who_see_the_record_now_and_losing_it_is_told(world) {
    let (owner, guest) = (reader(world, OWNER), reader(world, GUEST));
    let (path, _) = opened(world, &owner);
    let shared = share(world, &owner, &path, GUEST, &json!({}));
    let more = share(world, &owner, &path, GUEST, &json!({"sections": ["narrative"]}));
    let (_, after) = rest(world, &guest, "begin");
    assert_eq!(world.patch(&path, &owner, &world.get(&path, &owner).header("etag"), &json!({"title": "Otro"})).status, 200);
    end(world, &owner, &more);
    assert_eq!(told(world, &guest, &after), ["case.updated", "participant.transitioned", "access.changed"], "it still sees a part");
    end(world, &owner, &shared);
    let (seen, after) = rest(world, &guest, &after);
    assert_eq!(types(&seen), ["access.revoked"], "what it read before is not shown again, and not the rest either");
    assert_eq!((&seen[0]["resource_type"], &seen[0]["resource_id"]), (&json!("case"), &json!(last(&path))));
    assert_eq!(told(world, &guest, "begin"), ["access.revoked"]);
    assert_eq!(world.patch(&path, &owner, &world.get(&path, &owner).header("etag"), &json!({"title": "Más"})).status, 200);
    assert_eq!(told(world, &guest, &after), Vec::<String>::new());
}

fn of_persons_a_guest_is_told_only_of_those_whom_the_case_shows(world) {
    let owner = world.token(OWNER, &format!("{ALL} {IDENTITIES} events:read"), Purpose::Prosecution);
    let guest = reader(world, GUEST);
    let (path, one) = opened(world, &owner);
    let added = world.post(&format!("{path}/victims"), &owner, &json!({"acts": ["recruit"], "means": ["threat"], "purposes": ["sexual_exploitation"], "age_at_identification": 30}));
    let other = last(&added.header("location")).to_owned();
    let shared = share(world, &owner, &path, GUEST, &json!({"victims": [one]}));
    let (_, after) = rest(world, &guest, "begin");
    for victim in [&one, &other] {
        let record = format!("/v1/victims/{victim}");
        assert_eq!(world.patch(&record, &owner, &world.get(&record, &owner).header("etag"), &json!({"sex": "male"})).status, 200);
        let door = format!("{record}/identity");
        assert_eq!(world.patch(&door, &owner, &world.get(&door, &owner).header("etag"), &json!({"given_names": "Rosa"})).status, 200);
    }
    assert_eq!(world.post(&format!("{path}/notes"), &owner, &json!({"visibility": "internal", "text": "Nota"})).status, 201);
    assert_eq!(world.post(&format!("{path}/notes"), &owner, &json!({"visibility": "shared", "text": "Nota"})).status, 201);
    let (seen, _) = rest(world, &guest, &after);
    assert_eq!((types(&seen), &seen[0]["resource_id"]), (vec!["victim.updated".to_owned()], &json!(one)));
    let mine = told(world, &owner, "begin");
    assert_eq!(mine.iter().filter(|t| *t == "victim_identity.updated").count(), 2);
    assert_eq!(mine.iter().filter(|t| *t == "note.created").count(), 2);
    // The same agency's system that may read no victims is told of none.
    let clerk = world.token(OWNER, "cases:read events:read", Purpose::Prosecution);
    let told = told(world, &clerk, "begin");
    assert!(!told.is_empty() && told.iter().all(|t| !t.contains("victim") && !t.contains("accused") && !t.contains("charge")), "{told:?}");
    end(world, &owner, &shared);
}

fn a_referral_is_told_to_its_receiver_from_its_sending_on_and_by_where_it_went(world) {
    let (owner, receiver, oversight) = (reader(world, OWNER), reader(world, GUEST), reader(world, OVERSIGHT));
    let (path, _) = opened(world, &owner);
    let referral = json!({"case_id": last(&path), "kind": "service_request", "to_agency": GUEST, "services": ["shelter"],
        "sections": ["victims"], "purpose": "assistance", "urgency": "immediate", "legal_basis": "danger_to_life"});
    let drafted = world.post("/v1/referrals", &owner, &referral);
    assert_eq!(drafted.status, 201, "{}", drafted.text);
    let at = drafted.header("location");
    assert_eq!(told(world, &receiver, "begin"), Vec::<String>::new());
    let sent = world.step(&at, &owner, &drafted.header("etag"), &json!({"trigger": "send"}));
    assert_eq!(sent.status, 200, "{}", sent.text);
    assert_eq!(world.step(&at, &receiver, &sent.header("etag"), &json!({"trigger": "accept"})).status, 200);
    let seen = told(world, &receiver, "begin");
    assert_eq!(seen.iter().filter(|t| t.starts_with("referral.")).collect::<Vec<_>>(), ["referral.sent", "referral.accepted"]);
    assert!(seen.contains(&"access.granted".to_owned()), "{seen:?}");
    for token in [&owner, &oversight] {
        let seen = told(world, token, "begin");
        assert_eq!(seen.iter().filter(|t| t.starts_with("referral.")).collect::<Vec<_>>(), ["referral.created", "referral.sent", "referral.accepted"]);
    }
}

fn filters_narrow_and_pages_join_without_gap_or_repeat(world) {
    let owner = reader(world, OWNER);
    let (path, _) = opened(world, &owner);
    opened(world, &owner);
    let (all, end) = rest(world, &owner, "begin");
    let (mut joined, mut after) = (Vec::new(), "begin".to_owned());
    loop {
        let page = page(world, &owner, &format!("after={after}&limit=3"));
        let items = page["items"].as_array().unwrap();
        assert!(items.len() == 3 || page["has_more"] == false);
        joined.extend(items.iter().cloned());
        after = page["next_cursor"].as_str().unwrap().to_owned();
        if page["has_more"] == false {
            break;
        }
    }
    assert_eq!(joined, all);
    let of = |query: &str| types(page(world, &owner, &format!("after=begin&{query}"))["items"].as_array().unwrap());
    assert_eq!(of("types=case.created"), ["case.created"; 2]);
    assert_eq!(of("types=case.*,charge.created").len(), 4);
    assert_eq!(of("resource_type=charge"), ["charge.created"; 2]);
    assert_eq!(of("resource_type=case&types=charge.*"), Vec::<String>::new());
    // A cursor that passed over what was not asked for goes on behind it, with other filters too.
    let behind = page(world, &owner, "after=begin&types=case.sealed")["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(told(world, &owner, &behind), Vec::<String>::new());
    let now = page(world, &owner, "after=now")["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(world.patch(&path, &owner, &world.get(&path, &owner).header("etag"), &json!({"title": "Otro"})).status, 200);
    assert_eq!((told(world, &owner, &now), told(world, &owner, &end)), (vec!["case.updated".to_owned()], vec!["case.updated".to_owned()]));
}

fn a_bad_request_is_told_all_that_is_wrong_and_a_cursor_is_good_for_its_client_only(world) {
    let (owner, other) = (reader(world, OWNER), reader(world, OWNER));
    assert_eq!(world.get("/v1/events", &owner).faults(), ["after: required"]);
    let bad = world.get("/v1/events?after=begin&types=Case,x&limit=501&wait=x&resource_type=A", &owner);
    assert_eq!(bad.faults(), ["types: enum", "resource_type: enum", "limit: maximum", "wait: type"]);
    assert_eq!(world.get("/v1/events?after=begin&limit=0&wait=21", &owner).faults(), ["limit: minimum", "wait: maximum"]);
    assert_eq!(world.get("/v1/events?after=begin&colour=red", &owner).code(), "unknown_parameter");
    for wrong in ["x", "beginning", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(world.get(&format!("/v1/events?after={wrong}"), &owner).code(), "invalid_cursor", "{wrong}");
    }
    let mine = page(world, &owner, "after=now")["next_cursor"].as_str().unwrap().to_owned();
    assert_eq!(world.get(&format!("/v1/events?after={mine}"), &other).code(), "invalid_cursor");
    let list = world.get("/v1/cases?limit=1", &owner).json()["next_cursor"].clone();
    assert!(list.is_null() || world.get(&format!("/v1/events?after={}", list.as_str().unwrap()), &owner).code() == "invalid_cursor");
    assert_eq!(world.get("/v1/events?after=begin", &world.prosecutor()).code(), "insufficient_scope");
}

fn who_waits_is_answered_when_something_happens(world) {
    let owner = reader(world, OWNER);
    let now = page(world, &owner, "after=now")["next_cursor"].as_str().unwrap().to_owned();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| page(world, &owner, &format!("after={now}&wait=20&types=case.*")));
        opened(world, &owner);
        let answered = waiting.join().unwrap();
        assert_eq!(types(answered["items"].as_array().unwrap()), ["case.created"]);
    });
}

fn who_sees_one_record_of_a_person_is_told_of_the_one_that_stands_for_it(world) {
    let owner = world.token(OWNER, &format!("{ALL} {IDENTITIES} persons:merge events:read"), Purpose::Prosecution);
    let guest = reader(world, GUEST);
    let ((path, away), (_, into)) = (opened(world, &owner), opened(world, &owner));
    share(world, &owner, &path, GUEST, &json!({}));
    let (_, after) = rest(world, &guest, "begin");
    let body = json!({"trigger": "merge", "into": into, "evidence": ["same_document"], "reason": "El mismo documento figura en ambas fichas."});
    let record = format!("/v1/victims/{away}");
    let merged = world.step(&record, &owner, &world.get(&record, &owner).header("etag"), &body);
    assert_eq!(merged.status, 200, "{}", merged.text);
    let survivor = format!("/v1/victims/{into}");
    assert_eq!(world.patch(&survivor, &owner, &world.get(&survivor, &owner).header("etag"), &json!({"sex": "male"})).status, 200);
    let (seen, _) = rest(world, &guest, &after);
    let about: BTreeSet<(&str, &str)> = seen.iter().map(|e| (e["type"].as_str().unwrap(), e["resource_id"].as_str().unwrap())).collect();
    assert_eq!(about, BTreeSet::from([("victim.transitioned", away.as_str()), ("victim_merge.transitioned", &into), ("victim.updated", &into)]));
    assert_eq!(world.get(&survivor, &guest).status, 200, "what it is told of, it may read");
}

fn whoever_helps_is_told_of_the_help_and_not_of_the_victim(world) {
    let owner = world.token(OWNER, &format!("{ALL} assistance:read assistance:write events:read"), Purpose::Prosecution);
    let helper = world.token(GUEST, &format!("{ALL} assistance:read events:read"), Purpose::Assistance);
    let (_, victim) = opened(world, &owner);
    let consent = json!({"purposes": ["assistance"], "recipients": [GUEST], "language": "es", "form": "written", "given_by": "self"});
    let offered = world.post(&format!("/v1/victims/{victim}/consents"), &owner, &consent);
    let given = world.step(&offered.header("location"), &owner, &offered.header("etag"), &json!({"trigger": "give"}));
    assert_eq!(given.status, 200, "{}", given.text);
    let need = json!({"need": "shelter", "provider_agency": GUEST, "legal_basis": "consent", "consent_id": offered.json()["id"]});
    let made = world.post(&format!("/v1/victims/{victim}/assistance"), &owner, &need);
    assert_eq!(made.status, 201, "{}", made.text);
    let (seen, after) = rest(world, &helper, "begin");
    assert_eq!(types(&seen), ["assistance.created"]);
    assert_eq!(world.get(&format!("/v1/assistance/{}", seen[0]["resource_id"].as_str().unwrap()), &helper).status, 200);
    let withdrawn = world.step(&offered.header("location"), &owner, &given.header("etag"), &json!({"trigger": "withdraw", "reason": "Ya no lo desea."}));
    assert_eq!(withdrawn.status, 200, "{}", withdrawn.text);
    let (seen, _) = rest(world, &helper, &after);
    assert_eq!((types(&seen), &seen[0]["resource_type"]), (vec!["access.revoked".to_owned()], &json!("assistance")), "{seen:?}");
    let mine = told(world, &owner, "begin");
    assert!(mine.contains(&"assistance.created".to_owned()) && mine.contains(&"assistance.transitioned".to_owned()), "{mine:?}");
}

fn an_erased_person_is_told_to_all_who_hold_a_copy(world) {
    let (owner, guest) = (world.token(OWNER, &format!("{ALL} {IDENTITIES} events:read"), Purpose::Prosecution), reader(world, GUEST));
    let (path, victim) = opened(world, &owner);
    share(world, &owner, &path, GUEST, &json!({}));
    let (_, after) = rest(world, &guest, "begin");
    let archive = json!({"trigger": "reject_outright", "effective_on": "2026-03-16", "legal_act": {"type": "disposicion", "number": "1-2026", "date": "2026-03-16"}});
    let closed = world.step(&path, &owner, &world.get(&path, &owner).header("etag"), &archive);
    let store = &world.running.as_ref().unwrap().store;
    let law = std::sync::Arc::new(sistra::catalogue::Catalogue::embedded().unwrap());
    assert_eq!(closed.status, 200, "{}", closed.text);
    let id: VictimId = victim.parse().unwrap();
    let order = Order { basis: "RES-12-2026".into(), best_interest: None };
    erase(store, &law, Person::Victim(id), &order, Timestamp::now(), false).unwrap();
    let (seen, _) = rest(world, &guest, &after);
    let erased = seen.iter().find(|e| e["type"] == "person.erased").unwrap_or_else(|| panic!("{seen:?}"));
    assert_eq!((&erased["resource_type"], &erased["resource_id"]), (&json!("victim"), &json!(victim)));
}

fn whoever_stays_away_for_longer_than_events_are_kept_is_told_so(world) {
    let owner = reader(world, OWNER);
    opened(world, &owner);
    let (first, after) = rest(world, &owner, "begin");
    opened(world, &owner);
    sealed(world);
    let day = |days: i64| Timestamp::now().plus_seconds(-days * 86_400);
    raw(world, &format!("UPDATE event_lane SET sealed_at = '{}'", day(403)));
    let old = page(world, &owner, &format!("after={after}&limit=1"));
    let left = world.get(&format!("/v1/events?after={}", old["next_cursor"].as_str().unwrap()), &owner);
    assert_eq!((left.status, left.code().as_str()), (410, "feed_truncated"));
    assert_eq!(told(world, &owner, "begin"), Vec::<String>::new(), "what is as good as gone does not begin");
    // Whoever went on asking lost nothing.
    assert_eq!(told(world, &owner, &after).len(), first.len());
    let (store, mut lanes) = (&world.running.as_ref().unwrap().store, Vec::new());
    loop {
        sistra::events::actions::sweep(store, &mut lanes, Retention { days: 400 }, Timestamp::now()).unwrap();
        if lanes.is_empty() {
            break;
        }
    }
    assert_eq!(told(world, &owner, &after), Vec::<String>::new());
}

fn many_writers_at_once_are_read_once_each_in_one_order(world) {
    let owner = reader(world, OWNER);
    let again = reader(world, OWNER);
    let (writers, each) = (4, 5);
    let (live, made) = std::thread::scope(|scope| {
        let writing: Vec<_> = (0..writers)
            .map(|_| scope.spawn(|| (0..each).map(|_| last(&world.post("/v1/cases", &owner, &case()).header("location")).to_owned()).collect::<Vec<_>>()))
            .collect();
        let (mut live, mut after) = (Vec::new(), "begin".to_owned());
        while live.len() < writers * each {
            let page = page(world, &owner, &format!("after={after}&types=case.created&wait=20"));
            live.extend(page["items"].as_array().unwrap().iter().map(|e| e["resource_id"].as_str().unwrap().to_owned()));
            after = page["next_cursor"].as_str().unwrap().to_owned();
        }
        let made: BTreeSet<String> = writing.into_iter().flat_map(|w| w.join().unwrap()).collect();
        (live, made)
    });
    assert_eq!(live.iter().cloned().collect::<BTreeSet<_>>(), made);
    assert_eq!(live.len(), made.len(), "none twice");
    sealed(world);
    let items = page(world, &again, "after=begin&types=case.created&limit=500")["items"].clone();
    let order: Vec<String> = items.as_array().unwrap().iter().map(|e| e["resource_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(live, order, "whoever reads later reads the same");
}
}

/// A transaction that wrote first and commits last: what came meanwhile is read before it, and it is not missed.
fn a_slow_transaction_is_not_missed(engine: Engine) {
    let Some(world) = &World::new(engine) else { return };
    let owner = reader(world, OWNER);
    let (path, _) = opened(world, &owner);
    let id: CaseId = last(&path).parse().unwrap();
    let (_, after) = rest(world, &owner, "begin");
    let store = world.running.as_ref().unwrap().store.clone();
    let ((written, is_written), (go, gone)) = (sync_channel::<()>(1), sync_channel::<()>(1));
    let gone = std::sync::Mutex::new(gone);
    let slow = std::thread::spawn(move || {
        let actor = Actor {
            client: None,
            agency: AgencyCode::parse(OWNER),
            user: None,
            purpose: None,
            request_id: uuid::Uuid::new_v4(),
            trail: sistra::kernel::trail::Trail::default(),
        };
        let at = Timestamp::now();
        store
            .write_blocking(move |tx| {
                append(tx, &actor, at, vec![Entry::new(Action::Updated, id, Some(77))])?;
                written.send(()).unwrap();
                gone.lock().unwrap().recv().unwrap();
                Ok(())
            })
            .unwrap();
    });
    is_written.recv().unwrap();
    assert_eq!(world.patch(&path, &owner, &world.get(&path, &owner).header("etag"), &json!({"title": "Otro"})).status, 200);
    let (quick, after) = rest(world, &owner, &after);
    assert_eq!(types(&quick), ["case.updated"]);
    assert_ne!(quick[0]["version"], 77);
    go.send(()).unwrap();
    slow.join().unwrap();
    let (late, after) = rest(world, &owner, &after);
    assert_eq!((late.len(), &late[0]["version"]), (1, &json!(77)), "{late:?}");
    assert!(
        late[0]["time"].as_str().unwrap() < quick[0]["time"].as_str().unwrap(),
        "it was written before what was read first"
    );
    assert_eq!(rest(world, &owner, &after).0.len(), 0);
    assert_eq!(types(&rest(world, &owner, "begin").0).iter().filter(|t| *t == "case.updated").count(), 2, "nor read twice");
}

#[test]
fn on_postgresql_a_slow_transaction_is_not_missed() {
    a_slow_transaction_is_not_missed(Engine::Postgres);
}

#[test]
fn on_the_twin_a_slow_transaction_is_not_missed() {
    a_slow_transaction_is_not_missed(Engine::Twin);
}

/// Another instance seals: the bell of this one does not ring, and who waits here is answered all the same.
#[test]
fn who_waits_at_an_instance_that_does_not_seal_is_answered_too() {
    let Some(world) = &World::new(Engine::Postgres) else { return };
    let owner = reader(world, OWNER);
    let mut config = sistra::config::Config::for_tests(world.database.clone(), world.dir.clone());
    config.serve.metrics_bind = None;
    let second = sistra::app::start(&config).unwrap();
    let now = page(world, &owner, "after=now")["next_cursor"].as_str().unwrap().to_owned();
    let ask = |base: &str| -> Value {
        let url = format!("{base}/v1/events?after={now}&wait=20&types=case.created");
        let mut answer = ureq::get(&url).header("Authorization", format!("Bearer {owner}")).call().unwrap();
        serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
    };
    std::thread::scope(|scope| {
        let there = scope.spawn(|| ask(&format!("http://{}", second.addr)));
        let here = scope.spawn(|| ask(&world.base()));
        opened(world, &owner);
        for waiting in [there, here] {
            assert_eq!(types(waiting.join().unwrap()["items"].as_array().unwrap()), ["case.created"]);
        }
    });
    second.stop();
}

/// An entry about what the feed does not know (a newer program's) stops neither the record nor the feed.
#[test]
fn an_unknown_kind_of_resource_is_sealed_and_told_to_nobody() {
    let world = &World::new(Engine::Sqlite).unwrap();
    let owner = reader(world, OWNER);
    let store = &world.running.as_ref().unwrap().store;
    let actor = Actor {
        client: None,
        agency: AgencyCode::parse(OWNER),
        user: None,
        purpose: None,
        request_id: uuid::Uuid::new_v4(),
        trail: sistra::kernel::trail::Trail::default(),
    };
    let id = ClientId::from_uuid(uuid::Uuid::new_v4());
    store
        .write_blocking(move |tx| {
            append(tx, &actor, Timestamp::now(), vec![Entry::new(Action::Created, id, None).about("novelty")])
        })
        .unwrap();
    opened(world, &owner);
    assert!(told(world, &owner, "begin").contains(&"case.created".to_owned()));
}

#[test]
fn what_another_instance_sealed_rings_where_something_came_and_nowhere_else() {
    let world = &World::new(Engine::Sqlite).unwrap();
    let owner = reader(world, OWNER);
    // The feed of another server over the same database: nobody rings its bell but its own watch.
    let (retention, longest) = (Retention { days: 400 }, Duration::from_secs(20));
    let feed = Arc::new(Feed { retention, longest, bell: Bell::default() });
    let [mut here, mut there] = [OWNER, STRANGER].map(|lane| feed.bell.listen(lane).unwrap());
    let stop = Arc::new(AtomicBool::new(false));
    let watch = std::thread::spawn({
        let (store, feed, stop) = (world.running.as_ref().unwrap().store.clone(), Arc::clone(&feed), Arc::clone(&stop));
        move || keep_watch(&store, &feed, &stop)
    });
    let rung = |bell: &mut tokio::sync::watch::Receiver<()>| {
        while !bell.has_changed().unwrap() {
            std::thread::yield_now();
        }
        bell.mark_unchanged();
    };
    // Where nobody had looked yet, something may have come.
    rung(&mut here);
    rung(&mut there);
    assert_eq!(world.post("/v1/cases", &owner, &case()).status, 201);
    sealed(world);
    rung(&mut here);
    assert!(!there.has_changed().unwrap());
    stop.store(true, Ordering::Relaxed);
    watch.join().unwrap();
}

#[test]
fn an_entry_about_many_is_looked_at_whole_however_few_events_are_asked_for() {
    let world = &World::new(Engine::Sqlite).unwrap();
    let owner = reader(world, OWNER);
    let start = page(world, &owner, "after=now")["next_cursor"].as_str().unwrap().to_owned();
    let (bucket, now) = (AgencyCode::parse(OWNER).unwrap().bucket().number(), Timestamp::now());
    let id = || format!("X'{}'", uuid::Uuid::new_v4().simple());
    let (entry, person) = (id(), id());
    // One change about a person of a hundred cases, of which the agency sees the last one only.
    let rows: Vec<String> = (0..100)
        .map(|seq| {
            let (gate, case) = if seq == 99 { ("open", "NULL".to_owned()) } else { ("case", id()) };
            format!(
                "({bucket}, '{OWNER}', 1000000, {seq}, {entry}, '{now}', '{now}', 'victim.updated', 'victim', {person}, 2, '{gate}', '', {case}, {person})"
            )
        })
        .collect();
    let sql = format!("INSERT INTO event_lane VALUES {}", rows.join(", "));
    open(&world.database, Role::Write, 5_000).unwrap().batch_execute(&sql).unwrap();
    for limit in [1, 20, 500] {
        let found = page(world, &owner, &format!("after={start}&limit={limit}"));
        assert_eq!(types(found["items"].as_array().unwrap()), ["victim.updated"], "{limit}");
    }
}
