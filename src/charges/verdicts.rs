//! Verdicts: what a court decided on one charge in one instance, and the reparation that goes with it. Pure.
//!
//! Source: NCPP 392–399 (judgment), CP 29, 36, 41–44 (penalties), Ley 28950 art. 9 (heads of reparation).

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::catalogue::{Catalogue, Penalty};
use crate::kernel::ids::{ChargeId, TransitionId};
use crate::kernel::{AgencyCode, Day, Fault, FaultCode, Timestamp};

/// Most that one head of reparation can be, in hundredths of the currency.
const MOST_CENTS: i64 = 1_000_000_000_000;

/// Civil reparation under one head (Ley 28950, art. 9).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"head": "unpaid_wages", "currency": "PEN", "claimed_cents": 2500000, "awarded_cents": 1800000, "paid_cents": 0}))]
pub struct Reparation {
    /// Code list `reparation_head`.
    #[validate(length(min = 1, max = 60))]
    #[schema(min_length = 1, max_length = 60)]
    pub head: String,
    /// ISO 4217.
    #[validate(length(min = 3, max = 3))]
    #[schema(min_length = 3, max_length = 3)]
    pub currency: String,
    /// What was asked for, in hundredths; null where nothing was.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub claimed_cents: Option<i64>,
    /// What a court awarded, in hundredths; null where none has decided.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub awarded_cents: Option<i64>,
    /// What was paid, in hundredths.
    #[serde(default)]
    #[schema(minimum = 0)]
    pub paid_cents: i64,
}

/// The verdict on a charge, as a judgment carries it.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"charge_id": "0193580e-6d1c-7a40-9c37-4b1f0a6f2d11", "outcome": "convicted", "imprisonment_months": 120,
    "day_fines": 120, "disqualification": ["CP-36.1", "CP-36.2"], "disqualification_months": 60}))]
pub struct VerdictInput {
    /// The charge, one of the case.
    pub charge_id: ChargeId,
    /// `convicted` or `acquitted`.
    #[validate(length(min = 1, max = 20))]
    #[schema(min_length = 1, max_length = 20)]
    pub outcome: String,
    /// Prison term. Within the band in force on the day of the facts, or with a reason.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1200)]
    pub imprisonment_months: Option<u32>,
    /// Whether it is for life.
    #[serde(default)]
    pub life_imprisonment: bool,
    /// Fine, days of income.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 10000)]
    pub day_fines: Option<u32>,
    /// Rights that are lost: incisos of CP art. 36.
    #[validate(length(max = 20))]
    #[serde(default)]
    #[schema(max_items = 20)]
    pub disqualification: Vec<String>,
    /// For how long.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1200)]
    pub disqualification_months: Option<u32>,
    /// Civil reparation, per head.
    #[validate(length(max = 20), nested)]
    #[serde(default)]
    #[schema(max_items = 20)]
    pub reparation: Vec<Reparation>,
    /// Why the term lies outside the band.
    #[validate(length(min = 1, max = 2_000))]
    #[serde(default)]
    #[schema(min_length = 1, max_length = 2000)]
    pub out_of_band_reason: Option<String>,
}

/// A prison term that the law allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PenaltyBand)]
pub struct BandView {
    /// Least, months.
    pub min_months: u32,
    /// Most, months.
    pub max_months: u32,
}

/// What a court decided on a charge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Verdict {
    /// The move of the case that carried it.
    pub transition_id: TransitionId,
    /// Code list `verdict_instance`: first, appeal, cassation, revision.
    pub instance: String,
    /// `convicted` or `acquitted`.
    pub outcome: String,
    /// The day of the judgment.
    pub decided_on: Day,
    /// The court, as the act names it.
    #[schema(required)]
    pub court: Option<String>,
    /// Prison term.
    #[schema(required)]
    pub imprisonment_months: Option<u32>,
    /// Whether it is for life.
    pub life_imprisonment: bool,
    /// Fine, days of income.
    #[schema(required)]
    pub day_fines: Option<u32>,
    /// Rights that are lost.
    pub disqualification: Vec<String>,
    /// For how long.
    #[schema(required)]
    pub disqualification_months: Option<u32>,
    /// The band in force on the day of the facts.
    #[schema(required)]
    pub band: Option<BandView>,
    /// Why the term lies outside it.
    #[schema(required)]
    pub out_of_band_reason: Option<String>,
    /// Civil reparation as this judgment had it.
    pub reparation: Vec<Reparation>,
    /// When it was registered.
    pub registered_at: Timestamp,
    /// Who registered it.
    pub registered_by: AgencyCode,
}

/// The verdicts on a charge, first instance first.
#[derive(Debug, Serialize, ToSchema)]
pub struct VerdictPage {
    /// The verdicts.
    pub items: Vec<Verdict>,
    /// Always null: a charge has few.
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// The circumstances that all verdicts of one judgment share.
#[derive(Clone, Debug)]
pub struct Judgment {
    /// The move of the case.
    pub transition: TransitionId,
    /// Instance.
    pub instance: String,
    /// Its day.
    pub on: Day,
    /// The court.
    pub court: Option<String>,
    /// The part of the term that is forgiven.
    pub reduction: Option<(u32, u32)>,
    /// When it is registered.
    pub now: Timestamp,
    /// By whom.
    pub by: AgencyCode,
}

impl Judgment {
    /// A verdict without details: the outcome follows from the act.
    pub fn bare(&self, outcome: &str, reparation: Vec<Reparation>) -> Verdict {
        let Self { transition, instance, on, court, reduction: _, now, by } = self;
        Verdict {
            transition_id: *transition,
            instance: instance.clone(),
            outcome: outcome.to_owned(),
            decided_on: *on,
            court: court.clone(),
            imprisonment_months: None,
            life_imprisonment: false,
            day_fines: None,
            disqualification: Vec::new(),
            disqualification_months: None,
            band: None,
            out_of_band_reason: None,
            reparation,
            registered_at: *now,
            registered_by: by.clone(),
        }
    }

    /// The verdict of a request; every fault at once, with pointers under `at`.
    pub fn pronounce(
        &self,
        law: &Catalogue,
        given: &VerdictInput,
        band: Option<Penalty>,
        at: &str,
        faults: &mut Vec<Fault>,
    ) -> Verdict {
        let VerdictInput {
            charge_id: _,
            outcome,
            imprisonment_months,
            life_imprisonment,
            day_fines,
            disqualification,
            disqualification_months,
            reparation,
            out_of_band_reason,
        } = given;
        let mut fault = |name: &str, code| faults.push(Fault::body(format!("{at}/{name}"), code));
        let band = band.map(|Penalty { min_months, max_months }| BandView {
            // What an agreement forgives counts from the lower end: the judge stays between it and the upper one.
            min_months: match self.reduction {
                Some((part, of)) if of > 0 => min_months - (min_months / of) * part.min(of),
                _ => min_months,
            },
            max_months,
        });
        if outcome == "convicted" {
            match (imprisonment_months, life_imprisonment) {
                (Some(_), true) => fault("imprisonment_months", FaultCode::CrossField),
                (None, false) => fault("imprisonment_months", FaultCode::Required),
                _ => {}
            }
            let outside = match (band, imprisonment_months) {
                (Some(band), Some(months)) => *months < band.min_months || *months > band.max_months,
                // Life is beyond every band of years.
                (Some(_), None) => *life_imprisonment,
                (None, _) => false,
            };
            if outside && out_of_band_reason.is_none() {
                fault("out_of_band_reason", FaultCode::Required);
            }
            if imprisonment_months.is_some_and(|m| m > 1_200) {
                fault("imprisonment_months", FaultCode::Maximum);
            }
            for (name, value, most) in
                [("day_fines", day_fines, 10_000), ("disqualification_months", disqualification_months, 1_200)]
            {
                if value.is_some_and(|v| v > most) {
                    fault(name, FaultCode::Maximum);
                }
            }
        } else {
            for (name, there) in [
                ("imprisonment_months", imprisonment_months.is_some()),
                ("life_imprisonment", *life_imprisonment),
                ("day_fines", day_fines.is_some()),
                ("disqualification", !disqualification.is_empty()),
                ("disqualification_months", disqualification_months.is_some()),
            ] {
                if there {
                    fault(name, FaultCode::CrossField);
                }
            }
        }
        reparation_faults(law, reparation, &format!("{at}/reparation"), faults);
        Verdict {
            imprisonment_months: *imprisonment_months,
            life_imprisonment: *life_imprisonment,
            day_fines: *day_fines,
            disqualification: disqualification.clone(),
            disqualification_months: *disqualification_months,
            band,
            out_of_band_reason: out_of_band_reason.clone(),
            ..self.bare(outcome, reparation.clone())
        }
    }
}

/// Faults of reparation: each head once, amounts in range, nothing paid beyond what was awarded.
pub fn reparation_faults(law: &Catalogue, given: &[Reparation], at: &str, faults: &mut Vec<Fault>) {
    if given.len() > 20 {
        faults.push(Fault::body(at, FaultCode::MaxItems));
    }
    for (index, one) in given.iter().enumerate() {
        let Reparation { head, currency, claimed_cents, awarded_cents, paid_cents } = one;
        let mut fault = |name: &str, code| faults.push(Fault::body(format!("{at}/{index}/{name}"), code));
        if !law.has_code("reparation_head", head) {
            fault("head", FaultCode::Enum);
        } else if given.iter().take(index).any(|other| other.head == *head && other.currency == *currency) {
            fault("head", FaultCode::UniqueItems);
        }
        if currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase()) {
            fault("currency", FaultCode::Pattern);
        }
        for (name, cents) in
            [("claimed_cents", *claimed_cents), ("awarded_cents", *awarded_cents), ("paid_cents", Some(*paid_cents))]
        {
            match cents {
                Some(..0) => fault(name, FaultCode::Minimum),
                Some(n) if n > MOST_CENTS => fault(name, FaultCode::Maximum),
                _ => {}
            }
        }
        if *paid_cents > awarded_cents.unwrap_or(0) {
            fault("paid_cents", FaultCode::CrossField);
        }
    }
}
