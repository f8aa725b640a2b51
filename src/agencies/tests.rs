//! The directory on an embedded database.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use crate::catalogue::Catalogue;
use crate::kernel::Timestamp;
use crate::referrals::world::{OWNER, World, code};

#[test]
fn the_catalogues_agencies_are_loaded_once_and_left_alone() {
    let world = World::found();
    let catalogue = Arc::clone(&world.catalogue);
    let seed = |catalogue: Arc<Catalogue>| {
        world.store.write_blocking(move |tx| super::seed(tx, &catalogue, Timestamp::now())).unwrap()
    };
    // Two of them are there already, under another name.
    assert_eq!(
        seed(Arc::clone(&catalogue)) + 2 + usize::from(catalogue.agencies().iter().any(|a| a.code == "PE-DP")),
        catalogue.agencies().len()
    );
    assert_eq!(seed(Arc::clone(&catalogue)), 0);
    let names = world.store.read_blocking(|conn| super::store::find(conn, &code(OWNER))).unwrap().detail.names;
    assert_eq!(names.es, OWNER);
    let active = |text: &str| {
        let wanted = code(text);
        world.store.read_blocking(move |conn| super::exists_active(conn, &wanted)).unwrap()
    };
    assert!(active("NGO-CHS") && active("PE-MP-FISTRAP-LIMA"));
    assert!(!active("PE-OLD") && !active("PE-NOBODY"));
    let looped = world
        .store
        .read_blocking(|conn| super::store::makes_a_loop(conn, &code("PE-MP"), &code("PE-MP-FISTRAP-LIMA")))
        .unwrap();
    assert!(looped);
}
