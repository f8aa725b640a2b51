//! The store's promises.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, migrations};
use sistra::kernel::Error;

use crate::both;
use crate::support::case;

fn raw(world: &crate::support::World, sql: &str) -> Result<(), diesel::result::Error> {
    open(&world.database, Role::Write, 5_000).unwrap().batch_execute(sql)
}

fn count(conn: &mut Conn, sql: &str) -> i64 {
    #[derive(QueryableByName)]
    struct N {
        #[diesel(sql_type = diesel::sql_types::BigInt)]
        n: i64,
    }
    let rows: Vec<N> = match conn {
        Conn::Postgres(c) => diesel::sql_query(sql).load(c).unwrap(),
        Conn::Sqlite(c) => diesel::sql_query(sql).load(c).unwrap(),
    };
    rows[0].n
}

both! {
fn a_schema_newer_than_the_binary_is_refused(world) {
    raw(world, "INSERT INTO __diesel_schema_migrations (version) VALUES ('99999999999999')").unwrap();
    let mut conn = open(&world.database, Role::Write, 5_000).unwrap();
    assert!(migrations::check(&mut conn).unwrap_err().contains("newer than this binary"));
}

fn the_ledger_cannot_be_changed_or_cut(world) {
    world.post("/v1/cases", &world.prosecutor(), &case());
    let running = world.running.as_ref().unwrap();
    while running.store.read_blocking(sistra::ledger::sealer::progress).unwrap().0 == 0 {
        std::thread::yield_now();
    }
    for sql in ["UPDATE ledger_entry SET action = 'x'", "DELETE FROM ledger_entry", "UPDATE ledger_leaf SET position = 7", "DELETE FROM ledger_leaf"] {
        // Triggers stop everybody, the owner of the tables too.
        let refused = raw(world, sql).unwrap_err().to_string();
        assert!(refused.contains("append-only"), "{sql}: {refused}");
        // The service's own connection has no way either.
        let refused = running.store.write_blocking(move |tx| Ok(tx.batch_execute(sql)?));
        assert!(refused.is_err(), "{sql}");
    }
    if !running.store.is_sqlite() {
        for table in ["ledger_entry", "ledger_leaf"] {
            let refused = raw(world, &format!("TRUNCATE {table}")).unwrap_err().to_string();
            assert!(refused.contains("append-only"), "{refused}");
        }
    }
    if world.restricted {
        for sql in ["UPDATE ledger_entry SET action = 'x'", "TRUNCATE ledger_leaf", "ALTER TABLE ledger_leaf DISABLE TRIGGER ALL", "DELETE FROM __diesel_schema_migrations", "CREATE TABLE x (y TEXT)"] {
            let refused = format!("{:?}", running.store.write_blocking(move |tx| Ok(tx.batch_execute(sql)?)).unwrap_err());
            assert!(refused.contains("permission denied") || refused.contains("must be owner"), "{sql}: {refused}");
        }
    }
}

fn every_entry_gets_one_position_without_gap(world) {
    let token = world.prosecutor();
    let path = world.post("/v1/cases", &token, &case()).header("location");
    for _ in 0..5 {
        world.get(&path, &token);
    }
    let running = world.running.as_ref().unwrap();
    while running.store.read_blocking(sistra::ledger::sealer::progress).unwrap().1 > 0 {
        std::thread::yield_now();
    }
    let mut conn = open(&world.database, Role::Write, 5_000).unwrap();
    let entries = count(&mut conn, "SELECT count(*) AS n FROM ledger_entry");
    assert!(entries >= 9, "{entries}");
    assert_eq!(count(&mut conn, "SELECT count(*) AS n FROM ledger_leaf"), entries);
    assert_eq!(count(&mut conn, "SELECT max(position) AS n FROM ledger_leaf"), entries - 1);
    assert_eq!(count(&mut conn, "SELECT count(DISTINCT entry_id) AS n FROM ledger_leaf"), entries);
}

fn a_failing_or_panicking_write_takes_nothing_with_it(world) {
    let store = world.running.as_ref().unwrap().store.clone();
    let insert = |name: &'static str, fail: u8| {
        let store = store.clone();
        std::thread::spawn(move || {
            store.write_blocking(move |tx| {
                tx.batch_execute(&format!("INSERT INTO lease (bucket, name, holder, until, token) VALUES (0, '{name}', 'h', '2026-01-01T00:00:00.000Z', 1)"))?;
                match fail {
                    0 => Ok(()),
                    1 => Err(Error::NotFound),
                    _ => Err(Error::internal("on purpose")),
                }
            })
        })
    };
    let work = [insert("a", 0), insert("b", 1), insert("c", 0), insert("d", 2), insert("e", 0)];
    let outcomes: Vec<bool> = work.map(|t| t.join().unwrap().is_ok()).to_vec();
    assert_eq!(outcomes, [true, false, true, false, true]);
    let mut conn = open(&world.database, Role::Write, 5_000).unwrap();
    assert_eq!(count(&mut conn, "SELECT count(*) AS n FROM lease WHERE name IN ('a','b','c','d','e')"), 3);
}
}
