//! The campaign and its rules. Pure. Its states are in `states.rs`.

use chrono::Datelike;
use serde::{Deserialize, Serialize};

use super::states::{State, Trigger};
use super::wire::{CampaignCreate, CampaignPatch, CampaignTransitionCreate, CampaignView, Phase, Reach, Slogan, Venue};
use crate::act::Act;
use crate::catalogue::{WrittenUnder, keep_standing_codes};
use crate::kernel::error::no_faults;
use crate::kernel::ids::{Campaign, TransitionId};
use crate::kernel::{AgencyCode, Day, Error, Fault, FaultCode, Field, PartialDate, Result};
use crate::programmes::actions::Amended;
use crate::programmes::check::Check;
use crate::programmes::record::{Content, OPEN, Record};
use crate::transitions::{Done, Reach as Touched};

/// What a campaign holds. One document; words are sealed under the record's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CampaignContent {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// What it says.
    pub slogans: Vec<Slogan>,
    /// Agencies that hold it.
    pub organisers: Vec<AgencyCode>,
    /// Who pays.
    pub funders: Vec<AgencyCode>,
    /// Where it is seen.
    pub venues: Vec<Venue>,
    /// Its parts.
    pub phases: Vec<Phase>,
    /// How it is seen and heard.
    pub channels: Vec<String>,
    /// For whom.
    pub audience: Option<String>,
    /// The number that it tells people to call.
    pub hotline: Option<String>,
    /// Whom it reached.
    pub reach: Vec<Reach>,
    /// The day on which it began.
    pub started_on: Option<Day>,
    /// The day on which it ended.
    pub completed_on: Option<Day>,
    /// What it achieved.
    pub evaluation: Option<String>,
    /// The year in which it was registered: that of a campaign without phases.
    pub registered_in: i16,
    /// Under which release of the catalogue its codes were written.
    #[serde(default)]
    pub written_under: WrittenUnder,
}

fn year(day: Day) -> i16 {
    i16::try_from(day.date().year()).unwrap_or(OPEN)
}

impl Content for CampaignContent {
    type Kind = Campaign;

    fn years(&self) -> (i16, i16) {
        let starts = self.phases.iter().map(|p| p.starts_on).chain(self.started_on).map(year);
        let from = starts.min().unwrap_or(self.registered_in);
        let until = match self.completed_on {
            Some(day) => year(day),
            None if self.phases.is_empty() => from,
            None => self.phases.iter().map(|p| p.ends_on.map_or(OPEN, year)).max().unwrap_or(from),
        };
        (from, until.max(from))
    }

    fn tags(&self) -> Vec<String> {
        let funders = self.funders.iter().map(|f| format!("funder:{f}"));
        let venues = self.venues.iter().flat_map(|v| [format!("venue:{}", v.kind), format!("place:{}", v.place_code)]);
        funders.chain(venues).chain(self.channels.iter().map(|c| format!("channel:{c}"))).collect()
    }
}

/// A campaign from a request, with the faults that show without the store.
pub fn plan(new: CampaignCreate, act: &Act) -> (Record<CampaignContent>, Vec<Fault>) {
    let CampaignCreate { name, slogans, organisers, funders, venues, phases, channels, audience, hotline, reach } = new;
    let content = CampaignContent {
        name,
        slogans,
        organisers,
        funders,
        venues,
        phases,
        channels,
        audience,
        hotline,
        reach,
        started_on: None,
        completed_on: None,
        evaluation: None,
        registered_in: year(Day::from_date(act.now.date())),
        written_under: WrittenUnder::new(&act.catalogue),
    };
    let faults = content.check(act);
    (Record::new(content, State::Planned.as_str(), act), faults)
}

/// Applies a patch.
pub fn amend(record: &mut Record<CampaignContent>, patch: CampaignPatch, act: &Act) -> Result<Amended> {
    let CampaignPatch { name, slogans, organisers, funders, venues, phases, channels, audience, hotline, reach } = patch;
    let cleared = (name == Field::Null).then(|| Fault::body("/name", FaultCode::Required));
    let content = &mut record.content;
    let mut changed = Vec::new();
    let mut note = |name: &str, did: bool| {
        if did {
            changed.push(format!("#/{name}"));
        }
    };
    let old = content.name.clone();
    note("name", name.apply_or(&mut content.name, old));
    note("slogans", slogans.apply_or(&mut content.slogans, Vec::new()));
    note("organisers", organisers.apply_or(&mut content.organisers, Vec::new()));
    note("funders", funders.apply_or(&mut content.funders, Vec::new()));
    note("venues", venues.apply_or(&mut content.venues, Vec::new()));
    note("phases", phases.apply_or(&mut content.phases, Vec::new()));
    note("channels", channels.apply_or(&mut content.channels, Vec::new()));
    note("audience", audience.apply(&mut content.audience));
    note("hotline", hotline.apply(&mut content.hotline));
    note("reach", reach.apply_or(&mut content.reach, Vec::new()));
    let mut faults = content.check(act);
    keep_standing_codes(&mut faults, &changed);
    faults.extend(cleared);
    if content.started_on.is_some() && content.phases.is_empty() {
        faults.push(Fault::body("/phases", FaultCode::MinItems));
    }
    content.written_under.note(&act.catalogue, &changed);
    Ok((changed, faults))
}

/// Whether two phases are seen at one venue on one day.
pub fn collide(one: &Phase, other: &Phase) -> bool {
    let anywhere = one.venues.is_empty() || other.venues.is_empty();
    let together = anywhere || one.venues.iter().any(|venue| other.venues.contains(venue));
    let before = |a: &Phase, b: &Phase| a.ends_on.is_some_and(|end| end < b.starts_on);
    together && !before(one, other) && !before(other, one)
}

/// Whether a text can name a venue: 2–20 of `A–Z`, `0–9` and `-`.
pub fn is_place_code(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-';
    (2..=20).contains(&text.len()) && text.bytes().all(plain)
}

impl CampaignContent {
    fn check(&self, act: &Act) -> Vec<Fault> {
        let mut check = Check::new(&act.catalogue);
        check.text("/name", Some(&self.name), 200);
        check.count("/slogans", &self.slogans, 0, 50);
        for (n, Slogan { language, text }) in self.slogans.iter().enumerate() {
            let known = act.catalogue.language_known(language);
            check.must(known, format!("/slogans/{n}/language"), FaultCode::Enum);
            check.text(format!("/slogans/{n}/text"), Some(text), 300);
        }
        check.once("/slogans", &self.slogans.iter().map(|s| &s.language).collect::<Vec<_>>());
        check.count("/organisers", &self.organisers, 0, 20);
        check.once("/organisers", &self.organisers);
        check.count("/funders", &self.funders, 0, 20);
        check.once("/funders", &self.funders);
        for (n, funder) in self.funders.iter().enumerate() {
            check.donor(format!("/funders/{n}"), funder);
        }
        check.count("/venues", &self.venues, 0, 50);
        for (n, Venue { place_code, kind, territory, name }) in self.venues.iter().enumerate() {
            let at = format!("/venues/{n}");
            check.code(format!("{at}/kind"), "venue_kind", Some(kind));
            let airport = kind != "airport" || (place_code.len() == 3 && place_code.bytes().all(|b| b.is_ascii_uppercase()));
            check.must(is_place_code(place_code) && airport, format!("{at}/place_code"), FaultCode::Pattern);
            check.territory(format!("{at}/territory"), territory.as_deref());
            check.text(format!("{at}/name"), name.as_deref(), 200);
        }
        check.once("/venues", &self.venues.iter().map(|v| &v.place_code).collect::<Vec<_>>());
        check.codes("/channels", "campaign_channel", &self.channels);
        check.text("/audience", self.audience.as_deref(), 300);
        check.text("/hotline", self.hotline.as_deref(), 40);
        check.count("/reach", &self.reach, 0, 100);
        for (n, Reach { channel, persons, as_of: _ }) in self.reach.iter().enumerate() {
            let at = format!("/reach/{n}");
            check.must(self.channels.contains(channel), format!("{at}/channel"), FaultCode::ReferenceNotFound);
            check.range(format!("{at}/persons"), *persons, 0, 1_000_000_000);
        }
        check.once("/reach", &self.reach.iter().map(|r| (&r.channel, r.as_of)).collect::<Vec<_>>());
        self.check_phases(&mut check);
        check.found()
    }

    /// Phases end after they begin, stand in order, are seen at venues of the campaign, and no two of them at one venue
    /// on one day. At different venues they may overlap: an airport's second phase and a border's first.
    fn check_phases(&self, check: &mut Check<'_>) {
        check.count("/phases", &self.phases, 0, 50);
        for (n, phase) in self.phases.iter().enumerate() {
            let Phase { name, starts_on, ends_on, venues, goal } = phase;
            let at = format!("/phases/{n}");
            check.text(format!("{at}/name"), Some(name), 120);
            check.order(format!("{at}/ends_on"), Some(*starts_on), *ends_on);
            check.text(format!("{at}/goal"), goal.as_deref(), 1_000);
            check.count(&format!("{at}/venues"), venues, 0, 50);
            check.once(&format!("{at}/venues"), venues);
            for (m, venue) in venues.iter().enumerate() {
                let known = self.venues.iter().any(|v| v.place_code == *venue);
                check.must(known, format!("{at}/venues/{m}"), FaultCode::ReferenceNotFound);
            }
            let mut before = self.phases.iter().take(n);
            if before.clone().any(|earlier| collide(earlier, phase)) {
                check.fault(format!("{at}/starts_on"), FaultCode::CrossField);
            }
            if before.next_back().is_some_and(|earlier| *starts_on < earlier.starts_on) {
                check.fault(format!("{at}/starts_on"), FaultCode::DateOrder);
            }
        }
    }

    /// Codes of what stands against a move now, whatever its body says.
    pub fn failed_guards(&self, trigger: Trigger) -> Vec<&'static str> {
        let mut failed = Vec::new();
        if trigger == Trigger::Start {
            if self.phases.is_empty() {
                failed.push("phase_required");
            }
            if self.slogans.is_empty() {
                failed.push("slogan_required");
            }
        }
        failed
    }
}

/// Makes a move, or says what stands against it.
pub fn make_move(
    record: &mut Record<CampaignContent>,
    id: TransitionId,
    new: &CampaignTransitionCreate,
    act: &Act,
) -> Result<Done> {
    let CampaignTransitionCreate { trigger, effective_on, evaluation, reason } = new;
    let from = State::parse(&record.state).ok_or_else(|| Error::internal("campaign state"))?;
    let next = from.after(*trigger).ok_or_else(|| Error::StateConflict(vec!["no_such_transition".into()]))?;
    let failed = record.content.failed_guards(*trigger);
    if !failed.is_empty() {
        return Err(Error::StateConflict(failed.into_iter().map(Into::into).collect()));
    }
    let mut check = Check::new(&act.catalogue);
    let evaluates = *trigger == Trigger::Evaluate;
    let needed = if evaluates { FaultCode::Required } else { FaultCode::CrossField };
    check.must(evaluates == evaluation.is_some(), "/evaluation", needed);
    check.text("/evaluation", evaluation.as_deref(), 4_000);
    check.must(*trigger != Trigger::Pause || reason.is_some(), "/reason", FaultCode::Required);
    check.text("/reason", reason.as_deref(), 2_000);
    let content = &mut record.content;
    let on = effective_on.unwrap_or_else(|| Day::from_date(act.now.date()));
    // A day of grace for clocks and time zones; and nothing happens before it began, or after it ended.
    let last = Day::from_date(act.now.plus_seconds(86_400).date());
    let early = content.completed_on.or(content.started_on).is_some_and(|began| on < began);
    check.must(on <= last && !early, "/effective_on", FaultCode::DateOrder);
    no_faults(check.found())?;
    match trigger {
        Trigger::Start => content.started_on = Some(on),
        Trigger::Complete => content.completed_on = Some(on),
        Trigger::Evaluate => content.evaluation.clone_from(evaluation),
        Trigger::Pause | Trigger::Resume => {}
    }
    record.state = next.as_str().to_owned();
    Ok(Done {
        id,
        trigger: trigger.as_str().to_owned(),
        from: from.as_str().to_owned(),
        to: next.as_str().to_owned(),
        legal_act: None,
        effective_on: effective_on.map(|day| PartialDate::from_date(day.date())),
        reason: reason.clone(),
        version: record.version,
        reach: Touched::default(),
    })
}

/// The campaign as everybody sees it.
pub fn view(record: &Record<CampaignContent>, _act: &Act) -> CampaignView {
    let Record { id, version, owner, state, content, created_at, updated_at } = record.clone();
    let CampaignContent {
        name,
        slogans,
        organisers,
        funders,
        venues,
        phases,
        channels,
        audience,
        hotline,
        reach,
        started_on,
        completed_on,
        evaluation,
        registered_in: _,
        written_under: _,
    } = content;
    CampaignView {
        id,
        version,
        created_at,
        updated_at,
        owner_agency: owner,
        state,
        name,
        slogans,
        organisers,
        funders,
        venues,
        phases,
        channels,
        audience,
        hotline,
        reach,
        started_on,
        completed_on,
        evaluation,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn phase(first: i64, last: Option<i64>, venues: &[&str]) -> Phase {
        let day = |n: i64| {
            Day::from_date(chrono::NaiveDate::from_ymd_opt(2012, 1, 1).unwrap() + chrono::Days::new(n.unsigned_abs()))
        };
        Phase {
            name: "f".into(),
            starts_on: day(first),
            ends_on: last.map(day),
            venues: venues.iter().map(|v| (*v).to_owned()).collect(),
            goal: None,
        }
    }

    #[test]
    fn phases_collide_at_one_venue_only_and_never_by_touching() {
        let lima = phase(0, Some(90), &["LIM"]);
        for (other, collides) in [
            (phase(91, None, &["LIM"]), false),
            (phase(90, None, &["LIM"]), true),
            (phase(30, Some(40), &["CUZ"]), false),
            (phase(30, Some(40), &["CUZ", "LIM"]), true),
            (phase(30, Some(40), &[]), true),
            (phase(91, Some(92), &[]), false),
        ] {
            assert_eq!(collide(&lima, &other), collides, "{other:?}");
            assert_eq!(collide(&other, &lima), collides, "whichever comes first: {other:?}");
        }
        assert!(collide(&phase(0, None, &["LIM"]), &phase(5_000, None, &["LIM"])), "what has no end yet is still there");
    }

    proptest! {
        #[test]
        fn two_phases_collide_exactly_where_some_day_and_some_venue_have_both(
            a in (0i64..20, 0i64..6), b in (0i64..20, 0i64..6), va in 0u8..8, vb in 0u8..8,
        ) {
            let venues = |bits: u8| -> Vec<&'static str> {
                ["LIM", "CUZ", "TCQ"].into_iter().enumerate().filter(|(n, _)| bits & (1 << n) != 0).map(|(_, v)| v).collect()
            };
            let (one, other) = (phase(a.0, Some(a.0 + a.1), &venues(va)), phase(b.0, Some(b.0 + b.1), &venues(vb)));
            let seen = |p: &Phase, venue: &str| p.venues.is_empty() || p.venues.iter().any(|v| v == venue);
            let day = (0..40).any(|d| (a.0..=a.0 + a.1).contains(&d) && (b.0..=b.0 + b.1).contains(&d));
            let venue = ["LIM", "CUZ", "TCQ"].iter().any(|v| seen(&one, v) && seen(&other, v));
            prop_assert_eq!(collide(&one, &other), day && venue);
        }
    }
}
