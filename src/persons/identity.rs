//! Identities and the rules about them. Pure.

use serde::{Deserialize, Serialize};

use super::wire::{Contact, Document, DocumentInput};
use crate::catalogue::Catalogue;
use crate::extensions::{self, Extension};
use crate::kernel::pii::Pii;
use crate::kernel::{Fault, FaultCode, Field, PartialDate};
use crate::vault::Guarded;

/// Who a person is. One document, in a table of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Given names.
    pub given_names: Option<Pii<String>>,
    /// First surname.
    pub paternal_surname: Option<Pii<String>>,
    /// Second surname.
    pub maternal_surname: Option<Pii<String>>,
    /// Registered name of a legal person.
    #[serde(default)]
    pub legal_name: Option<Pii<String>>,
    /// Other names used.
    pub other_names: Vec<Pii<String>>,
    /// Birth.
    pub birth_date: Option<Pii<PartialDate>>,
    /// Documents.
    pub documents: Vec<Document>,
    /// Ways to reach the person.
    pub contacts: Vec<Contact>,
    /// Where the person lives.
    pub address: Option<Pii<String>>,
    /// How to make contact without danger.
    pub safe_contact_instructions: Option<Pii<String>>,
    /// What another system says of the person and has no field here.
    #[serde(default)]
    pub extensions: Vec<Extension>,
}

impl Guarded for Identity {
    const PLACE: &'static str = "identity.content";
    const SECRET: &'static [&'static str] = &[];
}

/// Changes to an identity. Each door fills in what it knows.
#[derive(Clone, Debug, Default)]
pub struct IdentityPatch {
    /// Given names.
    pub given_names: Field<Pii<String>>,
    /// First surname.
    pub paternal_surname: Field<Pii<String>>,
    /// Second surname.
    pub maternal_surname: Field<Pii<String>>,
    /// Registered name of a legal person.
    pub legal_name: Field<Pii<String>>,
    /// Other names used.
    pub other_names: Field<Vec<Pii<String>>>,
    /// Birth.
    pub birth_date: Field<Pii<PartialDate>>,
    /// Documents.
    pub documents: Field<Vec<DocumentInput>>,
    /// Ways to reach the person.
    pub contacts: Field<Vec<Contact>>,
    /// Where the person lives.
    pub address: Field<Pii<String>>,
    /// How to make contact without danger.
    pub safe_contact_instructions: Field<Pii<String>>,
    /// What another system says of the person and has no field here.
    pub extensions: Field<Vec<Extension>>,
}

impl Identity {
    /// Applies a patch; answers the pointers that changed, or every fault with pointers under `at`.
    pub fn amend(&mut self, patch: IdentityPatch, law: &Catalogue, at: &str) -> Result<Vec<String>, Vec<Fault>> {
        let IdentityPatch {
            given_names,
            paternal_surname,
            maternal_surname,
            legal_name,
            other_names,
            birth_date,
            documents,
            contacts,
            address,
            safe_contact_instructions,
            extensions,
        } = patch;
        let mut faults = Vec::new();
        for (name, field, max) in [
            ("given_names", &given_names, 120),
            ("paternal_surname", &paternal_surname, 120),
            ("maternal_surname", &maternal_surname, 120),
            ("legal_name", &legal_name, 200),
            ("address", &address, 300),
            ("safe_contact_instructions", &safe_contact_instructions, 1_000),
        ] {
            if let Some(Pii(text)) = field.value() {
                length(text, max, format!("{at}/{name}"), &mut faults);
            }
        }
        most(other_names.value(), &format!("{at}/other_names"), &mut faults);
        for (index, Pii(text)) in other_names.value().into_iter().flatten().enumerate() {
            length(text, 120, format!("{at}/other_names/{index}"), &mut faults);
        }
        most(contacts.value(), &format!("{at}/contacts"), &mut faults);
        for (index, Contact { value: Pii(text), .. }) in contacts.value().into_iter().flatten().enumerate() {
            length(text, 200, format!("{at}/contacts/{index}/value"), &mut faults);
        }
        if let Some(given) = extensions.value() {
            extensions::check(given, &format!("{at}/extensions"), &mut faults);
        }
        most(documents.value(), &format!("{at}/documents"), &mut faults);
        let documents = match documents {
            Field::Absent => Field::Absent,
            Field::Null => Field::Null,
            Field::Set(given) => Field::Set(read_documents(given, law, at, &mut faults)),
        };
        if !faults.is_empty() {
            return Err(faults);
        }
        let mut changed = Vec::new();
        let mut note = |name: &str, did: bool| {
            if did {
                changed.push(format!("#/{name}"));
            }
        };
        note("given_names", given_names.apply(&mut self.given_names));
        note("paternal_surname", paternal_surname.apply(&mut self.paternal_surname));
        note("maternal_surname", maternal_surname.apply(&mut self.maternal_surname));
        note("legal_name", legal_name.apply(&mut self.legal_name));
        note("other_names", other_names.apply_or(&mut self.other_names, Vec::new()));
        note("birth_date", birth_date.apply(&mut self.birth_date));
        note("documents", documents.apply_or(&mut self.documents, Vec::new()));
        note("contacts", contacts.apply_or(&mut self.contacts, Vec::new()));
        note("address", address.apply(&mut self.address));
        note("safe_contact_instructions", safe_contact_instructions.apply(&mut self.safe_contact_instructions));
        note("extensions", extensions.apply_or(&mut self.extensions, Vec::new()));
        Ok(changed)
    }
}

/// Reads documents; answers those that hold.
fn read_documents(given: Vec<DocumentInput>, law: &Catalogue, at: &str, faults: &mut Vec<Fault>) -> Vec<Document> {
    let each = given.into_iter().enumerate();
    each.filter_map(|(index, document)| read_document(document, law, &format!("{at}/documents/{index}"), faults)).collect()
}

/// Reads a document; a number of a known scheme is checked and brought to normal form.
pub fn read_document(given: DocumentInput, law: &Catalogue, at: &str, faults: &mut Vec<Fault>) -> Option<Document> {
    let DocumentInput { kind, country, number } = given;
    if !law.has_code("document_type", &kind) {
        faults.push(Fault::body(format!("{at}/type"), FaultCode::Enum));
    }
    if !law.country_known(&country) {
        faults.push(Fault::body(format!("{at}/country"), FaultCode::Enum));
    }
    length(&number.0, 40, format!("{at}/number"), faults);
    let scheme = match (country.as_str(), kind.as_str()) {
        ("PE", "national_id") => Some("PE-DNI"),
        ("PE", "foreign_card") => Some("PE-CE"),
        ("PE", "passport") => Some("PE-PASSPORT"),
        ("PE", "temporary_permit") => Some("PE-PTP"),
        _ => None,
    };
    let normal_form = match scheme.and_then(|s| law.scheme(s)) {
        None => number.0.trim().to_uppercase(),
        Some(scheme) => match scheme.normalise(&number.0) {
            Ok(normal) => normal,
            Err(_) => {
                faults.push(Fault::body(format!("{at}/number"), FaultCode::Pattern));
                return None;
            }
        },
    };
    Some(Document { kind, country, number, normal_form: Pii(normal_form) })
}

fn most<T>(given: Option<&Vec<T>>, at: &str, faults: &mut Vec<Fault>) {
    if given.is_some_and(|items| items.len() > 10) {
        faults.push(Fault::body(at, FaultCode::MaxItems));
    }
}

fn length(text: &str, max: usize, at: String, faults: &mut Vec<Fault>) {
    if text.trim().is_empty() {
        faults.push(Fault::body(at, FaultCode::MinLength));
    } else if text.chars().count() > max {
        faults.push(Fault::body(at, FaultCode::MaxLength));
    }
}
