//! SQL of the batches that were done: where what each operation made is, for whoever asks with the same key again.

use diesel::prelude::*;
use serde::{Deserialize, Serialize};

use crate::act::Act;
use crate::db::schema::batch as t;
use crate::db::{Clear, Conn, Json};
use crate::http::idempotency::KEPT_HOURS;
use crate::kernel::ids::BatchId;
use crate::kernel::{Bucket, Error, Result, Timestamp};

/// What is remembered of an operation's answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Done {
    /// Its name.
    pub id: String,
    /// Its status.
    pub status: u16,
    /// Where what it made is.
    pub location: Option<String>,
    /// Its tag.
    pub etag: Option<String>,
}

/// Names, statuses, paths of ids, tags: no content.
impl Clear for Done {}

/// Remembers a batch, in its transaction.
pub fn insert(tx: &mut Conn, act: &Act, id: BatchId, done: &[Done]) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a batch without a client"))?;
    let (bucket, id) = id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::answers.eq(Json::of(&done.to_vec())?),
            t::created_at.eq(act.now),
            t::created_by_agency.eq(act.agency().as_str()),
            t::created_by_client.eq(client),
        ))
        .execute(tx)?;
    Ok(())
}

/// What a batch did.
pub fn find(conn: &mut Conn, id: BatchId) -> Result<Vec<Done>> {
    let (bucket, id) = id.key();
    let answers: Json = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(t::answers).first(conn)?;
    answers.read()
}

/// Forgets the batches of one bucket whose keys are forgotten too; answers how many.
pub fn forget(tx: &mut Conn, bucket: Bucket, now: Timestamp) -> Result<usize> {
    let old = now.plus_seconds(-KEPT_HOURS * 3_600);
    Ok(diesel::delete(t::table.filter(t::bucket.eq(bucket.number())).filter(t::created_at.lt(old))).execute(tx)?)
}
