//! The promises of the schema: reversible, the same on both engines, and fit to be distributed (migrations/README.md).

use std::collections::{BTreeMap, BTreeSet};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use regex::Regex;
use sistra::db::connection::{Role, open};
use sistra::db::{Conn, DatabaseUrl, migrations};

use crate::support::postgres;

/// Tables without a bucket: small, rarely written, copied to every node.
const REFERENCE: [&str; 3] = ["agency", "client", "client_policy"];

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

fn lines(conn: &mut Conn, sql: &str) -> Vec<String> {
    let rows: Vec<Line> = match conn {
        Conn::Postgres(c) => diesel::sql_query(sql).load(c).unwrap(),
        Conn::Sqlite(c) => diesel::sql_query(sql).load(c).unwrap(),
    };
    rows.into_iter().map(|r| r.line).collect()
}

/// An empty database of each engine that is here.
fn engines() -> Vec<Conn> {
    let mut urls = vec![DatabaseUrl::Sqlite(":memory:".into())];
    urls.extend(postgres::empty().map(|d| DatabaseUrl::Postgres(d.owner)));
    urls.into_iter().map(|url| open(&url, Role::Write, 60_000).unwrap()).collect()
}

fn migrated() -> Vec<Conn> {
    let mut engines = engines();
    for conn in &mut engines {
        migrations::up(conn).unwrap();
    }
    engines
}

/// Everything that the migrations made, one line each: tables, columns, constraints, indexes, triggers.
fn catalogue(conn: &mut Conn) -> BTreeSet<String> {
    let found = match conn {
        Conn::Postgres(_) => lines(
            conn,
            "SELECT format('column %s.%s %s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), \
               CASE WHEN a.attnotnull THEN ' not null' ELSE '' END) AS line \
             FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid \
             WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND NOT a.attisdropped \
             UNION ALL SELECT format('constraint %s %s', conrelid::regclass, conname) FROM pg_constraint \
               WHERE connamespace = 'public'::regnamespace AND contype <> 't' \
             UNION ALL SELECT format('index %s %s', indrelid::regclass, indexrelid::regclass) FROM pg_index i \
               JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace \
               AND NOT EXISTS (SELECT 1 FROM pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u')) \
             UNION ALL SELECT format('trigger %s %s', tgrelid::regclass, tgname) FROM pg_trigger WHERE NOT tgisinternal",
        ),
        Conn::Sqlite(_) => {
            let mut found = lines(
                conn,
                "SELECT 'column ' || t.name || '.' || c.name || ' ' || c.type || iif(c.\"notnull\", ' not null', '') AS line \
                 FROM sqlite_schema t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' \
                 UNION ALL SELECT type || ' ' || tbl_name || ' ' || name FROM sqlite_schema \
                   WHERE type IN ('index', 'trigger') AND name NOT LIKE 'sqlite_autoindex%'",
            );
            // SQLite keeps the names of constraints only in the text of the table.
            let name = Regex::new(r"CONSTRAINT (\w+)").unwrap();
            for text in lines(conn, "SELECT name || '|' || sql AS line FROM sqlite_schema WHERE type = 'table'") {
                let (table, sql) = text.split_once('|').unwrap();
                found.extend(name.captures_iter(sql).map(|c| format!("constraint {table} {}", &c[1])));
            }
            found
        }
    };
    found.into_iter().filter(|l| !l.contains("__diesel_schema_migrations")).collect()
}

#[track_caller]
fn assert_same(one: &BTreeSet<String>, other: &BTreeSet<String>) {
    let difference: Vec<_> = one.symmetric_difference(other).collect();
    assert!(difference.is_empty(), "{difference:#?}");
}

#[test]
fn the_schema_goes_up_down_and_up_again() {
    for mut conn in engines() {
        let all = migrations::status(&mut conn).unwrap().pending.len();
        assert!(migrations::check(&mut conn).unwrap_err().contains("behind this binary"));
        assert_eq!(migrations::up(&mut conn).unwrap().len(), all);
        let first = catalogue(&mut conn);
        assert!(first.len() > 200, "{}", first.len());
        assert_eq!(migrations::up(&mut conn).unwrap().len(), 0);
        assert_eq!(migrations::down(&mut conn, None).unwrap().len(), all);
        assert_same(&catalogue(&mut conn), &BTreeSet::new());
        assert_eq!(migrations::up(&mut conn).unwrap().len(), all);
        assert_same(&catalogue(&mut conn), &first);
        migrations::check(&mut conn).unwrap();
    }
}

#[test]
fn some_steps_down_and_up_again_leave_the_same_schema() {
    for mut conn in migrated() {
        let whole = catalogue(&mut conn);
        for steps in [1, 7, 20] {
            assert_eq!(migrations::down(&mut conn, Some(steps)).unwrap().len(), steps);
            assert_eq!(migrations::up(&mut conn).unwrap().len(), steps);
            assert_same(&catalogue(&mut conn), &whole);
        }
    }
}

#[test]
fn running_a_step_a_second_time_changes_nothing() {
    for mut conn in migrated() {
        let tree = if matches!(conn, Conn::Sqlite(_)) { "sqlite" } else { "postgres" };
        let whole = catalogue(&mut conn);
        for (name, sql) in postgres::steps(tree) {
            conn.batch_execute(&sql).unwrap_or_else(|e| panic!("{tree} {name}: {e}"));
        }
        assert_same(&catalogue(&mut conn), &whole);
    }
}

/// PostgreSQL's name of a type, and what SQLite stores it as.
const TYPES: [(&str, &str); 9] = [
    ("smallint", "INTEGER"),
    ("bigint", "INTEGER"),
    ("boolean", "INTEGER"),
    ("text", "TEXT"),
    ("date", "TEXT"),
    ("jsonb", "TEXT"),
    ("timestamp with time zone", "TEXT"),
    ("uuid", "BLOB"),
    ("bytea", "BLOB"),
];

/// The same tables, columns, nullability, names of constraints, indexes and triggers. What may differ: the types, by
/// the table above; keys and indexes, which on SQLite leave the bucket out; and TRUNCATE, which SQLite does not have.
#[test]
fn both_trees_make_the_same_schema() {
    let [mut sqlite, mut pg]: [Conn; 2] = match migrated().try_into() {
        Ok(both) => both,
        Err(_) => return,
    };
    let ours: BTreeSet<String> = catalogue(&mut pg)
        .into_iter()
        .filter(|line| !line.ends_with("_append_only_truncate"))
        .map(|line| {
            let Some(rest) = line.strip_prefix("column ") else { return line };
            let (column, kind) = rest.split_once(' ').unwrap();
            let (kind, null) = kind.strip_suffix(" not null").map_or((kind, ""), |k| (k, " not null"));
            let (_, stored) = TYPES.iter().find(|(p, _)| *p == kind).unwrap_or_else(|| panic!("{column} is {kind}"));
            format!("column {column} {stored}{null}")
        })
        .collect();
    assert_same(&ours, &catalogue(&mut sqlite));
    let columns = |conn: &mut Conn, sql: &str| -> BTreeMap<String, String> {
        lines(conn, sql).iter().filter_map(|l| l.split_once(' ')).map(|(n, c)| (n.to_owned(), c.to_owned())).collect()
    };
    // The columns of keys and indexes, in order, but for the bucket.
    let pg_keys = columns(
        &mut pg,
        "SELECT i.indexrelid::regclass || ' ' || string_agg(a.attname, ',' ORDER BY k.n) AS line \
         FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relnamespace = 'public'::regnamespace \
         CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY k (attnum, n) \
         JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND a.attname <> 'bucket' \
         GROUP BY i.indexrelid",
    );
    let sqlite_keys = columns(
        &mut sqlite,
        "SELECT i.name || ' ' || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno)) AS line \
         FROM sqlite_schema i WHERE i.type = 'index' AND i.name NOT LIKE 'sqlite_autoindex%' \
         UNION ALL SELECT t.name || '_pkey ' || (SELECT group_concat(name, ',') FROM (SELECT name FROM pragma_table_info(t.name) WHERE pk > 0 ORDER BY pk)) \
         FROM sqlite_schema t WHERE t.type = 'table'",
    );
    for (name, of_pg) in &pg_keys {
        if let Some(of_sqlite) = sqlite_keys.get(name) {
            let bare: Vec<&str> = of_sqlite.split(',').filter(|c| *c != "bucket").collect();
            assert_eq!(of_pg, &bare.join(","), "{name}");
        }
    }
    assert!(pg_keys.keys().filter(|k| sqlite_keys.contains_key(*k)).count() > 25);
}

#[test]
fn diesels_view_of_the_tables_is_the_schema() {
    let mut sqlite = migrated().remove(0);
    let text = std::fs::read_to_string("src/db/schema.rs").unwrap();
    let table = Regex::new(r"(?m)^    (\w+) \([\w, ]+\) \{\n([^}]*)\}").unwrap();
    let column = Regex::new(r"(\w+) -> (Nullable<)?").unwrap();
    let mut declared = BTreeSet::new();
    for t in table.captures_iter(&text) {
        for c in column.captures_iter(&t[2]) {
            declared.insert(format!("{}.{}{}", &t[1], &c[1], if c.get(2).is_some() { "" } else { " not null" }));
        }
    }
    let made: BTreeSet<String> = catalogue(&mut sqlite)
        .iter()
        .filter_map(|l| l.strip_prefix("column "))
        .map(|l| {
            let mut words = l.split_whitespace();
            let (name, not_null) = (words.next().unwrap(), words.any(|w| w == "not"));
            format!("{name}{}", if not_null { " not null" } else { "" })
        })
        .collect();
    assert_same(&declared, &made);
}

/// What a distributed PostgreSQL refuses or suffers from, found in the catalogue. `$reference` is the list above.
const LINT: &str = r"
WITH tables AS (
    SELECT c.oid, c.relname AS name, c.relname = ANY($reference) AS reference
    FROM pg_class c WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
      AND c.relname <> '__diesel_schema_migrations'
), columns AS (
    SELECT t.*, a.attname AS col, a.attnum, a.attnotnull, a.attidentity, a.attgenerated, y.typname, y.typtype
    FROM tables t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type y ON y.oid = a.atttypid
), keys AS (
    SELECT t.*, i.indexrelid::regclass::text AS index, i.indisprimary, i.indisunique,
        (SELECT array_agg(coalesce(a.attname, '(expression)') ORDER BY k.n) FROM unnest(i.indkey) WITH ORDINALITY k (attnum, n)
         LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.attnum AND k.attnum > 0) AS cols
    FROM tables t JOIN pg_index i ON i.indrelid = t.oid
), foreigns AS (
    SELECT t.*, k.conname, k.confupdtype, k.confdeltype, k.condeferrable, f.reference AS to_reference, f.name AS to_name,
        (SELECT array_agg(a.attname::text ORDER BY x.n) FROM unnest(k.conkey) WITH ORDINALITY x (attnum, n)
         JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = x.attnum) AS cols,
        (SELECT array_agg(a.attname::text ORDER BY x.n) FROM unnest(k.confkey) WITH ORDINALITY x (attnum, n)
         JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.attnum) AS to_cols
    FROM tables t JOIN pg_constraint k ON k.conrelid = t.oid AND k.contype = 'f' JOIN tables f ON f.oid = k.confrelid
)
SELECT 'no column bucket smallint not null: ' || name AS line FROM tables t WHERE NOT reference AND NOT EXISTS
    (SELECT 1 FROM columns c WHERE c.oid = t.oid AND c.col = 'bucket' AND c.typname = 'int2' AND c.attnotnull)
UNION ALL SELECT 'reference table with a bucket: ' || name FROM columns WHERE reference AND col = 'bucket'
UNION ALL SELECT 'no primary key: ' || name FROM tables t WHERE NOT EXISTS (SELECT 1 FROM keys k WHERE k.oid = t.oid AND k.indisprimary)
UNION ALL SELECT 'primary key does not begin with the bucket: ' || name FROM keys WHERE indisprimary AND NOT reference AND cols[1] <> 'bucket'
UNION ALL SELECT 'unique without the bucket: ' || index FROM keys WHERE indisunique AND NOT reference AND NOT 'bucket' = ANY(cols)
UNION ALL SELECT 'index that does not begin with the bucket: ' || index FROM keys WHERE NOT reference AND cols[1] <> 'bucket'
UNION ALL SELECT 'index that begins with a time or an id: ' || index FROM keys
    WHERE NOT indisprimary AND (cols[1] = 'id' OR cols[1] ~ '(^|_)at$')
UNION ALL SELECT 'foreign key that leaves the bucket: ' || conname FROM foreigns
    WHERE NOT reference AND NOT to_reference AND (cols[1] <> 'bucket' OR to_cols[1] <> 'bucket')
UNION ALL SELECT 'foreign key from a reference table to a bucket table: ' || conname FROM foreigns WHERE reference AND NOT to_reference
UNION ALL SELECT 'foreign key with an action: ' || conname FROM foreigns WHERE confupdtype <> 'a' OR confdeltype <> 'a'
UNION ALL SELECT 'deferrable: ' || conname FROM pg_constraint WHERE condeferrable AND connamespace = 'public'::regnamespace
UNION ALL SELECT 'exclusion: ' || conname FROM pg_constraint WHERE contype = 'x' AND connamespace = 'public'::regnamespace
UNION ALL SELECT 'identity or generated column: ' || name || '.' || col FROM columns WHERE attidentity <> '' OR attgenerated <> ''
UNION ALL SELECT 'type that engines do not share: ' || name || '.' || col || ' ' || typname FROM columns
    WHERE typname NOT IN ('int2', 'int8', 'text', 'uuid', 'bytea', 'timestamptz', 'date', 'bool', 'jsonb') OR typtype <> 'b'
UNION ALL SELECT 'default: ' || adrelid::regclass FROM pg_attrdef d JOIN tables t ON t.oid = d.adrelid
    WHERE pg_get_expr(d.adbin, d.adrelid) ~ 'nextval'
UNION ALL SELECT 'sequence: ' || relname FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
UNION ALL SELECT 'rule: ' || r.rulename FROM pg_rewrite r JOIN tables t ON t.oid = r.ev_class
UNION ALL SELECT 'trigger: ' || t.tgname FROM pg_trigger t JOIN tables n ON n.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgfoid <> 'sistra_refuse_change'::regproc
UNION ALL SELECT 'name: ' || conname FROM pg_constraint k JOIN tables t ON t.oid = k.conrelid WHERE k.contype IN ('p', 'u', 'f', 'c')
    AND conname !~ ('^' || t.name || CASE contype WHEN 'p' THEN '_pkey$' WHEN 'u' THEN '_.+_key$' WHEN 'f' THEN '_.+_fkey$' ELSE '_.+_check$' END)
UNION ALL SELECT 'name: ' || index FROM keys WHERE NOT indisprimary AND index !~ ('^' || name || '_.+_(idx|key)$')
";

fn lint(conn: &mut Conn) -> Vec<String> {
    let reference = REFERENCE.map(|t| format!("'{t}'")).join(",");
    lines(conn, &LINT.replace("$reference", &format!("ARRAY[{reference}]")))
}

#[test]
fn the_catalogue_keeps_the_rules_of_a_distributed_schema() {
    let Some(mut pg) = migrated().into_iter().nth(1) else { return };
    assert_eq!(lint(&mut pg), Vec::<String>::new());
    // The lint itself must be able to fail: every one of these breaks a rule of its own.
    for (sql, says) in [
        ("CREATE TABLE a (id UUID NOT NULL, CONSTRAINT a_pkey PRIMARY KEY (id))", "no column bucket"),
        ("CREATE TABLE a (bucket SMALLINT NOT NULL)", "no primary key"),
        (
            "CREATE TABLE a (bucket SMALLINT NOT NULL, id UUID NOT NULL, CONSTRAINT a_pkey PRIMARY KEY (id, bucket))",
            "does not begin",
        ),
        ("CREATE UNIQUE INDEX charge_state_key ON charge (state)", "unique without the bucket"),
        ("CREATE INDEX charge_created_at_idx ON charge (created_at)", "begins with a time"),
        ("CREATE INDEX charge_state_idx ON charge (state)", "index that does not begin"),
        ("CREATE INDEX wrong ON charge (bucket, state)", "name: wrong"),
        ("ALTER TABLE agency ADD COLUMN bucket SMALLINT", "reference table with a bucket"),
        ("ALTER TABLE charge ADD COLUMN n INTEGER", "type that engines do not share"),
        ("ALTER TABLE charge ADD COLUMN n BIGINT GENERATED ALWAYS AS IDENTITY", "identity"),
        ("ALTER TABLE charge ADD COLUMN n BIGSERIAL", "sequence"),
        (
            "ALTER TABLE charge ADD CONSTRAINT charge_x_fkey FOREIGN KEY (bucket, case_id) REFERENCES case_file ON DELETE CASCADE",
            "with an action",
        ),
        (
            "ALTER TABLE charge ADD CONSTRAINT charge_x_fkey FOREIGN KEY (bucket, case_id) REFERENCES case_file DEFERRABLE",
            "deferrable",
        ),
        ("CREATE RULE r AS ON DELETE TO charge DO INSTEAD NOTHING", "rule"),
    ] {
        pg.batch_execute("BEGIN").unwrap();
        pg.batch_execute(sql).unwrap();
        let found = lint(&mut pg);
        assert!(found.iter().any(|f| f.contains(says)), "{sql}: {found:?}");
        pg.batch_execute("ROLLBACK").unwrap();
    }
}

/// Without comments, texts and bodies of functions.
fn bare(sql: &str) -> String {
    let comments = Regex::new(r"--[^\n]*").unwrap();
    let texts = Regex::new(r"(?s)\$\$.*?\$\$|'[^']*'").unwrap();
    texts.replace_all(&comments.replace_all(sql, ""), "''").trim().to_owned()
}

/// One fault a line; empty if a step keeps the rules of migrations/README.md.
fn faults_of_step(tree: &str, down: bool, sql: &str) -> Vec<&'static str> {
    let text = bare(sql);
    let upper = text.to_uppercase();
    let mut faults = Vec::new();
    // A trigger of SQLite carries its body between BEGIN and END.
    let body = tree == "sqlite" && upper.starts_with("CREATE TRIGGER");
    if !body && text.matches(';').count() != 1 || !text.ends_with(';') {
        faults.push("not one statement");
    }
    if !body && Regex::new(r"\b(BEGIN|COMMIT|ROLLBACK|SAVEPOINT)\b").unwrap().is_match(&upper) {
        faults.push("transaction control");
    }
    let nothing = tree == "sqlite" && upper == "SELECT 1;";
    let first = upper.split_whitespace().next().unwrap_or_default().to_owned();
    if !nothing && !["CREATE", "ALTER", "DROP"].contains(&first.as_str()) {
        faults.push("not a change of the schema");
    }
    let again =
        if down { upper.contains("IF EXISTS") } else { upper.contains("IF NOT EXISTS") || upper.contains("OR REPLACE") };
    if !nothing && !again && first != "ALTER" {
        faults.push("fails the second time");
    }
    if let Some(table) = text.strip_prefix("CREATE TABLE IF NOT EXISTS ").and_then(|t| t.split_whitespace().next())
        && tree == "postgres"
    {
        let bucket = text.contains("(\n    bucket SMALLINT NOT NULL,") && text.contains("_pkey PRIMARY KEY (bucket, ");
        if bucket == REFERENCE.contains(&table) {
            faults.push("neither a bucket table nor a reference table");
        }
    }
    faults
}

#[test]
fn every_migration_is_one_idempotent_change_of_the_schema() {
    let names = |tree| postgres::steps(tree).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(names("postgres"), names("sqlite"));
    let versions: BTreeSet<_> = names("postgres").iter().map(|n| n.split('_').next().unwrap().to_owned()).collect();
    assert_eq!(versions.len(), names("postgres").len(), "two steps with one number");
    for mut conn in engines() {
        // The compiler does not see a new directory: the file that embeds them must be touched.
        let embedded: BTreeSet<String> = migrations::status(&mut conn).unwrap().pending.into_iter().collect();
        assert_eq!(embedded, versions, "the binary has other steps than the folders: touch src/db/migrations.rs");
    }
    for tree in ["postgres", "sqlite"] {
        for (name, up) in postgres::steps(tree) {
            let down = std::fs::read_to_string(format!("migrations/{tree}/{name}/down.sql")).unwrap();
            assert_eq!(faults_of_step(tree, false, &up), Vec::<&str>::new(), "{tree} {name}");
            assert_eq!(faults_of_step(tree, true, &down), Vec::<&str>::new(), "{tree} {name} down");
        }
    }
    let faults = |sql: &str| faults_of_step("postgres", false, sql);
    assert_eq!(
        faults("CREATE INDEX IF NOT EXISTS a ON b (c); CREATE INDEX IF NOT EXISTS d ON b (c);"),
        ["not one statement"]
    );
    assert_eq!(faults("UPDATE charge SET state = 'x';"), ["not a change of the schema", "fails the second time"]);
    assert_eq!(faults("CREATE INDEX a ON b (c);"), ["fails the second time"]);
    let unclassified = "CREATE TABLE IF NOT EXISTS x (\n    id UUID NOT NULL,\n    CONSTRAINT x_pkey PRIMARY KEY (id)\n);";
    assert_eq!(faults(unclassified), ["neither a bucket table nor a reference table"]);
}
