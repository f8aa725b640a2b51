//! The facts in memory, as rows of small numbers: a scan of all of them answers any question in milliseconds, whatever
//! it groups and filters by. Owns the rows and how they change. Must not know: SQL, HTTP.
//!
//! A million cases with their persons and charges take about 300 MB. The rows are what `statistics_fact` holds, read once
//! and then followed.

use std::collections::HashMap;
use std::ops::Range;

use chrono::{Datelike, NaiveDate};

use super::facts::{AccusedFacts, CaseFacts, ChargeFacts, NOT_RECORDED, Share, VictimFacts, form, sector};
use super::words::{Word, Words};
use crate::cases::Sections;
use crate::kernel::ids::{CaseId, Kind};
use crate::kernel::{Error, Id, Result, Timestamp};

/// Part of a pool.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Span {
    start: u32,
    len: u32,
}

impl Span {
    /// The part of a pool that it names.
    pub(super) fn of<T>(self, pool: &[T]) -> &[T] {
        let (Ok(start), Ok(len)) = (usize::try_from(self.start), usize::try_from(self.len)) else { return &[] };
        pool.get(start..start.saturating_add(len)).unwrap_or_default()
    }

    /// Appends rows to a pool and names where they lie.
    fn put<T>(pool: &mut Vec<T>, rows: impl IntoIterator<Item = T>) -> Result<Self> {
        let full = |_| Error::internal("more facts than memory counts");
        let start = pool.len();
        pool.extend(rows);
        Ok(Self { start: u32::try_from(start).map_err(full)?, len: u32::try_from(pool.len() - start).map_err(full)? })
    }
}

/// No day.
pub(super) const NEVER: i32 = i32::MIN;

/// A day as a number.
pub(super) fn day_number(day: NaiveDate) -> i32 {
    day.num_days_from_ce()
}

/// Months since the year 0.
pub(super) fn month_number(day: NaiveDate) -> Word {
    let year = Word::try_from(day.year()).unwrap_or(0);
    year.saturating_mul(12).saturating_add(Word::try_from(day.month0()).unwrap_or(0))
}

#[derive(Clone, Debug)]
pub(super) struct CaseRow {
    pub id: CaseId,
    pub live: bool,
    pub elsewhere: bool,
    pub dated: bool,
    pub month: Word,
    pub reported: i32,
    pub registered: i32,
    pub owner: Word,
    pub stage: Word,
    pub scope: Word,
    pub channel: Word,
    pub complexity: Word,
    pub procedure: Word,
    pub place: Word,
    pub department: Word,
    pub form: Word,
    pub exploitation: Span,
    pub sectors: Span,
    pub steps: [i32; 4],
    pub shares: Span,
    pub victims: Span,
    pub accused: Span,
    pub charges: Span,
}

#[derive(Clone, Debug)]
pub(super) struct ShareRow {
    pub agency: Word,
    pub sections: Sections,
    /// Whether it names victims.
    pub some: bool,
    pub victims: Span,
}

#[derive(Clone, Debug)]
pub(super) struct VictimRow {
    /// The record: what a share names.
    pub record: u64,
    pub person: u64,
    pub again: bool,
    pub means: bool,
    pub sex: Word,
    pub age_band: Word,
    pub minority: Word,
    pub status: Word,
    pub recruitment: Word,
    pub birth: Word,
    pub nationalities: Span,
    pub purposes: Span,
    pub care: Word,
    pub care_reached: Span,
}

#[derive(Clone, Debug)]
pub(super) struct AccusedRow {
    /// The record: what a charge names.
    pub record: u64,
    pub person: u64,
    pub again: bool,
    pub kind: Word,
    pub sex: Word,
    pub age_band: Word,
    pub nationalities: Span,
}

#[derive(Clone, Debug)]
pub(super) struct ChargeRow {
    pub accused: u64,
    pub elsewhere: bool,
    pub prosecuted: bool,
    pub convicted: bool,
    pub offence: Word,
    pub state: Word,
    pub role: Word,
    pub outcome: Word,
    /// 0 where no court has decided.
    pub decided_year: Word,
}

/// A person as a number: 64 of the 122 random bits of its id.
pub(super) fn person<K: Kind>(id: Id<K>) -> u64 {
    let [.., a, b, c, d, e, f, g, h] = *id.uuid().as_bytes();
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Up to where the rows are complete.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AsOf {
    /// Entries of the ledger that are in them.
    pub position: i64,
    /// When the last of these was made; none before the first.
    pub at: Option<Timestamp>,
    /// Cases that could not be read: they count as they were read last, or not at all.
    pub skipped: u64,
}

/// The rows.
#[derive(Debug, Default)]
pub struct Memory {
    pub(super) words: Words,
    pub(super) rows: Vec<CaseRow>,
    /// Beside each row the day of its report, or [`NEVER`] where it counts no more: a question about a year reads these
    /// four bytes of a case, and the rest of it only where the day fits.
    days: Vec<i32>,
    pub(super) shares: Vec<ShareRow>,
    pub(super) named: Vec<u64>,
    pub(super) victims: Vec<VictimRow>,
    pub(super) accused: Vec<AccusedRow>,
    pub(super) charges: Vec<ChargeRow>,
    pub(super) lists: Vec<Word>,
    at: HashMap<CaseId, u32>,
    dead: usize,
    /// Up to where they are complete.
    pub as_of: AsOf,
}

impl Memory {
    /// Cases in it.
    pub fn len(&self) -> usize {
        self.at.len()
    }

    /// Bytes that the rows take. The words are a few thousand short texts and do not count.
    pub fn bytes(&self) -> usize {
        fn of<T>(pool: &Vec<T>) -> usize {
            pool.capacity() * size_of::<T>()
        }
        // A hash table keeps a byte of its own for every place.
        let map = self.at.capacity() * 8 / 7 * (size_of::<(CaseId, u32)>() + 1);
        let persons = of(&self.victims) + of(&self.accused) + of(&self.named);
        map + persons + of(&self.rows) + of(&self.days) + of(&self.shares) + of(&self.charges) + of(&self.lists)
    }

    /// Gives back what the pools took in advance: after everything was read, little more comes.
    pub fn settle(&mut self) {
        self.rows.shrink_to_fit();
        self.days.shrink_to_fit();
        self.shares.shrink_to_fit();
        self.named.shrink_to_fit();
        self.victims.shrink_to_fit();
        self.accused.shrink_to_fit();
        self.charges.shrink_to_fit();
        self.lists.shrink_to_fit();
        self.at.shrink_to_fit();
    }

    /// Whether it is empty.
    pub fn is_empty(&self) -> bool {
        self.at.is_empty()
    }

    /// Puts the facts of a case in the place of those that it had.
    pub fn put(&mut self, id: CaseId, facts: &CaseFacts) -> Result<()> {
        let row = self.row(id, facts)?;
        let place = u32::try_from(self.rows.len()).map_err(|_| Error::internal("more cases than memory counts"))?;
        if let Some(before) = self.at.insert(id, place)
            && let Some(old) = usize::try_from(before).ok().and_then(|n| self.rows.get_mut(n))
        {
            old.live = false;
            self.dead += 1;
            if let Some(day) = usize::try_from(before).ok().and_then(|n| self.days.get_mut(n)) {
                *day = NEVER;
            }
        }
        self.push(row);
        if self.dead > 1_000 + self.at.len() / 2 { self.compact() } else { Ok(()) }
    }

    fn row(&mut self, id: CaseId, facts: &CaseFacts) -> Result<CaseRow> {
        let CaseFacts {
            owner,
            jurisdiction,
            procedure,
            stage,
            reported,
            registered,
            territory,
            scope,
            channel,
            complexity,
            exploitation,
            dated,
            elsewhere,
            steps,
            shares,
            victims,
            accused,
            charges,
        } = facts;
        let place = territory.as_deref().unwrap_or(NOT_RECORDED);
        let sectors: Vec<String> = {
            let mut all: Vec<String> = exploitation.iter().filter_map(|code| sector(code)).map(str::to_owned).collect();
            all.sort();
            all.dedup();
            all
        };
        let shares = shares.iter().map(|s| self.share(s)).collect::<Result<Vec<_>>>()?;
        let victims = victims.iter().map(|v| self.victim(v)).collect::<Result<Vec<_>>>()?;
        let accused = accused.iter().map(|a| self.suspect(a)).collect::<Result<Vec<_>>>()?;
        let charges = charges.iter().map(|c| self.charge(c)).collect::<Result<Vec<_>>>()?;
        Ok(CaseRow {
            id,
            live: true,
            elsewhere: *elsewhere,
            dated: *dated,
            month: month_number(*reported),
            reported: day_number(*reported),
            registered: day_number(*registered),
            owner: self.words.word(owner)?,
            stage: self.words.word(stage)?,
            scope: self.words.word(scope.as_deref().unwrap_or(NOT_RECORDED))?,
            channel: self.words.word(channel)?,
            complexity: self.words.word(complexity)?,
            procedure: self.words.word(&format!("{jurisdiction}-{procedure}"))?,
            place: self.words.word(place)?,
            department: self.words.word(if territory.is_some() { place.get(..2).unwrap_or(place) } else { place })?,
            form: self.words.word(form(exploitation))?,
            exploitation: self.list(exploitation)?,
            sectors: self.list(&sectors)?,
            steps: steps.map(|day| day.map_or(NEVER, day_number)),
            shares: Span::put(&mut self.shares, shares)?,
            victims: Span::put(&mut self.victims, victims)?,
            accused: Span::put(&mut self.accused, accused)?,
            charges: Span::put(&mut self.charges, charges)?,
        })
    }

    /// A list of codes; one that is empty says so.
    fn list(&mut self, codes: &[String]) -> Result<Span> {
        let mut words = codes.iter().map(|code| self.words.word(code)).collect::<Result<Vec<_>>>()?;
        if words.is_empty() {
            words.push(self.words.word(NOT_RECORDED)?);
        }
        Span::put(&mut self.lists, words)
    }

    fn share(&mut self, share: &Share) -> Result<ShareRow> {
        let Share { agency, sections, victims } = share;
        Ok(ShareRow {
            agency: self.words.word(agency)?,
            sections: Sections::from_stored(sections),
            some: victims.is_some(),
            victims: Span::put(&mut self.named, victims.iter().flatten().map(|id| person(*id)))?,
        })
    }

    fn victim(&mut self, victim: &VictimFacts) -> Result<VictimRow> {
        let VictimFacts {
            id,
            person: of,
            again,
            sex,
            age_band,
            nationalities,
            birth,
            status,
            recruitment,
            means,
            purposes,
            care,
        } = victim;
        let (care, reached) =
            care.as_ref().map_or((NOT_RECORDED, [].as_slice()), |care| (care.state.as_str(), care.reached.as_slice()));
        Ok(VictimRow {
            record: person(*id),
            person: person(of.unwrap_or(*id)),
            again: *again,
            // "Not known yet" is no means.
            means: means.iter().any(|code| code != "unknown"),
            sex: self.words.word(sex)?,
            age_band: self.words.word(age_band)?,
            minority: self.words.word(victim.minority())?,
            status: self.words.word(status)?,
            recruitment: self.words.word(recruitment.as_deref().unwrap_or(NOT_RECORDED))?,
            birth: self.words.word(birth.as_deref().unwrap_or(NOT_RECORDED))?,
            nationalities: self.list(nationalities)?,
            purposes: self.list(purposes)?,
            care: self.words.word(care)?,
            care_reached: self.list(reached)?,
        })
    }

    fn suspect(&mut self, accused: &AccusedFacts) -> Result<AccusedRow> {
        let AccusedFacts { id, person: of, again, kind, sex, age_band, nationalities } = accused;
        Ok(AccusedRow {
            record: person(*id),
            person: person(of.unwrap_or(*id)),
            again: *again,
            kind: self.words.word(kind)?,
            sex: self.words.word(sex)?,
            age_band: self.words.word(age_band)?,
            nationalities: self.list(nationalities)?,
        })
    }

    fn charge(&mut self, charge: &ChargeFacts) -> Result<ChargeRow> {
        let ChargeFacts { accused, offence, version: _, state, role, elsewhere, outcome, decided, months: _ } = charge;
        Ok(ChargeRow {
            accused: person(*accused),
            elsewhere: *elsewhere,
            prosecuted: charge.prosecuted(),
            convicted: charge.convicted(),
            offence: self.words.word(offence)?,
            state: self.words.word(state)?,
            role: self.words.word(role)?,
            outcome: self.words.word(outcome.as_deref().unwrap_or(NOT_RECORDED))?,
            decided_year: decided.map_or(0, |day| Word::try_from(day.year()).unwrap_or(0)),
        })
    }

    /// Copies what is live and forgets the rest.
    fn compact(&mut self) -> Result<()> {
        let rows = std::mem::take(&mut self.rows);
        self.days.clear();
        let (shares, named) = (std::mem::take(&mut self.shares), std::mem::take(&mut self.named));
        let (victims, accused) = (std::mem::take(&mut self.victims), std::mem::take(&mut self.accused));
        let (charges, lists) = (std::mem::take(&mut self.charges), std::mem::take(&mut self.lists));
        self.at.clear();
        self.dead = 0;
        for mut row in rows.into_iter().filter(|row| row.live) {
            let mut list = |span: Span| Span::put(&mut self.lists, span.of(&lists).iter().copied());
            row.exploitation = list(row.exploitation)?;
            row.sectors = list(row.sectors)?;
            let mut harmed = row.victims.of(&victims).to_vec();
            for one in &mut harmed {
                one.nationalities = list(one.nationalities)?;
                one.purposes = list(one.purposes)?;
                one.care_reached = list(one.care_reached)?;
            }
            let mut suspects = row.accused.of(&accused).to_vec();
            for one in &mut suspects {
                one.nationalities = list(one.nationalities)?;
            }
            let mut shared = row.shares.of(&shares).to_vec();
            for one in &mut shared {
                one.victims = Span::put(&mut self.named, one.victims.of(&named).iter().copied())?;
            }
            row.victims = Span::put(&mut self.victims, harmed)?;
            row.accused = Span::put(&mut self.accused, suspects)?;
            row.shares = Span::put(&mut self.shares, shared)?;
            row.charges = Span::put(&mut self.charges, row.charges.of(&charges).iter().cloned())?;
            let place = u32::try_from(self.rows.len()).map_err(|_| Error::internal("more cases than memory counts"))?;
            self.at.insert(row.id, place);
            self.push(row);
        }
        Ok(())
    }

    fn push(&mut self, row: CaseRow) {
        self.days.push(if row.elsewhere { NEVER } else { row.reported });
        self.rows.push(row);
    }

    /// Of some of the rows, those that count and were reported within bounds.
    pub(super) fn reported(
        &self,
        rows: Range<usize>,
        from: Option<NaiveDate>,
        to: Option<NaiveDate>,
    ) -> impl Iterator<Item = &CaseRow> {
        let (from, to) = (from.map_or(NEVER + 1, day_number), to.map_or(i32::MAX, day_number));
        let days = self.days.get(rows.clone()).unwrap_or_default();
        let rows = self.rows.get(rows).unwrap_or_default();
        days.iter().zip(rows).filter(move |(day, _)| (from..=to).contains(*day)).map(|(_, row)| row)
    }
}
