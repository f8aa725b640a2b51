//! One page of an export: the records of some cases, as the caller sees them, and what is to be recorded of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::model::{ACCUSED, ACCUSED_IDENTITIES, CASES, CHARGES, Lines, REFERRALS, Sheet, VICTIM_IDENTITIES, VICTIMS};
use super::wire::{ExportCreate, ExportType};
use crate::act::Act;
use crate::cases::docket::Filter;
use crate::cases::model::Case;
use crate::cases::wire::CaseSort;
use crate::cases::{Section, Sight, restriction, store as cases};
use crate::db::Conn;
use crate::kernel::ids::{CaseId, ClientId};
use crate::kernel::page::{After, Limit, Page};
use crate::kernel::{Error, Result};
use crate::ledger::{Action, Entry};
use crate::referrals::store::Side;
use crate::{accused, charges, referrals, victims};

/// Cases of one page.
const ROWS: u16 = 50;

/// Where an export goes on.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// Among the cases.
    Cases(Option<After>),
    /// Among the referrals received.
    Received(Option<After>),
    /// Among the referrals written.
    Written(Option<After>),
    /// Behind the last one.
    End,
}

/// The records of a page.
#[derive(Debug)]
pub struct Sheaf {
    format: Lines,
    /// Text and number of records, by the name of the sheet.
    pub texts: BTreeMap<&'static str, (Vec<u8>, i64)>,
    /// What the ledger is told: every record shown, every person in an entry of her or his own.
    pub entries: Vec<Entry>,
    /// Identities in it.
    pub persons: i64,
    /// Cases and referrals in it.
    pub rows: i64,
    /// Cases and referrals that are restricted, and so not in it.
    pub withheld: i64,
    /// Where the next page begins.
    pub next: Place,
}

impl Sheaf {
    /// The persons whose identities are in it.
    pub fn identities(&self) -> impl Iterator<Item = Uuid> {
        let named = |e: &&Entry| ["victim_identity", "accused_identity"].contains(&e.resource_type);
        self.entries.iter().filter(named).map(|e| e.resource_id.uuid())
    }

    fn withhold(&mut self, records: usize) {
        self.withheld += i64::try_from(records).unwrap_or(i64::MAX);
    }

    fn put<T: Serialize>(&mut self, sheet: Sheet, record: &T) -> Result<()> {
        let record = serde_json::to_value(record).map_err(|_| Error::internal("a record cannot be written"))?;
        let (text, count) = self.texts.entry(sheet.name).or_default();
        *count += 1;
        sheet.write(self.format, &record, text)
    }
}

/// Which cases an order is of.
pub fn filter(order: &ExportCreate) -> Filter {
    Filter {
        reported_from: order.reported_from,
        reported_to: order.reported_to,
        updated_from: order.updated_from,
        ..Filter::default()
    }
}

/// Reads the page at a place. Its entries must be written before anybody reads it.
pub fn read(conn: &mut Conn, act: &Act, client: ClientId, order: &ExportCreate, format: Lines, at: &Place) -> Result<Sheaf> {
    let mut sheaf =
        Sheaf { format, texts: BTreeMap::new(), entries: Vec::new(), persons: 0, rows: 0, withheld: 0, next: Place::End };
    let limit = Limit::new(ROWS).unwrap_or(Limit::DEFAULT);
    let referrals = order.types.contains(&ExportType::Referral);
    match at {
        Place::Cases(_) if order.types == [ExportType::Referral] => sheaf.next = Place::Received(None),
        Place::Cases(after) => {
            // The day of the report stands: whatever changes meanwhile, no case is passed by or comes twice.
            let filter = Filter { sort: CaseSort::ReportedAsc, ..filter(order) };
            let Page { mut items, next } = cases::list(conn, &act.scope, &filter, after.as_ref(), limit)?;
            // A restricted case is not taken out, by its owner neither; how many those were, the job says.
            let all = items.len();
            items.retain(|(case, _)| case.detail.restricted_since.is_none());
            sheaf.withhold(all - items.len());
            for (case, sight) in &items {
                one_case(conn, act, order, case, sight, client, &mut sheaf)?;
            }
            if order.types.contains(&ExportType::Case) {
                sheaf.entries.push(Entry::listed(client, "case_list", items.iter().map(|(case, _)| case.id)));
            }
            sheaf.rows = i64::try_from(items.len()).unwrap_or(0);
            sheaf.next = match next {
                Some(next) => Place::Cases(Some(next)),
                None if referrals => Place::Received(None),
                None => Place::End,
            };
        }
        Place::Received(after) => {
            let next = one_box(conn, act, order, Side::In, after.as_ref(), limit, client, &mut sheaf)?;
            sheaf.next = next.map_or(Place::Written(None), |next| Place::Received(Some(next)));
        }
        Place::Written(after) => {
            let next = one_box(conn, act, order, Side::Out, after.as_ref(), limit, client, &mut sheaf)?;
            sheaf.next = next.map_or(Place::End, |next| Place::Written(Some(next)));
        }
        Place::End => {}
    }
    Ok(sheaf)
}

fn one_case(
    conn: &mut Conn,
    act: &Act,
    order: &ExportCreate,
    case: &Case,
    sight: &Sight,
    client: ClientId,
    sheaf: &mut Sheaf,
) -> Result<()> {
    let wants = |kind: ExportType| order.types.contains(&kind);
    let most = Limit::new(Limit::MAX).unwrap_or(Limit::DEFAULT);
    if wants(ExportType::Case) {
        sheaf.put(CASES, &case.view(sight))?;
    }
    if wants(ExportType::Victim) && sight.sees(Section::Victims) {
        let mut after = None;
        loop {
            let Page { items, next } = victims::store::list(conn, sight, case.id, after.as_ref(), most)?;
            sheaf.entries.push(Entry::listed(client, "victim_list", items.iter().map(|v| v.victim.id)));
            for part in &items {
                let id = part.victim.id;
                sheaf.put(VICTIMS, &part.view())?;
                if order.identities && sight.sees_identity(id) {
                    match victims::store::find_identity(conn, &act.scope, id) {
                        Ok(victims::store::Named { of, identity, version, updated_at, .. }) => {
                            let view = victims::model::identity_view(&identity, of, version, updated_at);
                            sheaf.put(VICTIM_IDENTITIES, &view)?;
                            sheaf.persons += 1;
                            let entry = Entry::new(Action::Read, id, Some(version)).about("victim_identity");
                            sheaf.entries.push(entry);
                        }
                        Err(Error::Erased | Error::NotFound) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    if wants(ExportType::Accused) && sight.sees(Section::Accused) {
        let mut after = None;
        loop {
            let Page { items, next } = accused::store::list(conn, case.id, after.as_ref(), most)?;
            sheaf.entries.push(Entry::listed(client, "accused_list", items.iter().map(|a| a.id)));
            for one in &items {
                let mut record = serde_json::to_value(one.view()).map_err(Error::internal)?;
                if let Some(members) = record.as_object_mut() {
                    members.insert("case_id".to_owned(), Value::String(case.id.to_string()));
                }
                sheaf.put(ACCUSED, &record)?;
                if order.identities {
                    match accused::store::find_identity(conn, &act.scope, one.id) {
                        Ok(accused::store::Named { of, identity, version, updated_at, .. }) => {
                            let view = accused::model::identity_view(&identity, of, version, updated_at);
                            sheaf.put(ACCUSED_IDENTITIES, &view)?;
                            sheaf.persons += 1;
                            let entry = Entry::new(Action::Read, one.id, Some(version)).about("accused_identity");
                            sheaf.entries.push(entry);
                        }
                        Err(Error::Erased | Error::NotFound) => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            match next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    if wants(ExportType::Charge) && sight.sees(Section::Charges) {
        let mut all = charges::of_case(conn, case.id)?;
        charges::redirect(conn, &mut all)?;
        sheaf.entries.push(Entry::listed(client, "charge_list", all.iter().map(|c| c.id)));
        for charge in &all {
            sheaf.put(CHARGES, &charge.view(sight))?;
        }
    }
    Ok(())
}

#[expect(clippy::too_many_arguments, reason = "a page of a box is all of these")]
fn one_box(
    conn: &mut Conn,
    act: &Act,
    order: &ExportCreate,
    side: Side,
    after: Option<&After>,
    limit: Limit,
    client: ClientId,
    sheaf: &mut Sheaf,
) -> Result<Option<After>> {
    let filter =
        referrals::store::Filter { side, states: Vec::new(), case: None, updated_from: order.updated_from, due: None };
    let Page { mut items, next } = referrals::store::list(conn, &act.scope, &filter, after, limit)?;
    let cases: Vec<CaseId> = items.iter().map(|r| r.case).collect();
    let restricted = restriction::restricted(conn, &cases)?;
    items.retain(|r| !restricted.contains(&r.case));
    sheaf.withhold(cases.len() - items.len());
    sheaf.entries.push(Entry::listed(client, "referral_list", items.iter().map(|r| r.id)));
    for referral in &items {
        sheaf.put(REFERRALS, &referral.view(crate::referrals::view::Reader::of(&act.scope)))?;
    }
    sheaf.rows += i64::try_from(items.len()).unwrap_or(0);
    Ok(next)
}
