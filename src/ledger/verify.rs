//! Walks the whole record and says of every fault where it lies.
//!
//! What can be found: an entry changed, taken away, put in or swapped; positions reordered, doubled or cut; hashes,
//! checkpoints and keys replaced. What an attacker rewrites as a whole, key included, only an old checkpoint kept
//! elsewhere can show: that is what [`Trust::checkpoints`] is for.

use std::collections::{BTreeMap, HashMap};

use diesel::prelude::*;
use serde::Serialize;

use super::checkpoint::{Checkpoint, VerifyingKey};
use super::leaf::Record;
use super::merkle::{self, Frontier, Hash};
use super::notary::Notary;
use super::tree::{self, TILE, tile_bucket};
use crate::db::Conn;
use crate::db::schema::{ledger_leaf, ledger_node};
use crate::db::types::IdSql;
use crate::kernel::ids::EntryId;
use crate::kernel::{Bucket, Error, Result};

/// Most faults that are told one by one.
const MOST: usize = 1_000;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What is wrong.
    pub what: &'static str,
    /// First position that is concerned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// Last position, where the fault lies somewhere in a range.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_position: Option<i64>,
    /// The entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entry_id: Option<EntryId>,
    /// Size of the checkpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<u64>,
    /// In words.
    pub detail: &'static str,
}

impl Fault {
    fn new(what: &'static str, detail: &'static str) -> Self {
        Self { what, position: None, to_position: None, entry_id: None, checkpoint: None, detail }
    }

    fn at(self, position: i64) -> Self {
        Self { position: Some(position), ..self }
    }

    fn to(self, position: i64) -> Self {
        Self { to_position: Some(position), ..self }
    }

    fn entry(self, id: EntryId) -> Self {
        Self { entry_id: Some(id), ..self }
    }

    fn of(self, checkpoint: u64) -> Self {
        Self { checkpoint: Some(checkpoint), ..self }
    }
}

/// What the check believes without proof.
#[derive(Default)]
pub struct Trust {
    /// The registry's own key and memory, where they are at hand.
    pub notary: Option<Notary>,
    /// A key that an auditor was given. It must have signed the checkpoints of its origin.
    pub key: Option<VerifyingKey>,
    /// Notes kept elsewhere: today's record must extend each of them.
    pub checkpoints: Vec<String>,
}

impl Trust {
    /// The key for an origin, if one is known.
    fn key(&self, origin: &str, epoch: Option<i64>) -> Option<VerifyingKey> {
        if let Some(key) = self.key.as_ref().filter(|k| k.name() == origin) {
            return Some(key.clone());
        }
        let notary = self.notary.as_ref()?;
        let epochs = epoch.map_or(1..=100, |e| e..=e);
        epochs.into_iter().find(|e| notary.origin(*e) == origin).map(|e| notary.key(e))
    }
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether nothing is wrong.
    pub ok: bool,
    /// Entries with a position.
    pub size: u64,
    /// Root of their tree, as the leaves give it.
    pub root: String,
    /// Entries that wait for a position.
    pub waiting: i64,
    /// Signed checkpoints that hold.
    pub checkpoints: usize,
    /// Faults in all; `faults` names at most 1,000.
    pub fault_count: usize,
    /// The faults, by position.
    pub faults: Vec<Fault>,
}

struct LeafRow {
    position: i64,
    entry_bucket: i16,
    entry_id: EntryId,
    hash: Vec<u8>,
}

/// Roots that the tree must have at some sizes, and who says so.
type Claims = BTreeMap<u64, Vec<(Hash, &'static str)>>;

struct Walk<'w> {
    conn: &'w mut Conn,
    frontier: Frontier,
    claims: Claims,
    held: usize,
    /// Positions before this one are proven by a checkpoint.
    proven: i64,
    count: usize,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn fault(&mut self, fault: Fault) {
        self.count += 1;
        if self.faults.len() < MOST {
            self.faults.push(fault);
        }
    }

    /// Compares what was claimed of this size.
    fn judge(&mut self) {
        let size = self.frontier.size();
        let Some(claims) = self.claims.remove(&size) else { return };
        let root = self.frontier.root();
        for (claimed, who) in claims {
            if claimed == root {
                self.held += 1;
                self.proven = i64::try_from(size).unwrap_or(self.proven);
            } else {
                let last = i64::try_from(size).unwrap_or(i64::MAX) - 1;
                // What an earlier checkpoint proves is not where it lies.
                let fault = Fault::new("checkpoint_differs", who).of(size);
                self.fault(fault.at(self.proven).to(last));
            }
        }
    }

    /// One tile of 256 positions, the last one as far as it goes; false where the tree cannot be followed further.
    fn tile(&mut self, first: i64, size: i64, every: &mut dyn FnMut(&Record) -> Result<()>) -> Result<bool> {
        let end = (first + TILE).min(size);
        let rows = leaves(self.conn, first, end)?;
        let keys: Vec<(i16, EntryId)> = rows.iter().map(|r| (r.entry_bucket, r.entry_id)).collect();
        let records: HashMap<EntryId, Record> = tree::records(self.conn, &keys)?.into_iter().map(|r| (r.id, r)).collect();
        let mut seen = HashMap::new();
        let mut hashes: Vec<Hash> = Vec::with_capacity(rows.len());
        let mut expected = first;
        for row in &rows {
            let LeafRow { position, entry_bucket, entry_id, hash } = row;
            let (position, entry_id) = (*position, *entry_id);
            if position > expected {
                self.fault(Fault::new("leaf_missing", "positions without a leaf").at(expected).to(position - 1));
            }
            expected = position + 1;
            if seen.insert(entry_id, position).is_some() {
                self.fault(Fault::new("entry_twice", "an entry has two positions").at(position).entry(entry_id));
            }
            let Ok(hash) = Hash::try_from(hash.as_slice()) else {
                self.fault(Fault::new("leaf_changed", "the hash of a leaf has another length").at(position).entry(entry_id));
                continue;
            };
            hashes.push(hash);
            match records.get(&entry_id) {
                None => self.fault(Fault::new("entry_missing", "the entry is not there").at(position).entry(entry_id)),
                Some(record) => {
                    if record.hash()? != hash || record.bucket != *entry_bucket {
                        let detail = "the entry is not the one that was sealed";
                        self.fault(Fault::new("entry_changed", detail).at(position).entry(entry_id));
                    } else if entry_id.bucket() != Bucket::new(record.bucket).unwrap_or(entry_id.bucket()) {
                        self.fault(
                            Fault::new("entry_misplaced", "the entry lies in another bucket").at(position).entry(entry_id),
                        );
                    }
                    every(record)?;
                }
            }
        }
        if expected < end {
            self.fault(Fault::new("leaf_missing", "positions without a leaf").at(expected).to(end - 1));
        }
        let whole = i64::try_from(hashes.len()).ok() == Some(end - first);
        if end - first == TILE {
            self.whole_tile(first, whole.then_some(hashes))
        } else {
            for hash in hashes {
                self.frontier.push(hash, |_| ());
                self.judge();
            }
            Ok(true)
        }
    }

    /// A complete tile: its leaves give the hash that the tree has for it, or the tree's own is taken to go on.
    fn whole_tile(&mut self, first: i64, hashes: Option<Vec<Hash>>) -> Result<bool> {
        let index = first / TILE;
        let kept = node(self.conn, 1, index)?;
        let given = hashes.clone().and_then(merkle::fold);
        match (given, kept) {
            (Some(given), Some(kept)) if given == kept => {}
            (Some(_), Some(_)) => {
                let detail = "leaves were reordered, put in or changed: their tree is not the one that was sealed";
                self.fault(Fault::new("tile_differs", detail).at(first).to(first + TILE - 1));
            }
            (_, None) => {
                self.fault(Fault::new("node_missing", "the hash of a tile is not there").at(first).to(first + TILE - 1))
            }
            (None, Some(_)) => {}
        }
        let before = self.frontier.clone();
        match (hashes, kept) {
            (Some(hashes), kept) if given == kept || kept.is_none() => {
                for hash in hashes {
                    self.frontier.push(hash, |_| ());
                    self.judge();
                }
            }
            (_, Some(kept)) => {
                // What was signed within this tile cannot be compared any more; the fault above stands for it.
                let end = before.size() + tree::counted(TILE)?;
                let within: Vec<u64> = self.claims.range(before.size() + 1..end).map(|(size, _)| *size).collect();
                for size in within {
                    self.claims.remove(&size);
                }
                self.frontier.push_tile(kept, |_| ());
                self.judge();
            }
            (_, None) => return Ok(false),
        }
        self.upper_nodes(index + 1)?;
        Ok(true)
    }

    /// The nodes of the upper levels that end here.
    fn upper_nodes(&mut self, tiles: i64) -> Result<()> {
        let (mut level, mut count) = (2_u32, tiles);
        while count > 0 && count % TILE == 0 {
            count /= TILE;
            let children = tree::level(self.conn, level - 1, (count - 1) * TILE..count * TILE)?;
            let given = merkle::fold(children);
            let number = i16::try_from(level).map_err(|_| Error::internal("level"))?;
            if given.is_none() || node(self.conn, number, count - 1)? != given {
                let leaves = TILE.pow(level);
                let detail = "the hash of a subtree is not that of its parts";
                self.fault(Fault::new("node_differs", detail).at((count - 1) * leaves).to(count * leaves - 1));
            }
            level += 1;
        }
        Ok(())
    }
}

fn leaves(conn: &mut Conn, from: i64, to: i64) -> Result<Vec<LeafRow>> {
    let rows: Vec<(i64, i16, EntryId, Vec<u8>)> = ledger_leaf::table
        .filter(ledger_leaf::bucket.eq(tile_bucket(from)))
        .filter(ledger_leaf::position.ge(from))
        .filter(ledger_leaf::position.lt(to))
        .select((ledger_leaf::position, ledger_leaf::entry_bucket, ledger_leaf::entry_id, ledger_leaf::hash))
        .order(ledger_leaf::position.asc())
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(position, entry_bucket, entry_id, hash)| LeafRow { position, entry_bucket, entry_id, hash })
        .collect())
}

fn node(conn: &mut Conn, level: i16, index: i64) -> Result<Option<Hash>> {
    let row: Option<Vec<u8>> = ledger_node::table
        .filter(ledger_node::bucket.eq(tile_bucket(index)))
        .filter(ledger_node::level.eq(level))
        .filter(ledger_node::position.eq(index))
        .select(ledger_node::hash)
        .first(conn)
        .optional()?;
    Ok(row.and_then(|h| h.try_into().ok()))
}

#[derive(QueryableByName)]
struct Loose {
    #[diesel(sql_type = IdSql)]
    id: EntryId,
}

fn loose(conn: &mut Conn, sql: &str) -> Result<Vec<EntryId>> {
    let rows: Vec<Loose> = crate::per_engine!(conn, c => diesel::sql_query(sql).load(c)?);
    Ok(rows.into_iter().map(|l| l.id).collect())
}

/// Positions that are there, up to the end.
fn last_position(conn: &mut Conn) -> Result<Option<i64>> {
    Ok(ledger_leaf::table.select(diesel::dsl::max(ledger_leaf::position)).first(conn)?)
}

/// Walks everything. `told` hears how far it is; `every` gets each entry in order.
pub fn verify(
    conn: &mut Conn,
    trust: &Trust,
    told: &mut dyn FnMut(u64, u64),
    every: &mut dyn FnMut(&Record) -> Result<()>,
) -> Result<Report> {
    // In this order: what is signed and sealed while this runs is never more than what is read after it.
    let (signed, mut faults) = collect(conn, trust)?;
    let beyond = last_position(conn)?.map_or(0, |p| p + 1);
    let head = tree::head(conn).unwrap_or_else(|_| {
        faults.push(Fault::new("head_changed", "the head of the tree does not fit its size"));
        None
    });
    let head = head.unwrap_or_default();
    let sealed = tree::stored(head.size())?;
    let size = sealed.max(beyond);
    if beyond > sealed {
        let fault = Fault::new("leaf_inserted", "leaves lie behind the head of the tree");
        faults.push(fault.at(sealed).to(beyond - 1));
    }
    let mut claims = Claims::new();
    for (signed, root, who) in signed {
        if signed > tree::counted(size)? {
            faults.push(Fault::new("entries_missing", who).of(signed).at(size));
        } else {
            claims.entry(signed).or_default().push((root, who));
        }
    }
    let count = faults.len();
    let mut walk = Walk { conn, frontier: Frontier::default(), claims, held: 0, proven: 0, count, faults };
    let mut first = 0;
    while first < size {
        let follows = walk.tile(first, size, every)?;
        first = (first + TILE).min(size);
        told(tree::counted(first)?, tree::counted(size)?);
        if !follows {
            break;
        }
    }
    if head.size() > 0 && walk.frontier.size() == head.size() && walk.frontier.root() != head.root() {
        let fault = Fault::new("head_changed", "the head of the tree is not that of its leaves");
        let proven = walk.proven;
        walk.fault(if proven < size { fault.at(proven).to(size - 1) } else { fault });
    }
    let root = walk.frontier.root();
    if walk.frontier.size() < tree::counted(size)? {
        // Leaves are missing at the end: nothing signed beyond them can be compared.
        let end = walk.frontier.size();
        let rest: Vec<u64> = walk.claims.range(end..).map(|(s, _)| *s).collect();
        for size in rest {
            walk.fault(Fault::new("checkpoint_unproven", "entries that were signed are missing").of(size));
        }
    }
    for id in loose(
        walk.conn,
        // Sets, not subqueries: both engines do this in one pass over a million rows.
        "SELECT id FROM ledger_entry EXCEPT SELECT entry_id FROM ledger_leaf EXCEPT SELECT entry_id FROM ledger_pending \
         ORDER BY id LIMIT 1000",
    )? {
        walk.fault(Fault::new("entry_inserted", "an entry has no position and waits for none").entry(id));
    }
    for id in loose(
        walk.conn,
        "SELECT p.entry_id AS id FROM ledger_pending p \
         WHERE NOT EXISTS (SELECT 1 FROM ledger_entry e WHERE e.bucket = p.bucket AND e.id = p.entry_id) LIMIT 1000",
    )? {
        walk.fault(Fault::new("entry_missing", "an entry waits for its position and is not there").entry(id));
    }
    for id in loose(
        walk.conn,
        "SELECT l.entry_id AS id FROM ledger_leaf l GROUP BY l.entry_id HAVING count(*) > 1 ORDER BY l.entry_id LIMIT 1000",
    )? {
        if !walk.faults.iter().any(|f| f.what == "entry_twice" && f.entry_id == Some(id)) {
            walk.fault(Fault::new("entry_twice", "an entry has two positions").entry(id));
        }
    }
    for id in loose(
        walk.conn,
        "SELECT d.id FROM (SELECT entry_id AS id, position FROM ledger_leaf \
         EXCEPT SELECT entry_id, position FROM ledger_lane) d ORDER BY d.position LIMIT 1000",
    )? {
        walk.fault(Fault::new("lane_missing", "the list of its agency does not show the entry").entry(id));
    }
    let (_, waiting) = super::sealer::progress(walk.conn)?;
    let Walk { held, count, faults, .. } = walk;
    Ok(Report {
        ok: count == 0,
        size: tree::counted(size)?,
        root: base64::Engine::encode(&base64::engine::general_purpose::STANDARD, root),
        waiting,
        checkpoints: held,
        fault_count: count,
        faults,
    })
}

type Claimed = Vec<(u64, Hash, &'static str)>;

/// What a note claims, if the key signed it.
fn claim(note: &str, key: Option<VerifyingKey>, who: &'static str) -> Result<(u64, Hash), Fault> {
    let read = Checkpoint::read(note).ok_or(Fault::new("checkpoint_unreadable", who))?;
    let unknown = "no key is known for the origin of a checkpoint: another key signed it";
    let key = key.ok_or(Fault::new("key_unknown", unknown).of(read.size))?;
    let verified = key.verify(note).ok_or(Fault::new("signature_wrong", who).of(read.size))?;
    Ok((verified.size, verified.root))
}

/// Everything that was signed: the checkpoints of the database, the notary's memory, and what the caller kept.
fn collect(conn: &mut Conn, trust: &Trust) -> Result<(Claimed, Vec<Fault>)> {
    let (mut claimed, mut faults) = (Vec::new(), Vec::new());
    let mut add = |note: &str, key: Option<VerifyingKey>, who: &'static str| match claim(note, key, who) {
        Ok((size, root)) => {
            claimed.push((size, root, who));
            Some((size, root))
        }
        Err(fault) => {
            faults.push(fault);
            None
        }
    };
    let origin = |note: &str| Checkpoint::read(note).map(|c| c.origin).unwrap_or_default();
    if let Some(notary) = &trust.notary
        && let Some((epoch, note)) = notary.remembered().map_err(Error::internal)?
    {
        add(&note, Some(notary.key(epoch)), "the record is not the one that was last signed");
    }
    for note in &trust.checkpoints {
        add(note, trust.key(&origin(note), None), "the record does not extend the checkpoint that was kept");
    }
    let (mut after, mut changed) = (None, Vec::new());
    loop {
        let page = tree::checkpoints(conn, after, 1_000)?;
        for signed in &page {
            let who = "a checkpoint of the database is not one that the registry's key signed of this record";
            if let Some((size, root)) = add(&signed.note, trust.key(&origin(&signed.note), Some(signed.epoch)), who)
                && (i64::try_from(size) != Ok(signed.size) || root.as_slice() != signed.root.as_slice())
            {
                let detail = "the row of a checkpoint does not say what its note says";
                changed.push(Fault::new("checkpoint_changed", detail).of(size));
            }
        }
        match page.last() {
            Some(last) => after = Some((last.epoch, last.size)),
            None => break,
        }
    }
    faults.extend(changed);
    Ok((claimed, faults))
}
