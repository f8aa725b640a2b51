//! The cells of all tables of a release and of their margins, and the lines in which they add up.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cube, Population};

/// Conditions that a cell's records meet: attribute and value, in the order of the attributes. None for everybody.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Coordinates(pub Vec<(u16, u16)>);

impl Coordinates {
    /// With one more condition.
    pub fn with(&self, attribute: u16, value: u16) -> Self {
        let mut all = self.0.clone();
        all.push((attribute, value));
        all.sort_unstable();
        Self(all)
    }
}

/// How many records, and the sum of their keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    /// Records.
    pub count: u64,
    /// Sum of their keys.
    pub key: u64,
}

/// All cells, and for every kind of record the cells that it is in.
#[derive(Debug)]
pub(super) struct Lattice {
    pub cells: BTreeMap<Coordinates, Cell>,
    /// The cells in order, so that kinds can name them by number.
    pub listed: Vec<Coordinates>,
    pub kinds: BTreeSet<Vec<usize>>,
}

/// Sets of attributes that any table or margin crosses.
fn faces(cubes: &[Cube]) -> BTreeSet<Vec<u16>> {
    let mut faces = BTreeSet::new();
    for cube in cubes {
        let attributes: Vec<u16> = cube.attributes.iter().filter_map(|a| u16::try_from(*a).ok()).collect();
        for chosen in 0..1_u32 << attributes.len().min(16) {
            let mut face: Vec<u16> =
                attributes.iter().enumerate().filter(|(n, _)| chosen >> n & 1 == 1).map(|(_, a)| *a).collect();
            face.sort_unstable();
            faces.insert(face);
        }
    }
    faces
}

/// Every combination of values of some attributes.
fn combinations(population: &Population, face: &[u16]) -> Vec<Coordinates> {
    let mut all = vec![Coordinates::default()];
    for attribute in face {
        let size = population.attributes.get(usize::from(*attribute)).map_or(0, |a| a.domain.len());
        let size = u16::try_from(size).unwrap_or(u16::MAX);
        all = all.iter().flat_map(|at| (0..size).map(|value| at.with(*attribute, value))).collect();
    }
    all
}

/// Counts all cells.
pub(super) fn lattice(population: &Population, cubes: &[Cube]) -> Lattice {
    let faces = faces(cubes);
    let mut cells: BTreeMap<Coordinates, Cell> = BTreeMap::new();
    for face in &faces {
        for at in combinations(population, face) {
            cells.insert(at, Cell::default());
        }
    }
    let of = |values: &[u16], face: &[u16]| {
        Coordinates(face.iter().map(|a| (*a, values.get(usize::from(*a)).copied().unwrap_or(0))).collect())
    };
    // Records of one kind are in the same cells: each kind is looked up once.
    let mut kinds: BTreeMap<&[u16], Cell> = BTreeMap::new();
    for record in &population.records {
        let kind = kinds.entry(&record.values).or_default();
        kind.count += 1;
        kind.key = kind.key.wrapping_add(record.key);
    }
    for (values, kind) in &kinds {
        for face in &faces {
            let cell = cells.entry(of(values, face)).or_default();
            cell.count += kind.count;
            cell.key = cell.key.wrapping_add(kind.key);
        }
    }
    let listed: Vec<Coordinates> = cells.keys().cloned().collect();
    let number: BTreeMap<&Coordinates, usize> = listed.iter().enumerate().map(|(n, at)| (at, n)).collect();
    let kinds = kinds
        .into_keys()
        .map(|values| faces.iter().filter_map(|face| number.get(&of(values, face)).copied()).collect())
        .collect();
    Lattice { cells, kinds, listed: listed.clone() }
}

/// Cells that add up to another one.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub parent: Coordinates,
    pub children: Vec<Coordinates>,
}

/// Every line of every table: a cell, and what it is broken into along one more attribute.
pub(super) fn lines(population: &Population, cubes: &[Cube]) -> Vec<Line> {
    let faces = faces(cubes);
    let mut lines = Vec::new();
    for face in &faces {
        for attribute in face {
            let rest: Vec<u16> = face.iter().copied().filter(|a| a != attribute).collect();
            let size = population.attributes.get(usize::from(*attribute)).map_or(0, |a| a.domain.len());
            let size = u16::try_from(size).unwrap_or(u16::MAX);
            for parent in combinations(population, &rest) {
                let children = (0..size).map(|value| parent.with(*attribute, value)).collect();
                lines.push(Line { parent, children });
            }
        }
    }
    lines
}
