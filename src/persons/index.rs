//! The blind index: keyed tokens of who a person is. Pure.
//!
//! Owns which facts are looked up together, and how many bits a token keeps. Must not know tables or requests.
//!
//! A token is the first bits of HMAC-SHA-256 over facts that are looked for together. Names have no token of their
//! own: only pairs do (a given name and a surname, two surnames, a name and the year of birth), so that the index has
//! no histogram of names, and a token is cut so short that others fall on it by chance. Threes find one among the many
//! who share a pair of common names. Documents and telephones are
//! nearly unique, so theirs are long: what they give away is equality. Victims and accused have tokens apart: the index
//! does not tell that somebody is both.

use std::collections::BTreeSet;

use aws_lc_rs::{hkdf, hmac};
use chrono::Datelike;

use super::identity::Identity;
use super::names;
use crate::kernel::Bucket;

/// Label of the key among those that are made of one secret.
const LABEL: &[u8] = b"sistra person index v1";

/// In which role a person is registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Harmed.
    Victim,
    /// Suspected or charged.
    Accused,
}

impl Role {
    fn number(self) -> u8 {
        match self {
            Self::Victim => 1,
            Self::Accused => 2,
        }
    }
}

/// What a token is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Index {
    /// Type, country and number of a document.
    Document,
    /// The last digits of a telephone number.
    Telephone,
    /// A given name and a surname.
    Names,
    /// The same by sound.
    NamesBySound,
    /// The same by their first letters.
    NamesByBeginning,
    /// Two surnames by sound, in either order.
    Surnames,
    /// A surname by sound and the year of birth.
    SurnameAndYear,
    /// A given name by sound and the year of birth.
    GivenNameAndYear,
    /// A given name and two surnames by sound, in either order.
    FullName,
    /// A given name and a surname by sound, and the year of birth.
    NamesAndYear,
    /// A company's name.
    Company,
    /// The same by sound.
    CompanyBySound,
}

impl Index {
    /// As stored.
    pub fn number(self) -> i16 {
        match self {
            Self::Document => 1,
            Self::Telephone => 2,
            Self::Names => 3,
            Self::NamesBySound => 4,
            Self::NamesByBeginning => 5,
            Self::Surnames => 6,
            Self::SurnameAndYear => 7,
            Self::GivenNameAndYear => 8,
            Self::Company => 9,
            Self::CompanyBySound => 10,
            Self::FullName => 11,
            Self::NamesAndYear => 12,
        }
    }

    /// Bits of a token. A million persons leave a handful of others on each pair of names.
    fn bits(self) -> u32 {
        match self {
            Self::Document | Self::Telephone => 62,
            Self::Company | Self::CompanyBySound => 32,
            Self::Names
            | Self::NamesBySound
            | Self::NamesByBeginning
            | Self::Surnames
            | Self::SurnameAndYear
            | Self::GivenNameAndYear
            | Self::FullName
            | Self::NamesAndYear => 20,
        }
    }
}

/// A token: what the index stores of a fact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    /// Which index.
    pub index: i16,
    /// The first bits of the keyed hash.
    pub value: i64,
}

impl Token {
    /// The shard of its row.
    pub fn bucket(self) -> Bucket {
        Bucket::of_text(&["person_index", &self.index.to_string(), &self.value.to_string()])
    }
}

/// The key of the index. Whoever has it and the index can test a name; without it the index is numbers.
///
/// The library's context holds it and cleans its memory when dropped.
#[derive(Clone)]
pub struct IndexKey(hmac::Key);

impl std::fmt::Debug for IndexKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IndexKey([redacted])")
    }
}

impl IndexKey {
    /// A key of its own, made of a secret that may have other uses (HKDF-SHA-256, RFC 5869).
    pub fn from_secret(secret: &[u8; 32]) -> Result<Self, String> {
        let made = hkdf::Salt::new(hkdf::HKDF_SHA256, b"").extract(secret);
        let key = made.expand(&[LABEL], hmac::HMAC_SHA256).map_err(|_| "no key for the index of persons".to_owned())?;
        Ok(Self(key.into()))
    }

    /// The token of some facts.
    pub fn token(&self, role: Role, index: Index, facts: &[&str]) -> Token {
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[role.number()]);
        context.update(&index.number().to_be_bytes());
        for fact in facts {
            // With their lengths, so that no two lists of facts are the same bytes.
            context.update(&u64::try_from(fact.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(fact.as_bytes());
        }
        let tag = context.sign();
        let first = tag.as_ref().iter().take(8).fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte));
        Token { index: index.number(), value: i64::try_from(first >> (64 - index.bits())).unwrap_or(0) }
    }

    /// The name of a query in the ledger: the same question has the same one, and it tells nothing else.
    pub fn fingerprint(&self, role: Role, subject: &Subject) -> String {
        let mut facts: Vec<String> =
            subject.facts().into_iter().map(|(index, facts)| format!("{index:?}:{facts:?}")).collect();
        facts.sort();
        let mut context = hmac::Context::with_key(&self.0);
        context.update(&[role.number(), 0]);
        context.update(facts.join("\n").as_bytes());
        context.sign().as_ref().iter().take(8).map(|b| format!("{b:02x}")).collect()
    }

    /// Every token of a person, in an order that tells nothing.
    pub fn tokens(&self, role: Role, subject: &Subject) -> BTreeSet<Token> {
        let facts = subject.facts();
        facts.iter().map(|(index, facts)| self.token(role, *index, &refs(facts))).collect()
    }
}

/// Borrowed, for a token.
pub fn refs(facts: &[String]) -> Vec<&str> {
    facts.iter().map(String::as_str).collect()
}

/// A name in its parts, folded.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Form {
    /// Given names.
    pub given: Vec<String>,
    /// Surnames.
    pub surnames: Vec<String>,
}

/// Who is looked for, or registered: the facts that tokens are made of. Prints nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// The name, and others that are used.
    pub forms: Vec<Form>,
    /// A company's name.
    pub company: Vec<String>,
    /// Year of birth.
    pub year: Option<i32>,
    /// Documents: type, country, normal form of the number.
    pub documents: Vec<(String, String, String)>,
    /// Telephones.
    pub telephones: Vec<String>,
}

impl std::fmt::Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Subject([redacted])")
    }
}

impl Subject {
    /// Of an identity.
    pub fn of(identity: &Identity) -> Self {
        let Identity {
            given_names,
            paternal_surname,
            maternal_surname,
            legal_name,
            other_names,
            birth_date,
            documents,
            contacts,
            // None is looked for: an address is no key of a person, and instructions are none of anybody's.
            address: _,
            safe_contact_instructions: _,
            extensions: _,
        } = identity;
        let folded = |name: &Option<crate::kernel::pii::Pii<String>>| {
            name.as_ref().map(|pii| names::fold(&pii.0)).unwrap_or_default()
        };
        let mut surnames = folded(paternal_surname);
        surnames.extend(folded(maternal_surname));
        let main = Form { given: folded(given_names), surnames };
        let others = other_names.iter().map(|pii| {
            let (given, surnames) = names::split(names::fold(&pii.0));
            // A nickname goes with the surnames.
            let surnames = if surnames.is_empty() { main.surnames.clone() } else { surnames };
            Form { given, surnames }
        });
        let others: Vec<Form> = others.collect();
        let mut forms = vec![main];
        forms.extend(others);
        Self {
            forms,
            company: legal_name.as_ref().map(|pii| names::fold_company(&pii.0)).unwrap_or_default(),
            year: birth_date.as_ref().map(|pii| pii.0.earliest().year()),
            documents: documents.iter().map(|d| (d.kind.clone(), d.country.clone(), d.normal_form.0.clone())).collect(),
            telephones: contacts
                .iter()
                .filter(|c| c.kind == super::wire::ContactKind::Phone)
                .filter_map(|c| names::telephone(&c.value.0))
                .collect(),
        }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.facts().is_empty()
    }

    /// What tokens are made of.
    fn facts(&self) -> Vec<(Index, Vec<String>)> {
        let mut facts = Vec::new();
        for (kind, country, number) in &self.documents {
            facts.push((Index::Document, vec![kind.clone(), country.clone(), number.clone()]));
        }
        facts.extend(self.telephones.iter().map(|t| (Index::Telephone, vec![t.clone()])));
        if !self.company.is_empty() {
            facts.push((Index::Company, self.company.clone()));
            facts.push((Index::CompanyBySound, sounds(&self.company)));
        }
        for form in &self.forms {
            let told =
                |tokens: &[String]| -> Vec<String> { tokens.iter().filter(|t| !names::is_initial(t)).cloned().collect() };
            let (given, surnames) = (told(&form.given), told(&form.surnames));
            for surname in &surnames {
                facts.extend(given.iter().flat_map(|given| names_facts(given, surname)));
            }
            for (index, one) in surnames.iter().enumerate() {
                for other in surnames.iter().skip(index + 1) {
                    facts.push((Index::Surnames, surnames_facts(one, other)));
                    facts.extend(given.iter().map(|g| (Index::FullName, full_facts(g, one, other))));
                }
            }
            if let Some(year) = self.year {
                facts.extend(surnames.iter().map(|s| (Index::SurnameAndYear, year_facts(s, year))));
                facts.extend(given.iter().map(|g| (Index::GivenNameAndYear, year_facts(g, year))));
                for surname in &surnames {
                    facts.extend(given.iter().map(|g| (Index::NamesAndYear, names_year_facts(g, surname, year))));
                }
            }
        }
        facts
    }
}

/// By sound, each.
pub fn sounds(tokens: &[String]) -> Vec<String> {
    tokens.iter().map(|t| names::sound(t)).collect()
}

/// The facts of a given name and a surname: as written, by sound, by beginning.
pub fn names_facts(given: &str, surname: &str) -> [(Index, Vec<String>); 3] {
    [
        (Index::Names, vec![given.to_owned(), surname.to_owned()]),
        (Index::NamesBySound, vec![names::sound(given), names::sound(surname)]),
        (Index::NamesByBeginning, vec![names::beginning(given), names::beginning(surname)]),
    ]
}

/// The facts of two surnames, whichever stands first.
pub fn surnames_facts(one: &str, other: &str) -> Vec<String> {
    let mut pair = vec![names::sound(one), names::sound(other)];
    pair.sort();
    pair
}

/// The facts of a given name and two surnames.
pub fn full_facts(given: &str, one: &str, other: &str) -> Vec<String> {
    let mut facts = surnames_facts(one, other);
    facts.push(names::sound(given));
    facts
}

/// The facts of a given name, a surname and a year.
pub fn names_year_facts(given: &str, surname: &str, year: i32) -> Vec<String> {
    vec![names::sound(given), names::sound(surname), year.to_string()]
}

/// The facts of a name and a year.
pub fn year_facts(name: &str, year: i32) -> Vec<String> {
    vec![names::sound(name), year.to_string()]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn person(given: &str, surnames: &str, year: Option<i32>) -> Subject {
        let form = Form { given: names::fold(given), surnames: names::fold(surnames) };
        Subject { forms: vec![form], year, ..Subject::default() }
    }

    #[test]
    fn a_token_depends_on_the_key_the_role_the_index_and_every_fact() {
        let key = IndexKey::from_secret(&[7; 32]).unwrap();
        let all = [
            key.token(Role::Victim, Index::Document, &["a", "b"]),
            key.token(Role::Accused, Index::Document, &["a", "b"]),
            key.token(Role::Victim, Index::Telephone, &["a", "b"]),
            key.token(Role::Victim, Index::Document, &["ab", ""]),
            key.token(Role::Victim, Index::Document, &["a", "c"]),
            IndexKey::from_secret(&[8; 32]).unwrap().token(Role::Victim, Index::Document, &["a", "b"]),
        ];
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
        assert_eq!(all[0], key.token(Role::Victim, Index::Document, &["a", "b"]));
        assert_eq!(format!("{key:?} {:?}", person("Rosa", "Quispe", None)), "IndexKey([redacted]) Subject([redacted])");
    }

    #[test]
    fn a_token_keeps_no_more_bits_than_its_index_may() {
        let key = IndexKey::from_secret(&[7; 32]).unwrap();
        for n in 0..2_000 {
            let pair = key.token(Role::Victim, Index::Names, &[&n.to_string()]);
            assert!((0..1 << 20).contains(&pair.value));
            let document = key.token(Role::Victim, Index::Document, &[&n.to_string()]);
            assert!(document.value >= 0);
        }
    }

    #[test]
    fn nobody_has_a_token_of_a_single_name() {
        let key = IndexKey::from_secret(&[7; 32]).unwrap();
        assert!(key.tokens(Role::Victim, &person("Rosa", "", None)).is_empty());
        assert!(key.tokens(Role::Victim, &person("", "Quispe", None)).is_empty());
        assert!(key.tokens(Role::Victim, &person("R.", "Quispe", None)).is_empty(), "an initial is no name");
        assert!(key.tokens(Role::Victim, &person("", "", Some(2004))).is_empty());
        assert_eq!(key.tokens(Role::Victim, &person("Rosa", "Quispe", None)).len(), 3);
        assert_eq!(key.tokens(Role::Victim, &person("Rosa Luz", "Quispe Mamani", Some(2004))).len(), 23);
    }

    proptest! {
        #[test]
        fn surnames_in_either_order_have_the_same_tokens(
            given in "[A-Z][a-záéíóúñ]{1,8}", one in "[A-Z][a-záéíóúñ]{1,8}", other in "[A-Z][a-záéíóúñ]{1,8}"
        ) {
            // A saint and a particle belong to the name behind them: "San Au" is one surname, "Au San" are two.
            for both in [format!("{one} {other}"), format!("{other} {one}")] {
                prop_assume!(super::super::names::fold(&both).len() == 2);
            }
            let key = IndexKey::from_secret(&[7; 32]).unwrap();
            let tokens = |surnames: String| key.tokens(Role::Accused, &person(&given, &surnames, Some(1990)));
            prop_assert_eq!(tokens(format!("{one} {other}")), tokens(format!("{other} de la {one}")));
            let fingerprint = |surnames: String| key.fingerprint(Role::Accused, &person(&given, &surnames, None));
            prop_assert_eq!(fingerprint(one.clone()), fingerprint(one.to_uppercase()));
        }
    }
}
