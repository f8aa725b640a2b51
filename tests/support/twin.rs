//! The gate of the twin: which statements of a server's run would not stay on one shard, or say what engines do not share.
//!
//! PostgreSQL logs every plan of the twin's servers. A plan that touches more than one partition of a table is a
//! statement that a distributed registry would send to all its nodes. Rules: migrations/README.md.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use regex::Regex;
use serde_json::Value;

use super::postgres::{self, Database};

/// Statements that may touch several partitions, and why.
const MAY_FAN_OUT: [(&str, &str); 8] = [
    (
        "figures over the whole registry are made from all of it, a stretch of buckets at a time",
        r#"^SELECT "statistics_(fact|past|member)"\..* FROM "statistics_(fact|past|member)" WHERE \(*"statistics_(fact|past|member)"\."bucket" >= \$1\)* AND \(*"statistics_(fact|past|member)"\."bucket" < \$2"#,
    ),
    ("a multi-get names the buckets that it reads", r#"^SELECT .*"bucket" = ANY\(\$\d+\).*" = ANY\(\$\d+\)"#),
    (
        "the sealer takes what is pending in any bucket",
        r#"^SELECT "ledger_pending"."bucket", "ledger_pending"."entry_id" FROM "ledger_pending" ORDER BY "ledger_pending"."entry_id" ASC LIMIT"#,
    ),
    (
        "the sealer reads back the entries that it seals, each by its key",
        r"^SELECT e\.bucket, .* FROM unnest\(\$1::smallint\[\], \$2::uuid\[\]\) AS w \(bucket, id\) JOIN ledger_entry e ON e\.bucket = w\.bucket AND e\.id = w\.id$",
    ),
    (
        "and takes them out of the queue, each by its key",
        r"^DELETE FROM ledger_pending p USING unnest\(\$1::smallint\[\], \$2::uuid\[\]\) AS w \(bucket, entry_id\) WHERE p\.bucket = w\.bucket AND p\.entry_id = w\.entry_id$",
    ),
    (
        "the sealer asks who sees what it seals, each record in its bucket",
        r"^SELECT t\.\w+ AS id, .* FROM unnest\(\$1::smallint\[\], \$2::uuid\[\]\) AS w \(bucket, id\) JOIN \w+ t ON t\.bucket = w\.bucket AND t\.\w+ = w\.id( AND t\.ended_at IS NULL)?$",
    ),
    (
        "those who are looked for together are found by tokens, each by its key",
        r"^SELECT w\.n, p\.person_id FROM unnest\(\$1::integer\[\], .*\) AS w \(n, bucket, index_id, bidx\) CROSS JOIN LATERAL \(SELECT i\.person_id FROM person_index i WHERE i\.bucket = w\.bucket AND i\.index_id = w\.index_id AND i\.bidx = w\.bidx LIMIT \$5\) p$",
    ),
    ("the metrics count what is pending", r#"^SELECT COUNT\(\*\) FROM "ledger_pending"$"#),
];

/// What a statement may not say.
const FORBIDDEN: [(&str, &str); 8] = [
    ("no offset", r"(?i)\bOFFSET\b"),
    ("columns by name", r"(?i)SELECT\s+\*\s+FROM\s+[^u\s]"),
    ("no lock that lives on one node", r"(?i)advisory|\bLISTEN\b|\bNOTIFY\b|LOCK\s+TABLE|SKIP\s+LOCKED|\bTEMP(ORARY)?\b"),
    ("no sequence", r"(?i)nextval|currval|setval"),
    (
        "not the same on every engine",
        r"(?i)\bMERGE\b|\bROLLUP\b|\bCUBE\b|GROUPING\s+SETS|\bRECURSIVE\b|NOT\s+IN\s*\(\s*SELECT",
    ),
    ("no change inside WITH", r"(?i)\bWITH\b.*\b(INSERT|UPDATE|DELETE)\b"),
    (
        "the program tells the time and makes the ids",
        r"(?i)\bnow\(|clock_timestamp|CURRENT_TIMESTAMP|\brandom\(|gen_random_uuid",
    ),
    ("read committed, always", r"(?i)SERIALIZABLE|REPEATABLE\s+READ"),
];

struct Patterns {
    may: Vec<Regex>,
    forbidden: Vec<(&'static str, Regex)>,
    row_lock: Regex,
    bucket: Regex,
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns {
    may: MAY_FAN_OUT.iter().map(|(_, p)| Regex::new(p).unwrap()).collect(),
    forbidden: FORBIDDEN.iter().map(|(why, p)| (*why, Regex::new(p).unwrap())).collect(),
    row_lock: Regex::new(r"(?i)\bFOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE)\b").unwrap(),
    bucket: Regex::new(r#"bucket"? = (\$\d|\d)"#).unwrap(),
});

/// One statement as it ran.
pub struct Ran {
    pub text: String,
    /// Scans: the node, its table and partition (none if the table has none), and the columns of its index condition.
    pub scans: Vec<Scan>,
}

pub struct Scan {
    pub node: String,
    pub table: String,
    pub partition: Option<usize>,
    pub condition: String,
}

/// What was found.
pub struct Verdict {
    pub faults: Vec<String>,
    pub ran: Vec<Ran>,
}

/// Watches one database of the twin from now on.
pub struct Watch {
    name: String,
    url: String,
    from: u64,
}

impl Watch {
    pub fn new(database: &Database) -> Self {
        Self { name: database.name.clone(), url: database.server.clone(), from: postgres::log_end() }
    }

    /// Everything that the server has run since. The log is written behind the statements: a last one of our own
    /// says when all of it is there.
    pub fn verdict(&self) -> Verdict {
        let last = format!("the end, says {}", super::unique());
        PgConnection::establish(&self.url).unwrap().batch_execute(&format!("SELECT '{last}' AS sentinel")).unwrap();
        let log = loop {
            let log = postgres::log_from(self.from);
            if log.contains(&last) {
                break log;
            }
            std::thread::yield_now();
        };
        let mine = format!("\"dbname\":\"{}\"", self.name);
        let ran: Vec<Ran> = log
            .lines()
            .filter(|line| line.contains(&mine))
            .filter_map(read)
            .filter(|r| !r.text.contains("AS sentinel"))
            .collect();
        let mut faults: BTreeSet<String> = BTreeSet::new();
        for one in &ran {
            faults.extend(judge(one));
        }
        Verdict { faults: faults.into_iter().collect(), ran }
    }
}

fn read(line: &str) -> Option<Ran> {
    let entry: Value = serde_json::from_str(line).ok()?;
    let (_, plan) = entry["message"].as_str()?.split_once("plan:\n")?;
    let plan: Value = serde_json::from_str(plan).unwrap();
    let mut scans = Vec::new();
    walk(&plan["Plan"], &mut scans);
    Some(Ran { text: plan["Query Text"].as_str()?.to_owned(), scans })
}

fn walk(node: &Value, scans: &mut Vec<Scan>) {
    let kind = node["Node Type"].as_str().unwrap_or_default();
    if let Some(name) = node["Relation Name"].as_str()
        && kind != "ModifyTable"
    {
        let (table, partition) = match name.rsplit_once("_part") {
            Some((table, n)) => (table.to_owned(), n.parse().ok()),
            None => (name.to_owned(), None),
        };
        let condition = node["Index Cond"].as_str().or(node["Recheck Cond"].as_str()).unwrap_or_default().to_owned();
        scans.push(Scan { node: kind.to_owned(), table, partition, condition });
    }
    for child in node["Plans"].as_array().into_iter().flatten() {
        walk(child, scans);
    }
}

fn judge(ran: &Ran) -> Vec<String> {
    let Patterns { may, forbidden, row_lock, bucket } = &*PATTERNS;
    let mut faults = Vec::new();
    let mut touched: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for scan in &ran.scans {
        touched.entry(&scan.table).or_default().extend(scan.partition);
    }
    for (table, partitions) in touched {
        if partitions.len() > 1 && !may.iter().any(|p| p.is_match(&ran.text)) {
            faults.push(format!("{} partitions of {table}: {}", partitions.len(), ran.text));
        }
    }
    for (why, pattern) in forbidden {
        if pattern.is_match(&ran.text) {
            faults.push(format!("{why}: {}", ran.text));
        }
    }
    if row_lock.is_match(&ran.text) && !bucket.is_match(&ran.text) {
        faults.push(format!("a row lock binds its bucket: {}", ran.text));
    }
    faults
}

/// The gate itself must be able to fail.
#[test]
fn the_gate_catches_what_it_is_for() {
    let Some(database) = postgres::twin() else { return };
    let watch = Watch::new(&database);
    let mut conn = PgConnection::establish(&database.server).unwrap();
    let mut fault = |sql: &str| {
        let before = watch.verdict().faults.len();
        conn.batch_execute(sql).unwrap();
        let faults = watch.verdict().faults;
        assert!(faults.len() <= before + 1, "{faults:?}");
        faults.len() > before
    };
    let good = [
        "SELECT id FROM case_file WHERE bucket = 7 AND code = 'x'",
        "SELECT c.id FROM case_file c WHERE c.bucket = 7 AND EXISTS (SELECT 1 FROM referral r WHERE r.bucket = 7 AND r.case_id = c.id)",
        "SELECT id FROM case_file WHERE bucket = 7 FOR UPDATE",
        "SELECT code FROM agency",
    ];
    let bad = [
        "SELECT id FROM case_file WHERE code = 'x'",
        "UPDATE charge SET state = 'x' WHERE id = '00000000-0000-4000-8000-000000000000'",
        "SELECT c.id FROM case_file c WHERE c.bucket = 7 AND EXISTS (SELECT 1 FROM referral r WHERE r.case_id = c.id)",
        "SELECT id FROM case_file WHERE bucket = 7 OFFSET 1",
        "SELECT * FROM case_file WHERE bucket = 7",
        "SELECT id FROM case_file WHERE bucket = 7 AND updated_at < now()",
        "SELECT code FROM agency FOR UPDATE",
        "SELECT pg_try_advisory_xact_lock(1)",
    ];
    for sql in good {
        assert!(!fault(sql), "{sql}");
    }
    for sql in bad {
        assert!(fault(sql), "{sql}");
    }
}
