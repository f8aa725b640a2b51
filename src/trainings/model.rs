//! The training and its rules. Pure.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::wire::{
    ParticipantCount, ParticipantGroup, ParticipantTotals, TestResult, TrainingCreate, TrainingPatch, TrainingTotals,
    TrainingView,
};
use crate::act::Act;
use crate::catalogue::{WrittenUnder, keep_standing_codes};
use crate::kernel::ids::Training;
use crate::kernel::{AgencyCode, Fault, FaultCode, Field, PartialDate, Result};
use crate::programmes::actions::Amended;
use crate::programmes::check::Check;
use crate::programmes::record::{Content, Record};

/// What a training holds. One document; words are sealed under the record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrainingContent {
    /// What it was about.
    #[serde(default)]
    pub title: String,
    /// When it began.
    pub starts_on: PartialDate,
    /// When it ended.
    pub ends_on: Option<PartialDate>,
    /// Where.
    pub territory: Option<String>,
    /// Where, in words.
    pub place: Option<String>,
    /// Hours of teaching.
    pub hours: Option<i32>,
    /// Agencies that held it.
    pub organisers: Vec<AgencyCode>,
    /// Who paid.
    pub funders: Vec<AgencyCode>,
    /// Who took part.
    pub participants: Vec<ParticipantGroup>,
    /// The test before.
    pub pre_test: Option<TestResult>,
    /// The test after.
    pub post_test: Option<TestResult>,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

impl Content for TrainingContent {
    type Kind = Training;

    fn years(&self) -> (i16, i16) {
        let year = i16::try_from(self.starts_on.year()).unwrap_or(0);
        (year, year)
    }

    fn tags(&self) -> Vec<String> {
        let funders = self.funders.iter().map(|f| format!("funder:{f}"));
        funders.chain(self.participants.iter().map(|p| format!("profession:{}", p.profession))).collect()
    }
}

/// A training from a request, with the faults that show without the store.
pub fn register(new: TrainingCreate, act: &Act) -> (Record<TrainingContent>, Vec<Fault>) {
    let TrainingCreate {
        title,
        starts_on,
        ends_on,
        territory,
        place,
        hours,
        organisers,
        funders,
        participants,
        pre_test,
        post_test,
    } = new;
    let content = TrainingContent {
        title,
        starts_on,
        ends_on,
        territory,
        place,
        hours,
        organisers,
        funders,
        participants,
        pre_test,
        post_test,
        written_under: WrittenUnder::new(&act.catalogue),
    };
    let faults = content.check(act);
    (Record::new(content, "recorded", act), faults)
}

/// Applies a patch.
pub fn amend(record: &mut Record<TrainingContent>, patch: TrainingPatch, act: &Act) -> Result<Amended> {
    let TrainingPatch {
        title,
        starts_on,
        ends_on,
        territory,
        place,
        hours,
        organisers,
        funders,
        participants,
        pre_test,
        post_test,
    } = patch;
    let mut cleared = Vec::new();
    for (pointer, null) in [("/title", title == Field::Null), ("/starts_on", starts_on == Field::Null)] {
        if null {
            cleared.push(Fault::body(pointer, FaultCode::Required));
        }
    }
    let content = &mut record.content;
    let mut changed = Vec::new();
    let mut note = |name: &str, did: bool| {
        if did {
            changed.push(format!("#/{name}"));
        }
    };
    let (old_title, old_start) = (content.title.clone(), content.starts_on);
    note("title", title.apply_or(&mut content.title, old_title));
    note("starts_on", starts_on.apply_or(&mut content.starts_on, old_start));
    note("ends_on", ends_on.apply(&mut content.ends_on));
    note("territory", territory.apply(&mut content.territory));
    note("place", place.apply(&mut content.place));
    note("hours", hours.apply(&mut content.hours));
    note("organisers", organisers.apply_or(&mut content.organisers, Vec::new()));
    note("funders", funders.apply_or(&mut content.funders, Vec::new()));
    note("participants", participants.apply_or(&mut content.participants, Vec::new()));
    note("pre_test", pre_test.apply(&mut content.pre_test));
    note("post_test", post_test.apply(&mut content.post_test));
    let mut faults = content.check(act);
    keep_standing_codes(&mut faults, &changed);
    faults.extend(cleared);
    content.written_under.note(&act.catalogue, &changed);
    Ok((changed, faults))
}

impl TrainingContent {
    fn check(&self, act: &Act) -> Vec<Fault> {
        let mut check = Check::new(&act.catalogue);
        check.text("/title", Some(&self.title), 200);
        check.text("/place", self.place.as_deref(), 200);
        check.partial_order("/ends_on", self.starts_on, self.ends_on);
        check.territory("/territory", self.territory.as_deref());
        if let Some(hours) = self.hours {
            check.range("/hours", i64::from(hours), 1, 2_000);
        }
        check.count("/organisers", &self.organisers, 0, 20);
        check.once("/organisers", &self.organisers);
        check.count("/funders", &self.funders, 0, 20);
        check.once("/funders", &self.funders);
        for (n, funder) in self.funders.iter().enumerate() {
            check.donor(format!("/funders/{n}"), funder);
        }
        check.count("/participants", &self.participants, 0, 400);
        for (n, ParticipantGroup { profession, sex, district, count }) in self.participants.iter().enumerate() {
            let at = format!("/participants/{n}");
            check.code(format!("{at}/profession"), "profession", Some(profession));
            check.code(format!("{at}/sex"), "sex", Some(sex));
            let known = |d: &String| act.catalogue.fiscal_districts().iter().any(|known| known.code == *d);
            check.must(district.as_ref().is_none_or(known), format!("{at}/district"), FaultCode::Enum);
            check.range(format!("{at}/count"), i64::from(*count), 1, 100_000);
        }
        let keys: Vec<_> = self.participants.iter().map(|p| (&p.profession, &p.sex, &p.district)).collect();
        check.once("/participants", &keys);
        let everybody = self.totals(&[]).participants;
        for (at, test) in [("/pre_test", &self.pre_test), ("/post_test", &self.post_test)] {
            let Some(TestResult { taken, passed, mean_permille }) = test else { continue };
            check.range(format!("{at}/taken"), i64::from(*taken), 0, 1_000_000);
            check.must(i64::from(*taken) <= everybody, format!("{at}/taken"), FaultCode::CrossField);
            let possible = passed.is_none_or(|passed| (0..=*taken).contains(&passed));
            check.must(possible, format!("{at}/passed"), FaultCode::CrossField);
            check.range(format!("{at}/mean_permille"), i64::from(*mean_permille), 0, 1_000);
        }
        check.found()
    }

    /// Participants of these professions; of all, if none is named.
    pub fn totals(&self, professions: &[String]) -> ParticipantTotals {
        let mut counted = Counted::default();
        counted.add(self, professions);
        counted.participants()
    }
}

/// Participants while they are counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    trainings: i64,
    by_profession: BTreeMap<String, i64>,
    by_sex: BTreeMap<String, i64>,
}

impl Counted {
    /// The participants of one training more: of these professions, or of all.
    pub fn add(&mut self, training: &TrainingContent, professions: &[String]) {
        self.trainings += 1;
        for ParticipantGroup { profession, sex, district: _, count } in &training.participants {
            if professions.is_empty() || professions.contains(profession) {
                *self.by_profession.entry(profession.clone()).or_default() += i64::from(*count);
                *self.by_sex.entry(sex.clone()).or_default() += i64::from(*count);
            }
        }
    }

    fn participants(self) -> ParticipantTotals {
        let rows = |counts: BTreeMap<String, i64>| -> Vec<ParticipantCount> {
            counts.into_iter().map(|(code, participants)| ParticipantCount { code, participants }).collect()
        };
        let participants = self.by_profession.values().sum();
        ParticipantTotals { participants, by_profession: rows(self.by_profession), by_sex: rows(self.by_sex) }
    }

    /// What was counted.
    pub fn totals(self) -> TrainingTotals {
        TrainingTotals { trainings: self.trainings, participants: self.participants() }
    }
}

/// The training as everybody sees it.
pub fn view(record: &Record<TrainingContent>, _act: &Act) -> TrainingView {
    let Record { id, version, owner, state: _, content, created_at, updated_at } = record.clone();
    let totals = content.totals(&[]);
    let TrainingContent {
        title,
        starts_on,
        ends_on,
        territory,
        place,
        hours,
        organisers,
        funders,
        participants,
        pre_test,
        post_test,
        written_under: _,
    } = content;
    TrainingView {
        id,
        version,
        created_at,
        updated_at,
        owner_agency: owner,
        title,
        starts_on,
        ends_on,
        territory,
        place,
        hours,
        organisers,
        funders,
        participants,
        pre_test,
        post_test,
        totals,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn totals_are_the_sum_of_the_groups_however_they_are_cut(
            groups in prop::collection::vec((0usize..3, 0usize..3, 1i32..5_000), 0..40),
            cut in 0usize..40,
        ) {
            let (professions, sexes) = (["judge", "police", "prosecutor"], ["female", "male", "unknown"]);
            let of = |groups: &[(usize, usize, i32)]| TrainingContent {
                title: String::new(),
                starts_on: PartialDate::parse("2012").unwrap(),
                ends_on: None,
                territory: None,
                place: None,
                hours: None,
                organisers: Vec::new(),
                funders: Vec::new(),
                participants: groups
                    .iter()
                    .map(|(p, s, count)| ParticipantGroup {
                        profession: professions[*p].into(), sex: sexes[*s].into(), district: None, count: *count,
                    })
                    .collect(),
                pre_test: None,
                post_test: None,
                written_under: WrittenUnder::default(),
            };
            let whole = of(&groups).totals(&[]);
            prop_assert_eq!(whole.participants, groups.iter().map(|(.., n)| i64::from(*n)).sum::<i64>());
            prop_assert_eq!(whole.by_sex.iter().map(|c| c.participants).sum::<i64>(), whole.participants);
            let cut = cut.min(groups.len());
            let mut counted = Counted::default();
            counted.add(&of(&groups[..cut]), &[]);
            counted.add(&of(&groups[cut..]), &[]);
            let both = counted.totals();
            prop_assert_eq!((both.trainings, both.participants), (2, whole));
            let judges = of(&groups).totals(&["judge".to_owned()]);
            prop_assert_eq!(judges.participants, groups.iter().filter(|(p, ..)| *p == 0).map(|(.., n)| i64::from(*n)).sum::<i64>());
        }
    }
}
