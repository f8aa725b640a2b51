//! The tree as it is stored: leaves, complete subtrees, head and checkpoints. Owns their SQL; nothing here updates or
//! deletes a leaf, a node or a checkpoint.
//!
//! A leaf row holds its hash, a node row that of a complete subtree of 256 leaves, 65,536 leaves …, 256 rows of one level
//! share a bucket: any proof of any size is a few ranges of one bucket each.

use std::ops::Range;

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Binary, Nullable, SmallInt, Text};

use super::leaf::Record;
use super::merkle::{self, Frontier, Hash, LEVEL_BITS};
use crate::db::schema::{ledger_checkpoint, ledger_entry, ledger_head, ledger_lane, ledger_leaf, ledger_node};
use crate::db::types::{IdSql, JsonSql, TimeSql};
use crate::db::{Conn, Json};
use crate::kernel::agency_code::lane_bucket;
use crate::kernel::ids::{BUCKETS, ClientId, EntryId, ResourceId};
use crate::kernel::{Error, Result, Timestamp};
use crate::per_engine;

/// Name of the log in its rows: a registry has one.
pub const LOG: &str = "main";
/// Lane of entries that no agency stands behind: the operator's. Lower case, so it can be no agency's code.
pub const OPERATOR_LANE: &str = "operator";
/// Leaves of a tile.
pub const TILE: i64 = 1 << LEVEL_BITS;

/// Bucket of the tile in which a position of a level lies.
pub fn tile_bucket(position: i64) -> i16 {
    i16::try_from((position / TILE) % i64::from(BUCKETS)).unwrap_or(0)
}

/// A position as the store counts.
pub fn stored(position: u64) -> Result<i64> {
    i64::try_from(position).map_err(|_| Error::internal("position out of range"))
}

/// A position as the tree counts.
pub fn counted(position: i64) -> Result<u64> {
    u64::try_from(position).map_err(|_| Error::internal("negative position"))
}

fn hash_of(bytes: &[u8]) -> Result<Hash> {
    bytes.try_into().map_err(|_| Error::internal("a hash of another length"))
}

/// The right edge of the tree; none before the first entry is sealed.
pub fn head(conn: &mut Conn) -> Result<Option<Frontier>> {
    let row: Option<(i64, Vec<u8>)> = ledger_head::table
        .filter(ledger_head::bucket.eq(0))
        .filter(ledger_head::name.eq(LOG))
        .select((ledger_head::size, ledger_head::frontier))
        .first(conn)
        .optional()?;
    row.map(|(size, bytes)| {
        Frontier::read(counted(size)?, &bytes).ok_or_else(|| Error::internal("the head of the ledger does not fit its size"))
    })
    .transpose()
}

/// Hashes of one level in order, all in one tile; fewer than asked for where rows are missing.
pub fn level(conn: &mut Conn, level: u32, range: Range<i64>) -> Result<Vec<Hash>> {
    let bucket = tile_bucket(range.start);
    let rows: Vec<Vec<u8>> = if level == 0 {
        ledger_leaf::table
            .filter(ledger_leaf::bucket.eq(bucket))
            .filter(ledger_leaf::position.ge(range.start))
            .filter(ledger_leaf::position.lt(range.end))
            .select(ledger_leaf::hash)
            .order(ledger_leaf::position.asc())
            .limit(TILE)
            .load(conn)?
    } else {
        ledger_node::table
            .filter(ledger_node::bucket.eq(bucket))
            .filter(ledger_node::level.eq(i16::try_from(level).map_err(|_| Error::internal("level"))?))
            .filter(ledger_node::position.ge(range.start))
            .filter(ledger_node::position.lt(range.end))
            .select(ledger_node::hash)
            .order(ledger_node::position.asc())
            .limit(TILE)
            .load(conn)?
    };
    rows.iter().map(|r| hash_of(r)).collect()
}

/// Hash of the complete subtree of this height: from the hashes of the level below it.
fn complete(conn: &mut Conn, height: u32, index: u64) -> Result<Hash> {
    let rest = height % LEVEL_BITS;
    let range = stored(index << rest)?..stored((index + 1) << rest)?;
    let wanted = range.end - range.start;
    let hashes = level(conn, height / LEVEL_BITS, range)?;
    if i64::try_from(hashes.len()).ok() != Some(wanted) {
        return Err(Error::internal("the tree of the ledger has a hole"));
    }
    merkle::fold(hashes).ok_or_else(|| Error::internal("an empty subtree"))
}

/// Root of the tree as it was at a size.
pub fn root_at(conn: &mut Conn, size: u64) -> Result<Hash> {
    merkle::range_hash(0..size, &mut |height, index| complete(conn, height, index))
}

/// Hashes of ranges of leaves: what a proof consists of.
pub fn hashes(conn: &mut Conn, ranges: Vec<Range<u64>>) -> Result<Vec<Hash>> {
    ranges.into_iter().map(|r| merkle::range_hash(r, &mut |height, index| complete(conn, height, index))).collect()
}

/// Where an entry lies in the tree; none while it waits.
pub fn position(conn: &mut Conn, agency: Option<&str>, id: EntryId) -> Result<Option<i64>> {
    let lane = agency.unwrap_or(OPERATOR_LANE);
    Ok(ledger_lane::table
        .filter(ledger_lane::bucket.eq(lane_bucket(lane).number()))
        .filter(ledger_lane::agency_code.eq(lane))
        .filter(ledger_lane::entry_id.eq(id))
        .select(ledger_lane::position)
        .first(conn)
        .optional()?)
}

#[derive(QueryableByName)]
struct RecordRow {
    #[diesel(sql_type = SmallInt)]
    bucket: i16,
    #[diesel(sql_type = IdSql)]
    id: EntryId,
    #[diesel(sql_type = TimeSql)]
    at: Timestamp,
    #[diesel(sql_type = Nullable<IdSql>)]
    client_id: Option<ClientId>,
    #[diesel(sql_type = Nullable<Text>)]
    agency_code: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    user_ref: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    purpose: Option<String>,
    #[diesel(sql_type = IdSql)]
    request_id: ResourceId,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    resource_type: String,
    #[diesel(sql_type = IdSql)]
    resource_id: ResourceId,
    #[diesel(sql_type = Nullable<BigInt>)]
    version: Option<i64>,
    #[diesel(sql_type = Nullable<JsonSql>)]
    payload: Option<Json>,
}

type RecordTuple = (
    i16,
    EntryId,
    Timestamp,
    Option<ClientId>,
    Option<String>,
    Option<String>,
    Option<String>,
    ResourceId,
    String,
    String,
    ResourceId,
    Option<i64>,
    Option<Json>,
);

/// The columns of a record, in the order of [`record`].
#[diesel::dsl::auto_type(no_type_alias)]
pub fn columns() -> _ {
    (
        ledger_entry::bucket,
        ledger_entry::id,
        ledger_entry::at,
        ledger_entry::client_id,
        ledger_entry::agency_code,
        ledger_entry::user_ref,
        ledger_entry::purpose,
        ledger_entry::request_id,
        ledger_entry::action,
        ledger_entry::resource_type,
        ledger_entry::resource_id,
        ledger_entry::version,
        ledger_entry::payload,
    )
}

/// A record from its columns.
pub fn record(row: RecordTuple) -> Record {
    let (
        bucket,
        id,
        at,
        client_id,
        agency_code,
        user_ref,
        purpose,
        request_id,
        action,
        resource_type,
        resource_id,
        version,
        payload,
    ) = row;
    Record {
        bucket,
        id,
        at,
        client_id,
        agency_code,
        user_ref,
        purpose,
        request_id,
        action,
        resource_type,
        resource_id,
        version,
        payload,
    }
}

/// The entries of these keys, in no order; those that are not there are left out.
pub fn records(conn: &mut Conn, keys: &[(i16, EntryId)]) -> Result<Vec<Record>> {
    match conn {
        Conn::Postgres(c) => {
            // Pair by pair: `bucket = ANY AND id = ANY` would try every bucket with every id.
            let rows: Vec<RecordRow> = diesel::sql_query(
                "SELECT e.bucket, e.id, e.at, e.client_id, e.agency_code, e.user_ref, e.purpose, e.request_id, e.action, \
                 e.resource_type, e.resource_id, e.version, e.payload \
                 FROM unnest($1::smallint[], $2::uuid[]) AS w (bucket, id) \
                 JOIN ledger_entry e ON e.bucket = w.bucket AND e.id = w.id",
            )
            .bind::<Array<SmallInt>, _>(keys.iter().map(|k| k.0).collect::<Vec<_>>())
            .bind::<Array<IdSql>, _>(keys.iter().map(|k| k.1).collect::<Vec<_>>())
            .load(c)?;
            Ok(rows
                .into_iter()
                .map(|row| {
                    let RecordRow {
                        bucket,
                        id,
                        at,
                        client_id,
                        agency_code,
                        user_ref,
                        purpose,
                        request_id,
                        action,
                        resource_type,
                        resource_id,
                        version,
                        payload,
                    } = row;
                    Record {
                        bucket,
                        id,
                        at,
                        client_id,
                        agency_code,
                        user_ref,
                        purpose,
                        request_id,
                        action,
                        resource_type,
                        resource_id,
                        version,
                        payload,
                    }
                })
                .collect())
        }
        Conn::Sqlite(c) => {
            let mut found = Vec::with_capacity(keys.len());
            for (bucket, id) in keys {
                let row: Option<RecordTuple> = ledger_entry::table
                    .filter(ledger_entry::bucket.eq(*bucket))
                    .filter(ledger_entry::id.eq(*id))
                    .select(columns())
                    .first(c)
                    .optional()?;
                found.extend(row.map(record));
            }
            Ok(found)
        }
    }
}

/// An entry on its way to a position.
#[derive(Clone, Debug)]
pub struct NewLeaf {
    /// Shard of the entry.
    pub entry_bucket: i16,
    /// The entry.
    pub entry_id: EntryId,
    /// Its lane: agency or operator.
    pub lane: String,
    /// Hash of its leaf.
    pub hash: Hash,
}

/// Gives leaves the positions from the frontier on: leaves, lanes, the subtrees that become complete, and the new head.
/// Compare and swap: false if another sealer moved the head meanwhile, and then nothing may be committed.
pub fn grow(tx: &mut Conn, from: &Frontier, leaves: &[NewLeaf]) -> Result<bool> {
    let mut frontier = from.clone();
    let mut nodes = Vec::new();
    let start = stored(from.size())?;
    for leaf in leaves {
        frontier.push(leaf.hash, |node| nodes.push(node));
    }
    let positions: Vec<i64> = (start..).take(leaves.len()).collect();
    match tx {
        Conn::Postgres(c) => {
            diesel::sql_query(
                "INSERT INTO ledger_leaf (bucket, position, entry_bucket, entry_id, hash) \
                 SELECT * FROM unnest($1::smallint[], $2::bigint[], $3::smallint[], $4::uuid[], $5::bytea[])",
            )
            .bind::<Array<SmallInt>, _>(positions.iter().map(|p| tile_bucket(*p)).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(&positions)
            .bind::<Array<SmallInt>, _>(leaves.iter().map(|l| l.entry_bucket).collect::<Vec<_>>())
            .bind::<Array<IdSql>, _>(leaves.iter().map(|l| l.entry_id).collect::<Vec<_>>())
            .bind::<Array<Binary>, _>(leaves.iter().map(|l| l.hash.as_slice()).collect::<Vec<_>>())
            .execute(c)?;
            diesel::sql_query(
                "INSERT INTO ledger_lane (bucket, agency_code, entry_id, position) \
                 SELECT * FROM unnest($1::smallint[], $2::text[], $3::uuid[], $4::bigint[])",
            )
            .bind::<Array<SmallInt>, _>(leaves.iter().map(|l| lane_bucket(&l.lane).number()).collect::<Vec<_>>())
            .bind::<Array<Text>, _>(leaves.iter().map(|l| l.lane.as_str()).collect::<Vec<_>>())
            .bind::<Array<IdSql>, _>(leaves.iter().map(|l| l.entry_id).collect::<Vec<_>>())
            .bind::<Array<BigInt>, _>(&positions)
            .execute(c)?;
        }
        Conn::Sqlite(c) => {
            for (leaf, position) in leaves.iter().zip(&positions) {
                diesel::insert_into(ledger_leaf::table)
                    .values((
                        ledger_leaf::bucket.eq(tile_bucket(*position)),
                        ledger_leaf::position.eq(position),
                        ledger_leaf::entry_bucket.eq(leaf.entry_bucket),
                        ledger_leaf::entry_id.eq(leaf.entry_id),
                        ledger_leaf::hash.eq(leaf.hash.as_slice()),
                    ))
                    .execute(c)?;
                diesel::insert_into(ledger_lane::table)
                    .values((
                        ledger_lane::bucket.eq(lane_bucket(&leaf.lane).number()),
                        ledger_lane::agency_code.eq(&leaf.lane),
                        ledger_lane::entry_id.eq(leaf.entry_id),
                        ledger_lane::position.eq(position),
                    ))
                    .execute(c)?;
            }
        }
    }
    for node in nodes {
        let index = stored(node.index)?;
        diesel::insert_into(ledger_node::table)
            .values((
                ledger_node::bucket.eq(tile_bucket(index)),
                ledger_node::level.eq(i16::try_from(node.level).map_err(|_| Error::internal("level"))?),
                ledger_node::position.eq(index),
                ledger_node::hash.eq(node.hash.as_slice()),
            ))
            .execute(tx)?;
    }
    let (size, bytes) = (stored(frontier.size())?, frontier.bytes());
    let moved = diesel::update(
        ledger_head::table
            .filter(ledger_head::bucket.eq(0))
            .filter(ledger_head::name.eq(LOG))
            .filter(ledger_head::size.eq(start)),
    )
    .set((ledger_head::size.eq(size), ledger_head::frontier.eq(&bytes)))
    .execute(tx)?;
    if moved > 0 {
        return Ok(true);
    }
    if start > 0 {
        return Ok(false);
    }
    let made = per_engine!(tx, c => diesel::insert_into(ledger_head::table)
        .values((
            ledger_head::bucket.eq(0),
            ledger_head::name.eq(LOG),
            ledger_head::size.eq(size),
            ledger_head::frontier.eq(&bytes),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    Ok(made > 0)
}

/// A checkpoint as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Which origin of this registry: the first, or one opened after a restore.
    pub epoch: i64,
    /// Entries that it covers.
    pub size: i64,
    /// Root of their tree.
    pub root: Vec<u8>,
    /// When it was signed.
    pub at: Timestamp,
    /// The signed note.
    pub note: String,
}

type SignedRow = (i64, i64, Vec<u8>, Timestamp, String);

#[diesel::dsl::auto_type(no_type_alias)]
fn signed_columns() -> _ {
    (
        ledger_checkpoint::epoch,
        ledger_checkpoint::size,
        ledger_checkpoint::root,
        ledger_checkpoint::at,
        ledger_checkpoint::note,
    )
}

fn signed((epoch, size, root, at, note): SignedRow) -> Signed {
    Signed { epoch, size, root, at, note }
}

/// Checkpoints, latest first, from the one after `(epoch, size)` on.
pub fn checkpoints(conn: &mut Conn, after: Option<(i64, i64)>, limit: i64) -> Result<Vec<Signed>> {
    let mut query = ledger_checkpoint::table
        .filter(ledger_checkpoint::bucket.eq(0))
        .filter(ledger_checkpoint::name.eq(LOG))
        .select(signed_columns())
        .order((ledger_checkpoint::epoch.desc(), ledger_checkpoint::size.desc()))
        .limit(limit)
        .into_boxed();
    if let Some((epoch, size)) = after {
        query = query.filter(
            ledger_checkpoint::epoch.lt(epoch).or(ledger_checkpoint::epoch.eq(epoch).and(ledger_checkpoint::size.lt(size))),
        );
    }
    let rows: Vec<SignedRow> = query.load(conn)?;
    Ok(rows.into_iter().map(signed).collect())
}

/// The newest checkpoint of exactly this size, whichever origin it is of.
pub fn checkpoint_of(conn: &mut Conn, size: i64) -> Result<Option<Signed>> {
    let Some(newest) = checkpoints(conn, None, 1)?.pop() else { return Ok(None) };
    for epoch in (1..=newest.epoch).rev() {
        let row: Option<SignedRow> = ledger_checkpoint::table
            .filter(ledger_checkpoint::bucket.eq(0))
            .filter(ledger_checkpoint::name.eq(LOG))
            .filter(ledger_checkpoint::epoch.eq(epoch))
            .filter(ledger_checkpoint::size.eq(size))
            .select(signed_columns())
            .first(conn)
            .optional()?;
        if let Some(row) = row {
            return Ok(Some(signed(row)));
        }
    }
    Ok(None)
}

/// Keeps a checkpoint; the same one a second time changes nothing.
pub fn keep(tx: &mut Conn, checkpoint: &Signed) -> Result<()> {
    let Signed { epoch, size, root, at, note } = checkpoint;
    per_engine!(tx, c => diesel::insert_into(ledger_checkpoint::table)
        .values((
            ledger_checkpoint::bucket.eq(0),
            ledger_checkpoint::name.eq(LOG),
            ledger_checkpoint::epoch.eq(epoch),
            ledger_checkpoint::size.eq(size),
            ledger_checkpoint::root.eq(root),
            ledger_checkpoint::at.eq(at),
            ledger_checkpoint::note.eq(note),
        ))
        .on_conflict_do_nothing()
        .execute(c)?);
    Ok(())
}
