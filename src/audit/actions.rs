//! What can be asked of the record: reads only.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::model::Filter;
use super::store;
use super::wire::{AuditEntry, ConsistencyProof, InclusionProof, written};
use crate::act::Act;
use crate::db::{Conn, Store};
use crate::kernel::error::Fault;
use crate::kernel::ids::EntryId;
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, FaultCode, Result};
use crate::ledger::merkle;
use crate::ledger::tree::{self, Signed};

/// One page of entries.
pub async fn list_entries(
    store: &Store,
    act: &Act,
    filter: Filter,
    after: Option<After>,
    limit: Limit,
) -> Result<Page<AuditEntry>> {
    let scope = act.scope.clone();
    store.read(move |conn| Ok(store::list(conn, &scope, &filter, after.as_ref(), limit)?.map(AuditEntry::from))).await
}

/// One page of checkpoints, latest first.
pub async fn list_checkpoints(store: &Store, after: Option<After>, limit: Limit) -> Result<Page<Signed>> {
    let after = after
        .map(|a| -> Result<(i64, i64)> {
            let (epoch, size) = a.key.split_once(' ').ok_or(Error::InvalidCursor)?;
            Ok((epoch.parse().map_err(|_| Error::InvalidCursor)?, size.parse().map_err(|_| Error::InvalidCursor)?))
        })
        .transpose()?;
    let rows = store.read(move |conn| tree::checkpoints(conn, after, limit.fetch())).await?;
    Ok(Page::cut(rows, limit, |s| After { key: format!("{} {}", s.epoch, s.size), id: uuid::Uuid::nil() }))
}

/// The checkpoint of a size.
pub async fn read_checkpoint(store: &Store, size: i64) -> Result<Signed> {
    store.read(move |conn| tree::checkpoint_of(conn, size)?.ok_or(Error::NotFound)).await
}

fn size_of_tree(conn: &mut Conn) -> Result<u64> {
    Ok(tree::head(conn)?.map_or(0, |f| f.size()))
}

fn wrong(parameter: &str, code: FaultCode) -> Error {
    Error::InvalidParameter(vec![Fault::parameter(parameter, code)])
}

/// The proof that an entry is in the tree: of the size asked for, or of the newest checkpoint that covers it, or, before
/// there is one, of the tree as it is.
pub async fn prove_entry(store: &Store, act: &Act, id: EntryId, size: Option<u64>) -> Result<InclusionProof> {
    let scope = act.scope.clone();
    store
        .read(move |conn| {
            let record = tree::records(conn, &[id.key()])?.pop().ok_or(Error::NotFound)?;
            if !Filter::default().admits(&scope, &record) {
                return Err(Error::NotFound);
            }
            // What waits for its position is not in the tree yet: in a tenth of a second it is.
            let position = tree::position(conn, record.agency_code.as_deref(), id)?.ok_or(Error::NotFound)?;
            let index = tree::counted(position)?;
            let newest = tree::checkpoints(conn, None, 1)?.pop();
            let current = size_of_tree(conn)?;
            let signed = newest.and_then(|n| tree::counted(n.size).ok()).filter(|s| *s > index && *s <= current);
            let size = size.or(signed).unwrap_or(current);
            if size > current {
                return Err(wrong("size", FaultCode::Maximum));
            }
            let ranges = merkle::inclusion(index, size).ok_or_else(|| wrong("size", FaultCode::Minimum))?;
            let hashes = tree::hashes(conn, ranges)?;
            let root = tree::root_at(conn, size)?;
            let leaf = record.leaf()?;
            let stored = tree::stored(size)?;
            let checkpoint = tree::checkpoint_of(conn, stored)?.filter(|c| c.root == root).map(|c| c.note);
            Ok(InclusionProof {
                entry_id: id,
                position,
                size: stored,
                leaf_hash: STANDARD.encode(merkle::leaf_hash(&leaf)),
                leaf: String::from_utf8(leaf).map_err(|_| Error::internal("a leaf that is no text"))?,
                hashes: written(&hashes),
                root: STANDARD.encode(root),
                checkpoint,
            })
        })
        .await
}

/// The proof that the tree of `to` entries extends that of `from`.
pub async fn prove_extension(store: &Store, from: u64, to: u64) -> Result<ConsistencyProof> {
    store
        .read(move |conn| {
            if to > size_of_tree(conn)? {
                return Err(wrong("to", FaultCode::Maximum));
            }
            let ranges = merkle::consistency(from, to).ok_or_else(|| wrong("from", FaultCode::Maximum))?;
            let hashes = tree::hashes(conn, ranges)?;
            Ok(ConsistencyProof {
                from: tree::stored(from)?,
                from_root: STANDARD.encode(tree::root_at(conn, from)?),
                to: tree::stored(to)?,
                to_root: STANDARD.encode(tree::root_at(conn, to)?),
                hashes: written(&hashes),
            })
        })
        .await
}
