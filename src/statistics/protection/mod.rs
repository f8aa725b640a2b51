//! Disclosure control: what may be published of a set of persons so that nobody learns of one. Pure.
//!
//! All tables of a release are protected together, as cells of one lattice: a cell is a set of conditions ("women", "women
//! of Loreto", everybody), and whichever tables show it show the same number.
//!
//! 1. **Cell-key noise.** Every record has a secret key; the sum of the keys in a cell decides its noise, a whole number
//!    between −5 and 5. The same set of persons has the same noise wherever and whenever it is shown, so asking twice gains
//!    nothing; another set, if only by one person, has another one.
//! 2. **Threshold.** A noisy count below 10 is withheld, and so is an empty cell: nobody can tell the two apart.
//! 3. **Rounding** of what is left to multiples of 5, each number for itself.
//! 4. **Complementary suppression.** Where the published rest of a line would pin a withheld cell into an interval
//!    narrower than the threshold, the smallest published cell of the line is withheld too. It looks at published numbers
//!    only, so it tells nothing that they do not.
//! 5. **Certificate.** A release leaves only if, for every kind of person in it, the same release could have come from a
//!    registry with one more or one fewer of that kind: then no table, difference or system of equations over all of them
//!    determines how many there are. Otherwise the noise is drawn anew.
//!
//! Sources: ABS/Eurostat cell-key method; Eurostat handbook on statistical disclosure control, ch. 5; CTDC (threshold 10).

pub mod attack;
mod cells;
mod noise;

use std::collections::BTreeMap;

pub use cells::{Cell, Coordinates};
pub use noise::Secret;

use cells::{Lattice, lattice};

/// The numbers of the method. Published with every release: its strength does not rest on their secrecy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Counts below are withheld.
    pub threshold: u64,
    /// Published numbers are multiples of this.
    pub base: u64,
    /// Most that the noise adds or takes.
    pub noise: u64,
    /// A table over fewer persons is not published at all.
    pub least: u64,
}

impl Rules {
    /// Those of every release.
    pub const STANDARD: Self = Self { threshold: 10, base: 5, noise: 5, least: 30 };

    /// What a noisy count is published as.
    pub fn publish(&self, noisy: u64) -> Option<u64> {
        if noisy < self.threshold {
            return None;
        }
        let base = self.base.max(1);
        Some((noisy + base / 2) / base * base)
    }

    /// Whether a true count could have been published so.
    pub fn possible(&self, truth: u64, published: Option<u64>) -> bool {
        // An empty cell has no noise.
        let noise = if truth == 0 { 0 } else { self.noise };
        (truth.saturating_sub(noise)..=truth + noise).any(|noisy| self.publish(noisy) == published)
    }

    /// The least and the most that a true count can be, if this was published of it.
    pub fn interval(&self, published: Option<u64>) -> (u64, u64) {
        match published {
            None => (0, self.threshold.saturating_sub(1) + self.noise),
            Some(p) => {
                let slack = self.noise + self.base / 2;
                (p.saturating_sub(slack).max(1), p + slack)
            }
        }
    }
}

/// One person, or case: a secret key, and a value per attribute (its place in the attribute's domain).
#[derive(Clone, Debug)]
pub struct Record {
    /// Secret key.
    pub key: u64,
    /// One value per attribute.
    pub values: Vec<u16>,
}

/// What records are described by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// Name.
    pub name: &'static str,
    /// Every value that a record can have, in order.
    pub domain: Vec<String>,
}

/// A table: its name and the attributes that it crosses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cube {
    /// Name.
    pub name: &'static str,
    /// Places of its attributes.
    pub attributes: Vec<usize>,
}

/// Records that are published about together.
#[derive(Clone, Debug)]
pub struct Population {
    /// What they are described by.
    pub attributes: Vec<Attribute>,
    /// The records.
    pub records: Vec<Record>,
}

/// What may be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protected {
    /// Every cell of every table and its margins: a number, or none where it is withheld.
    pub cells: BTreeMap<Coordinates, Option<u64>>,
    /// Places of the tables that are published.
    pub cubes: Vec<usize>,
    /// Which draw of the noise it is.
    pub draw: u64,
}

/// Most draws before it is given up: each fails with a chance of some percent in the worst of registries.
const DRAWS: u64 = 1_000;

/// Protects tables; none where no draw holds, which then publishes nothing.
pub fn protect(population: &Population, cubes: &[Cube], rules: &Rules, secret: &Secret) -> Option<Protected> {
    let lattice = lattice(population, cubes);
    for draw in 0..DRAWS {
        let first: BTreeMap<Coordinates, Option<u64>> =
            lattice.cells.iter().map(|(at, cell)| (at.clone(), rules.publish(noisy(cell, rules, secret, draw)))).collect();
        if !certified(&lattice, rules, &first) {
            continue;
        }
        let mut cells = first;
        complement(population, cubes, &lattice, rules, &mut cells);
        let published = cubes
            .iter()
            .enumerate()
            .filter(|_| population.records.len() >= usize::try_from(rules.least).unwrap_or(usize::MAX))
            .filter(|_| cells.get(&Coordinates::default()).copied().flatten().is_some())
            .map(|(n, _)| n)
            .collect();
        return Some(Protected { cells, cubes: published, draw });
    }
    None
}

fn noisy(cell: &Cell, rules: &Rules, secret: &Secret, draw: u64) -> u64 {
    if cell.count == 0 {
        return 0;
    }
    let noise = secret.noise(cell.key, draw, rules.noise);
    cell.count.saturating_add_signed(noise)
}

/// Whether every kind of person could be one more, or one fewer, behind the same numbers.
fn certified(lattice: &Lattice, rules: &Rules, published: &BTreeMap<Coordinates, Option<u64>>) -> bool {
    let could = |kind: &[usize], change: i64| {
        kind.iter().all(|n| {
            let Some((at, cell)) = lattice.listed.get(*n).and_then(|at| lattice.cells.get_key_value(at)) else {
                return false;
            };
            let said = published.get(at).copied().flatten();
            rules.possible(cell.count.saturating_add_signed(change), said)
        })
    };
    lattice.kinds.iter().all(|kind| could(kind, 1) || could(kind, -1))
}

/// Withholds more, until no line pins a withheld cell into an interval narrower than the threshold.
fn complement(
    population: &Population,
    cubes: &[Cube],
    lattice: &Lattice,
    rules: &Rules,
    cells: &mut BTreeMap<Coordinates, Option<u64>>,
) {
    let lines = cells::lines(population, cubes);
    loop {
        let mut again = false;
        for line in &lines {
            let Some(total) = cells.get(&line.parent).copied().flatten() else { continue };
            let children: Vec<(&Coordinates, Option<u64>)> =
                line.children.iter().map(|at| (at, cells.get(at).copied().flatten())).collect();
            let withheld = children.iter().filter(|(_, p)| p.is_none()).count();
            if withheld == 0 || !pinned(rules, total, &children, withheld) {
                continue;
            }
            let smallest = children.iter().filter_map(|(at, p)| p.map(|p| (p, (*at).clone()))).min();
            if let Some((_, at)) = smallest {
                cells.insert(at, None);
                again = true;
            }
        }
        if !again {
            break;
        }
    }
    // Only cells that the lattice has are published.
    cells.retain(|at, _| lattice.cells.contains_key(at));
}

/// Whether the published rest of a line leaves a withheld cell of it less room than the threshold.
fn pinned(rules: &Rules, total: u64, children: &[(&Coordinates, Option<u64>)], withheld: usize) -> bool {
    let (low, high) = rules.interval(Some(total));
    let (mut least, mut most) = (i128::from(low), i128::from(high));
    for published in children.iter().filter_map(|(_, p)| *p) {
        let (low, high) = rules.interval(Some(published));
        least -= i128::from(high);
        most -= i128::from(low);
    }
    let (_, top) = rules.interval(None);
    // The others that are withheld may be anything between nothing and the most.
    least -= i128::from(top) * i128::try_from(withheld - 1).unwrap_or(0);
    let room = most.min(i128::from(top)) - least.max(0);
    room < i128::from(rules.threshold)
}

#[cfg(test)]
mod tests;
