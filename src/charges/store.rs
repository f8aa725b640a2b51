//! SQL of the charges.

use diesel::prelude::*;

use super::model::{Charge, ChargeDetail};
use super::moves::{Moved, Step};
use crate::act::Act;
use crate::db::schema::charge as t;
use crate::db::{Conn, Json, Keep};
use crate::insert_many;
use crate::kernel::ids::{AccusedId, CaseId, ChargeId, ResourceId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{AgencyCode, Error, PartialDate, Result, Timestamp};
use crate::ledger::{Action, Entry};
use crate::persons::merges;
use crate::transitions::{self, Done, LegalAct, Reach};
use crate::vault::{self, Guarded, Keys, Mint};

type Row = (ChargeId, i64, CaseId, AccusedId, String, String, String, Json, Timestamp, String, Timestamp);

#[diesel::dsl::auto_type(no_type_alias)]
fn columns() -> _ {
    (
        t::id,
        t::version,
        t::case_id,
        t::accused_id,
        t::offence_code,
        t::offence_version,
        t::state,
        t::detail,
        t::created_at,
        t::created_by_agency,
        t::updated_at,
    )
}

impl Guarded for ChargeDetail {
    const PLACE: &'static str = "charge.detail";
    const SECRET: &'static [&'static str] = &["verdicts/*/out_of_band_reason", "verdicts/*/court"];
}

fn charge(row: Row, keys: &Keys) -> Result<Charge> {
    let (id, version, case, accused, offence_code, offence_version, state, detail, created_at, agency, updated_at) = row;
    Ok(Charge {
        id,
        version,
        case,
        accused,
        offence_code,
        offence_version,
        state,
        detail: keys.open(case, id, &detail)?,
        created_at,
        created_by_agency: AgencyCode::parse(&agency).ok_or_else(|| Error::internal("agency code in charge"))?,
        updated_at,
        merged: Vec::new(),
    })
}

/// Says of charges which of the records that they name were merged away.
pub fn redirect(conn: &mut Conn, charges: &mut [Charge]) -> Result<()> {
    let named = |charge: &Charge| -> Vec<ResourceId> {
        std::iter::once(charge.accused.erase()).chain(charge.detail.victims.iter().map(|v| v.erase())).collect()
    };
    let merged = merges::redirected(conn, charges.iter().flat_map(named).collect::<Vec<_>>())?;
    for charge in charges.iter_mut().filter(|_| !merged.is_empty()) {
        let named = named(charge);
        charge.merged = merged.iter().filter(|one| named.contains(&one.record_id)).copied().collect();
    }
    Ok(())
}

/// Seals the charges of a new case under its key.
pub fn seal(charges: &[Charge], mint: &mut Mint<'_>) -> Result<Vec<Json>> {
    charges.iter().map(|charge| mint.seal(charge.case, charge.id, &charge.detail)).collect()
}

/// Inserts charges; answers the ledger entries.
pub fn insert(tx: &mut Conn, act: &Act, charges: &[Charge]) -> Result<Vec<Entry>> {
    let sealed = charges.iter().map(|c| vault::seal(tx, c.case, c.id, &c.detail)).collect::<Result<Vec<_>>>()?;
    put_new(tx, act, &charges.iter().zip(&sealed).collect::<Vec<_>>())
}

/// Inserts charges that are sealed; answers the ledger entries.
pub fn put_new(tx: &mut Conn, act: &Act, rows: &[(&Charge, &Json)]) -> Result<Vec<Entry>> {
    let client = act.actor.client.ok_or_else(|| Error::internal("a charge without a client"))?;
    insert_many!(tx, "charge", rows, (charge, detail) => {
        "bucket" smallint = charge.id.bucket().number(),
        "id" uuid = charge.id,
        "case_id" uuid = charge.case,
        "accused_id" uuid = charge.accused,
        "offence_code" text = charge.offence_code.as_str(),
        "offence_version" text = charge.offence_version.as_str(),
        "state" text = charge.state.as_str(),
        "detail" jsonb = *detail,
        "version" bigint = charge.version,
        "created_at" timestamptz = charge.created_at,
        "created_by_agency" text = charge.created_by_agency.as_str(),
        "created_by_client" uuid = client,
        "updated_at" timestamptz = charge.updated_at,
    });
    Ok(rows.iter().map(|(charge, _)| Entry::new(Action::Created, charge.id, Some(1))).collect())
}

/// Most charges that one case is moved with.
const MOST: i64 = 1_000;

/// Every charge of a case, oldest first.
pub fn of_case(conn: &mut Conn, case: CaseId) -> Result<Vec<Charge>> {
    let rows: Vec<Row> = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .select(columns())
        .order(t::id.asc())
        .limit(MOST)
        .load(conn)?;
    let keys = vault::keys(conn, [case])?;
    rows.into_iter().map(|row| charge(row, &keys)).collect()
}

/// Writes charges that moved, with the record of each step; answers the ledger entries.
pub fn put(tx: &mut Conn, act: &Act, moved: &[Moved], by: &Basis) -> Result<Vec<Entry>> {
    let mut entries = Vec::with_capacity(moved.len());
    for Moved { charge, read_at, steps } in moved {
        update(tx, charge, *read_at)?;
        for Step { trigger, from, to, version } in steps {
            let Basis { legal_act, effective_on, reason, actor, case } = by;
            let done = Done {
                id: act.id(charge.id.bucket()),
                trigger: trigger.clone(),
                from: from.clone(),
                to: to.clone(),
                legal_act: legal_act.clone(),
                effective_on: Some(*effective_on),
                reason: reason.clone(),
                version: *version,
                reach: Reach { actor: actor.clone(), charges: Vec::new(), case: *case },
            };
            transitions::append(tx, act, charge.case, charge.id, &done)?;
            let entry = Entry::new(Action::Transitioned, charge.id, Some(*version)).moved(trigger, from, to);
            entries.push(entry);
        }
    }
    Ok(entries)
}

/// On what moves of charges rest.
#[derive(Clone, Debug)]
pub struct Basis {
    /// The act.
    pub legal_act: Option<LegalAct>,
    /// Day from which it counts.
    pub effective_on: PartialDate,
    /// Why.
    pub reason: Option<String>,
    /// Whose act.
    pub actor: Option<String>,
    /// The case, where a move of it carried them.
    pub case: Option<CaseId>,
}

/// A charge, whoever asks: the caller's sight of its case must be checked before it is shown.
pub fn find(conn: &mut Conn, id: ChargeId) -> Result<Charge> {
    let (bucket, id) = id.key();
    let row: Row = t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).select(columns()).first(conn)?;
    let keys = vault::keys(conn, [row.2])?;
    let mut charge = charge(row, &keys)?;
    redirect(conn, std::slice::from_mut(&mut charge))?;
    Ok(charge)
}

/// Writes a changed charge over the version that it was read at.
pub fn update(tx: &mut Conn, charge: &Charge, read_at: i64) -> Result<()> {
    let (bucket, id) = charge.id.key();
    let moved = diesel::update(t::table.filter(t::bucket.eq(bucket)).filter(t::id.eq(id)).filter(t::version.eq(read_at)))
        .set((
            t::offence_code.eq(&charge.offence_code),
            t::offence_version.eq(&charge.offence_version),
            t::state.eq(&charge.state),
            t::detail.eq(vault::seal(tx, charge.case, id, &charge.detail)?),
            t::version.eq(charge.version),
            t::updated_at.eq(charge.updated_at),
        ))
        .kept()
        .execute(tx)?;
    if moved == 0 { Err(Error::PreconditionFailed { current_version: read_at + 1 }) } else { Ok(()) }
}

/// What a list of a case's charges asks for.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Against this accused.
    pub accused: Option<AccusedId>,
    /// For this offence.
    pub offence_code: Option<String>,
    /// In this state.
    pub state: Option<String>,
}

/// One page of a case's charges. A case has few: the index by case is enough for every filter.
pub fn list(conn: &mut Conn, case: CaseId, filter: &Filter, after: Option<&After>, limit: Limit) -> Result<Page<Charge>> {
    let Filter { accused, offence_code, state } = filter;
    let mut query = t::table
        .filter(t::bucket.eq(case.bucket().number()))
        .filter(t::case_id.eq(case))
        .select(columns())
        .order(t::id.asc())
        .limit(limit.fetch())
        .into_boxed();
    if let Some(accused) = accused {
        query = query.filter(t::accused_id.eq(accused));
    }
    if let Some(code) = offence_code {
        query = query.filter(t::offence_code.eq(code));
    }
    if let Some(state) = state {
        query = query.filter(t::state.eq(state));
    }
    if let Some(after) = after {
        query = query.filter(t::id.gt(ChargeId::from_uuid(after.id)));
    }
    let rows: Vec<Row> = query.load(conn)?;
    let keys = vault::keys(conn, [case])?;
    let mut charges = rows.into_iter().map(|row| charge(row, &keys)).collect::<Result<Vec<_>>>()?;
    redirect(conn, &mut charges)?;
    Ok(Page::cut(charges, limit, |c| After { key: String::new(), id: c.id.uuid() }))
}
