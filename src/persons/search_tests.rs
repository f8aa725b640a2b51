//! What the search finds among ten thousand synthetic persons when they are asked for as people write.

use std::collections::HashMap;

use rand::rngs::Xoshiro256PlusPlus;
use rand::{Rng, SeedableRng};

use super::*;
use crate::catalogue::names::{FEMALE, MALE, SURNAMES};
use crate::persons::names::fold;

struct Dice(Xoshiro256PlusPlus);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        (self.0.next_u64() % n as u64) as usize
    }
    fn of<'a>(&mut self, list: &[&'a str]) -> &'a str {
        list[self.below(list.len())]
    }
}

#[derive(Clone)]
struct Person {
    given: String,
    one: String,
    other: String,
    year: i32,
}

impl Person {
    fn subject(&self, with_year: bool) -> Subject {
        let surnames = fold(&format!("{} {}", self.one, self.other));
        let form = Form { given: fold(&self.given), surnames };
        Subject { forms: vec![form], year: with_year.then_some(self.year), ..Subject::default() }
    }
}

fn person(dice: &mut Dice) -> Person {
    let list = if dice.below(2) == 0 { FEMALE } else { MALE };
    let (first, second) = (dice.of(list), dice.of(list));
    let given = if dice.below(2) == 0 || first == second { first.to_owned() } else { format!("{first} {second}") };
    Person { given, one: dice.of(SURNAMES).into(), other: dice.of(SURNAMES).into(), year: 1960 + dice.below(55) as i32 }
}

/// One letter replaced, left out, doubled or changed with its neighbour.
fn typo(word: &str, dice: &mut Dice) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    let at = dice.below(letters.len() - 1);
    match dice.below(4) {
        0 => letters[at] = char::from(b'a' + dice.below(26) as u8),
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, letters[at]),
        _ => letters.swap(at, at + 1),
    }
    letters.into_iter().collect()
}

fn respelt(word: &str) -> String {
    let spellings = [
        ("v", "b"),
        ("z", "s"),
        ("qui", "ki"),
        ("Qui", "Ki"),
        ("ll", "y"),
        ("Hu", "W"),
        ("ge", "je"),
        ("H", ""),
        ("Ñ", "N"),
        ("cc", "k"),
        ("Cc", "K"),
    ];
    spellings.iter().fold(word.to_owned(), |word, (from, to)| word.replace(from, to))
}

fn plain(word: &str) -> String {
    fold(word).join(" ").to_lowercase()
}

/// A way of asking.
type Blur = fn(Person, &mut Dice) -> Person;

#[test]
#[expect(clippy::print_stdout, reason = "the figures of the README: cargo test --lib persons::search -- --nocapture")]
fn most_persons_are_found_however_their_names_are_written() {
    let mut dice = Dice(Xoshiro256PlusPlus::seed_from_u64(2012));
    let key = IndexKey::from_secret(&[5; 32]).unwrap();
    let persons: Vec<Person> = (0..10_000).map(|_| person(&mut dice)).collect();
    let mut index: HashMap<Token, Vec<Uuid>> = HashMap::new();
    for (n, person) in persons.iter().enumerate() {
        for token in key.tokens(Role::Victim, &person.subject(true)) {
            index.entry(token).or_default().push(Uuid::from_u128(n as u128));
        }
    }
    let ways: [(&str, bool, u32, u32, Blur); 8] = [
        ("as registered, with the year", true, 1000, 980, |p, _| p),
        ("without accents, in lower case", true, 1000, 980, |p, _| Person {
            given: plain(&p.given),
            one: plain(&p.one),
            other: plain(&p.other),
            ..p
        }),
        ("surnames changed over", true, 1000, 980, |p, _| Person { one: p.other, other: p.one, ..p }),
        ("one surname only", true, 990, 930, |p, _| Person { other: String::new(), ..p }),
        ("one typo in a surname", true, 990, 950, |p, d| Person { one: typo(&p.one, d), ..p }),
        ("one typo in the given name", true, 990, 950, |p, d| Person { given: typo(&p.given, d), ..p }),
        ("by ear, without the year", false, 990, 920, |p, _| Person {
            given: respelt(&p.given),
            one: respelt(&p.one),
            other: respelt(&p.other),
            ..p
        }),
        ("a typo in each surname, a year off", true, 750, 640, |p, d| Person {
            one: typo(&p.one, d),
            other: typo(&p.other, d),
            year: p.year + 1,
            ..p
        }),
    ];
    println!("{:<40} {:>9} {:>9} {:>9}", "asked", "recall@10", "first", "high is right");
    for (way, with_year, least_found, least_first, blur) in ways {
        let (mut found, mut first, mut high, mut right) = (0_u32, 0_u32, 0_u32, 0_u32);
        for (n, person) in persons.iter().enumerate().step_by(10) {
            let asked = blur(person.clone(), &mut dice).subject(with_year);
            let probes = probes(&key, Role::Victim, &asked);
            let hits =
                probes.iter().enumerate().flat_map(|(i, p)| index.get(&p.token).into_iter().flatten().map(move |u| (i, *u)));
            let ranked = rank(&asked, &probes, hits);
            let me = |c: &Candidate| {
                // Somebody with the same names and year is as right: the index cannot tell them apart, nor could a clerk.
                let other = &persons[c.person.as_u128() as usize];
                c.person == Uuid::from_u128(n as u128) || other.subject(with_year) == person.subject(with_year)
            };
            found += u32::from(ranked.iter().take(10).any(me));
            first += u32::from(ranked.first().is_some_and(me));
            for candidate in ranked.iter().take(10).filter(|c| c.score >= HIGH) {
                high += 1;
                right += u32::from(me(candidate));
            }
        }
        let precision = (right * 1_000).checked_div(high).unwrap_or(1_000);
        println!(
            "{way:<40} {:>9.3} {:>9.3} {:>9.3}",
            f64::from(found) / 1e3,
            f64::from(first) / 1e3,
            f64::from(precision) / 1e3
        );
        assert!(found >= least_found, "{way}: recall {found}");
        assert!(first >= least_first, "{way}: first {first}");
    }
}

/// Several questions at once are answered as each alone, and in no more rounds than the longest.
#[test]
fn together_everybody_is_shown_whom_each_would_be_shown_alone() {
    let person = |n: u128| Uuid::from_u128(n);
    let candidate = |n: u128| Candidate { person: person(n), score: 900, matched: Vec::new() };
    let visible = |n: u128| !n.is_multiple_of(3);
    let shown = |asked: &[Uuid]| {
        Ok(asked.iter().filter(|id| visible(id.as_u128())).map(|id| (*id, id.to_string())).collect::<Vec<_>>())
    };
    let questions: Vec<Vec<Candidate>> =
        [0..0_u128, 0..3, 0..95, 30..500, 300..301].into_iter().map(|range| range.map(candidate).collect()).collect();
    for limit in [1, 5, 60] {
        let mut rounds = 0;
        let together = first_shown_of_each(questions.clone(), limit, |asked| {
            rounds += 1;
            shown(asked)
        })
        .unwrap();
        let alone: Vec<_> = questions.iter().map(|question| first_shown(question.clone(), limit, shown).unwrap()).collect();
        assert_eq!(together, alone, "{limit}");
        assert!(rounds <= MOST_EXAMINED / TOGETHER, "{rounds}");
    }
}
