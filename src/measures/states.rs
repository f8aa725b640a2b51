//! The states of a measure, what leads from one to another, and who may grant what. Pure.
//!
//! An extension is no state of its own: an extended measure is in force until a later day and keeps the list of its
//! extensions. A modified protection measure is one: the table of the profile has it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a measure is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum MeasureKind {
    /// It restrains an accused.
    Coercive,
    /// It protects a victim.
    Protective,
}

impl MeasureKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Coercive, Self::Protective];

    /// The code (code list `measure_kind`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Coercive => "coercive",
            Self::Protective => "protective",
        }
    }

    /// The kind of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.as_str() == code)
    }

    /// The code list of its types.
    pub fn type_list(self) -> &'static str {
        match self {
            Self::Coercive => "coercive_measure",
            Self::Protective => "protection_measure",
        }
    }
}

/// Where a measure stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked for.
    Requested,
    /// The danger to the victim has been weighed.
    RiskEvaluated,
    /// Decided, not yet begun.
    Granted,
    /// Refused.
    Denied,
    /// Running.
    InForce,
    /// Running with other terms than at first.
    Modified,
    /// Taken back.
    Revoked,
    /// Carried out to its end.
    Served,
    /// Taken off the victim.
    Lifted,
    /// Broken by whom it bound.
    Breached,
    /// Its last day has passed.
    Expired,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Requested,
        Self::RiskEvaluated,
        Self::Granted,
        Self::Denied,
        Self::InForce,
        Self::Modified,
        Self::Revoked,
        Self::Served,
        Self::Lifted,
        Self::Breached,
        Self::Expired,
    ];

    /// The code (code list `measure_state`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::RiskEvaluated => "risk_evaluated",
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::InForce => "in_force",
            Self::Modified => "modified",
            Self::Revoked => "revoked",
            Self::Served => "served",
            Self::Lifted => "lifted",
            Self::Breached => "breached",
            Self::Expired => "expired",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Whether it binds or protects somebody now.
    pub fn runs(self) -> bool {
        matches!(self, Self::InForce | Self::Modified)
    }

    /// Whether nothing follows.
    pub fn ended(self) -> bool {
        MOVES.iter().all(|(_, from, _, _)| *from != self)
    }
}

/// What can be done to a measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = MeasureTrigger)]
pub enum Trigger {
    /// Weighs the danger to the victim.
    EvaluateRisk,
    /// Decides for it.
    Grant,
    /// Decides against it.
    Deny,
    /// Lets it begin.
    EnterIntoForce,
    /// Lets it last longer.
    Extend,
    /// Gives it other terms.
    Modify,
    /// Takes it back.
    Revoke,
    /// Ends it, carried out.
    Serve,
    /// Takes it off the victim.
    Lift,
    /// Ends it, broken.
    Breach,
    /// Ends it after its last day.
    Expire,
}

/// The moves: kind, state before, trigger, state after (peru-profile §2.5 and §5.5). Beyond the published ones, what
/// was granted may be revoked or lifted before it begins.
const MOVES: &[(MeasureKind, State, Trigger, State)] = &[
    (MeasureKind::Coercive, State::Requested, Trigger::Grant, State::Granted),
    (MeasureKind::Coercive, State::Requested, Trigger::Deny, State::Denied),
    (MeasureKind::Coercive, State::Granted, Trigger::EnterIntoForce, State::InForce),
    (MeasureKind::Coercive, State::Granted, Trigger::Revoke, State::Revoked),
    (MeasureKind::Coercive, State::InForce, Trigger::Extend, State::InForce),
    (MeasureKind::Coercive, State::InForce, Trigger::Revoke, State::Revoked),
    (MeasureKind::Coercive, State::InForce, Trigger::Serve, State::Served),
    (MeasureKind::Coercive, State::InForce, Trigger::Expire, State::Expired),
    (MeasureKind::Protective, State::Requested, Trigger::EvaluateRisk, State::RiskEvaluated),
    (MeasureKind::Protective, State::RiskEvaluated, Trigger::Grant, State::Granted),
    (MeasureKind::Protective, State::RiskEvaluated, Trigger::Deny, State::Denied),
    (MeasureKind::Protective, State::Granted, Trigger::EnterIntoForce, State::InForce),
    (MeasureKind::Protective, State::Granted, Trigger::Lift, State::Lifted),
    (MeasureKind::Protective, State::InForce, Trigger::Modify, State::Modified),
    (MeasureKind::Protective, State::InForce, Trigger::Lift, State::Lifted),
    (MeasureKind::Protective, State::InForce, Trigger::Breach, State::Breached),
    (MeasureKind::Protective, State::InForce, Trigger::Expire, State::Expired),
    (MeasureKind::Protective, State::Modified, Trigger::Modify, State::Modified),
    (MeasureKind::Protective, State::Modified, Trigger::Lift, State::Lifted),
    (MeasureKind::Protective, State::Modified, Trigger::Breach, State::Breached),
    (MeasureKind::Protective, State::Modified, Trigger::Expire, State::Expired),
];

/// Where a trigger leads a measure of a kind from a state; none where it does not apply.
pub fn after(kind: MeasureKind, state: State, trigger: Trigger) -> Option<State> {
    MOVES.iter().find(|(k, from, t, _)| *k == kind && *from == state && *t == trigger).map(|(_, _, _, to)| *to)
}

/// Whether a field stands in the body of a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// It must.
    Must,
    /// It may.
    May,
    /// It must not.
    Never,
}

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 11] = [
        Self::EvaluateRisk,
        Self::Grant,
        Self::Deny,
        Self::EnterIntoForce,
        Self::Extend,
        Self::Modify,
        Self::Revoke,
        Self::Serve,
        Self::Lift,
        Self::Breach,
        Self::Expire,
    ];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EvaluateRisk => "evaluate_risk",
            Self::Grant => "grant",
            Self::Deny => "deny",
            Self::EnterIntoForce => "enter_into_force",
            Self::Extend => "extend",
            Self::Modify => "modify",
            Self::Revoke => "revoke",
            Self::Serve => "serve",
            Self::Lift => "lift",
            Self::Breach => "breach",
            Self::Expire => "expire",
        }
    }

    /// Its name for a reader: `es`, `en` or `fr`.
    pub fn label(self, lang: &str) -> &'static str {
        let (es, en, fr) = match self {
            Self::EvaluateRisk => ("Evaluar el riesgo", "Evaluate the risk", "Évaluer le risque"),
            Self::Grant => ("Conceder", "Grant", "Accorder"),
            Self::Deny => ("Denegar", "Deny", "Refuser"),
            Self::EnterIntoForce => ("Poner en vigor", "Put into force", "Mettre en vigueur"),
            Self::Extend => ("Prolongar", "Extend", "Prolonger"),
            Self::Modify => ("Modificar", "Modify", "Modifier"),
            Self::Revoke => ("Revocar", "Revoke", "Révoquer"),
            Self::Serve => ("Dar por cumplida", "Mark as served", "Constater l'exécution"),
            Self::Lift => ("Levantar", "Lift", "Lever"),
            Self::Breach => ("Registrar incumplimiento", "Record a breach", "Constater la violation"),
            Self::Expire => ("Dar por vencida", "Mark as expired", "Constater l'expiration"),
        };
        match lang {
            "en" => en,
            "fr" => fr,
            _ => es,
        }
    }

    /// Whether it rests on a decision that must be named.
    pub fn requires_legal_act(self) -> bool {
        self.needs_granted_by() == Needs::Must || matches!(self, Self::Deny | Self::Revoke | Self::Lift)
    }

    /// Whether the body says who granted.
    pub fn needs_granted_by(self) -> Needs {
        if matches!(self, Self::Grant | Self::Extend | Self::Modify) { Needs::Must } else { Needs::Never }
    }

    /// Whether the body says how great the danger is.
    pub fn needs_risk_level(self) -> Needs {
        if self == Self::EvaluateRisk { Needs::Must } else { Needs::Never }
    }

    /// Whether the body gives the first day.
    pub fn needs_from(self) -> Needs {
        // Entry into force needs one that the measure may have already: the model looks.
        if matches!(self, Self::Grant | Self::EnterIntoForce) { Needs::May } else { Needs::Never }
    }

    /// Whether the body gives the last day.
    pub fn needs_until(self) -> Needs {
        match self {
            Self::Extend => Needs::Must,
            Self::Grant | Self::EnterIntoForce | Self::Modify => Needs::May,
            _ => Needs::Never,
        }
    }

    /// Whether the body says to which relatives the protection extends.
    pub fn needs_extends_to(self) -> Needs {
        if self == Self::Modify { Needs::May } else { Needs::Never }
    }
}

/// Judges, of every instance.
const JUDGES: [&str; 4] = ["inv_judge", "trial_court", "appeal_court", "cassation_court"];

/// Whether an actor may grant, extend or modify a measure: a judge every one, the prosecution also those that
/// protect, the police only an arrest in flagrancy.
pub fn may_grant(kind: MeasureKind, type_code: &str, actor: &str) -> bool {
    JUDGES.contains(&actor)
        || match kind {
            MeasureKind::Coercive => type_code == "flagrancy_arrest" && actor == "police",
            MeasureKind::Protective => matches!(actor, "prosecutor" | "senior_prosecutor"),
        }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Every pair of both kinds: one row per state, one column per trigger, `.` where nothing leads out.
    #[test]
    fn every_pair_of_state_and_trigger_leads_where_the_table_says() {
        let table = |kind: MeasureKind| -> Vec<String> {
            State::ALL
                .into_iter()
                .map(|state| {
                    let cells: Vec<&str> =
                        Trigger::ALL.into_iter().map(|t| after(kind, state, t).map_or(".", State::as_str)).collect();
                    format!("{}: {}", state.as_str(), cells.join(" "))
                })
                .collect()
        };
        // evaluate_risk grant deny enter_into_force extend modify revoke serve lift breach expire
        assert_eq!(
            table(MeasureKind::Coercive),
            [
                "requested: . granted denied . . . . . . . .",
                "risk_evaluated: . . . . . . . . . . .",
                "granted: . . . in_force . . revoked . . . .",
                "denied: . . . . . . . . . . .",
                "in_force: . . . . in_force . revoked served . . expired",
                "modified: . . . . . . . . . . .",
                "revoked: . . . . . . . . . . .",
                "served: . . . . . . . . . . .",
                "lifted: . . . . . . . . . . .",
                "breached: . . . . . . . . . . .",
                "expired: . . . . . . . . . . .",
            ]
        );
        assert_eq!(
            table(MeasureKind::Protective),
            [
                "requested: risk_evaluated . . . . . . . . . .",
                "risk_evaluated: . granted denied . . . . . . . .",
                "granted: . . . in_force . . . . lifted . .",
                "denied: . . . . . . . . . . .",
                "in_force: . . . . . modified . . lifted breached expired",
                "modified: . . . . . modified . . lifted breached expired",
                "revoked: . . . . . . . . . . .",
                "served: . . . . . . . . . . .",
                "lifted: . . . . . . . . . . .",
                "breached: . . . . . . . . . . .",
                "expired: . . . . . . . . . . .",
            ]
        );
    }

    #[test]
    fn only_what_was_granted_runs_and_only_what_runs_can_expire() {
        for (kind, from, trigger, to) in MOVES {
            assert!(*to != State::InForce || matches!(from, State::Granted | State::InForce), "{kind:?} {trigger:?}");
            assert!(*trigger != Trigger::Expire || from.runs());
            assert!(!from.ended());
        }
        let ended: Vec<&str> = State::ALL.into_iter().filter(|s| s.ended()).map(State::as_str).collect();
        assert_eq!(ended, ["denied", "revoked", "served", "lifted", "breached", "expired"]);
        assert!(State::ALL.into_iter().all(|s| State::parse(s.as_str()) == Some(s)));
    }

    #[test]
    fn whoever_asks_for_coercion_does_not_grant_it() {
        assert!(may_grant(MeasureKind::Coercive, "pretrial_detention", "inv_judge"));
        for actor in ["prosecutor", "police", "accused", "victim", "nonsense"] {
            assert!(!may_grant(MeasureKind::Coercive, "pretrial_detention", actor), "{actor}");
        }
        assert!(may_grant(MeasureKind::Coercive, "flagrancy_arrest", "police"));
        assert!(may_grant(MeasureKind::Protective, "concealment", "prosecutor"));
        assert!(!may_grant(MeasureKind::Protective, "concealment", "police"));
    }

    proptest! {
        #[test]
        fn no_sequence_of_triggers_leaves_an_ended_state(
            kind in prop::sample::select(MeasureKind::ALL.to_vec()),
            moves in prop::collection::vec(prop::sample::select(Trigger::ALL.to_vec()), 0..16),
        ) {
            let mut state = State::Requested;
            for trigger in moves {
                let before = state;
                state = after(kind, state, trigger).unwrap_or(state);
                prop_assert!(!before.ended() || state == before);
            }
        }
    }
}
