//! Records as bodies of the registry's own operation, and the registry's records as what the standard can say. Pure.

use std::collections::BTreeMap;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::NaiveDate;

use super::facts::{CaseFacts, Codes, Group, PersonFacts, Role, contexts};
use super::record::Record;
use super::report::{Note, NoteCode};
use super::residue::{self, Kept};
use crate::accused::wire::{AccusedCreate, AccusedIdentityInput, AccusedIdentityView, AccusedView};
use crate::cases::wire::{CaseCreate, CaseView};
use crate::catalogue::Catalogue;
use crate::kernel::pii::Pii;
use crate::kernel::{Field, Timestamp};
use crate::persons::wire::{Contact, ContactKind, Document, DocumentInput};
use crate::victims::wire::{CaseVictimCreate, CaseVictimView, VictimIdentityInput, VictimIdentityView};

/// Before the number of a case that had none.
const MADE: &str = "htcds-";

/// Puts records together by case, in the order of the file. A record without a number is a case of its own, and gets one
/// that the same record gets again: under a secret, because the number stands in clear and the record does not.
pub fn grouped(records: Vec<(u32, Record)>, secret: &[u8]) -> Vec<Group> {
    let secret = hmac::Key::new(hmac::HMAC_SHA256, secret);
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut groups: Vec<Group> = Vec::new();
    for (line, mut record) in records {
        let key = record.key.clone().unwrap_or_else(|| {
            // Two rows that say the same are two cases, and stay the same two.
            (0..).map(|n| made(&record, n, &secret)).find(|key| !places.contains_key(key)).unwrap_or_default()
        });
        record.key = Some(key.clone());
        match places.get(&key).and_then(|at| groups.get_mut(*at)) {
            Some(group) => group.rows.push((line, record)),
            None => {
                places.insert(key.clone(), groups.len());
                groups.push(Group { key, rows: vec![(line, record)] });
            }
        }
    }
    groups
}

fn made(record: &Record, nth: u32, secret: &hmac::Key) -> String {
    let mut context = hmac::Context::with_key(secret);
    context.update(&nth.to_be_bytes());
    let values = record.values.iter().map(|(slot, value)| (slot.name(), value.text()));
    for (name, value) in values.chain(record.extensions.clone()) {
        for text in [name, value] {
            context.update(text.as_bytes());
            context.update(&[0]);
        }
    }
    let tag = URL_SAFE_NO_PAD.encode(context.sign());
    format!("{MADE}{}", tag.get(..32).unwrap_or(&tag))
}

/// A case ready for the registry's own operation, and what is to be told of it.
pub struct Ready {
    /// The body of `POST /v1/cases`.
    pub body: CaseCreate,
    /// What was approximated or taken as unknown, by line.
    pub notes: Vec<Note>,
    /// How often each field went to the extensions, because the registry has none for it.
    pub kept: BTreeMap<String, u64>,
}

/// The body that registers the records of one case.
pub fn body(group: &Group, law: &Catalogue, now: Timestamp) -> Ready {
    body_since(group, law, now, now)
}

/// The same, of a case that is taken to be reported at `since` where the record does not say when.
pub fn body_since(group: &Group, law: &Catalogue, now: Timestamp, since: Timestamp) -> Ready {
    let day = |at| law.calendar(JURISDICTION).day(at);
    let today = day(now);
    let procedure = |day| PROCEDURES.into_iter().find(|code| law.profile(JURISDICTION, code, day).is_some());
    let (mut case, mut persons) = group.facts(today, day(since), &|day| procedure(day).is_some());
    let said: Vec<&Record> = group.rows.iter().map(|(_, r)| r).collect();
    let differences = residue::keep(&mut case, &mut persons, &said);
    let mut notes = Vec::new();
    let mut kept: BTreeMap<String, u64> = BTreeMap::new();
    let lines = group.rows.iter().map(|(line, _)| *line);
    for ((line, found), nth) in lines.clone().zip(&differences).zip(0..) {
        for Kept { slot, said, instead } in found {
            let of_case = slot.field().is_some_and(|f| f.part.of_case());
            match (said, instead) {
                _ if of_case && nth > 0 => notes.push(Note::new(line, NoteCode::CaseDiffers).field(slot.name())),
                (Some(_), Some(_)) => notes.push(Note::new(line, NoteCode::Approximated).field(slot.name())),
                (Some(_), None) => *kept.entry(slot.name()).or_default() += 1,
                // The registry says something that the record does not: its own defaults.
                (None, _) => {}
            }
        }
    }
    let mut victims = Vec::new();
    let mut accused = Vec::new();
    for (((line, record), person), nth) in group.rows.iter().zip(persons).zip(1_u32..) {
        // The standard has no number of a person: the place among the rows of the case is what a later file is held to.
        let label = format!("row-{nth}");
        if contexts(record) == (true, true) {
            notes.push(Note::new(*line, NoteCode::VictimFirst));
        }
        match person.role {
            Role::Victim => victims.push(CaseVictimCreate { label: Some(label), ..victim(person, law, *line, &mut notes) }),
            Role::Accused => accused.push(AccusedCreate { label: Some(label), ..suspect(person, law) }),
        }
    }
    let report_channel = match group.rows.first().and_then(|(_, r)| r.text("cas_ReferringOrganisation")) {
        Some(_) => "other_authority",
        None => "ngo",
    };
    let CaseFacts { key, reported_on, summary, closed: _, exploitation, facts_from, facts_to, extensions } = case;
    let body = CaseCreate {
        external_ref: key,
        identifiers: Vec::new(),
        jurisdiction: None,
        // The code that was in force: the registry's default is today's.
        procedural_code: reported_on.and_then(procedure).map(str::to_owned),
        title: title(&exploitation, law),
        summary,
        reported_at: reported_on.and_then(noon).unwrap_or(now),
        report_channel: report_channel.to_owned(),
        facts_from,
        facts_from_estimated: false,
        facts_to,
        facts_to_estimated: false,
        territory: None,
        scope: None,
        exploitation,
        complexity: None,
        extensions,
        victims,
        accused,
        charges: Vec::new(),
    };
    notes.sort();
    notes.dedup();
    Ready { body, notes, kept }
}

/// Whose law, as `POST /v1/cases` takes it where a request does not say.
const JURISDICTION: &str = "PE";
/// Codes of procedure there, the newest first.
const PROCEDURES: [&str; 2] = ["NCPP2004", "CPP1940"];

/// A moment of the day that is of the same day wherever the law may be.
fn noon(day: NaiveDate) -> Option<Timestamp> {
    Timestamp::parse(&format!("{day}T12:00:00Z"))
}

/// A title without names.
fn title(forms: &[String], law: &Catalogue) -> String {
    let today = Timestamp::now().date();
    let list = law.code_list("exploitation", today);
    let labels: Vec<&str> = forms
        .iter()
        .filter_map(|form| list.and_then(|l| l.codes.iter().find(|c| c.code == *form)))
        .map(|c| c.labels.es.as_str())
        .collect();
    if labels.is_empty() {
        "Caso recibido en HTCDS".to_owned()
    } else {
        format!("Caso recibido en HTCDS: {}", labels.join(", "))
    }
}

fn set<T>(value: Option<T>) -> Field<T> {
    value.map_or(Field::Absent, Field::Set)
}

fn pii(value: Option<String>) -> Field<Pii<String>> {
    set(value.map(Pii))
}

fn documents(document: Option<(String, String)>, law: &Catalogue) -> Field<Vec<DocumentInput>> {
    set(document.map(|(country, number)| {
        // A Peruvian number that is none of the national identity card is some other document's.
        let national = country != "PE" || law.scheme("PE-DNI").is_some_and(|s| s.normalise(&number).is_ok());
        let kind = if national { "national_id" } else { "other" };
        vec![DocumentInput { kind: kind.to_owned(), country, number: Pii(number) }]
    }))
}

fn contacts(email: Option<String>, phones: Vec<String>) -> Field<Vec<Contact>> {
    // Nobody said that using them puts nobody in danger.
    let of = |kind, value| Contact { kind, value: Pii(value), safe: false };
    let mut all: Vec<Contact> = email.into_iter().map(|value| of(ContactKind::Email, value)).collect();
    all.extend(phones.into_iter().map(|value| of(ContactKind::Phone, value)));
    set((!all.is_empty()).then_some(all))
}

fn victim(person: PersonFacts, law: &Catalogue, line: u32, notes: &mut Vec<Note>) -> CaseVictimCreate {
    let PersonFacts {
        role: _,
        codes,
        age,
        nationalities,
        languages,
        occupation: _,
        given,
        paternal,
        maternal,
        birth,
        document,
        email,
        phones,
        address,
        extensions,
    } = person;
    let status = codes.first("victim_status").map(str::to_owned);
    let mut needed = |list: &str, field: &str, asked: bool| {
        let mut said = codes.of(list).to_vec();
        if said.is_empty() && asked && status.as_deref() != Some("not_victim") {
            notes.push(Note::new(line, NoteCode::TakenAsUnknown).field(field));
            said.push("unknown".to_owned());
        }
        said
    };
    let acts = needed("act", "vic_MethodOfRecruitment", true);
    // Of an adult the law asks by what means (CP 129-A.1); of a minor it does not (129-A.3).
    let means = needed("means", "vic_MethodsOfControl", age.is_some_and(|a| a >= 18));
    let purposes = needed("purpose", "vic_TypeOfExploitation", true);
    let one = |list: &str| codes.first(list).map(str::to_owned);
    CaseVictimCreate {
        label: None,
        // The standard asks for gender only.
        sex: Some("not_asked".to_owned()),
        gender: one("gender"),
        age_at_identification: age,
        nationalities,
        country_of_birth: None,
        languages,
        education: one("education"),
        disability: None,
        indigenous_people: None,
        status: status.clone(),
        acts,
        means,
        purposes,
        recruitment: one("recruitment"),
        control: codes.of("control").to_vec(),
        identity: Some(VictimIdentityInput {
            given_names: pii(given),
            paternal_surname: pii(paternal),
            maternal_surname: pii(maternal),
            other_names: Field::Absent,
            birth_date: set(birth.map(Pii)),
            documents: documents(document, law),
            contacts: contacts(email, phones),
            address: pii(address),
            safe_contact_instructions: Field::Absent,
            extensions: set((!extensions.is_empty()).then_some(extensions)),
        }),
    }
}

fn suspect(person: PersonFacts, law: &Catalogue) -> AccusedCreate {
    let PersonFacts {
        role: _,
        codes: _,
        age: _,
        nationalities,
        languages: _,
        occupation,
        given,
        paternal,
        maternal,
        birth,
        document,
        email,
        phones,
        address,
        extensions,
    } = person;
    let named = given.is_some() || paternal.is_some();
    AccusedCreate {
        label: None,
        kind: if named { "natural_person" } else { "unidentified" }.to_owned(),
        sex: Some("not_asked".to_owned()),
        age_band: None,
        nationalities,
        occupation,
        identity: Some(AccusedIdentityInput {
            given_names: pii(given),
            paternal_surname: pii(paternal),
            maternal_surname: pii(maternal),
            legal_name: Field::Absent,
            other_names: Field::Absent,
            birth_date: set(birth.map(Pii)),
            documents: documents(document, law),
            contacts: contacts(email, phones),
            address: pii(address),
            extensions: set((!extensions.is_empty()).then_some(extensions)),
        }),
    }
}

/// What the registry says of a case. `closed` is the procedure's word for its stage.
pub fn case_facts(view: &CaseView, closed: bool, law: &Catalogue) -> CaseFacts {
    let key = view.external_ref.clone().flatten().unwrap_or_else(|| view.code.clone());
    CaseFacts {
        key: Some(key),
        reported_on: Some(law.calendar(&view.jurisdiction).day(view.reported_at)),
        summary: view.summary.clone().flatten(),
        closed,
        exploitation: view.exploitation.clone(),
        facts_from: view.facts_from,
        facts_to: view.facts_to,
        extensions: view.extensions.clone().unwrap_or_default(),
    }
}

fn reach(contacts: &[Contact], wanted: ContactKind) -> Vec<String> {
    contacts.iter().filter(|c| c.kind == wanted).map(|c| c.value.0.clone()).collect()
}

fn paper(documents: &[Document]) -> Option<(String, String)> {
    documents.first().map(|d| (d.country.clone(), d.number.0.clone()))
}

fn bare<T: Clone>(value: &Option<Pii<T>>) -> Option<T> {
    value.as_ref().map(|pii| pii.0.clone())
}

/// What the registry says of a victim of a case; the identity where it may be shown.
pub fn victim_facts(view: &CaseVictimView, identity: Option<&VictimIdentityView>) -> PersonFacts {
    let mut codes = Codes::default();
    let one = [
        ("gender", Some(&view.victim.gender)),
        ("education", view.victim.education.as_ref()),
        ("victim_status", Some(&view.status)),
        ("recruitment", view.recruitment.as_ref()),
    ];
    for (list, code) in one.into_iter().filter_map(|(list, code)| Some((list, code?))) {
        codes.add(list, code);
    }
    let many = [("act", &view.acts), ("means", &view.means), ("purpose", &view.purposes), ("control", &view.control)];
    for (list, all) in many {
        all.iter().for_each(|code| codes.add(list, code));
    }
    let mut facts = PersonFacts {
        role: Role::Victim,
        codes,
        age: view.victim.age_at_identification,
        nationalities: view.victim.nationalities.clone(),
        languages: view.victim.languages.clone(),
        ..PersonFacts::default()
    };
    if let Some(identity) = identity {
        facts.given = bare(&identity.given_names);
        facts.paternal = bare(&identity.paternal_surname);
        facts.maternal = bare(&identity.maternal_surname);
        facts.birth = bare(&identity.birth_date);
        facts.document = paper(&identity.documents);
        facts.email = reach(&identity.contacts, ContactKind::Email).into_iter().next();
        facts.phones = reach(&identity.contacts, ContactKind::Phone);
        facts.address = bare(&identity.address);
        facts.extensions = identity.extensions.clone();
    }
    facts
}

/// What the registry says of an accused; the identity where it may be shown.
pub fn accused_facts(view: &AccusedView, identity: Option<&AccusedIdentityView>) -> PersonFacts {
    let mut facts = PersonFacts {
        role: Role::Accused,
        nationalities: view.nationalities.clone(),
        occupation: view.occupation.clone(),
        ..PersonFacts::default()
    };
    if let Some(identity) = identity {
        facts.given = bare(&identity.given_names).or_else(|| bare(&identity.legal_name));
        facts.paternal = bare(&identity.paternal_surname);
        facts.maternal = bare(&identity.maternal_surname);
        facts.birth = bare(&identity.birth_date);
        facts.document = paper(&identity.documents);
        facts.email = reach(&identity.contacts, ContactKind::Email).into_iter().next();
        facts.phones = reach(&identity.contacts, ContactKind::Phone);
        facts.address = bare(&identity.address);
        facts.extensions = identity.extensions.clone();
    }
    facts
}
