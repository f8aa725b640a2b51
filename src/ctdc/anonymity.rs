//! No combination of values, over any of the quasi-identifiers, that fewer than k rows share. Pure.
//!
//! Values are given up one by one until none is left: a blank says unknown, no, or suppressed, and nobody can tell
//! which. What this does not do: hide what a whole group has in common, or stand against comparison with a second file
//! that was cut otherwise.

use std::collections::BTreeMap;

use serde::Serialize;

use super::row::{QUASI, Row};

/// What was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Suppression {
    /// Fewest rows that share a combination.
    pub k: usize,
    /// Rows.
    pub rows: usize,
    /// Rows of which something was given up.
    pub touched: usize,
    /// Values given up, by column.
    pub values: BTreeMap<&'static str, usize>,
}

/// A combination: the columns, as bits of their place in [`QUASI`], and their values.
type Combination<'r> = (u32, Vec<&'r str>);

/// Combinations of exactly these columns that 1 to k − 1 rows share, each with its rows.
fn rare(rows: &[Row], columns: u32, k: usize) -> Vec<Vec<usize>> {
    let mut found: BTreeMap<Combination<'_>, Vec<usize>> = BTreeMap::new();
    for (n, row) in rows.iter().enumerate() {
        let mut values = Vec::new();
        let whole = QUASI
            .iter()
            .enumerate()
            .filter(|(bit, _)| columns & (1 << bit) != 0)
            .all(|(_, column)| row.get(column).map(|value| values.push(value)).is_some());
        if whole {
            found.entry((columns, values)).or_default().push(n);
        }
    }
    found.into_values().filter(|sharing| sharing.len() < k).collect()
}

/// Every set of columns, the small ones first: a value that is rare by itself is given up before it costs another one.
fn sets() -> Vec<u32> {
    let mut all: Vec<u32> = (1..1 << QUASI.len()).collect();
    all.sort_by_key(|set: &u32| (set.count_ones(), *set));
    all
}

/// Gives up values until every combination is shared by k rows or by none, and puts the rows into an order that says
/// nothing of the registry's.
pub fn suppress(rows: &mut [Row], k: usize) -> Suppression {
    let mut given: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut touched = std::collections::BTreeSet::new();
    loop {
        let mut clean = true;
        for columns in sets() {
            // The least needed column of the set goes.
            let Some(column) = QUASI.iter().enumerate().find(|(bit, _)| columns & (1 << bit) != 0).map(|(_, c)| *c) else {
                continue;
            };
            for sharing in rare(rows, columns, k) {
                clean = false;
                for n in sharing {
                    if let Some(row) = rows.get_mut(n) {
                        row.blank(column);
                        *given.entry(column).or_default() += 1;
                        touched.insert(n);
                    }
                }
            }
        }
        // A value given up in one set may make a combination of an earlier one rare.
        if clean {
            break;
        }
    }
    rows.sort();
    Suppression { k, rows: rows.len(), touched: touched.len(), values: given }
}

/// The smallest group that shares a combination of any of the columns; none if no row says anything.
pub fn smallest(rows: &[Row]) -> Option<usize> {
    let most = rows.len() + 1;
    sets().into_iter().flat_map(|columns| rare(rows, columns, most)).map(|sharing| sharing.len()).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn row(values: [u8; 6], flag: bool) -> Row {
        let cells =
            QUASI.iter().zip(values).map(|(column, v)| (*column, if v == 0 { String::new() } else { format!("v{v}") }));
        Row::with(cells.chain([("isForcedLabour", if flag { "1".to_owned() } else { String::new() })]))
    }

    #[test]
    fn what_is_shared_stays_and_what_stands_out_goes() {
        let mut rows = vec![row([0, 1, 1, 1, 1, 1], true); 3];
        rows.push(row([0, 1, 2, 1, 1, 1], false));
        let report = suppress(&mut rows, 3);
        assert_eq!(report, Suppression { k: 3, rows: 4, touched: 1, values: [("citizenship", 1)].into() });
        assert_eq!(rows.iter().filter(|r| r.get("citizenship") == Some("v1")).count(), 3);
        assert!(rows.iter().all(|r| r.get("gender") == Some("v1")));
    }

    #[test]
    fn fewer_rows_than_k_say_nothing_of_anybody() {
        let mut rows = vec![row([1, 1, 1, 1, 1, 1], true); 2];
        suppress(&mut rows, 3);
        assert!(rows.iter().all(|r| QUASI.iter().all(|c| r.get(c).is_none())));
    }

    proptest! {
        #[test]
        fn no_combination_below_k_remains_and_nothing_is_made_up(
            given in proptest::collection::vec((proptest::array::uniform6(0_u8..4), any::<bool>()), 0..60),
            k in 1_usize..8,
        ) {
            let before: Vec<Row> = given.iter().map(|(values, flag)| row(*values, *flag)).collect();
            let mut rows = before.clone();
            let report = suppress(&mut rows, k);
            prop_assert!(smallest(&rows).is_none_or(|least| least >= k), "{:?}", rows);
            prop_assert_eq!(rows.len(), before.len());
            let cells = |rows: &[Row]| -> usize { rows.iter().flat_map(|r| QUASI.iter().filter(|c| r.get(c).is_some())).count() };
            prop_assert_eq!(cells(&before) - cells(&rows), report.values.values().sum::<usize>());
            let flags = |rows: &[Row]| rows.iter().filter(|r| r.get("isForcedLabour").is_some()).count();
            prop_assert_eq!(flags(&before), flags(&rows), "what was done is no quasi-identifier");
            if smallest(&before).is_none_or(|least| least >= k) {
                prop_assert_eq!(report.touched, 0, "what is safe is left alone");
            }
        }
    }
}
