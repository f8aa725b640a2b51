//! SQL of the receipts.

use diesel::prelude::*;

use super::model::Referral;
use super::receipts::{Event, Receipt, Signed};
use crate::act::Act;
use crate::db::schema::referral_receipt as t;
use crate::db::{Conn, Json};
use crate::kernel::ids::ReceiptId;
use crate::kernel::{Error, Result, Timestamp};
use crate::vault::{self, Guarded};

impl Guarded for Signed {
    const PLACE: &'static str = "referral_receipt.detail";
    const SECRET: &'static [&'static str] = &["jws"];
}

/// Keeps a receipt, in the transaction that earned it.
pub fn insert(tx: &mut Conn, act: &Act, of: &Referral, receipt: &Receipt) -> Result<()> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a receipt without a client"))?;
    let (bucket, id) = receipt.id.key();
    diesel::insert_into(t::table)
        .values((
            t::bucket.eq(bucket),
            t::id.eq(id),
            t::referral_id.eq(of.id),
            t::event.eq(code(receipt.event)),
            t::at.eq(receipt.at),
            t::detail.eq(vault::seal(tx, of.case, receipt.id, &receipt.detail)?),
            t::created_by_agency.eq(act.agency().as_str()),
            t::created_by_client.eq(client),
        ))
        .execute(tx)?;
    Ok(())
}

fn code(event: Event) -> &'static str {
    match event {
        Event::Sent => "sent",
        Event::Received => "received",
    }
}

/// The receipts of a referral, oldest first.
pub fn of_referral(conn: &mut Conn, of: &Referral) -> Result<Vec<Receipt>> {
    let (bucket, referral) = of.id.key();
    let rows: Vec<(ReceiptId, String, Timestamp, Json)> = t::table
        .filter(t::bucket.eq(bucket))
        .filter(t::referral_id.eq(referral))
        .select((t::id, t::event, t::at, t::detail))
        .order(t::id.asc())
        .limit(10)
        .load(conn)?;
    let keys = vault::keys(conn, [of.case])?;
    rows.into_iter()
        .map(|(id, event, at, detail)| {
            let event = [Event::Sent, Event::Received].into_iter().find(|e| code(*e) == event);
            let event = event.ok_or_else(|| Error::internal("event of a receipt"))?;
            Ok(Receipt { id, event, at, detail: keys.open(of.case, id, &detail)? })
        })
        .collect()
}
