//! The attacker: whoever holds every table of every release, knows the method to its last number, and computes. Pure.
//!
//! Kept in the program so that every release can be attacked before it leaves and by whoever doubts it afterwards. Two
//! attacks: bounds that are drawn tighter along every line until nothing moves (what a linear program over the margins
//! gains on lines), and, for small tables, every registry that could be behind the numbers, one by one: nothing that
//! follows from the numbers can say more than that.

use std::collections::BTreeMap;

use super::cells::{Coordinates, lines};
use super::{Cube, Population, Rules};

/// What is known of a count: the least and the most that it can be.
pub type Bounds = BTreeMap<Coordinates, (u64, u64)>;

/// Bounds of every cell, from everything published, drawn tighter until nothing moves. The attacker takes every withheld
/// cell for a small one; where some was withheld for another's sake, the bounds may contradict each other, and the attacker
/// has learnt nothing: none.
pub fn bounds(
    shape: &Population,
    cubes: &[Cube],
    rules: &Rules,
    published: &BTreeMap<Coordinates, Option<u64>>,
) -> Option<Bounds> {
    let mut known: Bounds = published.iter().map(|(at, said)| (at.clone(), rules.interval(*said))).collect();
    let lines = lines(shape, cubes);
    loop {
        let mut moved = false;
        for line in &lines {
            let Some(parent) = known.get(&line.parent).copied() else { continue };
            let children: Vec<(u64, u64)> =
                line.children.iter().map(|at| known.get(at).copied().unwrap_or((0, u64::MAX >> 16))).collect();
            let (least, most) = (children.iter().map(|c| c.0).sum::<u64>(), children.iter().map(|c| c.1).sum::<u64>());
            let tighter = (parent.0.max(least), parent.1.min(most));
            moved |= tighter != parent;
            known.insert(line.parent.clone(), tighter);
            for (at, (low, high)) in line.children.iter().zip(&children) {
                // The rest of the line is between these.
                let (rest_least, rest_most) = (least - low, most - high);
                let tighter =
                    ((*low).max(tighter.0.saturating_sub(rest_most)), (*high).min(tighter.1.saturating_sub(rest_least)));
                if tighter != (*low, *high) {
                    known.insert(at.clone(), tighter);
                    moved = true;
                }
            }
        }
        if known.values().any(|(low, high)| low > high) {
            return None;
        }
        if !moved {
            return Some(known);
        }
    }
}

/// Every value that the count of each cell has in any registry that could be behind the numbers, for tables of two
/// attributes with `sizes` values, all counts at most `most`.
pub fn every_registry(
    sizes: (u16, u16),
    most: u64,
    rules: &Rules,
    published: &BTreeMap<Coordinates, Option<u64>>,
) -> BTreeMap<Coordinates, Vec<u64>> {
    let inner: Vec<Coordinates> =
        (0..sizes.0).flat_map(|a| (0..sizes.1).map(move |b| Coordinates(vec![(0, a), (1, b)]))).collect();
    let could: Vec<Vec<u64>> = inner
        .iter()
        .map(|at| (0..=most).filter(|n| rules.possible(*n, published.get(at).copied().flatten())).collect())
        .collect();
    let mut found: BTreeMap<Coordinates, Vec<u64>> = BTreeMap::new();
    let mut counts = vec![0; inner.len()];
    search(&could, 0, &mut counts, &mut |counts| {
        let mut cells: BTreeMap<Coordinates, u64> = BTreeMap::new();
        for (at, n) in inner.iter().zip(counts) {
            for face in [vec![], at.0.iter().take(1).copied().collect(), at.0.iter().skip(1).copied().collect()] {
                *cells.entry(Coordinates(face)).or_default() += n;
            }
            cells.insert(at.clone(), *n);
        }
        if cells.iter().all(|(at, n)| rules.possible(*n, published.get(at).copied().flatten())) {
            for (at, n) in cells {
                let known = found.entry(at).or_default();
                if !known.contains(&n) {
                    known.push(n);
                }
            }
        }
    });
    found
}

fn search(could: &[Vec<u64>], depth: usize, counts: &mut Vec<u64>, each: &mut impl FnMut(&[u64])) {
    let Some(values) = could.get(depth) else { return each(counts) };
    for value in values {
        if let Some(place) = counts.get_mut(depth) {
            *place = *value;
        }
        search(could, depth + 1, counts, each);
    }
}
