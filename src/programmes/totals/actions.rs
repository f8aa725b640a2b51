//! Counts the programmes of some years, in one read.

use super::wire::{AssistanceTotals, ByCountry, ByNeed, ProgrammeScope, ProgrammeTotals, Reunited};
use crate::act::Act;
use crate::campaigns::model::CampaignContent;
use crate::db::Store;
use crate::fundings::model::Given;
use crate::kernel::Result;
use crate::programmes::store::{self, Filter};
use crate::reunifications::desk;
use crate::trainings::model::Counted;
use crate::{assistance, reunifications};

/// The totals of the years asked for; `persons` says whether the token opens help to persons.
pub async fn count(store: &Store, act: &Act, years: Option<(i16, i16)>, persons: bool) -> Result<ProgrammeTotals> {
    let act = act.clone();
    store
        .read(move |conn| {
            let span = years.unwrap_or((i16::MIN, i16::MAX));
            let filter = Filter { years, ..Filter::default() };
            let (mut trained, mut given, mut campaigns) = (Counted::default(), Given::default(), 0_i64);
            store::each(conn, &filter, |one| trained.add(&one, &[]))?;
            store::each(conn, &filter, |one| given.add(&one))?;
            store::each(conn, &filter, |one: CampaignContent| campaigns += i64::from(one.started_on.is_some()))?;
            let (mut helped, mut reunited) = (None, None);
            if persons {
                let ((persons, services), rows) = assistance::desk::helped(conn, &act.scope, span)?;
                let by_need = rows.into_iter().map(|(need, persons, services)| ByNeed { need, persons, services });
                helped = Some(AssistanceTotals { persons, services, by_need: by_need.collect() });
                let filter = desk::Filter { reunited: Some(span), ..desk::Filter::default() };
                let all = reunifications::desk::totals(conn, &act.scope, &filter)?;
                let rows = reunifications::desk::by_country(conn, &act.scope, span)?;
                let by_country = rows.into_iter().map(|(country, victims, persons)| ByCountry { country, victims, persons });
                reunited = Some(Reunited { all, by_country: by_country.collect() });
            }
            let redacted = if persons { &[][..] } else { &["#/assistance", "#/reunifications"] };
            let of = if act.scope.oversight() { "registry" } else { "agency" };
            Ok(ProgrammeTotals {
                year_from: years.map(|(from, _)| from).filter(|y| *y != i16::MIN),
                year_to: years.map(|(_, until)| until).filter(|y| *y != i16::MAX),
                scope: ProgrammeScope {
                    persons: of.to_owned(),
                    agency: act.agency().clone(),
                    programmes: "registry".to_owned(),
                },
                assistance: helped,
                reunifications: reunited,
                trainings: trained.totals(),
                campaigns,
                fundings: given.sums(),
                redacted: redacted.iter().map(|p| (*p).to_owned()).collect(),
            })
        })
        .await
}
