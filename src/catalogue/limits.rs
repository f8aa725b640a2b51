//! Time limits of procedure as dated data, and the deadlines that follow from the facts of a case. Pure.
//!
//! Owns what a limit is, which version of it applies, and what its extensions add. Must not know: cases as
//! they are stored, HTTP, the clock. How days are counted is in `calendar.rs`.
//!
//! A limit applies in the version that was in force on the day on which the stage was entered, or the measure
//! began: a change of the law neither shortens nor lengthens a term that runs (to be verified for Ley 32130).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::calendar::{DayType, TimeUnit};
use super::{Catalogue, Labels};

/// What a limit is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitSubject {
    /// How long a stage may last.
    CaseStage,
    /// When an act must, or may, be done.
    Transition,
    /// How long a measure may last.
    Measure,
    /// When a remedy can be filed.
    Appeal,
}

/// The class of a case: code list `complexity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitClass {
    /// The ordinary case.
    Simple,
    /// Declared complex.
    Complex,
    /// Organised crime.
    Organised,
    /// Whatever the class.
    Any,
}

impl LimitClass {
    /// The class that a code names; an unknown one has the ordinary terms.
    pub fn of(complexity: &str) -> Self {
        match complexity {
            "complex" => Self::Complex,
            "organised" => Self::Organised,
            _ => Self::Simple,
        }
    }

    fn covers(self, class: Self) -> bool {
        self == Self::Any || class == Self::Any || self == class
    }
}

/// Whether a limit is the last day or the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// It must be done by then.
    Latest,
    /// It may not be done before.
    Earliest,
}

/// The event from which a limit runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Starts {
    /// The case entered the stage.
    StageEntered,
    /// The measure began.
    MeasureFrom,
    /// The party was notified.
    Notified,
    /// The request was filed.
    RequestFiled,
    /// The hearing ended.
    HearingHeld,
    /// The term of the parties ended.
    PartiesTermEnded,
    /// The judge found that the term of the investigation was over.
    TermControlGranted,
    /// The decision that orders it.
    DecisionIssued,
    /// The debate was closed.
    DebateClosed,
    /// The last session of the trial.
    LastSession,
}

/// How a limit can be extended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Extension {
    /// The most that one extension adds.
    pub amount: u32,
    /// Its unit.
    pub unit: TimeUnit,
    /// Who grants it.
    pub by: String,
    /// How often.
    pub times: u32,
}

/// A time limit in one version.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Limit {
    /// Id, stable.
    pub id: String,
    /// ISO 3166-1 alpha-2.
    pub jurisdiction: String,
    /// `NCPP2004`, `CPP1940`.
    pub procedural_code: String,
    /// What must be done, or end, within it.
    pub what: String,
    /// What it is about.
    pub subject: LimitSubject,
    /// The stage, trigger or type of measure that it is about.
    pub code: String,
    /// The stage in which it runs; none for measures and for limits of any stage.
    pub stage: Option<String>,
    /// Class of the case.
    pub class: LimitClass,
    /// Last day or first one.
    pub bound: Bound,
    /// How long.
    pub amount: u32,
    /// Unit of the amount.
    pub unit: TimeUnit,
    /// Which days count.
    pub day_type: DayType,
    /// From when.
    pub starts: Starts,
    /// How it can be extended, if it can.
    pub extension: Option<Extension>,
    /// Articles and rulings.
    pub basis: String,
    /// First day of the version.
    pub valid_from: NaiveDate,
    /// First day on which it no longer was law.
    pub valid_until: Option<NaiveDate>,
    /// Names.
    pub labels: Labels,
    /// False where no source was read.
    pub verified: bool,
}

impl Limit {
    /// Whether this version was law on a day.
    pub fn in_force(&self, on: NaiveDate) -> bool {
        self.valid_from <= on && self.valid_until.is_none_or(|until| on < until)
    }

    /// Measures against a person run without a break: who must be released on a Sunday is released on it.
    fn continuous(&self) -> bool {
        self.subject == LimitSubject::Measure
    }
}

/// An extension that was granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GrantedExtension {
    /// The limit; none for every limit of the stage or measure.
    pub limit_id: Option<String>,
    /// When.
    pub granted_on: NaiveDate,
    /// How much.
    pub amount: u32,
    /// Its unit.
    pub unit: TimeUnit,
}

/// A measure in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeasureFacts {
    /// Id of the measure.
    pub id: String,
    /// Its type: code list `coercive_measure`.
    pub measure_type: String,
    /// When it began.
    pub from: NaiveDate,
    /// Its extensions.
    pub extensions: Vec<GrantedExtension>,
}

/// What must be known of a case to tell its deadlines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseFacts {
    /// ISO 3166-1 alpha-2.
    pub jurisdiction: String,
    /// `NCPP2004`, `CPP1940`.
    pub procedural_code: String,
    /// Class of the case.
    pub complexity: LimitClass,
    /// The stage in which it is.
    pub stage: String,
    /// Since when.
    pub entered_on: NaiveDate,
    /// Extensions of the stage.
    pub extensions: Vec<GrantedExtension>,
    /// Whether somebody is detained: then every day counts.
    pub detained: bool,
    /// Measures in force.
    pub measures: Vec<MeasureFacts>,
}

/// A term that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// The limit.
    pub limit_id: String,
    /// What must be done, or end.
    pub what: String,
    /// Articles and rulings.
    pub basis: String,
    /// What it is about.
    pub subject: LimitSubject,
    /// The stage, trigger or type of measure.
    pub code: String,
    /// The measure, where it is about one.
    pub measure_id: Option<String>,
    /// The day of the event, which does not count.
    pub starts_on: NaiveDate,
    /// The last day.
    pub due_on: NaiveDate,
    /// Which days were counted.
    pub day_type: DayType,
    /// Whether an extension is in it.
    pub extended: bool,
    /// Calendar days until the last one; negative when it has passed.
    pub days_left: i64,
    /// Whether the last day has passed.
    pub overdue: bool,
    /// False where the limit's source was not read.
    pub verified: bool,
}

impl Catalogue {
    /// The limits that were law on a day and that are about, or run in, a stage, trigger or type of measure.
    pub fn limits<'c>(
        &'c self,
        jurisdiction: &'c str,
        procedural_code: &'c str,
        on: NaiveDate,
        stage_or_code: &'c str,
        class: LimitClass,
    ) -> impl Iterator<Item = &'c Limit> {
        self.all_limits().iter().filter(move |limit| {
            limit.jurisdiction == jurisdiction
                && limit.procedural_code == procedural_code
                && (limit.code == stage_or_code || limit.stage.as_deref() == Some(stage_or_code))
                && limit.class.covers(class)
                && limit.in_force(on)
        })
    }
}

/// The deadlines that run in a case: those of its stage that began with it, and those of its measures.
pub fn deadlines(law: &Catalogue, facts: &CaseFacts, today: NaiveDate) -> Vec<Deadline> {
    let CaseFacts { jurisdiction, procedural_code, complexity, stage, entered_on, extensions, detained, measures } = facts;
    let limits = |on, code| {
        law.limits(jurisdiction, procedural_code, on, code, *complexity).filter(|limit| limit.bound == Bound::Latest)
    };
    let of_stage = limits(*entered_on, stage)
        .filter(|limit| limit.starts == Starts::StageEntered && limit.stage.as_ref() == Some(stage))
        .map(|limit| deadline(law, limit, *entered_on, extensions, *detained, None, today));
    let of_measures = measures.iter().flat_map(|measure| {
        limits(measure.from, &measure.measure_type)
            .filter(|limit| limit.subject == LimitSubject::Measure && limit.starts == Starts::MeasureFrom)
            .map(|limit| deadline(law, limit, measure.from, &measure.extensions, true, Some(&measure.id), today))
    });
    let mut all: Vec<Deadline> = of_stage.chain(of_measures).collect();
    all.sort_by(|a, b| (a.due_on, &a.limit_id, &a.measure_id).cmp(&(b.due_on, &b.limit_id, &b.measure_id)));
    all
}

fn deadline(
    law: &Catalogue,
    limit: &Limit,
    starts_on: NaiveDate,
    extensions: &[GrantedExtension],
    detained: bool,
    measure_id: Option<&String>,
    today: NaiveDate,
) -> Deadline {
    let mut parts = vec![(limit.amount, limit.unit)];
    parts.extend(
        extensions
            .iter()
            .filter(|e| e.granted_on <= today && e.limit_id.as_ref().is_none_or(|id| *id == limit.id))
            .map(|e| (e.amount, e.unit)),
    );
    let continuous = detained || limit.continuous();
    let due_on = law.calendar(&limit.jurisdiction).run(starts_on, &parts, limit.day_type, continuous);
    Deadline {
        limit_id: limit.id.clone(),
        what: limit.what.clone(),
        basis: limit.basis.clone(),
        subject: limit.subject,
        code: limit.code.clone(),
        measure_id: measure_id.cloned(),
        starts_on,
        due_on,
        day_type: if continuous { DayType::Calendar } else { limit.day_type },
        extended: parts.len() > 1,
        days_left: due_on.signed_duration_since(today).num_days(),
        overdue: today > due_on,
        verified: limit.verified,
    }
}
