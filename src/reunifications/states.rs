//! The states of a relative who joins a victim, and what leads from one to another (peru-profile §5.8). Pure.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Where a relative stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Asked for.
    Requested,
    /// May come, as far as the law of the country says.
    EligibilityChecked,
    /// Papers are there.
    Documents,
    /// The visa is applied for.
    VisaApplied,
    /// It is granted.
    VisaGranted,
    /// It is refused.
    Refused,
    /// Tickets are booked.
    TravelBooked,
    /// On the way.
    Travelled,
    /// Together.
    Reunited,
    /// Together, and looked after.
    FollowUp,
    /// At its end, reunited or not.
    Closed,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 11] = [
        Self::Requested,
        Self::EligibilityChecked,
        Self::Documents,
        Self::VisaApplied,
        Self::VisaGranted,
        Self::Refused,
        Self::TravelBooked,
        Self::Travelled,
        Self::Reunited,
        Self::FollowUp,
        Self::Closed,
    ];

    /// The code (code list `beneficiary_state`).
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::EligibilityChecked => "eligibility_checked",
            Self::Documents => "documents",
            Self::VisaApplied => "visa_applied",
            Self::VisaGranted => "visa_granted",
            Self::Refused => "refused",
            Self::TravelBooked => "travel_booked",
            Self::Travelled => "travelled",
            Self::Reunited => "reunited",
            Self::FollowUp => "follow_up",
            Self::Closed => "closed",
        }
    }

    /// The state of a code.
    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|s| s.as_str() == code)
    }

    /// Where a trigger leads from here; none where it does not apply.
    pub fn after(self, trigger: Trigger) -> Option<Self> {
        MOVES.iter().find(|(from, t, _)| *from == self && *t == trigger).map(|(.., to)| *to)
    }
}

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = BeneficiaryTrigger)]
pub enum Trigger {
    /// The law of the country allows it.
    CheckEligibility,
    /// Papers are there.
    GatherDocuments,
    /// The visa is applied for.
    ApplyForVisa,
    /// It is granted.
    GrantVisa,
    /// It is refused.
    RefuseVisa,
    /// Tickets are booked.
    BookTravel,
    /// The journey begins.
    Travel,
    /// They are together.
    Reunite,
    /// Somebody looks after them.
    FollowUp,
    /// It ends.
    Close,
}

/// The moves: state before, trigger, state after. Beyond the published ones: whoever needs no visa travels on papers, a
/// refused visa can be applied for again, and every way can end before its end.
const MOVES: &[(State, Trigger, State)] = &[
    (State::Requested, Trigger::CheckEligibility, State::EligibilityChecked),
    (State::EligibilityChecked, Trigger::GatherDocuments, State::Documents),
    (State::Documents, Trigger::ApplyForVisa, State::VisaApplied),
    (State::Documents, Trigger::BookTravel, State::TravelBooked),
    (State::VisaApplied, Trigger::GrantVisa, State::VisaGranted),
    (State::VisaApplied, Trigger::RefuseVisa, State::Refused),
    (State::Refused, Trigger::ApplyForVisa, State::VisaApplied),
    (State::VisaGranted, Trigger::BookTravel, State::TravelBooked),
    (State::TravelBooked, Trigger::Travel, State::Travelled),
    (State::Travelled, Trigger::Reunite, State::Reunited),
    (State::Reunited, Trigger::FollowUp, State::FollowUp),
    (State::Requested, Trigger::Close, State::Closed),
    (State::EligibilityChecked, Trigger::Close, State::Closed),
    (State::Documents, Trigger::Close, State::Closed),
    (State::VisaApplied, Trigger::Close, State::Closed),
    (State::VisaGranted, Trigger::Close, State::Closed),
    (State::Refused, Trigger::Close, State::Closed),
    (State::TravelBooked, Trigger::Close, State::Closed),
    (State::Travelled, Trigger::Close, State::Closed),
    (State::Reunited, Trigger::Close, State::Closed),
    (State::FollowUp, Trigger::Close, State::Closed),
];

impl Trigger {
    /// Every trigger.
    pub const ALL: [Self; 10] = [
        Self::CheckEligibility,
        Self::GatherDocuments,
        Self::ApplyForVisa,
        Self::GrantVisa,
        Self::RefuseVisa,
        Self::BookTravel,
        Self::Travel,
        Self::Reunite,
        Self::FollowUp,
        Self::Close,
    ];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CheckEligibility => "check_eligibility",
            Self::GatherDocuments => "gather_documents",
            Self::ApplyForVisa => "apply_for_visa",
            Self::GrantVisa => "grant_visa",
            Self::RefuseVisa => "refuse_visa",
            Self::BookTravel => "book_travel",
            Self::Travel => "travel",
            Self::Reunite => "reunite",
            Self::FollowUp => "follow_up",
            Self::Close => "close",
        }
    }

    /// Its name for a reader: `es`, `en` or `fr`.
    pub fn label(self, lang: &str) -> &'static str {
        let (es, en, fr) = match self {
            Self::CheckEligibility => ("Verificar la elegibilidad", "Check eligibility", "Vérifier l'éligibilité"),
            Self::GatherDocuments => ("Reunir documentos", "Gather documents", "Réunir les documents"),
            Self::ApplyForVisa => ("Solicitar la visa", "Apply for the visa", "Demander le visa"),
            Self::GrantVisa => ("Registrar la visa otorgada", "Record the visa granted", "Constater l'octroi du visa"),
            Self::RefuseVisa => ("Registrar la visa denegada", "Record the visa refused", "Constater le refus du visa"),
            Self::BookTravel => ("Reservar el viaje", "Book the journey", "Réserver le voyage"),
            Self::Travel => ("Registrar el viaje", "Record the journey", "Constater le départ"),
            Self::Reunite => ("Registrar la reunificación", "Record the reunification", "Constater le regroupement"),
            Self::FollowUp => ("Iniciar el seguimiento", "Begin the follow-up", "Commencer le suivi"),
            Self::Close => ("Cerrar", "Close", "Clore"),
        };
        match lang {
            "en" => en,
            "fr" => fr,
            _ => es,
        }
    }

    /// Whether it tells others of the person or moves her or him: then what it rests on must still hold.
    pub fn acts(self) -> bool {
        matches!(self, Self::ApplyForVisa | Self::BookTravel | Self::Travel)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::Catalogue;
    use proptest::prelude::*;

    /// One row per state, one column per trigger, `.` where nothing leads out.
    #[test]
    fn every_pair_of_state_and_trigger_leads_where_the_table_says() {
        let table: Vec<String> = State::ALL
            .into_iter()
            .map(|state| {
                let cells: Vec<&str> = Trigger::ALL.into_iter().map(|t| state.after(t).map_or(".", State::as_str)).collect();
                format!("{}: {}", state.as_str(), cells.join(" "))
            })
            .collect();
        // check_eligibility gather_documents apply_for_visa grant_visa refuse_visa book_travel travel reunite follow_up close
        assert_eq!(
            table,
            [
                "requested: eligibility_checked . . . . . . . . closed",
                "eligibility_checked: . documents . . . . . . . closed",
                "documents: . . visa_applied . . travel_booked . . . closed",
                "visa_applied: . . . visa_granted refused . . . . closed",
                "visa_granted: . . . . . travel_booked . . . closed",
                "refused: . . visa_applied . . . . . . closed",
                "travel_booked: . . . . . . travelled . . closed",
                "travelled: . . . . . . . reunited . closed",
                "reunited: . . . . . . . . follow_up closed",
                "follow_up: . . . . . . . . . closed",
                "closed: . . . . . . . . . .",
            ]
        );
    }

    #[test]
    fn the_codes_are_those_of_the_list() {
        let law = Catalogue::embedded().unwrap();
        assert!(State::ALL.into_iter().all(|s| law.has_ever("beneficiary_state", s.as_str())));
        assert!(State::ALL.into_iter().all(|s| State::parse(s.as_str()) == Some(s)));
    }

    proptest! {
        #[test]
        fn nobody_is_reunited_without_a_journey(moves in prop::collection::vec(0usize..10, 0..40)) {
            let (mut state, mut travelled) = (State::Requested, false);
            for n in moves {
                state = state.after(Trigger::ALL[n]).unwrap_or(state);
                travelled |= state == State::Travelled;
                prop_assert!(state != State::Reunited || travelled);
            }
        }
    }
}
