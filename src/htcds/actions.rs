//! Registering the records of a file, and saying what is registered as records: by the registry's own actions, with
//! its rules, its seals and its ledger, and by no other door.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::{StreamExt, stream};
use serde::Serialize;
use uuid::Uuid;
use validator::Validate;

use super::exchange::{self, Ready};
use super::facts::{CaseFacts, Group, PersonFacts};
use super::record::Record;
use super::report::{Note, NoteCode};
use super::{Reading, residue};
use crate::act::{Act, Chance};
use crate::auth::{Caller, Purpose};
use crate::cases::actions::{Opening, commit_opening, list_cases, read_case};
use crate::cases::docket::Filter;
use crate::cases::store::holder;
use crate::cases::wire::{CaseSort, CaseView};
use crate::catalogue::Catalogue;
use crate::db::Store;
use crate::http::idempotency::{Key, Once};
use crate::kernel::ids::{CaseId, ClientId};
use crate::kernel::page::Limit;
use crate::kernel::{AgencyCode, Error, Location, Result, Timestamp};
use crate::ledger::access::AccessLog;
use crate::ledger::{Action, Actor, Entry};
use crate::persons::IndexKey;
use crate::{accused, victims};

/// The client under whose name the operator of the registry exchanges files. It is no registered client and cannot get
/// a token.
pub const OPERATOR: &str = "00000000-0000-4000-8000-00000000c0de";
/// Cases in the making at the same time.
const TOGETHER: usize = 32;

/// On whose behalf a file is exchanged.
#[derive(Clone)]
pub struct Exchange {
    /// The store.
    pub store: Store,
    /// The law.
    pub law: Arc<Catalogue>,
    /// The key of the index of persons.
    pub index: Arc<IndexKey>,
    /// Whose cases they are.
    pub agency: AgencyCode,
    /// For what purpose.
    pub purpose: Purpose,
    /// The secret under which numbers of cases are made.
    pub secret: [u8; 32],
}

/// How many of what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Cases registered; with a dry run, those that would be.
    pub created: u64,
    /// Cases that are registered already and say the same.
    pub unchanged: u64,
    /// Cases that are registered already and say something else: left as they are.
    pub differs: u64,
    /// Cases refused.
    pub rejected: u64,
    /// Victims of the cases registered.
    pub victims: u64,
    /// Accused of the cases registered.
    pub accused: u64,
}

/// What became of a case of the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Lines of the file.
    pub lines: Vec<u32>,
    /// `created`, `unchanged`, `differs` or `rejected`.
    pub status: &'static str,
    /// The case, where there is one.
    pub id: Option<CaseId>,
}

/// The report of an import.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// Whether nothing was registered on purpose.
    pub dry_run: bool,
    /// Format of the file.
    pub format: &'static str,
    /// Version of the standard for which it was made.
    pub version: &'static str,
    /// Records in it.
    pub records: usize,
    /// How many of what.
    pub counts: Counts,
    /// How often each field went to the extensions, because the registry has none for it.
    pub kept_as_extension: BTreeMap<String, u64>,
    /// What was lost, doubtful or refused, by line.
    pub notes: Vec<Note>,
    /// What became of each case, in the order of the file.
    pub cases: Vec<Outcome>,
}

impl Exchange {
    fn act(&self, now: Timestamp) -> Result<(Act, ClientId)> {
        let client: ClientId = OPERATOR.parse().map_err(|()| Error::internal("the operator's id"))?;
        let caller = Caller {
            client,
            agency: self.agency.clone(),
            oversight: false,
            user: None,
            scopes: Vec::new(),
            purpose: self.purpose,
            expires_at: now,
        };
        let act = Act {
            actor: Actor {
                client: Some(client),
                agency: Some(self.agency.clone()),
                user: None,
                purpose: Some(self.purpose),
                request_id: uuid::Uuid::new_v4(),
                trail: crate::kernel::trail::Trail::default(),
            },
            scope: caller.scope(now),
            now,
            catalogue: Arc::clone(&self.law),
            index: Arc::clone(&self.index),
            chance: Chance::System,
        };
        Ok((act, client))
    }

    /// Registers the records of a file, case by case: one that is refused stops no other one. `progress` hears the
    /// number of cases done.
    pub async fn import(&self, reading: Reading, dry_run: bool, mut progress: impl FnMut(u64)) -> Result<Report> {
        let Reading { version, format, records, notes } = reading;
        let mut report = Report { dry_run, format, version, records: records.len(), notes, ..Report::default() };
        let groups = exchange::grouped(records, &self.secret);
        let mut running = stream::iter(groups.iter().enumerate().map(|(n, group)| async move {
            let ready = exchange::body(group, &self.law, Timestamp::now());
            (n, self.one(group, ready, dry_run).await)
        }))
        .buffered(TOGETHER);
        while let Some((n, done)) = running.next().await {
            let Done { outcome, mut notes, kept, victims, accused } = done?;
            match outcome.status {
                "created" => {
                    report.counts.created += 1;
                    report.counts.victims += victims;
                    report.counts.accused += accused;
                }
                "unchanged" => report.counts.unchanged += 1,
                "differs" => report.counts.differs += 1,
                _ => report.counts.rejected += 1,
            }
            report.notes.append(&mut notes);
            for (field, count) in kept {
                *report.kept_as_extension.entry(field).or_default() += count;
            }
            report.cases.push(outcome);
            progress(u64::try_from(n + 1).unwrap_or(0));
        }
        report.notes.sort();
        report.notes.dedup();
        Ok(report)
    }

    async fn one(&self, group: &Group, ready: Ready, dry_run: bool) -> Result<Done> {
        let lines: Vec<u32> = group.rows.iter().map(|(line, _)| *line).collect();
        let first = lines.first().copied().unwrap_or(0);
        let Ready { body, mut notes, kept } = ready;
        let count = |n: usize| u64::try_from(n).unwrap_or(0);
        let (victims, accused) = (count(body.victims.len()), count(body.accused.len()));
        let (act, client) = self.act(Timestamp::now())?;
        let claim = format!("external_ref:case:{}:{}", self.agency, group.key);
        let holding = self.store.read(move |conn| holder(conn, &claim)).await?;
        let (status, id) = match holding {
            Some(id) => {
                let registered = self.records(&act, id).await?;
                let same = registered.len() == group.rows.len() && group.rows.iter().all(|(_, r)| registered.contains(r));
                if same {
                    ("unchanged", Some(id))
                } else {
                    notes.push(Note::new(first, NoteCode::Differs));
                    ("differs", Some(id))
                }
            }
            None => {
                // A name of what is asked, not of what it says: the key alone decides whether it was done.
                let once = Once::new(client, self.key(&group.key)?, "htcds".to_owned());
                let valid = body.validate().is_ok();
                let planned =
                    if valid { Opening::plan(body, &act, once.bucket()) } else { Err(Error::Validation(Vec::new())) };
                match planned {
                    Ok(_) if dry_run => ("created", None),
                    Ok(opening) => {
                        let id = commit_opening(&self.store, act, once, opening).await?.view.id;
                        ("created", Some(id))
                    }
                    Err(Error::Validation(faults)) => {
                        notes.push(Note::new(first, NoteCode::Refused).saying("a rule of the registry"));
                        for fault in faults {
                            let Location::Pointer(at) = fault.at else { continue };
                            notes.push(
                                Note::new(line_of(&at, group), NoteCode::Refused).saying(&format!("{at} {:?}", fault.code)),
                            );
                        }
                        ("rejected", None)
                    }
                    Err(other) => return Err(other),
                }
            }
        };
        if status != "created" {
            // Of what was not registered now nothing was approximated now.
            notes.retain(|n| matches!(n.code, NoteCode::Refused | NoteCode::Differs));
        }
        let kept = if status == "created" { kept } else { BTreeMap::new() };
        Ok(Done { outcome: Outcome { lines, status, id }, notes, kept, victims, accused })
    }

    fn key(&self, number: &str) -> Result<Key> {
        use aws_lc_rs::digest::{SHA256, digest};
        use base64::Engine;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD;
        let text = format!("{}\n{number}", self.agency);
        let name = URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()));
        Key::parse(&format!("htcds-{name}")).ok_or_else(|| Error::internal("the key of an import"))
    }

    /// The records of the agency's cases, in the order in which they were reported. Every person shown is in the ledger
    /// before the answer is given. `progress` hears the number of cases done.
    pub async fn export(&self, access: &AccessLog, mut progress: impl FnMut(u64)) -> Result<Vec<Record>> {
        let (act, client) = self.act(Timestamp::now())?;
        let told = |cases, _: &[Uuid]| {
            progress(cases);
            Ok(())
        };
        self.export_as((&act, client), Filter::default(), access, told).await
    }

    /// The same for somebody who asked for the cases of a filter. `told` hears how many cases are done and who is in the
    /// last one, and may stop it.
    pub async fn export_as(
        &self,
        (act, client): (&Act, ClientId),
        filter: Filter,
        access: &AccessLog,
        mut told: impl FnMut(u64, &[Uuid]) -> Result<()>,
    ) -> Result<Vec<Record>> {
        let filter = Filter { owner: Some(self.agency.clone()), sort: CaseSort::ReportedAsc, ..filter };
        let mut records = Vec::new();
        let (mut after, mut done) = (None, 0);
        loop {
            let mut page = list_cases(&self.store, act, filter.clone(), None, after.take(), page_size(100)?).await?;
            // A restricted case is not taken out.
            page.items.retain(|case| case.restricted_since.is_none());
            let entry = Entry::listed(client, "case_list", page.items.iter().map(|c| c.id));
            access.record(&act.actor, act.now, entry).await?;
            for case in &page.items {
                let persons = self.persons(act, case, Some(access)).await?;
                let facts = exchange::case_facts(case, self.closed(case), &self.law);
                records.extend(persons.iter().map(|(_, person)| residue::restore(&facts, person)));
                done += 1;
                told(done, &persons.iter().map(|(id, _)| *id).collect::<Vec<_>>())?;
            }
            after = page.next;
            if after.is_none() {
                return Ok(records);
            }
        }
    }

    fn closed(&self, case: &CaseView) -> bool {
        let profile = self.law.profile(&case.jurisdiction, &case.procedural_code, case.stage_since.date());
        case.stage == "archived" || profile.and_then(|p| p.stage(&case.stage)).is_some_and(|stage| stage.terminal)
    }

    /// What is registered of a case, shown to nobody: for a comparison.
    async fn records(&self, act: &Act, id: CaseId) -> Result<Vec<Record>> {
        let case = read_case(&self.store, act, id).await?.view;
        let persons = self.persons(act, &case, None).await?;
        let facts: CaseFacts = exchange::case_facts(&case, self.closed(&case), &self.law);
        Ok(persons.iter().map(|(_, person)| residue::restore(&facts, person)).collect())
    }

    async fn persons(&self, act: &Act, case: &CaseView, access: Option<&AccessLog>) -> Result<Vec<(Uuid, PersonFacts)>> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = victims::actions::list_victims(&self.store, act, case.id, after.take(), page_size(200)?).await?;
            for view in &page.items {
                let identity = match victims::actions::read_identity(&self.store, act, view.victim_id).await {
                    Ok(read) => Some(read.view),
                    Err(Error::Erased) => None,
                    Err(other) => return Err(other),
                };
                if let Some(access) = access {
                    let version = identity.as_ref().map(|i| i.version);
                    let entry = Entry::new(Action::Read, view.victim_id, version).about("victim_identity");
                    access.record(&act.actor, act.now, entry).await?;
                }
                found.push((
                    view.victim.created_at,
                    view.victim.code.clone(),
                    (view.victim_id.uuid(), exchange::victim_facts(view, identity.as_ref())),
                ));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        loop {
            let page = accused::actions::list_accused(&self.store, act, case.id, after.take(), page_size(200)?).await?;
            for view in &page.items {
                let identity = match accused::actions::read_identity(&self.store, act, view.id).await {
                    Ok(read) => Some(read.view),
                    Err(Error::Erased) => None,
                    Err(other) => return Err(other),
                };
                if let Some(access) = access {
                    let version = identity.as_ref().map(|i| i.version);
                    let entry = Entry::new(Action::Read, view.id, version).about("accused_identity");
                    access.record(&act.actor, act.now, entry).await?;
                }
                let person = (view.id.uuid(), exchange::accused_facts(view, identity.as_ref()));
                found.push((view.created_at, view.code.clone(), person));
            }
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        found.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        Ok(found.into_iter().map(|(_, _, person)| person).collect())
    }
}

fn page_size(rows: u16) -> Result<Limit> {
    Limit::new(rows).ok_or_else(|| Error::internal("the size of a page"))
}

struct Done {
    outcome: Outcome,
    notes: Vec<Note>,
    kept: BTreeMap<String, u64>,
    victims: u64,
    accused: u64,
}

/// The line that a pointer of the registry is about: that of the person whom it names, else the first one.
fn line_of(pointer: &str, group: &Group) -> u32 {
    let accused = |record: &Record| super::facts::contexts(record) == (true, false);
    let mut parts = pointer.trim_start_matches('/').split('/');
    let nth = match (parts.next(), parts.next().and_then(|n| n.parse::<usize>().ok())) {
        (Some("victims"), Some(n)) => group.rows.iter().filter(|(_, r)| !accused(r)).nth(n),
        (Some("accused"), Some(n)) => group.rows.iter().filter(|(_, r)| accused(r)).nth(n),
        _ => None,
    };
    nth.or(group.rows.first()).map_or(0, |(line, _)| *line)
}
