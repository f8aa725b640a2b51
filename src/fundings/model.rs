//! The funding and its rules. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::{FundingCreate, FundingPatch, FundingSum, FundingView, UseInput, UseView};
use crate::act::Act;
use crate::kernel::ids::Funding;
use crate::kernel::{AgencyCode, Error, Fault, FaultCode, Field, Result};
use crate::programmes::Money;
use crate::programmes::actions::Amended;
use crate::programmes::check::Check;
use crate::programmes::money::{MOST, Sums};
use crate::programmes::record::{Content, Record};

/// Help to one person: only the funding's owner sees which.
const PERSONAL: [&str; 2] = ["assistance", "reunification"];

/// What a funding holds. One document; words are sealed under the record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundingContent {
    /// Who gave it.
    pub donor: AgencyCode,
    /// For which year.
    pub year: i16,
    /// How much.
    pub amount: Money,
    /// For which project.
    pub project: Option<String>,
    /// What it paid for.
    pub uses: Vec<UseInput>,
}

impl Content for FundingContent {
    type Kind = Funding;

    fn years(&self) -> (i16, i16) {
        (self.year, self.year)
    }

    fn tags(&self) -> Vec<String> {
        let own = [format!("donor:{}", self.donor), format!("currency:{}", self.amount.currency)];
        own.into_iter().chain(self.uses.iter().map(|u| format!("pays:{}", u.kind))).collect()
    }
}

/// A funding from a request, with the faults that show without the store.
pub fn register(new: FundingCreate, act: &Act) -> Result<(Record<FundingContent>, Vec<Fault>)> {
    let FundingCreate { donor, year, amount, project, uses } = new;
    let content = FundingContent { donor, year, amount, project, uses };
    let faults = content.check(act);
    if faults.is_empty() {
        content.must_suffice()?;
    }
    Ok((Record::new(content, "recorded", act), faults))
}

/// Applies a patch.
pub fn amend(record: &mut Record<FundingContent>, patch: FundingPatch, act: &Act) -> Result<Amended> {
    let FundingPatch { donor, year, amount, project, uses } = patch;
    let mut cleared = Vec::new();
    for (pointer, null) in
        [("/donor", donor == Field::Null), ("/year", year == Field::Null), ("/amount", amount == Field::Null)]
    {
        if null {
            cleared.push(Fault::body(pointer, FaultCode::Required));
        }
    }
    let content = &mut record.content;
    let old = content.clone();
    let mut changed = Vec::new();
    let mut note = |name: &str, did: bool| {
        if did {
            changed.push(format!("#/{name}"));
        }
    };
    note("donor", donor.apply_or(&mut content.donor, old.donor));
    note("year", year.apply_or(&mut content.year, old.year));
    note("amount", amount.apply_or(&mut content.amount, old.amount));
    note("project", project.apply(&mut content.project));
    note("uses", uses.apply_or(&mut content.uses, Vec::new()));
    let mut faults = content.check(act);
    faults.extend(cleared);
    if faults.is_empty() {
        content.must_suffice()?;
    }
    Ok((changed, faults))
}

impl FundingContent {
    fn check(&self, act: &Act) -> Vec<Fault> {
        let mut check = Check::new(&act.catalogue);
        let Self { donor, year, amount, project, uses } = self;
        check.donor("/donor", donor);
        check.range("/year", i64::from(*year), 1900, 2200);
        check.money("/amount", Some(amount));
        check.text("/project", project.as_deref(), 200);
        check.count("/uses", uses, 0, 500);
        for (n, one) in uses.iter().enumerate() {
            check.code(format!("/uses/{n}/kind"), "funding_use", Some(&one.kind));
            check.range(format!("/uses/{n}/amount_minor"), one.amount_minor, 1, MOST);
        }
        check.once("/uses", &uses.iter().map(|u| u.resource_id).collect::<Vec<_>>());
        check.found()
    }

    /// How much is used; more than any amount where the sum leaves the range.
    pub fn allocated(&self) -> i64 {
        self.uses.iter().fold(0_i64, |sum, one| sum.saturating_add(one.amount_minor))
    }

    /// Nothing is paid with money that is not there.
    fn must_suffice(&self) -> Result<()> {
        if self.allocated() <= self.amount.amount_minor {
            return Ok(());
        }
        Err(Error::Rule { rule: "over_allocated", faults: vec![Fault::body("/uses", FaultCode::Maximum)] })
    }
}

/// What donors gave, while it is added up.
#[derive(Clone, Debug, Default)]
pub struct Given {
    amounts: Sums<(AgencyCode, i16)>,
    allocated: Sums<(AgencyCode, i16)>,
    fundings: BTreeMap<(AgencyCode, i16, String), i64>,
}

impl Given {
    /// One funding more.
    pub fn add(&mut self, one: &FundingContent) {
        let key = (one.donor.clone(), one.year);
        self.amounts.add(key.clone(), &one.amount);
        let used = Money { amount_minor: one.allocated(), currency: one.amount.currency.clone() };
        self.allocated.add(key.clone(), &used);
        *self.fundings.entry((key.0, key.1, used.currency)).or_default() += 1;
    }

    /// The sums, in order of donor, year and currency.
    pub fn sums(self) -> Vec<FundingSum> {
        let Self { amounts, allocated, fundings } = self;
        amounts
            .into_rows()
            .map(|((donor, year), currency, amount_minor)| FundingSum {
                fundings: fundings.get(&(donor.clone(), year, currency.clone())).copied().unwrap_or(0),
                allocated_minor: allocated.of(&(donor.clone(), year), &currency),
                donor,
                year,
                currency,
                amount_minor,
            })
            .collect()
    }
}

/// The funding as its owner sees it, or as everybody else does.
pub fn view(record: &Record<FundingContent>, act: &Act) -> FundingView {
    let own = record.is_own(act);
    let Record { id, version, owner, state: _, content, created_at, updated_at } = record.clone();
    let allocated_minor = content.allocated();
    let FundingContent { donor, year, amount, project, uses } = content;
    let mut redacted = Vec::new();
    let uses = uses
        .into_iter()
        .enumerate()
        .map(|(n, UseInput { kind, resource_id, amount_minor })| {
            let hidden = !own && PERSONAL.contains(&kind.as_str());
            if hidden {
                redacted.push(format!("#/uses/{n}/resource_id"));
            }
            UseView { kind, resource_id: (!hidden).then_some(resource_id), amount_minor }
        })
        .collect();
    FundingView {
        id,
        version,
        created_at,
        updated_at,
        owner_agency: owner,
        donor,
        year,
        unallocated_minor: amount.amount_minor.saturating_sub(allocated_minor),
        amount,
        project,
        uses,
        allocated_minor,
        redacted,
    }
}
