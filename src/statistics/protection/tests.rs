//! The attacker against the method, on registries small enough to try everything.

use proptest::prelude::*;

use super::attack::{bounds, every_registry};
use super::*;

/// Records in a table of two attributes, so many per combination.
fn population(sizes: &[u16], counts: &[u64], seed: u64) -> Population {
    let secret = Secret::new(&seed.to_be_bytes().repeat(4));
    let names = ["a", "b", "c"];
    let attributes = sizes
        .iter()
        .enumerate()
        .map(|(n, size)| Attribute { name: names[n], domain: (0..*size).map(|v| v.to_string()).collect() })
        .collect();
    let mut records = Vec::new();
    for (cell, count) in counts.iter().enumerate() {
        let mut rest = cell as u16;
        let values: Vec<u16> = sizes
            .iter()
            .map(|size| {
                let value = rest % size;
                rest /= size;
                value
            })
            .collect();
        for _ in 0..*count {
            let key = secret.record(uuid::Uuid::from_u128(records.len() as u128));
            records.push(Record { key, values: values.clone() });
        }
    }
    Population { attributes, records }
}

fn truth(population: &Population, at: &Coordinates) -> u64 {
    let meets = |r: &&Record| at.0.iter().all(|(a, v)| r.values[usize::from(*a)] == *v);
    population.records.iter().filter(meets).count() as u64
}

fn crossed(attributes: &[usize]) -> Cube {
    Cube { name: "t", attributes: attributes.to_vec() }
}

/// Counts as a registry has them: mostly small.
fn counts(cells: usize) -> impl Strategy<Value = Vec<u64>> {
    proptest::collection::vec(prop_oneof![4 => 0..12_u64, 2 => 10..25_u64, 1 => Just(0)], cells)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_small_count_is_determined_by_all_that_is_published_of_two_by_two(counts in counts(4), seed in any::<u64>()) {
        let (people, cubes) = (population(&[2, 2], &counts, seed), [crossed(&[0, 1])]);
        let rules = Rules { least: 0, ..Rules::STANDARD };
        let secret = Secret::new(&seed.to_le_bytes().repeat(4));
        let protected = protect(&people, &cubes, &rules, &secret).expect("some draw holds");
        let found = every_registry((2, 2), 34, &rules, &protected.cells);
        for (at, values) in &found {
            let n = truth(&people, at);
            // Who takes what was withheld for another's sake for a small count is misled: that is no disclosure.
            prop_assert!(n == 0 || n >= rules.threshold || values != &[n], "{at:?} is {n} and nothing else: {protected:?}");
        }
    }

    #[test]
    fn no_small_count_is_pinned_by_linear_bounds_over_linked_tables(counts in counts(24), seed in any::<u64>()) {
        // Three attributes, all three pairs published: tables that share their margins.
        let (people, cubes) = (population(&[2, 3, 4], &counts, seed), [crossed(&[0, 1]), crossed(&[1, 2]), crossed(&[0, 2])]);
        let rules = Rules { least: 0, ..Rules::STANDARD };
        let protected = protect(&people, &cubes, &rules, &Secret::new(&seed.to_le_bytes().repeat(4))).expect("some draw holds");
        for (at, (low, high)) in bounds(&people, &cubes, &rules, &protected.cells).iter().flatten() {
            let n = truth(&people, at);
            prop_assert!(n == 0 || n >= rules.threshold || (*low, *high) != (n, n), "{at:?} is {n} and nothing else");
        }
    }

    #[test]
    fn a_cell_is_withheld_in_every_table_or_in_none_and_asking_again_changes_nothing(counts in counts(24), seed in any::<u64>()) {
        let people = population(&[2, 3, 4], &counts, seed);
        let secret = Secret::new(&seed.to_le_bytes().repeat(4));
        let cubes = [crossed(&[0, 1]), crossed(&[0, 2])];
        let once = protect(&people, &cubes, &Rules::STANDARD, &secret);
        prop_assert_eq!(&once, &protect(&people, &cubes, &Rules::STANDARD, &secret));
        for (at, published) in once.iter().flat_map(|p| &p.cells) {
            prop_assert!(published.is_none_or(|p| p >= 10 && p % 5 == 0));
            prop_assert!(truth(&people, at) > 0 || published.is_none(), "an empty cell is not told from a small one");
        }
    }
}

/// Without noise, rounding and complement the same attacker wins: the attack has teeth.
#[test]
fn a_threshold_alone_is_undone_by_subtraction() {
    let bare = Rules { threshold: 10, base: 1, noise: 0, least: 0 };
    let people = population(&[2, 2], &[20, 7, 30, 40], 1);
    let published: BTreeMap<Coordinates, Option<u64>> = cells::lattice(&people, &[crossed(&[0, 1])])
        .cells
        .into_iter()
        .map(|(at, cell)| (at, bare.publish(cell.count)))
        .collect();
    let hidden = Coordinates(vec![(0, 1), (1, 0)]);
    assert_eq!(published[&hidden], None);
    assert_eq!(bounds(&people, &[crossed(&[0, 1])], &bare, &published).unwrap()[&hidden], (7, 7));
    assert_eq!(every_registry((2, 2), 45, &bare, &published)[&hidden], [7]);
}

/// A release of few is none.
#[test]
fn a_table_over_too_few_is_not_published_at_all() {
    let secret = Secret::new(&[9; 32]);
    let few = population(&[2, 2], &[10, 9, 5, 5], 3);
    assert_eq!(protect(&few, &[crossed(&[0, 1])], &Rules::STANDARD, &secret).unwrap().cubes, Vec::<usize>::new());
    let enough = population(&[2, 2], &[20, 19, 5, 5], 3);
    assert_eq!(protect(&enough, &[crossed(&[0, 1])], &Rules::STANDARD, &secret).unwrap().cubes, [0]);
}

/// The numbers of the method mean what they say.
#[test]
fn what_is_possible_and_its_interval_agree() {
    let rules = Rules::STANDARD;
    for truth in 0..60_u64 {
        let noise = if truth == 0 { 0..=0 } else { 0..=10 };
        for e in noise {
            let said = rules.publish((truth + e).saturating_sub(if truth == 0 { 0 } else { 5 }));
            assert!(rules.possible(truth, said));
            let (low, high) = rules.interval(said);
            assert!((low..=high).contains(&truth), "{truth} said as {said:?}");
        }
    }
    assert!(!rules.possible(0, Some(10)) && !rules.possible(15, None) && rules.possible(14, None));
}
