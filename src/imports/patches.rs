//! What a line says of a case, a person or a charge that is there, as the patch that says the same. Pure.
//!
//! A line sets what it names. What is absent, null or an empty list leaves what is there: a file tells what its sender
//! knows, and who knows less must not take away what others found out.

use crate::accused::wire::{AccusedCreate, AccusedIdentityInput, AccusedPatch};
use crate::cases::wire::{CaseCreate, CasePatch};
use crate::charges::wire::{ChargePatch, InlineChargeCreate};
use crate::kernel::Field;
use crate::kernel::ids::VictimId;
use crate::victims::wire::{CaseVictimCreate, CaseVictimPatch, VictimIdentityInput, VictimPatch};

fn set<T: Clone>(value: Option<&T>) -> Field<T> {
    value.map_or(Field::Absent, |v| Field::Set(v.clone()))
}

fn list<T: Clone>(values: &[T]) -> Field<Vec<T>> {
    if values.is_empty() { Field::Absent } else { Field::Set(values.to_vec()) }
}

/// What an identity names, without what it clears.
fn said<T: Clone>(field: &Field<T>) -> Field<T> {
    set(field.value())
}

fn said_list<T: Clone>(field: &Field<Vec<T>>) -> Field<Vec<T>> {
    field.value().map_or(Field::Absent, |values| list(values))
}

/// What a line says of the case itself.
pub fn case(new: &CaseCreate) -> CasePatch {
    let CaseCreate {
        // Its key; and what a case is opened under, which no patch changes.
        external_ref: _,
        jurisdiction: _,
        procedural_code: _,
        identifiers,
        title,
        summary,
        reported_at,
        report_channel,
        facts_from,
        facts_from_estimated,
        facts_to,
        facts_to_estimated,
        territory,
        scope,
        exploitation,
        complexity,
        extensions,
        // Persons and charges have patches of their own.
        victims: _,
        accused: _,
        charges: _,
    } = new;
    CasePatch {
        identifiers: list(identifiers),
        title: Field::Set(title.clone()),
        summary: set(summary.as_ref()),
        reported_at: Field::Set(*reported_at),
        report_channel: Field::Set(report_channel.clone()),
        facts_from: set(facts_from.as_ref()),
        facts_from_estimated: set(facts_from.as_ref().map(|_| facts_from_estimated)),
        facts_to: set(facts_to.as_ref()),
        facts_to_estimated: set(facts_to.as_ref().map(|_| facts_to_estimated)),
        territory: set(territory.as_ref()),
        scope: set(scope.as_ref()),
        exploitation: list(exploitation),
        complexity: set(complexity.as_ref()),
        extensions: list(extensions),
    }
}

/// What a line says of a victim: the person, the part in the case, and who it is.
pub fn victim(new: &CaseVictimCreate) -> (VictimPatch, CaseVictimPatch, Option<VictimIdentityInput>) {
    let CaseVictimCreate {
        label: _,
        sex,
        gender,
        age_at_identification,
        nationalities,
        country_of_birth,
        languages,
        education,
        disability,
        indigenous_people,
        status,
        acts,
        means,
        purposes,
        recruitment,
        control,
        identity,
    } = new;
    let person = VictimPatch {
        sex: set(sex.as_ref()),
        gender: set(gender.as_ref()),
        age_at_identification: set(age_at_identification.as_ref()),
        nationalities: list(nationalities),
        country_of_birth: set(country_of_birth.as_ref()),
        languages: list(languages),
        education: set(education.as_ref()),
        disability: set(disability.as_ref()),
        indigenous_people: set(indigenous_people.as_ref()),
    };
    let part = CaseVictimPatch {
        status: set(status.as_ref()),
        acts: list(acts),
        means: list(means),
        purposes: list(purposes),
        recruitment: set(recruitment.as_ref()),
        control: list(control),
    };
    (person, part, identity.as_ref().map(victim_identity))
}

fn victim_identity(new: &VictimIdentityInput) -> VictimIdentityInput {
    let VictimIdentityInput {
        given_names,
        paternal_surname,
        maternal_surname,
        other_names,
        birth_date,
        documents,
        contacts,
        address,
        safe_contact_instructions,
        extensions,
    } = new;
    VictimIdentityInput {
        given_names: said(given_names),
        paternal_surname: said(paternal_surname),
        maternal_surname: said(maternal_surname),
        other_names: said_list(other_names),
        birth_date: said(birth_date),
        documents: said_list(documents),
        contacts: said_list(contacts),
        address: said(address),
        safe_contact_instructions: said(safe_contact_instructions),
        extensions: said_list(extensions),
    }
}

/// What a line says of an accused, and who it is.
pub fn accused(new: &AccusedCreate) -> (AccusedPatch, Option<AccusedIdentityInput>) {
    let AccusedCreate { label: _, kind, sex, age_band, nationalities, occupation, identity } = new;
    let person = AccusedPatch {
        kind: Field::Set(kind.clone()),
        sex: set(sex.as_ref()),
        age_band: set(age_band.as_ref()),
        nationalities: list(nationalities),
        occupation: set(occupation.as_ref()),
    };
    (person, identity.as_ref().map(accused_identity))
}

fn accused_identity(new: &AccusedIdentityInput) -> AccusedIdentityInput {
    let AccusedIdentityInput {
        given_names,
        paternal_surname,
        maternal_surname,
        legal_name,
        other_names,
        birth_date,
        documents,
        contacts,
        address,
        extensions,
    } = new;
    AccusedIdentityInput {
        given_names: said(given_names),
        paternal_surname: said(paternal_surname),
        maternal_surname: said(maternal_surname),
        legal_name: said(legal_name),
        other_names: said_list(other_names),
        birth_date: said(birth_date),
        documents: said_list(documents),
        contacts: said_list(contacts),
        address: said(address),
        extensions: said_list(extensions),
    }
}

/// What a line says of a charge, whose accused and offence are its key; `victims` are those that its labels name.
pub fn charge(new: &InlineChargeCreate, victims: &[VictimId]) -> ChargePatch {
    let InlineChargeCreate { accused: _, offence_code: _, article: _, role, aggravators, victims: _ } = new;
    ChargePatch {
        offence_code: Field::Absent,
        role: Field::Set(role.clone()),
        aggravators: list(aggravators),
        victims: list(victims),
        reparation: Field::Absent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_does_not_name_or_names_empty_is_left_as_it_is() {
        let bare: CaseVictimCreate = serde_json::from_value(serde_json::json!({
            "label": "v1", "sex": "female", "nationalities": [],
            "identity": {"given_names": "Rosa", "address": null, "other_names": []}
        }))
        .unwrap();
        let (person, part, identity) = victim(&bare);
        let identity = identity.unwrap();
        assert_eq!((person.sex, person.gender), (Field::Set("female".to_owned()), Field::Absent));
        assert_eq!((person.nationalities, part.acts), (Field::Absent, Field::Absent));
        assert!(identity.given_names.is_present() && !identity.address.is_present() && !identity.other_names.is_present());
    }
}
