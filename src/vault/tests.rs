//! Tests of the vault: what opens, what does not, and what a bad keyring says.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use zeroize::Zeroizing;

use super::*;
use crate::db::connection::{DatabaseUrl, Role, open as connect};
use crate::db::{Store, StoreSettings, migrations};
use crate::kernel::ids::{CaseId, NoteId};
use crate::kernel::{Bucket, Error};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Tale {
    code: String,
    text: Option<String>,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Part {
    kind: String,
    why: Option<String>,
}

impl Guarded for Tale {
    const PLACE: &'static str = "tale.detail";
    const SECRET: &'static [&'static str] = &["text", "parts/*/why"];
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Whole {
    text: String,
}

impl Guarded for Whole {
    const PLACE: &'static str = "whole.content";
    const SECRET: &'static [&'static str] = &[];
}

struct Home {
    dir: PathBuf,
}

impl Home {
    fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("sistra-vault-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir_all(&dir).unwrap();
        Self { dir }
    }
    fn url(&self) -> DatabaseUrl {
        DatabaseUrl::Sqlite(self.dir.join("registry.sqlite3"))
    }
    fn ring(&self) -> PathBuf {
        self.dir.join("keyring.json")
    }
    fn settings(&self) -> KeyringSettings {
        KeyringSettings { source: Source::File(self.ring()), erased: self.dir.join("erased.log"), make: true }
    }
    fn vault(&self, settings: &KeyringSettings) -> Result<Arc<Vault>, String> {
        let mut conn = connect(&self.url(), Role::Write, 5_000).unwrap();
        migrations::up(&mut conn).unwrap();
        Vault::open(&mut conn, settings, Timestamp::now())
    }
    fn store(&self) -> Store {
        let vault = Some(self.vault(&self.settings()).unwrap());
        Store::open(&StoreSettings { connections: 2, vault, ..StoreSettings::new(self.url()) }).unwrap()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn ids() -> (CaseId, NoteId) {
    let (now, bucket) = (Timestamp::now(), Bucket::random());
    (CaseId::generate(now, bucket), NoteId::generate(now, bucket))
}

fn tale() -> Tale {
    let part = |why: Option<&str>| Part { kind: "k".into(), why: why.map(str::to_owned) };
    Tale { code: "c".into(), text: Some("Rosa vive aquí".into()), parts: vec![part(None), part(Some("Percy lo dijo"))] }
}

#[test]
fn what_is_sealed_opens_for_its_subject_and_record_and_for_no_other() {
    let home = Home::new();
    let store = home.store();
    let (case, note) = ids();
    let (other_case, other_note) = ids();
    let sealed = store.write_blocking(move |tx| seal(tx, case, note, &tale())).unwrap();
    assert!(!sealed.as_str().contains("Rosa") && !sealed.as_str().contains("Percy"), "{}", sealed.as_str());
    assert!(sealed.as_str().contains("\"code\":\"c\""), "the rest stays readable");
    let again = store.write_blocking(move |tx| seal(tx, case, note, &tale())).unwrap();
    assert_ne!(sealed, again, "the same content never looks the same");
    let read = |subject: CaseId, record: NoteId, stored: Json| {
        store.read_blocking(move |conn| open::<Tale, _, _>(conn, subject, record, &stored))
    };
    assert_eq!(read(case, note, sealed.clone()).unwrap(), tale());
    assert!(read(case, other_note, sealed.clone()).is_err(), "moved to another record");
    store.write_blocking(move |tx| seal(tx, other_case, other_note, &tale())).unwrap();
    assert!(read(other_case, note, sealed.clone()).is_err(), "moved to another subject");
    let elsewhere = store.read_blocking(move |conn| open::<Whole, _, _>(conn, case, note, &sealed));
    assert!(elsewhere.is_err(), "moved to another column");
}

#[test]
fn a_changed_byte_does_not_open_and_the_error_names_nothing() {
    let home = Home::new();
    let store = home.store();
    let (case, note) = ids();
    let whole = Whole { text: "Rosa".into() };
    let sealed = store.write_blocking(move |tx| seal(tx, case, note, &whole)).unwrap();
    let document: Value = serde_json::from_str(sealed.as_str()).unwrap();
    let text = document["sealed"].as_str().unwrap();
    for at in [0, text.len() / 2, text.len() - 2] {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let damaged = Json::sealed(&serde_json::json!({ "sealed": String::from_utf8(bytes).unwrap() })).unwrap();
        let error = store.read_blocking(move |conn| open::<Whole, _, _>(conn, case, note, &damaged)).unwrap_err();
        assert!(matches!(&error, Error::Internal(text) if !text.contains("Rosa")), "{error:?}");
    }
    // A document that lost its seal is not taken for one that never had any.
    let bare = Json::sealed(&serde_json::json!({ "text": "Rosa" })).unwrap();
    assert!(store.read_blocking(move |conn| open::<Whole, _, _>(conn, case, note, &bare)).is_err());
}

#[test]
fn lengths_are_rounded_so_that_names_do_not_show_by_them() {
    let home = Home::new();
    let store = home.store();
    let length = |text: &'static str| {
        let (case, note) = ids();
        store.write_blocking(move |tx| seal(tx, case, note, &Whole { text: text.into() })).unwrap().as_str().len()
    };
    assert_eq!(length("Ana"), length("María del Rosario"));
}

#[test]
fn a_key_made_in_a_transaction_that_failed_is_not_remembered() {
    let home = Home::new();
    let store = home.store();
    let (case, note) = ids();
    let failed: Result<()> = store.write_blocking(move |tx| {
        seal(tx, case, note, &tale())?;
        Err(Error::NotFound)
    });
    assert_eq!(failed, Err(Error::NotFound));
    let sealed = store.write_blocking(move |tx| seal(tx, case, note, &tale())).unwrap();
    assert_eq!(store.read_blocking(move |conn| open::<Tale, _, _>(conn, case, note, &sealed)).unwrap(), tale());
}

#[test]
fn keys_are_wrapped_anew_while_the_registry_runs_and_a_broken_off_run_goes_on() {
    let home = Home::new();
    let store = home.store();
    let all: Vec<(CaseId, NoteId)> = (0..20).map(|_| ids()).collect();
    let written: Vec<Json> = all
        .iter()
        .map(|(case, note)| {
            let (case, note) = (*case, *note);
            store.write_blocking(move |tx| seal(tx, case, note, &tale())).unwrap()
        })
        .collect();
    let first = store.vault().unwrap().ring().current();
    // Another process, as the tool is.
    let tool = home.vault(&home.settings()).unwrap();
    tool.ring().add(Timestamp::now()).unwrap();
    let current = tool.ring().current();
    assert_ne!(first, current);
    // A first run that broke off had done one.
    let (one, ..) = all[0];
    let row = store.read_blocking(move |conn| super::store::find(conn, one.erase())).unwrap().unwrap();
    let material = tool.ring().unwrap(row.subject, row.wrapped.as_deref().unwrap(), &row.kek).unwrap();
    let material = Zeroizing::new(<[u8; 32]>::try_from(material.as_slice()).unwrap());
    let (wrapped, kek) = tool.ring().wrap(row.subject, &material).unwrap();
    let before = row.wrapped.unwrap();
    assert!(store.write_blocking(move |tx| super::store::replace(tx, one.erase(), &before, &wrapped, &kek)).unwrap());
    let mut told = 0;
    let report = rewrap::run(&store, &tool, true, |p| told = p.keys).unwrap();
    // The check value is a key like the others.
    assert_eq!((report.rewrapped, told), (20, 21));
    assert_eq!(report.wrapped_by, std::collections::BTreeMap::from([(current.clone(), 21)]));
    assert_eq!(rewrap::run(&store, &tool, true, |_| ()).unwrap().rewrapped, 0, "a second run finds nothing to do");
    // The server that ran all the while learns the new key by itself, and the old one can go.
    assert_eq!(tool.ring().retire(std::slice::from_ref(&current)).unwrap(), [first]);
    for ((case, note), sealed) in all.into_iter().zip(written) {
        assert_eq!(store.read_blocking(move |conn| open::<Tale, _, _>(conn, case, note, &sealed)).unwrap(), tale());
    }
    assert_eq!(store.vault().unwrap().ring().current(), current);
    assert!(home.vault(&home.settings()).is_ok());
}

#[test]
fn secrets_derived_from_the_root_differ_by_label_and_outlive_a_rotation() {
    let home = Home::new();
    let vault = home.vault(&home.settings()).unwrap();
    let before = vault.derive("blind_index").unwrap();
    assert_ne!(before, vault.derive("cursor").unwrap());
    vault.ring().add(Timestamp::now()).unwrap();
    assert_eq!(vault.derive("blind_index").unwrap(), before);
}

#[test]
fn a_keyring_that_is_not_right_says_so_in_one_line_without_a_secret() {
    let home = Home::new();
    let settings = home.settings();
    drop(home.vault(&settings).unwrap());
    let mode = std::fs::metadata(home.ring()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    let whole = std::fs::read_to_string(home.ring()).unwrap();
    let says = |text: &str| {
        let mut given = settings.clone();
        given.source = Source::Text(Zeroizing::new(text.to_owned()));
        home.vault(&given).unwrap_err()
    };
    let parsed: Value = serde_json::from_str(&whole).unwrap();
    let with = |change: &dyn Fn(&mut Value)| {
        let mut ring = parsed.clone();
        change(&mut ring);
        ring.to_string()
    };
    for (text, line) in [
        (String::new(), "is damaged"),
        ("{}".into(), "is damaged"),
        (whole[..whole.len() / 2].to_owned(), "is damaged"),
        (with(&|r| r["keys"] = serde_json::json!([])), "holds no key"),
        (with(&|r| r["root"] = "AAAA".into()), "root is not 32 bytes"),
        (with(&|r| r["keys"][0]["secret"] = "AAAA".into()), "is not 32 bytes"),
        (with(&|r| r["keys"][0]["id"] = "a b".into()), "no proper id"),
        (with(&|r| r["keys"] = serde_json::json!([r["keys"][0], r["keys"][0]])), "two keys are"),
        (keyring::generate(Timestamp::now()).unwrap().to_string(), "does not open them"),
    ] {
        let error = says(&text);
        assert!(error.contains(line) && !error.contains('\n') && error.contains("SISTRA_KEYRING"), "{error}");
        assert!(!error.contains(parsed["keys"][0]["secret"].as_str().unwrap()), "{error}");
    }
    assert!(
        home.vault(&KeyringSettings { source: Source::Text(Zeroizing::new(whole.clone())), ..settings.clone() }).is_ok()
    );
    let command = |text: String| KeyringSettings { source: Source::Command(text), ..settings.clone() };
    assert!(home.vault(&command(format!("cat {}", home.ring().display()))).is_ok());
    let failed = home.vault(&command("exit 3".into())).unwrap_err();
    assert!(failed.contains("keyring command failed") && failed.contains('3'), "{failed}");
    std::fs::set_permissions(home.ring(), std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(home.vault(&settings).unwrap_err().contains("chmod 600"));
    // A database that was sealed is never given a new keyring.
    std::fs::remove_file(home.ring()).unwrap();
    let lost = home.vault(&settings).unwrap_err();
    assert!(lost.contains("restore it from its copy") && !home.ring().exists(), "{lost}");
    let nowhere = Home::new();
    let unmade = nowhere.vault(&KeyringSettings { make: false, ..nowhere.settings() }).unwrap_err();
    assert!(unmade.contains("--make-keyring"), "{unmade}");
}

#[test]
fn what_is_on_the_list_of_erasures_never_opens_again_whatever_the_database_says() {
    let home = Home::new();
    let store = home.store();
    let (case, note) = ids();
    let (part, whole) = store
        .write_blocking(move |tx| {
            Ok((seal(tx, case, note, &tale())?, seal(tx, case, note, &Whole { text: "Rosa".into() })?))
        })
        .unwrap();
    store.vault().unwrap().erased().add(case.erase(), Timestamp::now()).unwrap();
    let stored = whole.clone();
    assert_eq!(store.read_blocking(move |c| open::<Whole, _, _>(c, case, note, &stored)), Err(Error::Erased));
    let stored = part.clone();
    // Its text could stand empty, but a part's reason was there and is not any more.
    let left = store.read_blocking(move |c| open::<Tale, _, _>(c, case, note, &stored)).unwrap();
    assert_eq!((left.code.as_str(), left.text), ("c", None));
    assert_eq!(store.write_blocking(move |tx| seal(tx, case, note, &tale())).err(), Some(Error::Erased));
    // A list that lost its lines is not believed.
    let (other, record) = ids();
    let sealed = store.write_blocking(move |tx| seal(tx, other, record, &Whole { text: "Percy".into() })).unwrap();
    let again = sealed.clone();
    assert!(store.read_blocking(move |c| open::<Whole, _, _>(c, other, record, &again)).is_ok());
    std::fs::write(home.dir.join("erased.log"), "").unwrap();
    assert_eq!(store.read_blocking(move |c| open::<Whole, _, _>(c, other, record, &sealed)), Err(Error::Erased));
}

#[test]
fn nothing_of_the_vault_prints_what_it_holds() {
    let home = Home::new();
    let vault = home.vault(&home.settings()).unwrap();
    let text = std::fs::read_to_string(home.ring()).unwrap();
    let printed = format!(
        "{vault:?} {:?} {:?}",
        Source::Text(Zeroizing::new(text.clone())),
        SubjectKey::new(&*SubjectKey::material().unwrap()).unwrap()
    );
    let secret = serde_json::from_str::<Value>(&text).unwrap()["root"].as_str().unwrap().to_owned();
    assert!(!printed.contains(&secret) && printed.contains("[redacted]"), "{printed}");
}
