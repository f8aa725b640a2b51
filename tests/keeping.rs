//! What must be kept and who is forgotten: legal holds, erasures by two persons, their certificates.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use diesel::prelude::*;
use serde_json::{Value, json};
use sistra::auth::Purpose;
use sistra::auth::policy::together;
use sistra::catalogue::Catalogue;
use sistra::config::Config;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl, Store};
use sistra::kernel::ids::{ErasureId, VictimId};
use sistra::kernel::{Error, Timestamp};
use sistra::ledger::{Actor, sealer};
use sistra::persons::erasure::{Order, Person, erase};
use sistra::vault::Vault;

use crate::both;
use crate::support::{Answer, Engine, World, case};

const LIMA: &str = "PE-MP-FISTRAP-LIMA";

/// Whoever works, whoever asks, and two who decide: of the same agency and of oversight.
struct Desks {
    desk: String,
    asks: String,
    decides: String,
    ombudsman: String,
}

impl Desks {
    fn new(world: &World) -> Self {
        Self {
            desk: world.token(LIMA, &together().join(" "), Purpose::Investigation),
            asks: world.token(LIMA, "shred:propose", Purpose::Prosecution),
            decides: world.token(LIMA, "shred:approve", Purpose::Prosecution),
            ombudsman: world.token("PE-DP", "shred:approve holds:read holds:write", Purpose::Oversight),
        }
    }
}

/// A case of one victim and one accused with names; archived, so that nothing holds them. Answers path, victim, accused.
fn archived(world: &World, desk: &str) -> (String, String, String) {
    let opened = opened(world, desk);
    let etag = world.get(&opened.0, desk).header("etag");
    let body = json!({"trigger": "reject_outright", "effective_on": "2026-03-20", "legal_act": {"type": "disposicion"}});
    let moved = world.step(&opened.0, desk, &etag, &body);
    assert_eq!(moved.status, 200, "{}", moved.text);
    opened
}

fn opened(world: &World, desk: &str) -> (String, String, String) {
    let mut new = case();
    new["victims"][0]["identity"] = json!({"given_names": "Rosa", "paternal_surname": "Quispe", "documents": [{"type": "passport", "country": "VE", "number": "AA100"}]});
    new["accused"][0]["identity"] = json!({"given_names": "Percy"});
    let made = world.post("/v1/cases", desk, &new);
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location");
    let id = |list: &str, key: &str| {
        world.get(&format!("{path}/{list}"), desk).json()["items"][0][key].as_str().unwrap().to_owned()
    };
    let (victim, accused) = (id("victims", "victim_id"), id("accused", "id"));
    (path, victim, accused)
}

fn proposal(key: &str, person: &str) -> Value {
    json!({key: person, "ground": "person_asked", "basis": "SOL-0045-2026", "reason": "Lo pidió por escrito la persona."})
}

fn proposed(world: &World, desks: &Desks, key: &str, person: &str) -> String {
    let made = world.post("/v1/erasures", &desks.asks, &proposal(key, person));
    assert_eq!(made.status, 201, "{}", made.text);
    made.header("location")
}

fn decide(world: &World, token: &str, path: &str, body: &Value) -> Answer {
    let etag = match world.get(path, token).header("etag") {
        unseen if unseen.is_empty() => "\"1.e\"".to_owned(),
        etag => etag,
    };
    world.step(path, token, &etag, body)
}

fn guards(answer: &Answer) -> Value {
    assert_eq!(answer.status, 409, "{}", answer.text);
    answer.json()["failed_guards"].clone()
}

fn hold(world: &World, token: &str, key: &str, id: &str) -> Answer {
    world.post(
        "/v1/legal-holds",
        token,
        &json!({key: id, "ground": "appeal", "basis": "EXP-00123-2026", "reason": "La sentencia fue impugnada."}),
    )
}

fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn sealed(world: &World) {
    let store = &world.running.as_ref().unwrap().store;
    while store.read_blocking(sealer::progress).unwrap().1 > 0 {
        std::thread::yield_now();
    }
}

both! {
fn two_persons_forget_somebody_and_a_certificate_says_so(world) {
    let desks = Desks::new(world);
    let (case, victim, _) = archived(world, &desks.desk);
    let erasure = proposed(world, &desks, "victim_id", &victim);
    let waiting = world.get(&erasure, &desks.decides).json();
    assert_eq!((&waiting["state"], &waiting["blocked_by"], &waiting["reason"]), (&json!("proposed"), &json!([]), &json!("Lo pidió por escrito la persona.")));
    for token in [&desks.asks, &desks.ombudsman] {
        let listed = world.get("/v1/erasures?open=true", token).json()["items"].clone();
        assert_eq!((listed.as_array().unwrap().len(), &listed[0]["id"]), (1, &waiting["id"]));
    }
    assert_eq!(guards(&world.get(&format!("{erasure}/certificate"), &desks.asks)), json!(["not_executed"]));
    // The same agency at a desk that names nobody is one person.
    assert_eq!(guards(&decide(world, &desks.decides, &erasure, &json!({"trigger": "approve"}))), json!(["second_person_needed"]));
    assert_eq!(decide(world, &desks.asks, &erasure, &json!({"trigger": "approve"})).code(), "insufficient_scope");
    let done = decide(world, &desks.ombudsman, &erasure, &json!({"trigger": "approve"}));
    assert_eq!((done.status, &done.json()["state"], &done.json()["decided_by"], &done.json()["reason"]), (200, &json!("executed"), &json!("PE-DP"), &Value::Null), "{}", done.text);
    assert_eq!(done.json()["redacted"], json!(["#/reason"]));
    let gone = world.get(&format!("/v1/victims/{victim}/identity"), &desks.desk);
    assert_eq!((gone.status, gone.code().as_str()), (410, "erased"));
    let left = world.get(&format!("/v1/victims/{victim}"), &desks.desk);
    assert_eq!((left.status, &left.json()["sex"]), (200, &json!("female")));
    let search = world.post_with("/v1/victims/search", &desks.desk, &[], &json!({"document": {"type": "passport", "country": "VE", "number": "AA100"}}));
    assert_eq!(search.json()["items"], json!([]));
    assert_eq!(world.get("/v1/erasures?open=true", &desks.ombudsman).json()["items"], json!([]));
    assert_eq!(world.get("/v1/erasures?open=false", &desks.asks).json()["items"].as_array().unwrap().len(), 1);
    let again = world.post("/v1/erasures", &desks.asks, &proposal("victim_id", &victim));
    assert_eq!((again.status, again.code().as_str()), (410, "erased"));
    let history = world.get(&format!("/v1/victims/{victim}/history"), &desks.desk).json()["items"].clone();
    assert_eq!(history.as_array().unwrap().last().unwrap()["type"], "victim.erased");

    sealed(world);
    let signed = world.get(&format!("{erasure}/certificate"), &desks.ombudsman).json();
    let certificate = &signed["certificate"];
    for (key, value) in [
        ("person_id", json!(victim)), ("person_type", json!("victim")), ("cases", json!(1)), ("basis", json!("SOL-0045-2026")),
        ("proposed_by", json!(LIMA)), ("approved_by", json!("PE-DP")), ("destroyed", json!(["key", "identity", "sealed_texts", "search_tokens"])),
    ] {
        assert_eq!(certificate[key], value, "{key}");
    }
    assert!(certificate["ledger_position"].as_i64().is_some_and(|p| p > 0), "{certificate}");
    let parts: Vec<&str> = signed["jws"].as_str().unwrap().split('.').collect();
    let part = |n: usize| URL_SAFE_NO_PAD.decode(parts[n]).unwrap();
    assert_eq!(&serde_json::from_slice::<Value>(&part(1)).unwrap(), certificate);
    let header: Value = serde_json::from_slice(&part(0)).unwrap();
    assert_eq!((&header["alg"], &header["typ"], &header["kid"]), (&json!("EdDSA"), &json!("erasure-certificate+jwt"), &signed["key"]));
    // `name+hash+base64(algorithm, key)`, as `sistra ledger key` prints it.
    let key = STANDARD.decode(signed["key"].as_str().unwrap().splitn(3, '+').nth(2).unwrap()).unwrap();
    let key = aws_lc_rs::signature::UnparsedPublicKey::new(&aws_lc_rs::signature::ED25519, &key[1..]);
    assert!(key.verify(format!("{}.{}", parts[0], parts[1]).as_bytes(), &part(2)).is_ok());
    assert!(key.verify(format!("{}.{}", parts[0], URL_SAFE_NO_PAD.encode("{}")).as_bytes(), &part(2)).is_err());
    let _ = case;
}

fn what_stands_against_an_erasure_is_named_and_stops_it(world) {
    let desks = Desks::new(world);
    let approve = json!({"trigger": "approve"});
    let (_, held, _) = opened(world, &desks.desk);
    let running = proposed(world, &desks, "victim_id", &held);
    assert_eq!(world.get(&running, &desks.ombudsman).json()["blocked_by"], json!(["open_case"]));
    assert_eq!(guards(&decide(world, &desks.ombudsman, &running, &approve)), json!(["open_case"]));
    assert_eq!(guards(&world.post("/v1/erasures", &desks.asks, &proposal("victim_id", &held))), json!(["erasure_open"]));
    let withdrawn = decide(world, &desks.asks, &running, &json!({"trigger": "withdraw"}));
    assert_eq!((withdrawn.status, &withdrawn.json()["state"]), (200, &json!("withdrawn")), "{}", withdrawn.text);
    let once_more = proposed(world, &desks, "victim_id", &held);
    assert_eq!(decide(world, &desks.ombudsman, &once_more, &json!({"trigger": "reject"})).faults(), ["#/reason: required"]);
    let rejected = decide(world, &desks.ombudsman, &once_more, &json!({"trigger": "reject", "reason": "El caso sigue abierto."}));
    assert_eq!((rejected.status, &rejected.json()["decision_reason"]), (200, &json!("El caso sigue abierto.")), "{}", rejected.text);
    assert_eq!(guards(&decide(world, &desks.ombudsman, &once_more, &approve)), json!(["no_such_transition"]));
    // Of unknown age: a minor, until somebody has determined the child's best interest.
    let (case, young, accused) = archived(world, &desks.desk);
    let etag = world.get(&format!("/v1/victims/{young}"), &desks.desk).header("etag");
    assert_eq!(world.patch(&format!("/v1/victims/{young}"), &desks.desk, &etag, &json!({"age_at_identification": null})).status, 200);
    let child = proposed(world, &desks, "victim_id", &young);
    assert_eq!(guards(&decide(world, &desks.ombudsman, &child, &approve)), json!(["best_interest_required"]));
    // A hold on the case holds its persons, and overtakes whoever has read the proposal before it.
    let before = world.get(&child, &desks.ombudsman).header("etag");
    let placed = hold(world, &desks.ombudsman, "case_id", last(&case));
    assert_eq!(placed.status, 201, "{}", placed.text);
    let determined = json!({"trigger": "approve", "best_interest": "IEN-3-2026"});
    assert_eq!(world.step(&child, &desks.ombudsman, &before, &determined).status, 412);
    assert_eq!(guards(&decide(world, &desks.ombudsman, &child, &determined)), json!(["legal_hold"]));
    let own = hold(world, &desks.desk, "accused_id", &accused);
    let suspect = proposed(world, &desks, "accused_id", &accused);
    let lift = json!({"trigger": "lift", "reason": "La sentencia quedó firme."});
    let path = placed.header("location");
    assert_eq!(decide(world, &desks.desk, &path, &lift).code(), "owner_only", "whoever placed it lifts it");
    let lifted = decide(world, &desks.ombudsman, &path, &lift);
    assert_eq!((lifted.status, &lifted.json()["active"], &lifted.json()["lift_reason"]), (200, &json!(false), &json!("La sentencia quedó firme.")), "{}", lifted.text);
    assert_eq!(guards(&decide(world, &desks.ombudsman, &path, &lift)), json!(["already_lifted"]));
    assert_eq!(decide(world, &desks.ombudsman, &child, &determined).json()["best_interest"], json!("IEN-3-2026"));
    assert_eq!(guards(&decide(world, &desks.ombudsman, &suspect, &approve)), json!(["legal_hold"]), "the one on the accused stands");
    assert_eq!(decide(world, &desks.desk, &own.header("location"), &lift).status, 200);
    assert_eq!(decide(world, &desks.ombudsman, &suspect, &approve).json()["state"], json!("executed"));
    assert_eq!(world.get(&format!("/v1/accused/{accused}/identity"), &desks.desk).status, 410);
    let active = |token: &str, which: bool| world.get(&format!("/v1/legal-holds?active={which}"), token).json()["items"].as_array().unwrap().len();
    assert_eq!([active(&desks.ombudsman, true), active(&desks.ombudsman, false), active(&desks.desk, false)], [0, 2, 2]);
    // What was said in words about who is forgotten is forgotten too.
    assert_eq!(world.get(&own.header("location"), &desks.desk).json()["reason"], Value::Null);
}

fn the_command_line_respects_a_hold_too(world) {
    let desks = Desks::new(world);
    let (_, victim, _) = archived(world, &desks.desk);
    let placed = hold(world, &desks.desk, "victim_id", &victim);
    assert_eq!(placed.status, 201, "{}", placed.text);
    let (store, law) = (world.running.as_ref().unwrap().store.clone(), Arc::new(Catalogue::embedded().unwrap()));
    let id: VictimId = victim.parse().unwrap();
    let order = Order { basis: "RES-014-2026".into(), best_interest: None };
    let erased = erase(&store, &law, Person::Victim(id), &order, Timestamp::now(), false);
    assert_eq!(erased, Err(Error::StateConflict(vec!["legal_hold".into()])));
}

fn strangers_guests_and_whoever_lacks_a_scope_neither_ask_nor_see(world) {
    let desks = Desks::new(world);
    let (case, victim, accused) = archived(world, &desks.desk);
    let share = json!({"agency": "PE-MIMP-INABIF", "role": "victim_care", "sections": ["victims", "victim_identity"]});
    assert_eq!(world.post(&format!("{case}/participants"), &desks.desk, &share).status, 201);
    let guest = world.token("PE-MIMP-INABIF", "shred:propose holds:read holds:write", Purpose::Assistance);
    let stranger = world.token("PE-PNP", "shred:propose holds:read holds:write", Purpose::Investigation);
    assert_eq!(world.post("/v1/erasures", &guest, &proposal("victim_id", &victim)).code(), "owner_only");
    for (key, id) in [("victim_id", &victim), ("accused_id", &accused)] {
        let asked = world.post("/v1/erasures", &stranger, &proposal(key, id));
        assert_eq!(asked.faults(), [format!("#/{key}: reference_not_found")]);
        assert_eq!(hold(world, &stranger, key, id).faults(), [format!("#/{key}: reference_not_found")]);
    }
    assert_eq!(world.post("/v1/erasures", &guest, &proposal("accused_id", &accused)).faults(), ["#/accused_id: reference_not_found"]);
    let erasure = proposed(world, &desks, "victim_id", &victim);
    let placed = hold(world, &desks.desk, "victim_id", &victim).header("location");
    let decides = world.token("PE-PNP", "shred:approve", Purpose::Investigation);
    let care = world.token("PE-MIMP-INABIF", "shred:approve", Purpose::Assistance);
    for token in [&stranger, &guest, &decides, &care] {
        for path in [erasure.clone(), format!("{erasure}/certificate")] {
            assert_eq!(world.get(&path, token).status, 404, "{path}");
        }
        assert_eq!(world.get("/v1/erasures", token).json()["items"], json!([]));
    }
    for token in [&decides, &care] {
        assert_eq!(decide(world, token, &erasure, &json!({"trigger": "approve"})).status, 404);
    }
    for token in [&stranger, &guest] {
        assert_eq!(world.get(&placed, token).status, 404);
        assert_eq!(world.get("/v1/legal-holds", token).json()["items"], json!([]));
    }
    let nobody = world.token(LIMA, "cases:read", Purpose::Prosecution);
    for path in ["/v1/erasures", &erasure, "/v1/legal-holds", &placed] {
        assert_eq!(world.get(path, &nobody).code(), "insufficient_scope", "{path}");
    }
    let both = world.client(LIMA, "shred:propose shred:approve", &[Purpose::Prosecution], sistra::auth::clients::Credential::Secret);
    assert!(both.is_err(), "nobody asks and agrees");
    let mut bad = proposal("victim_id", &victim);
    bad["accused_id"] = json!(accused);
    bad["ground"] = json!("whim");
    bad["basis"] = json!("Rosa Quispe");
    bad["reason"] = json!("corto");
    assert_eq!(world.post("/v1/erasures", &desks.asks, &bad).faults(), ["#/accused_id: cross_field", "#/basis: pattern", "#/ground: enum", "#/reason: min_length", "#/victim_id: cross_field"]);
}

fn a_merged_person_is_forgotten_whole(world) {
    let desks = Desks::new(world);
    let (_, away, _) = archived(world, &desks.desk);
    let (_, into, _) = archived(world, &desks.desk);
    let merge = json!({"trigger": "merge", "into": into, "evidence": ["double_entry"], "reason": "La misma ficha dos veces."});
    assert_eq!(decide(world, &desks.desk, &format!("/v1/victims/{away}"), &merge).status, 200);
    assert_eq!(guards(&world.post("/v1/erasures", &desks.asks, &proposal("victim_id", &away))), json!(["merged"]));
    let erasure = proposed(world, &desks, "victim_id", &into);
    let done = decide(world, &desks.ombudsman, &erasure, &json!({"trigger": "approve"}));
    assert_eq!((done.status, &done.json()["state"]), (200, &json!("executed")), "{}", done.text);
    let certificate = world.get(&format!("{erasure}/certificate"), &desks.ombudsman).json()["certificate"].clone();
    assert_eq!((&certificate["other_records"], &certificate["cases"]), (&json!([away]), &json!(2)));
    for record in [&away, &into] {
        assert_eq!(world.get(&format!("/v1/victims/{record}/identity"), &desks.desk).status, 410, "{record}");
        assert_eq!(world.get(&format!("/v1/victims/{record}"), &desks.desk).status, 200);
    }
    let apart = json!({"trigger": "unmerge", "reason": "Eran dos personas."});
    assert_eq!(decide(world, &desks.desk, &format!("/v1/victims/{away}"), &apart).code(), "erased");
    let (_, other, _) = archived(world, &desks.desk);
    let merge = json!({"trigger": "merge", "into": into, "evidence": ["double_entry"], "reason": "La misma ficha dos veces."});
    assert_eq!(guards(&decide(world, &desks.desk, &format!("/v1/victims/{other}"), &merge)), json!(["survivor_erased"]));
}

fn an_erasure_that_broke_off_is_finished_by_the_next_try(world) {
    let desks = Desks::new(world);
    let (_, victim, _) = archived(world, &desks.desk);
    let erasure = proposed(world, &desks, "victim_id", &victim);
    // As a server leaves it that stops between the decision and the deed.
    let store = world.running.as_ref().unwrap().store.clone();
    let id: ErasureId = last(&erasure).parse().unwrap();
    let mut conn = open(&world.database, Role::Write, 60_000).unwrap();
    let sql = "UPDATE erasure SET state = 'approved'";
    match &mut conn {
        Conn::Postgres(c) => diesel::sql_query(sql).execute(c).unwrap(),
        Conn::Sqlite(c) => diesel::sql_query(sql).execute(c).unwrap(),
    };
    drop(conn);
    assert_eq!(guards(&hold(world, &desks.desk, "victim_id", &victim)), json!(["erasure_approved"]));
    let done = decide(world, &desks.ombudsman, &erasure, &json!({"trigger": "approve"}));
    assert_eq!((done.status, &done.json()["state"]), (200, &json!("executed")), "{}", done.text);
    assert_eq!(world.get(&format!("/v1/victims/{victim}/identity"), &desks.desk).status, 410);
    // Once more, it does nothing.
    let actor = Actor { client: None, agency: None, user: None, purpose: None, request_id: uuid::Uuid::new_v4(), trail: sistra::kernel::trail::Trail::default() };
    let version = world.get(&erasure, &desks.ombudsman).json()["version"].clone();
    actix_rt::System::new().block_on(sistra::erasures::actions::execute(&store, &actor, id, Timestamp::now())).unwrap();
    assert_eq!(world.get(&erasure, &desks.ombudsman).json()["version"], version);
}
}

/// The service erases, and somebody puts back a database from before: keyring and list are those of today.
#[test]
fn a_backup_from_before_an_erasure_over_http_does_not_bring_the_person_back() {
    let world = World::new(Engine::Sqlite).unwrap();
    let desks = Desks::new(&world);
    let (_, victim, accused) = archived(&world, &desks.desk);
    let erasure = proposed(&world, &desks, "victim_id", &victim);
    let restored = world.dir.join("restored");
    std::fs::create_dir_all(&restored).unwrap();
    {
        let Conn::Sqlite(mut c) = open(&world.database, Role::Write, 60_000).unwrap() else { panic!() };
        diesel::sql_query(format!("VACUUM INTO '{}'", restored.join("sistra.sqlite3").display())).execute(&mut c).unwrap();
    }
    assert_eq!(decide(&world, &desks.ombudsman, &erasure, &json!({"trigger": "approve"})).status, 200);
    for file in ["keyring.json", "erased.log"] {
        std::fs::copy(world.dir.join(file), restored.join(file)).unwrap();
    }
    let url = DatabaseUrl::Sqlite(restored.join("sistra.sqlite3"));
    let config = Config::for_tests(url.clone(), restored.clone());
    let vault = Vault::open(&mut open(&url, Role::Write, 60_000).unwrap(), &config.keyring, Timestamp::now()).unwrap();
    let old = Store::open(&config.store(vault)).unwrap();
    let (victim, accused): (VictimId, sistra::kernel::ids::AccusedId) = (victim.parse().unwrap(), accused.parse().unwrap());
    let scope = sistra::auth::Caller {
        client: sistra::kernel::ids::ClientId::generate(Timestamp::now(), sistra::kernel::Bucket::random()),
        agency: sistra::kernel::AgencyCode::parse(LIMA).unwrap(),
        user: None,
        scopes: Vec::new(),
        purpose: Purpose::Investigation,
        oversight: false,
        expires_at: Timestamp::now(),
    }
    .scope(Timestamp::now());
    let read =
        old.read_blocking(|conn| sistra::victims::store::find_identity(conn, &scope, victim).map(|named| named.identity));
    assert_eq!(read, Err(Error::Erased), "the backup has the sealed identity and the wrapped key, and neither opens");
    let other = old.read_blocking(|conn| sistra::accused::store::find_identity(conn, &scope, accused)).unwrap();
    assert_eq!(other.identity.given_names.map(|name| name.0), Some("Percy".to_owned()));
}
