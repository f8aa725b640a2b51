//! Reading the registry for the file: pseudonymous records through the caller's own sight, each person once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::Datelike;
use serde::Serialize;

use super::row::{Known, Row};
use super::{Profile, Suppression, suppress};
use crate::act::{Act, Chance};
use crate::auth::{Caller, Purpose};
use crate::cases::actions::list_cases;
use crate::cases::docket::Filter;
use crate::cases::wire::{CaseSort, CaseView};
use crate::catalogue::Catalogue;
use crate::consents::actions::list_consents;
use crate::db::Store;
use crate::htcds::actions::OPERATOR;
use crate::htcds::files::csv;
use crate::kernel::ids::{ClientId, VictimId};
use crate::kernel::page::Limit;
use crate::kernel::{AgencyCode, Error, PartialDate, Result, Timestamp};
use crate::ledger::access::AccessLog;
use crate::ledger::{Actor, Entry};
use crate::persons::IndexKey;
use crate::victims::actions::list_victims;
use crate::victims::wire::CaseVictimView;

/// Who makes a file of what.
pub struct Release {
    /// The store.
    pub store: Store,
    /// The law.
    pub law: Arc<Catalogue>,
    /// The key of the index of persons.
    pub index: Arc<IndexKey>,
    /// Whose sight: an agency sees its cases, one that supervises sees all.
    pub agency: AgencyCode,
    /// Whether it supervises.
    pub oversight: bool,
    /// The columns.
    pub profile: Profile,
    /// Fewest persons who share a combination.
    pub k: usize,
    /// Only those who consented to research, in place of all who did not refuse it.
    pub consented_only: bool,
}

/// What the file holds and what it does not.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    /// The columns.
    pub profile: String,
    /// Persons read.
    pub persons: usize,
    /// Of these, who are no victims.
    pub not_victims: usize,
    /// Of these, who refused research, withdrew from it, or (if only those are wanted) did not consent to it.
    pub without_consent: usize,
    /// What was given up so that nobody stands out.
    pub suppression: Suppression,
    /// The smallest group that shares a combination of quasi-identifiers in the file.
    pub smallest_group: Option<usize>,
}

#[derive(Default)]
struct Found {
    known: Known,
    victim: bool,
}

impl Release {
    /// Makes the file; `progress` hears the number of cases read.
    pub async fn make(&self, access: &AccessLog, mut progress: impl FnMut(u64)) -> Result<(Vec<u8>, Account)> {
        let (act, client) = self.act(Timestamp::now())?;
        let mut found: BTreeMap<VictimId, Found> = BTreeMap::new();
        let filter = Filter { sort: CaseSort::ReportedAsc, ..Filter::default() };
        let limit = Limit::new(Limit::MAX).unwrap_or(Limit::DEFAULT);
        let (mut after, mut done) = (None, 0);
        loop {
            let mut page = list_cases(&self.store, &act, filter.clone(), None, after.take(), limit).await?;
            // A restricted case is not taken out.
            page.items.retain(|case| case.restricted_since.is_none());
            for case in &page.items {
                let mut next = None;
                loop {
                    let victims = match list_victims(&self.store, &act, case.id, next.take(), limit).await {
                        // A participant that was not granted them.
                        Err(Error::NotFound) => break,
                        other => other?,
                    };
                    let entry = Entry::listed(client, "victim_list", victims.items.iter().map(|v| v.victim_id));
                    access.record(&act.actor, act.now, entry).await?;
                    for view in &victims.items {
                        add(found.entry(view.victim_id).or_default(), case, view);
                    }
                    next = victims.next;
                    if next.is_none() {
                        break;
                    }
                }
                done += 1;
                progress(done);
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let persons = found.len();
        let (mut not_victims, mut without_consent) = (0, 0);
        let mut rows = Vec::with_capacity(persons);
        for (id, Found { known, victim }) in found {
            if !victim {
                not_victims += 1;
            } else if !self.may_be_used(&act, id, limit).await? {
                without_consent += 1;
            } else {
                rows.push(Row::of(&known));
            }
        }
        let suppression = suppress(&mut rows, self.k);
        let smallest_group = super::anonymity::smallest(&rows);
        let head = self.profile.head();
        let cells = rows.iter().map(|row| self.profile.cells(row));
        let file = csv::write(std::iter::once(head).chain(cells)).map_err(Error::internal)?;
        let profile = self.profile.name.clone();
        Ok((file, Account { profile, persons, not_victims, without_consent, suppression, smallest_group }))
    }

    fn act(&self, now: Timestamp) -> Result<(Act, ClientId)> {
        let client: ClientId = OPERATOR.parse().map_err(|()| Error::internal("the operator's id"))?;
        let purpose = Purpose::Statistics;
        let caller = Caller {
            client,
            agency: self.agency.clone(),
            oversight: self.oversight,
            user: None,
            scopes: Vec::new(),
            purpose,
            expires_at: now,
        };
        let actor = Actor {
            client: Some(client),
            agency: Some(self.agency.clone()),
            user: None,
            purpose: Some(purpose),
            request_id: uuid::Uuid::new_v4(),
            trail: crate::kernel::trail::Trail::default(),
        };
        let (catalogue, index) = (Arc::clone(&self.law), Arc::clone(&self.index));
        let act = Act { actor, scope: caller.scope(now), now, catalogue, index, chance: Chance::System };
        Ok((act, client))
    }

    /// Whether a person's record may be used for research: what was refused or withdrawn is never overridden.
    async fn may_be_used(&self, act: &Act, id: VictimId, limit: Limit) -> Result<bool> {
        let mut given = false;
        let mut after = None;
        loop {
            let page = list_consents(&self.store, act, id, after.take(), limit).await?;
            for consent in page.items.iter().filter(|c| c.purposes.iter().any(|p| p == "research")) {
                if matches!(consent.state.as_str(), "refused" | "withdrawn") {
                    return Ok(false);
                }
                given |= consent.in_force;
            }
            after = page.next;
            if after.is_none() {
                return Ok(given || !self.consented_only);
            }
        }
    }
}

fn add(found: &mut Found, case: &CaseView, view: &CaseVictimView) {
    // Of somebody who is no victim in this case, what is said of it is nobody's.
    if view.status == "not_victim" {
        return;
    }
    found.victim = true;
    let known = &mut found.known;
    let victim = &view.victim;
    known.year = victim.created_at.date().year();
    known.gender.clone_from(&victim.gender);
    known.sex.clone_from(&victim.sex);
    known.age = victim.age_at_identification;
    known.citizenship = victim.nationalities.first().cloned();
    if known.country_of_exploitation.is_none() && case.territory.is_some() {
        known.country_of_exploitation = Some(case.jurisdiction.clone());
    }
    if let (None, Some(from), Some(to)) = (known.months, case.facts_from, case.facts_to) {
        known.months = months(from, to);
    }
    let lists: [(&str, &[String]); 4] = [
        ("means", &view.means),
        ("control", &view.control),
        ("purpose", &view.purposes),
        ("exploitation", &case.exploitation),
    ];
    let codes: BTreeSet<String> = lists
        .into_iter()
        .flat_map(|(list, codes)| codes.iter().map(move |code| format!("{list}/{code}")))
        .chain(view.recruitment.iter().map(|code| format!("recruitment/{code}")))
        .collect();
    known.codes.extend(codes);
}

/// Whole months from one date to another, where both are known to the month.
fn months(from: PartialDate, to: PartialDate) -> Option<u32> {
    let to_the_month = |d: PartialDate| d.to_string().len() >= 7;
    let (first, last) = (from.earliest(), to.earliest());
    let count = (last.year() - first.year()) * 12 + i32::try_from(last.month()).ok()? - i32::try_from(first.month()).ok()?;
    (to_the_month(from) && to_the_month(to)).then(|| u32::try_from(count).ok())?
}
